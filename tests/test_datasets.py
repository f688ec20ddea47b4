"""Reading both published layouts, naming every fault, and the toy data set."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import f1_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from mer_lib.datasets import CLASSES, available, check, check_samples, load, qualified_subjects, toy
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.datasets.maps import decode_map
from mer_lib.errors import DataError, ParameterError
from mer_lib.manifest import Manifest, load_manifest

REPOSITORY = Path(__file__).resolve().parents[1]
LIST = "combined_3_class2_for_optical_flow.csv"
MAPS = "STSNet_whole_norm_u_v_os"
HEADER = "dataset,sub,filename_o,label,apex,imagename,sub_filename"
CODE = {name: str(code) for code, name in enumerate(CLASSES)}

# Two sub-datasets share the clip name EP01 and every sub-dataset has two subjects.
ROWS = [
    ("casme2", "sub01", "EP01", "negative"),
    ("casme2", "sub01", "EP02_01f", "positive"),
    ("casme2", "sub02", "EP01", "surprise"),
    ("samm", "006", "006_1_2", "negative"),
    ("samm", "007", "007_1_2", "surprise"),
    ("smic", "s01", "s01_ne_01", "negative"),
    ("smic", "s02", "s02_sur_01", "surprise"),
]


def pixels_of(row: int) -> np.ndarray:
    """A map (u, v, strain) that differs in every sample and channel."""
    return np.random.default_rng(row).integers(0, 256, (28, 28, 3), dtype=np.uint8)


def save(path: Path, uvs: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), uvs[..., ::-1])


def manifest_of(rows=ROWS) -> Manifest:
    """The project's manifest, expecting `rows` from both layouts."""
    table = pd.DataFrame(rows, columns=["dataset", "subject", "clip", "label"])
    parts = {}
    for name, group in table.groupby("dataset"):
        classes = {label: int((group["label"] == label).sum()) for label in CLASSES}
        parts[name] = {"subjects": group["subject"].nunique(), **classes}
    subjects = sum(part["subjects"] for part in parts.values())
    content = load_manifest(REPOSITORY / "data_manifest.yaml").model_dump()
    for entry in content["datasets"][:2]:
        entry["expected"] = {"samples": len(rows), "subjects": subjects, "parts": parts}
        entry["parts"] = {name: entry["parts"][name] for name in parts}
    return Manifest.model_validate(content)


def write_list(folder: Path, lines: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LIST).write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")


def list_lines(rows=ROWS) -> list[str]:
    return [f"{d},{s},{c},{CODE[label]},,{s}_{c}.jpg," for d, s, c, label in rows]


@pytest.fixture
def repository(tmp_path) -> Path:
    """A miniature of the HTNet repository's layout, whole."""
    folder = tmp_path / "megc2019_flow"
    write_list(folder, list_lines())
    for number, (_, subject, clip, _) in enumerate(ROWS):
        save(folder / MAPS / f"{subject}_{clip} .png", pixels_of(number))
    return folder


@pytest.fixture
def folds(tmp_path) -> Path:
    """The same samples in the layout of STSTNet's authors, whole."""
    folder = tmp_path / "megc2019_flow_ststnet"
    for fold in {subject for _, subject, _, _ in ROWS}:
        for number, (_, subject, clip, label) in enumerate(ROWS):
            role = "u_test" if subject == fold else "u_train"
            save(folder / fold / role / CODE[label] / f"{subject}_{clip} .png", pixels_of(number))
    # Git and zip keep no empty folder, so a fold may lack a class, as the published ones do.
    return folder


def faults_of(name: str, root: Path) -> list[str]:
    """All faults, which `check` and `load` must agree on."""
    report = check(name, root, manifest_of())
    told = [fault.message for fault in report.faults]
    if any(fault.effect == "unusable" for fault in report.faults):
        assert (report.status, report.exit_code) == ("unusable", 2)
        with pytest.raises(DataError) as caught:
            load(name, root, manifest_of())
        assert all(fault.message in str(caught.value) for fault in report.faults if fault.effect == "unusable")
    else:
        assert (report.status, report.exit_code) == ("usable with exclusions", 1)
        assert load(name, root, manifest_of()).exclusions["reason"].tolist() == sorted(told)
    return told


def load_mini(root: Path, name: str = "megc2019_flow") -> FlowMapDataset:
    return load(name, root, manifest_of())


# --- the published maps


def test_real_counts_are_those_of_the_challenge(real_root):
    samples = load("megc2019_flow", real_root).samples
    table = samples.groupby("dataset")["label3"].value_counts().unstack()[list(CLASSES)]
    assert table.to_numpy().tolist() == [[88, 32, 25], [92, 26, 15], [70, 51, 43]]
    assert table.index.tolist() == ["casme2", "samm", "smic"]
    subjects = qualified_subjects(samples)
    assert subjects.nunique() == 68
    assert samples.groupby("dataset")["subject"].nunique().tolist() == [24, 28, 16]
    per_subject = subjects.value_counts()
    assert (per_subject.min(), per_subject.median(), per_subject.max()) == (1, 4, 39)


def test_real_data_check_as_present(real_root):
    report = check("megc2019_flow", real_root)
    assert (report.status, report.faults, report.how_to_obtain) == ("usable", (), None)
    assert report.counts.loc["all"].tolist() == [68, 250, 109, 83, 442, 0]
    assert report.counts.loc["smic"].tolist() == [16, 70, 51, 43, 164, 0]


def test_real_samples_carry_what_is_known_and_no_more(real_root):
    samples = load("megc2019_flow", real_root).samples.set_index("dataset")
    assert samples.loc["casme2", "fps"].unique().tolist() == [200]
    assert samples.loc["samm", "fps"].unique().tolist() == [200]
    assert samples.loc["smic", "fps"].unique().tolist() == [100]
    assert samples.loc["smic", "apex_source"].unique().tolist() == ["spotted"]
    assert samples.loc[["casme2", "samm"], "apex_source"].unique().tolist() == ["annotated"]
    assert samples[["onset", "apex", "offset", "n_frames", "emotion", "gender"]].isna().all(axis=None)
    assert {"006", "007"} <= set(samples.loc["samm", "subject"])


def test_real_maps_equal_an_independent_reading_by_the_list(real_root):
    dataset = load("megc2019_flow", real_root)
    table = pd.read_csv(real_root / "megc2019_flow" / LIST, dtype=str)
    table["sample_id"] = table["dataset"] + "/" + table["sub"] + "/" + table["filename_o"]
    assert sorted(table["sample_id"]) == dataset.samples["sample_id"].tolist()
    some = table.sample(40, random_state=7)
    for row in some.itertuples():
        strain_v_u = cv2.imread(str(real_root / "megc2019_flow" / MAPS / f"{row.sub}_{row.filename_o} .png"))
        np.testing.assert_array_equal(dataset.maps([row.sample_id])[0], strain_v_u[..., ::-1])
        assert dataset.labels([row.sample_id])[0] == int(row.label)


def test_real_channels_are_u_v_strain(real_root):
    """Grey values of one known clip, read by Pillow as red, green, blue: a swap of channels shows at once."""
    red, green, blue = GOLDEN_MEANS
    uvs = load("megc2019_flow", real_root).maps(["casme2/sub01/EP02_01f"])[0]
    assert uvs.mean(axis=(0, 1)) == pytest.approx([red, green, blue])
    image = Image.open(real_root / "megc2019_flow" / MAPS / "sub01_EP02_01f .png")
    np.testing.assert_array_equal(uvs, np.asarray(image))
    # Strain is non-negative with few peaks, so its stretched map is the darkest over all samples.
    overall = load("megc2019_flow", real_root).maps().mean(axis=(0, 1, 2))
    assert overall == pytest.approx(GOLDEN_OVERALL)


def test_a_clone_of_the_public_repository_serves_as_root_and_below_it(real_root, tmp_path):
    flat = real_root / "megc2019_flow"
    clone = tmp_path / "HTNet"
    (clone / "datasets").mkdir(parents=True)
    shutil.copy(flat / LIST, clone / LIST)
    (clone / "datasets" / MAPS).symlink_to(flat / MAPS, target_is_directory=True)
    wanted = load("megc2019_flow", real_root).digest
    assert load("megc2019_flow", clone).digest == wanted
    assert load("megc2019_flow", tmp_path).digest == wanted


def test_real_folds_collapse_to_the_same_samples(real_root, tmp_path):
    """Three real subjects, one a sub-dataset, rearranged as STSTNet's authors publish them."""
    whole = load("megc2019_flow", real_root)
    wanted = whole.samples[whole.samples["subject"].isin(["sub01", "006", "s02"])]
    rows = list(wanted[["dataset", "subject", "clip", "label3"]].itertuples(index=False, name=None))
    for fold in ("sub01", "006", "s02"):
        for _, subject, clip, label in rows:
            role = "u_test" if subject == fold else "u_train"
            target = tmp_path / "norm_u_v_os" / fold / role / CODE[label] / f"{subject}_{clip} .png"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(real_root / "megc2019_flow" / MAPS / target.name, target)
    got = load("megc2019_flow_ststnet", tmp_path, manifest_of(rows))
    assert len(got.samples) == len(rows)
    pd.testing.assert_frame_equal(got.samples, wanted.reset_index(drop=True))
    np.testing.assert_array_equal(got.maps(), whole.maps(wanted["sample_id"].tolist()))


# --- one repository's layout


def test_a_whole_repository_loads_by_id(repository, tmp_path):
    dataset = load_mini(tmp_path)
    assert dataset.samples["sample_id"].is_monotonic_increasing
    for number, (part, subject, clip, label) in enumerate(ROWS):
        key = f"{part}/{subject}/{clip}"
        np.testing.assert_array_equal(dataset.maps([key])[0], pixels_of(number))
        assert CLASSES[dataset.labels([key])[0]] == label
    assert dataset.label == "7 real flow maps (MEGC2019 composite)"


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_rows_change_neither_digest_nor_maps(repository, tmp_path, seed):
    before = load_mini(tmp_path)
    lines = list_lines()
    np.random.default_rng(seed).shuffle(lines)
    write_list(repository, lines)
    after = load_mini(tmp_path)
    assert after.digest == before.digest
    pd.testing.assert_frame_equal(after.samples, before.samples)
    np.testing.assert_array_equal(after.maps(), before.maps())


def test_the_blank_before_the_dot_is_optional(repository, tmp_path):
    before = load_mini(tmp_path).digest
    for path in (repository / MAPS).iterdir():
        path.rename(path.with_name(path.name.replace(" .png", ".png")))
    assert load_mini(tmp_path).digest == before


def test_a_list_saved_by_a_spreadsheet_with_byte_order_mark_and_litter_beside_maps_is_fine(repository, tmp_path):
    text = (repository / LIST).read_text(encoding="utf-8")
    (repository / LIST).write_text(text.replace("\n", "\r\n"), encoding="utf-8-sig", newline="")
    (repository / MAPS / ".DS_Store").touch()
    (repository / MAPS / "Thumbs.db").touch()
    assert check("megc2019_flow", tmp_path, manifest_of()).status == "usable"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("casme2,sub03,EP01,0,,x.jpg,", "sub03_EP01 .png: file is missing"),
        ("casme3,sub03,EP01,0,,x.jpg,", "line 9: dataset is 'casme3', expected one of casme2, samm, smic"),
        ("samm,6,006_1_3,0,,x.jpg,", "line 9: subject of samm is '6'"),
        ("casme2,s01,EP03,0,,x.jpg,", "line 9: subject of casme2 is 's01'"),
        ("casme2,sub01,,0,,x.jpg,", "line 9: clip of casme2/sub01 has no name"),
    ],
)
def test_a_faulty_row_is_named(repository, tmp_path, line, told):
    write_list(repository, [*list_lines(), line])
    assert any(told in fault for fault in faults_of("megc2019_flow", tmp_path))


@pytest.mark.parametrize("label", "012")
def test_a_repeated_row_is_named_once_and_the_first_counts(repository, tmp_path, label):
    write_list(repository, [*list_lines(), f"casme2,sub01,EP01,{label},,x.jpg,"])
    assert faults_of("megc2019_flow", tmp_path) == [f"{LIST} line 9: sub01_EP01 is already in line 2"]


@pytest.mark.parametrize("label", ["3", "-1", "", "1.0", "negative"])
def test_a_label_outside_the_map_is_named(repository, tmp_path, label):
    lines = list_lines()
    lines[1] = lines[1].replace(",1,,", f",{label},,")
    write_list(repository, lines)
    faults = faults_of("megc2019_flow", tmp_path)
    assert f"{LIST} line 3: label of sub01_EP02_01f is {label!r}, expected one of 0, 1, 2" in faults
    assert "casme2: expected 1 positive, got 0" in faults
    assert len(faults) == 2


def test_a_label_that_contradicts_the_clip_name_is_named(repository, tmp_path):
    write_list(repository, [line.replace("s02_sur_01,2", "s02_sur_01,0") for line in list_lines()])
    told = f"{LIST} line 8: s02_s02_sur_01: the label says negative, but the clip's name says surprise"
    assert told in faults_of("megc2019_flow", tmp_path)


def test_missing_and_extra_files_are_named_and_nothing_else(repository, tmp_path):
    (repository / MAPS / "sub01_EP01 .png").unlink()
    save(repository / MAPS / "sub09_EP09 .png", pixels_of(99))
    save(repository / MAPS / "006_006_1_2.png", pixels_of(98))
    (repository / MAPS / "notes.txt").touch()
    assert sorted(faults_of("megc2019_flow", tmp_path)) == [
        "006_006_1_2.png: extra file, '006_006_1_2 .png' is the same clip",
        "notes.txt: extra file, expected only .png files among the maps",
        f"sub01_EP01 .png: file is missing, though {LIST} has a row for it",
        f"sub09_EP09 .png: file without a row in {LIST}",
    ]


def damaged_images() -> dict[str, bytes]:
    def png(array: np.ndarray, suffix: str = ".png") -> bytes:
        return cv2.imencode(suffix, array)[1].tobytes()

    whole = png(pixels_of(0))
    return {
        "empty": b"",
        "text": b"version https://git-lfs.github.com/spec/v1",
        "cut": whole[: len(whole) // 2],
        "one flipped bit": whole[:900] + bytes([whole[900] ^ 1]) + whole[901:],
        "jpeg": png(pixels_of(0), ".jpg"),
        "32 rows": png(np.zeros((32, 28, 3), np.uint8)),
        "27 columns": png(np.zeros((28, 27, 3), np.uint8)),
        "grey": png(np.zeros((28, 28), np.uint8)),
        "alpha": png(np.zeros((28, 28, 4), np.uint8)),
        "16 bit": png(np.zeros((28, 28, 3), np.uint16)),
    }


@pytest.mark.parametrize("damage", damaged_images())
def test_an_image_that_is_not_28_by_28_rgb_is_named(repository, tmp_path, damage):
    (repository / MAPS / "sub01_EP01 .png").write_bytes(damaged_images()[damage])
    faults = faults_of("megc2019_flow", tmp_path)
    assert len(faults) == 1
    assert faults[0].startswith("sub01_EP01 .png: ")
    assert "readable PNG" in faults[0] or "expected 28x28 pixels in RGB" in faults[0]


def test_no_damage_changes_a_pixel_in_silence():
    """Every cut and every flipped bit is refused, but for the last chunk, which holds no data."""
    uvs = load("toy_flow").maps()[0]
    whole = cv2.imencode(".png", uvs[..., ::-1])[1].tobytes()
    np.testing.assert_array_equal(decode_map(whole), uvs)
    for place in range(0, len(whole) - 12, 3):
        flipped = whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :]
        for damaged_file in (whole[:place], flipped):
            with pytest.raises(DataError, match="damaged"):
                decode_map(damaged_file)


def test_counts_are_compared_part_by_part(repository, tmp_path):
    write_list(repository, list_lines(ROWS[:-1]))
    (repository / MAPS / "s02_s02_sur_01 .png").unlink()
    assert faults_of("megc2019_flow", tmp_path) == [
        "smic: expected 2 subjects, got 1",
        "smic: expected 1 surprise, got 0",
        "all: expected 6 subjects, got 5",
        "all: expected 7 samples, got 6",
    ]


def test_faults_of_every_sort_come_at_once(repository, tmp_path):
    lines = list_lines()
    lines[0] = lines[0].replace(",0,,", ",7,,")
    write_list(repository, [*lines, lines[3]])
    (repository / MAPS / "006_006_1_2 .png").write_bytes(b"broken")
    (repository / MAPS / "007_007_1_2 .png").unlink()
    save(repository / MAPS / "stray .png", pixels_of(0))
    told = "\n".join(faults_of("megc2019_flow", tmp_path))
    for words in (
        "label of sub01_EP01",
        "already in line 5",
        "readable PNG",
        "file is missing",
        "without a row",
    ):
        assert words in told


@pytest.mark.parametrize("missing", [LIST, MAPS])
def test_half_a_repository_is_a_mismatch_told_in_one_line(repository, tmp_path, missing):
    target = repository / missing
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    told = [fault for fault in faults_of("megc2019_flow", tmp_path) if "is missing" in fault]
    assert len(told) == 1
    assert missing in told[0]


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00", b'dataset,sub\n"open\n1,2,3'])
def test_an_unreadable_list_is_told_not_raised(repository, tmp_path, content):
    (repository / LIST).write_bytes(content)
    assert any(fault.startswith(LIST) for fault in faults_of("megc2019_flow", tmp_path))


# --- the layout of folds


def test_folds_collapse_to_one_row_a_sample(repository, folds, tmp_path):
    one, other = load_mini(tmp_path), load_mini(tmp_path, "megc2019_flow_ststnet")
    assert len(list(folds.rglob("*.png"))) == len(ROWS) * 6
    pd.testing.assert_frame_equal(one.samples, other.samples)
    assert one.digest == other.digest


def test_fold_files_without_the_blank_are_the_same_samples(folds, tmp_path):
    before = load_mini(tmp_path, "megc2019_flow_ststnet").digest
    for path in (folds / "006").rglob("*.png"):
        path.rename(path.with_name(path.name.replace(" .png", ".png")))
    assert load_mini(tmp_path, "megc2019_flow_ststnet").digest == before


def move_class(folds: Path) -> None:
    (folds / "006/u_train/2").mkdir(exist_ok=True)
    (folds / "006/u_train/0/sub01_EP01 .png").rename(folds / "006/u_train/2/sub01_EP01 .png")


def change_copy(folds: Path) -> None:
    save(folds / "006/u_train/0/sub01_EP01 .png", pixels_of(77))


def foreign_test_file(folds: Path) -> None:
    (folds / "006/u_train/0/sub01_EP01 .png").rename(folds / "006/u_test/0/sub01_EP01 .png")


def untested(folds: Path) -> None:
    (folds / "sub01/u_test/0/sub01_EP01 .png").unlink()


def trained_in_own_fold(folds: Path) -> None:
    shutil.copy(folds / "sub01/u_test/0/sub01_EP01 .png", folds / "sub01/u_train/0/sub01_EP01 .png")


def unknown_class(folds: Path) -> None:
    save(folds / "006/u_train/3/sub01_EP05 .png", pixels_of(1))


def unknown_subject(folds: Path) -> None:
    (folds / "person1/u_test").mkdir(parents=True)


def no_test_folder(folds: Path) -> None:
    shutil.rmtree(folds / "s02/u_test")


def odd_name(folds: Path) -> None:
    save(folds / "006/u_train/0/EP01 .png", pixels_of(1))


def damaged(folds: Path) -> None:
    for path in folds.rglob("sub01_EP01 .png"):
        path.write_bytes(b"broken")


def wrong_size(folds: Path) -> None:
    for path in folds.rglob("sub01_EP01 .png"):
        save(path, np.zeros((30, 28, 3), np.uint8))


def class_against_name(folds: Path) -> None:
    for path in list(folds.rglob("s02_s02_sur_01 .png")):
        target = path.parents[1] / "1" / path.name
        target.parent.mkdir(exist_ok=True)
        path.rename(target)


FOLD_FAULTS = {
    move_class: ["sub01_EP01: lies in 2 classes (negative, surprise)"],
    change_copy: ["sub01_EP01: its 6 copies differ (2 versions of its bytes)"],
    foreign_test_file: [
        "sub01_EP01: lies in the u_test of 2 folds (006, sub01)",
        "sub01_EP01: lies in 006/u_test, which should hold subject 006 only",
    ],
    untested: ["sub01_EP01: lies in no u_test, so no fold would test it"],
    trained_in_own_fold: ["sub01_EP01: lies in sub01/u_train, so its own fold would train on it"],
    unknown_class: ["006/u_train/3: expected class folders 0, 1, 2"],
    unknown_subject: ["person1: folder is no subject of casme2, samm, smic"],
    no_test_folder: [
        "s02/u_test: folder is missing",
        "s02_s02_sur_01: lies in no u_test, so no fold would test it",
    ],
    odd_name: ["006/u_train/0/EP01 .png: expected the name <subject>_<clip> .png"],
    damaged: ["006/u_train/0/sub01_EP01 .png: is not a readable PNG image, or is damaged"],
    wrong_size: ["006/u_train/0/sub01_EP01 .png: expected 28x28 pixels in RGB of 8 bits, got 28x30 in RGB of 8 bits"],
    class_against_name: ["s02_s02_sur_01: the label says positive, but the clip's name says surprise"],
}


@pytest.mark.parametrize("fault", FOLD_FAULTS, ids=lambda fault: fault.__name__)
def test_each_fault_of_the_folds_is_named(folds, tmp_path, fault):
    fault(folds)
    faults = faults_of("megc2019_flow_ststnet", tmp_path)
    about_counts = [told for told in faults if ": expected " in told and ", got " in told and ".png" not in told]
    assert [told for told in faults if told not in about_counts] == FOLD_FAULTS[fault]


def test_a_sample_in_two_classes_counts_for_none(folds, tmp_path):
    move_class(folds)
    counts = check("megc2019_flow_ststnet", tmp_path, manifest_of()).counts
    assert counts.loc["all"].tolist() == [6, 2, 1, 3, 7, 0]


def test_faults_of_the_folds_come_at_once(folds, tmp_path):
    for fault in (move_class, unknown_subject, odd_name, no_test_folder):
        fault(folds)
    told = faults_of("megc2019_flow_ststnet", tmp_path)
    for fault in (move_class, unknown_subject, odd_name, no_test_folder):
        assert set(FOLD_FAULTS[fault]) <= set(told)


# --- absent, available, best


def test_an_absent_data_set_says_how_to_obtain_it(tmp_path):
    report = check("megc2019_flow", tmp_path)
    assert (report.status, report.faults, report.path) == ("absent", (), None)
    assert "git clone" in report.how_to_obtain
    with pytest.raises(DataError, match=r"is absent.*git clone"):
        load("megc2019_flow", tmp_path)


def test_a_root_that_does_not_exist_is_simply_empty(tmp_path):
    present = {item.name: item.present for item in available(tmp_path / "nowhere")}
    assert [name for name, there in present.items() if there] == ["toy_flow"]


def test_available_reads_no_map(repository, folds, tmp_path):
    for path in tmp_path.rglob("*.png"):
        path.write_bytes(b"broken")
    assert [(item.present, item.path) for item in available(tmp_path)[:2]] == [
        (True, repository),
        (True, folds),
    ]


def test_the_root_comes_from_the_environment(repository, tmp_path, monkeypatch):
    monkeypatch.setenv("MER_DATA_ROOT", str(tmp_path))
    assert load("megc2019_flow", manifest=manifest_of()).name == "megc2019_flow"


def test_best_prefers_real_data_and_never_takes_the_toy(repository, folds, tmp_path):
    manifest = manifest_of()
    assert load("best", tmp_path, manifest).name == "megc2019_flow"
    shutil.rmtree(repository)
    assert load("best", tmp_path, manifest).name == "megc2019_flow_ststnet"
    shutil.rmtree(folds)
    for look in (load, check):
        with pytest.raises(DataError, match="mer data make synthetic --profile demo"):
            look("best", tmp_path, manifest)


def test_best_never_passes_over_damaged_real_data(repository, folds, tmp_path):
    (repository / LIST).write_text("dataset,sub\n")
    with pytest.raises(DataError, match=LIST):
        load("best", tmp_path, manifest_of())


def test_a_sample_without_a_map_is_excluded_and_named_wherever_the_data_are(repository, tmp_path):
    whole = load("megc2019_flow", tmp_path, manifest_of())
    (repository / MAPS / "sub01_EP01 .png").unlink()
    (repository / MAPS / "sub01_EP02_01f .png").write_bytes(b"")
    rest = load("megc2019_flow", tmp_path, manifest_of())
    assert rest.exclusions["sample_id"].tolist() == ["casme2/sub01/EP01", "casme2/sub01/EP02_01f"]
    assert set(whole.samples["sample_id"]) - set(rest.samples["sample_id"]) == set(rest.exclusions["sample_id"])
    kept = rest.samples["sample_id"].tolist()
    assert (rest.maps(kept) == whole.maps(kept)).all()
    assert rest.label.endswith(", 2 excluded")
    assert rest.digest != whole.digest
    counts = check("megc2019_flow", tmp_path, manifest_of()).counts.loc["all"]
    assert (counts["samples"], counts["excluded"]) == (len(kept), 2)


def test_a_list_of_which_no_map_is_left_cannot_be_used(repository, tmp_path):
    for file in (repository / MAPS).iterdir():
        file.write_bytes(b"")
    assert check("megc2019_flow", tmp_path, manifest_of()).status == "unusable"
    with pytest.raises(DataError, match="no sample that can be used"):
        load("megc2019_flow", tmp_path, manifest_of())


def test_an_unknown_data_set_is_a_parameter_error(tmp_path):
    with pytest.raises(ParameterError, match="Did you mean 'toy_flow'"):
        load("toyflow", tmp_path)


# --- the data set object


@pytest.fixture(scope="module")
def toy_flow() -> FlowMapDataset:
    return load("toy_flow")


def test_maps_and_labels_follow_the_ids_asked_for(toy_flow):
    ids = toy_flow.samples["sample_id"].tolist()
    order = np.random.default_rng(0).permutation(len(ids))
    asked = [ids[i] for i in order] + [ids[0]]
    np.testing.assert_array_equal(toy_flow.maps(asked), toy_flow.maps()[[*order, 0]])
    np.testing.assert_array_equal(toy_flow.labels(asked), toy_flow.labels()[[*order, 0]])
    np.testing.assert_array_equal(toy_flow.maps(pd.Series(asked)), toy_flow.maps(asked))
    assert toy_flow.maps([]).shape == (0, 28, 28, 3)
    assert (toy_flow.maps().dtype, toy_flow.labels().dtype) == (np.uint8, np.int64)


def test_sorting_the_table_in_place_parts_no_map_from_its_id():
    dataset = load("toy_flow")
    before = {key: dataset.maps([key])[0] for key in dataset.samples["sample_id"]}
    digest = load("toy_flow").digest
    dataset.samples.sort_values("clip", inplace=True, ignore_index=True)
    ids = dataset.samples["sample_id"].tolist()
    assert ids != sorted(ids)
    np.testing.assert_array_equal(dataset.maps(), [before[key] for key in ids])
    np.testing.assert_array_equal(dataset.labels(), [CLASSES.index(label) for label in dataset.samples["label3"]])
    assert dataset.digest == digest


def test_all_unknown_ids_are_named(toy_flow):
    with pytest.raises(DataError, match=r"(?s)no such samples.*toya/09/x.*toyb/01/y"):
        toy_flow.maps(["toyb/01/y", toy_flow.samples["sample_id"][0], "toya/09/x"])


def test_what_is_handed_out_cannot_change_the_data(toy_flow):
    digest = load("toy_flow").digest
    toy_flow.maps()[:] = 0
    toy_flow.labels()[:] = 0
    with pytest.raises(ValueError, match="read-only"):
        toy_flow.pixels[0] = 0
    assert toy_flow.maps().any()
    assert toy_flow.labels().any()
    assert toy_flow.digest == digest


def test_digest_sees_one_pixel_one_label_and_one_id(toy_flow):
    def made(samples: pd.DataFrame, pixels: np.ndarray) -> str:
        return FlowMapDataset("toy_flow", "Toy", "toy", samples, pixels).digest

    samples, pixels = toy_flow.samples, toy_flow.maps()
    order = np.random.default_rng(1).permutation(len(samples))
    assert made(samples, pixels) == toy_flow.digest
    assert made(samples.iloc[order].reset_index(drop=True), pixels[order]) == toy_flow.digest
    brighter = pixels.copy()
    brighter[5, 3, 4, 1] ^= 1
    relabelled, renamed = samples.copy(), samples.copy()
    relabelled.loc[0, "label3"] = "surprise"
    renamed.loc[0, "sample_id"] = "toya/01/other"
    digests = {made(samples, brighter), made(relabelled, pixels), made(renamed, pixels), toy_flow.digest}
    assert len(digests) == 4
    assert made(samples, pixels[order]) not in digests


@pytest.mark.parametrize("pixels", [np.zeros((48, 28, 28, 3)), np.zeros((47, 28, 28, 3), np.uint8)])
def test_maps_of_the_wrong_form_are_refused(toy_flow, pixels):
    with pytest.raises(DataError, match=r"expected uint8 \(48, 28, 28, 3\)"):
        FlowMapDataset("toy_flow", "Toy", "toy", toy_flow.samples, pixels)


def test_a_sample_without_label_has_no_label_code(toy_flow):
    samples = toy_flow.samples.copy()
    samples.loc[3, "label3"] = pd.NA
    with pytest.raises(DataError, match=samples["sample_id"][3]):
        FlowMapDataset("toy_flow", "Toy", "toy", samples, toy_flow.maps()).labels()


def test_a_data_set_survives_the_way_to_another_process(toy_flow):
    copy = pickle.loads(pickle.dumps(toy_flow))
    assert copy.digest == toy_flow.digest
    assert repr(copy) == "<FlowMapDataset toy_flow: toy flow maps (generated, not faces)>"


# --- the samples table


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("sample_id", "toya/01/toy_99", "sample_id is 'toya/01/toy_99', but dataset, subject and clip say"),
        ("subject", "0 1", "subject of toya/01/toy_01: '0 1' holds a blank or a slash"),
        ("clip", "a/b", "holds a blank or a slash"),
        ("dataset", pd.NA, "is missing"),
        ("fps", "fast", "in 1 places:\n  - fps of toya/01/toy_01: 'fast' has the wrong type"),
        ("fps", 0, "fps of toya/01/toy_01: 0.0 is not above 0"),
        ("n_frames", -3, "n_frames of toya/01/toy_01: -3 is not above 0"),
        ("label3", "happy", "'happy' is not one of negative, positive, surprise"),
        ("apex_source", "guessed", "'guessed' is not one of annotated"),
    ],
)
def test_each_breach_of_the_samples_table_is_named(toy_flow, column, value, told):
    samples = toy_flow.samples.astype(object)
    samples.loc[0, column] = value
    with pytest.raises(DataError) as caught:
        check_samples(samples)
    assert told in str(caught.value)


def test_breaches_of_the_samples_table_come_at_once(toy_flow):
    samples = toy_flow.samples.drop(columns="gender").assign(mood="calm")
    samples.loc[0, "label3"] = "happy"
    samples.loc[1, "sample_id"] = samples["sample_id"][2]
    with pytest.raises(DataError) as caught:
        check_samples(samples)
    for words in ("column gender is missing", "column mood is unknown", "happy", "occurs more than once"):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("frames", "fine"),
    [
        ((10, 20, 30), True),
        ((10, 10, 30), True),
        ((10, 30, 30), True),
        ((pd.NA, 20, pd.NA), True),
        ((10, pd.NA, 30), True),
        ((10, 9, 30), False),
        ((10, 31, 30), False),
        ((10, pd.NA, 10), False),
        ((pd.NA, 31, 30), False),
    ],
)
def test_frames_are_in_order(toy_flow, frames, fine):
    samples = toy_flow.samples.copy()
    samples.loc[4, ["onset", "apex", "offset"]] = frames
    if fine:
        pd.testing.assert_frame_equal(check_samples(samples), samples)
    else:
        with pytest.raises(DataError, match=f"{samples['sample_id'][4]}: onset .* not in order"):
            check_samples(samples)


def test_plain_tables_get_the_types_of_the_schema(toy_flow):
    plain = toy_flow.samples.astype(object).where(toy_flow.samples.notna(), None).sample(frac=1, random_state=0)
    checked = check_samples(plain[plain.columns[::-1]])
    assert checked.dtypes.equals(toy_flow.samples.dtypes)
    assert checked["sample_id"].tolist() == plain["sample_id"].tolist()


def test_subjects_with_one_id_in_two_data_sets_are_two(toy_flow):
    subjects = qualified_subjects(toy_flow.samples)
    assert toy_flow.samples["subject"].nunique() == 5
    assert subjects.nunique() == 8
    assert {"toya/01", "toyb/01", "toyc/01"} <= set(subjects)


# --- the toy data set


def test_toy_is_uneven_as_real_composites_are(toy_flow):
    table = pd.crosstab(qualified_subjects(toy_flow.samples), toy_flow.samples["label3"])
    assert table.to_numpy().sum() == 48
    assert (table == 0).any(axis=1).sum() >= 2
    assert table.sum(axis=1).nunique() >= 4
    assert toy_flow.kind == "toy"
    assert "toy" in toy_flow.label
    assert toy_flow.samples["apex_source"].unique().tolist() == ["generated"]


def test_toy_bytes_are_the_same_everywhere(toy_flow):
    assert toy_flow.digest == TOY_DIGEST


def test_toy_bytes_do_not_depend_on_the_process():
    code = "from mer_lib.datasets import load; print(load('toy_flow').digest)"
    environment = {**os.environ, "PYTHONHASHSEED": "3", "PYTHONPATH": str(REPOSITORY)}
    answer = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == TOY_DIGEST


def test_another_seed_gives_other_toy_maps():
    first, second = toy.clips(0), toy.clips(1)
    assert [clip[:4] for clip in first] == [clip[:4] for clip in second]
    assert not any(np.array_equal(a.pixels, b.pixels) for a, b in zip(first, second, strict=True))


def test_toy_maps_are_stretched_to_the_whole_range(toy_flow):
    maps = toy_flow.maps()
    assert (maps.min(axis=(1, 2)) == 0).all()
    assert (maps.max(axis=(1, 2)) == 255).all()


def test_a_linear_model_learns_the_toy_but_not_perfectly(toy_flow):
    inputs = toy_flow.maps().reshape(48, -1).astype(float)
    subjects = qualified_subjects(toy_flow.samples).to_numpy()
    model = make_pipeline(StandardScaler(), SVC(kernel="linear", C=0.001))
    truth = toy_flow.labels()
    predicted = cross_val_predict(model, inputs, truth, groups=subjects, cv=LeaveOneGroupOut())
    assert 0.6 < f1_score(truth, predicted, average="macro") < 0.9


TOY_DIGEST = "d5214f6ac6eff4dd07ac28b58092a037d375cf599e693ffac7c2828d7878384d"
# Mean of red, green and blue of `sub01_EP02_01f .png`, and of all maps: u, v, strain.
GOLDEN_MEANS = (185.232143, 137.83801, 27.994898)
GOLDEN_OVERALL = (125.96587, 135.449511, 25.452064)
