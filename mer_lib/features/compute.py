"""Carry out a recipe: from flow maps to the array that a model is fed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mer_lib.datasets import MAP_SIZE, FlowMapDataset
from mer_lib.features.recipes import FlowMap, FourRegionMosaic, Recipe
from mer_lib.features.regions import region_boxes


class PointsUsed(NamedTuple):
    """Where the points of a mosaic came from, to be said beside its results."""

    source: str
    fallback: int
    samples: int

    def __str__(self) -> str:
        return (
            f"{self.source} face points for {self.fallback} of {self.samples} samples "
            "(flow maps carry no face to find landmarks on)"
        )


def compute(recipe: Recipe, dataset: FlowMapDataset, sample_ids: Sequence[str] | None = None) -> np.ndarray:
    """Compute the inputs of `sample_ids`, one a sample and in their order.

    >>> from mer_lib.datasets import load
    >>> compute(FourRegionMosaic(block=7), load("toy_flow")).shape
    (48, 3, 28, 28)

    Args:
        recipe: what to compute.
        dataset: holds the maps.
        sample_ids: which samples; all, in the order of the samples table, where none are given.

    Returns:
        float32 (samples, channels, rows, columns), grey values 0 to 255: scaling is learned on training
        folds, so it is no part of a recipe.

    Raises:
        DataError: naming every id that the data set does not have.
    """
    maps = dataset.maps(sample_ids).astype(np.float32)
    if recipe.order == "svu":
        maps = maps[..., ::-1]
    images = _resampled(maps, recipe.size) if isinstance(recipe, FlowMap) else _mosaic(maps, recipe)
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))


def points_used(
    recipe: FourRegionMosaic, dataset: FlowMapDataset, sample_ids: Sequence[str] | None = None
) -> PointsUsed:
    """How many samples of a mosaic used the constant fallback points.

    >>> from mer_lib.datasets import load
    >>> print(points_used(FourRegionMosaic(), load("toy_flow")))
    constant face points for 48 of 48 samples (flow maps carry no face to find landmarks on)
    """
    samples = len(dataset.samples if sample_ids is None else sample_ids)
    return PointsUsed(recipe.points_source, samples, samples)


def _mosaic(maps: np.ndarray, recipe: FourRegionMosaic) -> np.ndarray:
    """Cut the four windows of every sample at once and lay them two by two."""
    boxes = region_boxes(recipe.block, recipe.legacy_swap)
    windows = [maps[:, box.y0 : box.y1, box.x0 : box.x1] for box in boxes]
    rows = [np.concatenate(windows[i : i + 2], axis=2) for i in (0, 2)]
    return np.concatenate(rows, axis=1)


def _resampled(maps: np.ndarray, size: int) -> np.ndarray:
    """Bilinear resampling with pixel centres aligned and borders repeated; nothing is smoothed before."""
    if size == MAP_SIZE:
        return maps
    weights = _bilinear_weights(size)
    return np.einsum("ay,bx,nyxc->nabc", weights, weights, maps, optimize=True)


def _bilinear_weights(size: int) -> np.ndarray:
    """(size, 28) float32: how much each map pixel adds to each output pixel along one axis."""
    at = np.clip((np.arange(size) + 0.5) * MAP_SIZE / size - 0.5, 0, MAP_SIZE - 1)
    distance = np.abs(at[:, None] - np.arange(MAP_SIZE))
    return np.maximum(0, 1 - distance).astype(np.float32)
