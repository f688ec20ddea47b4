"""Cross-validation: which folds are there, which are missing, and computing the missing ones side by side."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol

import pandas as pd

from mer_lib.errors import RunError, StoreError, fault_list, last_line
from mer_lib.evaluation.beforehand import check_jobs, fetch_weights
from mer_lib.evaluation.code_version import code_version
from mer_lib.evaluation.description import description_of
from mer_lib.evaluation.executors import Executor, Processes, Serial, Started
from mer_lib.evaluation.feeding import Feeding, key_of
from mer_lib.evaluation.jobs import Job, code_of
from mer_lib.evaluation.methods import METHODS
from mer_lib.evaluation.protocols import choose
from mer_lib.evaluation.store import FoldResult, PredictionStore
from mer_lib.evaluation.work import FoldCall, FoldTask, Outcome
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
class FoldEvent:
    """One fold that was computed, or failed: then `error` holds its traceback.

    Attributes:
        warned: what it warned of, each text once.
        peak_mib: resident memory that the process which computed it took at most meanwhile; None where it failed.
    """

    task: FoldTask
    seconds: float
    error: str = ""
    warned: tuple[str, ...] = ()
    peak_mib: float | None = None


class FoldWarning(UserWarning):
    """Something that folds of this run warned of."""


class Listener(Protocol):
    """Told after every fold; `done` of `total` folds of this run are behind it."""

    def __call__(self, event: FoldEvent, done: int, total: int) -> None:
        """Take note of `event`."""


@dataclass
class RunSummary:
    """What a run did: folds found in the store, computed, recomputed because their file was damaged, failed.

    Attributes:
        refused: label -> traceback of the jobs of which not even the folds can be told, such as where frames are lost.
    """

    found: int = 0
    computed: int = 0
    damaged: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    failures: list[FoldEvent] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = [f"{self.computed} folds computed", f"{self.found} found in the store"]
        parts += [f"{len(self.damaged)} damaged files found"] if self.damaged else []
        parts += [f"{len(self.failures)} failed"] if self.failures else []
        parts += [f"{len(self.refused)} jobs could not be begun"] if self.refused else []
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
    executor: Executor | None = None,
    n_jobs: int = 1,
    device: str = "auto",
    listener: Listener | None = None,
    clip_listener: ClipListener | None = None,
    started: Started | None = None,
    keep_going: bool = False,
) -> RunSummary:
    """Compute every fold of `jobs` that `store` lacks, and keep each as soon as it is there.

    Stop it at any moment and call it again: finished folds are read, the others are computed, and the files end
    with the same bytes, whoever computes them. A failing fold does not stop the others; the store keeps its traceback.

    Args:
        jobs: what to run; jobs that share an address are computed once.
        store: where predictions are kept; this process alone writes there.
        executor: who computes; `n_jobs` processes on this machine where None.
        n_jobs: processes, also those that make features; 1 computes in this process.
        device: see :func:`mer_lib.training.device.resolve_device`.
        listener: called after every computed or failed fold.
        clip_listener: called after every clip that was looked at, before any fold.
        started: called with the task when the computing of a fold begins.
        keep_going: what cannot be run is named in the summary with all that failed, and nothing is raised for it.

    Raises:
        ParameterError: a method, its parameters or its input do not fit; nothing was run.
        DataError: features cannot be computed, or weights that a training demands cannot be had; nothing was run.
        RunError: folds failed; the message names each with its last line, and the rest is finished. Or those who
            compute are gone, such as a cluster's scheduler; what was finished is kept.
        StoreError: the store cannot be written; the run stops there, and what was finished is kept.
    """
    resolve_device(device)
    if not keep_going:
        check_jobs(jobs)
    planned, refused = _told_apart(jobs) if keep_going else (jobs, {})
    tasks, summary = plan(planned, store)
    summary.refused = refused
    for fault in summary.damaged:
        warnings.warn(fault, FoldWarning, stacklevel=2)
    if not keep_going:
        fetch_weights(task.variant for task in tasks)
    by_address = {job.address: job for job in planned}
    _describe(by_address, {task.address for task in tasks}, store)
    feeding = Feeding((by_address[task.address] for task in tasks), n_jobs, clip_listener)
    given_up = _given_up(by_address, tasks, feeding) if keep_going else _demand(feeding)
    calls = _calls(by_address, [task for task in tasks if task.address not in given_up], feeding, store, device)
    lost = ((task, Outcome(error=given_up[task.address])) for task in tasks if task.address in given_up)
    executor = executor or (Processes(n_jobs) if min(n_jobs, len(calls)) > 1 else Serial())
    with closing(executor.run(calls, feeding.inputs, started or _no_matter)) as outcomes:
        computed = ((call.task, outcome) for call, outcome in outcomes)
        for done, (task, outcome) in enumerate(chain(lost, computed), start=1):
            event = _kept(task, outcome, store)
            _count(event, summary)
            if listener:
                listener(event, done, len(tasks))
    if summary.failures and not keep_going:
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


def _told_apart(jobs: Sequence[Job]) -> tuple[list[Job], dict[str, str]]:
    """Return the jobs whose folds can be told, and of the others, by their labels, why theirs cannot."""
    planned, refused = [], {}
    for job in jobs:
        try:
            planned += [job] if job.address and job.splits else []
        except Exception:  # told under the job's name; the others go on
            refused[job.label] = traceback.format_exc()
    return planned, refused


def _describe(by_address: Mapping[str, Job], lacking: Collection[str], store: PredictionStore) -> None:
    """Clear each folder of what killed runs left, and say in it what it holds."""
    for address, job in by_address.items():
        store.sweep(address)
        # Who asks is news, but no reason to refuse a store that can only be read and lacks nothing.
        with nullcontext() if address in lacking else suppress(StoreError):
            store.describe(address, description_of(job))


def _demand(feeding: Feeding) -> dict[str, str]:
    """Get the inputs of all folds; what cannot be had is raised."""
    for key in feeding.keys:
        feeding.inputs(key)
    return {}


def _given_up(by_address: Mapping[str, Job], tasks: Sequence[FoldTask], feeding: Feeding) -> dict[str, str]:
    """Get what folds need, and return by address why there can be none, as a traceback."""
    given_up = {}
    for address in dict.fromkeys(task.address for task in tasks):
        job = by_address[address]
        try:
            check_jobs([job])
            fetch_weights([job.variant])
            feeding.inputs(key_of(job))
        except Exception:  # told under the name of every fold that it hits; the others go on
            given_up[address] = traceback.format_exc()
    return given_up


def _calls(
    by_address: Mapping[str, Job], tasks: Sequence[FoldTask], feeding: Feeding, store: PredictionStore, device: str
) -> list[FoldCall]:
    """Return what is to be computed, those folds together that are fed the same."""
    calls = [
        FoldCall(
            task=task,
            inputs=key_of(by_address[task.address]),
            device=device,
            checkpoint=store.checkpoint(task.address, task.split.fold, task.seed),
            code=code_of(task.variant),
        )
        for task in tasks
    ]
    rank = {key: number for number, key in enumerate(feeding.keys)}
    return sorted(calls, key=lambda call: rank[call.inputs])


def _kept(task: FoldTask, outcome: Outcome, store: PredictionStore) -> FoldEvent:
    """Write into the store what became of a fold, and tell it."""
    fold = task.address, task.split.fold, task.seed
    if outcome.error:
        store.fail(*fold, outcome.error)
    else:
        store.put(*fold, outcome.data)
        store.log(task.address, outcome.event)
    return FoldEvent(task, outcome.seconds, outcome.error, outcome.warned, outcome.event.get("peak_mib"))


def _no_matter(task: FoldTask) -> None:
    """Take no note of a fold that begins."""


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
        f"{event.task.job_label}, fold {event.task.split.name}, seed {event.task.seed}: {last_line(event.error)}"
        for event in summary.failures
    ]
    return f"{len(faults)} folds failed ({summary}):\n{fault_list(faults)}\n\nFirst:\n{summary.failures[0].error}"
