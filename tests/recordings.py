"""Writers of small recordings whose frames tell their own index, and of files that are none."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

BLOCK = 16
SHAPE = (48, 64)  # rows and columns: 3 x 4 blocks, each one binary digit
#: Container and codec as cameras and programs write them, and what is special about each.
KINDS: dict[str, dict[str, Any]] = {
    "h264.mp4": {},
    "h264.mov": {},
    "h264.mkv": {},
    "h264.avi": {},  # frames out of order in a container without times of display
    "open.mp4": {"options": {"x264-params": "open-gop=1:bframes=3"}},
    "refresh.mp4": {"options": {"x264-params": "intra-refresh=1:keyint=12"}},  # key frames that need others
    "short.mp4": {"gop": 2},
    "h265.mp4": {"codec": "libx265", "options": {"x265-params": "log-level=none"}},
    "vp9.mkv": {"codec": "libvpx-vp9"},
    "mpeg4.avi": {"codec": "mpeg4"},
    "b_frames.avi": {"codec": "mpeg4", "options": {"bf": "2"}},
    "mjpeg.avi": {"codec": "mjpeg", "pixels": "yuvj420p"},
    "raw.avi": {"codec": "rawvideo", "pixels": "bgr24"},
    "ffv1.mkv": {"codec": "ffv1", "pixels": "yuv444p"},
    "grey.mkv": {"codec": "ffv1", "pixels": "gray"},
}


def numbered(index: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """Return a frame, uint8 (H, W, 3), with the binary digits of `index` (below 4096) as white blocks."""
    image = np.zeros((*shape, 3), np.uint8)
    for digit in range(12):
        row, column = divmod(digit, 4)
        if index >> digit & 1:
            image[row * BLOCK : (row + 1) * BLOCK, column * BLOCK : (column + 1) * BLOCK] = 255
    return image


def index_in(frame: np.ndarray) -> int:
    """Return the index that a frame of :func:`numbered` tells, also after lossy packing."""
    blocks = frame[: SHAPE[0], : SHAPE[1]].mean(-1).reshape(3, BLOCK, 4, BLOCK)
    digits = blocks[:, 4:-4, :, 4:-4].mean((1, 3)).ravel() > 127
    return int(sum(1 << digit for digit in np.flatnonzero(digits)))


def write_video(
    path: Path,
    count: int = 40,
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    rate: int = 30,
    gop: int = 12,
    options: dict[str, str] | None = None,
    stamps: Sequence[int] | None = None,
    display: tuple[Any, ...] | None = None,
    shape: tuple[int, int] = SHAPE,
) -> Path:
    """Write a video of numbered frames.

    Args:
        path: its ending chooses the container.
        count: of frames.
        codec, pixels, options: as FFmpeg names them.
        rate: frames a second.
        gop: frames from one key frame to the next.
        stamps: when each frame is shown, in ms; evenly where None.
        display: degrees against the clock, mirrored sideways, mirrored upwards: how a player shows it.
        shape: rows and columns of a frame.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = shape
        stream.pix_fmt, stream.gop_size = pixels, gop
        if display:
            stream.set_display_rotation(*display)
        if stamps is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(numbered(index, shape), format="rgb24")
            if stamps is not None:
                frame.pts, frame.time_base = stamps[index], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_sound(path: Path) -> Path:
    """Write a file that holds sound and no pictures."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        for at in range(4):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 16000, at * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_images(folder: Path, names: Sequence[str], shape: tuple[int, int] = (6, 8)) -> Path:
    """Write one small image a name; the first channel of image i is 10 i."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        image = np.zeros((*shape, 3), np.uint8)
        image[..., 0] = 10 * index
        Image.fromarray(image).save(folder / name)
    return folder


def hole(path: Path, begins: bytes = b"", size: int = 10 * 2**30) -> Path:
    """Write a file of `size` bytes that is empty after its beginning and takes no room on the disk."""
    with path.open("wb") as file:
        file.write(begins)
        file.truncate(size)
    return path
