"""Cells of annotation tables: whatever a spreadsheet program made of them becomes a number, a text, or nothing."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time

#: Whole numbers beyond this are no frame numbers; they would not fit into the samples table either.
LARGEST = 10**12
_WHOLE = re.compile(r"[+-]?[0-9]{1,13}(\.0+)?")
_SUBJECT = re.compile(r"[a-z .]*?0*([0-9]{1,9})(\.0)?", re.IGNORECASE)
_LAST_DIGITS = re.compile(r"[0-9]{1,18}$")
_ONE_WORD = {"happy": "happiness", "sad": "sadness", "other": "others"}


class Formula(str):
    """A cell whose result the file does not store: only the text of its formula is known."""

    __slots__ = ()


def whole_number(cell: object) -> int | None:
    """Return a frame number, or None where the cell holds anything else.

    >>> [whole_number(cell) for cell in (46, 46.0, " 46 ", "/", "", None, 46.5, True)]
    [46, 46, 46, None, None, None, None, None]
    """
    if isinstance(cell, (bool, Formula)):
        return None
    if isinstance(cell, str):
        cell = int(float(cell)) if _WHOLE.fullmatch(cell.strip()) else None
    if not isinstance(cell, (int, float)) or not math.isfinite(cell):
        return None
    return int(cell) if cell == int(cell) and abs(cell) <= LARGEST else None


def text(cell: object) -> str | None:
    """Return what a cell says, without blanks around it; None where it is empty.

    >>> [text(cell) for cell in (" 4+7 ", 12, 12.0, "  ", None)]
    ['4+7', '12', '12', None, None]
    """
    if cell is None or isinstance(cell, Formula):
        return None
    if isinstance(cell, float) and math.isnan(cell):
        return None
    if isinstance(cell, (datetime, date, time)):
        return cell.isoformat()
    number = whole_number(cell) if isinstance(cell, float) else None
    return str(cell if number is None else number).strip() or None


def emotion_word(cell: object) -> str | None:
    """Return an emotion in the words of the label rules: lower case, "happiness", "sadness", "others".

    >>> [emotion_word(cell) for cell in (" Happiness", "happy", "sad", "Other", None)]
    ['happiness', 'happiness', 'sadness', 'others', None]
    """
    word = " ".join((text(cell) or "").lower().split())
    return _ONE_WORD.get(word, word) or None


def padded(subject: object, width: int) -> str | None:
    """Return the number of a subject with at least `width` digits; None where the cell names no number.

    >>> [padded(cell, 3) for cell in ("006", 6, 6.0, "sub06", "6.0", "nobody")]
    ['006', '006', '006', '006', '006', None]
    """
    match = _SUBJECT.fullmatch(text(subject) or "")
    return match.group(1).zfill(width) if match else None


def trailing_number(stem: str) -> int | None:
    """Return the number that a file name without its ending ends on; None where there is none.

    >>> [trailing_number(stem) for stem in ("img46", "006_05562", "reg_image0001234", "cover")]
    [46, 5562, 1234, None]
    """
    match = _LAST_DIGITS.search(stem)
    return int(match.group()) if match else None


def shown(cell: object) -> str:
    """Return a cell as messages show it.

    >>> [shown(cell) for cell in ("/", None, 46.5, Formula("=D2+K2-1"))]
    ["'/'", 'empty', '46.5', 'the formula =D2+K2-1 without a stored result']
    """
    if isinstance(cell, Formula):
        return f"the formula {str(cell)[:60]} without a stored result"
    if text(cell) is None:
        return "empty"
    return repr(cell)[:60]
