"""Which action units a person moves to show which emotion: several combinations each, some of one side only.

The combinations follow what FACS coders accept as signs of an emotion (the prototypes and variants of EMFACS) and what
CASME II and SAMM report for their micro-expressions, where a prototype is seldom complete: often a single unit moves.
Their weights are rounded guesses at how often each is met, not counts of either database. Emotions share units and
even whole combinations (4+7 in anger and disgust, 15+17 in sadness and repression), as in the real databases: no rule
on units alone can tell every clip.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mer_lib.datasets.synthetic.action_units import ACTION_UNITS
from mer_lib.errors import ParameterError


@dataclass(frozen=True)
class Combination:
    """Action units that move together.

    Raises:
        ParameterError: a weight or share is out of range, or a unit is unknown.
    """

    #: How often it is met among the combinations of its emotion; they sum to 1.
    weight: float
    #: Strength of each unit relative to the strength of the whole expression, above 0 to 1.
    shares: Mapping[int, float]
    #: Whether it moves one side of the face only, either one.
    unilateral: bool = False

    def __post_init__(self) -> None:
        unknown = sorted(set(self.shares) - set(ACTION_UNITS))
        if unknown or not self.shares:
            raise ParameterError(f"shares: expected some of the action units {ACTION_UNITS}, got {list(self.shares)}")
        if not 0 < self.weight <= 1 or not all(0 < share <= 1 for share in self.shares.values()):
            raise ParameterError(
                f"Combination: expected weight and shares above 0 to 1, got {self.weight} and {dict(self.shares)}"
            )


#: The nine emotions, each with the combinations that show it.
EMOTIONS: Mapping[str, tuple[Combination, ...]] = MappingProxyType(
    {
        "happiness": (
            Combination(0.35, {6: 0.6, 12: 1.0}),
            Combination(0.28, {12: 1.0}),
            Combination(0.12, {6: 0.9, 12: 0.45}),
            Combination(0.12, {12: 1.0, 14: 0.5}),
            Combination(0.08, {12: 1.0}, unilateral=True),
            Combination(0.05, {6: 0.5, 12: 1.0, 25: 0.5}),
        ),
        "surprise": (
            Combination(0.45, {1: 1.0, 2: 1.0}),
            Combination(0.20, {1: 0.9, 2: 0.9, 5: 0.9}),
            Combination(0.09, {1: 0.9, 2: 0.9, 5: 0.7, 25: 0.6}),
            Combination(0.06, {1: 0.9, 2: 0.9, 26: 0.7}),
            Combination(0.10, {5: 1.0}),
            Combination(0.10, {2: 1.0}, unilateral=True),
        ),
        "disgust": (
            Combination(0.28, {4: 1.0, 9: 0.7}),
            Combination(0.22, {4: 0.9, 7: 0.9}),
            Combination(0.18, {10: 1.0}),
            Combination(0.14, {9: 1.0}),
            Combination(0.10, {4: 0.8, 10: 0.8}),
            Combination(0.08, {10: 1.0}, unilateral=True),
        ),
        "repression": (
            Combination(0.32, {17: 1.0}),
            Combination(0.24, {15: 0.9, 17: 0.8}),
            Combination(0.20, {12: 0.5, 15: 0.8}),
            Combination(0.16, {14: 0.5, 24: 1.0}),
            Combination(0.08, {15: 1.0}),
        ),
        "sadness": (
            Combination(0.35, {1: 0.8, 4: 0.9, 15: 0.6}),
            Combination(0.30, {15: 0.9, 17: 0.7}),
            Combination(0.20, {1: 0.9, 4: 0.8}),
            Combination(0.15, {1: 1.0}),
        ),
        "fear": (
            Combination(0.40, {1: 0.9, 2: 0.7, 4: 0.8}),
            Combination(0.35, {1: 0.6, 4: 0.8, 5: 0.7, 20: 0.9}),
            Combination(0.25, {20: 1.0}),
        ),
        "anger": (
            Combination(0.40, {4: 1.0, 7: 0.8}),
            Combination(0.30, {4: 0.9, 7: 0.5, 23: 0.8}),
            Combination(0.20, {4: 1.0}),
            Combination(0.10, {4: 0.7, 24: 0.9}),
        ),
        "contempt": (
            Combination(0.60, {14: 1.0}, unilateral=True),
            Combination(0.20, {10: 0.9}, unilateral=True),
            Combination(0.20, {12: 0.7, 14: 0.7}, unilateral=True),
        ),
        "others": (
            Combination(0.50, {4: 1.0}),
            Combination(0.20, {7: 1.0}),
            Combination(0.20, {4: 0.7, 17: 0.6}),
            Combination(0.10, {14: 1.0}),
        ),
    }
)

#: The class of each emotion in the task with three classes; None where it has none.
LABEL3: Mapping[str, str | None] = MappingProxyType(
    {
        "happiness": "positive",
        "surprise": "surprise",
        "disgust": "negative",
        "repression": "negative",
        "sadness": "negative",
        "fear": "negative",
        "anger": "negative",
        "contempt": "negative",
        "others": None,
    }
)


def combinations(emotion: str) -> tuple[Combination, ...]:
    """Return the combinations of an emotion.

    >>> [sorted(found.shares) for found in combinations("contempt")]
    [[14], [10], [12, 14]]

    Raises:
        ParameterError: there is no such emotion.
    """
    if emotion not in EMOTIONS:
        raise ParameterError(f"emotion: expected one of {', '.join(EMOTIONS)}, got {emotion!r}")
    return EMOTIONS[emotion]
