"""Published numbers beside measured ones, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from mer_lib.errors import last_line
from mer_lib.evaluation.frames import FULL
from mer_lib.evaluation.intervals import bootstrap_interval
from mer_lib.papers.checked import checked
from mer_lib.papers.entries import CELL_COLUMNS, Entry
from mer_lib.papers.experiments import Experiment
from mer_lib.papers.measurement import INTERVAL_METRICS, Measurement
from mer_lib.papers.parts import HERE, label_of, may_stand_in, part_of, place_of, score_row
from mer_lib.papers.reported import reported
from mer_lib.papers.verdicts import NOISE_ERRORS, UNTESTABLE, Verdict, rounding, score_verdict

#: Protocol of the measured values: the last epoch, which no test score chose.
PROTOCOL = "fixed"
#: How the metric of a score ends that was published as a lower bound.
AT_LEAST = "_min"
_SECONDS = "train_time_s"
_NO_SCORE = {
    "torchsummary_total_mb": "an estimate of memory by another program; parameters are counted in htnet.derived.params",
}
# Tables whose columns come from separate trainings, a data set each.
_ALONE = ("da_crossvit.table2", "da_crossvit.table3")
#: Scores that stand in the cells of experiments without a published table.
OWN_METRICS = ("uf1", "uar", "accuracy", "auc_macro")


def published_cells(experiment_id: str) -> pd.DataFrame:
    """Return the published numbers of an experiment as cells of which nothing was measured.

    Columns: :data:`mer_lib.papers.entries.CELL_COLUMNS`; `reason` and `verdict` are still empty.
    """
    table = reported(experiment_id).rename(columns={"value": "published"})
    blank = {name: "" for name in CELL_COLUMNS if name not in table}
    numbers = dict.fromkeys(("measured", "low", "high", "sd"), np.nan) | {"seeds": 0, "n": 0}
    return table.assign(**blank | numbers)[list(CELL_COLUMNS)].astype({"measured": object})


def trained_cells(entry: Entry, measurement: Measurement) -> pd.DataFrame:
    """Fill the cells of a published table or figure with what was measured.

    Args:
        entry: one whose experiment was trained.
        measurement: of that experiment.

    Returns:
        As :func:`published_cells`; where nothing stands for a cell, `reason` says why.
    """
    cells = published_cells(entry.id)
    assert entry.experiment is not None
    digits = {metric: rounding(rows["published"]) for metric, rows in cells.groupby("metric")}
    approx = reported(entry.id)["approx"].fillna(0.0)
    stand_in = may_stand_in(entry.id)
    rows = [
        cell | _measured(cell, entry.experiment, measurement, stand_in, max(digits[cell["metric"]], reading))
        for cell, reading in zip(cells.to_dict("records"), approx, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(CELL_COLUMNS))


def own_cells(measurement: Measurement) -> pd.DataFrame:
    """Return the scores of an experiment that no paper published as cells without a published number."""
    name = measurement.experiment.id
    rows = []
    for label in measurement.variants:
        for metric in OWN_METRICS:
            row = score_row(measurement, label, FULL, metric, PROTOCOL)
            if row is not None:
                blank: dict[str, Any] = dict.fromkeys(CELL_COLUMNS, "")
                keys = {"experiment": name, "variant": label, "dataset": FULL, "metric": metric, "unit": "fraction"}
                rows.append(blank | keys | measured_value(row, measurement, FULL, metric, 1.0))
    return pd.DataFrame(rows, columns=list(CELL_COLUMNS))


def _measured(
    cell: Mapping[str, Any], experiment: Experiment, measurement: Measurement, stand_in: bool, tolerance: float
) -> dict[str, Any]:
    if cell["metric"] in _NO_SCORE:
        return without(_NO_SCORE[cell["metric"]])
    label = label_of(experiment, cell["method"], cell["variant"])
    if label is None:
        return without("this method is not among the experiment's variants")
    if label not in measurement.variants:
        return without(f"{label}: {last_line(measurement.failed.get(label, ''))}")
    if cell["metric"] == _SECONDS:
        return _seconds(measurement, label)
    place = place_of(measurement, cell["dataset"], stand_in)
    if place.subset is None:
        return without(place.other)
    metric = cell["metric"].removesuffix(AT_LEAST)
    row = score_row(measurement, label, place.subset, metric, PROTOCOL)
    if row is None:
        return without(f"{metric.replace('recall_', 'the recall of ')} is not among the scores of these classes")
    share = 100.0 if cell["unit"] == "percent" else 1.0
    found = measured_value(row, measurement, place.subset, metric, share)
    why = place.other or _trained_alone(cell, place.subset) or too_small(measurement, label)
    return found | judged(cell, found, why, tolerance, share)._asdict()


def _trained_alone(cell: Mapping[str, Any], subset: str) -> str:
    alone = cell["experiment"] in _ALONE and cell["method"] == "DA-CrossViT" and subset != FULL
    return "published from a training on this data set alone, here a part of a training on all" if alone else ""


def measured_value(row: pd.Series, measurement: Measurement, subset: str, metric: str, share: float) -> dict[str, Any]:
    """Return what is set in a cell for a row of the measured scores; `share` makes the published unit of a fraction."""
    low, high = _interval(row, measurement, subset, HERE.get(metric, metric))
    return {
        "measured": float(row["value"]) * share,
        "low": low * share,
        "high": high * share,
        "sd": float(row["sd"]) * share,
        "seeds": int(row["seeds"]),
        "n": int(row["n"]),
        "protocol": PROTOCOL,
        "data": measurement.dataset.label,
        "kind": measurement.dataset.kind,
    }


def _interval(row: pd.Series, measurement: Measurement, subset: str, metric: str) -> tuple[float, float]:
    if subset == FULL and metric in INTERVAL_METRICS:
        return float(row["low"]), float(row["high"])
    interval = bootstrap_interval(part_of(measurement.predictions[row["variant"], PROTOCOL], subset), metric=metric)
    return interval.low, interval.high


def judged(
    cell: Mapping[str, Any], found: Mapping[str, Any], untestable: str, tolerance: float, share: float
) -> Verdict:
    """Judge a published score; `untestable` says why the measured one is none to judge it by, empty where it is."""
    if untestable:
        return Verdict(UNTESTABLE, untestable)
    noise = NOISE_ERRORS * found["sd"] / found["seeds"] ** 0.5
    scaled = [float(value) / share for value in (cell["published"], found["low"], found["high"], noise)]
    at_least = str(cell["metric"]).endswith(AT_LEAST)
    return score_verdict(*scaled, tolerance=tolerance / share, at_least=at_least)


def too_small(measurement: Measurement, label: str) -> str:
    """Say why a published score is not to be compared with that of a variant as it was run; empty where it is."""
    if measurement.profile != "paper":
        return f"not at the published size (profile {measurement.profile})"
    if measurement.variants[label].split.kind != "loso":
        return "not tested leave-one-subject-out"
    return ""


def _seconds(measurement: Measurement, label: str) -> dict[str, Any]:
    events = measurement.events[measurement.events["variant"] == label]
    per_seed = events.drop_duplicates(["seed", "fold"], keep="last").groupby("seed")["seconds"].sum()
    return {
        "measured": float(per_seed.mean()),
        "sd": float(per_seed.std(ddof=1)) if len(per_seed) > 1 else np.nan,
        "seeds": len(per_seed),
        "data": measurement.dataset.label,
        "kind": measurement.dataset.kind,
        "verdict": UNTESTABLE,
        "because": "seconds of all folds of a seed on another machine",
    }


def without(reason: str) -> dict[str, Any]:
    """Return what is set in a cell for which nothing was measured."""
    return {"reason": reason, "verdict": UNTESTABLE, "because": reason}


def with_checks(cells: pd.DataFrame) -> pd.DataFrame:
    """Say of each published number whether it could exist, see :func:`mer_lib.papers.checked.checked`."""
    keys = ["method", "variant", "dataset", "metric"]
    if cells.empty:
        return cells
    found = checked(str(cells["experiment"].iloc[0]))[[*keys, "possible", "possible_why"]]
    joined = cells.drop(columns=["possible", "possible_why"]).merge(found, on=keys, how="left")
    joined[["possible", "possible_why"]] = joined[["possible", "possible_why"]].fillna("")
    return joined[list(CELL_COLUMNS)]
