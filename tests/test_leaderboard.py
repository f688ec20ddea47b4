"""Leaderboards: who enters, what is tested, which ranks stay open, and what the figure shows."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from mer_lib.datasets import FlowMapDataset
from mer_lib.evaluation.metrics import score
from mer_lib.evaluation.statistics import permutation_test
from mer_lib.evaluation.trivial import dealt_at_random
from mer_lib.papers import entrants, leaderboard
from mer_lib.papers.experiments import experiment, experiments
from mer_lib.papers.leaderboard import Leaderboard, alike, in_words, leaderboards
from mer_lib.plots.leaderboard import leaderboard as drawn_board
from tests.helpers import N_SUBJECTS, toy
from tests.made_up import measurement, results

RIGHT = {"class prior": 0.0, "linear SVM": 0.95, "STSTNet": 0.5, "DA-CrossViT": 0.05}


@lru_cache
def board() -> Leaderboard:
    (only,) = leaderboards(results(measurement("da_crossvit.table2", RIGHT, seeds=(0, 1))))
    return only


def many_people(n_subjects: int) -> FlowMapDataset:
    """Toy samples, dealt out among more people."""
    samples = toy().samples.copy()
    samples["subject"] = [f"{number % n_subjects:02d}" for number in range(len(samples))]
    samples["sample_id"] = samples["dataset"] + "/" + samples["subject"] + "/" + samples["clip"]
    return replace(toy(), name="many", samples=samples)


@lru_cache
def board_of_many() -> Leaderboard:
    (only,) = leaderboards(results(measurement("da_crossvit.table2", RIGHT, dataset=many_people(20))))
    return only


# Who enters


def test_a_system_enters_once_however_many_experiments_hold_it():
    measured = [
        measurement("lab.first_comparison", {"class prior": 0.0, "STSTNet": 0.5, "HTNet": 0.9}),
        measurement("htnet.table2", {"class prior": 0.0, "STSTNet": 0.6, "RCN": 0.4, "HTNet": 0.3}),
        measurement("htnet.fig7", {"base": 0.3}),
        measurement("htnet.fig5", {"56": 0.99, "256": 0.3}),
    ]
    (only,) = leaderboards(results(*measured))
    methods = only.rows[~only.rows["trivial"]].set_index("method")
    assert sorted(methods.index) == ["HTNet", "RCN", "STSTNet"]
    assert methods.loc["HTNet", "experiment"] == "htnet.table2"  # its own paper's, though it scores lower there
    assert methods.loc["STSTNet", "experiment"] == "lab.first_comparison"  # the first; higher in the other
    assert set(zip(only.others["method"], only.others["experiment"], strict=True)) == {
        ("HTNet", "lab.first_comparison"),
        ("STSTNet", "htnet.table2"),
    }
    assert only.rows["trivial"].sum() == 2


def test_the_paper_s_system_of_an_ablation_enters_and_its_changes_do_not():
    (only,) = leaderboards(results(measurement("htnet.fig5", {"56": 0.9, "256": 0.5})))
    assert only.rows["method"][~only.rows["trivial"]].tolist() == ["HTNet"]
    assert only.rows.set_index("method").loc["HTNet", "variant"] == "256"
    assert (only.tests["family"] == "trivial").all()
    assert "1 of 1" in in_words(only) or "0 of 1" in in_words(only)


def test_who_compares_methods():
    found = [name for name, entry in experiments().items() if entrants.compares_methods(entry, "quick")]
    assert {"htnet.table2", "da_crossvit.table2", "capsulenet.table2", "mfem_mffm.table2", "lab.handcrafted"} <= set(
        found
    )
    for ablation in ("htnet.table4", "da_crossvit.table4", "capsulenet.controls", "mishin_yolo.inputs", "lab.peeking"):
        assert ablation not in found
    own = experiment("htnet.table2").model_copy(update={"of": "htnet.table2"})
    assert not entrants.compares_methods(own, "quick")


def test_own_systems_are_the_five_of_the_papers():
    found = {
        (name.split(".")[0], label)
        for name, entry in experiments().items()
        for label in entry.variants
        if entrants.is_own_system(entry, label)
    }
    assert {paper for paper, _ in found} == {"htnet", "capsulenet", "da_crossvit", "mfem_mffm", "mishin_yolo"}
    assert ("htnet", "class prior") not in found


def test_one_name_on_two_inputs_are_two_methods_that_say_so():
    frames = measurement("capsulenet.networks", {"AlexNet": 0.5, "CapsuleNet": 0.4})
    maps = measurement("htnet.table2", {"AlexNet": 0.6, "HTNet": 0.4})
    (only,) = leaderboards(results(frames, maps))
    assert {"AlexNet on apex face", "AlexNet on flow map", "CapsuleNet", "HTNet"} <= set(only.rows["method"])


def test_data_sets_splits_and_samples_are_never_mixed():
    real = replace(toy(), name="other", kind="real")
    measured = [
        measurement("da_crossvit.table2", RIGHT),
        measurement("htnet.table2", {"HTNet": 0.5, "RCN": 0.5}, dataset=real),
        measurement("htnet.table2", {"HTNet": 0.5, "RCN": 0.5}, profile="quick"),
    ]
    names = iter(["a", "b", "c"])
    entries = {next(names): entry for one in measured for entry in results(one).entries.values()}
    boards = leaderboards(replace(results(*measured), entries=entries))
    assert [(one.dataset.name, one.profile) for one in boards] == [
        ("toy_flow", "smoke"), ("other", "smoke"), ("toy_flow", "quick"),
    ]  # fmt: skip
    assert "5 folds of whole subjects" in boards[2].caption
    assert "toy" in boards[0].caption


# What is tested


def test_rows_hold_what_was_measured_the_highest_first():
    measured = measurement("da_crossvit.table2", RIGHT, seeds=(0, 1))
    (only,) = leaderboards(results(measured))
    assert only.rows["value"].is_monotonic_decreasing
    row = only.rows.set_index("method").loc["STSTNet"]
    assert row["value"] == measured.value("STSTNet")
    assert (row["seeds"], row["n"], row["subjects"]) == (2, 48, N_SUBJECTS)
    dealt = only.rows.set_index("method").loc[leaderboard.DEALT]
    assert dealt["value"] == pytest.approx(1 / 3, abs=0.06)
    assert only.rows[only.rows["trivial"]][["rank", "rank_best", "p_over_trivial"]].isna().all(axis=None)


def naive_holm(values: np.ndarray) -> np.ndarray:
    adjusted, order = np.empty(len(values)), np.argsort(values, kind="stable")
    highest = 0.0
    for done, place in enumerate(order):
        highest = max(highest, min(1.0, (len(values) - done) * values[place]))
        adjusted[place] = highest
    return adjusted


def test_families_are_corrected_apart_and_use_all_seeds():
    measured = measurement("da_crossvit.table2", RIGHT, seeds=(0, 1, 2))
    (only,) = leaderboards(results(measured))
    frames = {label: measured.predictions[label, "fixed"] for label in RIGHT if label != "class prior"}
    trivial = {
        entrants.PRIOR: measured.predictions["class prior", "fixed"],
        leaderboard.DEALT: dealt_at_random(frames["STSTNet"]),
    }
    expected = {
        "pairs": {frozenset(pair) for pair in combinations(frames, 2)},
        "trivial": {frozenset((a, b)) for b in trivial for a in frames},
    }
    everybody = frames | trivial
    for family, tests in only.tests.groupby("family"):
        pairs = list(zip(tests["method_a"], tests["method_b"], strict=True))
        assert {frozenset(pair) for pair in pairs} == expected[family]
        assert len(pairs) == len(expected[family])
        raw = np.array([permutation_test(everybody[a], everybody[b]).p_value for a, b in pairs])
        np.testing.assert_allclose(tests["p_value"], raw)
        np.testing.assert_allclose(tests["p_holm"], naive_holm(raw))


def test_ranks_stay_open_as_far_as_the_tests_leave_them():
    only = board()
    told = only.tests[(only.tests["family"] == "pairs") & (only.tests["p_holm"] < 0.05)]
    assert len(told)  # else nothing is seen here
    rows = only.rows[~only.rows["trivial"]].set_index("method")
    assert rows["rank"].tolist() == [1, 2, 3]
    for name, row in rows.iterrows():
        beaten_by = ((told["method_b"] == name) & (told["difference"] > 0)).sum()
        beaten_by += ((told["method_a"] == name) & (told["difference"] < 0)).sum()
        beats = ((told["method_a"] == name) & (told["difference"] > 0)).sum()
        beats += ((told["method_b"] == name) & (told["difference"] < 0)).sum()
        assert (row["rank_best"], row["rank_worst"]) == (1 + beaten_by, len(rows) - beats)


def test_a_method_below_a_trivial_predictor_is_not_told_above_it():
    rows = board_of_many().rows.set_index("method")
    assert rows.loc["linear SVM", "p_over_trivial"] < 0.05
    assert rows.loc["DA-CrossViT", "value"] < rows.loc[leaderboard.DEALT, "value"]
    assert rows.loc["DA-CrossViT", "p_over_trivial"] == 1.0


def test_too_few_people_for_so_many_pairs_are_said():
    only = board()
    people, pairs = N_SUBJECTS, 3
    assert only.finest == pytest.approx(pairs * 2 / 2**people)
    assert "nothing could have been told apart" not in in_words(only)
    networks = dict.fromkeys(["AlexNet", "STSTNet", "RCN", "OFF-ApexNet", "FeatRef", "HTNet"], 0.6)
    (large,) = leaderboards(results(measurement("htnet.table2", networks)))
    assert large.finest == pytest.approx(15 * 2 / 2**people)
    assert (large.tests["p_holm"][large.tests["family"] == "pairs"] >= large.finest - 1e-12).all()
    assert "nothing could have been told apart" in in_words(large)
    assert large.groups == (tuple(large.rows["method"][~large.rows["trivial"]]),)


def test_with_many_people_exchanges_are_drawn_fine_enough():
    only = board_of_many()
    assert only.rows["subjects"].iloc[0] > 12
    assert not only.tests["exact"].any()
    assert only.finest < leaderboard.LEVEL / 5


# Groups


def brute_force(names: list[str], told: set[frozenset[str]]) -> set[frozenset[str]]:
    """Every set without a pair that is told apart, those inside another left out."""
    sets = [
        frozenset(some)
        for size in range(2, len(names) + 1)
        for some in combinations(names, size)
        if not any(frozenset(pair) in told for pair in combinations(some, 2))
    ]
    return {one for one in sets if not any(one < other for other in sets)}


@pytest.mark.parametrize("seed", range(8))
def test_groups_are_the_largest_sets_without_a_pair_told_apart(seed):
    generator, names = np.random.default_rng(seed), list("abcdefgh")
    pairs = [frozenset(pair) for pair in combinations(names, 2)]
    told = {pair for pair in pairs if generator.random() < seed / 8}
    found = alike(names, told)
    assert {frozenset(group) for group in found} == brute_force(names, told)
    assert len(set(found)) == len(found)
    assert list(found) == sorted(found)  # names are in the order of the board


def test_thirty_methods_that_cannot_be_told_apart_are_one_group_at_once():
    names = [str(number) for number in range(30)]
    assert alike(names, set()) == (tuple(names),)


# Dealing at random


def test_dealing_keeps_the_classes_and_loses_what_belongs_to_whom():
    frame = measurement("htnet.fig7", {"base": 1.0}).predictions["base", "fixed"]
    dealt = dealt_at_random(frame, draws=60)
    values = [score(rows) for _, rows in dealt.groupby("seed")]
    truth = np.bincount(frame["y_true"], minlength=3)
    assert all((one.confusion.sum(axis=0) == truth).all() for one in values)
    # Dealt without replacement, the chance to be right is the share of one's class.
    shares = truth / truth.sum()
    assert np.mean([one.accuracy for one in values]) == pytest.approx((shares**2).sum(), abs=0.02)
    pd.testing.assert_frame_equal(dealt, dealt_at_random(frame.sample(frac=1, random_state=1), draws=60))


# The figure


def test_the_figure_names_everybody_and_draws_every_group():
    only = board()
    figure = drawn_board(only)
    scores, bars = figure.axes
    assert [text.get_text() for text in scores.get_yticklabels()] == only.rows["method"].tolist()
    thick = [line for line in bars.lines if line.get_linewidth() == 3]
    assert len(thick) == len(only.groups) > 0
    for line, group in zip(thick, only.groups, strict=True):
        rows = [only.rows["method"].tolist().index(name) for name in group]
        assert list(line.get_ydata()) == [min(rows), max(rows)]
    assert "TOY DATA" in figure.get_supxlabel()
    assert scores.get_title(loc="left").startswith("Which methods can be told apart?")
