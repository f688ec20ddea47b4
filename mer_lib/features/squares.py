"""The face of a clip in a square: how it is brought there, and what moves in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mer_lib.faces.alignment import Alignment, align, square
from mer_lib.faces.landmarks import Face
from mer_lib.faces.points import points_68
from mer_lib.faces.regions import stable_mask
from mer_lib.features.clip import Clip
from mer_lib.features.recipes import Align, Head, NoFace
from mer_lib.motion import optical_flow
from mer_lib.motion.head_motion import without_head_motion


@dataclass(frozen=True, eq=False)
class Square:
    """How the frames of a clip are brought into one square.

    Attributes:
        alignment: from the frame to the square.
        side: of the square in pixels.
        index: of the frame that it was estimated on.
        face: that it was estimated from, in pixels of the frame.
        mesh: landmarks of the mesh, float32 (478, 2) in pixels of the square; None where no face was found.
    """

    alignment: Alignment
    side: int
    index: int
    face: Face
    mesh: np.ndarray | None

    def flow(self, first: np.ndarray, second: np.ndarray, method: str, head: Head) -> np.ndarray:
        """Return the flow between two squares, float32 (side, side, 2) in pixels of the square.

        The head's movement is fitted where no muscle moves; without landmarks, on the whole square. Between equal
        squares nothing moves: Farnebäck's method, asked for it, sees movement of up to 0.2 px there.
        """
        if np.array_equal(first, second):
            return np.zeros((self.side, self.side, 2), np.float32)
        flow = optical_flow(first, second, method)
        return flow if head == "kept" else without_head_motion(flow, self._stable()).astype(np.float32)

    def _stable(self) -> np.ndarray:
        if self.mesh is None:
            return np.ones((self.side, self.side), bool)
        return stable_mask(self.mesh, self.side, self.side)


def square_of(
    clip: Clip,
    index: int,
    how: Align,
    side: int,
    *,
    no_face: NoFace,
    detector: str = "mediapipe",
    margin: float | None = None,
) -> Square:
    """Return the square around the face of one frame.

    Args:
        clip: which.
        index: frame on which the face is looked for.
        how: see :func:`mer_lib.faces.align`; where the points are the published ones, "square", which surrounds them,
            gives way to "similarity".
        side: of the square in pixels.
        no_face: what happens where there is no face.
        detector: whose face it is.
        margin: for "square", room around the 68 points of older toolkits; where None, its own around all points.

    Raises:
        DataError: there is no face, and the published points are refused.
    """
    face = clip.face(index, detector, no_face)
    if clip.facts["points"] == "published" and how == "square":
        how = "similarity"  # five points in the middle of a face do not bound it
    if how == "square" and margin is not None:
        alignment = square(points_68(face.points), side, margin)
    else:
        alignment = align(how, face, side, clip.frame(index).shape)
    mesh = clip.mesh(index)
    return Square(alignment, side, index, face, None if mesh is None else alignment.points(mesh))
