"""CapsuleNet against the published sizes, a loop over single capsules, and what its readings must add up to."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torchvision.models import resnet18, vgg11

from mer_lib.errors import ParameterError
from mer_lib.models import build, count_parameters
from mer_lib.models.blocks_capsules import ClassCapsules, PrimaryCapsules, squash
from mer_lib.models.capsulenet import INFO, CapsuleNet


@pytest.fixture
def small() -> CapsuleNet:
    return CapsuleNet(**INFO.small).eval()


def outputs_of(network: torch.nn.Module, *names: str) -> dict[str, tuple[int, ...]]:
    """Shapes that modules put out for one image, batch left off."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name in names:
        network.get_submodule(name).register_forward_hook(
            lambda _, __, out, name=name: shapes.update({name: tuple(out.shape[1:])})
        )
    network.eval()(torch.zeros(1, *network.input_shape, device="meta"))
    return shapes


# -- sizes ------------------------------------------------------------------------------------------------------------


def test_published_sizes_with_the_residual_front():
    """Both 28x28x256 and 20x20x256 are in the paper; a convolution that it does not mention lies between them."""
    with torch.device("meta"):
        network = CapsuleNet()
    parts = {
        "front.layer1": 147_968,
        "front.layer2": 525_568,
        "front.layer3": 2_099_712,
        "conv": 5_308_672,
        "primary": 5_308_672,
        "classes": 442_368,
    }
    assert {name: count_parameters(network.get_submodule(name)) for name in parts} == parts
    assert count_parameters(network.front.conv1) + count_parameters(network.front.bn1) == 9_536
    assert count_parameters(network) == 13_842_496
    assert outputs_of(network, "front.relu", "front.layer1", "front.layer2", "front", "conv", "primary") == {
        "front.relu": (64, 112, 112),
        "front.layer1": (64, 112, 112),
        "front.layer2": (128, 56, 56),
        "front": (256, 28, 28),
        "conv": (256, 20, 20),
        "primary": (1152, 8),
    }
    assert network.grid == (6, 6)


def test_published_sizes_with_the_vgg_front():
    with torch.device("meta"):
        network = CapsuleNet(front="vgg11")
    assert count_parameters(network.front) == 960_896
    assert count_parameters(network) == 12_020_608
    assert outputs_of(network, "front", "primary") == {"front": (256, 28, 28), "primary": (1152, 8)}


def test_the_standard_stem_leaves_nothing_for_capsules():
    with torch.device("meta"), pytest.raises(ParameterError, match=r"14x14 cells of 224 pixels.*leave out stem_pool"):
        CapsuleNet(stem_pool=True)
    with torch.device("meta"):
        assert CapsuleNet(stem_pool=True, kernel=7).grid == (1, 1)


@pytest.mark.parametrize("front", ["resnet18", "vgg11"])
@pytest.mark.parametrize(
    ("size", "kernel", "stem_pool"), [(47, 2, False), (61, 3, False), (90, 2, True), (120, 5, False)]
)
def test_grid_is_what_the_layers_make(front, size, kernel, stem_pool):
    stem_pool = stem_pool and front == "resnet18"
    network = CapsuleNet(image_size=size, front=front, width=2, kernel=kernel, types=3, stem_pool=stem_pool).eval()
    x = network.relu(network.conv(network.front(torch.zeros(1, 3, size, size))))
    assert tuple(network.primary.conv(x).shape[2:]) == network.grid


def test_parameters_out_of_range_are_named_together():
    with pytest.raises(ParameterError) as caught:
        build("capsulenet", channels=2, iterations=0, weight_scale=0.0, front="vgg11", stem_pool=True)
    for name in ("channels: ", "iterations: ", "weight_scale: ", "stem_pool: "):
        assert name in str(caught.value)
    with pytest.raises(ParameterError, match="front: "):
        build("capsulenet", front="resnet50")
    with pytest.raises(ParameterError, match="the front makes 4x4 cells of 32 pixels"):
        build("capsulenet", image_size=32)


# -- capsules and routing ---------------------------------------------------------------------------------------------


def by_hand(vector: np.ndarray) -> np.ndarray:
    length = math.sqrt(sum(float(number) ** 2 for number in vector))
    return vector * (length**2 / (1 + length**2) / length) if length else vector


def routed_by_hand(u: np.ndarray, weight: np.ndarray, iterations: int) -> tuple[np.ndarray, np.ndarray]:
    """One sample, capsule by capsule, as the paper writes it: class capsules and coupling coefficients."""
    lower, upper = weight.shape[:2]
    said = [[weight[i, j] @ u[i] for j in range(upper)] for i in range(lower)]
    b = np.zeros((lower, upper))
    for _ in range(iterations):
        c = np.array([np.exp(row) / np.exp(row).sum() for row in b])
        v = [by_hand(sum(c[i, j] * said[i][j] for i in range(lower))) for j in range(upper)]
        b = b + np.array([[said[i][j] @ v[j] for j in range(upper)] for i in range(lower)])
    return np.array(v), c


@pytest.mark.parametrize("iterations", [1, 2, 3, 5])
def test_routing_equals_a_loop_over_capsules(iterations):
    layer = ClassCapsules(7, 3, 4, 5, iterations, "last", scale=1.0).double()
    u = torch.randn(2, 7, 4, dtype=torch.double)
    got = layer(u)
    for sample in range(2):
        expected, coupling = routed_by_hand(u[sample].numpy(), layer.weight.detach().numpy(), iterations)
        np.testing.assert_allclose(got.capsules[sample].detach(), expected, atol=1e-6)
        np.testing.assert_allclose(got.coupling[-1, sample].detach(), coupling, atol=1e-6)
    assert len(got.coupling) == iterations
    torch.testing.assert_close(got.coupling.sum(-1), torch.ones(iterations, 2, 7, dtype=torch.double))


def test_squash_keeps_the_direction_and_its_gradient_is_finite_at_zero():
    x = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.006, 0.008]], requires_grad=True)
    got = squash(x)
    torch.testing.assert_close(got[1], torch.tensor([0.6, 0.8]) * 25 / 26)
    assert got[2].norm().item() == pytest.approx(1e-4, rel=1e-2)
    got.sum().backward()
    assert torch.isfinite(x.grad).all()


def test_routing_agrees_with_the_majority():
    """Four lower capsules say the same of class 0 and contradict each other on class 1: they turn to class 0."""
    layer = ClassCapsules(4, 2, 2, 2, 3, "last", scale=1.0)
    turns = [torch.tensor([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]]) for a in (0, math.pi / 2)]
    for i in range(4):
        layer.weight.data[i, 0] = 3 * torch.eye(2)
        layer.weight.data[i, 1] = 3 * torch.linalg.matrix_power(turns[1], i)
    got = layer(torch.tensor([[[1.0, 0.0]] * 4]))
    assert (got.coupling[0] == 0.5).all()
    assert (got.coupling[-1][..., 0] > 0.9).all()
    assert got.capsules.norm(dim=-1)[0, 1] < 0.01 < 0.9 < got.capsules.norm(dim=-1)[0, 0]


def test_the_gradient_goes_through_the_last_iteration_alone_unless_asked_otherwise():
    layer = {g: ClassCapsules(6, 3, 4, 5, 3, g, scale=1.0).double() for g in ("last", "all")}
    layer["all"].load_state_dict(layer["last"].state_dict())
    u = torch.randn(1, 6, 4, dtype=torch.double)
    wanted = torch.randn(1, 3, 5, dtype=torch.double)
    for each in layer.values():
        (each(u).capsules * wanted).sum().backward()
    # With the coupling held fixed, the last iteration is a plain weighted sum.
    fixed = layer["last"](u).coupling[-1].detach()
    weight = layer["last"].weight.detach().clone().requires_grad_()
    sums = torch.einsum("bio,iode,bie->bod", fixed, weight, u)
    (squash(sums) * wanted).sum().backward()
    torch.testing.assert_close(layer["last"].weight.grad, weight.grad)
    assert not torch.allclose(layer["all"].weight.grad, weight.grad, rtol=1e-3)


def test_primary_capsules_are_squashed_channels_of_one_place():
    layer = PrimaryCapsules(5, types=3, dim=4, kernel=2).double()
    x = torch.randn(2, 5, 6, 6, dtype=torch.double)
    convolved, got = layer.conv(x), layer(x)
    assert got.shape == (2, 3 * 3 * 3, 4)
    expected = by_hand(convolved[1, 4:8, 2, 1].detach().numpy())  # type 1, row 2, column 1
    np.testing.assert_allclose(got[1, 1 * 9 + 2 * 3 + 1].detach(), expected, atol=1e-6)


# -- readings ---------------------------------------------------------------------------------------------------------


def test_a_reading_adds_up(small):
    x = torch.rand(3, *small.input_shape)
    reading = small.read(x)
    torch.testing.assert_close(reading.lengths, small(x).detach())
    torch.testing.assert_close(reading.capsules.norm(dim=-1), reading.lengths)
    assert reading.routing.shape == (3, 3, 4, *small.grid, 3)
    torch.testing.assert_close(reading.routing.sum(-1), torch.ones(3, 3, 4, *small.grid))
    assert (reading.routing[0] == reading.routing[0].flatten()[0]).all()
    # Squashing takes the sum of votes x to x^2 / (1 + x^2).
    total = reading.votes.sum(dim=(2, 3))
    torch.testing.assert_close(total**2 / (1 + total**2), reading.lengths)
    assert ((reading.primary >= 0) & (reading.primary < 1)).all()


def test_a_vote_is_of_its_place(small):
    """Without what a corner of the grid says, its vote is gone, and the others stay."""
    single = CapsuleNet(**INFO.small, iterations=1).eval()
    x = torch.rand(1, *single.input_shape)
    before = single.read(x)
    places = single.grid[0] * single.grid[1]
    single.classes.weight.data.unflatten(0, (single.types, places))[:, 0] = 0
    after = single.read(x)
    assert (after.votes[..., 0, 0] == 0).all()
    assert before.votes[..., 0, 0].abs().min() > 0


def test_one_iteration_weighs_all_alike():
    network = CapsuleNet(**INFO.small, iterations=1, n_classes=4).eval()
    assert (network.read(torch.rand(2, *network.input_shape)).routing == 0.25).all()


# -- weights of ImageNet ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("front", "theirs"), [("resnet18", resnet18), ("vgg11", vgg11)])
def test_imagenet_weights_fill_the_whole_front(front, theirs):
    """A front with loaded weights puts out what torchvision's network has at that depth."""
    with torch.device("meta"):
        source = theirs(weights=None)
    state = {name: 0.1 * torch.randn(t.shape) for name, t in source.state_dict().items() if _in_front(name)}
    state = {name: t.abs() + 0.5 if "running_var" in name else t for name, t in state.items()}
    network = CapsuleNet(front=front, kernel=2, image_size=48, types=2).eval()
    assert network.backbone() == front
    loaded = network.load_imagenet(state)
    assert set(loaded) == {f"front.{name}" for name, _ in network.front.named_parameters()}
    source.to_empty(device="cpu").eval().load_state_dict(state, strict=False)
    x = torch.rand(1, 3, 48, 48)
    if front == "vgg11":
        expected = source.features[:11](x)
    else:
        expected = source.layer3(source.layer2(source.layer1(source.relu(source.bn1(source.conv1(x))))))
    torch.testing.assert_close(network.front(x), expected)


def _in_front(name: str) -> bool:
    return (
        name.startswith(("conv1", "bn1", "layer1", "layer2", "layer3", "features."))
        and int(name.split(".")[1] if name.startswith("features.") else 0) < 11
    )


def test_what_does_not_fit_is_not_loaded():
    grey = CapsuleNet(channels=1, kernel=2, image_size=48, types=2)
    with torch.device("meta"):
        shapes = resnet18(weights=None).state_dict()
    loaded = grey.load_imagenet({name: torch.zeros(t.shape) for name, t in shapes.items() if _in_front(name)})
    assert "front.conv1.weight" not in loaded
    assert "front.layer3.1.conv2.weight" in loaded
    assert grey.front.conv1.weight.abs().sum() > 0
    narrow = CapsuleNet(**INFO.small)
    assert narrow.load_imagenet({name: torch.zeros(t.shape) for name, t in shapes.items() if _in_front(name)}) == []
