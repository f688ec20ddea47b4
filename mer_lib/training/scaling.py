"""Scaling of inputs, learned from the training samples alone."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from mer_lib.errors import ParameterError

Scaling = Literal["standard", "none", "unit", "imagenet"]
#: Of the red, green and blue of ImageNet's pictures, 0 to 255.
IMAGENET_MEAN = 255 * np.array([0.485, 0.456, 0.406])
IMAGENET_DEVIATION = 255 * np.array([0.229, 0.224, 0.225])


class ChannelScaler(TransformerMixin, BaseEstimator):
    """Shift and divide each channel by its mean and standard deviation over the training samples.

    Args:
        scaling: ``"standard"``; ``"none"``, which leaves the 0-255 values as the authors of STSTNet and HTNet feed
            them; ``"unit"``, which divides by 255; or ``"imagenet"``: the mean and deviation of ImageNet's red, green
            and blue, which its weights expect.

    >>> x = np.arange(24.0).reshape(2, 3, 2, 2)          # (N, C, H, W)
    >>> scaled = ChannelScaler().fit_transform(x)
    >>> scaled.shape, bool(np.allclose(scaled.mean(axis=(0, 2, 3)), 0, atol=1e-6))
    ((2, 3, 2, 2), True)
    """

    def __init__(self, scaling: Scaling = "standard") -> None:
        self.scaling = scaling

    def fit(self, X: np.ndarray, y: object = None) -> ChannelScaler:
        """Learn one mean and one standard deviation a channel from `X` of shape (N, C, H, W) or (N, T, C, H, W)."""
        if self.scaling not in get_args(Scaling):
            raise ParameterError(f"scaling: expected one of {', '.join(get_args(Scaling))}, got {self.scaling!r}")
        mean, deviation = self._known(X) if self.scaling != "standard" else _measured(X)
        shape = (*(1,) * (X.ndim - 3), -1, 1, 1)
        self.mean_ = mean.astype(np.float32).reshape(shape)
        deviation = deviation.astype(np.float32).reshape(shape)
        self.scale_ = np.where(deviation > 0, deviation, np.float32(1))
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return the scaled copy of `X` as float32, same shape."""
        check_is_fitted(self, "mean_")
        channels = self.mean_.shape[-3]
        if X.ndim != self.mean_.ndim or X.shape[-3] != channels:
            expected = f"(N, {channels}, H, W)" if self.mean_.ndim == 4 else f"(N, T, {channels}, H, W)"
            raise ParameterError(f"X: expected {expected} as in fit, got {X.shape}")
        return ((X - self.mean_) / self.scale_).astype(np.float32)

    def _known(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        channels = X.shape[-3]
        if self.scaling == "imagenet":
            if channels != 3:
                raise ParameterError(f"scaling 'imagenet': expected the channels red, green, blue, got {channels}")
            return IMAGENET_MEAN, IMAGENET_DEVIATION
        return np.zeros(channels), np.full(channels, 255.0 if self.scaling == "unit" else 1.0)


def _measured(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Sums in double precision: the result must not hang on the order of summation.
    axes = tuple(axis for axis in range(X.ndim) if axis != X.ndim - 3)
    return X.mean(axis=axes, dtype=np.float64), X.std(axis=axes, dtype=np.float64)
