"""Which action units go with which emotion, and which go together: counted from the annotators' texts."""

from __future__ import annotations

from itertools import combinations_with_replacement

import pandas as pd

from mer_lib.datasets.action_units import parse
from mer_lib.datasets.summaries import emotions_of, in_order


def units(samples: pd.DataFrame) -> pd.DataFrame:
    """List the action units of each sample that its annotators are sure of.

    Returns:
        sample_id, dataset, emotion, unit (its number in FACS); of "R12 or R14" there is none, since it may be either.
    """
    rows = [
        (row.sample_id, row.dataset, emotion, unit)
        for row, emotion in zip(samples.itertuples(), emotions_of(samples), strict=True)
        if pd.notna(row.action_units)
        for unit in parse(str(row.action_units)).certain()
    ]
    return pd.DataFrame(rows, columns=["sample_id", "dataset", "emotion", "unit"]).astype({"unit": int})


def coding(samples: pd.DataFrame) -> pd.DataFrame:
    """Count how completely action units are coded.

    Returns:
        One row a data set: dataset, samples, coded (at least one unit is sure), unsure (some unit is one of several),
        not_coded (no text, a "?", or nothing that is sure).
    """
    read = [None if pd.isna(text) else parse(str(text)) for text in samples["action_units"]]
    table = samples[["dataset"]].assign(
        samples=1,
        coded=[int(found is not None and bool(found.certain())) for found in read],
        unsure=[int(found is not None and found.certain() != found.possible()) for found in read],
    )
    counts = table.groupby("dataset", sort=False).sum().reset_index()
    return counts.assign(not_coded=counts["samples"] - counts["coded"])


def unit_frequencies(samples: pd.DataFrame, most: int = 16) -> pd.DataFrame:
    """Count how often each emotion moves each of the commonest action units.

    Args:
        samples: a samples table.
        most: so many units, the commonest ones.

    Returns:
        emotion, unit, samples (that surely move it), of (samples of that emotion with a coded unit), share (the one of
        the other, 0 to 1); every unit occurs for every emotion.
    """
    table = units(samples)
    commonest = table["unit"].value_counts().sort_index().sort_values(ascending=False, kind="stable").head(most)
    rows = []
    for emotion in in_order(table["emotion"]):
        part = table[table["emotion"] == emotion]
        of = part["sample_id"].nunique()
        for unit in sorted(commonest.index):
            count = int((part["unit"] == unit).sum())
            rows.append((emotion, int(unit), count, of, count / of))
    return pd.DataFrame(rows, columns=["emotion", "unit", "samples", "of", "share"])


def unit_pairs(samples: pd.DataFrame, most: int = 8, emotions: int = 6) -> pd.DataFrame:
    """Count how often two action units move in the same sample, emotion by emotion.

    Args:
        samples: a samples table.
        most: so many units an emotion, its commonest ones.
        emotions: so many emotions, those with most coded samples.

    Returns:
        emotion, first, second (first <= second; where both are the same, how often that unit moves at all), samples,
        of (samples of that emotion with a coded unit), share.
    """
    table = units(samples)
    coded = table.groupby("emotion")["sample_id"].nunique().sort_values(ascending=False, kind="stable").head(emotions)
    rows = []
    for emotion in in_order(coded.index):
        rows += _pairs_of(emotion, table[table["emotion"] == emotion], most)
    return pd.DataFrame(rows, columns=["emotion", "first", "second", "samples", "of", "share"])


def _pairs_of(emotion: str, part: pd.DataFrame, most: int) -> list[tuple[str, int, int, int, int, float]]:
    commonest = part["unit"].value_counts().sort_index().sort_values(ascending=False, kind="stable").head(most)
    moved = {int(unit): set(part.loc[part["unit"] == unit, "sample_id"]) for unit in sorted(commonest.index)}
    of = part["sample_id"].nunique()
    counts = {pair: len(moved[pair[0]] & moved[pair[1]]) for pair in combinations_with_replacement(moved, 2)}
    return [(emotion, first, second, count, of, count / of) for (first, second), count in counts.items()]
