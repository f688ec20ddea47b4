"""Measure reading frames of a long video and of a folder of images: memory and time of each way beside another one.

The video is drawn for the purpose. Timings on a shared machine swing; read the ratios, which come from one run.

    .venv/bin/python benchmarks/frame_reading.py                five minutes at 30 frames a second
    .venv/bin/python benchmarks/frame_reading.py --seconds 60   shorter
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path

import av
import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from mer_lib.datasets.frames.images import ImageFolder
from mer_lib.datasets.frames.video import VideoFile

FPS = 30
SHAPE = (240, 320)
KEY_FRAME_EVERY = 60
REPEATS = 5


def drawn(index: int) -> np.ndarray:
    """Return a frame with something that moves: uint8 (H, W, 3) RGB."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    wave = 127 + 120 * np.sin((rows + columns + 3 * index) / 23)
    return np.repeat(wave.astype(np.uint8)[..., None], 3, axis=-1)


def write_video(path: Path, count: int) -> Path:
    """Write a video of `count` frames."""
    period = [drawn(index) for index in range(48)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(FPS))
        stream.height, stream.width = SHAPE
        stream.pix_fmt, stream.gop_size = "yuv420p", KEY_FRAME_EVERY
        for index in range(count):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(period[index % len(period)], format="rgb24")))
        container.mux(stream.encode())
    return path


def write_images(folder: Path, count: int) -> Path:
    """Write a folder of JPEG files of the size of a frame of CASME II."""
    folder.mkdir()
    for index in range(count):
        cv2.imwrite(str(folder / f"img{index}.jpg"), cv2.resize(drawn(index), (640, 480)))
    return folder


def milliseconds(call: Callable[[], object]) -> float:
    """Return the median time of some calls in ms."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def peak() -> float:
    """Return the most memory that the process has held so far, in MB; Linux alone says it of this process alone."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) / 1000


def through(path: Path, stop: int | None = None) -> None:
    """Stream a video up to a frame and keep nothing."""
    deque(VideoFile(path).stream(0, stop), maxlen=0)


def held(path: Path, frames: int, streamed: bool) -> tuple[float, float]:
    """Return the further MB at the peak and the ms a frame of going through a video; for a process of its own."""
    next(VideoFile(path).stream())  # what the libraries need for any frame
    before, started = peak(), time.perf_counter()
    if streamed:
        through(path, frames)
    else:
        VideoFile(path).read(range(frames))
    return peak() - before, 1000 * (time.perf_counter() - started) / frames


def memory_table(path: Path, count: int) -> Table:
    """Compare peaks of memory: streaming ever more frames, and reading all of them at once."""
    table = Table("what", "frames", "further MB at the peak", "ms a frame", title="Memory: streaming and reading")
    for frames, streamed in ((count // 100, True), (count // 4, True), (count, True), (count, False)):
        # A peak never sinks, so each way has a fresh process.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            megabytes, each = pool.submit(held, path, frames, streamed).result()
        name = "streamed" if streamed else "read as one array"
        table.add_row(name, f"{frames}", f"{megabytes:.1f}", f"{each:.2f}")
    return table


def seeking_table(path: Path, count: int) -> Table:
    """Compare finding one frame from the key frame before it with decoding from the beginning."""
    table = Table("frame", "ms by its key frame", "ms from the beginning", "ratio", title="One frame of a long video")
    video = VideoFile(path)
    video.numbers()  # the index is made once
    for index in (count // 10, count // 2, count - 1):
        seeking = milliseconds(lambda index=index: video.read([index]))
        started = time.perf_counter()
        through(path, index + 1)
        whole = 1000 * (time.perf_counter() - started)
        table.add_row(f"{index + 1}", f"{seeking:.1f}", f"{whole:.0f}", f"{whole / seeking:.0f}")
    return table


def looking_table(path: Path, folder: Path, images: int) -> Table:
    """Compare what is done before any frame is used with decoding all."""
    table = Table("what", "ms", "of", "ratio", title="Looking without reading")
    index = milliseconds(lambda: VideoFile(path).numbers())
    started = time.perf_counter()
    through(path)
    whole = 1000 * (time.perf_counter() - started)
    table.add_row("index of the video", f"{index:.0f}", f"{whole:.0f} to decode it", f"{whole / index:.0f}")
    checked = milliseconds(lambda: ImageFolder(folder).check("own/a/b"))
    read = milliseconds(lambda: ImageFolder(folder).read())
    what = f"check of {images} images"
    table.add_row(what, f"{checked:.0f}", f"{read:.0f} to read them", f"{read / checked:.1f}")
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """Print three tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=300, help="length of the video (default: 300)")
    parser.add_argument("--images", type=int, default=100, help="in the folder (default: 100)")
    chosen = parser.parse_args(arguments)
    console, count = Console(), FPS * chosen.seconds
    with tempfile.TemporaryDirectory() as name:
        path = write_video(Path(name) / "long.mp4", count)
        folder = write_images(Path(name) / "clip", chosen.images)
        console.print(f"{count} frames of {SHAPE[1]}x{SHAPE[0]}, {path.stat().st_size / 1e6:.0f} MB packed")
        for table in (
            memory_table(path, count),
            seeking_table(path, count),
            looking_table(path, folder, chosen.images),
        ):
            console.print(table)


if __name__ == "__main__":
    main()
