"""What can be believed: the words of a verdict, the rules by which it is given, and nothing else.

The rules are printed with the verdicts (:data:`RULES`). Everything here works on numbers that were measured elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isnan
from typing import NamedTuple

SUPPORTED = "supported"
NOISE = "not distinguishable from noise"
CONTRADICTED = "contradicted"
UNTESTABLE = "not testable on this data"
AGREES, DIFFERS = "agrees", "differs"
#: In the order in which a reader counts them.
VERDICTS = (SUPPORTED, NOISE, CONTRADICTED, UNTESTABLE, AGREES, DIFFERS)
#: Level of intervals and tests.
LEVEL = 0.05
#: How many standard errors of a difference between means over seeds make the noise floor.
NOISE_ERRORS = 2.0
# Numbers that are equal but for the rounding of their binary form.
_EXACT = 1e-12

RULES = (
    "A claim is that one row of a published table is better than another: the best row than each other row, and a"
    " module switched on than the same switched off.",
    "A claim is tested by the paired difference of both rows on the same subjects, mean over seeds, fixed number of"
    " epochs, with a 95 % interval from 2000 resamples of whole subjects. The p-value is that of the same resamples,"
    " corrected after Holm for all claims of the table that were measured.",
    "The noise floor of a difference is twice its standard error over seeds, 2 sqrt(sd_a^2 / k_a + sd_b^2 / k_b). With"
    " one seed it is unknown.",
    "A claim on one data set is tested on its samples, whatever other data sets the networks were trained on besides.",
    "Networks of profile quick are smaller than the published ones, and verdicts on claims are about networks of the"
    " size that was run. Scores of profile smoke mean nothing, and nothing is tested by them.",
    f"{SUPPORTED}: the difference has the claimed sign, p after Holm is below 0.05, and the difference exceeds the"
    " noise floor.",
    f"{CONTRADICTED}: the same with the other sign.",
    f"{NOISE}: the data are real and of the same parts, and neither holds.",
    f"{UNTESTABLE}: the data are not real, not the parts that were published, or were not measured. Differences that"
    " were measured on synthetic clips are shown and decide nothing.",
    "A published score is tested on real data of the same parts, at the published size alone (profile paper,"
    f" leave-one-subject-out). {SUPPORTED}: it lies in the 95 % interval of the measured score; {CONTRADICTED}: it lies"
    f" outside by more than twice the standard error over seeds; {NOISE}: outside by less, or with one seed.",
    f"Numbers that are no scores (counts, settings, sizes) are compared as printed: {AGREES} where rounding to the"
    f" printed digits gives the same, else {DIFFERS}. Samples are counted in real data alone.",
)


class Verdict(NamedTuple):
    """A verdict and the sentence that gives its reason."""

    verdict: str
    because: str


@dataclass(frozen=True)
class Difference:
    """A measured difference between two rows, as fractions (0 to 1).

    Attributes:
        value: first minus second, mean over seeds.
        low, high: ends of the 95 % interval over subjects.
        p: two-sided, corrected for the other claims of the table.
        noise: the noise floor; NaN where it is unknown.
    """

    value: float
    low: float
    high: float
    p: float
    noise: float

    def __str__(self) -> str:
        floor = "unknown, for want of a second seed" if isnan(self.noise) else f"{self.noise:.3f}"
        interval = f"[{signed(self.low)}, {signed(self.high)}]"
        return f"{signed(self.value)} {interval}, p = {self.p:.3f} after Holm, noise floor {floor}"


def signed(value: float) -> str:
    """Show a difference in plain text; what rounds to zero has no sign.

    >>> signed(0.0714), signed(-0.0714), signed(-0.00001)
    ('+0.071', '-0.071', '0.000')
    """
    text = f"{value:+.3f}"
    return text if float(text) else "0.000"


def noise_floor(spread_a: float, seeds_a: int, spread_b: float, seeds_b: int) -> float:
    """Return twice the standard error of a difference between two means over seeds.

    >>> round(noise_floor(0.03, 9, 0.04, 9), 4)
    0.0333

    Args:
        spread_a, spread_b: standard deviation over seeds; NaN for one seed, and then the floor is NaN.
        seeds_a, seeds_b: number of seeds.
    """
    return float(NOISE_ERRORS * (spread_a**2 / seeds_a + spread_b**2 / seeds_b) ** 0.5)


def claim_verdict(measured: Difference | None, untestable: str) -> Verdict:
    """Judge the claim that the first of two rows is better than the second.

    Args:
        measured: None where nothing was.
        untestable: why these data cannot decide; empty where they can.
    """
    if measured is None or untestable:
        return Verdict(UNTESTABLE, untestable)
    clear = measured.p < LEVEL and abs(measured.value) > measured.noise  # False where the floor is NaN
    if not clear:
        return Verdict(NOISE, f"measured {measured}")
    return Verdict(SUPPORTED if measured.value > 0 else CONTRADICTED, f"measured {measured}")


def score_verdict(
    published: float, low: float, high: float, noise: float, *, tolerance: float = 0.0, at_least: bool = False
) -> Verdict:
    """Judge a published score by the interval of the measured one; all as fractions.

    Args:
        published: the score to be judged.
        low, high: 95 % interval of the measured score.
        noise: twice its standard error over seeds; NaN with one seed.
        tolerance: how far the published score may be off, by rounding or by reading a plot.
        at_least: the score was published as a lower bound.
    """
    interval = f"the measured interval {low:.3f} to {high:.3f}"
    tolerance += _EXACT
    above, below = published - high - tolerance, low - published - tolerance
    if above <= 0 and (below <= 0 or at_least):
        return Verdict(SUPPORTED, f"{published:.3f} is within {interval}")
    side, distance = ("above", above) if above > 0 else ("below", below)
    if distance > noise:
        return Verdict(CONTRADICTED, f"{published:.3f} lies {side} {interval} by more than the seeds differ")
    return Verdict(
        NOISE, f"{published:.3f} lies {side} {interval} by no more than the seeds differ, as far as is known"
    )


def value_verdict(published: object, measured: object, tolerance: float = 0.0) -> Verdict:
    """Compare a number that is no score, as printed.

    >>> value_verdict(0.6996, 0.69957, 0.00005).verdict, value_verdict(943, 773).verdict
    ('agrees', 'differs')

    Args:
        published, measured: numbers, flags or texts.
        tolerance: how far two numbers may be apart by rounding.
    """
    if _equal(published, measured, tolerance):
        return Verdict(AGREES, "")
    return Verdict(DIFFERS, f"published {published}, here {measured}")


def _equal(published: object, measured: object, tolerance: float) -> bool:
    number = int | float
    if isinstance(published, bool | str) or not (isinstance(published, number) and isinstance(measured, number)):
        return published == measured
    return abs(published - measured) <= tolerance + _EXACT


def rounding(published: Iterable[object]) -> float:
    """Return half a unit of the last digit to which numbers of one kind are printed; 0 for whole numbers.

    >>> rounding([0.86, 0.8475]), rounding([28, 16])
    (5e-05, 0.0)
    """
    texts = [repr(value) for value in published if isinstance(value, float)]
    digits = [len(text.partition(".")[2]) for text in texts if "e" not in text and not text.endswith(".0")]
    return 0.5 * 10.0 ** -max(digits) if digits else 0.0
