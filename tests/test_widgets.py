"""Controls redraw the same figure that a headless run leaves; the newest state wins, and errors are shown in place."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
import nbclient
import nbformat
import numpy as np
import pandas as pd
import PIL.Image
import pytest
from matplotlib.figure import Figure

from mer_lib import widgets
from mer_lib.errors import DataError, ParameterError
from mer_lib.plots.style import panels, pixels, styled


class Shown:
    """Stands for IPython's display: remembers what was shown first and what replaced it."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.updates: list[object] = []

    def __call__(self, item: object, display_id: bool = False) -> Shown:
        self.items.append(item)
        return self

    def update(self, item: object) -> None:
        self.updates.append(item)

    @property
    def rows(self) -> list[list[ipywidgets.Widget]]:
        return [list(row.children) for row in self.items[0].children[:-1]]

    @property
    def spinner(self) -> ipywidgets.HTML:
        return self.rows[-1][-1]

    @property
    def message(self) -> ipywidgets.HTML:
        return self.items[0].children[-1]

    @property
    def says(self) -> str:
        """What the message says, empty where it is hidden."""
        return "" if self.message.layout.display == "none" else self.message.value


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    stand_in = Shown()
    monkeypatch.setattr(widgets, "display", stand_in)
    return stand_in


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    yield
    settle()
    assert plt.get_fignums() == []  # nothing would be drawn a second time


def settle() -> None:
    """Wait until the one thread that draws has done all that it was asked for so far."""
    widgets._THREAD.submit(lambda: None).result(timeout=30)


class Drawing:
    """A drawing function that remembers its calls and can be made to wait in the middle of one, or to fail."""

    def __init__(self) -> None:
        self.calls: list[tuple] = []
        self.threads: set[str] = set()
        self.error: Exception | None = None
        self.entered, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    def __call__(self, **values: object) -> Figure:
        self.calls.append(tuple(values.values()))
        self.threads.add(threading.current_thread().name)
        self.entered.set()
        assert self.go_on.wait(30)
        if self.error:
            raise self.error
        return plt.figure(figsize=(1, 1))


# -- bind -------------------------------------------------------------------------------------------------------------


def test_a_moved_control_redraws_the_figure_with_its_new_value(shown: Shown) -> None:
    draw = Drawing()
    slider, menu = ipywidgets.IntSlider(7, 5, 10), ipywidgets.Dropdown(options=["a", "b"])
    widgets.bind(draw, block=slider, name=menu)
    assert draw.calls == [(7, "a")]
    assert draw.threads == {"MainThread"}  # the figure is there when the cell ends
    assert shown.rows == [[slider, menu, shown.spinner]]
    assert shown.items[-1].data.startswith(b"\x89PNG")
    slider.value = 9
    settle()
    menu.value = "b"
    settle()
    assert draw.calls == [(7, "a"), (9, "a"), (9, "b")]
    assert len(shown.updates) == 2
    assert draw.threads == {"MainThread", "redraw_0"}


def test_what_is_asked_for_during_a_redraw_is_left_out_but_for_the_newest(shown: Shown) -> None:
    draw = Drawing()
    slider = ipywidgets.IntSlider(0, 0, 100)
    widgets.bind(draw, value=slider)
    draw.go_on.clear()
    draw.entered.clear()
    slider.value = 1
    assert draw.entered.wait(30)  # the thread draws 1, and is held there
    for value in range(2, 51):
        slider.value = value
    draw.go_on.set()
    settle()
    assert draw.calls == [(0,), (1,), (50,)]


def test_a_quick_row_of_changes_is_drawn_once(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    at_rest = threading.Event()
    monkeypatch.setattr(widgets.time, "sleep", lambda seconds: at_rest.wait(30))  # the hand rests when the test says so
    draw = Drawing()
    slider, other = ipywidgets.IntSlider(0, 0, 100), ipywidgets.IntSlider(0, 0, 100)
    widgets.bind(draw, value=slider, other=other)
    for value in range(1, 20):
        slider.value = other.value = value
    at_rest.set()
    settle()
    assert draw.calls == [(0, 0), (19, 19)]


def test_two_figures_are_drawn_one_after_the_other(shown: Shown) -> None:
    first, second = Drawing(), Drawing()
    one, two = ipywidgets.IntSlider(0), ipywidgets.IntSlider(0)
    widgets.bind(first, value=one)
    widgets.bind(second, value=two)
    first.go_on.clear()
    one.value, two.value = 1, 2
    assert not second.entered.wait(0) or second.calls == [(0,)]
    assert second.calls == [(0,)]
    first.go_on.set()
    settle()
    assert (first.calls, second.calls) == ([(0,), (1,)], [(0,), (2,)])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DataError("no face is found in <EP01>"), "no face is found in &lt;EP01&gt;"),
        (KeyError("mouth"), "KeyError: &#x27;mouth&#x27;"),
    ],
)
def test_an_error_is_shown_in_place_and_the_last_figure_stays(shown: Shown, error: Exception, words: str) -> None:
    draw = Drawing()
    slider = ipywidgets.IntSlider(0)
    widgets.bind(draw, value=slider)
    assert shown.says == ""
    draw.error = error
    slider.value = 1
    settle()
    assert words in shown.says
    assert ("KeyError" in shown.says) == isinstance(error, KeyError)
    assert "the last one that could be drawn" in shown.says
    assert shown.updates == []
    draw.error = None
    slider.value = 2
    settle()
    assert shown.says == ""
    assert len(shown.updates) == 1


def test_a_slow_redraw_is_announced_and_a_quick_one_is_not(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = Drawing()
    slider = ipywidgets.IntSlider(0)
    monkeypatch.setattr(widgets, "PATIENCE", 60)
    widgets.bind(draw, value=slider)
    seen: list[str] = []
    shown.spinner.layout.observe(lambda change: seen.append(change["new"]), names="visibility")
    slider.value = 1
    settle()
    assert seen == []
    monkeypatch.setattr(widgets, "PATIENCE", 0)
    appeared = threading.Event()
    shown.spinner.layout.observe(lambda change: appeared.set(), names="visibility")
    draw.go_on.clear()
    slider.value = 2
    assert appeared.wait(30)
    draw.go_on.set()
    settle()
    assert seen == ["visible", "hidden"]


def test_the_spinner_goes_when_a_redraw_fails(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = Drawing()
    slider = ipywidgets.IntSlider(0)
    widgets.bind(draw, value=slider)
    monkeypatch.setattr(widgets, "PATIENCE", 0)
    draw.error = ValueError("broken")
    slider.value = 1
    settle()
    assert shown.spinner.layout.visibility == "hidden"
    assert "ValueError: broken" in shown.says


def test_without_a_person_an_error_for_the_starting_values_is_raised(shown: Shown) -> None:
    draw = Drawing()
    draw.error = DataError("no face is found")
    with pytest.raises(DataError, match="no face"):
        widgets.bind(draw, value=ipywidgets.IntSlider(0))


def test_before_a_person_an_error_for_the_starting_values_is_shown(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(widgets, "_attended", lambda: True)
    draw = Drawing()
    draw.error = DataError("no face is found")
    slider = ipywidgets.IntSlider(0)
    widgets.bind(draw, value=slider)
    assert "no face is found" in shown.says
    assert "last one" not in shown.says  # there is none
    assert repr(shown.items[-1]) == ""
    draw.error = None
    slider.value = 1
    settle()
    assert shown.says == ""
    assert len(shown.updates) == 1


# -- player -----------------------------------------------------------------------------------------------------------


def test_a_player_shows_frames_under_a_play_button(shown: Shown) -> None:
    draw = Drawing()
    menu = ipywidgets.Dropdown(options=["a", "b"])
    widgets.player(draw, 5, start=2, step=50, part=menu)
    assert draw.calls == [(2, "a")]
    above, (play, slider, _) = shown.rows
    assert above == [menu]
    assert (play.min, play.max, play.interval) == (0, 4, 50)
    assert (slider.min, slider.max, slider.value) == (0, 4, 2)
    slider.value = 4
    settle()
    assert draw.calls[-1] == (4, "a")


def test_the_slider_of_a_player_is_as_long_as_the_clip(shown: Shown) -> None:
    draw = Drawing()
    clip = ipywidgets.Dropdown(options=["ab", "abcdef"], value="abcdef")
    widgets.player(draw, lambda clip: len(clip), start=5, clip=clip)
    play, slider, _ = shown.rows[1]
    assert (slider.max, play.max) == (5, 5)
    clip.value = "ab"
    settle()
    assert (slider.max, play.max, slider.value) == (1, 1, 1)
    assert set(draw.calls[1:]) == {(1, "ab")}  # no frame is asked for that there is not
    clip.value = "abcdef"
    settle()
    assert slider.max == 5


@pytest.mark.parametrize(("n", "start"), [(0, 0), (5, 5), (5, -1)])
def test_a_player_needs_a_frame_to_start_from(shown: Shown, n: int, start: int) -> None:
    with pytest.raises(ParameterError, match=f"start {start} of {n} frames"):
        widgets.player(Drawing(), n, start=start)
    assert shown.items == []


# -- pictures ---------------------------------------------------------------------------------------------------------


@styled
def figure_of(value: int) -> Figure:
    figure, axes = panels(1, 1, width=4, height=3)
    axes[0, 0].bar([0], [value], color="#FF0000")
    figure.suptitle("a bar")
    return figure


def test_a_picture_is_the_figure_in_its_own_size() -> None:
    figure = figure_of(3)
    shown = widgets.picture(figure)
    assert (shown.width, shown.height, shown.alt) == (384, 288, "a bar")
    stored = np.asarray(PIL.Image.open(io.BytesIO(shown.data)))
    assert np.array_equal(stored, pixels(figure))
    red = (stored == (255, 0, 0)).all(axis=-1)
    assert red.any(axis=0).sum() > 192  # the bar fills most of the figure's width
    assert not (pixels(figure_of(1)) == stored).all()


def test_figures_drawn_in_many_threads_keep_their_style() -> None:
    expected = widgets.picture(figure_of(3)).data
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(widgets.picture(figure_of(3)).data)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


# -- a real kernel ----------------------------------------------------------------------------------------------------

_KERNEL_CELLS = (
    """
import ipywidgets, matplotlib.pyplot as plt
from mer_lib import widgets

def draw(value):
    if value > 1:
        raise ValueError("too large")
    return plt.figure(figsize=(1, 1))

slider = ipywidgets.IntSlider(1)
widgets.bind(draw, value=slider)
""",
    "slider.value = 2",
    "widgets._THREAD.submit(lambda: None).result(timeout=30)",
    "widgets.bind(draw, value=ipywidgets.IntSlider(5))",
)


def test_a_headless_notebook_keeps_the_figure_and_fails_where_it_cannot_be_drawn() -> None:
    cells = [nbformat.v4.new_code_cell(source) for source in _KERNEL_CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="too large"):
        nbclient.NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    pictures = [output for output in notebook.cells[0].outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 1
    assert not [output for cell in notebook.cells[1:3] for output in cell.outputs if output.output_type == "error"]
    assert notebook.cells[3].outputs[-1].ename == "ValueError"


def test_a_table_is_shown_as_it_is_and_renewed(shown: Shown) -> None:
    menu = ipywidgets.Dropdown(options=["a", "b"])
    widgets.bind(lambda word: pd.DataFrame({"word": [word]}).style, word=menu)
    assert ">a<" in shown.items[1].to_html()
    menu.value = "b"
    settle()
    assert ">b<" in shown.updates[-1].to_html()
