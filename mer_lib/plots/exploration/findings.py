"""What is seen in each figure, in sentences whose numbers are computed; none for a figure that speaks for itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import pandas as pd

from mer_lib.datasets import summaries, unit_summaries
from mer_lib.datasets.collection import Collection
from mer_lib.datasets.samples import CLASSES
from mer_lib.plots.exploration.look import number_of, unit_name
from mer_lib.plots.style import dataset_label

_FEW = 10
_OFTEN = 0.2  # an action unit is typical of an emotion where this share of its samples moves it


def found(name: str, collection: Collection) -> str:
    """Return what is seen in a figure, as Markdown; empty where there is nothing to say.

    Args:
        name: of the figure.
        collection: that it was drawn from.
    """
    say = _SENTENCES.get(name)
    return say(collection) if say else ""


def classes_by_dataset(collection: Collection) -> str:
    """Say which class is commonest and how much more common than the rarest."""
    table = summaries.imbalance(collection.samples)
    parts = [
        f"in {dataset_label(row.dataset)} *{row.commonest}* is {row.ratio:.1f} times as common as *{row.rarest}*"
        for row in table.itertuples()
        if row.dataset != summaries.ALL and row.n_commonest > row.n_rarest
    ]
    return _see("; ".join(parts))


def classes_by_subject(collection: Collection) -> str:
    """Say how much of each data set comes from few people."""
    people = summaries.classes_by_subject(collection.samples).drop_duplicates(["dataset", "subject"])
    return _see("; ".join(_crowd(str(part), group["total"]) for part, group in people.groupby("dataset", sort=False)))


def _crowd(part: str, totals: pd.Series) -> str:
    whole = totals.sum()
    if len(totals) == 1:
        return f"all of {dataset_label(part)} comes from one subject"
    half = int((totals.cumsum() < whole / 2).sum()) + 1
    return (
        f"half of the {number_of(int(whole), 'sample')} of {dataset_label(part)} come from "
        f"{half} of {number_of(len(totals), 'subject')} (the first has {_percent(totals.iloc[0] / whole)})"
    )


def subjects_by_samples(collection: Collection) -> str:
    """Say how many subjects lack a class, and what that does to a score that is averaged over subjects."""
    table = summaries.subjects_by_samples(collection.samples)
    by_classes = table.groupby("classes")["subjects"].sum()
    total = int(by_classes.sum())
    perfect = float((by_classes * by_classes.index).sum()) / (len(CLASSES) * total)
    one, every = int(by_classes[1]), int(by_classes[len(CLASSES)])
    one_only = f"{one} of {number_of(total, 'subject')} {_verb(one, 'show')} one class only"
    counts = f"{one_only}, {every} {_verb(every, 'show')} all"
    if f"{perfect:.2f}" == "1.00":
        return _see(counts)
    return _see(
        f"{counts}. If a score is computed subject by subject over three classes and then averaged, who is *always "
        f"right* gets {perfect:.2f} and not 1: this is why scores are pooled over all subjects first"
    )


def emotions(collection: Collection) -> str:
    """Say which emotion is commonest, and how many there are with few samples."""
    table = summaries.emotions_by_dataset(collection.samples[collection.samples["emotion"].notna()])
    parts = []
    for part, group in table.groupby("dataset", sort=False):
        first = group.loc[group["samples"].idxmax()]
        share = first["samples"] / group["samples"].sum()
        few = int((group["samples"] < _FEW).sum())
        words = f"{few} of its {number_of(len(group), 'emotion')} {'has' if few == 1 else 'have'}"
        rare = f", and {words} fewer than {_FEW} samples" if few else ""
        parts.append(f"{_percent(share)} of {dataset_label(str(part))} are *{first['emotion']}*{rare}")
    return _see("; ".join(parts))


def imbalance(collection: Collection) -> str:
    """Say what the guess scores."""
    row = summaries.imbalance(collection.samples).iloc[-1]
    whose = "all samples that have a class" if collection.samples["label3"].isna().any() else "all samples"
    return _see(
        f"who always says *{row['commonest']}* is right in {_percent(row['accuracy'])} of {whose}, and has a "
        f"UAR of {row['uar']:.2f} and a UF1 of {row['uf1']:.2f}. Compare every score that you read with these"
    )


def durations(collection: Collection) -> str:
    """Say how many samples last longer than the definition allows."""
    table = summaries.spans(collection.samples)
    whole = table[table["span"] == list(summaries.SPANS)[1]]
    parts = []
    for part, group in whole.groupby("dataset", sort=False):
        longer = int((group["ms"] > summaries.MICRO_MS).sum())
        parts.append(
            f"{longer or 'none'} of {number_of(len(group), 'sample')} of {dataset_label(str(part))} "
            f"{_verb(longer, 'last')} longer than half a second (the longest {_time(group['ms'].max())})"
        )
    return _see("; ".join(parts))


def apex_position(collection: Collection) -> str:
    """Say by how much the middle frame misses the apex."""
    samples = collection.samples
    middle = (samples["onset"] + samples["offset"]).astype("Float64") / 2
    off = 1000 * (samples["apex"].astype("Float64") - middle).abs() / samples["fps"].astype("Float64")
    misses = off.groupby(samples["dataset"], sort=False).median().dropna()
    parts = [f"by {miss:.0f} ms in {dataset_label(str(part))}" for part, miss in misses.items()]
    return _see(
        f"who takes the middle frame for want of an annotated apex misses it, in the median, {', '.join(parts)}"
        if parts
        else ""
    )


def unit_frequencies(collection: Collection) -> str:
    """Say which action unit is commonest of each emotion, and which is typical of several."""
    table = unit_summaries.unit_frequencies(collection.samples)
    if table.empty:
        return ""
    typical = table[table["share"] >= _OFTEN].groupby("unit")["emotion"].nunique()
    shared = [f"AU {unit} ({unit_name(int(unit))}, {count} emotions)" for unit, count in typical.items() if count > 2]
    best = table.loc[table.groupby("emotion", sort=False)["share"].idxmax()]
    parts = [f"{row.emotion} AU {row.unit} ({_percent(row.share)})" for row in best.itertuples()]
    first = f"the commonest unit of each emotion: {', '.join(parts)}"
    second = f". In a fifth of the samples or more, several emotions share {', '.join(shared)}" if shared else ""
    return _see(first + second)


def unit_pairs(collection: Collection) -> str:
    """Say which two action units move together most often."""
    table = unit_summaries.unit_pairs(collection.samples)
    pairs = table[(table["first"] != table["second"]) & (table["samples"] > 0)]
    if pairs.empty:
        return _see("no two units move in the same sample") if len(table) else ""
    best = pairs.loc[pairs.groupby("emotion", sort=False)["share"].idxmax()]
    parts = [f"{row.emotion} {row.first} + {row.second} ({_percent(row.share)})" for row in best.itertuples()]
    return _see(f"the commonest pair of each emotion: {', '.join(parts)}")


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _time(ms: float) -> str:
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def _verb(count: int, verb: str) -> str:
    return f"{verb}s" if count == 1 else verb


def _see(text: str) -> str:
    return f"**See:** {text}." if text else ""


_SENTENCES: Mapping[str, Callable[[Collection], str]] = MappingProxyType(
    {
        say.__name__: say
        for say in (
            classes_by_dataset, classes_by_subject, subjects_by_samples, emotions, imbalance, durations, apex_position,
            unit_frequencies, unit_pairs,
        )
    }
)  # fmt: skip
