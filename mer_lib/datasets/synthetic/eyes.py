"""Eyeballs, the opening of the lids, lashes and brows."""

from __future__ import annotations

import numpy as np

from mer_lib.datasets.synthetic.drawing import Canvas, over, smoothstep, spline
from mer_lib.datasets.synthetic.identity import Identity
from mer_lib.datasets.synthetic.mesh import (
    LEFT_BROW_LOWER,
    LEFT_BROW_UPPER,
    LEFT_IRIS,
    RIGHT_BROW_LOWER,
    RIGHT_BROW_UPPER,
    RIGHT_IRIS,
)
from mer_lib.datasets.synthetic.relief import lid_edges

_WHITE = np.array([0.86, 0.83, 0.81])
_PUPIL = 0.042


def lid_opening(canvas: Canvas, mesh: np.ndarray) -> np.ndarray:
    """Where the eyeballs show between the lids, (S, S) float32 0..1.

    The lids' dark edges hide a part of the eyeballs: they belong to the skin, and so move with the lids.
    """
    opening = np.zeros((canvas.side, canvas.side), np.float32)
    for _, upper, lower in lid_edges(mesh):
        between = canvas.polygon(np.vstack([upper, lower[::-1]]), 0.004)
        edges = np.clip(1.1 * _upper_edge(canvas, upper), 0, 0.9) + 0.3 * canvas.stroke(lower, 0.010, 0.006)
        opening = np.maximum(opening, between * np.clip(1 - edges, 0, 1))
    return opening


def _upper_edge(canvas: Canvas, upper: np.ndarray, wider: float = 0.0) -> np.ndarray:
    """The roots of the lashes, (S, S) 0..1."""
    return canvas.stroke(upper, 0.014 + wider, 0.005)


def eyeballs(canvas: Canvas, mesh: np.ndarray, person: Identity, rng: np.random.Generator) -> np.ndarray:
    """Both eyeballs in the light, (S, S, 3) float32, without the lids' shadow; the white of the eye goes on beyond."""
    brightness = 0.60 + 0.40 * person.ambient + 0.06 * (1 - person.tone)
    image = np.ones((canvas.side, canvas.side, 1), np.float32) * (_WHITE * brightness).astype(np.float32)
    phases = rng.uniform(0, 2 * np.pi, 3)
    irises = (RIGHT_IRIS, LEFT_IRIS)
    for (_, upper, _), iris in zip(lid_edges(mesh), irises, strict=True):
        middle = (upper[0] + upper[-1]) / 2
        corner = np.clip(np.abs(canvas.x - middle[0]) / 0.25 - 0.35, 0, 1) * (np.abs(canvas.x - middle[0]) < 0.5)
        image = image * (1 - corner[..., None] * np.array([0.22, 0.32, 0.30], np.float32))
        image = _iris(canvas, image, mesh[iris[0], :2], _radius(mesh, iris), np.array(person.iris), phases)
    return np.clip(image, 0, 1).astype(np.float32)


def lid_shadow(canvas: Canvas, mesh: np.ndarray) -> np.ndarray:
    """The shadow that lids and lashes throw on the eyeballs, (S, S) float32 0..1: a factor on their light."""
    shadows = [_shadow_of_lid(canvas, upper) for _, upper, _ in lid_edges(mesh)]
    return np.prod(shadows, axis=0).astype(np.float32)


def _radius(mesh: np.ndarray, iris: tuple[int, ...]) -> float:
    return float(np.linalg.norm(mesh[list(iris[1:]), :2] - mesh[iris[0], :2], axis=1).mean())


def _iris(
    canvas: Canvas, image: np.ndarray, centre: np.ndarray, radius: float, colour: np.ndarray, phases: np.ndarray
) -> np.ndarray:
    x, y = canvas.x - centre[0], canvas.y - centre[1]
    away = np.hypot(x, y)
    near = np.s_[np.flatnonzero(np.abs(y) < 2 * radius)[:, None], np.flatnonzero(np.abs(x) < 2 * radius)]
    image[near] = _iris_alone(image[near], x[:, near[1]], y[near[0][:, 0]], away[near], radius, colour, phases)
    return image


def _iris_alone(
    image: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    away: np.ndarray,
    radius: float,
    colour: np.ndarray,
    phases: np.ndarray,
) -> np.ndarray:
    angle = np.arctan2(y, x)
    fibres = 0.5 + 0.5 * np.cos(25 * angle + 3 * np.sin(5 * angle + phases[0]) + phases[1])
    ring = 1 - 0.6 * smoothstep(away, 0.72 * radius, radius)
    glow = 0.85 + 0.45 * np.clip(y / radius, -0.6, 1)
    texture = (0.78 + 0.5 * fibres * np.clip(away / radius, 0, 1)) * ring * glow
    image = over(image, colour * texture[..., None], smoothstep(away, radius + 0.010, radius - 0.010))
    image = over(image, (0.02, 0.02, 0.025), smoothstep(away, _PUPIL + 0.008, _PUPIL - 0.008))
    window = smoothstep(np.hypot(x + 0.030, y + 0.034), 0.024, 0.010)
    return over(image, (1, 1, 1), 0.85 * window)


def _shadow_of_lid(canvas: Canvas, upper: np.ndarray) -> np.ndarray:
    """The upper lid's shadow on the eyeball: a factor (S, S)."""
    order = np.argsort(upper[:, 0])
    edge = np.interp(canvas.x, upper[order, 0], upper[order, 1])
    near = (canvas.x > upper[:, 0].min() - 0.1) & (canvas.x < upper[:, 0].max() + 0.1)
    depth = np.clip(canvas.y - edge, -0.05, None)
    return 1 - 0.55 * np.clip(np.exp(-depth / 0.040), 0, 1) * near


def lashes(canvas: Canvas, mesh: np.ndarray, image: np.ndarray, person: Identity, made_up: float) -> np.ndarray:
    """The dark edge of the upper lids, drawn on the skin.

    Args:
        image: (S, S, 3).
        made_up: 0 plain to 1 dark and long.
    """
    dark = np.minimum(np.array(person.hair) * 0.3, 0.12)
    for side, upper, _ in lid_edges(mesh):
        line = _upper_edge(canvas, upper, wider=0.008 * made_up)
        hairs = np.zeros((canvas.side, canvas.side), np.uint8)
        canvas.hairs(hairs, _lash_hairs(side, upper, made_up), np.full(26, 110 + 70 * made_up), 0.004)
        alpha = np.clip(line * (0.75 + 0.25 * made_up) + hairs.astype(np.float32) / 255, 0, 0.9)
        image = over(image, dark, alpha)
    return image


def _lash_hairs(side: int, upper: np.ndarray, made_up: float) -> np.ndarray:
    """26 short hairs from the outer two thirds of the lid's edge: (26, 3, 2)."""
    place = np.linspace(0, 0.75 * (len(upper) - 1), 26).astype(int)
    outward = side * np.linspace(0.9, -0.1, 26)
    length = (0.030 + 0.025 * made_up) * np.linspace(1, 0.6, 26)
    step = np.stack([outward * length, -0.8 * length], axis=-1)
    root = upper[place]
    return np.stack([root, root + 0.55 * step + [0, 0.004], root + step], axis=1)


def brows(
    canvas: Canvas, mesh: np.ndarray, image: np.ndarray, person: Identity, rng: np.random.Generator
) -> np.ndarray:
    """Both brows, hair by hair, over the skin (S, S, 3)."""
    colour = np.clip(np.array(person.hair) * (0.75 if np.mean(person.hair) < 0.35 else 0.62), 0.06, 0.5)
    pairs = ((-1, RIGHT_BROW_UPPER, RIGHT_BROW_LOWER), (1, LEFT_BROW_UPPER, LEFT_BROW_LOWER))
    count = int(330 * person.brow_density)
    # One draw serves both brows, so that a symmetric face has symmetric ones.
    along, across, bend = rng.random(count) ** 0.9, rng.uniform(-1, 1, count), rng.uniform(-0.25, 0.25, count)
    length, value = rng.uniform(0.05, 0.105, count), rng.uniform(110, 230, count)
    for side, upper, lower in pairs:
        top, bottom = spline(mesh[list(upper), :2], steps=16), spline(mesh[list(lower), :2], steps=16)
        lines = _brow_hairs(side, top, bottom, along, across, bend, length, person.brow_density)
        mask = np.zeros((canvas.side, canvas.side), np.uint8)
        canvas.hairs(mask, lines, value, 0.004)
        hairs = canvas.blur(mask.astype(np.float32) / 255, 0.003)
        band = _band(top, bottom, 0.55 + 0.25 * person.brow_density)
        base = (0.38 - 0.18 * person.grey) * person.brow_density * canvas.polygon(band, 0.022)
        image = over(image, colour, np.clip(0.75 * hairs + base, 0, 0.9))
    return image


def _thickness(t: np.ndarray) -> np.ndarray:
    """Relative half thickness of a brow from the outer end (0) to the inner one (1)."""
    return np.interp(t, [0, 0.35, 0.8, 1], [0.12, 0.42, 0.55, 0.45])


def _band(top: np.ndarray, bottom: np.ndarray, width: float) -> np.ndarray:
    middle, half = (top + bottom) / 2, (bottom - top) / 2
    reach = (width * 1.3 * _thickness(np.linspace(0, 1, len(top))))[:, None] * half
    return np.vstack([middle - reach, (middle + reach)[::-1]])


def _brow_hairs(
    side: int,
    top: np.ndarray,
    bottom: np.ndarray,
    along: np.ndarray,
    across: np.ndarray,
    bend: np.ndarray,
    length: np.ndarray,
    density: float,
) -> np.ndarray:
    """Hairs (N, 3, 2) that rise at the inner end and lie along the brow towards the outer one."""
    place = (along * (len(top) - 1)).astype(int)
    middle, half = ((top + bottom) / 2)[place], ((bottom - top) / 2)[place]
    root = middle + half * (across * (0.8 + 0.4 * density) * _thickness(along) * 1.5)[:, None]
    outwards = np.gradient((top + bottom) / 2, axis=0)[place]
    direction = -outwards / np.linalg.norm(outwards, axis=1, keepdims=True)
    # Turned upwards by an angle that grows towards the inner end; lower hairs rise, upper ones sink.
    rise = np.interp(along, [0, 0.5, 0.85, 1], [0.05, 0.25, 0.75, 1.15]) + 0.35 * across * (along < 0.8) + bend
    turned = side * -rise
    cos, sin = np.cos(turned), np.sin(turned)
    x = direction[:, 0] * cos - direction[:, 1] * sin
    y = direction[:, 0] * sin + direction[:, 1] * cos
    step = np.stack([x, y], axis=-1) * (length * np.interp(along, [0, 0.3, 1], [0.7, 1.0, 0.9]))[:, None]
    return np.stack([root - 0.5 * step, root, root + 0.5 * step + [0, 0.004]], axis=1)
