"""Networks: one file each, plain torch. `build` makes one by name.

To add a network, write its file with a `ModelInfo` called `INFO`, and add the file's name to `FILES`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import torch
from torch import nn

from mer_lib.errors import ParameterError
from mer_lib.models.info import ModelInfo, unknown_name

FILES = (
    "ststnet",
    "htnet",
)
REGISTRY: dict[str, ModelInfo] = {
    info.name: info for info in (import_module(f"{__name__}.{file}").INFO for file in FILES)
}


def build(name: str, **params: Any) -> nn.Module:
    """Build a network with fresh weights.

    >>> network = build("ststnet")
    >>> network(torch.zeros(2, 3, 28, 28)).shape
    torch.Size([2, 3])

    Args:
        name: a key of `REGISTRY`.
        params: of the network, see ``REGISTRY[name].schema``; lists stand for tuples.

    Raises:
        ParameterError: name or parameters are unknown, of a wrong type or out of range.
    """
    info = model_info(name)
    return info.factory(**info.complete(params))


def check_params(name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return all parameters that `build` would use, defaults filled in, without allocating weights.

    >>> check_params("ststnet", {})
    {'n_classes': 3, 'dropout': 0.5}

    Raises:
        ParameterError: as `build` does.
    """
    _outline(name, params)
    return model_info(name).complete(params)


def input_shape(name: str, **params: Any) -> tuple[int, int, int]:
    """Return (channels, rows, columns) of one input.

    >>> input_shape("htnet", image_size=20, patch_size=5)
    (3, 20, 20)

    Raises:
        ParameterError: as `build` does.
    """
    channels, rows, columns = _outline(name, params).input_shape
    return channels, rows, columns


def model_info(name: str) -> ModelInfo:
    """Return the registry's entry.

    Raises:
        ParameterError: the name is unknown.
    """
    if name not in REGISTRY:
        raise ParameterError(unknown_name("model", name, REGISTRY))
    return REGISTRY[name]


def count_parameters(module: nn.Module) -> int:
    """Count the numbers that training may change.

    >>> count_parameters(build("ststnet"))
    1683
    """
    return sum(parameter.numel() for parameter in module.parameters())


def _outline(name: str, params: Mapping[str, Any]) -> Any:
    """Build on the meta device: shapes without numbers. What `build` warns of, it says when it builds."""
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build(name, **params)
