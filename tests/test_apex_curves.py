"""Curves: made of regions, smoothed, searched and judged, against hand-made cases and a second implementation."""

from __future__ import annotations

import numpy as np
import pytest

from mer_lib.apex.curves import REFERENCES, SEARCHES, combined, confidence, divided, found, middle, smoothed
from mer_lib.apex.light import eight_bits, evened


def hill(length: int, top: float, width: float) -> np.ndarray:
    return np.exp(-(((np.arange(length) - top) / width) ** 2) / 2)


def halves(curve: np.ndarray) -> int:
    """Divide and conquer written otherwise: by sums over the frames of an interval, recursively."""
    is_peak = np.zeros(len(curve), bool)
    is_peak[1:-1] = (curve[1:-1] > curve[:-2]) & (curve[1:-1] > curve[2:])
    weight = np.where(is_peak, curve, 0)

    def within(start: int, stop: int) -> int:
        if is_peak[start:stop].sum() == 1:
            return start + int(np.argmax(is_peak[start:stop]))
        half = (start + stop - 1) // 2 + 1
        return within(start, half) if weight[start:half].sum() >= weight[half:stop].sum() else within(half, stop)

    return within(0, len(curve)) if is_peak.any() else int(np.argmax(curve))


def test_references_differ_where_the_head_drifts():
    way = np.linspace(0, 1, 21)
    moved = way + 2 * hill(21, 8, 2)  # a drift and, on top of it, the movement
    from_first, from_last = np.abs(moved - moved[0])[:, None], np.abs(moved - moved[-1])[:, None]
    slow = 3 * way + hill(21, 8, 2)
    slow_first, slow_last = np.abs(slow - slow[0])[:, None], np.abs(slow - slow[-1])[:, None]
    assert np.argmax(combined(from_first, from_last, "both")) == 8
    assert np.argmax(combined(slow_first, slow_last, "first")) == 20  # drift wins
    assert np.argmax(combined(slow_first, slow_last, "nearer")) < 12


def test_ends_that_are_compared_with_themselves_lack_no_noise():
    floor = np.full((9, 1), 2.0)
    from_first, from_last = floor.copy(), floor.copy()
    from_first[0] = from_last[-1] = 0
    assert combined(from_first, from_last, "nearer").tolist() == [2] * 9
    assert combined(from_first, from_last, "first").tolist() == [0] + [2] * 8
    uneven = np.array([[0.0], [3.0], [5.0], [4.0], [9.0]])
    assert combined(uneven, uneven, "nearer").tolist() == [3, 3, 5, 4, 4]
    assert combined(from_first[-2:], from_last[-2:], "nearer").tolist() == [2, 0]


@pytest.mark.parametrize("reference", REFERENCES)
def test_of_many_regions_only_the_strongest_count(reference):
    values = np.array([[0.0, 0, 0, 0], [1, 5, 3, 2], [4, 0, 0, 9], [1, 0, 0, 0]])
    curve = combined(values, values, reference, strongest=2)
    factor = 2 if reference == "both" else 1
    assert curve[1:3].tolist() == [4 * factor, 6.5 * factor]
    assert np.allclose(combined(values, values, reference)[1:3], factor * values[1:3].mean(axis=1))
    assert np.allclose(combined(values, values, reference, strongest=9)[1:3], factor * values[1:3].mean(axis=1))


def test_smoothing_has_the_stated_width():
    impulse = np.zeros(201)
    impulse[100] = 1
    answer, place = smoothed(impulse, 20, fps=200), np.arange(201)
    assert answer.sum() == pytest.approx(1)
    assert np.sqrt((answer * (place - 100) ** 2).sum()) / 200 == pytest.approx(0.020, rel=0.02)
    assert np.allclose(smoothed(np.full(9, 3.0), 20, fps=100), 3)


def test_smoothing_of_an_unknown_rate_does_nothing():
    curve = np.random.default_rng(0).random(30)
    assert smoothed(curve, 20, None) is curve
    assert smoothed(curve, 0, 200) is curve


@pytest.mark.parametrize("seed", range(20))
def test_divide_and_conquer_agrees_with_a_second_implementation(seed):
    rng = np.random.default_rng(seed)
    curve = rng.random(int(rng.integers(3, 60)))
    assert divided(curve) == halves(curve)


def test_divide_and_conquer_prefers_two_peaks_to_a_higher_one():
    curve = np.array([0, 5, 0, 0, 0, 3, 0, 4, 0.0])
    assert (found(curve, "peak"), found(curve, "divide")) == (1, 7)
    assert found(curve[::-1], "divide") == 1


def test_of_equal_halves_the_earlier_is_kept():
    assert divided(np.array([0.0, 2, 0, 0, 0, 0, 2, 0])) == 1


def test_divide_and_conquer_without_any_peak_takes_the_highest_frame():
    assert divided(np.arange(6.0)) == 5
    assert divided(np.arange(6.0)[::-1]) == 0


def test_only_the_plain_search_may_answer_an_end():
    curve = hill(41, 10, 4) + np.linspace(0, 3, 41)
    assert found(curve, "highest") == 40
    assert abs(found(curve, "peak") - 10) <= 1
    assert abs(found(curve[::-1], "peak") - 30) <= 1
    assert found(np.arange(5.0), "peak") == 4  # nothing else is there


@pytest.mark.parametrize("search", SEARCHES)
def test_flat_curves_answer_the_middle(search):
    assert found(np.zeros(1), search) == 0
    assert found(np.zeros(2), search) == 0
    assert found(np.full(7, 0.4), search) == middle(7) == 3


def test_confidence_of_one_hill_and_of_none():
    clean = hill(101, 40, 10)
    assert confidence(clean, 40) > 0.95
    assert confidence(np.arange(9.0), 8) == 0
    assert confidence(np.zeros(5), 2) == 0
    assert confidence(np.zeros(1), 0) == 0
    assert confidence(clean, 70) < 0.2  # not the top


def test_confidence_falls_with_noise_and_with_a_second_hill():
    noise = np.random.default_rng(1).random(101)
    clean = hill(101, 40, 10)
    levels = [confidence(curve, int(np.argmax(curve))) for curve in (clean, clean + 0.05 * noise, clean + noise)]
    assert levels[0] > levels[1] > levels[2]
    double = clean + 0.9 * hill(101, 80, 5)
    assert confidence(double, 40) < 0.7
    assert confidence(7 * double, 40) == pytest.approx(confidence(double, 40))
    assert confidence(1 + clean, 40) == pytest.approx(confidence(clean, 40) / 2, rel=0.01)  # ground is lifted


def test_light_is_evened_where_one_looks():
    rng = np.random.default_rng(0)
    first = rng.integers(50, 150, (8, 9)).astype(float)
    where = np.zeros((8, 9), bool)
    where[2:5, 2:6] = True
    frames = np.stack([first, 1.2 * first, 0.5 * first])
    frames[1, 0, 0] = 255  # outside: it does not count
    even = evened(frames, where)
    assert even.dtype == np.float32
    assert np.allclose(even[2], first, rtol=1e-6)
    assert np.allclose(even[1][where], first[where], rtol=1e-6)


def test_black_frames_stay_black():
    frames = np.stack([np.full((4, 4), 10, np.uint8), np.zeros((4, 4), np.uint8)])
    everywhere = np.ones((4, 4), bool)
    assert np.array_equal(evened(frames, everywhere), frames)
    assert np.array_equal(evened(frames[::-1], everywhere), frames[::-1])


def test_eight_bits_rounds_and_cuts():
    assert eight_bits(np.array([-3, 0.4, 0.5, 254.6, 300])).tolist() == [0, 0, 1, 255, 255]
