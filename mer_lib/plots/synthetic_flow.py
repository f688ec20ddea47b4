"""Figures of estimated movement beside the true one, which synthetic clips alone can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mer_lib.datasets.synthetic.mesh import MIRROR
from mer_lib.datasets.synthetic.plan import ClipPlan
from mer_lib.datasets.synthetic.renderer import ClipRenderer, MovableFace
from mer_lib.errors import ParameterError
from mer_lib.motion import METHODS, optical_flow
from mer_lib.plots.face_panels import colour_bar, show_frame, show_lengths, show_movement, with_bars
from mer_lib.plots.style import caption, styled
from mer_lib.plots.synthetic_clips import clip_caption, spaced

METHOD_TITLES: Mapping[str, str] = MappingProxyType({"farneback": "Farnebäck", "tvl1": "TV-L1", "dis": "DIS"})
OUTLINE_COLOUR = "#E69F00"
MOVING_SKIN = "moving skin"
NOTHING_MOVES = "guess: nothing moves"
MOVING = 0.1  # of the greatest true displacement: from there on skin counts as moving

#: Landmarks around the places where one asks how well movement is found, on the image's left half.
PLACES: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "forehead": (108, 69, 104, 103, 67, 109, 10, 151),
        "brows": (70, 63, 105, 66, 107, 55, 65, 52, 53, 46),
        "eyelids": (226, 247, 30, 29, 28, 56, 190, 243, 233, 232, 231, 230, 229, 228),
        "nose": (168, 122, 198, 49, 48, 64, 98, 2),
        "cheeks": (118, 101, 36, 205, 187, 123),
        "mouth": (57, 186, 92, 165, 164, 18, 83, 182, 106, 43),
        "chin": (18, 182, 194, 204, 211, 32, 171, 175),
    }
)


# -- one clip: truth and estimates ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class FlowCase:
    """The movement of a clip from onset to apex: as it is, and as methods find it. Flows are (H, W, 2) px.

    Attributes:
        plan: of the clip.
        truth: of head and expression together, which is what a method can see.
        expression: of the expression alone, which is what one wants to know.
        estimates: by name of the method.
        known: bool (H, W), skin of the face whose true movement is known.
        landmarks: (478, 2) px of the onset frame.
        onset_frame: uint8 (H, W, 3) RGB or (H, W).
    """

    plan: ClipPlan
    truth: np.ndarray
    expression: np.ndarray
    estimates: Mapping[str, np.ndarray]
    known: np.ndarray
    landmarks: np.ndarray
    onset_frame: np.ndarray

    @property
    def moving(self) -> np.ndarray:
        """Where the expression moves skin, bool (H, W): by a tenth or more of its greatest displacement."""
        length = np.linalg.norm(self.expression, axis=-1)
        return self.known & (length > 0) & (length >= MOVING * length[self.known].max(initial=0))

    @property
    def places(self) -> dict[str, np.ndarray]:
        """Moving skin and parts of the face in the onset frame, bool (H, W) each, as far as their movement is known."""
        parts = parts_of_face(self.landmarks, len(self.known))
        return {MOVING_SKIN: self.moving} | {name: mask & self.known for name, mask in parts.items()}


def flow_case(face: MovableFace, plan: ClipPlan, methods: Sequence[str] = METHODS, creases: float = 1.0) -> FlowCase:
    """Render onset and apex of a clip, and estimate the movement between them by each method.

    Args:
        face: who moves.
        plan: the clip.
        methods: of :func:`mer_lib.motion.optical_flow`.
        creases: factor on the depth of creases.
    """
    renderer, first, second = ClipRenderer(face, plan, creases), plan.onset, plan.apex
    before, after = renderer.frame(first), renderer.frame(second)
    return FlowCase(
        plan,
        renderer.flow(first, second),
        renderer.flow(first, second, head=False),
        {method: optical_flow(before, after, method) for method in methods},
        renderer.valid(first, second) & (face.portrait.face > 0.5),
        renderer.landmarks(first),
        before,
    )


def parts_of_face(landmarks: np.ndarray, size: int) -> dict[str, np.ndarray]:
    """Return where forehead, brows, eyelids, nose, cheeks, mouth and chin lie: bool (size, size) each.

    Args:
        landmarks: (478, 2) px.
        size: side of the frame, px.
    """
    found = {}
    for name, outline in PLACES.items():
        mask = np.zeros((size, size), np.uint8)
        for half in (list(outline), MIRROR[list(outline)]):
            corners = np.rint(landmarks[half]).astype(np.int32)
            cv2.fillConvexPoly(mask, cv2.convexHull(corners), (1,))
        found[name] = mask.astype(bool)
    return found


# -- errors -----------------------------------------------------------------------------------------------------------


def end_point_error(estimate: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return how far from its true place each point is put: (H, W) px.

    >>> end_point_error(np.array([[[3.0, 4.0]]]), np.zeros((1, 1, 2)))
    array([[5.]])

    Args:
        estimate: flow (H, W, 2) in px.
        truth: the same shape.

    Raises:
        ParameterError: the shapes differ.
    """
    if estimate.shape != truth.shape:
        raise ParameterError(f"flows: expected two of one shape, got {estimate.shape} and {truth.shape}")
    return np.linalg.norm(estimate - truth, axis=-1)


def error_table(case: FlowCase) -> pd.DataFrame:
    """Return the mean end-point error in px: one row a method, one column a part of the face, moving skin first.

    The first row is that of a method that sees no movement at all: whoever is not better has found nothing. The truth
    is that of head and expression together.
    """
    rows = {}
    for name, guess in _guesses(case).items():
        error = end_point_error(guess, case.truth)
        rows[name] = {place: mean_over(error, mask) for place, mask in case.places.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


def head_table(moves: FlowCase, still: FlowCase) -> pd.DataFrame:
    """Return the mean end-point error in px on moving skin, with the head's motion and without it.

    Args:
        moves: a clip whose head moves.
        still: the same clip with its head still, estimated by the same methods.
    """
    columns = {
        "head moves: against all movement": (moves, moves.truth),
        "head moves: against the expression": (moves, moves.expression),
        "head still: against the expression": (still, still.expression),
    }
    table = {}
    for name, (case, truth) in columns.items():
        flows = _guesses(case).items()
        table[name] = {method: mean_over(end_point_error(flow, truth), case.moving) for method, flow in flows}
    return pd.DataFrame(table)


def _guesses(case: FlowCase) -> dict[str, np.ndarray]:
    """No movement, and the estimates by their titles."""
    nothing = {NOTHING_MOVES: np.zeros_like(case.truth)}
    return nothing | {METHOD_TITLES[method]: flow for method, flow in case.estimates.items()}


def mean_over(values: np.ndarray, where: np.ndarray) -> float:
    """Return the mean of `values` (H, W) where a mask is True; nan where it never is."""
    return float(values[where].mean()) if where.any() else float("nan")


@styled
def truth_and_estimates(case: FlowCase, reach: float | None = None) -> Figure:
    """Draw the true movement from onset to apex beside each estimate, and below each estimate its error.

    Args:
        case: a clip with its estimates.
        reach: displacement in px with the brightest colour; that of the truth's strongest movement where None.
    """
    reach = float(np.linalg.norm(case.truth, axis=-1)[case.known].max()) if reach is None else reach
    columns = 1 + len(case.estimates)
    figure, axes = with_bars(2, columns, width=3.1 * columns + 1.2, height=7.6)
    drawn = show_movement(axes[0, 0], case.truth, reach, case.landmarks)
    axes[0, 0].set_title("truth")
    _moving_skin(axes[1, 0], case)
    for (above, below), (method, flow) in zip(axes[:, 1:-1].T, case.estimates.items(), strict=True):
        error = end_point_error(flow, case.truth)
        show_movement(above, flow, reach, case.landmarks)
        show_lengths(below, np.where(case.known, error, np.nan), reach, case.landmarks)
        above.set_title(METHOD_TITLES[method])
        below.set_xlabel(f"mean on moving skin: {mean_over(error, case.moving):.2f} px", fontsize=13)
    axes[0, 0].set_ylabel("movement", weight="bold")
    axes[1, 1].set_ylabel("error", weight="bold")
    colour_bar(axes[0, -1], drawn, "displacement (px)", extend="max")
    colour_bar(axes[1, -1], drawn, "error (px)", extend="max")
    figure.suptitle(f"{case.plan.emotion}, action units {spaced(case.plan.action_units)}: from onset to apex")
    return caption(
        figure, f"{clip_caption(case.plan)} · white in the lower row: truth unknown", kind="synthetic", watermark=False
    )


def _moving_skin(ax: Axes, case: FlowCase) -> None:
    """Show the onset frame, and around which skin the expression moves."""
    show_frame(ax, case.onset_frame)
    ax.contour(case.moving, levels=[0.5], colors=[OUTLINE_COLOUR], linewidths=2)
    ax.set_xlabel("outlined: moving skin", fontsize=13)
