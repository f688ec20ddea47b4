"""From annotation rows to a samples table: labels, corrections, frame numbers, frames, counts, composites."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mer_lib import datasets
from mer_lib.datasets import labelled
from mer_lib.datasets.faults import Fault, exclusions, fault_table
from mer_lib.datasets.recorded.corrections import corrected
from mer_lib.datasets.recorded.frame_numbers import sensible
from mer_lib.datasets.recorded.frames_of_rows import ranges
from mer_lib.errors import DataError, ParameterError
from mer_lib.manifest import Correction, load_manifest
from tests import miniatures
from tests.miniature_files import write_frames
from tests.miniatures_complete import casme2_complete, casme3_complete, samm_complete, smic_complete

SETS = load_manifest().label_sets
COMPLETE = {
    "casme2": ("CASME2", miniatures.casme2, casme2_complete),
    "samm": ("SAMM", miniatures.samm, samm_complete),
    "smic": ("SMIC", miniatures.smic, smic_complete),
    "casme3": ("CASME3", miniatures.casme3, casme3_complete),
}


@pytest.fixture(scope="module")
def annotations(tmp_path_factory) -> Path:
    """Complete annotations of all four data sets, without images."""
    root = tmp_path_factory.mktemp("annotations")
    for folder, write, rows in COMPLETE.values():
        write(root / folder, rows(), images=False)
    return root


@pytest.fixture(scope="module")
def _clips(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("clips")
    for folder, write, _ in COMPLETE.values():
        write(root / folder)
    return root


@pytest.fixture
def clips(_clips, tmp_path) -> Path:
    """Small copies of all four data sets with images; links, so that a test may change one file."""
    shutil.copytree(_clips, tmp_path / "data")
    return tmp_path / "data"


def row(**cells: object) -> pd.DataFrame:
    """One annotation row."""
    known = {"sample_id": "samm/006/006_1_2", "dataset": "samm", "subject": "006", "clip": "006_1_2", "onset": 10,
             "apex": 15, "offset": 20, "emotion": "anger", "apex_source": "annotated"}  # fmt: skip
    frame = pd.DataFrame([known | cells])
    numbers = dict.fromkeys(("onset", "apex", "offset"), "Int64")
    return frame.astype(dict.fromkeys(set(frame) - numbers.keys(), "string") | numbers)


def messages(faults, kind: str, effect: str | None = None) -> list[str]:
    return [str(fault) for fault in faults if fault.kind == kind and effect in (None, fault.effect)]


# --- faults


def test_faults_are_listed_from_the_worst_on_and_reasons_are_joined():
    faults = [
        Fault("noted", "count", "one"),
        Fault("excludes", "missing clip", "gone", "b/1/x"),
        Fault("excludes", "duplicate key", "twice", "b/1/x"),
        Fault("excludes", "missing clip", "gone", "a/1/x"),
        Fault("unusable", "annotation", "no workbook"),
    ]
    assert fault_table(faults)["message"].tolist() == ["no workbook", "twice", "gone", "gone", "one"]
    assert exclusions(faults).to_numpy().tolist() == [["a/1/x", "gone"], ["b/1/x", "twice; gone"]]
    assert exclusions([]).columns.tolist() == ["sample_id", "reason"]


# --- labels


@pytest.mark.parametrize(
    ("cells", "label", "reason"),
    [
        ({"dataset": "casme2", "emotion": "repression"}, "negative", ""),
        ({"dataset": "casme2", "emotion": "fear"}, None, "fear has no class"),
        ({"dataset": "casme2", "emotion": "joy"}, None, "unknown emotion joy"),
        ({"dataset": "casme2", "emotion": None}, None, "no emotion"),
        ({"dataset": "casme2", "emotion": "disgust", "apex": None}, None, "no apex"),
        ({"dataset": "casme2", "emotion": "disgust", "apex": 10}, None, "apex on the onset"),
        ({"dataset": "casme2", "emotion": "disgust", "apex": 20}, "negative", ""),
        ({"dataset": "samm", "emotion": "fear", "apex": None}, "negative", ""),
        ({"dataset": "smic", "emotion": "positive", "apex": None}, "positive", ""),
    ],
)
def test_the_three_class_rule(cells, label, reason):
    table = labelled(row(**cells), SETS["megc2019"])
    assert (table["label"].tolist(), table["reason"].tolist()) == ([label if label else pd.NA], [reason])


def test_a_label_set_passes_over_data_sets_that_it_has_no_rule_for():
    rows = pd.concat([row(), row(dataset="casme2", sample_id="casme2/sub01/a")])
    assert labelled(rows, SETS["samm_five"])["sample_id"].tolist() == ["samm/006/006_1_2"]


def test_every_label_set_gives_its_published_counts_on_the_complete_annotation(annotations, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(annotations))
    names = {"casme2": "casme2", "samm": "samm", "smic": "smic", "casme3a": "casme3"}
    tables = {part: datasets.load_clips(name).samples for part, name in names.items()}
    checked = []
    for name, label_set in SETS.items():
        for part, rule in label_set.parts.items():
            if rule.counts:
                found = labelled(tables[part], label_set).dropna(subset="label")
                assert found["label"].value_counts().to_dict() == rule.counts[0].classes, (name, part)
                assert found["subject"].nunique() == rule.counts[0].subjects, (name, part)
                checked.append((name, part))
    assert len(checked) == 7


# --- corrections


def correction(**values: object) -> Correction:
    known = {
        "sample_id": "samm/006/006_1_2",
        "field": "apex",
        "old": 15,
        "new": 17,
        "reason": "Why.",
        "source": "Where",
    }
    return Correction.model_validate(known | {"source": "Where"} | values)


@pytest.mark.parametrize(
    ("cells", "values", "expected"),
    [
        ({}, {}, 17),
        ({"apex": 16}, {}, 16),  # another copy: hands off
        ({"apex": None}, {}, None),
        ({"apex": None}, {"old": None}, 17),
        ({"apex": 9}, {"old": None}, 17),  # before the onset
        ({"apex": 21}, {"old": None}, 17),  # after the offset
        ({"apex": 20}, {"old": None}, 20),
        ({"apex": 10}, {"old": None}, 10),
        ({"offset": 5}, {"field": "offset", "old": None, "new": 30}, 30),
        ({"offset": 14}, {"field": "offset", "old": None, "new": 30}, 30),  # before the apex
        ({"apex": None, "offset": 10}, {"field": "offset", "old": None, "new": 30}, 30),  # on the onset
        ({"apex": 20}, {"field": "offset", "old": None, "new": 30}, 20),
        ({}, {"field": "offset", "old": None, "new": 30}, 20),
        ({"emotion": "fear"}, {"field": "emotion", "old": "fear", "new": "anger"}, "anger"),
        ({}, {"sample_id": "samm/007/x"}, 15),
    ],
)
def test_a_correction_mends_only_what_it_says(cells, values, expected):
    rule = correction(**values)
    before = row(**cells)
    after, faults = corrected(before, [rule])
    value = after[rule.field].iloc[0]
    assert value is pd.NA if expected is None else value == expected
    changed = not after[rule.field].equals(before[rule.field])
    assert len(faults) == changed
    assert after["apex_source"].tolist() == ["corrected" if changed and rule.field == "apex" else "annotated"]
    if changed:
        assert str(rule.new) in faults[0].message
        assert "Why. Source: Where" in faults[0].message


def test_a_correction_of_the_project_reaches_the_samples_table(clips, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(clips))
    smic = datasets.load_clips("smic").samples.set_index("sample_id")
    assert smic.at["smic/s18/s18_sur_03", "label3"] == "surprise"
    rows = miniatures.casme3_rows()
    miniatures.casme3(clips / "CASME3", rows)
    whole = datasets.load_clips("casme3").annotation.set_index("sample_id")
    assert (whole.at["casme3a/spNO.149/d_112", "apex"], whole.at["casme3a/spNO.149/d_112", "apex_source"]) == (
        123,
        "corrected",
    )
    for other in rows:
        if other["Subject"] == "spNO.149":
            other["Apex"] = 118
    miniatures.casme3(clips / "CASME3", rows)
    mine = datasets.load_clips("casme3").samples.set_index("sample_id")
    assert mine.at["casme3a/spNO.149/d_112", "apex"] == 118
    assert mine.at["casme3a/spNO.149/d_112", "apex_source"] == "annotated"


# --- frame numbers


@pytest.mark.parametrize(
    ("cells", "expected", "effect"),
    [
        ({}, (10, 15, 20), None),
        ({"apex": 20}, (10, 20, 20), None),
        ({"apex": 10}, (10, 10, 20), "noted"),
        ({"apex": 9}, (10, None, 20), "noted"),
        ({"apex": 21}, (10, None, 20), "noted"),
        ({"onset": 20}, (None, None, None), "excludes"),
        ({"onset": 25}, (None, None, None), "excludes"),
        ({"onset": 25, "apex": 25}, (None, None, None), "excludes"),
        ({"onset": -1}, (None, None, None), "excludes"),
        ({"onset": None, "offset": None, "apex": None}, (None, None, None), None),
        ({"onset": None}, (None, 15, 20), None),
    ],
)
def test_frame_numbers_that_cannot_be(cells, expected, effect):
    rows, faults = sensible(row(**cells))
    values = tuple(None if pd.isna(value) else value for value in rows[["onset", "apex", "offset"]].iloc[0])
    assert values == expected
    assert [fault.effect for fault in faults] == ([effect] if effect else [])
    assert pd.isna(rows["apex_source"].iloc[0]) == (expected[1] is None)


def test_ranges_are_short():
    assert ranges([]) == ""
    assert ranges([5]) == "5"
    assert ranges([1, 2, 4, 5, 6, 9]) == "1-2, 4-6, 9"


# --- whole data sets


def test_the_composite_on_the_complete_annotation(annotations, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(annotations))
    data = datasets.load_clips("megc2019")
    assert (data.images, data.has_frames) == (None, False)
    samples = data.samples
    table = samples.groupby("dataset")["label3"].value_counts().unstack()[["negative", "positive", "surprise"]]
    assert table.to_numpy().tolist() == [[88, 32, 25], [92, 26, 15], [70, 51, 43]]
    assert samples.groupby("dataset")["subject"].nunique().to_dict() == {"casme2": 24, "samm": 28, "smic": 16}
    assert not samples["sample_id"].isin(["casme2/sub04/EP12_01f", "casme2/sub05/EP09_05f"]).any()
    assert {"smic/s01/s01_ne_02", "smic/s02/s02_sur_05"} <= set(samples["sample_id"])
    report = datasets.check("megc2019")
    assert (report.status, report.exit_code) == ("annotation only", 1)
    assert messages(report.faults, "count") == []
    assert report.counts["samples"].to_dict() == {"casme2": 145, "samm": 133, "smic": 164, "all": 442}


def test_a_composite_counts_its_own_classes_and_not_the_rows_of_its_parts(annotations, tmp_path, monkeypatch):
    shutil.copytree(annotations, tmp_path / "data")
    monkeypatch.setenv("MER_DATA_ROOT", str(tmp_path / "data"))
    rows = casme2_complete()
    rows.remove(next(row for row in rows if row["Estimated Emotion"] == "others"))
    miniatures.casme2(tmp_path / "data/CASME2", rows, images=False)
    assert messages(datasets.check("casme2").faults, "count") != []
    assert messages(datasets.check("megc2019").faults, "count") == []


@pytest.mark.parametrize(
    ("name", "rows", "subjects"), [("casme2", 255, 26), ("samm", 159, 29), ("smic", 164, 16), ("casme3", 687, 87)]
)
def test_a_complete_annotation_without_images_is_a_data_set(annotations, monkeypatch, name, rows, subjects):
    monkeypatch.setenv("MER_DATA_ROOT", str(annotations))
    data = datasets.load_clips(name)
    assert (len(data.samples), data.samples["subject"].nunique(), data.has_frames) == (rows, subjects, False)
    assert "annotation without images" in data.label
    with pytest.raises(DataError, match="the annotation alone"):
        data.frames(data.samples["sample_id"][0])
    report = datasets.check(name)
    assert (report.status, report.exit_code, report.images) == ("annotation only", 1, None)
    assert messages(report.faults, "count") == []
    assert report.counts.at["all", "samples"] == rows
    offers = {p.name: (p.present, p.offers) for p in datasets.available()}
    assert offers[name] == (True, frozenset())


def test_subjects_and_clips_are_written_as_in_the_published_list(real_root, annotations, monkeypatch):
    published = datasets.load("megc2019_flow", real_root).samples
    monkeypatch.setenv("MER_DATA_ROOT", str(annotations))
    mine = datasets.load_clips("megc2019").samples
    patterns = load_manifest().entry("megc2019").parts
    for table in (published, mine):
        for name, part in patterns.items():
            assert table.loc[table["dataset"] == name, "subject"].map(part.owns).all()
    smic = [
        set(t.loc[t["dataset"] == "smic", "sample_id"].str.replace(r"\d+", "0", regex=True)) for t in (published, mine)
    ]
    assert smic[0] == smic[1]


def test_a_check_compares_the_composite_with_the_published_list_clip_by_clip(annotations, tmp_path, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(annotations))
    samples = datasets.load_clips("megc2019").samples
    code = {"negative": 0, "positive": 1, "surprise": 2}
    lines = [f"{r.dataset},{r.subject},{r.clip},{code[r.label3]},,x.jpg," for r in samples.itertuples()]
    changed = lines[3].split(",")
    changed[3] = str((int(changed[3]) + 1) % 3)
    header = "dataset,sub,filename_o,label,apex,imagename,sub_filename"
    root = tmp_path / "data"
    root.mkdir()
    for folder in ("CASME2", "SAMM", "SMIC"):
        (root / folder).symlink_to(annotations / folder)
    (root / "HTNet").mkdir()
    (root / "HTNet/combined_3_class2_for_optical_flow.csv").write_text("\n".join([header, *lines]))
    monkeypatch.setenv("MER_DATA_ROOT", str(root))
    assert messages(datasets.check("megc2019").faults, "contradiction") == []
    (root / "HTNet/combined_3_class2_for_optical_flow.csv").write_text(
        "\n".join([header, *lines[:3], ",".join(changed), *lines[5:]])
    )
    told = messages(datasets.check("megc2019").faults, "contradiction")
    assert [line.split(": ")[0] for line in told] == samples["sample_id"][3:5].tolist()
    assert "the published list says nothing" in told[1]


@pytest.mark.parametrize(("name", "images"), [
    ("casme2", "raw"), ("casme2", "cropped"), ("samm", "raw"), ("smic", "raw"), ("smic", "cropped"),
    ("smic", "extended"), ("casme3", "clips"), ("casme3", "long"),
])  # fmt: skip
def test_frames_of_every_version_are_read_by_their_own_numbers(clips, monkeypatch, name, images):
    monkeypatch.setenv("MER_DATA_ROOT", str(clips))
    data = datasets.load_clips(name, images=images)
    assert data.images == images
    assert f"{images} images" in data.label
    usable = data.samples.dropna(subset=["onset", "offset"])
    assert len(usable) >= 5
    for sample in usable.itertuples():
        numbers = data.frame_numbers(sample.sample_id)
        assert sample.onset in numbers
        assert sample.offset in numbers
        assert sample.n_frames == len(numbers)
        frames = data.frames(sample.sample_id, [0, 0])
        assert frames.shape[0] == 2
        assert frames.shape[3] == 3
        assert frames.dtype == np.uint8
    annotated = usable.dropna(subset="apex")
    for sample in annotated.itertuples():
        moments = data.moments(sample.sample_id)
        assert data.frame_numbers(sample.sample_id)[list(moments)].tolist() == [
            sample.onset,
            sample.apex,
            sample.offset,
        ]
        streamed = list(data.stream(sample.sample_id, moments.onset, moments.onset + 2))
        assert (np.stack(streamed) == data.frames(sample.sample_id, [moments.onset, moments.onset + 1])).all()


def test_the_same_samples_come_out_of_every_version_of_the_images(clips, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(clips))
    columns = ["sample_id", "onset", "apex", "offset", "label3", "action_units"]
    for name, versions in {"casme2": ("raw", "cropped"), "smic": ("raw", "cropped")}.items():
        first, second = (datasets.load_clips(name, images=version).samples[columns] for version in versions)
        pd.testing.assert_frame_equal(first, second)


def test_long_videos_of_casme3_say_what_happens_in_them(clips, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(clips))
    data = datasets.load_clips("casme3", images="long")
    assert "casme3a/spNO.2/a" in set(data.videos["sample_id"])
    events = data.intervals()
    assert set(events["sample_id"]) <= set(data.videos["sample_id"])
    of_one = events[events["sample_id"] == "casme3a/spNO.2/a"]
    rows = data.samples[data.samples["subject"] == "spNO.2"]
    assert of_one["onset"].tolist() == rows["onset"].tolist()
    assert (of_one["kind"] == "micro").all()
    assert (data.videos["fps"] == 30).all()
    assert len(data.frames("casme3a/spNO.2/a", [0])) == 1
    assert datasets.load_clips("casme3", images="clips").intervals().empty
    digest = data.digest
    (clips / "CASME3/part_A/data/part_A/spNO.2/a/color/5.jpg").unlink()  # before the first movement
    assert datasets.load_clips("casme3", images="long").digest != digest


def test_a_recorded_clip_has_no_truth_and_smic_has_no_apex(clips, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(clips))
    data = datasets.load_clips("smic")
    name = data.samples["sample_id"][0]
    assert data.samples["apex"].isna().all()
    assert data.samples["apex_source"].isna().all()
    with pytest.raises(DataError, match="apex is not annotated"):
        data.moments(name)
    with pytest.raises(DataError, match="truth is not known"):
        data.truth(name)


def test_an_unknown_version_of_the_images_is_named(clips, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(clips))
    with pytest.raises(ParameterError, match="expected one of raw, cropped, got 'colour'"):
        datasets.load_clips("casme2", images="colour")
    shutil.rmtree(clips / "CASME2/Cropped")
    with pytest.raises(DataError, match="no cropped images"):
        datasets.load_clips("casme2", images="cropped")


# --- damage


def clip_folder(clips: Path) -> Path:
    return clips / "CASME2/CASME2_RAW_selected/sub01/EP02_01f"


DAMAGE = {
    "no folder": lambda folder: _remove(folder),
    "no apex frame": lambda folder: (folder / "img50.jpg").unlink(),
    "no onset frame": lambda folder: (folder / "img46.jpg").unlink(),
    "empty apex frame": lambda folder: (folder / "img50.jpg").write_bytes(b""),
    "text for an apex frame": lambda folder: (folder / "img50.jpg").write_text("no picture"),
    "cut apex frame": lambda folder: (folder / "img50.jpg").write_bytes((folder / "img50.jpg").read_bytes()[:-30]),
    "all frames empty": lambda folder: [file.write_bytes(b"") for file in folder.iterdir()],
}


def _remove(folder: Path) -> None:
    shutil.rmtree(folder)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_clip_is_excluded_by_check_and_by_loading_alike(clips, monkeypatch, damage):
    monkeypatch.setenv("MER_DATA_ROOT", str(clips))
    before = datasets.load_clips("casme2")
    digest = before.digest
    DAMAGE[damage](clip_folder(clips))
    after, report = datasets.load_clips("casme2"), datasets.check("casme2")
    lost = set(before.samples["sample_id"]) - set(after.samples["sample_id"])
    assert lost == {"casme2/sub01/EP02_01f"}
    assert after.exclusions["sample_id"].tolist() == ["casme2/sub01/EP02_01f"]
    assert report.status == "usable with exclusions"
    assert set(exclusions(report.faults)["sample_id"]) == lost
    assert after.label.endswith(", 1 excluded")
    assert lost < set(after.annotation["sample_id"])
    assert after.digest != digest
    with pytest.raises(DataError, match="it is excluded"):
        after.frames("casme2/sub01/EP02_01f")


def test_damage_between_the_key_frames_is_noted_and_found_by_a_check(clips, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(clips))
    (clip_folder(clips) / "img47.jpg").unlink()
    (clip_folder(clips) / "img48.jpg").unlink()
    (clip_folder(clips) / "img52.jpg").write_text("no picture")
    report = datasets.check("casme2")
    assert messages(report.faults, "missing frames", "noted") == ["casme2/sub01/EP02_01f: 2 frames are missing: 47-48"]
    assert "img52.jpg" in messages(report.faults, "unreadable image", "noted")[0]
    assert not any(fault.effect == "excludes" for fault in report.faults)


def test_a_clip_that_breaks_off_ends_with_its_last_frame(clips, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(clips))
    for number in (55, 56):
        (clip_folder(clips) / f"img{number}.jpg").unlink()
    data = datasets.load_clips("casme2")
    assert data.samples.set_index("sample_id").at["casme2/sub01/EP02_01f", "offset"] == 54
    assert "54" in messages(data.faults, "missing frames", "noted")[0]


def test_frames_without_a_row_and_unknown_emotions_are_told(clips, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(clips))
    rows = miniatures.casme2_rows()
    rows[0]["Estimated Emotion"] = "Joy"
    miniatures.casme2(clips / "CASME2", rows[:-1], images=False)
    report = datasets.check("casme2")
    assert messages(report.faults, "unknown emotion") == [
        "casme2/sub01/EP02_01f: unknown emotion joy: expected one that the label rules know"
    ]
    assert messages(report.faults, "extra clip") == [
        "1 clips have frames but no row in the annotation: casme2/sub26/EP09f"
    ]
    assert "casme2/sub26/EP09f" not in set(datasets.load_clips("casme2").annotation["sample_id"])


def test_two_rows_that_differ_exclude_their_clip_and_are_counted(clips, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(clips))
    rows = miniatures.casme2_rows()
    miniatures.casme2(clips / "CASME2", [*rows, rows[0] | {"ApexFrame": 51}], images=False)
    report = datasets.check("casme2")
    assert len(messages(report.faults, "duplicate key", "excludes")) == 1
    assert report.counts["excluded"].tolist() == [1, 1]
    assert messages(report.faults, "extra clip") == []
    assert "casme2/sub01/EP02_01f" not in set(datasets.load_clips("casme2").samples["sample_id"])


def test_smic_without_a_workbook_takes_classes_from_names_and_moments_from_files(clips, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(clips))
    with_rows = datasets.load_clips("smic").samples.set_index("sample_id")
    (clips / "SMIC" / miniatures.SMIC_FILE).unlink()
    data = datasets.load_clips("smic")
    alone = data.samples.set_index("sample_id")
    assert alone["label3"].to_dict() == with_rows["label3"].to_dict()
    assert alone["onset"].to_dict() == with_rows["onset"].to_dict()
    assert messages(data.faults, "annotation", "noted")


def test_images_without_an_annotation_cannot_be_used(clips, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(clips))
    (clips / "CASME2" / miniatures.CASME2_FILE).unlink()
    report = datasets.check("casme2")
    assert (report.status, report.exit_code) == ("unusable", 2)
    with pytest.raises(DataError, match="CASME2-coding"):
        datasets.load_clips("casme2")


def test_a_composite_is_there_only_if_all_of_it_is(clips, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(clips))
    _remove(clips / "SAMM")
    assert not next(p for p in datasets.available() if p.name == "megc2019").present
    with pytest.raises(DataError, match="there is no samm"):
        datasets.load_clips("megc2019")


def test_a_composite_excludes_only_what_it_would_have_used(clips, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(clips))
    _remove(clips / "CASME2/CASME2_RAW_selected/sub01")  # EP02_01f: happiness, EP03_02: others
    data = datasets.load_clips("megc2019")
    assert data.exclusions["sample_id"].tolist() == ["casme2/sub01/EP02_01f"]
    assert data.label.endswith(", 1 excluded")


def test_a_composite_excludes_clips_of_which_nobody_can_say_whether_it_would_have_used_them(clips, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(clips))
    rows = miniatures.casme2_rows()
    rows[0]["Estimated Emotion"], rows[2]["Estimated Emotion"] = "hapiness", None
    miniatures.casme2(clips / "CASME2", [*rows, rows[6] | {"ApexFrame": 11}], images=False)
    excluded = datasets.load_clips("casme2").exclusions["sample_id"].tolist()
    assert excluded == ["casme2/sub01/EP02_01f", "casme2/sub02/EP02_01f", "casme2/sub05/EP16_04f"]
    assert datasets.load_clips("megc2019").exclusions["sample_id"].tolist() == excluded
    assert datasets.check("megc2019").counts["excluded"].tolist() == [3, 0, 0, 3]


def test_a_composite_names_a_clip_whose_frame_numbers_cannot_be(clips, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(clips))
    rows = miniatures.casme2_rows()
    rows[0]["OnsetFrame"] = 60  # a happiness that starts after its offset
    miniatures.casme2(clips / "CASME2", rows, images=False)
    data = datasets.load_clips("megc2019")
    assert data.exclusions["sample_id"].tolist() == ["casme2/sub01/EP02_01f"]
    assert "casme2/sub04/EP12_01f" not in set(data.exclusions["sample_id"])  # no apex: dropped by the rule


def test_counts_are_compared_with_the_known_editions(clips, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(clips))
    miniatures.casme2(clips / "CASME2", casme2_complete()[:-1], images=False)
    told = messages(datasets.check("casme2").faults, "count")
    lost = casme2_complete()[-1]["Estimated Emotion"]
    expected = load_manifest().entry("casme2").editions[0].emotions[lost]
    assert told[0] == "254 annotated clips, but known editions have 255 (coding of 2014-05-08)"
    assert told[1] == f"emotions, beside coding of 2014-05-08: {lost} {expected - 1} (expected {expected})"
    assert all(line.startswith("label set ") for line in told[2:])


# --- a folder somewhere


def test_a_path_names_a_licensed_data_set_wherever_it_lies(clips, tmp_path):
    (clips / "SAMM").rename(tmp_path / "some where")
    data = datasets.load_clips(str(tmp_path / "some where"))
    assert (data.name, data.samples["dataset"].unique().tolist()) == ("samm", ["samm"])
    assert datasets.check(str(tmp_path / "some where")).name == "samm"


def test_a_data_set_is_found_in_a_folder_of_any_name_below_the_root(clips, monkeypatch):
    (clips / "CASME2").rename(clips / "downloaded last year")
    monkeypatch.setenv("MER_DATA_ROOT", str(clips))
    places = {p.name: p.path for p in datasets.available()}
    assert places["casme2"] == clips / "downloaded last year"
    assert places["samm"] == clips / "SAMM"


@pytest.mark.parametrize("name", ["./nothing", "~/no such folder/at all"])
def test_a_path_to_nothing_is_an_error(name):
    with pytest.raises(DataError, match="expected a folder"):
        datasets.load_clips(name)


def test_an_empty_folder_and_a_file_are_errors(tmp_path):
    with pytest.raises(DataError, match="got none of them"):
        datasets.check(str(tmp_path))
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(DataError, match="got a file"):
        datasets.check(str(tmp_path / "file.txt"))


# --- what is taken


def test_best_takes_what_is_needed(clips, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(clips))
    assert datasets.best() is None  # recorded clips have no flow maps
    assert datasets.best(need="frames").name == "megc2019"
    assert datasets.best(need="truth") is None
    _remove(clips / "SAMM/SAMM")
    assert datasets.best(need="frames").name == "casme2"  # a composite has frames only where all of its parts have
    with pytest.raises(DataError, match="has recorded clips and no flow maps"):
        datasets.load("casme2")


def test_present_opens_each_sample_once(clips, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(clips))
    assert [data.name for data in datasets.present()] == ["casme2", "samm", "smic", "casme3"]
    _remove(clips / "SMIC")
    assert [data.name for data in datasets.present("real", need="frames")] == ["casme2", "samm", "casme3"]
    _remove(clips / "SAMM/SAMM")
    assert [data.name for data in datasets.present("real", need="frames")] == ["casme2", "casme3"]
    assert datasets.present("synthetic") == []


def test_somebodys_own_clips_are_called_by_their_folder(tmp_path):
    write_frames(tmp_path / "friends/anna/smile", "img{}.png", range(1, 5))
    data = datasets.load_clips(tmp_path / "friends")
    assert data.label == "1 recorded clip (friends)"
    assert data.samples["sample_id"].tolist() == ["friends/anna/smile"]
