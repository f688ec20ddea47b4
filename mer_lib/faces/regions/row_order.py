"""In which order the 42 muscle regions lie under each other in an image."""

from __future__ import annotations

from typing import Literal

import numpy as np

RowOrder = Literal["top_to_bottom", "permuted"]
REGIONS = 42
_SEED = 42  # of the one permutation


def row_order(order: RowOrder) -> np.ndarray:
    """Return which region lies in each row, as its position in :func:`mer_lib.faces.regions.muscle_regions`.

    >>> row_order("top_to_bottom")[:4]
    array([0, 1, 2, 3])

    Args:
        order: "top_to_bottom" of the face, left and right of a pair adjacent; or "permuted", drawn once and for all.

    Returns:
        int64 (42,).
    """
    rows = np.arange(REGIONS)
    return rows if order == "top_to_bottom" else np.random.default_rng(_SEED).permutation(rows)


def mirrored_rows(order: RowOrder) -> np.ndarray:
    """Return the row of the same region on the other side of the face, for each row: int64 (42,).

    >>> mirrored_rows("top_to_bottom")[:4]
    array([1, 0, 3, 2])
    """
    region = row_order(order)
    row_of = np.argsort(region)
    return row_of[region ^ 1]  # the left one of a pair has an even position, the right one follows it
