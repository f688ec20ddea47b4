"""Recipes of what is seen over time: angles of regions frame by frame, and a magnified sequence."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from mer_lib.faces.regions.row_order import RowOrder
from mer_lib.features.descriptor_recipes import FaceSequence, RegionDirections
from mer_lib.features.recipes import (
    Align,
    Apex,
    ApexFace,
    FlowMap,
    FourRegionMosaic,
    Head,
    NoFace,
    RegionCrops,
    ViewRule,
    _Recipe,
    _WithFlow,
)

#: Grey value of a cell without a movement: outside of 0 to 255, which all stand for angles.
NO_MOTION = -1.0


class AngleImage(_WithFlow, _Recipe):
    """The direction in which each muscle region moves, frame by frame: regions down, time across.

    The window is `frames` + 1 frames around the apex, so that there are `frames` pairs of neighbours; column
    ``frames // 2 - 1`` shows the movement up to the apex. Where the clip has no frame, and where a region moves less
    than `threshold`, a cell says "no motion".

    >>> AngleImage.published().shape, AngleImage.honest().shape
    ((1, 42, 64), (3, 42, 64))
    >>> AngleImage(windows=5).shape, AngleImage(windows=5).sample_shape
    ((5, 3, 42, 64), (3, 42, 64))

    Attributes:
        frames: columns.
        regions: rows.
        rows: their order: "top_to_bottom" of the face, left and right of a pair adjacent, or "permuted", a control:
            in an order drawn once and for all, which no convolution can know.
        windows: how many windows of a clip are looked at; several are views whose predictions are averaged.
        stride: frames from one window to the next; the middle of all windows lies on the apex.
        mean: "circular": the angle of the mean vector; "arithmetic": the mean of the angles, as printed, which turns a
            movement to the right, whose angles lie on both sides of the seam, into anything.
        coding: "grey": one channel, 255 angle / 2 pi, or 255 k / 7 of the sector k, and -1 for no motion; "cos_sin":
            three channels: cosine, sine, and the length that `threshold` is compared with, all 0 for no motion.
        sectors: 8 puts angles into eight sectors before they are coded; None keeps them.
        half_sector: sectors have the angles 0, pi/4, ... in their middle; as printed they begin there, so that what
            moves right or up lies on an edge.
        since: since which frame the movement of a column is measured: the "previous" one, as printed, or the "onset".
            At 200 frames a second a face moves by less from one frame to the next than flow is wrong.
        threshold: in pixels of the square; below it nothing moved. Of a circular mean it is compared with the length
            of the mean vector, which noise makes short, of an arithmetic one with the mean of the lengths.
        head_motion: "removed" subtracts the movement of the parts that no muscle moves, in each flow.
        equalise: histogram equalisation, of each "frame" (as printed; it breaks the constancy of grey values that flow
            assumes), with one mapping for the "clip" (that of the first frame's face), or "none".
        flow: a name of :data:`mer_lib.motion.NAMED`.
        align: how the face is brought into a square; points and square are those of the window's first frame.
        side: of that square in pixels.
        apex: which frame counts as the apex.
        no_face: five published points outline no regions, so a clip without a face is refused.

    Source: Mishin, Classification of micro-expressions based on optical flow with regard to gender, 2025. The flow
    algorithm and the regions are not published: TV-L1 and 42 regions of the mesh stand in for them.
    """

    recipe: Literal["angle_image"] = "angle_image"
    version: Literal[1] = 1
    frames: int = Field(default=64, ge=1, le=512)
    regions: Literal[42] = 42
    rows: RowOrder = "top_to_bottom"
    windows: int = Field(default=1, ge=1, le=64)
    stride: int = Field(default=8, ge=1, le=512)
    mean: Literal["circular", "arithmetic"] = "circular"
    coding: Literal["cos_sin", "grey"] = "cos_sin"
    sectors: Literal[8] | None = None
    half_sector: bool = False
    since: Literal["previous", "onset"] = "onset"
    threshold: float = Field(default=0.1, ge=0)
    head_motion: Head = "removed"
    equalise: Literal["none", "frame", "clip"] = "none"
    align: Align = "whole_face"
    side: int = Field(default=224, ge=64, le=1024)
    apex: Apex = "annotated"
    no_face: Literal["refuse"] = "refuse"

    @classmethod
    def published(cls) -> AngleImage:
        """Return what the article describes: raw frames, equalised one by one, means of angles, grey sectors."""
        return cls(
            flow="mishin_yolo",
            mean="arithmetic",
            coding="grey",
            sectors=8,
            since="previous",
            threshold=0.0,
            head_motion="kept",
            equalise="frame",
            align="square",
        )

    @classmethod
    def honest(cls) -> AngleImage:
        """Return the same idea without what hides the movement; these are the defaults."""
        return cls()

    @model_validator(mode="after")
    def _half_of_a_sector(self) -> AngleImage:
        if self.half_sector and self.sectors is None:
            raise ValueError("half_sector: expected sectors 8, which are what it shifts, got none")
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        """Channels, regions and frames of one input, with the windows before them where there are several."""
        one = (1 if self.coding == "grey" else 3, self.regions, self.frames)
        return one if self.windows == 1 else (self.windows, *one)

    @property
    def view_rule(self) -> ViewRule:
        """Several windows are trained on alike, and the prediction of a clip is their mean."""
        return "none" if self.windows == 1 else "mean"

    @property
    def columns(self) -> int:
        """Columns from the first of the first window to the last of the last."""
        return self.frames + (self.windows - 1) * self.stride

    @property
    def columns_to_apex(self) -> int:
        """How many of these columns show the movement up to the apex or before."""
        return self.frames // 2 + (self.windows - 1) * self.stride // 2


class MagnifiedSequence(_WithFlow, _Recipe):
    """Frames at equal distances from onset to apex: magnified grey, and the flow from the onset frame.

    >>> MagnifiedSequence(frames=10).shape
    (10, 3, 224, 224)

    Attributes:
        frames: how many; where onset and apex are nearer than that, frames are repeated.
        until: the last of them: the "apex", or the "offset", so that the movement is seen to come and go.
        size: side of the square that the face is brought into, in pixels.
        side: of the square in which frames are magnified and flow is measured, which is then shrunk to `size` by the
            mean over areas; movements of less than a pixel are told better in a larger one. `size` where None.
        factor: of the Eulerian magnification, by which movements within the band become larger; 0 switches it off.
        band: lowest and highest frequency that is magnified, in Hz; that of :func:`mer_lib.motion.magnify` where None.
        channels: which, in order: "grey" 0 to 255, magnified; "u" and "v" in pixels of `side`.
        since: from which frame the flow of each frame is measured: the "onset", or the frame of the sequence before
            it ("previous"). It is 0 for the first frame either way.
        flow_of: of which frames the flow is: as they are ("raw"), or "magnified", in which halos move, too.
        flow: a name of :data:`mer_lib.motion.NAMED`.
        align: how the face is brought into a square, from the onset frame, the same for all frames.
        head_motion: "removed" subtracts the movement of the parts that no muscle moves from the flow.
        apex: which frame counts as the apex.
        no_face: what happens to a clip without a face.

    Source: Cao, Zhang, Micro-expression recognition combining multi-region feature and feature fusion, 2025. Number of
    frames, factor, band, from where the flow is measured and on which frames are not printed; every frame from onset
    to offset is magnified, with those around where the clip has them, and the sequence is taken from that.
    """

    recipe: Literal["magnified_sequence"] = "magnified_sequence"
    version: Literal[1] = 1
    frames: int = Field(default=10, ge=2, le=128)
    until: Literal["apex", "offset"] = "apex"
    size: int = Field(default=224, ge=32, le=512)
    side: int | None = Field(default=None, ge=32, le=512)
    factor: float = Field(default=10.0, ge=0, le=200)
    band: tuple[float, float] | None = None
    channels: tuple[Literal["grey", "u", "v"], ...] = Field(default=("grey", "u", "v"), min_length=1, max_length=3)
    since: Literal["onset", "previous"] = "onset"
    flow_of: Literal["raw", "magnified"] = "raw"
    align: Align = "whole_face"
    head_motion: Head = "removed"
    apex: Apex = "annotated"
    no_face: NoFace = "published"

    @classmethod
    def published(cls) -> MagnifiedSequence:
        """Return what the article describes, as far as it does: TV-L1, the head's movement kept."""
        return cls(flow="mfem_mffm", head_motion="kept")

    @field_validator("band")
    @classmethod
    def _rising(cls, band: tuple[float, float] | None) -> tuple[float, float] | None:
        if band is not None and not 0 < band[0] < band[1]:
            raise ValueError(f"expected 0 < lowest < highest frequency, got {band}")
        return band

    @field_validator("channels")
    @classmethod
    def _once(cls, channels: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(channels)) != len(channels):
            raise ValueError(f"expected each channel once, got {channels}")
        return channels

    @model_validator(mode="after")
    def _fit_together(self) -> MagnifiedSequence:
        if self.flow_of == "magnified" and self.factor == 0:
            raise ValueError("flow_of: expected raw frames with factor 0, which magnifies nothing, got 'magnified'")
        if self.side is not None and self.side < self.size:
            raise ValueError(f"side: expected at least size = {self.size} pixels, got {self.side}")
        return self

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Frames, channels, rows and columns of one input."""
        return (self.frames, len(self.channels), self.size, self.size)


Recipe = Annotated[
    FlowMap
    | FourRegionMosaic
    | RegionCrops
    | ApexFace
    | AngleImage
    | MagnifiedSequence
    | FaceSequence
    | RegionDirections,
    Field(discriminator="recipe"),
]
