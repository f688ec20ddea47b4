"""Execute notebooks side by side, each in a process of its own with a kernel that computes on one thread."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mer_lib.lab import PROGRESS_FILE
from mer_lib.running.notebooks import NotebookRun

_POLL_S = 0.1
_ENDING_S = 15.0  # for a kernel to end
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")

Progress = Callable[[NotebookRun, dict[str, Any]], None]


def execute_all(
    notebooks: Sequence[NotebookRun],
    jobs: int,
    started: Callable[[NotebookRun], None],
    progress: Progress,
) -> Iterator[tuple[NotebookRun, str]]:
    """Execute `notebooks`, `jobs` at a time, and yield each with its error, empty where all went well.

    Where the caller goes away, by an error, an interruption or a kill, so do the kernels.

    Args:
        notebooks: begun in this order.
        jobs: processes.
        started: called when one begins.
        progress: called with what a kernel tells of its folds, see :func:`mer_lib.lab.tell`.

    Raises:
        ParameterError: a parameter is none of a notebook's; nothing was executed.
    """
    for notebook in notebooks:
        notebook.check()
    waiting = list(notebooks)
    running: list[_Running] = []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(_Running(waiting.pop(0)))
                started(running[-1].notebook)
            time.sleep(_POLL_S)
            for one in list(running):
                ended = one.process.poll() is not None
                for event in one.told():
                    progress(one.notebook, event)
                if ended:
                    running.remove(one)
                    yield one.notebook, one.finish()
    finally:
        for one in running:
            one.stop()


class _Running:
    """A notebook that is being executed, and the folder through which its process talks."""

    def __init__(self, notebook: NotebookRun) -> None:
        self.notebook = notebook
        self._folder = tempfile.TemporaryDirectory(prefix="mer_notebook_")
        self._answer, self._errors, self._progress = (self._path(name) for name in ("answer", "errors", "progress"))
        self._progress.touch()
        self._seen = 0
        with self._errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mer_lib.running.executing"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                text=True,
                env={**os.environ, **_ONE_THREAD, PROGRESS_FILE: str(self._progress)},
                start_new_session=True,  # Ctrl-C reaches the caller alone, who ends this one in order
            )
        self._ask()

    def told(self) -> Iterator[dict[str, Any]]:
        """Yield what the kernel has told since the last call."""
        with self._progress.open(encoding="utf-8") as stream:
            stream.seek(self._seen)
            text = stream.read()
        whole = text[: text.rfind("\n") + 1]
        self._seen += len(whole.encode())
        return (json.loads(line) for line in whole.splitlines())

    def finish(self) -> str:
        """Return the error of a process that has ended."""
        self._close_input()
        try:
            return json.loads(self._answer.read_text("utf-8"))
        except (FileNotFoundError, ValueError):  # nothing was said, or no whole word of it
            last = self._errors.read_text("utf-8", errors="replace").strip().splitlines()[-1:]
            return ": ".join([f"its process ended with code {self.process.returncode}", *last])
        finally:
            self._folder.cleanup()

    def stop(self) -> None:
        """End the process and its kernel before they are done."""
        self._close_input()
        try:
            self.process.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._folder.cleanup()

    def _ask(self) -> None:
        asked = {
            "source": str(self.notebook.source),
            "target": str(self.notebook.target),
            "parameters": self.notebook.parameters,
            "answer": str(self._answer),
        }
        stream = self.process.stdin
        with suppress(BrokenPipeError):  # it ended at once: its own words say why
            if stream:
                stream.write(json.dumps(asked) + "\n")
                stream.flush()

    def _close_input(self) -> None:
        with suppress(BrokenPipeError):
            if self.process.stdin:
                self.process.stdin.close()

    def _path(self, name: str) -> Path:
        return Path(self._folder.name) / name
