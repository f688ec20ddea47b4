"""Measure how far spotters are from the apex, beside the middle frame and a random one.

Synthetic clips have a drawn apex; recorded ones an annotated apex. A spotter looks at the frames from onset to offset.
Errors are mean absolute ones; "within" is the share of clips with an error of at most a tenth of the clip's length;
"reached" is how much of the drawn movement the spotted frame shows. The interval is that of the difference to the
middle frame, clip by clip, 95 %, from a bootstrap over subjects: where it lies below 0, the method beats the middle
frame.

    python benchmarks/apex_spotting.py                             synthetic clips, profile demo, some minutes
    python benchmarks/apex_spotting.py --data casme2 --jobs 2      recorded clips
    python benchmarks/apex_spotting.py --points drawn              landmarks as drawn, not as MediaPipe finds them
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from mer_lib import datasets
from mer_lib.apex import NAMED, score, spot, summary

WAY = ["method", "registration", "search"]
DRAWS = 2000
SPEED_FRAMES = 100  # of 320x320 px, at 200 frames a second


def interval(table: pd.DataFrame, way: tuple[str, ...]) -> str:
    """Return the 95 % interval of the mean difference of the errors, in ms, between a way and the middle frame."""
    errors = table.pivot(index="sample_id", columns=WAY, values="error_ms")
    difference = errors[way] - errors[("middle", "none", "none")]
    subjects = difference.groupby(difference.index.str.rsplit("/", n=1).str[0])
    sums, counts = subjects.sum().to_numpy(), subjects.count().to_numpy()
    drawn = np.random.default_rng(0).integers(len(sums), size=(DRAWS, len(sums)))
    low, high = np.percentile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), [2.5, 97.5])
    return f"{low:+.1f} to {high:+.1f}"


def shown(table: pd.DataFrame, title: str) -> Table:
    """Return the table of all ways to spot."""
    columns = ["method", "registration", "search", "clips", "error, frames", "ms", "within", "reached"]
    result = Table(*columns, "ms against the middle, 95 %", title=title)
    for row in summary(table).itertuples(index=False):
        way = (row.method, row.registration, row.search)
        numbers = f"{row.mae_frames:.1f}", f"{row.mae_ms:.1f}", f"{row.within:.2f}", f"{row.reached:.3f}"
        result.add_row(*way, str(row.n), *numbers, "" if row.method == "middle" else interval(table, way))
    return result


def speed(clips: datasets.ClipDataset) -> Table:
    """Return how long a curve takes for a clip that is played to and fro until it has enough frames."""
    sample_id = str(clips.samples["sample_id"].iloc[0])
    frames, points = clips.frames(sample_id), clips.truth(sample_id).landmarks[0]
    there_and_back = np.concatenate([frames, frames[::-1]])
    frames = np.resize(there_and_back, (SPEED_FRAMES, *frames.shape[1:]))
    result = Table("method", "registration", "s", title=f"One curve, {SPEED_FRAMES} frames of {frames.shape[1]} px")
    for method, spotter in NAMED.items():
        for registration in ("none", "ecc", "stable") if spotter.looks else ("none",):
            start = time.perf_counter()
            spot(frames, points, method, registration, fps=200)
            result.add_row(method, registration, f"{time.perf_counter() - start:.2f}")
    return result


def main() -> None:
    """Spot, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="synthetic_demo")
    parser.add_argument("--points", choices=("found", "drawn"), default="found")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--clips", type=int, help="only so many, at equal distances")
    parser.add_argument("--save", type=Path, help="CSV file for the table, one row a clip and way")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    clips, console = datasets.load_clips(options.data), Console(width=132)
    ids = list(clips.samples.dropna(subset=["onset", "apex", "offset"])["sample_id"])
    if options.clips:
        ids = [ids[index] for index in np.unique(np.linspace(0, len(ids) - 1, options.clips).astype(int))]
    drawn = {"points": lambda name, _: clips.truth(name).landmarks[clips.moments(name).onset]}
    table = score(clips, ids, jobs=options.jobs, **(drawn if options.points == "drawn" else {}))
    if options.save:
        table.to_csv(options.save, index=False)
    console.print(shown(table, f"Apex spotting: {clips.label}"))
    if clips.kind == "synthetic":
        console.print(speed(clips))


if __name__ == "__main__":
    main()
