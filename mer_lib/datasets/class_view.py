"""A data set seen through a label set: which samples have a class there, and which class that is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd

from mer_lib.datasets.catalogue import label_sets
from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.datasets.recorded.labelling import labelled
from mer_lib.datasets.samples import CLASSES
from mer_lib.errors import DataError, ParameterError, fault_list
from mer_lib.manifest import LabelSet

#: The name of the classes that every data set brings along, in its column `label3`.
THREE = "three"


@dataclass(frozen=True, eq=False)
class Labelled:
    """Samples that have a class, and their classes; made by :func:`with_labels`.

    Attributes:
        name: "three", or the name of a label set of the data manifest.
        classes: names of the classes; a label is a position in them.
        dataset: the data set without the samples that have no class; the one that was given where all have one.
        samples: its samples table with one more column, `label`: the name of the class.
    """

    name: str
    classes: tuple[str, ...]
    dataset: FlowMapDataset | ClipDataset
    samples: pd.DataFrame

    def labels(self, sample_ids: Sequence[str] | None = None) -> np.ndarray:
        """Return the labels of `sample_ids` (all, in table order, where none are given).

        Returns:
            int64 (n,), positions in `classes`.

        Raises:
            DataError: naming every id that has no class here.
        """
        wanted = list(self.samples["sample_id"] if sample_ids is None else sample_ids)
        unknown = sorted({str(key) for key in wanted if key not in self._codes})
        if unknown:
            raise DataError(f"{self.dataset.name} has no class of {self.name!r} for:\n{fault_list(unknown)}")
        return np.array([self._codes[key] for key in wanted], dtype=np.int64)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the classes and (sample_id, label) of all samples in the order of their ids."""
        lines = [",".join(self.classes), *(f"{key}={code}" for key, code in sorted(self._codes.items()))]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @cached_property
    def _codes(self) -> dict[str, int]:
        codes = self.samples["label"].map({name: code for code, name in enumerate(self.classes)})
        return dict(zip(self.samples["sample_id"].astype(str), codes.astype(int), strict=True))


def class_names(labels: str = THREE) -> tuple[str, ...]:
    """Return the classes of a label set, in the order of their numbers, without any data.

    >>> class_names("casme3_six")
    ('happiness', 'sadness', 'surprise', 'anger', 'disgust', 'fear')

    Raises:
        ParameterError: there is no such label set.
    """
    return CLASSES if labels == THREE else _rules(labels).classes


@lru_cache(maxsize=16)  # the variants of an experiment share their labels
def with_labels(dataset: FlowMapDataset | ClipDataset, labels: str = THREE) -> Labelled:
    """See a data set through a label set; samples that have no class there are left out.

    >>> from mer_lib.datasets import load
    >>> toy = with_labels(load("toy_flow"))
    >>> toy.classes, toy.labels(["toya/01/toy_01"])
    (('negative', 'positive', 'surprise'), array([0]))

    Args:
        dataset: flow maps or clips.
        labels: "three" (the column `label3`), or a label set of the data manifest, which reads the column `emotion`.

    Raises:
        ParameterError: there is no such label set.
        DataError: the label set has no rule for the data set, or leaves fewer than two classes of it; the message
            says which sets fit.
    """
    samples = dataset.samples
    if labels == THREE:
        return _view(dataset, THREE, CLASSES, samples["label3"])
    rules = _rules(labels)
    table = labelled(samples, rules).set_index("sample_id")["label"]
    classes = samples["sample_id"].map(table)
    if classes.nunique() < 2:
        raise DataError(_misfit(dataset, labels))
    return _view(dataset, labels, rules.classes, classes)


def _rules(labels: str) -> LabelSet:
    sets = label_sets()
    if labels not in sets:
        raise ParameterError(f"labels: expected one of {', '.join((THREE, *sets))}, got {labels!r}")
    return sets[labels]


def _view(dataset: FlowMapDataset | ClipDataset, name: str, classes: tuple[str, ...], labels: pd.Series) -> Labelled:
    kept = labels.notna().to_numpy()
    if not kept.any():
        raise DataError(f"{dataset.title} has no sample with a class of {name!r} ({', '.join(classes)})")
    restricted = dataset if kept.all() else _only(dataset, kept)
    samples = dataset.samples[kept].assign(label=labels[kept].astype(str)).reset_index(drop=True)
    return Labelled(name, tuple(classes), restricted, samples)


def _only(dataset: FlowMapDataset | ClipDataset, kept: np.ndarray) -> FlowMapDataset | ClipDataset:
    samples = dataset.samples[kept].reset_index(drop=True)
    if isinstance(dataset, ClipDataset):
        return replace(dataset, samples=samples)
    return replace(dataset, samples=samples, pixels=dataset.maps(samples["sample_id"].tolist()))


def _misfit(dataset: FlowMapDataset | ClipDataset, labels: str) -> str:
    samples, sets = dataset.samples, label_sets()
    parts = ", ".join(sorted(samples["dataset"].unique()))
    start = f"{dataset.title} ({dataset.name}) has too few classes of the label set {labels!r}"
    if samples["emotion"].isna().all():
        return f"{start}: its samples table says no emotions. Use labels 'three'."
    fitting = [name for name, rules in sets.items() if labelled(samples, rules)["label"].nunique() > 1]
    return f"{start}, whose rules are for {', '.join(sets[labels].parts)}; {parts} fit {', '.join((THREE, *fitting))}."
