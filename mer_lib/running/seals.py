"""Whether what an earlier run left is still true: a seal stands for all that decides how it looks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from mer_lib import atomic, datasets, settings
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.datasets.traces import traces
from mer_lib.lab import TrainingParameters
from mer_lib.report import NotebookRecord
from mer_lib.running.notebooks import NotebookRun

_NOT_SHOWN = ("jobs", "device")  # parameters that change how long something takes, and nothing that is seen


def surroundings(dataset: FlowMapDataset, library: str) -> str:
    """Digest what everything rests on: the library, its data, and which data sets and annotations are here.

    Args:
        dataset: the data of the run.
        library: what :func:`library_digest` was when the run began.
    """
    digest = hashlib.sha256(f"{dataset.digest} {library}".encode())
    digest.update(json.dumps([[entry.name, entry.present] for entry in datasets.available()]).encode())
    digest.update(json.dumps(traces()).encode())
    digest.update(settings.manifest_path().read_bytes())
    return digest.hexdigest()


def library_digest() -> str:
    """Digest every file of the library as it lies on the disk now."""
    digest = hashlib.sha256()
    package = Path(__file__).parent.parent
    for file in sorted(package.rglob("*.*")):
        if file.suffix != ".pyc" and file.is_file():
            digest.update(file.relative_to(package).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()


# -- notebooks --------------------------------------------------------------------------------------------------------


def notebook_seal(notebook: NotebookRun, around: str, state: str) -> str:
    """Return the seal of an executed copy.

    Args:
        notebook: its source and its parameters are part of it.
        around: see :func:`surroundings`.
        state: digest of what the store holds of the experiments that it shows, see :meth:`.plan.Plan.digest`.
    """
    parameters = {name: value for name, value in notebook.parameters.items() if name not in _NOT_SHOWN}
    text = json.dumps([notebook.source.name, parameters, around, state], sort_keys=True)
    return hashlib.sha256(text.encode() + notebook.source.read_bytes()).hexdigest()


def is_sealed(target: Path, seal: str) -> bool:
    """Say whether an executed copy bears `seal`; none, or half a file, bears none."""
    with suppress(OSError, ValueError, LookupError, TypeError):
        return json.loads(target.read_text("utf-8"))["metadata"]["mer"]["seal"] == seal
    return False


def set_seal(target: Path, seal: str) -> None:
    """Write a seal into an executed copy; on a full disk it stays without, and is executed anew by the next run."""
    content = json.loads(target.read_text("utf-8"))
    content["metadata"].setdefault("mer", {})["seal"] = seal
    with suppress(OSError):
        atomic.write_text(target, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


# -- report -----------------------------------------------------------------------------------------------------------


def report_seal(
    parameters: TrainingParameters, around: str, state: str, notebooks: Sequence[NotebookRecord] = ()
) -> str:
    """Return the seal of a report; arguments as for :func:`notebook_seal`, and the notebooks that it names."""
    shown = {name: value for name, value in parameters.model_dump().items() if name not in _NOT_SHOWN}
    named = [[record.name, str(record.path), record.error] for record in notebooks]
    return hashlib.sha256(json.dumps([shown, around, state, named], sort_keys=True).encode()).hexdigest()


def report_is_sealed(path: Path, seal: str) -> bool:
    """Say whether the report at `path` is whole and bears `seal`."""
    with suppress(OSError, ValueError):
        return _seal_file(path).read_text("utf-8") == _sealed(path, seal)
    return False


def set_report_seal(path: Path, seal: str) -> None:
    """Seal the report at `path`, beside it; on a full disk it stays without, and is written anew by the next run."""
    with suppress(OSError):
        atomic.write_text(_seal_file(path), _sealed(path, seal))


def _seal_file(path: Path) -> Path:
    return path.with_name(f".{path.name}.seal")


def _sealed(path: Path, seal: str) -> str:
    return f"{seal} {hashlib.sha256(path.read_bytes()).hexdigest()}\n"
