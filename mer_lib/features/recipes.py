"""Recipes: what a network is fed, said as checked data, so that a result can be addressed by it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mer_lib.datasets import MAP_SIZE
from mer_lib.motion import NAMED

#: "uvs" is ours; "svu" is what OpenCV reads from the published files, on which their authors trained.
ChannelOrder = Literal["uvs", "svu"]
#: How a face is brought into a square; see :func:`mer_lib.faces.align`.
Align = Literal["similarity", "whole_face", "square", "box", "frame"]
#: Which frame counts as the apex: the annotated one, the middle one, or what a method of :mod:`mer_lib.apex` spots.
#: "annotated" spots by "cell_difference" where a clip has no annotation, and says so.
#: The published spotters hold no head still.
Apex = Literal[
    "annotated", "middle", "cell_difference", "cell_difference_published", "dnc_rois", "dnc_rois_published",
    "region_flow",
]  # fmt: skip
#: What happens to a clip without a face: the points of the published maps, counted, or an error that lists the clips.
NoFace = Literal["published", "refuse"]
Head = Literal["kept", "removed"]


#: What several views of one sample are for; see :attr:`_Recipe.view_rule`.
ViewRule = Literal["none", "extra", "mean"]


class _Checked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Recipe(_Checked, ABC):
    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of what is made of one sample."""

    @property
    def view_rule(self) -> ViewRule:
        """What the first axis holds: "none" (there are no views), or several views of the sample.

        "extra": the first view is the sample, the others may be trained on besides, and are never tested on. "mean":
        all views are trained on, and the prediction of a sample is the mean over those of its views.
        """
        return "none"

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of what a network is fed: `shape`, without the axis of views."""
        return self.shape if self.view_rule == "none" else self.shape[1:]


class _WithFlow(_Checked):
    flow: str = "farneback"

    @field_validator("flow")
    @classmethod
    def _known(cls, flow: str) -> str:
        if flow not in NAMED:
            raise ValueError(f"expected one of {', '.join(NAMED)}, got {flow!r}")
        return flow


class Motion(_WithFlow):
    """How the movement from onset to apex is measured in a clip's frames.

    >>> Motion(flow="dis").side
    224
    >>> Motion.published().side
    28

    Attributes:
        flow: a name of :data:`mer_lib.motion.NAMED`.
        align: how the face is brought into a square, from the onset frame, the same for both frames; "similarity" puts
            eyes and lips where the published maps have them, which leaves no room for the chin.
        detector: whose points and box `align` and the four windows take; "box" needs "mtcnn" to be as published.
        side: of that square in pixels, on which flow and strain are computed.
        head_motion: "removed" subtracts the similarity that fits the flow of the parts that no muscle moves; where the
            points are the published ones, that of the whole square.
        third: third channel: tensor strain, flow magnitude (as HTNet's code for CAS(ME)^3), or the sum of the squares
            of u and v (as DA-CrossViT prints it).
        scaling: "min_max" stretches each channel of each map to whole numbers 0 to 255, as the published maps are, so
            that its strength is lost; "pixels" leaves u and v in pixels of the square.
        apex: which frame counts as the apex.
        no_face: what happens to a clip without a face.
    """

    align: Align = "similarity"
    detector: Literal["mediapipe", "mtcnn"] = "mediapipe"
    side: int = Field(default=224, ge=16, le=1024)
    head_motion: Head = "removed"
    third: Literal["strain", "magnitude", "energy"] = "strain"
    scaling: Literal["min_max", "pixels"] = "min_max"
    apex: Apex = "annotated"
    no_face: NoFace = "published"

    @classmethod
    def published(cls) -> Motion:
        """Return what HTNet's authors do on CAS(ME)^3, but with one box for both frames.

        The face is cut out without a margin and shrunk to 28 pixels before flow is computed; the third channel is the
        magnitude. Where no apex is annotated, as in SMIC, they take that of "dnc_rois_published": say so in `apex`.
        """
        return cls(flow="htnet", align="box", detector="mtcnn", side=MAP_SIZE, head_motion="kept", third="magnitude")

    @classmethod
    def da_crossvit(cls) -> Motion:
        """Return what the article on DA-CrossViT describes: TV-L1, and the sum of the squares of u and v for a strain.

        Alignment, size and scaling are not printed: OpenCV's defaults on faces of 128 pixels stand in.
        """
        return cls(flow="da_crossvit", side=128, head_motion="kept", third="energy")


class FlowMap(_Recipe):
    """The whole map of u, v and strain.

    >>> FlowMap().shape
    (3, 28, 28)

    Attributes:
        order: order of the channels u, v, strain.
        size: side in pixels; a map of another side is resampled: one of the data set bilinearly, one that is computed
            by the mean over areas where it shrinks and bilinearly where it grows, both before it is stretched.
        motion: how the map is computed from a clip's frames; None takes the maps that the data set has.
    """

    recipe: Literal["flow_map"] = "flow_map"
    version: Literal[1] = 1
    order: ChannelOrder = "uvs"
    size: int = Field(default=MAP_SIZE, ge=4, le=224)
    motion: Motion | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns of one input."""
        return (3, self.size, self.size)


class FourRegionMosaic(_Recipe):
    """Four windows, around both eyes and both corners of the lips, laid together: the input of HTNet.

    >>> FourRegionMosaic(block=7).shape
    (3, 28, 28)

    Attributes:
        block: half the side of a window, in pixels; a window of 2 x block is cut from the same 28-pixel
            map, so a larger block also shows more of the face.
        order: order of the channels u, v, strain.
        legacy_swap: as HTNet's published training script does: points (x, y) taken for (row, column),
            and the mosaic transposed, [[left eye, left lip], [right eye, right lip]]; otherwise
            [[left eye, right eye], [left lip, right lip]].
        motion: how the map is computed from a clip's frames, with windows around the clip's own points on its onset
            frame; None takes the maps that the data set has, and constant points.

    Source: Wang et al., HTNet, Neurocomputing 602 (2024) 128196; window size and the clamping of centres
    from its training script.
    """

    recipe: Literal["four_region_mosaic"] = "four_region_mosaic"
    version: Literal[1] = 1
    block: int = Field(default=7, ge=1, le=MAP_SIZE // 2)
    order: ChannelOrder = "uvs"
    legacy_swap: bool = False
    motion: Motion | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns of one input."""
        return (3, 4 * self.block, 4 * self.block)

    @property
    def points_source(self) -> Literal["constant", "detected"]:
        """Where the four points come from: a published map carries no face, so its points are one constant set."""
        return "constant" if self.motion is None else "detected"


Share = Annotated[float, Field(ge=0, le=1)]


class Window(_Checked):
    """A rectangle in the square that the face is brought into, in shares of its side: 0 to 1 across, 0 to 1 down."""

    x: Share
    y: Share
    width: float = Field(gt=0, le=1)
    height: float = Field(gt=0, le=1)

    @model_validator(mode="after")
    def _inside(self) -> Window:
        if self.x + self.width > 1 + 1e-9 or self.y + self.height > 1 + 1e-9:
            raise ValueError(f"expected a window inside of the square, got {self.model_dump()}")
        return self


Scheme = Literal["four_windows", "ten_cells", "muscle_regions", "dnc_rois", "window"]
# Rows and columns in which the cells of a scheme are laid.
_GRIDS: dict[str, tuple[int, int]] = {
    "four_windows": (2, 2),
    "ten_cells": (2, 5),
    "muscle_regions": (6, 7),
    "dnc_rois": (1, 3),
    "window": (1, 1),
}


class RegionCrops(_Recipe):
    """Regions of the face cut out of the map of u, v and strain and laid in a grid, in the order of their scheme.

    >>> RegionCrops(scheme="ten_cells", cell=14).shape
    (3, 28, 70)
    >>> RegionCrops(scheme="window", window=Window(x=0.2, y=0.6, width=0.6, height=0.3)).shape
    (3, 28, 28)

    Attributes:
        scheme: which regions; "window": one rectangle of one's own.
        window: a number cuts a square around the middle of each region, with this share of the square that the face
            is brought into as its side, moved inside where it would leave it; None cuts the smallest rectangle around
            each region. For scheme "window" a :class:`Window`.
        cell: side in pixels to which every region is resampled, however long its sides: by the mean over areas where
            it shrinks, bilinearly where it grows.
        order: order of the channels u, v, strain.
        motion: how the map is computed; it is stretched as a whole, before regions are cut out.
    """

    recipe: Literal["region_crops"] = "region_crops"
    version: Literal[1] = 1
    scheme: Scheme = "four_windows"
    window: Window | Annotated[float, Field(gt=0, le=1)] | None = None
    cell: int = Field(default=MAP_SIZE, ge=4, le=224)
    order: ChannelOrder = "uvs"
    motion: Motion = Motion(align="whole_face")

    @model_validator(mode="after")
    def _window_belongs_to_its_scheme(self) -> RegionCrops:
        if (self.scheme == "window") != isinstance(self.window, Window):
            raise ValueError(
                "expected a window of x, y, width and height for scheme 'window' alone, "
                f"got {self.scheme!r} with {self.window!r}"
            )
        return self

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        return _GRIDS[self.scheme]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns of one input."""
        return (3, self.grid[0] * self.cell, self.grid[1] * self.cell)


class ApexFace(_Recipe):
    """One frame of the face, 0 to 255: the input of CapsuleNet.

    >>> ApexFace().shape
    (3, 224, 224)
    >>> ApexFace(neighbours=4).shape, ApexFace(neighbours=4).sample_shape
    ((5, 3, 224, 224), (3, 224, 224))

    Attributes:
        size: side in pixels.
        align: how the face is brought into a square; "square" surrounds the 68 points of older toolkits, in that very
            frame.
        margin: room around the points for "square", as a share of the square.
        grey: one channel rather than red, green and blue; makes data sets with and without colour alike.
        frame: which frame; "onset" is a control: whatever is recognised on it is not the expression. "difference" is
            the apex minus the onset, -255 to 255, in the square of the onset, light evened on the parts that no muscle
            moves: what of a still picture the movement has changed, and nearly nothing of who it is.
        head_motion: for "difference": "removed" brings the apex to where the onset's head was.
        neighbours: frames beside that one, as further views that may be trained on and are never tested on: one before,
            one after, two before, and so on; beyond onset and offset those stand in. They share its square.
        apex: which frame counts as the apex; where none is annotated, as in SMIC, the authors take that of
            "cell_difference_published".
        no_face: what happens to a clip without a face.

    Source: Quang, Chun, Tokuyama, CapsuleNet for micro-expression recognition, FG 2019; the margin and "difference" are
    ours.
    """

    recipe: Literal["apex_face"] = "apex_face"
    version: Literal[1] = 1
    size: int = Field(default=224, ge=16, le=512)
    align: Align = "square"
    margin: float = Field(default=0.15, ge=0, le=1)
    grey: bool = False
    frame: Literal["apex", "onset", "difference"] = "apex"
    head_motion: Head = "removed"
    neighbours: int = Field(default=0, ge=0, le=16)
    apex: Apex = "annotated"
    no_face: NoFace = "published"

    @property
    def shape(self) -> tuple[int, ...]:
        """Channels, rows and columns of one input, with the axis of views before them where there are neighbours."""
        return (1 + self.neighbours, *self._image) if self.neighbours else self._image

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Channels, rows and columns."""
        return self._image

    @property
    def view_rule(self) -> ViewRule:
        """Neighbours are extra views."""
        return "extra" if self.neighbours else "none"

    @property
    def _image(self) -> tuple[int, int, int]:
        return (1 if self.grey else 3, self.size, self.size)
