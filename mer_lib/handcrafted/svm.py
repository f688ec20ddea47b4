"""The classifier behind every descriptor: one scale for all numbers, and a linear support vector machine."""

from __future__ import annotations

from numbers import Real
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils.validation import check_is_fitted

from mer_lib.errors import ParameterError
from mer_lib.handcrafted.descriptor import Descriptor, one_of
from mer_lib.handcrafted.linear_svm import LinearSVM

# Both were chosen among 1, 10 and 100 on synthetic clips, so scores on those are a little too good. Most of a texture
# is the face itself, and differs little within a person: what moves is seen with a large C alone.
C_OF_MOTION, C_OF_TEXTURE = 10.0, 100.0


class OneScale(TransformerMixin, BaseEstimator):
    """Shift each number to mean 0 and divide all of them by one length: that of a sample, in the mean square.

    What a descriptor weighs heavily so stays heavy, which a scale for each number would undo, and `C` of a support
    vector machine means the same for descriptors of any length.

    >>> scaled = OneScale().fit_transform(np.array([[1.0, 10.0], [3.0, 30.0]]))
    >>> bool(np.isclose((scaled**2).sum(axis=1).mean(), 1)), bool(np.isclose(scaled[0, 1] / scaled[0, 0], 10))
    (True, True)
    """

    def fit(self, X: np.ndarray, y: object = None) -> OneScale:
        """Learn means and scale from `X` (N, features)."""
        X = np.asarray(X, dtype=np.float64)
        self.mean_ = X.mean(axis=0)
        self.scale_ = float(np.sqrt(((X - self.mean_) ** 2).sum(axis=1).mean())) or 1.0
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return the scaled copy of `X`, float64 of the same shape."""
        check_is_fitted(self, "mean_")
        return (X - self.mean_) / self.scale_


def with_svm(
    descriptor: type[Descriptor],
    C: float = C_OF_MOTION,
    class_weight: Literal["balanced"] | None = "balanced",
    **params: Any,
) -> Pipeline:
    """Return descriptor, scale and support vector machine as one method.

    Args:
        descriptor: its class.
        C: see :class:`LinearSVM`.
        class_weight: see :class:`LinearSVM`.
        params: of the descriptor.

    Raises:
        ParameterError: a parameter is out of range.
        TypeError: a parameter is unknown.
    """
    faults = list(one_of("class_weight", class_weight, ("balanced", None)))
    if isinstance(C, bool) or not isinstance(C, Real) or not 0 < C < np.inf:
        faults.append(f"C: expected a number above 0, got {C!r}")
    if faults:
        raise ParameterError("; ".join(faults))
    return make_pipeline(descriptor(**params).check(), OneScale(), LinearSVM(C, class_weight))
