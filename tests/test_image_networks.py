"""Networks on pictures: torchvision's own as the judge of five of them, and what attention of the sixth does."""

from __future__ import annotations

import pytest
import torch
import torchvision

from mer_lib.errors import ParameterError
from mer_lib.models import REGISTRY, build, count_parameters
from mer_lib.models.micro_attention import MicroAttention, MicroAttentionBlock
from mer_lib.models.torchvision_networks import INFOS

NAMES = [info.name for info in INFOS]
OPTIONS = {"googlenet": {"aux_logits": False, "init_weights": False, "transform_input": False}}


def theirs(name: str, **options) -> torch.nn.Module:
    return getattr(torchvision.models, name)(weights=None, **OPTIONS.get(name, {}), **options)


@pytest.mark.parametrize("name", NAMES)
def test_layers_are_torchvisions_by_name_and_shape(name):
    with torch.device("meta"):
        expected, ours = theirs(name), build(name, n_classes=1000)
    shapes = [{key: tuple(t.shape) for key, t in net.state_dict().items()} for net in (ours, expected)]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("alexnet", 57_016_131),
        ("googlenet", 5_602_979),
        ("vgg11", 128_778_627),
        ("vgg16", 134_272_835),
        ("resnet18", 11_178_051),
    ],
)
def test_parameters_with_three_classes(name, count):
    """The published count with 1000 classes, less 997 rows of the last layer."""
    with torch.device("meta"):
        assert count_parameters(build(name)) == count


@pytest.mark.parametrize("name", ["googlenet", "resnet18"])
def test_with_its_weights_it_computes_what_torchvision_computes(name):
    expected, ours = theirs(name, num_classes=7).eval(), build(name, n_classes=7).eval()
    loaded = ours.load_imagenet(expected.state_dict())
    assert loaded == [key for key, _ in ours.named_parameters()]
    x = torch.rand(2, 3, 96, 96)
    torch.testing.assert_close(ours(x), expected(x))
    assert ours.backbone() == name


@pytest.mark.parametrize("name", ["alexnet", "vgg11", "vgg16"])
def test_layers_without_weights_of_shape_are_torchvisions_too(name):
    """What shapes cannot tell: strides, poolings, and where dropout stands."""
    with torch.device("meta"):
        ours, expected = build(name), theirs(name)
    plain = [
        [repr(layer) for layer in net.modules() if isinstance(layer, (torch.nn.MaxPool2d, torch.nn.Conv2d))]
        for net in (ours, expected)
    ]
    assert plain[0] == plain[1]
    order = [[type(layer).__name__ for layer in net.classifier] for net in (ours, expected)]
    assert order[0] == order[1]


@pytest.mark.parametrize("name", NAMES)
def test_weights_of_another_last_layer_are_left_out(name):
    small = build(name, **{**REGISTRY[name].small, "n_classes": 4})
    state = {key: torch.zeros_like(t) for key, t in build(name, **REGISTRY[name].small).state_dict().items()}
    loaded = small.load_imagenet(state)
    last = [key for key, _ in small.named_parameters()][-2:]
    assert set(dict(small.named_parameters())) - set(loaded) == set(last)


@pytest.mark.parametrize("name", NAMES)
def test_sizes_grow_with_the_width(name):
    with torch.device("meta"):
        half, full = (count_parameters(build(name, width=width)) for width in (32, 64))
    assert full / half == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("name", [*NAMES, "micro_attention"])
def test_parameters_out_of_range_are_named_together(name):
    with pytest.raises(ParameterError) as caught:
        build(name, channels=2, width=0, image_size=8)
    for part in ("channels: ", "image_size: ", "width: "):
        assert part in str(caught.value)


@pytest.mark.parametrize("name", ["resnet18", "googlenet", "micro_attention"])
def test_the_smallest_size_still_trains_on_one_sample(name):
    smallest = {"resnet18": 33, "googlenet": 47, "micro_attention": 33}[name]
    options = {**REGISTRY[name].small, "image_size": smallest}
    network = build(name, **options).train()
    assert network(torch.rand(1, 3, smallest, smallest)).shape == (1, 3)
    with pytest.raises(ParameterError, match="image_size"):
        build(name, **{**options, "image_size": smallest - 1})


# -- micro-attention --------------------------------------------------------------------------------------------------


def test_attention_costs_two_numbers_a_channel_and_one():
    with torch.device("meta"):
        plain, attentive = (count_parameters(MicroAttention(attention=on)) for on in (False, True))
    widths = [64] * 2 + [128] * 3 + [256] * 3 + [512] * 2
    assert attentive - plain == sum(2 * width + 1 for width in widths)
    assert len(widths) == 10


def test_attention_raises_what_is_added_to_the_shortcut_place_by_place():
    block = MicroAttentionBlock(4, 4, stride=1, attention=True).eval()
    x, record = torch.rand(2, 4, 6, 6), []
    got = block(x, record)
    small = block.bn1(block.conv1(x)).relu()
    added = block.bn2(block.conv2(small))
    score = torch.einsum("c,bchw->bhw", block.attend.weight[0, :, 0, 0], torch.cat([small, added], 1))
    expected = torch.sigmoid(score + block.attend.bias)[:, None]
    torch.testing.assert_close(record[0], expected)
    torch.testing.assert_close(got, (x + added * (1 + expected)).relu())


def test_attention_image_shows_where_attention_is():
    network = MicroAttention(image_size=64, width=4, blocks=(1, 1)).eval()
    for block in network.blocks:
        block.attend.weight.data.zero_()
        block.attend.bias.data.fill_(0.0)
    x = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(network.attention_image(x), torch.full((2, 64, 64), 0.5))
    plain = MicroAttention(image_size=64, width=4, blocks=(1, 1), attention=False)
    with pytest.raises(ParameterError, match="attention=False"):
        plain.attention_image(x)
