"""The report: one HTML page of what was measured, and the tables that it shares with the notebooks."""

from __future__ import annotations

from mer_lib.report.page import NotebookRecord, build
from mer_lib.report.tables import (
    audit_table,
    comparison_table,
    fold_mean_table,
    gap_table,
    parameter_table,
    score_table,
)

__all__ = [
    "NotebookRecord",
    "audit_table",
    "build",
    "comparison_table",
    "fold_mean_table",
    "gap_table",
    "parameter_table",
    "score_table",
]
