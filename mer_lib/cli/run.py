"""``mer run``, ``mer report`` and ``mer train``: compute, and write down what came out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mer_lib import datasets
from mer_lib.cli.options import (
    DataOption,
    DeviceOption,
    JobsOption,
    OnlyOption,
    OutOption,
    Profile,
    ProfileOption,
    SeedsOption,
    parameters,
    seeds_of,
)

if TYPE_CHECKING:
    from mer_lib.running.runner import Outcome

console = Console()
STOPPED = 130  # exit code of what was stopped with Ctrl-C


def run(
    targets: Annotated[
        list[str] | None, typer.Argument(help="Ids, patterns, or papers; every notebook by default.")
    ] = None,
    only: OnlyOption = None,
    profile: ProfileOption = Profile.quick,
    data: DataOption = datasets.BEST,
    seeds: SeedsOption = None,
    jobs: JobsOption = 2,
    device: DeviceOption = "auto",
    cluster: Annotated[
        str | None, typer.Option(help="Dask scheduler (tcp://…), or YAML file of a SLURM cluster, that computes folds.")
    ] = None,
    grid: Annotated[Path | None, typer.Option(help="YAML file of a grid of your own, to be run besides.")] = None,
    out: OutOption = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Execute notebooks and write the report even where nothing has changed.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would run and why, and do nothing.")] = False,
) -> None:
    """Compute what is missing, execute the notebooks that show it, and write the report.

    What the store holds is read, not computed again: stop a run whenever you like and call it again. What fails does
    not stop the rest: the last line names it, the report has its traceback, and the exit code is 1. events.jsonl in the
    folder of the report says what happened when.

    Examples:

    [bold]mer run papers[/]                                   all published experiments

    [bold]mer run papers --only 'htnet.*' --dry-run[/]        what would run, and why

    [bold]mer run[/]                                          every notebook, minutes

    [bold]mer run 'htnet.*' --profile paper --seeds 0,1,2[/]  at the published sizes

    [bold]mer run htnet.table4 --data synthetic_demo[/]       one experiment on synthetic data
    """
    from mer_lib.running.dry import show_dry_run
    from mer_lib.running.runner import request
    from mer_lib.running.runner import run as run_all

    asked = request(
        parameters(profile, data, seeds, jobs, device),
        targets=tuple(targets or ()),
        only=tuple(only or ()),
        grid=grid,
        out=out,
        fresh=fresh,
        cluster=cluster,
    )
    if dry_run:
        show_dry_run(asked, console)
        return
    try:
        outcome = run_all(asked, console)
    except KeyboardInterrupt:
        console.print("Stopped. What is finished is kept; run again to go on.", soft_wrap=True)
        raise typer.Exit(STOPPED) from None
    _tell(outcome)


def _tell(outcome: Outcome) -> None:
    """Say where the report lies; the last line names what failed, and the exit code is 1 then."""
    console.print(f"Report: {outcome.report}", highlight=False, markup=False, soft_wrap=True)
    if outcome.failed:
        names = ", ".join(outcome.failed)
        console.print(
            f"{len(outcome.failed)} failed, the rest is finished: {names}",
            style="bold red", highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
        raise typer.Exit(1)


def report(
    experiments: Annotated[list[str] | None, typer.Argument(help="Ids or patterns; all by default.")] = None,
    profile: ProfileOption = Profile.quick,
    data: DataOption = datasets.BEST,
    seeds: SeedsOption = None,
    jobs: Annotated[int, typer.Option(help="Processes that measure side by side.", min=1)] = 2,
    out: OutOption = None,
) -> None:
    """Write the report from what the store holds; nothing is trained, and what is missing is named.

    Example: [bold]mer report --profile paper[/]
    """
    from mer_lib.features.loading import load
    from mer_lib.running.reporting import default_folder, write_report
    from mer_lib.running.runner import request
    from mer_lib.running.targets import chosen

    checked = request(parameters(profile, data, seeds, jobs)).parameters
    names = chosen(experiments) if experiments else None
    path = write_report(checked, load(checked.data), out or default_folder(checked), names=names)
    console.print(f"Report: {path}", highlight=False, markup=False, soft_wrap=True)


def train(
    choice: Annotated[Path, typer.Argument(help="YAML file of a choice, as notebook 04_region_crops exports it.")],
    profile: ProfileOption = Profile.quick,
    data: Annotated[str | None, typer.Option(help="Another data set than the one it was chosen on.")] = None,
    seeds: SeedsOption = None,
    jobs: Annotated[int, typer.Option(help="Clips and folds that are computed side by side.", min=1)] = 2,
) -> None:
    """Train a linear classifier on chosen features, beside the whole face and guessing, and print the scores.

    Example: [bold]mer train runs/choices/ten_cells.yaml[/]
    """
    from mer_lib.papers.choice import read_choice
    from mer_lib.plots.style import marked
    from mer_lib.report.tables import score_table
    from mer_lib.running.choices import train_choice

    measurement = train_choice(read_choice(choice), profile.value, data, seeds_of(seeds), jobs, console)
    scores = score_table(measurement, subsets=["full"]).drop(columns="subset")
    title = f"{measurement.experiment.title}\n{marked(measurement.caption, measurement.dataset.kind)}"
    table = Table(*scores.columns, title=escape(title), title_justify="left")
    for row in scores.itertuples(index=False):
        table.add_row(*(escape(str(cell)) for cell in row))
    console.print(table)
