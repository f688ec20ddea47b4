"""YOLO11 as a classifier: numbers of the article's scale, stage by stage, and what its options do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from mer_lib.errors import ParameterError
from mer_lib.models import build, count_parameters, input_shape
from mer_lib.models.yolo11_classifier import Attention, YOLO11Classifier

TINY = {"scale": "n", "width": 0.25, "hidden": 16}
#: Of scale "s" with an input of 3 x 64 x 64: what comes out of each stage, and its parameters.
STAGES = [
    ((32, 32, 32), 928),
    ((64, 16, 16), 18_560),
    ((128, 16, 16), 26_080),
    ((128, 8, 8), 147_712),
    ((256, 8, 8), 103_360),
    ((256, 4, 4), 590_336),
    ((256, 4, 4), 346_112),
    ((512, 2, 2), 1_180_672),
    ((512, 2, 2), 1_380_352),
    ((512, 2, 2), 990_976),
]


def outline(**params) -> YOLO11Classifier:
    with torch.device("meta"):
        return YOLO11Classifier(**params).eval()


@pytest.mark.parametrize(("side", "factor"), [(None, 2), (224, 7)])
def test_every_stage_has_the_published_shape_and_size(side, factor):
    network = outline(side=side)
    x = network.image(torch.zeros(1, 3, 42, 64, device="meta"))
    for stage, ((channels, rows, columns), parameters) in zip(network.stages, STAGES, strict=True):
        x = stage(x)
        assert tuple(x.shape) == (1, channels, rows * factor // 2, columns * factor // 2)
        assert count_parameters(stage) == parameters
    assert count_parameters(network.classify) == 665_606


@pytest.mark.parametrize(
    ("scale", "n_classes", "millions"), [("s", 6, 5_450_694), ("s", 1000, 6_724_008), ("n", 1000, 2_812_104)]
)
def test_totals(scale, n_classes, millions):
    assert count_parameters(outline(scale=scale, n_classes=n_classes)) == millions


def test_scale_m_nests_its_blocks_and_stops_widening():
    small, large = outline(scale="s"), outline(scale="m")
    assert type(small.stages[2].block).__name__ == "Bottleneck"
    assert type(large.stages[2].block).__name__ == "C3k"
    # Twice the width of "s" where the limit of 512 channels is not reached; the last stage stops there.
    assert [large.stages[i].join[0].out_channels for i in (2, 4, 8)] == [256, 512, 512]


def test_each_cell_attends_to_all_cells_as_written_out():
    torch.manual_seed(0)
    attention = Attention(128).eval()
    x = torch.randn(1, 128, 2, 3)
    with torch.no_grad():
        mixed = attention.qkv(x)[0].reshape(2, 128, 6)  # per head: query 32, key 32, value 64
        expected, value = torch.zeros(2, 64, 6), mixed[:, 64:]
        for head in range(2):
            for cell in range(6):
                scores = torch.stack([mixed[head, :32, cell] @ mixed[head, 32:64, k] for k in range(6)]) / 32**0.5
                expected[head, :, cell] = value[head] @ scores.softmax(0)
        expected = expected.reshape(1, 128, 2, 3) + attention.position(value.reshape(1, 128, 2, 3))
        torch.testing.assert_close(attention(x), attention.out(expected))


def test_attention_has_four_tokens_of_the_published_image_and_49_of_a_larger_one():
    assert outline().stages(torch.zeros(1, 3, 64, 64, device="meta")).shape[2:] == (2, 2)
    large = outline(side=224)
    assert large.stages(large.image(torch.zeros(1, 3, 42, 64, device="meta"))).shape[2:] == (7, 7)


def test_padding_is_added_below_and_says_what_it_is_told():
    x = torch.rand(2, 3, 42, 64)
    image = YOLO11Classifier(**TINY, pad_value=-1.0).image(x)
    assert image.shape == (2, 3, 64, 64)
    assert torch.equal(image[:, :, :42], x)
    assert (image[:, :, 42:] == -1).all()


def test_stretching_resamples_and_native_leaves_the_image():
    x = torch.rand(2, 3, 42, 64)
    stretched = YOLO11Classifier(**TINY, fit="stretch").image(x)
    torch.testing.assert_close(stretched, functional.interpolate(x, (64, 64), mode="bilinear"))
    native = YOLO11Classifier(**TINY, fit="native")
    assert torch.equal(native.image(x), x)
    assert native.stages(x).shape[2:] == (2, 2)  # 42 -> 21 -> 11 -> 6 -> 3 -> 2


def test_one_channel_is_shown_three_times():
    assert input_shape("yolo11_classifier", channels=1) == (1, 42, 64)
    x = torch.rand(2, 1, 42, 64)
    image = YOLO11Classifier(**TINY, channels=1).image(x)
    assert all(torch.equal(image[:, channel, :42], x[:, 0]) for channel in range(3))


def test_one_image_can_be_trained_on():
    network = build("yolo11_classifier", **TINY).train()
    assert network(torch.randn(1, 3, 42, 64)).isfinite().all()


def test_dropout_works_in_training_alone():
    torch.manual_seed(0)
    network = YOLO11Classifier(**TINY, dropout=0.5)
    features = torch.randn(4, 64 // 4 * 4, 2, 2)
    plain = network.classify.eval()
    assert torch.equal(plain(features), plain(features))
    dropped = network.classify.train()
    assert not torch.equal(dropped(features), dropped(features))


@pytest.mark.parametrize("momentum", [0.03, 0.5])
def test_a_step_renews_so_much_of_the_running_mean(momentum):
    torch.manual_seed(0)
    network = YOLO11Classifier(**TINY, momentum=momentum).train()
    x = torch.randn(4, 3, 42, 64)
    with torch.no_grad():
        mean = network.stages[0][0](network.image(x)).mean(dim=(0, 2, 3))
        network(x)
    torch.testing.assert_close(network.stages[0][1].running_mean, momentum * mean)
    assert {m.momentum for m in network.modules() if hasattr(m, "momentum")} == {momentum}


def test_all_faults_are_told_at_once():
    wrong = {"n_classes": 0, "channels": 2, "width": 0.0, "dropout": 1.0, "momentum": 0.0}
    with pytest.raises(ParameterError) as told:
        YOLO11Classifier(rows=20, columns=30, fit="native", side=64, **wrong)
    for part in (*wrong, "side", "halved 5 times"):
        assert part in str(told.value)
    with pytest.raises(ParameterError, match=r"(?s)scale: .*'z'.*fit: .*'crop'"):
        YOLO11Classifier(scale="z", fit="crop")


def test_where_the_explanation_is_read_there_are_eight_by_eight_places():
    network = YOLO11Classifier(**TINY).eval()
    seen = []
    network.get_submodule(network.cam_layer).register_forward_hook(lambda _m, _i, out: seen.append(out.shape))
    network(torch.zeros(1, 3, 42, 64))
    np.testing.assert_array_equal(seen[0][2:], (8, 8))
