"""The face mesh: 478 landmarks in MediaPipe's numbering, neutral, symmetric and with closed lips.

Right and left are the subject's own: the right half of a face lies in the image's left half. Groups that start at an
outer corner end at the inner one; lips start at the corner in the image's left half.
"""

from __future__ import annotations

from importlib import resources

import numpy as np

N_LANDMARKS = 478

#: Borders of the lips, from corner to corner.
UPPER_LIP_OUTER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
LOWER_LIP_OUTER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
UPPER_LIP_INNER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_LIP_INNER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)

#: Edges of the eyelids, from the outer to the inner corner.
RIGHT_EYE_UPPER = (33, 246, 161, 160, 159, 158, 157, 173, 133)
RIGHT_EYE_LOWER = (33, 7, 163, 144, 145, 153, 154, 155, 133)
LEFT_EYE_UPPER = (263, 466, 388, 387, 386, 385, 384, 398, 362)
LEFT_EYE_LOWER = (263, 249, 390, 373, 374, 380, 381, 382, 362)

#: Corners of the eyes: outer, inner. The middle of the two is the eye's centre for the inter-ocular distance.
RIGHT_EYE_CORNERS = (33, 133)
LEFT_EYE_CORNERS = (263, 362)

#: Borders of the brows, from the outer to the inner end.
RIGHT_BROW_UPPER = (70, 63, 105, 66, 107)
RIGHT_BROW_LOWER = (46, 53, 52, 65, 55)
LEFT_BROW_UPPER = (300, 293, 334, 296, 336)
LEFT_BROW_LOWER = (276, 283, 282, 295, 285)

#: Irises: the centre, then four points of the border.
RIGHT_IRIS = (468, 469, 470, 471, 472)
LEFT_IRIS = (473, 474, 475, 476, 477)

#: Outline of the face, closed, from the middle of the forehead around the image's right half.
FACE_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)

#: Single points of the midline.
NASION, NOSE_TIP, NOSE_BASE, CHIN = 168, 4, 2, 152


def _load() -> tuple[np.ndarray, np.ndarray]:
    text = resources.files("mer_lib.datasets.synthetic").joinpath("canonical_mesh.csv").read_text(encoding="utf-8")
    table = np.loadtxt(text.splitlines(), delimiter=",", skiprows=1)
    points, mirror = table[:, 1:4], table[:, 4].astype(np.intp)
    for array in (points, mirror):
        array.setflags(write=False)
    return points, mirror


#: CANONICAL: (478, 3) float64 in inter-ocular distances (IOD). Origin between the eyes, x to the image's right, y down,
#: z away from the camera. MIRROR: (478,) the index of each landmark's mirror image; MIRROR[MIRROR] is 0, 1, 2, ...
CANONICAL, MIRROR = _load()


def mirrored(points: np.ndarray) -> np.ndarray:
    """The mesh of the mirrored face.

    >>> bool(np.allclose(mirrored(CANONICAL), CANONICAL))
    True

    Args:
        points: (478, 2) or (478, 3) in IOD, the plane of symmetry at x = 0.
    """
    swapped = points[MIRROR].copy()
    swapped[:, 0] *= -1
    return swapped
