"""Intervals of areas and of differences over whole subjects, and McNemar's test: against naive loops."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from sklearn.metrics import f1_score

from mer_lib.errors import ParameterError
from mer_lib.evaluation import statistics as st
from mer_lib.evaluation.frames import predicted_classes, probabilities, probability_columns
from mer_lib.evaluation.metrics import roc_auc, score

CLASSES = ("w", "x", "y", "z")


def frame_of(seed: int, *, skill: float = 1.0, run: int = 0, people: int = 7, each: int = 6) -> pd.DataFrame:
    """Every person shows four classes; probabilities are coarse, so that there are ties."""
    draw = np.random.default_rng(seed)
    ids = [f"{'ab'[p % 2]}/{p:02d}/c{i}" for p in range(people) for i in range(each)]
    truth = np.arange(len(ids)) % 4
    logits = draw.normal(size=(len(ids), 4)).round() + skill * np.eye(4)[truth]
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    frame = pd.DataFrame({"sample_id": ids, "seed": run, "fold": 0, "y_true": truth})
    frame[probability_columns(CLASSES)] = proba
    return frame


def subjects_of(frame: pd.DataFrame) -> np.ndarray:
    return frame["sample_id"].str.rsplit("/", n=1).str[0].to_numpy()


def resampled(frame: pd.DataFrame, names: np.ndarray) -> pd.DataFrame:
    return pd.concat([frame[subjects_of(frame) == name] for name in names], ignore_index=True)


def naive(frame: pd.DataFrame, metric: str) -> float:
    truth, proba = frame["y_true"].to_numpy(), probabilities(frame)
    if metric == "uf1":
        return float(f1_score(truth, proba.argmax(1), average="macro"))
    return roc_auc(truth, proba, metric.removeprefix("auc_"))  # type: ignore[arg-type]


@pytest.mark.parametrize("metric", ["auc_micro", "auc_macro"])
def test_an_interval_of_areas_is_that_of_a_loop_over_resamples(metric: str) -> None:
    frame = frame_of(0)
    names = np.unique(subjects_of(frame))
    drawn = st.resample_subjects(names, 40, seed=5)
    areas = [naive(resampled(frame, names[row]), metric) for row in drawn]
    interval = st.bootstrap_interval(frame.sample(frac=1, random_state=1), metric, n=40, seed=5, level=0.9)
    assert interval.point == pytest.approx(naive(frame, metric))
    assert [interval.low, interval.high] == pytest.approx(np.quantile(areas, [0.05, 0.95]))
    assert interval.n_incomplete == 0


def test_the_area_of_several_seeds_is_the_mean_of_theirs() -> None:
    frames = [frame_of(seed, run=seed) for seed in (0, 1)]
    mean = np.mean([score(frame).auc_micro for frame in frames])
    assert st.bootstrap_interval(frames, "auc_micro", n=20).point == pytest.approx(mean)


def test_resamples_without_a_class_have_no_macro_area_and_a_micro_one() -> None:
    frame = frame_of(0)
    alone = subjects_of(frame) == "a/00"
    frame.loc[~alone & (frame["y_true"] == 3), "y_true"] = 0  # the last class is shown by one person
    macro, micro = (st.bootstrap_interval(frame, metric, n=500) for metric in ("auc_macro", "auc_micro"))
    assert macro.n_incomplete / 500 == pytest.approx((6 / 7) ** 7, abs=0.08)
    assert micro.n_incomplete == 0
    assert macro.low < macro.point < macro.high


@pytest.mark.parametrize("metric", ["uf1", "auc_micro", "auc_macro"])
def test_a_difference_is_paired_over_the_same_drawn_subjects(metric: str) -> None:
    first, second = frame_of(0, skill=2.0), frame_of(1, skill=0.0)
    names = np.unique(subjects_of(first))
    drawn = st.resample_subjects(names, 40, seed=2)
    gaps = [naive(resampled(first, names[row]), metric) - naive(resampled(second, names[row]), metric) for row in drawn]
    interval = st.difference_interval(first, second.sample(frac=1, random_state=0), metric, n=40, seed=2)
    assert interval.point == pytest.approx(naive(first, metric) - naive(second, metric))
    assert [interval.low, interval.high] == pytest.approx(np.quantile(gaps, [0.025, 0.975]))
    assert interval.low > 0


def test_a_method_does_not_differ_from_itself_and_differences_change_their_sign() -> None:
    first, second = frame_of(0), frame_of(1)
    same = st.difference_interval(first, first)
    assert (same.point, same.low, same.high) == (0, 0, 0)
    there, back = st.difference_interval(first, second), st.difference_interval(second, first)
    assert [there.point, there.low, there.high] == pytest.approx([-back.point, -back.high, -back.low])


def test_pairing_makes_an_interval_narrower_where_people_are_hard_for_both() -> None:
    draw = np.random.default_rng(0)
    first, second = frame_of(0, people=20), frame_of(0, people=20)
    hard = np.isin(subjects_of(first), np.unique(subjects_of(first))[::2])
    for frame in (first, second):
        truth = np.where(hard, (frame["y_true"] + 1) % 4, frame["y_true"])
        flipped = np.where(draw.random(len(frame)) < 0.1, (truth + 2) % 4, truth)
        frame[probability_columns(CLASSES)] = 0.1 + 0.6 * np.eye(4)[flipped]
    gap = st.difference_interval(first, second, "accuracy")
    alone = [st.bootstrap_interval(frame, "accuracy") for frame in (first, second)]
    assert gap.high - gap.low < 0.6 * min(each.high - each.low for each in alone)


def test_numbers_of_seeds_may_differ() -> None:
    several = pd.concat([frame_of(seed, run=seed) for seed in (0, 1, 2)], ignore_index=True)
    interval = st.difference_interval(several, frame_of(5), n=50)
    assert interval.n_seeds == 1
    mean = np.mean([naive(rows, "uf1") for _, rows in several.groupby("seed")])
    assert interval.point == pytest.approx(mean - naive(frame_of(5), "uf1"))


def test_only_the_same_samples_are_compared() -> None:
    first, second = frame_of(0), frame_of(1)
    with pytest.raises(ParameterError, match="the first method alone has b/05/c5"):
        st.difference_interval(first, second[second["sample_id"] != "b/05/c5"])
    with pytest.raises(ParameterError, match="different truths for a/00/c0"):
        st.difference_interval(first, second.assign(y_true=[1, *second["y_true"][1:]]))
    renamed = second.rename(columns={"p_z": "p_q"})
    with pytest.raises(ParameterError, match="the first method tells apart w, x, y, z, the second w, x, y, q"):
        st.difference_interval(first, renamed)
    with pytest.raises(ParameterError, match="metric: expected one of uf1, .*auc_macro, got 'auc'"):
        st.difference_interval(first, second, "auc")


def test_mcnemar_is_a_coin_over_the_samples_that_one_method_alone_gets_right() -> None:
    first, second = frame_of(0, skill=2.0), frame_of(1)
    right = [predicted_classes(frame) == frame["y_true"] for frame in (first, second)]
    only_first, only_second = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    result = st.mcnemar(first, second.sample(frac=1, random_state=0))
    assert (result.only_first, result.only_second, result.n) == (only_first, only_second, len(first))
    tail = binom.cdf(min(only_first, only_second), only_first + only_second, 0.5)
    assert result.p_value == pytest.approx(min(1.0, 2 * tail))
    assert st.mcnemar(first, first).p_value == 1.0


def test_pairs_of_methods_are_tested_on_the_samples_that_both_predicted() -> None:
    whole, other = frame_of(0), frame_of(1)
    part = other[subjects_of(other) != "a/00"]
    renamed = other.rename(columns={"p_z": "p_q"})
    table = st.compare_all({"a": whole, "b": part, "c": renamed}, common=True, n=100)
    assert table[["method_a", "method_b"]].to_numpy().tolist() == [["a", "b"]]
    assert table["n_samples"].tolist() == [36]
    alone = st.permutation_test(whole[subjects_of(whole) != "a/00"], part, n=100)
    assert table["p_value"].tolist() == [alone.p_value]
    assert st.compare_all({"a": whole, "c": renamed}, common=True).empty
