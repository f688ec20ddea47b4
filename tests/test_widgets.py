"""Controls redraw the same figure that a headless run leaves."""

from __future__ import annotations

import ipywidgets
import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

from mer_lib import widgets


class Shown:
    """Stands for IPython's display: remembers what was shown first and what replaced it."""

    def __init__(self) -> None:
        self.items: list[object] = []
        self.updates: list[object] = []

    def __call__(self, item: object, display_id: bool = False) -> Shown:
        self.items.append(item)
        return self

    def update(self, item: object) -> None:
        self.updates.append(item)


def test_a_moved_control_redraws_the_figure_with_its_new_value(monkeypatch: pytest.MonkeyPatch) -> None:
    shown, drawn = Shown(), []
    monkeypatch.setattr(widgets, "display", shown)

    def draw(block: int, name: str) -> Figure:
        drawn.append((block, name))
        return plt.figure()

    slider, menu = ipywidgets.IntSlider(7, 5, 10), ipywidgets.Dropdown(options=["a", "b"])
    widgets.bind(draw, block=slider, name=menu)
    assert isinstance(shown.items[-1], Figure)
    assert shown.updates == []
    slider.value = 9
    menu.value = "b"
    assert drawn == [(7, "a"), (9, "a"), (9, "b")]
    assert all(isinstance(figure, Figure) for figure in shown.updates)
    assert plt.get_fignums() == []  # nothing is drawn a second time
