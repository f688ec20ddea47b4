"""Tables found by their headers: which sheet and which line does not matter, and neither does the order of columns."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from mer_lib.datasets.annotation.cells import Formula, text
from mer_lib.datasets.annotation.grids import Grid, read_grids
from mer_lib.datasets.faults import Fault
from mer_lib.errors import DataError

PLACE = "place"
_HEAD_LINES = 40  # a header below them is not looked for; SAMM has thirteen lines of preface
_FEWEST = 2  # so many wanted columns make a line a header


class _Header(NamedTuple):
    """A line that may be the header: where it stands, and the position of each wanted column that it has."""

    grid: Grid
    at: int
    columns: dict[str, int]


def read_rows(
    path: Path,
    wanted: Mapping[str, Sequence[str]],
    faults: list[Fault],
    *,
    sheet: str | None = None,
    not_sheets: Collection[str] = (),
    optional: Collection[str] = (),
) -> pd.DataFrame | None:
    """Read the rows of a workbook or a list by the names of its columns.

    Args:
        path: .xlsx, .xlsm or .csv.
        wanted: own name of each column to the names it may have in the file, the usual one first. Case, blanks, dots
            and underscores do not count.
        faults: takes what is wrong; a file that cannot be read, or lacks a column, is "unusable".
        sheet: the one to prefer where several have these columns.
        not_sheets: those that are never read.
        optional: own names of columns that a file may lack.

    Returns:
        One row a line that has something in a wanted column, cells as they are (numbers, text, None, formulas without
        a result as :class:`~.cells.Formula`); columns are the own names of those that the file has, and `place`
        ("Sheet1 row 31", or "line 31" in a list). None where the file cannot be used.
    """
    try:
        grids = read_grids(path)
    except DataError as error:
        faults.append(Fault("unusable", "annotation", str(error)))
        return None
    barred = {_plain(name) for name in not_sheets}
    headers = [header for grid in grids if _plain(grid.sheet) not in barred for header in _headers(grid, wanted)]
    header = max(headers, key=lambda header: _fitness(header, wanted, sheet, optional), default=None)
    if header is None:
        faults.append(_no_header(path, grids, wanted))
        return None
    lacking = [name for name in wanted if name not in header.columns and name not in optional]
    faults += [_no_column(path, header, wanted[name]) for name in lacking]
    if lacking:
        return None
    faults += _twice(path, header, wanted)
    faults += _rivals(path, headers, header, wanted, sheet, optional)
    rows = _rows(header)
    if rows.empty:
        message = f"{path.name} has no rows below its header, {header.grid.place(header.grid.lines[header.at][0])}"
        faults.append(Fault("unusable", "annotation", message))
        return None
    return rows


def _plain(name: object) -> str:
    """A name without all that spreadsheet programs and people change: case, blanks, dots, underscores."""
    return re.sub(r"[\W_]+", "", text(name) or "").lower()


def _headers(grid: Grid, wanted: Mapping[str, Sequence[str]]) -> Iterator[_Header]:
    for at, (_, cells) in enumerate(grid.lines[:_HEAD_LINES]):
        names = [_plain(cell) for cell in cells]
        columns = {own: position for own, aliases in wanted.items() if (position := _position(names, aliases)) >= 0}
        if len(columns) >= min(_FEWEST, len(wanted)):
            yield _Header(grid, at, columns)


def _position(names: Sequence[str], aliases: Sequence[str]) -> int:
    there = [names.index(_plain(alias)) for alias in aliases if _plain(alias) in names]
    return there[0] if there else -1


def _fitness(
    header: _Header, wanted: Mapping[str, Sequence[str]], sheet: str | None, optional: Collection[str]
) -> tuple[bool, bool, int]:
    complete = all(name in header.columns for name in wanted if name not in optional)
    return complete, _plain(header.grid.sheet) == _plain(sheet), len(header.columns)


def _no_header(path: Path, grids: Sequence[Grid], wanted: Mapping[str, Sequence[str]]) -> Fault:
    expected = ", ".join(aliases[0] for aliases in wanted.values())
    sheets = ", ".join(grid.sheet for grid in grids if grid.sheet)
    message = f"{path.name} has no line with the columns {expected}" + (f" in its sheets {sheets}" if sheets else "")
    return Fault("unusable", "annotation", f"{message}: is it the annotation of this data set?")


def _no_column(path: Path, header: _Header, aliases: Sequence[str]) -> Fault:
    line, cells = header.grid.lines[header.at]
    taken = set(header.columns.values())
    left = {_plain(cell): text(cell) for position, cell in enumerate(cells) if text(cell) and position not in taken}
    near = difflib.get_close_matches(_plain(aliases[0]), list(left), n=1)
    got = ", ".join(text(cell) or "(blank)" for cell in cells if cell is not None)
    message = f"{path.name}, {header.grid.place(line)}: column {aliases[0]!r} is missing among {got}"
    hint = f"; is it {left[near[0]]!r}? Give it its own name back" if near else ""
    return Fault("unusable", "annotation", message + hint)


def _twice(path: Path, header: _Header, wanted: Mapping[str, Sequence[str]]) -> Iterator[Fault]:
    line, cells = header.grid.lines[header.at]
    names = [_plain(cell) for cell in cells]
    for own, position in header.columns.items():
        if names.count(names[position]) > 1:
            message = f"column {wanted[own][0]!r} is there twice, the first is read"
            yield Fault("noted", "annotation", f"{path.name}, {header.grid.place(line)}: {message}")


def _rivals(
    path: Path, headers: Sequence[_Header], header: _Header,
    wanted: Mapping[str, Sequence[str]], sheet: str | None, optional: Collection[str],
) -> Iterator[Fault]:  # fmt: skip
    best = _fitness(header, wanted, sheet, optional)[:2]
    others = {
        rival.grid.sheet
        for rival in headers
        if rival.grid is not header.grid and _fitness(rival, wanted, sheet, optional)[:2] == best
    }
    if others:
        message = f"sheet {header.grid.sheet} is read, though these have the same columns: {', '.join(sorted(others))}"
        yield Fault("noted", "annotation", f"{path.name}: {message}")


def _rows(header: _Header) -> pd.DataFrame:
    records = []
    for line, cells in header.grid.lines[header.at + 1 :]:
        found = {own: cells[at] if at < len(cells) else None for own, at in header.columns.items()}
        if any(isinstance(cell, Formula) or text(cell) is not None for cell in found.values()):
            records.append(found | {PLACE: header.grid.place(line)})
    return pd.DataFrame(records, columns=[*header.columns, PLACE], dtype=object)
