"""The published numbers: complete, typed, and consistent wherever two of them say the same thing."""

from __future__ import annotations

import csv
from importlib.resources import files

import pandas as pd
import pytest

from mer_lib.errors import ParameterError
from mer_lib.papers import reported as rep

KEY = ["experiment", "method", "variant", "dataset", "metric"]
SUBSETS = ("smic", "casme2", "samm")
CLASSES = ("negative", "positive", "surprise")

# Per experiment: how many numbers, and their sum (strings left out, flags as 0 and 1). A dropped row or a
# changed digit anywhere shows up here.
TOTALS = {
    "htnet.table1": (40, 3421),
    "htnet.table2": (104, 71.7782),
    "htnet.table3": (10, 3.87),
    "htnet.table4": (48, 40.3747),
    "htnet.table5": (60, 41064.8595),
    "htnet.fig5": (48, 40.2815),
    "htnet.fig6": (48, 40.403),
    "htnet.fig7": (9, 6.88),
    "htnet.text": (10, 1088.96015),
    "htnet.derived.confusion": (24, 1662),
    "htnet.derived.repo_predictions": (8, 6.5868),
    "htnet.derived.params": (6, 611116068),
    "capsulenet.table1": (16, 1768),
    "capsulenet.table2": (32, 16.5747),
    "capsulenet.table3": (4, 2.5392),
    "capsulenet.fig5": (3, 1.951),
    "capsulenet.text": (11, 43.2022),
    "capsulenet.derived.log": (44, 875.1008),
    "mishin_yolo.table1": (6, 3.46),
    "mishin_yolo.text": (10, 9000693.965),
    "mishin_yolo.derived.trivial": (5, 3.1299),
    "da_crossvit.table1": (20, 1904),
    "da_crossvit.table2": (48, 29.8218),
    "da_crossvit.table3": (30, 20.2643),
    "da_crossvit.table4": (4, 2.8757),
    "da_crossvit.text": (7, 1057.7434),
    "mfem_mffm.table1": (23, 1283),
    "mfem_mffm.table2": (30, 1056.2252),
    "mfem_mffm.table3": (12, 321.184),
    "mfem_mffm.fig6": (4, 368),
    "mfem_mffm.text": (21, 244.753),
    "mfem_mffm.derived.counts": (18, 2257),
}


def all_numbers():
    return pd.concat([rep.reported(key) for key in rep.experiments()], ignore_index=True)


def value(experiment, metric, *where, **which):
    found = rep.lookup(experiment, metric, *where, **which)
    assert found is not None, (experiment, metric, where, which)
    return found.value


# --- files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("paper", ["htnet", "capsulenet", "mishin_yolo", "da_crossvit", "mfem_mffm"])
def test_csv_has_the_declared_columns_and_only_experiments_of_its_paper(paper):
    text = (files("mer_lib.papers") / "reported" / f"{paper}.csv").read_text(encoding="utf-8")
    header, *rows = list(csv.reader(text.splitlines()))
    assert tuple(header) == rep.COLUMNS
    assert {len(row) for row in rows} == {len(rep.COLUMNS)}
    assert {row[0] for row in rows} == set(rep.experiments(paper))
    assert len(rows) == sum(e.count for e in rep.experiments(paper).values())


def test_every_experiment_belongs_to_a_paper_and_carries_its_name():
    assert set(rep.papers()) == {e.paper for e in rep.experiments().values()}
    assert all(key == e.id and key.startswith(f"{e.paper}.") for key, e in rep.experiments().items())


@pytest.mark.parametrize("experiment", TOTALS)
def test_counts_and_totals(experiment):
    count, total = TOTALS[experiment]
    values = rep.reported(experiment)["value"]
    assert rep.experiments()[experiment].count == len(values) == count
    assert sum(v for v in values if not isinstance(v, str)) == pytest.approx(total, rel=0, abs=1e-6)


def test_no_experiment_goes_uncounted():
    assert set(rep.experiments()) == set(TOTALS)
    assert len(all_numbers()) == sum(count for count, _ in TOTALS.values()) == 763


def test_derived_numbers_are_marked_by_kind_and_id_alike():
    assert all((e.kind == "derived") == (".derived." in key) for key, e in rep.experiments().items())


def test_no_number_is_given_twice():
    numbers = all_numbers()
    assert numbers[numbers.duplicated(KEY, keep=False)].empty


def test_a_number_without_data_set_stands_beside_none_with_one():
    numbers = all_numbers()
    kinds = numbers.assign(bare=numbers["dataset"] == "").groupby(["experiment", "metric"])["bare"].nunique()
    assert kinds.max() == 1


# --- types and ranges ----------------------------------------------------------------------------------


def test_values_are_typed():
    assert value("htnet.table1", "has_apex", "smic") is False
    assert value("htnet.table1", "has_apex", "samm") is True
    assert type(value("htnet.table1", "subjects", "samm")) is int
    assert type(value("htnet.table4", "uf1", variant="8x8")) is float
    assert value("htnet.text", "learning_rate") == 5e-05
    assert value("mfem_mffm.table1", "resolution", "casme2") == "640x480"


def test_type_follows_unit():
    of = {unit: {type(v) for v in rows["value"]} for unit, rows in all_numbers().groupby("unit")}
    assert of["flag"] == {bool}
    assert of["fraction"] == {float}
    assert of["count"] == {int}


def test_fractions_and_percentages_are_in_range():
    numbers = all_numbers()
    fractions = numbers.loc[numbers["unit"] == "fraction", "value"]
    percent = numbers.loc[numbers["unit"] == "percent", "value"]
    assert fractions.between(0.1, 1).all()
    assert percent.between(40, 100).all()
    assert len(fractions) > 400
    assert len(percent) > 20


def test_display_rounds_nothing_away():
    for experiment in rep.experiments().values():
        if experiment.decimals is None:
            continue
        rows = rep.reported(experiment.id)
        for shown in rows.loc[rows["metric"].isin(["uf1", "uar"]), "value"]:
            assert round(shown, experiment.decimals) == shown


# --- misprints -----------------------------------------------------------------------------------------


def test_misprints_are_counted():
    assert rep.misprints()["status"].value_counts().to_dict() == {"corrected": 7, "suspect": 23}
    assert rep.misprints("htnet.table2")["status"].value_counts().to_dict() == {"corrected": 3, "suspect": 4}
    assert rep.misprints("htnet.fig5").empty


def test_only_corrections_have_a_printed_text_and_every_misprint_a_reason():
    numbers = all_numbers()
    assert set(numbers["status"]) == {"", "corrected", "suspect"}
    assert ((numbers["printed"] != "") == (numbers["status"] == "corrected")).all()
    assert (rep.misprints()["note"] != "").all()
    assert numbers.loc[numbers["suggested"].notna(), "status"].ne("").all()
    assert numbers["suggested"].notna().sum() == 13


@pytest.mark.parametrize(
    ("experiment", "where", "printed", "repaired"),
    [
        ("htnet.table2", {"metric": "uar", "method": "STSTNet"}, "0,4905", 0.7605),
        ("htnet.table2", {"metric": "uar", "method": "VGG16", "dataset": "samm"}, "0,7493", 0.4793),
        ("htnet.table2", {"metric": "uar", "method": "CapsuleNet", "dataset": "samm"}, "0,5959", 0.5989),
        ("htnet.table4", {"metric": "uar", "variant": "9x9"}, "0,7445", 0.8445),
        ("htnet.table5", {"metric": "uf1", "variant": "(2,2,4)", "dataset": "samm"}, "7137", 0.7137),
        ("capsulenet.table1", {"metric": "total", "dataset": "samm"}, "132", 133),
        ("mfem_mffm.text", {"metric": "acc_gain_over_am3f", "dataset": "samm"}, "8.082", 8.085),
    ],
)
def test_the_seven_corrections(experiment, where, printed, repaired):
    number = rep.lookup(experiment, **where)
    assert (number.status, number.printed, number.value) == ("corrected", printed, repaired)


@pytest.mark.parametrize(
    ("experiment", "where", "kept", "suggested"),
    [
        ("htnet.table2", {"metric": "uf1", "method": "LBP-TOP", "dataset": "smic"}, 0.2, None),
        ("htnet.table2", {"metric": "uar", "method": "STSTNet", "dataset": "smic"}, 0.7013, 0.6703),
        ("htnet.table2", {"metric": "uar", "method": "STSTNet", "dataset": "casme2"}, 0.8686, 0.819),
        ("htnet.table2", {"metric": "uar", "method": "STSTNet", "dataset": "samm"}, 0.681, 0.6415),
        ("htnet.table4", {"metric": "uf1", "variant": "10x10"}, 0.8546, 0.8564),
        ("htnet.table5", {"metric": "uf1", "variant": "(2,2,4)"}, 0.7297, 0.8297),
        ("htnet.table5", {"metric": "uar", "variant": "(2,2,6)", "dataset": "smic"}, 0.734, 0.7344),
        ("da_crossvit.table2", {"metric": "uar", "method": "STSTNet"}, 0.725, 0.7186),
    ],
)
def test_suspects_keep_what_was_printed(experiment, where, kept, suggested):
    number = rep.lookup(experiment, **where)
    assert (number.status, number.value, number.suggested) == ("suspect", kept, suggested)
    assert number.printed is None
    assert number.note


def test_accuracies_that_no_sample_count_allows_are_the_suspect_ones():
    samples = {"casme2": 246, "samm": 136}
    rows = rep.reported("mfem_mffm.table2")
    for row in rows[rows["metric"] == "acc"].itertuples():
        n, digits = samples[row.dataset], len(str(row.value).split(".")[1])
        possible = any(round(100 * k / n, digits) == row.value for k in range(n + 1))
        assert possible == (row.status == ""), row


# --- numbers that must agree ---------------------------------------------------------------------------


@pytest.mark.parametrize("dataset", ["full", *SUBSETS])
@pytest.mark.parametrize("metric", ["uf1", "uar"])
def test_htnet_base_run_is_the_same_number_everywhere(dataset, metric):
    base = value("htnet.table2", metric, dataset, method="HTNet")
    assert value("htnet.table4", metric, dataset, variant="7x7") == base
    assert value("htnet.table5", metric, dataset, variant="(2,2,8)") == base
    for figure, variant in (("htnet.fig5", "256"), ("htnet.fig6", "3")):
        read = rep.lookup(figure, metric, dataset, variant=variant)
        assert read.value == pytest.approx(base, abs=read.approx)


@pytest.mark.parametrize("dataset", ["full", *SUBSETS])
def test_derived_confusion_facts_give_the_printed_scores(dataset):
    fact = {
        (kind, c): value("htnet.derived.confusion", f"{kind}_{c}", dataset)
        for kind in ("tp", "predicted")
        for c in CLASSES
    }
    n = {c: value("capsulenet.table1", f"n_{c}", dataset) for c in CLASSES}
    uf1 = sum(2 * fact["tp", c] / (fact["predicted", c] + n[c]) for c in CLASSES) / 3
    uar = sum(fact["tp", c] / n[c] for c in CLASSES) / 3
    assert round(uf1, 4) == value("htnet.table2", "uf1", dataset, method="HTNet")
    assert round(uar, 4) == value("htnet.table2", "uar", dataset, method="HTNet")
    assert sum(fact["predicted", c] for c in CLASSES) == sum(n.values())


@pytest.mark.parametrize("dataset", ["full", *SUBSETS])
def test_capsulenet_log_gives_its_own_scores(dataset):
    cm = [[value("capsulenet.derived.log", f"cm_{t}_as_{p}", dataset) for p in CLASSES] for t in CLASSES]
    seen = [sum(row) for row in cm]
    said = [sum(column) for column in zip(*cm, strict=True)]
    uf1 = sum(2 * cm[i][i] / (seen[i] + said[i]) for i in range(3)) / 3
    uar = sum(cm[i][i] / seen[i] for i in range(3)) / 3
    assert round(uf1, 4) == value("capsulenet.derived.log", "uf1", dataset)
    assert round(uar, 4) == value("capsulenet.derived.log", "uar", dataset)


def test_composite_is_the_sum_of_its_data_sets():
    for table in ("capsulenet.table1", "da_crossvit.table1"):
        for metric in [f"n_{c}" for c in CLASSES] + ["total"]:
            parts = [value(table, metric, dataset) for dataset in SUBSETS]
            assert value(table, metric, "full") == sum(parts)
    assert value("capsulenet.table1", "total") == 442
    assert value("da_crossvit.table1", "subjects") == 68


def test_printed_parameter_row_is_memory_and_true_counts_stand_beside_it():
    counts = [38968838, 64122374, 89275910, 114429446, 139582982, 164736518]
    variants = [f"(2,2,{n})" for n in (2, 4, 6, 8, 10, 12)]
    assert [value("htnet.derived.params", "parameters", variant=v) for v in variants] == counts
    for variant, count in zip(variants, counts, strict=True):
        memory = rep.lookup("htnet.table5", "torchsummary_total_mb", variant=variant)
        assert memory.unit == "MiB"
        assert 0 < memory.value - 4 * count / 2**20 < 3


def test_da_crossvit_tables_agree():
    for metric in ("uf1", "uar"):
        own = value("da_crossvit.table2", metric, method="DA-CrossViT")
        assert value("da_crossvit.table4", metric, method="dual attention") == own
        for dataset in SUBSETS:
            best = value("da_crossvit.table3", metric, dataset, variant="La=1, Sm=4")
            assert value("da_crossvit.table2", metric, dataset, method="DA-CrossViT") == best


def test_mfem_counts_give_the_printed_accuracies():
    rows = rep.reported("mfem_mffm.derived.counts")
    for row in rows[rows["metric"] == "n_correct"].itertuples():
        n = value("mfem_mffm.derived.counts", "n_samples", row.dataset, method=row.method)
        table, method = "mfem_mffm.table3", row.method
        if row.dataset == "samm":
            table, method = "mfem_mffm.table2", "MFEM+MFFM"
        assert round(100 * row.value / n, 3) == value(table, "acc", row.dataset, method=method)


def test_disagreements_quote_the_tables_and_settle_each_quantity():
    table = rep.disagreements()
    assert set(table["kind"]) == {"printed", "evidence", "use"}
    assert len(table) == 84
    quoted = table[(table["kind"] == "printed") & (table["method"] != "")]
    for row in quoted.itertuples():
        method = "CapsuleNet + ResNet18" if row.source == "capsulenet.table3" else row.method
        number = rep.lookup(row.source, row.metric, row.dataset, method=method)
        printed = float(number.printed.replace(",", ".")) if number.printed else number.value
        assert printed == row.value, row
    settled = table.groupby(["method", "dataset", "metric"])["kind"].apply(lambda kinds: (kinds == "use").sum())
    assert (settled == 1).all()
    assert len(settled) == 15


# --- display -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("experiment", "where", "text"),
    [
        ("htnet.table4", {"metric": "uf1", "variant": "8x8"}, "0.8500"),
        ("htnet.table4", {"metric": "uar", "variant": "9x9"}, "0.8445 (printed 0.7445)"),
        ("htnet.table4", {"metric": "uf1", "variant": "10x10"}, "0.8546 (suspect, suggested 0.8564)"),
        ("htnet.table2", {"metric": "uf1", "method": "LBP-TOP", "dataset": "smic"}, "0.2000 (suspect)"),
        (
            "htnet.table5",
            {"metric": "uf1", "variant": "(2,2,4)", "dataset": "samm"},
            "0.7137 (printed 7137, suggested 0.8137)",
        ),
        ("htnet.fig5", {"metric": "uf1", "variant": "256"}, "≈0.86"),
        ("htnet.table1", {"metric": "has_apex", "dataset": "smic"}, "no"),
        ("htnet.table1", {"metric": "has_apex", "dataset": "samm"}, "yes"),
        ("htnet.derived.params", {"metric": "parameters", "variant": "(2,2,2)"}, "38968838"),
        (
            "mishin_yolo.table1",
            {"metric": "micro_auc", "dataset": "casme3a", "variant": "subjects=men, discretisation=on"},
            "0.6",
        ),
        ("mfem_mffm.table1", {"metric": "resolution", "dataset": "samm"}, "960x650"),
    ],
)
def test_display(experiment, where, text):
    assert rep.lookup(experiment, **where).display() == text


def test_place():
    found = rep.experiments()
    assert found["htnet.fig6"].place == "figure 6"
    assert found["htnet.table5"].place == "table 5"
    assert found["htnet.text"].place == "text"


# --- access --------------------------------------------------------------------------------------------


def test_a_number_that_is_not_reported_is_none():
    assert rep.lookup("htnet.table4", "accuracy", variant="7x7") is None
    assert rep.lookup("htnet.table4", "uf1", variant="11x11") is None
    assert rep.lookup("mishin_yolo.table1", "micro_auc") is None


def test_a_number_of_no_data_set_fits_any():
    for dataset in ("full", "smic", None):
        assert rep.lookup("htnet.text", "best_heads", dataset).value == 3


def test_an_ambiguous_question_names_the_candidates():
    with pytest.raises(ParameterError) as error:
        rep.lookup("htnet.table4", "uar")
    message = str(error.value)
    assert "got 6" in message
    assert all(f"variant='{n}x{n}'" in message for n in range(5, 11))
    with pytest.raises(ParameterError, match="dataset='smic'"):
        rep.lookup("htnet.table4", "uar", dataset=None, variant="7x7")


@pytest.mark.parametrize(
    "ask",
    [
        lambda: rep.reported("htnet.tabel4"),
        lambda: rep.lookup("htnet.tabel4", "uf1"),
        lambda: rep.misprints("htnet.tabel4"),
    ],
)
def test_an_unknown_experiment_is_answered_with_the_near_and_the_known_ones(ask):
    with pytest.raises(ParameterError, match=r"Did you mean htnet.table4") as error:
        ask()
    assert "mfem_mffm.derived.counts" in str(error.value)


def test_an_unknown_paper_is_answered_with_the_known_ones():
    with pytest.raises(ParameterError, match=r"Did you mean htnet.*da_crossvit"):
        rep.experiments("htnett")


def test_what_is_handed_out_can_be_changed_without_harm():
    rep.papers().clear()
    rep.experiments().clear()
    rep.experiments("htnet").clear()
    for give in (lambda: rep.reported("htnet.table4"), rep.misprints, rep.disagreements):
        table = give()
        table["value"] = 0.0
        assert (give()["value"] != 0.0).all()
    assert rep.papers()
    assert rep.experiments()
    assert rep.experiments("htnet")


def test_records_are_frozen():
    number = rep.lookup("htnet.table4", "uf1", variant="7x7")
    with pytest.raises(ValueError, match="frozen"):
        number.value = 1.0
