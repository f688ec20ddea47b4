"""The transformer layer that networks share, around whatever attention each of them has."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

Activation = Literal["gelu", "relu"]
ACTIVATIONS: dict[str, type[nn.Module]] = {"gelu": nn.GELU, "relu": nn.ReLU}


class PreNormLayer(nn.Module):
    """One pre-norm transformer layer: ``y = x + MSA(LN(x))``, then ``y + FFN(LN(y))``.

    Args:
        attention: maps (..., tokens, dim) to the same shape, and takes a list to which it appends its weights.
        dim: channels of a token.
        mlp_ratio: width of the feed-forward layer over `dim`.
        activation: between its two linear layers.
        dropout: after both of them, in [0, 1).
    """

    def __init__(
        self, attention: nn.Module, dim: int, mlp_ratio: int, dropout: float, activation: str = "gelu"
    ) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(dim)
        self.attention = attention
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(
            nn.Linear(dim, mlp_ratio * dim),
            ACTIVATIONS[activation](),
            nn.Dropout(dropout),
            nn.Linear(mlp_ratio * dim, dim),
            nn.Dropout(dropout),
        )

    def forward(self, x: Tensor, record: list[Tensor] | None = None) -> Tensor:
        """Map (..., tokens, dim) to the same shape; the attention appends its weights to `record`."""
        x = x + self.attention(self.attention_norm(x), record)
        return x + self.mlp(self.mlp_norm(x))
