"""What the running texts say of rows of tables: scores quoted again, gains over other rows, best settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from mer_lib.errors import last_line
from mer_lib.evaluation.frames import FULL
from mer_lib.evaluation.intervals import Interval
from mer_lib.papers.cells import PROTOCOL, judged, measured_value, too_small, without
from mer_lib.papers.measurement import Measurement
from mer_lib.papers.parts import HERE, place_of, score_row
from mer_lib.papers.published_claims import PublishedClaim, table_claims
from mer_lib.papers.quoted_rows import BEST, GAINS, QUOTED, Gain, Where
from mer_lib.papers.tested import Compared, Row, compare, judged_claims
from mer_lib.papers.verdicts import (
    CONTRADICTED,
    NOISE,
    SUPPORTED,
    UNTESTABLE,
    Verdict,
    score_verdict,
)

#: From the id of an experiment to its measurement, or to the reason why there is none.
Measured = Callable[[str], Measurement | str]


def quoted(cell: Mapping[str, Any], measured: Measured, tolerance: float) -> dict[str, Any] | None:
    """Fill a cell that a text quotes, gains, or calls best; None where it does none of these.

    Args:
        cell: of an entry in :data:`GAINS`, :data:`QUOTED` or :data:`BEST`.
        measured: of the experiments that are needed.
        tolerance: of the published number, by rounding.
    """
    entry, metric = str(cell["experiment"]), str(cell["metric"])
    if metric in QUOTED.get(entry, {}):
        return _quoted(cell, *QUOTED[entry][metric], measured, tolerance)
    if metric in GAINS.get(entry, {}):
        return _gain(cell, GAINS[entry][metric], measured, tolerance)
    if metric in BEST.get(entry, {}):
        return _best(measured(BEST[entry][metric]))
    return None


def text_claims(entry_id: str, cells: pd.DataFrame, measured: Measured) -> pd.DataFrame:
    """Test what a text claims of gains, as :func:`mer_lib.papers.tested.judged_claims` does those of a table."""
    gains = GAINS.get(entry_id, {})
    rows: dict[str, Row | str] = {}
    claims: list[PublishedClaim] = []
    for cell in cells.to_dict("records"):
        gain = gains.get(cell["metric"])
        if gain is None:
            continue
        rival = _strongest(gain, cell["dataset"], measured)
        names = (gain.better[1], _rival_in_words(gain, rival, measured))
        rows |= dict(zip(names, (row_of(gain.better, measured), row_of(rival, measured)), strict=True))
        share = 100.0 if cell["unit"] == "points" else 1.0
        claims.append(PublishedClaim(*names, gain.score, cell["dataset"], float(cell["published"]) / share))
    return judged_claims(entry_id, claims, rows.__getitem__, stand_in=True)


def row_of(where: Where, measured: Measured) -> Row | str:
    """Return a measured row, or why there is none."""
    name, label = where
    found = measured(name)
    if isinstance(found, str):
        return f"{name}: {found}"
    if label not in found.variants:
        return f"{label}: {last_line(found.failed.get(label, 'not among the methods of this laboratory'))}"
    return Row(found, label)


def _quoted(cell: Mapping[str, Any], where: Where, score: str, measured: Measured, tolerance: float) -> dict[str, Any]:
    row = row_of(where, measured)
    if isinstance(row, str):
        return without(row)
    found = score_row(*row, FULL, score, PROTOCOL)
    if found is None:
        return without(f"{score} is not among the scores of these classes")
    value = measured_value(found, row.measurement, FULL, score, 1.0)
    why = place_of(row.measurement, cell["dataset"], True).other or too_small(*row)
    return value | judged(cell, value, why, tolerance, 1.0)._asdict()


def _gain(cell: Mapping[str, Any], gain: Gain, measured: Measured, tolerance: float) -> dict[str, Any]:
    worst = _strongest(gain, cell["dataset"], measured)
    better, worse = row_of(gain.better, measured), row_of(worst, measured)
    compared = compare(better, worse, gain.score, cell["dataset"], stand_in=True)
    if compared.interval is None:
        return without(compared.why)
    share = 100.0 if cell["unit"] == "points" else 1.0
    why = compared.why or next(
        (small for row in (better, worse) if isinstance(row, Row) and (small := too_small(*row))), ""
    )
    verdict = _gain_verdict(cell, compared.interval, compared.noise, share, tolerance) if not why else None
    word, because = verdict or (UNTESTABLE, why)
    return _gained(compared, compared.interval, share) | {
        "verdict": word,
        "because": f"gain over {worst[1]}; {because}",
    }


def _gained(compared: Compared, interval: Interval, share: float) -> dict[str, Any]:
    return {
        "measured": interval.point * share,
        "low": interval.low * share,
        "high": interval.high * share,
        "seeds": compared.seeds,
        "n": compared.n,
        "protocol": PROTOCOL,
        "data": compared.data,
        "kind": compared.kind,
    }


def _gain_verdict(cell: Mapping[str, Any], gain: Interval, noise: float, share: float, tolerance: float) -> Verdict:
    published, at_least = float(cell["published"]) / share, "_min_" in str(cell["metric"])
    return score_verdict(published, gain.low, gain.high, noise, tolerance=tolerance / share, at_least=at_least)


def _strongest(gain: Gain, dataset: str, measured: Measured) -> Where:
    """Return the row with the highest score among those that a gain is measured over; the first if none is here."""
    here = {where: row for where in gain.worse if isinstance(row := row_of(where, measured), Row)}
    return max(here, key=lambda where: _score(here[where], gain.score, dataset)) if here else gain.worse[0]


def _rival_in_words(gain: Gain, strongest: Where, measured: Measured) -> str:
    """Name what a gain is claimed over: one row, or the best of several and which of them that is here."""
    if len(gain.worse) == 1:
        return strongest[1]
    here = f" (here {strongest[1]})" if isinstance(row_of(strongest, measured), Row) else ""
    return f"the best of {len(gain.worse)} others{here}"


def _score(row: Row, score: str, dataset: str) -> float:
    subset = place_of(row.measurement, dataset, True).subset or FULL
    return row.measurement.value(row.label, HERE.get(score, score), subset, PROTOCOL)


def _best(found: Measurement | str) -> dict[str, Any]:
    """Return the setting with the highest score; what a figure says of its best setting is judged by its claims."""
    if isinstance(found, str):
        return without(found)
    scores = {label: found.value(label, "uf1", FULL, PROTOCOL) for label in found.variants}
    best = max(scores, key=lambda label: scores[label])
    return {
        "measured": int(best),
        "seeds": len(found.seeds),
        "protocol": PROTOCOL,
        "data": found.dataset.label,
        "kind": found.dataset.kind,
        **_best_verdict(found)._asdict(),
    }


def _best_verdict(found: Measurement) -> Verdict:
    name = found.experiment.id
    tested = judged_claims(
        name, table_claims(name, "variant"), lambda label: row_of((name, label), lambda _: found), stand_in=False
    )
    words = tested["verdict"].value_counts().to_dict()
    told = f"of {len(tested)} comparisons with other settings: {', '.join(f'{n} {word}' for word, n in words.items())}"
    return Verdict(_overall(list(words)), told)


def _overall(words: Sequence[str]) -> str:
    """Return the verdict on "this one is the best" from those on each comparison."""
    for word in (CONTRADICTED, NOISE, UNTESTABLE):
        if word in words:
            return word
    return SUPPORTED
