"""The page in a dozen sentences: what was measured, what of the papers it bears on, and what it warns of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from mer_lib.manifest import Kind
from mer_lib.papers.optimism import in_words as gap_in_words
from mer_lib.papers.verdicts import CONTRADICTED, NOISE, SUPPORTED, UNTESTABLE
from mer_lib.plots.style import marked
from mer_lib.report.across import Across
from mer_lib.report.claims import stacked
from mer_lib.report.published import ROW
from mer_lib.report.section import Section

KINDS = {"real": "real data", "synthetic": "synthetic clips", "toy": "toy maps", "computed": "arithmetic"}
_UNTESTED = "are untested, each with its reason: the data at hand are others, or nothing was computed"
MANY = 4  # so many names are given, then a count


def key_findings(sections: Sequence[Section], seen: Across) -> list[str]:
    """Return the sentences; each is made from the numbers of the page by a rule, none is written by hand."""
    papers = [section for section in sections if section.result.entry is not None]
    lines = [
        *_coverage(papers),
        *_claims(papers),
        *_printed(papers),
        *_over_prior(sections),
        *_gaps(seen.gaps),
        *_noise(seen.noise),
        *_failures(sections),
    ]
    return lines


def _coverage(papers: Sequence[Section]) -> Iterator[str]:
    if not papers:
        return
    measured = [section for section in papers if section.kinds]
    kinds = {kind: sum(kind in section.kinds for section in measured) for kind in KINDS}
    on = ", ".join(f"{count} on {KINDS[kind]}" for kind, count in kinds.items() if count)
    on += " (some on both)" if sum(kinds.values()) > len(measured) else ""
    yield f"{len(measured)} of {len(papers)} published tables, figures and texts have measured values" + (
        f": {on}." if on else "."
    )
    rest = [section.id for section in papers if not section.kinds]
    if rest:
        yield f"Without a measured value, each with its reason: {_named(rest)}."


def _claims(papers: Sequence[Section]) -> Iterator[str]:
    claims = stacked([section.result.claims for section in papers])
    if claims.empty:
        return
    counts = claims["verdict"].value_counts()
    tested = int(sum(counts.get(word, 0) for word in (SUPPORTED, NOISE, CONTRADICTED)))
    if tested:
        yield (
            f"Of {len(claims)} published claims that one method or setting is better than another, {tested} could be "
            f"tested on recorded people: {counts.get(SUPPORTED, 0)} {SUPPORTED}, {counts.get(NOISE, 0)} {NOISE}, "
            f"{counts.get(CONTRADICTED, 0)} {CONTRADICTED}."
        )
    else:
        yield (f"All {len(claims)} published claims that one method or setting is better than another {_UNTESTED}.")
    if tested and counts.get(UNTESTABLE, 0):
        yield f"The other {counts[UNTESTABLE]} claims {_UNTESTED}."


def _printed(papers: Sequence[Section]) -> Iterator[str]:
    cells = stacked([section.result.cells for section in papers])
    if cells.empty:
        return
    rows = cells[cells["possible"] != ""].groupby(ROW)["possible"].agg(lambda states: (states == "impossible").sum())
    wrong = rows[rows > 0]
    if len(rows):
        places = _named(list(dict.fromkeys(wrong.index.get_level_values("experiment"))))
        alone = f" (in {places}); for {(wrong == 1).sum()} of them the wrong number can be named."
        yield (
            f"{len(wrong)} of {len(rows)} printed rows of scores that were checked cannot come from any predictions"
            f"{alone if len(wrong) else '.'}"
        )
    status = cells["status"].value_counts()
    yield (
        f"Of {len(cells)} published numbers {status.get('corrected', 0)} are misprints that could be repaired, and "
        f"{status.get('suspect', 0)} more are contradicted by other numbers in print."
    )


def _over_prior(sections: Sequence[Section]) -> Iterator[str]:
    """Count the variants that beat guessing, each (method, data) once however many experiments share it."""
    found: dict[tuple[str, Kind], dict[str, bool]] = {}
    for section in sections:
        if section.measured is None:
            continue
        measurement = section.measured.measurement
        rows = measurement.scores[(measurement.scores["metric"] == "uf1") & measurement.scores["over_prior"].notna()]
        told = found.setdefault((measurement.dataset.label, measurement.dataset.kind), {})
        for row in rows.itertuples():
            told[measurement.variants[row.variant].key] = row.over_prior_low > 0
    for (label, kind), told in found.items():
        if told:
            yield (
                f"{sum(told.values())} of {len(told)} distinct variants beat the class prior in UF1 by a margin whose "
                f"95 % interval over people excludes zero ({marked(label, kind)})."
            )


def _gaps(gaps: pd.DataFrame) -> Iterator[str]:
    for _, rows in gaps.groupby("kind", sort=False) if len(gaps) else ():
        yield marked(gap_in_words(rows), rows["kind"].iloc[0])


def _noise(noise: pd.DataFrame) -> Iterator[str]:
    """Say how many claimed differences two single trainings would show by their seeds alone, by kind of data."""
    known = noise[noise["noise_single"].notna() & (noise["claims"] > 0)] if len(noise) else noise
    for kind, rows in known.groupby("kind", sort=False) if len(known) else ():
        yield (
            f"{int(rows['claims_below'].sum())} of {int(rows['claims'].sum())} published differences between methods "
            f"or settings, in {len(rows)} comparisons, are smaller than what two trainings differ by their seeds "
            f"alone (spread over seeds measured on {KINDS[kind]})."
        )


def _failures(sections: Sequence[Section]) -> Iterator[str]:
    failed = [f"{section.id} {label}" for section in sections for label, _, _ in section.failures]
    if failed:
        yield f"{len(failed)} variants failed, and are in no table: {_named(failed)}."
    waiting = sum(len(section.waiting) for section in sections)
    if waiting:
        yield f"{waiting} variants of experiments that are measured in part are not computed, or not to their end."


def _named(names: Sequence[str]) -> str:
    if len(names) <= MANY:
        return ", ".join(names)
    return f"{', '.join(names[:MANY])} and {len(names) - MANY} more"
