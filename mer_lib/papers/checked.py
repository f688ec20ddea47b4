"""Could the published numbers exist? The number checker applied to the tables of the papers, as they are printed.

Nothing is assumed but class counts, and that the numbers are pooled scores of one run. Where a paper trains on the
composite, its data sets are joined: their predictions are parts of those of the full set.
"""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from mer_lib import atomic, claims
from mer_lib.claims.counts import FULL, named_counts, with_sum
from mer_lib.claims.reading import row_of
from mer_lib.claims.row import Cell, ClassCounts, Row
from mer_lib.claims.verdict import Verdict, cell_verdict, judge
from mer_lib.papers.parts import title_of
from mer_lib.papers.processes import side_by_side
from mer_lib.papers.reported import experiments, lookup, reported
from mer_lib.settings import cache_root
from mer_lib.sources import normalised

KEYS = ("method", "variant", "dataset", "metric")
COLUMNS = (*KEYS, "printed", "possible", "possible_why", "repairs", "certain")
FOLDER = "checked"
#: Where class counts stand: the label sets of each paper, and which edition of them it states.
_LABELS = {
    "htnet": (("megc2019", 0), ("casme3_three", 1)),
    "capsulenet": (("megc2019", 0),),
    "da_crossvit": (("megc2019", 0),),
    "mfem_mffm": (("casme2_five", 0), ("samm_five", 0)),
}
#: Rows whose data sets were trained on one by one: these are no parts of the full set.
_SEPARATE = ("DA-CrossViT",)
_LOG = "capsulenet.derived.log"
_CLASSES = ("negative", "positive", "surprise")
#: What has other names in texts than the titles of the data manifest.
_NAMES = {FULL: "all data sets", "uf1": "UF1", "uar": "UAR", "acc": "accuracy"}


def checked(experiment_id: str) -> pd.DataFrame:
    """Say of each published score whether it could exist.

    Returns:
        Columns :data:`COLUMNS`, one row for each published number, in the order of
        :func:`~mer_lib.papers.reported.reported`. `possible` is "possible", "impossible" or "undecided", and "" for
        numbers that are not checked (counts, settings, areas under curves, numbers that were derived). An impossible
        number is wrong, or one of those of which some are; `possible_why` says which others, and what would explain it.
        `certain` is "yes" for those that every explanation needs, else "".

    Raises:
        ParameterError: no such experiment.
    """
    return _checked(experiment_id).copy()


@lru_cache
def _checked(experiment_id: str) -> pd.DataFrame:
    numbers = reported(experiment_id)
    path = _file(experiment_id)
    with suppress(OSError, pd.errors.ParserError, pd.errors.EmptyDataError):
        kept = pd.read_csv(path, dtype=str, keep_default_na=False)
        if tuple(kept.columns) == COLUMNS and len(kept) == len(numbers):
            return kept
    found = pd.DataFrame(_lines(experiment_id), columns=list(COLUMNS))
    buffer = io.StringIO()
    found.to_csv(buffer, index=False)
    with suppress(OSError):  # what cannot be kept is computed again
        atomic.write_text(path, buffer.getvalue())
    return found


def check_all(jobs: int) -> None:
    """Check what was not checked before, in `jobs` processes, so that it is found on disk afterwards."""
    due = [name for name in experiments() if not _file(name).exists()]
    longest_first = sorted(due, key=lambda name: -experiments()[name].count)
    side_by_side(checked, longest_first, jobs)


def _file(experiment_id: str) -> Path:
    text = f"{checking_version()}\n{reported(experiment_id).to_csv()}"
    return cache_root() / FOLDER / f"{experiment_id}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.csv"


@lru_cache
def checking_version() -> str:
    """What verdicts rest on besides the numbers: code of the checker, stated class counts, names of data sets."""
    sources = [*sorted(Path(claims.__file__).parent.glob("*.py")), Path(__file__)]
    counts = [named_counts(*label) for labels in _LABELS.values() for label in labels]
    names = [called(name) for of_sets in counts for name in of_sets]
    return "\n".join([repr(counts), repr(names), *(normalised(path.read_text("utf-8")) for path in sources)])


def _lines(experiment_id: str) -> list[dict[str, str]]:
    verdicts = {key: v for row in rows_of(experiment_id) for key, v in _said(experiment_id, row)}
    lines = []
    for number in reported(experiment_id).to_dict("records"):
        key = tuple(number[name] for name in KEYS)
        said = verdicts.get((key[0], key[1], _cell(number)), {})
        lines.append({**dict.fromkeys(COLUMNS, ""), **dict(zip(KEYS, key, strict=True)), **said})
    return lines


def _said(experiment_id: str, row: Row) -> Any:
    verdict, remark = _with_other_counts(experiment_id, judge(row, counted=False))
    method, _, variant = row.name.partition("\n")
    certain = verdict.blame.certain if verdict.blame else ()
    for cell, text in row.printed.items():
        state = cell_verdict(verdict, cell)
        mine = "; ".join(repair.text(called) for repair in verdict.repairs if cell in (*repair.cells, *repair.wrong))
        why = verdict.reason(called) or remark
        if state == "impossible" and mine:
            why = f"{why}; it would fit with {mine}"
        if state == "contradicted":
            state, why = "possible", f"possible if other numbers of its row are wrong: {why}"
        said = {"printed": text, "possible": state, "possible_why": why, "repairs": mine}
        yield (method, variant, cell), said | {"certain": "yes" if cell in certain else ""}


def called(name: str) -> str:
    """Return what a published data set, or a score, is called in texts.

    >>> called("smic"), called("uf1"), called("recall_positive")
    ('SMIC-HS', 'UF1', 'recall of positive')
    """
    return _NAMES.get(name) or title_of(name).replace("recall_", "recall of ")


def rows_of(experiment_id: str) -> list[Row]:
    """The rows of a published table that can be checked, named "method, newline, variant"; none for other entries."""
    entry = experiments()[experiment_id]
    if entry.kind == "derived" or entry.paper not in _LABELS:
        return []
    counts = {d: c for label in _LABELS[entry.paper] for d, c in named_counts(*label).items()}
    rows: dict[str, dict[Cell, str]] = {}
    for number in reported(experiment_id).to_dict("records"):
        cell, text = _cell(number), _text(experiment_id, number)
        if text and cell.dataset in counts:
            rows.setdefault(f"{number['method']}\n{number['variant']}", {})[cell] = text
    return [
        row_of(name, printed, counts, None if name.partition("\n")[0] in _SEPARATE else FULL)
        for name, printed in rows.items()
    ]


def _cell(number: dict[str, Any]) -> Cell:
    return Cell(number["dataset"], number["metric"].removesuffix("_min"))


def _text(experiment_id: str, number: dict[str, Any]) -> str:
    """The number as it is printed; "" where it is no score that is checked."""
    metric = number["metric"]
    if metric not in ("uf1", "uar", "acc") and not metric.startswith("recall_"):
        return ""
    digits = experiments()[experiment_id].decimals if metric in ("uf1", "uar") else None
    text = number["printed"] or (f"{number['value']:.{digits}f}" if digits else str(number["value"]))
    if number["printed"].isdigit():
        text = f"0.{text}"  # its decimal point was lost
    sign = ">" if metric.endswith("_min") else ""
    error = "" if pd.isna(number["approx"]) else f"±{number['approx']}"
    return f"{sign}{text}{error}{'%' if number['unit'] == 'percent' else ''}"


# -- other samples than those that are stated -------------------------------------------------------------------------


def _with_other_counts(experiment_id: str, verdict: Verdict) -> tuple[Verdict, str]:
    """The verdict, or a better one on samples that the authors may have used, and what to remark then."""
    if verdict.state != "impossible":
        return verdict, ""
    for remark, counts in _other_counts(experiments()[experiment_id].paper, verdict.row.name):
        known = {name: counts.get(name, of_set) for name, of_set in verdict.row.counts.items()}
        if known != verdict.row.counts:
            other = judge(row_of(verdict.row.name, verdict.row.printed, known), with_repairs=False, counted=False)
            if other.state == "possible":
                return other, f"impossible on the stated samples, possible on {remark}"
    return verdict, ""


def _other_counts(paper: str, name: str) -> list[tuple[str, dict[str, ClassCounts]]]:
    if name.startswith("CapsuleNet"):
        return [("the 435 samples of the authors' log", _counts_of_log())]
    return [("the authors' edited list of CAS(ME)^3", named_counts("casme3_three", 0))] if paper == "htnet" else []


def _counts_of_log() -> dict[str, ClassCounts]:
    log = reported(_LOG)
    sets = [name for name in dict.fromkeys(log["dataset"]) if name != FULL]
    return with_sum({name: ClassCounts(_CLASSES, tuple(_row_sum(name, of) for of in _CLASSES)) for name in sets})


def _row_sum(dataset: str, true: str) -> int:
    cells = [lookup(_LOG, f"cm_{true}_as_{taken}", dataset) for taken in _CLASSES]
    return sum(int(cell.value) for cell in cells if cell)
