"""A head's motion found in fields of known motion, also where a part of the stable region moves otherwise."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from mer_lib.datasets.synthetic.plan import posed
from mer_lib.datasets.synthetic.portrait import draw_portrait
from mer_lib.datasets.synthetic.recording import Recording
from mer_lib.datasets.synthetic.renderer import ClipRenderer, MovableFace
from mer_lib.errors import ParameterError
from mer_lib.motion import fit_head_motion, optical_flow, without_head_motion

SHAPE = (90, 120)
MATRICES = {
    "translation": np.eye(2),
    "similarity": 1.02 * np.array([[np.cos(0.03), -np.sin(0.03)], [np.sin(0.03), np.cos(0.03)]]),
    "affine": np.array([[1.01, 0.02], [-0.005, 0.97]]),
}


def field(kind: str, shift: tuple[float, float] = (0.7, -1.2)) -> np.ndarray:
    """The flow of x -> M x + shift: exact, by its definition."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float64)
    return np.stack([x, y], axis=-1) @ (MATRICES[kind] - np.eye(2)).T + shift


def stable() -> np.ndarray:
    """A forehead and a nose."""
    mask = np.zeros(SHAPE, bool)
    mask[8:28, 20:100] = True
    mask[28:60, 52:68] = True
    return mask


@pytest.mark.parametrize("robust", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", MATRICES)
def test_a_pure_motion_is_found_exactly_and_nothing_is_left(kind, dtype, robust) -> None:
    flow = field(kind).astype(dtype)
    head = fit_head_motion(flow, stable(), kind, robust)
    wanted = np.column_stack([MATRICES[kind] - np.eye(2), (0.7, -1.2)])
    assert head.matrix == pytest.approx(wanted, abs=1e-5)
    assert head.flow(flow.shape) == pytest.approx(flow, abs=1e-5)
    assert head.inliers == 1
    assert head.residual < 1e-5
    left = without_head_motion(flow, stable(), kind, robust)
    assert left.dtype == dtype
    assert np.abs(left).max() < 2e-5


def test_turn_and_growth_are_read_off() -> None:
    head = fit_head_motion(field("similarity"), stable())
    assert head.rotation_deg == pytest.approx(np.degrees(0.03))
    assert head.scale == pytest.approx(1.02)
    still = fit_head_motion(np.zeros((*SHAPE, 2)), stable())
    assert (still.rotation_deg, still.scale, *still.translation) == pytest.approx((0, 1, 0, 0))


def test_a_positive_turn_is_clockwise_in_the_image() -> None:
    """As cv2.warpAffine shows it: what is right of the middle goes down."""
    flow = field("similarity")
    head = fit_head_motion(flow, stable())
    matrix = np.column_stack([MATRICES["similarity"], (0.7, -1.2)])
    image = np.zeros((200, 200), np.uint8)
    image[100, 150] = 255
    moved = cv2.warpAffine(image, matrix, (200, 200), flags=cv2.INTER_LINEAR)
    row, _ = np.unravel_index(moved.argmax(), moved.shape)
    assert head.rotation_deg > 0
    assert row > 101


def test_the_translation_is_that_of_the_middle_of_the_places() -> None:
    flow, mask = field("similarity"), stable()
    head = fit_head_motion(flow, mask)
    assert head.centre == pytest.approx(np.argwhere(mask).mean(axis=0)[::-1])
    assert head.translation == pytest.approx(flow[mask].mean(axis=0))


def test_points_do_as_well_as_a_mask_also_between_pixels() -> None:
    points = np.random.default_rng(0).uniform((0, 0), (SHAPE[1] - 1, SHAPE[0] - 1), (30, 2)).astype(np.float32)
    head = fit_head_motion(field("similarity"), points)
    assert head.matrix == pytest.approx(np.column_stack([MATRICES["similarity"] - np.eye(2), (0.7, -1.2)]), abs=1e-6)


def test_points_outside_are_left_out() -> None:
    flow = field("translation")
    points = np.array([[-0.1, 5], [3, 4], [119, 89], [119.01, 3], [4, 89.5]])
    head = fit_head_motion(flow, points)
    assert head.centre == pytest.approx((61, 46.5))
    with pytest.raises(ParameterError, match="got 1"):
        fit_head_motion(flow, points[:2])


@pytest.mark.parametrize("share", [0.1, 0.3, 0.45])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_a_part_of_the_region_that_moves_otherwise_is_seen_through(share, noise) -> None:
    """One side of the forehead rises by 1.5 px: least squares take it for a turn of the head."""
    rng = np.random.default_rng(1)
    truth, mask = field("similarity"), stable()
    flow = truth + rng.normal(0, noise, truth.shape)
    flow[8:28, 20 : 20 + int(80 * share)] += (0.3, -1.5)
    moving = mask[8:28, 20 : 20 + int(80 * share)].sum() / mask.sum()
    head = fit_head_motion(flow, mask)
    assert np.abs(head.flow(SHAPE) - truth).max() < 0.03
    assert head.inliers == pytest.approx(1 - moving, abs=0.01)
    assert np.abs(fit_head_motion(flow, mask, robust=False).flow(SHAPE) - truth).max() > 0.5


def test_noise_averages_out_as_in_least_squares() -> None:
    truth, mask = field("similarity"), stable()
    flow = truth + np.random.default_rng(2).normal(0, 0.2, truth.shape)
    head, plain = fit_head_motion(flow, mask), fit_head_motion(flow, mask, robust=False)
    assert np.abs(head.flow(SHAPE) - plain.flow(SHAPE)).max() < 0.02
    assert head.residual == pytest.approx(0.2 * np.sqrt(2), rel=0.05)
    assert head.inliers > 0.99


def test_least_squares_are_those_of_numpy() -> None:
    flow, mask = np.random.default_rng(3).normal(size=(*SHAPE, 2)), stable()
    y, x = np.argwhere(mask).T
    wanted = np.linalg.lstsq(np.column_stack([x, y, np.ones_like(x)]), flow[mask], rcond=None)[0].T
    assert fit_head_motion(flow, mask, "affine", robust=False).matrix == pytest.approx(wanted)


def test_the_same_flow_gives_the_same_motion() -> None:
    flow = field("affine") + np.random.default_rng(4).normal(size=(*SHAPE, 2))
    first, second = (fit_head_motion(flow, stable()).matrix for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_what_is_not_looked_at_may_be_unknown_and_stays_so() -> None:
    flow, mask = field("similarity").astype(np.float32), stable()
    flow[80, 10] = np.nan
    left = without_head_motion(flow, mask)
    assert np.isnan(left[80, 10]).all()
    assert np.isfinite(np.delete(left.reshape(-1, 2), 80 * SHAPE[1] + 10, axis=0)).all()


@pytest.mark.parametrize("kind", MATRICES)
def test_as_few_points_as_a_motion_needs_determine_it(kind) -> None:
    points = np.array([[10.0, 5.0], [80.0, 30.0], [20.0, 70.0]])[: list(MATRICES).index(kind) + 1]
    head = fit_head_motion(field(kind), points, kind)
    assert head.matrix == pytest.approx(np.column_stack([MATRICES[kind] - np.eye(2), (0.7, -1.2)]), abs=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_nearly_half_of_the_places_may_be_anywhere(seed) -> None:
    flow, mask = field("similarity"), stable()
    bad = mask & (np.random.default_rng(seed).random(SHAPE) < 0.45)
    flow[bad] += (4.0, -3.0)
    assert np.abs(fit_head_motion(flow, mask).flow(SHAPE) - field("similarity")).max() < 0.03


def test_two_parts_of_a_head_that_differ_a_little_are_both_heard() -> None:
    flow = np.zeros((*SHAPE, 2))
    flow[:, :50] = (0.4, 0.0)  # nearer to the camera than the other half
    head = fit_head_motion(flow, np.ones(SHAPE, bool), "translation")
    share = 50 / SHAPE[1]
    assert head.translation[0] == pytest.approx(0.4 * share, abs=0.06)
    assert head.inliers == 1


def test_one_bad_point_of_six_is_seen_through() -> None:
    points = np.array([[10.0, 5.0], [80.0, 30.0], [20.0, 70.0], [100.0, 80.0], [60.0, 10.0], [50.0, 50.0]])
    flow = field("similarity")
    flow[30, 80] += 2
    head = fit_head_motion(flow, points)
    assert np.abs(head.flow(SHAPE) - field("similarity")).max() < 1e-3
    assert head.inliers == pytest.approx(5 / 6)


LINE = np.column_stack([np.arange(9.0), 2 * np.arange(9.0)])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"where": np.zeros(SHAPE, bool)}, "similarity needs 2 places or more inside of the flow, got 0"),
        ({"where": LINE[:2], "model": "affine"}, "affine needs 3 places or more inside of the flow, got 2"),
        ({"where": LINE, "model": "affine"}, "close to one point or line to determine a affine"),
        ({"where": np.full((5, 2), 7.0)}, "close to one point or line to determine a similarity"),
        ({"where": np.ones((3, 3), bool)}, r"expected bool of shape \(90, 120\)"),
        ({"where": np.ones((3, 3))}, r"expected bool \(H, W\) or finite points \(N, 2\), got float64 \(3, 3\)"),
        ({"where": np.full((5, 2), np.nan)}, "finite points"),
        ({"model": "rigid"}, "one of affine, similarity, translation, got 'rigid'"),
        ({"flow": np.full((*SHAPE, 2), np.nan)}, "nan or infinite"),
        ({"flow": np.full((*SHAPE, 2), np.nan), "where": LINE}, "nan or infinite"),
        ({"flow": np.zeros(SHAPE)}, "flow: expected floating"),
        ({"flow": np.zeros(SHAPE), "where": LINE}, "flow: expected floating"),
        ({"flow": np.zeros((*SHAPE, 3)), "where": LINE}, "flow: expected floating"),
        ({"flow": np.zeros((1, 1, 2)), "where": np.ones((1, 1), bool)}, "got 1"),
    ],
)
def test_what_determines_no_motion_is_refused(change, told) -> None:
    given = {"flow": field("similarity"), "where": stable(), "model": "similarity"}
    with pytest.raises(ParameterError, match=told):
        fit_head_motion(**given | change)


def test_on_a_drawn_face_the_expression_is_left_over() -> None:
    """The flow of a smile on a moving head, with the head removed, is the true flow of the smile alone."""
    face = MovableFace(draw_portrait("head motion", "female", 192))
    still = posed({12: 0.012}, Recording(size=192).without_nuisance(), sample_id="head/s01/c01")
    head = np.zeros((len(still), 6))
    head[still.apex] = (0.01, -0.008, 0.5, 0, 0, 0.004)
    clip = ClipRenderer(face, replace(still, head=head))
    flow = optical_flow(clip.frame(still.onset), clip.frame(still.apex), "dis")
    truth = clip.flow(still.onset, still.apex, head=False)
    inside = clip.valid(still.onset, still.apex) & (face.portrait.face > 0.5)
    brow_to_nose = np.zeros(flow.shape[:2], bool)
    x, y = face.portrait.landmarks[168]
    brow_to_nose[int(y) - 45 : int(y) + 15, int(x) - 25 : int(x) + 25] = True
    left = without_head_motion(flow, brow_to_nose & inside)
    before, after = (np.linalg.norm(estimate - truth, axis=-1)[inside].mean() for estimate in (flow, left))
    assert after < 0.3 * before
    assert after < 0.15
