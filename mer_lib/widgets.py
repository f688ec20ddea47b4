"""Sliders and menus over pure drawing functions.

A drawing function takes plain values and returns a figure. Bound to controls it is redrawn when one of them moves;
run without a person, the same call leaves the figure for the starting values.

Redrawing never falls behind a hand that moves a slider: one thread draws, and whatever was asked for while it was
busy is left out but for the newest.
"""

from __future__ import annotations

import html
import io
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
import PIL.Image
from IPython import get_ipython
from IPython.display import Image, display
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from mer_lib.errors import MerError, ParameterError
from mer_lib.plots.style import DRAWING, pixels

SETTLE = 0.04  # seconds that a redraw waits for the hand to come to rest
PATIENCE = 0.15  # seconds after which a redraw that goes on is said to go on
STEP = 100  # milliseconds a frame that is played
_THREAD = ThreadPoolExecutor(1, thread_name_prefix="redraw")

_ROW = {"display": "flex", "flex_flow": "row wrap", "align_items": "center"}
_SPINNER = """<span style="color:#555555"><svg width="16" height="16" viewBox="0 0 16 16" style="vertical-align:-2px">
<circle cx="8" cy="8" r="6" fill="none" stroke="#0072B2" stroke-width="3" stroke-dasharray="26 12"><animateTransform
attributeName="transform" type="rotate" from="0 8 8" to="360 8 8" dur="0.9s" repeatCount="indefinite"/></circle></svg>
drawing …</span>"""
_ERROR = """<div style="border-left:4px solid #B00020; padding:2px 10px; color:#B00020; line-height:1.35;
white-space:pre-wrap; overflow-wrap:anywhere">{}</div>"""


def bind(draw: Callable[..., Figure | Styler], **controls: ipywidgets.ValueWidget) -> None:
    """Show `controls` above the figure or table that `draw` makes of their values, and redraw it when they change.

    A redraw that takes long is announced; one that fails says why above the last figure that could be drawn.

    Args:
        draw: called with one keyword a control, from a thread of its own; returns a matplotlib figure, or a table.
        controls: widgets with a `value`, by the keyword that they feed.

    Raises:
        Exception: whatever `draw` raises for the starting values, where no person sits in front of the notebook.
    """
    _Binding(draw, controls).show([*controls.values()])


def player(
    draw: Callable[..., Figure],
    n: int | Callable[..., int],
    *,
    start: int = 0,
    step: int = STEP,
    **controls: ipywidgets.ValueWidget,
) -> None:
    """Do as :func:`bind`, with a button that plays frames and a slider over them.

    Args:
        draw: called with the keyword `frame`, from 0 to n - 1, and one keyword a control.
        n: how many frames there are; or what returns that, called with one keyword a control, where it depends on them.
        start: frame that is shown first.
        step: milliseconds a frame; frames are left out where drawing one takes longer.
        controls: as for :func:`bind`.

    Raises:
        ParameterError: there is no frame, or `start` is none of them.
        Exception: as for :func:`bind`.
    """
    count = n if callable(n) else lambda **values: n
    first = count(**{name: control.value for name, control in controls.items()})
    if not 0 <= start < first:
        raise ParameterError(f"player: expected a start from 0 to n - 1, got start {start} of {first} frames")
    slider = ipywidgets.IntSlider(start, min=0, max=first - 1, description="frame", layout={"width": "560px"})
    play = ipywidgets.Play(value=start, min=0, max=first - 1, interval=step)
    ipywidgets.jslink((play, "value"), (slider, "value"))

    def draw_frame(frame: int, **values: Any) -> Figure:
        slider.max = play.max = count(**values) - 1
        return draw(frame=min(frame, slider.max), **values)

    _Binding(draw_frame, {"frame": slider, **controls}).show([*controls.values()], [play, slider])


class _Binding:
    """A figure or a table, and the controls that it follows."""

    def __init__(self, draw: Callable[..., Figure | Styler], controls: dict[str, ipywidgets.ValueWidget]) -> None:
        self._draw, self._controls = draw, controls
        self._asked = False
        self._spinner = ipywidgets.HTML(_SPINNER, layout={"visibility": "hidden", "margin": "0 0 0 12px"})
        self._message = ipywidgets.HTML(layout={"display": "none"})

    def show(self, *rows: list[ipywidgets.Widget]) -> None:
        """Show rows of controls, and below them the figure."""
        shown = [*rows[:-1], [*rows[-1], self._spinner]]
        display(ipywidgets.VBox([*(ipywidgets.Box(row, layout=_ROW) for row in shown), self._message]))
        self._figure = display(self._first(), display_id=True)
        for control in self._controls.values():
            control.observe(self._ask, names="value")

    def _first(self) -> Any:
        """Return the figure for the starting values; an error is shown to a person, and raised where there is none."""
        try:
            return self._picture()
        except Exception as error:
            if not _attended():
                raise
            self._explain(error, "")
            return _Nothing()

    def _ask(self, _: object) -> None:
        """Have the figure drawn soon, unless that was asked for already."""
        if not self._asked:
            self._asked = True
            _THREAD.submit(self._redraw)

    def _redraw(self) -> None:
        time.sleep(SETTLE)
        self._asked = False  # before the values are read: what changes from now on is asked for again
        try:
            self._figure.update(self._picture())
        except Exception as error:
            self._explain(error, "\nThe figure below is the last one that could be drawn.")
        else:
            self._message.layout.display = "none"

    def _picture(self) -> Image | Styler:
        with self._announced(), DRAWING:
            drawn = self._draw(**{name: control.value for name, control in self._controls.items()})
            return picture(drawn) if isinstance(drawn, Figure) else drawn

    @contextmanager
    def _announced(self) -> Iterator[None]:
        """Show the spinner while the body runs, once that has taken long."""
        timer = threading.Timer(PATIENCE, setattr, (self._spinner.layout, "visibility", "visible"))
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            self._spinner.layout.visibility = "hidden"

    def _explain(self, error: Exception, remark: str) -> None:
        text = str(error) if isinstance(error, MerError) else f"{type(error).__name__}: {error}"
        self._message.value = _ERROR.format(html.escape(text + remark))
        self._message.layout.display = ""


class _Nothing:
    """Holds the place of a figure that could not be drawn."""

    def __repr__(self) -> str:
        return ""


def picture(figure: Figure) -> Image:
    """Return a figure as a picture that notebooks show at once, without a second layout; the figure is closed.

    Its size is that of the figure, so that nothing jumps from one picture to the next.
    """
    shown, stream = pixels(figure), io.BytesIO()
    plt.close(figure)
    PIL.Image.fromarray(shown).save(stream, "png", compress_level=1)
    height, width = shown.shape[:2]
    return Image(data=stream.getvalue(), format="png", width=width, height=height, alt=figure.get_suptitle())


def _attended() -> bool:
    """Tell whether a person can answer: JupyterLab says so with every cell, papermill says that there is none."""
    kernel = getattr(get_ipython(), "kernel", None)
    return bool(kernel and kernel.get_parent().get("content", {}).get("allow_stdin"))
