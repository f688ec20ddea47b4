"""Small clips with known truth, for the tests of features: drawn, written and opened in a moment."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.frames.archive import FrameArchive
from mer_lib.datasets.frames.images import ImageFolder
from mer_lib.datasets.samples import COLUMNS, check_samples
from mer_lib.datasets.synthetic.plan import ClipPlan, posed
from mer_lib.datasets.synthetic.portrait import draw_portrait
from mer_lib.datasets.synthetic.recording import Recording
from mer_lib.datasets.synthetic.renderer import ClipRenderer, MovableFace
from mer_lib.datasets.synthetic.storage import pack_frames

SIZE = 192
STILL = Recording(size=SIZE, fps=100.0).without_nuisance()
SMILE = {1: 0.03, 12: 0.05}


@lru_cache
def face() -> MovableFace:
    return MovableFace(draw_portrait("features/anna", "female", SIZE))


def renderer(units: dict | None = None, *, curve: np.ndarray | None = None, **curves: np.ndarray) -> ClipRenderer:
    """A drawn clip; by default a smile in 9 frames whose strongest is the fifth."""
    plan = posed(SMILE if units is None else units, STILL, 9, curve=curve, sample_id="drawn/s01/c01")
    # Marks belong to the intensities, which stay; the rest may be changed freely.
    return ClipRenderer(face(), dataclasses.replace(plan, **curves))


def shifting(right: float, down: float, count: int = 9) -> ClipRenderer:
    """A head that moves so many pixels a frame, and no expression."""
    head = np.zeros((count, 6))
    head[:, 0], head[:, 1] = (np.arange(count) * step / face().iod for step in (right, down))
    return renderer({}, curve=np.zeros(count), head=head)


def drawn(clip: ClipRenderer) -> list[np.ndarray]:
    return [clip.frame(index) for index in range(clip.plan.n_frames)]


def row(sample_id: str, **facts: Any) -> dict[str, Any]:
    """A row of the samples table; frame numbers count from 1."""
    dataset, subject, clip = sample_id.split("/")
    known = {"sample_id": sample_id, "dataset": dataset, "subject": subject, "clip": clip, "label3": "positive"}
    return {**dict.fromkeys(COLUMNS, pd.NA), **known, "fps": 100.0, **facts}


def dataset_of(sources: dict[str, Any], rows: list[dict[str, Any]]) -> ClipDataset:
    samples = check_samples(pd.DataFrame(rows, columns=list(COLUMNS)))
    return ClipDataset(
        name="drawn",
        title="Drawn",
        kind="synthetic",
        samples=samples,
        videos=samples.iloc[:0],
        sources=sources,
        annotation=samples,
        images="drawn",
        faults=(),
        truths={},
        find_intervals=_none,
    )


def _none(clips: ClipDataset) -> pd.DataFrame:
    return pd.DataFrame()


def as_archive(path: Path, clip: ClipRenderer) -> FrameArchive:
    path.write_bytes(pack_frames(clip.encoded(index) for index in range(clip.plan.n_frames)))
    return FrameArchive(path, "unused")


def as_bitmaps(folder: Path, frames: list[np.ndarray]) -> ImageFolder:
    """Bitmaps are all of one size, whatever they show."""
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames, start=1):
        Image.fromarray(frame).save(folder / f"img{number}.bmp")
    return ImageFolder(folder)


def marks(plan: ClipPlan) -> dict[str, int]:
    return {"onset": plan.onset + 1, "apex": plan.apex + 1, "offset": plan.offset + 1, "n_frames": plan.n_frames}


def clips_of(folder: Path, **named: ClipRenderer | list[np.ndarray]) -> ClipDataset:
    """A data set of drawn clips (with their moments) or of frames (onset, apex, offset first, middle, last)."""
    sources, rows = {}, []
    for name, clip in named.items():
        sample_id = f"drawn/s01/{name}"
        frames = drawn(clip) if isinstance(clip, ClipRenderer) else clip
        last = len(frames)
        known = {"onset": 1, "apex": (last + 1) // 2, "offset": last, "n_frames": last}
        if isinstance(clip, ClipRenderer) and clip.plan.intensity.any():
            known = marks(clip.plan)
        sources[sample_id] = as_bitmaps(folder / name, frames)
        rows.append(row(sample_id, **known))
    return dataset_of(sources, rows)


def with_rows(clips: ClipDataset, **facts: Any) -> ClipDataset:
    """The same clips with other annotation."""
    return dataclasses.replace(clips, samples=check_samples(clips.samples.assign(**facts)))
