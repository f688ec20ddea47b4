"""Where the frames of one clip come from: a folder of images, a video, an archive. Frames are read when asked for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from mer_lib.datasets.faults import Fault
from mer_lib.errors import DataError, ParameterError

_LISTED = 10


class FrameSource(Protocol):
    """The frames of one clip; opening it reads no frame.

    Frame numbers are those of the data set's own files (a video's count from 1), indices count from 0.
    """

    @property
    def place(self) -> str:
        """Where the frames lie, to show to people."""

    @property
    def fps(self) -> float | None:
        """Frames a second where the file itself says it; None otherwise, and where the file cannot be read."""

    def numbers(self) -> np.ndarray:
        """Return the number of each frame: int64 (T,), increasing.

        Raises:
            DataError: the place is missing, unreadable or holds no frame.
        """

    def read(self, indices: Sequence[int] | None = None) -> np.ndarray:
        """Read frames.

        Args:
            indices: from 0, in any order, repeats allowed; all frames where None.

        Returns:
            uint8 (T, H, W, 3) RGB; a grey image has three equal channels.

        Raises:
            DataError: an index lies outside, an image is unreadable, or sizes differ within the clip.
        """

    def stream(self, start: int = 0, stop: int | None = None, step: int = 1) -> Iterator[np.ndarray]:
        """Yield the frames of range(start, stop, step) one by one, each uint8 (H, W, 3) RGB.

        Memory does not grow with the length of the clip.

        Raises:
            ParameterError: `step` is below 1.
            DataError: as for :meth:`read`; of a damaged frame when its turn comes.
        """

    def check(self, sample_id: str, numbers: Sequence[int] | None = None) -> list[Fault]:
        """Decode frames and return what is wrong with them; never raises for what lies on the disk.

        Args:
            sample_id: of the clip, for the faults.
            numbers: frames to decode; all where None. Numbers without a frame are not this method's concern.
        """

    def stamp(self) -> str:
        """Return SHA-256 over names and sizes of the files, as 64 hexadecimal digits; no frame is decoded.

        Raises:
            DataError: the place is missing or cannot be read.
        """

    def content(self, indices: Sequence[int] | None = None) -> str:
        """Return SHA-256 over the stored bytes of frames, in their order, as 64 hexadecimal digits; none is decoded.

        It follows what is stored and not where, nor under which name. Of a video, whose frames share their bytes, it
        covers the whole file and the indices.

        Args:
            indices: from 0, in any order, repeats allowed; all frames where None.

        Raises:
            DataError: the place is missing or cannot be read, or an index lies outside.
        """


def digest_of(contents: Iterable[bytes]) -> str:
    """Return SHA-256 over pieces of bytes, each with its length, so that no two lists of pieces share a digest.

    >>> digest_of([b"ab", b"c"]) == digest_of([b"a", b"bc"])
    False
    """
    total = hashlib.sha256()
    for content in contents:
        total.update(f"{len(content)}:".encode())
        total.update(content)
    return total.hexdigest()


def checked_indices(indices: Sequence[int] | None, count: int, place: str) -> list[int]:
    """Return `indices` of a clip with `count` frames as ints, all of them where None.

    Raises:
        DataError: one of them is no whole number from 0 to count - 1.
    """
    if indices is None:
        return list(range(count))
    wrong = [index for index in indices if not _is_index(index, count)]
    if wrong:
        shown = ", ".join(repr(index) for index in wrong[:5]) + (" and others" if len(wrong) > 5 else "")
        raise DataError(f"{place}: expected frame indices from 0 to {count - 1}, whole numbers, got {shown}")
    return [int(index) for index in indices]


def checked_range(start: int, stop: int | None, step: int, count: int, place: str) -> range:
    """Return range(start, stop, step) over the frames of a clip; None stands for its end.

    Raises:
        ParameterError: `step` is below 1.
        DataError: start or stop lies outside of the clip.
    """
    if step < 1:
        raise ParameterError(f"expected a step of at least 1 frame, got {step}")
    stop = count if stop is None else stop
    if not (0 <= start <= count and 0 <= stop <= count):
        raise DataError(f"{place}: expected start and stop from 0 to {count}, got {start} and {stop}")
    return range(start, stop, step)


def stacked(frames: Iterable[np.ndarray], count: int, place: str) -> np.ndarray:
    """Return `count` (1 or more) frames of one size as one array: uint8 (T, H, W, 3).

    Raises:
        DataError: they do not fit into memory together.
    """
    iterator = iter(frames)
    first = next(iterator)
    try:
        array = np.empty((count, *first.shape), np.uint8)
    except MemoryError:
        raise DataError(
            f"{place}: {count} frames of {size_text(first)} do not fit into memory: read fewer, or stream them"
        ) from None
    array[0] = first
    for index, frame in enumerate(iterator, start=1):
        array[index] = frame
    return array


def uniform(frames: Iterable[tuple[str, np.ndarray]]) -> Iterator[np.ndarray]:
    """Pass frames on as long as all have the size of the first one; each comes with what to call it in an error.

    Raises:
        DataError: one has another size.
    """
    shape: tuple[int, ...] | None = None
    for name, frame in frames:
        shape = shape or frame.shape
        if frame.shape != shape:
            raise DataError(
                f"{name}: expected {shape[1]}x{shape[0]} pixels as in the frame read first, got {size_text(frame)}"
            )
        yield frame


def listed(items: Sequence[str], separator: str = ", ", most: int = _LISTED) -> str:
    """Return items as one text that stays short: at most so many of them, and how many more there are.

    >>> listed([str(number) for number in range(1, 13)])
    '1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more'
    """
    more = f"{separator.rstrip(', ')} and {len(items) - most} more" if len(items) > most else ""
    return separator.join(items[:most]) + more


def printable(place: Path | str) -> str:
    """Return a path as text that can be printed and stored, also where a name is no proper UTF-8."""
    return os.fsencode(place).decode("utf-8", "replace").replace("\0", "\ufffd")


def size_text(frame: np.ndarray) -> str:
    """Return the size of a frame as people write it, width before height.

    >>> size_text(np.zeros((480, 640, 3), np.uint8))
    '640x480'
    """
    return f"{frame.shape[1]}x{frame.shape[0]}"


def _is_index(value: object, count: int) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(0 <= value < count)
