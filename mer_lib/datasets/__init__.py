"""Data sets: a samples table, one row a clip, the flow map of each clip, and its frames where they are there.

>>> from mer_lib.datasets import load
>>> load("toy_flow").maps().shape
(48, 28, 28, 3)
"""

from __future__ import annotations

from mer_lib.datasets.catalogue import label_sets, load, load_clips, present
from mer_lib.datasets.checking import CheckReport, check
from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.ensure import ensure
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.datasets.maps import CHANNELS, MAP_SIZE
from mer_lib.datasets.presence import BEST, Presence, available, best
from mer_lib.datasets.recorded.labelling import labelled
from mer_lib.datasets.samples import CLASSES, check_samples, qualified_subjects

__all__ = [
    "BEST",
    "CHANNELS",
    "CLASSES",
    "MAP_SIZE",
    "CheckReport",
    "ClipDataset",
    "FlowMapDataset",
    "Presence",
    "available",
    "best",
    "check",
    "check_samples",
    "ensure",
    "label_sets",
    "labelled",
    "load",
    "load_clips",
    "present",
    "qualified_subjects",
]
