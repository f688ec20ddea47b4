"""A training in progress: all that decides how it goes on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn


class Progress:
    """Network, optimiser, random generators, and what was recorded so far; it can be kept and gone on with.

    Args:
        network: that is trained.
        optimiser: of its parameters.
        generators: of the order of samples and the like, by name.
        watched: names of the inputs that are predicted after each epoch.
        device: of the network.

    Attributes:
        history: learning rate, loss and accuracy of each epoch so far.
        recorded: for each of `watched`, probabilities after each epoch so far.
    """

    def __init__(
        self,
        network: nn.Module,
        optimiser: torch.optim.Optimizer,
        generators: Mapping[str, torch.Generator],
        watched: Iterable[str],
        device: torch.device,
    ) -> None:
        self._network, self._optimiser, self._generators, self._device = network, optimiser, generators, device
        self.history: dict[str, list[float]] = {"loss": [], "accuracy": [], "learning_rate": []}
        self.recorded: dict[str, list[Tensor]] = {name: [] for name in watched}

    @property
    def epochs(self) -> int:
        """How many epochs are behind it."""
        return len(self.history["loss"])

    def note(self, **values: float) -> None:
        """Add one epoch to the history."""
        for name, value in values.items():
            self.history[name].append(value)

    def state(self) -> dict[str, Any]:
        """Return everything as tensors, numbers, strings, lists and dicts."""
        return {
            "module": self._network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "generators": {name: generator.get_state() for name, generator in self._generators.items()},
            "torch_rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state(self._device) if self._device.type == "cuda" else None,
            "history": self.history,
            "recorded": {name: torch.stack(epochs) for name, epochs in self.recorded.items() if epochs},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what :meth:`state` returned; torch's own random numbers go on, too."""
        self._network.load_state_dict(state["module"])
        self._optimiser.load_state_dict(state["optimiser"])
        for name, generator in self._generators.items():
            generator.set_state(state["generators"][name])
        torch.set_rng_state(state["torch_rng"])
        if state["cuda_rng"] is not None:
            torch.cuda.set_rng_state(state["cuda_rng"], self._device)
        self.history = state["history"]
        for name, epochs in state["recorded"].items():
            self.recorded[name] = list(epochs)
