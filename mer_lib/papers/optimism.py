"""What the choice of the epoch on the test subjects adds: the optimism gap of every method at hand.

The three protocols of :mod:`mer_lib.evaluation.protocols` read one training each; nothing differs but the choice. So
their difference is paired, and its interval says how far it hangs on who was tested.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from mer_lib.evaluation.intervals import Interval
from mer_lib.evaluation.pooling import Prepared
from mer_lib.evaluation.statistics import difference_interval
from mer_lib.papers.entrants import split_in_words
from mer_lib.papers.entries import PaperResults
from mer_lib.papers.measurement import Measurement
from mer_lib.papers.verdicts import signed

COLUMNS = (
    "method", "variant", "experiments", "data", "dataset", "kind", "labels", "split", "profile", "epochs", "seeds", "n",
    "subjects", "shuffled", "fixed", "nested", "published", "gap", "gap_low", "gap_high", "gap_nested",
    "gap_nested_low", "gap_nested_high",
)  # fmt: skip


def optimism(results: PaperResults, metric: str = "uf1") -> pd.DataFrame:
    """Return what choosing by the test subjects adds to each variant that trains epoch by epoch.

    Args:
        results: what was measured.
        metric: a name in :data:`mer_lib.evaluation.metrics.METRICS`.

    Returns:
        One row a distinct variant on one data set, :data:`COLUMNS`, the largest gap first within a data set: `method`
        (name of the network), `variant` and `experiments` (where it stands first, and all in which it stands),
        `data` (label), `dataset` (name), `epochs` (how many there were to choose from), `shuffled` (trained on
        shuffled labels, so that there is nothing to recognise); `fixed`, `nested` and `published`, means over seeds of
        the pooled score, 0 to 1 (`nested` is NaN without inner validation subjects); `gap`, published minus fixed, and
        `gap_nested`, published minus nested, with their 95 % intervals over subjects (paired).
    """
    rows: dict[tuple[str, str], dict[str, object]] = {}
    for name, measurement in results.measurements.items():
        for label in _with_epochs(measurement):
            key = (measurement.dataset.name, measurement.variants[label].key)
            if key in rows:
                rows[key]["experiments"] = f"{rows[key]['experiments']}, {name}"
            else:
                rows[key] = _row(measurement, label, metric)
    table = pd.DataFrame(list(rows.values()), columns=list(COLUMNS))
    order = table["dataset"].map({name: place for place, name in enumerate(table["dataset"].unique())})
    return table.iloc[np.lexsort((-table["gap"].astype(float), order))].reset_index(drop=True)


def summary(gaps: pd.DataFrame) -> pd.DataFrame:
    """Return how the gaps of each data set lie, those of shuffled labels apart.

    Args:
        gaps: of :func:`optimism`.

    Returns:
        One row a (data, shuffled): `variants`, `positive` (how many gaps are above zero), `certain` (their interval
        excludes zero), `mean`, `smallest` and `largest` gap, and `mean_nested`, over the gaps to ``nested``.
    """
    groups = gaps.groupby(["data", "kind", "shuffled"], sort=False)
    rows = [
        {
            **dict(zip(("data", "kind", "shuffled"), key, strict=True)),
            "variants": len(group),
            "positive": int((group["gap"] > 0).sum()),
            "certain": int((group["gap_low"] > 0).sum()),
            "mean": group["gap"].mean(),
            "smallest": group["gap"].min(),
            "largest": group["gap"].max(),
            "mean_nested": group["gap_nested"].mean(),
        }
        for key, group in groups
    ]
    return pd.DataFrame(rows)


def in_words(gaps: pd.DataFrame) -> str:
    """Say how much choosing by the test subjects adds, naming each data set once. Plain text; empty without any."""
    lines = []
    for data, rows in summary(gaps).groupby("data", sort=False) if len(gaps) else ():
        lead = f"On {data}, choosing the epoch on the test people raises the score of "
        for row in rows.sort_values("shuffled").itertuples():
            variants = f"variant{'' if row.variants == 1 else 's'}{' trained on shuffled labels' * row.shuffled}"
            lines.append(
                f"{lead}{row.positive} of {row.variants} {variants}; the interval over people excludes zero for "
                f"{row.certain}. The gap is {signed(row.mean)} on average over all of them, and "
                f"{signed(row.largest)} at most."
            )
            lead = "It raises that of "
    return " ".join(lines)


def _with_epochs(measurement: Measurement) -> Iterator[str]:
    """Yield the variants that train epoch by epoch: there is nothing to choose in the others."""
    epochs = measurement.curves.groupby("variant")["epoch"].max()
    yield from (label for label in measurement.variants if epochs[label] > 1)


def _row(measurement: Measurement, label: str, metric: str) -> dict[str, object]:
    variant, dataset = measurement.variants[label], measurement.dataset
    frames = {name: Prepared(frame) for (one, name), frame in measurement.predictions.items() if one == label}
    gap = difference_interval(frames["published"], frames["fixed"], metric)
    nested = difference_interval(frames["published"], frames["nested"], metric) if "nested" in frames else None
    published, fixed = (measurement.value(label, metric, protocol=name) for name in ("published", "fixed"))
    return {
        "method": variant.model.name,
        "variant": label,
        "experiments": measurement.experiment.id,
        "data": dataset.label,
        "dataset": dataset.name,
        "kind": dataset.kind,
        "labels": variant.labels,
        "split": split_in_words(variant.split),
        "profile": measurement.profile,
        "epochs": variant.training.epochs,
        "seeds": len(measurement.seeds),
        "n": frames["fixed"].frame["sample_id"].nunique(),
        "subjects": gap.n_subjects,
        "shuffled": variant.training.permute_labels,
        "fixed": fixed,
        "nested": measurement.value(label, metric, protocol="nested") if "nested" in frames else np.nan,
        "published": published,
        **_ends("gap", gap),
        **_ends("gap_nested", nested),
    }


def _ends(name: str, interval: Interval | None) -> dict[str, float]:
    values = (np.nan, np.nan, np.nan) if interval is None else (interval.point, interval.low, interval.high)
    return dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))
