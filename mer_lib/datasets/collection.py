"""Several data sets of one kind joined into one table, to be looked at together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import pandas as pd

from mer_lib.datasets.samples import COLUMNS, qualified_subjects
from mer_lib.errors import DataError, ParameterError
from mer_lib.manifest import Kind


class NothingToShow(DataError):
    """A figure or table cannot be made because the data do not say what it shows; the message says what is missing."""


EXCLUSION_COLUMNS = ("sample_id", "reason")
#: What a data set may say of a sample, or not.
KNOWN_COLUMNS = ("label3", "emotion", "onset", "apex", "offset", "action_units")


@dataclass(frozen=True, eq=False, repr=False)
class Collection:
    """Samples of one or more data sets of one kind; real and synthetic ones are never in the same collection.

    >>> from mer_lib.datasets import load
    >>> toy = gather([load("toy_flow")])[0]
    >>> toy.kind, toy.parts, len(toy.samples)
    ('toy', ('toya', 'toyb', 'toyc'), 48)

    Attributes:
        kind: "real", "synthetic" or "toy".
        samples: a samples table, each sample once.
        exclusions: samples that are not in it because something is wrong with them: sample_id, reason.
        sources: the data set that each sub-dataset (a value of the column dataset) is taken from.
    """

    kind: Kind
    samples: pd.DataFrame
    exclusions: pd.DataFrame
    sources: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"<Collection {self.kind}: {len(self.samples)} samples of {', '.join(self.parts)}>"

    @property
    def parts(self) -> tuple[str, ...]:
        """The sub-datasets, in the order in which they were found."""
        return tuple(self.sources)

    @property
    def n_subjects(self) -> int:
        """How many people are in it; the same id in two sub-datasets counts twice."""
        return int(qualified_subjects(self.samples).nunique())

    def only(self, *parts: str) -> Collection:
        """Return the collection of some sub-datasets.

        Raises:
            ParameterError: there is no such sub-dataset.
        """
        unknown = [part for part in parts if part not in self.sources]
        if unknown or not parts:
            raise ParameterError(f"parts: expected some of {', '.join(self.parts)}, got {', '.join(unknown) or 'none'}")
        return replace(
            self,
            samples=self.samples[self.samples["dataset"].isin(parts)].reset_index(drop=True),
            exclusions=_of_parts(self.exclusions, parts),
            sources=MappingProxyType({part: self.sources[part] for part in self.parts if part in parts}),
        )


def gather(found: Iterable[Any]) -> list[Collection]:
    """Join data sets kind by kind, in the order of `found`.

    A sub-dataset that several data sets hold (CASME II with its frame numbers, and as flow maps of the composite) is
    taken once: from the one that says most about its samples, the first of equals.

    Args:
        found: data sets with `name`, `kind`, `samples`, and, where samples are excluded, `exclusions`.

    Returns:
        One collection a kind.
    """
    by_kind: dict[Kind, list[Any]] = {}
    for dataset in found:
        by_kind.setdefault(dataset.kind, []).append(dataset)
    return [_joined(kind, group) for kind, group in by_kind.items()]


def overview(collection: Collection) -> pd.DataFrame:
    """Count what a collection knows of its samples.

    Returns:
        One row a sub-dataset: dataset, samples, excluded, subjects, fps (lowest and highest as text, empty where
        nobody says), and how many samples have a class (label3), an emotion, an onset, an apex, an offset, action
        units; `images`, where frames are read from.
    """
    return pd.DataFrame([_overview_row(collection, part) for part in collection.parts])


def _overview_row(collection: Collection, part: str) -> dict[str, object]:
    table = collection.samples[collection.samples["dataset"] == part]
    known = {name: int(table[name].notna().sum()) for name in KNOWN_COLUMNS}
    excluded = len(_of_parts(collection.exclusions, [part]))
    counts = {"samples": len(table), "excluded": excluded, "subjects": int(table["subject"].nunique())}
    return {
        "dataset": part,
        **counts,
        "fps": _range(table["fps"]),
        **known,
        "images": _images(collection.sources[part]),
    }


def _range(values: pd.Series) -> str:
    found = sorted({f"{value:g}" for value in values.dropna().astype(float)}, key=float)
    return f"{found[0]} to {found[-1]}" if len(found) > 1 else "".join(found)


def _images(source: object) -> str:
    if getattr(source, "has_frames", False):
        return getattr(source, "images", None) or "drawn"
    return "flow maps alone" if hasattr(source, "maps") else "none"


def _joined(kind: Kind, group: Sequence[Any]) -> Collection:
    order = [part for dataset in group for part in _parts_of(dataset)]
    holders: dict[str, Any] = {}
    for dataset in sorted(group, key=_columns_known, reverse=True):
        for part in _parts_of(dataset):
            holders.setdefault(part, dataset)
    sources = {part: holders[part] for part in dict.fromkeys(order)}
    tables = [_of_parts(dataset.samples, [part]) for part, dataset in sources.items()]
    excluded = [_of_parts(exclusions_of(dataset), [part]) for part, dataset in sources.items()]
    return Collection(
        kind,
        pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(COLUMNS)),
        pd.concat(excluded, ignore_index=True) if excluded else _no_exclusions(),
        MappingProxyType(sources),
    )


def exclusions_of(dataset: Any) -> pd.DataFrame:
    """Return the excluded samples of a data set: sample_id, reason; an empty table where it excludes none."""
    return getattr(dataset, "exclusions", _no_exclusions())


def _no_exclusions() -> pd.DataFrame:
    return pd.DataFrame(columns=list(EXCLUSION_COLUMNS), dtype="string")


def _parts_of(dataset: Any) -> list[str]:
    """Sub-datasets with a sample, and those of which every sample is excluded."""
    excluded = exclusions_of(dataset)["sample_id"].str.split("/").str[0]
    return list(dict.fromkeys([*dataset.samples["dataset"], *excluded]))


def _columns_known(dataset: Any) -> int:
    return int(dataset.samples.notna().any().sum())


def _of_parts(table: pd.DataFrame, parts: Sequence[str]) -> pd.DataFrame:
    return table[table["sample_id"].str.split("/").str[0].isin(parts)].reset_index(drop=True)
