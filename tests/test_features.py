"""Recipes, the mosaic's windows, and the arrays that come out."""

from __future__ import annotations

from itertools import product

import cv2
import numpy as np
import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from mer_lib.datasets import load
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.errors import DataError, ParameterError
from mer_lib.features import FlowMap, FourRegionMosaic, Recipe, compute, points_used, region_boxes

# (x, y) of left eye, right eye, left lip corner, right lip corner, as whole pixels.
POINTS = {"left eye": (9, 11), "right eye": (21, 10), "left lip": (10, 22), "right lip": (20, 22)}


@pytest.fixture(scope="module")
def toy() -> FlowMapDataset:
    return load("toy_flow")


@pytest.fixture(scope="module")
def coordinates(toy) -> FlowMapDataset:
    """Maps whose u is the column, v the row and strain the number of the sample."""
    rows, columns = np.mgrid[0:28, 0:28]
    maps = [np.stack([columns, rows, np.full_like(rows, number)], axis=-1) for number in range(48)]
    return FlowMapDataset("toy_flow", "Toy", "toy", toy.samples, np.array(maps, dtype=np.uint8))


def cut(uvs: np.ndarray, x: int, y: int, block: int) -> np.ndarray:
    """One window, centre moved into the map, as a plain loop over pixels."""
    x, y = min(max(x, block), 28 - block), min(max(y, block), 28 - block)
    side = range(-block, block)
    return np.array([[uvs[y + dy, x + dx] for dx in side] for dy in side])


def mosaic_by_hand(uvs: np.ndarray, block: int) -> np.ndarray:
    eyes = cv2.hconcat([cut(uvs, *POINTS["left eye"], block), cut(uvs, *POINTS["right eye"], block)])
    lips = cv2.hconcat([cut(uvs, *POINTS["left lip"], block), cut(uvs, *POINTS["right lip"], block)])
    return cv2.vconcat([eyes, lips])


# --- whole maps


def test_flow_map_is_the_map_with_channels_first_and_unscaled(toy):
    got = compute(FlowMap(), toy)
    assert (got.shape, got.dtype) == ((48, 3, 28, 28), np.float32)
    np.testing.assert_array_equal(got, np.moveaxis(toy.maps(), -1, 1))
    assert (got.min(), got.max()) == (0, 255)
    assert got.flags.c_contiguous


def test_svu_is_the_order_in_which_opencv_reads_the_files(toy):
    got = compute(FlowMap(order="svu"), toy)
    png = cv2.imencode(".png", toy.maps()[5][..., ::-1])[1]
    read = cv2.imdecode(png, cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(got[5], read.transpose(2, 0, 1))


@pytest.mark.parametrize("recipe", [FlowMap(), FlowMap(size=20), FourRegionMosaic(), FourRegionMosaic(block=5)])
def test_inputs_follow_the_ids_asked_for(toy, recipe):
    ids = toy.samples["sample_id"].tolist()
    order = np.random.default_rng(0).permutation(48)[:20]
    got = compute(recipe, toy, [ids[i] for i in order])
    np.testing.assert_allclose(got, compute(recipe, toy)[order], rtol=1e-5, atol=1e-3)
    assert got.shape == (20, *recipe.shape)


def test_unknown_ids_are_named(toy):
    with pytest.raises(DataError, match="toya/09/none"):
        compute(FlowMap(), toy, ["toya/09/none"])


@pytest.mark.parametrize("size", [14, 20, 32, 40, 56])
def test_other_sizes_agree_with_opencv(toy, size):
    got = compute(FlowMap(size=size), toy)
    for number in (0, 17, 47):
        map_32 = toy.maps()[number].astype(np.float32)
        judged = cv2.resize(map_32, (size, size), interpolation=cv2.INTER_LINEAR)
        np.testing.assert_allclose(got[number], judged.transpose(2, 0, 1), atol=1e-2)


# --- the mosaic


@pytest.mark.parametrize("block", [1, 5, 6, 7, 8, 9, 10, 14])
def test_mosaic_equals_windows_cut_by_hand(toy, block):
    got = compute(FourRegionMosaic(block=block), toy)
    assert got.shape == (48, 3, 4 * block, 4 * block)
    for number in (0, 20, 47):
        judged = mosaic_by_hand(toy.maps()[number], block)
        np.testing.assert_array_equal(got[number], judged.transpose(2, 0, 1))


def test_mosaic_shows_eyes_above_and_left_on_the_left(coordinates):
    """With column and row as grey values, each quarter says where on the map it was cut."""
    column, row, number = compute(FourRegionMosaic(block=7), coordinates)[:, :3].transpose(1, 0, 2, 3)
    assert (column[:, :14, :14] < column[:, :14, 14:]).all()
    assert (column[:, 14:, :14] < column[:, 14:, 14:]).all()
    assert (row[:, :14] < row[:, 14:]).all()
    assert (np.diff(column[0, :14, :14], axis=1) == 1).all()
    assert (np.diff(row[0, :14, :14], axis=0) == 1).all()
    assert (number == np.arange(48)[:, None, None]).all()


def test_legacy_swap_takes_points_for_row_and_column(toy):
    """The published script cuts [x - 7 : x + 7, y - 7 : y + 7] and reads the detector's order wrongly."""
    detector = np.array([[9, 11], [21, 10], [15, 17], [10, 21], [20, 21]])
    uvs = toy.maps()[11]
    l_eye, l_lip, _, r_eye, r_lip = [uvs[a - 7 : a + 7, b - 7 : b + 7] for a, b in detector]
    judged = cv2.vconcat([cv2.hconcat([l_eye, l_lip]), cv2.hconcat([r_eye, r_lip])])
    got = compute(FourRegionMosaic(legacy_swap=True), toy)[11]
    np.testing.assert_array_equal(got, judged.transpose(2, 0, 1))


def test_legacy_mosaic_is_transposed_yet_shows_the_areas_that_its_names_say(coordinates):
    column, row = compute(FourRegionMosaic(legacy_swap=True), coordinates)[0, :2]
    # Top row: left eye, then left lip, which lies lower on the face and as far left.
    assert row[:14, 14:].mean() > row[:14, :14].mean() + 8
    assert abs(column[:14, 14:].mean() - column[:14, :14].mean()) <= 2
    assert column[14:, :14].mean() > column[:14, :14].mean() + 8


def test_mosaic_and_map_share_the_channel_order(toy):
    for legacy in (False, True):
        ours = compute(FourRegionMosaic(legacy_swap=legacy), toy)
        theirs = compute(FourRegionMosaic(legacy_swap=legacy, order="svu"), toy)
        np.testing.assert_array_equal(ours, theirs[:, ::-1])


@pytest.mark.parametrize(("block", "legacy"), list(product([1, 5, 7, 10, 14], [False, True])))
def test_boxes_lie_inside_the_map_and_name_what_the_mosaic_shows(coordinates, block, legacy):
    boxes = region_boxes(block, legacy)
    column, row = compute(FourRegionMosaic(block=block, legacy_swap=legacy), coordinates)[0, :2]
    side = 2 * block
    assert {box.name for box in boxes} == set(POINTS)
    for place, box in enumerate(boxes):
        assert 0 <= box.y0 < box.y1 <= 28
        assert 0 <= box.x0 < box.x1 <= 28
        assert (box.y1 - box.y0, box.x1 - box.x0) == (side, side)
        top, left = side * (place // 2), side * (place % 2)
        assert (row[top, left], column[top, left]) == (box.y0, box.x0)
        assert (row[top + side - 1, left + side - 1], column[top + side - 1, left + side - 1]) == (
            box.y1 - 1,
            box.x1 - 1,
        )


def test_boxes_of_block_seven():
    """Centres are clamped to [7, 21]: both lip corners, at row 22, move up by one."""
    assert [tuple(box) for box in region_boxes(7)] == [
        ("left eye", 4, 2, 18, 16),
        ("right eye", 3, 14, 17, 28),
        ("left lip", 14, 3, 28, 17),
        ("right lip", 14, 13, 28, 27),
    ]


@pytest.mark.parametrize("block", [0, -1, 15])
def test_a_window_larger_than_the_map_is_refused(block):
    with pytest.raises(ParameterError, match="block: expected 1 to 14"):
        region_boxes(block)
    with pytest.raises(ValidationError, match="block"):
        FourRegionMosaic(block=block)


def test_fallback_points_are_counted(toy):
    used = points_used(FourRegionMosaic(), toy, toy.samples["sample_id"].tolist()[:5])
    assert (used.source, used.fallback, used.samples) == ("constant", 5, 5)
    assert str(points_used(FourRegionMosaic(), toy)).startswith("constant face points for 48 of 48 samples")


def test_real_mosaic_of_a_real_map(real_root):
    real = load("megc2019_flow", real_root)
    key = "smic/s03/s03_po_11"
    got = compute(FourRegionMosaic(block=7), real, [key])[0]
    np.testing.assert_array_equal(got, mosaic_by_hand(real.maps([key])[0], 7).transpose(2, 0, 1))


# --- recipes as data


class _Variant(BaseModel):
    features: Recipe


@pytest.mark.parametrize(
    "recipe", [FlowMap(order="svu", size=20), FourRegionMosaic(block=5, legacy_swap=True), FourRegionMosaic()]
)
def test_recipes_survive_json_inside_a_variant(recipe):
    written = _Variant(features=recipe).model_dump_json()
    assert _Variant.model_validate_json(written).features == recipe
    assert '"version":1' in written


@pytest.mark.parametrize(
    "content",
    [
        {"recipe": "five_regions"},
        {"order": "uvs"},
        {"recipe": "flow_map", "blok": 7},
        {"recipe": "flow_map", "block": 7},
        {"recipe": "flow_map", "order": "vus"},
        {"recipe": "four_region_mosaic", "block": "seven"},
        {"recipe": "flow_map", "size": 0},
    ],
)
def test_a_misspelt_recipe_is_refused(content):
    with pytest.raises(ValidationError):
        TypeAdapter(Recipe).validate_python(content)


def test_recipes_are_hashable_and_frozen():
    assert len({FlowMap(), FlowMap(), FlowMap(order="svu")}) == 2
    with pytest.raises(ValidationError):
        FlowMap().order = "svu"
