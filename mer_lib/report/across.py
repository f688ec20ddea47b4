"""What is seen across experiments: leaderboards, optimism gaps of all methods, noise floors of all ablations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mer_lib.manifest import Kind
from mer_lib.papers.entries import PaperResults
from mer_lib.papers.leaderboard import Leaderboard, leaderboards
from mer_lib.papers.leaderboard import in_words as board_in_words
from mer_lib.papers.noise import noise_floor
from mer_lib.papers.optimism import in_words as gap_in_words
from mer_lib.papers.optimism import optimism
from mer_lib.plots.leaderboard import leaderboard as draw_board
from mer_lib.plots.optimism import gaps as draw_gaps
from mer_lib.plots.style import mark, marked, metric_label
from mer_lib.report.formatting import NOTHING, measured, p_value, with_interval
from mer_lib.report.stills import svg
from mer_lib.report.views import TableView, table_view


@dataclass(frozen=True)
class Panel:
    """One data set's part of a comparison across experiments: what it says, its picture (SVG), its table."""

    anchor: str
    title: str
    mark: str
    words: str
    picture: str
    label: str
    table: TableView | None
    others: TableView | None = None


@dataclass(frozen=True)
class Across:
    """All comparisons across experiments, and the numbers behind them."""

    boards: list[Leaderboard]
    gaps: pd.DataFrame
    noise: pd.DataFrame


def across(results: PaperResults) -> Across:
    """Compute what is compared across experiments."""
    return Across(leaderboards(results), optimism(results), noise_floor(results))


# -- leaderboards -----------------------------------------------------------------------------------------------------


def board_panels(boards: Iterable[Leaderboard]) -> list[Panel]:
    """Lay out every leaderboard; those on recorded faces come first."""
    ordered = sorted(boards, key=lambda board: bool(mark(board.dataset.kind)))
    return [_board_panel(board, number) for number, board in enumerate(ordered, start=1)]


def _board_panel(board: Leaderboard, number: int) -> Panel:
    return Panel(
        anchor=f"board-{number}",
        title=f"{board.dataset.title}, {len(board.classes)} classes, {board.split}",
        mark=mark(board.dataset.kind),
        words=board_in_words(board),
        picture=svg(draw_board(board)),
        label=f"Leaderboard: {marked(board.caption, board.dataset.kind)}",
        table=table_view(_board_rows(board.rows), marked(board.caption, board.dataset.kind)),
        others=table_view(_other_rows(board.others), "The same methods as other experiments train them; not ranked."),
    )


def _board_rows(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame([_board_row(row) for row in rows.to_dict("records")])


def _board_row(row: dict[str, Any]) -> dict[str, str]:
    name = f"{row['method']} (never looks at a sample)" if row["trivial"] else row["method"]
    return {
        "rank": NOTHING if row["trivial"] else f"{row['rank']:.0f}",
        "ranks left open": NOTHING if row["trivial"] else f"{row['rank_best']:.0f} to {row['rank_worst']:.0f}",
        "method": name,
        "UF1": measured(row["value"], row["low"], row["high"], row["sd"]),
        "seeds": f"{row['seeds']}",
        "p over trivial, Holm": p_value(row["p_over_trivial"]),
        "trained in": row["experiment"] or NOTHING,
    }


def _other_rows(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "method": row["method"],
                "UF1": measured(row["value"], row["low"], row["high"]),
                "trained in": row["experiment"],
                "variant": row["variant"],
            }
            for row in rows.to_dict("records")
        ]
    )


# -- optimism gap -----------------------------------------------------------------------------------------------------


def gap_panels(gaps: pd.DataFrame) -> list[Panel]:
    """Lay out the optimism gap of every method, one panel a data set; recorded faces come first."""
    groups = [group for _, group in gaps.groupby("dataset", sort=False)] if len(gaps) else []
    groups.sort(key=lambda group: bool(mark(group["kind"].iloc[0])))
    return [_gap_panel(group, number) for number, group in enumerate(groups, start=1)]


def _gap_panel(rows: pd.DataFrame, number: int) -> Panel:
    data, kind = rows["data"].iloc[0], rows["kind"].iloc[0]
    return Panel(
        anchor=f"gaps-{number}",
        title=data,
        mark=mark(kind),
        words=gap_in_words(rows),
        picture=svg(draw_gaps(rows)),
        label=f"Optimism gap of every method: {marked(data, kind)}",
        table=table_view(pd.DataFrame([_gap_row(row) for row in rows.to_dict("records")]), marked(data, kind)),
    )


def _gap_row(row: dict[str, Any]) -> dict[str, str]:
    return {
        "method": f"{row['variant']} (shuffled labels)" if row["shuffled"] else row["variant"],
        "network": row["method"],
        "fixed": measured(row["fixed"]),
        "nested": measured(row["nested"]),
        "published": measured(row["published"]),
        "published − fixed": with_interval(row, "gap"),
        "published − nested": with_interval(row, "gap_nested"),
        "epochs": f"{row['epochs']}",
        "seeds": f"{row['seeds']}",
        "trained in": row["experiments"],
    }


# -- noise floor ------------------------------------------------------------------------------------------------------


def noise_views(noise: pd.DataFrame) -> list[TableView]:
    """Lay out the noise floor of every comparison of settings, one table a data set, recorded faces first."""
    groups = [group for _, group in noise.groupby("data", sort=False)] if len(noise) else []
    groups.sort(key=lambda group: bool(mark(group["kind"].iloc[0])))
    views = [table_view(_noise_rows(group), _noise_caption(*group[["data", "kind"]].iloc[0])) for group in groups]
    return [view for view in views if view]


def _noise_caption(data: str, kind: Kind) -> str:
    drawn = " The noise is that of trainings of this size on drawn faces; it says nothing of the published trainings."
    return f"{marked(data, kind)}.{drawn if mark(kind) else ''}"


def _noise_rows(group: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame([_noise_row(row) for row in group.to_dict("records")])


def _noise_row(row: dict[str, Any]) -> dict[str, str]:
    claims = f"{row['claims_below']} of {row['claims']}"
    return {
        "experiment": row["experiment"],
        "score": metric_label(row["metric"]),
        "variants": f"{row['variants']}",
        "seeds": f"{row['seeds']}",
        "sd over seeds": _spread(row, "sd"),
        "noise of two single runs": _spread(row, "noise_single"),
        "noise of means over seeds": _spread(row, "noise"),
        "largest measured difference": _three(row["largest_measured"]),
        "claims below the noise of single runs": claims if row["claims"] and pd.notna(row["claims_below"]) else NOTHING,
        "known to be the same network": row["identical"] or NOTHING,
    }


def _spread(row: dict[str, Any], name: str) -> str:
    """Show what needs a spread over seeds, or why there is none."""
    return "one seed" if row["seeds"] == 1 else _three(row[name])


def _three(value: float) -> str:
    return NOTHING if pd.isna(value) else f"{value:.3f}"
