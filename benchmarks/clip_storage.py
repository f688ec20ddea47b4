"""Measure four ways of keeping a clip on the disk: size, time to one frame, time to all frames, and what is lost.

The clips are synthetic ones, one a database, so that colour, grey and small noisy frames are all there. "Lossless" is
said against the frames as their camera wrote them. Timings on a shared machine swing; read the ratios.

    .venv/bin/python benchmarks/clip_storage.py              a table
    .venv/bin/python benchmarks/clip_storage.py --frames 20  shorter
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from mer_lib.datasets.synthetic import databases
from mer_lib.datasets.synthetic.camera import decode
from mer_lib.datasets.synthetic.produce import plan_of
from mer_lib.datasets.synthetic.renderer import ClipRenderer
from mer_lib.datasets.synthetic.storage import face_of, pack_frames, read_frames

SAMPLES = ("syn_a/sub12/EP01", "syn_b/037/037_1_1", "syn_c/s08/s08_ne_01")
RANDOM_READS = 15


class Store(NamedTuple):
    """One way of keeping frames: how it writes, reads one frame, and reads all."""

    write: Callable[[Path, list[bytes], np.ndarray], None]
    one: Callable[[Path, int], np.ndarray]
    every: Callable[[Path], np.ndarray]


# -- the four ways ----------------------------------------------------------------------------------------------------


def write_png(folder: Path, encoded: list[bytes], frames: np.ndarray) -> None:
    """Write one PNG file a frame."""
    for number, frame in enumerate(frames, start=1):
        cv2.imwrite(str(folder / f"img{number:05d}.png"), frame if frame.ndim == 2 else frame[..., ::-1])


def one_png(folder: Path, index: int) -> np.ndarray:
    """Read one of the PNG files."""
    return decode((folder / f"img{index + 1:05d}.png").read_bytes())


def every_png(folder: Path) -> np.ndarray:
    """Read all PNG files."""
    return np.stack([decode(path.read_bytes()) for path in sorted(folder.iterdir())])


def write_ffv1(folder: Path, encoded: list[bytes], frames: np.ndarray) -> None:
    """Write a video with the codec FFV1, which is lossless in the colours that it is given."""
    size, is_colour = frames.shape[2:0:-1], frames.ndim == 4
    writer = cv2.VideoWriter(str(folder / "clip.mkv"), cv2.VideoWriter_fourcc(*"FFV1"), 100, size, is_colour)
    for frame in frames:
        writer.write(frame[..., ::-1] if is_colour else frame)
    writer.release()


def one_ffv1(folder: Path, index: int) -> np.ndarray:
    """Seek and decode one frame of the video."""
    video = cv2.VideoCapture(str(folder / "clip.mkv"))
    video.set(cv2.CAP_PROP_POS_FRAMES, index)
    return video.read()[1][..., ::-1]


def every_ffv1(folder: Path) -> np.ndarray:
    """Decode the video from its beginning."""
    video, frames = cv2.VideoCapture(str(folder / "clip.mkv")), []
    while (answer := video.read())[0]:
        frames.append(answer[1][..., ::-1])
    return np.stack(frames)


def write_npz(folder: Path, encoded: list[bytes], frames: np.ndarray) -> None:
    """Write all frames as one compressed array."""
    np.savez_compressed(folder / "clip.npz", frames=frames)


def one_npz(folder: Path, index: int) -> np.ndarray:
    """Unpack the whole array for one frame: there is no other way."""
    return every_npz(folder)[index]


def every_npz(folder: Path) -> np.ndarray:
    """Unpack the array."""
    return np.load(io.BytesIO((folder / "clip.npz").read_bytes()))["frames"]


def write_zip(folder: Path, encoded: list[bytes], frames: np.ndarray) -> None:
    """Write the frames as the camera encoded them into one archive: what this laboratory does."""
    (folder / "clip.zip").write_bytes(pack_frames(encoded))


def one_zip(folder: Path, index: int) -> np.ndarray:
    """Decode one member of the archive."""
    return read_frames(folder / "clip.zip", [index])[0]


def every_zip(folder: Path) -> np.ndarray:
    """Decode all members of the archive."""
    return read_frames(folder / "clip.zip")


STORES = {
    "PNG files": Store(write_png, one_png, every_png),
    "FFV1 in MKV, by OpenCV": Store(write_ffv1, one_ffv1, every_ffv1),
    "npz, compressed": Store(write_npz, one_npz, every_npz),
    "zip of the camera's own files": Store(write_zip, one_zip, every_zip),
}

# -- measuring --------------------------------------------------------------------------------------------------------


def rendered(sample_id: str, count: int) -> tuple[list[bytes], np.ndarray]:
    """Return the first frames of a synthetic clip, encoded and decoded."""
    entry = next(entry for entry in databases.clips("course") if entry.sample_id == sample_id)
    renderer = ClipRenderer(face_of(entry.person, entry.gender, entry.recording.size), plan_of(entry))
    encoded = [renderer.encoded(index) for index in range(count)]
    return encoded, np.stack([decode(content) for content in encoded])


def milliseconds(call: Callable[[], object]) -> float:
    """Return the time of one call in ms."""
    started = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - started)


def measured(store: Store, encoded: list[bytes], frames: np.ndarray) -> list[str]:
    """Return the cells of one row: ms a frame to write, kB a frame, ms for one frame, ms a frame for all, loss."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writing = milliseconds(lambda: store.write(folder, encoded, frames)) / len(frames)
        size = sum(path.stat().st_size for path in folder.iterdir()) / len(frames) / 1000
        indices = np.random.default_rng(0).integers(0, len(frames), RANDOM_READS)
        one = statistics.median(milliseconds(lambda index=index: store.one(folder, int(index))) for index in indices)
        every = milliseconds(lambda: store.every(folder)) / len(frames)
        return [f"{size:.1f}", f"{writing:.1f}", f"{one:.1f}", f"{every:.1f}", loss(store.every(folder), frames)]


def loss(read: np.ndarray, frames: np.ndarray) -> str:
    """Say what differs between the frames that were read and those of the camera."""
    if read.ndim == 4 and frames.ndim == 3:
        note, frames = ", grey comes back as colour", np.repeat(frames[..., None], 3, axis=-1)
    else:
        note = ""
    if read.shape != frames.shape:
        return f"no: shape {read.shape}"
    worst = int(np.abs(read.astype(int) - frames).max())
    return ("yes" if worst == 0 else f"no: up to {worst} of 255") + note


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one table a clip."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=60, help="of each clip (default: 60)")
    count = parser.parse_args(arguments).frames
    cv2.setNumThreads(1)
    console = Console()
    for sample_id in SAMPLES:
        encoded, frames = rendered(sample_id, count)
        table = Table(
            "store", "kB a frame", "ms a frame to write", "ms for one frame", "ms a frame for all", "lossless",
            title=f"{sample_id}: {len(frames)} frames, {' x '.join(map(str, frames.shape[1:]))}",
        )  # fmt: skip
        for name, store in STORES.items():
            table.add_row(name, *measured(store, encoded, frames))
        console.print(table)


if __name__ == "__main__":
    main()
