"""Images brought into the range of sizes that a network was made for."""

from __future__ import annotations

import cv2
import numpy as np


def between(image: np.ndarray, shortest: int, longest: int) -> np.ndarray:
    """Enlarge or reduce an image so that its longer side lies in a range; its shape is kept up to rounding.

    >>> between(np.zeros((20, 10, 3), np.uint8), 40, 80).shape, between(np.zeros((1, 90, 3), np.uint8), 40, 80).shape
    ((40, 20, 3), (1, 80, 3))

    Args:
        image: (H, W, 3) uint8.
        shortest: of the longer side, in pixels.
        longest: of the longer side, in pixels.
    """
    side = max(image.shape[:2])
    factor = min(max(side, shortest), longest) / side
    if factor == 1:
        return image
    height, width = (max(1, round(factor * length)) for length in image.shape[:2])
    how = cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA
    return cv2.resize(image, (width, height), interpolation=how)
