"""How a head moves as a whole: six fields of displacement, each for one unit of its motion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mer_lib.datasets.synthetic.displacement import at_pixels, grid_points
from mer_lib.datasets.synthetic.face_lines import FaceLines

if TYPE_CHECKING:
    from mer_lib.datasets.synthetic.portrait import Portrait

#: The columns of a plan's `head`: shifts to the right and down in IOD, turns in degrees, relative growth.
HEAD_MOTIONS = ("tx", "ty", "roll", "yaw", "pitch", "scale")

# The neck's joint lies below the chin, and this far behind the front of the face, in IOD.
_NECK_BELOW_CHIN = 0.35
_NECK_BEHIND_FACE = 0.9


def head_fields(portrait: Portrait) -> np.ndarray:
    """The displacement of every point of the face for one unit of each motion.

    Positive shifts go to the image's right and down; a positive roll turns the head clockwise in the image, a positive
    yaw takes the nose to the image's right, a positive pitch takes it down. Motions are linear: angles are meant to be
    small (below about 10 degrees), so that a sine is its angle.

    Returns:
        (6, N, N, 2) float32 px for 1 IOD, 1 degree, or a growth by 1, on the grid of :mod:`displacement`, in the order
        of HEAD_MOTIONS.
    """
    x, y = grid_points(portrait.size)
    moves = at_pixels(portrait.head, x, y)
    depth = at_pixels(portrait.depth, x, y) * portrait.iod
    landmarks, iod = portrait.landmarks, portrait.iod
    neck_x = FaceLines.of(landmarks).midline
    neck_y = landmarks[152, 1] + _NECK_BELOW_CHIN * iod
    front = np.median(depth[moves > 0.5])
    before_neck = _NECK_BEHIND_FACE * iod - (depth - front)
    still, degree = np.zeros_like(x), np.pi / 180
    fields = {
        "tx": (iod * np.ones_like(x), still),
        "ty": (still, iod * np.ones_like(x)),
        "roll": (-degree * (y - neck_y), degree * (x - neck_x)),
        "yaw": (degree * before_neck, still),
        "pitch": (still, degree * before_neck),
        "scale": (x - neck_x, y - landmarks[1, 1]),
    }
    stacked = np.stack([np.stack(fields[motion], axis=-1) for motion in HEAD_MOTIONS])
    return (stacked * moves[..., None]).astype(np.float32)
