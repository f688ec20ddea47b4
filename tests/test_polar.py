"""Flow in polar form: directions known by name, means at the seam of the circle, sectors and grey levels."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest

from mer_lib.errors import ParameterError
from mer_lib.motion import (
    angle_grey,
    arithmetic_mean_angle,
    circular_mean,
    polar,
    region_motion,
    sector_grey,
    sectors,
)
from mer_lib.motion.polar import NO_DIRECTION, TURN

DIRECTIONS = {  # (u, v) with v downwards: angle
    "right": ((1, 0), 0.0),
    "right and up": ((2, -2), math.pi / 4),
    "up": ((0, -3), math.pi / 2),
    "left": ((-1, 0), math.pi),
    "down": ((0, 0.5), 3 * math.pi / 2),
    "right and down": ((1, 1), 7 * math.pi / 4),
}


def everywhere(u: float, v: float, shape: tuple[int, int] = (4, 5), dtype: type = np.float64) -> np.ndarray:
    return np.full((*shape, 2), (u, v), dtype)


def towards(angles: np.ndarray | list[float], lengths: np.ndarray | float = 1.0) -> np.ndarray:
    """A flow of one row with these angles."""
    return np.stack([lengths * np.cos(angles), -lengths * np.sin(angles)], axis=-1)[None]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", DIRECTIONS)
def test_a_direction_has_its_angle_and_length(name, dtype) -> None:
    (u, v), wanted = DIRECTIONS[name]
    magnitude, angle = polar(everywhere(u, v, dtype=dtype))
    assert (magnitude.dtype, angle.dtype) == (dtype, dtype)
    assert magnitude == pytest.approx(np.full((4, 5), math.hypot(u, v)))
    assert angle == pytest.approx(np.full((4, 5), wanted), abs=1e-6)


def test_polar_form_is_that_of_complex_numbers() -> None:
    flow = np.random.default_rng(0).normal(size=(6, 7, 2))
    magnitude, angle = polar(flow)
    for (row, column), r in np.ndenumerate(magnitude):
        u, v = flow[row, column]
        assert cmath.rect(r, angle[row, column]) == pytest.approx(complex(u, -v))
    assert angle.min() >= 0
    assert angle.max() < TURN


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_just_below_the_right_is_no_full_turn(dtype) -> None:
    assert polar(np.array([[[1, 1e-30]]], dtype))[1] < TURN


def test_what_does_not_move_has_angle_zero() -> None:
    magnitude, angle = polar(np.zeros((2, 3, 2)))
    assert not magnitude.any()
    assert not angle.any()


# -- means ------------------------------------------------------------------------------------------------------------


def test_nearly_to_the_right_the_arithmetic_mean_says_left() -> None:
    flow = towards([0.1, TURN - 0.1])
    assert circular_mean(flow) == pytest.approx(0, abs=1e-12)
    assert arithmetic_mean_angle(flow) == pytest.approx(math.pi)


def test_away_from_the_seam_both_means_agree_for_equal_lengths() -> None:
    flow = towards(np.linspace(1.0, 1.4, 9))
    assert circular_mean(flow) == pytest.approx(1.2)
    assert arithmetic_mean_angle(flow) == pytest.approx(1.2)


def test_the_circular_mean_weighs_by_length_the_arithmetic_one_does_not() -> None:
    flow = towards([0.0, math.pi / 2], np.array([3.0, 1.0]))
    assert circular_mean(flow) == pytest.approx(math.atan2(1, 3))
    assert arithmetic_mean_angle(flow) == pytest.approx(math.pi / 4)


def test_the_circular_mean_turns_with_the_flow() -> None:
    rng = np.random.default_rng(1)
    angles, lengths = rng.normal(0.4, 0.5, 50), rng.random(50)
    first = circular_mean(towards(angles, lengths))
    for turn in (0.5, 2.0, 4.0, 6.0):
        assert cmath.rect(1, circular_mean(towards(angles + turn, lengths))) == pytest.approx(
            cmath.rect(1, first + turn)
        )


@pytest.mark.parametrize(
    "flow",
    [
        np.zeros((3, 3, 2)),
        towards([0.0, math.pi]),
        towards(np.arange(7) * TURN / 7),
        towards(np.arange(7) * TURN / 7).astype(np.float32),
    ],
)
def test_vectors_that_cancel_out_have_no_mean_direction(flow) -> None:
    assert math.isnan(circular_mean(flow))


def test_a_tiny_but_common_movement_has_a_direction() -> None:
    assert circular_mean(everywhere(0, -1e-7)) == pytest.approx(math.pi / 2)


def test_only_the_pixels_that_count_count() -> None:
    flow = everywhere(1, 0, (4, 6))
    flow[:, 3:] = (0, -2)
    flow[0, 0] = np.nan
    where = np.zeros((4, 6), bool)
    where[1:, 3:] = True
    assert circular_mean(flow, where) == pytest.approx(math.pi / 2)
    assert arithmetic_mean_angle(flow, where) == pytest.approx(math.pi / 2)


def test_regions_are_measured_one_by_one() -> None:
    rng = np.random.default_rng(2)
    flow = rng.normal(size=(20, 30, 2)).astype(np.float32)
    masks = [rng.random((20, 30)) < share for share in (0.1, 0.5, 0.9)]
    found = region_motion(flow, masks)
    for at, mask in enumerate(masks):
        pixels = [(float(u), float(v)) for u, v in flow[mask]]
        u, v = (math.fsum(values) / len(pixels) for values in zip(*pixels, strict=True))
        angles = [math.atan2(-v, u) % TURN for u, v in pixels]
        assert found.pixels[at] == len(pixels)
        assert found.vector[at] == pytest.approx([u, v])
        assert found.magnitude[at] == pytest.approx(math.fsum(math.hypot(*pixel) for pixel in pixels) / len(pixels))
        assert found.circular[at] == pytest.approx(math.atan2(-v, u) % TURN)
        assert found.arithmetic[at] == pytest.approx(math.fsum(angles) / len(angles), rel=1e-5)


def test_a_region_without_pixels_is_unknown_and_its_neighbours_are_not() -> None:
    masks = [np.zeros((4, 5), bool), np.ones((4, 5), bool)]
    found = region_motion(everywhere(0, 2), masks)
    assert found.pixels.tolist() == [0, 20]
    for values in (found.magnitude, found.circular, found.arithmetic, found.vector):
        assert np.isnan(values[0]).all()
        assert not np.isnan(values[1]).any()


def test_no_regions_are_no_measurements() -> None:
    found = region_motion(everywhere(0, 2), [])
    assert [values.shape for values in found] == [(0,), (0,), (0,), (0, 2), (0,)]


@pytest.mark.parametrize(
    ("flow", "where", "told"),
    [
        (np.zeros((4, 5)), None, "flow: expected floating"),
        (np.zeros((4, 5, 2), int), None, "got int64"),
        (np.full((4, 5, 2), np.nan), None, "20 of 20 pixels"),
        (np.full((4, 5, 2), np.inf), np.eye(4, 5, dtype=bool), "4 of 4 pixels"),
        (np.zeros((4, 5, 2)), np.ones((5, 4), bool), r"expected bool of shape \(4, 5\), got bool \(5, 4\)"),
        (np.zeros((4, 5, 2)), np.ones((4, 5)), "got float64"),
        (np.zeros((4, 5, 3)), np.ones((4, 5), bool), "flow: expected floating"),
    ],
)
@pytest.mark.parametrize("mean", [circular_mean, arithmetic_mean_angle])
def test_what_is_no_flow_or_mask_is_refused(mean, flow, where, told) -> None:
    with pytest.raises(ParameterError, match=told):
        mean(flow, where)


# -- sectors and grey levels ------------------------------------------------------------------------------------------


def test_sectors_follow_the_printed_formula() -> None:
    angles = np.random.default_rng(3).uniform(0, TURN, 500)
    wanted = [math.floor(8 * angle / TURN) for angle in angles]
    assert sectors(angles).tolist() == wanted
    assert sectors(angles, 6).tolist() == [math.floor(6 * angle / TURN) for angle in angles]


def test_shifted_sectors_have_the_main_directions_in_their_middle() -> None:
    middle = np.arange(8) * TURN / 8
    for offset in (-TURN / 16 + 1e-6, 0, TURN / 16 - 1e-6):
        assert sectors(middle + offset, shifted=True).tolist() == list(range(8))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_movement_straight_up_is_where_the_formula_puts_its_edge(dtype) -> None:
    angle = polar(everywhere(0, -1, dtype=dtype))[1]
    assert np.unique(sectors(angle)).tolist() == [2]


def test_whole_turns_do_not_matter() -> None:
    angles = np.array([0.3, 2.0, 5.9])
    assert sectors(angles + TURN).tolist() == sectors(angles).tolist() == sectors(angles - TURN).tolist()
    assert angle_grey(angles - TURN) == pytest.approx(angle_grey(angles))


def test_no_direction_stays_none() -> None:
    codes = sectors(np.array([1.0, np.nan]))
    assert codes.tolist() == [1, NO_DIRECTION]
    assert np.isnan(sector_grey(codes)).tolist() == [False, True]
    assert np.isnan(angle_grey(np.array([1.0, np.nan]))).tolist() == [False, True]


def test_grey_levels_are_those_of_the_two_readings() -> None:
    assert np.rint(sector_grey(np.arange(8))).tolist() == [0, 36, 73, 109, 146, 182, 219, 255]
    assert sector_grey(np.array([0, 3]), 4).tolist() == [0, 255]
    assert angle_grey(np.arange(8) * TURN / 8).tolist() == pytest.approx([31.875 * k for k in range(8)])


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: sectors(np.zeros(3), 1), "2 sectors or more, got 1"),
        (lambda: sectors(np.array([np.inf])), "infinite"),
        (lambda: sector_grey(np.array([0, 8])), r"sectors 0..7, or -1, got 0..8"),
        (lambda: sector_grey(np.array([-2])), "got -2"),
        (lambda: sector_grey(np.array([0]), 0), "got 0"),
    ],
)
def test_what_is_no_sector_is_refused(call, told) -> None:
    with pytest.raises(ParameterError, match=told):
        call()
