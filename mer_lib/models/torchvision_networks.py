"""AlexNet, VGG11, VGG16, GoogLeNet and ResNet18 with a last layer of one's own, at any width.

Each is torchvision's network layer by layer and name by name, so that its ImageNet weights load by name; `width` says
how many channels the first convolution has, and all others keep their proportion to it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from torch import Tensor, nn

from mer_lib.errors import ParameterError, fault_list
from mer_lib.models.blocks_resnet import initialise, load_fitting, stage
from mer_lib.models.info import ModelInfo

WIDTH = 64  # channels of the first convolution of all five, as published
#: Channels of the convolutions of VGG; "M" halves the sides.
VGG11 = (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M")
VGG16 = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M")
#: Channels of the branches of GoogLeNet's inception blocks: 1x1; 3x3 and what is before it; 5x5 (in torchvision 3x3)
#: and what is before it; behind the pooling.
INCEPTIONS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


class ImageNetwork(nn.Module):
    """What the five share: square images, checked sizes, and ImageNet weights."""

    name: str
    smallest = 32

    def __init__(self, channels: int, image_size: int, n_classes: int, width: int, dropout: float) -> None:
        super().__init__()
        faults = [
            f"{name}: expected at least 1, got {value}"
            for name, value in {"n_classes": n_classes, "width": width}.items()
            if value < 1
        ]
        if channels not in (1, 3):
            faults.append(f"channels: expected 3, or 1 for grey, got {channels}")
        if image_size < self.smallest:
            faults.append(f"image_size: expected at least {self.smallest}, got {image_size}")
        if not 0 <= dropout < 1:
            faults.append(f"dropout: expected 0 <= dropout < 1, got {dropout}")
        if faults:
            raise ParameterError(f"{type(self).__name__} cannot be built:\n{fault_list(faults)}")
        self.input_shape = (channels, image_size, image_size)

    def backbone(self) -> str:
        """Return the name of the ImageNet weights that it can start from."""
        return self.name

    def load_imagenet(self, state: Mapping[str, Tensor]) -> list[str]:
        """Copy what fits of torchvision's weights; return the parameters loaded.

        The last layer, and all of another width or number of channels, do not fit and are left out.
        """
        return load_fitting(self, state)


def scaled(channels: int, width: int) -> int:
    """Return `channels` of a network of width 64 as they are at `width`, at least 1."""
    return max(1, channels * width // WIDTH)


class AlexNet(ImageNetwork):
    """Five convolutions and three fully connected layers.

    >>> import torch
    >>> AlexNet(image_size=64, width=8)(torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2, 3])

    Args:
        n_classes: number of outputs (logits).
        channels: of the image: 3, or 1 for grey.
        image_size: side of the square image in pixels, at least 63.
        width: channels of the first convolution.
        dropout: share of values that training sets to 0 before both hidden layers, in [0, 1).

    Raises:
        ParameterError: a parameter is out of range; all faults at once.

    Source: Krizhevsky: One weird trick for parallelizing convolutional neural networks, arXiv 1404.5997, as in
    torchvision.
    """

    name = "alexnet"
    smallest = 63
    cam_layer = "features"

    def __init__(
        self, n_classes: int = 3, channels: int = 3, image_size: int = 224, width: int = WIDTH, dropout: float = 0.5
    ) -> None:
        super().__init__(channels, image_size, n_classes, width, dropout)
        first, second, third, fourth, hidden = (scaled(n, width) for n in (64, 192, 384, 256, 4096))
        self.features = nn.Sequential(
            nn.Conv2d(channels, first, 11, stride=4, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(first, second, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(second, third, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(third, fourth, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(fourth, fourth, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(6)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(36 * fourth, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, n_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, n_classes) of images (batch, channels, image_size, image_size)."""
        x = self.features(x)  # (b, 256, 6, 6) of 224 pixels
        return self.classifier(self.avgpool(x).flatten(1))


class VGG(ImageNetwork):
    """Convolutions of 3x3 in five stages, and three fully connected layers; the base of VGG11 and VGG16."""

    plan: tuple[int | str, ...]
    cam_layer = "features"

    def __init__(
        self, n_classes: int = 3, channels: int = 3, image_size: int = 224, width: int = WIDTH, dropout: float = 0.5
    ) -> None:
        super().__init__(channels, image_size, n_classes, width, dropout)
        layers: list[nn.Module] = []
        for step in self.plan:
            if isinstance(step, str):
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(channels, scaled(step, width), 3, padding=1), nn.ReLU()]
                channels = scaled(step, width)
        hidden = scaled(4096, width)
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(
            nn.Linear(49 * channels, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, n_classes),
        )
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, n_classes) of images (batch, channels, image_size, image_size)."""
        x = self.features(x)  # (b, 512, 7, 7) of 224 pixels
        return self.classifier(self.avgpool(x).flatten(1))


class VGG11Network(VGG):
    """VGG with 8 convolutions.

    >>> import torch
    >>> VGG11Network(image_size=32, width=8)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 3])

    Args:
        n_classes: number of outputs (logits).
        channels: of the image: 3, or 1 for grey.
        image_size: side of the square image in pixels, at least 32.
        width: channels of the first convolution.
        dropout: share of values that training sets to 0 behind both hidden layers, in [0, 1).

    Raises:
        ParameterError: a parameter is out of range; all faults at once.

    Source: Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015, table 1,
    column A.
    """

    name = "vgg11"
    plan = VGG11


class VGG16Network(VGG):
    """VGG with 13 convolutions.

    >>> import torch
    >>> VGG16Network(image_size=32, width=8)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 3])

    Args:
        n_classes: number of outputs (logits).
        channels: of the image: 3, or 1 for grey.
        image_size: side of the square image in pixels, at least 32.
        width: channels of the first convolution.
        dropout: share of values that training sets to 0 behind both hidden layers, in [0, 1).

    Raises:
        ParameterError: a parameter is out of range; all faults at once.

    Source: Simonyan, Zisserman, ICLR 2015, table 1, column D.
    """

    name = "vgg16"
    plan = VGG16


class GoogLeNet(ImageNetwork):
    """Nine inception blocks, with batch norm and without the auxiliary outputs, as torchvision trains it.

    >>> import torch
    >>> GoogLeNet(image_size=64, width=8)(torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2, 3])

    Args:
        n_classes: number of outputs (logits).
        channels: of the image: 3, or 1 for grey.
        image_size: side of the square image in pixels, at least 47.
        width: channels of the first convolution.
        dropout: share of values that training sets to 0 before the last layer, in [0, 1).

    Raises:
        ParameterError: a parameter is out of range; all faults at once.

    Source: Szegedy et al.: Going Deeper with Convolutions, CVPR 2015, table 1; torchvision has 3x3 where the paper has
    5x5.
    """

    name = "googlenet"
    smallest = 47  # below, the last map is a single value, which batch norm cannot scale in a batch of one
    cam_layer = "inception5b"

    def __init__(
        self, n_classes: int = 3, channels: int = 3, image_size: int = 224, width: int = WIDTH, dropout: float = 0.2
    ) -> None:
        from torchvision.models.googlenet import BasicConv2d  # takes a second to import: only where it is built

        super().__init__(channels, image_size, n_classes, width, dropout)
        first, third = scaled(64, width), scaled(192, width)
        self.conv1 = BasicConv2d(channels, first, kernel_size=7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = BasicConv2d(first, first, kernel_size=1)
        self.conv3 = BasicConv2d(first, third, kernel_size=3, padding=1)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        blocks, outputs = _inceptions(third, width)
        for name in ("3a", "3b"):
            self.add_module(f"inception{name}", blocks[name])
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        for name in ("4a", "4b", "4c", "4d", "4e"):
            self.add_module(f"inception{name}", blocks[name])
        self.maxpool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        for name in ("5a", "5b"):
            self.add_module(f"inception{name}", blocks[name])
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(outputs, n_classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, n_classes) of images (batch, channels, image_size, image_size)."""
        for layer in self.children():  # in the order above, which is that of the paper's table
            x = layer(x.flatten(1) if layer is self.dropout else x)
        return x


def _inceptions(inputs: int, width: int) -> tuple[OrderedDict[str, nn.Module], int]:
    """Return the inception blocks by name, and the channels of the last."""
    from torchvision.models.googlenet import Inception

    blocks: OrderedDict[str, nn.Module] = OrderedDict()
    for name, plan in INCEPTIONS.items():
        channels = [scaled(n, width) for n in plan]
        blocks[name] = Inception(inputs, *channels)
        inputs = channels[0] + channels[2] + channels[4] + channels[5]
    return blocks, inputs


class ResNet18(ImageNetwork):
    """Eight residual blocks of two convolutions in four stages.

    >>> import torch
    >>> ResNet18(image_size=40, width=8)(torch.zeros(2, 3, 40, 40)).shape
    torch.Size([2, 3])

    Args:
        n_classes: number of outputs (logits).
        channels: of the image: 3, or 1 for grey.
        image_size: side of the square image in pixels, at least 33.
        width: channels of the first convolution.

    Raises:
        ParameterError: a parameter is out of range; all faults at once.

    Source: He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, CVPR 2016, table 1.
    """

    name = "resnet18"
    smallest = 33  # below, the last map is a single value, which batch norm cannot scale in a batch of one
    cam_layer = "layer4"

    def __init__(self, n_classes: int = 3, channels: int = 3, image_size: int = 224, width: int = WIDTH) -> None:
        super().__init__(channels, image_size, n_classes, width, dropout=0.0)
        self.conv1 = nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = stage(width, width, stride=1)
        self.layer2 = stage(width, 2 * width, stride=2)
        self.layer3 = stage(2 * width, 4 * width, stride=2)
        self.layer4 = stage(4 * width, 8 * width, stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8 * width, n_classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, n_classes) of images (batch, channels, image_size, image_size)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))  # (b, 64, 56, 56) of 224 pixels
        x = self.layer2(self.layer1(x))  # (b, 128, 28, 28)
        x = self.layer4(self.layer3(x))  # (b, 512, 7, 7)
        return self.fc(self.avgpool(x).flatten(1))


_FACE = {"recipe": "apex_face"}
INFOS = (
    ModelInfo(
        name="alexnet",
        title="AlexNet",
        factory=AlexNet,
        paper="Krizhevsky: One weird trick for parallelizing convolutional neural networks, 2014",
        url="https://arxiv.org/abs/1404.5997",
        recipe=_FACE,
        small={"image_size": 64, "width": 8, "dropout": 0.0},
    ),
    ModelInfo(
        name="googlenet",
        title="GoogLeNet",
        factory=GoogLeNet,
        paper="Szegedy et al.: Going Deeper with Convolutions, CVPR 2015",
        url="https://arxiv.org/abs/1409.4842",
        recipe=_FACE,
        small={"image_size": 48, "width": 8, "dropout": 0.0},
    ),
    ModelInfo(
        name="vgg11",
        title="VGG11",
        factory=VGG11Network,
        paper="Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015",
        url="https://arxiv.org/abs/1409.1556",
        recipe=_FACE,
        small={"image_size": 32, "width": 8, "dropout": 0.0},
    ),
    ModelInfo(
        name="vgg16",
        title="VGG16",
        factory=VGG16Network,
        paper="Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015",
        url="https://arxiv.org/abs/1409.1556",
        recipe=_FACE,
        small={"image_size": 32, "width": 8, "dropout": 0.0},
    ),
    ModelInfo(
        name="resnet18",
        title="ResNet18",
        factory=ResNet18,
        paper="He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, CVPR 2016",
        url="https://arxiv.org/abs/1512.03385",
        recipe=_FACE,
        small={"image_size": 40, "width": 8},
    ),
)
