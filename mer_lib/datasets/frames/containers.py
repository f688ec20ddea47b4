"""Opening video files with FFmpeg (through PyAV), and finding their frames without decoding one.

Whatever a file turns out to be, what comes out of here is frames or a DataError, within seconds: only the three
containers that people's cameras write are tried, no other file and no address that a video may name is ever opened,
and no single step may take longer than a few seconds.
"""

from __future__ import annotations

import errno
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mer_lib.datasets.frames.picture import MAX_PIXELS, size_on_disk
from mer_lib.datasets.frames.source import printable
from mer_lib.errors import DataError

VIDEO_ENDINGS = (".mp4", ".avi", ".mov", ".m4v", ".mkv")
MAX_SECONDS = 4.0  # for opening, and for each packet: a file that is mostly holes would be searched for minutes
_OPTIONS = {"format_whitelist": "mov,avi,matroska", "protocol_whitelist": "file"}
_MOST = 0.9


class Video(NamedTuple):
    """An open file and its stream of pictures."""

    container: InputContainer
    stream: VideoStream


class VideoIndex(NamedTuple):
    """When each frame is shown, and from where decoding can begin.

    Attributes:
        stamps: int64 (T,), increasing: time of each frame, in ticks.
        keys: int64 (K,), increasing: indices from 0 of frames that need no other frame.
        tick: seconds.
        exact: whether decoded frames are known by their stamps; else only by counting from the first one.
        fps: frames a second on average; None where the file does not tell.
        end: position in the file, in bytes, of the last packet of pictures; None where unknown.
        ends_early: what the file announces and what was found, where that is less; else empty.
    """

    stamps: np.ndarray
    keys: np.ndarray
    tick: Fraction
    exact: bool
    fps: float | None
    end: int | None
    ends_early: str


class _Packets(NamedTuple):
    """What one pass over the packets of pictures has found."""

    stamps: array[int]
    keys: array[int]
    in_order: bool  # stored in the order of display
    end: int | None


@contextmanager
def opened(path: Path) -> Iterator[Video]:
    """Open a video; whatever goes wrong inside of the `with` block is told as a DataError that names the file.

    Raises:
        DataError: the file is missing, empty, no MP4, MOV, AVI or MKV file, cut short or damaged, has no pictures,
            pictures too large (above 50 million pixels), or pictures in a format that FFmpeg does not decode.
    """
    try:
        if size_on_disk(path) == 0:
            raise DataError("is an empty file")
        with av.open(
            f"file:{path}", "r", container_options=_OPTIONS, metadata_errors="replace", timeout=MAX_SECONDS
        ) as container:
            yield Video(container, _pictures_of(container))
    except DataError as error:
        raise DataError(f"{printable(path)}: {error}") from None
    except (av.FFmpegError, OSError, ValueError, MemoryError) as error:
        raise DataError(f"{printable(path)}: expected a video (MP4, MOV, AVI or MKV), got {_said(error)}") from None


def decoded(video: Video, end: int | None, start: int | None = None, skip_damage: bool = True) -> Iterator[VideoFrame]:
    """Yield frames in the order in which they are shown, without damaged ones.

    What follows on damage is computed from it, so frames are left out until the next key frame. Damage that FFmpeg
    hides without saying so stays unnoticed.

    Args:
        video: an open video, used for nothing before.
        end: position of the last packet, see :class:`VideoIndex`; what comes after it is not searched again.
        start: stamp of a key frame to begin with, in ticks; the first frame where None.
        skip_damage: go on after damage; else end there.
    """
    whole = True
    for packet in _demuxed(video, start, end):
        try:
            frames = video.stream.decode(packet)
        except av.FFmpegError:
            frames, whole = [], False
        for frame in frames:
            whole = not frame.is_corrupt and (whole or frame.key_frame)
            if whole:
                yield frame
        if not (whole or skip_damage):
            return


def index_of(path: Path) -> VideoIndex:
    """Find all frames of a video by reading it once, packet by packet, without decoding.

    Raises:
        DataError: as for :func:`opened`, or there is no frame.
    """
    with opened(path) as video:
        found = _packets(video)
        if not found.stamps:
            raise DataError("expected a video with frames, got one without any")
        order = np.sort(np.frombuffer(found.stamps, np.int64))
        tick = video.stream.time_base or Fraction(1)
        # AVI holds no times of display: where frames are stored out of order, FFmpeg guesses them.
        exact = bool(np.all(np.diff(order) > 0)) and (found.in_order or not _is(video, "avi"))
        return VideoIndex(
            stamps=order,
            keys=np.searchsorted(order, np.unique(np.frombuffer(found.keys, np.int64))),
            tick=tick,
            exact=exact,
            fps=_announced_fps(video) or _measured_fps(order, tick, video.stream.average_rate),
            end=found.end,
            ends_early=_ends_early(video, order, tick),
        )


def announced_fps(path: Path) -> float | None:
    """Return the frame rate that a file announces, without going through its frames; None where it cannot be relied on.

    Raises:
        DataError: as for :func:`opened`.
    """
    with opened(path) as video:
        return _announced_fps(video)


def _pictures_of(container: InputContainer) -> VideoStream:
    # The cover picture of a song counts as a video stream too.
    streams = [one for one in container.streams.video if not one.disposition & Disposition.attached_pic]
    if not streams:
        raise DataError("expected a video, got a file without pictures (sound alone?)")
    stream = streams[0]
    if stream.codec_context is None:
        raise DataError("its pictures are in a format that FFmpeg does not decode: convert it to H.264 first")
    if stream.width * stream.height > MAX_PIXELS:
        raise DataError(f"expected at most {MAX_PIXELS // 10**6} million pixels, got {stream.width}x{stream.height}")
    if stream.codec_context.name == "mjpeg":  # this decoder tells of damage only where it is made to fail
        stream.codec_context.options = {"err_detect": "explode"}
    return stream


def _packets(video: Video) -> _Packets:
    stamps, keys, in_order, end = array("q"), array("q"), True, None
    try:
        for packet in video.container.demux(video.stream):
            if packet.size == 0 or packet.is_corrupt:
                continue
            end = packet.pos
            if packet.is_discard:  # only there for others to be decoded
                continue
            stamp = packet.pts if packet.pts is not None else packet.dts
            in_order &= packet.pts is not None and packet.pts == packet.dts
            stamps.append(0 if stamp is None else stamp)
            if packet.is_keyframe:
                keys.append(stamps[-1])
    except av.FFmpegError:  # the file ends within a packet
        if not stamps:
            raise
    return _Packets(stamps, keys, in_order, end)


def _demuxed(video: Video, start: int | None, end: int | None) -> Iterator[av.Packet | None]:
    """Yield packets and at last None, for which the decoder hands out the frames that still wait in it."""
    try:
        if start is not None:
            video.container.seek(start, stream=video.stream)
        for packet in video.container.demux(video.stream):
            if packet.size:
                yield packet
            if packet.pos is not None and packet.pos == end:
                break
    except av.FFmpegError:  # no such place, or the file ends within a packet: who asked for more frames misses them
        pass
    yield None


def _ends_early(video: Video, stamps: np.ndarray, tick: Fraction) -> str:
    announced, found = video.stream.frames, len(stamps)
    if announced > found:
        return f"its header announces {announced} frames, {found} can be read: was it copied completely?"
    seconds = (video.container.duration or 0) / av.time_base
    last = float(int(stamps[-1]) * tick)
    # Where frames are not announced, seconds are; those of the sound may be some more.
    if not announced and last < _MOST * seconds - 1:
        return f"its header announces {seconds:.1f} s, frames can be read until {last:.1f} s: was it copied completely?"
    return ""


def _said(error: Exception) -> str:
    if isinstance(error, av.error.ExitError):
        return f"nothing of one within {MAX_SECONDS:.0f} s"
    # An invalid argument is what FFmpeg calls a container that is not among those to be tried.
    if isinstance(error, av.error.InvalidDataError | av.error.ArgumentError) or error.args[:1] == (errno.EINVAL,):
        return "something else, or one that is damaged or was copied in part"
    return str(getattr(error, "strerror", None) or str(error) or type(error).__name__)


def _announced_fps(video: Video) -> float | None:
    # Matroska files need not say it: what FFmpeg then says is a guess from the first frames.
    return None if _is(video, "matroska") else _positive(video.stream.average_rate)


def _measured_fps(stamps: np.ndarray, tick: Fraction, guess: Fraction | None) -> float | None:
    """Return the mean rate from stamps, or `guess` where the stamps, rounded to ticks, do not contradict it."""
    seconds = float((int(stamps[-1]) - int(stamps[0])) * tick)
    if len(stamps) < 2 or seconds <= 0:
        return _positive(guess)
    measured, guessed = (len(stamps) - 1) / seconds, _positive(guess)
    return guessed if guessed and abs(guessed / measured - 1) <= 2 * float(tick) / seconds else measured


def _positive(rate: Fraction | None) -> float | None:
    return float(rate) if rate is not None and rate > 0 else None


def _is(video: Video, container: str) -> bool:
    return container in video.container.format.name.split(",")
