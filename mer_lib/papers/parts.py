"""Which part of what was measured a published number belongs to, and whether the samples are the published ones."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from mer_lib.evaluation.frames import FULL
from mer_lib.manifest import load_manifest
from mer_lib.papers.data_tables import COMPOSITE
from mer_lib.papers.experiments import Experiment
from mer_lib.papers.measured_variant import GENDERS
from mer_lib.papers.measurement import Measurement
from mer_lib.papers.reported import reported
from mer_lib.settings import manifest_path

#: What the published tables call scores that have another name here.
HERE = {"acc": "accuracy", "micro_auc": "auc_micro", "macro_auc": "auc_macro"}


#: In the sentence that says in which way samples are not the published ones.
OTHER_SAMPLES = ": not the published "


class Place(NamedTuple):
    """Where a published number is to be read: `subset` of the measurement (None: nowhere); `other` says in which way
    these are not the published samples, empty where they are."""

    subset: str | None
    other: str


def place_of(measurement: Measurement, dataset: str, stand_in: bool) -> Place:
    """Find the samples that stand for a published data set.

    Args:
        measurement: what was measured.
        dataset: "full", "smic", "casme2", "samm", "casme3a", or empty for all that was measured.
        stand_in: whether all samples may stand in where these are not here.
    """
    label, parts = measurement.dataset.label, parts_of(measurement)
    real = measurement.dataset.kind == "real"
    wanted = set(COMPOSITE) if dataset == FULL else {dataset}
    if real and (not dataset or wanted <= parts) and not (dataset == FULL and parts != wanted):
        return Place(FULL if dataset in ("", FULL) else dataset, "")
    published = " + ".join(title_of(name) for name in sorted(wanted)) if dataset else "samples"
    return Place(FULL if stand_in or dataset in ("", FULL) else None, f"{label}{OTHER_SAMPLES}{published}")


def title_of(dataset: str) -> str:
    """Return the title that the data manifest gives a published data set; its id where it has none.

    >>> title_of("casme3a")
    'CAS(ME)³ part A'
    """
    return _titles(manifest_path()).get(dataset, dataset)


@lru_cache(maxsize=4)  # asked for every published number
def _titles(manifest: Path) -> Mapping[str, str]:
    return {name: part.title for entry in load_manifest(manifest).datasets for name, part in entry.parts.items()}


def part_of(predictions: pd.DataFrame, subset: str) -> pd.DataFrame:
    """Return the predictions of one sub-dataset, all of them for "full"."""
    return predictions if subset == FULL else predictions[predictions["sample_id"].str.startswith(f"{subset}/")]


def parts_of(measurement: Measurement) -> set[str]:
    """Return the sub-datasets of which something was tested."""
    return set(measurement.scores["subset"]) - {FULL, *GENDERS.values()}


def may_stand_in(experiment_id: str) -> bool:
    """Say whether all samples at hand may stand in for a single published data set: where no composite was printed."""
    return FULL not in set(reported(experiment_id)["dataset"])


def label_of(experiment: Experiment, method: str, variant: str) -> str | None:
    """Return the variant of an experiment that a published row is about, or None where it has none."""
    by = experiment.reported.by if experiment.reported else None
    if by is None:  # a confusion matrix: of one method
        return next(iter(experiment.variants))
    printed = method if by == "method" else variant
    found = [name for name, changes in experiment.variants.items() if (changes.reported or name) == printed]
    return found[0] if found else None


def score_row(measurement: Measurement, label: str, subset: str, metric: str, protocol: str) -> pd.Series | None:
    """Return one row of the measured scores, or None."""
    scores = measurement.scores
    keys = {"variant": label, "subset": subset, "metric": HERE.get(metric, metric), "protocol": protocol}
    rows = scores
    for key, value in keys.items():
        rows = rows[rows[key] == value]
    return rows.iloc[0] if len(rows) else None
