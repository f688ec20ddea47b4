"""Regions of a face: masks against an independent rasteriser, schemes against the papers, anatomy and drawn truth."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mer_lib.datasets.maps import CONSTANT_POINTS
from mer_lib.datasets.synthetic.action_units import LIMIT, PATCHES, UNITS
from mer_lib.datasets.synthetic.displacement import at
from mer_lib.datasets.synthetic.expression import ExpressionFields
from mer_lib.datasets.synthetic.mesh import (
    CANONICAL,
    FACE_OVAL,
    LEFT_EYE_LOWER,
    LEFT_EYE_UPPER,
    MIRROR,
    RIGHT_EYE_LOWER,
    RIGHT_EYE_UPPER,
)
from mer_lib.datasets.synthetic.portrait import draw_portrait
from mer_lib.errors import DataError, ParameterError
from mer_lib.faces.points import five_points
from mer_lib.faces.regions import (
    SCHEMES,
    Region,
    dnc_rois,
    four_windows,
    muscle_pairs,
    muscle_regions,
    regions,
    stable_mask,
    stable_regions,
    ten_cells,
)
from mer_lib.faces.regions.region import polygon_mask

WIDTH, HEIGHT, UNIT = 480, 560, 200.0
MIDDLE = 239.5  # of the canonical face below, so that mirroring the frame mirrors the face
MESH = CANONICAL[:, :2] * UNIT + (MIDDLE, 180)
BUILDERS = (ten_cells, muscle_regions, dnc_rois, stable_regions, four_windows)
COUNTS = {"four_windows": 4, "ten_cells": 10, "muscle_regions": 42, "dnc_rois": 3}


def named(found: tuple[Region, ...]) -> dict[str, Region]:
    return {region.name: region for region in found}


def corners_of(polygon: np.ndarray) -> np.ndarray:
    """The corners in an order that does not depend on where the polygon starts."""
    return polygon[np.lexsort(polygon.round().T)]


def turned(degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    x = CANONICAL[:, 0] * np.cos(angle) + CANONICAL[:, 2] * np.sin(angle)
    return np.column_stack([x, CANONICAL[:, 1]]) * UNIT + (MIDDLE, 180)


# -- masks and boxes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_a_mask_holds_the_pixels_whose_centres_opencv_finds_inside(seed):
    polygon = np.random.default_rng(seed).uniform(-6, 36, (4 + seed, 2))
    mask = polygon_mask(polygon, 30, 34)
    judge = np.array(
        [
            [cv2.pointPolygonTest(polygon.astype(np.float32), (float(x), float(y)), True) for x in range(34)]
            for y in range(30)
        ]
    )
    clear = np.abs(judge) > 1e-3
    # Where edges cross, OpenCV's test and this one both count crossings: even is outside.
    assert clear.mean() > 0.99
    np.testing.assert_array_equal(mask[clear], judge[clear] > 0)


def test_polygons_that_share_edges_share_no_pixel_and_leave_none_out():
    corners = [(2, 2), (12, 2), (12, 10), (2, 10)]  # on pixel centres, where ties must be broken
    inner = (7, 5)
    parts = [np.array([corners[i], corners[(i + 1) % 4], inner], float) for i in range(4)]
    together = sum(polygon_mask(part, 14, 16).astype(int) for part in parts)
    np.testing.assert_array_equal(together, polygon_mask(np.array(corners, float), 14, 16))
    assert together.sum() == 80


def test_the_direction_in_which_a_polygon_is_drawn_does_not_matter():
    polygon = np.random.default_rng(3).integers(0, 20, (7, 2)).astype(float)
    np.testing.assert_array_equal(polygon_mask(polygon, 20, 20), polygon_mask(polygon[::-1], 20, 20))


def test_a_box_holds_the_mask_and_nothing_more():
    region = muscle_regions(MESH)[4]
    rows, columns = np.nonzero(region.mask(HEIGHT, WIDTH))
    left, top, right, bottom = region.box
    assert left <= columns.min() <= left + 1
    assert right - 2 <= columns.max() < right
    assert top <= rows.min() <= top + 1
    assert bottom - 2 <= rows.max() < bottom


def test_a_region_without_a_pixel_centre_has_an_empty_mask_and_a_box_of_one_pixel():
    dot = Region("dot", np.array([(3.2, 4.2), (3.4, 4.2), (3.4, 4.4)]), "middle")
    assert not dot.mask(9, 9).any()
    assert dot.box == (4, 5, 5, 6)


def test_boxes_are_cut_at_the_image_and_refused_outside_of_it():
    region = Region("left cheek", np.array([(-5.5, 2.5), (3.5, 2.5), (3.5, 30.5), (-5.5, 30.5)]), "left")
    assert region.box == (-5, 3, 4, 31)
    assert region.box_within(20, 10) == (0, 3, 4, 20)
    with pytest.raises(DataError, match="left cheek lies outside of the image of 10x3 pixels"):
        region.box_within(3, 10)


def test_an_image_without_pixels_is_refused():
    with pytest.raises(ParameterError, match="at least 1x1"):
        stable_mask(MESH, 0, 10)


# -- what all schemes share -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", BUILDERS)
def test_the_regions_of_a_mirrored_face_are_the_mirrored_regions(build):
    found = named(build(MESH))
    for region in found.values():
        other = found[region.mirror]
        flipped = region.polygon * (-1, 1) + (2 * MIDDLE, 0)
        rounding = 2 if build is four_windows else 1e-3  # windows are cut to whole pixels, to the left and up
        np.testing.assert_allclose(corners_of(flipped), corners_of(other.polygon), atol=rounding)
        assert {region.side, other.side} in ({"middle"}, {"left", "right"})


@pytest.mark.parametrize("build", BUILDERS)
def test_left_and_right_are_those_of_the_image(build):
    for region in build(MESH):
        x = region.centre[0] - MIDDLE
        assert {"left": x < 0, "right": x > 0, "middle": abs(x) < 1e-3}[region.side], region.name
        assert region.side == "middle" or region.name.startswith(region.side)


@pytest.mark.parametrize("build", [ten_cells, muscle_regions, dnc_rois, stable_regions])
def test_regions_grow_and_move_with_the_face(build):
    for before, after in zip(build(MESH), build(3 * MESH + (7, -4)), strict=True):
        np.testing.assert_allclose(after.polygon, 3 * before.polygon + (7, -4))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_schemes_by_name(scheme):
    found = regions(scheme, MESH)
    assert len(found) == len(named(found)) == COUNTS[scheme]
    assert all(region.mask(HEIGHT, WIDTH).any() for region in found)


def test_options_belong_to_the_windows_alone():
    assert regions("four_windows", MESH, size=30)[0].box[2] - regions("four_windows", MESH, size=30)[0].box[0] == 30
    with pytest.raises(ParameterError, match="takes neither size nor legacy_swap"):
        regions("ten_cells", MESH, size=30)
    with pytest.raises(ParameterError, match="expected one of four_windows, ten_cells, muscle_regions, dnc_rois"):
        regions("eleven", MESH)


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize(
    "points", [np.zeros((68, 2)), np.zeros((478, 3)), np.zeros(4), np.where(MESH[5] == MESH, np.nan, MESH)]
)
def test_points_that_are_no_landmarks_are_refused(build, points):
    with pytest.raises(ParameterError, match="points: expected"):
        build(points)


@pytest.mark.parametrize("degrees", [45, 70, 85])
@pytest.mark.parametrize("build", BUILDERS)
def test_a_turned_head_has_regions_as_well(build, degrees):
    for region in build(turned(degrees)):
        assert np.isfinite(region.polygon).all()
        assert region.mask(HEIGHT, WIDTH).sum() <= HEIGHT * WIDTH / 4


# -- CapsuleNet and D&C-RoIs ------------------------------------------------------------------------------------------


def test_ten_cells_lie_where_the_paper_says():
    cells = named(ten_cells(MESH))
    side = np.linalg.norm(MESH[291] - MESH[61]) / 2
    for cell in cells.values():
        np.testing.assert_allclose(np.ptp(cell.polygon, axis=0), side)
    np.testing.assert_allclose(cells["left lip corner"].centre, MESH[61])
    np.testing.assert_allclose(cells["right lip corner"].centre, MESH[291])
    np.testing.assert_allclose(cells["chin"].polygon[:, 1].max(), MESH[152, 1])
    nose = cells["left side of the nose"].polygon
    assert np.isclose(nose[:, 0].max(), MESH[129, 0])
    assert np.isclose(nose[:, 1].max(), MESH[[37, 0, 267], 1].min())
    eye = cells["right outer eye"]
    assert np.isclose(eye.polygon[:, 0].min(), MESH[263, 0])
    assert np.isclose(eye.centre[1], MESH[263, 1])
    brow = cells["left inner brow"].mask(HEIGHT, WIDTH)
    assert brow[tuple(MESH[[107, 66], ::-1].mean(axis=0).astype(int))]


def test_cells_at_the_brows_are_clear_of_the_eyes():
    lids = MESH[[*RIGHT_EYE_UPPER, *LEFT_EYE_UPPER], 1].min()
    cells = named(ten_cells(MESH))
    for name in ("left inner brow", "between the brows", "right inner brow"):
        assert cells[name].polygon[:, 1].max() < lids


def test_a_mouth_without_width_has_no_cells():
    points = MESH.copy()
    points[61] = points[291]
    with pytest.raises(DataError, match="mouth has no width"):
        ten_cells(points)


def test_three_regions_hold_eyes_brows_and_mouth_and_nothing_of_each_other():
    left, right, mouth = (region.mask(HEIGHT, WIDTH) for region in dnc_rois(MESH))
    assert not (left & right).any()
    assert not (left & mouth).any()
    for mask, points in (
        (left, (70, 107, 33, 133, 145)),
        (right, (300, 336, 263, 362, 374)),
        (mouth, (61, 291, 0, 17)),
    ):
        for x, y in MESH[list(points)].round().astype(int):
            assert mask[y, x]


# -- HTNet ------------------------------------------------------------------------------------------------------------

PUBLISHED = np.insert(np.array(list(CONSTANT_POINTS.values())), 2, (15.0, 16.0), axis=0)


def test_windows_of_the_published_points_are_those_of_the_authors_code():
    found = {region.name: region.box for region in four_windows(PUBLISHED, size=14, within=(28, 28))}
    assert found == {  # centres cut to whole pixels after they are moved into 7..21
        "left eye": (2, 4, 16, 18),
        "right eye": (14, 3, 28, 17),
        "left lip": (3, 14, 17, 28),
        "right lip": (13, 14, 27, 28),
    }


def test_swapped_windows_take_x_for_the_row_and_the_second_point_for_the_left_lip():
    found = four_windows(PUBLISHED, size=14, legacy_swap=True, within=(28, 28))
    assert [(region.name, *region.box) for region in found] == [
        ("left eye", 4, 2, 18, 16),
        ("left lip", 3, 14, 17, 28),
        ("right eye", 14, 3, 28, 17),
        ("right lip", 14, 13, 28, 27),
    ]


def test_windows_are_half_as_wide_as_the_map_in_which_the_face_would_lie_as_published():
    assert {region.box[2] - region.box[0] for region in four_windows(PUBLISHED)} == {14}
    assert {region.box[3] - region.box[1] for region in four_windows(8 * PUBLISHED + 3.5)} == {112}


def test_windows_may_leave_the_image_unless_told_otherwise():
    free = four_windows(PUBLISHED, size=20)[0].box
    assert free == (-1, 1, 19, 21)
    assert four_windows(PUBLISHED, size=20, within=(28, 28))[0].box == (0, 1, 20, 21)
    with pytest.raises(ParameterError, match="a window of 40 pixels does not fit into an image of 28x30"):
        four_windows(PUBLISHED, size=40, within=(30, 28))
    with pytest.raises(ParameterError, match="size: expected at least 1 pixel"):
        four_windows(PUBLISHED, size=0)


def test_windows_of_the_mesh_are_those_of_its_five_points():
    for one, other in zip(four_windows(MESH), four_windows(five_points(MESH)), strict=True):
        assert one.box == other.box


# -- Mishin -----------------------------------------------------------------------------------------------------------

PAIRS = {
    *("upper forehead", "inner brow", "outer brow", "corrugator", "procerus", "upper lid", "lower lid"),
    *("outer eye corner", "inner eye corner", "nose side", "nostril wing", "infra-orbital triangle", "upper cheek"),
    *("mid cheek", "lateral cheek", "jaw side", "upper lip", "lower lip", "mouth corner", "below the mouth corner"),
    "chin",
}


def masks_on(points: np.ndarray, height: int, width: int) -> np.ndarray:
    return np.stack([region.mask(height, width) for region in muscle_regions(points)])


def test_muscle_regions_are_21_named_pairs_left_beside_right():
    found = muscle_regions(MESH)
    assert {pair.name for pair in muscle_pairs()} == PAIRS
    assert len(muscle_pairs()) == 21
    for left, right in zip(found[::2], found[1::2], strict=True):
        assert left.mirror == right.name
        assert left.side == "left"


def test_muscle_regions_run_from_top_to_bottom():
    heights = [np.nonzero(mask)[0].mean() for mask in masks_on(MESH, HEIGHT, WIDTH)]
    assert np.all(np.diff(heights[::2]) > 0)
    np.testing.assert_allclose(heights[::2], heights[1::2], atol=0.5)


@pytest.mark.parametrize("name", ["ada", "ben", "eva"])
def test_muscle_regions_of_drawn_faces_are_not_empty_and_do_not_overlap(name):
    points = draw_portrait(name, "male" if name == "ben" else "female", 160).landmarks
    masks = masks_on(points, 160, 160)
    assert masks.sum(axis=(1, 2)).min() > 8
    assert masks.sum(axis=0).max() == 1


def test_muscle_regions_cover_the_face_but_eyes_mouth_and_temples():
    masks = masks_on(MESH, HEIGHT, WIDTH)
    assert masks.sum(axis=0).max() == 1
    face = polygon_mask(MESH[list(FACE_OVAL)], HEIGHT, WIDTH)
    covered = masks.any(axis=0)
    assert (covered & face).sum() / face.sum() > 0.85
    assert (covered & ~face).sum() / face.sum() < 0.001
    for upper, lower in ((RIGHT_EYE_UPPER, RIGHT_EYE_LOWER), (LEFT_EYE_UPPER, LEFT_EYE_LOWER)):
        assert not (covered & polygon_mask(MESH[[*upper, *lower[::-1]]], HEIGHT, WIDTH)).any()
    x, y = MESH[[162, 139, 21]].mean(axis=0).round().astype(int)  # a temple
    assert face[y, x]
    assert not covered[y, x]


def test_muscle_regions_use_no_iris_point_and_only_the_half_on_the_left():
    for pair in muscle_pairs():
        assert max(pair.outline) < 468
        assert len(set(pair.outline)) == len(pair.outline)
        assert (CANONICAL[list(pair.outline), 0] <= 1e-9).all()
        assert pair.muscle


@pytest.mark.parametrize(
    ("unit", "names"),
    [
        (1, {"inner brow", "corrugator"}),
        (2, {"outer brow"}),
        (4, {"corrugator", "procerus", "inner brow"}),
        (6, {"upper cheek"}),
        (9, {"nostril wing", "infra-orbital triangle"}),
        (12, {"mouth corner", "upper lip"}),
        (15, {"mouth corner", "lower lip"}),
        (17, {"chin", "lower lip"}),
        (20, {"mouth corner", "lower lip", "upper lip"}),
    ],
)
def test_action_units_act_on_the_region_of_their_muscle(unit, names):
    x, y = MESH[list(PATCHES[unit][0].anchor)].mean(axis=0).round().astype(int) - (1, 0)
    hit = [region.name for region in muscle_regions(MESH) if region.mask(HEIGHT, WIDTH)[y, x]]
    assert len(hit) == 1
    assert hit[0].removeprefix("left ") in names


# -- where the head is followed ---------------------------------------------------------------------------------------


def test_stable_regions_hardly_move_under_any_action_unit():
    portrait = draw_portrait("ada", "female", 160, symmetric=True)
    fields = ExpressionFields.of(portrait)
    y, x = np.mgrid[:160, :160].astype(np.float32)
    stable = stable_mask(portrait.landmarks, 160, 160)
    face = polygon_mask(portrait.landmarks[list(FACE_OVAL)], 160, 160) & ~stable
    limits = [LIMIT[unit.number] for unit in UNITS]
    lengths = [
        limit * np.linalg.norm(at(field, x, y), axis=-1) for limit, field in zip(limits, fields.skin, strict=True)
    ]
    rms = np.sqrt(np.mean(np.square(lengths), axis=0))
    assert rms[stable].mean() < 0.4 * rms[face].mean()
    assert rms[stable].max() < 0.4 * rms[face].max()


def test_stable_regions_spread_over_the_head_so_that_a_turn_can_be_told_from_a_shift():
    mask = stable_mask(MESH, HEIGHT, WIDTH)
    rows, columns = np.nonzero(mask)
    low, high = MESH.min(axis=0), MESH.max(axis=0)
    assert np.ptp(columns) > 0.9 * (high - low)[0]
    assert np.ptp(rows) > 0.5 * (high - low)[1]
    assert 0.05 < mask.sum() / polygon_mask(MESH[list(FACE_OVAL)], HEIGHT, WIDTH).sum() < 0.3
    np.testing.assert_array_equal(MIRROR[MIRROR], np.arange(478))
    assert (mask != mask[:, ::-1]).sum() < 0.02 * mask.sum()
