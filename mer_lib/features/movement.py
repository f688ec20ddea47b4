"""The movement from onset to apex, computed from a clip's frames: map, mosaic, and regions cut out of the map."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mer_lib.datasets import MAP_SIZE
from mer_lib.errors import DataError
from mer_lib.faces.landmarks import five_points
from mer_lib.faces.regions import regions
from mer_lib.features.cache import Made
from mer_lib.features.clip import Annotation, Clip, frames_to_apex
from mer_lib.features.maps import mosaic
from mer_lib.features.recipes import FlowMap, FourRegionMosaic, Motion, RegionCrops, Window
from mer_lib.features.regions import region_boxes
from mer_lib.features.squares import Square, square_of
from mer_lib.motion import Box, cut, strain
from mer_lib.motion.small_map import stretched

_LACKS_MESH = "{}: no face was found, and the published points outline no regions of scheme {!r}"


def frames(recipe: FlowMap | FourRegionMosaic | RegionCrops, annotation: Annotation) -> Sequence[int]:
    """Return which frames decide the input."""
    return frames_to_apex(annotation, _motion(recipe).apex)


def flow_map(recipe: FlowMap, clip: Clip) -> Made:
    """Make a :class:`FlowMap`: (3, size, size)."""
    channels, _ = movement(clip, _motion(recipe))
    return _made(scaled(resized(channels, recipe.size), _motion(recipe)), recipe.order, clip)


def four_region_mosaic(recipe: FourRegionMosaic, clip: Clip) -> Made:
    """Make a :class:`FourRegionMosaic` around the clip's own points: (3, 4 block, 4 block)."""
    channels, square = movement(clip, _motion(recipe))
    image = scaled(resized(channels, MAP_SIZE), _motion(recipe))
    boxes = region_boxes(recipe.block, recipe.legacy_swap, map_points(square))
    return _made(mosaic(image[None], boxes)[0], recipe.order, clip)


def region_crops(recipe: RegionCrops, clip: Clip) -> Made:
    """Make :class:`RegionCrops`: (3, rows x cell, columns x cell).

    Raises:
        DataError: the clip shows no face, and the scheme needs its landmarks.
    """
    channels, square = movement(clip, recipe.motion)
    image = scaled(channels, recipe.motion)
    cells = [resized(cut(image, box), recipe.cell) for box in crop_boxes(recipe, square, clip.sample_id)]
    rows, columns = recipe.grid
    laid = np.concatenate([np.concatenate(cells[i * columns : (i + 1) * columns], axis=1) for i in range(rows)])
    return _made(laid, recipe.order, clip)


def movement(clip: Clip, motion: Motion) -> tuple[np.ndarray, Square]:
    """Return u, v and the third channel on the square, float32 (side, side, 3), and the square.

    u and v are in pixels of the square from onset to apex.
    """
    onset, apex = clip.annotation.onset, clip.apex(motion.apex)
    square = square_of(clip, onset, motion.align, motion.side, no_face=motion.no_face, detector=motion.detector)
    before, after = (square.alignment.warp(clip.frame(index)) for index in (onset, apex))
    flow = square.flow(before, after, motion.flow, motion.head_motion)
    clip.facts["still"] = onset == apex
    return np.dstack([flow, _third(flow, motion)]).astype(np.float32), square


def _third(flow: np.ndarray, motion: Motion) -> np.ndarray:
    if motion.third == "strain":
        return strain(flow)
    energy = (flow**2).sum(axis=-1)
    return energy if motion.third == "energy" else np.sqrt(energy)


def resized(channels: np.ndarray, rows: int, columns: int | None = None) -> np.ndarray:
    """Resample (H, W, C): by the mean over areas where both sides shrink, else bilinearly."""
    size = (rows if columns is None else columns, rows)
    shrinks = size[0] <= channels.shape[1] and size[1] <= channels.shape[0]
    return cv2.resize(channels, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def scaled(channels: np.ndarray, motion: Motion) -> np.ndarray:
    """Stretch each channel as `motion` says, float32 (H, W, 3)."""
    if motion.scaling == "pixels":
        return channels
    return np.dstack([stretched(channel) for channel in np.moveaxis(channels, -1, 0)]).astype(np.float32)


def map_points(square: Square) -> np.ndarray:
    """Return a detector's five points, (5, 2), x then y in pixels of a 28-pixel map of the whole square."""
    points = square.alignment.points(five_points(square.face.points))
    return (points + 0.5) * MAP_SIZE / square.side - 0.5


def crop_boxes(recipe: RegionCrops, square: Square, name: str = "clip") -> list[Box]:
    """Return the rectangles of the square, in whole pixels inside of it, that are cut out.

    Raises:
        DataError: there are no landmarks, and the scheme needs them; or a region lies outside of the square.
    """
    side = square.side
    if isinstance(recipe.window, Window):
        return [_of_window(recipe.window, side)]
    points = square.mesh
    if points is None:
        if recipe.scheme != "four_windows":
            raise DataError(_LACKS_MESH.format(name, recipe.scheme))
        points = square.alignment.points(five_points(square.face.points))
    found = regions(recipe.scheme, points)
    if recipe.window is None:
        return [region.box_within(side, side) for region in found]
    return [_around(region.centre, recipe.window, side) for region in found]


def _of_window(window: Window, side: int) -> Box:
    edges = (window.x, window.y, window.x + window.width, window.y + window.height)
    left, top, right, bottom = (int(np.floor(edge * side + 0.5)) for edge in edges)
    left, top = min(left, side - 1), min(top, side - 1)
    return Box(left, top, min(max(right, left + 1), side), min(max(bottom, top + 1), side))


def _around(centre: tuple[float, float], share: float, side: int) -> Box:
    """Return the square of a share of the whole one around a point, moved inside."""
    width = max(int(np.floor(share * side + 0.5)), 1)
    left, top = (int(np.clip(np.floor(at + 0.5 - width / 2 + 0.5), 0, side - width)) for at in centre)
    return Box(left, top, left + width, top + width)


def _motion(recipe: FlowMap | FourRegionMosaic | RegionCrops) -> Motion:
    if recipe.motion is None:
        raise ValueError(f"{recipe.recipe} without a motion takes the maps of a data set, not clips")
    return recipe.motion


def _made(image: np.ndarray, order: str, clip: Clip) -> Made:
    """Lay channels first, in their order."""
    image = image[..., ::-1] if order == "svu" else image
    return Made(np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32), clip.facts)
