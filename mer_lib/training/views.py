"""Several views of one sample: which of them are trained on, and how their predictions become one.

A recipe says by its `view_rule` what the first axis of a sample holds. Networks are fed one view at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from mer_lib.features.recipes import ViewRule


def to_train(X: np.ndarray, rule: ViewRule, extra: bool = False) -> tuple[np.ndarray, int]:
    """Lay the views that may be trained on one under the other.

    >>> to_train(np.zeros((4, 5, 3, 28, 28)), "extra")[0].shape
    (4, 3, 28, 28)

    Args:
        X: samples (N, ...), with views (N, V, ...) unless `rule` is "none".
        rule: what views are for.
        extra: whether views beside the first are trained on under the rule "extra".

    Returns:
        Array (N * views, ...), the views of one sample in a row, and the number of views.
    """
    if rule == "mean" or (rule == "extra" and extra):
        return X.reshape(-1, *X.shape[2:]), X.shape[1]
    return (X[:, 0] if rule == "extra" else X), 1


def to_predict(X: np.ndarray, rule: ViewRule) -> tuple[np.ndarray, int]:
    """Lay the views that are predicted one under the other; arguments and result as in :func:`to_train`."""
    return to_train(X, rule)


def mean_over_views(proba: Any, views: int) -> Any:
    """Return probabilities (N, C), array or tensor, of those of the views (N * views, C)."""
    return proba if views == 1 else proba.reshape(len(proba) // views, views, proba.shape[1]).mean(1)


class OverViews(ClassifierMixin, BaseEstimator):
    """A plain method on samples with views: fitted on those that are trained on, its prediction their mean.

    Args:
        estimator: a classifier of one view.
        rule: "extra" or "mean".
    """

    def __init__(self, estimator: Any, rule: ViewRule) -> None:
        self.estimator = estimator
        self.rule = rule

    def fit(self, X: np.ndarray, y: np.ndarray) -> OverViews:
        """Fit on `X` (N, V, ...) and labels `y` (N,)."""
        flat, views = to_train(X, self.rule)
        self.estimator_ = clone(self.estimator).fit(flat, np.repeat(y, views))
        self.classes_ = self.estimator_.classes_
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return probabilities (N, classes)."""
        flat, views = to_predict(X, self.rule)
        return mean_over_views(self.estimator_.predict_proba(flat), views)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable label of each sample (N,)."""
        columns = self.predict_proba(X).argmax(axis=1)
        return self.classes_[columns]
