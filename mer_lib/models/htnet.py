"""HTNet: a transformer inside the blocks of a mosaic of four facial areas, level over level."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from math import isqrt

import torch
from einops import rearrange
from torch import Tensor, nn

from mer_lib.errors import ParameterError, fault_list
from mer_lib.models.blocks_htnet import Aggregation, Layer
from mer_lib.models.blocks_transformer import ACTIVATIONS, Activation
from mer_lib.models.info import ModelInfo


class SingleTokenWarning(UserWarning):
    """Every block of an HTNet holds one token, so that nothing in it attends to anything."""


class Level(nn.Module):
    """One level: split the map into blocks, add the position vector, run the layers, join again."""

    def __init__(self, blocks: int, tokens: int, layers: nn.ModuleList, aggregation: nn.Module) -> None:
        super().__init__()
        self.blocks = blocks
        self.position = nn.Parameter(torch.randn(tokens))  # one number a token, shared by all channels
        self.layers = layers
        self.aggregation = aggregation

    def forward(self, x: Tensor, record: list[Tensor] | None = None) -> Tensor:
        """Map (batch, side, side, dim) to the same shape, or to the next level's."""
        side = x.shape[1] // self.blocks
        x = rearrange(x, "b (m h) (n w) c -> b (m n) (h w) c", m=self.blocks, n=self.blocks)
        x = x + self.position[:, None]
        for layer in self.layers:
            x = layer(x, record)
        x = rearrange(x, "b (m n) (h w) c -> b (m h) (n w) c", m=self.blocks, h=side)
        return self.aggregation(x)


class HTNet(nn.Module):
    """Hierarchical transformer over a mosaic of the two eyes and the two corners of the lips.

    The map of patches is split into 4x4, then 2x2, then 1x1 blocks (for three levels); each level has twice
    the channels and twice the heads of the one before. With 7-pixel patches, which the published tables
    come from, every block is a single token, so there is no attention (:class:`SingleTokenWarning`);
    1-pixel patches, 49 tokens a block, are what the paper describes.

    >>> HTNet(patch_size=1, dim=8, heads=2, layers=(1, 1, 1))(torch.zeros(2, 3, 28, 28)).shape
    torch.Size([2, 3])

    Args:
        image_size: side of the square input, in pixels.
        patch_size: side of a patch, in pixels; patches per side must divide into the blocks.
        dim: channels of the first level.
        heads: attention heads of the first level.
        layers: transformer layers of each level. The authors' code has 10 on the last, their paper 8.
        n_classes: number of outputs (logits).
        mlp_ratio: width of the feed-forward layer over `dim`.
        activation: ``"gelu"`` as in the authors' code or ``"relu"`` as in the paper's formula.
        dropout: in [0, 1), after attention weights, attention and both feed-forward layers.

    Raises:
        ParameterError: sizes do not fit together; every fault, and the patch sizes that would do.

    Source: Wang, Zhang, Luo, Sankaranarayana: HTNet for micro-expression recognition, Neurocomputing 602
    (2024) 128196, arXiv 2307.14637, section 3 and figure 2.
    """

    #: What Grad-CAM reads: the convolution after the first level, which one level alone does not have.
    cam_layer = "levels.0.aggregation.conv"

    def __init__(
        self,
        image_size: int = 28,
        patch_size: int = 7,
        dim: int = 256,
        heads: int = 3,
        layers: tuple[int, ...] = (2, 2, 8),
        n_classes: int = 3,
        mlp_ratio: int = 4,
        activation: Activation = "gelu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        counts = {"dim": dim, "heads": heads, "n_classes": n_classes, "mlp_ratio": mlp_ratio}
        _check(image_size, patch_size, layers, counts, activation, dropout)
        self.input_shape = (3, image_size, image_size)
        self.patch_size = patch_size
        self.tokens_per_block = (image_size // patch_size // blocks_per_side(layers)) ** 2
        if self.tokens_per_block == 1:
            _warn_of_single_tokens(image_size, patch_size)
        self.embedding = nn.Linear(3 * patch_size**2, dim)
        self.levels = nn.ModuleList()
        for i, depth in enumerate(layers):
            width, last = 2**i * dim, i == len(layers) - 1
            stack = [Layer(width, 2**i * heads, mlp_ratio, activation, dropout) for _ in range(depth)]
            self.levels.append(
                Level(
                    blocks=blocks_per_side(layers[i:]),
                    tokens=self.tokens_per_block,
                    layers=nn.ModuleList(stack),
                    aggregation=nn.Identity() if last else Aggregation(width),
                )
            )
        self.norm = nn.LayerNorm(width)
        self.fc = nn.Linear(width, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, n_classes) of mosaics (batch, 3, image_size, image_size)."""
        return self._forward(x, records=[None] * len(self.levels))

    def _forward(self, x: Tensor, records: Sequence[list[Tensor] | None]) -> Tensor:
        p = self.patch_size
        # Shapes in comments: 28-pixel mosaic, patch 7, dim 256.
        x = rearrange(x, "b c (h p) (w q) -> b h w (p q c)", p=p, q=p)  # (b, 4, 4, 147)
        x = self.embedding(x)  # (b, 4, 4, 256)
        for level, record in zip(self.levels, records, strict=True):
            x = level(x, record)  # (b, 2, 2, 512), (b, 1, 1, 1024), (b, 1, 1, 1024)
        x = self.norm(x).mean(dim=(1, 2))  # (b, 1024)
        return self.fc(x)  # (b, 3)

    @torch.no_grad()
    def attention_maps(self, x: Tensor, per_layer: bool = False) -> list[Tensor]:
        """Return who attends to whom, for each level, as computed while predicting `x`.

        >>> network = HTNet(patch_size=1, dim=8, heads=2, layers=(1, 1, 2))
        >>> [tuple(level.shape) for level in network.attention_maps(torch.zeros(5, 3, 28, 28))]
        [(5, 16, 2, 49, 49), (5, 4, 4, 49, 49), (5, 1, 8, 49, 49)]

        Args:
            x: mosaics (batch, 3, image_size, image_size).
            per_layer: put one axis for the layers in front instead of the mean over them.

        Returns:
            Weights (batch, blocks, heads, tokens, tokens); the last axis, the keys, sums to 1. Blocks and
            the tokens in them count row by row.
        """
        records: list[list[Tensor]] = [[] for _ in self.levels]
        self._forward(x, records)
        stacks = [torch.stack(record) for record in records]
        return stacks if per_layer else [stack.mean(dim=0) for stack in stacks]

    def attention_image(self, x: Tensor, level: int | None = None) -> Tensor:
        """Return the attention that each pixel receives: (batch, image_size, image_size), each image summing to 1.

        Within each block, the mean over layers, heads and asking tokens; a token spreads it evenly over its pixels.
        Every block of a level has the same sum, for attention does not leave its block; where every block is a single
        token, the image is flat.

        Args:
            x: mosaics (batch, 3, image_size, image_size).
            level: 0 is the lowest, whose blocks are smallest; None takes the mean over the levels.
        """
        images = [self._painted(weights) for weights in self.attention_maps(x)]
        return torch.stack(images).mean(dim=0) if level is None else images[level]

    def _painted(self, weights: Tensor) -> Tensor:
        received = weights.mean(dim=(2, 3))  # (b, blocks, tokens), over heads and asking tokens
        blocks, side = isqrt(received.shape[1]), isqrt(received.shape[2])
        image = rearrange(received, "b (m n) (h w) -> b (m h) (n w)", m=blocks, h=side)
        pixels = self.input_shape[1] // (blocks * side)
        image = image.repeat_interleave(pixels, dim=1).repeat_interleave(pixels, dim=2)
        return image / (blocks * pixels) ** 2


def blocks_per_side(layers: Sequence[int]) -> int:
    """Return the blocks per side of the first of these levels: 4 for three levels, then 2, then 1."""
    return 2 ** (len(layers) - 1)


def legal_patch_sizes(image_size: int, blocks: int = 4) -> list[int]:
    """Return the patch sizes that split an image into a number of patches divisible by `blocks`.

    >>> legal_patch_sizes(28)
    [1, 7]
    """
    return [size for size in range(1, image_size + 1) if image_size % (size * blocks) == 0]


def load_release_state(model: HTNet, state: Mapping[str, Tensor]) -> None:
    """Load weights of the authors' release, whose names differ, tensor by tensor in their order.

    Args:
        model: a network of the same configuration; it is left as it was where something does not fit.
        state: the release's ``state_dict``; its 1x1 convolutions are (out, in, 1, 1) and its layer norms
            (1, channels, 1, 1).

    Raises:
        ParameterError: number or shapes of the tensors do not fit the model; every misfit.
    """
    ours = model.state_dict()
    if len(state) != len(ours):
        raise ParameterError(
            f"HTNet weights: expected {len(ours)} tensors, got {len(state)}; build the model with the "
            "release's layers (its training script has 10 on the last level)"
        )
    pairs = [(name, *pair) for name, *pair in zip(ours, ours.values(), state, state.values(), strict=True)]
    faults = [
        f"{name}: expected {tuple(own.shape)}, got {tuple(theirs.shape)} in {their_name!r}"
        for name, own, their_name, theirs in pairs
        if _squeezed(own) != _squeezed(theirs)
    ]
    if faults:
        hint = "build the model with the release's patch_size, dim, heads and n_classes"
        raise ParameterError(f"HTNet weights do not fit, {hint}:\n{fault_list(faults)}")
    model.load_state_dict({name: theirs.reshape(own.shape) for name, own, _, theirs in pairs})


def _squeezed(tensor: Tensor) -> tuple[int, ...]:
    return tuple(size for size in tensor.shape if size != 1)


def _warn_of_single_tokens(image_size: int, patch_size: int) -> None:
    warnings.warn(
        f"HTNet with {patch_size}-pixel patches on {image_size} pixels holds one token in every block: "
        "there is no attention, and query and key weights get no gradient. For attention take patch_size=1.",
        SingleTokenWarning,
        stacklevel=3,
    )


def _check(
    image_size: int,
    patch_size: int,
    layers: Sequence[int],
    counts: Mapping[str, int],
    activation: str,
    dropout: float,
) -> None:
    faults = [f"{name}: expected at least 1, got {value}" for name, value in counts.items() if value < 1]
    if counts["heads"] > counts["dim"]:
        faults.append(f"heads: expected at most dim = {counts['dim']}, got {counts['heads']}")
    if activation not in ACTIVATIONS:
        faults.append(f"activation: expected one of {', '.join(ACTIVATIONS)}, got {activation!r}")
    if not 0 <= dropout < 1:
        faults.append(f"dropout: expected 0 <= dropout < 1, got {dropout}")
    if not layers or min(layers) < 1:
        faults.append(f"layers: expected one number >= 1 for each level, got {tuple(layers)}")
    else:
        faults += _size_faults(image_size, patch_size, blocks_per_side(layers))
    if faults:
        raise ParameterError(f"HTNet cannot be built:\n{fault_list(faults)}")


def _size_faults(image_size: int, patch_size: int, blocks: int) -> list[str]:
    legal = legal_patch_sizes(image_size, blocks)
    if not legal:
        return [f"image_size: expected a multiple of {blocks}, one block a pixel at least, got {image_size}"]
    if patch_size in legal:
        return []
    sizes = ", ".join(map(str, legal))
    return [
        f"patch_size: expected one of {sizes} for image_size = {image_size} (the first level has "
        f"{blocks}x{blocks} blocks, so patches per side must be divisible by {blocks}), got {patch_size}"
    ]


INFO = ModelInfo(
    name="htnet",
    title="HTNet",
    factory=HTNet,
    paper="Wang, Zhang, Luo, Sankaranarayana: HTNet for micro-expression recognition, Neurocomputing 602 (2024) 128196",
    url="https://doi.org/10.1016/j.neucom.2024.128196",
    recipe={"recipe": "four_region_mosaic", "block": 7},
    small={"patch_size": 1, "dim": 8, "heads": 2, "layers": (1, 1, 1)},
    silent={
        "levels.2.position": "one number for all channels of a token: every layer norm after it takes it away; on the "
        "lower levels the convolution sees it first",
    },
    group="system",
)
