"""Networks: one file each, plain torch. `build` makes one by name.

To add a network, write its file with a `ModelInfo` called `INFO` (of several networks: a tuple `INFOS`), and add the
file's name to `FILES`.
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
    "yolo11_classifier",
    "da_crossvit",
    "off_apexnet",
    "dual_inception",
    "rcn",
    "featref",
    "capsulenet",
    "torchvision_networks",
    "micro_attention",
    "mfem_mffm",
    "cnn_lstm",
    "slstt",
)


def _infos(file: str) -> tuple[ModelInfo, ...]:
    module = import_module(f"{__name__}.{file}")
    return module.INFOS if hasattr(module, "INFOS") else (module.INFO,)


_BY_FILE = {file: _infos(file) for file in FILES}
REGISTRY: dict[str, ModelInfo] = {info.name: info for infos in _BY_FILE.values() for info in infos}
#: The file in which each network is written, without its ending.
FILE_OF: dict[str, str] = {info.name: file for file, infos in _BY_FILE.items() for info in infos}


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


def input_shape(name: str, **params: Any) -> tuple[int, ...]:
    """Return the shape of one input: (channels, rows, columns), of a sequence with frames before them.

    >>> input_shape("htnet", image_size=20, patch_size=5)
    (3, 20, 20)

    Raises:
        ParameterError: as `build` does.
    """
    return tuple(_outline(name, params).input_shape)


def backbone(name: str, **params: Any) -> str | None:
    """Return which ImageNet weights (see :mod:`.weights`) a network can start from; None where there are none.

    Raises:
        ParameterError: as `build` does.
    """
    outline = _outline(name, params)
    return outline.backbone() if hasattr(outline, "backbone") else None


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


def parameters_of(name: str, **params: Any) -> int:
    """Count the parameters that `build` would make, without making them.

    >>> parameters_of("ststnet")
    1683

    Raises:
        ParameterError: as `build` does.
    """
    return count_parameters(_outline(name, params))


def _outline(name: str, params: Mapping[str, Any]) -> Any:
    """Build on the meta device: shapes without numbers. What `build` warns of, it says when it builds."""
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build(name, **params)
