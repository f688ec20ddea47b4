"""What a prediction rests on: cover a part of the input, and see how far the probability of a class falls.

Any method can be asked, for nothing but its `predict_proba` is used. What stands in the covered part matters: choose a
`fill` that means "nothing" in the units of the recipe, such as 0 for movement in pixels; the mean of the channel is
taken where none is given. A fall below 0 says that the covered part spoke against the class.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Literal

import numpy as np

from mer_lib.errors import ParameterError

Predict = Callable[[np.ndarray], np.ndarray]
Axis = Literal["rows", "columns", "frames"]
_AXES: dict[str, int] = {"rows": -2, "columns": -1, "frames": -4}


def occlusion(
    predict: Predict,
    X: np.ndarray,
    target: int | np.ndarray | None = None,
    *,
    size: int = 8,
    stride: int = 4,
    fill: float | None = None,
) -> np.ndarray:
    """Return how far the probability of a class falls when a square is laid over each place.

    >>> def left_half(X):                                       # says 1 where the left half is bright
    ...     share = X[..., :4].mean(axis=(1, 2, 3))
    ...     return np.stack([1 - share, share], axis=1)
    >>> occlusion(left_half, np.ones((1, 3, 8, 8)), 1, size=4, stride=4, fill=0)[0, 0].round(2)
    array([0.5, 0.5, 0.5, 0.5, 0. , 0. , 0. , 0. ], dtype=float32)

    Args:
        predict: maps inputs shaped like `X` to probabilities (n, C).
        X: samples (N, ..., H, W), as `predict` takes them; all channels, frames and views are covered at once.
        target: class that is explained, one for all or one each (N,); None takes the predicted ones.
        size: side of the square, in pixels.
        stride: how far it moves on, at most `size`; the last squares end at the border.
        fill: what stands in the square; None takes the mean of each channel over the sample.

    Returns:
        float32 (N, H, W): the mean over all squares that cover a pixel, -1 to 1.

    Raises:
        ParameterError: size or stride do not fit the input, or there is no such class.
    """
    rows, columns = X.shape[-2:]
    if not 1 <= stride <= size <= min(rows, columns):
        raise ParameterError(
            f"expected 1 <= stride <= size <= {min(rows, columns)}, the shorter side, got {stride} and {size}"
        )
    before, chosen = _before(predict, X, target)
    total, count = np.zeros((len(X), rows, columns)), np.zeros((rows, columns))
    for top, left in product(_starts(rows, size, stride), _starts(columns, size, stride)):
        place = np.s_[..., top : top + size, left : left + size]
        total[place] += (before - _without(predict, X, place, chosen, fill))[:, None, None]
        count[place] += 1
    return (total / count).astype(np.float32)


def strips(
    predict: Predict,
    X: np.ndarray,
    target: int | np.ndarray | None = None,
    *,
    axis: Axis = "rows",
    width: int = 1,
    fill: float | None = None,
) -> np.ndarray:
    """Return how far the probability of a class falls when each row, column or frame is covered.

    Args:
        predict, X, target, fill: as for :func:`occlusion`.
        axis: "rows", "columns", or "frames" of sequences (N, ..., T, C, H, W).
        width: how many are covered at once, those around each; must be odd.

    Returns:
        float32 (N, rows), (N, columns) or (N, frames), -1 to 1.

    Raises:
        ParameterError: the axis is unknown or missing, `width` is even, or there is no such class.
    """
    if axis not in _AXES or X.ndim < 1 - _AXES.get(axis, 0) or width < 1 or width % 2 == 0:
        raise ParameterError(
            f"expected an axis of {', '.join(_AXES)} that X of shape {X.shape} has, and an odd width, "
            f"got {axis!r} and {width}"
        )
    before, chosen = _before(predict, X, target)
    after = [slice(None)] * (-_AXES[axis] - 1)
    falls = []
    for middle in range(X.shape[_AXES[axis]]):
        place = (Ellipsis, slice(max(middle - width // 2, 0), middle + width // 2 + 1), *after)
        falls.append(before - _without(predict, X, place, chosen, fill))
    return np.stack(falls, axis=1).astype(np.float32)


def region_weights(
    predict: Predict, X: np.ndarray, target: int | np.ndarray | None = None, *, fill: float | None = None
) -> np.ndarray:
    """Return what each region of an angle image adds to the probability of a class: float32 (N, 42), -1 to 1.

    A row of an angle image is a region of the face, so this is :func:`strips` over rows; see there for arguments.
    `fill` should be what the recipe writes where nothing moved: :data:`mer_lib.features.sequence_recipes.NO_MOTION`
    for grey images, 0 for cosine and sine.
    """
    return strips(predict, X, target, axis="rows", fill=fill)


def _starts(length: int, size: int, stride: int) -> list[int]:
    return sorted({*range(0, length - size + 1, stride), length - size})


def _before(predict: Predict, X: np.ndarray, target: int | np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the probability of the explained class of each sample, and the classes (N,)."""
    proba = predict(X)
    chosen = proba.argmax(axis=1) if target is None else np.broadcast_to(np.asarray(target), (len(X),)).astype(int)
    if len(chosen) and not 0 <= chosen.min() <= chosen.max() < proba.shape[1]:
        raise ParameterError(f"target: expected class numbers 0 to {proba.shape[1] - 1}, got {target!r}")
    return proba[np.arange(len(X)), chosen], chosen


def _without(
    predict: Predict, X: np.ndarray, place: tuple[object, ...], chosen: np.ndarray, fill: float | None
) -> np.ndarray:
    """Return the probability of the classes `chosen` with a part of the input covered, (N,)."""
    covered = X.copy()
    covered[place] = X.mean(axis=(-2, -1), keepdims=True) if fill is None else fill  # type: ignore[index]
    return predict(covered)[np.arange(len(X)), chosen]
