"""What every printed figure has: a title, a caption, a legend above the axes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from mer_lib.plots.exploration.content import Content
from mer_lib.plots.style import STYLE, caption

HATCH, HATCH_COLOUR = "//", "#777777"


def framed(
    figure: Figure, shown: Content, colours: Mapping[str, str] | None = None, hatched: str = "", watermark: bool = True
) -> Figure:
    """Give a figure its title, its caption, a legend and, where its data need one, their mark.

    Args:
        figure: changed in place.
        shown: what it shows.
        colours: of the legend between title and axes, by name; None where the axes say all.
        hatched: the one of `colours` that is hatched.
        watermark: False leaves the mark of the data in the caption alone, for pictures in which details are looked at.
    """
    if colours:
        patches = [patch(colour, name, hatched=name == hatched) for name, colour in colours.items()]
        # Title and legend are one block: constrained layout would draw the two over each other.
        bold = {"size": STYLE["figure.titlesize"], "weight": "bold"}
        figure.legend(
            handles=patches, ncols=min(len(patches), 8), loc="outside upper left", title=shown.title, alignment="left",
            title_fontproperties=bold, borderaxespad=0.2,
        )  # fmt: skip
    else:
        figure.suptitle(shown.title, x=0.01, ha="left")
    return caption(figure, shown.caption, kind=shown.kind, watermark=watermark)


def patch(colour: str, name: str, *, hatched: bool) -> Patch:
    """Return the patch that stands for a colour in a legend."""
    if hatched:
        return Patch(facecolor=colour, label=name, hatch=HATCH, edgecolor=HATCH_COLOUR)
    return Patch(facecolor=colour, label=name)


def unused(axes: np.ndarray, count: int) -> None:
    """Hide the axes of a grid after the first `count`."""
    for ax in axes.ravel()[count:]:
        ax.set_axis_off()
