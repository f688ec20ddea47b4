"""A canvas on which a face is painted in inter-ocular distances, whatever the size of the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

#: Layer pixels per frame pixel.
SCALE = 2
#: Side of a frame in IOD, and how far the eyes are from its upper edge.
FRAME_SIDE = 3.2
EYE_HEIGHT = 0.405 * FRAME_SIDE
#: Margin around the frame as a share of its side.
MARGIN = 0.075
# Noise is drawn from this corner on (IOD), so that the same place of every canvas gets the same value.
_NOISE_CORNER, _NOISE_SIDE = np.array([-1.9, -1.6]), 3.9
# OpenCV takes coordinates with this many binary digits after the point.
_SHIFT = 4


def smoothstep(x: np.ndarray, start: float = 0.0, end: float = 1.0) -> np.ndarray:
    """0 at `start`, 1 at `end`, constant beyond, and smooth in between. `end` may lie below `start`.

    >>> smoothstep(np.array([0.0, 0.5, 2.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    t = np.clip((x - start) / (end - start), 0, 1)
    return t * t * (3 - 2 * t)


def spline(points: np.ndarray, closed: bool = False, steps: int = 8) -> np.ndarray:
    """A smooth curve (Catmull-Rom) through points.

    Args:
        points: (N, 2).
        closed: whether the last point leads back to the first.
        steps: points of the curve from one given point to the next.

    Returns:
        (N * steps, 2) where closed, otherwise ((N - 1) * steps + 1, 2).
    """
    points = np.asarray(points, dtype=np.float64)
    if closed:
        ring = np.vstack([points[-1], points, points[:2]])
    else:
        ring = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    a, b, c, d = (ring[k : len(ring) - 3 + k, None] for k in range(4))
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    curve = curve.reshape(-1, 2)
    return curve if closed else np.vstack([curve, points[-1]])


def over(image: np.ndarray, colour: np.ndarray | Sequence[float], alpha: np.ndarray) -> np.ndarray:
    """Lay a colour (3,), or an image (S, S, 3), over `image` (S, S, 3) with opacity `alpha` (S, S), 0..1.

    Returns:
        A new image, float32.
    """
    result = image.astype(np.float32)
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if len(rows):
        part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        layer = np.asarray(colour, dtype=np.float32)
        layer = layer if layer.ndim == 1 else layer[part]
        result[part] += (layer - result[part]) * alpha[part][..., None].astype(np.float32)
    return result


class Canvas:
    """A square of layer pixels with a margin, painted in IOD around the point between the eyes.

    Attributes:
        size: side of the frame, px.
        margin: frame px around it.
        side: side of a layer, SCALE * (size + 2 * margin).
        iod: one IOD in frame px.
        unit: one IOD in layer px.
        x: (1, side) float32, IOD, and y: (side, 1): places of the pixels.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.margin = round(MARGIN * size)
        self.side = SCALE * (size + 2 * self.margin)
        self.iod = size / FRAME_SIDE
        self.unit = SCALE * self.iod
        # Frame px of the point between the eyes; a frame's middle lies between its two middle pixels.
        self.centre = np.array([(size - 1) / 2, EYE_HEIGHT * self.iod - 0.5])
        # The layer's first pixel lies a quarter of a frame pixel inside the margin's edge.
        axis = (np.arange(self.side) + 0.5) / SCALE - 0.5 - self.margin
        self.x = ((axis - self.centre[0]) / self.iod).astype(np.float32)[None, :]
        self.y = ((axis - self.centre[1]) / self.iod).astype(np.float32)[:, None]

    def to_frame(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 2) in IOD as frame px."""
        return np.asarray(points)[:, :2] * self.iod + self.centre

    def to_layer(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 2) in IOD as layer px."""
        return (self.to_frame(points) + 0.5 + self.margin) * SCALE - 0.5

    def to_frame_size(self, layer: np.ndarray) -> np.ndarray:
        """A layer (side, side[, C]) averaged down to the frame (size, size[, C])."""
        small = cv2.resize(layer, (self.size + 2 * self.margin,) * 2, interpolation=cv2.INTER_AREA)
        inside = slice(self.margin, self.margin + self.size)
        return np.ascontiguousarray(small[inside, inside])

    def blur(self, image: np.ndarray, sigma: float) -> np.ndarray:
        """Blur by a Gaussian of `sigma` IOD; wide ones are computed on a coarse grid."""
        sigma *= self.unit
        if sigma < 0.3:
            return image
        shrink = int(sigma // 4)
        if shrink < 2:
            return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
        height, width = image.shape[:2]
        small = cv2.resize(image, (width // shrink, height // shrink), interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), sigma / shrink, borderType=cv2.BORDER_REPLICATE)
        return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)

    def bump(self, centre: Sequence[float] | np.ndarray, width: float, height: float) -> np.ndarray:
        """A Gaussian hill of height 1 with standard deviations `width` and `height` IOD: (side, side) float32."""
        return np.exp(-0.5 * ((self.x - centre[0]) / width) ** 2) * np.exp(-0.5 * ((self.y - centre[1]) / height) ** 2)

    def polygon(self, points: np.ndarray, blur: float = 0.0) -> np.ndarray:
        """The inside of a closed line through points (N, 2) in IOD: 0..1, edges blurred by `blur` IOD."""
        mask = np.zeros((self.side, self.side), np.uint8)
        cv2.fillPoly(mask, [self._fixed(points)], (255,), cv2.LINE_AA, _SHIFT)
        return self.blur(mask.astype(np.float32) / 255, blur)

    def stroke(
        self, points: np.ndarray, width: float, blur: float = 0.0, taper: Callable[[float], float] | None = None
    ) -> np.ndarray:
        """A line through points (N, 2) in IOD: 0..1.

        Args:
            points: the line, closely spaced.
            width: in IOD.
            blur: Gaussian sigma in IOD. A line thinner than its blur is the fainter for it.
            taper: opacity along the line, as a function of 0 (start) to 1 (end).
        """
        mask = np.zeros((self.side, self.side), np.uint8)
        fixed = self._fixed(points)
        thickness = max(1, round(width * self.unit))
        for k in range(len(fixed) - 1):
            strength = 1.0 if taper is None else max(0.0, taper((k + 0.5) / (len(fixed) - 1)))
            start, end = fixed[k].tolist(), fixed[k + 1].tolist()
            cv2.line(mask, start, end, (round(255 * strength),), thickness, cv2.LINE_AA, _SHIFT)
        return self.blur(mask.astype(np.float32) / 255, blur)

    def hairs(self, image: np.ndarray, lines: np.ndarray, values: np.ndarray, width: float) -> None:
        """Draw lines (N, M, 2) in IOD into `image` in place.

        Args:
            image: (side, side) or (side, side, 3) uint8.
            lines: one line a hair, drawn in this order.
            values: (N,) or (N, 3), 0..255.
            width: in IOD, at least one layer pixel.
        """
        thickness = max(1, round(width * self.unit))
        fixed = self._fixed(lines.reshape(-1, 2)).reshape(lines.shape)
        for line, value in zip(fixed, np.asarray(values, dtype=float).tolist(), strict=True):
            cv2.polylines(image, [line], False, value, thickness, cv2.LINE_AA, _SHIFT)

    def noise(self, rng: np.random.Generator, wavelength: float) -> np.ndarray:
        """Noise of mean 0 and about unit spread, the same at the same place of a canvas of any size.

        Args:
            rng: where it comes from; what is taken from it does not depend on the canvas.
            wavelength: from one independent value to the next, in IOD.
        """
        count = int(np.ceil(_NOISE_SIDE / wavelength)) + 3
        values = rng.standard_normal((count, count), dtype=np.float32)
        # Place of canvas pixel (0, 0) on the grid of values, and the step to the next pixel.
        start = (np.array([self.x[0, 0], self.y[0, 0]]) - _NOISE_CORNER) / wavelength + 1
        step = 1 / (self.unit * wavelength)
        to_grid = np.array([[step, 0, start[0]], [0, step, start[1]]])
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        return (
            cv2.warpAffine(values, to_grid, (self.side, self.side), flags=flags, borderMode=cv2.BORDER_REPLICATE) * 1.3
        )

    def _fixed(self, points: np.ndarray) -> np.ndarray:
        return np.round(self.to_layer(points) * 2**_SHIFT).astype(np.int32)
