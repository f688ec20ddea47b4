"""`make` finds a Python, installs once, and goes on after an installation that was cut short."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent

# Stands in for an interpreter: real answers to `-c`, but `-m venv` and `-m pip` only leave traces.
INTERPRETER = """#!/bin/sh
case "$1 $2" in
    "-c "*) exec {python} "$@" ;;
    "-m venv") rm -rf .venv && mkdir -p .venv/bin && cp "$0" .venv/bin/python && echo venv >> log ;;
    "-m pip") [ "$3" = --version ] || {{ echo "pip $*" >> log; [ ! -e pip_fails ]; }} ;;
    "--version ") echo Python 3.x ;;
esac
"""
BROKEN = "#!/bin/sh\nexit 127\n"
WITHOUT_ENSUREPIP = """#!/bin/sh
case "$2" in *ensurepip*) exit 1 ;; esac
"""


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that holds what the installation needs, and no .venv."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(REPOSITORY / name, folder)
    return folder


@pytest.fixture
def interpreter(tmp_path: Path) -> Path:
    return script(tmp_path / "interpreter", INTERPRETER.format(python=sys.executable))


def make(folder: Path, *arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run make in `folder`, with the folder `path` in front of the search path."""
    hidden = ("PYTHON", "ARGS", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    if path:
        environment["PATH"] = f"{path}{os.pathsep}{environment['PATH']}"
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def install(folder: Path, python: Path | str) -> subprocess.CompletedProcess[str]:
    return make(folder, ".venv/.installed", f"PYTHON={python}")


def steps(folder: Path) -> list[str]:
    """The first word of each step that was taken so far."""
    return [line.split()[0] for line in (folder / "log").read_text(encoding="utf-8").splitlines()]


def test_help_is_the_default_and_names_every_target(checkout: Path) -> None:
    shown = make(checkout)
    assert shown.returncode == 0
    for target in ("run", "papers", "test", "lab", "bench", "lint", "clean"):
        assert f"make {target} " in shown.stdout


def test_papers_are_one_command_whose_arguments_can_be_given(checkout: Path, interpreter: Path) -> None:
    install(checkout, interpreter)
    shown = make(checkout, "-n", "papers", "ARGS=--profile smoke")
    assert shown.stdout.splitlines() == [".venv/bin/mer run papers --profile smoke"]


def test_installs_once_with_the_constraints(checkout: Path, interpreter: Path) -> None:
    first = install(checkout, interpreter)
    assert first.returncode == 0, first.stderr
    assert steps(checkout) == ["venv", "pip"]
    assert "-c constraints.txt -e .[dev]" in (checkout / "log").read_text(encoding="utf-8")
    second = install(checkout, interpreter)
    assert second.returncode == 0
    assert steps(checkout) == ["venv", "pip"]


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_dependencies_are_installed_into_the_same_environment(
    checkout: Path, interpreter: Path, name: str
) -> None:
    install(checkout, interpreter)
    later = (checkout / ".venv/.installed").stat().st_mtime + 10
    os.utime(checkout / name, (later, later))
    assert install(checkout, interpreter).returncode == 0
    assert steps(checkout) == ["venv", "pip", "pip"]


def test_failed_installation_is_made_anew(checkout: Path, interpreter: Path) -> None:
    (checkout / "pip_fails").touch()
    assert install(checkout, interpreter).returncode != 0
    (checkout / "pip_fails").unlink()
    assert install(checkout, interpreter).returncode == 0
    assert steps(checkout) == ["venv", "pip", "venv", "pip"]


def test_moved_checkout_gets_a_new_environment(checkout: Path, interpreter: Path) -> None:
    install(checkout, interpreter)
    moved = checkout.rename(checkout.with_name("elsewhere"))
    assert install(moved, interpreter).returncode == 0
    assert steps(moved) == ["venv", "pip", "venv", "pip"]


def test_takes_the_first_interpreter_that_really_runs(checkout: Path, interpreter: Path) -> None:
    commands = checkout.parent / "commands"
    for name in ("python3", "python3.12"):
        script(commands / name, BROKEN)
    shutil.copy(interpreter, commands / "python3.11")
    done = make(checkout, ".venv/.installed", path=commands)
    assert done.returncode == 0
    assert "with python3.11" in done.stderr


def test_no_fitting_interpreter_is_said_clearly(checkout: Path) -> None:
    failed = install(checkout, script(checkout.parent / "broken", BROKEN))
    assert failed.returncode != 0
    assert "Expected Python 3.10, 3.11 or 3.12" in failed.stderr
    assert "make run PYTHON=" in failed.stderr
    assert not (checkout / ".venv").exists()


def test_interpreter_without_ensurepip_is_said_clearly(checkout: Path) -> None:
    failed = install(checkout, script(checkout.parent / "bare", WITHOUT_ENSUREPIP))
    assert failed.returncode != 0
    assert "python3-venv" in failed.stderr
