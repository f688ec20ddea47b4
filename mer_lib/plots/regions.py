"""Figures of the schemes of regions on a face: which parts each method looks at, and which muscles lie there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from mer_lib.faces.points import five_points
from mer_lib.faces.regions import SCHEMES, Region, four_windows, muscle_pairs, regions, stable_regions
from mer_lib.manifest import Kind
from mer_lib.plots.face_panels import bare, show_frame
from mer_lib.plots.style import caption, panels, styled

#: What a scheme is called in titles.
SCHEME_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "four_windows": "4 windows (HTNet)",
        "ten_cells": "10 cells (CapsuleNet)",
        "muscle_regions": "42 muscle regions (Mishin)",
        "dnc_rois": "3 regions (D&C-RoIs)",
        "stable": "where the head is followed",
    }
)
_FILL = 0.38  # opacity
_ROOM = 0.12  # around the face, as a share of its greater extent


@styled
def schemes_on_face(frame: np.ndarray, points: np.ndarray, text: str, kind: Kind = "real") -> Figure:
    """Draw the regions of every scheme, and those that move with the head alone, on one face.

    Args:
        frame: (H, W) or (H, W, 3) uint8.
        points: (478, 2) landmarks of the frame in pixels.
        text: caption: where the frame comes from.
        kind: of the data.

    Raises:
        ParameterError: `points` are no finite landmarks of the mesh.
    """
    figure, axes = panels(1, len(SCHEMES) + 1, width=16, height=4.0)
    for ax, scheme in zip(axes[0], (*SCHEMES, "stable"), strict=True):
        found = stable_regions(points) if scheme == "stable" else regions(scheme, points)
        draw_regions(ax, frame, found)
        zoom_to(ax, points)
        ax.set_title(SCHEME_LABELS[scheme], fontsize=13)
    return caption(figure, text, kind=kind, watermark=False)


@styled
def muscles_on_face(frame: np.ndarray, points: np.ndarray, text: str, kind: Kind = "real") -> Figure:
    """Draw the 42 muscle regions on a face, numbered by pairs, beside their names and muscles.

    Arguments and errors as for :func:`schemes_on_face`.
    """
    figure, axes = panels(1, 2, width=16, height=8.4, width_ratios=(1, 1.15))
    found = regions("muscle_regions", points)
    draw_regions(axes[0, 0], frame, found)
    zoom_to(axes[0, 0], points)
    _number(axes[0, 0], found)
    _list_muscles(axes[0, 1])
    return caption(figure, text, kind=kind, watermark=False)


@styled
def windows_and_swapped(frame: np.ndarray, points: np.ndarray, text: str, kind: Kind = "real") -> Figure:
    """Draw the four windows of HTNet where the paper puts them, and where the code of its authors does.

    Args:
        frame: (side, side, 3) uint8, the face in the square of the published maps.
        points: (478, 2) landmarks in pixels of it.
        text: caption: where the frame comes from.
        kind: of the data.

    Raises:
        ParameterError: `points` are no finite landmarks of the mesh.
    """
    figure, axes = panels(1, 2, width=12, height=6.4)
    titles = {False: "as the paper says", True: "as its code cuts (legacy_swap)"}
    for ax, swapped in zip(axes[0], titles, strict=True):
        found = four_windows(points, legacy_swap=swapped, within=(frame.shape[0], frame.shape[1]))
        draw_regions(ax, frame, found)
        ax.plot(*five_points(points).T, "+", color="black", markersize=12, markeredgewidth=2)
        for number, region in enumerate(found, start=1):
            _write(ax, *region.centre, f"{number}: {region.name}", 13)
        ax.set_title(titles[swapped])
    return caption(figure, f"{text} · numbers: order in the mosaic", kind=kind, watermark=False)


def draw_regions(ax: Axes, frame: np.ndarray, found: Sequence[Region]) -> None:
    """Show a frame and regions over it; the two of a pair share a colour.

    Args:
        ax: where to draw.
        frame: (H, W) or (H, W, 3) uint8.
        found: regions in pixels of the frame.
    """
    show_frame(ax, frame)
    colours = pair_colours(found)
    ax.add_collection(
        PolyCollection([region.polygon for region in found], facecolors=colours, alpha=_FILL, linewidths=0)
    )
    ax.add_collection(
        PolyCollection([region.polygon for region in found], facecolors="none", edgecolors="white", linewidths=0.9)
    )


def pair_colours(found: Sequence[Region]) -> list[tuple[float, float, float, float]]:
    """Return a colour for each region: the same for its mirror image, another for the next."""
    names = [min(region.name, region.mirror) for region in found]
    order = {name: position for position, name in enumerate(dict.fromkeys(names))}
    # Steps of the golden section keep colours of neighbouring numbers apart, however many there are.
    return [mpl.colormaps["hsv"]((0.08 + 0.618034 * order[name]) % 1) for name in names]


def zoom_to(ax: Axes, points: np.ndarray) -> None:
    """Show the square around a face alone."""
    low, high = points.min(axis=0), points.max(axis=0)
    half = (0.5 + _ROOM) * float((high - low).max())
    x, y = (low + high) / 2
    ax.set(xlim=(x - half, x + half), ylim=(y + half, y - half))
    bare(ax)


def _number(ax: Axes, found: Sequence[Region]) -> None:
    for position, region in enumerate(found):
        x, y = _middle(region.polygon)
        _write(ax, x, y, str(1 + position // 2), 11)


def _write(ax: Axes, x: float, y: float, text: str, size: float) -> None:
    """Write white letters with a black rim, which are read on any skin."""
    ax.text(
        x, y, text, ha="center", va="center", fontsize=size, weight="bold", color="white",
        path_effects=[withStroke(linewidth=2.5, foreground="black")],
    )  # fmt: skip


def _middle(polygon: np.ndarray) -> np.ndarray:
    """Return the centre of gravity (2,) of a polygon's area; the mean of its corners where it has none."""
    following = np.roll(polygon, -1, axis=0)
    cross = polygon[:, 0] * following[:, 1] - following[:, 0] * polygon[:, 1]
    if cross.sum() == 0:
        return polygon.mean(axis=0)
    return ((polygon + following) * cross[:, None]).sum(axis=0) / (3 * cross.sum())


def _list_muscles(ax: Axes) -> None:
    bare(ax)
    pairs = muscle_pairs()
    ax.set(xlim=(0, 1), ylim=(len(pairs), -1))
    ax.set_title("names and muscles, from top to bottom", loc="left")
    for number, pair in enumerate(pairs):
        ax.text(0.02, number, f"{number + 1}", ha="right", va="center", fontsize=12, weight="bold")
        ax.text(0.05, number - 0.18, pair.name, va="center", fontsize=12)
        ax.text(0.05, number + 0.27, pair.muscle, va="center", fontsize=9.5, color="#555555")
