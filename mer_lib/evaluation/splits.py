"""Splits of samples into training, inner validation and test, always by whole subjects.

A split names samples by `sample_id` and depends on the set of samples alone, never on the order of table rows.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from mer_lib.datasets.samples import CLASSES, qualified_subjects
from mer_lib.errors import ParameterError
from mer_lib.evaluation.variant import SplitSpec, Variant


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
    the same for all variants that are split alike: methods that are compared learn from the same samples.

    Raises:
        ParameterError: there are too few subjects for the split.
    """
    return list(_splits(variant.split, tuple(_table(samples).itertuples(index=False, name=None)), seed))


@lru_cache(maxsize=64)
def _splits(spec: SplitSpec, rows: tuple[tuple[str, str, int], ...], seed: int) -> tuple[Split, ...]:
    """Draw the folds of `rows` (id, subject, label): once, however many variants are split alike."""
    table = pd.DataFrame(rows, columns=["sample_id", "subject", "label"])
    splits = _outer(spec, table)
    if spec.inner_fraction == 0:
        return tuple(splits)
    return tuple(_hold_out(split, table, spec.inner_fraction, _inner_seed(spec, split.fold, seed)) for split in splits)


def leave_one_subject_out(samples: pd.DataFrame) -> list[Split]:
    """Return one fold a subject, in the order of the qualified subject ids."""
    return _outer(SplitSpec(kind="loso"), _table(samples))


def subject_kfold(samples: pd.DataFrame, folds: int) -> list[Split]:
    """Return `folds` folds of whole subjects with similar class shares (StratifiedGroupKFold, fixed draw)."""
    return _outer(SplitSpec(kind="kfold", folds=folds), _table(samples))


def _table(samples: pd.DataFrame) -> pd.DataFrame:
    """Reduce the samples table to id, qualified subject and label number, sorted by id."""
    table = pd.DataFrame(
        {
            "sample_id": samples["sample_id"].astype(str),
            "subject": qualified_subjects(samples),
            "label": samples["label3"].map(CLASSES.index).astype(int),
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
        groups = [(f"group {i + 1}", mask) for i, mask in enumerate(_group_masks(table, spec.folds or 2, seed=0))]
    return [
        Split(fold, name, tuple(table["sample_id"][~test]), tuple(table["sample_id"][test]))
        for fold, (name, test) in enumerate(groups)
    ]


def _group_masks(table: pd.DataFrame, folds: int, seed: int) -> list[np.ndarray]:
    """Return one boolean mask of held-out rows for each of `folds` groups of whole subjects."""
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    masks = []
    for _, held_out in splitter.split(table, table["label"], table["subject"]):
        mask = np.zeros(len(table), bool)
        mask[held_out] = True
        masks.append(mask)
    return masks


def _inner_seed(spec: SplitSpec, fold: int, seed: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{spec.model_dump_json()}/{fold}/{seed}".encode()).digest()[:4], "big")


def _hold_out(split: Split, table: pd.DataFrame, fraction: float, seed: int) -> Split:
    """Move about `fraction` of the training subjects of `split` to its inner validation side."""
    training = table[table["sample_id"].isin(split.train)].reset_index(drop=True)
    folds = round(1 / fraction)
    if training["subject"].nunique() < folds or training["label"].value_counts().min() < folds:
        raise ParameterError(
            f"fold {split.name}: inner_fraction {fraction:g} needs at least {folds} training subjects and {folds} "
            f"samples of each class, got {training['subject'].nunique()} subjects and "
            f"{training['label'].value_counts().min()} samples of the rarest class"
        )
    held_out = _fullest(_group_masks(training, folds, seed), training["label"])
    return replace(split, train=tuple(training["sample_id"][~held_out]), inner=tuple(training["sample_id"][held_out]))


def _fullest(masks: list[np.ndarray], labels: pd.Series) -> np.ndarray:
    """Return the first mask with most classes left in training and, among those, most classes held out."""
    return max(masks, key=lambda held_out: (labels[~held_out].nunique(), labels[held_out].nunique()))
