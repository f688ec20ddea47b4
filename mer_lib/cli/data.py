"""``mer data``: which data sets are here, what is wrong with them, making synthetic ones, estimating gender."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from mer_lib import datasets, settings
from mer_lib.datasets import gender, presence
from mer_lib.datasets.checking import CheckReport
from mer_lib.datasets.faults import EFFECTS, fault_table
from mer_lib.datasets.frames.source import printable
from mer_lib.errors import ParameterError

data_app = typer.Typer(help="See which data sets are here and whether they are whole.", no_args_is_help=True)
console = Console()

_EFFECT_TITLES = {
    "unusable": "makes the data set unusable",
    "excludes": "excludes the sample",
    "noted": "is noted, nothing is left out",
}
_SHOWN_OF_A_KIND = 1000


class Makeable(str, Enum):
    """Data that can be made here."""

    synthetic = "synthetic"


class Size(str, Enum):
    """Sizes of the synthetic data."""

    smoke = "smoke"
    demo = "demo"
    course = "course"


def _places() -> str:
    return f"Data under {_path(settings.data_root())}, synthetic ones under {_path(settings.synthetic_root())}"


def _path(path: Path | str) -> str:
    """A path as the console shows it: brackets in it are no markup, and it may be no proper UTF-8."""
    return escape(printable(path))


@data_app.command("list")
def data_list() -> None:
    """Say which data sets are here, without reading them.

    Example: [bold]MER_DATA_ROOT=~/mer_data mer data list[/]
    """
    table = Table("name", "what it is", "kind", "offers", "state", title=_places())
    table.columns[0].no_wrap = True  # a name is there to be copied
    for entry in datasets.available():
        state = f"present: {_path(entry.path)}" if entry.path else "present" if entry.present else "absent"
        offers = ", ".join(sorted(entry.offers)) or "annotation"
        table.add_row(entry.name, entry.title, entry.kind, offers if entry.present else "", state)
    console.print(table)


@data_app.command("check")
def data_check(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names, or paths of folders; all data sets by default.")
    ] = None,
    images: Annotated[str | None, typer.Option(help="Version of the images, such as raw or cropped.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON, for programs.")] = False,
) -> None:
    """Read annotation and files, every frame of them, and show everything that is wrong at once.

    Ends with 0: usable; 1: usable, but with exclusions, without images, or in unexpected numbers; 2: unusable, or
    absent though named. Of several data sets the worst counts.

    Examples:

    [bold]mer data check casme2[/]              a data set below MER_DATA_ROOT

    [bold]mer data check ~/Downloads/SAMM[/]    a folder somewhere: licensed data, or your own videos

    [bold]mer data check smic --images cropped --json[/]
    """
    reports = [_checked(name, images) for name in names or [entry.name for entry in datasets.available()]]
    if as_json:
        print(json.dumps([report.as_json() for report in reports], indent=2, ensure_ascii=False))
    else:
        _show(reports)
    counted = [report.exit_code for report in reports if names or report.status != "absent"]
    raise typer.Exit(max(counted, default=0))


def _checked(name: str, images: str | None) -> CheckReport:
    with Console(stderr=True).status(f"Reading {_path(name)} …"):
        return datasets.check(name, images=images)


def _show(reports: list[CheckReport]) -> None:
    table = Table("name", "state", "images", "samples", "subjects", "excluded", title=_places())
    table.columns[0].no_wrap = True
    for report in reports:
        total = report.counts.loc["all"]
        shown = () if report.status == "absent" else ("samples", "subjects", "excluded")
        table.add_row(report.name, report.status, report.images or "", *(str(total[column]) for column in shown))
    console.print(table)
    for report in reports:
        if report.how_to_obtain:
            console.print(f"\n[bold]{report.name}[/] is absent. {report.how_to_obtain}", soft_wrap=True)
            continue
        if report.faults or len(reports) == 1:
            _show_counts(report)
        if report.faults:
            _show_faults(report)


def _show_counts(report: CheckReport) -> None:
    table = Table(report.name, *report.counts.columns, title="What can be used")
    for name, row in report.counts.iterrows():
        table.add_row(str(name), *map(str, row))
    console.print(table)


def _show_faults(report: CheckReport) -> None:
    where = f" ({_path(report.path)})" if report.path else ""
    console.print(f"\n[bold]{report.name}[/]{where}: {len(report.faults)} findings", soft_wrap=True)
    found = fault_table(report.faults)
    for effect in EFFECTS:
        of_effect = found[found["effect"] == effect]
        for kind, group in of_effect.groupby("kind", sort=False):
            console.print(f"  [bold]{kind}[/] ({len(group)}) {_EFFECT_TITLES[effect]}", highlight=False)
            for row in group.head(_SHOWN_OF_A_KIND).itertuples():
                text = f"{row.sample_id}: {row.message}" if row.sample_id else row.message
                console.print(f"    - {text}", markup=False, highlight=False, soft_wrap=True)
            if len(group) > _SHOWN_OF_A_KIND:
                console.print(f"    … and {len(group) - _SHOWN_OF_A_KIND} more; --json has all of them")


@data_app.command("make")
def data_make(
    what: Annotated[Makeable, typer.Argument(help="What to make.")],
    profile: Annotated[
        Size, typer.Option(help="smoke: 11 clips, for tests; demo: 84; course: 442, in the size of MEGC2019.")
    ] = Size.demo,
    jobs: Annotated[int, typer.Option(help="Processes side by side.", min=1)] = 2,
) -> None:
    """Make synthetic clips: drawn faces that move by action units, with the truth beside every frame.

    What is there, whole and fresh, is kept: stop it whenever you like and call it again.

    Example: [bold]mer data make synthetic --profile demo --jobs 2[/]
    """
    from mer_lib.datasets.synthetic import making
    from mer_lib.running.bars import making_progress

    try:
        with making_progress(console) as (listener, announce):
            made = making.make(profile.value, jobs=jobs, listener=listener, announce=announce)
    except KeyboardInterrupt:
        console.print(
            "Stopped. The clips that are finished are kept; the same command goes on from there.", soft_wrap=True
        )
        raise typer.Exit(130) from None
    console.print(f"{what.value}_{profile.value}: {made}", highlight=False, soft_wrap=True)


@data_app.command("gender")
def data_gender(
    name: Annotated[str, typer.Argument(help="A name, or the path of a folder.")],
    threshold: Annotated[float, typer.Option(help="Below this mean probability nothing is said.")] = gender.THRESHOLD,
    out: Annotated[Path | None, typer.Option(help="The file; gender.csv in the folder of the data by default.")] = None,
) -> None:
    """Estimate the apparent gender of each subject with DeepFace, from the first frames, and write it as CSV.

    The estimate is what a network says of a face; it is no fact about a person. Read the file, correct it, and the
    column gender of the samples table takes it from there. See docs/data_sets.md.

    Example: [bold]mer data gender casme3 --threshold 0.9[/]
    """
    clips = datasets.load_clips(name)
    place = presence.find(name).presence.path
    if out is None and place is None:
        raise ParameterError(f"{name} lies in several folders: name one of its data sets, or a file with --out")
    path = out or Path(str(place)) / gender.FILE_NAME
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("looking at first frames", total=len(clips.samples))
        result = gender.estimate_file(clips, path, threshold, lambda done, total: progress.update(bar, completed=done))
    decided = (result.table["decided"] == "yes").sum()
    console.print(f"{decided} of {len(result.table)} subjects decided: {_path(path)}", highlight=False, soft_wrap=True)
    for fault in result.faults:
        console.print(f"  - {fault}", markup=False, highlight=False, soft_wrap=True)
