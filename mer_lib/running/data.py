"""The data of a run: loaded with a progress bar, made where they are synthetic and not there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from rich.console import Console

from mer_lib import datasets
from mer_lib.datasets.ensure import to_make
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.datasets.presence import Need, find
from mer_lib.errors import DataError
from mer_lib.features.loading import load
from mer_lib.lab import TrainingParameters
from mer_lib.papers.data_used import data_for, name_with_frames, needs_frames
from mer_lib.papers.experiments import Experiment
from mer_lib.running.bars import clip_bar, making_progress, progress_bars

DataOf = Callable[[Experiment], FlowMapDataset]

_MADE_FIRST = "it needs {}, which a run makes first"


def ensure_data(name: str, jobs: int, console: Console, need: Need = "maps") -> None:
    """Make synthetic data if `name` needs them and they are not there, with a progress bar on `console`.

    Raises:
        ParameterError, DataError, RunError: see :func:`mer_lib.datasets.ensure`.
    """
    with making_progress(console) as (listener, announce):
        datasets.ensure(name, jobs, listener, announce, need)


def load_data(name: str, jobs: int, console: Console) -> FlowMapDataset:
    """Load flow maps, with a progress bar on `console` where clips or maps have to be made for it.

    Raises:
        ParameterError, DataError, RunError: see :func:`mer_lib.datasets.ensure` and :func:`load_maps`.
    """
    ensure_data(name, jobs, console)
    return load_maps(name, jobs, console)


def load_maps(name: str, jobs: int, console: Console, need: Need = "maps") -> FlowMapDataset:
    """Load flow maps that are here, with a progress bar on `console` where they are computed from recorded clips.

    Raises:
        ParameterError, DataError, RunError: see :func:`mer_lib.features.loading.load`.
    """
    with progress_bars(console) as progress:
        named = find(name, need=need).entry.name if name == datasets.BEST else name
        return load(named, jobs=jobs, listener=clip_bar(progress, "computing flow maps"))


def ensure_frames(
    wanted: Iterable[Experiment], parameters: TrainingParameters, dataset: FlowMapDataset, console: Console
) -> None:
    """Make the synthetic clips that some of `wanted` look at, where `dataset` has no frames and none are here.

    Raises:
        DataError, RunError: they cannot be made.
    """
    profile = parameters.profile
    if dataset.open_clips is None and any(needs_frames(experiment, profile) for experiment in wanted):
        ensure_data(name_with_frames(profile), parameters.jobs, console, "frames")


def data_source(profile: str, dataset: FlowMapDataset, jobs: int, console: Console) -> DataOf:
    """Return what tells the data that an experiment runs on: `dataset`, unless it needs frames and those have none.

    The data with frames are looked for once. What is returned raises DataError where none are here.
    """
    loaded: dict[str, FlowMapDataset | DataError] = {}

    def with_frames(name: str) -> FlowMapDataset:
        if name not in loaded:
            try:
                entry = to_make(name, "frames")
                if entry:
                    raise DataError(_MADE_FIRST.format(entry.title))
                loaded[name] = load_maps(find(name, need="frames").entry.name, jobs, console)
            except DataError as error:
                loaded[name] = error
        found = loaded[name]
        if isinstance(found, DataError):
            raise found
        return found

    return lambda experiment: data_for(experiment, profile, dataset, with_frames)


def data_to_plan(parameters: TrainingParameters, console: Console) -> tuple[str, DataOf]:
    """Return the label of a run's data, and what tells those of each experiment; nothing is made.

    What is returned raises DataError of data that a run would make first.
    """
    entry = to_make(parameters.data)
    if entry is None:
        dataset = load_maps(parameters.data, 1, console)
        return dataset.label, data_source(parameters.profile, dataset, 1, console)

    def not_yet(experiment: Experiment) -> FlowMapDataset:
        raise DataError(_MADE_FIRST.format(entry.title))

    return entry.title, not_yet


def warn_of_lost_root(parameters: TrainingParameters, dataset: FlowMapDataset, console: Console) -> None:
    """Say so where somebody names a data root and no real data are taken all the same."""
    named = os.environ.get("MER_DATA_ROOT")
    if named and parameters.data == datasets.BEST and dataset.kind != "real":
        clips = [entry.name for entry in datasets.available() if entry.kind == "real" and "frames" in entry.offers]
        why = "holds none of the real data sets" if Path(named).is_dir() else "does not exist"
        if clips:
            why = f"holds no flow maps, and clips are taken by their name alone (--data {clips[0]})"
        console.print(
            f"MER_DATA_ROOT={named} {why}: {dataset.kind} data are used. See `mer data check`.", style="yellow"
        )
