"""What hindsight adds to a score: the gap of every method, the ladder of choices, and the same on pure noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from mer_lib.errors import ParameterError
from mer_lib.evaluation.peeking import STEPS, chosen, noise
from mer_lib.manifest import Kind
from mer_lib.plots.style import PROTOCOL_LABELS, PROTOCOL_MARKERS, caption, iterate, panels, styled

PROTOCOL_COLOURS = {"fixed": "#004488", "nested": "#DDAA33", "published": "#BB5566"}
SHADES = ("#332288", "#0077BB", "#44AA99", "#999933", "#CC6677", "#882255")


@styled
def gaps(table: pd.DataFrame, largest: int | None = None) -> Figure:
    """Draw each variant's score under three protocols, and what choosing by the test subjects adds, with its interval.

    Args:
        table: rows of :func:`mer_lib.papers.optimism.optimism` of one data set.
        largest: how many of them to draw, those with the largest gaps; None draws all.

    Raises:
        ParameterError: there are no rows, or they come from several data sets.
    """
    data = table["data"].unique()
    if len(data) != 1:
        raise ParameterError(f"expected gaps of one data set, got {', '.join(data) or 'none'}")
    rows = table.sort_values("gap", ascending=False, ignore_index=True).head(largest or len(table))
    figure, axes = panels(
        1, 2, width=14.5, height=2.6 + 0.38 * len(rows), sharey=True, gridspec_kw={"width_ratios": [1.25, 1]}
    )
    for position, row in enumerate(rows.to_dict("records")):
        _draw_scores(axes[0, 0], row, position)
        _draw_gap(axes[0, 1], row, position)
    names = [f"{row.variant} ({row.experiments.split(', ')[0]})" for row in rows.itertuples()]
    axes[0, 0].set_yticks(range(len(rows)), names, fontsize=12)
    axes[0, 0].set_ylim(len(rows) - 0.4, -0.6)
    axes[0, 0].set_xlabel("UF1 (0 to 1), pooled over folds")
    axes[0, 1].set_xlabel("published minus fixed; line: 95 % interval")
    axes[0, 1].xaxis.set_major_locator(MaxNLocator(6))
    axes[0, 1].axvline(0, color="black", linewidth=1)
    for ax in iterate(axes):
        ax.grid(axis="x")
    axes[0, 0].set_title("Optimism gap: what a choice on the test people adds", loc="left", x=0.0)
    figure.legend(handles=_protocol_legend(), loc="outside upper right", ncols=3, fontsize=11)
    shown = "" if len(rows) == len(table) else f" · the {len(rows)} largest of {len(table)} gaps"
    return caption(figure, f"{data[0]} · profile {rows['profile'].iloc[0]}{shown}", kind=rows["kind"].iloc[0])


def _draw_scores(ax: Axes, row: Mapping[str, float], y: int) -> None:
    values = {name: row[name] for name in PROTOCOL_MARKERS if not np.isnan(row[name])}
    ax.plot([min(values.values()), max(values.values())], [y, y], color="#BBBBBB", linewidth=4, zorder=1)
    lift = {"fixed": -0.15, "nested": 0.0, "published": 0.15}  # equal scores stay visible
    for name, value in values.items():
        colour, marker = PROTOCOL_COLOURS[name], PROTOCOL_MARKERS[name]
        fill = "white" if name == "published" else colour
        ax.plot(value, y + lift[name], marker, color=colour, markerfacecolor=fill, markersize=9, markeredgewidth=2)


def _draw_gap(ax: Axes, row: Mapping[str, float], y: int) -> None:
    # A percentile interval need not hold the score itself, and a bar of negative length cannot be drawn.
    reach = np.nan_to_num([[max(row["gap"] - row["gap_low"], 0)], [max(row["gap_high"] - row["gap"], 0)]])
    certain = row["gap_low"] > 0
    ax.errorbar(
        row["gap"], y, xerr=reach, fmt="o", color=PROTOCOL_COLOURS["published"], capsize=4, markersize=8,
        markerfacecolor=PROTOCOL_COLOURS["published"] if certain else "white", markeredgewidth=2,
    )  # fmt: skip


def _protocol_legend() -> list[Line2D]:
    return [
        Line2D([], [], color=PROTOCOL_COLOURS[name], marker=marker, linestyle="none", markersize=9, markeredgewidth=2,
               markerfacecolor="white" if name == "published" else PROTOCOL_COLOURS[name], label=PROTOCOL_LABELS[name])
        for name, marker in PROTOCOL_MARKERS.items()
    ]  # fmt: skip


@styled
def hindsight_ladder(ladders: Mapping[str, pd.DataFrame], guessing: float, text: str, kind: Kind) -> Figure:
    """Draw the scores of the same runs after every choice that looks at the test people, one line a variant.

    Args:
        ladders: by name, tables of :func:`mer_lib.evaluation.peeking.ladder`.
        guessing: score of dealing the classes out at random, drawn as a line.
        text: what the numbers come from.
        kind: of the data.
    """
    figure, ((ax,),) = panels(width=13.5, height=5.6)
    ax.axvline(guessing, color="#777777", linestyle="--", linewidth=1.5, label="classes dealt at random")
    rows = np.arange(len(STEPS))
    for (name, table), colour, marker in zip(ladders.items(), SHADES, "os^vDP", strict=False):
        ax.plot(table["uf1"], rows, f"{marker}-", color=colour, markersize=10, label=name)
    ax.set_yticks(rows, list(STEPS))
    ax.invert_yaxis()
    ax.set_xlim(0, 1.02)
    ax.grid(axis="x")
    ax.set_xlabel("UF1 (0 to 1) that would be printed")
    ax.set_title("The same trainings, with more and more hindsight", loc="left")
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)
    return caption(figure, text, kind=kind)


@styled
def noise_curves(table: pd.DataFrame, counts: Sequence[int]) -> Figure:
    """Draw what a method that sees nothing scores where an epoch is chosen for each fold, over the number of epochs.

    Args:
        table: of :func:`mer_lib.evaluation.peeking.hindsight_on_noise`.
        counts: samples of each class that it was made for.
    """
    figure, ((ax,),) = panels(width=12.5, height=5.8)
    for (size, rows), colour, marker in zip(table.groupby("samples_a_fold"), SHADES, "os^vDP", strict=False):
        ax.fill_between(rows["epochs"], rows["low"], rows["high"], color=colour, alpha=0.15, linewidth=0)
        word = "sample" if size == 1 else "samples"
        ax.plot(rows["epochs"], rows["uf1"], f"{marker}-", color=colour, markersize=9, label=f"{size} {word}")
    ax.axhline(table["fixed"].mean(), color="black", linestyle="--", linewidth=1.5, label="last epoch, any fold")
    ax.set_xscale("log")
    ax.set_xticks(table["epochs"].unique(), [str(count) for count in table["epochs"].unique()])
    ax.minorticks_off()
    ax.set_ylim(0, 1.02)
    ax.grid()
    ax.set_xlabel("epochs to choose from (log scale)")
    ax.set_ylabel("UF1 (0 to 1), pooled over folds")
    ax.set_title("Skill found in pure noise", loc="left")
    ax.legend(title="a fold tests", loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)
    text = f"guesses drawn by the class shares of {', '.join(map(str, counts))} samples; band: 95 % of the draws"
    return caption(figure, f"simulation without any data · {text}")


@styled
def one_noise(counts: Sequence[int], samples_a_fold: int, epochs: int, stay: float = 0.9) -> Figure:
    """Draw one training that sees nothing, epoch by epoch: the first folds' accuracy, and the score that is printed.

    Args:
        counts, samples_a_fold, epochs, stay: as for :func:`mer_lib.evaluation.peeking.noise`.
    """
    runs = noise(counts, samples_a_fold, epochs, stay=stay)
    names, fold = np.unique(runs.folds, return_inverse=True)
    members = np.eye(len(names))[fold]
    shares = (runs.guesses[0] == runs.truth) @ members / members.sum(axis=0)  # (epochs, folds)
    figure, axes = panels(1, 2, width=14, height=5.4)
    steps = np.arange(1, epochs + 1)
    for number, colour in zip(range(min(4, len(names))), SHADES, strict=False):
        best = epochs - 1 - shares[::-1, number].argmax()
        axes[0, 0].plot(steps, shares[:, number], color=colour, linewidth=1.5, label=f"fold {number}")
        axes[0, 0].plot(best + 1, shares[best, number], "^", color=colour, markerfacecolor="white", markersize=12)
    axes[0, 0].set(xlabel="epoch", ylabel="accuracy (0 to 1)", ylim=(-0.03, 1.2))
    axes[0, 0].set_title("What the chooser sees: ▵ is kept", loc="left")
    axes[0, 0].legend(fontsize=11, ncols=4, loc="upper center")
    kept = chosen(runs, runs.guesses[0], runs.folds)
    scores = {"fixed": runs.score(runs.guesses[0, -1]), "published": runs.score(kept)}
    colours = [PROTOCOL_COLOURS[name] for name in scores]
    bars = axes[0, 1].bar(list(scores), list(scores.values()), color=colours, width=0.55)
    axes[0, 1].bar_label(bars, fmt="%.3f", fontsize=14, weight="bold")
    axes[0, 1].set(ylabel="UF1 (0 to 1), pooled over folds", ylim=(0, 1.05))
    axes[0, 1].set_title("What is printed", loc="left")
    return caption(figure, f"simulation without any data · {len(names)} folds of {samples_a_fold} · {epochs} epochs")
