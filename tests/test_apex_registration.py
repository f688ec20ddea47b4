"""Registration against movements that were made: shift, turn, growth and light, with and without an expression."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mer_lib.apex import registration
from mer_lib.apex.registration import REGISTRATIONS, registered, transforms
from mer_lib.errors import DataError, ParameterError
from tests.apex_clips import SIZE, drawn, movable_face

HOWS = [how for how in REGISTRATIONS if how != "none"]
RIGID = [6, 168, 197, 195, 10, 151, 109, 338, 127, 356]  # nose, forehead, temples


@pytest.fixture(scope="module")
def still():
    return drawn(length=3, apex=1)


def moved(frame: np.ndarray, right: float, down: float, degrees: float, growth: float = 1.0) -> tuple:
    """A frame after a similarity about its middle, and the matrix (2, 3) that takes points along."""
    matrix = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), -degrees, growth)
    matrix[:, 2] += right, down
    warped = cv2.warpAffine(frame, matrix, (SIZE, SIZE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return warped, matrix


def taken(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]


@pytest.mark.parametrize("how", HOWS)
def test_shifts_and_turns_are_found_far_below_a_pixel(still, how):
    steps = [(0.0, 0.0, 0.0), (0.4, -0.3, 0.3), (1.3, 0.8, -0.8), (-2.5, 1.7, 1.5)]
    frames, made = zip(*(moved(still.frames[0], *step) for step in steps), strict=True)
    rigid = still.points[RIGID]
    for matrix, answer in zip(made, transforms(np.stack(frames), still.points, how), strict=True):
        assert np.abs(taken(rigid, answer) - taken(rigid, matrix)).max() < 0.2


def test_tracking_also_finds_growth(still):
    frames = np.stack([still.frames[0], moved(still.frames[0], 0.5, 0, 0, 1.02)[0]])
    answer = transforms(frames, still.points, "stable")[1]
    assert np.hypot(*answer[0, :2]) == pytest.approx(1.02, abs=0.003)


@pytest.mark.parametrize("how", HOWS)
def test_light_is_no_movement(still, how):
    bright, dark = (np.clip(gain * still.frames[0].astype(float), 0, 255).astype(np.uint8) for gain in (1.12, 0.8))
    answers = transforms(np.stack([still.frames[0], bright, dark]), still.points, how)
    for answer in answers:
        assert np.abs(taken(still.points[RIGID], answer) - still.points[RIGID]).max() < 0.1


@pytest.mark.parametrize("how", HOWS)
def test_a_smile_is_no_head_motion_and_drift_is_undone(how):
    length = 9
    head = np.zeros((length, 6))
    head[:, :2] = np.linspace(0, 1, length)[:, None] * (0.06, -0.04)
    clip = drawn(length=length, apex=4, head=head)
    answers = transforms(clip.frames, clip.points, how)
    shift = head[:, :2] * movable_face().iod
    for index in range(length):
        found = (taken(clip.points[RIGID], answers[index]) - clip.points[RIGID]).mean(axis=0)
        assert np.abs(found - (shift[index] - shift[0])).max() < 0.25
    held = registered(clip.frames, clip.points, how)
    inside = np.s_[40:-40, 40:-40]
    apart = [np.abs(frames[-1][inside].astype(float) - frames[0][inside]).mean() for frames in (clip.frames, held)]
    assert apart[1] < 0.4 * apart[0]


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("form", ["grey", "floating", "colour"])
def test_form_and_type_stay(still, how, form):
    frames = {
        "grey": still.frames[..., 1],
        "floating": still.frames.astype(np.float32) / 255,
        "colour": still.frames,
    }[form]
    held = registered(frames, still.points, how)
    assert held.shape == frames.shape
    assert held.dtype == frames.dtype
    assert np.abs(held[0].astype(float) - frames[0]).max() <= (1 if frames.dtype == np.uint8 else 1e-5)


@pytest.mark.parametrize("how", HOWS)
def test_where_nothing_is_seen_nothing_moves(still, how):
    black = np.zeros_like(still.frames)
    assert np.array_equal(registered(black, still.points, how), black)
    mixed = np.stack([still.frames[0], black[0], still.frames[0]])
    assert np.isfinite(transforms(mixed, still.points, how)).all()


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("level", [0, 128, 255, None])
def test_a_frame_that_shows_something_else_is_moved_as_the_one_before_and_spoils_no_other(still, how, level):
    noise = np.random.default_rng(0).integers(0, 256, still.frames[0].shape).astype(np.uint8)
    other = noise if level is None else np.full_like(noise, level)
    (there, _), (further, matrix) = moved(still.frames[0], 3, 1, 0), moved(still.frames[0], 4, -1, 0)
    answers = transforms(np.stack([still.frames[0], there, other, further]), still.points, how)
    assert np.array_equal(answers[2], answers[1])
    rigid = still.points[RIGID]
    assert np.abs(taken(rigid, answers[3]) - taken(rigid, matrix)).max() < 0.3


def in_a_wide_frame(still, shifts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """The face in a frame with room on its right, shifted by whole pixels, and its landmarks."""
    frame = np.pad(still.frames[0], ((20, 20), (20, 120), (0, 0)), "edge")
    return np.stack([np.roll(frame, shift, axis=1) for shift in shifts]), still.points + 20


@pytest.mark.parametrize("shifts", [[0, 25], [6 * index for index in range(15)]])
def test_tracking_follows_a_sudden_jump_and_a_long_way(still, shifts):
    frames, points = in_a_wide_frame(still, shifts)
    answers = transforms(frames, points, "stable")
    found = [(taken(points[RIGID], answer) - points[RIGID]).mean(axis=0)[0] for answer in answers]
    np.testing.assert_allclose(found, shifts, atol=0.3)


def test_values_between_pixels_are_cubic(still, monkeypatch):
    half = np.array([[[1, 0, 0.5], [0, 1, 0]]])
    monkeypatch.setattr(registration, "transforms", lambda frames, points, how: half)
    dot = np.zeros((1, 9, 9), np.float32)
    dot[0, 4, 4] = 1
    held = registered(dot, still.points, "stable")[0, 4]
    # OpenCV's kernel, with a = -0.75, at -1.5, -0.5, 0.5 and 1.5.
    np.testing.assert_allclose(held[2:6], [-0.09375, 0.59375, 0.59375, -0.09375], atol=1e-3)


def test_no_frames_are_no_frames_and_odd_sizes_are_told(still):
    assert registered(still.frames[:0], still.points).shape == still.frames[:0].shape
    with pytest.raises(ParameterError, match="frames: expected one size"):
        registered([still.frames[0], still.frames[1][:-2]], still.points)


def test_none_hands_back_what_came(still):
    assert registered(still.frames, still.points, "none") is still.frames
    assert np.array_equal(transforms(still.frames, still.points, "none"), np.repeat(np.eye(2, 3)[None], 3, axis=0))


def test_wrong_arguments_are_named(still):
    with pytest.raises(ParameterError, match="expected one of none, ecc, stable, got 'sift'"):
        registered(still.frames, still.points, "sift")
    with pytest.raises(DataError, match="outside of the frames"):
        registered(still.frames, still.points + 1000, "ecc")
    with pytest.raises(ParameterError, match="points: expected"):
        registered(still.frames, still.points[:5], "stable")
    with pytest.raises(ParameterError, match="frame 0: expected uint8"):
        registered(still.frames.astype(np.uint16), still.points, "ecc")
