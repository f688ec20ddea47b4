"""Figures of synthetic clips and long videos: what moves when, and what a camera sees of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from pandas.io.formats.style import Styler

from mer_lib.datasets import ClipDataset
from mer_lib.datasets.synthetic.action_units import LIMIT
from mer_lib.datasets.synthetic.long_videos import KINDS, Interval, VideoPlan
from mer_lib.datasets.synthetic.plan import ClipPlan, find_marks
from mer_lib.datasets.synthetic.renderer import ClipRenderer, MovableFace
from mer_lib.errors import ParameterError
from mer_lib.plots.face_panels import (
    bar_beside,
    colour_bar,
    four_panels,
    grey,
    show_frame,
    show_movement,
    show_signed,
    with_bars,
)
from mer_lib.plots.style import caption, panels, styled, under_caption

#: Okabe and Ito's colours that stand out on white, for the units of a clip in the order in which they come.
UNIT_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DIFFERENCE_LABEL = "darker ← 0 → brighter\n(grey values of 255)"
SIDE_LINES: Mapping[int, Literal["-", "--"]] = MappingProxyType({-1: "-", 1: "--"})
SIDE_LABELS: Mapping[int, str] = MappingProxyType({-1: "subject's right", 1: "subject's left"})
MARK_COLOURS: Mapping[str, str] = MappingProxyType({"onset": "#555555", "apex": "#000000", "offset": "#555555"})
EVENT_COLOURS: Mapping[str, str] = MappingProxyType(
    {"micro": "#D55E00", "macro": "#0072B2", "blink": "#009E73", "gaze": "#CC79A7", "pose": "#777777"}
)


def amplified(plan: ClipPlan, factor: float) -> ClipPlan:
    """Return the same clip with every unit's movement `factor` times as strong, or as strong as its limit allows.

    Raises:
        ParameterError: the factor is negative.
    """
    if factor < 0:
        raise ParameterError(f"factor: expected 0 or more, got {factor}")
    factors = [
        min(factor, LIMIT[unit.number] / curve.max()) if curve.max() > 0 else factor
        for unit, curve in zip(plan.units, plan.intensity.T, strict=True)
    ]
    # A product may end a rounding above the limit that the factor was made from.
    limits = [LIMIT[unit.number] for unit in plan.units]
    intensity = np.minimum(plan.intensity * factors, limits)
    return replace(plan, intensity=intensity, **find_marks(intensity.sum(axis=1))._asdict())


def milliseconds(plan: ClipPlan | VideoPlan) -> np.ndarray:
    """Return the time of each frame after the first, (T,) ms."""
    return 1000 * np.arange(len(plan)) / plan.recording.fps


def clip_caption(plan: ClipPlan | VideoPlan) -> str:
    """Return what a figure of this clip comes from: its id, its size and its speed."""
    recording = plan.recording
    return f"{plan.sample_id} · {recording.size}×{recording.size} px, {recording.fps:g} frames a second"


def captioned(table: pd.DataFrame, plan: ClipPlan | VideoPlan, remark: str = "mean end-point error in px") -> Styler:
    """Return a table to look at: two decimals, and above it that it is synthetic, which clip it is of, and a remark."""
    bare = table.rename_axis(index=None, columns=None)
    return under_caption(bare.style.format(precision=2), f"{clip_caption(plan)} · {remark}", "synthetic")


def spaced(action_units: str) -> str:
    """Return a sum of action units with room to read it.

    >>> spaced("1+R14")
    '1 + R14'
    """
    return action_units.replace("+", " + ")


# -- time courses -----------------------------------------------------------------------------------------------------


@styled
def time_courses(plan: ClipPlan, iod: float) -> Figure:
    """Draw how far each unit moves the skin over time, with onset, apex and offset, and below how the head moves.

    Args:
        plan: of a clip.
        iod: inter-ocular distance of the face in px, such as ``face.portrait.iod``.
    """
    figure, axes = panels(2, 1, width=12, height=6.6, sharex=True, height_ratios=(2, 1))
    expression, head = axes[:, 0]
    draw_units(expression, plan, iod)
    draw_head(head, plan, iod)
    draw_marks(expression, plan, named=True)
    draw_marks(head, plan)
    head.set_xlabel("time (ms)")
    figure.suptitle(f"{plan.emotion}: action units {spaced(plan.action_units)}")
    return caption(figure, clip_caption(plan), kind="synthetic")


def draw_units(ax: Axes, plan: ClipPlan, iod: float) -> None:
    """Draw one line a unit: its displacement in px, whole for the subject's right half and dashed for the left."""
    numbers = sorted({unit.number for unit in plan.units})
    colours = {number: UNIT_COLOURS[i % len(UNIT_COLOURS)] for i, number in enumerate(numbers)}
    time = milliseconds(plan)
    for unit, curve in zip(plan.units, plan.intensity.T, strict=True):
        ax.plot(time, iod * curve, SIDE_LINES[unit.side], color=colours[unit.number], label=f"{unit.number}")
    handles = [Line2D([], [], color=colour, label=f"AU {number}") for number, colour in colours.items()]
    handles += [Line2D([], [], color="#555555", linestyle=SIDE_LINES[s], label=SIDE_LABELS[s]) for s in (-1, 1)]
    ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5))
    ax.set_ylim(0, 1.12 * max(iod * plan.intensity.max(initial=0), 1e-3))
    ax.set_ylabel("displacement (px)")
    ax.set_title("the expression: greatest displacement of each unit", loc="left")


def draw_head(ax: Axes, plan: ClipPlan, iod: float) -> None:
    """Draw how far the head has shifted since the onset, in px to the right and down."""
    shift = iod * (plan.head[:, :2] - plan.head[plan.onset, :2])
    for values, label, colour in zip(shift.T, ("to the right", "down"), ("#882255", "#44AA99"), strict=True):
        ax.plot(milliseconds(plan), values, color=colour, label=label)
    ax.axhline(0, color="#999999", linewidth=1)
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    ax.set_ylabel("shift (px)")
    ax.set_title("the head as a whole, since the onset", loc="left")


def draw_marks(ax: Axes, plan: ClipPlan, named: bool = False) -> None:
    """Draw a vertical line at onset, apex and offset, with their names above where `named`."""
    for name, colour in MARK_COLOURS.items():
        time = 1000 * getattr(plan, name) / plan.recording.fps
        ax.axvline(time, color=colour, linewidth=1.5, linestyle=":", label=f"_{name}")
        if named:
            ax.annotate(
                f" {name}", (time, 0.995), xycoords=("data", "axes fraction"), ha="left", va="top", color=colour
            )


# -- what the camera sees ---------------------------------------------------------------------------------------------


def strip_frames(plan: ClipPlan) -> dict[str, int]:
    """Return the frames that tell a clip: onset, half-way up, apex, half-way down, offset, by name.

    Half-way is the frame whose movement is closest to half that of the apex.
    """
    half = np.abs(plan.expression - plan.expression[plan.apex] / 2)
    return {
        "onset": plan.onset,
        "rising": plan.onset + int(np.argmin(half[plan.onset : plan.apex + 1])),
        "apex": plan.apex,
        "falling": plan.apex + int(np.argmin(half[plan.apex : plan.offset + 1])),
        "offset": plan.offset,
    }


@styled
def filmstrip(face: MovableFace, plan: ClipPlan, factor: float = 10, reach: int = 25) -> Figure:
    """Draw a clip as recorded, what differs from its onset frame, and the same clip with the movement made larger.

    Args:
        face: who moves.
        plan: the clip.
        factor: how many times larger, as far as the units' limits allow.
        reach: grey values of difference that get the full colour.
    """
    frames = strip_frames(plan)
    recorded, enlarged = ClipRenderer(face, plan), ClipRenderer(face, amplified(plan, factor))
    figure, axes = with_bars(3, len(frames), width=2.75 * len(frames) + 1.3, height=9.1)
    first = grey(recorded.frame(plan.onset))
    for column, (name, index) in zip(axes[:, :-1].T, frames.items(), strict=True):
        time = 1000 * (index - plan.onset) / plan.recording.fps
        column[0].set_title(f"{name}, {time:.0f} ms")
        shown = recorded.frame(index)
        show_frame(column[0], shown)
        difference = show_signed(column[1], grey(shown) - first, reach)
        show_frame(column[2], enlarged.frame(index))
    labels = ("as recorded", "minus the onset frame", f"movement × {factor:g}")
    for ax, label in zip(axes[:, 0], labels, strict=True):
        ax.set_ylabel(label, weight="bold")
    colour_bar(axes[1, -1], difference, DIFFERENCE_LABEL)
    figure.suptitle(f"{plan.emotion}: action units {spaced(plan.action_units)}")
    remark = f"movement × {factor:g}, or what a unit's limit allows"
    return caption(figure, f"{clip_caption(plan)} · {remark}", kind="synthetic", watermark=False)


@styled
def clip_moment(face: MovableFace, plan: ClipPlan, index: int, factor: float = 10, reach: float = 25) -> Figure:
    """Draw one frame of a clip as recorded, minus the onset frame, and with the movement made larger.

    Args:
        face: who moves.
        plan: the clip.
        index: of the frame, from 0.
        factor: how many times larger, as far as the units' limits allow.
        reach: grey values of difference that get the full colour.
    """
    recorded, enlarged = ClipRenderer(face, plan), ClipRenderer(face, amplified(plan, factor))
    shown = recorded.frame(index)
    figure, axes = four_panels()
    show_frame(axes[0], shown)
    bar_beside(axes[1], show_signed(axes[1], grey(shown) - grey(recorded.frame(plan.onset)), reach), "grey values")
    show_frame(axes[2], enlarged.frame(index))
    time, movement = milliseconds(plan), face.iod * plan.expression
    axes[3].plot(time, movement, color="#0072B2")
    axes[3].plot(time[index], movement[index], "o", color="#D55E00", markersize=12)
    draw_marks(axes[3], plan)
    axes[3].set(xlabel="time (ms)", ylabel="units summed (px)")
    titles = ("as recorded", "minus the onset frame", f"movement × {factor:g}", "time course")
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title)
    figure.suptitle(f"frame {index}, at {time[index]:.0f} ms")
    return caption(figure, clip_caption(plan), kind="synthetic", watermark=False)


@styled
def stored_clip(clips: ClipDataset, sample_id: str, reach: float = 25) -> Figure:
    """Draw what a data set holds of a clip: onset and apex frame, their difference, and the true movement.

    Args:
        clips: synthetic clips, with their truth.
        sample_id: which one.
        reach: grey values of difference that get the full colour.

    Raises:
        DataError: there is no such clip, or its files are damaged.
    """
    moments, truth = clips.moments(sample_id), clips.truth(sample_id)
    onset, apex = clips.frames(sample_id, [moments.onset, moments.apex])
    flow = truth.flow(moments.onset, moments.apex, head=False)
    figure, axes = panels(1, 6, width=15.5, height=4.6, width_ratios=(1, 1, 1, 0.05, 1, 0.05))
    shown, bars = axes[0, [0, 1, 2, 4]], axes[0, [3, 5]]
    show_frame(shown[0], onset)
    show_frame(shown[1], apex)
    colour_bar(bars[0], show_signed(shown[2], grey(apex) - grey(onset), reach), DIFFERENCE_LABEL)
    longest = float(np.linalg.norm(flow, axis=-1).max())
    drawn = show_movement(shown[3], flow, max(longest, 0.1), truth.landmarks[moments.onset])
    colour_bar(bars[1], drawn, "displacement (px)")
    row = clips.samples.set_index("sample_id").loc[sample_id]
    titles = (f"onset, frame {row['onset']}", f"apex, frame {row['apex']}", "apex − onset", "the true expression")
    for ax, title in zip(shown, titles, strict=True):
        ax.set_title(title)
    figure.suptitle(f"{sample_id}: {row['emotion']}, action units {spaced(str(row['action_units']))}")
    return caption(figure, clips.label, kind=clips.kind, watermark=False)


# -- long videos ------------------------------------------------------------------------------------------------------


@styled
def video_timeline(plan: VideoPlan, iod: float) -> Figure:
    """Draw the summed movement of all units in a long video, and below what happens when.

    Args:
        plan: of the video, with its intervals.
        iod: inter-ocular distance of the face in px.
    """
    time = np.arange(len(plan)) / plan.recording.fps
    figure, axes = panels(2, 1, width=14, height=6.4, sharex=True, height_ratios=(1.5, 1))
    movement, events = axes[:, 0]
    movement.plot(time, iod * plan.expression, color="#000000", linewidth=1.5)
    movement.set(ylabel="movement,\nunits summed (px)", ylim=(0, None))
    lanes = KINDS[::-1]
    for interval in plan.intervals:
        draw_interval(events, interval, lanes.index(interval.kind), plan.recording.fps)
    for interval in plan.of_kind("micro", "macro"):
        start, end = interval.onset / plan.recording.fps, interval.offset / plan.recording.fps
        movement.axvspan(start, end, color=EVENT_COLOURS[interval.kind], alpha=0.25, linewidth=0)
    events.set_yticks(range(len(lanes)), lanes)
    events.set(xlabel="time (s)", xlim=(0, time[-1]), ylim=(-0.6, len(lanes) - 0.4))
    figure.suptitle(f"A video of {time[-1] + 1 / plan.recording.fps:.0f} s: what happens when")
    return caption(figure, clip_caption(plan), kind="synthetic")


def draw_interval(ax: Axes, interval: Interval, lane: int, fps: float) -> None:
    """Draw an event as a bar from onset to offset on its lane, with a white line at its apex."""
    start, apex, end = (frame / fps for frame in (interval.onset, interval.apex, interval.offset))
    ax.barh(lane, end - start, left=start, height=0.7, color=EVENT_COLOURS[interval.kind])
    ax.vlines(apex, lane - 0.35, lane + 0.35, color="white", linewidth=1)


def interval_table(plan: VideoPlan) -> pd.DataFrame:
    """Return the expressions in a long video, one row each: when, how long, and what is shown. Frames count from 0."""
    rows = [
        {
            "kind": found.kind,
            "onset": found.onset,
            "apex": found.apex,
            "offset": found.offset,
            "seconds": round((found.offset - found.onset) / plan.recording.fps, 2),
            "emotion": found.emotion,
            "action units": spaced(found.action_units),
        }
        for found in plan.of_kind("micro", "macro")
    ]
    return pd.DataFrame(rows)
