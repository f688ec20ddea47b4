"""From the maps that a data set has to the array that a model is fed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mer_lib.datasets import MAP_SIZE, FlowMapDataset
from mer_lib.features.recipes import FlowMap, FourRegionMosaic
from mer_lib.features.regions import Region, region_boxes


def from_maps(
    recipe: FlowMap | FourRegionMosaic, dataset: FlowMapDataset, sample_ids: Sequence[str] | None
) -> np.ndarray:
    """Return float32 (samples, 3, rows, columns), 0 to 255, in the order of `sample_ids`.

    Raises:
        DataError: naming every id that the data set does not have.
    """
    maps = dataset.maps(sample_ids).astype(np.float32)
    if recipe.order == "svu":
        maps = maps[..., ::-1]
    if isinstance(recipe, FlowMap):
        images = _resampled(maps, recipe.size)
    else:
        images = mosaic(maps, region_boxes(recipe.block, recipe.legacy_swap))
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))


def mosaic(maps: np.ndarray, boxes: Sequence[Region]) -> np.ndarray:
    """Cut the four windows of every map (N, H, W, C) at once and lay them two by two."""
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
