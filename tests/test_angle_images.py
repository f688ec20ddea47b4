"""Angle images: several windows, sectors around the axes, and rows in another order."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from mer_lib.datasets.clips import ClipDataset
from mer_lib.faces.regions import muscle_regions
from mer_lib.faces.regions.row_order import row_order
from mer_lib.features import AngleImage, compute, report
from mer_lib.features.angle_image import coded
from mer_lib.motion.polar import RegionMotion
from tests.feature_clips import clips_of, renderer, shifting, with_rows

PLAIN = {"flow": "dis", "side": 96, "align": "frame", "head_motion": "kept", "threshold": 0.0, "since": "previous"}


@pytest.fixture(scope="module")
def rightwards(tmp_path_factory) -> ClipDataset:
    """Nine frames of a head that goes right by 0.6 px a frame; the apex is the fifth."""
    return clips_of(tmp_path_factory.mktemp("clips"), shift=shifting(0.6, 0.0))


def test_windows_are_cut_from_one_wide_image_around_the_apex(rightwards):
    windows = compute(AngleImage(frames=4, windows=3, stride=1, **PLAIN), rightwards)[0]
    wide = compute(AngleImage(frames=6, **PLAIN), rightwards)[0]
    assert windows.shape == (3, 3, 42, 4)
    for number, window in enumerate(windows):
        np.testing.assert_array_equal(window, wide[..., number : number + 4])


def test_several_windows_are_views_whose_predictions_are_averaged():
    assert AngleImage().view_rule == "none"
    several = AngleImage(windows=5, coding="grey")
    assert several.view_rule == "mean"
    assert several.shape == (5, 1, 42, 64)
    assert several.sample_shape == (1, 42, 64)


def test_windows_that_reach_beyond_the_clip_are_reported(rightwards):
    # 8 columns for the 8 pairs of the clip: the first and the last of three windows lack 2 each.
    recipe = AngleImage(frames=8, windows=3, stride=2, **PLAIN)
    used = report(recipe, rightwards)
    assert used.table["clipped"].tolist() == [2]
    assert used.padded == pytest.approx(4 / 24)
    assert "windows beyond the clip on 1" in str(used)
    image = compute(recipe, rightwards)[0]
    moved = (image != 0).any(axis=(1, 2))
    assert moved.sum(axis=1).tolist() == [6, 8, 6]
    assert not moved[0, :2].any()
    assert not moved[2, -2:].any()


def test_a_window_that_fits_is_not_clipped(rightwards):
    used = report(AngleImage(frames=8, **PLAIN), rightwards)
    assert used.table["clipped"].tolist() == [0]
    assert "beyond the clip" not in str(used)


def test_windows_far_from_the_clip_show_no_motion(rightwards):
    image = compute(AngleImage(frames=4, windows=3, stride=40, coding="grey", **PLAIN), with_rows(rightwards, apex=3))[
        0
    ]
    assert (image[[0, 2]] == -1).all()
    assert (image[1] != -1).any()


def test_movement_to_the_right_lies_on_an_edge_of_sectors_unless_they_are_shifted(rightwards):
    regions = [region.name for region in muscle_regions(renderer().landmarks(0))]
    central = [row for row, name in enumerate(regions) if any(part in name for part in ("nose", "lid", "lip"))]

    def greys(half_sector):
        recipe = AngleImage(frames=8, coding="grey", sectors=8, half_sector=half_sector, **PLAIN)
        return compute(recipe, rightwards)[0, 0, central]

    edge, middle = greys(False), greys(True)
    assert {0.0, 255.0} <= set(np.unique(edge))  # black and white: the first and the last sector
    assert (middle == 0).mean() > 0.95


@pytest.mark.parametrize(("half_sector", "codes"), [(False, [0, 7, 1, 3]), (True, [0, 0, 2, 4])])
def test_sectors_of_known_angles(half_sector, codes):
    angle = np.array([0.1, 2 * np.pi - 0.1, np.pi / 2 - 0.1, np.pi - 0.1])
    vector = np.stack([np.cos(angle), -np.sin(angle)], axis=1)
    moved = RegionMotion(np.ones(4), angle, angle, vector, np.ones(4, int))
    grey = coded(moved, AngleImage(coding="grey", sectors=8, half_sector=half_sector))
    np.testing.assert_allclose(grey[0], 255 * np.array(codes) / 7)
    cosine, sine, _ = coded(moved, AngleImage(sectors=8, half_sector=half_sector))
    np.testing.assert_allclose(cosine, np.cos(np.array(codes) * np.pi / 4), atol=1e-12)
    np.testing.assert_allclose(sine, np.sin(np.array(codes) * np.pi / 4), atol=1e-12)


def test_half_a_sector_of_none_is_refused():
    with pytest.raises(ValidationError, match="expected sectors 8"):
        AngleImage(half_sector=True)


def test_permuted_rows_hold_the_same_regions(rightwards):
    ordered, permuted = (
        compute(AngleImage(frames=4, rows=rows, **PLAIN), rightwards)[0] for rows in ("top_to_bottom", "permuted")
    )
    np.testing.assert_array_equal(permuted, ordered[:, row_order("permuted")])
    assert not np.array_equal(permuted, ordered)
