"""Measure what synthetic clips cost on this machine: faces, frames a second, and memory, in one run on one core.

Seconds are those of the processor, so that other work on the machine counts little.

    python benchmarks/synthetic_rendering.py                everything
    python benchmarks/synthetic_rendering.py --frames 100   shorter
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from mer_lib.datasets.synthetic.plan import ClipPlan, posed
from mer_lib.datasets.synthetic.portrait import draw_portrait
from mer_lib.datasets.synthetic.recording import Recording
from mer_lib.datasets.synthetic.renderer import ClipRenderer, MovableFace

NAME, GENDER = "benchmark/s01", "female"
UNITS = {1: 0.01, 2: 0.01, 12: 0.01, 25: 0.01, (14, -1): 0.01}
POSE = np.array([0.04, -0.03, 1.0, 1.5, -1.0, 0.01])  # a usual one, in the units of HEAD_MOTIONS
RECORDINGS = {
    "320 px colour": Recording(size=320),
    "320 px grey": Recording(size=320, colour=False),
    "256 px colour": Recording(size=256),
}


def plan_of(recording: Recording, frames: int) -> ClipPlan:
    """Return a clip in which five units and the head move all the time: slower than most."""
    plan = posed(UNITS, recording, curve=np.linspace(0.2, 1, frames), sample_id="benchmark/s01/c01")
    drift = np.linspace(0, 1, frames)[:, None] * POSE / 10
    return replace(plan, head=POSE + drift)


def seconds(work: Callable[[], object]) -> float:
    """Return the processor's seconds of one call."""
    started = time.process_time()
    work()
    return time.process_time() - started


def faces(sizes: list[int]) -> tuple[Table, dict[int, MovableFace]]:
    """Return a table of what portraits and their fields cost, and the faces."""
    table = Table("face", "portrait, s", "MovableFace, s", "its arrays, MB")
    made = {}
    for size in sizes:
        started = time.process_time()
        portrait = draw_portrait(NAME, GENDER, size)
        drawn = time.process_time()
        made[size] = MovableFace(portrait)
        done = time.process_time()
        table.add_row(f"{size} px", f"{drawn - started:.2f}", f"{done - drawn:.2f}", f"{megabytes(made[size]):.0f}")
    return table, made


def megabytes(face: MovableFace) -> float:
    """Return the memory of all arrays of a face and its portrait."""
    holders = (face, face.portrait, face.expression)
    arrays = [value for holder in holders for value in vars(holder).values() if isinstance(value, np.ndarray)]
    return sum(array.nbytes for array in arrays) / 1e6


def speed(made: dict[int, MovableFace], frames: int) -> Table:
    """Return a table of frames a second: rendered only, and as files with and without noise and JPEG."""
    table = Table("frames a second", "clean", "PNG, no noise", "PNG, noise", "JPEG, no noise", "JPEG, noise")
    for name, recording in RECORDINGS.items():
        face = made[recording.size]
        quiet = {"read_noise": 0.0, "shot_noise": 0.0}
        kinds = [{"jpeg_quality": None, **quiet}, {"jpeg_quality": None}, quiet, {}]
        clips = [ClipRenderer(face, plan_of(replace(recording, **kind), frames)) for kind in kinds]
        rates = [rate(clips[0].clean, frames), *(rate(clip.encoded, frames) for clip in clips)]
        table.add_row(name, *(f"{value:.0f}" for value in rates))
    return table


def rate(method: Callable[[int], object], frames: int) -> float:
    """Return calls a second, over all frames."""
    return frames / seconds(lambda: [method(index) for index in range(frames)])


def truth(made: dict[int, MovableFace], frames: int) -> Table:
    """Return a table of how long the truth about a pair of frames takes."""
    table = Table("truth, ms a pair", "flow", "valid", "landmarks")
    for size, face in made.items():
        clip = ClipRenderer(face, plan_of(Recording(size=size), frames))
        calls = (lambda i, c=clip: c.flow(0, i), lambda i, c=clip: c.valid(0, i), clip.landmarks)
        table.add_row(f"{size} px", *(f"{1000 / rate(call, min(frames, 20)):.0f}" for call in calls))
    return table


def memory(face: MovableFace, frames: int = 500) -> Table:
    """Return a table of what rendering keeps in memory over a long clip, beyond the face and the plan."""
    table = Table("memory, MB", "kept after 20 frames", f"kept after {frames}", "most in between")
    clip = ClipRenderer(face, plan_of(Recording(size=face.size), frames))
    kept = []
    tracemalloc.start()
    for index in range(frames):
        clip.encoded(index)
        if index in (19, frames - 1):
            kept.append(tracemalloc.get_traced_memory()[0])
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    table.add_row(f"{face.size} px", *(f"{amount / 1e6:.2f}" for amount in (*kept, most)))
    return table


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=200, help="frames a measurement")
    frames = parser.parse_args().frames
    cv2.setNumThreads(1)
    table, made = faces([320, 256])
    console = Console()
    for measured in (table, memory(made[320]), speed(made, frames), truth(made, frames)):
        console.print(measured)


if __name__ == "__main__":
    main()
