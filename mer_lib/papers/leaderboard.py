"""Which methods can be told apart: one leaderboard for each data set, set of classes, split and profile.

Rows are methods under the last epoch (protocol ``fixed``), not settings: an ablation is no entrant. Whoever ranks
methods by a score that hangs on a few people ranks luck, so that every row carries the ranks that its tests leave open,
and predictors that never look at a sample stand among the rows.

Sources: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 65-70,
1979. Demsar, "Statistical comparisons of classifiers over multiple data sets", Journal of Machine Learning Research 7,
1-30, 2006 (bars over methods that cannot be told apart). Mogstad, Romano, Shaikh and Wilhelm, "Inference for ranks with
applications to mobility across neighbourhoods and academic achievement across countries", Review of Economic Studies
91, 476-518, 2024 (which ranks tests leave open).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mer_lib.datasets.class_view import THREE
from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.evaluation.frames import FULL
from mer_lib.evaluation.pooling import Prepared
from mer_lib.evaluation.statistics import bootstrap_interval, compare_all, holm
from mer_lib.evaluation.trivial import dealt_at_random
from mer_lib.papers.entrants import PRIOR, Entrant, entrants, once_each, split_in_words
from mer_lib.papers.entries import PaperResults

LEVEL = 0.05  # of the Holm-corrected tests
DEALT = "classes dealt at random"
COLUMNS = (
    "rank", "rank_best", "rank_worst", "method", "value", "low", "high", "sd", "seeds", "n", "subjects", "trivial",
    "p_over_trivial", "experiment", "variant",
)  # fmt: skip
_EXCHANGES = 10_000  # at least, in each test
_FINE = 0.01  # of a random test, the smallest p-value after Holm's correction that it has to reach


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """Methods on the same samples, told apart as far as they can be.

    Attributes:
        dataset: the samples are from here.
        classes: names of the classes.
        split: how people are dealt into folds, in words.
        profile: "smoke", "quick" or "paper".
        labels: which set of labels the classes are of, "three" or one of the data manifest.
        metric: name of the score.
        rows: one row a method with :data:`COLUMNS`, the highest score first: `value` (mean over seeds, pooled over
            folds) with its 95 % interval over people and `sd` over seeds; `rank` among the methods and `rank_best` to
            `rank_worst`, which tests leave open (NaN for trivial predictors); `p_over_trivial`, the larger of the
            corrected p-values against the trivial predictors (1 where the method is below one of them).
        tests: paired permutation tests over people, columns of
            :func:`mer_lib.evaluation.statistics.compare_all`, and `family`: "pairs" of methods, and each method against
            each of the "trivial" predictors. Holm's correction is made within a family.
        groups: the largest sets of methods in which no pair can be told apart, in the order of the rows; of two or more
            methods each.
        others: the same methods under the settings of other experiments, which are shown and not ranked: method,
            experiment, variant, value, low, high.
    """

    dataset: FlowMapDataset | ClipDataset
    classes: tuple[str, ...]
    split: str
    profile: str
    labels: str
    metric: str
    rows: pd.DataFrame
    tests: pd.DataFrame
    groups: tuple[tuple[str, ...], ...]
    others: pd.DataFrame

    @property
    def caption(self) -> str:
        """What the numbers come from, to stand beside every one of them."""
        first = self.rows.iloc[0]
        tested = f"{first['n']} samples of {first['subjects']} people tested"
        classes = [] if self.labels == THREE else [f"classes of {self.labels}"]
        return " · ".join([self.dataset.label, tested, *classes, self.split, f"profile {self.profile}"])

    @property
    def finest(self) -> float:
        """The smallest p-value, after correction, that the test of a pair can reach with so many people."""
        pairs = self.tests[self.tests["family"] == "pairs"]
        if pairs.empty:
            return float("nan")
        one = pairs.iloc[0]
        smallest = 2 / 2 ** one["n_subjects"] if one["exact"] else 1 / (one["n"] + 1)
        return float(min(1.0, len(pairs) * smallest))


def leaderboards(results: PaperResults, metric: str = "uf1") -> list[Leaderboard]:
    """Return one leaderboard for each data set, set of classes and split that a method was tested on.

    Entrants are the variants of experiments that compare methods (no method stands behind more than half of their
    variants), and of every other experiment of a paper its own system, unchanged. A method that several experiments
    train in different ways enters once: as its own paper does, else as the first experiment that trains it. That choice
    looks at no score.

    Args:
        results: what was measured.
        metric: a name in :data:`mer_lib.evaluation.metrics.METRICS` that has intervals: "uf1", "uar" or "accuracy".
    """
    groups: dict[tuple[object, ...], list[Entrant]] = {}
    for entrant in entrants(results):
        groups.setdefault(entrant.board, []).append(entrant)
    return [_board(group, metric) for group in groups.values() if any(one.name != PRIOR for one in group)]


def in_words(board: Leaderboard) -> str:
    """Say who scored highest, whom it can be told from, and how far these people carry. Plain text."""
    methods = board.rows[~board.rows["trivial"]]
    seeing = methods["method"][methods["p_over_trivial"] < LEVEL].tolist()
    names = f": {', '.join(seeing)}" if seeing else ""
    lines = [
        *(_pairs_in_words(board, methods) if len(methods) > 1 else []),
        f"{len(seeing)} of {len(methods)} can be told from predictors that never look at a sample{names}.",
    ]
    return " ".join(lines)


def _pairs_in_words(board: Leaderboard, methods: pd.DataFrame) -> Iterator[str]:
    best, pairs = methods.iloc[0], board.tests[board.tests["family"] == "pairs"]
    told = int((pairs["p_holm"] < LEVEL).sum())
    ranks = f"{best['rank_best']:.0f} to {best['rank_worst']:.0f}"
    yield f"{best['method']} scored highest; the tests leave it any rank from {ranks} among {len(methods)}."
    yield (
        f"{told} of {len(pairs)} pairs of methods can be told apart (paired test over people, p below {LEVEL} after "
        "Holm's correction)."
    )
    if board.finest >= LEVEL:
        yield (
            f"With {best['subjects']} people and {len(pairs)} pairs no corrected p-value can fall below "
            f"{board.finest:.2g}: nothing could have been told apart, whatever it scored."
        )


# One board


def _board(group: list[Entrant], metric: str) -> Leaderboard:
    methods, others = once_each([one for one in group if one.name != PRIOR])
    frames = {name: Prepared(one.frame) for name, one in methods.items()}
    trivial = _trivial([one for one in group if one.name == PRIOR], next(iter(methods.values())).frame)
    tests = _tests(frames, trivial, metric)
    rows = pd.DataFrame(
        [_row(name, one, metric) for name, one in methods.items()]
        + [_trivial_row(name, frame, metric) for name, frame in trivial.items()]
    ).sort_values("value", ascending=False, ignore_index=True)
    rows = _ranked(rows, tests)[list(COLUMNS)]
    first = next(iter(methods.values()))
    return Leaderboard(
        dataset=first.measurement.dataset,
        classes=first.measurement.classes[first.label],
        split=split_in_words(first.variant.split),
        profile=first.measurement.profile,
        labels=first.variant.labels,
        metric=metric,
        rows=rows,
        tests=tests,
        groups=alike(rows["method"][~rows["trivial"]], _told_apart(tests)),
        others=pd.DataFrame([_row(one.name, one, metric) for one in others], columns=list(COLUMNS)).dropna(
            axis="columns", how="all"
        ),
    )


def _trivial(priors: list[Entrant], samples: pd.DataFrame) -> dict[str, Prepared]:
    """Return what stands for looking at nothing; the class prior where an experiment has one."""
    prior = {one.name: Prepared(one.frame) for one in priors[:1]}
    return prior | {DEALT: Prepared(dealt_at_random(samples))}


def _row(name: str, one: Entrant, metric: str) -> dict[str, object]:
    table = one.measurement.scores
    wanted = {"variant": one.label, "subset": FULL, "protocol": "fixed", "metric": metric}
    row = table[np.logical_and.reduce([table[key] == value for key, value in wanted.items()])].iloc[0]
    shown = {key: row[key] for key in ("value", "low", "high", "sd", "seeds", "n")}
    place = {"experiment": one.measurement.experiment.id, "variant": one.label, "trivial": False}
    return {"method": name, **shown, "subjects": one.people, **place}


def _trivial_row(name: str, predictions: Prepared, metric: str) -> dict[str, object]:
    interval = bootstrap_interval(predictions, metric)
    shown = {"value": interval.point, "low": interval.low, "high": interval.high, "seeds": interval.n_seeds}
    place = {"experiment": "", "variant": "", "trivial": True, "sd": np.nan}
    return {
        "method": name,
        **shown,
        "n": predictions.frame["sample_id"].nunique(),
        "subjects": interval.n_subjects,
        **place,
    }


# Tests


def _tests(methods: Mapping[str, Prepared], trivial: Mapping[str, Prepared], metric: str) -> pd.DataFrame:
    """Test every pair of methods, and each method against each trivial predictor; correct each family by itself."""
    n = max(_EXCHANGES, round(math.comb(len(methods), 2) / _FINE))
    pairs = compare_all(methods, metric=metric, n=n) if len(methods) > 1 else pd.DataFrame()
    beside = pd.concat(
        [compare_all({**methods, name: frame}, reference=name, metric=metric, n=n) for name, frame in trivial.items()],
        ignore_index=True,
    ).assign(family="trivial")
    beside["p_holm"] = list(holm({str(row): p for row, p in beside["p_value"].items()}).values())
    return pd.concat([pairs.assign(family="pairs"), beside], ignore_index=True)


def _told_apart(tests: pd.DataFrame) -> set[frozenset[str]]:
    told = tests[(tests["family"] == "pairs") & (tests["p_holm"] < LEVEL)]
    return {frozenset(pair) for pair in zip(told["method_a"], told["method_b"], strict=True)}


def _ranked(rows: pd.DataFrame, tests: pd.DataFrame) -> pd.DataFrame:
    """Add ranks, those that the tests leave open, and the p-values against trivial predictors."""
    told, value = _told_apart(tests), rows.set_index("method")["value"]
    methods = rows["method"][~rows["trivial"]].tolist()
    against = tests[tests["family"] == "trivial"]
    beside = against["p_holm"].where(against["difference"] > 0, 1.0).groupby(against["method_a"]).max()
    ranks = {}
    for name in methods:
        above = sum(value[other] > value[name] for other in methods if frozenset((name, other)) in told)
        below = sum(value[other] < value[name] for other in methods if frozenset((name, other)) in told)
        ranks[name] = (1 + int((value[methods] > value[name]).sum()), 1 + above, len(methods) - below)
    columns = pd.DataFrame.from_dict(ranks, orient="index", columns=["rank", "rank_best", "rank_worst"])
    return rows.join(columns, on="method").join(beside.rename("p_over_trivial"), on="method")


def alike(names: Iterable[str], told_apart: set[frozenset[str]]) -> tuple[tuple[str, ...], ...]:
    """Return the largest sets of `names` in which no pair is told apart, those of one alone left out.

    >>> alike(["a", "b", "c"], {frozenset("ac")})
    (('a', 'b'), ('b', 'c'))

    Args:
        names: in the order of the leaderboard.
        told_apart: pairs of names.

    Returns:
        Sets in the order of the leaderboard; together they hold every pair that is not told apart.

    Source: Bron and Kerbosch, "Finding all cliques of an undirected graph", Communications of the ACM 16, 575-577,
    1973 (the version with pivots).
    """
    order = list(names)
    near = {name: {other for other in order if other != name} for name in order}
    for one, other in map(tuple, told_apart):
        near[one].discard(other)
        near[other].discard(one)
    place = {name: number for number, name in enumerate(order)}
    sets = (sorted(members, key=place.__getitem__) for members in _cliques(set(), set(order), set(), near))
    return tuple(tuple(names) for names in sorted(sets, key=lambda names: [place[name] for name in names]))


def _cliques(
    members: set[str], candidates: set[str], passed: set[str], near: Mapping[str, set[str]]
) -> Iterator[set[str]]:
    """Yield the maximal cliques of two or more that hold `members`, some of `candidates` and none of `passed`."""
    if not candidates and not passed:
        if len(members) > 1:
            yield members
        return
    pivot = max(candidates | passed, key=lambda name: len(near[name] & candidates))
    for name in candidates - near[pivot]:
        yield from _cliques(members | {name}, candidates & near[name], passed & near[name], near)
        candidates, passed = candidates - {name}, passed | {name}
