"""Measure each method of optical flow, in one run: pairs a second, and end-point error against synthetic truth.

Speed is that of mer_lib.motion.flows on pairs of frames, on one and on two processes of one thread each, which run in
turn. Timings on a shared machine swing; read the ratios. The processes are there already when the clock starts.

Errors are lengths of the difference from the true movement, on the skin of drawn faces from onset to apex. Several
people make several expressions, from ones that nobody sees to strong ones, while their heads move; frames have noise
and are JPEG files, as in the data sets made here. First against all movement, of head and expression together, as a
method sees it; then against the expression alone, before and after a similarity, fitted to stable skin, is taken off.

RAFT is measured where its weights are at hand (MER_RAFT_SMALL, MER_RAFT_LARGE, or torch's cache), nothing is fetched.

    .venv/bin/python benchmarks/optical_flow.py               two people, some minutes
    .venv/bin/python benchmarks/optical_flow.py --people 1 --seconds 1    shorter
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from mer_lib.datasets.synthetic.plan import ClipPlan, posed
from mer_lib.datasets.synthetic.portrait import draw_portrait
from mer_lib.datasets.synthetic.recording import Recording
from mer_lib.datasets.synthetic.renderer import ClipRenderer, MovableFace
from mer_lib.faces.regions import stable_mask
from mer_lib.motion import METHODS, RAFT, FlowMethod, flows, optical_flow, without_head_motion
from mer_lib.motion.raft import weights_at_hand

Sum = tuple[float, int]

SIZES = {"224x224": (224, 224), "640x480": (480, 640)}
WORKERS = (1, 2)
REPEATS = 3
#: Action units of each expression, as shares of its strength.
EXPRESSIONS: Mapping[str, Mapping[int, float]] = {
    "happiness": {6: 0.6, 12: 1.0},
    "surprise": {1: 0.8, 2: 1.0, 5: 0.5},
    "anger": {4: 1.0, 7: 0.4},
    "disgust": {9: 1.0, 15: 0.4},
}
STRENGTHS = (0.004, 0.008, 0.016, 0.032)  # in IOD; one IOD is about 100 px here
RESTLESSNESS = 2.0  # how much more the heads move than is usual, of the orders of magnitude in Recording
BOUNDS = (0.0, 0.25, 0.5, 1.0, 2.0, math.inf)  # px of true movement
NOTHING = "guess: nothing moves"


class Case(NamedTuple):
    """A pair of frames and what is true of it; flows are (H, W, 2) px, masks bool (H, W)."""

    before: np.ndarray
    after: np.ndarray
    movement: np.ndarray
    expression: np.ndarray
    known: np.ndarray
    stable: np.ndarray


def methods() -> dict[str, str | FlowMethod]:
    """Return the methods that can be measured here."""
    found: dict[str, str | FlowMethod] = {name: name for name in METHODS}
    found |= {f"raft, {size}": RAFT(size) for size in ("small", "large") if weights_at_hand(size)}
    return found


# -- speed ------------------------------------------------------------------------------------------------------------


def speed_table(case: Case, seconds: float) -> Table:
    """Return pairs a second of each method at each size, on one process and on two."""
    columns = [f"{size}, {name}" for size in SIZES for name in ("1 process", "2 processes", "ratio")]
    table = Table("method", *columns, title="Pairs a second")
    for name, method in methods().items():
        cells = []
        for rows, width in SIZES.values():
            first, second = (cv2.resize(image, (width, rows)) for image in (case.before, case.after))
            one, two = rates((first, second), method, seconds)
            cells += [f"{one:.2f}", f"{two:.2f}", f"{two / one:.2f}"]
        table.add_row(name, *cells)
    return table


def rates(pair: tuple[np.ndarray, np.ndarray], method: str | FlowMethod, seconds: float) -> list[float]:
    """Return the median pairs a second of each number of processes."""
    for workers in WORKERS:
        flows([pair] * 2 * workers, method, workers)  # the processes start and import
    count = max(4, math.ceil(seconds / timed([pair], method, 1)))
    taken = [[timed([pair] * count, method, workers) for workers in WORKERS] for _ in range(REPEATS)]
    return [count / statistics.median(times) for times in zip(*taken, strict=True)]


def timed(pairs: Sequence[tuple[np.ndarray, np.ndarray]], method: str | FlowMethod, workers: int) -> float:
    """Return the seconds of one call."""
    started = time.perf_counter()
    flows(pairs, method, workers)
    return time.perf_counter() - started


# -- errors -----------------------------------------------------------------------------------------------------------


def cases(people: int) -> Iterator[Case]:
    """Yield pairs of frames: every person with every expression at every strength."""
    rng = np.random.default_rng(0)
    for person in range(people):
        face = MovableFace(draw_portrait(f"optical flow/s{person:02d}", "male" if person % 2 else "female"))
        for units, strength in product(EXPRESSIONS.values(), STRENGTHS):
            plan = posed({unit: share * strength for unit, share in units.items()}, Recording())
            yield case_of(face, moving(plan, rng))


def moving(plan: ClipPlan, rng: np.random.Generator) -> ClipPlan:
    """Return the clip with a head that has moved at the apex."""
    usual = plan.recording
    sd = np.array([usual.drift_iod] * 2 + [usual.roll_deg, usual.yaw_deg, usual.pitch_deg, usual.scale_rel])
    head = np.zeros_like(plan.head)
    head[plan.apex] = RESTLESSNESS * sd * rng.normal(size=sd.shape)
    return replace(plan, head=head)


def case_of(face: MovableFace, plan: ClipPlan) -> Case:
    """Render onset and apex, and ask for the truth."""
    clip, first, second = ClipRenderer(face, plan), plan.onset, plan.apex
    return Case(
        clip.frame(first),
        clip.frame(second),
        clip.flow(first, second),
        clip.flow(first, second, head=False),
        clip.valid(first, second) & (face.portrait.face > 0.5),
        stable_mask(clip.landmarks(first), face.size, face.size),
    )


def by_magnitude(estimate: np.ndarray, truth: np.ndarray, known: np.ndarray) -> list[Sum]:
    """Return the sum of errors and the number of pixels of each range of the true movement's length, then of all."""
    error, length = np.linalg.norm(estimate - truth, axis=-1)[known], np.linalg.norm(truth, axis=-1)[known]
    ranges = [(length >= low) & (length < high) for low, high in zip(BOUNDS, BOUNDS[1:], strict=False)]
    return [(float(error[part].sum()), int(part.sum())) for part in [*ranges, length >= 0]]


def measured(case: Case) -> dict[tuple[str, str], list[Sum]]:
    """Return the errors of one pair, by (table, row)."""
    nothing = np.zeros_like(case.movement)
    found = {("all", NOTHING): (nothing, case.movement), ("alone", NOTHING): (nothing, case.expression)}
    estimates = {name: optical_flow(case.before, case.after, method) for name, method in methods().items()}
    for name, flow in estimates.items():
        found["all", name] = (flow, case.movement)
    for name, flow in {**estimates, "true movement": case.movement}.items():
        found["alone", f"{name}, head kept"] = (flow, case.expression)
        found["alone", f"{name}, head removed"] = (without_head_motion(flow, case.stable), case.expression)
    return {row: by_magnitude(flow, truth, case.known) for row, (flow, truth) in found.items()}


def error_tables(people: int) -> list[Table]:
    """Return the mean errors against all movement, and against the expression alone."""
    sums: dict[tuple[str, str], np.ndarray] = {}
    for case in cases(people):
        for row, values in measured(case).items():
            sums[row] = sums.get(row, 0) + np.array(values)
    titles = {
        "all": "End-point error (px) against all movement, by the length of the true movement",
        "alone": "End-point error (px) against the expression alone, by the length of the true expression",
    }
    chosen = {wanted: {name: sums[kind, name] for kind, name in sums if kind == wanted} for wanted in titles}
    return [table_of(title, chosen[wanted]) for wanted, title in titles.items()]


def table_of(title: str, rows: Mapping[str, np.ndarray]) -> Table:
    """Return a table of means of sums and counts (ranges, 2)."""
    names = [f"{low:g} to {high:g} px" for low, high in zip(BOUNDS, BOUNDS[1:-1], strict=False)]
    table = Table("estimate", *names, f"{BOUNDS[-2]:g} px and more", "all skin", title=title)
    for name, values in rows.items():
        table.add_row(name, *(f"{total / count:.3f}" if count else "-" for total, count in values))
    counts = next(iter(rows.values()))[:, 1]
    table.add_row("share of the skin", *(f"{count / counts[-1]:.1%}" for count in counts))
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """Print three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=2, help="who is measured for the errors (default: 2)")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each timing, about (default: 3)")
    chosen = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    console = Console()
    console.print(f"{os.cpu_count()} cores; processes that wanted one when this began: {os.getloadavg()[0]:.1f}")
    console.print(speed_table(next(cases(1)), chosen.seconds))
    for size in ("small", "large"):
        if not weights_at_hand(size):
            console.print(f"RAFT, {size}: its weights are not here, so it is not measured")
    for table in error_tables(chosen.people):
        console.print(table)
    clips = chosen.people * len(EXPRESSIONS) * len(STRENGTHS)
    console.print(
        f"{clips} synthetic clips of drawn faces, 320x320; similarity fitted to stable skin of true landmarks"
    )


if __name__ == "__main__":
    main()
