"""Which counts a printed share can come from: k of n, such as an accuracy or a recall."""

from __future__ import annotations

from collections.abc import Iterable

from mer_lib.claims.printed import Printed, Rounding, read_number


def numerators(share: str | Printed, n: int, rounding: Rounding = "any") -> list[int]:
    """How many of `n` samples a printed share can stand for.

    >>> numerators("84.959%", 246), numerators("84.52%", 246)
    ([209], [])

    Args:
        share: as printed, see :func:`~mer_lib.claims.printed.read_number`.
        n: number of samples.

    Returns:
        All k in 0..n for which k / n is printed like this; none means that it is no multiple of 1/n.
    """
    printed = read_number(share) if isinstance(share, str) else share
    first, last = printed.interval(rounding).integers(n)
    return list(range(max(first, 0), min(last, n) + 1))


def denominators(share: str | Printed, sizes: Iterable[int], rounding: Rounding = "any") -> list[int]:
    """Which of `sizes` a printed share fits.

    >>> denominators("75.806%", range(240, 256))
    [248]
    """
    return [n for n in sizes if n > 0 and numerators(share, n, rounding)]
