"""Verdicts follow from their rules: on numbers with a known answer, and on predictions made to have one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mer_lib.datasets import CLASSES
from mer_lib.evaluation.intervals import difference_interval, resample_subjects
from mer_lib.evaluation.pooling import pooled
from mer_lib.manifest import Kind
from mer_lib.papers.experiments import Experiment, experiment
from mer_lib.papers.parts import label_of, may_stand_in, place_of
from mer_lib.papers.published_claims import PublishedClaim, table_claims
from mer_lib.papers.tested import Row, compare, judged_claims
from mer_lib.papers.verdicts import (
    AGREES,
    CONTRADICTED,
    DIFFERS,
    NOISE,
    RULES,
    SUPPORTED,
    UNTESTABLE,
    VERDICTS,
    Difference,
    claim_verdict,
    noise_floor,
    rounding,
    score_verdict,
    value_verdict,
)
from tests.made_measurements import frame, measurement, seeds

nan = float("nan")


# The rules on numbers


@pytest.mark.parametrize(
    ("value", "p", "noise", "expected"),
    [
        (0.10, 0.01, 0.05, SUPPORTED),
        (-0.10, 0.01, 0.05, CONTRADICTED),
        (0.10, 0.06, 0.05, NOISE),  # p too large
        (0.04, 0.01, 0.05, NOISE),  # below the noise floor
        (-0.04, 0.01, 0.05, NOISE),
        (0.10, 0.01, nan, NOISE),  # one seed
        (0.10, nan, 0.05, NOISE),  # one subject
    ],
)
def test_a_claim_needs_its_sign_a_small_p_and_a_difference_above_the_noise(
    value: float, p: float, noise: float, expected: str
) -> None:
    measured = Difference(value, value - 0.02, value + 0.02, p, noise)
    found = claim_verdict(measured, "")
    assert found.verdict == expected
    assert f"{value:+.3f}" in found.because
    assert claim_verdict(measured, "drawn clips") == (UNTESTABLE, "drawn clips")
    assert claim_verdict(None, "not measured") == (UNTESTABLE, "not measured")


@pytest.mark.parametrize(
    ("published", "at_least", "expected"),
    [
        (0.60, False, SUPPORTED),
        (0.70, False, SUPPORTED),  # on the edge
        (0.71, False, NOISE),
        (0.80, False, CONTRADICTED),
        (0.40, False, CONTRADICTED),
        (0.40, True, SUPPORTED),  # a lower bound that was kept
        (0.80, True, CONTRADICTED),
    ],
)
def test_a_score_is_judged_by_the_interval_of_the_measured_one(published: float, at_least: bool, expected: str) -> None:
    assert score_verdict(published, 0.5, 0.7, 0.03, at_least=at_least).verdict == expected


def test_reading_errors_count_for_a_score_and_one_seed_contradicts_nothing() -> None:
    assert score_verdict(0.702, 0.5, 0.7, 0.0, tolerance=0.002).verdict == SUPPORTED
    assert score_verdict(0.702, 0.5, 0.7, 0.0).verdict == CONTRADICTED
    assert score_verdict(0.95, 0.5, 0.7, nan).verdict == NOISE


@pytest.mark.parametrize(
    ("published", "measured", "expected"),
    [
        (133, 133, AGREES),
        (133, 132, DIFFERS),
        (0.6996, 0.69957, AGREES),
        (0.6996, 0.69966, DIFFERS),
        (True, True, AGREES),
        (True, False, DIFFERS),
        (True, 1, AGREES),
        ("640x480", "640x480", AGREES),
        ("640x480", 640, DIFFERS),
    ],
)
def test_numbers_that_are_no_scores_are_compared_as_printed(published: Any, measured: Any, expected: str) -> None:
    assert value_verdict(published, measured, 0.00005).verdict == expected


def test_printed_digits_are_those_of_the_longest_number_of_a_column() -> None:
    assert rounding([0.6, 0.57]) == pytest.approx(0.005)
    assert rounding([5e-05, 10]) == 0.0
    assert rounding([149.57, 342.2]) == pytest.approx(0.005)
    assert rounding([True, "640x480"]) == 0.0


def test_the_noise_floor_is_two_standard_errors_of_a_difference_of_means() -> None:
    generator = np.random.default_rng(0)
    drawn = generator.normal(0, 0.03, (200_000, 3)).mean(axis=1) - generator.normal(0, 0.05, (200_000, 5)).mean(axis=1)
    assert noise_floor(0.03, 3, 0.05, 5) == pytest.approx(2 * drawn.std(), rel=0.01)
    assert np.isnan(noise_floor(0.03, 3, nan, 1))


def test_the_printed_rules_name_every_verdict() -> None:
    text = " ".join(RULES)
    assert all(word in text for word in VERDICTS)
    assert "2000 resamples" in text
    assert "twice its standard error" in text


# The statistics below them


def test_a_recall_is_pooled_over_subjects() -> None:
    predictions = frame({"negative": 9, "positive": 6, "surprise": 3})
    for name, right in (("negative", 9), ("positive", 6), ("surprise", 3)):
        found = pooled(predictions, f"recall_{name}")
        assert found.point == pytest.approx(right / 12)
        counts = np.zeros((1, 12))
        counts[0, :right] = 1
        assert found.of(counts)[0] == pytest.approx(1.0)
    with pytest.raises(Exception, match="recall of one of negative, positive, surprise, got 'recall_fear'"):
        pooled(predictions, "recall_fear")


def test_the_p_value_of_a_difference_counts_resamples_beyond_zero() -> None:
    a, b = frame(dict.fromkeys(CLASSES, 9)), frame(dict.fromkeys(CLASSES, 6))
    interval = difference_interval(a, b, metric="accuracy", n=500)
    right_a, right_b = np.arange(12) < 9, np.arange(12) < 6
    drawn = resample_subjects([f"toya/{i:02}" for i in range(12)], 500)
    gains = right_a[drawn].mean(axis=1) - right_b[drawn].mean(axis=1)
    assert interval.point == pytest.approx(0.25)
    assert interval.p_zero == pytest.approx(2 * ((gains <= 1e-12).sum() + 1) / 501)
    assert difference_interval(a, a, metric="accuracy", n=50).p_zero == 1.0
    other_way = difference_interval(b, a, metric="accuracy", n=500)
    assert other_way.p_zero == pytest.approx(interval.p_zero)


# Claims of tables


def test_the_best_row_is_claimed_to_beat_every_other() -> None:
    claims = table_claims("htnet.fig5", "variant")
    assert {claim.better for claim in claims} == {"256"}
    assert {claim.worse: round(claim.difference, 3) for claim in claims} == {
        "56": 0.045, "112": 0.029, "196": 0.013, "392": 0.007, "512": 0.017,
    }  # fmt: skip
    assert {claim.dataset for claim in claims} == {"full"}


def test_a_module_is_claimed_to_help() -> None:
    pairs = {(claim.better, claim.worse): claim.difference for claim in table_claims("mfem_mffm.table3", "method")}
    assert pairs["base+MFEM", "base"] == pytest.approx(0.043)
    assert pairs["base+MFFM", "base"] == pytest.approx(0.032)
    assert ("base+MFEM", "base+MFFM") not in pairs
    switched = {(claim.better, claim.worse) for claim in table_claims("mishin_yolo.table1", "variant")}
    assert ("subjects=men, discretisation=on", "subjects=men, discretisation=off") in switched


def test_a_suspect_score_counts_as_the_evidence_has_it() -> None:
    claims = {claim.worse: claim.difference for claim in table_claims("htnet.table5", "variant")}
    assert claims["(2,2,4)"] == pytest.approx(0.8603 - 0.8297)


def test_a_paper_claims_what_it_prints_not_what_others_suggest() -> None:
    claims = {(claim.better, claim.worse): claim for claim in table_claims("da_crossvit.table2", "method")}
    assert {better for better, _ in claims} == {"DA-CrossViT"}  # STSTNet's own paper has 0.7353, above its 0.7275
    assert claims["DA-CrossViT", "STSTNet"].difference == pytest.approx(0.7275 - 0.7209)


def test_tables_without_a_composite_are_claimed_about_on_each_of_their_data_sets() -> None:
    claims = table_claims("da_crossvit.table3", "variant")
    assert {claim.dataset for claim in claims} == {"casme2", "smic", "samm"}
    assert len(claims) == 12


# Claims put to the test


CLAIM = PublishedClaim("good", "bad", "acc", "casme2", 0.1)


def verdict_of(kind: Kind, good: pd.DataFrame, bad: pd.DataFrame, stand_in: bool = True) -> pd.Series:
    measured = measurement(kind, {"good": good, "bad": bad})
    return judged_claims("some.table", [CLAIM], lambda name: Row(measured, name), stand_in).iloc[0]


def test_a_clear_difference_on_real_data_supports_the_claim_and_its_reverse_contradicts_it() -> None:
    clear = verdict_of("real", seeds(11, 11, 12), seeds(2, 2, 3))
    assert clear["verdict"] == SUPPORTED
    assert clear["measured_difference"] == pytest.approx(9 / 12)
    assert clear["noise"] == pytest.approx(2 * np.sqrt(2 * (1 / 12) ** 2 / 3 / 3))
    assert clear["low"] > 0
    assert verdict_of("real", seeds(2, 2, 3), seeds(11, 11, 12))["verdict"] == CONTRADICTED


def test_a_difference_within_the_spread_of_seeds_is_noise_however_small_its_p() -> None:
    row = verdict_of("real", seeds(12, 12, 0), seeds(4, 4, 4))
    assert row["p"] < 0.05
    assert row["measured_difference"] < row["noise"]
    assert row["verdict"] == NOISE
    assert verdict_of("real", seeds(12), seeds(2))["verdict"] == NOISE  # one seed
    assert "want of a second seed" in verdict_of("real", seeds(12), seeds(2))["because"]


def test_synthetic_clips_decide_nothing_and_show_their_difference_all_the_same() -> None:
    row = verdict_of("synthetic", seeds(11, 11, 12), seeds(2, 2, 3))
    assert row["verdict"] == UNTESTABLE
    assert row["kind"] == "synthetic"
    assert row["measured_difference"] == pytest.approx(9 / 12)
    alone = verdict_of("synthetic", seeds(11, 11, 12), seeds(2, 2, 3), stand_in=False)
    assert alone["verdict"] == UNTESTABLE
    assert np.isnan(alone["measured_difference"])


def test_p_values_are_corrected_for_the_claims_that_were_measured() -> None:
    measured = measurement("real", {"a": seeds(12, 11), "b": seeds(7, 8), "c": seeds(2, 3)})
    claims = [PublishedClaim("a", worse, "acc", "casme2", 0.1) for worse in ("b", "c", "gone")]
    table = judged_claims("t", claims, lambda name: "gone" if name == "gone" else Row(measured, name), True)
    alone = [difference_interval(seeds(12, 11), each, metric="accuracy").p_zero for each in (seeds(7, 8), seeds(2, 3))]
    smaller, larger = sorted(alone)
    assert sorted(table["p"].dropna()) == pytest.approx([min(1, 2 * smaller), max(larger, min(1, 2 * smaller))])
    assert table["verdict"].iloc[2] == UNTESTABLE
    assert table["because"].iloc[2] == "gone"


def test_rows_on_other_data_or_other_clips_are_not_compared() -> None:
    here = measurement("real", {"good": seeds(9, 9)})
    there = replace(
        here, dataset=replace(here.dataset, samples=here.dataset.samples.iloc[:-3], pixels=here.dataset.pixels[:-3])
    )
    why = compare(Row(here, "good"), Row(there, "good"), "acc", "casme2", True)
    assert why.interval is None
    assert "different data" in why.why
    men, women = seeds(9, 9), seeds(9, 9)
    women["sample_id"] = women["sample_id"].str.replace("casme2/", "casme2/w")
    apart = compare(Row(measurement("real", {"men": men}), "men"),
                    Row(measurement("real", {"women": women}), "women"), "acc", "casme2", True)  # fmt: skip
    assert apart.interval is None
    assert "none of them in common" in apart.why


# Where a published number is read


def test_a_published_part_is_read_on_that_part_of_real_data_alone() -> None:
    parts = pd.concat([seeds(9, 9, dataset=name) for name in ("casme2", "samm", "smic")])
    whole = measurement("real", {"a": parts})
    assert place_of(whole, "full", True) == ("full", "")
    assert place_of(whole, "samm", True) == ("samm", "")
    assert place_of(whole, "casme3a", False).subset is None
    assert "not the published CAS(ME)³ part A" in place_of(whole, "casme3a", True).other
    one = measurement("real", {"a": seeds(9, 9)})
    other = f"{one.dataset.label}: not the published CASME II + SAMM + SMIC-HS"
    assert place_of(one, "full", True) == ("full", other)
    assert place_of(one, "unheard_of", True).other.endswith("not the published unheard_of")
    assert may_stand_in("mfem_mffm.table2")
    assert not may_stand_in("htnet.table4")


def test_a_published_row_finds_its_variant() -> None:
    def found(name: str, method: str, variant: str) -> str | None:
        chosen: Experiment = experiment(name)
        return label_of(chosen, method, variant)

    assert found("htnet.table2", "STSTNet", "") == "STSTNet"
    assert found("htnet.table2", "EMR", "") is None
    assert found("htnet.table4", "HTNet", "9x9") == "9x9"
    assert found("htnet.fig7", "HTNet", "") == "base"
