"""Fields of displacement: where they are stored, how they are read between grid points, and how they are inverted.

A field says for each point of the neutral face by how many pixels it moves to the right and down. It is stored at every
second pixel and is bilinear in between: that is its definition, so that frames and truth mean the same field.
"""

from __future__ import annotations

import cv2
import numpy as np

#: Pixels of the frame from one grid point to the next.
SPACING = 2


def length(field: np.ndarray) -> np.ndarray:
    """Length of each vector of a field (..., 2)."""
    return np.hypot(field[..., 0], field[..., 1])


def grid_points(size: int) -> tuple[np.ndarray, np.ndarray]:
    """The x and y, in px, of the grid points that cover a frame of `size` px: two float32 arrays (N, N)."""
    axis = SPACING * np.arange(grid_size(size), dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    return x, y


def grid_size(size: int) -> int:
    """Grid points a side for a frame of `size` px."""
    return (size + SPACING - 1) // SPACING + 1


def at(field: np.ndarray, x: np.ndarray, y: np.ndarray, origin: tuple[int, int] = (0, 0)) -> np.ndarray:
    """Read a field at any points, exactly.

    Args:
        field: (N, M, C) values on the grid.
        x, y: points in px, of any one shape. Points outside the grid get the value at its edge.
        origin: (row, column) of the field's first entry on the frame's grid.

    Returns:
        The shape of `x` and C, float32.
    """
    column = np.clip(np.asarray(x, np.float32) / SPACING - origin[1], 0, field.shape[1] - 1)
    row = np.clip(np.asarray(y, np.float32) / SPACING - origin[0], 0, field.shape[0] - 1)
    left = np.minimum(column.astype(np.int32), field.shape[1] - 2)
    top = np.minimum(row.astype(np.int32), field.shape[0] - 2)
    u, v = (column - left)[..., None], (row - top)[..., None]
    upper = field[top, left] * (1 - u) + field[top, left + 1] * u
    lower = field[top + 1, left] * (1 - u) + field[top + 1, left + 1] * u
    return (upper * (1 - v) + lower * v).astype(np.float32)


def fast_at(field: np.ndarray, x: np.ndarray, y: np.ndarray, origin: tuple[int, int] = (0, 0)) -> np.ndarray:
    """As :func:`at`, by OpenCV: several times as fast, but points are rounded to 1/32 of the spacing."""
    return cv2.remap(
        field,
        np.asarray(x / SPACING - origin[1], np.float32),
        np.asarray(y / SPACING - origin[0], np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def invert(
    field: np.ndarray, x: np.ndarray, y: np.ndarray, origin: tuple[int, int] = (0, 0), tolerance: float = 0.03
) -> np.ndarray:
    """The displacement B that leads back: n = (x, y) + B is the point of the neutral face with n + field(n) = (x, y).

    Fixed-point iteration of B = -field((x, y) + B). It converges for fields that do not fold the face, faster the
    smoother they are.

    Args:
        field: (N, M, 2) px on the grid.
        x, y: points of the moved frame, float32 arrays of one shape.
        origin: (row, column) of the field's first entry on the frame's grid.
        tolerance: stop when no point moves by more, in px (or after 20 rounds). OpenCV's rounding alone moves a few
            points of a turned head by 0.01 px.

    Returns:
        The shape of `x` and 2, px.
    """
    back = -fast_at(field, x, y, origin)
    for _ in range(20):
        previous = back
        back = -fast_at(field, x + back[..., 0], y + back[..., 1], origin)
        if np.abs(back - previous).max(initial=0.0) <= tolerance:
            break
    return back


def refine(
    field: np.ndarray, x: np.ndarray, y: np.ndarray, back: np.ndarray, origin: tuple[int, int] = (0, 0)
) -> np.ndarray:
    """Remove OpenCV's rounding from the inverse `back` of `field`: exact rounds until none moves a point 0.003 px."""
    for _ in range(20):
        previous = back
        back = -at(field, x + back[..., 0], y + back[..., 1], origin)
        if np.abs(back - previous).max(initial=0.0) <= 0.003:
            break
    return back


def jacobian(field: np.ndarray, spacing: float = SPACING) -> np.ndarray:
    """How much each cell of the grid grows when the field moves it: 1 at rest, 0 where it folds.

    Args:
        field: (N, M, 2) px.
        spacing: px between neighbours.

    Returns:
        (N - 1, M - 1) determinant of the derivative of n + field(n), from the differences along two sides of a cell.
    """
    dx = np.diff(field, axis=1)[:-1] / spacing
    dy = np.diff(field, axis=0)[:, :-1] / spacing
    return (1 + dx[..., 0]) * (1 + dy[..., 1]) - dx[..., 1] * dy[..., 0]


def at_pixels(picture: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Read a picture (H, W) of the frame at grid points, beyond the frame its border."""
    columns = np.clip(np.rint(x).astype(int), 0, picture.shape[1] - 1)
    rows = np.clip(np.rint(y).astype(int), 0, picture.shape[0] - 1)
    return picture[rows, columns].astype(np.float32)
