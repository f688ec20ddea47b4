"""What notebooks call: checked parameters, and their data opened for training, for exploring, or for watching."""

from __future__ import annotations

from mer_lib.lab.exploring import explore
from mer_lib.lab.parameters import (
    ExperimentParameters,
    ExplorationParameters,
    NotebookParameters,
    TrainingParameters,
    check_parameters,
    matching,
    validated,
)
from mer_lib.lab.progress import PROGRESS_FILE, tell
from mer_lib.lab.session import Session, VariantWarning, start
from mer_lib.lab.watching import Watch, watch

__all__ = [
    "PROGRESS_FILE",
    "ExperimentParameters",
    "ExplorationParameters",
    "NotebookParameters",
    "Session",
    "TrainingParameters",
    "VariantWarning",
    "Watch",
    "check_parameters",
    "explore",
    "matching",
    "start",
    "tell",
    "validated",
    "watch",
]
