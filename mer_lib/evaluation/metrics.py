"""Scores of predictions: confusion matrices, UF1, UAR, accuracy and ROC-AUC, pooled over folds first.

Everything follows from the confusion matrix whose rows are the truth and whose columns are the prediction.
With TP_c on its diagonal, FN_c the rest of row c, FP_c the rest of column c and n_c the sum of row c:

    F1_c = 2 TP_c / (2 TP_c + FP_c + FN_c)      UF1 = mean of F1_c over classes
    recall_c = TP_c / n_c                       UAR = mean of recall_c over classes

TP, FP and FN are summed over all folds **before** these ratios are formed, as the protocol of the second
facial micro-expressions grand challenge asks (See et al., "MEGC 2019 - the second facial micro-expressions
grand challenge", FG 2019; HTNet, section on evaluation metrics). A mean over folds is another number: see
:func:`mean_over_folds`.

A class that the truth does not contain has no recall. What to do with it is said by `absent`:

- ``"exclude"`` (the default): it leaves the mean, and :class:`Scores` names it.
- ``"zero"``: it counts as 0 in the mean. Averaging over subjects in this way caps a perfect classifier on the
  MEGC2019 composite at 0.632, since most subjects do not show all three classes.
- ``"raise"``: it is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from mer_lib.datasets.samples import CLASSES
from mer_lib.errors import ParameterError
from mer_lib.evaluation.frames import (
    FULL,
    check_predictions,
    class_number_faults,
    classes_of,
    predicted_classes,
    probabilities,
    raise_if,
    subject_ids,
)

Absent = Literal["exclude", "zero", "raise"]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


# From labels to confusion matrices


def confusion_matrix(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, n_classes: int = len(CLASSES)) -> IntArray:
    """Count predictions: rows are the truth, columns the prediction.

    >>> confusion_matrix([0, 0, 1, 2], [0, 2, 1, 2], 3)
    array([[1, 0, 1],
           [0, 1, 0],
           [0, 0, 1]])

    Args:
        y_true: true class numbers 0..n_classes-1, shape (n,).
        y_pred: predicted class numbers, same shape.
        n_classes: number of classes C; a class that does not occur keeps its row and column of zeros.

    Returns:
        int64 (C, C).

    Raises:
        ParameterError: no labels, different lengths, or labels that are no class number; all faults at once.
    """
    return confusion_matrices(np.zeros(np.size(y_true), np.int64), y_true, y_pred, n_classes)[1][0]


def confusion_matrices(
    groups: npt.ArrayLike, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, n_classes: int = len(CLASSES)
) -> tuple[npt.NDArray[Any], IntArray]:
    """Count predictions separately for each group (a fold, a subject).

    >>> names, matrices = confusion_matrices(["b", "a", "b"], [0, 1, 1], [0, 1, 0], 2)
    >>> names.tolist(), matrices.shape
    (['a', 'b'], (2, 2, 2))

    Args:
        groups: the group of each sample, shape (n,).
        y_true: true class numbers, shape (n,).
        y_pred: predicted class numbers, shape (n,).
        n_classes: number of classes C.

    Returns:
        The G names of the groups, sorted, and their matrices, int64 (G, C, C).

    Raises:
        ParameterError: as :func:`confusion_matrix`.
    """
    truth, guess = np.asarray(y_true), np.asarray(y_pred)
    faults = _label_faults(truth, guess, n_classes)
    if np.shape(groups) != truth.shape:
        faults.append(f"expected one group a truth, got {np.shape(groups)} groups, {truth.shape} truths")
    raise_if(faults, "Labels cannot be counted")
    names, numbers = np.unique(np.asarray(groups), return_inverse=True)
    cells = (numbers.reshape(-1) * n_classes + truth) * n_classes + guess
    counts = np.bincount(cells, minlength=len(names) * n_classes**2)
    return names, counts.reshape(-1, n_classes, n_classes).astype(np.int64)


def _label_faults(truth: npt.NDArray[Any], guess: npt.NDArray[Any], n_classes: int) -> list[str]:
    faults = [
        *class_number_faults("y_true", truth, n_classes),
        *class_number_faults("y_pred", guess, n_classes),
    ]
    if truth.shape != guess.shape:
        faults.append(f"expected as many predictions as truths, got {truth.shape} truths, {guess.shape} predictions")
    return faults


# From confusion matrices to scores; each works on any number of leading axes


def f1_per_class(confusion: npt.ArrayLike, absent: Absent = "exclude") -> FloatArray:
    """F1 of each class, 2 TP / (2 TP + FP + FN).

    >>> f1_per_class([[3, 1], [2, 4]]).round(4)
    array([0.6667, 0.7273])

    Args:
        confusion: counts (..., C, C), rows are the truth.
        absent: what a class without a true sample yields: NaN (``"exclude"``), 0 (``"zero"``) or an error.

    Returns:
        float64 (..., C) in 0..1; all NaN where a matrix is empty.

    Raises:
        ParameterError: the array is no stack of square matrices, or a class is absent under ``"raise"``.
    """
    matrix = _checked(confusion)
    truth_and_guess = matrix.sum(axis=-1) + matrix.sum(axis=-2)  # (TP + FN) + (TP + FP)
    return _mark_absent(_ratio(2 * _diagonal(matrix), truth_and_guess), matrix, absent)


def recall_per_class(confusion: npt.ArrayLike, absent: Absent = "exclude") -> FloatArray:
    """Recall of each class, TP / (TP + FN): the share of its true samples that were found.

    >>> recall_per_class([[3, 1], [2, 4]]).round(4)
    array([0.75  , 0.6667])

    Arguments, result and errors are those of :func:`f1_per_class`.
    """
    matrix = _checked(confusion)
    return _mark_absent(_ratio(_diagonal(matrix), matrix.sum(axis=-1)), matrix, absent)


def precision_per_class(confusion: npt.ArrayLike, absent: Absent = "exclude") -> FloatArray:
    """Precision of each class, TP / (TP + FP); 0 for a class that has true samples but is never predicted.

    >>> precision_per_class([[3, 1], [2, 4]])
    array([0.6, 0.8])

    Arguments, result and errors are those of :func:`f1_per_class`.
    """
    matrix = _checked(confusion)
    precision = np.nan_to_num(_ratio(_diagonal(matrix), matrix.sum(axis=-2)), nan=0.0)
    return _mark_absent(precision, matrix, absent)


def uf1(confusion: npt.ArrayLike, absent: Absent = "exclude") -> Any:
    """Unweighted F1 (macro F1): the mean of :func:`f1_per_class` over classes.

    >>> print(round(uf1([[250, 0, 0], [109, 0, 0], [83, 0, 0]]), 4))  # always "negative" on MEGC2019
    0.2408

    Source: See et al. 2019 (MEGC2019); HTNet prints it without the sum over classes.

    Args:
        confusion: counts (..., C, C), rows are the truth.
        absent: what becomes of a class without a true sample; see the head of this module.

    Returns:
        A float, or float64 (...) for a stack of matrices, in 0..1; NaN where a matrix is empty.

    Raises:
        ParameterError: as :func:`f1_per_class`.
    """
    return _class_mean(f1_per_class(confusion, absent))


def uar(confusion: npt.ArrayLike, absent: Absent = "exclude") -> Any:
    """Unweighted average recall (balanced accuracy): the mean of :func:`recall_per_class` over classes.

    >>> print(round(uar([[250, 0, 0], [109, 0, 0], [83, 0, 0]]), 4))
    0.3333

    It is no mean of precisions: with rows and columns exchanged it would become :func:`macro_precision`,
    which is what STSTNet's published "UAR" of 0.7605 is. Source, arguments, result and errors: :func:`uf1`.
    """
    return _class_mean(recall_per_class(confusion, absent))


def macro_precision(confusion: npt.ArrayLike, absent: Absent = "exclude") -> Any:
    """Mean of :func:`precision_per_class` over classes.

    Arguments, result and errors are those of :func:`uf1`.

    >>> print(round(macro_precision([[3, 1], [2, 4]]), 4))
    0.7
    """
    return _class_mean(precision_per_class(confusion, absent))


def accuracy(confusion: npt.ArrayLike) -> Any:
    """Share of samples that were predicted correctly; each class counts by its size.

    >>> print(accuracy([[3, 1], [2, 4]]))
    0.7

    Args:
        confusion: counts (..., C, C), rows are the truth.

    Returns:
        A float, or float64 (...) for a stack of matrices, in 0..1; NaN where a matrix is empty.

    Raises:
        ParameterError: the array is no stack of square matrices.
    """
    matrix = _checked(confusion)
    return _ratio(_diagonal(matrix).sum(axis=-1), matrix.sum(axis=(-2, -1)))[()]


#: Scores that are a function of the confusion matrix alone, by name.
METRICS: Mapping[str, Callable[[npt.ArrayLike], Any]] = {
    "uf1": uf1,
    "uar": uar,
    "accuracy": accuracy,
    "macro_precision": macro_precision,
}


def _checked(confusion: npt.ArrayLike) -> npt.NDArray[Any]:
    matrix = np.asarray(confusion)
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        raise ParameterError(
            f"confusion: expected counts of shape (..., C, C), got shape {matrix.shape}; "
            "build them with confusion_matrix(y_true, y_pred, n_classes)"
        )
    return matrix


def _diagonal(matrix: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.diagonal(matrix, axis1=-2, axis2=-1)


def _ratio(numerator: npt.NDArray[Any], denominator: npt.NDArray[Any]) -> FloatArray:
    """Divide; NaN, without a warning, where the denominator is 0."""
    result = np.full(np.shape(denominator), np.nan)
    return np.divide(numerator, denominator, out=result, where=np.asarray(denominator) != 0)


def _mark_absent(values: FloatArray, matrix: npt.NDArray[Any], absent: Absent) -> FloatArray:
    """Replace the values of classes without a true sample as `absent` says; empty matrices give NaN."""
    if absent not in get_args(Absent):
        raise ParameterError(f"absent: expected one of {', '.join(get_args(Absent))}, got {absent!r}")
    present = matrix.sum(axis=-1) > 0
    if absent == "raise" and not present.all():
        missing = np.unique(np.nonzero(~present)[-1])
        raise ParameterError(
            f"Expected true samples of every class, got none of class {', '.join(map(str, missing))}; "
            'choose absent="exclude" or absent="zero" to score without'
        )
    as_zero = present.any(axis=-1, keepdims=True) & (absent == "zero")
    return np.where(present, values, np.where(as_zero, 0.0, np.nan))


def _class_mean(values: FloatArray) -> Any:
    known = ~np.isnan(values)
    return _ratio(np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1))[()]


# ROC


def roc_auc(
    y_true: npt.ArrayLike,
    proba: npt.ArrayLike,
    average: Literal["micro", "macro"] = "micro",
    absent: Literal["exclude", "raise"] = "exclude",
) -> float:
    """Area under the ROC curve, one class against the rest: the share of pairs that the positive wins.

    >>> roc_auc([0, 1, 2], [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.3, 0.6]])
    1.0

    ``"micro"`` lays all (sample, class) pairs into one curve, so a class without a true sample still counts
    there as negative pairs. ``"macro"`` is the mean of one curve a class; a class that all or none of the
    samples belong to has no curve.

    Args:
        y_true: true class numbers 0..C-1, shape (n,).
        proba: probabilities (n, C) in 0..1.
        average: ``"micro"`` or ``"macro"``.
        absent: a class without a curve leaves the macro mean (``"exclude"``), or a class without a true
            sample is an error under either average (``"raise"``).

    Returns:
        The area in 0..1; NaN where no class has a curve.

    Source: see :func:`pairs_won`.

    Raises:
        ParameterError: shapes or values that do not fit, an unknown choice, an absent class under
            ``"raise"``.
    """
    truth, scores = np.asarray(y_true), np.asarray(proba, dtype=np.float64)
    raise_if(_auc_faults(truth, scores, average, absent), "ROC-AUC cannot be computed")
    one_hot = truth[:, None] == np.arange(scores.shape[1])
    if average == "micro":
        return _area(one_hot.ravel(), scores.ravel())
    has_curve = np.flatnonzero(one_hot.any(axis=0) & ~one_hot.all(axis=0))
    areas = [_area(one_hot[:, c], scores[:, c]) for c in has_curve]
    return float(np.mean(areas)) if areas else float("nan")


def pairs_won(positives: FloatArray, negatives: FloatArray) -> FloatArray:
    """Count for each of P positive scores how many of the negative ones lie below it, ties as a half, (P,).

    >>> pairs_won(np.array([0.2, 0.9]), np.array([0.5, 0.2, 0.1]))
    array([1.5, 3. ])

    The area under the ROC curve is the share that the positives win of all pairs (positive, negative).

    Source: Hanley and McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC) curve",
    Radiology 143, 29-36, 1982.
    """
    ascending = np.sort(negatives)
    return (np.searchsorted(ascending, positives, "left") + np.searchsorted(ascending, positives, "right")) / 2


def _area(true: npt.NDArray[np.bool_], scores: FloatArray) -> float:
    """Return the area under one curve that has positives and negatives."""
    return float(pairs_won(scores[true], scores[~true]).mean() / np.count_nonzero(~true))


def _auc_faults(truth: npt.NDArray[Any], scores: FloatArray, average: str, absent: str) -> list[str]:
    if scores.ndim != 2 or len(scores) != truth.size or scores.shape[1] < 2:
        return [f"proba: expected shape ({truth.size}, classes) with two classes or more, got {scores.shape}"]
    n_classes = scores.shape[1]
    faults = class_number_faults("y_true", truth, n_classes)
    if not np.isfinite(scores).all():
        faults.append(f"proba: expected finite numbers, got {int((~np.isfinite(scores)).sum())} that are not")
    if average not in ("micro", "macro"):
        faults.append(f"average: expected micro or macro, got {average!r}")
    if absent not in ("exclude", "raise"):
        faults.append(f"absent: expected exclude or raise, got {absent!r}")
    missing = sorted(set(range(n_classes)) - set(truth.tolist()))
    if absent == "raise" and missing:
        faults.append(f"expected true samples of every class, got none of class {', '.join(map(str, missing))}")
    return faults


# Prediction frames


@dataclass(frozen=True, eq=False)
class Scores:
    """The scores of one set of predictions, pooled over folds.

    Attributes:
        n: number of samples.
        n_subjects: number of subjects, compared as ``<dataset>/<subject>``.
        classes: names of the classes, in the order of their numbers.
        support: number of true samples a class, in that order.
        uf1: unweighted F1, 0..1.
        uar: unweighted average recall, 0..1.
        accuracy: share of correct predictions, 0..1.
        recall: recall a class, in the order of `classes`; NaN for an absent class, or 0 where absent is
            ``"zero"``.
        auc_micro: micro-averaged area under the ROC curve.
        auc_macro: macro-averaged area under the ROC curve over the classes that have a curve.
        confusion: int64 (C, C), rows are the truth; read-only.
        absent: names of the classes that the truth does not contain.
    """

    n: int
    n_subjects: int
    classes: tuple[str, ...]
    support: tuple[int, ...]
    uf1: float
    uar: float
    accuracy: float
    recall: tuple[float, ...]
    auc_micro: float
    auc_macro: float
    confusion: IntArray
    absent: tuple[str, ...]

    def row(self) -> dict[str, float]:
        """The numbers as one flat row of a table, recalls as ``recall_<class>``."""
        names = ("n", "n_subjects", "uf1", "uar", "accuracy", "auc_micro", "auc_macro")
        recalls = {f"recall_{name}": value for name, value in zip(self.classes, self.recall, strict=True)}
        return {name: getattr(self, name) for name in names} | recalls


def score(predictions: pd.DataFrame, absent: Absent = "exclude") -> Scores:
    """Score one seed's chosen predictions, pooled over all folds in the frame.

    The predicted class is the one with the highest probability; among equals the first.

    Args:
        predictions: one row a sample with the columns `sample_id`, `seed`, `y_true` and one `p_<class>` a
            class.
        absent: what becomes of a class without a true sample; see the head of this module.

    Returns:
        Scores, which name the absent classes.

    Raises:
        ParameterError: the frame breaks its contract (all faults at once), holds several seeds, or lacks a
            class under ``"raise"``.
    """
    check_predictions(predictions)
    classes, truth, proba = classes_of(predictions), predictions["y_true"].to_numpy(), probabilities(predictions)
    matrix = confusion_matrix(truth, proba.argmax(axis=1), len(classes))
    matrix.setflags(write=False)
    support = matrix.sum(axis=1)
    return Scores(
        n=len(predictions),
        n_subjects=subject_ids(predictions).nunique(),
        classes=classes,
        support=tuple(support.tolist()),
        uf1=float(uf1(matrix, absent)),
        uar=float(uar(matrix, absent)),
        accuracy=float(accuracy(matrix)),
        recall=tuple(recall_per_class(matrix, absent).tolist()),
        auc_micro=roc_auc(truth, proba, "micro"),
        auc_macro=roc_auc(truth, proba, "macro"),
        confusion=matrix,
        absent=tuple(name for name, count in zip(classes, support, strict=True) if count == 0),
    )


def score_by_dataset(predictions: pd.DataFrame, absent: Absent = "exclude") -> dict[str, Scores]:
    """Score the whole frame, then each of its data sets: subsets of one run, not separate trainings.

    Args and raises: as :func:`score`.

    Returns:
        Scores by name: ``"full"`` first, then the data sets that the sample ids name, in alphabetical order.
    """
    whole = {FULL: score(predictions, absent)}
    datasets = predictions["sample_id"].str.split("/").str[0].to_numpy()
    return whole | {name: score(predictions[datasets == name], absent) for name in sorted(set(datasets))}


def mean_over_folds(predictions: pd.DataFrame, absent: Absent = "exclude") -> dict[str, float]:
    """Score each fold by itself and average: not the field's protocol, to be given second, by this name.

    Args:
        predictions: as for :func:`score`, with the column `fold`.
        absent: what becomes of a class that a fold's truth does not contain; under ``"zero"`` even a perfect
            classifier stays below 1.

    Returns:
        `uf1_mean_over_folds`, `uar_mean_over_folds`, `accuracy_mean_over_folds`, `n_folds`, and for each
        class `folds_without_<class>`, the number of folds whose truth does not contain it.

    Raises:
        ParameterError: as :func:`score`.
    """
    check_predictions(predictions, columns=["fold"])
    classes, guess = classes_of(predictions), predicted_classes(predictions)
    _, matrices = confusion_matrices(predictions["fold"], predictions["y_true"], guess, len(classes))
    without = (matrices.sum(axis=2) == 0).sum(axis=0)
    return {
        "uf1_mean_over_folds": float(uf1(matrices, absent).mean()),
        "uar_mean_over_folds": float(uar(matrices, absent).mean()),
        "accuracy_mean_over_folds": float(accuracy(matrices).mean()),
        "n_folds": float(len(matrices)),
        **{f"folds_without_{name}": float(n) for name, n in zip(classes, without, strict=True)},
    }


def score_seeds(predictions: pd.DataFrame, absent: Absent = "exclude") -> pd.DataFrame:
    """Score each seed by itself.

    Args:
        predictions: as for :func:`score`, one row a (sample, seed); every seed holds the same samples.
        absent: as for :func:`score`.

    Returns:
        One row a seed (the index, sorted) with the columns of :meth:`Scores.row`.

    Raises:
        ParameterError: as :func:`score`, or the seeds do not hold the same samples.
    """
    check_predictions(predictions, several_seeds=True)
    rows = {seed: score(rows, absent).row() for seed, rows in predictions.groupby("seed", sort=True)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("seed")


def summarise_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """Summarise :func:`score_seeds`: one row each for mean, sd, min and max over seeds.

    The sd is that of a sample (divided by seeds - 1), so it is NaN for one seed.
    """
    return table.agg(["mean", "std", "min", "max"]).rename(index={"std": "sd"})
