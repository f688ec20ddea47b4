"""The first phase of a run: every fold that is missing, of all experiments together."""

from __future__ import annotations

import warnings
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from mer_lib.evaluation import crossval
from mer_lib.evaluation.crossval import FoldEvent, FoldTask, FoldWarning
from mer_lib.evaluation.executors import make
from mer_lib.evaluation.store import PredictionStore
from mer_lib.lab import TrainingParameters
from mer_lib.running.display import Board
from mer_lib.running.estimate import device_kind
from mer_lib.running.events import EventLog
from mer_lib.running.pace import Pace
from mer_lib.running.plan import Plan


@dataclass
class Trained:
    """What became of the folds: how many were found and computed, and the traceback of each variant that failed."""

    found: int = 0
    computed: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def train(
    plan: Plan,
    parameters: TrainingParameters,
    store: PredictionStore,
    board: Board,
    events: EventLog,
    cluster: str | None = None,
) -> Trained:
    """Compute every fold of `plan` that is missing; what fails is told, and the rest goes on.

    Args:
        plan: what is there and what is missing.
        parameters: `jobs` folds side by side on `device`.
        store: where folds are kept.
        board: shows the folds that are under way.
        events: takes note of each.
        cluster: address of a Dask scheduler, or a YAML file that says how to start one; this machine where None.

    Raises:
        StoreError: the store cannot be written; the run stops there, and finished folds are kept.
        RunError: those who compute are gone.
    """
    outcome = Trained(plan.found, failed=dict(plan.refused))
    tasks = plan.tasks
    if not tasks:
        return outcome
    with closing(make(parameters.jobs, cluster)) as executor, warnings.catch_warnings():
        device = None if cluster else device_kind(parameters.device)
        watch = _Watch(board, events, Pace(tasks, store, lambda: executor.workers, device))
        board.count("folds", len(tasks), lambda: watch.pace.words)
        warnings.simplefilter("ignore", FoldWarning)  # said below, each once, without tearing the display
        summary = crossval.run(
            plan.jobs,
            store,
            executor=executor,
            n_jobs=parameters.jobs,
            device=parameters.device,
            listener=watch.finished,
            clip_listener=board.clips,
            started=watch.started,
            keep_going=True,
        )
    for text in [*summary.damaged, *summary.warned]:
        board.say(text, "yellow")
    outcome.computed = summary.computed
    outcome.failed |= {event.task.job_label: event.error for event in summary.failures} | summary.refused
    return outcome


class _Watch:
    """Hands what happens to a fold to the display, to the event log, and to the estimate of what is left."""

    def __init__(self, board: Board, events: EventLog, pace: Pace) -> None:
        self.board, self.events, self.pace = board, events, pace

    def started(self, task: FoldTask) -> None:
        self.board.begin(_key(task), *_cells(task))
        self.events.write("fold started", **_entries(task))

    def finished(self, event: FoldEvent, done: int, total: int) -> None:
        task = event.task
        self.pace.finished(task, None if event.error else event.seconds)
        self.board.end(_key(task), "failed" if event.error else "done")
        if event.error:
            self.events.write("fold failed", **_entries(task), traceback=event.error)
        else:
            self.events.write(
                "fold finished", **_entries(task), seconds=round(event.seconds, 3), peak_mib=event.peak_mib
            )


def _key(task: FoldTask) -> str:
    return f"{task.address} {task.split.fold} {task.seed}"


def _cells(task: FoldTask) -> tuple[str, ...]:
    experiment, variant = name_and_label(task.job_label)
    return experiment, variant, f"fold {task.split.fold + 1}", f"seed {task.seed}"


def _entries(task: FoldTask) -> dict[str, Any]:
    experiment, variant = name_and_label(task.job_label)
    return {
        "experiment": experiment,
        "variant": variant,
        "fold": task.split.fold,
        "seed": task.seed,
        "address": task.address,
    }


def name_and_label(job_label: str) -> tuple[str, str]:
    """Return experiment and variant of a job's label: ids hold no space.

    >>> name_and_label("htnet.table2 class prior")
    ('htnet.table2', 'class prior')
    """
    experiment, _, label = job_label.partition(" ")
    return experiment, label
