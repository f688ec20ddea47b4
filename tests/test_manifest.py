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
ENTRIES = load_manifest(PROJECT_FILE).names
SYNTHETIC, SAMM = ENTRIES.index("synthetic_course"), ENTRIES.index("samm")


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
    recorded = ("megc2019", "casme2", "samm", "smic", "casme3")
    assert manifest.names == (*real, *recorded, "synthetic_course", "synthetic_demo", "synthetic_smoke", "toy_flow")
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


def test_counts_of_the_label_sets_follow_from_the_editions_and_the_rules():
    manifest = load_manifest(PROJECT_FILE)
    part_of = {part: entry for entry in manifest.datasets if entry.editions for part in entry.parts}
    lost = {("casme2", "negative"): 2}  # the two clips without a usable apex
    checked = 0
    for name, label_set in manifest.label_sets.items():
        for part, rule in label_set.parts.items():
            for counts in rule.counts:
                edition = next(e for e in part_of[part].editions if e.name == counts.edition)
                for label, number in counts.classes.items():
                    of_class = [emotion for emotion, to in rule.emotions.items() if to == label]
                    expected = sum(edition.emotions.get(emotion, 0) for emotion in of_class)
                    assert number == expected - (lost.get((part, label), 0) if rule.needs_apex else 0), (name, label)
                    checked += 1
                known = {*rule.emotions, *rule.dropped}
                assert set(edition.emotions) <= known, name
    assert checked == 40


def test_the_composite_expects_what_its_rules_give():
    manifest = load_manifest(PROJECT_FILE)
    rules = manifest.label_sets["megc2019"].parts
    for part, expected in manifest.entry("megc2019").expected.parts.items():
        assert rules[part].counts[0].classes == {c: getattr(expected, c) for c in ("negative", "positive", "surprise")}
        assert rules[part].counts[0].subjects == expected.subjects


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
        (("datasets", 0, "paths"), [], "a data set of flow maps needs paths"),
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
        (("datasets", SYNTHETIC, "profile"), None, "a synthetic data set needs profile and annotations"),
        (("datasets", 0, "profile"), "demo", "a synthetic data set needs profile and annotations, and no other"),
        (("datasets", SYNTHETIC, "annotations"), "12ab", f"datasets.{SYNTHETIC}.annotations"),
        (("datasets", SAMM, "label_set"), "", "needs a label_set"),
        (("datasets", SAMM, "label_set"), "megc", "samm: there is no label set 'megc'"),
        (("datasets", 0, "label_set"), "megc2019", "and no other has one"),
        (("datasets", 2, "of"), [], "names the data sets it is made of"),
        (("datasets", 2, "of"), ["casme2", "casme9"], "do not exist: casme9"),
        (("datasets", SAMM, "corrections", 0, "sample_id"), "smic/s01/s01_ne_01", "of another data set: smic/s01"),
        (("datasets", SAMM, "corrections", 0, "new"), "early", "old and new of apex must be int"),
        (("datasets", SAMM, "corrections", 0, "field"), "subject", "corrections.0.field"),
        (("datasets", SAMM, "editions", 0, "samples"), 160, "samples is 160, but the emotions add up to 159"),
        (("label_sets", "megc2019", "parts", "samm", "dropped"), ["anger"], "have a class and are dropped: anger"),
        (("label_sets", "megc2019", "classes"), ["negative", "positive"], "surprise are not among the classes"),
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
