"""Cross-validation: which folds are there, which are missing, and computing the missing ones side by side."""

from __future__ import annotations

import time
import traceback
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import joblib
import pandas as pd
from joblib.externals.loky.process_executor import TerminatedWorkerError

from mer_lib.errors import RunError, StoreError, fault_list
from mer_lib.evaluation.beforehand import check_jobs, fetch_weights
from mer_lib.evaluation.code_version import code_version
from mer_lib.evaluation.folds import Inputs, compute_fold
from mer_lib.evaluation.jobs import Job
from mer_lib.evaluation.methods import METHODS
from mer_lib.evaluation.protocols import choose
from mer_lib.evaluation.provenance import fold_event
from mer_lib.evaluation.splits import Split
from mer_lib.evaluation.store import FoldResult, PredictionStore
from mer_lib.evaluation.variant import Variant
from mer_lib.features import compute
from mer_lib.features.report import Listener as ClipListener
from mer_lib.training.device import resolve_device

__all__ = [
    "FoldEvent",
    "FoldTask",
    "FoldWarning",
    "Job",
    "Listener",
    "RunSummary",
    "choose_folds",
    "plan",
    "read_folds",
    "run",
]

# Read now, not when a first result is addressed: a process that lives on computes with the code it imported.
for _method in METHODS:
    code_version(_method)


@dataclass(frozen=True)
class FoldTask:
    """One fold that has to be computed."""

    job_label: str
    variant: Variant
    split: Split
    seed: int
    address: str


@dataclass(frozen=True)
class FoldEvent:
    """One fold that was computed, or failed: then `error` holds its traceback. `warned` is what it warned of."""

    task: FoldTask
    seconds: float
    error: str = ""
    warned: tuple[str, ...] = ()


class FoldWarning(UserWarning):
    """Something that folds of this run warned of."""


class Listener(Protocol):
    """Told after every fold; `done` of `total` folds of this run are behind it."""

    def __call__(self, event: FoldEvent, done: int, total: int) -> None:
        """Take note of `event`."""


@dataclass
class RunSummary:
    """What a run did: folds found in the store, computed, recomputed because their file was damaged, failed."""

    found: int = 0
    computed: int = 0
    damaged: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    failures: list[FoldEvent] = field(default_factory=list)

    def __str__(self) -> str:
        parts = [f"{self.computed} folds computed", f"{self.found} found in the store"]
        parts += [f"{len(self.damaged)} damaged files found"] if self.damaged else []
        parts += [f"{len(self.failures)} failed"] if self.failures else []
        return ", ".join(parts)


def plan(jobs: Iterable[Job], store: PredictionStore) -> tuple[list[FoldTask], RunSummary]:
    """Return the folds of `jobs` that `store` lacks (each once), and a summary that counts those it has."""
    summary, tasks, seen = RunSummary(), [], set()
    for job in jobs:
        address = job.address
        for split in job.splits:
            if (address, split.fold, job.seed) in seen:
                continue
            seen.add((address, split.fold, job.seed))
            state = store.state(address, split.fold, job.seed, fitted_on=split.train, tested_on=split.test)
            if state == "done":
                summary.found += 1
                continue
            if state != "missing":
                summary.damaged.append(state)
            tasks.append(FoldTask(job.label, job.variant, split, job.seed, address))
    return tasks, summary


def run(
    jobs: Sequence[Job],
    store: PredictionStore,
    *,
    n_jobs: int = 1,
    device: str = "auto",
    listener: Listener | None = None,
    clip_listener: ClipListener | None = None,
) -> RunSummary:
    """Compute every fold of `jobs` that `store` lacks, `n_jobs` at a time, each writing its own file.

    Stop it at any moment and call it again: finished folds are read, the others are computed, and the files end
    with the same bytes. A failing fold does not stop the others.

    Args:
        jobs: what to run; jobs that share an address are computed once.
        store: where predictions are kept.
        n_jobs: worker processes; 1 computes in this process.
        device: see :func:`mer_lib.training.device.resolve_device`.
        listener: called after every computed or failed fold.
        clip_listener: called after every clip that was looked at, before any fold.

    Raises:
        ParameterError: a method, its parameters or its input do not fit; nothing was run.
        DataError: features cannot be computed, or weights that a training demands cannot be had; nothing was run.
        RunError: folds failed; the message names each with its last line, and the rest is finished.
    """
    resolve_device(device)
    check_jobs(jobs)
    tasks, summary = plan(jobs, store)
    for fault in summary.damaged:
        warnings.warn(fault, FoldWarning, stacklevel=2)
    fetch_weights(task.variant for task in tasks)
    _prepare(jobs, store)
    inputs = _inputs(jobs, tasks, n_jobs, clip_listener)
    calls = (joblib.delayed(_run_task)(task, inputs[task.address], store.root, device) for task in tasks)
    workers = joblib.Parallel(n_jobs=min(n_jobs, max(len(tasks), 1)), return_as="generator_unordered")
    try:
        for done, event in enumerate(workers(calls), start=1):
            _count(event, summary)
            if listener:
                listener(event, done, len(tasks))
    except TerminatedWorkerError as error:
        raise RunError(
            "a worker process was killed, probably because memory ran out; finished folds are kept. "
            "Run again with fewer jobs (--jobs 1) to go on."
        ) from error
    if summary.failures:
        raise RunError(_failure_message(summary))
    return summary


def read_folds(job: Job, store: PredictionStore) -> list[FoldResult]:
    """Read all finished folds of `job`.

    Raises:
        StoreError: folds are missing or damaged; all are named.
    """
    results, faults = [], []
    for split in job.splits:
        try:
            results.append(store.read(job.address, split.fold, job.seed))
        except StoreError as error:
            faults.append(str(error))
    if faults:
        raise StoreError(f"{job.label}, seed {job.seed}: {len(faults)} folds cannot be read:\n{fault_list(faults)}")
    return results


def choose_folds(folds: Sequence[FoldResult], protocol: str) -> pd.DataFrame:
    """Return the predictions of the epochs that `protocol` chooses, one row a (sample, seed).

    Columns: `sample_id, fold, seed, epoch, y_true`, and `p_<class>` for each class.
    """
    parts = [choose(fold.predictions, protocol) for fold in folds]
    return pd.concat(parts).sort_values(["seed", "sample_id"], ignore_index=True)


def _inputs(
    jobs: Sequence[Job], tasks: Sequence[FoldTask], n_jobs: int, listener: ClipListener | None
) -> dict[str, Inputs]:
    """Compute each input once, however many variants share it."""
    needed = {task.address for task in tasks}
    by_recipe: dict[tuple[str, str], Inputs] = {}
    inputs = {}
    for job in jobs:
        if job.address not in needed:
            continue
        key = (job.data_digest, job.variant.features.model_dump_json())
        if key not in by_recipe:
            seen = job.labelled
            ids = sorted(seen.samples["sample_id"])
            X = compute(job.variant.features, seen.dataset, ids, jobs=n_jobs, listener=listener)
            by_recipe[key] = Inputs(ids, X, seen.labels(ids), seen.classes)
        inputs[job.address] = by_recipe[key]
    return inputs


def _prepare(jobs: Sequence[Job], store: PredictionStore) -> None:
    """Clear each job's folder of what killed runs left, and say in it what it holds."""
    for job in jobs:
        store.sweep(job.address)
        store.describe(job.address, job.variant, job.dataset.name, job.data_digest, job.code)


def _run_task(task: FoldTask, inputs: Inputs, root: Path, device: str) -> FoldEvent:
    """Compute and store one fold; whatever goes wrong, and what is warned of, becomes part of the event."""
    started = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        error = _compute_and_store(task, inputs, PredictionStore(root), device)
    warned = tuple(dict.fromkeys(f"{entry.category.__name__}: {entry.message}" for entry in caught))
    return FoldEvent(task, time.perf_counter() - started, error, warned)


def _compute_and_store(task: FoldTask, inputs: Inputs, store: PredictionStore, device: str) -> str:
    """Return an empty string, or the traceback of what went wrong."""
    started = time.perf_counter()
    try:
        result = compute_fold(
            task.variant,
            task.split,
            inputs,
            seed=task.seed,
            address=task.address,
            device=device,
            checkpoint=store.checkpoint(task.address, task.split.fold, task.seed),
        )
        store.write(task.address, task.split.fold, task.seed, result)
        seconds = time.perf_counter() - started
        store.log(task.address, fold_event(task.split.fold, task.seed, seconds, resolve_device(device)))
    except Exception:  # reported by the caller under the fold's name; the other folds go on
        return traceback.format_exc()
    return ""


def _count(event: FoldEvent, summary: RunSummary) -> None:
    new = [message for message in event.warned if message not in summary.warned]
    summary.warned += new
    for message in new:  # once a run, not once a fold
        warnings.warn(message, FoldWarning, stacklevel=3)
    if event.error:
        summary.failures.append(event)
    else:
        summary.computed += 1


def _failure_message(summary: RunSummary) -> str:
    faults = [
        f"{event.task.job_label}, fold {event.task.split.name}, seed {event.task.seed}: "
        f"{event.error.strip().splitlines()[-1]}"
        for event in summary.failures
    ]
    return f"{len(faults)} folds failed ({summary}):\n{fault_list(faults)}\n\nFirst:\n{summary.failures[0].error}"
