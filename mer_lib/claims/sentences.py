"""What is wrong with an impossible row, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from mer_lib.claims.blame import Blame
from mer_lib.claims.printed import Interval, read_number
from mer_lib.claims.ranges import pooled_uar, uf1_range
from mer_lib.claims.row import Cell, Name, Row

_AMOUNTS = {1: "one", 2: "two", 3: "three"}


def describe(row: Row, blamed: Blame, name: Name = str) -> str:
    """Say what excludes what, what is wrong, and what was left open.

    Args:
        row: the printed numbers.
        blamed: what :func:`~mer_lib.claims.blame.blame` found.
        name: what a data set, or a metric, is called.
    """
    parts = (_excluded(row, blamed, name), _pooled(row, name), _wrong(blamed, name), _left_open(blamed))
    return "; ".join(part for part in parts if part)


def _excluded(row: Row, blamed: Blame, name: Name) -> str:
    if blamed.alone:
        sets = (
            f"{_numbers(row.only(of), name)} on {name(of)} ({row.counts[of]} samples{_reach(row, of, name)})"
            for of in blamed.alone
        )
        return f"no predictions give {'; nor '.join(sets)}"
    parts = ", ".join(name(part) for part in row.parts)
    return f"no predictions on {parts} give all numbers of the row together with {name(str(row.whole))}"


def _numbers(row: Row, name: Name) -> str:
    return " with ".join(f"{name(cell.metric)} {text}" for cell, text in row.printed.items())


def _reach(row: Row, dataset: str, name: Name) -> str:
    """Say where UF1 would lie beside the other numbers of a data set, if what is printed lies elsewhere."""
    cell = Cell(dataset, "uf1")
    found = uf1_range(row.problem(dataset)) if cell in row.printed else None
    if not found:
        return ""
    if _meet(_interval(row, cell), found):
        return f"; no attainable {name(cell.metric)} rounds to {row.printed[cell]}"
    return f"; {name(cell.metric)} would lie in {found[0]:.4f} to {found[1]:.4f}"


def _pooled(row: Row, name: Name) -> str:
    """Say which UAR of the whole its parts allow, if what is printed lies elsewhere."""
    cell = Cell(str(row.whole), "uar")
    if cell not in row.printed:
        return ""
    found = pooled_uar(row.problem(cell.dataset), [row.problem(part) for part in row.parts])
    if not found or _meet(_interval(row, cell), found):
        return ""
    return f"for {cell.called(name)} the parts allow {found[0]:.4f} to {found[1]:.4f}, printed is {row.printed[cell]}"


def _interval(row: Row, cell: Cell) -> Interval:
    return read_number(row.printed[cell]).interval(row.rounding)


def _meet(interval: Interval, found: tuple[float, float]) -> bool:
    return float(interval.low) <= found[1] and found[0] <= float(interval.high)


def _wrong(blamed: Blame, name: Name) -> str:
    """Say what is wrong: all that may be if one number is open, an example if several are, or not all was decided."""
    certain = [cell.called(name) for cell in blamed.certain]
    if not blamed.suspects:
        return _together(certain) if blamed.undecided else _more(certain, 3)
    open_sets = [[cell.called(name) for cell in cells if cell not in blamed.certain] for cells in blamed.suspects]
    size = len(open_sets[0])
    if not size:
        return _together(certain)
    options = [cell for cells in open_sets for cell in cells]
    if size == 1 and not blamed.undecided:
        return f"wrong is {' and '.join([*certain, _one_of(options)])}"
    if size == 1:
        return f"{_more(certain, 1)}, for example {' or '.join(options)}"
    others = f", one of {len(open_sets)} such pairs" if len(open_sets) > 1 else ""
    return f"{_more(certain, size)}, for example {' and '.join(open_sets[0])}{others}"


def _together(cells: Sequence[str]) -> str:
    """Name cells of which each is wrong."""
    if len(cells) < 2:
        return "".join(f"wrong is {cell}" for cell in cells)
    return f"wrong are {'both' if len(cells) == 2 else 'all of'} {', '.join(cells[:-1])} and {cells[-1]}"


def _one_of(cells: Sequence[str]) -> str:
    return f"one of {', '.join(cells)}" if len(cells) > 1 else cells[0]


def _more(certain: Sequence[str], least: int) -> str:
    """Say that so many numbers or more are wrong, besides those that are certain."""
    amount = f"{_AMOUNTS[least]} or more"
    return f"{_together(certain)}, and {amount} others" if certain else f"{amount} are wrong"


def _left_open(blamed: Blame) -> str:
    """Say of how many numbers, or pairs, it was not decided whether they explain the row."""
    number = len(blamed.undecided)
    if not number:
        return ""
    if not blamed.suspects:
        return f"{'whether more is' if blamed.broken else 'which is'} wrong was not decided"
    kind = "number" if len(blamed.undecided[0]) == len(blamed.broken) + 1 else "pair"
    return f"{number} further {kind}{'s were' if number > 1 else ' was'} not decided"
