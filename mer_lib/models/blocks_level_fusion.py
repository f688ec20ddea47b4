"""MFFM, the multi-level feature fusion module: pairs of stages interact, and their means are joined."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Schedule = Literal["five_pairs", "neighbours_twice", "all_pairs"]

#: Which maps interact, counted from 0: the stages, and behind them what came out of the interactions before.
SCHEDULES: dict[str, tuple[tuple[int, int], ...]] = {
    "five_pairs": ((0, 1), (0, 2), (1, 2), (1, 3), (2, 3)),
    "neighbours_twice": ((0, 1), (1, 2), (2, 3), (4, 5), (5, 6)),
    "all_pairs": ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)),
}


class Interaction(nn.Module):
    """FIM: a large, shallow map and a small, deep one: ``BN(conv(X1 + up(conv(X2))))``, where + joins channels.

    The article calls the first one deep and the second shallow, yet enlarges the second; neither the size of the
    convolutions nor the way of enlarging is printed. No activation follows.
    """

    def __init__(self, shallow: int, deep: int, kernel: int) -> None:
        super().__init__()
        joined = shallow + deep
        self.deep_conv = nn.Conv2d(deep, deep, kernel, padding=kernel // 2, bias=False)
        self.conv = nn.Conv2d(joined, joined, kernel, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(joined)

    def forward(self, shallow: Tensor, deep: Tensor) -> Tensor:
        """Map (n, c1, h1, w1) and (n, c2, h2, w2) to (n, c1 + c2, h1, w1)."""
        enlarged = functional.interpolate(self.deep_conv(deep), shallow.shape[2:], mode="bilinear")
        return self.bn(self.conv(torch.cat([shallow, enlarged], dim=1)))


class LevelFusion(nn.Module):
    """MFFM: every pair of a schedule interacts; the means over place of all results are joined into one vector.

    >>> maps = [torch.zeros(2, 2**i, 16 // 2**i, 16 // 2**i) for i in range(4)]
    >>> fusion = LevelFusion((1, 2, 4, 8))
    >>> fusion(maps).shape, fusion.features
    (torch.Size([2, 36]), 36)

    Args:
        channels: of the four stages.
        schedule: five results are printed, but four stages have six pairs: "five_pairs" takes all but the farthest
            (first and last stage); "neighbours_twice" takes neighbours, and neighbours of what comes out;
            "all_pairs" takes all six.
        kernel: of the convolutions: 1, 3 or 7.

    Source: Cao, Zhang 2025, section on MFFM; its figure of the pairs is not to be had.
    """

    def __init__(self, channels: tuple[int, ...], schedule: Schedule = "five_pairs", kernel: int = 1) -> None:
        super().__init__()
        self.pairs = SCHEDULES[schedule]
        sizes = list(channels)
        self.interactions = nn.ModuleList()
        for first, second in self.pairs:
            self.interactions.append(Interaction(sizes[first], sizes[second], kernel))
            sizes.append(sizes[first] + sizes[second])
        self.features = sum(sizes[len(channels) :])

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Return one vector (n, features) of the stages' maps."""
        maps = list(maps)
        for interaction, (first, second) in zip(self.interactions, self.pairs, strict=True):
            maps.append(interaction(maps[first], maps[second]))
        results = maps[-len(self.pairs) :]
        # The means throw away where something was, so that the detail of shallow maps is lost again here.
        return torch.cat([result.mean(dim=(2, 3)) for result in results], dim=1)
