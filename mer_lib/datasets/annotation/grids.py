"""Files of tables as they are: a workbook or a list becomes sheets of cells, within bounds of size and time."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl

from mer_lib.datasets.annotation.cells import Formula
from mer_lib.errors import DataError

WORKBOOK_ENDINGS = (".xlsx", ".xlsm")
#: Annotations have a few hundred rows and some dozen kilobytes; whatever passes these bounds is none or means harm.
MOST_BYTES = 50_000_000
MOST_UNPACKED_BYTES = 10_000_000
MOST_LINES = 5_000
MOST_COLUMNS = 100

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SAVE_AGAIN = "open it in a spreadsheet program and save it as .xlsx without a password"
_FETCH_AGAIN = "copy it from the data set again"


class Grid(NamedTuple):
    """One sheet: its name (empty for a list) and the lines that are not empty, each with its number from 1."""

    sheet: str
    lines: list[tuple[int, tuple[object, ...]]]

    def place(self, line: int) -> str:
        """Where a line stands, in words."""
        return f"{self.sheet} row {line}" if self.sheet else f"line {line}"


def read_grids(path: Path) -> list[Grid]:
    """Read a workbook (.xlsx, .xlsm) or a list (.csv; comma, semicolon or tab) into sheets of cells.

    A formula gives its stored result; where none is stored the cell is a :class:`~.cells.Formula`.

    Raises:
        DataError: the file is missing, no file, too large, damaged, protected, or of another kind than its name says.
    """
    content = _bytes(path)
    if content.startswith(_ZIP):
        return _workbook(path.name, content)
    if content.startswith(_OLE):
        raise DataError(f"{path.name} is an old .xls workbook or has a password: {_SAVE_AGAIN}")
    if path.suffix.lower() in WORKBOOK_ENDINGS:
        begins = content[:20].decode("ascii", "replace")
        raise DataError(f"{path.name} is no workbook: expected a zip archive, got a file that begins {begins!r}")
    return [_list(path.name, content)]


def _bytes(path: Path) -> bytes:
    try:
        if not path.is_file():
            what = "is no file" if path.exists() else "is missing"
            raise DataError(f"{path.name} {what} in {path.parent}")
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise DataError(f"{path.name} has {size} bytes: expected an annotation of at most {MOST_BYTES}")
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path.name} cannot be read ({error.strerror or error})") from None
    if not content.strip(b"\0"):
        raise DataError(f"{path.name} is empty: {_FETCH_AGAIN}")
    return content


def _workbook(name: str, content: bytes) -> list[Grid]:
    try:
        _refuse_bomb(name, content)
        grids = _sheets(content, results=False)
        if any(isinstance(cell, Formula) for grid in grids for _, cells in grid.lines for cell in cells):
            grids = [_with_results(*pair) for pair in zip(grids, _sheets(content, results=True), strict=True)]
    except DataError:
        raise
    except Exception as error:  # a damaged workbook makes openpyxl raise almost anything
        raise DataError(f"{name} is no readable workbook ({_reason(error)}): {_FETCH_AGAIN}") from None
    _refuse_length(name, grids)
    return grids


def _reason(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:160]


def _refuse_bomb(name: str, content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        size = sum(part.file_size for part in packed.infolist())
    if size > MOST_UNPACKED_BYTES:
        raise DataError(f"{name} unpacks to {size} bytes: expected an annotation of at most {MOST_UNPACKED_BYTES}")


def _sheets(content: bytes, results: bool) -> list[Grid]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about extensions of spreadsheet programs that no cell depends on
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=results)
        return [Grid(sheet.title, list(_numbered(sheet))) for sheet in book.worksheets]


def _numbered(sheet: Any) -> Iterator[tuple[int, tuple[object, ...]]]:
    sheet.reset_dimensions()  # what a sheet says of its own size may be wrong
    rows = sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True)
    for number, row in enumerate(islice(rows, MOST_LINES + 1), start=1):
        if any(cell is not None for cell in row):
            yield number, tuple(map(_formula, row))


def _formula(cell: object) -> object:
    formula = cell if isinstance(cell, str) else getattr(cell, "text", None)  # array formulas are objects with a text
    return Formula(formula) if isinstance(formula, str) and formula.startswith("=") else cell


def _with_results(grid: Grid, results: Grid) -> Grid:
    stored = dict(results.lines)
    return Grid(grid.sheet, [(number, _merged(cells, stored.get(number, ()))) for number, cells in grid.lines])


def _merged(cells: tuple[object, ...], results: tuple[object, ...]) -> tuple[object, ...]:
    pairs = zip_longest(cells, results)  # a line of formulas without results is no line of results
    return tuple(result if isinstance(cell, Formula) and result is not None else cell for cell, result in pairs)


def _list(name: str, content: bytes) -> Grid:
    lines = list(_csv_lines(name, _decoded(name, content)))
    grid = Grid("", lines)
    _refuse_length(name, [grid])
    return grid


def _decoded(name: str, content: bytes) -> str:
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        found = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        found = content.decode("cp1252", "replace")  # what spreadsheet programs write where nobody asks for UTF-8
    if "\0" in found:
        raise DataError(f"{name} is no text: expected a list of comma-separated values, got zero bytes in it")
    return found


def _csv_lines(name: str, content: str) -> Iterator[tuple[int, tuple[object, ...]]]:
    head = content[:4000]
    separator = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=separator)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, tuple(cell or None for cell in row[:MOST_COLUMNS])
            if reader.line_num > MOST_LINES:
                return
    except csv.Error as error:
        raise DataError(f"{name} is no list of comma-separated values, line {reader.line_num}: {error}") from None


def _refuse_length(name: str, grids: Iterable[Grid]) -> None:
    for grid in grids:
        if grid.lines and grid.lines[-1][0] > MOST_LINES:
            where = f", sheet {grid.sheet}," if grid.sheet else ""
            raise DataError(f"{name}{where} has more than {MOST_LINES} lines: expected an annotation of a few hundred")
