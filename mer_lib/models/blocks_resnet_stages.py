"""ResNet34's stem and stages one by one, so that modules can stand between them, and how ImageNet gets into them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mer_lib.models.blocks_resnet import BasicBlock, initialise

RESNET34 = (3, 4, 6, 3)  # residual blocks of the four stages
N_STAGES = len(RESNET34)


def stem(channels: int, width: int) -> nn.Sequential:
    """Return ResNet's first layers: 7x7 convolution with stride 2, batch norm, ReLU, 3x3 maximum with stride 2."""
    layers = nn.Sequential(
        nn.Conv2d(channels, width, kernel_size=7, stride=2, padding=3, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
    )
    initialise(layers)
    return layers


def widths(width: int) -> tuple[int, ...]:
    """Return the channels of the four stages: each has twice those of the one before.

    >>> widths(64)
    (64, 128, 256, 512)
    """
    return tuple(width * 2**i for i in range(N_STAGES))


def stages(width: int, depths: tuple[int, ...], inputs_per_channel: int = 1) -> nn.ModuleList:
    """Return the four stages; all but the first halve the sides.

    Args:
        width: channels of the first stage.
        depths: residual blocks of each stage.
        inputs_per_channel: 2 where stages 2 to 4 are given twice the channels that the stage before puts out.
    """
    out = widths(width)
    given = (width, *(inputs_per_channel * channels for channels in out[:-1]))
    layers = nn.ModuleList(
        nn.Sequential(
            BasicBlock(given[i], out[i], stride=1 if i == 0 else 2),
            *(BasicBlock(out[i], out[i]) for _ in range(depth - 1)),
        )
        for i, depth in enumerate(depths)
    )
    initialise(layers)
    return layers


def copy_imagenet(stem: nn.Sequential, stages: nn.ModuleList, state: Mapping[str, Tensor]) -> list[Tensor]:
    """Copy what fits of torchvision's ResNet weights into a stem and its stages, and return what was filled.

    A convolution that sees more channels than ImageNet's gets its weights for the first of them and zeros for the
    rest, so that at the beginning it does what it did. Whatever has another shape is left as it is.

    Args:
        stem: of :func:`stem`.
        stages: of :func:`stages`.
        state: ``state_dict`` of torchvision's ResNet18 or 34.
    """
    parts = {"conv1": stem[0], "bn1": stem[1]} | {f"layer{i}": stage for i, stage in enumerate(stages, start=1)}
    pairs = (
        (ours, state.get(f"{prefix}.{name}"))
        for prefix, part in parts.items()
        for name, ours in part.state_dict(keep_vars=True).items()
    )
    return [ours for ours, theirs in pairs if theirs is not None and _copied(ours, theirs)]


def names_of(network: nn.Module, filled: list[Tensor]) -> list[str]:
    """Return the names of a network's parameters that are among `filled`."""
    return [name for name, parameter in network.named_parameters() if any(parameter is tensor for tensor in filled)]


@torch.no_grad()
def _copied(ours: Tensor, theirs: Tensor) -> bool:
    if ours.shape == theirs.shape:
        ours.copy_(theirs)
        return True
    wider = ours.ndim == theirs.ndim == 4 and ours.shape[1] > theirs.shape[1]
    if not wider or ours.shape[0] != theirs.shape[0] or ours.shape[2:] != theirs.shape[2:]:
        return False
    ours.zero_()
    ours[:, : theirs.shape[1]] = theirs
    return True
