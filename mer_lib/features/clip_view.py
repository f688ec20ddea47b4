"""One clip opened for looking at it: frames, face, movement and apex, each computed when it is asked for, and kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mer_lib.apex.registration import Registration
from mer_lib.apex.spotting import Spotted, spot
from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.synthetic.plan import ClipPlan
from mer_lib.datasets.synthetic.renderer import ClipRenderer
from mer_lib.errors import DataError, ParameterError
from mer_lib.faces import regions as schemes
from mer_lib.faces.alignment import Alignment, whole_face
from mer_lib.faces.landmarks import Detection, detector
from mer_lib.faces.regions import Region, stable_mask
from mer_lib.features.clip import Annotation, annotation_of
from mer_lib.features.recipes import Head
from mer_lib.manifest import Kind
from mer_lib.motion import FlowMethod, flow_method, optical_flow
from mer_lib.motion.head_motion import without_head_motion

SIDE = 224  # pixels of an aligned face
MAX_BYTES = 1_000_000_000  # frames of one clip that are held at a time
_KEPT = 64  # flows and single frames


class Stretch(NamedTuple):
    """Indices from 0 of a clip's movement; where nothing is annotated, it is the whole clip and no apex."""

    onset: int
    apex: int | None
    offset: int


class ClipView:
    """A clip with all that can be seen in it.

    Coordinates: a *crop* is the whole face, brought into one place by a similarity that is estimated on the onset frame
    and the same for the whole clip (:func:`mer_lib.faces.whole_face`). Points are (x, y) px.

    Args:
        clips: where the clip is from.
        sample_id: which one.

    Raises:
        DataError: the data set has no such clip or no frames.
    """

    def __init__(self, clips: ClipDataset, sample_id: str) -> None:
        self.clips, self.sample_id = clips, sample_id
        #: Its moments, counted in frames, and which of them are assumed.
        self.annotation: Annotation = annotation_of(clips, sample_id)
        self._kept: Callable[..., Any] = lru_cache(maxsize=_KEPT)(self._compute)

    def __repr__(self) -> str:
        return f"<ClipView of {self.sample_id}: {self.n_frames} frames>"

    # -- what it is ---------------------------------------------------------------------------------------------------

    @property
    def kind(self) -> Kind:
        """Whether it was recorded ("real") or drawn ("synthetic")."""
        return self.clips.kind

    @property
    def label(self) -> str:
        """Data set that it is from, in the words to print beside every figure."""
        return self.clips.label

    @cached_property
    def row(self) -> pd.Series:
        """Its row of the samples table."""
        table = self.clips.samples
        return table[table["sample_id"] == self.sample_id].iloc[0]

    @property
    def title(self) -> str:
        """Its id and, where there is one, its emotion."""
        emotion = self.row["emotion"]
        return self.sample_id if pd.isna(emotion) else f"{self.sample_id} ({emotion})"

    @property
    def n_frames(self) -> int:
        """How many frames it has."""
        return self.annotation.n_frames

    @property
    def fps(self) -> float | None:
        """Frames a second; None where nobody says it."""
        return self.annotation.fps

    @property
    def moments(self) -> Stretch:
        """Onset, apex and offset as indices; missing ones are the first frame, none, and the last frame.

        Raises:
            DataError: the annotation names a frame that there is not.
        """
        return Stretch(self.annotation.onset, self.annotation.apex, self.annotation.offset)

    @property
    def names(self) -> dict[str, str]:
        """What to call onset, apex and offset: an onset or offset that nobody annotated is a first or last frame."""
        stand_ins = {"onset": "first frame", "offset": "last frame"}
        return {name: stand_ins[name] if name in self.annotation.assumed else name for name in Stretch._fields}

    @property
    def true_apex(self) -> int | None:
        """Index of the frame in which a synthetic expression is strongest; None where nobody knows."""
        plan = self.renderer.plan if self.kind == "synthetic" else None
        return plan.apex if isinstance(plan, ClipPlan) else None

    # -- what is seen -------------------------------------------------------------------------------------------------

    @cached_property
    def frames(self) -> np.ndarray:
        """All frames, uint8 (T, H, W, 3) RGB.

        Raises:
            ParameterError: they are too many to be held at a time.
        """
        height, width = self.size
        if self.n_frames * height * width * 3 > MAX_BYTES:
            raise ParameterError(
                f"{self.sample_id}: {self.n_frames} frames of {width}x{height} pixels are too many to be held at a "
                "time: look at single frames, or cut the clip"
            )
        return self.clips.frames(self.sample_id)

    @cached_property
    def size(self) -> tuple[int, int]:
        """Rows and columns of a frame."""
        height, width, _ = self.clips.frames(self.sample_id, [self.moments.onset])[0].shape
        return height, width

    def frame(self, index: int) -> np.ndarray:
        """Return one frame, uint8 (H, W, 3) RGB."""
        if "frames" in self.__dict__:
            return self.frames[self._checked(index)]
        return self._kept("frame", self._checked(index))

    @cached_property
    def detection(self) -> Detection:
        """Faces of the onset frame."""
        return detector("mediapipe").detect(self.frame(self.moments.onset))

    @property
    def points(self) -> np.ndarray:
        """Landmarks of the largest face of the onset frame, float32 (478, 2) px.

        Raises:
            DataError: no face is found.
        """
        if not self.detection.found:
            raise DataError(f"{self.sample_id}: no face is found in its onset frame: choose another clip")
        return self.detection.face.points

    def alignment(self, side: int = SIDE) -> Alignment:
        """Return what brings the face of every frame into a crop of `side` pixels."""
        return whole_face(self.points, side)

    def aligned(self, index: int, side: int = SIDE) -> np.ndarray:
        """Return the crop of one frame, uint8 (side, side, 3) RGB."""
        return self._kept("aligned", self._checked(index), side)

    def regions(self, scheme: str, side: int = SIDE, **options: Any) -> tuple[Region, ...]:
        """Return the regions of `scheme` in the crop; options as for :func:`mer_lib.faces.regions.regions`."""
        return schemes.regions(scheme, self.alignment(side).points(self.points), **options)

    # -- movement -----------------------------------------------------------------------------------------------------

    def flow(
        self,
        first: int,
        second: int,
        method: str | FlowMethod = "farneback",
        side: int | None = SIDE,
        head: Head = "kept",
    ) -> np.ndarray:
        """Return the estimated movement between two frames.

        Args:
            first: index of the frame on whose grid the flow stands.
            second: index of the other frame.
            method: of :func:`mer_lib.motion.optical_flow`.
            side: of the crop in which it is estimated; the whole frame where None.
            head: "removed" takes away the similarity that fits the still parts of the face best.

        Returns:
            float32 (side, side, 2) in pixels of the crop, or (H, W, 2) in those of the frame.
        """
        return self._kept("flow", self._checked(first), self._checked(second), flow_method(method), side, head)

    def true_flow(self, first: int, second: int, side: int | None = SIDE, head: Head = "kept") -> np.ndarray:
        """Return the exact movement between two frames of a synthetic clip; as :meth:`flow`.

        Raises:
            DataError: the clip was recorded, so nobody knows.
        """
        return self._kept("true_flow", self._checked(first), self._checked(second), side, head)

    def known(self, first: int, second: int, side: int | None = SIDE) -> np.ndarray:
        """Return bool (side, side): where :meth:`true_flow` says whereto a visible point of the face went."""
        return self._kept("known", self._checked(first), self._checked(second), side)

    @cached_property
    def renderer(self) -> ClipRenderer:
        """What draws a synthetic clip anew.

        Raises:
            DataError: the clip was recorded.
        """
        return self.clips.truth(self.sample_id).renderer()

    def spotted(self, method: str = "cell_difference", registration: Registration = "stable") -> Spotted:
        """Return the apex that a method finds between onset and offset; its `index` counts the clip's frames.

        Its curve has one value a frame from onset to offset. Methods: :func:`mer_lib.apex.spotting.spot`.
        """
        return self._kept("spotted", method, registration)

    # -- how it is computed -------------------------------------------------------------------------------------------

    def _compute(self, what: str, *arguments: Hashable) -> Any:
        return getattr(self, f"_compute_{what}")(*arguments)

    def _compute_frame(self, index: int) -> np.ndarray:
        return self.clips.frames(self.sample_id, [index])[0]

    def _compute_aligned(self, index: int, side: int) -> np.ndarray:
        return self.alignment(side).warp(self.frame(index))

    def _compute_flow(self, first: int, second: int, method: FlowMethod, side: int | None, head: Head) -> np.ndarray:
        if head == "removed":
            points = self.points if side is None else self.alignment(side).points(self.points)
            flow = self.flow(first, second, method, side)
            return without_head_motion(flow, stable_mask(points, *flow.shape[:2]))
        before, after = (self.frame(i) if side is None else self.aligned(i, side) for i in (first, second))
        return optical_flow(before, after, method)

    def _compute_true_flow(self, first: int, second: int, side: int | None, head: Head) -> np.ndarray:
        flow = self.renderer.flow(first, second, head=head == "kept")
        if side is None:
            return flow
        alignment = self.alignment(side)
        return alignment.vectors(alignment.warp(flow))

    def _compute_known(self, first: int, second: int, side: int | None) -> np.ndarray:
        known = self.renderer.valid(first, second) & (self.renderer.face.portrait.face > 0.5)
        return known if side is None else self.alignment(side).warp(known.astype(np.float32)) > 0.5

    def _compute_spotted(self, method: str, registration: Registration) -> Spotted:
        onset, _, offset = self.moments
        frames = self.clips.frames(self.sample_id, range(onset, offset + 1))
        found = spot(frames, self.points, method, registration, fps=self.fps)
        return replace(found, index=onset + found.index)

    # -- small things -------------------------------------------------------------------------------------------------

    def _checked(self, index: int) -> int:
        if not 0 <= index < self.n_frames:
            raise ParameterError(f"{self.sample_id}: expected a frame from 0 to {self.n_frames - 1}, got {index}")
        return int(index)
