"""Who stands in a leaderboard: methods and class priors, each once, and which experiment speaks for a method."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from mer_lib.evaluation.frames import subject_ids
from mer_lib.evaluation.variant import SplitSpec, Variant
from mer_lib.models import FILE_OF, model_info
from mer_lib.papers.entries import PaperResults
from mer_lib.papers.measurement import Measurement
from mer_lib.papers.schema import Experiment

PRIOR = "most frequent class"


@dataclass(frozen=True, eq=False)
class Entrant:
    """One variant that may stand in a leaderboard.

    Attributes:
        name: under which it stands there, :data:`PRIOR` for a class prior.
        measurement: of the experiment that trains it.
        label: its name there.
        at_home: whether it is trained as the paper does whose system it is.
    """

    name: str
    measurement: Measurement
    label: str
    at_home: bool

    @property
    def variant(self) -> Variant:
        """Its setting."""
        return self.measurement.variants[self.label]

    @property
    def frame(self) -> pd.DataFrame:
        """Its predictions of the last epoch, all seeds."""
        return self.measurement.predictions[self.label, "fixed"]

    @property
    def people(self) -> int:
        """How many people it is tested on."""
        return int(subject_ids(self.frame).nunique())

    @property
    def board(self) -> tuple[object, ...]:
        """What two entrants have to share to be compared."""
        measurement, split = self.measurement, split_in_words(self.variant.split)
        samples = frozenset(self.frame["sample_id"])
        return measurement.dataset.name, measurement.classes[self.label], split, measurement.profile, samples

    @property
    def identity(self) -> tuple[str, str]:
        """What makes it another method: its name, and what it is fed."""
        return self.name, self.variant.features.recipe


def entrants(results: PaperResults) -> Iterator[Entrant]:
    """Yield the class priors and methods of comparisons, and the papers' own systems, each address once."""
    seen: set[tuple[str, str]] = set()
    found = [entrant for measurement in results.measurements.values() for entrant in _of(measurement)]
    for entrant in sorted(found, key=lambda one: not one.at_home):
        key = (entrant.measurement.dataset.name, entrant.variant.key)
        if key not in seen:
            seen.add(key)
            yield entrant


def _of(measurement: Measurement) -> Iterator[Entrant]:
    experiment = measurement.experiment
    comparison = compares_methods(experiment, measurement.profile)
    for label, variant in measurement.variants.items():
        name, own = variant.model.name, is_own_system(experiment, label)
        if name == "dummy":
            yield Entrant(PRIOR, measurement, label, False)
        elif comparison:
            yield Entrant(label, measurement, label, own)
        elif own:
            yield Entrant(model_info(name).title, measurement, label, own)


def compares_methods(experiment: Experiment, profile: str) -> bool:
    """Whether an experiment sets methods side by side: no method stands behind more than half of its variants."""
    names = [variant.model.name for variant in experiment.settings(profile).values()]
    methods = pd.Series([name for name in names if name != "dummy"]).value_counts()
    return experiment.of is None and len(methods) > 1 and bool(methods.max() <= methods.sum() / 2)


def is_own_system(experiment: Experiment, label: str) -> bool:
    """Whether a variant is the system that a paper proposes, as the paper trains it: nothing is changed in it."""
    name = experiment.base.get("model", {}).get("name", "")
    system = name in FILE_OF and model_info(name).group == "system"
    return system and experiment.of is None and experiment.paper != "lab" and not experiment.variants[label].all


def once_each(entrants: list[Entrant]) -> tuple[dict[str, Entrant], list[Entrant]]:
    """Return the first entrant of each method by its name, and the others.

    Methods that are fed differently are different methods, and say what they are fed where they share a name.
    """
    firsts: dict[tuple[str, str], Entrant] = {}
    for one in entrants:
        firsts.setdefault(one.identity, one)
    names = pd.Series([name for name, _ in firsts]).value_counts()
    methods = {
        name if names[name] == 1 else f"{name} on {recipe.replace('_', ' ')}": one
        for (name, recipe), one in firsts.items()
    }
    return methods, [one for one in entrants if one not in firsts.values()]


def split_in_words(split: SplitSpec) -> str:
    """Say how people are dealt into folds.

    >>> split_in_words(SplitSpec(kind="kfold", folds=5))
    '5 folds of whole subjects'
    """
    return "leave one subject out" if split.kind == "loso" else f"{split.folds} folds of whole subjects"
