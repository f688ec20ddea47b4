"""Hair, strand by strand: a head of hair is made of locks, and a lock of strands between guide curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from mer_lib.datasets.synthetic.drawing import Canvas
from mer_lib.datasets.synthetic.identity import Identity

# Points along a strand.
_POINTS = 14
_STRAND_WIDTH = 0.006


@dataclass(frozen=True, eq=False)
class Lock:
    """Strands between guide curves.

    Attributes:
        guides: (K, M, 2) IOD: K curves of M points from root to tip, side by side.
        strands: number of strands.
        jitter: how far single strands stray, IOD.
        wave: amplitude of their waves, IOD.
        curl: radius of their curls, IOD.
        piece: share of a guide's length that one strand covers; 1 reaches from root to tip.
        coat: width (IOD) of the dense coat of dark strands beneath, 0 for none.
        cover: opacity of that coat, 0..1: less lets the skin shine through.
        shade: brightness relative to the hair's colour.
    """

    guides: np.ndarray
    strands: int
    jitter: float = 0.03
    wave: float = 0.0
    curl: float = 0.0
    piece: float = 1.0
    coat: float = 0.045
    cover: float = 1.0
    shade: float = 1.0


def paint(
    canvas: Canvas, locks: list[Lock], person: Identity, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Paint locks one over the other.

    Returns:
        Colours (S, S, 3) and opacity (S, S), float32 0..1.
    """
    colours = np.empty((canvas.side, canvas.side, 3), np.uint8)
    colours[:] = np.clip(200 * np.array(person.hair), 0, 255).astype(np.uint8)
    opacity = np.zeros((canvas.side, canvas.side), np.uint8)
    for lock in locks:
        if lock.coat:
            lines, tints = _strands(lock, max(40, lock.strands // 6), rng, person, 1.0, (0.05, 0.95))
            # Fine strands alone make roots and tips, so that no edge is as straight as a wig's.
            lines = lines[:, 2:-1]
            canvas.hairs(colours, lines, 0.68 * tints, lock.coat)
            canvas.hairs(opacity, lines, np.full(len(lines), 255 * lock.cover), lock.coat)
        lines, tints = _strands(lock, lock.strands, rng, person, lock.piece)
        canvas.hairs(colours, lines, tints, _STRAND_WIDTH)
        canvas.hairs(opacity, lines, np.full(len(lines), 255.0), _STRAND_WIDTH)
    gleam = np.exp(-(((np.hypot(canvas.x * 0.9, canvas.y - 0.1) - 1.15) / 0.16) ** 2))
    image = canvas.blur(colours.astype(np.float32) / 255, 0.004) * (0.88 + 0.30 * gleam)[..., None]
    return np.clip(image, 0, 1).astype(np.float32), canvas.blur(opacity.astype(np.float32) / 255, 0.004)


def _strands(
    lock: Lock,
    count: int,
    rng: np.random.Generator,
    person: Identity,
    piece: float,
    edges: tuple[float, float] = (0.0, 1.0),
) -> tuple[np.ndarray, np.ndarray]:
    """Lines (count, M, 2) between the lock's guides, and their colours (count, 3), 0..255.

    Args:
        edges: between which guides they lie, 0 the first and 1 the last.
    """
    place = rng.uniform(*edges, count)
    t = _along(count, piece, rng)
    guides = CubicSpline(np.linspace(0, 1, lock.guides.shape[1]), lock.guides, axis=1)(np.linspace(0, 1, _POINTS))
    lines = _between(guides, place, t)
    start, drift = rng.normal(0, lock.jitter, (2, count, 1, 2))
    lines = lines + 0.5 * start + 0.8 * drift * t[..., None]
    phase = 2 * np.pi * (3 * place[:, None] + rng.normal(0, 0.08, (count, 1)))
    lines[..., 0] += lock.wave * t * np.sin(2 * np.pi * 2.2 * t + phase)
    if lock.curl:
        turn = 2 * np.pi * (rng.random((count, 1)) + np.linspace(0, 1.2, t.shape[1]))
        lines = lines + lock.curl * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    return lines, _tints(count, rng, person, lock.shade, place)


def _along(count: int, piece: float, rng: np.random.Generator) -> np.ndarray:
    """Where each strand's points lie between root (0) and tip (1): (count, M)."""
    if piece >= 1:
        begin, length = rng.uniform(0, 0.06, (count, 1)), rng.uniform(0.80, 0.94, (count, 1))
    else:
        length = piece * rng.uniform(0.6, 1.4, (count, 1))
        begin = rng.random((count, 1)) * (1 - length)
    return begin + length * np.linspace(0, 1, _POINTS)


def _between(guides: np.ndarray, place: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Points of guides (K, M, 2), bilinear between guides (place, 0..1) and along them (t, 0..1)."""
    across, along = place[:, None] * (len(guides) - 1), np.clip(t, 0, 1) * (guides.shape[1] - 1)
    row = np.minimum(across.astype(int), len(guides) - 2)
    column = np.minimum(along.astype(int), guides.shape[1] - 2)
    u, v = (across - row)[..., None], (along - column)[..., None]
    near = guides[row, column] * (1 - v) + guides[row, column + 1] * v
    far = guides[row + 1, column] * (1 - v) + guides[row + 1, column + 1] * v
    return near * (1 - u) + far * u


def _tints(count: int, rng: np.random.Generator, person: Identity, shade: float, place: np.ndarray) -> np.ndarray:
    # Neighbouring strands share a tint: hair falls in streaks.
    streak = np.interp(place, np.linspace(0, 1, 40), rng.normal(0, 1, 40))
    brightness = shade * np.exp(0.16 * rng.normal(size=count) + 0.12 * streak)
    tints = 255 * np.array(person.hair) * brightness[:, None] + 8 * np.clip(rng.normal(size=(count, 1)), 0, 2)
    grey = rng.random(count) < 0.30 * person.grey
    tints[grey] = 255 * 0.62 * rng.uniform(0.7, 1.1, (int(grey.sum()), 1))
    return np.clip(tints, 4, 245)
