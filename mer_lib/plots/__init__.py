"""Figures: pure functions that take data or measurements and return a matplotlib figure with a caption under it."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from mer_lib.papers.measure import Measurement
from mer_lib.plots.confusion import confusion
from mer_lib.plots.flow_maps import arrows, channels, class_means, four_regions, pick, samples_per_class
from mer_lib.plots.scores import ablation_line, learning_curves, optimism_gap, score_points

__all__ = [
    "ablation_line",
    "arrows",
    "channels",
    "class_means",
    "confusion",
    "figure_of",
    "four_regions",
    "learning_curves",
    "optimism_gap",
    "pick",
    "samples_per_class",
    "score_points",
]


def figure_of(measurement: Measurement) -> Figure:
    """Draw the figure that an experiment asks for: points, a line along its axis, or confusion matrices."""
    draw: dict[str, Callable[[Measurement], Figure]] = {
        "bars": score_points,
        "line": ablation_line,
        "confusion": confusion,
    }
    return draw[measurement.experiment.figure](measurement)
