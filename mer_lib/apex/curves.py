"""Curves of difference over a clip: how they are made of its regions, smoothed, searched for the apex, and judged.

A curve has one value a frame, 0 or more. The apex is sought where it is high.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

Reference = Literal["first", "both", "nearer"]
Search = Literal["highest", "peak", "divide"]

REFERENCES: tuple[Reference, ...] = ("first", "both", "nearer")
SEARCHES: tuple[Search, ...] = ("highest", "peak", "divide")


def combined(
    from_first: np.ndarray, from_last: np.ndarray, reference: Reference, strongest: int | None = None
) -> np.ndarray:
    """Return the curve (T,) of what differs in several regions.

    Head motion and light drift, so whatever is measured against the first frame alone grows until the last. The last
    frame is neutral too: "both" adds the difference from it, "nearer" takes the smaller of the two. There the first and
    last frame, which are compared with themselves, take the values beside them: all others hold noise twice.

    >>> first, last = np.array([[0.0], [1.0], [3.0], [4.0]]), np.array([[4.0], [3.0], [2.0], [0.0]])
    >>> combined(first, last, "both").tolist(), combined(first, last, "nearer").tolist()
    ([4.0, 4.0, 5.0, 4.0], [1.0, 1.0, 2.0, 2.0])

    Args:
        from_first: (T, R) difference of each region from the first frame.
        from_last: (T, R) difference from the last frame.
        reference: one of :data:`REFERENCES`.
        strongest: mean over so many regions, those with the greatest values in that frame; None: over all.
    """
    values = {"first": from_first, "both": from_first + from_last, "nearer": _nearer(from_first, from_last)}[reference]
    count = values.shape[1] if strongest is None else min(strongest, values.shape[1])
    return np.sort(values, axis=1)[:, values.shape[1] - count :].mean(axis=1)


def _nearer(from_first: np.ndarray, from_last: np.ndarray) -> np.ndarray:
    values = np.minimum(from_first, from_last)
    if len(values) > 2:
        values[0], values[-1] = values[1], values[-2]
    return values


def smoothed(curve: np.ndarray, milliseconds: float, fps: float | None) -> np.ndarray:
    """Return a curve smoothed by a Gaussian whose standard deviation is so many milliseconds.

    Where the frame rate is not known, or the time is 0, it stays as it is.
    """
    if not milliseconds or fps is None:
        return curve
    return gaussian_filter1d(curve, milliseconds / 1000 * fps, mode="nearest")


def found(curve: np.ndarray, search: Search) -> int:
    """Return the index of the apex in a curve (T,); the middle frame where all values are equal.

    "highest" takes the highest frame, be it the first or last one; "peak" the highest that is higher than both
    neighbours, as an apex lies between onset and offset; "divide" searches the peaks as :func:`divided` does. Without
    any peak it is the highest frame.

    >>> rising = np.array([0.0, 2.0, 1.0, 3.0])
    >>> found(rising, "highest"), found(rising, "peak")
    (3, 1)
    """
    peaks = find_peaks(curve)[0]
    if np.ptp(curve) == 0:
        return middle(len(curve))
    if search == "highest" or not len(peaks):
        return int(np.argmax(curve))
    return divided(curve) if search == "divide" else int(peaks[np.argmax(curve[peaks])])


def middle(n_frames: int) -> int:
    """Return the index of the middle frame, the earlier of two.

    >>> middle(1), middle(2), middle(5)
    (0, 0, 2)
    """
    return (n_frames - 1) // 2


def divided(curve: np.ndarray) -> int:
    """Return the peak that is left when the half with the smaller sum of peaks is dropped again and again.

    One high peak does not win against several lower ones in the other half. Peaks are frames higher than both
    neighbours, of several equal ones the middle one; without any, it is the highest frame. Of equal halves the earlier
    is kept.

    >>> divided(np.array([0, 5, 0, 0, 0, 3, 0, 4, 0])), int(np.argmax([0, 5, 0, 0, 0, 3, 0, 4, 0]))
    (7, 1)

    Source: Liong, See, Wong, Le Ngo, Oh, Phan, "Automatic apex frame spotting in micro-expression database",
    ACPR 2015.
    """
    peaks = find_peaks(curve)[0]
    if not len(peaks):
        return int(np.argmax(curve))
    low, high = 0, len(curve) - 1
    while len(peaks) > 1:
        half = (low + high) // 2
        early, late = peaks[peaks <= half], peaks[peaks > half]
        if curve[early].sum() >= curve[late].sum():
            peaks, high = early, half
        else:
            peaks, low = late, half + 1
    return int(peaks[0])


def confidence(curve: np.ndarray, index: int) -> float:
    """Return how far a curve is one hill on level ground with its top at `index`: 1 for such a hill, 0 for none.

    It is the product of two shares: of all ups and downs of the curve, those of one rise to the index and one fall from
    it, as long as the shorter of the two; and of the height of the top, the shorter of the two. Noise, which lifts the
    ground, several hills, and a top at the end of the clip make it small. It is no probability.

    >>> hill = np.array([0.0, 1.0, 2.0, 1.0, 0.0])
    >>> confidence(hill, 2), confidence(2 + hill, 2), confidence(hill[:3], 2)
    (1.0, 0.5, 0.0)

    Args:
        curve: (T,), 0 or more.
        index: of its top.
    """
    way = float(np.abs(np.diff(curve)).sum())
    if way == 0:
        return 0.0
    top = float(curve[index])
    height = min(top - float(curve[: index + 1].min()), top - float(curve[index:].min()))
    return float(np.clip(2 * height / way, 0, 1) * np.clip(height / top, 0, 1)) if top > 0 else 0.0
