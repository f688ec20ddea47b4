"""From stored predictions to the numbers of a report, checked against scikit-learn; nothing is trained here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, f1_score, recall_score, roc_auc_score

from mer_lib.datasets import CLASSES, FlowMapDataset
from mer_lib.errors import ParameterError
from mer_lib.evaluation import folds
from mer_lib.evaluation.metrics import score
from mer_lib.evaluation.store import PredictionStore
from mer_lib.evaluation.trivial import TRIVIAL
from mer_lib.papers import kept
from mer_lib.papers import measure as measure_module
from mer_lib.papers.experiments import Experiment, experiment
from mer_lib.papers.measure import Measurement, NothingMeasured, jobs_of, measure, run_experiment
from mer_lib.papers.measurement import metrics_of
from tests.helpers import N_SUBJECTS, toy
from tests.made_measurements import fabricated

pytestmark = pytest.mark.filterwarnings("ignore::mer_lib.evaluation.crossval.FoldWarning")
COMPARISON = "lab.first_comparison"
SEEDS = (0, 1)
PROTOCOLS = ("fixed", "nested", "published")
SUBSETS = ("full", "toya", "toyb", "toyc")


@lru_cache
def stored() -> PredictionStore:
    """A store with the smoke run of the first comparison, two seeds."""
    store = PredictionStore(Path(mkdtemp(prefix="measure-")))
    run_experiment(experiment(COMPARISON), "smoke", toy(), store, seeds=SEEDS)
    return store


@lru_cache
def measured() -> Measurement:
    return measure(experiment(COMPARISON), "smoke", toy(), stored(), seeds=SEEDS)


@pytest.fixture(scope="module", autouse=True)
def _remove_store() -> Iterator[None]:
    yield
    shutil.rmtree(stored().root)


def raw(label: str, seed: int) -> pd.DataFrame:
    """All stored rows of one variant and seed, read without any code of the library."""
    job = next(job for job in jobs_of(experiment(COMPARISON), "smoke", toy(), SEEDS)[label] if job.seed == seed)
    files = sorted((stored().root / job.address).glob(f"seed{seed}-*.parquet"))
    rows = pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)
    rows["y_pred"] = rows[["p_negative", "p_positive", "p_surprise"]].to_numpy().argmax(1)
    return rows


def chosen(label: str, seed: int, protocol: str) -> pd.DataFrame:
    """The rows that `protocol` leaves, chosen by a plain loop."""
    parts = []
    for _, fold in raw(label, seed).groupby("fold"):
        test, inner = fold[fold["role"] == "test"], fold[fold["role"] == "inner"]
        epochs = sorted(test["epoch"].unique())
        best = epochs[-1]
        if protocol != "fixed" and len(epochs) > 1:
            judge = test if protocol == "published" else inner
            scores = {}
            for epoch in epochs:
                part = judge[judge["epoch"] == epoch]
                if protocol == "published":
                    scores[epoch] = float((part["y_true"] == part["y_pred"]).mean())
                else:
                    present = sorted(part["y_true"].unique())
                    f1 = f1_score(part["y_true"], part["y_pred"], labels=present, average="macro", zero_division=0)
                    scores[epoch] = round(float(f1), 12)
            best = max(epoch for epoch in epochs if scores[epoch] == max(scores.values()))
        parts.append(test[test["epoch"] == best])
    return pd.concat(parts)


def subset_of(rows: pd.DataFrame, subset: str) -> pd.DataFrame:
    return rows if subset == "full" else rows[rows["sample_id"].str.startswith(subset + "/")]


VARIANTS = list(experiment(COMPARISON).variants)


@pytest.mark.parametrize("label", VARIANTS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_scores_are_scikit_learns_on_the_stored_rows_averaged_over_seeds(label: str, protocol: str) -> None:
    for subset in SUBSETS:
        frames = [subset_of(chosen(label, seed, protocol), subset) for seed in SEEDS]
        uf1 = [f1_score(f["y_true"], f["y_pred"], average="macro") for f in frames]
        uar = [recall_score(f["y_true"], f["y_pred"], average="macro") for f in frames]
        assert measured().value(label, "uf1", subset, protocol) == pytest.approx(np.mean(uf1))
        assert measured().value(label, "uar", subset, protocol) == pytest.approx(np.mean(uar))
        recalls = np.mean([recall_score(f["y_true"], f["y_pred"], average=None) for f in frames], axis=0)
        for name, recall in zip(CLASSES, recalls, strict=True):
            assert measured().value(label, f"recall_{name}", subset, protocol) == pytest.approx(recall)
        expected = sum(confusion_matrix(f["y_true"], f["y_pred"], labels=[0, 1, 2]) for f in frames)
        np.testing.assert_array_equal(measured().confusion[label, subset, protocol], expected)


@pytest.mark.parametrize("label", VARIANTS)
def test_spread_is_the_sample_deviation_over_seeds(label: str) -> None:
    frames = [chosen(label, seed, "fixed") for seed in SEEDS]
    uf1 = [f1_score(f["y_true"], f["y_pred"], average="macro") for f in frames]
    row = measured().scores.query("variant == @label and subset == 'full' and protocol == 'fixed' and metric == 'uf1'")
    assert row["sd"].item() == pytest.approx(np.std(uf1, ddof=1))
    assert row["seeds"].item() == 2
    assert row["n"].item() == 48


def test_every_cell_is_there_once() -> None:
    keys = ["variant", "subset", "protocol", "metric"]
    scores = measured().scores
    assert not scores.duplicated(keys).any()
    assert len(scores) == len(VARIANTS) * len(SUBSETS) * len(PROTOCOLS) * len(metrics_of(CLASSES))
    assert scores["variant"].unique().tolist() == VARIANTS
    assert scores["value"].between(0, 1).all()


def test_intervals_hold_their_score_and_stand_where_they_are_promised() -> None:
    scores = measured().scores
    several = ["uf1", "uar", "accuracy", "auc_micro", "auc_macro"]
    promised = (scores["subset"] == "full") & scores["metric"].isin(several)
    assert scores.loc[~promised, ["low", "high"]].isna().all().all()
    assert (scores.loc[promised, "low"] <= scores.loc[promised, "high"]).all()
    assert scores.loc[promised, ["low", "high"]].notna().all().all()


def test_the_difference_to_the_class_prior_stands_with_its_interval() -> None:
    scores = measured().scores
    expected = (scores["subset"] == "full") & (scores["protocol"] == "fixed") & (scores["variant"] != "class prior")
    expected &= scores["metric"].isin(["uf1", "uar", "accuracy", "auc_micro", "auc_macro"])
    assert scores["over_prior"].notna().tolist() == expected.tolist()
    truth = toy().labels()
    shares = np.tile(np.bincount(truth) / len(truth), (len(truth), 1))
    bars = {metric: measured().value("class prior", metric) for metric in ("uf1", "uar", "accuracy")}
    bars |= {"auc_macro": 0.5, "auc_micro": roc_auc_score(np.eye(3)[truth].ravel(), shares.ravel())}
    for row in scores[expected].itertuples():
        gap = row.value - bars[row.metric]
        assert row.over_prior == pytest.approx(gap)
        assert row.over_prior_low <= row.over_prior_high


def test_trivial_predictors_stand_beside_every_variant() -> None:
    table = measured().trivial.set_index(["variant", "predictor"])
    for label in VARIANTS:
        own = chosen(label, SEEDS[0], "fixed")
        uf1 = f1_score(own["y_true"], own["y_pred"], average="macro")
        assert table.loc[(label, "these predictions"), "uf1"] == pytest.approx(uf1)
    assert len(table) == (1 + len(TRIVIAL)) * len(VARIANTS)
    assert table["uf1"].xs("class priors", level="predictor").nunique() == 1  # the same folds, the same priors


def test_predictions_of_all_seeds_are_at_hand() -> None:
    frame = measured().predictions["STSTNet", "fixed"]
    assert sorted(frame["seed"].unique()) == list(SEEDS)
    pooled = score(frame[frame["seed"] == 0])
    own = chosen("STSTNet", 0, "fixed")
    assert pooled.uf1 == pytest.approx(f1_score(own["y_true"], own["y_pred"], average="macro"))


def test_gaps_are_differences_of_the_scores() -> None:
    gaps = measured().gaps.set_index("variant")
    for label in VARIANTS:
        fixed, nested, published = (measured().value(label, "uf1", "full", protocol) for protocol in PROTOCOLS)
        assert gaps.loc[label, ["fixed", "nested", "published"]].tolist() == pytest.approx([fixed, nested, published])
        assert gaps.loc[label, "published_minus_fixed"] == pytest.approx(published - fixed)
        assert gaps.loc[label, "published_minus_nested"] == pytest.approx(published - nested)


def test_methods_of_one_epoch_have_no_gap() -> None:
    gaps = measured().gaps.set_index("variant")
    for label in ("class prior", "linear SVM"):
        assert gaps.loc[label, "published_minus_fixed"] == 0
        assert gaps.loc[label, "published_minus_nested"] == 0


def test_means_over_folds_are_another_number_named_so() -> None:
    means = measured().fold_means.set_index(["variant", "protocol"])
    for label in VARIANTS:
        per_seed = []
        for seed in SEEDS:
            folds = chosen(label, seed, "fixed").groupby("fold")
            per_seed.append(np.mean([(fold["y_true"] == fold["y_pred"]).mean() for _, fold in folds]))
        got = means.loc[(label, "fixed"), "accuracy_mean_over_folds"]
        assert got == pytest.approx(np.mean(per_seed))


def test_curves_are_pooled_test_scores_of_every_epoch() -> None:
    curves = measured().curves
    rows = raw("STSTNet", 1).query("role == 'test'")
    got = curves.query("variant == 'STSTNet' and seed == 1").sort_values("epoch")
    expected = [f1_score(part["y_true"], part["y_pred"], average="macro") for _, part in rows.groupby("epoch")]
    np.testing.assert_allclose(got["uf1"], expected)
    assert got[["train_loss", "train_accuracy"]].notna().all().all()
    assert len(got) == rows["epoch"].max()


def test_every_job_is_audited_and_passes() -> None:
    audits = measured().audits
    assert set(audits) == {(label, seed) for label in VARIANTS for seed in SEEDS}
    assert all(entry.passed for entry in audits.values())


def test_tests_compare_every_pair_of_variants() -> None:
    tests = measured().tests
    assert len(tests) == len(VARIANTS) * (len(VARIANTS) - 1) / 2
    assert (tests["p_holm"] >= tests["p_value"]).all()
    assert tests["n_subjects"].unique().tolist() == [N_SUBJECTS]
    row = tests[tests["method_a"] == "STSTNet"].iloc[0]
    assert row["score_a"] == pytest.approx(measured().value("STSTNet", "uf1"))


def test_events_tell_of_every_fold_once() -> None:
    events = measured().events
    n_folds = len(jobs_of(experiment(COMPARISON), "smoke", toy(), SEEDS)["STSTNet"][0].splits)
    assert len(events) == len(VARIANTS) * len(SEEDS) * n_folds
    assert not events.duplicated(["variant", "seed", "fold"]).any()


def test_toy_numbers_never_stand_beside_published_ones() -> None:
    for name in (COMPARISON, "htnet.table4"):
        result = measured() if name == COMPARISON else relabelled(experiment(name), toy())
        assert result.scores["reported"].isna().all()
        assert set(result.scores["reported_text"]) == {""}


def test_the_caption_says_toy_profile_and_seeds() -> None:
    assert measured().caption == "toy flow maps (generated, not faces) · profile smoke · seeds 0, 1"


def test_measuring_trains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("something was computed")

    stored()
    monkeypatch.setattr(folds, "make_estimator", fail)
    again = measure(experiment(COMPARISON), "smoke", toy(), stored(), seeds=SEEDS)
    pd.testing.assert_frame_equal(again.scores, measured().scores)


# What is incomplete, and what was measured before


@pytest.fixture
def copied(tmp_path: Path) -> PredictionStore:
    """A copy of the store, to be damaged."""
    measured()
    return PredictionStore(shutil.copytree(stored().root, tmp_path / "copied"))


def path_of(store: PredictionStore, label: str, seed: int = 0, fold: int = 1) -> Path:
    job = jobs_of(experiment(COMPARISON), "smoke", toy(), SEEDS)[label][seed]
    return store.path(job.address, fold, seed)


def again(store: PredictionStore) -> Measurement:
    return measure(experiment(COMPARISON), "smoke", toy(), store, seeds=SEEDS)


def test_complete_variants_are_measured_and_the_others_named(copied: PredictionStore) -> None:
    path_of(copied, "STSTNet").unlink()
    failing = path_of(copied, "linear SVM")
    failing.unlink()
    copied.fail(failing.parent.name, 1, 0, "Traceback\nValueError: too deep")
    damaged = path_of(copied, "HTNet", seed=1)
    damaged.write_bytes(damaged.read_bytes()[:-20])
    partial = again(copied)
    rest = [label for label in VARIANTS if label not in ("linear SVM", "STSTNet", "HTNet")]
    assert list(partial.variants) == rest
    assert set(partial.scores["variant"]) == set(rest)
    assert {label for label, _ in partial.predictions} == set(rest)
    assert partial.failed["STSTNet"] == "not computed: 1 of 6 folds are missing"
    assert "damaged" in partial.failed["HTNet"]
    assert partial.failed["linear SVM"] == "Traceback\nValueError: too deep"
    whole = measured().scores
    same = whole[whole["variant"].isin(rest)].drop(columns=["over_prior_low", "over_prior_high"])
    pd.testing.assert_frame_equal(
        partial.scores.drop(columns=["over_prior_low", "over_prior_high"]), same.reset_index(drop=True)
    )


def test_a_measurement_is_computed_once(copied: PredictionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    first = again(copied)

    def fail(*_: object) -> None:
        raise AssertionError("measured anew")

    monkeypatch.setattr(measure_module, "MeasuredVariant", fail)
    second = again(copied)
    for name in ("scores", "tests", "curves", "gaps", "events", "trivial", "subject_means", "fold_means"):
        pd.testing.assert_frame_equal(getattr(second, name), getattr(first, name))
    assert second.audits == first.audits
    with pytest.raises(AssertionError, match="measured anew"):
        measure(experiment(COMPARISON), "smoke", toy(), copied, seeds=[0])


@pytest.mark.parametrize("change", ["nothing", "fold", "file", "code", "samples", "seed"])
def test_whatever_decides_a_measurement_makes_it_anew(
    copied: PredictionStore, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    calls: list[str] = []

    def look(data: FlowMapDataset, seeds: tuple[int, ...] = SEEDS) -> dict[str, str]:
        def compute() -> dict[str, str]:
            calls.append(change)
            return {"answer": "42"}

        return kept.kept("here", jobs_of(experiment(COMPARISON), "smoke", data, seeds), copied, compute)

    assert look(toy()) == look(toy()) == {"answer": "42"}
    assert len(calls) == 1
    data, seeds = toy(), SEEDS
    if change == "fold":
        path = path_of(copied, "HTNet")
        os.utime(path, ns=(0, 0))
    elif change == "file":
        file = copied.root / kept.FOLDER / "here.pickle"
        file.write_bytes(file.read_bytes()[:-1] + b"x")
    elif change == "code":
        monkeypatch.setattr(kept, "scoring_version", lambda: "another")
    elif change == "samples":
        data = replace(toy(), samples=toy().samples.assign(gender="female"))
    elif change == "seed":
        seeds = (0,)
    assert look(data, seeds) == {"answer": "42"}
    assert len(calls) == (1 if change == "nothing" else 2)


def test_a_store_that_cannot_be_written_is_measured_all_the_same(
    copied: PredictionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(kept.atomic, "write_bytes", refuse)
    groups = jobs_of(experiment(COMPARISON), "smoke", toy(), SEEDS)
    assert kept.kept("there", groups, copied, lambda: {"answer": 42}) == {"answer": 42}
    assert not kept.is_kept("there", groups, copied)


def test_one_seed_has_no_spread() -> None:
    one = measure(experiment(COMPARISON), "smoke", toy(), stored(), seeds=[1])
    assert one.scores["sd"].isna().all()
    assert one.seeds == (1,)


def test_the_profiles_seeds_are_the_default() -> None:
    groups = jobs_of(experiment(COMPARISON), "paper", toy())
    assert {tuple(job.seed for job in jobs) for jobs in groups.values()} == {(0, 1, 2)}
    assert [job.seed for job in jobs_of(experiment(COMPARISON), "paper", toy(), [7])["STSTNet"]] == [7]


def test_what_was_not_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(NothingMeasured, match="class prior: not computed: 3 of 3 folds are missing") as caught:
        measure(experiment(COMPARISON), "smoke", toy(), PredictionStore(tmp_path))
    assert list(caught.value.failed) == VARIANTS


def test_an_unknown_profile_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="profile: expected one of"):
        run_experiment(experiment(COMPARISON), "smok", toy(), PredictionStore(tmp_path))
    assert list(tmp_path.iterdir()) == []


# Beside published numbers, on data that claim to be real


def relabelled(entry: Experiment, dataset: FlowMapDataset) -> Measurement:
    """Measure `entry` with predictions of the dummy under every label: only the labels matter here."""
    plain = {"all": {"model": {"name": "dummy"}, "features": {"recipe": "flow_map"}}}
    variants = {
        label: changes.model_copy(update={"all": plain["all"], "smoke": {}})
        for label, changes in entry.variants.items()
    }
    smoke = entry.profile("smoke")
    sizes = {"split": {"kind": "kfold", "folds": 3}}
    profiles = {**entry.profiles, "smoke": smoke.model_copy(update={"changes": sizes})}
    cheap = entry.model_copy(update={"variants": variants, "profiles": profiles})
    store = PredictionStore(stored().root / "cheap")
    run_experiment(cheap, "smoke", dataset, store)
    return measure(cheap, "smoke", dataset, store)


def test_real_numbers_stand_beside_the_published_ones_of_the_same_cell() -> None:
    scores = relabelled(experiment("htnet.table5"), fabricated()).scores
    cells = scores.set_index(["variant", "subset", "protocol", "metric"])
    for protocol in PROTOCOLS:
        assert cells.loc[("(2,2,8)", "full", protocol, "uf1"), "reported"] == 0.8603
        assert cells.loc[("(2,2,12)", "samm", protocol, "uf1"), "reported"] == 0.8682
        assert cells.loc[("(2,2,2)", "smic", protocol, "uar"), "reported"] == 0.7363
        assert cells.loc[("(2,2,10)", "casme2", protocol, "uf1"), "reported"] == 0.9492
    compared = scores["metric"].isin(["uf1", "uar"])
    assert scores.loc[compared, "reported"].notna().all()
    assert scores.loc[~compared, "reported"].isna().all()


@pytest.mark.parametrize("kind", ["toy", "synthetic"])
def test_no_published_number_stands_beside_data_that_are_not_real(kind: str) -> None:
    scores = relabelled(experiment("htnet.table5"), replace(fabricated(), kind=kind)).scores
    assert scores["reported"].isna().all()
    assert (scores[["reported_text", "reported_note"]] == "").all(axis=None)


def test_misprints_come_with_what_is_known_against_them() -> None:
    cells = relabelled(experiment("htnet.table5"), fabricated()).scores.set_index(
        ["variant", "subset", "protocol", "metric"]
    )
    suspect = cells.loc[("(2,2,4)", "full", "fixed", "uf1")]
    assert suspect["reported_text"] == "0.7297 (suspect, suggested 0.8297)"
    assert "0.8297" in suspect["reported_note"]


def test_recalls_of_the_figure_stand_beside_the_base_configuration() -> None:
    result = relabelled(experiment("htnet.fig7"), fabricated())
    cells = result.scores.set_index(["variant", "subset", "protocol", "metric"])["reported"]
    assert cells["base", "full", "fixed", "recall_negative"] == 0.94
    assert cells["base", "smic", "fixed", "recall_positive"] == 0.76
    assert result.tests.empty


def test_an_experiment_of_the_laboratory_has_nothing_to_stand_beside() -> None:
    scores = relabelled(experiment(COMPARISON), fabricated()).scores
    assert scores["reported"].isna().all()
