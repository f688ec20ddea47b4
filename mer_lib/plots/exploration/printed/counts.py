"""How many samples: of classes, of emotions, of what a label rule keeps; and what a guess scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mer_lib.datasets.collection import Collection
from mer_lib.datasets.summaries import DROPPED, class_order, in_order
from mer_lib.plots.exploration import content
from mer_lib.plots.exploration.look import GUESS_MARKS, colour_of, grid, part_name, ratio_text, rule_text, short
from mer_lib.plots.exploration.printed.frame import HATCH, HATCH_COLOUR, framed, unused
from mer_lib.plots.style import panels, styled


@styled
def classes_by_dataset(collection: Collection) -> Figure:
    """Draw how many samples of each class each data set has."""
    shown = content.classes_by_dataset(collection)
    parts = shown.parts
    labels = class_order(shown.table["label"])
    figure, axes = panels(width=13, height=5.8)
    ax, width = axes[0, 0], 0.8 / len(labels)
    for at, label in enumerate(labels):
        part = shown.table[shown.table["label"] == label]
        x = np.array([parts.index(name) for name in part["dataset"]]) + width * (at - (len(labels) - 1) / 2)
        bars = ax.bar(x, part["samples"], 0.94 * width, color=colour_of(label), label=label)
        ax.bar_label(bars, padding=2)
    ax.set_xticks(range(len(parts)), [part_name(part) for part in parts])
    ax.set_ylabel("samples")
    ax.margins(y=0.1)
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.grid(axis="y")
    ax.legend(ncols=len(labels), loc="lower left", bbox_to_anchor=(0, 1))
    return framed(figure, shown)


@styled
def emotions(collection: Collection) -> Figure:
    """Draw how many samples of each emotion each data set has."""
    shown = content.emotions(collection)
    names = in_order(shown.table["emotion"])
    parts = shown.parts
    rows, columns = grid(len(parts))
    figure, axes = panels(
        rows, columns, width=13, height=rows * (0.42 * len(names) + 1) + 0.9, sharey=True, sharex=True
    )
    for ax, part in zip(axes.ravel(), parts, strict=False):
        table = shown.table[shown.table["dataset"] == part]
        y = [names.index(name) for name in table["emotion"]]
        bars = ax.barh(y, table["samples"], 0.8, color=[colour_of(name) for name in table["emotion"]])
        ax.bar_label(bars, padding=3)
        ax.set_title(part_name(part))
        ax.grid(axis="x")
    _emotion_axes(axes, names, room=1.16 * int(shown.table["samples"].max()))
    unused(axes, len(parts))
    return framed(figure, shown)


def _emotion_axes(axes: np.ndarray, names: list[str], room: float) -> None:
    for ax in axes.ravel():
        ax.set_xlim(0, room)
        ax.tick_params(axis="y", length=0)
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    for ax in axes[-1]:
        ax.set_xlabel("samples")
    axes[0, 0].set_yticks(range(len(names)), map(short, names))
    axes[0, 0].set_ylim(len(names) - 0.4, -0.6)


@styled
def imbalance(collection: Collection) -> Figure:
    """Draw what always guessing the commonest class scores, and how much more common it is than the rarest."""
    shown = content.imbalance(collection)
    table = shown.table
    figure, axes = panels(width=13, height=0.75 * len(table) + 2.2)
    ax = axes[0, 0]
    y = np.arange(len(table))
    for metric, look in GUESS_MARKS.items():
        ax.plot(table[metric], y, look.marker, color=look.colour, markersize=look.size, label=look.label, clip_on=False)
    for at, row in zip(y, table.itertuples(), strict=True):
        ax.text(1.03, at, ratio_text(row), va="center", fontsize=12)
    ax.set_xlim(0, 1)
    ax.set_xlabel("score of the guess (1: always right)")
    ax.set_yticks(y, [part_name(name) for name in table["dataset"]])
    ax.set_ylim(len(table) - 0.5, -0.5)
    ax.grid()
    ax.legend(ncols=len(GUESS_MARKS), loc="lower left", bbox_to_anchor=(0, 1))
    return framed(figure, shown)


@styled
def label_rules(collection: Collection, label_set: str = "") -> Figure:
    """Draw what becomes of each emotion: the class that it joins, or that it is dropped.

    Args:
        collection: where the samples come from.
        label_set: a name of the manifest's label sets; where empty, the classes that the samples table has.
    """
    shown = content.label_rules(collection, label_set)
    names, outcomes = in_order(shown.table["emotion"]), class_order(shown.table["outcome"])
    parts = shown.parts
    rows, columns = grid(len(parts))
    figure, axes = panels(
        rows, columns, width=13, height=rows * (0.42 * len(names) + 1) + 1.3, sharey=True, sharex=True
    )
    for ax, part in zip(axes.ravel(), parts, strict=False):
        _stack_outcomes(ax, shown.table[shown.table["dataset"] == part], names, outcomes)
        ax.set_title(part_name(part))
        ax.grid(axis="x")
    totals = shown.table.groupby(["dataset", "emotion"])["samples"].sum()
    _emotion_axes(axes, names, room=1.75 * int(totals.max()))
    unused(axes, len(parts))
    colours = {outcome: colour_of(outcome) for outcome in outcomes}
    return framed(figure, shown, colours, DROPPED)


def _stack_outcomes(ax: Axes, table: pd.DataFrame, names: list[str], outcomes: list[str]) -> None:
    for emotion, group in table.groupby("emotion", sort=False):
        counts = group.groupby("outcome", sort=False)["samples"].sum()
        left, y = 0, names.index(str(emotion))
        for outcome in (name for name in outcomes if name in counts):
            bars = ax.barh(y, counts[outcome], 0.8, left=left, color=colour_of(outcome))
            if outcome == DROPPED:
                bars[0].set(hatch=HATCH, edgecolor=HATCH_COLOUR, linewidth=0)
            left += counts[outcome]
        ax.annotate(rule_text(group), (left, y), (4, 0), textcoords="offset points", va="center", fontsize=11)
