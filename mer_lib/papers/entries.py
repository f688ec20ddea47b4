"""What the paper set consists of: 32 entries, what was measured for each, cell by cell and claim by claim."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from mer_lib.papers.experiments import Experiment
from mer_lib.papers.measurement import Measurement
from mer_lib.papers.reported import ReportedExperiment

How = Literal["trained", "counted", "computed"]

#: One row a published number, see :attr:`EntryResult.cells`.
CELL_COLUMNS = (
    "experiment", "method", "variant", "dataset", "metric", "unit", "published", "printed", "status", "note",
    "possible", "possible_why",
    "measured", "low", "high", "sd", "seeds", "n", "protocol", "data", "kind",
    "reason", "verdict", "because",
)  # fmt: skip
#: One row a published claim, see :attr:`EntryResult.claims`.
CLAIM_COLUMNS = (
    "experiment", "claim", "metric", "dataset", "published_difference", "measured_difference", "low", "high", "p",
    "noise", "data", "kind", "verdict", "because",
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One of the 32 published tables, figures and texts, and the way in which it is measured.

    Attributes:
        id: its id among the published numbers, such as "htnet.table4".
        source: what it is in its article.
        how: "trained" (methods are fitted and tested), "counted" (samples of the data at hand) or "computed" (from the
            measurements of other entries, from networks that are built but not trained, or by arithmetic).
        experiment: what is trained, where something is.
        needs: what has to be at hand, in words.
    """

    id: str
    source: ReportedExperiment
    how: How
    experiment: Experiment | None
    needs: str


@dataclass(frozen=True, eq=False)
class EntryResult:
    """What one entry came to.

    Attributes:
        entry: the published table, figure or text; None for experiments of the laboratory and of the reader.
        id: its id, or that of the experiment.
        cells: one row a published number, with :data:`CELL_COLUMNS`: as in :func:`mer_lib.papers.reported.reported`
            (`published` is the value to show), `possible` ("", "possible", "impossible", "undecided") with
            `possible_why`,
            `measured` in the published unit with the interval `low` to `high` and the spread `sd` over `seeds`, all NaN
            where `reason` says why there is none; `n` samples; `protocol`; `data` (label of the data) of `kind` "real",
            "synthetic", "toy" or "computed"; `verdict` and `because`, see :mod:`mer_lib.papers.verdicts`.
        claims: one row a published claim, with :data:`CLAIM_COLUMNS`; differences as fractions (0 to 1), `p` corrected
            after Holm over the claims of the entry, `noise` the spread over seeds that a difference has to exceed.
        measurement: of what was trained; None where nothing was or no variant is complete.
        reason: why nothing was measured, empty where something was.
        failures: by variant, the traceback of what failed, or "not computed".
    """

    entry: Entry | None
    id: str
    cells: pd.DataFrame
    claims: pd.DataFrame
    measurement: Measurement | None = None
    reason: str = ""
    failures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class PaperResults:
    """All entries and experiments that were asked for: the papers' in their order, then the others.

    Attributes:
        profile: "smoke", "quick" or "paper".
        entries: by id.
        rules: how verdicts are given, one sentence each, to be printed with them.
    """

    profile: str
    entries: dict[str, EntryResult]
    rules: tuple[str, ...]

    @property
    def measurements(self) -> dict[str, Measurement]:
        """The measurements of all that was trained, by id."""
        return {name: result.measurement for name, result in self.entries.items() if result.measurement is not None}

    def papers(self) -> Iterator[EntryResult]:
        """Yield the results of the papers' entries alone."""
        return (result for result in self.entries.values() if result.entry is not None)


def no_cells() -> pd.DataFrame:
    """Return a table of cells without rows."""
    return pd.DataFrame(columns=list(CELL_COLUMNS))


def no_claims() -> pd.DataFrame:
    """Return a table of claims without rows."""
    return pd.DataFrame(columns=list(CLAIM_COLUMNS))
