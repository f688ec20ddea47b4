"""Recorded clips as a data set: one that was read, or several put together to a composite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from mer_lib.datasets.clips import INTERVAL_COLUMNS, VIDEO_COLUMNS, ClipDataset
from mer_lib.datasets.faults import Fault, exclusions
from mer_lib.datasets.recorded.labelling import NO_APEX, labelled, without_meaning
from mer_lib.datasets.recorded.opening import Recorded
from mer_lib.datasets.samples import CLASSES, COLUMNS, check_samples, qualified_subjects
from mer_lib.manifest import Entry, LabelSet


def as_dataset(entry: Entry, recorded: Recorded) -> ClipDataset:
    """Return what was read as a data set; clips that a fault excludes are left out of its samples.

    Raises:
        DataError: the samples table breaks its contract.
    """
    return _dataset(entry, recorded.rows, recorded, recorded.faults)


def together(parts: Sequence[Recorded], entry: Entry, label_set: LabelSet) -> Recorded:
    """Put several data sets together under one label set.

    What excludes a clip that the label set drops anyway is noted only; nobody can say so of a clip whose emotion is
    unknown. The counts are compared with those that the manifest expects, excluded clips included.

    Args:
        parts: each as read.
        entry: of the composite.
        label_set: of the composite.
    """
    rows = pd.concat([part.rows for part in parts], ignore_index=True)
    table = labelled(rows, label_set)
    rows["label3"] = table["label"].array
    # Of a clip with impossible frame numbers none is kept: that it lacks an apex says nothing of the label set.
    lacking = without_meaning(table) | ((table["reason"] == NO_APEX) & table["sample_id"].isin(_impossible(parts)))
    dropped = set(table.loc[table["label"].isna() & ~lacking, "sample_id"])
    versions = sorted({part.images for part in parts if part.images})
    faults = [_of_composite(fault, dropped) for part in parts for fault in part.faults if fault.kind != "count"]
    return Recorded(
        rows=rows,
        sources={name: source for part in parts for name, source in part.sources.items()},
        videos={},
        images=" and ".join(versions) or None,
        faults=(*faults, *_count_faults(rows, entry)),
    )


def composite(entry: Entry, recorded: Recorded) -> ClipDataset:
    """Return a composite as a data set: the clips that have a class and no fault that excludes them."""
    return _dataset(entry, recorded.rows[recorded.rows["label3"].notna()], recorded, recorded.faults)


def _impossible(parts: Sequence[Recorded]) -> list[str]:
    faults = [fault for part in parts for fault in part.faults]
    return [fault.sample_id for fault in faults if fault.kind == "frame numbers" and fault.effect == "excludes"]


def _of_composite(fault: Fault, dropped: set[str]) -> Fault:
    return fault._replace(effect="noted") if fault.effect == "excludes" and fault.sample_id in dropped else fault


def _count_faults(rows: pd.DataFrame, entry: Entry) -> Iterator[Fault]:
    found = rows.dropna(subset="label3")
    for name, expected in entry.expected.parts.items() if entry.expected else ():
        part = found[found["dataset"] == name]
        counts = part["label3"].value_counts()
        got = {label: int(counts.get(label, 0)) for label in CLASSES} | {"subjects": qualified_subjects(part).nunique()}
        for what, number in got.items():
            if number != getattr(expected, what):
                yield Fault("noted", "count", f"{name}: expected {getattr(expected, what)} {what}, got {number}")


def _dataset(entry: Entry, rows: pd.DataFrame, recorded: Recorded, faults: tuple[Fault, ...]) -> ClipDataset:
    ordered = rows.sort_values("sample_id", kind="stable", ignore_index=True)
    usable = ordered[~ordered["sample_id"].isin(exclusions(faults)["sample_id"])]
    videos = _videos(recorded, ordered)
    known = {*usable["sample_id"], *videos["sample_id"]}
    return ClipDataset(
        name=entry.name,
        title=entry.title,
        kind=entry.kind,
        samples=check_samples(usable[list(COLUMNS)]),
        videos=videos,
        sources={name: source for name, source in {**recorded.videos, **recorded.sources}.items() if name in known},
        annotation=ordered,
        images=recorded.images,
        faults=faults,
        truths={},
        find_intervals=_intervals,
    )


def _videos(recorded: Recorded, rows: pd.DataFrame) -> pd.DataFrame:
    of_subject: Mapping[str, pd.Series] = {str(row["subject"]): row for _, row in rows.iterrows()}
    table = []
    for name, source in sorted(recorded.videos.items()):
        dataset, subject, clip = name.split("/")
        row = of_subject.get(subject)
        fps, gender = (pd.NA, pd.NA) if row is None else (row["fps"], row["gender"])
        table.append((name, dataset, subject, clip, fps, gender, len(source.numbers())))
    return pd.DataFrame(table, columns=list(VIDEO_COLUMNS))


def _intervals(clips: ClipDataset) -> pd.DataFrame:
    """Return the annotated movements of the long videos: those whose clip is named after the video and the onset."""
    videos = set(clips.videos["sample_id"])
    table = clips.samples.assign(kind="micro", sample_id=clips.samples["sample_id"].str.rsplit("_", n=1).str[0])
    return table[table["sample_id"].isin(videos)][list(INTERVAL_COLUMNS)].reset_index(drop=True)
