"""The tables of the exploration as a notebook shows them, each with what its numbers come from."""

from __future__ import annotations

from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

from mer_lib.datasets import label_sets, labelled
from mer_lib.datasets.collection import Collection, NothingToShow
from mer_lib.datasets.collection import overview as _overview
from mer_lib.manifest import ClassCounts, LabelSet
from mer_lib.papers import data_tables as _papers
from mer_lib.plots.exploration.content import described
from mer_lib.plots.style import ALARM_COLOUR, dataset_label, under_caption

_VERDICT_STYLES = {
    _papers.AGREES: "color: #00664B",
    _papers.DIFFERS: f"color: {ALARM_COLOUR}; font-weight: bold",
    _papers.UNKNOWN: "color: #777777",
}
_NAMES = {
    "dataset": "data set",
    "label3": "with class",
    "emotion": "with emotion",
    "onset": "with onset",
    "apex": "with apex",
    "offset": "with offset",
    "action_units": "with action units",
    "fps": "frames/s",
}
_SIGNS = "Printed number; ✓ the same is counted here, ≠ another one, – nothing can be counted. "
_QUANTITIES = {"fps": "frames/s", "crop_px": "side of the input (px)", "resolution": "picture size (px)"}


def overview(collection: Collection) -> Styler:
    """Return what is known of the samples of each data set."""
    table = _overview(collection)
    return _shown(table, collection, "Here: ")


def exclusions(collection: Collection) -> Styler:
    """Return the samples that are excluded, and why.

    Raises:
        NothingToShow: none is excluded.
    """
    if collection.exclusions.empty:
        raise NothingToShow("No sample is excluded")
    return _shown(collection.exclusions, collection, "Excluded: ")


def data_tables(collection: Collection) -> Styler:
    """Return the papers' tables of their data: what is printed, and what is counted here where that is another number.

    Raises:
        NothingToShow: the data are not real, or no paper used them.
    """
    table = _papers.data_tables(collection)
    table["quantity"] = table["quantity"].map(_quantity)
    rows = table.assign(paper=table["paper"] + ", " + table["place"]).groupby(["paper", "quantity"], sort=False)
    names = [name for name in (*collection.parts, "full") if name in set(table["dataset"])]
    cells = [_paper_row(paper, quantity, group, names) for (paper, quantity), group in rows]
    verdicts = [_paper_row(paper, quantity, group, names, "verdict") for (paper, quantity), group in rows]
    colours = pd.DataFrame(verdicts).map(lambda verdict: _VERDICT_STYLES.get(verdict, ""))
    labels = {name: "composite of three" if name == "full" else dataset_label(name) for name in names}
    wide = pd.DataFrame(cells).rename(columns=labels)
    wide["paper"] = wide["paper"].mask(wide["paper"].duplicated(), "")
    shown = _shown(wide, collection, _SIGNS)
    return shown.apply(lambda _: colours.rename(columns=labels), axis=None)


def _paper_row(paper: str, quantity: str, group: pd.DataFrame, names: list[str], what: str = "") -> dict[str, str]:
    cells = {row.dataset: getattr(row, what) if what else _cell(row) for row in group.itertuples()}
    notes = "; ".join(dict.fromkeys(text.rstrip(".") for text in (*group["note"], *group["why"]) if text))
    return {
        "paper": paper,
        "what": quantity,
        **{name: cells.get(name, "") for name in names},
        "note": "" if what else notes,
    }


def _cell(row: Any) -> str:
    """Write ``88 ✓`` where the counts agree, ``943 ≠ 687 here`` where not, ``28 –`` where nothing can be counted."""
    if row.verdict == _papers.DIFFERS:
        return f"{row.printed} ≠ {row.measured} here"
    return f"{row.printed} {'✓' if row.verdict == _papers.AGREES else '–'}"


def rule_counts(collection: Collection) -> Styler:
    """Return, for each label set, what its rule gives here beside what it gave on the copies that are known.

    Raises:
        NothingToShow: no label set has a rule for any of these data.
    """
    rows = [row for rules in label_sets().values() for row in _rule_rows(rules, collection)]
    if not rows:
        raise NothingToShow("No label set of the manifest has a rule for these data, or they have no emotions")
    return _shown(pd.DataFrame(rows), collection, "Label sets: ")


def _rule_rows(rules: LabelSet, collection: Collection) -> list[dict[str, object]]:
    found = labelled(collection.samples[collection.samples["emotion"].notna()], rules)
    rows = []
    for part, group in found.groupby("dataset", sort=False):
        rule, kept = rules.parts[str(part)], group.dropna(subset="label")
        counts = kept["label"].value_counts().to_dict()
        rows.append(
            {
                "label set": rules.title,
                "dataset": part,
                "here": f"{_counts(counts, rules)}, {kept['subject'].nunique()} subjects",
                "known copies": "; ".join(_edition(edition, rules) for edition in rule.counts),
                "why": rule.why,
            }
        )
    return rows


def _edition(edition: ClassCounts, rules: LabelSet) -> str:
    subjects = f", {edition.subjects} subjects" if edition.subjects else ""
    return f"{_counts(edition.classes, rules)}{subjects} ({edition.edition})"


def _counts(counts: dict[str, int], rules: LabelSet) -> str:
    return " / ".join(str(counts.get(name, 0)) for name in rules.classes)


def _quantity(metric: str) -> str:
    """Return what a number counts, for people: ``n_negative`` is ``negative``, ``has_apex`` is ``apex annotated``."""
    if metric.startswith("has_"):
        return f"{metric.removeprefix('has_')} annotated"
    return _QUANTITIES.get(metric, metric.removeprefix("n_").replace("_", " "))


def _shown(table: pd.DataFrame, collection: Collection, what: str) -> Styler:
    if "dataset" in table:
        table = table.assign(dataset=table["dataset"].map(dataset_label))
    styler = (
        table.rename(columns=_NAMES)
        .style.hide(axis="index")
        .format(escape="html")
        .set_properties(**{"text-align": "left"})
    )
    left = [{"selector": "th", "props": [("text-align", "left")]}]
    captioned = under_caption(styler, what + described(collection), collection.kind)
    return captioned.set_table_styles(left, overwrite=False)
