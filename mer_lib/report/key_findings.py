"""The page in a dozen sentences: what was measured, what of the papers it bears on, and what it warns of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from mer_lib.manifest import Kind
from mer_lib.papers.leaderboard import LEVEL, Leaderboard
from mer_lib.papers.optimism import summary
from mer_lib.papers.verdicts import CONTRADICTED, NOISE, SUPPORTED, UNTESTABLE
from mer_lib.plots.exploration.look import number_of
from mer_lib.plots.style import mark, marked
from mer_lib.report.across import Across
from mer_lib.report.claims import stacked
from mer_lib.report.formatting import difference
from mer_lib.report.published import ROW, prepared
from mer_lib.report.section import Section

KINDS = {"real": "on real data", "synthetic": "on synthetic clips", "toy": "on toy maps", "computed": "computed"}
_UNTESTED = "are untested, each with its reason: the data at hand are others, or nothing was computed"
_ABOUT_NONE = " That says nothing of the published trainings."
MANY = 4  # so many names are given, then a count


def key_findings(sections: Sequence[Section], seen: Across) -> list[str]:
    """Return the sentences; each is made from the numbers of the page by a rule, none is written by hand."""
    papers = [section for section in sections if section.result.entry is not None]
    lines = [
        *_coverage(papers),
        *_claims(papers),
        *_printed(papers),
        *_over_guessing(sections, seen.boards),
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
    on = ", ".join(f"{count} {KINDS[kind]}" for kind, count in kinds.items() if count)
    on += " (some in two ways)" if sum(kinds.values()) > len(measured) else ""
    yield f"{len(measured)} of {len(papers)} published tables, figures and texts have measured or computed values" + (
        f": {on}." if on else "."
    )
    if kinds["computed"]:
        yield "Computed are arithmetic, counts, and the settings that profile paper takes from the articles themselves."
    rest = [section.id for section in papers if not section.kinds]
    if rest:
        yield f"Without either, each with its reason: {_named(rest)}."


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
    rows = cells[cells["possible"] != ""].groupby(ROW).ngroups
    if rows:
        wrong = _impossible_rows(cells)
        places = _named(list(dict.fromkeys(wrong.index.get_level_values("experiment"))))
        named = ((wrong["size"] == 1) & wrong["all"]).sum()
        alone = f" (in {places}); for {named} of them the wrong number can be named."
        yield (
            f"{len(wrong)} of {rows} printed rows of scores that were checked cannot come from any predictions "
            f"on the stated samples{alone if len(wrong) else '.'}"
        )
    status = cells["status"].value_counts()
    yield (
        f"Of {len(cells)} published numbers {status.get('corrected', 0)} are misprints that could be repaired, and "
        f"{status.get('suspect', 0)} more are contradicted by other numbers in print."
    )


def _impossible_rows(cells: pd.DataFrame) -> pd.DataFrame:
    """Return one row a printed row that cannot be: how many numbers may be wrong (`size`), and whether `all` are."""
    found = cells[cells["possible"] == "impossible"]
    found = prepared(found) if len(found) else found.assign(certain=False)
    return found.groupby(ROW)["certain"].agg(["size", "all"])


def _over_guessing(sections: Sequence[Section], boards: Sequence[Leaderboard]) -> Iterator[str]:
    """Count the methods that can be told from predictors that never look at a sample, by data set.

    Each method counts once a leaderboard; those trained on shuffled labels have nothing to recognise and are left out.
    """
    shuffled = _shuffled(sections)
    by_data: dict[tuple[str, Kind], list[str]] = {}
    for board in boards:
        rows = [row for row in board.rows.itertuples() if not row.trivial]
        p_values = [row.p_over_trivial for row in rows if (row.experiment, row.variant) not in shuffled]
        told = sum(p < LEVEL for p in p_values)
        counted = f"{told} of {number_of(len(p_values), 'method')} ({len(board.classes)} classes, {board.split})"
        by_data.setdefault((board.dataset.label, board.dataset.kind), []).append(counted)
    for (label, kind), counts in by_data.items():
        sentence = (
            f"Told by UF1 from predictors that never look at a sample: {', '.join(counts)}; paired tests over people "
            f"against the class prior and classes dealt at random, p below {LEVEL} after Holm's correction, on {label}."
        )
        yield marked(sentence, kind)


def _shuffled(sections: Sequence[Section]) -> set[tuple[str, str]]:
    """Return the (experiment, variant) that were trained on shuffled labels."""
    return {
        (section.id, label)
        for section in sections
        if section.measured
        for label, variant in section.measured.measurement.variants.items()
        if variant.training.permute_labels
    }


def _gaps(gaps: pd.DataFrame) -> Iterator[str]:
    for row in summary(gaps[~gaps["shuffled"].astype(bool)]).itertuples() if len(gaps) else ():
        sentence = (
            f"Choosing the epoch on the test people raises UF1 of {row.positive} of "
            f"{number_of(row.variants, 'variant')}, by {difference(row.mean)} on average over all of them ({row.data})."
        )
        yield marked(sentence, row.kind)


def _noise(noise: pd.DataFrame) -> Iterator[str]:
    """Say how many claimed differences two single trainings would show by their seeds alone, by kind of data."""
    known = noise[noise["noise_single"].notna() & (noise["claims"] > 0)] if len(noise) else noise
    for kind, rows in known.groupby("kind", sort=False) if len(known) else ():
        profiles = " and ".join(dict.fromkeys(rows["profile"]))
        sentence = (
            f"{rows['claims_below'].sum()} of {rows['claims'].sum()} published differences between methods or settings "
            f"({number_of(len(rows), 'comparison')}) are smaller than what two trainings at the size of this run "
            f"(profile {profiles}) differ by their seeds alone, measured {KINDS[kind]}."
        )
        yield marked(f"{sentence}{_ABOUT_NONE if mark(kind) else ''}", kind)


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
