"""Recorded clips become a data set of flow maps, and a choice of regions is trained on their frames."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from mer_lib import settings
from mer_lib.datasets.synthetic import databases
from mer_lib.errors import DataError, ParameterError
from mer_lib.evaluation.crossval import Job
from mer_lib.evaluation.store import PredictionStore
from mer_lib.features import CacheWarning, FlowMap, Motion, RegionCrops, compute, from_clips
from mer_lib.features.loading import load, maps_of
from mer_lib.papers.choice import Choice, experiment_of
from mer_lib.papers.experiments import Experiment
from mer_lib.papers.measure import measure, run_experiment
from mer_lib.running import choices
from tests import drawn, miniatures


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """All clips of the smallest profile: three people, of three databases."""
    count = len(databases.clips(drawn.PROFILE))
    return drawn.clips_of(tmp_path_factory.mktemp("clips"), drawn.entries(count, fps=40.0, size=160))


@pytest.fixture(scope="module")
def cached(tmp_path_factory) -> str:
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True)
def _shared_cache(monkeypatch, cached) -> None:
    monkeypatch.setenv("MER_CACHE", cached)


def some(clips, count: int):
    return replace(clips, samples=clips.samples.head(count))


def three_folds(asked: Experiment) -> Experiment:
    """The same question with each of the three people left out once, and nobody held out of training."""
    smoke = asked.profile("smoke").model_copy(update={"changes": {"split": {"kind": "loso"}}})
    return asked.model_copy(update={"profiles": {**asked.profiles, "smoke": smoke}})


def test_maps_are_those_of_the_recipe_joined_by_id(clips) -> None:
    few = some(clips, 3)
    maps = maps_of(few)
    ids = maps.samples["sample_id"].tolist()
    assert ids == few.samples["sample_id"].tolist()
    wanted = compute(FlowMap(motion=Motion()), few, ids[::-1])
    np.testing.assert_array_equal(maps.maps(ids[::-1]).transpose(0, 3, 1, 2), wanted)
    assert maps.open_clips() is few
    assert (maps.kind, maps.name) == (few.kind, few.name)


def test_clips_without_a_class_are_left_out_and_none_at_all_is_an_error(clips) -> None:
    samples = clips.samples.head(3).copy()
    samples.loc[samples.index[0], "label3"] = pd.NA
    assert len(maps_of(replace(clips, samples=samples)).samples) == 2
    samples["label3"] = pd.array([pd.NA] * 3, dtype="string")
    with pytest.raises(DataError, match="no clip with one of the classes"):
        maps_of(replace(clips, samples=samples))
    with pytest.raises(DataError, match="there are no frames"):
        maps_of(replace(clips, sources={}))


def test_an_apex_that_nobody_annotated_is_spotted_and_the_table_says_so(clips) -> None:
    samples = clips.samples.head(3).copy()
    samples.loc[samples.index[:2], "apex"] = pd.NA
    found = maps_of(replace(clips, samples=samples)).samples
    assert found["apex_source"].tolist()[:2] == ["spotted"] * 2
    assert found["apex_source"][2] != "spotted"
    assert ((found["onset"] <= found["apex"]) & (found["apex"] <= found["offset"])).all()


def test_each_clip_is_looked_at_once_even_where_nothing_can_be_kept(clips, monkeypatch, tmp_path) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("MER_CACHE", str(tmp_path / "file"))
    seen, make = [], from_clips.make
    monkeypatch.setattr(from_clips, "make", lambda recipe, name, *rest: seen.append(name) or make(recipe, name, *rest))
    with pytest.warns(CacheWarning):
        maps = maps_of(some(clips, 2))
    assert sorted(seen) == maps.samples["sample_id"].tolist()


def test_maps_in_pixels_are_refused(clips) -> None:
    with pytest.raises(ParameterError, match="expected scaling 'min_max'"):
        maps_of(clips, Motion(scaling="pixels"))


def test_data_with_maps_are_loaded_as_ever() -> None:
    assert load("toy_flow").label.startswith("toy flow maps")


def test_a_licensed_folder_is_loaded_by_its_path_and_clips_without_a_face_are_named(tmp_path) -> None:
    """The frames of the miniature copy are plain grey: there is no face, and nothing moves."""
    told = []
    dataset = load(miniatures.casme2(tmp_path / "CASME2"), listener=lambda *progress: told.append(progress))
    assert dataset.kind == "real"
    assert not dataset.maps().any()
    noted = {fault.sample_id for fault in dataset.faults if fault.kind == "no face"}
    assert noted == set(dataset.samples["sample_id"])
    assert [done for done, *_ in told] == list(range(1, len(noted) + 1))


def test_a_choice_of_regions_is_trained_on_the_frames_of_the_clips(clips) -> None:
    choice = Choice(name="cells", data=clips.name, features=RegionCrops(scheme="ten_cells", motion=Motion()))
    asked, dataset, store = three_folds(experiment_of(choice)), maps_of(clips), PredictionStore(settings.store_root())
    summary = run_experiment(asked, "smoke", dataset, store)
    measurement = measure(asked, "smoke", dataset, store)
    assert (summary.computed, summary.failures) == (9, [])
    assert 0 <= measurement.value("cells") <= 1
    assert run_experiment(asked, "smoke", dataset, store).found == 9


def test_whoever_trains_is_told_clip_by_clip_and_how_the_features_came_about(clips, tmp_path, monkeypatch) -> None:
    choice = Choice(name="cells", data=clips.name, features=RegionCrops(scheme="ten_cells", motion=Motion()))
    dataset, told = maps_of(clips), []
    monkeypatch.setenv("MER_CACHE", str(tmp_path))
    monkeypatch.setattr(choices, "load_data", lambda name, jobs, console: dataset)
    monkeypatch.setattr(choices, "experiment_of", lambda choice: three_folds(experiment_of(choice)))
    monkeypatch.setattr(choices, "clip_bar", lambda progress, text: lambda *event: told.append(event))
    console = Console(record=True, width=200)
    choices.train_choice(choice, "smoke", None, None, 1, console)
    count = len(dataset.samples)
    assert [event[:2] for event in told] == [(done, count) for _ in range(2) for done in range(1, count + 1)]
    assert f"cells: landmarks detected on {count} of {count} clips" in console.export_text()


def test_a_result_on_frames_has_another_address_where_a_frame_changed(clips, monkeypatch) -> None:
    few = some(clips, 3)
    variants = experiment_of(
        Choice(name="cells", data=few.name, features=RegionCrops(scheme="ten_cells", motion=Motion()))
    ).settings("smoke")

    def addresses(dataset) -> list[str]:
        return [Job(label, variants[label], dataset).address for label in ("whole face", "cells")]

    before = addresses(maps_of(few))
    assert addresses(maps_of(few)) == before
    name = few.samples["sample_id"].iloc[0]
    source = few.sources[name]
    monkeypatch.setattr(type(source), "content", lambda self, indices: "other bytes")
    os.utime(source.path)  # whoever writes a frame leaves this trace
    after = addresses(maps_of(few))
    assert all(old != new for old, new in zip(before, after, strict=True))
