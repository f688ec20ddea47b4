"""Streams over single channels of a flow map, as OFF-ApexNet, Dual-Inception and FeatRef have them; checks of sizes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def conv_relu(in_channels: int, out_channels: int, size: int) -> nn.Sequential:
    """Return a convolution that keeps rows and columns, and a ReLU."""
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, size, padding=size // 2), nn.ReLU())


class InceptionBlock(nn.Module):
    """Four ways side by side, joined and halved: 1x1; 1x1 and 3x3; 1x1 and 5x5; max pooling and 1x1.

    Each way has `filters` channels, so that four times as many come out.

    Source: Szegedy et al., Going deeper with convolutions, CVPR 2015, figure 2b; sizes by Zhou, Mao, Xue (FG 2019).
    """

    def __init__(self, in_channels: int, filters: int) -> None:
        super().__init__()
        self.point = conv_relu(in_channels, filters, 1)
        self.three = nn.Sequential(conv_relu(in_channels, filters, 1), conv_relu(filters, filters, 3))
        self.five = nn.Sequential(conv_relu(in_channels, filters, 1), conv_relu(filters, filters, 5))
        self.pooled = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), conv_relu(in_channels, filters, 1))
        self.halve = nn.MaxPool2d(kernel_size=2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, in_channels, h, w) to (batch, 4 filters, h / 2, w / 2)."""
        ways = (self.point(x), self.three(x), self.five(x), self.pooled(x))
        return self.halve(torch.cat(ways, dim=1))


class InceptionStreams(nn.Module):
    """One stack of inception blocks for each of some channels of a map; the streams meet at the end.

    Args:
        channels: which channels of the map have a stream.
        filters: of each way of the first, second ... block.
        image_size: rows and columns of the map; each block halves them.
    """

    def __init__(self, channels: Sequence[int], filters: Sequence[int], image_size: int) -> None:
        super().__init__()
        self.channels = tuple(channels)
        widths = (1, *(4 * n for n in filters))
        self.streams = nn.ModuleList(
            nn.Sequential(*(InceptionBlock(before, n) for before, n in zip(widths, filters, strict=False)))
            for _ in self.channels
        )
        self.features = len(self.channels) * widths[-1] * (image_size // 2 ** len(filters)) ** 2

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, 3, image_size, image_size) to (batch, streams * 4 * filters, rows, columns)."""
        maps = [stream(x[:, c : c + 1]) for c, stream in zip(self.channels, self.streams, strict=True)]
        return torch.cat(maps, dim=1)


def stream_faults(channels: Sequence[int], filters: Sequence[int], image_size: int) -> list[str]:
    """Return what is wrong with the sizes of streams over channels of a three-channel map, [] if nothing is.

    >>> stream_faults((0, 1), (6, 16), 28)
    []
    >>> stream_faults((0, 3), (6, 16), 30)[1]
    'image_size: expected a multiple of 4 (it is halved 2 times), got 30'
    """
    faults = []
    if not channels or len(set(channels)) != len(channels) or not set(channels) <= {0, 1, 2}:
        faults.append(f"channels: expected different ones of 0, 1, 2, at least one, got {tuple(channels)}")
    if not filters or min(filters) < 1:
        faults.append(f"filters: expected one number >= 1 for each block, got {tuple(filters)}")
    elif image_size < 1 or image_size % 2 ** len(filters):
        faults.append(
            f"image_size: expected a multiple of {2 ** len(filters)} (it is halved {len(filters)} times), "
            f"got {image_size}"
        )
    return faults


def dense_faults(n_classes: int, hidden: int, dropout: float) -> list[str]:
    """Return what is wrong with the sizes of dense layers, [] if nothing is.

    >>> dense_faults(3, 1024, 1.0)
    ['dropout: expected 0 <= dropout < 1, got 1.0']
    """
    counts = {"n_classes": n_classes, "hidden": hidden}
    faults = [f"{name}: expected at least 1, got {value}" for name, value in counts.items() if value < 1]
    if not 0 <= dropout < 1:
        faults.append(f"dropout: expected 0 <= dropout < 1, got {dropout}")
    return faults
