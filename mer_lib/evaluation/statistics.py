"""How far a score can be trusted: intervals and tests over subjects.

Samples of one person resemble each other, so the subject is the unit of everything here: a bootstrap draws
whole subjects, a permutation exchanges the predictions for whole subjects. Subjects are compared as
``<dataset>/<subject>``. Scores are always pooled: matrices are summed over subjects first.

Sources: Davison and Hinkley, "Bootstrap Methods and their Application", Cambridge 1997 (resampling of
clusters: section 3.8; percentile intervals: chapter 5; Monte Carlo tests: chapter 4). Holm, "A simple
sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 65-70, 1979.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mer_lib.errors import ParameterError
from mer_lib.evaluation.frames import check_predictions, named_few, predicted_classes, raise_if, subject_ids
from mer_lib.evaluation.metrics import METRICS, FloatArray, IntArray, confusion_matrices

#: Up to this many subjects a permutation test looks at every exchange (2^12 = 4096) instead of a random part.
EXACT_SUBJECTS = 12
#: Differences that are equal but for rounding count as equal.
_TIE = 1e-12
_CLASS_MEANS = frozenset({"uf1", "uar", "macro_precision"})


def subject_matrices(predictions: pd.DataFrame) -> tuple[npt.NDArray[Any], IntArray]:
    """Count the predictions of each subject.

    Args:
        predictions: one seed's chosen predictions, as for :func:`mer_lib.evaluation.metrics.score`.

    Returns:
        The S subjects as ``<dataset>/<subject>``, sorted, and their confusion matrices, int64 (S, C, C), rows
        are the truth. Their sum is the pooled confusion matrix.

    Raises:
        ParameterError: the frame breaks its contract; all faults at once.
    """
    check_predictions(predictions)
    truth, guess = predictions["y_true"].to_numpy(), predicted_classes(predictions)
    return confusion_matrices(subject_ids(predictions).to_numpy(dtype=str), truth, guess)


# Intervals


@dataclass(frozen=True)
class Interval:
    """A score and the range that subjects like these would put it in.

    Attributes:
        point: the score itself; the mean over seeds where there are several.
        low: lower end; NaN where the interval is unknown (one subject, or no complete resample).
        high: upper end; NaN likewise.
        level: nominal coverage, such as 0.95.
        n: number of resamples drawn.
        metric: name of the score.
        n_subjects: number of subjects.
        n_seeds: number of seeds that `point` averages.
        n_incomplete: resamples left out, since a class of the data was in none of the subjects drawn.
        unit: what was resampled.
    """

    point: float
    low: float
    high: float
    level: float
    n: int
    metric: str
    n_subjects: int
    n_seeds: int
    n_incomplete: int
    unit: str = "subject"

    def __str__(self) -> str:
        return f"{self.point:.4f} [{self.low:.4f}, {self.high:.4f}]"


def bootstrap_interval(
    predictions: pd.DataFrame | Sequence[pd.DataFrame],
    metric: str = "uf1",
    level: float = 0.95,
    n: int = 2000,
    seed: int = 0,
    stratify: Literal["dataset"] | None = None,
) -> Interval:
    """Percentile interval of a pooled score from a bootstrap of whole subjects.

    Each resample draws as many subjects as there are, with replacement, each with all of its samples (and all
    of its seeds), sums their confusion matrices and scores the sum. The interval lies between the (1 - level)
    / 2 and the (1 + level) / 2 quantile of these scores. It covers the choice of test subjects, not that of
    the training data or of the seed: no network is trained again.

    A resample without any sample of a class that the data contain would average over fewer classes and so be
    another quantity: it is left out and counted in `n_incomplete` (accuracy is defined there and keeps it).

    Args:
        predictions: chosen predictions of one or several seeds, in one frame or one frame a seed. Several
            seeds hold the same samples; the score is then the mean over seeds.
        metric: a name in :data:`mer_lib.evaluation.metrics.METRICS`.
        level: nominal coverage, above 0 and below 1.
        n: number of resamples.
        seed: of the drawing; the same seed gives the same interval for any order of rows.
        stratify: None draws from all subjects alike, so the share of each data set varies as well;
            ``"dataset"`` draws within each data set and keeps its number of subjects.

    Returns:
        An :class:`Interval`, with unknown (NaN) ends where there is one subject only.

    Raises:
        ParameterError: the predictions break their contract, or a parameter is out of range.

    Source: Davison and Hinkley 1997, section 3.8 (clusters) and chapter 5 (percentiles).
    """
    measure = _measure(metric)
    raise_if(_draw_faults(n, level), "No interval can be drawn")
    subjects, matrices = _seed_matrices(predictions)
    drawn = resample_subjects(subjects, n, seed, stratify)
    pooled = _pool(_counts(drawn, len(subjects)), matrices)
    complete = _complete(pooled, matrices) if metric in _CLASS_MEANS else np.ones(n, bool)
    low, high = _percentiles(measure(pooled[complete]).mean(axis=1), level, len(subjects))
    return Interval(
        point=float(measure(matrices.sum(axis=1)).mean()),
        low=low,
        high=high,
        level=level,
        n=n,
        metric=metric,
        n_subjects=len(subjects),
        n_seeds=len(matrices),
        n_incomplete=int(n - complete.sum()),
    )


def resample_subjects(
    subjects: Sequence[str] | npt.NDArray[Any],
    n: int,
    seed: int = 0,
    stratify: Literal["dataset"] | None = None,
) -> IntArray:
    """Draw `n` resamples of the subjects with replacement.

    >>> resample_subjects(["toya/01", "toya/02", "toyb/01"], n=5).shape
    (5, 3)

    Args:
        subjects: S names ``<dataset>/<subject>``.
        n: number of resamples.
        seed: of the drawing.
        stratify: None, or ``"dataset"`` to draw within each data set.

    Returns:
        Indices into `subjects`, int64 (n, S).

    Raises:
        ParameterError: `stratify` is unknown.
    """
    if stratify not in (None, "dataset"):
        raise ParameterError(f"stratify: expected None or 'dataset', got {stratify!r}")
    strata = np.array([str(name).split("/")[0] if stratify else "" for name in subjects])
    generator = np.random.default_rng(seed)
    members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    return np.hstack([group[generator.integers(0, len(group), (n, len(group)))] for group in members])


def _seed_matrices(predictions: pd.DataFrame | Sequence[pd.DataFrame]) -> tuple[npt.NDArray[Any], IntArray]:
    """Return the subjects (S,) and the matrices of each seed, (seeds, S, C, C)."""
    frame = predictions if isinstance(predictions, pd.DataFrame) else pd.concat(predictions, ignore_index=True)
    check_predictions(frame, several_seeds=True)
    per_seed = [subject_matrices(rows) for _, rows in frame.groupby("seed", sort=True)]
    return per_seed[0][0], np.stack([matrices for _, matrices in per_seed])


def _counts(drawn: IntArray, n_subjects: int) -> FloatArray:
    """Return how often each resample holds each subject, (n, S)."""
    cells = drawn + n_subjects * np.arange(len(drawn))[:, None]
    return np.bincount(cells.ravel(), minlength=len(drawn) * n_subjects).reshape(-1, n_subjects).astype(np.float64)


def _pool(counts: FloatArray, matrices: IntArray) -> FloatArray:
    """Sum the matrices (seeds, S, C, C) over subjects, weighted by `counts` (n, S): (n, seeds, C, C)."""
    # Products in float64 are exact for counts of samples, and much faster than in integers.
    return np.tensordot(counts, matrices.astype(np.float64), axes=(1, 1))


def _complete(pooled: FloatArray, matrices: IntArray) -> npt.NDArray[np.bool_]:
    """Say which resamples hold every class that the data hold, (n,)."""
    in_data = matrices.sum(axis=(0, 1, 3)) > 0
    in_resample = pooled.sum(axis=(1, 3)) > 0
    return in_resample[:, in_data].all(axis=1)


def _percentiles(values: FloatArray, level: float, n_subjects: int) -> tuple[float, float]:
    if n_subjects < 2 or values.size == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


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
    predictions_a: pd.DataFrame,
    predictions_b: pd.DataFrame,
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

    Args:
        predictions_a: one seed's chosen predictions of the first method.
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
    raise_if(_draw_faults(n), "No test can be run")
    first, second = _paired(predictions_a, predictions_b)
    exact = len(first) <= EXACT_SUBJECTS
    swaps = _all_swaps(len(first)) if exact else _random_swaps(len(first), n, seed)
    observed = float(measure(first.sum(axis=0)) - measure(second.sum(axis=0)))
    extreme = int((np.abs(_exchanged(first, second, swaps, measure)) >= abs(observed) - _TIE).sum())
    p_value = extreme / len(swaps) if exact else (extreme + 1) / (n + 1)
    return PermutationResult(observed, p_value, len(swaps), len(first), metric, exact)


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
    frames: Mapping[str, pd.DataFrame],
    reference: str | None = None,
    metric: str = "uf1",
    n: int = 10_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Test every pair of methods, or each method against a reference, with Holm-corrected p-values.

    Args:
        frames: one seed's chosen predictions of each method, by its name, all of the same samples.
        reference: name of the method to compare the others with; None compares every pair.
        metric: a name in :data:`mer_lib.evaluation.metrics.METRICS`.
        n: number of random exchanges a test.
        seed: of the random exchanges.

    Returns:
        One row a test: `method_a, method_b, metric, score_a, score_b, difference` (a minus b), `p_value`,
        `p_holm`, `n_subjects`, `n` (exchanges), `exact`.

    Raises:
        ParameterError: fewer than two methods, an unknown reference, or as :func:`permutation_test`.
    """
    if len(frames) < 2:
        raise ParameterError(f"frames: expected two methods or more to compare, got {', '.join(frames) or 'none'}")
    if reference is not None and reference not in frames:
        raise ParameterError(f"reference: expected one of {', '.join(frames)}, got {reference!r}")
    pairs = combinations(frames, 2) if reference is None else ((a, reference) for a in frames if a != reference)
    rows = [_compare(a, b, frames, metric, n, seed) for a, b in pairs]
    adjusted = holm({str(number): row["p_value"] for number, row in enumerate(rows)})
    table = pd.DataFrame(rows)
    table.insert(table.columns.get_loc("p_value") + 1, "p_holm", list(adjusted.values()))
    return table


def _compare(a: str, b: str, frames: Mapping[str, pd.DataFrame], metric: str, n: int, seed: int) -> dict[str, Any]:
    try:
        result = permutation_test(frames[a], frames[b], metric, n, seed)
    except ParameterError as error:
        raise ParameterError(f"{a} against {b}: {error}") from None
    score_a, score_b = (_measure(metric)(subject_matrices(frames[name])[1].sum(axis=0)) for name in (a, b))
    return {
        "method_a": a,
        "method_b": b,
        "metric": metric,
        "score_a": float(score_a),
        "score_b": float(score_b),
        "difference": result.difference,
        "p_value": result.p_value,
        "n_subjects": result.n_subjects,
        "n": result.n,
        "exact": result.exact,
    }


def _paired(predictions_a: pd.DataFrame, predictions_b: pd.DataFrame) -> tuple[IntArray, IntArray]:
    """Return the subject matrices of both methods, (S, C, C) each, once their samples are seen to agree."""
    (_, first), (_, second) = subject_matrices(predictions_a), subject_matrices(predictions_b)
    truth_a, truth_b = (frame.set_index("sample_id")["y_true"] for frame in (predictions_a, predictions_b))
    faults = [
        f"the {which} method alone has {named_few(ids)}"
        for which, ids in [
            ("first", truth_a.index.difference(truth_b.index)),
            ("second", truth_b.index.difference(truth_a.index)),
        ]
        if len(ids)
    ]
    common = truth_a.index.intersection(truth_b.index)
    differing = common[truth_a[common].to_numpy() != truth_b[common].to_numpy()]
    if len(differing):
        faults.append(f"the methods have different truths for {named_few(differing)}")
    raise_if(faults, "Two methods are compared on the same samples, but these differ")
    return first, second


def _exchanged(
    first: IntArray, second: IntArray, swaps: npt.NDArray[np.bool_], measure: Callable[[npt.ArrayLike], Any]
) -> FloatArray:
    """Return the difference between the methods after each exchange, (n,)."""
    gain = np.tensordot(swaps.astype(np.float64), (second - first).astype(np.float64), axes=(1, 0))
    return measure(first.sum(axis=0) + gain) - measure(second.sum(axis=0) - gain)


def _all_swaps(n_subjects: int) -> npt.NDArray[np.bool_]:
    """Return every way to swap or leave each subject, (2^S, S)."""
    return (np.arange(2**n_subjects)[:, None] >> np.arange(n_subjects)) % 2 == 1


def _random_swaps(n_subjects: int, n: int, seed: int) -> npt.NDArray[np.bool_]:
    return np.random.default_rng(seed).integers(0, 2, (n, n_subjects), dtype=np.int8) == 1


def _measure(metric: str) -> Callable[[npt.ArrayLike], Any]:
    if metric not in METRICS:
        raise ParameterError(f"metric: expected one of {', '.join(METRICS)}, got {metric!r}")
    return METRICS[metric]


def _draw_faults(n: int, level: float = 0.5) -> list[str]:
    faults = [f"n: expected 1 draw or more, got {n}"] if n < 1 else []
    return faults if 0 < level < 1 else [*faults, f"level: expected a number above 0 and below 1, got {level}"]
