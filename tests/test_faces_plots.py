"""Figures of regions: what is drawn, in which colours, and that a synthetic face is marked."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import PolyCollection

from mer_lib.datasets.synthetic.portrait import draw_portrait, neutral
from mer_lib.errors import ParameterError
from mer_lib.faces.regions import SCHEMES, four_windows, muscle_pairs, muscle_regions, regions, ten_cells
from mer_lib.plots.regions import SCHEME_LABELS, muscles_on_face, pair_colours, schemes_on_face, windows_and_swapped


@pytest.fixture(scope="module")
def portrait():
    return draw_portrait("ada", "female", 96)


def filled(ax) -> list[np.ndarray]:
    """The polygons of an axes, without the point that closes each."""
    fill = next(item for item in ax.collections if isinstance(item, PolyCollection))
    return [path.vertices[:-1] for path in fill.get_paths()]


def test_every_scheme_is_drawn_where_its_regions_are(portrait):
    figure = schemes_on_face(neutral(portrait), portrait.landmarks, "drawn", kind="synthetic")
    assert [ax.get_title() for ax in figure.axes] == [
        *(SCHEME_LABELS[name] for name in SCHEMES),
        SCHEME_LABELS["stable"],
    ]
    for ax, scheme in zip(figure.axes, SCHEMES, strict=False):
        for drawn, region in zip(filled(ax), regions(scheme, portrait.landmarks), strict=True):
            np.testing.assert_allclose(drawn, region.polygon)
        (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
        low, high = portrait.landmarks.min(axis=0), portrait.landmarks.max(axis=0)
        assert left < low[0] < high[0] < right
        assert top < low[1] < high[1] < bottom
    assert figure._supxlabel.get_text() == "SYNTHETIC DATA · drawn"


def test_muscles_are_numbered_and_named(portrait):
    figure = muscles_on_face(neutral(portrait), portrait.landmarks, "drawn", kind="synthetic")
    numbers, names = ([text.get_text() for text in ax.texts] for ax in figure.axes)
    assert numbers == [str(number) for number in range(1, 22) for _ in range(2)]
    for pair in muscle_pairs():
        assert pair.name in names
        assert pair.muscle in names
    found = muscle_regions(portrait.landmarks)
    for text, region in zip(figure.axes[0].texts, found, strict=True):
        x, y = text.get_position()
        (left, top), (right, bottom) = region.polygon.min(axis=0), region.polygon.max(axis=0)
        assert left < x < right
        assert top < y < bottom


def test_the_windows_of_paper_and_code_stand_side_by_side_in_their_order(portrait):
    frame = neutral(portrait)
    figure = windows_and_swapped(frame, portrait.landmarks, "drawn", kind="synthetic")
    for ax, swapped in zip(figure.axes, (False, True), strict=True):
        wanted = four_windows(portrait.landmarks, legacy_swap=swapped, within=frame.shape[:2])
        for drawn, region in zip(filled(ax), wanted, strict=True):
            np.testing.assert_allclose(drawn, region.polygon)
        assert [text.get_text() for text in ax.texts] == [f"{at}: {area.name}" for at, area in enumerate(wanted, 1)]
    assert "legacy_swap" in figure.axes[1].get_title()


def test_a_pair_shares_a_colour_that_no_other_pair_has(portrait):
    for found in (muscle_regions(portrait.landmarks), ten_cells(portrait.landmarks)):
        colour_of = dict(zip([region.name for region in found], pair_colours(found), strict=True))
        for region in found:
            same = {name for name, colour in colour_of.items() if np.allclose(colour, colour_of[region.name])}
            assert same == {region.name, region.mirror}


def test_points_that_are_no_mesh_are_refused(portrait):
    with pytest.raises(ParameterError, match="points: expected"):
        muscles_on_face(neutral(portrait), np.zeros((68, 2)), "drawn")
