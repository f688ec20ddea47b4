"""When things happen: how long a sample lasts, and where its apex lies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from mer_lib.datasets.collection import Collection
from mer_lib.datasets.summaries import MICRO_MS, SPANS, class_order
from mer_lib.plots.exploration import content
from mer_lib.plots.exploration.interactive.frame import counting, framed, panels, room_beside
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


def durations(collection: Collection) -> go.Figure:
    """Draw how long each sample lasts, and how long it takes to its apex: a dot a sample."""
    shown = content.durations(collection)
    parts = shown.parts
    figure = panels(1, len(SPANS), [f"from {span}" for span in SPANS], shared_yaxes=True, horizontal_spacing=0.04)
    for column, span in enumerate(SPANS, start=1):
        for label in reversed(class_order(shown.table["label"])):  # the first one on top
            found = dots(shown.table, span, parts)
            found = found[found["label"] == label]
            figure.add_scatter(
                row=1, col=column, name=label, legendgroup=label, showlegend=column == len(SPANS), mode="markers",
                cliponaxis=False, x=found["ms"], y=found["place"], text=found["sample_id"], customdata=found["frames"],
                marker={"color": colour_of(label), "size": 6, "opacity": 0.7},
                hovertemplate=f"%{{text}}<br>%{{x:.0f}} ms, %{{customdata}} frames, {label}<extra></extra>",
            )  # fmt: skip
        _medians(figure, shown, span, parts, column)
        _not_annotated(figure, shown, span, parts, column)
    figure.add_vline(x=MICRO_MS, row=1, col=2, line={"dash": "dash", "color": "#555555"})
    figure.add_annotation(
        row=1, col=2, x=np.log10(MICRO_MS), y=-DOT_ROOM, text="½ s", showarrow=False, xanchor="left", yanchor="top",
        xshift=4, font_size=15,
    )  # fmt: skip
    longest = shown.table.loc[shown.table["span"] == LONG_SPAN, "ms"]
    low, high, ticks = milliseconds(longest)
    shortest = shown.table.loc[shown.table["span"] != LONG_SPAN, "ms"]
    figure.update_xaxes(title="milliseconds", range=[0, short_axis(shortest)], row=1, col=1)
    figure.update_xaxes(
        title="milliseconds, logarithmic", type="log", range=[np.log10(low), np.log10(high)], tickvals=ticks,
        ticktext=[f"{tick:,}" for tick in ticks], row=1, col=2,
    )  # fmt: skip
    names = [part_name(part) for part in parts]
    figure.update_yaxes(
        tickvals=list(range(len(parts))), ticktext=names,
        range=[len(parts) - 1 + DOT_ROOM, -DOT_ROOM], showgrid=False, ticks="",
    )  # fmt: skip
    return framed(figure, shown, 130 * len(parts) + 130, above=115, left=room_beside(names, 150)).update_layout(
        legend_traceorder="reversed"
    )


def _medians(figure: go.Figure, shown: content.Content, span: str, parts: Sequence[str], column: int) -> None:
    table, logarithmic = shown.table[shown.table["span"] == span], span == LONG_SPAN
    for part, median in table.groupby("dataset", sort=False)["ms"].median().items():
        at = parts.index(str(part))
        figure.add_scatter(
            row=1, col=column, x=[median, median], y=[at - 0.36, at + 0.36], mode="lines", showlegend=False,
            name="median", line={"color": MEDIAN_COLOUR, "width": 3},
            hovertemplate=f"median {median:.0f} ms<extra></extra>",
        )  # fmt: skip
        figure.add_annotation(
            row=1, col=column, x=np.log10(max(median, 1)) if logarithmic else median, y=at + 0.4, showarrow=False,
            text=f"{median:.0f} ms", xanchor="left", xshift=4, font_size=15, bgcolor="rgba(255,255,255,0.8)",
        )  # fmt: skip


def _not_annotated(figure: go.Figure, shown: content.Content, span: str, parts: Sequence[str], column: int) -> None:
    there = set(shown.table.loc[shown.table["span"] == span, "dataset"])
    for at in (at for at, part in enumerate(parts) if part not in there):
        figure.add_annotation(
            row=1, col=column, x=0, xref="x domain", y=at, text=not_annotated(span), showarrow=False, xanchor="left",
            xshift=8, font_size=15, font_color="#666666",
        )  # fmt: skip


def apex_position(collection: Collection) -> go.Figure:
    """Draw where between onset and offset the apex lies, as bars of tenths."""
    shown = content.apex_position(collection)
    parts = shown.parts
    rows, columns = grid(len(parts))
    figure = panels(
        rows, columns, [part_name(part) for part in parts], horizontal_spacing=0.06, vertical_spacing=0.3 / rows
    )
    labels = class_order(shown.table["label"])
    for at, part in enumerate(parts):
        row, column = at // columns + 1, at % columns + 1
        for label in labels:
            found = shown.table[(shown.table["dataset"] == part) & (shown.table["label"] == label)]
            figure.add_bar(
                row=row, col=column, name=label, legendgroup=label, showlegend=_first(shown, label, part),
                marker_color=colour_of(label), x=found["tenth"] + 0.05, y=found["samples"], width=0.094,
                customdata=found["tenth"],
                hovertemplate=f"{label}: %{{y}} samples in the tenth from %{{customdata}}<extra></extra>",
            )  # fmt: skip
        most = shown.table[shown.table["dataset"] == part].groupby("tenth")["samples"].sum().max()
        figure.update_yaxes(row=row, col=column, **counting(most))
        median = shown.extra["medians"][part]
        figure.add_vline(x=0.5, row=row, col=column, line={"dash": "dash", "color": "#555555"})
        figure.add_vline(x=median, row=row, col=column, line={"color": MEDIAN_COLOUR, "width": 3})
    figure.update_layout(barmode="stack")
    figure.update_xaxes(range=[0, 1], tickvals=[0, 0.5, 1], ticktext=["onset", "half", "offset"], showgrid=False)
    figure.update_yaxes(title="samples", col=1)
    return framed(figure, shown, 300 * rows + 80, above=115, below=45)


def _first(shown: content.Content, label: str, part: str) -> bool:
    """Say whether `part` is the first data set with a class, so that the legend names the class once."""
    return bool(shown.table.loc[shown.table["label"] == label, "dataset"].iloc[0] == part)
