"""Scores of predictors that recognise nothing."""

from __future__ import annotations

import numpy as np
import pytest

from mer_lib.errors import ParameterError
from mer_lib.evaluation.demonstrations import SPLITS, leaky_splits, noisy_priors
from mer_lib.papers.reported import reported

CASME3 = [247, 184, 83, 64, 55, 54]  # disgust, surprise, fear, anger, sadness, happiness: counted in a published list


def test_class_shares_alone_pass_every_published_number():
    table = noisy_priors(CASME3, [0.0], draws=1)
    assert table["auc_micro"][0] == pytest.approx(0.6996, abs=5e-4)  # worked out by hand from the shares
    assert table["auc_macro"][0] == 0.5
    published = reported("mishin_yolo.table1")
    assert table["auc_micro"][0] > published["value"].max()


def test_noise_takes_micro_auc_down_to_what_was_published_and_leaves_macro_auc_at_chance():
    table = noisy_priors(CASME3, [0.5, 1.0, 2.0], draws=30)
    np.testing.assert_allclose(table["auc_micro"], [0.67, 0.62, 0.56], atol=0.015)
    np.testing.assert_allclose(table["auc_macro"], 0.5, atol=0.01)
    assert (table["low"] < table["auc_micro"]).all()
    assert (table["auc_micro"] < table["high"]).all()


def test_equal_classes_tell_nothing():
    assert noisy_priors([50, 50, 50], [0.0], draws=1)["auc_micro"][0] == 0.5


def test_windows_of_noise_are_recognised_only_by_who_saw_their_neighbours():
    """Labels are drawn at random: there is nothing to be recognised but the clip itself."""
    rng = np.random.default_rng(0)
    clips = rng.normal(size=(60, 1, 3, 6, 8))
    windows = clips + 0.3 * rng.normal(size=(60, 4, 3, 6, 8))
    table = leaky_splits(windows, rng.integers(0, 3, 60), np.repeat(np.arange(12), 5).astype(str)).set_index("split")
    assert tuple(table.index) == SPLITS
    assert table.loc["windows at random", "auc_macro"] > 0.9
    assert abs(table.loc["clips at random", "auc_macro"] - 0.5) < 0.15
    assert abs(table.loc["whole subjects", "auc_macro"] - 0.5) < 0.15


def test_clips_at_random_recognise_the_person():
    """Each person shows one emotion: whoever knows the face knows the label."""
    rng = np.random.default_rng(1)
    faces = rng.normal(size=(20, 1, 1, 400))
    windows = np.repeat(faces, 4, axis=0) + 0.3 * rng.normal(size=(80, 2, 1, 400))
    labels, subjects = np.repeat(np.arange(20) % 2, 4), np.repeat(np.arange(20), 4)
    table = leaky_splits(windows, labels, subjects).set_index("split")
    assert table.loc["clips at random", "accuracy"] > 0.95
    assert table.loc["whole subjects", "accuracy"] < 0.75


def test_arrays_that_do_not_belong_together_are_refused():
    with pytest.raises(ParameterError, match="N labels"):
        leaky_splits(np.zeros((6, 2, 4)), np.zeros(5, int), np.arange(6))
    with pytest.raises(ParameterError, match="5 different"):
        leaky_splits(np.zeros((6, 2, 4)), np.zeros(6, int), np.zeros(6))
    with pytest.raises(ParameterError, match="2 classes"):
        noisy_priors([4])
