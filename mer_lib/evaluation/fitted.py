"""One fold's estimator, trained as that fold trained it, to be taken apart and explained on its test subjects."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from mer_lib.errors import ParameterError
from mer_lib.evaluation.crossval import Job
from mer_lib.evaluation.feeding import inputs_of
from mer_lib.evaluation.folds import Inputs, all_classes, fit, refuse_leakage
from mer_lib.evaluation.methods import is_network, make_estimator
from mer_lib.evaluation.splits import Split
from mer_lib.evaluation.store import PredictionStore
from mer_lib.evaluation.variant import Variant, fold_seed
from mer_lib.training.checkpoint import Checkpoint
from mer_lib.training.device import one_thread


@dataclass(frozen=True, eq=False)
class Fitted:
    """An estimator and the samples of the subjects that it was not trained on.

    Attributes:
        variant: what was trained.
        split: the fold; none of the subjects of its side `test` was trained on.
        estimator: fitted, on the CPU.
        classes: names of the classes, in the order of their numbers.
        test_ids: ids of the test samples (n,).
        X_test: their features (n, *shape of the recipe), as the recipe makes them.
        y_test: their class numbers, int64 (n,).
        proba: what the estimator says of them, float32 (n, C).
    """

    variant: Variant
    split: Split
    estimator: Any
    classes: tuple[str, ...]
    test_ids: tuple[str, ...]
    X_test: np.ndarray
    y_test: np.ndarray
    proba: np.ndarray

    @property
    def network(self) -> nn.Module:
        """The trained network, on the CPU, in evaluation mode.

        Raises:
            ParameterError: the method is no network.
        """
        if not is_network(self.variant):
            raise ParameterError(f"{self.variant.model.name}: expected a network, this method has none inside")
        return self.estimator.module_

    @property
    def inputs_test(self) -> Tensor:
        """What the network is fed for the test samples: float32 (n, *sample_shape), scaled.

        Of samples with several views that are predicted together there are (n * views) rows.
        """
        self.network.eval()
        return self.estimator.inputs(self.X_test)

    @property
    def predicted(self) -> np.ndarray:
        """Class numbers that the estimator gives the test samples, int64 (n,)."""
        return self.proba.argmax(axis=1)


def fit_fold(job: Job, fold: int, store: PredictionStore, *, device: str = "auto", jobs: int = 1) -> Fitted:
    """Return the estimator of one fold with the seed, the order and the samples of that very fold.

    On the CPU its last epoch says of the test subjects what the fold's stored predictions say, to the last bit. What
    a network learned is kept beside them in a file that ends in `.weights`, so that it is trained once.

    Args:
        job: variant, data and seed.
        fold: number of the fold, from 0.
        store: where networks are kept.
        device: on which a network is trained, see :func:`mer_lib.training.device.resolve_device`.
        jobs: processes that compute features.

    Raises:
        ParameterError: there is no such fold, or the variant does not fit its input.
        DataError: features cannot be computed.
        RunError: training diverged.
    """
    split = _split(job, fold)
    inputs = inputs_of(job, jobs)
    estimator = _estimator(job, split, inputs, store, device)
    X, y = inputs.take(split.test)
    with one_thread():
        proba = all_classes(estimator, X, len(inputs.classes))
    return Fitted(job.variant, split, estimator, inputs.classes, split.test, X, y, proba)


def _split(job: Job, fold: int) -> Split:
    splits = {split.fold: split for split in job.splits}
    if fold not in splits:
        raise ParameterError(f"fold: expected one of 0 to {max(splits)}, got {fold!r}")
    refuse_leakage(splits[fold])
    return splits[fold]


def _estimator(job: Job, split: Split, inputs: Inputs, store: PredictionStore, device: str) -> Any:
    if not is_network(job.variant):
        return fit(job.variant, split, inputs, seed=job.seed, device=device)[0]
    kept = Checkpoint(_file(job, split, store), _key(job, split, device), every_s=0)
    state = kept.load()
    if state is None:
        trained, _ = fit(job.variant, split, inputs, seed=job.seed, device=device)
        state = trained.state()
        kept.save(_on_cpu(state))
    seed = fold_seed(job.variant, split.fold, job.seed)
    fresh = make_estimator(job.variant, seed=seed, n_classes=len(inputs.classes), device="cpu")
    return fresh.restore(_on_cpu(state))


def _file(job: Job, split: Split, store: PredictionStore) -> Path:
    return store.path(job.address, split.fold, job.seed).with_suffix(".weights")


def _key(job: Job, split: Split, device: str) -> str:
    text = "\n".join([job.address, str(split.fold), str(job.seed), device, *split.train])
    return hashlib.sha256(text.encode()).hexdigest()


def _on_cpu(state: dict[str, Any]) -> dict[str, Any]:
    module = {name: tensor.detach().to("cpu", copy=True) for name, tensor in state["module"].items()}
    return {**state, "module": module}
