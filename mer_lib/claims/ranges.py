"""How small and how large a score can be beside other numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np
import numpy.typing as npt

from mer_lib.claims.problem import Budget, OutOfWork, Problem
from mer_lib.claims.right_answers import right_answers
from mer_lib.claims.scores import IntArray, needs_false_alarms
from mer_lib.claims.search import WORK

FloatArray = npt.NDArray[np.float64]
_MANY_CLASSES = 6  # from here on there are too many orders to fill the classes in
_MANY_TABLES = 500_000


def uf1_range(problem: Problem) -> tuple[float, float] | None:
    """Return the least and the largest UF1 beside recalls, UAR and accuracy of one data set.

    For given right answers UF1 is a convex function of the false alarms of each class: it is least where mistakes are
    dealt out one by one to the class whose F1 falls most, and largest in a corner: some classes take all they can.

    >>> from mer_lib.claims.printed import interval_of
    >>> low, high = uf1_range(Problem.of((70, 51, 43), {("uar", None): (interval_of("0.5280", "nearest"),)}))
    >>> round(low, 4), round(high, 4)
    (0.3983, 0.5553)

    Args:
        problem: what is printed; metrics that depend on false alarms are left aside.

    Returns:
        Both ends, 0 to 1; None where no right answers fit, or there are too many to look at.
    """
    tp = _right_answers(problem)
    if tp is None or len(tp) > _MANY_TABLES or len(problem.counts) >= _MANY_CLASSES:
        return None
    missed = np.array(problem.counts) - tp
    caps = missed.sum(axis=1, keepdims=True) - missed
    return float(_least(problem, tp, missed.sum(axis=1), caps).min()), float(_most(problem, tp, missed, caps).max())


def pooled_uar(whole: Problem, parts: Sequence[Problem]) -> tuple[float, float] | None:
    """Return the least and the largest UAR of all samples beside recalls, UAR and accuracy of each part.

    The recall of a class in the whole is a sum of right answers, so each part adds its least, or its most, by itself.

    >>> from mer_lib.claims.printed import interval_of
    >>> half = {("uar", None): (interval_of("0.50", "nearest"),)}
    >>> low, high = pooled_uar(Problem.of((20, 20), {}), [Problem.of((10, 10), half), Problem.of((10, 10), half)])
    >>> round(low, 4), round(high, 4)
    (0.5, 0.5)

    Returns:
        Both ends, 0 to 1; None where no right answers fit a part, or there are too many to look at.
    """
    weights = 1 / np.array(whole.counts) / len(whole.counts)
    low = high = 0.0
    for part in parts:
        tp = _right_answers(part)
        if tp is None:
            return None
        low, high = low + float((tp @ weights).min()), high + float((tp @ weights).max())
    return low, high


def _right_answers(problem: Problem) -> IntArray | None:
    """All right answers that fit the metrics which right answers alone decide."""
    known = tuple((metric, intervals) for metric, intervals in problem.scores if not needs_false_alarms(metric))
    try:
        tp = right_answers(replace(problem, scores=known), Budget(WORK))
    except OutOfWork:
        return None
    return tp if len(tp) else None


def _uf1(problem: Problem, tp: IntArray, fp: IntArray) -> FloatArray:
    return np.asarray((2 * tp / (np.array(problem.counts) + tp + fp)).mean(axis=1))


def _least(problem: Problem, tp: IntArray, mistakes: IntArray, caps: IntArray) -> FloatArray:
    fp, rows = np.zeros_like(tp), np.arange(len(tp))
    size = np.array(problem.counts) + tp
    for step in range(int(mistakes.max())):
        fall = np.where(fp < caps, 2 * tp / (size + fp) - 2 * tp / (size + fp + 1), -1.0)
        fp[rows, fall.argmax(axis=1)] += step < mistakes
    return _uf1(problem, tp, fp)


def _most(problem: Problem, tp: IntArray, missed: IntArray, caps: IntArray) -> FloatArray:
    best = np.zeros(len(tp))
    for order in permutations(range(tp.shape[1])):
        left, fp = missed.sum(axis=1), np.zeros_like(tp)
        for c in order:
            fp[:, c] = np.minimum(left, caps[:, c])
            left = left - fp[:, c]
        best = np.maximum(best, _uf1(problem, tp, fp))
    return best
