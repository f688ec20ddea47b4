"""When things happen: how long a sample lasts, and where its apex lies."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from mer_lib.datasets.collection import Collection
from mer_lib.datasets.summaries import MICRO_MS, SPANS, class_order
from mer_lib.plots.exploration import content
from mer_lib.plots.exploration.look import (
    DOT_ROOM,
    LONG_SPAN,
    MEDIAN_COLOUR,
    colour_of,
    dots,
    grid,
    milliseconds,
    not_annotated,
    part_name,
    short_axis,
)
from mer_lib.plots.exploration.printed.frame import framed, unused
from mer_lib.plots.style import panels, styled


@styled
def durations(collection: Collection) -> Figure:
    """Draw how long each sample lasts, and how long it takes to its apex: a dot a sample."""
    shown = content.durations(collection)
    parts = shown.parts
    figure, axes = panels(1, len(SPANS), width=13, height=1.35 * len(parts) + 2.2, sharey=True)
    for ax, span in zip(axes[0], SPANS, strict=True):
        found = dots(shown.table, span, parts)
        colours = [colour_of(name) for name in found["label"]]
        ax.scatter(found["ms"], found["place"], s=26, c=colours, alpha=0.75, lw=0, clip_on=False)
        _medians(ax, shown, span, parts)
        for at in (at for at, part in enumerate(parts) if part not in set(found["dataset"])):
            place = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center"}
            ax.annotate(not_annotated(span), (0, at), (8, 0), fontsize=12, color="#666666", **place)
        ax.set_title(f"from {span}")
        ax.grid(axis="x")
    axes[0, 0].set_xlabel("milliseconds")
    axes[0, 0].set_xlim(0, short_axis(shown.table.loc[shown.table["span"] != LONG_SPAN, "ms"]))
    _long_axis(axes[0, 1], shown)
    axes[0, 0].set_yticks(range(len(parts)), [part_name(part) for part in parts])
    axes[0, 0].set_ylim(len(parts) - 1 + DOT_ROOM, -DOT_ROOM)
    return framed(figure, shown, {label: colour_of(label) for label in class_order(shown.table["label"])})


def _medians(ax: Axes, shown: content.Content, span: str, parts: Sequence[str]) -> None:
    table = shown.table[shown.table["span"] == span]
    for part, median in table.groupby("dataset", sort=False)["ms"].median().items():
        at = parts.index(str(part))
        ax.plot([median, median], [at - 0.36, at + 0.36], color=MEDIAN_COLOUR, lw=3)
        text, place = f"{median:.0f} ms", (median, at + 0.36)
        white = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1}
        ax.annotate(text, place, (5, -4), textcoords="offset points", va="center", fontsize=12, bbox=white)


def _long_axis(ax: Axes, shown: content.Content) -> None:
    low, high, ticks = milliseconds(shown.table.loc[shown.table["span"] == LONG_SPAN, "ms"])
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("milliseconds, logarithmic")
    ax.axvline(MICRO_MS, color="#555555", ls="--", lw=1.5)
    ax.annotate("½ s", (MICRO_MS, -DOT_ROOM), (4, -2), textcoords="offset points", va="top", fontsize=12)


@styled
def apex_position(collection: Collection) -> Figure:
    """Draw where between onset and offset the apex lies, as bars of tenths."""
    shown = content.apex_position(collection)
    parts = shown.parts
    labels = class_order(shown.table["label"])
    rows, columns = grid(len(parts))
    figure, axes = panels(rows, columns, width=13, height=3.6 * rows + 1.6)
    for ax, part in zip(axes.ravel(), parts, strict=False):
        table = shown.table[shown.table["dataset"] == part]
        wide = table.pivot(index="tenth", columns="label", values="samples").reindex(columns=labels).fillna(0)
        below = wide.cumsum(axis=1) - wide
        for label in labels:
            ax.bar(wide.index + 0.05, wide[label], 0.094, bottom=below[label], color=colour_of(label))
        ax.axvline(0.5, color="#555555", ls="--", lw=1.5)
        ax.axvline(shown.extra["medians"][part], color=MEDIAN_COLOUR, lw=3)
        ax.set(xlim=(0, 1), title=part_name(part))
        ax.set_xticks([0, 0.5, 1], ["onset", "half", "offset"])
        ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
        ax.grid(axis="y")
    for ax in axes[:, 0]:
        ax.set_ylabel("samples")
    unused(axes, len(parts))
    colours = {label: colour_of(label) for label in labels}
    return framed(figure, shown, colours)
