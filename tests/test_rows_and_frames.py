"""What the rows of an annotation and the frames on the disk make of each other, clip by clip."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mer_lib import datasets
from mer_lib.errors import DataError, ParameterError
from tests import miniatures
from tests.miniature_files import write_frames

CLIP = "casme2/sub01/EP02_01f"  # frames 46 to 56, apex 50


@pytest.fixture
def casme2(tmp_path, monkeypatch) -> Path:
    """A small copy of CASME II."""
    monkeypatch.setenv("MER_DATA_ROOT", str(tmp_path))
    return miniatures.casme2(tmp_path / "CASME2", images=["raw"])


@pytest.fixture
def smic(tmp_path, monkeypatch) -> Path:
    """The annotation of a small copy of SMIC."""
    monkeypatch.setenv("MER_DATA_ROOT", str(tmp_path))
    return miniatures.smic(tmp_path / "SMIC", images=False)


def own(tmp_path: Path, listed: str = "") -> str:
    """A folder of one clip of five frames, 3 missing."""
    write_frames(tmp_path / "mine/smile", "img{}.png", [1, 2, 4, 5])
    if listed:
        (tmp_path / "mine/clips.csv").write_text(listed)
    return str(tmp_path / "mine")


def told(faults, kind: str, effect: str = "noted") -> list[str]:
    return [str(fault) for fault in faults if (fault.kind, fault.effect) == (kind, effect)]


def keep(folder: Path, numbers: range) -> None:
    """Remove all frames of the clip but these."""
    for file in (folder / "CASME2_RAW_selected/sub01/EP02_01f").iterdir():
        if int(file.stem.removeprefix("img")) not in numbers:
            file.unlink()


# --- frames that are missing


@pytest.mark.parametrize("last", [46, 49])
def test_a_clip_that_breaks_off_before_its_apex_is_excluded(casme2, last):
    keep(casme2, range(46, last + 1))
    data = datasets.load_clips("casme2")
    assert data.exclusions["sample_id"].tolist() == [CLIP]
    assert "key frames are missing: 50, 56" in data.exclusions["reason"][0]


def test_a_clip_of_which_only_the_onset_is_left_is_excluded(casme2):
    rows = miniatures.casme2_rows()
    rows[0]["ApexFrame"] = "/"
    miniatures.casme2(casme2, rows, images=False)
    keep(casme2, range(46, 47))
    assert datasets.load_clips("casme2").exclusions["sample_id"].tolist() == [CLIP]


def test_a_missing_key_frame_is_told_once(casme2):
    keep(casme2, range(47, 56))
    (casme2 / "CASME2_RAW_selected/sub01/EP02_01f/img52.jpg").unlink()
    faults = datasets.check("casme2").faults
    assert told(faults, "missing frames", "excludes") == [
        f"{CLIP}: key frames are missing: 46 (the clip has 47-51, 53-55)"
    ]
    assert told(faults, "missing frames")[-1] == f"{CLIP}: 1 frames are missing: 52"


def test_gaps_of_a_clip_without_moments_are_told_and_its_first_frame_is_read(tmp_path):
    name = own(tmp_path)
    assert told(datasets.load_clips(name).faults, "missing frames") == ["mine/unknown/smile: 1 frames are missing: 3"]
    (tmp_path / "mine/smile/img1.png").write_bytes(b"")
    with pytest.raises(DataError, match="is an empty file"):
        datasets.load_clips(name)
    report = datasets.check(name)
    assert (report.status, report.exit_code) == ("unusable", 2)  # none of its clips can be used


def test_what_is_left_out_of_a_clip_is_told_once(casme2):
    write_frames(casme2 / "CASME2_RAW_selected/sub01/EP02_01f", "cover{}.jpg", ["_"])
    assert len(told(datasets.check("casme2").faults, "file")) == 1


# --- sizes


def test_frames_of_another_size_than_the_data_set_was_recorded_in_are_told_by_a_check(casme2, monkeypatch):
    (message,) = told(datasets.check("casme2").faults, "odd size")
    assert message == (
        "10 of 10 clips have 8x6 pixels, expected 640x480: casme2/sub01/EP02_01f, casme2/sub01/EP03_02, "
        "casme2/sub02/EP01_2 and 7 more"
    )
    assert told(datasets.load_clips("casme2").faults, "odd size") == []  # quick: it decodes nothing for that
    text = (Path(__file__).parents[1] / "data_manifest.yaml").read_text()
    (casme2.parent / "manifest.yaml").write_text(text.replace("{raw: [640, 480]}", "{raw: [8, 6]}"))
    monkeypatch.setenv("MER_MANIFEST", str(casme2.parent / "manifest.yaml"))
    assert told(datasets.check("casme2").faults, "odd size") == []


def test_data_of_one_version_have_none_to_choose():
    with pytest.raises(ParameterError, match="no versions of its images"):
        datasets.check("toy_flow", images="raw")
    with pytest.raises(ParameterError, match="no versions of its images"):
        datasets.load_clips("synthetic_demo", images="raw")


# --- rows


def test_samples_are_sorted_by_their_ids(casme2):
    names = datasets.load_clips("casme2").samples["sample_id"].tolist()
    assert names == sorted(names)


def test_action_units_that_are_none_are_told(casme2):
    rows = miniatures.casme2_rows()
    rows[0]["Action Units"] = "12+eyes"
    miniatures.casme2(casme2, rows, images=False)
    (message,) = told(datasets.load_clips("casme2").faults, "annotation")
    assert message.startswith(f"{CLIP}: action units '12+eyes'")


def test_only_folders_that_are_cut_at_onset_and_offset_tell_them(casme2):
    rows = miniatures.casme2_rows()
    rows[0] |= {"OnsetFrame": None, "ApexFrame": None, "OffsetFrame": None}
    miniatures.casme2(casme2, rows, images=False)
    sample = datasets.load_clips("casme2").samples.iloc[0]
    assert (sample["sample_id"], sample["n_frames"]) == (CLIP, 11)
    assert sample[["onset", "apex", "offset"]].isna().all()


def test_own_emotions_need_no_rule_but_those_of_licensed_data_do(tmp_path):
    data = datasets.load_clips(own(tmp_path, "clip,emotion\nsmile,Schadenfreude\n"))
    assert data.samples["emotion"].tolist() == ["schadenfreude"]
    assert data.samples["label3"].isna().all()
    assert data.exclusions.empty


def test_smic_without_an_emotion_takes_the_class_of_the_name(smic):
    rows = miniatures.smic_rows()
    rows[0]["Emotion"] = None
    miniatures.smic(smic, rows, images=False)
    data = datasets.load_clips("smic")
    assert data.samples.set_index("sample_id").at["smic/s01/s01_ne_01", "label3"] == "negative"
    (message,) = told(data.faults, "contradiction")
    assert "the row says nothing, the name of the clip negative" in message
    assert [line.split(":")[0] for line in told(data.faults, "correction")] == ["smic/s18/s18_sur_03"]


def test_a_forgotten_clip_that_has_a_row_is_not_added_again(smic):
    rows = [*miniatures.smic_rows(), miniatures.smic_row(1, "s1_ne_02", 25301, 6, "negative")]
    miniatures.smic(smic, rows, images=False)
    data = datasets.load_clips("smic")
    assert data.samples["sample_id"].is_unique
    assert [line.split(":")[0] for line in told(data.faults, "extra clip")] == ["smic/s02/s02_sur_05"]


def test_a_forgotten_clip_has_moments_only_where_its_folder_is_cut(smic):
    name = "smic/s01/s01_ne_02"
    folder = "{}/s1/micro/negative/s1_ne_02"
    write_frames(smic / folder.format("SMIC_all_raw/HS"), "image{:06d}.bmp", [25301])
    single = datasets.load_clips("smic").annotation.set_index("sample_id").loc[name]
    assert single[["onset", "offset"]].isna().all()  # of one frame nothing follows
    write_frames(smic / folder.format("SMIC_all_raw/HS"), "image{:06d}.bmp", [25301, 25302, 25303])
    cut = datasets.load_clips("smic").annotation.set_index("sample_id").loc[name]
    assert cut[["onset", "offset"]].tolist() == [25301, 25303]
    write_frames(smic / "HS_long/SMIC_HS_E/s01/s1_ne_02", "image{:06d}.jpg", [25291, 25292, 25293])
    longer = datasets.load_clips("smic", images="extended").samples.set_index("sample_id").loc[name]
    assert longer[["onset", "offset"]].isna().all()
    assert longer["n_frames"] == 3


def test_a_long_video_without_frames_is_told_and_left_out(tmp_path, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(tmp_path))
    color = miniatures.casme3(tmp_path / "CASME3", images=["long"]) / "part_A/data/part_A/spNO.2/a/color"
    for file in color.iterdir():
        file.unlink()
    data = datasets.load_clips("casme3")
    assert len(told(data.faults, "unreadable video")) == 1
    assert "casme3a/spNO.2/a" not in set(data.videos["sample_id"])
    assert data.exclusions["sample_id"].tolist() == ["casme3a/spNO.149/d_112", "casme3a/spNO.2/a_10"]
    assert pd.notna(data.videos["n_frames"]).all()
