"""Splits of samples into training, inner validation and test, always by whole subjects.

A split names samples by `sample_id` and depends on the set of samples alone, never on the order of table rows.

A variant may test men alone, or women. ``male`` then trains on men, and its control ``like_male`` tests the same men in
the same folds, but trains on people drawn from everybody else: as many as ``male`` does, whatever their gender. So all
three, the variant on everybody included, can be scored on the same clips, and two of them learn from as many people.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from mer_lib.datasets.samples import qualified_subjects
from mer_lib.errors import DataError, ParameterError
from mer_lib.evaluation.variant import SplitSpec, Variant

_DRAWS = 20  # of folds, to find some that train on every class


@dataclass(frozen=True)
class Split:
    """One fold: its number, its name for people, and the sample ids on each side, sorted."""

    fold: int
    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    inner: tuple[str, ...] = ()


def make_splits(variant: Variant, samples: pd.DataFrame, seed: int) -> list[Split]:
    """Return the folds of `variant` over `samples`.

    Folds are the same for every seed. The inner validation subjects are drawn anew for each fold and seed, but are
    the same for all variants that are split alike: methods that are compared learn from the same samples. So are the
    people that a control by gender trains on.

    Args:
        variant: its `split` and `subjects` count.
        samples: the samples table; classes are those of its column `label`, or `label3` where it has none.
        seed: of the run.

    Raises:
        ParameterError: there are too few subjects for the split.
        DataError: men or women are asked for, and nobody's gender is known.
    """
    rows = tuple(_table(samples).itertuples(index=False, name=None))
    return list(_splits(variant.split, variant.subjects, rows, seed))


@lru_cache(maxsize=64)
def _splits(
    spec: SplitSpec, subjects: str, rows: tuple[tuple[str, str, str, str], ...], seed: int
) -> tuple[Split, ...]:
    """Draw the folds of `rows` (id, subject, label, gender): once, however many variants are split alike."""
    table = pd.DataFrame(rows, columns=["sample_id", "subject", "label", "gender"])
    splits = _outer(spec, _of_gender(table, subjects.removeprefix("like_")))
    if subjects.startswith("like_"):
        splits = [_like(split, table, _draw_seed(spec, split.fold, seed, subjects)) for split in splits]
    if spec.inner_fraction == 0:
        return tuple(splits)
    return tuple(_hold_out(split, table, spec.inner_fraction, _draw_seed(spec, split.fold, seed)) for split in splits)


def _of_gender(table: pd.DataFrame, gender: str) -> pd.DataFrame:
    if gender == "all":
        return table
    chosen = table[table["gender"] == gender]
    if chosen.empty:
        known = ", ".join(sorted(set(table["gender"]) - {""})) or "nobody's gender is known"
        raise DataError(
            f"subjects {gender!r}: no sample is of anybody who is called so ({known}); a file gender.csv in the folder "
            "of the data set can say who is"
        )
    return chosen.reset_index(drop=True)


def _like(split: Split, table: pd.DataFrame, seed: int) -> Split:
    """Replace the training subjects of `split` by as many drawn from everybody whom it does not test."""
    subject = table.set_index("sample_id")["subject"]
    others = sorted(set(subject) - set(subject[list(split.test)]))
    count = subject[list(split.train)].nunique()
    drawn = np.random.default_rng(seed).choice(others, count, replace=False)
    return replace(split, train=tuple(table["sample_id"][table["subject"].isin(drawn)]))


def leave_one_subject_out(samples: pd.DataFrame) -> list[Split]:
    """Return one fold a subject, in the order of the qualified subject ids."""
    return _outer(SplitSpec(kind="loso"), _table(samples))


def subject_kfold(samples: pd.DataFrame, folds: int) -> list[Split]:
    """Return `folds` folds of whole subjects with similar class shares (StratifiedGroupKFold, fixed draw)."""
    return _outer(SplitSpec(kind="kfold", folds=folds), _table(samples))


def _table(samples: pd.DataFrame) -> pd.DataFrame:
    """Reduce the samples table to id, qualified subject, class and gender (empty where unknown), sorted by id."""
    gender = samples["gender"].astype("string").fillna("") if "gender" in samples else ""
    table = pd.DataFrame(
        {
            "sample_id": samples["sample_id"].astype(str),
            "subject": qualified_subjects(samples),
            "label": samples["label" if "label" in samples else "label3"].astype(str),
            "gender": gender,
        }
    )
    return table.sort_values("sample_id", ignore_index=True)


def _outer(spec: SplitSpec, table: pd.DataFrame) -> list[Split]:
    subjects = sorted(table["subject"].unique())
    if len(subjects) < (spec.folds or 2):
        raise ParameterError(
            f"split {spec.kind}: expected at least {spec.folds or 2} subjects, got {len(subjects)}; use fewer folds"
        )
    if spec.kind == "loso":
        groups = [(subject, table["subject"] == subject) for subject in subjects]
    else:
        groups = [(f"group {i + 1}", mask) for i, mask in enumerate(_outer_masks(table, spec.folds or 2))]
    return [
        Split(fold, name, tuple(table["sample_id"][~test]), tuple(table["sample_id"][test]))
        for fold, (name, test) in enumerate(groups)
    ]


def _outer_masks(table: pd.DataFrame, folds: int) -> list[np.ndarray]:
    """Draw groups of whole subjects until every fold trains on every class; else the draw that comes nearest."""
    best: list[np.ndarray] = []
    most = -1
    for seed in range(_DRAWS):
        masks = _group_masks(table, folds, seed)
        trained = sum(table["label"][~mask].nunique() for mask in masks)
        if trained > most:
            best, most = masks, trained
        if trained == folds * table["label"].nunique():
            break
    return best


def _group_masks(table: pd.DataFrame, folds: int, seed: int) -> list[np.ndarray]:
    """Return one boolean mask of held-out rows for each of `folds` groups of whole subjects."""
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    masks = []
    for _, held_out in splitter.split(table, _strata(table["label"], folds), table["subject"]):
        mask = np.zeros(len(table), bool)
        mask[held_out] = True
        masks.append(mask)
    return masks


def _strata(labels: pd.Series, folds: int) -> pd.Series:
    """Join the rarest classes until they have as many samples as there are folds: fewer cannot be shared out evenly."""
    counts = labels.value_counts().sort_index().sort_values(kind="stable")
    if counts.min() >= folds:
        return labels
    rare = counts.index[(counts.cumsum() - counts < folds) | (counts < folds)]
    return labels.where(~labels.isin(rare), ", ".join(rare))


def _draw_seed(spec: SplitSpec, fold: int, seed: int, *purpose: str) -> int:
    text = "/".join([spec.model_dump_json(), str(fold), str(seed), *purpose])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _hold_out(split: Split, table: pd.DataFrame, fraction: float, seed: int) -> Split:
    """Move about `fraction` of the training subjects of `split` to its inner validation side."""
    training = table[table["sample_id"].isin(split.train)].reset_index(drop=True)
    folds = round(1 / fraction)
    if training["subject"].nunique() < folds:
        raise ParameterError(
            f"fold {split.name}: inner_fraction {fraction:g} needs at least {folds} training subjects, got "
            f"{training['subject'].nunique()}"
        )
    held_out = _fullest(_group_masks(training, folds, seed), training["label"])
    return replace(split, train=tuple(training["sample_id"][~held_out]), inner=tuple(training["sample_id"][held_out]))


def _fullest(masks: list[np.ndarray], labels: pd.Series) -> np.ndarray:
    """Return the first mask with most classes left in training and, among those, most classes held out."""
    return max(masks, key=lambda held_out: (labels[~held_out].nunique(), labels[held_out].nunique()))
