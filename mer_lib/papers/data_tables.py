"""The papers' tables of their data, counted again in the data that are here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pandas as pd

from mer_lib.datasets import label_sets, labelled
from mer_lib.datasets.collection import Collection, NothingToShow
from mer_lib.datasets.samples import qualified_subjects
from mer_lib.errors import DataError
from mer_lib.manifest import LabelSet
from mer_lib.papers.reported import experiments, lookup, papers, reported

COLUMNS = ("paper", "place", "dataset", "quantity", "counted_in", "printed", "measured", "verdict", "note", "why")
AGREES, DIFFERS, UNKNOWN = "agrees", "differs", "cannot be counted"
#: The sub-datasets of the composite that papers call "full".
COMPOSITE = ("casme2", "samm", "smic")
WHOLE, LISTED = "whole annotation", "published list"

_MEGC = MappingProxyType(dict.fromkeys((*COMPOSITE, "full"), "megc2019"))
#: For each table of data, the label set that a data set was counted with; the whole annotation where none is named.
TABLES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "htnet.table1": _MEGC,
        "capsulenet.table1": _MEGC,
        "mishin_yolo.text": {},
        "da_crossvit.table1": _MEGC,
        "mfem_mffm.table1": {},
    }
)
# HTNet's table gives the classes of CAS(ME)^3, but all of its samples and people.
_CLASSES_OF = MappingProxyType({"casme3a": "casme3_three"})
_MISHIN = ("male_subjects", "female_subjects", "classes")
_COUNTED = ("subjects", "samples", "total")
_GENDERS = MappingProxyType({"male_subjects": "male", "female_subjects": "female"})


class Counted(NamedTuple):
    """Samples as a paper counts them: `table` with a column `label`, and the label set that was used."""

    table: pd.DataFrame
    how: str


def data_tables(collection: Collection) -> pd.DataFrame:
    """Put what each paper prints of its data beside what is counted in the data that are here.

    Returns:
        One row a printed number of a data set that is here, with :data:`COLUMNS`: `dataset` is a sub-dataset or "full"
        (the composite of three), `quantity` what is counted, `counted_in` the label set or the whole annotation,
        `printed` the number with its misprint where it has one, `measured` a text (empty where nothing can be counted),
        `verdict` :data:`AGREES`, :data:`DIFFERS` or :data:`UNKNOWN`, `note` what is known against the number, `why`
        nothing can be counted.

    Raises:
        NothingToShow: the data are not real, or no paper used them.
    """
    if collection.kind != "real":
        raise NothingToShow(f"The papers counted real data; beside {collection.kind} ones their numbers say nothing")
    rules = label_sets()
    rows = [row for table in TABLES for row in _rows_of(table, collection, rules)]
    if not rows:
        raise NothingToShow(f"No table of the papers counts {', '.join(collection.parts)}")
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _rows_of(name: str, collection: Collection, rules: Mapping[str, LabelSet]) -> list[tuple[str, ...]]:
    place = experiments()[name]
    paper = papers()[place.paper].short_name
    rows: list[tuple[str, ...]] = []
    for printed in reported(name).to_dict("records"):
        dataset, metric = str(printed["dataset"]), str(printed["metric"])
        if not _is_here(dataset, collection) or (name == "mishin_yolo.text" and metric not in _MISHIN):
            continue
        number = lookup(name, metric, dataset)
        if number is None:
            continue
        value, why, how = count(name, dataset, metric, collection, rules)
        verdict = UNKNOWN if value is None else AGREES if value == number.value else DIFFERS
        known = (number.display(), _text(value), verdict, number.note or "", why)
        rows.append((paper, place.place, dataset, metric, how, *known))
    return rows


class Count(NamedTuple):
    """What was counted; `value` is None where nothing can be, and `why` says the reason. `how` names the samples."""

    value: int | bool | str | None
    why: str
    how: str


def count(name: str, dataset: str, metric: str, collection: Collection, rules: Mapping[str, LabelSet]) -> Count:
    """Count one quantity as a table of the papers does.

    Args:
        name: of the table or text, a key of :data:`TABLES`.
        dataset: a sub-dataset or "full".
        metric: what is counted, as in the published numbers.
        collection: real data.
        rules: the label sets of the manifest.
    """
    if not _is_here(dataset, collection):
        return Count(None, f"{dataset} is not here", "")
    counted = _counted(_rule_of(name, dataset, metric), dataset, collection, rules)
    return Count(*_measure(metric, dataset, counted, collection), counted.how)


def _is_here(dataset: str, collection: Collection) -> bool:
    wanted = COMPOSITE if dataset == "full" else (dataset,)
    return all(part in collection.parts for part in wanted)


def _rule_of(name: str, dataset: str, metric: str) -> str:
    """Return the label set that a number of a paper was counted with; empty where all annotated samples count."""
    if metric == "classes":
        return "casme3_six"
    classes = _CLASSES_OF.get(dataset, "") if name == "htnet.table1" and metric.startswith("n_") else ""
    return TABLES[name].get(dataset, classes)


def _counted(rule: str, dataset: str, collection: Collection, rules: Mapping[str, LabelSet]) -> Counted:
    """Return the samples that a number of a paper counts."""
    samples = collection.only(*(COMPOSITE if dataset == "full" else (dataset,))).samples
    if samples["emotion"].isna().all():  # flow maps: a list that was labelled before
        return Counted(samples.assign(label=samples["label3"] if rule else pd.NA), LISTED if rule else WHOLE)
    if not rule:
        return Counted(samples.assign(label=samples["emotion"]), WHOLE)
    labels = labelled(samples, rules[rule])
    found = samples.merge(labels[["sample_id", "label"]], on="sample_id").dropna(subset="label")
    return Counted(found, rules[rule].title)


def _measure(metric: str, dataset: str, counted: Counted, collection: Collection) -> tuple[Any, str]:
    """Return what is counted, or None and the reason why nothing can be."""
    table = counted.table
    if metric in _COUNTED and counted.how == WHOLE and table["label"].isna().all():
        return None, "only samples with a class are here"
    if metric in _COUNTED:
        return (qualified_subjects(table).nunique() if metric == "subjects" else len(table)), ""
    if metric.startswith("n_"):
        return _count(table["label"], metric.removeprefix("n_"))
    if metric == "classes":
        return int(table["label"].nunique()), ""
    if metric in _GENDERS:
        people = table.drop_duplicates("subject")["gender"]
        return (int((people == _GENDERS[metric]).sum()), "") if people.notna().any() else (None, "no gender is known")
    if metric == "fps":
        rates = table["fps"].dropna().unique()
        return (int(rates[0]), "") if len(rates) == 1 else (None, "no frame rate, or more than one")
    if metric.startswith("has_"):
        return _has(table, metric.removeprefix("has_"))
    if metric == "resolution":
        return _resolution(collection.sources[dataset], table)
    return None, "it comes from the paper's own preparation of the pictures"


def _count(labels: pd.Series, name: str) -> tuple[int | None, str]:
    return (int((labels == name).sum()), "") if labels.notna().any() else (None, "no emotions")


def _has(table: pd.DataFrame, moment: str) -> tuple[bool | None, str]:
    known = table[["onset", "apex", "offset"]].notna().any().any()
    return (bool(table[moment].notna().any()), "") if known else (None, "no frame numbers")


def _resolution(source: Any, table: pd.DataFrame) -> tuple[str | None, str]:
    if not getattr(source, "has_frames", False):
        return None, "no images"
    try:
        height, width = source.frames(str(table["sample_id"].iloc[0]), [0]).shape[1:3]
    except DataError:
        return None, "the first frame cannot be read"
    return f"{width}x{height}", ""


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
