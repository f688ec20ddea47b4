"""YOLO11 as a classifier, in three scales: what Mishin reads images of flow angles with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from mer_lib.errors import ParameterError, fault_list
from mer_lib.models.info import ModelInfo

Fit = Literal["pad", "stretch", "native"]


class Scale(NamedTuple):
    """Share of the widest network's channels, most channels that a stage may have, blocks nested everywhere or late."""

    width: float
    limit: int
    nested: bool


SCALES = {"n": Scale(0.25, 1024, False), "s": Scale(0.5, 1024, False), "m": Scale(1.0, 512, True)}
HEAD_CHANNELS = 64  # of one attention head
SMALLEST = 32  # pixels that five halvings make one cell of


class Conv(nn.Sequential):
    """Convolution without bias, batch norm, and SiLU unless it is switched off."""

    def __init__(self, n_in: int, n_out: int, size: int = 1, stride: int = 1, groups: int = 1, act: bool = True):
        super().__init__(
            nn.Conv2d(n_in, n_out, size, stride, padding=size // 2, groups=groups, bias=False),
            nn.BatchNorm2d(n_out, eps=1e-3),
            nn.SiLU() if act else nn.Identity(),
        )


class Bottleneck(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, n: int, hidden: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(Conv(n, hidden, 3), Conv(hidden, n, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Map (b, n, h, w) to the same shape."""
        return x + self.convs(x)


class C3k(nn.Module):
    """Two branches of half the channels, one of them through two bottlenecks, joined by a 1x1 convolution."""

    def __init__(self, n: int) -> None:
        super().__init__()
        half = n // 2
        self.deep = nn.Sequential(Conv(n, half), Bottleneck(half, half), Bottleneck(half, half))
        self.flat = Conv(n, half)
        self.join = Conv(2 * half, n)

    def forward(self, x: Tensor) -> Tensor:
        """Map (b, n, h, w) to the same shape."""
        return self.join(torch.cat([self.deep(x), self.flat(x)], dim=1))


class C3k2(nn.Module):
    """Split in two, one half goes through a block; both halves and what the block made of one are joined.

    Args:
        n_in: channels that come in.
        n_out: channels that go out.
        share: of `n_out`, channels of a half.
        nested: whether the block is a :class:`C3k` rather than a bottleneck.
    """

    def __init__(self, n_in: int, n_out: int, share: float, nested: bool) -> None:
        super().__init__()
        half = int(n_out * share)
        self.split = Conv(n_in, 2 * half)
        self.block = C3k(half) if nested else Bottleneck(half, half // 2)
        self.join = Conv(3 * half, n_out)

    def forward(self, x: Tensor) -> Tensor:
        """Map (b, n_in, h, w) to (b, n_out, h, w)."""
        first, second = self.split(x).chunk(2, dim=1)
        return self.join(torch.cat([first, second, self.block(second)], dim=1))


class Attention(nn.Module):
    """Attention among all cells of the grid, keys half as wide as values; a 3x3 convolution says where a cell is."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.heads = max(n // HEAD_CHANNELS, 1)
        self.value = n // self.heads
        self.key = self.value // 2
        self.qkv = Conv(n, self.heads * (2 * self.key + self.value), act=False)
        self.position = Conv(n, n, 3, groups=n, act=False)
        self.out = Conv(n, n, act=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (b, n, h, w) to the same shape."""
        tokens = self.qkv(x).unflatten(1, (self.heads, -1)).flatten(3)  # (b, heads, 2 key + value, h w)
        query, key, value = tokens.split([self.key, self.key, self.value], dim=2)
        weights = (query.transpose(2, 3) @ key * self.key**-0.5).softmax(dim=-1)  # (b, heads, h w, h w)
        value, mixed = (part.flatten(1, 2).reshape(x.shape) for part in (value, value @ weights.transpose(2, 3)))
        return self.out(mixed + self.position(value))


class C2PSA(nn.Module):
    """Split in two, one half goes through attention and two 1x1 convolutions, each beside a shortcut; then joined."""

    def __init__(self, n: int) -> None:
        super().__init__()
        half = n // 2
        self.split = Conv(n, 2 * half)
        self.attention = Attention(half)
        self.mlp = nn.Sequential(Conv(half, 2 * half), Conv(2 * half, half, act=False))
        self.join = Conv(2 * half, n)

    def forward(self, x: Tensor) -> Tensor:
        """Map (b, n, h, w) to the same shape."""
        first, second = self.split(x).chunk(2, dim=1)
        second = second + self.attention(second)
        second = second + self.mlp(second)
        return self.join(torch.cat([first, second], dim=1))


class Classify(nn.Module):
    """1x1 convolution, mean over all cells, dropout, linear."""

    def __init__(self, n: int, hidden: int, n_classes: int, dropout: float) -> None:
        super().__init__()
        self.conv = Conv(n, hidden)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(hidden, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map (b, n, h, w) to logits (b, n_classes)."""
        return self.linear(self.dropout(self.conv(x).mean(dim=(2, 3))))


class YOLO11Classifier(nn.Module):
    """Five halvings of the grid with blocks between them, one layer of attention, and a linear layer.

    With an input of 42 regions by 64 frames the five halvings leave 2 by 2 cells, so that the attention sees four
    tokens, each a quarter of the face and of the time; `side` 224 leaves it 49. Time is an axis of the image: nothing
    in here knows that it runs forwards.

    >>> YOLO11Classifier(scale="n")(torch.zeros(2, 3, 42, 64)).shape
    torch.Size([2, 6])

    Args:
        n_classes: number of outputs (logits).
        channels: of the input: 3, or 1, which is shown three times, as grey images are.
        rows: of the input.
        columns: of the input.
        scale: "n", "s" (the paper's: 5,450,694 parameters with six classes) or "m".
        width: factor on the channels of `scale`, for networks smaller than any of them; every stage keeps at least 4.
        hidden: channels of the last convolution.
        dropout: share of these that training sets to 0, in [0, 1).
        momentum: of every batch norm, by which a step renews its running mean and variance, in (0, 1]. As published a
            step counts 3 %, so that a network trained for a hundred steps is tested with those of its random beginning.
        fit: "pad" adds rows below or columns to the right until the image is square; "stretch" makes it square by
            bilinear resampling; "native" leaves it.
        side: of the square in pixels, to which it is resampled bilinearly; None keeps the longer side as it is.
        pad_value: what "pad" adds; the code of "no motion" is 0 in cosines and sines and -1 in grey levels, as they
            come out of :class:`mer_lib.features.AngleImage`, before scaling.

    Raises:
        ParameterError: parameters are out of range; all of them at once.

    Source: Mishin, Classification of micro-expressions based on optical flow with regard to gender, 2025, names
    "YOLOv11-S" with about nine million parameters and says no more: that is the size of the detector, and the
    classifier of that scale has 5.45 million. Architecture: Khanam, Hussain, YOLOv11: An Overview of the Key
    Architectural Enhancements, arXiv 2410.17725. Weights are drawn at random: no pretrained ones are offered.
    """

    #: Eighth of the input's side: the last grid on which a place is still a place.
    cam_layer = "stages.4"

    def __init__(
        self,
        n_classes: int = 6,
        channels: int = 3,
        rows: int = 42,
        columns: int = 64,
        scale: Literal["n", "s", "m"] = "s",
        width: float = 1.0,
        hidden: int = 1280,
        dropout: float = 0.0,
        momentum: float = 0.03,
        fit: Fit = "pad",
        side: int | None = None,
        pad_value: float = 0.0,
    ) -> None:
        super().__init__()
        self.input_shape = (channels, rows, columns)
        self.fit, self.pad_value = fit, pad_value
        self.size = _size(rows, columns, fit, side)  # as the first convolution sees it
        numbers = _numbers(n_classes, width, hidden, dropout, momentum)
        faults = [*numbers, *_names(scale, fit), *_image(self.input_shape, fit, side)]
        if faults:
            raise ParameterError(f"YOLO11Classifier:\n{fault_list(faults)}")
        share, limit, nested = SCALES[scale]
        a, b, c, d, e = (max(int(min(n, limit) * share * width), 4) for n in (64, 128, 256, 512, 1024))
        # Sides for an image of 64 x 64; channels for scale "s".
        self.stages = nn.Sequential(
            Conv(3, a, 3, stride=2),  # (b, 32, 32, 32)
            Conv(a, b, 3, stride=2),  # (b, 64, 16, 16)
            C3k2(b, c, 0.25, nested),  # (b, 128, 16, 16)
            Conv(c, c, 3, stride=2),  # (b, 128, 8, 8)
            C3k2(c, d, 0.25, nested),  # (b, 256, 8, 8)
            Conv(d, d, 3, stride=2),  # (b, 256, 4, 4)
            C3k2(d, d, 0.5, nested=True),  # (b, 256, 4, 4)
            Conv(d, e, 3, stride=2),  # (b, 512, 2, 2)
            C3k2(e, e, 0.5, nested=True),  # (b, 512, 2, 2)
            C2PSA(e),  # (b, 512, 2, 2)
        )
        self.classify = Classify(e, hidden, n_classes, dropout)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = momentum

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, n_classes) of images (batch, channels, rows, columns)."""
        return self.classify(self.stages(self.image(x)))

    def image(self, x: Tensor) -> Tensor:
        """Return what the first convolution sees: (batch, 3, *size)."""
        x = x.expand(-1, 3, -1, -1)
        if self.fit == "pad":
            longer = max(x.shape[2:])
            x = functional.pad(x, (0, longer - x.shape[3], 0, longer - x.shape[2]), value=self.pad_value)
        if tuple(x.shape[2:]) != self.size:
            x = functional.interpolate(x, self.size, mode="bilinear", align_corners=False)
        return x


def _size(rows: int, columns: int, fit: str, side: int | None) -> tuple[int, int]:
    if fit == "native":
        return rows, columns
    return (max(rows, columns),) * 2 if side is None else (side, side)


def _numbers(n_classes: int, width: float, hidden: int, dropout: float, momentum: float) -> Iterator[str]:
    if n_classes < 1 or hidden < 1:
        yield f"expected n_classes >= 1 and hidden >= 1, got {n_classes} and {hidden}"
    if not 0 < width <= 4:
        yield f"width: expected a factor above 0, up to 4, got {width}"
    if not 0 <= dropout < 1:
        yield f"dropout: expected a share in [0, 1), got {dropout}"
    if not 0 < momentum <= 1:
        yield f"momentum: expected a share in (0, 1], got {momentum}"


def _names(scale: str, fit: str) -> Iterator[str]:
    if scale not in SCALES:
        yield f"scale: expected one of {', '.join(SCALES)}, got {scale!r}"
    if fit not in get_args(Fit):
        yield f"fit: expected one of {', '.join(get_args(Fit))}, got {fit!r}"


def _image(shape: tuple[int, int, int], fit: str, side: int | None) -> Iterator[str]:
    channels, rows, columns = shape
    if channels not in (1, 3) or min(rows, columns) < 1:
        yield f"expected 1 or 3 channels and at least one row and column, got {channels}, {rows}, {columns}"
    if fit == "native" and side is not None:
        yield f"side: expected None for fit 'native', which resamples nothing, got {side}"
    if max(size := _size(rows, columns, fit, side)) <= SMALLEST:
        # One cell in the end: nothing to attend to, and in training no variance to divide by.
        yield f"expected an image of more than {SMALLEST} pixels, to be halved 5 times, on its longer side, got {size}"


INFO = ModelInfo(
    name="yolo11_classifier",
    title="YOLO11 classifier",
    factory=YOLO11Classifier,
    paper="Mishin: Classification of micro-expressions based on optical flow with regard to gender, 2025",
    url="https://arxiv.org/abs/2410.17725",
    recipe={"recipe": "angle_image"},
    small={"scale": "n", "width": 0.5, "hidden": 64, "momentum": 0.1},
    silent={
        "stages.9.attention.[op]*.1.bias": "a shift of a channel, which the next batch normalisation takes away",
        "stages.9.mlp.1.1.bias": "likewise a shift that the next batch normalisation takes away",
    },
    group="system",
)
