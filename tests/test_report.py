"""The report's page: self-contained, honest about its data, and equal to the numbers it was made from."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from mer_lib.datasets import load
from mer_lib.datasets.faults import Fault
from mer_lib.errors import ParameterError
from mer_lib.evaluation.audit import Audit, Check
from mer_lib.papers import reported
from mer_lib.papers.experiments import experiment
from mer_lib.papers.measure import Measurement
from mer_lib.papers.network_size import parameter_count
from mer_lib.papers.optimism import in_words as gap_in_words
from mer_lib.papers.verdicts import RULES, UNTESTABLE
from mer_lib.plots.style import dataset_label, metric_label
from mer_lib.report import NotebookRecord, claims, findings, provenance, settings_tables, tables
from mer_lib.report.across import Across, noise_views
from mer_lib.report.formatting import difference, measured, score
from mer_lib.report.headline import headline
from mer_lib.report.key_findings import key_findings
from mer_lib.report.markdown import render_markdown
from mer_lib.report.measured import measured as measured_part
from mer_lib.report.page import page_of
from mer_lib.report.section import LEGEND, section
from tests.helpers import some, take
from tests.report_pages import (
    NOTHING_ACROSS,
    _no_pictures,
    blank,
    figures,
    grid,
    html_of,
    missing,
    parsed,
    result_of,
    results_of,
    table_after,
    visible,
)

__all__ = ["_no_pictures"]  # a fixture of every test here
LOADING = {"src", "href", "data", "action", "poster", "srcset", "background"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def toy(root: Path) -> Measurement:
    return take(some("lab.first_comparison", "class prior", "linear SVM", "STSTNet"), root, seeds=(0, 1))


@pytest.fixture(scope="module")
def toy_ablation(root: Path) -> Measurement:
    return take(some("htnet.table4", "7x7", "9x9"), root)


@pytest.fixture(scope="module")
def synthetic(root: Path) -> Measurement:
    """The same with data that say that they are synthetic."""
    return take(some("htnet.table4", "7x7", "9x9"), root, kind="synthetic")


@pytest.fixture(scope="module")
def real(root: Path) -> Measurement:
    """An ablation whose data say that they are real, so that published numbers stand beside it."""
    return take(some("htnet.table4", "7x7", "9x9"), root, kind="real")


@pytest.fixture(scope="module")
def toy_page(toy: Measurement) -> BeautifulSoup:
    return parsed(missing("htnet.table4"), toy)


@pytest.fixture(scope="module")
def real_page(real: Measurement) -> BeautifulSoup:
    return parsed(real)


# -- one file, that loads nothing -------------------------------------------------------------------------------------


def test_nothing_is_loaded_from_anywhere(real_page: BeautifulSoup) -> None:
    for tag in real_page.find_all(True):
        for name, value in tag.attrs.items():
            if name in LOADING and tag.name != "a":
                assert str(value).startswith("data:"), f"{tag.name} {name}={value}"
    assert not real_page.find_all(["link", "iframe", "object", "embed", "base", "form"])
    assert not re.search(r"@import|url\(", real_page.style.string)


def test_the_browser_is_told_to_load_nothing(real_page: BeautifulSoup) -> None:
    policy = real_page.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert "default-src 'none'" in policy
    assert "http" not in policy


def test_links_inside_the_page_lead_somewhere(real_page: BeautifulSoup, toy_page: BeautifulSoup) -> None:
    for soup in (real_page, toy_page):
        names = [tag["id"] for tag in soup.find_all(id=True)]
        assert len(names) == len(set(names))
        targets = {tag["href"][1:] for tag in soup.find_all("a", href=re.compile("^#"))}
        assert targets <= set(names)


def test_plotly_is_there_once(real_page: BeautifulSoup) -> None:
    assert sum("plotly.js v" in (script.string or "")[:200] for script in real_page.find_all("script")) == 1


def test_every_figure_is_json_that_names_its_data(real: Measurement, real_page: BeautifulSoup) -> None:
    drawn = figures(real_page)
    assert len(drawn) == 3
    for figure in drawn:
        assert real.caption in figure["layout"]["title"]["text"]


def test_a_report_of_nothing_says_so() -> None:
    soup = parsed(missing("htnet.fig6"))
    assert "Nothing has been trained yet" in visible(soup)
    assert "mer run htnet.fig6 --profile smoke" in visible(soup.find(id="htnet-fig6"))


# -- what the data are ------------------------------------------------------------------------------------------------


def test_toy_data_are_named_everywhere(toy_page: BeautifulSoup) -> None:
    assert "TOY DATA" in toy_page.title.string
    assert "TOY DATA" in toy_page.h1.string
    assert "generated, not faces" in toy_page.find(id="toy-banner").get_text()
    assert toy_page.find(id="data-banner") is None
    assert [chip.string for chip in toy_page.select(".chips .mark")] == ["TOY DATA"]
    assert "TOY DATA" in toy_page.find(id="row-lab-first_comparison").get_text()
    assert all(figure["layout"]["title"]["text"].startswith("TOY DATA") for figure in figures(toy_page))


def test_real_data_are_counted(real_root: Path, root: Path) -> None:
    dataset = load("megc2019_flow", real_root)
    soup = parsed(take(some("lab.first_comparison", "class prior"), root, dataset=dataset))
    assert "442 real flow maps" in soup.find(id="data-banner").get_text()
    assert "TOY" not in visible(soup).replace("Toy or synthetic", "")
    counts = grid(soup.find(id="data").find_next("table")).set_index("data set")
    assert counts.loc["all data sets"].tolist() == ["68", "442", "250", "109", "83", "annotated, spotted"]
    assert counts.loc["SMIC-HS", "apex"] == "spotted"


def test_excluded_samples_are_listed_with_their_number(toy: Measurement, toy_page: BeautifulSoup) -> None:
    assert toy_page.find(id="excluded-1") is None
    fault = Fault("excludes", "file", "its map is missing", "toya/01/lost")
    soup = parsed(dataclasses.replace(toy, dataset=dataclasses.replace(toy.dataset, faults=(fault,))))
    banner = soup.find(id="excluded-1")
    assert "1 samples are excluded from every number on this page" in banner.get_text()
    assert grid(banner.find_next("table")).to_numpy().tolist() == [["toya/01/lost", "its map is missing"]]


def test_toy_and_real_are_told_apart_on_one_page(toy: Measurement, real: Measurement) -> None:
    soup = parsed(real, toy)
    assert soup.h1.string.endswith("measured on recorded people, some on TOY DATA")
    assert len(soup.select(".chips .mark")) == 1


def test_synthetic_data_are_named_everywhere(synthetic: Measurement) -> None:
    soup = parsed(synthetic)
    assert soup.h1.string.endswith("measured on SYNTHETIC DATA")
    assert "SYNTHETIC DATA" in soup.title.string
    assert "48 synthetic flow maps (drawn faces" in soup.find(id="synthetic-banner").get_text()
    assert soup.find(id="data-banner") is None
    assert soup.find(id="toy-banner") is None
    assert [chip.string for chip in soup.select(".chips .mark")] == ["SYNTHETIC DATA"]
    assert all(figure["layout"]["title"]["text"].startswith("SYNTHETIC DATA") for figure in figures(soup))


def test_a_table_of_a_notebook_says_what_it_comes_from(synthetic: Measurement, real: Measurement) -> None:
    for measurement, mark in ((synthetic, "SYNTHETIC DATA · "), (real, "")):
        shown = tables.captioned(tables.score_table(measurement), measurement).to_html()
        caption = BeautifulSoup(shown, "html.parser").caption
        assert caption is not None
        assert caption.text == mark + measurement.caption


@pytest.mark.parametrize("kind", ["toy", "synthetic"])
def test_no_published_number_stands_in_a_row_with_numbers_without_real_faces(kind: str, request) -> None:
    chosen = request.getfixturevalue("toy_ablation" if kind == "toy" else "synthetic")
    soup = parsed(chosen)
    published = {f"{value:.4f}" for value in reported.reported("htnet.table4")["value"]}
    here = {score(value) for value in chosen.scores["value"]} - published
    rows = [set(re.findall(r"\d\.\d{4}", row.get_text(" "))) for row in soup.find_all("tr")]
    assert any(row & published for row in rows)
    assert any(row & here for row in rows)
    assert not any(row & published and row & here for row in rows)
    assert not soup.select(".paper .beside")
    assert not any("printed" in trace.get("name", "") for figure in figures(soup) for trace in figure["data"])


# -- what every section holds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "How to read it",
        "How verdicts are given",
        "Key findings",
        "What was varied",
        "Which class is taken for which (protocol fixed)",
        "Optimism gap",
        "Learning curves",
        "Do the variants differ?",
        "Size of the networks",
        "Audit",
        "All other scores",
        "Scores under protocol nested",
        "Means over folds (second: not the field's protocol)",
        "All settings of each variant",
        "Every check",
        "Provenance",
        "Provenance of each row",
        "Time, memory, device",
        "bootstrap of whole subjects",
        "mer_lib 0.",
        "torch ",
        "Python 3.",
        "profile smoke",
        "seeds 0, 1",
        "N = 48",
        "Where the folds were computed",
        "mer run lab.first_comparison --profile smoke --data toy_flow --seeds 0,1",
    ],
)
def test_sections(toy_page: BeautifulSoup, words: str) -> None:
    assert words in visible(toy_page)


def test_what_was_not_measured_has_its_row_its_reason_and_its_command(toy_page: BeautifulSoup) -> None:
    row = toy_page.find(id="row-htnet-table4")
    assert "not computed yet" in row.get_text()
    part = visible(toy_page.find(id="htnet-table4"))
    assert "Not measured. not computed yet" in part
    assert "mer run htnet.table4 --profile smoke" in part


def test_the_rules_of_verdicts_are_printed(toy_page: BeautifulSoup) -> None:
    assert [entry.get_text() for entry in toy_page.select(".rules li")] == list(RULES)


def test_a_small_profile_is_no_reproduction_and_says_how(real: Measurement, real_page: BeautifulSoup) -> None:
    text = visible(real_page)
    assert "not a reproduction" in text
    assert "Not a reproduction of table 4 of HTNet:" in text
    rows = settings_tables.profile_table(real).set_index("setting")
    assert rows.loc["split.kind"].tolist() == ["folds of whole subjects", "leave one subject out"]
    wanted = real.experiment.variant("7x7", "paper")
    assert rows.loc["training.epochs", "profile paper"] == str(wanted.training.epochs)
    assert rows.loc["model.params.dim", "profile paper"] == str(wanted.model.params["dim"])
    shown = grid(table_after(real_page, "In what this run differs from profile paper"))
    pd.testing.assert_frame_equal(shown, settings_tables.profile_table(real))


def test_names_are_escaped(toy: Measurement) -> None:
    evil = "<script>alert('x')</script>&\"<b>"
    renamed = {evil: toy.experiment.variants["STSTNet"].model_copy(update={"note": evil})}
    chosen = toy.experiment.model_copy(update={"title": evil, "question": evil, "reading": evil, "variants": renamed})
    swap = {"STSTNet": evil}
    frames = ("scores", "fold_means", "gaps", "curves", "events", "trivial", "subject_means")
    part = {name: getattr(toy, name).query("variant == 'STSTNet'").replace(swap) for name in frames}
    attacked = dataclasses.replace(
        toy,
        experiment=chosen,
        variants={evil: toy.variants["STSTNet"]},
        confusion={(evil, *key[1:]): value for key, value in toy.confusion.items() if key[0] == "STSTNet"},
        audits={(evil, seed): entry for (name, seed), entry in toy.audits.items() if name == "STSTNet"},
        tests=pd.DataFrame(),
        classes={evil: toy.classes["STSTNet"]},
        **part,
    )
    attacked = dataclasses.replace(attacked, failed={evil: f"Traceback\n{evil}"})
    html = html_of(attacked, notebooks=[NotebookRecord(evil, Path("a.ipynb"), error=evil)])
    assert "<script>alert" not in html
    soup = BeautifulSoup(html, "html.parser")
    assert len(soup.find_all("script")) == 6  # three figures, their look, plotly, and the page's own
    assert evil in visible(soup)
    assert all("<script" not in json.dumps(figure) for figure in figures(soup))


def test_failed_notebooks_are_shown_at_the_top(toy: Measurement, tmp_path: Path) -> None:
    records = [
        NotebookRecord("00_start_here", tmp_path / "notebooks" / "00_start_here.ipynb"),
        NotebookRecord("10_htnet", tmp_path / "notebooks" / "10_htnet.ipynb", error="ValueError: boom"),
    ]
    soup = parsed(toy, notebooks=records, folder=tmp_path)
    alarm = soup.find("div", class_="alarm")
    assert "10_htnet: ValueError: boom" in visible(alarm).replace(" :", ":")
    assert "00_start_here" not in alarm.get_text()
    assert soup.find("a", string="00_start_here")["href"] == "notebooks/00_start_here.ipynb"


# -- audits -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def leaking(toy: Measurement) -> Measurement:
    broken = Audit("x", (Check("no subject on both sides", False, "toya/01 in fold group 2"),))
    return dataclasses.replace(toy, audits={**toy.audits, ("STSTNet", 1): broken})


def test_a_failed_audit_is_red_at_the_top_and_in_its_section(leaking: Measurement) -> None:
    soup = parsed(leaking)
    first = soup.find("div", class_="banner")
    assert first["id"] == "failed-audits"
    assert "alarm" in first["class"]
    assert "STSTNet, seed 1: no subject on both sides: toya/01 in fold group 2" in visible(first)
    assert [cell.string for cell in soup.find_all("td", class_="failed")] == ["FAILED"]
    assert "AUDIT FAILED" in soup.find(id="row-lab-first_comparison").get_text()
    assert "AUDIT FAILED" in soup.nav.get_text()
    red = re.search(r"--alarm: (#\w+)", soup.style.string)[1]
    assert int(red[1:3], 16) > 3 * max(int(red[3:5], 16), int(red[5:7], 16))
    assert re.search(r"td\.failed \{[^}]*background: var\(--alarm\)", soup.style.string)


def test_passed_audits_raise_no_alarm(toy_page: BeautifulSoup) -> None:
    assert toy_page.find(id="failed-audits") is None
    assert "FAILED" not in visible(toy_page)


def test_failures_come_first_in_the_audit_table_and_name_their_variant(leaking: Measurement) -> None:
    rows = tables.audit_table(leaking)
    assert rows.loc[0, ["result", "detail", "variants"]].tolist() == [
        "FAILED",
        "toya/01 in fold group 2",
        "STSTNet, seed 1",
    ]
    assert "FAILED" not in set(rows.loc[1:, "result"])


# -- numbers ----------------------------------------------------------------------------------------------------------


def test_scores_on_the_page_are_those_of_the_measurement(toy: Measurement, toy_page: BeautifulSoup) -> None:
    shown = grid(table_after(toy_page, "Each data set by itself"))
    assert len(shown) == len(toy.variants) * 4
    for row in shown.to_dict("records"):
        for metric in ("uf1", "uar"):
            truth = row_of(toy, row["variant"], row["subset"], metric)
            numbers = [float(text) for text in re.findall(r"\d\.\d+", row[f"{metric_label(metric)} measured"])]
            expected = [truth["value"], *([truth["low"], truth["high"]] if row["subset"] == "all data sets" else [])]
            np.testing.assert_allclose(numbers, [*expected, truth["sd"]], atol=0.0005)
            np.testing.assert_allclose(numbers[0], truth["value"], atol=0.00005)
            assert int(row["samples"]) == truth["n"]


def row_of(measurement: Measurement, variant: str, subset: str, metric: str, protocol: str = "fixed") -> pd.Series:
    rows = measurement.scores
    chosen = rows[(rows["variant"] == variant) & (rows["metric"] == metric) & (rows["protocol"] == protocol)]
    return chosen[[dataset_label(name) == subset for name in chosen["subset"]]].iloc[0]


def test_further_scores_cover_every_other_metric(toy: Measurement, toy_page: BeautifulSoup) -> None:
    shown = grid(table_after(toy_page, "All other scores")).set_index(["variant", "subset"])
    for metric in ("accuracy", "recall_surprise", "auc_micro", "auc_macro"):
        for variant in toy.variants:
            text = shown.loc[(variant, "all data sets"), f"{metric_label(metric)} measured"]
            assert text.split(" ")[0] == score(row_of(toy, variant, "all data sets", metric)["value"])


def test_confusion_matrices_on_the_page_are_those_of_the_measurement(toy: Measurement, toy_page: BeautifulSoup) -> None:
    drawn = toy_page.find_all("table", class_="matrix")
    assert len(drawn) == len(toy.variants) * 4
    for table, variant in zip(drawn, toy.variants, strict=False):
        assert table.caption.string == variant
        counts = np.array([int(cell.small.string) for cell in table.find_all("td")]).reshape(3, 3)
        np.testing.assert_array_equal(counts, toy.confusion[variant, "full", "fixed"])
        shares = np.array([float(cell["style"].split(":")[1]) for cell in table.find_all("td")]).reshape(3, 3)
        np.testing.assert_allclose(shares, counts / counts.sum(axis=1, keepdims=True), atol=1e-4)


def test_figures_hold_the_numbers_of_the_measurement(toy: Measurement, toy_page: BeautifulSoup) -> None:
    fixed = next(trace for trace in figures(toy_page)[0]["data"] if trace["name"].startswith("fixed"))
    expected = [toy.value(variant) for variant in toy.variants]
    np.testing.assert_allclose(fixed["x"], expected, atol=0.00005)
    highs = [row_of(toy, variant, "all data sets", "uf1")["high"] for variant in toy.variants]
    np.testing.assert_allclose(np.add(fixed["x"], fixed["error_x"]["array"]), highs, atol=0.0002)


def test_the_gap_table_shows_every_protocol(toy: Measurement, toy_page: BeautifulSoup) -> None:
    shown = grid(table_after(toy_page, "UF1 under every protocol")).set_index("variant")
    for gap in toy.gaps.itertuples():
        row = shown.loc[gap.variant]
        for name in ("fixed", "nested", "published"):
            cell = next(text for column, text in row.items() if column.startswith(f"{name}:"))
            assert float(cell.split(" ")[0]) == pytest.approx(getattr(gap, name), abs=0.00005)
        gained = float(row["published − fixed"].replace("−", "-"))
        assert gained == pytest.approx(gap.published_minus_fixed, abs=0.0005)


def test_a_variant_without_a_printed_score_has_a_dash_beside_those_that_have_one(toy: Measurement) -> None:
    printed = toy.scores["variant"].map(lambda name: "0.7000" if name == "STSTNet" else "")
    table = tables.gap_table(dataclasses.replace(toy, scores=toy.scores.assign(reported_text=printed)))
    assert table.set_index("variant")["reported"].to_dict() == {
        "class prior": "–",
        "linear SVM": "–",
        "STSTNet": "0.7000",
    }


def test_published_is_never_shown_without_the_others(toy_page: BeautifulSoup, real_page: BeautifulSoup) -> None:
    for soup in (toy_page, real_page):
        for table in soup.find_all("table"):
            heads = [cell.get_text() for cell in table.find_all("th")]
            if any(head.startswith("published:") for head in heads):
                assert "published: chosen on the test subjects" in heads
                assert {"fixed", "nested"} <= {head.split(":")[0] for head in heads}
        for figure in figures(soup):
            names = {trace.get("name", "").split(":")[0] for trace in figure["data"]}
            assert "published" not in names or {"fixed", "nested"} <= names


def test_published_alone_is_refused(toy: Measurement) -> None:
    with pytest.raises(ParameterError, match="never shown alone"):
        tables.score_table(toy, protocol="published")


@pytest.mark.parametrize("wrong", [{"protocol": "best"}, {"metrics": ["f2"]}, {"subsets": ["casme9"]}])
def test_unknown_names_are_refused(toy: Measurement, wrong: dict) -> None:
    with pytest.raises(ParameterError, match="expected some of"):
        tables.score_table(toy, **wrong)


def test_tests_count_what_differs(toy: Measurement) -> None:
    certain = dataclasses.replace(toy, tests=toy.tests.assign(p_holm=[0.001, 0.04, 0.06]))
    assert "2 of 3 pairs of variants differ in UF1" in visible(parsed(certain))


def test_means_over_folds_are_named_so(toy: Measurement) -> None:
    shown = tables.fold_mean_table(toy).set_index("variant")
    truth = toy.fold_means.query("protocol == 'fixed'").set_index("variant")
    for variant in toy.variants:
        assert shown.loc[variant, "UF1, mean over folds"] == score(truth.loc[variant, "uf1_mean_over_folds"])


def test_folds_that_experiments_share_count_once(toy: Measurement) -> None:
    once, twice = provenance.device_table([toy]), provenance.device_table([toy, toy])
    pd.testing.assert_frame_equal(once, twice)
    assert int(once["folds"].sum()) == len(toy.events)


# -- beside the paper -------------------------------------------------------------------------------------------------


def test_reported_points_are_in_the_figure(real_page: BeautifulSoup) -> None:
    trace = next(trace for trace in figures(real_page)[0]["data"] if "printed" in trace["name"])
    assert trace["marker"]["symbol"] == "diamond-open"
    assert trace["y"] == [reported.lookup("htnet.table4", "uf1", variant=name).value for name in ("7x7", "9x9")]


def test_true_parameter_counts_of_table5() -> None:
    chosen = experiment("htnet.table5")
    for label in chosen.variants:
        expected = reported.lookup("htnet.derived.params", "parameters", variant=label).value
        assert parameter_count(chosen.variant(label, "paper")) == expected


def test_a_memory_estimate_is_not_called_a_parameter_count(root: Path) -> None:
    found = take(some("htnet.table5", "(2,2,2)", "(2,2,8)"), root, kind="real")
    rows = tables.parameter_table(found).set_index("variant")
    assert rows.loc["(2,2,8)", "parameters under profile paper"] == "114,429,446"
    assert rows.loc["(2,2,8)", "printed, MiB"] == "438.51"
    assert rows.loc["(2,2,8)", "their weights, MiB"] == "436.51"
    text = visible(parsed(found))
    assert reported.experiments()["htnet.table5"].notes in text
    assert "The same under this profile: (2,2,2), (2,2,8)." in text


# -- settings ---------------------------------------------------------------------------------------------------------


def test_settings_show_what_was_varied(real: Measurement, toy: Measurement) -> None:
    varied = settings_tables.settings_table(real, varied_only=True).set_index("setting")
    assert set(varied.index) == {"features.block", "model.params.patch_size", "model.params.image_size"}
    assert varied.loc["features.block"].tolist() == ["7", "9"]
    every = settings_tables.settings_table(toy).set_index("setting")
    assert every.loc["training.epochs", "STSTNet"] == "4"
    assert every.loc["training.epochs", "linear SVM"] == "–"  # nothing that a plain method looks at


def test_the_memory_shown_is_said_to_be_that_of_a_process_that_did_other_work_too(toy: Measurement) -> None:
    shown = grid(table_after(parsed(toy), "Time, memory, device"))
    memory = "peak memory of the worker process, MiB (with libraries and what earlier folds left behind)"
    assert list(shown) == ["variant", "folds", "seconds", "seconds a fold", memory, "device"]


def test_addresses_are_folders_of_the_store(toy: Measurement, root: Path) -> None:
    rows = provenance.provenance_table(toy)
    assert all((root / address / "variant.json").is_file() for address in rows["address in the store"])


def test_variants_that_are_one_and_the_same_are_named(toy: Measurement) -> None:
    assert settings_tables.same_settings(toy) == []
    twin = dataclasses.replace(toy, variants={**toy.variants, "linear SVM": toy.variants["class prior"]})
    assert settings_tables.same_settings(twin) == [["class prior", "linear SVM"]]


def test_one_rule_for_numbers() -> None:
    assert measured(0.72, 0.5, float("nan")) == "0.7200"
    assert measured(float("nan")) == "–"


def test_a_run_without_inner_validation_or_log_of_events_is_shown_all_the_same(toy: Measurement) -> None:
    bare = dataclasses.replace(
        toy,
        events=pd.DataFrame(),
        scores=toy.scores.query("protocol != 'nested'"),
        confusion={key: value for key, value in toy.confusion.items() if key[2] != "nested"},
        gaps=toy.gaps.assign(nested=np.nan, published_minus_nested=np.nan),
    )
    soup = parsed(bare)
    assert "Scores under protocol nested" not in visible(soup)
    assert "Where the folds were computed" not in visible(soup)
    assert "Time, memory, device" not in visible(soup)
    shown = grid(table_after(soup, "UF1 under every protocol"))
    assert set(shown["published − nested"]) == {"–"}
    names = {trace.get("name", "") for trace in figures(soup)[1]["data"]}
    assert not any(name.startswith("nested") for name in names)


# -- sentences that do not say more than the numbers do ---------------------------------------------------------------


NOISE = {
    "experiment": "htnet.table2", "data": "84 maps", "kind": "synthetic", "profile": "quick", "metric": "uf1",
    "variants": 9, "seeds": 3, "sd": 0.05, "noise": 0.08, "noise_single": 0.14, "largest_measured": 0.2, "claims": 12,
    "claims_below": 6, "identical": "",
}  # fmt: skip
ONE_SEED = {"seeds": 1, "sd": np.nan, "noise": np.nan, "noise_single": np.nan, "claims_below": pd.NA}


def noise_of(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame([NOISE | row for row in rows]).astype({"claims_below": "Int64"})


def test_the_noise_of_seeds_on_drawn_faces_is_not_held_against_published_trainings() -> None:
    (drawn,) = key_findings([], Across([], pd.DataFrame(), noise_of({}, ONE_SEED)))
    assert drawn.startswith("SYNTHETIC DATA · 6 of 12 published differences between methods or settings (1 comparison)")
    assert "at the size of this run (profile quick)" in drawn
    assert drawn.endswith("That says nothing of the published trainings.")
    (recorded,) = key_findings([], Across([], pd.DataFrame(), noise_of({"kind": "real"})))
    assert recorded.startswith("6 of 12 published differences")
    assert "nothing of the published" not in recorded


def test_a_noise_floor_that_one_seed_leaves_unknown_says_why() -> None:
    (view,) = noise_views(noise_of({}, {"experiment": "capsulenet.table2", **ONE_SEED}))
    assert "says nothing of the published trainings" in view.caption
    first, second = ([cell.text for cell in row] for row in view.rows)
    assert "6 of 12" in first
    assert second.count("one seed") == 3


def test_methods_are_held_against_every_predictor_that_never_looks_and_shuffled_labels_are_no_method(
    toy: Measurement,
) -> None:
    methods = ["linear SVM", "STSTNet", "shuffled"]
    rows = pd.DataFrame({"variant": methods, "p_over_trivial": [0.2, 0.01, 0.01]})
    rows = rows.assign(experiment="lab.x", trivial=False)
    board = SimpleNamespace(dataset=toy.dataset, classes=("a", "b"), split="2 folds", rows=rows)
    variants = dict.fromkeys(methods, toy.variants["STSTNet"])
    training = variants["shuffled"].training.model_copy(update={"permute_labels": True})
    variants["shuffled"] = variants["shuffled"].model_copy(update={"training": training})
    found = SimpleNamespace(measurement=SimpleNamespace(variants=variants))
    entry = SimpleNamespace(id="lab.x", result=SimpleNamespace(entry=None), measured=found, failures=[], waiting=[])
    (told,) = key_findings([entry], Across([board], pd.DataFrame(), pd.DataFrame()))
    assert told.startswith("TOY DATA · Told by UF1 from predictors that never look at a sample: 1 of 2 methods (2 cl")


def test_the_class_prior_is_called_a_low_bar_and_shuffled_labels_are_not_counted(toy: Measurement) -> None:
    scores = toy.scores.assign(over_prior_low=0.1)
    variants = dict(toy.variants)
    training = variants["STSTNet"].training.model_copy(update={"permute_labels": True})
    variants["STSTNet"] = variants["STSTNet"].model_copy(update={"training": training})
    text = findings.over_prior(dataclasses.replace(toy, scores=scores, variants=variants))
    assert "excludes zero: 1 of 1 variant: linear SVM" in text
    assert "Trained on shuffled labels, for comparison: STSTNet" in text
    assert "a low bar" in text
    assert "a low bar" in headline(result_of(toy)).text


@pytest.mark.parametrize(
    ("method", "dataset", "metric", "named"), [("LBP-TOP", "smic", "uf1", 1), ("AlexNet", "smic", "uar", 0)]
)
def test_a_wrong_number_is_named_only_where_it_is_certain(method: str, dataset: str, metric: str, named: int) -> None:
    empty = missing("htnet.table2")
    cells = empty.cells
    here = (cells["method"] == method) & (cells["dataset"] == dataset) & (cells["metric"] == metric)
    entry = dataclasses.replace(empty, cells=cells.assign(possible=np.where(here, "impossible", "possible")))
    told = key_findings([section(entry, "", blank())], NOTHING_ACROSS)
    (printed,) = (text for text in told if "printed rows" in text)
    assert printed.startswith(
        "1 of 13 printed rows of scores that were checked cannot come from any predictions on the "
    )
    assert f"for {named} of them the wrong number can be named" in printed
    sound = dataclasses.replace(empty, cells=cells.assign(possible="possible"))
    assert "0 of 13 printed rows" in " ".join(key_findings([section(sound, "", blank())], NOTHING_ACROSS))


def test_the_gap_of_one_data_set_names_it_once() -> None:
    columns = {"data": "84 maps", "kind": "synthetic", "gap": 0.1, "gap_low": 0.01, "gap_nested": 0.0}
    gaps = pd.DataFrame([columns | {"shuffled": shuffled} for shuffled in (True, False, False)])
    text = gap_in_words(gaps)
    assert text.count("84 maps") == 1
    assert text.index("2 of 2 variants;") < text.index("1 of 1 variant trained on shuffled labels;")
    (short,) = key_findings([], Across([], gaps, pd.DataFrame()))
    assert short == (
        "SYNTHETIC DATA · Choosing the epoch on the test people raises UF1 of 2 of 2 variants, by +0.100 on average "
        "over all of them (84 maps)."
    )


def test_what_a_paper_prints_is_shown_whatever_was_measured_on(root: Path) -> None:
    drawn = take(some("htnet.fig7", "base"), root, kind="synthetic")
    shown = section(result_of(drawn), "", blank()).measured
    heads = [cell.text for cell in shown.others.columns]
    assert heads[3:] == [f"recall, {name} measured" for name in ("negative", "positive", "surprise")]
    assert not set(heads[3:]) & {cell.text for cell in shown.further.columns}


def test_a_metric_is_found_under_the_name_that_the_paper_has_for_it(synthetic: Measurement) -> None:
    shown = measured_part(synthetic, True, blank(), ["micro_auc"])
    assert [cell.text for cell in shown.others.columns][3:] == ["ROC-AUC, micro measured"]
    assert "ROC-AUC, macro measured" in {cell.text for cell in shown.further.columns}


CLAIM = {
    "claim": "A is better than B", "metric": "micro_auc", "dataset": "casme3a", "published_difference": 0.1,
    "measured_difference": np.nan, "low": np.nan, "high": np.nan, "p": np.nan, "noise": np.nan, "data": "", "kind": "",
    "verdict": UNTESTABLE,
}  # fmt: skip


def test_reasons_of_claims_that_differ_stand_each_beside_its_claim() -> None:
    reasons = ["B is not among the variants", "B is not among the variants", "not the published samples"]
    table = claims.claim_table(pd.DataFrame([CLAIM | {"because": text} for text in reasons]))
    assert table.caption == ""
    assert [row[-1].text for row in table.rows] == reasons
    assert {row[1].text for row in table.rows} == {"ROC-AUC, micro, CAS(ME)³ part A"}
    alike = claims.claim_table(pd.DataFrame([CLAIM | {"because": reasons[0]}] * 3))
    assert alike.caption == f"All 3 claims: {UNTESTABLE}; {reasons[0]}."


def test_claims_and_numbers_are_counted_each_by_themselves(real: Measurement) -> None:
    found = result_of(real)
    cells = found.cells.assign(verdict=["differs", *["agrees"] * (len(found.cells) - 1)])
    claimed = pd.DataFrame([CLAIM | {"because": "x"}])
    entry = section(dataclasses.replace(found, cells=cells, claims=claimed), "", blank())
    assert entry.counts == [
        ("1 claim", [(UNTESTABLE, "none", 1)]),
        ("48 numbers", [("agree", "good", 47), ("differs", "bad", 1)]),
    ]


def test_a_value_on_drawn_clips_that_stands_in_for_several_data_sets_counts_once(synthetic: Measurement) -> None:
    cells = result_of(synthetic).cells
    cells = cells[cells["variant"].isin(["7x7", "9x9"])].assign(measured=0.5, kind="synthetic")
    entry = dataclasses.replace(result_of(synthetic), measurement=None, cells=cells)
    assert headline(entry).text.startswith("4 values for 16 of 16 numbers, such as ")


def test_the_best_of_several_is_called_so_with_the_interval_of_its_lead(toy: Measurement) -> None:
    best = toy.scores.query("subset == 'full' and protocol == 'fixed' and metric == 'uf1' and variant != 'class prior'")
    best = best.loc[best["value"].idxmax()]
    text = headline(result_of(toy)).text
    assert text.startswith(f"highest of 2: {best['variant']}: UF1 {score(best['value'])}")
    assert f"{difference(best['over_prior'])} [{difference(best['over_prior_low'])}, " in text


def test_counts_of_an_audit_that_differ_are_summed(toy: Measurement) -> None:
    audits = {
        ("STSTNet", seed): Audit("x", (Check("sums", True, f"{rows} rows"),)) for seed, rows in enumerate((151, 152))
    }
    table = tables.audit_table(dataclasses.replace(toy, audits=audits))
    assert table["detail"].tolist() == ["303 rows in 2 runs"]


def test_how_to_read_a_published_table_is_said_in_page_and_markdown() -> None:
    empty = missing("htnet.table5")
    computed = dataclasses.replace(empty, cells=empty.cells.assign(measured=0.5, kind="computed", because=""))
    assert LEGEND in visible(parsed(computed))
    assert LEGEND in render_markdown(page_of(results_of(computed), NOTHING_ACROSS), "figures")
    assert LEGEND not in visible(parsed(empty))
