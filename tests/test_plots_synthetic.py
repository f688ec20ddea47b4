"""Figures of synthetic clips: what they draw is the truth, they are marked as synthetic, and bad input is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver
from matplotlib.text import Text

from mer_lib.datasets.clips import Moments
from mer_lib.datasets.synthetic.action_units import ACTION_UNITS, LIMIT, NAMES, UNITS, Unit
from mer_lib.datasets.synthetic.emotions import EMOTIONS, Combination
from mer_lib.datasets.synthetic.habits import Style, draw_habits
from mer_lib.datasets.synthetic.long_videos import KINDS, VideoPlan, plan_video
from mer_lib.datasets.synthetic.plan import ClipPlan, plan_clip, posed
from mer_lib.datasets.synthetic.portrait import draw_portrait, neutral
from mer_lib.datasets.synthetic.recording import Recording
from mer_lib.datasets.synthetic.renderer import ClipRenderer, MovableFace
from mer_lib.errors import ParameterError
from mer_lib.motion import optical_flow
from mer_lib.plots import face_panels, synthetic_clips, synthetic_faces, synthetic_flow, synthetic_nuisances
from mer_lib.plots.style import MARKS
from mer_lib.plots.synthetic_flow import MOVING_SKIN, NOTHING_MOVES, FlowCase

SIZE = 96
CAMERA = Recording(size=SIZE, fps=50, blink_probability=0.0, gaze_probability=0.0)


@pytest.fixture(scope="module")
def face() -> MovableFace:
    return MovableFace(draw_portrait("lab/one", "female", SIZE))


@pytest.fixture(scope="module")
def plan() -> ClipPlan:
    style = Style(magnitude_iod=0.02)
    return plan_clip("lab/one/smile", "happiness", draw_habits("lab/one", style), style, CAMERA)


@pytest.fixture(scope="module")
def video() -> VideoPlan:
    camera = replace(CAMERA, fps=30)
    return plan_video(
        "lab/one/long", draw_habits("lab/one", Style()), Style(), camera, seconds=15, n_micro=2, n_macro=1
    )


@pytest.fixture(scope="module")
def case(face: MovableFace, plan: ClipPlan) -> FlowCase:
    return synthetic_flow.flow_case(face, plan, ["farneback", "dis"])


def texts(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def titles(figure: Figure) -> list[str]:
    return [ax.get_title() or ax.get_title(loc="left") for ax in figure.axes]


def picture(ax: plt.Axes) -> np.ndarray:
    """What the axes shows as an image."""
    return np.asarray(ax.images[0].get_array())


FIGURES: dict[str, Callable[[MovableFace, ClipPlan, VideoPlan, FlowCase], Figure]] = {
    "face_sheet": lambda face, *_: synthetic_faces.face_sheet([face.portrait] * 3, columns=2),
    "unit_sheet": lambda face, *_: synthetic_faces.unit_sheet(face),
    "unit_view": lambda face, *_: synthetic_faces.unit_view(face, 12),
    "emotion_view": lambda face, *_: synthetic_faces.emotion_view(face, "anger"),
    "time_courses": lambda face, plan, *_: synthetic_clips.time_courses(plan, face.iod),
    "filmstrip": lambda face, plan, *_: synthetic_clips.filmstrip(face, plan),
    "clip_moment": lambda face, plan, *_: synthetic_clips.clip_moment(face, plan, 3),
    "video_timeline": lambda face, plan, video, _: synthetic_clips.video_timeline(video, face.iod),
    "truth_and_estimates": lambda face, plan, video, case: synthetic_flow.truth_and_estimates(case),
    "nuisance_ladder": lambda face, plan, *_: synthetic_nuisances.nuisance_ladder(face, [plan], ["farneback"]),
}


# Those that show curves and scores; a picture of a drawn face says so in its caption, and nothing lies over it.
WATERMARKED = ("time_courses", "video_timeline", "nuisance_ladder")


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_says_synthetic_and_stays_closed(name, face, plan, video, case) -> None:
    figure = FIGURES[name](face, plan, video, case)
    assert MARKS["synthetic"] in figure._supxlabel.get_text()
    assert texts(figure).count(MARKS["synthetic"]) == 1 + (name in WATERMARKED)
    assert plt.get_fignums() == []
    for ax in figure.axes:  # whoever has ticks says what of
        ticked = ax.axison and (len(ax.get_yticks()) or len(ax.get_xticks()))
        assert not ticked or ax.get_ylabel() or ax.get_xlabel()


# -- faces ------------------------------------------------------------------------------------------------------------


def test_a_sheet_shows_each_neutral_face_with_its_name(face) -> None:
    figure = synthetic_faces.face_sheet([face.portrait] * 3, columns=2)
    shown = [ax for ax in figure.axes if ax.images]
    assert titles(figure) == ["lab/one"] * 3 + [""]
    assert len(shown) == 3
    np.testing.assert_array_equal(picture(shown[0]), neutral(face.portrait))
    with pytest.raises(ParameterError, match="expected one or more"):
        synthetic_faces.face_sheet([])


def test_the_unit_sheet_has_all_units_and_none_looks_neutral(face) -> None:
    figure = synthetic_faces.unit_sheet(face)
    assert titles(figure)[0] == "neutral"
    assert [title.split("\n")[0] for title in titles(figure)[1:] if title] == [f"AU {n}" for n in ACTION_UNITS]
    pictures = [picture(ax).astype(int) for ax in figure.axes if ax.images]
    assert all(np.abs(moved - pictures[0]).max() > 20 for moved in pictures[1:])


def test_a_unit_is_drawn_as_the_renderer_moves_it(face) -> None:
    shown, moved, creased, course = synthetic_faces.unit_view(face, 4, "right", 0.05, 180).axes[:4]
    share = synthetic_faces.pulse_share(180)
    assert 0 < share < 1
    plan = posed({(4, -1): 0.05 * share}, Recording(size=SIZE).without_nuisance(), curve=np.array([0.0, 1.0]))
    renderer = ClipRenderer(face, plan)
    np.testing.assert_array_equal(picture(shown), renderer.frame(1))
    length = np.linalg.norm(renderer.flow(0, 1), axis=-1)
    np.testing.assert_allclose(picture(moved), length, atol=1e-5)
    assert moved.images[0].get_clim() == (0, pytest.approx(0.05 * face.iod))
    np.testing.assert_allclose(course.lines[1].get_xydata(), [[180, 0.05 * share * face.iod]])
    assert course.lines[0].get_ydata().max() == pytest.approx(0.05 * face.iod)
    smooth = ClipRenderer(face, plan, creases=0).clean(1)
    light = (renderer.clean(1) / np.maximum(smooth, 0.05)).mean(axis=-1)[smooth.min(axis=-1) > 0.1]
    assert picture(creased).min() == pytest.approx(100 * (light.min() - 1), abs=4)
    assert (np.abs(picture(creased)[:, SIZE * 2 // 3 :]) < 0.1).all()  # the subject's left half


def test_arrows_point_where_the_skin_goes(face) -> None:
    moved = synthetic_faces.unit_view(face, 1, "both", 0.05, 230).axes[1]
    (arrows,) = (artist for artist in moved.get_children() if isinstance(artist, Quiver))
    assert len(arrows.V) > 3
    assert (arrows.V < 0).all()  # rows count downwards: a raised brow goes up
    assert moved.yaxis_inverted()


def test_no_arrow_is_longer_than_the_scale() -> None:
    _, ax = plt.subplots()
    face_panels.show_movement(ax, flat(3.0, -4.0), 1.0)
    plt.close()
    (arrows,) = (artist for artist in ax.get_children() if isinstance(artist, Quiver))
    np.testing.assert_allclose(arrows.U, 0.6)
    np.testing.assert_allclose(arrows.V, -0.8)


def test_the_pulse_is_a_micro_expression_and_the_title_names_the_muscle(face) -> None:
    assert synthetic_faces.pulse_share(100) == 0
    assert synthetic_faces.pulse_share(230) == 1
    assert synthetic_faces.pulse_share(500) == 0
    figure = synthetic_faces.unit_view(face, 26, "left", 1.0)
    assert NAMES[26] in texts(figure)
    assert f"intensity {LIMIT[26]:.3f} IOD, the subject's left side" in texts(figure)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"number": 3}, "number: expected one of 1, 2, 4"),
        ({"number": 12, "sides": "up"}, "sides: expected one of both, right, left"),
        ({"number": 12, "intensity": -0.01}, "intensity: expected 0 IOD or more"),
        ({"number": 12, "intensity": float("nan")}, "intensity: expected 0 IOD or more"),
    ],
)
def test_a_wrong_unit_is_named(face, wrong, words) -> None:
    with pytest.raises(ParameterError, match=words):
        synthetic_faces.unit_view(face, **wrong)


def test_creases_change_light_by_the_maps_of_the_units(face) -> None:
    unit = Unit(12, 1)
    at_reference = synthetic_faces.crease_percent(face, {unit: 0.02})
    expected = 100 * (np.exp(face.creases[UNITS.index(unit)]) - 1)
    np.testing.assert_allclose(at_reference, expected, atol=1e-4)
    assert not synthetic_faces.crease_percent(face, {unit: 0.02}, share=0.0).any()


def test_an_emotion_has_a_column_for_each_combination(face) -> None:
    figure = synthetic_faces.emotion_view(face, "contempt")
    found = [title for title in titles(figure) if title]
    assert found == ["R14\n60 %", "R10\n20 %", "R12 + R14\n20 %"]
    assert "contempt (class negative)" in texts(figure)
    assert "in none of the three classes" in texts(synthetic_faces.emotion_view(face, "others"))
    with pytest.raises(ParameterError, match="emotion: expected one of happiness"):
        synthetic_faces.emotion_view(face, "joy")


def test_combinations_share_the_intensity_within_the_limits() -> None:
    plan = synthetic_faces.combination_plan(
        Combination(1.0, {12: 1.0, 14: 0.5}, unilateral=True), "contempt", 0.1, SIZE
    )
    assert dict(zip(plan.units, plan.intensity[1], strict=True)) == {Unit(12, -1): LIMIT[12], Unit(14, -1): 0.05}
    assert not plan.intensity[0].any()


# -- clips ------------------------------------------------------------------------------------------------------------


def test_time_courses_are_the_plan(face, plan) -> None:
    expression, head = synthetic_clips.time_courses(plan, face.iod).axes[:2]
    curves = [line for line in expression.lines if not line.get_label().startswith("_")]
    assert len(curves) == len(plan.units)
    for line, unit, curve in zip(curves, plan.units, plan.intensity.T, strict=True):
        np.testing.assert_allclose(line.get_ydata(), face.iod * curve)
        np.testing.assert_allclose(line.get_xdata(), 20 * np.arange(len(plan)))
        assert line.get_linestyle() == ("-" if unit.side < 0 else "--")
        assert line.get_label() == str(unit.number)
    for ax in (expression, head):
        marks = {line.get_label(): line.get_xdata()[0] for line in ax.lines}
        for name in ("onset", "apex", "offset"):
            assert marks[f"_{name}"] == pytest.approx(20 * getattr(plan, name))
    right, down = (line for line in head.lines if line.get_label() in ("to the right", "down"))
    shift = face.iod * (plan.head[:, :2] - plan.head[plan.onset, :2])
    np.testing.assert_allclose(right.get_ydata(), shift[:, 0])
    np.testing.assert_allclose(down.get_ydata(), shift[:, 1])
    assert expression.get_ylabel().endswith("(px)")
    assert head.get_xlabel() == "time (ms)"


def test_units_of_one_number_share_a_colour(face, plan) -> None:
    expression = synthetic_clips.time_courses(plan, face.iod).axes[0]
    colours = {(line.get_label(), line.get_color()) for line in expression.lines if line.get_label()[0] != "_"}
    assert len(colours) == len({unit.number for unit in plan.units})


def test_amplified_movement_is_a_multiple_up_to_the_limit(plan) -> None:
    larger = synthetic_clips.amplified(plan, 1.5)
    np.testing.assert_allclose(larger.intensity, 1.5 * plan.intensity)
    assert (larger.onset, larger.apex, larger.offset) == (plan.onset, plan.apex, plan.offset)
    np.testing.assert_array_equal(larger.head, plan.head)
    largest = synthetic_clips.amplified(plan, 1000)
    for unit, curve, before in zip(plan.units, largest.intensity.T, plan.intensity.T, strict=True):
        assert curve.max() == pytest.approx(LIMIT[unit.number])
        np.testing.assert_allclose(curve / curve.max(), before / before.max(), atol=1e-12)
    assert not synthetic_clips.amplified(plan, 0).intensity.any()
    with pytest.raises(ParameterError, match="factor: expected 0 or more"):
        synthetic_clips.amplified(plan, -1)


def test_a_strip_goes_from_onset_over_the_apex_to_offset(face, plan) -> None:
    frames = synthetic_clips.strip_frames(plan)
    assert (frames["onset"], frames["apex"], frames["offset"]) == (plan.onset, plan.apex, plan.offset)
    assert plan.onset < frames["rising"] < plan.apex < frames["falling"] < plan.offset
    half = plan.expression[plan.apex] / 2
    steps = np.abs(np.diff(plan.expression))
    assert abs(plan.expression[frames["rising"]] - half) <= steps[plan.onset : plan.apex].max() / 2 + 1e-12
    grid = np.array(synthetic_clips.filmstrip(face, plan, factor=3).axes[: 3 * 6]).reshape(3, 6)[:, :5]
    recorded, enlarged = ClipRenderer(face, plan), ClipRenderer(face, synthetic_clips.amplified(plan, 3))
    for column, index in zip(grid.T, frames.values(), strict=True):
        np.testing.assert_array_equal(picture(column[0]), recorded.frame(index))
        np.testing.assert_array_equal(picture(column[2]), enlarged.frame(index))
        difference = face_panels.grey(recorded.frame(index)) - face_panels.grey(recorded.frame(plan.onset))
        np.testing.assert_allclose(picture(column[1]), difference)
    assert grid[0, 2].get_title() == f"apex, {20 * (plan.apex - plan.onset)} ms"


def test_a_moment_is_the_frame_asked_for(face, plan) -> None:
    axes = synthetic_clips.clip_moment(face, plan, plan.apex, factor=2).axes
    renderer = ClipRenderer(face, plan)
    np.testing.assert_array_equal(picture(axes[0]), renderer.frame(plan.apex))
    dot = axes[3].lines[1].get_xydata()
    np.testing.assert_allclose(dot, [[20 * plan.apex, face.iod * plan.expression.max()]])
    assert f"frame {plan.apex}, at {20 * plan.apex} ms" in texts(axes[0].figure)


def test_grey_clips_are_drawn_too(face, plan) -> None:
    without_colour = replace(plan, recording=replace(plan.recording, colour=False))
    axes = synthetic_clips.clip_moment(face, without_colour, 0).axes
    assert picture(axes[0]).shape == (SIZE, SIZE)
    assert not picture(axes[1]).any() or plan.onset != 0


def test_a_stored_clip_is_what_the_data_set_holds(face, plan) -> None:
    renderer = ClipRenderer(face, plan)
    landmarks = np.stack([renderer.landmarks(index) for index in range(len(plan))])
    row = {"sample_id": plan.sample_id, "emotion": "happiness", "action_units": "6+12", "onset": 71, "apex": 75}
    clips = SimpleNamespace(
        kind="synthetic",
        label="1 synthetic clip",
        samples=pd.DataFrame([row]),
        moments=lambda _: Moments(plan.onset, plan.apex, plan.offset),
        frames=lambda _, indices: np.stack([renderer.frame(index) for index in indices]),
        truth=lambda _: SimpleNamespace(landmarks=landmarks, flow=renderer.flow),
    )
    figure = synthetic_clips.stored_clip(clips, plan.sample_id)
    onset, apex, difference, _, movement, _ = figure.axes
    np.testing.assert_array_equal(picture(onset), renderer.frame(plan.onset))
    np.testing.assert_array_equal(picture(apex), renderer.frame(plan.apex))
    expected = face_panels.grey(renderer.frame(plan.apex)) - face_panels.grey(renderer.frame(plan.onset))
    np.testing.assert_allclose(picture(difference), expected)
    length = np.linalg.norm(renderer.flow(plan.onset, plan.apex, head=False), axis=-1)
    np.testing.assert_allclose(picture(movement), length)
    assert "happiness, action units 6 + 12" in texts(figure)
    assert titles(figure)[:2] == ["onset, frame 71", "apex, frame 75"]  # as the table numbers them
    assert f"{MARKS['synthetic']} · 1 synthetic clip" in texts(figure)


# -- long videos ------------------------------------------------------------------------------------------------------


def test_a_timeline_holds_each_interval_on_its_lane(video) -> None:
    movement, events = synthetic_clips.video_timeline(video, iod=40).axes
    np.testing.assert_allclose(movement.lines[0].get_ydata(), 40 * video.expression)
    np.testing.assert_allclose(movement.lines[0].get_xdata(), np.arange(len(video)) / 30)
    lanes = [label.get_text() for label in events.get_yticklabels()]
    assert sorted(lanes) == sorted(KINDS)
    drawn = {
        (lanes[round(bar.get_y() + bar.get_height() / 2)], round(30 * bar.get_x()), round(30 * bar.get_width()))
        for bar in events.patches
    }
    assert drawn == {(found.kind, found.onset, found.offset - found.onset) for found in video.intervals}
    assert len(movement.patches) == 3  # two micro, one macro
    assert events.get_xlabel() == "time (s)"


def test_the_table_of_intervals_lists_the_expressions(video) -> None:
    table = synthetic_clips.interval_table(video)
    assert list(table["kind"]).count("micro") == 2
    assert list(table["kind"]).count("macro") == 1
    assert (table.loc[table["kind"] == "micro", "seconds"] <= 0.5).all()
    assert set(table["emotion"]) <= set(EMOTIONS)
    assert list(table["onset"]) == [found.onset for found in video.of_kind("micro", "macro")]


# -- flow -------------------------------------------------------------------------------------------------------------


def flat(u: float, v: float = 0.0) -> np.ndarray:
    return np.broadcast_to(np.array([u, v], np.float32), (SIZE, SIZE, 2)).copy()


def made_case(case: FlowCase) -> FlowCase:
    """Flows to work out by hand: a head that moves by (3, 4), an expression that moves by (1, 0)."""
    expression = flat(1.0)
    return replace(
        case,
        expression=expression,
        truth=expression + flat(3.0, 4.0),
        estimates={"farneback": flat(4.0, 4.0), "dis": flat(4.0, 1.0)},
        known=np.ones((SIZE, SIZE), bool),
    )


def test_the_case_is_the_truth_and_the_estimates(face, plan, case) -> None:
    renderer = ClipRenderer(face, plan)
    np.testing.assert_array_equal(case.truth, renderer.flow(plan.onset, plan.apex))
    np.testing.assert_array_equal(case.expression, renderer.flow(plan.onset, plan.apex, head=False))
    expected = optical_flow(renderer.frame(plan.onset), renderer.frame(plan.apex), "dis")
    np.testing.assert_array_equal(case.estimates["dis"], expected)
    valid = renderer.valid(plan.onset, plan.apex)
    assert not (case.known & ~valid).any()
    length = np.linalg.norm(case.expression, axis=-1)
    assert length[case.moving].min() >= 0.1 * length[case.known].max() > length[case.known & ~case.moving].max()


def test_the_table_of_errors_is_a_hand_computation(case) -> None:
    table = synthetic_flow.error_table(made_case(case))
    assert list(table.index) == [NOTHING_MOVES, "Farnebäck", "DIS"]
    assert list(table.columns) == [MOVING_SKIN, *synthetic_flow.PLACES]
    np.testing.assert_allclose(table.loc[NOTHING_MOVES], 32**0.5, rtol=1e-6)  # of (4, 4)
    np.testing.assert_allclose(table.loc["Farnebäck"], 0)
    np.testing.assert_allclose(table.loc["DIS"], 3, rtol=1e-6)


def test_a_table_to_look_at_says_that_it_is_synthetic(case) -> None:
    table = synthetic_flow.error_table(case)
    page = synthetic_clips.captioned(table, case.plan).to_html()
    assert f"{MARKS['synthetic']} · {case.plan.sample_id}" in page
    assert f">{table.iloc[0, 0]:.2f}<" in page


def test_errors_are_those_of_the_place_alone(case) -> None:
    made = made_case(case)
    mouth = made.places["mouth"]
    wrong = made.truth + mouth[..., None] * flat(0.0, 2.0)
    table = synthetic_flow.error_table(replace(made, estimates={"dis": wrong}))
    assert table.loc["DIS", "mouth"] == pytest.approx(2)
    assert table.loc["DIS", "brows"] == 0
    assert table.loc["DIS", MOVING_SKIN] == pytest.approx(2 * mouth.mean(), rel=1e-5)
    nowhere = replace(made, known=np.zeros((SIZE, SIZE), bool))
    assert synthetic_flow.error_table(nowhere).isna().all(axis=None)


def test_the_head_is_an_error_only_against_the_expression(case) -> None:
    moves = made_case(case)
    still = replace(moves, truth=moves.expression, estimates={"farneback": flat(1.0), "dis": flat(0.0)})
    table = synthetic_flow.head_table(moves, still)
    np.testing.assert_allclose(table.loc[NOTHING_MOVES], [32**0.5, 1, 1], rtol=1e-6)
    np.testing.assert_allclose(table.loc["Farnebäck"], [0, 5, 0], atol=1e-6)
    np.testing.assert_allclose(table.loc["DIS"], [3, 10**0.5, 1], rtol=1e-6)


def test_truth_and_estimates_share_a_scale_and_hide_the_unknown(case) -> None:
    figure = synthetic_flow.truth_and_estimates(case)
    grid = np.array(figure.axes[:8]).reshape(2, 4)
    assert [ax.get_title() for ax in grid[0, :3]] == ["truth", "Farnebäck", "DIS"]
    np.testing.assert_allclose(picture(grid[0, 0]), np.linalg.norm(case.truth, axis=-1), atol=1e-6)
    error = np.linalg.norm(case.estimates["dis"] - case.truth, axis=-1)
    shown = np.ma.filled(np.ma.masked_invalid(picture(grid[1, 2])), np.nan)
    np.testing.assert_allclose(shown[case.known], error[case.known], atol=1e-6)
    assert np.isnan(shown[~case.known]).all()
    assert len({ax.images[0].get_clim() for ax in (*grid[0, :3], *grid[1, 1:3])}) == 1
    assert f"mean on moving skin: {error[case.moving].mean():.2f} px" in texts(figure)
    np.testing.assert_array_equal(picture(grid[1, 0]), case.onset_frame)


def test_parts_of_the_face_lie_where_they_should(face) -> None:
    parts = synthetic_flow.parts_of_face(face.portrait.landmarks, SIZE)
    rows = {name: np.nonzero(mask)[0].mean() for name, mask in parts.items()}
    order = ["forehead", "brows", "eyelids", "nose", "mouth", "chin"]
    assert sorted(order, key=rows.__getitem__) == order
    midline = face.portrait.landmarks[168, 0]
    for name, mask in parts.items():
        columns = np.nonzero(mask)[1]
        assert columns.min() < midline < columns.max(), name
        assert abs(columns.mean() - midline) < 0.1 * face.iod, name
    assert not (parts["eyelids"] & parts["cheeks"]).any()


def test_flows_of_other_sizes_are_refused() -> None:
    with pytest.raises(ParameterError, match="expected two of one shape"):
        synthetic_flow.end_point_error(np.zeros((4, 4, 2)), np.zeros((4, 5, 2)))


# -- nuisances --------------------------------------------------------------------------------------------------------


def test_each_step_takes_one_nuisance_away_and_keeps_the_expression(plan) -> None:
    steps = synthetic_nuisances.ladder(plan)
    names = ["as recorded", "head still", "light steady", "no noise", "no JPEG", "no creases"]
    assert [step.name for step in steps] == names
    assert all((step.plan.intensity == plan.intensity).all() for step in steps)
    moved = [bool(np.ptp(step.plan.head, axis=0).any()) for step in steps]
    lit = [bool(np.ptp(step.plan.gain)) for step in steps]
    noisy = [step.plan.recording.read_noise > 0 or step.plan.recording.shot_noise > 0 for step in steps]
    packed = [step.plan.recording.jpeg_quality is not None for step in steps]
    for number, holds in enumerate((moved, lit, noisy, packed), start=1):
        assert holds == [True] * number + [False] * (6 - number)
    assert [step.creases for step in steps] == [1, 1, 1, 1, 1, 0]
    np.testing.assert_array_equal(steps[1].plan.head[-1], plan.head[plan.onset])


def test_a_blink_is_held_with_the_head(plan) -> None:
    blinking = replace(plan, blink=np.linspace(0, 1, len(plan)), gaze=np.full((len(plan), 2), 0.01))
    held = synthetic_nuisances.head_still(blinking)
    assert set(held.blink) == {blinking.blink[plan.onset]}


def test_errors_of_the_ladder_are_those_against_the_expression(face, plan) -> None:
    errors = synthetic_nuisances.ladder_errors(face, [plan], ["farneback"])
    skin = errors[errors["place"] == MOVING_SKIN].set_index(["step", "method"])["error"]
    case = synthetic_flow.flow_case(face, plan, ["farneback"])
    expected = np.linalg.norm(case.estimates["farneback"] - case.expression, axis=-1)[case.moving].mean()
    assert skin["as recorded", "farneback"] == pytest.approx(expected)
    still = np.linalg.norm(case.expression, axis=-1)[case.moving].mean()
    assert skin["as recorded", NOTHING_MOVES] == pytest.approx(still)
    smooth = synthetic_flow.flow_case(face, synthetic_nuisances.ladder(plan)[-1].plan, ["farneback"], creases=0.0)
    expected = np.linalg.norm(smooth.estimates["farneback"] - smooth.expression, axis=-1)[smooth.moving].mean()
    assert skin["no creases", "farneback"] == pytest.approx(expected)
    assert expected < skin["no creases", NOTHING_MOVES]
    assert set(errors["clip"]) == {plan.sample_id}


def test_the_ladder_draws_its_errors_and_the_sizes_of_the_nuisances(face, plan) -> None:
    figure = synthetic_nuisances.nuisance_ladder(face, [plan], ["farneback"])
    errors = synthetic_nuisances.ladder_errors(face, [plan], ["farneback"])
    rows = errors[(errors["place"] == MOVING_SKIN) & (errors["method"] == "farneback")]
    (ax,) = (ax for ax in figure.axes if ax.get_ylabel() == "mean end-point error (px)")
    (mean,) = (line for line in ax.lines if line.get_label() == "Farnebäck")
    np.testing.assert_allclose(mean.get_ydata(), rows["error"])
    given = synthetic_nuisances.nuisance_ladder(face, [plan], errors=errors.assign(error=3 * errors["error"]))
    (ax,) = (ax for ax in given.axes if ax.get_ylabel() == "mean end-point error (px)")
    (mean,) = (line for line in ax.lines if line.get_label() == "Farnebäck")
    np.testing.assert_allclose(mean.get_ydata(), 3 * rows["error"])
    words = texts(figure)
    for size in (
        f"{face.iod * CAMERA.drift_iod:.2f} px",
        "0.16°",
        "±0.8 %\nat 100 Hz\nand ±1 % slowly",
        "0.4 to 0.7 %",
        "quality 92",
    ):
        assert size in words
    first = ClipRenderer(face, plan)
    difference = face_panels.grey(first.frame(plan.apex)) - face_panels.grey(first.frame(plan.onset))
    np.testing.assert_allclose(picture(figure.axes[0]), difference)
    with pytest.raises(ParameterError, match="expected one clip or more"):
        synthetic_nuisances.nuisance_ladder(face, [])
