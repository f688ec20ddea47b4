"""Networks against independent references: arithmetic, published weights, and blocks of one token."""

from __future__ import annotations

import copy
import itertools
import math
import pickle
import warnings
from collections.abc import Iterator

import pytest
import torch
from einops import rearrange
from pydantic import TypeAdapter
from torch import Tensor, nn
from torch.nn import functional

from mer_lib import models
from mer_lib.errors import ParameterError
from mer_lib.features import Recipe
from mer_lib.models import build, check_params, count_parameters, input_shape
from mer_lib.models.blocks_htnet import Attention
from mer_lib.models.htnet import (
    HTNet,
    SingleTokenWarning,
    legal_patch_sizes,
    load_release_state,
)
from mer_lib.models.info import ModelInfo
from mer_lib.models.ststnet import STSTNet
from mer_lib.papers.experiments import experiment

SINGLE_TOKEN = pytest.mark.filterwarnings("ignore::mer_lib.models.htnet.SingleTokenWarning")


# -- registry -------------------------------------------------------------------------------------


@SINGLE_TOKEN
@pytest.mark.parametrize("name", models.REGISTRY)
def test_every_network_reads_its_default_recipe(name):
    """What the recipe makes is what the network takes, and one logit a class comes out."""
    info = models.REGISTRY[name]
    recipe = TypeAdapter(Recipe).validate_python(dict(info.recipe))
    assert recipe.sample_shape == input_shape(name)
    with torch.device("meta"):
        network = build(name, n_classes=5).eval()
        assert tuple(network.input_shape) == recipe.sample_shape
        assert network(torch.zeros(2, *recipe.sample_shape)).shape == (2, 5)
    assert info.title
    assert info.paper
    assert info.url == "" or info.url.startswith("https://")


def test_unknown_network_is_named_with_a_guess():
    with pytest.raises(ParameterError, match=r"unknown model 'htnte', did you mean 'htnet'\? Known: ststnet, htnet"):
        build("htnte")
    with pytest.raises(ParameterError, match=r"unknown model 'qqq'\. Known"):
        input_shape("qqq")


def test_all_wrong_parameters_are_named_at_once():
    with pytest.raises(ParameterError) as caught:
        build("htnet", patchsize=7, dim="256", layers=[2, 2.5, 8], activation="swish", heads=True)
    message = str(caught.value)
    for part in ("did you mean 'patch_size'?", "dim: ", "got '256'", "layers.1: ", "activation: ", "heads: "):
        assert part in message


@pytest.mark.parametrize("params", [{"chanels": 3}, {"n_classes": "3"}])
def test_parameters_are_checked_before_anything_is_built(monkeypatch, params):
    built = []

    class Spy(nn.Module):
        input_shape = (3, 28, 28)

        def __init__(self, n_classes: int = 3, channels: int = 3) -> None:
            super().__init__()
            built.append(n_classes)

    spy = ModelInfo(name="spy", title="Spy", factory=Spy, paper="", url="")
    monkeypatch.setitem(models.REGISTRY, "spy", spy)
    for call in (lambda: build("spy", **params), lambda: check_params("spy", params)):
        with pytest.raises(ParameterError, match="parameters of 'spy'"):
            call()
    assert built == []
    build("spy", n_classes=4)
    assert built == [4]


def test_parameters_without_a_default_are_asked_for(monkeypatch):
    def factory(width: int) -> nn.Module:
        return nn.Linear(width, width)

    info = ModelInfo(name="line", title="Line", factory=factory, paper="", url="")
    monkeypatch.setitem(models.REGISTRY, "line", info)
    with pytest.raises(ParameterError, match="width: Field required"):
        build("line")
    assert count_parameters(build("line", width=3)) == 12


def test_check_params_completes_and_checks_ranges_without_weights():
    full = check_params("htnet", {"layers": [2, 2, 12], "dim": 100_000})  # about 70 TB of weights
    assert full["layers"] == (2, 2, 12)
    assert full["heads"] == 3
    assert full["activation"] == "gelu"
    with warnings.catch_warnings(record=True) as said:
        check_params("htnet", {"patch_size": 7})
    assert said == []
    with pytest.raises(ParameterError, match="patch_size: expected one of 1, 7"):
        check_params("htnet", {"patch_size": 4})


# -- STSTNet --------------------------------------------------------------------------------------


class PlainStreams(nn.Module):
    """STSTNet as its figure draws it, one stream after the other."""

    def __init__(self) -> None:
        super().__init__()
        for i, filters in enumerate((3, 5, 8), start=1):
            setattr(self, f"conv{i}", nn.Conv2d(3, filters, 3, padding=2))
            setattr(self, f"bn{i}", nn.BatchNorm2d(filters))
        self.fc = nn.Linear(400, 3)

    def forward(self, x: Tensor) -> Tensor:
        pairs = ((self.conv1, self.bn1), (self.conv2, self.bn2), (self.conv3, self.bn3))
        streams = [functional.max_pool2d(bn(conv(x).relu()), 3, 3, 1) for conv, bn in pairs]
        return self.fc(functional.avg_pool2d(torch.cat(streams, dim=1), 2).flatten(1))


def ststnet_and_plain() -> tuple[STSTNet, PlainStreams]:
    """Both with the same random weights, negative batch-norm gains among them, in double precision."""
    fast, plain = STSTNet(dropout=0.0), PlainStreams()
    for name, parameter in fast.named_parameters():
        if name.startswith("bn"):
            nn.init.normal_(parameter)
    plain.load_state_dict(fast.state_dict(), strict=True)
    return fast.double(), plain.double()


def test_ststnet_equals_three_streams_through_training():
    fast, plain = ststnet_and_plain()
    pairs = [(m, torch.optim.Adam(m.parameters(), lr=0.01)) for m in (fast, plain)]
    for _ in range(3):
        x, y = torch.rand(7, 3, 28, 28, dtype=torch.double) * 255, torch.randint(3, (7,))
        for network, optimiser in pairs:
            optimiser.zero_grad()
            functional.cross_entropy(network(x), y).backward()
            optimiser.step()
        for name, parameter in fast.named_parameters():
            torch.testing.assert_close(parameter.grad, plain.get_parameter(name).grad, msg=name)
    expected = plain.state_dict()
    for name, tensor in fast.state_dict().items():
        torch.testing.assert_close(tensor, expected[name], msg=name)
    assert fast.bn3.num_batches_tracked == 3
    for network in (fast, plain):
        network.eval()
    torch.testing.assert_close(fast(x), plain(x))
    assert fast.bn3.num_batches_tracked == 3


def test_ststnet_state_dict_is_that_of_the_release():
    def norm(n: int) -> dict[str, tuple[int, ...]]:
        return dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (n,)) | {"num_batches_tracked": ()}

    filters = {1: 3, 2: 5, 3: 8}
    expected = {}
    for i, n in filters.items():
        expected |= {f"conv{i}.weight": (n, 3, 3, 3), f"conv{i}.bias": (n,)}
    for i, n in filters.items():
        expected |= {f"bn{i}.{key}": shape for key, shape in norm(n).items()}
    expected |= {"fc.weight": (3, 400), "fc.bias": (3,)}
    state = STSTNet().state_dict()
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == expected
    assert list(state) == list(expected)
    assert count_parameters(STSTNet()) == 1683


def test_ststnet_does_not_care_how_the_input_lies_in_memory():
    network, x = STSTNet().eval(), torch.rand(2, 3, 28, 28)
    torch.testing.assert_close(network(x), network(x.contiguous(memory_format=torch.channels_last)))


def test_ststnet_dropout_drops_its_share_and_keeps_the_mean():
    network = STSTNet(dropout=0.25)
    dropped = network._drop(torch.ones(50, 16, 10, 10))
    assert dropped.unique().tolist() == pytest.approx([0, 1 / 0.75])
    assert dropped.mean().item() == pytest.approx(1, abs=0.02)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)
    x = torch.rand(4, 3, 28, 28)
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))


@pytest.mark.parametrize("params", [{"n_classes": 0}, {"dropout": 1.0}, {"dropout": -0.1}])
def test_ststnet_refuses_parameters_out_of_range(params):
    with pytest.raises(ParameterError, match="expected n_classes >= 1 and 0 <= dropout < 1"):
        build("ststnet", **params)


@SINGLE_TOKEN
@pytest.mark.parametrize("network", [STSTNet(), HTNet(patch_size=1, dim=4, heads=1, layers=(1, 1, 1))])
def test_networks_copy_and_pickle(network):
    x = torch.rand(2, *network.input_shape)
    network = network.eval()
    for twin in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert torch.equal(twin(x), network(x))


# -- HTNet: a reference from convolutions and a list of tensors ------------------------------------


def release_shapes(patch: int, dim: int, heads: int, layers: tuple[int, ...], tokens: int) -> Iterator[tuple[int, ...]]:
    """Shapes of the release's tensors in its order."""
    yield from ((dim, 3 * patch**2, 1, 1), (dim,))
    for i, depth in enumerate(layers):
        d, h = dim * 2**i, heads * 2**i
        norm, inner = [(1, d, 1, 1)] * 2, d // h * h
        yield (tokens,)
        for _ in range(depth):
            yield from (*norm, (3 * inner, d, 1, 1), (d, inner, 1, 1), (d,))
            yield from (*norm, (4 * d, d, 1, 1), (4 * d,), (d, 4 * d, 1, 1), (d,))
        if i < len(layers) - 1:
            yield from ((2 * d, d, 3, 3), (2 * d,), (1, 2 * d, 1, 1), (1, 2 * d, 1, 1))
    yield from (*norm, (3, d), (3,))


def release_state(**config) -> dict[str, Tensor]:
    """Random weights under names that say nothing; scaled so that neither signal nor attention dies out."""

    def draw(shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape, dtype=torch.double) / (math.sqrt(math.prod(shape[1:])) if shape[0] > 1 else 1)

    return {f"t{i:03}": draw(shape) for i, shape in enumerate(release_shapes(**config))}


def channel_norm(x: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
    spread = ((x - x.mean(1, keepdim=True)) ** 2).mean(1, keepdim=True)
    return gain * (x - x.mean(1, keepdim=True)) / torch.sqrt(spread + 1e-5) + bias


def reference_attention(x: Tensor, qkv: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    """Loop over the heads of one block at a time: (b, channels, side, side) to the same, and the weights."""
    projected = functional.conv2d(x, qkv).flatten(2)  # (b, 3 inner, tokens)
    inner = projected.shape[1] // 3
    width = inner // heads
    outputs, weights = [], []
    for start in range(0, inner, width):
        q, k, v = (projected[:, third * inner + start :][:, :width] for third in range(3))
        weights.append(torch.softmax(torch.einsum("bdi,bdj->bij", q, k) / math.sqrt(width), dim=2))
        outputs.append(torch.einsum("bij,bdj->bdi", weights[-1], v))
    return torch.cat(outputs, dim=1).unflatten(2, x.shape[2:]), torch.stack(weights, dim=1)


def reference_htnet(
    state: dict[str, Tensor],
    x: Tensor,
    *,
    patch: int,
    heads: int,
    layers: tuple[int, ...],
    activation=functional.gelu,
) -> tuple[Tensor, list[Tensor]]:
    """Logits, and the weights of each level's last layer (b, blocks, heads, tokens, tokens)."""
    take = itertools.chain(state.values()).__next__
    weight, bias = take(), take()
    # One patch after the other, each flattened row by row, pixel by pixel, the channels of a pixel together.
    flat = [
        [x[:, :, r : r + patch, c : c + patch].permute(0, 2, 3, 1).flatten(1) for c in range(0, x.shape[3], patch)]
        for r in range(0, x.shape[2], patch)
    ]
    x = torch.stack([torch.stack(row, dim=-1) for row in flat], dim=-2)  # (b, 3 p p, rows, columns)
    x = functional.conv2d(x, weight, bias)
    seen = []
    for i, depth in enumerate(layers):
        n = 2 ** (len(layers) - 1 - i)
        batch, side = len(x), x.shape[-1] // n
        position = take().view(1, 1, side, side)
        blocks = [x[:, :, r * side :, c * side :][:, :, :side, :side] for r in range(n) for c in range(n)]
        x = torch.cat(blocks) + position  # (blocks b, channels, side, side)
        for _ in range(depth):
            y = channel_norm(x, take(), take())
            y, weights = reference_attention(y, take(), heads * 2**i)
            x = x + functional.conv2d(y, take(), take())
            y = channel_norm(x, take(), take())
            y = functional.conv2d(activation(functional.conv2d(y, take(), take())), take(), take())
            x = x + y
        seen.append(torch.stack(weights.split(batch), dim=1))
        parts = x.split(batch)
        x = torch.cat([torch.cat(parts[r * n : (r + 1) * n], dim=3) for r in range(n)], dim=2)
        if n > 1:
            x = channel_norm(functional.conv2d(x, take(), take(), padding=1), take(), take())
            x = functional.max_pool2d(x, 3, stride=2, padding=1)
    x = channel_norm(x, take(), take()).mean((2, 3))
    return functional.linear(x, take(), take()), seen


CONFIGS = [
    # image, patch, dim, heads, layers; heads that do not divide the width, two levels, four tokens a block
    (28, 7, 10, 3, (2, 1, 2)),
    (28, 1, 8, 2, (1, 1, 2)),
    (16, 2, 6, 4, (1, 2, 1)),
    (20, 5, 8, 1, (1, 1, 1)),
    (12, 2, 9, 2, (2, 2)),
]


@SINGLE_TOKEN
@pytest.mark.parametrize(("image", "patch", "dim", "heads", "layers"), CONFIGS)
@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_htnet_equals_the_reference_on_release_weights(image, patch, dim, heads, layers, activation):
    network = HTNet(image, patch, dim, heads, layers, activation=activation).double().eval()
    state = release_state(patch=patch, dim=dim, heads=heads, layers=layers, tokens=network.tokens_per_block)
    load_release_state(network, state)
    x = torch.randn(3, 3, image, image, dtype=torch.double) + 3 * torch.randn(3, 3, 1, 1)
    rectify = functional.relu if activation == "relu" else functional.gelu
    expected, weights = reference_htnet(state, x, patch=patch, heads=heads, layers=layers, activation=rectify)
    torch.testing.assert_close(network(x), expected, atol=1e-9, rtol=1e-9)
    assert expected.std(dim=0).min() > 1e-3, "the comparison would not notice a constant network"
    for ours, theirs in zip(network.attention_maps(x, per_layer=True), weights, strict=True):
        torch.testing.assert_close(ours[-1], theirs, atol=1e-9, rtol=1e-9)


@SINGLE_TOKEN
def test_release_weights_that_do_not_fit_are_all_named_and_change_nothing():
    network = HTNet(dim=8, heads=2, layers=(1, 1, 1))
    before = copy.deepcopy(network.state_dict())
    config = {"patch": 7, "dim": 8, "heads": 2, "layers": (1, 1, 1), "tokens": 1}
    state = release_state(**config)
    state["t000"], state["t003"] = torch.zeros(8, 3, 1, 1), torch.zeros(1, 9, 1, 1)
    with pytest.raises(ParameterError) as caught:
        load_release_state(network, state)
    for part in (
        "embedding.weight: expected (8, 147), got (8, 3, 1, 1) in 't000'",
        "got (1, 9, 1, 1) in 't003'",
    ):
        assert part in str(caught.value)
    with pytest.raises(ParameterError, match=r"expected 50 tensors, got 72.*layers"):
        load_release_state(network, release_state(**(config | {"layers": (1, 1, 3)})))
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name])


# -- HTNet: sizes ---------------------------------------------------------------------------------


def meta(**params) -> HTNet:
    with torch.device("meta"):
        return HTNet(**params)


@SINGLE_TOKEN
@pytest.mark.parametrize(
    ("top_layers", "parameters"),
    [
        (2, 38_968_838),
        (4, 64_122_374),
        (6, 89_275_910),
        (8, 114_429_446),
        (10, 139_582_982),
        (12, 164_736_518),
    ],
)
def test_parameter_counts_of_table_5(top_layers, parameters):
    assert count_parameters(meta(layers=(2, 2, top_layers))) == parameters


@SINGLE_TOKEN
def test_parameter_counts_of_the_stages():
    network = meta()
    assert count_parameters(network.embedding) == 37_888
    levels, aggregations = network.levels, [level.aggregation for level in network.levels]
    assert [count_parameters(a) for a in aggregations] == [1_181_184, 4_721_664, 0]
    own = [count_parameters(level) - count_parameters(level.aggregation) for level in levels]
    assert own == [1_575_937, 6_293_505, 100_614_145]
    assert [count_parameters(level.layers[0]) for level in levels] == [787_968, 3_146_752, 12_576_768]
    assert count_parameters(network.norm) + count_parameters(network.fc) == 5_123
    assert [level.layers[0].attention.heads for level in levels] == [3, 6, 12]


def test_parameter_counts_with_attention():
    assert count_parameters(meta(patch_size=1)) == 114_392_726
    assert count_parameters(meta(patch_size=1, dim=64)) == pytest.approx(7.14e6, abs=5e3)


@SINGLE_TOKEN
@pytest.mark.parametrize("block", range(5, 11))
def test_block_sizes_of_table_4(block):
    assert count_parameters(meta(image_size=4 * block, patch_size=block)) == pytest.approx(114.44e6, abs=0.035e6)
    network = HTNet(4 * block, block, dim=4, heads=2, layers=(1, 1, 1))
    assert network(torch.rand(2, 3, 4 * block, 4 * block)).shape == (2, 3)


def test_legal_patch_sizes():
    assert legal_patch_sizes(28) == [1, 7]
    assert legal_patch_sizes(40) == [1, 2, 5, 10]
    assert legal_patch_sizes(30) == []


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"patch_size": 2}, r"patch_size: expected one of 1, 7 for image_size = 28 .*got 2"),
        ({"patch_size": 3}, r"patch_size: expected one of 1, 7"),
        ({"patch_size": 0}, r"patch_size: expected one of 1, 7"),
        ({"image_size": 30, "patch_size": 5}, r"image_size: expected a multiple of 4"),
        ({"heads": 300}, r"heads: expected at most dim = 256, got 300"),
        ({"layers": ()}, r"layers: expected one number >= 1"),
        ({"layers": (2, 0, 8)}, r"layers: expected one number >= 1"),
        ({"activation": "swish"}, r"activation: expected one of gelu, relu, got 'swish'"),
        ({"dropout": 1.0}, r"dropout: expected 0 <= dropout < 1"),
        ({"dim": 0, "n_classes": 0, "mlp_ratio": 0}, r"(?s)dim: .*n_classes: .*mlp_ratio: "),
    ],
)
def test_htnet_refuses_sizes_that_do_not_fit(params, message):
    with pytest.raises(ParameterError, match=message):
        HTNet(**params)


# -- HTNet: one token a block ---------------------------------------------------------------------


def small(patch: int, heads: int = 2, **params) -> HTNet:
    return HTNet(patch_size=patch, dim=16, heads=heads, layers=(1, 1, 2), **params).eval()


def layers_of(network: HTNet) -> list[nn.Module]:
    return [layer for level in network.levels for layer in level.layers]


def test_single_tokens_are_warned_of_and_only_they():
    with pytest.warns(SingleTokenWarning, match="no attention, and query and key weights get no gradient"):
        small(7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small(1)


@SINGLE_TOKEN
def test_a_lone_token_gets_the_same_answer_with_and_without_its_scores():
    attention, x = Attention(12, heads=3, dropout=0.0), torch.randn(2, 4, 1, 12)
    values, weights = attention._attend(x)
    assert torch.equal(weights, torch.ones(2, 4, 3, 1, 1))
    torch.testing.assert_close(attention(x), attention.out(values))


def test_dropout_leaves_of_a_lone_token_what_it_leaves_of_the_whole_computation():
    attention, x = Attention(12, heads=3, dropout=0.4).train(), torch.randn(5, 4, 1, 12)
    torch.manual_seed(1)
    short = attention(x)
    torch.manual_seed(1)
    torch.testing.assert_close(short, attention.dropout(attention.out(attention._attend(x)[0])))


@SINGLE_TOKEN
@pytest.mark.parametrize(("some", "others"), [(1, (2, 4)), (3, (5,))])
def test_heads_do_not_matter_with_patch_7(some, others):
    """1, 2 and 4 heads span 16 of 16 dimensions, 3 and 5 heads span 15: the same function each time."""
    x, first = torch.rand(3, 3, 28, 28), small(7, some)
    for heads in others:
        other = small(7, heads)
        other.load_state_dict(first.state_dict())
        assert torch.equal(first(x), other(x))


def test_heads_matter_with_patch_1():
    x, first, other = torch.rand(1, 3, 28, 28), small(1, 1), small(1, 2)
    other.load_state_dict(first.state_dict())
    assert (first(x) - other(x)).abs().max() > 1e-6


def train_a_step(network: HTNet) -> None:
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    functional.cross_entropy(network.train()(torch.rand(4, 3, 28, 28)), torch.tensor([0, 1, 2, 0])).backward()
    optimiser.step()


@SINGLE_TOKEN
@pytest.mark.parametrize("patch", [7, 1])
def test_query_and_key_learn_only_where_there_is_attention(patch):
    network = small(patch)
    before = [layer.attention.qkv.weight.detach().clone() for layer in layers_of(network)]
    train_a_step(network)
    for layer, old in zip(layers_of(network), before, strict=True):
        weight, split = layer.attention.qkv.weight, 2 * layer.attention.inner
        moved = (weight.detach() != old).any(dim=1)
        assert moved[split:].all()
        assert bool(moved[:split].any()) == (patch == 1)
        assert bool(weight.grad[:split].abs().sum() > 0) == (patch == 1)


@SINGLE_TOKEN
def test_the_last_position_vector_learns_nothing_with_patch_7():
    network = small(7)
    train_a_step(network)
    first, *_, last = (level.position.grad.abs().item() for level in network.levels)
    assert last < 1e-6 < first


@SINGLE_TOKEN
@pytest.mark.parametrize("patch", [7, 1])
def test_the_query_changes_the_answer_only_where_there_is_attention(patch):
    network, x = small(patch), torch.rand(2, 3, 28, 28)
    before = network(x)
    with torch.no_grad():
        for layer in layers_of(network):
            layer.attention.qkv.weight[: layer.attention.inner] *= 5
    assert torch.equal(before, network(x)) == (patch == 7)


@SINGLE_TOKEN
def test_attention_maps_have_one_axis_for_each_thing():
    x = torch.rand(2, 3, 28, 28)
    maps = small(1).attention_maps(x)
    assert [tuple(m.shape) for m in maps] == [(2, 16, 2, 49, 49), (2, 4, 4, 49, 49), (2, 1, 8, 49, 49)]
    for level in maps:
        torch.testing.assert_close(level.sum(dim=-1), torch.ones(level.shape[:-1]))
    network = small(1)
    deep = network.attention_maps(x, per_layer=True)
    assert [len(level) for level in deep] == [1, 1, 2]
    torch.testing.assert_close(deep[2].mean(0), network.attention_maps(x)[2])
    assert not deep[2].requires_grad
    assert all(torch.equal(level, torch.ones_like(level)) for level in small(7).attention_maps(x))


def test_attention_stays_inside_its_block():
    """Before the first aggregation, a pixel reaches the 49 positions of its own block and no other."""
    network, x = small(1), torch.rand(1, 3, 28, 28)
    level, embedded = network.levels[0], []
    level.aggregation = nn.Identity()
    for image in (x, x.clone()):
        image[0, :, 8, 15] += 1 if embedded else 0
        embedded.append(level(network.embedding(rearrange(image, "b c h w -> b h w c"))))
    changed = (embedded[0] != embedded[1]).any(dim=-1)[0]
    rows, columns = changed.nonzero(as_tuple=True)
    assert len(rows) == 49
    assert set(rows.tolist()) == set(range(7, 14))
    assert set(columns.tolist()) == set(range(14, 21))


@SINGLE_TOKEN
@pytest.mark.parametrize("patch", [7, 1])
def test_htnet_dropout_acts_in_training_only(patch):
    network, x = small(patch, dropout=0.3), torch.rand(2, 3, 28, 28)
    assert torch.equal(network(x), network(x))
    network.train()
    assert not torch.equal(network(x), network(x))


def test_dropout_of_a_lone_token_drops_whole_heads():
    """As attention weights are dropped, a head's only weight is: its values vanish or are scaled."""
    attention = Attention(12, heads=3, dropout=0.5).train()
    with torch.no_grad():
        attention.out.weight.copy_(torch.eye(12))
        attention.out.bias.zero_()
    attention_in = []
    attention.out.register_forward_hook(lambda module, inputs, output: attention_in.append(inputs[0]))
    x = torch.randn(200, 1, 1, 12)
    attention(x)
    values = functional.linear(x, attention.qkv.weight[24:])
    factor = rearrange(attention_in[0] / values, "b 1 1 (h d) -> b h d", h=3)
    torch.testing.assert_close(factor, factor[..., :1].expand_as(factor))
    assert {round(value) for value in factor.unique().tolist()} == {0, 2}


# -- HTNet: reading attention as an image -----------------------------------------------------------


def test_the_attention_image_is_what_each_pixel_receives():
    """Against a loop over blocks and tokens, written for 28 pixels and patch 1."""
    network, x = small(1), torch.rand(2, 3, 28, 28)
    with torch.no_grad():
        for layer in layers_of(network):
            layer.attention.qkv.weight *= 6  # so that attention is far from even
    for level, weights in enumerate(network.attention_maps(x)):
        n, pixels = 4 // 2**level, 2**level
        image = network.attention_image(x, level=level)
        assert image.shape == (2, 28, 28)
        for row, column in itertools.product(range(28), range(28)):
            block = row // (7 * pixels) * n + column // (7 * pixels)
            token = row // pixels % 7 * 7 + column // pixels % 7
            received = weights[:, block, :, :, token].mean(dim=(1, 2)) / n**2 / pixels**2
            torch.testing.assert_close(image[:, row, column], received)
        torch.testing.assert_close(image.sum(dim=(1, 2)), torch.ones(2))
        assert image.max() > 1.2 * image.min()
    levels = torch.stack([network.attention_image(x, level) for level in range(3)])
    torch.testing.assert_close(network.attention_image(x), levels.mean(dim=0))


@SINGLE_TOKEN
def test_the_attention_image_of_single_tokens_is_flat():
    torch.testing.assert_close(small(7).attention_image(torch.rand(1, 3, 28, 28)), torch.full((1, 28, 28), 1 / 784))


def test_the_module_for_grad_cam_keeps_the_places_of_the_map():
    network, seen = small(1), []
    network.get_submodule(network.cam_layer).register_forward_hook(lambda module, inputs, output: seen.append(output))
    network(torch.rand(2, 3, 28, 28))
    assert seen[0].shape == (2, 32, 28, 28)


def test_the_last_position_vector_never_learns_even_with_attention():
    network = HTNet(**models.REGISTRY["htnet"].small)
    functional.cross_entropy(network(torch.rand(4, 3, 28, 28)), torch.tensor([0, 1, 2, 0])).backward()
    norms = [level.position.grad.norm().item() for level in network.levels]
    assert norms[2] < 1e-6 < min(norms[:2])


# -- HTNet: as its authors ran it -------------------------------------------------------------------


def test_whatever_the_authors_code_does_otherwise_is_an_option():
    """Exchanged axes of the face points, channels as OpenCV reads them, no shuffling, ten layers at the top."""
    entry = experiment("htnet.as_run")
    run, described = (entry.variant(label, "paper") for label in ("as its code runs", "as the article describes"))
    assert run.features.legacy_swap
    assert run.features.order == "svu"
    assert not run.training.shuffle
    assert run.model.params["layers"] == [2, 2, 10]
    assert count_parameters(meta(patch_size=1, dim=256)) == count_parameters(meta(**described.model.params))
    assert described.features.order == "uvs"
    assert described.training.shuffle
    assert not described.features.legacy_swap
