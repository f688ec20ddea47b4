"""What notebooks call: checked parameters, and one session with its data, its store and its measurements."""

from __future__ import annotations

import difflib
import fnmatch
import json
import os
import time
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pandas.io.formats.style import Styler
from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError, field_validator

from mer_lib import datasets, settings
from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.collection import gather
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.datasets.own import is_path
from mer_lib.errors import ParameterError, fault_list
from mer_lib.evaluation.crossval import FoldEvent
from mer_lib.evaluation.store import PredictionStore
from mer_lib.papers.experiments import experiment, experiments, known
from mer_lib.papers.measure import Measurement, measure, run_experiment
from mer_lib.report.tables import excluded_samples
from mer_lib.training.device import resolve_device

if TYPE_CHECKING:
    from mer_lib.plots.exploration.showing import Exploration

NAMES_AT_START = "_mer_names_at_start"  # in a notebook's namespace: what it held when it was started first
PROGRESS_FILE = "MER_PROGRESS"  # environment variable: where a running notebook tells how far it is


class NotebookParameters(BaseModel):
    """What every notebook takes: which data to show, and how large a run may be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: Literal["smoke", "quick", "paper"]
    data: str

    @field_validator("data")
    @classmethod
    def _known_data(cls, name: str) -> str:
        return known(name, (datasets.BEST, *(entry.name for entry in datasets.available())), "data")


class ExplorationParameters(NotebookParameters):
    """The same for a notebook that looks at everything: `data` may also be the path of a folder."""

    @field_validator("data")
    @classmethod
    def _known_data(cls, name: str) -> str:
        return name if is_path(name) else NotebookParameters._known_data(name)


class TrainingParameters(NotebookParameters):
    """What a notebook that trains takes besides."""

    seeds: list[StrictInt] | None
    jobs: StrictInt = Field(ge=1, le=64)
    device: str

    @field_validator("seeds")
    @classmethod
    def _usable_seeds(cls, seeds: list[int] | None) -> list[int] | None:
        if seeds is not None and (not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds)):
            raise ValueError("expected None, or different whole numbers from 0 on, such as [0, 1, 2]")
        return seeds

    @field_validator("device")
    @classmethod
    def _present_device(cls, device: str) -> str:
        resolve_device(device)
        return device


class ExperimentParameters(TrainingParameters):
    """What a notebook takes that shows experiments of a paper: their ids, or patterns such as ``htnet.*``."""

    experiments: list[str] = Field(min_length=1)

    @field_validator("experiments")
    @classmethod
    def _known_experiments(cls, patterns: list[str]) -> list[str]:
        return matching(patterns)


Parameters = TypeVar("Parameters", bound=NotebookParameters)


def matching(patterns: Iterable[str]) -> list[str]:
    """Return the ids of the experiments that `patterns` name, in the papers' order.

    Raises:
        ParameterError: a pattern matches nothing; all such patterns are named, with suggestions.
    """
    names, faults, found = list(experiments()), [], set()
    for pattern in patterns:
        hits = fnmatch.filter(names, pattern)
        found.update(hits)
        if not hits:
            near = difflib.get_close_matches(pattern, names, n=1)
            faults.append(f"{pattern!r}" + (f" (did you mean {near[0]!r}?)" if near else ""))
    if faults:
        raise ParameterError(f"experiment: expected ids or patterns among {', '.join(names)}, got {', '.join(faults)}")
    return [name for name in names if name in found]


def check_parameters(namespace: MutableMapping[str, Any], model: type[Parameters]) -> Parameters:
    """Check a notebook's parameters before any work starts; the cell may be run again later.

    Args:
        namespace: the notebook's ``globals()`` right after its parameters and imports; the names in it are noted
            there, so that those of later cells are not taken for parameters.
        model: which parameters there are, their types and ranges.

    Raises:
        ParameterError: a name is unknown (a misspelt one that papermill injected, say), missing, of a wrong type or
            out of range; all faults at once.
    """
    known_before = namespace.get(NAMES_AT_START, frozenset(namespace))
    fields = list(model.model_fields)
    given = {
        name: value
        for name, value in namespace.items()
        if _is_parameter(name, value)
        and (name in fields or name in known_before or difflib.get_close_matches(name, fields, n=1, cutoff=0.8))
    }
    checked = validated(given, model)
    namespace[NAMES_AT_START] = known_before
    return checked


def validated(given: Mapping[str, Any], model: type[Parameters]) -> Parameters:
    """Return `given` as `model`, with one ParameterError that lists every fault."""
    faults = [
        f"{name}: no such parameter" + (f"; did you mean {near[0]!r}?" if near else "")
        for name in given
        if name not in model.model_fields
        for near in [difflib.get_close_matches(name, list(model.model_fields), n=1)]
    ]
    try:
        checked = model.model_validate({name: given[name] for name in given if name in model.model_fields})
    except ValidationError as error:
        faults += [f"{'.'.join(map(str, e['loc']))}: {e['msg']}, got {e['input']!r}" for e in error.errors()]
    except ParameterError as error:
        faults.append(str(error))
    if faults:
        raise ParameterError(
            f"{len(faults)} wrong parameters; nothing was run. Parameters are {', '.join(model.model_fields)}.\n"
            + fault_list(faults)
        )
    return checked


def _is_parameter(name: str, value: object) -> bool:
    """Tell a notebook's parameters, which are plain values, from what IPython and imports put into its namespace."""
    plain = value is None or isinstance(value, (str, int, float, list, tuple, dict))
    return plain and not name.startswith("_") and name not in ("In", "Out")


@dataclass(frozen=True)
class Session:
    """One notebook's data, store and parameters."""

    parameters: NotebookParameters
    dataset: FlowMapDataset
    store: PredictionStore

    @property
    def experiments(self) -> list[str]:
        """Return the ids of the experiments that the notebook was asked for."""
        return list(getattr(self.parameters, "experiments", []))

    @property
    def caption(self) -> str:
        """What everything in this notebook comes from, to stand beside every number and figure."""
        return f"{self.dataset.label} · profile {self.parameters.profile}"

    @property
    def excluded(self) -> Styler | str:
        """The samples that no number in this notebook rests on: this copy of the data lacks them, or they are damaged.

        A table to look at, or a sentence where there are none.
        """
        return excluded_samples(self.dataset) or "No sample is excluded."

    @cached_property
    def clips(self) -> ClipDataset:
        """Open clips with their frames: the notebook's own, else (its data are flow maps alone) the best that are here.

        Synthetic ones are made first where there are none.

        Raises:
            DataError: they are damaged, or cannot be made.
        """
        name = self.dataset.name if self.dataset.kind == "synthetic" else datasets.BEST
        making = _Making()
        jobs = getattr(self.parameters, "jobs", 1)
        datasets.ensure(name, jobs, making, making.announce, need="frames")
        return datasets.load_clips(name)

    def measure(self, name: str) -> Measurement:
        """Train what the store lacks of an experiment, with a progress line, and return its measurement."""
        parameters = self.parameters
        if not isinstance(parameters, TrainingParameters):
            raise ParameterError(f"{name}: this notebook takes no training parameters, so it cannot train")
        progress = _Progress(name)
        chosen = experiment(name)
        summary = run_experiment(
            chosen,
            parameters.profile,
            self.dataset,
            self.store,
            seeds=parameters.seeds,
            n_jobs=parameters.jobs,
            device=parameters.device,
            listener=progress,
        )
        progress.close(str(summary))
        return measure(chosen, parameters.profile, self.dataset, self.store, seeds=parameters.seeds)


def start(namespace: MutableMapping[str, Any], model: type[NotebookParameters] = NotebookParameters) -> Session:
    """Check a notebook's parameters, load its data, and open the store.

    Synthetic data that are not there are made first, with a line that says how far that is.

    Raises:
        ParameterError: see :func:`check_parameters`.
        DataError: the data are absent or damaged.
    """
    parameters = check_parameters(namespace, model)
    _ensure(parameters.data, getattr(parameters, "jobs", 1))
    return Session(parameters, datasets.load(parameters.data), PredictionStore(settings.store_root()))


def _ensure(name: str, jobs: int = 1) -> None:
    making = _Making()
    datasets.ensure(name, jobs, making, making.announce)


def explore(namespace: MutableMapping[str, Any]) -> Exploration:
    """Check a notebook's parameters and open the data to look at: everything that is here, or what `data` names.

    Where "best" is asked for, what is here and cannot be used is named and passed over; where nothing else is here,
    synthetic data are made first, with a line that says how far that is.

    Raises:
        ParameterError: see :func:`check_parameters`.
        DataError: the data are absent, or cannot be used.
    """
    from mer_lib.plots.exploration.showing import Exploration  # plotly is loaded by those who explore

    parameters = check_parameters(namespace, ExplorationParameters)
    unusable: list[str] = []
    found = _everything(unusable) if parameters.data == datasets.BEST else [_opened(parameters.data)]
    return Exploration(found, gather(found), unusable)


def _everything(unusable: list[str]) -> list[FlowMapDataset | ClipDataset]:
    found = datasets.present(unusable=unusable)
    if found:
        return found
    unusable.clear()
    _ensure(datasets.BEST)
    return datasets.present(unusable=unusable) or datasets.present()


def _opened(name: str) -> FlowMapDataset | ClipDataset:
    """Open the clips of a data set, or its flow maps where it has nothing else."""
    _ensure(name)
    maps_alone = any(entry.name == name and entry.offers == {"maps"} for entry in datasets.available())
    return datasets.load(name) if maps_alone else datasets.load_clips(name)


class _Making:
    """Shows one line that is replaced after every few clips that are made; no line where none is."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._text = ""

    def announce(self, text: str) -> None:
        from IPython.display import display  # only notebooks need it

        self._text = text
        self._handle = display(_Line(text), display_id=True)

    def __call__(self, done: int, total: int, name: str) -> None:
        if self._handle is not None:
            self._handle.update(_Line(f"{self._text} {done} of {total} are made ({name})."))


class _Progress:
    """Shows one line that is replaced after every fold, and tells a waiting `mer run` through a file."""

    def __init__(self, name: str) -> None:
        from IPython.display import display  # only notebooks need it

        self._name, self._started = name, time.monotonic()
        self._handle = display(_Line(f"{name}: looking for stored folds …"), display_id=True)

    def __call__(self, event: FoldEvent, done: int, total: int) -> None:
        elapsed = time.monotonic() - self._started
        left = elapsed / done * (total - done)
        self._show(f"{self._name}: fold {done} of {total}, about {left:.0f} s left ({event.task.job_label})")
        tell(name=self._name, done=done, total=total, label=event.task.job_label, failed=bool(event.error))

    def close(self, summary: str) -> None:
        self._show(f"{self._name}: {summary}, {time.monotonic() - self._started:.0f} s")

    def _show(self, text: str) -> None:
        if self._handle is not None:
            self._handle.update(_Line(text))


class _Line:
    """Plain text that a notebook shows as it is."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def tell(**progress: Any) -> None:
    """Append a progress event to the file named by ``MER_PROGRESS``, if it is set."""
    path = os.environ.get(PROGRESS_FILE)
    if path:
        with open(path, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(progress) + "\n")
