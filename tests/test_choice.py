"""A choice of features survives its file, refuses nonsense, and can be trained on."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from mer_lib import cli, datasets
from mer_lib.errors import ParameterError
from mer_lib.evaluation.variant import Variant
from mer_lib.features import FlowMap, Motion, RegionCrops
from mer_lib.papers.choice import Choice, choice_yaml, experiment_of, parse_choice, read_choice, write_choice

CELLS = Choice(name="ten_cells", data="toy_flow", features=RegionCrops(scheme="ten_cells", motion=Motion(flow="dis")))
WHOLE = Choice(name="small_map", data="toy_flow", features=FlowMap(size=14), note="half the size")


@pytest.mark.parametrize("choice", [CELLS, WHOLE], ids=lambda choice: choice.name)
def test_a_choice_survives_its_file(tmp_path, choice) -> None:
    path = write_choice(choice, tmp_path / "new folder" / "choice.yaml")
    assert read_choice(path) == choice
    assert "mer train" in path.read_text("utf-8").splitlines()[0]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("ten_cells", "../ten cells"), "name: .*got '../ten cells'"),
        (("scheme: ten_cells", "scheme: eleven_cells"), r"features\.region_crops\.scheme"),
        (("recipe: region_crops", "recipe: crops"), "features"),
        (("data: toy_flow", "date: toy_flow"), "(?s)data: .*date: "),
    ],
)
def test_a_choice_that_was_edited_wrongly_is_refused_with_the_place(change, told) -> None:
    old, new = change
    with pytest.raises(ParameterError, match=told):
        parse_choice(choice_yaml(CELLS).replace(old, new))


@pytest.mark.parametrize("text", ["", "a list", "- 1\n- 2", "name: [", "\0"])
def test_what_is_no_choice_is_refused(tmp_path, text) -> None:
    (tmp_path / "choice.yaml").write_text(text)
    with pytest.raises(ParameterError, match=r"choice\.yaml"):
        read_choice(tmp_path / "choice.yaml")


def test_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(ParameterError, match="expected the YAML file of a choice"):
            read_choice(path)
    with pytest.raises(ParameterError, match="cannot be written"):
        write_choice(WHOLE, tmp_path)


def test_it_is_trained_beside_the_whole_face_of_the_same_movement_and_guessing() -> None:
    settings = experiment_of(CELLS).settings("quick")
    assert list(settings) == ["class prior", "whole face", "ten_cells"]
    assert settings["ten_cells"].features == CELLS.features
    assert settings["whole face"].features == FlowMap(motion=Motion(flow="dis"))
    assert {name: variant.model.name for name, variant in settings.items()} == {
        "class prior": "dummy", "whole face": "linear_svm", "ten_cells": "linear_svm",
    }  # fmt: skip
    assert all(isinstance(variant, Variant) and variant.split.kind == "kfold" for variant in settings.values())


def test_mer_train_prints_the_scores_and_says_what_they_come_from(tmp_path) -> None:
    path = write_choice(WHOLE, tmp_path / "choice.yaml")
    shown = CliRunner().invoke(cli.app, ["train", str(path), "--profile", "smoke", "--jobs", "1"])
    assert shown.exit_code == 0, shown.output
    assert "TOY DATA" in shown.output
    for label in ("class prior", "whole face", "small_map"):
        assert label in shown.output


def test_features_of_frames_are_refused_where_there_are_maps_alone(tmp_path) -> None:
    path = write_choice(CELLS, tmp_path / "choice.yaml")
    shown = CliRunner().invoke(cli.app, ["train", str(path), "--profile", "smoke"])
    assert shown.exit_code != 0
    assert "flow maps alone" in str(shown.exception)
    assert datasets.load("toy_flow").open_clips is None
