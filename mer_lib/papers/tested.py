"""Published claims put to the test: the paired difference of two measured rows, and what it says of the claim."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mer_lib.evaluation.intervals import Interval
from mer_lib.evaluation.statistics import difference_interval, holm, shared
from mer_lib.papers.entries import CLAIM_COLUMNS, Entry, no_claims
from mer_lib.papers.measurement import Measurement
from mer_lib.papers.parts import HERE, label_of, may_stand_in, part_of, place_of, score_row
from mer_lib.papers.published_claims import PublishedClaim, table_claims
from mer_lib.papers.verdicts import Difference, claim_verdict, noise_floor


class Row(NamedTuple):
    """A measured row: a variant of a measurement."""

    measurement: Measurement
    label: str

    def predictions(self, subset: str) -> pd.DataFrame:
        """Return the chosen predictions of all seeds, protocol ``fixed``, of one subset."""
        return part_of(self.measurement.predictions[self.label, "fixed"], subset)

    def spread(self, metric: str, subset: str) -> tuple[float, int]:
        """Return the standard deviation over seeds of a score, NaN for one seed, and the number of seeds."""
        found = score_row(self.measurement, self.label, subset, metric, "fixed")
        return (np.nan, 1) if found is None else (float(found["sd"]), int(found["seeds"]))


#: From the printed name of a row to the measured one, or to the reason why there is none.
Finder = Callable[[str], Row | str]


@dataclass(frozen=True)
class Compared:
    """The difference between two rows before any correction.

    Attributes:
        interval: of the difference; None where nothing could be compared.
        noise: see :func:`mer_lib.papers.verdicts.noise_floor`.
        data: label of the data.
        kind: "real", "synthetic", "toy"; empty where nothing could be compared.
        why: why these data cannot decide a claim; empty where they can.
        seeds: the smaller number of seeds.
        n: samples compared.
    """

    interval: Interval | None
    noise: float = np.nan
    data: str = ""
    kind: str = ""
    why: str = ""
    seeds: int = 0
    n: int = 0


def compare(first: Row | str, second: Row | str, metric: str, dataset: str, stand_in: bool) -> Compared:
    """Compare two measured rows on the samples that both predicted, protocol ``fixed``, mean over seeds.

    Args:
        first, second: the difference is first minus second; a text says why a row was not measured.
        metric: as in the table of published numbers.
        dataset: likewise; see :func:`mer_lib.papers.parts.place_of`.
        stand_in: see there.
    """
    if isinstance(first, str) or isinstance(second, str):
        missing = [row for row in (first, second) if isinstance(row, str)]
        return Compared(None, why="; ".join(dict.fromkeys(missing)))
    data, other = first.measurement.dataset, second.measurement.dataset
    if data.digest != other.digest:
        return Compared(None, why=f"measured on different data: {data.label} and {other.label}")
    place = place_of(first.measurement, dataset, stand_in)
    if place.subset is None:
        return Compared(None, why=place.other)
    both = shared(first.predictions(place.subset), second.predictions(place.subset))
    if both is None:
        return Compared(None, why="the two rows were tested on other samples, none of them in common")
    interval = difference_interval(*both, metric=HERE.get(metric, metric))
    spreads = (*first.spread(metric, place.subset), *second.spread(metric, place.subset))
    count = int(both[0]["sample_id"].nunique())
    why = place.other or _meaningless(first.measurement)
    return Compared(interval, noise_floor(*spreads), data.label, data.kind, why, interval.n_seeds, count)


def _meaningless(measurement: Measurement) -> str:
    return "scores of profile smoke mean nothing" if measurement.profile == "smoke" else ""


def judged_claims(experiment_id: str, claims: Sequence[PublishedClaim], find: Finder, stand_in: bool) -> pd.DataFrame:
    """Test the claims of one table.

    Args:
        experiment_id: whose claims they are.
        claims: all of them: p-values are corrected for those that could be measured.
        find: from the printed name of a row to the measured one.
        stand_in: see :func:`compare`.

    Returns:
        One row a claim, with :data:`mer_lib.papers.entries.CLAIM_COLUMNS`.
    """
    found = [compare(find(claim.better), find(claim.worse), claim.metric, claim.dataset, stand_in) for claim in claims]
    corrected = _corrected(found)
    rows = [
        {"experiment": experiment_id, **_row(claim, compared, p)}
        for claim, compared, p in zip(claims, found, corrected, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(CLAIM_COLUMNS))


def trained_claims(entry: Entry, found: Measurement | str) -> pd.DataFrame:
    """Test the claims of a published table or figure; none where it ranks nothing, as a confusion matrix.

    Args:
        entry: one that is trained.
        found: its measurement, or why there is none.
    """
    experiment = entry.experiment
    by = experiment.reported.by if experiment and experiment.reported else None
    if experiment is None or by is None:
        return no_claims()

    def find(printed: str) -> Row | str:
        if isinstance(found, str):
            return found
        label = label_of(experiment, printed, printed)
        if label is None:
            return f"{printed} is not among the experiment's variants"
        return Row(found, label) if label in found.variants else f"{label} was not measured"

    return judged_claims(entry.id, table_claims(entry.id, by), find, may_stand_in(entry.id))


def _row(claim: PublishedClaim, compared: Compared, p: float) -> dict[str, Any]:
    interval = compared.interval
    measured = Difference(interval.point, interval.low, interval.high, p, compared.noise) if interval else None
    word, because = claim_verdict(measured, compared.why)
    return {
        "claim": str(claim),
        "metric": claim.metric,
        "dataset": claim.dataset,
        "published_difference": claim.difference,
        "measured_difference": measured.value if measured else np.nan,
        "low": measured.low if measured else np.nan,
        "high": measured.high if measured else np.nan,
        "p": p,
        "noise": compared.noise,
        "data": compared.data,
        "kind": compared.kind,
        "verdict": word,
        "because": because,
    }


def _corrected(found: Sequence[Compared]) -> list[float]:
    known = {str(i): each.interval.p_zero for i, each in enumerate(found) if each.interval}
    adjusted = holm({key: p for key, p in known.items() if not np.isnan(p)})
    return [adjusted.get(str(i), np.nan) for i in range(len(found))]
