"""How the epoch of a prediction is chosen: three readings of one training.

Every fold stores what its network predicted after every epoch, for its test subjects and for inner validation
subjects that it did not learn from. A protocol picks one epoch a fold:

- ``fixed`` (the default): the last one, which no score decides.
- ``nested``: the last one with the best UF1 on the inner validation subjects.
- ``published``: the last one with the best accuracy **on the test subjects**, as the authors' code of HTNet keeps it
  for each left-out subject. It peeks, and its difference to the others is the *optimism gap*.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mer_lib.errors import ParameterError
from mer_lib.evaluation.frames import classes_of, predicted_classes
from mer_lib.evaluation.metrics import uf1

PROTOCOLS = ("fixed", "nested", "published")


def choose(predictions: pd.DataFrame, protocol: str) -> pd.DataFrame:
    """Keep, for each fold and seed, the test rows of the epoch that `protocol` chooses.

    Args:
        predictions: rows as stored, every epoch and role.
        protocol: one of :data:`PROTOCOLS`.

    Returns:
        One row a (sample, seed), sorted by seed and sample, without the column `role`.

    Raises:
        ParameterError: the protocol is unknown, or ``nested`` is asked of a training without inner validation.
    """
    if protocol not in PROTOCOLS:
        raise ParameterError(f"protocol: expected one of {', '.join(PROTOCOLS)}, got {protocol!r}")
    parts = [_choose_one(fold, protocol) for _, fold in predictions.groupby(["seed", "fold"], sort=True)]
    return pd.concat(parts).drop(columns="role").sort_values(["seed", "sample_id"], ignore_index=True)


def available_protocols(predictions: pd.DataFrame) -> tuple[str, ...]:
    """Return the protocols that `predictions` can answer: ``nested`` needs inner rows or a single epoch."""
    nested = predictions["epoch"].max() == 1 or (predictions["role"] == "inner").any()
    return PROTOCOLS if nested else ("fixed", "published")


def _choose_one(fold: pd.DataFrame, protocol: str) -> pd.DataFrame:
    tests = fold[fold["role"] == "test"]
    last = int(tests["epoch"].max())
    if protocol == "fixed" or last == 1:
        epoch = last
    elif protocol == "published":
        epoch = _last_best(*_accuracies(tests))
    else:
        inner = fold[fold["role"] == "inner"]
        if inner.empty:
            raise ParameterError(
                "protocol 'nested': expected predictions on inner validation subjects, got none; "
                "run the variant with split.inner_fraction > 0"
            )
        epoch = _last_best(*uf1_per_epoch(inner))
    return tests[tests["epoch"] == epoch]


def _last_best(epochs: np.ndarray, scores: np.ndarray) -> int:
    """Return the last epoch that reaches the best score."""
    return int(epochs[scores == scores.max()].max())


def _accuracies(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    epochs, truth, guess = _by_epoch(rows)
    return epochs, (guess == truth).sum(axis=1)


def uf1_per_epoch(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the epochs (E,) and the UF1 (E,) of `rows`, which hold the same samples in every epoch."""
    epochs, truth, guess = _by_epoch(rows)
    one_hot = np.eye(len(classes_of(rows)), dtype=np.int64)
    matrices = np.einsum("enc,end->ecd", one_hot[truth], one_hot[guess])
    return epochs, uf1(matrices)


def _by_epoch(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return epochs (E,), true and predicted class numbers (E, n): the same samples in every epoch."""
    ordered = rows.sort_values(["epoch", "sample_id"])
    epochs = np.unique(ordered["epoch"].to_numpy())
    shape = (len(epochs), -1)
    return epochs, ordered["y_true"].to_numpy().reshape(shape), predicted_classes(ordered).reshape(shape)
