"""Frames of a clip that are a video file, read through FFmpeg."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame

from mer_lib.datasets.faults import Effect, Fault, Kind
from mer_lib.datasets.frames.containers import VIDEO_ENDINGS, VideoIndex, announced_fps, decoded, index_of, opened
from mer_lib.datasets.frames.picture import file_digest, files_stamp
from mer_lib.datasets.frames.source import (
    checked_indices,
    checked_range,
    digest_of,
    listed,
    printable,
    stacked,
    uniform,
)
from mer_lib.datasets.frames.upright import pictures
from mer_lib.errors import DataError

__all__ = ["VIDEO_ENDINGS", "VideoFile"]

FIRST_NUMBER = 1
UNEVEN = 0.25  # of the usual interval: what an interval between frames may differ from it


class VideoFile:
    """A video as the frames of one clip; see :class:`mer_lib.datasets.frames.source.FrameSource`.

    Nothing is read before the first question. The file is then gone through once without decoding, so that every frame
    has its number, also where the frame rate varies; frames are decoded from the key frame before the first one that is
    asked for, and only those asked for are kept. Phones store how they were held: frames come upright.
    """

    def __init__(self, path: Path) -> None:
        """Take the video at `path`."""
        self.path = path

    def __repr__(self) -> str:
        return f"<VideoFile {self.place}>"

    @property
    def place(self) -> str:
        """The file."""
        return printable(self.path)

    @cached_property
    def fps(self) -> float | None:
        """Frames a second on average; None where the file cannot be read or does not say it."""
        try:
            return announced_fps(self.path) or self._index.fps
        except DataError:
            return None

    def numbers(self) -> np.ndarray:
        """Return the number of each frame: int64 (T,), 1 to T.

        Raises:
            DataError: the file is missing, is no video, or holds no frame.
        """
        return np.arange(FIRST_NUMBER, FIRST_NUMBER + len(self._index.stamps), dtype=np.int64)

    def read(self, indices: Sequence[int] | None = None) -> np.ndarray:
        """Read frames.

        Args:
            indices: from 0, in any order, repeats allowed; all frames where None.

        Returns:
            uint8 (T, H, W, 3) RGB; a grey video has three equal channels.

        Raises:
            DataError: the file is no readable video, an index lies outside, a frame is damaged, or the size changes.
        """
        chosen = checked_indices(indices, len(self._index.stamps), self.place)
        if not chosen:
            return np.empty((0, *self.read([0]).shape[1:]), np.uint8)
        wanted, rows = np.unique(chosen, return_inverse=True)
        frames = stacked(self._pictures(self._runs(wanted)), len(wanted), self.place)
        return frames if np.array_equal(wanted, chosen) else frames[rows]

    def stream(self, start: int = 0, stop: int | None = None, step: int = 1) -> Iterator[np.ndarray]:
        """Yield the frames of range(start, stop, step) one by one, each uint8 (H, W, 3) RGB.

        Raises:
            ParameterError: `step` is below 1.
            DataError: as for :meth:`read`; of a damaged frame when its turn comes.
        """
        return self._pictures([checked_range(start, stop, step, len(self._index.stamps), self.place)])

    def check(self, sample_id: str, numbers: Sequence[int] | None = None) -> list[Fault]:
        """Decode frames and return what is wrong with the video.

        Args:
            sample_id: of the clip, for the faults.
            numbers: frames to decode, from 1; all where None, one after the other. Numbers above the last frame are
                passed over.

        Returns:
            At most one fault for each of: no readable video, damaged frames, sizes that change (all three "excludes"),
            a file that ends early, uneven times between frames (both "noted").
        """
        try:
            index = self._index
            count = len(index.stamps)
            wanted = range(count) if numbers is None else sorted({n - FIRST_NUMBER for n in numbers} & {*range(count)})
            sizes = self._sizes(wanted)
        except DataError as error:
            return [Fault("excludes", "unreadable video", str(error), sample_id)]
        told: list[tuple[Effect, Kind, str]] = [
            ("excludes", "unreadable video", _damage(wanted, sizes)),
            ("excludes", "odd size", _odd_sizes(sizes)),
            ("noted", "unreadable video", index.ends_early),
            ("noted", "odd frame rate", _uneven(index)),
        ]
        return [Fault(effect, kind, f"{self.place}: {text}", sample_id) for effect, kind, text in told if text]

    def stamp(self) -> str:
        """Return SHA-256 over name and size of the file, as 64 hexadecimal digits; nothing of it is read.

        Raises:
            DataError: there is no such file.
        """
        return files_stamp([self.path])

    def content(self, indices: Sequence[int] | None = None) -> str:
        """Return SHA-256 over the whole file and the indices, as 64 hexadecimal digits; nothing is decoded.

        The file is read through once; what came out is remembered until its size or its time of change is another.

        Raises:
            DataError: the file is missing, is no video or cannot be read, or an index lies outside.
        """
        chosen = checked_indices(indices, len(self._index.stamps), self.place)
        return digest_of([file_digest(self.path).encode(), ",".join(map(str, chosen)).encode()])

    @property
    def _index(self) -> VideoIndex:
        if isinstance(self._outcome, DataError):
            raise DataError(str(self._outcome))
        return self._outcome

    @cached_property
    def _outcome(self) -> VideoIndex | DataError:
        # A failure is kept too: to find out that a file is damaged can take seconds.
        try:
            return index_of(self.path)
        except DataError as error:
            return error

    def _pictures(self, runs: Iterable[Sequence[int]]) -> Iterator[np.ndarray]:
        found = chain.from_iterable(self._run(run) for run in runs)
        return uniform(pictures((f"{self.place}, frame {index + FIRST_NUMBER}", frame) for index, frame in found))

    def _run(self, wanted: Sequence[int]) -> Iterator[tuple[int, VideoFrame]]:
        """Yield (index, frame) for each of the increasing indices `wanted`."""
        remaining = iter(wanted)
        target = next(remaining, None)
        if target is None:
            return
        for index, frame in self._numbered(target):
            if index > target:
                break
            if index == target:
                yield index, frame
                target = next(remaining, None)
                if target is None:
                    return
        raise DataError(f"{self.place}: frame {target + FIRST_NUMBER} cannot be decoded; see `mer data check`")

    def _runs(self, wanted: Sequence[int] | np.ndarray) -> list[list[int]]:
        """Split increasing indices where seeking is faster: where a key frame that none of them needs lies between."""
        runs: list[list[int]] = []
        last_key = -2
        for index, key in zip(map(int, wanted), np.searchsorted(self._index.keys, wanted, side="right"), strict=True):
            if not runs or (self._index.exact and key > last_key + 1):
                runs.append([])
            runs[-1].append(index)
            last_key = key
        return runs

    def _numbered(self, first: int) -> Iterator[tuple[int, VideoFrame]]:
        """Yield (index, frame) in order, from `first` or some frame before it on, without those that are damaged."""
        index = self._index
        for start in _starts(index, first):
            with opened(self.path) as video:
                if not index.exact:
                    yield from enumerate(decoded(video, index.end, skip_damage=False))
                    return
                frames = decoded(video, index.end, start)
                head = next(frames, None)
                # A file may call frames key frames that others have to come before: then from the beginning.
                if start is not None and (head is None or head.pts is None or head.pts > index.stamps[first]):
                    continue
                yield from _by_stamps(chain([head] if head else [], frames), index.stamps)
                return

    def _sizes(self, wanted: Sequence[int]) -> dict[int, tuple[int, int]]:
        """Decode frames and return (width, height) as stored, of each that is whole, by its index."""
        sizes = {}
        for run in self._runs(wanted):
            chosen = frozenset(run)
            for index, frame in self._numbered(run[0]):
                if index in chosen:
                    sizes[index] = (frame.width, frame.height)
                if index >= run[-1]:
                    break
        return sizes


def _starts(index: VideoIndex, first: int) -> list[int | None]:
    """Return from which stamps to decode until frame `first` is found: the key frame before it, then the beginning."""
    before = index.keys[index.keys <= first]
    return [int(index.stamps[before[-1]]), None] if index.exact and len(before) > 1 else [None]


def _by_stamps(frames: Iterable[VideoFrame], stamps: np.ndarray) -> Iterator[tuple[int, VideoFrame]]:
    for frame in frames:
        at = len(stamps) if frame.pts is None else int(np.searchsorted(stamps, frame.pts))
        if at < len(stamps) and stamps[at] == frame.pts:
            yield at, frame


def _damage(wanted: Sequence[int], sizes: Mapping[int, tuple[int, int]]) -> str:
    lost = [str(index + FIRST_NUMBER) for index in wanted if index not in sizes]
    return f"{len(lost)} of {len(wanted)} frames cannot be decoded: {listed(lost)}" if lost else ""


def _odd_sizes(sizes: Mapping[int, tuple[int, int]]) -> str:
    if len(set(sizes.values())) < 2:
        return ""
    usual = Counter(sizes.values()).most_common(1)[0][0]
    odd = [f"{index + FIRST_NUMBER} is {w}x{h}" for index, (w, h) in sizes.items() if (w, h) != usual]
    return f"frames are {usual[0]}x{usual[1]}, but {listed(odd)}"


def _uneven(index: VideoIndex) -> str:
    if len(index.stamps) < 3:
        return ""
    intervals = np.diff(index.stamps)
    usual = float(np.median(intervals))
    odd = np.abs(intervals - usual) > max(UNEVEN * usual, 1)
    if not odd.any():
        return ""
    ms = 1000 * float(index.tick)
    return (
        f"the frame rate varies: {int(odd.sum())} of {len(intervals)} intervals between frames are not "
        f"{usual * ms:.1f} ms, the longest is {intervals.max() * ms:.1f} ms"
    )
