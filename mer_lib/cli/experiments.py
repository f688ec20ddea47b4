"""``mer experiments``: what there is to run, on what, how far it is, and how long it takes."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from mer_lib import datasets
from mer_lib.cli.options import (
    DataOption,
    DeviceOption,
    OnlyOption,
    Profile,
    ProfileOption,
    SeedsOption,
    parameters,
)

console = Console()


def list_experiments(
    patterns: Annotated[list[str] | None, typer.Argument(help="Ids, patterns, or papers; all by default.")] = None,
    only: OnlyOption = None,
    profile: ProfileOption = Profile.quick,
    data: DataOption = datasets.BEST,
    seeds: SeedsOption = None,
    jobs: Annotated[int, typer.Option(help="Processes that times are estimated for.", min=1)] = 2,
    device: DeviceOption = "auto",
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Train one epoch of every distinct variant to tell how long all take.")
    ] = False,
) -> None:
    """List the experiments: question, data that they need and get here, folds in the store, and time.

    Times are those of folds that the store remembers; with --estimate they are extrapolated from one epoch of one fold
    of every distinct variant, for this profile and device. Nothing is kept of it.

    Examples:

    [bold]mer experiments papers[/]                            the published ones

    [bold]mer experiments 'htnet.*' --profile paper --estimate[/]  before a night is spent on it
    """
    from mer_lib.running.listing import show_experiments
    from mer_lib.running.runner import request

    asked = request(
        parameters(profile, data, seeds, jobs, device), targets=tuple(patterns or ()), only=tuple(only or ())
    )
    show_experiments(asked, estimate, console)
