"""What a paper claims, and what became of it; claims tried on drawn clips stand apart from the published numbers."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mer_lib.papers.entries import PaperResults, no_cells, no_claims
from mer_lib.papers.parts import HERE
from mer_lib.papers.verdicts import AGREES, DIFFERS, UNTESTABLE, VERDICTS
from mer_lib.plots.style import dataset_label, mark, metric_label
from mer_lib.report.colours import COLOURS, MARKS
from mer_lib.report.formatting import NOTHING, difference, p_value
from mer_lib.report.published import DRAWN
from mer_lib.report.views import TableView, table_view

#: Verdicts that are read otherwise of several claims or numbers.
PLURALS = {AGREES: "agree", DIFFERS: "differ"}


def claim_table(claims: pd.DataFrame) -> TableView | None:
    """Lay out the claims of an entry with their verdicts; measured differences stand beside only on recorded faces."""
    if claims.empty:
        return None
    beside = not set(claims["kind"]) & set(DRAWN)
    if _untested_alike(claims) and _unseen(claims, beside):
        frame = pd.DataFrame([_claim(row) for row in claims.to_dict("records")])
        return table_view(frame, f"All {len(claims)} claims: {UNTESTABLE}; {claims['because'].iloc[0]}.")
    rows = [_claim(row) | (_tried(row) if beside else {}) | _verdict(row) for row in claims.to_dict("records")]
    return table_view(pd.DataFrame(rows), marks=MARKS)


def _untested_alike(claims: pd.DataFrame) -> bool:
    """Say whether several claims are all untested, and for one reason."""
    return len(claims) > 1 and (claims["verdict"] == UNTESTABLE).all() and claims["because"].nunique() == 1


def _unseen(claims: pd.DataFrame, beside: bool) -> bool:
    return not beside or bool(claims["measured_difference"].isna().all())


def drawn_claim_table(claims: pd.DataFrame) -> TableView | None:
    """Lay out the same differences as drawn clips give them; no published number or data set is in this table."""
    rows = claims[claims["kind"].isin(DRAWN) & claims["measured_difference"].notna()]
    if rows.empty:
        return None
    above = f"{mark(rows['kind'].iloc[0])} · {rows['data'].iloc[0]}: the differences that the claims are about."
    frame = pd.DataFrame(
        [{"claim": row["claim"], "score": _score(row["metric"])} | _tried(row) for row in rows.to_dict("records")]
    )
    return table_view(frame.drop_duplicates(), above)


def _claim(row: dict[str, Any]) -> dict[str, str]:
    return {"claim": row["claim"], "on": _where(row), "published difference": difference(row["published_difference"])}


def _where(row: dict[str, Any]) -> str:
    return ", ".join(part for part in (_score(row["metric"]), dataset_label(row["dataset"])) if part)


def _score(metric: str) -> str:
    return metric_label(HERE.get(metric, metric))


def _tried(row: dict[str, Any]) -> dict[str, str]:
    ends = "" if pd.isna(row["low"]) else f" [{difference(row['low'])}, {difference(row['high'])}]"
    return {
        "measured difference": f"{difference(row['measured_difference'])}{ends}",
        "p, Holm": p_value(row["p"]),
        "noise of seeds": NOTHING if pd.isna(row["noise"]) else f"{row['noise']:.3f}",
    }


def _verdict(row: dict[str, Any]) -> dict[str, str]:
    return {"verdict": row["verdict"], "because": row["because"]}


def verdict_counts(*tables: pd.DataFrame) -> list[tuple[str, str, int]]:
    """Return how often each verdict was given: (in words, class of its colour, count), those never given left out."""
    given = [table["verdict"] for table in tables if len(table)]
    counts = pd.concat(given).value_counts() if given else pd.Series(dtype=int)
    return [
        (PLURALS.get(word, word) if counts[word] > 1 else word, COLOURS[word], int(counts[word]))
        for word in VERDICTS
        if word in counts.index
    ]


def all_claims(results: PaperResults) -> pd.DataFrame:
    """Return the claims of all entries, one below the other."""
    return stacked([no_claims(), *(result.claims for result in results.papers())])


def all_cells(results: PaperResults) -> pd.DataFrame:
    """Return the published numbers of all entries, one below the other."""
    return stacked([no_cells(), *(result.cells for result in results.papers())])


def stacked(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Return tables one below the other; those without rows are left out, unless there are no others."""
    filled = [table.astype(object) for table in tables if len(table)]  # a column may be numbers here, empty there
    return pd.concat(filled, ignore_index=True).infer_objects() if filled else tables[0] if tables else pd.DataFrame()
