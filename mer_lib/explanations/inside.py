"""What networks say of themselves: where attention goes, and how capsules vote."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mer_lib.errors import ParameterError


def attention_image(network: nn.Module, inputs: Tensor) -> np.ndarray:
    """Return the attention that each pixel receives, float32 (N, H, W); 1 is an even share of it.

    Attention says what is read, not what it is read for: a place can be read and not change the prediction.

    Args:
        network: one that has a method `attention_image`, such as HTNet and DA-CrossViT.
        inputs: what the network is fed, (N, C, H, W).

    Raises:
        ParameterError: the network has no attention.
    """
    images = _enlarged(_ask(network, "attention_image", inputs), inputs)
    return (images / images.mean(dim=(1, 2), keepdim=True)).cpu().numpy()


def capsule_reading(network: nn.Module, inputs: Tensor) -> Any:
    """Return what the capsules of a network say: lengths, votes, and the routing of each iteration, as tensors.

    Args:
        network: one that has a method `read`, such as CapsuleNet; see :class:`mer_lib.models.capsulenet.CapsuleReading`
            for what comes back.
        inputs: what the network is fed, (N, C, H, W).

    Raises:
        ParameterError: the network has no capsules.
    """
    return _ask(network, "read", inputs)


def capsule_votes(network: nn.Module, inputs: Tensor, target: int | np.ndarray | None = None) -> np.ndarray:
    """Return how much each place adds to the capsule of a class, float32 (N, H, W), enlarged to the input's size.

    The largest distance from 0 in each sample is 1; below 0 a place speaks against the class.

    Args:
        network: see :func:`capsule_reading`.
        inputs: what the network is fed, (N, C, H, W).
        target: class that is explained, one for all or one each (N,); None takes the longest capsules.

    Raises:
        ParameterError: the network has no capsules.
    """
    reading = capsule_reading(network, inputs)
    chosen = reading.lengths.argmax(dim=1) if target is None else torch.as_tensor(target).expand(len(inputs)).long()
    large = _enlarged(reading.votes[torch.arange(len(inputs)), chosen], inputs)
    most = large.abs().amax(dim=(1, 2), keepdim=True).clamp(min=torch.finfo(large.dtype).tiny)
    return (large / most).cpu().numpy()


def _enlarged(maps: Tensor, inputs: Tensor) -> Tensor:
    size = tuple(inputs.shape[-2:])
    if maps.shape[-2:] == size:
        return maps
    return functional.interpolate(maps[:, None], size=size, mode="bilinear", align_corners=False)[:, 0]


def _ask(network: nn.Module, method: str, inputs: Tensor) -> Any:
    if not hasattr(network, method):
        raise ParameterError(f"expected a network with a method {method!r}, {type(network).__name__} has none")
    training = network.training
    try:
        network.eval()
        with torch.no_grad():
            return getattr(network, method)(inputs)
    finally:
        network.train(training)
