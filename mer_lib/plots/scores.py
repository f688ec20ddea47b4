"""Figures of scores: with their intervals, along an ablation, across protocols, and epoch by epoch.

A number that a paper prints is an open diamond beside the measured one, and only real data carry such numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from mer_lib.papers.measure import Measurement
from mer_lib.papers.verdicts import signed
from mer_lib.plots.style import (
    PROTOCOL_LABELS,
    PROTOCOL_MARKERS,
    REPORTED_LABEL,
    checked_protocols,
    dataset_label,
    iterate,
    metric_label,
    panels,
    sign,
    styled,
    variant_colours,
)

WIDE_RANGE = 5  # from this ratio between variants on, an axis is logarithmic


def scores_of(measurement: Measurement, metric: str, protocol: str = "fixed", subset: str = "full") -> pd.DataFrame:
    """Return the rows of `measurement.scores` for one metric, protocol and subset, by variant, in their order."""
    table = measurement.scores
    rows = table[(table["metric"] == metric) & (table["protocol"] == protocol) & (table["subset"] == subset)]
    return rows.set_index("variant").reindex(list(measurement.variants))


@styled
def score_points(
    measurement: Measurement,
    metric: str = "uf1",
    subset: str = "full",
    protocols: Sequence[str] = ("fixed", "nested"),
) -> Figure:
    """Draw the score of each variant as a point with its interval, one marker a protocol, the best at the right.

    Args:
        measurement: what was measured.
        metric: one of :data:`mer_lib.papers.measure.METRICS`.
        subset: ``"full"`` or one data set of the composite; only the former has intervals.
        protocols: which to draw; ``published`` only beside ``fixed``.

    Raises:
        ParameterError: an unknown protocol, or ``published`` alone.
    """
    shown = checked_protocols(measurement, protocols)
    labels, colours = list(measurement.variants), variant_colours(measurement.variants)
    figure, ((ax,),) = panels(width=12, height=1.9 + 0.75 * len(labels))
    offsets = np.linspace(0.18, -0.18, len(shown)) if len(shown) > 1 else [0.0]
    for protocol, offset in zip(shown, offsets, strict=True):
        _draw_points(ax, scores_of(measurement, metric, protocol, subset), list(colours.values()), protocol, offset)
    reported = scores_of(measurement, metric, shown[0], subset)["reported"].to_numpy(float)
    ax.plot(reported, range(len(labels)), **_diamond())
    ax.set_yticks(range(len(labels)), labels)
    ax.invert_yaxis()
    ax.grid(axis="x")
    ax.set_xlabel(f"{metric_label(metric)} (0 to 1), pooled over folds, {dataset_label(subset)}")
    _legend(ax, shown, bool(np.isfinite(reported).any()), intervals=subset == "full")
    ax.set_title(measurement.experiment.title, loc="left")
    return sign(figure, measurement)


def _draw_points(ax: Axes, rows: pd.DataFrame, colours: list[str], protocol: str, offset: float) -> None:
    for position, (colour, row) in enumerate(zip(colours, rows.itertuples(), strict=True)):
        fill = "white" if protocol == "published" else colour
        _point(ax, row.value, position - offset, (row.low, row.high), colour, fill, PROTOCOL_MARKERS[protocol])


def _point(
    ax: Axes, value: float, y: float, interval: tuple[float, float], colour: str, fill: str, marker: str
) -> ErrorbarContainer:
    # A percentile interval need not hold the score itself, and a bar of negative length cannot be drawn.
    reach = np.nan_to_num([[max(value - interval[0], 0)], [max(interval[1] - value, 0)]])
    return ax.errorbar(
        value, y, xerr=reach, fmt=marker, color=colour, markerfacecolor=fill, markersize=10, markeredgewidth=2,
        capsize=4, linewidth=2,
    )  # fmt: skip


def _diamond() -> dict[str, Any]:
    return {
        "marker": "D",
        "linestyle": "none",
        "markerfacecolor": "none",
        "markeredgecolor": "black",
        "markeredgewidth": 2,
        "markersize": 9,
        "zorder": 5,
    }


def _legend(ax: Axes, protocols: Sequence[str], reported: bool, intervals: bool = True, x: float = 1.01) -> None:
    entries = [
        Line2D([], [], color="#444444", marker=PROTOCOL_MARKERS[name], linestyle="-" if intervals else "none",
               markerfacecolor="white" if name == "published" else "#444444", markersize=9, label=PROTOCOL_LABELS[name])
        for name in protocols
    ]  # fmt: skip
    if reported:
        entries.append(Line2D([], [], label=REPORTED_LABEL, **_diamond()))
    title = "line: 95 % interval over subjects" if intervals else None
    ax.legend(handles=entries, title=title, loc="upper left", bbox_to_anchor=(x, 1.0), borderaxespad=0)


@styled
def ablation_line(
    measurement: Measurement,
    metrics: Sequence[str] = ("uf1", "uar"),
    subset: str = "full",
    protocol: str = "fixed",
) -> Figure:
    """Draw scores along the axis of an ablation, with 95 % intervals, and the printed numbers beside them.

    Args:
        measurement: an experiment whose variants are steps along one axis.
        metrics: one panel each.
        subset: ``"full"`` or one data set of the composite; only the former has intervals.
        protocol: how the epoch was chosen; ``published`` never stands alone, see :func:`optimism_gap`.

    Raises:
        ParameterError: the protocol is unknown, or ``published``.
    """
    checked_protocols(measurement, [protocol])
    figure, axes = panels(1, len(metrics), width=6.6 * len(metrics), height=5.6, sharey=True)
    for ax, metric in zip(iterate(axes), metrics, strict=True):
        _draw_line(ax, scores_of(measurement, metric, protocol, subset))
        ax.set_xlabel(measurement.experiment.axis or "variant")
        ax.set_ylabel(f"{metric_label(metric)} (0 to 1), {dataset_label(subset)}")
        ax.grid(axis="y")
    handles, texts = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside upper right", ncols=len(handles))
    figure.suptitle(measurement.experiment.title, x=0.01, ha="left")
    return sign(figure, measurement)


def _draw_line(ax: Axes, rows: pd.DataFrame) -> None:
    x = np.arange(len(rows))
    if rows["low"].notna().any():
        ax.fill_between(
            x, rows["low"], rows["high"], color="#CC6677", alpha=0.18, linewidth=0, label="95 % interval over subjects"
        )
    if rows["sd"].notna().any():
        ax.errorbar(x, rows["value"], rows["sd"], fmt="none", color="#882255", capsize=5, label="± sd over seeds")
    ax.plot(x, rows["value"], "o-", color="#882255", markersize=9, label="measured")
    if rows["reported"].notna().any():
        ax.plot(x, rows["reported"], label=REPORTED_LABEL, **_diamond() | {"linestyle": ":", "color": "#555555"})
    ax.set_xticks(x, rows.index)


@styled
def optimism_gap(measurement: Measurement) -> Figure:
    """Draw how much UF1 rises where the epoch is chosen on the test subjects: fixed, nested and published on one line.

    The number at the right is published minus fixed. Methods without epochs have no such choice and are left out,
    unless there are no others.
    """
    chosen = trained_by_epochs(measurement) or list(measurement.variants)
    gaps = measurement.gaps.set_index("variant").reindex(chosen)
    colours = variant_colours(measurement.variants)
    figure, ((ax,),) = panels(width=12, height=2.1 + 0.75 * len(gaps))
    for position, label in enumerate(chosen):
        _draw_dumbbell(ax, gaps.loc[label], position, colours[label])
        gap = signed(gaps.loc[label, "published_minus_fixed"])
        ax.annotate(gap, (1.01, position), xycoords=("axes fraction", "data"), va="center", weight="bold")
    ax.set_yticks(range(len(gaps)), gaps.index)
    ax.set_ylim(len(gaps) - 0.5, -0.5)
    ax.margins(x=0.1)
    ax.grid(axis="x")
    ax.set_xlabel("UF1 (0 to 1), pooled over folds, all data sets")
    ax.set_title("Optimism gap: published minus fixed", loc="left")
    _legend(ax, checked_protocols(measurement), reported=False, intervals=False, x=1.18)
    return sign(figure, measurement)


def trained_by_epochs(measurement: Measurement) -> list[str]:
    """Return the variants that train epoch by epoch, so that an epoch can be chosen at all."""
    epochs = measurement.curves.groupby("variant")["epoch"].max()
    return [label for label in measurement.variants if epochs[label] > 1]


def _draw_dumbbell(ax: Axes, row: pd.Series, y: int, colour: str) -> None:
    values = row[list(PROTOCOL_MARKERS)].astype(float).dropna()
    ax.plot([values.min(), values.max()], [y, y], color="#BBBBBB", linewidth=5, solid_capstyle="round", zorder=1)
    lift = {"fixed": -0.13, "nested": 0.0, "published": 0.13}  # equal scores stay visible
    for protocol, value in values.items():
        fill = "white" if protocol == "published" else colour
        marker = PROTOCOL_MARKERS[str(protocol)]
        at = y + lift[str(protocol)]
        ax.plot(value, at, marker, color=colour, markerfacecolor=fill, markersize=11, markeredgewidth=2.2)


@styled
def learning_curves(measurement: Measurement) -> Figure:
    """Draw training loss and pooled test UF1 epoch by epoch: means over seeds, single seeds thin.

    The test curve is for looking at, no epoch is chosen by it. Methods without epochs are dashed lines.
    """
    figure, axes = panels(1, 2, width=14, height=5.6)
    colours = variant_colours(measurement.variants)
    for label, curves in measurement.curves.groupby("variant", sort=False):
        _draw_curves(axes[0], curves, str(label), colours[str(label)])
    curves = measurement.curves[measurement.curves["variant"].isin(trained_by_epochs(measurement))]
    for ax in axes[0]:
        ax.set_xlabel("epoch")
        ax.grid()
        if wide_range(curves.groupby("variant")["epoch"].max()):
            ax.set_xscale("log")
        else:
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(curves) and wide_range(curves.groupby("variant")["train_loss"].max()):
        axes[0, 0].set_yscale("log")
    axes[0, 0].set_ylabel(loss_label(measurement))
    axes[0, 1].set_ylabel("UF1 (0 to 1) of all test subjects")
    axes[0, 0].set_title("What the network minimises", loc="left")
    axes[0, 1].set_title("What nobody may choose by", loc="left")
    axes[0, 1].legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)
    return sign(figure, measurement)


def loss_label(measurement: Measurement) -> str:
    """Name the loss that the networks of a measurement minimise."""
    trained = set(trained_by_epochs(measurement))
    losses = {variant.training.loss for label, variant in measurement.variants.items() if label in trained}
    return f"training loss ({' or '.join(sorted(losses)).replace('_', '-')})" if losses else "training loss"


def wide_range(values: pd.Series) -> bool:
    """Say whether positive values differ so much that only a logarithmic axis shows them all."""
    return bool(len(values) and values.max() >= WIDE_RANGE * values.min() > 0)


def _draw_curves(axes: Sequence[Axes], curves: pd.DataFrame, label: str, colour: str) -> None:
    if curves["epoch"].max() == 1:
        axes[1].axhline(curves["uf1"].mean(), color=colour, linestyle="--", label=label)
        return
    for ax, column in zip(axes, ("train_loss", "uf1"), strict=True):
        for _, one in curves.groupby("seed"):
            ax.plot(one["epoch"], one[column], color=colour, linewidth=0.8, alpha=0.4)
        mean = curves.groupby("epoch")[column].mean()
        ax.plot(mean.index, mean, color=colour, label=label)
