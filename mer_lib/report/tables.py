"""Tables to show, for the report and the notebooks alike: each is a function of a measurement and nothing else.

Cells are text, formatted by :mod:`mer_lib.report.formatting`; the numbers themselves stand in the measurement.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

from mer_lib.datasets import ClipDataset, FlowMapDataset
from mer_lib.errors import ParameterError
from mer_lib.evaluation import per_subject
from mer_lib.evaluation.protocols import PROTOCOLS
from mer_lib.papers import reported
from mer_lib.papers.measure import Measurement
from mer_lib.papers.network_size import parameter_count, weights_mib
from mer_lib.plots.style import PROTOCOL_LABELS, dataset_label, metric_label, under_caption
from mer_lib.report.formatting import NOTHING, difference, measured, p_value, score, whole, with_interval
from mer_lib.report.settings_tables import REFERENCE_PROFILE

_COUNT = re.compile(r"(\d+) (\D+)")
PRINTED_SIZE = "torchsummary_total_mb"  # what HTNet's table 5 calls parameters


def captioned(table: pd.DataFrame, measurement: Measurement) -> Styler:
    """Return a table to look at in a notebook: above it stands what its numbers come from.

    Args:
        table: one of this module's, of `measurement`; its index is left out.
        measurement: says data set, profile and seeds.
    """
    return under_caption(table.style.hide(axis="index"), measurement.caption, measurement.dataset.kind)


def excluded_table(dataset: FlowMapDataset | ClipDataset) -> pd.DataFrame:
    """Return which samples of a data set cannot be used: sample, why it is excluded."""
    return dataset.exclusions.rename(columns={"sample_id": "sample", "reason": "why it is excluded"})


def excluded_samples(dataset: FlowMapDataset | ClipDataset) -> Styler | None:
    """Return :func:`excluded_table` to look at in a notebook, under its number; None where nothing is excluded."""
    table = excluded_table(dataset)
    number = f"{len(table)} samples of {dataset.title} are excluded from everything below"
    return under_caption(table.style.hide(axis="index"), number, dataset.kind) if len(table) else None


def score_table(
    measurement: Measurement,
    protocol: str = "fixed",
    metrics: Sequence[str] = ("uf1", "uar"),
    subsets: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return measured beside reported scores, one row a (variant, subset).

    Args:
        measurement: what was measured.
        protocol: ``"fixed"`` or ``"nested"``; for ``"published"``, which never stands alone, see :func:`gap_table`.
        metrics: names among `measurement.metrics`.
        subsets: ``"full"`` and data sets of the composite; None takes all.

    Returns:
        Columns `variant, subset, samples`, then for each metric `<metric>` with mean [95 % interval] ± sd over seeds,
        and `<metric> reported` where the paper reports any.

    Raises:
        ParameterError: a protocol, metric or subset was not measured, or the protocol is ``"published"``.
    """
    table = measurement.scores
    if protocol == "published":
        raise ParameterError("protocol 'published' is never shown alone; gap_table shows it beside the others")
    _require("protocol", [protocol], table["protocol"])
    _require("metric", metrics, table["metric"])
    _require("subset", subsets or [], table["subset"])
    rows = table[(table["protocol"] == protocol) & table["metric"].isin(metrics)]
    if subsets is not None:
        rows = rows[rows["subset"].isin(subsets)]
    wide = pd.DataFrame([_score_row(group, metrics) for _, group in rows.groupby(["variant", "subset"], sort=False)])
    order = [column for name in metrics for column in (metric_label(name), f"{metric_label(name)} reported")]
    return wide[["variant", "subset", "samples", *(name for name in order if name in wide)]].fillna(NOTHING)


def _require(what: str, wanted: Iterable[str], measured_ones: pd.Series) -> None:
    known = list(dict.fromkeys(measured_ones))
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise ParameterError(f"{what}: expected some of {', '.join(known)}, got {', '.join(unknown)}")


def _score_row(group: pd.DataFrame, metrics: Sequence[str]) -> dict[str, Any]:
    first, by_metric = group.iloc[0], group.set_index("metric")
    row = {"variant": first["variant"], "subset": dataset_label(first["subset"]), "samples": int(first["n"])}
    for name in (name for name in metrics if name in by_metric.index):  # a variant with other classes lacks recalls
        cell, label = by_metric.loc[name], metric_label(name)
        row[label] = measured(cell["value"], cell["low"], cell["high"], cell["sd"])
        if cell["reported_text"]:
            row[f"{label} reported"] = cell["reported_text"]
    return row


def prior_table(measurement: Measurement, metrics: Sequence[str] = ("uf1", "auc_macro", "auc_micro")) -> pd.DataFrame:
    """Return how far each variant is above the class prior on the same samples, one row a variant.

    Columns: `variant`, and for each metric `<metric> over class prior`: difference [95 % interval], paired over
    subjects, protocol ``fixed``; empty where the experiment has no class prior beside other variants. What the class
    prior of an AUC is says :class:`mer_lib.papers.measurement.Measurement`.
    """
    rows = measurement.scores[measurement.scores["over_prior"].notna()].set_index(["variant", "metric"])
    labels = list(dict.fromkeys(rows.index.get_level_values("variant")))
    return pd.DataFrame(
        [
            {"variant": label}
            | {
                f"{metric_label(name)} over class prior": with_interval(rows.loc[label, name], "over_prior")
                for name in metrics
            }
            for label in labels
        ]
    )


def trivial_score_table(measurement: Measurement) -> pd.DataFrame:
    """Return each variant beside predictors that never look at a sample: `variant, predictor` and one score a column.

    Protocol ``fixed``, first seed; the predictors are those of :mod:`mer_lib.evaluation.trivial`.
    """
    rows = measurement.trivial
    table = rows[["variant", "predictor"]].copy()
    for name in rows.columns.drop(["variant", "predictor"]):
        table[metric_label(name)] = [score(value) for value in rows[name]]
    return table


def subject_mean_table(measurement: Measurement) -> pd.DataFrame:
    """Return scores averaged over subjects, not the field's protocol, beside what a perfect classifier attains.

    Columns: `variant, classes that a subject lacks, UF1 …, UAR …, a perfect classifier attains, subjects`; protocol
    ``fixed``, first seed.
    """
    rows = measurement.subject_means
    return pd.DataFrame(
        {
            "variant": rows["variant"],
            "classes that a subject lacks": [per_subject.VARIANTS[name] for name in rows["absent"]],
            "UF1, mean over subjects": [score(value) for value in rows["uf1_mean_over_subjects"]],
            "UAR, mean over subjects": [score(value) for value in rows["uar_mean_over_subjects"]],
            "a perfect classifier attains": [score(value) for value in rows["attainable"]],
            "subjects": [whole(value) for value in rows["n_subjects"]],
        }
    )


def gap_table(measurement: Measurement) -> pd.DataFrame:
    """Return UF1 of all data sets under every protocol, one row a variant, and what choosing on the test adds.

    Columns: `variant`, one a protocol as in :data:`PROTOCOL_LABELS`, `published − fixed`, `published − nested`, and
    `reported` where the paper reports any.
    """
    rows = []
    for label in measurement.variants:
        cells = _full_uf1(measurement, label)
        gap = measurement.gaps.set_index("variant").loc[label]
        row: dict[str, Any] = {"variant": label}
        row |= {PROTOCOL_LABELS[name]: _interval_cell(cells, name) for name in PROTOCOLS}
        row["published − fixed"] = difference(gap["published_minus_fixed"])
        row["published − nested"] = difference(gap["published_minus_nested"])
        if (text := cells["reported_text"].iloc[0]) != "":
            row["reported"] = text
        rows.append(row)
    return pd.DataFrame(rows).fillna(NOTHING)


def _full_uf1(measurement: Measurement, variant: str) -> pd.DataFrame:
    table = measurement.scores
    chosen = (table["variant"] == variant) & (table["subset"] == "full") & (table["metric"] == "uf1")
    return table[chosen].set_index("protocol")


def _interval_cell(cells: pd.DataFrame, protocol: str) -> str:
    if protocol not in cells.index:
        return NOTHING
    cell = cells.loc[protocol]
    return measured(cell["value"], cell["low"], cell["high"])


def fold_mean_table(measurement: Measurement) -> pd.DataFrame:
    """Return scores averaged over folds under ``fixed``, which is not the field's protocol and is given second."""
    rows = measurement.fold_means
    rows = rows[rows["protocol"] == "fixed"].set_index("variant").loc[list(measurement.variants)]
    table = pd.DataFrame({"variant": rows.index})
    for name in ("uf1", "uar", "accuracy"):
        table[f"{metric_label(name)}, mean over folds"] = [score(v) for v in rows[f"{name}_mean_over_folds"]]
    table["folds"] = [whole(n) for n in rows["n_folds"]]
    lacking = [name for name in rows if str(name).startswith("folds_without_")]
    for name in lacking:
        table[str(name).replace("_", " ")] = [whole(n) for n in rows[name]]
    return table


def comparison_table(measurement: Measurement) -> pd.DataFrame:
    """Return the paired permutation tests between variants, smallest p-value first; empty for a single variant."""
    tests = measurement.tests
    if tests.empty:
        return pd.DataFrame()
    tests = tests.sort_values(["p_holm", "p_value"], kind="stable")
    return pd.DataFrame(
        {
            "first": tests["method_a"].to_numpy(),
            "second": tests["method_b"].to_numpy(),
            "UF1 first": [score(v) for v in tests["score_a"]],
            "UF1 second": [score(v) for v in tests["score_b"]],
            "difference": [difference(v) for v in tests["difference"]],
            "p": [p_value(v) for v in tests["p_value"]],
            "p, Holm": [p_value(v) for v in tests["p_holm"]],
            "subjects": tests["n_subjects"].to_numpy(),
            "samples": tests["n_samples"].to_numpy(),
        }
    )


def audit_table(measurement: Measurement) -> pd.DataFrame:
    """Return every check of the audits, failed ones first: `check, result, detail, variants`.

    Passed checks share a row, their counts summed over the runs where they differ, and so do failures and notes in the
    same words.
    """
    parts = [
        audit.table().assign(variants=f"{label}, seed {seed}") for (label, seed), audit in measurement.audits.items()
    ]
    rows = pd.concat(parts, ignore_index=True)
    # Passed checks differ in counts at most; of the others, every variant and its words matter.
    rows["group"] = rows["detail"].where(rows["result"] != "passed", "")
    merged = rows.groupby(["check", "result", "group"], sort=False).agg(
        detail=("detail", _merged), variants=("variants", list)
    )
    merged["variants"] = ["all" if len(names) == len(parts) else "; ".join(names) for names in merged["variants"]]
    merged = merged.reset_index()
    order = merged["result"].map({"FAILED": 0, "passed": 1, "note": 2}).to_numpy()
    return merged.iloc[order.argsort(kind="stable")][["check", "result", "detail", "variants"]].reset_index(drop=True)


def _merged(details: Iterable[str]) -> str:
    """Return what several runs say of a check; counts of one thing that differ are summed.

    >>> _merged(["151 rows", "152 rows", "152 rows"]), _merged(["48 samples, 2 folds"] * 3)
    ('455 rows in 3 runs', '48 samples, 2 folds')
    """
    texts = list(details)
    found = [_COUNT.fullmatch(text) for text in texts]
    things = {match[2] for match in found if match}
    if len(set(texts)) > 1 and all(found) and len(things) == 1:
        return f"{sum(int(match[1]) for match in found if match)} {things.pop()} in {len(texts)} runs"
    return "; ".join(dict.fromkeys(texts))


def parameter_table(measurement: Measurement) -> pd.DataFrame:
    """Return true parameter counts, one row a variant, empty where no variant is a network.

    Columns: `variant`, `parameters in this run`, `parameters under profile paper`, `their weights, MiB`, and, for real
    data, `printed, MiB` where the paper prints a memory estimate under the name of parameters.
    """
    reference = measurement.experiment.settings(REFERENCE_PROFILE)
    rows = []
    for label, variant in measurement.variants.items():
        here, there = parameter_count(variant), parameter_count(reference[label])
        if here is None or there is None:
            continue
        row = {
            "variant": label,
            "parameters in this run": whole(here),
            f"parameters under profile {REFERENCE_PROFILE}": whole(there),
            "their weights, MiB": f"{weights_mib(there):.2f}",
        }
        if (printed := _printed_size(measurement, label)) is not None:
            row["printed, MiB"] = printed
        rows.append(row)
    return pd.DataFrame(rows)


def _printed_size(measurement: Measurement, label: str) -> str | None:
    source = measurement.experiment.reported
    if measurement.dataset.kind != "real" or source is None or source.by is None:
        return None
    name = measurement.experiment.variants[label].reported or label
    number = reported.lookup(source.experiment, PRINTED_SIZE, **{source.by: name})
    return number.display() if number else None


def note_table(measurement: Measurement) -> pd.DataFrame:
    """Return what is known against the reported numbers of the score tables: `variant, subset, metric, note`."""
    rows = measurement.scores
    rows = rows[(rows["protocol"] == "fixed") & (rows["reported_note"] != "")]
    return pd.DataFrame(
        {
            "variant": rows["variant"].to_numpy(),
            "subset": [dataset_label(name) for name in rows["subset"]],
            "metric": [metric_label(name) for name in rows["metric"]],
            "note": rows["reported_note"].to_numpy(),
        }
    )
