"""The notebooks run headlessly, their parameters are what the code checks, and one that fails is named."""

from __future__ import annotations

import dataclasses
import io
import shutil

import nbformat
import pytest
from rich.console import Console

from mer_lib import datasets, lab
from mer_lib.errors import ParameterError
from mer_lib.papers.paper_set import paper_set
from mer_lib.running import data, notebooks, runner, seals
from mer_lib.running.side_by_side import execute_all
from mer_lib.running.training import Trained
from tests import miniatures

MODELS = {
    "00_start_here": lab.NotebookParameters,
    "01_data_exploration": lab.ExplorationParameters,
    "01b_half_a_pixel": lab.NotebookParameters,
    "02_apex_visualisation": lab.ExplorationParameters,
    "03_flow_and_strain": lab.ExplorationParameters,
    "04_region_crops": lab.ExplorationParameters,
    "05_train_and_evaluate": lab.TrainingParameters,
    "10_htnet": lab.ExperimentParameters,
    "11_capsulenet": lab.ExperimentParameters,
    "12_mishin_angle_images": lab.ExperimentParameters,
    "13_da_crossvit": lab.ExperimentParameters,
    "14_mfem_mffm": lab.ExperimentParameters,
    "15_baselines": lab.ExperimentParameters,
    "20_paper_set": lab.TrainingParameters,
    "21_could_this_number_exist": lab.NotebookParameters,
    "22_optimism_gap": lab.TrainingParameters,
}
# The fixture executes all notebooks, whichever test comes first.
pytestmark = pytest.mark.timeout(1500)
# They show clips alone, and make some where there are none.
WATCHING = ("02_apex_visualisation", "03_flow_and_strain", "04_region_crops", "12_mishin_angle_images")
# It shows printed numbers alone.
READING = ("21_could_this_number_exist",)
SMOKE = {"profile": "smoke", "data": "toy_flow", "seeds": None, "jobs": 1, "device": "cpu"}


def files() -> list:
    return sorted(notebooks.notebook_folder().glob("*.ipynb"))


def test_every_notebook_is_known_here() -> None:
    assert [path.stem for path in files()] == list(MODELS)


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_declared_parameters_are_the_checked_ones_and_each_is_explained(path) -> None:
    declared = notebooks.notebook_parameters(path)
    assert set(declared) == set(MODELS[path.stem].model_fields)
    assert all(entry["help"] for entry in declared.values())


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_the_defaults_are_valid(path) -> None:
    defaults = {name: eval(entry["default"]) for name, entry in notebooks.notebook_parameters(path).items()}
    lab.validated(defaults, MODELS[path.stem])


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Execute every notebook once, under profile smoke on toy data, the clips that some of them need being there."""
    folder = tmp_path_factory.mktemp("run")
    patch = pytest.MonkeyPatch()
    patch.setenv("MER_STORE", str(folder / "store"))
    patch.setenv("MER_SYNTHETIC", str(folder / "synthetic"))
    patch.setenv("MER_CACHE", str(folder / "cache"))
    datasets.ensure("synthetic_smoke", jobs=2)
    console = Console(file=io.StringIO(), width=200)
    outcome = runner.run(runner.request(SMOKE, out=folder / "out"), console)
    yield folder / "out", outcome, console.file.getvalue()
    patch.undo()


def test_all_notebooks_run_and_the_report_is_written(executed) -> None:
    out, outcome, _ = executed
    assert outcome.failed == []
    assert outcome.left_out == {}
    assert outcome.report == out / "report.html"
    assert outcome.report.stat().st_size > 100_000


@pytest.mark.parametrize("name", MODELS)
def test_executed_notebooks_are_kept_say_what_they_show_and_hold_figures(executed, name) -> None:
    notebook = nbformat.read(executed[0] / "notebooks" / f"{name}.ipynb", as_version=4)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    data = "synthetic clips" if name in WATCHING else "toy flow maps"
    assert data in str(outputs) or name in READING
    assert not [output for output in outputs if output.output_type == "error"]


def test_a_data_root_that_holds_nothing_is_said(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MER_DATA_ROOT", str(tmp_path / "nowhere"))
    synthetic = dataclasses.replace(datasets.load("toy_flow"), kind="synthetic")
    console = Console(file=io.StringIO(), width=300)
    data.warn_of_lost_root(lab.validated({**SMOKE, "data": "best"}, lab.TrainingParameters), synthetic, console)
    assert "does not exist: synthetic data are used" in console.file.getvalue()


def test_clips_in_the_data_root_that_are_not_taken_are_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MER_DATA_ROOT", str(tmp_path))
    miniatures.casme2(tmp_path / "CASME2", images=["raw"])
    synthetic = dataclasses.replace(datasets.load("toy_flow"), kind="synthetic")
    console = Console(file=io.StringIO(), width=300)
    data.warn_of_lost_root(lab.validated({**SMOKE, "data": "best"}, lab.TrainingParameters), synthetic, console)
    assert "holds no flow maps, and clips are taken by their name alone (--data casme2)" in console.file.getvalue()


def test_the_last_figure_of_half_a_pixel_takes_recorded_clips_for_what_they_are(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MER_DATA_ROOT", str(tmp_path))
    miniatures.casme2(tmp_path / "CASME2", images=["raw"])
    notebook = nbformat.read(notebooks.notebook_folder() / "01b_half_a_pixel.ipynb", as_version=4)
    cells = {cell.id: cell.source for cell in notebook.cells}
    namespace = {"data": "casme2"}
    for name in ("01b-34", "01b-35"):
        exec(cells[name], namespace)
    assert "CASME II" in namespace["dataset"].label


def test_what_is_still_true_is_not_executed_again(executed, monkeypatch) -> None:
    out = executed[0]
    monkeypatch.setenv("MER_STORE", str(out.parent / "store"))
    monkeypatch.setenv("MER_SYNTHETIC", str(out.parent / "synthetic"))
    monkeypatch.setenv("MER_CACHE", str(out.parent / "cache"))
    before = {path: path.read_bytes() for path in [out / "report.html", *(out / "notebooks").glob("*.ipynb")]}
    monkeypatch.setattr(runner, "execute_all", lambda waiting, *told: iter([pytest.fail("again")] if waiting else []))
    monkeypatch.setattr(runner, "write_report", lambda *given: pytest.fail("written again"))
    outcome = runner.run(runner.request({**SMOKE, "jobs": 2}, out=out), Console(file=io.StringIO()))
    assert (outcome.failed, outcome.trained.computed) == ([], 0)
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("change", ["lost fold", "half a copy", "library", "annotation", "fresh"])
def test_what_may_have_changed_is_executed_again(executed, tmp_path, monkeypatch, change) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(executed[0].parent, copy, ignore=shutil.ignore_patterns("synthetic", "cache"))
    monkeypatch.setenv("MER_STORE", str(copy / "store"))
    monkeypatch.setenv("MER_SYNTHETIC", str(executed[0].parent / "synthetic"))
    monkeypatch.setenv("MER_CACHE", str(executed[0].parent / "cache"))
    target = copy / "out" / "notebooks" / "10_htnet.ipynb"
    if change == "lost fold":
        for fold in (copy / "store").glob("htnet-*/seed0-fold001.parquet"):  # other notebooks show an HTNet, too
            fold.unlink()
        monkeypatch.setattr(runner, "train", lambda plan, *given: Trained())
    elif change == "half a copy":
        target.write_bytes(target.read_bytes()[:1000])
    elif change == "library":
        monkeypatch.setattr(runner, "surroundings", lambda *given: "another library")
    elif change == "annotation":
        monkeypatch.setattr(seals, "traces", lambda: ["casme2: another workbook"])
    began = []
    monkeypatch.setattr(runner, "execute_all", lambda waiting, *told: began.extend(waiting) or iter(()))
    monkeypatch.setattr(runner, "write_report", lambda *given: (copy / "out/report.html").touch())
    asked = runner.request(SMOKE, out=copy / "out", fresh=change == "fresh")
    runner.run(asked, Console(file=io.StringIO()))
    assert "10_htnet" in [notebook.source.stem for notebook in began]


def test_an_unknown_parameter_fails_before_a_process_starts(tmp_path) -> None:
    notebook = notebooks.NotebookRun(files()[0], tmp_path / "out.ipynb", {"profle": "smoke"})
    with pytest.raises(ParameterError, match="did you mean 'profile'"):
        next(execute_all([notebook], 1, pytest.fail, pytest.fail))


def test_plan_takes_only_the_notebooks_that_show_an_experiment(tmp_path) -> None:
    runs = notebooks.plan_notebooks(tmp_path, lab.TrainingParameters(**SMOKE), ["htnet.table4", "htnet.fig5"])
    assert [run.source.stem for run in runs] == ["10_htnet"]
    assert runs[0].parameters["experiments"] == ["htnet.table4", "htnet.fig5"]
    assert runs[0].target.name == "10_htnet.htnet.table4+htnet.fig5.ipynb"  # the whole one stays


def test_all_papers_are_shown_by_their_notebooks_and_by_those_across_them(tmp_path) -> None:
    runs = notebooks.plan_notebooks(tmp_path, lab.TrainingParameters(**SMOKE), list(paper_set()))
    names = [run.source.stem for run in runs]
    assert names[:5] == ["10_htnet", "11_capsulenet", "12_mishin_angle_images", "13_da_crossvit", "14_mfem_mffm"]
    assert names[5:] == ["20_paper_set", "21_could_this_number_exist", "22_optimism_gap"]
    assert [run.reads_all for run in runs] == [False] * 5 + [True] * 3
    shown = [name for run in runs for name in run.shown]
    assert [name for name in shown if name in paper_set()] == [
        name for name, entry in paper_set().items() if entry.experiment
    ]
    assert runs[0].target.name == "10_htnet.papers.ipynb"


def test_a_parameter_that_papermill_injects_under_a_wrong_name_stops_the_notebook(tmp_path) -> None:
    import papermill

    source = shutil.copy(files()[0], tmp_path / "00_start_here.ipynb")
    with pytest.raises(papermill.PapermillExecutionError, match="did you mean 'profile'"):
        papermill.execute_notebook(
            str(source), str(tmp_path / "out.ipynb"), {"profle": "smoke"}, progress_bar=False, log_output=False
        )
