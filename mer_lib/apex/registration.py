"""Registration: frames turned and shifted so that the head stands where it stood in the first."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from mer_lib.apex.light import eight_bits, evened
from mer_lib.errors import DataError, ParameterError
from mer_lib.faces.regions import stable_mask
from mer_lib.motion import Box, grey8

Registration = Literal["none", "ecc", "stable"]

REGISTRATIONS: tuple[Registration, ...] = ("none", "ecc", "stable")

# ECC works on the rigid part enlarged or reduced to so many pixels on its longer side; OpenCV blurs it besides.
_ECC_SIDE = 96
_ECC_END = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 1e-5)
# Tracked points: at most so many corners of the rigid part, in windows of such a side, on so many coarser levels.
_TRACKED = 120
_WINDOW = (21, 21)
_LEVELS = 2
# Fewer tell no similarity from noise; nor does a smaller share of the corners.
_FEWEST, _SHARE = 6, 0.3
# Pixels from where a corner came from that it may end when it is tracked there and back.
_ASTRAY = 1.0
_STILL = np.eye(2, 3)


def registered(frames: np.ndarray, points: np.ndarray, how: Registration = "stable") -> np.ndarray:
    """Return frames in which the rigid part of the face stays where it is in the first frame.

    "ecc" maximises the enhanced correlation of the rigid part with that of the first frame, over shifts and turns; it
    does not mind a change of light. "stable" tracks corners of the rigid part (pyramidal Lucas and Kanade) and fits
    shift, turn and growth, the least median of squares; corners that do not lead back do not count. The rigid part is
    the upper forehead, the temples and the bridge of the nose. A frame in which either fails is moved as the one before
    it.

    Args:
        frames: (T, H, W) grey or (T, H, W, 3) RGB, uint8, or floating in 0..1.
        points: (478, 2) landmarks in the first frame, in pixels.
        how: one of :data:`REGISTRATIONS`.

    Returns:
        Of the shape and type of `frames`; borders are repeated, values between pixels are cubic.

    Raises:
        ParameterError: `how` is unknown, the frames or the points have another form.
        DataError: the rigid part lies outside of the frames.

    Source: enhanced correlation, Evangelidis and Psarakis 2008. The papers on spotting register nothing.
    """
    matrices = transforms(frames, points, how)
    if how == "none" or not len(frames):
        return frames
    return np.stack([_moved(frame, matrix) for frame, matrix in zip(frames, matrices, strict=True)])


def transforms(frames: np.ndarray, points: np.ndarray, how: Registration = "stable") -> np.ndarray:
    """Return where the head went: float64 (T, 2, 3), each takes (x, y, 1) of the first frame into frame t, in px.

    Arguments and errors as for :func:`registered`.
    """
    check_registration(how)
    if how == "none" or not len(frames):
        return np.repeat(_STILL[None], len(frames), axis=0)
    grey = [grey8(frame, f"frame {index}") for index, frame in enumerate(frames)]
    sizes = {frame.shape for frame in grey}
    if len(sizes) > 1:
        raise ParameterError(f"frames: expected one size (rows, columns), got {sorted(sizes)}")
    mask = stable_mask(points, *grey[0].shape)
    if not mask.any():
        raise DataError("registration: forehead, temples and nose lie outside of the frames; check the landmarks")
    return (_by_correlation if how == "ecc" else _by_tracking)(grey, mask)


def check_registration(how: str) -> None:
    """Refuse what is no registration.

    Raises:
        ParameterError: `how` is none of :data:`REGISTRATIONS`.
    """
    if how not in REGISTRATIONS:
        raise ParameterError(f"registration: expected one of {', '.join(REGISTRATIONS)}, got {how!r}")


def _moved(frame: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return a frame taken back to where the first one is."""
    size = (frame.shape[1], frame.shape[0])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    source = frame if frame.dtype == np.uint8 else frame.astype(np.float32)
    return cv2.warpAffine(source, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE).astype(frame.dtype)


# -- enhanced correlation ---------------------------------------------------------------------------------------------


def _by_correlation(frames: list[np.ndarray], mask: np.ndarray) -> np.ndarray:
    box = _around(mask)  # all of it: with a mask, OpenCV's iteration runs away
    factor = _ECC_SIDE / max(box.right - box.left, box.bottom - box.top)
    first = _patch(frames[0], box, factor)
    warp, found = np.eye(2, 3, dtype=np.float32), [_STILL]
    for frame in frames[1:]:
        warp = _correlated(first, _patch(frame, box, factor), warp)
        found.append(_in_frame(warp, box, factor))
    return np.stack(found)


def _around(mask: np.ndarray) -> Box:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def _patch(frame: np.ndarray, box: Box, factor: float) -> np.ndarray:
    part = frame[box.top : box.bottom, box.left : box.right]
    size = [max(round(factor * length), 1) for length in part.shape[::-1]]
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)


def _correlated(first: np.ndarray, patch: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return the warp of the greatest correlation near `start`; `start` itself where there is none."""
    try:
        return np.asarray(cv2.findTransformECC(first, patch, start.copy(), cv2.MOTION_EUCLIDEAN, _ECC_END)[1])
    except cv2.error:  # nothing to see in the patch, or too far away
        return start


def _in_frame(warp: np.ndarray, box: Box, factor: float) -> np.ndarray:
    """Return the warp of a patch as one of the whole frame."""
    turn, shift = warp[:, :2].astype(np.float64), warp[:, 2].astype(np.float64)
    # Pixel p of a patch lies at corner + (p + 0.5) / factor - 0.5 of the frame.
    corner = np.array([box.left, box.top]) + 0.5 / factor - 0.5
    return np.column_stack([turn, shift / factor + corner - turn @ corner])


# -- tracked points ---------------------------------------------------------------------------------------------------


def _by_tracking(frames: list[np.ndarray], mask: np.ndarray) -> np.ndarray:
    even = eight_bits(evened(np.stack(frames), mask))  # tracking takes a change of light for movement
    apart = max(np.sqrt(mask.sum() / _TRACKED) / 2, 1.0)
    corners = cv2.goodFeaturesToTrack(even[0], _TRACKED, 0.001, apart, mask=mask.astype(np.uint8))
    if corners is None or len(corners) < _FEWEST:
        return np.repeat(_STILL[None], len(frames), axis=0)
    found = [_STILL]
    for frame in even[1:]:
        found.append(_tracked(even[0], frame, corners, found[-1]))
    return np.stack(found)


def _tracked(first: np.ndarray, frame: np.ndarray, corners: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Return the similarity that takes corners (N, 1, 2) of the first frame to a frame, sought near `last`.

    A corner counts where tracking it back leads to where it came from. Where too few do, the frame shows something else
    (a flash, a hand), and `last` itself is returned.
    """
    there, seen = _followed(first, frame, corners, cv2.transform(corners, last))
    back, seen_again = _followed(frame, first, there, corners)
    counts = seen & seen_again & (np.linalg.norm(back - corners, axis=-1) < _ASTRAY)
    if counts.sum() < max(_FEWEST, _SHARE * len(corners)):
        return last
    matrix, _ = cv2.estimateAffinePartial2D(corners[counts], there[counts], method=cv2.LMEDS)
    return last if matrix is None else matrix


def _followed(
    first: np.ndarray, then: np.ndarray, points: np.ndarray, guess: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return where points (N, 1, 2) of one image lie in the other, and which were found: bool (N, 1)."""
    places, seen, _ = cv2.calcOpticalFlowPyrLK(
        first, then, points, guess.astype(np.float32), winSize=_WINDOW, maxLevel=_LEVELS,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )  # fmt: skip
    return places, seen > 0
