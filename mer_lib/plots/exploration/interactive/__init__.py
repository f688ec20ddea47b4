"""The figures as plotly draws them, to be pointed at, zoomed and folded; each has a twin in ``printed``."""

from __future__ import annotations

from mer_lib.plots.exploration.interactive.counts import classes_by_dataset, emotions, imbalance, label_rules
from mer_lib.plots.exploration.interactive.frames import apex_frames
from mer_lib.plots.exploration.interactive.moments import apex_position, durations
from mer_lib.plots.exploration.interactive.subjects import classes_by_subject, subjects_by_samples
from mer_lib.plots.exploration.interactive.units import unit_frequencies, unit_pairs

__all__ = [
    "apex_frames",
    "apex_position",
    "classes_by_dataset",
    "classes_by_subject",
    "durations",
    "emotions",
    "imbalance",
    "label_rules",
    "subjects_by_samples",
    "unit_frequencies",
    "unit_pairs",
]
