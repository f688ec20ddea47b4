"""Notebook parameters are checked before any work, and a session trains and measures."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest

from mer_lib import datasets, lab
from mer_lib.datasets.faults import Fault
from mer_lib.errors import DataError, ParameterError
from mer_lib.papers.experiments import experiments
from mer_lib.plots.exploration import showing
from tests import miniatures

GOOD = {
    "experiments": ["htnet.table4"],
    "profile": "smoke",
    "data": "toy_flow",
    "seeds": None,
    "jobs": 1,
    "device": "cpu",
}


def test_good_parameters_pass_and_patterns_are_resolved() -> None:
    checked = lab.check_parameters({**GOOD, "experiments": ["htnet.fig*"]}, lab.ExperimentParameters)
    assert checked.experiments == ["htnet.fig7", "htnet.fig5", "htnet.fig6"]


def test_what_a_notebook_holds_besides_parameters_is_no_fault() -> None:
    namespace = {**GOOD, "lab": lab, "pd": pd, "In": [], "Out": {}, "_": 1, "__name__": "x", "get_ipython": print}
    assert lab.check_parameters(namespace, lab.ExperimentParameters).jobs == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"profle": "quick"}, "profle: no such parameter; did you mean 'profile'?"),
        ({"profile": "fast"}, "'smoke', 'quick' or 'paper'"),
        ({"jobs": "2"}, "jobs"),
        ({"jobs": 0}, "greater than or equal to 1"),
        ({"jobs": True}, "jobs"),
        ({"seeds": [0.5]}, "seeds"),
        ({"seeds": "0"}, "seeds"),
        ({"seeds": []}, "different whole numbers"),
        ({"seeds": [0, 0]}, "different whole numbers"),
        ({"device": "gpu"}, "device: expected one of"),
        ({"data": "megc"}, "data: expected one of best, megc2019_flow"),
        ({"experiments": ["htnet.tabel4"]}, "did you mean 'htnet.table4'"),
        ({"experiments": []}, "at least 1"),
        ({"grid": {"of": "htnet.fig6"}}, "name: Field required"),
        ({"grid": "nowhere.yaml"}, "path of a YAML file, got nowhere.yaml"),
    ],
)
def test_each_wrong_parameter_is_named(change: dict, words: str) -> None:
    with pytest.raises(ParameterError, match="nothing was run") as caught:
        lab.check_parameters({**GOOD, **change}, lab.ExperimentParameters)
    assert words in str(caught.value)
    assert "Value error" not in str(caught.value)


def test_all_wrong_parameters_are_named_at_once() -> None:
    with pytest.raises(ParameterError) as caught:
        lab.check_parameters({**GOOD, "jobs": 0, "profile": "fast", "sedes": [1]}, lab.ExperimentParameters)
    assert all(name in str(caught.value) for name in ("jobs", "profile", "sedes"))


def test_a_notebook_can_be_run_again_in_the_same_kernel() -> None:
    namespace = dict(GOOD)
    lab.start(namespace, lab.ExperimentParameters)
    namespace.update(first="casme2/a/b", name="htnet.fig5", measurements={}, measured=object(), jobs_by_method={})
    assert lab.start(namespace, lab.ExperimentParameters).parameters.jobs == 1
    namespace["profil"] = "quick"
    with pytest.raises(ParameterError, match="did you mean 'profile'"):
        lab.start(namespace, lab.ExperimentParameters)


def test_a_missing_parameter_is_named() -> None:
    given = {name: value for name, value in GOOD.items() if name != "jobs"}
    with pytest.raises(ParameterError, match="jobs: Field required"):
        lab.check_parameters(given, lab.ExperimentParameters)


def test_matching_names_every_pattern_that_finds_nothing() -> None:
    with pytest.raises(ParameterError) as caught:
        lab.matching(["htnet.*", "foo.bar", "lab.frist_comparison"])
    assert "'foo.bar'" in str(caught.value)
    assert "did you mean 'lab.first_comparison'" in str(caught.value)


@pytest.fixture
def progress_file(tmp_path, monkeypatch):
    path = tmp_path / "progress.jsonl"
    monkeypatch.setenv(lab.PROGRESS_FILE, str(path))
    return path


@pytest.mark.filterwarnings("ignore::mer_lib.evaluation.crossval.FoldWarning")
def test_a_session_measures_tells_its_progress_and_reads_the_store_the_second_time(progress_file) -> None:
    session = lab.start({**GOOD, "experiments": ["htnet.fig7"]}, lab.ExperimentParameters)
    first = session.measure("htnet.fig7")
    told = [json.loads(line) for line in progress_file.read_text().splitlines()]
    assert [event["done"] for event in told] == list(range(1, told[0]["total"] + 1))
    assert "toy" in first.caption
    progress_file.write_text("")
    second = session.measure("htnet.fig7")
    assert progress_file.read_text() == ""  # nothing was computed again
    pd.testing.assert_frame_equal(first.scores, second.scores)


GRID = {
    "name": "softness",
    "of": "lab.first_comparison",
    "variant": "linear SVM",
    "vary": {"model.params.C": [0.1, 1.0]},
}


def test_a_grid_of_ones_own_is_kept_measured_after_the_others_and_found_again() -> None:
    session = lab.start({**GOOD, "grid": str(GRID)}, lab.ExperimentParameters)
    assert session.experiments == ["htnet.table4", "own.softness"]
    measured = session.measure("own.softness")
    assert list(measured.variants) == ["class prior", "C=0.1", "C=1.0"]
    again = lab.start({**GOOD, "experiments": ["own.*"]}, lab.ExperimentParameters)
    assert again.experiments == ["own.softness"]
    pd.testing.assert_frame_equal(again.measure("own.softness").scores, measured.scores)
    alone = lab.start({**GOOD, "experiments": [], "grid": GRID}, lab.ExperimentParameters)
    assert alone.experiments == ["own.softness"]


def test_a_grid_that_cannot_be_run_stops_a_notebook_before_anything_is_kept() -> None:
    with pytest.raises(ParameterError, match="softness=1: .*unexpected keyword argument"):
        lab.start({**GOOD, "grid": {**GRID, "vary": {"model.params.softness": [1]}}}, lab.ExperimentParameters)
    assert "own.softness" not in experiments()


def test_a_variant_that_fails_is_named_and_the_others_are_measured() -> None:
    """A negative penalty is refused when the machine is fitted, not before."""
    broken = {**GRID, "name": "broken", "vary": {"model.params.C": [0.1, -1.0]}}
    session = lab.start({**GOOD, "experiments": [], "grid": broken}, lab.ExperimentParameters)
    with pytest.warns(lab.VariantWarning, match=r"(?s)own.broken: 1 variants are left out:.*C=-1.0: .*'C' parameter"):
        measured = session.measure("own.broken")
    assert list(measured.variants) == ["class prior", "C=0.1"]
    assert set(measured.scores["variant"]) == {"class prior", "C=0.1"}


def test_a_notebook_without_training_parameters_cannot_train() -> None:
    session = lab.start({"profile": "smoke", "data": "toy_flow"}, lab.NotebookParameters)
    with pytest.raises(ParameterError, match="cannot train"):
        session.measure("htnet.fig7")


def test_the_first_cell_may_be_run_again_after_others() -> None:
    namespace = {"profile": "smoke", "data": "toy_flow"}
    lab.check_parameters(namespace, lab.NotebookParameters)
    namespace["small"] = 1  # a later cell's own name
    assert lab.check_parameters(namespace, lab.NotebookParameters).data == "toy_flow"


def test_a_notebook_that_explores_takes_a_folder_and_names_a_misspelt_data_set(tmp_path) -> None:
    given = {"profile": "smoke", "data": str(tmp_path)}
    assert lab.check_parameters(given, lab.ExplorationParameters).data == str(tmp_path)
    with pytest.raises(ParameterError, match="data: expected one of best, megc2019_flow"):
        lab.check_parameters({"profile": "smoke", "data": "megc"}, lab.ExplorationParameters)


def test_exploring_one_data_set_opens_it_alone() -> None:
    found = lab.explore({"profile": "smoke", "data": "toy_flow"})
    assert [dataset.name for dataset in found.datasets] == ["toy_flow"]
    assert [collection.kind for collection in found.collections] == ["toy"]
    assert found.caption == "TOY DATA · toy flow maps (generated, not faces)"


def test_exploring_one_data_set_makes_it_where_it_can_be_made(monkeypatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(datasets, "ensure", lambda name, *options, **more: made.append(name))
    lab.explore({"profile": "smoke", "data": "toy_flow"})
    assert made == ["toy_flow"]


def test_a_folder_that_holds_nothing_known_is_refused(tmp_path) -> None:
    with pytest.raises(DataError, match="expected videos, folders of images"):
        lab.explore({"profile": "smoke", "data": str(tmp_path)})


def test_a_notebook_lists_the_samples_that_its_numbers_do_not_rest_on() -> None:
    session = lab.start({"profile": "smoke", "data": "toy_flow"}, lab.NotebookParameters)
    assert session.excluded == "No sample is excluded."
    fault = Fault("excludes", "file", "its map is missing", "toya/01/lost")
    lacking = replace(session, dataset=replace(session.dataset, faults=(fault,)))
    shown = lacking.excluded.to_html()
    for text in ("1 samples of Toy flow maps are excluded", "toya/01/lost", "its map is missing", "TOY DATA"):
        assert text in shown


def test_exploring_everything_names_what_cannot_be_used_and_goes_on(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MER_DATA_ROOT", str(tmp_path))
    miniatures.casme2(tmp_path / "CASME2", images=False)
    miniatures.samm(tmp_path / "SAMM", images=False)
    (tmp_path / "SAMM" / miniatures.SAMM_FILE).write_text("no workbook")
    found = lab.explore({"profile": "smoke", "data": "best"})
    assert [dataset.name for dataset in found.datasets] == ["casme2"]
    assert "SAMM" in found.unusable[0]
    shown: list[object] = []
    monkeypatch.setattr(showing, "display", shown.append)
    found.table("overview")
    assert shown[0].data.startswith("**Here, but not usable:**")
    assert found.unusable[0] in shown[0].data
    with pytest.raises(DataError, match="SAMM"):
        lab.explore({"profile": "smoke", "data": "samm"})


def test_what_cannot_be_used_is_named_once_where_synthetic_data_are_made_instead(monkeypatch) -> None:
    made: list[str] = []

    def present(unusable: list[str]) -> list[object]:
        unusable.append("SAMM: no workbook")
        return [datasets.load("toy_flow")] if made else []

    monkeypatch.setattr(datasets, "present", present)
    monkeypatch.setattr(datasets, "ensure", lambda name, *options, **more: made.append(name))
    assert lab.explore({"profile": "smoke", "data": "best"}).unusable == ["SAMM: no workbook"]
