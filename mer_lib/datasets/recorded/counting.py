"""How many clips, subjects and classes were found, beside what the known editions of an annotation have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from mer_lib.datasets.faults import Fault
from mer_lib.datasets.recorded.labelling import labelled
from mer_lib.datasets.samples import qualified_subjects
from mer_lib.manifest import Edition, Entry, LabelSet


def edition_of(entry: Entry, count: int) -> Edition | None:
    """Return the edition with exactly so many annotated clips, or None where no known one has."""
    return next((edition for edition in entry.editions if edition.samples == count), None)


def count_faults(rows: pd.DataFrame, entry: Entry, label_sets: Mapping[str, LabelSet]) -> Iterator[Fault]:
    """Compare annotated clips with the known editions, and what label sets make of them with their counts.

    Args:
        rows: every annotated clip, excluded ones too: sample_id, dataset, subject, emotion, onset, apex.
        entry: says which editions there are.
        label_sets: those of the manifest.
    """
    edition = edition_of(entry, len(rows))
    if edition is None and entry.editions:
        known = "; ".join(f"{edition.samples} ({edition.name})" for edition in entry.editions)
        yield _count(f"{len(rows)} annotated clips, but known editions have {known}")
    compared = edition or next((known for known in entry.editions if known.emotions), None)
    if compared is None:
        return
    yield from _edition_faults(rows, compared)
    for name, label_set in label_sets.items():
        yield from _label_faults(rows, name, label_set, compared)


def _edition_faults(rows: pd.DataFrame, edition: Edition) -> Iterator[Fault]:
    found = rows["emotion"].value_counts()
    emotions = sorted({*edition.emotions, *found.index} if edition.emotions else ())
    expected = {emotion: edition.emotions.get(emotion, 0) for emotion in emotions}
    subjects = qualified_subjects(rows).nunique()
    yield from _differences("emotions", expected, edition.subjects, found, subjects, edition)


def _label_faults(rows: pd.DataFrame, name: str, label_set: LabelSet, edition: Edition) -> Iterator[Fault]:
    table = labelled(rows, label_set).dropna(subset="label")
    rules = [rule for part, rule in label_set.parts.items() if part in set(rows["dataset"])]
    for counts in (counts for rule in rules for counts in rule.counts if counts.edition == edition.name):
        found, subjects = table["label"].value_counts(), qualified_subjects(table).nunique()
        yield from _differences(f"label set {name}", counts.classes, counts.subjects, found, subjects, edition)


def _differences(
    what: str, expected: Mapping[str, int], of_subjects: int | None, found: pd.Series, subjects: int, edition: Edition
) -> Iterator[Fault]:
    """Yield one fault that names every count that differs, and what the edition has."""
    pairs = {name: (int(found.get(name, 0)), number) for name, number in expected.items()}
    if of_subjects is not None:
        pairs["subjects"] = (subjects, of_subjects)
    differing = [f"{name} {got} (expected {number})" for name, (got, number) in pairs.items() if got != number]
    if differing:
        yield _count(f"{what}, beside {edition.name}: {', '.join(differing)}")


def _count(message: str) -> Fault:
    return Fault("noted", "count", message)
