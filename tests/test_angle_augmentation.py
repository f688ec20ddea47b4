"""Augmentation of angle images: what a mirror and a shift in time do to images made of known movement."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mer_lib.errors import ParameterError
from mer_lib.faces.regions import muscle_pairs
from mer_lib.faces.regions.row_order import mirrored_rows, row_order
from mer_lib.features import AngleImage
from mer_lib.features.angle_image import coded
from mer_lib.features.sequence_recipes import NO_MOTION
from mer_lib.motion.polar import RegionMotion
from mer_lib.training.augmentation import AngleAugmentation
from mer_lib.training.augmentation.angles import shifted

CODINGS = [
    {"coding": "cos_sin"},
    {"coding": "cos_sin", "sectors": 8},
    {"coding": "cos_sin", "sectors": 8, "half_sector": True},
    {"coding": "grey"},
    {"coding": "grey", "sectors": 8},
    {"coding": "grey", "sectors": 8, "half_sector": True},
]


def image_of(vectors: np.ndarray, recipe: AngleImage) -> torch.Tensor:
    """The image (1, C, 42, T) of mean vectors (T, 42, 2), u right and v down."""
    columns = []
    for vector in vectors:
        length = np.hypot(*vector.T)
        angle = np.arctan2(-vector[:, 1], vector[:, 0]) % (2 * np.pi)
        columns.append(coded(RegionMotion(length, angle, angle, vector, np.ones(42, int)), recipe))
    image = np.stack(columns, axis=-1)[:, row_order(recipe.rows)]
    return torch.from_numpy(image.astype(np.float32))[None]


def movement(columns: int = 6) -> np.ndarray:
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(columns, 42, 2))
    vectors[:, ::5] = 0.001  # too short: no motion
    return vectors


def augmentation(recipe: AngleImage, **settings) -> AngleAugmentation:
    return AngleAugmentation(
        rows=recipe.rows, sectors=recipe.sectors, half_sector=recipe.half_sector, **{"shift": 0, **settings}
    )


@pytest.mark.parametrize("rows", ["top_to_bottom", "permuted"])
@pytest.mark.parametrize("coding", CODINGS, ids=str)
def test_the_mirror_image_is_that_of_the_movement_seen_in_a_mirror(coding, rows):
    recipe = AngleImage(frames=6, rows=rows, **coding)
    vectors = movement()
    seen = vectors[:, np.arange(42) ^ 1] * [-1, 1]  # left and right exchanged, u turned round
    got = augmentation(recipe, mirror=1.0)(image_of(vectors, recipe), torch.Generator().manual_seed(0))
    torch.testing.assert_close(got, image_of(seen, recipe), atol=2e-4, rtol=1e-5)


@pytest.mark.parametrize("coding", CODINGS, ids=str)
def test_two_mirrors_are_none(coding):
    recipe = AngleImage(frames=6, **coding)
    image = image_of(movement(), recipe)
    mirror = augmentation(recipe)
    torch.testing.assert_close(mirror.mirrored(mirror.mirrored(image)), image, atol=2e-4, rtol=1e-5)


def test_left_and_right_of_a_pair_lie_under_each_other():
    assert 2 * len(muscle_pairs()) == len(row_order("top_to_bottom")) == 42
    permuted = row_order("permuted")
    assert sorted(permuted) == list(range(42))
    assert (permuted != np.arange(42)).mean() > 0.8
    np.testing.assert_array_equal(permuted[mirrored_rows("permuted")], permuted ^ 1)


@pytest.mark.parametrize(("coding", "still"), [("grey", NO_MOTION), ("cos_sin", 0.0)])
def test_a_shift_moves_columns_and_never_turns_time_round(coding, still):
    image = image_of(movement(12), AngleImage(frames=12, coding=coding)).expand(200, -1, -1, -1)
    moved = AngleAugmentation(shift=3, mirror=0.0)(image, torch.Generator().manual_seed(1))
    found = set()
    for one in moved:
        by = next(by for by in range(-3, 4) if torch.equal(_shift(image[0], by, still), one))
        found.add(by)
    assert found == set(range(-3, 4))


@pytest.mark.parametrize("by", [-2, 0, 3])
def test_a_shift_of_so_many_columns_is_later_where_positive(by):
    image = image_of(movement(12), AngleImage(frames=12))
    assert torch.equal(shifted(image, torch.tensor([by]))[0], _shift(image[0], by, 0.0))


def _shift(image: torch.Tensor, by: int, still: float) -> torch.Tensor:
    out = torch.full_like(image, still)
    columns = image.shape[-1]
    for column in range(columns):
        if 0 <= column + by < columns:
            out[..., column + by] = image[..., column]
    return out


def test_each_image_is_changed_for_itself_and_the_same_seed_changes_alike():
    batch = image_of(movement(), AngleImage(frames=6)).repeat(64, 1, 1, 1)
    before = batch.clone()
    augment = AngleAugmentation(shift=2, mirror=0.5)
    first, again, other = (augment(batch, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(batch, before)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert len({one.numpy().tobytes() for one in first}) == 10  # five shifts, mirrored or not


def test_without_shift_and_mirror_nothing_changes():
    batch = image_of(movement(), AngleImage(frames=6))
    assert torch.equal(AngleAugmentation(shift=0, mirror=0.0)(batch, torch.Generator()), batch)


def test_what_it_cannot_mirror_is_refused():
    with pytest.raises(ParameterError, match="42, T"):
        AngleAugmentation()(torch.zeros(2, 3, 28, 28), torch.Generator())
    with pytest.raises(ParameterError, match="8 sectors"):
        AngleAugmentation(sectors=8)(torch.full((1, 1, 42, 4), 100.0), torch.Generator())
    with pytest.raises(ValueError, match="half_sector"):
        AngleAugmentation(half_sector=True)
