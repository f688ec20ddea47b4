"""Apex spotting: in which frame is the movement strongest, where nobody has annotated it.

>>> import numpy as np
>>> from mer_lib.apex import spot
>>> spot(np.zeros((9, 64, 64), np.uint8), np.zeros((478, 2)), method="middle").index
4
"""

from __future__ import annotations

from mer_lib.apex.curves import REFERENCES, SEARCHES, Reference, Search, confidence
from mer_lib.apex.methods import NAMED, SMOOTHING_MS, CellDifference, DncRois, Middle, RegionFlow, Spotter
from mer_lib.apex.registration import REGISTRATIONS, Registration, registered, transforms
from mer_lib.apex.scoring import TASKS, Task, score, summary
from mer_lib.apex.spotting import METHODS, Spotted, spot

__all__ = [
    "METHODS",
    "NAMED",
    "REFERENCES",
    "REGISTRATIONS",
    "SEARCHES",
    "SMOOTHING_MS",
    "TASKS",
    "CellDifference",
    "DncRois",
    "Middle",
    "Reference",
    "RegionFlow",
    "Registration",
    "Search",
    "Spotted",
    "Spotter",
    "Task",
    "confidence",
    "registered",
    "score",
    "spot",
    "summary",
    "transforms",
]
