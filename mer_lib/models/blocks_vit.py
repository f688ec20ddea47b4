"""Parts of a vision transformer with a class token, whose attention weights can be read."""

from __future__ import annotations

from math import isqrt

import torch
from einops import rearrange
from torch import Tensor, nn

from mer_lib.models.blocks_transformer import PreNormLayer


class PatchTokens(nn.Module):
    """Cut a map into square patches, project each, put a class token in front and add positions."""

    def __init__(self, image_size: int, patches: int, dim: int) -> None:
        super().__init__()
        side = image_size // isqrt(patches)  # of a patch, in pixels
        self.embedding = nn.Conv2d(3, dim, kernel_size=side, stride=side)
        self.class_token = nn.Parameter(0.02 * torch.randn(1, 1, dim))
        self.positions = nn.Parameter(0.02 * torch.randn(1, 1 + patches, dim))

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, 3, side, side) to (batch, 1 + patches, dim), the patches row by row."""
        x = rearrange(self.embedding(x), "b d rows columns -> b (rows columns) d")
        x = torch.cat([self.class_token.expand(len(x), -1, -1), x], dim=1)
        return x + self.positions


class SelfAttention(nn.Module):
    """Multi-head attention among the tokens of one branch."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, record: list[Tensor] | None = None) -> Tensor:
        """Map (batch, tokens, dim) to the same shape; append the weights (batch, heads, tokens, tokens)."""
        q, k, v = rearrange(self.qkv(x), "b t (three h d) -> three b h t d", three=3, h=self.heads)
        mixed = self.dropout(attention_weights(q, k, record)) @ v
        return self.dropout(self.out(rearrange(mixed, "b h t d -> b t (h d)")))


class Layer(PreNormLayer):
    """One transformer layer over the tokens of one branch (batch, tokens, dim)."""

    def __init__(self, dim: int, heads: int, mlp_ratio: int, dropout: float) -> None:
        super().__init__(SelfAttention(dim, heads, dropout), dim, mlp_ratio, dropout)


def attention_weights(q: Tensor, k: Tensor, record: list[Tensor] | None) -> Tensor:
    """Return how much each query takes from each key, rows summing to 1, and append it to `record`.

    Args:
        q: queries (..., n, d).
        k: keys (..., m, d).
        record: where the weights are kept for those who look at them.

    Returns:
        ``softmax(q k / sqrt(d))``, (..., n, m).
    """
    weights = (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(dim=-1)
    if record is not None:
        record.append(weights)
    return weights
