"""Known mistakes of the annotations, mended where a copy has them: the manifest says old value, new value and why."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from mer_lib.datasets.faults import Fault
from mer_lib.manifest import Correction


def corrected(rows: pd.DataFrame, corrections: Iterable[Correction]) -> tuple[pd.DataFrame, list[Fault]]:
    """Apply corrections to annotation rows, each only where a row holds the value that it mends.

    Args:
        rows: with the columns sample_id, onset, apex, offset, emotion and apex_source.
        corrections: of the data manifest.

    Returns:
        A copy of `rows` in which a mended apex has the source "corrected", and one "noted" fault a value mended.
    """
    rows = rows.copy()
    faults = []
    for correction in corrections:
        for at in rows.index[rows["sample_id"] == correction.sample_id]:
            if _holds(rows.loc[at], correction):
                faults.append(_mended(rows.at[at, correction.field], correction))
                rows.at[at, correction.field] = correction.new
                if correction.field == "apex":
                    rows.at[at, "apex_source"] = "corrected"
    return rows, faults


def _holds(row: pd.Series, correction: Correction) -> bool:
    value = row[correction.field]
    if correction.old is not None:
        return bool(pd.notna(value) and value == correction.old)
    return pd.isna(value) or (correction.field in ("apex", "offset") and not _in_order(row, correction.field))


def _in_order(row: pd.Series, field: str) -> bool:
    """Whether a frame number lies where it can, as far as the row says its neighbours."""
    value, onset, apex, offset = row[field], row["onset"], row["apex"], row["offset"]
    if field == "apex":
        return not ((pd.notna(onset) and value < onset) or (pd.notna(offset) and value > offset))
    return not ((pd.notna(onset) and value <= onset) or (pd.notna(apex) and value < apex))


def _mended(old: object, correction: Correction) -> Fault:
    was = "no value" if pd.isna(old) else old
    message = f"{correction.field}: {was} is read as {correction.new}. {correction.reason} Source: {correction.source}"
    return Fault("noted", "correction", message, correction.sample_id)
