"""What handcrafted descriptors look at: a grey sequence, and the main directions of face regions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mer_lib.faces.regions import muscle_regions
from mer_lib.features.cache import Made
from mer_lib.features.clip import Annotation, Clip, known_apex
from mer_lib.features.descriptor_recipes import FaceSequence, RegionDirections
from mer_lib.features.squares import Square, square_of
from mer_lib.motion import grey8
from mer_lib.motion.main_direction import main_direction
from mer_lib.motion.time_interpolation import time_interpolated


def sequence_frames(recipe: FaceSequence, annotation: Annotation) -> Sequence[int]:
    """Return which frames decide the input: all from the onset on, and those that the apex is spotted in."""
    last = _known_end(recipe, annotation)
    return range(annotation.onset, (annotation.offset if last is None else last) + 1)


def face_sequence(recipe: FaceSequence, clip: Clip) -> Made:
    """Make a :class:`FaceSequence`: uint8 (frames, 1, size, size)."""
    onset, last = clip.annotation.onset, _end(recipe, clip)
    square = square_of(clip, onset, recipe.align, recipe.size, no_face=recipe.no_face)
    chosen = moments(onset, last, recipe.frames)
    clip.facts.update(still=onset == last, repeated=recipe.frames - len(set(chosen)))
    if recipe.interpolation == "nearest":
        return Made(np.stack([_grey(clip, square, index) for index in chosen])[:, None], clip.facts)
    seen = np.stack([square.alignment.warp(grey8(frame)) for frame in clip.stream(onset, last + 1)])
    # Whole grey values: what rounding leaves must not decide which of two equal pixels is the brighter one.
    between = np.rint(time_interpolated(seen, recipe.frames)).clip(0, 255).astype(np.uint8)
    return Made(between[:, None], clip.facts)


def direction_frames(recipe: RegionDirections, annotation: Annotation) -> Sequence[int]:
    """Return which frames decide the input: the onset and the moments, or all where the apex has to be spotted."""
    last = _known_end(recipe, annotation)
    if last is None:
        return range(annotation.onset, annotation.offset + 1)
    return sorted(set(moments(annotation.onset, last, recipe.frames + 1)))


def region_directions(recipe: RegionDirections, clip: Clip) -> Made:
    """Make :class:`RegionDirections`: float32 (2, regions, frames).

    Raises:
        DataError: the onset frame shows no face.
    """
    onset, last = clip.annotation.onset, _end(recipe, clip)
    square = square_of(clip, onset, recipe.align, recipe.side, no_face=recipe.no_face)
    masks = [
        region.mask(recipe.side, recipe.side) for region in muscle_regions(square.alignment.points(square.face.points))
    ]
    first, *later = moments(onset, last, recipe.frames + 1)
    clip.facts.update(still=onset == last, repeated=recipe.frames - len(set(later)))
    before = _grey(clip, square, first)
    by_frame = {index: _directions(recipe, square, before, _grey(clip, square, index), masks) for index in set(later)}
    return Made(np.stack([by_frame[index] for index in later], axis=-1).astype(np.float32), clip.facts)


def moments(first: int, last: int, count: int) -> list[int]:
    """Return `count` frames at equal distances, both ends among them.

    >>> moments(10, 14, 5), moments(10, 12, 4)
    ([10, 11, 12, 13, 14], [10, 11, 11, 12])
    """
    return [int(index) for index in np.floor(np.linspace(first, last, count) + 0.5)]


def _directions(
    recipe: RegionDirections, square: Square, before: np.ndarray, after: np.ndarray, masks: Sequence[np.ndarray]
) -> np.ndarray:
    """Return u and v of every region, (2, regions); 0 where a region has no pixel inside of the square."""
    flow = square.flow(before, after, recipe.flow, recipe.head_motion)
    return np.nan_to_num([main_direction(flow[mask], recipe.sectors) for mask in masks]).T


def _grey(clip: Clip, square: Square, index: int) -> np.ndarray:
    return square.alignment.warp(grey8(clip.frame(index)))


def _known_end(recipe: FaceSequence | RegionDirections, annotation: Annotation) -> int | None:
    """Return the last frame that is looked at, None where it has to be spotted."""
    return annotation.offset if recipe.until == "offset" else known_apex(annotation, recipe.apex)


def _end(recipe: FaceSequence | RegionDirections, clip: Clip) -> int:
    return clip.annotation.offset if recipe.until == "offset" else clip.apex(recipe.apex)
