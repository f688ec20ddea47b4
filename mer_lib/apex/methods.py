"""Methods of spotting: each turns the frames of a face into a curve that is high where the movement is strong.

Two forms of a method stand beside each other in :data:`NAMED`: as published, and with defaults that were found to do
better on synthetic clips, whose apex is known (benchmarks/apex_spotting.py): light evened out, both ends of the clip
taken for neutral, only the regions that move most, and no apex at the ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal, Protocol

import cv2
import numpy as np
from skimage.feature import local_binary_pattern

from mer_lib.apex.curves import REFERENCES, SEARCHES, Reference, Search, combined
from mer_lib.apex.light import eight_bits, evened
from mer_lib.apex.settings import LONGEST_MS, check
from mer_lib.faces.regions import Region, dnc_rois, stable_mask, ten_cells
from mer_lib.motion import Box, FlowMethod, cut, fit_head_motion, flow_method, optical_flow

#: Standard deviation of the Gaussian that smooths curves, in milliseconds.
SMOOTHING_MS = 20.0

_LBP_NEIGHBOURS, _LBP_RADIUS = 8, 1
_LBP_CODES = _LBP_NEIGHBOURS + 2  # uniform patterns by their number of ones, and one code for all others
# The fit of the head's motion looks at about so many pixels of the stable skin.
_FIT_PLACES = 400
_BLURRIEST_PX = 100.0
_CHOICES = MappingProxyType({"reference": REFERENCES, "search": SEARCHES})


class Spotter(Protocol):
    """A method with its parameters; equal parameters compare equal."""

    @property
    def search(self) -> Search:
        """How its curve is searched unless one says otherwise."""

    @property
    def smoothing_ms(self) -> float:
        """Standard deviation of the Gaussian that smooths its curve; 0: none."""

    @property
    def looks(self) -> bool:
        """Whether it looks at the frames at all."""

    def curve(self, frames: np.ndarray, points: np.ndarray, fps: float | None) -> np.ndarray:
        """Return float64 (T,) of uint8 grey frames (T, H, W) and the landmarks (478, 2) px of the first."""


@dataclass(frozen=True)
class DncRois:
    """Change of texture in three regions (both eyes with their brows, mouth), searched by divide and conquer.

    Histograms of uniform local binary patterns, 8 neighbours at radius 1; the difference of two is
    1 - sum(h g) / sqrt(sum(h^2) sum(g^2)). Radius and neighbours are not printed.

    Attributes:
        reference: what a frame is compared with, see :func:`mer_lib.apex.curves.combined`.
        blur_px: standard deviation of a blur before, in pixels; 0: none. Noise makes patterns of its own.
        blocks: each region is divided into so many rows and columns with a histogram each. A histogram does not know
            where in its block a pattern lies.
        smoothing_ms: of the curve.
        search: "divide" as published, or one of the others of :func:`mer_lib.apex.curves.found`.

    Source: D&C-RoIs, Liong, See, Wong, Le Ngo, Oh, Phan, "Automatic apex frame spotting in micro-expression database",
    ACPR 2015; the difference as HTNet prints it (Wang et al. 2024), one minus their similarity.
    """

    reference: Reference = "nearer"
    blur_px: float = 2.0
    blocks: int = 3
    smoothing_ms: float = SMOOTHING_MS
    search: Search = "divide"
    looks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check(
            self,
            choices=_CHOICES,
            counts={"blocks": False},
            most={"blur_px": _BLURRIEST_PX, "smoothing_ms": LONGEST_MS},
        )

    @classmethod
    def published(cls) -> DncRois:
        """Compared with the first frame alone, whole regions, neither blurred nor smoothed."""
        return cls(reference="first", blur_px=0.0, blocks=1, smoothing_ms=0.0)

    def curve(self, frames: np.ndarray, points: np.ndarray, fps: float | None) -> np.ndarray:
        """Return float64 (T,): mean difference over the histograms, 0 to 1."""
        boxes = _boxes(dnc_rois(points), frames)
        histograms = np.stack([self._histograms(blurred(frame, self.blur_px), boxes) for frame in frames])
        from_first, from_last = (_dissimilarity(histograms, histograms[end]) for end in (0, -1))
        return combined(from_first, from_last, self.reference)

    def _histograms(self, frame: np.ndarray, boxes: list[Box]) -> np.ndarray:
        """Return float64 (R * blocks^2, codes)."""
        found = []
        for box in boxes:
            codes = local_binary_pattern(cut(frame, box), _LBP_NEIGHBOURS, _LBP_RADIUS, "uniform").astype(np.intp)
            blocks = [
                part for row in np.array_split(codes, self.blocks) for part in np.array_split(row, self.blocks, 1)
            ]
            found += [np.bincount(block.ravel(), minlength=_LBP_CODES) for block in blocks]
        return np.array(found, dtype=np.float64)


@dataclass(frozen=True)
class CellDifference:
    """Change of grey levels in ten cells, of a pixel's 0..255.

    Published: of each pixel (|I - I_onset| + 1) / (|I - I_before| + 1), plus the same with the offset, averaged over
    pixels and cells. The ones keep the ratio defined, and make it depend on the range of grey levels.

    Attributes:
        reference: what a frame is compared with, see :func:`mer_lib.apex.curves.combined`; "first" is the authors'
            code, "both" their text.
        neighbour: what divides: the difference from the "previous" frame (code) or the "next" (text); None: nothing.
        strongest: mean over so many cells, those that differ most; None: over all.
        even_light: take out that the whole face becomes brighter or darker.
        blur_px: standard deviation of a blur before, in pixels; 0: none.
        smoothing_ms: of the curve.
        search: how the apex is looked for, see :func:`mer_lib.apex.curves.found`; published is "highest".

    Source: Quang, Chun, Tokuyama, "CapsuleNet for micro-expression recognition", IEEE FG 2019, apex spotting, and their
    code. They look for landmarks in every frame; here the cells stay where the first frame has them.
    """

    reference: Reference = "nearer"
    neighbour: Literal["previous", "next"] | None = None
    strongest: int | None = 3
    even_light: bool = True
    blur_px: float = 1.0
    smoothing_ms: float = SMOOTHING_MS
    search: Search = "peak"
    looks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check(
            self,
            choices={**_CHOICES, "neighbour": (None, "previous", "next")},
            counts={"strongest": True},
            most={"blur_px": _BLURRIEST_PX, "smoothing_ms": LONGEST_MS},
        )

    @classmethod
    def published(cls) -> CellDifference:
        """Both ends over the previous frame, all ten cells, nothing evened or smoothed, the highest frame."""
        return cls("both", "previous", None, False, 0.0, 0.0, "highest")

    def curve(self, frames: np.ndarray, points: np.ndarray, fps: float | None) -> np.ndarray:
        """Return float64 (T,), 0 where the neighbour is lacking."""
        boxes = _boxes(ten_cells(points), frames)
        frames = even(frames, points) if self.even_light else frames.astype(np.float32)
        frames = np.stack([blurred(frame, self.blur_px) for frame in frames])
        cells = [frames[:, box.top : box.bottom, box.left : box.right] for box in boxes]
        from_first, from_last = (np.stack([self._changes(cell, end) for cell in cells], axis=1) for end in (0, -1))
        curve = combined(from_first, from_last, self.reference, self.strongest)
        if self.neighbour:
            curve[0 if self.neighbour == "previous" else -1] = 0
        return curve

    def _changes(self, cell: np.ndarray, end: int) -> np.ndarray:
        """Return float64 (T,): mean change of a cell (T, h, w) from its frame `end`."""
        change = np.abs(cell - cell[end])
        if self.neighbour:
            beside = np.roll(cell, 1 if self.neighbour == "previous" else -1, axis=0)
            change = (change + 1) / (np.abs(cell - beside) + 1)
        return change.mean(axis=(1, 2), dtype=np.float64)


@dataclass(frozen=True)
class RegionFlow:
    """Length of the mean optical flow of ten cells since the first frame, without the head's own motion.

    Attributes:
        flow: method, or its name, see :data:`mer_lib.motion.NAMED`.
        head: "removed" subtracts the similarity that the stable skin shows, "kept" does not.
        reference: as for :class:`CellDifference`; the flow from the last frame is taken as the difference of two flows
            from the first.
        strongest: mean over so many cells, those that move most; None: over all.
        even_light: take out that the whole face becomes brighter or darker.
        every_ms: flow is computed for a frame every so many milliseconds, and the curve is interpolated between them;
            for every frame where the frame rate is not known.
        smoothing_ms: of the curve.
        search: how the apex is looked for, see :func:`mer_lib.apex.curves.found`.
    """

    flow: str | FlowMethod = "dis"
    head: Literal["removed", "kept"] = "removed"
    reference: Reference = "nearer"
    strongest: int | None = 3
    even_light: bool = True
    every_ms: float = 20.0
    smoothing_ms: float = SMOOTHING_MS
    search: Search = "peak"
    looks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check(
            self,
            choices={**_CHOICES, "head": ("removed", "kept")},
            counts={"strongest": True},
            most={"every_ms": LONGEST_MS, "smoothing_ms": LONGEST_MS},
        )
        flow_method(self.flow)

    def curve(self, frames: np.ndarray, points: np.ndarray, fps: float | None) -> np.ndarray:
        """Return float64 (T,) in pixels."""
        boxes = _boxes(ten_cells(points), frames)
        if self.even_light:
            frames = eight_bits(even(frames, points))
        indices = _every(len(frames), self.every_ms, fps)
        places = _fit_places(points, frames.shape[1:]) if self.head == "removed" else None
        moves = np.stack([self._moves(frames[0], frames[index], boxes, places) for index in indices])
        from_first, from_last = (np.linalg.norm(moves - start, axis=-1) for start in (0, moves[-1]))
        curve = combined(from_first, from_last, self.reference, self.strongest)
        return np.interp(np.arange(len(frames)), indices, curve)

    def _moves(self, first: np.ndarray, then: np.ndarray, boxes: list[Box], places: np.ndarray | None) -> np.ndarray:
        """Return float64 (R, 2): mean movement of each box in pixels."""
        flow = optical_flow(first, then, self.flow)
        moves = np.stack([cut(flow, box).mean(axis=(0, 1), dtype=np.float64) for box in boxes])
        if places is None:
            return moves
        centres = np.array([((box.left + box.right - 1) / 2, (box.top + box.bottom - 1) / 2) for box in boxes])
        return moves - fit_head_motion(flow, places).at(centres)


@dataclass(frozen=True)
class Middle:
    """The middle frame, without a look at any: what every method has to beat. Its curve is a triangle."""

    search: ClassVar[Search] = "peak"
    smoothing_ms: ClassVar[float] = 0.0
    looks: ClassVar[bool] = False

    def curve(self, frames: np.ndarray, points: np.ndarray, fps: float | None) -> np.ndarray:
        """Return float64 (T,) from 0 over 1 to 0."""
        return 1 - np.abs(np.linspace(-1, 1, len(frames))) if len(frames) > 1 else np.zeros(1)


#: Methods by name.
NAMED: Mapping[str, Spotter] = MappingProxyType(
    {
        "dnc_rois": DncRois(),
        "cell_difference": CellDifference(),
        "region_flow": RegionFlow(),
        "middle": Middle(),
        "dnc_rois_published": DncRois.published(),
        "cell_difference_published": CellDifference.published(),
    }
)


def blurred(frame: np.ndarray, sigma: float) -> np.ndarray:
    """Return a grey frame after a Gaussian blur of standard deviation `sigma` px; itself where that is 0."""
    return cv2.GaussianBlur(frame, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE) if sigma else frame


def even(frames: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return grey frames (T, H, W) as float32 of even light, judged by the stable skin or, unseen, by everything."""
    skin = stable_mask(points, *frames.shape[1:])
    return evened(frames, skin if skin.any() else np.ones_like(skin))


def _boxes(regions: tuple[Region, ...], frames: np.ndarray) -> list[Box]:
    return [region.box_within(*frames.shape[1:]) for region in regions]


def _dissimilarity(histograms: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return 1 - the cosine between histograms (T, R, codes) and others (R, codes): float64 (T, R).

    It is 0 between empty ones: those of blocks without a pixel, of tiny regions.
    """
    norms = np.linalg.norm(histograms, axis=-1) * np.linalg.norm(other, axis=-1)
    cosine = np.divide((histograms * other).sum(axis=-1), norms, out=np.ones_like(norms), where=norms > 0)
    return np.maximum(1 - cosine, 0)  # rounding may leave it below


def _every(n_frames: int, milliseconds: float, fps: float | None) -> np.ndarray:
    """Return increasing indices, the first and the last frame among them."""
    step = 1 if fps is None else max(round(milliseconds / 1000 * fps), 1)
    return np.unique(np.append(np.arange(0, n_frames, step), n_frames - 1))


def _fit_places(points: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return points (N, 2) px of the stable skin."""
    places = np.argwhere(stable_mask(points, *shape[:2]))[:, ::-1].astype(np.float64)
    return places[:: max(len(places) // _FIT_PLACES, 1)]
