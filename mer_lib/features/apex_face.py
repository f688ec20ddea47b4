"""One frame of the face: the input of CapsuleNet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mer_lib.features.cache import Made
from mer_lib.features.clip import Annotation, Clip, frames_to_apex
from mer_lib.features.recipes import ApexFace
from mer_lib.features.squares import square_of
from mer_lib.motion import grey8


def frames(recipe: ApexFace, annotation: Annotation) -> Sequence[int]:
    """Return which frames decide the input."""
    if recipe.frame == "onset":
        return [annotation.onset]
    return frames_to_apex(annotation, recipe.apex)


def apex_face(recipe: ApexFace, clip: Clip) -> Made:
    """Make an :class:`ApexFace`: (3, size, size) RGB or (1, size, size) grey, 0 to 255."""
    index = clip.annotation.onset if recipe.frame == "onset" else clip.apex(recipe.apex)
    square = square_of(clip, index, recipe.align, recipe.size, no_face=recipe.no_face, margin=recipe.margin)
    image = square.alignment.warp(clip.frame(index))
    channels = grey8(image)[None] if recipe.grey else image.transpose(2, 0, 1)
    return Made(np.ascontiguousarray(channels), clip.facts)
