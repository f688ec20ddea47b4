"""Temporal interpolation: a clip of any length brought to a number of frames, along the curve of all its frames."""

from __future__ import annotations

import numpy as np

from mer_lib.errors import ParameterError


def time_interpolated(frames: np.ndarray, count: int) -> np.ndarray:
    """Return `count` frames at equal distances in time, the first and the last being those of the clip.

    The frames are seen as points of a path graph. Its Laplacian has the eigenvectors cos(pi k (i + 1/2) / n), k = 0 to
    n - 1, which are smooth functions of i; each pixel's values are a sum of them, and that sum is read between frames.

    >>> ramp = np.array([0.0, 10.0, 20.0])[:, None, None]
    >>> np.round(time_interpolated(ramp, 5).ravel(), 1) + 0.0
    array([ 0. ,  4.2, 10. , 15.8, 20. ])

    Args:
        frames: (n, ...), n at least 1.
        count: of frames that come out, at least 1; a single one is the first.

    Returns:
        float64 (count, ...). Between frames values may pass beyond those of the frames.

    Raises:
        ParameterError: there is no frame, or `count` is below 1.

    Source: Zhou, Zhao, Pietikainen, Towards a practical lipreading system, CVPR 2011. They bring the frames into a
    basis of their own before; where frames are linearly independent, as they demand, that changes nothing.
    """
    frames = np.asarray(frames)
    if frames.ndim == 0 or not len(frames) or count < 1:
        raise ParameterError(f"expected frames (n, ...) and a count, both at least 1, got {frames.shape} and {count}")
    return np.tensordot(interpolation_matrix(len(frames), count), frames.astype(np.float64), axes=1)


def interpolation_matrix(frames: int, count: int) -> np.ndarray:
    """Return how much of each frame is in each one that comes out: float64 (count, frames), rows that sum to one."""
    order = np.arange(1, frames)
    there = np.cos(np.pi * np.outer(np.arange(frames) + 0.5, order) / frames)
    between = np.cos(np.pi * np.outer(np.linspace(0, frames - 1, count) + 0.5, order) / frames)
    return (1 + 2 * between @ there.T) / frames
