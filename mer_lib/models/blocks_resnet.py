"""Basic residual blocks and the stem of an 18-layer residual network, named as torchvision names them."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut: ``relu(x' + bn(conv(relu(bn(conv(x))))))``.

    The shortcut x' is x itself, or, where channels or size change, a strided 1x1 convolution of it.

    Source: He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, CVPR 2016, figures 2 and 3.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = shortcut(inputs, outputs, stride) if stride > 1 or inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, inputs, rows, columns) to (batch, outputs, rows / stride, columns / stride)."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


def shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """Return the 1x1 convolution that gives a shortcut the size and channels of what it is added to."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


def stage(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """Return one stage of an 18-layer network: two blocks, the first of which may halve the sides."""
    return nn.Sequential(BasicBlock(inputs, outputs, stride), BasicBlock(outputs, outputs))


def initialise(network: nn.Module) -> None:
    """Draw the weights of convolutions as He et al. do (normal, fan out); batch norm starts as the identity."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def load_fitting(network: nn.Module, state: Mapping[str, Tensor], prefix: str = "") -> list[str]:
    """Copy every tensor of `state` that `network` has by the same name and shape; return the parameters loaded.

    Running means and variances of batch norm are copied, too, but are no parameters.

    Args:
        network: changed in place.
        state: weights by name.
        prefix: what the names of `network` have in front, such as ``"front."``.

    Returns:
        Names of parameters of `network`, in its order.
    """
    own = network.state_dict()
    fitting = {
        prefix + name: tensor
        for name, tensor in state.items()
        if prefix + name in own and own[prefix + name].shape == tensor.shape
    }
    network.load_state_dict(fitting, strict=False)
    return [name for name, _ in network.named_parameters() if name in fitting]
