"""The look of every plotly figure: letters for a projector, a caption below, the mark of synthetic data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import plotly.io
from plotly.subplots import make_subplots

from mer_lib.plots.exploration.content import Content
from mer_lib.plots.style import ALARM_COLOUR, mark, marked

_FONT = "DejaVu Sans, Verdana, Arial, sans-serif"
_INK = "#222222"
_AXIS = {"showline": True, "linecolor": "#555555", "ticks": "outside", "tickcolor": "#555555", "zeroline": False}
TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": _FONT, "size": 16, "color": _INK},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "title": {"font": {"size": 22}, "x": 0, "xref": "container", "xanchor": "left"},
        "xaxis": {**_AXIS, "gridcolor": "#E2E2E2", "title": {"standoff": 8}},
        "yaxis": {**_AXIS, "gridcolor": "#E2E2E2"},
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "yref": "container", "yanchor": "top"},
        "hoverlabel": {"font": {"family": _FONT, "size": 15}},
    }
)
_LEGEND = 50  # pixels from the upper edge to the legend
_LINE = 19  # pixels of one line of a caption
_CAPTION_SIZE = 14


def framed(
    figure: go.Figure,
    shown: Content,
    height: int,
    *,
    below: int = 78,
    above: int = 100,
    left: int = 80,
    watermark: bool = True,
) -> go.Figure:
    """Give a figure its title, its caption, the look of the project and, where its data need one, their mark.

    Args:
        figure: changed in place.
        shown: what it shows.
        height: of the axes and of what is above them, in pixels; room for the caption is added.
        below: pixels between the axes and the caption, for ticks and the name of the axis.
        above: pixels between the axes and the upper edge, for title and legend.
        left: pixels between the axes and the left edge.
        watermark: False leaves the mark of the data in the caption alone, for pictures in which details are looked at.
    """
    text = marked(shown.caption, shown.kind)
    room = below + _LINE * (text.count("\n") + 1) + 12
    figure.update_layout(
        template=TEMPLATE,
        title_text=f"<b>{shown.title}</b>",
        title_y=1,
        title_yanchor="top",
        title_pad={"t": 16, "l": 10},
        legend_y=1 - _LEGEND / (height + room),
        height=height + room,
        margin={"l": left, "r": 36, "t": above, "b": room},
    )
    figure.add_annotation(
        name="caption", text=text.replace("\n", "<br>"), x=0, xref="paper", xanchor="left", xshift=-left + 10,
        y=0, yref="paper", yanchor="top", yshift=-below, align="left", showarrow=False,
        font={"size": _CAPTION_SIZE, "color": ALARM_COLOUR if mark(shown.kind) else "#444444"},
    )  # fmt: skip
    if mark(shown.kind) and watermark:
        figure.add_annotation(
            name="mark", text=f"<b>{mark(shown.kind)}</b>", x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False,
            textangle=-18, opacity=0.12, font={"size": 60, "color": ALARM_COLOUR},
        )  # fmt: skip
    return figure


def counting(most: float, ticks: int = 5) -> dict[str, int]:
    """Return options of an axis that counts up to `most`: about so many ticks, on whole numbers alone.

    >>> counting(3), counting(40)
    ({'dtick': 1}, {'nticks': 5})
    """
    return {"dtick": 1} if most <= ticks else {"nticks": ticks}


def room_beside(labels: Sequence[str], least: int = 80) -> int:
    """Return how many pixels the labels of an axis need on its left.

    >>> room_beside(["fear"]), room_beside(["a word that is longer"])
    (80, 230)
    """
    return max(least, 20 + 10 * max(map(len, labels)))


def panels(rows: int, columns: int, titles: Sequence[str], **options: Any) -> go.Figure:
    """Return a figure with a grid of axes, their titles in letters of the right size."""
    figure = make_subplots(rows, columns, subplot_titles=[f"<b>{title}</b>" for title in titles], **options)
    figure.update_annotations(font={"size": 17, "color": _INK})
    return figure


def mimebundle(figure: go.Figure) -> dict[str, Any]:
    """Return what a notebook stores of a figure: its numbers for the viewer's own plotly, no program and no address.

    JupyterLab finds the program in the extension that comes with the package plotly, so nothing is fetched.
    """
    return plotly.io.renderers["plotly_mimetype"].to_mimebundle(figure.to_dict())
