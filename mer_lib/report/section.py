"""What the page shows of one entry: the published table, its claims, what was measured, and what failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mer_lib.errors import last_line
from mer_lib.papers import reported
from mer_lib.papers.entries import EntryResult
from mer_lib.papers.experiments import experiments
from mer_lib.papers.measure import NOT_COMPUTED
from mer_lib.plots.exploration.look import number_of
from mer_lib.plots.style import MARKS
from mer_lib.report import cell_tables, claims, provenance
from mer_lib.report.headline import Headline, headline
from mer_lib.report.measured import Measured, measured
from mer_lib.report.published import PaperGrid, paper_grid
from mer_lib.report.views import TableView

#: How a published table is to be read beside measured values.
LEGEND = (
    "First line of a cell: published. Below it: measured here, with its 95 % interval, or computed: arithmetic, and "
    "settings that profile paper takes from the article itself. Below that: the verdict; none where these data cannot "
    "decide."
)
#: What is said of the way in which an entry is measured.
HOW = {
    "trained": "trained",
    "counted": "counted",
    "computed": "computed",
    "laboratory": "an experiment of this laboratory",
    "own": "a grid of your own",
}


@dataclass(frozen=True)
class Section:
    """All that the page shows of one entry, or of one experiment that is none of a paper's.

    Attributes:
        anchor: where the page shows it.
        how: one of :data:`HOW`.
        kinds: of the data behind its measured values: "real", "synthetic", "toy", "computed".
        failures: (variant, last line, traceback) of what failed.
        waiting: (variant, why) of what was not computed.
        counts: how often each verdict was given, in words ("12 claims", "1 number") and by verdict: claims and
            published numbers each by themselves.
    """

    anchor: str
    result: EntryResult
    title: str
    question: str
    how: str
    kinds: tuple[str, ...]
    source: reported.ReportedExperiment | None
    paper: reported.Paper | None
    place: str
    headline: Headline
    counts: list[tuple[str, list[tuple[str, str, int]]]]
    grid: PaperGrid | None
    cells: TableView | None
    misprints: TableView | None
    impossible: TableView | None
    drawn: TableView | None
    claims: TableView | None
    drawn_claims: TableView | None
    failures: list[tuple[str, str, str]]
    waiting: list[tuple[str, str]]
    measured: Measured | None
    command: str

    @property
    def id(self) -> str:
        """The id of the entry."""
        return self.result.id

    @property
    def trained_on(self) -> str:
        """The kind of data that its methods were trained and tested on; empty where none were."""
        return self.result.measurement.dataset.kind if self.result.measurement else ""

    @property
    def marks(self) -> list[str]:
        """What to write on it where its numbers come from no recorded faces."""
        return [MARKS[kind] for kind in MARKS if kind in self.kinds]

    @property
    def why_not(self) -> str:
        """The first reason why nothing was measured; empty where something was."""
        first, _, others = self.result.reason.strip().split("\n")[0].partition("; ")
        return f"{first}; …" if others else first

    @property
    def legend(self) -> str:
        """How to read the published table; empty where nothing stands beside its numbers."""
        return LEGEND if self.grid and self.grid.measured else ""

    @property
    def faults(self) -> list[str]:
        """What its audit found."""
        return self.measured.faults if self.measured else []


def section(result: EntryResult, options: str, pictures: Mapping[str, str]) -> Section:
    """Collect what the page shows of one entry.

    Args:
        result: of :func:`mer_lib.papers.paper_set.collect`.
        pictures: its figures, of :func:`mer_lib.report.stills.stills`; empty where it has no measurement.
        options: of the command that computes what was not measured, such as ``--profile quick``.
    """
    source = _source(result)
    cells = result.cells if result.entry else result.cells[:0]
    grid, measurement = paper_grid(cells), result.measurement
    return Section(
        anchor=result.id.replace(".", "-"),
        result=result,
        title=_title(result),
        question=_question(result),
        how=_how(result),
        kinds=kinds_of(result),
        source=source,
        paper=reported.papers()[source.paper] if source else None,
        place=source.place if source else "",
        headline=headline(result),
        counts=[
            (number_of(len(table), what), claims.verdict_counts(table))
            for what, table in (("claim", result.claims), ("number", cells))
            if len(table)
        ],
        grid=grid,
        cells=cell_tables.cell_table(cells),
        misprints=cell_tables.misprint_table(cells),
        impossible=cell_tables.impossible_table(cells),
        drawn=cell_tables.drawn_table(cells) if measurement is None else None,
        claims=claims.claim_table(result.claims),
        drawn_claims=claims.drawn_claim_table(result.claims),
        failures=_failures(result),
        waiting=_waiting(result),
        measured=measured(measurement, grid is None, pictures, _printed(source)) if measurement else None,
        command=provenance.command(result, options),
    )


def kinds_of(result: EntryResult) -> tuple[str, ...]:
    """Return the kinds of data behind an entry's measured values, each once."""
    cells = result.cells
    found = list(cells.loc[cells["measured"].notna(), "kind"]) if len(cells) else []
    if result.measurement is not None:
        found.append(result.measurement.dataset.kind)
    return tuple(dict.fromkeys(kind for kind in found if kind))


def _source(result: EntryResult) -> reported.ReportedExperiment | None:
    """Return where the published numbers stand: also those beside which an experiment of the laboratory is set."""
    if result.entry is not None:
        return result.entry.source
    chosen = experiments().get(result.id)
    if chosen is None or chosen.reported is None:
        return None
    return reported.experiments()[chosen.reported.experiment]


def _printed(source: reported.ReportedExperiment | None) -> list[str]:
    """Return the metrics that a paper prints, in its own names."""
    return list(dict.fromkeys(reported.reported(source.id)["metric"])) if source else []


def _title(result: EntryResult) -> str:
    if result.entry is None:
        return _declared(result, "title", result.id)
    source = result.entry.source
    return f"{source.place.capitalize()}: {source.title}"


def _question(result: EntryResult) -> str:
    return _declared(result, "question", "")


def _declared(result: EntryResult, name: str, default: str) -> Any:
    chosen = result.measurement.experiment if result.measurement else experiments().get(result.id)
    return getattr(chosen, name, default)


def _how(result: EntryResult) -> str:
    if result.entry is not None:
        return result.entry.how
    return "own" if result.id.startswith("own.") else "laboratory"


def _unfinished(result: EntryResult) -> dict[str, str]:
    """Return all variants that have no result: those that failed, and those that were not computed."""
    return result.failures | (result.measurement.failed if result.measurement else {})


def _waiting(result: EntryResult) -> list[tuple[str, str]]:
    """Return what is not computed of an entry that is measured in part; of others the reason says it."""
    if result.measurement is None:
        return []
    return [(label, text) for label, text in _unfinished(result).items() if text.startswith(NOT_COMPUTED)]


def _failures(result: EntryResult) -> list[tuple[str, str, str]]:
    return [
        (label, last_line(text), text)
        for label, text in _unfinished(result).items()
        if text.strip() and not text.startswith(NOT_COMPUTED)
    ]
