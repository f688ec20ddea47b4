"""The command line ``mer``: look at the data, list experiments, run notebooks, write the report."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from mer_lib import __version__, datasets, settings
from mer_lib.cli.data import data_app
from mer_lib.cli.models import list_models
from mer_lib.errors import DataError, MerError, ParameterError, RunError, fault_list

app = typer.Typer(
    name="mer",
    help="Study, teach and re-run micro-expression recognition.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.add_typer(data_app, name="data")
app.command("models")(list_models)
console = Console()


class Profile(str, Enum):
    """Sizes of a run."""

    smoke = "smoke"
    quick = "quick"
    paper = "paper"


ProfileOption = Annotated[Profile, typer.Option(help="smoke: seconds; quick: minutes; paper: the published sizes.")]
DataOption = Annotated[str, typer.Option(help="A name from data_manifest.yaml, or best: the first that is there.")]
SeedsOption = Annotated[str | None, typer.Option(help="Comma-separated seeds; the profile's own by default.")]
OutOption = Annotated[Path | None, typer.Option(help="Folder of report and executed notebooks.")]


def main() -> None:
    """Run the command line; an expected error is one message without a traceback (`--debug` shows it)."""
    try:
        app()
    except MerError as error:
        if "--debug" in sys.argv:
            raise
        Console(stderr=True).print(f"[bold red]{type(error).__name__}[/]: ", end="")
        Console(stderr=True, highlight=False, markup=False).print(str(error), soft_wrap=True)
        raise SystemExit(2) from None


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error: mer --debug run …")] = False,
) -> None:
    if version:
        console.print(f"mer_lib {__version__}")
        raise typer.Exit()


# -- experiments ------------------------------------------------------------------------------------------------------


@app.command("experiments")
def list_experiments(profile: ProfileOption = Profile.quick, data: DataOption = datasets.BEST) -> None:
    """List the experiments: their question, variants, and how much of each is in the store.

    Example: [bold]mer experiments --profile paper[/]
    """
    from mer_lib.evaluation.crossval import plan
    from mer_lib.evaluation.store import PredictionStore
    from mer_lib.headless import data_of, load_maps
    from mer_lib.papers.experiments import experiments
    from mer_lib.papers.measure import jobs_of

    named, store = load_maps(data, 1, console), PredictionStore(settings.store_root())
    title = f"{named.label}, profile {profile.value}"
    table = Table(Column("experiment", no_wrap=True), "question", "variants", "folds in store", title=title)
    for name, entry in experiments().items():
        try:
            dataset = data_of(name, profile.value, named)
            jobs = [job for group in jobs_of(entry, profile.value, dataset).values() for job in group]
            tasks, summary = plan(jobs, store)
            state = f"{summary.found} of {summary.found + len(tasks)}"
        except (DataError, ParameterError) as error:  # the others can be run all the same
            state = f"cannot be run: {error}"
        table.add_row(name, entry.question, str(len(entry.variants)), escape(state))
    console.print(table)


# -- run and report ---------------------------------------------------------------------------------------------------


@app.command()
def run(
    experiments: Annotated[list[str] | None, typer.Argument(help="Ids or patterns; all by default.")] = None,
    profile: ProfileOption = Profile.quick,
    data: DataOption = datasets.BEST,
    seeds: SeedsOption = None,
    jobs: Annotated[int, typer.Option(help="Folds that are computed side by side.", min=1)] = 2,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    out: OutOption = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Execute notebooks even where nothing has changed.")] = False,
) -> None:
    """Execute the notebooks, keep the executed copies, and write the report.

    What the store holds is read, not computed again: stop a run whenever you like and call it again.

    Examples:

    [bold]mer run[/]                                          everything, minutes

    [bold]mer run 'htnet.*' --profile paper --seeds 0,1,2[/]  at the published sizes

    [bold]mer run htnet.table4 --data synthetic_demo[/]       one experiment on synthetic data
    """
    from mer_lib.headless import run_notebooks

    parameters = {"profile": profile.value, "data": data, "seeds": _seeds(seeds), "jobs": jobs, "device": device}
    failures = run_notebooks(parameters, experiments or [], out, console, fresh)
    if failures:
        raise RunError(f"{len(failures)} notebooks failed; the others are finished:\n{fault_list(failures)}")


@app.command()
def report(
    experiments: Annotated[list[str] | None, typer.Argument(help="Ids or patterns; all by default.")] = None,
    profile: ProfileOption = Profile.quick,
    data: DataOption = datasets.BEST,
    seeds: SeedsOption = None,
    out: OutOption = None,
) -> None:
    """Write the report from what the store holds; nothing is trained, and what is missing is named.

    Example: [bold]mer report --profile paper[/]
    """
    from mer_lib.headless import write_report

    parameters = {"profile": profile.value, "data": data, "seeds": _seeds(seeds), "jobs": 1, "device": "auto"}
    console.print(f"Report: {write_report(parameters, experiments or [], out)}", soft_wrap=True)


@app.command()
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
    from mer_lib.headless import train_choice
    from mer_lib.papers.choice import read_choice
    from mer_lib.plots.style import marked
    from mer_lib.report.tables import score_table

    measurement = train_choice(read_choice(choice), profile.value, data, _seeds(seeds), jobs, console)
    scores = score_table(measurement, subsets=["full"]).drop(columns="subset")
    title = f"{measurement.experiment.title}\n{marked(measurement.caption, measurement.dataset.kind)}"
    table = Table(*scores.columns, title=escape(title), title_justify="left")
    for row in scores.itertuples(index=False):
        table.add_row(*(escape(str(cell)) for cell in row))
    console.print(table)


def _seeds(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"expected whole numbers with commas between, such as 0,1,2, got {text!r}") from None
