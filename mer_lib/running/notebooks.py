"""Which notebooks a run executes, with which parameters, and what each of them shows."""

from __future__ import annotations

import ast
import fnmatch
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import papermill

from mer_lib import settings
from mer_lib.errors import ParameterError
from mer_lib.lab import TrainingParameters, matching
from mer_lib.papers.experiments import Experiment, experiments, known
from mer_lib.papers.paper_set import paper_set

ACROSS = "20"  # notebooks with this number or a higher one look at what the store holds of all papers


@dataclass(frozen=True)
class NotebookRun:
    """One notebook to execute: its file, where the executed copy goes, its parameters, which experiments it trains."""

    source: Path
    target: Path
    parameters: dict[str, Any]
    shown: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name without ending; of the executed copy, since one notebook may be executed for several experiments."""
        return self.target.stem

    @property
    def reads_all(self) -> bool:
        """Whether it shows what the store holds of all experiments, not only of those that it trains."""
        return _number(self.source) >= ACROSS

    def check(self) -> None:
        """Raise ParameterError where a parameter is none of the notebook's."""
        for name in self.parameters:
            known(name, notebook_parameters(self.source), f"parameter of {self.source.name}")


def notebook_folder() -> Path:
    """Return the folder of the notebooks, with ParameterError where there is none."""
    folder = settings.project_root() / "notebooks"
    if not folder.is_dir():
        raise ParameterError(f"notebooks: expected the folder {folder}; run inside a clone of the repository")
    return folder


def plan_notebooks(
    target: Path,
    parameters: TrainingParameters,
    wanted: Sequence[str] | None = None,
    table: Mapping[str, Experiment] | None = None,
) -> list[NotebookRun]:
    """Return the notebooks to execute, in reading order, each with its parameters.

    Args:
        target: folder of the executed copies.
        parameters: handed to every notebook that takes them, but for `jobs`: notebooks run side by side instead.
        wanted: ids of entries and experiments; None executes every notebook, each with its own experiments. A grid of
            the reader's own is shown by the notebook of the experiment that it varies. The notebooks across all papers
            are among them where all papers are wanted.
        table: the experiments that there are; all that are known where None.

    Raises:
        ParameterError: no notebook shows an experiment.
    """
    sources = sorted(notebook_folder().glob("[0-9]*.ipynb"))
    if wanted is None:
        return [_run(source, target, parameters, ()) for source in sources]
    known_ones = experiments() if table is None else table
    trained = [known_ones[name] for name in wanted if name in known_ones]
    mine = {source: [each.id for each in trained if shows(source, each)] for source in sources}
    hidden = [name for name in (each.id for each in trained) if not any(name in names for names in mine.values())]
    if hidden:
        raise ParameterError(f"experiment: expected one that a notebook shows, got {', '.join(hidden)}")
    everywhere = set(paper_set()) <= set(wanted)
    return [
        _run(source, target, parameters, tuple(names))
        for source, names in mine.items()
        if names or (everywhere and _number(source) >= ACROSS)
    ]


@lru_cache
def notebook_parameters(source: Path) -> dict[str, Any]:
    """Return the parameters that a notebook declares, by name."""
    return dict(papermill.inspect_notebook(str(source)))


def shows(source: Path, experiment: Experiment) -> bool:
    """Say whether a notebook shows an experiment: its metadata list the patterns of those that it does."""
    name = experiment.of or experiment.id
    return any(fnmatch.fnmatch(name, pattern) for pattern in _patterns(source))


def _run(source: Path, target: Path, parameters: TrainingParameters, names: tuple[str, ...]) -> NotebookRun:
    taken = notebook_parameters(source)
    alone = parameters.model_copy(update={"jobs": 1})  # the others run beside it
    given = {name: value for name, value in alone.model_dump().items() if name in taken}
    if names and "experiments" in taken:
        given["experiments"] = list(names)
    return NotebookRun(source, target / _file_name(source, names), given, names or _own(source))


def _file_name(source: Path, names: tuple[str, ...]) -> str:
    """Return the name of an executed copy; the whole one stays where some of its experiments are asked for."""
    if not names or _number(source) >= ACROSS:
        return source.name
    published = tuple(
        entry.id for entry in paper_set().values() if entry.experiment and shows(source, entry.experiment)
    )
    return f"{source.stem}.{'papers' if names == published else '+'.join(names)}.ipynb"


def _own(source: Path) -> tuple[str, ...]:
    """Return the experiments that a notebook trains by itself: those of its parameter, else all that it shows."""
    names = [name for name, experiment in experiments().items() if experiment.of is None and shows(source, experiment)]
    declared = notebook_parameters(source).get("experiments")
    asked = matching(ast.literal_eval(declared["default"])) if declared else names
    return tuple(name for name in asked if name in names)


def _number(source: Path) -> str:
    return source.name[:2]


@lru_cache
def _patterns(source: Path) -> tuple[str, ...]:
    metadata = json.loads(source.read_text("utf-8"))["metadata"]
    return tuple(metadata.get("mer", {}).get("experiments", []))
