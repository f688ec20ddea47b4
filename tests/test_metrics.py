"""Scores of predictions, with scikit-learn and published integer facts as judges."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as judge

from mer_lib.datasets import load
from mer_lib.datasets.samples import CLASSES
from mer_lib.errors import ParameterError
from mer_lib.evaluation import metrics

# True samples of negative, positive, surprise in the MEGC2019 composite.
COUNTS = {"full": (250, 109, 83), "smic": (70, 51, 43), "casme2": (88, 32, 25), "samm": (92, 26, 15)}
STACKED = [metrics.uf1, metrics.uar, metrics.accuracy, metrics.macro_precision]
# Rows 4, 6, 10 and columns 8, 5, 7: recall and precision of every class differ.
ASYMMETRIC = [[3, 1, 0], [3, 2, 1], [2, 2, 6]]


def one_hot(classes: np.ndarray) -> np.ndarray:
    return np.eye(3, dtype=np.float32)[classes]


def frame_of(sample_ids, y_true, proba, fold=0, seed=0) -> pd.DataFrame:
    frame = pd.DataFrame({"sample_id": sample_ids, "fold": fold, "seed": seed, "epoch": 1, "y_true": y_true})
    frame[["p_negative", "p_positive", "p_surprise"]] = np.asarray(proba, dtype=np.float32)
    return frame


def random_frame(generator: np.random.Generator, n: int = 60, seed: int = 0) -> pd.DataFrame:
    ids = [f"toy{'ab'[i % 2]}/{i % 6:02d}/clip{i}" for i in range(n)]
    truth = np.resize([0, 1, 2, 0], n)
    return frame_of(ids, truth, generator.dirichlet(np.ones(3), n), fold=np.arange(n) % 6, seed=seed)


def by_subject(sample_ids: pd.Series, truth: np.ndarray) -> pd.DataFrame:
    """A perfect oracle with one fold a subject."""
    fold = pd.factorize(sample_ids.str.rsplit("/", n=1).str[0])[0]
    return frame_of(sample_ids.to_numpy(), truth, one_hot(truth), fold=fold)


def random_labels(generator: np.random.Generator, truth_of=(0, 1, 2), guess_of=(0, 1, 2)):
    return generator.choice(truth_of, 50), generator.choice(guess_of, 50)


# Confusion matrices


def test_confusion_matrix_has_the_truth_in_its_rows():
    matrix = metrics.confusion_matrix([0, 0, 0, 1], [2, 2, 0, 1], 3)
    assert matrix.tolist() == [[1, 0, 2], [0, 1, 0], [0, 0, 0]]
    assert matrix.dtype == np.int64


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_confusion_matrix_is_that_of_scikit_learn(n_classes):
    generator = np.random.default_rng(n_classes)
    truth, guess = random_labels(generator, range(n_classes), range(n_classes))
    expected = judge.confusion_matrix(truth, guess, labels=range(n_classes))
    np.testing.assert_array_equal(metrics.confusion_matrix(truth, guess, n_classes), expected)


def test_confusion_matrices_keep_groups_apart():
    generator = np.random.default_rng(3)
    truth, guess = random_labels(generator)
    groups = generator.choice(["c", "a", "b"], 50)
    names, matrices = metrics.confusion_matrices(groups, truth, guess, 3)
    assert names.tolist() == ["a", "b", "c"]
    for name, matrix in zip(names, matrices, strict=True):
        mine = groups == name
        np.testing.assert_array_equal(matrix, judge.confusion_matrix(truth[mine], guess[mine], labels=[0, 1, 2]))


@pytest.mark.parametrize(
    ("y_true", "y_pred", "message"),
    [
        ([], [], "at least one label"),
        ([0, 1], [0], "as many predictions as truths"),
        ([0, 3], [0, 1], r"y_true: expected class numbers 0\.\.2, got 3"),
        ([0, 1], [-1, 7], r"y_pred: expected class numbers 0\.\.2, got -1, 7"),
        ([0.0, 1.0], [0, 1], "y_true: expected a flat list of integers, got float64"),
        ([[0], [1]], [0, 1], "y_true: expected a flat list of integers"),
        (["a", "b"], [0, 1], "y_true: expected a flat list of integers"),
    ],
)
def test_confusion_matrix_says_what_is_wrong_with_labels(y_true, y_pred, message):
    with pytest.raises(ParameterError, match=message):
        metrics.confusion_matrix(y_true, y_pred, 3)


def test_all_faults_of_labels_are_named_at_once():
    with pytest.raises(ParameterError) as error:
        metrics.confusion_matrices(["a"], [0, 5], [8, 1, 1], 3)
    for part in ("y_true", "got 5", "y_pred", "got 8", "as many predictions", "one group a truth"):
        assert part in str(error.value)


# Scores of matrices


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_those_of_scikit_learn(seed):
    truth, guess = random_labels(np.random.default_rng(seed))
    matrix = metrics.confusion_matrix(truth, guess, 3)
    assert metrics.uf1(matrix) == pytest.approx(judge.f1_score(truth, guess, average="macro"), abs=1e-12)
    assert metrics.uar(matrix) == pytest.approx(judge.balanced_accuracy_score(truth, guess), abs=1e-12)
    assert metrics.accuracy(matrix) == pytest.approx(judge.accuracy_score(truth, guess), abs=1e-12)
    expected = judge.precision_score(truth, guess, average="macro")
    assert metrics.macro_precision(matrix) == pytest.approx(expected, abs=1e-12)
    expected_per_class = judge.precision_recall_fscore_support(truth, guess, labels=[0, 1, 2])
    np.testing.assert_allclose(metrics.precision_per_class(matrix), expected_per_class[0], atol=1e-12)
    np.testing.assert_allclose(metrics.recall_per_class(matrix), expected_per_class[1], atol=1e-12)
    np.testing.assert_allclose(metrics.f1_per_class(matrix), expected_per_class[2], atol=1e-12)


def test_uar_is_no_macro_precision():
    recall = (3 / 4 + 2 / 6 + 6 / 10) / 3
    precision = (3 / 8 + 2 / 5 + 6 / 7) / 3
    assert metrics.uar(ASYMMETRIC) == pytest.approx(recall)
    assert metrics.macro_precision(ASYMMETRIC) == pytest.approx(precision)
    assert metrics.uar(np.transpose(ASYMMETRIC)) == pytest.approx(precision)
    assert abs(recall - precision) > 0.01
    np.testing.assert_allclose(metrics.recall_per_class(ASYMMETRIC), [3 / 4, 2 / 6, 6 / 10])
    np.testing.assert_allclose(metrics.precision_per_class(ASYMMETRIC), [3 / 8, 2 / 5, 6 / 7])


@pytest.mark.parametrize("function", STACKED)
def test_stacks_are_scored_matrix_by_matrix(function):
    matrices = np.random.default_rng(1).integers(0, 9, (2, 4, 3, 3))
    matrices[0, 1, 2] = 0  # one class absent
    matrices[1, 3] = 0  # nothing at all
    scores = function(matrices)
    assert scores.shape == (2, 4)
    expected = [[function(matrix) for matrix in row] for row in matrices]
    np.testing.assert_array_equal(scores, expected)
    assert np.isnan(scores).tolist() == [[False] * 4, [False, False, False, True]]


@pytest.mark.parametrize("function", STACKED)
def test_one_matrix_gives_one_float(function):
    assert isinstance(function(ASYMMETRIC), float)


@pytest.mark.parametrize("function", STACKED)
@pytest.mark.parametrize("shape", [(3,), (3, 2), (4, 2, 3)])
def test_what_is_no_matrix_is_refused(function, shape):
    with pytest.raises(ParameterError, match=r"\(\.\.\., C, C\), got shape"):
        function(np.ones(shape))


# Absent classes


def test_class_absent_from_truth_leaves_the_mean_or_counts_as_zero():
    truth, guess = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 2, 1, 0])
    matrix = metrics.confusion_matrix(truth, guess, 3)
    macro = {"average": "macro", "zero_division": 0}
    for function, reference in [
        (metrics.uf1, judge.f1_score),
        (metrics.uar, judge.recall_score),
        (metrics.macro_precision, judge.precision_score),
    ]:
        excluded = reference(truth, guess, labels=[0, 1], **macro)
        assert function(matrix) == function(matrix, "exclude") == pytest.approx(excluded)
        zero = reference(truth, guess, labels=[0, 1, 2], **macro)
        assert function(matrix, "zero") == pytest.approx(zero)
        assert zero < excluded
        with pytest.raises(ParameterError, match="none of class 2"):
            function(matrix, "raise")


@pytest.mark.parametrize("function", [metrics.f1_per_class, metrics.recall_per_class, metrics.precision_per_class])
def test_class_absent_from_truth_is_marked_per_class(function):
    # Class 2 is predicted once but never true; class 1 occurs nowhere at all.
    matrix = np.array([[2, 0, 1], [0, 0, 0], [0, 0, 0]])
    assert np.isnan(function(matrix)).tolist() == [False, True, True]
    assert function(matrix, "zero")[1:].tolist() == [0.0, 0.0]
    with pytest.raises(ParameterError, match="none of class 1, 2"):
        function(matrix, "raise")


def test_class_absent_from_all_predictions_scores_zero():
    truth, guess = np.array([0, 0, 1, 2, 2]), np.array([0, 1, 1, 0, 1])
    matrix = metrics.confusion_matrix(truth, guess, 3)
    for absent in ("exclude", "zero", "raise"):
        assert metrics.f1_per_class(matrix, absent)[2] == 0
        assert metrics.recall_per_class(matrix, absent)[2] == 0
        assert metrics.precision_per_class(matrix, absent)[2] == 0
        expected = judge.f1_score(truth, guess, average="macro", zero_division=0)
        assert metrics.uf1(matrix, absent) == pytest.approx(expected)
        expected = judge.precision_score(truth, guess, average="macro", zero_division=0)
        assert metrics.macro_precision(matrix, absent) == pytest.approx(expected)


@pytest.mark.parametrize("absent", ["exclude", "zero"])
@pytest.mark.filterwarnings("error")
def test_an_empty_matrix_is_nan_without_a_warning(absent):
    empty = np.zeros((3, 3), int)
    assert np.isnan([metrics.uf1(empty, absent), metrics.uar(empty, absent), metrics.accuracy(empty)]).all()


def test_unknown_treatment_of_absent_classes_is_refused():
    with pytest.raises(ParameterError, match="absent: expected one of exclude, zero, raise, got 'drop'"):
        metrics.uf1(ASYMMETRIC, "drop")


# Golden numbers


@pytest.mark.parametrize(
    ("dataset", "uf1", "accuracy"),
    [("full", 0.2408, 0.566), ("casme2", 0.2518, 0.607), ("samm", 0.2726, 0.692), ("smic", 0.1994, 0.427)],
)
def test_always_negative_scores_what_is_known(dataset, uf1, accuracy):
    truth = np.repeat([0, 1, 2], COUNTS[dataset])
    matrix = metrics.confusion_matrix(truth, np.zeros_like(truth), 3)
    assert round(metrics.uf1(matrix), 4) == uf1
    assert round(metrics.uar(matrix), 4) == 0.3333
    assert round(metrics.accuracy(matrix), 3) == accuracy


def matrices_with(correct, predicted, counts) -> list[np.ndarray]:
    """All 3x3 confusion matrices with this diagonal, these column sums and these row sums."""
    missed, wrong = np.subtract(counts, correct), np.subtract(predicted, correct)
    found = []
    for first in range(missed[0] + 1):  # the one degree of freedom: true class 0 predicted as class 1
        off = {(0, 1): first, (0, 2): missed[0] - first, (2, 1): wrong[1] - first}
        off |= {(2, 0): missed[2] - off[2, 1], (1, 2): wrong[2] - off[0, 2]}
        off |= {(1, 0): missed[1] - off[1, 2]}
        if min(off.values()) >= 0 and off[1, 0] + off[2, 0] == wrong[0]:
            matrix = np.diag(correct)
            for cell, count in off.items():
                matrix[cell] = count
            found.append(matrix)
    return found


# Correct and predicted totals of HTNet's published run, reconstructed from its rounding, and its table 2.
HTNET = {
    "full": ((235, 88, 66), (265, 101, 76), 0.8603, 0.8475),
    "smic": ((62, 39, 31), (85, 43, 36), 0.8049, 0.7905),
    "casme2": ((87, 29, 24), (89, 30, 26), 0.9532, 0.9516),
    "samm": ((86, 20, 11), (91, 28, 14), 0.8131, 0.8124),
}


@pytest.mark.parametrize("dataset", HTNET)
def test_published_htnet_matrix_gives_the_published_scores(dataset):
    correct, predicted, uf1, uar = HTNET[dataset]
    matrices = matrices_with(correct, predicted, COUNTS[dataset])
    assert matrices
    for matrix in matrices:
        assert matrix.sum(axis=1).tolist() == list(COUNTS[dataset])
        assert matrix.sum(axis=0).tolist() == list(predicted)
        assert (round(metrics.uf1(matrix), 4), round(metrics.uar(matrix), 4)) == (uf1, uar)


def test_published_accuracies_of_htnet_figure_7_are_recalls():
    matrix = matrices_with(*HTNET["full"][:2], COUNTS["full"])[0]
    assert metrics.recall_per_class(matrix).round(2).tolist() == [0.94, 0.81, 0.80]


# ROC


@pytest.mark.parametrize("seed", range(3))
def test_roc_auc_is_that_of_scikit_learn(seed):
    generator = np.random.default_rng(seed)
    truth, proba = np.arange(40) % 3, generator.dirichlet(np.ones(3), 40)
    for average in ("micro", "macro"):
        expected = judge.roc_auc_score(truth, proba, multi_class="ovr", average=average)
        assert metrics.roc_auc(truth, proba, average) == pytest.approx(expected, abs=1e-12)
        assert metrics.roc_auc(truth, proba, average, absent="raise") == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("digits", [0, 1, 2])
def test_roc_auc_counts_ties_as_scikit_learn_does(digits):
    """Rounded scores: nearly all of them, many, or few are equal to others."""
    generator = np.random.default_rng(digits)
    truth, proba = generator.permutation(np.arange(61) % 4), generator.dirichlet(np.ones(4), 61).round(digits)
    per_class = [judge.roc_auc_score(truth == c, proba[:, c]) for c in range(4)]
    assert metrics.roc_auc(truth, proba, "macro") == pytest.approx(np.mean(per_class), abs=1e-12)
    columns = truth[:, None] == np.arange(4)
    assert metrics.roc_auc(truth, proba, "micro") == pytest.approx(
        judge.roc_auc_score(columns.ravel(), proba.ravel()), abs=1e-12
    )
    assert metrics.roc_auc(truth, np.full((61, 4), 0.25), "macro") == 0.5


def test_roc_auc_with_an_absent_class():
    generator = np.random.default_rng(0)
    truth, proba = np.arange(40) % 2, generator.dirichlet(np.ones(3), 40)
    per_class = [judge.roc_auc_score(truth == c, proba[:, c]) for c in (0, 1)]
    assert metrics.roc_auc(truth, proba, "macro") == pytest.approx(np.mean(per_class), abs=1e-12)
    columns = np.stack([truth == c for c in range(3)], axis=1)
    micro = judge.roc_auc_score(columns, proba, average="micro")
    assert metrics.roc_auc(truth, proba, "micro") == pytest.approx(micro, abs=1e-12)
    for average in ("micro", "macro"):
        with pytest.raises(ParameterError, match="none of class 2"):
            metrics.roc_auc(truth, proba, average, absent="raise")


@pytest.mark.filterwarnings("error")
def test_roc_auc_of_a_single_class_is_unknown():
    proba = [[0.6, 0.3, 0.1], [0.2, 0.5, 0.3]]
    assert np.isnan(metrics.roc_auc([0, 0], proba, "macro"))
    expected = judge.roc_auc_score([1, 0, 0, 1, 0, 0], np.ravel(proba))
    assert metrics.roc_auc([0, 0], proba, "micro") == pytest.approx(expected)


@pytest.mark.parametrize(
    ("y_true", "proba", "options", "message"),
    [
        ([0, 1], [[0.5, 0.5]], {}, r"expected shape \(2, classes\)"),
        ([0, 1], [0.5, 0.5], {}, r"expected shape \(2, classes\)"),
        ([0, 5], [[0.5, 0.5], [0.5, 0.5]], {}, "got 5"),
        ([0, 1], [[np.nan, 0.5], [0.5, 0.5]], {}, "got 1 that are not"),
        ([0, 1], [[0.5, 0.5], [0.5, 0.5]], {"average": "weighted"}, "micro or macro, got 'weighted'"),
        ([0, 1], [[0.5, 0.5], [0.5, 0.5]], {"absent": "zero"}, "exclude or raise, got 'zero'"),
    ],
)
def test_roc_auc_says_what_is_wrong(y_true, proba, options, message):
    with pytest.raises(ParameterError, match=message):
        metrics.roc_auc(y_true, proba, **options)


# Frames


def test_score_of_a_frame_is_that_of_scikit_learn():
    frame = random_frame(np.random.default_rng(0))
    proba = frame[["p_negative", "p_positive", "p_surprise"]].to_numpy()
    truth, guess = frame["y_true"], proba.argmax(axis=1)
    scores = metrics.score(frame)
    assert (scores.n, scores.n_subjects, scores.support) == (60, 6, (30, 15, 15))
    assert scores.uf1 == pytest.approx(judge.f1_score(truth, guess, average="macro"))
    assert scores.uar == pytest.approx(judge.balanced_accuracy_score(truth, guess))
    assert scores.accuracy == pytest.approx(judge.accuracy_score(truth, guess))
    assert scores.recall == pytest.approx(judge.recall_score(truth, guess, average=None))
    columns = one_hot(truth.to_numpy())
    assert scores.auc_micro == pytest.approx(judge.roc_auc_score(columns, proba, average="micro"))
    assert scores.auc_macro == pytest.approx(judge.roc_auc_score(columns, proba, average="macro"))
    np.testing.assert_array_equal(scores.confusion, judge.confusion_matrix(truth, guess))
    assert scores.absent == ()
    assert scores.row()["recall_positive"] == scores.recall[1]


def test_scores_cannot_be_altered():
    scores = metrics.score(random_frame(np.random.default_rng(0)))
    with pytest.raises(ValueError, match="read-only"):
        scores.confusion[0, 0] = 5
    with pytest.raises(AttributeError):
        scores.uf1 = 1.0


def test_scores_do_not_depend_on_the_order_of_rows():
    frame = random_frame(np.random.default_rng(2))
    shuffled = frame.sample(frac=1, random_state=1)
    assert metrics.score(shuffled).row() == pytest.approx(metrics.score(frame).row())
    assert metrics.mean_over_folds(shuffled) == pytest.approx(metrics.mean_over_folds(frame))
    assert list(metrics.score_by_dataset(shuffled)) == list(metrics.score_by_dataset(frame))


def test_subjects_of_two_data_sets_do_not_collide():
    frame = frame_of(["toya/01/x", "toyb/01/x", "toyb/01/y"], [0, 1, 2], one_hot(np.array([0, 1, 2])))
    assert metrics.score(frame).n_subjects == 2


def test_an_absent_class_is_named():
    truth = np.array([0, 0, 1])
    frame = frame_of(["toy/01/a", "toy/01/b", "toy/02/a"], truth, one_hot(truth))
    scores = metrics.score(frame)
    assert scores.absent == ("surprise",)
    assert (scores.uf1, scores.uar) == (1.0, 1.0)
    assert np.isnan(scores.recall[2])
    zero = metrics.score(frame, absent="zero")
    assert (zero.uf1, zero.uar) == pytest.approx((2 / 3, 2 / 3))
    assert zero.absent == ("surprise",)
    assert zero.recall[2] == 0
    with pytest.raises(ParameterError, match="none of class 2"):
        metrics.score(frame, absent="raise")


def test_among_equal_probabilities_the_first_class_is_predicted():
    frame = frame_of(["toy/01/a", "toy/01/b"], [0, 2], [[0.4, 0.4, 0.2], [0.2, 0.4, 0.4]])
    assert metrics.score(frame).confusion.tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 0]]


def test_score_by_dataset_starts_with_full_and_splits_by_sample_id():
    frame = random_frame(np.random.default_rng(4)).sample(frac=1, random_state=0)
    scores = metrics.score_by_dataset(frame)
    assert list(scores) == ["full", "toya", "toyb"]
    for name in ("toya", "toyb"):
        alone = frame[frame["sample_id"].str.startswith(f"{name}/")]
        assert scores[name].row() == pytest.approx(metrics.score(alone).row(), nan_ok=True)
    np.testing.assert_array_equal(scores["full"].confusion, scores["toya"].confusion + scores["toyb"].confusion)


def test_data_sets_are_in_alphabetical_order_and_share_the_treatment_of_absent_classes():
    names = ["smic", "casme2", "toy", "samm", "casme3"]
    frame = frame_of([f"{name}/01/a" for name in names], [0, 0, 0, 1, 2], one_hot(np.array([0, 0, 0, 1, 2])))
    scores = metrics.score_by_dataset(frame, absent="zero")
    assert list(scores) == ["full", *sorted(names)]
    assert [scores[name].uf1 for name in sorted(names)] == pytest.approx([1 / 3] * 5)
    assert scores["full"].uf1 == 1
    assert scores["samm"].absent == ("negative", "surprise")


def test_mean_over_folds_averages_scores_of_folds():
    frame = random_frame(np.random.default_rng(5))
    folds = [rows for _, rows in frame.groupby("fold")]
    result = metrics.mean_over_folds(frame)
    for name in ("uf1", "uar", "accuracy"):
        expected = np.mean([getattr(metrics.score(rows), name) for rows in folds])
        assert result[f"{name}_mean_over_folds"] == pytest.approx(expected)
    assert result["n_folds"] == 6
    assert result["uf1_mean_over_folds"] != pytest.approx(metrics.score(frame).uf1, abs=1e-3)


def test_a_class_absent_from_one_fold():
    truth = np.array([0, 1, 2, 0, 1])
    ids = ["toy/01/a", "toy/01/b", "toy/01/c", "toy/02/a", "toy/02/b"]
    frame = frame_of(ids, truth, one_hot(truth), fold=[0, 0, 0, 1, 1])
    result = metrics.mean_over_folds(frame)
    assert result["uf1_mean_over_folds"] == 1
    assert [result[f"folds_without_{name}"] for name in CLASSES] == [0, 0, 1]
    assert metrics.mean_over_folds(frame, absent="zero")["uar_mean_over_folds"] == pytest.approx((1 + 2 / 3) / 2)
    assert metrics.score(frame, absent="raise").uf1 == 1
    with pytest.raises(ParameterError, match="none of class 2"):
        metrics.mean_over_folds(frame, absent="raise")


def test_real_subjects_cap_three_class_averaging(real_root: Path):
    dataset = load("megc2019_flow", real_root)
    frame = by_subject(dataset.samples["sample_id"].astype(str), dataset.labels())
    assert {name: scores.support for name, scores in metrics.score_by_dataset(frame).items()} == COUNTS
    maxima = {"full": 0.632, "casme2": 0.625, "samm": 0.548, "smic": 0.792}
    for name, maximum in maxima.items():
        rows = frame if name == "full" else frame[frame["sample_id"].str.startswith(f"{name}/")]
        for metric, absent in product(["uf1", "uar"], ["zero", "exclude"]):
            mean = metrics.mean_over_folds(rows, absent)[f"{metric}_mean_over_folds"]
            assert round(mean, 3) == (maximum if absent == "zero" else 1.0)
        assert metrics.score(rows).uf1 == 1.0


# Seeds


def test_several_seeds_are_scored_one_by_one():
    frames = [random_frame(np.random.default_rng(s), seed=s) for s in (7, 3)]
    table = metrics.score_seeds(pd.concat(frames).sample(frac=1, random_state=0))
    assert table.index.tolist() == [3, 7]
    assert table.index.name == "seed"
    for frame, seed in zip(frames, (7, 3), strict=True):
        assert table.loc[seed].to_dict() == pytest.approx(metrics.score(frame).row())
    with pytest.raises(ParameterError, match="expected one seed, got 3, 7"):
        metrics.score(pd.concat(frames))
    with pytest.raises(ParameterError, match="expected one seed"):
        metrics.mean_over_folds(pd.concat(frames))


def test_summary_over_seeds():
    frames = [random_frame(np.random.default_rng(s), seed=s) for s in range(3)]
    values = [metrics.score(frame).uf1 for frame in frames]
    summary = metrics.summarise_seeds(metrics.score_seeds(pd.concat(frames)))
    assert summary.index.tolist() == ["mean", "sd", "min", "max"]
    expected = [np.mean(values), np.std(values, ddof=1), min(values), max(values)]
    assert summary["uf1"].tolist() == pytest.approx(expected)
    assert np.isnan(metrics.summarise_seeds(metrics.score_seeds(frames[0])).loc["sd", "uf1"])


def test_seeds_must_hold_the_same_samples_and_truths():
    first, second = (random_frame(np.random.default_rng(0), seed=s) for s in (0, 1))
    with pytest.raises(ParameterError, match="some seeds without toya/00/clip0"):
        metrics.score_seeds(pd.concat([first, second.iloc[1:]]))
    second.loc[0, "y_true"] = 2
    with pytest.raises(ParameterError, match="one truth a sample, got several for toya/00/clip0"):
        metrics.score_seeds(pd.concat([first, second]))


# Frames that break their contract


def broken(column: str | list[str], value) -> pd.DataFrame:
    frame = random_frame(np.random.default_rng(0)).astype(object)
    frame.loc[0, column] = value
    return frame.infer_objects()


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (broken("sample_id", "clip0"), "<dataset>/<subject>/<clip>, got 'clip0'"),
        (broken("sample_id", "full/01/clip0"), "'full' names all data sets together"),
        (broken("sample_id", "toyb/01/clip1"), "got several for toyb/01/clip1"),
        (broken("y_true", 3), "got 3"),
        (broken("y_true", np.nan), "y_true: expected a flat list of integers"),
        (broken("p_positive", 2.0), "sum to 1, got others for toya/00/clip0"),
        (
            broken(["p_negative", "p_positive", "p_surprise"], [-0.2, 0.6, 0.6]),
            "sum to 1, got others for toya/00/clip0",
        ),
        (broken("p_positive", np.nan), "sum to 1, got others for toya/00/clip0"),
        (random_frame(np.random.default_rng(0)).iloc[:0], "at least one label"),
    ],
)
@pytest.mark.parametrize(
    "function", [metrics.score, metrics.score_by_dataset, metrics.mean_over_folds, metrics.score_seeds]
)
def test_a_broken_frame_is_refused(function, frame, message):
    with pytest.raises(ParameterError, match=message):
        function(frame)


def test_missing_columns_are_all_named():
    frame = random_frame(np.random.default_rng(0)).drop(columns=["fold", "p_negative", "p_surprise", "y_true"])
    with pytest.raises(ParameterError) as error:
        metrics.mean_over_folds(frame)
    assert all(f"column {name} is missing" in str(error.value) for name in ("fold", "y_true"))
    assert "a column p_<class> for each of two classes or more, got positive" in str(error.value)


def test_all_faults_of_a_frame_are_named_at_once():
    frame = pd.concat([random_frame(np.random.default_rng(0), seed=s) for s in (0, 1)], ignore_index=True)
    frame.loc[0, ["sample_id", "y_true", "p_negative"]] = ["nowhere", 9, 5.0]
    with pytest.raises(ParameterError) as error:
        metrics.score(frame)
    assert all(part in str(error.value) for part in ("'nowhere'", "got 9", "sum to 1", "expected one seed"))
