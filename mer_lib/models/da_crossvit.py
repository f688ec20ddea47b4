"""DA-CrossViT: two transformers, of coarse and of fine patches, whose class tokens read each other's patches."""

from __future__ import annotations

from collections.abc import Mapping
from math import isqrt
from typing import Literal

import torch
from einops import rearrange
from torch import Tensor, nn

from mer_lib.errors import ParameterError, fault_list
from mer_lib.models.blocks_vit import Layer, PatchTokens, attention_weights
from mer_lib.models.info import ModelInfo

#: "dual": what was attended to, gated by the query. "cross": without the gate, as in CrossViT. "full": gate and
#: information see both query and attended value, as in attention on attention. "printed": the equations to the letter,
#: in which the attention weights themselves are gated, so that the values go nowhere.
FusionAttention = Literal["dual", "cross", "full", "printed"]
ATTENTIONS = ("dual", "cross", "full", "printed")


class DualAttention(nn.Module):
    """The class token, which stands first, reads all tokens; a sigmoid gate passes on a share of each channel.

    With `q`, `k`, `v` of the article's equation (2), ``A v`` the attended value and ``*`` element by element:
    "dual" is ``sigmoid(gate q) * information(A v)``, "cross" is ``information(A v)``, "full" is
    ``sigmoid(gate [q, A v]) * information([q, A v])``. "printed" is ``sigmoid(gate q) * information(A)``, equations (2)
    to (5) as they stand: the weights ``A`` have as many numbers as there are tokens, and `value` never learns.
    """

    def __init__(self, dim: int, tokens: int, heads: int, attention: FusionAttention, dropout: float) -> None:
        super().__init__()
        self.heads, self.attention = heads, attention
        self.query, self.key, self.value = (nn.Linear(dim, dim) for _ in range(3))
        seen = 2 * dim if attention == "full" else dim
        self.information = nn.Linear(tokens, dim // heads) if attention == "printed" else nn.Linear(seen, dim)
        self.gate = None if attention == "cross" else nn.Linear(seen, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, record: list[Tensor] | None = None) -> Tensor:
        """Map (batch, tokens, dim) to (batch, 1, dim); append the weights (batch, heads, 1, tokens)."""
        query = self.query(x[:, :1])  # (b, 1, d)
        q, k = (rearrange(y, "b t (h d) -> b h t d", h=self.heads) for y in (query, self.key(x)))
        weights = self.dropout(attention_weights(q, k, record))  # (b, h, 1, t)
        if self.attention == "printed":
            information = rearrange(self.information(weights), "b h one d -> b one (h d)")
            return self.dropout(self._gated(query, information))
        v = rearrange(self.value(x), "b t (h d) -> b h t d", h=self.heads)
        attended = rearrange(weights @ v, "b h one d -> b one (h d)")  # (b, 1, d)
        seen = torch.cat([query, attended], dim=-1) if self.attention == "full" else query
        information = self.information(seen if self.attention == "full" else attended)
        return self.dropout(self._gated(seen, information))

    def _gated(self, seen: Tensor, information: Tensor) -> Tensor:
        return information if self.gate is None else self.gate(seen).sigmoid() * information


class Fusion(nn.Module):
    """The class token of one branch visits the other: goes over in its width, reads its patches, and comes back."""

    def __init__(
        self, own: int, other: int, tokens: int, heads: int, attention: FusionAttention, dropout: float
    ) -> None:
        super().__init__()
        self.go = _projection(own, other)  # f of the article
        self.norm = nn.LayerNorm(other)
        self.attention = DualAttention(other, tokens, heads, attention, dropout)
        self.back = _projection(other, own)  # g of the article

    def forward(self, own: Tensor, other: Tensor, record: list[Tensor] | None = None) -> Tensor:
        """Map (batch, own tokens, own dim), with (batch, other tokens, other dim) to read, to the shape of `own`."""
        visitor = self.go(own[:, :1])
        joined = torch.cat([visitor, other[:, 1:]], dim=1)
        visitor = visitor + self.attention(self.norm(joined), record)
        return torch.cat([self.back(visitor), own[:, 1:]], dim=1)


class Encoder(nn.Module):
    """One multi-scale encoder: layers of each branch for itself, then fusions in both directions."""

    def __init__(self, la: list[Layer], sm: list[Layer], into_la: list[Fusion], into_sm: list[Fusion]) -> None:
        super().__init__()
        self.la, self.sm = nn.ModuleList(la), nn.ModuleList(sm)
        self.into_la, self.into_sm = nn.ModuleList(into_la), nn.ModuleList(into_sm)

    def forward(self, la: Tensor, sm: Tensor, records: Records | None = None) -> tuple[Tensor, Tensor]:
        """Map the tokens of both branches to the same shapes."""
        kept: Records = records or {}
        for layer in self.la:
            la = layer(la, kept.get("la"))
        for layer in self.sm:
            sm = layer(sm, kept.get("sm"))
        for into_la, into_sm in zip(self.into_la, self.into_sm, strict=True):
            la, sm = into_la(la, sm, kept.get("into_la")), into_sm(sm, la, kept.get("into_sm"))
        return la, sm


#: Attention weights of one encoder by where they were used: "la", "sm", "into_la", "into_sm".
Records = dict[str, list[Tensor]]


class DACrossViT(nn.Module):
    """CrossViT with a dual-attention fusion: a branch of few wide tokens (La) and one of many narrow tokens (Sm).

    Each encoder runs `la_layers` and `sm_layers` transformer layers, then the class token of either branch reads the
    patches of the other. Both class tokens together are classified. The article names no size: number of encoders,
    layers, widths, heads and the projections ``LN, GELU, linear`` are those of CrossViT-Tiny, the input is STSTNet's.

    >>> DACrossViT(la_dim=12, sm_dim=6, encoders=1)(torch.zeros(2, 3, 28, 28)).shape
    torch.Size([2, 3])

    Args:
        image_size: side of the square map, in pixels.
        la_patches: patches of the coarse branch, a square number whose root divides `image_size`.
        sm_patches: likewise, of the fine branch.
        la_dim: width of the coarse branch's tokens, a multiple of `heads`.
        sm_dim: likewise, of the fine branch.
        encoders: multi-scale encoders (K of the article).
        la_layers: transformer layers of the coarse branch in each encoder (M; the article says M > N).
        sm_layers: likewise, of the fine branch (N).
        fusions: fusions in both directions at the end of each encoder (L).
        heads: attention heads, everywhere.
        attention: of the fusion: "dual" is the article's module with its equations repaired, "cross" its ablation,
            "full" gates as attention on attention does, "printed" follows the equations to the letter.
        n_classes: number of outputs (logits).
        mlp_ratio: width of the feed-forward layers over that of the tokens.
        dropout: in [0, 1), after attention weights, attention and both feed-forward layers.

    Raises:
        ParameterError: sizes do not fit together; every fault at once.

    Source: Ran, Shi, Jiang, Wang: Micro-expression recognition based on dual attention CrossViT (in Chinese, received
    2022), equations (2) to (8); Chen, Fan, Panda: CrossViT, ICCV 2021, arXiv 2103.14899; Huang, Wang, Chen, Wei:
    Attention on Attention for Image Captioning, ICCV 2019, arXiv 1908.06954.
    """

    cam_layer = "sm_tokens.embedding"

    def __init__(
        self,
        image_size: int = 28,
        la_patches: int = 1,
        sm_patches: int = 4,
        la_dim: int = 192,
        sm_dim: int = 96,
        encoders: int = 3,
        la_layers: int = 4,
        sm_layers: int = 1,
        fusions: int = 1,
        heads: int = 3,
        attention: FusionAttention = "dual",
        n_classes: int = 3,
        mlp_ratio: int = 4,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        counts = {"encoders": encoders, "la_layers": la_layers, "sm_layers": sm_layers, "fusions": fusions}
        counts |= {"heads": heads, "n_classes": n_classes, "mlp_ratio": mlp_ratio}
        widths, patches = {"la_dim": la_dim, "sm_dim": sm_dim}, {"la_patches": la_patches, "sm_patches": sm_patches}
        _check(image_size, patches, widths, counts, attention, dropout)
        self.input_shape = (3, image_size, image_size)
        self.la_tokens = PatchTokens(image_size, la_patches, la_dim)
        self.sm_tokens = PatchTokens(image_size, sm_patches, sm_dim)
        how = (heads, attention, dropout)
        self.encoders = nn.ModuleList(
            Encoder(
                la=[Layer(la_dim, heads, mlp_ratio, dropout) for _ in range(la_layers)],
                sm=[Layer(sm_dim, heads, mlp_ratio, dropout) for _ in range(sm_layers)],
                into_la=[Fusion(la_dim, sm_dim, 1 + sm_patches, *how) for _ in range(fusions)],
                into_sm=[Fusion(sm_dim, la_dim, 1 + la_patches, *how) for _ in range(fusions)],
            )
            for _ in range(encoders)
        )
        self.la_norm, self.sm_norm = nn.LayerNorm(la_dim), nn.LayerNorm(sm_dim)
        self.fc = nn.Linear(la_dim + sm_dim, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, n_classes) of maps (batch, 3, image_size, image_size)."""
        return self._forward(x, [None] * len(self.encoders))

    def _forward(self, x: Tensor, records: list[Records] | list[None]) -> Tensor:
        # Shapes in comments: 28-pixel map, 1 and 4 patches, widths 192 and 96.
        la, sm = self.la_tokens(x), self.sm_tokens(x)  # (b, 2, 192) and (b, 5, 96)
        for encoder, record in zip(self.encoders, records, strict=True):
            la, sm = encoder(la, sm, record)  # the same shapes
        both = torch.cat([self.la_norm(la[:, 0]), self.sm_norm(sm[:, 0])], dim=-1)  # (b, 288)
        return self.fc(both)  # (b, 3)

    @torch.no_grad()
    def attention_maps(self, x: Tensor) -> list[Records]:
        """Return who attends to whom in each encoder, as computed while predicting `x`.

        Args:
            x: maps (batch, 3, image_size, image_size).

        Returns:
            For each encoder, by key: "la" and "sm", weights among a branch's own tokens (batch, heads, tokens,
            tokens), one tensor a layer; "into_la" and "into_sm", those with which a class token reads the other branch
            (batch, heads, 1, tokens), one tensor a fusion. The last axis sums to 1; its first entry is the class token.
        """
        records: list[Records] = [{"la": [], "sm": [], "into_la": [], "into_sm": []} for _ in self.encoders]
        self._forward(x, records)
        return records

    def attention_image(self, x: Tensor) -> Tensor:
        """Return how the class tokens' attention spreads over the map: (batch, rows, columns), each summing to 1.

        Attention is followed back through all layers and fusions, half of each token staying with itself (attention
        rollout); what arrives at a patch is spread evenly over its pixels, that of both branches added up.

        Source: Abnar, Zuidema: Quantifying Attention Flow in Transformers, ACL 2020, arXiv 2005.00928; that it runs
        over both branches at once is ours.
        """
        n_la, n_sm = self.la_tokens.positions.shape[1], self.sm_tokens.positions.shape[1]
        la, sm = list(range(n_la)), list(range(n_la, n_la + n_sm))
        flow = torch.eye(n_la + n_sm, dtype=x.dtype, device=x.device).repeat(len(x), 1, 1)
        for records in self.attention_maps(x):
            flow = _follow(flow, records, la, sm)
        reached = flow[:, la[0]] + flow[:, sm[0]]  # from both class tokens: (b, all tokens)
        image = self._painted(reached[:, la[1:]]) + self._painted(reached[:, sm[1:]])
        return image / image.sum(dim=(1, 2), keepdim=True)

    def _painted(self, patches: Tensor) -> Tensor:
        """Spread (batch, patches) evenly over the pixels of each patch: (batch, rows, columns)."""
        n, size = isqrt(patches.shape[1]), self.input_shape[1]
        image = patches.unflatten(1, (n, n)) / (size // n) ** 2
        return image.repeat_interleave(size // n, dim=1).repeat_interleave(size // n, dim=2)


def _projection(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.LayerNorm(before), nn.GELU(), nn.Linear(before, after))


def _follow(flow: Tensor, records: Records, la: list[int], sm: list[int]) -> Tensor:
    """Follow attention through one encoder: `flow` (batch, all, all) says what came to each token from which."""
    steps = [(la, la, weights) for weights in records["la"]] + [(sm, sm, weights) for weights in records["sm"]]
    for into_la, into_sm in zip(records["into_la"], records["into_sm"], strict=True):
        # A class token reads itself and the patches of the other branch, which fusions leave as they are.
        steps += [(la[:1], la[:1] + sm[1:], into_la), (sm[:1], sm[:1] + la[1:], into_sm)]
    for readers, read, weights in steps:
        came = weights.mean(dim=1) @ flow[:, read]  # mean over the heads
        flow = flow.index_copy(1, torch.tensor(readers, device=flow.device), (flow[:, readers] + came) / 2)
    return flow


def _check(
    image_size: int,
    patches: Mapping[str, int],
    widths: Mapping[str, int],
    counts: Mapping[str, int],
    attention: str,
    dropout: float,
) -> None:
    faults = [f"{name}: expected at least 1, got {value}" for name, value in counts.items() if value < 1]
    legal = [n**2 for n in range(1, image_size + 1) if image_size % n == 0]
    faults += [
        f"{name}: expected one of {', '.join(map(str, legal))} for image_size = {image_size}, got {value}"
        for name, value in patches.items()
        if value not in legal
    ]
    heads = max(counts["heads"], 1)
    faults += [
        f"{name}: expected a multiple of heads = {heads}, got {value}"
        for name, value in widths.items()
        if value < 1 or value % heads
    ]
    if attention not in ATTENTIONS:
        faults.append(f"attention: expected one of {', '.join(ATTENTIONS)}, got {attention!r}")
    if not 0 <= dropout < 1:
        faults.append(f"dropout: expected 0 <= dropout < 1, got {dropout}")
    if image_size < 1:
        faults.append(f"image_size: expected at least 1, got {image_size}")
    if faults:
        raise ParameterError(f"DA-CrossViT cannot be built:\n{fault_list(faults)}")


INFO = ModelInfo(
    name="da_crossvit",
    title="DA-CrossViT",
    factory=DACrossViT,
    paper="Ran, Shi, Jiang, Wang: Micro-expression recognition based on dual attention CrossViT, received 2022",
    url="",
    recipe={"recipe": "flow_map", "order": "uvs"},
    silent={"*.attention.key.bias": "a softmax does not change when the same number is added to all of its scores"},
    small={"la_dim": 24, "sm_dim": 12, "encoders": 1, "la_layers": 2},
    group="system",
)
