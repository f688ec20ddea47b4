"""What a layout reads from an annotation: one row a clip in the same columns for every data set, and all faults."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from mer_lib.datasets.faults import Fault

#: subject and clip are written as in sample ids. Frame numbers are Int64, missing where the cell holds no whole
#: number. `emotion` is lower-case text in the words of the label rules, `notes` what the annotators wrote, `place`
#: where the row stands ("Sheet1 row 31"). All but subject, clip and place may be missing.
ROW_COLUMNS: tuple[str, ...] = (
    "subject", "clip", "onset", "apex", "offset", "emotion", "action_units", "objective_class", "notes", "place",
)  # fmt: skip
FRAME_COLUMNS: tuple[str, ...] = ("onset", "apex", "offset")


class Annotation(NamedTuple):
    """An annotation as read: `rows` in file order with the columns of :data:`ROW_COLUMNS`, all `faults`, its `file`."""

    rows: pd.DataFrame
    faults: list[Fault]
    file: Path | None


def typed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return `rows` with the columns of :data:`ROW_COLUMNS` in their order and types; lacking columns are missing."""
    frame = rows.reindex(columns=list(ROW_COLUMNS))
    return frame.astype({name: "Int64" if name in FRAME_COLUMNS else "string" for name in ROW_COLUMNS})
