"""The main direction in which a region moves: the mean of those vectors that agree."""

from __future__ import annotations

import numpy as np

from mer_lib.errors import ParameterError
from mer_lib.motion.polar import polar, sectors


def main_direction(vectors: np.ndarray, count: int = 8) -> np.ndarray:
    """Return the mean of the vectors whose angles lie in the sector that most of them share.

    >>> up, stray = [0.0, -1.0], [5.0, 0.1]
    >>> main_direction(np.array([up, up, stray])) + 0.0
    array([ 0., -1.])

    Args:
        vectors: (N, 2), u to the right and v downwards, in pixels.
        count: number of sectors, as :func:`mer_lib.motion.sectors` cuts them; of two that are as full, the first one.

    Returns:
        (2,) float64, u and v in pixels; nan where there is no vector. Vectors without a length lie in sector 0.

    Raises:
        ParameterError: the vectors have another shape or are not finite, or `count` is below 2.

    Source: Liu et al., A main directional mean optical flow feature for spontaneous micro-expression recognition,
    IEEE Trans. Affective Computing 7 (2016) 299-310: the bin with the most vectors, and their mean.
    """
    vectors = np.asarray(vectors, dtype=np.float64)
    if vectors.ndim != 2 or vectors.shape[1] != 2:
        raise ParameterError(f"vectors: expected (N, 2), got {vectors.shape}")
    if not len(vectors):
        return np.full(2, np.nan)
    sector = sectors(polar(vectors[:, None])[1][:, 0], count)
    return vectors[sector == np.bincount(sector).argmax()].mean(axis=0)
