"""The 32 published experiments of the five papers as one set, and reading from a store what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cached_property

import pandas as pd

from mer_lib.datasets.collection import Collection
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.errors import DataError, ParameterError, StoreError, last_line
from mer_lib.evaluation.store import PredictionStore
from mer_lib.papers import reported
from mer_lib.papers.cells import own_cells, published_cells, trained_cells, with_checks, without
from mer_lib.papers.computed import computed_cells
from mer_lib.papers.computed_gains import text_claims
from mer_lib.papers.counted import counted_cells, real_collection
from mer_lib.papers.data_tables import TABLES
from mer_lib.papers.data_used import data_at_hand, needs_frames
from mer_lib.papers.entries import (
    CELL_COLUMNS,
    CLAIM_COLUMNS,
    Entry,
    EntryResult,
    How,
    PaperResults,
    no_cells,
    no_claims,
)
from mer_lib.papers.experiments import Experiment, experiments, known
from mer_lib.papers.measure import NOT_COMPUTED, Measurement, NothingMeasured, is_due, measure
from mer_lib.papers.processes import side_by_side
from mer_lib.papers.quoted_rows import rows_needed
from mer_lib.papers.tested import trained_claims
from mer_lib.papers.verdicts import RULES

__all__ = ["CELL_COLUMNS", "CLAIM_COLUMNS", "Entry", "EntryResult", "PaperResults", "collect", "paper_set"]


def paper_set() -> dict[str, Entry]:
    """Return the 32 entries by id, in the order of the papers.

    >>> len(paper_set()), paper_set()["htnet.table1"].how
    (32, 'counted')
    """
    trained = experiments()
    return {name: _entry(source, trained.get(name)) for name, source in reported.experiments().items()}


def collect(
    names: Sequence[str] | None,
    profile: str,
    dataset: FlowMapDataset,
    store: PredictionStore,
    *,
    seeds: Sequence[int] | None = None,
    jobs: int = 1,
) -> PaperResults:
    """Read from `store` what became of entries and experiments; nothing is trained, and no data are made.

    Args:
        names: ids of entries and of other experiments; None for all that there are.
        profile: "smoke", "quick" or "paper".
        dataset: what somebody named; experiments that need frames take others where it has none.
        store: of predictions.
        seeds: the profile's own where None.
        jobs: processes that measure side by side what was not measured before.

    Raises:
        ParameterError: a name is unknown.
    """
    everything = [*paper_set(), *(name for name in experiments() if name not in paper_set())]
    wanted = {known(name, everything, "experiment") for name in names or everything}
    reader = _Reader(profile, dataset, store, seeds)
    reader.prepare(wanted.union(*(rows_needed(name) for name in wanted)), jobs)
    return PaperResults(profile, {name: reader.result(name) for name in everything if name in wanted}, RULES)


def _entry(source: reported.ReportedExperiment, experiment: Experiment | None) -> Entry:
    how: How = "computed" if source.kind in ("text", "derived") else "counted" if source.id in TABLES else "trained"
    return Entry(source.id, source, how, experiment, _needs(source.id, how, experiment))


def _needs(name: str, how: How, experiment: Experiment | None) -> str:
    if how == "counted":
        return "the annotation of the real data sets, or their flow maps"
    if how == "computed":
        needed = sorted(rows_needed(name))
        return f"measurements of {', '.join(needed)}" if needed else "nothing but what was printed, and the networks"
    if experiment is None:
        return "an experiment that trains it, which this laboratory has not"
    return "clips with frames" if needs_frames(experiment, "paper") else "flow maps or clips"


class _Reader:
    """Reads a store once for all entries that need the same experiment."""

    def __init__(
        self, profile: str, dataset: FlowMapDataset, store: PredictionStore, seeds: Sequence[int] | None
    ) -> None:
        self.profile, self.dataset, self.store, self.seeds = profile, dataset, store, seeds
        self._found: dict[str, Measurement | NothingMeasured | str] = {}

    @cached_property
    def collection(self) -> Collection | None:
        """The real data that are here."""
        return real_collection(self.dataset)

    def prepare(self, names: Iterable[str], jobs: int) -> None:
        """Measure side by side what is due, so that it is found on disk afterwards; see :mod:`mer_lib.papers.kept`."""
        if jobs > 1:
            due = [name for name in sorted(names) if name in experiments() and self._is_due(name)]
            side_by_side(self._keep, due, jobs)

    def _is_due(self, name: str) -> bool:
        with suppress(DataError, ParameterError):  # measuring it says what is wrong
            return is_due(experiments()[name], self.profile, self._data(name), self.store, self.seeds)
        return False

    def _keep(self, name: str) -> None:
        self._measure(name)

    def _data(self, name: str) -> FlowMapDataset:
        return data_at_hand(experiments()[name], self.profile, self.dataset)

    def result(self, name: str) -> EntryResult:
        """Return what became of one entry or experiment."""
        entry = paper_set().get(name)
        if entry is None:
            return self._own(name)
        if entry.how == "counted":
            cells = counted_cells(name, self.collection)
        elif entry.how == "computed":
            cells = computed_cells(name, self.measured, self.collection)
        else:
            return self._trained(entry)
        claims = text_claims(name, cells, self.measured)
        return EntryResult(entry, name, with_checks(cells), claims, reason=_reason_of(cells))

    def measured(self, name: str) -> Measurement | str:
        """Return the measurement of an experiment, or why there is none."""
        found = self._measured(name)
        return _why(name, found)[0] if isinstance(found, NothingMeasured) else found

    def _measured(self, name: str) -> Measurement | NothingMeasured | str:
        if name not in self._found:
            self._found[name] = self._measure(name)
        return self._found[name]

    def _measure(self, name: str) -> Measurement | NothingMeasured | str:
        experiment = experiments().get(name)
        if experiment is None:
            return "this laboratory has no experiment that trains it"
        try:
            return measure(experiment, self.profile, self._data(name), self.store, seeds=self.seeds)
        except NothingMeasured as error:
            return error
        except (StoreError, DataError, ParameterError) as error:
            return str(error)

    def _own(self, name: str) -> EntryResult:
        found = self._measured(name)
        if not isinstance(found, Measurement):
            return EntryResult(None, name, no_cells(), no_claims(), None, *_why(name, found))
        return EntryResult(None, name, own_cells(found), no_claims(), found, failures=found.failed)

    def _trained(self, entry: Entry) -> EntryResult:
        found = self._measured(entry.id)
        if not isinstance(found, Measurement):
            reason, failures = _why(entry.id, found)
            cells = published_cells(entry.id).assign(**without(reason))
            return EntryResult(
                entry, entry.id, with_checks(cells), trained_claims(entry, reason), None, reason, failures
            )
        cells, claims = trained_cells(entry, found), trained_claims(entry, found)
        return EntryResult(entry, entry.id, with_checks(cells), claims, found, failures=found.failed)


def _why(name: str, found: NothingMeasured | str) -> tuple[str, dict[str, str]]:
    """Return why nothing was measured, in a sentence, and what failed, by variant."""
    if isinstance(found, str):
        return found, {}
    if all(text.startswith(NOT_COMPUTED) for text in found.failed.values()):
        return f"{NOT_COMPUTED} yet: `mer run {name}` does it", found.failed
    return "; ".join(f"{label}: {last_line(text)}" for label, text in found.failed.items()), found.failed


def _reason_of(cells: pd.DataFrame) -> str:
    """Return why no cell has a measured value; empty where one has."""
    if cells["measured"].notna().any():
        return ""
    clauses = (clause for reason in cells["reason"] for clause in reason.split("; "))
    return "; ".join(dict.fromkeys(clauses))
