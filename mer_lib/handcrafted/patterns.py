"""Local binary patterns of a volume, and histograms of codes over blocks: what LBP-TOP and LBP-SIP share.

A volume is grey, (T, H, W). An offset (t, y, x) leads from a pixel to its neighbour.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

Offset = tuple[float, float, float]
Margin = tuple[int, int, int]

# Between neighbours of equal value, interpolation may leave this much of a grey level.
_ROUNDING = 1e-6


def codes(volume: np.ndarray, offsets: Sequence[Offset], margin: Margin) -> np.ndarray:
    """Return the pattern of every pixel that is `margin` away from all borders.

    Bit p of a pattern says whether neighbour p is not darker than the pixel.

    >>> row = np.array([[[5, 3, 2]]])
    >>> codes(row, [(0, 0, -1), (0, 0, 1)], (0, 0, 1))
    array([[[1]]])

    Args:
        volume: (T, H, W), T, H and W above twice their margins.
        offsets: of P neighbours, each within the margin; between pixels they are interpolated linearly.
        margin: frames, rows and columns without codes at either border.

    Returns:
        int64 (T - 2 margin, H - 2 margin, W - 2 margin), 0 to 2^P - 1.
    """
    volume = np.asarray(volume, dtype=np.float64)
    centre = _moved(volume, (0, 0, 0), margin) - _ROUNDING
    found = np.zeros(centre.shape, np.int64)
    for bit, offset in enumerate(offsets):
        found |= (_at(volume, offset, margin) >= centre).astype(np.int64) << bit
    return found


def block_histograms(found: np.ndarray, bins: int, blocks: int, margin: tuple[int, int]) -> np.ndarray:
    """Count codes in blocks of the face, over all frames.

    Args:
        found: codes (T, H', W'), 0 to `bins` - 1, as :func:`codes` gives them.
        bins: how many codes there are.
        blocks: rows and columns of blocks that the face, margins included, is divided into; they do not overlap.
        margin: rows and columns without codes at either border.

    Returns:
        float64 (blocks * blocks, bins), row by row; each sums to one, or is 0 where a block has no code.
    """
    _, rows, columns = found.shape
    down, across = (_block_of(size, blocks, edge) for size, edge in zip((rows, columns), margin, strict=True))
    at = (down[:, None] * blocks + across[None]) * bins + found
    counts = np.bincount(at.ravel(), minlength=blocks * blocks * bins).reshape(-1, bins).astype(np.float64)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def circle(first: tuple[int, float], second: tuple[int, float], count: int) -> list[Offset]:
    """Return `count` neighbours at equal angles on an ellipse in the plane of two axes.

    >>> circle((2, 1), (0, 4), 4)
    [(0.0, 0.0, 1.0), (-4.0, 0.0, 0.0), (0.0, 0.0, -1.0), (4.0, 0.0, 0.0)]

    Args:
        first: axis of the volume (0 time, 1 down, 2 across) and radius along it, where the first neighbour lies.
        second: the other axis; the second quarter of the turn lies on its negative side.
        count: of neighbours.
    """
    angles = 2 * np.pi * np.arange(count) / count
    offsets = np.zeros((count, 3))
    # Rounded as in scikit-image, so that neighbours on an axis are pixels.
    offsets[:, first[0]] = np.round(first[1] * np.cos(angles), 5)
    offsets[:, second[0]] = np.round(-second[1] * np.sin(angles), 5)
    return [(float(t), float(y), float(x)) for t, y, x in offsets + 0.0]


def uniform_bins(count: int) -> np.ndarray:
    """Return the bin of each of 2^count codes: codes with at most two changes around the circle have one each.

    All others share the last. There are count (count - 1) + 3 bins.

    >>> uniform_bins(4).max() + 1, uniform_bins(8).max() + 1
    (15, 59)
    """
    bits = np.arange(2**count)[:, None] >> np.arange(count) & 1
    uniform = (bits != np.roll(bits, 1, axis=1)).sum(axis=1) <= 2
    return np.where(uniform, np.cumsum(uniform) - 1, uniform.sum())


def _at(volume: np.ndarray, offset: Offset, margin: Margin) -> np.ndarray:
    """Return what lies at `offset` from each pixel, interpolated linearly."""
    below = [int(np.floor(step)) for step in offset]
    shares = [step - low for step, low in zip(offset, below, strict=True)]
    total: np.ndarray | float = 0.0
    for corner in product((0, 1), repeat=3):
        weight = np.prod([share if up else 1 - share for up, share in zip(corner, shares, strict=True)])
        if weight > 0:
            t, y, x = (low + up for low, up in zip(below, corner, strict=True))
            total = total + weight * _moved(volume, (t, y, x), margin)
    return np.asarray(total)


def _moved(volume: np.ndarray, step: tuple[int, int, int], margin: Margin) -> np.ndarray:
    """Return the volume without its margins, seen `step` away."""
    return volume[
        tuple(
            slice(edge + move, size - edge + move) for size, edge, move in zip(volume.shape, margin, step, strict=True)
        )
    ]


def _block_of(inner: int, blocks: int, margin: int) -> np.ndarray:
    """Return the block of each of `inner` rows (or columns) between two margins."""
    return (np.arange(inner) + margin) * blocks // (inner + 2 * margin)
