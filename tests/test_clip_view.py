"""A clip opened for looking: what it says of itself, its face, its movement beside the truth, its apex."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mer_lib.datasets.frames.images import ImageFolder
from mer_lib.errors import DataError, ParameterError
from mer_lib.features.clip_view import ClipView
from tests import drawn
from tests.miniature_files import write_frames

SIDE = 128


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return drawn.clips_of(tmp_path_factory.mktemp("clips"), drawn.entries(2))


@pytest.fixture(scope="module")
def view(clips) -> ClipView:
    return ClipView(clips, clips.samples["sample_id"].iloc[0])


def without(clips, column: str):
    """The same clips with one column of the annotation empty."""
    samples = clips.samples.copy()
    samples[column] = pd.array([pd.NA] * len(samples), dtype=samples[column].dtype)
    return replace(clips, samples=samples)


def test_it_says_what_it_is(clips, view) -> None:
    row = clips.samples.iloc[0]
    assert (view.kind, view.label) == ("synthetic", clips.label)
    assert view.fps == 60
    assert view.title == f"{row['sample_id']} ({row['emotion']})"
    assert view.n_frames == row["n_frames"] == len(view.frames)
    assert view.size == (192, 192)


def test_moments_are_indices_and_the_true_apex_is_that_of_the_truth(clips, view) -> None:
    plan = clips.truth(view.sample_id).plan
    assert tuple(view.moments) == (plan.onset, plan.apex, plan.offset)
    assert view.true_apex == plan.apex


@pytest.mark.parametrize(
    ("column", "moment", "wanted"), [("onset", 0, "first"), ("apex", 1, None), ("offset", 2, "last")]
)
def test_a_moment_that_is_not_annotated_has_a_stated_stand_in(clips, column, moment, wanted) -> None:
    view = ClipView(without(clips, column), clips.samples["sample_id"].iloc[0])
    assert view.moments[moment] == {"first": 0, "last": view.n_frames - 1, None: None}[wanted]
    assert np.isfinite(view.flow(*[view.moments.onset, view.moments.offset], side=SIDE)).all()


def test_a_frame_is_the_same_read_alone_or_with_all(clips, view) -> None:
    alone = ClipView(clips, view.sample_id)
    np.testing.assert_array_equal(alone.frame(3), view.frames[3])
    assert "frames" not in alone.__dict__
    for wrong in (-1, view.n_frames):
        with pytest.raises(ParameterError, match="expected a frame from 0 to"):
            view.frame(wrong)


def test_its_points_are_those_of_the_drawn_face(clips, view) -> None:
    truth = clips.truth(view.sample_id).landmarks[view.moments.onset]
    iod = np.linalg.norm(truth[[33, 133]].mean(axis=0) - truth[[263, 362]].mean(axis=0))
    assert np.linalg.norm(view.points - truth, axis=1).mean() < 0.06 * iod


def test_the_crop_is_one_place_for_the_whole_clip(view) -> None:
    alignment = view.alignment(SIDE)
    eyes = alignment.points(view.points)[[33, 263]]
    assert eyes[0, 1] == pytest.approx(eyes[1, 1], abs=2.0)
    assert view.aligned(0, SIDE).shape == (SIDE, SIDE, 3)
    np.testing.assert_array_equal(view.aligned(5, SIDE), alignment.warp(view.frame(5)))


def test_the_true_flow_in_the_crop_says_where_points_go(view) -> None:
    """A landmark of the onset frame plus the flow there is where the truth has it at the apex."""
    onset, apex, _ = view.moments
    landmarks = view.clips.truth(view.sample_id).landmarks
    before, after = (view.alignment(SIDE).points(landmarks[i]) for i in (onset, apex))
    flow = view.true_flow(onset, apex, SIDE)
    chosen = [151, 4, 50, 280, 61, 291, 107, 336]  # forehead, nose, cheeks, corners of the mouth, inner brows
    x, y = np.rint(before[chosen]).astype(int).T
    error = np.linalg.norm(before[chosen] + flow[y, x] - after[chosen], axis=1)
    assert error.max() < 0.05
    assert np.linalg.norm(after - before, axis=1).max() > 0.3


def test_the_true_flow_of_the_frame_is_that_of_the_truth(view) -> None:
    onset, apex, _ = view.moments
    truth = view.clips.truth(view.sample_id)
    np.testing.assert_array_equal(view.true_flow(onset, apex, None, "removed"), truth.flow(onset, apex, head=False))


@pytest.mark.parametrize("method", ["farneback", "dis"])
def test_removing_the_head_brings_the_estimate_nearer_to_the_expression(clips, method) -> None:
    """On the mean over the clips: a single head may stand still."""
    errors = {"kept": [], "removed": []}
    for name in clips.samples["sample_id"]:
        view = ClipView(clips, name)
        onset, apex, _ = view.moments
        expression, known = view.true_flow(onset, apex, SIDE, "removed"), view.known(onset, apex, SIDE)
        for head, found in errors.items():
            flow = view.flow(onset, apex, method, SIDE, head)
            found.append(np.linalg.norm(flow - expression, axis=-1)[known].mean())
    assert np.mean(errors["removed"]) < np.mean(errors["kept"])


def test_what_was_computed_is_kept(view) -> None:
    onset, apex, _ = view.moments
    assert view.flow(onset, apex, side=SIDE) is view.flow(onset, apex, side=SIDE)
    assert view.flow(onset, apex, side=SIDE) is not view.flow(onset, apex, "dis", side=SIDE)


def test_a_spotted_apex_counts_the_frames_of_the_clip(view) -> None:
    onset, _, offset = view.moments
    middle = view.spotted("middle", "none")
    assert middle.index == onset + (offset - onset) // 2
    assert len(middle.curve) == offset - onset + 1


@pytest.mark.parametrize("scheme", ["four_windows", "ten_cells", "muscle_regions", "dnc_rois"])
def test_regions_lie_in_the_crop(view, scheme) -> None:
    for region in view.regions(scheme, SIDE):
        assert region.mask(SIDE, SIDE).any(), region.name
        assert region.polygon.min() > -1, region.name
        assert region.polygon.max() < SIDE, region.name


def test_recorded_clips_know_no_truth_and_a_face_may_be_missing(clips, view, tmp_path) -> None:
    numbers = clips.frame_numbers(view.sample_id)
    folder = write_frames(tmp_path / "frames", "img{}.jpg", numbers)
    recorded = replace(clips, kind="real", sources={view.sample_id: ImageFolder(folder)})
    faceless = ClipView(recorded, view.sample_id)
    assert faceless.true_apex is None
    with pytest.raises(DataError, match="was recorded"):
        faceless.true_flow(0, 1)
    with pytest.raises(DataError, match="no face is found in its onset frame"):
        faceless.aligned(0)
