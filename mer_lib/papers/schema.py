"""The schema of experiments: profiles, variants as changes to a base setting, and where published numbers stand."""

from __future__ import annotations

import copy
import difflib
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mer_lib.errors import ParameterError, fault_list
from mer_lib.evaluation.variant import Variant

ProfileName = Literal["smoke", "quick", "paper"]
PROFILES: tuple[str, ...] = get_args(ProfileName)
Changes = dict[str, Any]


class Strict(BaseModel):
    """A record without other keys than its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Profile(Strict):
    """Sizes of a run: `about` says them to people, `seeds` are trained by default, `changes` go over the base."""

    about: str
    seeds: tuple[int, ...] = Field(min_length=1)
    changes: Changes = Field(default_factory=dict)


class VariantChanges(Strict):
    """How one variant differs from the base: in every profile (`all`) and in one of them.

    `reported` is the name under which the paper reports it, where that is not the variant's own.
    """

    all: Changes = Field(default_factory=dict)
    smoke: Changes = Field(default_factory=dict)
    quick: Changes = Field(default_factory=dict)
    paper: Changes = Field(default_factory=dict)
    reported: str | None = None
    note: str = ""


class Reported(Strict):
    """Where the published numbers of an experiment stand, and which column names its variants."""

    experiment: str
    by: Literal["variant", "method"] | None = None


class Experiment(Strict):
    """One table or figure: a question, its variants, and where its published numbers are.

    `of` is the id of the experiment that a reader's own grid varies; None for all others.
    """

    id: str
    paper: str
    title: str
    question: str
    reading: str
    figure: Literal["bars", "line", "confusion"] = "bars"
    axis: str = ""
    reported: Reported | None = None
    of: str | None = None
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
        try:
            for step in steps:
                for path, value in step.items():
                    _set(setting, path, value)
            return Variant.model_validate(setting)
        except (ParameterError, ValidationError) as error:
            faults = faults_of(error) if isinstance(error, ValidationError) else fault_list([str(error)])
            raise ParameterError(f"{self.id}, variant {label}, profile {profile}:\n{faults}") from None

    def profile(self, name: str) -> Profile:
        """Return the profile of that name, with ParameterError for an unknown one."""
        profiles = {str(key): profile for key, profile in self.profiles.items()}
        return profiles[known(name, profiles, "profile")]

    def settings(self, profile: str) -> dict[str, Variant]:
        """Return all variants of the experiment under `profile`."""
        return {label: self.variant(label, profile) for label in self.variants}


def known(name: str, names: Any, what: str) -> str:
    """Return `name` if it is among `names`, else raise a ParameterError that suggests the nearest."""
    if name in names:
        return name
    near = difflib.get_close_matches(str(name), list(names), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ParameterError(f"{what}: expected one of {', '.join(names)}, got {name!r}{hint}")


def _set(setting: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a dotted path, creating the folders of the path.

    Raises:
        ParameterError: the path leads through a value that holds no settings.
    """
    *parents, last = path.split(".")
    for parent in parents:
        setting = setting.setdefault(parent, {})
        if not isinstance(setting, dict):
            raise ParameterError(f"{path}: expected a group of settings at {parent!r}, got {setting!r}")
    setting[last] = copy.deepcopy(value)


def faults_of(error: ValidationError) -> str:
    """Return all faults of a validation as an indented list: where, what is wrong, what was given."""
    return fault_list(
        f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}, got {fault['input']!r}"
        for fault in error.errors()
    )
