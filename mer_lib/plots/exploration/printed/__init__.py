"""The figures as matplotlib draws them, for paper and slides; each has a twin in ``interactive``."""

from __future__ import annotations

from mer_lib.plots.exploration.printed.counts import classes_by_dataset, emotions, imbalance, label_rules
from mer_lib.plots.exploration.printed.frames import apex_frames
from mer_lib.plots.exploration.printed.moments import apex_position, durations
from mer_lib.plots.exploration.printed.subjects import classes_by_subject, subjects_by_samples
from mer_lib.plots.exploration.printed.units import unit_frequencies, unit_pairs

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
