"""Figures of angle images draw what they are given."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from mer_lib.errors import ParameterError
from mer_lib.evaluation.demonstrations import noisy_priors
from mer_lib.faces.regions import muscle_pairs
from mer_lib.features import AngleImage
from mer_lib.features.clip_view import ClipView
from mer_lib.plots import angle_images
from mer_lib.plots.flow_fields import direction_colours
from tests.feature_clips import clips_of, renderer

HONEST = AngleImage(frames=8)
GREY = AngleImage(frames=8, coding="grey", sectors=8)


def drawn_colours(figure: Figure, panel: int) -> np.ndarray:
    return np.asarray(figure.axes[panel].images[0].get_array())


def words(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


def moving(angle: float) -> np.ndarray:
    """One cell of region 5 in frame 3 moves; the rest is still."""
    image = np.zeros((3, 42, 8), np.float32)
    image[:, 5, 3] = np.cos(angle), np.sin(angle), 1
    return image


def sector(number: int) -> np.ndarray:
    image = np.full((1, 42, 8), -1.0, np.float32)
    image[0, 5, 3] = 255 * number / 7
    return image


def test_a_direction_has_one_colour_in_either_coding_and_stillness_is_white():
    figure = angle_images.images(
        {"vectors": (HONEST, moving(np.pi / 2)), "grey": (GREY, sector(2))}, text="drawn", kind="synthetic"
    )
    for panel in (0, 1):
        colours = drawn_colours(figure, panel)
        np.testing.assert_allclose(colours[5, 3], direction_colours(np.array(np.pi / 2)), atol=1e-3)
        assert (np.delete(colours.reshape(-1, 3), 5 * 8 + 3, axis=0) == 1).all()
    assert "SYNTHETIC DATA" in words(figure)
    assert all(pair.name in words(figure) for pair in muscle_pairs())
    assert not plt.get_fignums()


def test_the_middle_one_of_several_windows_is_shown_and_permuted_rows_have_no_names():
    recipe = AngleImage(frames=8, windows=3, rows="permuted")
    three = np.stack([np.zeros((3, 42, 8)), moving(1.0), np.zeros((3, 42, 8))])
    figure = angle_images.images({"three": (recipe, three)})
    assert (drawn_colours(figure, 0)[5, 3] != 1).any()
    assert "random order" in words(figure)


def test_an_image_of_another_shape_is_refused():
    with pytest.raises(ParameterError, match="x: expected an image of shape"):
        angle_images.images({"x": (HONEST, np.zeros((3, 42, 9)))})


def test_changed_images_may_be_shorter():
    image = moving(0.0)
    figure = angle_images.changes({"a": image, "b": image[:, :, ::-1], "c": image[:, :, 2:6]}, HONEST)
    assert drawn_colours(figure, 1)[5, 4].tolist() == drawn_colours(figure, 0)[5, 3].tolist()
    assert drawn_colours(figure, 2).shape == (42, 4, 3)
    assert "4 frames" in words(figure)


def test_the_chance_level_is_drawn_as_computed():
    table = noisy_priors([30, 20, 10], [0.0, 1.0], draws=5)
    figure = angle_images.chance(table, [0.53, 0.62], text="counts")
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[0].lines}
    np.testing.assert_array_equal(lines["micro AUC of class shares with noise"], table["auc_micro"])
    np.testing.assert_array_equal(lines["macro AUC of the same scores"], table["auc_macro"])
    assert "2 rows" in words(figure)


def test_weights_lie_on_their_regions(tmp_path):
    view = ClipView(clips_of(tmp_path / "clips", smile=renderer()), "drawn/s01/smile")
    weights = np.zeros(42)
    weights[7] = 0.5
    figure = angle_images.weights_on_face(view, {"smile": weights}, title="why")
    patches = next(c for c in figure.axes[0].collections if isinstance(c, PolyCollection))
    colours = patches.get_facecolor()
    red = colours[:, 0] - colours[:, 2]
    assert red.argmax() == 7
    assert (np.abs(np.delete(red, 7)) < 0.02).all()
    found = view.regions("muscle_regions")[7].polygon
    np.testing.assert_allclose(patches.get_paths()[7].vertices[: len(found)], found)
    with pytest.raises(ParameterError, match="42"):
        angle_images.weights_on_face(view, {"x": np.zeros(3)})
