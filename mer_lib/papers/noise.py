"""How much an ablation moves when nothing but the seed changes, beside the differences that were published."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from mer_lib.evaluation.frames import FULL
from mer_lib.evaluation.methods import is_network
from mer_lib.papers.entries import EntryResult, PaperResults
from mer_lib.papers.measurement import Measurement
from mer_lib.papers.parts import HERE
from mer_lib.papers.verdicts import noise_floor as floor_of

COLUMNS = (
    "experiment", "title", "data", "kind", "profile", "metric", "variants", "seeds", "sd", "noise", "noise_single",
    "largest_claimed", "largest_measured", "claims", "claims_below", "identical",
)  # fmt: skip


def noise_floor(results: PaperResults) -> pd.DataFrame:
    """Return the noise floor of every experiment with two trained networks or more.

    Args:
        results: see :func:`mer_lib.papers.paper_set.collect`.

    Returns:
        One row an experiment, with :data:`COLUMNS`: `sd` over seeds, root mean square over the networks, on all samples
        of `data`, protocol ``fixed``; `noise`, the floor of a difference between means over these seeds, and
        `noise_single`, that of two single runs (see :func:`mer_lib.papers.verdicts.noise_floor`); `largest_claimed` and
        `largest_measured` difference between rows; number of `claims`, and `claims_below`, of those whose published
        difference is below `noise_single`. With one seed all that needs a spread is missing. `identical` names pairs of
        variants that are one setting twice.
        Scores are fractions (0 to 1).
    """
    rows = [row for name, result in results.entries.items() for row in _rows(name, result)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"claims": "int64", "claims_below": "Int64"})


def _rows(name: str, result: EntryResult) -> Iterator[dict[str, Any]]:
    measurement = result.measurement
    if measurement is None:
        return
    networks = [label for label, variant in measurement.variants.items() if is_network(variant)]
    if len(networks) < 2:
        return
    claimed = result.claims["published_difference"].astype(float)
    printed = str(result.claims["metric"].iloc[0]) if len(claimed) else "uf1"
    metric = HERE.get(printed, printed)
    scores = _scores(measurement, networks, metric)
    spread, seeds = float(np.sqrt((scores["sd"] ** 2).mean(skipna=False))), len(measurement.seeds)
    single = floor_of(spread, 1, spread, 1)
    yield {
        "experiment": name,
        "title": measurement.experiment.title,
        "data": measurement.dataset.label,
        "kind": measurement.dataset.kind,
        "profile": measurement.profile,
        "metric": metric,
        "variants": len(networks),
        "seeds": seeds,
        "sd": spread,
        "noise": floor_of(spread, seeds, spread, seeds),
        "noise_single": single,
        "largest_claimed": claimed.max() if len(claimed) else np.nan,
        "largest_measured": float(scores["value"].max() - scores["value"].min()),
        "claims": len(claimed),
        "claims_below": pd.NA if np.isnan(single) else int((claimed < single).sum()),
        "identical": _identical(measurement, networks),
    }


def _scores(measurement: Measurement, labels: list[str], metric: str) -> pd.DataFrame:
    table = measurement.scores
    kept = (table["subset"] == FULL) & (table["protocol"] == "fixed") & (table["metric"] == metric)
    return table[kept & table["variant"].isin(labels)]


def _identical(measurement: Measurement, labels: list[str]) -> str:
    by_setting: dict[str, list[str]] = {}
    for label in labels:
        by_setting.setdefault(measurement.variants[label].key, []).append(label)
    return "; ".join(" = ".join(group) for group in by_setting.values() if len(group) > 1)
