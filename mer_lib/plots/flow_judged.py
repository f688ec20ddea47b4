"""Figures and tables of estimated movement judged by the truth, which synthetic clips alone have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mer_lib.errors import ParameterError
from mer_lib.features.clip_view import SIDE, ClipView
from mer_lib.features.recipes import Head
from mer_lib.plots.face_panels import colour_bar, show_frame, show_lengths, show_movement
from mer_lib.plots.flow_fields import method_name, moment, reach_of, sign
from mer_lib.plots.style import caption, panels, styled
from mer_lib.plots.synthetic_flow import MOVING, NOTHING_MOVES, OUTLINE_COLOUR, end_point_error, mean_over
from mer_lib.plots.synthetic_nuisances import METHOD_MARKS

#: Borders in px between classes of true movement; each is twice the one before.
LENGTHS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
FEWEST = 50  # pixels in a class of true movement: with fewer it is not drawn


@dataclass(frozen=True, eq=False)
class Judged:
    """An estimated movement beside the true one. Flows are (H, W, 2) in px, on the grid of `frame`.

    Attributes:
        name: what was done, in a few words.
        frame: uint8 (H, W, 3), the first of the two.
        flow: as estimated.
        truth: what it should be.
        known: bool (H, W), where the truth says whereto a visible point of the face went.
        moving: bool (H, W), the part of it that the expression moves.
    """

    name: str
    frame: np.ndarray
    flow: np.ndarray
    truth: np.ndarray
    known: np.ndarray
    moving: np.ndarray

    @property
    def error(self) -> np.ndarray:
        """End-point error in px, (H, W); nan where the truth is not known."""
        return np.where(self.known, end_point_error(self.flow, self.truth), np.nan)

    @property
    def score(self) -> float:
        """Mean end-point error in px on moving skin; nan where none moves."""
        return mean_over(self.error, self.moving)

    @property
    def still_score(self) -> float:
        """Mean end-point error in px on the rest of the face."""
        return mean_over(self.error, self.known & ~self.moving)


def moving_skin(expression: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return where an expression (H, W, 2) moves skin: by a tenth or more of its greatest displacement, bool (H, W)."""
    length = np.linalg.norm(expression, axis=-1)
    return known & (length > 0) & (length >= MOVING * length[known].max(initial=0))


# -- what is judged ---------------------------------------------------------------------------------------------------


def judged(
    view: ClipView, first: int, second: int, flow: np.ndarray, name: str, head: Head = "removed", side: int = SIDE
) -> Judged:
    """Put any flow of the crop beside the truth of a synthetic clip.

    Args:
        view: the clip.
        first: index of the frame on whose grid the flow stands.
        second: index of the other frame.
        flow: float (side, side, 2) px.
        name: what was done.
        head: "removed" judges by the expression alone, "kept" by all movement.
        side: of the crop.

    Raises:
        DataError: the clip was recorded, so nobody knows the truth.
        ParameterError: the flow has another size.
    """
    known = view.known(first, second, side)
    moving = moving_skin(view.true_flow(first, second, side, head="removed"), known)
    truth = view.true_flow(first, second, side, head=head)
    if flow.shape != truth.shape:
        raise ParameterError(f"flow: expected {truth.shape}, of the crop, got {flow.shape}")
    return Judged(name, view.aligned(first, side), flow, truth, known, moving)


# -- tables -----------------------------------------------------------------------------------------------------------


def score_table(found: Sequence[Judged]) -> pd.DataFrame:
    """Return mean end-point errors in px: one row a flow, after that of a guess that nothing moves.

    Columns: moving skin, still skin. All flows have to be judged by one truth.
    """
    guess = replace(found[0], name=NOTHING_MOVES, flow=np.zeros_like(found[0].flow))
    rows = {one.name: {"moving skin": one.score, "still skin": one.still_score} for one in (guess, *found)}
    return pd.DataFrame.from_dict(rows, orient="index")


def errors_by_length(found: Iterable[Judged], borders: Sequence[float] = LENGTHS) -> pd.DataFrame:
    """Return how wrong a flow is where the true movement has which length, over all pixels whose truth is known.

    Returns:
        One row a name and class of length: name, low, high (borders in px), truth (mean true length), error (mean
        end-point error, px), lower and upper (its quartiles), pixels.
    """
    pools: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for one in found:
        length = np.linalg.norm(one.truth, axis=-1)[one.known]
        pools.setdefault(one.name, []).append((length, one.error[one.known]))
    rows = []
    for name, parts in pools.items():
        length, error = (np.concatenate(values) for values in zip(*parts, strict=True))
        for low, high in zip(borders[:-1], borders[1:], strict=True):
            inside = (length >= low) & (length < high)
            if inside.any():
                quartiles = np.percentile(error[inside], (25, 75))
                rows.append(
                    (name, low, high, length[inside].mean(), error[inside].mean(), *quartiles, int(inside.sum()))
                )
    return pd.DataFrame(rows, columns=["name", "low", "high", "truth", "error", "lower", "upper", "pixels"])


# -- figures ----------------------------------------------------------------------------------------------------------


@styled
def side_by_side(
    view: ClipView, first: int, second: int, found: Sequence[Judged], question: str = "", reach: float | None = None
) -> Figure:
    """Draw the true movement beside each estimate, and below each estimate its error.

    Args:
        view: the clip.
        first: index of the frame that is shown.
        second: index of the other frame.
        found: flows that are judged by one truth.
        question: what is compared, for the title.
        reach: displacement in px with the brightest colour; from the truth where None.

    Raises:
        ParameterError: there is nothing to draw.
    """
    if not found:
        raise ParameterError("found: expected one judged flow or more, got none")
    truth, known, moving = found[0].truth, found[0].known, found[0].moving
    reach = reach_of(np.linalg.norm(truth, axis=-1)[known]) if reach is None else reach
    outlined = view.alignment(len(truth)).points(view.points)
    columns = 1 + len(found)
    figure, axes = _two_rows(columns)
    drawn = show_movement(axes[0, 0], truth, reach, outlined)
    axes[0, 0].set_title("truth")
    axes[0, 0].set_ylabel("movement", weight="bold")
    _show_moving(axes[1, 0], found[0].frame, moving)
    for (above, below), one in zip(axes[:, 1:-1].T, found, strict=True):
        show_movement(above, one.flow, reach, outlined)
        show_lengths(below, one.error, reach, outlined)
        above.set_title(one.name, fontsize=14)
        below.set_xlabel(f"mean on moving skin: {one.score:.2f} px", fontsize=13)
    axes[1, 1].set_ylabel("error", weight="bold")
    for row, label in zip(axes, ("displacement (px)", "error (px)"), strict=True):
        colour_bar(row[-1], drawn, label, extend="max")
    figure.suptitle(" · ".join(filter(None, (question, f"{moment(view, first)} → {moment(view, second)}"))))
    return sign(figure, view, "white: truth unknown")


def _two_rows(columns: int) -> tuple[Figure, np.ndarray]:
    """Return a figure and its axes (2, columns + 1), the last for colour bars, in fixed places: no layout is needed."""
    width, height, side = 3.1 * columns + 1.7, 7.6, 2.95
    figure, axes = panels(2, columns + 1, width=width, height=height, layout="none")
    for row, bottom in zip(axes, (3.9, 0.75), strict=True):
        for column, ax in enumerate(row):
            left = 0.4 + 3.1 * column + (0.3 if column else 0)  # before the second there is a word
            wide = side if column < columns else 0.15
            ax.set_position((left / width, bottom / height, wide / width, side / height))
        row[-1].set_axis_off()
    return figure, axes


def _show_moving(ax: Axes, frame: np.ndarray, moving: np.ndarray) -> None:
    """Show the first frame, and around which skin the expression moves."""
    show_frame(ax, frame)
    if moving.any() and not moving.all():
        ax.contour(moving, levels=[0.5], colors=[OUTLINE_COLOUR], linewidths=2)
    ax.set_xlabel("outlined: moving skin", fontsize=13)


@styled
def error_by_length(tables: Mapping[str, pd.DataFrame], remark: str) -> Figure:
    """Draw how the end-point error grows with the true movement, one panel a table of :func:`errors_by_length`.

    Args:
        tables: by title. Names in them are those of methods.
        remark: which clips they are from, for the caption.
    """
    figure, axes = panels(1, len(tables), width=6.2 * len(tables) + 2.2, height=5.6, sharey=True)
    for ax, (title, table) in zip(axes[0], tables.items(), strict=True):
        draw_error_by_length(ax, table)
        ax.set_title(title)
    axes[0, 0].set_ylabel("mean end-point error (px)")
    axes[0, -1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return caption(figure, f"{remark} · band: the middle half of all pixels", kind="synthetic", watermark=False)


def draw_error_by_length(ax: Axes, table: pd.DataFrame) -> None:
    """Draw the errors of one table over the length of the true movement, beside those of a guess of none."""
    looks = {method_name(name): look for name, look in METHOD_MARKS.items()}
    drawn = table[table["pixels"] >= FEWEST]
    ends = np.array([LENGTHS[0], max(drawn["truth"].max(), 2 * LENGTHS[0])]) if len(drawn) else np.array(LENGTHS[:2])
    ax.plot(ends, ends, ":", color="#333333", label=NOTHING_MOVES)
    for name, rows in drawn.groupby("name", sort=False):
        mark, colour = looks.get(str(name), ("D", "#882255"))
        ax.plot(rows["truth"], rows["error"], mark + "-", color=colour, label=name, markersize=8)
        ax.fill_between(rows["truth"], rows["lower"], rows["upper"], color=colour, alpha=0.15, linewidth=0)
    ax.set(xscale="log", yscale="log", xlabel="true movement (px)")
    for axis in (ax.xaxis, ax.yaxis):
        low, high = axis.get_view_interval()
        ticks = [tick for tick in LENGTHS if low <= tick <= high]
        axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.grid(True)


@styled
def error_by_side(view: ClipView, first: int, second: int, found: Mapping[str, Sequence[Judged]]) -> Figure:
    """Draw the error over the size of the face that a flow was estimated in.

    Args:
        view: the clip.
        first: index of the first frame.
        second: index of the other.
        found: by method, what :func:`mer_lib.plots.flow_conditions.by_resolution` returns.
    """
    figure, axes = panels(1, 1, width=9.5, height=5.2)
    ax = axes[0, 0]
    for method, ones in found.items():
        mark, colour = METHOD_MARKS.get(method, ("D", "#882255"))
        names = [one.name.removeprefix("estimated at ") for one in ones]
        ax.plot(names, [one.score for one in ones], mark + "-", color=colour, label=method_name(method), markersize=9)
    some = next(iter(found.values()))[0]
    nothing = replace(some, flow=np.zeros_like(some.flow)).score
    ax.axhline(nothing, linestyle=":", color="#333333", label=NOTHING_MOVES)
    ax.set(
        xlabel="side of the face when the flow was estimated", ylabel="error on moving skin\n(px of the 224-px face)"
    )
    ax.set_ylim(0, None)
    ax.grid(True, axis="y")
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.suptitle(f"Small first, or flow first? {moment(view, first)} → {moment(view, second)}", fontsize=15)
    return sign(figure, view)


def scores(found: Mapping[str, Sequence[Judged]]) -> pd.DataFrame:
    """Return mean end-point errors on moving skin in px: one row a clip, one column a flow, a guess of none first.

    Args:
        found: by clip, flows that are judged by one truth; the same names in the same order for every clip.
    """
    rows = {clip: score_table(ones)["moving skin"] for clip, ones in found.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


@styled
def over_clips(table: pd.DataFrame, remark: str) -> Figure:
    """Draw the errors of a table of :func:`scores`: one thin line a clip, and their means.

    Args:
        table: one row a clip, one column a flow.
        remark: which clips they are from, for the caption.
    """
    figure, axes = panels(1, 1, width=13, height=5.0)
    ax = axes[0, 0]
    names = [name.replace(", ", ",\n").replace(": ", ":\n") for name in table.columns]
    for _, row in table.iterrows():
        ax.plot(names, row, color="#999999", linewidth=1, alpha=0.7)
    ax.plot(names, table.mean(), "o", color="#D55E00", markersize=12, label="mean")
    for at, mean in enumerate(table.mean()):
        ax.annotate(f"{mean:.2f}", (at, mean), (0, 12), textcoords="offset points", ha="center", weight="bold")
    ax.plot([], [], color="#999999", linewidth=1, label="one clip")
    ax.set(ylabel="error on moving skin (px)", ylim=(0, 1.1 * max(float(table.max().max()), 0.1)))
    ax.grid(True, axis="y")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return caption(figure, remark, kind="synthetic", watermark=False)
