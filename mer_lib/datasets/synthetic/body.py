"""What surrounds a face: background, neck, clothes, ears, and the outline of the face itself."""

from __future__ import annotations

import numpy as np

from mer_lib.datasets.synthetic.drawing import Canvas, over, smoothstep, spline
from mer_lib.datasets.synthetic.identity import Identity
from mer_lib.datasets.synthetic.mesh import CHIN, FACE_OVAL
from mer_lib.datasets.synthetic.relief import pair
from mer_lib.datasets.synthetic.skin import tone_colour

# Highest point of the skull (IOD) and the height at which the face's outline goes over into it.
_VERTEX, _TEMPLE = -1.60, -0.30


def background(canvas: Canvas, person: Identity, rng: np.random.Generator) -> np.ndarray:
    """A wall with a soft gradient of light, (S, S, 3) float32."""
    slope = rng.normal(0, 0.05, 2)
    level = 1 + slope[0] * canvas.x - abs(slope[1]) * (canvas.y - 0.5)
    level = level + 0.012 * canvas.noise(rng, 0.03) + 0.02 * canvas.noise(rng, 0.7)
    return (level[..., None] * np.array(person.wall)).astype(np.float32)


def outline_points(mesh: np.ndarray) -> np.ndarray:
    """Outline of face and skull, closed, (N, 2) in IOD."""
    oval = mesh[list(FACE_OVAL), :2]
    lower = oval[oval[:, 1] > _TEMPLE]
    lower = lower[np.argsort(np.arctan2(lower[:, 0], lower[:, 1]))]
    angle = np.linspace(0, np.pi, 15)[1:-1]
    half = (lower[-1, 0] - lower[0, 0]) / 2
    middle = (lower[-1, 0] + lower[0, 0]) / 2
    base = (lower[0, 1] + lower[-1, 1]) / 2
    skull = np.stack([middle + half * np.cos(angle), base + (_VERTEX - base) * np.sin(angle) ** 0.8], axis=-1)
    return spline(np.vstack([lower, skull]), closed=True)


def face_outline(canvas: Canvas, mesh: np.ndarray) -> np.ndarray:
    """Inside of the outline of face and skull, (S, S) float32 0..1."""
    return canvas.polygon(outline_points(mesh), 0.008)


def neck_and_clothes(
    canvas: Canvas, mesh: np.ndarray, image: np.ndarray, person: Identity
) -> tuple[np.ndarray, np.ndarray]:
    """The image with neck and clothes, and their opacity (S, S)."""
    half = 0.66 * (mesh[397, 0] - mesh[172, 0]) / 2 + 0.16 + 0.6 * person.jaw_width
    chin = mesh[CHIN, 1]
    side = np.array([(half + 0.03, 0.8), (half, 1.35), (half + 0.01, 1.75), (half + 0.22, 2.05), (1.9, 2.35)])
    neck = canvas.polygon(np.vstack([spline(side), (spline(side) * [-1, 1])[::-1]]), 0.012)
    round_ = 1 - 0.35 * np.clip(np.abs(canvas.x) / half, 0, 1.2) ** 3
    under_jaw = smoothstep(canvas.y, chin + 0.45, chin - 0.25)
    tone = tone_colour(person) * (person.ambient + 0.30)
    colour = (tone * (round_ * (1 - 0.34 * under_jaw))[..., None]).astype(np.float32)
    image = over(image, colour, neck)
    collar = np.array([(-1.95, 1.96), (-half - 0.12, 1.80), (-0.4, 2.02), (0, 2.08), (0.4, 2.02), (half + 0.12, 1.80)])
    shirt = np.vstack([spline(np.vstack([collar, [(1.95, 1.96)]])), [(1.95, 2.6), (-1.95, 2.6)]])
    clothes = canvas.polygon(shirt, 0.008)
    fold = 1 - 0.25 * canvas.blur(1 - clothes, 0.06)
    return over(image, np.array(person.clothes) * fold[..., None], clothes), np.maximum(neck, clothes)


def ears(canvas: Canvas, mesh: np.ndarray, image: np.ndarray, person: Identity) -> tuple[np.ndarray, np.ndarray]:
    """The image with both ears, and their opacity (S, S)."""
    tone, alpha = tone_colour(person), np.zeros((canvas.side, canvas.side), np.float32)
    bright = person.ambient + 0.34
    for side, index in pair(234):
        root = mesh[index, :2] + [0, 0.02]
        rim = root + np.array(_EAR) * [side, 1]
        shape = canvas.polygon(spline(rim, closed=True), 0.006)
        inner = canvas.polygon(
            spline(root + np.array(_EAR) * [0.62 * side, 0.70] + [side * 0.005, -0.02], closed=True), 0.02
        )
        colour = tone * bright * [1.0, 0.93, 0.92]
        ear = np.ones_like(image) * colour.astype(np.float32) * (1 - 0.42 * inner)[..., None]
        helix = canvas.stroke(spline(rim[2:9]), 0.03, 0.015)
        ear = ear * (1 + 0.22 * helix)[..., None]
        near = np.exp(-np.clip(side * (canvas.x - root[0]), 0, None) / 0.05)
        ear = ear * (1 - 0.30 * near)[..., None]
        image = over(image, ear, shape)
        alpha = np.maximum(alpha, shape)
    return image, alpha


# Outline of an ear from its root, x outwards.
_EAR = (
    (-0.06, -0.18),
    (0.00, -0.27),
    (0.07, -0.31),
    (0.135, -0.26),
    (0.155, -0.14),
    (0.135, 0.00),
    (0.105, 0.12),
    (0.085, 0.22),
    (0.045, 0.28),
    (0.00, 0.26),
    (-0.06, 0.18),
)
