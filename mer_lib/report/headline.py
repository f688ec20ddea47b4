"""An entry in one line: its most telling measured value, and beside it the published one where both are of people."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from mer_lib.papers import reported
from mer_lib.papers.entries import EntryResult
from mer_lib.papers.measurement import Measurement
from mer_lib.plots.style import dataset_label, metric_label
from mer_lib.report.formatting import in_unit, measured, score, with_interval
from mer_lib.report.published import DRAWN, elsewhere, metric_name


@dataclass(frozen=True)
class Headline:
    """What was measured, in short: `text`, and `beside`, the published value, empty where none may stand there."""

    text: str
    beside: str = ""


def headline(result: EntryResult) -> Headline:
    """Return an entry's most telling measured value; an empty text where nothing was measured.

    Of methods the paper's own system is named, else the one that scored highest; of settings the range; of counted
    and computed numbers how many agree.
    """
    if result.measurement is not None:
        found = _trained(result.measurement, result)
        return replace(found, text=found.text + _other_people(result.measurement, result.cells))
    cells = result.cells
    found = cells[cells["measured"].notna()] if len(cells) else cells
    return _numbers(found, len(cells)) if len(found) else Headline("")


def _other_people(measurement: Measurement, cells: pd.DataFrame) -> str:
    """Say on whom it was measured where those are recorded, and none of them the published ones."""
    found = cells[cells["measured"].notna()] if len(cells) else cells
    other = measurement.dataset.kind == "real" and len(found) and elsewhere(found).all()
    return f" (on {measurement.dataset.label}, not the published samples)" if other else ""


def _trained(measurement: Measurement, result: EntryResult) -> Headline:
    metric = "auc_micro" if _micro(result) else "uf1"
    rows = measurement.scores
    rows = rows[(rows["protocol"] == "fixed") & (rows["subset"] == "full") & (rows["metric"] == metric)]
    rows = rows[[measurement.variants[label].model.name != "dummy" for label in rows["variant"]]]
    if rows.empty:
        return Headline("the class prior alone")
    name, own = metric_label(metric), rows[rows["variant"] == _system(result.id)]
    if own.empty and rows["value"].nunique() > 1 and measurement.experiment.figure == "line":
        ends = f"{score(rows['value'].min())} to {score(rows['value'].max())}"
        return Headline(f"{name} {ends} over {len(rows)} settings")
    chosen = own.iloc[0] if len(own) else rows.loc[rows["value"].idxmax()]
    several = f"highest of {len(rows)}: " if own.empty and len(rows) > 1 else ""
    text = f"{several}{chosen['variant']}: {name} {measured(chosen['value'], chosen['low'], chosen['high'])}"
    return Headline(text + _over_prior(chosen), chosen["reported_text"])


def _over_prior(row: pd.Series) -> str:
    if pd.isna(row["over_prior"]):
        return ""
    bar = " (a low bar)" if row["metric"] == "uf1" else ""
    return f", {with_interval(row, 'over_prior')} over the class prior{bar}"


def _micro(result: EntryResult) -> bool:
    return result.entry is not None and set(result.cells["metric"]) == {"micro_auc"}


def _system(name: str) -> str:
    """Return the name of the system that a paper presents."""
    paper = reported.papers().get(name.split(".")[0])
    return paper.short_name if paper else ""


def _numbers(found: pd.DataFrame, total: int) -> Headline:
    first = found.iloc[0]
    drawn = bool(elsewhere(found).iloc[0])  # on no published data set, and beside no published number
    dataset = "" if drawn or not first["dataset"] else dataset_label(first["dataset"])
    place = [first["method"], first["variant"], dataset]
    where = ", ".join(part for part in place if part)
    value = in_unit(first["measured"], first["unit"])
    values = len(_once_if_drawn(found))
    several = f"{values} values for " if values < len(found) else ""
    text = f"{several}{len(found)} of {total} numbers, such as {metric_name(first['metric'], first['unit'])} = {value}"
    return Headline(f"{text} ({where})" if where else text, "" if drawn else in_unit(first["published"], first["unit"]))


def _once_if_drawn(found: pd.DataFrame) -> pd.DataFrame:
    """Return measured cells, those on drawn clips once: these stand in for every data set alike."""
    again = found["kind"].isin(DRAWN) & found.duplicated(["method", "variant", "metric"])
    return found[~again]
