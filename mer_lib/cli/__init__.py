"""The command line ``mer``: look at the data, list experiments, run notebooks, write the report."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from mer_lib import __version__
from mer_lib.cli.audit import audit_app
from mer_lib.cli.data import data_app
from mer_lib.cli.experiments import list_experiments
from mer_lib.cli.models import list_models
from mer_lib.cli.run import report, run, train
from mer_lib.errors import MerError

app = typer.Typer(
    name="mer",
    help="Study, teach and re-run micro-expression recognition.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.add_typer(data_app, name="data")
app.add_typer(audit_app, name="audit")
app.command("experiments")(list_experiments)
app.command("run")(run)
app.command("report")(report)
app.command("train")(train)
app.command("models")(list_models)
console = Console()


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
