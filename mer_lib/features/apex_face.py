"""One frame of the face, with those beside it, or what has changed in it: the input of CapsuleNet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mer_lib.apex.light import evened
from mer_lib.apex.registration import registered
from mer_lib.faces.alignment import Alignment
from mer_lib.faces.regions import stable_mask
from mer_lib.features.cache import Made
from mer_lib.features.clip import Annotation, Clip, frames_to_apex, known_apex
from mer_lib.features.recipes import ApexFace
from mer_lib.features.squares import square_of
from mer_lib.motion import grey8


def frames(recipe: ApexFace, annotation: Annotation) -> Sequence[int]:
    """Return which frames decide the input."""
    if recipe.frame == "onset":
        return sorted(set(views(recipe, annotation, annotation.onset)))
    apex = known_apex(annotation, recipe.apex)
    if apex is None:
        return frames_to_apex(annotation, recipe.apex)
    return sorted({annotation.onset, *views(recipe, annotation, apex)})


def views(recipe: ApexFace, annotation: Annotation, index: int) -> list[int]:
    """Return the index of the frame of each view: `index`, then those beside it, at most onset and offset.

    >>> views(ApexFace(neighbours=4), Annotation(n_frames=9, fps=None, onset=2, apex=3, offset=8), 3)
    [3, 2, 4, 2, 5]
    """
    steps = [step for reach in range(1, recipe.neighbours + 1) for step in (-reach, reach)][: recipe.neighbours]
    low, high = min(annotation.onset, index), max(annotation.offset, index)
    return [min(max(index + step, low), high) for step in (0, *steps)]


def apex_face(recipe: ApexFace, clip: Clip) -> Made:
    """Make an :class:`ApexFace`: RGB or grey, 0 to 255, or differences, -255 to 255."""
    onset = clip.annotation.onset
    index = onset if recipe.frame == "onset" else clip.apex(recipe.apex)
    changes = recipe.frame == "difference"
    where = onset if changes else index
    square = square_of(clip, where, recipe.align, recipe.size, no_face=recipe.no_face, margin=recipe.margin)
    shown = views(recipe, clip.annotation, index)
    images = [_change(recipe, clip, i, square.alignment) if changes else clip.frame(i) for i in shown]
    cut = [_channels(recipe, image if changes else square.alignment.warp(image)) for image in images]
    array = np.stack(cut) if recipe.neighbours else cut[0]
    return Made(np.ascontiguousarray(array), clip.facts)


def _channels(recipe: ApexFace, image: np.ndarray) -> np.ndarray:
    """Return an image (side, side) or (side, side, 3) with its channels first."""
    if recipe.grey and image.ndim == 3:
        image = grey8(image)
    return image[None] if image.ndim == 2 else image.transpose(2, 0, 1)


def _change(recipe: ApexFace, clip: Clip, index: int, alignment: Alignment) -> np.ndarray:
    """Return a frame minus the onset, float32 (side, side) or (side, side, 3), -255 to 255, in the onset's square."""
    onset = clip.annotation.onset
    pair = np.stack([clip.frame(onset), clip.frame(index)])
    pair = np.stack([grey8(frame) for frame in pair]) if recipe.grey else pair
    points = clip.mesh(onset)
    if points is not None and index != onset:
        pair = pair.astype(np.float32) / 255
        still = registered(pair, points) if recipe.head_motion == "removed" else pair
        pair = 255 * _evened(still, stable_mask(points, *pair.shape[1:3]))
    first, second = (alignment.warp(np.ascontiguousarray(frame, np.float32)) for frame in pair)
    return second - first


def _evened(pair: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Return both frames with the second as bright as the first in the part `where`, channel by channel."""
    if pair.ndim == 3:
        return evened(pair, where)
    return np.stack([evened(channel, where) for channel in np.moveaxis(pair, -1, 0)], axis=-1)
