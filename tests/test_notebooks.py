"""The notebooks run headlessly, their parameters are what the code checks, and one that fails is named."""

from __future__ import annotations

import dataclasses
import io
import shutil

import nbformat
import pytest
from rich.console import Console

from mer_lib import datasets, headless, lab
from mer_lib.errors import ParameterError
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
}
# The fixture executes all notebooks, whichever test comes first.
pytestmark = pytest.mark.timeout(1500)
# They show clips alone, and make some where there are none.
WATCHING = ("02_apex_visualisation", "03_flow_and_strain", "04_region_crops", "12_mishin_angle_images")
SMOKE = {"profile": "smoke", "data": "toy_flow", "seeds": None, "jobs": 1, "device": "cpu"}


def notebooks() -> list:
    return sorted(headless.notebook_folder().glob("*.ipynb"))


def test_every_notebook_is_known_here() -> None:
    assert [path.stem for path in notebooks()] == list(MODELS)


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_declared_parameters_are_the_checked_ones_and_each_is_explained(path) -> None:
    declared = headless.notebook_parameters(path)
    assert set(declared) == set(MODELS[path.stem].model_fields)
    assert all(entry["help"] for entry in declared.values())


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_the_defaults_are_valid(path) -> None:
    defaults = {name: eval(entry["default"]) for name, entry in headless.notebook_parameters(path).items()}
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
    failures = headless.run_notebooks(SMOKE, [], folder / "out", console)
    yield folder / "out", failures, console.file.getvalue()
    patch.undo()


def test_all_notebooks_run_and_the_report_is_written(executed) -> None:
    out, failures, log = executed
    assert failures == []
    assert "Report:" in log
    assert (out / "report.html").stat().st_size > 100_000


@pytest.mark.parametrize("name", MODELS)
def test_executed_notebooks_are_kept_say_what_they_show_and_hold_figures(executed, name) -> None:
    notebook = nbformat.read(executed[0] / "notebooks" / f"{name}.ipynb", as_version=4)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert ("synthetic clips" if name in WATCHING else "toy flow maps") in str(outputs)
    assert not [output for output in outputs if output.output_type == "error"]


def test_a_data_root_that_holds_nothing_is_said(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MER_DATA_ROOT", str(tmp_path / "nowhere"))
    monkeypatch.setattr(headless, "execute", lambda notebook: "stopped here")
    asked, synthetic = [], dataclasses.replace(datasets.load("toy_flow"), kind="synthetic")
    monkeypatch.setattr(datasets, "ensure", lambda name, *options: asked.append(name))
    monkeypatch.setattr(headless, "write_report", lambda *given: tmp_path / "report.html")  # it looks for clips too
    monkeypatch.setattr(headless, "load", lambda name, **options: synthetic)
    console = Console(file=io.StringIO(), width=300)
    headless.run_notebooks({**SMOKE, "data": "best"}, [], tmp_path / "out", console)
    assert asked == ["best"]
    assert "does not exist: synthetic data are used" in console.file.getvalue()


def test_clips_in_the_data_root_that_are_not_taken_are_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MER_DATA_ROOT", str(tmp_path))
    miniatures.casme2(tmp_path / "CASME2", images=["raw"])
    synthetic = dataclasses.replace(datasets.load("toy_flow"), kind="synthetic")
    console = Console(file=io.StringIO(), width=300)
    headless._warn_of_lost_root(lab.validated({**SMOKE, "data": "best"}, lab.TrainingParameters), synthetic, console)
    assert "holds no flow maps, and clips are taken by their name alone (--data casme2)" in console.file.getvalue()


def test_the_last_figure_of_half_a_pixel_takes_recorded_clips_for_what_they_are(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MER_DATA_ROOT", str(tmp_path))
    miniatures.casme2(tmp_path / "CASME2", images=["raw"])
    notebook = nbformat.read(headless.notebook_folder() / "01b_half_a_pixel.ipynb", as_version=4)
    cells = {cell.id: cell.source for cell in notebook.cells}
    namespace = {"data": "casme2"}
    for name in ("01b-34", "01b-35"):
        exec(cells[name], namespace)
    assert "CASME II" in namespace["dataset"].label


def again(executed, console: Console, **options) -> list[str]:
    """Run everything once more; returns the states that the log gives the notebooks."""
    failures = headless.run_notebooks({**SMOKE, "jobs": 2}, [], executed[0], console, **options)
    assert failures == []
    lines = [line.split() for line in console.file.getvalue().splitlines()]
    return [words[0] for words in lines if words and words[-1].endswith(".ipynb")]


def test_what_is_still_true_is_not_executed_again(executed, monkeypatch) -> None:
    monkeypatch.setenv("MER_STORE", str(executed[0].parent / "store"))
    monkeypatch.setenv("MER_SYNTHETIC", str(executed[0].parent / "synthetic"))
    before = {path.name: path.read_bytes() for path in (executed[0] / "notebooks").glob("*.ipynb")}
    monkeypatch.setattr(headless, "execute", lambda notebook: pytest.fail("executed again"))
    assert again(executed, Console(file=io.StringIO(), width=300)) == ["kept"] * len(MODELS)
    assert {path.name: path.read_bytes() for path in (executed[0] / "notebooks").glob("*.ipynb")} == before


@pytest.mark.parametrize("change", ["lost fold", "half a copy", "library", "annotation", "fresh"])
def test_what_may_have_changed_is_executed_again(executed, tmp_path, monkeypatch, change) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(executed[0].parent, copy, ignore=shutil.ignore_patterns("synthetic", "cache"))
    monkeypatch.setenv("MER_STORE", str(copy / "store"))
    monkeypatch.setenv("MER_SYNTHETIC", str(executed[0].parent / "synthetic"))
    target = copy / "out" / "notebooks" / "10_htnet.ipynb"
    if change == "lost fold":
        for fold in (copy / "store").glob("htnet-*/seed0-fold001.parquet"):  # other notebooks show an HTNet, too
            fold.unlink()
    elif change == "half a copy":
        target.write_bytes(target.read_bytes()[:1000])
    elif change == "library":
        monkeypatch.setattr(headless, "_seal_of", lambda notebook, dataset: "another library")
    elif change == "annotation":
        monkeypatch.setattr(headless, "traces", lambda: ["casme2: another workbook"])
    run = []
    monkeypatch.setattr(headless, "execute", lambda notebook: run.append(notebook.source.stem) or "stopped here")
    headless.run_notebooks(SMOKE, [], copy / "out", Console(file=io.StringIO()), fresh=change == "fresh")
    assert "10_htnet" in run


def test_an_unknown_parameter_fails_before_the_kernel_starts(tmp_path) -> None:
    notebook = headless.NotebookRun(notebooks()[0], tmp_path / "out.ipynb", {"profle": "smoke"})
    with pytest.raises(ParameterError, match="did you mean 'profile'"):
        headless.execute(notebook)
    assert not (tmp_path / "out.ipynb").exists()


def test_plan_takes_only_the_notebooks_that_show_an_experiment(tmp_path) -> None:
    runs = headless.plan_notebooks(tmp_path, lab.TrainingParameters(**SMOKE), ["htnet.table4", "htnet.fig5"])
    assert [run.source.stem for run in runs] == ["10_htnet"]
    assert runs[0].parameters["experiments"] == ["htnet.table4", "htnet.fig5"]
    assert runs[0].target.name == "10_htnet.htnet.table4+htnet.fig5.ipynb"  # the whole one stays


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("raise ValueError('broken on purpose')", "ValueError: broken on purpose"),
        ("import os; os.kill(os.getpid(), 9)", "DeadKernelError"),
    ],
)
def test_a_notebook_that_fails_is_named_kept_and_does_not_stop_the_others(tmp_path, monkeypatch, source, words) -> None:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    cell = nbformat.v4.new_code_cell('profile = "smoke"  # which\ndata = "toy_flow"  # which')
    cell.metadata["tags"] = ["parameters"]
    for name, code in (("00_breaks", source), ("01_works", "print(profile)")):
        notebook = nbformat.v4.new_notebook(cells=[cell, nbformat.v4.new_code_cell(code)])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, folder / f"{name}.ipynb")
    monkeypatch.setattr(headless, "notebook_folder", lambda: folder)
    failures = headless.run_notebooks(SMOKE, [], tmp_path / "out", Console(file=io.StringIO()))
    assert len(failures) == 1
    assert f"00_breaks.ipynb: {words}" in failures[0]
    assert (tmp_path / "out/notebooks/00_breaks.ipynb").exists()
    assert "smoke" in (tmp_path / "out/notebooks/01_works.ipynb").read_text()


def test_a_parameter_that_papermill_injects_under_a_wrong_name_stops_the_notebook(tmp_path) -> None:
    import papermill

    source = shutil.copy(notebooks()[0], tmp_path / "00_start_here.ipynb")
    with pytest.raises(papermill.PapermillExecutionError, match="did you mean 'profile'"):
        papermill.execute_notebook(
            str(source), str(tmp_path / "out.ipynb"), {"profle": "smoke"}, progress_bar=False, log_output=False
        )
