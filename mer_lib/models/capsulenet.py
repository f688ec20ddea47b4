"""CapsuleNet: the first stages of an image network, capsules on a grid, and one capsule a class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import torch
from einops import rearrange
from torch import Tensor, nn

from mer_lib.errors import ParameterError, fault_list
from mer_lib.models.blocks_capsules import ClassCapsules, Gradient, PrimaryCapsules
from mer_lib.models.blocks_resnet import initialise, load_fitting, stage
from mer_lib.models.info import ModelInfo

Front = Literal["resnet18", "vgg11"]
FRONTS: tuple[Front, ...] = ("resnet18", "vgg11")
PRIMARY_STRIDE = 2


class CapsuleReading(NamedTuple):
    """What capsules say of a batch.

    Attributes:
        lengths: of the class capsules, (batch, classes), 0 to 1.
        capsules: of the classes, (batch, classes, class_dim).
        primary: lengths of the primary capsules, (batch, types, rows, columns), 0 to 1.
        routing: share of each primary capsule that goes to each class in each iteration, (iterations, batch, types,
            rows, columns, classes); the last axis sums to 1.
        votes: how much each place of the grid adds to each class, (batch, classes, rows, columns); they sum to the
            length of the class capsule before it is squashed.
    """

    lengths: Tensor
    capsules: Tensor
    primary: Tensor
    routing: Tensor
    votes: Tensor


class ResNetFront(nn.Module):
    """Stem and first three stages of an 18-layer residual network: an eighth of each side, 4 x width channels.

    Args:
        channels: of the image.
        width: channels of the first stage.
        stem_pool: keep the max pooling after the first convolution; CapsuleNet leaves it out.
    """

    def __init__(self, channels: int, width: int, stem_pool: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1) if stem_pool else nn.Identity()
        self.layer1 = stage(width, width, stride=1)
        self.layer2 = stage(width, 2 * width, stride=2)
        self.layer3 = stage(2 * width, 4 * width, stride=2)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (batch, channels, side, side) to (batch, 4 width, side / 8, side / 8)."""
        x = self.relu(self.bn1(self.conv1(x)))  # (b, 64, 112, 112)
        x = self.layer1(self.maxpool(x))  # (b, 64, 112, 112)
        x = self.layer2(x)  # (b, 128, 56, 56)
        return self.layer3(x)  # (b, 256, 28, 28)


class VGGFront(nn.Sequential):
    """The first four convolutions of an 11-layer VGG with their three poolings: an eighth of each side.

    Named as torchvision names them: the numbers of the layers.
    """

    def __init__(self, channels: int, width: int) -> None:
        layers: list[nn.Module] = []
        for outputs, pooled in ((width, True), (2 * width, True), (4 * width, False), (4 * width, True)):
            layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.ReLU()]
            layers += [nn.MaxPool2d(2)] if pooled else []
            channels = outputs
        super().__init__(*layers)
        initialise(self)


class CapsuleNet(nn.Module):
    """Capsules over the first stages of an image network; the length of a class capsule says how sure it is.

    Lengths are no logits: train with the margin loss; lengths divided by their sum stand in for probabilities.

    >>> network = CapsuleNet(image_size=64, width=8, kernel=3, types=4)
    >>> network(torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2, 3])
    >>> network.grid
    (2, 2)

    Args:
        n_classes: number of class capsules.
        channels: of the image: 3, or 1 for grey.
        image_size: side of the square image, in pixels.
        front: "resnet18" (published) or "vgg11" (ablation of table 3).
        width: channels of the first stage; all other convolutions grow with it. 64 is published.
        kernel: side of the two convolutions behind the front, in cells of its map. 9 is published.
        types: primary capsules at each place of the grid. 32 is published.
        primary_dim: numbers in a primary capsule. 8 is published.
        class_dim: numbers in a class capsule. 16 is published.
        iterations: of routing; 1 weighs all pairs of capsules alike. 3 is published.
        routing_gradient: "last" lets the gradient through the last iteration alone, as the authors' code does.
        weight_scale: standard deviation of the matrices between capsules at the start; 0.01 in the authors' code. With
            few primary capsules take more: squashing is flat near zero.
        stem_pool: keep the max pooling of a standard residual network. At 224 pixels nothing is left for capsules then.

    Raises:
        ParameterError: sizes are out of range or do not fit together; all faults at once.

    Source: Quang, Chun, Tokuyama: CapsuleNet for Micro-Expression Recognition, FG 2019, section III and figure 4; the
    9x9 convolution between front and capsules and the scale of the matrices from the authors' code.
    """

    cam_layer = "front"

    def __init__(
        self,
        n_classes: int = 3,
        channels: int = 3,
        image_size: int = 224,
        front: Front = "resnet18",
        width: int = 64,
        kernel: int = 9,
        types: int = 32,
        primary_dim: int = 8,
        class_dim: int = 16,
        iterations: int = 3,
        routing_gradient: Gradient = "last",
        weight_scale: float = 0.01,
        stem_pool: bool = False,
    ) -> None:
        super().__init__()
        counts = {
            "n_classes": n_classes,
            "width": width,
            "kernel": kernel,
            "types": types,
            "primary_dim": primary_dim,
            "class_dim": class_dim,
            "iterations": iterations,
        }
        _check(counts, channels, front, routing_gradient, weight_scale, stem_pool)
        side = _grid_side(image_size, kernel, stem_pool, front)
        self.input_shape = (channels, image_size, image_size)
        self.grid = (side, side)
        self.types = types
        self.front_name = front
        self.front: nn.Module = (
            ResNetFront(channels, width, stem_pool) if front == "resnet18" else VGGFront(channels, width)
        )
        self.conv = nn.Conv2d(4 * width, 4 * width, kernel)
        self.relu = nn.ReLU()
        self.primary = PrimaryCapsules(4 * width, types, primary_dim, kernel, PRIMARY_STRIDE)
        self.classes = ClassCapsules(
            types * side**2, n_classes, primary_dim, class_dim, iterations, routing_gradient, weight_scale
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the lengths of the class capsules (batch, n_classes), 0 to 1, of images (batch, channels, H, W)."""
        # Shapes in comments: the published sizes.
        u = self._primary(x)  # (b, 1152, 8)
        return _lengths(self.classes(u).capsules)  # (b, 3, 16), (b, 3)

    def _primary(self, x: Tensor) -> Tensor:
        x = self.front(x)  # (b, 256, 28, 28)
        x = self.relu(self.conv(x))  # (b, 256, 20, 20)
        return self.primary(x)  # 6x6 places, 32 types: (b, 1152, 8)

    @torch.no_grad()
    def read(self, x: Tensor) -> CapsuleReading:
        """Return what the capsules say of images `x` (batch, channels, H, W), and how they were routed.

        >>> reading = CapsuleNet(image_size=64, width=8, kernel=3, types=4).eval().read(torch.rand(5, 3, 64, 64))
        >>> tuple(reading.routing.shape), tuple(reading.votes.shape)
        ((3, 5, 4, 2, 2, 3), (5, 3, 2, 2))
        """
        u = self._primary(x)
        routed = self.classes(u)
        sizes = {"t": self.types, "h": self.grid[0]}
        return CapsuleReading(
            lengths=_lengths(routed.capsules),
            capsules=routed.capsules,
            primary=rearrange(_lengths(u), "b (t h w) -> b t h w", **sizes),
            routing=rearrange(routed.coupling, "i b (t h w) c -> i b t h w c", **sizes),
            votes=rearrange(routed.votes, "b (t h w) c -> b t c h w", **sizes).sum(dim=1),
        )

    def backbone(self) -> str:
        """Return the name of the ImageNet weights that the front can start from."""
        return self.front_name

    def load_imagenet(self, state: Mapping[str, Tensor]) -> list[str]:
        """Copy what fits of torchvision's weights of :meth:`backbone` into the front; return the parameters loaded.

        Those of another width or number of channels do not fit and are left out.
        """
        named = {name.removeprefix("features."): tensor for name, tensor in state.items()}
        return load_fitting(self, named, prefix="front.")


def _lengths(capsules: Tensor) -> Tensor:
    return torch.linalg.vector_norm(capsules, dim=-1)


def _grid_side(image_size: int, kernel: int, stem_pool: bool, front: str) -> int:
    """Return the side of the grid of primary capsules, with ParameterError where nothing is left for it."""
    side = _front_side(image_size, stem_pool, front)
    grid = (side - 2 * kernel + 1) // PRIMARY_STRIDE + 1
    if grid < 1:
        raise ParameterError(
            f"CapsuleNet cannot be built: the front makes {side}x{side} cells of {image_size} pixels, and two "
            f"convolutions of {kernel}x{kernel} cells without padding need {2 * kernel - 1}; take larger images or a "
            f"smaller kernel{', or leave out stem_pool' if stem_pool else ''}"
        )
    return grid


def _front_side(image_size: int, stem_pool: bool, front: str) -> int:
    """Return the side of the front's map: residual stages round halves up, the poolings of VGG down."""
    for _ in range(4 if stem_pool else 3):
        image_size = image_size // 2 if front == "vgg11" else -(-image_size // 2)
    return image_size


def _check(
    counts: Mapping[str, int], channels: int, front: str, gradient: str, weight_scale: float, stem_pool: bool
) -> None:
    faults = [f"{name}: expected at least 1, got {value}" for name, value in counts.items() if value < 1]
    if channels not in (1, 3):
        faults.append(f"channels: expected 3, or 1 for grey, got {channels}")
    if front not in FRONTS:
        faults.append(f"front: expected one of {', '.join(FRONTS)}, got {front!r}")
    if gradient not in ("last", "all"):
        faults.append(f"routing_gradient: expected 'last' or 'all', got {gradient!r}")
    if weight_scale <= 0:
        faults.append(f"weight_scale: expected more than 0, got {weight_scale}")
    if stem_pool and front == "vgg11":
        faults.append("stem_pool: a residual network has one; VGG has its own poolings, so expected False")
    if faults:
        raise ParameterError(f"CapsuleNet cannot be built:\n{fault_list(faults)}")


INFO = ModelInfo(
    name="capsulenet",
    title="CapsuleNet",
    factory=CapsuleNet,
    paper="Quang, Chun, Tokuyama: CapsuleNet for Micro-Expression Recognition, FG 2019",
    url="https://doi.org/10.1109/FG.2019.8756544",
    recipe={"recipe": "apex_face"},
    small={"image_size": 48, "width": 8, "kernel": 2, "types": 4, "weight_scale": 0.3},
    group="system",
)
