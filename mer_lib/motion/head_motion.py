"""How the head moves as a whole, seen in a flow: a fit to skin that no expression moves, and the flow without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mer_lib.errors import ParameterError
from mer_lib.motion.polar import chosen
from mer_lib.motion.strain import checked_flow

Model = Literal["similarity", "translation", "affine"]

_FEWEST = {"translation": 1, "similarity": 2, "affine": 3}
# Standard deviation, in px, of skin from the fit that is taken for usual, though it be less: a head is not flat, so its
# forehead and its nose never move by one similarity. A smaller value makes the fit choose one of them.
_MISFIT = 0.2
# The median length of a two-dimensional normal error of standard deviation 1.
_MEDIAN_LENGTH = 1.1774
# Residuals beyond so many standard deviations do not count (Tukey's biweight).
_TUKEY = 4.685
# Least median of squares: how many fits through a few places are tried, and judged by how many places.
_DRAWS = 300
_JUDGES = 500
_STEPS = 20
# The steps end when no parameter, in px at the rim of the places, changes by more.
_SETTLED = 1e-5
# Parameters are determined where no singular value of their equations is smaller than this share of the largest.
_SINGULAR = 1e-6


@dataclass(frozen=True, eq=False)
class HeadMotion:
    """A head's motion between two images, as a field of displacement: linear in x and y.

    Attributes:
        matrix: float64 (2, 3): the point (x, y) px moves by matrix @ (x, y, 1) px.
        centre: (x, y) px, the middle of the points of the fit.
        model: what was fitted.
        inliers: share of the points, 0..1, that the fit goes by; the others move otherwise.
        residual: px, root mean square distance of these from the fit.
    """

    matrix: np.ndarray
    centre: tuple[float, float]
    model: Model
    inliers: float
    residual: float

    @property
    def translation(self) -> tuple[float, float]:
        """Displacement of the centre, (right, down) px."""
        right, down = self.at(np.array([self.centre]))[0]
        return float(right), float(down)

    @property
    def rotation_deg(self) -> float:
        """Turn in degrees, clockwise in the image; of an affine motion, that of the nearest similarity."""
        a, b = self._turn_and_growth
        return float(np.degrees(np.arctan2(b, 1 + a)))

    @property
    def scale(self) -> float:
        """Growth as a factor, 1 for none; of an affine motion, that of the nearest similarity."""
        a, b = self._turn_and_growth
        return float(np.hypot(1 + a, b))

    @property
    def _turn_and_growth(self) -> tuple[float, float]:
        (u_x, u_y), (v_x, v_y) = self.matrix[:, :2]
        return (u_x + v_y) / 2, (v_x - u_y) / 2

    def at(self, points: np.ndarray) -> np.ndarray:
        """Return the displacement (N, 2) px of points (N, 2) px."""
        return np.asarray(points, dtype=np.float64) @ self.matrix[:, :2].T + self.matrix[:, 2]

    def flow(self, shape: Sequence[int]) -> np.ndarray:
        """Return the displacement of every pixel: float32 (H, W, 2) px.

        Args:
            shape: (H, W, ...), what follows does not matter.
        """
        y, x = np.ogrid[: shape[0], : shape[1]]
        return np.stack([row[0] * x + row[1] * y + row[2] for row in self.matrix], axis=-1).astype(np.float32)


def fit_head_motion(
    flow: np.ndarray, where: np.ndarray, model: Model = "similarity", robust: bool = True
) -> HeadMotion:
    """Fit the motion of the head to a flow, at places that move with the head alone.

    The robust fit begins with least median of squares (Rousseeuw 1984), over draws that are the same every time, and
    goes on with Tukey's biweight: places that move otherwise, such as a brow that rises into the region, lose their
    say as long as they are well below a half. Those that differ by less than about 0.9 px keep a part of it.

    Args:
        flow: (H, W, 2) in pixels; where it is not looked at, it may be nan.
        where: bool (H, W), the pixels of stable skin, or floating (N, 2), points (x, y) px at which the flow is read
            between pixels. Points outside of the flow are left out.
        model: "translation", "similarity" (and a turn and a growth) or "affine" (and stretch and shear, which so
            little skin hardly determines: on drawn faces it leaves more of the head's motion than a similarity).
        robust: False for least squares over all of `where`.

    Raises:
        ParameterError: flow or `where` have another form, values looked at are not finite, the model is unknown, or
            the places are too few, or too close to one point or line, to determine it.
    """
    if model not in _FEWEST:
        raise ParameterError(f"model: expected one of {', '.join(sorted(_FEWEST))}, got {model!r}")
    points, moves = _observed(flow, where)
    if len(points) < _FEWEST[model]:
        raise ParameterError(
            f"where: a {model} needs {_FEWEST[model]} places or more inside of the flow, got {len(points)}"
        )
    centre = points.mean(axis=0)
    spread = max(float(np.abs(points - centre).max()), 1.0)
    equations = _equations((points - centre) / spread, model)
    _check_determined(equations, model)
    weights = np.ones(len(points))
    if robust:
        weights = _robust_weights(equations, moves, model)
    solution = _solve(equations, moves, weights)
    distance = _distances(equations, moves, solution)
    return HeadMotion(
        _matrix(solution, model, centre, spread),
        (float(centre[0]), float(centre[1])),
        model,
        float((weights > 0).mean()),
        float(np.sqrt(np.average(distance**2, weights=weights > 0))),
    )


def without_head_motion(
    flow: np.ndarray, where: np.ndarray, model: Model = "similarity", robust: bool = True
) -> np.ndarray:
    """Return a flow without the head's motion: what is left is expression, and noise.

    Args:
        flow: as for :func:`fit_head_motion`; where it is nan, it stays so.
        where: as for :func:`fit_head_motion`.
        model: as for :func:`fit_head_motion`.
        robust: as for :func:`fit_head_motion`.

    Returns:
        (H, W, 2) px, of the type of `flow`.

    Raises:
        ParameterError: as for :func:`fit_head_motion`.
    """
    head = fit_head_motion(flow, where, model, robust)
    return (flow - head.flow(flow.shape)).astype(flow.dtype)


def _observed(flow: np.ndarray, where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return places (N, 2) px and the movement (N, 2) px seen there."""
    where = np.asarray(where)
    if where.dtype == bool:
        moves = chosen(flow, where)
        return np.argwhere(where)[:, ::-1].astype(np.float64), moves
    if where.ndim != 2 or where.shape[1] != 2 or where.dtype.kind not in "fiu" or not np.isfinite(where).all():
        raise ParameterError(f"where: expected bool (H, W) or finite points (N, 2), got {where.dtype} {where.shape}")
    array = np.asarray(flow)
    if array.ndim != 3:
        checked_flow(array)
    height, width = array.shape[:2]
    inside = where[((where >= 0) & (where <= (width - 1, height - 1))).all(axis=1)].astype(np.float64)
    return inside, _read_between(array, inside)


def _read_between(flow: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the vectors of a flow at points (N, 2) px inside it, bilinear between pixels: float64 (N, 2).

    Raises:
        ParameterError: the flow has another shape, or values next to a point that are not finite.
    """
    low = np.floor(points).astype(int)
    part = points - low
    high = np.minimum(low + 1, (flow.shape[1] - 1, flow.shape[0] - 1))
    corners = [(low, low), (high, low), (low, high), (high, high)]
    read = np.stack([flow[y[:, 1], x[:, 0]] for x, y in corners], axis=1)
    read = checked_flow(read, smallest=0).astype(np.float64)
    (right, down), (left, up) = part.T, 1 - part.T
    shares = np.stack([left * up, right * up, left * down, right * down], axis=1)
    return (read * shares[..., None]).sum(axis=1)


def _equations(points: np.ndarray, model: Model) -> np.ndarray:
    """Return (N, 2, P): the displacement (2,) of each point is linear in P parameters."""
    x, y = points.T
    one, zero = np.ones_like(x), np.zeros_like(x)
    columns = [(one, zero), (zero, one)]
    if model == "similarity":
        columns += [(x, y), (-y, x)]
    if model == "affine":
        columns += [(x, zero), (y, zero), (zero, x), (zero, y)]
    return np.stack([np.stack(column, axis=-1) for column in columns], axis=-1)


def _check_determined(equations: np.ndarray, model: Model) -> None:
    rows = equations.reshape(-1, equations.shape[-1])
    singular = np.linalg.svd(rows.T @ rows, compute_uv=False)
    if singular[-1] < _SINGULAR**2 * singular[0]:
        raise ParameterError(f"where: the places lie too close to one point or line to determine a {model}")


def _solve(equations: np.ndarray, moves: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the parameters (P,) with the least weighted squares."""
    rows = equations.reshape(-1, equations.shape[-1])
    weighted = rows * np.repeat(weights, 2)[:, None]
    return np.linalg.lstsq(weighted.T @ rows, weighted.T @ moves.ravel(), rcond=None)[0]


def _distances(equations: np.ndarray, moves: np.ndarray, solution: np.ndarray) -> np.ndarray:
    return np.linalg.norm(moves - equations @ solution, axis=1)


def _robust_weights(equations: np.ndarray, moves: np.ndarray, model: Model) -> np.ndarray:
    """Return weights (N,) of the places: 0 for those that move otherwise."""
    solution = _least_median(equations, moves, model)
    for _ in range(_STEPS):
        before, weights = solution, _biweight(_distances(equations, moves, solution), model)
        solution = _solve(equations, moves, weights)
        if np.abs(solution - before).max() < _SETTLED:
            break
    return weights


def _least_median(equations: np.ndarray, moves: np.ndarray, model: Model) -> np.ndarray:
    """Return the parameters (P,), of those that a few places determine, which leave the least median distance."""
    rng = np.random.default_rng(0)
    draws = rng.integers(len(moves), size=(_DRAWS, _FEWEST[model]))
    rows = equations[draws].reshape(_DRAWS, -1, equations.shape[-1])
    solutions = (np.linalg.pinv(rows) @ moves[draws].reshape(_DRAWS, -1, 1))[..., 0]
    judges = rng.permutation(len(moves))[:_JUDGES]
    left = moves[judges] - np.einsum("ncp,dp->dnc", equations[judges], solutions)
    return solutions[_middle(np.linalg.norm(left, axis=-1), model).argmin()]


def _biweight(distances: np.ndarray, model: Model) -> np.ndarray:
    deviation = max(float(_middle(distances, model)) / _MEDIAN_LENGTH, _MISFIT)
    return np.maximum(1 - (distances / (_TUKEY * deviation)) ** 2, 0) ** 2


def _middle(distances: np.ndarray, model: Model) -> np.ndarray:
    """Return the median along the last axis; of few, a greater one, as some are small because they were fitted."""
    rank = (distances.shape[-1] + _FEWEST[model] + 1) // 2
    return np.partition(distances, rank - 1, axis=-1)[..., rank - 1]


def _matrix(solution: np.ndarray, model: Model, centre: np.ndarray, spread: float) -> np.ndarray:
    """Return the matrix (2, 3) of parameters that were found around `centre`, in units of `spread`."""
    linear = np.zeros((2, 2))
    if model == "similarity":
        a, b = solution[2:] / spread
        linear = np.array([[a, -b], [b, a]])
    if model == "affine":
        linear = solution[2:].reshape(2, 2) / spread
    return np.column_stack([linear, solution[:2] - linear @ centre])
