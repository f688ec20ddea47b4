"""Carry out a recipe: from maps or clips to the array that a model is fed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from mer_lib.datasets import FlowMapDataset
from mer_lib.datasets.clips import ClipDataset
from mer_lib.errors import DataError, ParameterError
from mer_lib.features.cache import Made
from mer_lib.features.maps import from_maps
from mer_lib.features.recipes import FlowMap, FourRegionMosaic
from mer_lib.features.report import ClipsUsed, Listener, clips_used
from mer_lib.features.sequence_recipes import Recipe


class PointsUsed(NamedTuple):
    """Where the points of a mosaic came from, to be said beside its results."""

    source: str
    fallback: int
    samples: int

    def __str__(self) -> str:
        why = "flow maps carry no face to find landmarks on" if self.source == "constant" else "no face was found"
        return f"constant face points for {self.fallback} of {self.samples} samples ({why})"


def compute(
    recipe: Recipe,
    dataset: FlowMapDataset | ClipDataset,
    sample_ids: Sequence[str] | None = None,
    *,
    jobs: int = 1,
    listener: Listener | None = None,
    cache: bool = True,
) -> np.ndarray:
    """Compute the inputs of `sample_ids`, one a sample and in their order.

    >>> from mer_lib.datasets import load
    >>> compute(FourRegionMosaic(block=7), load("toy_flow")).shape
    (48, 3, 28, 28)

    What is made of clips is kept in a cache (see :mod:`mer_lib.features.cache`) and read from there next time.

    Args:
        recipe: what to compute.
        dataset: holds the maps or the clips; for a recipe on clips, flow maps lead to theirs.
        sample_ids: which samples; all, in the order of the samples table, where none are given.
        jobs: processes that look at clips side by side; the numbers are the same for any count.
        listener: told after each clip how many of those that have to be made are done.
        cache: whether to read and write the cache.

    Returns:
        float32 (samples, *recipe.shape): channels, rows, columns; of a sequence frames before them. Grey values are 0
        to 255, see each recipe for others: scaling is learned on training folds, so it is no part of a recipe.

    Raises:
        DataError: naming every id that the data set does not have, or every clip of which nothing can be made.
        ParameterError: the recipe takes maps, and these are clips; or `sample_ids` is one text.
    """
    if takes_maps(recipe):
        return from_maps(recipe, _maps(recipe, dataset), _ids(dataset, sample_ids))
    return compute_with_report(recipe, dataset, sample_ids, jobs=jobs, listener=listener, cache=cache)[0]


def compute_with_report(
    recipe: Recipe,
    dataset: FlowMapDataset | ClipDataset,
    sample_ids: Sequence[str] | None = None,
    *,
    jobs: int = 1,
    listener: Listener | None = None,
    cache: bool = True,
) -> tuple[np.ndarray, ClipsUsed]:
    """Return what :func:`compute` and :func:`report` return for a recipe on clips, each clip being made or read once.

    Raises:
        DataError: as for :func:`compute`.
    """
    from mer_lib.features.from_clips import make_all  # whoever reads maps needs no detectors

    wanted = np.array(_ids(dataset, sample_ids), dtype=object)
    array = np.empty((len(wanted), *recipe.shape), np.float32)
    facts: dict[str, Any] = dict.fromkeys(wanted)

    def take(sample_id: str, made: Made) -> None:
        array[wanted == sample_id] = made.array
        facts[sample_id] = made.facts

    make_all(recipe, _clips(recipe, dataset), list(wanted), take, jobs=jobs, listener=listener, cache=cache)
    return array, clips_used(facts)


def report(
    recipe: Recipe,
    dataset: FlowMapDataset | ClipDataset,
    sample_ids: Sequence[str] | None = None,
    *,
    jobs: int = 1,
    listener: Listener | None = None,
    cache: bool = True,
) -> ClipsUsed:
    """Return how the inputs that :func:`compute` gives came about: landmarks, apex, padding; arguments as there.

    It is read from the cache where that has them, and costs as much as computing them elsewhere.

    Raises:
        DataError: as for :func:`compute`.
        ParameterError: the recipe takes maps: of those nothing but :func:`points_used` is known.
    """
    if takes_maps(recipe):
        raise ParameterError(f"{recipe.recipe} without a motion is made of maps: expected a recipe on clips")
    from mer_lib.features.from_clips import make_all

    wanted = _ids(dataset, sample_ids)
    facts: dict[str, Any] = dict.fromkeys(wanted)

    def take(sample_id: str, made: Made) -> None:
        facts[sample_id] = made.facts

    make_all(recipe, _clips(recipe, dataset), wanted, take, jobs=jobs, listener=listener, cache=cache)
    return clips_used(facts)


def points_used(
    recipe: FourRegionMosaic, dataset: FlowMapDataset | ClipDataset, sample_ids: Sequence[str] | None = None
) -> PointsUsed:
    """How many samples of a mosaic used the constant fallback points.

    >>> from mer_lib.datasets import load
    >>> print(points_used(FourRegionMosaic(), load("toy_flow")))
    constant face points for 48 of 48 samples (flow maps carry no face to find landmarks on)
    """
    samples = len(_ids(dataset, sample_ids))
    if takes_maps(recipe):
        return PointsUsed(recipe.points_source, samples, samples)
    return PointsUsed(recipe.points_source, report(recipe, dataset, sample_ids).fallback, samples)


def inputs_digest(recipe: Recipe, dataset: FlowMapDataset | ClipDataset) -> str:
    """Return SHA-256 over ids, labels, and all that decides the inputs of a data set, as 64 hexadecimal digits.

    For a recipe on maps it is the digest of the data set. For one on clips it also covers the bytes of the frames that
    the recipe looks at, the annotation, and the code and libraries that make inputs of them; nothing is made.

    Raises:
        DataError: a frame cannot be read, or there are no clips.
    """
    if takes_maps(recipe):
        return _maps(recipe, dataset).digest
    from mer_lib.features.from_clips import keys_of

    keys = keys_of(recipe, _clips(recipe, dataset), _ids(dataset, None))
    lines = [dataset.digest, *(f"{name}={key}" for name, key in sorted(keys.items()))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def takes_maps(recipe: Recipe) -> TypeGuard[FlowMap | FourRegionMosaic]:
    """Whether a recipe is carried out on the maps that a data set has, rather than on clips."""
    return isinstance(recipe, FlowMap | FourRegionMosaic) and recipe.motion is None


def _maps(recipe: Recipe, dataset: FlowMapDataset | ClipDataset) -> FlowMapDataset:
    if isinstance(dataset, FlowMapDataset):
        return dataset
    raise ParameterError(
        f"{recipe.recipe} takes the maps of a data set, and {dataset.name} has clips: set a motion, which computes "
        "maps from frames"
    )


def _clips(recipe: Recipe, dataset: FlowMapDataset | ClipDataset) -> ClipDataset:
    if isinstance(dataset, ClipDataset):
        return dataset
    if dataset.open_clips is None:
        raise DataError(
            f"{recipe.recipe} looks at frames, and {dataset.title} has flow maps alone: expected a data set with "
            "clips, such as synthetic_demo"
        )
    return dataset.open_clips()


def _ids(dataset: FlowMapDataset | ClipDataset, sample_ids: Sequence[str] | None) -> list[str]:
    if isinstance(sample_ids, str):
        raise ParameterError(f"sample_ids: expected a list of ids, got the text {sample_ids!r}")
    return [str(name) for name in (dataset.samples["sample_id"] if sample_ids is None else sample_ids)]
