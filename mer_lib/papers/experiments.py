"""Experiments as data: one YAML file a paper says what is varied, on what input, how it is trained and split.

A file holds profiles (``smoke``: seconds, for tests; ``quick``: minutes on two cores, the default; ``paper``: as
published), a base setting, and experiments with their variants. A variant's setting is the base, then the profile's
changes, then the variant's own (`all`), then the variant's for this profile; each change names what it changes by a
dotted path, such as ``model.params.dim: 64``.
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from mer_lib.errors import MerError, ParameterError
from mer_lib.papers import grids
from mer_lib.papers.schema import PROFILES, Experiment, Strict, faults_of, known

__all__ = ["FOLDER", "PROFILES", "Experiment", "GridWarning", "experiment", "experiments", "keep", "known"]

FOLDER = Path(__file__).parent


class GridWarning(UserWarning):
    """A grid that is kept cannot be used."""


class _PaperFile(Strict):
    """One YAML file, before what its experiments share is laid under each of them."""

    paper: str
    profiles: dict[str, Any]
    base: dict[str, Any]
    experiments: dict[str, dict[str, Any]]


def experiments(folder: Path = FOLDER) -> dict[str, Experiment]:
    """Return every experiment of every paper by its id, in the order of the papers' tables and figures.

    Those of the package are followed by the reader's own grids that are kept beside the store, see
    :mod:`mer_lib.papers.grids`; one that cannot be used any more is left out with a :class:`GridWarning`.
    """
    published = dict(_load(folder))
    return published | _own() if folder == FOLDER else published


def experiment(name: str) -> Experiment:
    """Return one experiment by id, with ParameterError and a suggestion for an unknown one."""
    table = experiments()
    return table[known(name, table, "experiment")]


def keep(grid: grids.Grid, profile: str) -> Experiment:
    """Keep a grid beside the store, so that runs and reports find it among :func:`experiments`; return its experiment.

    A grid of that name that was kept before gives way to it.

    Raises:
        ParameterError: it varies no experiment of a paper, or a combination cannot be run under `profile` (all are
            named); nothing is kept then.
        StoreError: the folder cannot be written.
    """
    own = grids.experiment_of(grid, _load(FOLDER))
    grids.check_grid(own, profile)
    grids.write_grid(grid)
    return own


def _own() -> dict[str, Experiment]:
    """Return the experiments of the grids that are kept."""
    found = {}
    for path in sorted(grids.folder().glob("*.yaml")):
        try:
            own = _kept(path.read_text("utf-8"))
        except (MerError, OSError, UnicodeDecodeError) as error:
            warnings.warn(f"{path} is left out; mend or remove it: {error}", GridWarning, stacklevel=3)
        else:
            found[own.id] = own
    return found


@lru_cache(maxsize=64)
def _kept(text: str) -> Experiment:
    return grids.experiment_of(grids.parse_grid(text), _load(FOLDER))


@lru_cache
def _load(folder: Path) -> dict[str, Experiment]:
    table: dict[str, Experiment] = {}
    for file in sorted(folder.glob("*.yaml"), key=lambda file: (file.stem != "lab", file.stem)):
        table.update(_read(file))
    return table


def _read(file: Path) -> dict[str, Experiment]:
    try:
        content = _PaperFile.model_validate(yaml.safe_load(file.read_text("utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        faults = faults_of(error) if isinstance(error, ValidationError) else str(error)
        raise ParameterError(f"{file.name} does not follow the schema of experiments:\n{faults}") from None
    shared = content.model_dump(exclude={"experiments"})
    found, broken = {}, []
    for name, entry in content.experiments.items():
        try:
            found[name] = Experiment.model_validate({**shared, **entry, "id": name})
        except ValidationError as error:
            broken.append(f"{name}:\n{faults_of(error)}")
    if broken:
        raise ParameterError(f"{file.name} does not follow the schema of experiments:\n" + "\n".join(broken))
    return found
