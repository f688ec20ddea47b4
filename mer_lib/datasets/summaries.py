"""What a samples table holds, counted: tidy tables, one row a number, which figures draw and tests check.

Every function takes a samples table (see :mod:`mer_lib.datasets.samples`) and leaves it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd

from mer_lib.datasets.samples import CLASSES
from mer_lib.errors import ParameterError

NO_CLASS = "no class"
NO_EMOTION = "no emotion"
DROPPED = "dropped"
ALL = "all together"
#: Emotions in the order of every figure; others follow in the order of the alphabet.
EMOTION_ORDER: tuple[str, ...] = (
    "negative", "disgust", "anger", "contempt", "fear", "sadness", "repression",
    "positive", "happiness", "surprise", "others", "neutral", NO_EMOTION,
)  # fmt: skip
#: From one moment to another; the apex is missing where nobody annotated it.
SPANS: dict[str, tuple[str, str]] = {
    "onset to apex": ("onset", "apex"),
    "onset to offset": ("onset", "offset"),
}
#: By the usual definition a micro-expression lasts at most this long, in milliseconds.
MICRO_MS = 500
#: Numbers of samples a subject, as bins: lowest and highest of each.
SUBJECT_BINS: tuple[tuple[int, int | None], ...] = ((1, 1), (2, 2), (3, 4), (5, 8), (9, 16), (17, 32), (33, None))
POSITION_BINS = 10


def in_order(emotions: Iterable[str]) -> list[str]:
    """Return emotions, each once, in the order of every figure.

    >>> in_order(["surprise", "boredom", "disgust", "surprise"])
    ['disgust', 'surprise', 'boredom']
    """
    found = set(emotions)
    known = [name for name in EMOTION_ORDER if name in found]
    return known + sorted(found.difference(known))


def class_order(labels: Iterable[str]) -> list[str]:
    """Return classes, each once: in the order of emotions, what has no class or is dropped last.

    >>> class_order(["surprise", "no class", "negative"])
    ['negative', 'surprise', 'no class']
    """
    found = set(labels)
    last = [name for name in (NO_CLASS, DROPPED) if name in found]
    return in_order(found.difference(last)) + last


def labels_of(samples: pd.DataFrame) -> pd.Series:
    """Return the class of each sample, :data:`NO_CLASS` where it has none."""
    return samples["label3"].astype("string").fillna(NO_CLASS)


def emotions_of(samples: pd.DataFrame) -> pd.Series:
    """Return the emotion of each sample, :data:`NO_EMOTION` where it has none."""
    return samples["emotion"].astype("string").fillna(NO_EMOTION)


def classes_by_dataset(samples: pd.DataFrame) -> pd.DataFrame:
    """Count samples and subjects of each class in each data set.

    Returns:
        dataset, label, samples, subjects; the three classes for every data set, even where there is none of one, and
        :data:`NO_CLASS` where a sample has none.
    """
    return _counted(samples, labels_of(samples), "label", always=CLASSES)


def emotions_by_dataset(samples: pd.DataFrame) -> pd.DataFrame:
    """Count samples and subjects of each emotion in each data set: dataset, emotion, samples, subjects."""
    return _counted(samples, emotions_of(samples), "emotion")


def _counted(samples: pd.DataFrame, groups: pd.Series, name: str, always: Sequence[str] = ()) -> pd.DataFrame:
    table = samples[["dataset", "subject"]].assign(**{name: groups})
    rows = []
    for dataset, part in table.groupby("dataset", sort=False):
        found = class_order([*always, *part[name]]) if name == "label" else in_order(part[name])
        for value in found:
            chosen = part[part[name] == value]
            rows.append((dataset, value, len(chosen), chosen["subject"].nunique()))
    return pd.DataFrame(rows, columns=["dataset", name, "samples", "subjects"])


def classes_by_subject(samples: pd.DataFrame) -> pd.DataFrame:
    """Count the samples of each class of each subject.

    Returns:
        dataset, subject, rank (from 1: the subject with most samples of its data set), total (its samples), label,
        samples (of that class; at least one).
    """
    table = samples[["dataset", "subject"]].assign(label=labels_of(samples))
    counts = table.groupby(["dataset", "subject", "label"], sort=False).size().rename("samples").reset_index()
    counts["total"] = counts.groupby(["dataset", "subject"])["samples"].transform("sum")
    counts = counts.sort_values(["total", "subject"], ascending=[False, True], kind="stable")
    counts["rank"] = counts.groupby("dataset")["subject"].transform(lambda names: pd.factorize(names)[0] + 1)
    counts = _sorted(counts, dataset=lambda _: _as_met(samples["dataset"]), rank=sorted, label=class_order)
    return counts[["dataset", "subject", "rank", "total", "label", "samples"]]


def subjects_by_samples(samples: pd.DataFrame) -> pd.DataFrame:
    """Count subjects by how many samples they have, and of how many classes.

    Samples without a class are left out: a subject that has no other is no test subject either.

    Returns:
        dataset, samples (a bin of :data:`SUBJECT_BINS` as text), classes (how many different ones), subjects; every
        bin occurs for every data set.
    """
    table = samples.loc[samples["label3"].notna(), ["dataset", "subject", "label3"]]
    people = table.groupby(["dataset", "subject"], sort=False)["label3"].agg(["size", "nunique"]).reset_index()
    people["bin"] = [_bin_of(int(size)) for size in people["size"]]
    rows = [
        (dataset, name, classes, int(((part["bin"] == name) & (part["nunique"] == classes)).sum()))
        for dataset, part in people.groupby("dataset", sort=False)
        for name in map(_bin_name, SUBJECT_BINS)
        for classes in range(1, len(CLASSES) + 1)
    ]
    return pd.DataFrame(rows, columns=["dataset", "samples", "classes", "subjects"])


def _bin_of(size: int) -> str:
    return _bin_name(next(edges for edges in SUBJECT_BINS if edges[1] is None or size <= edges[1]))


def _bin_name(edges: tuple[int, int | None]) -> str:
    low, high = edges
    if high is None:
        return f"{low} or more"
    return str(low) if low == high else f"{low}–{high}"


def imbalance(samples: pd.DataFrame) -> pd.DataFrame:
    """Say how unequal classes are, and what somebody scores who always guesses the commonest class of a data set.

    Returns:
        One row a data set, and one :data:`ALL` where there are several: dataset, samples (with a class), commonest,
        rarest (of the others that occur; the same where there is no other), n_commonest, n_rarest, ratio (of the two),
        and the accuracy, uar and uf1 of the guess: recall and F1 averaged over the classes that occur.
    """
    table = samples[samples["label3"].notna()]
    groups = [(str(name), part) for name, part in table.groupby("dataset", sort=False)]
    if len(groups) > 1:
        groups.append((ALL, table))
    columns = [
        "dataset", "samples", "commonest", "rarest", "n_commonest", "n_rarest", "ratio", "accuracy", "uar", "uf1",
    ]  # fmt: skip
    return pd.DataFrame([(name, *_guess(part["label3"])) for name, part in groups], columns=columns)


def _guess(labels: pd.Series) -> tuple[int, str, str, int, int, float, float, float, float]:
    counts = {name: int((labels == name).sum()) for name in CLASSES if (labels == name).any()}
    commonest = max(counts, key=counts.__getitem__)
    others = [name for name in counts if name != commonest]
    rarest = min(others, key=counts.__getitem__, default=commonest)
    total, most, least = sum(counts.values()), counts[commonest], counts[rarest]
    share = most / total
    # Precision of the guess is its share, its recall 1; the other classes are never hit.
    f1 = 2 * share / (share + 1)
    return total, commonest, rarest, most, least, most / least, share, 1 / len(counts), f1 / len(counts)


def spans(samples: pd.DataFrame) -> pd.DataFrame:
    """Measure each sample in milliseconds, from the onset frame to the apex and to the offset frame.

    Returns:
        sample_id, dataset, subject, label, span (of :data:`SPANS`), frames (last minus first number), ms; no row where
        a frame number or the frame rate is missing.
    """
    tables = [_span(samples, name, *ends) for name, ends in SPANS.items()]
    return pd.concat(tables, ignore_index=True)


def _span(samples: pd.DataFrame, name: str, first: str, last: str) -> pd.DataFrame:
    frames = (samples[last] - samples[first]).astype("Int64")
    table = samples[["sample_id", "dataset", "subject"]].assign(label=labels_of(samples), span=name, frames=frames)
    table["ms"] = 1000 * frames.astype("Float64") / samples["fps"].astype("Float64")
    return table[table["ms"].notna()].astype({"frames": int, "ms": float})


def apex_positions(samples: pd.DataFrame) -> pd.DataFrame:
    """Say where between onset (0) and offset (1) the apex of each sample lies.

    Returns:
        sample_id, dataset, label, position, and `tenth`: the lower edge of the bin of width 0.1 that it falls into (the
        last one holds 1); no row where a frame number is missing or onset and offset are the same.
    """
    length = (samples["offset"] - samples["onset"]).astype("Float64")
    position = (samples["apex"] - samples["onset"]).astype("Float64") / length.where(length > 0)
    table = samples[["sample_id", "dataset"]].assign(label=labels_of(samples), position=position)
    table = table[table["position"].notna()].astype({"position": float})
    steps = np.floor(table["position"] * POSITION_BINS).clip(0, POSITION_BINS - 1)
    return table.assign(tenth=steps / POSITION_BINS).reset_index(drop=True)


def apex_histogram(samples: pd.DataFrame) -> pd.DataFrame:
    """Count :func:`apex_positions` by tenths: dataset, label, tenth, samples; every tenth occurs for every class."""
    table = apex_positions(samples)
    tenths = [step / POSITION_BINS for step in range(POSITION_BINS)]
    rows = [
        (dataset, label, tenth, int(((part["label"] == label) & (part["tenth"] == tenth)).sum()))
        for dataset, part in table.groupby("dataset", sort=False)
        for label in class_order(part["label"])
        for tenth in tenths
    ]
    return pd.DataFrame(rows, columns=["dataset", "label", "tenth", "samples"])


def label_outcomes(labelled: pd.DataFrame) -> pd.DataFrame:
    """Count what a label rule makes of each emotion.

    Args:
        labelled: one row a sample with dataset, emotion, label (missing where it is dropped) and reason, as
            :func:`mer_lib.datasets.labelled` gives them.

    Returns:
        dataset, emotion, outcome (a class, or :data:`DROPPED`), reason (of dropping; else empty), samples.

    Raises:
        ParameterError: a column is missing.
    """
    wanted = ["dataset", "emotion", "label", "reason"]
    missing = [name for name in wanted if name not in labelled]
    if missing:
        raise ParameterError(f"labelled: expected the columns {', '.join(wanted)}, {', '.join(missing)} are missing")
    table = labelled[["dataset"]].assign(
        emotion=emotions_of(labelled),
        outcome=labelled["label"].astype("string").fillna(DROPPED),
        reason=labelled["reason"].astype("string").fillna(""),
    )
    counts = table.groupby([*table.columns], sort=False).size().rename("samples").reset_index()
    return _sorted(counts, dataset=_as_met, emotion=in_order, outcome=class_order)


def _as_met(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _sorted(table: pd.DataFrame, **orders: Callable[[Iterable[str]], list[str]]) -> pd.DataFrame:
    """Sort by some columns, the values of each in the order that its function gives them."""
    ranks = {
        name: table[name].map({value: at for at, value in enumerate(order(table[name]))})
        for name, order in orders.items()
    }
    return table.loc[pd.DataFrame(ranks).sort_values(list(orders), kind="stable").index].reset_index(drop=True)
