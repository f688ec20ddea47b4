"""Decoded frames of a video as pictures: RGB, and turned as a player would show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import av
import numpy as np
from av.video.frame import VideoFrame

from mer_lib.errors import DataError

_NONE = (1, 0, 0, 1)


def pictures(frames: Iterable[tuple[str, VideoFrame]]) -> Iterator[tuple[str, np.ndarray]]:
    """Turn decoded frames of one video into pictures, each with what to call it in an error.

    Phones store how they were held in the file as a whole, so the first frame tells it for all.

    Yields:
        The name that came with the frame, and the frame as uint8 (H, W, 3) RGB.

    Raises:
        DataError: the colours of a frame cannot be converted.
    """
    matrix = None
    for name, frame in frames:
        matrix = matrix or _display_matrix(frame)
        try:
            image = frame.to_ndarray(format="rgb24")
        except (av.FFmpegError, ValueError, MemoryError) as error:
            raise DataError(f"{name}: its colours cannot be converted to RGB ({error})") from None
        yield name, shown(image, matrix)


def shown(image: np.ndarray, matrix: tuple[int, int, int, int]) -> np.ndarray:
    """Turn and mirror a picture by quarters.

    Args:
        image: uint8 (H, W, 3).
        matrix: (a, b, c, d): what is stored at (x, y) is shown at (a x + c y, b x + d y), up to a shift, as FFmpeg's
            libavutil/display.h has it.

    Returns:
        uint8 (H, W, 3), or (W, H, 3) after a quarter turn.

    >>> shown(np.arange(6).reshape(2, 3, 1), (0, -1, 1, 0))[..., 0].tolist()  # a quarter turn against the clock
    [[2, 5], [1, 4], [0, 3]]
    """
    a, b, c, d = matrix
    if abs(a) < abs(b):
        image, a, d = image.swapaxes(0, 1), c, b
    return np.ascontiguousarray(image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


def _display_matrix(frame: VideoFrame) -> tuple[int, int, int, int]:
    # Asked for once a video: it ties a frame into a circle of references, which stays in memory for a while.
    side_data = cast("Mapping[str, Any]", frame.side_data)
    try:
        a, b, _, c, d = np.frombuffer(side_data["DISPLAYMATRIX"], np.int32)[:5].tolist()
    except (KeyError, ValueError):  # ValueError: there is something besides that PyAV has no name for
        return _NONE
    return a, b, c, d
