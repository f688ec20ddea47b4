"""What a network is fed of a clip: the channels of regions, cut out and laid in a grid."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from mer_lib.errors import ParameterError
from mer_lib.faces.regions import Region
from mer_lib.features import RegionCrops
from mer_lib.features.clip_view import ClipView
from mer_lib.plots.face_panels import bare
from mer_lib.plots.flow_fields import sign
from mer_lib.plots.style import FLOW_COLOURS, STRAIN_COLOURS, panels, styled

MOST_NAMES = 10  # regions: of more, the names would not fit, and numbers stand in their place
_HALO = [withStroke(linewidth=2.5, foreground="white")]
_PANEL, _ABOVE, _BELOW = 4.9, 0.95, 1.1  # inches: width of a panel, room above and below the panels
_CHANNELS = ("u: to the right", "v: downwards", "strain")


@styled
def network_input(
    view: ClipView, image: np.ndarray, measured: np.ndarray, recipe: RegionCrops, found: Sequence[Region]
) -> Figure:
    """Draw what a recipe feeds a network: u, v and strain of its regions, laid in a grid.

    u and v are white where the skin rests. Which value that is differs from clip to clip, since each channel is
    stretched by its own least and greatest value.

    Args:
        view: the clip.
        image: float (3, rows, columns), as :func:`mer_lib.features.compute` returns for one clip.
        measured: the same by the same recipe with ``scaling="pixels"``; in it, what rests has the value 0.
        recipe: what made it.
        found: the regions, in the order in which they are cut out.

    Raises:
        ParameterError: the two arrays or the number of regions are not those of the recipe.
    """
    if not image.shape == measured.shape == recipe.shape:
        raise ParameterError(f"network input: expected {recipe.shape} twice, got {image.shape} and {measured.shape}")
    if len(found) != recipe.grid[0] * recipe.grid[1]:
        raise ParameterError(f"found: expected {recipe.grid[0] * recipe.grid[1]} regions, got {len(found)}")
    rows, columns = image.shape[1:]
    figure, axes = _three_panels(rows / columns)
    for ax, channel, name in zip(axes, range(3) if recipe.order == "uvs" else (2, 1, 0), _CHANNELS, strict=True):
        values = image[channel]
        colours = STRAIN_COLOURS if name == "strain" else FLOW_COLOURS
        norm = _range(values) if name == "strain" else _range_around_rest(values, measured[channel])
        ax.imshow(values, cmap=colours, norm=norm, interpolation="nearest")
        _name_cells(ax, recipe, found)
        bare(ax)
        ax.set_title(name)
        _bar_below(figure, ax, ScalarMappable(norm, colours), values)
    figure.suptitle("What a network is fed: the value of each pixel" + _unit(recipe))
    return sign(figure, view, f"{columns}×{rows} px, onset to apex")


def _three_panels(shape: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with three panels of `shape` (height by width) in fixed places: no layout has to be computed."""
    side = _PANEL * min(shape, 1)
    height = side + _ABOVE + _BELOW
    figure, axes = panels(1, 3, width=3 * _PANEL + 0.7, height=height, layout="none")
    for at, ax in enumerate(axes[0]):
        left = 0.1 + at * (_PANEL + 0.25)
        ax.set_position((left / (3 * _PANEL + 0.7), _BELOW / height, _PANEL / (3 * _PANEL + 0.7), side / height))
    return figure, list(axes[0])


def _bar_below(figure: Figure, ax: Axes, scale: ScalarMappable, values: np.ndarray) -> None:
    """Draw a colour bar of the values that there are, 0.25 inches high, below a panel."""
    inch = 1 / (ax.get_position().height * figure.get_figheight())
    bar = figure.colorbar(scale, cax=ax.inset_axes((0.1, -0.4 * inch, 0.8, 0.25 * inch)), orientation="horizontal")
    if np.ptp(values) > 0:
        bar.ax.set_xlim(float(values.min()), float(values.max()))
    bar.ax.tick_params(labelsize=12)


def _unit(recipe: RegionCrops) -> str:
    measured = recipe.motion.scaling == "pixels"
    return f"{' in px (strain: px per px)' if measured else ', 0 to 255'}; in u and v, white is skin at rest"


def _range(values: np.ndarray) -> Normalize:
    low = float(values.min())
    return Normalize(low, max(float(values.max()), low + 1e-6))


def _range_around_rest(values: np.ndarray, measured: np.ndarray) -> Normalize:
    """Return a range whose middle is the value that no movement has."""
    rest = float(values.flat[np.abs(measured).argmin()])
    reach = max(float(np.abs(values - rest).max()), 1e-6)
    return Normalize(rest - reach, rest + reach)


def _name_cells(ax: Axes, recipe: RegionCrops, found: Sequence[Region]) -> None:
    """Draw the borders of the cells, and which region each is."""
    rows, columns = recipe.grid
    for row in range(1, rows):
        ax.axhline(row * recipe.cell - 0.5, color="black", linewidth=0.8)
    for column in range(1, columns):
        ax.axvline(column * recipe.cell - 0.5, color="black", linewidth=0.8)
    for at, area in enumerate(found):
        text = label(at, area, len(found))
        top, left = (0.04 + at // columns) * recipe.cell - 0.5, (0.04 + at % columns) * recipe.cell - 0.5
        ax.text(left, top, text, fontsize=9 if columns > 2 else 12, va="top", path_effects=_HALO)


def label(at: int, area: Region, count: int) -> str:
    """Return a name that fits into a cell: that of the region, or, of many, the number of its pair and its side.

    >>> label(34, Region("left mouth corner", np.zeros((3, 2)), "left"), 42)
    '18 l'
    """
    if count > MOST_NAMES:
        return f"{1 + at // 2} {area.side[0]}"
    return textwrap.fill(area.name, 12, break_long_words=False)
