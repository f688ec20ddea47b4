"""A torch network behind scikit-learn's contract: fit, predict_proba, get_params, clone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from mer_lib.errors import ParameterError, RunError
from mer_lib.features.recipes import ViewRule
from mer_lib.models.weights import How
from mer_lib.training.augmentation import Augmentation
from mer_lib.training.batches import Batches
from mer_lib.training.checkpoint import Checkpoint
from mer_lib.training.device import resolve_device
from mer_lib.training.losses import LossName, balanced_weights, check_outputs, make_loss, probabilities
from mer_lib.training.optimisers import OptimiserName, Schedule, make_optimiser, rate, set_rate
from mer_lib.training.progress import Progress
from mer_lib.training.reproducible import lasting_name, seeded
from mer_lib.training.sampling import Sampling, epoch_rows
from mer_lib.training.scaling import ChannelScaler, Scaling
from mer_lib.training.settings import setting_faults
from mer_lib.training.starting import start
from mer_lib.training.views import mean_over_views, to_predict, to_train


class TorchClassifier(ClassifierMixin, BaseEstimator):
    """Train a network and keep what it predicted after every epoch.

    Test inputs may be handed to :meth:`fit` as `monitor`: they are predicted after every epoch and never learned
    from. Their labels are not handed over at all, so no epoch can be chosen by them in here.

    Args:
        module: factory without arguments that returns a fresh network with one output a class.
        classes: all labels, in the order of the network's outputs; None takes those seen in `fit`.
        views: what the first axis of a sample holds, see :mod:`mer_lib.training.views`; "none": a sample is one input.
        scaling: how :class:`ChannelScaler` scales the input; it is fitted on the training inputs.
        epochs: passes over the training samples.
        batch_size: inputs a step; the last batch of an epoch may be smaller.
        learning_rate: step size of the optimiser in the first epoch.
        optimiser: ``"adam"`` or ``"adamw"`` with `betas`, or ``"sgd"`` with `momentum`.
        weight_decay: L2 penalty (adam, sgd) or decoupled decay (adamw).
        schedule: learning rate over epochs, see :func:`mer_lib.training.optimisers.rate`; `gamma` is its factor.
        loss: ``"cross_entropy"`` of logits, or ``"margin"`` of lengths, which then stand for probabilities when they
            are divided by their sum; see :mod:`mer_lib.training.losses`, also for `margins`.
        class_weight: ``"balanced"`` weighs a class by n / (classes * n_class) of the training samples.
        shuffle: draw a new order every epoch. False trains in the order of the rows, as the authors of STSTNet
            and HTNet do (their loaders read class folder by class folder).
        sampling: which inputs an epoch shows, see :func:`mer_lib.training.sampling.epoch_rows`; ``"neighbours"`` needs
            views "extra".
        augmentation: changes training inputs at random, before they are scaled; None leaves them.
        weights: what training starts from, see :func:`mer_lib.training.starting.start`.
        freeze: of loaded weights, which ones are kept.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
        seed: of weights, dropout, order and augmentation.
        checkpoint: file for the state of a fit in progress, written every `checkpoint_every_s` at most; an interrupted
            fit of the same parameters and data resumes there. `module` must then be importable, or a partial of that.

    Attributes:
        classes_: labels, shape (C,).
        module_: the trained network, in evaluation mode.
        weights_: what training started from, in words.
        history_: learning rate, mean loss and accuracy of the training inputs per epoch, dict of lists.
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
        views: ViewRule = "none",
        scaling: Scaling = "standard",
        epochs: int = 100,
        batch_size: int = 256,
        learning_rate: float = 5e-5,
        optimiser: OptimiserName = "adam",
        momentum: float = 0.9,
        betas: tuple[float, float] = (0.9, 0.999),
        weight_decay: float = 0.0,
        schedule: Schedule = "constant",
        gamma: float = 0.9,
        loss: LossName = "cross_entropy",
        margins: tuple[float, float] = (0.9, 0.1),
        class_weight: Literal["balanced"] | None = None,
        shuffle: bool = True,
        sampling: Sampling = "plain",
        augmentation: Augmentation | None = None,
        weights: How = "random",
        freeze: tuple[str, ...] = (),
        device: str = "auto",
        seed: int = 0,
        checkpoint: Path | None = None,
        checkpoint_every_s: float = 60.0,
    ) -> None:
        self.module = module
        self.classes = classes
        self.views = views
        self.scaling = scaling
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.optimiser = optimiser
        self.momentum = momentum
        self.betas = betas
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.gamma = gamma
        self.loss = loss
        self.margins = margins
        self.class_weight = class_weight
        self.shuffle = shuffle
        self.sampling = sampling
        self.augmentation = augmentation
        self.weights = weights
        self.freeze = freeze
        self.device = device
        self.seed = seed
        self.checkpoint = checkpoint
        self.checkpoint_every_s = checkpoint_every_s

    def fit(self, X: np.ndarray, y: np.ndarray, monitor: Mapping[str, np.ndarray] | None = None) -> TorchClassifier:
        """Train on `X` float (N, C, H, W) or (N, T, C, H, W), with views (N, V, ...), and labels `y` (N,).

        Raises:
            ParameterError: parameters, shapes or labels do not fit together.
            DataError: weights that training shall start from cannot be had.
            RunError: the loss is no longer a finite number.
        """
        self._check(X, y)
        self.device_ = resolve_device(self.device)
        inputs, self._views = to_train(X, self.views, extra=self.sampling == "neighbours")
        self.scaler_ = ChannelScaler(self.scaling).fit(inputs)
        targets = torch.from_numpy((np.asarray(y)[:, None] == self.classes_).argmax(axis=1))
        watched = {name: self.inputs(array) for name, array in (monitor or {}).items()}
        with seeded(self.seed, self.device_):
            self.module_ = self.module()
            self.weights_ = start(self.module_, self.weights, self.freeze)
            self.module_.to(self.device_)
            check_outputs(self.module_, self.inputs(X[:1])[:1], self.classes_.tolist(), self.loss)
            self._train(inputs, targets, watched, self._open_checkpoint(inputs, targets, watched))
        return self

    def inputs(self, X: np.ndarray) -> Tensor:
        """Return what the network is fed to predict `X`: scaled, on the device, the views of a sample in a row."""
        flat, _ = to_predict(X, self.views)
        return torch.from_numpy(self.scaler_.transform(flat)).to(self.device_)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return float32 probabilities (N, C), columns in the order of `classes_`."""
        check_is_fitted(self, "module_")
        return self._probabilities(self.inputs(X)).cpu().numpy()

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable label of each sample (N,)."""
        columns = self.predict_proba(X).argmax(axis=1)
        return self.classes_[columns]

    def state(self) -> dict[str, Any]:
        """Return what a fit has learned, as tensors, numbers, strings, lists and dicts."""
        check_is_fitted(self, "module_")
        scaling = {"mean": torch.from_numpy(self.scaler_.mean_), "scale": torch.from_numpy(self.scaler_.scale_)}
        learned = {"module": self.module_.state_dict(), "classes": self.classes_.tolist(), "views": self._views}
        return {**learned, **scaling, "weights": self.weights_, "history": self.history_}

    def restore(self, state: Mapping[str, Any]) -> TorchClassifier:
        """Become what the estimator was that returned `state`, without a fit; `monitored_` is not kept."""
        self.device_ = resolve_device(self.device)
        self.classes_, self._views = np.asarray(state["classes"]), state["views"]
        self.scaler_ = ChannelScaler(self.scaling)
        self.scaler_.mean_, self.scaler_.scale_ = state["mean"].numpy(), state["scale"].numpy()
        with seeded(self.seed, self.device_):
            self.module_ = self.module()
        self.module_.load_state_dict(state["module"])
        self.module_.to(self.device_).eval()
        self.weights_, self.history_ = state["weights"], state["history"]
        return self

    # -- fit, step by step ----------------------------------------------------------------------------------------

    def _check(self, X: np.ndarray, y: np.ndarray) -> None:
        faults = setting_faults(self.get_params(deep=False))
        if self.sampling == "neighbours" and self.views != "extra":
            faults.append(f"sampling 'neighbours': expected features with extra views, got views {self.views!r}")
        least = 4 if self.views == "none" else 5
        if X.ndim not in (least, least + 1) or len(X) != len(y) or len(X) == 0:
            shape = "(N, C, H, W)" if self.views == "none" else "(N, views, C, H, W)"
            faults.append(f"X: expected {shape} with N = {len(y)} > 0 labels, or frames before C, got {X.shape}")
        self.classes_ = np.unique(y) if self.classes is None else np.asarray(self.classes)
        unknown = sorted(set(np.unique(y).tolist()) - set(self.classes_.tolist()))
        if unknown:
            faults.append(f"y: expected labels among {self.classes_.tolist()}, got also {unknown}")
        if faults:
            raise ParameterError("; ".join(faults))

    def _open_checkpoint(self, inputs: np.ndarray, targets: Tensor, watched: dict[str, Tensor]) -> Checkpoint | None:
        if self.checkpoint is None:
            return None
        ignored = ("module", "checkpoint", "checkpoint_every_s", "device")
        params = sorted((k, repr(v)) for k, v in self.get_params(deep=False).items() if k not in ignored)
        about = f"{lasting_name(self.module)} {self.module_} {self.weights_} {params} {self.device_.type}"
        key = hashlib.sha256(about.encode())
        arrays = {name: tensor.cpu().numpy() for name, tensor in {"targets": targets, **watched}.items()}
        for name, array in {"inputs": inputs, **arrays}.items():
            key.update(f"{name} {array.shape}".encode())
            key.update(np.ascontiguousarray(array).data)
        return Checkpoint(Path(self.checkpoint), key.hexdigest(), self.checkpoint_every_s)

    def _train(
        self, inputs: np.ndarray, targets: Tensor, watched: dict[str, Tensor], checkpoint: Checkpoint | None
    ) -> None:
        optimiser = make_optimiser(
            self.optimiser,
            [parameter for parameter in self.module_.parameters() if parameter.requires_grad],
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            momentum=self.momentum,
            betas=self.betas,
        )
        batches = Batches(inputs, self.scaler_, self.augmentation, self.seed + 1, self.device_)
        order = torch.Generator().manual_seed(self.seed)
        generators = {"order": order, "augmentation": batches.generator}
        progress = Progress(self.module_, optimiser, generators, watched, self.device_)
        state = checkpoint.load() if checkpoint else None
        if state:
            progress.restore(state)
        weight = balanced_weights(targets, len(self.classes_)).to(self.device_) if self.class_weight else None
        loss = make_loss(self.loss, self.margins, weight)
        for epoch in range(progress.epochs, self.epochs):
            progress.note(**self._epoch(batches, targets, loss, optimiser, order, epoch))
            self._record(watched, progress)
            if checkpoint and checkpoint.due():
                checkpoint.save(progress.state())
        self.module_.eval()
        self.history_ = progress.history
        self.monitored_ = {name: torch.stack(epochs).numpy() for name, epochs in progress.recorded.items()}
        if checkpoint:
            checkpoint.remove()

    def _epoch(
        self,
        batches: Batches,
        targets: Tensor,
        loss_function: nn.Module,
        optimiser: torch.optim.Optimizer,
        order: torch.Generator,
        epoch: int,
    ) -> dict[str, float]:
        self.module_.train()
        speed = rate(self.schedule, self.learning_rate, epoch, self.epochs, self.gamma)
        set_rate(optimiser, speed)
        rows = epoch_rows(self.sampling, targets, self._views, self.shuffle, order)
        total, correct = torch.zeros((), device=self.device_), torch.zeros((), device=self.device_)
        for batch in rows.split(self.batch_size):
            wanted = targets[batch // self._views].to(self.device_)
            outputs = self.module_(batches.take(batch))
            loss = loss_function(outputs, wanted)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.detach() * len(batch)
            correct += (outputs.detach().argmax(1) == wanted).sum()
        mean = float(total) / len(rows)
        if not np.isfinite(mean):
            raise RunError(self._diverged(f"the loss of epoch {epoch + 1}"))
        return {"loss": mean, "accuracy": float(correct) / len(rows), "learning_rate": speed}

    def _record(self, watched: dict[str, Tensor], progress: Progress) -> None:
        for name, tensor in watched.items():
            found = self._probabilities(tensor).cpu()
            if not found.isfinite().all():
                raise RunError(self._diverged(f"the predictions of {name!r} after epoch {progress.epochs}"))
            progress.recorded[name].append(found)

    def _diverged(self, what: str) -> str:
        return (
            f"training diverged: expected finite numbers, got others in {what}. "
            f"Lower the learning rate (now {self.learning_rate}) or scale the input (now {self.scaling!r})."
        )

    def _probabilities(self, inputs: Tensor) -> Tensor:
        self.module_.eval()
        with torch.no_grad():
            parts = [probabilities(self.loss, self.module_(part)) for part in inputs.split(self.batch_size)]
        each = torch.cat(parts) if len(inputs) else inputs.new_zeros((0, len(self.classes_)))
        return mean_over_views(each, self._views if self.views == "mean" else 1)
