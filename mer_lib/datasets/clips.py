"""A data set of clips on the disk: its samples table, frames on demand, and the truth where there is one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from mer_lib.datasets.samples import COLUMNS, check_samples
from mer_lib.datasets.synthetic import index
from mer_lib.datasets.synthetic.emotions import LABEL3
from mer_lib.datasets.synthetic.index import Record
from mer_lib.datasets.synthetic.layout import facts
from mer_lib.datasets.synthetic.plan import facs
from mer_lib.datasets.synthetic.storage import FIRST_NUMBER, files_of, frame_numbers, read_frames, read_truth
from mer_lib.errors import DataError, fault_list
from mer_lib.manifest import Entry, Kind

if TYPE_CHECKING:
    from mer_lib.datasets.synthetic.long_videos import Interval
    from mer_lib.datasets.synthetic.storage import Truth

VIDEO_COLUMNS = ("sample_id", "dataset", "subject", "clip", "fps", "gender", "n_frames")
INTERVAL_COLUMNS = ("sample_id", "kind", "onset", "apex", "offset", "emotion", "label3", "action_units")


class Moments(NamedTuple):
    """Where a clip's three moments lie among its frames: indices from 0, not the frame numbers of the table."""

    onset: int
    apex: int
    offset: int


@dataclass(frozen=True, eq=False, repr=False)
class ClipDataset:
    """Clips and, where there are any, long videos; frames are read when they are asked for.

    Attributes:
        name: name in the data manifest.
        title: title in the data manifest.
        kind: "synthetic"; whatever is shown from such a data set says so.
        samples: the checked samples table of the clips, sorted by sample_id; frame numbers are those of the files.
        videos: long videos, one row each: sample_id, dataset, subject, clip, fps, gender, n_frames.
        root: the folder that they lie in.
        records: what the list of the profile says of each clip and long video, by id.
    """

    name: str
    title: str
    kind: Kind
    samples: pd.DataFrame
    videos: pd.DataFrame
    root: Path
    records: dict[str, Record]

    def __repr__(self) -> str:
        return f"<ClipDataset {self.name}: {self.label}>"

    @property
    def label(self) -> str:
        """What the data are, in the words to print beside every number and figure."""
        count = len(self.videos)
        videos = f" and {count} long video{'s' if count > 1 else ''}" if count else ""
        return f"{len(self.samples)} synthetic clips{videos} (drawn faces, {self.title})"

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the ids, labels and file digests of all clips and long videos."""
        lines = [
            "|".join((r.sample_id, r.label3, r.frames_sha256, r.truth_sha256)) for _, r in sorted(self.records.items())
        ]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def frames(self, sample_id: str, indices: Sequence[int] | None = None) -> np.ndarray:
        """Read frames of a clip or a long video.

        Args:
            sample_id: which one.
            indices: from 0, in any order; all frames where None.

        Returns:
            uint8 (T, H, W, 3) RGB, or (T, H, W) where the camera was grey.

        Raises:
            DataError: the data set has no such sample, the file is missing or damaged, or an index lies outside.
        """
        return read_frames(files_of(self.root, self._known(sample_id)).frames, indices)

    def frame_numbers(self, sample_id: str) -> np.ndarray:
        """Return the numbers of a clip's frames as its files have them: int64 (T,), increasing.

        Raises:
            DataError: the data set has no such sample, or the file is missing or damaged.
        """
        return np.array(frame_numbers(files_of(self.root, self._known(sample_id)).frames), dtype=np.int64)

    def moments(self, sample_id: str) -> Moments:
        """Return onset, apex and offset of a clip as indices from 0 into its frames.

        Raises:
            DataError: the data set has no such clip, or a number of the table has no frame.
        """
        row = self.samples.set_index("sample_id").loc[self._known(sample_id, of_clip=True)]
        position = {int(number): at for at, number in enumerate(self.frame_numbers(sample_id))}
        wanted = {name: int(row[name]) for name in Moments._fields}
        lost = [f"{name}: frame {number}" for name, number in wanted.items() if number not in position]
        if lost:
            raise DataError(f"{sample_id}: no frame has these numbers:\n{fault_list(lost)}")
        return Moments(**{name: position[number] for name, number in wanted.items()})

    def truth(self, sample_id: str) -> Truth:
        """Return all that is known of a clip or a long video: intensities, head motion, landmarks, exact flow.

        Raises:
            DataError: the data set has no such sample, or its truth is missing or damaged.
        """
        return read_truth(files_of(self.root, self._known(sample_id)).truth)

    def intervals(self) -> pd.DataFrame:
        """Return what happens in the long videos, one row an event.

        Columns: sample_id, kind ("micro", "macro", "blink", "gaze" or "pose"), onset, apex and offset (frame numbers),
        emotion, label3 and action_units (missing where the event is no expression).
        """
        rows = [
            _interval(sample_id, interval)
            for sample_id in self.videos["sample_id"]
            for interval in getattr(self.truth(sample_id).plan, "intervals", ())
        ]
        return pd.DataFrame(rows, columns=list(INTERVAL_COLUMNS))

    def _known(self, sample_id: str, of_clip: bool = False) -> str:
        if sample_id not in self.records or (of_clip and not self.records[sample_id].label3):
            what = "clip" if of_clip else "clip or long video"
            raise DataError(f"{self.name} has no such {what}: {sample_id!r}; see its samples and videos tables")
        return sample_id


def open_clips(entry: Entry, root: Path) -> ClipDataset:
    """Open the clips of a made profile; its list is read, no clip is.

    Args:
        entry: of the data manifest, of kind "synthetic".
        root: folder of the synthetic data.

    Raises:
        DataError: the list of the profile is missing or damaged.
    """
    records = index.read(root, str(entry.profile))
    clips = [_sample(record, entry) for record in records if record.label3]
    videos = [_video(record) for record in records if not record.label3]
    return ClipDataset(
        entry.name,
        entry.title,
        entry.kind,
        check_samples(pd.DataFrame(clips, columns=list(COLUMNS))),
        pd.DataFrame(videos, columns=list(VIDEO_COLUMNS)),
        root,
        {record.sample_id: record for record in records},
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
