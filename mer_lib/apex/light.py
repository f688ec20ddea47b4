"""Light that changes from frame to frame, taken out."""

from __future__ import annotations

import numpy as np

_BLACK = 1e-6


def evened(frames: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Return grey frames, each multiplied so that part of it is as bright on average as in the first.

    Lamps flicker and cameras adapt; a difference of frames takes that for movement. Frames whose part is black stay.

    >>> evened(np.array([[[10, 20]], [[20, 40]]], np.uint8), np.array([[True, True]])).tolist()
    [[[10.0, 20.0]], [[10.0, 20.0]]]

    Args:
        frames: (T, H, W).
        where: bool (H, W), the part, at least one pixel.

    Returns:
        float32 (T, H, W).
    """
    brightness = frames[:, where].mean(axis=1, dtype=np.float64)
    seen = brightness > _BLACK
    factor = np.divide(brightness[0], brightness, out=np.ones_like(brightness), where=seen)
    if not seen[0]:
        factor[:] = 1
    return frames.astype(np.float32) * factor[:, None, None].astype(np.float32)


def eight_bits(frames: np.ndarray) -> np.ndarray:
    """Return grey levels as uint8: rounded, those outside of 0..255 cut."""
    return np.clip(np.floor(frames + 0.5), 0, 255).astype(np.uint8)
