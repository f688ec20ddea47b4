"""SLSTT: a vision transformer on the flow of every frame, and an LSTM (or the mean) over their class tokens."""

from __future__ import annotations

from typing import Literal

import torch
from einops import rearrange
from torch import Tensor, nn

from mer_lib.errors import ParameterError, fault_list
from mer_lib.models.blocks_sequence import LSTMClassifier, range_faults
from mer_lib.models.blocks_vit import Layer
from mer_lib.models.info import ModelInfo

Aggregation = Literal["lstm", "mean"]


class SLSTT(nn.Module):
    """Short and long-range relations in space by patches and attention, then relations in time.

    Short range: what is within a patch, projected. Long range: every patch attends to every other of its frame. Only
    the class tokens of the frames meet in time.

    >>> network = SLSTT(**INFO.small)
    >>> network(torch.zeros(2, *network.input_shape)).shape
    torch.Size([2, 3])

    Args:
        image_size: side of a frame in pixels, a multiple of `patch_size`.
        frames: of a sequence, 2 or more.
        channels: of a frame: u and v are two.
        n_classes: number of outputs (logits).
        patch_size: side of a patch in pixels.
        dim: entries of a token, a multiple of `heads`.
        heads: attention heads of each layer.
        layers: transformer layers.
        mlp_ratio: width of the feed-forward layer over `dim`.
        aggregation: over time: "lstm", read forwards, or the "mean" of the frames.
        hidden: width of the LSTM.
        dropout: in [0, 1), after attention, feed-forward layers, and before the last linear layer.

    Raises:
        ParameterError: sizes do not fit together; every fault.

    Source: Zhang, Hong, Arandjelović, Zhao: Short and long range relation based spatio-temporal transformer for
    micro-expression recognition, IEEE Transactions on Affective Computing 13(4), 2022, arXiv 2112.05851. The flow is
    that from the onset. The article starts from an encoder trained on ImageNet (ViT-B, 12 layers of 768); the much
    smaller sizes that are the defaults here, which train from nothing, are ours, as are the LSTM's width and depth.
    """

    def __init__(
        self,
        image_size: int = 64,
        frames: int = 10,
        channels: int = 2,
        n_classes: int = 3,
        patch_size: int = 8,
        dim: int = 96,
        heads: int = 4,
        layers: int = 3,
        mlp_ratio: int = 4,
        aggregation: Aggregation = "lstm",
        hidden: int = 96,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        sizes = {
            "image_size": image_size, "channels": channels, "n_classes": n_classes, "patch_size": patch_size,
            "dim": dim, "heads": heads, "layers": layers, "mlp_ratio": mlp_ratio, "hidden": hidden,
        }  # fmt: skip
        _check(sizes, frames, dropout)
        self.input_shape = (frames, channels, image_size, image_size)
        self.grid = image_size // patch_size
        self.embedding = nn.Conv2d(channels, dim, kernel_size=patch_size, stride=patch_size)
        self.class_token = nn.Parameter(0.02 * torch.randn(1, 1, dim))
        self.positions = nn.Parameter(0.02 * torch.randn(1, 1 + self.grid**2, dim))
        self.layers = nn.ModuleList(Layer(dim, heads, mlp_ratio, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)
        self.sequence = (
            LSTMClassifier(dim, hidden, n_classes, (0.0, dropout), bidirectional=False)
            if aggregation == "lstm"
            else MeanClassifier(dim, n_classes, dropout)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, n_classes) of sequences (batch, frames, channels, image_size, image_size)."""
        vectors = self._encode(x.flatten(0, 1), None)  # (b * 10, 96)
        return self.sequence(vectors.unflatten(0, x.shape[:2]))  # (b, 10, 96) -> (b, 3)

    def _encode(self, x: Tensor, record: list[Tensor] | None) -> Tensor:
        """Return the class token of each frame (n, dim); `record` takes the attention of the last layer."""
        # Shapes in comments: 64 pixels, patches of 8, dim 96.
        x = rearrange(self.embedding(x), "n d rows columns -> n (rows columns) d")  # (n, 64, 96)
        x = torch.cat([self.class_token.expand(len(x), -1, -1), x], dim=1) + self.positions  # (n, 65, 96)
        *first, last = self.layers
        for layer in first:
            x = layer(x)
        return self.norm(last(x, record)[:, 0])

    @torch.no_grad()
    def attention_image(self, x: Tensor) -> Tensor:
        """Return where the class token looks in each frame (batch, image_size, image_size), the mean over frames.

        >>> network = SLSTT(**INFO.small)
        >>> network.attention_image(torch.zeros(2, *network.input_shape)).shape
        torch.Size([2, 32, 32])

        It is the attention of the last layer, the mean over heads; every patch has one value, and those of a clip
        sum to 1 with the share that the token gives to itself.
        """
        record: list[Tensor] = []
        self._encode(x.flatten(0, 1), record)
        looked = record[0].mean(dim=1)[:, 0, 1:]  # (b * frames, patches)
        maps = looked.unflatten(1, (self.grid, self.grid)).unflatten(0, x.shape[:2]).mean(dim=1)
        side = self.input_shape[-1] // self.grid
        return maps.repeat_interleave(side, dim=1).repeat_interleave(side, dim=2)


class MeanClassifier(nn.Module):
    """The mean over frames, dropout, and a linear layer: time without an order."""

    def __init__(self, features: int, n_classes: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(features, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, n_classes) of (batch, frames, features)."""
        return self.fc(self.dropout(x.mean(dim=1)))


def _check(sizes: dict[str, int], frames: int, dropout: float) -> None:
    at_least = {name: (value, 1) for name, value in sizes.items()} | {"frames": (frames, 2)}
    faults = range_faults(at_least, {"dropout": dropout})
    for whole, part in (("image_size", "patch_size"), ("dim", "heads")):
        if min(sizes[whole], sizes[part]) >= 1 and sizes[whole] % sizes[part]:
            faults.append(f"{whole}: expected a multiple of {part} = {sizes[part]}, got {sizes[whole]}")
    if faults:
        raise ParameterError(f"SLSTT cannot be built:\n{fault_list(faults)}")


INFO = ModelInfo(
    name="slstt",
    title="SLSTT",
    factory=SLSTT,
    paper="Zhang, Hong, Arandjelović, Zhao: Short and long range relation based spatio-temporal transformer, 2022",
    url="https://doi.org/10.1109/TAFFC.2022.3213509",
    recipe={"recipe": "magnified_sequence", "frames": 10, "size": 64, "channels": ["u", "v"]},
    small={
        "image_size": 32,
        "frames": 3,
        "dim": 16,
        "heads": 2,
        "layers": 2,
        "mlp_ratio": 2,
        "hidden": 16,
        "dropout": 0.0,
    },
)
