"""What is asked of one data set, and how much may be looked at to answer it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mer_lib.claims.printed import Interval
from mer_lib.claims.scores import IntArray, Metric, needs_false_alarms, within
from mer_lib.errors import ParameterError

CLOSE = 1e-9  # of numbers that may be equal
ROOM = 1e-6  # of roots and quotients, before rounding them to integers


@dataclass(frozen=True)
class Problem:
    """The printed scores of one data set.

    Attributes:
        counts: samples of each class, at least one each, of at least two classes.
        scores: for each metric the intervals its number may lie in (any of them).
        bounds: weights of the right answers of each class, and the least and largest sum of their products; what
            other data sets leave open to this one.
    """

    counts: tuple[int, ...]
    scores: tuple[tuple[Metric, tuple[Interval, ...]], ...]
    bounds: tuple[tuple[tuple[float, ...], float, float], ...] = ()

    def __post_init__(self) -> None:
        if len(self.counts) < 2 or min(self.counts) < 1:
            raise ParameterError(f"counts: expected at least 1 sample in each of 2 classes or more, got {self.counts}")

    @classmethod
    def of(cls, counts: tuple[int, ...], scores: Mapping[Metric, tuple[Interval, ...]]) -> Problem:
        """A problem from a mapping, in an order that does not depend on that of the mapping."""
        return cls(counts, tuple(sorted(scores.items(), key=lambda item: (item[0][0], item[0][1] or 0))))

    def hull(self, metric: Metric) -> tuple[float, float]:
        """The least and the largest number that `metric` may have, a little widened; infinite if nothing is said."""
        for name, intervals in self.scores:
            if name == metric:
                ends = [float(i.low) for i in intervals], [float(i.high) for i in intervals]
                return min(ends[0], default=np.inf) - CLOSE, max(ends[1], default=-np.inf) + CLOSE
        return -np.inf, np.inf

    def fits(self, tp: IntArray, fp: IntArray, false_alarms: bool) -> npt.NDArray[np.bool_]:
        """Which tables (S, C) fit the metrics that need false alarms, or those that do not."""
        keep = np.ones(len(tp), bool)
        for metric, intervals in self.scores:
            if needs_false_alarms(metric) == false_alarms:
                keep[keep] = within(metric, intervals, self.counts, tp[keep], fp[keep])
        return keep


class Budget:
    """Counts what has been looked at; :meth:`spend` says when it is too much."""

    def __init__(self, work: int) -> None:
        self.left = work

    def spend(self, amount: int) -> None:
        """Take from the budget.

        Raises:
            OutOfWork: nothing is left.
        """
        self.left -= amount
        if self.left < 0:
            raise OutOfWork


class OutOfWork(Exception):
    """A search has looked at as much as it may."""


def counted(low: IntArray, high: IntArray) -> tuple[IntArray, IntArray]:
    """Every integer from low to high, row by row: the row it belongs to, and itself."""
    sizes = np.maximum(high - low + 1, 0)
    rows = np.repeat(np.arange(len(low)), sizes)
    starts = np.cumsum(sizes) - sizes
    return rows, low[rows] + np.arange(len(rows)) - starts[rows]
