"""From an experiment to numbers: which jobs it consists of, what they scored, and what the paper reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.errors import StoreError, fault_list, last_line
from mer_lib.evaluation.crossval import Job, Listener, RunSummary, run
from mer_lib.evaluation.statistics import compare_all
from mer_lib.evaluation.store import PredictionStore
from mer_lib.features.report import Listener as ClipListener
from mer_lib.papers.experiments import Experiment
from mer_lib.papers.kept import is_kept, kept
from mer_lib.papers.measured_variant import MeasuredVariant
from mer_lib.papers.measurement import Measurement
from mer_lib.papers.parts import HERE
from mer_lib.papers.reported import ReportedNumber, lookup

#: How the reason of a variant begins that was never run, or not to its end.
NOT_COMPUTED = "not computed"

__all__ = ["NOT_COMPUTED", "Measurement", "NothingMeasured", "is_due", "jobs_of", "measure", "run_experiment"]


class NothingMeasured(StoreError):
    """No variant of an experiment is complete; `failed` says why, by variant."""

    def __init__(self, name: str, failed: Mapping[str, str]) -> None:
        lines = fault_list(f"{label}: {last_line(text)}" for label, text in failed.items())
        super().__init__(f"{name}: no variant is complete:\n{lines}")
        self.failed = dict(failed)


def jobs_of(
    experiment: Experiment, profile: str, dataset: FlowMapDataset | ClipDataset, seeds: Sequence[int] | None = None
) -> dict[str, list[Job]]:
    """Return the jobs of `experiment` by variant, one a seed; `seeds` default to the profile's."""
    seeds = tuple(seeds) if seeds is not None else experiment.profile(profile).seeds
    settings = experiment.settings(profile)
    return {
        label: [Job(f"{experiment.id} {label}", variant, dataset, seed, profile=profile) for seed in seeds]
        for label, variant in settings.items()
    }


def run_experiment(
    experiment: Experiment,
    profile: str,
    dataset: FlowMapDataset | ClipDataset,
    store: PredictionStore,
    *,
    seeds: Sequence[int] | None = None,
    n_jobs: int = 1,
    device: str = "auto",
    listener: Listener | None = None,
    clip_listener: ClipListener | None = None,
    keep_going: bool = False,
) -> RunSummary:
    """Compute what `store` lacks of `experiment`; see :func:`mer_lib.evaluation.crossval.run`."""
    jobs = [job for group in jobs_of(experiment, profile, dataset, seeds).values() for job in group]
    return run(
        jobs,
        store,
        n_jobs=n_jobs,
        device=device,
        listener=listener,
        clip_listener=clip_listener,
        keep_going=keep_going,
    )


def measure(
    experiment: Experiment,
    profile: str,
    dataset: FlowMapDataset | ClipDataset,
    store: PredictionStore,
    *,
    seeds: Sequence[int] | None = None,
) -> Measurement:
    """Read the stored predictions of `experiment` and compute every view of them; nothing is trained.

    Variants of which a fold is missing or damaged are left out of every view, and named in `failed`. What was measured
    before is read from disk, see :mod:`mer_lib.papers.kept`.

    Raises:
        NothingMeasured: no variant is complete.
    """
    groups = jobs_of(experiment, profile, dataset, seeds)
    tables = dict(kept(_name(experiment, profile, dataset), groups, store, lambda: _tables(groups, store)))
    if not tables["variants"]:
        raise NothingMeasured(experiment.id, tables["failed"])
    scores = _with_reported(tables.pop("scores"), experiment, dataset)
    events = [event for label in tables["variants"] for event in _events(label, groups[label], store)]
    return Measurement(
        experiment=experiment,
        profile=profile,
        dataset=dataset,
        seeds=tuple(job.seed for job in next(iter(groups.values()))),
        scores=scores,
        events=pd.DataFrame(events),
        **tables,
    )


def is_due(
    experiment: Experiment,
    profile: str,
    dataset: FlowMapDataset | ClipDataset,
    store: PredictionStore,
    seeds: Sequence[int] | None = None,
) -> bool:
    """Say whether :func:`measure` would have something to compute: folds are there, and their measurement is not."""
    groups = jobs_of(experiment, profile, dataset, seeds)
    there = any(store.folder(job.address).exists() for jobs in groups.values() for job in jobs)
    return there and not is_kept(_name(experiment, profile, dataset), groups, store)


def _name(experiment: Experiment, profile: str, dataset: FlowMapDataset | ClipDataset) -> str:
    return f"{experiment.id}-{profile}-{dataset.digest[:8]}"


def _tables(groups: Mapping[str, Sequence[Job]], store: PredictionStore) -> dict[str, Any]:
    """Return what a measurement says of the stored folds alone."""
    by_gender = any(jobs[0].variant.subjects != "all" for jobs in groups.values())
    measured, failed = _read(groups, store, by_gender)
    variants = {label: groups[label][0].variant for label in measured}
    if not measured:
        return {"variants": variants, "failed": failed}
    every = list(measured.values())
    priors = [variant for variant in every if variant.is_prior]
    chosen = {variant.label: variant.chosen["fixed"] for variant in every}
    known: dict[str, pd.DataFrame] = {}
    return {
        "variants": variants,
        "scores": pd.DataFrame([row for variant in every for row in variant.rows(priors)]),
        "fold_means": pd.DataFrame([row for variant in every for row in variant.fold_mean_rows()]),
        "confusion": {key: matrix for variant in every for key, matrix in variant.confusion().items()},
        "gaps": pd.DataFrame([variant.gap_row() for variant in every]),
        "tests": compare_all(chosen, common=True) if len(chosen) > 1 else pd.DataFrame(),
        "curves": pd.concat([variant.curves for variant in every], ignore_index=True),
        "audits": {key: entry for variant in every for key, entry in variant.audits.items()},
        "classes": {variant.label: variant.classes for variant in every},
        "trivial": pd.concat([variant.trivial(known) for variant in every], ignore_index=True),
        "subject_means": pd.concat([variant.subject_means() for variant in every], ignore_index=True),
        "predictions": {
            (variant.label, protocol): pd.concat(frames, ignore_index=True)
            for variant in every
            for protocol, frames in variant.chosen.items()
        },
        "failed": failed,
    }


def _read(
    groups: Mapping[str, Sequence[Job]], store: PredictionStore, by_gender: bool
) -> tuple[dict[str, MeasuredVariant], dict[str, str]]:
    """Return the complete variants, and why the others are not."""
    measured, failed = {}, {}
    for label, jobs in groups.items():
        try:
            measured[label] = MeasuredVariant(label, jobs, store, by_gender)
        except StoreError as error:
            failed[label] = _why_incomplete(jobs, store, error)
    return measured, failed


def _why_incomplete(jobs: Sequence[Job], store: PredictionStore, error: StoreError) -> str:
    """Return the traceback of a fold that failed, else what was found instead of the folds."""
    seeds = {job.seed for job in jobs}
    failures = [entry for job in jobs[:1] for entry in store.failures(job.address) if entry["seed"] in seeds]
    if failures:
        return str(failures[0]["traceback"])
    missing = sum(not store.path(job.address, split.fold, job.seed).exists() for job in jobs for split in job.splits)
    folds = sum(len(job.splits) for job in jobs)
    return f"{NOT_COMPUTED}: {missing} of {folds} folds are missing" if missing else str(error)


def _events(label: str, jobs: Sequence[Job], store: PredictionStore) -> Iterator[dict[str, Any]]:
    for job in jobs:
        for event in store.events(job.address):
            if event["seed"] == job.seed:
                yield {"variant": label, "address": job.address, **event}


def _with_reported(scores: pd.DataFrame, experiment: Experiment, dataset: FlowMapDataset | ClipDataset) -> pd.DataFrame:
    """Add what the paper reports to each row of `scores`; only real data are set beside published numbers."""
    numbers = [
        reported_number(experiment, row.variant, row.subset, row.metric) if dataset.kind == "real" else None
        for row in scores.itertuples()
    ]
    return scores.assign(
        reported=[number.fraction if number else np.nan for number in numbers],
        reported_text=[number.display() if number else "" for number in numbers],
        reported_note=[(number.note or "") if number else "" for number in numbers],
    )


#: Under which name the table of published numbers holds a metric, where that is another.
_PRINTED_AS = {here: printed for printed, here in HERE.items()}


def reported_number(experiment: Experiment, variant: str, subset: str, metric: str) -> ReportedNumber | None:
    """Return what the paper reports for one cell, or None."""
    if experiment.reported is None:
        return None
    name = experiment.variants[variant].reported or variant
    by = {experiment.reported.by: name} if experiment.reported.by else {}
    return lookup(experiment.reported.experiment, _PRINTED_AS.get(metric, metric), dataset=subset, **by)
