"""One fold's estimator, kept and taken out again: it says what the fold's stored predictions say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mer_lib.errors import ParameterError
from mer_lib.evaluation.crossval import Job, run
from mer_lib.evaluation.fitted import Fitted, fit_fold
from mer_lib.evaluation.store import PredictionStore
from mer_lib.training.estimator import TorchClassifier
from tests.helpers import job, toy

KFOLD = {"kind": "kfold", "folds": 3, "inner_fraction": 0.3}


def take(chosen: Job, root: Path, fold: int = 1) -> Fitted:
    return fit_fold(chosen, fold, PredictionStore(root), device="cpu")


@pytest.mark.parametrize("model", ["ststnet", "linear_svm"])
def test_it_says_what_the_stored_predictions_say(model: str, tmp_path: Path) -> None:
    chosen, store = job(model, split=KFOLD, seed=3), PredictionStore(tmp_path)
    run([chosen], store, device="cpu")
    stored = store.read(chosen.address, 1, 3).predictions
    last = stored[(stored["role"] == "test") & (stored["epoch"] == stored["epoch"].max())].set_index("sample_id")
    fitted = take(chosen, tmp_path)
    rows = last.loc[list(fitted.test_ids)]
    np.testing.assert_array_equal(fitted.proba, rows[[f"p_{name}" for name in fitted.classes]].to_numpy())
    np.testing.assert_array_equal(fitted.y_test, rows["y_true"])
    assert set(fitted.test_ids) == set(last.index)


def test_the_network_answers_to_the_inputs_that_it_is_fed(tmp_path: Path) -> None:
    fitted = take(job(split=KFOLD), tmp_path)
    assert not fitted.network.training
    with torch.no_grad():
        proba = fitted.network(fitted.inputs_test).softmax(1).numpy()
    np.testing.assert_allclose(proba, fitted.proba, atol=1e-6)
    np.testing.assert_array_equal(fitted.predicted, fitted.proba.argmax(1))
    np.testing.assert_array_equal(fitted.estimator.predict(fitted.X_test), fitted.predicted)
    assert abs(float(fitted.inputs_test.mean())) < 0.5 < fitted.X_test.mean()  # scaled, and as the recipe makes it


def test_it_is_trained_once_and_read_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = take(job(split=KFOLD), tmp_path)

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(TorchClassifier, "fit", never)
    again = take(job(split=KFOLD), tmp_path)
    np.testing.assert_array_equal(again.proba, first.proba)
    assert again.estimator.history_ == first.estimator.history_
    for other in (job(split=KFOLD, seed=1), job(split=KFOLD, epochs=3)):
        with pytest.raises(AssertionError, match="trained again"):
            take(other, tmp_path)
    with pytest.raises(AssertionError, match="trained again"):
        take(job(split=KFOLD), tmp_path, fold=2)


def test_a_damaged_file_is_named_and_the_network_trained_again(tmp_path: Path) -> None:
    first = take(job(split=KFOLD), tmp_path)
    (file,) = tmp_path.rglob("*.weights")
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.warns(UserWarning, match="damaged checkpoint ignored"):
        again = take(job(split=KFOLD), tmp_path)
    np.testing.assert_array_equal(again.proba, first.proba)


def test_no_test_subject_was_trained_on(tmp_path: Path) -> None:
    fitted = take(job(split=KFOLD), tmp_path)
    assert not set(fitted.split.train) & set(fitted.test_ids)
    np.testing.assert_array_equal(fitted.y_test, toy().labels(list(fitted.test_ids)))


def test_a_fold_that_is_not_there_and_a_method_without_a_network_are_named(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="fold: expected one of 0 to 2, got 3"):
        take(job(split=KFOLD), tmp_path, fold=3)
    plain = take(job("dummy", split=KFOLD), tmp_path)
    assert plain.proba.shape == (len(plain.test_ids), 3)
    with pytest.raises(ParameterError, match="dummy: expected a network"):
        _ = plain.network
