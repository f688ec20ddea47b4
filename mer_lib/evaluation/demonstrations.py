"""What scores reach without recognising anything: class shares with noise, and windows of one clip on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from mer_lib.errors import ParameterError
from mer_lib.evaluation.metrics import roc_auc
from mer_lib.training.baselines import linear_svm

SPLITS = ("windows at random", "clips at random", "whole subjects")
AVERAGES: tuple[Literal["micro", "macro"], ...] = ("micro", "macro")


def noisy_priors(
    counts: Sequence[int], deviations: Sequence[float] = (0.0, 0.5, 1.0, 2.0, 4.0), draws: int = 50, seed: int = 0
) -> pd.DataFrame:
    """Score a predictor that knows how frequent each class is, and adds pure noise to the logarithm of that.

    >>> table = noisy_priors([247, 184, 83, 64, 55, 54], [0.0, 1.0], draws=5)
    >>> table["auc_micro"].round(1).tolist(), table["auc_macro"].round(1).tolist()
    ([0.7, 0.6], [0.5, 0.5])

    Args:
        counts: clips of each class.
        deviations: standard deviations of the noise; 0 for none.
        draws: how often the noise is drawn.
        seed: of the noise.

    Returns:
        One row a deviation: deviation, auc_micro, auc_macro (means over draws), and low and high, the 2.5 % and
        97.5 % quantiles of the former.

    Raises:
        ParameterError: fewer than two classes, an empty class, or no draw.
    """
    if len(counts) < 2 or min(counts) < 1 or draws < 1:
        raise ParameterError(f"expected 2 classes or more with clips, and draws >= 1, got {list(counts)}, {draws}")
    generator = np.random.default_rng(seed)
    truth, logs = np.repeat(np.arange(len(counts)), counts), np.log(np.array(counts) / sum(counts))
    rows = []
    for deviation in deviations:
        noise = generator.normal(0, 1, (draws, len(truth), len(counts))) * deviation
        micro, macro = (np.array([roc_auc(truth, logs + each, average) for each in noise]) for average in AVERAGES)
        low, high = np.quantile(micro, [0.025, 0.975])
        means = {"auc_micro": micro.mean(), "auc_macro": macro.mean()}
        rows.append({"deviation": deviation, **means, "low": low, "high": high})
    return pd.DataFrame(rows)


def leaky_splits(windows: np.ndarray, labels: np.ndarray, subjects: np.ndarray, folds: int = 5) -> pd.DataFrame:
    """Score one linear method under three splits, two of which leak.

    Neighbouring windows of a clip share most of their frames, and clips of a person share the face. Whoever shuffles
    windows tests on what was trained on.

    Args:
        windows: (N, V, ...), V windows of each of N clips.
        labels: class numbers (N,).
        subjects: names (N,).
        folds: of each split.

    Returns:
        One row a split of :data:`SPLITS`: split, auc_micro, auc_macro, accuracy; of single windows, pooled over folds.

    Raises:
        ParameterError: the arrays do not belong together, or there are fewer clips or subjects than folds.
    """
    count = len(windows)
    if windows.ndim < 3 or not count == len(labels) == len(subjects) or len(np.unique(subjects)) < folds:
        raise ParameterError(
            f"expected windows (N, V, ...), N labels and N subjects, at least {folds} different ones, got "
            f"{windows.shape}, {len(labels)} and {len(np.unique(subjects))} different of {len(subjects)}"
        )
    each = windows.shape[1]
    X, y = windows.reshape(count * each, -1), np.repeat(labels, each)
    groups: dict[str, Any] = {
        "windows at random": np.arange(len(X)),
        "clips at random": np.repeat(np.arange(count), each),
        "whole subjects": np.repeat(subjects, each),
    }
    return pd.DataFrame([{"split": name, **_scored(X, y, group, folds)} for name, group in groups.items()])


def _scored(X: np.ndarray, y: np.ndarray, groups: np.ndarray, folds: int) -> dict[str, float]:
    codes = np.unique(y, return_inverse=True)[1]
    scores = np.zeros((len(y), codes.max() + 1))
    for training, test in _folds(y, groups, folds):
        model = linear_svm().fit(X[training], codes[training])
        scores[np.ix_(test, model.classes_)] = model.predict_proba(X[test])
    aucs = {f"auc_{average}": roc_auc(codes, scores, average) for average in AVERAGES}
    return {**aucs, "accuracy": float((scores.argmax(axis=1) == codes).mean())}


def _folds(y: np.ndarray, groups: np.ndarray, folds: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield rows of training and test; no group stands on both sides."""
    if len(np.unique(groups)) == len(y):
        return StratifiedKFold(folds, shuffle=True, random_state=0).split(y, _strata(y, folds))
    return StratifiedGroupKFold(folds, shuffle=True, random_state=0).split(y, _strata(y, folds), groups)


def _strata(y: np.ndarray, folds: int) -> np.ndarray:
    """Join classes that have fewer samples than folds, which no split could share out."""
    values, counts = np.unique(y, return_counts=True)
    return np.where(np.isin(y, values[counts < folds]), -1, y)
