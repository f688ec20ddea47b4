"""Data sets: a samples table, one row a clip, and the flow map of each clip.

>>> from mer_lib.datasets import load
>>> load("toy_flow").maps().shape
(48, 28, 28, 3)
"""

from __future__ import annotations

from mer_lib.datasets.catalogue import BEST, CheckReport, Presence, available, check, load
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.datasets.maps import CHANNELS, MAP_SIZE
from mer_lib.datasets.samples import CLASSES, check_samples, qualified_subjects

__all__ = [
    "BEST",
    "CHANNELS",
    "CLASSES",
    "MAP_SIZE",
    "CheckReport",
    "FlowMapDataset",
    "Presence",
    "available",
    "check",
    "check_samples",
    "load",
    "qualified_subjects",
]
