"""The paper set: 32 entries, each with numbers or a reason; counted, computed and trained cells against the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, recall_score, roc_auc_score

from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.errors import ParameterError
from mer_lib.evaluation.store import PredictionStore
from mer_lib.papers import cells as cells_module
from mer_lib.papers import computed_numbers, paper_set
from mer_lib.papers.cells import published_cells, trained_cells
from mer_lib.papers.computed import computed_cells
from mer_lib.papers.computed_gains import text_claims
from mer_lib.papers.computed_numbers import log_matrices, trivial_auc
from mer_lib.papers.counted import counted_cells, real_collection
from mer_lib.papers.entries import CELL_COLUMNS, CLAIM_COLUMNS, PaperResults
from mer_lib.papers.experiments import experiment, experiments
from mer_lib.papers.measure import Measurement, measure, run_experiment
from mer_lib.papers.noise import COLUMNS, noise_floor
from mer_lib.papers.paper_set import collect
from mer_lib.papers.quoted_rows import rows_needed
from mer_lib.papers.reported import experiments as published
from mer_lib.papers.reported import reported
from mer_lib.papers.verdicts import AGREES, DIFFERS, RULES, UNTESTABLE, VERDICTS
from tests.helpers import toy
from tests.made_measurements import fabricated, measurement, seeds

pytestmark = pytest.mark.filterwarnings("ignore::mer_lib.evaluation.crossval.FoldWarning")


@pytest.fixture(autouse=True)
def _no_checker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The number checker has its own tests, and takes its time."""

    def checked(name: str) -> pd.DataFrame:
        return reported(name).assign(possible="possible", possible_why=f"seen in {name}")

    def derived(name: str) -> pd.DataFrame:
        return reported(name)[["method", "variant", "dataset", "metric", "value"]].assign(why="the only solution")

    monkeypatch.setattr(cells_module, "checked", checked)
    monkeypatch.setattr(computed_numbers, "derived", derived)
    computed_numbers._derived.cache_clear()
    yield
    computed_numbers._derived.cache_clear()


def nothing(name: str) -> str:
    return f"{name} was not measured"


# The set


def test_the_set_holds_every_published_entry_and_says_how_it_is_measured() -> None:
    entries = paper_set.paper_set()
    assert list(entries) == list(published())
    assert len(entries) == 32
    by_way = {how: {name for name, entry in entries.items() if entry.how == how} for how in ("counted", "computed")}
    assert by_way["counted"] == {f"{paper}.table1" for paper in ("htnet", "capsulenet", "da_crossvit", "mfem_mffm")}
    assert by_way["computed"] == {name for name, entry in published().items() if entry.kind in ("text", "derived")}
    trained = {name for name, entry in entries.items() if entry.how == "trained"}
    assert trained <= set(experiments())
    assert all(entry.needs for entry in entries.values())


@lru_cache
def empty() -> PaperResults:
    return collect(None, "smoke", toy(), PredictionStore(Path(mkdtemp(prefix="empty-"))))


def test_of_an_empty_store_every_cell_has_a_number_or_a_reason() -> None:
    results = empty()
    assert list(results.entries)[:32] == list(published())
    assert set(results.entries) == set(published()) | set(experiments())
    assert results.rules == RULES
    for result in results.papers():
        cells = result.cells
        assert tuple(cells.columns) == CELL_COLUMNS
        assert tuple(result.claims.columns) == CLAIM_COLUMNS
        assert len(cells) == len(reported(result.id))
        assert (cells["measured"].notna() == (cells["reason"] == "")).all()
        assert cells["measured"].notna().any() == (result.reason == "")
        assert cells["verdict"].isin(VERDICTS).all()
        assert not cells.loc[cells["reason"] != "", "verdict"].isin([AGREES, DIFFERS]).any()
    assert results.entries["htnet.table4"].reason == "not computed yet: `mer run htnet.table4` does it"
    claims = results.entries["htnet.table4"].claims
    assert len(claims) == 5
    assert set(claims["because"]) == {results.entries["htnet.table4"].reason}
    assert set(results.entries["htnet.table4"].failures) == set(experiment("htnet.table4").variants)


def test_what_the_number_checker_says_stands_in_the_cells() -> None:
    cells = empty().entries["htnet.table4"].cells
    assert set(cells["possible"]) == {"possible"}
    assert set(cells["possible_why"]) == {"seen in htnet.table4"}
    assert cells["published"].tolist() == reported("htnet.table4")["value"].tolist()


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"did you mean 'htnet.table4'"):
        collect(["htnet.table44"], "smoke", toy(), PredictionStore(tmp_path))


# Trained


@lru_cache
def cheap_store() -> tuple[PredictionStore, Any]:
    """Two rows of HTNet's table 5 with the class prior as method, on toy maps that claim to be the composite."""
    plain = {"all": {"model": {"name": "dummy"}, "features": {"recipe": "flow_map"}}}
    entry = experiment("htnet.table5")
    variants = {
        label: changes.model_copy(update={"all": plain["all"], "smoke": {}})
        for label, changes in entry.variants.items()
        if label in ("(2,2,2)", "(2,2,8)")
    }
    smoke = entry.profile("smoke").model_copy(update={"changes": {"split": {"kind": "kfold", "folds": 3}}})
    cheap = entry.model_copy(update={"variants": variants, "profiles": {**entry.profiles, "smoke": smoke}})
    store = PredictionStore(Path(mkdtemp(prefix="cheap-")))
    run_experiment(cheap, "smoke", fabricated(), store)
    return store, cheap


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> PredictionStore:
    store, entry = cheap_store()
    known = {**experiments(), "htnet.table5": entry}
    monkeypatch.setattr(paper_set, "experiments", lambda: known)
    return store


def collected(store: PredictionStore, data: FlowMapDataset, jobs: int = 1) -> Any:
    return collect(["htnet.table5"], "smoke", data, store, jobs=jobs).entries["htnet.table5"]


def test_cells_hold_the_measured_score_of_the_same_part(cheap: PredictionStore) -> None:
    result = collected(cheap, fabricated())
    cells = result.cells.set_index(["variant", "dataset", "metric"])
    for subset in ("full", "smic", "casme2", "samm"):
        row = cells.loc[("(2,2,8)", subset, "uf1")]
        assert row["measured"] == result.measurement.value("(2,2,8)", "uf1", subset)
        assert row["low"] <= row["measured"] <= row["high"]
        assert row["kind"] == "real"
        assert row["verdict"] == UNTESTABLE
        assert row["because"] == "not at the published size (profile smoke)"
        assert row["n"] == ((fabricated().samples["dataset"] == subset).sum() if subset != "full" else 48)
    estimate = cells.loc[("(2,2,8)", "", "torchsummary_total_mb")]
    assert np.isnan(estimate["measured"])
    assert "estimate of memory" in estimate["reason"]
    assert cells.loc[("(2,2,8)", "", "train_time_s"), "measured"] > 0
    assert len(result.claims) == 5
    claims = result.claims.set_index("claim")
    twice = claims.loc["(2,2,8) is better than (2,2,2)"]  # the same predictor under both names
    assert twice["kind"] == "real"
    assert twice["measured_difference"] == 0
    assert twice["verdict"] == UNTESTABLE
    assert twice["because"] == "scores of profile smoke mean nothing"
    lacking = claims.loc["(2,2,8) is better than (2,2,4)"]
    assert np.isnan(lacking["measured_difference"])
    assert lacking["because"] == "(2,2,4) is not among the experiment's variants"


def test_parts_that_drawn_maps_do_not_have_stay_empty(cheap: PredictionStore) -> None:
    cheap_data = toy()
    _, entry = cheap_store()
    run_experiment(entry, "smoke", cheap_data, cheap)
    cells = collected(cheap, cheap_data).cells.set_index(["variant", "dataset", "metric"])
    assert cells.loc[("(2,2,8)", "full", "uf1"), "kind"] == "toy"
    part = cells.loc[("(2,2,8)", "smic", "uf1")]
    assert np.isnan(part["measured"])
    assert "not the published SMIC-HS" in part["reason"]
    assert set(cells["verdict"]) == {UNTESTABLE}


def test_experiments_are_measured_side_by_side_to_the_same_numbers(cheap: PredictionStore) -> None:
    alone = collected(cheap, fabricated())
    for file in (cheap.root / "measured").glob("*"):
        file.unlink()
    with joblib.parallel_config(backend="threading"):
        together = collected(cheap, fabricated(), jobs=2)
    assert list((cheap.root / "measured").glob("*.pickle"))
    pd.testing.assert_frame_equal(together.cells, alone.cells)


def test_at_the_published_size_a_score_is_judged_by_its_interval(cheap: PredictionStore) -> None:
    store, entry = cheap_store()
    found = measure(entry, "smoke", fabricated(), store)
    loso = {
        label: variant.model_copy(update={"split": variant.split.model_copy(update={"kind": "loso", "folds": None})})
        for label, variant in found.variants.items()
    }
    full_size = replace(found, profile="paper", variants=loso)
    row = trained_cells(paper_set.paper_set()["htnet.table5"], full_size).set_index(["variant", "dataset", "metric"])
    cell = row.loc[("(2,2,8)", "full", "uf1")]  # a class prior beside a published 0.8603, one seed
    assert cell["verdict"] == "not distinguishable from noise"
    assert "lies above the measured interval" in cell["because"]


def test_a_part_of_a_joint_training_is_no_training_on_that_part_alone() -> None:
    parts = pd.concat([seeds(9, 10, dataset=name) for name in ("casme2", "samm", "smic")], ignore_index=True)
    found = measurement("real", dict.fromkeys(experiment("da_crossvit.table3").variants, parts))
    settings = experiment("da_crossvit.table3").settings("paper")
    found = replace(found, profile="paper", variants=settings, experiment=experiment("da_crossvit.table3"))
    cells = trained_cells(paper_set.paper_set()["da_crossvit.table3"], found)
    assert cells["measured"].notna().any()
    told = cells.loc[cells["measured"].notna(), "because"]
    assert set(told) == {"published from a training on this data set alone, here a part of a training on all"}


def test_a_score_of_a_class_that_was_not_told_apart_is_missing_for_that_reason() -> None:
    found = measurement("synthetic", dict.fromkeys(experiment("mfem_mffm.fig6").variants, seeds(9, 10)))
    cells = trained_cells(paper_set.paper_set()["mfem_mffm.fig6"], found).set_index(["dataset", "metric"])
    told = "the recall of anger is not among the scores of these classes"
    assert cells.loc[("samm", "recall_anger"), "because"] == told


# Counted


def test_tables_of_data_are_counted_in_real_data_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MER_DATA_ROOT", raising=False)  # else the real data there are counted
    cells = counted_cells("capsulenet.table1", real_collection(fabricated())).set_index(["dataset", "metric"])
    samples = fabricated().samples
    for part in ("smic", "casme2", "samm"):
        rows = samples[samples["dataset"] == part]
        assert cells.loc[(part, "total"), "measured"] == len(rows)
        assert cells.loc[(part, "n_surprise"), "measured"] == (rows["label3"] == "surprise").sum()
    assert cells.loc[("full", "total"), "measured"] == len(samples)
    assert set(cells["verdict"]) == {DIFFERS}
    none = counted_cells("capsulenet.table1", real_collection(toy()))
    assert none["measured"].isna().all()
    assert set(none["reason"]) == {"the paper counted real data, and none are here"}


def test_the_published_composite_has_the_published_counts(real_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MER_DATA_ROOT", str(real_root))
    for name in ("capsulenet.table1", "da_crossvit.table1"):
        cells = counted_cells(name, real_collection(toy()))
        assert set(cells["verdict"]) == {AGREES}
        assert cells["measured"].tolist() == cells["published"].tolist()


# Computed


def cells_of(name: str) -> pd.DataFrame:
    return computed_cells(name, nothing, None).set_index(["variant", "dataset", "metric"])


def test_parameters_are_counted_in_networks_that_are_never_allocated() -> None:
    cells = cells_of("htnet.derived.params")
    assert cells["measured"].tolist() == cells["published"].tolist()
    assert set(cells["verdict"]) == {AGREES}
    assert set(cells["kind"]) == {"computed"}
    yolo = cells_of("mishin_yolo.text").loc[("", "casme3a", "parameters")]
    assert yolo["verdict"] == DIFFERS
    assert 5e6 < yolo["measured"] < 6e6


def test_settings_of_the_texts_are_those_of_profile_paper() -> None:
    for name in ("htnet.text", "capsulenet.text", "da_crossvit.text", "mishin_yolo.text"):
        cells = cells_of(name)
        settings = cells[cells["because"].str.contains("setting of profile paper")]
        assert len(settings) >= 2
        assert set(settings["verdict"]) == {AGREES}
    assert cells_of("capsulenet.text").loc[("", "", "routing_iterations"), "measured"] == 3


def test_scores_of_the_log_are_those_of_its_matrices() -> None:
    cells = cells_of("capsulenet.derived.log")
    for dataset, matrix in log_matrices().items():
        truth, guess = (np.repeat(axis.ravel(), matrix.ravel()) for axis in np.indices(matrix.shape))
        uf1 = f1_score(truth, guess, average="macro")
        assert cells.loc[("", dataset, "uf1"), "measured"] == pytest.approx(uf1)
        assert cells.loc[("", dataset, "uar"), "measured"] == pytest.approx(recall_score(truth, guess, average="macro"))
        assert cells.loc[("", dataset, "uf1"), "verdict"] == AGREES
    sums = cells[cells["because"] == "the sum of the three data sets"]
    assert len(sums) == 9
    assert set(sums["verdict"]) == {AGREES}


def test_predictors_that_never_look_have_scikit_learns_area() -> None:
    counts = (20, 7, 3)
    truth = np.eye(3)[np.repeat([0, 1, 2], counts)]
    shares = np.tile(np.array(counts) / sum(counts), (len(truth), 1))
    expected = roc_auc_score(truth.ravel(), shares.ravel())
    assert trivial_auc("class priors as constant scores", counts) == pytest.approx(expected)
    one = np.tile([1.0, 0, 0], (len(truth), 1))
    one_hot = trivial_auc("always the majority class (one-hot)", counts)
    assert one_hot == pytest.approx(roc_auc_score(truth.ravel(), one.ravel()))
    assert set(cells_of("mishin_yolo.derived.trivial")["verdict"]) == {AGREES}


def test_what_the_number_checker_derives_fills_its_entries() -> None:
    for name in ("htnet.derived.confusion", "mfem_mffm.derived.counts"):
        cells = cells_of(name)
        assert cells["measured"].tolist() == cells["published"].tolist()
        assert set(cells["because"]) == {"the only solution"}


def measured_rows(**rows: pd.DataFrame) -> Measurement:
    """A measurement on synthetic clips."""
    return measurement("synthetic", rows)


def test_gains_of_a_text_are_differences_of_measured_rows_in_points() -> None:
    rows = {"MFEM+MFFM": seeds(9, 10, dataset="syn"), "LBP-TOP": seeds(6, 6, dataset="syn")}
    tables = {"mfem_mffm.table2": measured_rows(**rows)}
    cells = computed_cells("mfem_mffm.text", lambda name: tables.get(name, nothing(name)), None)
    gain = cells.set_index("metric").loc["acc_gain_over_lbp_top"]
    assert gain["measured"] == pytest.approx(100 * (9.5 - 6) / 12)
    assert gain["low"] < gain["measured"] < gain["high"]
    assert gain["kind"] == "synthetic"
    assert gain["verdict"] == UNTESTABLE
    assert gain["because"].startswith("gain over LBP-TOP; ")
    lacking = cells.set_index("metric").loc["acc_gain_over_am3f"]
    assert lacking["reason"].iloc[0] == "AM3F-FlowNet: not among the methods of this laboratory"
    claims = text_claims("mfem_mffm.text", cells, lambda name: tables.get(name, nothing(name)))
    assert tuple(claims.columns) == CLAIM_COLUMNS
    first = claims[claims["claim"] == "MFEM+MFFM is better than LBP-TOP"]
    assert first["published_difference"].tolist() == pytest.approx([0.38499, 0.431])
    assert first["measured_difference"].iloc[0] == pytest.approx((9.5 - 6) / 12)


def test_a_gain_over_several_is_one_over_the_best_of_them() -> None:
    rows = {"CapsuleNet": 9, "VGG11": 4, "ResNet18": 6}
    table = measured_rows(**{label: seeds(n, n, dataset="syn") for label, n in rows.items()})
    cells = computed_cells("capsulenet.text", lambda _: table, None).set_index("metric")
    gain = cells.loc["gain_over_cnn_points"]
    assert gain["because"].startswith("gain over ResNet18; ")
    claims = text_claims("capsulenet.text", cells.reset_index(), lambda _: table)
    assert claims["claim"].tolist()[0] == "CapsuleNet is better than the best of 2 others (here ResNet18)"
    assert claims["measured_difference"].iloc[0] == pytest.approx(gain["measured"] / 100)
    predicted = [seeds(n, n, dataset="syn").query("seed == 0") for n in (9, 6)]
    columns = [name for name in predicted[0] if name.startswith("p_")]
    best, other = (f1_score(f["y_true"], f[columns].to_numpy().argmax(1), average="macro") for f in predicted)
    assert gain["measured"] == pytest.approx(100 * (best - other))


def test_rows_of_different_data_have_no_gain() -> None:
    there = measured_rows(**{"Bi-WOOF": seeds(4, 4, dataset="syn")})
    shorter = replace(toy(), samples=toy().samples.iloc[:-3], pixels=toy().pixels[:-3])
    tables = {"htnet.table2": measured_rows(HTNet=seeds(9, 9, dataset="syn")),
              "lab.handcrafted": replace(there, dataset=shorter)}  # fmt: skip
    cells = computed_cells("htnet.text", lambda name: tables.get(name, nothing(name)), None).set_index("metric")
    assert "measured on different data" in cells.loc["gain_over_bi_woof_min_points", "reason"]
    assert cells.loc["uf1_gain_over_bi_woof_to", "measured"] == pytest.approx(9 / 12)


def test_the_best_setting_of_a_figure_is_the_one_with_the_highest_score() -> None:
    figure = measured_rows(**{"56": seeds(4, 5), "256": seeds(6, 6), "392": seeds(8, 9)})
    figure = replace(figure, experiment=experiment("htnet.fig5"))
    cells = computed_cells("htnet.text", lambda name: figure if name == "htnet.fig5" else nothing(name), None)
    best = cells.set_index("metric").loc["best_hidden_size"]
    assert best["measured"] == 392
    assert best["published"] == 256
    assert best["verdict"] == UNTESTABLE


def test_texts_name_the_experiments_that_they_need() -> None:
    assert rows_needed("htnet.text") == {"htnet.table2", "lab.handcrafted", "htnet.fig5", "htnet.fig6"}
    assert rows_needed("mfem_mffm.text") == {"mfem_mffm.table2", "mfem_mffm.table3"}
    for name in published():
        assert rows_needed(name) <= set(experiments())


def test_published_cells_hold_the_published_numbers() -> None:
    cells = published_cells("mfem_mffm.table1")
    assert tuple(cells.columns) == CELL_COLUMNS
    assert cells["published"].tolist() == reported("mfem_mffm.table1")["value"].tolist()
    assert cells["measured"].isna().all()


# Noise floor


def test_the_noise_floor_is_the_spread_over_seeds_beside_what_is_claimed() -> None:
    figure = measured_rows(**{"56": seeds(4, 6), "256": seeds(6, 6), "392": seeds(8, 9)})
    setting = experiment("htnet.fig5").settings("paper")
    figure = replace(
        figure, experiment=experiment("htnet.fig5"), variants={k: setting[k] for k in ("56", "256", "392")}
    )
    claims = pd.DataFrame({"metric": "uf1", "published_difference": [0.045, 0.007, 0.5]})
    result = replace(empty().entries["htnet.fig5"], measurement=figure, claims=claims)
    table = noise_floor(PaperResults("paper", {"htnet.fig5": result}, ()))
    assert tuple(table.columns) == COLUMNS
    (row,) = table.to_dict("records")
    values = np.array([[4, 6], [6, 6], [8, 9]]) / 12
    spread = np.sqrt((values.std(axis=1, ddof=1) ** 2).mean())
    assert row["sd"] == pytest.approx(spread)
    assert row["noise"] == pytest.approx(2 * spread)  # two seeds: sqrt(2 / 2)
    assert row["noise_single"] == pytest.approx(2 * spread * np.sqrt(2))
    assert row["claims_below"] == 2
    assert table["claims_below"].dtype == "Int64"  # a count in the tables beside the page, too
    assert row["largest_measured"] == pytest.approx(values.mean(axis=1).max() - values.mean(axis=1).min())
    assert row["variants"] == 3


def test_one_seed_leaves_the_noise_floor_unknown() -> None:
    figure = replace(
        measured_rows(**{"56": seeds(4), "256": seeds(6)}), experiment=experiment("htnet.fig5"), seeds=(0,)
    )
    setting = experiment("htnet.fig5").settings("paper")
    figure = replace(figure, variants={label: setting[label] for label in ("56", "256")})
    result = replace(empty().entries["htnet.fig5"], measurement=figure)
    (row,) = noise_floor(PaperResults("paper", {"htnet.fig5": result}, ())).to_dict("records")
    assert np.isnan([row["sd"], row["noise"], row["noise_single"]]).all()
    assert pd.isna(row["claims_below"])


def test_where_nothing_was_trained_there_is_no_noise_floor() -> None:
    assert noise_floor(empty()).empty
