"""Hair styles: which locks make which head of hair.

Hair stays above the brows and beside the cheeks: action units move what lies between.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mer_lib.datasets.synthetic.drawing import spline
from mer_lib.datasets.synthetic.hair import Lock
from mer_lib.datasets.synthetic.identity import HairStyle, Identity

# Height (IOD) where hair begins above the middle of an average forehead; the frame ends at about -1.3.
_HAIRLINE = -0.90
# Lowest that hair hangs onto a forehead, above every brow.
_ABOVE_BROWS = -0.54
_TOP = -1.68


def back_hair(mesh: np.ndarray, person: Identity) -> list[Lock]:
    """Locks behind neck and ears."""
    half = _half_width(mesh)
    if person.hair_style in ("long", "bob"):
        end, outer = _length(person), 1.13 * half + 0.04 * person.wave
        across = np.linspace(-1, 1, 9)
        curves = [
            [(0.8 * u * outer, -0.9), (u * outer, -0.2), (u * outer, 0.5), (0.97 * u * outer, end + 0.3 * (end > 2))]
            for u in across
        ]
        return [Lock(np.array(curves), 700, 0.05, 0.03 * person.wave, coat=0.12, shade=0.75)]
    if person.hair_style == "curly":
        return [_cloud(half, person, 0.75)]
    # Short hair shows behind the ears.
    reach = 0.02 if person.hair_style in ("bald", "tied") else 0.05
    locks = []
    for side in (-1, 1):
        rows = np.linspace(-0.5, 0.22, 6)
        curves = [[(side * (half - 0.1), y), (side * half, y), (side * (half + reach), y + 0.06)] for y in rows]
        locks.append(Lock(np.array(curves), 260, 0.02, coat=0.03, shade=0.75))
    return locks


def front_hair(mesh: np.ndarray, person: Identity) -> list[Lock]:
    """Locks in front of forehead, temples and ears."""
    return _STYLES[person.hair_style](mesh, person)


def _half_width(mesh: np.ndarray) -> float:
    return float(mesh[454, 0] - mesh[234, 0]) / 2


def _line(person: Identity) -> float:
    return _HAIRLINE - person.hairline - 0.8 * person.forehead_height


def _length(person: Identity) -> float:
    return 2.4 if person.hair_style == "long" else 1.15 + 0.25 * person.wave


def _cap(half: float, line: float, temple: float, low: float, thick: float, slant: float = 0.0) -> np.ndarray:
    """Guides (25, 4, 2) from the hairline to the hair's outline.

    Args:
        half: half the face's width.
        line: height of the hairline in the middle.
        temple: how far the hairline recedes between middle and temples.
        low: y where hair ends beside the ears.
        thick: how far the hair stands out beyond the head above the ears.
        slant: how far the tips of the front lie to one side.
    """
    right = [(0, line), (0.34 * half, line - 0.2 * temple), (0.62 * half, line + 0.05 - temple)]
    right += [
        (0.86 * half, line + 0.30 - 0.3 * temple),
        (0.95 * half, -0.30),
        (0.955 * half, 0.5 * low - 0.1),
        (0.945 * half, low),
    ]
    out = [(0, _TOP - thick), (0.45 * half, _TOP + 0.13 - thick), (0.80 * half + 0.4 * thick, -1.28)]
    out += [(0.97 * half + 0.8 * thick, -0.84), (half + thick, -0.42)]
    out += [(half + min(thick, 0.03), 0.5 * low - 0.12), (0.985 * half, low + 0.02)]
    roots, tips = (_both_sides(np.array(points)) for points in (right, out))
    front = np.exp(-((roots[:, 0] / (0.6 * half)) ** 2))[:, None]
    bulge = 0.35 * roots + 0.65 * tips + front * [slant, 0]
    return np.stack(
        [roots, 0.72 * roots + 0.28 * tips + 0.35 * front * [slant, 0], bulge, tips + front * [slant, 0]], axis=1
    )


def _both_sides(right: np.ndarray) -> np.ndarray:
    """A smooth curve from the image's left to its right, of its right half from the middle on."""
    curve = spline(right, steps=4)
    return np.vstack([(curve * [-1, 1])[:0:-1], curve])


def _short(mesh: np.ndarray, person: Identity) -> list[Lock]:
    half = _half_width(mesh)
    temple = 0.04 + 0.10 * (person.hairline > 0.1)
    slant = 0.35 * np.sign(person.parting)
    guides = _cap(half, _line(person), temple, 0.12, 0.07, slant)
    return [Lock(guides, 2600, 0.03, 0.02 * person.wave, coat=0.032)]


def _crop(mesh: np.ndarray, person: Identity) -> list[Lock]:
    guides = _cap(_half_width(mesh), _line(person), 0.10, 0.12, 0.03)
    return [Lock(guides, 3800, 0.02, piece=0.07, coat=0.05, cover=0.72)]


def _receding(mesh: np.ndarray, person: Identity) -> list[Lock]:
    guides = _cap(_half_width(mesh), _line(person) - 0.06, 0.26, 0.14, 0.05)
    return [Lock(guides, 1500, 0.03, coat=0.04, cover=0.65)]


def _bald(mesh: np.ndarray, person: Identity) -> list[Lock]:
    half = _half_width(mesh)
    locks = []
    for side in (-1, 1):
        heights = np.linspace(-0.62, 0.12, 7)
        inner = half * np.array([0.985, 0.965, 0.955, 0.95, 0.945, 0.94, 0.945])
        curves = [
            [(side * x, y), (side * (x + 0.03), y + 0.02), (side * (half + 0.03), y + 0.05)]
            for x, y in zip(inner, heights, strict=True)
        ]
        locks.append(Lock(np.array(curves), 420, 0.02, coat=0.03, cover=0.45))
    return locks


def _swept(mesh: np.ndarray, person: Identity) -> list[Lock]:
    return [*_short(mesh, person), _side_fringe(mesh, person)]


def _pixie(mesh: np.ndarray, person: Identity) -> list[Lock]:
    half = _half_width(mesh)
    cap = Lock(_cap(half, _line(person), 0.0, 0.30, 0.09, 0.3 * np.sign(person.parting)), 2000, 0.035)
    return [cap, _side_fringe(mesh, person)]


def _side_fringe(mesh: np.ndarray, person: Identity) -> Lock:
    """Hair combed from the parting across the forehead to the other temple."""
    half, line = _half_width(mesh), _line(person)
    to = -1.0 if person.parting > 0 else 1.0
    start = -to * 0.42 * half
    curves = []
    for u in np.linspace(0, 1, 6):
        root = (start + 0.25 * to * u, line - 0.02 - 0.55 * u)
        over_brow = (start + to * (0.50 + 0.1 * u) * half, line + 0.10 - 0.50 * u)
        temple = (to * (0.78 + 0.08 * u) * half, line + 0.24 - 0.40 * u)
        tip = (to * (0.93 + 0.07 * u) * half, min(line + 0.46, _ABOVE_BROWS) - 0.40 * u)
        curves.append([root, over_brow, temple, tip])
    return Lock(np.array(curves), 1100, 0.045, 0.02 * person.wave, coat=0.03)


def _tied(mesh: np.ndarray, person: Identity) -> list[Lock]:
    guides = _cap(_half_width(mesh), _line(person), 0.0, -0.18, 0.02)
    return [Lock(guides, 2000, 0.012, coat=0.03)]


def _parted(mesh: np.ndarray, person: Identity) -> list[Lock]:
    """Long hair or a bob: two curtains from the parting down, and perhaps a fringe."""
    half, line, end = _half_width(mesh), _line(person), _length(person)
    part = 0.5 * person.parting
    locks = []
    for side in (-1, 1):
        curves = []
        for u in np.linspace(0, 1, 7):
            near = half * (0.93 + 0.24 * u) + 0.03 * person.wave * u
            bend = part + side * abs(0.60 * side * half - part) * (1 + 0.2 * u)
            down = [
                (part + 0.012 * side, line - 0.70 * u),
                (bend, line + 0.10 - 0.55 * u),
                (side * near, -0.32 - 0.12 * u),
            ]
            turn = -0.10 if person.hair_style == "bob" else 0.05
            down += [
                (side * (near + 0.04), 0.40),
                (side * (near + 0.03), 0.5 * (0.40 + end)),
                (side * (near + turn), end - 0.1 * u),
            ]
            curves.append(down)
        locks.append(Lock(np.array(curves), 1000, 0.03, 0.04 * person.wave))
    return [*locks, _fringe(half, line)] if person.fringe else locks


def _fringe(half: float, line: float) -> Lock:
    across = np.linspace(-0.80, 0.80, 9)
    curves = [
        [(0.5 * u * half, line - 0.45), (0.85 * u * half, line - 0.15), (u * half, _ABOVE_BROWS - 0.03 + 0.10 * u * u)]
        for u in across
    ]
    return Lock(np.array(curves), 800, 0.03, coat=0.03)


def _curly(mesh: np.ndarray, person: Identity) -> list[Lock]:
    half = _half_width(mesh)
    thick = 0.10 + (0.16 * person.wave if person.fringe or person.brow_density < 1 else 0.0)
    guides = _cap(half, _line(person), 0.05, 0.05, thick)
    return [Lock(guides, 2300, 0.04, curl=0.032, piece=0.12, coat=0.06)]


def _cloud(half: float, person: Identity, shade: float) -> Lock:
    """Curls that stand out around the head."""
    thick = 0.04 if person.brow_density >= 1 else 0.10 + 0.16 * person.wave
    angle = np.linspace(-2.0, 2.0, 25)
    ring = np.stack([np.sin(angle), -np.cos(angle)], axis=-1)
    guides = np.stack([ring * [scale * (half + thick), 1.45] + [0, -0.25] for scale in (0.7, 0.85, 1.0)], axis=1)
    return Lock(guides, 1500, 0.04, curl=0.03, piece=0.3, coat=0.08, shade=shade)


_STYLES: dict[HairStyle, Callable[[np.ndarray, Identity], list[Lock]]] = {
    "long": _parted,
    "bob": _parted,
    "tied": _tied,
    "pixie": _pixie,
    "curly": _curly,
    "short": _short,
    "swept": _swept,
    "crop": _crop,
    "receding": _receding,
    "bald": _bald,
}
