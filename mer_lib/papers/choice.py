"""A choice of features as a file: exported where somebody looks at faces, read where a classifier is trained on it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mer_lib import atomic
from mer_lib.errors import ParameterError, fault_list
from mer_lib.features import FlowMap, Recipe
from mer_lib.papers.experiments import Experiment, experiment

_TEMPLATE = "lab.first_comparison"  # its profiles and its base are those of every choice
_HEAD = "# A choice of features. Train on it:  mer train THIS_FILE\n"


class Choice(BaseModel):
    """What somebody chose to look at.

    Attributes:
        name: what to call it: letters, digits, dots, dashes and underscores.
        data: name of the data set, or path of a folder, it was chosen on.
        features: the recipe.
        note: why.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,60}$")
    data: str
    features: Annotated[Recipe, Field(discriminator="recipe")]
    note: str = ""


def choice_yaml(choice: Choice) -> str:
    """Return the text of a choice's file; :func:`parse_choice` reads it back.

    >>> chosen = Choice(name="whole_face", data="synthetic_demo", features=FlowMap(size=32))
    >>> parse_choice(choice_yaml(chosen)) == chosen
    True
    """
    return _HEAD + yaml.safe_dump(choice.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def write_choice(choice: Choice, path: Path) -> Path:
    """Write a choice to a file, whole or not at all, and return its path.

    Raises:
        ParameterError: the folder cannot be written, or the path is a folder.
    """
    try:
        atomic.write_text(path, choice_yaml(choice))
    except OSError as error:
        raise ParameterError(f"{path}: cannot be written ({error.strerror or error}); choose another place") from None
    return path


def read_choice(path: Path) -> Choice:
    """Read the file of a choice.

    Raises:
        ParameterError: there is none, or it is not what :func:`write_choice` writes; all faults at once.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path}: expected the YAML file of a choice, got: {error}") from None
    return parse_choice(text, str(path))


def parse_choice(text: str, shown: str = "choice") -> Choice:
    """Read the text of a choice, called `shown` in messages; ParameterError with all faults where it is none."""
    try:
        content: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ParameterError(f"{shown}: is no YAML: {error}") from None
    if not isinstance(content, Mapping):
        raise ParameterError(f"{shown}: expected name, data and features, got {type(content).__name__}")
    try:
        return Choice.model_validate(dict(content))
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}, got {e['input']!r}" for e in error.errors())
        raise ParameterError(f"{shown} is no choice of features:\n{fault_list(faults)}") from None


def experiment_of(choice: Choice) -> Experiment:
    """Return the question that a choice asks: is it better than the whole face, and than guessing?

    A linear support vector machine is given the chosen features and, beside them, the whole map of the same movement.
    """
    template = experiment(_TEMPLATE)
    machine = {"name": "linear_svm", "params": {"C": 0.001}}
    whole = FlowMap(motion=getattr(choice.features, "motion", None))
    return Experiment.model_validate(
        {
            "id": f"choice.{choice.name}",
            "paper": template.paper,
            "title": f"The chosen features {choice.name!r} beside the whole face",
            "question": "Do the chosen features tell as much as the whole map of the same movement?",
            "reading": "All are tested on the same subjects; intervals that overlap widely decide nothing.",
            "axis": "features",
            "variants": {
                "class prior": {"all": {"model": {"name": "dummy"}, "features": _plain(whole)}},
                "whole face": {"all": {"model": machine, "features": _plain(whole)}},
                choice.name: {"all": {"model": machine, "features": _plain(choice.features)}, "note": choice.note},
            },
            "base": template.base,
            "profiles": template.profiles,
        }
    )


def _plain(recipe: Recipe) -> dict[str, Any]:
    return recipe.model_dump(mode="json")
