"""The list beside somebody's own recordings, which says of each clip whatever is known; see :mod:`.folder`."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mer_lib.datasets.annotation.cells import emotion_word, shown, text, whole_number
from mer_lib.datasets.annotation.grids import Grid, read_grids
from mer_lib.datasets.annotation.table import FRAME_COLUMNS
from mer_lib.datasets.faults import Effect, Fault, Kind
from mer_lib.datasets.walking import list_folder
from mer_lib.errors import DataError

LIST_COLUMNS = ("clip", "subject", "onset", "apex", "offset", "emotion", "gender", "fps", "action_units")
_OF_CLIPS = frozenset({"onset", "apex", "offset", "emotion", "fps", "actionunits"})
_OTHER_LISTS = frozenset({"gender.csv"})  # of subjects
_GENDERS = {"f": "female", "m": "male"}


class Line(NamedTuple):
    """One line of a list: where it stands, the clip as it is called there, and what is said of it.

    `said` holds the columns of :data:`LIST_COLUMNS` but `clip`, those without a usable value not at all.
    """

    place: str
    clip: str
    said: Mapping[str, object]


class ClipList(NamedTuple):
    """A list as read; `file` is None where there is none."""

    file: Path | None
    lines: list[Line]


def read_list(top: Path, faults: list[Fault]) -> ClipList:
    """Read the list of a folder: its one CSV file with a column `clip`.

    Args:
        top: the folder.
        faults: takes what is wrong; several such lists, or one whose column `clip` is missing, are "unusable".
    """
    grids, damaged = _grids(top)
    lists = {file: grid for file, grid in grids.items() if "clip" in _header(grid)}
    effect: Effect = "noted" if lists else "unusable"
    faults += [
        Fault(effect, "annotation", f"{message}; if it is no list of clips, move it away") for message in damaged
    ]
    if len(lists) > 1:
        names = ", ".join(file.name for file in lists)
        faults.append(Fault("unusable", "annotation", f"expected one list with a column 'clip', got {names}"))
    elif not lists:
        faults += [_without_clip(file, grid) for file, grid in grids.items() if _OF_CLIPS & set(_header(grid))]
    if len(lists) != 1:
        return ClipList(None, [])
    file, grid = lists.popitem()
    return ClipList(file, list(_lines(file, grid, faults)))


def _files(top: Path) -> list[Path]:
    names = [name for name in list_folder(top)[1] if name.lower().endswith(".csv")]
    return [top / name for name in names if name.lower() not in _OTHER_LISTS]


def _grids(top: Path) -> tuple[dict[Path, Grid], list[str]]:
    """Return the content of each CSV file that has any, and what is wrong with those that cannot be read."""
    grids: dict[Path, Grid] = {}
    damaged = []
    for file in _files(top):
        try:
            grid = read_grids(file)[0]
        except DataError as error:
            damaged.append(str(error))
        else:
            grids |= {file: grid} if grid.lines else {}
    return grids, damaged


def _plain(name: object) -> str:
    return re.sub(r"[\W_]+", "", text(name) or "").lower()


def _header(grid: Grid) -> list[str]:
    return [_plain(cell) for cell in grid.lines[0][1]]


def _without_clip(file: Path, grid: Grid) -> Fault:
    names = [text(cell) or "(blank)" for cell in grid.lines[0][1]]
    near = difflib.get_close_matches("clip", names, n=1)
    hint = f"; is it {near[0]!r}?" if near else ", which names the video or the folder of images"
    message = f"{file.name}: column 'clip' is missing among {', '.join(names)}{hint}"
    return Fault("unusable", "annotation", message)


def _lines(file: Path, grid: Grid, faults: list[Fault]) -> Iterator[Line]:
    columns = _columns(file, grid, faults)
    for number, cells in grid.lines[1:]:
        place = f"{file.name} line {number}"
        values = {name: cells[at] for name, at in columns.items() if at < len(cells)}
        clip = text(values.pop("clip", None))
        if clip is None:
            faults.append(Fault("noted", "annotation", f"{place} names no clip: it is left out"))
            continue
        read = {name: _value(name, cell, f"{place}, {clip}", faults) for name, cell in values.items()}
        yield Line(place, clip, {name: value for name, value in read.items() if value is not None})


def _columns(file: Path, grid: Grid, faults: list[Fault]) -> dict[str, int]:
    header = _header(grid)
    known = {_plain(name): name for name in LIST_COLUMNS}
    for name in sorted({name for name in header if name in known and header.count(name) > 1}):
        faults.append(Fault("noted", "annotation", f"{file.name}: column {name!r} is there twice, the first is read"))
    for cell, name in zip(grid.lines[0][1], header, strict=True):
        near = difflib.get_close_matches(name, [other for other in known if other not in header], n=1)
        if name and name not in known and near:
            message = f"{file.name}: column {text(cell)!r} is not read; is it {known[near[0]]!r}?"
            faults.append(Fault("noted", "annotation", message))
    return {own: header.index(plain) for plain, own in known.items() if plain in header}


def _value(name: str, cell: object, where: str, faults: list[Fault]) -> object:
    if text(cell) is None:
        return None
    if name in FRAME_COLUMNS:
        return _or_fault(whole_number(cell), "frame numbers", f"{where}: {name} is {shown(cell)}", faults)
    if name == "fps":
        return _or_fault(_rate(cell), "odd frame rate", f"{where}: fps is {shown(cell)}", faults)
    if name == "emotion":
        return emotion_word(cell)
    if name == "gender":
        word = (text(cell) or "").lower()
        return _GENDERS.get(word, word)
    return text(cell)


def _or_fault(value: object, kind: Kind, message: str, faults: list[Fault]) -> object:
    if value is None:
        what = "a whole number" if kind == "frame numbers" else "a number above 0"
        faults.append(Fault("noted", kind, f"{message}: expected {what}, taken as not given"))
    return value


def _rate(cell: object) -> float | None:
    try:
        rate = float((text(cell) or "").replace(",", "."))
    except ValueError:
        return None
    return rate if math.isfinite(rate) and rate > 0 else None


def same(lines: Sequence[Line]) -> bool:
    """Whether several lines say the same."""
    return all(line.said == lines[0].said for line in lines)
