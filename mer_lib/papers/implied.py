"""Counts that the printed numbers of a paper imply: what the number checker finds where there is one solution only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from mer_lib.claims.counts import FULL, named_counts
from mer_lib.claims.printed import read_number
from mer_lib.claims.row import Cell
from mer_lib.claims.shares import numerators
from mer_lib.claims.verdict import judge
from mer_lib.errors import ParameterError
from mer_lib.papers.checked import rows_of
from mer_lib.papers.reported import reported

COLUMNS = ("method", "variant", "dataset", "metric", "value", "why")
_FIVE = {"casme2": "casme2_five", "samm": "samm_five"}


def derived(experiment_id: str) -> pd.DataFrame:
    """Derive the counts of an entry from printed numbers alone.

    Args:
        experiment_id: "htnet.derived.confusion" or "mfem_mffm.derived.counts".

    Returns:
        Columns method, variant, dataset, metric, value (NaN where the printed numbers leave it open) and why, one row
        for each number of the entry.

    Raises:
        ParameterError: another entry.
    """
    ways = {"htnet.derived.confusion": _confusion, "mfem_mffm.derived.counts": _counts}
    if experiment_id not in ways:
        raise ParameterError(f"expected one of {', '.join(ways)}, got {experiment_id!r}")
    found = {key: told for key, *told in ways[experiment_id]()}
    rows = []
    for number in reported(experiment_id).to_dict("records"):
        value, why = found.get((number["method"], number["dataset"], number["metric"]), (np.nan, "it is not printed"))
        rows.append((*(number[name] for name in COLUMNS[:4]), value, why))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _confusion() -> Iterator[Any]:
    """Right answers and predicted totals of HTNet's base run, from its row of table 2."""
    row = next(row for row in rows_of("htnet.table2") if row.name.startswith("HTNet\n"))
    verdict = judge(row)
    joined = verdict.solved.joined
    unique = joined is not None and joined.complete and joined.number == 1
    why = f"table 2 leaves {joined.number if joined else 0} solution(s) in right answers and predicted totals"
    sets = {name: (joined.tp[0, i], joined.fp[0, i]) for i, name in enumerate(row.parts)} if joined and unique else {}
    if sets:
        sets[FULL] = tuple(np.sum([pair[i] for pair in sets.values()], axis=0) for i in (0, 1))
    for name in row.counts:
        for i, label in enumerate(row.counts[name].classes):
            tp, fp = (sets[name][0][i], sets[name][1][i]) if sets else (np.nan, np.nan)
            yield ("HTNet", name, f"tp_{label}"), tp, why
            yield ("HTNet", name, f"predicted_{label}"), tp + fp, why


def _counts() -> Iterator[Any]:
    """Right answers behind the accuracies of tables 2 and 3 and the recalls of figure 6."""
    for name, label_set in _FIVE.items():
        counts = named_counts(label_set)[name]
        samples = sum(counts.counts)
        for method, text in _printed(name, "acc"):
            yield (method, name, "n_samples"), samples, "the samples of the five classes"
            yield (method, name, "n_correct"), *_numerator(text, samples)
        for label, n in zip(counts.classes, counts.counts, strict=True):
            for method, text in _printed(name, f"recall_{label}"):
                yield (method, name, f"n_{label}"), n, "the samples of the class"
                yield (method, name, f"tp_{label}"), *_numerator(text, n)


def _printed(dataset: str, metric: str) -> Iterator[tuple[str, str]]:
    for entry in ("mfem_mffm.table2", "mfem_mffm.table3", "mfem_mffm.fig6"):
        for row in rows_of(entry):
            method = row.name.partition("\n")[0].removeprefix("MFEM+MFFM") or "base+MFEM+MFFM"
            if Cell(dataset, metric) in row.printed:
                yield method, row.printed[Cell(dataset, metric)]


def _numerator(text: str, n: int) -> tuple[float, str]:
    found = numerators(read_number(text), n)
    why = f"{text} of {n}: {', '.join(map(str, found)) or 'no count'}"
    return (found[0] if len(found) == 1 else np.nan), why
