"""The page's numbers as tables for other programs: one CSV and one Parquet file each, in one folder."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from mer_lib import atomic
from mer_lib.papers.entries import PaperResults
from mer_lib.papers.leaderboard import Leaderboard
from mer_lib.papers.measurement import Measurement
from mer_lib.report.across import Across
from mer_lib.report.claims import all_cells, all_claims
from mer_lib.report.provenance import computing_table, provenance_table

FOLDER = "tables"
#: What each file holds, for the readers of the page.
CONTENTS = {
    "cells": "every published number: misprint, possible or not, measured value, verdict",
    "claims": "every published claim and its verdict",
    "scores": "every score of every variant under every protocol",
    "confusion": "confusion matrices, one row a (true, predicted) pair of classes",
    "tests": "paired tests between the variants of an experiment",
    "leaderboards": "methods side by side on the same samples",
    "optimism_gaps": "what choosing the epoch on the test subjects adds",
    "noise_floor": "spread over seeds against the differences that are claimed",
    "cost": "time, memory and device of every variant",
    "provenance": "addresses, code versions and data digests of every variant",
}


def frames(results: PaperResults, seen: Across) -> dict[str, pd.DataFrame]:
    """Return the tables by the names of :data:`CONTENTS`; every row says on what data it was measured."""
    measurements = results.measurements
    return {
        "cells": all_cells(results),
        "claims": all_claims(results),
        "scores": _of_all(measurements, {name: entry.scores for name, entry in measurements.items()}),
        "confusion": _of_all(measurements, {name: _pairs(entry) for name, entry in measurements.items()}),
        "tests": _of_all(measurements, {name: entry.tests for name, entry in measurements.items()}),
        "leaderboards": _boards(seen.boards),
        "optimism_gaps": seen.gaps,
        "noise_floor": seen.noise,
        "cost": _of_all(measurements, {name: computing_table(entry) for name, entry in measurements.items()}),
        "provenance": _of_all(measurements, {name: provenance_table(entry) for name, entry in measurements.items()}),
    }


def write_tables(folder: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write each table as CSV and as Parquet into `folder`, each file whole or not at all.

    Columns that hold numbers and texts side by side become text in Parquet, which knows one type a column.

    Raises:
        OSError: the folder cannot be written.
    """
    for name, table in tables.items():
        plain = table.reset_index(drop=True)
        atomic.write_text(folder / f"{name}.csv", plain.to_csv(index=False))
        stream = io.BytesIO()
        _one_type_a_column(plain).to_parquet(stream, index=False)
        atomic.write_bytes(folder / f"{name}.parquet", stream.getvalue())


def _of_all(measurements: Mapping[str, Measurement], parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the parts one below the other, each row with experiment, data, kind of data and profile before it."""
    filled = [_named(measurements[name], name, part) for name, part in parts.items() if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=["experiment"])


def _named(measurement: Measurement, name: str, part: pd.DataFrame) -> pd.DataFrame:
    data = measurement.dataset
    first = {"experiment": name, "data": data.label, "kind": data.kind, "profile": measurement.profile}
    return part.assign(**first)[[*first, *(column for column in part if column not in first)]]


def _pairs(measurement: Measurement) -> pd.DataFrame:
    rows = [
        {"variant": variant, "subset": subset, "protocol": protocol, "true": true, "predicted": said, "count": count}
        for (variant, subset, protocol), matrix in measurement.confusion.items()
        for true, line in zip(measurement.classes[variant], matrix, strict=True)
        for said, count in zip(measurement.classes[variant], line.tolist(), strict=True)
    ]
    return pd.DataFrame(rows)


def _boards(boards: Sequence[Leaderboard]) -> pd.DataFrame:
    parts = [
        board.rows.assign(
            data=board.dataset.label,
            kind=board.dataset.kind,
            classes=", ".join(board.classes),
            split=board.split,
            profile=board.profile,
            metric=board.metric,
        )
        for board in boards
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["method"])


def _one_type_a_column(table: pd.DataFrame) -> pd.DataFrame:
    mixed = [name for name in table if table[name].dtype == object]
    return table.assign(**{str(name): table[name].map(_text, na_action="ignore") for name in mixed})


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
