"""Plans: everything of a clip that is settled before a frame is rendered, which is also the truth about it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mer_lib.datasets.synthetic import timing
from mer_lib.datasets.synthetic.action_units import LIMIT, UNITS, Unit
from mer_lib.datasets.synthetic.emotions import EMOTIONS
from mer_lib.datasets.synthetic.habits import Habits, Style, draw_peaks
from mer_lib.datasets.synthetic.head_motion import HEAD_MOTIONS
from mer_lib.datasets.synthetic.recording import Recording
from mer_lib.datasets.synthetic.streams import stream
from mer_lib.errors import DataError, ParameterError, fault_list

#: The curves of a plan and the number of columns of each; None: as many as the plan has units, 0: one-dimensional.
_CURVES: Mapping[str, int | None] = {"intensity": None, "head": 6, "blink": 0, "gaze": 2, "gain": 0}


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan:
    """What every plan has, be it of a clip or of a long video of T frames.

    Raises:
        ParameterError: curves of unequal length or wrong shape, values that are no numbers, unknown or repeated
            action units, or intensities outside 0 to the unit's limit.
    """

    #: Names the sample, and with it the noise of its frames: ``stream(sample_id, "noise", index)``.
    sample_id: str
    #: The camera, the light and the nuisances that the curves were drawn with.
    recording: Recording
    #: The action units that move.
    units: tuple[Unit, ...]
    #: float64 (T, len(units)): greatest length of each unit's displacement in IOD, from 0 to the unit's limit.
    intensity: np.ndarray
    #: float64 (T, 6): columns as in HEAD_MOTIONS, relative to the portrait.
    head: np.ndarray
    #: float64 (T,): how far the lids are closed by a blink, 0 open to 1 closed.
    blink: np.ndarray
    #: float64 (T, 2): shift of the eyeballs to the right and down, in IOD.
    gaze: np.ndarray
    #: float64 (T,): factor on the light, about 1.
    gain: np.ndarray

    def __post_init__(self) -> None:
        faults = [*self._unit_faults(), *self._shape_faults()]
        faults = faults or [*self._value_faults(), *self._mark_faults()]
        if faults:
            raise ParameterError(f"plan of {self.sample_id}: correct these:\n{fault_list(faults)}")

    def __len__(self) -> int:
        return len(self.gain)

    @property
    def n_frames(self) -> int:
        """Number of frames T."""
        return len(self.gain)

    @property
    def expression(self) -> np.ndarray:
        """The whole displacement by the expression: float64 (T,), sum over units of their intensity, in IOD."""
        return np.abs(self.intensity).sum(axis=1)

    @property
    def action_units(self) -> str:
        """The units in the notation of FACS, such as ``"1+2"`` or ``"R14"``: see :func:`facs`."""
        return facs(self.units)

    def _unit_faults(self) -> list[str]:
        unknown = [tuple(unit) for unit in self.units if unit not in UNITS]
        faults = [f"units: expected (number, side) of action_units.UNITS, got {unknown}"] if unknown else []
        if len(set(self.units)) != len(self.units):
            faults.append(f"units: expected each unit once, got {[tuple(unit) for unit in self.units]}")
        return faults

    def _shape_faults(self) -> list[str]:
        expected = {
            name: (self.n_frames,) if columns == 0 else (self.n_frames, len(self.units) if columns is None else columns)
            for name, columns in _CURVES.items()
        }
        faults = [
            f"{name}: expected shape {shape}, got {getattr(self, name).shape}"
            for name, shape in expected.items()
            if getattr(self, name).shape != shape
        ]
        return faults if self.n_frames else ["gain: expected one value a frame, got no frame"]

    def _value_faults(self) -> list[str]:
        faults = [
            f"{name}: expected finite numbers, got nan or infinity"
            for name in _CURVES
            if not np.isfinite(getattr(self, name)).all()
        ]
        for unit, curve in zip(self.units, self.intensity.T, strict=True):
            if curve.min() < 0 or curve.max() > LIMIT[unit.number]:
                faults.append(
                    f"intensity of {tuple(unit)}: expected 0 to {LIMIT[unit.number]:.4g} IOD (action_units.LIMIT), "
                    f"got {curve.min():.4g} to {curve.max():.4g}"
                )
        if self.blink.min() < 0 or self.blink.max() > 1:
            faults.append(f"blink: expected 0 to 1, got {self.blink.min():g} to {self.blink.max():g}")
        return faults

    def _mark_faults(self) -> list[str]:
        """Faults of whatever a kind of plan marks in its curves."""
        return []

    def marks(self) -> dict[str, Any]:
        """Return what a kind of plan says beside its curves, as JSON holds it."""
        return {}

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the whole plan as arrays for ``np.savez``, none of which needs pickle.

        The curves go by their names; ``description`` is a text of JSON that holds the rest: sample id, every
        parameter of the recording, units, and the marks of clip or video.
        """
        description = {
            "sample_id": self.sample_id,
            "recording": self.recording.to_json(),
            "units": [[int(number), int(side)] for number, side in self.units],
            **self.marks(),
        }
        return {"description": np.array(json.dumps(description)), **{name: getattr(self, name) for name in _CURVES}}


class Marks(NamedTuple):
    """Three frames of a movement, as indices from 0."""

    onset: int
    apex: int
    offset: int


@dataclass(frozen=True, eq=False, kw_only=True)
class ClipPlan(Plan):
    """A clip of one micro-expression: onset < apex < offset, each a frame of its own, neutral outside.

    In frames 0 to onset and from offset on, every intensity is exactly 0; in all frames between, some unit moves.
    A plan that :func:`posed` makes may start or end in movement, or hold none: then the marks fall together.
    """

    #: One of :data:`~mer_lib.datasets.synthetic.emotions.EMOTIONS`.
    emotion: str
    #: Index of the last frame before any unit moves.
    onset: int
    #: Index of the frame of the greatest :attr:`expression`, the first of several.
    apex: int
    #: Index of the first frame after the last unit has come to rest.
    offset: int

    def _mark_faults(self) -> list[str]:
        faults = []
        if self.emotion not in EMOTIONS:
            faults.append(f"emotion: expected one of {', '.join(EMOTIONS)}, got {self.emotion!r}")
        found = find_marks(self.expression)
        if (self.onset, self.apex, self.offset) != found:
            faults.append(
                f"expected onset, apex, offset where the intensity has them, {tuple(found)}, "
                f"got {(self.onset, self.apex, self.offset)}"
            )
        return faults

    def marks(self) -> dict[str, Any]:
        """Return emotion, onset, apex and offset."""
        return {"emotion": self.emotion, "onset": self.onset, "apex": self.apex, "offset": self.offset}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> ClipPlan:
        """Return the clip whose :meth:`to_arrays` are `arrays` (a dictionary or an opened npz file), exactly.

        Raises:
            DataError: an array is missing, or the description cannot be read.
            ParameterError: the values do not make a plan.
        """
        curves, description = read_arrays(arrays)
        try:
            marks = {name: description[name] for name in ("emotion", "onset", "apex", "offset")}
        except KeyError as error:
            raise DataError(f"truth of a clip: expected {error} in its description; make the clip again") from None
        return cls(**curves, **marks)


def find_marks(expression: np.ndarray) -> Marks:
    """Return onset, apex and offset of the one movement in `expression`.

    Onset is the last frame before the first that is not zero, offset the first frame after the last that is not
    zero (within the array), apex the first of the greatest. Without any movement all three are 0.

    >>> find_marks(np.array([0, 0, 1, 3, 3, 1, 0]))
    Marks(onset=1, apex=3, offset=6)

    Args:
        expression: (T,), summed displacement.
    """
    moving = np.flatnonzero(expression)
    if not len(moving):
        return Marks(0, 0, 0)
    onset, offset = max(int(moving[0]) - 1, 0), min(int(moving[-1]) + 1, len(expression) - 1)
    return Marks(onset, int(np.argmax(expression)), offset)


def facs(units: tuple[Unit, ...]) -> str:
    """Return `units` in the notation of FACS: R and L are the subject's own right and left, absent where both move.

    >>> facs((Unit(1, -1), Unit(1, 1), Unit(14, -1)))
    '1+R14'
    """
    sides: dict[int, set[int]] = {}
    for number, side in units:
        sides.setdefault(number, set()).add(side)
    return "+".join(
        f"{'' if len(found) == 2 else 'R' if found == {-1} else 'L'}{number}" for number, found in sorted(sides.items())
    )


def read_arrays(arrays: Mapping[str, np.ndarray]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what every plan is made of, and the rest of its description, out of :meth:`Plan.to_arrays`.

    Raises:
        DataError: an array is missing, or the description cannot be read.
    """
    missing = sorted({"description", *_CURVES} - set(arrays))
    if missing:
        raise DataError(f"truth of a clip: expected the arrays {missing} too; make the clip again")
    try:
        description = json.loads(str(arrays["description"]))
        plan = {
            "sample_id": description.pop("sample_id"),
            "recording": Recording.from_json(description.pop("recording")),
            "units": tuple(Unit(*unit) for unit in description.pop("units")),
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"truth of a clip: expected a description as Plan.to_arrays writes it, got {error!r}; make the clip again"
        ) from None
    return {**plan, **{name: np.asarray(arrays[name]) for name in _CURVES}}, description


def posed(
    units: Mapping[Unit | tuple[int, int] | int, float],
    recording: Recording | None = None,
    n_frames: int = 21,
    *,
    curve: np.ndarray | None = None,
    emotion: str = "others",
    sample_id: str = "posed",
) -> ClipPlan:
    """Return a plan with chosen units at chosen intensities and no nuisance, for figures and tests.

    >>> posed({12: 0.02, (14, -1): 0.01}).action_units
    '12+R14'

    Args:
        units: intensity at the apex in IOD of each (number, side); a number alone moves both sides.
        recording: camera; by default one without any nuisance, lossless. The head keeps still and the light steady
            in any case; noise, vignette and JPEG are those of `recording`.
        n_frames: length without `curve`: a smooth rise from the first frame to the middle one, and back.
        curve: (T,) share of the intensity in each frame, 0 to 1, instead.
        emotion: name on the plan.
        sample_id: name of the plan.

    Raises:
        ParameterError: a unit is unknown, an intensity is beyond its limit, or the curve is none.
    """
    curve = _rise_and_fall(n_frames) if curve is None else np.asarray(curve, dtype=np.float64)
    if curve.ndim != 1 or not len(curve) or not (np.isfinite(curve).all() and curve.min() >= 0 and curve.max() <= 1):
        raise ParameterError(f"curve: expected (T,) numbers from 0 to 1, got shape {curve.shape}: {curve}")
    amplitudes = _both_sides(units)
    intensity = np.outer(curve, np.array(list(amplitudes.values()), dtype=np.float64))
    onset, apex, offset = find_marks(intensity.sum(axis=1))
    return ClipPlan(
        sample_id=sample_id,
        recording=recording or Recording().without_nuisance(),
        emotion=emotion,
        units=tuple(amplitudes),
        intensity=intensity,
        head=np.zeros((len(curve), len(HEAD_MOTIONS))),
        blink=np.zeros(len(curve)),
        gaze=np.zeros((len(curve), 2)),
        gain=np.ones(len(curve)),
        onset=onset,
        apex=apex,
        offset=offset,
    )


def _rise_and_fall(n_frames: int) -> np.ndarray:
    if n_frames < 3:
        raise ParameterError(f"n_frames: expected 3 or more, so that there is an apex, got {n_frames}")
    return timing.smoothstep(np.interp(np.arange(n_frames), (0, n_frames // 2, n_frames - 1), (0, 1, 0)))


def _both_sides(units: Mapping[Unit | tuple[int, int] | int, float]) -> dict[Unit, float]:
    """Units in the order of UNITS, numbers alone taken for both sides."""
    found: dict[Unit, float] = {}
    for unit, value in units.items():
        for one in [(unit, -1), (unit, 1)] if isinstance(unit, int) else [unit]:
            found[Unit(*one)] = value
    unknown = [tuple(unit) for unit in found if unit not in UNITS]
    if unknown:
        raise ParameterError(f"units: expected (number, side) of action_units.UNITS or a number, got {unknown}")
    return {unit: found[unit] for unit in UNITS if unit in found}


# -- drawing a clip ---------------------------------------------------------------------------------------------------


def plan_clip(sample_id: str, emotion: str, habits: Habits, style: Style, recording: Recording) -> ClipPlan:
    """Draw a clip of one micro-expression: neutral, onset, apex, offset, neutral.

    It depends on the arguments only, in any order of calls. Each purpose has a random stream of its own and all curves
    are drawn in seconds: a change of one nuisance leaves everything else as it was, and another camera speed sees the
    same movement (save that more of the longest are compressed at low speeds).

    Args:
        sample_id: names the clip and its random streams.
        emotion: one of EMOTIONS.
        habits: of the subject.
        style: of the database; governs what differs from clip to clip.
        recording: camera and nuisances.

    Raises:
        ParameterError: there is no such emotion.
    """
    rng = stream(sample_id, "time")
    before, after = rng.uniform(*recording.before_s), rng.uniform(*recording.after_s)
    phases = timing.draw_micro_phases(rng, habits.speed, recording.fps)
    n_frames = int(np.ceil((before + phases.whole + after) * recording.fps)) + 1
    times = timing.frame_times(n_frames, recording.fps)
    moved = draw_expression(sample_id, emotion, habits, style, phases, times, before)
    units = ordered(moved)
    intensity = np.stack([moved[unit] for unit in units], axis=1)
    return ClipPlan(
        sample_id=sample_id,
        recording=recording,
        emotion=emotion,
        units=units,
        intensity=intensity,
        head=draw_pose(sample_id, recording) + draw_wandering(sample_id, habits, recording, times),
        blink=_draw_blink(sample_id, recording, times),
        gaze=_draw_gaze(sample_id, recording, times),
        gain=timing.light(stream(sample_id, "light"), times, recording),
        **find_marks(intensity.sum(axis=1))._asdict(),
    )


def ordered(units: Iterable[Unit]) -> tuple[Unit, ...]:
    """Return `units` in the order of UNITS, each once."""
    found = set(units)
    return tuple(unit for unit in UNITS if unit in found)


def draw_expression(
    name: str,
    emotion: str,
    habits: Habits,
    style: Style,
    phases: timing.Phases,
    times: np.ndarray,
    onset: float,
    strength: float = 1.0,
) -> dict[Unit, np.ndarray]:
    """Draw which units show `emotion`, how strongly, and when each moves.

    Args:
        name: names the random streams.
        emotion: one of EMOTIONS.
        habits: of the subject.
        style: of the database.
        phases: of the expression.
        times: (T,) seconds.
        onset: when it starts, in seconds.
        strength: factor on the magnitude, 1 for a micro-expression.

    Returns:
        (T,) intensity in IOD of each unit that moves.
    """
    peaks = draw_peaks(name, emotion, habits, style, strength)
    rng = stream(name, "lags")
    numbers = sorted({unit.number for unit in peaks})
    late, early = (dict(zip(numbers, timing.draw_lags(rng, len(numbers), style.lag), strict=True)) for _ in range(2))
    return {
        unit: peak * timing.pulse(times, onset, phases, late[unit.number], early[unit.number])
        for unit, peak in peaks.items()
    }


def draw_pose(name: str, recording: Recording) -> np.ndarray:
    """Draw where the head is: float64 (6,) as HEAD_MOTIONS, each cut at two standard deviations."""
    sd = np.array(
        [
            recording.pose_iod,
            recording.pose_iod,
            recording.pose_roll_deg,
            recording.pose_yaw_deg,
            recording.pose_pitch_deg,
            recording.pose_scale_rel,
        ]
    )
    return sd * stream(name, "pose").normal(size=len(HEAD_MOTIONS)).clip(-2, 2)


def draw_wandering(name: str, habits: Habits, recording: Recording, times: np.ndarray) -> np.ndarray:
    """Draw how the head wanders and trembles about its pose: float64 (T, 6) as HEAD_MOTIONS."""
    rms = {
        "tx": recording.drift_iod,
        "ty": recording.drift_iod,
        "roll": recording.roll_deg,
        "yaw": recording.yaw_deg,
        "pitch": recording.pitch_deg,
        "scale": recording.scale_rel,
    }
    head = np.stack([rms[motion] * timing.wander(stream(name, "head", motion), times) for motion in HEAD_MOTIONS], 1)
    for column, motion in enumerate(HEAD_MOTIONS[:2]):
        head[:, column] += recording.tremor_iod * timing.tremor(stream(name, "tremor", motion), times)
    return habits.restlessness * head


def gaze_target(rng: np.random.Generator, recording: Recording) -> np.ndarray:
    """Draw where the eyes look: float64 (2,) IOD to the right and down, cut at two standard deviations."""
    return recording.gaze_iod * np.array([1.0, 0.5]) * rng.normal(size=2).clip(-2, 2)


def _draw_blink(name: str, recording: Recording, times: np.ndarray) -> np.ndarray:
    rng = stream(name, "blink")
    happens, at = rng.random() < recording.blink_probability, rng.random() * times[-1]
    return timing.blink(times, at) if happens else np.zeros_like(times)


def _draw_gaze(name: str, recording: Recording, times: np.ndarray) -> np.ndarray:
    rng = stream(name, "gaze")
    happens, at = rng.random() < recording.gaze_probability, rng.random() * times[-1]
    target = gaze_target(rng, recording)
    return np.outer(timing.saccade(times, at), target) if happens else np.zeros((len(times), 2))
