"""Class counts of data sets: by name from the data manifest, or from a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from mer_lib.claims.row import ClassCounts
from mer_lib.errors import ParameterError, fault_list
from mer_lib.manifest import load_manifest

#: What the parts of a data set are together called.
FULL = "full"
_COLUMNS = ("dataset", "class", "count")


def named_counts(name: str, edition: int = 0) -> dict[str, ClassCounts]:
    """The class counts that the data manifest states under one of its label sets.

    >>> counts = named_counts("megc2019")
    >>> str(counts["smic"]), str(counts["full"])
    ('70/51/43', '250/109/83')

    Args:
        name: a label set, such as "megc2019", "casme2_five", "samm_five" or "casme3_three".
        edition: which of the stated counts, where annotations circulate in several editions; the last where a data
            set has fewer.

    Returns:
        Counts by data set; several data sets also have their sum, called "full".

    Raises:
        ParameterError: there is no such name, or it states no counts.
    """
    label_sets = load_manifest().label_sets
    known = {key: value for key, value in label_sets.items() if any(part.counts for part in value.parts.values())}
    if name not in known:
        raise ParameterError(f"unknown counts {name!r}: expected one of {', '.join(known)}, or a file")
    chosen = {
        dataset: part.counts[min(edition, len(part.counts) - 1)].classes
        for dataset, part in known[name].parts.items()
        if part.counts
    }
    classes = tuple(known[name].classes)
    return with_sum({d: ClassCounts(classes, tuple(of[c] for c in classes)) for d, of in chosen.items()})


def with_sum(counts: Mapping[str, ClassCounts]) -> dict[str, ClassCounts]:
    """The counts together with their sum, called "full", where there are several data sets of the same classes."""
    classes = {of_set.classes for of_set in counts.values()}
    if len(counts) < 2 or len(classes) > 1 or FULL in counts:
        return dict(counts)
    total = np.sum([of_set.counts for of_set in counts.values()], axis=0)
    return {**counts, FULL: ClassCounts(classes.pop(), tuple(total.tolist()))}


def read_counts(path: Path) -> dict[str, ClassCounts]:
    """Read class counts from a CSV file with the columns dataset, class, count.

    Raises:
        ParameterError: the file cannot be read, or lines of it are wrong; all faults at once, with their lines.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ParameterError(f"{path}: expected a CSV file of class counts, it cannot be read: {error}") from None
    if set(_COLUMNS) - set(table.columns):
        raise ParameterError(f"{path}: expected the columns {', '.join(_COLUMNS)}, got {', '.join(table.columns)}")
    faults = [
        f"line {line}: expected a count of at least 1, got {text!r}"
        for line, text in enumerate(table["count"], start=2)
        if not re.fullmatch(r"[1-9]\d*", text.strip())
    ]
    if table.duplicated(["dataset", "class"]).any():
        lines = np.flatnonzero(table.duplicated(["dataset", "class"])) + 2
        faults.append(f"lines {', '.join(map(str, lines))}: a class of a data set that was given before")
    if faults:
        raise ParameterError(f"{path}: the counts cannot be used:\n{fault_list(faults)}")
    groups = table.groupby("dataset", sort=False)
    return with_sum({str(d): ClassCounts(tuple(g["class"]), tuple(map(int, g["count"]))) for d, g in groups})


def counts_of(text: str) -> ClassCounts:
    """Read class counts as they stand in a cell.

    >>> counts_of("negative=70 positive=51 surprise=43").counts
    (70, 51, 43)
    >>> counts_of("88/32/25").classes
    ('1', '2', '3')

    Raises:
        ParameterError: they are written otherwise.
    """
    if re.fullmatch(r"[1-9]\d*(\s*/\s*[1-9]\d*)+", text.strip()):
        numbers = tuple(int(part) for part in text.split("/"))
        return ClassCounts(tuple(str(i + 1) for i in range(len(numbers))), numbers)
    pairs = re.findall(r"([^\s=]+)=([1-9]\d*)", text)
    if len(pairs) < 2 or " ".join(f"{name}={count}" for name, count in pairs) != " ".join(text.split()):
        raise ParameterError(f"expected counts such as 70/51/43 or negative=70 positive=51, got {text!r}")
    return ClassCounts(tuple(name for name, _ in pairs), tuple(int(count) for _, count in pairs))
