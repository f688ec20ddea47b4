"""Which recipe is carried out on clips by which functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from mer_lib.datasets.frames.source import FrameSource
from mer_lib.features import angle_image, apex_face, descriptors, magnified, movement
from mer_lib.features.cache import Made
from mer_lib.features.clip import Annotation, Clip


class Builder(NamedTuple):
    """How one kind of recipe is carried out.

    Attributes:
        frames: which frames decide the input of a clip, as its annotation tells without a look at any frame; at least
            those that `make` reads.
        make: makes the input of one clip.
    """

    frames: Callable[[Any, Annotation], Sequence[int]]
    make: Callable[[Any, Clip], Made]


#: By the name of the recipe.
BUILDERS = MappingProxyType(
    {
        "flow_map": Builder(movement.frames, movement.flow_map),
        "four_region_mosaic": Builder(movement.frames, movement.four_region_mosaic),
        "region_crops": Builder(movement.frames, movement.region_crops),
        "apex_face": Builder(apex_face.frames, apex_face.apex_face),
        "angle_image": Builder(angle_image.frames, angle_image.angle_image),
        "magnified_sequence": Builder(magnified.frames, magnified.magnified_sequence),
        "face_sequence": Builder(descriptors.sequence_frames, descriptors.face_sequence),
        "region_directions": Builder(descriptors.direction_frames, descriptors.region_directions),
    }
)


def make(recipe: Any, sample_id: str, source: FrameSource, annotation: Annotation) -> Made:
    """Make the input of one clip.

    Raises:
        MerError: it cannot be made; the message need not name the clip.
    """
    facts: dict[str, Any] = {"assumed": list(annotation.assumed)}
    return BUILDERS[recipe.recipe].make(recipe, Clip(sample_id, source, annotation, facts))
