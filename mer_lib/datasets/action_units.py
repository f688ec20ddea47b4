"""Action units as annotators write them, read into a structure without losing a character.

The notation is that of the Facial Action Coding System (Ekman, Friesen, Hager: FACS, 2002), with what CASME II, SAMM
and CAS(ME)^3 make of it: ``4+7``, ``R12 or R14``, ``10A/B``, ``A14C``, ``(R6 or R12)+R15``, ``T28+14``, ``?``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from itertools import zip_longest
from typing import TypeAlias

from mer_lib.datasets.faults import Fault
from mer_lib.errors import ParameterError

#: What the letter before a number says; without one, both sides of the face move.
SIDES: dict[str, str] = {
    "L": "left",
    "R": "right",
    "T": "top",
    "B": "bottom",
    "A": "asymmetric",
    "U": "one side, not said which",
}
#: What the letter after a number says.
INTENSITIES: dict[str, str] = {"A": "trace", "B": "slight", "C": "marked", "D": "severe", "E": "maximum"}

#: Longer texts are no list of action units; they are kept as one unknown piece.
LONGEST = 1000
#: So are brackets in brackets in brackets beyond this.
DEEPEST = 8

_UNIT = re.compile(r"(?:AU\s?)?(?P<side>[LRTBAU]?)(?P<number>[0-9]{1,2})(?P<intensity>[A-E](?:[/-][A-E])?)?", re.I)
# From the loosest to the tightest. The slash of an intensity ("10A/B") separates nothing.
_OR = re.compile(r"(?:(?<=\))\s*|\s+)or(?:\s*(?=\()|\s+)", re.I)
_AND = re.compile(r"\s*[+,]\s*")
_SLASH = re.compile(r"\s*/(?![A-E](?![A-Z0-9]))\s*", re.I)


@dataclass(frozen=True)
class Unit:
    """One action unit.

    Attributes:
        number: its number in FACS.
        side: one of :data:`SIDES`, or "" where both sides move. L and R are those of the person filmed.
        intensity: one letter of :data:`INTENSITIES`, a range such as "A/B", or "".
        written: how it stands in the text; two ways to write one unit are equal.
    """

    number: int
    side: str = ""
    intensity: str = ""
    written: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        return self.written or f"{self.side}{self.number}{self.intensity}"


@dataclass(frozen=True)
class NotCoded:
    """A "?": something moves, or may, and nobody coded it."""

    def __str__(self) -> str:
        return "?"


@dataclass(frozen=True)
class Unknown:
    """A piece that is no action unit, kept as it stands; "" where a unit is missing, as after the plus of "4+"."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Together:
    """Pieces that all move. `joints` are the signs between them as written."""

    parts: tuple[Piece, ...]
    joints: tuple[str, ...] = field(compare=False, repr=False)

    def __str__(self) -> str:
        return _woven(self.parts, self.joints)


@dataclass(frozen=True)
class Alternatives:
    """Pieces of which one moves and the annotators could not say which. `joints` as in :class:`Together`."""

    parts: tuple[Piece, ...]
    joints: tuple[str, ...] = field(compare=False, repr=False)

    def __str__(self) -> str:
        return _woven(self.parts, self.joints)


@dataclass(frozen=True)
class Brackets:
    """A piece in round brackets, and the blanks inside them."""

    inside: Piece
    before: str = field(default="", compare=False, repr=False)
    after: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        return f"({self.before}{self.inside}{self.after})"


Piece: TypeAlias = "Unit | NotCoded | Unknown | Together | Alternatives | Brackets"


@dataclass(frozen=True)
class ActionUnits:
    """All action units of one clip, as :func:`parse` reads them; ``str()`` gives back the text.

    Attributes:
        tree: the pieces; None where the text is empty or blank.
        before: blanks in front.
        after: blanks behind.
    """

    tree: Piece | None
    before: str = field(default="", compare=False, repr=False)
    after: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.before}{'' if self.tree is None else self.tree}{self.after}"

    @property
    def coded(self) -> bool:
        """Whether any unit was read: false for "?", for an empty text and for one that says nothing known."""
        return bool(self.units())

    def units(self) -> tuple[Unit, ...]:
        """Return every unit in the order of the text, alternatives included."""
        return tuple(leaf for leaf in self._leaves() if isinstance(leaf, Unit))

    def certain(self) -> tuple[int, ...]:
        """Return the numbers of the units that move in every reading, in increasing order.

        >>> parse("(R6 or R12)+R15").certain()
        (15,)
        """
        return () if self.tree is None else tuple(sorted(_numbers(self.tree, frozenset.intersection)))

    def possible(self) -> tuple[int, ...]:
        """Return the numbers of the units that move in some reading, in increasing order: the certain ones and more.

        >>> parse("(R6 or R12)+R15").possible()
        (6, 12, 15)
        """
        return () if self.tree is None else tuple(sorted(_numbers(self.tree, frozenset.union)))

    def unknown(self) -> tuple[str, ...]:
        """Return the pieces that are no action units, in the order of the text; "?" is not one of them."""
        return tuple(leaf.text for leaf in self._leaves() if isinstance(leaf, Unknown))

    def _leaves(self) -> Iterator[Piece]:
        return iter(()) if self.tree is None else _leaves(self.tree)


def parse(text: str) -> ActionUnits:
    """Read the action units of one clip.

    Every text is read and ``str(parse(text)) == text``: what is no action unit becomes an :class:`Unknown`. "+" and ","
    join, "/" and "or" separate alternatives; "/" binds tighter than "+", and "+" tighter than "or", so that SAMM's
    brackets in ``(R6 or R12)+R15`` are needed. Capitals or not is the same.

    >>> parse("R12 or 10A/B").tree.parts
    (Unit(number=12, side='R', intensity=''), Unit(number=10, side='', intensity='A/B'))
    >>> parse("4+eyes").unknown()
    ('eyes',)

    Raises:
        ParameterError: `text` is no text (a missing cell has no action units to read: leave it out).
    """
    if not isinstance(text, str):
        raise ParameterError(f"action units: expected text such as '4+R12', got {text!r}; leave missing cells out")
    inside = text.strip()
    if not inside:
        return ActionUnits(None, before=text)
    before, after = text[: text.index(inside)], text[text.index(inside) + len(inside) :]
    return ActionUnits(_read(inside) if len(inside) <= LONGEST else Unknown(inside), before, after)


def unit_faults(sample_id: str, text: str) -> list[Fault]:
    """Return a fault for the pieces of `text` that are no action units: none where all are, or where it is "?"."""
    unknown = parse(text).unknown()
    if not unknown:
        return []
    shown = text if len(text) <= 60 else f"{text[:60]}…"
    pieces = ", ".join(repr(piece[:20]) if piece else "nothing where a unit should be" for piece in unknown[:5])
    message = (
        f"action units {shown!r}: expected numbers such as R12B joined by + or 'or', got {pieces}; kept as they are"
    )
    return [Fault("noted", "annotation", message, sample_id)]


# -- reading ----------------------------------------------------------------------------------------------------------


def _read(text: str) -> Piece:
    """Read `text` (no blanks around it), the loosest joint first."""
    closing = _closing_brackets(text)
    for joint, whole in ((_OR, Alternatives), (_AND, Together), (_SLASH, Alternatives)):
        parts, joints = _split(text, joint, closing)
        if joints:
            return whole(tuple(_read(part) for part in parts), tuple(joints))
    if text and closing.get(0) == len(text) - 1:
        return _read_brackets(text[1:-1])
    return _read_leaf(text)


def _read_brackets(text: str) -> Brackets:
    inside = text.strip()
    start = len(text) - len(text.lstrip()) if inside else len(text)
    return Brackets(_read(inside), before=text[:start], after=text[start + len(inside) :])


def _read_leaf(text: str) -> Piece:
    if text == "?":
        return NotCoded()
    found = _UNIT.fullmatch(text)
    if not found:
        return Unknown(text)
    side, intensity = found["side"].upper(), (found["intensity"] or "").upper()
    return Unit(int(found["number"]), side, intensity, written=text)


def _split(text: str, joint: re.Pattern[str], closing: dict[int, int]) -> tuple[list[str], list[str]]:
    """Cut `text` at every `joint` outside of brackets: the parts, and one joint less."""
    parts, joints, start, at = [], [], 0, 0
    while at < len(text):
        found = joint.match(text, at)
        if found:
            parts.append(text[start:at])
            joints.append(found.group())
            start = at = found.end()
        else:
            at = closing.get(at, at) + 1
    return [*parts, text[start:]], joints


def _closing_brackets(text: str) -> dict[int, int]:
    """Return where each bracket that opens closes; one without a partner is missing, all are if nested too deeply."""
    pairs: dict[int, int] = {}
    opened: list[int] = []
    for at, sign in enumerate(text):
        if sign == "(":
            opened.append(at)
        elif sign == ")" and opened:
            if len(opened) > DEEPEST:
                return {}
            pairs[opened.pop()] = at
    return pairs


# -- walking ----------------------------------------------------------------------------------------------------------


def _woven(parts: tuple[Piece, ...], joints: tuple[str, ...]) -> str:
    return "".join(f"{part}{joint}" for part, joint in zip_longest(parts, joints, fillvalue=""))


def _leaves(piece: Piece) -> Iterator[Piece]:
    if isinstance(piece, Brackets):
        yield from _leaves(piece.inside)
    elif isinstance(piece, Together | Alternatives):
        for part in piece.parts:
            yield from _leaves(part)
    else:
        yield piece


def _numbers(piece: Piece, among: Callable[[frozenset[int], frozenset[int]], frozenset[int]]) -> frozenset[int]:
    """Numbers of a piece; those of alternatives are combined by `among`."""
    if isinstance(piece, Brackets):
        return _numbers(piece.inside, among)
    if isinstance(piece, Together | Alternatives):
        combine = among if isinstance(piece, Alternatives) else frozenset.union
        return reduce(combine, (_numbers(part, among) for part in piece.parts))
    return frozenset({piece.number} if isinstance(piece, Unit) else ())
