"""One run: every fold that is missing, then the notebooks, then the report; what fails is named, the rest goes on."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from mer_lib import __version__, datasets, settings
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.evaluation.provenance import device_name
from mer_lib.evaluation.store import PredictionStore
from mer_lib.lab import TrainingParameters, validated
from mer_lib.papers.checked import check_all, checking_version
from mer_lib.papers.experiments import Experiment, experiments, keep
from mer_lib.papers.grids import check_grid, experiment_of, read_grid
from mer_lib.papers.kept import scoring_version
from mer_lib.report import NotebookRecord
from mer_lib.running.alone import alone_in
from mer_lib.running.data import DataOf, data_source, ensure_frames, load_data, warn_of_lost_root
from mer_lib.running.display import Board
from mer_lib.running.events import EVENTS_FILE, EventLog
from mer_lib.running.notebooks import NotebookRun, plan_notebooks
from mer_lib.running.plan import Plan, make_plan
from mer_lib.running.reporting import REPORT_FILE, default_folder, write_report
from mer_lib.running.seals import (
    is_sealed,
    library_digest,
    notebook_seal,
    report_is_sealed,
    report_seal,
    set_report_seal,
    set_seal,
    surroundings,
)
from mer_lib.running.side_by_side import execute_all
from mer_lib.running.targets import chosen
from mer_lib.running.training import Trained, train
from mer_lib.training.device import resolve_device


@dataclass(frozen=True)
class Request:
    """What somebody wants to be run.

    Attributes:
        parameters: checked; profile, data, seeds, jobs, device.
        targets: ids, patterns, or "papers"; every notebook with its own experiments where empty.
        only: ids or patterns that narrow the targets down.
        grid: YAML file of a grid of the reader's own, run besides.
        out: folder of report and notebooks; one for each data set and profile where None.
        fresh: execute notebooks and write the report even where nothing has changed.
        cluster: address of a Dask scheduler, or a YAML file that says how to start one.
    """

    parameters: TrainingParameters
    targets: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    grid: Path | None = None
    out: Path | None = None
    fresh: bool = False
    cluster: str | None = None

    @property
    def folder(self) -> Path:
        """Where report, notebooks and event log go."""
        return (self.out or default_folder(self.parameters)).absolute()

    def own(self) -> Experiment | None:
        """Return what the grid stands for; nothing is kept.

        Raises:
            ParameterError: it is no grid, or a combination cannot be run under the profile; all faults at once.
        """
        if not self.grid:
            return None
        own = experiment_of(read_grid(self.grid), {name: e for name, e in experiments().items() if e.of is None})
        check_grid(own, self.parameters.profile)
        return own

    def wanted(self) -> list[str] | None:
        """Return the ids that are wanted, that of the grid last; None for every notebook's own.

        Raises:
            ParameterError: something matches nothing, or the grid is none; all faults at once.
        """
        own = self.own()
        mine = [own.id] if own else []
        names = chosen(self.targets, self.only, mine) if self.targets or self.only else []
        return [*names, *(name for name in mine if name not in names)] or None


@dataclass
class Outcome:
    """What became of a run; `left_out` says why experiments could not be run on these data at all."""

    trained: Trained
    left_out: dict[str, str]
    notebooks: list[NotebookRecord] = field(default_factory=list)
    report: Path | None = None

    @property
    def failed(self) -> list[str]:
        """Names of the variants and notebooks that failed."""
        return [*self.trained.failed, *(record.name for record in self.notebooks if record.error)]


def request(given: Mapping[str, Any], **options: Any) -> Request:
    """Return a checked request: `given` are the parameters, `options` the rest.

    Raises:
        ParameterError: parameters are not as they should be; all faults at once.
    """
    return Request(validated(given, TrainingParameters), **options)


def run(asked: Request, console: Console) -> Outcome:
    """Compute what is missing, execute the notebooks that show it, write the report.

    Stop it at any moment and call it again: it goes on at the fold. What fails does not stop the rest.

    Raises:
        ParameterError, DataError: parameters, experiments or data are not as they should be; nothing was run.
        RunError, StoreError: the run cannot go on: nobody computes any more, or nothing can be written.
    """
    library = _code_in_use()
    wanted = asked.wanted()
    if asked.grid:
        keep(read_grid(asked.grid), asked.parameters.profile)
    dataset = load_data(asked.parameters.data, asked.parameters.jobs, console)
    warn_of_lost_root(asked.parameters, dataset, console)
    asked = _settled(asked, dataset)
    with alone_in(asked.folder), Board(console) as board:
        events = EventLog(asked.folder / EVENTS_FILE)
        events.write("run started", **_started(asked, dataset))
        begun = time.monotonic()
        try:
            outcome = _Run(asked, dataset, library, board, events, console).go(wanted)
        except KeyboardInterrupt:
            events.write("run stopped", seconds=round(time.monotonic() - begun, 1))
            raise
        except Exception as error:
            events.write(
                "run broken", error=f"{type(error).__name__}: {error}", seconds=round(time.monotonic() - begun, 1)
            )
            raise
        trained, seconds = outcome.trained, round(time.monotonic() - begun, 1)
        events.write(
            "run ended", seconds=seconds, computed=trained.computed, found=trained.found, failed=outcome.failed
        )
    return outcome


class _Run:
    """The phases of one run, and what they share."""

    def __init__(
        self,
        asked: Request,
        dataset: FlowMapDataset,
        library: str,
        board: Board,
        events: EventLog,
        console: Console,
    ) -> None:
        self.asked, self.parameters, self.dataset, self.library = asked, asked.parameters, dataset, library
        self.board, self.events, self.console = board, events, console
        self.store = PredictionStore(settings.store_root())

    def go(self, wanted: Sequence[str] | None) -> Outcome:
        table = experiments()
        notebooks = plan_notebooks(self.asked.folder / "notebooks", self.parameters, wanted, table)
        mine = to_train(table, wanted, notebooks)
        ensure_frames(mine, self.parameters, self.dataset, self.console)
        data_of = data_source(self.parameters.profile, self.dataset, self.parameters.jobs, self.console)
        whole = self._plan(mine, data_of)
        plan = whole.part(experiment.id for experiment in mine)
        self._announce(plan, notebooks)
        trained = train(plan, self.parameters, self.store, self.board, self.events, self.asked.cluster)
        outcome = Outcome(trained, plan.left_out)
        if plan.tasks:
            whole = self._plan(mine, data_of)
        check_all(self.parameters.jobs)  # once, before notebooks side by side would each do it
        around = surroundings(self.dataset, self.library)
        outcome.notebooks = self._execute(notebooks, whole, around)
        if trained.failed:
            whole = self._plan(mine, data_of)
            self._forget_what_succeeded(trained, whole)
        outcome.report = self._report(whole, around, outcome.notebooks)
        return outcome

    def _plan(self, first: Sequence[Experiment], data_of: DataOf) -> Plan:
        """Return what is there of all experiments; those that come `first` compute what they share with others."""
        others = [experiment for experiment in experiments().values() if experiment not in first]
        return make_plan([*first, *others], self.parameters, data_of, self.store)

    def _announce(self, plan: Plan, notebooks: Sequence[NotebookRun]) -> None:
        for name, reason in plan.left_out.items():
            self.board.say(f"{name} cannot be run on these data: {reason}", "yellow")
            self.events.write("experiment left", experiment=name, reason=reason)
        self.board.say(
            f"{self.dataset.label}, profile {self.parameters.profile}: folds to compute: {len(plan.tasks)}, "
            f"in the store: {plan.found}; notebooks: {len(notebooks)}"
        )

    def _forget_what_succeeded(self, trained: Trained, plan: Plan) -> None:
        """Take from the failures what a notebook has computed since: it tries what is missing once more."""
        complete = {variant.name for variant in plan.variants if variant.jobs and not variant.missing}
        for name in sorted(complete & trained.failed.keys()):
            del trained.failed[name]
            self.board.say(f"{name}: failed at first, and was computed when its notebook tried again")

    # -- notebooks ----------------------------------------------------------------------------------------------------

    def _execute(self, notebooks: Sequence[NotebookRun], plan: Plan, around: str) -> list[NotebookRecord]:
        seals = {notebook.target: self._seal(notebook, plan, around) for notebook in notebooks}
        kept = [notebook for notebook in notebooks if self._still_true(notebook, plan, seals[notebook.target])]
        for notebook in kept:
            self.board.say(f"kept   {notebook.target}")
            self.events.write("notebook kept", name=notebook.name, path=str(notebook.target))
        waiting = [notebook for notebook in notebooks if notebook not in kept]
        self.board.count("notebooks", len(waiting))
        errors = {}
        for notebook, error in execute_all(waiting, self.parameters.jobs, self._notebook_began, self._notebook_told):
            self._notebook_ended(notebook, error)
            errors[notebook.target] = error
            if not error:
                set_seal(notebook.target, seals[notebook.target])
        return [NotebookRecord(each.target.name, each.target, errors.get(each.target, "")) for each in notebooks]

    def _seal(self, notebook: NotebookRun, plan: Plan, around: str) -> str:
        names = plan.experiments if notebook.reads_all else notebook.shown
        return notebook_seal(notebook, around, plan.digest(self.store, names))

    def _still_true(self, notebook: NotebookRun, plan: Plan, seal: str) -> bool:
        return not self.asked.fresh and plan.complete(notebook.shown) and is_sealed(notebook.target, seal)

    def _notebook_began(self, notebook: NotebookRun) -> None:
        self.board.begin(str(notebook.target), "notebook", notebook.name)
        self.events.write("notebook started", name=notebook.name, path=str(notebook.target))

    def _notebook_told(self, notebook: NotebookRun, told: Mapping[str, Any]) -> None:
        self.board.note(str(notebook.target), f"{told['label']}, fold {told['done']} of {told['total']}")

    def _notebook_ended(self, notebook: NotebookRun, error: str) -> None:
        seconds = round(self.board.end(str(notebook.target), "failed" if error else "done"), 1)
        about = {"name": notebook.name, "path": str(notebook.target), "seconds": seconds}
        if error:
            self.board.say(f"       {error}", "red")
            self.events.write("notebook failed", **about, error=error)
        else:
            self.events.write("notebook finished", **about)

    # -- report -------------------------------------------------------------------------------------------------------

    def _report(self, plan: Plan, around: str, notebooks: Sequence[NotebookRecord]) -> Path:
        path = self.asked.folder / REPORT_FILE
        seal = report_seal(self.parameters, around, plan.digest(self.store, plan.experiments), notebooks)
        if not self.asked.fresh and report_is_sealed(path, seal):
            self.events.write("report kept", path=str(path))
            return path
        self.board.count("", 0)
        self.board.begin("report", "report")
        write_report(self.parameters, self.dataset, self.asked.folder, notebooks)
        set_report_seal(path, seal)
        self.events.write("report written", path=str(path), seconds=round(self.board.end("report", counted=False), 1))
        return path


def _code_in_use() -> str:
    """Digest the library as this process runs it: read at once, so that what it makes is not taken for newer code's.

    Else whoever edits a file while folds are trained would have old results kept as those of the new file.
    """
    scoring_version()
    checking_version()
    return library_digest()


def _settled(asked: Request, dataset: FlowMapDataset) -> Request:
    """Return `asked` with "best" data and the default folder replaced by what they stand for while this run lasts."""
    named = dataset.name if asked.parameters.data == datasets.BEST else asked.parameters.data
    return replace(asked, parameters=asked.parameters.model_copy(update={"data": named}), out=asked.folder)


def to_train(
    table: Mapping[str, Experiment], wanted: Sequence[str] | None, notebooks: Sequence[NotebookRun]
) -> list[Experiment]:
    """Return the experiments of `table` that a run computes: those of `wanted`, and those that notebooks show."""
    asked = {*(wanted or ()), *(name for notebook in notebooks for name in notebook.shown)}
    return [experiment for name, experiment in table.items() if name in asked]


def _started(asked: Request, dataset: FlowMapDataset) -> dict[str, Any]:
    """Return what the event log says at the start of a run."""
    return {
        "command": sys.argv,
        "mer_lib": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "machine": device_name(resolve_device(asked.parameters.device)),
        "data": dataset.name,
        "data_kind": dataset.kind,
        "data_digest": dataset.digest,
        "targets": list(asked.targets),
        "only": list(asked.only),
        "cluster": asked.cluster,
        **asked.parameters.model_dump(exclude={"data"}),
    }
