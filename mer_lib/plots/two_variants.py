"""Two variants, of one experiment or of two, on the clips that both were tested on."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mer_lib.errors import ParameterError
from mer_lib.evaluation.frames import predicted_classes
from mer_lib.evaluation.intervals import Interval
from mer_lib.evaluation.pooling import pooled
from mer_lib.evaluation.statistics import difference_interval, shared
from mer_lib.papers.answers import chosen_predictions
from mer_lib.papers.measure import Measurement
from mer_lib.papers.verdicts import signed
from mer_lib.plots.style import caption, metric_label, panels, readable_on, styled

METRICS = ("uf1", "uar", "accuracy")
_COLOUR, _MATRIX = "#332288", "#88CCEE"


@styled
def two_variants(first: Measurement, a: str, second: Measurement, b: str) -> Figure:
    """Draw by how much variant `a` of one experiment scores above variant `b` of another, and on how many clips.

    Left: paired differences with their 95 % intervals over subjects, mean over seeds. Right: how many clips both, one
    or none of them recognised, by the first seed of each.

    Args:
        first: the experiment of `a`.
        a: label of a variant.
        second: the experiment of `b`; it may be the same.
        b: label of a variant.

    Raises:
        ParameterError: a variant is unknown, or the two share no clip or tell other classes apart.
    """
    names = [f"{first.experiment.id}, {a}", f"{second.experiment.id}, {b}"]
    both = shared(chosen_predictions(first, a), chosen_predictions(second, b))
    if both is None:
        raise ParameterError(
            f"{names[0]} and {names[1]}: expected clips that both were tested on, with the same classes, got none; "
            "choose variants that were run on the same data"
        )
    found = {metric: difference_interval(*both, metric=metric) for metric in METRICS}
    figure, ((left, right),) = panels(1, 2, width=14, height=4.9, width_ratios=[1.9, 1])
    _draw_differences(left, found, both)
    _draw_counts(right, *both)
    figure.suptitle(f"a: {names[0]}   against   b: {names[1]}", fontsize=15)
    return caption(figure, _text(first, second, both, found["uf1"]), kind=first.dataset.kind)


def _text(first: Measurement, second: Measurement, both: tuple[pd.DataFrame, pd.DataFrame], uf1: Interval) -> str:
    profiles = " and ".join(dict.fromkeys([first.profile, second.profile]))
    clips = both[0]["sample_id"].nunique()
    seeds = " and ".join(", ".join(map(str, sorted(frame["seed"].unique()))) for frame in both)
    return (
        f"{first.dataset.label} · {clips} clips of {uf1.n_subjects} subjects that both were tested on · "
        f"profile {profiles} · seeds {seeds}"
    )


def _draw_differences(ax: Axes, found: dict[str, Interval], both: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    ax.axvline(0, color="black", linewidth=1.5)
    for place, (metric, each) in enumerate(found.items()):
        # A percentile interval need not hold the difference itself, and a bar of negative length cannot be drawn.
        reach = np.nan_to_num([[max(each.point - each.low, 0)], [max(each.high - each.point, 0)]])
        ax.errorbar(each.point, place, xerr=reach, fmt="o", color=_COLOUR, markersize=10, capsize=4)
        scores = " and ".join(f"{pooled(frame, metric).point:.3f}" for frame in both)
        ax.annotate(f"{scores}: {signed(each.point)}", (each.point, place), (0, 11), textcoords="offset points",
                    ha="center", fontsize=12)  # fmt: skip
    ax.set_yticks(range(len(found)), [metric_label(metric) for metric in found])
    ax.set_ylim(len(found) - 0.5, -0.65)
    widest = max(*map(abs, ax.get_xlim()), 0.05)
    ax.set_xlim(-widest, widest)
    ax.set_xlabel("b is better  ←  score of a minus score of b  →  a is better")
    ax.set_title("line: 95 % interval over subjects", loc="left", fontsize=13, weight="normal")
    ax.grid(axis="x")


def _draw_counts(ax: Axes, first: pd.DataFrame, second: pd.DataFrame) -> None:
    right_a, right_b = _recognised(first), _recognised(second)
    right_b = right_b[right_a.index]
    counts = np.array([[(right_a & right_b).sum(), (right_a & ~right_b).sum()],
                       [(~right_a & right_b).sum(), (~right_a & ~right_b).sum()]])  # fmt: skip
    for (row, column), count in np.ndenumerate(counts):
        one_alone = row != column
        colour = _MATRIX if one_alone else "#EEEEEE"
        ax.add_patch(_square(column, row, colour))
        ax.text(column + 0.5, row + 0.5, f"{count}", ha="center", va="center", fontsize=20, color=readable_on(colour))
    ax.set(xlim=(0, 2), ylim=(2, 0), aspect="equal")
    ax.set_xticks([0.5, 1.5], ["b right", "b wrong"])
    ax.set_yticks([0.5, 1.5], ["a right", "a wrong"])
    ax.set_title("clips, first seed of each", fontsize=13, weight="normal")


def _square(x: float, y: float, colour: str) -> Rectangle:
    return Rectangle((x, y), 1, 1, facecolor=colour, edgecolor="white", linewidth=4)


def _recognised(frame: pd.DataFrame) -> pd.Series:
    """Return by clip whether its first seed got it right."""
    frame = frame[frame["seed"] == frame["seed"].min()]
    right = predicted_classes(frame) == frame["y_true"].to_numpy()
    return pd.Series(right, index=frame["sample_id"].to_numpy())
