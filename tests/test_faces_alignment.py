"""Alignment: the similarity against an independent implementation, warps against what they must show."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.transform

from mer_lib.datasets.maps import CONSTANT_POINTS
from mer_lib.datasets.synthetic.mesh import CANONICAL
from mer_lib.errors import DataError, ParameterError
from mer_lib.faces.alignment import ALIGNMENTS, Alignment, align, box, similarity, square
from mer_lib.faces.detection import Face

PUBLISHED = np.array(list(CONSTANT_POINTS.values()))


def symmetric_targets(side: int) -> np.ndarray:
    """Where eyes and lip corners belong, worked out by hand: published distances and heights, around the middle."""
    (left_eye, right_eye, left_lip, right_lip) = PUBLISHED
    middle, eyes, lips = 13.5, (right_eye - left_eye)[0] / 2, (right_lip - left_lip)[0] / 2
    eye_row, lip_row = (left_eye + right_eye)[1] / 2, (left_lip + right_lip)[1] / 2
    points = [(middle - eyes, eye_row), (middle + eyes, eye_row), (middle - lips, lip_row), (middle + lips, lip_row)]
    return (np.array(points) + 0.5) * side / 28 - 0.5


def with_nose(four: np.ndarray) -> np.ndarray:
    return np.insert(four, 2, four.mean(axis=0) + (40, 3), axis=0)  # wherever it is: it is not used


def turned(points: np.ndarray, degrees: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    angle = np.deg2rad(degrees)
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ matrix.T + shift


def spot(shape: tuple[int, int], x: float, y: float, width: float = 2.5) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * width**2)).astype(np.float32)


def centre_of(image: np.ndarray) -> np.ndarray:
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    return np.array([(columns * image).sum(), (rows * image).sum()]) / image.sum()


@pytest.mark.parametrize("side", [28, 224])
@pytest.mark.parametrize("degrees", [0, 25, -100])
def test_a_similar_face_is_brought_exactly_to_the_published_places(side, degrees):
    points = turned(symmetric_targets(28), degrees, 6.5, (31, -12))
    alignment = similarity(with_nose(points), side)
    np.testing.assert_allclose(alignment.points(points), symmetric_targets(side), atol=1e-4)
    assert alignment.scale == pytest.approx(side / 28 / 6.5, rel=1e-5)


def test_other_faces_are_fitted_in_the_least_squares_sense():
    points = turned(PUBLISHED, 12, 9, (80, 60)) + np.random.default_rng(1).normal(0, 6, (4, 2))
    judge = skimage.transform.SimilarityTransform()
    judge.estimate(points, symmetric_targets(224))
    np.testing.assert_allclose(similarity(with_nose(points)).matrix, judge.params[:2], atol=1e-4)


def test_published_points_are_hardly_moved():
    alignment = similarity(with_nose(PUBLISHED), 28)
    turn = np.rad2deg(np.arctan2(alignment.matrix[1, 0], alignment.matrix[0, 0]))
    assert abs(turn) < 0.5
    assert alignment.scale == pytest.approx(1, abs=0.001)


def test_a_margin_leaves_room_on_every_side():
    points = turned(symmetric_targets(28), 10, 6.5, (31, -12))
    inner, outer = similarity(with_nose(points), 224), similarity(with_nose(points), 224, margin=0.25)
    corners = inner.back(np.array([(-0.5, -0.5), (223.5, 223.5)]))  # of what shows without a margin
    low, high = 224 / 6 - 0.5, 224 * 5 / 6 - 0.5
    np.testing.assert_allclose(outer.points(corners), [(low, low), (high, high)], atol=1e-3)


def test_the_whole_face_has_its_chin_in_the_crop_and_the_published_place_has_not():
    """The lowest point of the canonical mesh, which is a face with its mouth closed."""
    mesh = (100 * CANONICAL[:, :2] + 300).astype(np.float32)
    chin = mesh[mesh[:, 1].argmax()]
    inside = {
        how: align(how, Face(mesh, (0.0, 0.0, 9.0, 9.0), None), 224, (600, 600)) for how in ("similarity", "whole_face")
    }
    below = {how: alignment.points(chin[None])[0, 1] - 223.5 for how, alignment in inside.items()}
    assert below["similarity"] > 5
    assert below["whole_face"] < 0


@pytest.mark.parametrize("how", ALIGNMENTS)
def test_points_go_to_the_crop_and_back(how):
    rng = np.random.default_rng(0)
    face = Face(with_nose(turned(PUBLISHED, 7, 5, (60, 40))).astype(np.float32), (50.0, 40.0, 190.0, 200.0), None)
    alignment = align(how, face, 112, (240, 320))
    points = rng.uniform(0, 300, (3, 5, 2))
    np.testing.assert_allclose(alignment.back(alignment.points(points)), points, atol=1e-9)
    assert alignment.points(points.astype(np.float32)).dtype == np.float32
    assert alignment.points(np.array([[3, 4]])).dtype == np.float64


@pytest.mark.parametrize("degrees", [0, 20])
@pytest.mark.parametrize("side", [300, 224, 100, 61])
def test_a_spot_is_seen_where_its_point_goes(side, degrees):
    points = turned(PUBLISHED, degrees, 8, (40.3, 20.8))
    alignment = similarity(with_nose(points), side)
    x, y = points.mean(axis=0) + (3.3, -7.6)
    seen = centre_of(alignment.warp(spot((300, 320), x, y, width=8)))
    np.testing.assert_allclose(seen, alignment.points(np.array([x, y])), atol=0.05)


def test_a_smaller_crop_shows_means_of_areas():
    fine = np.indices((240, 240)).sum(axis=0) % 2 * np.float32(1)  # a checkerboard of single pixels
    crop = box((-0.5, -0.5, 239.5, 239.5), 40).warp(fine)
    np.testing.assert_allclose(crop, 0.5, atol=1e-6)
    bars = np.tile(np.array([1, 0, 0], np.float32), (240, 80))
    np.testing.assert_allclose(box((-0.5, -0.5, 239.5, 239.5), 80).warp(bars)[1:-1, 1:-1], 1 / 3, atol=1e-3)
    ramp = np.tile(np.arange(240, dtype=np.float32), (240, 1))
    np.testing.assert_allclose(box((-0.5, -0.5, 239.5, 239.5), 40).warp(ramp)[0], np.arange(40) * 6 + 2.5, atol=1e-3)


def test_what_is_cut_without_scaling_is_copied():
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    np.testing.assert_array_equal(box((9.5, 4.5, 49.5, 44.5), 40).warp(image), image[5:45, 10:50])


def test_beyond_the_frame_its_border_goes_on():
    image = np.arange(100, dtype=np.uint8).reshape(10, 10)
    crop = box((-5.5, -5.5, 9.5, 9.5), 15).warp(image)
    np.testing.assert_array_equal(crop, np.pad(image, ((5, 0), (5, 0)), mode="edge"))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [(), (1,), (2,), (3,), (4,)])
@pytest.mark.parametrize("side", [7, 40])
def test_type_and_channels_are_kept(kind, channels, side):
    image = np.full((20, 30, *channels), 200, kind)
    crop = box((2, 3, 18, 17), side).warp(image)
    assert crop.dtype == kind
    assert crop.shape == (side, side, *channels)
    np.testing.assert_allclose(crop, 200)


def test_sixteen_bits_keep_their_full_range():
    image = np.full((20, 20), 65535, np.uint16)
    assert (box((0, 0, 15, 15), 6).warp(image) == 65535).all()


def test_one_pixel_fills_a_crop():
    assert (box((-0.5, -0.5, 0.5, 0.5), 9).warp(np.array([[77]], np.uint8)) == 77).all()


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((0, 4)), "1 to 32766 pixels a side"),
        (np.zeros((4, 4, 5)), "1 to 4 channels"),
        (np.zeros(4), "expected .H, W."),
        (np.zeros((4, 4), np.int64), "got int64"),
        (np.array([[1.0, np.nan]]), "finite"),
        (np.zeros((1, 40000), np.uint8), "1 to 32766 pixels a side"),
    ],
)
def test_what_is_no_image_is_refused(image, message):
    with pytest.raises(ParameterError, match=message):
        box((0, 0, 3, 3), 4).warp(image)


def test_a_crop_that_would_show_too_much_is_refused():
    with pytest.raises(ParameterError, match="too few for a face"):
        box((0, 0, 40000, 40000), 10).warp(np.zeros((5, 5), np.uint8))
    with pytest.raises(ParameterError, match="too few for a face 312 times as large"):
        box((0, 0, 20000, 20000), 64).warp(np.zeros((5, 5), np.uint8))  # it would take gigabytes


def test_a_square_surrounds_the_points_with_its_margin_and_does_not_turn_them():
    points = np.array([(40.0, 50.0), (100.0, 60.0), (70.0, 130.0)])  # 60 wide, 80 high
    moved = square(points, side=104, margin=0.15).points(points)
    np.testing.assert_allclose(moved[:, 1].min() + 0.5, 0.15 / 1.3 * 104)
    np.testing.assert_allclose(103.5 - moved[:, 1].max(), 0.15 / 1.3 * 104)
    np.testing.assert_allclose(moved[:, 0].min() + moved[:, 0].max(), 103)
    np.testing.assert_allclose(np.diff(moved, axis=0), np.diff(points, axis=0) * 104 / (80 * 1.3))


def test_a_box_is_squeezed_into_the_square():
    alignment = box((10.0, 20.0, 50.0, 100.0), 40)
    np.testing.assert_allclose(alignment.points(np.array([(10, 20), (50, 100)])), [(-0.5, -0.5), (39.5, 39.5)])
    np.testing.assert_allclose(alignment.vectors(np.array([1.0, 1.0])), (1, 0.5))
    assert alignment.scale == pytest.approx(np.sqrt(0.5))


def test_the_whole_frame_keeps_its_shape():
    face = Face(with_nose(PUBLISHED), (0.0, 0.0, 9.0, 9.0), None)
    alignment = align("frame", face, 64, (48, 64, 3))
    np.testing.assert_allclose(alignment.matrix, [[1, 0, 0], [0, 1, 8]], atol=1e-12)


def test_vectors_turn_with_the_face():
    points = turned(symmetric_targets(28), 90, 8, (300, 20))
    alignment = similarity(with_nose(points), 224)
    flow = np.tile(np.array([0.0, 2.0], np.float32), (3, 4, 1))  # downwards, which was to the right before the turn
    np.testing.assert_allclose(alignment.vectors(flow), np.tile([2.0, 0.0], (3, 4, 1)), atol=1e-4)


@pytest.mark.parametrize("call", [similarity, square])
def test_one_point_is_no_face(call):
    with pytest.raises(DataError):
        call(np.full((5, 2), 7.0))


@pytest.mark.parametrize(
    "call",
    [
        lambda: similarity(np.zeros((4, 2))),
        lambda: similarity(with_nose(PUBLISHED), 0),
        lambda: similarity(with_nose(PUBLISHED), 40000),
        lambda: similarity(np.full((5, 2), np.nan)),
        lambda: similarity(with_nose(PUBLISHED), margin=-0.5),
        lambda: square(np.zeros((0, 2))),
        lambda: square(PUBLISHED, margin=float("nan")),
        lambda: box((0.0, float("inf"), 3.0, 4.0), 8),
        lambda: align("tight", Face(with_nose(PUBLISHED), (0.0, 0.0, 1.0, 1.0), None), 8, (9, 9)),
    ],
)
def test_arguments_out_of_range_are_refused(call):
    with pytest.raises(ParameterError):
        call()


def test_an_empty_box_is_no_face():
    with pytest.raises(DataError, match="left < right"):
        box((5.0, 5.0, 5.0, 9.0), 8)


def test_scale_is_pixels_of_the_crop_to_one_of_the_frame():
    assert Alignment(np.array([[0.0, -3.0, 1], [3.0, 0.0, 2]]), 10).scale == pytest.approx(3)
