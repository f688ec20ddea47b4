"""Figures of sequences and of what is inside MFEM and MFFM."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mer_lib.errors import ParameterError
from mer_lib.features import MagnifiedSequence
from mer_lib.models.blocks_level_fusion import SCHEDULES
from mer_lib.models.mfem_mffm import INFO, MFEMMFFM
from mer_lib.plots import region_attention, sequences

RECIPE = MagnifiedSequence(frames=4, size=48, channels=("grey", "u", "v"))


def drawn(seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    grey = generator.uniform(0, 255, (4, 1, 48, 48))
    return np.concatenate([grey, generator.normal(0, 1, (4, 2, 48, 48))], axis=1).astype(np.float32)


def test_a_caption_fits_below_a_few_frames():
    text = "84 synthetic flow maps (drawn faces, Synthetic A, B, C, profile demo) · syn_a/sub12/EP01"
    few = RECIPE.model_copy(update={"frames": 2})
    figure = sequences.frames(drawn()[:2], few, kind="synthetic", text=text)
    assert figure._supxlabel.get_window_extent().x1 < figure.bbox.x1


def test_frames_stand_in_a_row_and_flow_has_one_range():
    figure = sequences.frames(drawn(), RECIPE, kind="synthetic", text="drawn")
    panels = figure.axes[:12]
    assert [ax.get_title() for ax in panels[:4]] == ["onset", "2", "3", "apex"]
    assert [ax.get_ylabel() for ax in panels[::4]] == ["grey", "u: to the right", "v: downwards"]
    for channel in range(3):
        for number in range(4):
            np.testing.assert_array_equal(panels[4 * channel + number].images[0].get_array(), drawn()[number, channel])
    limits = {ax.images[0].get_clim() for ax in panels[4:]}
    assert len(limits) == 1
    low, high = limits.pop()
    assert low == -high
    assert "SYNTHETIC" in figure.get_supxlabel()


def test_the_last_frame_is_named_for_what_it_is():
    figure = sequences.frames(drawn(), RECIPE.model_copy(update={"until": "offset"}))
    assert figure.axes[3].get_title() == "offset"


@pytest.mark.parametrize("size", [47, 48, 64])
def test_arrows_are_mirrored_with_their_directions(size):
    recipe = RECIPE.model_copy(update={"size": size})
    given = np.random.default_rng(0).normal(0, 1, recipe.shape).astype(np.float32)
    figure = sequences.mirrored(given, recipe)
    arrows = [np.stack([ax.collections[0].U, ax.collections[0].V]).reshape(2, 12, 12) for ax in figure.axes]
    plain, as_picture, as_movement = arrows
    np.testing.assert_allclose(as_picture, plain[:, :, ::-1], atol=1e-6)
    np.testing.assert_allclose(as_movement[0], -plain[0, :, ::-1], atol=1e-6)
    np.testing.assert_allclose(as_movement[1], plain[1, :, ::-1], atol=1e-6)


def test_what_is_no_such_sequence_is_refused():
    with pytest.raises(ParameterError, match=r"expected \(4, 3, 48, 48\)"):
        sequences.frames(drawn()[:3], RECIPE)
    only_flow = MagnifiedSequence(frames=4, size=48, channels=("u", "v"))
    with pytest.raises(ParameterError, match="with grey, u and v"):
        sequences.mirrored(drawn()[:, 1:], only_flow)


def network(**params) -> tuple[MFEMMFFM, torch.Tensor]:
    torch.manual_seed(0)
    built = MFEMMFFM(**{**INFO.small, **params}).eval()
    return built, torch.randn(2, *built.input_shape)


def test_spatial_gates_are_drawn_less_their_mean():
    built, inputs = network()
    figure = region_attention.looks(built, inputs, np.zeros((2, 64, 64)))
    assert [ax.get_title() for ax in figure.axes[:5]] == [
        "last frame", "stage 1: 16x16", "stage 2: 8x8", "stage 3: 4x4", "stage 4: 2x2",
    ]  # fmt: skip
    overlays = [ax.images[1].get_array() for ax in figure.axes[1:5]]
    assert all(overlay.shape == (64, 64) for overlay in overlays)
    assert all(abs(float(overlay.mean())) < 1e-5 < float(np.abs(overlay).max()) for overlay in overlays)
    with pytest.raises(ParameterError, match="mfem=True"):
        region_attention.looks(*network(mfem=False), np.zeros((2, 64, 64)))


def test_channel_gates_fall_and_what_is_left_rises():
    built, inputs = network()
    figure = region_attention.channels(built, inputs)
    for ax, stage in zip(figure.axes, built.gates(inputs), strict=True):
        taken, left, rest = (line.get_ydata() for line in ax.lines)
        assert (np.diff(taken) <= 0).all()
        np.testing.assert_allclose(taken + left, 1, atol=1e-6)
        np.testing.assert_allclose(np.sort(rest), np.sort(stage["rest"].mean((0, 1)).numpy()), atol=1e-6)


def test_every_pair_of_a_schedule_has_its_bow():
    figure = region_attention.schedules()
    assert [len(ax.lines) for ax in figure.axes] == [len(pairs) for pairs in SCHEDULES.values()] == [5, 5, 6]
    first = figure.axes[0]
    bows = {tuple(np.round(line.get_xdata()[[0, -1]]).astype(int)) for line in first.lines}
    assert bows == set(SCHEDULES["five_pairs"])
