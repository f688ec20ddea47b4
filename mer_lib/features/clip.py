"""One clip as recipes look at it: its frames, its face, and which frame counts as its apex."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from mer_lib.apex import spotting
from mer_lib.apex.registration import Registration
from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.frames.source import FrameSource
from mer_lib.errors import DataError, fault_list
from mer_lib.faces import landmarks
from mer_lib.faces.landmarks import Face
from mer_lib.features.recipes import Apex, NoFace
from mer_lib.motion import grey8

#: How the apex is found where a recipe takes the annotated one and a clip has none.
SPOTTER: Apex = "cell_difference"
_LOST = -1  # instead of an index, where no frame has an annotated number


@dataclass(frozen=True)
class Annotation:
    """What the samples table says of one clip, counted in indices from 0 into its frames.

    Attributes:
        n_frames: how many frames there are.
        fps: frames a second; None where neither table nor file says it.
        onset: first frame of the expression; the clip's first where that is not annotated.
        apex: its strongest frame; None where that is not annotated.
        offset: its last frame; the clip's last where that is not annotated.
        assumed: which of onset and offset are not annotated.
    """

    n_frames: int
    fps: float | None
    onset: int
    apex: int | None
    offset: int
    assumed: tuple[str, ...] = ()


def annotation_of(clips: ClipDataset, sample_id: str) -> Annotation:
    """Return the annotation of a clip, whatever of it is missing.

    Raises:
        DataError: the data set has no such clip or no frames, or an annotated moment has no frame.
    """
    rows = clips.samples[clips.samples["sample_id"] == sample_id]
    if rows.empty or sample_id not in clips.sources:
        clips.moments(sample_id)  # says why
        raise DataError(f"{clips.name} has no frames of {sample_id}")
    row, source = rows.iloc[0], clips.sources[sample_id]
    numbers = source.numbers()
    marks = {name: _index(numbers, row[name]) for name in ("onset", "apex", "offset")}
    lost = [f"{name}: frame {row[name]}" for name, index in marks.items() if index == _LOST]
    if lost:
        raise DataError(f"{sample_id}: no frame has these numbers:\n{fault_list(lost)}")
    onset, offset = marks["onset"] or 0, len(numbers) - 1 if marks["offset"] is None else marks["offset"]
    return Annotation(
        n_frames=len(numbers),
        fps=source.fps if pd.isna(row["fps"]) else float(row["fps"]),
        onset=onset,
        apex=marks["apex"],
        offset=offset,
        assumed=tuple(name for name in ("onset", "offset") if marks[name] is None),
    )


def _index(numbers: np.ndarray, number: Any) -> int | None:
    """Return where a frame number is among `numbers`; None where it is missing, -1 where no frame has it."""
    if pd.isna(number):
        return None
    at = int(np.searchsorted(numbers, int(number)))
    return at if at < len(numbers) and numbers[at] == int(number) else _LOST


@dataclass
class Clip:
    """One clip that is being looked at; what is found out is remembered.

    Attributes:
        sample_id: which one, for messages.
        source: its frames.
        annotation: where its moments lie.
        facts: takes note of how things came about.
    """

    sample_id: str
    source: FrameSource
    annotation: Annotation
    facts: dict[str, Any] = field(default_factory=dict)
    _kept: dict[int, np.ndarray] = field(default_factory=dict, init=False, repr=False)
    _shape: tuple[int, ...] | None = field(default=None, init=False, repr=False)
    _found: dict[tuple[int, str], landmarks.Detection] = field(default_factory=dict, init=False, repr=False)

    def frame(self, index: int) -> np.ndarray:
        """Return one frame, uint8 (H, W, 3) RGB.

        Raises:
            DataError: it cannot be read, or its size is not that of the frames before.
        """
        if index not in self._kept:
            self._kept[index] = self._checked(self.source.read([index])[0])
        return self._kept[index]

    def stream(self, start: int, stop: int) -> Iterator[np.ndarray]:
        """Yield frames start to stop - 1 one by one, none is kept; errors as for :meth:`frame`."""
        return map(self._checked, self.source.stream(start, stop))

    def grey(self, start: int, stop: int) -> np.ndarray:
        """Return frames start to stop - 1 as grey, uint8 (T, H, W); colour is never held of all of them."""
        return np.stack([grey8(frame) for frame in self.stream(start, stop)])

    def face(self, index: int, detector: str, no_face: NoFace) -> Face:
        """Return the face in a frame, or that of the published points where none is found and `no_face` allows it.

        Raises:
            DataError: there is no face.
        """
        found = self._detection(index, detector)
        self.facts.update(points="detected" if found.found else "published", faces=len(found.faces), detector=detector)
        if found.found or no_face == "refuse":
            return self._first(found)
        return landmarks.detector("published").detect(self.frame(index)).face

    def mesh(self, index: int) -> np.ndarray | None:
        """Return the landmarks of the mesh in a frame, float32 (478, 2) in px; None where there is no face."""
        found = self._detection(index, "mediapipe")
        return found.face.points if found.found else None

    def apex(self, choice: Apex) -> int:
        """Return the index of the frame that counts as the apex.

        Where a method is to spot it and there is no face, it is the middle frame.
        """
        index, by = self._apex(choice)
        self.facts.update(apex=index, apex_by=by)
        return index

    def _apex(self, choice: Apex) -> tuple[int, str]:
        known = self.annotation
        index = known_apex(known, choice)
        if index is not None:
            return index, choice
        points = self.mesh(known.onset)
        if points is None:
            return (known.onset + known.offset) // 2, "middle"
        method = SPOTTER if choice == "annotated" else choice
        frames = self.grey(known.onset, known.offset + 1)
        held: Registration = "none" if method.endswith("_published") else "stable"
        return known.onset + spotting.spot(frames, points, method, held, fps=known.fps).index, method

    def _detection(self, index: int, detector: str) -> landmarks.Detection:
        key = (index, detector)
        if key not in self._found:
            self._found[key] = landmarks.detector(detector).detect(self.frame(index))
        return self._found[key]

    def _checked(self, frame: np.ndarray) -> np.ndarray:
        self._shape = self._shape or frame.shape
        if frame.shape != self._shape:
            (height, width), (rows, columns) = self._shape[:2], frame.shape[:2]
            raise DataError(
                f"{self.sample_id}: expected frames of one size, got {width}x{height} and {columns}x{rows} pixels"
            )
        return frame

    def _first(self, found: landmarks.Detection) -> Face:
        try:
            return found.face
        except DataError as error:
            raise DataError(f"{self.sample_id}: {error}") from None


def known_apex(annotation: Annotation, choice: Apex) -> int | None:
    """Return the index of the frame that counts as the apex, or None where it has to be spotted first."""
    if choice == "annotated":
        return annotation.apex
    return (annotation.onset + annotation.offset) // 2 if choice == "middle" else None


def frames_to_apex(annotation: Annotation, choice: Apex) -> Sequence[int]:
    """Return which frames decide what onset and apex show, and which frame is the apex."""
    apex = known_apex(annotation, choice)
    return range(annotation.onset, annotation.offset + 1) if apex is None else [annotation.onset, apex]
