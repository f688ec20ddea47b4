"""One self-contained HTML page of what was measured: nothing on it is loaded from anywhere else."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from mer_lib import atomic
from mer_lib.papers import reported
from mer_lib.papers.experiments import experiments
from mer_lib.papers.measure import Measurement
from mer_lib.plots.style import dataset_label, mark
from mer_lib.report import findings, machine, tables, views
from mer_lib.report.figures import gap_figure, learning_figure, score_figure
from mer_lib.report.formatting import duration, score
from mer_lib.report.views import MatrixView, TableView, table_view

TEMPLATE = "template.html"
MAIN = ("uf1", "uar")
LEVEL = 0.05  # of the Holm-corrected tests that the summary counts
MARKS = (("FAILED", "failed"), ("note", "note"))


@dataclass(frozen=True)
class NotebookRecord:
    """One executed notebook: its name, where its executed copy lies, and the error that stopped it, if any."""

    name: str
    path: Path
    error: str = ""


@dataclass(frozen=True)
class Section:
    """All that the page shows of one measurement."""

    anchor: str
    measurement: Measurement
    mark: str
    tested: str
    command: str
    place: str
    source: reported.ReportedExperiment | None
    paper: reported.Paper | None
    alike: list[str]
    varied: TableView | None
    scores: TableView
    others: TableView | None
    nested: TableView | None
    further: TableView
    gap: TableView | None
    comparisons: TableView | None
    comparison_summary: str
    over_prior: TableView | None
    over_prior_summary: str
    trivial: TableView | None
    subject_means: TableView | None
    fold_means: TableView | None
    matrices: list[tuple[str, list[MatrixView]]]
    parameters: TableView | None
    printed: TableView | None
    misprints: TableView | None
    audit: TableView | None
    faults: list[str]
    settings: TableView | None
    differences: TableView | None
    addresses: TableView | None
    score_figure: Markup
    gap_figure: Markup
    learning_figure: Markup | None


def build(
    measurements: Sequence[Measurement],
    missing: Sequence[str],
    path: Path,
    notebooks: Sequence[NotebookRecord] = (),
    options: str = "",
) -> Path:
    """Write the report, whole or not at all.

    Args:
        measurements: one section each, in this order.
        missing: ids of experiments that were asked for and have not been computed.
        path: the HTML file; its folder is created.
        notebooks: executed notebooks to name; failed ones are shown at the top.
        options: of the command that computes a missing experiment, such as ``--profile quick``.

    Returns:
        `path`.

    Raises:
        OSError: the file cannot be written; an older one stays as it was.
    """
    atomic.write_text(path, render(measurements, missing, notebooks, path.parent, options))
    return path


def render(
    measurements: Sequence[Measurement],
    missing: Sequence[str],
    notebooks: Sequence[NotebookRecord] = (),
    folder: Path = Path(),
    options: str = "",
) -> str:
    """Return the HTML of the report; links to notebooks are relative to `folder`."""
    sections = [section(entry, f"s{number}") for number, entry in enumerate(measurements, start=1)]
    return _template().render(
        sections=sections,
        title=_title(sections),
        data=[
            (
                entry.dataset,
                views.data_views(entry.dataset, _label_sets(measurements, entry.dataset.digest)),
                views.exclusion_view(entry.dataset),
            )
            for entry in _one_a_dataset(measurements)
        ],
        profiles=_profiles(measurements),
        overview=_overview(sections),
        missing=[_missing(name, options) for name in missing],
        notebooks=[(entry, _relative(entry.path, folder)) for entry in notebooks],
        built=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        versions=machine.versions(),
        hardware=machine.hardware(),
        devices=_devices(measurements),
        training_time=_training_time(measurements),
        plotly=_plotly_js(),
    )


def section(measurement: Measurement, anchor: str) -> Section:
    """Collect what the page shows of one measurement."""
    source, paper = _source(measurement)
    comparisons = tables.comparison_table(measurement)
    curves = learning_figure(measurement)
    return Section(
        anchor=anchor,
        measurement=measurement,
        mark=mark(measurement.dataset.kind),
        tested=_tested(measurement),
        command=_command(measurement),
        place=tables.reported_place(measurement.experiment),
        source=source,
        paper=paper,
        alike=[", ".join(labels) for labels in tables.same_settings(measurement)],
        varied=table_view(tables.settings_table(measurement, varied_only=True)),
        scores=_scores(measurement),
        others=_others(measurement),
        nested=_nested(measurement),
        further=_further(measurement),
        gap=table_view(tables.gap_table(measurement)),
        comparisons=table_view(comparisons),
        comparison_summary=_comparison_summary(measurement),
        over_prior=table_view(tables.prior_table(measurement)),
        over_prior_summary=findings.over_prior(measurement),
        trivial=table_view(tables.trivial_score_table(measurement)),
        subject_means=table_view(tables.subject_mean_table(measurement)),
        fold_means=table_view(tables.fold_mean_table(measurement)),
        matrices=[(dataset_label(name), views.matrix_views(measurement, name)) for name in _subsets(measurement)],
        parameters=table_view(tables.parameter_table(measurement)),
        printed=table_view(tables.printed_table(measurement)),
        misprints=table_view(tables.misprint_table(measurement)),
        audit=table_view(tables.audit_table(measurement), marks=MARKS),
        faults=_faults(measurement),
        settings=table_view(tables.settings_table(measurement)),
        differences=table_view(tables.profile_table(measurement)),
        addresses=table_view(tables.address_table(measurement)),
        score_figure=_json(score_figure(measurement)),
        gap_figure=_json(gap_figure(measurement)),
        learning_figure=None if curves is None else _json(curves),
    )


# -- parts of a section -----------------------------------------------------------------------------------------------


def _subsets(measurement: Measurement) -> list[str]:
    return list(dict.fromkeys(measurement.scores["subset"]))


def _scores(measurement: Measurement) -> TableView:
    return views.score_view(measurement, "fixed", MAIN, _caption(measurement, "fixed"))


def _also_reported(measurement: Measurement) -> list[str]:
    """Return the metrics besides UF1 and UAR that the paper reports."""
    rows = measurement.scores
    found = set(rows.loc[rows["reported_text"] != "", "metric"])
    return [name for name in measurement.metrics if name in found and name not in MAIN]


def _others(measurement: Measurement) -> TableView | None:
    metrics = _also_reported(measurement)
    return views.score_view(measurement, "fixed", metrics, _caption(measurement, "fixed")) if metrics else None


def _nested(measurement: Measurement) -> TableView | None:
    if "nested" not in set(measurement.scores["protocol"]):
        return None
    measured = set(measurement.scores.loc[measurement.scores["protocol"] == "nested", "variant"])
    caption = _caption(measurement, "nested")
    if len(measured) < len(measurement.variants):
        caption += " Variants without inner validation subjects are left out."
    return views.score_view(measurement, "nested", MAIN, caption)


def _further(measurement: Measurement) -> TableView:
    rest = [name for name in measurement.metrics if name not in (*MAIN, *_also_reported(measurement))]
    return views.score_view(measurement, "fixed", rest, _caption(measurement, "fixed"))


def _caption(measurement: Measurement, protocol: str) -> str:
    return (
        f"{measurement.caption} · N = {_tested(measurement)} · protocol {protocol} · mean, [95 % interval "
        "over subjects]" + (", ± sd over seeds." if len(measurement.seeds) > 1 else "; a single seed.")
    )


def _tested(measurement: Measurement) -> str:
    """Return how many samples the variants were tested on."""
    counts = sorted(set(measurement.scores.loc[measurement.scores["subset"] == "full", "n"]))
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def _comparison_summary(measurement: Measurement) -> str:
    tests = measurement.tests
    if tests.empty:
        return ""
    differing = int((tests["p_holm"] < LEVEL).sum())
    return f"{differing} of {len(tests)} pairs of variants differ in UF1 (Holm-corrected p below {LEVEL})."


def _faults(measurement: Measurement) -> list[str]:
    return [
        f"{label}, seed {seed}: {check.name}: {check.detail}"
        for (label, seed), audit in measurement.audits.items()
        for check in audit.checks
        if check.fatal and not check.passed
    ]


def _source(measurement: Measurement) -> tuple[reported.ReportedExperiment | None, reported.Paper | None]:
    if measurement.experiment.reported is None:
        return None, reported.papers().get(measurement.experiment.paper)
    entry = reported.experiments()[measurement.experiment.reported.experiment]
    return entry, reported.papers()[entry.paper]


def _command(measurement: Measurement) -> str:
    seeds = ",".join(map(str, measurement.seeds))
    name, data = measurement.experiment.id, measurement.dataset.name
    return f"mer run {name} --profile {measurement.profile} --data {data} --seeds {seeds}"


# -- parts of the page ------------------------------------------------------------------------------------------------


def _title(sections: Sequence[Section]) -> str:
    marks = sorted({entry.mark for entry in sections if entry.mark})
    named = " and ".join(marks)
    if marks and all(entry.mark for entry in sections):
        ending = f"on {named}"
    else:
        ending = "beside reported" + (f", some on {named}" if marks else "")
    return f"Micro-expression recognition: measured {ending}"


def _overview(sections: Sequence[Section]) -> list[dict[str, Any]]:
    return [_overview_row(entry) for entry in sections]


def _overview_row(entry: Section) -> dict[str, Any]:
    rows = entry.measurement.scores
    fixed = rows[(rows["protocol"] == "fixed") & (rows["subset"] == "full") & (rows["metric"] == "uf1")]
    low, high = score(fixed["value"].min()), score(fixed["value"].max())
    events = entry.measurement.events
    return {
        "section": entry,
        "variants": len(fixed),
        "uf1": low if low == high else f"{low} – {high}",
        "time": duration(float(events["seconds"].sum())) if len(events) else "–",
    }


def _one_a_dataset(measurements: Sequence[Measurement]) -> list[Measurement]:
    return list({entry.dataset.digest: entry for entry in measurements}.values())


def _label_sets(measurements: Sequence[Measurement], digest: str) -> list[str]:
    """Return the label sets that one data set was seen through."""
    variants = [v for entry in measurements if entry.dataset.digest == digest for v in entry.variants.values()]
    return list(dict.fromkeys(variant.labels for variant in variants))


def _profiles(measurements: Sequence[Measurement]) -> dict[str, list[str]]:
    """Return what each profile means, in the words of the papers that use it."""
    found: dict[str, list[str]] = {}
    for entry in measurements:
        about = entry.experiment.profile(entry.profile).about
        known = found.setdefault(entry.profile, [])
        if (text := f"{entry.experiment.paper}: {about}") not in known:
            known.append(text)
    return found


def _missing(name: str, options: str) -> dict[str, str]:
    entry = experiments().get(name)
    return {"id": name, "question": entry.question if entry else "", "command": f"mer run {name} {options}".strip()}


def _relative(path: Path, folder: Path) -> str:
    inside = path.is_absolute() and folder.is_absolute() and path.is_relative_to(folder)
    return (path.relative_to(folder) if inside else path).as_posix()


def _devices(measurements: Sequence[Measurement]) -> TableView | None:
    frame = tables.device_table(measurements)
    if frame.empty:
        return None
    return table_view(frame.assign(seconds=[f"{seconds:.1f}" for seconds in frame["seconds"]]))


def _training_time(measurements: Sequence[Measurement]) -> str:
    frame = tables.device_table(measurements)
    return "–" if frame.empty else duration(float(frame["seconds"].sum()))


# -- HTML -------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("mer_lib", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE)


def _json(figure: go.Figure) -> Markup:
    """Return a figure as JSON that can stand in a script element: no `<` can close it."""
    content = json.dumps(json.loads(figure.to_json()), separators=(",", ":"), sort_keys=True)
    return Markup(content.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


@lru_cache(maxsize=1)
def _plotly_js() -> Markup:
    return Markup(re.sub(r"</(script)", r"<\\/\1", get_plotlyjs(), flags=re.IGNORECASE))
