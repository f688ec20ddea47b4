"""What the page shows of one measurement: scores, figures, matrices, gaps, audits, settings, cost and provenance."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from mer_lib.evaluation.frames import FULL
from mer_lib.papers.cells import AT_LEAST
from mer_lib.papers.measurement import Measurement
from mer_lib.papers.parts import HERE
from mer_lib.plots.style import dataset_label, marked
from mer_lib.report import findings, provenance, settings_tables, tables, views
from mer_lib.report.figures import gap_figure, learning_figure, score_figure
from mer_lib.report.views import MatrixView, TableView, table_view

MAIN = ("uf1", "uar")
LEVEL = 0.05  # of the Holm-corrected tests that the summary counts
MARKS = (("FAILED", "failed"), ("note", "note"))


@dataclass(frozen=True)
class FigureView:
    """One figure, twice: to point at on a screen, and as a picture (SVG) for print and other media."""

    name: str
    label: str
    live: go.Figure
    still: str


@dataclass(frozen=True)
class Measured:
    """All that the page shows of one measurement."""

    measurement: Measurement
    tested: str
    alike: list[str]
    varied: TableView | None
    scores: TableView
    by_dataset: TableView | None
    others: TableView | None
    nested: TableView | None
    further: TableView | None
    gap: TableView | None
    comparisons: TableView | None
    comparison_summary: str
    over_prior: TableView | None
    over_prior_summary: str
    trivial: TableView | None
    subject_means: TableView | None
    fold_means: TableView | None
    matrices: list[tuple[str, list[MatrixView]]]
    matrix_caption: str
    parameters: TableView | None
    audit: TableView | None
    audit_summary: str
    faults: list[str]
    settings: TableView | None
    differences: TableView | None
    cost: TableView | None
    provenance: TableView | None
    figures: dict[str, FigureView]


def measured(
    measurement: Measurement, beside: bool, pictures: Mapping[str, str], printed: Collection[str] = ()
) -> Measured:
    """Collect what the page shows of one measurement.

    Args:
        measurement: what was measured.
        beside: whether published numbers stand in the table of scores; False where the page shows the published table.
        pictures: its figures, of :func:`mer_lib.report.stills.stills`.
        printed: the metrics that the paper prints, as it calls them; those at hand stand beside UF1 and UAR.
    """
    also = _also_printed(measurement, printed)
    return Measured(
        measurement=measurement,
        tested=_tested(measurement),
        alike=[", ".join(labels) for labels in settings_tables.same_settings(measurement)],
        varied=table_view(settings_tables.settings_table(measurement, varied_only=True)),
        scores=views.score_view(measurement, "fixed", MAIN, _caption(measurement, "fixed"), beside, [FULL]),
        by_dataset=_by_dataset(measurement, beside),
        others=_others(measurement, also, beside),
        nested=_nested(measurement, beside),
        further=_others(measurement, [name for name in measurement.metrics if name not in (*MAIN, *also)]),
        gap=table_view(tables.gap_table(measurement)),
        comparisons=table_view(tables.comparison_table(measurement)),
        comparison_summary=_comparison_summary(measurement),
        over_prior=table_view(tables.prior_table(measurement)),
        over_prior_summary=findings.over_prior(measurement),
        trivial=table_view(tables.trivial_score_table(measurement)),
        subject_means=table_view(tables.subject_mean_table(measurement)),
        fold_means=table_view(tables.fold_mean_table(measurement)),
        matrices=[(dataset_label(name), views.matrix_views(measurement, name)) for name in _subsets(measurement)],
        matrix_caption=_matrix_caption(measurement),
        parameters=table_view(tables.parameter_table(measurement)),
        audit=table_view(tables.audit_table(measurement), marks=MARKS),
        audit_summary=_audit_summary(measurement),
        faults=_faults(measurement),
        settings=table_view(settings_tables.settings_table(measurement)),
        differences=table_view(settings_tables.profile_table(measurement)),
        cost=table_view(provenance.shown_costs(measurement)),
        provenance=table_view(provenance.provenance_table(measurement)),
        figures=_figures(measurement, pictures),
    )


def _figures(measurement: Measurement, pictures: Mapping[str, str]) -> dict[str, FigureView]:
    live = {
        "scores": ("UF1 and UAR of every variant with 95 % intervals", score_figure(measurement)),
        "gap": ("UF1 under the protocols fixed, nested and published for every variant", gap_figure(measurement)),
        "learning": ("Training loss and test UF1 by epoch", learning_figure(measurement)),
    }
    return {
        name: FigureView(name, f"{measurement.experiment.title}: {label}", figure, pictures[name])
        for name, (label, figure) in live.items()
        if figure is not None
    }


def _by_dataset(measurement: Measurement, beside: bool) -> TableView | None:
    if len(_subsets(measurement)) == 1:
        return None
    return views.score_view(measurement, "fixed", MAIN, _caption(measurement, "fixed"), beside)


def _subsets(measurement: Measurement) -> list[str]:
    return list(dict.fromkeys(measurement.scores["subset"]))


def _also_printed(measurement: Measurement, printed: Collection[str]) -> list[str]:
    """Return the metrics besides UF1 and UAR that the paper prints, whatever data they were measured on."""
    here = {HERE.get(name, name) for name in (metric.removesuffix(AT_LEAST) for metric in printed)}
    return [name for name in measurement.metrics if name in here and name not in MAIN]


def _others(measurement: Measurement, metrics: Collection[str], beside: bool = True) -> TableView | None:
    if not metrics:
        return None
    return views.score_view(measurement, "fixed", metrics, _caption(measurement, "fixed"), beside)


def _nested(measurement: Measurement, beside: bool) -> TableView | None:
    if "nested" not in set(measurement.scores["protocol"]):
        return None
    inner = set(measurement.scores.loc[measurement.scores["protocol"] == "nested", "variant"])
    caption = _caption(measurement, "nested")
    if len(inner) < len(measurement.variants):
        caption += " Variants without inner validation subjects are left out."
    return views.score_view(measurement, "nested", MAIN, caption, beside)


def _caption(measurement: Measurement, protocol: str) -> str:
    source = marked(measurement.caption, measurement.dataset.kind)
    spread = ", ± sd over seeds." if len(measurement.seeds) > 1 else "; a single seed."
    shown = f"protocol {protocol} · mean, [95 % interval over subjects]{spread}"
    return f"{source} · N = {_tested(measurement)} · {shown}"


def _tested(measurement: Measurement) -> str:
    """Return how many samples the variants were tested on."""
    counts = sorted(set(measurement.scores.loc[measurement.scores["subset"] == "full", "n"]))
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def _matrix_caption(measurement: Measurement) -> str:
    seeds = len(measurement.seeds)
    summed = f", summed over {seeds} seeds" if seeds > 1 else ""
    return (
        f"{measurement.caption}. Share of each true class, and with it the number of samples{summed}. Rows are the "
        "true classes, columns the predicted ones; the diagonal holds the recalls."
    )


def _comparison_summary(measurement: Measurement) -> str:
    tests: pd.DataFrame = measurement.tests
    if tests.empty:
        return ""
    differing = int((tests["p_holm"] < LEVEL).sum())
    return f"{differing} of {len(tests)} pairs of variants differ in UF1 (Holm-corrected p below {LEVEL})."


def _audit_summary(measurement: Measurement) -> str:
    checks = [check for audit in measurement.audits.values() for check in audit.checks if check.fatal]
    passed = sum(check.passed for check in checks)
    return f"{passed} of {len(checks)} checks passed, in {len(measurement.audits)} runs."


def _faults(measurement: Measurement) -> list[str]:
    return [
        f"{label}, seed {seed}: {check.name}: {check.detail}"
        for (label, seed), audit in measurement.audits.items()
        for check in audit.checks
        if check.fatal and not check.passed
    ]
