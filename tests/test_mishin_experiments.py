"""The experiments on Mishin's article: what each profile feeds the network, and what is compared with what."""

from __future__ import annotations

import dataclasses

import pytest

from mer_lib.datasets.class_view import class_names
from mer_lib.errors import ParameterError
from mer_lib.evaluation.metrics import roc_auc
from mer_lib.features import AngleImage
from mer_lib.models import build, count_parameters
from mer_lib.papers import reported
from mer_lib.papers.experiments import PROFILES, experiment
from mer_lib.papers.measure import Measurement
from mer_lib.report.paired import paired_table
from tests.helpers import some, take

TABLE1, GENDER, INPUTS = (f"mishin_yolo.{name}" for name in ("table1", "gender", "inputs"))


def test_the_table_has_a_row_for_each_published_number_and_the_class_prior():
    rows = list(experiment(TABLE1).variants)
    assert rows == ["class prior", *reported.reported(TABLE1)["variant"]]


@pytest.mark.parametrize("name", [TABLE1, GENDER, INPUTS])
@pytest.mark.parametrize("profile", PROFILES)
def test_six_emotions_are_told_apart(name, profile):
    for setting in experiment(name).settings(profile).values():
        assert setting.labels == "casme3_six"
    assert len(class_names("casme3_six")) == 6


def test_profile_paper_makes_the_images_that_the_article_describes():
    settings = experiment(TABLE1).settings("paper")
    off, on = (settings[f"subjects=both, discretisation={how}"] for how in ("off", "on"))
    assert on.features == AngleImage.published()
    assert off.features == AngleImage.published().model_copy(update={"sectors": None})
    assert experiment(INPUTS).variant("image as printed", "paper").features == AngleImage.published()
    several = AngleImage.honest().model_copy(update={"windows": 5, "stride": 4})
    assert experiment(INPUTS).variant("image", "paper").features == several
    one = experiment(INPUTS).variant("image, one window", "paper").features
    assert one.model_copy(update={"stride": 1}) == AngleImage.honest().model_copy(update={"stride": 1})
    assert count_parameters(build("yolo11_classifier", n_classes=6, **on.model.params)) == 5_450_694


def test_the_rows_differ_in_subjects_and_sectors_alone():
    for profile in ("quick", "paper"):
        settings = experiment(TABLE1).settings(profile)
        base = settings["subjects=both, discretisation=off"]
        for label, setting in settings.items():
            if label == "class prior":
                continue
            assert (setting.subjects, setting.features.sectors) == _meant(label)
            assert setting.model == base.model
            assert (setting.split.kind, setting.split.folds) == (base.split.kind, base.split.folds)


def test_the_smallest_data_have_too_few_people_for_rows_of_one_gender():
    for name in (TABLE1, GENDER):
        assert {setting.subjects for setting in experiment(name).settings("smoke").values()} == {"all"}


def _meant(label: str) -> tuple[str, int | None]:
    who, how = (part.split("=")[1] for part in label.split(", "))
    return {"both": "all", "men": "male", "women": "female"}[who], 8 if how == "on" else None


@pytest.mark.parametrize("name", [TABLE1, GENDER, INPUTS])
def test_augmentation_knows_how_its_images_are_made(name):
    """Otherwise the mirror would turn sectors into others, or exchange the wrong rows."""
    for setting in experiment(name).settings("quick").values():
        changes = setting.training.augmentation
        assert (changes.rows, changes.sectors, changes.half_sector) == (
            setting.features.rows,
            setting.features.sectors,
            setting.features.half_sector,
        )


# -- two variants on the clips of both --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Measurement:
    return take(some("lab.first_comparison", "class prior", "linear SVM"), tmp_path_factory.mktemp("store"))


def on_some(measurement: Measurement, label: str, keep) -> Measurement:
    """The measurement with a variant that was tested on the clips that `keep` says alone."""
    frame = measurement.predictions[label, "fixed"]
    fewer = {**measurement.predictions, (label, "fixed"): frame[keep(frame)]}
    return dataclasses.replace(measurement, predictions=fewer)


def test_both_of_a_pair_are_scored_on_the_clips_that_both_predicted(toy):
    kept = sorted(toy.predictions["linear SVM", "fixed"]["sample_id"])[::2]
    part = on_some(toy, "linear SVM", lambda frame: frame["sample_id"].isin(kept))
    row = paired_table(part, [("linear SVM", "class prior")], ["auc_micro"]).iloc[0]
    assert row["clips"] == len(kept) == 24
    aucs = []
    for label in ("linear SVM", "class prior"):
        frame = toy.predictions[label, "fixed"]
        frame = frame[frame["sample_id"].isin(kept)]
        aucs.append(roc_auc(frame["y_true"], frame.filter(regex="^p_")))
    assert row["ROC-AUC, micro"].startswith(f"{aucs[0] - aucs[1]:+.3f} [")


def test_pairs_that_cannot_be_compared_are_refused(toy):
    with pytest.raises(ParameterError, match="did you mean 'linear SVM'"):
        paired_table(toy, [("linear SVN", "class prior")])
    none = on_some(toy, "linear SVM", lambda frame: frame["sample_id"].isna())
    with pytest.raises(ParameterError, match="got none"):
        paired_table(none, [("linear SVM", "class prior")])
