"""Right answers of each class that fit recalls, UAR and accuracy: all linear, so the last class follows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mer_lib.claims.problem import ROOM, Budget, Problem, counted
from mer_lib.claims.scores import IntArray

FloatArray = npt.NDArray[np.float64]
_MOST = 5_000_000  # rows that are held at once


def right_answers(problem: Problem, budget: Budget) -> IntArray:
    """All TP (S, C) that fit recalls, UAR and accuracy.

    Raises:
        OutOfWork: there are too many to look at.
    """
    counts = np.array(problem.counts)
    order = np.argsort(counts, kind="stable")  # the largest class follows from the others
    ranges = [_answers_of_class(problem, int(c)) for c in order]
    linear = [  # the weights of right answers in a score, and the ends of that
        (1 / counts[order] / len(counts), *problem.hull(("uar", None))),
        (np.full(len(counts), 1 / counts.sum()), *problem.hull(("acc", None))),
        *((np.array(weights)[order], low, high) for weights, low, high in problem.bounds),
    ]
    front = np.zeros((1, 0), np.int64)
    for c in range(len(counts)):
        low, high = _bounded(front, c, ranges, linear)
        rows_now = int(np.maximum(high - low + 1, 0).sum())
        budget.spend(rows_now if rows_now <= _MOST else budget.left + 1)
        rows, chosen = counted(low, high)
        front = np.hstack([front[rows], chosen[:, None]])
    tp = np.empty_like(front)
    tp[:, order] = front
    return tp[problem.fits(tp, np.zeros_like(tp), false_alarms=False)]


def _answers_of_class(problem: Problem, c: int) -> tuple[int, int]:
    low, high = problem.hull(("recall", c))
    n = problem.counts[c]
    return int(np.ceil(max(low, 0) * n - ROOM)), int(np.floor(min(high, 1) * n + ROOM))


def _bounded(
    front: IntArray, c: int, ranges: list[tuple[int, int]], linear: list[tuple[FloatArray, float, float]]
) -> tuple[IntArray, IntArray]:
    """Least and largest right answers of class `c` with which the later classes can still reach each score."""
    low = np.full(len(front), ranges[c][0], float)
    high = np.full(len(front), ranges[c][1], float)
    later = np.array(ranges[c + 1 :], float).reshape(-1, 2)
    for weights, least, most in linear:
        so_far = front @ weights[:c]
        rest = weights[c + 1 :] @ later
        low = np.maximum(low, (least - so_far - rest[1]) / weights[c])
        high = np.minimum(high, (most - so_far - rest[0]) / weights[c])
    return np.ceil(low - ROOM).astype(np.int64), np.floor(high + ROOM).astype(np.int64)


def drawn_answers(problem: Problem, number: int, seed: int = 0) -> IntArray:
    """Those of `number` random TP that fit recalls, UAR and accuracy (S, C): where there are too many to list."""
    rng = np.random.default_rng(seed)
    ranges = [_answers_of_class(problem, c) for c in range(len(problem.counts))]
    if any(low > high for low, high in ranges):
        return np.empty((0, len(ranges)), np.int64)
    tp = np.stack([rng.integers(low, high + 1, number) for low, high in ranges], axis=1)
    return tp[problem.fits(tp, np.zeros_like(tp), false_alarms=False)]
