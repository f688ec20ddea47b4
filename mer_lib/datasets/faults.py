"""What is wrong with a data set on a disk: one record a fault, all of them collected before anybody is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

import pandas as pd

Effect = Literal["unusable", "excludes", "noted"]
#: From the worst on. "unusable": the data set cannot be worked with. "excludes": this one sample cannot be.
#: "noted": nothing is left out, but whoever trusts a number should know.
EFFECTS: tuple[Effect, ...] = get_args(Effect)

Kind = Literal[
    "annotation",  # the workbook or list: missing, damaged, a column lacks
    "duplicate key",  # two rows for one clip
    "unknown emotion",  # a word that the label rules do not know
    "contradiction",  # two places say different things of one clip
    "frame numbers",  # not whole numbers, not in order, no apex
    "correction",  # the manifest repaired a value
    "missing clip",  # a row without frames
    "extra clip",  # frames without a row
    "missing frames",  # gaps, or a key moment that has no frame
    "unreadable image",
    "unreadable video",
    "odd size",
    "odd frame rate",
    "no face",  # none is found in the frame that it is looked for in
    "file",  # a file that is missing, damaged or too many
    "count",  # not the number of clips, classes or subjects that the manifest expects
]
KINDS: tuple[Kind, ...] = get_args(Kind)
FAULT_COLUMNS = ("effect", "kind", "sample_id", "message")


class Fault(NamedTuple):
    """One thing that is wrong.

    Attributes:
        effect: what follows from it, see :data:`EFFECTS`.
        kind: one of :data:`KINDS`.
        message: one line for the user: where, what was expected, what came.
        sample_id: of the clip it is about; empty where it is about the whole data set.
    """

    effect: Effect
    kind: Kind
    message: str
    sample_id: str = ""

    def __str__(self) -> str:
        return f"{self.sample_id}: {self.message}" if self.sample_id else self.message


def fault_table(faults: Iterable[Fault]) -> pd.DataFrame:
    """Return faults as a table, the worst first, then by kind and sample; columns are :data:`FAULT_COLUMNS`."""
    order = sorted(faults, key=lambda fault: (EFFECTS.index(fault.effect), KINDS.index(fault.kind), fault.sample_id))
    rows = [(fault.effect, fault.kind, fault.sample_id, fault.message) for fault in order]
    return pd.DataFrame(rows, columns=list(FAULT_COLUMNS), dtype="string")


def exclusions(faults: Iterable[Fault]) -> pd.DataFrame:
    """Return the samples that faults exclude, one row each: sample_id, and `reason` with all that is wrong with it."""
    table = fault_table(fault for fault in faults if fault.effect == "excludes")
    reasons = table.groupby("sample_id", sort=True)["message"].agg("; ".join)
    return reasons.rename("reason").reset_index().astype("string")
