"""Which numbers of an impossible row must be wrong, and which small slips would explain them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from mer_lib.claims.printed import Printed, read_number
from mer_lib.claims.row import Cell, Name, Row, Solved, State, solve
from mer_lib.claims.scores import metric_of, within
from mer_lib.claims.shares import numerators

WORK = 2_000_000  # tables that are looked at for one question
_PAIR_WORK = 500_000  # the same where two numbers are taken away: there are many pairs
_PRECISION = ("uar", "macro_precision")


@dataclass(frozen=True)
class Blame:
    """What is wrong with a row.

    Attributes:
        alone: data sets whose own numbers exclude each other.
        broken: cells whose number no count gives: they are wrong, whatever the others are.
        suspects: sets of cells, the broken among them, each the fewest whose removal leaves a possible row. If no more
            numbers are wrong than must be, the wrong ones are one of these sets, or of those that were not decided.
            None where removing two cells besides the broken does not help.
        undecided: sets of as many cells of which the limit left open whether their removal helps.
    """

    alone: tuple[str, ...]
    broken: tuple[Cell, ...] = ()
    suspects: tuple[tuple[Cell, ...], ...] = ()
    undecided: tuple[tuple[Cell, ...], ...] = ()

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells that are suspected."""
        return tuple(dict.fromkeys([*self.broken, *(cell for cells in self.suspects for cell in cells)]))

    @property
    def certain(self) -> tuple[Cell, ...]:
        """The cells that every explanation needs, the undecided ones among them."""
        if not self.suspects:
            return self.broken
        return tuple(cell for cell in self.cells if all(cell in cells for cells in self.suspects + self.undecided))

    def verdict(self, cell: Cell) -> str:
        """Say of one number "impossible", "undecided" or "contradicted", as in :func:`mer_lib.claims.verdict.table`.

        Where no explanation was found, all numbers that exclude each other are impossible together.
        """
        together = not self.cells and (cell.dataset in self.alone or not self.alone)
        if together or cell in self.cells:
            return "impossible"
        cleared = self.suspects and not any(cell in cells for cells in self.undecided)
        return "contradicted" if cleared else "undecided"


def blame(row: Row, solved: Solved) -> Blame:
    """Find the fewest cells without which an impossible row is possible: those that no count gives, and up to two more.

    Where it was not decided whether fewer are enough, no more are accused.
    """
    broken = tuple(cell for cell in row.printed if _no_count(row, cell))
    others = [cell for cell in row.printed if cell not in broken]
    for more in (0, 1, 2) if broken else (1, 2):
        work = _PAIR_WORK if more == 2 else WORK
        states = {cells: _without(row, solved, (*broken, *cells), work) for cells in combinations(others, more)}
        found, left_open = ([(*broken, *c) for c in states if states[c] == of] for of in ("possible", "undecided"))
        if found or left_open:
            return Blame(solved.impossible, broken, tuple(found), tuple(left_open))
    return Blame(solved.impossible, broken)


def _no_count(row: Row, cell: Cell) -> bool:
    """Whether a number by itself cannot be: an accuracy or a recall that is no multiple of one over the samples."""
    of_set = row.counts[cell.dataset]
    metric, of_class = metric_of(cell.metric, of_set.classes)
    if metric not in ("acc", "recall"):
        return False
    samples = sum(of_set.counts) if of_class is None else of_set.counts[of_class]
    return not numerators(read_number(row.printed[cell]), samples, row.rounding)


def _without(row: Row, solved: Solved, cells: tuple[Cell, ...], work: int) -> State:
    if not {cell.dataset for cell in cells}.issuperset(solved.impossible):
        return "impossible"
    return solve(row.without(*cells), first=True, work=work).state


@dataclass(frozen=True)
class Repair:
    """A slip that would explain an impossible row.

    Attributes:
        kind: "two digits transposed", "last digits lost", "one digit", "cells swapped" or "macro precision".
        cells: the cells that are read otherwise.
        texts: the numbers to read instead; for "macro precision" the printed ones.
        wrong: a further cell that stays wrong.
    """

    kind: str
    cells: tuple[Cell, ...]
    texts: tuple[str, ...]
    wrong: tuple[Cell, ...] = ()

    def __str__(self) -> str:
        return self.text()

    def text(self, name: Name = str) -> str:
        """Say what to read instead; data sets and metrics are called as `name` says."""
        if self.kind == "macro precision":
            besides = f" ({self.wrong[0].called(name)} being wrong besides)" if self.wrong else ""
            return f"UAR on {', '.join(name(cell.dataset) for cell in self.cells)}: macro precision, not UAR{besides}"
        new = ", ".join(f"{cell.called(name)}: {text}" for cell, text in zip(self.cells, self.texts, strict=True))
        return f"{new} ({self.kind})"


def repairs(row: Row, blamed: Blame) -> list[Repair]:
    """List single slips with which all numbers of an impossible row fit together, the likeliest kind first."""
    found = [*_rewritten(row, blamed), *_swapped(row), *_mislabelled(row, blamed)]
    return sorted(found, key=lambda repair: _KINDS.index(repair.kind))


# -- slips ------------------------------------------------------------------------------------------------------------

_KINDS = ("two digits transposed", "last digits lost", "one digit", "cells swapped", "macro precision")


def _rewritten(row: Row, blamed: Blame) -> Iterator[Repair]:
    for cells in blamed.suspects:
        if len(cells) == 1:
            yield from _rewritten_cell(row, cells[0])


def _rewritten_cell(row: Row, cell: Cell) -> Iterator[Repair]:
    """The slips in one number: all are tried in one search, whose tables tell which of them occur."""
    options = {text: kind for kind, text in slips(read_number(row.printed[cell]), _longest(row))}
    intervals = {text: (read_number(text).interval(row.rounding),) for text in options}
    merged = tuple(interval for each in intervals.values() for interval in each)
    solved = solve(row, {cell: merged}, work=10 * WORK) if merged else None
    if solved is None or solved.state != "possible":
        return
    tp, fp = _tables(row, solved, cell.dataset)
    metric = metric_of(cell.metric, row.counts[cell.dataset].classes)
    for text, interval in intervals.items():
        if within(metric, interval, row.counts[cell.dataset].counts, tp, fp).any():
            yield Repair(options[text], (cell,), (text,))


def _tables(row: Row, solved: Solved, dataset: str) -> tuple[np.ndarray, np.ndarray]:
    if solved.joined is None:
        return solved.found[dataset].tp, solved.found[dataset].fp
    if dataset == row.whole:
        return solved.joined.tp.sum(axis=1), solved.joined.fp.sum(axis=1)
    part = row.parts.index(dataset)
    return solved.joined.tp[:, part], solved.joined.fp[:, part]


def _longest(row: Row) -> int:
    return max(read_number(text).digits for text in row.printed.values())


def slips(printed: Printed, digits: int) -> list[tuple[str, str]]:
    """What may have been meant: (kind of slip, number as text), each number once, the likeliest kind first.

    Args:
        printed: the number as printed.
        digits: how many digits behind the point the other numbers have; a shorter number may have lost its last.
    """
    whole, _, behind = str(_plain(printed)).partition(".")
    found = [("two digits transposed", text) for text in _transposed(behind)]
    if printed.digits < digits:
        lost = digits - printed.digits
        found += [("last digits lost", behind + f"{i:0{lost}d}") for i in range(1, 10**lost)]
    found += [("one digit", behind[:i] + d + behind[i + 1 :]) for i in range(len(behind)) for d in "0123456789"]
    numbers = {text: kind for kind, text in reversed(found) if text != behind}
    return [(numbers[text], printed.rewritten(f"{whole}.{text}").text) for text in numbers]


def _plain(printed: Printed) -> str:
    return f"{float(printed.number):.{printed.digits}f}"


def _transposed(digits: str) -> Iterator[str]:
    for i, j in combinations(range(len(digits)), 2):
        swapped = list(digits)
        swapped[i], swapped[j] = swapped[j], swapped[i]
        yield "".join(swapped)


def _swapped(row: Row) -> Iterator[Repair]:
    for one, other in combinations(row.printed, 2):
        if one.dataset != other.dataset and one.metric != other.metric:
            continue
        texts = row.printed[other], row.printed[one]
        if texts[0] != texts[1] and _fits(replace(row, printed={**row.printed, one: texts[0], other: texts[1]})):
            yield Repair("cells swapped", (one, other), texts)


def _mislabelled(row: Row, blamed: Blame) -> Iterator[Repair]:
    """All UAR are macro precision (the axes of the matrix were exchanged).

    Where the numbers of a part exclude each other, that of the whole may be wrong besides.
    """
    uar = tuple(cell for cell in row.printed if cell.metric == _PRECISION[0])
    of_parts = set(blamed.alone) - {row.whole}
    of_whole = tuple(cell for cell in uar if cell.dataset == row.whole and of_parts)
    for wrong in dict.fromkeys(((), of_whole)):
        cells = tuple(cell for cell in uar if cell not in wrong)
        if cells and _fits(_renamed(row.without(*wrong), cells), 2 * WORK):
            yield Repair("macro precision", cells, tuple(row.printed[cell] for cell in cells), wrong)
            if not wrong:
                return


def _renamed(row: Row, cells: Iterable[Cell]) -> Row:
    names: Mapping[Cell, Cell] = {cell: Cell(cell.dataset, _PRECISION[1]) for cell in cells}
    return replace(row, printed={names.get(cell, cell): text for cell, text in row.printed.items()})


def _fits(row: Row, work: int = WORK) -> bool:
    return solve(row, first=True, work=work).state == "possible"
