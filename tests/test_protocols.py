"""One training, three readings: each protocol chooses the epoch by what it may look at, and by nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from mer_lib.datasets import CLASSES
from mer_lib.errors import ParameterError
from mer_lib.evaluation.frames import probability_columns
from mer_lib.evaluation.protocols import available_protocols, choose, uf1_per_epoch

EPOCHS = 6


def rows(role: str, truth: list[int], guesses: np.ndarray, *, fold: int = 0, seed: int = 0) -> pd.DataFrame:
    """Predictions of samples with labels `truth`; `guesses` (epochs, n) are the predicted classes."""
    guesses = np.asarray(guesses)
    epochs, n = guesses.shape
    frame = pd.DataFrame(
        {
            "sample_id": [f"toya/{role}{fold}/{i:02d}" for i in range(n)] * epochs,
            "fold": fold,
            "seed": seed,
            "epoch": np.repeat(np.arange(1, epochs + 1), n),
            "role": role,
            "y_true": np.tile(truth, epochs),
        }
    )
    frame[probability_columns(CLASSES)] = np.eye(3, dtype="float32")[guesses.reshape(-1)] * 0.8 + 0.2 / 3
    return frame


def guesses_with_hits(truth: list[int], hits: list[int]) -> np.ndarray:
    """Predictions that get the first `hits[e]` samples of epoch e right and all others wrong."""
    truth_array, position = np.array(truth), np.arange(len(truth))
    return np.stack([np.where(position < hit, truth_array, (truth_array + 1) % 3) for hit in hits])


TRUTH = [0, 1, 2, 0, 1]
INNER_TRUTH = [0, 1, 2, 0, 1, 2]


def fold_frame(test_hits: list[int], inner_hits: list[int] | None, **keys: int) -> pd.DataFrame:
    parts = [rows("test", TRUTH, guesses_with_hits(TRUTH, test_hits), **keys)]
    if inner_hits is not None:
        parts.append(rows("inner", INNER_TRUTH, guesses_with_hits(INNER_TRUTH, inner_hits), **keys))
    return pd.concat(parts, ignore_index=True)


def chosen_epoch(frame: pd.DataFrame, protocol: str) -> int:
    (epoch,) = choose(frame, protocol)["epoch"].unique()
    return int(epoch)


@pytest.fixture
def frame() -> pd.DataFrame:
    """The last epoch, the best inner epoch and the best test epoch are three different ones: 6, 4 and 2."""
    return fold_frame(test_hits=[1, 5, 2, 0, 3, 2], inner_hits=[0, 2, 3, 6, 5, 1])


@pytest.mark.parametrize(("protocol", "epoch"), [("fixed", 6), ("nested", 4), ("published", 2)])
def test_each_protocol_takes_its_own_epoch(frame: pd.DataFrame, protocol: str, epoch: int) -> None:
    chosen = choose(frame, protocol)
    assert chosen["epoch"].unique().tolist() == [epoch]
    expected = frame[(frame["role"] == "test") & (frame["epoch"] == epoch)].drop(columns="role")
    pd.testing.assert_frame_equal(chosen, expected.sort_values("sample_id", ignore_index=True))


@pytest.mark.parametrize("protocol", ["fixed", "nested"])
def test_an_honest_protocol_chooses_alike_whatever_the_test_labels_are(frame: pd.DataFrame, protocol: str) -> None:
    """Choosing by any score on the test subject would move with its labels."""
    expected = chosen_epoch(frame, protocol)
    test = frame["role"] == "test"
    for shift in range(3):
        moved = frame.assign(y_true=frame["y_true"].where(~test, (frame["y_true"] + shift) % 3))
        assert chosen_epoch(moved, protocol) == expected


@pytest.mark.parametrize("protocol", ["fixed", "nested"])
def test_an_honest_protocol_chooses_alike_whatever_the_test_predictions_are(frame: pd.DataFrame, protocol: str) -> None:
    expected = chosen_epoch(frame, protocol)
    for best in range(EPOCHS):
        hits = [0] * EPOCHS
        hits[best] = 5
        other = fold_frame(hits, inner_hits=[0, 2, 3, 6, 5, 1])
        assert chosen_epoch(other, protocol) == expected


def test_the_published_protocol_does_follow_the_test_labels(frame: pd.DataFrame) -> None:
    for best in range(EPOCHS):
        hits = [1] * EPOCHS
        hits[best] = 4
        assert chosen_epoch(fold_frame(hits, None), "published") == best + 1


def test_the_published_protocol_ignores_inner_subjects(frame: pd.DataFrame) -> None:
    assert chosen_epoch(fold_frame([1, 5, 2, 0, 3, 2], None), "published") == chosen_epoch(frame, "published")


def test_fixed_ignores_inner_subjects() -> None:
    assert chosen_epoch(fold_frame([1, 5, 2, 0, 3, 2], [6, 0, 0, 0, 0, 0]), "fixed") == EPOCHS


def test_of_equal_epochs_the_last_is_taken() -> None:
    frame = fold_frame(test_hits=[2, 4, 1, 4, 0, 3], inner_hits=[6, 1, 6, 2, 6, 0])
    assert chosen_epoch(frame, "published") == 4
    assert chosen_epoch(frame, "nested") == 5


def test_published_goes_by_accuracy_and_nested_by_uf1() -> None:
    """Epoch 1 says the largest class alone: more accurate, yet of lower UF1 than epoch 2."""
    truth = [0, 0, 0, 0, 1, 2]
    guesses = np.array([[0, 0, 0, 0, 0, 0], [0, 1, 2, 1, 1, 2]])
    assert f1_score(truth, guesses[0], average="macro") < f1_score(truth, guesses[1], average="macro")
    test, inner = rows("test", truth, guesses), rows("inner", truth, guesses)
    assert chosen_epoch(pd.concat([test, inner]), "published") == 1
    assert chosen_epoch(pd.concat([test, inner]), "nested") == 2


def test_each_fold_and_seed_has_an_epoch_of_its_own() -> None:
    hits = {(0, 0): 3, (1, 0): 5, (0, 1): 1, (1, 1): 2}
    frames = []
    for (fold, seed), best in hits.items():
        inner = [0] * EPOCHS
        inner[best - 1] = 6
        frames.append(fold_frame([0] * EPOCHS, inner, fold=fold, seed=seed))
    chosen = choose(pd.concat(frames), "nested")
    assert chosen.groupby(["fold", "seed"])["epoch"].unique().map(list).to_dict() == {
        key: [best] for key, best in hits.items()
    }
    assert chosen[["seed", "sample_id"]].apply(tuple, axis=1).is_monotonic_increasing


def test_the_order_of_stored_rows_does_not_matter(frame: pd.DataFrame) -> None:
    mixed = frame.sample(frac=1, random_state=0)
    for protocol in ("fixed", "nested", "published"):
        pd.testing.assert_frame_equal(choose(mixed, protocol), choose(frame, protocol))


def test_a_method_of_one_epoch_reads_the_same_under_every_protocol() -> None:
    single = fold_frame([2], None)
    fixed = choose(single, "fixed")
    assert fixed["epoch"].unique().tolist() == [1]
    for protocol in ("nested", "published"):
        pd.testing.assert_frame_equal(choose(single, protocol), fixed)
    assert available_protocols(single) == ("fixed", "nested", "published")


def test_nested_without_inner_subjects_is_a_clear_error() -> None:
    frame = fold_frame([1, 2, 3], None)
    assert available_protocols(frame) == ("fixed", "published")
    with pytest.raises(ParameterError, match=r"inner validation subjects, got none; .*inner_fraction > 0"):
        choose(frame, "nested")


def test_inner_rows_make_nested_available(frame: pd.DataFrame) -> None:
    assert available_protocols(frame) == ("fixed", "nested", "published")


def test_an_unknown_protocol_is_named(frame: pd.DataFrame) -> None:
    with pytest.raises(ParameterError, match="expected one of fixed, nested, published, got 'best'"):
        choose(frame, "best")


def test_uf1_per_epoch_is_scikit_learns_macro_f1() -> None:
    rng = np.random.default_rng(0)
    truth, guesses = rng.integers(0, 3, 30).tolist(), rng.integers(0, 3, (EPOCHS, 30))
    epochs, scores = uf1_per_epoch(rows("test", truth, guesses).sample(frac=1, random_state=1))
    assert epochs.tolist() == list(range(1, EPOCHS + 1))
    np.testing.assert_allclose(scores, [f1_score(truth, guess, average="macro") for guess in guesses])


def test_an_inner_side_without_a_class_is_scored_over_the_classes_it_has() -> None:
    truth = [0, 0, 1]
    guesses = np.array([[0, 0, 1], [0, 0, 0]])
    frame = pd.concat([rows("test", TRUTH, guesses_with_hits(TRUTH, [1, 5])), rows("inner", truth, guesses)])
    assert chosen_epoch(frame, "nested") == 1
