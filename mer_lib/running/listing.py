"""The list of all experiments: their question, what they need, what is here, what is computed, how long they take."""

from __future__ import annotations

from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Column, Table

from mer_lib import settings
from mer_lib.evaluation.store import PredictionStore
from mer_lib.lab import TrainingParameters
from mer_lib.papers.data_used import needs_frames
from mer_lib.papers.experiments import Experiment, experiments
from mer_lib.papers.paper_set import Entry, paper_set
from mer_lib.running.data import data_to_plan
from mer_lib.running.display import duration
from mer_lib.running.estimate import Times, device_kind, estimated, remembered
from mer_lib.running.plan import ExperimentPlan, Plan, make_plan
from mer_lib.running.runner import Request
from mer_lib.running.targets import chosen


def show_experiments(asked: Request, estimate: bool, console: Console) -> None:
    """Print the table for the targets of `asked`, all experiments where it has none.

    Args:
        asked: what to list, and profile, data, seeds, device and processes that times hold for.
        estimate: train one epoch of every distinct variant instead of trusting the store's memory.
        console: where it is printed.

    Raises:
        ParameterError: a target matches nothing.
        DataError: the data are not here, and a run would not make them either.
    """
    parameters, store = asked.parameters, PredictionStore(settings.store_root())
    names = chosen(asked.targets, asked.only)
    label, data_of = data_to_plan(parameters, console)
    plan = make_plan([experiments()[name] for name in names if name in experiments()], parameters, data_of, store)
    times = _times(plan, store, parameters, estimate, console)
    table = _empty(f"{label}, profile {parameters.profile}")
    for name in names:
        table.add_row(*map(escape, _row(name, plan, times, parameters.profile)))
    console.print(table)
    console.print(_total(plan, times, parameters, estimate), highlight=False, markup=False, soft_wrap=True)


def _empty(title: str) -> Table:
    return Table(
        Column("experiment", overflow="fold"),
        Column("question, what it needs, what it gets here", ratio=1),
        Column("folds in store", justify="right"),
        Column("time", justify="right", no_wrap=True),
        Column("left", justify="right", no_wrap=True),
        title=escape(title),
        expand=True,
        show_lines=True,
    )


def _times(
    plan: Plan, store: PredictionStore, parameters: TrainingParameters, estimate: bool, console: Console
) -> Times:
    if not estimate:
        return remembered(plan, store, parameters.jobs, device_kind(parameters.device))
    with console.status("estimating") as status:
        return estimated(plan, parameters.jobs, parameters.device, partial(_said, status))


def _said(status: Status, variant: str) -> None:
    status.update(f"one epoch of {escape(variant)}")


def _row(name: str, plan: Plan, times: Times, profile: str) -> tuple[str, ...]:
    if name not in plan.experiments:
        return name, _untrained(paper_set()[name]), "", "", ""
    there, experiment = plan.experiments[name], experiments()[name]
    about = f"{experiment.question}\nneeds {_needs(experiment, profile)}; "
    if there.reason:
        return name, f"{about}not planned: {there.reason}", "", "", ""
    data = next(variant.jobs[0].dataset.name for variant in there.variants.values() if variant.jobs)
    return name, f"{about}here: {data}", f"{there.found} of {there.total}", *_both(there, times)


def _untrained(entry: Entry) -> str:
    return f"{entry.source.title}\n{entry.how}, not trained; needs {entry.needs or 'nothing'}"


def _needs(experiment: Experiment, profile: str) -> str:
    entry = paper_set().get(experiment.id)
    if entry and entry.needs:
        return entry.needs
    return "clips with frames" if needs_frames(experiment, profile) else "flow maps"


def _both(entry: ExperimentPlan, times: Times) -> tuple[str, str]:
    """Return the time of all folds, and of those that are missing."""
    seconds = (times.of(entry.variants.values(), missing) for missing in (False, True))
    return tuple("?" if value is None else duration(value) for value in seconds)  # type: ignore[return-value]


def _total(plan: Plan, times: Times, parameters: TrainingParameters, estimate: bool) -> str:
    """Return a sentence on all experiments together, in which what variants share counts once."""
    variants = list(plan.variants)
    if not variants:
        return "Time: nothing is planned yet."
    every, left = times.of(variants), times.of(variants, missing=True)
    if left is None or every is None:
        return "Time: of folds that the store remembers; ? where there is none. --estimate trains one epoch of each."
    how = "from one epoch of each distinct variant" if estimate else "from stored folds"
    return (
        f"All together, shared variants once: {duration(every)}, of which {duration(left)} are left; {how}, "
        f"with {parameters.jobs} processes on {device_kind(parameters.device)}."
    )
