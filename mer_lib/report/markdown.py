"""The page as Markdown: the same sentences and tables, figures as links to files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from mer_lib.report.across import Panel
from mer_lib.report.measured import Measured
from mer_lib.report.published import PaperCell, PaperGrid
from mer_lib.report.section import HOW, Section
from mer_lib.report.views import Cell, MatrixView, TableView

_SPECIAL = re.compile(r"([\\`*_\[\]<>|])")
NOTHING = "–"


def render_markdown(page: Any, figures: str) -> str:
    """Return the Markdown of a page (:class:`mer_lib.report.page.Page`).

    Args:
        page: what to say.
        figures: the folder of the pictures, relative to the file.
    """
    blocks = [*_top(page), *_comparisons(page, figures)]
    for paper, sections in page.papers:
        blocks += [f"## {plain(paper.short_name)}", plain(paper.citation)]
        blocks += [block for entry in sections for block in _section(entry, figures)]
    for title, sections in (("Experiments of this laboratory", page.laboratory), ("Your own grids", page.own)):
        blocks += [f"## {title}"] if sections else []
        blocks += [block for entry in sections for block in _section(entry, figures)]
    blocks += _end(page)
    return "\n\n".join(block for block in blocks if block) + "\n"


def plain(text: str) -> str:
    """Return text in which nothing is read as Markdown or HTML.

    >>> plain("a_b | <c>")
    'a\\\\_b \\\\| \\\\<c\\\\>'
    """
    return _SPECIAL.sub(r"\\\1", text).replace("\n", " ")


def pipe_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already.

    >>> print(pipe_table(["a", "b"], [["1", "2"]]))
    | a | b |
    | --- | --- |
    | 1 | 2 |
    """
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def table(view: TableView | None) -> str:
    """Return a table with its caption above and its notes below; empty for None."""
    if view is None:
        return ""
    rows = [[_cell(cell) for cell in row] for row in _unspanned(view.rows, len(view.columns))]
    notes = "\n".join(f"{number}. {plain(note)}" for number, note in enumerate(view.notes, start=1))
    parts = [plain(view.caption), pipe_table([plain(cell.text) for cell in view.columns], rows), notes]
    return "\n\n".join(part for part in parts if part)


def _cell(cell: Cell) -> str:
    return plain(cell.text) + (f" ({cell.note})" if cell.note else "")


def _unspanned(rows: Iterable[Sequence[Cell]], width: int) -> Iterator[Sequence[Cell]]:
    """Repeat the first cell that spans several rows."""
    first = Cell("")
    for row in rows:
        if len(row) == width:
            first = row[0]
            yield row
        else:
            yield [first, *row]


def grid_table(grid: PaperGrid) -> str:
    """Return a published table, each number beside what was measured for it."""
    heads = [group for group, span in grid.groups for _ in range(span)]
    names = [" ".join(part for part in pair if part) for pair in zip(heads, grid.columns, strict=True)]
    rows = [[plain(name), *(_paper_cell(cell) for cell in cells)] for name, cells in grid.rows]
    notes = "\n".join(f"{number}. {plain(note)}" for number, note in enumerate(grid.notes, start=1))
    words = "; ".join(part for part in (grid.verdict, plain(grid.because)) if part)
    said = f"All numbers: {words}." if grid.verdict else ""
    return "\n\n".join(part for part in (pipe_table(["", *map(plain, names)], rows), notes, said) if part)


def _paper_cell(cell: PaperCell | None) -> str:
    if cell is None:
        return NOTHING
    notes = f" ({', '.join(map(str, cell.notes))})" if cell.notes else ""
    lines = [f"{plain(cell.published)}{notes}", *(f"**{fault}**" for fault in cell.faults)]
    lines += [f"{cell.how} {plain(cell.measured)} {plain(cell.spread)}".strip()] if cell.measured else []
    return "<br>".join([*lines, *([cell.verdict] if cell.verdict else [])])


# -- parts of the page ------------------------------------------------------------------------------------------------


def _top(page: Any) -> Iterator[str]:
    yield f"# {plain(page.title)}"
    yield f"Profile {page.profile}, built {page.built} by mer\\_lib {page.versions['mer_lib']}."
    yield from _listed(f"**Failed notebook** {plain(n.name)}: {plain(n.error)}" for n, _ in page.notebooks if n.error)
    yield from _listed(
        f"**Audit failed, do not use the numbers of** {entry.id}: {plain(fault)}"
        for entry in page.sections
        for fault in entry.faults
    )
    yield "## Key findings"
    yield from _listed(plain(text) for text in page.findings)
    yield "## The published experiments"
    rows = [_overview_row(entry) for _, entries in page.papers for entry in entries]
    yield pipe_table(["experiment", "how", "measured, or why not", "published", "verdicts"], rows) if rows else ""
    yield "## How verdicts are given"
    yield from _listed(plain(rule) for rule in page.rules)


def _overview_row(entry: Section) -> list[str]:
    marks = "".join(f"**{mark}** " for mark in entry.marks)
    verdicts = "; ".join(
        f"{what}: {', '.join(f'{count} {word}' for word, _, count in given)}" for what, given in entry.counts
    )
    shown = marks + plain(entry.headline.text) if entry.headline.text else plain(entry.why_not)
    name = f"[{entry.id}](#{entry.anchor})"
    return [f"{name} {plain(entry.title)}", HOW[entry.how], shown, plain(entry.headline.beside), verdicts]


def _comparisons(page: Any, figures: str) -> Iterator[str]:
    yield from _titled("## Numbers that cannot exist", table(page.impossible))
    yield from _titled("## Misprints", table(page.misprints))
    yield from (block for panel in page.boards for block in _panel("Leaderboard", panel, figures))
    yield from (block for panel in page.gaps for block in _panel("Optimism gap", panel, figures))
    yield from _titled("## Noise floor", "\n\n".join(table(view) for view in page.noise))


def _panel(what: str, panel: Panel, figures: str) -> Iterator[str]:
    yield f"## {what}: {plain(panel.title)}"
    yield f"**{panel.mark}**" if panel.mark else ""
    yield plain(panel.words)
    yield _picture(panel.label, f"{figures}/{panel.anchor}.svg")
    yield table(panel.table)
    yield table(panel.others)


def _section(entry: Section, figures: str) -> Iterator[str]:
    yield f'<a id="{entry.anchor}"></a>'
    yield f"### {entry.id}: {plain(entry.title)}"
    yield "".join(f"**{mark}** " for mark in entry.marks) + f"*{plain(entry.question)}*" if entry.question else ""
    for label, last, trace in entry.failures:
        yield f"**Failed: {plain(label)}**: {plain(last)}"
        yield f"```\n{trace.strip()}\n```"
    yield from _listed(f"{plain(label)}: {plain(text)}" for label, text in entry.waiting)
    yield f"Not measured: {plain(entry.result.reason)}" if entry.result.reason else ""
    if entry.grid:
        yield "#### As published, number by number"
        yield entry.legend
        yield grid_table(entry.grid)
    yield from _titled("#### Claims", table(entry.claims))
    yield table(entry.drawn_claims)
    yield table(entry.drawn)
    if entry.measured:
        yield from _measured(entry, entry.measured, figures)
    yield f"The command that computes this: `{entry.command}`"


def _measured(entry: Section, measured: Measured, figures: str) -> Iterator[str]:
    yield from _titled("#### Measured", table(measured.scores))
    yield table(measured.others)
    for figure in measured.figures.values():
        yield _picture(figure.label, f"{figures}/{entry.id}-{figure.name}.svg")
    if measured.over_prior:
        yield "#### Better than guessing?"
        yield plain(measured.over_prior_summary)
        yield table(measured.over_prior)
    for name, matrices in measured.matrices[:1]:
        yield "#### Which class is taken for which"
        yield "".join(f"**{mark}** " for mark in entry.marks) + plain(f"{name}, {measured.matrix_caption}")
        yield from (matrix_table(matrix) for matrix in matrices)
    yield from _titled("#### Optimism gap", table(measured.gap))
    yield from _titled("#### Audit", table(measured.audit))
    yield from _titled("#### Time, memory, device", table(measured.cost))
    yield from _titled("#### Provenance", table(measured.provenance))


def matrix_table(matrix: MatrixView) -> str:
    """Return a confusion matrix: rows are true, cells hold the share of their row and the count."""
    names = [plain(name) for name, _ in matrix.rows]
    rows = [[plain(name), *(f"{text} ({count})" for _, text, count in cells)] for name, cells in matrix.rows]
    return f"{plain(matrix.title)}\n\n{pipe_table(['true ↓', *names], rows)}"


def _end(page: Any) -> Iterator[str]:
    yield "## Data"
    for dataset, counts, excluded in page.data:
        yield f"{plain(dataset.label)}; digest `{dataset.digest}`"
        yield from (table(view) for view in counts)
        yield table(excluded)
    yield "## Versions and machines"
    yield from _listed(f"{plain(name)}: {plain(value)}" for name, value in {**page.versions, **page.hardware}.items())
    yield table(page.devices)
    yield from _titled("## Tables", "\n".join(f"- `{name}.csv`, `.parquet`: {text}" for name, text in page.contents))


def _titled(title: str, body: str) -> Iterator[str]:
    if body:
        yield title
        yield body


def _listed(lines: Iterable[str]) -> Iterator[str]:
    text = "\n".join(f"- {line}" for line in lines)
    if text:
        yield text


def _picture(label: str, path: str) -> str:
    return f"![{plain(label)}]({quote(path)})"
