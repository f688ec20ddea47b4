"""One row of a paper's table: printed scores on one data set or several, and whether tables exist that give them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from mer_lib.claims.joint import Joined, join
from mer_lib.claims.printed import Interval, Rounding, read_number
from mer_lib.claims.problem import Problem
from mer_lib.claims.scores import metric_of
from mer_lib.claims.search import LIMIT, WORK, Found, search
from mer_lib.errors import ParameterError, fault_list

State = Literal["possible", "impossible", "undecided"]
Name = Callable[[str], str]  # what a data set, or a metric, is called in a text for people


class Cell(NamedTuple):
    """Which number of a row: on which data set, and which metric by name."""

    dataset: str
    metric: str

    def __str__(self) -> str:
        return self.called(str)

    def called(self, name: Name) -> str:
        """The metric and the data set by their names."""
        return f"{name(self.metric)} on {name(self.dataset)}"


@dataclass(frozen=True)
class ClassCounts:
    """Samples of each class of one data set."""

    classes: tuple[str, ...]
    counts: tuple[int, ...]

    def __str__(self) -> str:
        return "/".join(map(str, self.counts))


@dataclass(frozen=True, eq=False)
class Row:
    """The printed scores of one method.

    Attributes:
        name: what the row is called.
        printed: the text of each cell, see :func:`~mer_lib.claims.printed.read_number`.
        counts: samples of each class, for every data set that is named in a cell.
        whole: the data set whose predictions are those of `parts` taken together; None where each stands for itself.
        parts: the data sets that make up the whole.
        rounding: how numbers were rounded.
    """

    name: str
    printed: Mapping[Cell, str]
    counts: Mapping[str, ClassCounts]
    whole: str | None = None
    parts: tuple[str, ...] = ()
    rounding: Rounding = "any"

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise ParameterError(f"row {self.name!r} cannot be checked:\n{fault_list(faults)}")

    def _faults(self) -> Iterable[str]:
        for cell, text in self.printed.items():
            try:
                read_number(text)
                metric_of(cell.metric, self.counts[cell.dataset].classes)
            except KeyError:
                yield f"{cell}: no class counts of {cell.dataset!r}; known are those of {', '.join(self.counts)}"
            except ParameterError as error:
                yield f"{cell}: {error}"
        if self.whole:
            of_parts = np.sum([self.counts[name].counts for name in self.parts], axis=0)
            if tuple(of_parts.tolist()) != self.counts[self.whole].counts:
                yield (
                    f"expected the counts of {self.whole} ({self.counts[self.whole]}) to be the sum of those of "
                    f"{', '.join(self.parts)} ({'/'.join(map(str, of_parts))})"
                )

    def without(self, *cells: Cell) -> Row:
        """The same row, these numbers unknown."""
        left = {cell: text for cell, text in self.printed.items() if cell not in cells}
        return replace(self, printed=left)

    def only(self, dataset: str) -> Row:
        """The row's numbers on one data set."""
        return replace(
            self, printed={c: t for c, t in self.printed.items() if c.dataset == dataset}, whole=None, parts=()
        )

    def share(self, cell: Cell) -> float:
        """A printed number as a share of one."""
        return float(read_number(self.printed[cell]).share)

    def problem(self, dataset: str, candidates: Mapping[Cell, tuple[Interval, ...]] | None = None) -> Problem:
        """What is asked of one data set; `candidates` replace printed numbers."""
        candidates = candidates or {}
        of_set = self.counts[dataset]
        wanted = dict.fromkeys([*self.printed, *candidates])
        scores = {
            metric_of(cell.metric, of_set.classes): candidates.get(cell)
            or (read_number(self.printed[cell]).interval(self.rounding),)
            for cell in wanted
            if cell.dataset == dataset
        }
        return Problem.of(of_set.counts, scores)


@dataclass(frozen=True, eq=False)
class Solved:
    """What a search found for a row.

    Attributes:
        state: "undecided" where a limit was hit before the search was over.
        found: the tables of each data set by itself.
        joined: those of the parts that also give the whole; None where there is no whole, or a part has none.
        impossible: data sets whose own numbers cannot be.
    """

    state: State
    found: Mapping[str, Found]
    joined: Joined | None = None
    impossible: tuple[str, ...] = field(default=())


def solve(
    row: Row, candidates: Mapping[Cell, tuple[Interval, ...]] | None = None, first: bool = False, work: int = WORK
) -> Solved:
    """Search the tables of right answers and false alarms that give all numbers of a row.

    Args:
        row: the printed numbers.
        candidates: intervals for some cells in place of their printed numbers.
        first: one solution is enough, and one data set whose numbers cannot be.
        work: how much may be looked at in each search.
    """
    candidates = candidates or {}
    problems = {name: row.problem(name, candidates) for name in row.counts}
    asked = [name for name in row.counts if problems[name].scores]
    loose = [name for name in (*row.parts, row.whole) if name and len(problems[name].scores) < 2]
    limit = 1 if first and not row.parts else LIMIT
    found: dict[str, Found] = {}
    for name in asked:
        if name in loose or (name == row.whole and (first or candidates)):
            continue  # what is known of the others leaves it less room
        found[name] = search(problems[name], limit, work)
        if first and found[name].complete and not len(found[name]):
            break
    impossible = tuple(name for name, tables in found.items() if tables.complete and not len(tables))
    if impossible:
        return Solved("impossible", found, impossible=impossible)
    if not row.parts:
        return Solved("possible" if all(len(tables) for tables in found.values()) else "undecided", found)
    return _joined(row, problems, found, first, work)


def _joined(row: Row, problems: Mapping[str, Problem], found: dict[str, Found], first: bool, work: int) -> Solved:
    whole = problems[str(row.whole)]
    for name in row.parts:
        if name not in found:  # little is printed of it, but the whole and the other parts leave it little room
            others = [
                found[other] if other in found and found[other].complete else problems[other].counts
                for other in row.parts
                if other != name
            ]
            found[name] = search(replace(problems[name], bounds=_left_open(whole, others)), work=work)
            if found[name].complete and not len(found[name]):
                return Solved("impossible", found)
    joined = join(whole, [found[name] for name in row.parts], first=first, work=work)
    over: State = "impossible" if joined.complete else "undecided"
    return Solved("possible" if joined.number else over, found, joined)


def _left_open(whole: Problem, others: Iterable[Found | tuple[int, ...]]) -> tuple[Any, ...]:
    """What the UAR of the whole leaves to one part, the others having the tables that they have."""
    low, high = whole.hull(("uar", None))
    if np.isinf(low):
        return ()
    weights = 1 / np.array(whole.counts) / len(whole.counts)
    for other in others:
        sums = other.tp @ weights if isinstance(other, Found) else np.array([0, np.array(other) @ weights])
        low, high = low - sums.max(), high - sums.min()
    return ((tuple(weights.tolist()), low, high),)
