"""The relief of a face and the light on it."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from scipy.interpolate import RBFInterpolator

from mer_lib.datasets.synthetic.drawing import Canvas, smoothstep, spline
from mer_lib.datasets.synthetic.identity import Identity
from mer_lib.datasets.synthetic.mesh import (
    LEFT_EYE_LOWER,
    LEFT_EYE_UPPER,
    LOWER_LIP_INNER,
    LOWER_LIP_OUTER,
    MIRROR,
    NASION,
    NOSE_BASE,
    NOSE_TIP,
    RIGHT_EYE_LOWER,
    RIGHT_EYE_UPPER,
    UPPER_LIP_INNER,
    UPPER_LIP_OUTER,
)

#: Depth beyond which a head is taken as flat: with more, turning it would fold the picture at its outline.
DEEPEST = 0.9
# Frame px from one computed depth to the next, at least.
_SPARSEST = 4


class Light(NamedTuple):
    """Light on the skin.

    Attributes:
        diffuse: (S, S, 3) float32, factor on the skin's own colour.
        gloss: (S, S) float32, 0..1, added light.
    """

    diffuse: np.ndarray
    gloss: np.ndarray


def pair(index: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """A landmark of the image's left half and its mirror image, each with its side: ((-1, index), (1, mirror))."""
    return (-1, index), (1, int(MIRROR[index]))


def mouth_line(mesh: np.ndarray) -> np.ndarray:
    """The line (N, 2) in IOD where the closed lips meet."""
    return spline((mesh[list(UPPER_LIP_INNER), :2] + mesh[list(LOWER_LIP_INNER), :2]) / 2)


def lips(canvas: Canvas, mesh: np.ndarray, blur: float = 0.01) -> np.ndarray:
    """The red of the lips, 0..1."""
    upper, lower = spline(mesh[list(UPPER_LIP_OUTER), :2]), spline(mesh[list(LOWER_LIP_OUTER), :2])
    return canvas.polygon(np.vstack([upper, lower[::-1]]), blur)


def lid_edges(mesh: np.ndarray) -> tuple[tuple[int, np.ndarray, np.ndarray], ...]:
    """For each side (-1, 1): the upper and the lower lid's edge (N, 2) in IOD, from the outer to the inner corner."""
    edges = ((-1, RIGHT_EYE_UPPER, RIGHT_EYE_LOWER), (1, LEFT_EYE_UPPER, LEFT_EYE_LOWER))
    return tuple((side, spline(mesh[list(up), :2]), spline(mesh[list(low), :2])) for side, up, low in edges)


def turning_depth(canvas: Canvas, mesh: np.ndarray) -> np.ndarray:
    """Depth for turning the head: (size, size) float32 in IOD, away from the camera, smooth, at most DEEPEST."""
    step = max(_SPARSEST, round(canvas.size / 40))
    axis = np.arange(-step, canvas.size + 2 * step, step)
    x, y = np.meshgrid((axis - canvas.centre[0]) / canvas.iod, (axis - canvas.centre[1]) / canvas.iod)
    skin = RBFInterpolator(mesh[:468, :2], mesh[:468, 2], kernel="linear", smoothing=0.02)
    depth = skin(np.stack([x.ravel(), y.ravel()], axis=-1)).reshape(x.shape)
    skull = -0.35 + 0.9 * np.hypot(x / 1.12, (y - 0.45) / 1.3) ** 3
    off_face = smoothstep(np.hypot(x / 1.05, (y - 0.44) / 1.25), 0.85, 1.1)
    depth = np.minimum(depth + (skull - depth) * off_face, DEEPEST).astype(np.float32)
    depth = cv2.GaussianBlur(depth, (0, 0), 0.08 * canvas.iod / step, borderType=cv2.BORDER_REPLICATE)
    pixels = (np.arange(canvas.size, dtype=np.float32) + step) / step
    columns, rows = np.meshgrid(pixels, pixels)
    fine = cv2.remap(depth, columns, rows, cv2.INTER_LINEAR)
    return np.minimum(cv2.GaussianBlur(fine, (0, 0), step / 2, borderType=cv2.BORDER_REPLICATE), DEEPEST)


def relief(canvas: Canvas, mesh: np.ndarray, person: Identity, rng: np.random.Generator) -> np.ndarray:
    """Height of the skin towards the camera, (S, S) float32 in IOD: head, features, wrinkles and pores."""
    height = _head(canvas) + _eyes_and_brows(canvas, mesh, person) + _nose(canvas, mesh)
    height += _mouth_and_chin(canvas, mesh) + _folds(canvas, mesh, person)
    strength = 0.7 + 0.6 * person.age / 70
    height += strength * (0.0005 * canvas.noise(rng, 0.011) + 0.0004 * canvas.noise(rng, 0.026))
    return height.astype(np.float32)


def light(canvas: Canvas, height: np.ndarray, person: Identity) -> Light:
    """Light from one window and from everywhere on a relief (S, S)."""
    right = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3) / 8 * canvas.unit
    down = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3) / 8 * canvas.unit
    facing = 1 / np.sqrt(1 + right * right + down * down)
    towards = np.array([*person.light, 1.0])
    towards /= np.linalg.norm(towards)
    direct = np.clip((towards[2] - right * towards[0] - down * towards[1]) * facing, 0, None)
    # Light wanders under the skin, red the farthest.
    soft = np.stack([canvas.blur(direct, sigma) for sigma in (0.035, 0.018, 0.010)], axis=-1)
    hollow = canvas.blur(height, 0.10) - height
    shade = np.clip(1 - 2.6 * np.clip(hollow, 0, 0.10), 0.6, 1)
    diffuse = (person.ambient + (1.10 - person.ambient) * soft) * shade[..., None]
    halfway = towards + np.array([0, 0, 1.0])
    halfway /= np.linalg.norm(halfway)
    mirror = np.clip((halfway[2] - right * halfway[0] - down * halfway[1]) * facing, 0, 1)
    return Light(diffuse.astype(np.float32), (mirror**24).astype(np.float32))


def _head(canvas: Canvas) -> np.ndarray:
    radius = np.sqrt((canvas.x / 1.18) ** 2 + ((canvas.y - 0.30) / 1.75) ** 2)
    return -0.62 * radius**3.2 + 0.05 * canvas.bump((0, -0.62), 0.55, 0.30)


def _eyes_and_brows(canvas: Canvas, mesh: np.ndarray, person: Identity) -> np.ndarray:
    height = np.zeros((canvas.side, canvas.side), np.float32)
    # Broad ridges belong to heavy low brows, which are commoner in men.
    ridge = 0.035 - 0.5 * person.brow_height
    for outer, inner, brow, inner_brow, cheek in ((33, 133, 105, 107, 50), (263, 362, 334, 336, 280)):
        eye = (mesh[outer] + mesh[inner]) / 2
        side = np.sign(eye[0])
        height -= 0.085 * canvas.bump(eye, 0.27, 0.15)
        height -= 0.075 * canvas.bump(mesh[inner] + [-side * 0.06, -0.06, 0], 0.09, 0.12)
        height += 0.065 * canvas.bump(eye + [0, -0.01, 0], 0.17, 0.10)
        height += ridge * canvas.bump(mesh[brow] + [0, 0.05, 0], 0.26, 0.07)
        height += 0.6 * ridge * canvas.bump(mesh[inner_brow], 0.14, 0.09)
        height += 0.075 * canvas.bump(mesh[cheek] + [0, -0.03, 0], 0.26, 0.20)
    return height


def _nose(canvas: Canvas, mesh: np.ndarray) -> np.ndarray:
    root, tip, base = mesh[NASION, 1], mesh[NOSE_TIP, 1], mesh[NOSE_BASE, 1]
    middle, ala = (mesh[98, 0] + mesh[327, 0]) / 2, (mesh[327, 0] - mesh[98, 0]) / 2
    bridge = np.abs(mesh[[196, 419], 0] - middle).mean()
    # The ridge rises from the root to the tip; below the tip it is gone at the base.
    rise = smoothstep(canvas.y, root - 0.20, root + 0.15) * (0.045 + 0.085 * smoothstep(canvas.y, root, tip))
    fall = smoothstep(canvas.y, base + 0.04, tip - 0.02)
    sigma = bridge * (0.70 + 0.10 * smoothstep(canvas.y, root + 0.1, tip))
    height = rise * fall * np.exp(-0.5 * ((canvas.x - middle) / sigma) ** 2)
    # Its flanks spread into the cheeks.
    height += (
        0.09 * smoothstep(canvas.y, root - 0.1, tip) * fall * np.exp(-0.5 * ((canvas.x - middle) / (0.66 * ala)) ** 2)
    )
    height += 0.085 * canvas.bump((middle, tip + 0.02), 0.34 * ala, 0.085)
    height += 0.045 * canvas.bump((middle, base - 0.035), 0.17 * ala, 0.045)
    for side in (-1, 1):
        height += 0.090 * canvas.bump((middle + side * 0.76 * ala, base - 0.085), 0.21 * ala, 0.066)
        height -= 0.020 * canvas.bump((middle + side * 1.20 * ala, base - 0.08), 0.040, 0.070)
    return height


def _mouth_and_chin(canvas: Canvas, mesh: np.ndarray) -> np.ndarray:
    middle, line = (mesh[61, :2] + mesh[291, :2]) / 2, mesh[[13, 14], 1].mean()
    half = (mesh[291, 0] - mesh[61, 0]) / 2
    upper, lower = line - mesh[0, 1], mesh[17, 1] - line
    chin = mesh[152, 1] - 0.19
    height = 0.10 * canvas.bump((middle[0], line), 0.40, 0.30)
    height -= 0.016 * canvas.bump((middle[0], line - upper - 0.07), 0.035, 0.065)
    for side in (-1, 1):
        height += 0.010 * canvas.bump((middle[0] + side * 0.07, line - upper - 0.06), 0.035, 0.07)
        height += 0.022 * canvas.bump((middle[0] + side * 0.30 * half, line - 0.45 * upper), 0.28 * half, 0.32 * upper)
        height -= 0.022 * canvas.bump((middle[0] + side * (half + 0.03), middle[1]), 0.045, 0.05)
    height += 0.016 * canvas.bump((middle[0], line - 0.5 * upper), 0.12 * half, 0.35 * upper)
    height += 0.055 * canvas.bump((middle[0], line + 0.50 * lower), 0.46 * half, 0.36 * lower)
    height -= 0.045 * canvas.bump((middle[0], line + lower + 0.09), 0.20, 0.055)
    height += 0.085 * canvas.bump((mesh[152, 0], chin), 0.22, 0.15)
    groove = canvas.stroke(mouth_line(mesh), 0.014, 0.012)
    return height - 0.022 * groove


def _folds(canvas: Canvas, mesh: np.ndarray, person: Identity) -> np.ndarray:
    """Nasolabial folds, lid creases, and the wrinkles of age."""
    old = float(smoothstep(np.array(person.age), 28, 68))
    groove = np.zeros((canvas.side, canvas.side), np.float32)
    for side, ala in pair(129):
        fold = _nasolabial(mesh, side, ala)
        groove += (0.009 + 0.034 * old) * canvas.stroke(fold, 0.03, 0.022, lambda t: np.sin(np.pi * (0.12 + 0.8 * t)))
    for _, upper, lower in lid_edges(mesh):
        bag = lower + [0, 0.115] - 0.03 * np.cos(np.linspace(-1.5, 1.5, len(lower)))[:, None] * [0, 1]
        groove += (0.004 + 0.024 * old) * canvas.stroke(bag, 0.02, 0.018, lambda t: np.sin(np.pi * (0.1 + 0.85 * t)))
        groove += 0.010 * canvas.stroke(crease(upper), 0.012, 0.010)
    if old > 0.05:
        for line in _age_lines(mesh):
            groove += 0.016 * old * canvas.stroke(line, 0.012, 0.011, lambda t: np.sin(np.pi * (0.1 + 0.8 * t)))
    return -groove


def crease(upper: np.ndarray) -> np.ndarray:
    """The crease above an upper lid's edge (N, 2)."""
    lifted = upper.copy()
    lifted[:, 1] -= 0.062 * np.sin(np.pi * np.linspace(0.06, 0.94, len(upper))) ** 0.6
    return lifted


def _nasolabial(mesh: np.ndarray, side: int, ala: int) -> np.ndarray:
    middle, low = (203, 216) if side < 0 else (423, 436)
    beside = np.array([side, 0.0])
    start = mesh[ala, :2] + 0.02 * beside + [0, -0.03]
    return spline(
        np.stack([start, mesh[middle, :2] + 0.02 * beside, mesh[low, :2] + 0.02 * beside + [0, 0.03]]), steps=14
    )


def _age_lines(mesh: np.ndarray) -> list[np.ndarray]:
    """Lines of the forehead, between the brows, beside the eyes and below the mouth's corners."""
    lines = []
    brow_height = mesh[[66, 296], 1].mean()
    for level, reach in ((-0.15, 0.55), (-0.25, 0.62), (-0.36, 0.55)):
        x = np.linspace(-reach, reach, 17)
        lines.append(np.stack([x, brow_height + level - 0.03 * np.cos(4.5 * x)], axis=-1))
    for side, corner in pair(33):
        for angle in (-0.5, 0.0, 0.45):
            t = np.linspace(0.06, 0.24, 7)
            curl = [side * t, t * np.sin(angle) + 0.35 * t * t]
            lines.append(mesh[corner, :2] + np.stack(curl, axis=-1))
    for side, corner in pair(61):
        lines.append(mesh[corner, :2] + np.outer(np.linspace(0, 1, 9), [side * 0.06, 0.22]) + [side * 0.03, 0.03])
    for side, brow in pair(55):
        lines.append(mesh[brow, :2] + np.outer(np.linspace(-0.1, 0.12, 7), [0.0, 1.0]) - [side * 0.10, 0])
    return lines
