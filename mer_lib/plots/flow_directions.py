"""Figures of the directions of a flow, and of two ways to take their mean over a region."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from mer_lib.errors import ParameterError
from mer_lib.features.clip_view import ClipView
from mer_lib.features.recipes import Head
from mer_lib.motion.polar import RegionMotion, arithmetic_mean_angle, circular_mean, region_motion
from mer_lib.plots.face_panels import show_frame
from mer_lib.plots.flow_fields import HEAD_WORDS, HEIGHT, WIDTH, method_name, moment, over_face, place, sign
from mer_lib.plots.style import caption, panels, styled

NUMBERED = 4  # regions whose numbers stand beside their dots
CIRCULAR_COLOUR, ARITHMETIC_COLOUR = "#0072B2", "#D55E00"


@styled
def seam() -> Figure:
    """Draw why angles are not averaged like lengths: a movement to the right, with a little up and down."""
    rng = np.random.default_rng(0)
    flow = np.stack([np.ones((20, 20)), rng.normal(0, 0.3, (20, 20))], axis=-1).astype(np.float32)
    figure, axes = panels(1, 2, width=11, height=4.6, layout="none", subplot_kw={"projection": "polar"})
    for ax, left in zip(axes[0], (0.04, 0.42), strict=True):
        ax.set_position((left, 0.14, 0.3, 0.66))
    for ax, turn, title in ((axes[0, 0], 0.0, "to the right"), (axes[0, 1], np.pi / 2, "the same, upwards")):
        turned = _turned(flow, turn)
        draw_directions(ax, turned, circular_mean(turned), arithmetic_mean_angle(turned))
        ax.set_title(title, pad=12)
    axes[0, 1].legend(loc="center left", bbox_to_anchor=(1.15, 0.5))
    return caption(figure, "400 made-up arrows; an angle runs from 0 to 2π, and begins at the right")


def _turned(flow: np.ndarray, angle: float) -> np.ndarray:
    """Return a flow turned by `angle`, from the right towards up."""
    u, v = flow[..., 0], flow[..., 1]
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([cos * u + sin * v, cos * v - sin * u], axis=-1)


def draw_directions(ax: Any, flow: np.ndarray, circular: float, arithmetic: float) -> None:
    """Draw the directions of flow vectors (..., 2) on polar axes, with both of their means."""
    angle = np.arctan2(-flow[..., 1], flow[..., 0]).ravel() % (2 * np.pi)
    counts, edges = np.histogram(angle, bins=36, range=(0, 2 * np.pi))
    share = counts / max(counts.max(), 1)
    ax.bar(edges[:-1], share, width=np.diff(edges), align="edge", color="#BBBBBB", edgecolor="white", label="pixels")
    for mean, colour, width, name in (
        (circular, CIRCULAR_COLOUR, 9, "circular mean"),
        (arithmetic, ARITHMETIC_COLOUR, 3, "arithmetic mean"),
    ):
        if np.isfinite(mean):
            ax.plot([mean, mean], [0, 1.0], color=colour, linewidth=width, label=name)
    ax.set(xticks=np.arange(4) * np.pi / 2, xticklabels=["right", "up", "left", "down"], yticks=[], ylim=(0, 1.05))
    ax.tick_params(axis="x", pad=8)


@styled
def directions(
    view: ClipView,
    first: int,
    second: int,
    region: int = 0,
    method: str = "farneback",
    head: Head = "kept",
    scheme: str = "muscle_regions",
) -> Figure:
    """Draw the mean direction of each region over the face, by both ways of taking it, and one region in detail.

    Args:
        view: the clip.
        first: index of the frame that the face is shown of.
        second: index of the other frame.
        region: which one is shown in detail, from 0.
        method: of :func:`mer_lib.motion.optical_flow`.
        head: "kept" or "removed".
        scheme: of :func:`mer_lib.faces.regions.regions`.

    Raises:
        ParameterError: the region does not exist.
        DataError: the clip has no face.

    Source: Mishin, section (c) 7, takes the arithmetic mean.
    """
    found = view.regions(scheme)
    if not 0 <= region < len(found):
        raise ParameterError(f"region: expected 0 to {len(found) - 1}, got {region}")
    face, flow = view.aligned(first), view.flow(first, second, method, head=head)
    masks = [area.mask(*flow.shape[:2]) for area in found]
    means = region_motion(flow, masks)
    figure, axes = panels(1, 2, width=WIDTH, height=HEIGHT, layout="none")
    axes[0, 0].set_position(place(0.1, 0.5))
    axes[0, 1].set_position(place(5.35, 1.15, 3.55))
    polar = figure.add_axes(place(10.6, 1.25, 3.3), projection="polar")
    _draw_means(axes[0, 0], face, [area.centre for area in found], means)
    axes[0, 0].add_patch(Polygon(found[region].polygon, fill=False, edgecolor="white", linewidth=2))
    _draw_agreement(axes[0, 1], means, region)
    draw_directions(polar, flow[masks[region]], means.circular[region], means.arithmetic[region])
    polar.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3, handlelength=1.2, columnspacing=1.2)
    axes[0, 0].set_title("mean direction of each region")
    axes[0, 1].set_title("the two means")
    polar.set_title(f"{region}: {found[region].name}", pad=12)
    figure.suptitle(f"{moment(view, first)} → {moment(view, second)}: {method_name(method)}, {HEAD_WORDS[head]}")
    return sign(figure, view)


def _draw_means(ax: Axes, face: np.ndarray, centres: list[tuple[float, float]], means: RegionMotion) -> None:
    """Draw two arrows of one length in each region: the length would hide the direction of those that hardly move."""
    show_frame(ax, over_face(face, np.ones((*face.shape[:2], 3)), np.zeros(face.shape[:2])))
    x, y = np.transpose(centres)
    for angle, colour, width, name in (
        (means.circular, CIRCULAR_COLOUR, 0.013, "circular mean"),
        (means.arithmetic, ARITHMETIC_COLOUR, 0.006, "arithmetic mean"),
    ):
        ax.quiver(
            x, y, np.cos(angle), -np.sin(angle), color=colour, label=name,
            angles="xy", scale_units="xy", scale=1 / (0.08 * face.shape[0]), width=width,
        )  # fmt: skip


def _draw_agreement(ax: Axes, means: RegionMotion, region: int) -> None:
    """Draw the arithmetic over the circular mean of each region, in degrees; larger where more moves."""
    degrees = np.degrees(np.stack([means.circular, means.arithmetic]))
    length = np.nan_to_num(means.magnitude)
    size = 30 + 170 * length / max(length.max(), 1e-9)
    ax.plot([0, 360], [0, 360], color="#999999", linewidth=1, label="they agree")
    ax.scatter(
        degrees[0], degrees[1], s=size, color="#555555", alpha=0.6, linewidth=0, label="region (larger: moves more)"
    )
    ax.scatter(
        degrees[0, region],
        degrees[1, region],
        s=size[region],
        color="#CC79A7",
        edgecolor="black",
        label="the chosen one",
    )
    for at in farthest_apart(means):
        ax.annotate(str(at), degrees[:, at], (9, 0), textcoords="offset points", fontsize=11, va="center")
    ticks = [0, 90, 180, 270, 360]
    ax.set(xticks=ticks, yticks=ticks, xlim=(-8, 368), ylim=(-8, 368), aspect="equal")
    ax.set(xlabel="circular mean (degrees)", ylabel="arithmetic mean (degrees)")
    ax.legend(loc="upper left", fontsize=10, bbox_to_anchor=(0.0, 1.0), frameon=True, framealpha=0.85)


def farthest_apart(means: RegionMotion, most: int = NUMBERED) -> list[int]:
    """Return the regions whose two means differ most, by more than a sector of 45 degrees, the farthest first."""
    turn = np.abs(np.angle(np.exp(1j * (means.arithmetic - means.circular))))
    apart = np.nan_to_num(turn)
    return [int(at) for at in np.argsort(-apart, kind="stable")[:most] if apart[at] > np.pi / 4]
