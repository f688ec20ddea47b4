"""Scores as functions of what decides them: right answers and false alarms of each class.

With n_c samples of class c, TP_c of them recognised and FP_c others taken for it,

    recall_c = TP_c / n_c        precision_c = TP_c / (TP_c + FP_c)        F1_c = 2 TP_c / (n_c + TP_c + FP_c)

UAR, macro precision and UF1 are their means over classes, accuracy is the sum of TP_c over all samples. No score asks
which class a mistake was taken for, so confusion matrices are searched in the space of (TP, FP) alone. A matrix exists
for such numbers exactly if the mistakes E = sum of (n_c - TP_c) are the sum of FP_c, and no class takes its own
mistakes: FP_c <= E - (n_c - TP_c) (the theorem of Gale and Ryser for a matrix whose diagonal is given).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from mer_lib.claims.printed import Interval
from mer_lib.errors import ParameterError

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: Metrics of all classes together.
MEANS = ("uf1", "uar", "acc", "macro_precision")
#: Metrics of one class: the prefix of its name.
OF_CLASS = ("recall", "precision", "f1")
#: What right answers alone decide.
_OF_TP = ("uar", "acc", "recall")
_CLOSE = 1e-9  # nearer than this to an end of an interval, fractions decide

Metric = tuple[str, int | None]


def metric_of(name: str, classes: Sequence[str]) -> Metric:
    """Read the name of a metric.

    >>> metric_of("recall_surprise", ["negative", "positive", "surprise"])
    ('recall', 2)

    Raises:
        ParameterError: no such metric, or no such class.
    """
    if name in MEANS:
        return name, None
    prefix, _, of_class = name.partition("_")
    if prefix in OF_CLASS and of_class in classes:
        return prefix, list(classes).index(of_class)
    known = [*MEANS, *(f"{prefix}_<class>" for prefix in OF_CLASS)]
    raise ParameterError(
        f"unknown metric {name!r}: expected {', '.join(known)}, the classes being {', '.join(classes)}"
    )


def needs_false_alarms(metric: Metric) -> bool:
    """Whether right answers alone leave the metric open."""
    return metric[0] not in _OF_TP


def exact(metric: Metric, counts: Sequence[int], tp: Sequence[int], fp: Sequence[int]) -> Fraction:
    """A score as a fraction.

    >>> exact(("uf1", None), (10, 10), (9, 6), (4, 1))
    Fraction(291, 391)
    """
    return _score(metric, counts, tp, fp, lambda a, b: Fraction(int(a), int(b)) if b else Fraction(0))


def values(metric: Metric, counts: Sequence[int], tp: IntArray, fp: IntArray) -> npt.NDArray[np.float64]:
    """Scores of many tables: `tp` and `fp` are (S, C), the result is (S,)."""
    ratio = lambda a, b: np.divide(a, b, out=np.zeros(np.shape(a)), where=np.asarray(b) > 0)  # noqa: E731
    columns = (list(tp.T), list(fp.T))
    return np.asarray(_score(metric, counts, *columns, ratio), float)


def _score(metric: Metric, counts: Sequence[int], tp: Sequence[Any], fp: Sequence[Any], ratio: Callable) -> Any:
    name, one = metric
    if name == "acc":
        return ratio(sum(tp), sum(counts) + 0 * sum(tp))
    kind = {"uf1": "f1", "uar": "recall", "macro_precision": "precision"}.get(name, name)
    of_class = [_of_class(kind, n, t, f, ratio) for n, t, f in zip(counts, tp, fp, strict=True)]
    return of_class[one] if one is not None else sum(of_class) / len(of_class)


def _of_class(kind: str, n: int, tp: Any, fp: Any, ratio: Callable) -> Any:
    if kind == "f1":
        return ratio(2 * tp, n + tp + fp)
    return ratio(tp, tp + fp if kind == "precision" else n + 0 * tp)


def within(
    metric: Metric, intervals: Sequence[Interval], counts: Sequence[int], tp: IntArray, fp: IntArray
) -> BoolArray:
    """Which of many tables have the score in one of the intervals; exactly, near an end by fractions.

    Args:
        tp: right answers (S, C).
        fp: false alarms (S, C).

    Returns:
        bool (S,).
    """
    found = values(metric, counts, tp, fp)
    inside = np.zeros(len(found), bool)
    unsure = np.zeros(len(found), bool)
    for interval in intervals:
        low, high = float(interval.low), float(interval.high)
        inside |= (found >= low) & (found <= high)
        unsure |= (np.abs(found - low) < _CLOSE) | (np.abs(found - high) < _CLOSE)
    for i in np.flatnonzero(unsure):
        score = exact(metric, counts, tp[i].tolist(), fp[i].tolist())
        inside[i] = any(score in interval for interval in intervals)
    return inside


def confusion(counts: Sequence[int], tp: Sequence[int], fp: Sequence[int]) -> IntArray:
    """One confusion matrix (C, C) with these right answers and false alarms; rows are the truth.

    >>> confusion((10, 10, 5), (9, 6, 5), (2, 1, 2)).tolist()
    [[9, 1, 0], [2, 6, 2], [0, 0, 5]]

    Raises:
        ParameterError: no matrix has them.
    """
    missed = np.subtract(counts, tp).astype(np.int64)
    alarms = np.asarray(fp, np.int64).copy()
    errors = int(missed.sum())
    if errors != alarms.sum() or missed.min() < 0 or alarms.min() < 0 or (alarms + missed > errors).any():
        raise ParameterError(f"no confusion matrix of {tuple(counts)} samples has TP {tuple(tp)} and FP {tuple(fp)}")
    matrix = np.diag(np.asarray(tp, np.int64))
    while missed.any():
        # One mistake of the class that is pressed most: what it misses and takes must find room in the others.
        pressed = int(np.argmax(missed + alarms))
        row, column = _one_mistake(missed, alarms, pressed)
        matrix[row, column] += 1
        missed[row] -= 1
        alarms[column] -= 1
    return matrix


def _one_mistake(missed: IntArray, alarms: IntArray, pressed: int) -> tuple[int, int]:
    others = np.arange(len(missed)) != pressed
    rest = missed + alarms
    if missed[pressed]:
        return pressed, int(np.argmax(np.where(others & (alarms > 0), rest, -1)))
    return int(np.argmax(np.where(others & (missed > 0), rest, -1))), pressed
