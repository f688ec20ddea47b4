"""The verdict on a row of printed numbers: possible, impossible or undecided, with the reasons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from mer_lib.claims.blame import Blame, Repair, blame, repairs
from mer_lib.claims.row import Cell, Name, Row, Solved, State, solve
from mer_lib.claims.scores import IntArray, confusion
from mer_lib.claims.sentences import describe

COLUMNS = ("row", "dataset", "metric", "printed", "verdict", "tables", "why", "repairs")


@dataclass(frozen=True, eq=False)
class Verdict:
    """What can be said of a row.

    Attributes:
        row: the printed numbers.
        solved: what the search found.
        blame: what is wrong, where the row is impossible.
        repairs: single slips that would explain it; empty where they were not asked for.
    """

    row: Row
    solved: Solved
    blame: Blame | None
    repairs: tuple[Repair, ...]

    @property
    def state(self) -> State:
        """Whether predictions can have all the numbers of the row."""
        return self.solved.state

    @property
    def why(self) -> str:
        """The reason in a sentence; "" where the row is possible."""
        return self.reason()

    def reason(self, name: Name = str) -> str:
        """The reason as :attr:`why`, data sets and metrics being called as `name` says."""
        if self.blame:
            return describe(self.row, self.blame, name)
        return "" if self.state == "possible" else "the search was given up at its limit"

    def tables(self, dataset: str) -> tuple[int, bool]:
        """How many tables of right answers and false alarms fit the data set, and whether these are all.

        Where the data set is part of a whole, those are meant that fit the whole row.
        """
        joined = self.solved.joined
        if joined is not None and dataset in (self.row.whole, *self.row.parts):
            return joined.number, joined.complete
        found = self.solved.found.get(dataset)
        return (len(found), found.complete) if found else (0, True)

    def example(self) -> dict[str, IntArray]:
        """One confusion matrix (C, C) for each data set that gives all numbers; rows are the truth.

        Its diagonal and its sums are as the numbers demand; how mistakes are spread in it is one way of several.
        Empty where the row is not possible.
        """
        if self.state != "possible":
            return {}
        chosen = {name: (found.tp[0], found.fp[0]) for name, found in self.solved.found.items()}
        if self.solved.joined is not None:
            tp, fp = self.solved.joined.tp[0], self.solved.joined.fp[0]
            chosen |= {name: (tp[i], fp[i]) for i, name in enumerate(self.row.parts)}
            chosen[str(self.row.whole)] = (tp.sum(axis=0), fp.sum(axis=0))
        return {name: confusion(self.row.counts[name].counts, tp, fp) for name, (tp, fp) in chosen.items()}


def judge(row: Row, with_repairs: bool = True, counted: bool = True) -> Verdict:
    """Search the confusion matrices that give a row's numbers, and say what is wrong where there are none.

    Args:
        row: the printed numbers.
        with_repairs: also look for small slips that would explain an impossible row; takes longer.
        counted: count all tables that fit; without, the search stops at the first.
    """
    solved = solve(row, first=not counted)
    if solved.state == "impossible" and not counted:
        solved = solve(row)  # every data set that cannot be, not the first alone
    blamed = blame(row, solved) if solved.state == "impossible" else None
    return Verdict(row, solved, blamed, tuple(repairs(row, blamed)) if blamed and with_repairs else ())


def table(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """One line for each printed number.

    Returns:
        Columns :data:`COLUMNS`. `verdict` is "possible", "undecided", "impossible" for a number that is wrong, or
        one of those that may be, and "contradicted" for the other numbers of an impossible row, if it was decided of
        all explanations with them; `tables` is how many tables fit, with ">" before it where there are more;
        `repairs` are separated by "; ".
    """
    rows = [line for verdict in verdicts for line in _lines(verdict)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _lines(verdict: Verdict) -> Iterable[tuple[str, ...]]:
    row = verdict.row
    for cell, text in row.printed.items():
        number, complete = verdict.tables(cell.dataset)
        amount = "" if verdict.state == "impossible" else f"{'' if complete else '>'}{number}"
        mine = [str(repair) for repair in verdict.repairs if cell in (*repair.cells, *repair.wrong)]
        said = cell_verdict(verdict, cell)
        why = "" if said == "possible" else verdict.why
        yield row.name, cell.dataset, cell.metric, text, said, amount, why, "; ".join(mine)


def cell_verdict(verdict: Verdict, cell: Cell) -> str:
    """The verdict on one number of a row, as in :func:`table`."""
    return verdict.blame.verdict(cell) if verdict.blame else verdict.state
