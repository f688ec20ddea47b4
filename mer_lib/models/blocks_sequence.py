"""What turns one vector a frame into the logits of a clip."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LSTMClassifier(nn.Module):
    """An LSTM over the frames, dropout, and a linear layer on its last state.

    Of a bidirectional one, the state after the last frame (forward) and that after the first (backward) are joined.

    Args:
        features: entries of a frame's vector.
        hidden: width of the LSTM, in each direction.
        n_classes: number of outputs (logits).
        dropouts: shares set to 0 after the LSTM and again before the linear layer; together they keep
            ``(1 - first) * (1 - second)`` of the state.
        bidirectional: read the frames backwards, too.
        layers: LSTMs on top of each other.
    """

    def __init__(
        self,
        features: int,
        hidden: int,
        n_classes: int,
        dropouts: tuple[float, float] = (0.0, 0.0),
        bidirectional: bool = True,
        layers: int = 1,
    ) -> None:
        super().__init__()
        self.hidden, directions = hidden, 2 if bidirectional else 1
        self.lstm = nn.LSTM(features, hidden, num_layers=layers, batch_first=True, bidirectional=bidirectional)
        self.dropout = nn.Dropout(dropouts[0])
        self.last_dropout = nn.Dropout(dropouts[1])
        self.fc = nn.Linear(directions * hidden, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, n_classes) of (batch, frames, features)."""
        states, _ = self.lstm(x)  # (b, frames, directions * hidden)
        forward, backward = states[:, -1, : self.hidden], states[:, 0, self.hidden :]  # the latter empty for one
        last = torch.cat([forward, backward], dim=1)  # (b, directions * hidden)
        return self.fc(self.last_dropout(self.dropout(last)))


def range_faults(at_least: dict[str, tuple[int, int]], shares: dict[str, float]) -> list[str]:
    """Return what is wrong with the sizes (value, least allowed) and dropouts (0 or more, below 1) of a network.

    >>> range_faults({"frames": (1, 2)}, {"dropout": 1.0})
    ['frames: expected at least 2, got 1', 'dropout: expected 0 <= dropout < 1, got 1.0']
    """
    sizes = [
        f"{name}: expected at least {least}, got {value}" for name, (value, least) in at_least.items() if value < least
    ]
    return sizes + [
        f"{name}: expected 0 <= dropout < 1, got {share}" for name, share in shares.items() if not 0 <= share < 1
    ]
