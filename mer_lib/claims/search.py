"""All tables of right answers and false alarms that give the printed scores of one data set.

First the right answers (:mod:`mer_lib.claims.right_answers`), then, for each of them, the false alarms, whose sum is
the number of mistakes (:mod:`mer_lib.claims.false_alarms`). Bounds only leave out what cannot fit; what remains is
judged by exact fractions, so that an interval's end is as sure as its middle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mer_lib.claims.false_alarms import false_alarms
from mer_lib.claims.problem import Budget, OutOfWork, Problem
from mer_lib.claims.right_answers import drawn_answers, right_answers
from mer_lib.claims.scores import IntArray

LIMIT = 300_000  # tables that are kept of one data set
WORK = 100_000_000  # tables, whole or begun, that are looked at before a search gives up
_DRAWN = 20_000  # right answers that are tried where there are too many to list


@dataclass(frozen=True, eq=False)
class Found:
    """Tables that give the printed scores.

    Attributes:
        tp: right answers (S, C).
        fp: false alarms (S, C).
        complete: whether these are all.
    """

    tp: IntArray
    fp: IntArray
    complete: bool

    def __len__(self) -> int:
        return len(self.tp)


@lru_cache(maxsize=512)
def search(problem: Problem, limit: int = LIMIT, work: int = WORK) -> Found:
    """Search the tables that give all scores of a problem.

    >>> from mer_lib.claims.printed import interval_of
    >>> found = search(Problem.of((2, 2), {("uar", None): (interval_of("0.50"),)}))
    >>> found.tp.tolist(), found.fp.tolist(), found.complete
    ([[0, 2], [1, 1], [2, 0]], [[0, 2], [1, 1], [2, 0]], True)

    Args:
        problem: the printed scores.
        limit: how many tables are kept.
        work: how many tables, whole or begun, are looked at.

    Returns:
        The tables in lexical order. Where there are more than `limit`, a part of them that is drawn without regard
        to their scores; where `work` ran out, those that were found until then: `complete` is False.
    """
    budget, parts, size = Budget(work), [], 0
    try:
        for part in _tables(problem, budget):
            parts.append(part)
            size += len(part[0])
            if size > limit:
                break
        complete = size <= limit
    except OutOfWork:
        complete = False
    empty = np.empty((0, len(problem.counts)), np.int64)
    tp = np.concatenate([empty, *(part[0] for part in parts)])[:limit]
    fp = np.concatenate([empty, *(part[1] for part in parts)])[:limit]
    order = np.lexsort(np.hstack([tp, fp]).T[::-1]) if len(tp) else np.empty(0, np.int64)
    return Found(tp[order], fp[order], complete)


def _tables(problem: Problem, budget: Budget) -> Iterator[tuple[IntArray, IntArray]]:
    listing = Budget(budget.left)
    try:
        answers, complete = right_answers(problem, listing), True
        budget.spend(budget.left - listing.left)
    except OutOfWork:
        answers, complete = drawn_answers(problem, _DRAWN), False
    # What is cut off by a limit shall not be one end.
    answers = answers[np.random.default_rng(0).permutation(len(answers))]
    size = 16
    while len(answers):
        chunk, answers = answers[:size], answers[size:]
        yield from false_alarms(problem, chunk, budget)
        size = min(4 * size, 65536)
    if not complete:
        raise OutOfWork
