"""An audit of what was really fitted and tested, read from the stored folds, that names what it checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.datasets.samples import CLASSES
from mer_lib.evaluation.folds import subject_of
from mer_lib.evaluation.frames import PROBABILITIES
from mer_lib.evaluation.store import FoldResult


@dataclass(frozen=True)
class Check:
    """One question of the audit. `fatal` ones make the numbers untrustworthy, the others explain them."""

    name: str
    passed: bool
    detail: str
    fatal: bool = True


@dataclass(frozen=True)
class Audit:
    """All checks of one job."""

    label: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether no fatal check failed."""
        return all(check.passed for check in self.checks if check.fatal)

    def table(self) -> pd.DataFrame:
        """Return one row a check: `check, result, detail`."""
        words = {(True, True): "passed", (True, False): "passed", (False, True): "FAILED", (False, False): "note"}
        return pd.DataFrame(
            [{"check": c.name, "result": words[c.passed, c.fatal], "detail": c.detail} for c in self.checks]
        )


def audit(label: str, folds: Sequence[FoldResult], dataset: FlowMapDataset) -> Audit:
    """Audit the stored `folds` of one job against its data set: what each was fitted on, what it predicted."""
    return Audit(label, tuple(check(folds, dataset) for check in CHECKS))


def _tested(fold: FoldResult, role: str = "test") -> list[str]:
    rows = fold.predictions
    return rows.loc[(rows["role"] == role) & (rows["epoch"] == rows["epoch"].max()), "sample_id"].tolist()


def _result(name: str, faults: Sequence[str], good: str, fatal: bool = True) -> Check:
    shown = "; ".join(faults[:5]) + (f"; and {len(faults) - 5} more" if len(faults) > 5 else "")
    return Check(name, not faults, shown or good, fatal)


def tested_once(folds: Sequence[FoldResult], dataset: FlowMapDataset) -> Check:
    """Every sample of the data set is tested in exactly one fold."""
    counts = pd.Series([sample for fold in folds for sample in _tested(fold)]).value_counts()
    expected = set(dataset.samples["sample_id"])
    faults = [f"{sample} tested {n} times" for sample, n in counts[counts > 1].items()]
    faults += [f"{sample} never tested" for sample in sorted(expected - set(counts.index))]
    faults += [f"{sample} is not in the data" for sample in sorted(set(counts.index) - expected)]
    return _result("each sample is tested exactly once", faults, f"{len(counts)} samples, {len(folds)} folds")


def _shared(folds: Sequence[FoldResult], role: str) -> list[str]:
    faults = []
    for fold in folds:
        fitted = {subject_of(sample) for sample in fold.metadata["fitted_on"]}
        shared = fitted & {subject_of(sample) for sample in _tested(fold, role)}
        faults += [f"{subject} in fold {fold.metadata['name']}" for subject in sorted(shared)]
    return faults


def no_shared_subject(folds: Sequence[FoldResult], dataset: FlowMapDataset) -> Check:
    """No subject is both fitted on and tested, by qualified id."""
    subjects = {subject_of(sample) for fold in folds for sample in _tested(fold)}
    return _result("no subject on both sides", _shared(folds, "test"), f"{len(subjects)} subjects compared")


def inner_apart(folds: Sequence[FoldResult], dataset: FlowMapDataset) -> Check:
    """Inner validation subjects are neither fitted on nor tested."""
    faults = _shared(folds, "inner")
    for fold in folds:
        tested = {subject_of(sample) for sample in _tested(fold)}
        inner = {subject_of(sample) for sample in _tested(fold, "inner")}
        faults += [f"{subject} also tested in fold {fold.metadata['name']}" for subject in sorted(tested & inner)]
    held = sum(bool(_tested(fold, "inner")) for fold in folds)
    good = f"{held} folds with inner validation" if held else "no inner validation in this variant"
    return _result("inner validation subjects are apart", faults, good)


def every_class_in_training(folds: Sequence[FoldResult], dataset: FlowMapDataset) -> Check:
    """Every class occurs among the samples that each fold was fitted on."""
    label = dataset.samples.set_index("sample_id")["label3"]
    faults = [
        f"{', '.join(missing)} missing in fold {fold.metadata['name']}"
        for fold in folds
        if (missing := sorted(set(CLASSES) - set(label.reindex(fold.metadata["fitted_on"]))))
    ]
    return _result("every class in training", faults, f"{len(CLASSES)} classes in all {len(folds)} folds")


def truth_agrees(folds: Sequence[FoldResult], dataset: FlowMapDataset) -> Check:
    """The stored true labels are those of the data set, joined by sample id."""
    label = dataset.samples.set_index("sample_id")["label3"].map(CLASSES.index)
    rows = pd.concat([fold.predictions for fold in folds]).drop_duplicates(["sample_id", "y_true"])
    known = rows[rows["sample_id"].isin(label.index)]
    wrong = known.loc[label[known["sample_id"]].to_numpy() != known["y_true"].to_numpy(), "sample_id"]
    return _result("stored truth is the data's", sorted(wrong), f"{len(known)} labels compared by sample id")


def probabilities_sum_to_one(folds: Sequence[FoldResult], dataset: FlowMapDataset) -> Check:
    """Class probabilities are finite, non-negative, and sum to one."""
    rows = pd.concat([fold.predictions for fold in folds])
    proba = rows[list(PROBABILITIES)].to_numpy()
    bad = rows.loc[~((proba >= 0).all(1) & (abs(proba.sum(1) - 1) < 1e-3)), "sample_id"]
    return _result("probabilities sum to one", sorted(set(bad)), f"{len(rows)} rows")


def classes_in_test_folds(folds: Sequence[FoldResult], dataset: FlowMapDataset) -> Check:
    """Note how many test folds lack a class: why means over folds mislead, and scores are pooled first."""
    lacking = sum(
        len(set(fold.predictions.loc[fold.predictions["role"] == "test", "y_true"])) < len(CLASSES) for fold in folds
    )
    detail = f"{lacking} of {len(folds)} test folds lack a class: read pooled scores, not means over folds"
    return Check("test folds hold every class", lacking == 0, detail if lacking else "all do", fatal=False)


CHECKS = (
    tested_once,
    no_shared_subject,
    inner_apart,
    every_class_in_training,
    truth_agrees,
    probabilities_sum_to_one,
    classes_in_test_folds,
)
