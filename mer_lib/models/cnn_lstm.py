"""CNN + LSTM: a small convolutional network frame by frame, and an LSTM over what it says."""

from __future__ import annotations

from torch import Tensor, nn

from mer_lib.errors import ParameterError, fault_list
from mer_lib.models.blocks_sequence import LSTMClassifier, range_faults
from mer_lib.models.info import ModelInfo

GRID = 4  # cells a side to which the last map is pooled, so that the vector of a frame says where


class CNNLSTM(nn.Module):
    """Convolutions on every frame, a linear layer, and an LSTM whose last state is classified.

    >>> import torch
    >>> network = CNNLSTM(**INFO.small)
    >>> network(torch.zeros(2, *network.input_shape)).shape
    torch.Size([2, 3])

    Args:
        image_size: side of a frame in pixels, 4 times 2 to the number of `widths` or more.
        frames: of a sequence, 2 or more.
        channels: of a frame.
        n_classes: number of outputs (logits).
        widths: channels of the convolutions; each is followed by batch norm, ReLU and a maximum that halves the side.
        features: entries of a frame's vector.
        hidden: width of the LSTM, which reads forwards alone.
        layers: LSTMs on top of each other.
        dropout: before the last linear layer, in [0, 1).

    Raises:
        ParameterError: parameters are out of range; every fault.

    Source: after Kim, Baddar, Ro: Micro-expression recognition with expression-state constrained spatio-temporal
    feature representations, ACM Multimedia 2016. Their network learns its frames beforehand, with losses that keep
    onset, apex and offset apart; here all is trained at once by the one loss, and depths and widths are ours.
    """

    cam_layer = "convolutions"

    def __init__(
        self,
        image_size: int = 64,
        frames: int = 10,
        channels: int = 3,
        n_classes: int = 3,
        widths: tuple[int, ...] = (16, 32, 64),
        features: int = 128,
        hidden: int = 128,
        layers: int = 1,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        sizes = {"channels": channels, "n_classes": n_classes, "features": features, "hidden": hidden, "layers": layers}
        at_least = {name: (value, 1) for name, value in sizes.items()}
        at_least |= {"image_size": (image_size, GRID * 2 ** len(widths)), "frames": (frames, 2)}
        _check(at_least, dropout, widths)
        self.input_shape = (frames, channels, image_size, image_size)
        given = (channels, *widths[:-1])
        self.convolutions = nn.Sequential(*(_layer(n, m) for n, m in zip(given, widths, strict=True)))
        self.pool = nn.AdaptiveAvgPool2d(GRID)
        self.features = nn.Sequential(nn.Linear(widths[-1] * GRID**2, features), nn.ReLU())
        self.sequence = LSTMClassifier(features, hidden, n_classes, (0.0, dropout), bidirectional=False, layers=layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, n_classes) of sequences (batch, frames, channels, image_size, image_size)."""
        # Shapes in comments: 10 frames of 64 pixels.
        maps = self.convolutions(x.flatten(0, 1))  # (b * 10, 64, 8, 8)
        vectors = self.features(self.pool(maps).flatten(1))  # (b * 10, 128)
        return self.sequence(vectors.unflatten(0, x.shape[:2]))  # (b, 10, 128) -> (b, 3)


def _layer(inputs: int, outputs: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2))


def _check(at_least: dict[str, tuple[int, int]], dropout: float, widths: tuple[int, ...]) -> None:
    faults = range_faults(at_least, {"dropout": dropout})
    if min(widths, default=0) < 1:
        faults.append(f"widths: expected one number >= 1 for each convolution, got {tuple(widths)}")
    if faults:
        raise ParameterError(f"CNN + LSTM cannot be built:\n{fault_list(faults)}")


INFO = ModelInfo(
    name="cnn_lstm",
    title="CNN + LSTM",
    factory=CNNLSTM,
    paper="after Kim, Baddar, Ro: Expression-state constrained spatio-temporal features, ACM Multimedia 2016",
    url="https://doi.org/10.1145/2964284.2967247",
    recipe={"recipe": "magnified_sequence", "frames": 10, "size": 64, "channels": ["grey", "u", "v"]},
    small={"image_size": 32, "frames": 3, "widths": (8, 8, 16), "features": 32, "hidden": 16, "dropout": 0.0},
)
