"""The papers' tables of their data as cells: counted again in the real data that are here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from mer_lib import datasets
from mer_lib.datasets.collection import Collection, gather
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.papers.cells import published_cells, without
from mer_lib.papers.data_tables import count
from mer_lib.papers.entries import CELL_COLUMNS
from mer_lib.papers.verdicts import value_verdict

_NONE_HERE = "the paper counted real data, and none are here"


def real_collection(dataset: FlowMapDataset) -> Collection | None:
    """Return all real data that are here, `dataset` among them; None where there are none."""
    found = [dataset] if dataset.kind == "real" else []
    unusable: list[str] = []  # what cannot be used is not counted
    return next(iter(gather([*found, *datasets.present("real", unusable=unusable)])), None)


def counted_cells(experiment_id: str, collection: Collection | None, only: Sequence[str] = ()) -> pd.DataFrame:
    """Fill the cells of a table of data with what is counted in real data.

    Args:
        experiment_id: a key of :data:`mer_lib.papers.data_tables.TABLES`.
        collection: real data, None where there are none.
        only: quantities to count, all where empty.

    Returns:
        Cells with :data:`mer_lib.papers.entries.CELL_COLUMNS`; where nothing can be counted, `reason` says why.
    """
    rows = [
        cell | _counted(experiment_id, cell, collection)
        for cell in published_cells(experiment_id).to_dict("records")
        if not only or cell["metric"] in only
    ]
    return pd.DataFrame(rows, columns=list(CELL_COLUMNS))


def _counted(experiment_id: str, cell: Mapping[str, Any], collection: Collection | None) -> dict[str, Any]:
    if collection is None:
        return without(_NONE_HERE)
    value, why, how = count(experiment_id, cell["dataset"], cell["metric"], collection, datasets.label_sets())
    if value is None:
        return without(why)
    word, because = value_verdict(cell["published"], value)
    source = f"counted in: {how}"
    return {
        "measured": value,
        "data": repr(collection).strip("<>"),
        "kind": collection.kind,
        "verdict": word,
        "because": f"{because}; {source}" if because else source,
    }
