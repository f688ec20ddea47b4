"""The report on a disk: page, Markdown, pictures and tables hold the same numbers, and are written whole."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from matplotlib.figure import Figure

from mer_lib.papers.entries import CELL_COLUMNS, CLAIM_COLUMNS, PaperResults
from mer_lib.papers.measure import Measurement
from mer_lib.report import build, page
from mer_lib.report.export import CONTENTS
from mer_lib.report.formatting import score
from mer_lib.report.markdown import pipe_table, plain
from mer_lib.report.stills import draw_all, svg
from tests.helpers import some, take
from tests.report_pages import missing, results_of, visible


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Measurement:
    return take(some("htnet.table4", "7x7", "9x9"), tmp_path_factory.mktemp("store"), seeds=(0, 1))


@pytest.fixture(scope="module")
def results(toy: Measurement, tmp_path_factory: pytest.TempPathFactory) -> PaperResults:
    beside = take(
        some("lab.first_comparison", "class prior", "linear SVM", "STSTNet"), tmp_path_factory.mktemp("store")
    )
    return results_of(toy, missing("htnet.table5"), beside)


@pytest.fixture(scope="module")
def folder(results: PaperResults, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "new"
    assert build(results, folder / "report.html", options="--profile smoke") == folder / "report.html"
    return folder


@pytest.fixture(scope="module")
def soup(folder: Path) -> BeautifulSoup:
    return BeautifulSoup((folder / "report.html").read_text("utf-8"), "html.parser")


def test_page_markdown_pictures_and_tables_lie_side_by_side(folder: Path) -> None:
    assert sorted(entry.name for entry in folder.iterdir()) == ["figures", "report.html", "report.md", "tables"]
    names = {f"{name}.{kind}" for name in CONTENTS for kind in ("csv", "parquet")}
    assert {entry.name for entry in (folder / "tables").iterdir()} == names
    assert (folder / "report.html").read_bytes().startswith(b"<!DOCTYPE html>")


def test_nothing_is_written_where_the_page_cannot_be_made(results: PaperResults, tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "report.html"
    path.write_text("the one before")
    monkeypatch.setattr(page, "across", lambda results: page.Across([], pd.DataFrame(), pd.DataFrame()))
    monkeypatch.setattr(page, "draw_all", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build(results, path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text() == "the one before"


# -- tables -----------------------------------------------------------------------------------------------------------


def test_csv_and_parquet_hold_the_same(folder: Path) -> None:
    for name in CONTENTS:
        text, typed = (
            pd.read_csv(folder / "tables" / f"{name}.csv"),
            pd.read_parquet(folder / "tables" / f"{name}.parquet"),
        )
        assert list(text) == list(typed), name
        assert len(text) == len(typed)


def test_the_tables_hold_the_numbers_of_the_measurement(folder: Path, toy: Measurement) -> None:
    scores = pd.read_parquet(folder / "tables" / "scores.parquet")
    mine = scores[scores["experiment"] == "htnet.table4"]
    pd.testing.assert_series_equal(
        mine["value"].reset_index(drop=True), toy.scores["value"].reset_index(drop=True), check_dtype=False
    )
    assert set(scores["kind"]) == {"toy"}
    confusion = pd.read_csv(folder / "tables" / "confusion.csv")
    chosen = confusion.query("variant == '9x9' and subset == 'full' and protocol == 'fixed'")
    assert chosen["count"].tolist() == toy.confusion["9x9", "full", "fixed"].ravel().tolist()
    cells = pd.read_csv(folder / "tables" / "cells.csv")
    assert list(cells) == list(CELL_COLUMNS)
    assert cells["experiment"].value_counts().to_dict() == {"htnet.table5": 60, "htnet.table4": 48}
    assert list(pd.read_csv(folder / "tables" / "claims.csv")) == list(CLAIM_COLUMNS)
    cost = pd.read_csv(folder / "tables" / "cost.csv")
    assert (
        cost.query("experiment == 'htnet.table4'")["folds"].tolist()
        == toy.events["variant"].value_counts(sort=False).reindex(list(toy.variants)).tolist()
    )


# -- pictures and what is seen across experiments ---------------------------------------------------------------------


def test_every_figure_is_a_picture_too(soup: BeautifulSoup, folder: Path) -> None:
    pictures = soup.select("figure img")
    assert len(pictures) == len(list((folder / "figures").glob("*.svg"))) >= 8
    for picture in pictures:
        kind, content = picture["src"].split(",", 1)
        assert kind == "data:image/svg+xml;base64"
        assert ET.fromstring(base64.b64decode(content)).tag.endswith("svg")
        assert picture["alt"]
    assert len(soup.select("figure.plot .live script")) == len(soup.select("figure.plot img.still")) == 6


@pytest.fixture(scope="module")
def pictures(toy: Measurement) -> dict[str, str]:
    return draw_all({"a": toy})["a"]


def test_a_picture_names_its_data_and_is_the_same_each_time(folder: Path, pictures: dict, toy: Measurement) -> None:
    assert set(pictures) == {"scores", "gap", "learning"}
    for name, text in pictures.items():
        assert text == (folder / "figures" / f"htnet.table4-{name}.svg").read_text("utf-8")
        words = " ".join(ET.fromstring(text).itertext())
        assert "TOY DATA" in words
        assert toy.dataset.label in words


def test_words_at_the_edge_of_a_picture_have_room_for_wider_letters() -> None:
    figure = Figure(figsize=(5, 3))
    width = float(ET.fromstring(svg(figure)).attrib["viewBox"].split()[2])
    assert width >= 72 * (5 + 2 * 0.15)


def test_rounding_of_coordinates_leaves_numbers_in_words_alone(pictures: dict, toy: Measurement) -> None:
    words = " ".join(ET.fromstring(pictures["gap"]).itertext())
    for gap in toy.gaps["published_minus_fixed"]:
        assert (f"{gap:+.3f}" if abs(gap) >= 0.0005 else "0.000") in words.replace("−", "-")


def test_leaderboard_gaps_and_noise_are_on_the_page(soup: BeautifulSoup, toy: Measurement) -> None:
    board = soup.find(id="leaderboards").find_next("table")
    assert "linear SVM" in board.get_text()
    assert "never looks at a sample" in board.get_text()
    assert board.caption.get_text().startswith("TOY DATA")
    assert soup.find(id="board-1").find_next("img")["alt"].startswith("Leaderboard: TOY DATA")
    gaps = soup.find(id="gaps").find_next("table")
    assert {"7x7", "9x9", "STSTNet"} <= {cell.get_text() for cell in gaps.select("td:first-child")}
    noise = soup.find(id="noise").find_next("table")
    assert noise.caption.get_text().startswith("TOY DATA")
    row = next(line for line in noise.tbody.find_all("tr") if "htnet.table4" in line.get_text())
    spread = toy.scores.query("subset == 'full' and protocol == 'fixed' and metric == 'uf1'")["sd"]
    assert f"{(spread**2).mean() ** 0.5:.3f}" in row.get_text(" ")


# -- Markdown ---------------------------------------------------------------------------------------------------------


def test_markdown_says_what_the_page_says(folder: Path, soup: BeautifulSoup, toy: Measurement) -> None:
    text = (folder / "report.md").read_text("utf-8")
    assert "TOY DATA" in text.splitlines()[0]
    for finding in soup.select(".findings li"):
        assert plain(finding.get_text()) in text
    for label in toy.variants:
        assert score(toy.value(label)) in text
    assert "htnet.table5" in text
    assert "not computed yet" in text
    assert "mer run htnet.table5 --profile smoke" in text
    assert f"**TOY DATA** all data sets, {plain(toy.caption)}. Share of each true class" in text
    assert "summed over 2 seeds" in text
    assert "The command that computes this: `mer run htnet.table5" in text


def test_markdown_links_lead_to_pictures_and_anchors_that_are_there(folder: Path) -> None:
    text = (folder / "report.md").read_text("utf-8")
    pictures = re.findall(r"!\[[^\n]*\]\(([^)]+)\)", text)
    assert len(pictures) >= 8
    assert all((folder / name).is_file() for name in pictures)
    anchors = re.findall(r'<a id="([^"]+)">', text)
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= set(anchors)


def test_tables_of_markdown_have_as_many_cells_in_every_row(folder: Path) -> None:
    width = 0
    for line in (folder / "report.md").read_text("utf-8").splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not cells or not width or cells == width, line
        width = cells


def test_markdown_is_escaped() -> None:
    assert plain("a|b <i> *c*\n_d_") == r"a\|b \<i\> \*c\* \_d\_"
    assert pipe_table(["x"], [["1"]]) == "| x |\n| --- |\n| 1 |"


def test_the_sentences_of_the_page_count_what_it_shows(soup: BeautifulSoup) -> None:
    text = visible(soup.find(class_="findings"))
    assert "1 of 2 published tables, figures and texts have measured or computed values: 1 on toy maps." in text
    assert "Without either, each with its reason: htnet.table5." in text
    assert "TOY DATA · Told by UF1 from predictors that never look at a sample: " in text
    assert "of 3 methods (3 classes, " in text
    assert "class prior in UF1" not in text  # the weakest of these predictors is no bar of its own
    assert "better than another are untested, each with its reason" in text
