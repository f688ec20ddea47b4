"""Recipes for handcrafted descriptors: a grey sequence of few frames, and the main directions of face regions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mer_lib.features.recipes import Align, Apex, Head, NoFace, _Recipe, _WithFlow

#: Up to which frame an expression is looked at, from the onset on.
Until = Literal["offset", "apex"]


class FaceSequence(_Recipe):
    """The face in grey from onset to offset, brought to a number of frames: the input of LBP-TOP and LBP-SIP.

    >>> FaceSequence().shape
    (10, 1, 128, 128)

    Attributes:
        frames: how many come out.
        size: side of the square that the face is brought into, in pixels.
        interpolation: "tim": temporal interpolation, see :func:`mer_lib.motion.time_interpolation.time_interpolated`,
            rounded to whole grey values 0 to 255; "nearest": frames of the clip at equal distances in time.
        until: the last frame that is looked at.
        align: how the face is brought into a square, from the onset frame, the same for all frames; "whole_face"
            puts the same parts of all faces into the same blocks, "square" leaves more of hair and background out.
        apex: which frame counts as the apex; it decides nothing where `until` is "offset".
        no_face: what happens to a clip without a face.

    Source: ten frames as in Quang, Chun, Tokuyama, CapsuleNet for micro-expression recognition, FG 2019; the size is
    ours.
    """

    recipe: Literal["face_sequence"] = "face_sequence"
    version: Literal[1] = 1
    frames: int = Field(default=10, ge=3, le=128)
    size: int = Field(default=128, ge=16, le=512)
    interpolation: Literal["tim", "nearest"] = "tim"
    until: Until = "offset"
    align: Align = "whole_face"
    apex: Apex = "annotated"
    no_face: NoFace = "published"

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Frames, channels, rows and columns of one input."""
        return (self.frames, 1, self.size, self.size)


class RegionDirections(_WithFlow, _Recipe):
    """The main direction of each muscle region since the onset, at some moments: the input of MDMO.

    >>> RegionDirections().shape
    (2, 42, 8)

    Channels are u and v, in pixels of the square, of the mean of those vectors of a region that lie in its fullest
    sector; see :func:`mer_lib.motion.main_direction.main_direction`.

    Attributes:
        frames: columns: moments at equal distances after the onset, the last being that of `until`.
        regions: rows, from top to bottom of the face, left and right of a pair adjacent.
        sectors: into how many directions the circle is cut.
        until: the last frame that is looked at.
        head_motion: "removed" subtracts the movement of the parts that no muscle moves, in each flow.
        flow: a name of :data:`mer_lib.motion.NAMED`.
        align: how the face is brought into a square, from the onset frame, the same for all frames.
        side: of that square in pixels.
        apex: which frame counts as the apex; it decides nothing where `until` is "offset".
        no_face: five published points outline no regions, so a clip without a face is refused.

    Source: Liu et al., A main directional mean optical flow feature, IEEE Trans. Affective Computing 7 (2016) 299-310.
    They have 36 regions and every frame; 42 regions of the mesh and eight moments stand in for them, and the
    similarity of the parts that no muscle moves for their alignment by an affine fit.
    """

    recipe: Literal["region_directions"] = "region_directions"
    version: Literal[1] = 1
    frames: int = Field(default=8, ge=1, le=128)
    regions: Literal[42] = 42
    sectors: int = Field(default=8, ge=2, le=36)
    until: Until = "offset"
    head_motion: Head = "removed"
    align: Align = "whole_face"
    side: int = Field(default=224, ge=64, le=1024)
    apex: Apex = "annotated"
    no_face: Literal["refuse"] = "refuse"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, regions and moments of one input."""
        return (2, self.regions, self.frames)
