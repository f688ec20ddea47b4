"""The licensed data sets as they lie on a disk: every quirk of their annotations and folders, on miniature copies."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mer_lib.datasets.annotation.table import FRAME_COLUMNS, ROW_COLUMNS, Annotation
from mer_lib.datasets.faults import Fault, exclusions
from mer_lib.datasets.layouts import casme2, casme3, samm, smic
from tests import miniatures
from tests.miniature_files import write_csv, write_frames, write_workbook
from tests.miniatures import casme2_rows, casme3_rows, samm_rows, smic_row, smic_rows
from tests.miniatures_complete import casme2_complete, casme3_complete, samm_complete, smic_complete

LAYOUTS = {"casme2": casme2, "samm": samm, "smic": smic, "casme3": casme3}
COMPLETE = {"casme2": casme2_complete, "samm": samm_complete, "smic": smic_complete, "casme3": casme3_complete}
FILES = {
    "casme2": miniatures.CASME2_FILE, "samm": miniatures.SAMM_FILE,
    "smic": miniatures.SMIC_FILE, "casme3": miniatures.CASME3_FILE,
}  # fmt: skip


def annotated(name: str, folder: Path, rows: list | None = None, **options: object) -> Annotation:
    """What is read from a workbook without images."""
    getattr(miniatures, name)(folder, rows, images=False, **options)
    return LAYOUTS[name].annotate(LAYOUTS[name].annotation_files(folder)[0])


def by_clip(annotation: Annotation) -> dict[str, dict]:
    return {f"{row['subject']}/{row['clip']}": row for row in annotation.rows.to_dict("records")}


def about(annotation: Annotation, sample_id: str) -> list[Fault]:
    return [fault for fault in annotation.faults if fault.sample_id == sample_id]


def opened(name: str, folder: Path, version: str, rows: pd.DataFrame | None = None) -> dict:
    images = LAYOUTS[name].image_folders(folder)[version]
    empty = pd.DataFrame(columns=list(ROW_COLUMNS))
    return LAYOUTS[name].sources(images, version, empty if rows is None else rows)


# All data sets


@pytest.mark.parametrize("name", LAYOUTS)
def test_rows_have_the_columns_and_types_of_every_data_set(name, tmp_path):
    annotation = annotated(name, tmp_path)
    rows = annotation.rows
    assert tuple(rows.columns) == ROW_COLUMNS
    assert {str(rows[column].dtype) for column in FRAME_COLUMNS} == {"Int64"}
    assert {str(rows[column].dtype) for column in set(ROW_COLUMNS) - set(FRAME_COLUMNS)} == {"string"}
    assert annotation.file == tmp_path / FILES[name]
    assert {fault.effect for fault in annotation.faults} <= {"noted"}
    assert not rows[["subject", "clip", "place", "emotion"]].isna().any(axis=None)


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_row_finds_its_frames_in_every_version(name, tmp_path):
    getattr(miniatures, name)(tmp_path)
    layout = LAYOUTS[name]
    annotation = layout.annotate(layout.annotation_files(tmp_path)[0])
    images = layout.image_folders(tmp_path)
    assert tuple(images) == layout.VERSIONS
    for version, folder in images.items():
        sources = layout.sources(folder, version, annotation.rows)
        lost = by_clip(annotation).keys() - sources.keys()
        assert lost == ({"s03/s03_ne_20"} if version == "extended" else set())
        for key, row in by_clip(annotation).items():
            if key not in lost:
                assert {row["onset"], row["offset"]} <= set(sources[key].numbers().tolist()), key


@pytest.mark.parametrize("name", LAYOUTS)
def test_images_are_found_from_every_folder_above_them(name, tmp_path):
    top = getattr(miniatures, name)(tmp_path / "data set")
    layout = LAYOUTS[name]
    found = layout.image_folders(top)
    for version, folder in found.items():
        while folder != tmp_path:
            assert layout.image_folders(folder).get(version) == found[version]
            folder = folder.parent


@pytest.mark.parametrize("name", LAYOUTS)
def test_archives_unpacked_into_folders_of_their_own_name(name, tmp_path):
    """Part_A_ME_clip/Part_A_ME_clip, and names in another case."""
    top = getattr(miniatures, name)(tmp_path)
    layout = LAYOUTS[name]
    before = {version: len(opened(name, top, version)) for version in layout.image_folders(top)}
    for child in [child for child in top.iterdir() if child.is_dir()]:
        shutil.move(child, top / "moving")
        (top / child.name.upper()).mkdir()
        shutil.move(top / "moving", top / child.name.upper() / child.name.lower())
    assert {version: len(opened(name, top, version)) for version in layout.image_folders(top)} == before


@pytest.mark.parametrize("name", LAYOUTS)
def test_annotation_in_another_order_of_columns_reads_the_same(name, tmp_path):
    """Versions of a workbook are told by their headers, never by the number of a row or a column."""
    plain = annotated(name, tmp_path / "plain").rows
    rows = getattr(miniatures, f"{name}_rows")()
    header = [column for column in rows[0] if column][::-1]
    cells = [[int(row[column]) if isinstance(row[column], int) else row[column] for column in header] for row in rows]
    sheet = {"samm": "MICRO_ONLY", "smic": "HS", "casme3": "label"}.get(name, "Sheet1")
    path = write_workbook(tmp_path / "other" / FILES[name], {sheet: [("a line more",), (), header, *cells]})
    other = LAYOUTS[name].annotate(path).rows
    compared = [column for column in ROW_COLUMNS if column not in ("place", "objective_class")]
    pd.testing.assert_frame_equal(plain[compared], other[compared])


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_renamed_column_is_named_and_nothing_else_is_said(name, tmp_path):
    header = [column if column is None else column.replace("Onset", "Begin") for column in
              getattr(miniatures, f"{name.upper()}_HEADER")]  # fmt: skip
    annotation = annotated(name, tmp_path, header=header)
    assert [(fault.effect, fault.kind) for fault in annotation.faults] == [("unusable", "annotation")]
    assert "Onset" in annotation.faults[0].message
    assert "Begin" in annotation.faults[0].message
    assert annotation.rows.empty


@pytest.mark.parametrize("name", LAYOUTS)
def test_rows_that_repeat(name, tmp_path):
    rows = getattr(miniatures, f"{name}_rows")()
    offset = next(column for column in rows[0] if "offset" in column.lower())
    same, first, second = dict(rows[0]), rows[1], rows[1] | {offset: 10**6}
    alone = {"objective": False} if name == "casme2" else {}
    annotation = annotated(name, tmp_path, [*rows, same, second], **alone)
    keys = list(by_clip(annotated(name, tmp_path / "once", rows)))
    assert list(by_clip(annotation)) == [keys[0], *keys[2:]]
    doubles = [fault for fault in annotation.faults if fault.kind == "duplicate key"]
    dataset = "casme3a" if name == "casme3" else name
    assert [(fault.effect, fault.sample_id) for fault in doubles] == [
        ("noted", f"{dataset}/{keys[0]}"), ("excludes", f"{dataset}/{keys[1]}"),
    ]  # fmt: skip
    assert f"offset {int(first[offset])} or 1000000" in doubles[1].message
    assert list(exclusions(annotation.faults)["sample_id"]) == [f"{dataset}/{keys[1]}"]


@pytest.mark.parametrize("name", LAYOUTS)
def test_stray_rows_are_left_out_and_told(name, tmp_path):
    rows = getattr(miniatures, f"{name}_rows")()
    emotion = next(column for column in rows[0] if "emotion" in column.lower())
    strays = [
        {emotion: "ten in all"},
        {"Subject": rows[0]["Subject"], "Filename": "an other name"},
        {"Subject": "Note: coded by two people"},
    ]
    alone = {"objective": False} if name == "casme2" else {}
    annotation = annotated(name, tmp_path, [*rows, *strays], **alone)
    assert len(annotation.rows) == len(rows)
    told = [fault for fault in annotation.faults if fault.kind == "annotation"]
    assert [fault.effect for fault in told] == ["noted", "excludes", "noted"]
    assert "Subject and Filename are empty, the row is left out" in told[0].message
    assert "an other name" in told[1].message
    assert "one cell alone, the row is left out" in told[2].message


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_missing_or_damaged_file_gives_one_fault_and_no_rows(name, tmp_path):
    damaged = tmp_path / FILES[name]
    for content in (None, b"", b"Subject,Filename\n", b"PK\x03\x04broken"):
        if content is not None:
            damaged.write_bytes(content)
        annotation = LAYOUTS[name].annotate(damaged)
        assert [(fault.effect, fault.kind) for fault in annotation.faults] == [("unusable", "annotation")]
        assert tuple(annotation.rows.columns) == ROW_COLUMNS
        assert annotation.rows.empty


@pytest.mark.parametrize("name", LAYOUTS)
def test_complete_annotations_have_the_published_counts(name, tmp_path):
    annotation = annotated(name, tmp_path, COMPLETE[name]())
    rows = annotation.rows
    expected = {
        "casme2": (255, 26, {"others": 99, "disgust": 63, "happiness": 32, "repression": 27, "surprise": 25,
                             "sadness": 7, "fear": 2}),
        "samm": (159, 29, {"anger": 57, "others": 26, "happiness": 26, "surprise": 15, "contempt": 12, "disgust": 9,
                           "fear": 8, "sadness": 6}),
        "smic": (162, 16, {"negative": 70, "positive": 51, "surprise": 41}),
        "casme3": (687, 87, {"disgust": 247, "surprise": 184, "fear": 83, "anger": 64, "sadness": 55, "happiness": 54}),
    }[name]  # fmt: skip
    assert (len(rows), rows["subject"].nunique(), dict(Counter(rows["emotion"]))) == expected
    assert not (rows["subject"] + "/" + rows["clip"]).duplicated().any()
    assert {fault.effect for fault in annotation.faults} <= {"noted"}


@pytest.mark.parametrize("name", LAYOUTS)
def test_nothing_there(name, tmp_path):
    assert LAYOUTS[name].annotation_files(tmp_path) == []
    assert LAYOUTS[name].image_folders(tmp_path) == {}
    for other in set(LAYOUTS) - {name}:
        getattr(miniatures, other)(tmp_path / "other")
    assert LAYOUTS[name].annotation_files(tmp_path / "other") == []
    assert LAYOUTS[name].image_folders(tmp_path / "other") == {}


# CASME II


def test_casme2_apex_that_is_a_slash(tmp_path):
    annotation = annotated("casme2", tmp_path)
    row = by_clip(annotation)["sub04/EP12_01f"]
    assert pd.isna(row["apex"])
    assert (row["onset"], row["offset"]) == (21, 41)
    [fault] = about(annotation, "casme2/sub04/EP12_01f")
    assert (fault.effect, fault.kind) == ("noted", "frame numbers")
    assert "ApexFrame is '/'" in fault.message
    assert annotation.rows["apex"].notna().sum() == len(annotation.rows) - 1  # the others stay whole numbers


def test_casme2_apex_on_onset_or_offset_is_handed_on(tmp_path):
    rows = by_clip(annotated("casme2", tmp_path))
    assert [rows["sub05/EP09_05f"][name] for name in FRAME_COLUMNS] == [69, 69, 123]
    assert [rows["sub05/EP16_04f"][name] for name in FRAME_COLUMNS] == [5, 12, 12]


def test_casme2_names_repeat_across_subjects(tmp_path):
    keys = by_clip(annotated("casme2", tmp_path)).keys()
    assert {"sub01/EP02_01f", "sub02/EP02_01f"} <= keys
    miniatures.casme2(tmp_path)
    sources = opened("casme2", tmp_path, "raw")
    assert sources["sub01/EP02_01f"].numbers()[0] == 46
    assert sources["sub02/EP02_01f"].numbers()[0] == 3


def test_casme2_names_off_the_pattern(tmp_path):
    odd = ["EP01_2", "EP08_1", "EP06_02_01", "EP06_02_02", "EP09f"]
    rows = [row | {"Filename": name} for row, name in zip(casme2_rows(), odd, strict=False)]
    assert [key.split("/")[1] for key in by_clip(annotated("casme2", tmp_path, rows))] == odd
    miniatures.casme2(tmp_path, rows)
    assert {key.split("/")[1] for key in opened("casme2", tmp_path, "cropped")} == set(odd)


@pytest.mark.parametrize("subject", ["01", 1, 1.0, " 01 ", "sub01"])
def test_casme2_subject_as_text_or_number(tmp_path, subject):
    rows = [casme2_rows()[0] | {"Subject": subject}]
    assert list(by_clip(annotated("casme2", tmp_path, rows))) == ["sub01/EP02_01f"]


def test_casme2_action_units_mix_numbers_and_text(tmp_path):
    units = annotated("casme2", tmp_path).rows["action_units"].tolist()
    assert units == ["12", "4+5", "R12+15", "4", "4+7", "4+9", "1+2", "?", "L14", "1+4"]


def test_casme2_objective_classes_are_joined_by_key(tmp_path):
    plain = by_clip(annotated("casme2", tmp_path / "plain"))
    lines = [("Filename", "Objective Class", "Subject")]
    lines += [(row["Filename"], 1 + number % 7, row["Subject"]) for number, row in enumerate(casme2_rows())]
    annotated("casme2", tmp_path, objective=False)
    write_workbook(tmp_path / miniatures.CASME2_OBJECTIVE_FILE, {"Sheet1": [lines[0], *lines[:0:-1]]})
    shuffled = casme2.annotate(tmp_path / miniatures.CASME2_FILE)
    assert [row["objective_class"] for row in by_clip(shuffled).values()] == list("1234567123")
    assert [row["objective_class"] for row in plain.values()] == list("1234567123")
    assert shuffled.faults[1:] == []


def test_casme2_stray_second_sheet_of_the_objective_classes_is_not_read(tmp_path):
    annotation = annotated("casme2", tmp_path)
    assert len(annotation.faults) == 1  # the apex that is a slash
    assert not annotation.rows["objective_class"].isna().any()


def test_casme2_without_or_with_bad_objective_classes_is_usable(tmp_path):
    assert annotated("casme2", tmp_path / "without", objective=False).rows["objective_class"].isna().all()
    miniatures.casme2(tmp_path, images=False)
    (tmp_path / miniatures.CASME2_OBJECTIVE_FILE).write_bytes(b"no workbook")
    annotation = casme2.annotate(tmp_path / miniatures.CASME2_FILE)
    assert len(annotation.rows) == 10
    assert [fault.effect for fault in annotation.faults] == ["noted", "noted"]
    fewer = [("Subject", "Filename", "Objective Class"), ("01", "EP02_01f", 3), ("44", "EP01_01", 1)]
    write_workbook(tmp_path / miniatures.CASME2_OBJECTIVE_FILE, {"Sheet1": fewer})
    annotation = casme2.annotate(tmp_path / miniatures.CASME2_FILE)
    assert annotation.rows["objective_class"].notna().sum() == 1
    assert annotation.faults[-1].kind == "contradiction"
    assert "do not list the same clips: sub01/EP03_02" in annotation.faults[-1].message


def test_casme2_versions_are_told_by_names_or_by_files(tmp_path):
    miniatures.casme2(tmp_path, images=("raw", "cropped"))
    for old, new in (("CASME2_RAW_selected", "one"), ("Cropped", "two")):
        (tmp_path / old).rename(tmp_path / new)
    assert {version: folder.name for version, folder in casme2.image_folders(tmp_path).items()} == {
        "raw": "one", "cropped": "two",
    }  # fmt: skip


def test_casme2_name_of_a_folder_counts_more_than_names_of_files(tmp_path):
    write_frames(tmp_path / "Cropped/sub01/EP02_01f", "img{}.jpg", [46, 47])
    assert list(casme2.image_folders(tmp_path)) == ["cropped"]


def test_subjects_without_clips_are_no_images(tmp_path):
    for name in ("sub01", "006", "s1", "spNO.1"):
        (tmp_path / name).mkdir()
    assert [layout.image_folders(tmp_path) for layout in LAYOUTS.values()] == [{}] * 4
    miniatures.casme2(tmp_path, images=("raw",))
    assert casme2.image_folders(tmp_path)["raw"].name == "CASME2_RAW_selected"


def test_casme2_selected_frames_are_preferred(tmp_path):
    miniatures.casme2(tmp_path, images=("raw",))
    shutil.copytree(tmp_path / "CASME2_RAW_selected", tmp_path / "CASME2-RAW")
    assert casme2.image_folders(tmp_path)["raw"].name == "CASME2_RAW_selected"


def test_casme2_folders_in_another_case_and_clips_without_a_row(tmp_path):
    annotation = annotated("casme2", tmp_path)
    write_frames(tmp_path / "Cropped/SUB1/ep02_01F", "reg_img{}.jpg", [46, 47])
    write_frames(tmp_path / "Cropped/sub02/EP99_01", "reg_img{}.jpg", [1])
    assert set(opened("casme2", tmp_path, "cropped", annotation.rows)) == {"sub01/EP02_01f", "sub02/EP99_01"}


def test_names_with_blanks_or_slashes_are_excluded(tmp_path):
    rows = [casme2_rows()[0], casme2_rows()[1] | {"Filename": "EP03 02"}, casme2_rows()[2] | {"Filename": "a/b"}]
    annotation = annotated("casme2", tmp_path, rows, objective=False)
    assert len(annotation.rows) == 1
    assert [fault.effect for fault in annotation.faults] == ["excludes"] * 2
    assert list(exclusions(annotation.faults)["sample_id"]) == ["casme2/unknown/row_3", "casme2/unknown/row_4"]


# SAMM


def test_samm_header_is_in_row_14_or_wherever(tmp_path):
    for preface in (13, 0, 20):
        annotation = annotated("samm", tmp_path / str(preface), preface=preface)
        assert annotation.rows["place"].iloc[0] == f"MICRO_ONLY row {preface + 2}"
        assert len(annotation.rows) == 10


@pytest.mark.parametrize("subject", ["006", 6, 6.0, "6"])
def test_samm_subjects_keep_their_zeros(tmp_path, subject):
    rows = [samm_rows()[0] | {"Subject": subject}]
    assert list(by_clip(annotated("samm", tmp_path, rows))) == ["006/006_1_2"]


def test_samm_emotions_in_lower_case_and_other_is_others(tmp_path):
    emotions = set(annotated("samm", tmp_path).rows["emotion"])
    assert emotions == {"anger", "contempt", "happiness", "disgust", "surprise", "others", "fear", "sadness"}


def test_samm_duration_is_not_read(tmp_path):
    """It is a formula; nothing depends on whether its result is stored, or on the column."""
    header = [column if column != "Duration" else None for column in miniatures.SAMM_HEADER]
    with_it, without = annotated("samm", tmp_path / "a"), annotated("samm", tmp_path / "b", header=header)
    pd.testing.assert_frame_equal(with_it.rows, without.rows)
    assert with_it.faults == without.faults == []


def test_samm_action_units_stay_as_they_are(tmp_path):
    units = annotated("samm", tmp_path).rows["action_units"].tolist()
    assert units[1:5] == ["A14C", "R12 or R14", "10A/B", "(R6 or R12)+R15"]


def test_samm_notes_and_objective_classes_are_kept(tmp_path):
    rows = annotated("samm", tmp_path).rows
    assert rows["notes"].dropna().tolist() == ["slight head movement", "blink just before the onset", "eyes move"]
    assert rows["objective_class"].tolist() == ["2", "7", "1", "4", "7", "7", "6", "5", "2", "4"]


def test_samm_copies_without_an_apex_or_with_a_wrong_one(tmp_path):
    """What lies outside of onset and offset is handed on: corrections need the value that a copy holds."""
    rows = samm_rows()
    rows[6]["Apex Frame"], rows[7]["Apex Frame"], rows[3]["Offset Frame"] = None, 4000, "n/a"
    annotation = annotated("samm", tmp_path, rows)
    found = by_clip(annotation)
    assert pd.isna(found["028/028_4_1"]["apex"])
    assert found["032/032_3_1"]["apex"] == 4000
    assert pd.isna(found["013/013_1_9"]["offset"])
    assert "Apex Frame is empty" in about(annotation, "samm/028/028_4_1")[0].message
    assert "Offset Frame is 'n/a'" in about(annotation, "samm/013/013_1_9")[0].message


def test_samm_frames_go_by_the_last_number_of_their_names(tmp_path):
    """Four and five digits are mixed, within one subject and within one clip."""
    miniatures.samm(tmp_path)
    clip = tmp_path / "SAMM/006/006_1_3"
    assert {len(path.stem) for path in clip.iterdir()} == {len("006_9997"), len("006_10001")}
    assert len({len(path.stem) for path in (tmp_path / "SAMM/006/006_1_2").iterdir()}) == 1
    sources = opened("samm", tmp_path, "raw")
    assert sources["006/006_1_3"].numbers().tolist() == list(range(9997, 10007))
    assert sources["006/006_1_2"].numbers().tolist() == list(range(562, 571))
    levels = sources["006/006_1_3"].read().mean(axis=(1, 2, 3))
    assert np.all(np.diff(levels) > 0)  # frame 10000 comes after 9999


def test_samm_subject_that_contradicts_the_name_is_excluded(tmp_path):
    rows = [samm_rows()[0], samm_rows()[1] | {"Subject": "007"}]
    annotation = annotated("samm", tmp_path, rows)
    assert list(by_clip(annotation)) == ["006/006_1_2"]
    assert annotation.faults[0].effect == "excludes"
    assert "Subject is '007', but Filename is '006_1_3'" in annotation.faults[0].message


def test_samm_long_videos_are_no_clips(tmp_path):
    write_frames(tmp_path / "SAMM_longvideos/006_1", "006_1_{:04d}.jpg", [1, 2])
    (tmp_path / "SAMM_LongVideos_V2_Coding.xlsx").touch()
    assert samm.image_folders(tmp_path) == {}
    assert samm.annotation_files(tmp_path) == []


# SMIC


def test_smic_names_are_padded(tmp_path):
    keys = list(by_clip(annotated("smic", tmp_path)))
    assert keys[0] == "s01/s01_ne_01"
    assert keys[-1] == "s20/s20_sur_02"
    odd = [smic_row(1, "S01_NE_1", 10, 5, "negative"), smic_row("s2", "s2_sur_03", 10, 5, "surprise")]
    assert list(by_clip(annotated("smic", tmp_path / "odd", odd))) == ["s01/s01_ne_01", "s02/s02_sur_03"]


@pytest.mark.parametrize("cached", [True, False])
def test_smic_offsets_are_formulas_with_or_without_results(tmp_path, cached):
    annotation = annotated("smic", tmp_path, cached=cached)
    expected = [int(row["OnsetF"]) + row["TotalMF1"] - 1 for row in smic_rows()]
    assert annotation.rows["offset"].tolist() == expected
    computed = [fault for fault in annotation.faults if "OffsetF of 15 rows has no stored result" in fault.message]
    assert len(computed) == (0 if cached else 1)
    assert not [fault for fault in annotation.faults if fault.sample_id and "OffsetF" in fault.message]


def test_smic_offset_that_cannot_be_computed_is_missing(tmp_path):
    rows = [row | {"TotalMF1": None} for row in smic_rows()[:2]]
    annotation = annotated("smic", tmp_path, rows, cached=False)
    assert annotation.rows["offset"].isna().all()
    assert "OffsetF is the formula =D2+K2-1 without a stored result" in annotation.faults[0].message


def test_smic_offset_that_contradicts_the_length_is_told(tmp_path):
    annotation = annotated("smic", tmp_path, [smic_rows()[0] | {"OffsetF": 25300}])
    assert annotation.rows["offset"].tolist() == [25300]
    assert "OffsetF is 25300, but OnsetF + TotalMF1 - 1 is 25205" in about(annotation, "smic/s01/s01_ne_01")[0].message


def test_smic_sheet_of_the_other_camera_is_not_read(tmp_path):
    annotation = annotated("smic", tmp_path)
    assert set(annotation.rows["place"].str.split().str[0]) == {"HS"}
    assert "s08/s08_ne_09" not in by_clip(annotation)  # a row of sheet VIS
    path = tmp_path / miniatures.SMIC_FILE
    header, cells = miniatures.SMIC_HEADER, [8, "s8_ne_09", None, 1, 9, None, None, None, 1, 9, 9, None, 9, "negative"]
    write_workbook(path, {"VIS": [header, cells]})
    assert smic.annotate(path).faults[0].effect == "unusable"


def test_smic_sheet_hs_is_read_where_others_have_the_same_columns(tmp_path):
    header = ["Subject", "Filename", "OnsetF", "OffsetF", "Emotion"]
    sheets = {"Draft": [header, [1, "s1_ne_01", 1, 2, "negative"]], "HS": [header, [1, "s1_ne_01", 10, 15, "negative"]]}
    annotation = smic.annotate(write_workbook(tmp_path / miniatures.SMIC_FILE, sheets))
    assert annotation.rows["onset"].tolist() == [10]
    assert annotation.faults == []


def test_smic_clips_without_a_row_are_found(tmp_path):
    miniatures.smic(tmp_path)
    for version in ("raw", "cropped"):
        sources = opened("smic", tmp_path, version)
        assert {"s01/s01_ne_02", "s02/s02_sur_05"} <= sources.keys()
        assert sources.keys() - by_clip(smic.annotate(tmp_path / miniatures.SMIC_FILE)) == {
            "s01/s01_ne_02", "s02/s02_sur_05",
        }  # fmt: skip


def test_smic_wrong_emotion_is_handed_on_for_the_correction(tmp_path):
    assert by_clip(annotated("smic", tmp_path))["s18/s18_sur_03"]["emotion"] == "negative"


def test_smic_missing_first_frame_is_told(tmp_path):
    annotation = annotated("smic", tmp_path)
    row = by_clip(annotation)["s03/s03_ne_20"]
    assert (row["onset"], row["offset"], row["notes"]) == (426700, 426707, "FirstF: MISSING <-426679")
    assert "FirstF is 'MISSING <-426679'" in about(annotation, "smic/s03/s03_ne_20")[0].message


@pytest.mark.parametrize("cached", [True, False])
def test_smic_second_movements_are_noted(tmp_path, cached):
    annotation = annotated("smic", tmp_path, cached=cached)
    rows = by_clip(annotation)
    if cached:
        assert rows["s20/s20_ne_06"]["notes"] == "second movement 20000020-20000023"
        assert rows["s20/s20_sur_02"]["notes"] == "second movement 20000120-20000124"
        assert rows["s18/s18_sur_03"]["notes"] == "second movement 1849990-1849993"
        assert "Onset2F 1849990 lies before OnsetF 1850000" in about(annotation, "smic/s18/s18_sur_03")[0].message
    else:
        assert rows["s20/s20_ne_06"]["notes"].startswith("second movement, Onset2F is the formula")
    assert rows["s20/s20_ne_06"]["offset"] == 20000015  # the first movement's
    assert pd.isna(rows["s01/s01_ne_01"]["notes"])


def test_smic_clips_that_share_one_extended_clip(tmp_path):
    miniatures.smic(tmp_path)
    annotation = smic.annotate(tmp_path / miniatures.SMIC_FILE)
    for one, two in (("s03_ne_02", "s03_ne_03"), ("s04_ne_05", "s04_ne_06"), ("s09_sur_01", "s09_sur_02")):
        assert by_clip(annotation)[f"{one[:3]}/{one}"]["notes"] == f"extended clip shared with {two}"
        assert f"FirstF and LastF are those of {one}" in about(annotation, f"smic/{two[:3]}/{two}")[0].message
    without = opened("smic", tmp_path, "extended")
    sources = opened("smic", tmp_path, "extended", annotation.rows)
    assert sources.keys() - without.keys() == {"s03/s03_ne_03", "s04/s04_ne_06", "s09/s09_sur_02"}
    assert sources["s03/s03_ne_03"].place == sources["s03/s03_ne_02"].place
    assert sources["s03/s03_ne_02"].numbers().tolist() == list(range(4300, 4336))


def test_smic_clips_are_not_served_by_a_part_of_another_or_by_another_subject(tmp_path):
    rows = smic_rows()[2:4]
    write_frames(tmp_path / "HS_long/SMIC_HS_E/s03/s3_ne_02", "image{:06d}.jpg", range(4300, 4328))
    write_frames(tmp_path / "HS_long/SMIC_HS_E/s04/s4_ne_05", "image{:06d}.jpg", range(4300, 4340))
    annotation = annotated("smic", tmp_path / "annotation", rows)
    assert by_clip(annotation)["s03/s03_ne_03"]["offset"] == 4328  # one frame more than the neighbour holds
    assert set(opened("smic", tmp_path, "extended", annotation.rows)) == {"s03/s03_ne_02", "s04/s04_ne_05"}


def test_smic_frame_numbers_of_six_to_eight_digits(tmp_path):
    miniatures.smic(tmp_path)
    for version in smic.VERSIONS:
        sources = opened("smic", tmp_path, version)
        numbers = sources["s05/s05_sur_01"].numbers()
        assert {999999, 1000000} <= set(numbers.tolist())  # both widths in one clip
        assert np.all(np.diff(numbers) == 1)
        assert sources["s19/s19_po_01"].numbers().max() > 10**7


def test_smic_edited_copy_reads_too(tmp_path):
    """157 rows and 17 columns in the original: five rows are removed, third movements added."""
    assert (
        len([name for name in miniatures.SMIC_EDITED_HEADER if name])
        == len([name for name in miniatures.SMIC_HEADER if name]) + 3
    )
    complete = annotated("smic", tmp_path / "complete", smic_complete(), edited=True)
    assert len(complete.rows) == 157
    rows = smic_rows()
    rows[0] |= {"Onset3F": 25300, "TotalMF3": 4}
    annotation = annotated("smic", tmp_path, rows, edited=True)
    assert not {"s03/s03_ne_03", "s03/s03_ne_20", "s04/s04_ne_06"} & by_clip(annotation).keys()
    assert by_clip(annotation)["s01/s01_ne_01"]["notes"] == "third movement 25300-25303"


def test_smic_apex_where_the_version_of_2019_has_it(tmp_path):
    assert annotated("smic", tmp_path).rows["apex"].isna().all()
    rows = annotated("smic", tmp_path / "2019", apex=True, workbook="SMIC-HS-E_annotation_2019.xlsx").rows
    assert rows["apex"].tolist() == [int(row["OnsetF"]) + 2 for row in smic_rows()]


def test_smic_apex_may_be_empty_but_not_wrong(tmp_path):
    cells = [[1, "s1_ne_01", 10, 15, None, "negative"], [1, "s1_ne_03", 20, 25, "x", "negative"]]
    header = ["Subject", "Filename", "OnsetF", "OffsetF", "ApexF", "Emotion"]
    annotation = smic.annotate(write_workbook(tmp_path / miniatures.SMIC_FILE, {"HS": [header, *cells]}))
    assert annotation.rows["apex"].isna().all()
    assert [fault.sample_id for fault in annotation.faults] == ["smic/s01/s01_ne_03"]
    assert "ApexF is 'x'" in annotation.faults[0].message


def test_smic_other_cameras_are_passed_over(tmp_path):
    for camera in ("VIS", "NIR"):
        folder = tmp_path / f"SMIC_all_raw/{camera}/s1/micro/negative/s1_ne_01"
        write_frames(folder, "image{:06d}.bmp", [1, 2])
    (tmp_path / "SMIC-VIS-E_annotation.xlsx").touch()
    assert smic.image_folders(tmp_path) == {}
    assert smic.annotation_files(tmp_path) == []
    miniatures.smic(tmp_path, images=("raw",))
    assert smic.image_folders(tmp_path)["raw"].name == "HS"


def test_smic_non_micro_clips_are_no_clips(tmp_path):
    miniatures.smic(tmp_path, images=("raw",))
    write_frames(tmp_path / "SMIC_all_raw/HS/s1/non_micro/s1_ne_99", "image{:06d}.bmp", [1, 2])
    assert "s01/s01_ne_99" not in opened("smic", tmp_path, "raw")


def test_smic_versions_are_told_by_names_or_by_files(tmp_path):
    miniatures.smic(tmp_path)
    for number, old in enumerate(("SMIC_all_raw", "SMIC_all_cropped", "HS_long/SMIC_HS_E")):
        (tmp_path / old).rename(tmp_path / str(number))
    found = {version: folder.relative_to(tmp_path).parts[0] for version, folder in smic.image_folders(tmp_path).items()}
    assert found == {"raw": "0", "cropped": "1", "extended": "2"}


def test_smic_extended_clips_sorted_by_class_are_told_by_the_name_of_the_folder(tmp_path):
    write_frames(tmp_path / "HS_long/SMIC_HS_E/s03/micro/negative/s3_ne_03", "image{:06d}.jpg", [4300, 4301])
    assert list(smic.image_folders(tmp_path)) == ["extended"]
    assert list(opened("smic", tmp_path, "extended")) == ["s03/s03_ne_03"]


def test_smic_subject_that_contradicts_the_name_is_excluded(tmp_path):
    annotation = annotated("smic", tmp_path, [smic_row(2, "s1_ne_01", 10, 5, "negative")])
    assert annotation.rows.empty
    assert [fault.effect for fault in annotation.faults] == ["excludes"]


# CAS(ME)^3


def test_casme3_key_is_subject_letter_and_onset(tmp_path):
    rows = by_clip(annotated("casme3", tmp_path))
    assert {"spNO.1/a_10", "spNO.1/a_40", "spNO.2/a_10"} <= rows.keys()


def test_casme3_names_in_any_case(tmp_path):
    rows = [row | {"Subject": row["Subject"].replace("NO", "No"), "Filename": row["Filename"].upper()}
            for row in casme3_rows()]  # fmt: skip
    plain = annotated("casme3", tmp_path / "plain")
    assert list(by_clip(annotated("casme3", tmp_path, rows))) == list(by_clip(plain))
    write_frames(tmp_path / "Part_A_ME_clip/frame/spno.149_D_0112", "{}.jpg", [112, 113])
    write_frames(tmp_path / "part_A/SPNO.149/D/Color", "{}.jpg", range(110, 116))
    rows_of_copy = plain.rows.assign(offset=114)
    assert list(opened("casme3", tmp_path, "clips")) == ["spNO.149/d_112"]
    assert list(opened("casme3", tmp_path, "long", rows_of_copy)) == ["spNO.149/d_112"]


def test_casme3_emotions_in_the_words_of_the_label_rules(tmp_path):
    rows = by_clip(annotated("casme3", tmp_path))
    assert rows["spNO.1/a_40"]["emotion"] == "happiness"
    assert rows["spNO.2/a_10"]["emotion"] == "sadness"
    assert rows["spNO.40/m_3"]["emotion"] == "others"


def test_casme3_frame_numbers_are_handed_on_as_annotated(tmp_path):
    """Apex before onset, apex on the onset, an onset of 0, an offset far away: whoever corrects needs them."""
    rows = by_clip(annotated("casme3", tmp_path))
    found = {key: [rows[key][name] for name in FRAME_COLUMNS] for key in rows}
    assert found["spNO.149/d_112"] == [112, 83, 358]
    assert found["spNO.1/a_40"] == [40, 40, 52]
    assert found["spNO.216/e_0"] == [0, 0, 9]
    assert found["spNO.214/c_5"] == [5, 9, 3460]


def test_casme3_objective_classes_and_odd_action_units_stay_as_they_are(tmp_path):
    rows = annotated("casme3", tmp_path).rows
    assert rows["objective_class"].tolist() == ["III", "I", "VII", "VII", "VII", "VI", "II", "II", "VII"]
    assert rows["action_units"].tolist()[2:7] == ["T28+14", "B28", "T18", "24+T18+16", "T24"]


def test_casme3_list_of_the_htnet_repository_reads_the_same(tmp_path):
    workbook = annotated("casme3", tmp_path / "workbook").rows
    listed = annotated("casme3", tmp_path / "list", listed=True).rows
    compared = [column for column in ROW_COLUMNS if column != "place"]
    kept = workbook[workbook["emotion"] != "others"]
    pd.testing.assert_frame_equal(listed[compared], kept[compared].reset_index(drop=True))
    assert listed["place"].iloc[0] == "line 2"
    complete = annotated("casme3", tmp_path / "complete", casme3_complete(), listed=True).rows
    assert len(complete) == 687
    assert (complete["apex"] == complete["onset"]).sum() == 27
    assert (complete["apex"] < complete["onset"]).sum() == 1


def test_casme3_workbook_comes_before_the_list_and_other_parts_are_no_candidates(tmp_path):
    miniatures.casme3(tmp_path, images=False)
    miniatures.casme3(tmp_path, images=False, listed=True)
    (tmp_path / "cas(me)3_part_A_MaE_label_JpgIndex_v2.xlsx").touch()
    (tmp_path / "cas(me)3_part_C_ME_label.xlsx").touch()
    found = [path.name for path in casme3.annotation_files(tmp_path)]
    assert found == [miniatures.CASME3_FILE, miniatures.CASME3_LIST_FILE]


def test_casme3_row_without_an_onset_has_no_id(tmp_path):
    rows = [casme3_rows()[0], casme3_rows()[1] | {"Onset": "/"}]
    annotation = annotated("casme3", tmp_path, rows)
    assert list(by_clip(annotation)) == ["spNO.1/a_10"]
    assert list(exclusions(annotation.faults)["sample_id"]) == ["casme3a/unknown/row_3"]
    assert "Onset of spNO.1 a is '/'" in annotation.faults[0].message


def test_casme3_long_videos_are_cut_at_onset_and_offset(tmp_path):
    miniatures.casme3(tmp_path)
    annotation = casme3.annotate(tmp_path / miniatures.CASME3_FILE)
    images = casme3.image_folders(tmp_path)
    cut = casme3.sources(images["long"], "long", annotation.rows)
    assert cut["spNO.1/a_10"].numbers().tolist() == list(range(10, 21))
    assert cut["spNO.1/a_40"].numbers().tolist() == list(range(40, 53))
    videos = casme3.long_videos(images["long"], "long")
    assert set(range(5, 21)) | set(range(35, 53)) == set(videos["spNO.1/a"].numbers().tolist())
    assert casme3.long_videos(images["clips"], "clips") == {}


def test_casme3_row_without_an_offset_is_no_cut(tmp_path):
    miniatures.casme3(tmp_path, images=("long",))
    rows = casme3_rows()
    rows[0]["Offset"] = None
    annotation = annotated("casme3", tmp_path / "annotation", rows)
    assert "spNO.1/a_10" not in opened("casme3", tmp_path, "long", annotation.rows)


def test_casme3_depth_and_video_are_no_frames(tmp_path):
    write_frames(tmp_path / "Part_A_ME_clip/depth/spNO.1_a_10", "{}.png", [10, 11])
    write_frames(tmp_path / "Part_A_ME_clip/video/spNO.1_a_10", "{}.png", [10, 11])
    assert casme3.image_folders(tmp_path) == {}
    write_frames(tmp_path / "part_A/spNO.1/a/depth", "{}.png", [10, 11])
    write_frames(tmp_path / "part_A/spNO.1/a/color", "{}.jpg", [10, 12])
    videos = casme3.long_videos(casme3.image_folders(tmp_path)["long"], "long")
    assert videos["spNO.1/a"].numbers().tolist() == [10, 12]


def test_casme3_long_videos_without_a_folder_for_colour_are_read_as_they_lie(tmp_path):
    write_frames(tmp_path / "part_A/spNO.1/a", "{}.jpg", [10, 12])
    videos = casme3.long_videos(casme3.image_folders(tmp_path)["long"], "long")
    assert videos["spNO.1/a"].numbers().tolist() == [10, 12]


def test_lists_for_every_data_set(tmp_path):
    """A workbook saved as a list of comma-separated values reads as well."""
    for name in ("casme2", "samm", "smic"):
        rows = getattr(miniatures, f"{name}_rows")()
        header = list(rows[0])
        cells = [[int(row[key]) if isinstance(row[key], int) else row[key] for key in header] for row in rows]
        path = write_csv(tmp_path / Path(FILES[name]).with_suffix(".csv"), [header, *cells], "utf-8-sig")
        assert LAYOUTS[name].annotation_files(tmp_path) == [path]
        listed = LAYOUTS[name].annotate(path).rows
        workbook = annotated(name, tmp_path / name, **({"objective": False} if name == "casme2" else {})).rows
        compared = [column for column in ROW_COLUMNS if column != "place"]
        pd.testing.assert_frame_equal(listed[compared], workbook[compared])
        path.unlink()
