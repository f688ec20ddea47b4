"""What training makes smaller, and how a network's outputs are read as probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from mer_lib.errors import ParameterError

LossName = Literal["cross_entropy", "margin"]
#: What an absent class weighs in the margin loss.
ABSENT = 0.5


class MarginLoss(nn.Module):
    """Loss of capsule lengths: that of the true class above one margin, all others below another.

    .. math:: L = T_k max(0, m^+ - |v_k|)^2 + 0.5 (1 - T_k) max(0, |v_k| - m^-)^2, summed over the classes k

    >>> round(MarginLoss()(torch.tensor([[0.5, 0.2, 0.1]]), torch.tensor([0])).item(), 4)
    0.165

    Args:
        margins: above which the length of the true class is good enough, and below which those of the others are.
        weight: of each class (C,); the mean over samples is then weighted as that of the cross-entropy is.

    Source: Sabour, Frosst, Hinton, Dynamic routing between capsules, 2017, equation 4.
    """

    def __init__(self, margins: tuple[float, float] = (0.9, 0.1), weight: Tensor | None = None) -> None:
        super().__init__()
        self.upper, self.lower = margins
        self.weight = weight

    def forward(self, lengths: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of `lengths` (batch, C), 0 to 1, with the classes `targets` (batch,)."""
        true = functional.one_hot(targets, lengths.shape[1]).to(lengths.dtype)
        short = (self.upper - lengths).clamp(min=0).square()
        long = (lengths - self.lower).clamp(min=0).square()
        each = (true * short + ABSENT * (1 - true) * long).sum(1)
        if self.weight is None:
            return each.mean()
        weights = self.weight[targets]
        return (weights * each).sum() / weights.sum()


def make_loss(name: LossName, margins: tuple[float, float], weight: Tensor | None) -> nn.Module:
    """Return the loss as a function of (outputs, targets); `weight` is that of each class (C,), or None."""
    return MarginLoss(margins, weight) if name == "margin" else nn.CrossEntropyLoss(weight=weight)


def probabilities(name: LossName, outputs: Tensor) -> Tensor:
    """Return what outputs (batch, C) mean as probabilities: softmax of logits, or lengths divided by their sum.

    >>> probabilities("margin", torch.tensor([[0.75, 0.25, 0.25]]))
    tensor([[0.6000, 0.2000, 0.2000]])
    """
    return outputs / outputs.sum(1, keepdim=True).clamp(min=1e-12) if name == "margin" else outputs.softmax(1)


def balanced_weights(targets: Tensor, n_classes: int) -> Tensor:
    """Return a weight for each class (C,): n / (classes * n_class) of `targets`, as scikit-learn's "balanced".

    >>> balanced_weights(torch.tensor([0, 0, 0, 1]), 2)
    tensor([0.6667, 2.0000])
    """
    counts = torch.bincount(targets, minlength=n_classes).float()
    return len(targets) / (n_classes * counts.clamp(min=1))


def check_outputs(network: nn.Module, inputs: Tensor, classes: Sequence[int], loss: LossName) -> None:
    """Find out on one input (1, ...) whether `network` accepts it and says what the loss needs of each class.

    Raises:
        ParameterError: it does not.
    """
    name = type(network).__name__
    network.eval()
    try:
        with torch.no_grad():
            outputs = network(inputs)
    except RuntimeError as error:
        shape = ", ".join(map(str, inputs.shape[1:]))
        raise ParameterError(f"{name} does not accept inputs of shape (N, {shape}): {error}") from None
    if tuple(outputs.shape) != (1, len(classes)):
        raise ParameterError(
            f"{name}: expected {len(classes)} outputs, one for each of the classes {list(classes)}, "
            f"got {tuple(outputs.shape[1:])}"
        )
    if loss == "margin" and outputs.min() < 0:
        raise ParameterError(f"loss 'margin': expected a network that returns lengths, got {name} with outputs < 0")
