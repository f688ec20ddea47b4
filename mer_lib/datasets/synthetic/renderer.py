"""Frames of a clip, and the exact truth about what moved in them.

A point n of the neutral face is at X_t(n) = n + expression_t(n) + head_t(n) in frame t, where both displacements are
sums of fixed fields times the plan's curves. A frame is drawn by looking up, for each of its pixels, the point n that
is seen there. Three layers have their own motion: above and below the mouth line the lips' own fields hold, so that
they part; eyeballs and teeth move with the head alone, eyeballs with the gaze besides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from mer_lib.datasets.synthetic.action_units import UNITS
from mer_lib.datasets.synthetic.camera import decode, encode, expose
from mer_lib.datasets.synthetic.creases import crease_maps, strength
from mer_lib.datasets.synthetic.displacement import SPACING, at, fast_at, grid_points, invert, length, refine
from mer_lib.datasets.synthetic.drawing import SCALE
from mer_lib.datasets.synthetic.expression import ExpressionFields, GridBox
from mer_lib.datasets.synthetic.face_lines import Eye, FaceLines
from mer_lib.datasets.synthetic.head_motion import head_fields
from mer_lib.datasets.synthetic.mesh import (
    LEFT_EYE_UPPER,
    LEFT_IRIS,
    RIGHT_EYE_UPPER,
    RIGHT_IRIS,
)
from mer_lib.datasets.synthetic.mouth_interior import interior, light_of
from mer_lib.errors import ParameterError

if TYPE_CHECKING:
    from mer_lib.datasets.synthetic.plan import Plan
    from mer_lib.datasets.synthetic.portrait import Portrait

# Standard deviation, in px of the layers, of the blur that keeps texture equally sharp wherever it falls on the pixels.
_LAYER_BLUR = 0.75
# How far around its resting place an eye or the mouth is drawn anew, in IOD.
_EYE_REACH = 0.22
_MOUTH_REACH = 0.14
# Heights, in IOD, of the lid's skin that a blink stretches over the eye, of the lashes below it, which keep their
# shape, and of the overlap of closed lids.
_LID_HEIGHT = 0.055
_LASH_HEIGHT = 0.02
_LIDS_OVERLAP = 0.012
# A lid whose edge moves by less, in px, counts as still.
_STILL = 0.02
# An eyeball or cavity is in a pixel when it covers more than this share.
_TRACE = 0.02


class MovableFace:
    """A portrait and its fields of displacement: everything about a person that no clip changes.

    Attributes:
        portrait: the person.
        expression: fields of the action units.
        head: float32 (6, N, N, 2) fields of the head's motions, px a unit of each.
        creases: float32 (34, size, size), change of the logarithm of light of each unit at the reference intensity.
    """

    def __init__(self, portrait: Portrait) -> None:
        self.portrait = portrait
        self.expression = ExpressionFields.of(portrait)
        self.head = head_fields(portrait)
        self.creases = crease_maps(portrait)
        self.mouth_light = light_of(portrait)
        self.skin, self.eyes, self.lids, self.lid_shadow = (
            cv2.GaussianBlur(layer, (0, 0), _LAYER_BLUR)
            for layer in (portrait.skin, portrait.eyes, portrait.lids, portrait.lid_shadow)
        )

    @property
    def lines(self) -> FaceLines:
        """Mouth line, lid edges and midline."""
        return self.expression.lines

    @property
    def size(self) -> int:
        """Side of the frame in px."""
        return self.portrait.size

    @property
    def iod(self) -> float:
        """Inter-ocular distance in px."""
        return float(self.portrait.iod)

    def layer(self, layer: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Read one of `skin`, `eyes`, `lids`, `lid_shadow` at points in px of the frame."""
        shift = (SCALE - 1) / 2
        margin = self.portrait.margin
        return cv2.remap(
            layer,
            (SCALE * (x + margin) + shift).astype(np.float32, copy=False),
            (SCALE * (y + margin) + shift).astype(np.float32, copy=False),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )


class _Box(NamedTuple):
    """A part of the frame: rows top to bottom and columns left to right, the ends not included."""

    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def around(cls, low: np.ndarray, high: np.ndarray, size: int) -> _Box:
        """The part between two corners (x, y), cut at the frame's edge; it may be empty."""
        left, top = np.clip(np.floor(low).astype(int), 0, size)
        right, bottom = np.clip(np.ceil(high).astype(int) + 1, 0, size)
        return cls(int(top), int(max(top, bottom)), int(left), int(max(left, right)))

    @property
    def part(self) -> tuple[slice, slice]:
        """Rows and columns as an index."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def empty(self) -> bool:
        """Whether no pixel is in it."""
        return self.top >= self.bottom or self.left >= self.right

    def pixels(self) -> tuple[np.ndarray, np.ndarray]:
        """x and y of its pixels."""
        y, x = np.mgrid[self.top : self.bottom, self.left : self.right].astype(np.float32)
        return x, y


@dataclass(frozen=True, eq=False)
class _Pose:
    """All displacements of one frame, on the grid, in px.

    Attributes:
        skin: (N, N, 2) by the expression; between the lips' corners without what moves the lips apart.
        upper, lower: (n, m, 2) by the expression, of the upper and the lower lip, in the mouth's box.
        head: (N, N, 2) by the head's motion.
        blink: 0 open to 1 closed.
        gaze: (2,) px.
    """

    skin: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    head: np.ndarray
    blink: float
    gaze: np.ndarray


class _Lips(NamedTuple):
    """The mouth's part of a frame: which points of the face are seen there.

    Attributes:
        upper, lower: (H, W, 2) way back to the neutral face, if the pixel shows the upper or the lower lip.
        over_line: (H, W) how far the pixel is inside the upper lip, in px; negative beyond its edge.
        under_line: (H, W) the same for the lower lip.
    """

    upper: np.ndarray
    lower: np.ndarray
    over_line: np.ndarray
    under_line: np.ndarray

    def shares(self) -> tuple[np.ndarray, np.ndarray]:
        """How much of each pixel the upper and the lower lip cover; what they leave is the cavity."""
        upper, lower = np.clip(0.5 + self.over_line, 0, 1), np.clip(0.5 + self.under_line, 0, 1)
        together = np.maximum(upper + lower, 1)
        return upper / together, lower / together

    def cavity(self) -> np.ndarray:
        """How much of each pixel shows the inside of the mouth, (H, W)."""
        upper, lower = self.shares()
        return np.clip(1 - upper - lower, 0, 1)


class ClipRenderer:
    """Frames and exact truth of one clip. Every method depends on its arguments only, in any order.

    Args:
        face: the person.
        plan: the clip, or a long video.
        creases: factor on the depth of creases; 0 turns them off, and skin keeps its brightness.

    Raises:
        ParameterError: the plan's frame size is not the portrait's, or `creases` is negative.
    """

    def __init__(self, face: MovableFace, plan: Plan, creases: float = 1.0) -> None:
        _check(face, plan, creases)
        self.face = face
        self.plan = plan
        self.creases = creases
        self._rows = [UNITS.index(unit) for unit in plan.units]
        y, x = np.mgrid[0 : face.size, 0 : face.size].astype(np.float32)
        self._x, self._y = x, y
        self._grid = grid_points(face.size)

    def __len__(self) -> int:
        return len(self.plan)

    # --- frames

    def encoded(self, index: int) -> bytes:
        """The file of frame `index` as its camera wrote it: JPEG, or PNG where the recording has no JPEG quality."""
        image = expose(self.clean(index), self.plan.recording, self.plan.gain[index], self.plan.sample_id, int(index))
        return encode(image, self.plan.recording.jpeg_quality)

    def frame(self, index: int) -> np.ndarray:
        """Frame `index` as one reads it from :meth:`encoded`: uint8 (H, W, 3) RGB, or (H, W) where it is grey."""
        return decode(self.encoded(index))

    def clean(self, index: int) -> np.ndarray:
        """Frame `index` before light, noise, grey and file: float32 (H, W, 3) RGB 0..1."""
        pose = self._pose(index)
        back = self._back(pose)
        x, y = self._x + back[..., 0], self._y + back[..., 1]
        image = self.face.layer(self.face.skin, x, y)
        light = self._crease_light(index)
        if light is not None:
            image *= _sample(light, x, y)[..., None]
        self._draw_mouth(image, pose, light)
        for side in (-1, 1):
            self._draw_eye(image, pose, back, side)
        return np.clip(image, 0, 1, out=image)

    # --- truth

    def flow(self, first: int, second: int, head: bool = True) -> np.ndarray:
        """Where the points that are seen in frame `first` are in frame `second`.

        Args:
            first: index of the frame in whose pixels the flow is given.
            second: index of the other frame.
            head: with everything that moves; False: by the expression alone, that is the change between the two frames
                of the expression's displacement of the very point that frame `first` shows in a pixel, head motion
                included. It is 0 where no unit moves, and in eye openings, whose eyeballs no unit moves.

        Returns:
            float32 (H, W, 2) px: what pixel (y, x) of `first` shows is at (y + v, x + u) in `second`. In the cavity of
            an open mouth, the flow of the nearer lip; see :meth:`valid`.
        """
        poses = self._pose(first), self._pose(second)
        return self._flow(poses, self._back(poses[0]), head)

    def valid(self, first: int, second: int) -> np.ndarray:
        """Where :meth:`flow` says where the *visible* point goes: bool (H, W), in pixels of frame `first`.

        False where the point leaves the frame; in the eye openings where gaze or blink differ; at the rim of an eye
        opening whose lids move, and on eyeballs that a lid covers in `second`; and wherever the inside of the mouth
        is seen.
        """
        poses = self._pose(first), self._pose(second)
        backs = self._back(poses[0]), self._back(poses[1])
        flow = self._flow(poses, backs[0], head=True)
        x, y = self._x + flow[..., 0], self._y + flow[..., 1]
        last = self.face.size - 1
        valid = (x >= 0) & (x <= last) & (y >= 0) & (y <= last)
        box = self._mouth_box(poses[0])
        if not box.empty:
            valid[box.part] &= self._lips(poses[0], box).cavity() <= _TRACE
        for side in (-1, 1):
            self._forbid_eye(valid, poses, backs, flow, side)
        return valid

    def landmarks(self, index: int, head: bool = True) -> np.ndarray:
        """The mesh's landmarks in frame `index`: float32 (478, 2), (x, y) in px.

        Args:
            index: the frame.
            head: with everything that moves; False: moved by the expression alone, from their places in the neutral
                portrait, without head motion, blink and gaze.
        """
        pose = self._pose(index)
        points = np.asarray(self.face.portrait.landmarks, np.float64)
        if head:
            points = self._blinked(points, pose.blink)
        x, y = points[:, 0], points[:, 1]
        expression = self._expression_at(pose, x, y)
        irises = [*RIGHT_IRIS, *LEFT_IRIS]
        expression[irises] = pose.gaze if head else 0
        moved = points + expression
        return (moved + at(pose.head, x, y) if head else moved).astype(np.float32)

    # --- displacements

    def _pose(self, index: int) -> _Pose:
        if isinstance(index, bool) or not isinstance(index, int | np.integer) or not 0 <= index < len(self.plan):
            raise ParameterError(
                f"frame index: expected a whole number from 0 to {len(self.plan) - 1} "
                f"({self.plan.sample_id} has {len(self.plan)} frames), got {index!r}"
            )
        fields, intensity = self.face.expression, self.plan.intensity[index]
        moving = [k for k, value in enumerate(intensity) if value]
        rows, weights = [self._rows[k] for k in moving], intensity[moving]
        skin = _weighted(fields.skin, rows, weights)
        part = skin[fields.box.part]
        return _Pose(
            skin,
            part + _weighted(fields.upper, rows, weights),
            part + _weighted(fields.lower, rows, weights),
            _weighted(self.face.head, range(len(self.face.head)), self.plan.head[index]),
            float(self.plan.blink[index]),
            self.plan.gaze[index] * self.face.iod,
        )

    def _back(self, pose: _Pose) -> np.ndarray:
        """The way back from each pixel to the point of the neutral face it shows, but for lips and eyes: (H, W, 2)."""
        field = pose.skin + pose.head
        coarse = invert(field, *self._grid)
        back = fast_at(coarse, self._x, self._y)  # exact: pixels are grid points or halfway between them
        return -fast_at(field, self._x + back[..., 0], self._y + back[..., 1])

    def _flow(self, poses: tuple[_Pose, _Pose], back: np.ndarray, head: bool) -> np.ndarray:
        """What :meth:`flow` returns, from the two poses and the first one's :meth:`_back`."""
        back = refine(poses[0].skin + poses[0].head, self._x, self._y, back)
        flow = self._change(poses, self._x + back[..., 0], self._y + back[..., 1], head)
        self._flow_of_lips(flow, poses, head)
        for side in (-1, 1):
            self._flow_of_eye(flow, poses, back, side, head)
        return flow

    def _change(self, poses: tuple[_Pose, _Pose], x: np.ndarray, y: np.ndarray, head: bool) -> np.ndarray:
        change = poses[1].skin - poses[0].skin
        return at(change + poses[1].head - poses[0].head if head else change, x, y)

    def _expression_at(self, pose: _Pose, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Displacement by the expression of points of the neutral face, in the shape of `x` and 2."""
        box = self.face.expression.box
        moved = at(pose.skin, x, y)
        inside = _within(box, x, y)
        above = y < self.face.lines.mouth(x)
        for lip, chosen in ((pose.upper, inside & above), (pose.lower, inside & ~above)):
            moved[chosen] = at(lip, x[chosen], y[chosen], box.origin)
        return moved

    def _crease_light(self, index: int) -> np.ndarray | None:
        """Factor on the light of the neutral face by the creases of frame `index`, or None without creases."""
        depths = self.creases * strength(self.plan.intensity[index])
        moving = [k for k, depth in enumerate(depths) if depth]
        if not moving:
            return None
        return np.exp(_weighted(self.face.creases, [self._rows[k] for k in moving], depths[moving]))

    # --- mouth

    def _mouth_box(self, pose: _Pose) -> _Box:
        """The part of the frame in which the lips can be, wherever the head has gone."""
        box, reach = self.face.expression.box, _MOUTH_REACH * self.face.iod
        low = SPACING * np.array([box.left, box.top], np.float32)
        high = SPACING * np.array([box.right - 1, box.bottom - 1], np.float32)
        shift = _shift_of(pose.head, (low + high) / 2)
        return _Box.around(low + shift - reach, high + shift + reach, self.face.size)

    def _lips(self, pose: _Pose, box: _Box) -> _Lips:
        grid, line = self.face.expression.box, self.face.lines.mouth
        x, y = box.pixels()
        upper, lower = (invert(_with_lip(pose, lip, grid) + pose.head, x, y) for lip in (pose.upper, pose.lower))
        over_line = line(x + upper[..., 0]) - y - upper[..., 1]
        under_line = y + lower[..., 1] - line(x + lower[..., 0])
        return _Lips(upper, lower, over_line, under_line)

    def _draw_mouth(self, image: np.ndarray, pose: _Pose, light: np.ndarray | None) -> None:
        """Put the parted lips, and what is seen between them, over the picture."""
        if not np.any(pose.lower - pose.upper):
            return
        box = self._mouth_box(pose)
        if box.empty:
            return
        x, y = box.pixels()
        lips = self._lips(pose, box)
        picture = lips.cavity()[..., None] * self._inside(pose, x, y)
        for back, share in zip((lips.upper, lips.lower), lips.shares(), strict=True):
            u, v = x + back[..., 0], y + back[..., 1]
            skin = self.face.layer(self.face.skin, u, v)
            if light is not None:
                skin *= _sample(light, u, v)[..., None]
            picture += skin * share[..., None]
        image[box.part] = picture

    def _inside(self, pose: _Pose, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        origin = self.face.expression.box.origin
        back = invert(pose.head, x, y)
        x, y = x + back[..., 0], y + back[..., 1]
        opening = fast_at(pose.lower - pose.upper, x, y, origin)[..., 1]
        return interior(x, y, opening, self.face.lines.mouth, self.face.iod, self.face.mouth_light)

    def _flow_of_lips(self, flow: np.ndarray, poses: tuple[_Pose, _Pose], head: bool) -> None:
        box, grid = self._mouth_box(poses[0]), self.face.expression.box
        if box.empty or not any(np.any(pose.lower - pose.upper) for pose in poses):
            return
        x, y = box.pixels()
        lips = self._lips(poses[0], box)
        found = []
        for name, rough in (("upper", lips.upper), ("lower", lips.lower)):
            fields = [_with_lip(pose, getattr(pose, name), grid) for pose in poses]
            back = refine(fields[0] + poses[0].head, x, y, rough)
            change = fields[1] - fields[0]
            if head:
                change = change + poses[1].head - poses[0].head
            found.append(at(change, x + back[..., 0], y + back[..., 1]))
        upper_nearer = lips.over_line > lips.under_line
        flow[box.part] = np.where(upper_nearer[..., None], found[0], found[1])

    # --- eyes

    def _eye_box(self, pose: _Pose, side: int) -> _Box:
        eye, reach = self.face.lines.eye(side), _EYE_REACH * self.face.iod
        low = np.array([eye.upper.x[0], eye.upper.y.min()]) - reach
        high = np.array([eye.upper.x[-1], eye.lower.y.max()]) + reach
        shift = _shift_of(pose.head, (low + high) / 2)
        return _Box.around(low + shift, high + shift, self.face.size)

    def _draw_eye(self, image: np.ndarray, pose: _Pose, back: np.ndarray, side: int) -> None:
        """Put an eyeball into the opening that the lids leave."""
        box = self._eye_box(pose, side)
        if box.empty:
            return
        x, y = box.pixels()
        u, v = x + back[box.part][..., 0], y + back[box.part][..., 1]
        seen, shadow_y = self.face.layer(self.face.lids, u, v), v
        skin = image[box.part]
        if pose.blink > 0:
            skin = self._closing_lid(skin, pose.blink, self.face.lines.eye(side), u, v)
            below_edge = self._below_closing_edge(pose.blink, self.face.lines.eye(side), u, v)
            seen = seen * np.clip(0.5 + below_edge, 0, 1)
            shadow_y = self.face.lines.eye(side).upper(u) + below_edge
        ball_x, ball_y = self._eyeball_points(pose, x, y)
        ball = self.face.layer(self.face.eyes, ball_x, ball_y)
        ball *= self.face.layer(self.face.lid_shadow, u, shadow_y)[..., None]
        image[box.part] = skin + (ball - skin) * seen[..., None]

    def _below_closing_edge(self, blink: float, eye: Eye, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """How far points of the neutral face are below the edge of a blinking lid, in px."""
        upper, lower = eye.upper(x), eye.lower(x)
        overlap = _LIDS_OVERLAP * self.face.iod  # so that no eyeball is left between closed lids
        return y - (upper + blink * (lower + overlap - upper))

    def _closing_lid(self, skin: np.ndarray, blink: float, eye: Eye, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Draw the upper lid over `skin`: lashes go down with the edge, and skin is drawn out of the crease above them.

        Args:
            skin: (H, W, 3) the picture.
            x, y: (H, W) points of the neutral face that are seen in it.
        """
        iod = self.face.iod
        lashes, height = _LASH_HEIGHT * iod, _LID_HEIGHT * iod
        upper = eye.upper(x)
        above_edge = -self._below_closing_edge(blink, eye, x, y)
        lid_now = np.maximum(above_edge + y - (upper - height), height)
        stretched = lashes + (above_edge - lashes) * (height - lashes) / (lid_now - lashes)
        source = upper - np.where(above_edge < lashes, above_edge, stretched)
        lid = self.face.layer(self.face.skin, x, source)
        on_lid = (np.abs(eye.upper.along(x)) < 1) & (y > upper - height)
        share = np.where(on_lid, np.clip(0.5 + above_edge + _LIDS_OVERLAP * iod, 0, 1), 0)
        return skin + (lid - skin) * share[..., None]

    def _eyeball_points(self, pose: _Pose, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The points of the resting eyes that are seen at pixels: eyes move with the head and the gaze."""
        right, down = x - np.float32(pose.gaze[0]), y - np.float32(pose.gaze[1])
        back = invert(pose.head, right, down)
        return right + back[..., 0], down + back[..., 1]

    def _opening(self, pose: _Pose, back: np.ndarray, box: _Box, side: int) -> tuple[np.ndarray, np.ndarray]:
        """How much of each pixel is in the eye opening of the resting lids, and how much shows the eyeball."""
        x, y = box.pixels()
        u, v = x + back[box.part][..., 0], y + back[box.part][..., 1]
        opening = self.face.layer(self.face.lids, u, v)
        if pose.blink <= 0:
            return opening, opening
        below_edge = self._below_closing_edge(pose.blink, self.face.lines.eye(side), u, v)
        return opening, opening * np.clip(0.5 + below_edge, 0, 1)

    def _flow_of_eye(
        self, flow: np.ndarray, poses: tuple[_Pose, _Pose], back: np.ndarray, side: int, head: bool
    ) -> None:
        box = self._eye_box(poses[0], side)
        if box.empty:
            return
        ball = self._opening(poses[0], back, box, side)[1] > 0.5
        x, y = (values[ball] for values in box.pixels())
        if not head or not len(x):
            flow[box.part][ball] = 0
            return
        right, down = x - np.float32(poses[0].gaze[0]), y - np.float32(poses[0].gaze[1])
        rest = refine(poses[0].head, right, down, invert(poses[0].head, right, down)[:, 0])
        change = at(poses[1].head - poses[0].head, right + rest[..., 0], down + rest[..., 1])
        flow[box.part][ball] = change + (poses[1].gaze - poses[0].gaze).astype(np.float32)

    def _forbid_eye(
        self,
        valid: np.ndarray,
        poses: tuple[_Pose, _Pose],
        backs: tuple[np.ndarray, np.ndarray],
        flow: np.ndarray,
        side: int,
    ) -> None:
        """Set `valid` to False where an eye opening shows something else in the second frame."""
        box = self._eye_box(poses[0], side)
        if box.empty:
            return
        opening, ball = self._opening(poses[0], backs[0], box, side)
        if poses[0].blink != poses[1].blink:
            valid[box.part] &= ~self._on_lid(backs[0], box, side) & (opening <= _TRACE)
            return
        if np.any(poses[0].gaze != poses[1].gaze):
            valid[box.part] &= opening <= _TRACE
            return
        x, y = box.pixels()
        whole = _Box(0, self.face.size, 0, self.face.size)
        then = self._opening(poses[1], backs[1], whole, side)[1]
        seen_then = _sample(then, x + flow[box.part][..., 0], y + flow[box.part][..., 1])
        back = backs[0][box.part]
        lids_move = length(self._change(poses, x + back[..., 0], y + back[..., 1], head=False)) > _STILL
        rim = (ball > _TRACE) & (ball < 1 - _TRACE) & lids_move
        covered = (ball > 0.5) & (seen_then < 0.5)
        valid[box.part] &= ~(rim | covered)

    def _on_lid(self, back: np.ndarray, box: _Box, side: int) -> np.ndarray:
        """Which pixels of a box a blink of the eye changes: bool (H, W)."""
        eye, iod = self.face.lines.eye(side), self.face.iod
        x, y = box.pixels()
        x, y = x + back[box.part][..., 0], y + back[box.part][..., 1]
        reach = 2 * _LIDS_OVERLAP * iod + 1
        between = (y > eye.upper(x) - _LID_HEIGHT * iod - 1) & (y < eye.lower(x) + reach)
        return between & (np.abs(eye.upper.along(x)) < 1)

    def _blinked(self, points: np.ndarray, blink: float) -> np.ndarray:
        """Landmarks with the edges of the upper lids where the blink has taken them."""
        points = points.copy()
        for side, group in ((-1, RIGHT_EYE_UPPER), (1, LEFT_EYE_UPPER)):
            eye, edge = self.face.lines.eye(side), list(group[1:-1])
            shut = eye.lower(points[edge, 0]) + _LIDS_OVERLAP * self.face.iod
            points[edge, 1] += blink * (shut - points[edge, 1])
        return points


def _check(face: MovableFace, plan: Plan, creases: float) -> None:
    if plan.recording.size != face.size:
        raise ParameterError(
            f"{plan.sample_id}: expected a portrait of the recording's size, {plan.recording.size} px, "
            f"got one of {face.size} px; draw it with size={plan.recording.size}"
        )
    if not creases >= 0:
        raise ParameterError(f"creases: expected a factor of 0 or more, got {creases!r}")


def _weighted(fields: np.ndarray, rows: list[int] | range, weights: np.ndarray) -> np.ndarray:
    """Sum of some `fields` times their weights."""
    total = np.zeros(fields.shape[1:], np.float32)
    for row, weight in zip(rows, weights, strict=True):
        if weight:
            total += np.float32(weight) * fields[row]
    return total


def _with_lip(pose: _Pose, lip: np.ndarray, box: GridBox) -> np.ndarray:
    field = pose.skin.copy()
    field[box.part] = lip
    return field


def _within(box: GridBox, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    column, row = x / SPACING, y / SPACING
    return (column >= box.left) & (column <= box.right - 1) & (row >= box.top) & (row <= box.bottom - 1)


def _shift_of(head: np.ndarray, point: np.ndarray) -> np.ndarray:
    """How far the head's motion moves one point (x, y)."""
    return at(head, np.array([point[0]]), np.array([point[1]]))[0]


def _sample(picture: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Read a picture of the frame at points in px."""
    return cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
