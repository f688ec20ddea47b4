"""With which settings each variant was run, in which of them variants differ, and in which from the published ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from mer_lib.evaluation.methods import is_network
from mer_lib.evaluation.variant import Variant
from mer_lib.papers.measure import Measurement
from mer_lib.report.formatting import setting

REFERENCE_PROFILE = "paper"
SPLITS = {"loso": "leave one subject out", "kfold": "folds of whole subjects"}


def settings_table(measurement: Measurement, varied_only: bool = False) -> pd.DataFrame:
    """Return the full settings, one row a setting by its dotted path, one column a variant.

    Args:
        measurement: what was measured.
        varied_only: keep the settings in which variants differ.
    """
    columns = {label: _settings(variant) for label, variant in measurement.variants.items()}
    paths = dict.fromkeys(path for values in columns.values() for path in values)
    table = pd.DataFrame(
        {"setting": list(paths)}
        | {label: [setting(values.get(path)) for path in paths] for label, values in columns.items()}
    )
    differs = table[list(columns)].nunique(axis=1) > 1
    return table[differs].reset_index(drop=True) if varied_only else table


def _settings(variant: Variant) -> dict[str, Any]:
    """Return what decides the variant's result: a method without a network does not look at `training`."""
    content = variant.model_dump(mode="json")
    return flattened(content if is_network(variant) else {**content, "training": {}})


def same_settings(measurement: Measurement) -> list[list[str]]:
    """Return the groups of variants that are one and the same under this profile, so that they share their results."""
    groups: dict[str, list[str]] = {}
    for label, variant in measurement.variants.items():
        groups.setdefault(variant.key, []).append(label)
    return [labels for labels in groups.values() if len(labels) > 1]


def flattened(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a nested setting by dotted paths.

    >>> flattened({"model": {"name": "htnet", "params": {"dim": 64}}})
    {'model.name': 'htnet', 'model.params.dim': 64}
    """
    flat: dict[str, Any] = {}
    for key, entry in value.items():
        path = f"{prefix}{key}"
        flat |= flattened(entry, f"{path}.") if isinstance(entry, dict) else {path: entry}
    return flat


def profile_table(measurement: Measurement) -> pd.DataFrame:
    """Return in what this run differs from profile ``paper``: `setting, this run, profile paper`; empty under it.

    Values that differ between variants are listed, the variant's own first axis included.
    """
    if REFERENCE_PROFILE not in measurement.experiment.profiles:
        return pd.DataFrame()
    ours = [_settings(variant) for variant in measurement.variants.values()]
    reference = measurement.experiment.settings(REFERENCE_PROFILE)
    theirs = [_settings(reference[label]) for label in measurement.variants]
    rows = []
    for path in dict.fromkeys(path for values in (*ours, *theirs) for path in values):
        pairs = [(a.get(path), b.get(path)) for a, b in zip(ours, theirs, strict=True)]
        if any(a != b for a, b in pairs):
            here, there = (_listed(_shown(path, pair[i]) for pair in pairs) for i in (0, 1))
            rows.append({"setting": path, "this run": here, f"profile {REFERENCE_PROFILE}": there})
    seeds, wanted = list(measurement.seeds), list(measurement.experiment.profile(REFERENCE_PROFILE).seeds)
    if seeds != wanted:
        rows.append({"setting": "seeds", "this run": setting(seeds), f"profile {REFERENCE_PROFILE}": setting(wanted)})
    return pd.DataFrame(rows)


def _shown(path: str, value: Any) -> str:
    return SPLITS.get(value, setting(value)) if path == "split.kind" else setting(value)


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(dict.fromkeys(setting(value) for value in values))
