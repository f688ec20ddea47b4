"""The optimism gap of every method, the ladder of hindsight, and skill found in noise."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from sklearn.metrics import f1_score

from mer_lib.errors import ParameterError
from mer_lib.evaluation import peeking
from mer_lib.evaluation.crossval import choose_folds, read_folds
from mer_lib.evaluation.metrics import score
from mer_lib.evaluation.statistics import difference_interval
from mer_lib.evaluation.store import PredictionStore
from mer_lib.papers import optimism as gaps_of
from mer_lib.papers.epoch_choice import CHOICES, NO_CODE, epoch_choices
from mer_lib.papers.experiments import experiment
from mer_lib.papers.measure import jobs_of, measure, run_experiment
from mer_lib.papers.reported import papers
from mer_lib.plots import optimism as figures
from tests.helpers import toy
from tests.made_up import measurement, results

SEEDS = (0, 1)


@lru_cache
def trained() -> tuple[PredictionStore, pd.DataFrame]:
    """A store with the smoke run of lab.peeking, and the gaps that are read from it."""
    store, entry = PredictionStore(Path(mkdtemp(prefix="peeking-"))), experiment("lab.peeking")
    run_experiment(entry, "smoke", toy(), store, seeds=SEEDS, device="cpu")
    return store, gaps_of.optimism(results(measure(entry, "smoke", toy(), store, seeds=SEEDS)))


@pytest.fixture(scope="module", autouse=True)
def _remove_store() -> Iterator[None]:
    yield
    if trained.cache_info().currsize:
        shutil.rmtree(trained()[0].root)


def stored(label: str) -> tuple[list, pd.DataFrame]:
    """The folds of one variant, one list a seed, and all their rows."""
    jobs = jobs_of(experiment("lab.peeking"), "smoke", toy(), SEEDS)[label]
    folds = [read_folds(job, trained()[0]) for job in jobs]
    return folds, pd.concat([fold.predictions for seed in folds for fold in seed], ignore_index=True)


# The gap of every method


def test_gaps_are_differences_between_protocols_with_paired_intervals():
    table = trained()[1].set_index("variant")
    for label in ("true labels", "shuffled labels"):
        folds, _ = stored(label)
        chosen = {
            name: pd.concat([choose_folds(seed, name) for seed in folds]) for name in ("fixed", "nested", "published")
        }
        for name, frame in chosen.items():
            assert table.loc[label, name] == pytest.approx(
                np.mean([score(rows).uf1 for _, rows in frame.groupby("seed")])
            )
        for column, other in (("gap", "fixed"), ("gap_nested", "nested")):
            interval = difference_interval(chosen["published"], chosen[other])
            found = table.loc[label, [column, f"{column}_low", f"{column}_high"]].tolist()
            assert found == pytest.approx([interval.point, interval.low, interval.high])
    assert table["shuffled"].to_dict() == {"true labels": False, "shuffled labels": True}
    assert (table["epochs"] == experiment("lab.peeking").variant("true labels", "smoke").training.epochs).all()
    assert table["seeds"].tolist() == [2, 2]


def test_variants_shared_by_experiments_stand_once_and_say_where():
    shares = (0.4, 0.5, 0.9)
    measured = [
        measurement("htnet.table2", {"class prior": 0.0, "HTNet": shares, "RCN": (0.5, 0.5, 0.5)}),
        measurement("htnet.fig7", {"base": shares}),
    ]
    table = gaps_of.optimism(results(*measured))
    assert table["variant"].tolist() == ["HTNet", "RCN"]  # the largest gap first; a class prior has no epochs
    assert table["experiments"].tolist() == ["htnet.table2, htnet.fig7", "htnet.table2"]
    assert table["gap"][0] == pytest.approx(table["published"][0] - table["fixed"][0])
    assert table["gap_low"][0] > 0


def test_data_sets_stay_apart():
    real = replace(toy(), name="other", kind="real", title="other data")
    shares = {"base": (0.4, 0.5, 0.9)}
    table = gaps_of.optimism(
        replace(
            results(measurement("htnet.fig7", shares)),
            entries={
                "one": results(measurement("htnet.fig7", shares)).entries["htnet.fig7"],
                "two": results(measurement("htnet.fig7", shares, dataset=real)).entries["htnet.fig7"],
            },
        )
    )
    assert table["dataset"].tolist() == ["toy_flow", "other"]
    overview = gaps_of.summary(table)
    assert overview["kind"].tolist() == ["toy", "real"]
    assert overview["variants"].tolist() == [1, 1]
    with pytest.raises(ParameterError, match="gaps of one data set"):
        figures.gaps(table)


def test_the_summary_counts_what_stands_in_the_table():
    shares = {"HTNet": (0.3, 0.5, 0.9), "RCN": (0.9, 0.5, 0.3), "STSTNet": (0.2, 0.5, 0.8)}
    table = gaps_of.optimism(results(measurement("htnet.table2", shares)))
    (row,) = gaps_of.summary(table).to_dict("records")
    assert (row["variants"], row["positive"]) == (3, 2)
    assert row["certain"] == (table["gap_low"] > 0).sum()
    assert row["mean"] == pytest.approx(table["gap"].mean())
    assert row["largest"] == table["gap"].max()
    words = gaps_of.in_words(table)
    assert "2 of 3 variants" in words
    assert f"{row['mean']:+.3f} on average over all of them, and {row['largest']:+.3f} at most" in words


def test_a_gap_that_rounds_to_zero_has_no_sign():
    columns = {"data": "d", "kind": "real", "shuffled": False, "gap_low": -0.1, "gap_nested": 0.0}
    words = gaps_of.in_words(pd.DataFrame([{"gap": -0.0001, **columns}, {"gap": -0.0003, **columns}]))
    assert "0 of 2 variants" in words
    assert "The gap is 0.000 on average over all of them, and 0.000 at most" in words


def test_nothing_measured_is_an_empty_table():
    empty = gaps_of.optimism(replace(results(measurement("htnet.fig7", {"base": 0.5})), entries={}))
    assert empty.empty
    assert tuple(empty.columns) == gaps_of.COLUMNS
    assert gaps_of.in_words(empty) == ""


# The ladder


def naive_ladder(rows: pd.DataFrame) -> dict[str, float]:
    """Every choice by plain loops over stored rows."""
    tests = rows[rows["role"] == "test"].copy()
    tests["guess"] = tests[["p_negative", "p_positive", "p_surprise"]].to_numpy().argmax(axis=1)
    tests["person"] = tests["sample_id"].str.rsplit("/", n=1).str[0]
    epochs, last = sorted(tests["epoch"].unique()), tests["epoch"].max()

    def uf1(part: pd.DataFrame) -> float:
        return f1_score(part["y_true"], part["guess"], average="macro", labels=sorted(part["y_true"].unique()))

    def best(part: pd.DataFrame) -> pd.DataFrame:
        runs = [part[(part["seed"] == s) & (part["epoch"] == e)] for s, e in product(sorted(set(part["seed"])), epochs)]
        right = [(run["y_true"] == run["guess"]).sum() for run in runs if len(run)]
        runs = [run for run in runs if len(run)]
        return runs[max(i for i, count in enumerate(right) if count == max(right))]

    def by(column: str, part: pd.DataFrame) -> float:
        return uf1(pd.concat([best(group) for _, group in part.groupby(column)]))

    seeds = [part for _, part in tests.groupby("seed")]
    final = [uf1(part[part["epoch"] == last]) for part in seeds]
    folds = [[uf1(f) for _, f in part[part["epoch"] == last].groupby("fold")] for part in seeds]
    return {
        "last epoch": np.mean(final),
        "best seed": max(final),
        "one epoch for all": np.mean([max(uf1(part[part["epoch"] == e]) for e in epochs) for part in seeds]),
        "one epoch a fold": np.mean([by("fold", part) for part in seeds]),
        "one epoch a person": np.mean([by("person", part) for part in seeds]),
        "one epoch and seed a person": by("person", tests),
        "the best fold alone": np.mean([max(fold) for fold in folds]),
    }


def test_the_ladder_is_that_of_plain_loops():
    _, rows = stored("shuffled labels")
    table = peeking.ladder(peeking.runs_of(rows.sample(frac=1, random_state=0)))
    expected = naive_ladder(rows)
    assert table["step"].tolist() == list(expected) == list(peeking.STEPS)
    np.testing.assert_allclose(table["uf1"], list(expected.values()))


def test_two_steps_are_the_protocols():
    steps = peeking.ladder(peeking.runs_of(stored("true labels")[1])).set_index("step")["uf1"]
    gaps = trained()[1].set_index("variant").loc["true labels"]
    assert steps["last epoch"] == pytest.approx(gaps["fixed"])
    assert steps["one epoch a fold"] == pytest.approx(gaps["published"])


def test_runs_of_different_folds_are_refused():
    rows = stored("true labels")[1]
    with pytest.raises(ParameterError, match="expected 48 test samples in each of 4 epochs of 2 seeds"):
        peeking.runs_of(rows[~((rows["seed"] == 1) & (rows["fold"] == 0))])


# Noise


@pytest.mark.parametrize(("samples", "epochs", "chance"), [(1, 3, 0.5), (4, 10, 1 / 3), (16, 5, 0.2)])
def test_the_best_of_many_guesses_is_what_all_outcomes_say(samples, epochs, chance):
    """The distribution of the largest of E independent binomials, term by term."""
    outcomes = np.arange(samples + 1)
    below = binom.cdf(outcomes, samples, chance) ** epochs
    mean = (outcomes * np.diff(below, prepend=0)).sum() / samples
    assert peeking.expected_best(samples, epochs, chance) == pytest.approx(mean)
    assert peeking.expected_best(samples, 1, chance) == pytest.approx(chance)


def test_noise_reaches_what_is_expected_of_it():
    counts, size, epochs = [200, 200, 200], 4, 10
    shares = []
    for number in range(20):
        runs = peeking.noise(counts, size, epochs, seed=number)
        kept = peeking.chosen(runs, runs.guesses[0], runs.folds)
        shares.append((kept == runs.truth).mean())
    assert np.mean(shares) == pytest.approx(peeking.expected_best(size, epochs, 1 / 3), abs=0.01)


def test_noise_has_no_skill_before_anybody_chooses_and_much_after():
    found = peeking.hindsight_on_noise([250, 109, 83], (1, 64), (1, 30), draws=10).set_index(
        ["samples_a_fold", "epochs"]
    )
    assert found["fixed"].to_numpy() == pytest.approx(1 / 3, abs=0.02)
    assert found.loc[(1, 1), "uf1"] == pytest.approx(1 / 3, abs=0.02)
    assert found.loc[(1, 30), "uf1"] > 0.98
    assert found.loc[(64, 30), "uf1"] == pytest.approx(0.44, abs=0.04)
    assert (found["low"] <= found["uf1"]).all()
    assert (found["uf1"] <= found["high"]).all()


def test_guesses_that_stay_leave_less_to_choose_from():
    scores = []
    for stay in (0.0, 0.9, 1.0):
        runs = peeking.noise([100, 100], 2, 40, stay=stay)
        scores.append(runs.score(peeking.chosen(runs, runs.guesses[0], runs.folds)))
    assert scores[0] > scores[1] > scores[2]
    assert scores[2] == pytest.approx(0.5, abs=0.1)
    kept = peeking.noise([100, 100], 2, 40, stay=0.9).guesses[0]
    assert (kept[1:] == kept[:-1]).mean() == pytest.approx(0.9 + 0.1 / 2, abs=0.01)


def test_noise_names_all_that_is_out_of_range():
    with pytest.raises(ParameterError) as error:
        peeking.noise([0, 5], 0, 0, stay=2)
    for part in (
        "counts: expected 2 classes",
        "samples_a_fold: expected 1",
        "epochs: expected 1",
        "stay: expected 0 to 1",
    ):
        assert part in str(error.value)


# What the papers do


def test_every_paper_has_its_row_and_those_without_code_say_so():
    assert list(CHOICES) == list(papers())
    without = {name for name, choice in CHOICES.items() if choice.code == NO_CODE}
    assert without == {name for name, paper in papers().items() if paper.code is None}
    assert len(epoch_choices()) == 5


# Figures


def test_the_figure_of_gaps_draws_every_row_and_marks_what_is_not_real():
    table = gaps_of.optimism(
        results(
            measurement("htnet.table2", {"HTNet": (0.3, 0.5, 0.9), "RCN": (0.5, 0.5, 0.5), "STSTNet": (0.2, 0.3, 0.4)})
        )
    )
    left = figures.gaps(table).axes[0]
    assert [text.get_text() for text in left.get_yticklabels()] == [f"{v} (htnet.table2)" for v in table["variant"]]
    few = figures.gaps(table, largest=2)
    assert "the 2 largest of 3 gaps" in few.get_supxlabel()
    assert "TOY DATA" in few.get_supxlabel()


def test_the_figures_of_hindsight_are_drawn_from_their_tables():
    table = peeking.ladder(peeking.noise([20, 20, 20], 4, 6, seeds=2))
    ax = figures.hindsight_ladder({"noise": table}, 1 / 3, "made up", "toy").axes[0]
    assert [text.get_text() for text in ax.get_yticklabels()] == list(peeking.STEPS)
    np.testing.assert_allclose(ax.lines[-1].get_xdata(), table["uf1"])
    curves = figures.noise_curves(peeking.hindsight_on_noise([20, 20], (1, 4), (1, 3), draws=2), [20, 20])
    assert "simulation without any data" in curves.get_supxlabel()
    assert figures.one_noise([20, 20], 4, 10).axes[1].patches[1].get_height() > 0.5
