"""Figures of explanations: what a network is fed, and what in it a prediction rests on, sample by sample.

Red speaks for the explained class, blue against it; where nothing is coloured, nothing was found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from mer_lib.errors import ParameterError
from mer_lib.evaluation.fitted import Fitted
from mer_lib.manifest import Kind
from mer_lib.plots.explained_inputs import draw_faint, draw_input, one_view
from mer_lib.plots.style import ALARM_COLOUR, caption, panels, styled
from mer_lib.training.views import mean_over_views

HEAT = "RdBu_r"  # diverging: white says nothing, red for, blue against
_CELL = 2.6  # inches


def telling(fitted: Fitted, count: int = 6) -> list[int]:
    """Return rows of test samples worth a look: of each class the one most surely right, then the surest mistakes.

    Args:
        fitted: the estimator and its test samples.
        count: how many at most.
    """
    sure, right = fitted.proba.max(axis=1), fitted.predicted == fitted.y_test
    order = np.argsort(-sure, kind="stable")
    best = [next((i for i in order if right[i] and fitted.y_test[i] == k), None) for k in range(len(fitted.classes))]
    chosen = [int(i) for i in best if i is not None]
    chosen += [int(i) for i in order if not right[i]]
    chosen += [int(i) for i in order if right[i] and int(i) not in chosen]
    return chosen[:count]


@styled
def explained(
    fitted: Fitted,
    maps: Mapping[str, np.ndarray],
    which: Sequence[int] | None = None,
    *,
    kind: Kind = "real",
    text: str = "",
    title: str = "What do the predictions rest on?",
) -> Figure:
    """Draw test samples side by side: above what the network is fed, below one row for each explanation.

    Args:
        fitted: the estimator and its test samples.
        maps: explanations by their names, each float (n, H, W) of all test samples, for each view (n * views, H, W)
            where it explains views, or for each frame (n, T, H, W) of sequences, whose mean over time is drawn.
        which: rows of test samples, those of :func:`telling` where None.
        kind: of the data.
        text: for the caption, what the numbers come from.
        title: above the figure.

    Raises:
        ParameterError: an explanation does not belong to these samples.
    """
    rows = telling(fitted) if which is None else list(which)
    heights, shape = _heights(fitted, len(maps))
    figure, axes = panels(
        1 + len(maps), len(rows), width=_CELL * len(rows) + 2.2, height=sum(heights) + 1.9, height_ratios=heights
    )
    for ax, row in zip(axes[0], rows, strict=True):
        draw_input(ax, fitted.variant.features, fitted.X_test[row])
        _say(ax, fitted, row)
    axes[0, 0].set_ylabel("input")
    for line, (name, given) in zip(axes[1:], maps.items(), strict=True):
        values = _of_samples(fitted, name, given, shape)
        _draw_line(figure, line, fitted, values, rows)
        line[0].set_ylabel(name)
    figure.suptitle(title)
    return caption(figure, text, kind=kind, watermark=False)


@styled
def sequence(
    fitted: Fitted,
    name: str,
    values: np.ndarray,
    row: int,
    *,
    kind: Kind = "real",
    text: str = "",
) -> Figure:
    """Draw one test sequence frame by frame: above what the network is fed, below an explanation over it.

    Args:
        fitted: the estimator and its test samples, of a recipe of sequences.
        name: of the explanation.
        values: float (n, T, H, W) of all test samples.
        row: which sample.
        kind: of the data.
        text: for the caption.

    Raises:
        ParameterError: the samples are no sequences, or the explanation does not belong to them.
    """
    sample = one_view(fitted.variant.features, fitted.X_test[row])
    expected = (len(fitted.test_ids), sample.shape[0], *sample.shape[-2:])
    if sample.ndim != 4 or values.shape != expected:
        raise ParameterError(f"{name}: expected a value for each pixel of each frame, {expected}, got {values.shape}")
    frames = _spread(len(sample))
    figure, axes = panels(2, len(frames), width=max(1.9 * len(frames) + 2, 11), height=6.4)
    norm = _range(values[row])
    for number, (above, below) in zip(frames, axes.T, strict=True):
        draw_input(above, fitted.variant.features, fitted.X_test[row], frame=number)
        above.set_title(f"frame {number + 1}", weight="normal")
        draw_faint(below, fitted.variant.features, fitted.X_test[row], frame=number)
        _lay_over(below, values[row, number], norm)
    axes[0, 0].set_ylabel("input")
    axes[1, 0].set_ylabel(name)
    _bar(figure, list(axes.ravel()), norm, _lowest(values[row], norm))
    figure.suptitle(_sentence(fitted, row))
    return caption(figure, text, kind=kind, watermark=False)


def _heights(fitted: Fitted, count: int) -> tuple[list[float], tuple[int, int]]:
    """Return the height of each line of panels in inches, and rows and columns of the inputs."""
    rows, columns = fitted.X_test.shape[-2:]
    each = float(np.clip(_CELL * rows / columns, 1.6, 3.2))
    return [each] * (1 + count), (rows, columns)


def _of_samples(fitted: Fitted, name: str, given: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return an explanation as (n, H, W): the mean over views and frames."""
    count = len(fitted.test_ids)
    views = max(len(given) // max(count, 1), 1)
    if given.ndim not in (3, 4) or given.shape[-2:] != shape or len(given) != count * views:
        raise ParameterError(
            f"{name}: expected values for {count} test samples of {shape[0]}x{shape[1]} pixels, got {given.shape}"
        )
    flat = given.reshape(len(given), -1)
    return mean_over_views(flat, views).reshape(count, *given.shape[1:]).reshape(count, -1, *shape).mean(axis=1)


def _draw_line(figure: Figure, line: np.ndarray, fitted: Fitted, values: np.ndarray, rows: Sequence[int]) -> None:
    norm = _range(values[list(rows)])
    for ax, row in zip(line, rows, strict=True):
        draw_faint(ax, fitted.variant.features, fitted.X_test[row])
        _lay_over(ax, values[row], norm)
    _bar(figure, list(line), norm, _lowest(values[list(rows)], norm))


def _range(values: np.ndarray) -> Normalize:
    reach = float(np.abs(values).max()) or 1.0
    return Normalize(-reach, reach)


def _lowest(values: np.ndarray, norm: Normalize) -> float:
    """Return where a colour bar begins: at 0 where nothing is below it."""
    return 0.0 if values.min() >= 0 else float(norm.vmin or 0.0)


def _lay_over(ax: Axes, values: np.ndarray, norm: Normalize) -> None:
    """Colour what stands in `ax`: the further from 0, the less of it shines through."""
    colours = mpl.colormaps[HEAT](norm(values))
    colours[..., 3] = np.clip(np.abs(values) / float(norm.vmax or 1.0), 0, 1) ** 0.7 * 0.85
    ax.imshow(colours, interpolation="nearest", aspect=ax.get_aspect(), zorder=2)


def _bar(figure: Figure, axes: list[Axes], norm: Normalize, low: float) -> None:
    bar = figure.colorbar(ScalarMappable(norm, HEAT), ax=axes, shrink=0.9, aspect=14, pad=0.01)
    bar.ax.tick_params(labelsize=11)
    bar.ax.set_ylim(low, norm.vmax)


def _say(ax: Axes, fitted: Fitted, row: int) -> None:
    """Write above a sample what it is and what was said of it; a mistake is red."""
    true, said = int(fitted.y_test[row]), int(fitted.predicted[row])
    sure = f"{fitted.proba[row, said]:.2f}"
    text = f"{fitted.classes[true]}\npredicted: {fitted.classes[said]} {sure}"
    ax.set_title(text, fontsize=12, weight="normal", color="black" if true == said else ALARM_COLOUR)


def _sentence(fitted: Fitted, row: int) -> str:
    true, said = fitted.classes[fitted.y_test[row]], fitted.classes[fitted.predicted[row]]
    return f"{true}, predicted {said} ({fitted.proba[row].max():.2f})"


def _spread(count: int, most: int = 8) -> list[int]:
    return sorted({round(i) for i in np.linspace(0, count - 1, min(count, most))})
