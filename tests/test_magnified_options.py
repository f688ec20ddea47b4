"""Options of the magnified sequence, against what was drawn."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from mer_lib.features import MagnifiedSequence, compute, report
from tests.feature_clips import SIZE, clips_of, face, renderer, with_rows

#: Whole frames as they are, with their flow in pixels of the frame.
PLAIN = MagnifiedSequence(frames=5, size=SIZE, factor=0, align="frame", head_motion="kept", flow="dis")
MIDDLE = 4  # apex of the drawn clips of 9 frames


def changed(**options: object) -> MagnifiedSequence:
    return MagnifiedSequence.model_validate(PLAIN.model_dump() | options)


def middle(array: np.ndarray) -> np.ndarray:
    """Mean of u in the middle of the face, frame by frame."""
    third = SIZE // 3
    return array[0, :, 1, third : 2 * third, third : 2 * third].mean(axis=(1, 2))


def test_flow_is_measured_from_the_onset_or_from_the_frame_before(rightwards):
    np.testing.assert_allclose(middle(compute(PLAIN, rightwards)), 0.5 * np.arange(5), atol=0.12)
    stepwise = middle(compute(changed(since="previous"), rightwards))
    np.testing.assert_allclose(stepwise, [0, 0.5, 0.5, 0.5, 0.5], atol=0.12)


def test_steps_are_those_between_the_chosen_frames(rightwards):
    """Three frames of nine: two pixels lie between two of them, not half a one."""
    recipe = changed(frames=3, until="offset", since="previous")
    np.testing.assert_allclose(middle(compute(recipe, rightwards)), [0, 2, 2], atol=0.2)


def test_a_repeated_frame_moved_as_far_from_the_onset_and_no_further_than_the_one_before(rightwards):
    onset, previous = (compute(changed(frames=9, since=since), rightwards)[0, :, 1:] for since in ("onset", "previous"))
    assert "frames repeated on 1" in str(report(changed(frames=9), rightwards))
    still = [index for index in range(1, 9) if np.array_equal(onset[index], onset[index - 1])]
    assert len(still) == 4
    assert all((previous[index] == 0).all() for index in still)
    assert all(np.abs(onset[index]).max() > 0.1 for index in range(3, 9))


def test_until_the_offset_the_movement_comes_and_goes(smile):
    moved = np.abs(compute(changed(until="offset"), smile)[0, :, 1:]).mean(axis=(1, 2, 3))
    assert moved.argmax() == 2  # of five from onset to offset the middle one is the apex
    assert moved[4] < 0.5 * moved[2]
    to_apex = np.abs(compute(PLAIN, smile)[0, :, 1:]).mean(axis=(1, 2, 3))
    assert to_apex.argmax() == 4
    np.testing.assert_allclose(to_apex[4], moved[2], rtol=1e-5)


def test_a_larger_square_is_shrunk_by_the_mean_over_areas(smile):
    large, small = compute(PLAIN, smile)[0], compute(changed(size=SIZE // 3, side=SIZE), smile)[0]
    assert small.shape == (5, 3, SIZE // 3, SIZE // 3)
    expected = large.reshape(5, 3, SIZE // 3, 3, SIZE // 3, 3).mean(axis=(3, 5))
    np.testing.assert_allclose(small, expected, atol=1e-3)
    # Flow stays in pixels of the larger square; in the smaller one all moves by a third of them.
    own = compute(changed(size=SIZE // 3), smile)[0]
    ratio = np.abs(small[MIDDLE, 1:]).mean() / np.abs(own[MIDDLE, 1:]).mean()
    assert 2 < ratio < 4


def test_flow_of_magnified_frames_is_larger(tmp_path):
    """A face that sways by a quarter of a pixel at 10 Hz."""
    count = 41
    head = np.zeros((count, 6))
    head[:, 0] = 0.125 * np.sin(2 * np.pi * 10 * np.arange(count) / 100) / face().iod
    clips = clips_of(tmp_path / "clips", sway=renderer({}, curve=np.zeros(count), head=head))
    clips = with_rows(clips, onset=1, apex=count)
    options = {"frames": 41, "factor": 5.0, "band": (5.0, 20.0)}
    moved = [
        middle(compute(changed(**options, flow_of=flow_of), clips))[8:33].std() for flow_of in ("raw", "magnified")
    ]
    assert 3 < moved[1] / moved[0] < 8


def test_what_does_not_fit_together_is_refused():
    with pytest.raises(ValidationError, match="flow_of: expected raw frames with factor 0"):
        changed(flow_of="magnified")
    with pytest.raises(ValidationError, match="side: expected at least size = 192"):
        changed(side=64)
    with pytest.raises(ValidationError, match="until"):
        changed(until="end")
