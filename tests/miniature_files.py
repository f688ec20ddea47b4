"""Writers of small files: workbooks with formulas and stored results, lists, folders of frames."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
from PIL import Image

SIZE = (8, 6)  # width and height of a frame in pixels


class Formula(int):
    """A cell with a formula (`{line}` stands for the number of its line) and, as its own value, the stored result."""

    text: str

    def __new__(cls, text: str, result: int | None) -> Formula:
        """Keep the text beside the number; a result of None is stored as 0 and never shown."""
        made = super().__new__(cls, result or 0)
        made.text = f"={text}"
        return made


def write_workbook(path: Path, sheets: Mapping[str, Iterable[Sequence[Any]]], *, cached: bool = False) -> Path:
    """Write a workbook; formulas keep their text, and where `cached` is true the stored results of :class:`Formula`."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    results: dict[tuple[int, str], int] = {}
    for number, (title, rows) in enumerate(sheets.items(), start=1):
        sheet = book.create_sheet(title)
        for line, row in enumerate(rows, start=1):
            for column, value in enumerate(row, start=1):
                cell = sheet.cell(line, column, _cell(value, line))
                if isinstance(value, Formula):
                    results[number, cell.coordinate] = int(value)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    if cached:
        _store_results(path, results)
    return path


def _cell(value: Any, line: int) -> Any:
    text = value.text if isinstance(value, Formula) else value
    return text.format(line=line) if isinstance(text, str) and text.startswith("=") else text


def _store_results(path: Path, results: Mapping[tuple[int, str], int]) -> None:
    # openpyxl writes formulas without results, a spreadsheet program with them.
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    for (number, coordinate), result in results.items():
        name = f"xl/worksheets/sheet{number}.xml"
        empty = rf'(<c r="{coordinate}"><f>[^<]*</f>)<v ?/>'
        parts[name] = re.sub(empty.encode(), rb"\g<1><v>%d</v>" % result, parts[name])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)


def write_csv(path: Path, rows: Iterable[Sequence[Any]], encoding: str = "utf-8") -> Path:
    """Write a comma-separated list."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def write_frames(folder: Path, name: str, numbers: Iterable[int], *, grey: bool = False) -> Path:
    """Write one image a frame number; `name` is formatted with the number, the grey level rises from frame to frame."""
    folder.mkdir(parents=True, exist_ok=True)
    for position, number in enumerate(numbers):
        level = np.full(SIZE[::-1], 20 + 2 * position % 200, dtype=np.uint8)
        Image.fromarray(level if grey else np.stack([level] * 3, axis=-1)).save(folder / name.format(number))
    return folder
