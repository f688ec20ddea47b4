"""How people differ: what a database's subjects vary by, and the habits of one subject."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

import numpy as np

from mer_lib.datasets.synthetic.action_units import ACTION_UNITS, LIMIT, Unit
from mer_lib.datasets.synthetic.emotions import EMOTIONS, combinations
from mer_lib.datasets.synthetic.streams import stream
from mer_lib.errors import ParameterError, fault_list

#: Units that people are known to move out of habit, whatever they feel.
HABIT_UNITS = (1, 2, 4, 7, 12, 14, 17, 24)
HABITS_A_PERSON = 2
_MAX_GAIN = 1.8  # of a unit, by subject and clip together
_MAX_LOAD = 1.5  # sum over a side's units of intensity / limit


@dataclass(frozen=True, kw_only=True)
class Style:
    """How strongly the people of a database move, and by how much they and their clips differ.

    A *spread* is the standard deviation of a natural logarithm: 0.4 means factors of about 0.67 to 1.5.

    Raises:
        ParameterError: a value is out of its range; all faults are listed at once.
    """

    #: Typical displacement of a unit whose share is 1, at the apex, in IOD (0.01 is one pixel of a 320-pixel frame).
    magnitude_iod: float = 0.009
    #: Spread of that magnitude from clip to clip of one subject.
    magnitude_spread: float = 0.40
    #: Spread of the subjects' expressiveness, a factor on all that one shows.
    expressiveness_spread: float = 0.35
    #: Standard deviation of the subjects' asymmetry: 0.2 means one side 20 % stronger, the other 20 % weaker.
    asymmetry_sd: float = 0.25
    #: Standard deviation of the asymmetry from unit to unit and clip to clip.
    asymmetry_jitter: float = 0.06
    #: Spread of the strength of each unit from subject to subject.
    unit_spread: float = 0.45
    #: Spread of the strength of each unit from clip to clip of one subject.
    unit_jitter: float = 0.20
    #: Mean probability that a habitual unit joins in; a subject's own is 0.3 to 1.7 times that, at most 1.
    habit_probability: float = 0.60
    #: Strength of a habitual unit relative to the expression, times 0.6 to 1.3.
    habit_share: float = 0.70
    #: How alike subjects are in the combinations they choose: the sum of a Dirichlet distribution's parameters. A
    #: small number makes each stay with one combination; infinity gives everybody the weights of the emotion.
    likeness: float = 2.0
    #: Spread of the subjects' speed, a factor on the duration of the onset phase.
    speed_spread: float = 0.25
    #: Spread of the subjects' restlessness, a factor on the wandering of the head.
    restlessness_spread: float = 0.40
    #: How much later than the first a unit starts, and how much earlier than the last it comes to rest: standard
    #: deviation, as a share of the onset phase and the offset phase.
    lag: float = 0.12

    def __post_init__(self) -> None:
        faults = [
            f"{field.name}: expected a number from {low:g} to {high:g}, got {value!r}"
            for field in fields(self)
            for value, (low, high) in [(getattr(self, field.name), _RANGES.get(field.name, (0, 2)))]
            if not (isinstance(value, int | float) and low <= value <= high)
        ]
        if faults:
            raise ParameterError(f"Style: correct these values:\n{fault_list(faults)}")


_RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "magnitude_iod": (0.0005, 0.1),
        "asymmetry_sd": (0, 1),
        "asymmetry_jitter": (0, 1),
        "habit_probability": (0, 1),
        "likeness": (0.1, math.inf),
        "lag": (0, 0.5),
    }
)


@dataclass(frozen=True, kw_only=True)
class Habits:
    """What is one subject's own in all of that subject's clips."""

    #: ``<database>/<subject>``.
    name: str
    #: Factor on the strength of all expressions, about 1.
    expressiveness: float
    #: Above 0: the image's right side moves more by this share, the left less; -0.8 to 0.8.
    asymmetry: float
    #: Factor on the strength of each action unit, about 1.
    unit_gains: Mapping[int, float]
    #: Factor on the duration of the onset phase, about 1.
    speed: float
    #: Factor on the wandering and tremor of the head; its mean square over subjects is 1.
    restlessness: float
    #: Units of which one joins in now and then.
    habitual_units: tuple[int, ...]
    #: How often one of them does, 0 to 1.
    habit_probability: float
    #: Probability of each combination of each emotion, in the order of EMOTIONS.
    preferences: Mapping[str, tuple[float, ...]]


def draw_habits(name: str, style: Style) -> Habits:
    """Draw the habits of the subject called `name`, the same whenever asked.

    A change of one value of `style` changes only what that value governs.

    >>> draw_habits("syn_a/sub01", Style()) == draw_habits("syn_a/sub01", Style())
    True
    """
    rng = stream(name, "habits")
    expressive, asymmetric, fast, restless = rng.normal(size=4)
    gains = np.exp(style.unit_spread * rng.normal(size=len(ACTION_UNITS)))
    habitual = rng.choice(HABIT_UNITS, size=HABITS_A_PERSON, replace=False)
    return Habits(
        name=name,
        expressiveness=math.exp(style.expressiveness_spread * expressive),
        asymmetry=float(np.clip(style.asymmetry_sd * asymmetric, -0.8, 0.8)),
        unit_gains=MappingProxyType(dict(zip(ACTION_UNITS, gains.tolist(), strict=True))),
        speed=math.exp(style.speed_spread * fast),
        # The mean of exp(2 s z) is exp(2 s^2): without it, restless subjects would raise the mean square above 1.
        restlessness=math.exp(style.restlessness_spread * restless - style.restlessness_spread**2),
        habitual_units=tuple(sorted(habitual.tolist())),
        habit_probability=min(1.0, style.habit_probability * rng.uniform(0.3, 1.7)),
        preferences=MappingProxyType({emotion: _preference(name, emotion, style.likeness) for emotion in EMOTIONS}),
    )


def _preference(name: str, emotion: str, likeness: float) -> tuple[float, ...]:
    weights = np.array([combination.weight for combination in EMOTIONS[emotion]])
    if math.isinf(likeness):
        return tuple(weights.tolist())
    return tuple(stream(name, "habits", emotion).dirichlet(likeness * weights).tolist())


def draw_peaks(name: str, emotion: str, habits: Habits, style: Style, strength: float = 1.0) -> dict[Unit, float]:
    """Draw which units a subject moves to show `emotion`, and how strongly.

    Args:
        name: names the expression and its random streams.
        emotion: one of EMOTIONS.
        habits: of the subject.
        style: of the database.
        strength: factor on the magnitude, 1 for a micro-expression.

    Returns:
        Intensity of each unit at the apex in IOD, above 0 and within the limits: see :func:`within_limits`.

    Raises:
        ParameterError: there is no such emotion.
    """
    found = combinations(emotion)
    rng = stream(name, "units")
    preference = np.array(habits.preferences[emotion])
    chosen = found[int(rng.choice(len(found), p=preference / preference.sum()))]
    side = 1 if rng.random() < 0.5 else -1
    magnitude = style.magnitude_iod * strength * habits.expressiveness * math.exp(style.magnitude_spread * rng.normal())
    peaks: dict[Unit, float] = {}
    for number, share in {**_joining_in(name, habits, style), **chosen.shares}.items():
        one_side = side if chosen.unilateral and number in chosen.shares else None
        for unit, factor in _sides(name, number, habits, style, one_side).items():
            peaks[unit] = magnitude * share * factor
    return within_limits(peaks)


def _joining_in(name: str, habits: Habits, style: Style) -> dict[int, float]:
    """Share of the habitual unit that joins in, if one does."""
    rng = stream(name, "habit")
    joins, number = rng.random() < habits.habit_probability, int(rng.choice(habits.habitual_units))
    share = style.habit_share * rng.uniform(0.6, 1.3)
    return {number: share} if joins else {}


def _sides(name: str, number: int, habits: Habits, style: Style, one_side: int | None) -> dict[Unit, float]:
    """Factors on the strength of a unit's sides, by habits and by chance; the weaker of two keeps a twentieth."""
    jitter, unlike = stream(name, "units", number).normal(size=2)
    gain = min(habits.unit_gains[number] * math.exp(style.unit_jitter * jitter), _MAX_GAIN)
    if one_side is not None:
        return {Unit(number, one_side): gain}
    asymmetry = habits.asymmetry + style.asymmetry_jitter * unlike
    return {Unit(number, side): gain * max(1 + side * asymmetry, 0.05) for side in (-1, 1)}


def within_limits(peaks: Mapping[Unit, float]) -> dict[Unit, float]:
    """Return `peaks` cut to the units' limits, and made weaker where those of a side would fold the skin together.

    A limit is about 60 % of what a unit can move alone. Where several overlap, the sum of their shares of their
    limits stays at 1.5, so below what would fold the skin even if all pulled at the same place.
    """
    cut = {unit: min(peak, LIMIT[unit.number]) for unit, peak in peaks.items()}
    load = max(sum(peak / LIMIT[unit.number] for unit, peak in cut.items() if unit.side == side) for side in (-1, 1))
    return {unit: peak * min(1.0, _MAX_LOAD / load) for unit, peak in cut.items()}
