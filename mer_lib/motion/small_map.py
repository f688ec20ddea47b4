"""The small map of flow and strain that micro-expression networks are fed."""

from __future__ import annotations

import cv2
import numpy as np

from mer_lib.motion.strain import strain


def scaled_map(flow: np.ndarray, size: int = 28) -> np.ndarray:
    """Make a flow and its strain a map as the published ones are: small, 8 bits, each channel on its own scale.

    Strain is computed at full resolution.

    Args:
        flow: (H, W, 2) floating, of the face alone (see :func:`mer_lib.motion.cut`), in pixels.
        size: rows and columns of the map.

    Returns:
        uint8 (size, size, 3): rows, columns, then channels u, v, strain, each stretched to 0..255.
    """
    channels = (flow[..., 0], flow[..., 1], strain(flow))
    small = (cv2.resize(channel, (size, size), interpolation=cv2.INTER_AREA) for channel in channels)
    return np.stack([stretched(channel) for channel in small], axis=-1)


def stretched(channel: np.ndarray) -> np.ndarray:
    """Stretch a channel to 0..255 by its own least and greatest value; where nothing varies, all is 0.

    >>> stretched(np.array([[-1.0, 0.0, 1.0]]))
    array([[  0, 128, 255]], dtype=uint8)
    """
    low, high = channel.min(), channel.max()
    if low == high:
        return np.zeros(channel.shape, np.uint8)
    return np.floor(255 * (channel - low) / (high - low) + 0.5).astype(np.uint8)
