"""Figures of explanations: every sample and every explanation in its place, with its scale and its mark."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from mer_lib.errors import ParameterError
from mer_lib.evaluation.fitted import Fitted
from mer_lib.evaluation.splits import Split
from mer_lib.evaluation.variant import Variant
from mer_lib.plots import explained as figures
from mer_lib.plots.explained_inputs import one_view
from mer_lib.plots.style import ALARM_COLOUR

CLASSES = ("negative", "positive", "surprise")
Y = np.array([0, 0, 1, 1, 2])
PROBA = np.array([[0.6, 0.3, 0.1], [0.9, 0.1, 0.0], [0.8, 0.2, 0.0], [0.2, 0.5, 0.3], [0.7, 0.2, 0.1]], np.float32)
RECIPES: dict[str, dict[str, Any]] = {
    "map": {"recipe": "flow_map"},
    "face": {"recipe": "apex_face", "size": 16},
    "neighbours": {"recipe": "apex_face", "size": 16, "neighbours": 2},
    "angles": {"recipe": "angle_image", "frames": 8},
    "windows": {"recipe": "angle_image", "frames": 8, "windows": 3},
    "grey angles": {"recipe": "angle_image", "frames": 8, "coding": "grey"},
    "sequence": {"recipe": "magnified_sequence", "frames": 3, "size": 32},
    "flow alone": {"recipe": "magnified_sequence", "frames": 3, "size": 32, "channels": ["u", "v"]},
}


def fitted(recipe: str = "map") -> Fitted:
    variant = Variant.model_validate({"features": RECIPES[recipe], "model": {"name": "dummy"}})
    X = np.random.default_rng(0).uniform(0, 255, (5, *variant.features.shape)).astype("float32")
    ids = tuple(f"toya/01/{i}" for i in range(5))
    return Fitted(variant, Split(0, "a", (), ids), None, CLASSES, ids, X, Y, PROBA)


def values(chosen: Fitted, *front: int) -> np.ndarray:
    shape = (*(front or (5,)), *chosen.X_test.shape[-2:])
    return np.random.default_rng(1).uniform(-0.5, 1, shape).astype("float32")


def test_right_ones_of_each_class_come_first_and_then_the_surest_mistakes() -> None:
    assert figures.telling(fitted()) == [1, 3, 2, 4, 0]
    assert figures.telling(fitted(), count=3) == [1, 3, 2]


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_kind_of_input_is_drawn_with_its_explanations_below(recipe: str) -> None:
    chosen = fitted(recipe)
    maps = {"Grad-CAM": np.abs(values(chosen)), "occlusion": values(chosen)}
    figure = figures.explained(chosen, maps, [1, 2], kind="synthetic", text="drawn")
    axes = np.array(figure.axes[:6]).reshape(3, 2)
    assert [ax.get_ylabel() for ax in axes[:, 0]] == ["input", "Grad-CAM", "occlusion"]
    assert axes[0, 1].get_title() == "positive\npredicted: negative 0.80"
    colours = [to_rgb(ax.title.get_color()) for ax in axes[0]]
    assert colours == [to_rgb("black"), to_rgb(ALARM_COLOUR)]
    assert figure.get_supxlabel() == "SYNTHETIC DATA · drawn"
    rows, columns = chosen.X_test.shape[-2:]
    for ax in axes[1:].ravel():
        ground, heat = ax.get_images()
        assert np.shape(ground.get_array())[:2] == np.shape(heat.get_array())[:2] == (rows, columns)
    bars = [bar.get_ylim() for bar in figure.axes[6:]]
    reach = [np.abs(maps[name][[1, 2]]).max() for name in maps]
    np.testing.assert_allclose(bars, [(0, reach[0]), (-reach[1], reach[1])], rtol=1e-5)


def test_red_speaks_for_the_class_and_blue_against_it_and_nothing_is_clear() -> None:
    chosen, heat = fitted(), np.zeros((5, 28, 28))
    heat[1, 0, 0], heat[1, 0, 1] = 1, -1
    figure = figures.explained(chosen, {"one": heat}, [1])
    colours = np.asarray(figure.axes[1].get_images()[1].get_array())
    assert colours[0, 0, 0] > colours[0, 0, 2]
    assert colours[0, 1, 2] > colours[0, 1, 0]
    assert colours[5, 5, 3] == 0


def test_explanations_of_views_and_frames_are_averaged() -> None:
    chosen = fitted("windows")
    views = values(chosen, 15)
    mean = views.reshape(5, 3, *views.shape[1:]).mean(axis=1)
    drawn = [figures.explained(chosen, {"one": given}, [0]).axes[1].get_images()[1] for given in (views, mean)]
    np.testing.assert_allclose(*(np.asarray(image.get_array()) for image in drawn), atol=1e-5)
    sequences = fitted("sequence")
    frames = values(sequences, 5, 3)
    drawn = [
        figures.explained(sequences, {"one": given}, [0]).axes[1].get_images()[1] for given in (frames, frames.mean(1))
    ]
    np.testing.assert_allclose(*(np.asarray(image.get_array()) for image in drawn), atol=1e-5)


def test_a_sequence_is_drawn_frame_by_frame() -> None:
    chosen = fitted("sequence")
    given = values(chosen, 5, 3)
    figure = figures.sequence(chosen, "Grad-CAM", given, 2, kind="synthetic", text="drawn")
    assert [ax.get_title() for ax in figure.axes[:3]] == ["frame 1", "frame 2", "frame 3"]
    assert figure.get_suptitle() == "positive, predicted negative (0.80)"
    np.testing.assert_allclose(figure.axes[1].get_images()[0].get_array(), chosen.X_test[2, 1, 0])
    with pytest.raises(ParameterError, match="expected a value for each pixel of each frame"):
        figures.sequence(chosen, "Grad-CAM", given[:, 0], 2)
    with pytest.raises(ParameterError, match="expected a value for each pixel of each frame"):
        figures.sequence(fitted(), "Grad-CAM", values(fitted()), 2)


@pytest.mark.parametrize("shape", [(4, 28, 28), (5, 27, 28), (5, 28)])
def test_an_explanation_of_other_samples_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match="one: expected values for 5 test samples of 28x28 pixels"):
        figures.explained(fitted(), {"one": np.zeros(shape)}, [0])


def test_the_view_that_stands_for_a_sample() -> None:
    extra, equal, none = fitted("neighbours"), fitted("windows"), fitted("map")
    np.testing.assert_array_equal(one_view(extra.variant.features, extra.X_test[0]), extra.X_test[0, 0])
    np.testing.assert_array_equal(one_view(equal.variant.features, equal.X_test[0]), equal.X_test[0, 1])
    np.testing.assert_array_equal(one_view(none.variant.features, none.X_test[0]), none.X_test[0])
