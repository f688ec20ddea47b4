"""All that was measured for one experiment, as tables."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mer_lib.datasets.class_view import THREE
from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.evaluation.audit import Audit
from mer_lib.evaluation.pooling import AUC_METRICS
from mer_lib.evaluation.variant import Variant
from mer_lib.papers.experiments import Experiment

#: Scores that have an interval over subjects.
INTERVAL_METRICS: tuple[str, ...] = ("uf1", "uar", "accuracy", *AUC_METRICS)


def metrics_of(classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of all scores of a variant that tells `classes` apart.

    >>> metrics_of(("happiness", "anger"))
    ('uf1', 'uar', 'accuracy', 'recall_happiness', 'recall_anger', 'auc_micro', 'auc_macro')
    """
    return ("uf1", "uar", "accuracy", *(f"recall_{name}" for name in classes), *AUC_METRICS)


@dataclass(frozen=True)
class Measurement:
    """All that was measured for one experiment on one data set under one profile.

    Attributes:
        scores: one row a (variant, subset, protocol, metric): `value` (mean over seeds, scores pooled over folds),
            `sd` over seeds (NaN for one), `low` and `high` (95 % bootstrap over subjects, full set,
            :data:`INTERVAL_METRICS`), `over_prior` with `over_prior_low` and `over_prior_high` (difference to the
            class prior on the same samples, with its paired interval, full set, protocol ``fixed``; NaN where the
            experiment has no class prior; that of an AUC are the overall class shares of these samples, since those of
            training sides are too low a bar there, see :mod:`mer_lib.evaluation.trivial`), `reported` (number or NaN)
            and `reported_text`. Where variants differ by gender, the subsets "men" and "women" stand beside the data
            sets.
        fold_means: the same scores averaged over folds, which is not the field's protocol.
        confusion: matrices summed over seeds, by (variant, subset, protocol), rows are the truth.
        gaps: optimism gap per variant.
        tests: paired permutation tests between variants, Holm-corrected, protocol ``fixed``, all seeds; each pair on
            the samples that both predicted.
        curves: training loss and pooled test UF1 per epoch and variant.
        audits: one a (variant, seed).
        events: one row a computed fold, where and how long.
        classes: names of the classes that each variant tells apart.
        trivial: one row a (variant, predictor): what predictors that never look at a sample score on the same samples,
            see :mod:`mer_lib.evaluation.trivial`; protocol ``fixed``, first seed.
        subject_means: one row a (variant, absent): means over subjects and what a perfect classifier attains, see
            :mod:`mer_lib.evaluation.per_subject`; protocol ``fixed``, first seed.
        predictions: the chosen predictions of all seeds by (variant, protocol), one frame each.
        failed: why the other variants of the experiment are in none of these, by variant: the traceback of a fold, or
            a sentence such as "not computed: 3 of 15 folds are missing".
    """

    experiment: Experiment
    profile: str
    dataset: FlowMapDataset | ClipDataset
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
    classes: dict[str, tuple[str, ...]]
    trivial: pd.DataFrame
    subject_means: pd.DataFrame
    predictions: dict[tuple[str, str], pd.DataFrame]
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The scores that were measured, those of classes included."""
        return tuple(dict.fromkeys(self.scores["metric"]))

    @property
    def caption(self) -> str:
        """What the numbers come from, to stand beside every one of them."""
        seeds = ", ".join(map(str, self.seeds))
        word = "seed" if len(self.seeds) == 1 else "seeds"
        return " · ".join([self.dataset.label, *self._tested, f"profile {self.profile}", f"{word} {seeds}"])

    @property
    def _tested(self) -> list[str]:
        """Classes other than the three of the data set, and how many samples have one."""
        sets = dict.fromkeys(variant.labels for variant in self.variants.values() if variant.labels != THREE)
        count = int(self.scores.loc[self.scores["subset"] == "full", "n"].max())
        return [f"{count} tested, classes of {', '.join(sets)}"] if sets else []

    def value(self, variant: str, metric: str = "uf1", subset: str = "full", protocol: str = "fixed") -> float:
        """Return one number of `scores`."""
        wanted = {"variant": variant, "subset": subset, "protocol": protocol, "metric": metric}
        rows = self.scores[np.logical_and.reduce([self.scores[k] == v for k, v in wanted.items()])]
        return float(rows["value"].iloc[0])
