"""Annotation rows of one data set, each with its id; clips that an annotation forgot are added."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd

from mer_lib.datasets.annotation.table import typed
from mer_lib.datasets.faults import Fault
from mer_lib.datasets.frames.source import listed
from mer_lib.datasets.samples import sample_id
from mer_lib.manifest import Entry, Part

#: Columns that a layout may add to its rows, and their types.
OPTIONAL: Mapping[str, Any] = MappingProxyType({"fps": "Float64", "gender": "string"})


def identified(rows: pd.DataFrame, dataset: str, part: Part) -> pd.DataFrame:
    """Return annotation rows with the columns sample_id, dataset, apex_source, fps and gender besides their own."""
    table = rows.reset_index(drop=True)
    table["dataset"] = pd.array([dataset] * len(table), dtype="string")
    table["sample_id"] = pd.array(
        [sample_id(dataset, subject, clip) for subject, clip in zip(table["subject"], table["clip"], strict=True)],
        dtype="string",
    )
    table["apex_source"] = pd.array([part.apex_source] * len(table), dtype="string")
    for name, kind in OPTIONAL.items():
        known = rows[name].array if name in rows else [pd.NA] * len(table)
        table[name] = pd.array(known, dtype=kind)
    if part.fps is not None:
        table["fps"] = table["fps"].fillna(part.fps)
    return table


def forgotten(
    rows: pd.DataFrame, found: Collection[str], dataset: str, entry: Entry
) -> tuple[pd.DataFrame, list[Fault]]:
    """Return the rows that an annotation lacks.

    They are the clips that the manifest knows to be forgotten, and those with frames whose name tells their class.
    Other frames without a row cannot be used.

    Args:
        rows: identified, see :func:`identified`.
        found: ids of the clips that have frames.
        dataset: name of the sub-dataset.
        entry: of the data manifest.

    Returns:
        Further rows with the same columns, and one "noted" fault a row; those that cannot be used share one.
    """
    part, annotated = entry.parts[dataset], set(rows["sample_id"])
    known = {item.sample_id: item for item in entry.unlisted if item.sample_id not in annotated}
    extra = sorted(set(found) - annotated - known.keys())
    named = {name: part.class_in_name(name.split("/")[2]) for name in extra}
    usable = {name: emotion for name, emotion in named.items() if emotion}
    faults = [
        *(
            Fault("noted", "extra clip", f"no row, added as {i.emotion}. {i.reason}", i.sample_id)
            for i in known.values()
        ),
        *(Fault("noted", "extra clip", f"no row: its name says {emotion}", name) for name, emotion in usable.items()),
        *_unusable([name for name in extra if name not in usable]),
    ]
    emotions = {name: item.emotion for name, item in known.items()} | usable
    added = typed(pd.DataFrame(_bare_rows(emotions), columns=["subject", "clip", "emotion", "place"]))
    return identified(added, dataset, part), faults


def named_classes(rows: pd.DataFrame, part: Part) -> tuple[pd.DataFrame, list[Fault]]:
    """Let the name of a clip decide where names tell classes and a row says something else; each case is noted."""
    rows, faults = rows.copy(), []
    for at, row in zip(rows.index, rows.itertuples(), strict=True):
        named = part.class_in_name(row.clip)
        if named is not None and (pd.isna(row.emotion) or row.emotion != named):
            said = "nothing" if pd.isna(row.emotion) else row.emotion
            message = f"the row says {said}, the name of the clip {named}: the name is taken"
            faults.append(Fault("noted", "contradiction", message, row.sample_id))
            rows.at[at, "emotion"] = named
    return rows, faults


def _bare_rows(emotions: dict[str, str]) -> Iterator[tuple[str, str, str, str]]:
    for name, emotion in emotions.items():
        _, subject, clip = name.split("/")
        yield subject, clip, emotion, "no row"


def _unusable(names: list[str]) -> Iterable[Fault]:
    if names:
        message = f"{len(names)} clips have frames but no row in the annotation: {listed(names)}"
        yield Fault("noted", "extra clip", message)
