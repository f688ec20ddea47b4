"""The workbook of SMIC-HS: formulas without results, second movements, extended clips that two rows share."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mer_lib.datasets.annotation.cells import Formula, padded, shown, text, whole_number
from mer_lib.datasets.annotation.clip_rows import Key, Reader
from mer_lib.datasets.annotation.table import Annotation
from mer_lib.datasets.annotation.workbook import read_rows
from mer_lib.datasets.faults import Fault
from mer_lib.datasets.samples import sample_id
from mer_lib.errors import DataError

DATASET = "smic"
CLIP_NAME = re.compile(r"s0*(\d{1,2})_(ne|po|sur)_0*(\d{1,2})", re.IGNORECASE)

_WANTED = {
    "subject": ("Subject",),
    "clip": ("Filename", "File name"),
    "onset": ("OnsetF", "Onset"),
    "apex": ("ApexF", "Apex"),
    "offset": ("OffsetF", "Offset"),
    "emotion": ("Emotion",),
    "total": ("TotalMF1", "TotalMF"),
    "onset2": ("Onset2F",),
    "offset2": ("Offset2F",),
    "total2": ("TotalMF2",),
    "onset3": ("Onset3F",),
    "offset3": ("Offset3F",),
    "total3": ("TotalMF3",),
    "first": ("FirstF",),
    "last": ("LastF",),
}
_NEEDED = frozenset({"subject", "clip", "onset", "offset", "emotion"})
_MOVEMENTS = {"second": "2", "third": "3"}


def read_workbook(file: Path) -> Annotation:
    """Read the sheet HS, or a list; see :func:`mer_lib.datasets.layouts.smic.annotate`."""
    faults: list[Fault] = []
    optional = _WANTED.keys() - _NEEDED
    table = read_rows(file, _WANTED, faults, sheet="HS", not_sheets=("VIS", "NIR"), optional=optional)
    if table is not None:
        table["offset"] = _offsets(table, faults)
        # What goes into the notes is told of named rows alone; the reader below says what is wrong with the others.
        remarks = _remarks([row for row in table.to_dict("records") if _name(row)], faults)
        table["notes"] = ["; ".join(remarks[_name(row)]) for row in table.to_dict("records")]
    reader = Reader(DATASET, _WANTED, _key, may_be_empty=frozenset({"apex"}))
    return Annotation(reader.rows(table, faults), faults, file)


def clip_name(name: str) -> str | None:
    """Return the name of a clip as in sample ids.

    >>> [clip_name(name) for name in ("s1_ne_01", "S01_SUR_1", "s1_neg_01")]
    ['s01_ne_01', 's01_sur_01', None]
    """
    match = CLIP_NAME.fullmatch(name.strip())
    return f"s{match.group(1).zfill(2)}_{match.group(2).lower()}_{match.group(3).zfill(2)}" if match else None


def _key(row: Mapping[str, Any]) -> Key:
    subject, clip = padded(row["subject"], 2), _name(row)
    if not clip:
        raise DataError(f"Filename is {shown(row['clip'])}: expected a name such as s1_ne_01")
    if subject is None or not clip.startswith(f"s{subject}_"):
        # Who is seen decides which fold a clip belongs to; it must not be guessed.
        raise DataError(f"Subject is {shown(row['subject'])}, but Filename is {shown(row['clip'])}")
    return Key(f"s{subject}", clip)


def _name(row: Mapping[str, Any]) -> str:
    return clip_name(text(row["clip"]) or "") or ""


def _id(row: Mapping[str, Any]) -> str:
    return sample_id(DATASET, _name(row)[:3], _name(row))


def _end(onset: object, total: object) -> int | None:
    """The last frame of a movement: OffsetF = OnsetF + TotalMF1 - 1."""
    first, count = whole_number(onset), whole_number(total)
    return None if first is None or count is None else first + count - 1


def _offsets(table: pd.DataFrame, faults: list[Fault]) -> list[object]:
    offsets: list[object] = []
    computed = 0
    for row in table.to_dict("records"):
        told, counted = row["offset"], _end(row["onset"], row.get("total"))
        lacks = isinstance(told, Formula) or text(told) is None
        if counted is not None and not lacks and whole_number(told) not in (None, counted):
            message = f"OffsetF is {shown(told)}, but OnsetF + TotalMF1 - 1 is {counted} ({row['place']})"
            faults.append(Fault("noted", "contradiction", message, _id(row)))
        computed += lacks and counted is not None
        offsets.append(counted if lacks and counted is not None else told)
    if computed:
        message = f"OffsetF of {computed} rows has no stored result and is computed as OnsetF + TotalMF1 - 1"
        faults.append(Fault("noted", "frame numbers", message))
    return offsets


def _remarks(rows: list[dict[str, Any]], faults: list[Fault]) -> defaultdict[str, list[str]]:
    """What the notes say of each clip: later movements, and what is odd about its extended clip."""
    remarks: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        remarks[_name(row)] += _later_movements(row, faults)
        told = text(row.get("first"))
        if told and whole_number(told) is None:
            remarks[_name(row)].append(f"FirstF: {told}")
            faults.append(Fault("noted", "frame numbers", f"FirstF is {told!r} ({row['place']})", _id(row)))
    for row, other in _sharing(rows):
        remark = f"extended clip shared with {_name(other)}"
        remarks[_name(row)].append(remark)
        message = f"FirstF and LastF are those of {_name(other)}: one extended clip holds both ({row['place']})"
        faults.append(Fault("noted", "frame numbers", message, _id(row)))
    return remarks


def _later_movements(row: Mapping[str, Any], faults: list[Fault]) -> Iterator[str]:
    for word, number in _MOVEMENTS.items():
        cell = row.get(f"onset{number}")
        onset, end = whole_number(cell), whole_number(row.get(f"offset{number}"))
        if onset is not None:
            end = _end(onset, row.get(f"total{number}")) if end is None else end
            yield f"{word} movement {onset}-{'?' if end is None else end}"
            if onset < (whole_number(row["onset"]) or 0):
                message = f"Onset{number}F {onset} lies before OnsetF {row['onset']} ({row['place']})"
                faults.append(Fault("noted", "frame numbers", message, _id(row)))
        elif text(cell) is not None or isinstance(cell, Formula):
            yield f"{word} movement, Onset{number}F is {shown(cell)}"


def _sharing(rows: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Pairs of rows of one subject with the same first and last frame of the extended clip, each both ways round."""
    groups: defaultdict[tuple[str, int, int], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        first, last = whole_number(row.get("first")), whole_number(row.get("last"))
        if first is not None and last is not None:
            groups[_name(row)[:3], first, last].append(row)
    for group in groups.values():
        yield from ((row, other) for row in group for other in group if _name(row) != _name(other))
