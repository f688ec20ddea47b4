"""Magnified movement to look at: a looping animation, and slices through space and time."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from mer_lib.errors import ParameterError
from mer_lib.features.clip_view import ClipView
from mer_lib.manifest import Kind
from mer_lib.motion import rgb8
from mer_lib.plots.face_panels import show_frame
from mer_lib.plots.flow_fields import draw_moments, sign
from mer_lib.plots.style import ALARM_COLOUR, mark, panels, styled

SIDE = 224  # px of a face in an animation
MOST_FRAMES = 60  # of an animation: more make a notebook heavy
TICK_MS = 10  # what durations in a GIF are counted in; browsers slow down whatever is shorter than two
_STRIP = 26  # px of the band with the words
LINE_COLOUR = "#00E5FF"
#: Left, bottom, width and height of the panels of a slice, in shares of the figure.
_PLACES = ((0.005, 0.13, 0.27, 0.65), (0.34, 0.2, 0.3, 0.55), (0.69, 0.2, 0.3, 0.55))


def aligned_clip(view: ClipView, side: int = SIDE) -> np.ndarray:
    """Return all frames of a clip as crops of the face, by the alignment of its onset: uint8 (T, side, side, 3).

    Raises:
        DataError: no face is found.
        ParameterError: the frames are too many to be held at a time.
    """
    alignment = view.alignment(side)
    return np.stack([alignment.warp(frame) for frame in view.frames])


def as_bytes(frames: np.ndarray) -> np.ndarray:
    """Return frames (T, H, W[, 3]), uint8 or floating in 0..1, as uint8 (T, H, W, 3) RGB.

    Raises:
        ParameterError: there are none, or they have another form.
    """
    if np.ndim(frames) not in (3, 4) or len(frames) == 0:
        raise ParameterError(f"frames: expected (T, H, W) or (T, H, W, 3) with one or more, got {np.shape(frames)}")
    return np.stack([rgb8(frame, "frames") for frame in frames])


def looping_gif(
    clips: Sequence[np.ndarray], names: Sequence[str], frame_ms: int = 50, kind: Kind = "real", remark: str = ""
) -> bytes:
    """Return an animation that repeats for ever: clips side by side, their names above, what they are below.

    Args:
        clips: each (T, H, W[, 3]), uint8 or floating in 0..1, all of one shape. Of more than 60 frames, 60 are taken
            at equal distances.
        names: of the clips.
        frame_ms: how long each frame stays, in steps of 10 ms; 20 at least.
        kind: of the data; what is not real is marked.
        remark: written below, such as the speed.

    Returns:
        The file, in GIF format: ``IPython.display.Image(data=..., format="gif")`` shows it.

    Raises:
        ParameterError: the clips differ in shape, or there is none.
    """
    if not clips or len(clips) != len(names) or len({np.shape(clip)[:3] for clip in clips}) > 1:
        shapes = ", ".join(str(np.shape(clip)) for clip in clips)
        raise ParameterError(f"clips: expected one or more of one shape and as many names, got {shapes or 'none'}")
    chosen = np.unique(np.linspace(0, len(clips[0]) - 1, MOST_FRAMES).round().astype(int))
    columns = [as_bytes(np.asarray(clip)[chosen]) for clip in clips]
    pictures = [_composed([column[i] for column in columns], names, kind, remark) for i in range(len(chosen))]
    return _encoded(pictures, max(2, round(frame_ms / TICK_MS)) * TICK_MS)


def _composed(frames: Sequence[np.ndarray], names: Sequence[str], kind: Kind, remark: str) -> Image.Image:
    """Return one picture of the animation."""
    height, width = frames[0].shape[:2]
    canvas = Image.new("RGB", (width * len(frames), height + 2 * _STRIP), "white")
    pen, font = ImageDraw.Draw(canvas), _font(15)
    for column, (frame, name) in enumerate(zip(frames, names, strict=True)):
        canvas.paste(Image.fromarray(frame), (column * width, _STRIP))
        pen.text((column * width + width / 2, _STRIP / 2), name, fill="black", font=font, anchor="mm")
    below = " · ".join(filter(None, (mark(kind), remark)))
    colour = ALARM_COLOUR if mark(kind) else "#444444"
    pen.text((4, height + 1.5 * _STRIP), below, fill=colour, font=_font(12), anchor="lm")
    return canvas


@lru_cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Return the font of the figures; Pillow's own lacks the sign for times."""
    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)


def _encoded(pictures: Sequence[Image.Image], frame_ms: int) -> bytes:
    """Return pictures as a GIF with one palette for all: with one each, still skin would flicker."""
    sample = Image.fromarray(
        np.concatenate([np.asarray(picture) for picture in pictures[:: max(len(pictures) // 4, 1)]])
    )
    palette = sample.quantize(256, method=Image.Quantize.MEDIANCUT)
    drawn = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    buffer = io.BytesIO()
    drawn[0].save(buffer, "GIF", save_all=True, append_images=drawn[1:], duration=frame_ms, loop=0)
    return buffer.getvalue()


@styled
def slices(
    view: ClipView,
    before: np.ndarray,
    after: np.ndarray,
    column: int,
    row: int | None = None,
    name: str = "magnified",
    around: int = 24,
) -> Figure:
    """Draw how a line of pixels changes over time, as recorded and magnified.

    Movement up or down along the line bends what is seen in a slice; what is still makes straight bands.

    Args:
        view: the clip.
        before: (T, H, W[, 3]), uint8 or floating in 0..1.
        after: the same shape.
        column: x of the pixels, from 0.
        row: y of the middle of the line; the whole column where None.
        name: of what is seen in `after`.
        around: rows above and below `row` that are shown.

    Raises:
        ParameterError: the shapes differ, or the column or row does not exist.
    """
    if np.shape(before)[:3] != np.shape(after)[:3]:
        raise ParameterError(f"clips: expected two of one shape, got {np.shape(before)} and {np.shape(after)}")
    _, height, width = np.shape(before)[:3]
    if not (0 <= column < width and (row is None or 0 <= row < height)):
        raise ParameterError(f"line: expected a column below {width} and a row below {height}, got {column} and {row}")
    top, bottom = (0, height) if row is None else (max(row - around, 0), min(row + around + 1, height))
    figure, axes = panels(1, 3, width=15.5, height=4.9, layout="none")
    for ax, place in zip(axes[0], _PLACES, strict=True):
        ax.set_position(place)
    show_frame(axes[0, 0], rgb8(before[view.moments.onset]))
    axes[0, 0].vlines(column, top, bottom - 1, color=LINE_COLOUR, linewidth=2.5)
    axes[0, 0].set_title("along this line", pad=22)
    for ax, clip, title in zip(axes[0, 1:], (before, after), ("as recorded", name), strict=True):
        line = as_bytes(np.asarray(clip)[:, top:bottom, column][:, :, None])[:, :, 0]
        _draw_slice(ax, view, line.transpose(1, 0, 2), top)
        ax.set_title(title, pad=22)
    axes[0, 1].set_ylabel("y along the line (px)")
    figure.suptitle("One line of pixels, side by side for all frames")
    return sign(figure, view)


def _draw_slice(ax: Axes, view: ClipView, picture: np.ndarray, top: int) -> None:
    """Draw one slice (rows, T, 3) over time, its first row at y = `top`, with the clip's moments."""
    step = 1000 / view.fps if view.fps else 1.0
    rows, count = picture.shape[:2]
    onset = view.moments.onset
    ends = (-(onset + 0.5) * step, (count - onset - 0.5) * step)
    ax.imshow(picture, aspect="auto", extent=(*ends, top + rows - 0.5, top - 0.5))
    ax.set_xlabel("ms after the onset" if view.fps else "frames after the onset")
    draw_moments(ax, view, step, onset, "white")
