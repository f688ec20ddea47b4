"""Who is in the data: the samples of each subject."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mer_lib.datasets.collection import Collection
from mer_lib.datasets.summaries import class_order
from mer_lib.plots.exploration import content
from mer_lib.plots.exploration.look import (
    NAMED_SUBJECTS,
    NUMBER_COLOURS,
    SUBJECT_LETTERS,
    classes_text,
    colour_of,
    grid,
    part_name,
    short,
)
from mer_lib.plots.exploration.printed.frame import framed, unused
from mer_lib.plots.style import panels, styled


@styled
def classes_by_subject(collection: Collection) -> Figure:
    """Draw the samples of each subject as a stack of classes, the subject with most samples first."""
    shown = content.classes_by_subject(collection)
    parts = shown.parts
    labels = class_order(shown.table["label"])
    figure, axes = panels(len(parts), 1, width=13, height=2.3 * len(parts) + 1.4, sharey=True)
    for ax, part in zip(axes[:, 0], parts, strict=True):
        table = shown.table[shown.table["dataset"] == part]
        wide = table.pivot(index="rank", columns="label", values="samples").reindex(columns=labels).fillna(0)
        below = wide.cumsum(axis=1) - wide
        for label in labels:
            ax.bar(wide.index, wide[label], 0.85, bottom=below[label], color=colour_of(label))
        _name_subjects(ax, table.drop_duplicates("rank"))
        ax.set_title(part_name(part))
        ax.set_ylabel("samples")
        ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        ax.grid(axis="y")
    axes[-1, 0].set_xlabel("subject (by its number of samples)")
    colours = {label: colour_of(label) for label in labels}
    return framed(figure, shown, colours)


def _name_subjects(ax: Axes, people: pd.DataFrame) -> None:
    ranks, names = people["rank"], [short(name, SUBJECT_LETTERS) for name in people["subject"]]
    ax.set_xlim(0.4, max(len(ranks), 8) + 0.6)
    if len(ranks) <= NAMED_SUBJECTS:
        ax.set_xticks(ranks, names, rotation=60, ha="right", rotation_mode="anchor", fontsize=11)


@styled
def subjects_by_samples(collection: Collection) -> Figure:
    """Draw how many subjects have how many samples, darker where they show more classes."""
    shown = content.subjects_by_samples(collection)
    parts = shown.parts
    rows, columns = grid(len(parts))
    figure, axes = panels(rows, columns, width=13, height=4 * rows + 1.5)
    for ax, part in zip(axes.ravel(), parts, strict=False):
        table = shown.table[shown.table["dataset"] == part]
        wide = table.pivot_table(index="samples", columns="classes", values="subjects", sort=False)
        below = wide.cumsum(axis=1) - wide
        for classes, colour in NUMBER_COLOURS.items():
            ax.bar(range(len(wide)), wide[classes], 0.88, bottom=below[classes], color=colour)
        ax.set_xticks(range(len(wide)), wide.index, rotation=45, ha="right", rotation_mode="anchor")
        ax.set_title(part_name(part))
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
        ax.grid(axis="y")
    for ax in axes[-1]:
        ax.set_xlabel("samples of a subject")
    for ax in axes[:, 0]:
        ax.set_ylabel("subjects")
    unused(axes, len(parts))
    colours = {classes_text(classes): colour for classes, colour in NUMBER_COLOURS.items()}
    return framed(figure, shown, colours)
