"""Emotions become classes: the rule of a label set applied clip by clip, with the reason where a clip is dropped."""

from __future__ import annotations

import pandas as pd

from mer_lib.manifest import LabelRule, LabelSet

LABEL_COLUMNS = ("sample_id", "dataset", "subject", "emotion", "label", "reason")
_NO_EMOTION = "no emotion"
NO_APEX = "no apex"
_UNKNOWN = "unknown emotion"


def labelled(samples: pd.DataFrame, label_set: LabelSet) -> pd.DataFrame:
    """Say what a label set makes of each clip.

    Args:
        samples: with the columns sample_id, dataset, subject, emotion, onset and apex of the samples table.
        label_set: its parts are values of the column dataset.

    Returns:
        One row a sample whose dataset the label set has a rule for, in the order of `samples`: sample_id, dataset,
        subject, emotion, `label` (one of the label set's classes, or missing), and `reason`: why there is no label
        (empty where there is one).
    """
    table = samples[samples["dataset"].isin(list(label_set.parts))].reset_index(drop=True)
    rules = [label_set.parts[name] for name in table["dataset"]]
    values = zip(rules, table["emotion"], table["onset"], table["apex"], strict=True)
    reasons = [_reason(*value) for value in values]
    labels = [
        None if reason else rule.emotions[emotion]
        for reason, rule, emotion in zip(reasons, rules, table["emotion"], strict=True)
    ]
    table["label"] = pd.array(labels, dtype="string")
    table["reason"] = pd.array(reasons, dtype="string")
    return table[list(LABEL_COLUMNS)]


def without_meaning(table: pd.DataFrame) -> pd.Series:
    """Which clips of a table of :func:`labelled` have no emotion, or one that the label rules do not know."""
    return table["reason"].str.startswith(_UNKNOWN) | (table["reason"] == _NO_EMOTION)


def _reason(rule: LabelRule, emotion: object, onset: object, apex: object) -> str:
    if pd.isna(emotion):
        return _NO_EMOTION
    if emotion in rule.dropped:
        return f"{emotion} has no class"
    if emotion not in rule.emotions:
        return f"{_UNKNOWN} {emotion}"
    if rule.needs_apex and pd.isna(apex):
        return NO_APEX
    if rule.needs_apex and apex == onset:
        return "apex on the onset"
    return ""
