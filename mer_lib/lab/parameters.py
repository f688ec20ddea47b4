"""The parameters of notebooks: which there are, and that they are checked before any work starts."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError, ValidationInfo, field_validator

from mer_lib import datasets
from mer_lib.datasets.own import is_path
from mer_lib.errors import ParameterError, fault_list
from mer_lib.papers.experiments import experiments, known
from mer_lib.papers.grids import Grid, read_grid
from mer_lib.training.device import resolve_device

NAMES_AT_START = "_mer_names_at_start"  # in a notebook's namespace: what it held when it was started first


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
    """What a notebook takes that shows experiments of a paper.

    Attributes:
        grid: None, or a reader's own grid: a dictionary, YAML text or the path of a file, see
            :mod:`mer_lib.papers.grids`. It is shown after `experiments`.
        experiments: ids, or patterns such as ``htnet.*``; they may be left out (``[]``) where there is a grid.
    """

    grid: Grid | None = None
    experiments: list[str]

    @field_validator("grid", mode="before")
    @classmethod
    def _read_grid(cls, given: object) -> Grid | None:
        return None if given is None else read_grid(given)

    @field_validator("experiments")
    @classmethod
    def _known_experiments(cls, patterns: list[str], others: ValidationInfo) -> list[str]:
        if not patterns and others.data.get("grid") is None:
            raise ValueError("expected at least 1 id or pattern, or a grid")
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
        faults += [_in_words(fault) for fault in error.errors()]
    except ParameterError as error:
        faults.append(str(error))
    if faults:
        raise ParameterError(
            f"{len(faults)} wrong parameters; nothing was run. Parameters are {', '.join(model.model_fields)}.\n"
            + fault_list(faults)
        )
    return checked


def _in_words(fault: Mapping[str, Any]) -> str:
    said = fault.get("ctx", {}).get("error")
    if isinstance(said, ParameterError):  # it names the parameter and what came already
        return str(said)
    return f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].removeprefix('Value error, ')}, got {fault['input']!r}"


def _is_parameter(name: str, value: object) -> bool:
    """Tell a notebook's parameters, which are plain values, from what IPython and imports put into its namespace."""
    plain = value is None or isinstance(value, (str, int, float, list, tuple, dict))
    return plain and not name.startswith("_") and name not in ("In", "Out")
