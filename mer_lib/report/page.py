"""The report: one self-contained HTML page of what can be believed, beside it the same as Markdown and as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pandas as pd

from mer_lib import atomic
from mer_lib.papers import reported
from mer_lib.papers.entries import PaperResults
from mer_lib.papers.measurement import Measurement
from mer_lib.plots.style import mark
from mer_lib.report import cell_tables, machine, provenance, views
from mer_lib.report.across import Across, Panel, across, board_panels, gap_panels, noise_views
from mer_lib.report.claims import all_cells, all_claims, verdict_counts
from mer_lib.report.export import CONTENTS, FOLDER, frames, write_tables
from mer_lib.report.html import render_html
from mer_lib.report.key_findings import key_findings
from mer_lib.report.markdown import render_markdown
from mer_lib.report.section import Section, section
from mer_lib.report.stills import draw_all
from mer_lib.report.views import TableView, table_view

FIGURES = "figures"


@dataclass(frozen=True)
class NotebookRecord:
    """One executed notebook: its name, where its executed copy lies, and the error that stopped it, if any."""

    name: str
    path: Path
    error: str = ""


@dataclass(frozen=True)
class Page:
    """All that the report says, before it is laid out as HTML or as Markdown.

    Attributes:
        papers: (paper, sections of its entries), in the papers' order.
        laboratory: sections of experiments that are none of a paper's.
        own: sections of the reader's own grids.
        data: (data set, tables of what it holds, what is excluded of it).
        contents: (file name, what it holds) of the tables beside the page.
    """

    title: str
    profile: str
    options: str
    papers: list[tuple[reported.Paper, list[Section]]]
    laboratory: list[Section]
    own: list[Section]
    findings: list[str]
    rules: tuple[str, ...]
    counts: list[tuple[str, str, int]]
    impossible: TableView | None
    misprints: TableView | None
    boards: list[Panel]
    gaps: list[Panel]
    noise: list[TableView]
    data: list[tuple[Any, list[TableView | None], TableView | None]]
    profiles: dict[str, list[str]]
    notebooks: list[tuple[NotebookRecord, str]]
    devices: TableView | None
    computing: str
    built: str
    versions: dict[str, str]
    hardware: dict[str, str]
    contents: list[tuple[str, str]]

    @property
    def sections(self) -> list[Section]:
        """All sections, in the order of the page."""
        return [*(entry for _, entries in self.papers for entry in entries), *self.laboratory, *self.own]


def build(
    results: PaperResults,
    path: Path,
    notebooks: Sequence[NotebookRecord] = (),
    options: str = "",
    jobs: int = 1,
) -> Path:
    """Write the report: the page, ``report.md`` beside it with its figures, and a folder of tables.

    Args:
        results: of :func:`mer_lib.papers.paper_set.collect`; one section each, in this order.
        path: the HTML file; its folder is created. Markdown and tables lie beside it.
        notebooks: executed notebooks to name; failed ones are shown at the top.
        options: of the command that computes what was not measured, such as ``--profile quick``.
        jobs: processes that draw figures side by side.

    Returns:
        `path`, written last: where it is new, the other files are, too.

    Raises:
        OSError: a file cannot be written; each is written whole or stays as it was.
    """
    seen = across(results)
    content = page_of(results, seen, notebooks, path.parent, options, jobs)
    html, text = render_html(content), render_markdown(content, FIGURES)
    write_tables(path.parent / FOLDER, frames(results, seen))
    for name, picture in _pictures(content).items():
        atomic.write_text(path.parent / FIGURES / name, picture)
    atomic.write_text(path.with_suffix(".md"), text)
    atomic.write_text(path, html)
    return path


def page_of(
    results: PaperResults,
    seen: Across,
    notebooks: Sequence[NotebookRecord] = (),
    folder: Path = Path(),
    options: str = "",
    jobs: int = 1,
) -> Page:
    """Collect all that the report says; links to notebooks are relative to `folder`."""
    drawn = draw_all(results.measurements, jobs)
    sections = [section(result, options, drawn.get(name, {})) for name, result in results.entries.items()]
    measurements = list(results.measurements.values())
    cells = all_cells(results)
    return Page(
        title=_title(sections),
        profile=results.profile,
        options=options,
        papers=_by_paper(sections),
        laboratory=[entry for entry in sections if entry.how == "laboratory"],
        own=[entry for entry in sections if entry.how == "own"],
        findings=key_findings(sections, seen),
        rules=results.rules,
        counts=verdict_counts(all_claims(results)),
        impossible=cell_tables.impossible_table(cells),
        misprints=cell_tables.misprint_table(cells),
        boards=board_panels(seen.boards),
        gaps=gap_panels(seen.gaps),
        noise=noise_views(seen.noise),
        data=_data(measurements),
        profiles=_profiles(measurements),
        notebooks=[(entry, _relative(entry.path, folder)) for entry in notebooks],
        devices=_devices(measurements),
        computing=provenance.computing_time(measurements),
        built=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        versions=machine.versions(),
        hardware=machine.hardware(),
        contents=[(f"{FOLDER}/{name}", text) for name, text in CONTENTS.items()],
    )


def _title(sections: Sequence[Section]) -> str:
    marks = sorted({text for entry in sections for text in entry.marks})
    real = any(entry.trained_on == "real" for entry in sections)
    parts = ["on recorded people"] if real else []
    parts += [f"{'some ' if real else ''}on {' and '.join(marks)}"] if marks else []
    return "Micro-expression recognition, what can be believed" + (f": measured {', '.join(parts)}" if parts else "")


def _by_paper(sections: Sequence[Section]) -> list[tuple[reported.Paper, list[Section]]]:
    entries = [entry for entry in sections if entry.result.entry is not None]
    groups = [(paper, [entry for entry in entries if entry.paper == paper]) for paper in reported.papers().values()]
    return [(paper, group) for paper, group in groups if group]


def _data(measurements: Sequence[Measurement]) -> list[tuple[Any, list[TableView | None], TableView | None]]:
    """Return what is known of each data set, recorded people first."""
    datasets = list({entry.dataset.digest: entry.dataset for entry in measurements}.values())
    datasets.sort(key=lambda dataset: bool(mark(dataset.kind)))
    return [
        (dataset, views.data_views(dataset, _label_sets(measurements, dataset.digest)), views.exclusion_view(dataset))
        for dataset in datasets
    ]


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


def _relative(path: Path, folder: Path) -> str:
    inside = path.is_absolute() and folder.is_absolute() and path.is_relative_to(folder)
    return (path.relative_to(folder) if inside else path).as_posix()


def _devices(measurements: Sequence[Measurement]) -> TableView | None:
    frame: pd.DataFrame = provenance.device_table(measurements)
    if frame.empty:
        return None
    return table_view(frame.assign(seconds=[f"{seconds:.1f}" for seconds in frame["seconds"]]))


def _pictures(content: Page) -> dict[str, str]:
    """Return every figure of the page as a file: name and SVG."""
    own = {
        f"{entry.id}-{figure.name}.svg": figure.still
        for entry in content.sections
        if entry.measured
        for figure in entry.measured.figures.values()
    }
    return own | {f"{panel.anchor}.svg": panel.picture for panel in (*content.boards, *content.gaps)}
