"""What the page's template lays out: tables of cells and confusion matrices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mer_lib.datasets import ClipDataset, FlowMapDataset, label_sets, labelled, qualified_subjects
from mer_lib.datasets.class_view import THREE, Labelled, with_labels
from mer_lib.papers.measure import Measurement
from mer_lib.plots.confusion import row_shares
from mer_lib.plots.style import dataset_label, metric_label
from mer_lib.report.formatting import NOTHING
from mer_lib.report.tables import excluded_table, note_table, score_table

# A number, and what may follow it: an interval, a remark in brackets, a spread, "of" or "to" another number.
_NUMBER = re.compile(r"[<+−≈\-]?\s?\d[\d.,]*(e-?\d+)?( [\[(±].*| (of|to) \d+)?|–")


@dataclass(frozen=True)
class Cell:
    """One cell: its text, its CSS classes, a note that a footnote number leads to, and how many rows it spans."""

    text: str
    css: str = ""
    note: int | None = None
    rows: int = 1


@dataclass(frozen=True)
class TableView:
    """A table ready to be laid out."""

    caption: str
    columns: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class MatrixView:
    """A confusion matrix ready to be laid out: one row a true class, (share 0..1 or None, text, count) a cell."""

    title: str
    rows: tuple[tuple[str, tuple[tuple[float, str, str], ...]], ...]


def table_view(frame: pd.DataFrame, caption: str = "", marks: Iterable[tuple[str, str]] = ()) -> TableView | None:
    """Lay out a display table: numbers to the right, `marks` as (text of a cell, CSS class); None for an empty one."""
    if frame.empty:
        return None
    classes = dict(marks)
    css = {str(name): _column_class(frame[name]) for name in frame}
    columns = tuple(Cell(name, css[name].split(" ")[0]) for name in css)
    rows = tuple(
        tuple(Cell(text, classes.get(text, css[name])) for name, text in zip(css, map(str, row), strict=True))
        for row in frame.itertuples(index=False, name=None)
    )
    return TableView(caption, columns, rows)


def _column_class(column: pd.Series) -> str:
    if not _is_numeric(column):
        return ""
    return "num reported" if str(column.name).endswith("reported") else "num"


def _is_numeric(column: pd.Series) -> bool:
    return all(_NUMBER.fullmatch(str(value)) for value in column) and any(str(value) != NOTHING for value in column)


def score_view(
    measurement: Measurement,
    protocol: str,
    metrics: Iterable[str],
    caption: str,
    beside: bool = True,
    subsets: Sequence[str] | None = None,
) -> TableView:
    """Lay out the scores: one block a variant, one row a data set, footnotes on doubtful printed numbers.

    `beside` says whether published numbers stand beside them, where there are any; `subsets` as in
    :func:`mer_lib.report.tables.score_table`.
    """
    frame = score_table(measurement, protocol, tuple(metrics), subsets)
    if not beside:
        frame = frame[[name for name in frame if not str(name).endswith("reported")]]
    notes = {(n.variant, n.subset, f"{n.metric} reported"): n.note for n in note_table(measurement).itertuples()}
    texts = list(dict.fromkeys(notes.values())) if beside else []
    sizes = frame["variant"].value_counts()
    rows, seen = [], set()
    for record in frame.to_dict("records"):
        name = record["variant"]
        cells = [] if name in seen else [Cell(name, "variant", rows=int(sizes[name]))]
        seen.add(name)
        cells.append(Cell(record["subset"], "subset"))
        for column in frame.columns[2:]:
            note = notes.get((name, record["subset"], column))
            css = "num reported" if str(column).endswith("reported") else "num"
            cells.append(Cell(str(record[column]), css, texts.index(note) + 1 if note else None))
        rows.append(tuple(cells))
    columns = tuple(
        Cell(_heading(str(name), measurement), "num" if i > 1 else "") for i, name in enumerate(frame.columns)
    )
    return TableView(caption, columns, tuple(rows), tuple(texts))


def _heading(column: str, measurement: Measurement) -> str:
    names = {metric_label(name) for name in measurement.metrics}
    return f"{column} measured" if column in names else column


def matrix_views(measurement: Measurement, subset: str = "full") -> list[MatrixView]:
    """Lay out the confusion matrix of every variant under protocol ``fixed``, counts summed over seeds."""
    return [
        _matrix(label, measurement.confusion[label, subset, "fixed"], measurement.classes[label])
        for label in measurement.variants
        if (label, subset, "fixed") in measurement.confusion
    ]


def _matrix(title: str, counts: np.ndarray, classes: tuple[str, ...]) -> MatrixView:
    shares = row_shares(counts)
    rows = []
    for name, row_share, row_count in zip(classes, shares, counts, strict=True):
        cells = [
            (0.0, NOTHING, "0") if np.isnan(share) else (round(float(share), 4), f"{share:.2f}", str(int(count)))
            for share, count in zip(row_share, row_count, strict=True)
        ]
        rows.append((name, tuple(cells)))
    return MatrixView(title, tuple(rows))


def data_views(dataset: FlowMapDataset | ClipDataset, names: Iterable[str] = (THREE,)) -> list[TableView | None]:
    """Lay out what the data are, one table a label set: subjects, samples, classes, and where the apex comes from.

    Above each stands what the label set is called, and how many samples have no class of it, by their emotion.
    """
    return [_data_view(dataset, with_labels(dataset, name)) for name in names]


def _data_view(dataset: FlowMapDataset | ClipDataset, view: Labelled) -> TableView | None:
    groups = [("full", view.samples), *view.samples.groupby("dataset", sort=True)]
    frame = pd.DataFrame([_data_row(str(name), rows, view.classes) for name, rows in groups])
    seen = "" if view.name == THREE else f", label set “{label_sets()[view.name].title}” ({view.name})"
    return table_view(frame, f"What was trained and tested on: {view.dataset.label}{seen}.{_left_out(dataset, view)}")


def _left_out(dataset: FlowMapDataset | ClipDataset, view: Labelled) -> str:
    """Say how many samples have no class in a view, and why; empty where all have one."""
    lost = dataset.samples[~dataset.samples["sample_id"].isin(view.samples["sample_id"])]
    if lost.empty:
        return ""
    reasons = _emotions(lost) if view.name == THREE else _reasons(lost, view.name)
    counts = ", ".join(f"{reason} {count}" for reason, count in reasons.value_counts().sort_index().items())
    missing = f"{len(lost)} of {len(dataset.samples)} samples ({counts})"
    return f" Without a class of this set, and so in none of its numbers: {missing}."


def _emotions(samples: pd.DataFrame) -> pd.Series:
    return samples["emotion"].fillna("no emotion")


def _reasons(samples: pd.DataFrame, name: str) -> pd.Series:
    """Return why samples have no class of a label set: their emotion, or what else is in the way."""
    found = labelled(samples, label_sets()[name]).set_index("sample_id")["reason"]
    reasons = samples["sample_id"].map(found).str.removesuffix(" has no class")
    return reasons.fillna("no rule for " + samples["dataset"].map(dataset_label))


def exclusion_view(dataset: FlowMapDataset | ClipDataset) -> TableView | None:
    """Lay out which samples are excluded, and why; None where none are."""
    frame = excluded_table(dataset)
    return table_view(frame, f"Excluded: {len(frame)} samples of {dataset.title}.")


def _data_row(name: str, rows: pd.DataFrame, classes: tuple[str, ...]) -> dict[str, str]:
    counts = rows["label"].value_counts()
    return {
        "data set": dataset_label(name),
        "subjects": str(qualified_subjects(rows).nunique()),
        "samples": str(len(rows)),
        **{label: str(int(counts.get(label, 0))) for label in classes},
        "apex": ", ".join(sorted(set(rows["apex_source"].astype(str)))),
    }
