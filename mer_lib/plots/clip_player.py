"""One moment of a clip: the face, a part of it from near, what changed since the onset, and the curves of spotters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mer_lib.motion import Box, cut
from mer_lib.plots.apex import (
    CURSOR_COLOUR,
    FULL_COLOUR,
    after_onset,
    difference,
    draw_curves,
)
from mer_lib.plots.face_panels import bar_beside, show_frame, show_signed
from mer_lib.plots.style import caption, panels, styled

if TYPE_CHECKING:
    from mer_lib.apex.spotting import Spotted
    from mer_lib.features.clip_view import ClipView

WHOLE_FACE = "whole face"
_ZOOMED = ("dnc_rois", "ten_cells")
#: Names of the parts of :func:`zooms`, which are the same on every face.
PARTS: tuple[str, ...] = (
    WHOLE_FACE, "left eye and brow", "right eye and brow", "mouth", "left lip corner", "right lip corner", "chin",
    "left side of the nose", "right side of the nose", "left outer eye", "right outer eye", "between the brows",
    "left inner brow", "right inner brow",
)  # fmt: skip
_ROOM = 1.1  # of a region's longer side: that of the square in which it is shown
_BOX_COLOUR = "#E69F00"


def zooms(view: ClipView) -> dict[str, Box]:
    """Return the parts of the face that one may look at from near, :data:`PARTS`, as square boxes of the crop.

    Raises:
        DataError: no face is found in the onset frame.
    """
    side = len(view.aligned(view.moments.onset))
    found = {WHOLE_FACE: Box(0, 0, side, side)}
    for scheme in _ZOOMED:
        found |= {region.name: square_around(region.box, side) for region in view.regions(scheme)}
    return found


def square_around(box: Box, side: int) -> Box:
    """Return the square around `box`, a tenth larger, that a picture of `side` x `side` pixels holds whole.

    >>> square_around(Box(40, 60, 80, 80), 100)
    Box(left=38, top=48, right=82, bottom=92)
    >>> square_around(Box(90, 0, 120, 10), 100)
    Box(left=67, top=0, right=100, bottom=33)
    """
    size = min(round(_ROOM * max(box.right - box.left, box.bottom - box.top)), side)
    left, top = (
        min(max(round((low + high - size) / 2), 0), side - size)
        for low, high in ((box.left, box.right), (box.top, box.bottom))
    )
    return Box(left, top, left + size, top + size)


@styled
def clip_moment(
    view: ClipView,
    index: int,
    found: Mapping[str, Spotted],
    zoom: Box | None = None,
    times: float = 8,
    even_light: bool = False,
) -> Figure:
    """Draw one frame of a clip, a part of it from near and its change since the onset, above the spotters' curves.

    Args:
        view: the clip; its face is shown in a crop that is the same for all frames.
        index: of the frame.
        found: what spotters found, by their names; their curves start at the onset.
        zoom: the part, one of :func:`zooms`; the whole face where None.
        times: how many times stronger the change is shown.
        even_light: take out the change of the face's mean brightness first.
    """
    first, now = view.aligned(view.moments.onset), view.aligned(index)
    box = Box(0, 0, *now.shape[1::-1]) if zoom is None else zoom
    figure, (face, near, change), curves = _layout()
    show_frame(face, now)
    _outline(face, box)
    show_frame(near, cut(now, box))
    drawn = show_signed(change, cut(difference(first, now, even_light), box), FULL_COLOUR / times)
    bar_beside(change, drawn, "")
    titles = ("face", "from near", "change (grey values)")
    for ax, title in zip((face, near, change), titles, strict=True):
        ax.set_title(title, fontsize=13)
    _draw_cursor(curves, view, index, found)
    figure.suptitle(f"{view.title}: {after_onset(view, index)}", fontsize=15)
    return caption(figure, view.label, kind=view.kind, watermark=False)


def _layout() -> tuple[Figure, list[Axes], Axes]:
    """Return a figure with three square axes above a wide one, in fixed places: no layout has to be computed."""
    figure, axes = panels(1, 4, width=10.4, height=6.6, layout="none")
    for ax, left in zip(axes[0], (0.005, 0.315, 0.625), strict=False):
        ax.set_position((left, 0.425, 0.295, 0.465))
    axes[0, 3].set_position((0.06, 0.135, 0.6, 0.215))
    return figure, list(axes[0, :3]), axes[0, 3]


def _outline(ax: Axes, box: Box) -> None:
    """Draw the edge of `box`, which runs half a pixel outside the centres of its outermost pixels."""
    corner = (box.left - 0.5, box.top - 0.5)
    size = (box.right - box.left, box.bottom - box.top)
    ax.add_patch(Rectangle(corner, *size, fill=False, edgecolor=_BOX_COLOUR, linewidth=2.5))


def _draw_cursor(ax: Axes, view: ClipView, index: int, found: Mapping[str, Spotted]) -> None:
    """Draw the curves, and where on them the frame lies."""
    draw_curves(ax, view, found)
    ax.axvline(index, color=CURSOR_COLOUR, linewidth=3, zorder=3)
    if found:
        ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), title="spotted frame", alignment="left")
