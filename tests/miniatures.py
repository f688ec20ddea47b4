"""Miniature copies of the licensed data sets: real header rows, formulas and quirks, frames of a few pixels.

A row is a mapping from the workbook's own header to the cell; the functions `*_rows` give fresh lists that a test may
change before it hands them on. Every writer takes the folder to fill and returns it. Complete lists, with the
published numbers of rows and emotions, are in :mod:`tests.miniatures_complete`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.miniature_files import Formula, write_csv, write_frames, write_workbook

Row = dict[str, Any]

CASME2_FILE = "CASME2-coding-20140508.xlsx"
CASME2_OBJECTIVE_FILE = "CASME2-ObjectiveClasses.xlsx"
CASME2_HEADER = ("Subject", "Filename", None, "OnsetFrame", "ApexFrame", "OffsetFrame", None, "Action Units",
                 "Estimated Emotion")  # fmt: skip
SAMM_FILE = "SAMM_Micro_FACS_Codes_v2.xlsx"
SAMM_HEADER = ("Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame", "Duration",
               "Micro", "Action Units", "Estimated Emotion", "Objective Classes", "Notes")  # fmt: skip
SMIC_FILE = "SMIC-HS-E_annotation.xlsx"
SMIC_HEADER = ("Subject", "Filename", None, "OnsetF", "OffsetF", "Onset2F", "Offset2F", None, "FirstF", "LastF",
               "TotalMF1", "TotalMF2", "TotalVL", "Emotion")  # fmt: skip
SMIC_EDITED_HEADER = (*SMIC_HEADER[:7], "Onset3F", "Offset3F", *SMIC_HEADER[7:12], "TotalMF3", *SMIC_HEADER[12:])
SMIC_EDITED_LACKS = frozenset({"s3_ne_03", "s3_ne_20", "s4_ne_05", "s4_ne_06", "s9_sur_02"})
SMIC_WITHOUT_ROW = {"s1_ne_02": (25301, 25306), "s2_sur_05": (34101, 34106)}  # clip: its first and last frame
CASME3_FILE = "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx"
CASME3_LIST_FILE = "cas(me)3_part_A_ME_label_JpgIndex_v2_edited.csv"
CASME3_HEADER = ("Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion")
CASME3_LIST_HEADER = (*CASME3_HEADER, "label_for_7", "label_for_3", "imagename_apex", "imagename_onset",
                      "imagename_apex_offset")  # fmt: skip
CASME3_LETTERS = "abcdefghijklm"  # 13 long videos a subject


# Rows: the quirks of each data set, one or two rows a quirk.


def casme2_rows() -> list[Row]:
    """Ten rows: apex "/", apex = onset, apex = offset, a name in two subjects, odd names, integer and text AUs, "?"."""
    named = [name for name in CASME2_HEADER if name]
    cells: list[tuple[Any, ...]] = [
        ("01", "EP02_01f", 46, 50, 56, 12, "happiness"),
        ("01", "EP03_02", 8, 12, 20, "4+5", "others"),
        ("02", "EP02_01f", 3, 8, 12, "R12+15", "repression"),  # the name of a clip of subject 01
        ("02", "EP01_2", 9998, 10001, 10004, 4, "disgust"),
        ("04", "EP12_01f", 21, "/", 41, "4+7", "disgust"),
        ("05", "EP09_05f", 69, 69, 123, "4+9", "disgust"),
        ("05", "EP16_04f", 5, 12, 12, "1+2", "surprise"),
        ("05", "EP05_03", 11, 14, 19, "?", "sadness"),
        ("09", "EP06_02_01", 31, 35, 39, "L14", "others"),
        ("26", "EP09f", 2, 4, 8, "1+4", "fear"),
    ]
    return [dict(zip(named, row, strict=True)) for row in cells]


def samm_rows() -> list[Row]:
    """Ten rows: capitals, "Other", AU alternatives and intensities, a formula as duration, notes, apex errors."""
    cells: list[tuple[Any, ...]] = [
        ("006", "006_1_2", 1, 562, 566, 570, "4", "Anger", 2, None),
        ("006", "006_1_3", 1, 9997, 10001, 10006, "A14C", "Contempt", 7, "slight head movement"),
        ("009", "009_2_1", 2, 78, 80, 90, "R12 or R14", "Happiness", 1, "blink just before the onset"),
        ("013", "013_1_9", 3, 5730, 5734, 5739, "10A/B", "Disgust", 4, None),
        ("014", "014_6_5", 6, 31, 36, 44, "(R6 or R12)+R15", "Surprise", 7, None),
        ("025", "025_4_1", 4, 101, 105, 111, "1+2", "Other", 7, None),
        ("028", "028_4_1", 4, 1105, 1113, 1120, "4+7", "Fear", 6, None),
        ("032", "032_3_1", 3, 4928, 4930, 4944, "15", "Sadness", 5, None),
        ("032", "032_3_2", 3, 5126, 5127, 5136, "4", "Anger", 2, "eyes move"),
        ("036", "036_7_4", 7, 11, 15, 22, "9", "Disgust", 4, None),
    ]
    return [samm_row(*row) for row in cells]


def samm_row(
    subject: Any, clip: str, inducement: int, onset: Any, apex: Any, offset: Any,
    units: Any, emotion: str, objective: int, notes: str | None,
) -> Row:  # fmt: skip
    """One row of the SAMM workbook; its duration is a formula over its own line (`{line}` is filled in on writing)."""
    duration = "=F{line}-D{line}+1"
    cells = (subject, clip, inducement, onset, apex, offset, duration, "Micro - 1/2", units, emotion, objective, notes)
    return dict(zip(SAMM_HEADER, cells, strict=True))


def smic_rows() -> list[Row]:
    """Fifteen rows: formulas, second movements, shared videos, MISSING, seven and eight digits, a wrong emotion."""
    rows = [
        smic_row(1, "s1_ne_01", 25200, 6, "negative"),
        smic_row(2, "s2_po_01", 34010, 6, "positive"),
        smic_row(3, "s3_ne_02", 4310, 6, "negative", first=4300, last=4335),
        smic_row(3, "s3_ne_03", 4322, 7, "negative", first=4300, last=4335),
        smic_row(3, "s3_ne_20", 426700, 8, "negative", first="MISSING <-426679"),
        smic_row(4, "s4_ne_05", 5010, 5, "negative", first=5005, last=5030),
        smic_row(4, "s4_ne_06", 5020, 5, "negative", first=5005, last=5030),
        smic_row(5, "s5_sur_01", 999998, 5, "surprise"),
        smic_row(9, "s9_sur_01", 9010, 5, "surprise", first=9005, last=9040),
        smic_row(9, "s9_sur_02", 9020, 5, "surprise", first=9005, last=9040),
        smic_row(12, "s12_po_01", 1230000, 6, "positive"),
        smic_row(18, "s18_sur_03", 1850000, 6, "negative", second=1849990, second_total=4),
        smic_row(19, "s19_po_01", 19000010, 6, "positive"),
        smic_row(20, "s20_ne_06", 20000010, 6, "negative", second=20000020, second_total=4),
        smic_row(20, "s20_sur_02", 20000110, 6, "surprise", second=20000120, second_total=5),
    ]
    rows[4] |= {"LastF": None, "TotalVL": None}
    return rows


def smic_row(
    subject: Any, clip: str, onset: int, total: int, emotion: str, *,
    first: Any = None, last: int | None = None, second: int | None = None, second_total: int | None = None,
) -> Row:  # fmt: skip
    """One row of the SMIC workbook; formulas as in the original, with the results that a stored value would have."""
    begin = onset - 4 if first is None else first
    end = last or onset + total + 4
    length = end - begin + 1 if isinstance(begin, int) else None
    return {
        "Subject": subject,
        "Filename": clip,
        "OnsetF": onset,
        "OffsetF": Formula("D{line}+K{line}-1", onset + total - 1),
        "Onset2F": second and Formula(f"D{{line}}+{second - onset}", second),
        "Offset2F": second and Formula("F{line}+L{line}-1", second + (second_total or 0) - 1),
        "FirstF": begin if isinstance(begin, str) else Formula("VIS!B1+0", begin),
        "LastF": Formula("I{line}+M{line}-1", end),
        "TotalMF1": total,
        "TotalMF2": second_total,
        "TotalVL": Formula("VIS!B1+1", length),
        "Emotion": emotion,
    }


def casme3_rows() -> list[Row]:
    """Nine rows: apex before onset or on it, offset far away, onset 0, a letter that repeats, odd AUs, "others"."""
    cells: list[tuple[Any, ...]] = [
        ("spNO.1", "a", 10, 14, 20, "4", "III", "disgust"),
        ("spNO.1", "a", 40, 40, 52, "R12", "I", "happy"),  # apex = onset, the video of the row above
        ("spNO.2", "a", 10, 12, 18, "T28+14", "VII", "sad"),
        ("spNO.39", "j", 7, 9, 15, "B28", "VII", "anger"),
        ("spNO.149", "d", 112, 83, 358, "T18", "VII", "disgust"),
        ("spNO.184", "c", 21, 25, 30, "24+T18+16", "VI", "fear"),
        ("spNO.214", "c", 5, 9, 3460, "T24", "II", "surprise"),
        ("spNO.216", "e", 0, 0, 9, "1+2", "II", "surprise"),
        ("spNO.40", "m", 3, 6, 11, "14", "VII", "others"),
    ]
    return [dict(zip(CASME3_HEADER, row, strict=True)) for row in cells]


# Writers: one a data set.


def casme2(
    folder: Path, rows: Sequence[Row] | None = None, *, images: bool | Sequence[str] = True,
    workbook: str = CASME2_FILE, objective: bool = True, header: Sequence[str | None] = CASME2_HEADER,
) -> Path:  # fmt: skip
    """Write CASME II: workbook, objective classes (with the stray second sheet), and frames raw and cropped.

    Args:
        folder: is made where it is not there.
        rows: of the workbook, :func:`casme2_rows` where none are given.
        images: versions to write, "raw" and "cropped"; all where True, none where False.
        workbook: name of the annotation file; no such file where empty.
        objective: whether the list of objective classes is written too.
        header: of the workbook; a renamed column takes the cells of the column that stands in its place.
    """
    rows = casme2_rows() if rows is None else rows
    sheets = {"Sheet1": [header, *_cells(rows, CASME2_HEADER)], "Sheet2": [], "Sheet3": []}
    if workbook:
        write_workbook(folder / workbook, sheets)
    if objective:
        classes = [(row.get("Subject"), row.get("Filename"), 1 + number % 7) for number, row in enumerate(rows)]
        stray = [("03", "EP01_2", number, "=1+1" if number == 0 else None) for number in range(10)]
        content = {"Sheet1": [("Subject", "Filename", "Objective Class"), *classes], "Sheet2": stray}
        write_workbook(folder / CASME2_OBJECTIVE_FILE, content)
    for version in _versions(images, ("raw", "cropped")):
        place, name = {"raw": ("CASME2_RAW_selected", "img{}.jpg"), "cropped": ("Cropped", "reg_img{}.jpg")}[version]
        for row in rows:
            clip = folder / place / f"sub{row['Subject']}" / row["Filename"]
            write_frames(clip, name, _span(row["OnsetFrame"], row["OffsetFrame"]))
    return folder


def samm(
    folder: Path, rows: Sequence[Row] | None = None, *, images: bool | Sequence[str] = True,
    workbook: str = SAMM_FILE, header: Sequence[str | None] = SAMM_HEADER, preface: int = 13,
) -> Path:  # fmt: skip
    """Write SAMM: workbook with its preface and formulas, and grey frames whose names are padded inconsistently."""
    rows = samm_rows() if rows is None else rows
    lines = [("SAMM: miniature copy",), *[(f"preface line {number}",) for number in range(2, preface + 1)]]
    if workbook:
        write_workbook(folder / workbook, {"MICRO_ONLY": [*lines[:preface], header, *_cells(rows, SAMM_HEADER)]})
    for number, row in enumerate(rows if _versions(images, ("raw",)) else []):
        subject = f"{int(row['Subject']):03d}"
        clip = folder / "SAMM" / subject / row["Filename"]
        padded = "{:04d}" if number % 2 else "{:05d}"
        write_frames(clip, f"{subject}_{padded}.jpg", _span(row["Onset Frame"], row["Offset Frame"]), grey=True)
    return folder


def smic(
    folder: Path, rows: Sequence[Row] | None = None, *, images: bool | Sequence[str] = True, workbook: str = SMIC_FILE,
    cached: bool = True, edited: bool = False, apex: bool = False, header: Sequence[str | None] | None = None,
) -> Path:  # fmt: skip
    """Write SMIC: workbook with sheets HS and VIS, and the frames of HS (raw, cropped) and HS-E (extended).

    Args:
        folder: is made where it is not there.
        rows: of the sheet HS, :func:`smic_rows` where none are given.
        images: versions to write, "raw", "cropped" and "extended"; all where True, none where False.
        workbook: name of the annotation file; no such file where empty.
        cached: whether formulas have stored results, as in the original; a copy saved by a script has none.
        edited: the copy that lacks five rows and has three columns more.
        apex: the version of 2019 with a column ApexF, two frames after the onset.
        header: instead of the one that follows from the options.
    """
    rows = smic_rows() if rows is None else rows
    listed = [row for row in rows if not (edited and row["Filename"] in SMIC_EDITED_LACKS)]
    names = SMIC_EDITED_HEADER if edited else SMIC_HEADER
    if apex:
        names = (*names, "ApexF")
        listed = [row | {"ApexF": row["OnsetF"] + 2} for row in listed]
    visible = [smic_row(1, "s1_po_01", 100, 9, "positive"), smic_row(8, "s8_ne_09", 200, 9, "negative")]
    sheets = {
        "HS": [header or names, *_cells(listed, names)],
        "VIS": [names, *_cells(visible, names)],
        "Sheet2": [],
        "Sheet3": [],
    }
    if workbook:
        write_workbook(folder / workbook, sheets, cached=cached)
    for version in _versions(images, ("raw", "cropped", "extended")):
        _smic_frames(folder, version, rows)
    return folder


def _smic_frames(folder: Path, version: str, rows: Sequence[Row]) -> None:
    spans = {row["Filename"]: _span(row["OnsetF"], row["OffsetF"]) for row in rows}
    if version == "extended":
        absent = {"s3_ne_03", "s3_ne_20", "s4_ne_06", "s9_sur_02"}  # in the video of a neighbour, or missing
        spans = {row["Filename"]: _span(row["FirstF"], row["LastF"]) for row in rows if row["Filename"] not in absent}
    else:
        spans |= {name: _span(*ends) for name, ends in SMIC_WITHOUT_ROW.items()}
    for name, numbers in spans.items():
        subject, short, _ = name.split("_")
        kind = {"ne": "negative", "po": "positive", "sur": "surprise"}[short]
        place, file = {
            "raw": (f"SMIC_all_raw/HS/{subject}/micro/{kind}", "image{:06d}.bmp"),
            "cropped": (f"SMIC_all_cropped/HS/{subject}/micro/{kind}", "reg_image{:06d}.bmp"),
            "extended": (f"HS_long/SMIC_HS_E/s{int(subject[1:]):02d}", "image{:06d}.jpg"),
        }[version]
        write_frames(folder / place / name, file, numbers)


def casme3(
    folder: Path, rows: Sequence[Row] | None = None, *, images: bool | Sequence[str] = True,
    workbook: str = CASME3_FILE, listed: bool = False, header: Sequence[str | None] = CASME3_HEADER,
) -> Path:  # fmt: skip
    """Write CAS(ME)^3 part A: workbook, or as `listed` the edited CSV without "others"; clips and long videos.

    Of a row longer than 30 frames only the first and the last ten are written.
    """
    rows = casme3_rows() if rows is None else rows
    if listed:
        kept = [_casme3_listed(row) for row in rows if row["emotion"] != "others"]
        write_csv(folder / CASME3_LIST_FILE, [CASME3_LIST_HEADER, *_cells(kept, CASME3_LIST_HEADER)])
    elif workbook:
        write_workbook(folder / workbook, {"label": [header, *_cells(rows, CASME3_HEADER)]})
    versions = _versions(images, ("clips", "long"))
    for row in rows if versions else []:
        numbers = _span(row["Onset"], row["Offset"])
        numbers = numbers if len(numbers) <= 30 else [*numbers[:10], *numbers[-10:]]
        clip = f"{row['Subject']}_{row['Filename']}_{row['Onset']}"
        video = folder / "part_A/data/part_A" / row["Subject"] / row["Filename"]
        if "clips" in versions:
            write_frames(folder / "Part_A_ME_clip/frame" / clip, "{}.jpg", numbers)
            (folder / "Part_A_ME_clip/depth" / clip).mkdir(parents=True, exist_ok=True)
            (folder / "Part_A_ME_clip/video").mkdir(exist_ok=True)
        if "long" in versions:
            around = range(max(1, numbers[0] - 5), numbers[0]) if numbers else []
            write_frames(video / "color", "{}.jpg", [*around, *numbers])
            (video / "depth").mkdir(exist_ok=True)
    return folder


def _casme3_listed(row: Row) -> Row:
    seven = {"happy": 1, "surprise": 2, "sad": 3, "disgust": 4, "fear": 5, "anger": 6}[row["emotion"]]
    three = {1: 1, 2: 2}.get(seven, 0)
    return row | {"label_for_7": seven, "label_for_3": three, "imagename_apex": f"{row['Subject']}_apex.jpg"}


# What the writers share.


def _cells(rows: Iterable[Row], header: Sequence[str | None]) -> list[list[Any]]:
    return [[row.get(name) if name else None for name in header] for row in rows]


def _span(first: Any, last: Any) -> list[int]:
    whole = isinstance(first, int) and isinstance(last, int)
    return list(range(first, last + 1)) if whole else []


def _versions(images: bool | Sequence[str], every: tuple[str, ...]) -> tuple[str, ...]:
    return (every if images else ()) if isinstance(images, bool) else tuple(images)
