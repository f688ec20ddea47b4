"""A leaderboard as a figure: scores with their intervals, and bars over methods that nobody can tell apart.

After the critical-difference diagrams of Demsar, "Statistical comparisons of classifiers over multiple data sets",
Journal of Machine Learning Research 7, 1-30, 2006; with scores in place of mean ranks, since there is one data set, and
a dot for every member of a bar, since paired tests need not follow the order of the scores.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mer_lib.papers.leaderboard import LEVEL, Leaderboard
from mer_lib.plots.style import caption, metric_label, panels, styled

TOLD, TRIVIAL, BARS = "#004488", "#777777", "#882255"


@styled
def leaderboard(board: Leaderboard) -> Figure:
    """Draw every method's score with its interval over people, the highest first, and who cannot be told from whom.

    Filled: told from the predictors that never look at a sample. The dashed line is the best of those. Right of the
    scores stand the ranks that the tests leave open, and one bar for each largest set of methods in which no pair
    differs after Holm's correction.
    """
    rows, groups = board.rows, board.groups
    figure, axes = panels(
        1, 2, width=13.5 + 0.3 * max(len(groups) - 4, 0), height=2.9 + 0.46 * len(rows), sharey=True,
        gridspec_kw={"width_ratios": [8, 1.2 + 0.45 * max(len(groups), 1)], "wspace": 0.02},
    )  # fmt: skip
    scores, bars = axes[0]
    for position, row in enumerate(rows.to_dict("records")):
        _draw_row(scores, row, position)
    scores.axvline(rows["value"][rows["trivial"]].max(), color=TRIVIAL, linestyle="--", linewidth=1.5, zorder=0)
    scores.set_yticks(range(len(rows)), rows["method"])
    _grey_names(scores, rows["trivial"])
    scores.set_ylim(len(rows) - 0.4, -0.6)
    scores.set_xlabel(f"{metric_label(board.metric)} (0 to 1), pooled over folds, mean over seeds")
    scores.grid(axis="x")
    _draw_groups(bars, board)
    scores.set_title(f"Which methods can be told apart? {_answer(board)}", loc="left")
    figure.legend(handles=_legend(), loc="outside upper right", ncols=2, fontsize=12)
    return caption(figure, board.caption, kind=board.dataset.kind)


def _answer(board: Leaderboard) -> str:
    pairs = board.tests[board.tests["family"] == "pairs"]
    told = int((pairs["p_holm"] < LEVEL).sum())
    possible = "" if board.finest < LEVEL else " (too few people)"
    return f"{told} of {len(pairs)} pairs{possible}" if len(pairs) else "There is one alone"


def _draw_row(ax: Axes, row: dict[str, Any], y: int) -> None:
    colour = TRIVIAL if row["trivial"] else TOLD
    told = bool(row["p_over_trivial"] < LEVEL)
    # A percentile interval need not hold the score itself, and a bar of negative length cannot be drawn.
    reach = np.nan_to_num([[max(row["value"] - row["low"], 0)], [max(row["high"] - row["value"], 0)]])
    ax.errorbar(
        row["value"], y, xerr=reach, fmt="s" if row["trivial"] else "o", color=colour, capsize=4, markersize=10,
        markerfacecolor=colour if told or row["trivial"] else "white", markeredgewidth=2,
    )  # fmt: skip


def _grey_names(ax: Axes, trivial: pd.Series) -> None:
    for text, grey in zip(ax.get_yticklabels(), trivial, strict=True):
        if grey:
            text.set(color="#555555", style="italic")


def _draw_groups(ax: Axes, board: Leaderboard) -> None:
    """Draw the ranks as text and each group as a bar with a dot a member, at the heights of their rows."""
    place = {name: position for position, name in enumerate(board.rows["method"])}
    for row in board.rows[~board.rows["trivial"]].to_dict("records"):
        ax.text(0, place[row["method"]], ranks_in_words(row), va="center", ha="center", fontsize=12)
    for number, group in enumerate(board.groups):
        x, heights = 1.1 + 0.45 * number, [place[name] for name in group]
        ax.plot([x, x], [min(heights), max(heights)], color=BARS, linewidth=3, solid_capstyle="round")
        ax.plot([x] * len(heights), heights, "o", color=BARS, markersize=9)
    ax.set_xlim(-0.6, 1.1 + 0.45 * max(len(board.groups), 1))
    ax.set_title("rank", fontsize=12, loc="left", weight="normal")
    ax.set_xticks([])
    ax.tick_params(left=False)
    for spine in ax.spines.values():
        spine.set_visible(False)


def ranks_in_words(row: dict[str, Any]) -> str:
    """Say which ranks the tests leave a method.

    >>> ranks_in_words({"rank": 2, "rank_best": 1, "rank_worst": 5})
    '2 (1 to 5)'
    """
    if row["rank_best"] == row["rank_worst"]:
        return f"{row['rank']:.0f}"
    return f"{row['rank']:.0f} ({row['rank_best']:.0f} to {row['rank_worst']:.0f})"


def _legend() -> list[Line2D]:
    line: dict[str, Any] = {"markersize": 10, "markeredgewidth": 2}
    return [
        Line2D([], [], color=TOLD, marker="o", label="told from predictors that never look", **line),
        Line2D([], [], color=TOLD, marker="o", markerfacecolor="white", label="not told from them", **line),
        Line2D([], [], color=TRIVIAL, marker="s", label="never looks at a sample; dashed: the best of these", **line),
        Line2D([], [], color=BARS, marker="o", label="bar: no pair of its dots can be told apart", **line),
    ]
