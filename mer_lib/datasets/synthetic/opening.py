"""Open the clips of a made profile as a data set."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from mer_lib.datasets.clips import INTERVAL_COLUMNS, VIDEO_COLUMNS, ClipDataset, Moments, TruthFile
from mer_lib.datasets.frames.archive import FrameArchive
from mer_lib.datasets.samples import COLUMNS, check_samples
from mer_lib.datasets.synthetic import index
from mer_lib.datasets.synthetic.emotions import LABEL3
from mer_lib.datasets.synthetic.index import Record
from mer_lib.datasets.synthetic.layout import facts
from mer_lib.datasets.synthetic.plan import facs
from mer_lib.datasets.synthetic.storage import FIRST_NUMBER, files_of
from mer_lib.manifest import Entry

if TYPE_CHECKING:
    from mer_lib.datasets.synthetic.long_videos import Interval


def open_clips(entry: Entry, root: Path) -> ClipDataset:
    """Open the clips of a made profile; its list is read, no clip is.

    Args:
        entry: of the data manifest, of kind "synthetic".
        root: folder of the synthetic data.

    Raises:
        DataError: the list of the profile is missing or damaged.
    """
    records = index.read(root, str(entry.profile))
    files = {record.sample_id: files_of(root, record.sample_id) for record in records}
    samples = check_samples(
        pd.DataFrame([_sample(record, entry) for record in records if record.label3], columns=list(COLUMNS))
    )
    return ClipDataset(
        name=entry.name,
        title=entry.title,
        kind=entry.kind,
        samples=samples,
        videos=pd.DataFrame([_video(r) for r in records if not r.label3], columns=list(VIDEO_COLUMNS)),
        sources={r.sample_id: FrameArchive(files[r.sample_id].frames, r.frames_sha256) for r in records},
        annotation=samples,
        images="drawn",
        faults=(),
        truths={r.sample_id: TruthFile(files[r.sample_id].truth, r.truth_sha256) for r in records},
        find_intervals=_intervals,
    )


def _sample(record: Record, entry: Entry) -> dict[str, object]:
    dataset, subject, clip = record.sample_id.split("/")
    known = {"dataset": dataset, "subject": subject, "clip": clip, "apex_source": entry.parts[dataset].apex_source}
    return {**asdict(record), **known, **facts(record)}


def _video(record: Record) -> dict[str, object]:
    dataset, subject, clip = record.sample_id.split("/")
    return {
        "sample_id": record.sample_id,
        "dataset": dataset,
        "subject": subject,
        "clip": clip,
        "fps": float(record.fps),
        "gender": record.gender,
        "n_frames": int(record.n_frames),
    }


def _intervals(clips: ClipDataset) -> pd.DataFrame:
    rows = [
        _interval(sample_id, interval)
        for sample_id in clips.videos["sample_id"]
        for interval in getattr(clips.truth(sample_id).plan, "intervals", ())
    ]
    return pd.DataFrame(rows, columns=list(INTERVAL_COLUMNS))


def _interval(sample_id: str, interval: Interval) -> dict[str, object]:
    marks = {name: getattr(interval, name) + FIRST_NUMBER for name in Moments._fields}
    return {
        "sample_id": sample_id,
        "kind": interval.kind,
        **marks,
        "emotion": interval.emotion or pd.NA,
        "label3": LABEL3.get(interval.emotion or "") or pd.NA,
        "action_units": facs(interval.units) or pd.NA,
    }
