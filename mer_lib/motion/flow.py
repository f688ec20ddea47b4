"""Dense optical flow, its strain, and the 28x28 map of both that micro-expression networks are fed.

These are functions of arrays. They know no data set, so they stand below the data sets, which use them to make maps.

Axes: an image is (row = y, column = x). Flow is (H, W, 2) in pixels, ``u`` to the right and ``v`` downwards, on the
grid of the first image: what is seen at (y, x) of the first lies at (y + v, x + u) of the second.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Literal, NamedTuple, get_args

import cv2
import numpy as np

from mer_lib.errors import ParameterError

Method = Literal["farneback", "tvl1", "dis"]
METHODS: tuple[str, ...] = get_args(Method)

SMALLEST = 16  # rows and columns: below, the pyramids of the three methods have nothing to stand on


class Box(NamedTuple):
    """A rectangle of whole pixels: columns left..right-1, rows top..bottom-1."""

    left: int
    top: int
    right: int
    bottom: int


def optical_flow(first: np.ndarray, second: np.ndarray, method: str = "farneback") -> np.ndarray:
    """Movement from `first` to `second` at every pixel of `first`.

    Args:
        first: (H, W) grey or (H, W, 3) RGB, uint8, or floating in 0..1; colour and float become 8-bit grey.
        second: the same size.
        method: ``"farneback"`` (polynomial expansion: fast, smooth), ``"tvl1"`` (total variation: sharp edges, about a
            second a pair) or ``"dis"`` (dense inverse search down to full resolution: the most exact here).

    Returns:
        float32 (H, W, 2), u and v in pixels.

    Raises:
        ParameterError: the method is unknown, the sizes differ, or an image has another form.
    """
    if method not in _METHODS:
        raise ParameterError(f"method: expected one of {', '.join(METHODS)}, got {method!r}")
    before, after = _grey(first, "first"), _grey(second, "second")
    if before.shape != after.shape:
        raise ParameterError(f"images: expected two of one size, got {before.shape} and {after.shape}")
    return _METHODS[method](before, after)


def strain(flow: np.ndarray) -> np.ndarray:
    """Magnitude of the optical strain, sqrt(u_x^2 + v_y^2 + (u_y + v_x)^2 / 2).

    The sum under the square keeps it zero where a face turns without deforming. Derivatives are central differences.

    >>> y, x = np.mgrid[0:4, 0:4].astype(float)
    >>> turn, shear = np.stack([-y, x], axis=-1), np.stack([y, 0 * x], axis=-1)
    >>> float(strain(turn).max()), float(strain(shear).max())
    (0.0, 0.7071067811865476)

    Args:
        flow: (H, W, 2), u to the right and v downwards, in pixels.

    Returns:
        (H, W), non-negative, of the type of `flow`.
    """
    u, v = flow[..., 0], flow[..., 1]
    u_y, u_x = np.gradient(u)
    v_y, v_x = np.gradient(v)
    shear = u_y + v_x
    return np.sqrt(u_x * u_x + v_y * v_y + shear * shear / 2)


def scaled_map(flow: np.ndarray, size: int = 28) -> np.ndarray:
    """Make a flow and its strain a map as the published ones are: small, 8 bits, each channel on its own scale.

    Strain is computed at full resolution.

    Args:
        flow: (H, W, 2) floating, of the face alone (see :func:`cut`), in pixels.
        size: rows and columns of the map.

    Returns:
        uint8 (size, size, 3): rows, columns, then channels u, v, strain, each stretched to 0..255.
    """
    channels = (flow[..., 0], flow[..., 1], strain(flow))
    small = (cv2.resize(channel, (size, size), interpolation=cv2.INTER_AREA) for channel in channels)
    return np.stack([stretched(channel) for channel in small], axis=-1)


def cut(image: np.ndarray, box: Box) -> np.ndarray:
    """Copy the part of `image` inside `box`; the copy is contiguous, which dense inverse search insists on.

    Raises:
        ParameterError: the box is empty or leaves the image.
    """
    rows, columns = image.shape[:2]
    if not (0 <= box.left < box.right <= columns and 0 <= box.top < box.bottom <= rows):
        raise ParameterError(f"box: expected a rectangle inside {columns}x{rows} pixels, got {tuple(box)}")
    return np.ascontiguousarray(image[box.top : box.bottom, box.left : box.right])


def stretched(channel: np.ndarray) -> np.ndarray:
    """Stretch a channel to 0..255 by its own least and greatest value; where nothing varies, all is 0.

    >>> stretched(np.array([[-1.0, 0.0, 1.0]]))
    array([[  0, 128, 255]], dtype=uint8)
    """
    low, high = channel.min(), channel.max()
    if low == high:
        return np.zeros(channel.shape, np.uint8)
    return np.floor(255 * (channel - low) / (high - low) + 0.5).astype(np.uint8)


def _grey(image: np.ndarray, name: str) -> np.ndarray:
    """Return `image` as contiguous 8-bit grey."""
    array = np.asarray(image)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3) or min(array.shape[:2]) < SMALLEST:
        raise ParameterError(
            f"{name}: expected (H, W) grey or (H, W, 3) RGB of at least {SMALLEST}x{SMALLEST}, got {array.shape}"
        )
    if np.issubdtype(array.dtype, np.floating):
        array = np.floor(255 * np.clip(array, 0, 1) + 0.5).astype(np.uint8)
    if array.dtype != np.uint8:
        raise ParameterError(f"{name}: expected uint8, or floating in 0..1, got {array.dtype}")
    array = np.ascontiguousarray(array)
    return cv2.cvtColor(array, cv2.COLOR_RGB2GRAY) if array.ndim == 3 else array


def _no_flow(image: np.ndarray) -> np.ndarray:
    """Where the methods begin."""
    return np.zeros((*image.shape, 2), np.float32)


def _farneback(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    # The values of the field's public scripts, which took them from OpenCV's tutorial.
    return cv2.calcOpticalFlowFarneback(
        before,
        after,
        _no_flow(before),
        pyr_scale=0.5,
        levels=3,
        winsize=15,
        iterations=3,
        poly_n=5,
        poly_sigma=1.2,
        flags=0,
    )


def _tvl1(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return cv2.optflow.DualTVL1OpticalFlow.create().calc(before, after, _no_flow(before))


def _dis(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    # The preset stops at half resolution, where a micro-movement is half a pixel.
    search.setFinestScale(0)
    return search.calc(before, after, _no_flow(before))


_METHODS: MappingProxyType[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = MappingProxyType(
    {"farneback": _farneback, "tvl1": _tvl1, "dis": _dis}
)
