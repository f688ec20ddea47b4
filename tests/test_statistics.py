"""Intervals and tests over subjects, against naive loops, brute force and simulation."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

from mer_lib.errors import ParameterError
from mer_lib.evaluation import metrics
from mer_lib.evaluation import statistics as st

SCORES = {
    "uf1": lambda truth, guess: f1_score(truth, guess, average="macro"),
    "uar": lambda truth, guess: recall_score(truth, guess, average="macro"),
    "accuracy": accuracy_score,
}


def frame_of(sample_ids, y_true, y_pred, seed=0) -> pd.DataFrame:
    frame = pd.DataFrame({"sample_id": sample_ids, "fold": 0, "seed": seed, "epoch": 1, "y_true": y_true})
    proba = 0.1 + 0.7 * np.eye(3, dtype=np.float32)[np.asarray(y_pred)]
    frame[["p_negative", "p_positive", "p_surprise"]] = proba
    return frame


def guessed(frame: pd.DataFrame) -> np.ndarray:
    return frame[["p_negative", "p_positive", "p_surprise"]].to_numpy().argmax(axis=1)


def subject_of(frame: pd.DataFrame) -> np.ndarray:
    return frame["sample_id"].str.rsplit("/", n=1).str[0].to_numpy()


def ids_of(n_subjects: int, per_subject: int) -> list[str]:
    """Two data sets whose subjects bear the same numbers."""
    subjects = [f"toy{'ab'[s % 2]}/{s // 2:02d}" for s in range(n_subjects)]
    return [f"{subject}/clip{clip}" for subject in subjects for clip in range(per_subject)]


def random_frame(seed: int, n_subjects: int = 8, per_subject: int = 6, right: float = 0.6) -> pd.DataFrame:
    """Every subject shows every class; a share of the predictions is right."""
    generator = np.random.default_rng(seed)
    ids = ids_of(n_subjects, per_subject)
    truth = np.arange(len(ids)) % 3
    guess = np.where(generator.random(len(ids)) < right, truth, generator.integers(0, 3, len(ids)))
    return frame_of(ids, truth, guess)


def shuffled(frame: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    return frame.sample(frac=1, random_state=seed)


# Subject matrices


def test_subject_matrices_are_those_of_each_subject():
    frame = shuffled(random_frame(0))
    subjects, matrices = st.subject_matrices(frame)
    assert subjects.tolist() == sorted(set(subject_of(frame)))
    for subject, matrix in zip(subjects, matrices, strict=True):
        mine = frame[subject_of(frame) == subject]
        np.testing.assert_array_equal(matrix, metrics.confusion_matrix(mine["y_true"], guessed(mine), 3))
    np.testing.assert_array_equal(matrices.sum(axis=0), metrics.score(frame).confusion)


def test_colliding_subject_ids_are_different_subjects():
    frame = frame_of(["toya/01/x", "toyb/01/x", "toya/01/y"], [0, 1, 2], [0, 1, 2])
    subjects, matrices = st.subject_matrices(frame)
    assert subjects.tolist() == ["toya/01", "toyb/01"]
    assert matrices.sum(axis=(1, 2)).tolist() == [2, 1]
    assert st.permutation_test(frame, frame).n_subjects == 2
    assert st.bootstrap_interval(frame, n=10).n_subjects == 2


# Bootstrap


@pytest.mark.parametrize("metric", SCORES)
@pytest.mark.parametrize("stratify", [None, "dataset"])
def test_bootstrap_agrees_with_a_naive_loop(metric, stratify):
    frame = random_frame(1)
    subjects = sorted(set(subject_of(frame)))
    rows = {subject: frame[subject_of(frame) == subject] for subject in subjects}
    naive = []
    for drawn in st.resample_subjects(subjects, 60, seed=3, stratify=stratify):
        resample = pd.concat([rows[subjects[i]] for i in drawn])
        naive.append(SCORES[metric](resample["y_true"], guessed(resample)))
    interval = st.bootstrap_interval(shuffled(frame), metric, level=0.8, n=60, seed=3, stratify=stratify)
    assert interval.low == pytest.approx(np.quantile(naive, 0.1), abs=1e-12)
    assert interval.high == pytest.approx(np.quantile(naive, 0.9), abs=1e-12)
    assert interval.point == pytest.approx(SCORES[metric](frame["y_true"], guessed(frame)))
    assert (interval.n, interval.unit, interval.level, interval.n_incomplete) == (60, "subject", 0.8, 0)


def test_resamples_draw_every_subject_alike():
    drawn = st.resample_subjects(ids_of(10, 1), 4000, seed=0)
    assert drawn.shape == (4000, 10)
    shares = np.bincount(drawn.ravel(), minlength=10) / drawn.size
    np.testing.assert_allclose(shares, 0.1, atol=0.01)
    # Drawn with replacement: a resample lacks a subject with chance (1 - 1/10)^10.
    lacking = np.mean([10 - len(set(row)) for row in drawn]) / 10
    assert lacking == pytest.approx(0.9**10, abs=0.01)


def test_stratified_resamples_keep_the_number_of_subjects_of_each_data_set():
    subjects = ["toyb/1", "toya/1", "toyb/2", "toya/2", "toyb/3"]
    drawn = st.resample_subjects(subjects, 200, seed=0, stratify="dataset")
    from_a = np.isin(drawn, [1, 3]).sum(axis=1)
    assert drawn.shape == (200, 5)
    assert set(from_a) == {2}
    assert set(drawn.ravel()) == {0, 1, 2, 3, 4}
    assert len(set(np.isin(st.resample_subjects(subjects, 200, seed=0), [1, 3]).sum(axis=1))) > 1


def test_interval_is_the_same_for_the_same_seed_and_any_order_of_rows():
    frame = random_frame(2)
    interval = st.bootstrap_interval(frame, n=300, seed=5)
    assert st.bootstrap_interval(shuffled(frame, 9), n=300, seed=5) == interval
    assert st.bootstrap_interval(frame, n=300, seed=6) != interval
    assert interval.low < interval.point < interval.high
    assert str(interval) == f"{interval.point:.4f} [{interval.low:.4f}, {interval.high:.4f}]"


def simulated(generator: np.random.Generator, n_subjects: int, per_subject: int) -> pd.DataFrame:
    """Subjects differ: each has its own chance of being recognised, 0.6 on average."""
    ids = ids_of(n_subjects, per_subject)
    truth = np.arange(len(ids)) % 3
    chance = np.repeat(generator.beta(1.5, 1.0, n_subjects), per_subject)
    guess = np.where(generator.random(len(ids)) < chance, truth, (truth + 1) % 3)
    return frame_of(ids, truth, guess)


def test_interval_covers_the_true_score_about_as_often_as_it_says():
    generator = np.random.default_rng(0)
    intervals = [st.bootstrap_interval(simulated(generator, 30, 6), "accuracy", 0.9, 200) for _ in range(150)]
    covered = np.mean([interval.low <= 0.6 <= interval.high for interval in intervals])
    # Nominal 0.9, standard error 0.025; an interval over samples in place of subjects covers about 0.72 here.
    assert 0.80 <= covered <= 0.97


def test_resamples_without_a_class_are_left_out_and_counted():
    # Only one of four subjects shows surprise, and it is always missed.
    ids = ["toy/1/a", "toy/1/b", "toy/2/a", "toy/2/b", "toy/3/a", "toy/3/b", "toy/4/a"]
    frame = frame_of(ids, [0, 1, 0, 1, 0, 1, 2], [0, 1, 0, 1, 0, 1, 0])
    drawn = st.resample_subjects(["toy/1", "toy/2", "toy/3", "toy/4"], 400, seed=0)
    # Subject 4 alone shows no other class than surprise, so a draw of nothing else is incomplete as well.
    incomplete = (~(drawn == 3).any(axis=1) | (drawn == 3).all(axis=1)).sum()
    interval = st.bootstrap_interval(frame, "uar", n=400)
    assert interval.n_incomplete == incomplete > 0
    # Complete resamples have recalls 1, 1, 0; the others would have entered with 1.
    assert (interval.low, interval.high) == pytest.approx((2 / 3, 2 / 3))
    accuracy = st.bootstrap_interval(frame, "accuracy", n=400)
    assert accuracy.n_incomplete == 0
    assert accuracy.high == 1.0


def test_a_class_absent_from_all_data_makes_no_resample_incomplete():
    frame = frame_of(ids_of(5, 2), [0, 1] * 5, [0, 1, 0, 0, 1, 1, 0, 1, 0, 1])
    interval = st.bootstrap_interval(frame, n=50)
    assert interval.n_incomplete == 0
    assert interval.point == pytest.approx(metrics.score(frame).uf1)


def test_interval_of_one_subject_is_unknown():
    interval = st.bootstrap_interval(frame_of(ids_of(1, 6), [0, 1, 2] * 2, [0, 1, 2, 0, 1, 0]), n=20)
    assert np.isnan([interval.low, interval.high]).all()
    assert interval.point == pytest.approx(f1_score([0, 1, 2] * 2, [0, 1, 2, 0, 1, 0], average="macro"))


def test_interval_without_a_complete_resample_is_unknown():
    # Three subjects of one class each: a draw of all three is needed, and two draws of this seed are none.
    frame = frame_of(["toy/1/a", "toy/2/a", "toy/3/a"], [0, 1, 2], [0, 1, 0])
    assert all(len(set(row)) < 3 for row in st.resample_subjects(["toy/1", "toy/2", "toy/3"], 2, seed=0))
    interval = st.bootstrap_interval(frame, n=2, seed=0)
    assert interval.n_incomplete == 2
    assert np.isnan([interval.low, interval.high]).all()


def test_interval_over_seeds_is_that_of_their_mean():
    frames = [random_frame(s).assign(seed=s) for s in (4, 5)]
    subjects = sorted(set(subject_of(frames[0])))
    naive = []
    for drawn in st.resample_subjects(subjects, 40, seed=1):
        parts = [pd.concat([f[subject_of(f) == subjects[i]] for i in drawn]) for f in frames]
        naive.append(np.mean([SCORES["uf1"](part["y_true"], guessed(part)) for part in parts]))
    interval = st.bootstrap_interval(frames, n=40, seed=1)
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(naive, [0.025, 0.975])))
    assert interval.point == pytest.approx(np.mean([metrics.score(frame).uf1 for frame in frames]))
    assert interval.n_seeds == 2
    assert st.bootstrap_interval(shuffled(pd.concat(frames)), n=40, seed=1) == interval


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"metric": "f1"},
            "metric: expected one of uf1, uar, accuracy, macro_precision, auc_micro, auc_macro, got 'f1'",
        ),
        ({"level": 95}, "level: expected a number above 0 and below 1, got 95"),
        ({"level": 0.0}, "level: expected"),
        ({"n": 0}, "n: expected 1 draw or more, got 0"),
        ({"stratify": "subject"}, "stratify: expected None or 'dataset', got 'subject'"),
    ],
)
def test_bootstrap_refuses_parameters_out_of_range(options, message):
    with pytest.raises(ParameterError, match=message):
        st.bootstrap_interval(random_frame(0), **options)


def test_one_seed_twice_is_refused():
    with pytest.raises(ParameterError, match="one row a"):
        st.bootstrap_interval([random_frame(0), random_frame(1)])


# Permutation test


def brute_force(frame_a: pd.DataFrame, frame_b: pd.DataFrame, score) -> tuple[float, float]:
    """Exchange rows of whole subjects in every possible way and count."""
    a, b = (frame.sort_values("sample_id") for frame in (frame_a, frame_b))
    truth, guess_a, guess_b, subject = a["y_true"].to_numpy(), guessed(a), guessed(b), subject_of(a)
    names = sorted(set(subject))
    differences = []
    for swap in product([False, True], repeat=len(names)):
        swapped = np.isin(subject, np.array(names)[list(swap)])
        first, second = np.where(swapped, guess_b, guess_a), np.where(swapped, guess_a, guess_b)
        differences.append(score(truth, first) - score(truth, second))
    extreme = np.abs(differences) >= abs(differences[0]) - 1e-9
    return differences[0], extreme.mean()


@pytest.mark.parametrize("metric", SCORES)
@pytest.mark.parametrize("seed", [0, 10, 20])
def test_exact_test_agrees_with_brute_force(metric, seed):
    frame_a, frame_b = random_frame(seed, 6, right=0.8), random_frame(seed + 1, 6, right=0.4)
    result = st.permutation_test(shuffled(frame_a, 1), shuffled(frame_b, 2), metric)
    difference, p_value = brute_force(frame_a, frame_b, SCORES[metric])
    assert result.difference == pytest.approx(difference)
    assert result.p_value == pytest.approx(p_value)
    assert (result.n, result.n_subjects, result.exact) == (64, 6, True)


def test_exact_up_to_twelve_subjects_and_random_beyond():
    twelve = st.permutation_test(random_frame(0, 12, 3), random_frame(1, 12, 3), n=50)
    assert (twelve.n, twelve.exact) == (4096, True)
    thirteen = st.permutation_test(random_frame(0, 13, 3), random_frame(1, 13, 3), n=50)
    assert (thirteen.n, thirteen.exact) == (50, False)


def test_random_exchanges_approach_the_exact_p_value(monkeypatch):
    frame_a, frame_b = random_frame(0, 10, right=0.7), random_frame(1, 10, right=0.6)
    exact = st.permutation_test(frame_a, frame_b)
    monkeypatch.setattr(st, "EXACT_SUBJECTS", 0)
    drawn = st.permutation_test(frame_a, frame_b, n=20_000)
    assert 0.05 < exact.p_value < 0.95
    assert drawn.p_value == pytest.approx(exact.p_value, abs=0.015)
    assert drawn.difference == exact.difference


def test_random_p_value_is_never_zero():
    perfect, hopeless = random_frame(0, 20, right=1.0), random_frame(0, 20, right=1.0)
    hopeless = frame_of(hopeless["sample_id"], hopeless["y_true"], (hopeless["y_true"] + 1) % 3)
    result = st.permutation_test(perfect, hopeless, n=99)
    assert result.p_value == pytest.approx(1 / 100)
    assert result.difference == 1.0


def test_test_is_two_sided_and_antisymmetric():
    frame_a, frame_b = random_frame(0, 8, right=0.8), random_frame(1, 8, right=0.4)
    forward, backward = st.permutation_test(frame_a, frame_b), st.permutation_test(frame_b, frame_a)
    assert forward.difference == pytest.approx(-backward.difference)
    assert forward.difference > 0
    assert forward.p_value == backward.p_value


@pytest.mark.parametrize("n_subjects", [6, 15])
def test_a_method_does_not_differ_from_itself(n_subjects):
    frame = random_frame(3, n_subjects)
    result = st.permutation_test(frame, shuffled(frame), n=50)
    assert (result.difference, result.p_value) == (0.0, 1.0)


@pytest.mark.parametrize("n_subjects", [8, 15])
def test_permutation_does_not_depend_on_the_order_of_rows(n_subjects):
    frame_a, frame_b = random_frame(0, n_subjects), random_frame(1, n_subjects)
    result = st.permutation_test(frame_a, frame_b, n=200, seed=4)
    assert st.permutation_test(shuffled(frame_a, 1), shuffled(frame_b, 2), n=200, seed=4) == result


def test_p_values_are_about_uniform_where_methods_are_alike():
    generator = np.random.default_rng(0)
    p_values = np.array(
        [
            st.permutation_test(simulated(generator, 14, 6), simulated(generator, 14, 6), n=99).p_value
            for _ in range(150)
        ]
    )
    # Subjects are clusters here: a test that exchanged single samples would call 0.22 of these differences
    # significant at 0.05.
    assert (p_values <= 0.05).mean() < 0.11
    assert 0.42 < p_values.mean() < 0.58
    assert 0.38 < (p_values <= 0.5).mean() < 0.62


def test_methods_must_share_samples_and_truths():
    frame = random_frame(0)
    other = shuffled(frame.iloc[2:]).reset_index(drop=True)
    extra = frame_of(["toyc/00/clip0"], [0], [0])
    changed = other["sample_id"] == "toyb/03/clip5"
    other.loc[changed, "y_true"] = (other.loc[changed, "y_true"] + 1) % 3
    with pytest.raises(ParameterError) as error:
        st.permutation_test(frame, pd.concat([other, extra]))
    for part in (
        "first method alone has toya/00/clip0, toya/00/clip1",
        "second method alone has toyc/00/clip0",
        "different truths for toyb/03/clip5",
    ):
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"), [({"metric": "auc"}, "metric: expected"), ({"n": 0}, "n: expected 1 draw")]
)
def test_permutation_refuses_parameters_out_of_range(options, message):
    with pytest.raises(ParameterError, match=message):
        st.permutation_test(random_frame(0), random_frame(1), **options)


def brute_force_seeds(a: pd.DataFrame, b: pd.DataFrame, score) -> tuple[float, float]:
    """Every exchange, one at a time, in all pairs of runs: the mean over them, and the p-value."""
    seeds_a, seeds_b = (sorted(frame["seed"].unique()) for frame in (a, b))
    runs = range(math.lcm(len(seeds_a), len(seeds_b)))
    pairs = [(a[a["seed"] == seeds_a[i % len(seeds_a)]], b[b["seed"] == seeds_b[i % len(seeds_b)]]) for i in runs]
    pairs = [tuple(frame.sort_values("sample_id") for frame in pair) for pair in pairs]
    subject = subject_of(pairs[0][0])
    names, differences = sorted(set(subject)), []
    for swap in product([False, True], repeat=len(names)):
        swapped, gaps = np.isin(subject, np.array(names)[list(swap)]), []
        for one, other in pairs:
            truth, guess_a, guess_b = one["y_true"].to_numpy(), guessed(one), guessed(other)
            first, second = np.where(swapped, guess_b, guess_a), np.where(swapped, guess_a, guess_b)
            gaps.append(score(truth, first) - score(truth, second))
        differences.append(np.mean(gaps))
    return differences[0], (np.abs(differences) >= abs(differences[0]) - 1e-9).mean()


@pytest.mark.parametrize("counts", [(2, 2), (1, 3), (2, 3)])
def test_seeds_are_exchanged_together_and_averaged(counts):
    frames = [
        pd.concat([random_frame(10 * i + seed, 5, right=right).assign(seed=seed) for seed in range(count)])
        for i, (count, right) in enumerate(zip(counts, (0.8, 0.5), strict=True))
    ]
    result = st.permutation_test(*frames)
    difference, p_value = brute_force_seeds(*frames, SCORES["uf1"])
    assert result.difference == pytest.approx(difference)
    assert result.p_value == pytest.approx(p_value)
    row = st.compare_all(dict(zip("ab", frames, strict=True))).iloc[0]
    assert row["score_a"] - row["score_b"] == pytest.approx(difference)
    assert row["n_samples"] == frames[0]["sample_id"].nunique()


# Holm


def naive_holm(p_values: dict[str, float]) -> dict[str, float]:
    """The smallest level at which the step-down procedure rejects each hypothesis."""
    adjusted = {}
    for name in p_values:
        left, level = dict(p_values), 0.0
        while name in left:
            smallest = min(left, key=left.get)
            level = max(level, len(left) * left.pop(smallest))
        adjusted[name] = min(level, 1.0)
    return adjusted


@pytest.mark.parametrize("seed", range(5))
def test_holm_agrees_with_the_step_down_procedure(seed):
    generator = np.random.default_rng(seed)
    p_values = {f"t{i}": float(p) for i, p in enumerate(generator.random(9).round(1) * generator.random())}
    adjusted = st.holm(p_values)
    assert adjusted == pytest.approx(naive_holm(p_values))
    assert list(adjusted) == list(p_values)


def test_holm_of_known_values():
    assert st.holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}) == pytest.approx(
        {"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02}
    )
    assert st.holm({"a": 0.6, "b": 0.7}) == {"a": 1.0, "b": 1.0}
    assert st.holm({}) == {}


@pytest.mark.parametrize("p", [-0.1, 1.5, float("nan")])
def test_holm_refuses_what_is_no_p_value(p):
    with pytest.raises(ParameterError, match=r"b: expected a p-value in 0\.\.1"):
        st.holm({"a": 0.5, "b": p})


# All methods

METHODS = {"svm": 0.7, "net": 0.8, "dummy": 0.2}


def test_compare_all_tests_every_pair():
    frames = {name: random_frame(i, right=right) for i, (name, right) in enumerate(METHODS.items())}
    table = st.compare_all(frames, metric="uar")
    pairs = list(zip(table["method_a"], table["method_b"], strict=True))
    assert pairs == [("svm", "net"), ("svm", "dummy"), ("net", "dummy")]
    for row in table.itertuples():
        result = st.permutation_test(frames[row.method_a], frames[row.method_b], "uar")
        assert (row.difference, row.p_value, row.exact) == (result.difference, result.p_value, True)
        assert row.score_a == pytest.approx(metrics.score(frames[row.method_a]).uar)
        assert row.score_b == pytest.approx(metrics.score(frames[row.method_b]).uar)
        assert row.difference == pytest.approx(row.score_a - row.score_b)
    expected = naive_holm(dict(enumerate(table["p_value"])))
    assert table["p_holm"].tolist() == pytest.approx(list(expected.values()))
    assert (table["p_holm"] > table["p_value"]).any()


def test_compare_all_with_a_reference():
    frames = {name: random_frame(i, right=right) for i, (name, right) in enumerate(METHODS.items())}
    table = st.compare_all(frames, reference="net")
    assert table["method_a"].tolist() == ["svm", "dummy"]
    assert table["method_b"].tolist() == ["net", "net"]
    assert (table["difference"] == table["score_a"] - table["score_b"]).all()


def test_compare_all_says_what_is_wrong():
    frames = {"a": random_frame(0), "b": random_frame(1)}
    with pytest.raises(ParameterError, match="two methods or more to compare, got a"):
        st.compare_all({"a": frames["a"]})
    with pytest.raises(ParameterError, match="reference: expected one of a, b, got 'c'"):
        st.compare_all(frames, reference="c")
    with pytest.raises(ParameterError, match=r"a against b: .*\n.*second method alone has|first method alone has"):
        st.compare_all({"a": frames["a"], "b": frames["b"].iloc[1:]})
