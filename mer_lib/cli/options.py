"""Options that several commands of ``mer`` share."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer


class Profile(str, Enum):
    """Sizes of a run."""

    smoke = "smoke"
    quick = "quick"
    paper = "paper"


ProfileOption = Annotated[Profile, typer.Option(help="smoke: seconds; quick: minutes; paper: the published sizes.")]
DataOption = Annotated[str, typer.Option(help="A name from data_manifest.yaml, or best: the first that is there.")]
SeedsOption = Annotated[str | None, typer.Option(help="Comma-separated seeds; the profile's own by default.")]
OutOption = Annotated[Path | None, typer.Option(help="Folder of report and executed notebooks.")]
JobsOption = Annotated[int, typer.Option(help="Folds and notebooks side by side.", min=1)]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
OnlyOption = Annotated[
    list[str] | None, typer.Option("--only", help="Ids or patterns that narrow the others down; may be repeated.")
]


def parameters(profile: Profile, data: str, seeds: str | None, jobs: int = 1, device: str = "auto") -> dict[str, Any]:
    """Return the parameters of a run, as notebooks take them; BadParameter where seeds are no numbers."""
    return {"profile": profile.value, "data": data, "seeds": seeds_of(seeds), "jobs": jobs, "device": device}


def seeds_of(text: str | None) -> list[int] | None:
    """Return the seeds that somebody wrote down: ``0,1,2``.

    >>> seeds_of("0,1,2")
    [0, 1, 2]
    """
    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"expected whole numbers with commas between, such as 0,1,2, got {text!r}") from None
