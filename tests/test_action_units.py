"""Action units: every text that annotators write is read, none loses a character."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest

from mer_lib.datasets.action_units import (
    LONGEST,
    ActionUnits,
    Alternatives,
    Brackets,
    NotCoded,
    Together,
    Unit,
    Unknown,
    parse,
    unit_faults,
)
from mer_lib.datasets.synthetic.action_units import ACTION_UNITS
from mer_lib.datasets.synthetic.action_units import Unit as DrawnUnit
from mer_lib.datasets.synthetic.plan import facs
from mer_lib.errors import ParameterError

# text, certain, possible, unknown pieces
CASES = [
    ("4", (4,), (4,), ()),  # CASME II: an integer cell
    ("04", (4,), (4,), ()),
    ("4+7", (4, 7), (4, 7), ()),
    ("4 + L10", (4, 10), (4, 10), ()),
    ("7+4+7", (4, 7), (4, 7), ()),
    ("1,2", (1, 2), (1, 2), ()),
    ("AU12", (12,), (12,), ()),
    ("au 12+AU6", (6, 12), (6, 12), ()),
    ("r12", (12,), (12,), ()),
    ("R12 or R14", (), (12, 14), ()),  # SAMM
    ("R12 OR L12", (12,), (12,), ()),
    ("10A/B", (10,), (10,), ()),
    ("10a-b", (10,), (10,), ()),
    ("A14C", (14,), (14,), ()),
    ("(R6 or R12)+R15", (15,), (6, 12, 15), ()),
    ("R15+( R6 or R12 )", (15,), (6, 12, 15), ()),
    ("(6)or(12)", (), (6, 12), ()),
    ("4 or 7+12", (), (4, 7, 12), ()),  # + binds tighter than or
    ("4+7/12", (4,), (4, 7, 12), ()),  # and / tighter than +
    ("12/14", (), (12, 14), ()),
    ("12/B18", (), (12, 18), ()),
    ("R12A/B/14", (), (12, 14), ()),
    ("((4+5) or 6)+((1))", (1,), (1, 4, 5, 6), ()),
    ("T28+14", (14, 28), (14, 28), ()),  # CAS(ME)^3
    ("B28", (28,), (28,), ()),
    ("24+T18+16", (16, 18, 24), (16, 18, 24), ()),
    ("U12", (12,), (12,), ()),
    ("?", (), (), ()),
    ("4+?", (4,), (4,), ()),
    ("", (), (), ()),
    (" \t", (), (), ()),
    ("  4\n", (4,), (4,), ()),
    ("\u00a04", (4,), (4,), ()),
    # What is no action unit.
    ("4+", (4,), (4,), ("",)),
    ("+", (), (), ("", "")),
    ("4++7", (4, 7), (4, 7), ("",)),
    ("4 7", (), (), ("4 7",)),
    ("eyes+4", (4,), (4,), ("eyes",)),
    ("4 or eyes", (), (4,), ("eyes",)),
    ("4 or ", (), (), ("4 or",)),
    ("error", (), (), ("error",)),
    ("nor 4", (), (), ("nor 4",)),
    ("12F", (), (), ("12F",)),
    ("123", (), (), ("123",)),
    ("-4", (), (), ("-4",)),
    ("4?", (), (), ("4?",)),
    ("\u0661\u0662", (), (), ("\u0661\u0662",)),  # digits, but not those of FACS
    ("()", (), (), ("",)),
    ("( )", (), (), ("",)),
    ("(4", (), (), ("(4",)),
    ("(4+5", (5,), (5,), ("(4",)),
    ("4)+5", (5,), (5,), ("4)",)),
    (")4(", (), (), (")4(",)),
    ("(4)(5)", (), (), ("(4)(5)",)),
    ("=D4", (), (), ("=D4",)),
]


@pytest.mark.parametrize(("text", "certain", "possible", "unknown"), CASES)
def test_a_text_is_read_and_given_back(
    text: str, certain: tuple[int, ...], possible: tuple[int, ...], unknown: tuple[str, ...]
) -> None:
    read = parse(text)
    assert str(read) == text
    assert (read.certain(), read.possible(), read.unknown()) == (certain, possible, unknown)
    assert read.coded == bool(possible)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("4", Unit(4)),
        ("L12", Unit(12, "L")),
        ("r12", Unit(12, "R")),
        ("T23B", Unit(23, "T", "B")),
        ("B18", Unit(18, "B")),
        ("A14C", Unit(14, "A", "C")),
        ("14A", Unit(14, "", "A")),
        ("10A/B", Unit(10, "", "A/B")),
        ("U12D-E", Unit(12, "U", "D-E")),
        ("AU12", Unit(12)),
        ("AU A12A", None),
    ],
)
def test_side_and_intensity(text: str, unit: Unit | None) -> None:
    expected = unit or Unit(12, "A", "A")
    assert parse(text).tree == expected
    assert parse(text).units() == (expected,)


def test_a_unit_that_was_not_read_writes_itself() -> None:
    assert str(Unit(14, "R", "B")) == "R14B"


def test_the_structure_says_what_binds_what() -> None:
    expected = Together((Brackets(Alternatives((Unit(6, "R"), Unit(12, "R")), (" or ",))), Unit(15, "R")), ("+",))
    assert parse("(R6 or R12)+R15").tree == expected
    assert parse("( r6  OR r12 ) + r15").tree == expected, "blanks and capitals are writing, not meaning"
    assert parse("R6 or R12+R15").tree != expected
    assert parse("4+?").tree == Together((Unit(4), NotCoded()), ("+",))
    assert parse(" x ") == ActionUnits(Unknown("x"))


def test_units_come_in_the_order_of_the_text() -> None:
    assert [unit.number for unit in parse("(R17 or 4)+1").units()] == [17, 4, 1]


def test_random_texts_lose_no_character() -> None:
    rng = random.Random(4)
    pieces = [*"+/,()?LRTBAUCE0149 -.\n\t=x", " or ", "or", "12", "R14", "10A/B", "AU", "(", ")", "+", "é", "＋"]
    for _ in range(4000):
        text = "".join(rng.choices(pieces, k=rng.randrange(12)))
        read = parse(text)
        assert str(read) == text
        assert set(read.certain()) <= set(read.possible()) == {unit.number for unit in read.units()}


def _drawn(rng: random.Random, depth: int = 0) -> tuple[str, set[int], set[int]]:
    """A well-formed text, and the units that are certain and possible in it by how it was put together."""
    if depth == 3 or rng.random() < 0.4:
        number = rng.randrange(1, 65)
        side, intensity = rng.choice(["", *"LRTBAU"]), rng.choice(["", *"ABCDE", "A/B", "C/D"])
        return f"{side}{number}{intensity}", {number}, {number}
    parts = [_drawn(rng, depth + 1) for _ in range(rng.randrange(2, 4))]
    together = rng.random() < 0.5
    joint = rng.choice(["+", " + "]) if together else " or "
    certain = set.union(*(part[1] for part in parts)) if together else set.intersection(*(part[1] for part in parts))
    return f"({joint.join(part[0] for part in parts)})", certain, set.union(*(part[2] for part in parts))


def test_drawn_texts_mean_what_they_were_drawn_to_mean() -> None:
    rng = random.Random(7)
    for _ in range(500):
        text, certain, possible = _drawn(rng)
        read = parse(text)
        assert (str(read), set(read.certain()), set(read.possible())) == (text, certain, possible)
        assert read.unknown() == ()


def test_synthetic_clips_write_what_is_read() -> None:
    rng = random.Random(1)
    for _ in range(100):
        drawn = {DrawnUnit(rng.choice(ACTION_UNITS), rng.choice([-1, 1])) for _ in range(rng.randrange(1, 8))}
        text = facs(tuple(drawn))
        read = parse(text)
        assert (str(read), read.unknown()) == (text, ())
        assert set(read.certain()) == {unit.number for unit in drawn}
        halves = {
            (u.number, side)
            for u in read.units()
            for side in ((-1, 1) if not u.side else (-1,) if u.side == "R" else (1,))
        }
        assert halves == {tuple(unit) for unit in drawn}
    assert parse(facs(())).tree is None


@pytest.mark.parametrize(
    "text", ["(" * 500 + ")" * 500, "(" * 9999, " " * 99999 + "4", "4" + " " * 99999 + "or", "4+" * 99999]
)
def test_absurd_texts_are_kept_within_a_second(text: str) -> None:
    start = time.perf_counter()
    read = parse(text)
    assert str(read) == text
    assert read.unknown() or read.certain() == (4,)
    assert time.perf_counter() - start < 1


def test_long_texts_are_one_unknown_piece() -> None:
    fits = "4+" * (LONGEST // 2 - 1) + "4"
    assert parse(fits).certain() == (4,)
    assert parse(fits + "+44").unknown() == (fits + "+44",)


@pytest.mark.parametrize("cell", [None, float("nan"), 4])
def test_what_is_no_text_is_refused(cell: object) -> None:
    with pytest.raises(ParameterError, match="expected text such as '4\\+R12'"):
        parse(cell)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["4+R12", "?", "", "R12 or R14"])
def test_good_texts_have_no_fault(text: str) -> None:
    assert unit_faults("samm/006/006_1_2", text) == []


def test_unknown_pieces_are_reported() -> None:
    (fault,) = unit_faults("samm/006/006_1_2", "4+eyes+")
    assert (fault.effect, fault.sample_id) == ("noted", "samm/006/006_1_2")
    assert "'4+eyes+'" in fault.message
    assert "got 'eyes', nothing where a unit should be" in fault.message
    assert len(unit_faults("samm/006/006_1_2", "x" * 5000)[0].message) < 250


def test_the_documentation_shows_what_comes_out() -> None:
    page = (Path(__file__).parents[1] / "docs" / "data_sets.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(from mer_lib\.datasets\.action_units .*?)```", page, re.DOTALL)
    namespace: dict[str, object] = {}
    exec(block, namespace)
    shown = re.findall(r"^(.*?) +# ([^:\n]+)", block, re.MULTILINE)
    values = [(eval(line, namespace), value) for line, value in shown if not value.startswith("Unit")]
    assert len(values) == 6
    for got, value in values:
        assert got == eval(value)
