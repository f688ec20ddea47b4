"""The audit reads what was fitted and tested from stored folds, and turns red where they cannot be trusted."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mer_lib.datasets.samples import CLASSES
from mer_lib.errors import LeakageError
from mer_lib.evaluation.audit import Audit, audit
from mer_lib.evaluation.crossval import read_folds, run
from mer_lib.evaluation.folds import Inputs, compute_fold, refuse_leakage
from mer_lib.evaluation.splits import Split
from mer_lib.evaluation.store import FoldResult, PredictionStore
from mer_lib.features import compute
from mer_lib.training.estimator import TorchClassifier
from tests.helpers import N_SUBJECTS, altered, job, shuffled, split_of, toy, variant

ONCE = "each sample is tested exactly once"
APART = "no subject on both sides"
INNER = "inner validation subjects are apart"
CLASSES_TRAINED = "every class in training"
TRUTH = "stored truth is the data's"
SUMS = "probabilities sum to one"
CLASSES_TESTED = "test folds hold every class"


@lru_cache
def folds() -> tuple[FoldResult, ...]:
    """Stored folds of a sound run with inner validation."""
    sound = job(epochs=2, split={"kind": "loso", "inner_fraction": 0.25})
    with TemporaryDirectory() as folder:
        store = PredictionStore(Path(folder))
        run([sound], store)
        return tuple(read_folds(sound, store))


def audited(*stored: FoldResult) -> Audit:
    return audit("toy", stored or folds(), toy())


def failed(result: Audit) -> set[str]:
    return {check.name for check in result.checks if check.fatal and not check.passed}


def detail(result: Audit, name: str) -> str:
    return next(check.detail for check in result.checks if check.name == name)


def with_first(**changes: Any) -> Audit:
    """The audit of the sound folds with the first one altered."""
    return audited(altered(folds()[0], **changes), *folds()[1:])


def test_a_sound_run_passes_and_says_what_was_checked() -> None:
    result = audited()
    assert result.passed
    assert failed(result) == set()
    assert detail(result, ONCE) == f"48 samples, {N_SUBJECTS} folds"
    assert detail(result, APART) == f"{N_SUBJECTS} subjects compared"
    assert detail(result, INNER) == f"{N_SUBJECTS} folds with inner validation"
    assert detail(result, TRUTH) == "48 labels compared by sample id"


def test_the_order_of_rows_in_the_data_does_not_matter() -> None:
    assert audit("toy", folds(), shuffled(toy())).passed


def test_a_fold_that_was_fitted_on_a_test_subject_is_found() -> None:
    leaked = folds()[0].metadata["fitted_on"] + ["toya/01/toy_01"]
    result = with_first(metadata={"fitted_on": leaked})
    assert failed(result) == {APART}
    assert not result.passed
    assert detail(result, APART) == "toya/01 in fold toya/01"


def test_another_clip_of_the_test_subject_is_enough() -> None:
    """Subjects must be apart, not clips: no tested clip itself is trained on here."""
    fold = folds()[0]
    half = fold.predictions[fold.predictions["sample_id"] != "toya/01/toy_01"]
    metadata = {**fold.metadata, "fitted_on": [*fold.metadata["fitted_on"], "toya/01/toy_01"]}
    result = audited(FoldResult(half, metadata), *folds()[1:])
    assert failed(result) == {APART, ONCE}


def test_a_subject_of_the_same_id_in_another_data_set_is_another_subject() -> None:
    fitted = {name.rsplit("/", 1)[0] for name in folds()[0].metadata["fitted_on"]}
    inner = folds()[0].predictions.query("role == 'inner'")["sample_id"].str.rsplit("/", n=1).str[0]
    assert {"toyb/01", "toyc/01"} <= fitted | set(inner)
    assert folds()[0].metadata["name"] == "toya/01"


def test_inner_subjects_that_were_fitted_on_are_found() -> None:
    fold = folds()[0]
    inner = fold.predictions.loc[fold.predictions["role"] == "inner", "sample_id"].iloc[0]
    result = with_first(metadata={"fitted_on": [*fold.metadata["fitted_on"], inner]})
    assert failed(result) == {INNER}
    assert inner.rsplit("/", 1)[0] in detail(result, INNER)


def test_inner_subjects_that_are_tested_too_are_found() -> None:
    rows = folds()[0].predictions
    also = rows[(rows["role"] == "test") & (rows["sample_id"] == "toya/01/toy_01")].assign(role="inner")
    result = audited(
        FoldResult(pd.concat([rows, also], ignore_index=True), folds()[0].metadata),
        *folds()[1:],
    )
    assert failed(result) == {INNER}
    assert "toya/01 also tested" in detail(result, INNER)


def test_a_sample_that_is_tested_twice_is_found() -> None:
    second = folds()[1]
    again = folds()[0].predictions.query("role == 'test' and sample_id == 'toya/01/toy_02'")
    result = audited(
        folds()[0], FoldResult(pd.concat([second.predictions, again], ignore_index=True), second.metadata), *folds()[2:]
    )
    assert ONCE in failed(result)
    assert "toya/01/toy_02 tested 2 times" in detail(result, ONCE)


def test_a_fold_that_is_there_twice_is_found() -> None:
    assert ONCE in failed(audited(*folds(), folds()[3]))


def test_a_sample_that_is_never_tested_is_found() -> None:
    result = audited(*folds()[1:])
    assert failed(result) == {ONCE}
    assert "toya/01/toy_01 never tested" in detail(result, ONCE)


def test_a_sample_that_the_data_do_not_have_is_found() -> None:
    rows = folds()[0].predictions
    renamed = rows["sample_id"].replace("toya/01/toy_01", "toya/01/toy_99")
    result = with_first(sample_id=renamed)
    assert ONCE in failed(result)
    assert "toya/01/toy_99 is not in the data" in detail(result, ONCE)


def test_a_truth_that_is_not_the_datas_is_found() -> None:
    rows = folds()[0].predictions
    one = rows["sample_id"] == "toya/01/toy_03"
    result = with_first(y_true=rows["y_true"].where(~one, (rows["y_true"] + 1) % 3))
    assert failed(result) == {TRUTH}
    assert detail(result, TRUTH) == "toya/01/toy_03"


def test_labels_that_were_matched_by_row_order_are_found() -> None:
    """What a join by position does to a table in another order."""
    rows = folds()[0].predictions
    assert TRUTH in failed(with_first(y_true=rows["y_true"].to_numpy()[::-1]))


def test_a_class_that_training_lacks_is_found() -> None:
    label = toy().samples.set_index("sample_id")["label3"]
    fitted = [name for name in folds()[0].metadata["fitted_on"] if label[name] != "surprise"]
    result = with_first(metadata={"fitted_on": fitted})
    assert failed(result) == {CLASSES_TRAINED}
    assert detail(result, CLASSES_TRAINED) == "surprise missing in fold toya/01"


@pytest.mark.parametrize("value", [np.nan, -0.5, 2.0, np.inf])
def test_what_is_no_probability_is_found(value: float) -> None:
    rows = folds()[0].predictions
    result = with_first(p_positive=rows["p_positive"].where(rows.index != 0, value).astype("float32"))
    assert failed(result) == {SUMS}
    assert detail(result, SUMS) == rows["sample_id"][0]


def test_test_folds_without_a_class_are_noted_but_not_fatal() -> None:
    result = audited()
    assert result.passed
    counts = toy().samples.groupby(["dataset", "subject"])["label3"].nunique()
    lacking = int((counts < len(CLASSES)).sum())
    assert detail(result, CLASSES_TESTED).startswith(f"{lacking} of {N_SUBJECTS} test folds lack a class")
    table = result.table().set_index("check")["result"]
    assert table[CLASSES_TESTED] == "note"
    assert set(table.drop(CLASSES_TESTED)) == {"passed"}


def test_the_table_shows_what_failed() -> None:
    table = audited(*folds()[1:]).table().set_index("check")
    assert list(table) == ["result", "detail"]
    assert table.loc[ONCE, "result"] == "FAILED"


# Leakage is refused before anything is fitted


def inputs() -> Inputs:
    ids = sorted(toy().samples["sample_id"])
    return Inputs(ids, compute(variant().features, toy(), ids), toy().labels(ids))


def fold_of(split: Split, model: str = "ststnet", given: Inputs | None = None) -> FoldResult:
    return compute_fold(
        variant(model), split, given or inputs(), seed=0, address="a", device="cpu", checkpoint=Path("unused")
    )


TEST, OTHER = "toya/01/toy_01", "toyb/04/toy_01"
SOUND = split_of(toy(), "toya/01", "toyc/05")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": (*SOUND.train, TEST)}, "toya/01 in training and test"),
        ({"inner": (*SOUND.inner, TEST)}, "toya/01 in inner validation and test"),
        ({"inner": (*SOUND.inner, OTHER)}, "toyb/04 in training and inner validation"),
        ({"test": (*SOUND.test, OTHER)}, "toyb/04 in training and test"),
    ],
)
def test_a_split_with_a_subject_on_two_sides_is_refused(
    changes: dict[str, tuple[str, ...]], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit(*_: object, **__: object) -> None:
        raise AssertionError("fitted before the split was checked")

    monkeypatch.setattr(TorchClassifier, "fit", fit)
    sides = {"train": SOUND.train, "test": SOUND.test, "inner": SOUND.inner, **changes}
    with pytest.raises(LeakageError, match=f"fold toya/01: expected no subject on two sides, got {message}"):
        fold_of(Split(0, "toya/01", **sides))


def test_subjects_of_one_id_in_several_data_sets_are_no_leak() -> None:
    refuse_leakage(SOUND)
    assert any(name.startswith("toyb/01/") for name in SOUND.train)


@pytest.mark.parametrize("model", ["ststnet", "linear_svm", "dummy"])
def test_what_is_learned_does_not_hang_on_the_test_subject_at_all(model: str) -> None:
    """Test and inner samples become huge outliers; what is predicted of the others' shares must not move."""
    split, clean = split_of(toy(), "toya/01", "toyc/05"), inputs()
    spoiled = Inputs(clean.sample_ids, clean.X.copy(), clean.y.copy())
    tested = [i for i, name in enumerate(clean.sample_ids) if name in split.test]
    spoiled.X[tested] = 1e6
    spoiled.y[tested] = (spoiled.y[tested] + 1) % 3
    kept = [
        fold_of(split, model, given).predictions.query("role == 'inner'").reset_index(drop=True)
        for given in (clean, spoiled)
    ]
    assert kept[0].equals(kept[1])
    assert len(kept[0])


def test_what_is_stored_as_fitted_on_is_what_was_fitted_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[np.ndarray] = []
    plain = TorchClassifier.fit

    def fit(model: TorchClassifier, X: np.ndarray, y: np.ndarray, **kwargs: Any) -> TorchClassifier:
        seen.append(X)
        return plain(model, X, y, **kwargs)

    monkeypatch.setattr(TorchClassifier, "fit", fit)
    metadata = fold_of(SOUND).metadata
    given = inputs()
    assert metadata["fitted_on"] == sorted(SOUND.train)
    expected = {given.take((name,))[0].tobytes() for name in metadata["fitted_on"]}
    assert {sample[None].tobytes() for sample in seen[0]} == expected
    assert len(seen[0]) == len(SOUND.train)


def test_training_samples_come_in_the_order_of_class_and_id(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[np.ndarray, np.ndarray]] = []
    plain = TorchClassifier.fit

    def fit(model: TorchClassifier, X: np.ndarray, y: np.ndarray, **kwargs: Any) -> TorchClassifier:
        seen.append((X, y))
        return plain(model, X, y, **kwargs)

    monkeypatch.setattr(TorchClassifier, "fit", fit)
    given = inputs()
    fold_of(SOUND, given=given)
    label = toy().samples.set_index("sample_id")["label3"].map(CLASSES.index)
    order = tuple(sorted(SOUND.train, key=lambda name: (label[name], name)))
    np.testing.assert_array_equal(seen[0][0], given.take(order)[0])
    np.testing.assert_array_equal(seen[0][1], label[list(order)])
