"""A reader's own grid: settings of one variant of a published experiment, varied together.

A grid is a dictionary, or YAML::

    name: width_and_heads
    of: htnet.fig5                   # the experiment whose base, profiles and notebook it takes
    variant: "256"                   # from which it starts; without it, the first that is no class prior
    vary:                            # every combination is a variant: "dim=16, heads=2"
      model.params.dim: [16, 32]
      model.params.heads: [1, 2]
    changes: {training.epochs: 20}   # the same for all of them; may be left out

It is run like an experiment of a paper, as ``own.width_and_heads``, with the class prior beside it. A grid that is kept
lies in ``grids`` beside the store, and is listed after the experiments of the papers.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError, field_validator

from mer_lib import atomic, settings
from mer_lib.errors import ParameterError, StoreError, fault_list
from mer_lib.evaluation.methods import check_method
from mer_lib.papers.schema import PROFILES, Changes, Experiment, Strict, VariantChanges, faults_of, known

OWN = "own"  # what ids of grids begin with
MOST = 100  # combinations of one grid
PRIOR = "class prior"


class Grid(Strict):
    """What a reader varies.

    Attributes:
        name: letters, digits, dashes and underscores.
        of: id of a published experiment.
        variant: label of the variant to start from; None for the first that is no class prior.
        vary: different values by dotted path, at most :data:`MOST` combinations.
        changes: further values by dotted path, the same for all combinations.
        note: why.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,60}$")
    of: str
    variant: str | None = None
    vary: dict[str, list[Any]] = Field(min_length=1)
    changes: Changes = Field(default_factory=dict)
    note: str = ""

    @field_validator("vary")
    @classmethod
    def _usable(cls, vary: dict[str, list[Any]]) -> dict[str, list[Any]]:
        faults = [
            f"{path}: expected different values, got {values!r}" for path, values in vary.items() if _alike(values)
        ]
        if (count := prod(map(len, vary.values()))) > MOST:
            faults.append(f"expected at most {MOST} combinations, got {count}")
        if faults:
            raise ValueError("; ".join(faults))
        return vary

    @property
    def id(self) -> str:
        """The id of its experiment."""
        return f"{OWN}.{self.name}"

    def combinations(self) -> dict[str, Changes]:
        """Return what each variant changes, by label; the last path varies fastest.

        >>> list(Grid(name="a", of="htnet.fig5", vary={"model.params.dim": [8, 16], "split.folds": [5]}).combinations())
        ['dim=8, folds=5', 'dim=16, folds=5']
        """
        names = _short(list(self.vary))
        return {
            ", ".join(f"{names[path]}={_shown(value)}" for path, value in zip(self.vary, values, strict=True)): {
                **_without(self.changes, self.vary),
                **dict(zip(self.vary, values, strict=True)),
            }
            for values in itertools.product(*self.vary.values())
        }


def read_grid(given: object) -> Grid:
    """Return a grid from a dictionary, from YAML text, or from the path of a YAML file.

    Raises:
        ParameterError: there is no such file, or the content is no grid; all faults at once.
    """
    if isinstance(given, Grid):
        return given
    if isinstance(given, str) and not isinstance(_yaml(given, "grid"), str):
        return parse_grid(given)
    if not isinstance(given, (str, Path)):
        return _grid(given, "grid")
    try:
        text = Path(given).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(f"grid: expected YAML text or the path of a YAML file, got {given}: {error}") from None
    return parse_grid(text, str(given))


def parse_grid(text: str, shown: str = "grid") -> Grid:
    """Read the YAML text of a grid, called `shown` in messages; ParameterError with all faults where it is none."""
    return _grid(_yaml(text, shown), shown)


def experiment_of(grid: Grid, published: Mapping[str, Experiment]) -> Experiment:
    """Return the experiment that a grid stands for.

    Raises:
        ParameterError: there is no such experiment or variant, or a combination is no valid setting under some profile;
            all faults at once.
    """
    source = published[known(grid.of, published, f"grid {grid.name}: of")]
    label = grid.variant or next(name for name in source.variants if not _is_prior(source, name))
    start = source.variants[known(label, source.variants, f"grid {grid.name}: variant of {source.id}")]
    combinations = grid.combinations()
    prior = _without(next(iter(combinations.values())), ["model"]) | {"model": {"name": "dummy"}}
    variants = {PRIOR: _changed(start.model_dump(), prior, "predicts the most frequent training class")}
    variants |= {name: _changed(start.model_dump(), changes, grid.note) for name, changes in combinations.items()}
    varied = " and ".join(_short(list(grid.vary)).values())
    found = Experiment.model_validate(
        {
            "id": grid.id,
            "paper": OWN,
            "title": f"Own grid {grid.name}: {varied} of {source.id}, {label}",
            "question": f"How does the score of {label!r} in {source.id} depend on {varied}?",
            "reading": (
                "A grid of the reader's own: no paper reports it. The more combinations there are, the better the best "
                "of them looks by chance; compare intervals, and mind that the best was chosen after the fact."
            ),
            "axis": varied,
            "of": source.id,
            "variants": variants,
            "base": source.base,
            "profiles": source.profiles,
        }
    )
    for profile in PROFILES:
        _check(found, partial(found.variant, profile=profile))
    return found


def write_grid(grid: Grid) -> Path:
    """Keep the file of a grid beside the store, and return its path.

    Raises:
        StoreError: the folder cannot be written.
    """
    path = folder() / f"{grid.name}.yaml"
    try:
        atomic.write_text(path, yaml.safe_dump(grid.model_dump(exclude_defaults=True), sort_keys=False))
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written ({error.strerror}). Free space or set MER_STORE to a writable folder"
        ) from error
    return path


def folder() -> Path:
    """Return the folder of the kept grids: ``grids`` beside the store."""
    return settings.store_root().parent / "grids"


def check_grid(own: Experiment, profile: str) -> None:
    """Check that every combination can be run under `profile`; nothing is allocated.

    Raises:
        ParameterError: a method, its parameters or its input do not fit; all combinations that do not are named.
    """
    _check(own, lambda label: check_method(own.variant(label, profile)))


def _check(own: Experiment, check: Callable[[str], object]) -> None:
    """Raise one ParameterError with all that `check` has against the variants."""
    faults = {}
    for label in own.variants:
        try:
            check(label)
        except ParameterError as error:
            faults[label] = str(error).removeprefix(f"{own.id}, variant {label}, ")
    if faults:
        listed = fault_list(f"{label}: {fault}" for label, fault in faults.items())
        raise ParameterError(f"{own.id} cannot be run, so nothing was:\n{listed}")


def _is_prior(source: Experiment, label: str) -> bool:
    return source.variant(label, "quick").model.name == "dummy"


def _changed(start: dict[str, Any], changes: Changes, note: str) -> VariantChanges:
    """Return what a variant changes, with `changes` laid over it under every profile."""
    over = {profile: _without(start[profile], changes) | changes for profile in PROFILES}
    return VariantChanges.model_validate({"all": start["all"], **over, "note": note})


def _without(changes: Mapping[str, Any], groups: Iterable[str]) -> Changes:
    """Return `changes` but for those at a path of `groups`: what is laid over them comes later in the order."""
    return {path: value for path, value in changes.items() if path not in set(groups)}


def _alike(values: list[Any]) -> bool:
    shown = [_shown(value) for value in values]
    return not shown or len(set(shown)) < len(shown)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _short(paths: list[str]) -> dict[str, str]:
    """Return the last part of each path; the whole paths where two end alike."""
    short = {path: path.rpartition(".")[2] for path in paths}
    return short if len(set(short.values())) == len(paths) else {path: path for path in paths}


def _grid(content: Any, shown: str) -> Grid:
    if not isinstance(content, Mapping):
        raise ParameterError(f"{shown}: expected a dictionary with name, of and vary, got {content!r}")
    try:
        return Grid.model_validate(dict(content))
    except ValidationError as error:
        raise ParameterError(f"{shown} is no grid:\n{faults_of(error)}") from None


def _yaml(text: str, shown: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ParameterError(f"{shown}: is no YAML: {error}") from None
