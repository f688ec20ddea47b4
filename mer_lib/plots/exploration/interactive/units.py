"""Action units: which go with which emotion, and which go together."""

from __future__ import annotations

import plotly.graph_objects as go

from mer_lib.datasets.collection import Collection
from mer_lib.plots.exploration import content
from mer_lib.plots.exploration.interactive.frame import framed, panels, room_beside
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

_LEAST_HEIGHT = 200  # pixels that the name of the axis and the scale of colours need


def unit_frequencies(collection: Collection, most: int = 16) -> go.Figure:
    """Draw the share of samples of each emotion that move each common action unit.

    Args:
        collection: where the samples come from.
        most: so many units, the commonest ones.
    """
    shown = content.unit_frequencies(collection, most)
    shares, counts, of = unit_table(shown.table)
    names = [f"<b>{unit}</b> {unit_name(unit)}" for unit in shares.columns]
    emotions = [f"{emotion} ({of[emotion]})" for emotion in shares.index]
    labels = [f"{short(emotion)} ({of[emotion]})" for emotion in shares.index]
    figure = go.Figure(
        go.Heatmap(
            z=100 * shares.to_numpy(), x=names, y=emotions,
            text=per_cent(shares), texttemplate="%{text}", textfont_size=15, colorscale=SHARE_COLOURS, zmin=0, zmax=100,
            customdata=counts.to_numpy(), xgap=2, ygap=2, colorbar={"title": "% of<br>samples", "ticksuffix": " %"},
            hovertemplate="%{y}, AU %{x}: %{customdata} samples, %{z:.0f} %<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(tickangle=-50, showgrid=False, showline=False, ticks="", title="action unit")
    figure.update_yaxes(
        autorange="reversed", showgrid=False, showline=False, ticks="", title="emotion (coded samples)",
        tickvals=emotions, ticktext=labels,
    )  # fmt: skip
    height = max(46 * len(shares), _LEAST_HEIGHT) + 80
    return framed(figure, shown, height, above=65, below=225, left=room_beside(labels, 130) + 30)


def unit_pairs(collection: Collection, most: int = 8, squares: int = 6) -> go.Figure:
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
    titles = [pair_title(str(emotion), table) for emotion, table in groups]
    figure = panels(rows, columns, titles, horizontal_spacing=0.07, vertical_spacing=0.2 / rows)
    for at, (_, table) in enumerate(groups):
        shares, counts = square_of_pairs(table)
        names = [f"{unit} " for unit in shares.columns]
        hints = [[f"{unit_name(a)} + {unit_name(b)}" for b in shares.columns] for a in shares.index]
        figure.add_heatmap(
            row=at // columns + 1, col=at % columns + 1, z=100 * shares.to_numpy(), x=names, y=names,
            text=counts.map(lambda n: str(int(n)) if n else ""), texttemplate="%{text}", textfont_size=13,
            coloraxis="coloraxis", xgap=1, ygap=1, customdata=hints,
            hovertemplate="AU %{y}+ %{x}: %{text} samples, %{z:.0f} %<br>%{customdata}<extra></extra>",
        )  # fmt: skip
    bar = {"title": "% of<br>samples", "ticksuffix": " %"}
    figure.update_layout(coloraxis={"colorscale": SHARE_COLOURS, "cmin": 0, "cmax": 100, "colorbar": bar})
    figure.update_xaxes(showgrid=False, showline=False, ticks="", type="category")
    figure.update_xaxes(title="action unit", row=rows)
    figure.update_yaxes(showgrid=False, showline=False, ticks="", type="category", autorange="reversed")
    return framed(figure, shown, 360 * rows + 40, above=95, below=65)
