"""Micro-attention: residual blocks that weigh the places of their map before they add to it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from mer_lib.errors import ParameterError, fault_list
from mer_lib.models.blocks_resnet import initialise, shortcut
from mer_lib.models.info import ModelInfo

SMALLEST = 33  # pixels; below, the last map is a single value, which batch norm cannot scale in a batch of one


class MicroAttentionBlock(nn.Module):
    """A residual block whose output is weighted place by place before it is added to the shortcut.

    The two convolutions see 3x3 and 5x5 places; one 1x1 convolution reads both, so that a block gains two numbers a
    channel and one more. The factor of a place is 1 + weight, so 1 to 2: places are raised, and none is put out.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, attention: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.attend = nn.Conv2d(2 * outputs, 1, 1) if attention else None
        self.downsample = shortcut(inputs, outputs, stride) if stride > 1 or inputs != outputs else None

    def forward(self, x: Tensor, record: list[Tensor] | None = None) -> Tensor:
        """Map (batch, inputs, rows, columns) to (batch, outputs, rows', columns'); append the weights to `record`."""
        small = self.relu(self.bn1(self.conv1(x)))
        large = self.bn2(self.conv2(small))
        if self.attend is not None:
            weights = self.attend(torch.cat([small, large], dim=1)).sigmoid()  # (b, 1, h, w)
            large = large * (1 + weights)
            if record is not None:
                record.append(weights)
        return self.relu(large + (x if self.downsample is None else self.downsample(x)))


class MicroAttention(nn.Module):
    """A residual network of ten blocks with micro-attention in each.

    >>> MicroAttention(image_size=40, width=8, blocks=(1, 1, 1, 1))(torch.zeros(2, 3, 40, 40)).shape
    torch.Size([2, 3])

    Args:
        n_classes: number of outputs (logits).
        channels: of the image: 3, or 1 for grey.
        image_size: side of the square image in pixels, at least 33.
        width: channels of the first stage; each stage has twice those of the one before.
        blocks: of each stage; all but the first stage halve the sides.
        attention: False leaves plain residual blocks, the ablation.

    Raises:
        ParameterError: a parameter is out of range; all faults at once.

    Source: Wang, Peng, Bi, Chen: Micro-attention for micro-expression recognition, Neurocomputing 410 (2020), arXiv
    1811.02360: ten residual blocks, attention from several scales inside of each, and few parameters for it. How the
    blocks are spread over stages, and how both scales become one weight, is our choice; the authors pre-train on faces
    with macro-expressions, which is left out.
    """

    def __init__(
        self,
        n_classes: int = 3,
        channels: int = 3,
        image_size: int = 224,
        width: int = 64,
        blocks: tuple[int, ...] = (2, 3, 3, 2),
        attention: bool = True,
    ) -> None:
        super().__init__()
        _check(n_classes, channels, image_size, width, blocks)
        self.input_shape = (channels, image_size, image_size)
        self.attention = attention
        self.stem = nn.Sequential(
            nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        widths = [2**i * width for i, count in enumerate(blocks) for _ in range(count)]
        strides = [2 if i > 0 and at == 0 else 1 for i, count in enumerate(blocks) for at in range(count)]
        self.blocks = nn.ModuleList(
            MicroAttentionBlock(inputs, outputs, stride, attention)
            for inputs, outputs, stride in zip([width, *widths[:-1]], widths, strides, strict=True)
        )
        self.fc = nn.Linear(widths[-1], n_classes)
        self.cam_layer = f"blocks.{len(widths) - 1}"
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, n_classes) of images (batch, channels, image_size, image_size)."""
        return self._forward(x, None)

    def _forward(self, x: Tensor, record: list[Tensor] | None) -> Tensor:
        x = self.stem(x)  # (b, 64, 56, 56) of 224 pixels
        for block in self.blocks:
            x = block(x, record)  # 64 channels of 56x56, 128 of 28x28, 256 of 14x14, 512 of 7x7
        return self.fc(x.mean(dim=(2, 3)))

    @torch.no_grad()
    def attention_image(self, x: Tensor) -> Tensor:
        """Return the mean weight of each pixel over all blocks, (batch, image_size, image_size), 0 to 1.

        Raises:
            ParameterError: the network was built without attention.
        """
        if not self.attention:
            raise ParameterError("attention_image: this network was built with attention=False, so it has none")
        record: list[Tensor] = []
        self._forward(x, record)
        sides = x.shape[-2:]
        grown = [functional.interpolate(weights, sides, mode="bilinear") for weights in record]
        return torch.stack(grown).mean(dim=0)[:, 0]


def _check(n_classes: int, channels: int, image_size: int, width: int, blocks: Sequence[int]) -> None:
    faults = [
        f"{name}: expected at least 1, got {value}"
        for name, value in {"n_classes": n_classes, "width": width}.items()
        if value < 1
    ]
    if channels not in (1, 3):
        faults.append(f"channels: expected 3, or 1 for grey, got {channels}")
    if not blocks or min(blocks) < 1 or len(blocks) > 4:
        faults.append(f"blocks: expected 1 to 4 numbers of at least 1, got {tuple(blocks)}")
    if image_size < SMALLEST:
        faults.append(f"image_size: expected at least {SMALLEST}, got {image_size}")
    if faults:
        raise ParameterError(f"MicroAttention cannot be built:\n{fault_list(faults)}")


INFO = ModelInfo(
    name="micro_attention",
    title="Micro-attention",
    factory=MicroAttention,
    paper="Wang, Peng, Bi, Chen: Micro-attention for micro-expression recognition, Neurocomputing 410 (2020)",
    url="https://doi.org/10.1016/j.neucom.2020.06.005",
    recipe={"recipe": "apex_face"},
    small={"image_size": 40, "width": 8, "blocks": (1, 1, 1, 1)},
)
