"""The plain methods that stand beside every network: guessing, and a linear support vector machine."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from mer_lib.handcrafted.linear_svm import LinearSVM


def _flatten(X: np.ndarray) -> np.ndarray:
    return X.reshape(len(X), -1)


def dummy(**params: Any) -> Pipeline:
    """Predict the class frequencies of the training samples, whatever the input: the floor of every table."""
    return make_pipeline(FunctionTransformer(_flatten), DummyClassifier(**{"strategy": "prior", **params}))


def linear_svm(**params: Any) -> Pipeline:
    """Standardise each pixel on the training samples, then fit :class:`LinearSVM`."""
    return make_pipeline(FunctionTransformer(_flatten), StandardScaler(), LinearSVM(**params))
