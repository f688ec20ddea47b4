"""Published numbers one a row, with all that is known of each; their misprints; and the rows that cannot exist."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mer_lib.plots.style import dataset_label, mark
from mer_lib.report.formatting import NOTHING, in_unit, interval_in_unit
from mer_lib.report.published import DRAWN, ROW, metric_name, prepared, published_text, why_and_repairs
from mer_lib.report.views import TableView, table_view


def cell_table(cells: pd.DataFrame) -> TableView | None:
    """Lay out every published number of an entry, with all that is known of it and why its verdict is so."""
    return _table(cells, _known)


def misprint_table(cells: pd.DataFrame) -> TableView | None:
    """Lay out known misprints and doubts with their corrections: of one entry, or of several one after the other."""
    rows = cells[cells["status"] != ""]
    corrected = int((rows["status"] == "corrected").sum())
    return _table(
        rows,
        _misprint,
        f"{len(rows)} misprints and doubts: {corrected} corrected, whose repaired value is shown everywhere else, and "
        f"{len(rows) - corrected} suspect, shown as printed.",
    )


def impossible_table(cells: pd.DataFrame) -> TableView | None:
    """Lay out the printed rows that no predictions can give, and why: of one entry, or of several."""
    of_row = cells["possible"].eq("impossible").groupby([cells[key] for key in ROW]).transform("any")
    rows = cells[of_row.astype(bool) & cells["possible"].isin(("impossible", "undecided"))]
    if rows.empty:
        return None
    groups = [group.to_dict("records") for _, group in prepared(rows).groupby(ROW, sort=False)]
    frame = pd.DataFrame([_impossible(group) for group in groups])
    if rows["experiment"].nunique() == 1:
        frame = frame.drop(columns="experiment")
    return table_view(frame, f"{len(frame)} printed rows that no predictions on these samples can give.")


def drawn_table(cells: pd.DataFrame) -> TableView | None:
    """Lay out what was measured on synthetic or toy data for an entry: no published number is in this table."""
    rows = cells[cells["kind"].isin(DRAWN) & cells["measured"].notna()]
    if rows.empty:
        return None
    above = mark(rows["kind"].iloc[0])
    rows = rows.drop_duplicates(["method", "variant", "metric"])  # drawn clips stand in for every data set alike
    return _table(rows, _measured, f"{above} · {rows['data'].iloc[0]}: the quantities of the published table.")


def _table(rows: pd.DataFrame, lay_out: Any, caption: str = "") -> TableView | None:
    if rows.empty:
        return None
    records = prepared(rows).to_dict("records")
    named = {"experiment": None} if rows["experiment"].nunique() > 1 else {}
    return table_view(pd.DataFrame([{key: row[key] for key in named} | lay_out(row) for row in records]), caption)


def _known(row: dict[str, Any]) -> dict[str, str]:
    return {
        "where": _place(row),
        "what": metric_name(row["metric"], row["unit"]),
        "published": published_text(row),
        "could it exist?": ": ".join(part for part in (row["possible"], row["possible_why"]) if part) or NOTHING,
        "measured": _value(row) if row["beside"] else NOTHING,
        "verdict": row["verdict"] or NOTHING,
        "because": "; ".join(dict.fromkeys(part for part in (row["because"], row["reason"]) if part)) or NOTHING,
    }


def _misprint(row: dict[str, Any]) -> dict[str, str]:
    return {
        "where": _place(row),
        "what": metric_name(row["metric"], row["unit"]),
        "printed": _printed(row),
        "shown here": published_text(row),
        "evidence points to": NOTHING if pd.isna(row["suggested"]) else f"{row['suggested']:g}",
        "status": row["status"],
        "why": row["note"],
    }


def _impossible(group: list[dict[str, Any]]) -> dict[str, str]:
    reasons = [why_and_repairs(row) for row in group]
    repairs = [repair for _, texts in reasons for repair in texts]
    return {
        "experiment": group[0]["experiment"],
        "row": ", ".join(part for part in (group[0]["method"], group[0]["variant"]) if part) or NOTHING,
        "wrong is": _wrong(group),
        "why": "; ".join(dict.fromkeys(why for why, _ in reasons)),
        "what would fit": "; ".join(dict.fromkeys(repairs)) or NOTHING,
    }


def _wrong(group: list[dict[str, Any]]) -> str:
    """Name the numbers of a row that are surely wrong, those of which some are, and those that were not decided."""
    certain = [_number(row) for row in group if row["certain"]]
    some = [_number(row) for row in group if row["possible"] == "impossible" and not row["certain"]]
    undecided = [_number(row) for row in group if row["possible"] == "undecided"]
    parts = [_together(certain)] if certain else []
    parts += [f"some of: {', '.join(some)}"] if some else []
    return " and ".join(parts) + (f"; or of what was not decided: {', '.join(undecided)}" if undecided else "")


def _together(numbers: list[str]) -> str:
    if len(numbers) == 1:
        return numbers[0]
    return f"{'both' if len(numbers) == 2 else 'all of'} {', '.join(numbers[:-1])} and {numbers[-1]}"


def _number(row: dict[str, Any]) -> str:
    return f"{_where(row)} {metric_name(row['metric'], row['unit'])} {_printed(row)}".strip()


def _measured(row: dict[str, Any]) -> dict[str, str]:
    where = ", ".join(part for part in (row["method"], row["variant"]) if part) or NOTHING
    return {"where": where, "what": metric_name(row["metric"], row["unit"]), "measured": _value(row)}


def _place(row: dict[str, Any]) -> str:
    return ", ".join(part for part in (row["method"], row["variant"], _where(row)) if part) or NOTHING


def _where(row: dict[str, Any]) -> str:
    return dataset_label(row["dataset"]) if row["dataset"] else ""


def _printed(row: dict[str, Any]) -> str:
    return row["printed"].replace(",", ".") if row["printed"] else published_text(row)


def _value(row: dict[str, Any]) -> str:
    ends = interval_in_unit(row["low"], row["high"], row["unit"])
    return f"{in_unit(row['measured'], row['unit'])} {ends}".strip()
