"""Fields of displacement of the action units on one face.

Skin moves by one field everywhere except between the lips: above the mouth line the upper lip's field holds, below it
the lower lip's. Both are smooth; where they differ, the lips part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from mer_lib.datasets.synthetic.action_units import PATCHES, UNITS, Patch, Unit
from mer_lib.datasets.synthetic.displacement import SPACING, grid_points, grid_size, length
from mer_lib.datasets.synthetic.drawing import smoothstep
from mer_lib.datasets.synthetic.face_lines import FaceLines, Line
from mer_lib.datasets.synthetic.mesh import FACE_OVAL, MIRROR

if TYPE_CHECKING:
    from mer_lib.datasets.synthetic.portrait import Portrait

# Lengths in IOD.
_MIDLINE_FADE = 0.10  # a unit of one side fades between this far on its own side and this far on the other
_LID_REACH = 0.18  # how far beyond a lid's edge its skin moves
_OVAL_GROWTH = 1.12  # units fade out around the face's outline, made larger by this factor,
_OVAL_BLUR = 0.09  # over this width
_MOUTH_REACH = (0.52, 0.52)  # half width and half height of the part of the grid in which the lips can part
_MOUTH_RIM = 0.08  # no lip moves so near to the edge of that part


class GridBox(NamedTuple):
    """A part of the grid: rows top to bottom and columns left to right, the ends not included."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def origin(self) -> tuple[int, int]:
        """(row, column) of its first point."""
        return self.top, self.left

    @property
    def part(self) -> tuple[slice, slice]:
        """Rows and columns as an index."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


@dataclass(frozen=True, eq=False)
class ExpressionFields:
    """What each action unit does to a face, on the grid of :mod:`displacement`, in px for an intensity of 1 IOD.

    Attributes:
        skin: float32 (34, N, N, 2), what moves the whole face.
        upper: float32 (34, n, m, 2), what moves the upper lip besides, in `box`.
        lower: float32 (34, n, m, 2), what moves the lower lip besides, in `box`.
        box: the part of the grid around the mouth.
        lines: where the skin parts.
    """

    skin: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    box: GridBox
    lines: FaceLines

    @classmethod
    def of(cls, portrait: Portrait) -> ExpressionFields:
        """The fields of the face in `portrait`."""
        builder = _Builder(portrait)
        skin = np.empty((len(UNITS), *builder.x.shape, 2), np.float32)
        upper, lower = (np.empty((len(UNITS), *builder.x[builder.box.part].shape, 2), np.float32) for _ in range(2))
        for row, unit in enumerate(UNITS):
            skin[row], upper[row], lower[row] = builder.unit(unit)
        return cls(skin, upper, lower, builder.box, builder.lines)

    def combined(self) -> np.ndarray:
        """The field of each unit as it is seen, (34, N, N, 2): with the upper lip's part above the mouth line."""
        whole = self.skin.copy()
        x, y = grid_points((self.skin.shape[1] - 1) * SPACING)
        rows, columns = self.box.part
        above = (y < self.lines.mouth(x))[rows, columns, None]
        whole[:, rows, columns] += np.where(above, self.upper, self.lower)
        return whole


def unit_fields(portrait: Portrait) -> np.ndarray:
    """The displacement field of each action unit on a face.

    Returns:
        float32 (34, N, N, 2) in the order of UNITS: (right, down) in px for an intensity of 1 IOD, so that the longest
        vector of each has the length of the portrait's inter-ocular distance. The grid has a point at every second
        pixel (:func:`displacement.grid_points`). Fields are smooth but for the mouth line, where lips part.
    """
    return ExpressionFields.of(portrait).combined()


class _Builder:
    """Computes the fields of one face."""

    def __init__(self, portrait: Portrait) -> None:
        self.landmarks = np.asarray(portrait.landmarks, dtype=np.float64)
        self.iod = float(portrait.iod)
        self.lines = FaceLines.of(self.landmarks)
        self.x, self.y = grid_points(portrait.size)
        self.box = self._mouth_box(portrait.size)
        self.fade = self._face_fade()
        self.above_mouth = self.y < self.lines.mouth(self.x)

    def unit(self, unit: Unit) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Fields of skin, upper lip and lower lip of `unit`, scaled together to a peak of 1 IOD."""
        fields = {"skin": self._zero(), "upper lip": self._zero(), "lower lip": self._zero()}
        for patch in PATCHES[unit.number]:
            layer = patch.layer if patch.layer in fields else "skin"
            fields[layer] += self._patch(patch, unit.side)
        skin, upper, lower = (field * self._fade_of(unit.side) for field in fields.values())
        seen = skin + np.where(self.above_mouth[..., None], upper, lower)
        scale = np.float32(self.iod / length(seen).max())
        return skin * scale, upper[self.box.part] * scale, lower[self.box.part] * scale

    def _zero(self) -> np.ndarray:
        return np.zeros((*self.x.shape, 2), np.float32)

    def _fade_of(self, side: int) -> np.ndarray:
        across = side * (self.x - self.lines.midline) / (_MIDLINE_FADE * self.iod)
        return (self.fade * smoothstep((across + 1) / 2))[..., None]

    def _patch(self, patch: Patch, side: int) -> np.ndarray:
        direction = np.array([side * patch.lateral, patch.down], np.float32)
        return self._shape(patch, side)[..., None] * direction

    def _shape(self, patch: Patch, side: int) -> np.ndarray:
        if patch.layer == "upper lid":
            return self._upper_lid(side)
        if patch.layer == "lower lid":
            return self._lower_lid(side)
        hill = self._hill(patch, side)
        return hill if patch.layer == "skin" else hill * self._lip_window()

    def _hill(self, patch: Patch, side: int) -> np.ndarray:
        centre = self.landmarks[[i if side < 0 else MIRROR[i] for i in patch.anchor]].mean(axis=0)
        u = (self.x - centre[0]) / (patch.width * self.iod)
        v = (self.y - centre[1]) / (patch.height * self.iod)
        return np.exp(-(u * u + v * v) / 2)

    def _lip_window(self) -> np.ndarray:
        """1 in the middle of the mouth, 0 from its corners on and at the edge of the part where lips can part."""
        along = np.clip(1 - self.lines.mouth.along(self.x) ** 2, 0, 1) ** 1.2
        away = np.abs(self.y - self.lines.mouth(self.x)) / ((_MOUTH_REACH[1] - _MOUTH_RIM) * self.iod)
        return along * smoothstep(3 * (1 - away))

    def _upper_lid(self, side: int) -> np.ndarray:
        eye = self.lines.eye(side)
        return self._lid(eye.upper, eye.lower, above=True)

    def _lower_lid(self, side: int) -> np.ndarray:
        eye = self.lines.eye(side)
        return self._lid(eye.lower, eye.upper, above=False)

    def _lid(self, edge: Line, other: Line, above: bool) -> np.ndarray:
        """1 at the edge of a lid where the eye is widest; 0 at the other lid, beyond the lid's skin and the corners."""
        opening = np.maximum((other(self.x) - edge(self.x)) * (1 if above else -1), 0)
        opening[np.abs(edge.along(self.x)) >= 1] = 0
        beyond = (edge(self.x) - self.y) * (1 if above else -1)
        on_skin = opening * (1 - smoothstep(beyond / (_LID_REACH * self.iod)))
        in_eye = np.clip(opening + beyond, 0, None)
        return np.where(beyond >= 0, on_skin, in_eye) / opening.max()

    def _face_fade(self) -> np.ndarray:
        """1 on the face, falling smoothly to 0 around its outline."""
        oval = self.landmarks[list(FACE_OVAL)]
        grown = (oval - oval.mean(axis=0)) * _OVAL_GROWTH + oval.mean(axis=0)
        mask = np.zeros(self.x.shape, np.float32)
        cv2.fillPoly(mask, [np.rint(grown / SPACING * 16).astype(np.int32)], (1.0,), cv2.LINE_8, 4)
        return cv2.GaussianBlur(mask, (0, 0), _OVAL_BLUR * self.iod / SPACING)

    def _mouth_box(self, size: int) -> GridBox:
        across, up = (reach * self.iod for reach in _MOUTH_REACH)
        x, y = self.lines.mouth.middle, float(self.lines.mouth(np.array(self.lines.mouth.middle)))
        limit = grid_size(size)
        top, bottom, left, right = (
            int(np.clip(round(value / SPACING), 0, limit)) for value in (y - up, y + up, x - across, x + across)
        )
        return GridBox(top, bottom, left, right)
