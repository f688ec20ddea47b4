"""Where each number comes from and what it cost: addresses, code, data, devices, seconds, memory, commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from mer_lib.evaluation.crossval import Job
from mer_lib.papers.entries import EntryResult
from mer_lib.papers.measure import Measurement, jobs_of
from mer_lib.report.formatting import NOTHING, duration

PEAK = "peak_mib"  # of an event: the most memory that a fold's process held
#: Of a column of :func:`shown_costs`: a worker computes many folds, and what it holds is not one variant's alone.
PEAK_SHOWN = "peak memory of the worker process, MiB (with libraries and what earlier folds left behind)"


def command(result: EntryResult, options: str) -> str:
    """Return the command that computes an entry again: with its own data and seeds where it was measured."""
    measurement = result.measurement
    if measurement is None:
        return f"mer run {result.id} {options}".strip()
    seeds = ",".join(map(str, measurement.seeds))
    return f"mer run {result.id} --profile {measurement.profile} --data {measurement.dataset.name} --seeds {seeds}"


def provenance_table(measurement: Measurement) -> pd.DataFrame:
    """Return what each variant's numbers were made of, one row a variant.

    Columns: `variant`, `address in the store`, `setting's digest`, `code version`, `data digest` (of what the variant
    is fed), `torch`, `mer_lib`, `computed` (first to last day).
    """
    jobs = jobs_of(measurement.experiment, measurement.profile, measurement.dataset, measurement.seeds)
    rows = [_origin(label, jobs[label][0], _events(measurement, label)) for label in measurement.variants]
    return pd.DataFrame(rows)


def _origin(label: str, job: Job, events: pd.DataFrame) -> dict[str, str]:
    days = sorted({str(moment)[:10] for moment in events["finished"]}) if len(events) else []
    return {
        "variant": label,
        "address in the store": job.address,
        "setting's digest": job.variant.key[:16],
        "code version": job.code,
        "data digest": job.data_digest[:16],
        "torch": _listed(events, "torch"),
        "mer_lib": _listed(events, "mer_lib"),
        "computed": " to ".join(dict.fromkeys((days[0], days[-1]))) if days else NOTHING,
    }


def computing_table(measurement: Measurement) -> pd.DataFrame:
    """Return what each variant cost, one row a variant; empty where no fold was logged.

    Columns: `variant`, `folds` (of all seeds), `seconds` of them all, `seconds a fold` (median), `peak memory, MiB`
    (the largest of its folds; resident, of the whole worker process, so with libraries and what earlier folds left
    behind; NaN where it was not noted), `device`.
    """
    costs = [_cost(label, _events(measurement, label)) for label in measurement.variants]
    return pd.DataFrame([row for row in costs if row["folds"]])


def _cost(label: str, events: pd.DataFrame) -> dict[str, Any]:
    if events.empty:
        return {"variant": label, "folds": 0}
    return {
        "variant": label,
        "folds": len(events),
        "seconds": round(float(events["seconds"].sum()), 1),
        "seconds a fold": round(float(events["seconds"].median()), 2),
        "peak memory, MiB": float(events[PEAK].max()) if PEAK in events else float("nan"),
        "device": _listed(events, "device_name"),
    }


def shown_costs(measurement: Measurement) -> pd.DataFrame:
    """Return :func:`computing_table` as text, with the memory under :data:`PEAK_SHOWN`."""
    table = computing_table(measurement)
    if table.empty:
        return table
    memory = [NOTHING if pd.isna(value) else f"{value:.0f}" for value in table["peak memory, MiB"]]
    seconds = [f"{value:.1f}" for value in table["seconds"]]
    one = [f"{value:.2f}" for value in table["seconds a fold"]]
    shown = table.assign(**{"seconds": seconds, "seconds a fold": one, "peak memory, MiB": memory})
    return shown.rename(columns={"peak memory, MiB": PEAK_SHOWN})


def device_table(measurements: Sequence[Measurement]) -> pd.DataFrame:
    """Return on which devices the folds were computed: `device, name, torch, mer_lib, folds, seconds`.

    A fold that several experiments share counts once.
    """
    events = [m.events for m in measurements if len(m.events)]
    if not events:
        return pd.DataFrame()
    unique = pd.concat(events).drop_duplicates(["address", "fold", "seed", "finished"])
    groups = unique.groupby(["device", "device_name", "torch", "mer_lib"])["seconds"]
    table = groups.agg(["count", "sum"]).reset_index()
    return table.rename(columns={"device_name": "name", "count": "folds", "sum": "seconds"})


def computing_time(measurements: Sequence[Measurement]) -> str:
    """Return how long all folds took, one after the other; a dash where none was logged."""
    table = device_table(measurements)
    return NOTHING if table.empty else duration(float(table["seconds"].sum()))


def _events(measurement: Measurement, label: str) -> pd.DataFrame:
    """Return the latest event of each fold of a variant: a fold that was computed again counts once."""
    events = measurement.events
    if events.empty:
        return events
    mine = events[events["variant"] == label].sort_values("finished", kind="stable")
    return mine.drop_duplicates(["address", "fold", "seed"], keep="last")


def _listed(events: pd.DataFrame, column: str) -> str:
    return ", ".join(dict.fromkeys(map(str, events[column]))) if len(events) else NOTHING
