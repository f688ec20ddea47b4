"""Images as this stage takes them: 8 bits, grey or RGB; and rectangles cut out of them."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from mer_lib.errors import ParameterError

# Floating images may leave 0..1 by as much as interpolation overshoots.
_OVERSHOOT = 0.1


class Box(NamedTuple):
    """A rectangle of whole pixels: columns left..right-1, rows top..bottom-1."""

    left: int
    top: int
    right: int
    bottom: int


def cut(image: np.ndarray, box: Box) -> np.ndarray:
    """Copy the part of `image` inside `box`; the copy is contiguous, which dense inverse search insists on.

    Raises:
        ParameterError: the box is empty or leaves the image.
    """
    rows, columns = image.shape[:2]
    if not (0 <= box.left < box.right <= columns and 0 <= box.top < box.bottom <= rows):
        raise ParameterError(f"box: expected a rectangle inside {columns}x{rows} pixels, got {tuple(box)}")
    return np.ascontiguousarray(image[box.top : box.bottom, box.left : box.right])


def grey8(image: np.ndarray, name: str = "image", smallest: int = 1) -> np.ndarray:
    """Return an image as contiguous 8-bit grey (H, W); arguments and errors as for :func:`rgb8`."""
    array = _eight_bits(image, name, smallest)
    return cv2.cvtColor(array, cv2.COLOR_RGB2GRAY) if array.ndim == 3 else array


def rgb8(image: np.ndarray, name: str = "image", smallest: int = 1) -> np.ndarray:
    """Return an image as contiguous 8-bit RGB (H, W, 3).

    Args:
        image: (H, W) or (H, W, 1) grey, (H, W, 3) RGB, or (H, W, 4) RGB with transparency, which is dropped; uint8, or
            floating in 0..1.
        name: what messages call it.
        smallest: fewest rows and columns.

    Raises:
        ParameterError: the image is too small, has another shape or type, or values that are not finite or not in
            0..1. Of 16 bits nobody can tell how many are used (cameras store 10 or 12 in them): scale them first.
    """
    array = _eight_bits(image, name, smallest)
    return array if array.ndim == 3 else cv2.cvtColor(array, cv2.COLOR_GRAY2RGB)


def _eight_bits(image: np.ndarray, name: str, smallest: int) -> np.ndarray:
    """Return (H, W) or (H, W, 3), contiguous uint8."""
    array = np.asarray(image)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    shaped = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if not shaped or min(array.shape[:2]) < smallest:
        raise ParameterError(
            f"{name}: expected (H, W) grey or (H, W, 3) RGB of at least {smallest}x{smallest}, got {array.shape}"
        )
    if array.ndim == 3:
        array = array[..., :3]
    if np.issubdtype(array.dtype, np.floating):
        array = _from_floating(array, name)
    if array.dtype != np.uint8:
        remedy = ": scale it by its full scale first" if array.dtype == np.uint16 else ""
        raise ParameterError(f"{name}: expected uint8, or floating in 0..1, got {array.dtype}{remedy}")
    return np.ascontiguousarray(array)


def _from_floating(array: np.ndarray, name: str) -> np.ndarray:
    low, high = array.min(), array.max()
    if not (low >= -_OVERSHOOT and high <= 1 + _OVERSHOOT):  # not a number is neither
        raise ParameterError(f"{name}: expected uint8, or floating in 0..1, got values from {low:g} to {high:g}")
    return np.floor(255 * np.clip(array, 0, 1) + 0.5).astype(np.uint8)
