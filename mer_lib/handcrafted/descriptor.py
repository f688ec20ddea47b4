"""What all descriptors have in common: no state, parameters that are checked, one row of numbers a sample."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from mer_lib.errors import ParameterError, fault_list


class Descriptor(TransformerMixin, BaseEstimator, ABC):
    """A transformer that describes each sample by itself: nothing is learned from any other.

    Attributes:
        expects: what `X` must be, said in messages.
    """

    expects: str

    def fit(self, X: np.ndarray, y: object = None) -> Descriptor:
        """Check the parameters; nothing is learned.

        Raises:
            ParameterError: as for :meth:`check`.
        """
        return self.check()

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return one row of numbers a sample: float32 (N, features).

        Raises:
            ParameterError: parameters are out of range, or `X` is not what the descriptor looks at.
        """
        self.check()
        if not self.accepts(X):
            raise ParameterError(f"{type(self).__name__}: expected {self.expects}, got {X.dtype} {X.shape}")
        return np.stack([self.describe(sample) for sample in X]).astype(np.float32)

    def check(self) -> Descriptor:
        """Return the descriptor where its parameters are in range.

        Raises:
            ParameterError: they are not; all of them at once.
        """
        faults = list(self.faults())
        if faults:
            raise ParameterError(f"parameters of {type(self).__name__}:\n{fault_list(faults)}")
        return self

    @abstractmethod
    def faults(self) -> Iterator[str]:
        """Yield what is wrong with the parameters."""

    @abstractmethod
    def accepts(self, X: np.ndarray) -> bool:
        """Say whether `X`, samples first, is what the descriptor looks at."""

    @abstractmethod
    def describe(self, sample: np.ndarray) -> np.ndarray:
        """Return the numbers (features,) of one sample."""

    def __sklearn_is_fitted__(self) -> bool:
        return True


def one_of(name: str, value: object, allowed: tuple[object, ...]) -> Iterator[str]:
    """Yield a fault where `value` is none of `allowed`."""
    if value not in allowed:
        yield f"{name}: expected {' or '.join(map(repr, allowed))}, got {value!r}"


def at_least(name: str, value: object, smallest: int) -> Iterator[str]:
    """Yield a fault where `value` is no whole number from `smallest` on."""
    if isinstance(value, bool) or not isinstance(value, int) or value < smallest:
        yield f"{name}: expected a whole number of at least {smallest}, got {value!r}"
