"""Intervals of scores, and of differences between scores, from a bootstrap of whole subjects.

Samples of one person resemble each other, so whole subjects are drawn, as ``<dataset>/<subject>``. Scores are always
pooled: what the subjects add to a score is summed first (see :mod:`mer_lib.evaluation.pooling`).

Source: Davison and Hinkley, "Bootstrap Methods and their Application", Cambridge 1997 (resampling of clusters: section
3.8; percentile intervals: chapter 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mer_lib.errors import ParameterError
from mer_lib.evaluation.frames import classes_of, named_few, raise_if
from mer_lib.evaluation.metrics import FloatArray, IntArray
from mer_lib.evaluation.pooling import Frames, Pooled, check_metric, joined, pooled


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
        p_zero: of a difference, how easily zero is passed: twice the share of resamples on the other side of zero than
            `point`, those at zero included, counting one more, at most 1; NaN where no interval is known. Below 0.05
            it says what an interval at level 0.95 says that excludes zero, and it can be corrected for many tests.
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
    p_zero: float = float("nan")

    def __str__(self) -> str:
        return f"{self.point:.4f} [{self.low:.4f}, {self.high:.4f}]"


def bootstrap_interval(
    predictions: Frames,
    metric: str = "uf1",
    level: float = 0.95,
    n: int = 2000,
    seed: int = 0,
    stratify: Literal["dataset"] | None = None,
) -> Interval:
    """Percentile interval of a pooled score from a bootstrap of whole subjects.

    Each resample draws as many subjects as there are, with replacement, each with all of its samples (and all
    of its seeds), and scores what was drawn together: the sum of the confusion matrices, or one ROC curve. The
    interval lies between the (1 - level)
    / 2 and the (1 + level) / 2 quantile of these scores. It covers the choice of test subjects, not that of
    the training data or of the seed: no network is trained again.

    A resample without any sample of a class that the data contain would average over fewer classes and so be
    another quantity: it is left out and counted in `n_incomplete` (accuracy and micro AUC are defined there and
    keep it).

    Args:
        predictions: chosen predictions of one or several seeds, in one frame or one frame a seed. Several
            seeds hold the same samples; the score is then the mean over seeds.
        metric: a name in :data:`mer_lib.evaluation.metrics.METRICS`, or "auc_micro" or "auc_macro".
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
    check_metric(metric)
    raise_if(draw_faults(n, level), "No interval can be drawn")
    whole = pooled(predictions, metric)
    counts = _drawn(whole, n, seed, stratify)
    return _interval(whole.point, whole.of(counts), level, whole, metric)


def difference_interval(
    predictions_a: Frames,
    predictions_b: Frames,
    metric: str = "uf1",
    level: float = 0.95,
    n: int = 2000,
    seed: int = 0,
    stratify: Literal["dataset"] | None = None,
) -> Interval:
    """Percentile interval of the difference between two methods, a minus b, from a bootstrap of whole subjects.

    Both methods are scored on the same drawn subjects, so that what makes a subject easy or hard for both of them
    leaves the difference. An interval that excludes zero says that the sign of the difference does not hang on who
    happened to be among these subjects.

    Args:
        predictions_a: chosen predictions of the first method, as for :func:`bootstrap_interval`.
        predictions_b: those of the second, of the same samples in any order; the number of seeds may differ.
        metric, level, n, seed, stratify: as for :func:`bootstrap_interval`.

    Returns:
        An :class:`Interval` whose point is the difference of the two scores; `n_seeds` is the smaller number.

    Raises:
        ParameterError: a frame breaks its contract, the frames differ in their samples, classes or in a sample's truth,
            or a parameter is out of range.

    Source: Davison and Hinkley 1997, section 3.8 (clusters) and chapter 5 (percentiles).
    """
    check_metric(metric)
    raise_if(draw_faults(n, level), "No interval can be drawn")
    first, second = pooled(predictions_a, metric), pooled(predictions_b, metric)
    check_paired(predictions_a, predictions_b)
    counts = _drawn(first, n, seed, stratify)
    smaller = min(first, second, key=lambda each: each.n_seeds)
    values = first.of(counts) - second.of(counts)
    interval = _interval(first.point - second.point, values, level, smaller, metric)
    return replace(interval, p_zero=_beyond_zero(interval.point, values[~np.isnan(values)], len(first.subjects)))


def _beyond_zero(point: float, values: FloatArray, n_subjects: int) -> float:
    if n_subjects < 2 or values.size == 0:
        return float("nan")
    others = values <= 0 if point > 0 else values >= 0
    return min(1.0, 2 * (int(others.sum()) + 1) / (len(values) + 1))


def check_paired(predictions_a: Frames, predictions_b: Frames) -> None:
    """Check that two methods predicted the same samples, with the same truth and classes.

    Raises:
        ParameterError: they did not; all faults at once.
    """
    frames = [joined(predictions) for predictions in (predictions_a, predictions_b)]
    truth_a, truth_b = (frame.drop_duplicates("sample_id").set_index("sample_id")["y_true"] for frame in frames)
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
    classes = [", ".join(classes_of(frame)) for frame in frames]
    if classes[0] != classes[1]:
        faults.append(f"the first method tells apart {classes[0]}, the second {classes[1]}")
    raise_if(faults, "Two methods are compared on the same samples, but these differ")


def _interval(point: float, values: FloatArray, level: float, whole: Pooled, metric: str) -> Interval:
    known = values[~np.isnan(values)]
    low, high = _percentiles(known, level, len(whole.subjects))
    return Interval(
        point=point,
        low=low,
        high=high,
        level=level,
        n=len(values),
        metric=metric,
        n_subjects=len(whole.subjects),
        n_seeds=whole.n_seeds,
        n_incomplete=len(values) - len(known),
    )


def _drawn(whole: Pooled, n: int, seed: int, stratify: Literal["dataset"] | None) -> FloatArray:
    """Return how often each of `n` resamples holds each subject, (n, S)."""
    return _draws(tuple(str(name) for name in whole.subjects), n, seed, stratify)


@lru_cache(maxsize=16)  # every score of every method on the same people is drawn alike
def _draws(subjects: tuple[str, ...], n: int, seed: int, stratify: Literal["dataset"] | None) -> FloatArray:
    counts = _counts(resample_subjects(subjects, n, seed, stratify), len(subjects))
    counts.flags.writeable = False
    return counts


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


def _counts(drawn: IntArray, n_subjects: int) -> FloatArray:
    """Return how often each resample holds each subject, (n, S)."""
    cells = drawn + n_subjects * np.arange(len(drawn))[:, None]
    return np.bincount(cells.ravel(), minlength=len(drawn) * n_subjects).reshape(-1, n_subjects).astype(np.float64)


def _percentiles(values: FloatArray, level: float, n_subjects: int) -> tuple[float, float]:
    if n_subjects < 2 or values.size == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def draw_faults(n: int, level: float = 0.5) -> list[str]:
    """Say what keeps `n` draws and a level from giving an interval; an empty list where nothing does."""
    faults = [f"n: expected 1 draw or more, got {n}"] if n < 1 else []
    return faults if 0 < level < 1 else [*faults, f"level: expected a number above 0 and below 1, got {level}"]
