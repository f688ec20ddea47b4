"""Sentences about a measurement say what its numbers say."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import pytest

from mer_lib.papers.measure import Measurement
from mer_lib.report import findings
from tests.helpers import some, take


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measurement:
    root: Path = tmp_path_factory.mktemp("store")
    return take(some("lab.first_comparison", "class prior", "linear SVM", "STSTNet"), root)


def with_p(measured: Measurement, p: float) -> Measurement:
    return dataclasses.replace(measured, tests=measured.tests.assign(p_holm=p))


def with_uf1(measured: Measurement, values: dict[str, float]) -> Measurement:
    scores = measured.scores.copy()
    cells = (scores["subset"] == "full") & (scores["protocol"] == "fixed") & (scores["metric"] == "uf1")
    scores.loc[cells, "value"] = scores.loc[cells, "variant"].map(values)
    return dataclasses.replace(measured, scores=scores)


def test_the_highest_score_is_named_and_told_from_the_others_only_below_the_level(measured: Measurement) -> None:
    chosen = with_uf1(measured, {"class prior": 0.2, "linear SVM": 0.7, "STSTNet": 0.6})
    told = findings.comparison(with_p(chosen, 0.01))
    assert "*linear SVM* scored highest, UF1 0.7000" in told
    assert "can be told from *class prior*, *STSTNet*" in told
    assert "cannot" not in told
    alike = findings.comparison(with_p(chosen, 0.05))
    assert "cannot be told from *class prior*, *STSTNet*" in alike
    assert "corrected for 3 comparisons" in alike


def test_every_sentence_says_what_it_comes_from(measured: Measurement) -> None:
    for text in (findings.comparison(measured), findings.ablation(measured), findings.optimism(measured)):
        assert text.startswith("**Seen:**")
        assert "toy flow maps (generated, not faces) · profile smoke · seed 0" in text or "no method here" in text


def test_an_ablation_names_spread_and_pairs(measured: Measurement) -> None:
    chosen = with_uf1(measured, {"class prior": 0.2, "linear SVM": 0.7, "STSTNet": 0.6})
    text = findings.ablation(with_p(chosen, 1.0))
    assert "from 0.6000 (*STSTNet*) to 0.7000 (*linear SVM*), a spread of 0.1000" in text
    assert "None of the 1 pairs differs" in text
    assert "class prior" not in text  # guessing is no setting of an ablation
    assert "One seed" in text
    assert "Of 1 pairs, 1 differ" in findings.ablation(with_p(chosen, 0.01))


def test_no_sentence_says_that_one_seed_of_several_was_tested(measured: Measurement) -> None:
    several = dataclasses.replace(measured, seeds=(0, 1, 2))  # the tests exchange subjects in all seeds at once
    for text in (findings.comparison(several), findings.ablation(several)):
        assert "seed 0 alone" not in text


def test_of_one_variant_beside_guessing_the_recalls_are_told(measured: Measurement) -> None:
    labels = measured.scores["variant"].isin(["class prior", "STSTNet"])
    one = dataclasses.replace(measured, scores=measured.scores[labels])
    chosen = one.scores[(one.scores["variant"] == "STSTNet") & (one.scores["metric"] == "recall_negative")]
    value = chosen[(chosen["subset"] == "full") & (chosen["protocol"] == "fixed")]["value"].item()
    assert f"recalls are negative {value:.4f}" in findings.ablation(one)


def test_optimism_gives_both_differences(measured: Measurement) -> None:
    row = {"variant": "STSTNet", "fixed": 0.6, "nested": 0.65, "published": 0.75}
    gaps = pd.DataFrame([row | {"published_minus_fixed": 0.15, "published_minus_nested": 0.1}])
    text = findings.optimism(dataclasses.replace(measured, gaps=gaps))
    assert "*STSTNet* +0.150 against `fixed`, +0.100 against `nested`" in text
    nothing = gaps.assign(published=0.6)
    assert "made no difference" in findings.optimism(dataclasses.replace(measured, gaps=nothing))
