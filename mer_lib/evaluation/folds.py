"""Compute one fold: fit on its training subjects, predict its test and inner validation subjects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mer_lib.datasets.samples import CLASSES
from mer_lib.errors import LeakageError
from mer_lib.evaluation.frames import probability_columns
from mer_lib.evaluation.methods import is_network, make_estimator
from mer_lib.evaluation.splits import Split
from mer_lib.evaluation.store import FoldResult
from mer_lib.evaluation.variant import Variant, fold_seed
from mer_lib.training.device import one_thread


class Inputs:
    """What a method is fed: one array and label a sample, found by `sample_id` alone.

    Args:
        sample_ids: ids (N,), unique.
        X: features (N, *shape of the recipe).
        y: class numbers (N,).
        classes: names of the classes.
    """

    def __init__(self, sample_ids: list[str], X: np.ndarray, y: np.ndarray, classes: tuple[str, ...] = CLASSES) -> None:
        self.sample_ids, self.X, self.y, self.classes = sample_ids, X, y, classes
        self._row = {sample_id: row for row, sample_id in enumerate(sample_ids)}

    def take(self, sample_ids: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Return the features and labels of `sample_ids`, in their order."""
        rows = [self._row[sample_id] for sample_id in sample_ids]
        return self.X[rows], self.y[rows]


def subject_of(sample_id: str) -> str:
    """Return the qualified subject of a sample: ``"samm/006/006_1_2"`` -> ``"samm/006"``."""
    return sample_id.rsplit("/", 1)[0]


def compute_fold(
    variant: Variant, split: Split, inputs: Inputs, *, seed: int, address: str, device: str, checkpoint: Path
) -> FoldResult:
    """Fit `variant` on the training side of `split` and predict the other sides.

    Training samples come in the order of (class, id), as the folders of the authors' releases give them, so that
    an unshuffled training is defined.

    Raises:
        LeakageError: a subject stands on two sides of the split.
    """
    estimator, recorded = fit(variant, split, inputs, seed=seed, device=device, checkpoint=checkpoint)
    sides = {"test": split.test, "inner": split.inner}
    frames = [_frame(split.fold, seed, role, sides[role], inputs, array) for role, array in recorded.items()]
    metadata = {
        "address": address,
        "fold": split.fold,
        "seed": seed,
        "name": split.name,
        "variant": variant.model_dump(mode="json"),
        "classes": list(inputs.classes),
        "fitted_on": sorted(split.train),
        "history": getattr(estimator, "history_", {}),
        "weights": getattr(estimator, "weights_", "none"),
    }
    return FoldResult(pd.concat(frames, ignore_index=True), metadata)


def fit(
    variant: Variant, split: Split, inputs: Inputs, *, seed: int, device: str, checkpoint: Path | None = None
) -> tuple[Any, dict[str, np.ndarray]]:
    """Return the estimator of one fold, fitted on the training side, and what it says of the other sides.

    Returns:
        The estimator, and for "test" and, if there are such samples, "inner" float32 probabilities (epochs, n, C); a
        method without epochs has one.

    Raises:
        LeakageError: a subject stands on two sides of the split.
    """
    refuse_leakage(split)
    own_seed = fold_seed(variant, split.fold, seed)
    X, y = _to_train(variant, split, inputs, own_seed)
    watched = {role: inputs.take(ids)[0] for role, ids in (("test", split.test), ("inner", split.inner)) if ids}
    n_classes = len(inputs.classes)
    estimator = make_estimator(variant, seed=own_seed, n_classes=n_classes, device=device, checkpoint=checkpoint)
    with one_thread():
        if is_network(variant):
            return estimator.fit(X, y, monitor=watched), estimator.monitored_
        estimator.fit(X, y)
        return estimator, {role: all_classes(estimator, array, n_classes)[None] for role, array in watched.items()}


def _to_train(variant: Variant, split: Split, inputs: Inputs, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return features and labels of the training side, the labels shuffled among them where the variant says so."""
    train = tuple(sorted(split.train, key=lambda sample_id: (inputs.y[inputs._row[sample_id]], sample_id)))
    X, y = inputs.take(train)
    return X, np.random.default_rng(seed).permutation(y) if variant.training.permute_labels else y


def refuse_leakage(split: Split) -> None:
    """Raise LeakageError where a subject stands on more than one side of `split`."""
    sides = {"training": split.train, "inner validation": split.inner, "test": split.test}
    subjects = {side: {subject_of(sample_id) for sample_id in ids} for side, ids in sides.items()}
    for first, second in (("training", "test"), ("inner validation", "test"), ("training", "inner validation")):
        shared = sorted(subjects[first] & subjects[second])
        if shared:
            raise LeakageError(
                f"fold {split.name}: expected no subject on two sides, got {', '.join(shared)} in {first} and {second}"
            )


def all_classes(estimator: object, X: np.ndarray, n_classes: int) -> np.ndarray:
    """Return float32 probabilities with one column for every class, 0 for those that training did not show."""
    proba = np.zeros((len(X), n_classes), np.float32)
    proba[:, estimator.classes_] = estimator.predict_proba(X)  # type: ignore[attr-defined]
    return proba


def _frame(
    fold: int, seed: int, role: str, sample_ids: tuple[str, ...], inputs: Inputs, proba: np.ndarray
) -> pd.DataFrame:
    """Lay `proba` of shape (epochs, n, C) out as rows (epoch, sample)."""
    epochs, n, _ = proba.shape
    frame = pd.DataFrame(
        {
            "sample_id": list(sample_ids) * epochs,
            "fold": fold,
            "seed": seed,
            "epoch": np.repeat(np.arange(1, epochs + 1), n),
            "role": role,
            "y_true": np.tile(inputs.take(sample_ids)[1], epochs),
        }
    )
    frame[probability_columns(inputs.classes)] = proba.reshape(epochs * n, -1)
    return frame
