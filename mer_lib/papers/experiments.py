"""Experiments as data: one YAML file a paper says what is varied, on what input, how it is trained and split.

A file holds profiles (``smoke``: seconds, for tests; ``quick``: minutes on two cores, the default; ``paper``: as
published), a base setting, and experiments with their variants. A variant's setting is the base, then the profile's
changes, then the variant's own (`all`), then the variant's for this profile; each change names what it changes by a
dotted path, such as ``model.params.dim: 64``.
"""

from __future__ import annotations

import copy
import difflib
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mer_lib.errors import ParameterError, fault_list
from mer_lib.evaluation.variant import Variant

ProfileName = Literal["smoke", "quick", "paper"]
PROFILES: tuple[str, ...] = get_args(ProfileName)
Changes = dict[str, Any]
FOLDER = Path(__file__).parent


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Profile(_Strict):
    """Sizes of a run: `about` says them to people, `seeds` are trained by default, `changes` go over the base."""

    about: str
    seeds: tuple[int, ...] = Field(min_length=1)
    changes: Changes = Field(default_factory=dict)


class VariantChanges(_Strict):
    """How one variant differs from the base: in every profile (`all`) and in one of them.

    `reported` is the name under which the paper reports it, where that is not the variant's own.
    """

    all: Changes = Field(default_factory=dict)
    smoke: Changes = Field(default_factory=dict)
    quick: Changes = Field(default_factory=dict)
    paper: Changes = Field(default_factory=dict)
    reported: str | None = None
    note: str = ""


class Reported(_Strict):
    """Where the published numbers of an experiment stand, and which column names its variants."""

    experiment: str
    by: Literal["variant", "method"] | None = None


class Experiment(_Strict):
    """One table or figure: a question, its variants, and where its published numbers are."""

    id: str
    paper: str
    title: str
    question: str
    reading: str
    figure: Literal["bars", "line", "confusion"] = "bars"
    axis: str = ""
    reported: Reported | None = None
    variants: dict[str, VariantChanges] = Field(min_length=1)
    base: dict[str, Any]
    profiles: dict[ProfileName, Profile]

    def variant(self, label: str, profile: str) -> Variant:
        """Return the full setting of one variant under `profile`.

        Raises:
            ParameterError: label or profile are unknown, or the setting is not valid; all faults at once.
        """
        changes = self.variants[known(label, self.variants, f"variant of {self.id}")]
        steps = [self.profile(profile).changes, changes.all, getattr(changes, profile)]
        setting = copy.deepcopy(self.base)
        for step in steps:
            for path, value in step.items():
                _set(setting, path, value)
        try:
            return Variant.model_validate(setting)
        except ValidationError as error:
            raise ParameterError(f"{self.id}, variant {label}, profile {profile}:\n{_faults(error)}") from None

    def profile(self, name: str) -> Profile:
        """Return the profile of that name, with ParameterError for an unknown one."""
        profiles = {str(key): profile for key, profile in self.profiles.items()}
        return profiles[known(name, profiles, "profile")]

    def settings(self, profile: str) -> dict[str, Variant]:
        """Return all variants of the experiment under `profile`."""
        return {label: self.variant(label, profile) for label in self.variants}


class _PaperFile(_Strict):
    """One YAML file, before what its experiments share is laid under each of them."""

    paper: str
    profiles: dict[str, Any]
    base: dict[str, Any]
    experiments: dict[str, dict[str, Any]]


def experiments(folder: Path = FOLDER) -> dict[str, Experiment]:
    """Return every experiment of every paper by its id, in the order of the papers' tables and figures."""
    return dict(_load(folder))


def experiment(name: str) -> Experiment:
    """Return one experiment by id, with ParameterError and a suggestion for an unknown one."""
    table = experiments()
    return table[known(name, table, "experiment")]


def known(name: str, names: Any, what: str) -> str:
    """Return `name` if it is among `names`, else raise a ParameterError that suggests the nearest."""
    if name in names:
        return name
    near = difflib.get_close_matches(str(name), list(names), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ParameterError(f"{what}: expected one of {', '.join(names)}, got {name!r}{hint}")


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
        faults = _faults(error) if isinstance(error, ValidationError) else str(error)
        raise ParameterError(f"{file.name} does not follow the schema of experiments:\n{faults}") from None
    shared = content.model_dump(exclude={"experiments"})
    found, broken = {}, []
    for name, entry in content.experiments.items():
        try:
            found[name] = Experiment.model_validate({**shared, **entry, "id": name})
        except ValidationError as error:
            broken.append(f"{name}:\n{_faults(error)}")
    if broken:
        raise ParameterError(f"{file.name} does not follow the schema of experiments:\n" + "\n".join(broken))
    return found


def _set(setting: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a dotted path, creating the folders of the path."""
    *parents, last = path.split(".")
    for parent in parents:
        setting = setting.setdefault(parent, {})
    setting[last] = copy.deepcopy(value)


def _faults(error: ValidationError) -> str:
    return fault_list(
        f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}, got {fault['input']!r}"
        for fault in error.errors()
    )
