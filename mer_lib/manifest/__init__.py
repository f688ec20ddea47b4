"""The data manifest: which data sets exist, where they lie, in which layout, what must be true of them."""

from __future__ import annotations

from mer_lib.manifest.entries import (
    ApexSource,
    ClassName,
    Entry,
    Expected,
    Kind,
    Part,
    PartCounts,
)
from mer_lib.manifest.labels import ClassCounts, Correction, Edition, LabelRule, LabelSet, Unlisted
from mer_lib.manifest.loading import Manifest, load_manifest

__all__ = [
    "ApexSource",
    "ClassCounts",
    "ClassName",
    "Correction",
    "Edition",
    "Entry",
    "Expected",
    "Kind",
    "LabelRule",
    "LabelSet",
    "Manifest",
    "Part",
    "PartCounts",
    "Unlisted",
    "load_manifest",
]
