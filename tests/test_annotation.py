"""Annotations found and read by their headers; whatever a disk holds becomes a fault and never a traceback."""

from __future__ import annotations

import random
import re
import time
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from mer_lib.datasets import walking
from mer_lib.datasets.annotation import grids
from mer_lib.datasets.annotation.cells import Formula, emotion_word, padded, shown, text, trailing_number, whole_number
from mer_lib.datasets.annotation.finding import find_files
from mer_lib.datasets.annotation.grids import read_grids
from mer_lib.datasets.annotation.workbook import read_rows
from mer_lib.datasets.faults import Fault
from mer_lib.datasets.layouts import casme2
from mer_lib.errors import DataError
from tests import miniatures
from tests.miniature_files import Formula as StoredFormula
from tests.miniature_files import write_csv, write_workbook

WANTED = {"subject": ("Subject",), "apex": ("ApexFrame", "Apex"), "emotion": ("Estimated Emotion",)}
HEADER = ("Subject", "ApexFrame", "Estimated Emotion")
LINE = ("01", 50, "happiness")


def rows_of(path: Path, **options: object) -> tuple[list[dict], list[Fault]]:
    faults: list[Fault] = []
    table = read_rows(path, WANTED, faults, **options)
    return ([] if table is None else table.to_dict("records")), faults


def book(folder: Path, *lines: tuple, name: str = "book.xlsx", sheet: str = "Sheet1") -> Path:
    return write_workbook(folder / name, {sheet: lines})


# Cells


@pytest.mark.parametrize("cell", [46, 46.0, "46", " 46 ", "46.0", "+46", "0046"])
def test_whole_numbers_in_all_their_forms(cell):
    assert whole_number(cell) == 46
    assert type(whole_number(cell)) is int


@pytest.mark.parametrize(
    "cell",
    ["/", "", " ", None, "46.5", 46.5, True, False, "4 6", "4,6", "12+4", float("nan"), float("inf"), 10**30, 1e300,
     "9" * 40, "٤٦", datetime(2014, 5, 8), Formula("=D2+1"), object()],
)  # fmt: skip
def test_anything_else_is_no_frame_number(cell):
    assert whole_number(cell) is None


def test_words_and_texts():
    cells = ["Happiness", " happy ", "SAD", "Sadness", "Other", "others", "Estimated  joy", "", None]
    words = ["happiness", "happiness", "sadness", "sadness", "others", "others", "estimated joy", None, None]
    assert [emotion_word(cell) for cell in cells] == words
    assert [text(cell) for cell in (12, 12.0, 12.5, " 4+7\xa0", float("nan"), Formula("=1"), True)] == [
        "12", "12", "12.5", "4+7", None, None, "True",
    ]  # fmt: skip
    assert text(datetime(2014, 5, 8)) == "2014-05-08T00:00:00"


def test_subjects_with_and_without_zeros():
    assert {padded(cell, 3) for cell in ("006", "6", 6, 6.0, "06", " 6 ", "sub06", "S6")} == {"006"}
    assert padded(149, 2) == "149"
    assert [padded(cell, 2) for cell in (None, "", "x", "1_2", "6.5", -6, Formula("=1"))] == [None] * 7


def test_trailing_number_is_the_last_one():
    stems = ["img46", "reg_img46", "006_05562", "006_5562", "112", "image19000010", "s1_ne_01", "cover", "", "9" * 30]
    numbers = [46, 46, 5562, 5562, 112, 19000010, 1, None, None, int("9" * 18)]
    assert [trailing_number(stem) for stem in stems] == numbers


def test_messages_show_cells_shortly():
    assert shown(Formula("=D2+K2-1")) == "the formula =D2+K2-1 without a stored result"
    assert shown(None) == shown("  ") == "empty"
    assert len(shown("x" * 500)) == 60


# Tables by their headers


def test_header_is_found_wherever_it_stands(tmp_path):
    lines = [("preface",), (), ("more",), (None, *HEADER), (None, *LINE)]
    path = write_workbook(tmp_path / "book.xlsx", {"Empty": [], "Notes": [("Subject of this book",)], "Data": lines})
    rows, faults = rows_of(path)
    assert faults == []
    assert rows == [{"subject": "01", "apex": 50, "emotion": "happiness", "place": "Data row 5"}]


def test_columns_go_by_name_not_by_position(tmp_path):
    path = book(tmp_path, (" estimated_emotion ", None, "APEX FRAME", "Subject."), ("fear", "?", 7, "02"))
    rows, faults = rows_of(path)
    assert faults == []
    assert (rows[0]["subject"], rows[0]["apex"], rows[0]["emotion"]) == ("02", 7, "fear")


def test_aliases_the_usual_name_first(tmp_path):
    path = book(tmp_path, ("Subject", "Apex", "ApexFrame", "Estimated Emotion"), ("01", 1, 2, "fear"))
    assert rows_of(path)[0][0]["apex"] == 2
    path = book(tmp_path, ("Subject", "Apex", "Estimated Emotion"), ("01", 1, "fear"))
    assert rows_of(path)[0][0]["apex"] == 1


def test_every_missing_column_is_named_with_its_likely_new_name(tmp_path):
    path = book(tmp_path, ("Subjekt", "Apex_Frm", "Estimated Emotion", "Subject"), LINE)
    rows, faults = rows_of(path)
    assert rows == []
    assert [(fault.effect, fault.kind) for fault in faults] == [("unusable", "annotation")]
    for word in ("book.xlsx", "Sheet1 row 1", "'ApexFrame' is missing", "is it 'Apex_Frm'?"):
        assert word in faults[0].message
    wanted = WANTED | {"onset": ("OnsetFrame",), "offset": ("OffsetFrame",)}
    found: list[Fault] = []
    assert read_rows(book(tmp_path, HEADER, LINE), wanted, found) is None
    assert ["'OnsetFrame' is missing" in found[0].message, "'OffsetFrame' is missing" in found[1].message] == [True] * 2


def test_optional_columns_may_lack(tmp_path):
    rows, faults = rows_of(book(tmp_path, ("Subject", "Estimated Emotion"), ("01", "fear")), optional=("apex",))
    assert faults == []
    assert "apex" not in rows[0]


def test_a_column_that_is_there_twice_is_told(tmp_path):
    rows, faults = rows_of(book(tmp_path, (*HEADER, "Subject"), (*LINE, "99")))
    assert rows[0]["subject"] == "01"
    assert [fault.effect for fault in faults] == ["noted"]
    assert "'Subject' is there twice" in faults[0].message


def test_other_tables_are_refused(tmp_path):
    path = write_workbook(tmp_path / "book.xlsx", {"Prices": [("Item", "Price"), ("milk", 1)]})
    rows, faults = rows_of(path)
    assert rows == []
    assert faults[0].effect == "unusable"
    assert "no line with the columns Subject, ApexFrame, Estimated Emotion in its sheets Prices" in faults[0].message


def test_header_without_rows_is_unusable(tmp_path):
    rows, faults = rows_of(book(tmp_path, HEADER, (None, " ", None)))
    assert rows == []
    assert "no rows below its header, Sheet1 row 1" in faults[0].message


def test_preferred_sheet_wins_and_barred_sheets_are_never_read(tmp_path):
    sheets = {"VIS": [HEADER, ("09", 9, "fear")], "HS": [HEADER, LINE], "Copy": [HEADER, ("08", 8, "fear")]}
    path = write_workbook(tmp_path / "book.xlsx", sheets)
    assert rows_of(path, sheet="hs")[0][0]["subject"] == "01"
    assert rows_of(path, sheet="hs")[1] == []
    rows, faults = rows_of(path, not_sheets=("VIS",))
    assert rows[0]["subject"] == "01"
    assert "sheet HS is read, though these have the same columns: Copy" in faults[0].message
    only = write_workbook(tmp_path / "only.xlsx", {"VIS": sheets["VIS"]})
    assert rows_of(only, not_sheets=("VIS",))[1][0].effect == "unusable"


def test_formulas_with_and_without_stored_results(tmp_path):
    lines = [HEADER, ("01", StoredFormula("B{line}+1", 77), "fear"), ("02", 5, "fear")]
    with_results = write_workbook(tmp_path / "stored.xlsx", {"S": lines}, cached=True)
    without = write_workbook(tmp_path / "bare.xlsx", {"S": lines})
    assert [row["apex"] for row in rows_of(with_results)[0]] == [77, 5]
    bare = rows_of(without)[0]
    assert isinstance(bare[0]["apex"], Formula)
    assert (bare[0]["apex"], bare[1]["apex"]) == ("=B2+1", 5)


def test_a_wrong_statement_of_a_sheets_size_hides_nothing(tmp_path):
    path = book(tmp_path, HEADER, LINE, ("02", 7, "fear"))
    repack(path, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b'<dimension ref="A1:C3"', b'<dimension ref="A1"'))
    assert [row["subject"] for row in rows_of(path)[0]] == ["01", "02"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_lists_in_any_encoding_and_with_any_separator(tmp_path, separator, encoding):
    path = tmp_path / "list.csv"
    lines = ["Größe|" + "|".join(HEADER), "", "ä|006|/|Fear"]
    path.write_bytes("\r\n".join(lines).replace("|", separator).encode(encoding))
    rows, faults = rows_of(path)
    assert faults == []
    assert rows == [{"subject": "006", "apex": "/", "emotion": "Fear", "place": "line 3"}]


def test_short_lines_are_filled_up(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("Subject,ApexFrame,Estimated Emotion\n01\n")
    assert rows_of(path)[0] == [{"subject": "01", "apex": None, "emotion": None, "place": "line 2"}]


# What a disk may hold instead


def repack(path: Path, name: str, change) -> None:
    with zipfile.ZipFile(path) as packed:
        parts = {part: packed.read(part) for part in packed.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for part, content in parts.items():
            packed.writestr(part, change(content) if part == name else content)


def no_file(path: Path) -> None:
    path.unlink()


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def sparse(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(10 * 1024**3)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:2000])


def bomb(path: Path) -> None:
    repack(path, "xl/worksheets/sheet1.xml", lambda xml: xml + b" " * 12_000_000)


def far_away(path: Path) -> None:
    repack(path, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b'<row r="2">', b'<row r="99999999999">'))


DAMAGE = {
    "is missing": no_file,
    "is no file": folder,
    "has 10737418240 bytes": sparse,
    "no readable workbook": truncated,
    "unpacks to": bomb,
    "has no rows below": far_away,
    "begins 'Subject,Ape": lambda path: path.write_text("Subject,ApexFrame\n01,50\n"),
    "is empty": lambda path: path.write_bytes(b""),
    "old .xls workbook": lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99)),
    "there is no item": lambda path: zipfile.ZipFile(path, "w").writestr("readme.txt", "hello"),
}


@pytest.mark.parametrize("words", DAMAGE)
def test_damaged_workbooks_are_one_clear_fault_at_once(tmp_path, words):
    path = book(tmp_path, HEADER, LINE)
    DAMAGE[words](path)
    start = time.perf_counter()
    rows, faults = rows_of(path)
    assert time.perf_counter() - start < 3
    assert rows == []
    assert [(fault.effect, fault.kind) for fault in faults] == [("unusable", "annotation")]
    assert words.lower() in faults[0].message.lower()
    assert "book.xlsx" in faults[0].message


def test_zeros_and_loops_are_refused(tmp_path):
    zeros = tmp_path / "zeros.xlsx"
    zeros.write_bytes(bytes(1000))
    assert "is empty" in rows_of(zeros)[1][0].message
    circle = book(tmp_path, HEADER, LINE)
    loop(circle)
    assert rows_of(circle)[1][0].effect == "unusable"


def test_no_permission_is_told(tmp_path, monkeypatch):
    path = book(tmp_path, HEADER, LINE)

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert "book.xlsx cannot be read (Permission denied)" in rows_of(path)[1][0].message


def test_too_many_lines_are_refused_before_all_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(grids, "MOST_LINES", 20)
    long = [HEADER, *[LINE] * 30]
    for path in (write_csv(tmp_path / "list.csv", long), write_workbook(tmp_path / "book.xlsx", {"S": long})):
        assert "has more than 20 lines" in rows_of(path)[1][0].message
    short = [HEADER, *[LINE] * 19]
    for path in (write_csv(tmp_path / "list.csv", short), write_workbook(tmp_path / "book.xlsx", {"S": short})):
        assert len(rows_of(path)[0]) == 19


@pytest.mark.parametrize("content", [b"\x00\x01" * 50, b'Subject,"' + b"x" * 200_000, b"\xff\xfeS\x00u"])
def test_lists_that_are_none_are_refused(tmp_path, content):
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    assert [fault.effect for fault in rows_of(path)[1]] == ["unusable"]


def test_bytes_changed_at_random_never_raise(tmp_path):
    whole = (miniatures.casme2(tmp_path, images=False) / miniatures.CASME2_FILE).read_bytes()
    dice = random.Random(0)
    path = tmp_path / "damaged.xlsx"
    for _ in range(60):
        content = bytearray(whole)
        for _ in range(dice.choice([1, 20])):
            content[dice.randrange(len(content))] = dice.randrange(256)
        path.write_bytes(content[: dice.choice([len(content), dice.randrange(1, len(content))])])
        annotation = casme2.annotate(path)
        assert len(annotation.rows) or any(fault.effect == "unusable" for fault in annotation.faults)


def test_sheets_of_raw_content_damaged_inside_the_archive_never_raise(tmp_path):
    path = book(tmp_path, HEADER, LINE)
    for old, new in ((b'r="2"', b'r="x"'), (b't="n"', b't="s"'), (b"<v>50", b"<v>"), (b"<v>50", b"<v>5e999"),
                     (b"</row>", b""), (b'r="B2"', b'r="1B"'), (b't="n"', b't="d"')):  # fmt: skip
        copy = tmp_path / "copy.xlsx"
        copy.write_bytes(path.read_bytes())
        repack(copy, "xl/worksheets/sheet1.xml", lambda xml, old=old, new=new: xml.replace(old, new))
        faults: list[Fault] = []
        table = read_rows(copy, WANTED, faults)
        assert table is not None or faults[0].effect == "unusable"


# Files and folders


def test_newest_annotation_comes_first(tmp_path):
    names = [
        "x/CASME2-CODING-20190701.XLSX",
        "CASME2-coding-2019.csv",
        "CASME2-coding-20140508.xlsx",
        "a/b/casme2-coding.xlsx",
    ]
    litter = [
        "~$CASME2-coding-20190701.xlsx",
        "._CASME2-coding.xlsx",
        "CASME2-coding.docx",
        "a/b/c/CASME2-coding-2020.xlsx",
    ]
    for name in [*names, *litter, "CASME2-ObjectiveClasses.xlsx", "CASME3-coding.xlsx", "CASMEIII-coding.xlsx"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in casme2.annotation_files(tmp_path)]
    assert found == names
    (tmp_path / "CASME2-coding-updated.xlsx").touch()
    assert casme2.annotation_files(tmp_path)[0].name == "CASME2-coding-updated.xlsx"


def test_versions_and_workbooks_before_lists(tmp_path):
    for name in ("codes_v2.csv", "codes_v2.xlsx", "codes_v10.xlsx", "codes.xlsx"):
        (tmp_path / name).touch()
    found = [path.name for path in find_files(tmp_path, re.compile("codes"))]
    assert found == ["codes_v10.xlsx", "codes_v2.xlsx", "codes_v2.csv", "codes.xlsx"]


def test_folders_that_are_none_hold_nothing(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "round").symlink_to(tmp_path)
    for place in (tmp_path / "file", tmp_path / "absent", tmp_path / "round"):
        assert casme2.annotation_files(place) == []
        assert casme2.image_folders(place) == {}


def test_walking_has_bounds(tmp_path, monkeypatch):
    for number in range(9):
        (tmp_path / f"{number}" / "below" / "deep").mkdir(parents=True)
    assert max(level.depth for level in walking.walk(tmp_path, 2)) == 2
    monkeypatch.setattr(walking, "MOST_FOLDERS", 5)
    assert len(list(walking.walk(tmp_path, 2))) == 5


def test_reading_a_grid_raises_what_faults_say(tmp_path):
    with pytest.raises(DataError, match="is missing in"):
        read_grids(tmp_path / "absent.xlsx")
