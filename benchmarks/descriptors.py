"""Measure how fast handcrafted descriptors are, against loops over pixels as their definitions read.

Both run on the same made-up inputs of published size, and must give the same numbers. Timings on a shared machine
swing; read the ratios, which come from one run.

    .venv/bin/python benchmarks/descriptors.py
    .venv/bin/python benchmarks/descriptors.py --samples 20
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from mer_lib.features import FaceSequence
from mer_lib.handcrafted.bi_woof import BiWOOF
from mer_lib.handcrafted.lbp_sip import LBPSIP
from mer_lib.handcrafted.lbp_top import LBPTOP
from mer_lib.handcrafted.mdmo import MDMO
from mer_lib.motion.main_direction import main_direction

BLOCKS, RADIUS_T = 5, 4
#: Steps (t, y, x) to the four neighbours in the planes XY, XT and YT.
PLANES = (
    ((0, 0, 1), (0, -1, 0), (0, 0, -1), (0, 1, 0)),
    ((0, 0, 1), (-RADIUS_T, 0, 0), (0, 0, -1), (RADIUS_T, 0, 0)),
    ((0, 1, 0), (-RADIUS_T, 0, 0), (0, -1, 0), (RADIUS_T, 0, 0)),
)
SIX_POINTS = (PLANES[0], ((-RADIUS_T, 0, 0), (RADIUS_T, 0, 0)))


class Case(NamedTuple):
    """One descriptor in two ways.

    Attributes:
        name: for the table.
        inputs: samples first.
        ours: from all inputs to (N, features).
        loop: from one sample to (features,).
    """

    name: str
    inputs: np.ndarray
    ours: Callable[[np.ndarray], np.ndarray]
    loop: Callable[[np.ndarray], np.ndarray]


def patterns(sample: np.ndarray, groups: Sequence[Sequence[tuple[int, int, int]]]) -> np.ndarray:
    """Return the histograms of a sequence (T, 1, H, W), each group of neighbours making one pattern."""
    grey = sample[:, 0].tolist()
    frames, rows, columns = len(grey), len(grey[0]), len(grey[0][0])
    counts = [np.zeros((BLOCKS, BLOCKS, 2 ** len(group))) for group in groups]
    for t in range(RADIUS_T, frames - RADIUS_T):
        for y in range(1, rows - 1):
            for x in range(1, columns - 1):
                for histogram, group in zip(counts, groups, strict=True):
                    code = 0
                    for bit, (dt, dy, dx) in enumerate(group):
                        code += (grey[t + dt][y + dy][x + dx] >= grey[t][y][x]) << bit
                    histogram[y * BLOCKS // rows, x * BLOCKS // columns, code] += 1
    shares = [histogram / histogram.sum(axis=2, keepdims=True) for histogram in counts]
    return np.concatenate(shares, axis=2).ravel()


def weighted_directions(sample: np.ndarray) -> np.ndarray:
    """Return the histograms of a map (3, H, W), weighted by magnitude and by strain."""
    u, v, strain = sample.astype(np.float64)
    rows, columns = strain.shape
    sums, weights, pixels = np.zeros((BLOCKS, BLOCKS, 8)), np.zeros((BLOCKS, BLOCKS)), np.zeros((BLOCKS, BLOCKS))
    for y in range(rows):
        for x in range(columns):
            block = y * BLOCKS // rows, x * BLOCKS // columns
            angle = np.arctan2(-v[y, x], u[y, x]) % (2 * np.pi)
            sums[block][int(angle // (np.pi / 4)) % 8] += np.hypot(u[y, x], v[y, x])
            weights[block] += strain[y, x]
            pixels[block] += 1
    return (sums / pixels[..., None] * (weights / pixels / strain.mean())[..., None]).ravel()


def fullest_sector(vectors: np.ndarray) -> np.ndarray:
    """Return the mean of the vectors (N, 2) in their fullest sector."""
    members: list[list[np.ndarray]] = [[] for _ in range(8)]
    for u, v in vectors:
        angle = np.arctan2(-v, u) % (2 * np.pi)
        members[int(angle // (np.pi / 4)) % 8].append(np.array([u, v]))
    return np.mean(max(members, key=len), axis=0)


def cases(samples: int) -> list[Case]:
    """Return all descriptors with inputs of published size."""
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (samples, *FaceSequence().shape)).astype(np.float32)
    maps = np.concatenate([rng.normal(size=(samples, 2, 224, 224)), rng.random((samples, 1, 224, 224))], axis=1)
    regions = rng.normal(size=(samples, 42, 400, 2))
    return [
        Case("LBP-TOP", faces, LBPTOP().fit_transform, lambda x: patterns(x, PLANES)),
        Case("LBP-SIP", faces, LBPSIP().fit_transform, lambda x: patterns(x, SIX_POINTS)),
        Case("Bi-WOOF", maps.astype(np.float32), BiWOOF().fit_transform, weighted_directions),
        Case("MDMO, 42 regions", regions, _mdmo(main_direction), lambda x: _mdmo(fullest_sector)(x[None])[0]),
    ]


def _mdmo(direction: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """Return what describes the vectors of regions (N, 42, pixels, 2) by their main directions."""

    def describe(samples: np.ndarray) -> np.ndarray:
        moved = np.array([[direction(region) for region in sample] for sample in samples])
        return MDMO().fit_transform(moved.transpose(0, 2, 1)[..., None])

    return describe


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=10, help="how many we describe; the loop describes one")
    chosen = parser.parse_args(arguments)
    table = Table("descriptor", "numbers", "ms a sample", "ms, loop", "loop : ours", title="Handcrafted descriptors")
    for case in cases(chosen.samples):
        started = time.process_time()
        ours = case.ours(case.inputs)
        between = time.process_time()
        loop = case.loop(case.inputs[0])
        theirs, mine = time.process_time() - between, (between - started) / chosen.samples
        np.testing.assert_allclose(ours[0], loop, atol=1e-5)
        times = f"{1000 * mine:.2f}", f"{1000 * theirs:.0f}", f"{theirs / mine:.0f}"
        table.add_row(case.name, str(ours.shape[1]), *times)
    Console().print(table)


if __name__ == "__main__":
    main()
