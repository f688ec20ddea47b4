"""Figures of one region of a face: what is seen in it, how it moves, and how that goes over the clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from mer_lib.errors import ParameterError
from mer_lib.faces.regions import Region
from mer_lib.features import RegionCrops
from mer_lib.features.clip_view import SIDE, ClipView
from mer_lib.features.movement import crop_boxes
from mer_lib.features.recipes import Head, Window
from mer_lib.features.squares import Square
from mer_lib.motion import Box, cut, strain
from mer_lib.plots.face_panels import ARROW_RIM, bare, show_frame
from mer_lib.plots.flow_fields import (
    HEAD_WORDS,
    LEAST_REACH,
    bar_right_of,
    draw_arrows,
    draw_moments,
    method_name,
    moment,
    reach_of,
    show_strain,
    show_wheel,
    sign,
    wheel_image,
)
from mer_lib.plots.style import STRAIN_COLOURS, panels, styled

MOST_FRAMES = 48  # at which a course is sampled: more take seconds and show no more
CHOSEN_COLOUR = "#E69F00"
OTHER_COLOUR = "#FFFFFF"
CURSOR_COLOUR = "#D55E00"
LEAST_STRAIN = 1e-3


# -- which part of the face -------------------------------------------------------------------------------------------


def regions_of(view: ClipView, recipe: RegionCrops, side: int = SIDE) -> tuple[Region, ...]:
    """Return the parts of the crop that a recipe cuts out, in its order.

    Where it takes windows, they are these; else the regions of its scheme, of which it cuts the smallest rectangles.

    Raises:
        DataError: the clip has no face.
    """
    found = () if isinstance(recipe.window, Window) else view.regions(recipe.scheme, side)
    if recipe.window is None:
        return found
    names = [(region.name, region.side) for region in found] or [("window", "middle")]
    alignment = view.alignment(side)
    square = Square(alignment, side, view.moments.onset, view.detection.face, alignment.points(view.points))
    boxes = crop_boxes(recipe, square, view.sample_id)
    return tuple(Region(name, _corners(box), place) for (name, place), box in zip(names, boxes, strict=True))


def _corners(box: Box) -> np.ndarray:
    """Return the corners (4, 2) of a rectangle of whole pixels, which reach half a pixel beyond their centres."""
    left, top, right, bottom = np.array(box) - 0.5
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


# -- how it moves over time -------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Course:
    """The movement of a whole clip since its onset.

    Attributes:
        indices: int (N,), of frames, increasing; the onset, the apex and the last one are among them.
        lengths: float32 (N, side, side), displacement in px.
        strains: float32 (N, side, side), px per px.
    """

    indices: np.ndarray
    lengths: np.ndarray
    strains: np.ndarray
    _found: dict[bytes, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict, repr=False)

    def of(self, region: Region) -> tuple[np.ndarray, np.ndarray]:
        """Return mean displacement and mean strain of a region in each frame, float (N,); nan where it has no pixel."""
        key = region.polygon.tobytes()
        if key not in self._found:
            self._found[key] = self._means(region)
        return self._found[key]

    def _means(self, region: Region) -> tuple[np.ndarray, np.ndarray]:
        mask = region.mask(*self.lengths.shape[1:])
        if not mask.any():
            nothing = np.full(len(self.indices), np.nan)
            return nothing, nothing
        box = Box(*_extent(mask))
        inside = cut(mask, box).astype(np.float32)
        parts = (values[:, box.top : box.bottom, box.left : box.right] for values in (self.lengths, self.strains))
        lengths, strains = (np.tensordot(part, inside, axes=2) / inside.sum() for part in parts)
        return lengths, strains


def _extent(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the pixels of a mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def course(view: ClipView, method: str = "farneback", head: Head = "removed", most: int = MOST_FRAMES) -> Course:
    """Estimate the movement from the onset to frames all over a clip, at equal distances where they are many.

    Args:
        view: the clip.
        method: of :func:`mer_lib.motion.optical_flow`.
        head: "kept" or "removed".
        most: frames, about.

    Raises:
        DataError: the clip has no face.
    """
    onset = view.moments.onset
    marks = [index for index in view.moments if index is not None]
    spread = np.linspace(0, view.n_frames - 1, min(most, view.n_frames)).round().astype(int)
    indices = np.unique(np.concatenate([spread, marks]))
    lengths, strains = np.empty((2, len(indices), SIDE, SIDE), np.float32)
    for at, index in enumerate(indices):
        flow = view.flow(onset, int(index), method, head=head)
        lengths[at], strains[at] = np.linalg.norm(flow, axis=-1), strain(flow)
    return Course(indices, lengths, strains)


def most_telling(view: ClipView, found: Sequence[Region], over_time: Course) -> int:
    """Return which region moves most, between onset and offset, by the measure of what it moves outside of them.

    Where the whole clip is the movement, its first and last frame are what is outside.

    Args:
        view: the clip.
        found: regions in the crop.
        over_time: of :func:`course`.
    """
    onset, _, offset = view.moments
    during = (over_time.indices > onset) & (over_time.indices < offset)
    if not during.any():
        return 0
    lengths = np.nan_to_num([over_time.of(area)[0] for area in found])
    rest = np.maximum(lengths[:, ~during].max(axis=1), LEAST_REACH)
    return int(np.argmax(lengths[:, during].max(axis=1) / rest))


# -- figures ----------------------------------------------------------------------------------------------------------


@styled
def region(
    view: ClipView,
    found: Sequence[Region],
    chosen: int,
    frame: int,
    over_time: Course,
    method: str = "farneback",
    head: Head = "removed",
    reach: float | None = None,
) -> Figure:
    """Draw where a region lies, what is in it, how it moves and deforms, and how both go over the clip.

    Args:
        view: the clip.
        found: regions in the crop, such as :func:`regions_of` returns.
        chosen: which of them, from 0.
        frame: index of the frame to which the movement from the onset is shown.
        over_time: of :func:`course`, by the same method.
        method: of :func:`mer_lib.motion.optical_flow`.
        head: "kept" or "removed".
        reach: displacement in px with the full colour; chosen from the whole face where None.

    Raises:
        ParameterError: there is no such region.
        DataError: the region lies outside of the crop.
    """
    if not 0 <= chosen < len(found):
        raise ParameterError(f"region: expected 0 to {len(found) - 1}, got {chosen}")
    onset = view.moments.onset
    face, flow = view.aligned(frame), view.flow(onset, frame, method, head=head)
    reach = reach_of(np.linalg.norm(flow, axis=-1)) if reach is None else reach
    box = found[chosen].box_within(*face.shape[:2])
    figure, axes = _six_panels()
    show_regions(axes[0], face, found, chosen)
    _show_inside(
        axes[1:4], cut(view.aligned(onset), box), cut(face, box), cut(flow, box), cut(strain(flow), box), reach
    )
    lengths, strains = over_time.of(found[chosen])
    draw_course(axes[4], view, over_time.indices, lengths, frame, "displacement (px)")
    draw_course(axes[5], view, over_time.indices, strains, frame, "strain (px per px)")
    figure.suptitle(f"{found[chosen].name} · {moment(view, onset)} → {moment(view, frame)}")
    return sign(figure, view, f"{method_name(method)}, {HEAD_WORDS[head]}, px of a face of {SIDE}×{SIDE}")


def _six_panels() -> tuple[Figure, list[Axes]]:
    """Four panels above, two below; in fixed places, as no layout has to be computed then."""
    figure, axes = panels(1, 6, width=15.5, height=8.6, layout="none")
    for ax, left in zip(axes[0, :4], (0.005, 0.252, 0.455, 0.725), strict=True):
        ax.set_position((left, 0.48, 0.19, 0.39))
    axes[0, 0].set_position((0.005, 0.455, 0.235, 0.44))
    for ax, left in zip(axes[0, 4:], (0.065, 0.565), strict=True):
        ax.set_position((left, 0.125, 0.42, 0.25))
    return figure, list(axes[0])


def show_regions(ax: Axes, face: np.ndarray, found: Sequence[Region], chosen: int) -> None:
    """Draw the outlines of regions over a face, the chosen one thick."""
    show_frame(ax, face)
    others = [area.polygon for at, area in enumerate(found) if at != chosen]
    ax.add_collection(PolyCollection(others, facecolors="none", edgecolors=OTHER_COLOUR, linewidths=1, alpha=0.7))
    ax.add_patch(Polygon(found[chosen].polygon, fill=False, edgecolor=CHOSEN_COLOUR, linewidth=3.5))
    ax.set(xlim=(-0.5, face.shape[1] - 0.5), ylim=(face.shape[0] - 0.5, -0.5))
    ax.set_title("where it lies")


def _show_inside(
    axes: Sequence[Axes], before: np.ndarray, after: np.ndarray, flow: np.ndarray, strains: np.ndarray, reach: float
) -> None:
    """Draw the region's picture, movement and strain."""
    show_frame(axes[0], after)
    axes[1].imshow(wheel_image(flow, reach, before))
    draw_arrows(axes[1], flow, reach, ARROW_RIM)
    bare(axes[1])
    show_wheel(axes[1].inset_axes((1.06, 0.36, 0.17, 0.24)), reach)
    high = reach_of(strains, LEAST_STRAIN)
    bar_right_of(axes[2], show_strain(axes[2], before, strains, high), "px per px")
    for ax, title in zip(axes, ("what is in it", "movement", "strain"), strict=True):
        ax.set_title(title)


def draw_course(ax: Axes, view: ClipView, indices: np.ndarray, values: np.ndarray, frame: int, label: str) -> None:
    """Draw values over the frames of a clip, with its moments and a cursor at `frame`."""
    ax.plot(indices, values, color="#0072B2")
    ax.axvline(frame, color=CURSOR_COLOUR, linewidth=2)
    top = max(float(np.nan_to_num(values).max()), 1e-6)
    ax.set(xlabel="frame", ylabel=label, ylim=(0, 1.15 * top), xlim=(0, max(view.n_frames - 1, 1)))
    draw_moments(ax, view)


@styled
def all_courses(view: ClipView, found: Sequence[Region], chosen: int, over_time: Course) -> Figure:
    """Draw how every region moves over the clip: mean displacement and mean strain as colours, one row a region.

    The brightest colour is that of the greatest value between onset and offset.

    Args:
        view: the clip.
        found: regions in the crop.
        chosen: which of them is marked, from 0.
        over_time: of :func:`course`.
    """
    courses = np.array([over_time.of(area) for area in found]).transpose(1, 0, 2)
    figure, axes = panels(1, 2, width=15.5, height=2.6 + 0.17 * max(len(found), 10), layout="none")
    top, bottom = 1 - 0.95 / figure.get_figheight(), 0.95 / figure.get_figheight()
    for ax, left, values, label in zip(
        axes[0], (0.17, 0.6), courses, ("displacement (px)", "strain (px per px)"), strict=True
    ):
        ax.set_position((left, bottom, 0.31, top - bottom))
        _draw_rows(ax, view, over_time.indices, values, label)
        ax.axhspan(chosen - 0.5, chosen + 0.5, fill=False, edgecolor=CHOSEN_COLOUR, linewidth=2.5)
    axes[0, 0].set_yticks(range(len(found)), [area.name for area in found], fontsize=9 if len(found) > 12 else 12)
    figure.suptitle("which region moves when")
    return sign(figure, view, f"px of a face of {SIDE}×{SIDE}")


def _draw_rows(ax: Axes, view: ClipView, indices: np.ndarray, values: np.ndarray, label: str) -> None:
    """Draw values (regions, N) over frames as colours."""
    during = (indices >= view.moments.onset) & (indices <= view.moments.offset)
    high = max(float(np.nan_to_num(values[:, during]).max()), LEAST_STRAIN)
    rows = np.arange(len(values) + 1) - 0.5
    drawn = ax.pcolormesh(_edges(indices), rows, values, cmap=STRAIN_COLOURS, vmin=0, vmax=high)
    ax.set(xlabel="frame", ylim=(rows[-1], rows[0]), yticks=[])
    draw_moments(ax, view, colour="white")
    ax.figure.colorbar(drawn, cax=ax.inset_axes((1.02, 0, 0.03, 1)), extend="max").set_label(label)


def _edges(indices: np.ndarray) -> np.ndarray:
    """Return borders between frames, half-way between neighbours."""
    middle = (indices[1:] + indices[:-1]) / 2
    return np.concatenate([[indices[0] - 0.5], middle, [indices[-1] + 0.5]])
