"""MFEM, the multi-region feature extraction module: spatial and complementary channel attention, side by side."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

Pooling = Literal["gem", "mean"]
Second = Literal["each", "sum"]
Scale = Literal["sum", "mean"]

SMALLEST = 1e-6  # of what a power with a learned exponent is taken


class GeneralisedMean(nn.Module):
    """Pool each channel: the p-th root of the mean of its p-th powers; 1 is the mean, large p nears the maximum.

    The exponent is learned, one for all channels, and starts at 3. The printed formula lacks the count that makes
    it a mean.

    >>> GeneralisedMean()(torch.full((1, 2, 4, 4), 5.0)).round()
    tensor([[5., 5.]], grad_fn=<RoundBackward0>)
    """

    def __init__(self, exponent: float = 3.0) -> None:
        super().__init__()
        self.exponent = nn.Parameter(torch.tensor(exponent))

    def forward(self, x: Tensor) -> Tensor:
        """Map non-negative (n, c, h, w) to (n, c)."""
        powers = x.clamp(min=SMALLEST) ** self.exponent
        return powers.mean(dim=(2, 3)) ** (1 / self.exponent)


class Mean(nn.Module):
    """The plain mean of each channel, beside which :class:`GeneralisedMean` is judged."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, h, w) to (n, c)."""
        return x.mean(dim=(2, 3))


class SpatialGate(nn.Module):
    """SAM: where to look, from the maximum and the mean over channels: ``sigmoid(conv7x7(max, mean))``."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, kernel_size=7, padding=3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the gate (n, 1, h, w), 0 to 1, of (n, c, h, w)."""
        seen = torch.cat([x.amax(dim=1, keepdim=True), x.mean(dim=1, keepdim=True)], dim=1)
        return self.conv(seen).sigmoid()


class ChannelGate(nn.Module):
    """CAM: which channels to take, from their pooled values: ``sigmoid(W1 relu(W0 pool(x)))``.

    The printed formula has no activation between the two layers, which would be one layer.
    """

    def __init__(self, channels: int, reduction: int, pooling: Pooling) -> None:
        super().__init__()
        self.pool = GeneralisedMean() if pooling == "gem" else Mean()
        self.squeeze = nn.Linear(channels, channels // reduction, bias=False)
        self.excite = nn.Linear(channels // reduction, channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the gate (n, c, 1, 1), 0 to 1, of (n, c, h, w)."""
        return self.excite(self.squeeze(self.pool(x)).relu()).sigmoid()[..., None, None]


class ComplementaryChannels(nn.Module):
    """CCAM: what the channel gate takes, and, attended to once more, what it leaves.

    ``g`` and ``1 - g`` differ a channel, not a place: the "complementary regions" of the title are channels.
    """

    def __init__(self, channels: int, reduction: int, pooling: Pooling) -> None:
        super().__init__()
        self.first = ChannelGate(channels, reduction, pooling)
        self.second = ChannelGate(channels, reduction, pooling)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return what is taken and what is taken of the rest, both (n, c, h, w)."""
        gate = self.first(x)
        taken, rest = x * gate, x * (1 - gate)
        return taken, rest * self.second(rest)


class RegionAttention(nn.Module):
    """MFEM: two branches over one map, space before channels and channels before space; four maps are added.

    >>> RegionAttention(64)(torch.rand(2, 64, 8, 8)).shape
    torch.Size([2, 64, 8, 8])

    Args:
        channels: of the map, which is not negative (it comes out of a ReLU).
        reduction: by which the channel gates narrow their hidden layer.
        pooling: what the channel gates see of a channel: the generalised "gem" or the plain "mean".
        second: whether the second branch's spatial gate is computed for "each" of its two maps, or of their "sum".
        scale: "sum" adds the four maps, so that the output may exceed the input; "mean" divides by four.

    Source: Cao, Zhang 2025, section on MFEM. Reduction, sharing of weights and how the spatial gate takes two maps
    are not printed: 16, none shared, and the same gate for each.
    """

    def __init__(
        self,
        channels: int,
        reduction: int = 16,
        pooling: Pooling = "gem",
        second: Second = "each",
        scale: Scale = "sum",
    ) -> None:
        super().__init__()
        self.second, self.share = second, 0.25 if scale == "mean" else 1.0
        self.space_first = SpatialGate()
        self.then_channels = ComplementaryChannels(channels, reduction, pooling)
        self.channels_first = ComplementaryChannels(channels, reduction, pooling)
        self.then_space = SpatialGate()

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, h, w) to the same shape."""
        one, two = self.then_channels(x * self.space_first(x))
        return self.share * (one + two + self._second_branch(x))

    def _second_branch(self, x: Tensor) -> Tensor:
        three, four = self.channels_first(x)
        if self.second == "sum":
            both = three + four
            return both * self.then_space(both)
        return three * self.then_space(three) + four * self.then_space(four)

    @torch.no_grad()
    def gates(self, x: Tensor) -> dict[str, Tensor]:
        """Return the gates while (n, c, h, w) passes: `space` (n, 1, h, w), `channels` and `rest` (n, c), 0 to 1.

        They are those of the first branch: where it looks, which channels it takes, and which it takes of the rest.
        """
        space = self.space_first(x)
        seen = x * space
        channels = self.then_channels.first(seen)
        rest = self.then_channels.second(seen * (1 - channels))
        return {"space": space, "channels": channels.flatten(1), "rest": rest.flatten(1)}
