"""The manifest file, its schema, and where things are looked for."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from mer_lib import settings
from mer_lib.errors import ManifestError, ParameterError
from mer_lib.manifest import load_manifest

REPOSITORY = Path(__file__).resolve().parents[1]
PROJECT_FILE = REPOSITORY / "data_manifest.yaml"


@pytest.fixture
def content() -> dict:
    return yaml.safe_load(PROJECT_FILE.read_text(encoding="utf-8"))


def write(folder: Path, content: object) -> Path:
    path = folder / "manifest.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def change(content: dict, place: tuple, value: object) -> dict:
    changed = copy.deepcopy(content)
    target = changed
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value
    return changed


# --- the project's own file


def test_project_manifest_states_the_published_counts():
    manifest = load_manifest(PROJECT_FILE)
    real = ("megc2019_flow", "megc2019_flow_ststnet")
    assert manifest.names == (*real, "synthetic_course", "synthetic_demo", "synthetic_smoke", "toy_flow")
    for name in real:
        expected = manifest.entry(name).expected
        triples = {part: (c.negative, c.positive, c.surprise, c.subjects) for part, c in expected.parts.items()}
        assert triples == {"casme2": (88, 32, 25, 24), "samm": (92, 26, 15, 28), "smic": (70, 51, 43, 16)}
        assert (expected.samples, expected.subjects) == (442, 68)


def test_label_codes_and_apex_sources_are_those_of_the_challenge():
    entry = load_manifest(PROJECT_FILE).entry("megc2019_flow")
    assert entry.label_map == {"0": "negative", "1": "positive", "2": "surprise"}
    assert {name: (part.fps, part.apex_source) for name, part in entry.parts.items()} == {
        "casme2": (200, "annotated"),
        "samm": (200, "annotated"),
        "smic": (100, "spotted"),
    }


@pytest.mark.parametrize(
    ("part", "subject", "owned"),
    [
        ("casme2", "sub01", True),
        ("casme2", "s01", False),
        ("casme2", "sub1", False),
        ("smic", "s01", True),
        ("smic", "sub01", False),
        ("samm", "006", True),
        ("samm", "6", False),
    ],
)
def test_each_sub_dataset_knows_its_subjects(part, subject, owned):
    assert load_manifest(PROJECT_FILE).entry("megc2019_flow").parts[part].owns(subject) is owned


def test_real_data_come_before_synthetic_ones_and_what_is_for_tests_comes_last():
    entries = load_manifest(PROJECT_FILE).datasets
    kinds = [entry.kind for entry in entries]
    assert kinds == sorted(kinds, key=["real", "synthetic", "toy"].index)
    assert [entry.name for entry in entries if entry.for_tests] == ["synthetic_smoke", "toy_flow"]
    assert [entry.profile for entry in entries if entry.kind == "synthetic"] == ["course", "demo", "smoke"]


def test_synthetic_counts_are_those_of_the_composite():
    manifest = load_manifest(PROJECT_FILE)
    real, made = (manifest.entry(name).expected for name in ("megc2019_flow", "synthetic_course"))
    assert list(made.parts.values()) == list(real.parts.values())
    assert (made.samples, made.subjects) == (real.samples, real.subjects)


# --- the schema


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (("datasets", 0, "colour"), "red", "datasets.0.colour: Extra inputs are not permitted"),
        (
            ("datasets", 0, "kind"),
            "spontaneous",
            "datasets.0.kind: Input should be 'real', 'synthetic' or 'toy' (got 'spontaneous')",
        ),
        (("datasets", 0, "layout"), "zip", "datasets.0.layout"),
        (("datasets", 0, "title"), "", "datasets.0.title"),
        (("datasets", 0, "name"), "MEGC 2019", "datasets.0.name"),
        (("datasets", 0, "paths"), [], "a real data set needs paths"),
        (("datasets", 0, "label_map"), {"0": "happy"}, "datasets.0.label_map.0"),
        (("datasets", 0, "expected", "samples"), 443, "samples is 443, but the parts add up to 442"),
        (("datasets", 0, "expected", "subjects"), 67, "subjects is 67, but the parts add up to 68"),
        (("datasets", 0, "parts", "casme2", "apex_source"), "guessed", "parts.casme2.apex_source"),
        (("datasets", 0, "parts", "casme2", "subject_pattern"), "(", "is not a regular expression"),
        (
            ("datasets", 0, "parts", "casme3"),
            {"title": "x", "apex_source": "spotted", "subject_pattern": "x"},
            "parts",
        ),
        (("datasets", 1, "name"), "megc2019_flow", "occur twice: megc2019_flow"),
        (("datasets", -1, "kind"), "real", "kind toy and layout generated belong together"),
        (("datasets", 0, "kind"), "synthetic", "kind synthetic and layout synthetic belong together"),
        (("datasets", 2, "profile"), None, "a synthetic data set needs profile and annotations"),
        (("datasets", 0, "profile"), "demo", "a synthetic data set needs profile and annotations, and no other"),
        (("datasets", 2, "annotations"), "12ab", "datasets.2.annotations"),
        (("datasets",), [], "datasets"),
    ],
)
def test_each_breach_of_the_schema_is_named(tmp_path, content, place, value, told):
    with pytest.raises(ManifestError) as caught:
        load_manifest(write(tmp_path, change(content, place, value)))
    assert told in str(caught.value)


def test_all_breaches_are_named_at_once(tmp_path, content):
    changed = change(content, ("datasets", 0, "colour"), "red")
    changed = change(changed, ("datasets", 1, "kind"), "spontaneous")
    with pytest.raises(ManifestError) as caught:
        load_manifest(write(tmp_path, changed))
    assert "datasets.0.colour" in str(caught.value)
    assert "datasets.1.kind" in str(caught.value)


def test_manifest_cannot_be_changed_after_reading():
    entry = load_manifest(PROJECT_FILE).entry("toy_flow")
    with pytest.raises(ValidationError):
        entry.title = "Faces"


@pytest.mark.parametrize("text", ["datasets: [", "just words", ""])
def test_a_file_that_is_no_manifest_is_refused(tmp_path, text):
    path = tmp_path / "m.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ManifestError, match=r"m\.yaml"):
        load_manifest(path)


def test_a_missing_file_is_told_with_its_remedy(tmp_path):
    with pytest.raises(ManifestError, match="MER_MANIFEST"):
        load_manifest(tmp_path / "nowhere.yaml")


def test_an_unknown_name_is_answered_with_the_nearest_one():
    with pytest.raises(ParameterError, match=r"megc2019_flw.*Did you mean 'megc2019_flow'"):
        load_manifest(PROJECT_FILE).entry("megc2019_flw")


# --- where things lie


@pytest.mark.parametrize(
    ("variable", "place", "default"),
    [
        ("MER_DATA_ROOT", settings.data_root, "data"),
        ("MER_STORE", settings.store_root, "runs/store"),
        ("MER_SYNTHETIC", settings.synthetic_root, "data/synthetic"),
    ],
)
def test_folders_come_from_the_environment_else_from_the_working_directory(
    tmp_path, monkeypatch, variable, place, default
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(variable, raising=False)
    assert place() == tmp_path / default
    monkeypatch.setenv(variable, "")
    assert place() == tmp_path / default
    monkeypatch.setenv(variable, "elsewhere")
    assert place() == tmp_path / "elsewhere"


def test_a_subfolder_of_a_project_shares_its_data_and_its_store(tmp_path, monkeypatch):
    for variable in ("MER_DATA_ROOT", "MER_STORE", "MER_SYNTHETIC", "MER_MANIFEST"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "data_manifest.yaml").touch()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert settings.data_root() == tmp_path / "data"
    assert settings.store_root() == tmp_path / "runs" / "store"
    assert settings.synthetic_root() == tmp_path / "data" / "synthetic"


def test_synthetic_data_never_lie_under_the_root_of_licensed_data_that_somebody_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MER_SYNTHETIC", raising=False)
    monkeypatch.setenv("MER_DATA_ROOT", str(tmp_path / "licensed"))
    assert settings.synthetic_root() == tmp_path / "data" / "synthetic"


def test_manifest_is_found_from_a_subfolder_then_beside_the_package(tmp_path, monkeypatch):
    monkeypatch.delenv("MER_MANIFEST", raising=False)
    below = tmp_path / "notebooks" / "deep"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert settings.manifest_path() == PROJECT_FILE
    (tmp_path / "data_manifest.yaml").touch()
    assert settings.manifest_path() == tmp_path / "data_manifest.yaml"
    monkeypatch.setenv("MER_MANIFEST", str(tmp_path / "mine.yaml"))
    assert settings.manifest_path() == tmp_path / "mine.yaml"
