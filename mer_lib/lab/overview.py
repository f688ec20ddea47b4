"""The paper set at a glance: one line an experiment, filtered by what a reader asks for."""

from __future__ import annotations

import html
from collections.abc import Iterable

import ipywidgets
import pandas as pd
from pandas.io.formats.style import Styler

from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.papers import reported
from mer_lib.papers.entries import EntryResult, PaperResults
from mer_lib.papers.experiments import experiments
from mer_lib.papers.grids import OWN
from mer_lib.papers.verdicts import VERDICTS
from mer_lib.plots.exploration.look import number_of
from mer_lib.plots.style import ALARM_COLOUR, MARKS
from mer_lib.report.claims import verdict_counts
from mer_lib.report.formatting import NOTHING
from mer_lib.report.headline import headline

ALL = "all"
NOT_MEASURED = "not measured"
_LONGEST = 160  # characters of a reason
_KIND_WORDS = {str(kind): text for kind, text in MARKS.items()}


def what_is_here(results: PaperResults, dataset: FlowMapDataset) -> str:
    """Say in Markdown how many of the published experiments have a measured value, and which command computes more.

    Args:
        results: of the paper set.
        dataset: that was named.
    """
    papers = list(results.papers())
    measured = [result for result in papers if _kinds(result) != [NOT_MEASURED]]
    others = len(results.measurements) - sum(result.measurement is not None for result in papers)
    said = [
        f"**{len(measured)} of {len(papers)}** published experiments have a measured value under profile "
        f"{results.profile}, and so {'has' if others == 1 else 'have'} {number_of(others, 'experiment')} of the "
        "laboratory and of your own."
    ]
    said += ["Why others have none stands under *why not* below."] if len(measured) < len(papers) else []
    return " ".join([*said, _to_be_run(results, dataset)]).strip()


def _to_be_run(results: PaperResults, dataset: FlowMapDataset) -> str:
    """Say which command computes what is not complete: the published ones at once, all others by their names."""
    incomplete = {name: result for name, result in results.entries.items() if _is_incomplete(result)}
    if not incomplete:
        return ""
    published = ["papers"] if any(result.entry for result in incomplete.values()) else []
    targets = " ".join([*published, *(name for name, result in incomplete.items() if result.entry is None)])
    failed = sum(len(result.failures) for result in incomplete.values())
    start = f"{number_of(failed, 'variant')} {'is' if failed == 1 else 'are'} not complete. " if failed else ""
    return f"{start}To compute what is missing: `mer run {targets} --profile {results.profile} --data {dataset.name}`"


def _is_incomplete(result: EntryResult) -> bool:
    trained = result.entry is None or result.entry.experiment is not None
    return trained and (result.measurement is None or bool(result.failures))


def overview(
    results: PaperResults, *, paper: str = ALL, verdict: str = ALL, data: str = ALL, method: str = ALL
) -> pd.DataFrame:
    """Return one row an experiment that fits every filter.

    Args:
        results: of the paper set.
        paper: what ids begin with, such as "htnet".
        verdict: one that a published number or claim of it was given.
        data: kind of the data that it was measured on ("real", "synthetic", "toy", "computed"), or
            :data:`NOT_MEASURED`.
        method: a method that one of its variants trains.

    Returns:
        Columns `experiment, what, how, data, measured, published, verdicts, why not`.
    """
    rows = [
        _row(name, result)
        for name, result in results.entries.items()
        if paper in (ALL, _paper(name))
        and verdict in (ALL, *_verdicts(result))
        and data in (ALL, *_kinds(result))
        and method in (ALL, *_methods(name, results.profile))
    ]
    return pd.DataFrame(
        rows, columns=["experiment", "what", "how", "data", "measured", "published", "verdicts", "why not"]
    )


def filters(results: PaperResults) -> dict[str, ipywidgets.Dropdown]:
    """Return a menu for each filter of :func:`overview`, by its keyword."""
    names, found = list(results.entries), results.entries.values()
    options: dict[str, Iterable[str]] = {
        "paper": map(_paper, names),
        "verdict": (word for result in found for word in _verdicts(result)),
        "data": (kind for result in found for kind in _kinds(result)),
        "method": sorted({method for name in names for method in _methods(name, results.profile)}),
    }
    return {
        name: ipywidgets.Dropdown(
            options=[
                (paper_name(value) if name == "paper" else value, value) for value in dict.fromkeys([ALL, *values])
            ],
            description=name,
        )
        for name, values in options.items()
    }


def overview_table(results: PaperResults, **chosen: str) -> Styler:
    """Return :func:`overview` to look at in a notebook; rows of drawn or generated data are marked.

    Args:
        results: of the paper set.
        chosen: filters of :func:`overview`.
    """
    table = overview(results, **chosen)
    counted = f"{len(table)} of {len(results.entries)} experiments, profile {results.profile}"
    styles = [
        {"selector": "caption", "props": [("caption-side", "top"), ("text-align", "left")]},
        {"selector": "td, th", "props": [("text-align", "left"), ("vertical-align", "top"), ("max-width", "22em")]},
    ]
    drawn = table["data"].isin(_KIND_WORDS.values())
    colours = pd.DataFrame("", table.index, table.columns)
    colours.loc[drawn, "data"] = f"color: {ALARM_COLOUR}"
    shown = table.map(html.escape).style.hide(axis="index").apply(lambda _: colours, axis=None)
    return shown.set_caption(counted).set_table_styles(styles)


def _row(name: str, result: EntryResult) -> dict[str, str]:
    found = headline(result)
    return {
        "experiment": name,
        "what": _title(name, result),
        "how": result.entry.how if result.entry else "trained",
        "data": ", ".join(_KIND_WORDS.get(kind, kind) for kind in _kinds(result)),
        "measured": found.text or NOTHING,
        "published": found.beside or NOTHING,
        "verdicts": ", ".join(f"{count} {word}" for word, _, count in verdict_counts(result.cells, result.claims))
        or NOTHING,
        "why not": _short(result.reason),
    }


def _title(name: str, result: EntryResult) -> str:
    if result.entry is None:
        return experiments()[name].title
    return f"{result.entry.source.place}: {result.entry.source.title}"


def _short(reason: str) -> str:
    text = " ".join(reason.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _paper(name: str) -> str:
    return name.split(".")[0]


def paper_name(paper: str) -> str:
    """Return what to call the part of an id before its dot.

    >>> paper_name("htnet"), paper_name("lab"), paper_name("own")
    ('HTNet', 'the laboratory', 'own grids')
    """
    known = {entry.id: entry.short_name for entry in reported.papers().values()}
    return known.get(paper, {"lab": "the laboratory", OWN: "own grids"}.get(paper, paper))


def _verdicts(result: EntryResult) -> list[str]:
    given = {word for table in (result.cells, result.claims) for word in table["verdict"]}
    return [word for word in VERDICTS if word in given]


def _kinds(result: EntryResult) -> list[str]:
    if result.measurement is not None:
        return [result.measurement.dataset.kind]
    cells = result.cells
    return list(dict.fromkeys(cells.loc[cells["measured"].notna(), "kind"])) or [NOT_MEASURED]


def _methods(name: str, profile: str) -> list[str]:
    chosen = experiments().get(name)
    return list(dict.fromkeys(v.model.name for v in chosen.settings(profile).values())) if chosen else []
