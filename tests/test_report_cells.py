"""Published tables beside measured values: misprints, impossible numbers, claims and verdicts, cell by cell."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mer_lib.papers import reported
from mer_lib.papers.cells import published_cells, without
from mer_lib.papers.entries import CLAIM_COLUMNS, EntryResult
from mer_lib.papers.measure import Measurement
from mer_lib.papers.paper_set import paper_set
from mer_lib.papers.parts import OTHER_SAMPLES
from mer_lib.papers.verdicts import AGREES, CONTRADICTED, NOISE, SUPPORTED, UNTESTABLE
from mer_lib.report import cell_tables, claims, published
from mer_lib.report.formatting import in_unit, interval_in_unit
from mer_lib.report.headline import headline
from mer_lib.report.markdown import grid_table
from mer_lib.report.published import paper_grid
from mer_lib.report.section import section
from tests.helpers import some, take
from tests.report_pages import _no_pictures, blank, missing, parsed, result_of, visible

__all__ = ["_no_pictures"]


def filled(name: str, **columns: object) -> pd.DataFrame:
    """Return the cells of an entry, each measured as something."""
    nothing = without("")
    measured = {"measured": 0.5, "kind": "real", "data": "442 real maps", "verdict": SUPPORTED, "because": "it is so"}
    return published_cells(name).assign(**{**nothing, "reason": "", **measured, **columns})


def entry_of(name: str, cells: pd.DataFrame, claimed: pd.DataFrame | None = None) -> EntryResult:
    nothing = pd.DataFrame(columns=list(CLAIM_COLUMNS))
    return EntryResult(paper_set()[name], name, cells, nothing if claimed is None else claimed)


@pytest.fixture(autouse=True)
def certain(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """The (dataset, metric) that are wrong for certain, in any row: no search is made."""
    chosen: set[tuple[str, str]] = set()

    def checked(name: str) -> pd.DataFrame:
        numbers = reported.reported(name)
        sure = ["yes" if pair in chosen else "" for pair in zip(numbers["dataset"], numbers["metric"], strict=True)]
        return numbers.assign(certain=sure)

    monkeypatch.setattr(published, "checked", checked)
    return chosen


# -- the grid ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(reported.experiments()))
def test_every_published_number_has_its_cell(name: str) -> None:
    grid = paper_grid(filled(name))
    assert grid is not None
    shown = [cell for _, cells in grid.rows for cell in cells if cell is not None]
    assert len(shown) == grid.size == reported.experiments()[name].count
    assert sum(span for _, span in grid.groups) == len(grid.columns)
    assert all(len(cells) == len(grid.columns) for _, cells in grid.rows)


def test_numbers_stand_where_the_paper_prints_them() -> None:
    grid = paper_grid(filled("htnet.table2"))
    heads = [group for group, span in grid.groups for _ in range(span)]
    for row in reported.reported("htnet.table2").itertuples():
        column = [
            number
            for number, pair in enumerate(zip(heads, grid.columns, strict=True))
            if pair == (dataset_name(row.dataset), row.metric.upper())
        ]
        cell = dict(grid.rows)[row.method][column[0]]
        assert float(cell.published) == row.value
        assert ("corrected" in cell.faults, "suspect" in cell.faults) == (
            row.status == "corrected",
            row.status == "suspect",
        )


def dataset_name(key: str) -> str:
    return {"full": "all data sets", "smic": "SMIC-HS", "casme2": "CASME II", "samm": "SAMM"}[key]


def test_a_table_of_one_row_is_turned() -> None:
    grid = paper_grid(filled("htnet.table1"))
    assert [name for name, _ in grid.rows][:2] == ["subjects", "samples"]
    assert grid.columns == ("SAMM", "CASME II", "SMIC-HS", "CAS(ME)³ part A")


def test_measured_values_of_recorded_faces_stand_beside() -> None:
    grid = paper_grid(filled("htnet.table4", low=0.4, high=0.6))
    assert grid.measured == 48
    cell = grid.rows[0][1][0]
    assert (cell.measured, cell.spread) == ("0.5000", "[0.4000, 0.6000]")
    assert (grid.verdict, grid.because) == (SUPPORTED, "it is so")  # said once, since it is the same for all
    assert cell.verdict == ""


@pytest.mark.parametrize("kind", ["synthetic", "toy"])
def test_measured_values_of_drawn_faces_stand_apart(kind: str) -> None:
    cells = filled("htnet.table4", kind=kind, data="84 drawn maps", measured=0.12345)
    grid = paper_grid(cells)
    assert grid.measured == 0
    assert all(cell.measured == "" for _, row in grid.rows for cell in row)
    drawn = cell_tables.drawn_table(cells)
    assert drawn.caption.startswith(f"{kind.upper()} DATA · 84 drawn maps")
    assert [cell.text for cell in drawn.columns] == ["where", "what", "measured"]
    assert {row[2].text for row in drawn.rows} == {"0.1235"}


def test_measured_values_of_other_people_than_the_published_stand_apart() -> None:
    other = f"442 real maps{OTHER_SAMPLES}casme3a"
    cells = filled("htnet.table3", because=other)
    assert paper_grid(cells).measured == 0
    assert paper_grid(filled("htnet.table3")).measured == len(cells)
    text = headline(entry_of("htnet.text", filled("htnet.text", because=other)))
    assert text.beside == ""


def test_a_number_that_was_computed_is_not_called_measured() -> None:
    grid = paper_grid(filled("da_crossvit.text", kind="computed"))
    assert {cell.how for _, row in grid.rows for cell in row if cell} == {"computed"}
    assert "computed 0.5" in grid_table(grid)
    assert "measured 0.5" not in grid_table(grid)


def test_few_reasons_of_all_numbers_are_said_once() -> None:
    because = np.where(np.arange(48) % 2, "one reason", "another")
    grid = paper_grid(filled("htnet.table4", verdict=UNTESTABLE, because=because))
    assert grid.because == "each for one of these reasons: another; one reason"


def test_verdicts_that_differ_stand_in_their_cells_and_those_that_decide_nothing_do_not() -> None:
    words = [SUPPORTED, UNTESTABLE, CONTRADICTED, NOISE] * 12
    grid = paper_grid(filled("htnet.table4", verdict=words))
    assert grid.verdict == ""
    said = [cell.verdict for _, row in grid.rows for cell in row]
    assert sorted(set(said)) == sorted({SUPPORTED, "", CONTRADICTED, NOISE})
    assert {cell.css for _, row in grid.rows for cell in row} == {"good", "", "bad", "unclear"}


def test_a_misprint_is_shown_with_its_correction_and_the_reason() -> None:
    number = reported.lookup("htnet.table4", "uar", "full", variant="9x9")
    soup = parsed(entry_of("htnet.table4", filled("htnet.table4")))
    cell = soup.find("td", class_="corrected")
    assert cell.find(class_="number").string == f"{number.value}"
    assert cell.find(class_="fault").string == "corrected"
    assert soup.find(id=cell.sup.a["href"][1:]).get_text() == number.note
    misprints = cell_tables.misprint_table(filled("htnet.table4"))
    assert len(misprints.rows) == len(reported.misprints("htnet.table4"))
    texts = {row[0].text: [cell.text for cell in row] for row in misprints.rows}
    assert texts["HTNet, 9x9, all data sets"][2:4] == ["0.7445", "0.8445"]
    assert texts["HTNet, 9x9, all data sets"][-1] == number.note


def test_an_impossible_number_says_why_in_its_cell_and_at_the_top(certain: set[tuple[str, str]]) -> None:
    certain.add(("smic", "uf1"))
    cells = filled("htnet.table2")
    here = (cells["method"] == "LBP-TOP") & (cells["dataset"] == "smic") & (cells["metric"] == "uf1")
    cells["possible"] = np.where(here, "impossible", "possible")
    cells["possible_why"] = np.where(here, "no matrix gives it; it would fit with UF1 0.4", "")
    soup = parsed(entry_of("htnet.table2", cells))
    cell = soup.find("td", class_="impossible")
    assert cell.find(class_="number").string == "0.2000"
    notes = [soup.find(id=link["href"][1:]).get_text() for link in cell.select("sup a")]
    assert "Impossible: no matrix gives it" in notes
    assert cell.find_all(class_="fault")[-1].string == "impossible"
    listed = soup.find(id="existence").find_next("table")
    assert [text.get_text() for text in listed.tbody.find_all("td")] == [
        *("LBP-TOP", "SMIC-HS UF1 0.2000", "no matrix gives it", "UF1 0.4")
    ]
    said = visible(soup.find(class_="findings"))
    assert "1 of 13 printed rows of scores that were checked cannot come from any predictions" in said
    assert "for 1 of them the wrong number can be named" in said


def test_of_a_repaired_number_it_is_the_printed_one_that_is_impossible(certain: set[tuple[str, str]]) -> None:
    certain.add(("full", "uar"))
    cells = filled("htnet.table4")
    here = (cells["variant"] == "9x9") & (cells["dataset"] == "full") & (cells["metric"] == "uar")
    cells["possible"] = np.where(here, "impossible", "possible")
    cells["possible_why"] = np.where(here, "no matrix gives uar 0,7445 on 250/109/83 samples", "")
    grid = paper_grid(cells)
    (cell,) = (cell for cell in dict(grid.rows)["HTNet, 9x9"] if cell.faults)
    assert (cell.published, cell.faults) == ("0.8445", ("corrected", "as printed: impossible"))
    assert any("uar 0.7445 on 250/109/83" in note for note in grid.notes)  # as every other number is written


def test_numbers_that_are_impossible_together_are_not_called_impossible_each() -> None:
    cells = filled("htnet.table4")
    here = (cells["variant"] == "7x7") & (cells["dataset"] == "smic")
    cells["possible"] = np.where(here, "impossible", "possible")
    cells["possible_why"] = np.where(here, "they do not go together", "")
    grid = paper_grid(cells)
    assert [cell.faults for cell in dict(grid.rows)["HTNet, 7x7"] if cell.faults] == [("jointly impossible",)] * 2
    table = cell_tables.impossible_table(cells)
    assert [cell.text for cell in table.rows[0]][1] == "some of: SMIC-HS UF1 0.8049, SMIC-HS UAR 0.7905"


@pytest.mark.parametrize(
    ("sure", "said", "undecided"),
    [
        ({"full", "smic"}, "both all data sets UF1 0.8603 and SMIC-HS UF1 0.8049", False),
        ({"full"}, "all data sets UF1 0.8603 and some of: SMIC-HS UF1 0.8049", False),
        (
            set(),
            "some of: all data sets UF1 0.8603, SMIC-HS UF1 0.8049; or of what was not decided: SAMM UF1 0.8131",
            True,
        ),
    ],
)
def test_of_several_suspects_it_is_said_which_are_surely_wrong(
    certain: set[tuple[str, str]], sure: set[str], said: str, undecided: bool
) -> None:
    certain |= {(name, "uf1") for name in sure}
    cells = filled("htnet.table4")
    row = (cells["variant"] == "7x7") & (cells["metric"] == "uf1")
    cells["possible"] = np.where(row & cells["dataset"].isin(["full", "smic"]), "impossible", "possible")
    if undecided:
        cells.loc[row & (cells["dataset"] == "samm"), "possible"] = "undecided"
    cells["possible_why"] = "they do not go together"
    (shown,) = cell_tables.impossible_table(cells).rows
    assert shown[1].text == said
    faults = dict.fromkeys(fault for cell in dict(paper_grid(cells).rows)["HTNet, 7x7"] for fault in cell.faults)
    assert set(faults) == ({"impossible"} if sure else set()) | ({"jointly impossible"} if len(sure) < 2 else set())
    assert [note for note in paper_grid(cells).notes if "together" in note] == ["Impossible: they do not go together"]


def test_a_row_that_is_undecided_is_not_listed_as_impossible() -> None:
    assert cell_tables.impossible_table(filled("htnet.table4", possible="undecided")) is None


def test_of_misprints_and_doubts_it_is_said_which_are_repaired() -> None:
    cells = filled("htnet.table2")
    counts = cells["status"].value_counts()
    corrected, suspect = counts.get("corrected", 0), counts.get("suspect", 0)
    assert cell_tables.misprint_table(cells).caption == (
        f"{corrected + suspect} misprints and doubts: {corrected} corrected, whose repaired value is shown everywhere "
        f"else, and {suspect} suspect, shown as printed."
    )


# -- claims and verdicts ----------------------------------------------------------------------------------------------


def claim(kind: str, verdict: str, **columns: object) -> dict[str, object]:
    facts = {"experiment": "htnet.table4", "claim": "7x7 is better than 5x5", "metric": "uf1", "dataset": "full"}
    numbers = {"published_difference": 0.0233, "measured_difference": -0.0117, "low": -0.1, "high": 0.08, "p": 0.6}
    rest = {"noise": 0.041, "data": "some data", "kind": kind, "verdict": verdict, "because": "the interval holds zero"}
    return {**facts, **numbers, **rest, **columns}


def test_a_claim_on_recorded_faces_stands_beside_its_measured_difference() -> None:
    table = claims.claim_table(pd.DataFrame([claim("real", NOISE)]))
    row = dict(zip((cell.text for cell in table.columns), table.rows[0], strict=True))
    assert row["published difference"].text == "+0.023"
    assert row["measured difference"].text == "−0.012 [−0.100, +0.080]"
    assert (row["p, Holm"].text, row["noise of seeds"].text) == ("0.600", "0.041")
    assert (row["verdict"].text, row["verdict"].css) == (NOISE, "verdict unclear")
    assert claims.drawn_claim_table(pd.DataFrame([claim("real", NOISE)])) is None


def test_a_claim_on_drawn_faces_stands_apart_from_its_measured_difference() -> None:
    tried = pd.DataFrame([claim("synthetic", UNTESTABLE)])
    above = claims.claim_table(tried)
    assert not {"measured difference", "p, Holm"} & {cell.text for cell in above.columns}
    below = claims.drawn_claim_table(tried)
    assert below.caption.startswith("SYNTHETIC DATA · some data")
    assert "published" not in " ".join(cell.text for cell in below.columns)
    assert below.rows[0][2].text == "−0.012 [−0.100, +0.080]"


def test_differences_on_drawn_faces_name_no_published_data_set_and_stand_once() -> None:
    both = [claim("synthetic", UNTESTABLE, dataset=name) for name in ("casme2", "samm")]
    (row,) = claims.drawn_claim_table(pd.DataFrame(both)).rows
    assert [cell.text for cell in row][:2] == ["7x7 is better than 5x5", "UF1"]


def test_a_reason_that_all_claims_share_is_said_once() -> None:
    unmeasured = {"measured_difference": np.nan, "low": np.nan, "high": np.nan, "p": np.nan, "noise": np.nan}
    rows = [claim("", UNTESTABLE, because="a; b", claim=f"claim {i}", **unmeasured) for i in range(3)]
    table = claims.claim_table(pd.DataFrame(rows))
    assert table.caption == f"All 3 claims: {UNTESTABLE}; a; b."
    assert "because" not in {cell.text for cell in table.columns}
    mixed = claims.claim_table(pd.DataFrame([*rows, claim("real", NOISE)]))
    assert "because" in {cell.text for cell in mixed.columns}


def test_verdicts_are_counted() -> None:
    tables = pd.DataFrame({"verdict": [SUPPORTED, NOISE, NOISE]}), pd.DataFrame({"verdict": [AGREES, AGREES]})
    counts = [(word, count) for word, _, count in claims.verdict_counts(*tables)]
    assert sorted(counts) == sorted([(SUPPORTED, 1), (NOISE, 2), ("agree", 2)])
    soup = parsed(entry_of("htnet.table4", filled("htnet.table4"), pd.DataFrame([claim("real", CONTRADICTED)])))
    assert soup.find(id="row-htnet-table4").find(class_="badge").get_text() == "1 contradicted"
    assert "1 could be tested on recorded people: 0 supported" in visible(soup)


# -- an entry in one line, and what failed ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ablation(tmp_path_factory: pytest.TempPathFactory) -> Measurement:
    return take(some("htnet.table4", "7x7", "9x9"), tmp_path_factory.mktemp("store"))


def test_settings_are_headed_by_their_range(ablation: Measurement) -> None:
    ends = sorted(ablation.value(label) for label in ablation.variants)
    assert headline(result_of(ablation)).text == f"UF1 {ends[0]:.4f} to {ends[1]:.4f} over 2 settings"


def test_counted_numbers_are_headed_by_how_many_there_are() -> None:
    cells = filled("htnet.table1", measured=[28, *[np.nan] * 39])
    line = headline(entry_of("htnet.table1", cells))
    assert line.text == "1 of 40 numbers, such as subjects = 28 (SAMM)"
    assert line.beside == "28"
    assert headline(entry_of("htnet.table1", cells.assign(kind="synthetic"))).beside == ""
    assert headline(missing("htnet.table1")).text == ""


def test_a_failed_variant_has_its_traceback_under_its_row_and_its_name_at_the_top(ablation: Measurement) -> None:
    trace = "Traceback (most recent call last):\n  File ...\nMemoryError: out of memory"
    broken = dataclasses.replace(ablation, failed={"5x5": trace, "6x6": "not computed: 2 of 2 folds are missing"})
    soup = parsed(broken)
    assert "htnet.table4 , 5x5: MemoryError: out of memory" in visible(soup.find(id="failed-variants"))
    assert soup.find(id="htnet-table4").find("pre").get_text() == trace
    assert "FAILED" in soup.find(id="row-htnet-table4").get_text()
    found = section(result_of(broken), "", blank())
    assert [label for label, _, _ in found.failures] == ["5x5"]
    assert [label for label, _ in found.waiting] == ["6x6"]


def test_an_experiment_of_the_laboratory_has_no_published_table(tmp_path: Path) -> None:
    found = section(result_of(take(some("lab.first_comparison", "class prior"), tmp_path)), "", blank())
    assert (found.grid, found.claims, found.how) == (None, None, "laboratory")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (np.int64(442), "count", "442"),
        (114429446, "count", "114429446"),
        (0.86, "fraction", "0.8600"),
        (np.float64(75.6), "percent", "75.60"),
        (True, "flag", "yes"),
        (np.nan, "count", "–"),
        ("640x480", "px", "640x480"),
        (5e-05, "", "5e-05"),
    ],
)
def test_quantities_are_shown_in_the_unit_of_the_paper(value: object, unit: str, text: str) -> None:
    assert in_unit(value, unit) == text


def test_an_interval_without_ends_is_no_text() -> None:
    assert interval_in_unit(np.nan, 0.5, "fraction") == ""
