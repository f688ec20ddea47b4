"""Spotting the apex of one clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mer_lib.apex.curves import SEARCHES, Search, confidence, found, middle, smoothed
from mer_lib.apex.methods import NAMED, Spotter
from mer_lib.apex.registration import Registration, check_registration, registered
from mer_lib.apex.settings import check_rate
from mer_lib.errors import DataError, ParameterError
from mer_lib.faces.regions.region import checked_mesh
from mer_lib.motion import Box, cut, grey8

#: The methods with this laboratory's defaults; :data:`mer_lib.apex.NAMED` has the published forms too.
METHODS: tuple[str, ...] = ("dnc_rois", "cell_difference", "region_flow", "middle")

# Around the landmarks, as a share of their extent.
_MARGIN = 0.1
# Larger faces are reduced to this side in px: a curve then takes a second or two.
_LARGEST = 320


@dataclass(frozen=True, eq=False)
class Spotted:
    """Where the apex was spotted, and why.

    Attributes:
        index: of the frame, from 0 within the frames that were given.
        curve: float64 (T,), what was searched, after smoothing; its unit is the method's.
        confidence: 0 to 1, how far the curve is one hill on level ground with its top there, see
            :func:`mer_lib.apex.confidence`; 0 where no frame was looked at.
        method: name, or what the method object calls itself.
        registration: "none", "ecc" or "stable".
        search: "highest", "peak" or "divide".
    """

    index: int
    curve: np.ndarray
    confidence: float
    method: str
    registration: str
    search: str


def spot(
    frames: np.ndarray | Sequence[np.ndarray],
    points: np.ndarray,
    method: str | Spotter = "cell_difference",
    registration: Registration = "stable",
    search: Search | None = None,
    fps: float | None = None,
) -> Spotted:
    """Find the frame of the strongest movement.

    Only the face is looked at, in grey, and at most 320 px large. The regions lie where the landmarks of the first
    frame say. One frame is its own apex; of two, none lies between; where the curve is flat, as for equal frames, the
    middle frame is answered with confidence 0.

    Args:
        frames: (T, H, W) grey or (T, H, W, 3) RGB from onset to offset, uint8, or floating in 0..1.
        points: (478, 2) landmarks in the first frame, in pixels.
        method: a name of :data:`mer_lib.apex.NAMED`, or a method with parameters of one's own, such as
            ``CellDifference(neighbour="next")``.
        registration: how the head is held still before, see :func:`mer_lib.apex.registered`.
        search: how the apex is looked for in the curve: "highest", "peak" or "divide", see
            :func:`mer_lib.apex.curves.found`; the method's own where None.
        fps: frames a second, in which smoothing of so many milliseconds is counted; where None, curves stay rough.

    Raises:
        ParameterError: method, registration or search is unknown, `fps` is no rate, there is no frame, frames differ
            in size or are no images, or the points have another form.
        DataError: the landmarks lie outside of the frames.
    """
    spotter, chosen = _method(method), _search(method, search)
    check_rate(fps)
    check_registration(registration)
    name = method if isinstance(method, str) else str(method)
    if not spotter.looks:
        curve = spotter.curve(np.empty((_count(frames), 0, 0), np.uint8), points, fps)
        return Spotted(middle(len(curve)), curve, 0.0, name, "none", chosen)
    grey, placed = _faces(frames, points)
    curve = spotter.curve(registered(grey, placed, registration), placed, fps)
    curve = smoothed(curve, spotter.smoothing_ms, fps)
    index = found(curve, chosen)
    return Spotted(index, curve, confidence(curve, index), name, registration, chosen)


def _method(method: str | Spotter) -> Spotter:
    if isinstance(method, str) and method in NAMED:
        return NAMED[method]
    if isinstance(method, str | type) or not callable(getattr(method, "curve", None)):
        raise ParameterError(f"method: expected a method or one of {', '.join(NAMED)}, got {method!r}")
    return method


def _search(method: str | Spotter, search: Search | None) -> Search:
    if search is None:
        return _method(method).search
    if search not in SEARCHES:
        raise ParameterError(f"search: expected one of {', '.join(SEARCHES)}, or None, got {search!r}")
    return search


def _count(frames: np.ndarray | Sequence[np.ndarray]) -> int:
    if not hasattr(frames, "__len__"):
        raise ParameterError(f"frames: expected an array or a list of frames, got {type(frames).__name__}")
    if not len(frames):
        raise ParameterError("frames: expected at least one, got none")
    return len(frames)


def _faces(frames: np.ndarray | Sequence[np.ndarray], points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the faces alone, uint8 grey (T, h, w), and the landmarks in them."""
    _count(frames)
    points = checked_mesh(points)
    grey = [grey8(frame, f"frame {index}") for index, frame in enumerate(frames)]
    sizes = {frame.shape for frame in grey}
    if len(sizes) > 1:
        raise ParameterError(f"frames: expected one size (rows, columns), got {sorted(sizes)}")
    box = _face_box(points, *grey[0].shape)
    faces = [cut(frame, box) for frame in grey]
    points = points - (box.left, box.top)
    factor = _LARGEST / max(faces[0].shape)
    if factor >= 1:
        return np.stack(faces), points
    size = [max(round(factor * side), 1) for side in faces[0].shape[::-1]]
    scale = np.array(size) / faces[0].shape[::-1]
    faces = [cv2.resize(face, size, interpolation=cv2.INTER_AREA) for face in faces]
    return np.stack(faces), (points + 0.5) * scale - 0.5


def _face_box(points: np.ndarray, height: int, width: int) -> Box:
    low, high = points.min(axis=0), points.max(axis=0)
    margin = _MARGIN * float((high - low).max())
    left, top = np.maximum(np.floor(low - margin), 0).astype(int)
    right, bottom = np.minimum(np.ceil(high + margin) + 1, (width, height)).astype(int)
    if left >= right or top >= bottom:
        raise DataError(f"the landmarks lie outside of the frames of {width}x{height} pixels: are they of this clip?")
    return Box(int(left), int(top), int(right), int(bottom))
