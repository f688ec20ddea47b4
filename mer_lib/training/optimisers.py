"""Optimisers by name, and the learning rate of each epoch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import nn

OptimiserName = Literal["adam", "adamw", "sgd"]
Schedule = Literal["constant", "exponential", "cosine"]


def make_optimiser(
    name: OptimiserName,
    parameters: Iterable[nn.Parameter],
    *,
    learning_rate: float,
    weight_decay: float,
    momentum: float,
    betas: tuple[float, float],
) -> torch.optim.Optimizer:
    """Return an optimiser of `parameters`: `momentum` is that of "sgd", `betas` are those of "adam" and "adamw"."""
    shared: dict[str, Any] = {"lr": learning_rate, "weight_decay": weight_decay, "fused": True}
    if name == "sgd":
        return torch.optim.SGD(parameters, momentum=momentum, **shared)
    kind = torch.optim.Adam if name == "adam" else torch.optim.AdamW
    return kind(parameters, betas=betas, **shared)


def rate(schedule: Schedule, first: float, epoch: int, epochs: int, gamma: float) -> float:
    """Return the learning rate of one epoch, counted from 0.

    "cosine" falls along half a wave and would reach 0 in the epoch after the last one.

    >>> [rate("exponential", 1.0, epoch, 3, gamma=0.5) for epoch in range(3)]
    [1.0, 0.5, 0.25]
    >>> [round(rate("cosine", 1.0, epoch, 4, gamma=0.5), 3) for epoch in range(4)]
    [1.0, 0.854, 0.5, 0.146]
    """
    if schedule == "exponential":
        return first * gamma**epoch
    if schedule == "cosine":
        return first * (1 + math.cos(math.pi * epoch / epochs)) / 2
    return first


def set_rate(optimiser: torch.optim.Optimizer, value: float) -> None:
    """Train on with another learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = value
