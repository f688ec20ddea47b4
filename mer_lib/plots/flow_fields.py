"""Figures of one flow over a face: arrows, a wheel of colours, strain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize, to_rgb
from matplotlib.figure import Figure

from mer_lib.features.clip_view import ClipView
from mer_lib.features.recipes import Head
from mer_lib.motion import strain
from mer_lib.plots.face_panels import bare, draw_arrows, grey, show_frame
from mer_lib.plots.style import STRAIN_COLOURS, caption, panels, styled

#: Colours of four directions; those between are mixed. They keep apart, by hue or by how light they are, under the
#: common forms of colour blindness too.
COMPASS: Mapping[str, str] = MappingProxyType(
    {"right": "#B2182B", "up": "#F2B705", "left": "#4DB3D6", "down": "#2B3FA0"}
)
METHOD_NAMES: Mapping[str, str] = MappingProxyType(
    {"farneback": "Farnebäck", "tvl1": "TV-L1", "dis": "DIS", "raft": "RAFT"}
)
HEAD_WORDS: Mapping[str, str] = MappingProxyType({"kept": "head kept", "removed": "head removed"})
ARROW_COLOUR = "#00E5FF"  # on skin, hair and background alike
LEAST_REACH = 0.05  # px: below, colours would show rounding
PALE = 0.55  # how much white is mixed into a face that colours are laid over
COVER = 0.9  # of the face that the strongest colour hides
SIDE_INCHES, WIDTH, HEIGHT = 4.2, 15.5, 5.8  # inches: of a panel; of a whole figure


# -- colours ----------------------------------------------------------------------------------------------------------


def direction_colours(angle: np.ndarray) -> np.ndarray:
    """Return the colour of each direction, (..., 3) in 0..1.

    >>> direction_colours(np.array([0.0, 2 * np.pi])).round(2)
    array([[0.7 , 0.09, 0.17],
           [0.7 , 0.09, 0.17]])

    Args:
        angle: in radians, 0 to the right and pi / 2 up, any shape.
    """
    anchors = np.array([to_rgb(colour) for colour in COMPASS.values()])
    turns = np.linspace(0, 2 * np.pi, len(anchors), endpoint=False)
    return np.stack([np.interp(angle, turns, channel, period=2 * np.pi) for channel in anchors.T], axis=-1)


def over_face(frame: np.ndarray, colours: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Lay colours over a pale grey face, the stronger the more: float (H, W, 3) in 0..1.

    Args:
        frame: uint8 (H, W) or (H, W, 3).
        colours: (H, W, 3) in 0..1.
        share: (H, W), 0 for the face alone to 1 for the colour.
    """
    pale = (PALE + (1 - PALE) * grey(frame) / 255)[..., None]
    weight = COVER * np.clip(share, 0, 1)[..., None]
    return (1 - weight) * pale + weight * colours


def wheel_image(flow: np.ndarray, reach: float, frame: np.ndarray | None = None) -> np.ndarray:
    """Return a flow as colours, float (H, W, 3) in 0..1: direction as hue, length as strength.

    Args:
        flow: (H, W, 2) in px.
        reach: length in px with the full colour.
        frame: the face to lay them over; white where None.
    """
    canvas = np.full(flow.shape[:2], 255, np.uint8) if frame is None else frame
    angle = np.arctan2(-flow[..., 1], flow[..., 0])
    return over_face(canvas, direction_colours(angle), np.hypot(flow[..., 0], flow[..., 1]) / reach)


def reach_of(values: np.ndarray, least: float = LEAST_REACH) -> float:
    """Return what to give the full colour: the 99th percentile of `values`, rounded up to one or two figures.

    >>> reach_of(np.array([0.0, 0.31])), reach_of(np.zeros(3))
    (0.31, 0.05)
    """
    high = max(float(np.percentile(values, 99)), least)
    step = 10.0 ** (np.floor(np.log10(high)) - 1)
    return float(np.round(np.ceil(high / step - 1e-6) * step, 6))


# -- panels -----------------------------------------------------------------------------------------------------------


def show_wheel(ax: Axes, reach: float, side: int = 121) -> None:
    """Draw the legend of :func:`wheel_image`: a disc whose rim moves by `reach` px."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    disc = wheel_image(np.stack([x, y], axis=-1) * reach, reach)
    disc[np.hypot(x, y) > 1] = 1
    ax.imshow(disc, extent=(-1, 1, 1, -1), interpolation="bilinear")
    for name, (right, down) in {"right": (1, 0), "up": (0, -1), "left": (-1, 0), "down": (0, 1)}.items():
        ax.text(1.5 * right, 1.25 * down, name, ha="center", va="center", fontsize=11)
    ax.set_title(f"rim: {reach:g} px", fontsize=12, weight="normal", pad=18)
    bare(ax)


def show_arrows(ax: Axes, frame: np.ndarray, flow: np.ndarray, reach: float) -> None:
    """Draw arrows over a frame, the longest where the movement is `reach` px or more."""
    show_frame(ax, frame)
    draw_arrows(ax, flow, reach, ARROW_COLOUR, width=0.005)


def show_colours(ax: Axes, frame: np.ndarray, flow: np.ndarray, reach: float) -> None:
    """Draw the directions of a movement as colours over the face."""
    ax.imshow(wheel_image(flow, reach, frame))
    bare(ax)


def show_strain(ax: Axes, frame: np.ndarray, values: np.ndarray, reach: float) -> ScalarMappable:
    """Draw strain (H, W) as colours over the face, and return their scale for a colour bar."""
    scale = ScalarMappable(Normalize(0, reach), STRAIN_COLOURS)
    ax.imshow(over_face(frame, scale.to_rgba(values)[..., :3], values / reach))
    bare(ax)
    return scale


def squares(lefts: Sequence[float]) -> tuple[Figure, np.ndarray]:
    """Return a figure with square panels at fixed places: no layout is computed, which would take time.

    Args:
        lefts: left edges of the panels, in inches of the 15.5 of the figure.
    """
    figure, axes = panels(1, len(lefts), width=WIDTH, height=HEIGHT, layout="none")
    for ax, left in zip(axes[0], lefts, strict=True):
        ax.set_position(place(left, 0.5))
    return figure, axes[0]


def place(left: float, bottom: float, side: float = SIDE_INCHES) -> tuple[float, float, float, float]:
    """Return the place of a square panel in shares of a figure, from inches."""
    return left / WIDTH, bottom / HEIGHT, side / WIDTH, side / HEIGHT


def bar_right_of(ax: Axes, scale: ScalarMappable, label: str, extend: str = "max") -> None:
    """Draw a colour bar beside a panel."""
    bar = ax.figure.colorbar(scale, cax=ax.inset_axes((1.04, 0.1, 0.05, 0.8)), extend=extend)
    bar.set_label(label)


def draw_moments(ax: Axes, view: ClipView, scale: float = 1.0, zero: int = 0, colour: str = "#555555") -> None:
    """Draw dotted lines where a clip's onset, apex and offset are, with their names above.

    Args:
        ax: where to draw, frames or time from left to right; its limits are set, and no name leaves them.
        view: the clip.
        scale: units of the axis to one frame.
        zero: index of the frame at 0 of the axis.
        colour: of the lines.
    """
    for name, index in view.moments._asdict().items():
        if index is not None:
            at, (low, high) = scale * (index - zero), ax.get_xlim()
            share = (at - low) / (high - low)
            before = share >= 0.85 or (name == "onset" and share > 0.1)
            ax.axvline(at, color=colour, linewidth=1.5, linestyle=":")
            ax.annotate(
                view.names[name], (at, 1.01), xycoords=("data", "axes fraction"), ha="right" if before else "left",
                va="bottom", fontsize=12,
            )  # fmt: skip


# -- words ------------------------------------------------------------------------------------------------------------


def method_name(method: object) -> str:
    """Return what to call a method of optical flow."""
    return METHOD_NAMES.get(str(method), str(method))


def moment(view: ClipView, index: int) -> str:
    """Return what frame `index` of a clip is: its name where it has one, its index, its time after the onset.

    The time is left out where nobody knows how many frames a second there are.
    """
    names = [view.names[name] for name, at in view.moments._asdict().items() if at == index]
    named = f"{names[0]}, frame {index}" if names else f"frame {index}"
    if view.fps is None:
        return named
    time = 1000 * (index - view.moments.onset) / view.fps
    return f"{named} ({time:+.0f} ms)" if time else named


def sign(figure: Figure, view: ClipView, remark: str = "") -> Figure:
    """Write under `figure` which clip it shows, and mark it where the clip is synthetic."""
    text = " · ".join(filter(None, (view.title, view.label, remark)))
    return caption(figure, text, kind=view.kind, watermark=False)


# -- figures ----------------------------------------------------------------------------------------------------------


@styled
def movement(
    view: ClipView,
    first: int,
    second: int,
    method: str = "farneback",
    head: Head = "kept",
    reach: float | None = None,
) -> Figure:
    """Draw the movement between two frames over the aligned face: as arrows, as colours, and as strain.

    Args:
        view: the clip.
        first: index of the frame that the face is shown of.
        second: index of the other frame.
        method: of :func:`mer_lib.motion.optical_flow`.
        head: "kept", or "removed" with a similarity that is fitted to the still parts of the face.
        reach: length in px of the crop with the longest arrow and the full colour; chosen from the flow where None.

    Raises:
        DataError: the clip has no face.
        ParameterError: a frame or the method does not exist.
    """
    face, flow = view.aligned(first), view.flow(first, second, method, head=head)
    reach = reach_of(np.linalg.norm(flow, axis=-1)) if reach is None else reach
    deformation = strain(flow)
    figure, axes = squares((0.1, 4.45, 10.05))
    show_arrows(axes[0], face, flow, reach)
    show_colours(axes[1], face, flow, reach)
    show_wheel(axes[1].inset_axes((1.07, 0.4, 0.15, 0.2)), reach)
    bar_right_of(axes[2], show_strain(axes[2], face, deformation, reach_of(deformation, 1e-3)), "strain (px per px)")
    for ax, title in zip(axes, ("arrows", "direction and length", "strain: how the skin deforms"), strict=True):
        ax.set_title(title)
    figure.suptitle(f"{moment(view, first)} → {moment(view, second)}: {method_name(method)}, {HEAD_WORDS[head]}")
    return sign(figure, view, f"px of a face of {face.shape[0]}×{face.shape[1]}")


#: Displacement fields (u, v) of points (x, y) in -1..1, each by one sort of movement.
_PURE = {
    "shift": (lambda x, y: (0.12 + 0 * x, 0 * y)),
    "turn": (lambda x, y: (-0.12 * y, 0.12 * x)),
    "stretch": (lambda x, y: (0.12 * x, 0 * y)),
    "growth": (lambda x, y: (0.12 * x, 0.12 * y)),
    "shear": (lambda x, y: (0.12 * y, 0 * x)),
}


@styled
def what_strain_sees() -> Figure:
    """Draw a square of skin before and after five movements, with the optical strain of each."""
    figure, axes = panels(1, len(_PURE), width=15, height=4.0)
    line = np.linspace(-1, 1, 9)
    for ax, (name, field) in zip(axes[0], _PURE.items(), strict=True):
        x, y = np.meshgrid(line, line)
        u, v = field(x, y)
        draw_grid(ax, x, y, "#BBBBBB")
        draw_grid(ax, x + u, y + v, "#0072B2")
        step = line[1] - line[0]
        ax.set(aspect="equal", xlim=(-1.3, 1.3), ylim=(1.3, -1.3))
        ax.set_title(name)
        ax.set_xlabel(f"strain {strain(np.stack([u, v], axis=-1) / step).mean():.2f}")
        bare(ax)
    return caption(figure, "grey: before; blue: after")


def draw_grid(ax: Axes, x: np.ndarray, y: np.ndarray, colour: str) -> None:
    """Draw the rows and columns of points (N, N) as lines."""
    for lines in (np.stack([x, y], axis=-1), np.stack([x.T, y.T], axis=-1)):
        ax.add_collection(LineCollection(lines, colors=colour, linewidths=1.5))
