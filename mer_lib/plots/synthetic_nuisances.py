"""What makes a movement hard to find: nuisances of a clip, taken away one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from mer_lib.datasets.synthetic.action_units import Unit
from mer_lib.datasets.synthetic.plan import ClipPlan
from mer_lib.datasets.synthetic.renderer import ClipRenderer, MovableFace
from mer_lib.errors import ParameterError
from mer_lib.motion import METHODS
from mer_lib.plots.face_panels import colour_bar, grey, show_signed, with_bars
from mer_lib.plots.style import caption, styled
from mer_lib.plots.synthetic_clips import clip_caption
from mer_lib.plots.synthetic_faces import crease_percent
from mer_lib.plots.synthetic_flow import (
    METHOD_TITLES,
    MOVING_SKIN,
    NOTHING_MOVES,
    end_point_error,
    flow_case,
    mean_over,
)

METHOD_MARKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"farneback": ("o", "#0072B2"), "tvl1": ("^", "#009E73"), "dis": ("s", "#D55E00")}
)


def head_still(plan: ClipPlan) -> ClipPlan:
    """Return the clip with head, gaze and lids kept as they are in the onset frame."""

    def held(curve: np.ndarray) -> np.ndarray:
        return np.repeat(curve[plan.onset][None], len(plan), axis=0)

    return replace(plan, head=held(plan.head), gaze=held(plan.gaze), blink=held(plan.blink))


def light_steady(plan: ClipPlan) -> ClipPlan:
    """Return the clip in light that neither flickers nor drifts."""
    return replace(plan, gain=np.ones(len(plan)))


def without_noise(plan: ClipPlan) -> ClipPlan:
    """Return the clip as a camera without noise records it."""
    return replace(plan, recording=replace(plan.recording, read_noise=0.0, shot_noise=0.0))


def lossless(plan: ClipPlan) -> ClipPlan:
    """Return the clip with its frames stored without loss."""
    return replace(plan, recording=replace(plan.recording, jpeg_quality=None))


class Step(NamedTuple):
    """A clip with some of its nuisances taken away, named after the last of them."""

    name: str
    plan: ClipPlan
    #: Factor on the depth of creases.
    creases: float


def ladder(plan: ClipPlan) -> tuple[Step, ...]:
    """Return a clip as recorded, and again with one nuisance less at each step."""
    steps = [Step("as recorded", plan, 1.0)]
    for name, without in (
        ("head still", head_still),
        ("light steady", light_steady),
        ("no noise", without_noise),
        ("no JPEG", lossless),
    ):
        steps.append(Step(name, without(steps[-1].plan), 1.0))
    return (*steps, Step("no creases", steps[-1].plan, 0.0))


def nuisance_sizes(face: MovableFace, plans: Sequence[ClipPlan]) -> dict[str, str]:
    """Return how large each nuisance of :func:`ladder` was, in its own unit, in clips of one recording."""
    r = plans[0].recording
    noise = 100 * np.array([r.read_noise, np.hypot(r.read_noise, r.shot_noise)])
    flicker = f"±{100 * r.flicker:g} %\nat {2 * r.mains_hz:g} Hz"
    creases = max(np.abs(crease_percent(face, _at_apex(plan))).max() for plan in plans)
    return {
        "as recorded": "",
        "head still": f"before: {face.iod * r.drift_iod:.2f} px\nand {r.yaw_deg:g}° (rms)",
        "light steady": f"before: {flicker}\nand ±{100 * r.light_drift:g} % slowly",
        "no noise": f"before: {noise[0]:.1f} to {noise[1]:.1f} %\nof full scale",
        "no JPEG": "before: none" if r.jpeg_quality is None else f"before: quality {r.jpeg_quality}\nof 100",
        "no creases": f"before: up to {creases:.0f} %\nof the light",
    }


def _at_apex(plan: ClipPlan) -> dict[Unit, float]:
    return dict(zip(plan.units, plan.intensity[plan.apex], strict=True))


def ladder_errors(face: MovableFace, plans: Sequence[ClipPlan], methods: Sequence[str]) -> pd.DataFrame:
    """Return the error of the estimated flow against the true expression at each step of :func:`ladder`.

    Returns:
        Columns clip, step, method (NOTHING_MOVES among them), place (MOVING_SKIN, or a part of the face) and error: the
        mean end-point error there, px.
    """
    rows = []
    for plan in plans:
        for step in ladder(plan):
            case = flow_case(face, step.plan, methods, step.creases)
            for method, flow in {NOTHING_MOVES: np.zeros_like(case.expression), **case.estimates}.items():
                error = end_point_error(flow, case.expression)
                for place, mask in case.places.items():
                    rows.append((plan.sample_id, step.name, method, place, mean_over(error, mask)))
    return pd.DataFrame(rows, columns=["clip", "step", "method", "place", "error"])


@styled
def nuisance_ladder(
    face: MovableFace,
    plans: Sequence[ClipPlan],
    methods: Sequence[str] = METHODS,
    reach: float = 25,
    errors: pd.DataFrame | None = None,
) -> Figure:
    """Draw what is left of a frame difference, and of the error of the flow, when nuisances go one after the other.

    Above, the apex frame minus the onset frame of the first clip; below, the end-point errors of all clips against the
    true expression: thin lines are clips, thick ones their mean.

    Args:
        face: who moves in all clips.
        plans: the clips.
        methods: of the optical flow.
        reach: grey values of difference that get the full colour.
        errors: what :func:`ladder_errors` returns for these clips, where it is known already; `methods` are then its.

    Raises:
        ParameterError: no clip is given.
    """
    if not plans:
        raise ParameterError("plans: expected one clip or more, got none")
    steps = ladder(plans[0])
    figure, axes = with_bars(2, len(steps), width=14, height=8.2, height_ratios=(1, 1.9))
    for ax, step in zip(axes[0, :-1], steps, strict=True):
        drawn = show_signed(ax, frame_difference(face, step), reach)
        ax.set_title(step.name)
    colour_bar(axes[0, -1], drawn, "apex − onset\n(grey values)")
    errors = ladder_errors(face, plans, methods) if errors is None else errors
    draw_errors(_one_wide_axes(axes[1]), errors[errors["place"] == MOVING_SKIN], nuisance_sizes(face, plans))
    figure.suptitle("Nuisances taken away one after the other")
    remark = f"{len(plans)} clips of one person, first clip above: {clip_caption(plans[0])}"
    return caption(figure, remark, kind="synthetic")


def frame_difference(face: MovableFace, step: Step) -> np.ndarray:
    """Return the apex frame minus the onset frame in grey values, (H, W)."""
    renderer = ClipRenderer(face, step.plan, step.creases)
    return grey(renderer.frame(step.plan.apex)) - grey(renderer.frame(step.plan.onset))


def _one_wide_axes(row: np.ndarray) -> Axes:
    """Return one axes in place of a row of them."""
    figure, grid = row[0].figure, row[0].get_gridspec()
    for ax in row:
        ax.remove()
    return figure.add_subplot(grid[1, :])


def draw_errors(ax: Axes, errors: pd.DataFrame, sizes: Mapping[str, str]) -> None:
    """Draw one line a method over the steps: thin for each clip, thick for their mean.

    The scale is logarithmic: errors differ by a hundred times between the methods and the steps.

    Args:
        ax: where to draw.
        errors: of one place, see :func:`ladder_errors`.
        sizes: what to write under each step.
    """
    steps = list(errors["step"].unique())
    for method, rows in errors.groupby("method", sort=False):
        table = rows.pivot(index="step", columns="clip", values="error").loc[steps]
        mark, colour = METHOD_MARKS.get(str(method), ("x", "#555555"))
        ax.plot(range(len(steps)), table.to_numpy(), color=colour, alpha=0.3, linewidth=1)
        (mean,) = ax.plot(range(len(steps)), table.mean(axis=1), marker=mark, color=colour, linewidth=3, markersize=9)
        mean.set(label=METHOD_TITLES.get(str(method), method), linestyle=":" if method == NOTHING_MOVES else "-")
    ax.set_xticks(range(len(steps)), [f"{step}\n{sizes.get(step, '')}" for step in steps])
    ax.set(yscale="log", ylabel="mean end-point error (px)")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_title("error against the true expression, moving skin (log scale)", loc="left")
    ax.grid(axis="y")
    ax.legend(loc="upper right", fontsize=14)
