"""Annotation files found by their names, the newest version first."""

from __future__ import annotations

import re
from pathlib import Path

from mer_lib.datasets.annotation.grids import WORKBOOK_ENDINGS
from mer_lib.datasets.walking import walk

LIST_ENDINGS = (".csv",)
_LEVELS = 2
_SUBJECT = re.compile(r"sub\d+|s\d+|\d{3}|spno\..*", re.IGNORECASE)  # below these lie frames
_DATE = re.compile(r"(?<!\d)((?:19|20)\d{2})(\d{4})?(?!\d)")
_VERSION = re.compile(r"v(\d{1,3})(?![\da-z])")


def find_files(folder: Path, name: re.Pattern[str], but: re.Pattern[str] | None = None) -> list[Path]:
    """Return workbooks and lists in a folder and two levels below, the one to use first.

    First come names that say "updated", then later dates (20190701, 2019), then higher versions (v2); then workbooks
    before lists, files higher up before those further down, and names in their order.

    Args:
        folder: where to look; what cannot be listed holds nothing.
        name: is searched in the lower-case name of a file.
        but: names that are left out.
    """
    found = []
    for level in walk(folder, _LEVELS, _SUBJECT):
        for file in level.files:
            plain = file.lower()
            lock = plain.startswith("~$")  # of a spreadsheet program that has the workbook open
            fits = plain.endswith(WORKBOOK_ENDINGS + LIST_ENDINGS) and name.search(plain) and not lock
            if fits and not (but and but.search(plain)):
                found.append((*_rank(plain), level.depth, plain, level.folder / file))
    return [entry[-1] for entry in sorted(found, key=lambda entry: entry[:-1])]


def _rank(name: str) -> tuple[bool, int, int, bool]:
    date = max((int(year + (rest or "0000")) for year, rest in _DATE.findall(name)), default=0)
    version = max(map(int, _VERSION.findall(name)), default=0)
    return "updated" not in name, -date, -version, not name.endswith(WORKBOOK_ENDINGS)
