"""What the tests of the report share: entries made of a measurement, pages of them, and reading a page back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup, Tag

from mer_lib.papers.cells import own_cells, published_cells, trained_cells, without
from mer_lib.papers.entries import EntryResult, PaperResults, no_claims
from mer_lib.papers.measure import Measurement
from mer_lib.papers.paper_set import paper_set
from mer_lib.papers.tested import trained_claims
from mer_lib.papers.verdicts import RULES
from mer_lib.report import NotebookRecord, page
from mer_lib.report.across import Across
from mer_lib.report.html import render_html

PICTURE = '<svg xmlns="http://www.w3.org/2000/svg"/>'
NOTHING_ACROSS = Across([], pd.DataFrame(), pd.DataFrame())


def result_of(measurement: Measurement) -> EntryResult:
    """Return the entry of a measurement, with its cells and claims."""
    entry, name = paper_set().get(measurement.experiment.id), measurement.experiment.id
    if entry is None:
        return EntryResult(None, name, own_cells(measurement), no_claims(), measurement, failures=measurement.failed)
    cells, claims = trained_cells(entry, measurement), trained_claims(entry, measurement)
    return EntryResult(entry, name, cells, claims, measurement, failures=measurement.failed)


def missing(name: str, reason: str = "not computed yet") -> EntryResult:
    """Return an entry of which nothing was measured."""
    cells = published_cells(name).assign(**without(reason))
    return EntryResult(paper_set()[name], name, cells, no_claims(), None, reason)


def results_of(*parts: Measurement | EntryResult) -> PaperResults:
    entries = [part if isinstance(part, EntryResult) else result_of(part) for part in parts]
    return PaperResults("smoke", {entry.id: entry for entry in entries}, RULES)


@pytest.fixture(scope="module", autouse=True)
def _no_pictures() -> Iterator[None]:
    """Put empty pictures in place of drawn ones: drawing takes a second for each experiment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "draw_all", lambda measurements, jobs: dict.fromkeys(measurements, blank()))
        yield


def blank() -> dict[str, str]:
    return dict.fromkeys(("scores", "gap", "learning"), PICTURE)


def html_of(
    *parts: Measurement | EntryResult,
    seen: Across = NOTHING_ACROSS,
    notebooks: Sequence[NotebookRecord] = (),
    folder: Path = Path(),
) -> str:
    return render_html(page.page_of(results_of(*parts), seen, notebooks, folder, "--profile smoke"))


def parsed(*parts: Measurement | EntryResult, **options) -> BeautifulSoup:
    return BeautifulSoup(html_of(*parts, **options), "html.parser")


def visible(soup: BeautifulSoup | Tag) -> str:
    """Return the text that a reader sees, without scripts and styles, white space folded."""
    parts = [text for text in soup.find_all(string=True) if text.parent.name not in ("script", "style", "title")]
    return re.sub(r"\s+", " ", " ".join(parts))


def figures(soup: BeautifulSoup | Tag) -> list[dict]:
    return [json.loads(box.string) for box in soup.select(".live script")]


def grid(table: Tag) -> pd.DataFrame:
    """Read a table back, cells that span rows repeated."""
    columns = [cell.get_text(strip=True) for cell in table.thead.find_all("th")]
    rows, spanning = [], []
    for line in table.tbody.find_all("tr"):
        cells = line.find_all("td")
        if spanning and spanning[1] > 0:
            spanning[1] -= 1
            texts = [spanning[0]] + [text_of(cell) for cell in cells]
        else:
            texts = [text_of(cell) for cell in cells]
            spanning = [texts[0], int(cells[0].get("rowspan", 1)) - 1]
        rows.append(texts)
    return pd.DataFrame(rows, columns=columns)


def text_of(cell: Tag) -> str:
    """Return the text of a cell without its footnote."""
    return "".join(part for part in cell.find_all(string=True) if part.find_parent("sup") is None).strip()


def table_after(soup: BeautifulSoup | Tag, heading: str) -> Tag:
    found = soup.find(lambda tag: tag.name in ("h2", "h3", "h4", "summary") and heading in tag.get_text())
    return found.find_next("table")
