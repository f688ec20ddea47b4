"""Scores against errors computed by hand, on clips in memory whose apex is known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from mer_lib.apex import METHODS, TASKS, Task, score, spot, summary
from mer_lib.datasets import ClipDataset
from mer_lib.errors import DataError, ParameterError
from tests.apex_clips import FPS, drawn

BEFORE = 2  # neutral frames before the onset
LENGTHS = {"own/anna/EP01": (21, 6), "own/anna/EP02": (13, 8)}
TASK = Task("cell_difference", "none")


class Frames:
    """Frames in memory, as a data set finds them in a folder; their numbers count from 1."""

    place, fps = "memory", FPS

    def __init__(self, frames: np.ndarray) -> None:
        self.frames = frames

    def numbers(self) -> np.ndarray:
        return np.arange(1, len(self.frames) + 1)

    def read(self, indices=None) -> np.ndarray:
        return self.frames if indices is None else self.frames[list(indices)]

    def stamp(self) -> str:
        return str(len(self.frames))


class SyntheticClips(ClipDataset):
    """Clips that say how they were drawn."""

    def truth(self, sample_id):
        curve = self.sources[sample_id].curve
        return SimpleNamespace(plan=SimpleNamespace(expression=curve))


def clip_of(length: int, apex: int):
    clip = drawn(length=length, apex=apex)
    source = Frames(np.concatenate([clip.frames[:1]] * BEFORE + [clip.frames]))
    source.curve = np.concatenate([np.zeros(BEFORE), clip.plan.expression])
    return source, clip.points


@pytest.fixture(scope="module")
def sources():
    return {sample_id: clip_of(*form) for sample_id, form in LENGTHS.items()}


def data_set(sources, kind: str = "real", **columns) -> ClipDataset:
    ids = list(LENGTHS)
    onset = BEFORE + 1
    samples = pd.DataFrame(
        {
            "sample_id": ids,
            "fps": FPS,
            "onset": onset,
            "apex": [onset + apex for _, apex in LENGTHS.values()],
            "offset": [onset + length - 1 for length, _ in LENGTHS.values()],
            "apex_source": "annotated",
            **columns,
        }
    ).astype(dict.fromkeys(("onset", "apex", "offset"), "Int64"))
    made = SyntheticClips if kind == "synthetic" else ClipDataset
    empty = pd.DataFrame({"sample_id": []})
    frames = {sample_id: source for sample_id, (source, _) in sources.items()}
    parts = (samples, empty, frames, samples, "own", (), {})
    return made("own", "Own", kind, *parts, find_intervals=lambda _: empty)


@pytest.fixture
def points(sources):
    return lambda sample_id, frame: sources[sample_id][1]


@pytest.fixture(scope="module")
def table(sources):
    clips = data_set(sources, kind="synthetic", apex_source="generated")
    return score(
        clips, tasks=[TASK, Task("cell_difference", "none", "divide")], points=lambda name, _: sources[name][1]
    )


def test_a_row_says_how_far_the_spotted_frame_is_off(table, sources):
    for sample_id, (length, apex) in LENGTHS.items():
        source, found = sources[sample_id]
        spotted = spot(source.frames[BEFORE:], found, TASK.method, TASK.registration, fps=FPS)
        row = table.query("sample_id == @sample_id and method == 'cell_difference' and search == 'peak'").iloc[0]
        assert (row["index"], row["apex"], row["length"]) == (spotted.index, apex, length - 1)
        assert row["error_frames"] == abs(spotted.index - apex)
        assert row["error_ms"] == pytest.approx(10 * row["error_frames"])
        assert row["within"] == (row["error_frames"] <= 0.1 * (length - 1))
        assert row["reached"] == pytest.approx(source.curve[BEFORE + spotted.index] / source.curve.max())
        assert (row["registration"], row["confidence"], row["known"]) == ("none", spotted.confidence, "generated")


def test_the_controls_are_always_there(table):
    assert list(table["method"])[2:4] == ["middle", "random"]
    for sample_id, (length, apex) in LENGTHS.items():
        rows = table[table["sample_id"] == sample_id].set_index("method")
        errors = np.abs(np.arange(length) - apex)
        assert rows.loc["middle", "index"] == (length - 1) // 2
        assert rows.loc["middle", "error_frames"] == abs((length - 1) // 2 - apex)
        assert rows["index"].isna()["random"]
        assert rows.loc["random", "error_frames"] == pytest.approx(errors.mean())
        assert rows.loc["random", "within"] == pytest.approx((errors <= 0.1 * (length - 1)).mean())
        assert (rows.loc[["middle", "random"], "confidence"] == 0).all()


def test_every_method_stands_in_the_default_tasks():
    methods = {task.method for task in TASKS}
    assert methods == {*METHODS, "dnc_rois_published", "cell_difference_published"} - {"middle"}
    assert {task.registration for task in TASKS} == {"none", "ecc", "stable"}


def test_the_summary_is_the_mean_over_clips(table):
    shown = summary(table)
    assert set(shown["method"]) == {"cell_difference", "middle", "random"}
    assert shown["mae_ms"].is_monotonic_increasing
    assert (shown["n"] == 2).all()
    assert (shown["known"] == "generated").all()
    middle = shown[shown["method"] == "middle"].iloc[0]
    assert middle["mae_frames"] == (abs(10 - 6) + abs(6 - 8)) / 2
    assert middle["within"] == 0
    spotted = shown[(shown["method"] == "cell_difference") & (shown["search"] == "peak")].iloc[0]
    assert spotted["mae_frames"] < middle["mae_frames"]


def test_a_table_without_the_middle_frame_is_no_score(table):
    with pytest.raises(ParameterError, match="with the middle frame in it"):
        summary(table[table["method"] != "middle"])


def test_recorded_clips_have_no_share_of_the_movement(sources, points):
    table = score(data_set(sources), tasks=[TASK], points=points)
    assert table["reached"].isna().all()
    assert set(table["known"]) == {"annotated"}
    assert summary(table)["reached"].isna().all()


def test_an_apex_that_a_program_spotted_judges_nobody(sources, points):
    clips = data_set(sources, apex_source=["annotated", "spotted"])
    assert set(score(clips, tasks=[TASK], points=points)["sample_id"]) == {"own/anna/EP01"}
    clips = data_set(sources, apex=[pd.NA, BEFORE + 9])
    assert set(score(clips, tasks=[TASK], points=points)["sample_id"]) == {"own/anna/EP02"}


def test_several_processes_give_the_same_table(sources, points, table):
    told = []
    clips = data_set(sources, kind="synthetic", apex_source="generated")
    tasks = [TASK, Task("cell_difference", "none", "divide")]
    again = score(clips, tasks=tasks, points=points, jobs=2, listener=lambda *news: told.append(news))
    pd.testing.assert_frame_equal(again, table)
    assert told == [(1, 2, "own/anna/EP01"), (2, 2, "own/anna/EP02")]


def test_all_clips_that_cannot_be_judged_are_named(sources):
    def nobody(sample_id, frame):
        raise DataError("mediapipe found no face")

    with pytest.raises(DataError) as caught:
        score(data_set(sources), tasks=[TASK], points=nobody)
    assert all(sample_id in str(caught.value) for sample_id in LENGTHS)
    with pytest.raises(DataError, match="expected onset <= apex <= offset"):
        score(data_set(sources, apex=[1, 9]), tasks=[TASK], points=nobody)


@pytest.mark.parametrize("change", [{"ids": []}, {"tasks": []}, {"jobs": 0}])
def test_nothing_to_score_is_refused(sources, points, change):
    with pytest.raises(ParameterError, match="expected a clip, a task and a process"):
        score(data_set(sources), **{"tasks": [TASK], "points": points, **change})


def test_landmarks_are_found_where_nobody_hands_them_in(sources):
    ids = ["own/anna/EP02"]
    table = score(data_set(sources), ids, [TASK])
    assert table["error_frames"].iloc[0] <= 2
