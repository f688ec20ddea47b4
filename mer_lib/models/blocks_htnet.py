"""Parts of HTNet: attention within blocks, a transformer layer of it, and the step from one level to the next."""

from __future__ import annotations

from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from mer_lib.models.blocks_transformer import PreNormLayer


class Attention(nn.Module):
    """Multi-head attention among the tokens of each block.

    The width of a head is ``dim // heads``; where that leaves a remainder, attention works in fewer
    than `dim` dimensions (256 channels and 3 heads: 255), as in the authors' release.
    Scores are divided by the root of the head width (the paper's formula says the input dimension).
    """

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.inner = dim // heads * heads
        self.qkv = nn.Linear(dim, 3 * self.inner, bias=False)
        self.out = nn.Linear(self.inner, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, record: list[Tensor] | None = None) -> Tensor:
        """Mix (batch, blocks, tokens, dim) within each block; append the weights used to `record`."""
        values, weights = self._lone_token(x) if x.shape[2] == 1 else self._attend(x)
        if record is not None:
            record.append(weights)
        return self.dropout(self.out(values))

    def _attend(self, x: Tensor) -> tuple[Tensor, Tensor]:
        q, k, v = rearrange(self.qkv(x), "b n t (three h d) -> three b n h t d", three=3, h=self.heads)
        scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
        weights = scores.softmax(dim=-1)  # (b, n, h, t, t): over the keys, the last axis
        mixed = self.dropout(weights) @ v
        return rearrange(mixed, "b n h t d -> b n t (h d)"), weights

    def _lone_token(self, x: Tensor) -> tuple[Tensor, Tensor]:
        # The softmax over one key is exactly 1, so query and key need not be computed; dropout takes whole heads away.
        values = functional.linear(x, self.qkv.weight[2 * self.inner :])
        weights = x.new_ones(*x.shape[:2], self.heads, 1, 1)
        if self.training and self.dropout.p:
            by_head = values.unflatten(-1, (self.heads, -1)) * self.dropout(weights).transpose(2, 3)
            values = by_head.flatten(-2)
        return values, weights


class Layer(PreNormLayer):
    """One transformer layer over (batch, blocks, tokens, dim), with attention within each block."""

    def __init__(self, dim: int, heads: int, mlp_ratio: int, activation: str, dropout: float) -> None:
        super().__init__(Attention(dim, heads, dropout), dim, mlp_ratio, dropout, activation)


class Aggregation(nn.Module):
    """Between two levels: twice the channels, half the side, across the borders of the blocks."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(dim, 2 * dim, kernel_size=3, padding=1)
        self.norm = nn.LayerNorm(2 * dim)
        self.pool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, side, side, dim) to (batch, side / 2, side / 2, 2 dim)."""
        x = self.conv(rearrange(x, "b h w c -> b c h w"))
        x = self.norm(rearrange(x, "b c h w -> b h w c"))
        x = self.pool(rearrange(x, "b h w c -> b c h w"))
        return rearrange(x, "b c h w -> b h w c")
