"""A published table as it stands in its paper, each number beside what was measured for it, and what is known of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mer_lib.papers import reported
from mer_lib.papers.checked import checked
from mer_lib.papers.parts import OTHER_SAMPLES
from mer_lib.papers.verdicts import UNTESTABLE
from mer_lib.plots.style import dataset_label, metric_label
from mer_lib.report.colours import COLOURS
from mer_lib.report.formatting import in_unit, interval_in_unit

KEY = ["experiment", "method", "variant", "dataset", "metric"]
ROW = KEY[:3]  # one row of a published table, whose numbers are checked together
REPAIRS = "; it would fit with "  # in the reason of :func:`mer_lib.papers.checked.checked`, before what would fit
DRAWN = ("synthetic", "toy")  # kinds of data beside which no published number stands
FEW_REASONS = 3  # so many are said of all numbers of a table at once
FEW_SETTINGS = 1  # up to so many rows a table is turned: its metrics become the rows


#: What parts of the names of published quantities are for people.
_IN_NAMES = {
    "acc": "accuracy", "am3f": "AM3F-FlowNet", "auc": "AUC", "bi_woof": "Bi-WOOF", "cnn": "CNN", "f1": "F1",
    "gain_both": "gain of both", "gain_mfem": "gain of MFEM", "gain_mffm": "gain of MFFM", "lbp_top": "LBP-TOP",
    "lr": "learning rate", "slstt": "SLSTT", "tp": "right:", "uar": "UAR", "uf1": "UF1",
}  # fmt: skip
_IN_NAME = re.compile(rf"(?<![a-z0-9])({'|'.join(_IN_NAMES)})(?![a-z0-9])")
_COUNTED = re.compile("^(n|cm)_")  # samples, pairs of classes
_ENDS = {"_from": ", from", "_to": ", to", "_min": ", at least"}
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")  # as some numbers are printed


@dataclass(frozen=True)
class PaperCell:
    """One published number: its text, what is wrong with it, numbers of notes, and what was measured beside it.

    `how` says whether the number beside was measured or is computed: read off settings, counted, or arithmetic.
    """

    published: str
    faults: tuple[str, ...]
    notes: tuple[int, ...]
    measured: str
    spread: str
    verdict: str
    how: str = "measured"

    @property
    def css(self) -> str:
        """The class of the verdict's colour."""
        return COLOURS[self.verdict]


@dataclass(frozen=True)
class PaperGrid:
    """A published table: its column groups with their spans, its columns, its rows, and the notes under it.

    `verdict` and `because` are given where they are the same for every number, so that they are said once; a few
    reasons of one verdict are said together. `size` is the count of its numbers, `measured` of those beside which a
    measured one stands.
    """

    groups: tuple[tuple[str, int], ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[PaperCell | None, ...]], ...]
    notes: tuple[str, ...]
    verdict: str
    because: str
    size: int
    measured: int

    @property
    def css(self) -> str:
        """The class of the colour of a verdict that all numbers share."""
        return COLOURS[self.verdict]


def paper_grid(cells: pd.DataFrame) -> PaperGrid | None:
    """Lay out an entry's cells as its paper does: one row a method or setting, one column a (data set, metric).

    What was measured on drawn clips, or on other people than the published ones, is left out: no published number
    stands beside it.

    Args:
        cells: of :class:`mer_lib.papers.paper_set.EntryResult`.
    """
    if cells.empty:
        return None
    table = prepared(cells)
    rows = list(dict.fromkeys(table["row"]))
    groups = list(dict.fromkeys(table["group"]))
    columns = sorted(dict.fromkeys(zip(table["group"], table["column"], strict=True)), key=lambda c: groups.index(c[0]))
    notes = list(dict.fromkeys(note for row in table.to_dict("records") for note in _notes(row)))
    said = _said_once(table)
    placed = {(row["row"], row["group"], row["column"]): _cell(row, notes, said) for row in table.to_dict("records")}
    return PaperGrid(
        groups=_spans(group for group, _ in columns),
        columns=tuple(name for _, name in columns),
        rows=tuple((name, tuple(placed.get((name, *column)) for column in columns)) for name in rows),
        notes=tuple(notes),
        verdict=said[0],
        because=said[1],
        size=len(table),
        measured=int(table["beside"].sum()),
    )


def prepared(cells: pd.DataFrame) -> pd.DataFrame:
    """Return cells with `suggested` and `approx` of their published numbers, and where each stands in the grid.

    Adds `row`, `group` and `column` of the grid, `beside` (whether a measured value may stand beside), and `certain`
    (whether an impossible number is surely wrong: else some of several are).
    """
    facts = pd.concat([reported.reported(name) for name in cells["experiment"].unique()])
    table = cells.merge(facts[[*KEY, "suggested", "approx"]], on=KEY, how="left", validate="one_to_one")
    table["certain"] = _certain(table)
    table["beside"] = table["measured"].notna() & ~elsewhere(table)
    who, where = [_who(row) for row in table.itertuples()], table["dataset"].map(_where)
    what = [metric_name(row.metric, row.unit) for row in table.itertuples()]
    if len(set(who)) <= FEW_SETTINGS:
        return table.assign(row=what, group="", column=where)
    return table.assign(row=who, group=where, column=what)


def _certain(cells: pd.DataFrame) -> list[bool]:
    names = cells.loc[cells["possible"] == "impossible", "experiment"].unique()
    sure = {
        (name, *key)
        for name in names
        for key in checked(name).query("certain == 'yes'")[KEY[1:]].itertuples(index=False, name=None)
    }
    return [key in sure for key in cells[KEY].itertuples(index=False, name=None)]


def elsewhere(cells: pd.DataFrame) -> pd.Series:
    """Say of each cell whether it was measured on drawn clips, or on other people than the published number."""
    return cells["kind"].isin(DRAWN) | cells["because"].astype(str).str.contains(OTHER_SAMPLES, regex=False)


def _who(row: Any) -> str:
    return ", ".join(part for part in (row.method, row.variant) if part)


def _where(dataset: str) -> str:
    return dataset_label(dataset) if dataset else ""


def metric_name(metric: str, unit: str) -> str:
    """Return the name of a published quantity for people.

    >>> metric_name("uf1", "fraction"), metric_name("n_negative", "count"), metric_name("acc", "percent")
    ('UF1', 'negative', 'accuracy, %')
    >>> metric_name("uf1_gain_over_bi_woof_to", "fraction"), metric_name("gain_over_cnn_points", "points")
    ('UF1 gain over Bi-WOOF, to', 'gain over CNN, points')
    """
    name = metric_label(metric)
    if name == metric:
        name = _COUNTED.sub("", metric.removesuffix(f"_{unit}"))
    for end, words in _ENDS.items():
        name = f"{name.removesuffix(end)}{words}" if name.endswith(end) else name
    name = _IN_NAME.sub(lambda part: _IN_NAMES[part[0]], name).replace("_", " ")
    ending = {"percent": "%", "fraction": "", "count": "", "flag": ""}.get(unit, unit)
    return f"{name}, {ending}" if ending and not name.endswith(ending) else name


def _spans(groups: Iterable[str]) -> tuple[tuple[str, int], ...]:
    spans: list[tuple[str, int]] = []
    for name in groups:
        if spans and spans[-1][0] == name:
            spans[-1] = (name, spans[-1][1] + 1)
        else:
            spans.append((name, 1))
    return tuple(spans)


def _said_once(table: pd.DataFrame) -> tuple[str, str]:
    """Return the verdict and its reason where all numbers of more than one share them."""
    verdicts = list(dict.fromkeys(table["verdict"]))
    reasons = list(dict.fromkeys(table["because"]))
    if len(table) < 2 or len(verdicts) > 1:
        return "", ""
    if len(reasons) == 1 or len(reasons) > FEW_REASONS:
        return verdicts[0], reasons[0] if len(reasons) == 1 else ""
    return verdicts[0], f"each for one of these reasons: {'; '.join(reasons)}"


def _notes(row: dict[str, Any]) -> list[str]:
    """Return what is known against one published number."""
    known = [row["note"]] if row["status"] else []
    return known + ([f"Impossible: {why_and_repairs(row)[0]}"] if _impossible(row) else [])


def _impossible(row: dict[str, Any]) -> str:
    if row["possible"] != "impossible":
        return ""
    return "impossible" if row["certain"] else "jointly impossible"


def why_and_repairs(row: dict[str, Any]) -> tuple[str, list[str]]:
    """Return why a printed number cannot be, and what would fit in its place."""
    why, _, repairs = row["possible_why"].partition(REPAIRS)
    return _DECIMAL_COMMA.sub(".", why), [repair for repair in repairs.split("; ") if repair]


def _cell(row: dict[str, Any], notes: Sequence[str], said: tuple[str, str]) -> PaperCell:
    beside = row["beside"]
    return PaperCell(
        published=published_text(row),
        faults=_faults(row),
        notes=tuple(notes.index(note) + 1 for note in _notes(row)),
        measured=in_unit(row["measured"], row["unit"]) if beside else "",
        spread=interval_in_unit(row["low"], row["high"], row["unit"]) if beside else "",
        verdict="" if said[0] or row["verdict"] == UNTESTABLE else row["verdict"],
        how="computed" if row["kind"] == "computed" else "measured",
    )


def _faults(row: dict[str, Any]) -> tuple[str, ...]:
    """Name what is wrong with a number; of a repaired one, what was printed in its place is impossible, not itself."""
    impossible = _impossible(row)
    if impossible and row["status"] == "corrected":
        impossible = f"as printed: {impossible}"
    return tuple(fault for fault in (row["status"], impossible) if fault)


def published_text(row: dict[str, Any]) -> str:
    """Return a published number as :meth:`mer_lib.papers.reported.ReportedNumber.display` shows it, without remarks."""
    value = row["published"]
    if isinstance(value, bool):
        return "yes" if value else "no"
    digits = reported.experiments()[row["experiment"]].decimals if row["metric"] in ("uf1", "uar") else None
    if isinstance(value, float) and digits is not None:
        text = f"{value:.{digits}f}"
    else:
        text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return text if pd.isna(row["approx"]) else f"≈{text}"
