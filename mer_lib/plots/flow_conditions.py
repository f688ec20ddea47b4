"""Conditions under which a flow is estimated in a synthetic clip, each judged by the truth."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.synthetic.mesh import NASION
from mer_lib.datasets.synthetic.plan import ClipPlan
from mer_lib.datasets.synthetic.renderer import ClipRenderer
from mer_lib.errors import DataError
from mer_lib.faces.alignment import Alignment, similarity
from mer_lib.faces.landmarks import detector
from mer_lib.features.clip_view import SIDE, ClipView
from mer_lib.features.recipes import Head
from mer_lib.motion import METHODS, optical_flow
from mer_lib.plots.flow_fields import method_name
from mer_lib.plots.flow_judged import Judged, judged, moving_skin
from mer_lib.plots.synthetic_nuisances import light_steady

SMALL = 28  # px, side of the maps that networks are fed
_REMEMBERED = 4  # answers that take seconds and are asked for again


def by_method(
    view: ClipView, first: int, second: int, methods: Sequence[str] = METHODS, head: Head = "kept"
) -> list[Judged]:
    """Judge methods of optical flow: by all movement where the head is kept, else by the expression."""
    return [
        judged(view, first, second, view.flow(first, second, method, head=head), method_name(method), head)
        for method in methods
    ]


def by_resolution(
    view: ClipView, first: int, second: int, method: str = "farneback", sides: Sequence[int] = (28, 56, 112, 224)
) -> list[Judged]:
    """Judge flows that were estimated in faces of several sizes, on one grid of 28x28 and in px of the largest face.

    Each flow is averaged over the cells of the grid, and so is the truth, which is that of all movement.
    """
    found = []
    for side in sides:
        flow = _averaged(view.flow(first, second, method, side)) * (SIDE / side)
        found.append(_small(view, first, second, flow, f"estimated at {side} px"))
    return found


def _small(view: ClipView, first: int, second: int, flow: np.ndarray, name: str) -> Judged:
    known = _averaged(view.known(first, second).astype(np.float32)) > 0.99
    truth = _averaged(view.true_flow(first, second))
    moving = moving_skin(_averaged(view.true_flow(first, second, head="removed")), known)
    return Judged(name, view.aligned(first, SMALL), flow, truth, known, moving)


def _averaged(values: np.ndarray) -> np.ndarray:
    """Return means over the cells of a 28x28 grid, (28, 28[, C])."""
    return cv2.resize(values, (SMALL, SMALL), interpolation=cv2.INTER_AREA)


@lru_cache(maxsize=_REMEMBERED)
def by_alignment(view: ClipView, second: int, method: str = "farneback") -> list[Judged]:
    """Judge, by the expression alone, a flow from the onset under four ways to take out where the head is.

    The alignment of the onset for both frames; each frame by its own mesh; each frame by its own five points; the
    alignment of the onset, with the head's motion fitted to the flow and taken out.

    Raises:
        DataError: a detector finds no face.
    """
    first = view.moments.onset
    flows = {"onset's for both": view.flow(first, second, method)}
    for name, title in (("mediapipe", "each by its mesh"), ("mtcnn", "each by five points")):
        flows[title] = optical_flow(view.aligned(first), _own_alignment(view, second, name), method)
    flows["onset's, head removed"] = view.flow(first, second, method, head="removed")
    return [judged(view, first, second, flow, title) for title, flow in flows.items()]


def _own_alignment(view: ClipView, index: int, name: str) -> np.ndarray:
    """Return the crop of a frame, moved by as much as a detector's points have moved since the onset.

    The onset frame itself stays where the mesh puts it, so that all flows stand on one grid.
    """
    found = detector(name)
    then, now = (
        similarity(found.detect(view.frame(at)).face.points, SIDE).matrix for at in (view.moments.onset, index)
    )
    # From the frame to where the points say that it was at the onset, then into the crop of the onset.
    back = _full(view.alignment().matrix) @ np.linalg.inv(_full(then)) @ _full(now)
    return Alignment(back[:2], SIDE).warp(view.frame(index))


def _full(matrix: np.ndarray) -> np.ndarray:
    return np.vstack([matrix, (0, 0, 1)])


@lru_cache(maxsize=_REMEMBERED)
def by_light(view: ClipView, second: int, method: str = "tvl1") -> list[Judged]:
    """Judge a flow from the onset by all movement: as recorded, with brightness evened out, and in steady light.

    The clip in steady light is drawn anew; nothing else differs.

    Raises:
        DataError: the clip was recorded, or is a long video.
    """
    first, plan = view.moments.onset, view.renderer.plan
    if not isinstance(plan, ClipPlan):
        raise DataError(f"{view.sample_id}: expected a clip, got a long video")
    steady = ClipRenderer(view.renderer.face, light_steady(plan))
    drawn = [view.alignment().warp(steady.frame(index)) for index in (first, second)]
    flows = {
        "as recorded": view.flow(first, second, method),
        "brightness evened out": optical_flow(*_evened(view.aligned(first), view.aligned(second)), method),
        "steady light": optical_flow(drawn[0], drawn[1], method),
    }
    return [judged(view, first, second, flow, name, head="kept") for name, flow in flows.items()]


def _evened(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two uint8 images with one mean brightness, that of the darker, floating in 0..1."""
    means = max(float(first.mean()), 1e-6), max(float(second.mean()), 1e-6)
    darker = min(means)
    return first * (darker / means[0] / 255), second * (darker / means[1] / 255)


def head_travel(clips: ClipDataset, sample_id: str) -> float:
    """Return how far the bridge of the nose goes from onset to apex of a synthetic clip, in px of its frames.

    No expression moves it much, so this says how far the head goes.

    Raises:
        DataError: the clip was recorded.
    """
    landmarks, moments = clips.truth(sample_id).landmarks, clips.moments(sample_id)
    return float(np.linalg.norm(landmarks[moments.apex, NASION] - landmarks[moments.onset, NASION]))
