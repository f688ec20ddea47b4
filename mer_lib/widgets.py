"""Sliders and menus over pure drawing functions.

A drawing function takes plain values and returns a figure. Bound to controls it is redrawn when one of them moves;
run without a person, the same call leaves the figure for the starting values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.figure import Figure


def bind(draw: Callable[..., Figure], **controls: ipywidgets.ValueWidget) -> None:
    """Show `controls` above the figure that `draw` makes of their values, and redraw it when they change.

    Args:
        draw: called with one keyword a control; returns a matplotlib figure.
        controls: widgets with a `value`, by the keyword that they feed.
    """

    def values() -> dict[str, Any]:
        return {name: control.value for name, control in controls.items()}

    def redraw(_: object) -> None:
        figure.update(_closed(draw(**values())))

    display(ipywidgets.VBox(list(controls.values())))
    figure = display(_closed(draw(**values())), display_id=True)
    for control in controls.values():
        control.observe(redraw, names="value")


def _closed(figure: Figure) -> Figure:
    """Take `figure` from pyplot's list, so that the notebook does not draw it a second time."""
    plt.close(figure)
    return figure
