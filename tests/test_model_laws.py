"""What holds for every network of the registry: shapes, single samples, gradients, learning, keeping."""

from __future__ import annotations

import fnmatch
import io
import warnings

import pytest
import torch
from pydantic import TypeAdapter
from torch import Tensor, nn

from mer_lib import models
from mer_lib.features import Recipe
from mer_lib.models import build, input_shape, parameters_of
from mer_lib.models.htnet import SingleTokenWarning
from mer_lib.training.losses import make_loss

NAMES = tuple(models.REGISTRY)
pytestmark = pytest.mark.filterwarnings(f"ignore::{SingleTokenWarning.__module__}.SingleTokenWarning")


def small(name: str, n_classes: int = 3) -> nn.Module:
    """A network that is small enough for a test, without dropout, the same at every call."""
    info = models.REGISTRY[name]
    still = {key: 0.0 for key in info.schema.model_fields if "dropout" in key}
    torch.manual_seed(0)
    return build(name, **{**info.small, **still, "n_classes": n_classes})


def inputs(network: nn.Module, n: int) -> Tensor:
    """Standardised inputs that no two of which are alike."""
    return torch.randn(n, *network.input_shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", NAMES)
def test_it_takes_what_its_papers_recipe_makes(name: str) -> None:
    info = models.REGISTRY[name]
    recipe = TypeAdapter(Recipe).validate_python(dict(info.recipe))
    assert tuple(recipe.sample_shape) == input_shape(name)
    assert parameters_of(name, **info.small) < 2_500_000
    assert info.title
    assert ":" in info.paper
    assert not info.url or info.url.startswith("https://")


@pytest.mark.parametrize("name", NAMES)
def test_one_score_a_class_whatever_the_batch(name: str) -> None:
    network = small(name, n_classes=5).train()
    x = inputs(network, 3)
    with torch.no_grad():
        for _ in range(20):  # the running statistics of fresh normalisations would make all outputs alike
            network(x)
        network.eval()
        together, alone = network(x), torch.cat([network(one[None]) for one in x])
    assert together.shape == (3, 5)
    assert torch.allclose(together, alone, atol=1e-4)
    assert not torch.equal(together[0], together[1])


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_trained_on_a_batch_of_one(name: str) -> None:
    network = small(name).train()
    loss_of(network, name)(network(inputs(network, 1)), torch.tensor([1])).backward()
    assert all(parameter.grad is None or parameter.grad.isfinite().all() for parameter in network.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_gradients_reach_every_parameter_that_should_learn(name: str) -> None:
    network = small(name).train().double()
    loss_of(network, name)(network(inputs(network, 8).double()), torch.arange(8) % 3).backward()
    still = {key for key, p in network.named_parameters() if p.grad is None or p.grad.abs().max() < 1e-14}
    silent = models.REGISTRY[name].silent
    expected = {key for key, _ in network.named_parameters() if any(fnmatch.fnmatch(key, rule) for rule in silent)}
    assert still == expected
    assert all(fnmatch.filter([key for key, _ in network.named_parameters()], rule) for rule in silent)
    assert all(reason for reason in silent.values())


@pytest.mark.parametrize("name", NAMES)
def test_it_learns_eight_samples_by_heart(name: str) -> None:
    network, target = small(name).train(), torch.arange(8) % 3
    x, loss = inputs(network, 8), loss_of(network, name)
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3)
    for _ in range(500):
        value = loss(network(x), target)
        if value < 0.01:
            break
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
    assert value < 0.01


@pytest.mark.parametrize("name", NAMES)
def test_what_is_saved_comes_back_with_the_same_outputs(name: str) -> None:
    network = small(name).eval()
    stream = io.BytesIO()
    torch.save(network.state_dict(), stream)
    stream.seek(0)
    again = build(name, **{**models.REGISTRY[name].small, "n_classes": 3}).eval()
    again.load_state_dict(torch.load(stream, weights_only=True))
    x = inputs(network, 2)
    with torch.no_grad():
        assert torch.equal(network(x), again(x))


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_exported_and_run_without_its_source(name: str) -> None:
    network = small(name).eval()
    x, stream = inputs(network, 2), io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of its own formats
        torch.export.save(torch.export.export(network, (x,)), stream)
        stream.seek(0)
        exported = torch.export.load(stream).module()
        assert torch.allclose(exported(x), network(x), atol=1e-6)


def loss_of(network: nn.Module, name: str) -> nn.Module:
    """The loss that the network is made for."""
    return make_loss("margin" if name == "capsulenet" else "cross_entropy", (0.9, 0.1), None)
