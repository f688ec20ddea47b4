"""Which numbers of an impossible row must be wrong, and which small slips would explain them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from mer_lib.claims.printed import Printed, read_number
from mer_lib.claims.ranges import pooled_uar, uf1_range
from mer_lib.claims.row import Cell, Row, Solved, State, solve
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
        suspects: sets of cells, each the fewest whose removal leaves a possible row; the wrong numbers are among them.
            None are given where removing two does not help, or was not decided within the limit.
    """

    alone: tuple[str, ...]
    suspects: tuple[tuple[Cell, ...], ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells that are suspected."""
        return tuple(dict.fromkeys(cell for cells in self.suspects for cell in cells))

    @property
    def certain(self) -> tuple[Cell, ...]:
        """The cells that every explanation needs."""
        return tuple(cell for cell in self.cells if all(cell in cells for cells in self.suspects))


def blame(row: Row, solved: Solved) -> Blame:
    """Find the fewest cells without which an impossible row is possible: those that no count gives, or one, or two.

    Where it was not decided whether one cell is enough, no two are accused.
    """
    broken = tuple(cell for cell in row.printed if _no_count(row, cell))
    if broken:
        return Blame(solved.impossible, (broken,))
    for size in (1, 2):
        states = {cells: _without(row, solved, cells) for cells in combinations(row.printed, size)}
        found = tuple(cells for cells, state in states.items() if state == "possible")
        if found or "undecided" in states.values():
            return Blame(solved.impossible, found)
    return Blame(solved.impossible, ())


def _no_count(row: Row, cell: Cell) -> bool:
    """Whether a number by itself cannot be: an accuracy or a recall that is no multiple of one over the samples."""
    of_set = row.counts[cell.dataset]
    metric, of_class = metric_of(cell.metric, of_set.classes)
    if metric not in ("acc", "recall"):
        return False
    samples = sum(of_set.counts) if of_class is None else of_set.counts[of_class]
    return not numerators(read_number(row.printed[cell]), samples, row.rounding)


def _without(row: Row, solved: Solved, cells: tuple[Cell, ...]) -> State:
    if not {cell.dataset for cell in cells}.issuperset(solved.impossible):
        return "impossible"
    work = WORK if len(cells) == 1 else _PAIR_WORK
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
        if self.kind == "macro precision":
            besides = f" ({self.wrong[0]} being wrong besides)" if self.wrong else ""
            return f"{', '.join(map(str, self.cells))}: macro precision, not UAR{besides}"
        new = ", ".join(f"{cell} {text}" for cell, text in zip(self.cells, self.texts, strict=True))
        return f"{new} ({self.kind})"


def repairs(row: Row, blamed: Blame) -> list[Repair]:
    """List single slips with which all numbers of an impossible row fit together, the likeliest kind first."""
    found = [*_rewritten(row, blamed), *_swapped(row), *_mislabelled(row, blamed)]
    return sorted(found, key=lambda repair: _KINDS.index(repair.kind))


def describe(row: Row, blamed: Blame) -> str:
    """Say in one sentence what excludes what."""
    if blamed.alone:
        sets = (
            f"{name}: {_numbers(row.only(name))} on {row.counts[name]} samples{_reach(row, name)}"
            for name in blamed.alone
        )
        text = f"no predictions give {'; nor '.join(sets)}"
    else:
        text = f"no predictions on {', '.join(row.parts)} give all numbers of the row together with {row.whole}"
    text += _pooled(row)
    if blamed.certain:
        return f"{text}; wrong is {' and '.join(map(str, blamed.certain))}{_or_others(blamed)}"
    return f"{text}; wrong is one of {', '.join(map(str, blamed.cells))}" if blamed.cells else text


def _or_others(blamed: Blame) -> str:
    others = [cell for cell in blamed.cells if cell not in blamed.certain]
    return f" and one of {', '.join(map(str, others))}" if others else ""


def _reach(row: Row, dataset: str) -> str:
    if Cell(dataset, "uf1") not in row.printed:
        return ""
    found = uf1_range(row.problem(dataset))
    return f" (uf1 would lie in {found[0]:.4f} to {found[1]:.4f})" if found else ""


def _pooled(row: Row) -> str:
    cell = Cell(str(row.whole), "uar")
    if cell not in row.printed:
        return ""
    found = pooled_uar(row.problem(cell.dataset), [row.problem(name) for name in row.parts])
    printed = read_number(row.printed[cell]).interval(row.rounding)
    if not found or (float(printed.low) <= found[1] and found[0] <= float(printed.high)):
        return ""
    return f"; the parts allow a {cell} of {found[0]:.4f} to {found[1]:.4f}, printed is {row.printed[cell]}"


def _numbers(row: Row) -> str:
    return " with ".join(f"{cell.metric} {text}" for cell, text in row.printed.items())


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
