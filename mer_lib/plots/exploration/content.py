"""What each figure shows: its title, its numbers and its caption, computed once for both of its twins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pandas as pd

from mer_lib.datasets import summaries, unit_summaries
from mer_lib.datasets.collection import Collection, NothingToShow
from mer_lib.manifest import Kind
from mer_lib.plots.exploration import montage
from mer_lib.plots.exploration.look import listed, number_of, wrapped
from mer_lib.plots.style import dataset_label


@dataclass(frozen=True)
class Content:
    """What a figure shows.

    Attributes:
        title: what is seen.
        table: its numbers, tidy; every bar, dot and square is one row.
        caption: which data, how many, what is left out and why; lines of a length that fits.
        kind: of the data.
        parts: the data sets that the table has, in the order of the collection.
        extra: further numbers by name.
    """

    title: str
    table: pd.DataFrame
    caption: str
    kind: Kind
    parts: tuple[str, ...]
    extra: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


def content(
    collection: Collection, title: str, table: pd.DataFrame, missing: str, remark: str = "", **extra: Any
) -> Content:
    """Return the content of a figure.

    Args:
        collection: where the numbers come from.
        title: of the figure.
        table: its numbers, with a column dataset or none.
        missing: what a data set lacks that is not in `table`, such as "no apex".
        remark: for the caption.
        extra: further numbers.

    Raises:
        NothingToShow: the table is empty.
    """
    if table.empty:
        raise NothingToShow(f"“{title}” cannot be shown: {_what_lacks(collection, missing)}")
    lines = [described(collection), _left_out(collection, table, missing), remark]
    there = set(table["dataset"]) if "dataset" in table else set()
    parts = tuple(part for part in collection.parts if part in there)
    return Content(title, table, wrapped(_lines(*lines)), collection.kind, parts, extra)


def _what_lacks(collection: Collection, missing: str) -> str:
    names = ", ".join(dataset_label(part) for part in collection.parts)
    only_maps = collection.sources and all(hasattr(source, "maps") for source in collection.sources.values())
    return (
        f"of {names} only flow maps are here, with {missing}"
        if only_maps
        else f"{names or 'the data'} {'has' if len(collection.parts) == 1 else 'have'} {missing}"
    )


def described(collection: Collection) -> str:
    """Return which data sets a collection has, how many samples and subjects, and how many are excluded."""
    counts = collection.samples["dataset"].value_counts().reindex(list(collection.parts), fill_value=0)
    total = f"{number_of(len(collection.samples), 'sample')} of {number_of(collection.n_subjects, 'subject')}"
    whole = f"{listed(counts)}: {total}" if len(counts) > 1 else f"{dataset_label(str(counts.index[0]))}: {total}"
    excluded = len(collection.exclusions)
    return whole + (f"; {excluded} more {'is' if excluded == 1 else 'are'} excluded as faulty" if excluded else "")


def _left_out(collection: Collection, table: pd.DataFrame, missing: str) -> str:
    """Name the data sets that have samples but no row in the table."""
    if "dataset" not in table:
        return ""
    lost = set(_without(collection, table)["dataset"])
    names = [dataset_label(part) for part in collection.parts if part in lost]
    return f"not shown: {', '.join(names)} ({missing})" if names else ""


def _without(collection: Collection, table: pd.DataFrame) -> pd.DataFrame:
    """Return the samples of the data sets that have no row in the table."""
    return collection.samples[~collection.samples["dataset"].isin(set(table["dataset"]))]


def missing_of(collection: Collection, shown: pd.DataFrame, why: str) -> str:
    """Say how many samples of the data sets that are shown have no dot or bar, from a table with sample_id."""
    lost = collection.samples[~collection.samples["sample_id"].isin(shown["sample_id"])]
    lost = lost[lost["dataset"].isin(set(shown["dataset"]))]
    counts = lost["dataset"].value_counts(sort=False)
    return f"not drawn for {why}: {listed(counts)}" if len(lost) else ""


def classes_by_dataset(collection: Collection) -> Content:
    """Return how many samples of each class each data set has."""
    table = summaries.classes_by_dataset(collection.samples)
    if collection.samples["label3"].isna().all():
        table = table.iloc[:0]
    return content(collection, "Classes in each data set", table, "no classes")


def classes_by_subject(collection: Collection) -> Content:
    """Return how many samples of each class each subject has, the subject with most samples first."""
    table = summaries.classes_by_subject(collection.samples)
    remark = "one bar a subject, from the one with most samples to the one with fewest"
    return content(collection, "Samples of each subject", table, "no samples", remark)


def subjects_by_samples(collection: Collection) -> Content:
    """Return how many subjects have how many samples, and of how many classes."""
    table = summaries.subjects_by_samples(collection.samples)
    without = int(collection.samples["label3"].isna().sum())
    remark = f"not counted: {number_of(without, 'sample')} without a class" if without else ""
    return content(collection, "How many samples has a subject, and of how many classes?", table, "no classes", remark)


def emotions(collection: Collection) -> Content:
    """Return how many samples of each emotion each data set has."""
    known = collection.samples[collection.samples["emotion"].notna()]
    table = summaries.emotions_by_dataset(known)
    remark = missing_of(collection, known, "lack of an emotion")
    return content(collection, "Emotions in each data set", table, "no emotions", remark)


def imbalance(collection: Collection) -> Content:
    """Return what always guessing the commonest class scores, and how unequal classes are."""
    table = summaries.imbalance(collection.samples)
    remark = "recall and F1 are averaged over the classes that occur; samples without a class are left out"
    return content(collection, "What does it score to always guess the commonest class?", table, "no classes", remark)


def durations(collection: Collection) -> Content:
    """Return how long each sample lasts, and how long it takes to its apex."""
    table = summaries.spans(collection.samples)
    lost = [
        missing_of(collection, table[table["span"] == span], f"lack of a frame number or a frame rate ({span})")
        for span in summaries.SPANS
    ]
    remark = "one dot a sample; bars are medians; a span is the last frame number minus the first, over the frame rate"
    numbered = collection.samples[["onset", "apex", "offset"]].notna().any(axis=None)
    missing = "no frame rate, or no two frame numbers" if numbered else "no frame numbers"
    return content(collection, "How long does it last?", table, missing, _lines(remark, *lost))


def apex_position(collection: Collection) -> Content:
    """Return where between onset and offset the apex lies."""
    places = summaries.apex_positions(collection.samples)
    table = summaries.apex_histogram(collection.samples)
    lines = "black line: the median; dashed line: the middle between onset and offset"
    remark = _lines(lines, missing_of(collection, places, "lack of an onset, apex or offset"))
    medians = places.groupby("dataset", sort=False)["position"].median().to_dict()
    title = "Where between onset and offset is the apex?"
    lost = _without(collection, places)
    missing = "no annotated apex" if lost["apex"].isna().all() else "no apex with an onset and an offset"
    return content(collection, title, table, missing, remark, medians=medians)


def unit_frequencies(collection: Collection, most: int = 16) -> Content:
    """Return the share of samples of each emotion that move each of the `most` common action units."""
    table = unit_summaries.unit_frequencies(collection.samples, most)
    title = "Which action units go with which emotion?"
    return content(collection, title, table, "no action units", _coding(collection))


def unit_pairs(collection: Collection, most: int = 8, squares: int = 6) -> Content:
    """Return which action units move together, for the `squares` commonest emotions and their `most` common units."""
    table = unit_summaries.unit_pairs(collection.samples, most, squares)
    diagonal = "on the diagonal: samples that move the unit at all"
    return content(
        collection, "Which action units move together?", table, "no action units", _lines(diagonal, _coding(collection))
    )


def _coding(collection: Collection) -> str:
    counts = unit_summaries.coding(collection.samples).set_index("dataset")
    lost, unsure = counts.loc[counts["not_coded"] > 0, "not_coded"], int(counts["unsure"].sum())
    parts = [f"without a sure action unit: {listed(lost)}" if len(lost) else ""]
    if unsure:
        parts.append(f"units that are one of several (R12 or R14) are not counted: in {number_of(unsure, 'sample')}")
    return _lines(*parts)


def label_rules(collection: Collection, label_set: str = "") -> Content:
    """Return what becomes of each emotion.

    Args:
        collection: where the samples come from.
        label_set: a name of the manifest's label sets; where empty, the classes that the samples table has.

    Raises:
        ParameterError: there is no such label set.
        NothingToShow: no data set of the collection has emotions, or the label set has no rule for any of them.
    """
    samples = collection.samples
    labelled, title = _labelled(samples[samples["emotion"].notna()], label_set)
    table = summaries.label_outcomes(labelled)
    parts = [part for part in collection.parts if part in set(table["dataset"])]
    kept = int(table.loc[table["outcome"] != summaries.DROPPED, "samples"].sum())
    remark = f"{kept} of {number_of(int(table['samples'].sum()), 'sample')} {'keeps' if kept == 1 else 'keep'} a class"
    missing = "no emotions" if samples["emotion"].isna().all() else "no emotions, or no rule in this label set"
    title = f"What becomes of an emotion: {title}"
    return content(collection.only(*parts) if parts else collection, title, table, missing, remark)


def apex_frames(collection: Collection, by: str = "label3", columns: int = 6, seed: int = 0) -> Content:
    """Return apex frames of some samples of each class, each of another subject.

    Args:
        collection: where the samples come from.
        by: one row of pictures a value of this column: "label3" or "emotion".
        columns: so many pictures a row.
        seed: which ones.

    Returns:
        A table with sample_id, dataset, subject and group, and `pictures` by id: uint8 (h, w, 3) RGB, made small.

    Raises:
        ParameterError: `by` is none of the two, or `columns` is below 1.
        NothingToShow: no data set has images, or none of its samples has an apex.
    """
    table, pictures = montage.choose(collection, by, columns, seed)
    what = {"label3": "class", "emotion": "emotion"}[by]
    title = f"Apex frames of each {what}"
    remark = "each picture of another subject of its row; apex frames as they are, with the head where it was"
    lost = {str(part) for part in _without(collection, table)["dataset"]}
    have_images = any(getattr(collection.sources[part], "has_frames", False) for part in lost)
    missing = f"no image of an apex of a known {what}" if have_images else "no images"
    return content(collection, title, table, missing, remark, pictures=pictures)


def _labelled(samples: pd.DataFrame, label_set: str) -> tuple[pd.DataFrame, str]:
    if not label_set:
        reason = samples["label3"].isna().map({True: "it has no class", False: ""})
        return samples.assign(label=samples["label3"], reason=reason), "the classes of this data set"
    from mer_lib import datasets  # after both are loaded
    from mer_lib.papers.experiments import known

    sets = datasets.label_sets()
    chosen = sets[known(label_set, sets, "label set")]
    return datasets.labelled(samples, chosen), chosen.title


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)
