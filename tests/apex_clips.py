"""A drawn face that moves as a test wants it: the apex is known, and so is the flow."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from mer_lib.datasets.synthetic.plan import ClipPlan, posed
from mer_lib.datasets.synthetic.portrait import draw_portrait
from mer_lib.datasets.synthetic.recording import Recording
from mer_lib.datasets.synthetic.renderer import ClipRenderer, MovableFace
from mer_lib.datasets.synthetic.timing import smoothstep

SIZE = 160
FPS = 100.0
LENGTH, APEX = 41, 11  # frames; the middle one, 20, is far from the apex
SMILE = {12: 0.04, (2, -1): 0.03}


class Drawn(NamedTuple):
    """Frames uint8 (T, H, W, 3), landmarks (478, 2) px of the first, plan and renderer."""

    frames: np.ndarray
    points: np.ndarray
    plan: ClipPlan
    renderer: ClipRenderer


@lru_cache(maxsize=1)
def movable_face() -> MovableFace:
    return MovableFace(draw_portrait("apex/anna", "female", SIZE))


def rise_and_fall(length: int = LENGTH, apex: int = APEX) -> np.ndarray:
    """A smooth pulse (T,) that is 0 at both ends."""
    return smoothstep(np.interp(np.arange(length), (0, apex, length - 1), (0, 1, 0)))


def drawn(*, length: int = LENGTH, apex: int = APEX, noise: bool = False, **nuisances: np.ndarray) -> Drawn:
    """A clip with the apex where it is wanted; `nuisances` replace curves of the plan, such as gain and head."""
    still = Recording(size=SIZE).without_nuisance()
    recording = dataclasses.replace(still, read_noise=0.005, shot_noise=0.008) if noise else still
    plan = posed(SMILE, recording, curve=rise_and_fall(length, apex), sample_id="apex/anna/EP01")
    plan = dataclasses.replace(plan, **nuisances)
    renderer = ClipRenderer(movable_face(), plan)
    frames = np.stack([renderer.frame(index) for index in range(length)])
    return Drawn(frames, renderer.landmarks(0), plan, renderer)


def drift(length: int = LENGTH) -> np.ndarray:
    """A head (T, 6) that wanders steadily: 1.5 px to the right, 1 px up, and turns by half a degree."""
    way = np.linspace(0, 1, length)[:, None]
    return way * np.array([0.03, -0.02, 0.5, 0, 0, 0])
