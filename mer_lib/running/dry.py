"""What a run would compute, and why: nothing is made, computed or written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from mer_lib import settings
from mer_lib.evaluation.reasons import why
from mer_lib.evaluation.store import PredictionStore
from mer_lib.papers.experiments import experiments
from mer_lib.running.data import data_to_plan
from mer_lib.running.notebooks import plan_notebooks
from mer_lib.running.plan import ExperimentPlan, Plan, VariantPlan, make_plan
from mer_lib.running.runner import Request, to_train


def show_dry_run(asked: Request, console: Console) -> None:
    """Print a table of what `asked` would compute: experiment, variant, folds, and why each is missing.

    Raises:
        ParameterError: parameters or targets are not as they should be.
        DataError: the data are not here, and a run would not make them either.
    """
    store = PredictionStore(settings.store_root())
    own, wanted = asked.own(), asked.wanted()
    table = experiments() | ({own.id: own} if own else {})
    notebooks = plan_notebooks(asked.folder / "notebooks", asked.parameters, wanted, table)
    label, data_of = data_to_plan(asked.parameters, console)
    plan = make_plan(to_train(table, wanted, notebooks), asked.parameters, data_of, store)
    _show(plan, len(notebooks), _empty(label, asked), store, console)


def _show(plan: Plan, notebooks: int, table: Table, store: PredictionStore, console: Console) -> None:
    described = store.descriptions()
    for entry in plan.experiments.values():
        _add(table, entry, store, described)
    if any(plan.variants):
        console.print(table)
        console.print(f"folds to compute: {len(plan.tasks)}, in the store: {plan.found}; notebooks: {notebooks}")
    for reason in dict.fromkeys(plan.left_out.values()):
        names = ", ".join(name for name, why_not in plan.left_out.items() if why_not == reason)
        console.print(f"Not planned: {names}: {reason}", style="yellow", markup=False, soft_wrap=True)


def _empty(label: str, asked: Request) -> Table:
    columns = (Column("experiment", no_wrap=True), "variant", Column("folds", justify="right"), "why")
    return Table(*columns, title=escape(f"{label}, profile {asked.parameters.profile}: to be computed"))


def _add(table: Table, entry: ExperimentPlan, store: PredictionStore, described: Mapping[str, Any]) -> None:
    for variant in entry.variants.values():
        if variant.missing or variant.reason:
            words = variant.reason or reasons(variant, store, described)
            table.add_row(entry.name, escape(variant.label), str(len(variant.to_compute)), escape(words))


def reasons(variant: VariantPlan, store: PredictionStore, described: Mapping[str, Any]) -> str:
    """Return why folds of a variant have to be computed, each reason once with the folds that it holds for."""
    jobs = {job.seed: job for job in variant.jobs}
    counts = Counter(
        f"computed as {variant.elsewhere[task.seed]}"
        if task.seed in variant.elsewhere
        else why(jobs[task.seed], store, task.split.fold, described)
        for task in variant.missing
    )
    if len(counts) == 1:
        return next(iter(counts))
    return "; ".join(f"{count} folds: {words}" for words, count in counts.most_common())
