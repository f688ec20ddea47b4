"""Augmentation of movement: vectors turn with the picture, all frames of a sequence alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from mer_lib.errors import ParameterError
from mer_lib.training.augmentation import FlowAugmentation

SIDE = 48


def drawing(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def plane() -> tuple[torch.Tensor, torch.Tensor]:
    """x to the right and y downwards of each pixel, from the middle."""
    axis = torch.arange(SIDE) - (SIDE - 1) / 2
    return axis.expand(SIDE, SIDE), axis[:, None].expand(SIDE, SIDE)


def blob(x: float, y: float) -> torch.Tensor:
    right, down = plane()
    return torch.exp(-((right - x) ** 2 + (down - y) ** 2) / 20)


def place(image: torch.Tensor) -> np.ndarray:
    """Centre of mass, x and y from the middle."""
    right, down = plane()
    return np.array([float((image * axis).sum() / image.sum()) for axis in (right, down)])


def moving(x: float, y: float, u: float, v: float) -> torch.Tensor:
    """One map (1, 3, side, side): a bright spot that moves by (u, v)."""
    spot = blob(x, y)
    return torch.stack([u * spot, v * spot, spot])[None]


def test_a_mirrored_map_moves_the_other_way_and_twice_mirrored_is_the_same():
    maps = torch.randn(3, 3, SIDE, SIDE)
    augment = FlowAugmentation(mirror=1.0)
    once = augment(maps, drawing())
    np.testing.assert_array_equal(once[:, 0], -maps[:, 0].flip(-1))
    np.testing.assert_array_equal(once[:, 1:], maps[:, 1:].flip(-1))
    np.testing.assert_array_equal(augment(once, drawing()), maps)


def test_a_stretched_map_is_mirrored_about_the_value_given():
    maps = torch.randint(0, 256, (2, 3, 8, 8)).float()
    once = FlowAugmentation(mirror=1.0, zero=127.5, channels=("strain", "v", "u"))(maps, drawing())
    np.testing.assert_array_equal(once[:, 2], 255 - maps[:, 2].flip(-1))
    np.testing.assert_array_equal(once[:, :2], maps[:, :2].flip(-1))


def test_about_half_of_the_samples_are_mirrored_and_the_batch_is_left_as_it_was():
    maps = torch.arange(4.0).expand(400, 3, 4, 4).clone()
    kept = maps.clone()
    mirrored = FlowAugmentation()(maps, drawing())[:, 2, 0, 0] == 3
    assert 150 < int(mirrored.sum()) < 250
    np.testing.assert_array_equal(maps, kept)


@pytest.mark.parametrize("seed", range(4))
def test_vectors_turn_and_grow_with_the_picture(seed):
    """Where a spot goes, a movement that pointed from the middle to it still points there, and grows as its way did."""
    start = np.array([9.0, 4.0])
    augment = FlowAugmentation(mirror=0.0, rotation=60, scale=0.2)
    changed = augment(moving(*start, *(start / 10)), drawing(seed))[0]
    end = place(changed[2])
    assert np.linalg.norm(end - start) > 1
    vector = np.array([float(changed[i].sum() / changed[2].sum()) for i in (0, 1)])
    np.testing.assert_allclose(vector, end / 10, atol=0.02)


def test_a_quarter_turn_is_that_of_numpy():
    """Angles are drawn, so that a turn of 90 degrees is found by its draw and put where it belongs."""
    maps = torch.randn(1, 3, SIDE, SIDE)
    seed = 0
    drawn = torch.rand(1, generator=(generator := drawing(seed)))
    share = float((2 * torch.rand(5, 1, generator=generator) - 1)[0, 0])
    assert drawn.numel() == 1
    changed = FlowAugmentation(mirror=0.0, rotation=90 / abs(share))(maps, drawing(seed))[0]
    # With y downwards a positive angle turns clockwise.
    turned = [np.rot90(image, -int(np.sign(share))) for image in maps[0].numpy()]
    sign = np.sign(share)
    np.testing.assert_allclose(changed[0], -sign * turned[1], atol=1e-4)
    np.testing.assert_allclose(changed[1], sign * turned[0], atol=1e-4)
    np.testing.assert_allclose(changed[2], turned[2], atol=1e-4)


def test_a_shift_moves_the_picture_and_no_vector():
    changed = FlowAugmentation(mirror=0.0, shift=0.2)(moving(0, 0, 2.0, -1.0), drawing(3))[0]
    assert 0.5 < np.abs(place(changed[2])).max() <= 0.2 * SIDE
    np.testing.assert_allclose(changed[0], 2 * changed[2], atol=1e-5)
    np.testing.assert_allclose(changed[1], -changed[2], atol=1e-5)


def test_strength_multiplies_movement_and_strain_and_leaves_grey():
    augment = FlowAugmentation(channels=("grey", "u", "v", "strain"), mirror=0.0, strength=0.5)
    batch = torch.rand(5, 4, 6, 6) + 1
    ratio = augment(batch, drawing()) / batch
    np.testing.assert_array_equal(ratio[:, 0], np.ones((5, 6, 6)))
    for sample in ratio:
        assert 0.5 <= float(sample[1].mean()) <= 1.5
        np.testing.assert_allclose(sample[1:], float(sample[1, 0, 0]), rtol=1e-5)
    assert len({round(float(sample[1, 0, 0]), 4) for sample in ratio}) == 5


def test_strength_leaves_what_does_not_move():
    still = torch.full((4, 3, 6, 6), 127.5)
    still[:, 2] = 0.0
    assert torch.equal(FlowAugmentation(zero=127.5, strength=0.5, mirror=0.0)(still, drawing()), still)


def test_all_frames_of_a_sequence_change_alike_and_samples_do_not():
    augment = FlowAugmentation(channels=("grey", "u", "v"), rotation=20, scale=0.1, shift=0.1, strength=0.3)
    frame = torch.rand(3, SIDE, SIDE)
    changed = augment(frame.expand(2, 4, 3, SIDE, SIDE), drawing())
    assert changed.shape == (2, 4, 3, SIDE, SIDE)
    for sample in changed:
        np.testing.assert_allclose(sample, sample[:1].expand(4, -1, -1, -1), atol=1e-6)
    assert float((changed[0] - changed[1]).abs().max()) > 0.1


def test_maps_and_sequences_of_one_frame_change_alike():
    augment = FlowAugmentation(rotation=20, scale=0.1, shift=0.1)
    maps = torch.rand(3, 3, 20, 30)
    np.testing.assert_allclose(augment(maps[:, None], drawing(7))[:, 0], augment(maps, drawing(7)), atol=1e-6)


def test_the_same_seed_draws_the_same():
    augment = FlowAugmentation(rotation=20, strength=0.2)
    maps = torch.rand(3, 3, 16, 16)
    np.testing.assert_array_equal(augment(maps, drawing(5)), augment(maps, drawing(5)))
    assert not torch.equal(augment(maps, drawing(5)), augment(maps, drawing(6)))


def test_off_means_unchanged():
    maps = torch.randn(4, 3, 12, 12)
    np.testing.assert_array_equal(FlowAugmentation(mirror=0.0)(maps, drawing()), maps)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ParameterError, match=r"channels u, v, strain, got \(2, 2, 8, 8\)"):
        FlowAugmentation()(torch.zeros(2, 2, 8, 8), drawing())
    with pytest.raises(ParameterError, match="without both u and v"):
        FlowAugmentation(channels=("u",), rotation=5)(torch.zeros(2, 1, 8, 8), drawing())
    with pytest.raises(ValidationError, match="u and v once"):
        FlowAugmentation(channels=("u", "u"))
    with pytest.raises(ValidationError, match="rotation"):
        FlowAugmentation(rotation=200)
