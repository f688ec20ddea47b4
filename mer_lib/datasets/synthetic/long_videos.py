"""Long videos, in which expressions are to be found: micro and macro, among blinks, glances and turns of the head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from mer_lib.datasets.synthetic import timing
from mer_lib.datasets.synthetic.action_units import Unit
from mer_lib.datasets.synthetic.emotions import EMOTIONS
from mer_lib.datasets.synthetic.habits import Habits, Style
from mer_lib.datasets.synthetic.plan import (
    Plan,
    draw_expression,
    draw_pose,
    draw_wandering,
    facs,
    find_marks,
    gaze_target,
    ordered,
    read_arrays,
)
from mer_lib.datasets.synthetic.recording import Recording
from mer_lib.datasets.synthetic.streams import stream
from mer_lib.errors import DataError, ParameterError

Kind = Literal["micro", "macro", "blink", "gaze", "pose"]
KINDS: tuple[Kind, ...] = get_args(Kind)
#: Kinds of intervals in which the expression is not zero.
EXPRESSIONS: tuple[Kind, ...] = ("micro", "macro")
#: Neutral time between two expressions, and at either end of a video, in seconds, at least.
GAP_S = 0.5
#: Shortest and longest video in seconds.
SECONDS = (2.0, 600.0)

# How much stronger a macro-expression is than a micro-expression, before the units' limits cut it.
_MACRO_STRENGTH = (3.0, 5.0)
# Shortest and longest time that a slow change of pose takes, in seconds.
_POSE_CHANGE_S = (0.8, 2.5)


@dataclass(frozen=True)
class Interval:
    """One thing that happens in a video: indices of frames from 0.

    Nothing of it is to be seen up to `onset` and from `offset` on; a new gaze or pose stays, and its change is
    complete at `offset`.
    """

    #: "micro", "macro", "blink", "gaze" or "pose".
    kind: Kind
    #: Last frame before it begins.
    onset: int
    #: Frame of the greatest displacement; of a blink, the most closed one; of a gaze or pose, equal to the offset.
    apex: int
    #: First frame after it has ended.
    offset: int
    #: Emotion of a micro- or macro-expression, else None.
    emotion: str | None = None
    #: Action units of a micro- or macro-expression.
    units: tuple[Unit, ...] = ()

    @property
    def action_units(self) -> str:
        """The units in the notation of FACS, such as ``"1+2"`` or ``"R14"``; empty without an expression."""
        return facs(self.units)


@dataclass(frozen=True, eq=False, kw_only=True)
class VideoPlan(Plan):
    """A long video: the curves of any plan, and what happens when.

    Outside the intervals of kind micro and macro every intensity is exactly 0; these do not overlap. Blinks, glances
    and turns of the head happen at any time.
    """

    #: Everything that happens, sorted by onset.
    intervals: tuple[Interval, ...]

    def of_kind(self, *kinds: Kind) -> tuple[Interval, ...]:
        """Return the intervals of these kinds, sorted by onset.

        Raises:
            ParameterError: a kind is unknown.
        """
        if not set(kinds) <= set(KINDS):
            raise ParameterError(f"kinds: expected some of {', '.join(KINDS)}, got {kinds}")
        return tuple(interval for interval in self.intervals if interval.kind in kinds)

    def _mark_faults(self) -> list[str]:
        wrong = [
            interval
            for interval in self.intervals
            if interval.kind not in KINDS
            or not 0 <= interval.onset <= interval.apex <= interval.offset < self.n_frames
            or not set(interval.units) <= set(self.units)
        ]
        faults = [f"intervals: expected 0 <= onset <= apex <= offset < {self.n_frames}, got {one}" for one in wrong]
        if list(self.intervals) != sorted(self.intervals, key=_by_time):
            faults.append("intervals: expected them sorted by onset")
        expressions = [interval for interval in self.intervals if interval.kind in EXPRESSIONS]
        for first, second in zip(expressions, expressions[1:], strict=False):
            if second.onset < first.offset:
                faults.append(f"intervals: expected expressions that do not overlap, got {first} and {second}")
        return faults

    def marks(self) -> dict[str, Any]:
        """Return the intervals."""
        return {"intervals": [asdict(interval) for interval in self.intervals]}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> VideoPlan:
        """Return the video whose :meth:`to_arrays` are `arrays` (a dictionary or an opened npz file), exactly.

        Raises:
            DataError: an array is missing, or the description cannot be read.
            ParameterError: the values do not make a plan.
        """
        curves, description = read_arrays(arrays)
        try:
            intervals = tuple(
                Interval(**{**found, "units": tuple(Unit(*unit) for unit in found["units"])})
                for found in description["intervals"]
            )
        except (KeyError, TypeError) as error:
            raise DataError(f"truth of a video: expected its intervals, got {error!r}; make the video again") from None
        return cls(**curves, intervals=intervals)


class _Expression(NamedTuple):
    """An expression before it has its place in the video."""

    name: str
    kind: Kind
    emotion: str
    phases: timing.Phases
    strength: float


class _Moved(NamedTuple):
    """A curve (T, ...) and the intervals in it."""

    curve: np.ndarray
    intervals: list[Interval]


def plan_video(
    sample_id: str,
    habits: Habits,
    style: Style,
    recording: Recording,
    seconds: float,
    n_micro: int,
    n_macro: int,
    emotions: Sequence[str] | None = None,
) -> VideoPlan:
    """Draw a video with some micro- and macro-expressions of one subject, neutral at both ends.

    It depends on the arguments only; what happens is drawn in seconds, as in :func:`plan_clip`.

    Args:
        sample_id: names the video and its random streams.
        habits: of the subject.
        style: of the database.
        recording: camera and nuisances; its rates a minute say how often the subject blinks, looks elsewhere and moves.
        seconds: length of the video, 2 to 600.
        n_micro: number of micro-expressions.
        n_macro: number of macro-expressions (0.6 s to about 4 s), three to five times as strong.
        emotions: those to draw from; by default all.

    Raises:
        ParameterError: a number is out of range, the expressions do not fit into the video, or an emotion is unknown.
    """
    _check(seconds, n_micro, n_macro)
    times = timing.frame_times(round(seconds * recording.fps), recording.fps)
    expressions = _draw_expressions(sample_id, habits, recording, n_micro, n_macro, emotions or tuple(EMOTIONS))
    units, face = _place(sample_id, expressions, habits, style, times, seconds)
    blinks = _blinks(sample_id, recording, times)
    gaze = _gaze(sample_id, recording, times)
    pose = _pose(sample_id, recording, times)
    return VideoPlan(
        sample_id=sample_id,
        recording=recording,
        units=units,
        intensity=face.curve,
        head=pose.curve + draw_wandering(sample_id, habits, recording, times),
        blink=blinks.curve,
        gaze=gaze.curve,
        gain=timing.light(stream(sample_id, "light"), times, recording),
        intervals=tuple(sorted([*face.intervals, *blinks.intervals, *gaze.intervals, *pose.intervals], key=_by_time)),
    )


def _check(seconds: float, n_micro: int, n_macro: int) -> None:
    if not SECONDS[0] <= seconds <= SECONDS[1]:
        raise ParameterError(f"seconds: expected {SECONDS[0]:g} to {SECONDS[1]:g}, got {seconds!r}")
    for name, count in (("n_micro", n_micro), ("n_macro", n_macro)):
        if not isinstance(count, int) or count < 0:
            raise ParameterError(f"{name}: expected a whole number, 0 or more, got {count!r}")


def _by_time(interval: Interval) -> tuple[int, int, str]:
    return interval.onset, interval.offset, interval.kind


def _draw_expressions(
    sample_id: str, habits: Habits, recording: Recording, n_micro: int, n_macro: int, emotions: Sequence[str]
) -> list[_Expression]:
    """All expressions, in the order in which they come."""
    kinds: list[Kind] = [*["micro"] * n_micro, *["macro"] * n_macro]  # type: ignore[list-item]
    stream(sample_id, "order").shuffle(kinds)
    found = []
    for number, kind in enumerate(kinds):
        name = f"{sample_id}/expression {number}"
        rng = stream(name, "time")
        emotion, strength = str(rng.choice(list(emotions))), rng.uniform(*_MACRO_STRENGTH)
        if kind == "micro":
            phases, strength = timing.draw_micro_phases(rng, habits.speed, recording.fps), 1.0
        else:
            phases = timing.draw_macro_phases(rng, habits.speed)
        found.append(_Expression(name, kind, emotion, phases, strength))
    return found


def _place(
    sample_id: str,
    expressions: Sequence[_Expression],
    habits: Habits,
    style: Style,
    times: np.ndarray,
    seconds: float,
) -> tuple[tuple[Unit, ...], _Moved]:
    """Units that move, their intensity (T, units), and the intervals of the expressions."""
    moved: dict[Unit, np.ndarray] = {}
    intervals = []
    for expression, onset in zip(expressions, _onsets(sample_id, expressions, seconds), strict=True):
        _, kind, emotion, phases, strength = expression
        curves = draw_expression(expression.name, emotion, habits, style, phases, times, onset, strength)
        for unit, curve in curves.items():
            moved[unit] = moved.get(unit, np.zeros_like(times)) + curve
        total = np.sum(list(curves.values()), axis=0)
        intervals.append(Interval(kind, *find_marks(total), emotion, ordered(curves)))
    units = ordered(moved)
    return units, _Moved(np.array([moved[unit] for unit in units]).reshape(len(units), len(times)).T, intervals)


def _onsets(sample_id: str, expressions: Sequence[_Expression], seconds: float) -> np.ndarray:
    """When each starts: what time is left is shared out among the gaps by chance."""
    lengths = np.array([expression.phases.whole for expression in expressions])
    spare = seconds - lengths.sum() - GAP_S * (len(lengths) + 1)
    if spare < 0:
        raise ParameterError(
            f"seconds: expected {seconds - spare:.1f} or more for these {len(lengths)} expressions with gaps of "
            f"{GAP_S:g} s, got {seconds:g}; make the video longer or ask for fewer"
        )
    gaps = GAP_S + spare * stream(sample_id, "places").dirichlet(np.ones(len(lengths) + 1))
    return np.cumsum(gaps[:-1]) + np.cumsum(lengths) - lengths


def _moments(rng: np.random.Generator, per_minute: float, apart: float, seconds: float) -> list[float]:
    """Times of what happens at random: at least `apart` seconds between two, `per_minute` of them on average."""
    found: list[float] = []
    if per_minute <= 0:
        return found
    at = rng.uniform(-apart, 0)
    while True:
        at += apart + rng.exponential(max(60 / per_minute - apart, 0.1))
        if at >= seconds:
            return found
        found.append(at)


def _changed(kind: Kind, change: np.ndarray) -> list[Interval]:
    """The interval in which `change` (T,) goes from 0 to 1; none if it lies between two frames of the video's end."""
    before, after = np.flatnonzero(change <= 0), np.flatnonzero(change >= 1)
    if not len(before) or not len(after):
        return []
    return [Interval(kind, int(before[-1]), int(after[0]), int(after[0]))]


def _blinks(sample_id: str, recording: Recording, times: np.ndarray) -> _Moved:
    curve, intervals = np.zeros_like(times), []
    seconds = times[-1] - timing.BLINK_S
    for at in _moments(stream(sample_id, "blink"), recording.blinks_per_minute, 2 * timing.BLINK_S, seconds):
        one = timing.blink(times, at + timing.CLOSING_S)
        curve = np.maximum(curve, one)
        intervals.append(Interval("blink", *find_marks(one)))
    return _Moved(curve, intervals)


def _gaze(sample_id: str, recording: Recording, times: np.ndarray) -> _Moved:
    rng = stream(sample_id, "gaze")
    return _steps(
        "gaze",
        np.zeros(2),
        [
            (timing.saccade(times, at), gaze_target(stream(sample_id, "gaze", number), recording))
            for number, at in enumerate(_moments(rng, recording.gaze_shifts_per_minute, 0.3, times[-1] - 0.1))
        ],
        len(times),
    )


def _pose(sample_id: str, recording: Recording, times: np.ndarray) -> _Moved:
    rng, longest = stream(sample_id, "pose changes"), _POSE_CHANGE_S[1]
    changes = []
    moments = _moments(rng, recording.pose_changes_per_minute, longest, times[-1] - longest)
    for number, at in enumerate(moments):
        duration = stream(sample_id, "pose changes", number).uniform(*_POSE_CHANGE_S)
        target = draw_pose(f"{sample_id}/pose {number}", recording)
        changes.append((timing.smoothstep((times - at) / duration), target))
    return _steps("pose", draw_pose(sample_id, recording), changes, len(times))


def _steps(kind: Kind, start: np.ndarray, changes: list[tuple[np.ndarray, np.ndarray]], n_frames: int) -> _Moved:
    """From `start` to one target after the other: curve (T, len(start)), and an interval for each change."""
    curve, intervals, here = np.tile(start, (n_frames, 1)), [], start
    for change, target in changes:
        curve = curve + np.outer(change, target - here)
        intervals += _changed(kind, change)
        here = target
    return _Moved(curve, intervals)
