"""RCN: a recurrent convolutional layer over one flow map, and three modules without parameters of their own."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from mer_lib.errors import ParameterError, fault_list
from mer_lib.models.info import ModelInfo

SIDE = 5  # of the map that the classifier reads


class RecurrentLayer(nn.Module):
    """One convolution used again and again: each time it reads the layer's input and what it gave before.

    With `shortcut` it reads all that was given before, and is used one time more.

    Source: Liang, Hu: Recurrent convolutional neural network for object recognition, CVPR 2015; 1x1 forward and 3x3
    recurrent convolution, whose batch norm is the same at every step, as in the release of the authors of RCN.
    """

    def __init__(self, width: int, steps: int, shortcut: bool, dropout: float) -> None:
        super().__init__()
        self.steps, self.shortcut = steps, shortcut
        self.forward_conv = _conv_norm_relu(width, width, size=1)
        self.recurrent_conv = _conv_norm_relu(width, width, size=3, padding=1)
        self.pool = nn.Sequential(nn.MaxPool2d(kernel_size=2), nn.Dropout(dropout))

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, width, h, w) to (batch, width, h / 2, w / 2), rounded down."""
        state = self.forward_conv(x)
        if not self.shortcut:
            for _ in range(self.steps):
                state = self.recurrent_conv(x + state)
            return self.pool(state)
        seen = x + state
        for _ in range(self.steps):
            state = self.recurrent_conv(seen)
            seen = seen + state
        return self.pool(self.recurrent_conv(seen))


class WideEntry(nn.Module):
    """Wide expansion: three streams that look ever farther apart take the place of one convolution.

    3x3 convolutions with stride 3 and dilations 1, 2, 3 have a half, a quarter and the rest of the channels.
    """

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        shares = (width // 2, width // 4, width - width // 2 - width // 4)
        self.streams = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(3, share, kernel_size=3, stride=3, padding=dilation, dilation=dilation),
                nn.ReLU(),
                nn.BatchNorm2d(share),
                nn.Dropout(dropout),
            )
            for dilation, share in enumerate(shares, start=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, 3, h, w) to (batch, width, h / 3, w / 3), rounded up."""
        return torch.cat([stream(x) for stream in self.streams], dim=1)


class RCN(nn.Module):
    """One convolution, one recurrent convolutional layer, pooling to 5x5, one dense layer.

    15,235 parameters at 32 channels, 13,731 with `wide`: `attention` and `shortcut` add none, for attention is
    read off the weights of the classifier, and shortcuts use the same convolution once more.

    >>> RCN(width=8)(torch.zeros(2, 3, 28, 28)).shape
    torch.Size([2, 3])

    Args:
        n_classes: number of outputs (logits).
        image_size: rows and columns of the map, at least 28.
        width: channels of every convolution, at least 4.
        layers: recurrent layers; each halves the map.
        steps: how often a recurrent layer feeds its output back.
        wide: wide expansion (:class:`WideEntry`) in place of the 5x5 convolution: RCN-W.
        shortcut: a recurrent layer adds up all that it gave before: RCN-S.
        attention: what the classifier weighs most, in the map before the recurrent layer, weighs the map after it:
            RCN-A, the variant that others compare with. RCN-P, RCN-C and RCN-F combine modules as a search found.
        dropout: after each pooling, in [0, 1).

    Raises:
        ParameterError: parameters are out of range, all of them at once.

    Source: Xia, Peng, Khor, Feng, Zhao: Revealing the Invisible With Model and Data Shrinking for Composite-Database
    Micro-Expression Recognition, IEEE Transactions on Image Processing 29 (2020), arXiv 2006.09674, section III; sizes
    of convolutions and pooling are those of the authors' release, whose maps are larger. Where attention is the same
    all over a map, the release divides by zero; here the map is then weighed by 0.
    """

    cam_layer = "recurrent"

    def __init__(
        self,
        n_classes: int = 3,
        image_size: int = 28,
        width: int = 32,
        layers: int = 1,
        steps: int = 2,
        wide: bool = False,
        shortcut: bool = False,
        attention: bool = True,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        counts = {"n_classes": n_classes, "layers": layers, "steps": steps}
        _check(counts, image_size, width, dropout)
        self.input_shape = (3, image_size, image_size)
        self.attention = attention
        self.entry = WideEntry(width, dropout) if wide else _entry(width, dropout)
        self.recurrent = nn.Sequential(*(RecurrentLayer(width, steps, shortcut, dropout) for _ in range(layers)))
        self.fc = nn.Linear(width * SIDE * SIDE, n_classes)
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, n_classes) of maps (batch, 3, image_size, image_size)."""
        x = self.entry(x)  # (b, 32, 12, 12); wide: (b, 32, 10, 10)
        weights = self._weights(x) if self.attention else 1
        x = self.recurrent(x)  # (b, 32, 6, 6); wide: (b, 32, 5, 5)
        x = functional.adaptive_avg_pool2d(x, SIDE) * weights  # (b, 32, 5, 5)
        return self.fc(x.flatten(1))  # (b, 3)

    @torch.no_grad()
    def attention_image(self, x: Tensor) -> Tensor:
        """Return the weight of the places that each pixel lies in: (batch, rows, columns), each summing to 1.

        There are 5x5 places. An image whose weights are all 0 is flat.

        Raises:
            ParameterError: the network was built without attention.
        """
        if not self.attention:
            raise ParameterError("RCN: expected a network built with attention=True, this one has no attention")
        image = functional.interpolate(self._weights(self.entry(x)), size=tuple(x.shape[2:]), mode="nearest-exact")[
            :, 0
        ]
        total = image.sum(dim=(1, 2), keepdim=True)
        return torch.where(total > 0, image / total.clamp(min=1e-12), 1 / image[0].numel())

    def _weights(self, x: Tensor) -> Tensor:
        """Return the mean over classes of class activation maps, each stretched to 0..1: (batch, 1, 5, 5)."""
        x = functional.adaptive_avg_pool2d(x, SIDE)
        classes = rearrange(self.fc.weight, "k (c h w) -> k c h w", h=SIDE, w=SIDE)
        cams = (x[:, None] * classes).mean(dim=2)  # (b, k, 5, 5)
        cams = cams - cams.amin(dim=(2, 3), keepdim=True)
        cams = cams / cams.amax(dim=(2, 3), keepdim=True).clamp(min=1e-12)
        return cams.mean(dim=1, keepdim=True)


def _entry(width: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(_conv_norm_relu(3, width, size=5), nn.MaxPool2d(kernel_size=2), nn.Dropout(dropout))


def _conv_norm_relu(before: int, after: int, size: int, padding: int = 0) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, size, padding=padding, bias=False), nn.BatchNorm2d(after), nn.ReLU())


def _initialise(module: nn.Module) -> None:
    """Draw weights as the authors do."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0, 0.01)
        nn.init.zeros_(module.bias)


def _check(counts: Mapping[str, int], image_size: int, width: int, dropout: float) -> None:
    faults = [f"{name}: expected at least 1, got {value}" for name, value in counts.items() if value < 1]
    if width < 4:
        faults.append(f"width: expected at least 4, got {width}")
    if image_size < 28:
        faults.append(f"image_size: expected at least 28, got {image_size}")
    elif counts["layers"] > (deepest := (image_size // 3).bit_length() - 1):
        faults.append(f"layers: expected at most {deepest} on {image_size} pixels, got {counts['layers']}")
    if not 0 <= dropout < 1:
        faults.append(f"dropout: expected 0 <= dropout < 1, got {dropout}")
    if faults:
        raise ParameterError(f"RCN cannot be built:\n{fault_list(faults)}")


INFO = ModelInfo(
    name="rcn",
    title="RCN",
    factory=RCN,
    paper="Xia, Peng, Khor, Feng, Zhao: Revealing the Invisible With Model and Data Shrinking for Composite-Database "
    "Micro-Expression Recognition, IEEE Transactions on Image Processing 29 (2020)",
    url="https://arxiv.org/abs/2006.09674",
    recipe={"recipe": "flow_map", "order": "uvs"},
    small={"width": 16, "dropout": 0.0},
)
