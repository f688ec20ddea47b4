"""Figures of apex spotting show the frames, differences, curves and errors that they were given."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from mer_lib.apex import REGISTRATIONS, Spotted
from mer_lib.apex.methods import NAMED
from mer_lib.datasets.synthetic import databases
from mer_lib.datasets.synthetic.produce import plan_of
from mer_lib.datasets.synthetic.renderer import ClipRenderer
from mer_lib.datasets.synthetic.storage import face_of
from mer_lib.errors import ParameterError
from mer_lib.faces.regions import dnc_rois, ten_cells
from mer_lib.features.clip_view import Stretch
from mer_lib.motion import Box
from mer_lib.plots import apex, apex_disturbed, clip_player
from mer_lib.plots.style import MARKS

SIDE = 40


@dataclass
class FakeView:
    """A clip of grey frames whose right half is as bright as its number, with a patch that moves."""

    moments: Stretch = Stretch(2, 5, 9)
    true_apex: int | None = 5
    fps: float | None = 100.0
    n_frames: int = 12
    kind: str = "synthetic"
    names: dict = field(default_factory=lambda: {name: name for name in Stretch._fields})
    title: str = "a/b/c (happiness)"
    label: str = "one drawn clip"

    def aligned(self, index: int) -> np.ndarray:
        frame = np.full((SIDE, SIDE, 3), 100, np.uint8)
        frame[:, SIDE // 2 :] += np.uint8(index)
        return frame

    def regions(self, scheme: str) -> tuple:
        mesh = np.random.default_rng(0).uniform(5, SIDE - 5, (478, 2)).astype(np.float32)
        return {"dnc_rois": dnc_rois, "ten_cells": ten_cells}[scheme](mesh)


def spotted(index: int, curve: np.ndarray, method: str) -> Spotted:
    return Spotted(index, curve, 0.5, method, "none", "peak")


FOUND = {
    "cell_difference": spotted(6, np.array([0, 1, 2, 3, 5, 3, 2, 1.0]), "cell_difference"),
    "middle": spotted(5, np.array([0, 1, 2, 3, 2, 1, 0, 0.0]), "middle"),
}


def texts(figure: Figure) -> str:
    found = [text.get_text() for text in figure.findobj(match=lambda artist: hasattr(artist, "get_text"))]
    return "\n".join(found)


def pictures(figure: Figure) -> list[np.ndarray]:
    """The images of a figure in the order of its axes, colour bars left out."""
    return [np.asarray(ax.images[0].get_array()) for ax in figure.axes if ax.images]


# -- a moment ---------------------------------------------------------------------------------------------------------


def test_a_moment_shows_the_frame_the_part_and_its_change_since_the_onset() -> None:
    figure = clip_player.clip_moment(FakeView(), 7, FOUND, Box(10, 10, 30, 30), times=4)
    face, near, change = pictures(figure)
    assert np.array_equal(face, FakeView().aligned(7))
    assert np.array_equal(near, FakeView().aligned(7)[10:30, 10:30])
    assert change[:, :10] == pytest.approx(0)
    assert change[:, 10:] == pytest.approx(7 - 2)
    assert figure.axes[2].images[0].get_clim() == (-32, 32)
    assert "frame 7, 50 ms after the onset" in texts(figure)
    assert MARKS["synthetic"] in texts(figure)


def test_even_light_takes_out_what_the_whole_face_shares() -> None:
    class Brighter(FakeView):
        def aligned(self, index: int) -> np.ndarray:
            return np.full((SIDE, SIDE, 3), 100 + 10 * index, np.uint8)

    plain, even = (clip_player.clip_moment(Brighter(), 7, {}, even_light=light) for light in (False, True))
    assert pictures(plain)[2] == pytest.approx(50)
    assert pictures(even)[2] == pytest.approx(0)


def test_the_cursor_follows_and_marks_sit_on_the_spotted_frames() -> None:
    for index in (3, 8):
        figure = clip_player.clip_moment(FakeView(), index, FOUND)
        curves = figure.axes[3]
        upright = {line.get_xdata()[0]: line for line in curves.lines if len(set(line.get_xdata())) == 1}
        assert {2, 5, 9, index} <= set(upright)  # onset, apex, offset and the cursor
        assert upright[index].get_color() == apex.CURSOR_COLOUR
        (curve,) = [
            line
            for line in curves.lines
            if list(line.get_xdata()) == list(range(2, 10)) and line.get_linestyle() == "-"
        ]
        assert curve.get_ydata() == pytest.approx(FOUND["cell_difference"].curve / 5)
        assert "ten cells, difference: 6" in texts(figure)
        assert "middle frame: 5" in texts(figure)


@pytest.mark.parametrize(
    ("apex_index", "true", "names"),
    [
        (5, 5, {"onset", "offset", "true apex"}),
        (5, None, {"onset", "offset", "annotated apex"}),
        (4, 5, {"onset", "offset", "annotated apex", "true apex"}),
        (None, None, {"onset", "offset"}),
    ],
)
def test_what_is_known_of_a_clip_is_marked(apex_index: int | None, true: int | None, names: set[str]) -> None:
    view = FakeView(Stretch(2, apex_index, 9), true)
    assert {mark.label for mark in apex.marks(view)} == names


@pytest.mark.parametrize(
    ("fps", "index", "said"),
    [
        (100.0, 7, "frame 7, 50 ms after the onset"),
        (100.0, 0, "frame 0, 20 ms before the onset"),
        (None, 3, "frame 3, 1 frame after the onset"),
    ],
)
def test_the_time_of_a_frame_is_said(fps: float | None, index: int, said: str) -> None:
    assert apex.after_onset(FakeView(fps=fps), index) == said


def test_parts_are_squares_inside_the_crop_and_the_whole_face_is_first() -> None:
    found = clip_player.zooms(FakeView())
    assert next(iter(found.items())) == (clip_player.WHOLE_FACE, Box(0, 0, SIDE, SIDE))
    assert tuple(found) == clip_player.PARTS
    for box in found.values():
        assert box.right - box.left == box.bottom - box.top > 0
        assert min(box) >= 0
        assert max(box) <= SIDE


# -- differences ------------------------------------------------------------------------------------------------------


def test_an_exaggerated_difference_is_cut_to_grey_values() -> None:
    first, second = np.array([[100, 100, 100]], np.uint8), np.array([[110, 200, 0]], np.uint8)
    assert apex.exaggerated(first, second, 3).tolist() == [[130, 255, 0]]
    assert apex.exaggerated(first, second, 0).tolist() == first.tolist()


def test_black_frames_have_no_light_to_even_out() -> None:
    black = np.zeros((4, 4), np.uint8)
    assert np.array_equal(apex.difference(black + np.uint8(9), black, even_light=True), np.full((4, 4), -9.0))


def test_the_difference_figure_shows_four_pictures_of_the_right_frames() -> None:
    onset, other, change, strong = pictures(apex.apex_difference(FakeView(), 9, times=5))
    assert np.array_equal(onset, FakeView().aligned(2))
    assert np.array_equal(other, FakeView().aligned(9))
    assert change[0, [0, -1]] == pytest.approx([0, 7])
    assert strong[0, [0, -1]].tolist() == [100, 102 + 5 * 7]


def test_a_flat_curve_stays_flat() -> None:
    assert apex.shares(np.full(4, 3.0)).tolist() == [0, 0, 0, 0]


def test_every_spotter_has_a_title_a_colour_and_a_mark() -> None:
    for named in (apex.SPOTTER_TITLES, apex.SPOTTER_COLOURS, apex.SPOTTER_MARKS):
        assert set(NAMED) | {"random"} == set(named)
    assert set(apex.REGISTRATION_TITLES) == set(REGISTRATIONS)


# -- errors -----------------------------------------------------------------------------------------------------------

TABLE = pd.DataFrame(
    {
        "sample_id": ["a", "a", "a", "b", "b", "b"],
        "method": ["cell_difference", "dnc_rois", "middle"] * 2,
        "registration": ["ecc", "none", "none"] * 2,
        "error_ms": [10.0, 90.0, 30.0, 20.0, 110.0, 50.0],
    }
)


def test_errors_are_drawn_a_dot_a_clip_with_the_best_way_on_top() -> None:
    figure = apex.spotting_errors(TABLE, "two clips", "synthetic")
    ax = figure.axes[0]
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["ten cells, difference · ECC", "middle frame", "three regions, LBP"]
    assert ax.yaxis_inverted()
    assert [bar.get_width() for bar in ax.patches] == [15, 40, 100]
    assert [sorted(line.get_xdata()) for line in ax.lines] == [[10, 20], [30, 50], [90, 110]]
    assert "2 clips" in texts(figure)
    assert MARKS["synthetic"] in texts(figure)


@pytest.mark.parametrize(("reached", "kind"), [(0.8, "synthetic"), (np.nan, "real")])
def test_the_table_sets_the_controls_off_and_says_what_is_synthetic(reached: float, kind: str) -> None:
    found = pd.DataFrame(
        {
            "method": ["cell_difference", "middle"],
            "registration": ["none", "none"],
            "n": [2, 2],
            "mae_frames": [1.25, 3.0],
            "mae_ms": [12.5, 30.0],
            "within": [0.5, 0.25],
            "reached": [reached, reached],
        }
    )
    page = apex.spotting_table(found, "two clips", kind).to_html()
    assert page.index("ten cells, difference") < page.index("middle frame")
    assert "50 %" in page
    assert ("movement reached" in page) == (kind == "synthetic")
    assert (MARKS["synthetic"] in page) == (kind == "synthetic")
    assert "font-weight: bold" in page


# -- disturbances -----------------------------------------------------------------------------------------------------

ENTRY = next(entry for entry in databases.clips("demo") if entry.sample_id == "syn_a/sub12/EP13")


@lru_cache
def small_plan():
    """A clip with a blink between onset and offset, 64 px wide."""
    plan = plan_of(ENTRY)
    return replace(plan, recording=replace(plan.recording, size=64))


@lru_cache
def small_clip() -> apex_disturbed.DisturbedClip:
    return apex_disturbed.DisturbedClip(face_of(ENTRY.person, ENTRY.gender, 64), small_plan())


def test_each_take_lacks_what_its_name_says_and_nothing_else() -> None:
    plan = small_plan()
    takes = apex_disturbed.disturbances(plan)
    lacks = {
        name: (not one.blink.any(), not np.ptp(one.head, axis=0).any(), not np.ptp(one.gain))
        for name, one in takes.items()
    }
    assert lacks == {
        "as recorded": (False, False, False),
        "no blink": (True, False, False),
        "head still": (False, True, False),
        "light steady": (False, False, True),
        "none of these": (True, True, True),
    }
    assert all(np.array_equal(one.intensity, plan.intensity) for one in takes.values())
    assert all(np.array_equal(one.head[plan.onset], plan.head[plan.onset]) for one in takes.values())


def test_a_take_is_the_clip_from_onset_to_offset() -> None:
    plan, one = small_plan(), small_clip().takes["as recorded"]
    renderer = ClipRenderer(face_of(ENTRY.person, ENTRY.gender, 64), plan)
    assert len(one.frames) == len(one.shut) == len(one.shift) == plan.offset - plan.onset + 1
    assert np.array_equal(one.frames[one.apex], renderer.frame(plan.apex))
    assert np.array_equal(one.points, renderer.landmarks(plan.onset))
    assert one.shift[0] == 0
    assert one.shut.max() > 0.5


def test_the_figure_says_how_late_each_take_is_spotted() -> None:
    clip = small_clip()
    clip.spotted.cache_clear()
    figure = apex_disturbed.disturbed_curves(clip, "cell_difference", "none")
    for name, one in clip.takes.items():
        error = 5 * (clip.spotted(name, "cell_difference", "none").index - one.apex)  # ms at 200 frames a second
        assert f"{name}: {apex_disturbed._lateness(error)}" in texts(figure)
    calls = clip.spotted.cache_info()
    assert calls.misses == 5  # each take is searched once, however often it is drawn
    assert MARKS["synthetic"] in texts(figure)


@pytest.mark.parametrize(("error", "said"), [(0.0, "exact"), (40.0, "40 ms late"), (-5.0, "5 ms early")])
def test_lateness_is_said(error: float, said: str) -> None:
    assert apex_disturbed._lateness(error) == said


@pytest.mark.parametrize(("method", "registration"), [("cells", "none"), ("dnc_rois", "head")])
def test_unknown_spotters_are_named(method: str, registration: str) -> None:
    with pytest.raises(ParameterError, match=method):
        apex_disturbed.disturbed_curves(small_clip(), method, registration)
