"""Optical strain: how much a flow deforms the skin."""

from __future__ import annotations

import numpy as np

from mer_lib.errors import ParameterError


def strain(flow: np.ndarray) -> np.ndarray:
    """Magnitude of the optical strain, sqrt(u_x^2 + v_y^2 + (u_y + v_x)^2 / 2).

    It is the Frobenius norm of the symmetric part of the flow's gradient. The sum under the square keeps it zero where
    a face turns without deforming. Derivatives are central differences, one-sided at the border.

    >>> y, x = np.mgrid[0:4, 0:4].astype(float)
    >>> turn, shear = np.stack([-y, x], axis=-1), np.stack([y, 0 * x], axis=-1)
    >>> float(strain(turn).max()), float(strain(shear).max())
    (0.0, 0.7071067811865476)

    Args:
        flow: (H, W, 2), u to the right and v downwards, in pixels; at least 2x2.

    Returns:
        (H, W), non-negative, of the type of `flow`.

    Raises:
        ParameterError: the flow has another shape, or values that are not finite.

    Source: HTNet, section (c) 5 (Wang et al. 2024), with the cross product that their print leaves out.
    """
    checked_flow(flow, smallest=2)
    u, v = flow[..., 0], flow[..., 1]
    u_y, u_x = np.gradient(u)
    v_y, v_x = np.gradient(v)
    shear = u_y + v_x
    return np.sqrt(u_x * u_x + v_y * v_y + shear * shear / 2)


def checked_flow(flow: np.ndarray, smallest: int = 1) -> np.ndarray:
    """Return `flow` where it is one: (H, W, 2), floating, all of it finite.

    Raises:
        ParameterError: it is not, or has fewer than `smallest` rows or columns.
    """
    array = np.asarray(flow)
    if array.ndim != 3 or array.shape[2] != 2 or min(array.shape[:2]) < smallest or array.dtype.kind != "f":
        raise ParameterError(
            f"flow: expected floating (H, W, 2) of at least {smallest}x{smallest}, got {array.dtype} {array.shape}"
        )
    unknown = int((~np.isfinite(array)).any(axis=-1).sum())
    if unknown:
        raise ParameterError(
            f"flow: expected finite numbers, got {unknown} of {array[..., 0].size} pixels with nan or infinite values; "
            "leave them out by a mask, or say what they are"
        )
    return array
