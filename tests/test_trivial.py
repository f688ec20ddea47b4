"""Predictors that never look at a sample, and means over subjects: against analytic results and plain loops."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from mer_lib.errors import ParameterError
from mer_lib.evaluation import trivial
from mer_lib.evaluation.frames import only, probabilities, probability_columns
from mer_lib.evaluation.metrics import score
from mer_lib.evaluation.per_subject import classes_shown, mean_over_subjects
from mer_lib.evaluation.trivial import TRIVIAL, overall_shares, trivial_predictions, trivial_table

# The counts of CAS(ME)3 in the list that HTNet's authors published.
CASME3 = {"disgust": 247, "surprise": 184, "fear": 83, "anger": 64, "sadness": 55, "happiness": 54}
CLASSES = tuple(CASME3)


def frame_of(truth: np.ndarray, *, folds: int = 1, classes: tuple[str, ...] = CLASSES, seed: int = 0) -> pd.DataFrame:
    """Samples of ten people; sample i is tested in fold i modulo `folds`."""
    ids = [f"a/{i % 10:02d}/c{i:04d}" for i in range(len(truth))]
    frame = pd.DataFrame({"sample_id": ids, "seed": 0, "fold": np.arange(len(truth)) % folds, "y_true": truth})
    proba = np.random.default_rng(seed).dirichlet(np.ones(len(classes)), len(truth))
    frame[probability_columns(classes)] = proba
    return frame


def casme3() -> pd.DataFrame:
    return frame_of(np.repeat(np.arange(6), list(CASME3.values())))


def test_priors_pass_the_published_micro_auc_and_know_nothing() -> None:
    """Shares of 247, 184, 83, 64, 55, 54 as scores: micro AUC 0.700; the majority with certainty: 0.616."""
    frame = casme3()
    table = trivial_table(frame, {0: frame["y_true"].to_numpy()})
    assert table.loc["class priors", "auc_micro"] == pytest.approx(0.700, abs=5e-4)
    assert table.loc["majority", "auc_micro"] == pytest.approx(0.616, abs=5e-4)
    assert table.loc[["class priors", "majority", "overall shares"], "auc_macro"].tolist() == [0.5, 0.5, 0.5]
    assert table.loc["overall shares", "auc_micro"] == table.loc["class priors", "auc_micro"]
    assert table.loc["class priors", "accuracy"] == pytest.approx(247 / 687)
    assert table.loc["class priors", "uar"] == pytest.approx(1 / 6)


def test_priors_are_those_of_each_folds_training_side() -> None:
    frame = frame_of(np.array([0, 1, 2, 0, 1, 2, 0, 0]), folds=2, classes=("x", "y", "z"))
    trained = {0: np.array([0, 0, 1, 2]), 1: np.array([2, 2, 2, 1])}
    guessed = trivial_predictions(frame, trained)
    assert tuple(guessed) == TRIVIAL
    for fold, shares in {0: [0.5, 0.25, 0.25], 1: [0.0, 0.25, 0.75]}.items():
        rows = guessed["class priors"]["fold"] == fold
        np.testing.assert_allclose(probabilities(guessed["class priors"][rows]), [shares] * rows.sum())
        np.testing.assert_array_equal(probabilities(guessed["majority"][rows]).argmax(1), [np.argmax(shares)] * 4)


def test_pooled_priors_of_training_sides_are_a_low_bar_and_overall_shares_are_not() -> None:
    """Each fold tests one class and so has fewer of it in training: the prior is lowest where the class is."""
    truth = np.repeat([0, 1, 2], 8)
    frame = frame_of(truth, classes=("x", "y", "z")).assign(fold=truth)
    trained = {fold: truth[truth != fold] for fold in range(3)}
    table = trivial_table(frame, trained)
    assert table.loc["class priors", "auc_macro"] == 0
    assert table.loc["overall shares", "auc_macro"] == 0.5
    np.testing.assert_allclose(probabilities(overall_shares(frame)), 1 / 3)


def test_shuffled_predictions_stay_in_their_fold_and_leave_their_samples() -> None:
    frame = frame_of(np.arange(60) % 6, folds=3)
    trained = {fold: np.arange(6) for fold in range(3)}
    dealt = trivial_predictions(frame, trained)["shuffled"]
    for fold, rows in frame.groupby("fold"):
        mine = dealt[dealt["fold"] == fold]
        np.testing.assert_array_equal(np.sort(probabilities(mine), 0), np.sort(probabilities(rows), 0))
    aligned = dealt.set_index("sample_id").loc[frame["sample_id"]]
    assert (probabilities(aligned) != probabilities(frame)).any(axis=1).mean() > 0.8
    pd.testing.assert_frame_equal(dealt, trivial_predictions(frame.sample(frac=1), trained)["shuffled"])


def test_the_method_stands_first_and_is_scored_alike() -> None:
    frame = frame_of(np.arange(60) % 6)
    row = trivial_table(frame, {0: np.arange(6)}).iloc[0]
    truth, proba = frame["y_true"], probabilities(frame)
    assert row.name == "these predictions"
    assert row["uf1"] == pytest.approx(f1_score(truth, proba.argmax(1), average="macro"))
    assert row["auc_macro"] == pytest.approx(roc_auc_score(truth, proba, multi_class="ovr"))


def test_a_fold_of_which_nothing_is_known_is_an_error() -> None:
    with pytest.raises(ParameterError, match="fold 1: expected the labels it was fitted on"):
        trivial_predictions(frame_of(np.arange(12) % 6, folds=2), {0: np.arange(6)})


# Means over subjects


def of_people(shown: list[list[int]], right: bool = True, n_classes: int = 3) -> pd.DataFrame:
    """One person a list of true classes; predictions are all right, or one class off."""
    rows = [(f"a/{who:02d}/c{i}", truth) for who, classes in enumerate(shown) for i, truth in enumerate(classes)]
    frame = pd.DataFrame(rows, columns=["sample_id", "y_true"]).assign(seed=0, fold=0)
    guess = frame["y_true"].to_numpy() if right else (frame["y_true"].to_numpy() + 1) % n_classes
    frame[probability_columns("xyz"[:n_classes])] = 0.1 + 0.7 * np.eye(n_classes)[guess]
    return frame


def test_a_perfect_classifier_attains_the_mean_share_of_classes_shown() -> None:
    """23 people with one class, 29 with two, 16 with three, as on the MEGC2019 composite: 0.632."""
    frame = of_people([[0]] * 23 + [[0, 1]] * 29 + [[0, 1, 2]] * 16)
    table = mean_over_subjects(frame)
    expected = (23 * 1 + 29 * 2 + 16 * 3) / (3 * 68)
    assert expected == pytest.approx(0.632, abs=5e-4)
    assert table.loc["zero"].tolist() == pytest.approx([expected, expected, expected, 68])
    assert table.loc["exclude"].tolist() == pytest.approx([1, 1, 1, 68])
    assert classes_shown(frame).to_dict() == {1: 23, 2: 29, 3: 16}
    assert score(frame).uf1 == 1


def test_means_over_subjects_are_those_of_a_plain_loop() -> None:
    frame = of_people([[0, 0, 1], [2], [1, 1, 2, 0]])
    frame[probability_columns("xyz")] = np.random.default_rng(3).dirichlet([1, 1, 1], len(frame))
    guess = probabilities(frame).argmax(1)
    zero, present = [], []
    for person in ("a/00/", "a/01/", "a/02/"):
        mine = frame["sample_id"].str.startswith(person).to_numpy()
        truth = frame["y_true"].to_numpy()[mine]
        each = f1_score(truth, guess[mine], labels=[0, 1, 2], average=None, zero_division=0)
        shown = np.isin([0, 1, 2], truth)
        zero.append(np.where(shown, each, 0).mean())
        present.append(each[shown].mean())
    table = mean_over_subjects(frame)["uf1_mean_over_subjects"]
    assert table["zero"] == pytest.approx(np.mean(zero))
    assert table["exclude"] == pytest.approx(np.mean(present))
    blind = frame.assign(**dict(zip(probability_columns("xyz"), (1.0, 0.0, 0.0), strict=True)))
    for said in (frame, blind):  # what can be attained hangs on what subjects show, not on what is said of them
        assert mean_over_subjects(said)["attainable"].tolist() == pytest.approx([(2 + 1 + 3) / 9, 1])


def test_a_subset_of_samples_is_scored_by_itself() -> None:
    frame = of_people([[0, 1, 2], [2, 1]])
    kept = only(frame, [name for name in frame["sample_id"] if name.startswith("a/01/")])
    assert kept["sample_id"].tolist() == ["a/01/c0", "a/01/c1"]
    with pytest.raises(ParameterError, match="got none of b/01/c0"):
        only(frame, ["a/00/c0", "b/01/c0"])


def test_what_is_known_of_a_fold_set_serves_the_methods_on_it_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = np.arange(60) % 3
    first, second = (frame_of(truth, folds=3, classes=("x", "y", "z"), seed=seed) for seed in (1, 2))
    trained = {fold: truth[np.arange(60) % 3 != fold] for fold in range(3)}
    cases = [
        (first, trained),
        (second, trained),  # another method on the same folds
        (second.assign(fold=np.arange(60) % 2), {0: truth[1::2], 1: truth[::2]}),  # other folds
        (second, trained | {1: np.repeat([0, 1, 2], [20, 15, 5])}),  # the same, trained on others
        (second.assign(y_true=second["y_true"].to_numpy()[::-1]), trained),  # other truths
    ]
    alone = [trivial_table(frame, labels) for frame, labels in cases]
    known: dict[str, pd.DataFrame] = {}
    scored: list[str] = []
    monkeypatch.setattr(trivial, "score", lambda frame: scored.append("") or score(frame))
    for (frame, labels), expected in zip(cases, alone, strict=True):
        pd.testing.assert_frame_equal(trivial_table(frame, labels, known=known), expected)
    assert len(known) == 4
    assert len(scored) == 2 * len(cases) + 3 * len(known)
