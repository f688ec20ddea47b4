"""What a printed number says of the number behind it: an interval of exact fractions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

from mer_lib.errors import ParameterError

Rounding = Literal["any", "nearest", "half-up", "half-even", "truncated"]
ROUNDINGS: tuple[Rounding, ...] = get_args(Rounding)
_PATTERN = re.compile(r"(?P<sign>[<>])?\s*(?P<number>\d*[.,]?\d+)\s*(±\s*(?P<error>\d*[.,]?\d+))?\s*(?P<unit>%)?")


@dataclass(frozen=True)
class Interval:
    """All numbers from `low` to `high`; an end that is open does not belong to them."""

    low: Fraction
    high: Fraction
    open_low: bool = False
    open_high: bool = False

    def __contains__(self, value: Fraction) -> bool:
        above = value > self.low if self.open_low else value >= self.low
        return above and (value < self.high if self.open_high else value <= self.high)

    def integers(self, scale: int | Fraction = 1) -> tuple[int, int]:
        """The least and the largest integer i for which i / `scale` lies in the interval; empty if the first is larger.

        >>> interval_of("0.575").integers(80), interval_of("0.575").integers(83)
        ((46, 46), (48, 47))
        """
        low, high = self.low * scale, self.high * scale
        first, last = -(-low.numerator // low.denominator), high.numerator // high.denominator
        return first + (self.open_low and first == low), last - (self.open_high and last == high)


@dataclass(frozen=True)
class Printed:
    """A printed share, as its text.

    Attributes:
        text: the digits as printed, e.g. "0.8603", "84.959%", "0.86±0.002" or ">0.90".
        number: the number in the text, in its own unit.
        digits: how many digits stand behind the point.
        scale: 100 where it is printed in percent, else 1.
        sign: "<" or ">" where the text only bounds the number.
        error: half width where the number was read off a figure, else None.
    """

    text: str
    number: Fraction
    digits: int
    scale: int = 1
    sign: str = ""
    error: Fraction | None = None

    @property
    def share(self) -> Fraction:
        """The number as a share of one."""
        return self.number / self.scale

    @property
    def step(self) -> Fraction:
        """What one unit of its last digit is worth, as a share of one."""
        return Fraction(1, 10**self.digits * self.scale)

    def interval(self, rounding: Rounding = "any") -> Interval:
        """The shares that are printed like this.

        Args:
            rounding: "nearest" takes a tie either way, "half-up" upwards, "half-even" to the even digit;
                "truncated" drops the digits behind the last; "any" is the nearest or truncated, whichever fits:
                tables do mix them.
        """
        if self.sign == ">":
            return Interval(self.share, Fraction(1), open_low=True)
        if self.sign == "<":
            return Interval(Fraction(0), self.share, open_high=True)
        if self.error is not None:
            return Interval(self.share - self.error / self.scale, self.share + self.error / self.scale)
        if rounding == "truncated":
            return Interval(self.share, self.share + self.step, open_high=True)
        if rounding == "any":
            return Interval(self.share - self.step / 2, self.share + self.step, open_high=True)
        odd = self.number * 10**self.digits % 2 == 1
        return Interval(
            self.share - self.step / 2,
            self.share + self.step / 2,
            open_low=rounding == "half-even" and odd,
            open_high=rounding == "half-up" or (rounding == "half-even" and odd),
        )

    def rewritten(self, digits: str) -> Printed:
        """The same kind of number with other digits.

        >>> read_number("84.959%").rewritten("84.995").text
        '84.995%'
        """
        return read_number(self.sign + digits + ("%" if self.scale == 100 else ""))


def read_number(text: str) -> Printed:
    """Read a printed share.

    >>> interval = read_number("0.860").interval("nearest")
    >>> float(interval.low), float(interval.high)
    (0.8595, 0.8605)

    Args:
        text: a number from 0 to 1, or with "%" from 0 to 100; "±" and an error behind it if it was read off a
            figure; ">" or "<" before it if it is only a bound. A comma counts as a point.

    Raises:
        ParameterError: it is written otherwise, or lies outside 0..1.
    """
    found = _PATTERN.fullmatch(text.strip())
    if not found:
        raise ParameterError(f"expected a share such as 0.8603, 84.96%, 0.86±0.002 or >0.9, got {text!r}")
    digits = found["number"].replace(",", ".")
    scale = 100 if found["unit"] else 1
    error = Fraction(found["error"].replace(",", ".")) if found["error"] else None
    number = Fraction(digits)
    if number > scale:
        hint = "" if scale == 100 else "; a number in percent needs its sign: 84.96%"
        raise ParameterError(f"expected a share from 0 to {scale}, got {text!r}{hint}")
    return Printed(text.strip(), number, len(digits.partition(".")[2]), scale, found["sign"] or "", error)


def interval_of(text: str, rounding: Rounding = "any") -> Interval:
    """The shares that are printed as `text`: :func:`read_number`, then :meth:`Printed.interval`."""
    return read_number(text).interval(rounding)
