"""MFEM + MFFM and the sequence networks beside it: sizes of the tables, equations, and what every switch does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from mer_lib.errors import ParameterError
from mer_lib.models import build, check_params, count_parameters
from mer_lib.models.blocks_level_fusion import SCHEDULES, LevelFusion
from mer_lib.models.blocks_region_attention import ChannelGate, GeneralisedMean, RegionAttention
from mer_lib.models.blocks_sequence import LSTMClassifier
from mer_lib.models.mfem_mffm import INFO, MFEMMFFM
from mer_lib.models.slstt import SLSTT

TINY = dict(INFO.small)


def meta(**params: Any) -> MFEMMFFM:
    """The network at the article's size, without numbers in it."""
    with torch.device("meta"):
        return MFEMMFFM(**params)


def tiny(**params: Any) -> MFEMMFFM:
    torch.manual_seed(0)
    return MFEMMFFM(**(TINY | params)).eval()


def sequences(network: Any, n: int = 2) -> Tensor:
    return torch.randn(n, *network.input_shape, generator=torch.Generator().manual_seed(1))


# -- sizes ------------------------------------------------------------------------------------------------------------


def test_parameters_of_every_stage():
    network = meta()
    assert count_parameters(network.stem) == 9_536
    assert [count_parameters(stage) for stage in network.stages] == [221_952, 1_198_336, 7_150_080, 14_425_088]
    assert [count_parameters(module) for module in network.attention] == [2_248, 8_392, 32_968, 131_272]
    assert count_parameters(network.fusion) == 1_962_496
    assert count_parameters(network.sequence.lstm) == 5_246_976
    assert count_parameters(network.sequence.fc) == 2_565
    assert count_parameters(network) == 30_391_909


def test_shapes_of_every_stage():
    network = meta()
    with torch.device("meta"):
        levels = network.levels(torch.zeros(10, 3, 224, 224))
        vectors = network.frame_vectors(torch.zeros(10, 3, 224, 224))
        logits = network(torch.zeros(2, 10, 3, 224, 224))
    expected = [(10, 64, 56, 56), (10, 128, 28, 28), (10, 256, 14, 14), (10, 512, 7, 7)]
    assert [tuple(own.shape) for own, _ in levels] == expected
    assert [tuple(attended.shape) for _, attended in levels] == expected
    assert vectors.shape == (10, 2304)
    assert logits.shape == (2, 5)


@pytest.mark.parametrize(
    ("schedule", "entries"),
    [
        ("five_pairs", [192, 320, 384, 640, 768]),
        ("neighbours_twice", [192, 384, 768, 576, 1152]),
        ("all_pairs", [192, 320, 576, 384, 640, 768]),
    ],
)
def test_what_the_schedules_join(schedule, entries):
    with torch.device("meta"):
        fusion = LevelFusion((64, 128, 256, 512), schedule)
    assert [interaction.bn.num_features for interaction in fusion.interactions] == entries
    assert fusion.features == sum(entries)


@pytest.mark.parametrize(("kernel", "millions"), [(1, 1.96), (3, 17.6), (7, 95.9)])
def test_what_the_size_of_the_convolutions_costs(kernel, millions):
    with torch.device("meta"):
        fusion = LevelFusion((64, 128, 256, 512), kernel=kernel)
    assert count_parameters(fusion) / 1e6 == pytest.approx(millions, rel=0.003)


def test_the_base_is_resnet34_with_a_bilstm():
    """Names aside it is torchvision's network, tensor by tensor; the counts are those of the table."""
    models = pytest.importorskip("torchvision.models")
    network = meta(mfem=False, mffm=False)
    assert count_parameters(network) == 22_864_197
    assert count_parameters(network.stem) + count_parameters(network.stages) == 21_284_672
    with torch.device("meta"):
        theirs = [tuple(p.shape) for name, p in models.resnet34().named_parameters() if not name.startswith("fc")]
    ours = [tuple(p.shape) for part in (network.stem, network.stages) for p in part.parameters()]
    assert ours == theirs


# -- equations --------------------------------------------------------------------------------------------------------


def test_the_generalised_mean_is_scipys_power_mean():
    values = torch.rand(3, 5, 4, 4, generator=torch.Generator().manual_seed(0)) + 0.1
    for exponent in (1.0, 3.0, 7.5):
        expected = ((values.double() ** exponent).sum(dim=(2, 3)) / 16) ** (1 / exponent)
        np.testing.assert_allclose(GeneralisedMean(exponent)(values).detach(), expected, rtol=1e-4)
    np.testing.assert_allclose(GeneralisedMean(1.0)(values).detach(), values.mean(dim=(2, 3)), rtol=1e-5)
    assert (GeneralisedMean(60.0)(values) > 0.9 * values.amax(dim=(2, 3))).all()


def test_the_exponent_is_learned_and_dark_channels_do_no_harm():
    pool = GeneralisedMean()
    x = torch.zeros(2, 3, 4, 4, requires_grad=True)
    (pool(x).sum() + pool(torch.rand(2, 3, 4, 4)).sum()).backward()
    assert pool.exponent.grad is not None
    assert torch.isfinite(pool.exponent.grad)
    assert torch.isfinite(x.grad).all()


def channel_gate(gate: ChannelGate, x: Tensor) -> Tensor:
    """The article's equation with the activation that it leaves out."""
    p = gate.pool.exponent
    pooled = (x.clamp(min=1e-6) ** p).mean((2, 3)) ** (1 / p)
    hidden = functional.relu(pooled @ gate.squeeze.weight.T)
    return torch.sigmoid(hidden @ gate.excite.weight.T)[:, :, None, None]


def spatial_gate(convolution: torch.nn.Conv2d, x: Tensor) -> Tensor:
    seen = torch.stack([x.max(dim=1).values, x.mean(dim=1)], dim=1)
    return torch.sigmoid(functional.conv2d(seen, convolution.weight, padding=3))


@pytest.mark.parametrize(("second", "scale"), [("each", "sum"), ("sum", "sum"), ("each", "mean")])
def test_region_attention_follows_the_equations(second, scale):
    torch.manual_seed(0)
    module = RegionAttention(8, reduction=2, second=second, scale=scale)
    x = torch.rand(2, 8, 6, 6)
    one = x * spatial_gate(module.space_first.conv, x)
    taken = channel_gate(module.then_channels.first, one)
    rest = one * (1 - taken)
    branch_1 = one * taken + rest * channel_gate(module.then_channels.second, rest)
    taken = channel_gate(module.channels_first.first, x)
    rest = x * (1 - taken)
    three, four = x * taken, rest * channel_gate(module.channels_first.second, rest)
    gate = module.then_space.conv
    if second == "each":
        branch_2 = three * spatial_gate(gate, three) + four * spatial_gate(gate, four)
    else:
        branch_2 = (three + four) * spatial_gate(gate, three + four)
    share = 0.25 if scale == "mean" else 1
    torch.testing.assert_close(module(x), share * (branch_1 + branch_2))


def test_the_complement_weighs_what_the_gate_leaves():
    """A gate that takes everything leaves nothing to attend to again, one that takes nothing leaves all."""
    module = RegionAttention(4, reduction=1).then_channels
    with torch.no_grad():
        module.first.squeeze.weight.copy_(torch.eye(4))
        for sign in (100.0, -100.0):
            module.first.excite.weight.copy_(sign * torch.eye(4))
            x = torch.rand(1, 4, 3, 3) + 1
            taken, again = module(x)
            nothing, everything = (again, taken) if sign > 0 else (taken, x * module.second(x))
            torch.testing.assert_close(nothing, torch.zeros_like(x))
            torch.testing.assert_close(taken + again, everything)


def test_an_interaction_enlarges_the_deep_map():
    torch.manual_seed(0)
    fusion = LevelFusion((2, 4, 8, 16)).eval()
    maps = [torch.rand(3, 2 * 2**i, 16 // 2**i, 16 // 2**i) for i in range(4)]
    first = fusion.interactions[0]
    deep = functional.interpolate(first.deep_conv(maps[1]), size=(16, 16), mode="bilinear", align_corners=False)
    mixed = first.conv(torch.cat([maps[0], deep], dim=1))
    got = fusion(maps)
    assert got.shape == (3, fusion.features)
    torch.testing.assert_close(got[:, :6], mixed.mean((2, 3)) / np.sqrt(1 + first.bn.eps))


def test_the_second_round_reads_what_the_first_one_made():
    maps = [torch.rand(2, 2 * 2**i, 16 // 2**i, 16 // 2**i) for i in range(4)]
    torch.manual_seed(0)
    fusion = LevelFusion((2, 4, 8, 16), "neighbours_twice").eval()
    first, second, _, fourth, _ = fusion.interactions
    again = fourth(first(maps[0], maps[1]), second(maps[1], maps[2]))
    start = 6 + 12 + 24
    torch.testing.assert_close(fusion(maps)[:, start : start + 18], again.mean((2, 3)))
    assert len(set(SCHEDULES["all_pairs"])) == 6
    assert set(SCHEDULES["all_pairs"]) - set(SCHEDULES["five_pairs"]) == {(0, 3)}


def test_a_bilstm_joins_its_last_states():
    torch.manual_seed(0)
    head = LSTMClassifier(5, hidden=4, n_classes=3).eval()
    x = torch.randn(2, 6, 5)
    _, (states, _) = head.lstm(x)
    torch.testing.assert_close(head(x), head.fc(torch.cat([states[0], states[1]], dim=1)))
    forward = LSTMClassifier(5, hidden=4, n_classes=3, bidirectional=False, layers=2).eval()
    _, (states, _) = forward.lstm(x)
    torch.testing.assert_close(forward(x), forward.fc(states[-1]))


# -- switches ---------------------------------------------------------------------------------------------------------


def test_the_four_rows_of_the_ablation():
    rows = {(mfem, mffm): tiny(mfem=mfem, mffm=mffm) for mfem in (False, True) for mffm in (False, True)}
    for (mfem, mffm), network in rows.items():
        names = {name.split(".")[0] for name, _ in network.named_parameters()}
        assert ("attention" in names, "fusion" in names) == (mfem, mffm)
        assert network(sequences(network)).shape == (2, 3)
    # Region attention doubles what stages 2 to 4 see; fusion alone leaves them as they are.
    assert [stage[0].conv1.in_channels for stage in rows[True, False].stages] == [8, 16, 32, 64]
    assert [stage[0].conv1.in_channels for stage in rows[False, True].stages] == [8, 8, 16, 32]


def test_without_modules_a_frame_is_the_mean_of_the_last_map():
    network = tiny(mfem=False, mffm=False)
    x = sequences(network)[0]
    last = network.stem(x)
    for stage in network.stages:
        last = stage(last)
    torch.testing.assert_close(network.frame_vectors(x), last.mean((2, 3)))


def test_reduced_joins_keep_the_width_of_the_stages():
    network = tiny(join="reduce")
    assert [stage[0].conv1.in_channels for stage in network.stages] == [8, 8, 16, 32]
    assert network(sequences(network)).shape == (2, 3)


@pytest.mark.parametrize(
    "changes", [{"pooling": "mean"}, {"second": "sum"}, {"scale": "mean"}, {"schedule": "all_pairs"}, {"kernel": 3}]
)
def test_every_reading_is_another_function(changes):
    x = sequences(tiny())
    assert not torch.allclose(tiny()(x), tiny(**changes)(x))


def test_the_order_of_frames_matters():
    network = tiny()
    x = sequences(network)
    assert not torch.allclose(network(x), network(x.flip(1)), atol=1e-6)


def test_gates_are_shares_and_those_that_were_used():
    network = tiny()
    x = sequences(network)
    gates = network.gates(x)
    assert [tuple(stage["channels"].shape) for stage in gates] == [(2, 3, 8), (2, 3, 16), (2, 3, 32), (2, 3, 64)]
    for stage in gates:
        assert all(float(gate.min()) > 0 and float(gate.max()) < 1 for gate in stage.values())
    own = network.levels(x.flatten(0, 1))[0][0]
    expected = spatial_gate(network.attention[0].space_first.conv, own)[:, 0]
    torch.testing.assert_close(gates[0]["space"].flatten(0, 1), expected)
    with pytest.raises(ParameterError, match="mfem=True"):
        tiny(mfem=False).gates(x)


# -- ImageNet ---------------------------------------------------------------------------------------------------------


def resnet_state(width: int = 8) -> dict[str, Tensor]:
    """Weights under torchvision's names, of a narrow network of one block a stage."""
    base = tiny(mfem=False, mffm=False, width=width)
    prefixes = {"stem.0": "conv1", "stem.1": "bn1"} | {f"stages.{i}": f"layer{i + 1}" for i in range(4)}
    state = {}
    for ours, theirs in prefixes.items():
        for name, tensor in base.get_submodule(ours).state_dict().items():
            state[f"{theirs}.{name}"] = torch.randn_like(tensor) if tensor.is_floating_point() else tensor
    return {name: tensor.abs() + 0.5 if "running_var" in name else tensor for name, tensor in state.items()}


def test_imagenet_weights_see_the_map_and_nothing_of_the_attended_one():
    network, state = tiny(), resnet_state()
    loaded = network.load_imagenet(state)
    parameters = dict(network.named_parameters())
    assert {name.split(".")[0] for name in loaded} == {"stem", "stages"}
    assert set(loaded) == {name for name in parameters if name.startswith(("stem", "stages"))}
    for name in ("conv1.weight", "downsample.0.weight"):
        ours, theirs = parameters[f"stages.1.0.{name}"], state[f"layer2.0.{name}"]
        torch.testing.assert_close(ours[:, :8].detach(), theirs)
        assert (ours[:, 8:] == 0).all()


def test_the_base_with_imagenet_weights_does_what_theirs_does():
    network, state = tiny(mfem=False, mffm=False), resnet_state()
    network.load_imagenet(state)
    x = torch.rand(2, 3, 64, 64)
    y = functional.conv2d(x, state["conv1.weight"], stride=2, padding=3)
    bn = [state[f"bn1.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
    y = functional.max_pool2d(functional.batch_norm(y, *bn).relu(), 3, 2, 1)
    torch.testing.assert_close(network.stem(x), y)
    assert network.backbone() == "resnet34"
    assert tiny(width=6, mfem=False).load_imagenet(state) == []


# -- what is refused, and the networks beside it -----------------------------------------------------------------------


def test_all_faults_are_told_at_once():
    with pytest.raises(ParameterError) as raised:
        build("mfem_mffm", image_size=32, frames=1, depths=[1, 1], kernel=5, dropout=1.0, width=8)
    for fault in (
        "image_size",
        "frames",
        "depths",
        "kernel: expected one of 1, 3, 7",
        "dropout",
        "width: expected at least 16",
    ):
        assert fault in str(raised.value)
    with pytest.raises(ParameterError, match="schedule"):
        check_params("mfem_mffm", {"schedule": "sixth_pair"})
    with pytest.raises(ParameterError, match=r"(?s)image_size: expected a multiple.*dim: expected a multiple"):
        build("slstt", image_size=60, dim=50)
    with pytest.raises(ParameterError, match=r"(?s)image_size: expected at least 32.*widths"):
        build("cnn_lstm", image_size=16, widths=[8, 0, 8])


def test_the_mean_of_frames_knows_no_order_and_the_lstm_does():
    torch.manual_seed(0)
    small = {"image_size": 32, "frames": 4, "dim": 16, "heads": 2, "layers": 1}
    for aggregation in ("mean", "lstm"):
        network = SLSTT(aggregation=aggregation, **small).eval()
        x = sequences(network)
        same = torch.allclose(network(x), network(x.flip(1)), atol=1e-6)
        assert same == (aggregation == "mean")


def test_where_the_class_token_looks_sums_to_one():
    torch.manual_seed(0)
    network = SLSTT(image_size=32, frames=2, dim=16, heads=2, layers=2).eval()
    image = network.attention_image(sequences(network, 3))
    assert image.shape == (3, 32, 32)
    cells = image[:, ::8, ::8].sum((1, 2))  # one value a patch
    assert ((cells > 0.5) & (cells < 1)).all()  # the rest is what the token gives to itself
