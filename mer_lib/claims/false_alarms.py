"""False alarms of each class with which given right answers get the printed scores.

F1_c = 2 TP_c / (n_c + TP_c + FP_c) is convex in FP_c, and so is precision. That bounds what any distribution of the
remaining mistakes can add to their sums: from below by the inequality of Cauchy and Schwarz, from above by giving all
of them to one class. For the last two classes the sum of FP is known, and both ends of the interval are roots of a
quadratic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mer_lib.claims.problem import CLOSE, ROOM, Budget, Problem, counted
from mer_lib.claims.scores import IntArray

FloatArray = npt.NDArray[np.float64]
_PIECE = 400_000  # tables that are held at once


@dataclass(frozen=True, eq=False)
class _Front:
    """Tables that are begun: their TP, the FP of the first classes, and the mistakes that are left."""

    tp: IntArray  # (S, C)
    fp: IntArray  # (S, c)
    left: IntArray  # (S,)
    f1: FloatArray  # (S,) sum over the first c classes
    precision: FloatArray  # (S,) the same

    def __getitem__(self, rows: slice | npt.NDArray) -> _Front:
        return _Front(self.tp[rows], self.fp[rows], self.left[rows], self.f1[rows], self.precision[rows])


def false_alarms(problem: Problem, tp: IntArray, budget: Budget) -> Iterator[tuple[IntArray, IntArray]]:
    """For each TP (S, C) all FP with which the scores fit, in pieces (tp, fp) of some tables.

    Raises:
        OutOfWork: there are too many to look at.
    """
    mistakes, nothing = (np.array(problem.counts) - tp).sum(axis=1), np.zeros(len(tp))
    front = _Front(tp, tp[:, :0], mistakes, nothing, nothing)
    yield from _deeper(problem, front[_reachable(problem, front)], budget)


def _deeper(problem: Problem, front: _Front, budget: Budget) -> Iterator[tuple[IntArray, IntArray]]:
    c, classes = front.fp.shape[1], len(problem.counts)
    last = c == classes - 2
    room = _room(problem, front, c)
    for low, high in _last_two(problem, front, *room) if last else [room]:
        sizes = np.cumsum(np.maximum(high - low + 1, 0))
        begin = 0
        while begin < len(sizes):
            before = sizes[begin - 1] if begin else 0
            end = max(int(np.searchsorted(sizes, before + _PIECE)), begin + 1)
            part = slice(begin, end)
            yield from _with_class(problem, front[part], low[part], high[part], last, budget)
            begin = end


def _with_class(
    problem: Problem, front: _Front, low: IntArray, high: IntArray, last: bool, budget: Budget
) -> Iterator[tuple[IntArray, IntArray]]:
    rows, alarms = counted(low, high)
    if not len(rows):
        return
    budget.spend(len(rows))
    c = front.fp.shape[1]
    base = front[rows]
    fp = np.hstack([base.fp, alarms[:, None]])
    if last:
        fp = np.hstack([fp, (base.left - alarms)[:, None]])
        keep = problem.fits(base.tp, fp, false_alarms=True)
        if keep.any():
            yield base.tp[keep], fp[keep]
        return
    (a, b), (p, q) = _terms(problem, base.tp, c), _terms_of_precision(problem, base.tp, c)
    grown = _Front(base.tp, fp, base.left - alarms, base.f1 + a / (b + alarms), base.precision + p / (q + alarms))
    yield from _deeper(problem, grown[_reachable(problem, grown)], budget)


def _terms(problem: Problem, tp: IntArray, c: int) -> tuple[FloatArray, FloatArray]:
    """F1_c is the first over the second plus FP_c."""
    return 2.0 * tp[:, c], (problem.counts[c] + tp[:, c]).astype(float)


def _room(problem: Problem, front: _Front, c: int) -> tuple[IntArray, IntArray]:
    """Least and largest FP of class `c`: the later classes must take the rest, none takes its own mistakes."""
    missed = np.array(problem.counts) - front.tp
    caps = missed.sum(axis=1, keepdims=True) - missed
    low = np.maximum(0, front.left - caps[:, c + 1 :].sum(axis=1))
    return low, np.minimum(front.left, caps[:, c])


def _terms_of_precision(problem: Problem, tp: IntArray, c: int) -> tuple[FloatArray, FloatArray]:
    """The precision of class `c` is the first over the second plus FP_c."""
    return tp[:, c].astype(float), np.maximum(tp[:, c], CLOSE)


def _reachable(problem: Problem, front: _Front) -> npt.NDArray[np.bool_]:
    """Which tables can still get sums of F1 and of precision that are printed like the given means."""
    classes = range(front.fp.shape[1], len(problem.counts))
    keep = np.ones(len(front.tp), bool)
    for metric, so_far, terms_of in (
        ("uf1", front.f1, _terms),
        ("macro_precision", front.precision, _terms_of_precision),
    ):
        low, high = (end * len(problem.counts) for end in problem.hull((metric, None)))
        if np.isinf(low) and np.isinf(high):
            continue
        least, most = _extremes([terms_of(problem, front.tp, c) for c in classes], front.left)
        keep &= (so_far + least <= high) & (so_far + most >= low)
    return keep


def _extremes(terms: list[tuple[FloatArray, FloatArray]], left: IntArray) -> tuple[FloatArray, FloatArray]:
    """Bounds of the sum of a / (b + x) over the terms (a, b), the x being any shares of what is left."""
    roots = sum(np.sqrt(a) for a, _ in terms)
    least = roots**2 / (sum(b for _, b in terms) + left)
    fall = np.min([a / b - a / (b + left) for a, b in terms], axis=0)
    return np.asarray(least), np.asarray(sum(a / b for a, b in terms) - fall)


def _last_two(problem: Problem, front: _Front, low: IntArray, high: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
    """The stretches of FP of the last but one class in which the sum of F1 can fit: two, or one."""
    ends = [end * len(problem.counts) - front.f1 for end in problem.hull(("uf1", None))]
    if np.isinf(ends[0]).all() and np.isinf(ends[1]).all():
        yield low, high
        return
    c = front.fp.shape[1]
    (a, A), (b, B) = _terms(problem, front.tp, c), _terms(problem, front.tp, c + 1)  # noqa: N806
    B = B + front.left  # noqa: N806
    outer, inner = (_roots(a, A, b, B, np.maximum(end, CLOSE)) for end in (ends[1], ends[0]))
    possible = (ends[1] >= 0) & ~np.isnan(outer[0])
    dip = ~np.isnan(inner[0]) & (ends[0] > 0)  # between these roots the sum is too small
    left = np.where(dip, np.minimum(inner[0], outer[1]), outer[1])
    right = np.where(dip, inner[1], np.inf)
    first = _integers(outer[0], left, low, high, possible)
    yield first
    second = _integers(right, outer[1], low, high, possible & dip)
    yield np.maximum(second[0], first[1] + 1), second[1]


def _roots(a: FloatArray, A: FloatArray, b: FloatArray, B: FloatArray, t: FloatArray) -> tuple[FloatArray, FloatArray]:  # noqa: N803
    """Where a / (A + x) + b / (B - x) is t, for t > 0; NaN where it is always larger."""
    linear = b - a - t * (B - A)
    constant = a * B + b * A - t * A * B
    square = linear**2 - 4 * t * constant
    root = np.sqrt(np.where(square >= 0, square, np.nan))
    return (-linear - root) / (2 * t), (-linear + root) / (2 * t)


def _integers(
    begin: FloatArray, end: FloatArray, low: IntArray, high: IntArray, where: npt.NDArray[np.bool_]
) -> tuple[IntArray, IntArray]:
    first = np.maximum(np.ceil(np.where(where, begin, 0) - ROOM), low).astype(np.int64)
    last = np.minimum(np.floor(np.where(where, end, -2) + ROOM), high).astype(np.int64)
    return first, last
