"""Interactive figures of the page: points with intervals, the optimism gap, learning curves; hovering shows numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mer_lib.papers.measure import Measurement
from mer_lib.plots.scores import loss_label, scores_of, trained_by_epochs, wide_range
from mer_lib.plots.style import (
    PROTOCOL_LABELS,
    REPORTED_LABEL,
    checked_protocols,
    dataset_label,
    mark,
    marked,
    metric_label,
    variant_colours,
)
from mer_lib.report.formatting import difference, measured

SYMBOLS = {"fixed": "circle", "nested": "square", "published": "triangle-up-open"}
SHIFT = {"fixed": -0.14, "nested": 0.14, "published": 0.0}  # along the axis of variants, so that nothing hides
SUBSET_SYMBOLS = ("cross", "x", "star-triangle-down", "hourglass")
PANELS = ("uf1", "uar")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")  # to tell lines apart in grey print
LOOK = "simple_white"  # template of plotly that all figures share
FEW_EPOCHS = 12  # up to here each epoch has its tick
INK, GREY, ALARM = "#222222", "#8A8A8A", "#B00020"
FONT = {"family": "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif", "size": 14, "color": INK}


def score_figure(measurement: Measurement) -> go.Figure:
    """Return UF1 and UAR of every variant, with intervals, and the printed numbers as open diamonds beside them.

    Along an ablation the scores go up the page, else variants stand below each other. The data sets of the composite
    are there, too, and shown on a click on the legend.
    """
    upright = measurement.experiment.figure == "line"
    figure = make_subplots(1, len(PANELS), subplot_titles=[metric_label(m) for m in PANELS], horizontal_spacing=0.06,
                           shared_yaxes=True)  # fmt: skip
    for column, metric in enumerate(PANELS, start=1):
        for trace in _score_traces(measurement, metric, upright):
            trace.showlegend = column == 1
            figure.add_trace(trace, row=1, col=column)
    labels = list(measurement.variants)
    if upright:
        figure.update_xaxes(title=plain(measurement.experiment.axis) or None, **_variant_axis(labels))
        figure.update_yaxes(title="score, 0 to 1", col=1)
        return _finish(figure, measurement, 430)
    figure.update_yaxes(**_variant_axis(labels) | {"range": [len(labels) - 0.5, -0.5]})
    figure.update_xaxes(title="score, 0 to 1, pooled over folds")
    return _finish(figure, measurement, 190 + 52 * len(labels))


def _variant_axis(labels: list[str]) -> dict[str, Any]:
    """Return an axis of variants at 0, 1, 2 …, so that markers of one variant can stand beside each other."""
    ticks = [plain(label) for label in labels]
    return {"tickvals": list(range(len(ticks))), "ticktext": ticks, "range": [-0.5, len(ticks) - 0.5]}


def _score_traces(measurement: Measurement, metric: str, upright: bool) -> list[go.Scatter]:
    traces = []
    for protocol in checked_protocols(measurement, ["fixed", "nested"]):
        rows, ink = scores_of(measurement, metric, protocol), INK if protocol == "fixed" else GREY
        traces.append(_points(rows, PROTOCOL_LABELS[protocol], SYMBOLS[protocol], ink, upright, SHIFT[protocol]))
    fixed = scores_of(measurement, metric)
    if fixed["reported"].notna().any():
        traces.append(_reported(fixed, upright))
    subsets = [name for name in dict.fromkeys(measurement.scores["subset"]) if name != "full"]
    for name, symbol in zip(subsets, SUBSET_SYMBOLS, strict=False):
        rows = scores_of(measurement, metric, "fixed", name)
        trace = _points(rows, dataset_label(name), symbol, "#0072B2", upright, SHIFT["fixed"])
        trace.visible = "legendonly"
        traces.append(trace)
    return traces


def _points(rows: pd.DataFrame, name: str, symbol: str, ink: str, upright: bool, shift: float) -> go.Scatter:
    values = rows["value"].round(4)
    error = {
        "type": "data",
        "symmetric": False,
        "array": _reach(rows["high"] - values),
        "arrayminus": _reach(values - rows["low"]),
        "thickness": 2,
        "width": 5,
        "color": ink,
    }
    hover = [
        _hover(label, f"{name}: {measured(r.value, r.low, r.high, r.sd)}", f"{r.n} samples, {r.seeds} seeds")
        for label, r in zip(rows.index, rows.itertuples(), strict=True)
    ]
    marker = {"symbol": symbol, "size": 11, "color": ink}
    return _scatter(values, upright, shift, name=plain(name), marker=marker, hover=hover, error=error)


def _reported(rows: pd.DataFrame, upright: bool) -> go.Scatter:
    hover = [_hover(label, f"printed: {text}") for label, text in zip(rows.index, rows["reported_text"], strict=True)]
    marker = {"symbol": "diamond-open", "size": 12, "color": "#000000", "line": {"width": 2}}
    return _scatter(rows["reported"], upright, 0.0, name=REPORTED_LABEL, marker=marker, hover=hover)


def _scatter(
    values: pd.Series,
    upright: bool,
    shift: float,
    *,
    hover: list[str],
    error: dict[str, Any] | None = None,
    **rest: Any,
) -> go.Scatter:
    along, across = [position + shift for position in range(len(values))], _numbers(values)
    options = rest | {"mode": "markers", "hovertext": hover, "hoverinfo": "text", "legendgroup": rest["name"]}
    if error is not None:
        options["error_y" if upright else "error_x"] = error
    return go.Scatter(x=along if upright else across, y=across if upright else along, **options)


def _hover(label: str, *lines: str) -> str:
    return "<br>".join([f"<b>{plain(label)}</b>", *(plain(line) for line in lines)])


def plain(text: str) -> str:
    """Return `text` so that plotly, which reads a few HTML tags in labels, shows it letter by letter.

    >>> plain("a < b")
    'a &lt; b'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _reach(lengths: pd.Series) -> list[float]:
    # A percentile interval need not hold the score itself, and a bar of negative length cannot be drawn.
    return [round(max(float(value), 0.0), 4) for value in np.nan_to_num(lengths.to_numpy(float))]


def _numbers(values: pd.Series) -> list[float | None]:
    """Return values that JSON knows: no NaN."""
    return [None if pd.isna(value) else round(float(value), 4) for value in values]


def gap_figure(measurement: Measurement) -> go.Figure:
    """Return UF1 under all protocols on one line a variant; methods without epochs have no gap and are left out."""
    labels = trained_by_epochs(measurement) or list(measurement.variants)
    gaps = measurement.gaps.set_index("variant").loc[labels]
    protocols = checked_protocols(measurement)
    figure = go.Figure()
    for position, (_, row) in enumerate(gaps[protocols].iterrows()):
        bar = {"mode": "lines", "line": {"color": "#C8C8C8", "width": 6}, "hoverinfo": "skip", "showlegend": False}
        figure.add_scatter(x=_numbers(row.agg(["min", "max"])), y=[position] * 2, **bar)
    for protocol in protocols:
        figure.add_trace(_gap_points(gaps, protocol))
    low, high = float(gaps[protocols].min(axis=None)), float(gaps[protocols].max(axis=None))
    figure.update_yaxes(**_variant_axis(labels) | {"range": [len(labels) - 0.5, -0.5]})
    figure.update_xaxes(title="UF1, 0 to 1, all data sets", range=[max(low - 0.03, -0.01), min(high + 0.03, 1.01)])
    return _finish(figure, measurement, 150 + 46 * len(labels))


def _gap_points(gaps: pd.DataFrame, protocol: str) -> go.Scatter:
    name = PROTOCOL_LABELS[protocol]
    hover = [
        _hover(str(label), f"{name}: {measured(value)}", f"published − fixed: {difference(gap)}")
        for label, value, gap in zip(gaps.index, gaps[protocol], gaps["published_minus_fixed"], strict=True)
    ]
    ink = {"fixed": INK, "nested": GREY, "published": ALARM}[protocol]
    marker = {"symbol": SYMBOLS[protocol], "size": 12, "color": ink, "line": {"width": 2, "color": ink}}
    return _scatter(gaps[protocol], False, SHIFT[protocol], name=name, marker=marker, hover=hover)


def learning_figure(measurement: Measurement) -> go.Figure | None:
    """Return training loss and pooled test UF1 by epoch, means over seeds; None where nothing trains by epochs."""
    labels = trained_by_epochs(measurement)
    if not labels:
        return None
    curves = measurement.curves[measurement.curves["variant"].isin(labels)]
    figure = make_subplots(1, 2, subplot_titles=[loss_label(measurement), "UF1 of all test subjects"],
                           horizontal_spacing=0.08)  # fmt: skip
    colours = variant_colours(measurement.variants)
    for number, label in enumerate(labels):
        means = curves[curves["variant"] == label].groupby("epoch")[["train_loss", "uf1"]].mean()
        line = {"color": colours[label], "width": 2, "dash": DASHES[number % len(DASHES)]}
        for column, name in enumerate(means, start=1):
            figure.add_trace(_curve(means[name], plain(label), line, column == 1), row=1, col=column)
    largest = curves.groupby("variant")[["epoch", "train_loss"]].max()
    figure.update_xaxes(title="epoch", type="log" if wide_range(largest["epoch"]) else "linear")
    figure.update_yaxes(type="log" if wide_range(largest["train_loss"]) else "linear", col=1)
    if largest["epoch"].max() <= FEW_EPOCHS:
        figure.update_xaxes(dtick=1, type="linear")
    return _finish(figure, measurement, 400)


def _curve(values: pd.Series, label: str, line: dict[str, Any], in_legend: bool) -> go.Scatter:
    return go.Scatter(
        x=values.index.tolist(), y=_numbers(values), name=label, legendgroup=label, showlegend=in_legend, mode="lines",
        line=line, hovertemplate=f"epoch %{{x}}: %{{y:.4f}}<extra>{label}</extra>",
    )  # fmt: skip


def _finish(figure: go.Figure, measurement: Measurement, height: int) -> go.Figure:
    """Give `figure` the page's look, and a line that goes with it wherever it is saved: what its numbers come from."""
    kind = measurement.dataset.kind
    figure.update_layout(
        template=LOOK,
        font=FONT,
        height=height + 20,
        margin={"l": 10, "r": 10, "t": 64, "b": 10},
        title={
            "text": plain(marked(measurement.caption, kind)),
            "x": 0,
            "xanchor": "left",
            "y": 1,
            "yanchor": "top",
            "yref": "container",
            "pad": {"t": 8},
            "font": {"size": 12, "color": ALARM if mark(kind) else "#57606a"},
        },
        legend={"orientation": "h", "x": 0, "y": 0, "yanchor": "bottom", "yref": "container", "font": {"size": 13}},
        hoverlabel={"bgcolor": "white", "font": {"color": INK}, "align": "left"},
    )
    figure.update_xaxes(showgrid=True, gridcolor="#E6E6E6", automargin=True)
    figure.update_yaxes(showgrid=True, gridcolor="#E6E6E6", automargin=True)
    return figure
