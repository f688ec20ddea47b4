"""What a run consists of: for every experiment and variant the folds that the store has, and those that it lacks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mer_lib.errors import DataError, ParameterError
from mer_lib.evaluation.crossval import FoldTask, Job
from mer_lib.evaluation.crossval import plan as plan_folds
from mer_lib.evaluation.store import PredictionStore
from mer_lib.lab import TrainingParameters
from mer_lib.papers.experiments import Experiment
from mer_lib.papers.kept import fold_marks
from mer_lib.papers.measure import jobs_of
from mer_lib.running.data import DataOf


@dataclass(frozen=True)
class VariantPlan:
    """One variant: its jobs (one a seed), how many of their folds the store has, and the tasks that are missing.

    `stored` counts by seed. `elsewhere` names, by seed, an earlier experiment and variant whose folds are the same, and
    are computed there. `reason` says why it cannot be run on these data, where it cannot.
    """

    experiment: str
    label: str
    jobs: list[Job] = field(default_factory=list)
    stored: dict[int, int] = field(default_factory=dict)
    missing: list[FoldTask] = field(default_factory=list)
    elsewhere: dict[int, str] = field(default_factory=dict)
    reason: str = ""

    @property
    def name(self) -> str:
        """Experiment and label, as the jobs of it are called."""
        return f"{self.experiment} {self.label}"

    @property
    def found(self) -> int:
        """Folds in the store."""
        return sum(self.stored.values())

    @property
    def to_compute(self) -> list[FoldTask]:
        """The folds that are computed for this variant: not those that an earlier one computes."""
        return [task for task in self.missing if task.seed not in self.elsewhere]


@dataclass(frozen=True)
class ExperimentPlan:
    """One experiment: its variants by label, or the reason why it cannot be run on these data."""

    name: str
    variants: dict[str, VariantPlan] = field(default_factory=dict)
    reason: str = ""

    @property
    def found(self) -> int:
        """Folds in the store, those of shared variants included."""
        return sum(variant.found for variant in self.variants.values())

    @property
    def total(self) -> int:
        """All folds."""
        return self.found + sum(len(variant.missing) for variant in self.variants.values())


@dataclass(frozen=True)
class Plan:
    """All experiments of a run by name, in their order."""

    experiments: dict[str, ExperimentPlan]

    @property
    def variants(self) -> Iterator[VariantPlan]:
        """Every variant of every experiment that can be run."""
        return (variant for entry in self.experiments.values() for variant in entry.variants.values())

    @property
    def tasks(self) -> list[FoldTask]:
        """Every fold that has to be computed, each once."""
        return [task for variant in self.variants for task in variant.to_compute]

    @property
    def found(self) -> int:
        """Folds in the store, each once."""
        return sum(
            count
            for variant in self.variants
            for seed, count in variant.stored.items()
            if seed not in variant.elsewhere
        )

    @property
    def jobs(self) -> list[Job]:
        """The jobs of which folds are missing, each address and seed once."""
        wanted = {(task.address, task.seed) for task in self.tasks}
        return [
            job
            for variant in self.variants
            for job in variant.jobs
            if (job.address, job.seed) in wanted and job.seed not in variant.elsewhere
        ]

    @property
    def left_out(self) -> dict[str, str]:
        """Why some experiments cannot be run on these data at all, by name."""
        return {name: entry.reason for name, entry in self.experiments.items() if entry.reason}

    @property
    def refused(self) -> dict[str, str]:
        """Why some variants cannot be run while others of their experiment can, by name."""
        return {variant.name: variant.reason for variant in self.variants if variant.reason}

    def part(self, names: Iterable[str]) -> Plan:
        """Return the same for `names` alone; they have to come before the others that they share variants with."""
        return Plan({name: self.experiments[name] for name in names})

    def complete(self, names: Iterable[str]) -> bool:
        """Say whether every fold of `names` is in the store; one that cannot be run lacks nothing."""
        return all(self.experiments[name].found == self.experiments[name].total for name in names)

    def digest(self, store: PredictionStore, names: Iterable[str]) -> str:
        """Digest what `store` holds of `names`: addresses, files of folds that are there, failures of the others."""
        state: list[list[Any]] = []
        for name in names:
            entry = self.experiments[name]
            state.append([name, entry.reason, *(_state(variant, store) for variant in entry.variants.values())])
        return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


def _state(variant: VariantPlan, store: PredictionStore) -> list[Any]:
    addresses = sorted({job.address for job in variant.jobs})
    failures = [store.failures(address) for address in addresses] if variant.missing else []
    files = [[job.seed, *fold_marks(job, store)] for job in variant.jobs]
    return [variant.label, variant.reason, addresses, files, failures]


def make_plan(
    wanted: Iterable[Experiment], parameters: TrainingParameters, data_of: DataOf, store: PredictionStore
) -> Plan:
    """Look into `store` for every fold of `wanted`; nothing is computed.

    An experiment that cannot be run on these data (no such classes, no frames, fewer subjects than folds) has a reason
    in the plan, or a single variant has, and the others are not touched by it.
    """
    planner = _Planner(parameters, data_of, store)
    return Plan({experiment.id: planner.experiment(experiment) for experiment in wanted})


class _Planner:
    """Looks at each address and seed once, however many variants share it."""

    def __init__(self, parameters: TrainingParameters, data_of: DataOf, store: PredictionStore) -> None:
        self._parameters, self._data_of, self._store = parameters, data_of, store
        self._looked_at: dict[tuple[str, int], tuple[int, list[FoldTask]]] = {}
        self._first: dict[tuple[str, int], str] = {}

    def experiment(self, experiment: Experiment) -> ExperimentPlan:
        """Return the plan of one experiment."""
        try:
            dataset = self._data_of(experiment)
            groups = jobs_of(experiment, self._parameters.profile, dataset, self._parameters.seeds)
        except (DataError, ParameterError) as error:
            return ExperimentPlan(experiment.id, reason=str(error))
        variants = {label: self._variant(experiment.id, label, jobs) for label, jobs in groups.items()}
        reasons = [variant.reason for variant in variants.values()]
        return (
            ExperimentPlan(experiment.id, reason=reasons[0])
            if all(reasons)
            else ExperimentPlan(experiment.id, variants)
        )

    def _variant(self, name: str, label: str, jobs: list[Job]) -> VariantPlan:
        try:
            looked_at = {job.seed: self._look(job) for job in jobs}
        except (DataError, ParameterError) as error:
            return VariantPlan(name, label, reason=str(error))
        mine = f"{name} {label}"
        owners = {job.seed: self._first.setdefault((job.address, job.seed), mine) for job in jobs}
        return VariantPlan(
            experiment=name,
            label=label,
            jobs=jobs,
            stored={seed: found for seed, (found, _) in looked_at.items()},
            missing=[task for _, missing in looked_at.values() for task in missing],
            elsewhere={seed: owner for seed, owner in owners.items() if owner != mine},
        )

    def _look(self, job: Job) -> tuple[int, list[FoldTask]]:
        key = (job.address, job.seed)
        if key not in self._looked_at:
            missing, summary = plan_folds([job], self._store)
            self._looked_at[key] = summary.found, missing
        return self._looked_at[key]
