"""Which data an experiment runs on: those that somebody named, or others where it needs frames and those have none."""

from __future__ import annotations

from collections.abc import Callable

from mer_lib import datasets
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.datasets.presence import find
from mer_lib.features import takes_maps
from mer_lib.features.loading import load as load_here
from mer_lib.papers.experiments import Experiment

SMALLEST = "synthetic_smoke"  # made in seconds


def needs_frames(experiment: Experiment, profile: str) -> bool:
    """Whether a variant looks at frames, or at emotions, which the published flow maps do not tell."""
    return any(
        not takes_maps(variant.features) or variant.labels != "three"
        for variant in experiment.settings(profile).values()
    )


def name_with_frames(profile: str) -> str:
    """Return the name of the best data with frames; where none are here, of what has to be made.

    Profile smoke then makes do with the smallest.
    """
    nothing_here = datasets.best(need="frames") is None
    return SMALLEST if nothing_here and profile == "smoke" else datasets.BEST


def data_for(
    experiment: Experiment, profile: str, dataset: FlowMapDataset, load: Callable[[str], FlowMapDataset]
) -> FlowMapDataset:
    """Return the data that an experiment runs on: `dataset`, unless it has no frames and the experiment needs some.

    Args:
        experiment: looked at under `profile`.
        profile: "smoke", "quick" or "paper".
        dataset: what somebody named.
        load: loads a data set by its name; it may make synthetic ones first.

    Raises:
        DataError: there are none, and `load` does not make any.
    """
    if dataset.open_clips is not None or not needs_frames(experiment, profile):
        return dataset
    return load(name_with_frames(profile))


def data_at_hand(experiment: Experiment, profile: str, dataset: FlowMapDataset) -> FlowMapDataset:
    """Return the data that an experiment runs on, see :func:`data_for`; nothing is made.

    Raises:
        DataError: no data with frames are here, or synthetic ones are stale.
    """
    return data_for(experiment, profile, dataset, lambda name: load_here(find(name, need="frames").entry.name))
