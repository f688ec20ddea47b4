"""How far long work is: one line in the notebook, and a file for a waiting `mer run`."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from mer_lib import datasets
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.datasets.presence import Need, find
from mer_lib.evaluation.crossval import FoldEvent
from mer_lib.features import loading

PROGRESS_FILE = "MER_PROGRESS"  # environment variable: where a running notebook tells how far it is


def ensure(name: str, jobs: int = 1, need: Need = "maps") -> None:
    """Make synthetic data where `name` needs them, as :func:`mer_lib.datasets.ensure`, and show how far that is."""
    making = Making()
    datasets.ensure(name, jobs, making, making.announce, need)


def load(name: str, jobs: int = 1, need: Need = "maps") -> FlowMapDataset:
    """Load flow maps; what has to be made or computed for it is, with a line that says how far that is."""
    ensure(name, jobs, need)
    if name == datasets.BEST:
        name = find(name, need=need).entry.name
    return loading.load(name, jobs=jobs, listener=Making("Computing flow maps from frames."))


class Making:
    """Shows one line that is replaced after every few clips that are made; no line where none is.

    Args:
        text: what is being made; :meth:`announce` says it otherwise.
    """

    def __init__(self, text: str = "") -> None:
        self._handle: Any = None
        self._text = text

    def announce(self, text: str) -> None:
        """Show what is going to be made."""
        from IPython.display import display  # only notebooks need it

        self._text = text
        self._handle = display(Line(text), display_id=True)

    def __call__(self, done: int, total: int, sample_id: str) -> None:
        """Show that `done` of `total` are made, `sample_id` last."""
        if self._handle is None and self._text:
            self.announce(self._text)
        if self._handle is not None:
            self._handle.update(Line(f"{self._text} {done} of {total} are made ({sample_id})."))


class FoldProgress:
    """Shows one line that is replaced after every fold, and tells a waiting `mer run` through a file."""

    def __init__(self, name: str) -> None:
        from IPython.display import display  # only notebooks need it

        self._name, self._started = name, time.monotonic()
        self._handle = display(Line(f"{name}: looking for stored folds …"), display_id=True)

    def __call__(self, event: FoldEvent, done: int, total: int) -> None:
        """Show and tell that a fold is done."""
        elapsed = time.monotonic() - self._started
        left = elapsed / done * (total - done)
        self._show(f"{self._name}: fold {done} of {total}, about {left:.0f} s left ({event.task.job_label})")
        tell(name=self._name, done=done, total=total, label=event.task.job_label, failed=bool(event.error))

    def close(self, summary: str) -> None:
        """Show how it ended."""
        self._show(f"{self._name}: {summary}, {time.monotonic() - self._started:.0f} s")

    def _show(self, text: str) -> None:
        if self._handle is not None:
            self._handle.update(Line(text))


class Line:
    """Plain text that a notebook shows as it is."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def tell(**progress: Any) -> None:
    """Append a progress event to the file named by ``MER_PROGRESS``, if it is set."""
    path = os.environ.get(PROGRESS_FILE)
    if path:
        with open(path, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(progress) + "\n")
