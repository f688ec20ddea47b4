"""Optical flow and strain on textures whose movement is known, and the small map of both."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mer_lib.errors import ParameterError
from mer_lib.motion import METHODS, Box, cut, optical_flow, scaled_map, strain
from mer_lib.motion.flow import stretched

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
        ({"method": "horn"}, "farneback, tvl1, dis, got 'horn'"),
        ({"second": np.zeros((40, 41))}, "two of one size"),
        ({"first": np.zeros((40, 40, 4))}, "first: expected"),
        ({"second": np.zeros((8, 8))}, "at least 16x16"),
        ({"first": np.zeros((40, 40), np.int32)}, "got int32"),
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
