"""Few points out of many: the five of MTCNN and the 68 of older toolkits, taken from the mesh of 478."""

from __future__ import annotations

import numpy as np

from mer_lib.datasets.synthetic.mesh import LEFT_EYE_CORNERS, N_LANDMARKS, NOSE_TIP, RIGHT_EYE_CORNERS
from mer_lib.errors import ParameterError

#: MTCNN's five points, in its order; left and right are those of the image.
FIVE_POINTS: tuple[str, ...] = ("left eye", "right eye", "nose", "left lip", "right lip")
_LIP_CORNERS = (61, 291)

#: Landmarks of the mesh that lie where the 68 points of the iBUG 300-W scheme do, in its order, from the image's left
#: to its right: 17 of the jaw, 5 and 5 of the brows, 4 down the nose and 5 along its base, 6 and 6 of the eyes
#: clockwise from the left corner, 12 and 8 of the outer and inner lips clockwise from the left corner.
MESH_68: tuple[int, ...] = (
    *(127, 234, 93, 132, 58, 136, 149, 148, 152, 377, 378, 365, 288, 361, 323, 454, 356),
    *(70, 63, 105, 66, 107),
    *(336, 296, 334, 293, 300),
    *(168, 197, 5, 4),
    *(98, 97, 2, 326, 327),
    *(33, 160, 158, 133, 153, 144),
    *(362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),
    *(78, 81, 13, 311, 308, 402, 14, 178),
)


def checked_points(points: np.ndarray, *counts: int) -> np.ndarray:
    """Return points as float64 (N, 2), N one of `counts`.

    Raises:
        ParameterError: they have another shape, or one is not finite.
    """
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2 or array.shape[0] not in counts:
        expected = " or ".join(f"({count}, 2)" for count in counts)
        raise ParameterError(f"points: expected landmarks of shape {expected}, x then y in pixels, got {array.shape}")
    if not np.isfinite(array).all():
        raise ParameterError(
            "points: expected finite landmarks, got some that are not; leave out frames without a face"
        )
    return array


def five_points(points: np.ndarray) -> np.ndarray:
    """Return the five points of :data:`FIVE_POINTS`, float32 (5, 2).

    An eye is the middle of its corners: unlike the pupil it stays where it is when the eye looks aside.

    Args:
        points: (478, 2) landmarks of the mesh, or (5, 2), which are returned.

    Raises:
        ParameterError: the points have another shape, or one is not finite.
    """
    array = checked_points(points, N_LANDMARKS, len(FIVE_POINTS))
    if len(array) == N_LANDMARKS:
        # The mesh names the subject's own sides.
        eyes = [array[list(corners)].mean(axis=0) for corners in (RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS)]
        array = np.stack([*eyes, array[NOSE_TIP], *array[list(_LIP_CORNERS)]])
    return array.astype(np.float32)


def points_68(points: np.ndarray) -> np.ndarray:
    """Return the 68 points of :data:`MESH_68`, float32 (68, 2).

    The nearest landmarks of the mesh, not the output of a network trained on 68 points: on the jaw both differ by some
    per cent of the face's width.

    Args:
        points: (478, 2) landmarks of the mesh.

    Raises:
        ParameterError: the points have another shape, or one is not finite.
    """
    return checked_points(points, N_LANDMARKS)[list(MESH_68)].astype(np.float32)
