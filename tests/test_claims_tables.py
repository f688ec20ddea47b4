"""The number checker on files and on the published tables: clear errors, and what is known of the papers."""

from __future__ import annotations

import itertools
import json
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from mer_lib.claims.counts import counts_of, named_counts, read_counts
from mer_lib.claims.ranges import pooled_uar
from mer_lib.claims.reading import read_claims, row_of
from mer_lib.claims.row import Cell
from mer_lib.claims.verdict import cell_verdict, judge
from mer_lib.cli.audit import audit_app
from mer_lib.errors import ParameterError
from mer_lib.papers.checked import called, checked, rows_of
from mer_lib.papers.implied import derived
from mer_lib.papers.reported import experiments, reported
from mer_lib.plots import possible
from mer_lib.plots.style import dataset_label, metric_label

LBP_TOP = "row,dataset,metric,value\nLBP-TOP,smic,uf1,0.2000\nLBP-TOP,smic,uar,0.5280\n"


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MER_CACHE", str(tmp_path / "cache"))


# -- files ------------------------------------------------------------------------------------------------------------


def test_claims_are_read_with_their_own_counts(tmp_path):
    path = tmp_path / "claims.csv"
    path.write_text(
        '\ufeffdataset, row, value, metric, counts\na,one,0.75,ACCURACY,2/2\n\na,one,"0,5",recall_1,\na,two,>0.9,uar,\n'
    )
    one, two = read_claims(path)
    assert dict(one.printed) == {Cell("a", "acc"): "0.75", Cell("a", "recall_1"): "0,5"}
    assert one.counts["a"].counts == (2, 2)
    assert judge(one).example()["a"].tolist() == [[1, 1], [0, 2]]
    assert dict(two.printed) == {Cell("a", "uar"): ">0.9"}


def test_every_wrong_line_is_named(tmp_path):
    path = tmp_path / "claims.csv"
    path.write_text(
        "row,dataset,metric,value\nA,smic,uf1,0.5\nA,smic,uf1,0.6\nA,mars,uar,0.5\nA,smic,beauty,0.5\nA,smic,uar,84.9\n,smic,uar,1\n"
    )
    with pytest.raises(ParameterError) as caught:
        read_claims(path, named_counts("megc2019"))
    message = str(caught.value)
    for line, text in ((3, "given before"), (4, "mars"), (5, "beauty"), (6, "'84.9'"), (7, "row: expected text")):
        assert any(f"line {line}:" in row and text in row for row in message.splitlines()), (line, message)
    assert "line 2:" not in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "missing: row, dataset, metric, value"),
        ("row,dataset,metric\na,b,c\n", "missing: value"),
        ("row,dataset,metric,value\na,smic,uar,0,5\n", "line 2: expected 4 cells, got 5"),
        (b"\xff\xfe\x00bad", "in UTF-8"),
    ],
)
def test_a_malformed_file_is_explained(tmp_path, text, said):
    path = tmp_path / "claims.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ParameterError, match="claims.csv") as caught:
        read_claims(path)
    assert said in str(caught.value)


def test_counts_come_from_names_files_and_cells(tmp_path):
    assert named_counts("casme2_five")["casme2"].counts == (32, 25, 63, 27, 99)
    path = tmp_path / "counts.csv"
    path.write_text("dataset,class,count\na,x,3\na,y,4\nb,x,1\nb,y,2\n")
    found = read_counts(path)
    assert (found["full"].counts, found["full"].classes) == ((4, 6), ("x", "y"))
    path.write_text("dataset,class,count\na,x,3\na,x,4\nb,x,zero\n")
    with pytest.raises(ParameterError, match=r"(?s)line 4: .*'zero'.*lines 3:"):
        read_counts(path)
    with pytest.raises(ParameterError, match="unknown counts 'mars'"):
        named_counts("mars")
    for wrong in ("70", "70/x", "a=1", "a=1 b", "0/3"):
        with pytest.raises(ParameterError, match="expected counts such as"):
            counts_of(wrong)


def test_the_command_prints_and_ends_as_it_should(tmp_path):
    path, out = tmp_path / "claims.csv", tmp_path / "out.csv"
    path.write_text(LBP_TOP)
    wrong = CliRunner().invoke(audit_app, ["numbers", str(path), "--counts", "megc2019", "--csv", str(out)])
    assert wrong.exit_code == 1
    assert "impossible" in wrong.output
    assert "uf1 would lie in" in wrong.output
    assert pd.read_csv(out, dtype=str)["verdict"].tolist() == ["impossible", "impossible"]
    path.write_text("row,dataset,metric,value,counts\nA,own,acc,84.959%,100/146\n")
    right = CliRunner().invoke(audit_app, ["numbers", str(path), "--json"])
    assert right.exit_code == 0
    assert json.loads(right.stdout)[0]["verdict"] == "possible"
    bad = CliRunner().invoke(audit_app, ["numbers", str(tmp_path / "none.csv")])
    assert isinstance(bad.exception, ParameterError)


# -- the papers -------------------------------------------------------------------------------------------------------


def test_the_published_matrix_is_the_only_one():
    # Numbers of the paper against those that were found beforehand by a search of everything.
    found, known = derived("htnet.derived.confusion"), reported("htnet.derived.confusion")
    assert found["value"].astype(int).tolist() == known["value"].tolist()
    assert tuple(
        found.set_index(["dataset", "metric"])["value"][
            [("full", f"tp_{c}") for c in ("negative", "positive", "surprise")]
        ]
    ) == (235, 88, 66)
    counts, known = derived("mfem_mffm.derived.counts"), reported("mfem_mffm.derived.counts")
    assert counts["value"].astype(int).tolist() == known["value"].tolist()
    with pytest.raises(ParameterError, match="expected one of"):
        derived("htnet.table1")


def test_the_known_misprints_are_found():
    """Every number that is known to be wrong, and contradicted by counts, is suspected: the key is no input."""
    for experiment in ("htnet.table4", "htnet.table5"):
        found = checked(experiment)
        faults = reported(experiment)["status"] != ""
        assert (found.loc[faults, "possible"] == "impossible").all()
        sound = ~found["variant"].isin(found.loc[faults, "variant"]) & (found["printed"] != "")
        assert (found.loc[sound, "possible"] == "possible").all()
    nine = checked("htnet.table4").query("variant == '9x9' and possible == 'impossible'")
    assert nine["certain"].tolist() == ["yes"]
    assert nine[["dataset", "metric"]].to_numpy().tolist() == [["full", "uar"]]
    assert "0.8445 (one digit)" in nine["possible_why"].item()
    ten = checked("htnet.table4").query("variant == '10x10' and dataset == 'full' and metric == 'uf1'")
    assert ten["certain"].tolist() == [""]
    assert "UF1 on all data sets: 0.8564" in ten["repairs"].item()
    assert "0.8564 (two digits transposed)" in ten["repairs"].item()


@pytest.mark.parametrize(
    ("method", "dataset", "metric"),
    [
        ("LBP-TOP", "smic", "uf1"),
        ("RCN", "casme2", "uf1"),
        ("VGG16", "samm", "uar"),
        ("STSTNet", "full", "uar"),
        ("CapsuleNet", "samm", "uar"),
    ],
)
def test_the_misprints_of_table_two_are_certain(method, dataset, metric):
    row = next(row for row in rows_of("htnet.table2") if row.name.startswith(f"{method}\n"))
    verdict = judge(row, with_repairs=False, counted=False)
    assert verdict.state == "impossible"
    assert Cell(dataset, metric) in verdict.blame.certain


@pytest.mark.parametrize(
    ("experiment", "name", "certain", "undecided"),
    [
        ("htnet.table2", "RCN\n", {Cell("casme2", "uf1")}, {Cell("samm", "uf1")}),
        ("htnet.table5", "HTNet\n(2,2,4)", set(), set()),
        ("capsulenet.table2", "ResNet18\n", set(), {Cell("full", "uar")}),
    ],
)
def test_what_undecided_pairs_do_without_is_not_certain(experiment, name, certain, undecided):
    row = next(row for row in rows_of(experiment) if row.name == name)
    verdict = judge(row, with_repairs=False, counted=False)
    assert set(verdict.blame.certain) == certain
    assert verdict.blame.undecided
    assert {cell for cell in row.printed if cell_verdict(verdict, cell) == "undecided"} == undecided


@pytest.mark.parametrize(
    ("method", "wrong"),
    [
        ("LBP-TOP", {Cell("casme2", "acc")}),
        ("Bi-WOOF", {Cell("samm", "acc")}),
        ("MERTA", {Cell("casme2", "acc")}),
        ("SLSTT", {Cell("casme2", "acc"), Cell("samm", "acc")}),
        ("AM3F-FlowNet", {Cell("casme2", "acc")}),
        ("MFEM+MFFM", set()),
    ],
)
def test_five_classes_and_accuracies_that_no_count_gives(method, wrong):
    row = next(row for row in rows_of("mfem_mffm.table2") if row.name.startswith(f"{method}\n"))
    verdict = judge(row, with_repairs=False, counted=False)
    assert set(verdict.blame.cells if verdict.blame else ()) == wrong


@pytest.mark.parametrize(("method", "reach"), [("VGG11", (0.3409, 0.5021)), ("ResNet18", (0.3511, 0.5123))])
def test_the_baselines_of_capsulenet_exceed_what_their_parts_allow(method, reach):
    # Within what a linear programme over recalls of any size allows; whole right answers allow less.
    row = next(row for row in rows_of("capsulenet.table2") if row.name.startswith(f"{method}\n"))
    low, high = pooled_uar(row.problem("full"), [row.problem(name) for name in row.parts])
    assert reach[0] - 1e-4 < low < high < reach[1] + 1e-4
    assert high < row.share(Cell("full", "uar"))


def test_lbp_top_on_smic_by_hand():
    """UF1 0.2000 would need F1 to sum to 0.6, and half of each class recognised gives more, wherever mistakes go."""
    row = row_of("x", {Cell("smic", "uf1"): "0.2000", Cell("smic", "uar"): "0.5280"}, named_counts("megc2019"))
    assert judge(row, with_repairs=False).state == "impossible"
    n = np.array([70, 51, 43])
    least = 1.0
    for tp in itertools.product(*(range(k + 1) for k in n[:2])):
        third = np.arange(44)
        recall = (tp[0] / 70 + tp[1] / 51 + third / 43) / 3
        for t in third[(recall > 0.5279) & (recall < 0.5282)]:
            right = np.array([*tp, t])
            # F1 sinks with false alarms, of which no class has more than the others' mistakes.
            worst = 2 * right / (n + right + (n - right).sum() - (n - right))
            least = min(least, worst.mean())
    assert least > 0.2001
    assert Fraction(2, 10) < least


def test_reasons_use_the_names_of_the_figures():
    for name in ("full", "smic", "casme2", "samm", "casme3a"):
        assert called(name) == dataset_label(name)
    assert [called(name) for name in ("uf1", "uar", "acc")] == [*map(metric_label, ("uf1", "uar")), "accuracy"]


def test_verdicts_are_kept_and_read_again(monkeypatch):
    from mer_lib.papers import checked as module

    module._checked.cache_clear()  # what another test checked lies in another cache
    first = checked("mfem_mffm.fig6")
    module._checked.cache_clear()
    monkeypatch.setattr(module, "judge", None)  # nothing is searched any more
    pd.testing.assert_frame_equal(checked("mfem_mffm.fig6"), first)
    module._checked.cache_clear()


def test_all_that_is_due_is_checked_beforehand(monkeypatch):
    from mer_lib.papers import checked as module

    monkeypatch.setattr(module, "experiments", lambda: {"htnet.table3": experiments()["htnet.table3"]})
    module._checked.cache_clear()
    module.check_all(jobs=1)
    module._checked.cache_clear()
    monkeypatch.setattr(module, "_lines", lambda name: pytest.fail(f"{name} was checked again"))
    module.check_all(jobs=1)
    assert set(checked("htnet.table3")["possible"]) >= {"possible"}


def test_clips_that_the_authors_did_not_have():
    found = checked("capsulenet.fig5")
    assert set(found["possible"]) == {"possible"}
    assert found["possible_why"].str.contains("possible on the 435 samples").all()
    assert set(checked("capsulenet.table1")["possible"]) == {""}


# -- figures ----------------------------------------------------------------------------------------------------------


def test_figures_show_the_printed_numbers():
    row = next(row for row in rows_of("htnet.table2") if row.name.startswith("HTNet\n"))
    cloud = possible.scores_of_all_tables(row, "smic", samples=500)
    points, printed = cloud.axes[0].lines
    assert printed.get_xydata().tolist() == [[0.7905, 0.8049]]
    assert len(points.get_xdata()) == 500
    bars = possible.what_one_class_may_have(row, "samm").axes
    assert [ax.get_title() for ax in bars] == ["negative: 92 samples", "positive: 26 samples", "surprise: 15 samples"]
    table = checked("htnet.table4")
    figure = possible.verdicts_of_table(table, "a title")
    colours = [tuple(round(v, 3) for v in patch.get_facecolor()) for patch in figure.axes[0].patches]
    assert len(colours) == 48
    assert colours.count((*(round(int("B00020"[i : i + 2], 16) / 255, 3) for i in (0, 2, 4)), 1)) == (
        (table["possible"] == "impossible").sum()
    )
    with pytest.raises(ParameterError, match="expected numbers that were checked"):
        possible.verdicts_of_table(checked("htnet.table1"), "")
    with pytest.raises(ParameterError, match="expected uf1 and uar"):
        possible.scores_of_all_tables(row, "mars")
