"""Optical flow and strain on textures whose movement is known, and the small map of both."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mer_lib.errors import ParameterError
from mer_lib.motion import (
    DIS,
    METHODS,
    NAMED,
    RAFT,
    TVL1,
    Box,
    Farneback,
    checked_flow,
    cut,
    flow_method,
    grey8,
    optical_flow,
    rgb8,
    scaled_map,
    strain,
)
from mer_lib.motion.small_map import stretched

SIZE = 96
INSIDE = (slice(20, -20), slice(20, -20))


@pytest.fixture(scope="module")
def texture() -> np.ndarray:
    """A smooth random texture, float32 (96, 96) in 0..1."""
    noise = np.random.default_rng(3).standard_normal((SIZE, SIZE)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.0)
    return (smooth - smooth.min()) / (smooth.max() - smooth.min())


def moved(image: np.ndarray, matrix: np.ndarray, shift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The image after the points x -> x + matrix (x - middle) + shift, and that movement as a flow field."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
    offset = np.stack([x, y], axis=-1) - (SIZE - 1) / 2
    flow = offset @ matrix.T + shift
    back = (offset - shift) @ np.linalg.inv(np.eye(2) + matrix).T + (SIZE - 1) / 2
    image = cv2.remap(image, *np.moveaxis(back.astype(np.float32), -1, 0), cv2.INTER_CUBIC)
    return np.clip(image, 0, 1), flow


MOVEMENTS = {
    "right and down": (np.zeros((2, 2)), np.array([0.8, 0.5])),
    "left and up": (np.zeros((2, 2)), np.array([-1.5, -0.7])),
    "stretch": (np.array([[0.02, 0.0], [0.0, -0.01]]), np.zeros(2)),
    "turn": (np.array([[0.0, -0.02], [0.02, 0.0]]), np.zeros(2)),
    "shear": (np.array([[0.0, 0.03], [0.0, 0.0]]), np.array([0.3, 0.0])),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("movement", MOVEMENTS)
def test_flow_is_the_movement_in_pixels(texture, method, movement) -> None:
    after, truth = moved(texture, *MOVEMENTS[movement])
    flow = optical_flow(texture, after, method)
    assert flow.dtype == np.float32
    assert flow.shape == (SIZE, SIZE, 2)
    error = np.linalg.norm(flow - truth, axis=-1)[INSIDE]
    assert error.mean() < 0.12
    assert error.mean() < 0.25 * np.linalg.norm(truth, axis=-1)[INSIDE].mean()


def test_colour_grey_and_float_images_give_the_same_flow(texture) -> None:
    after, _ = moved(texture, *MOVEMENTS["stretch"])
    grey = [np.floor(255 * image + 0.5).astype(np.uint8) for image in (texture, after)]
    wanted = optical_flow(*grey)
    np.testing.assert_array_equal(optical_flow(*(np.dstack([image] * 3) for image in grey)), wanted)
    np.testing.assert_array_equal(optical_flow(texture, after), wanted)


@pytest.mark.parametrize("method", METHODS)
def test_views_that_are_not_contiguous_are_fine(texture, method) -> None:
    after, _ = moved(texture, *MOVEMENTS["turn"])
    part = (slice(3, -5), slice(7, -9))
    copied = optical_flow(texture[part].copy(), after[part].copy(), method)
    np.testing.assert_array_equal(optical_flow(texture[part], after[part], method), copied)


@pytest.mark.parametrize(
    ("movement", "wanted"),
    [
        (np.array([[0.03, 0.0], [0.0, 0.0]]), 0.03),
        (np.array([[0.0, 0.0], [0.0, -0.04]]), 0.04),
        (np.array([[0.0, 0.02], [0.0, 0.0]]), 0.02 / np.sqrt(2)),
        (np.array([[0.0, 0.02], [0.02, 0.0]]), 0.04 / np.sqrt(2)),
        (np.array([[0.0, -0.05], [0.05, 0.0]]), 0.0),
        (np.array([[0.03, 0.0], [0.0, 0.04]]), 0.05),
    ],
)
def test_strain_of_a_linear_field_is_known(movement, wanted) -> None:
    y, x = np.mgrid[0:12, 0:15].astype(np.float32)
    flow = (np.stack([x, y], axis=-1) @ movement.T + 2.5).astype(np.float32)
    got = strain(flow)
    assert (got.shape, got.dtype) == ((12, 15), np.float32)
    assert got == pytest.approx(np.full((12, 15), wanted), abs=1e-5)


def test_strain_is_the_norm_of_the_symmetric_gradient_point_by_point() -> None:
    flow = np.random.default_rng(3).normal(size=(9, 11, 2))
    u, v = np.moveaxis(flow, -1, 0)
    got = strain(flow)
    for y in range(1, 8):
        for x in range(1, 10):
            gradient = np.array(
                [
                    [u[y, x + 1] - u[y, x - 1], u[y + 1, x] - u[y - 1, x]],
                    [v[y, x + 1] - v[y, x - 1], v[y + 1, x] - v[y - 1, x]],
                ]
            )
            symmetric = (gradient + gradient.T) / 4
            assert got[y, x] == pytest.approx(np.linalg.norm(symmetric))


def map_of(first: np.ndarray, second: np.ndarray, box: Box) -> np.ndarray:
    return scaled_map(optical_flow(cut(first, box), cut(second, box)))


def test_a_map_has_u_v_and_strain_of_the_box_each_on_its_own_scale(texture) -> None:
    """A bump to the right in the upper left quarter of the box, and nothing else."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    bump = 2 * np.exp(-((x - 35) ** 2 + (y - 30) ** 2) / (2 * 7**2))
    after = cv2.remap(texture, x - bump, y, cv2.INTER_CUBIC)
    image = map_of(texture, np.clip(after, 0, 1), Box(10, 10, 90, 82))
    assert (image.shape, image.dtype) == ((28, 28, 3), np.uint8)
    assert image.reshape(-1, 3).min(axis=0).tolist() == [0, 0, 0]
    assert image.reshape(-1, 3).max(axis=0).tolist() == [255, 255, 255]
    row, column = np.unravel_index(image[..., 0].argmax(), (28, 28))
    assert abs(column - (35 - 10) / 80 * 28) < 2.5
    assert abs(row - (30 - 10) / 72 * 28) < 2.5
    assert image[:14, :16, 2].mean() > 3 * image[16:, 18:, 2].mean()


def test_the_map_is_made_of_its_flow(texture) -> None:
    after, _ = moved(texture, *MOVEMENTS["shear"])
    box = Box(20, 10, 76, 94)
    flow = optical_flow(texture[10:94, 20:76], after[10:94, 20:76])
    small = cv2.resize(np.dstack([flow, strain(flow)]), (28, 28), interpolation=cv2.INTER_AREA)
    wanted = np.stack([stretched(small[..., channel]) for channel in range(3)], axis=-1)
    np.testing.assert_allclose(map_of(texture, after, box).astype(int), wanted, atol=1)


def test_what_does_not_vary_is_stretched_to_nothing() -> None:
    np.testing.assert_array_equal(stretched(np.full((3, 4), 0.7)), np.zeros((3, 4), np.uint8))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"method": "horn"}, "one of farneback, tvl1, dis, .*, got 'horn'"),
        ({"second": np.zeros((40, 41))}, "two of one size"),
        ({"first": np.zeros((40, 40, 2))}, "first: expected"),
        ({"first": np.zeros((2, 40, 40, 3))}, "first: expected"),
        ({"second": np.zeros((8, 8))}, "at least 16x16"),
        ({"first": np.zeros((1, 1), np.uint8)}, r"first: expected .* at least 16x16, got \(1, 1\)"),
        ({"first": np.zeros((40, 40), np.int32)}, "got int32"),
        ({"first": np.zeros((40, 40), np.uint16)}, "got uint16: scale it by its full scale first"),
        ({"first": np.zeros((40, 40), bool)}, "got bool"),
        ({"second": np.full((40, 40), 255.0)}, "second: .* in 0..1, got values from 255 to 255"),
        ({"second": np.full((40, 40), -0.2)}, "got values from -0.2"),
        ({"second": np.full((40, 40), np.nan)}, "got values from nan"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, told) -> None:
    given = {"first": np.zeros((40, 40)), "second": np.zeros((40, 40)), "method": "farneback"}
    with pytest.raises(ParameterError, match=told):
        optical_flow(**given | change)


@pytest.mark.parametrize("box", [Box(-1, 0, 40, 40), Box(0, 0, 41, 40), Box(20, 0, 20, 40), Box(0, 30, 40, 20)])
def test_a_box_outside_the_image_is_refused(box) -> None:
    with pytest.raises(ParameterError, match="inside 40x40"):
        cut(np.zeros((40, 40)), box)


# -- images of every kind ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_transparency_is_dropped(texture, method) -> None:
    after, _ = moved(texture, *MOVEMENTS["shear"])
    colour = [np.dstack([image, image, image]) for image in (texture, after)]
    seen_through = [
        np.dstack([image, np.full(image.shape[:2], alpha)]) for image, alpha in zip(colour, (0, 1), strict=True)
    ]
    np.testing.assert_array_equal(optical_flow(*seen_through, method), optical_flow(*colour, method))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0, 128, 255])
def test_between_images_without_any_texture_nothing_moves(method, value) -> None:
    image = np.full((40, 52), value, np.uint8)
    np.testing.assert_array_equal(optical_flow(image, image, method), np.zeros((40, 52, 2), np.float32))


@pytest.mark.parametrize("method", METHODS)
def test_the_smallest_images_have_a_finite_flow(method) -> None:
    first, second = (np.random.default_rng(seed).integers(0, 256, (16, 16), dtype=np.uint8) for seed in (1, 2))
    assert np.isfinite(optical_flow(first, second, method)).all()


def test_grey_is_the_luminance_and_colour_stays() -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    assert grey8(colours).tolist() == [[76, 150, 29, 255]]
    np.testing.assert_array_equal(rgb8(colours), colours)
    np.testing.assert_array_equal(rgb8(colours / 255), colours)


def test_one_pixel_is_an_image() -> None:
    assert grey8(np.array([[7]], np.uint8)).tolist() == [[7]]
    assert rgb8(np.array([[[7]]], np.uint8)).tolist() == [[[7, 7, 7]]]
    assert rgb8(np.array([[[1, 2, 3, 4]]], np.uint8)).tolist() == [[[1, 2, 3]]]


def test_what_interpolation_overshoots_is_cut_off() -> None:
    assert grey8(np.array([[-0.1, 0.0, 0.5, 1.0, 1.1]])).tolist() == [[0, 0, 128, 255, 255]]


@pytest.mark.parametrize("beyond", [-0.11, 1.11, np.inf, -np.inf, np.nan])
def test_what_lies_further_outside_is_no_image(beyond) -> None:
    with pytest.raises(ParameterError, match="portrait: expected uint8, or floating in 0..1"):
        grey8(np.array([[0.5, beyond]]), "portrait")


# -- methods with parameters ------------------------------------------------------------------------------------------


def test_parameters_reach_opencv() -> None:
    """Far movement, which only a search with its settings sees: each set gives what OpenCV gives for it."""
    noise = np.random.default_rng(4).standard_normal((80, 90)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.5)
    first = np.floor(255 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)
    second = np.roll(first, 3, axis=1)
    start = np.zeros((80, 90, 2), np.float32)

    wanted = cv2.calcOpticalFlowFarneback(first, second, start.copy(), 0.7, 2, 9, 5, 7, 1.5, 0)
    method = Farneback(pyr_scale=0.7, levels=2, winsize=9, iterations=5, poly_n=7, poly_sigma=1.5)
    np.testing.assert_array_equal(optical_flow(first, second, method), wanted)

    reference = cv2.optflow.DualTVL1OpticalFlow.create()
    for setter, value in (("Tau", 0.2), ("Lambda", 0.05), ("Theta", 0.4), ("Epsilon", 0.02)):
        getattr(reference, f"set{setter}")(value)
    reference.setScalesNumber(3)
    reference.setWarpingsNumber(2)
    method = TVL1(tau=0.2, lambda_=0.05, theta=0.4, scales=3, warps=2, epsilon=0.02)
    np.testing.assert_array_equal(optical_flow(first, second, method), reference.calc(first, second, start.copy()))

    for number, preset in enumerate(("ultrafast", "fast", "medium")):
        search = cv2.DISOpticalFlow.create(number)
        search.setFinestScale(1)
        np.testing.assert_array_equal(
            optical_flow(first, second, DIS(preset, finest_scale=1)), search.calc(first, second, start.copy())
        )


def test_named_methods_are_methods_with_parameters() -> None:
    assert NAMED["farneback"] == NAMED["htnet"] == Farneback()
    assert NAMED["tvl1"] == NAMED["published_maps"] == TVL1()
    assert set(METHODS) < set(NAMED)
    for name, method in NAMED.items():
        assert flow_method(name) is method
        assert flow_method(method) is method
        assert hash(method) == hash(type(method)(**vars(method)))


def test_other_parameters_are_another_method() -> None:
    assert Farneback(winsize=21) != Farneback()
    assert TVL1(lambda_=0.1) != TVL1()
    assert DIS("fast") != DIS()


def test_what_opencv_refuses_is_an_error_of_the_parameters(texture) -> None:
    class Refused:
        colour = False

        def flow(self, before, after):
            return cv2.resize(before, (0, 0))

    with pytest.raises(ParameterError, match="OpenCV refuses it"):
        optical_flow(texture, texture, Refused())


# -- strain of movements that everybody knows -------------------------------------------------------------------------

Y, X = np.mgrid[0:9, 0:11].astype(np.float64)
KNOWN = {
    "translation": (np.stack([0 * X + 3.5, 0 * X - 2.0], axis=-1), 0.0),
    "rotation": (0.1 * np.stack([-(Y - 4), X - 5], axis=-1), 0.0),
    "dilation": (0.1 * np.stack([X - 5, Y - 4], axis=-1), 0.1 * np.sqrt(2)),
    "stretch to the right": (0.1 * np.stack([X, 0 * Y], axis=-1), 0.1),
    "pure shear": (0.1 * np.stack([Y, X], axis=-1), 0.1 * np.sqrt(2)),
    "squeeze and stretch": (0.1 * np.stack([X, -Y], axis=-1), 0.1 * np.sqrt(2)),
    "simple shear": (0.1 * np.stack([Y, 0 * X], axis=-1), 0.1 / np.sqrt(2)),
}


@pytest.mark.parametrize("name", KNOWN)
def test_strain_of_a_known_movement(name) -> None:
    flow, wanted = KNOWN[name]
    assert strain(flow) == pytest.approx(np.full((9, 11), wanted), abs=1e-12)


def test_strain_does_not_depend_on_where_the_axes_point() -> None:
    """The same pure shear turned by any angle: its norm stays."""
    for angle in np.linspace(0, np.pi, 7):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        gradient = turn @ np.array([[0.03, 0.02], [0.02, -0.01]]) @ turn.T
        flow = np.stack([X, Y], axis=-1) @ gradient.T
        assert strain(flow) == pytest.approx(np.full((9, 11), np.sqrt(0.03**2 + 0.01**2 + 2 * 0.02**2)))


def test_a_head_that_shifts_and_turns_adds_no_strain() -> None:
    flow = np.random.default_rng(6).normal(size=(9, 11, 2))
    assert strain(flow + KNOWN["translation"][0] + KNOWN["rotation"][0]) == pytest.approx(strain(flow))


# -- flow that is none ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", [strain, scaled_map, checked_flow])
@pytest.mark.parametrize(
    ("flow", "told"),
    [
        (np.full((4, 5, 2), np.nan), "20 of 20 pixels with nan or infinite values"),
        (np.where(np.eye(4)[..., None], [np.inf, 0.0], 1.0), "4 of 16 pixels"),
        (np.zeros((4, 5)), r"expected floating \(H, W, 2\).*got float64 \(4, 5\)"),
        (np.zeros((4, 5, 3)), r"got float64 \(4, 5, 3\)"),
        (np.zeros((4, 5, 2), np.int32), "got int32"),
        (np.zeros((0, 5, 2)), r"got float64 \(0, 5, 2\)"),
    ],
)
def test_what_is_no_flow_is_refused(function, flow, told) -> None:
    with pytest.raises(ParameterError, match=told):
        function(flow)


def test_one_pixel_has_no_strain() -> None:
    with pytest.raises(ParameterError, match="at least 2x2"):
        strain(np.zeros((1, 1, 2)))
    assert checked_flow(np.zeros((1, 1, 2))).shape == (1, 1, 2)


@pytest.mark.parametrize(
    ("method", "parameters", "told"),
    [
        (Farneback, {"levels": 2.5, "winsize": "wide"}, "levels: .*2.5; winsize: .*'wide'"),
        (Farneback, {"winsize": 0}, "winsize: expected a whole number from 1"),
        (Farneback, {"iterations": 0, "poly_n": -1}, "iterations: .*; poly_n: "),
        (TVL1, {"scales": 0}, "scales"),
        (Farneback, {"pyr_scale": 1.0}, "pyr_scale: expected a number below 1"),
        (TVL1, {"theta": 0}, "theta: expected a number above 0"),
        (TVL1, {"lambda_": float("nan")}, "lambda_"),
        (TVL1, {"warps": True}, "warps"),
        (DIS, {"preset": "slow"}, "preset: expected one of ultrafast, fast, medium"),
        (DIS, {"finest_scale": 1.5}, "finest_scale: expected a whole number"),
        (DIS, {"finest_scale": -1}, "finest_scale"),
        (RAFT, {"size": "tiny"}, "size: expected small or large"),
        (RAFT, {"updates": 0}, "updates"),
    ],
)
def test_parameters_that_would_give_nonsense_are_refused(method, parameters, told) -> None:
    with pytest.raises(ParameterError, match=told):
        method(**parameters)


@pytest.mark.parametrize("method", [5, None, object()])
def test_what_is_no_method_is_refused(method) -> None:
    with pytest.raises(ParameterError, match="expected a method or one of"):
        optical_flow(np.zeros((40, 40)), np.zeros((40, 40)), method)


def test_a_flow_that_is_not_finite_is_never_handed_out() -> None:
    class Broken:
        colour = False

        def flow(self, before, after):
            return np.full((*before.shape, 2), np.nan, np.float32)

    with pytest.raises(ParameterError, match="no finite flow"):
        optical_flow(np.zeros((40, 40)), np.zeros((40, 40)), Broken())
