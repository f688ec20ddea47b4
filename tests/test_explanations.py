"""Explanations against networks and predictors whose reasons are known."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mer_lib.errors import ParameterError
from mer_lib.explanations import attention_image, capsule_reading, capsule_votes, grad_cam, occlusion, strips
from mer_lib.explanations import region_weights as weights_of_regions
from mer_lib.models import REGISTRY, build

WEIGHTS = torch.tensor([[1.0, -2.0, 0.5], [-1.0, 1.0, 3.0]])


class Pooled(nn.Module):
    """Channels as they are, their means, one linear layer: what speaks for a class can be told without a computer."""

    cam_layer = "maps"

    def __init__(self) -> None:
        super().__init__()
        self.maps, self.act, self.fc = nn.Identity(), nn.ReLU(inplace=True), nn.Linear(3, 2, bias=False)
        self.dropout = nn.Dropout(0.9)
        self.fc.weight.data = WEIGHTS.clone()

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.dropout(self.act(self.maps(x.clone()))).mean(dim=(2, 3)))


class PerFrame(nn.Module):
    """The same for each frame of a sequence, and the mean over frames."""

    cam_layer = "one.maps"

    def __init__(self) -> None:
        super().__init__()
        self.one = Pooled()

    def forward(self, x: Tensor) -> Tensor:
        return self.one(x.flatten(0, 1)).unflatten(0, x.shape[:2]).mean(dim=1)


def positive(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0)) + 0.1


def expected(x: Tensor, target: int) -> np.ndarray:
    """Grad-CAM of positive maps under global pooling: the maps weighed by the class's weights, cut off at 0."""
    raw = np.maximum(np.einsum("k,nkhw->nhw", WEIGHTS[target].numpy(), x.numpy()), 0)
    most = raw.max(axis=(1, 2), keepdims=True)
    return raw / np.where(most > 0, most, 1)


# Grad-CAM


@pytest.mark.parametrize("target", [0, 1])
def test_grad_cam_weighs_the_maps_as_the_class_does(target: int) -> None:
    x = positive(4, 3, 5, 7)
    np.testing.assert_allclose(grad_cam(Pooled(), x, target), expected(x, target), atol=1e-5)


def test_each_sample_may_have_its_own_class_and_has_the_predicted_one_otherwise() -> None:
    x = positive(4, 3, 5, 7)
    mixed = grad_cam(Pooled(), x, np.array([0, 1, 1, 0]))
    np.testing.assert_array_equal(mixed[[0, 3]], grad_cam(Pooled(), x, 0)[[0, 3]])
    np.testing.assert_array_equal(mixed[[1, 2]], grad_cam(Pooled(), x, 1)[[1, 2]])
    predicted = Pooled().eval()(x).argmax(1).numpy()
    np.testing.assert_array_equal(grad_cam(Pooled(), x), grad_cam(Pooled(), x, predicted))


def test_a_class_that_nothing_speaks_for_has_an_empty_map() -> None:
    x = torch.zeros(1, 3, 5, 5)
    x[:, 1] = 1.0  # the second channel speaks against class 0
    assert grad_cam(Pooled(), x, 0).max() == 0


def test_a_coarse_layer_is_enlarged_to_the_input() -> None:
    network = nn.Sequential(nn.AvgPool2d(4), nn.Identity(), nn.Flatten(), nn.Linear(3 * 4, 2))
    found = grad_cam(network, positive(2, 3, 8, 8), layer="1")
    assert (found.shape, found.dtype) == ((2, 8, 8), np.float32)


def test_sequences_have_a_map_for_each_frame() -> None:
    x = positive(2, 4, 3, 5, 5)
    found = grad_cam(PerFrame(), x, 1)
    assert found.shape == (2, 4, 5, 5)
    raw = np.maximum(np.einsum("k,ntkhw->nthw", WEIGHTS[1].numpy(), x.numpy()), 0)
    np.testing.assert_allclose(found, raw / raw.max(axis=(1, 2, 3), keepdims=True), atol=1e-5)


def test_the_network_is_left_as_it_was() -> None:
    network = Pooled().train()
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    before = [grad_cam(network, positive(2, 3, 5, 5), 0) for _ in range(2)]
    np.testing.assert_array_equal(*before)  # dropout is off
    assert network.training
    assert not network.maps._forward_hooks
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("nowhere", "layer: expected the name of a module of Pooled, such as .*fc.*, got 'nowhere'"),
        ("", "expected the name of a module|expected one output"),
        ("fc", r"layer 'fc': expected one output \(n, channels, rows, columns\), got \[\(2, 2\)\]"),
    ],
)
def test_a_layer_that_cannot_be_read_is_named(layer: str, message: str) -> None:
    network = Pooled()
    if layer == "":
        network.cam_layer = ""
    with pytest.raises(ParameterError, match=message):
        grad_cam(network, positive(2, 3, 5, 5), 0, layer or None)
    assert not network.fc._forward_hooks


@pytest.mark.parametrize("name", REGISTRY)
def test_every_network_that_names_a_layer_has_maps_of_the_inputs_size(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = build(name, **REGISTRY[name].small)
    if not hasattr(network, "cam_layer"):
        pytest.skip(f"{name} names no layer")
    x = torch.randn(2, *network.input_shape, generator=torch.Generator().manual_seed(1))
    found = np.stack([grad_cam(network, x, target) for target in range(3)])
    assert found.shape[-2:] == x.shape[-2:]
    assert found.min() >= 0
    assert found.max() == pytest.approx(1)


# Occlusion


def linear(weights: np.ndarray) -> Any:
    """A predictor whose probability of class 1 is a weighted sum of the input."""

    def predict(X: np.ndarray) -> np.ndarray:
        share = (X * weights).reshape(len(X), -1).sum(axis=1)
        return np.stack([1 - share, share], axis=1)

    return predict


def weights(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).uniform(-1, 1, shape) / 100


def falls_by_hand(X: np.ndarray, w: np.ndarray, size: int, stride: int, fill: float) -> np.ndarray:
    rows, columns = X.shape[-2:]
    starts = [sorted({*range(0, n - size + 1, stride), n - size}) for n in (rows, columns)]
    out = np.zeros((len(X), rows, columns))
    for n, i, j in np.ndindex(out.shape):
        squares = [(a, b) for a in starts[0] for b in starts[1] if a <= i < a + size and b <= j < b + size]
        lost = [((X[n] - fill) * w)[:, a : a + size, b : b + size].sum() for a, b in squares]
        out[n, i, j] = np.mean(lost)
    return out


@pytest.mark.parametrize(("size", "stride"), [(1, 1), (3, 2), (4, 3), (6, 6)])
def test_the_fall_of_a_linear_predictor_is_what_was_covered(size: int, stride: int) -> None:
    X, w = np.random.default_rng(0).uniform(0, 1, (2, 3, 6, 8)), weights(3, 6, 8)
    found = occlusion(linear(w), X, 1, size=size, stride=stride, fill=0.25)
    np.testing.assert_allclose(found, falls_by_hand(X, w, size, stride, 0.25), atol=1e-6)
    np.testing.assert_allclose(occlusion(linear(w), X, 0, size=size, stride=stride, fill=0.25), -found, atol=1e-6)


def test_the_mean_of_each_channel_covers_where_no_fill_is_given() -> None:
    X, w = np.random.default_rng(0).uniform(0, 1, (2, 3, 6, 6)), weights(3, 6, 6)
    kept = X.copy()
    found = occlusion(linear(w), X, 1, size=6, stride=6)
    np.testing.assert_allclose(found[:, 0, 0], ((X - X.mean(axis=(2, 3), keepdims=True)) * w).sum((1, 2, 3)), atol=1e-6)
    np.testing.assert_array_equal(X, kept)


def test_all_views_and_frames_are_covered_at_once() -> None:
    X, w = np.random.default_rng(0).uniform(0, 1, (2, 5, 4, 3, 6, 6)), weights(5, 4, 3, 6, 6)
    found = occlusion(linear(w), X, 1, size=3, stride=3, fill=0)
    np.testing.assert_allclose(found[:, 0, 0], (X * w)[..., :3, :3].sum(axis=(1, 2, 3, 4, 5)), atol=1e-6)


def test_rows_columns_and_frames_are_covered_one_by_one() -> None:
    X, w = np.random.default_rng(0).uniform(0, 1, (2, 4, 3, 6, 5)), weights(4, 3, 6, 5)
    lost = X * w
    np.testing.assert_allclose(strips(linear(w), X, 1, fill=0), lost.sum(axis=(1, 2, 4)), atol=1e-6)
    np.testing.assert_allclose(strips(linear(w), X, 1, axis="columns", fill=0), lost.sum(axis=(1, 2, 3)), atol=1e-6)
    np.testing.assert_allclose(strips(linear(w), X, 1, axis="frames", fill=0), lost.sum(axis=(2, 3, 4)), atol=1e-6)
    wide = strips(linear(w), X, 1, width=3, fill=0)
    np.testing.assert_allclose(wide[:, 0], lost[..., :2, :].sum(axis=(1, 2, 3, 4)), atol=1e-6)
    np.testing.assert_allclose(wide[:, 2], lost[..., 1:4, :].sum(axis=(1, 2, 3, 4)), atol=1e-6)


def test_regions_of_angle_images_are_rows_in_every_window() -> None:
    X, w = np.random.default_rng(0).uniform(0, 1, (2, 5, 3, 42, 8)), np.zeros((5, 3, 42, 8))
    w[..., 7, :] = 0.01
    found = weights_of_regions(linear(w), X, 1, fill=0)
    assert found.shape == (2, 42)
    assert found.argmax(axis=1).tolist() == [7, 7]
    assert np.count_nonzero(np.abs(found) > 1e-9) == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p, X: occlusion(p, X, 1, size=9, stride=1), "expected 1 <= stride <= size <= 6"),
        (lambda p, X: occlusion(p, X, 1, size=2, stride=3), "expected 1 <= stride <= size <= 6"),
        (lambda p, X: occlusion(p, X, 2, size=2, stride=2), "target: expected class numbers 0 to 1, got 2"),
        (lambda p, X: strips(p, X, 1, axis="frames"), r"an axis of rows, columns, frames that X of shape \(2, 3, 6, 6"),
        (lambda p, X: strips(p, X, 1, width=2), "an odd width, got 'rows' and 2"),
    ],
)
def test_what_cannot_be_covered_is_named(call: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        call(linear(weights(3, 6, 6)), np.ones((2, 3, 6, 6)))


# Attention and capsules


def test_attention_is_given_as_a_share_of_an_even_one() -> None:
    network = build("htnet", patch_size=1, dim=8, heads=2, layers=(1, 1, 1)).train()
    x = torch.randn(2, 3, 28, 28)
    found = attention_image(network, x)
    assert network.training
    np.testing.assert_allclose(found.mean(axis=(1, 2)), 1, rtol=1e-5)
    np.testing.assert_allclose(found, network.attention_image(x).numpy() * 28 * 28, rtol=1e-4)


class Reading(NamedTuple):
    lengths: Tensor
    votes: Tensor


class Votes(nn.Module):
    """Capsules that say what they were told."""

    def __init__(self, votes: Tensor) -> None:
        super().__init__()
        self.votes = votes

    def read(self, x: Tensor) -> Reading:
        return Reading(torch.tensor([[0.2, 0.9], [0.8, 0.1]]), self.votes)


def test_votes_of_capsules_are_enlarged_and_keep_their_sign() -> None:
    votes = torch.zeros(2, 2, 2, 2)
    votes[0, 1, 0, 0], votes[0, 1, 1, 1] = 4.0, -2.0
    votes[1, 0, 0, 1] = 1.0
    x = torch.zeros(2, 3, 8, 8)
    found = capsule_votes(Votes(votes), x)
    assert found.shape == (2, 8, 8)
    assert found[0, 0, 0] == pytest.approx(1)
    assert found[0, -1, -1] == pytest.approx(-0.5)
    assert found[1, 0, -1] == pytest.approx(1)
    assert capsule_votes(Votes(votes), x, target=0)[0].max() == 0
    assert capsule_reading(Votes(votes), x).lengths.shape == (2, 2)


def test_networks_without_attention_or_capsules_are_named() -> None:
    for ask, method in ((attention_image, "attention_image"), (capsule_votes, "read")):
        with pytest.raises(ParameterError, match=f"expected a network with a method '{method}', Pooled has none"):
            ask(Pooled(), torch.zeros(1, 3, 5, 5))
