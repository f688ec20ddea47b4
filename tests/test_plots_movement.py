"""Figures of movement: what they draw is the flow, the truth and the regions that they were given."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver
from matplotlib.text import Text
from PIL import Image
from skimage.color import rgb2lab

from mer_lib.datasets.synthetic.mesh import NASION
from mer_lib.errors import DataError, ParameterError
from mer_lib.faces.landmarks import Detection
from mer_lib.features import RegionCrops, Window, compute
from mer_lib.features.clip_view import SIDE, ClipView
from mer_lib.lab.parameters import ExplorationParameters
from mer_lib.lab.picking import ChoiceExporter, clip_menus, frame_slider
from mer_lib.lab.watching import Watch
from mer_lib.motion import strain
from mer_lib.motion.polar import RegionMotion
from mer_lib.papers.choice import read_choice
from mer_lib.plots import crops, flow_conditions, flow_directions, flow_fields, flow_judged, magnified
from mer_lib.plots.flow_judged import Judged
from mer_lib.plots.network_inputs import network_input
from mer_lib.plots.style import MARKS, panels
from mer_lib.plots.synthetic_flow import NOTHING_MOVES
from tests import drawn


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return drawn.clips_of(tmp_path_factory.mktemp("clips"), drawn.entries(2))


@pytest.fixture(scope="module")
def view(clips) -> ClipView:
    return ClipView(clips, clips.samples["sample_id"].iloc[0])


@pytest.fixture(scope="module")
def over_time(view) -> crops.Course:
    return crops.course(view, most=5)


@pytest.fixture(scope="module")
def by_method(view) -> list[Judged]:
    return flow_conditions.by_method(view, view.moments.onset, view.moments.apex, ["farneback", "dis"])


def texts(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def picture(ax: plt.Axes) -> np.ndarray:
    return np.asarray(ax.images[0].get_array())


def titled(figure: Figure, title: str) -> plt.Axes:
    (found,) = (ax for ax in figure.axes if ax.get_title() == title)
    return found


def constant(u: float, v: float, size: int = 8) -> np.ndarray:
    return np.tile(np.array([u, v], np.float32), (size, size, 1))


def figures(view: ClipView, over_time: crops.Course, by_method: list[Judged]) -> dict[str, Figure]:
    onset, apex, _ = view.moments
    cells, windows = (crops.regions_of(view, RegionCrops(scheme=name)) for name in ("ten_cells", "four_windows"))
    clip = magnified.aligned_clip(view, 64)
    return {
        "movement": flow_fields.movement(view, onset, apex),
        "directions": flow_directions.directions(view, onset, apex, 3),
        "side_by_side": flow_judged.side_by_side(view, onset, apex, by_method),
        "error_by_length": flow_judged.error_by_length({"all": flow_judged.errors_by_length(by_method)}, view.title),
        "error_by_side": flow_judged.error_by_side(
            view, onset, apex, {"dis": flow_conditions.by_resolution(view, onset, apex, "dis", (28, 224))}
        ),
        "over_clips": flow_judged.over_clips(flow_judged.scores({"a": by_method}), view.title),
        "slices": magnified.slices(view, clip, clip, 32, 40),
        "region": crops.region(view, cells, 0, apex, over_time),
        "all_courses": crops.all_courses(view, cells, 0, over_time),
        "network_input": network_input(view, *np.zeros((2, 3, 56, 56)), RegionCrops(), windows),
    }


def test_every_figure_of_synthetic_clips_says_so_names_its_clip_and_stays_closed(view, over_time, by_method) -> None:
    for name, figure in figures(view, over_time, by_method).items():
        words = texts(figure)
        assert MARKS["synthetic"] in words, name
        assert view.sample_id in words, name
        for ax in figure.axes:  # whoever has ticks says what of; those of a polar axis are words
            ticked = ax.axison and ax.name != "polar" and (len(ax.get_yticks()) or len(ax.get_xticks()))
            assert not ticked or ax.get_ylabel() or ax.get_xlabel(), name
    assert plt.get_fignums() == []


# -- colours ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("u", "v", "name"), [(1, 0, "right"), (0, -1, "up"), (-1, 0, "left"), (0, 1, "down")])
def test_a_direction_has_the_colour_that_the_wheel_names(u, v, name) -> None:
    found = flow_fields.wheel_image(constant(u, v), reach=1.0)[0, 0]
    wanted = plt.matplotlib.colors.to_rgb(flow_fields.COMPASS[name])
    np.testing.assert_allclose(found, flow_fields.COVER * np.array(wanted) + (1 - flow_fields.COVER), atol=1e-6)


def test_the_longer_a_movement_the_stronger_its_colour_and_none_leaves_the_face() -> None:
    face = np.full((8, 8, 3), 100, np.uint8)
    shades = [flow_fields.wheel_image(constant(length, 0), 1.0, face)[0, 0] for length in (0, 0.25, 0.5, 1, 5)]
    steps = [np.linalg.norm(shade - shades[0]) for shade in shades]
    assert steps[0] == 0
    assert steps == sorted(steps)
    assert steps[3] == steps[4] > 0.3
    assert np.ptp(shades[0]) < 1e-6  # grey


def test_the_four_directions_keep_apart_for_the_colour_blind() -> None:
    """Colours as dichromats see them, after the matrices of Machado, Oliveira and Fernandes, 2009."""
    rgb = np.array([plt.matplotlib.colors.to_rgb(colour) for colour in flow_fields.COMPASS.values()])
    light = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    protan = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    deutan = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    tritan = [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    for matrix in (protan, deutan, tritan):
        seen = np.clip(light @ np.transpose(matrix), 0, 1)
        lab = rgb2lab(np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)[None])[0]
        distances = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
        assert distances[~np.eye(4, dtype=bool)].min() > 35


def test_directions_just_beside_the_seam_have_nearly_one_colour() -> None:
    near = flow_fields.direction_colours(np.array([0.01, 2 * np.pi - 0.01]))
    assert np.abs(near[0] - near[1]).max() < 0.02


@pytest.mark.parametrize(("high", "wanted"), [(0.0, 0.05), (0.31, 0.31), (1.234, 1.3), (12.01, 13.0)])
def test_a_reach_is_a_round_number_that_is_large_enough(high, wanted) -> None:
    assert flow_fields.reach_of(np.full(50, high)) == pytest.approx(wanted)


def test_a_movement_is_drawn_as_it_is(view) -> None:
    onset, apex, _ = view.moments
    figure = flow_fields.movement(view, onset, apex, "dis", "kept", reach=0.5)
    flow = view.flow(onset, apex, "dis")
    (arrows,) = titled(figure, "arrows").findobj(Quiver)
    x, y = arrows.get_offsets().T.astype(int)
    length = np.minimum(np.linalg.norm(flow[y, x], axis=-1), 0.5)
    np.testing.assert_allclose(np.hypot(arrows.U, arrows.V), length, atol=1e-5)
    assert (np.sign(arrows.U) == np.sign(flow[y, x, 0])).all()
    shown = picture(titled(figure, "direction and length"))
    np.testing.assert_allclose(shown, flow_fields.wheel_image(flow, 0.5, view.aligned(onset)))
    strains = strain(flow)
    far = picture(titled(figure, "strain: how the skin deforms"))
    place, still = (np.unravel_index(find(strains), strains.shape) for find in (np.argmax, np.argmin))
    assert np.ptp(far[place]) > 0.5  # the bright yellow of the scale's end
    assert np.ptp(far[still]) < 0.05
    assert "DIS, head kept" in texts(figure)


def test_a_pair_of_one_frame_has_no_movement(view) -> None:
    figure = flow_fields.movement(view, 0, 0)
    (arrows,) = titled(figure, "arrows").findobj(Quiver)
    assert len(arrows.U) == 0


def test_frames_and_regions_that_do_not_exist_are_refused(view, over_time) -> None:
    with pytest.raises(ParameterError, match="expected a frame from 0"):
        flow_fields.movement(view, 0, view.n_frames)
    with pytest.raises(ParameterError, match="expected 0 to 41, got 42"):
        flow_directions.directions(view, 0, 1, 42)
    cells = crops.regions_of(view, RegionCrops(scheme="ten_cells"))
    with pytest.raises(ParameterError, match="expected 0 to 9, got 10"):
        crops.region(view, cells, 10, 0, over_time)


def test_strain_is_drawn_for_five_pure_movements() -> None:
    shown = {ax.get_title(): ax.get_xlabel() for ax in flow_fields.what_strain_sees().axes}
    root2 = np.sqrt(2)
    wanted = {"shift": 0, "turn": 0, "stretch": 0.12, "growth": 0.12 * root2, "shear": 0.12 / root2}
    assert shown == {name: f"strain {value:.2f}" for name, value in wanted.items()}


# -- directions -------------------------------------------------------------------------------------------------------


def test_at_the_seam_the_arithmetic_mean_points_back_and_the_circular_one_ahead() -> None:
    right, up = (ax for ax in flow_directions.seam().axes if ax.name == "polar")
    angles = [{line.get_label(): line.get_xdata()[0] for line in ax.lines} for ax in (right, up)]
    assert np.cos(angles[0]["circular mean"]) > 0.99
    assert np.cos(angles[0]["arithmetic mean"]) < -0.9
    for mean in angles[1].values():
        assert np.sin(mean) > 0.99


def test_the_regions_whose_two_means_differ_are_numbered(view) -> None:
    circular, arithmetic = np.radians([10.0, 350, 90, 200]), np.radians([170.0, 5, 91, 100])
    means = RegionMotion(np.ones(4), circular, arithmetic, np.ones((4, 2)), np.ones(4, int))
    assert flow_directions.farthest_apart(means) == [0, 3]  # 350 and 5 degrees are neighbours
    assert flow_directions.farthest_apart(means, most=1) == [0]


def test_each_region_gets_the_angle_of_its_mean_arrow(view) -> None:
    onset, apex, _ = view.moments
    figure = flow_directions.directions(view, onset, apex, 35, "dis", "removed")
    flow, found = view.flow(onset, apex, "dis", head="removed"), view.regions("muscle_regions")
    means = np.array([flow[region.mask(SIDE, SIDE)].mean(axis=0) for region in found])
    circular, _ = titled(figure, "mean direction of each region").findobj(Quiver)
    unit = means / np.linalg.norm(means, axis=1, keepdims=True)
    np.testing.assert_allclose(np.stack([circular.U, circular.V], axis=1), unit, atol=1e-4)
    assert found[35].name in texts(figure)


# -- judged by the truth ----------------------------------------------------------------------------------------------


def test_a_true_flow_has_no_error_and_another_one_has_its_distance(view) -> None:
    onset, apex, _ = view.moments
    truth = view.true_flow(onset, apex, head="removed")
    right = flow_judged.judged(view, onset, apex, truth, "right")
    assert right.score == right.still_score == 0
    off = flow_judged.judged(view, onset, apex, truth + np.float32([3, 4]), "off")
    assert off.score == pytest.approx(5, rel=1e-5)
    assert np.isnan(off.error[~off.known]).all()
    with pytest.raises(ParameterError, match="of the crop"):
        flow_judged.judged(view, onset, apex, truth[:-1], "short")


def test_scores_stand_beside_those_of_the_guess_that_nothing_moves(view, by_method) -> None:
    table = flow_judged.score_table(by_method)
    assert list(table.index) == [NOTHING_MOVES, "Farnebäck", "DIS"]
    one = by_method[0]
    assert table.loc[NOTHING_MOVES, "moving skin"] == pytest.approx(
        np.linalg.norm(one.truth, axis=-1)[one.moving].mean(), rel=1e-5
    )
    scores = flow_judged.scores({"a": by_method, "b": by_method})
    assert scores.loc["b", "DIS"] == table.loc["DIS", "moving skin"] == pytest.approx(by_method[1].score)
    assert table.loc["DIS", "moving skin"] < table.loc[NOTHING_MOVES, "moving skin"]


def test_errors_are_sorted_by_the_length_of_the_true_movement() -> None:
    truth = np.zeros((10, 20, 2))
    truth[:, :10, 0], truth[:, 10:, 0] = 0.15, 1.0
    flow = truth + [0, 0.5]
    flow[:, 10:, 1] = 0.25
    known = np.ones((10, 20), bool)
    known[0] = False
    one = Judged("any", np.zeros((10, 20, 3), np.uint8), flow, truth, known, known)
    table = flow_judged.errors_by_length([one, one])
    assert table[["low", "high", "pixels"]].to_numpy().tolist() == [[0.1, 0.2, 180], [0.8, 1.6, 180]]
    np.testing.assert_allclose(
        table[["truth", "error", "lower", "upper"]], [[0.15, 0.5, 0.5, 0.5], [1, 0.25, 0.25, 0.25]]
    )


def test_truth_estimates_and_errors_are_drawn_on_one_scale(view, by_method) -> None:
    onset, apex, _ = view.moments
    figure = flow_judged.side_by_side(view, onset, apex, by_method, reach=0.7)
    np.testing.assert_allclose(picture(titled(figure, "truth")), np.linalg.norm(by_method[0].truth, axis=-1))
    np.testing.assert_allclose(picture(titled(figure, "DIS")), np.linalg.norm(by_method[1].flow, axis=-1))
    assert {ax.images[0].get_clim() for ax in figure.axes if ax.images and ax.images[0].get_array().ndim == 2} == {
        (0, 0.7)
    }
    assert f"mean on moving skin: {by_method[1].score:.2f} px" in texts(figure)
    with pytest.raises(ParameterError, match="one judged flow or more"):
        flow_judged.side_by_side(view, onset, apex, [])


def test_flows_of_small_faces_are_judged_in_pixels_of_the_large_one(view) -> None:
    onset, apex, _ = view.moments
    small, large = flow_conditions.by_resolution(view, onset, apex, "farneback", (56, 224))
    flow = view.flow(onset, apex, "farneback", 56)
    np.testing.assert_allclose(small.flow, flow.reshape(28, 2, 28, 2, 2).mean(axis=(1, 3)) * 4, atol=1e-4)
    np.testing.assert_allclose(small.truth, large.truth)
    blocks = view.true_flow(onset, apex).reshape(28, 8, 28, 8, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(large.truth, blocks, atol=1e-4)


def test_the_head_is_judged_against_the_expression_alone(view) -> None:
    onset, apex, _ = view.moments
    kept, removed = (
        flow_judged.judged(view, onset, apex, view.flow(onset, apex, "dis", head=head), head)
        for head in ("kept", "removed")
    )
    np.testing.assert_array_equal(kept.truth, view.true_flow(onset, apex, head="removed"))
    np.testing.assert_array_equal(removed.truth, kept.truth)
    np.testing.assert_array_equal(removed.flow, view.flow(onset, apex, "dis", head="removed"))


def test_brightness_is_evened_to_the_darker_of_two_frames() -> None:
    dark, bright = np.full((4, 4, 3), 50, np.uint8), np.full((4, 4, 3), 200, np.uint8)
    for first, second in ((dark, bright), (bright, dark)):
        evened = flow_conditions._evened(first, second)
        np.testing.assert_allclose(evened, 50 / 255)
    black = np.zeros((4, 4, 3), np.uint8)
    assert all(np.isfinite(frame).all() and frame.max() <= 1 for frame in flow_conditions._evened(black, bright))


def test_light_changes_the_frames_and_not_the_truth(view) -> None:
    recorded, evened, steady = flow_conditions.by_light(view, view.moments.apex, "farneback")
    np.testing.assert_array_equal(recorded.flow, view.flow(view.moments.onset, view.moments.apex, "farneback"))
    assert not np.array_equal(recorded.flow, evened.flow)
    assert not np.array_equal(recorded.flow, steady.flow)
    np.testing.assert_array_equal(recorded.truth, steady.truth)


def test_alignment_by_the_points_of_one_frame_leaves_that_frame_where_it_is(view) -> None:
    onset = view.moments.onset
    for name in ("mediapipe", "mtcnn"):
        crop = flow_conditions._own_alignment(view, onset, name)
        assert np.abs(crop.astype(int) - view.aligned(onset)).max() <= 1
    names = [one.name for one in flow_conditions.by_alignment(view, view.moments.apex)]
    assert names == ["onset's for both", "each by its mesh", "each by five points", "onset's, head removed"]


def test_the_head_travels_as_far_as_the_bridge_of_the_nose(clips, view) -> None:
    onset, apex, _ = view.moments
    renderer = view.renderer
    moved = renderer.landmarks(apex)[NASION] - renderer.landmarks(onset)[NASION]
    assert flow_conditions.head_travel(clips, view.sample_id) == pytest.approx(np.linalg.norm(moved), abs=0.01)


# -- magnified --------------------------------------------------------------------------------------------------------


def test_an_animation_loops_and_shows_its_clips_side_by_side() -> None:
    dark, bright = np.full((7, 40, 50), 40, np.uint8), np.full((7, 40, 50, 3), 0.9, np.float32)
    bright[3] = 0.1
    data = magnified.looping_gif([dark, bright], ["before", "after"], 40, "synthetic", "slow")
    assert data == magnified.looping_gif([dark, bright], ["before", "after"], 40, "synthetic", "slow")
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (100, 40 + 2 * 26)
        assert image.info["loop"] == 0
        seen, lasts = [], 0
        for at in range(image.n_frames):
            image.seek(at)
            lasts += image.info["duration"]
            seen.append(np.asarray(image.convert("L"))[46, [25, 75]])
    assert lasts == 7 * 40  # equal frames are stored as one that lasts longer
    np.testing.assert_allclose(seen[0], (40, 230), atol=8)
    assert min(pixel[1] for pixel in seen) == pytest.approx(26, abs=8)


def test_a_long_clip_is_thinned_and_odd_clips_are_refused() -> None:
    steps = np.linspace(0, 1, 200, dtype=np.float32)
    data = magnified.looping_gif([np.tile(steps[:, None, None], (1, 16, 16))], ["a"])
    with Image.open(io.BytesIO(data)) as image:
        assert image.n_frames <= magnified.MOST_FRAMES
    with pytest.raises(ParameterError, match="one or more of one shape"):
        magnified.looping_gif([np.zeros((3, 8, 8)), np.zeros((3, 8, 9))], ["a", "b"])
    with pytest.raises(ParameterError, match="got none"):
        magnified.looping_gif([], [])
    with pytest.raises(ParameterError, match="values from nan"):
        magnified.looping_gif([np.full((3, 8, 8), np.nan)], ["a"])


def test_a_slice_is_one_line_of_every_frame(view) -> None:
    clip = magnified.aligned_clip(view, 64)
    after = np.zeros(clip.shape, np.float32)
    figure = magnified.slices(view, clip, after, 30, 20, "black", around=10)
    np.testing.assert_array_equal(picture(titled(figure, "as recorded")), clip[:, 10:31, 30].transpose(1, 0, 2))
    assert picture(titled(figure, "black")).max() == 0
    first, last = titled(figure, "as recorded").get_xlim()
    onset, step = view.moments.onset, 1000 / view.fps
    assert (first, last) == pytest.approx((-(onset + 0.5) * step, (view.n_frames - onset - 0.5) * step))
    for wrong in ((64, 20), (30, 64)):
        with pytest.raises(ParameterError, match="column below 64 and a row below 64"):
            magnified.slices(view, clip, after, *wrong)


# -- regions ----------------------------------------------------------------------------------------------------------


def test_the_parts_shown_are_those_that_a_recipe_cuts_out(clips, view) -> None:
    window = Window(x=0.25, y=0.5, width=0.5, height=0.25)
    (own,) = crops.regions_of(view, RegionCrops(scheme="window", window=window))
    assert own.box == (56, 112, 168, 168)
    squares = crops.regions_of(view, RegionCrops(scheme="ten_cells", window=0.25))
    assert {(box.right - box.left, box.bottom - box.top) for box in (part.box for part in squares)} == {(56, 56)}
    polygons = crops.regions_of(view, RegionCrops(scheme="muscle_regions"))
    assert [part.name for part in polygons] == [part.name for part in view.regions("muscle_regions")]
    recipe = RegionCrops(
        scheme="window",
        window=Window(x=0, y=0, width=0.125, height=0.125),
        motion={"align": "whole_face", "scaling": "pixels"},
    )
    (box,) = (part.box for part in crops.regions_of(view, recipe))
    cut = view.flow(view.moments.onset, view.moments.apex, head="removed")[box.top : box.bottom, box.left : box.right]
    np.testing.assert_allclose(compute(recipe, clips, [view.sample_id], cache=False)[0, 0], cut[..., 0], atol=1e-4)


def test_a_course_is_the_mean_over_the_region_in_every_frame(view, over_time) -> None:
    onset, apex, offset = view.moments
    assert {onset, apex, offset, 0, view.n_frames - 1} <= set(over_time.indices.tolist())
    region = view.regions("ten_cells")[0]
    lengths, strains = over_time.of(region)
    mask = region.mask(SIDE, SIDE)
    at = over_time.indices.tolist().index(apex)
    flow = view.flow(onset, apex, head="removed")
    assert lengths[at] == pytest.approx(np.linalg.norm(flow, axis=-1)[mask].mean(), rel=1e-4)
    assert strains[at] == pytest.approx(strain(flow)[mask].mean(), rel=1e-4)
    assert lengths[over_time.indices.tolist().index(onset)] == pytest.approx(0, abs=0.02)


def test_the_region_that_moves_between_onset_and_offset_alone_is_the_most_telling(view) -> None:
    onset, apex, offset = view.moments
    indices = np.array([0, onset, apex, offset, view.n_frames - 1])
    lengths = np.full((5, SIDE, SIDE), 0.2, np.float32)
    lengths[1] = 0
    lengths[2, :, : SIDE // 2] = 0.9  # the left half at the apex
    lengths[2:, SIDE // 2 :, SIDE // 2 :] = 2  # it goes farther, and does not come back
    over = crops.Course(indices, lengths, lengths)
    boxes = [(120, 0, 200, 90), (120, 120, 200, 200), (10, 10, 90, 90)]
    found = [crops.Region("part", crops._corners(box), "middle") for box in boxes]
    assert crops.most_telling(view, found, over) == 2


def test_a_clip_without_moments_has_first_and_last_frames_and_no_name_leaves_the_axes(view) -> None:
    assert view.names == {"onset": "onset", "apex": "apex", "offset": "offset"}
    unknown, last = ClipView(view.clips, view.sample_id), view.n_frames - 1
    nothing = {"onset": 0, "apex": None, "offset": last, "assumed": ("onset", "offset")}
    unknown.annotation = dataclasses.replace(view.annotation, **nothing)
    figure, axes = panels(1, 1)
    axes[0, 0].set_xlim(0, view.n_frames - 1)
    flow_fields.draw_moments(axes[0, 0], unknown)
    figure.draw_without_rendering()
    extent = axes[0, 0].get_window_extent()
    assert [text.get_text() for text in axes[0, 0].texts] == ["first frame", "last frame"]
    for text in axes[0, 0].texts:
        assert extent.x0 - 1 <= text.get_window_extent().x0 <= text.get_window_extent().x1 <= extent.x1 + 1
    assert flow_fields.moment(unknown, 0) == "first frame, frame 0"


def test_what_rests_is_white_in_u_and_v_whatever_value_it_was_given(view) -> None:
    recipe = RegionCrops(scheme="window", window=Window(x=0, y=0, width=0.5, height=0.5))
    found = crops.regions_of(view, recipe)
    measured = np.zeros(recipe.shape)
    measured[:2, 0, 0], measured[:2, 5, 5] = -3, 1
    fed = (measured + 3) * 60
    for ax in network_input(view, fed, measured, recipe, found).axes[:2]:
        (drawn,) = ax.images
        shown = drawn.cmap(drawn.norm(np.array([180.0, 0.0])))[:, :3]  # 180: at rest; 0: 3 px to the left or up
        assert shown[0].min() > 0.95
        assert np.argmax(shown[1]) == 2
    with pytest.raises(ParameterError, match="regions"):
        network_input(view, fed, measured, recipe, found * 2)


def test_a_region_outside_of_the_crop_has_no_course(over_time) -> None:
    far = crops.Region("far", np.array([(900.0, 900), (950, 900), (950, 950)]), "middle")
    assert all(np.isnan(values).all() for values in over_time.of(far))


def test_the_parts_of_the_figure_of_a_region_are_those_inside_its_box(view, over_time) -> None:
    cells = crops.regions_of(view, RegionCrops(scheme="ten_cells"))
    apex = view.moments.apex
    figure = crops.region(view, cells, 2, apex, over_time)
    box = cells[2].box_within(SIDE, SIDE)
    inside = view.aligned(apex)[box.top : box.bottom, box.left : box.right]
    np.testing.assert_array_equal(picture(titled(figure, "what is in it")), inside)
    (curve,) = (ax for ax in figure.axes if ax.get_ylabel() == "displacement (px)")
    np.testing.assert_allclose(curve.lines[0].get_ydata(), over_time.of(cells[2])[0])
    assert curve.lines[1].get_xdata()[0] == apex
    assert titled(figure, "where it lies").get_xlim() == (-0.5, SIDE - 0.5)


# -- controls ---------------------------------------------------------------------------------------------------------


class Watched:
    """What the controls need of a watch."""

    def __init__(self, clips) -> None:
        self.clips, self.ids = clips, list(clips.samples["sample_id"])

    def view(self, sample_id: str) -> ClipView:
        return ClipView(self.clips, sample_id)


def test_a_notebook_begins_with_a_wanted_clip_or_the_first_that_shows_a_face(clips) -> None:
    parameters = ExplorationParameters(profile="smoke", data="synthetic_smoke")
    watch = Watch(parameters, clips)
    assert watch.first("nobody/has/this", watch.ids[1]) == watch.ids[1]
    watch.view(watch.ids[0]).__dict__["detection"] = Detection("mediapipe", 9, 9, ())
    assert watch.first("nobody/has/this") == watch.ids[1]
    watch.view(watch.ids[1]).__dict__["detection"] = Detection("mediapipe", 9, 9, ())
    with pytest.raises(DataError, match="no face is found in the onset frame of any of 2 clips"):
        watch.first()


def test_another_clip_brings_its_own_frames(clips) -> None:
    watch = Watched(clips)
    subject, clip = clip_menus(watch, watch.ids[-1])
    assert clip.value == watch.ids[-1]
    assert clip.value.startswith(subject.value)
    slider = frame_slider(watch, clip)
    for name in watch.ids:
        subject.value = name.rsplit("/", 1)[0]
        clip.value = name
        view = watch.view(name)
        assert (slider.value, slider.max) == (view.moments.apex, view.n_frames - 1)
    assert clip_menus(watch, "nobody/has/this")[1].value == watch.ids[0]


def test_an_exported_choice_is_read_back(tmp_path: Path) -> None:
    sizes = [0.2]
    exporter = ChoiceExporter(
        lambda: RegionCrops(scheme="ten_cells", window=sizes[0]), "synthetic_demo", folder=tmp_path / "choices"
    )
    exporter.name.value = "ten"
    assert "ten_cells" in exporter.text.value
    exporter.button.click()
    found = read_choice(tmp_path / "choices" / "ten.yaml")
    assert found.features == RegionCrops(scheme="ten_cells", window=0.2)
    assert found.data == "synthetic_demo"
    assert "mer train" in exporter.message.value
    for name in ("", "../outside", "a b"):
        exporter.name.value = name
        assert exporter.button.disabled
        exporter.write()
    assert [path.name for path in tmp_path.rglob("*.yaml")] == ["ten.yaml"]


def test_a_recorded_clip_has_no_truth_to_judge_by(clips, view) -> None:
    recorded = ClipView(dataclasses.replace(clips, kind="real"), view.sample_id)
    with pytest.raises(DataError):
        flow_conditions.by_method(recorded, 0, 1)
    assert MARKS["synthetic"] not in texts(flow_fields.movement(recorded, 0, 1))
