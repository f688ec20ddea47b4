"""Flow in polar form: how far and in which direction; means over regions; directions as sectors and grey levels.

An angle is atan2(-v, u) in [0, 2 pi), as in mathematics: 0 to the right, pi/2 up, though image rows grow downwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mer_lib.errors import ParameterError
from mer_lib.motion.strain import checked_flow

TURN = 2 * np.pi
NO_DIRECTION = -1  # the sector of an angle that is nan

# A mean vector shorter than this share of the mean length is what rounding leaves of vectors that cancel out.
_CANCELLED = 1e-6


class RegionMotion(NamedTuple):
    """What moves in each of R regions; nan where a region has no pixel.

    Attributes:
        magnitude: (R,) mean length of the flow, px.
        circular: (R,) angle of the mean vector, see :func:`circular_mean`; nan where the vectors cancel out, too.
        arithmetic: (R,) mean of the angles as numbers, see :func:`arithmetic_mean_angle`.
        vector: (R, 2) mean u and v, px.
        pixels: (R,) number of pixels.
    """

    magnitude: np.ndarray
    circular: np.ndarray
    arithmetic: np.ndarray
    vector: np.ndarray
    pixels: np.ndarray


def polar(flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return length and angle of a flow.

    >>> up = np.array([[[0.0, -2.0]]])
    >>> polar(up)
    (array([[2.]]), array([[1.57079633]]))

    Args:
        flow: (H, W, 2), u to the right and v downwards, in pixels.

    Returns:
        Magnitude (H, W) in pixels and angle (H, W) in [0, 2 pi), of the type of `flow`. The angle of no movement is 0.

    Raises:
        ParameterError: the flow has another shape, or values that are not finite.
    """
    array = checked_flow(flow)
    return np.hypot(array[..., 0], array[..., 1]), _angle(array)


def circular_mean(flow: np.ndarray, where: np.ndarray | None = None) -> float:
    """Return the angle of the mean vector, atan2(-sum v, sum u): each direction counts by the length of its movement.

    Args:
        flow: (H, W, 2) in pixels; outside of `where` it may be nan.
        where: bool (H, W), the pixels that count; all where None.

    Returns:
        Angle in [0, 2 pi); nan where the vectors cancel out, nothing moves, or no pixel counts.

    Raises:
        ParameterError: flow or mask have another shape or type, or a value that counts is not finite.
    """
    return _circular(chosen(flow, where))


def arithmetic_mean_angle(flow: np.ndarray, where: np.ndarray | None = None) -> float:
    """Return the mean of the angles as if they were plain numbers, each pixel alike.

    That is how Mishin (2025, section on region means) prints it. It is wrong at the seam: of two movements nearly to
    the right, at 0.1 and 2 pi - 0.1, it makes pi, to the left. Pixels that do not move count as angle 0.

    Args:
        flow: as for :func:`circular_mean`.
        where: as for :func:`circular_mean`.

    Returns:
        A number in [0, 2 pi); nan where no pixel counts.

    Raises:
        ParameterError: as for :func:`circular_mean`.
    """
    return _arithmetic(chosen(flow, where))


def region_motion(flow: np.ndarray, masks: Sequence[np.ndarray]) -> RegionMotion:
    """Return the mean movement of each region.

    Args:
        flow: (H, W, 2) in pixels; outside of all masks it may be nan.
        masks: bool (H, W) each, R of them; they may overlap, and may be empty.

    Raises:
        ParameterError: as for :func:`circular_mean`.
    """
    vectors = [chosen(flow, mask) for mask in masks]
    return RegionMotion(
        np.array([_mean(np.hypot(*part.T)) for part in vectors]),
        np.array([_circular(part) for part in vectors]),
        np.array([_arithmetic(part) for part in vectors]),
        np.array([[_mean(part[:, 0]), _mean(part[:, 1])] for part in vectors]).reshape(-1, 2),
        np.array([len(part) for part in vectors], dtype=int),
    )


def sectors(angle: np.ndarray, count: int = 8, shifted: bool = False) -> np.ndarray:
    """Return in which sector of the circle each angle lies.

    As printed by Mishin (2025), sector k reaches from k to k + 1 parts of the turn, so that movement exactly to the
    right or up lies on an edge. Shifted by half a sector, these lie in the middle of sectors 0 and `count` / 4.

    >>> sectors(np.array([0.1, np.pi / 2 + 0.1, TURN - 0.1])), sectors(np.array([0.1, TURN - 0.1]), shifted=True)
    (array([0, 2, 7]), array([0, 0]))

    Args:
        angle: any shape, radians; whole turns more or less do not matter.
        count: number of sectors.
        shifted: whether sector 0 has angle 0 in its middle.

    Returns:
        Whole numbers 0..count-1 of the same shape; :data:`NO_DIRECTION` where the angle is nan.

    Raises:
        ParameterError: `count` is below 2, or an angle is infinite.
    """
    _check_count(count)
    angle = np.asarray(angle, dtype=np.float64)
    if np.isinf(angle).any():
        raise ParameterError("angle: expected radians, or nan for no direction, got an infinite one")
    unknown = np.isnan(angle)
    parts = np.where(unknown, 0, angle) / TURN * count + (0.5 if shifted else 0)
    return np.where(unknown, NO_DIRECTION, np.floor(parts).astype(int) % count)


def sector_grey(code: np.ndarray, count: int = 8) -> np.ndarray:
    """Return the grey level of each sector, 255 k / (count - 1): 0, 36.4, ... 255 for eight.

    Sectors 0 and count - 1 are neighbours on the circle, and black and white here: a published way of coding.

    Args:
        code: of :func:`sectors`.
        count: number of sectors.

    Returns:
        float64 0..255, not rounded; nan where there is no direction.

    Raises:
        ParameterError: `count` is below 2, or a code is no sector.
    """
    _check_count(count)
    code = np.asarray(code)
    if code.size and not (code.min() >= NO_DIRECTION and code.max() < count):
        raise ParameterError(
            f"code: expected sectors 0..{count - 1}, or {NO_DIRECTION}, got {code.min()}..{code.max()}"
        )
    return np.where(code == NO_DIRECTION, np.nan, 255 * code / (count - 1))


def angle_grey(angle: np.ndarray) -> np.ndarray:
    """Return the grey level 255 angle / 2 pi of angles that are not cut into sectors.

    Args:
        angle: any shape, radians; whole turns more or less do not matter.

    Returns:
        float64 in [0, 255), not rounded; nan where the angle is nan.
    """
    return 255 * np.mod(np.asarray(angle, dtype=np.float64) / TURN, 1)


def chosen(flow: np.ndarray, where: np.ndarray | None) -> np.ndarray:
    """Return the vectors of a flow at the pixels that count: float64 (N, 2), row by row.

    Raises:
        ParameterError: as for :func:`circular_mean`.
    """
    array = np.asarray(flow)
    if where is None:
        return checked_flow(array).reshape(-1, 2).astype(np.float64)
    mask = np.asarray(where)
    if mask.dtype != bool or mask.shape != array.shape[:2]:
        raise ParameterError(f"where: expected bool of shape {array.shape[:2]}, got {mask.dtype} {mask.shape}")
    return checked_flow(array[mask][:, None], smallest=0)[:, 0].astype(np.float64)


def _angle(vectors: np.ndarray) -> np.ndarray:
    """Return angles (...) of vectors (..., 2)."""
    angle = np.mod(np.arctan2(-vectors[..., 1], vectors[..., 0]), TURN)
    # A direction just below the right is rounded up to a full turn.
    return np.where(angle >= TURN, 0, angle).astype(vectors.dtype)


def _circular(vectors: np.ndarray) -> float:
    if len(vectors) == 0:
        return float("nan")
    mean, length = vectors.mean(axis=0), np.hypot(*vectors.T).mean()
    return float(_angle(mean)) if np.hypot(*mean) > _CANCELLED * length else float("nan")


def _arithmetic(vectors: np.ndarray) -> float:
    return _mean(_angle(vectors))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _check_count(count: int) -> None:
    if count < 2:
        raise ParameterError(f"count: expected 2 sectors or more, got {count}")
