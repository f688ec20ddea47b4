"""Figures of drawn faces: who there is, what each action unit does to a face, and how emotions are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mer_lib.datasets.synthetic.action_units import ACTION_UNITS, LIMIT, NAMES, UNITS, Unit
from mer_lib.datasets.synthetic.creases import strength
from mer_lib.datasets.synthetic.emotions import LABEL3, Combination, combinations
from mer_lib.datasets.synthetic.plan import ClipPlan, posed
from mer_lib.datasets.synthetic.portrait import Portrait, neutral
from mer_lib.datasets.synthetic.recording import Recording
from mer_lib.datasets.synthetic.renderer import ClipRenderer, MovableFace
from mer_lib.datasets.synthetic.timing import Phases, pulse
from mer_lib.errors import ParameterError
from mer_lib.plots.face_panels import (
    bar_beside,
    colour_bar,
    four_panels,
    show_frame,
    show_movement,
    show_signed,
    with_bars,
)
from mer_lib.plots.style import CLASS_COLOURS, caption, iterate, panels, styled

#: Which halves of the face move, by what a menu calls them. Right and left are the subject's own.
SIDES: Mapping[str, tuple[int, ...]] = MappingProxyType({"both": (-1, 1), "right": (-1,), "left": (1,)})

#: An ordinary micro-expression of a third of a second, that starts after a tenth.
PULSE = Phases(rise=0.12, hold=0.02, fall=0.18)
PULSE_ONSET_S = 0.1
PULSE_WINDOW_S = 0.5
LOWEST_COURSE_PX = 0.25
CREASE_REACH = 15  # per cent of light
OTHER_COLOUR = "#555555"


# -- people -----------------------------------------------------------------------------------------------------------


@styled
def face_sheet(portraits: Sequence[Portrait], columns: int = 8) -> Figure:
    """Draw the neutral faces of some people, each with its name.

    Raises:
        ParameterError: nobody is given.
    """
    if not portraits:
        raise ParameterError("portraits: expected one or more, got none")
    columns = min(columns, len(portraits))
    rows = -(-len(portraits) // columns)
    figure, axes = panels(rows, columns, width=1.75 * columns, height=2.02 * rows + 0.3, layout="compressed")
    for ax in iterate(axes):
        ax.set_axis_off()
    for ax, portrait in zip(iterate(axes), portraits, strict=False):
        show_frame(ax, neutral(portrait))
        ax.set_title(portrait.name, fontsize=12, weight="normal")
    return caption(
        figure,
        f"{len(portraits)} drawn faces, {portraits[0].size}×{portraits[0].size} px",
        kind="synthetic",
        watermark=False,
    )


# -- one action unit --------------------------------------------------------------------------------------------------


@styled
def unit_sheet(face: MovableFace, intensity: float = 0.05, columns: int = 6) -> Figure:
    """Draw the neutral face, and the face at the apex of each action unit on both sides.

    Args:
        face: who moves.
        intensity: greatest displacement in IOD; more than a unit's limit counts as the limit.
        columns: faces in a row.
    """
    recording = Recording(size=face.size).without_nuisance()
    rows = -(-(1 + len(ACTION_UNITS)) // columns)
    figure, axes = panels(rows, columns, width=2.3 * columns, height=2.75 * rows + 0.3, layout="compressed")
    for ax in iterate(axes):
        ax.set_axis_off()
    show_frame(axes[0, 0], neutral(face.portrait))
    axes[0, 0].set_title("neutral", fontsize=13)
    for ax, number in zip(axes.ravel()[1:], ACTION_UNITS, strict=False):
        plan = posed({number: min(intensity, LIMIT[number])}, recording, curve=np.array([0.0, 1.0]))
        show_frame(ax, ClipRenderer(face, plan).frame(1))
        ax.set_title(f"AU {number}\n{NAMES[number].split(' (')[0]}", fontsize=13)
    remark = f"{face.portrait.name}, both sides, {intensity:g} IOD: many times larger than a micro-expression"
    return caption(figure, remark, kind="synthetic", watermark=False)


def pulse_share(milliseconds: float) -> float:
    """Return how far the ordinary micro-expression :data:`PULSE` has come, 0 to 1, at a time in ms."""
    return float(pulse(np.array(milliseconds / 1000), PULSE_ONSET_S, PULSE))


@styled
def unit_view(
    face: MovableFace, number: int, sides: str = "both", intensity: float = 0.03, milliseconds: float = 225
) -> Figure:
    """Draw a face while one action unit moves, beside it the displacement, the creases and the course in time.

    Args:
        face: who moves.
        number: of the action unit, one of ACTION_UNITS.
        sides: "both", or the subject's own "right" or "left".
        intensity: greatest displacement at the apex, in IOD; more than the unit's limit counts as the limit.
        milliseconds: the moment shown, 0 to 500; the movement starts at 100 and is strongest from 220 to 240.

    Raises:
        ParameterError: there is no such unit or side, or the intensity is negative.
    """
    _check_unit(number, sides, intensity)
    intensity = min(intensity, LIMIT[number])
    share = pulse_share(milliseconds)
    units = {Unit(number, side): intensity for side in SIDES[sides]}
    plan = posed(dict(units), Recording(size=face.size).without_nuisance(), curve=np.array([0.0, share]))
    renderer = ClipRenderer(face, plan)
    figure, (shown, moved, creased, course) = four_panels()
    show_frame(shown, renderer.frame(1))
    shown.set_title(f"at {milliseconds:.0f} ms")
    drawn = show_movement(moved, renderer.flow(0, 1), max(intensity * face.iod, 0.1), face.portrait.landmarks)
    moved.set_title("displacement")
    bar_beside(moved, drawn, "px")
    drawn = show_signed(creased, crease_percent(face, units, share), CREASE_REACH)
    creased.set_title("creases and bulges")
    bar_beside(creased, drawn, "change of light (%)")
    _draw_course(course, intensity * face.iod, milliseconds)
    figure.suptitle(f"AU {number}, {NAMES[number]}")
    remark = f"{face.portrait.name}, IOD {face.iod:.0f} px, intensity {intensity:.3f} IOD, {_side_words(sides)}"
    return caption(figure, remark, kind="synthetic", watermark=False)


def _check_unit(number: int, sides: str, intensity: float) -> None:
    if number not in ACTION_UNITS:
        raise ParameterError(f"number: expected one of {', '.join(map(str, ACTION_UNITS))}, got {number!r}")
    if sides not in SIDES:
        raise ParameterError(f"sides: expected one of {', '.join(SIDES)}, got {sides!r}")
    if not intensity >= 0:
        raise ParameterError(f"intensity: expected 0 IOD or more, got {intensity!r}")


def _side_words(sides: str) -> str:
    return "both sides" if sides == "both" else f"the subject's {sides} side"


def crease_percent(face: MovableFace, units: Mapping[Unit, float], share: float = 1.0) -> np.ndarray:
    """Return by how many per cent creases change the light at each point of the neutral face: (H, W).

    Args:
        face: who moves.
        units: intensity of each unit at the apex, in IOD.
        share: of that intensity, 0 to 1.
    """
    depths = strength(share * np.array(list(units.values())))
    maps = face.creases[[UNITS.index(unit) for unit in units]]
    return 100 * np.expm1(np.tensordot(depths, maps, axes=1))


def _draw_course(ax: Axes, peak: float, milliseconds: float) -> None:
    """Draw the pulse in px, and a dot at the moment shown."""
    time = np.linspace(0, 1000 * PULSE_WINDOW_S, 201)
    ax.plot(time, peak * pulse(time / 1000, PULSE_ONSET_S, PULSE), color="#0072B2")
    ax.plot(milliseconds, peak * pulse_share(milliseconds), "o", color="#D55E00", markersize=12)
    top = max(1.15 * peak, LOWEST_COURSE_PX)
    ax.set(xlabel="time (ms)", ylabel="displacement (px)", ylim=(-0.05 * top, top))
    ax.yaxis.set_major_locator(MaxNLocator(4))  # short numbers, for which there is room
    ax.set_title("time course")


# -- emotions ---------------------------------------------------------------------------------------------------------


@styled
def emotion_view(face: MovableFace, emotion: str, intensity: float = 0.04) -> Figure:
    """Draw a face at the apex of each combination that shows an emotion, and below how its points have moved.

    Args:
        face: who moves.
        emotion: one of EMOTIONS.
        intensity: displacement in IOD of a unit whose share is 1; no unit goes beyond its limit.

    Raises:
        ParameterError: there is no such emotion.
    """
    found = combinations(emotion)
    figure, axes = with_bars(2, len(found), width=2.5 * len(found) + 1.2, height=6.5)
    renderers = [ClipRenderer(face, combination_plan(one, emotion, intensity, face.size)) for one in found]
    flows = [renderer.flow(0, 1) for renderer in renderers]
    reach = max(float(np.linalg.norm(flow, axis=-1).max()) for flow in flows)
    for (above, below), combination, renderer, flow in zip(axes[:, :-1].T, found, renderers, flows, strict=True):
        show_frame(above, renderer.frame(1))
        drawn = show_movement(below, flow, reach, face.portrait.landmarks)
        above.set_title(f"{renderer.plan.action_units.replace('+', ' + ')}\n{100 * combination.weight:.0f} %")
    colour_bar(axes[1, -1], drawn, "displacement (px)")
    label3 = LABEL3[emotion]
    title = f"{emotion} (class {label3})" if label3 else f"{emotion} (in none of the three classes)"
    figure.suptitle(title, color=CLASS_COLOURS.get(str(label3), OTHER_COLOUR))
    remark = f"{face.portrait.name}, many times larger than a micro-expression: {intensity:g} IOD · R: right side alone"
    return caption(figure, remark, kind="synthetic", watermark=False)


def combination_plan(combination: Combination, emotion: str, intensity: float, size: int) -> ClipPlan:
    """Return a plan of two frames, neutral and apex, in which a combination moves (its subject's right side alone
    where it is unilateral).

    Args:
        combination: of an emotion.
        emotion: the plan's.
        intensity: displacement in IOD of a unit whose share is 1; no unit goes beyond its limit.
        size: side of the frame in px.
    """
    sides = SIDES["right" if combination.unilateral else "both"]
    units = {
        Unit(number, side): min(share * intensity, LIMIT[number])
        for number, share in combination.shares.items()
        for side in sides
    }
    recording = Recording(size=size).without_nuisance()
    return posed(dict(units), recording, curve=np.array([0.0, 1.0]), emotion=emotion, sample_id=emotion)
