"""A torch network behind scikit-learn's contract: fit, predict_proba, get_params, clone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from mer_lib.errors import ParameterError, RunError
from mer_lib.training.checkpoint import Checkpoint
from mer_lib.training.device import resolve_device
from mer_lib.training.scaling import ChannelScaler, Scaling

OPTIMISERS: dict[str, Callable[..., torch.optim.Optimizer]] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


class TorchClassifier(ClassifierMixin, BaseEstimator):
    """Train a network with softmax cross-entropy and keep what it predicted after every epoch.

    Test inputs may be handed to :meth:`fit` as `monitor`: they are predicted after every epoch and never learned
    from. Their labels are not handed over at all, so no epoch can be chosen by them in here.

    Args:
        module: factory without arguments that returns a fresh network with one output a class.
        classes: all labels, in the order of the network's outputs; None takes those seen in `fit`.
        scaling: how :class:`ChannelScaler` scales the input; it is fitted on the training samples.
        epochs: passes over the training samples.
        batch_size: samples a step; the last batch of an epoch may be smaller.
        learning_rate: step size of the optimiser.
        optimiser: ``"adam"`` or ``"adamw"``.
        weight_decay: L2 penalty (adam) or decoupled decay (adamw).
        class_weight: ``"balanced"`` weighs a class by n / (classes * n_class) of the training samples.
        shuffle: draw a new order every epoch. False trains in the order of the rows, as the authors of STSTNet
            and HTNet do (their loaders read class folder by class folder).
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
        seed: of weights, dropout and order.
        checkpoint: file for the state of a fit in progress; an interrupted fit resumes there, if parameters and data
            are the same. `module` must then be importable or a `functools.partial` of what is.
        checkpoint_every_s: least number of seconds between two writes of `checkpoint`.

    Attributes:
        classes_: labels, shape (C,).
        module_: the trained network, in evaluation mode.
        history_: training loss and accuracy per epoch, dict of lists.
        monitored_: for each name in `monitor`, float32 probabilities of shape (epochs, n, C).

    >>> from mer_lib.models import build
    >>> from functools import partial
    >>> X, y = np.random.rand(12, 3, 28, 28).astype("float32"), np.arange(12) % 3
    >>> model = TorchClassifier(partial(build, "ststnet"), epochs=2).fit(X, y, monitor={"test": X[:4]})
    >>> model.predict_proba(X).shape, model.monitored_["test"].shape
    ((12, 3), (2, 4, 3))
    """

    def __init__(
        self,
        module: Callable[[], nn.Module],
        *,
        classes: tuple[int, ...] | None = None,
        scaling: Scaling = "standard",
        epochs: int = 100,
        batch_size: int = 256,
        learning_rate: float = 5e-5,
        optimiser: str = "adam",
        weight_decay: float = 0.0,
        class_weight: Literal["balanced"] | None = None,
        shuffle: bool = True,
        device: str = "auto",
        seed: int = 0,
        checkpoint: Path | None = None,
        checkpoint_every_s: float = 60.0,
    ) -> None:
        self.module = module
        self.classes = classes
        self.scaling = scaling
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.optimiser = optimiser
        self.weight_decay = weight_decay
        self.class_weight = class_weight
        self.shuffle = shuffle
        self.device = device
        self.seed = seed
        self.checkpoint = checkpoint
        self.checkpoint_every_s = checkpoint_every_s

    def fit(self, X: np.ndarray, y: np.ndarray, monitor: Mapping[str, np.ndarray] | None = None) -> TorchClassifier:
        """Train on `X` float (N, C, H, W) and labels `y` (N,).

        Raises:
            ParameterError: parameters, shapes or labels do not fit together.
            RunError: the loss is no longer a finite number.
        """
        self._check(X, y)
        self.device_ = resolve_device(self.device)
        self.scaler_ = ChannelScaler(self.scaling).fit(X)
        inputs = self._tensor(X)
        targets = torch.from_numpy((np.asarray(y)[:, None] == self.classes_).argmax(axis=1)).to(self.device_)
        watched = {name: self._tensor(array) for name, array in (monitor or {}).items()}
        with _seeded(self.seed, self.device_):
            self.module_ = self.module().to(self.device_)
            self._check_output(inputs)
            self._train(inputs, targets, watched, self._open_checkpoint(inputs, targets, watched))
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return float32 probabilities (N, C), columns in the order of `classes_`."""
        check_is_fitted(self, "module_")
        return self._probabilities(self._tensor(X)).cpu().numpy()

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable label of each sample (N,)."""
        columns = self.predict_proba(X).argmax(axis=1)
        return self.classes_[columns]

    # -- fit, step by step ----------------------------------------------------------------------------------------

    def _check(self, X: np.ndarray, y: np.ndarray) -> None:
        faults = []
        if self.epochs < 1 or self.batch_size < 1 or self.learning_rate <= 0:
            faults.append(
                "expected epochs >= 1, batch_size >= 1, learning_rate > 0, "
                f"got {self.epochs}, {self.batch_size}, {self.learning_rate}"
            )
        if self.optimiser not in OPTIMISERS:
            faults.append(f"optimiser: expected one of {sorted(OPTIMISERS)}, got {self.optimiser!r}")
        if self.class_weight not in (None, "balanced"):
            faults.append(f"class_weight: expected None or 'balanced', got {self.class_weight!r}")
        if X.ndim != 4 or len(X) != len(y) or len(X) == 0:
            faults.append(f"X: expected (N, C, H, W) with N = {len(y)} > 0 labels, got {X.shape}")
        self.classes_ = np.unique(y) if self.classes is None else np.asarray(self.classes)
        unknown = sorted(set(np.unique(y).tolist()) - set(self.classes_.tolist()))
        if unknown:
            faults.append(f"y: expected labels among {self.classes_.tolist()}, got also {unknown}")
        if faults:
            raise ParameterError("; ".join(faults))

    def _tensor(self, X: np.ndarray) -> Tensor:
        return torch.from_numpy(self.scaler_.transform(X)).to(self.device_)

    def _open_checkpoint(self, inputs: Tensor, targets: Tensor, watched: dict[str, Tensor]) -> Checkpoint | None:
        if self.checkpoint is None:
            return None
        ignored = ("module", "checkpoint", "checkpoint_every_s", "device")
        params = sorted((k, repr(v)) for k, v in self.get_params(deep=False).items() if k not in ignored)
        key = hashlib.sha256(f"{_named(self.module)} {self.module_} {params} {self.device_.type}".encode())
        for name, tensor in {"inputs": inputs, "targets": targets, **watched}.items():
            key.update(f"{name} {tuple(tensor.shape)}".encode())
            key.update(tensor.cpu().numpy().tobytes())
        return Checkpoint(Path(self.checkpoint), key.hexdigest(), self.checkpoint_every_s)

    def _train(
        self, inputs: Tensor, targets: Tensor, watched: dict[str, Tensor], checkpoint: Checkpoint | None
    ) -> None:
        optimiser = OPTIMISERS[self.optimiser](
            self.module_.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay, fused=True
        )
        order = torch.Generator().manual_seed(self.seed)
        self.history_: dict[str, list[float]] = {"loss": [], "accuracy": []}
        recorded: dict[str, list[Tensor]] = {name: [] for name in watched}
        state = checkpoint.load() if checkpoint else None
        if state:
            self._restore(state, optimiser, order, recorded)
        loss = nn.CrossEntropyLoss(weight=self._class_weights(targets))
        for epoch in range(len(self.history_["loss"]), self.epochs):
            self._epoch(inputs, targets, loss, optimiser, order, epoch)
            self._record(watched, recorded)
            if checkpoint and checkpoint.due():
                checkpoint.save(self._state(optimiser, order, recorded))
        self.module_.eval()
        self.monitored_ = {name: torch.stack(epochs).numpy() for name, epochs in recorded.items()}
        if checkpoint:
            checkpoint.remove()

    def _check_output(self, inputs: Tensor) -> None:
        self.module_.eval()
        try:
            with torch.no_grad():
                shape = tuple(self.module_(inputs[:1]).shape)
        except RuntimeError as error:
            raise ParameterError(
                f"{type(self.module_).__name__} does not accept inputs of shape {tuple(inputs.shape)}: {error}"
            ) from None
        if shape != (1, len(self.classes_)):
            raise ParameterError(
                f"{type(self.module_).__name__}: expected {len(self.classes_)} outputs, one for each of the classes "
                f"{self.classes_.tolist()}, got {shape[1:]}"
            )

    def _class_weights(self, targets: Tensor) -> Tensor | None:
        if self.class_weight is None:
            return None
        counts = torch.bincount(targets, minlength=len(self.classes_)).float()
        return len(targets) / (len(self.classes_) * counts.clamp(min=1))

    def _epoch(
        self,
        inputs: Tensor,
        targets: Tensor,
        loss_function: nn.CrossEntropyLoss,
        optimiser: torch.optim.Optimizer,
        order: torch.Generator,
        epoch: int,
    ) -> None:
        self.module_.train()
        rows = torch.randperm(len(inputs), generator=order) if self.shuffle else torch.arange(len(inputs))
        total, correct = torch.zeros((), device=self.device_), torch.zeros((), device=self.device_)
        for batch in rows.to(self.device_).split(self.batch_size):
            logits = self.module_(inputs[batch])
            loss = loss_function(logits, targets[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.detach() * len(batch)
            correct += (logits.detach().argmax(1) == targets[batch]).sum()
        mean = float(total) / len(inputs)
        if not np.isfinite(mean):
            raise RunError(self._diverged(f"the loss of epoch {epoch + 1}"))
        self.history_["loss"].append(mean)
        self.history_["accuracy"].append(float(correct) / len(inputs))

    def _record(self, watched: dict[str, Tensor], recorded: dict[str, list[Tensor]]) -> None:
        for name, tensor in watched.items():
            probabilities = self._probabilities(tensor).cpu()
            if not probabilities.isfinite().all():
                raise RunError(self._diverged(f"the predictions of {name!r} after epoch {len(recorded[name]) + 1}"))
            recorded[name].append(probabilities)

    def _diverged(self, what: str) -> str:
        return (
            f"training diverged: expected finite numbers, got others in {what}. "
            f"Lower the learning rate (now {self.learning_rate}) or scale the input (now {self.scaling!r})."
        )

    def _probabilities(self, inputs: Tensor) -> Tensor:
        self.module_.eval()
        with torch.no_grad():
            parts = [self.module_(part).softmax(1) for part in inputs.split(self.batch_size)]
        return torch.cat(parts) if parts else inputs.new_zeros((0, len(self.classes_)))

    def _state(
        self, optimiser: torch.optim.Optimizer, order: torch.Generator, recorded: dict[str, list[Tensor]]
    ) -> dict[str, Any]:
        return {
            "module": self.module_.state_dict(),
            "optimiser": optimiser.state_dict(),
            "order": order.get_state(),
            "torch_rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state(self.device_) if self.device_.type == "cuda" else None,
            "history": self.history_,
            "recorded": {name: torch.stack(epochs) for name, epochs in recorded.items() if epochs},
        }

    def _restore(
        self,
        state: dict[str, Any],
        optimiser: torch.optim.Optimizer,
        order: torch.Generator,
        recorded: dict[str, list[Tensor]],
    ) -> None:
        self.module_.load_state_dict(state["module"])
        optimiser.load_state_dict(state["optimiser"])
        order.set_state(state["order"])
        torch.set_rng_state(state["torch_rng"])
        if state["cuda_rng"] is not None:
            torch.cuda.set_rng_state(state["cuda_rng"], self.device_)
        self.history_ = state["history"]
        for name, epochs in state["recorded"].items():
            recorded[name] = list(epochs)


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch inside the block and leave the caller's random state as it was."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        # Not torch.manual_seed, which seeds every CUDA device, whether or not this fit uses it.
        torch.default_generator.manual_seed(seed)
        for used in devices:
            with torch.cuda.device(used):
                torch.cuda.manual_seed(seed)
        yield


def _named(factory: Callable[[], nn.Module]) -> str:
    """Name a module factory the same way in every process: a function's own text would hold its memory address."""
    if isinstance(factory, partial):
        return f"{_named(factory.func)}{factory.args}{sorted(factory.keywords.items())}"
    name = getattr(factory, "__qualname__", "<instance>")
    if "<" in name:
        raise ParameterError(
            f"checkpoint: expected `module` to be a class or function of a module, or a functools.partial of one, so "
            f"that a checkpoint can tell whether it is its own; got {name}"
        )
    return f"{factory.__module__}.{name}"
