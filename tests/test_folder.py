"""Somebody's own recordings: what is a clip, whose it is, and what the list beside them says."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pandas as pd
import pytest

from mer_lib.datasets.annotation.table import ROW_COLUMNS, Annotation
from mer_lib.datasets.faults import EFFECTS, KINDS
from mer_lib.datasets.frames.images import ImageFolder
from mer_lib.datasets.frames.video import VideoFile
from mer_lib.datasets.layouts import folder
from tests.recordings import hole, write_images, write_video

FRAMES = ("img1.png", "img2.png", "img3.png")


@pytest.fixture
def own(tmp_path) -> Path:
    """Clips in all four forms, without a list: two of nobody known, three of anna, one of ben."""
    top = tmp_path / "own"
    write_video(top / "clip1.mp4", 6, rate=100)
    write_images(top / "clip2", FRAMES)
    write_video(top / "anna/clip 3.MOV", 6, rate=100)
    write_images(top / "anna/clip4", FRAMES)
    write_images(top / "anna/clip4.v2", FRAMES)
    write_video(top / "ben/clip4.avi", 6, rate=100, codec="mjpeg", pixels="yuvj420p")
    return top


def annotate(top: Path, text: str | bytes | None = None, name: str = "list.csv") -> Annotation:
    """Read a folder, with a list of this content where one is given; what holds of every answer is checked."""
    if text is not None:
        (top / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    annotation = folder.annotate(top)
    assert tuple(annotation.rows.columns) == (*ROW_COLUMNS, "gender", "fps")
    assert not annotation.rows.duplicated(["subject", "clip"]).any()
    assert all(fault.effect in EFFECTS and fault.kind in KINDS for fault in annotation.faults)
    assert not any("\n" in fault.message for fault in annotation.faults)
    return annotation


def keys(annotation: Annotation) -> list[str]:
    return sorted(annotation.rows["subject"] + "/" + annotation.rows["clip"])


def said(annotation: Annotation, *kinds: str) -> list[str]:
    """Messages of faults of these kinds, all of which let the data set be used."""
    assert not any(fault.effect == "unusable" for fault in annotation.faults), annotation.faults
    return [fault.message for fault in annotation.faults if fault.kind in kinds]


def unusable(annotation: Annotation) -> str:
    (message,) = [fault.message for fault in annotation.faults if fault.effect == "unusable"]
    return message


def row(annotation: Annotation, key: str) -> pd.Series:
    table = annotation.rows
    return table[table["subject"] + "/" + table["clip"] == key].iloc[0]


# -- clips ------------------------------------------------------------------------------------------------------------


def test_every_clip_is_a_row_without_a_list(own) -> None:
    annotation = annotate(own)
    assert keys(annotation) == [
        "anna/clip4", "anna/clip4.v2", "anna/clip_3", "ben/clip4", "unknown/clip1", "unknown/clip2",
    ]  # fmt: skip
    assert annotation.rows[["onset", "emotion", "gender"]].isna().all(axis=None)
    assert annotation.file == own
    assert row(annotation, "ben/clip4")["fps"] == 100
    assert pd.isna(row(annotation, "unknown/clip2")["fps"])
    (message,) = said(annotation, "odd frame rate")
    assert "3 clips have no known frame rate" in message
    assert "anna/clip4, anna/clip4.v2, clip2" in message


def test_sources_are_those_of_the_rows(own) -> None:
    annotation = annotate(own)
    sources = folder.sources(own, annotation.rows)
    assert sorted(sources) == keys(annotation)
    assert {key: type(source) for key, source in sources.items()}["anna/clip_3"] is VideoFile
    assert isinstance(sources["unknown/clip2"], ImageFolder)
    assert all(source.check("own/a/b") == [] for source in sources.values())
    assert [len(sources[key].numbers()) for key in ("unknown/clip1", "anna/clip4")] == [6, 3]
    assert list(folder.sources(own, annotation.rows.iloc[:1])) == keys(annotation._replace(rows=annotation.rows[:1]))


def test_a_folder_is_known_by_its_clips_and_nothing_is_opened(own, tmp_path, monkeypatch) -> None:
    def refuse(*_):
        raise AssertionError("a file was opened")

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert folder.is_folder(own)
    assert folder.is_folder(own / "anna")
    assert not folder.is_folder(own / "clip2")  # images without a folder of their own
    for name in ("none", "empty", "file"):
        if name == "empty":
            (tmp_path / name).mkdir()
        if name == "file":
            (tmp_path / name).touch()
        assert not folder.is_folder(tmp_path / name)


def test_frames_with_a_preview_are_a_clip_and_clips_with_a_portrait_a_subject(tmp_path) -> None:
    write_images(tmp_path / "clip1", FRAMES)
    write_video(tmp_path / "clip1/preview.mp4", 2)
    write_images(tmp_path / "anna", ["portrait1.jpg"])
    write_video(tmp_path / "anna/clip2.mp4", 2)
    write_images(tmp_path / "anna/clip3", FRAMES)
    write_video(tmp_path / "anna/morning/clip4.mp4", 2)
    write_images(tmp_path, ["cover1.jpg"])
    annotation = annotate(tmp_path)
    assert keys(annotation) == ["anna/clip2", "anna/clip3", "unknown/clip1"]
    (message,) = said(annotation, "file")
    for part in ("1 images that lie in no folder", "1 videos and folders in clip1", "1 images in anna", "anna/morning"):
        assert part in message


def test_litter_and_loops_are_no_clips(own) -> None:
    for name in (".hidden.mp4", "._clip1.mp4", "Thumbs.db", "notes.txt"):
        (own / name).touch()
    (own / ".trash").mkdir()
    write_video(own / ".trash/clip.mp4", 2)
    (own / "loop").symlink_to(own / "loop")
    (own / "again").symlink_to(own)  # the folder itself, as if it were a subject
    (own / "anna/up").symlink_to(own)
    found = keys(annotate(own))
    assert not any("hidden" in key or "trash" in key or "loop" in key for key in found)
    assert {"anna/clip4", "unknown/clip1"} <= set(found)


def test_names_become_ids_without_blanks_and_slashes(tmp_path) -> None:
    write_video(tmp_path / "Anna  K./my clip.mp4", 2)
    write_images(tmp_path / os.fsdecode(b"\xff\xfe"), FRAMES)
    annotation = annotate(tmp_path, "clip;subject\nmy clip;a/b c\n")
    assert keys(annotation) == ["a_b_c/my_clip", "unknown/��"]
    assert all(key.encode("utf-8") for key in keys(annotation))
    assert len(folder.sources(tmp_path, annotation.rows)) == 2


def test_letters_written_in_two_ways_are_the_same(tmp_path) -> None:
    write_video(tmp_path / "Zoe\u0308.mp4", 2)  # as some systems store it: letter and dots apart
    annotation = annotate(tmp_path, "clip,emotion\nZo\u00eb,fear\n")
    assert row(annotation, "unknown/Zo\u00eb")["emotion"] == "fear"
    assert said(annotation, "missing clip") == []


def test_two_clips_of_one_id_are_told_and_the_first_is_kept(tmp_path) -> None:
    for name in ("my clip.mp4", "my_clip.mp4", "my_clip.mov"):
        write_video(tmp_path / name, 2)
    annotation = annotate(tmp_path)
    assert keys(annotation) == ["unknown/my_clip"]
    assert folder.sources(tmp_path, annotation.rows)["unknown/my_clip"].place.endswith("my clip.mp4")
    messages = said(annotation, "duplicate key")
    assert len(messages) == 2
    assert all("left out: my clip.mp4 has its id unknown/my_clip too" in message for message in messages)


# -- the list ---------------------------------------------------------------------------------------------------------

COMPLETE = """clip,subject,onset,apex,offset,emotion,gender,fps,action_units
clip1,ben,1,3,5,Happy,M,100,6+12
clip2/,,2,,3, Sadness ,female,200,
anna/clip 3.MOV,carla,1,2,3,other,,,R12 or R14
"""


def test_a_list_says_what_is_known_of_each_clip(own) -> None:
    annotation = annotate(own, COMPLETE)
    assert annotation.file == own / "list.csv"
    assert len(annotation.rows) == 6
    first = row(annotation, "ben/clip1")
    assert first[["onset", "apex", "offset"]].tolist() == [1, 3, 5]
    assert first[["emotion", "gender", "action_units", "fps"]].tolist() == ["happiness", "male", "6+12", 100]
    assert first["place"] == "list.csv line 2"
    second = row(annotation, "unknown/clip2")
    assert second[["emotion", "gender", "fps"]].tolist() == ["sadness", "female", 200]
    assert pd.isna(second["apex"])
    third = row(annotation, "carla/clip_3")
    assert third[["emotion", "action_units"]].tolist() == ["others", "R12 or R14"]
    assert third["fps"] == 100
    (message,) = said(annotation, "extra clip")
    assert "3 clips have no line in list.csv: anna/clip4, anna/clip4.v2, ben/clip4.avi" in message
    assert said(annotation, "annotation", "missing clip", "duplicate key", "frame numbers") == []


@pytest.mark.parametrize(
    "content",
    [
        COMPLETE.encode(),
        COMPLETE.encode("utf-8-sig"),
        COMPLETE.encode("utf-16"),
        COMPLETE.replace(",", ";").encode(),
        COMPLETE.replace(",", "\t").encode(),
        COMPLETE.replace("\n", "\r\n").encode(),
        ("\n\n" + COMPLETE + ",,,,,,,,\n\n").encode(),
        COMPLETE.replace("clip,subject", " Clip ,SUBJECT").replace("action_units", "Action Units").encode(),
        COMPLETE.replace("anna/clip 3.MOV", "ANNA\\clip 3").encode(),
        COMPLETE.replace("anna/clip 3.MOV", "./clip 3.mov").encode(),
    ],
)
def test_lists_are_read_as_programs_and_people_write_them(content, own) -> None:
    expected = annotate(own, COMPLETE).rows.drop(columns="place")
    annotation = annotate(own, content)
    pd.testing.assert_frame_equal(annotation.rows.drop(columns="place"), expected)
    assert said(annotation, "annotation", "missing clip") == []


def test_columns_come_in_any_order_and_all_but_the_clip_may_lack(own) -> None:
    annotation = annotate(own, "emotion,clip\nsurprise,clip2\n")
    assert row(annotation, "unknown/clip2")["emotion"] == "surprise"
    assert keys(annotate(own, "clip\nclip2\n")) == keys(annotation)
    assert annotate(own, "clip\n").file == own / "list.csv"


def test_a_line_without_a_file_is_told_with_the_nearest_name(own) -> None:
    annotation = annotate(own, "clip,subject,emotion\nclipp1.mp4,ben,anger\ndora/x.avi,,fear\n")
    assert {"ben/clipp1", "dora/x"} <= set(keys(annotation))
    assert not {"ben/clipp1", "dora/x"} & set(folder.sources(own, annotation.rows))
    first, second = said(annotation, "missing clip")
    assert "list.csv line 2: there is no video or folder of images 'clipp1.mp4'; is it 'clip1.mp4'?" in first
    assert "line 3" in second


def test_one_name_of_two_clips_is_decided_by_the_subject_or_told(own) -> None:
    annotation = annotate(own, "clip,subject,emotion\nclip4,ben,anger\n")
    assert row(annotation, "ben/clip4")["emotion"] == "anger"
    assert pd.isna(row(annotation, "anna/clip4")["emotion"])
    annotation = annotate(own, "clip,emotion\nclip4,anger\n")
    assert annotation.rows["emotion"].isna().all()
    (message,) = said(annotation, "annotation")
    assert "'clip4' can mean anna/clip4, ben/clip4.avi" in message


def test_two_lines_of_one_clip_count_once_or_not_at_all(own) -> None:
    annotation = annotate(own, "clip,emotion\nclip1,anger\nclip1.mp4,anger\nclip2,fear\nclip2,sad\n")
    assert row(annotation, "unknown/clip1")["emotion"] == "anger"
    assert pd.isna(row(annotation, "unknown/clip2")["emotion"])
    same, differ = said(annotation, "duplicate key")
    assert "clip1.mp4 has 2 lines (list.csv line 2, list.csv line 3); they say the same" in same
    assert "they differ, so none of them is taken" in differ


def test_cells_that_cannot_be_are_told_and_taken_as_empty(own) -> None:
    annotation = annotate(own, "clip,onset,apex,fps\nclip1,/,2.5,0\nclip2,1.0,-,fast\n,3,4,5\n")
    assert row(annotation, "unknown/clip1")[["onset", "apex"]].isna().all()
    assert row(annotation, "unknown/clip2")["onset"] == 1
    messages = said(annotation, "frame numbers")
    assert "list.csv line 2, clip1: onset is '/': expected a whole number, taken as not given" in messages
    assert len(messages) == 3
    rates = said(annotation, "odd frame rate")
    assert "list.csv line 2, clip1: fps is '0': expected a number above 0, taken as not given" in rates
    assert any("fps is 'fast'" in message for message in rates)
    assert "list.csv line 4 names no clip: it is left out" in said(annotation, "annotation")


def test_the_frame_rate_of_a_video_is_its_own(own) -> None:
    annotation = annotate(own, 'clip,fps\nclip1,25\nclip2,"59,94"\nclip 3,100.5\n')
    assert row(annotation, "unknown/clip1")["fps"] == 100
    assert row(annotation, "unknown/clip2")["fps"] == 59.94
    assert row(annotation, "anna/clip_3")["fps"] == 100
    differs, slow, none = said(annotation, "odd frame rate")
    assert differs == "clip1.mp4: the list says 25 frames a second, the video 100: the latter is taken"
    assert "1 clips have fewer than 60 frames a second" in slow
    assert "clip2 (59.94)" in slow
    assert "2 clips have no known frame rate" in none


@pytest.mark.parametrize(("header", "hint"), [("clips,onset", "is it 'clips'?"), ("file,emotion", "names the video")])
def test_a_list_whose_column_clip_is_renamed_is_unusable(header, hint, own) -> None:
    message = unusable(annotate(own, f"{header}\nclip1,2\n"))
    assert "list.csv: column 'clip' is missing among " + header.replace(",", ", ") in message
    assert hint in message


def test_other_renamed_columns_are_told(own) -> None:
    annotation = annotate(own, "clip,emotions,remark,onset,onset\nclip1,anger,x,1,2\n")
    renamed, twice = sorted(said(annotation, "annotation"))[::-1]
    assert {renamed, twice} == {
        "list.csv: column 'emotions' is not read; is it 'emotion'?",
        "list.csv: column 'onset' is there twice, the first is read",
    }
    assert row(annotation, "unknown/clip1")["onset"] == 1


def test_two_lists_are_unusable_and_lists_of_something_else_are_left_alone(own) -> None:
    (own / "gender.csv").write_text("subject,gender\nanna,female\n")
    (own / "shopping.csv").write_text("what,how much\nmilk,2\n")
    (own / "empty.csv").write_text(" \n")
    assert annotate(own).file == own
    assert said(annotate(own), "annotation") == []
    assert annotate(own, "clip\nclip1\n").file == own / "list.csv"
    message = unusable(annotate(own, "clip\nclip1\n", "other.csv"))
    assert "expected one list with a column 'clip', got list.csv, other.csv" in message


BROKEN = {
    "empty": Path.touch,
    "zeros": lambda path: path.write_bytes(bytes(1000)),
    "picture": lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(100)),
    "hole": hole,
    "loop": lambda path: path.symlink_to(path),
    "pipe": os.mkfifo,
    "gone": lambda path: path.symlink_to(path.with_name("nowhere")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_list_that_cannot_be_read_is_told_at_once(name, own) -> None:
    BROKEN[name](own / "list.csv")
    started = time.monotonic()
    annotation = annotate(own)
    assert "list.csv" in unusable(annotation)
    assert len(annotation.rows) == 6
    (own / "other.csv").write_text("clip\nclip1\n")
    assert "if it is no list" in said(annotate(own), "annotation")[0]
    assert time.monotonic() - started < 3


def test_broken_clips_are_rows_and_their_sources_tell(own) -> None:
    (own / "broken.mp4").write_text("no video")
    hole(own / "hole.mkv")
    (own / "empty").mkdir()
    (own / "zeros").mkdir()
    (own / "zeros/img1.jpg").touch()
    os.mkfifo(own / "pipe.avi")
    annotation = annotate(own)
    sources = folder.sources(own, annotation.rows)
    for key in ("unknown/broken", "unknown/hole", "unknown/zeros", "unknown/pipe"):
        assert [fault.effect for fault in sources[key].check("own/a/b")] == ["excludes"]
    assert "unknown/empty" not in sources
    assert any("broken.mp4" in message for message in said(annotation, "odd frame rate"))
