"""Training inputs on their way into a network: picked, changed at random where that is asked for, scaled."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mer_lib.errors import RunError
from mer_lib.training.augmentation import Augmentation
from mer_lib.training.scaling import ChannelScaler


class Batches:
    """Give out batches of training inputs.

    An augmentation sees inputs as the recipe makes them, with their units, before they are scaled.

    Args:
        inputs: float (n, ...), one a row.
        scaler: fitted.
        augmentation: None leaves the inputs as they are.
        seed: of what the augmentation draws.
        device: to which batches are brought.
    """

    def __init__(
        self,
        inputs: np.ndarray,
        scaler: ChannelScaler,
        augmentation: Augmentation | None,
        seed: int,
        device: torch.device,
    ) -> None:
        self.augmentation, self.device = augmentation, device
        self.generator = torch.Generator().manual_seed(seed)
        self._mean, self._scale = torch.from_numpy(scaler.mean_), torch.from_numpy(scaler.scale_)
        if augmentation is None:
            self._inputs = torch.from_numpy(scaler.transform(inputs)).to(device)
        else:
            self._inputs = torch.from_numpy(np.ascontiguousarray(inputs, np.float32))

    def take(self, rows: Tensor) -> Tensor:
        """Return the inputs of `rows`, int64 (batch,) on the CPU, as the network is fed them."""
        if self.augmentation is None:
            return self._inputs[rows.to(self.device)]
        plain = self._inputs[rows]
        changed = self.augmentation(plain, self.generator)
        if changed.shape != plain.shape:
            raise RunError(f"augmentation: expected inputs of shape {tuple(plain.shape)}, got {tuple(changed.shape)}")
        return ((changed - self._mean) / self._scale).to(self.device)
