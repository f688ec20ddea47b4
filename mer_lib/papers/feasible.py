"""Which pooled recalls go together with those of the subsets: arithmetic that no run can escape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import linprog

from mer_lib.errors import ParameterError
from mer_lib.papers.reported import lookup

_ROUNDING = 5e-5  # of numbers with four digits


class Range(NamedTuple):
    """Least and largest possible value."""

    low: float
    high: float


def pooled_uar(subsets: Mapping[str, float], counts: Mapping[str, tuple[int, ...]]) -> Range:
    """Return which unweighted average recall of all samples can come from those of their subsets.

    Predictions of all samples are those of the subsets taken together, so each pooled recall is a mean of the subsets'
    recalls, weighted by their samples of that class. What is known of those is their mean in each subset. Recalls are
    taken as any number from 0 to 1, so the range is a little too wide rather than too narrow.

    >>> pooled_uar({"a": 0.5, "b": 0.5}, {"a": (10, 10), "b": (10, 10)})
    Range(low=0.5, high=0.5)

    Args:
        subsets: unweighted average recall of each subset, 0 to 1.
        counts: samples of each class in each subset, at least 1.

    Raises:
        ParameterError: subsets without counts, or a number that is out of range.
    """
    if set(subsets) != set(counts) or not all(0 <= value <= 1 for value in subsets.values()):
        raise ParameterError(f"subsets: expected a recall in 0..1 for each of {sorted(counts)}, got {dict(subsets)}")
    table = np.array([counts[name] for name in subsets], float)
    if table.min() < 1:
        raise ParameterError(f"counts: expected at least 1 sample of each class in each subset, got {dict(counts)}")
    shares = table / table.sum(axis=0) / table.shape[1]  # what a recall of a subset adds to the pooled mean
    means = np.kron(np.eye(len(table)), np.full(table.shape[1], 1 / table.shape[1]))
    ends = [
        sign * linprog(sign * shares.ravel(), A_eq=means, b_eq=list(subsets.values()), bounds=(0, 1)).fun
        for sign in (1, -1)
    ]
    return Range(*(round(float(end), 6) for end in ends))


def printed_and_possible(
    experiment_id: str, methods: Sequence[str], counts: Mapping[str, tuple[int, ...]]
) -> pd.DataFrame:
    """Return the printed unweighted average recall of each method beside what its printed subsets allow.

    Args:
        experiment_id: of published numbers, with the metric ``uar`` of the full set and of each subset.
        methods: as printed there.
        counts: samples of each class in each subset.

    Returns:
        Columns `method`, `printed`, `lowest`, `highest`, `possible`.

    Raises:
        ParameterError: a number was not printed.
    """
    rows = []
    for method in methods:
        low, high = pooled_uar({name: _printed(experiment_id, method, name) for name in counts}, counts)
        full = _printed(experiment_id, method, "full")
        rows.append((method, full, low, high, low - _ROUNDING <= full <= high + _ROUNDING))
    return pd.DataFrame(rows, columns=["method", "printed", "lowest", "highest", "possible"])


def _printed(experiment_id: str, method: str, subset: str) -> float:
    number = lookup(experiment_id, "uar", dataset=subset, method=method)
    if number is None:
        raise ParameterError(f"{experiment_id}: expected a printed recall of {method} on {subset}, there is none")
    return float(number.value)
