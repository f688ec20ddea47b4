"""Dual-Inception: two streams of inception blocks, over horizontal and vertical flow."""

from __future__ import annotations

from torch import Tensor, nn

from mer_lib.errors import ParameterError, fault_list
from mer_lib.models.blocks_streams import InceptionStreams, dense_faults, stream_faults
from mer_lib.models.info import ModelInfo


class DualInception(nn.Module):
    """Two inception blocks a stream, whose maps are joined and read by one dense layer.

    6,449,867 parameters at the published sizes; 6.43 million are in the dense layer, 11,620 in each stream. Strain,
    the third channel of our maps, is not looked at unless `channels` names it.

    >>> import torch
    >>> DualInception(hidden=16)(torch.zeros(2, 3, 28, 28)).shape
    torch.Size([2, 3])

    Args:
        n_classes: number of outputs (logits).
        image_size: rows and columns of the map; each block halves them.
        channels: which channels of the map have a stream of their own: u and v of maps in the order u, v, strain.
        filters: of each of the four ways of the first and the second block.
        hidden: width of the dense layer.
        dropout: after the dense layer, in [0, 1). The article names none.

    Raises:
        ParameterError: parameters are out of range, all of them at once.

    Source: Zhou, Mao, Xue: Dual-Inception Network for Cross-Database Micro-Expression Recognition, FG 2019, section III
    and figure 3. The count of 6.45 million that later articles give is that of 6 and 16 filters and 1,024 units; the
    order of pooling and convolution in the fourth way is that of GoogLeNet.
    """

    cam_layer = "maps"

    def __init__(
        self,
        n_classes: int = 3,
        image_size: int = 28,
        channels: tuple[int, ...] = (0, 1),
        filters: tuple[int, ...] = (6, 16),
        hidden: int = 1024,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if faults := stream_faults(channels, filters, image_size) + dense_faults(n_classes, hidden, dropout):
            raise ParameterError(f"Dual-Inception cannot be built:\n{fault_list(faults)}")
        self.input_shape = (3, image_size, image_size)
        self.maps = InceptionStreams(channels, filters, image_size)
        self.head = nn.Sequential(
            nn.Linear(self.maps.features, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, n_classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, n_classes) of maps (batch, 3, image_size, image_size)."""
        x = self.maps(x)  # (b, 2 * 64, 7, 7); within a stream (b, 24, 14, 14), (b, 64, 7, 7)
        return self.head(x.flatten(1))  # (b, 6272), (b, 1024), (b, 3)


INFO = ModelInfo(
    name="dual_inception",
    title="Dual-Inception",
    factory=DualInception,
    paper="Zhou, Mao, Xue: Dual-Inception Network for Cross-Database Micro-Expression Recognition, FG 2019",
    url="https://doi.org/10.1109/FG.2019.8756579",
    recipe={"recipe": "flow_map", "order": "uvs"},
    small={"filters": (3, 4), "hidden": 32},
)
