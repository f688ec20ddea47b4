"""STSTNet: three shallow streams over one flow map, 1,683 parameters."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from mer_lib.errors import ParameterError
from mer_lib.models.info import ModelInfo

FILTERS = (3, 5, 8)  # of the three streams


class STSTNet(nn.Module):
    """Shallow triple-stream network: convolution, ReLU, batch norm and pooling, three times side by side.

    Its `state_dict` has the names and shapes of the authors' PyTorch release, so that their weights of
    every subject load; those expect the channels strain, v, u as float 0 to 255.

    >>> STSTNet()(torch.zeros(2, 3, 28, 28)).shape
    torch.Size([2, 3])

    Args:
        n_classes: number of outputs (logits).
        dropout: share of the pooled values that training sets to 0, in [0, 1).

    Raises:
        ParameterError: a parameter is out of range.

    Source: Liong, Gan, See, Khor, Huang: Shallow Triple Stream Three-dimensional CNN (STSTNet) for
    Micro-expression Recognition, FG 2019, arXiv 1902.03634, section III-B and figure 2.
    """

    input_shape = (3, 28, 28)

    def __init__(self, n_classes: int = 3, dropout: float = 0.5) -> None:
        super().__init__()
        if n_classes < 1 or not 0 <= dropout < 1:
            raise ParameterError(
                f"STSTNet: expected n_classes >= 1 and 0 <= dropout < 1, got {n_classes} and {dropout}"
            )
        self.dropout = dropout
        self.conv1, self.conv2, self.conv3 = (nn.Conv2d(3, n, kernel_size=3, padding=2) for n in FILTERS)
        self.bn1, self.bn2, self.bn3 = (nn.BatchNorm2d(n) for n in FILTERS)
        self.fc = nn.Linear(sum(FILTERS) * 5 * 5, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, n_classes) of maps (batch, 3, 28, 28).

        The streams read the same map and meet only in the last layer, so the three convolutions are
        computed as one with 16 filters, and likewise the rest: half the time of three on a CPU.
        """
        if x.device.type == "cpu":
            x = x.contiguous(memory_format=torch.channels_last)
        x = self._convolve(x).relu()  # (b, 16, 30, 30)
        x = self._normalise(x)
        x = functional.max_pool2d(x, kernel_size=3, stride=3, padding=1)  # (b, 16, 10, 10)
        x = functional.avg_pool2d(self._drop(x), kernel_size=2)  # (b, 16, 5, 5)
        return self.fc(x.flatten(1))

    def _convolve(self, x: Tensor) -> Tensor:
        streams = (self.conv1, self.conv2, self.conv3)
        weight = torch.cat([stream.weight for stream in streams])
        bias = torch.cat([stream.bias for stream in streams if stream.bias is not None])
        return functional.conv2d(x, weight, bias, padding=2)

    def _normalise(self, x: Tensor) -> Tensor:
        streams = (self.bn1, self.bn2, self.bn3)
        mean, var, weight, bias = (
            torch.cat([getattr(stream, name) for stream in streams])
            for name in ("running_mean", "running_var", "weight", "bias")
        )
        x = functional.batch_norm(x, mean, var, weight, bias, training=self.training)
        if self.training:
            self._remember(mean, var)
        return x

    def _remember(self, mean: Tensor, var: Tensor) -> None:
        """Write the running statistics back to where the `state_dict` holds them."""
        streams = (self.bn1, self.bn2, self.bn3)
        with torch.no_grad():
            for stream, its_mean, its_var in zip(streams, mean.split(FILTERS), var.split(FILTERS), strict=True):
                stream.get_buffer("running_mean").copy_(its_mean)
                stream.get_buffer("running_var").copy_(its_var)
                stream.get_buffer("num_batches_tracked").add_(1)

    def _drop(self, x: Tensor) -> Tensor:
        if not self.training or self.dropout == 0:
            return x
        # Uniform numbers: torch draws them four times faster than nn.Dropout's Bernoulli mask on a CPU.
        return x * torch.rand_like(x).ge_(self.dropout).mul_(1 / (1 - self.dropout))


INFO = ModelInfo(
    name="ststnet",
    title="STSTNet",
    factory=STSTNet,
    paper="Liong, Gan, See, Khor, Huang: Shallow Triple Stream Three-dimensional CNN (STSTNet) for "
    "Micro-expression Recognition, FG 2019",
    url="https://arxiv.org/abs/1902.03634",
    recipe={"recipe": "flow_map", "order": "uvs"},
)
