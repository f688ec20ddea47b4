"""Where training starts: random weights, or those of ImageNet, some of which may be kept as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from mer_lib.errors import ParameterError
from mer_lib.models import weights
from mer_lib.models.weights import How


def start(network: nn.Module, how: How, freeze: Sequence[str] = ()) -> str:
    """Load what training starts from into `network`, freeze what is to be kept of it, and say in words what it is.

    Args:
        network: with random weights; one that can start from ImageNet has `backbone` and `load_imagenet`.
        how: see :func:`mer_lib.models.weights.resolve`.
        freeze: names or beginnings of names of loaded parameters that training does not change. The running statistics
            of a batch normalisation are no parameters and go on. Nothing is frozen where weights are random.

    Raises:
        ParameterError: the network cannot start from ImageNet, or nothing that was loaded has a name to `freeze`.
        DataError: "imagenet" was asked for, and the weights cannot be had.
    """
    if how == "random":
        return weights.told(None, how)
    if not hasattr(network, "backbone"):
        kind = type(network).__name__
        raise ParameterError(f"weights: expected 'random' for {kind}, which has no ImageNet front end, got {how!r}")
    starting: Any = network
    found = weights.resolve(starting.backbone(), how)
    if found is not None:
        _freeze(network, starting.load_imagenet(found.load()), freeze)
    return weights.told(starting.backbone(), how)


def _freeze(network: nn.Module, loaded: Sequence[str], freeze: Sequence[str]) -> None:
    parameters = {name: parameter for name, parameter in network.named_parameters() if name in set(loaded)}
    missing = [prefix for prefix in freeze if not any(name.startswith(prefix) for name in parameters)]
    if missing:
        raise ParameterError(
            f"freeze: expected beginnings of names of loaded parameters, such as {', '.join(list(parameters)[:3])}; "
            f"none begins with {', '.join(missing)}"
        )
    for name, parameter in parameters.items():
        parameter.requires_grad_(not name.startswith(tuple(freeze)))
