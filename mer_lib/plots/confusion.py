"""Confusion matrices: the share of each true class that is predicted as each class, with the counts."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mer_lib.errors import ParameterError
from mer_lib.papers.measure import Measurement
from mer_lib.plots.style import CLASS_COLOURS, dataset_label, panels, readable_on, sign, styled

COLOURS = "Blues"
COLUMNS = 3
FEW = 4  # up to so many classes their names stand beside a matrix in full size


def row_shares(matrix: np.ndarray) -> np.ndarray:
    """Return the shares of each row; NaN for a class that the truth does not contain.

    >>> row_shares(np.array([[3, 1], [0, 0]]))
    array([[0.75, 0.25],
           [ nan,  nan]])
    """
    totals = matrix.sum(axis=1, keepdims=True).astype(float)
    return np.divide(matrix, totals, out=np.full(matrix.shape, np.nan), where=totals > 0)


@styled
def confusion(measurement: Measurement, variants: Sequence[str] | None = None, subset: str = "full") -> Figure:
    """Draw the confusion matrix of each variant under protocol ``fixed``: rows are the truth and sum to one.

    Args:
        measurement: what was measured.
        variants: labels of the variants to draw; None draws all.
        subset: ``"full"`` or one data set of the composite.

    Raises:
        ParameterError: a variant or the subset was not measured.
    """
    everybody = [label for label in measurement.variants if (label, subset, "fixed") in measurement.confusion]
    labels = everybody if variants is None else list(variants)
    unknown = [label for label in labels if (label, subset, "fixed") not in measurement.confusion]
    if unknown or not labels:
        known = sorted({f"{label} on {name}" for label, name, _ in measurement.confusion})
        raise ParameterError(f"confusion: expected some of {', '.join(known)}, got {', '.join(unknown)} on {subset}")
    columns = min(len(labels), COLUMNS)
    rows = -(-len(labels) // columns)
    figure, axes = panels(rows, columns, width=5.0 * columns + 0.6, height=4.9 * rows + 0.7, layout="compressed")
    for ax in axes.ravel()[len(labels) :]:
        ax.set_axis_off()
    for ax, label in zip(axes.ravel(), labels, strict=False):
        draw_matrix(ax, measurement.confusion[label, subset, "fixed"], label, measurement.classes[label])
    seeds = len(measurement.seeds)
    counted = "counts" if seeds == 1 else f"counts, summed over {seeds} seeds"
    figure.suptitle(f"Share of each true class ({counted}), {dataset_label(subset)}, protocol fixed", fontsize=15)
    return sign(figure, measurement)


def draw_matrix(ax: Axes, matrix: np.ndarray, title: str, classes: Sequence[str]) -> None:
    """Draw one matrix of counts (C, C) of C `classes`, rows are the truth, into `ax`."""
    shares, colours = row_shares(matrix), mpl.colormaps[COLOURS]
    ax.imshow(shares, cmap=colours, vmin=0, vmax=1)
    many = len(classes) > FEW
    for (row, column), share in np.ndenumerate(shares):
        text = "–" if np.isnan(share) else f"{share:.2f}\n({matrix[row, column]})"
        background = "white" if np.isnan(share) else colours(share)
        size = 10 if many else 14
        ax.text(column, row, text, ha="center", va="center", color=readable_on(background), fontsize=size)
    if many:
        ax.set_xticks(range(len(classes)), classes, rotation=35, ha="right", rotation_mode="anchor", fontsize=11)
        ax.set_yticks(range(len(classes)), classes, fontsize=11)
    else:
        ax.set_xticks(range(len(classes)), classes)
        ax.set_yticks(range(len(classes)), classes, rotation=90, va="center")
    for tick in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        tick.set(color=_colour(tick.get_text(), classes), weight="bold")
    ax.set(xlabel="predicted", ylabel="true")
    ax.set_title(title)
    for spine in ax.spines.values():
        spine.set_visible(True)


def _colour(name: str, classes: Sequence[str]) -> str:
    """Return the colour of a class where all of them have one."""
    return CLASS_COLOURS[name] if set(classes) <= set(CLASS_COLOURS) else "black"
