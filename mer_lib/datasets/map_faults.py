"""What is wrong with flow maps on a disk, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mer_lib.datasets.faults import Fault
from mer_lib.datasets.reading import Clip, Reading
from mer_lib.datasets.samples import CLASSES, qualified_subjects, sample_id
from mer_lib.manifest import Entry, Expected, PartCounts


def map_faults(reading: Reading, entry: Entry) -> tuple[Fault, ...]:
    """Return all faults of a data set of flow maps.

    A sample without a readable map is excluded. Anything else, a wrong count above all, makes a published list what it
    is not: such a copy cannot be used.
    """
    excluded = [Fault("excludes", "file", reason, name) for name, reason in reading.excluded.items()]
    broken = [Fault("unusable", "file", text) for text in reading.faults]
    counts = [] if entry.expected is None else list(_count_faults(reading.clips, entry.expected))
    return (*broken, *(Fault("unusable", "count", text) for text in counts), *excluded)


def table_of(clips: list[Clip]) -> pd.DataFrame:
    """Return clips as a table with the columns sample_id, dataset, subject and label3."""
    rows = [(sample_id(*clip[:3]), clip.dataset, clip.subject, clip.label3) for clip in clips]
    return pd.DataFrame(rows, columns=["sample_id", "dataset", "subject", "label3"])


def counted(samples: pd.DataFrame, parts: list[str]) -> pd.DataFrame:
    """Return subjects, classes and samples of a table with the columns dataset, subject and label3.

    One row a sub-dataset and a last row for "all"; columns subjects, one a class, samples.
    """
    groups = {name: samples[samples["dataset"] == name] for name in parts} | {"all": samples}
    rows = {name: _count_row(group) for name, group in groups.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["subjects", *CLASSES, "samples"])


def _count_row(group: pd.DataFrame) -> list[int]:
    classes = [int((group["label3"] == name).sum()) for name in CLASSES]
    return [qualified_subjects(group).nunique(), *classes, len(group)]


def _count_faults(clips: list[Clip], expected: Expected) -> Iterator[str]:
    found = counted(table_of(clips), list(expected.parts))
    for name, part in expected.parts.items():
        for column in ("subjects", *CLASSES):
            yield from _count_fault(name, column, part, int(found.at[name, column]))
    for column in ("subjects", "samples"):
        yield from _count_fault("all", column, expected, int(found.at["all", column]))


def _count_fault(name: str, column: str, expected: Expected | PartCounts, got: int) -> Iterator[str]:
    want = getattr(expected, column)
    if got != want:
        yield f"{name}: expected {want} {column}, got {got}"
