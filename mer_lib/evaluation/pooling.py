"""What each subject adds to a score, so that any choice of subjects can be scored at once.

Scores of the confusion matrix need the sum of the subjects' matrices. An area under the ROC curve is the share of pairs
(positive, negative) in which the positive has the higher score, ties counting half (see
:func:`mer_lib.evaluation.metrics.pairs_won`). So it needs, for every two subjects, how many pairs the positives of the
one win against the negatives of the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from mer_lib.errors import ParameterError
from mer_lib.evaluation.frames import check_predictions, classes_of, predicted_classes, probabilities, subject_ids
from mer_lib.evaluation.metrics import METRICS, FloatArray, IntArray, confusion_matrices, pairs_won, recall_per_class

AUC_METRICS = ("auc_micro", "auc_macro")
#: How the score of one class begins, such as "recall_surprise".
RECALL = "recall_"
_CLASS_MEANS = frozenset({"uf1", "uar", "macro_precision"})


@dataclass(frozen=True)
class Pooled:
    """A score as a function of who is counted, and how often.

    Attributes:
        subjects: names ``<dataset>/<subject>``, sorted, (S,).
        n_seeds: number of seeds that the score averages.
        point: the score where everybody counts once.
        of: from counts (n, S) to scores (n,); NaN where a class of the data is in none of the subjects counted, and the
            score would be another one without it.
    """

    subjects: npt.NDArray[Any]
    n_seeds: int
    point: float
    of: Callable[[FloatArray], FloatArray]


class Prepared:
    """Chosen predictions of one or several seeds, checked once, to be pooled by several scores.

    Args:
        predictions: in one frame or one frame a seed.

    Raises:
        ParameterError: the predictions break their contract.
    """

    def __init__(self, predictions: pd.DataFrame | Sequence[pd.DataFrame]) -> None:
        frame = joined(predictions)
        check_predictions(frame, several_seeds=True)
        self.frame = frame
        self.seeds = [rows for _, rows in frame.groupby("seed", sort=True)]
        self.subjects = np.unique(subject_ids(frame).to_numpy(dtype=str))

    @cached_property
    def matrices(self) -> IntArray:
        """Confusion matrices of each seed and subject, int64 (seeds, S, C, C), rows are the truth."""
        return np.stack([matrices_of(rows)[1] for rows in self.seeds])


Frames: TypeAlias = pd.DataFrame | Sequence[pd.DataFrame] | Prepared


def prepared(predictions: Frames) -> Prepared:
    """Return `predictions` as :class:`Prepared`."""
    return predictions if isinstance(predictions, Prepared) else Prepared(predictions)


def pooled(predictions: Frames, metric: str) -> Pooled:
    """Prepare a score for choices of subjects.

    Args:
        predictions: chosen predictions of one or several seeds, in one frame or one frame a seed, or prepared.
        metric: a name in :data:`mer_lib.evaluation.metrics.METRICS` or in :data:`AUC_METRICS`, or "recall_<class>".

    Raises:
        ParameterError: the predictions break their contract, or the metric is unknown.
    """
    check_metric(metric)
    whole = prepared(predictions)
    subjects, seeds = whole.subjects, whole.seeds
    if metric in AUC_METRICS:
        parts = [_auc_of(_curves(rows, subjects, metric)) for rows in seeds]
        everybody = np.ones((1, len(subjects)))
        point = float(np.mean([part(everybody)[0] for part in parts]))
        return Pooled(subjects, len(seeds), point, lambda counts: np.mean([part(counts) for part in parts], axis=0))
    measure = _measure(metric, classes_of(whole.frame))
    point = float(measure(whole.matrices.sum(axis=1)).mean())
    return Pooled(subjects, len(seeds), point, _of_matrices(whole.matrices, metric, measure))


def check_metric(metric: str) -> None:
    """Raise ParameterError for a metric that cannot be pooled over subjects."""
    known = (*METRICS, *AUC_METRICS)
    if metric not in known and not metric.startswith(RECALL):
        raise ParameterError(f"metric: expected one of {', '.join(known)}, got {metric!r}")


def _measure(metric: str, classes: Sequence[str]) -> Callable[[npt.ArrayLike], Any]:
    """Return a score of confusion matrices (..., C, C)."""
    if not metric.startswith(RECALL):
        return METRICS[metric]
    if (name := metric.removeprefix(RECALL)) not in classes:
        raise ParameterError(f"metric: expected the recall of one of {', '.join(classes)}, got {metric!r}")
    return lambda matrices: recall_per_class(matrices)[..., classes.index(name)]


def joined(predictions: Frames) -> pd.DataFrame:
    """Return predictions of several seeds as one frame."""
    if isinstance(predictions, Prepared):
        return predictions.frame
    return predictions if isinstance(predictions, pd.DataFrame) else pd.concat(predictions, ignore_index=True)


def subject_matrices(predictions: pd.DataFrame) -> tuple[npt.NDArray[Any], IntArray]:
    """Count the predictions of each subject.

    Args:
        predictions: one seed's chosen predictions, as for :func:`mer_lib.evaluation.metrics.score`.

    Returns:
        The S subjects as ``<dataset>/<subject>``, sorted, and their confusion matrices, int64 (S, C, C), rows
        are the truth. Their sum is the pooled confusion matrix.

    Raises:
        ParameterError: the frame breaks its contract; all faults at once.
    """
    check_predictions(predictions)
    return matrices_of(predictions)


def matrices_of(predictions: pd.DataFrame) -> tuple[npt.NDArray[Any], IntArray]:
    """Return what :func:`subject_matrices` does, of predictions that were checked before."""
    truth, guess = predictions["y_true"].to_numpy(), predicted_classes(predictions)
    return confusion_matrices(subject_ids(predictions).to_numpy(dtype=str), truth, guess, len(classes_of(predictions)))


def _of_matrices(
    matrices: IntArray, metric: str, measure: Callable[[npt.ArrayLike], Any]
) -> Callable[[FloatArray], FloatArray]:
    """Score sums of the matrices (seeds, S, C, C)."""

    def of(counts: FloatArray) -> FloatArray:
        # Products in float64 are exact for counts of samples, and much faster than in integers.
        sums = np.tensordot(counts, matrices.astype(np.float64), axes=(1, 1))
        scores = measure(sums).mean(axis=1)
        return np.where(_complete(sums, matrices), scores, np.nan) if metric in _CLASS_MEANS else scores

    return of


def _complete(sums: FloatArray, matrices: IntArray) -> npt.NDArray[np.bool_]:
    """Say which sums (n, seeds, C, C) hold every class that the data hold, (n,)."""
    in_data = matrices.sum(axis=(0, 1, 3)) > 0
    return (sums.sum(axis=(1, 3)) > 0)[:, in_data].all(axis=1)


@dataclass(frozen=True)
class _Curve:
    """Pairs that positives win, (S, S), and how many positives and negatives each subject has, (S,)."""

    wins: FloatArray
    positives: FloatArray
    negatives: FloatArray


def _curves(rows: pd.DataFrame, subjects: npt.NDArray[Any], metric: str) -> list[_Curve]:
    """Return the one curve of all (sample, class) pairs, or one curve a class that has positives and negatives."""
    owner = np.searchsorted(subjects, subject_ids(rows).to_numpy(dtype=str))
    scores = probabilities(rows).astype(np.float64)
    n_classes = scores.shape[1]
    true = rows["y_true"].to_numpy()[:, None] == np.arange(n_classes)
    if metric == "auc_micro":
        return [_curve(scores.ravel(), true.ravel(), np.repeat(owner, n_classes), len(subjects))]
    has_curve = np.flatnonzero(true.any(axis=0) & ~true.all(axis=0))
    return [_curve(scores[:, c], true[:, c], owner, len(subjects)) for c in has_curve]


def _curve(scores: FloatArray, true: npt.NDArray[np.bool_], owner: IntArray, n_subjects: int) -> _Curve:
    wins = np.zeros((n_subjects, n_subjects))
    for subject in range(n_subjects):
        won = pairs_won(scores[true], scores[~true & (owner == subject)])
        wins[:, subject] = np.bincount(owner[true], won, n_subjects)
    positives, negatives = (np.bincount(owner[side], minlength=n_subjects).astype(float) for side in (true, ~true))
    return _Curve(wins, positives, negatives)


def _auc_of(curves: Sequence[_Curve]) -> Callable[[FloatArray], FloatArray]:
    """Average the areas of `curves`; NaN where one of them has no positives or no negatives left."""

    def of(counts: FloatArray) -> FloatArray:
        areas = np.full((max(len(curves), 1), len(counts)), np.nan)
        for area, curve in zip(areas, curves, strict=False):
            pairs = (counts @ curve.positives) * (counts @ curve.negatives)
            np.divide(((counts @ curve.wins) * counts).sum(axis=1), pairs, out=area, where=pairs > 0)
        return areas.mean(axis=0)

    return of
