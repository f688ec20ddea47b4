"""Execute the notebooks without a person in front of them, show how far they are, and write the report."""

from __future__ import annotations

import ast
import fnmatch
import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import papermill
from papermill.exceptions import PapermillExecutionError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from mer_lib import atomic, datasets, settings
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.datasets.presence import find
from mer_lib.datasets.traces import traces
from mer_lib.errors import DataError, ParameterError, StoreError
from mer_lib.evaluation.crossval import FoldEvent, plan
from mer_lib.evaluation.store import PredictionStore
from mer_lib.features import report, takes_maps
from mer_lib.features.loading import load
from mer_lib.features.report import Listener as ClipListener
from mer_lib.lab import PROGRESS_FILE, TrainingParameters, matching, validated
from mer_lib.papers.choice import Choice, experiment_of
from mer_lib.papers.data_used import data_for
from mer_lib.papers.experiments import experiment, experiments, known
from mer_lib.papers.measure import Measurement, jobs_of, measure, run_experiment
from mer_lib.report import NotebookRecord, build

# Of every progress bar.
_COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
    TextColumn("left"),
    TimeRemainingColumn(),
)


@dataclass(frozen=True)
class NotebookRun:
    """One notebook to execute: its file, where the executed copy goes, its parameters."""

    source: Path
    target: Path
    parameters: dict[str, Any]


def run_notebooks(
    parameters: Mapping[str, Any],
    wanted: Sequence[str],
    out: Path | None,
    console: Console,
    fresh: bool = False,
) -> list[str]:
    """Execute the notebooks that show `wanted` (all where empty), then write the report.

    A notebook that fails does not stop the others; its executed copy ends with the traceback. A notebook whose last
    copy is still true is not executed again: same notebook, parameters, data and library, and every fold that it shows
    is in the store. `fresh` executes it all the same.

    Returns:
        One line for each notebook that failed.

    Raises:
        ParameterError, DataError: parameters, experiments or data are not as they should be; nothing was run.
    """
    checked = validated(parameters, TrainingParameters)
    dataset = load_data(checked.data, checked.jobs, console)
    folder = out or default_folder(checked)
    runs = plan_notebooks(folder / "notebooks", checked, wanted)
    console.print(f"{dataset.label}, profile {checked.profile}: {len(runs)} notebooks", highlight=False)
    _warn_of_lost_root(checked, dataset, console)
    records = []
    for notebook in runs:
        state, error = "kept", ""
        if fresh or not still_true(notebook, checked, dataset):
            if not console.is_terminal:  # no progress line will be seen
                console.print(f"  running {notebook.source.name}", highlight=False)
            with _shown_progress(notebook.source.stem, console):
                error = execute(notebook)
            state = "failed" if error else "done"
            if not error:
                _seal(notebook, dataset)
        records.append(NotebookRecord(notebook.source.name, notebook.target.absolute(), error))
        console.print(f"  {state:6} {notebook.target}", highlight=False, soft_wrap=True)
    path = write_report(parameters, (), out, records)
    console.print(f"Report: {path}", highlight=False, soft_wrap=True)
    return [f"{record.name}: {record.error} (see {record.path})" for record in records if record.error]


def _warn_of_lost_root(parameters: TrainingParameters, dataset: FlowMapDataset, console: Console) -> None:
    """Say so where somebody names a data root and no real data are taken all the same."""
    named = os.environ.get("MER_DATA_ROOT")
    if named and parameters.data == datasets.BEST and dataset.kind != "real":
        clips = [entry.name for entry in datasets.available() if entry.kind == "real" and "frames" in entry.offers]
        why = "holds none of the real data sets" if Path(named).is_dir() else "does not exist"
        if clips:
            why = f"holds no flow maps, and clips are taken by their name alone (--data {clips[0]})"
        console.print(
            f"MER_DATA_ROOT={named} {why}: {dataset.kind} data are used. See `mer data check`.", style="yellow"
        )


def ensure_data(name: str, jobs: int, console: Console) -> None:
    """Make synthetic data if `name` needs them and they are not there, with a progress bar on `console`.

    Raises:
        ParameterError, DataError, RunError: see :func:`mer_lib.datasets.ensure`.
    """
    with making_progress(console) as (listener, announce):
        datasets.ensure(name, jobs, listener, announce)


def load_data(name: str, jobs: int, console: Console) -> FlowMapDataset:
    """Load flow maps, with a progress bar on `console` where clips or maps have to be made for it.

    Raises:
        ParameterError, DataError, RunError: see :func:`mer_lib.datasets.ensure` and :func:`load_maps`.
    """
    ensure_data(name, jobs, console)
    return load_maps(name, jobs, console)


def load_maps(name: str, jobs: int, console: Console) -> FlowMapDataset:
    """Load flow maps that are here, with a progress bar on `console` where they are computed from recorded clips.

    Raises:
        ParameterError, DataError, RunError: see :func:`mer_lib.features.loading.load`.
    """
    with _progress(console) as progress:
        return load(name, jobs=jobs, listener=_clip_bar(progress, "computing flow maps"))


def _progress(console: Console) -> Progress:
    return Progress(*_COLUMNS, console=console, transient=True, disable=not console.is_terminal)


def _clip_bar(progress: Progress, text: str) -> ClipListener:
    """Return a listener whose bar is seen once a first clip had to be made."""
    bar = progress.add_task(text, total=None, visible=False)

    def listener(done: int, total: int, sample_id: str) -> None:
        progress.update(bar, completed=done, total=total, visible=done < total)

    return listener


@contextmanager
def making_progress(console: Console) -> Iterator[tuple[Callable[[int, int, str], None], Callable[[str], None]]]:
    """Yield what :func:`mer_lib.datasets.synthetic.making.make` tells its progress to; a bar shows it."""
    with _progress(console) as progress:
        bar = progress.add_task("making clips", total=None, visible=False)

        def announce(text: str) -> None:
            console.print(text, highlight=False, soft_wrap=True)
            progress.update(bar, visible=True)

        def listener(done: int, total: int, name: str) -> None:
            progress.update(bar, completed=done, total=total, description=f"making {name}")

        yield listener, announce


def default_folder(parameters: TrainingParameters) -> Path:
    """Return the folder of report and notebooks: one for each data set and profile, beside the store."""
    name = find(parameters.data).entry.name
    return settings.store_root().parent / f"{name}-{parameters.profile}"


def write_report(
    parameters: Mapping[str, Any],
    wanted: Sequence[str],
    out: Path | None,
    notebooks: Sequence[NotebookRecord] = (),
) -> Path:
    """Write `report.html` from what the store holds, and return its path; what is missing is named in it."""
    checked = validated(parameters, TrainingParameters)
    dataset, store = load(checked.data), _store()
    measurements: list[Measurement] = []
    missing: list[str] = []
    for name in matching(wanted) if wanted else experiments():
        try:
            data = data_of(name, checked.profile, dataset)
            measurements.append(measure(experiment(name), checked.profile, data, store, seeds=checked.seeds))
        except (StoreError, DataError, ParameterError):  # running it, as the report advises, says what is wrong
            missing.append(name)
    path = (out or default_folder(checked)).absolute() / "report.html"
    options = f"--profile {checked.profile} --data {dataset.name}"
    return build(measurements, missing, path, notebooks, options)


def train_choice(
    choice: Choice, profile: str, data: str | None, seeds: Sequence[int] | None, jobs: int, console: Console
) -> Measurement:
    """Train on chosen features what the store lacks, with progress bars, and return the measurement.

    How the features came about, such as on how many clips no face was found, is said on `console`.

    Args:
        choice: the features, and the data set that they were chosen on.
        profile: ``"smoke"``, ``"quick"`` or ``"paper"``.
        data: another data set than that.
        seeds: the profile's own where None.
        jobs: folds side by side.
        console: where the bars are shown.

    Raises:
        ParameterError, DataError, RunError: nothing can be trained, or something failed.
    """
    name, asked = data or choice.data, experiment_of(choice)
    dataset, store = load_data(name, jobs, console), _store()
    with _progress(console) as progress:
        looked_at = _clip_bar(progress, "computing features")
        bar = progress.add_task(f"computing {choice.name}", total=None)

        def listener(event: FoldEvent, done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total, description=event.task.job_label)

        run_experiment(
            asked, profile, dataset, store, seeds=seeds, n_jobs=jobs, listener=listener, clip_listener=looked_at
        )
    if not takes_maps(choice.features):
        used = report(choice.features, dataset, jobs=jobs)
        console.print(f"{choice.name}: {used}", highlight=False, markup=False, soft_wrap=True)
    return measure(asked, profile, dataset, store, seeds=seeds)


# -- notebooks --------------------------------------------------------------------------------------------------------


def notebook_folder() -> Path:
    """Return the folder of the notebooks, with ParameterError where there is none."""
    folder = settings.project_root() / "notebooks"
    if not folder.is_dir():
        raise ParameterError(f"notebooks: expected the folder {folder}; run inside a clone of the repository")
    return folder


def plan_notebooks(target: Path, parameters: TrainingParameters, wanted: Sequence[str] = ()) -> list[NotebookRun]:
    """Return the notebooks to execute, in reading order, each with its parameters.

    Args:
        target: folder of the executed copies.
        parameters: handed to every notebook that takes them.
        wanted: experiment ids or patterns; empty runs every notebook with its own experiments.

    Raises:
        ParameterError: an experiment is unknown, or no notebook shows it.
    """
    names, runs, shown = matching(wanted) if wanted else [], [], set()
    for source in sorted(notebook_folder().glob("[0-9]*.ipynb")):
        mine = [name for name in names if _shows(source, name)]
        shown.update(mine)
        if mine or not names:
            name = f"{source.stem}.{'+'.join(mine)}.ipynb" if mine else source.name
            runs.append(NotebookRun(source, target / name, _given(source, parameters, mine)))
    hidden = [name for name in names if name not in shown]
    if hidden:
        raise ParameterError(f"experiment: expected one that a notebook shows, got {', '.join(hidden)}")
    return runs


def notebook_parameters(source: Path) -> dict[str, Any]:
    """Return the parameters that a notebook declares, by name."""
    return dict(papermill.inspect_notebook(str(source)))


def execute(notebook: NotebookRun) -> str:
    """Execute one notebook with papermill and keep the executed copy.

    Returns:
        An empty string, or the error of the cell that failed.

    Raises:
        ParameterError: a parameter is none of the notebook's; nothing was run.
    """
    taken = notebook_parameters(notebook.source)
    for name in notebook.parameters:
        known(name, taken, f"parameter of {notebook.source.name}")
    notebook.target.parent.mkdir(parents=True, exist_ok=True)
    try:
        papermill.execute_notebook(
            str(notebook.source),
            str(notebook.target),
            parameters=notebook.parameters,
            kernel_name="python3",
            progress_bar=False,
            cwd=str(notebook.source.parent),
            extra_arguments=["--log-level=ERROR"],  # the kernel warns of its own transport at every start
        )
    except PapermillExecutionError as error:
        return f"{error.ename}: {error.evalue}"
    except (RuntimeError, TimeoutError) as error:  # the kernel died, of lack of memory perhaps, or never started
        return f"{type(error).__name__}: {error}"
    return ""


def still_true(notebook: NotebookRun, parameters: TrainingParameters, dataset: FlowMapDataset) -> bool:
    """Say whether executing `notebook` again would change nothing of its last copy."""
    if _sealed(notebook.target) != _seal_of(notebook, dataset):
        return False
    shown = _shown(notebook)
    try:
        data = {name: data_of(name, parameters.profile, dataset) for name in shown}
        tables = [jobs_of(experiment(name), parameters.profile, data[name], parameters.seeds) for name in shown]
        missing, _ = plan((job for table in tables for group in table.values() for job in group), _store())
    except (DataError, ParameterError):  # executing it says what is wrong
        return False
    return not missing


def data_of(name: str, profile: str, dataset: FlowMapDataset) -> FlowMapDataset:
    """Return the data that an experiment runs on: `dataset`, unless it needs frames and those have none.

    Nothing is made: a notebook makes the synthetic clips that it needs.

    Raises:
        DataError: no data with frames are here, or synthetic ones are stale.
    """
    return data_for(experiment(name), profile, dataset, lambda other: load(find(other, need="frames").entry.name))


def _shown(notebook: NotebookRun) -> list[str]:
    """Return the experiments that executing a notebook trains: those asked for, else those that it names itself."""
    names = [name for name in experiments() if _shows(notebook.source, name)]
    declared = notebook_parameters(notebook.source).get("experiments")
    own = ast.literal_eval(declared["default"]) if declared else names
    return [name for name in matching(notebook.parameters.get("experiments", own)) if name in names]


def _sealed(target: Path) -> str:
    """Return the seal of an executed copy, empty where there is no copy, no seal, or half a file."""
    try:
        return json.loads(target.read_text("utf-8"))["metadata"].get("mer", {}).get("seal", "")
    except (FileNotFoundError, json.JSONDecodeError):
        return ""


def _seal(notebook: NotebookRun, dataset: FlowMapDataset) -> None:
    """Write into an executed copy what it was made from."""
    content = json.loads(notebook.target.read_text("utf-8"))
    content["metadata"].setdefault("mer", {})["seal"] = _seal_of(notebook, dataset)
    atomic.write_text(notebook.target, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _seal_of(notebook: NotebookRun, dataset: FlowMapDataset) -> str:
    """Digest all that decides what an executed copy shows, but for the stored folds: they have their own addresses."""
    parameters = {name: value for name, value in notebook.parameters.items() if name not in ("jobs", "device")}
    digest = hashlib.sha256(json.dumps([parameters, dataset.digest], sort_keys=True).encode())
    digest.update(json.dumps([[entry.name, entry.present] for entry in datasets.available()]).encode())
    digest.update(json.dumps(traces()).encode())
    package = Path(__file__).parent
    for file in [notebook.source, settings.manifest_path(), *sorted(package.rglob("*.*"))]:
        if file.suffix != ".pyc" and file.is_file():
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


def _store() -> PredictionStore:
    return PredictionStore(settings.store_root())


def _given(source: Path, parameters: TrainingParameters, mine: list[str]) -> dict[str, Any]:
    taken = notebook_parameters(source)
    given = {name: value for name, value in parameters.model_dump().items() if name in taken}
    return given | ({"experiments": mine} if mine and "experiments" in taken else {})


def _shows(source: Path, name: str) -> bool:
    """Say whether a notebook shows an experiment: its metadata list the patterns of those that it does."""
    metadata = json.loads(source.read_text("utf-8"))["metadata"]
    return any(fnmatch.fnmatch(name, pattern) for pattern in metadata.get("mer", {}).get("experiments", []))


# -- progress ---------------------------------------------------------------------------------------------------------


@contextmanager
def _shown_progress(name: str, console: Console) -> Iterator[None]:
    """Show a progress line for a notebook and its folds while the block runs.

    The notebook's kernel is another process: it appends what it has done to a file, which is read here.
    """
    finished = threading.Event()
    with tempfile.TemporaryDirectory() as folder, _progress(console) as progress:
        path = Path(folder) / "progress.jsonl"
        path.touch()
        before = os.environ.get(PROGRESS_FILE)
        os.environ[PROGRESS_FILE] = str(path)
        reader = threading.Thread(target=_follow, args=(path, progress, name, finished), daemon=True)
        reader.start()
        try:
            yield
        finally:
            finished.set()
            reader.join()
            _restore_environment(before)


def _follow(path: Path, progress: Progress, name: str, finished: threading.Event) -> None:
    """Read progress events until the notebook is finished; one progress line an experiment."""
    bars = {"": progress.add_task(name, total=None)}
    with path.open(encoding="utf-8") as stream:
        while not finished.wait(0.2):
            for line in stream:
                event = json.loads(line)
                if event["name"] not in bars:
                    progress.update(bars[""], visible=False)
                    bars[event["name"]] = progress.add_task(event["name"], total=event["total"])
                progress.update(bars[event["name"]], completed=event["done"], description=f"{name} · {event['label']}")


def _restore_environment(before: str | None) -> None:
    if before is None:
        os.environ.pop(PROGRESS_FILE, None)
    else:
        os.environ[PROGRESS_FILE] = before
