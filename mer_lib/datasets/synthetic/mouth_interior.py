"""What is seen between parted lips: a dark cavity and the edge of the upper teeth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mer_lib.datasets.synthetic.drawing import smoothstep

if TYPE_CHECKING:
    from mer_lib.datasets.synthetic.face_lines import Line
    from mer_lib.datasets.synthetic.portrait import Portrait

_CAVITY = np.array([0.17, 0.06, 0.055], np.float32)
_TOOTH = np.array([0.80, 0.76, 0.69], np.float32)
# Lengths in IOD: how far the upper teeth reach below the line of the closed lips, and the places of the gaps
# between them from the middle outwards (incisors, canine, premolars).
_TEETH_BELOW_LINE = 0.028
_GAPS = (0.0, 0.135, 0.235, 0.34)
_ARCH = 0.37
#: Openings of the mouth, in IOD, between which the teeth come out of the lips' shadow.
TEETH_APPEAR = (0.02, 0.06)


def light_of(portrait: Portrait) -> float:
    """How much light falls on the mouth, 0..1, judged by the skin of the face."""
    skin = portrait.skin[portrait.skin.shape[0] // 2 :: 4, ::4].mean(axis=-1)
    return float(np.clip(0.55 + 0.6 * np.quantile(skin, 0.8), 0.6, 1.0))


def interior(x: np.ndarray, y: np.ndarray, opening: np.ndarray, mouth: Line, iod: float, light: float) -> np.ndarray:
    """Colour of the inside of the mouth at points of the resting head.

    Args:
        x, y: (H, W) px of the neutral face.
        opening: (H, W) how far the lips are apart there, in px.
        mouth: the line of the closed lips.
        iod: inter-ocular distance in px.
        light: 0..1.

    Returns:
        float32 (H, W, 3) RGB 0..1.
    """
    across = np.abs(x - mouth.middle) / iod
    level = float(mouth(np.array(mouth.middle)))
    below = (y - level) / iod
    biting_edge = _TEETH_BELOW_LINE * (1 - 0.5 * (across / _ARCH) ** 2)
    softness = 0.9 / iod
    tooth = smoothstep((biting_edge - below) / softness + 0.5) * smoothstep((_ARCH - across) / 0.08)
    tooth = tooth * smoothstep((opening / iod - TEETH_APPEAR[0]) / (TEETH_APPEAR[1] - TEETH_APPEAR[0]))
    between = np.min([np.abs(across - gap) for gap in _GAPS], axis=0)
    shade = (1 - 0.16 * np.exp(-((between / 0.010) ** 2))) * (1 - 0.6 * (across / _ARCH) ** 2)
    teeth = _TOOTH * (light * np.clip(shade, 0.2, 1))[..., None]
    cavity = _CAVITY * np.float32(light)
    return (cavity + (teeth - cavity) * tooth[..., None]).astype(np.float32)
