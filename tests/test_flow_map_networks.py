"""OFF-ApexNet, Dual-Inception, RCN and FeatRef: published sizes, and what each part of them does."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from mer_lib.errors import ParameterError
from mer_lib.models import build, count_parameters
from mer_lib.models.blocks_streams import InceptionBlock
from mer_lib.models.dual_inception import DualInception
from mer_lib.models.featref import FeatRef
from mer_lib.models.off_apexnet import OffApexNet
from mer_lib.models.rcn import RCN, RecurrentLayer, WideEntry

TWO_STREAMS = ("off_apexnet", "dual_inception", "featref")
SMALL = {"filters": (3, 4), "hidden": 16}


def maps(n: int = 2, side: int = 28) -> Tensor:
    return torch.randn(n, 3, side, side, generator=torch.Generator().manual_seed(n))


def sizes_of(network: nn.Module, x: Tensor) -> dict[str, tuple[int, ...]]:
    """Return the shape that each named module of `network` gives for `x`, without the batch."""
    seen: dict[str, tuple[int, ...]] = {}

    def note(name: str, output: Tensor) -> None:
        seen[name] = tuple(output.shape[1:])

    for name, module in network.named_modules():
        module.register_forward_hook(lambda module, inputs, output, name=name: note(name, output))
    network(x)
    return seen


# -- published sizes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "params", "count"),
    [
        ("off_apexnet", {}, 2_664_475),  # "2.66M" where others count it
        ("dual_inception", {}, 6_449_867),  # "6.45M"
        ("rcn", {}, 15_235),
        ("rcn", {"wide": True}, 13_731),
        ("featref", {}, 10_384_334),
        ("featref", {"fusion": "concatenate"}, 10_385_870),
    ],
)
def test_parameters_at_published_sizes(name, params, count):
    with torch.device("meta"):
        assert count_parameters(build(name, **params)) == count


def test_parameters_of_off_apexnet_by_hand():
    stream = (5 * 5 * 1 * 6 + 6) + (5 * 5 * 6 * 16 + 16)
    dense = (2 * 16 * 7 * 7 + 1) * 1024 + (1024 + 1) * 1024 + (1024 + 1) * 3
    with torch.device("meta"):
        assert count_parameters(OffApexNet()) == 2 * stream + dense


def test_stages_of_off_apexnet():
    shapes = sizes_of(OffApexNet(), maps())
    assert [shapes[f"streams.0.{i}"] for i in (0, 2, 3, 5)] == [(6, 28, 28), (6, 14, 14), (16, 14, 14), (16, 7, 7)]
    assert shapes["maps"] == (32, 7, 7)
    assert [shapes[f"head.{i}"] for i in (0, 3, 6)] == [(1024,), (1024,), (3,)]


def test_stages_of_dual_inception():
    shapes = sizes_of(DualInception(), maps())
    assert shapes["maps.streams.0.0"] == (24, 14, 14)
    assert shapes["maps.streams.1.1"] == (64, 7, 7)
    assert shapes["maps"] == (128, 7, 7)
    assert shapes["head.0"] == (1024,)


@pytest.mark.parametrize(
    ("wide", "entry", "after"), [(False, (32, 12, 12), (32, 6, 6)), (True, (32, 10, 10), (32, 5, 5))]
)
def test_stages_of_rcn(wide, entry, after):
    shapes = sizes_of(RCN(wide=wide), maps())
    assert shapes["entry"] == entry
    assert shapes["recurrent"] == after


# -- streams --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TWO_STREAMS)
def test_streams_read_the_channels_they_are_told(name):
    """By default strain changes nothing; with a third stream it does."""
    x, strained = maps(), maps()
    strained[:, 2] += 5
    two, three = build(name, **SMALL).eval(), build(name, channels=(0, 1, 2), **SMALL).eval()
    assert torch.equal(two(x), two(strained))
    assert not torch.allclose(three(x), three(strained))


@pytest.mark.parametrize("name", TWO_STREAMS)
def test_a_stream_does_not_see_the_other_channel(name):
    network, x, other = build(name, **SMALL).eval(), maps(), maps()
    other[:, 1] += 1
    first, second = network.maps(joined(network, x)), network.maps(joined(network, other))
    half = first.shape[1] // 2
    assert torch.equal(first[:, :half], second[:, :half])
    assert not torch.equal(first[:, half:], second[:, half:])


def joined(network: nn.Module, x: Tensor) -> Tensor:
    """Return what `network.maps` is given: the map, but for OFF-ApexNet the joined streams."""
    if isinstance(network, OffApexNet):
        return torch.cat([stream(x[:, i : i + 1]) for i, stream in enumerate(network.streams)], dim=1)
    return x


def test_an_inception_block_is_four_ways():
    """Against the four ways written out with functional operators."""
    block, x = InceptionBlock(2, 3), torch.randn(2, 2, 8, 8)
    weights = {name: value.detach() for name, value in block.named_parameters()}

    def conv(x, name, padding=0):
        return functional.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=padding).relu()

    ways = [
        conv(x, "point.0"),
        conv(conv(x, "three.0.0"), "three.1.0", 1),
        conv(conv(x, "five.0.0"), "five.1.0", 2),
        conv(functional.max_pool2d(x, 3, 1, 1), "pooled.1.0"),
    ]
    torch.testing.assert_close(block(x), functional.max_pool2d(torch.cat(ways, 1), 2))


@pytest.mark.parametrize("side", [28, 40])
@pytest.mark.parametrize("name", [*TWO_STREAMS, "rcn"])
def test_maps_of_other_sides(name, side):
    network = build(name, image_size=side, n_classes=5, **({"width": 4} if name == "rcn" else SMALL))
    assert network.input_shape == (3, side, side)
    assert network(maps(side=side)).shape == (2, 5)


# -- RCN ------------------------------------------------------------------------------------------


def test_the_recurrent_layer_is_one_convolution_used_again():
    layer, x = RecurrentLayer(4, steps=2, shortcut=False, dropout=0.0).eval(), torch.randn(2, 4, 6, 6)
    first = layer.recurrent_conv(x + layer.forward_conv(x))
    torch.testing.assert_close(layer(x), functional.max_pool2d(layer.recurrent_conv(x + first), 2))


def test_shortcuts_add_up_all_that_was_given_before():
    layer, x = RecurrentLayer(4, steps=2, shortcut=True, dropout=0.0).eval(), torch.randn(2, 4, 6, 6)
    y = layer.forward_conv(x)
    z = layer.recurrent_conv(x + y)
    e = layer.recurrent_conv(x + y + z)
    torch.testing.assert_close(layer(x), functional.max_pool2d(layer.recurrent_conv(x + y + z + e), 2))


def test_modules_add_no_parameters():
    with torch.device("meta"):
        plain = count_parameters(RCN(attention=False))
        assert count_parameters(RCN(attention=True)) == plain
        assert count_parameters(RCN(attention=False, shortcut=True, steps=5)) == plain
        assert count_parameters(RCN(attention=False, wide=True)) < plain


@pytest.mark.parametrize("change", [{"attention": False}, {"shortcut": True}, {"steps": 3}])
def test_modules_change_the_function(change):
    first, second = RCN(width=8).eval(), RCN(width=8, **change).eval()
    second.load_state_dict(first.state_dict())
    assert not torch.allclose(first(maps()), second(maps()))


def test_attention_weighs_what_the_classifier_weighs():
    """One class, one weight that is not zero: attention lies where that channel is, before the recurrent layer."""
    network, x = RCN(n_classes=1, width=4).eval(), maps(1)
    with torch.no_grad():
        network.fc.weight.zero_()
        network.fc.weight.view(1, 4, 5, 5)[:, 2] = 1
    channel = functional.adaptive_avg_pool2d(network.entry(x), 5)[0, 2]
    expected = (channel - channel.min()) / (channel.max() - channel.min())
    image = network.attention_image(x)[0]
    torch.testing.assert_close(image[2::6, 2::6] / image.max(), expected)  # a pixel of each of the 5x5 places


def test_attention_images_sum_to_1_and_are_never_undefined():
    network = RCN(width=4).eval()
    image = network.attention_image(maps(5))
    assert image.shape == (5, 28, 28)
    assert image.min() >= 0
    torch.testing.assert_close(image.sum(dim=(1, 2)), torch.ones(5))
    with torch.no_grad():
        network.fc.weight.zero_()  # the same everywhere, which the authors' release divides by
    assert network(maps()).isfinite().all()
    assert network.attention_image(maps()).unique().numel() == 1
    with pytest.raises(ParameterError, match="attention=True"):
        RCN(width=4, attention=False).attention_image(maps())


def test_the_wide_entry_looks_ever_farther():
    """A pixel reaches the stream of dilation d only from places 0 or d away from a multiple of 3."""
    entry = WideEntry(8, dropout=0.0).eval()
    for dilation, stream in enumerate(entry.streams, start=1):
        x, touched = torch.zeros(1, 3, 28, 28), []
        base = stream(x)
        for column in range(28):
            x.zero_()[0, :, 15, column] = 100.0
            if not torch.equal(stream(x)[0, :, 5, 4], base[0, :, 5, 4]):
                touched.append(column)
        assert set(touched) <= {12 - dilation, 12, 12 + dilation}
        assert len(touched) >= 2
    assert [stream[0].out_channels for stream in entry.streams] == [4, 2, 2]


# -- FeatRef --------------------------------------------------------------------------------------


def featref(**params) -> FeatRef:
    return FeatRef(specific=8, **SMALL, **params).eval()


def test_branches_speak_for_their_own_class_alone():
    """With the classifier silenced, a branch that always says yes moves its own logit and no other."""
    network, x = featref(proposal_weight=2.0), maps()
    with torch.no_grad():
        network.fc.weight.zero_()
        network.fc.bias.zero_()
        before = network(x)
        network.branches[1].proposal.bias += 3
        torch.testing.assert_close(network(x) - before, torch.tensor([0.0, 6.0, 0.0]).expand(2, 3))
    torch.testing.assert_close(network(x) / 2, network.proposals(x).logit(), atol=1e-4, rtol=1e-4)


def test_without_proposals_only_the_classifier_speaks():
    network, x = featref(proposal_weight=0.0), maps()
    before = network(x)
    with torch.no_grad():
        network.branches[0].proposal.bias += 100
    assert torch.equal(network(x), before)


def test_attention_factors_choose_shared_features():
    """A branch whose attention is shut gives the same whatever it is shown; the others do not."""
    network = featref()
    with torch.no_grad():
        network.branches[2].attention[0].bias.fill_(-1e4)
    proposals = network.proposals(maps(4))
    assert proposals[:, 2].unique().numel() == 1
    assert proposals[:, 0].unique().numel() == 4


@pytest.mark.parametrize("fusion", ["sum", "concatenate"])
def test_fusion(fusion):
    network, x = featref(fusion=fusion, proposal_weight=0.0), maps()
    shared = network.shared(network.maps(x).flatten(1))
    features = [branch(shared)[0] for branch in network.branches]
    fused = sum(features) if fusion == "sum" else torch.cat(features, dim=1)
    torch.testing.assert_close(network(x), network.fc(fused))


# -- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "params", "parts"),
    [
        ("off_apexnet", {"image_size": 30, "hidden": 0}, ["multiple of 4", "hidden: expected at least 1"]),
        ("dual_inception", {"channels": (0, 3), "dropout": 1.0}, ["channels: expected different", "dropout: "]),
        ("dual_inception", {"filters": ()}, ["filters: expected one number >= 1"]),
        ("rcn", {"width": 2, "steps": 0, "image_size": 20}, ["width: ", "steps: ", "image_size: "]),
        ("rcn", {"layers": 4}, ["layers: expected at most 3 on 28 pixels"]),
        ("featref", {"specific": 0, "proposal_weight": -1.0}, ["specific: ", "proposal_weight: expected at least 0"]),
        ("featref", {"fusion": "product"}, ["fusion: "]),
    ],
)
def test_all_faults_are_named(name, params, parts):
    with pytest.raises(ParameterError) as caught:
        build(name, **params)
    for part in parts:
        assert part in str(caught.value)
