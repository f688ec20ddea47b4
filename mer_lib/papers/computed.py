"""The texts of the papers and numbers derived from them as cells: computed, nothing is trained for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mer_lib.datasets.collection import Collection
from mer_lib.papers.cells import published_cells, without
from mer_lib.papers.computed_gains import Measured, quoted
from mer_lib.papers.computed_numbers import from_numbers
from mer_lib.papers.computed_settings import parameters, setting
from mer_lib.papers.counted import counted_cells
from mer_lib.papers.entries import CELL_COLUMNS
from mer_lib.papers.verdicts import rounding

_COUNTS = ("male_subjects", "female_subjects", "classes")
#: Why nothing here can measure a number, by entry and metric.
_OUTSIDE = {
    ("mishin_yolo.text", "deepface_gender_accuracy_min"): "DeepFace is no part of this laboratory",
    ("mishin_yolo.text", "human_gender_accuracy"): "nobody was asked here",
}


def computed_cells(experiment_id: str, measured: Measured, collection: Collection | None) -> pd.DataFrame:
    """Fill the cells of a text or of derived numbers.

    Args:
        experiment_id: of an entry that is computed.
        measured: the measurements of the experiments that it needs, see
            :func:`mer_lib.papers.quoted_rows.rows_needed`.
        collection: real data to count in, None where there are none.

    Returns:
        Cells with :data:`mer_lib.papers.entries.CELL_COLUMNS`; where nothing can be computed, `reason` says why.
    """
    cells = published_cells(experiment_id)
    digits = {metric: rounding(rows["published"]) for metric, rows in cells.groupby("metric")}
    counts = _counts(experiment_id, collection)
    rows = [
        cell | (counts.get(cell["metric"]) or _filled(cell, measured, digits[cell["metric"]]))
        for cell in cells.to_dict("records")
    ]
    return pd.DataFrame(rows, columns=list(CELL_COLUMNS))


def _filled(cell: Mapping[str, Any], measured: Measured, tolerance: float) -> dict[str, Any]:
    name = str(cell["experiment"])
    if name == "htnet.derived.params":
        return parameters(cell)
    if ".derived." in name:
        return from_numbers(cell, tolerance)
    found = quoted(cell, measured, tolerance) or setting(cell, tolerance)
    return found or without(_OUTSIDE.get((name, cell["metric"]), "nothing here measures it"))


def _counts(experiment_id: str, collection: Collection | None) -> dict[str, dict[str, Any]]:
    if experiment_id != "mishin_yolo.text":
        return {}
    found = counted_cells(experiment_id, collection, _COUNTS)
    return {str(cell["metric"]): {str(key): value for key, value in cell.items()} for cell in found.to_dict("records")}
