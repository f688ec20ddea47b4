"""Plans of synthetic clips and videos: what is drawn, within which bounds, and that it depends on names alone."""

from __future__ import annotations

import io
from dataclasses import fields, replace
from functools import lru_cache

import numpy as np
import pytest

from mer_lib.datasets.synthetic import timing
from mer_lib.datasets.synthetic.action_units import ACTION_UNITS, LIMIT, UNITS, Unit
from mer_lib.datasets.synthetic.emotions import EMOTIONS, LABEL3, Combination
from mer_lib.datasets.synthetic.habits import HABIT_UNITS, Style, draw_habits, draw_peaks, within_limits
from mer_lib.datasets.synthetic.long_videos import EXPRESSIONS, GAP_S, Interval, VideoPlan, plan_video
from mer_lib.datasets.synthetic.plan import HEAD_MOTIONS, ClipPlan, find_marks, plan_clip, posed
from mer_lib.datasets.synthetic.recording import NUISANCES, Recording
from mer_lib.datasets.synthetic.streams import stream
from mer_lib.errors import DataError, ParameterError

# Everybody moves alike: no spread, no habits, the emotions' own weights.
ALIKE = Style(
    magnitude_spread=0, expressiveness_spread=0, asymmetry_sd=0, asymmetry_jitter=0, unit_spread=0, unit_jitter=0,
    habit_probability=0, likeness=float("inf"), speed_spread=0, restlessness_spread=0, lag=0,
)  # fmt: skip
CURVES = ("intensity", "head", "blink", "gaze", "gain")
NAMES = list(EMOTIONS)


def clip(number: int, recording: Recording | None = None, style: Style | None = None, emotion: str = "") -> ClipPlan:
    """Clip `number` of a database, one of seven subjects, any emotion."""
    style = style or Style()
    habits = draw_habits(f"db/{number % 7}", style)
    return plan_clip(f"db/{number % 7}/{number}", emotion or NAMES[number % 9], habits, style, recording or Recording())


@lru_cache
def clips(fps: float = 200, count: int = 300) -> list[ClipPlan]:
    return [clip(number, Recording(fps=fps)) for number in range(count)]


def same(first: ClipPlan | VideoPlan, second: ClipPlan | VideoPlan) -> bool:
    assert type(first) is type(second)
    return all(
        np.array_equal(getattr(first, field.name), getattr(second, field.name))
        if field.name in CURVES
        else getattr(first, field.name) == getattr(second, field.name)
        for field in fields(first)
    )


def differing(first: ClipPlan, second: ClipPlan) -> set[str]:
    return {name for name in CURVES if not np.array_equal(getattr(first, name), getattr(second, name))}


# --- names decide


def test_the_same_id_is_the_same_plan_in_any_order():
    forward = [clip(number) for number in range(12)]
    backward = [clip(number) for number in reversed(range(12))][::-1]
    assert all(same(*pair) for pair in zip(forward, backward, strict=True))


def test_another_id_is_another_plan():
    style = Style()
    habits = draw_habits("db/0", style)
    first, second = (plan_clip(name, "fear", habits, style, Recording()) for name in ("db/0/a", "db/0/b"))
    assert first.n_frames != second.n_frames or differing(first, second) >= {"intensity", "head", "gain"}
    assert not np.array_equal(first.head[:40], second.head[:40])


@pytest.mark.parametrize(
    ("change", "touched"),
    [
        ({"drift_iod": 0.01}, {"head"}),
        ({"tremor_iod": 0.001}, {"head"}),
        ({"pose_yaw_deg": 4.0}, {"head"}),
        ({"flicker": 0.05}, {"gain"}),
        ({"light_drift": 0.05}, {"gain"}),
        ({"blink_probability": 1.0}, {"blink"}),
        ({"gaze_probability": 1.0}, {"gaze"}),
        ({"read_noise": 0.02, "jpeg_quality": 50, "vignette": 0.3, "size": 128, "colour": False}, set()),
    ],
)
def test_one_nuisance_leaves_all_else_as_it_was(change, touched):
    plain = replace(Recording(), blink_probability=0, gaze_probability=0)
    for number in range(5):
        assert differing(clip(number, plain), clip(number, replace(plain, **change))) == touched


def test_one_head_motion_leaves_the_others_as_they_were():
    first, second = clip(3), clip(3, Recording(roll_deg=0.5))
    columns = [motion for motion, a, b in zip(HEAD_MOTIONS, first.head.T, second.head.T, strict=True) if (a != b).any()]
    assert columns == ["roll"]


def test_another_camera_speed_sees_the_same_movement():
    """Every second frame at 200 fps is a frame at 100 fps, but for the longest, which are compressed otherwise."""
    compared = 0
    for fast, slow in zip(clips(200), clips(100), strict=True):
        common = min(slow.n_frames, (fast.n_frames + 1) // 2)
        np.testing.assert_allclose(fast.head[::2][:common], slow.head[:common], atol=1e-12)
        if fast.offset - fast.onset < 0.4 * 200:
            np.testing.assert_allclose(fast.intensity[::2][:common], slow.intensity[:common], atol=1e-12)
            compared += 1
    assert compared > 150


# --- marks and durations


@pytest.mark.parametrize("fps", [200, 100, 30, 20])
def test_apex_is_the_frame_of_the_greatest_displacement_and_all_else_is_neutral(fps):
    for plan in clips(fps):
        displacement = sum(np.abs(column) for column in plan.intensity.T)
        assert plan.apex == int(np.argmax(displacement))
        assert 0 < plan.onset < plan.apex < plan.offset < plan.n_frames - 1
        assert (plan.intensity[: plan.onset + 1] == 0).all()
        assert (plan.intensity[plan.offset :] == 0).all()
        assert (displacement[plan.onset + 1 : plan.offset] > 0).all()


@pytest.mark.parametrize("fps", [200, 100, 30])
def test_durations_are_those_of_micro_expressions(fps):
    frame = 1 / fps
    for plan in clips(fps):
        recording = plan.recording
        rise, fall = (plan.apex - plan.onset) * frame, (plan.offset - plan.apex) * frame
        assert 0.04 - frame <= rise <= 0.25 + 0.05 + frame  # the apex may come anywhere in the hold
        assert 0.05 - frame <= fall <= 0.33 + 0.05 + 2 * frame
        assert rise + fall <= 0.5 + 1e-9
        assert recording.before_s[0] - frame <= plan.onset * frame <= recording.before_s[1]
        assert recording.after_s[0] - frame <= (plan.n_frames - 1 - plan.offset) * frame <= recording.after_s[1] + frame


def test_durations_vary_as_in_real_databases():
    whole = np.array([(plan.offset - plan.onset) / 200 for plan in clips(200)])
    assert 0.25 < np.median(whole) < 0.42
    assert whole.min() < 0.2
    assert whole.max() > 0.45
    share = np.array([(plan.apex - plan.onset) / (plan.offset - plan.onset) for plan in clips(200)])
    assert share.std() > 0.08  # so that the middle frame is no perfect guess of the apex
    assert 0.3 < share.mean() < 0.5


def test_onset_to_apex_follows_the_subjects_speed():
    habits = draw_habits("db/0", ALIKE)
    slow, fast = (
        [plan_clip(f"x/{number}", "fear", replace(habits, speed=speed), ALIKE, Recording()) for number in range(60)]
        for speed in (1.3, 0.7)
    )
    assert np.mean([p.apex - p.onset for p in slow]) > 1.4 * np.mean([p.apex - p.onset for p in fast])


def test_a_pulse_is_smooth_and_exact_at_its_ends():
    phases = timing.Phases(rise=0.1, hold=0.02, fall=0.2, bend=0.8)
    times = np.arange(0, 0.6, 1e-4)
    curve = timing.pulse(times, 0.1, phases, late=0.2, early=0.3)
    assert (curve[times <= 0.1 + 0.02 - 1e-9] == 0).all()
    assert (curve[(times >= 0.2 + 1e-9) & (times <= 0.22)] == 1).all()
    assert (curve[times >= 0.36 + 1e-9] == 0).all()
    rising = (times > 0.1) & (times < 0.2)
    assert (np.diff(curve[rising]) >= 0).all()
    assert np.abs(np.diff(curve, 2)).max() < 5e-5  # no corner: one of slope 10 a second would give 1e-3


def test_units_start_and_end_apart_by_the_style():
    habits = draw_habits("db/0", Style())
    combination = next(i for i, found in enumerate(EMOTIONS["fear"]) if len(found.shares) == 4)
    one = tuple(float(i == combination) for i in range(len(EMOTIONS["fear"])))
    habits = replace(habits, preferences={**habits.preferences, "fear": one}, habit_probability=0)
    for lag, distinct in ((0.0, 1), (0.3, 4)):
        plan = plan_clip("a", "fear", habits, Style(lag=lag), Recording(fps=5000))
        starts = {int(np.flatnonzero(column)[0]) for column in plan.intensity.T}
        ends = {int(np.flatnonzero(column)[-1]) for column in plan.intensity.T}
        assert (len(starts), len(ends)) == (distinct, distinct)


def test_marks_of_curves_without_neutral_ends():
    assert find_marks(np.zeros(5)) == (0, 0, 0)
    assert find_marks(np.ones(5)) == (0, 0, 4)
    assert find_marks(np.array([0.0, 0, 2, 2, 1, 0])) == (1, 2, 5)


# --- units and intensities


def test_intensities_hold_their_limits_even_of_the_strongest_people():
    strong = Style(magnitude_iod=0.05, expressiveness_spread=1.0, habit_probability=1.0)
    reached = 0
    for plan in [*clips(), *(clip(number, style=strong) for number in range(200))]:
        assert plan.units
        assert list(plan.units) == [unit for unit in UNITS if unit in plan.units]
        assert (plan.intensity >= 0).all()
        limits = np.array([LIMIT[unit.number] for unit in plan.units])
        assert (plan.intensity <= limits).all()
        reached += bool(np.isclose(plan.intensity.max(axis=0), limits).any())
        for side in (-1, 1):
            own = [index for index, unit in enumerate(plan.units) if unit.side == side]
            assert (plan.intensity[:, own] / limits[own]).sum(axis=1).max(initial=0) <= 1.5 + 1e-9
    assert reached > 10


def test_peaks_within_limits_stay_as_they_are():
    peaks = {Unit(12, -1): 0.02, Unit(6, 1): 0.01}
    assert within_limits(peaks) == peaks
    assert within_limits({Unit(12, -1): 1.0})[Unit(12, -1)] == LIMIT[12]
    loaded = within_limits({Unit(number, 1): 1.0 for number in (6, 12, 14)})
    assert sum(peak / LIMIT[unit.number] for unit, peak in loaded.items()) == pytest.approx(1.5)


def test_every_emotion_has_several_combinations_and_a_class():
    assert set(EMOTIONS) == set(LABEL3)
    assert len(EMOTIONS) == 9
    for found in EMOTIONS.values():
        assert len({(tuple(sorted(each.shares)), each.unilateral) for each in found}) >= 3
        assert sum(each.weight for each in found) == pytest.approx(1)
    assert [name for name, label3 in LABEL3.items() if label3 is None] == ["others"]
    assert {"positive", "negative", "surprise"} == {label3 for label3 in LABEL3.values() if label3}


def shown(emotion: str, name: str, habits, style: Style) -> tuple[int, ...]:
    return tuple(sorted({unit.number for unit in draw_peaks(name, emotion, habits, style)}))


@pytest.mark.parametrize("emotion", ["happiness", "surprise", "fear"])
def test_combinations_come_as_often_as_their_weights(emotion):
    habits = draw_habits("db/0", ALIKE)
    drawn = [shown(emotion, f"{number}", habits, ALIKE) for number in range(1500)]
    expected: dict[tuple[int, ...], float] = {}
    for found in EMOTIONS[emotion]:
        key = tuple(sorted(found.shares))
        expected[key] = expected.get(key, 0) + found.weight
    assert set(drawn) == set(expected)
    for key, weight in expected.items():
        assert drawn.count(key) / 1500 == pytest.approx(weight, abs=4 * (weight * (1 - weight) / 1500) ** 0.5)


def test_subjects_have_favourite_combinations_and_keep_them():
    style = replace(ALIKE, likeness=1.5)
    for name in ("a", "b", "c"):
        habits = draw_habits(name, style)
        favourite = int(np.argmax(habits.preferences["disgust"]))
        drawn = [shown("disgust", f"{name}/{number}", habits, style) for number in range(400)]
        key = tuple(sorted(EMOTIONS["disgust"][favourite].shares))
        expected = sum(
            p for p, found in zip(habits.preferences["disgust"], EMOTIONS["disgust"], strict=True)
            if tuple(sorted(found.shares)) == key
        )  # fmt: skip
        assert drawn.count(key) / 400 == pytest.approx(expected, abs=0.1)
    everybody = [draw_habits(f"s{number}", style).preferences["disgust"] for number in range(400)]
    weights = [found.weight for found in EMOTIONS["disgust"]]
    np.testing.assert_allclose(np.mean(everybody, axis=0), weights, atol=0.06)
    assert np.std(everybody, axis=0).min() > 0.1


def test_habitual_units_join_in_as_often_as_the_habit_says():
    style = replace(ALIKE, habit_probability=0.5)
    habits = replace(draw_habits("db/0", style), habitual_units=(17, 24), habit_probability=0.4)
    joined = [set(shown("surprise", f"{number}", habits, style)) & {17, 24} for number in range(800)]
    assert np.mean([bool(units) for units in joined]) == pytest.approx(0.4, abs=0.07)
    assert all(len(units) <= 1 for units in joined)
    assert {17} in joined
    assert {24} in joined


def test_habits_differ_between_subjects_and_stay_within_one():
    style = Style()
    assert draw_habits("db/1", style) == draw_habits("db/1", style)
    people = [draw_habits(f"db/{number}", style) for number in range(600)]
    assert np.std(np.log([each.expressiveness for each in people])) == pytest.approx(0.35, rel=0.12)
    assert np.std([each.asymmetry for each in people]) == pytest.approx(0.25, rel=0.12)
    assert np.std(np.log([each.unit_gains[12] for each in people])) == pytest.approx(0.45, rel=0.12)
    assert np.std(np.log([each.speed for each in people])) == pytest.approx(0.25, rel=0.12)
    assert np.mean(np.square([each.restlessness for each in people])) == pytest.approx(1, rel=0.15)
    assert {unit for each in people for unit in each.habitual_units} == set(HABIT_UNITS)
    assert set(people[0].unit_gains) == set(ACTION_UNITS)


def test_one_value_of_a_style_governs_one_habit():
    first, second = draw_habits("db/1", Style()), draw_habits("db/1", Style(expressiveness_spread=0.1))
    changed = [field.name for field in fields(first) if getattr(first, field.name) != getattr(second, field.name)]
    assert changed == ["expressiveness"]


def test_asymmetry_is_the_subjects_own():
    style = replace(ALIKE, asymmetry_jitter=0.05)
    habits = replace(draw_habits("db/0", style), asymmetry=0.3)
    ratios = []
    for number in range(100):
        peaks = draw_peaks(f"{number}", "sadness", habits, style)
        ratios += [peaks[Unit(unit.number, 1)] / peaks[unit] for unit in peaks if unit.side == -1]
    assert np.median(ratios) == pytest.approx(1.3 / 0.7, rel=0.05)
    even = draw_peaks("0", "sadness", draw_habits("db/0", ALIKE), ALIKE)
    assert all(even[Unit(unit.number, -1)] == even[Unit(unit.number, 1)] for unit in even)


def test_contempt_moves_one_side_either_one():
    habits = draw_habits("db/0", ALIKE)
    sides = []
    for number in range(200):
        peaks = draw_peaks(f"{number}", "contempt", habits, ALIKE)
        found = {unit.side for unit in peaks}
        assert len(found) == 1
        sides += found
    assert 70 < sides.count(1) < 130
    plan = plan_clip("0", "contempt", habits, ALIKE, Recording())
    assert plan.action_units[0] == ("R" if plan.units[0].side == -1 else "L")
    assert not any(each.unilateral for name in ("fear", "anger", "sadness") for each in EMOTIONS[name])


def test_a_habitual_unit_keeps_both_sides_beside_a_one_sided_expression():
    style = replace(ALIKE, habit_probability=1.0)
    habits = replace(draw_habits("db/0", style), habitual_units=(4,), habit_probability=1.0)
    peaks = draw_peaks("0", "contempt", habits, style)
    assert {unit.side for unit in peaks if unit.number == 4} == {-1, 1}
    assert len({unit.side for unit in peaks if unit.number != 4}) == 1


def test_magnitude_is_that_of_the_style():
    habits = draw_habits("db/0", ALIKE)
    peaks = draw_peaks("0", "repression", habits, ALIKE)
    number = next(iter(peaks)).number
    share = next(
        each.shares[number] for each in EMOTIONS["repression"] if set(each.shares) == {u.number for u in peaks}
    )
    assert peaks[Unit(number, 1)] == pytest.approx(ALIKE.magnitude_iod * share)
    spread = [draw_peaks(f"{number}", "others", habits, replace(ALIKE, magnitude_spread=0.4)) for number in range(500)]
    single = [peaks[Unit(4, 1)] for peaks in spread if {unit.number for unit in peaks} == {4}]
    assert np.std(np.log(single)) == pytest.approx(0.4, rel=0.15)


# --- nuisance


def test_heads_wander_as_much_as_asked_over_many_clips():
    recording = Recording(
        drift_iod=0.003, roll_deg=0.1, yaw_deg=0.2, pitch_deg=0.3, scale_rel=0.001, tremor_iod=0, pose_iod=0,
        pose_roll_deg=0, pose_yaw_deg=0, pose_pitch_deg=0, pose_scale_rel=0,
    )  # fmt: skip
    heads = [clip(number, recording, replace(Style(), restlessness_spread=0)).head[:40] for number in range(500)]
    asked = [0.003, 0.003, 0.1, 0.2, 0.3, 0.001]
    rms = np.sqrt(np.mean(np.square(heads), axis=0))
    np.testing.assert_allclose(rms[0], asked, rtol=0.15)  # in the first frame as in any other
    np.testing.assert_allclose(rms[39], asked, rtol=0.15)
    still = clip(0, recording.without_nuisance()).head
    assert (still == 0).all()


def test_restless_heads_wander_more_but_are_posed_alike():
    style = Style()
    habits = replace(draw_habits("db/0", style), restlessness=1.0)
    calm, restless = (
        plan_clip("a", "fear", replace(habits, restlessness=factor), style, Recording()).head for factor in (1.0, 3.0)
    )
    pose = plan_clip("a", "fear", replace(habits, restlessness=0.0), style, Recording()).head
    assert (pose == pose[0]).all()
    np.testing.assert_allclose(restless - pose, 3 * (calm - pose), atol=1e-12)


def test_poses_spread_as_much_as_asked_and_no_further_than_two_sd():
    recording = Recording(drift_iod=0, roll_deg=0, yaw_deg=0, pitch_deg=0, scale_rel=0, tremor_iod=0)
    heads = [clip(number, recording).head for number in range(500)]
    assert all((head == head[0]).all() for head in heads)
    poses = np.array([head[0] for head in heads])
    asked = np.array([0.05, 0.05, 1.5, 2.0, 2.0, 0.02])
    np.testing.assert_allclose(poses.std(axis=0), 0.95 * asked, rtol=0.12)
    assert (np.abs(poses) <= 2 * asked).all()


def test_wandering_is_slow_and_tremor_fast():
    times = timing.frame_times(20000, 100)
    for draw, (low, high) in ((timing.wander, (0.1, 2.6)), (timing.tremor, (5.9, 12.1))):
        power = sum(np.abs(np.fft.rfft(draw(stream(f"{number}"), times))) ** 2 for number in range(20))
        hertz = np.fft.rfftfreq(20000, 1 / 100)
        assert power[(hertz >= low) & (hertz <= high)].sum() > 0.99 * power.sum()


@pytest.mark.parametrize(
    ("fps", "mains_hz", "seen_hz"), [(1000, 50, 100), (240, 50, 100), (120, 50, 20), (90, 50, 10), (200, 60, 80)]
)
def test_flicker_is_seen_at_twice_the_mains_folded_by_the_camera(fps, mains_hz, seen_hz):
    recording = Recording(fps=fps, mains_hz=mains_hz, flicker=0.01, light_drift=0)
    gain = timing.light(stream("a"), timing.frame_times(4 * fps, fps), recording)
    spectrum = np.abs(np.fft.rfft(gain - gain.mean()))
    assert np.argmax(spectrum) / 4 == pytest.approx(seen_hz)
    assert 2 * spectrum.max() / len(gain) == pytest.approx(0.01, rel=1e-6)


def test_light_drifts_slowly_and_as_far_as_asked():
    recording = Recording(flicker=0, light_drift=0.04)
    for number in range(5):
        gain = timing.light(stream(f"{number}"), timing.frame_times(2000, 200), recording)
        assert (gain.min(), gain.max()) == pytest.approx((0.96, 1.04), abs=1e-3)
        assert np.abs(np.diff(gain)).max() * 200 <= 0.04 * 2 * np.pi * 1.0


@pytest.mark.parametrize("fps", [100, 50])
def test_flicker_of_100_hz_is_a_constant_at_100_and_50_fps(fps):
    recording = Recording(fps=fps, mains_hz=50, flicker=0.05, light_drift=0)
    gains = [timing.light(stream(f"{number}"), timing.frame_times(99, fps), recording) for number in range(20)]
    assert max(np.ptp(gain) for gain in gains) < 1e-12
    assert np.ptp([gain[0] for gain in gains]) > 0.05  # another constant in every clip


def test_blinks_and_gaze_shifts_are_as_likely_as_asked():
    recording = Recording(blink_probability=0.3, gaze_probability=0.6)
    plans = [clip(number, recording) for number in range(500)]
    assert np.mean([plan.blink.any() for plan in plans]) == pytest.approx(0.3, abs=0.07)
    assert np.mean([plan.gaze.any() for plan in plans]) == pytest.approx(0.6, abs=0.08)
    both = np.mean([plan.blink.any() and plan.gaze.any() for plan in plans])
    assert both == pytest.approx(0.18, abs=0.06)
    assert all(plan.blink.min() >= 0 and plan.blink.max() <= 1 for plan in plans)
    reach = np.abs([plan.gaze[-1] for plan in plans]).max(axis=0)
    assert 0.04 < reach[0] <= 0.06
    assert reach[1] <= 0.03


def test_a_blink_shuts_quicker_than_it_opens():
    times = np.arange(0, 1, 0.001)
    curve = timing.blink(times, 0.5)
    shut = np.flatnonzero(curve == 1)
    moving = np.flatnonzero(curve)
    assert 0.02 < len(shut) / 1000 < 0.04
    assert shut[0] - moving[0] < moving[-1] - shut[-1]
    assert (moving[-1] - moving[0]) / 1000 == pytest.approx(timing.BLINK_S, abs=0.003)


# --- plans by hand, and on paper


def test_posed_moves_what_it_is_told_and_nothing_else():
    plan = posed({12: 0.02, (14, -1): 0.01}, n_frames=11)
    assert plan.units == (Unit(12, -1), Unit(12, 1), Unit(14, -1))
    np.testing.assert_allclose(plan.intensity[plan.apex], [0.02, 0.02, 0.01])
    assert (plan.onset, plan.apex, plan.offset, len(plan)) == (0, 5, 10, 11)
    assert not plan.head.any()
    assert not plan.blink.any()
    assert not plan.gaze.any()
    assert (plan.gain == 1).all()
    assert plan.recording == Recording().without_nuisance()
    assert plan.recording.jpeg_quality is None
    assert all(getattr(plan.recording, name) == 0 for name in NUISANCES)


@pytest.mark.parametrize("n_frames", [3, 4, 20, 41])
def test_posed_reaches_its_intensity_at_any_length(n_frames):
    plan = posed({12: 0.02}, n_frames=n_frames)
    assert (plan.intensity[plan.apex] == 0.02).all()
    assert (plan.onset, plan.apex, plan.offset) == (0, n_frames // 2, n_frames - 1)


def test_posed_follows_a_curve_and_a_camera():
    plan = posed({(2, 1): 0.03}, Recording(size=128), curve=np.array([0, 0.5, 1, 0]), emotion="surprise")
    np.testing.assert_allclose(plan.intensity[:, 0], [0, 0.015, 0.03, 0])
    assert (plan.recording.size, plan.emotion, plan.apex, plan.action_units) == (128, "surprise", 2, "L2")
    still = posed({}, n_frames=4)
    assert (still.intensity.shape, still.onset, still.apex, still.offset) == ((4, 0), 0, 0, 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"units": {12: 0.5}}, "expected 0 to"),
        ({"units": {12: -0.01}}, "expected 0 to"),
        ({"units": {3: 0.01}}, "UNITS"),
        ({"units": {(12, 0): 0.01}}, "UNITS"),
        ({"units": {12: 0.01}, "n_frames": 2}, "3 or more"),
        ({"units": {12: 0.01}, "curve": np.array([0, 2.0])}, "from 0 to 1"),
        ({"units": {12: 0.01}, "curve": np.array([0, np.nan])}, "from 0 to 1"),
        ({"units": {12: 0.01}, "emotion": "boredom"}, "happiness"),
        ({"units": {12: float("nan")}}, "finite"),
    ],
)
def test_posed_says_what_is_wrong(arguments, words):
    with pytest.raises(ParameterError, match=words):
        posed(**arguments)


def through_a_file(plan: ClipPlan | VideoPlan) -> ClipPlan | VideoPlan:
    file = io.BytesIO()
    np.savez(file, **plan.to_arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        return type(plan).from_arrays(arrays)


def test_truth_comes_back_exactly():
    odd = Recording(fps=59.94, mains_hz=60, jpeg_quality=None, colour=False, read_noise=1 / 3, before_s=(0.1, 0.7))
    for plan in (clip(4), clip(8, odd), posed({}), posed({5: 0.01})):
        again = through_a_file(plan)
        assert same(plan, again)
        assert all(getattr(again, name).dtype == np.float64 for name in CURVES)


def test_damaged_truth_is_refused():
    arrays = clip(0).to_arrays()
    with pytest.raises(DataError, match="head"):
        ClipPlan.from_arrays({name: array for name, array in arrays.items() if name != "head"})
    for text in ("no json", "[]", "{}", '{"sample_id": "a"}'):
        with pytest.raises(DataError, match="make the clip again"):
            ClipPlan.from_arrays({**arrays, "description": np.array(text)})
    for text in (str(arrays["description"]).replace('"apex"', '"peak"'), '"fps"'):
        with pytest.raises(DataError):
            ClipPlan.from_arrays({**arrays, "description": np.array(text)})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"apex": 1}, "where the intensity has them"),
        ({"head": np.zeros((21, 5))}, r"head: expected shape \(21, 6\)"),
        ({"intensity": np.zeros((21, 3))}, "intensity: expected shape"),
        ({"gaze": np.full((21, 2), np.nan)}, "gaze: expected finite"),
        ({"blink": np.full(21, 1.5)}, "blink: expected 0 to 1"),
        ({"units": (Unit(12, 1), Unit(12, 1))}, "each unit once"),
        ({"units": (Unit(12, 1), Unit(13, 1))}, "UNITS"),
    ],
)
def test_plans_that_contradict_themselves_are_refused(change, words):
    with pytest.raises(ParameterError, match=words):
        replace(posed({12: 0.02}), **change)


@pytest.mark.parametrize(
    "change",
    [
        {"fps": 10}, {"fps": float("nan")}, {"size": 320.0}, {"size": 8}, {"jpeg_quality": 0}, {"jpeg_quality": 92.5},
        {"read_noise": -0.1}, {"colour": 1}, {"blink_probability": 1.5}, {"before_s": (0.3, 0.1)},
        {"after_s": [0.1, 0.2]}, {"after_s": (0.0, 0.2)}, {"pose_yaw_deg": 90}, {"fps": "200"},
    ],
)  # fmt: skip
def test_recordings_out_of_range_are_refused(change):
    with pytest.raises(ParameterError, match=f"{next(iter(change))}: expected .* got"):
        Recording(**change)


def test_all_faults_of_a_recording_are_said_at_once():
    with pytest.raises(ParameterError, match="(?s)fps.*vignette.*size"):
        Recording(fps=-1, vignette=3, size=0)


def test_recordings_of_another_version_are_refused():
    values = Recording().to_json()
    with pytest.raises(ParameterError, match=r"unknown \['sparkle'\] and missing \['fps'\]"):
        Recording.from_json({name: v for name, v in values.items() if name != "fps"} | {"sparkle": 1})


@pytest.mark.parametrize("change", [{"lag": 0.7}, {"likeness": 0}, {"magnitude_iod": 0}, {"unit_spread": "1"}])
def test_styles_out_of_range_are_refused(change):
    with pytest.raises(ParameterError, match=f"{next(iter(change))}: expected"):
        Style(**change)


def test_unknown_emotions_and_units_are_refused():
    with pytest.raises(ParameterError, match="boredom"):
        plan_clip("a", "boredom", draw_habits("a", Style()), Style(), Recording())
    with pytest.raises(ParameterError, match="action units"):
        Combination(0.5, {3: 1.0})
    with pytest.raises(ParameterError, match="above 0 to 1"):
        Combination(0.5, {4: 1.5})


# --- long videos


@lru_cache
def video(number: int = 0, fps: float = 30, seconds: float = 30, n_micro: int = 4, n_macro: int = 3) -> VideoPlan:
    style = Style()
    habits = draw_habits(f"v/{number}", style)
    return plan_video(f"v/{number}/x", habits, style, Recording(fps=fps), seconds, n_micro, n_macro)


@pytest.mark.parametrize("fps", [20, 30, 100, 200])
def test_videos_hold_what_was_asked_for_and_nothing_beside(fps):
    for number in range(4):
        plan = video(number, fps)
        assert plan.n_frames == 30 * fps
        assert (len(plan.of_kind("micro")), len(plan.of_kind("macro"))) == (4, 3)
        moving = np.zeros(plan.n_frames, dtype=bool)
        for interval in plan.of_kind(*EXPRESSIONS):
            moving[interval.onset + 1 : interval.offset] = True
        np.testing.assert_array_equal(plan.expression > 0, moving)


@pytest.mark.parametrize("fps", [30, 200])
def test_expressions_in_videos_are_sorted_apart_and_of_their_kinds_length(fps):
    for number in range(4):
        plan = video(number, fps)
        found = plan.of_kind(*EXPRESSIONS)
        assert [interval.onset for interval in plan.intervals] == sorted(i.onset for i in plan.intervals)
        assert found[0].onset >= GAP_S * fps - 1
        assert plan.n_frames - 1 - found[-1].offset >= GAP_S * fps - 2
        for first, second in zip(found, found[1:], strict=False):
            assert second.onset - first.offset >= GAP_S * fps - 2
        for interval in found:
            seconds = (interval.offset - interval.onset) / fps
            assert seconds <= 0.5 if interval.kind == "micro" else 0.5 < seconds <= 4
            assert interval.onset < interval.apex < interval.offset
            assert interval.onset + np.argmax(plan.expression[interval.onset : interval.offset]) == interval.apex
            assert interval.emotion in EMOTIONS
            at_apex = plan.intensity[interval.apex]
            assert {unit for unit, value in zip(plan.units, at_apex, strict=True) if value} == set(interval.units)


def test_macro_expressions_are_stronger_and_below_the_limits():
    peaks: dict[str, list[float]] = {"micro": [], "macro": []}
    for number in range(25):
        plan = video(number)
        limits = [LIMIT[unit.number] for unit in plan.units]
        assert (plan.intensity <= limits).all()
        for interval in plan.of_kind(*EXPRESSIONS):
            peaks[interval.kind].append(plan.intensity[interval.apex].max())
    assert np.median(peaks["macro"]) > 2 * np.median(peaks["micro"])


def test_blinks_gazes_and_poses_are_written_down():
    plan = video(1, fps=100, seconds=60)
    closed = np.zeros(plan.n_frames, dtype=bool)
    for interval in plan.of_kind("blink"):
        closed[interval.onset + 1 : interval.offset] = True
        assert plan.blink[interval.apex] > 0.9
    np.testing.assert_array_equal(plan.blink > 0, closed)
    shifting = np.zeros(plan.n_frames - 1, dtype=bool)
    for interval in plan.of_kind("gaze"):
        shifting[interval.onset : interval.offset] = True
    assert not np.diff(plan.gaze, axis=0)[~shifting].any()
    assert plan.of_kind("pose")
    assert all(0.7 < (interval.offset - interval.onset) / 100 < 2.6 for interval in plan.of_kind("pose"))


def test_videos_blink_and_look_as_often_as_asked():
    plans = [video(number, seconds=60) for number in range(25)]
    # A change of pose is complete within the video, so that the last seconds have none.
    for kind, rate, tolerance in (("blink", 15, 0.15), ("gaze", 12, 0.15), ("pose", 2.8, 0.35)):
        assert np.mean([len(plan.of_kind(kind)) for plan in plans]) == pytest.approx(rate, rel=tolerance)
    quiet = plan_video("q", draw_habits("q", ALIKE), ALIKE, Recording(fps=30).without_nuisance(), 10, 1, 0)
    assert [interval.kind for interval in quiet.intervals] == ["micro"]
    assert not quiet.head.any()
    assert (quiet.gain == 1).all()


def test_videos_depend_on_their_name_alone_and_come_back_exactly():
    first = video(3)
    video.cache_clear()
    assert same(first, video(3))
    assert not np.array_equal(first.head, video(4).head)
    assert same(first, through_a_file(first))
    empty = video(5, n_micro=0, n_macro=0)
    assert (empty.intensity.shape, empty.of_kind(*EXPRESSIONS)) == ((900, 0), ())
    assert same(empty, through_a_file(empty))


def test_videos_show_the_emotions_asked_for():
    style = Style()
    plan = plan_video("v", draw_habits("v", style), style, Recording(fps=30), 30, 5, 2, emotions=("surprise",))
    assert {interval.emotion for interval in plan.of_kind(*EXPRESSIONS)} == {"surprise"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((10, 20, 0), "make the video longer"),
        ((float("nan"), 1, 0), "seconds: expected"),
        ((1, 0, 0), "seconds: expected"),
        ((10, -1, 0), "n_micro: expected"),
        ((10, 0, 1.5), "n_macro: expected"),
        ((10, 1, 0, ("boredom",)), "boredom"),
    ],
)
def test_videos_say_what_is_wrong(arguments, words):
    with pytest.raises(ParameterError, match=words):
        plan_video("v", draw_habits("v", ALIKE), ALIKE, Recording(fps=30), *arguments)


def test_videos_with_wrong_intervals_are_refused():
    plan = video()
    micro = plan.of_kind("micro")[0]
    for intervals in (
        (replace(micro, offset=plan.n_frames),),
        (replace(micro, apex=micro.onset - 1),),
        (replace(micro, kind="wink"),),
        (micro, replace(micro, onset=micro.onset + 1)),
        plan.intervals[::-1],
    ):
        with pytest.raises(ParameterError, match="intervals: expected"):
            replace(plan, intervals=intervals)
    with pytest.raises(ParameterError, match="kinds: expected"):
        plan.of_kind("wink")
    assert Interval("blink", 1, 2, 3).action_units == ""
