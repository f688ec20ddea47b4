"""A tiny generated data set of flow maps, so that everything runs on a machine without data.

It shows no face and measures no method. Eight invented subjects in three invented sub-datasets move
brows and lip corners by class; head motion, a personal style and noise keep the task from being easy.
Subject ids collide across the sub-datasets, clips are spread unevenly, and some subjects lack a class,
as in the real composites.

Only additions, products, divisions and square roots of doubles are used, which IEEE 754 fixes to the
last bit, so that every machine gets the same bytes.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from mer_lib.datasets.maps import CONSTANT_POINTS, MAP_SIZE
from mer_lib.datasets.reading import Clip
from mer_lib.datasets.samples import CLASSES
from mer_lib.motion.small_map import stretched
from mer_lib.motion.strain import strain

#: Clips of each subject: (sub-dataset, subject) to the number of negative, positive, surprise ones.
CLIPS_OF_SUBJECT = MappingProxyType(
    {
        ("toya", "01"): (4, 2, 2),
        ("toya", "02"): (3, 3, 0),
        ("toya", "03"): (2, 1, 2),
        ("toyb", "01"): (3, 2, 2),
        ("toyb", "02"): (5, 0, 0),
        ("toyb", "04"): (1, 1, 1),
        ("toyc", "01"): (3, 3, 4),
        ("toyc", "05"): (1, 1, 2),
    }
)

# Flow in pixels a step. Chosen so that a linear model beats chance but is far from perfect.
_NOISE = 2.0
_HEAD_MOTION = 0.05


class _Push(NamedTuple):
    """A patch of skin moving together: around a point of the face, `lift` pixels above it."""

    point: str
    lift: float
    du: float
    dv: float


# v points downwards: brows and lip corners that rise have dv < 0.
_MOVEMENTS = MappingProxyType(
    {
        "negative": (
            _Push("left eye", 4, 0.5, 1.0),
            _Push("right eye", 4, -0.5, 1.0),
            _Push("left lip", 0, 0.0, 0.6),
            _Push("right lip", 0, 0.0, 0.6),
        ),
        "positive": (_Push("left lip", 0, -0.8, -1.0), _Push("right lip", 0, 0.8, -1.0)),
        "surprise": (
            _Push("left eye", 4, 0.0, -1.2),
            _Push("right eye", 4, 0.0, -1.2),
            _Push("left lip", -2, 0.4, 0.8),
            _Push("right lip", -2, -0.4, 0.8),
        ),
    }
)


def clips(seed: int = 0) -> list[Clip]:
    """All toy clips with their maps; the same seed gives the same bytes on every machine.

    >>> len(clips()), clips()[0].pixels.shape
    (48, (28, 28, 3))
    """
    made = []
    for number, ((dataset, subject), counts) in enumerate(CLIPS_OF_SUBJECT.items()):
        style = _rng(seed, number).random(3)
        labels = [name for name, count in zip(CLASSES, counts, strict=True) for _ in range(count)]
        for index, label3 in enumerate(labels):
            rng = _rng(seed, number, index)
            u, v = _flow(label3, style, rng)
            made.append(Clip(dataset, subject, f"toy_{index + 1:02d}", label3, _to_map(u, v)))
    return made


def _rng(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))


def _flow(label3: str, style: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Flow (u, v) of one clip: the movement of its class, a small turn of the head, and noise."""
    y, x = np.mgrid[0:MAP_SIZE, 0:MAP_SIZE].astype(np.float64)
    turn, zoom, right, down = _HEAD_MOTION * (2 * rng.random(4) - 1)
    middle = (MAP_SIZE - 1) / 2
    u = zoom * (x - middle) - turn * (y - middle) + 10 * right + _NOISE * _smooth_noise(rng)
    v = zoom * (y - middle) + turn * (x - middle) + 10 * down + _NOISE * _smooth_noise(rng)
    strength = 0.4 + 0.6 * style[0] + 0.8 * rng.random()
    for push in _MOVEMENTS[label3]:
        centre_x, centre_y = CONSTANT_POINTS[push.point]
        patch = strength * _bump(x - centre_x - 3 * style[1] + 1.5, y - centre_y + push.lift - 3 * style[2] + 1.5)
        u = u + push.du * patch
        v = v + push.dv * patch
    return u, v


def _bump(x: np.ndarray, y: np.ndarray, radius: float = 6.0) -> np.ndarray:
    """A smooth hill of height 1 around (0, 0) that ends at `radius` pixels."""
    inside = np.maximum(0.0, 1 - (x * x + y * y) / (radius * radius))
    return inside * inside


def _smooth_noise(rng: np.random.Generator, reach: int = 3) -> np.ndarray:
    """Noise of about unit range, averaged over squares of `reach` pixels."""
    raw = 2 * rng.random((MAP_SIZE + reach - 1, MAP_SIZE + reach - 1)) - 1
    total = np.zeros((MAP_SIZE, MAP_SIZE))
    for row in range(reach):
        for column in range(reach):
            total = total + raw[row : row + MAP_SIZE, column : column + MAP_SIZE]
    return total / reach


def _to_map(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Channels u, v, strain, each stretched to 0..255 on its own, as the published maps are."""
    return np.stack([stretched(channel) for channel in (u, v, strain(np.stack([u, v], axis=-1)))], axis=-1)
