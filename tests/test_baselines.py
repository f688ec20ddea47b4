"""The plain methods, with scikit-learn as the judge."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from mer_lib.handcrafted.linear_svm import LinearSVM
from mer_lib.training.baselines import dummy, linear_svm

PIPELINES = pytest.mark.parametrize("make", [dummy, linear_svm])


def data(n: int = 40, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.integers(0, classes, n)
    X = rng.normal(0, 1, (n, 3, 4, 4)) + y[:, None, None, None] * rng.normal(0, 0.4, (3, 4, 4))
    return X.astype("float32"), y


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("C", [0.001, 1.0])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_linear_svm_predicts_what_scikit_learns_svc_does(classes: int, C: float, class_weight: str | None) -> None:
    X, y = data(classes=classes)
    X = X.reshape(len(X), -1)
    model = LinearSVM(C=C, class_weight=class_weight).fit(X, y)
    judge = SVC(kernel="linear", C=C, class_weight=class_weight).fit(X, y)
    proba = model.predict_proba(X)
    assert proba.shape == (40, classes)
    np.testing.assert_allclose(proba.sum(1), 1)
    np.testing.assert_array_equal(model.predict(X), judge.predict(X))
    np.testing.assert_array_equal(model.classes_, judge.classes_)
    np.testing.assert_array_equal(model.classes_[proba.argmax(1)], judge.predict(X))


def test_linear_svm_scores_rank_as_the_decision_function_does() -> None:
    X, y = data()
    X = X.reshape(len(X), -1)
    decision = SVC(kernel="linear", C=0.01, class_weight="balanced").fit(X, y).decision_function(X)
    proba = LinearSVM(C=0.01).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(proba.argsort(axis=1), decision.argsort(axis=1))


def test_linear_svm_is_no_estimator_before_it_is_fitted() -> None:
    with pytest.raises(NotFittedError):
        LinearSVM().predict(np.zeros((2, 3)))


def test_dummy_predicts_the_class_shares_of_training_whatever_the_input() -> None:
    X, _ = data()
    y = np.array([0] * 20 + [1] * 12 + [2] * 8)
    proba = dummy().fit(X, y).predict_proba(X * 100)
    np.testing.assert_allclose(proba, np.tile([0.5, 0.3, 0.2], (40, 1)))


def test_dummy_takes_another_strategy() -> None:
    X, y = data()
    assert set(dummy(strategy="constant", constant=2).fit(X, y).predict(X)) == {2}


def test_linear_svm_pipeline_is_a_scaler_and_an_svm() -> None:
    X, y = data()
    flat = X.reshape(len(X), -1)
    judge = make_pipeline(StandardScaler(), SVC(kernel="linear", C=0.1, class_weight="balanced")).fit(flat, y)
    np.testing.assert_array_equal(linear_svm(C=0.1).fit(X, y).predict(X), judge.predict(flat))


def test_the_pipeline_scales_by_training_samples_alone() -> None:
    X, y = data()
    model = linear_svm().fit(X, y)
    before = model.predict_proba(X)
    model.predict_proba(np.full((5, 3, 4, 4), 1e9, "float32"))
    flat = X.reshape(len(X), -1)
    np.testing.assert_allclose(model["standardscaler"].mean_, flat.mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model["standardscaler"].scale_, flat.std(0), rtol=1e-4)
    np.testing.assert_array_equal(model.predict_proba(X), before)


@PIPELINES
def test_pipelines_can_be_cloned_and_fit_alike(make) -> None:
    X, y = data()
    model = make()
    copy = clone(model)
    np.testing.assert_array_equal(model.fit(X, y).predict_proba(X), copy.fit(X, y).predict_proba(X))


@PIPELINES
def test_an_unknown_parameter_is_an_error(make) -> None:
    with pytest.raises(TypeError, match="gamma"):
        make(gamma=1).fit(*data())
