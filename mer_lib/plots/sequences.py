"""Sequences as a network is fed them, frame by frame, and what mirroring does to the movement in one."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from mer_lib.errors import ParameterError
from mer_lib.features import MagnifiedSequence
from mer_lib.manifest import Kind
from mer_lib.plots.face_panels import bare
from mer_lib.plots.style import FLOW_COLOURS, caption, panels, styled
from mer_lib.training.augmentation import FlowAugmentation

NAMES = {"grey": "grey", "u": "u: to the right", "v": "v: downwards"}
_PANEL = 1.9  # inches
_LEAST_WIDTH = 11.0  # inches: the caption has to fit below
_ARROWS = 12  # along a side


@styled
def frames(array: np.ndarray, recipe: MagnifiedSequence, *, kind: Kind = "real", text: str = "") -> Figure:
    """Draw one sequence: a row for each channel, a column for each frame.

    u and v share one range about 0, so that colours can be compared from frame to frame.

    Args:
        array: float (frames, channels, rows, columns), as :func:`mer_lib.features.compute` gives it for one clip.
        recipe: what made it.
        kind: of the data.
        text: for the caption.

    Raises:
        ParameterError: the array is not what the recipe makes.
    """
    if array.shape != recipe.shape:
        raise ParameterError(f"sequence: expected {recipe.shape}, as its recipe makes, got {array.shape}")
    rows, columns = len(recipe.channels), recipe.frames
    figure, axes = panels(rows, columns, width=max(_PANEL * columns + 1.6, _LEAST_WIDTH), height=_PANEL * rows + 1.4)
    flow = _range(array, recipe.channels)
    for row, channel in zip(axes, range(rows), strict=True):
        name = recipe.channels[channel]
        for number, ax in enumerate(row):
            _show(ax, array[number, channel], name, flow)
        row[0].set_ylabel(NAMES[name])
    for number, ax in enumerate(axes[0]):
        ax.set_title(_moment(number, recipe), weight="normal")
    moving = [row for row, name in zip(axes, recipe.channels, strict=True) if name != "grey"]
    if moving:
        bar = ScalarMappable(flow, mpl.colormaps[FLOW_COLOURS])
        figure.colorbar(bar, ax=[ax for row in moving for ax in row], label="pixels", shrink=0.8)
    return caption(figure, text, kind=kind, watermark=False)


@styled
def mirrored(array: np.ndarray, recipe: MagnifiedSequence, *, kind: Kind = "real", text: str = "") -> Figure:
    """Draw the movement of the last frame as it is, mirrored like a picture, and mirrored with its vectors.

    Args:
        array: as in :func:`frames`; with grey, u and v.
        recipe: what made it.
        kind: of the data.
        text: for the caption.

    Raises:
        ParameterError: the array is not what the recipe makes, or it lacks one of the channels.
    """
    if array.shape != recipe.shape or set(recipe.channels) != set(NAMES):
        raise ParameterError(
            f"sequence: expected {recipe.shape} with grey, u and v, got {array.shape} with {', '.join(recipe.channels)}"
        )
    right = FlowAugmentation(channels=recipe.channels, mirror=1.0)(torch.from_numpy(array[None]), torch.Generator())
    pictures = {
        "as it is": array[-1],
        "mirrored as a picture": array[-1, :, :, ::-1],
        "mirrored as a movement": right[0, -1].numpy(),
    }
    figure, axes = panels(1, 3, width=13.5, height=5.4)
    for ax, (name, picture) in zip(axes[0], pictures.items(), strict=True):
        parts = dict(zip(recipe.channels, picture, strict=True))
        ax.imshow(parts["grey"], cmap="gray", vmin=0, vmax=255, alpha=0.55)
        _arrows(ax, parts["u"], parts["v"])
        bare(ax)
        ax.set_title(name)
    return caption(figure, text, kind=kind, watermark=False)


def _arrows(ax: Axes, u: np.ndarray, v: np.ndarray) -> None:
    """Draw arrows on a grid that is the same from left and right, the longest one cell long."""
    side = u.shape[0]
    step = side // _ARROWS
    first = (side - 1 - step * (_ARROWS - 1)) / 2
    places = first + step * np.arange(_ARROWS)
    near = [edge(places).astype(int) for edge in (np.floor, np.ceil)]
    around = [np.ix_(rows, columns) for rows in near for columns in near]
    right, down = (np.mean([part[at] for at in around], axis=0) for part in (u, v))
    longest = max(float(np.hypot(right, down).max()), 1e-6)
    ax.quiver(
        places, places, right, down, color="#B00020", angles="xy", scale_units="xy",
        scale=longest / (1.6 * step), width=0.006,
    )  # fmt: skip


def _range(array: np.ndarray, channels: Sequence[str]) -> Normalize:
    moving = [index for index, name in enumerate(channels) if name != "grey"]
    most = float(np.quantile(np.abs(array[:, moving]), 0.998)) if moving else 1.0
    return Normalize(-max(most, 1e-6), max(most, 1e-6))


def _show(ax: Axes, image: np.ndarray, name: str, flow: Normalize) -> None:
    if name == "grey":
        ax.imshow(image, cmap="gray", vmin=0, vmax=255)
    else:
        ax.imshow(image, cmap=FLOW_COLOURS, norm=flow)
    bare(ax)


def _moment(number: int, recipe: MagnifiedSequence) -> str:
    """Say what is known of a frame: the first is the onset, the last the apex or the offset."""
    if number == 0:
        return "onset"
    return recipe.until if number == recipe.frames - 1 else f"{number + 1}"
