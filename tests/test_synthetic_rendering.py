"""Rendered frames against the truth that comes with them, and the action units' fields on several faces."""

from __future__ import annotations

import dataclasses
from itertools import product

import cv2
import numpy as np
import pytest

from mer_lib.datasets.synthetic.action_units import ACTION_UNITS, LIMIT, NAMES, PATCHES, UNITS, Unit
from mer_lib.datasets.synthetic.creases import MARKS, REFERENCE, crease_maps
from mer_lib.datasets.synthetic.displacement import SPACING, at, grid_points, invert, jacobian, length, refine
from mer_lib.datasets.synthetic.emotions import EMOTIONS
from mer_lib.datasets.synthetic.expression import ExpressionFields, unit_fields
from mer_lib.datasets.synthetic.head_motion import HEAD_MOTIONS, head_fields
from mer_lib.datasets.synthetic.mesh import (
    LEFT_EYE_UPPER,
    LEFT_IRIS,
    LOWER_LIP_INNER,
    MIRROR,
    RIGHT_EYE_UPPER,
    RIGHT_IRIS,
    UPPER_LIP_INNER,
)
from mer_lib.datasets.synthetic.plan import ClipPlan, posed
from mer_lib.datasets.synthetic.portrait import draw_portrait
from mer_lib.datasets.synthetic.recording import Recording
from mer_lib.datasets.synthetic.renderer import ClipRenderer, MovableFace
from mer_lib.errors import ParameterError

SIZE = 160
STILL = Recording(size=SIZE).without_nuisance()
NOISY = Recording(size=SIZE, jpeg_quality=95)
# A face at rest, halfway, and at the apex.
CURVE = np.array([0.0, 0.5, 1.0])
MICRO = {1: 0.012, 2: 0.012, 4: 0.01, (12, -1): 0.014}
STRONG = {4: 0.05, 12: 0.06, 17: 0.05}
OPEN = {25: 0.04, 26: 0.05}
# Frames are bilinear lookups in a picture of twice the resolution; looking up twice costs this much, in light of 1.
LOOKUP_ERROR = 0.005


@pytest.fixture(scope="module")
def face() -> MovableFace:
    return MovableFace(draw_portrait("rendering/anna", "female", SIZE))


@pytest.fixture(scope="module")
def symmetric():
    return draw_portrait("rendering/symmetric", "male", SIZE, symmetric=True)


@pytest.fixture(scope="module")
def several_faces(face) -> list[ExpressionFields]:
    people = [("rendering/bob", "male"), ("rendering/clara", "female"), ("rendering/dirk", "male")]
    drawn = [ExpressionFields.of(draw_portrait(name, gender, 128)) for name, gender in people]
    return [face.expression, *drawn]


def plan_of(units: dict, recording: Recording = STILL, **curves: np.ndarray) -> ClipPlan:
    return dataclasses.replace(posed(units, recording, curve=CURVE, sample_id="test/s01/c01"), **curves)


def renderer(face: MovableFace, units: dict, creases: float = 0.0, **curves: np.ndarray) -> ClipRenderer:
    return ClipRenderer(face, plan_of(units, **curves), creases)


def wandering_head() -> np.ndarray:
    """A pose that is not straight, and a small movement: (3, 6)."""
    pose = np.array([0.04, -0.05, 1.5, 2.0, -1.5, 0.02])
    return pose + np.outer([0, 0.6, 1], [0.01, -0.006, 0.2, 0.4, 0.3, 0.002])


def seen_through(picture: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """`picture` looked up where `flow` says each pixel has gone."""
    y, x = np.mgrid[0 : flow.shape[0], 0 : flow.shape[1]].astype(np.float32)
    return cv2.remap(picture, x + flow[..., 0], y + flow[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def error_of(flow: np.ndarray, first: np.ndarray, second: np.ndarray, where: np.ndarray) -> float:
    return float(np.abs(seen_through(second, flow) - first).mean(axis=-1)[where].mean())


def eye_openings(face: MovableFace) -> np.ndarray:
    """How much of each pixel of the neutral face is in an eye opening: (H, W)."""
    return face.layer(face.lids, *np.meshgrid(*2 * [np.arange(SIZE, dtype=np.float32)]))


def shrunk(where: np.ndarray) -> np.ndarray:
    """`where` without its rim of one pixel."""
    return cv2.erode(where.astype(np.uint8), np.ones((3, 3))) > 0


# --- frames agree with the flow


@pytest.mark.parametrize("units", [MICRO, STRONG, OPEN, {7: 0.02, 5: 0.03}], ids=["micro", "strong", "open", "lids"])
@pytest.mark.parametrize("head", [False, True], ids=["still", "head"])
@pytest.mark.parametrize(("i", "j"), [(0, 2), (1, 2), (2, 0)])
def test_a_frame_looked_up_along_the_flow_is_the_other_frame(face, units, head, i, j):
    clip = renderer(face, units, head=wandering_head()) if head else renderer(face, units)
    first, second, flow = clip.clean(i), clip.clean(j), clip.flow(i, j)
    moving = clip.valid(i, j) & (length(flow) > 0.1)
    assert moving.sum() > 200
    right = error_of(flow, first, second, moving)
    assert right < LOOKUP_ERROR
    for wrong in (0 * flow, -flow, clip.flow(j, i)):
        assert error_of(wrong, first, second, moving) > 1.5 * right


def test_with_noise_the_residual_is_noise(face):
    clip = ClipRenderer(face, plan_of(MICRO, NOISY, head=wandering_head()), creases=0)
    first, second = (clip.frame(i).astype(np.float64) / 255 for i in (0, 2))
    valid = clip.valid(0, 2)
    residual = (seen_through(second, clip.flow(0, 2)) - first)[valid]
    expected = np.sqrt(2 * (NOISY.read_noise**2 + NOISY.shot_noise**2 * first[valid].mean()))
    assert 0.5 * expected < residual.std() < 1.6 * expected


def test_flow_leads_there_and_back(face):
    for units in (MICRO, STRONG):
        clip = renderer(face, units, head=wandering_head())
        there, back = clip.flow(0, 2), clip.flow(2, 0)
        valid = clip.valid(0, 2)
        assert np.quantile(length(there + seen_through(back, there))[valid], 0.99) < 0.03


def test_inversion_is_exact_to_a_hundredth_of_a_pixel(face):
    field = at_limit(face.expression, (1, 4, 12, 20))[0]
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    back = refine(field, x, y, invert(field, x, y))
    u, v = x + back[..., 0], y + back[..., 1]
    there = np.stack([u, v], axis=-1) + at(field, u, v)
    assert length(there - np.stack([x, y], axis=-1)).max() < 0.01


def test_creases_change_light_and_not_place(face):
    plain, creased = (renderer(face, {4: 0.02}, creases=creases) for creases in (0.0, 1.0))
    np.testing.assert_array_equal(plain.flow(0, 2), creased.flow(0, 2))
    np.testing.assert_array_equal(plain.clean(0), creased.clean(0))
    ratio = creased.clean(2).mean(axis=-1) / plain.clean(2).mean(axis=-1)
    assert 0.80 < ratio.min() < 0.95


def test_a_unit_of_one_side_creases_that_side(face):
    plain, creased = (renderer(face, {(4, -1): 0.03}, creases=creases).clean(2) for creases in (0.0, 1.0))
    change = np.abs(np.log(creased.mean(axis=-1) + 1e-6) - np.log(plain.mean(axis=-1) + 1e-6))
    beyond = np.arange(SIZE) - face.lines.midline
    assert change[:, beyond < -12].max() > 0.03
    assert change[:, beyond > 12].max() < 1e-6


# --- expression alone


def test_expression_flow_is_zero_when_only_the_head_moves(face):
    clip = renderer(face, {12: 0.0}, head=wandering_head())
    assert not clip.flow(0, 2, head=False).any()
    assert length(clip.flow(0, 2)).max() > 1


def test_expression_flow_is_zero_between_equal_expressions(face):
    clip = ClipRenderer(face, dataclasses.replace(posed(STRONG, STILL, curve=np.ones(3)), head=wandering_head()))
    assert not clip.flow(0, 2, head=False).any()


def test_expression_flow_is_zero_where_no_unit_moves(face):
    clip = renderer(face, {12: 0.03})
    flow = length(clip.flow(0, 2, head=False))
    brows = int(face.portrait.landmarks[[70, 107, 336, 300], 1].max())
    assert flow[:brows].max() < 0.01
    assert flow.max() > 1


def test_flow_is_that_of_the_expression_plus_that_of_the_head(face):
    both = renderer(face, MICRO, head=wandering_head())
    head_only = renderer(face, {12: 0.0}, head=wandering_head())
    rest = both.flow(0, 2) - both.flow(0, 2, head=False)
    np.testing.assert_allclose(rest, head_only.flow(0, 2), atol=0.01)  # frame 0 is the same in both


def test_eyeballs_move_with_the_head_and_not_with_the_lids(face):
    clip = renderer(face, {5: 0.04, 7: 0.02})
    pupils = np.rint(face.portrait.landmarks[[RIGHT_IRIS[0], LEFT_IRIS[0]]]).astype(int)
    for x, y in pupils:
        assert not clip.flow(0, 2)[y, x].any()
        assert clip.valid(0, 2)[y, x]


def test_only_lids_that_move_make_the_rim_of_the_eye_invalid(face):
    eyes = eye_openings(face) > 0.02
    assert renderer(face, {12: 0.03}).valid(0, 2)[eyes].all()
    assert not renderer(face, {5: 0.03}).valid(0, 2)[eyes].all()


# --- landmarks


def test_landmarks_move_as_the_flow_says(face):
    clip = renderer(face, MICRO | {17: 0.01}, head=wandering_head())
    for head in (True, False):
        before, after = clip.landmarks(0, head), clip.landmarks(2, head)
        seen = clip.landmarks(0)
        x, y = seen.T
        flow = cv2.remap(clip.flow(0, 2, head), x, y, cv2.INTER_LINEAR)[:, 0]
        inside = (np.abs(seen - SIZE / 2) < SIZE / 2 - 2).all(axis=1)
        tops_of_irises = (RIGHT_IRIS[2], LEFT_IRIS[2])
        # Skin on one side, eyeball on the other.
        lids = np.isin(np.arange(478), [*RIGHT_EYE_UPPER, *LEFT_EYE_UPPER, *tops_of_irises])
        assert length(after - before - flow)[inside & ~lids].max() < 0.15
        assert length(after - before).max() > 0.5
    assert clip.landmarks(0).dtype == np.float32
    assert clip.landmarks(0).shape == (478, 2)


def test_landmarks_of_the_expression_alone_start_from_the_neutral_portrait(face):
    clip = renderer(face, MICRO, head=wandering_head())
    np.testing.assert_allclose(clip.landmarks(0, head=False), face.portrait.landmarks, atol=1e-4)


@pytest.mark.parametrize("number", [25, 26])
def test_lips_part(face, number):
    clip = renderer(face, {number: 0.05})
    upper, lower = list(UPPER_LIP_INNER[4:7]), list(LOWER_LIP_INNER[4:7])

    def gap(index: int) -> float:
        points = clip.landmarks(index)
        return float((points[lower, 1] - points[upper, 1]).mean() / face.iod)

    assert gap(2) - gap(0) > 0.02
    column, row = np.rint(clip.landmarks(2)[[13, 14]].mean(axis=0)).astype(int)
    assert not clip.valid(2, 0)[row, column]
    around = slice(row - 4, row + 5), slice(column - 8, column + 9)
    neutral, opened = (np.sort(clip.clean(index)[around].mean(axis=-1), axis=None)[:30].mean() for index in (0, 2))
    assert opened < neutral - 0.05


def test_a_wide_open_mouth_shows_upper_teeth_over_a_dark_cavity(face):
    clip = renderer(face, {25: 0.07, 26: 0.08})
    (column, top), (_, bottom) = np.rint(clip.landmarks(2)[[13, 14]]).astype(int)
    assert bottom - top >= 5
    teeth, cavity = (clip.clean(2)[row, column - 2 : column + 3].mean() for row in (top + 1, bottom - 2))
    assert teeth > 0.35 > 0.2 > cavity


# --- eyes


def test_au5_raises_the_upper_lid(face):
    clip = renderer(face, {5: 0.04})
    lid = [159, 386]
    raised = clip.landmarks(0)[lid, 1] - clip.landmarks(2)[lid, 1]
    assert (raised > 0.6 * 0.04 * face.iod).all()
    still = np.setdiff1d(np.arange(478), np.flatnonzero(length(clip.landmarks(2) - clip.landmarks(0)) > 0.05))
    assert {61, 291, 1, 152, 107} <= set(still.tolist())


def test_a_blink_covers_the_eyes_with_skin(face):
    clip = renderer(face, {12: 0.0}, blink=np.array([0.0, 0.5, 1.0]))
    open_eyes, closed = clip.clean(0), clip.clean(2)
    opening = eye_openings(face) > 0.9
    inner = shrunk(opening)
    cheek = closed[
        np.rint(face.portrait.landmarks[[101, 330], 1]).astype(int),
        np.rint(face.portrait.landmarks[[101, 330], 0]).astype(int),
    ].mean(axis=0)
    far = np.abs(open_eyes[inner] - cheek).mean()
    assert np.median(np.abs(closed[inner] - cheek).mean(axis=-1)) < 0.7 * far
    assert not clip.valid(0, 2)[opening].any()
    assert not clip.valid(0, 1)[opening].any()
    lid, lower = clip.landmarks(2)[159, 1], clip.landmarks(2)[145, 1]
    assert lower - lid < 0.25 * (clip.landmarks(0)[145, 1] - clip.landmarks(0)[159, 1])


def test_gaze_moves_the_irises_and_makes_the_eyes_invalid(face):
    clip = renderer(face, {12: 0.0}, gaze=np.array([[0, 0], [0.01, 0], [0.03, 0.01]]))
    moved = clip.landmarks(2) - clip.landmarks(0)
    irises = [*RIGHT_IRIS, *LEFT_IRIS]
    np.testing.assert_allclose(moved[irises], np.tile([0.03, 0.01], (10, 1)) * face.iod, atol=1e-4)
    assert not np.delete(moved, irises, axis=0).any()
    column, row = np.rint(face.portrait.landmarks[RIGHT_IRIS[0]]).astype(int)
    assert not clip.valid(0, 2)[row, column]
    np.testing.assert_allclose(clip.flow(0, 2)[row, column], np.array([0.03, 0.01]) * face.iod, atol=1e-4)
    assert clip.valid(0, 2).mean() > 0.97


def test_gaze_turns_the_drawn_eyeballs_the_way_the_flow_says(face):
    clip = renderer(face, {12: 0.0}, gaze=np.array([[0, 0], [0.01, 0], [0.03, 0.01]]))
    first, second, flow, inner = clip.clean(0), clip.clean(2), clip.flow(0, 2), shrunk(eye_openings(face) > 0.9)
    along, against = (error_of(way, first, second, inner) for way in (flow, -flow))
    assert along < 0.2 * against


def test_eyeballs_that_a_lid_covers_are_invalid(face):
    clip = renderer(face, {7: LIMIT[7]})
    error = np.abs(seen_through(clip.clean(2), clip.flow(0, 2)) - clip.clean(0)).mean(axis=-1)
    valid = clip.valid(0, 2)
    assert error[valid].max() < 0.2 < error[~valid].max()


# --- fields of the action units


def at_limit(fields: ExpressionFields, numbers: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Fields of the upper and of the lower face when units of both sides are at their limits together."""
    rows = [UNITS.index(Unit(number, side)) for number in numbers for side in (-1, 1)]
    weights = np.array([LIMIT[number] for number in numbers for _ in (-1, 1)], np.float32)
    skin = np.tensordot(weights, fields.skin[rows], 1)
    upper, lower = skin.copy(), skin.copy()
    upper[fields.box.part] += np.tensordot(weights, fields.upper[rows], 1)
    lower[fields.box.part] += np.tensordot(weights, fields.lower[rows], 1)
    return upper, lower


def smallest_jacobian(fields: ExpressionFields, numbers: tuple[int, ...]) -> float:
    """Over all cells of the grid that lie wholly above or wholly below the mouth line."""
    upper, lower = at_limit(fields, numbers)
    x, y = grid_points((upper.shape[0] - 1) * SPACING)
    above = y < fields.lines.mouth(x)
    corners = np.stack([above[:-1, :-1], above[1:, :-1], above[:-1, 1:], above[1:, 1:]])
    return float(min(jacobian(upper)[corners.all(0)].min(), jacobian(lower)[~corners.any(0)].min()))


def test_every_unit_has_a_name_a_limit_and_patches():
    assert tuple(NAMES) == tuple(LIMIT) == tuple(PATCHES) == ACTION_UNITS
    assert set(MARKS) <= set(ACTION_UNITS)
    assert [Unit(number, side) for number in ACTION_UNITS for side in (-1, 1)] == list(UNITS)


def test_fields_are_scaled_to_a_peak_of_one_iod(face):
    peaks = length(unit_fields(face.portrait)).reshape(len(UNITS), -1).max(axis=1)
    np.testing.assert_allclose(peaks, face.iod, rtol=1e-4)


@pytest.mark.parametrize("unit", [(12, -1), (4, 1), (25, 1)])
def test_intensity_is_the_greatest_displacement_in_iod(face, unit):
    clip = renderer(face, {unit: 0.03})
    expected = 0.03 * face.iod
    assert 0.9 * expected < length(clip.flow(0, 2)).max() < 1.01 * expected


def test_both_sides_together_reach_hardly_farther_than_one(several_faces):
    for fields in several_faces:
        whole = fields.combined()
        for number in ACTION_UNITS:
            left, right = (whole[UNITS.index(Unit(number, side))] for side in (-1, 1))
            assert length(left + right).max() < 1.1 * length(left).max()


def test_a_unit_of_one_side_leaves_the_other_side_still(face):
    fields = unit_fields(face.portrait)
    x, _ = grid_points(SIZE)
    for field, unit in zip(fields, UNITS, strict=True):
        beyond = unit.side * (x - face.lines.midline) < -0.11 * face.iod
        assert length(field)[beyond].max() < 1e-3 * face.iod, unit


def test_left_and_right_are_mirror_images_on_a_symmetric_face(symmetric):
    mirror = symmetric.landmarks[MIRROR] * [-1, 1] + [2 * symmetric.landmarks[168, 0], 0]
    np.testing.assert_allclose(mirror, symmetric.landmarks, atol=0.01)
    fields = unit_fields(symmetric)
    midline = symmetric.landmarks[168, 0]
    points = symmetric.landmarks[[107, 70, 145, 159, 101, 61, 205, 48, 37, 84, 148, 201]] + [0.3, -0.2]
    flipped = points * [-1, 1] + [2 * midline, 0]
    for row in range(0, len(UNITS), 2):
        right = at(fields[row], *points.T)
        left = at(fields[row + 1], *flipped.T) * [-1, 1]
        assert length(right - left).max() < 0.04 * symmetric.iod, UNITS[row]  # the grid is not symmetric itself
        assert length(right).max() > 0.2 * symmetric.iod


@pytest.mark.parametrize("number", ACTION_UNITS)
def test_no_unit_folds_the_face_at_its_limit(several_faces, number):
    assert min(smallest_jacobian(fields, (number,)) for fields in several_faces) > 0.4


def test_no_typical_combination_folds_the_face_at_its_limits(several_faces):
    combinations = {tuple(c.shares) for several in EMOTIONS.values() for c in several}
    for numbers in combinations | {(1, 2, 5, 26), (15, 17), (10, 25), (25, 26), (17, 24)}:
        assert min(smallest_jacobian(fields, numbers) for fields in several_faces) > 0.2, numbers


def test_units_do_what_facs_says(face):
    fields = face.expression.combined()
    points = face.portrait.landmarks

    def moves(number: int, landmark: int) -> np.ndarray:
        """Away from the midline and down, on the image's left, in shares of the peak."""
        field = fields[UNITS.index(Unit(number, -1))]
        return at(field, *points[[landmark]].T)[0] / face.iod * [-1, 1]

    assert moves(1, 107)[1] < -0.7 < -0.3 < moves(1, 70)[1]  # inner brow, hardly the outer one
    assert moves(2, 70)[1] < -0.6 < -0.4 < moves(2, 107)[1]
    assert moves(4, 107)[1] > 0.5
    assert moves(4, 107)[0] < -0.2  # together
    assert moves(5, 159)[1] < -0.9
    assert moves(6, 50)[1] < -0.5
    assert moves(7, 145)[1] < -0.8
    assert moves(9, 64)[1] < -0.6
    assert moves(10, 81)[1] < -0.6
    assert moves(12, 61)[1] < -0.5 < 0.3 < moves(12, 61)[0]  # up and out
    assert moves(15, 61)[1] > 0.8
    assert moves(17, 201)[1] < -0.6
    assert moves(20, 61)[0] > 0.8
    assert moves(23, 61)[0] < -0.3
    assert moves(24, 39)[1] > 0.2 > -0.2 > moves(24, 181)[1]  # lips towards each other
    assert moves(26, 148)[1] > 0.8


# --- creases


def test_creases_are_of_the_depth_of_skin(face):
    depths = np.abs(crease_maps(face.portrait)).reshape(len(UNITS), -1).max(axis=1)
    assert (depths > 0.02).all()
    assert (depths < 0.2).all()
    assert pytest.approx(0.02) == REFERENCE


def test_negative_creases_are_refused(face):
    with pytest.raises(ParameterError, match="creases: expected a factor of 0 or more, got -1"):
        renderer(face, MICRO, creases=-1)


# --- head


@pytest.mark.parametrize(("motion", "expected"), [("tx", (1, 0)), ("ty", (0, 1))])
def test_shifts_of_the_head_are_in_iod(face, motion, expected):
    fields = head_fields(face.portrait)
    nose = at(fields[HEAD_MOTIONS.index(motion)], *face.portrait.landmarks[[1]].T)[0]
    np.testing.assert_allclose(nose / face.iod, expected, atol=0.02)


def test_head_turns_in_the_direction_that_is_promised(face):
    fields = dict(zip(HEAD_MOTIONS, head_fields(face.portrait), strict=True))
    nose, ear, forehead = (face.portrait.landmarks[[i]] for i in (1, 234, 10))
    assert at(fields["yaw"], *nose.T)[0, 0] > at(fields["yaw"], *ear.T)[0, 0] + 0.2  # px a degree
    assert at(fields["pitch"], *nose.T)[0, 1] > 0.3
    assert at(fields["roll"], *forehead.T)[0, 0] > 0.3
    larger = [at(fields["scale"], *face.portrait.landmarks[[i]].T)[0, 0] for i in (234, 454)]
    assert larger[0] < -0.5 * face.iod < 0.5 * face.iod < larger[1]


def test_the_background_keeps_still(face):
    x, y = grid_points(SIZE - 2)
    shift = head_fields(face.portrait)[HEAD_MOTIONS.index("tx"), : len(y), : len(x), 0]
    head = face.portrait.head[y.astype(int), x.astype(int)]
    np.testing.assert_allclose(shift, face.iod * head, rtol=1e-5)


def test_turning_the_head_does_not_fold_the_picture(face):
    fields = head_fields(face.portrait)
    farthest = 2 * np.array([0.05, 0.05, 1.5, 2.0, 2.0, 0.02])  # two sd of the poses that recordings draw
    for signs in product((-1, 1), repeat=len(HEAD_MOTIONS)):
        weights = (farthest * signs).astype(np.float32)
        assert jacobian(np.tensordot(weights, fields, 1)).min() > 0.1, signs


# --- frames as files


def test_the_same_bytes_in_any_order(face):
    plan = plan_of(MICRO, NOISY, head=wandering_head())
    clip = ClipRenderer(face, plan)
    forward = [clip.encoded(index) for index in range(3)]
    again = ClipRenderer(MovableFace(face.portrait), plan)
    again.flow(0, 2)
    assert [again.encoded(index) for index in (2, 1, 0)] == forward[::-1]
    assert len(set(forward)) == 3


def test_noise_belongs_to_the_sample(face):
    plan = plan_of({12: 0.0}, NOISY)
    other = dataclasses.replace(plan, sample_id="test/s01/c02")
    assert ClipRenderer(face, plan).encoded(0) != ClipRenderer(face, other).encoded(0)
    assert ClipRenderer(face, plan).encoded(0) != ClipRenderer(face, plan).encoded(1)


@pytest.mark.parametrize("quality", [None, 92])
@pytest.mark.parametrize("colour", [True, False])
def test_frames_are_their_files_decoded(face, quality, colour):
    recording = dataclasses.replace(STILL, jpeg_quality=quality, colour=colour)
    clip = ClipRenderer(face, plan_of(MICRO, recording))
    frame, file = clip.frame(1), clip.encoded(1)
    assert (frame.shape, frame.dtype) == ((SIZE, SIZE, 3) if colour else (SIZE, SIZE), np.uint8)
    assert file.startswith(b"\x89PNG" if quality is None else b"\xff\xd8")
    read = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(read[..., ::-1] if colour else read, frame)
    clean = clip.clean(1) if colour else clip.clean(1) @ np.array([0.299, 0.587, 0.114])
    assert np.abs(frame / 255 - clean).mean() < (0.003 if quality is None else 0.02)


def test_a_lower_jpeg_quality_makes_a_smaller_file(face):
    coarse, fine = (dataclasses.replace(STILL, jpeg_quality=quality) for quality in (30, 95))
    sizes = [len(ClipRenderer(face, plan_of(MICRO, recording)).encoded(1)) for recording in (coarse, fine)]
    assert sizes[0] < 0.7 * sizes[1]


def test_noise_is_as_strong_as_the_recording_says(face):
    recording = dataclasses.replace(STILL, read_noise=0.01, shot_noise=0.02)
    clip = ClipRenderer(face, plan_of({12: 0.0}, recording))
    noise = (clip.frame(1) / 255.0 - clip.frame(0) / 255.0) / np.sqrt(2)
    light = clip.clean(0)
    for low, high in ((0.2, 0.4), (0.6, 0.9)):
        chosen = (light > low) & (light < high)
        expected = np.sqrt(0.01**2 + 0.02**2 * light[chosen].mean())
        assert noise[chosen].std() == pytest.approx(expected, rel=0.1)


def test_light_and_vignette(face):
    plan = plan_of({12: 0.0}, dataclasses.replace(STILL, vignette=0.3), gain=np.array([1.0, 0.8, 1.0]))
    clip = ClipRenderer(face, plan)
    clean, full, dim = clip.clean(0), clip.frame(0) / 255.0, clip.frame(1) / 255.0
    middle = SIZE // 2
    np.testing.assert_allclose(full[middle, middle], clean[middle, middle], atol=0.004)
    np.testing.assert_allclose(full[0, 0], 0.7 * clean[0, 0], atol=0.004)
    np.testing.assert_allclose(dim[middle, middle], 0.8 * clean[middle, middle], atol=0.004)


# --- bad input


@pytest.mark.parametrize("index", [-1, 3, 1.0, True, None])
def test_a_bad_index_is_named(face, index):
    clip = renderer(face, MICRO)
    for method in (clip.frame, clip.landmarks, lambda i: clip.flow(0, i), lambda i: clip.valid(i, 0)):
        with pytest.raises(ParameterError, match=r"frame index: expected a whole number from 0 to 2 .* got"):
            method(index)


def test_a_portrait_of_another_size_is_refused(face):
    with pytest.raises(ParameterError, match="expected a portrait of the recording's size, 128 px, got one of 160"):
        ClipRenderer(face, plan_of(MICRO, dataclasses.replace(STILL, size=128)))
