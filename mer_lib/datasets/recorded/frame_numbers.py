"""Frame numbers that cannot be: an onset after the offset, an apex outside of the two, an apex on the onset."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mer_lib.datasets.faults import Fault


def sensible(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[Fault]]:
    """Keep what can be true of the frame numbers of annotation rows, after the corrections.

    An apex outside of onset and offset is taken as not annotated: another can be spotted. A clip that ends before it
    starts is excluded. An apex on the onset is noted: it can be used, but nothing moves between the two.

    Args:
        rows: with the columns sample_id, onset, apex, offset (Int64) and apex_source.

    Returns:
        A copy of `rows` in which onset <= apex <= offset and onset < offset wherever they are given, and all faults.
    """
    rows = rows.copy()
    impossible = (rows["onset"] >= rows["offset"]).fillna(False) | (rows[["onset", "offset"]] < 0).any(axis=1)
    outside = ((rows["apex"] < rows["onset"]) | (rows["apex"] > rows["offset"])).fillna(False) & ~impossible
    resting = (rows["apex"] == rows["onset"]).fillna(False) & ~impossible
    faults = [*_impossible(rows[impossible]), *_outside(rows[outside]), *_resting(rows[resting])]
    rows.loc[impossible, ["onset", "apex", "offset"]] = pd.NA
    rows.loc[outside, "apex"] = pd.NA
    rows.loc[rows["apex"].isna(), "apex_source"] = pd.NA
    return rows, faults


def _impossible(rows: pd.DataFrame) -> Iterator[Fault]:
    for row in rows.itertuples():
        message = f"onset {row.onset} and offset {row.offset}: expected 0 <= onset < offset"
        yield Fault("excludes", "frame numbers", message, row.sample_id)


def _outside(rows: pd.DataFrame) -> Iterator[Fault]:
    for row in rows.itertuples():
        message = f"apex {row.apex} lies outside of onset {row.onset} and offset {row.offset}: taken as not annotated"
        yield Fault("noted", "frame numbers", message, row.sample_id)


def _resting(rows: pd.DataFrame) -> Iterator[Fault]:
    for row in rows.itertuples():
        message = f"apex {row.apex} lies on the onset: there is no movement between the two"
        yield Fault("noted", "frame numbers", message, row.sample_id)
