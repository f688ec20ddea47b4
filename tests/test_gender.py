"""Gender: read from a file with everything wrong with it, or estimated; DeepFace is a stand-in here."""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mer_lib.datasets import gender
from mer_lib.errors import DataError, MerError, ParameterError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "gender.csv"


def rows(*subjects: str, said: str | None = None) -> pd.DataFrame:
    return pd.DataFrame({"dataset": "casme2", "subject": list(subjects), "gender": said}).astype("string")


# -- from a file ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("subject,gender\nsub01,female\nsub02,male\n", {"sub01": "female", "sub02": "male"}),
        ("\ufeffGender;Note;Subject\r\nF;;sub01\r\nman;x;sub02\r\n", {"sub01": "female", "sub02": "male"}),
        ("subject,gender,confidence\n006, Woman ,0.97\n007,,0.51\n", {"006": "female"}),
        ("subject,gender\ncasme2/sub01,w\nsub01,w\n", {"casme2/sub01": "female", "sub01": "female"}),
        ("subject,gender\nanna,m\nanna,male\n", {"anna": "male"}),
    ],
)
def test_a_file_is_read(file: Path, content: str, expected: dict[str, str]) -> None:
    file.write_text(content, encoding="utf-8", newline="")
    assert gender.read(file) == (expected, [])


def test_everything_wrong_with_a_file_is_said_at_once(file: Path) -> None:
    file.write_text("subject,gender\nanna,m\nanna,f\n,f\nkim,Nonbinary\nbo,f\n")
    found = gender.read(file)
    assert found.genders == {"kim": "nonbinary", "bo": "female"}
    assert [fault.message for fault in found.faults] == [
        "gender.csv: line 4 names no subject; it is left out",
        "gender.csv: line 5: expected female or male, got 'nonbinary'; kept as it is",
        "gender.csv: anna is said to be female and male; left out",
    ]
    assert {fault.effect for fault in found.faults} == {"noted"}


def _folder(path: Path) -> None:
    path.mkdir()


def _sparse(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(10 * 2**30)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"subject,sex\nanna,f\n"), "column"),
        (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "is no text"),
        (lambda path: path.write_bytes(b"subject,gender\n"), "no rows"),
        (_folder, "is no file"),
        (_sparse, "bytes: expected"),
        (lambda path: path.symlink_to(path), "is missing"),
        (lambda path: path.symlink_to("nowhere"), "is missing"),
    ],
)
def test_a_useless_file_is_noted_and_changes_nothing(file: Path, make: Any, message: str) -> None:
    make(file)
    filled, faults = gender.fill(rows("sub01"), file)
    assert [(fault.effect, message in fault.message) for fault in faults] == [("noted", True)], faults
    assert filled["gender"].isna().all()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_noted(file: Path) -> None:
    file.write_text("subject,gender\nsub01,f\n")
    file.chmod(0)
    assert "cannot be read" in gender.fill(rows("sub01"), file)[1][0].message


def test_rows_take_the_gender_of_their_subject(file: Path) -> None:
    file.write_text("subject,gender\nsub01,f\ncasme2/sub02,m\n")
    table = rows("sub02", "sub01", "sub02", "sub03")
    filled, faults = gender.fill(table, file)
    assert filled["gender"].fillna("-").tolist() == ["male", "female", "male", "-"]
    assert filled["gender"].dtype == "string"
    assert faults == []
    assert table["gender"].isna().all(), "the table given was changed"


def test_without_a_file_nothing_changes(file: Path) -> None:
    table = rows("sub01", said="female")
    filled, faults = gender.fill(table, file)
    pd.testing.assert_frame_equal(filled, table)
    assert faults == []


def test_what_rows_say_is_taken_and_a_difference_noted(file: Path) -> None:
    file.write_text("subject,gender\nanna,f\nbo,m\n")
    filled, faults = gender.fill(rows("anna", "anna", "bo", said="M"), file)
    assert filled["gender"].tolist() == ["male"] * 3
    assert [(fault.kind, fault.message) for fault in faults] == [
        ("contradiction", "gender.csv: casme2/anna is male, but gender.csv says female; the former is taken")
    ]


def test_a_subject_without_clips_is_noted_unless_of_another_data_set(file: Path) -> None:
    file.write_text("subject,gender\n1,f\nsamm/006,f\ncasme2/sub99,m\nsub01,f\n")
    faults = gender.fill(rows("sub01"), file)[1]
    assert [fault.message.split()[-1] for fault in faults] == ["1", "casme2/sub99"]


# -- by an estimate ---------------------------------------------------------------------------------------------------


class FakeClips:
    """Clips whose first frame holds one number everywhere: the per cent of "Woman" that the stand-in reads off it."""

    def __init__(self, *clips: tuple[str, int | None]) -> None:
        self.per_cent = dict(clips)
        parts = pd.DataFrame([name.split("/") for name in self.per_cent], columns=["dataset", "subject", "clip"])
        self.samples = parts.assign(sample_id=list(self.per_cent))
        self.asked: list[tuple[str, list[int]]] = []

    def frames(self, sample_id: str, indices: list[int]) -> np.ndarray:
        self.asked.append((sample_id, indices))
        if self.per_cent[sample_id] is None:
            raise DataError(f"{sample_id}: img1.jpg is damaged")
        return np.full((len(indices), 6, 8, 3), (1, 2, self.per_cent[sample_id]), dtype=np.uint8)


def _face(woman: float, size: int, confidence: float = 0.9) -> dict[str, Any]:
    region = {"x": 0, "y": 0, "w": size, "h": size}
    return {"gender": {"Woman": woman, "Man": 100 - woman}, "region": region, "face_confidence": confidence}


def read_off(image: np.ndarray, **options: Any) -> list[dict[str, Any]]:
    """A stand-in for DeepFace.analyze: blue (the third of RGB, the first of BGR) is the answer; 0: no face."""
    assert options == {
        "actions": ["gender"], "enforce_detection": False, "detector_backend": "opencv", "silent": True,
    }  # fmt: skip
    assert image.shape == (6, 8, 3)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    blue, green, red = (int(value) for value in image[0, 0])
    assert (green, red) == (2, 1)
    # A small thing that looks like a face, with a higher confidence, is always there besides.
    return [_face(100 - blue, 2, 0.98), _face(blue, 5)] if blue else [_face(99, 8, confidence=0)]


@pytest.fixture
def deepface(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """A module `deepface` whose `analyze` can be exchanged."""
    module: Any = types.ModuleType("deepface")
    module.DeepFace = types.SimpleNamespace(analyze=read_off)
    monkeypatch.setitem(sys.modules, "deepface", module)
    monkeypatch.setenv("DEEPFACE_LOG_LEVEL", "30")
    return module.DeepFace


@pytest.mark.usefixtures("deepface")
def test_a_subject_has_the_mean_of_its_first_frames() -> None:
    clips = FakeClips(("a/s1/x", 90), ("a/s2/x", 4), ("a/s1/y", 96), ("a/s3/x", 60), ("a/s3/y", 30), ("a/s2/y", 10))
    table = gender.estimate(clips).table
    assert table.to_dict("records") == [
        dict(zip(gender.COLUMNS, row, strict=True))
        for row in [
            ("s1", "female", 0.93, 2, 0, "yes"),
            ("s2", "male", 0.93, 2, 0, "yes"),
            ("s3", "", 0.55, 2, 1, "no"),
        ]
    ]
    assert clips.asked == [(name, [0]) for name in clips.per_cent]


@pytest.mark.usefixtures("deepface")
@pytest.mark.parametrize(("threshold", "decided"), [(0.5, "yes"), (0.8, "yes"), (0.81, "no"), (1, "no")])
def test_the_threshold_decides(threshold: float, decided: str) -> None:
    (row,) = gender.estimate(FakeClips(("a/s1/x", 20)), threshold).table.to_dict("records")
    assert (row["decided"], row["gender"]) == (decided, "male" if decided == "yes" else "")


@pytest.mark.usefixtures("deepface")
def test_one_half_is_never_a_decision() -> None:
    assert gender.estimate(FakeClips(("a/s1/x", 50)), 0.5).table["decided"].tolist() == ["no"]


@pytest.mark.usefixtures("deepface")
def test_clips_without_a_face_or_a_frame_are_named_and_left_out() -> None:
    clips = FakeClips(("a/s1/x", 98), ("a/s1/y", 0), ("a/s2/x", None))
    table, faults = gender.estimate(clips)
    assert table[["subject", "frames", "decided"]].to_numpy().tolist() == [["s1", 1, "yes"], ["s2", 0, "no"]]
    assert [(fault.effect, fault.sample_id) for fault in faults] == [("noted", "a/s1/y"), ("noted", "a/s2/x")]
    assert "no face" in faults[0].message
    assert "img1.jpg is damaged" in faults[1].message


@pytest.mark.usefixtures("deepface")
@pytest.mark.parametrize(("clips", "reason"), [((("a/s1/x", 0),), "no face"), ((), "there are no clips")])
def test_nothing_to_estimate_from_is_an_error(clips: tuple[tuple[str, int]], reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        gender.estimate(FakeClips(*clips))


@pytest.mark.usefixtures("deepface")
def test_a_file_of_estimates_is_read_back(file: Path) -> None:
    clips = FakeClips(("casme2/sub01/x", 98), ("casme2/sub02/x", 55), ("casme2/sub03/x", 0), ("casme2/sub04/x", 2))
    gender.estimate_file(clips, file)
    assert file.read_text().splitlines() == [
        "subject,gender,confidence,frames,disagreeing,decided",
        "sub01,female,0.98,1,0,yes",
        "sub02,,0.55,1,0,no",
        "sub03,,,0,0,no",
        "sub04,male,0.98,1,0,yes",
    ]
    filled, faults = gender.fill(rows("sub01", "sub02", "sub03", "sub04"), file)
    assert filled["gender"].fillna("-").tolist() == ["female", "-", "-", "male"]
    assert faults == []


@pytest.mark.usefixtures("deepface")
def test_subjects_of_several_data_sets_are_kept_apart(file: Path) -> None:
    gender.estimate_file(FakeClips(("casme2/01/x", 98), ("samm/01/x", 2)), file)
    assert gender.read(file).genders == {"casme2/01": "female", "samm/01": "male"}
    assert gender.fill(rows("01"), file)[0]["gender"].tolist() == ["female"]


def test_a_file_that_is_there_is_kept_and_said_before_the_work(file: Path, deepface: types.SimpleNamespace) -> None:
    file.write_text("mine")
    deepface.analyze = None
    with pytest.raises(ParameterError, match="may hold corrections"):
        gender.estimate_file(FakeClips(("a/s1/x", 98)), file)
    assert file.read_text() == "mine"


@pytest.mark.usefixtures("deepface")
def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, no folder")
    with pytest.raises(DataError, match="cannot be written"):
        gender.estimate_file(FakeClips(("a/s1/x", 98)), tmp_path / "taken" / "gender.csv")


@pytest.mark.usefixtures("deepface")
def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    gender.estimate(FakeClips(("a/s1/x", 98), ("a/s1/y", None)), listener=lambda *at: told.append(at))
    assert told == [(1, 2), (2, 2)]


@pytest.mark.parametrize("threshold", [0.49, 1.01, -1.0, float("nan")])
def test_a_threshold_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(ParameterError, match=r"from 0\.5 to 1"):
        gender.estimate(FakeClips(("a/s1/x", 98)), threshold)


def test_the_missing_extra_answers_with_its_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deepface", None)
    with pytest.raises(MerError) as caught:
        gender.estimate(FakeClips(("a/s1/x", 98)))
    assert str(caught.value).endswith('run: pip install -e ".[gender]" && pip install --no-deps deepface==0.0.103')


def test_a_network_that_fails_says_how_to_get_its_weights(deepface: types.SimpleNamespace) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ValueError("no connection")

    deepface.analyze = fail
    with pytest.raises(MerError, match=r"on a/s1/x \(ValueError: no connection\).*gender_model_weights\.pth"):
        gender.estimate(FakeClips(("a/s1/x", 98)))


def test_the_documentation_has_the_install_line() -> None:
    page = (Path(__file__).parents[1] / "docs" / "data_sets.md").read_text(encoding="utf-8")
    assert gender.INSTALL in page
    assert all(f"| `{column}` |" in page for column in gender.COLUMNS)
