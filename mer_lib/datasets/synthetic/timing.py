"""Curves over time: pulses of expressions, blinks, shifts of gaze, the wandering of a head, the light of lamps.

Every curve is a function of time in seconds, so that a camera of any speed sees the same movement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mer_lib.datasets.synthetic.recording import Recording

# Shortest and longest of each phase in seconds, before a subject's speed.
_ONSET_S = (0.05, 0.22)
_HOLD_S = (0.0, 0.05)
#: Shortest and longest time from onset to apex of a micro-expression in seconds.
MICRO_RISE_S = (0.04, 0.25)
#: Shortest and longest time from apex (the end of its hold) to offset of a micro-expression in seconds.
MICRO_FALL_S = (0.05, 0.33)
#: Longest micro-expression in seconds, counted in frames from onset to offset.
MICRO_LONGEST_S = 0.5
#: Shortest and longest macro-expression in seconds.
MACRO_S = (0.6, 3.8)

# Duration of a blink's phases and of a saccade in seconds.
CLOSING_S, _CLOSED_S, _OPENING_S = 0.08, 0.03, 0.16
BLINK_S = CLOSING_S + _CLOSED_S + _OPENING_S
_SACCADE_S = 0.04

# Bands of the head's wandering and of its tremor in Hz.
_WANDER_HZ = (0.15, 2.5)
_TREMOR_HZ = (6.0, 12.0)
_LIGHT_DRIFT_HZ = (0.2, 1.0)
_SINUSOIDS = 6


@dataclass(frozen=True)
class Phases:
    """Durations of an expression's phases in seconds, and how its rise is bent."""

    rise: float
    hold: float
    fall: float
    #: Below 1 the movement comes early in the rise, above 1 late.
    bend: float = 1.0

    @property
    def whole(self) -> float:
        """From onset to offset, in seconds."""
        return self.rise + self.hold + self.fall


def frame_times(n_frames: int, fps: float) -> np.ndarray:
    """Return the time of each frame in seconds, float64 (n_frames,), from 0 on."""
    return np.arange(n_frames) / fps


def smoothstep(share: np.ndarray) -> np.ndarray:
    """Return the quintic step, 0 below 0 and 1 above 1, with continuous speed and acceleration.

    >>> smoothstep(np.array([-1.0, 0.0, 0.5, 1.0, 2.0])).tolist()
    [0.0, 0.0, 0.5, 1.0, 1.0]
    """
    u = np.clip(share, 0.0, 1.0)
    return u * u * u * (10 - 15 * u + 6 * u * u)


def pulse(times: np.ndarray, onset: float, phases: Phases, late: float = 0.0, early: float = 0.0) -> np.ndarray:
    """Return how far a unit has moved, 0 to 1: it rises from `onset`, holds, and comes back.

    Exactly 0 up to the onset and from the offset on, exactly 1 while it holds. All units of an expression hold at the
    same time; only where they start and come to rest differs.

    Args:
        times: seconds, any shape.
        onset: when the expression starts, in seconds.
        phases: of the expression.
        late: share of the rise by which this unit starts later, 0 to below 1.
        early: share of the fall by which this unit comes to rest earlier, 0 to below 1.
    """
    peak = onset + phases.rise
    release = peak + phases.hold
    up = np.clip((times - onset - late * phases.rise) / ((1 - late) * phases.rise), 0, 1) ** phases.bend
    down = np.clip((times - release) / ((1 - early) * phases.fall), 0, 1)
    return np.where(times <= release, smoothstep(up), smoothstep(1 - down))


def draw_micro_phases(rng: np.random.Generator, speed: float, fps: float) -> Phases:
    """Draw the phases of a micro-expression: a quick rise, a short hold, and a fall that is longer more often than not.

    Counted in frames, which adds up to two, the whole lasts 0.5 s at most. What would last longer is compressed as a
    whole, to 85 to 100 % of that, so that durations do not pile up at the end; at low `fps` this meets more of them.

    Args:
        rng: where the numbers come from, five whatever the other arguments are.
        speed: factor on the duration of the rise.
        fps: frames a second, 20 or more.
    """
    onset, hold, longer, bend = rng.uniform(*_ONSET_S), rng.uniform(*_HOLD_S), rng.normal(), rng.uniform(0.75, 1.15)
    rise = float(np.clip(onset * speed, *MICRO_RISE_S))
    fall = float(np.clip(rise * np.exp(0.3 + 0.6 * longer), *MICRO_FALL_S))
    longest = rng.uniform(0.85, 1.0) * (MICRO_LONGEST_S - 2 / fps)
    whole = rise + hold + fall
    factor = longest / whole if whole > MICRO_LONGEST_S - 2 / fps else 1.0
    return Phases(rise * factor, hold * factor, fall * factor, bend)


def draw_macro_phases(rng: np.random.Generator, speed: float) -> Phases:
    """Draw the phases of an ordinary expression, :data:`MACRO_S` long."""
    rise, fall, bend = rng.uniform(0.2, 0.7) * speed, rng.uniform(0.3, 1.0) * speed, rng.uniform(0.75, 1.15)
    hold = np.exp(rng.uniform(np.log(0.1), np.log(2.5)))
    whole = rise + hold + fall
    factor = float(np.clip(whole, *MACRO_S)) / whole
    return Phases(rise * factor, hold * factor, fall * factor, bend)


def draw_lags(rng: np.random.Generator, count: int, lag: float) -> np.ndarray:
    """Draw by how much each of `count` units is behind the first: float64 (count,), 0 for the first, 0.5 at most."""
    lags = np.minimum(np.abs(lag * rng.normal(size=count)), 0.5)
    return lags - lags.min() if count else lags


def blink(times: np.ndarray, at: float) -> np.ndarray:
    """Return how far a blink has closed the lids, 0 to 1: shut at `at` seconds for a moment, quicker down than up."""
    return smoothstep(np.minimum(1 + (times - at) / CLOSING_S, 1 - (times - at - _CLOSED_S) / _OPENING_S))


def saccade(times: np.ndarray, at: float) -> np.ndarray:
    """Return how far a shift of the gaze has come, 0 to 1, that starts at `at` seconds."""
    return smoothstep((times - at) / _SACCADE_S)


def wander(rng: np.random.Generator, times: np.ndarray, band_hz: tuple[float, float] = _WANDER_HZ) -> np.ndarray:
    """Return smooth noise: six sinusoids of drawn frequency and strength, slow ones stronger.

    Over many draws its mean is 0 and its root mean square 1, in every frame.

    Args:
        rng: where the numbers come from, as many whatever `times` is.
        times: (T,) seconds.
        band_hz: lowest and highest frequency.
    """
    low, high = band_hz
    frequencies = np.exp(rng.uniform(np.log(low), np.log(high), size=_SINUSOIDS))
    strengths, phases = rng.normal(size=_SINUSOIDS), rng.uniform(0, 2 * np.pi, size=_SINUSOIDS)
    weights = frequencies**-0.5
    # The square of a sinusoid is 1/2 on average, that of a drawn strength 1.
    weights = weights / np.sqrt(np.sum(weights**2) / 2)
    return (weights * strengths) @ np.sin(2 * np.pi * np.outer(frequencies, times) + phases[:, None])


def tremor(rng: np.random.Generator, times: np.ndarray) -> np.ndarray:
    """Return the fast noise of a head that is held still: as :func:`wander`, at 6 to 12 Hz."""
    return wander(rng, times, _TREMOR_HZ)


def light(rng: np.random.Generator, times: np.ndarray, recording: Recording) -> np.ndarray:
    """Return the factor on the light in each frame, float64 (T,), about 1.

    Lamps flicker at twice the mains' frequency, and a camera sees that only at its frames: 100 Hz is seen as 20 Hz at
    120 frames a second, alternates from frame to frame at 200, and at 100 or 50 frames a second becomes a constant.
    """
    phase, slow_phase = rng.uniform(0, 2 * np.pi, size=2)
    slow_hz = rng.uniform(*_LIGHT_DRIFT_HZ)
    flicker = np.sin(2 * np.pi * 2 * recording.mains_hz * times + phase)
    drift = np.sin(2 * np.pi * slow_hz * times + slow_phase)
    return (1 + recording.flicker * flicker) * (1 + recording.light_drift * drift)
