"""The command line: clear one-line errors, exit codes, and what a user sees first."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from mer_lib import cli
from tests import miniatures
from tests.miniature_files import write_frames
from tests.miniatures_complete import casme2_complete


@pytest.fixture
def mer(monkeypatch, capsys, tmp_path):
    """Call the command line as a user would; returns (exit code, output, error output)."""
    monkeypatch.setenv("MER_DATA_ROOT", str(tmp_path / "no_data"))
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mer", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        captured = capsys.readouterr()
        return int(stopped.value.code or 0), captured.out, captured.err

    return call


def test_help_gives_examples(mer) -> None:
    for command in ([], ["run"], ["report"], ["experiments"], ["data", "list"], ["data", "check"], ["data", "make"]):
        code, out, _ = mer(*command, "--help")
        assert code == 0
    assert "mer data check" in mer("data", "check", "--help")[1]
    assert "mer run htnet.table4" in mer("run", "--help")[1]
    assert "mer data make synthetic" in mer("data", "make", "--help")[1]


def test_data_list_says_what_is_absent(mer) -> None:
    code, out, _ = mer("data", "list")
    assert code == 0
    assert "toy_flow" in out
    assert "absent" in out


def test_data_check_fails_for_a_named_data_set_that_is_absent_and_says_what_to_do(mer) -> None:
    assert mer("data", "check")[0] == 0
    code, out, _ = mer("data", "check", "megc2019_flow")
    assert code == 2
    assert "git clone" in out


def test_data_check_counts_what_is_there(mer) -> None:
    code, out, _ = mer("data", "check", "toy_flow")
    assert code == 0
    assert "48" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "htnet.tabel4", "--data", "toy_flow"], "did you mean 'htnet.table4'"),
        (["run", "paper", "--data", "toy_flow"], "did you mean 'papers'"),
        (["run", "--only", "htnet.tabel4", "--data", "toy_flow"], "did you mean 'htnet.table4'"),
        (["run", "--grid", "no_such.yaml", "--data", "toy_flow"], "no_such.yaml"),
        (["run", "--data", "megc"], "data: expected one of"),
        (["run", "--device", "tpu", "--data", "toy_flow"], "device"),
        (["report", "--data", "megc2019_flow"], "git clone"),
        (["experiments", "--data", "nothing"], "nothing"),
        (["report", "--data", "synthetic_demo"], "mer data make synthetic --profile demo"),
    ],
)
def test_errors_are_one_message_without_a_traceback(mer, arguments, words) -> None:
    code, _, err = mer(*arguments)
    assert code == 2
    assert words in err
    assert "Traceback" not in err


def test_seeds_must_be_numbers(mer) -> None:
    code, _, err = mer("run", "--seeds", "a,b")
    assert code == 2
    assert "0,1,2" in err


def test_making_that_is_stopped_says_that_it_can_go_on(mer, monkeypatch) -> None:
    from mer_lib.datasets.synthetic import making

    def stopped(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(making, "make", stopped)
    code, out, _ = mer("data", "make", "synthetic", "--profile", "smoke")
    assert code == 130
    assert "the same command goes on from there" in out


def test_a_run_that_is_stopped_says_that_it_can_go_on(mer, monkeypatch) -> None:
    from mer_lib.running import runner

    def stopped(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run", stopped)
    code, out, err = mer("run", "--data", "toy_flow", "--device", "cpu")
    assert code == 130
    assert "run again to go on" in out
    assert "Traceback" not in out + err


def test_debug_shows_the_traceback(monkeypatch, tmp_path) -> None:
    from mer_lib.errors import MerError

    monkeypatch.setattr(sys, "argv", ["mer", "--debug", "run", "--data", "megc"])
    with pytest.raises(MerError):
        cli.main()


def test_experiments_lists_every_experiment_with_its_state(mer, monkeypatch) -> None:
    from mer_lib.running.targets import chosen

    monkeypatch.delenv("MER_DATA_ROOT", raising=False)
    code, out, _ = mer("experiments", "--data", "toy_flow", "--profile", "smoke")
    assert code == 0
    assert all(name in out for name in chosen([]))
    assert "0 of 3" in out
    assert "counted," in out  # a narrow terminal breaks the line here


def test_report_without_results_names_what_is_missing(mer, tmp_path) -> None:
    code, out, _ = mer("report", "--data", "toy_flow", "--profile", "smoke", "--out", str(tmp_path / "out"))
    assert code == 0
    page = (tmp_path / "out" / "report.html").read_text()
    assert "htnet.table4" in page
    assert "mer run htnet.table4" in page


# --- recorded clips


@pytest.fixture
def casme2(mer, tmp_path, monkeypatch) -> Path:
    """A small copy of CASME II below the data root."""
    monkeypatch.setenv("MER_DATA_ROOT", str(tmp_path))
    return miniatures.casme2(tmp_path / "CASME2", images=["raw"])


def complete(folder: Path) -> Path:
    return miniatures.casme2(folder, casme2_complete(), images=["raw"])


def test_a_whole_copy_is_usable(mer, tmp_path) -> None:
    # Only what every copy has is noted: the apex "/" and the apex on an onset.
    code, out, _ = mer("data", "check", str(complete(tmp_path / "some folder")))
    assert code == 0
    assert "usable" in out
    assert "casme2/sub04/EP12_01f: ApexFrame is '/'" in out


def test_all_faults_of_a_copy_come_at_once_and_the_exit_code_says_that_it_can_be_used(mer, casme2) -> None:
    images = casme2 / "CASME2_RAW_selected"
    shutil.rmtree(images / "sub02/EP01_2")
    (images / "sub01/EP02_01f/img50.jpg").write_bytes(b"")
    (images / "sub01/EP03_02/img10.jpg").unlink()
    code, out, err = mer("data", "check", "casme2")
    assert code == 1
    assert "usable with exclusions" in " ".join(out.split())
    for told in (
        "casme2/sub02/EP01_2: no frames are there",
        "casme2/sub01/EP02_01f: ",
        "casme2/sub01/EP03_02: 1 frames are missing: 10",
        "255 (coding of 2014-05-08)",
        "ApexFrame is '/'",
    ):
        assert told in out, told
    assert "Traceback" not in out + err


def test_without_a_name_all_that_is_here_is_checked_and_the_worst_counts(mer, casme2) -> None:
    code, out, _ = mer("data", "check")
    assert (code, "Apply at" in out) == (1, True)  # what is absent is told and does not count
    miniatures.samm(casme2.parent / "SAMM", workbook="")
    assert mer("data", "check")[0] == 2


def test_gender_of_a_composite_needs_a_file(mer, casme2) -> None:
    miniatures.samm(casme2.parent / "SAMM")
    miniatures.smic(casme2.parent / "SMIC", images=["raw"])
    code, _, err = mer("data", "gender", "megc2019")
    assert code == 2
    assert "lies in several folders: name one of its data sets, or a file with --out" in " ".join(err.split())


def test_findings_as_json(mer, casme2) -> None:
    shutil.rmtree(casme2 / "CASME2_RAW_selected/sub02/EP01_2")
    code, out, _ = mer("data", "check", "casme2", "--json")
    (report,) = json.loads(out)
    assert (code, report["exit_code"], report["status"]) == (1, 1, "usable with exclusions")
    assert report["excluded"] == [{"sample_id": "casme2/sub02/EP01_2", "reason": "no frames are there"}]
    assert report["counts"]["casme2"]["samples"] == 9
    assert {"effect", "kind", "sample_id", "message"} == set(report["faults"][0])


def test_the_version_of_the_images_is_chosen(mer, casme2) -> None:
    assert mer("data", "check", "casme2", "--images", "raw")[0] == 1
    code, _, err = mer("data", "check", "casme2", "--images", "cropped")
    assert (code, "no cropped images" in err) == (2, True)


def test_an_annotation_without_images_is_told_apart(mer, tmp_path) -> None:
    code, out, _ = mer("data", "check", str(miniatures.casme2(tmp_path / "c", casme2_complete(), images=False)))
    assert code == 1
    assert "annotation only" in out


def _sparse(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(10 * 2**30)


HOSTILE = {
    "text called .xlsx": lambda file: file.write_text("no workbook"),
    "truncated": lambda file: file.write_bytes(file.read_bytes()[:-200]),
    "empty": lambda file: file.write_bytes(b""),
    "10 GB": _sparse,
    "a folder": lambda file: (file.unlink(), file.mkdir()),
    "a renamed column": lambda file: miniatures.casme2(
        file.parent, images=False, header=[*miniatures.CASME2_HEADER[:4], "Peak", *miniatures.CASME2_HEADER[5:]]
    ),
}


@pytest.mark.parametrize("damage", HOSTILE)
def test_a_workbook_that_is_none_is_told_within_seconds_and_without_a_traceback(mer, casme2, damage) -> None:
    HOSTILE[damage](casme2 / miniatures.CASME2_FILE)
    begun = time.process_time()
    code, out, err = mer("data", "check", "casme2")
    assert time.process_time() - begun < 10
    assert code == 2
    assert "unusable" in out
    assert "Traceback" not in out + err
    told = "Peak" if damage == "a renamed column" else "CASME2-coding"
    assert told in out


@pytest.mark.parametrize("name", [b"clips [old] [/b]", b"clips \xff\xfe"])
def test_names_of_folders_are_shown_whatever_they_hold(mer, tmp_path, name) -> None:
    folder = tmp_path / os.fsdecode(name)
    write_frames(folder / "smile", "img{}.png", range(1, 9))
    shown = name.decode("utf-8", "replace")
    code, out, _ = mer("data", "check", str(folder))
    assert (code, shown in out) == (0, True)
    code, out, _ = mer("data", "check", str(folder), "--json")
    assert (code, json.loads(out)[0]["path"]) == (0, f"{tmp_path}/{shown}")


def test_a_folder_of_somebodys_own_videos(mer, tmp_path) -> None:
    write_frames(tmp_path / "mine/anna/smile", "img{}.png", range(1, 9))
    (tmp_path / "mine/broken.mp4").write_text("no video")
    (tmp_path / "mine/clips.csv").write_text(
        "clip,subject,onset,apex,offset,emotion,fps\nanna/smile,anna,2,4,6,happiness,100\n"
    )
    code, out, err = mer("data", "check", str(tmp_path / "mine"))
    assert code == 1
    assert "mine" in out
    assert "broken" in out
    assert "Traceback" not in out + err
