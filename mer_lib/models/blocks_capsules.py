"""Capsules: vectors whose length says whether something is there, and routing between two layers of them."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from einops import rearrange
from torch import Tensor, nn

Gradient = Literal["last", "all"]
_TINY = 1e-8  # under the root: the length of a zero vector has no slope


def squash(x: Tensor) -> Tensor:
    """Shorten the vectors along the last axis to a length below 1, their direction kept.

    ``|x|^2 / (1 + |x|^2) * x / |x|``: a length of 1 becomes 0.5.

    >>> squash(torch.tensor([[3.0, 4.0]])).norm().item()
    0.9615384340286255

    Source: Sabour, Frosst, Hinton: Dynamic Routing Between Capsules, NeurIPS 2017, equation 1.
    """
    square = x.square().sum(dim=-1, keepdim=True)
    return square / (1 + square) * x / (square + _TINY).sqrt()


class Routed(NamedTuple):
    """What routing found out, for each iteration where it iterates.

    Attributes:
        coupling: share of each lower capsule that goes to each upper one, (iterations, batch, lower, upper); the last
            axis sums to 1.
        predictions: what each lower capsule says each upper one is, (batch, lower, upper, dim).
        sums: upper capsules before they are squashed, (batch, upper, dim).
        capsules: upper capsules, (batch, upper, dim), of length 0 to 1.
    """

    coupling: Tensor
    predictions: Tensor
    sums: Tensor
    capsules: Tensor

    @property
    def votes(self) -> Tensor:
        """How much each lower capsule adds to the length of each sum, (batch, lower, upper).

        ``c_ij u_j|i . x_j / |x_j|``; over the lower capsules they sum to ``|x_j|``.
        """
        direction = self.sums / (self.sums.square().sum(dim=-1, keepdim=True) + _TINY).sqrt()
        return self.coupling[-1] * torch.einsum("biod,bod->bio", self.predictions, direction)


class PrimaryCapsules(nn.Module):
    """A strided convolution whose channels are cut into capsules: one of each type at each place.

    Args:
        inputs: channels of the map.
        types: capsules at each place.
        dim: numbers in a capsule.
        kernel: side of the convolution.
        stride: of the convolution.
    """

    def __init__(self, inputs: int, types: int, dim: int, kernel: int, stride: int = 2) -> None:
        super().__init__()
        self.types = types
        self.conv = nn.Conv2d(inputs, types * dim, kernel, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, inputs, rows, columns) to capsules (batch, types * rows' * columns', dim), type by type."""
        x = rearrange(self.conv(x), "b (t d) h w -> b (t h w) d", t=self.types)
        return squash(x)


class ClassCapsules(nn.Module):
    """One capsule a class, to which lower capsules are routed by agreement.

    Every pair of a lower and an upper capsule has a matrix of its own; none is shared between places.

    Args:
        lower: number of lower capsules.
        upper: number of classes.
        lower_dim: numbers in a lower capsule.
        dim: numbers in a class capsule.
        iterations: of routing; 1 weighs all pairs alike.
        gradient: "last" lets the gradient through the last iteration alone, "all" through every one.
        scale: standard deviation of the matrices at the start.

    Source: Sabour, Frosst, Hinton, NeurIPS 2017, equations 1 to 3 and procedure 1.
    """

    def __init__(
        self, lower: int, upper: int, lower_dim: int, dim: int, iterations: int, gradient: Gradient, scale: float
    ) -> None:
        super().__init__()
        self.iterations = iterations
        self.gradient = gradient
        self.weight = nn.Parameter(scale * torch.randn(lower, upper, dim, lower_dim))

    def forward(self, u: Tensor) -> Routed:
        """Route lower capsules (batch, lower, lower_dim)."""
        predictions = torch.einsum("iode,bie->biod", self.weight, u)
        seen = predictions.detach() if self.gradient == "last" else predictions
        agreement = torch.zeros_like(predictions[..., 0])  # b_ij
        coupling = [agreement.softmax(dim=-1)]  # over the upper capsules
        for _ in range(self.iterations - 1):
            capsules = squash(_mixed(coupling[-1], seen))
            agreement = agreement + torch.einsum("biod,bod->bio", seen, capsules)
            coupling.append(agreement.softmax(dim=-1))
        sums = _mixed(coupling[-1], predictions)
        return Routed(torch.stack(coupling), predictions, sums, squash(sums))


def _mixed(coupling: Tensor, predictions: Tensor) -> Tensor:
    return torch.einsum("bio,biod->bod", coupling, predictions)
