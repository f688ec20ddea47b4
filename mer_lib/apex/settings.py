"""Settings of spotting methods, checked where a method is made."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from mer_lib.errors import ParameterError

#: Longest time, in milliseconds, that a curve is smoothed over or a method passes by; no micro-expression takes longer.
LONGEST_MS = 1000.0
#: Most frames a second that are taken for a rate; no camera is faster.
FASTEST = 100_000.0


def check(
    method: object,
    *,
    choices: Mapping[str, Collection[object]],
    counts: Mapping[str, bool],
    most: Mapping[str, float],
) -> None:
    """Refuse settings with which a method would fail or answer nonsense.

    Args:
        method: its settings are attributes.
        choices: what each of some settings may be.
        counts: settings that are whole numbers from 1 on; True where None will do, too.
        most: the greatest value of each setting that is a number from 0 on.

    Raises:
        ParameterError: naming every setting that is out of range.
    """
    values = vars(method)
    faults = [
        f"{name}: expected one of {', '.join(map(str, allowed))}, got {values[name]!r}"
        for name, allowed in choices.items()
        if values[name] not in allowed
    ]
    faults += [
        f"{name}: expected a whole number from 1 on, got {values[name]!r}"
        for name, or_none in counts.items()
        if not (or_none and values[name] is None) and (type(values[name]) is not int or values[name] < 1)
    ]
    faults += [
        f"{name}: expected a number from 0 to {limit:g}, got {values[name]!r}"
        for name, limit in most.items()
        if not (is_number(values[name]) and 0 <= values[name] <= limit)
    ]
    if faults:
        raise ParameterError(f"{type(method).__name__}: {'; '.join(faults)}")


def check_rate(fps: float | None) -> None:
    """Refuse what is no frame rate.

    Raises:
        ParameterError: it is neither None nor above 0 and at most :data:`FASTEST`.
    """
    if fps is not None and not (is_number(fps) and 0 < fps <= FASTEST):
        raise ParameterError(f"fps: expected frames a second, above 0 and at most {FASTEST:g}, or None, got {fps!r}")


def is_number(value: object) -> bool:
    """Say whether a value is a finite number, of Python or numpy.

    >>> is_number(2), is_number(float("nan")), is_number("2")
    (True, False, False)
    """
    try:
        return not isinstance(value, str | bytes) and math.isfinite(value)  # type: ignore[arg-type]
    except TypeError:
        return False
