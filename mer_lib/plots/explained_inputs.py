"""What a network is fed, drawn such that an explanation can be laid over it."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from mer_lib.features import FlowMap, FourRegionMosaic, Recipe, RegionCrops
from mer_lib.features.sequence_recipes import AngleImage, MagnifiedSequence

_ARROWS = 14  # along the shorter side
_ARROW_COLOUR = "#111111"
ANGLE_COLOURS = "twilight_shifted"  # cyclic, as angles are


def one_view(recipe: Recipe, sample: np.ndarray) -> np.ndarray:
    """Return the view of a sample that stands for it: the first of extra ones, the middle one of equals."""
    if recipe.view_rule == "none":
        return sample
    return sample[len(sample) // 2] if recipe.view_rule == "mean" else sample[0]


def draw_input(ax: Axes, recipe: Recipe, sample: np.ndarray, frame: int | None = None) -> None:
    """Draw a sample (shape of the recipe) as a reader would look at it.

    Args:
        ax: drawn into.
        recipe: that made the sample.
        sample: one.
        frame: of a sequence, from 0; its last one where None.
    """
    view = _image(recipe, sample, frame)
    if isinstance(recipe, FlowMap | FourRegionMosaic | RegionCrops):
        _draw_flow(ax, view, recipe.order.index("u"), recipe.order.index("v"), recipe.order.index("s"))
    elif isinstance(recipe, AngleImage):
        _draw_angles(ax, view, recipe.coding)
    elif isinstance(recipe, MagnifiedSequence):
        _draw_grey(ax, _grey(recipe, view))
    elif len(view) == 3 and view.min() >= 0:
        ax.imshow(np.moveaxis(view, 0, -1).clip(0, 255).astype(np.uint8))
    else:
        _draw_grey(ax, view.mean(axis=0))
    _bare(ax)


def draw_faint(ax: Axes, recipe: Recipe, sample: np.ndarray, frame: int | None = None) -> None:
    """Draw a sample in light grey, as a ground for colours; arguments as for :func:`draw_input`."""
    grey = _grey(recipe, _image(recipe, sample, frame))
    low, high = float(grey.min()), float(grey.max())
    angles = isinstance(recipe, AngleImage)
    aspect: Any = "auto" if angles else "equal"
    faintness = 5.0 if angles else 0.9  # the larger, the fainter
    ax.imshow(grey, cmap="Greys_r", vmin=low - faintness * (high - low or 1.0), vmax=high, aspect=aspect)
    _bare(ax)


def _image(recipe: Recipe, sample: np.ndarray, frame: int | None) -> np.ndarray:
    """Return channels, rows and columns (C, H, W) of what is drawn."""
    view = one_view(recipe, sample)
    return view if view.ndim == 3 else view[-1 if frame is None else frame]


def _grey(recipe: Recipe, view: np.ndarray) -> np.ndarray:
    """Return one value a pixel (H, W) that lets places be recognised."""
    if isinstance(recipe, FlowMap | FourRegionMosaic | RegionCrops):
        return -view[recipe.order.index("s")]
    if isinstance(recipe, AngleImage):
        return -_moved(view, recipe.coding).astype(float)
    if isinstance(recipe, MagnifiedSequence):
        return view[recipe.channels.index("grey")] if "grey" in recipe.channels else -np.linalg.norm(view, axis=0)
    return view.mean(axis=0)


def _draw_flow(ax: Axes, view: np.ndarray, u: int, v: int, strain: int) -> None:
    """Draw arrows of the movement, relative to the median of the map, over its strain."""
    rows, columns = view.shape[-2:]
    every = max(min(rows, columns) // _ARROWS, 1)
    y, x = np.mgrid[every // 2 : rows : every, every // 2 : columns : every]
    across, down = (view[i] - np.median(view[i]) for i in (u, v))
    longest = float(np.hypot(across, down)[y, x].max()) or 1.0
    low, high = float(view[strain].min()), float(view[strain].max())
    ax.imshow(view[strain], cmap="Greys", vmin=low, vmax=low + 1.8 * (high - low or 1.0))
    ax.quiver(
        x, y, across[y, x], down[y, x], angles="xy", scale_units="xy", scale=longest / (1.9 * every),
        color=_ARROW_COLOUR, width=0.008, pivot="mid",
    )  # fmt: skip


def _draw_angles(ax: Axes, view: np.ndarray, coding: str) -> None:
    angles = np.arctan2(view[1], view[0]) % (2 * np.pi) if coding == "cos_sin" else view[0] / 255 * 2 * np.pi
    colours = mpl.colormaps[ANGLE_COLOURS](angles / (2 * np.pi))
    colours[~_moved(view, coding)] = 1.0
    ax.imshow(colours, aspect="auto", interpolation="nearest")


def _moved(view: np.ndarray, coding: str) -> np.ndarray:
    return (view != 0).any(axis=0) if coding == "cos_sin" else view[0] >= 0


def _draw_grey(ax: Axes, image: np.ndarray) -> None:
    ax.imshow(image, cmap="Greys_r")


def _bare(ax: Axes) -> None:
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set(visible=True, color="#888888", linewidth=0.8)
