"""Several data sets and their union: tables of the parts whose sum gives the scores that are printed of the whole.

The right answers of the parts are combined first: UAR, accuracy and recalls of the whole are linear in their sums, so
the part with the most of them is looked up by a binary search. Only for those combinations that remain are the false
alarms combined.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mer_lib.claims.problem import Budget, OutOfWork, Problem
from mer_lib.claims.scores import IntArray
from mer_lib.claims.search import WORK, Found

_PIECE = 200_000
_COMBINATION = 200  # tables that are looked at in the time that one combination takes by itself
_ROOM = 1e-9


@dataclass(frozen=True, eq=False)
class Joined:
    """Tables of the parts that give all scores, together with those of the whole.

    Attributes:
        tp: right answers (S, P, C) of S solutions in P parts.
        fp: false alarms, same shape.
        number: how many solutions there are; more than S if not all were kept.
        complete: whether all solutions were counted.
    """

    tp: IntArray
    fp: IntArray
    number: int
    complete: bool


def join(whole: Problem, parts: Sequence[Found], limit: int = 1000, first: bool = False, work: int = WORK) -> Joined:
    """Search sums of one table of each part that give the scores of the whole.

    Args:
        whole: its scores; its class counts are the sums of those of the parts.
        parts: the tables of each part.
        limit: how many solutions are kept.
        first: stop at the first solution.
        work: how many combinations are looked at.
    """
    budget, number = Budget(work), 0
    kept: list[tuple[IntArray, IntArray]] = []
    complete = all(part.complete for part in parts)
    try:
        for tp, fp in _solutions(whole, [_Groups(part) for part in parts], budget):
            number += len(tp)
            if sum(len(pair[0]) for pair in kept) < limit:
                kept.append((tp[:limit], fp[:limit]))
            if first:
                complete = False
                break
    except OutOfWork:
        complete = False
    empty = np.empty((0, len(parts), len(whole.counts)), np.int64)
    tp = np.concatenate([empty, *(pair[0] for pair in kept)])[:limit]
    fp = np.concatenate([empty, *(pair[1] for pair in kept)])[:limit]
    return Joined(tp, fp, number, complete)


class _Groups:
    """The tables of one part by their right answers."""

    def __init__(self, part: Found) -> None:
        self.tp, number = np.unique(part.tp, axis=0, return_inverse=True)
        order = np.argsort(number.reshape(-1), kind="stable")
        self._fp = part.fp[order]
        self._ends = np.searchsorted(number.reshape(-1)[order], np.arange(len(self.tp) + 1))

    def __len__(self) -> int:
        return len(self.tp)

    def fp(self, group: int) -> IntArray:
        return self._fp[self._ends[group] : self._ends[group + 1]]


def _solutions(whole: Problem, parts: list[_Groups], budget: Budget) -> Iterator[tuple[IntArray, IntArray]]:
    for combination in _right_answers(whole, parts, budget):
        budget.spend(_COMBINATION)
        tp = np.stack([part.tp[i] for part, i in zip(parts, combination.tolist(), strict=True)])
        lists = [part.fp(i) for part, i in zip(parts, combination.tolist(), strict=True)]
        for fp in _sums(whole, tp, lists, budget):
            yield np.broadcast_to(tp, fp.shape), fp


def _right_answers(whole: Problem, parts: list[_Groups], budget: Budget) -> Iterator[IntArray]:
    """Which group of each part: combinations (P,) whose summed right answers fit the whole."""
    if any(not len(part) for part in parts):
        return
    weights = 1 / np.array(whole.counts) / len(whole.counts)
    order = np.argsort([len(part) for part in parts], kind="stable")
    *small, large = (parts[i] for i in order)
    value = large.tp @ weights
    by_value = np.argsort(value, kind="stable")
    low, high = whole.hull(("uar", None))
    for rows in _products([len(part) for part in small]):
        tp = sum((part.tp[rows[:, i]] for i, part in enumerate(small)), np.zeros((1, len(whole.counts)), np.int64))
        begin = np.searchsorted(value[by_value], low - tp @ weights - _ROOM)
        end = np.searchsorted(value[by_value], high - tp @ weights + _ROOM)
        for some in np.array_split(np.arange(len(rows)), max(1, int((end - begin).sum()) // _PIECE)):
            sizes = (end - begin)[some]
            pair = np.repeat(some, sizes)
            last = by_value[np.repeat(begin[some] - np.cumsum(sizes) + sizes, sizes) + np.arange(len(pair))]
            budget.spend(len(pair) + len(some))
            total = tp[pair if len(rows) == len(tp) else np.zeros_like(pair)] + large.tp[last]
            keep = whole.fits(total, np.zeros_like(total), false_alarms=False)
            found = np.empty((int(keep.sum()), len(parts)), np.int64)
            found[:, order] = np.hstack([rows[pair[keep]], last[keep, None]])
            yield from found


def _products(sizes: list[int]) -> Iterator[IntArray]:
    """All combinations of indices below the sizes, in pieces (S, len(sizes))."""
    total = int(np.prod(sizes, dtype=np.int64))
    for begin in range(0, total, _PIECE):
        numbers = np.arange(begin, min(begin + _PIECE, total))
        yield np.stack(np.unravel_index(numbers, sizes), axis=1) if sizes else np.zeros((1, 0), np.int64)


def _sums(whole: Problem, tp: IntArray, lists: list[IntArray], budget: Budget) -> Iterator[IntArray]:
    """The false alarms (S, P, C) of all combinations from the lists whose sum fits the whole."""
    total = tp.sum(axis=0)
    for rows in _products([len(fp) for fp in lists]):
        budget.spend(len(rows))
        fp = np.stack([options[rows[:, i]] for i, options in enumerate(lists)], axis=1)
        keep = whole.fits(np.broadcast_to(total, (len(fp), len(total))), fp.sum(axis=1), false_alarms=True)
        if keep.any():
            yield fp[keep]
