"""One rule for every number that is shown: 4 decimals for scores and interval ends, 3 for differences and p-values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

NOTHING = "–"


def score(value: float) -> str:
    """Show a score; a dash where there is none.

    >>> score(0.72091), score(float("nan"))
    ('0.7209', '–')
    """
    return NOTHING if math.isnan(value) else f"{value:.4f}"


def measured(value: float, low: float = math.nan, high: float = math.nan, sd: float = math.nan) -> str:
    """Show a score with its interval and its spread over seeds, as far as they are known.

    >>> measured(0.72, 0.66, 0.78, 0.012), measured(0.72)
    ('0.7200 [0.6600, 0.7800] ± 0.012', '0.7200')
    """
    interval = "" if math.isnan(low) or math.isnan(high) else f" [{low:.4f}, {high:.4f}]"
    spread = "" if math.isnan(sd) else f" ± {sd:.3f}"
    return score(value) + interval + spread


def difference(value: float) -> str:
    """Show a signed difference, with a true minus sign.

    >>> difference(0.0714), difference(-0.0714), difference(-0.00001)
    ('+0.071', '−0.071', '0.000')
    """
    if math.isnan(value):
        return NOTHING
    text = f"{value:+.3f}"
    return "0.000" if text in ("+0.000", "-0.000") else text.replace("-", "−")


def with_interval(row: Mapping[str, Any], name: str) -> str:
    """Show the signed difference `name` of a row with its interval, `name_low` to `name_high`, where it has one.

    >>> with_interval({"gap": 0.07, "gap_low": 0.0124, "gap_high": 0.11}, "gap")
    '+0.070 [+0.012, +0.110]'
    """
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    ends = "" if math.isnan(low) else f" [{difference(low)}, {difference(high)}]"
    return f"{difference(row[name])}{ends}"


def p_value(value: float) -> str:
    """Show a p-value.

    >>> p_value(0.0004), p_value(0.0312), p_value(1.0)
    ('< 0.001', '0.031', '1.000')
    """
    return NOTHING if math.isnan(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"


def whole(value: float) -> str:
    """Show a count with its thousands apart.

    >>> whole(114429446)
    '114,429,446'
    """
    return f"{int(value):,}"


def duration(seconds: float) -> str:
    """Show a time.

    >>> duration(0.42), duration(75), duration(3720)
    ('0.4 s', '1 min 15 s', '1 h 02 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def setting(value: Any) -> str:
    """Show a parameter's value.

    >>> setting(5e-05), setting(True), setting(None), setting([2, 2, 8])
    ('5e-05', 'yes', '–', '(2, 2, 8)')
    """
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return f"({', '.join(setting(part) for part in value)})"
    return f"{value:g}" if isinstance(value, float) else str(value)


def in_unit(value: Any, unit: str) -> str:
    """Show a measured quantity in the unit in which it was published.

    >>> in_unit(0.43699, "fraction"), in_unit(43.699, "percent"), in_unit(442.0, "count"), in_unit(25.55, "count")
    ('0.4370', '43.70', '442', '25.55')
    >>> in_unit(-0.001, "points"), in_unit(-1.19, "points")
    ('0.00', '-1.19')
    """
    if not isinstance(value, Real):
        return str(value)
    if unit == "flag" or isinstance(value, bool):
        return "yes" if value else "no"
    if math.isnan(value):
        return NOTHING
    number, digits = float(value), {"fraction": 4, "percent": 2, "points": 2}.get(unit)
    if digits is None and abs(number) < 1e6:
        return f"{number:g}"
    return f"{round(number, digits or 0) + 0.0:.{digits or 0}f}"  # what rounds to zero has no sign


def interval_in_unit(low: float, high: float, unit: str) -> str:
    """Show the ends of an interval in the unit in which the quantity was published; empty where there is none.

    >>> interval_in_unit(0.38, 0.49, "fraction"), interval_in_unit(math.nan, math.nan, "fraction")
    ('[0.3800, 0.4900]', '')
    """
    return "" if math.isnan(low) or math.isnan(high) else f"[{in_unit(low, unit)}, {in_unit(high, unit)}]"
