"""Figures of handcrafted descriptors: what they look at, and what they make of one clip."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle, Wedge

from mer_lib.errors import ParameterError
from mer_lib.faces.alignment import align
from mer_lib.features.clip_view import ClipView
from mer_lib.features.recipes import Align, Head
from mer_lib.handcrafted.bi_woof import BiWOOF
from mer_lib.handcrafted.lbp_top import LBPTOP
from mer_lib.motion.main_direction import main_direction
from mer_lib.motion.polar import TURN, polar, sectors
from mer_lib.plots.face_panels import show_frame
from mer_lib.plots.flow_fields import (
    ARROW_COLOUR,
    HEAD_WORDS,
    bar_right_of,
    direction_colours,
    method_name,
    moment,
    reach_of,
    show_colours,
    show_wheel,
    sign,
    squares,
)
from mer_lib.plots.style import STRAIN_COLOURS, panels, styled

PLANE_COLOURS: Mapping[str, str] = {"XY": "#CC79A7", "XT": "#E69F00", "YT": "#56B4E9"}
PLANE_TITLES: Mapping[str, str] = {
    "XY": "XY: one image",
    "XT": "XT: a row of the block over time",
    "YT": "YT: a column over time",
}
MAIN_COLOUR, MEAN_COLOUR, OTHER_COLOUR = "#D55E00", "#0072B2", "#BBBBBB"


@styled
def textures(view: ClipView, sequence: np.ndarray, descriptor: LBPTOP | None = None, block: int = 16) -> Figure:
    """Draw the three planes of LBP-TOP through the middle of one block of a face, and that block's histograms.

    Args:
        view: the clip, for the caption.
        sequence: (T, 1, H, W) grey, what is described: a :class:`mer_lib.features.FaceSequence`.
        descriptor: parameters; the default ones where None.
        block: which one, from 0, row by row.

    Raises:
        ParameterError: the block does not exist, or the sequence is too short or too small.
    """
    descriptor = (descriptor or LBPTOP()).check()
    if not 0 <= block < descriptor.blocks**2:
        raise ParameterError(f"block: expected 0 to {descriptor.blocks**2 - 1}, got {block}")
    histograms = descriptor.fit_transform(sequence[None])[0].reshape(descriptor.blocks**2, len(PLANE_TITLES), -1)
    figure, axes = panels(2, 3, width=14, height=8, height_ratios=(1.5, 1))
    _draw_slices(axes[0], sequence[:, 0], descriptor.blocks, block)
    for plane, ax, counts in zip(PLANE_TITLES, axes[1], histograms[block], strict=True):
        _draw_counts(ax, counts, plane)
    axes[1, 0].set_ylabel("share of pixels")
    figure.suptitle(f"What LBP-TOP counts in block {block} of {descriptor.blocks}×{descriptor.blocks}")
    return sign(figure, view, f"{len(sequence)} frames")


def _draw_slices(axes: np.ndarray, grey: np.ndarray, blocks: int, block: int) -> None:
    """Show the middle frame of (T, H, W) grey with the block, and a row and a column of the block over time."""
    down, across = _extent(block, blocks, grey.shape[1:])
    row, column, frames = (down.start + down.stop) // 2, (across.start + across.stop) // 2, len(grey)
    show_frame(axes[0], grey[frames // 2])
    _draw_blocks(axes[0], blocks, grey.shape[1:], block)
    axes[0].plot([across.start, across.stop - 1], [row, row], color=PLANE_COLOURS["XT"], zorder=4)
    axes[0].plot([column, column], [down.start, down.stop - 1], color=PLANE_COLOURS["YT"], zorder=4)
    _show_slice(axes[1], grey[:, row, across], (across.start, across.stop), (frames, 0))
    _show_slice(axes[2], grey[:, down, column].T, (0, frames), (down.stop, down.start))
    axes[1].set(xlabel="across the face (px)", ylabel="frame")
    axes[2].set(xlabel="frame", ylabel="down the face (px)")
    for ax, (plane, title) in zip(axes, PLANE_TITLES.items(), strict=True):
        ax.set_title(title, color=_dark(plane))


def _show_slice(ax: Axes, picture: np.ndarray, x: tuple[int, int], y: tuple[int, int]) -> None:
    """Show a slice as wide as the panel, from its darkest to its brightest pixel."""
    ends = (x[0] - 0.5, x[1] - 0.5, y[0] - 0.5, y[1] - 0.5)
    ax.imshow(picture, cmap="gray", aspect="auto", extent=ends, interpolation="nearest")


def _extent(block: int, blocks: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the rows and columns of a block."""
    places = divmod(block, blocks)
    down, across = (
        slice(-(-place * size // blocks), -(-(place + 1) * size // blocks))
        for place, size in zip(places, shape, strict=True)
    )
    return down, across


def _dark(plane: str) -> str:
    return {"XY": "#9C4A78", "XT": "#9A6A00", "YT": "#1F6C98"}[plane]


def _draw_counts(ax: Axes, counts: np.ndarray, plane: str) -> None:
    ax.bar(np.arange(len(counts)), counts, color=PLANE_COLOURS[plane])
    ax.set(xlabel=f"pattern of {int(np.log2(len(counts)))} neighbours, as a number", ylim=(0, max(counts.max(), 0.4)))


def _draw_blocks(ax: Axes, blocks: int, shape: tuple[int, ...], chosen: int | None = None) -> None:
    """Draw the edges of all blocks over a face, and the chosen one strongly."""
    height, width = (size / blocks for size in shape)
    for number in range(blocks**2):
        row, column = divmod(number, blocks)
        strong = number == chosen
        ax.add_patch(
            Rectangle(
                (column * width - 0.5, row * height - 0.5), width, height, fill=False, zorder=3 if strong else 2,
                edgecolor=PLANE_COLOURS["XY"] if strong else "white", linewidth=3 if strong else 0.7,
            )
        )  # fmt: skip


@styled
def weighted_directions(
    view: ClipView, image: np.ndarray, descriptor: BiWOOF | None = None, align_by: Align = "whole_face"
) -> Figure:
    """Draw what Bi-WOOF sees: the flow, the weights of the blocks, and the weighted histograms as roses.

    Args:
        view: the clip; its face lies below.
        image: (3, side, side): u, v and strain from onset to apex in pixels, as a :class:`mer_lib.features.FlowMap`
            without stretching.
        descriptor: parameters; the default ones where None.
        align_by: how its recipe brings the face into a square.

    Raises:
        DataError: the clip has no face.
    """
    descriptor = (descriptor or BiWOOF()).check()
    face, flow = _onset_face(view, align_by, image.shape[1]), np.moveaxis(image[:2], 0, -1)
    reach = reach_of(np.linalg.norm(flow, axis=-1))
    figure, axes = squares((0.1, 5.6, 11.2))
    show_colours(axes[0], face, flow, reach)
    show_wheel(axes[0].inset_axes((1.01, 0.4, 0.13, 0.2)), reach)
    _draw_weights(axes[1], face, descriptor, image)
    show_frame(axes[2], (255 - (255 - face) * 0.35).astype(np.uint8))
    _draw_roses(axes[2], descriptor.describe(image).reshape(-1, descriptor.bins), descriptor.blocks, face.shape[0])
    for ax in axes:
        _draw_blocks(ax, descriptor.blocks, face.shape[:2])
    for ax, title in zip(axes, ("flow", "weight of each block", "what remains: weighted directions"), strict=True):
        ax.set_title(title)
    figure.suptitle(f"What Bi-WOOF sees: {descriptor.blocks}×{descriptor.blocks} blocks × {descriptor.bins} directions")
    return sign(figure, view, f"weights: {descriptor.local_weight} of a pixel, {descriptor.global_weight} of a block")


def _onset_face(view: ClipView, how: Align, side: int) -> np.ndarray:
    """Return the face at the onset as a recipe brings it into a square, uint8 (side, side, 3)."""
    frame = view.frame(view.moments.onset)
    if not view.detection.found:
        return view.aligned(view.moments.onset, side)  # says that there is no face
    return align(how, view.detection.face, side, frame.shape).warp(frame)


def _draw_weights(ax: Axes, face: np.ndarray, descriptor: BiWOOF, image: np.ndarray) -> None:
    """Colour each block by its weight, and write it down."""
    weights = descriptor.block_weights(image)
    side, step = face.shape[0], face.shape[0] / descriptor.blocks
    norm = Normalize(0, max(weights.max(), 1e-9))
    scale = ScalarMappable(norm, STRAIN_COLOURS)
    show_frame(ax, face)
    ax.imshow(
        weights.reshape(descriptor.blocks, -1), cmap=STRAIN_COLOURS, norm=norm, alpha=0.6,
        extent=(-0.5, side - 0.5, side - 0.5, -0.5),
    )  # fmt: skip
    for number, weight in enumerate(weights):
        row, column = divmod(number, descriptor.blocks)
        ax.text(
            (column + 0.5) * step, (row + 0.5) * step, f"{weight:.1f}", ha="center", va="center", fontsize=12,
            color="white" if weight < 0.7 * weights.max() else "black", weight="bold",
        )  # fmt: skip
    bar_right_of(ax, scale, "weight (1: the mean of the face)", extend="neither")


def _draw_roses(ax: Axes, histograms: np.ndarray, blocks: int, side: int) -> None:
    """Draw the histogram of each block as wedges whose areas are its numbers, in the colours of their directions."""
    step, bins = side / blocks, histograms.shape[1]
    longest = max(histograms.max(), 1e-9)
    colours = direction_colours((np.arange(bins) + 0.5) * TURN / bins)
    for (block, sector), value in np.ndenumerate(histograms):
        row, column = divmod(block, blocks)
        # Rows grow downwards, so angles, which grow from the right towards up, are drawn the other way round.
        ends = -360 * (sector + 1) / bins, -360 * sector / bins
        centre, radius = ((column + 0.5) * step, (row + 0.5) * step), 0.48 * step * np.sqrt(value / longest)
        ax.add_patch(Wedge(centre, radius, *ends, facecolor=colours[sector], edgecolor="black", linewidth=0.4))


@styled
def main_directions(
    view: ClipView,
    first: int,
    second: int,
    region: int | None = None,
    method: str = "farneback",
    head: Head = "removed",
    count: int = 8,
) -> Figure:
    """Draw the main direction of each muscle region, as MDMO sees it, and how one region comes to its own.

    Args:
        view: the clip.
        first: index of the frame that the face is shown of.
        second: index of the other frame.
        region: which one is shown in detail, from 0; the one that moves most where None.
        method: of :func:`mer_lib.motion.optical_flow`.
        head: "kept" or "removed".
        count: of sectors.

    Raises:
        ParameterError: the region does not exist.
        DataError: the clip has no face.
    """
    found = view.regions("muscle_regions")
    if region is not None and not 0 <= region < len(found):
        raise ParameterError(f"region: expected 0 to {len(found) - 1}, got {region}")
    face, flow = view.aligned(first), view.flow(first, second, method, head=head)
    vectors = [flow[area.mask(*flow.shape[:2])] for area in found]
    main = np.nan_to_num([main_direction(part, count) for part in vectors])
    region = int(np.hypot(*main.T).argmax()) if region is None else region
    figure, axes = panels(1, 2, width=13, height=7.2)
    _draw_main(axes[0, 0], face, np.array([area.centre for area in found]), main)
    axes[0, 0].add_patch(Polygon(found[region].polygon, fill=False, edgecolor="white", linewidth=2.5))
    _draw_vectors(axes[0, 1], vectors[region], count)
    axes[0, 0].set_title("main direction of each region")
    axes[0, 1].set_title(f"{region}: {found[region].name} (outlined)")
    figure.suptitle(f"{moment(view, first)} → {moment(view, second)}: {method_name(method)}, {HEAD_WORDS[head]}")
    return sign(figure, view)


def _draw_main(ax: Axes, face: np.ndarray, centres: np.ndarray, main: np.ndarray) -> None:
    """Draw an arrow in each region, the longest of them as long as an eighth of the face."""
    longest = max(np.hypot(*main.T).max(), 1e-9)
    show_frame(ax, face)
    ax.quiver(
        *centres.T, *main.T, color=ARROW_COLOUR, angles="xy", scale_units="xy", scale=longest / (face.shape[0] / 8),
        width=0.008, edgecolor="black", linewidth=0.5,
    )  # fmt: skip
    ax.set_xlabel(f"longest arrow: {longest:.1f} px")


def _draw_vectors(ax: Axes, vectors: np.ndarray, count: int) -> None:
    """Draw the vectors of one region as points, sectors, and the two means."""
    reach = 1.15 * max(float(np.abs(vectors).max(initial=0.0)), 0.05)
    _, angle = polar(vectors[:, None].astype(np.float64))
    sector = sectors(angle[:, 0], count)
    kept = sector == np.bincount(sector, minlength=count).argmax()
    for edge in np.arange(count) * TURN / count:
        ax.plot([0, 2 * reach * np.cos(edge)], [0, 2 * reach * np.sin(edge)], color="#DDDDDD", linewidth=1, zorder=0)
    for where, colour, label in ((kept, MAIN_COLOUR, "in the fullest sector"), (~kept, OTHER_COLOUR, "elsewhere")):
        ax.scatter(vectors[where, 0], -vectors[where, 1], s=9, color=colour, label=f"{label}: {where.sum()} pixels")
    means = (vectors.mean(axis=0), MEAN_COLOUR, "mean of all"), (vectors[kept].mean(axis=0), "black", "main direction")
    for (u, v), colour, label in means:
        ax.quiver(0, 0, u, -v, color=colour, angles="xy", scale_units="xy", scale=1, width=0.012, label=label, zorder=3)
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set(xlabel="to the right (px)", ylabel="up (px)")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, markerscale=2, handlelength=1.2)
