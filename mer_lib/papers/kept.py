"""Measurements kept on disk, so that what is shown in several places is computed once.

A measurement is a function of the stored folds, of the samples and of the code that scores them, and its key is made of
these: a fold that is computed again, another seed or another line of that code makes another key. There is one file for
each (experiment, profile, data), so that old ones do not heap up. Nothing is lost by deleting them.
"""

from __future__ import annotations

import hashlib
import pickle
import platform
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mer_lib import atomic
from mer_lib.evaluation.jobs import Job
from mer_lib.evaluation.store import PredictionStore
from mer_lib.sources import normalised

FOLDER = "measured"
_NO_FOLDS = (".checkpoint", ".weights")  # what a training left besides its predictions
PACKAGE = Path(__file__).resolve().parents[1]
#: The code between stored folds and the numbers of a measurement.
SCORING = (
    *(
        f"evaluation/{name}.py"
        for name in (
            "audit", "crossval", "frames", "intervals", "jobs", "metrics", "per_subject", "pooling", "protocols",
            "statistics", "store", "trivial",
        )
    ),
    *(f"papers/{name}.py" for name in ("kept", "measure", "measured_variant", "measurement")),
)  # fmt: skip


def kept(
    name: str, groups: Mapping[str, Sequence[Job]], store: PredictionStore, compute: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Return what `compute` does, from disk where it was computed before.

    Args:
        name: of the file: the experiment and whatever else tells measurements apart that stand side by side.
        groups: all jobs by variant, complete or not.
        store: of their folds; the measurement is kept in its folder :data:`FOLDER`, where that can be written.
        compute: makes something that can be pickled.
    """
    path, key = _path(name, store), _key(groups, store)
    found = _read(path, key)
    if found is None:
        found = compute()
        with suppress(OSError):  # a store that is read-only, or full, can still be read
            atomic.write_bytes(path, _sealed(pickle.dumps(found), key))
    return found


def is_kept(name: str, groups: Mapping[str, Sequence[Job]], store: PredictionStore) -> bool:
    """Say whether :func:`kept` would find what it is asked for."""
    return _read(_path(name, store), _key(groups, store)) is not None


def _path(name: str, store: PredictionStore) -> Path:
    return store.root / FOLDER / f"{name}.pickle"


def _read(path: Path, key: bytes) -> dict[str, Any] | None:
    """Return what a file holds; None where it is absent, cut off, altered, or made of anything else."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    content = data[2 * len(key) :]
    return pickle.loads(content) if data == _sealed(content, key) else None


def _sealed(content: bytes, key: bytes) -> bytes:
    return key + hashlib.sha256(content).digest() + content


def _key(groups: Mapping[str, Sequence[Job]], store: PredictionStore) -> bytes:
    lines = [scoring_version(), platform.python_version(), np.__version__, pd.__version__]
    for label, jobs in groups.items():
        lines += [label, jobs[0].labelled.name, _samples(jobs[0])]
        for job in jobs:
            lines += [job.address, str(job.seed), *fold_marks(job, store)]
    return hashlib.sha256("\n".join(lines).encode()).digest()


def fold_marks(job: Job, store: PredictionStore) -> list[str]:
    """Return what tells the folds of a job, done or failed, from others of the same names: sizes and times of files."""
    files = sorted(store.folder(job.address).glob(f"seed{job.seed}-*"))
    stats = [(file.name, file.stat()) for file in files if file.suffix not in _NO_FOLDS]
    return [f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in stats]


def _samples(job: Job) -> str:
    table = job.labelled.samples
    return str(int(pd.util.hash_pandas_object(table, index=False).to_numpy().sum()))


@lru_cache
def scoring_version() -> str:
    """Return a digest of :data:`SCORING`; comments, docstrings and formatting do not count."""
    text = "\n".join(normalised((PACKAGE / file).read_text("utf-8")) for file in SCORING)
    return hashlib.sha256(text.encode()).hexdigest()
