"""OFF-ApexNet: two small convolutional streams, over horizontal and vertical flow."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mer_lib.errors import ParameterError, fault_list
from mer_lib.models.blocks_streams import dense_faults, stream_faults
from mer_lib.models.info import ModelInfo


class OffApexNet(nn.Module):
    """Two streams of convolution and pooling, twice each; then two wide dense layers over both.

    2,664,475 parameters at the published sizes; all but 5,144 are in the dense layers. (Later articles print 2.66 or
    2.77 million.) Strain, the third channel of our maps, is not looked at unless `channels` names it.

    >>> OffApexNet()(torch.zeros(2, 3, 28, 28)).shape
    torch.Size([2, 3])

    Args:
        n_classes: number of outputs (logits).
        image_size: rows and columns of the map, a multiple of 4.
        channels: which channels of the map have a stream of their own: u and v of maps in the order u, v, strain.
        filters: of the first and the second convolution of a stream.
        hidden: width of both dense layers.
        dropout: after each dense layer, in [0, 1). The article names none.

    Raises:
        ParameterError: parameters are out of range, all of them at once.

    Source: Gan, Liong, Yau, Huang, Tan: OFF-ApexNet on micro-expression recognition system, Signal Processing: Image
    Communication 74 (2019) 129-139, arXiv 1805.08699, section 3 and figure 5: 5x5 convolutions with 6 and 16 filters,
    pooling by 2, 1,024 units twice. ReLU after each, and padding that keeps the size, are our reading.
    """

    cam_layer = "maps"

    def __init__(
        self,
        n_classes: int = 3,
        image_size: int = 28,
        channels: tuple[int, ...] = (0, 1),
        filters: tuple[int, int] = (6, 16),
        hidden: int = 1024,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if faults := stream_faults(channels, filters, image_size) + dense_faults(n_classes, hidden, dropout):
            raise ParameterError(f"OFF-ApexNet cannot be built:\n{fault_list(faults)}")
        self.input_shape = (3, image_size, image_size)
        self.channels = channels
        self.streams = nn.ModuleList(_stream(*filters) for _ in channels)
        self.maps = nn.Identity()  # where the streams meet: read by Grad-CAM
        self.head = nn.Sequential(
            nn.Linear(len(channels) * filters[1] * (image_size // 4) ** 2, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, n_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, n_classes) of maps (batch, 3, image_size, image_size)."""
        streams = [stream(x[:, c : c + 1]) for c, stream in zip(self.channels, self.streams, strict=True)]
        x = self.maps(torch.cat(streams, dim=1))  # (b, 2 * 16, 7, 7)
        return self.head(x.flatten(1))  # (b, 1568), (b, 1024), (b, 1024), (b, 3)


def _stream(first: int, second: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, first, kernel_size=5, padding=2),  # (b, 6, 28, 28)
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=2),  # (b, 6, 14, 14)
        nn.Conv2d(first, second, kernel_size=5, padding=2),  # (b, 16, 14, 14)
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=2),  # (b, 16, 7, 7)
    )


INFO = ModelInfo(
    name="off_apexnet",
    title="OFF-ApexNet",
    factory=OffApexNet,
    paper="Gan, Liong, Yau, Huang, Tan: OFF-ApexNet on micro-expression recognition system, Signal Processing: Image "
    "Communication 74 (2019) 129-139",
    url="https://arxiv.org/abs/1805.08699",
    recipe={"recipe": "flow_map", "order": "uvs"},
    small={"filters": (4, 8), "hidden": 32},
)
