"""Augmentation of faces against drawn pictures: what is moved, turned and lit is where and what it should be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy import ndimage

from mer_lib.errors import ParameterError
from mer_lib.training.augmentation import FaceAugmentation

STILL = {"mirror": 0.0, "rotation": 0.0, "shift": (0.0, 0.0), "jitter": (0.0, 0.0, 0.0, 0.0)}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def smooth(channels: int = 1, side: int = 48, count: int = 1, width: int | None = None) -> torch.Tensor:
    """Blurred noise, 0 to 255."""
    noise = np.random.default_rng(0).random((count, channels, side, width or side))
    soft = ndimage.gaussian_filter(noise, (0, 0, 3, 3))
    soft = (soft - soft.min()) / np.ptp(soft)
    return torch.from_numpy(255 * soft).float()


def inner(batch: torch.Tensor) -> torch.Tensor:
    return batch[..., 12:-12, 12:-12]


def test_nothing_asked_for_changes_nothing():
    batch = smooth(3, count=4)
    torch.testing.assert_close(FaceAugmentation(**STILL)(batch, generator()), batch, atol=1e-2, rtol=0)


def test_mirror_exchanges_left_and_right_of_its_share_of_pictures():
    batch = smooth(count=200, side=8)
    got = FaceAugmentation(**{**STILL, "mirror": 0.3})(batch, generator())
    kept = [torch.allclose(a, b, atol=1e-2) for a, b in zip(got, batch, strict=True)]
    mirrored = [torch.allclose(a, b.flip(2), atol=1e-2) for a, b in zip(got, batch, strict=True)]
    assert all(a or b for a, b in zip(kept, mirrored, strict=True))
    assert np.mean(mirrored) == pytest.approx(0.3, abs=0.08)


@pytest.mark.parametrize("width", [48, 72])
def test_rotation_turns_about_the_middle_by_at_most_its_angle(width):
    """The picture that is closest to the result, among all that scipy turns, is nowhere beyond 10 degrees."""
    batch = smooth(count=1, side=48, width=width).expand(12, -1, -1, -1)
    got = FaceAugmentation(**{**STILL, "rotation": 10.0})(batch, generator())
    angles = np.arange(-14.0, 14.5, 0.5)
    plain = batch[0, 0].numpy()
    turned = np.stack([ndimage.rotate(plain, angle, reshape=False, order=1, mode="nearest") for angle in angles])
    found = []
    for picture in got[:, 0].numpy():
        errors = np.abs(turned - picture)[:, 12:-12, 12:-12].mean(axis=(1, 2))
        assert errors.min() < 0.02 * np.ptp(plain)
        found.append(angles[errors.argmin()])
    assert np.ptp(found) > 8
    assert np.abs(found).max() <= 10.5


def test_a_mirrored_face_is_turned_and_not_sheared():
    batch = smooth(count=1).expand(6, -1, -1, -1)
    turned = FaceAugmentation(**{**STILL, "rotation": 20.0})(batch, generator())
    both = FaceAugmentation(**{**STILL, "rotation": 20.0, "mirror": 1.0})(batch, generator())
    torch.testing.assert_close(inner(both), inner(turned).flip(3), atol=1.0, rtol=0)


def test_shift_moves_rows_and_columns_by_at_most_their_share():
    ramp = torch.arange(50.0)[:, None] + 1000 * torch.arange(50.0)[None]
    batch = ramp.expand(200, 1, 50, 50)
    got = FaceAugmentation(**{**STILL, "shift": (0.1, 0.2), "difference": True})(batch, generator())
    moved = (got - batch)[:, 0, 25, 25].double()
    columns = (moved / 1000).round(decimals=0)
    columns = (moved - (moved + 500).remainder(1000) + 500) / 1000
    assert columns.abs().max() <= 10.5
    assert columns.abs().max() > 8
    only_rows = FaceAugmentation(**{**STILL, "shift": (0.1, 0.0), "difference": True})(batch, generator())
    rows = (only_rows - batch)[:, 0, 25, 25]
    assert 4 < rows.abs().max() <= 5.01
    assert rows.min() < -4 < 4 < rows.max()


def test_zoom_stretches_rows_and_columns_about_the_middle():
    ramp = torch.arange(50.0) - 24.5
    rows, columns = ramp[:, None].expand(1, 1, 50, 50), ramp[None].expand(1, 1, 50, 50)
    change = FaceAugmentation(**STILL, zoom=(1.25, 1.6), difference=True)
    torch.testing.assert_close(change(rows, generator()), rows / 1.25, atol=1e-3, rtol=0)
    torch.testing.assert_close(change(columns, generator()), columns / 1.6, atol=1e-3, rtol=0)
    published = FaceAugmentation.published()
    assert (224 * published.zoom[0], 224 * published.zoom[1]) == pytest.approx((234, 240))
    # The cut of 224 pixels slides over what the zoom makes, and no farther.
    assert [224 * share for share in published.shift] == pytest.approx([(234 - 224) / 2, (240 - 224) / 2])


def test_brightness_is_a_factor_and_contrast_a_spread_about_the_mean():
    batch = 50 + smooth(count=40) / 4  # far from 0 and 255
    bright = FaceAugmentation(**{**STILL, "jitter": (0.2, 0, 0, 0)})(batch, generator()) / batch
    factors = bright.mean(dim=(1, 2, 3))
    assert bright.std(dim=(1, 2, 3)).max() < 1e-4
    assert 0.8 <= factors.min() < 0.85 < 1.15 < factors.max() <= 1.2
    contrast = FaceAugmentation(**{**STILL, "jitter": (0, 0.2, 0, 0)})(batch, generator())
    torch.testing.assert_close(contrast.mean(dim=(1, 2, 3)), batch.mean(dim=(1, 2, 3)))
    spread = contrast.std(dim=(1, 2, 3)) / batch.std(dim=(1, 2, 3))
    assert 0.8 <= spread.min() < 0.85 < 1.15 < spread.max() <= 1.2


def test_saturation_and_hue_leave_grey_pictures_and_change_coloured_ones():
    grey = smooth(1, count=3).expand(-1, 3, -1, -1)
    coloured = smooth(3, count=3)
    for jitter in ((0, 0, 0.2, 0), (0, 0, 0, 0.2)):
        change = FaceAugmentation(**{**STILL, "jitter": jitter})
        torch.testing.assert_close(change(grey, generator()), grey, atol=1e-2, rtol=0)
        assert (change(coloured, generator()) - coloured).abs().mean() > 0.3
        one = smooth(1, count=3)
        torch.testing.assert_close(change(one, generator()), one, atol=1e-2, rtol=0)


def test_hue_turns_red_into_a_neighbouring_colour():
    red = torch.tensor([255.0, 0.0, 0.0])[None, :, None, None].expand(100, 3, 4, 4)
    got = FaceAugmentation(**{**STILL, "jitter": (0, 0, 0, 0.2)})(red, generator())[:, :, 0, 0]
    torch.testing.assert_close(got.max(dim=1).values, torch.full((100,), 255.0), atol=0.1, rtol=0)
    assert (got[:, 1] > 100).any()
    assert (got[:, 2] > 100).any()
    assert not ((got[:, 1] > 5) & (got[:, 2] > 5)).any()  # at most 72 degrees from red


def test_differences_keep_their_sign_and_their_zero():
    batch = 2 * smooth(count=30) - 255
    change = FaceAugmentation(**{**STILL, "jitter": (0.3, 0, 0, 0)}, difference=True)
    factors = change(batch, generator()) / batch
    assert factors.std(dim=(1, 2, 3)).max() < 1e-2
    assert factors.mean(dim=(1, 2, 3)).min() < 0.8
    with pytest.raises(ValidationError, match="strength alone"):
        FaceAugmentation(difference=True)


def test_the_generator_alone_decides():
    batch, change = smooth(3, count=4), FaceAugmentation()
    before = batch.clone()
    torch.testing.assert_close(change(batch, generator(3)), change(batch, generator(3)), atol=0, rtol=0)
    assert not torch.allclose(change(batch, generator(3)), change(batch, generator(4)))
    assert torch.equal(batch, before)
    got = change(batch, generator(3))
    assert (got.shape, got.dtype) == (batch.shape, torch.float32)
    assert 0 <= got.min() <= got.max() <= 255


@pytest.mark.parametrize("shape", [(4, 2, 8, 8), (4, 10, 3, 8, 8)])
def test_what_is_no_picture_is_refused(shape):
    with pytest.raises(ParameterError, match=r"expected pictures \(N, 1 or 3, H, W\)"):
        FaceAugmentation()(torch.zeros(shape), generator())
