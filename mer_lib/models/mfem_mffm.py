"""MFEM + MFFM: ResNet34 frame by frame with region attention between its stages, fused levels, and a BiLSTM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from mer_lib.errors import ParameterError, fault_list
from mer_lib.models.blocks_level_fusion import LevelFusion, Schedule
from mer_lib.models.blocks_region_attention import Pooling, RegionAttention, Scale, Second
from mer_lib.models.blocks_resnet_stages import N_STAGES, RESNET34, copy_imagenet, names_of, stages, stem, widths
from mer_lib.models.blocks_sequence import LSTMClassifier, range_faults
from mer_lib.models.info import ModelInfo

Join = Literal["concatenate", "reduce"]
KERNELS = (1, 3, 7)
LEAST_SIDE = 64  # pixels: of fewer, the last stage would see one, in which no region can be told from another


class MFEMMFFM(nn.Module):
    """Multi-region features and multi-level fusion over a sequence of faces.

    Each frame goes through ResNet34. Behind each stage, region attention (MFEM) looks at the stage's map; both
    together are what the next stage sees. The four attended maps interact in pairs (MFFM) and become one vector a
    frame, over which a bidirectional LSTM runs. Without either module this is the article's base model.

    >>> network = MFEMMFFM(**INFO.small)
    >>> network(torch.zeros(2, *network.input_shape)).shape
    torch.Size([2, 3])

    Args:
        image_size: side of a frame in pixels, 64 or more.
        frames: of a sequence, 2 or more.
        channels: of a frame: grey, u and v are three.
        n_classes: number of outputs (logits).
        mfem: region attention behind each stage; off, the stages' own maps go on.
        mffm: interactions between stages; off, the vector of a frame is the mean of the last map over place.
        width: channels of the first stage; 64 is ResNet34.
        depths: residual blocks of the four stages.
        reduction: by which the channel gates narrow, at most `width`.
        pooling: of the channel gates: "gem" with a learned exponent, or "mean".
        second: whether MFEM's second branch looks where in "each" of its two maps, or in their "sum".
        scale: whether MFEM's four maps are added ("sum") or averaged ("mean").
        join: "concatenate" gives the next stage map and attended map, twice its channels; "reduce" brings them down
            to its channels by a 1x1 convolution before, so that its ImageNet weights fit whole.
        schedule: which pairs of levels interact; see :class:`LevelFusion`.
        kernel: of the interactions' convolutions: 1, 3 or 7. Printed is the sign of a 7x7 convolution, which would
            have 95.9 million parameters in five interactions at the published width.
        hidden: width of the LSTM in each direction.
        dropout: after the LSTM, in [0, 1).
        last_dropout: before the linear layer, in [0, 1).

    Raises:
        ParameterError: parameters are out of range; every fault.

    Source: Cao, Zhang: Micro-expression recognition combining multi-region feature and feature fusion, 2025, article
    1000-1220(2025)08-1986-07. Size, frames, channels, reduction, kernel and LSTM are not printed.
    """

    cam_layer = "stages.3"

    def __init__(
        self,
        image_size: int = 224,
        frames: int = 10,
        channels: int = 3,
        n_classes: int = 5,
        mfem: bool = True,
        mffm: bool = True,
        width: int = 64,
        depths: tuple[int, ...] = RESNET34,
        reduction: int = 16,
        pooling: Pooling = "gem",
        second: Second = "each",
        scale: Scale = "sum",
        join: Join = "concatenate",
        schedule: Schedule = "five_pairs",
        kernel: int = 1,
        hidden: int = 256,
        dropout: float = 0.3,
        last_dropout: float = 0.5,
    ) -> None:
        super().__init__()
        _check(
            {"image_size": (image_size, LEAST_SIDE), "frames": (frames, 2), "reduction": (reduction, 1)}
            | {name: (value, 1) for name, value in {"channels": channels, "n_classes": n_classes}.items()}
            | {"width": (width, reduction), "hidden": (hidden, 1)},
            {"dropout": dropout, "last_dropout": last_dropout},
            depths,
            kernel,
        )
        self.input_shape = (frames, channels, image_size, image_size)
        wide = widths(width)
        twice = mfem and join == "concatenate"
        self.stem = stem(channels, width)
        self.stages = stages(width, depths, inputs_per_channel=2 if twice else 1)
        self.attention = nn.ModuleList(
            RegionAttention(n, reduction, pooling, second, scale) if mfem else nn.Identity() for n in wide
        )
        self.joins = nn.ModuleList(_join(n, mfem, join) for n in wide[:-1])
        self.fusion = LevelFusion(wide, schedule, kernel) if mffm else None
        features = wide[-1] if self.fusion is None else self.fusion.features
        self.sequence = LSTMClassifier(features, hidden, n_classes, (dropout, last_dropout))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, n_classes) of sequences (batch, frames, channels, image_size, image_size)."""
        # Shapes in comments: 10 frames of 224 pixels, width 64.
        vectors = self.frame_vectors(x.flatten(0, 1))  # (b * 10, 2304)
        return self.sequence(vectors.unflatten(0, x.shape[:2]))  # (b, 10, 2304) -> (b, 5)

    def frame_vectors(self, x: Tensor) -> Tensor:
        """Return one vector (n, features) of each of n frames (n, channels, image_size, image_size)."""
        levels = [attended for _, attended in self.levels(x)]
        return levels[-1].mean(dim=(2, 3)) if self.fusion is None else self.fusion(levels)

    def levels(self, x: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return each stage's map and what region attention makes of it, of n frames.

        Of 224 pixels at width 64: (n, 64, 56, 56), (n, 128, 28, 28), (n, 256, 14, 14) and (n, 512, 7, 7).
        """
        found = []
        x = self.stem(x)  # (n, 64, 56, 56)
        for stage, attention, join in zip(self.stages, self.attention, [*self.joins, None], strict=True):
            own = stage(x)
            attended = attention(own)
            found.append((own, attended))
            if join is not None:
                x = join(own, attended)
        return found

    @torch.no_grad()
    def gates(self, x: Tensor) -> list[dict[str, Tensor]]:
        """Return the gates of region attention behind each stage while sequences (batch, frames, ...) pass.

        >>> network = MFEMMFFM(**INFO.small)
        >>> [tuple(gates["space"].shape) for gates in network.gates(torch.zeros(2, *network.input_shape))]
        [(2, 3, 16, 16), (2, 3, 8, 8), (2, 3, 4, 4), (2, 3, 2, 2)]

        Returns:
            For each stage `space` (batch, frames, h, w), `channels` and `rest` (batch, frames, c), all 0 to 1; see
            :meth:`RegionAttention.gates`.

        Raises:
            ParameterError: the network was built without region attention.
        """
        found = []
        for attention, (own, _) in zip(self.attention, self.levels(x.flatten(0, 1)), strict=True):
            if not isinstance(attention, RegionAttention):
                raise ParameterError("gates: expected a network with mfem=True, got one without region attention")
            gates = attention.gates(own)
            gates["space"] = gates["space"][:, 0]
            found.append({name: gate.unflatten(0, x.shape[:2]) for name, gate in gates.items()})
        return found

    def backbone(self) -> str:
        """Name the ImageNet weights that stem and stages can start from."""
        return "resnet34"

    def load_imagenet(self, state: Mapping[str, Tensor]) -> list[str]:
        """Copy what fits of torchvision's ResNet34 and return the names of the parameters that were filled.

        Where a stage sees map and attended map, its first convolutions get ImageNet's weights for the map and zeros
        for the other. Nothing fits another `width`.
        """
        return names_of(self, copy_imagenet(self.stem, self.stages, state))


class _Own(nn.Module):
    """Without region attention the next stage sees this one's map."""

    def forward(self, own: Tensor, attended: Tensor) -> Tensor:
        return own


class _Both(nn.Module):
    """The next stage sees the map and the attended map, joined."""

    def forward(self, own: Tensor, attended: Tensor) -> Tensor:
        return torch.cat([own, attended], dim=1)


class _Reduced(nn.Module):
    """The next stage sees as many channels as the map has, made of both."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2 * channels, channels, kernel_size=1, bias=False)

    def forward(self, own: Tensor, attended: Tensor) -> Tensor:
        return self.conv(torch.cat([own, attended], dim=1))


def _join(channels: int, mfem: bool, join: Join) -> nn.Module:
    if not mfem:
        return _Own()
    return _Both() if join == "concatenate" else _Reduced(channels)


def _check(
    at_least: dict[str, tuple[int, int]], shares: dict[str, float], depths: tuple[int, ...], kernel: int
) -> None:
    faults = range_faults(at_least, shares)
    if len(depths) != N_STAGES or min(depths, default=0) < 1:
        faults.append(f"depths: expected {N_STAGES} numbers of blocks, each at least 1, got {tuple(depths)}")
    if kernel not in KERNELS:
        faults.append(f"kernel: expected one of {', '.join(map(str, KERNELS))}, got {kernel}")
    if faults:
        raise ParameterError(f"MFEM + MFFM cannot be built:\n{fault_list(faults)}")


INFO = ModelInfo(
    name="mfem_mffm",
    title="MFEM + MFFM",
    factory=MFEMMFFM,
    paper="Cao, Zhang: Micro-expression recognition combining multi-region feature and feature fusion, 2025",
    url="",
    recipe={"recipe": "magnified_sequence", "frames": 10, "size": 224},
    small={
        "image_size": 64,
        "frames": 3,
        "n_classes": 3,
        "width": 8,
        "depths": (1, 1, 1, 1),
        "reduction": 2,
        "hidden": 16,
        "dropout": 0.0,
        "last_dropout": 0.0,
    },
    group="system",
)
