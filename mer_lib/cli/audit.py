"""``mer audit``: check other people's numbers."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

audit_app = typer.Typer(help="Check printed numbers.", no_args_is_help=True)
console = Console()

_COLOURS = {"possible": "green", "impossible": "bold red", "contradicted": "yellow", "undecided": "cyan"}


class RoundingChoice(str, Enum):
    """How printed numbers may have been rounded."""

    any = "any"
    nearest = "nearest"
    half_up = "half-up"
    half_even = "half-even"
    truncated = "truncated"


@audit_app.callback()
def _audit() -> None:
    """Check printed numbers."""


@audit_app.command("numbers")
def audit_numbers(
    claims: Annotated[Path, typer.Argument(help="CSV: row, dataset, metric, value[, counts], one line a number.")],
    counts: Annotated[
        str | None,
        typer.Option(help="Class counts: a name, such as megc2019, or a CSV file with dataset, class, count."),
    ] = None,
    rounding: Annotated[
        RoundingChoice, typer.Option(help="any: to the nearest or truncated, number by number.")
    ] = RoundingChoice.any,
    whole: Annotated[str, typer.Option(help="The data set that is the union of a row's others.")] = "full",
    separate: Annotated[
        bool, typer.Option("--separate", help="The data sets were trained on one by one: none is part of another.")
    ] = False,
    repairs: Annotated[bool, typer.Option(help="Look for slips that would explain an impossible row.")] = True,
    csv: Annotated[Path | None, typer.Option(help="Also write the table of verdicts as CSV.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdicts as JSON, for programs.")] = False,
) -> None:
    """Say of each printed UF1, UAR, accuracy, recall … whether any confusion matrix can give it.

    Ends with 0: all are possible; 1: some are not, or could not be decided; 2: the file is wrong.

    Examples:

    [bold]mer audit numbers table.csv --counts megc2019[/]

    [bold]mer audit numbers table.csv --counts my_counts.csv --csv verdicts.csv[/]
    """
    from mer_lib.claims.reading import read_claims
    from mer_lib.claims.verdict import judge, table

    rows = read_claims(claims, _counts(counts), None if separate else whole, rounding.value)
    with Console(stderr=True).status("Searching confusion matrices …"):
        found = table(judge(row, repairs) for row in rows)
    if csv:
        found.to_csv(csv, index=False)
    if as_json:
        print(json.dumps(found.to_dict("records"), indent=2, ensure_ascii=False))
    else:
        _show(found)
    raise typer.Exit(int((found["verdict"] != "possible").any()))


def _counts(given: str | None) -> dict:
    from mer_lib.claims.counts import named_counts, read_counts

    if given is None:
        return {}
    return read_counts(Path(given)) if Path(given).suffix or Path(given).exists() else named_counts(given)


def _show(found: pd.DataFrame) -> None:
    names = ("row", "dataset", "metric", "printed", "verdict", "tables")
    shown = Table(*(Column(name, no_wrap=name != "row") for name in names), "it would fit with")
    for line in found.itertuples(index=False):
        verdict = f"[{_COLOURS[line.verdict]}]{line.verdict}[/]"
        cells = (line.row, line.dataset, line.metric, line.printed)
        shown.add_row(*map(escape, map(str, cells)), verdict, str(line.tables), escape(line.repairs))
    console.print(shown)
    for (name, why), _ in found[found["why"] != ""].groupby(["row", "why"], sort=False):
        console.print(f"{name}: {why}.", markup=False, highlight=False, soft_wrap=True)
    console.print(
        "Assumed: one run, its predictions pooled over all folds, and the class counts that are given. "
        "contradicted: the number is right if the impossible ones of its row are wrong. "
        "undecided: the search was given up at its limit.",
        highlight=False,
        soft_wrap=True,
    )
