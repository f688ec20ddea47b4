"""Measure making the inputs of clips: cold, with two processes, and read from the cache, recipe by recipe.

The clips are those of a synthetic profile that is here (see ``mer data make synthetic``). Timings on a shared machine
swing; read the ratios, which come from one run.

    .venv/bin/python benchmarks/features.py                 100 clips
    .venv/bin/python benchmarks/features.py --clips 10      fewer
    .venv/bin/python benchmarks/features.py --only apex_face
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from mer_lib import datasets
from mer_lib.datasets.clips import ClipDataset
from mer_lib.features import (
    AngleImage,
    ApexFace,
    FlowMap,
    FourRegionMosaic,
    MagnifiedSequence,
    Motion,
    RegionCrops,
    compute,
    report,
)

RECIPES: dict[str, Any] = {
    "flow_map": FlowMap(motion=Motion()),
    "flow_map, as HTNet's code": FlowMap(motion=Motion.published()),
    "flow_map, TV-L1": FlowMap(motion=Motion(flow="tvl1")),
    "flow_map, apex spotted": FlowMap(motion=Motion(apex="cell_difference")),
    "four_region_mosaic": FourRegionMosaic(motion=Motion()),
    "region_crops, 42 regions": RegionCrops(scheme="muscle_regions"),
    "apex_face": ApexFace(),
    "angle_image": AngleImage(),
    "magnified_sequence": MagnifiedSequence(),
}


def seconds(recipe: Any, clips: ClipDataset, ids: Sequence[str], jobs: int = 1) -> float:
    """Return how long the inputs take."""
    started = time.perf_counter()
    compute(recipe, clips, ids, jobs=jobs)
    return time.perf_counter() - started


def measured(recipe: Any, clips: ClipDataset, ids: Sequence[str]) -> tuple[float, float, float, float]:
    """Return the seconds cold, cold with two processes, and cached, and the size of the files in MB."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        os.environ["MER_CACHE"] = two
        compute(recipe, clips, ids[:2], jobs=2)  # starts the processes
        together = seconds(recipe, clips, ids[2:], jobs=2) * len(ids) / max(len(ids) - 2, 1)
        os.environ["MER_CACHE"] = one
        cold = seconds(recipe, clips, ids)
        cached = seconds(recipe, clips, ids)
        size = sum(path.stat().st_size for path in Path(one).rglob("*.feature")) / 1e6
        Console().print(f"[dim]{report(recipe, clips, ids)}")
    return cold, together, cached, size


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=100, help="how many (default: 100, or all that there are)")
    parser.add_argument("--data", default="best", help="name in the data manifest (default: the best that is here)")
    parser.add_argument("--only", help="recipes whose name holds this")
    chosen = parser.parse_args(arguments)
    clips = datasets.load_clips(chosen.data)
    ids = clips.samples["sample_id"].tolist()
    ids = ids[:: max(len(ids) // chosen.clips, 1)][: chosen.clips]
    compute(ApexFace(), clips, ids[:1], cache=False)  # loads the detector
    table = Table("recipe", "s cold", "ms a clip", "2 processes", "s cached", "cold : cached", "MB")
    table.title = f"Inputs of {len(ids)} clips: {clips.label}"
    for name, recipe in RECIPES.items():
        if chosen.only and chosen.only not in name:
            continue
        cold, together, cached, size = measured(recipe, clips, ids)
        table.add_row(
            name,
            f"{cold:.1f}",
            f"{1000 * cold / len(ids):.0f}",
            f"{cold / together:.1f} times as fast",
            f"{cached:.2f}",
            f"{cold / cached:.0f}",
            f"{size:.1f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
