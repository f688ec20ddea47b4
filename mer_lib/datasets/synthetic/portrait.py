"""The portrait of a synthetic person: a neutral face in layers, ready to be moved."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mer_lib.datasets.synthetic import body, eyes, hair, hair_styles, relief, skin
from mer_lib.datasets.synthetic.drawing import SCALE, Canvas, over
from mer_lib.datasets.synthetic.identity import Gender, Identity, draw_identity, shape
from mer_lib.datasets.synthetic.streams import stream
from mer_lib.errors import ParameterError

__all__ = ["SCALE", "SMALLEST", "Portrait", "draw_portrait", "neutral"]

#: Smallest frame in which a face still has its features, px.
SMALLEST = 64
_LARGEST = 1024
# How far (IOD) the head's movement fades out beyond its outline: narrower, and turning the head folds the picture.
_FADE = 0.22


@dataclass(frozen=True, eq=False)
class Portrait:
    """A neutral face in layers, drawn at twice the frame's resolution with a margin around it.

    S = SCALE * (size + 2 * margin). Pixel (row, column) of a layer lies at frame x = (column + 0.5) / SCALE - 0.5 -
    margin, and y likewise.

    Attributes:
        size: side of the square frame, px.
        margin: frame px of margin on each side.
        iod: inter-ocular distance of the average face in frame px, size * 100 / 320.
        skin: float32 (S, S, 3) RGB 0..1, display values, everything but the eyeballs; skin also under the lid openings.
        eyes: float32 (S, S, 3) RGB 0..1, eyeballs without the lids' shadow.
        lid_shadow: float32 (S, S) 0..1, factor on the light of `eyes`; it moves with the lids, not with the eyeballs.
        lids: float32 (S, S) 0..1, the open lids: opacity of `eyes` over `skin`.
        landmarks: float64 (478, 2) x, y in frame px, not counting the margin.
        depth: float32 (size, size) IOD, away from the camera, smooth, clamped to what head turning needs.
        head: float32 (size, size) 0..1, what moves with the head; falls off smoothly to the background.
        face: float32 (size, size) 0..1, skin of the face that is not under hair.
        gender: "female" or "male".
        name: the person's name, of which everything is drawn.
        identity: who it is.
    """

    size: int
    margin: int
    iod: float
    skin: np.ndarray
    eyes: np.ndarray
    lid_shadow: np.ndarray
    lids: np.ndarray
    landmarks: np.ndarray
    depth: np.ndarray
    head: np.ndarray
    face: np.ndarray
    gender: Gender
    name: str
    identity: Identity


def draw_portrait(name: str, gender: Gender, size: int = 320, symmetric: bool = False) -> Portrait:
    """Draw the person called `name`; the same name gives the same person at every size.

    Args:
        name: any text; people of different names differ.
        gender: "female" or "male".
        size: side of the square frame, 64 to 1024 px.
        symmetric: give the face the same shape on both sides (its skin, hair and light still differ).

    Raises:
        ParameterError: `gender` is unknown or `size` is out of range.
    """
    if not SMALLEST <= size <= _LARGEST:
        raise ParameterError(f"size: expected {SMALLEST} to {_LARGEST} px, got {size}")
    person = draw_identity(name, gender, symmetric)
    canvas, mesh = Canvas(size), shape(person)
    image = body.background(canvas, person, stream(name, "background"))
    back = hair.paint(canvas, hair_styles.back_hair(mesh, person), person, stream(name, "back hair"))
    image = over(image, *back)
    image, trunk = body.neck_and_clothes(canvas, mesh, image, person)
    image, ears = body.ears(canvas, mesh, image, person)
    outline = body.face_outline(canvas, mesh)
    face = _face(canvas, mesh, person, name)
    image = over(image, face, outline)
    front = hair.paint(canvas, hair_styles.front_hair(mesh, person), person, stream(name, "hair"))
    shadow = canvas.blur(front[1], 0.05) * outline * (1 - front[1])
    image = over(image * (1 - 0.30 * shadow)[..., None], *front)
    solid = np.maximum.reduce([outline, back[1], front[1], ears, 0.8 * trunk])
    return Portrait(
        size=size,
        margin=canvas.margin,
        iod=canvas.iod,
        skin=np.clip(image, 0, 1).astype(np.float32),
        eyes=eyes.eyeballs(canvas, mesh, person, stream(name, "eyes")),
        lid_shadow=eyes.lid_shadow(canvas, mesh),
        lids=eyes.lid_opening(canvas, mesh),
        landmarks=canvas.to_frame(mesh),
        depth=relief.turning_depth(canvas, mesh),
        head=_head_mask(canvas, solid),
        face=canvas.to_frame_size(outline * (1 - front[1])),
        gender=gender,
        name=name,
        identity=person,
    )


def neutral(portrait: Portrait) -> np.ndarray:
    """The layers put together: the neutral frame, uint8 (size, size, 3) RGB."""
    image = over(portrait.skin, portrait.eyes * portrait.lid_shadow[..., None], portrait.lids)
    side = portrait.size + 2 * portrait.margin
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    inside = slice(portrait.margin, portrait.margin + portrait.size)
    return np.round(255 * np.clip(small[inside, inside], 0, 1)).astype(np.uint8)


def _face(canvas: Canvas, mesh: np.ndarray, person: Identity, name: str) -> np.ndarray:
    height = relief.relief(canvas, mesh, person, stream(name, "relief"))
    colour = skin.albedo(canvas, mesh, person, name)
    image = skin.shaded(canvas, mesh, person, colour, relief.light(canvas, height, person))
    image = eyes.lashes(canvas, mesh, image, person, made_up=person.lip_colour**2)
    return eyes.brows(canvas, mesh, image, person, stream(name, "brows"))


def _head_mask(canvas: Canvas, solid: np.ndarray) -> np.ndarray:
    """What moves with the head: everything solid and a little more, fading out over _FADE."""
    small = cv2.resize(solid, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    reach = 2 * round(0.30 * canvas.unit / 4) + 1
    wide = cv2.dilate((small > 0.5).astype(np.float32), np.ones((reach, reach)))
    fading = cv2.GaussianBlur(wide, (0, 0), _FADE * canvas.unit / 4, borderType=cv2.BORDER_REPLICATE)
    full = cv2.resize(fading, (canvas.side, canvas.side), interpolation=cv2.INTER_LINEAR)
    return np.clip(canvas.to_frame_size(full), 0, 1)
