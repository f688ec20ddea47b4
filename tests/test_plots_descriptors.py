"""Figures of descriptors: they draw what the descriptors compute."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle, Wedge
from matplotlib.quiver import Quiver
from matplotlib.text import Text

from mer_lib.errors import ParameterError
from mer_lib.features import FaceSequence, FlowMap, Motion, compute
from mer_lib.features.clip_view import ClipView
from mer_lib.handcrafted.bi_woof import BiWOOF
from mer_lib.handcrafted.lbp_top import LBPTOP
from mer_lib.motion.main_direction import main_direction
from mer_lib.plots import descriptors, nearest_clips
from mer_lib.plots.flow_fields import direction_colours
from mer_lib.plots.style import MARKS
from tests import drawn

MAP = FlowMap(size=96, motion=Motion(side=96, align="whole_face", scaling="pixels", flow="dis"))


@pytest.fixture(scope="module")
def view(tmp_path_factory) -> Iterator[ClipView]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MER_CACHE", str(tmp_path_factory.mktemp("cache")))
        clips = drawn.clips_of(tmp_path_factory.mktemp("clips"), drawn.entries(1))
        yield ClipView(clips, clips.samples["sample_id"].iloc[0])


@pytest.fixture(scope="module")
def sequence(view) -> np.ndarray:
    return compute(FaceSequence(size=64), view.clips)[0]


@pytest.fixture(scope="module")
def image(view) -> np.ndarray:
    return compute(MAP, view.clips)[0]


def texts(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def test_every_figure_says_that_its_clip_is_synthetic_and_stays_closed(view, sequence, image) -> None:
    first, apex, _ = view.moments
    for figure in (
        descriptors.textures(view, sequence),
        descriptors.weighted_directions(view, image),
        descriptors.main_directions(view, first, apex, method="dis"),
    ):
        assert MARKS["synthetic"] in texts(figure)
        assert view.sample_id in texts(figure)
    assert plt.get_fignums() == []


def test_textures_show_the_block_its_slices_and_its_histograms(view, sequence) -> None:
    figure = descriptors.textures(view, sequence, LBPTOP(blocks=4), block=6)
    top, bottom = figure.axes[:3], figure.axes[3:]
    expected = LBPTOP(blocks=4).fit_transform(sequence[None])[0].reshape(16, 3, 16)[6]
    for ax, counts in zip(bottom, expected, strict=True):
        bars = [patch.get_height() for patch in ax.patches if isinstance(patch, Rectangle)]
        np.testing.assert_allclose(bars, counts)
    # Block 6 of 4x4 in 64 pixels: rows 16 to 31, columns 32 to 47.
    (frame,) = (patch for patch in top[0].patches if patch.get_linewidth() == 3)
    assert (frame.get_x(), frame.get_y(), frame.get_width(), frame.get_height()) == (31.5, 15.5, 16, 16)
    np.testing.assert_array_equal(top[1].images[0].get_array(), sequence[:, 0, 24, 32:48])
    np.testing.assert_array_equal(top[2].images[0].get_array(), sequence[:, 0, 16:32, 40].T)


def test_roses_have_the_areas_and_colours_of_the_weighted_histograms(view, image) -> None:
    figure = descriptors.weighted_directions(view, image, BiWOOF(blocks=3))
    (roses,) = (ax for ax in figure.axes if ax.get_title().startswith("what remains"))
    wedges = [patch for patch in roses.patches if isinstance(patch, Wedge)]
    histograms = BiWOOF(blocks=3).describe(image)
    areas = np.array([wedge.r**2 for wedge in wedges])
    np.testing.assert_allclose(areas / areas.max(), histograms / histograms.max(), rtol=1e-6)
    # The third sector begins upwards, which is towards smaller rows, so at 270 degrees of the axes.
    assert (wedges[2].theta1, wedges[2].theta2) == (-135, -90)
    np.testing.assert_allclose(wedges[2].get_facecolor()[:3], direction_colours(np.array(5 / 8 * np.pi)))


def test_the_weights_of_blocks_are_written_down(view, image) -> None:
    figure = descriptors.weighted_directions(view, image, BiWOOF(blocks=2))
    for weight in BiWOOF(blocks=2).block_weights(image):
        assert f"{weight:.1f}" in texts(figure)


def test_arrows_are_the_main_directions_of_the_regions(view) -> None:
    first, apex, _ = view.moments
    figure = descriptors.main_directions(view, first, apex, region=5, method="dis", count=6)
    flow, found = view.flow(first, apex, "dis", head="removed"), view.regions("muscle_regions")
    expected = np.array([main_direction(flow[area.mask(*flow.shape[:2])], 6) for area in found])
    arrows, *means = figure.findobj(Quiver)
    np.testing.assert_allclose(np.stack([arrows.U, arrows.V], axis=1), expected)
    assert f"5: {found[5].name}" in texts(figure)
    most = int(np.hypot(*expected.T).argmax())
    shown = descriptors.main_directions(view, first, apex, method="dis", count=6)
    assert f"{most}: {found[most].name}" in texts(shown)
    (main,) = (quiver for quiver in means if quiver.get_label() == "main direction")
    np.testing.assert_allclose([main.U[0], -main.V[0]], expected[5], rtol=1e-6)


@pytest.mark.parametrize("number", [-1, 42])
def test_what_does_not_exist_is_refused(view, sequence, number) -> None:
    with pytest.raises(ParameterError, match="region: expected 0 to 41"):
        descriptors.main_directions(view, *view.moments[:2], region=number, method="dis")
    with pytest.raises(ParameterError, match="block: expected 0 to 24"):
        descriptors.textures(view, sequence, block=number)


def test_the_nearest_clip_is_of_the_same_person_or_of_the_same_class() -> None:
    subjects, labels = np.repeat(["a", "b", "c"], 4), np.tile([0, 1], 6)
    by_person = np.arange(12)[:, None] // 4 + 0.01 * np.arange(12)[:, None] % 4
    by_class = labels[:, None] + 0.001 * (np.arange(12)[:, None] * 7 % 12)
    shares = nearest_clips.nearest_shares({"person": by_person, "class": by_class}, subjects, labels)
    assert shares.loc["person", "the same person"] == 1
    assert shares.loc["class", "the same class"] == 1
    assert shares["the same person, by chance"].to_list() == pytest.approx([3 / 11] * 2)
    assert shares["the same class, by chance"].to_list() == pytest.approx([5 / 11] * 2)
    figure = nearest_clips.person_or_class({"one": by_class}, subjects, labels, "made up", "toy")
    (bar,) = (patch for patch in figure.axes[1].patches if isinstance(patch, Rectangle))
    assert bar.get_width() == pytest.approx(100)
    np.testing.assert_allclose(bar.get_facecolor()[:3], to_rgb(nearest_clips.SAME_COLOURS["the same class"]))
    assert MARKS["toy"] in texts(figure)


def test_the_face_below_the_weights_lies_where_the_map_was_made(view, image) -> None:
    """Weights are drawn over the face of the recipe's own alignment."""
    faces = {}
    for how in ("whole_face", "square"):
        figure = descriptors.weighted_directions(view, image, align_by=how)
        (ax,) = (ax for ax in figure.axes if ax.get_title() == "weight of each block")
        faces[how] = np.asarray(ax.images[0].get_array())
    np.testing.assert_array_equal(faces["whole_face"], view.aligned(view.moments.onset, 96))
    assert not np.array_equal(faces["square"], faces["whole_face"])
