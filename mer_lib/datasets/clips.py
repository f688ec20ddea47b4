"""A data set of clips on the disk: its samples table, frames on demand, and the truth where there is one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from mer_lib.datasets.faults import Fault, exclusions
from mer_lib.datasets.frames.source import FrameSource
from mer_lib.datasets.synthetic.storage import read_truth
from mer_lib.errors import DataError, fault_list
from mer_lib.manifest import Kind

if TYPE_CHECKING:
    from mer_lib.datasets.synthetic.storage import Truth

OWN = "own"  # the version of the images of somebody's own clips, which have no other
VIDEO_COLUMNS = ("sample_id", "dataset", "subject", "clip", "fps", "gender", "n_frames")
INTERVAL_COLUMNS = ("sample_id", "kind", "onset", "apex", "offset", "emotion", "label3", "action_units")


class Moments(NamedTuple):
    """Where a clip's three moments lie among its frames: indices from 0, not the frame numbers of the table."""

    onset: int
    apex: int
    offset: int


class TruthFile(NamedTuple):
    """Where the truth of a synthetic clip or long video lies, and the digest of that file."""

    path: Path
    sha256: str


@dataclass(frozen=True, eq=False, repr=False)
class ClipDataset:
    """Clips and, where there are any, long videos; frames are read when they are asked for.

    Attributes:
        name: name in the data manifest.
        title: title in the data manifest.
        kind: "real" or "synthetic"; whatever is shown from the latter says so.
        samples: the checked samples table of the clips that can be used, sorted by sample_id; frame numbers are those
            of the files.
        videos: long videos, one row each: sample_id, dataset, subject, clip, fps, gender, n_frames.
        sources: frames of clips and long videos, by id; empty where only the annotation is there.
        annotation: every annotated clip, excluded ones too: the columns of the samples table and those of the
            annotation besides (objective_class, notes, place).
        images: which version of the images is read, such as "cropped"; None where none are there.
        faults: everything that was found wrong.
        truths: files with the truth of synthetic clips and videos, by id.
        find_intervals: returns the table of :meth:`intervals`.
    """

    name: str
    title: str
    kind: Kind
    samples: pd.DataFrame
    videos: pd.DataFrame
    sources: Mapping[str, FrameSource]
    annotation: pd.DataFrame
    images: str | None
    faults: tuple[Fault, ...]
    truths: Mapping[str, TruthFile]
    find_intervals: Callable[[ClipDataset], pd.DataFrame] = field(kw_only=True)

    def __repr__(self) -> str:
        return f"<ClipDataset {self.name}: {self.label}>"

    @property
    def label(self) -> str:
        """What the data are, in the words to print beside every number and figure."""
        count = len(self.videos)
        videos = f" and {count} long video{'s' if count > 1 else ''}" if count else ""
        clips = "clip" if len(self.samples) == 1 else "clips"
        if self.kind == "synthetic":
            return f"{len(self.samples)} synthetic {clips}{videos} (drawn faces, {self.title})"
        images = {None: ", annotation without images", OWN: ""}.get(self.images, f", {self.images} images")
        excluded = f", {len(self.exclusions)} excluded" if len(self.exclusions) else ""
        return f"{len(self.samples)} recorded {clips}{videos} ({self.title}{images}){excluded}"

    @property
    def has_frames(self) -> bool:
        """Whether there are frames, or the annotation alone."""
        return bool(self.sources)

    @cached_property
    def exclusions(self) -> pd.DataFrame:
        """Clips that cannot be used, one row each: sample_id, and `reason` with all that is wrong with it."""
        return exclusions(self.faults)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over ids, labels, frame numbers, files and truth of all clips and long videos.

        Of synthetic files it covers every byte; of recorded ones, names and sizes.
        """
        table = self.samples[["sample_id", "label3", "onset", "apex", "offset"]].astype("string").fillna("")
        stamps = {name: source.stamp() for name, source in self.sources.items()}
        lines = ["|".join((*row, stamps.pop(row[0], ""))) for row in table.itertuples(index=False)]
        lines += [f"{name}|{stamp}" for name, stamp in stamps.items()]
        lines += [f"{name}|{truth.sha256}" for name, truth in self.truths.items()]
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()

    def frames(self, sample_id: str, indices: Sequence[int] | None = None) -> np.ndarray:
        """Read frames of a clip or a long video.

        Args:
            sample_id: which one.
            indices: from 0, in any order; all frames where None.

        Returns:
            uint8 (T, H, W, 3) RGB; where the camera was grey, three equal channels.

        Raises:
            DataError: the data set has no such sample or no frames at all, the file is missing or damaged, or an index
                lies outside.
        """
        return self._source(sample_id).read(indices)

    def stream(self, sample_id: str, start: int = 0, stop: int | None = None, step: int = 1) -> Iterator[np.ndarray]:
        """Yield frames of a clip or a long video one by one, each uint8 (H, W, 3) RGB.

        Memory does not grow with the length of the video.

        Args:
            sample_id: which one.
            start: index of the first frame.
            stop: index after the last frame; the end where None.
            step: every so many-th frame.

        Raises:
            DataError: as for :meth:`frames`.
        """
        return self._source(sample_id).stream(start, stop, step)

    def frame_numbers(self, sample_id: str) -> np.ndarray:
        """Return the numbers of a clip's frames as its files have them: int64 (T,), increasing.

        Raises:
            DataError: the data set has no such sample or no frames at all, or the file is missing or damaged.
        """
        return self._source(sample_id).numbers()

    def moments(self, sample_id: str) -> Moments:
        """Return onset, apex and offset of a clip as indices from 0 into its frames.

        Raises:
            DataError: the data set has no such clip, one of the three is not annotated, or has no frame.
        """
        rows = self.samples[self.samples["sample_id"] == sample_id]
        if rows.empty:
            raise self._unknown(sample_id, "clip")
        wanted = rows.iloc[0][list(Moments._fields)]
        if wanted.isna().any():
            lacking = ", ".join(wanted.index[wanted.isna()])
            raise DataError(f"{sample_id}: {lacking} is not annotated: spot it, or take a frame of your choice")
        position = {int(number): at for at, number in enumerate(self.frame_numbers(sample_id))}
        lost = [f"{name}: frame {number}" for name, number in wanted.items() if int(number) not in position]
        if lost:
            raise DataError(f"{sample_id}: no frame has these numbers:\n{fault_list(lost)}")
        return Moments(*(position[int(number)] for number in wanted))

    def truth(self, sample_id: str) -> Truth:
        """Return all that is known of a synthetic clip or video: intensities, head motion, landmarks, exact flow.

        Raises:
            DataError: the data set has no such sample, its truth is missing or damaged, or it was recorded: nobody
                knows the truth of that.
        """
        if self.kind != "synthetic":
            raise DataError(f"{self.name} was recorded, so its truth is not known: expected a synthetic data set")
        if sample_id not in self.truths:
            raise self._unknown(sample_id)
        return read_truth(self.truths[sample_id].path)

    def intervals(self) -> pd.DataFrame:
        """Return what happens in the long videos, one row an event.

        Columns: sample_id (of the video), kind ("micro", "macro", "blink", "gaze" or "pose"), onset, apex and offset
        (frame numbers), emotion, label3 and action_units (missing where the event is no expression).
        """
        return self.find_intervals(self)

    def _source(self, sample_id: str) -> FrameSource:
        if not self.sources:
            raise DataError(
                f"{self.title}: no frames are here, the annotation alone. docs/data_sets.md says where images belong."
            )
        if sample_id not in self.sources:
            raise self._unknown(sample_id)
        return self.sources[sample_id]

    def _unknown(self, sample_id: str, what: str = "clip or long video") -> DataError:
        reasons = self.exclusions.set_index("sample_id")["reason"]
        why = (
            f": it is excluded ({reasons[sample_id]})"
            if sample_id in reasons
            else "; see its samples and videos tables"
        )
        return DataError(f"{self.name} has no such {what}: {sample_id!r}{why}")
