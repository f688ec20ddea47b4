"""Skin: its colour, its marks, and how it looks in the light of the relief."""

from __future__ import annotations

import numpy as np

from mer_lib.datasets.synthetic.drawing import Canvas, over, smoothstep, spline
from mer_lib.datasets.synthetic.identity import Identity
from mer_lib.datasets.synthetic.mesh import NOSE_BASE, NOSE_TIP
from mer_lib.datasets.synthetic.relief import Light, crease, lid_edges, lips, mouth_line, pair
from mer_lib.datasets.synthetic.streams import stream

# From the lightest to the darkest, RGB.
_TONES = np.array(
    [(236, 202, 182), (230, 188, 162), (220, 174, 142), (208, 160, 124), (180, 130, 94), (146, 100, 72), (112, 76, 56)]
)


def tone_colour(person: Identity) -> np.ndarray:
    """The skin's average colour, RGB 0..1."""
    place = person.tone * (len(_TONES) - 1)
    colour = np.array([np.interp(place, range(len(_TONES)), _TONES[:, channel]) for channel in range(3)]) / 255
    return colour * (1 + 0.03 * person.undertone * np.array([-0.4, 0.5, -1.0]))


def albedo(canvas: Canvas, mesh: np.ndarray, person: Identity, name: str) -> np.ndarray:
    """The skin's own colour, (S, S, 3) float32."""
    texture, marks = stream(name, "texture"), stream(name, "marks")
    colour = np.ones((canvas.side, canvas.side, 1), np.float32) * tone_colour(person).astype(np.float32)
    colour *= _blush(canvas, mesh, person)
    colour *= 1 + _grain(canvas, texture)[..., None] * np.array([0.8, 1.05, 1.15], np.float32)
    colour *= _shadows_of_hair(canvas, mesh, person, texture)
    colour *= _marks(canvas, person, marks)
    return _lip_colour(canvas, mesh, person, texture, colour)


def shaded(canvas: Canvas, mesh: np.ndarray, person: Identity, colour: np.ndarray, light: Light) -> np.ndarray:
    """The face (S, S, 3) in the light, with mouth line, nostrils and the lines of the lids."""
    tone = tone_colour(person)
    gloss = light.gloss * (0.05 + 0.05 * person.tone) * (1 + 0.9 * lips(canvas, mesh, 0.02))
    image = np.clip(colour * light.diffuse, 0, 1.1) + gloss[..., None]
    image = over(image, tone * 0.16, np.clip(1.15 * canvas.stroke(mouth_line(mesh), 0.012, 0.008), 0, 0.8))
    image = _nostrils(canvas, mesh, image, tone)
    for _, upper, lower in lid_edges(mesh):
        image = image * (1 - 0.30 * canvas.stroke(crease(upper), 0.012, 0.010, _fading))[..., None]
        image = over(image, tone * [0.80, 0.55, 0.52], 0.35 * canvas.stroke(lower, 0.012, 0.006))
    return np.clip(image, 0, 1).astype(np.float32)


def _fading(t: float) -> float:
    return float(np.sin(np.pi * (0.06 + 0.88 * t)))


def _blush(canvas: Canvas, mesh: np.ndarray, person: Identity) -> np.ndarray:
    """Where blood shows, and where skin is darker: a factor (S, S, 3)."""
    red = 0.7 * canvas.bump(mesh[NOSE_TIP], 0.14, 0.10) + 0.4 * canvas.bump(mesh[152] - [0, 0.15, 0], 0.25, 0.14)
    dark = np.zeros_like(red)
    for cheek, lid, below in ((50, 159, 145), (280, 386, 374)):
        red += canvas.bump(mesh[cheek] + [0, 0.08, 0], 0.24, 0.20)
        dark += 0.8 * canvas.bump(mesh[below] + [0, 0.10, 0], 0.22, 0.06) + 0.7 * canvas.bump(mesh[lid], 0.24, 0.07)
    tired = 0.06 + 0.06 * float(smoothstep(np.array(person.age), 30, 65))
    factor = 1 + person.redness * red[..., None] * np.array([0.025, -0.060, -0.050], np.float32)
    return factor * (1 - tired * dark[..., None] * np.array([0.9, 1.1, 0.9], np.float32))


def _grain(canvas: Canvas, rng: np.random.Generator) -> np.ndarray:
    """Uneven colour from pores up to blotches, (S, S), a few per cent."""
    parts = ((0.0085, 0.014), (0.018, 0.012), (0.045, 0.008), (0.20, 0.010))
    return np.sum([strength * canvas.noise(rng, wavelength) for wavelength, strength in parts], axis=0)


def _shadows_of_hair(canvas: Canvas, mesh: np.ndarray, person: Identity, rng: np.random.Generator) -> np.ndarray:
    """Stubble: a factor (S, S, 3). The noise is drawn in any case, so that later draws do not depend on it."""
    dots = np.clip(canvas.noise(rng, 0.0085), 0, 3) / 2
    if person.stubble == 0:
        return np.ones((1, 1, 3), np.float32)
    mouth, chin = mesh[13, 1], mesh[152, 1]
    jaw = smoothstep(canvas.y, mesh[NOSE_BASE, 1] + 0.10, mouth + 0.02)
    rim = smoothstep(np.hypot(canvas.x / 0.92, (canvas.y - (mouth - 0.32)) / 0.55), 0.60, 0.98)
    moustache = canvas.bump((0, (mesh[NOSE_BASE, 1] + mesh[0, 1]) / 2 + 0.02), 0.30, 0.055)
    chin_patch = canvas.bump((0, chin - 0.15), 0.30, 0.20)
    off_lips = 1 - lips(canvas, mesh, 0.02)
    beard = canvas.blur(np.clip(jaw * (rim + chin_patch) + moustache, 0, 1), 0.03) * off_lips
    strength = beard * person.stubble * (0.13 + 0.13 * dots)
    return 1 - strength[..., None] * np.array([1.0, 0.95, 0.82], np.float32)


def _marks(canvas: Canvas, person: Identity, rng: np.random.Generator) -> np.ndarray:
    """Freckles, moles and the spots of age: a factor (S, S, 3)."""
    factor = np.ones((canvas.side, canvas.side, 1), np.float32)
    for _ in range(person.moles):
        place = rng.uniform((-0.85, -0.6), (0.85, 1.45))
        radius, depth = rng.uniform(0.007, 0.015), rng.uniform(0.25, 0.6)
        away = np.hypot(canvas.x - place[0], canvas.y - place[1])
        factor *= 1 - depth * smoothstep(away, 1.5 * radius, 0.5 * radius)[..., None]
    colours = np.array([0.55, 1.0, 1.15], np.float32)
    if person.freckles:
        specks = smoothstep(canvas.noise(rng, 0.022), 1.3, 2.3) * canvas.bump((0, 0.35), 0.6, 0.24)
        factor = factor * (1 - 0.22 * person.freckles * specks[..., None] * colours)
    if person.age > 50:
        blots = smoothstep(canvas.noise(rng, 0.06), 1.6, 2.6)
        factor = factor * (1 - 0.06 * (person.age - 50) / 20 * blots[..., None] * colours)
    return factor


def _lip_colour(
    canvas: Canvas, mesh: np.ndarray, person: Identity, rng: np.random.Generator, colour: np.ndarray
) -> np.ndarray:
    tone = tone_colour(person)
    pale, red = tone * [0.94, 0.80, 0.79], tone * [0.90, 0.60, 0.62]
    lip = pale + (red - pale) * person.lip_colour
    lines = 1 + 0.05 * _upright_noise(canvas, rng)
    return over(colour, lip * lines[..., None], 0.88 * lips(canvas, mesh, 0.012)).astype(np.float32)


def _upright_noise(canvas: Canvas, rng: np.random.Generator) -> np.ndarray:
    """The fine upright lines of lips, unit spread."""
    values = rng.standard_normal(400)
    return np.interp(canvas.x, np.linspace(-1.9, 1.9, 400), values) * np.ones_like(canvas.y)


def _nostrils(canvas: Canvas, mesh: np.ndarray, image: np.ndarray, tone: np.ndarray) -> np.ndarray:
    base = mesh[NOSE_BASE, :2]
    for side, ala in pair(98):
        hole = 0.52 * base + 0.48 * mesh[ala, :2] + [0, -0.018]
        x, y = canvas.x - hole[0], canvas.y - hole[1]
        # The openings rise outwards and are rounder at the inner end.
        opening = np.exp(-0.5 * ((x / 0.050) ** 2 + (np.abs(y + 0.20 * side * x + 2.0 * x * x) / 0.019) ** 2) ** 1.5)
        image = over(image, tone * 0.18, 0.75 * opening)
        wing = [mesh[ala, :2] + [-side * 0.01, 0.0], mesh[64 if side < 0 else 294, :2] + [side * 0.008, 0.01]]
        wing.append(mesh[48 if side < 0 else 278, :2] + [side * 0.016, -0.01])
        line = canvas.stroke(spline(np.stack(wing)), 0.014, 0.014, lambda t: 0.8 * np.sin(np.pi * (0.15 + 0.8 * t)))
        image = image * (1 - 0.40 * line)[..., None]
    return image
