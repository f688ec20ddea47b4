"""How many samples: of classes, of emotions, of what a label rule keeps; and what a guess scores."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from mer_lib.datasets.collection import Collection
from mer_lib.datasets.summaries import DROPPED, class_order, in_order
from mer_lib.plots.exploration import content
from mer_lib.plots.exploration.content import Content
from mer_lib.plots.exploration.interactive.frame import counting, framed, panels, room_beside
from mer_lib.plots.exploration.look import (
    BLANK_COLOUR,
    GUESS_MARKS,
    colour_of,
    grid,
    part_name,
    ratio_text,
    rule_text,
    short,
)

_PLOT = 0.68  # share of the width that scores take; the rest is text
_SYMBOLS = {"o": "circle", "s": "square", "^": "triangle-up"}


def classes_by_dataset(collection: Collection) -> go.Figure:
    """Draw how many samples of each class each data set has."""
    shown = content.classes_by_dataset(collection)
    figure = go.Figure()
    for label in class_order(shown.table["label"]):
        part = shown.table[shown.table["label"] == label]
        figure.add_bar(
            name=label, x=part["dataset"].map(part_name), y=part["samples"], marker_color=colour_of(label),
            text=part["samples"], textposition="outside", cliponaxis=False, customdata=part["subjects"],
            hovertemplate="%{x}, " + label + ": %{y} samples of %{customdata} subjects<extra></extra>",
        )  # fmt: skip
    figure.update_layout(barmode="group", bargap=0.25, bargroupgap=0.06)
    figure.update_yaxes(title="samples", rangemode="tozero", **counting(shown.table["samples"].max(), 6))
    figure.update_xaxes(showgrid=False)
    return framed(figure, shown, 420, below=50)


def emotions(collection: Collection) -> go.Figure:
    """Draw how many samples of each emotion each data set has."""
    shown = content.emotions(collection)
    parts = shown.parts
    figure, columns = _a_panel_a_part(parts)
    for at, part in enumerate(parts):
        table = shown.table[shown.table["dataset"] == part].set_index("emotion")
        figure.add_bar(
            row=at // columns + 1, col=at % columns + 1, orientation="h", x=table["samples"], y=table.index,
            marker_color=[colour_of(name) for name in table.index], text=table["samples"], textposition="outside",
            cliponaxis=False, customdata=table["subjects"], showlegend=False,
            hovertemplate=part_name(part) + ", %{y}: %{x} samples of %{customdata} subjects<extra></extra>",
        )  # fmt: skip
    return _with_emotions(figure, shown, 1.16 * int(shown.table["samples"].max()), above=85)


def imbalance(collection: Collection) -> go.Figure:
    """Draw what always guessing the commonest class scores, and how much more common it is than the rarest."""
    shown = content.imbalance(collection)
    table = shown.table
    names = [part_name(name) for name in table["dataset"]]
    figure = go.Figure()
    for metric, look in GUESS_MARKS.items():
        figure.add_scatter(
            name=look.label, x=table[metric], y=names, mode="markers", cliponaxis=False,
            marker={"symbol": _SYMBOLS[look.marker], "size": 1.3 * look.size, "color": look.colour},
            hovertemplate="%{y}, " + look.label + ": %{x:.3f}<extra></extra>",
        )  # fmt: skip
    for name, row in zip(names, table.itertuples(), strict=True):
        figure.add_annotation(
            x=_PLOT + 0.02, xref="paper", y=name, text=ratio_text(row).replace("\n", "<br>"), showarrow=False,
            xanchor="left", align="left", font_size=15,
        )  # fmt: skip
    figure.update_xaxes(range=[0, 1], domain=[0, _PLOT], dtick=0.2, title="score of the guess (1: always right)")
    figure.update_yaxes(autorange="reversed", ticks="")
    return framed(figure, shown, 62 * len(names) + 130, left=room_beside(names, 190))


def label_rules(collection: Collection, label_set: str = "") -> go.Figure:
    """Draw what becomes of each emotion: the class that it joins, or that it is dropped.

    Args:
        collection: where the samples come from.
        label_set: a name of the manifest's label sets; where empty, the classes that the samples table has.
    """
    shown = content.label_rules(collection, label_set)
    parts = shown.parts
    figure, columns = _a_panel_a_part(parts)
    for outcome in class_order(shown.table["outcome"]):
        _outcome(figure, shown.table, outcome, parts, columns)
    for at, part in enumerate(parts):
        table = shown.table[shown.table["dataset"] == part]
        for emotion, group in table.groupby("emotion", sort=False):
            figure.add_annotation(
                row=at // columns + 1, col=at % columns + 1, x=group["samples"].sum(), y=emotion, text=rule_text(group),
                showarrow=False, xanchor="left", xshift=4, font_size=13,
            )  # fmt: skip
    figure.update_layout(barmode="stack")
    room = 1.75 * int(shown.table.groupby(["dataset", "emotion"])["samples"].sum().max())
    return _with_emotions(figure, shown, room, above=115)


def _a_panel_a_part(parts: Sequence[str]) -> tuple[go.Figure, int]:
    """Return an empty figure with a panel a data set, and how many panels are beside each other."""
    rows, columns = grid(len(parts))
    titles = [part_name(part) for part in parts]
    spacing = 0.25 / rows
    return panels(rows, columns, titles, shared_yaxes=True, horizontal_spacing=0.03, vertical_spacing=spacing), columns


def _with_emotions(figure: go.Figure, shown: Content, room: float, above: int) -> go.Figure:
    """Frame a figure of a panel a data set, in each a row an emotion, whose bars have `room` to the right."""
    names = in_order(shown.table["emotion"])
    rows, _ = grid(len(shown.parts))
    labels = list(map(short, names))
    figure.update_xaxes(range=[0, room], **counting(room))
    figure.update_xaxes(title="samples", row=rows)
    figure.update_yaxes(
        categoryorder="array", categoryarray=names[::-1], tickvals=names, ticktext=labels, showgrid=False, ticks=""
    )
    height = rows * (36 * len(names) + 60) + above - 45
    return framed(figure, shown, height, above=above, left=room_beside(labels, 110))


def _outcome(figure: go.Figure, table: pd.DataFrame, outcome: str, parts: Sequence[str], columns: int) -> None:
    chosen = table[table["outcome"] == outcome]
    for at, part in enumerate(parts):
        found = chosen[chosen["dataset"] == part].groupby("emotion", sort=False)
        found = found.agg(samples=("samples", "sum"), why=("reason", _reasons))
        pattern = {"shape": "/", "fgcolor": "#777777", "bgcolor": BLANK_COLOUR} if outcome == DROPPED else None
        figure.add_bar(
            row=at // columns + 1, col=at % columns + 1, orientation="h", name=outcome, legendgroup=outcome,
            showlegend=part == chosen["dataset"].iloc[0], x=found["samples"], y=found.index,
            marker_color=colour_of(outcome), marker_pattern=pattern, customdata=found["why"],
            hovertemplate=f"{part_name(part)}, %{{y}} → {outcome}: %{{x}} samples%{{customdata}}<extra></extra>",
        )  # fmt: skip


def _reasons(reasons: pd.Series) -> str:
    named = sorted({reason for reason in reasons if reason})
    return f" ({', '.join(named)})" if named else ""
