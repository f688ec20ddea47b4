"""What figures of faces share: panels with a frame, a difference of frames, or the movement of a face's points."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from mer_lib.datasets.synthetic import mesh
from mer_lib.plots.style import FLOW_COLOURS, STRAIN_COLOURS, panels

GREY_MAX = 255
ARROWS = 15  # along each side of a panel
PANEL_LEFTS = (0.005, 0.235, 0.515, 0.84)  # of the figure's width
ARROW_RIM = "#333333"  # so that light arrows are seen on light colours
FAINT = 0.12  # of the greatest displacement: below, no arrow is drawn

#: Lines that say where on a face one is.
OUTLINES: tuple[tuple[int, ...], ...] = (
    (*mesh.FACE_OVAL, mesh.FACE_OVAL[0]),
    (*mesh.UPPER_LIP_OUTER, *mesh.LOWER_LIP_OUTER[::-1]),
    mesh.LOWER_LIP_INNER,
    (*mesh.RIGHT_EYE_UPPER, *mesh.RIGHT_EYE_LOWER[::-1]),
    (*mesh.LEFT_EYE_UPPER, *mesh.LEFT_EYE_LOWER[::-1]),
    mesh.RIGHT_BROW_UPPER,
    mesh.LEFT_BROW_UPPER,
    (98, 97, 2, 326, 327),
)


def with_bars(rows: int, columns: int, *, width: float, height: float, **options: Any) -> tuple[Figure, np.ndarray]:
    """Return a figure and its axes (rows, columns + 1), the last column narrow, for colour bars.

    The axes of the last column are switched off until :func:`colour_bar` draws into them.
    """
    widths = [*[1.0] * columns, 0.06]
    figure, axes = panels(rows, columns + 1, width=width, height=height, width_ratios=widths, **options)
    for ax in axes[:, -1]:
        ax.set_axis_off()
    return figure, axes


def four_panels() -> tuple[Figure, np.ndarray]:
    """Return a figure and its four axes in fixed places, three of them square and the last for a curve.

    No layout is computed, which would take most of the time between the move of a slider and the picture.
    """
    figure, axes = panels(1, 4, width=15.5, height=4.4, layout="none")
    for ax, left in zip(axes[0], PANEL_LEFTS, strict=True):
        ax.set_position((left, 0.11, 0.2, 0.705))
    axes[0, 3].set_position((PANEL_LEFTS[3], 0.2, 0.15, 0.6))
    return figure, axes[0]


def bar_beside(ax: Axes, drawn: AxesImage, label: str) -> None:
    """Draw a colour bar beside one of :func:`four_panels`."""
    bar = ax.figure.colorbar(drawn, cax=ax.inset_axes((1.04, 0.1, 0.06, 0.8)))
    bar.set_label(label)


def colour_bar(ax: Axes, drawn: AxesImage, label: str, extend: str = "neither") -> None:
    """Fill `ax` with the colour bar of a panel."""
    ax.set_axis_on()
    bar = ax.figure.colorbar(drawn, cax=ax, extend=extend)
    bar.set_label(label)


def bare(ax: Axes) -> None:
    """Take ticks and outline away; a label at the side stays."""
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)


def grey(frame: np.ndarray) -> np.ndarray:
    """Return a frame, (H, W) or (H, W, 3) uint8, as grey values: float64 (H, W), 0 to 255.

    >>> grey(np.full((1, 1, 3), 200, np.uint8)).round(6)
    array([[200.]])
    """
    return frame.astype(np.float64) if frame.ndim == 2 else frame @ np.array([0.299, 0.587, 0.114])


def show_frame(ax: Axes, frame: np.ndarray) -> AxesImage:
    """Show a frame, (H, W) or (H, W, 3) uint8, without ticks or outline."""
    drawn = ax.imshow(frame, cmap="gray", vmin=0, vmax=GREY_MAX)
    bare(ax)
    return drawn


def show_signed(ax: Axes, values: np.ndarray, reach: float) -> AxesImage:
    """Show signed values (H, W), white where they are zero and in full colour from -reach and reach on."""
    drawn = ax.imshow(values, cmap=FLOW_COLOURS, vmin=-reach, vmax=reach)
    bare(ax)
    return drawn


def show_lengths(ax: Axes, lengths: np.ndarray, reach: float, landmarks: np.ndarray | None = None) -> AxesImage:
    """Show lengths in px (H, W), dark where they are 0, under the outlines of the face.

    Args:
        ax: where to draw.
        lengths: of a displacement or an error.
        reach: length with the brightest colour.
        landmarks: (478, 2) px, of the face to outline.
    """
    drawn = ax.imshow(lengths, cmap=STRAIN_COLOURS, vmin=0, vmax=reach)
    if landmarks is not None:
        outline(ax, landmarks, lengths.shape[0])
    bare(ax)
    return drawn


def show_movement(ax: Axes, flow: np.ndarray, reach: float, landmarks: np.ndarray | None = None) -> AxesImage:
    """Show a flow (H, W, 2) in px: its length as colour, its direction as arrows, as long as it is strong.

    Args:
        ax: where to draw.
        flow: u to the right and v downwards.
        reach: length in px with the brightest colour and the longest arrow; what is longer is drawn as this long.
        landmarks: (478, 2) px, of the face to outline.
    """
    drawn = show_lengths(ax, np.linalg.norm(flow, axis=-1), reach, landmarks)
    draw_arrows(ax, flow, reach)
    return drawn


def draw_arrows(ax: Axes, flow: np.ndarray, reach: float, colour: str = "white", width: float = 0.008) -> None:
    """Draw arrows over a flow (H, W, 2) in px, the longest where it is `reach` px or more; none where it is faint.

    Args:
        ax: where to draw.
        flow: u to the right and v downwards.
        reach: length in px of the longest arrow; what is longer is drawn as this long.
        colour: of the arrows.
        width: of their shafts, as a share of that of the axes.
    """
    rows, columns = flow.shape[:2]
    y, x = (axis.ravel() for axis in np.meshgrid(_places(rows), _places(columns), indexing="ij"))
    u, v = flow[y, x].T
    length = np.hypot(u, v)
    seen = length > FAINT * reach
    cut = reach / np.maximum(length, reach)
    longest = 1.5 * max(rows, columns) / (ARROWS + 1)
    ax.quiver(
        x[seen], y[seen], (cut * u)[seen], (cut * v)[seen],
        angles="xy", scale_units="xy", scale=reach / longest, color=colour, width=width, headwidth=3.5, headlength=4,
        edgecolor=ARROW_RIM, linewidth=0.5 if colour != ARROW_RIM else 0,
    )  # fmt: skip
    ax.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))


def _places(size: int) -> np.ndarray:
    """Where arrows start along a side of `size` pixels."""
    return np.linspace(0, size - 1, ARROWS + 2)[1:-1].round().astype(int)


def outline(ax: Axes, landmarks: np.ndarray, size: int) -> None:
    """Draw thin lines along face, eyes, brows, nose and mouth of `landmarks` (478, 2) px."""
    for line in OUTLINES:
        ax.plot(*landmarks[list(line)].T, color="white", alpha=0.55, linewidth=0.9)
    ax.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5))
