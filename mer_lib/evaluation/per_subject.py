"""Scores averaged over subjects: what some papers print, and how far a perfect classifier comes.

Most subjects do not show every class. What is done with the classes that a subject lacks decides the number: left at 0,
even a perfect classifier stays below 1; left out, means of one, two and three classes are mixed. Pooled scores
(:func:`mer_lib.evaluation.metrics.score`) have neither fault, so these are given second, and by their name.

Source: Ran et al., "Micro-expression recognition based on dual attention CrossViT" (UF1 and UAR as printed there).
"""

from __future__ import annotations

import pandas as pd

from mer_lib.evaluation.metrics import Absent, uar, uf1
from mer_lib.evaluation.pooling import subject_matrices

#: What becomes of the classes that a subject does not show, in words.
VARIANTS: dict[Absent, str] = {"zero": "absent classes count as 0", "exclude": "present classes only"}


def mean_over_subjects(predictions: pd.DataFrame) -> pd.DataFrame:
    """Score each subject by itself and average, in both ways to treat the classes that a subject lacks.

    Args:
        predictions: one seed's chosen predictions, as for :func:`mer_lib.evaluation.metrics.score`.

    Returns:
        One row each for `absent` "zero" and "exclude" (the index): `uf1_mean_over_subjects`, `uar_mean_over_subjects`,
        `attainable` (either score of a perfect classifier on these subjects, 0..1), `n_subjects`.

    Raises:
        ParameterError: the frame breaks its contract; all faults at once.
    """
    subjects, matrices = subject_matrices(predictions)
    shown = (matrices.sum(axis=2) > 0).mean(axis=1)  # share of the classes that each subject shows
    rows = {
        absent: {
            "uf1_mean_over_subjects": float(uf1(matrices, absent).mean()),
            "uar_mean_over_subjects": float(uar(matrices, absent).mean()),
            "attainable": float(shown.mean()) if absent == "zero" else 1.0,
            "n_subjects": len(subjects),
        }
        for absent in VARIANTS
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("absent")


def classes_shown(predictions: pd.DataFrame) -> pd.Series:
    """Return how many subjects show one class, two classes and so on: counts by number of classes, 1 to C."""
    _, matrices = subject_matrices(predictions)
    shown = pd.Series((matrices.sum(axis=2) > 0).sum(axis=1))
    counts = shown.value_counts().reindex(range(1, matrices.shape[1] + 1), fill_value=0)
    return counts.rename_axis("classes shown").rename("subjects")
