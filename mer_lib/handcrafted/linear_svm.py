"""A linear support vector machine with scores, for handcrafted descriptors and for inputs as they are."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.svm import SVC
from sklearn.utils.validation import check_is_fitted


class LinearSVM(ClassifierMixin, BaseEstimator):
    """Linear support vector machine, one against one, whose margins are turned into scores that sum to one.

    The scores are the softmax of the decision function: they rank samples and agree with `predict`, but they
    are not calibrated. Platt scaling would need an inner split that mixes subjects.

    Args:
        C: inverse strength of the regularisation.
        class_weight: ``"balanced"`` weighs classes by their inverse frequency, None does not.
    """

    def __init__(self, C: float = 0.001, class_weight: str | None = "balanced") -> None:
        self.C = C
        self.class_weight = class_weight

    def fit(self, X: np.ndarray, y: np.ndarray) -> LinearSVM:
        """Fit on `X` (N, features) and integer labels `y` (N,)."""
        self.svm_ = SVC(kernel="linear", C=self.C, class_weight=self.class_weight).fit(X, y)
        self.classes_ = self.svm_.classes_
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return uncalibrated scores (N, classes) that sum to one a row."""
        check_is_fitted(self, "svm_")
        decision = self.svm_.decision_function(X)
        if decision.ndim == 1:
            decision = np.stack([-decision, decision], axis=1)
        return softmax(decision, axis=1)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the class with the largest score (N,)."""
        columns = self.predict_proba(X).argmax(axis=1)
        return self.classes_[columns]
