"""The command line: clear one-line errors, exit codes, and what a user sees first."""

from __future__ import annotations

import sys

import pytest

from mer_lib import cli


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
    assert code == 1
    assert "git clone" in out


def test_data_check_counts_what_is_there(mer) -> None:
    code, out, _ = mer("data", "check", "toy_flow")
    assert code == 0
    assert "48" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "htnet.tabel4", "--data", "toy_flow"], "did you mean 'htnet.table4'"),
        (["run", "--data", "megc"], "data: expected one of"),
        (["run", "--device", "tpu", "--data", "toy_flow"], "device"),
        (["report", "--data", "megc2019_flow"], "git clone"),
        (["experiments", "--data", "nothing"], "nothing"),
        (["experiments"], "mer data make synthetic --profile demo"),
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


def test_debug_shows_the_traceback(monkeypatch, tmp_path) -> None:
    from mer_lib.errors import MerError

    monkeypatch.setattr(sys, "argv", ["mer", "--debug", "run", "--data", "megc"])
    with pytest.raises(MerError):
        cli.main()


def test_experiments_lists_every_experiment_with_its_state(mer) -> None:
    from mer_lib.papers.experiments import experiments

    code, out, _ = mer("experiments", "--data", "toy_flow", "--profile", "smoke")
    assert code == 0
    assert all(name in out for name in experiments())
    assert "0 of 3" in out


def test_report_without_results_names_what_is_missing(mer, tmp_path) -> None:
    code, out, _ = mer("report", "--data", "toy_flow", "--profile", "smoke", "--out", str(tmp_path / "out"))
    assert code == 0
    page = (tmp_path / "out" / "report.html").read_text()
    assert "htnet.table4" in page
    assert "mer run htnet.table4" in page
