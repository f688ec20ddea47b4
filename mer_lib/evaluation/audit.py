"""An audit of what was really fitted and tested, read from the stored folds, that names what it checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from mer_lib.datasets.class_view import Labelled, with_labels
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.evaluation.folds import subject_of
from mer_lib.evaluation.frames import probabilities
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


@dataclass(frozen=True)
class Known:
    """What is known of the data apart from what was stored.

    Attributes:
        classes: names of the classes.
        label: name of the class of each sample, by id.
        tested: ids of the samples that have to be tested.
        trainable: ids of the samples that any fold might have trained on, where it does not test them.
    """

    classes: tuple[str, ...]
    label: pd.Series
    tested: frozenset[str]
    trainable: frozenset[str]


def known_of(data: FlowMapDataset | Labelled, subjects: str = "all") -> Known:
    """Return what must hold for a variant on `data` that uses `subjects`; see :class:`Variant`."""
    view = data if isinstance(data, Labelled) else with_labels(data)
    label = view.samples.set_index("sample_id")["label"]
    of_gender = view.samples["gender"] == subjects.removeprefix("like_")
    tested = frozenset(view.samples["sample_id"][of_gender.fillna(False)] if subjects != "all" else label.index)
    # Whom a control trains on is drawn by chance, so that it may miss any class.
    trainable = frozenset() if subjects.startswith("like_") else tested
    return Known(view.classes, label, tested, trainable)


def audit(label: str, folds: Sequence[FoldResult], data: FlowMapDataset | Labelled, subjects: str = "all") -> Audit:
    """Audit the stored `folds` of one job against its data: what each was fitted on, what it predicted.

    Args:
        label: of the job, for people.
        folds: all folds of one job.
        data: the samples and their classes.
        subjects: which subjects the variant uses.
    """
    known = known_of(data, subjects)
    return Audit(label, tuple(check(folds, known) for check in CHECKS))


def _tested(fold: FoldResult, role: str = "test") -> list[str]:
    rows = fold.predictions
    return rows.loc[(rows["role"] == role) & (rows["epoch"] == rows["epoch"].max()), "sample_id"].tolist()


def _result(name: str, faults: Sequence[str], good: str, fatal: bool = True) -> Check:
    shown = "; ".join(faults[:5]) + (f"; and {len(faults) - 5} more" if len(faults) > 5 else "")
    return Check(name, not faults, shown or good, fatal)


def tested_once(folds: Sequence[FoldResult], known: Known) -> Check:
    """Every sample of the subjects in question is tested in exactly one fold."""
    counts = pd.Series([sample for fold in folds for sample in _tested(fold)]).value_counts()
    faults = [f"{sample} tested {n} times" for sample, n in counts[counts > 1].items()]
    faults += [f"{sample} never tested" for sample in sorted(known.tested - set(counts.index))]
    faults += [f"{sample} is not in the data" for sample in sorted(set(counts.index) - known.tested)]
    return _result("each sample is tested exactly once", faults, f"{len(counts)} samples, {len(folds)} folds")


def _shared(folds: Sequence[FoldResult], role: str) -> list[str]:
    faults = []
    for fold in folds:
        fitted = {subject_of(sample) for sample in fold.metadata["fitted_on"]}
        shared = fitted & {subject_of(sample) for sample in _tested(fold, role)}
        faults += [f"{subject} in fold {fold.metadata['name']}" for subject in sorted(shared)]
    return faults


def no_shared_subject(folds: Sequence[FoldResult], known: Known) -> Check:
    """No subject is both fitted on and tested, by qualified id."""
    subjects = {subject_of(sample) for fold in folds for sample in _tested(fold)}
    return _result("no subject on both sides", _shared(folds, "test"), f"{len(subjects)} subjects compared")


def inner_apart(folds: Sequence[FoldResult], known: Known) -> Check:
    """Inner validation subjects are neither fitted on nor tested."""
    faults = _shared(folds, "inner")
    for fold in folds:
        tested = {subject_of(sample) for sample in _tested(fold)}
        inner = {subject_of(sample) for sample in _tested(fold, "inner")}
        faults += [f"{subject} also tested in fold {fold.metadata['name']}" for subject in sorted(tested & inner)]
    held = sum(bool(_tested(fold, "inner")) for fold in folds)
    good = f"{held} folds with inner validation" if held else "no inner validation in this variant"
    return _result("inner validation subjects are apart", faults, good)


def every_class_in_training(folds: Sequence[FoldResult], known: Known) -> Check:
    """Every class occurs among the samples that each fold was fitted on.

    Where a fold tests everybody who shows a class, it cannot train on it: that is noted, and not fatal.
    """
    lacking = [(fold, name) for fold in folds for name in _classes_not_fitted(fold, known)]
    avoidable = [(fold, name) for fold, name in lacking if _trainable(fold, name, known)]
    faults = _named(avoidable or lacking)
    if lacking and not avoidable:
        faults = [f"{fault}, where it could not be trained on" for fault in faults]
    good = f"{len(known.classes)} classes in all {len(folds)} folds"
    return _result("every class in training", faults, good, fatal=bool(avoidable) or not lacking)


def _classes_not_fitted(fold: FoldResult, known: Known) -> list[str]:
    return sorted(set(known.classes) - set(known.label.reindex(fold.metadata["fitted_on"])))


def _trainable(fold: FoldResult, name: str, known: Known) -> bool:
    """Say whether anybody whom `fold` does not test shows the class."""
    shown = known.label.index[known.label == name]
    tested = {subject_of(sample) for sample in _tested(fold)}
    return any(sample in known.trainable and subject_of(sample) not in tested for sample in shown)


def _named(lacking: Sequence[tuple[FoldResult, str]]) -> list[str]:
    by_fold: dict[str, list[str]] = {}
    for fold, name in lacking:
        by_fold.setdefault(fold.metadata["name"], []).append(name)
    return [f"{', '.join(names)} missing in fold {fold}" for fold, names in by_fold.items()]


def truth_agrees(folds: Sequence[FoldResult], known: Known) -> Check:
    """The stored true labels are those of the data set, joined by sample id."""
    label = known.label.map(known.classes.index)
    rows = pd.concat([fold.predictions for fold in folds]).drop_duplicates(["sample_id", "y_true"])
    rows = rows[rows["sample_id"].isin(label.index)]
    wrong = rows.loc[label[rows["sample_id"]].to_numpy() != rows["y_true"].to_numpy(), "sample_id"]
    return _result("stored truth is the data's", sorted(wrong), f"{len(rows)} labels compared by sample id")


def probabilities_sum_to_one(folds: Sequence[FoldResult], known: Known) -> Check:
    """Class probabilities are finite, non-negative, and sum to one."""
    rows = pd.concat([fold.predictions for fold in folds])
    proba = probabilities(rows)
    bad = rows.loc[~((proba >= 0).all(1) & (abs(proba.sum(1) - 1) < 1e-3)), "sample_id"]
    return _result("probabilities sum to one", sorted(set(bad)), f"{len(rows)} rows")


def classes_in_test_folds(folds: Sequence[FoldResult], known: Known) -> Check:
    """Note how many test folds lack a class: why means over folds mislead, and scores are pooled first."""
    tested = [fold.predictions.loc[fold.predictions["role"] == "test", "y_true"].nunique() for fold in folds]
    lacking = sum(count < len(known.classes) for count in tested)
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
