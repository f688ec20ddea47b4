"""From the cells of a table to annotation rows: keys, whole numbers, words; whatever does not fit becomes a fault."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pandas as pd

from mer_lib.datasets.annotation.cells import Formula, emotion_word, shown, text, whole_number
from mer_lib.datasets.annotation.table import FRAME_COLUMNS, ROW_COLUMNS, typed
from mer_lib.datasets.annotation.workbook import PLACE
from mer_lib.datasets.faults import Fault
from mer_lib.datasets.samples import sample_id
from mer_lib.errors import DataError

_NOT_IN_IDS = re.compile(r"[\s/\\]+")


class Key(NamedTuple):
    """Subject and clip as in sample ids."""

    subject: str
    clip: str


@dataclass(frozen=True)
class Reader:
    """Turns rows of :func:`~.workbook.read_rows` into annotation rows.

    Attributes:
        dataset: the first part of sample ids.
        wanted: as for `read_rows`; its own names are those of ``ROW_COLUMNS``, and more that `identify` may ask for.
        identify: gives the key of a row, or raises DataError with what is wrong with it.
        named: own names of the columns that make the key, for messages.
        may_be_empty: frame numbers that a row need not have.
    """

    dataset: str
    wanted: Mapping[str, Sequence[str]]
    identify: Callable[[Mapping[str, Any]], Key]
    named: tuple[str, ...] = ("subject", "clip")
    may_be_empty: frozenset[str] = field(default_factory=frozenset)

    def rows(self, table: pd.DataFrame | None, faults: list[Fault]) -> pd.DataFrame:
        """Return annotation rows in the order of the file; rows with an unusable key, and doubles, are left out.

        Args:
            table: as from ``read_rows``; None gives no rows.
            faults: takes what is wrong.
        """
        read = [self._row(row, faults) for row in ([] if table is None else table.to_dict("records"))]
        single = list(self._single([row for row in read if row], faults))
        return typed(pd.DataFrame(single, columns=list(ROW_COLUMNS)))

    def _row(self, row: Mapping[str, Any], faults: list[Fault]) -> dict[str, object] | None:
        if all(text(row.get(name)) is None for name in self.named):
            names = " and ".join(self.wanted[name][0] for name in self.named)
            faults.append(Fault("noted", "annotation", f"{row[PLACE]}: {names} are empty, the row is left out"))
            return None
        if self._is_remark(row):
            faults.append(Fault("noted", "annotation", f"{row[PLACE]}: one cell alone, the row is left out"))
            return None
        try:
            key = self._checked(self.identify(row))
        except DataError as error:
            number = str(row[PLACE]).rpartition(" ")[2]
            unnamed = sample_id(self.dataset, "unknown", f"row_{number}")
            faults.append(Fault("excludes", "annotation", f"{error} ({row[PLACE]})", unnamed))
            return None
        cells = {name: _WORDS[name](row.get(name)) for name in ROW_COLUMNS if name in _WORDS}
        frames = {name: self._frame(row, name, key, faults) for name in FRAME_COLUMNS if name in row}
        return {**key._asdict(), **cells, **frames, PLACE: row[PLACE]}

    def _is_remark(self, row: Mapping[str, Any]) -> bool:
        """Whether a row says so little that it is no clip: a remark below the table."""
        cells = [row[name] for name in self.wanted if name in row]
        return sum(isinstance(cell, Formula) or text(cell) is not None for cell in cells) == 1

    def _checked(self, key: Key) -> Key:
        for part in key:
            if _NOT_IN_IDS.search(part):
                raise DataError(f"{part!r} holds a blank or a slash: expected the name of a folder")
        return key

    def _frame(self, row: Mapping[str, Any], name: str, key: Key, faults: list[Fault]) -> int | None:
        number = whole_number(row[name])
        if number is None and not (name in self.may_be_empty and text(row[name]) is None):
            message = f"{self.wanted[name][0]} is {shown(row[name])}: expected a whole number ({row[PLACE]})"
            faults.append(Fault("noted", "frame numbers", message, sample_id(self.dataset, *key)))
        return number

    def _single(self, rows: list[dict[str, object]], faults: list[Fault]) -> Iterator[dict[str, object]]:
        groups: dict[tuple[object, object], list[dict[str, object]]] = {}
        for row in rows:
            groups.setdefault((row["subject"], row["clip"]), []).append(row)
        for (subject, clip), group in groups.items():
            differing = sorted({name for row in group for name in row if name != PLACE and row[name] != group[0][name]})
            if len(group) > 1:
                faults.append(_double(sample_id(self.dataset, str(subject), str(clip)), group, differing))
            if not differing:
                yield group[0]


_WORDS: Mapping[str, Callable[[object], str | None]] = {
    "emotion": emotion_word,
    "action_units": text,
    "objective_class": text,
    "notes": text,
}


def _double(name: str, group: Sequence[Mapping[str, object]], differing: Sequence[str]) -> Fault:
    places = ", ".join(str(row[PLACE]) for row in group)
    if differing:
        told = "; ".join(f"{column} {' or '.join(str(row[column]) for row in group)}" for column in differing)
        return Fault("excludes", "duplicate key", f"{len(group)} rows that differ ({places}): {told}", name)
    return Fault("noted", "duplicate key", f"{len(group)} rows that say the same, the first is kept ({places})", name)
