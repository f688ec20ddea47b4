"""Claims from a CSV file: one line for each printed number."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from mer_lib.claims.counts import FULL, counts_of
from mer_lib.claims.printed import Rounding, read_number
from mer_lib.claims.row import Cell, ClassCounts, Row
from mer_lib.claims.scores import metric_of
from mer_lib.errors import ParameterError, fault_list

#: Columns of a file of claims; the last may be left out.
COLUMNS = ("row", "dataset", "metric", "value", "counts")
_OTHER_NAMES = {"accuracy": "acc", "f1": "uf1", "macro_f1": "uf1", "war": "acc"}


def read_claims(
    path: Path,
    counts: Mapping[str, ClassCounts] | None = None,
    whole: str | None = FULL,
    rounding: Rounding = "any",
) -> list[Row]:
    """Read printed numbers from a CSV file.

    Args:
        path: a file with the columns row, dataset, metric, value and, if its lines bring their own class counts,
            counts (see :func:`~mer_lib.claims.counts.counts_of`). A value is written as it is printed: its digits say
            how it was rounded.
        counts: class counts by data set, for lines that bring none.
        whole: the data set whose predictions are those of the others together; None where there is none.
        rounding: how the numbers were rounded.

    Raises:
        ParameterError: the file cannot be read, or lines of it are wrong; all faults at once, with their lines.
    """
    lines = list(_lines(path))
    given, faults = dict(counts or {}), []
    printed: dict[str, dict[Cell, str]] = {}
    for number, line in lines:
        try:
            name, cell, text = _claim(line, given)
            if cell in printed.setdefault(name, {}):
                raise ParameterError(f"{name}, {cell} was given before")
            printed[name][cell] = text
        except ParameterError as error:
            faults.append(f"line {number}: {error}")
    if faults:
        raise ParameterError(f"{path}: the claims cannot be checked:\n{fault_list(faults)}")
    return [row_of(name, cells, given, whole, rounding) for name, cells in printed.items()]


def row_of(
    name: str,
    printed: Mapping[Cell, str],
    counts: Mapping[str, ClassCounts],
    whole: str | None = FULL,
    rounding: Rounding = "any",
) -> Row:
    """A row with the counts of its data sets; they are parts of the whole where their counts add up to its counts."""
    datasets = tuple(dict.fromkeys(cell.dataset for cell in printed))
    known = {dataset: counts[dataset] for dataset in datasets}
    parts = tuple(dataset for dataset in datasets if dataset != whole)
    if whole not in known or not parts or not _adds_up(known, str(whole), parts):
        return Row(name, printed, known, rounding=rounding)
    return Row(name, printed, known, whole, parts, rounding)


def _adds_up(counts: Mapping[str, ClassCounts], whole: str, parts: tuple[str, ...]) -> bool:
    if any(counts[part].classes != counts[whole].classes for part in parts):
        return False
    return tuple(np.sum([counts[part].counts for part in parts], axis=0).tolist()) == counts[whole].counts


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path}: expected a CSV file in UTF-8, it cannot be read: {error}") from None
    reader = csv.reader(text.splitlines())
    header = [name.strip().lower() for name in next(reader, [])]
    missing = [name for name in COLUMNS[:-1] if name not in header]
    if missing:
        raise ParameterError(
            f"{path}, line 1: expected the columns {', '.join(COLUMNS[:-1])} (and counts, if you like), "
            f"got {', '.join(header) or 'nothing'}; missing: {', '.join(missing)}"
        )
    for cells in reader:
        if any(cell.strip() for cell in cells):
            padded = [*cells, *[""] * (len(header) - len(cells))]
            if len(cells) > len(header):
                raise ParameterError(
                    f"{path}, line {reader.line_num}: expected {len(header)} cells, got {len(cells)}; "
                    "a decimal comma needs quotes"
                )
            yield reader.line_num, dict(zip(header, (cell.strip() for cell in padded), strict=True))


def _claim(line: Mapping[str, str], counts: dict[str, ClassCounts]) -> tuple[str, Cell, str]:
    """The row, cell and text of a line; counts that it brings are added to `counts`."""
    empty = [name for name in COLUMNS[:-1] if not line[name]]
    if empty:
        raise ParameterError(f"{', '.join(empty)}: expected text, got nothing")
    dataset = line["dataset"]
    if line.get("counts"):
        own = counts_of(line["counts"])
        if counts.setdefault(dataset, own).counts != own.counts:
            raise ParameterError(f"counts of {dataset}: expected {counts[dataset]} as before, got {own}")
    if dataset not in counts:
        raise ParameterError(f"no class counts of {dataset!r}: known are those of {', '.join(counts) or 'none'}")
    metric = line["metric"].lower()
    metric = _OTHER_NAMES.get(metric, metric)
    metric_of(metric, counts[dataset].classes)
    read_number(line["value"])
    return line["row"], Cell(dataset, metric), line["value"]
