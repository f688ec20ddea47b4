"""From an experiment to numbers: which jobs it consists of, what they scored, and what the paper reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.evaluation.crossval import Job, Listener, RunSummary, run
from mer_lib.evaluation.statistics import compare_all
from mer_lib.evaluation.store import PredictionStore
from mer_lib.features.report import Listener as ClipListener
from mer_lib.papers.experiments import Experiment
from mer_lib.papers.measured_variant import MeasuredVariant
from mer_lib.papers.measurement import Measurement
from mer_lib.papers.reported import ReportedNumber, lookup

__all__ = ["Measurement", "jobs_of", "measure", "run_experiment"]


def jobs_of(
    experiment: Experiment, profile: str, dataset: FlowMapDataset | ClipDataset, seeds: Sequence[int] | None = None
) -> dict[str, list[Job]]:
    """Return the jobs of `experiment` by variant, one a seed; `seeds` default to the profile's."""
    seeds = tuple(seeds) if seeds is not None else experiment.profile(profile).seeds
    settings = experiment.settings(profile)
    return {
        label: [Job(f"{experiment.id} {label}", variant, dataset, seed) for seed in seeds]
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
) -> RunSummary:
    """Compute what `store` lacks of `experiment`; see :func:`mer_lib.evaluation.crossval.run`."""
    jobs = [job for group in jobs_of(experiment, profile, dataset, seeds).values() for job in group]
    return run(jobs, store, n_jobs=n_jobs, device=device, listener=listener, clip_listener=clip_listener)


def measure(
    experiment: Experiment,
    profile: str,
    dataset: FlowMapDataset | ClipDataset,
    store: PredictionStore,
    *,
    seeds: Sequence[int] | None = None,
) -> Measurement:
    """Read the stored predictions of `experiment` and compute every view of them; nothing is trained.

    Raises:
        StoreError: predictions are missing or damaged; all folds are named.
    """
    groups = jobs_of(experiment, profile, dataset, seeds)
    by_gender = any(jobs[0].variant.subjects != "all" for jobs in groups.values())
    measured = {label: MeasuredVariant(label, jobs, store, by_gender) for label, jobs in groups.items()}
    priors = [variant for variant in measured.values() if variant.is_prior]
    scores = pd.DataFrame([row for variant in measured.values() for row in variant.rows(priors)])
    first = {label: variant.chosen["fixed"][0] for label, variant in measured.items()}
    known: dict[str, pd.DataFrame] = {}
    return Measurement(
        experiment=experiment,
        profile=profile,
        dataset=dataset,
        seeds=tuple(job.seed for job in next(iter(groups.values()))),
        variants={label: jobs[0].variant for label, jobs in groups.items()},
        scores=_with_reported(scores, experiment, dataset),
        fold_means=pd.DataFrame([row for variant in measured.values() for row in variant.fold_mean_rows()]),
        confusion={key: matrix for variant in measured.values() for key, matrix in variant.confusion().items()},
        gaps=pd.DataFrame([variant.gap_row() for variant in measured.values()]),
        tests=compare_all(first, common=True) if len(first) > 1 else pd.DataFrame(),
        curves=pd.concat([variant.curves for variant in measured.values()], ignore_index=True),
        audits={key: entry for variant in measured.values() for key, entry in variant.audits.items()},
        events=pd.DataFrame([event for label, jobs in groups.items() for event in _events(label, jobs, store)]),
        classes={label: variant.classes for label, variant in measured.items()},
        trivial=pd.concat([variant.trivial(known) for variant in measured.values()], ignore_index=True),
        subject_means=pd.concat([variant.subject_means() for variant in measured.values()], ignore_index=True),
        predictions={
            (label, protocol): pd.concat(frames, ignore_index=True)
            for label, variant in measured.items()
            for protocol, frames in variant.chosen.items()
        },
    )


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
_PRINTED_AS = {"accuracy": "acc", "auc_micro": "micro_auc", "auc_macro": "macro_auc"}


def reported_number(experiment: Experiment, variant: str, subset: str, metric: str) -> ReportedNumber | None:
    """Return what the paper reports for one cell, or None."""
    if experiment.reported is None:
        return None
    name = experiment.variants[variant].reported or variant
    by = {experiment.reported.by: name} if experiment.reported.by else {}
    return lookup(experiment.reported.experiment, _PRINTED_AS.get(metric, metric), dataset=subset, **by)
