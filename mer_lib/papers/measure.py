"""From an experiment to numbers: which jobs it consists of, what they scored, and what the paper reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.datasets.samples import CLASSES
from mer_lib.evaluation.audit import Audit, audit
from mer_lib.evaluation.crossval import Job, Listener, RunSummary, choose_folds, read_folds, run
from mer_lib.evaluation.metrics import Scores, mean_over_folds, score_by_dataset
from mer_lib.evaluation.protocols import PROTOCOLS, available_protocols, uf1_per_epoch
from mer_lib.evaluation.statistics import bootstrap_interval, compare_all
from mer_lib.evaluation.store import FoldResult, PredictionStore
from mer_lib.evaluation.variant import Variant
from mer_lib.features.report import Listener as ClipListener
from mer_lib.papers.experiments import Experiment
from mer_lib.papers.reported import ReportedNumber, lookup

METRICS = ("uf1", "uar", "accuracy", *(f"recall_{name}" for name in CLASSES), "auc_micro", "auc_macro")
INTERVAL_METRICS = ("uf1", "uar")


@dataclass(frozen=True)
class Measurement:
    """All that was measured for one experiment on one data set under one profile.

    Attributes:
        scores: one row a (variant, subset, protocol, metric): `value` (mean over seeds, scores pooled over folds),
            `sd` over seeds (NaN for one), `low` and `high` (95 % bootstrap over subjects, full set, UF1 and UAR),
            `reported` (number or NaN) and `reported_text`.
        fold_means: the same scores averaged over folds, which is not the field's protocol.
        confusion: matrices summed over seeds, by (variant, subset, protocol), rows are the truth.
        gaps: optimism gap per variant.
        tests: paired permutation tests between variants, Holm-corrected, protocol ``fixed``, first seed.
        curves: training loss and pooled test UF1 per epoch and variant.
        audits: one a (variant, seed).
        events: one row a computed fold, where and how long.
    """

    experiment: Experiment
    profile: str
    dataset: FlowMapDataset
    seeds: tuple[int, ...]
    variants: dict[str, Variant]
    scores: pd.DataFrame
    fold_means: pd.DataFrame
    confusion: dict[tuple[str, str, str], np.ndarray]
    gaps: pd.DataFrame
    tests: pd.DataFrame
    curves: pd.DataFrame
    audits: dict[tuple[str, int], Audit]
    events: pd.DataFrame

    @property
    def caption(self) -> str:
        """What the numbers come from, to stand beside every one of them."""
        seeds = ", ".join(map(str, self.seeds))
        word = "seed" if len(self.seeds) == 1 else "seeds"
        return f"{self.dataset.label} · profile {self.profile} · {word} {seeds}"

    def value(self, variant: str, metric: str = "uf1", subset: str = "full", protocol: str = "fixed") -> float:
        """Return one number of `scores`."""
        wanted = {"variant": variant, "subset": subset, "protocol": protocol, "metric": metric}
        rows = self.scores[np.logical_and.reduce([self.scores[k] == v for k, v in wanted.items()])]
        return float(rows["value"].iloc[0])


def jobs_of(
    experiment: Experiment, profile: str, dataset: FlowMapDataset, seeds: Sequence[int] | None = None
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
    dataset: FlowMapDataset,
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
    dataset: FlowMapDataset,
    store: PredictionStore,
    *,
    seeds: Sequence[int] | None = None,
) -> Measurement:
    """Read the stored predictions of `experiment` and compute every view of them; nothing is trained.

    Raises:
        StoreError: predictions are missing or damaged; all folds are named.
    """
    groups = jobs_of(experiment, profile, dataset, seeds)
    measured = {label: _Measured(label, jobs, store) for label, jobs in groups.items()}
    scores = pd.DataFrame([row for variant in measured.values() for row in variant.rows()])
    first = {label: variant.chosen["fixed"][0] for label, variant in measured.items()}
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
        tests=compare_all(first) if len(first) > 1 else pd.DataFrame(),
        curves=pd.concat([variant.curves for variant in measured.values()], ignore_index=True),
        audits={key: entry for variant in measured.values() for key, entry in variant.audits.items()},
        events=pd.DataFrame([event for label, jobs in groups.items() for event in _events(label, jobs, store)]),
    )


class _Measured:
    """One variant's stored folds, read once, and the views of them."""

    def __init__(self, label: str, jobs: Sequence[Job], store: PredictionStore) -> None:
        self.label = label
        self.seeds = [job.seed for job in jobs]
        folds = [read_folds(job, store) for job in jobs]
        self.protocols = available_protocols(folds[0][0].predictions)
        self.chosen = {name: [choose_folds(seed, name) for seed in folds] for name in self.protocols}
        self.scores = {name: [score_by_dataset(frame) for frame in frames] for name, frames in self.chosen.items()}
        self.audits = {
            (label, job.seed): audit(job.label, seed, job.dataset) for job, seed in zip(jobs, folds, strict=True)
        }
        self.curves = _epoch_curves(label, folds)

    def rows(self) -> Iterator[dict[str, Any]]:
        for protocol, per_seed in self.scores.items():
            for subset in per_seed[0]:
                for metric in METRICS:
                    values = [_value(scores[subset], metric) for scores in per_seed]
                    yield self._row(subset, protocol, metric, values) | self._interval(protocol, subset, metric)

    def _row(self, subset: str, protocol: str, metric: str, values: list[float]) -> dict[str, Any]:
        spread = float(np.std(values, ddof=1)) if len(values) > 1 else np.nan
        return {
            "variant": self.label,
            "subset": subset,
            "protocol": protocol,
            "metric": metric,
            "value": float(np.mean(values)),
            "sd": spread,
            "seeds": len(values),
            "n": self.scores[protocol][0][subset].n,
        }

    def _interval(self, protocol: str, subset: str, metric: str) -> dict[str, float]:
        if subset != "full" or metric not in INTERVAL_METRICS:
            return {"low": np.nan, "high": np.nan}
        interval = bootstrap_interval(self.chosen[protocol], metric=metric)
        return {"low": interval.low, "high": interval.high}

    def fold_mean_rows(self) -> Iterator[dict[str, Any]]:
        for protocol, frames in self.chosen.items():
            means = pd.DataFrame([mean_over_folds(frame) for frame in frames]).mean()
            yield {"variant": self.label, "protocol": protocol, **means.to_dict()}

    def confusion(self) -> dict[tuple[str, str, str], np.ndarray]:
        return {
            (self.label, subset, protocol): np.sum([scores[subset].confusion for scores in per_seed], axis=0)
            for protocol, per_seed in self.scores.items()
            for subset in per_seed[0]
        }

    def gap_row(self) -> dict[str, Any]:
        uf1 = {name: np.mean([scores["full"].uf1 for scores in seeds]) for name, seeds in self.scores.items()}
        row: dict[str, Any] = {"variant": self.label} | {name: uf1.get(name, np.nan) for name in PROTOCOLS}
        return row | {
            "published_minus_fixed": row["published"] - row["fixed"],
            "published_minus_nested": row["published"] - row["nested"],
        }


def _value(scores: Scores, metric: str) -> float:
    if metric.startswith("recall_"):
        return float(scores.recall[CLASSES.index(metric.removeprefix("recall_"))])
    return float(getattr(scores, metric))


def _epoch_curves(label: str, folds: Sequence[Sequence[FoldResult]]) -> pd.DataFrame:
    """Return `variant, seed, epoch, loss (mean over folds), uf1 (pooled test), train_accuracy`, empty if no epochs."""
    return pd.concat([_curve(label, seed) for seed in folds], ignore_index=True)


def _curve(label: str, folds: Sequence[FoldResult]) -> pd.DataFrame:
    tests = pd.concat([fold.predictions[fold.predictions["role"] == "test"] for fold in folds])
    epochs, uf1 = uf1_per_epoch(tests)
    frame = pd.DataFrame({"variant": label, "seed": folds[0].metadata["seed"], "epoch": epochs, "uf1": uf1})
    for name, values in _history(folds).items():
        frame[name] = values
    return frame


def _history(folds: Sequence[FoldResult]) -> dict[str, np.ndarray]:
    keys = folds[0].metadata["history"]
    return {f"train_{key}": np.mean([fold.metadata["history"][key] for fold in folds], axis=0) for key in keys}


def _events(label: str, jobs: Sequence[Job], store: PredictionStore) -> Iterator[dict[str, Any]]:
    for job in jobs:
        for event in store.events(job.address):
            if event["seed"] == job.seed:
                yield {"variant": label, "address": job.address, **event}


def _with_reported(scores: pd.DataFrame, experiment: Experiment, dataset: FlowMapDataset) -> pd.DataFrame:
    """Add what the paper reports to each row of `scores`; only real data are set beside published numbers."""
    numbers = [
        reported_number(experiment, row.variant, row.subset, row.metric) if dataset.kind == "real" else None
        for row in scores.itertuples()
    ]
    return scores.assign(
        reported=[float(number.value) if number else np.nan for number in numbers],
        reported_text=[number.display() if number else "" for number in numbers],
        reported_note=[(number.note or "") if number else "" for number in numbers],
    )


def reported_number(experiment: Experiment, variant: str, subset: str, metric: str) -> ReportedNumber | None:
    """Return what the paper reports for one cell, or None."""
    if experiment.reported is None:
        return None
    name = experiment.variants[variant].reported or variant
    by = {experiment.reported.by: name} if experiment.reported.by else {}
    return lookup(experiment.reported.experiment, metric, dataset=subset, **by)
