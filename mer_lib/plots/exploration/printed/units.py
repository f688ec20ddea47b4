"""Action units: which go with which emotion, and which go together."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from mer_lib.datasets.collection import Collection
from mer_lib.plots.exploration import content
from mer_lib.plots.exploration.look import (
    PAIR_COLUMNS,
    SHARE_COLOURS,
    pair_title,
    per_cent,
    short,
    square_of_pairs,
    unit_name,
    unit_table,
)
from mer_lib.plots.exploration.printed.frame import framed, unused
from mer_lib.plots.style import panels, readable_on, styled


@styled
def unit_frequencies(collection: Collection, most: int = 16) -> Figure:
    """Draw the share of samples of each emotion that move each common action unit.

    Args:
        collection: where the samples come from.
        most: so many units, the commonest ones.
    """
    shown = content.unit_frequencies(collection, most)
    shares, _, of = unit_table(shown.table)
    figure, axes = panels(width=13, height=0.5 * len(shares) + 4)
    ax = axes[0, 0]
    drawn = _squares(ax, shares, per_cent(shares), size=12)
    names = [f"{unit}  {unit_name(unit)}" for unit in shares.columns]
    ax.set_xticks(range(len(names)), names, rotation=50, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(shares)), [f"{short(emotion)} ({of[emotion]})" for emotion in shares.index])
    ax.set(xlabel="action unit", ylabel="emotion (coded samples)")
    figure.colorbar(drawn, ax=ax, label="% of samples", fraction=0.03, pad=0.02)
    return framed(figure, shown)


@styled
def unit_pairs(collection: Collection, most: int = 8, squares: int = 6) -> Figure:
    """Draw which action units move in the same sample, a square of squares an emotion.

    Args:
        collection: where the samples come from.
        most: so many units an emotion, its commonest ones.
        squares: so many emotions, those with most samples.
    """
    shown = content.unit_pairs(collection, most, squares)
    groups = list(shown.table.groupby("emotion", sort=False))
    columns = min(PAIR_COLUMNS, len(groups))
    rows = -(-len(groups) // columns)
    figure, axes = panels(rows, columns, width=4.4 * columns + 0.6, height=4.3 * rows + 1.2)
    for ax, (emotion, table) in zip(axes.ravel(), groups, strict=False):
        shares, counts = square_of_pairs(table)
        drawn = _squares(ax, shares, counts.map(lambda n: str(int(n)) if n else "").to_numpy(), size=11)
        ax.set_title(pair_title(str(emotion), table))
        ax.set_xticks(range(len(shares)), shares.columns)
        ax.set_yticks(range(len(shares)), shares.index)
        ax.set_xlabel("action unit")
    unused(axes, len(groups))
    figure.colorbar(drawn, ax=axes, label="% of samples", fraction=0.025, pad=0.02, shrink=0.6)
    return framed(figure, shown)


def _squares(ax: Axes, shares: pd.DataFrame, texts: np.ndarray, size: int) -> AxesImage:
    """Draw shares (0 to 1) as coloured squares with white gaps, each with its text."""
    drawn = ax.imshow(100 * shares.to_numpy(), cmap=SHARE_COLOURS, vmin=0, vmax=100, aspect="auto")
    for (row, column), share in np.ndenumerate(shares.to_numpy()):
        colour = readable_on(colormaps[SHARE_COLOURS](float(share)))
        ax.text(column, row, texts[row, column], ha="center", va="center", fontsize=size, color=colour)
    ax.set_xticks(np.arange(shares.shape[1] - 1) + 0.5, minor=True)
    ax.set_yticks(np.arange(shares.shape[0] - 1) + 0.5, minor=True)
    ax.grid(which="minor", color="white", linewidth=2)
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
    return drawn
