"""What was seen, in sentences made from the numbers by rules that the sentences name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mer_lib.papers.measure import Measurement
from mer_lib.plots.exploration.look import number_of
from mer_lib.plots.style import metric_label
from mer_lib.report.formatting import difference, measured, score

LEVEL = 0.05  # of the Holm-corrected tests
#: What is said wherever a UF1 stands beside that of the class prior.
LOW_BAR = (
    "The class prior is a low bar: it names one class only, so that its UF1 is below that of labels dealt at random."
)


def comparison(measurement: Measurement) -> str:
    """Say which method scored highest, which ones it can be told from, and what that rests on. Markdown."""
    table = _uf1(measurement).sort_values("value", ascending=False)
    best = table.iloc[0]
    told, alike = _partners(measurement, best["variant"])
    lines = [
        f"**Seen:** *{best['variant']}* scored highest, UF1 {measured(best['value'], best['low'], best['high'])}.",
        f"It can be told from {_listed(told)}." if told else "",
        f"It cannot be told from {_listed(alike)}: the paired test over people, corrected for "
        f"{len(measurement.tests)} comparisons, leaves p above {LEVEL}."
        if alike
        else "",
        _source(measurement),
    ]
    return " ".join(line for line in lines if line)


def ablation(measurement: Measurement) -> str:
    """Say whether the variants of an ablation, class priors left out, can be told apart at all. Markdown."""
    table = _uf1(measurement)
    table = table[[not _is_prior(measurement, label) for label in table["variant"]]]
    if len(table) < 2:
        return _recalls(measurement, next(iter(table["variant"]), next(iter(measurement.variants))))
    best, worst = table.loc[table["value"].idxmax()], table.loc[table["value"].idxmin()]
    spread, width = best["value"] - worst["value"], (table["high"] - table["low"]).mean()
    pairs = _p_values_without_priors(measurement)
    differing = sum(p < LEVEL for p in pairs)
    lines = [
        f"**Seen:** UF1 runs from {score(worst['value'])} (*{worst['variant']}*) to {score(best['value'])} "
        f"(*{best['variant']}*), a spread of {score(spread)}; one interval is {score(width)} wide on average.",
        f"Of {len(pairs)} pairs, {differing} differ after Holm's correction (p below {LEVEL})."
        if differing
        else f"None of the {len(pairs)} pairs differs after Holm's correction (p below {LEVEL}), so this "
        "run gives no reason to prefer one.",
        _published_best(table),
        "One seed: the noise between two trainings is not in these intervals." if len(measurement.seeds) == 1 else "",
        _source(measurement),
    ]
    return " ".join(line for line in lines if line)


def over_prior(measurement: Measurement, metric: str = "uf1") -> str:
    """Say which variants beat the class prior on the same samples by more than chance in the choice of people.

    Plain text; empty where the experiment has no class prior beside other variants. Variants trained on shuffled labels
    have nothing to recognise: they are named, and not counted.
    """
    table = measurement.scores
    rows = table[table["over_prior"].notna() & (table["metric"] == metric)]
    if rows.empty:
        return ""
    shuffled = [measurement.variants[label].training.permute_labels for label in rows["variant"]]
    controls = [_margin(row) for row in rows[shuffled].itertuples()]
    rows = rows[np.logical_not(shuffled)]
    above = [_margin(row) for row in rows.itertuples() if row.over_prior_low > 0]
    rest = [_margin(row) for row in rows.itertuples() if not row.over_prior_low > 0]
    lines = [
        f"Above the class prior in {metric_label(metric)}, by a margin whose 95 % interval over people excludes zero: "
        f"{len(above) or 'none'} of {number_of(len(rows), 'variant')}{': ' if above else ''}{'; '.join(above)}.",
        f"Not told from it, or below it: {'; '.join(rest)}." if rest else "",
        f"Trained on shuffled labels, for comparison: {'; '.join(controls)}." if controls else "",
        LOW_BAR if metric == "uf1" else "",
        _source(measurement),
    ]
    return " ".join(line for line in lines if line)


def _margin(row: Any) -> str:
    ends = f"{difference(row.over_prior_low)} to {difference(row.over_prior_high)}"
    return f"{row.variant} {difference(row.over_prior)} ({ends})"


def optimism(measurement: Measurement) -> str:
    """Say how much UF1 the choice of the epoch on the test subjects is worth. Markdown."""
    gaps = measurement.gaps.set_index("variant")
    trained = gaps[gaps["published"] != gaps["fixed"]]
    if trained.empty:
        return "**Seen:** no method here has an epoch to choose, or the choice made no difference."
    rows = [
        f"*{label}* {difference(row['published_minus_fixed'])}"
        + (f" against `fixed`, {difference(row['published_minus_nested'])} against `nested`" if i == 0 else "")
        + (f" and {difference(row['published_minus_nested'])}" if i else "")
        for i, (label, row) in enumerate(trained.iterrows())
    ]
    return (
        f"**Seen:** choosing the epoch on the test people changes UF1 by {'; '.join(rows)}. "
        f"Nothing was learned better: the trainings are the same. {_source(measurement)}"
    )


def _uf1(measurement: Measurement) -> pd.DataFrame:
    table = measurement.scores
    chosen = (table["subset"] == "full") & (table["protocol"] == "fixed") & (table["metric"] == "uf1")
    return table[chosen].reset_index(drop=True)


def _is_prior(measurement: Measurement, label: str) -> bool:
    return measurement.variants[label].model.name == "dummy"


def _p_values_without_priors(measurement: Measurement) -> list[float]:
    rows = measurement.tests.itertuples()
    return [
        row.p_holm for row in rows if not any(_is_prior(measurement, name) for name in (row.method_a, row.method_b))
    ]


def _partners(measurement: Measurement, name: str) -> tuple[list[str], list[str]]:
    """Return the variants that differ from `name` after correction, and those that do not."""
    told: list[str] = []
    alike: list[str] = []
    for row in measurement.tests.itertuples():
        if name in (row.method_a, row.method_b):
            other = row.method_b if row.method_a == name else row.method_a
            (told if row.p_holm < LEVEL else alike).append(other)
    return told, alike


def _published_best(table: pd.DataFrame) -> str:
    if table["reported"].isna().all():
        return ""
    best = table.loc[table["reported"].idxmax()]
    return f"The article's best is *{best['variant']}* with {best['reported_text']}."


def _recalls(measurement: Measurement, label: str) -> str:
    table = measurement.scores
    rows = table[(table["subset"] == "full") & (table["protocol"] == "fixed") & (table["variant"] == label)]
    chosen = rows.set_index("metric")["value"]
    recalls = ", ".join(
        f"{name.removeprefix('recall_')} {score(chosen[name])}" for name in chosen.index if name.startswith("recall_")
    )
    return f"**Seen:** recalls are {recalls}. {_source(measurement)}"


def _listed(names: list[str]) -> str:
    return ", ".join(f"*{name}*" for name in names)


def _source(measurement: Measurement) -> str:
    return f"({measurement.caption}.)"
