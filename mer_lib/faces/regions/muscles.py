"""The 42 muscle regions: 21 pairs of polygons of the face mesh, kept as data in `muscle_regions.yaml`."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import NamedTuple

import numpy as np
import yaml

from mer_lib.datasets.synthetic.mesh import MIRROR
from mer_lib.faces.regions.region import Region, checked_mesh


class MusclePair(NamedTuple):
    """A pair of muscle regions.

    Attributes:
        name: without its side.
        muscle: what lies under the skin there.
        outline: landmarks around the region in the image's left half.
    """

    name: str
    muscle: str
    outline: tuple[int, ...]


@lru_cache
def muscle_pairs() -> tuple[MusclePair, ...]:
    """Return the 21 pairs, from top to bottom.

    >>> muscle_pairs()[0].name, len(muscle_pairs())
    ('upper forehead', 21)
    """
    text = resources.files("mer_lib.faces.regions").joinpath("muscle_regions.yaml").read_text(encoding="utf-8")
    return tuple(MusclePair(pair["name"], pair["muscle"], tuple(pair["outline"])) for pair in yaml.safe_load(text))


def muscle_regions(points: np.ndarray) -> tuple[Region, ...]:
    """Return the 42 regions, from top to bottom, the left one of a pair before the right one.

    They share edges but no pixel as long as the mesh does not fold, as it does where a head is turned far aside.

    Args:
        points: (478, 2) landmarks in pixels. Left and right are those of the image.

    Raises:
        ParameterError: `points` are no finite landmarks of the mesh.

    Source: Mishin, "Classification of micro-expressions based on optical flow with regard to gender", 2025, uses 42
    regions that follow the main muscles of the face and does not list them; these are drawn after anatomy.
    """
    points = checked_mesh(points)
    return tuple(region for pair in muscle_pairs() for region in _both(pair, points))


def _both(pair: MusclePair, points: np.ndarray) -> tuple[Region, Region]:
    outline = np.array(pair.outline)
    return (
        Region(f"left {pair.name}", points[outline], "left"),
        Region(f"right {pair.name}", points[MIRROR[outline]], "right"),
    )
