"""The flow maps of any data set: those that it has, or computed from the frames of recorded clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mer_lib import datasets
from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.faults import Fault
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.datasets.presence import find
from mer_lib.errors import DataError, ParameterError
from mer_lib.features.compute import compute_with_report
from mer_lib.features.recipes import FlowMap, Motion
from mer_lib.features.report import ClipsUsed, Listener


def load(name: str | Path, *, jobs: int = 1, listener: Listener | None = None) -> FlowMapDataset:
    """Load the flow maps of a data set; of recorded clips they are computed by :class:`Motion`'s defaults, and kept.

    Args:
        name: as for :func:`mer_lib.datasets.load`, or recorded clips by their name or the path of their folder.
        jobs: processes that look at clips side by side.
        listener: told after each clip whose map had to be computed.

    Raises:
        ParameterError: the manifest has no such name.
        DataError: the data set is absent, cannot be used, or has neither maps nor frames.
    """
    if not find(name).entry.is_recorded:
        return datasets.load(str(name))
    return maps_of(datasets.load_clips(name), jobs=jobs, listener=listener)


def maps_of(
    clips: ClipDataset, motion: Motion | None = None, *, jobs: int = 1, listener: Listener | None = None
) -> FlowMapDataset:
    """Return the flow maps of all clips that have a class, computed from their frames.

    Where no apex is annotated it is spotted, and the samples table says so.

    Args:
        clips: with frames.
        motion: how movement is measured; the defaults where None.
        jobs: as for :func:`load`.
        listener: as for :func:`load`.

    Raises:
        DataError: no clip has a class, there are no frames, or those of some clips cannot be read: all are named.
        ParameterError: the motion gives pixels, and a map has grey values 0 to 255.
    """
    motion = motion or Motion()
    if motion.scaling != "min_max":
        raise ParameterError(f"motion: a map has grey values, so expected scaling 'min_max', got {motion.scaling!r}")
    samples = clips.samples[clips.samples["label3"].notna()].reset_index(drop=True)
    if samples.empty or not clips.has_frames:
        lacking = "frames" if len(samples) else "clip with one of the classes negative, positive, surprise"
        raise DataError(f"{clips.title}: flow maps are computed from clips, and there are no {lacking}")
    recipe, ids = FlowMap(motion=motion), samples["sample_id"].tolist()
    maps, used = compute_with_report(recipe, clips, ids, jobs=jobs, listener=listener)
    pixels = np.ascontiguousarray(maps.transpose(0, 2, 3, 1)).astype(np.uint8)
    samples = datasets.check_samples(_with_apex(samples, clips, used))
    faults = (*clips.faults, *_faceless(used))
    return FlowMapDataset(clips.name, clips.title, clips.kind, samples, pixels, faults, lambda: clips)


def _with_apex(samples: pd.DataFrame, clips: ClipDataset, used: ClipsUsed) -> pd.DataFrame:
    """Fill in the frame numbers of apexes that nobody had annotated."""
    samples, index = samples.copy(), used.table.set_index("sample_id")["apex"]
    for row in samples.index[samples["apex"].isna()]:
        name = samples.at[row, "sample_id"]
        samples.loc[row, "apex"] = int(clips.frame_numbers(name)[int(index[name])])
        samples.loc[row, "apex_source"] = "spotted"
    return samples


def _faceless(used: ClipsUsed) -> tuple[Fault, ...]:
    names = used.table.loc[used.table["points"] == "published", "sample_id"]
    text = "no face is found on its onset frame, so the map is that of the middle of the frame, by published points"
    return tuple(Fault("noted", "no face", text, name) for name in names)
