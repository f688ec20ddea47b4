"""What networks cost: weights, multiplications, and numbers that have to be kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from mer_lib.models import build, count_parameters, input_shape


def cost_table(networks: Mapping[str, tuple[str, Mapping[str, Any]]]) -> pd.DataFrame:
    """Return what one input costs each network; no number is computed, and no weight is allocated.

    >>> table = cost_table({"ResNet18": ("resnet18", {"n_classes": 1000})})
    >>> table["parameters"].item(), table["multiplications"].item()
    (11689512, 1814073344)

    Args:
        networks: registered name and parameters of each, by what it is called.

    Returns:
        Columns `network`, `input`, `parameters`, `multiplications` (each with an addition; those of convolutions and
        matrices), and `activations`: numbers that all layers without parts put out, which training has to keep.
    """
    return pd.DataFrame([_row(title, name, params) for title, (name, params) in networks.items()])


def _row(title: str, name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    shape = input_shape(name, **params)
    kept: list[int] = []
    with torch.device("meta"):
        network = build(name, **params).eval()
        for module in network.modules():
            if next(module.children(), None) is None:
                module.register_forward_hook(lambda _, __, out: kept.append(_size(out)))
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(torch.zeros(1, *shape))
    return {
        "network": title,
        "input": "x".join(map(str, shape)),
        "parameters": count_parameters(network),
        "multiplications": counter.get_total_flops() // 2,
        "activations": sum(kept),
    }


def _size(out: object) -> int:
    parts = out if isinstance(out, tuple) else (out,)
    return sum(part.numel() for part in parts if isinstance(part, Tensor))
