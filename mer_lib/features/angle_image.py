"""The direction in which each muscle region moves, frame by frame: Mishin's pseudo-image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, pairwise

import cv2
import numpy as np

from mer_lib.faces.regions import muscle_regions
from mer_lib.faces.regions.row_order import row_order
from mer_lib.features.cache import Made
from mer_lib.features.clip import Annotation, Clip, known_apex
from mer_lib.features.sequence_recipes import NO_MOTION, AngleImage
from mer_lib.features.squares import Square, square_of
from mer_lib.motion import grey8
from mer_lib.motion.polar import RegionMotion, angle_grey, region_motion, sector_grey, sectors

Mapping = Callable[[np.ndarray], np.ndarray]


def frames(recipe: AngleImage, annotation: Annotation) -> Sequence[int]:
    """Return which frames decide the input: the window, or all where the apex has to be spotted."""
    apex = known_apex(annotation, recipe.apex)
    if apex is None:
        return range(annotation.n_frames)
    there = window(recipe, annotation, apex)
    return there if recipe.since == "previous" else sorted({annotation.onset, *there})


def window(recipe: AngleImage, annotation: Annotation, apex: int) -> range:
    """Return the frames of the window that the clip has; of several, from the first to the last."""
    start = apex - recipe.columns_to_apex
    return range(max(start, 0), min(start + recipe.columns + 1, annotation.n_frames))


def angle_image(recipe: AngleImage, clip: Clip) -> Made:
    """Make an :class:`AngleImage`: (1 or 3, regions, frames), with windows before them where there are several.

    Raises:
        DataError: the window's first frame shows no face.
    """
    apex = clip.apex(recipe.apex)
    there = window(recipe, clip.annotation, apex)
    square = square_of(clip, there[0], recipe.align, recipe.side, no_face=recipe.no_face)
    image = np.full((recipe.sample_shape[0], recipe.regions, recipe.columns), _still(recipe), np.float32)
    first = there[0] - apex + recipe.columns_to_apex
    for column, moved in enumerate(_motions(recipe, clip, square, there), start=first):
        image[:, :, column] = coded(moved, recipe)
    known = np.zeros(recipe.columns, bool)
    known[first : first + len(there) - 1] = True
    shares = _windows(known, recipe).mean(axis=-1)
    clip.facts.update(padded=1 - float(shares.mean()), clipped=int((shares < 1).sum()))
    return Made(_windows(image[:, row_order(recipe.rows)], recipe).reshape(recipe.shape), clip.facts)


def _windows(columns: np.ndarray, recipe: AngleImage) -> np.ndarray:
    """Cut (..., columns) into (windows, ..., frames)."""
    starts = range(0, recipe.windows * recipe.stride, recipe.stride)
    return np.stack([columns[..., start : start + recipe.frames] for start in starts])


def coded(moved: RegionMotion, recipe: AngleImage) -> np.ndarray:
    """Return one column, float32 (channels, regions): what moved in each region from one frame to the next."""
    # The length belongs to the angle: noise, whose vectors point anywhere, has a mean length and no mean vector.
    circular = recipe.mean == "circular"
    angle, length = (moved.circular, np.hypot(*moved.vector.T)) if circular else (moved.arithmetic, moved.magnitude)
    still = ~(length >= recipe.threshold) | np.isnan(angle)
    angle = np.where(still, 0.0, angle)
    if recipe.coding == "grey":
        return np.where(still, NO_MOTION, _grey(angle, recipe))[None]
    if recipe.sectors is not None:
        angle = sectors(angle, recipe.sectors, recipe.half_sector) * (2 * np.pi / recipe.sectors)
    return np.where(still, 0.0, np.stack([np.cos(angle), np.sin(angle), length]))


def _grey(angle: np.ndarray, recipe: AngleImage) -> np.ndarray:
    if recipe.sectors is None:
        return angle_grey(angle)
    return sector_grey(sectors(angle, recipe.sectors, recipe.half_sector), recipe.sectors)


def _still(recipe: AngleImage) -> float:
    return NO_MOTION if recipe.coding == "grey" else 0.0


def _motions(recipe: AngleImage, clip: Clip, square: Square, there: range) -> Iterator[RegionMotion]:
    """Yield the movement of all regions up to each frame but the window's first."""
    landmarks = square.alignment.points(square.face.points)
    masks = [region.mask(recipe.side, recipe.side) for region in muscle_regions(landmarks)]
    squares = _squares(recipe, clip, square, there)
    if recipe.since == "previous":
        pairs: Iterator[tuple[np.ndarray, np.ndarray]] = pairwise(squares)
    else:
        onset = next(_squares(recipe, clip, square, range(clip.annotation.onset, clip.annotation.onset + 1)))
        pairs = ((onset, after) for after in islice(squares, 1, None))
    for before, after in pairs:
        yield region_motion(square.flow(before, after, recipe.flow, recipe.head_motion), masks)


def _squares(recipe: AngleImage, clip: Clip, square: Square, there: range) -> Iterator[np.ndarray]:
    """Yield the frames as they go into the flow: uint8 (side, side) grey."""
    equalised = _equaliser(recipe, clip, square)
    for frame in clip.stream(there.start, there.stop):
        yield square.alignment.warp(equalised(grey8(frame)))


def _equaliser(recipe: AngleImage, clip: Clip, square: Square) -> Mapping:
    if recipe.equalise == "none":
        return lambda grey: grey
    if recipe.equalise == "frame":
        return cv2.equalizeHist
    table = _flattening(square.alignment.warp(grey8(clip.frame(square.index))))
    return lambda grey: cv2.LUT(grey, table)


def _flattening(face: np.ndarray) -> np.ndarray:
    """Return which grey value each becomes, uint8 (256,), so that those of `face` are spread evenly."""
    below = np.cumsum(np.bincount(face.ravel(), minlength=256))
    least = below[below > 0][0]
    return np.floor(255 * (below - least).clip(0) / max(below[-1] - least, 1) + 0.5).astype(np.uint8)
