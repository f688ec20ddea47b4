"""The action units of FACS: what each does to a face, as data. The fields are computed in :mod:`expression`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

#: The units that a synthetic face can move, by their numbers in the Facial Action Coding System (FACS).
ACTION_UNITS: tuple[int, ...] = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26)


class Unit(NamedTuple):
    """An action unit of one half of the face."""

    #: Its number in FACS.
    number: int
    #: -1: the image's left half, the subject's right; +1: the image's right half, the subject's left.
    side: int


#: All 34 units, in the order of every array of units.
UNITS: tuple[Unit, ...] = tuple(Unit(number, side) for number in ACTION_UNITS for side in (-1, 1))

#: The name of each unit in FACS, and its muscle.
NAMES: Mapping[int, str] = MappingProxyType(
    {
        1: "inner brow raiser (frontalis, medial part)",
        2: "outer brow raiser (frontalis, lateral part)",
        4: "brow lowerer (corrugator supercilii, depressor supercilii)",
        5: "upper lid raiser (levator palpebrae superioris)",
        6: "cheek raiser (orbicularis oculi, orbital part)",
        7: "lid tightener (orbicularis oculi, palpebral part)",
        9: "nose wrinkler (levator labii superioris alaeque nasi)",
        10: "upper lip raiser (levator labii superioris)",
        12: "lip corner puller (zygomaticus major)",
        14: "dimpler (buccinator)",
        15: "lip corner depressor (depressor anguli oris)",
        17: "chin raiser (mentalis)",
        20: "lip stretcher (risorius)",
        23: "lip tightener (orbicularis oris)",
        24: "lip pressor (orbicularis oris)",
        25: "lips part (depressor labii inferioris, or relaxed mentalis)",
        26: "jaw drop (relaxed masseter)",
    }
)

#: Greatest intensity of each unit in IOD: at most 60 % of that at which a cell of the grid shrinks to a tenth of its
#: area on the least favourable of several faces, and no more than faces show. With the units of any combination in
#: :mod:`emotions` at their limits together, every cell keeps a fifth of its area, so that the warp stays one-to-one.
LIMIT: Mapping[int, float] = MappingProxyType(
    {
        1: 0.08,
        2: 0.08,
        4: 0.08,
        5: 0.06,
        6: 0.08,
        7: 0.035,
        9: 0.07,
        10: 0.08,
        12: 0.09,
        14: 0.06,
        15: 0.08,
        17: 0.08,
        20: 0.09,
        23: 0.055,
        24: 0.055,
        25: 0.08,
        26: 0.10,
    }
)

Layer = Literal["skin", "upper lip", "lower lip", "upper lid", "lower lid"]


class Patch(NamedTuple):
    """A hill of displacement around a place of the face, given for the image's left half (side -1).

    The layers `upper lip` and `lower lip` move on one side of the mouth line only, most in its middle and not at all
    at its ends, so that the lips part there. `upper lid` and `lower lid` move the edge of a lid with the skin beside
    it; such a patch has no widths, since its shape is that of the eye.
    """

    #: Landmarks whose mean is the centre.
    anchor: tuple[int, ...]
    #: Displacement at the centre, away from the midline, before a unit's field is scaled to a peak of 1 IOD.
    lateral: float
    #: Displacement at the centre, downwards.
    down: float
    #: Standard deviation of the hill across the face, in IOD.
    width: float = 0.0
    #: Standard deviation of the hill up and down, in IOD.
    height: float = 0.0
    #: What it moves.
    layer: Layer = "skin"


#: What each unit does. Landmarks are those of the mesh, on the image's left half.
PATCHES: Mapping[int, tuple[Patch, ...]] = MappingProxyType(
    {
        1: (
            Patch((107, 55, 66), 0.05, -1.0, 0.19, 0.14),
            Patch((108, 69), 0.02, -0.60, 0.22, 0.18),
            Patch((), 0.0, -0.12, layer="upper lid"),
        ),
        2: (
            Patch((70, 63, 105), 0.05, -1.0, 0.23, 0.15),
            Patch((104, 68), 0.0, -0.50, 0.24, 0.17),
            Patch((), 0.0, -0.15, layer="upper lid"),
        ),
        4: (
            Patch((107, 55), -0.50, 0.90, 0.17, 0.15),
            Patch((105, 52), -0.20, 0.55, 0.22, 0.15),
            Patch((9,), 0.0, 0.40, 0.17, 0.15),
            Patch((), 0.0, 0.15, layer="upper lid"),
        ),
        5: (Patch((), 0.0, -1.0, layer="upper lid"),),
        6: (
            Patch((101, 118, 50), 0.05, -0.85, 0.26, 0.18),
            Patch((226, 35), -0.45, -0.05, 0.15, 0.16),
            Patch((), 0.0, -0.25, layer="lower lid"),
            Patch((), 0.0, 0.10, layer="upper lid"),
        ),
        7: (
            Patch((), 0.0, -1.0, layer="lower lid"),
            Patch((), 0.0, 0.35, layer="upper lid"),
            Patch((118, 101), 0.0, -0.25, 0.20, 0.14),
        ),
        9: (
            Patch((48, 64, 129), 0.12, -0.85, 0.15, 0.15),
            Patch((122, 6, 193), 0.0, 0.30, 0.13, 0.14),
            Patch((36,), 0.0, -0.40, 0.18, 0.16),
            Patch((37, 39), 0.0, -0.35, 0.16, 0.10),
            Patch((107, 55), -0.10, 0.40, 0.17, 0.14),
            Patch((), 0.0, -0.20, layer="lower lid"),
        ),
        10: (
            Patch((81,), 0.03, -0.70, 0.20, 0.16, "upper lip"),
            Patch((39, 40), 0.05, -0.35, 0.16, 0.14),
            Patch((203, 129, 206), 0.20, -0.60, 0.16, 0.17),
        ),
        12: (
            Patch((61,), 0.65, -0.90, 0.17, 0.15),
            Patch((205, 207, 187), 0.20, -0.45, 0.25, 0.21),
            Patch((39, 181), 0.30, 0.05, 0.17, 0.17),
        ),
        14: (
            Patch((61,), 0.85, -0.05, 0.14, 0.12),
            Patch((212, 216), -0.45, -0.05, 0.16, 0.17),
            Patch((39,), 0.12, 0.25, 0.15, 0.08),
            Patch((181,), 0.12, -0.25, 0.15, 0.08),
        ),
        15: (
            Patch((61,), 0.12, 0.95, 0.16, 0.15),
            Patch((204, 211), 0.05, 0.45, 0.18, 0.17),
        ),
        17: (
            Patch((201, 208), 0.0, -0.95, 0.23, 0.17),
            Patch((84,), 0.0, -0.70, 0.20, 0.11),
            Patch((37,), 0.0, -0.25, 0.18, 0.10),
            Patch((61,), 0.0, 0.15, 0.14, 0.13),
        ),
        20: (
            Patch((61,), 0.95, 0.15, 0.21, 0.15),
            Patch((212, 214), 0.50, 0.10, 0.20, 0.20),
            Patch((39, 181), 0.45, 0.0, 0.17, 0.17),
        ),
        23: (
            Patch((61,), -0.60, 0.0, 0.17, 0.15),
            Patch((37, 39, 165, 167), -0.15, 0.65, 0.19, 0.12),
            Patch((84, 181, 83, 182), -0.15, -0.65, 0.19, 0.12),
        ),
        24: (
            Patch((37, 39, 165, 167), 0.0, 0.70, 0.20, 0.12),
            Patch((84, 181, 83, 182), 0.0, -0.80, 0.20, 0.12),
        ),
        25: (
            Patch((82, 81), 0.0, -0.35, 0.24, 0.14, "upper lip"),
            Patch((87, 178), 0.0, 0.95, 0.24, 0.17, "lower lip"),
        ),
        26: (
            Patch((148, 176), 0.0, 1.0, 0.44, 0.35),
            Patch((82, 81), 0.0, -0.25, 0.26, 0.20, "upper lip"),
            Patch((87, 178), 0.0, 0.65, 0.26, 0.22, "lower lip"),
        ),
    }
)
