"""One variant's stored folds, read once, and every view of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from mer_lib.evaluation.audit import audit
from mer_lib.evaluation.crossval import Job, choose_folds, read_folds
from mer_lib.evaluation.frames import FULL, only
from mer_lib.evaluation.metrics import Scores, mean_over_folds, score, score_by_dataset
from mer_lib.evaluation.per_subject import mean_over_subjects
from mer_lib.evaluation.pooling import AUC_METRICS, Prepared
from mer_lib.evaluation.protocols import PROTOCOLS, available_protocols, uf1_per_epoch
from mer_lib.evaluation.statistics import bootstrap_interval, difference_interval
from mer_lib.evaluation.store import FoldResult, PredictionStore
from mer_lib.evaluation.trivial import overall_shares, training_labels, trivial_table
from mer_lib.papers.measurement import INTERVAL_METRICS, metrics_of

#: Names of the subsets that a comparison by gender is read on.
GENDERS: Mapping[str, str] = MappingProxyType({"male": "men", "female": "women"})


class MeasuredVariant:
    """One variant's stored folds, read once, and the views of them."""

    def __init__(self, label: str, jobs: Sequence[Job], store: PredictionStore, by_gender: bool = False) -> None:
        self.label = label
        self.classes = jobs[0].labelled.classes
        self.is_prior = jobs[0].variant.model.name == "dummy"
        folds = [read_folds(job, store) for job in jobs]
        self.protocols = available_protocols(folds[0][0].predictions)
        self.chosen = {name: [choose_folds(seed, name) for seed in folds] for name in self.protocols}
        self._prepared = {name: Prepared(frames) for name, frames in self.chosen.items()}
        self.scores = {
            name: [score_by_dataset(frame) | (_by_gender(frame, jobs[0]) if by_gender else {}) for frame in frames]
            for name, frames in self.chosen.items()
        }
        self.trained = training_labels(folds[0], jobs[0].labelled)
        self.audits = {
            (label, job.seed): audit(job.label, seed, job.labelled, job.variant.subjects)
            for job, seed in zip(jobs, folds, strict=True)
        }
        self.curves = _epoch_curves(label, folds)

    def rows(self, priors: Sequence[MeasuredVariant] = ()) -> Iterator[dict[str, Any]]:
        """Yield one row a (subset, protocol, metric); `priors` are the class priors of the same experiment."""
        beside = self._beside(priors)
        for protocol, per_seed in self.scores.items():
            for subset in per_seed[0]:
                for metric in metrics_of(self.classes):
                    values = [_value(scores[subset], metric) for scores in per_seed]
                    row = self._row(subset, protocol, metric, values) | self._interval(protocol, subset, metric)
                    yield row | _over_prior(beside, protocol, subset, metric)

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
        if subset != FULL or metric not in INTERVAL_METRICS:
            return {"low": np.nan, "high": np.nan}
        interval = bootstrap_interval(self._prepared[protocol], metric=metric)
        return {"low": interval.low, "high": interval.high}

    def _beside(self, priors: Sequence[MeasuredVariant]) -> tuple[Prepared, Prepared, Prepared] | None:
        """Return what this variant, a prior and the overall shares say of all its samples; None without a prior.

        Of several priors the one that was tested on the fewest other samples is taken.
        """
        mine = self._prepared["fixed"].frame
        wanted = set(mine["sample_id"])
        others = [
            pd.concat(prior.chosen["fixed"]) for prior in priors if prior is not self and prior.classes == self.classes
        ]
        covering = [frame for frame in others if wanted <= set(frame["sample_id"])]
        if self.is_prior or not covering:
            return None
        prior = only(min(covering, key=len), wanted)
        return self._prepared["fixed"], Prepared(prior), Prepared(overall_shares(mine))

    def trivial(self, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
        """Return what predictors that never look at a sample score beside this variant, first seed.

        What they score on the same folds as other variants is taken from `known`, or added to it.
        """
        table = trivial_table(self.chosen["fixed"][0], self.trained, known=known).reset_index()
        return table.assign(variant=self.label)[["variant", *table.columns]]

    def subject_means(self) -> pd.DataFrame:
        """Return means over subjects, first seed."""
        table = mean_over_subjects(self.chosen["fixed"][0]).reset_index()
        return table.assign(variant=self.label)[["variant", *table.columns]]

    def fold_mean_rows(self) -> Iterator[dict[str, Any]]:
        """Yield the scores averaged over folds, one row a protocol."""
        for protocol, frames in self.chosen.items():
            means = pd.DataFrame([mean_over_folds(frame) for frame in frames]).mean()
            yield {"variant": self.label, "protocol": protocol, **means.to_dict()}

    def confusion(self) -> dict[tuple[str, str, str], np.ndarray]:
        """Return matrices summed over seeds, by (variant, subset, protocol)."""
        return {
            (self.label, subset, protocol): np.sum([scores[subset].confusion for scores in per_seed], axis=0)
            for protocol, per_seed in self.scores.items()
            for subset in per_seed[0]
        }

    def gap_row(self) -> dict[str, Any]:
        """Return UF1 under every protocol, and what choosing on the test subjects adds."""
        uf1 = {name: np.mean([scores["full"].uf1 for scores in seeds]) for name, seeds in self.scores.items()}
        row: dict[str, Any] = {"variant": self.label} | {name: uf1.get(name, np.nan) for name in PROTOCOLS}
        return row | {
            "published_minus_fixed": row["published"] - row["fixed"],
            "published_minus_nested": row["published"] - row["nested"],
        }


def _over_prior(
    beside: tuple[Prepared, Prepared, Prepared] | None, protocol: str, subset: str, metric: str
) -> dict[str, float]:
    names = ("over_prior", "over_prior_low", "over_prior_high")
    if beside is None or subset != FULL or protocol != "fixed" or metric not in INTERVAL_METRICS:
        return dict.fromkeys(names, np.nan)
    mine, prior, shares = beside
    reference = shares if metric in AUC_METRICS else prior
    interval = difference_interval(mine, reference, metric=metric)
    return dict(zip(names, (interval.point, interval.low, interval.high), strict=True))


def _value(scores: Scores, metric: str) -> float:
    if metric.startswith("recall_"):
        return float(scores.recall[scores.classes.index(metric.removeprefix("recall_"))])
    return float(getattr(scores, metric))


def _by_gender(predictions: pd.DataFrame, job: Job) -> dict[str, Scores]:
    """Score men's and women's clips apart, where all of them were predicted."""
    samples, found = job.labelled.samples, {}
    for gender, name in GENDERS.items():
        ids = set(samples["sample_id"][(samples["gender"] == gender).fillna(False)])
        if ids and ids <= set(predictions["sample_id"]):
            found[name] = score(only(predictions, ids))
    return found


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
