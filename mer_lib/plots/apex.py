"""Figures of apex spotting: curves over a clip, what differs between two frames, and how far off spotters are."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from mer_lib.plots.face_panels import bar_beside, grey, show_frame, show_signed
from mer_lib.plots.style import caption, lighter, panels, styled, under_caption

if TYPE_CHECKING:
    from mer_lib.apex.spotting import Spotted
    from mer_lib.features.clip_view import ClipView
    from mer_lib.manifest import Kind

SPOTTER_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "cell_difference": "ten cells, difference",
        "dnc_rois": "three regions, LBP",
        "region_flow": "ten cells, flow",
        "middle": "middle frame",
        "random": "random frame",
        "cell_difference_published": "ten cells as published",
        "dnc_rois_published": "D&C-RoIs as published",
    }
)
#: Paul Tol's "muted" hues, and grey for what looks at no picture; a published form has the hue of its method.
SPOTTER_COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "cell_difference": "#332288",
        "dnc_rois": "#CC6677",
        "region_flow": "#117733",
        "middle": "#777777",
        "random": "#AAAAAA",
        "cell_difference_published": "#332288",
        "dnc_rois_published": "#CC6677",
    }
)
SPOTTER_MARKS: Mapping[str, str] = MappingProxyType(
    {
        "cell_difference": "o",
        "dnc_rois": "^",
        "region_flow": "s",
        "middle": "D",
        "random": "x",
        "cell_difference_published": "o",
        "dnc_rois_published": "^",
    }
)
CURSOR_COLOUR = "#D55E00"
REGISTRATION_TITLES: Mapping[str, str] = MappingProxyType(
    {"none": "head as it is", "ecc": "head aligned (ECC)", "stable": "head aligned (stable points)"}
)
_SHORT: Mapping[str, str] = MappingProxyType({"ecc": "ECC", "stable": "stable points"})
_LABEL_SIDES: Mapping[str, str] = MappingProxyType(
    {"onset": "right", "offset": "left", "first frame": "left", "last frame": "right"}
)  # away from the apex, and inside of the axes
FULL_COLOUR = 128  # grey values of an amplified difference that get the full colour


# -- curves -----------------------------------------------------------------------------------------------------------


class Mark(NamedTuple):
    """A vertical line in a figure of curves."""

    label: str
    frame: int
    colour: str
    line: str


def marks(view: ClipView) -> list[Mark]:
    """Return the frames that are known of a clip: onset, offset, and its apex as it truly is and as annotated.

    An annotated apex that is the true one is not named twice.
    """
    moments, true = view.moments, view.true_apex
    found = [
        Mark(view.names["onset"], moments.onset, "#555555", ":"),
        Mark(view.names["offset"], moments.offset, "#555555", ":"),
    ]
    if true is not None:
        found.append(Mark("true apex", true, "#000000", "--"))
    if moments.apex is not None and moments.apex != true:
        found.append(Mark("annotated apex", moments.apex, "#000000", "-"))
    return found


def draw_marks(ax: Axes, view: ClipView) -> None:
    """Draw a vertical line at each of :func:`marks`, named above the axes."""
    for mark in marks(view):
        ax.axvline(mark.frame, color=mark.colour, linestyle=mark.line, linewidth=1.5)
        ax.text(
            mark.frame, 1.02, mark.label, color=mark.colour, ha=_LABEL_SIDES.get(mark.label, "center"), va="bottom",
            fontsize=12, transform=ax.get_xaxis_transform(),
        )  # fmt: skip


def draw_curves(ax: Axes, view: ClipView, found: Mapping[str, Spotted]) -> None:
    """Draw the curve of each spotter, each in shares of its own maximum, with a mark at the frame that it spots.

    Args:
        ax: where to draw.
        view: the clip.
        found: by name of the spotter; curves start at the clip's onset, indices count the clip's frames.
    """
    for name, spotted in found.items():
        frames = view.moments.onset + np.arange(len(spotted.curve))
        colour, line = SPOTTER_COLOURS[name], "--" if name == "middle" else "-"
        ax.plot(frames, shares(spotted.curve), line, color=colour, linewidth=1.8)
        at = spotted.index - view.moments.onset
        ax.plot(
            spotted.index, shares(spotted.curve)[at], SPOTTER_MARKS[name], color=colour, markersize=10,
            markeredgecolor="white", label=f"{SPOTTER_TITLES[name]}: {spotted.index}", zorder=4,
        )  # fmt: skip
    draw_marks(ax, view)
    ax.set(xlim=(0, max(view.n_frames - 1, 1)), ylim=(-0.04, 1.08), yticks=[0, 1], xlabel=frame_label(view))
    ax.set_yticklabels(["min", "max"])


def shares(curve: np.ndarray) -> np.ndarray:
    """Return a curve (T,) in shares of the way from its least to its greatest value; zeros where it is flat.

    >>> shares(np.array([2.0, 4.0, 3.0]))
    array([0. , 1. , 0.5])
    """
    curve = np.asarray(curve, np.float64)
    low, high = np.nanmin(curve), np.nanmax(curve)
    return (curve - low) / (high - low) if high > low else np.zeros_like(curve)


def frame_label(view: ClipView) -> str:
    """Return what to write below an axis of frames."""
    return "frame" if view.fps is None else f"frame ({view.fps:g} a second)"


def after_onset(view: ClipView, index: int) -> str:
    """Return when a frame comes, such as ``"frame 48, 115 ms after the onset"``."""
    frames = index - view.moments.onset
    distance = f"{abs(frames)} frame{'s' if abs(frames) != 1 else ''}"
    if view.fps is not None:
        distance = f"{abs(1000 * frames / view.fps):.0f} ms"
    return f"frame {index}, {distance} {'after' if frames >= 0 else 'before'} the {view.names['onset']}"


# -- what differs between two frames ----------------------------------------------------------------------------------


def difference(first: np.ndarray, second: np.ndarray, even_light: bool = False) -> np.ndarray:
    """Return by how many grey values of 255 the second picture is brighter: float64 (H, W).

    >>> first, second = np.full((2, 2), 100, np.uint8), np.full((2, 2), 110, np.uint8)
    >>> difference(first, second)[0, 0], difference(first, second, even_light=True)[0, 0]
    (10.0, 0.0)

    Args:
        first: (H, W) or (H, W, 3) uint8.
        second: the same shape.
        even_light: make the second as bright as the first, by the ratio of their mean grey values.
    """
    before, after = grey(first), grey(second)
    if even_light and after.mean() > 0:
        after = after * (before.mean() / after.mean())
    return after - before


def exaggerated(first: np.ndarray, second: np.ndarray, times: float, even_light: bool = False) -> np.ndarray:
    """Return the first picture plus `times` the difference to the second: uint8 (H, W), cut to 0 to 255."""
    picture = grey(first) + times * difference(first, second, even_light)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


@styled
def apex_difference(view: ClipView, index: int, times: float = 8, even_light: bool = False) -> Figure:
    """Draw the onset frame, another frame, what differs between them, and the onset frame with that exaggerated.

    Args:
        view: the clip; its face is shown in a crop that is the same for all frames.
        index: of the other frame, such as the apex.
        times: how many times stronger the difference is shown.
        even_light: take out the change of the mean brightness first.
    """
    first, second = view.aligned(view.moments.onset), view.aligned(index)
    figure, axes = four_pictures()
    show_frame(axes[0], first)
    show_frame(axes[1], second)
    drawn = show_signed(axes[2], difference(first, second, even_light), FULL_COLOUR / times)
    bar_beside(axes[2], drawn, "")
    show_frame(axes[3], exaggerated(first, second, times, even_light))
    titles = ("onset", "this frame", "difference (grey values)", f"onset + {times:g} × difference")
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title, fontsize=13)
    figure.suptitle(f"{view.title}: {after_onset(view, index)}", fontsize=15)
    return caption(figure, view.label, kind=view.kind, watermark=False)


def four_pictures() -> tuple[Figure, np.ndarray]:
    """Return a figure and four square axes in fixed places, with room for a colour bar beside the third."""
    figure, axes = panels(1, 4, width=10.4, height=3.4, layout="none")
    for ax, left in zip(axes[0], (0.005, 0.235, 0.465, 0.765), strict=True):
        ax.set_position((left, 0.11, 0.225, 0.69))
    return figure, axes[0]


# -- how far off ------------------------------------------------------------------------------------------------------


def way(method: str, registration: str) -> str:
    """Return the name of a way to spot, for people.

    >>> way("dnc_rois", "ecc"), way("middle", "none")
    ('three regions, LBP · ECC', 'middle frame')
    """
    title = SPOTTER_TITLES[method]
    return title if registration == "none" else f"{title} · {_SHORT[registration]}"


@styled
def spotting_errors(table: pd.DataFrame, text: str, kind: Kind) -> Figure:
    """Draw how far from the apex each way to spot is on each clip, the best way on top.

    Args:
        table: of :func:`mer_lib.apex.score`.
        text: what the clips are.
        kind: of their data.
    """
    ways = table.assign(way=[way(m, r) for m, r in zip(table["method"], table["registration"], strict=True)])
    means = ways.groupby("way")["error_ms"].mean().sort_values()
    colours = {name: SPOTTER_COLOURS[method] for name, method in zip(ways["way"], ways["method"], strict=True)}
    figure, axes = panels(width=10.4, height=1.9 + 0.36 * len(means))
    ax = axes[0, 0]
    for row, (name, mean) in enumerate(means.items()):
        errors = ways.loc[ways["way"] == name, "error_ms"]
        ax.barh(row, mean, height=0.72, color=lighter(colours[name], 0.6))
        ax.plot(errors, np.full(len(errors), row), "o", color=colours[name], markersize=5, alpha=0.7)
        ax.text(1.01, row, f"{mean:.0f} ms", transform=ax.get_yaxis_transform(), va="center", fontsize=13)
    ax.set_yticks(range(len(means)), list(means.index))
    ax.invert_yaxis()
    ax.set_xlabel("distance to the apex (ms): bar, mean; dot, one clip")
    n = table["sample_id"].nunique()
    figure.suptitle(f"How far from the apex? {n} clip{'s' if n > 1 else ''}", fontsize=15)
    return caption(figure, text, kind=kind, watermark=False)


def spotting_table(found: pd.DataFrame, text: str, kind: Kind) -> Styler:
    """Return a table of ways to spot to look at, the best first, with the two controls set off.

    Args:
        found: of :func:`mer_lib.apex.summary`.
        text: what the clips are.
        kind: of their data.
    """
    shown = pd.DataFrame(
        {
            "way to spot": [way(m, r) for m, r in zip(found["method"], found["registration"], strict=True)],
            "clips": found["n"],
            "mean error (frames)": found["mae_frames"],
            "mean error (ms)": found["mae_ms"],
            "within 10 % of the clip": 100 * found["within"],
            "movement reached": 100 * found["reached"],
        }
    )
    if shown["movement reached"].isna().all():
        shown = shown.drop(columns="movement reached")
    percent = {name: "{:.0f} %" for name in ("within 10 % of the clip", "movement reached") if name in shown}
    styler = shown.style.hide(axis="index").format(
        {"mean error (frames)": "{:.1f}", "mean error (ms)": "{:.0f}"} | percent
    )
    styler = styler.set_properties(subset=["way to spot"], **{"text-align": "left"})
    control = found["method"].isin(("middle", "random")).to_numpy()
    styler = styler.apply(lambda _: np.where(control, "font-weight: bold; background: #EEEEEE", ""), axis=0)
    return under_caption(styler, text, kind)
