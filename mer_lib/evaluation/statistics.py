"""How far a score can be trusted: intervals and tests over subjects.

Samples of one person resemble each other, so the subject is the unit of everything here: a bootstrap draws
whole subjects, a permutation exchanges the predictions for whole subjects. Subjects are compared as
``<dataset>/<subject>``. Scores are always pooled: matrices are summed over subjects first.

Sources: Davison and Hinkley, "Bootstrap Methods and their Application", Cambridge 1997 (resampling of
clusters: section 3.8; percentile intervals: chapter 5; Monte Carlo tests: chapter 4). Holm, "A simple
sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 65-70, 1979.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mer_lib.errors import ParameterError
from mer_lib.evaluation.frames import classes_of, raise_if
from mer_lib.evaluation.intervals import (
    Interval,
    bootstrap_interval,
    check_paired,
    difference_interval,
    draw_faults,
    resample_subjects,
)
from mer_lib.evaluation.mcnemar import McNemarResult, mcnemar
from mer_lib.evaluation.metrics import METRICS, FloatArray, IntArray
from mer_lib.evaluation.pooling import Frames, Prepared, prepared, subject_matrices

__all__ = [
    "Interval",
    "McNemarResult",
    "PermutationResult",
    "bootstrap_interval",
    "compare_all",
    "difference_interval",
    "holm",
    "mcnemar",
    "permutation_test",
    "resample_subjects",
    "shared",
    "subject_matrices",
]

#: Up to this many subjects a permutation test looks at every exchange (2^12 = 4096) instead of a random part.
EXACT_SUBJECTS = 12
#: Differences that are equal but for rounding count as equal.
_TIE = 1e-12


# Tests


@dataclass(frozen=True)
class PermutationResult:
    """A difference between two methods and how easily it arises where there is none.

    Attributes:
        difference: score of the first method minus score of the second.
        p_value: two-sided, above 0 and up to 1.
        n: number of exchanges looked at.
        n_subjects: number of subjects.
        metric: name of the score.
        exact: whether all 2^n_subjects exchanges were looked at.
    """

    difference: float
    p_value: float
    n: int
    n_subjects: int
    metric: str
    exact: bool


def permutation_test(
    predictions_a: Frames,
    predictions_b: Frames,
    metric: str = "uf1",
    n: int = 10_000,
    seed: int = 0,
) -> PermutationResult:
    """Test whether two methods differ, by exchanging their predictions subject by subject.

    If the methods were alike, it would not matter which of them made a subject's predictions. So each
    exchange flips a coin for every subject, swaps that subject's whole set of predictions between the
    methods, and pools and scores both again. The p-value is the share of exchanges whose absolute difference
    reaches the observed one:

        exact, up to 12 subjects:   p = extreme / 2^S
        random, n exchanges:        p = (extreme + 1) / (n + 1)

    With several seeds a subject's predictions are exchanged in all of them at once, seed for seed in their order, and
    the score is the mean over seeds. Where one method has fewer, its seeds are repeated. The p-value is then no longer
    exact: what is exchanged is, to first order, the sign of each subject's mean difference.

    Args:
        predictions_a: chosen predictions of the first method, of one or several seeds, in one frame or one a seed.
        predictions_b: those of the second, of the same samples in any order.
        metric: a name in :data:`mer_lib.evaluation.metrics.METRICS`.
        n: number of random exchanges, without effect where the test is exact.
        seed: of the random exchanges.

    Returns:
        A :class:`PermutationResult`.

    Raises:
        ParameterError: a frame breaks its contract, the frames differ in their samples or in a sample's
            truth, or a parameter is out of range.

    Source: Davison and Hinkley 1997, chapter 4.
    """
    measure = _measure(metric)
    raise_if(draw_faults(n), "No test can be run")
    first, second = _paired(predictions_a, predictions_b)
    n_subjects = first.shape[1]
    exact = n_subjects <= EXACT_SUBJECTS
    swaps = _all_swaps(n_subjects) if exact else _random_swaps(n_subjects, n, seed)
    observed = float((measure(first.sum(axis=1)) - measure(second.sum(axis=1))).mean())
    extreme = int((np.abs(_exchanged(first, second, swaps, measure)) >= abs(observed) - _TIE).sum())
    p_value = extreme / len(swaps) if exact else (extreme + 1) / (n + 1)
    return PermutationResult(observed, p_value, len(swaps), n_subjects, metric, exact)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Adjust p-values for the number of tests, so that the chance of any false claim stays below the level.

    With the m p-values in ascending order, the i-th becomes max over j <= i of min(1, (m - j + 1) p_j).

    >>> holm({"a": 0.01, "b": 0.04, "c": 0.03})
    {'a': 0.03, 'b': 0.06, 'c': 0.06}

    Args:
        p_values: p-value of each test, 0..1.

    Returns:
        Adjusted p-values in the order given, 0..1, never below the given ones.

    Raises:
        ParameterError: something is no p-value.

    Source: Holm 1979.
    """
    wrong = [f"{name}: expected a p-value in 0..1, got {p}" for name, p in p_values.items() if not 0 <= p <= 1]
    raise_if(wrong, "p-values cannot be adjusted")
    ascending = sorted(p_values, key=lambda name: p_values[name])
    factors = np.arange(len(ascending), 0, -1)
    scaled = np.minimum(1.0, factors * np.array([p_values[name] for name in ascending], dtype=np.float64))
    adjusted = dict(zip(ascending, np.maximum.accumulate(scaled).tolist(), strict=True))
    return {name: adjusted[name] for name in p_values}


def compare_all(
    frames: Mapping[str, Frames],
    reference: str | None = None,
    metric: str = "uf1",
    n: int = 10_000,
    seed: int = 0,
    common: bool = False,
) -> pd.DataFrame:
    """Test every pair of methods, or each method against a reference, with Holm-corrected p-values.

    Args:
        frames: chosen predictions of each method, by its name, all of the same samples; of one or several seeds, see
            :func:`permutation_test`.
        reference: name of the method to compare the others with; None compares every pair.
        metric: a name in :data:`mer_lib.evaluation.metrics.METRICS`.
        n: number of random exchanges a test.
        seed: of the random exchanges.
        common: compare each pair on the samples that both predicted, such as those of men, where one method was
            tested on men alone; pairs that share no sample, or tell other classes apart, are left out.

    Returns:
        One row a test: `method_a, method_b, metric, score_a, score_b` (means over seeds), `difference` (a minus b),
        `p_value`, `p_holm`, `n_subjects`, `n_samples`, `n` (exchanges), `exact`; empty where no pair can be compared.

    Raises:
        ParameterError: fewer than two methods, an unknown reference, or as :func:`permutation_test`.
    """
    if len(frames) < 2:
        raise ParameterError(f"frames: expected two methods or more to compare, got {', '.join(frames) or 'none'}")
    if reference is not None and reference not in frames:
        raise ParameterError(f"reference: expected one of {', '.join(frames)}, got {reference!r}")
    pairs = combinations(frames, 2) if reference is None else ((a, reference) for a in frames if a != reference)
    whole = {name: prepared(predictions) for name, predictions in frames.items()}
    chosen = {(a, b): _on_common(whole[a], whole[b]) if common else (whole[a], whole[b]) for a, b in pairs}
    rows = [_compare(*names, *both, metric, n, seed) for names, both in chosen.items() if both is not None]
    if not rows:
        return pd.DataFrame()
    adjusted = holm({str(number): row["p_value"] for number, row in enumerate(rows)})
    table = pd.DataFrame(rows)
    table.insert(table.columns.get_loc("p_value") + 1, "p_holm", list(adjusted.values()))
    return table


def shared(first: pd.DataFrame, second: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Return the rows of both frames for the samples that both hold; None without any, or for other classes."""
    if classes_of(first) != classes_of(second):
        return None
    ids = set(first["sample_id"]) & set(second["sample_id"])
    if not ids:
        return None
    return first[first["sample_id"].isin(ids)], second[second["sample_id"].isin(ids)]


def _on_common(first: Prepared, second: Prepared) -> tuple[Prepared, Prepared] | None:
    both = shared(first.frame, second.frame)
    return (prepared(both[0]), prepared(both[1])) if both else None


def _compare(a: str, b: str, first: Prepared, second: Prepared, metric: str, n: int, seed: int) -> dict[str, Any]:
    try:
        result = permutation_test(first, second, metric, n, seed)
    except ParameterError as error:
        raise ParameterError(f"{a} against {b}: {error}") from None
    score_a, score_b = (_measure(metric)(one.matrices.sum(axis=1)).mean() for one in (first, second))
    return {
        "method_a": a,
        "method_b": b,
        "metric": metric,
        "score_a": float(score_a),
        "score_b": float(score_b),
        "difference": result.difference,
        "p_value": result.p_value,
        "n_subjects": result.n_subjects,
        "n_samples": first.frame["sample_id"].nunique(),
        "n": result.n,
        "exact": result.exact,
    }


def _paired(predictions_a: Frames, predictions_b: Frames) -> tuple[IntArray, IntArray]:
    """Return the subject matrices of both methods, (R, S, C, C) each, once their samples are seen to agree.

    R is the least common multiple of their numbers of seeds, so that both means over seeds stay what they are.
    """
    first, second = prepared(predictions_a), prepared(predictions_b)
    check_paired(first, second)
    runs = math.lcm(len(first.seeds), len(second.seeds))
    return _repeated(first.matrices, runs), _repeated(second.matrices, runs)


def _repeated(matrices: IntArray, runs: int) -> IntArray:
    return np.tile(matrices, (runs // len(matrices), 1, 1, 1))


def _exchanged(
    first: IntArray, second: IntArray, swaps: npt.NDArray[np.bool_], measure: Callable[[npt.ArrayLike], Any]
) -> FloatArray:
    """Return the difference between the methods after each exchange, mean over seeds, (n,)."""
    gain = np.tensordot(swaps.astype(np.float64), (second - first).astype(np.float64), axes=(1, 1))
    return (measure(first.sum(axis=1) + gain) - measure(second.sum(axis=1) - gain)).mean(axis=1)


def _all_swaps(n_subjects: int) -> npt.NDArray[np.bool_]:
    """Return every way to swap or leave each subject, (2^S, S)."""
    return (np.arange(2**n_subjects)[:, None] >> np.arange(n_subjects)) % 2 == 1


def _random_swaps(n_subjects: int, n: int, seed: int) -> npt.NDArray[np.bool_]:
    return np.random.default_rng(seed).integers(0, 2, (n, n_subjects), dtype=np.int8) == 1


def _measure(metric: str) -> Callable[[npt.ArrayLike], Any]:
    if metric not in METRICS:
        raise ParameterError(f"metric: expected one of {', '.join(METRICS)}, got {metric!r}")
    return METRICS[metric]
