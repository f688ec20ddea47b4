"""What a published table claims: that its best row is better than the others, and that a module helps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from mer_lib.evaluation.frames import FULL
from mer_lib.papers.reported import reported

#: Of several printed scores claims are read off the first.
LEADING = ("uf1", "micro_auc", "acc")


@dataclass(frozen=True)
class PublishedClaim:
    """One row of a table is better than another.

    Attributes:
        better, worse: names of the rows, as printed.
        metric: as in the table of published numbers.
        dataset: likewise.
        difference: of the two printed scores, above 0, as a fraction (0 to 1); of what the evidence suggests in their
            place where that is known and leaves the order as it is printed.
    """

    better: str
    worse: str
    metric: str
    dataset: str
    difference: float

    def __str__(self) -> str:
        return f"{self.better} is better than {self.worse}"


def table_claims(experiment_id: str, by: str) -> list[PublishedClaim]:
    """Read the claims off a published table.

    >>> [str(claim) for claim in table_claims("capsulenet.table3", "method")]
    ['CapsuleNet + ResNet18 is better than CapsuleNet + VGG11']

    Args:
        experiment_id: of published numbers.
        by: the column that names the rows, "method" or "variant".

    Returns:
        Claims on the leading score (:data:`LEADING`), on the composite where the table has one, else on every data
        set; equal rows claim nothing. Which row is better is read off the print, never off numbers from elsewhere: a
        paper does not claim what others suggest.
    """
    table = reported(experiment_id)
    metric = next(name for name in LEADING if name in set(table["metric"]))
    table = table[table["metric"] == metric]
    datasets = [FULL] if FULL in set(table["dataset"]) else list(dict.fromkeys(table["dataset"]))
    found: list[PublishedClaim] = []
    for dataset in datasets:
        rows = table[table["dataset"] == dataset].to_dict("records")
        printed = {str(row[by]): _as_share(row["value"], row) for row in rows}
        likely = {str(row[by]): fraction(row) for row in rows}
        for pair in dict.fromkeys([*_best_against_others(printed), *_on_against_off(printed)]):
            better, worse = sorted(pair, key=lambda name: -printed[name])
            gaps = (scores[better] - scores[worse] for scores in (likely, printed))
            difference = next((gap for gap in gaps if gap > 0), 0.0)
            found.append(PublishedClaim(better, worse, metric, dataset, difference))
    return [claim for claim in found if claim.difference > 0]


def fraction(row: Mapping[str, Any]) -> float:
    """Return a printed score as a share of one: what the evidence suggests where the print is suspect."""
    return _as_share(row["suggested"] if row["suggested"] == row["suggested"] else row["value"], row)


def _as_share(value: Any, row: Mapping[str, Any]) -> float:
    return float(value) / 100 if row["unit"] == "percent" else float(value)


def _best_against_others(scores: Mapping[str, float]) -> Iterator[frozenset[str]]:
    best = max(scores, key=lambda name: scores[name])
    return (frozenset({best, other}) for other in scores if other != best)


def _on_against_off(scores: Mapping[str, float]) -> Iterator[frozenset[str]]:
    """Yield the pairs of rows of which one has a single module more, or a switch on that is off in the other."""
    for one, other in permutations(scores, 2):
        switched = one != other and one.replace("=on", "=off") == other
        if switched or _has_one_more(one.split("+"), other.split("+")):
            yield frozenset({one, other})


def _has_one_more(parts: list[str], fewer: list[str]) -> bool:
    return set(fewer) < set(parts) and len(parts) == len(fewer) + 1
