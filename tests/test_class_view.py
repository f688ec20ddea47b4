"""Any data set through any label set: the classes go with the predictions through the whole chain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mer_lib.datasets import FlowMapDataset
from mer_lib.datasets.class_view import class_names, with_labels
from mer_lib.errors import DataError, ParameterError
from mer_lib.evaluation.audit import audit
from mer_lib.evaluation.crossval import Job, choose_folds, read_folds, run
from mer_lib.evaluation.metrics import score
from mer_lib.evaluation.store import PredictionStore
from mer_lib.evaluation.variant import Variant
from mer_lib.papers.measure import measure, run_experiment
from mer_lib.plots import confusion
from mer_lib.report.views import data_views
from tests.helpers import some, toy
from tests.report_pages import html_of

SIX = ("happiness", "sadness", "surprise", "anger", "disgust", "fear")
EMOTIONS = (*SIX, "repression", "contempt")
PARTS = {"toya": "syn_a", "toyb": "syn_b", "toyc": "syn_c"}


def with_emotions() -> FlowMapDataset:
    """Toy maps under the names of the synthetic parts; emotions in turn, men and women in turn."""
    samples = toy().samples.copy()
    samples["dataset"] = samples["dataset"].map(PARTS)
    samples["sample_id"] = samples["dataset"] + "/" + samples["subject"] + "/" + samples["clip"]
    samples["emotion"] = [EMOTIONS[i % len(EMOTIONS)] for i in range(len(samples))]
    people = samples["dataset"] + samples["subject"]
    samples["gender"] = people.map({name: ("female", "male")[i % 2] for i, name in enumerate(sorted(people.unique()))})
    return replace(toy(), samples=samples)


DATA = with_emotions()


def six(**settings: Any) -> Variant:
    whole = {"features": {"recipe": "flow_map"}, "labels": "casme3_six", "model": {"name": "linear_svm"}}
    return Variant.model_validate({**whole, "split": {"kind": "kfold", "folds": 3}, **settings})


def test_three_classes_are_those_of_the_table_and_the_data_set_is_the_same() -> None:
    view = with_labels(toy())
    assert view.dataset is toy()
    np.testing.assert_array_equal(view.labels(), toy().labels())
    assert view.classes == class_names() == ("negative", "positive", "surprise")


def test_samples_without_a_class_are_left_out_and_maps_stay_with_their_ids() -> None:
    view = with_labels(DATA, "casme3_six")
    dropped = DATA.samples["emotion"].isin(["repression", "contempt"])
    assert view.classes == SIX
    assert view.samples["sample_id"].tolist() == DATA.samples["sample_id"][~dropped].tolist()
    assert [SIX[label] for label in view.labels()] == DATA.samples["emotion"][~dropped].tolist()
    ids = view.samples["sample_id"].tolist()[::-1]
    np.testing.assert_array_equal(view.dataset.maps(ids), DATA.maps(ids))
    lost = DATA.samples["sample_id"][dropped].iloc[0]
    with pytest.raises(DataError, match=lost):
        view.labels([lost])


def test_the_five_classes_join_rare_emotions() -> None:
    view = with_labels(DATA, "casme2_five")
    joined = view.samples.groupby("emotion")["label"].agg(set)
    assert len(view.samples) == len(DATA.samples)
    assert all(joined[emotion] == {"others"} for emotion in ("anger", "contempt", "sadness", "fear"))
    assert all(joined[name] == {name} for name in ("happiness", "surprise", "disgust", "repression"))


def test_a_label_set_that_does_not_fit_is_an_error_that_names_those_that_do() -> None:
    with pytest.raises(DataError, match=r"for samm; syn_a, syn_b, syn_c fit three, casme3_six, casme2_five"):
        with_labels(DATA, "samm_five")
    with pytest.raises(DataError, match=r"says no emotions\. Use labels 'three'"):
        with_labels(replace(DATA, samples=DATA.samples.assign(emotion=pd.NA)), "casme3_six")
    with pytest.raises(ParameterError, match="expected one of three, megc2019, .*, got 'casme3_sx'"):
        with_labels(DATA, "casme3_sx")


def test_one_class_alone_is_no_label_set_that_fits() -> None:
    happy = replace(DATA, samples=DATA.samples.assign(emotion="happiness"))
    with pytest.raises(DataError, match="has too few classes of the label set 'casme3_six'"):
        with_labels(happy, "casme3_six")


def test_labels_decide_the_address() -> None:
    three, other = (Job("x", six(labels=labels), DATA) for labels in ("three", "casme3_six"))
    renamed = replace(DATA, samples=DATA.samples.assign(emotion=DATA.samples["emotion"].replace("anger", "fear")))
    assert three.data_digest == DATA.digest
    assert len({three.address, other.address, Job("x", six(), renamed).address}) == 3


@pytest.fixture(scope="module")
def folds(tmp_path_factory: pytest.TempPathFactory) -> Any:
    job = Job("six", six(), DATA)
    store = PredictionStore(tmp_path_factory.mktemp("six"))
    run([job], store)
    return job, read_folds(job, store)


def test_six_classes_go_from_the_variant_to_the_scores(folds: Any) -> None:
    job, stored = folds
    chosen = choose_folds(stored, "fixed")
    scores = score(chosen)
    assert scores.classes == SIX
    assert scores.confusion.shape == (6, 6)
    counts = DATA.samples["emotion"].value_counts()
    assert scores.support == tuple(counts[name] for name in SIX)
    assert list(scores.row())[-6:] == [f"recall_{name}" for name in SIX]
    truth = DATA.samples.set_index("sample_id")["emotion"]
    assert [SIX[label] for label in chosen["y_true"]] == truth[chosen["sample_id"]].tolist()
    assert stored[0].metadata["classes"] == list(SIX)
    assert audit("six", stored, job.labelled).passed


def test_the_audit_compares_with_the_classes_of_the_variant(folds: Any) -> None:
    job, stored = folds
    result = audit("six", stored, DATA)  # the three classes of the table instead
    assert "stored truth is the data's" in {check.name for check in result.checks if not check.passed}


def test_a_class_that_one_fold_tests_alone_is_noted_and_not_fatal(tmp_path: Path) -> None:
    samples = DATA.samples.copy()
    rare = samples["emotion"].isin(["fear", "sadness"])
    samples.loc[rare, "emotion"] = "disgust"
    samples.loc[samples.index[:2], "emotion"] = "fear"  # both of one person
    job = Job("rare", six(model={"name": "dummy"}), replace(DATA, samples=samples))
    store = PredictionStore(tmp_path)
    run([job], store)
    table = audit("x", read_folds(job, store), job.labelled).table().set_index("check")
    assert table.loc["every class in training", "result"] == "note"
    assert "where it could not be trained on" in table.loc["every class in training", "detail"]
    assert "FAILED" not in set(table["result"])


def test_an_experiment_of_six_classes_is_measured_drawn_and_reported(tmp_path: Path) -> None:
    entry = some("lab.first_comparison", "class prior", "linear SVM")
    entry = entry.model_copy(update={"base": {**entry.base, "labels": "casme3_six"}})
    sizes = {**entry.profiles}
    sizes["smoke"] = sizes["smoke"].model_copy(update={"changes": {"split": {"kind": "kfold", "folds": 3}}})
    entry = entry.model_copy(update={"profiles": sizes})
    store = PredictionStore(tmp_path)
    run_experiment(entry, "smoke", DATA, store)
    result = measure(entry, "smoke", DATA, store)
    assert result.classes == {"class prior": SIX, "linear SVM": SIX}
    assert {f"recall_{name}" for name in SIX} < set(result.metrics)
    figure = confusion(result)
    ticks = [tick.get_text() for tick in figure.axes[0].get_xticklabels()]
    assert ticks == list(SIX)
    assert "tested, classes of casme3_six" in result.caption
    page = html_of(result)
    assert "label set “Six classes, CAS(ME)³” (casme3_six)" in page
    assert "Better than guessing?" in page
    assert "classes of casme3_six" in page
    assert "recall, disgust" in page


def test_how_many_samples_have_no_class_is_said_by_their_emotion() -> None:
    three, six_classes, five = (view.caption for view in data_views(DATA, ["three", "casme3_six", "casme2_five"]))
    counts = DATA.samples["emotion"].value_counts()
    lost = f"{counts['contempt'] + counts['repression']} of {len(DATA.samples)} samples"
    assert f"{lost} (contempt {counts['contempt']}, repression {counts['repression']})." in six_classes
    assert "Without a class" not in three + five


def test_samples_have_no_class_for_other_reasons_than_their_emotion() -> None:
    samples = DATA.samples.copy()
    samples.loc[samples["dataset"] == "syn_c", "dataset"] = "samm"
    samples.loc[samples.index[:2], "emotion"] = pd.NA
    (view,) = data_views(replace(DATA, samples=samples), ["casme2_five"])
    without_rule = (samples["dataset"] == "samm").sum()
    assert f"(no emotion 2, no rule for SAMM {without_rule})" in view.caption
    samples.loc[samples.index[:3], "label3"] = pd.NA
    (view,) = data_views(replace(DATA, samples=samples))
    assert f"3 of {len(samples)} samples (no emotion 2, surprise 1)" in view.caption


# By gender


def split_ids(subjects: str, seed: int = 0) -> list[Any]:
    return Job("x", six(subjects=subjects, split={"kind": "loso"}, labels="three"), DATA, seed).splits


def people(ids: Any) -> set[str]:
    return {name.rsplit("/", 1)[0] for name in ids}


def test_men_are_tested_and_trained_on_alone() -> None:
    gender = DATA.samples.set_index("sample_id")["gender"]
    tested = [name for split in split_ids("male") for name in split.test]
    assert sorted(tested) == sorted(gender.index[gender == "male"])
    assert all((gender[list(split.train)] == "male").all() for split in split_ids("male"))


def test_the_control_tests_the_same_men_and_trains_on_as_many_others() -> None:
    gender = DATA.samples.set_index("sample_id")["gender"]
    for seed in (0, 1):
        for own, control in zip(split_ids("male", seed), split_ids("like_male", seed), strict=True):
            assert control.test == own.test
            assert len(people(control.train)) == len(people(own.train))
            assert not people(control.train) & people(control.test)
    drawn = [split.train for seed in range(3) for split in split_ids("like_male", seed)]
    assert {"male", "female"} == {gender[name] for train in drawn for name in train}
    assert len({split_ids("like_male", seed)[0].train for seed in range(6)}) > 1


def test_a_comparison_by_gender_is_scored_on_the_same_clips(tmp_path: Path) -> None:
    entry = some("lab.first_comparison", "class prior", "linear SVM")
    svm = entry.variants["linear SVM"]
    men = svm.model_copy(update={"all": {**svm.all, "subjects": "male"}})
    profiles = {**entry.profiles}
    profiles["smoke"] = profiles["smoke"].model_copy(update={"changes": {"split": {"kind": "loso"}}})
    entry = entry.model_copy(update={"variants": {**entry.variants, "men": men}, "profiles": profiles})
    store = PredictionStore(tmp_path)
    run_experiment(entry, "smoke", DATA, store)
    result = measure(entry, "smoke", DATA, store)
    gender = DATA.samples.set_index("sample_id")["gender"]
    everybody = result.predictions["linear SVM", "fixed"]
    of_men = everybody[(gender[everybody["sample_id"]] == "male").to_numpy()]
    assert result.value("linear SVM", "uf1", "men") == pytest.approx(score(of_men).uf1)
    assert result.value("men", "uf1", "men") == result.value("men", "uf1", "full")
    counts = result.tests.set_index(["method_a", "method_b"])["n_samples"]
    assert counts["linear SVM", "men"] == (gender == "male").sum()
    assert counts["class prior", "linear SVM"] == len(gender)


def test_nobody_of_that_gender_is_an_error() -> None:
    with pytest.raises(DataError, match=r"subjects 'male': .*nobody's gender is known.*gender\.csv"):
        Job("x", six(subjects="male", labels="three"), toy()).splits  # noqa: B018
