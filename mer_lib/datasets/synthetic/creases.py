"""Creases and bulges that appear in the skin while action units pull on it: changes of light, not of place.

Optical flow assumes that a point keeps its brightness. Creases break this on purpose, as real skin does; their strength
is a parameter of the renderer, so that the assumption can be tested with and without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.interpolate import PchipInterpolator

from mer_lib.datasets.synthetic.action_units import UNITS, Unit
from mer_lib.datasets.synthetic.face_lines import FaceLines
from mer_lib.datasets.synthetic.mesh import MIRROR

if TYPE_CHECKING:
    from mer_lib.datasets.synthetic.portrait import Portrait

#: The intensity, in IOD, for which the tables below give the change of light.
REFERENCE = 0.02
# Intensity, in IOD, at which a crease has 1 - 1/e of its greatest depth.
_SATURATION = 0.03


class Place(NamedTuple):
    """A landmark of the image's left half, and a shift from it away from the midline and down, in IOD."""

    landmark: int
    lateral: float = 0.0
    down: float = 0.0


class Crease(NamedTuple):
    """A furrow along a line through places: darkest in its middle, fading towards its ends."""

    places: tuple[Place, ...]
    #: Change of the logarithm of light along its middle at the reference intensity.
    depth: float
    #: Standard deviation across, in IOD.
    width: float = 0.011


class Bulge(NamedTuple):
    """A patch of skin that turns to the light, or away from it."""

    place: Place
    #: Standard deviations across the face and up and down, in IOD.
    width: float
    height: float
    #: Change of the logarithm of light at its centre at the reference intensity; negative is darker.
    gain: float


def _forehead(landmark: int, heights: tuple[float, ...], half: float, depth: float) -> tuple[Crease, ...]:
    """Level lines across the forehead above a landmark of the brow."""
    return tuple(
        Crease(
            (
                Place(landmark, -half, height + 0.01),
                Place(landmark, 0, height - 0.01),
                Place(landmark, half, height + 0.02),
            ),
            depth,
        )
        for height in heights
    )


def _nasolabial(depth: float, width: float = 0.015) -> Crease:
    """The fold from the wing of the nose to beside the corner of the mouth."""
    return Crease(
        (Place(129, 0.03, 0.0), Place(203, 0.08, 0.06), Place(206, 0.07, 0.02), Place(216, 0.05, 0.03)), depth, width
    )


# Small hollows of a wrinkled chin: shifts from landmark 201, lateral and down.
_CHIN_HOLLOWS = ((-0.06, 0.02), (0.03, 0.05), (-0.10, 0.10), (-0.01, 0.13), (0.06, 0.14))

#: What appears with each unit, on the image's left half.
MARKS: Mapping[int, tuple[Crease | Bulge, ...]] = MappingProxyType(
    {
        1: _forehead(107, (-0.14, -0.24, -0.34), 0.21, 0.07),
        2: _forehead(105, (-0.13, -0.22), 0.22, 0.05),
        4: (
            Crease((Place(107, -0.13, -0.10), Place(107, -0.16, 0.03), Place(107, -0.14, 0.14)), 0.12, 0.013),
            Bulge(Place(107), 0.14, 0.09, -0.035),
        ),
        5: (Crease((Place(33, -0.04, -0.06), Place(159, 0, -0.075), Place(133, 0.04, -0.06)), 0.04, 0.010),),
        6: (
            *(
                Crease(
                    (Place(226, 0.03, 0.06 * a), Place(226, 0.10, 0.13 * a), Place(226, 0.17, 0.22 * a)), 0.08, 0.009
                )
                for a in (-0.4, 0.1, 0.6)
            ),
            Crease((Place(133, 0.02, 0.10), Place(145, 0, 0.12), Place(33, 0, 0.10)), 0.06, 0.013),
            Bulge(Place(50, -0.08, -0.06), 0.20, 0.12, 0.04),
        ),
        7: (Crease((Place(133, 0.02, 0.06), Place(145, 0, 0.075), Place(33, 0, 0.06)), 0.07, 0.012),),
        9: (
            *(
                Crease((Place(122, -0.06, t), Place(122, 0.02, t - 0.02), Place(122, 0.10, t - 0.06)), 0.09, 0.010)
                for t in (-0.03, 0.04, 0.11)
            ),
            _nasolabial(0.06),
            Crease((Place(107, -0.14, 0.08), Place(107, -0.15, 0.16)), 0.06, 0.012),
        ),
        10: (_nasolabial(0.11, 0.018), Bulge(Place(203, 0.12, 0.0), 0.08, 0.12, 0.03)),
        12: (
            _nasolabial(0.08),
            Bulge(Place(50, -0.05, 0.06), 0.22, 0.14, 0.035),
            Crease((Place(61, 0.07, -0.06), Place(61, 0.085, 0.0), Place(61, 0.06, 0.07)), 0.05, 0.013),
        ),
        14: (
            Bulge(Place(61, 0.085, -0.01), 0.028, 0.06, -0.11),
            Crease((Place(61, 0.07, -0.10), Place(61, 0.10, 0.0), Place(61, 0.07, 0.10)), 0.05, 0.012),
        ),
        15: (
            Crease((Place(61, 0.03, 0.03), Place(61, 0.07, 0.12), Place(61, 0.07, 0.20)), 0.09, 0.014),
            Bulge(Place(61, 0.04, 0.07), 0.06, 0.04, -0.04),
        ),
        17: (
            Crease((Place(18, 0.0, 0.035), Place(83, 0.0, 0.045), Place(182, 0.02, 0.06)), 0.08, 0.018),
            *(Bulge(Place(201, a, b), 0.024, 0.022, -0.035) for a, b in _CHIN_HOLLOWS),
        ),
        20: (Crease((Place(61, 0.09, -0.06), Place(61, 0.12, 0.03), Place(61, 0.10, 0.13)), 0.06, 0.014),),
        23: (
            Bulge(Place(37, 0.08, -0.05), 0.16, 0.025, -0.05),
            Bulge(Place(84, 0.08, 0.04), 0.16, 0.025, -0.05),
            *(Crease((Place(37, a, -0.03), Place(37, a, 0.05)), 0.05, 0.008) for a in (0.0, 0.08, 0.16)),
        ),
        24: (Bulge(Place(13, 0.10, 0.0), 0.20, 0.025, -0.08), Bulge(Place(84, 0.08, 0.06), 0.18, 0.03, -0.05)),
        25: (Bulge(Place(84, 0.08, 0.05), 0.18, 0.03, -0.04),),
        26: (Bulge(Place(18, 0.0, 0.02), 0.22, 0.05, -0.03),),
    }
)


def strength(intensity: np.ndarray) -> np.ndarray:
    """How deep creases are at an intensity, relative to the reference: 0 at rest, growing ever more slowly.

    >>> strength(np.array([0.0, 0.01, 0.02, 0.08])).round(2)
    array([0.  , 0.58, 1.  , 1.91])

    Args:
        intensity: in IOD; negative values count as none.
    """
    reached = 1 - np.exp(-np.maximum(intensity, 0) / _SATURATION)
    return reached / (1 - np.exp(-REFERENCE / _SATURATION))


def crease_maps(portrait: Portrait) -> np.ndarray:
    """The change of light of each unit on a neutral face.

    Returns:
        float32 (34, size, size), change of the logarithm of light at the reference intensity, in the order of UNITS.
    """
    maps = np.zeros((len(UNITS), portrait.size, portrait.size), np.float32)
    artist = _Artist(portrait)
    for picture, unit in zip(maps, UNITS, strict=True):
        for mark in MARKS.get(unit.number, ()):
            artist.draw(picture, mark, unit)
    return maps


class _Artist:
    """Draws marks on one face."""

    def __init__(self, portrait: Portrait) -> None:
        self.landmarks = np.asarray(portrait.landmarks, dtype=np.float64)
        self.iod = float(portrait.iod)
        self.midline = FaceLines.of(self.landmarks).midline

    def draw(self, picture: np.ndarray, mark: Crease | Bulge, unit: Unit) -> None:
        """Add a mark to `picture` (H, W)."""
        if isinstance(mark, Crease):
            points = np.array([self._point(place, unit.side) for place in mark.places])
            self._crease(picture, points, mark)
        else:
            self._bulge(picture, mark, unit.side)

    def _point(self, place: Place, side: int) -> np.ndarray:
        landmark = place.landmark if side < 0 else MIRROR[place.landmark]
        return self.landmarks[landmark] + self.iod * np.array([side * place.lateral, place.down])

    def _crease(self, picture: np.ndarray, points: np.ndarray, crease: Crease) -> None:
        width = max(crease.width * self.iod, 0.7)
        line, taper = _trace(points, width)
        part, x, y = _around(picture, line.min(axis=0) - 3 * width, line.max(axis=0) + 3 * width)
        squared = (x[..., None] - line[:, 0]) ** 2 + (y[..., None] - line[:, 1]) ** 2
        hollow = (taper * np.exp(-squared / (2 * width**2))).max(axis=-1, initial=0.0)
        picture[part] -= crease.depth * hollow

    def _bulge(self, picture: np.ndarray, bulge: Bulge, side: int) -> None:
        centre = self._point(bulge.place, side)
        widths = self.iod * np.array([bulge.width, bulge.height])
        part, x, y = _around(picture, centre - 4 * widths, centre + 4 * widths)
        hill = np.exp(-(((x - centre[0]) / widths[0]) ** 2 + ((y - centre[1]) / widths[1]) ** 2) / 2)
        on_side = np.clip(0.5 + side * (x - self.midline) / (0.1 * self.iod), 0, 1)
        picture[part] += bulge.gain * hill * on_side


def _trace(points: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """A smooth line through points (N, 2), closely sampled, and how deep the furrow is along it (0 to 1)."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    samples = np.linspace(0, along[-1], max(8, int(2 * along[-1] / width)))
    line = np.stack([PchipInterpolator(along, points[:, axis])(samples) for axis in (0, 1)], axis=1)
    return line, np.sin(np.pi * (0.06 + 0.88 * samples / along[-1]))


def _around(
    picture: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[tuple[slice, slice], np.ndarray, np.ndarray]:
    """The part of a picture between two corners (x, y), as an index, and the coordinates of its pixels."""
    height, width = picture.shape
    left, top = np.clip(np.floor(low).astype(int), 0, (width, height))
    right, bottom = np.clip(np.ceil(high).astype(int) + 1, 0, (width, height))
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    return (slice(top, bottom), slice(left, right)), x, y
