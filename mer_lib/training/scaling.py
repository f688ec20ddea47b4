"""Scaling of network inputs, fitted on training samples only."""

from __future__ import annotations

from typing import Literal

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from mer_lib.errors import ParameterError

Scaling = Literal["standard", "none"]


class ChannelScaler(TransformerMixin, BaseEstimator):
    """Shift and divide each channel by its mean and standard deviation over the training samples.

    Args:
        scaling: ``"standard"``, or ``"none"``, which leaves the 0-255 values as the authors of STSTNet
            and HTNet feed them.

    >>> x = np.arange(24.0).reshape(2, 3, 2, 2)          # (N, C, H, W)
    >>> scaled = ChannelScaler().fit_transform(x)
    >>> scaled.shape, bool(np.allclose(scaled.mean(axis=(0, 2, 3)), 0, atol=1e-6))
    ((2, 3, 2, 2), True)
    """

    def __init__(self, scaling: Scaling = "standard") -> None:
        self.scaling = scaling

    def fit(self, X: np.ndarray, y: object = None) -> ChannelScaler:
        """Learn one mean and one standard deviation a channel from `X` of shape (N, C, H, W)."""
        if self.scaling not in ("standard", "none"):
            raise ParameterError(f"scaling: expected 'standard' or 'none', got {self.scaling!r}")
        shape = (1, X.shape[1], 1, 1)
        if self.scaling == "none":
            self.mean_, self.scale_ = np.zeros(shape, np.float32), np.ones(shape, np.float32)
            return self
        # Sums in double precision: the result must not hang on the order of summation.
        self.mean_ = X.mean(axis=(0, 2, 3), keepdims=True, dtype=np.float64).astype(np.float32)
        deviation = X.std(axis=(0, 2, 3), keepdims=True, dtype=np.float64).astype(np.float32)
        self.scale_ = np.where(deviation > 0, deviation, np.float32(1))
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return the scaled copy of `X` as float32, same shape."""
        check_is_fitted(self, "mean_")
        if X.ndim != 4 or X.shape[1] != self.mean_.shape[1]:
            raise ParameterError(f"X: expected (N, {self.mean_.shape[1]}, H, W) as in fit, got {X.shape}")
        return ((X - self.mean_) / self.scale_).astype(np.float32)
