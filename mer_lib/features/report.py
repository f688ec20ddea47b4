"""How the inputs of clips came about, to be said beside every result on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

COLUMNS = ("sample_id", "points", "faces", "apex", "apex_by", "assumed", "still", "padded", "clipped", "repeated")


class Listener(Protocol):
    """Told after every clip; `done` of `total` clips that had to be made are behind it."""

    def __call__(self, done: int, total: int, sample_id: str) -> None:
        """Take note."""


@dataclass(frozen=True, eq=False)
class ClipsUsed:
    """What was found in clips, and what had to stand in for it.

    Attributes:
        table: one row a clip: sample_id; points ("detected", or "published": the constant ones); faces (how many were
            found); apex (index of the frame from 0); apex_by ("annotated", "middle", or the method that spotted it);
            assumed (which of onset and offset are not annotated, so first and last frame); still (apex = onset, so
            nothing can have moved); padded (share of an angle image without frames); clipped (how many of its windows
            reach beyond the clip); repeated (frames of a sequence that stand in it again). What a recipe does not know
            is missing.
    """

    table: pd.DataFrame

    @property
    def detected(self) -> int:
        """Clips on whose face landmarks were found."""
        return int((self.table["points"] == "detected").sum())

    @property
    def fallback(self) -> int:
        """Clips without a face, on which the published points stand in."""
        return int((self.table["points"] == "published").sum())

    @property
    def spotted(self) -> int:
        """Clips whose apex was neither annotated nor taken as the middle, but spotted."""
        return int((~self.table["apex_by"].isin(["annotated", "middle"]) & self.table["apex_by"].notna()).sum())

    @property
    def padded(self) -> float:
        """Mean share of the columns of angle images for which there are no frames; 0 for other recipes."""
        return float(pd.to_numeric(self.table["padded"]).fillna(0).mean()) if len(self.table) else 0.0

    def __str__(self) -> str:
        counts = {
            "published points": self.fallback,
            "several faces, the largest taken": int((pd.to_numeric(self.table["faces"]) > 1).sum()),
            "apex spotted": self.spotted,
            "apex taken as the middle": int((self.table["apex_by"] == "middle").sum()),
            "onset or offset not annotated": int((self.table["assumed"].fillna("") != "").sum()),
            "apex on the onset": int((self.table["still"] == True).sum()),  # noqa: E712 - missing is no answer
            "windows beyond the clip": int((pd.to_numeric(self.table["clipped"]) > 0).sum()),
            "frames repeated": int((pd.to_numeric(self.table["repeated"]) > 0).sum()),
        }
        told = [f"{what} on {count}" for what, count in counts.items() if count]
        told += [f"{100 * self.padded:.1f} % of columns padded"] if self.padded else []
        return "; ".join([f"landmarks detected on {self.detected} of {len(self.table)} clips", *told])


def clips_used(facts: Mapping[str, Mapping[str, Any]]) -> ClipsUsed:
    """Return the report on clips, by their ids, from what was noted when their inputs were made.

    >>> print(clips_used({"a/b/c": {"points": "detected", "faces": 1, "apex": 9, "apex_by": "annotated"}}))
    landmarks detected on 1 of 1 clips
    """
    rows = [
        {**known, "sample_id": name, "assumed": ", ".join(known.get("assumed", ()))} for name, known in facts.items()
    ]
    return ClipsUsed(pd.DataFrame(rows, columns=list(COLUMNS)))
