"""Frames of chosen predictions: one row a (sample, seed) with the truth and one probability a class.

The columns ``p_<class>`` say which classes there are, in the order of the class numbers. Data set and subject of a row
are read from its `sample_id`; no row is ever matched to anything by its position.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mer_lib.errors import ParameterError, fault_list

#: The name of all data sets of a frame together.
FULL = "full"
_PREFIX = "p_"
_SAMPLE_ID = re.compile(r"[^/\s]+/[^/\s]+/[^/\s]+")


def probability_columns(classes: Iterable[str]) -> list[str]:
    """Return the columns that hold the probabilities of `classes`, in their order.

    >>> probability_columns(["negative", "positive"])
    ['p_negative', 'p_positive']
    """
    return [f"{_PREFIX}{name}" for name in classes]


def classes_of(predictions: pd.DataFrame) -> tuple[str, ...]:
    """Return the classes of a frame in the order of their columns, which is that of the class numbers."""
    return tuple(str(name).removeprefix(_PREFIX) for name in predictions if str(name).startswith(_PREFIX))


def probabilities(predictions: pd.DataFrame) -> npt.NDArray[Any]:
    """Return the probabilities of a frame, (n, C)."""
    return predictions[probability_columns(classes_of(predictions))].to_numpy()


def predicted_classes(predictions: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return the most probable class number of each row, int64 (n,); among equals the first class."""
    return probabilities(predictions).argmax(axis=1)


def only(predictions: pd.DataFrame, sample_ids: Iterable[str]) -> pd.DataFrame:
    """Keep the rows of some samples, such as the clips of men, so that several methods are scored on the same ones.

    Raises:
        ParameterError: a sample was not predicted; some are named.
    """
    wanted = set(sample_ids)
    missing = wanted - set(predictions["sample_id"])
    if missing:
        raise ParameterError(f"expected predictions of all samples asked for, got none of {named_few(missing)}")
    return predictions[predictions["sample_id"].isin(wanted)].reset_index(drop=True)


def subject_ids(predictions: pd.DataFrame) -> pd.Series:
    """Return the subject of each row as ``<dataset>/<subject>``, read from its sample id.

    >>> subject_ids(pd.DataFrame({"sample_id": ["toya/01/a", "toyb/01/a"]})).tolist()
    ['toya/01', 'toyb/01']
    """
    return predictions["sample_id"].str.rsplit("/", n=1).str[0].rename("subject")


def check_predictions(predictions: pd.DataFrame, *, several_seeds: bool = False, columns: Iterable[str] = ()) -> None:
    """Check that a frame holds chosen predictions: one row a (sample, seed) with probabilities.

    Args:
        predictions: the frame.
        several_seeds: allow several seeds, which must then hold the same samples with the same truth.
        columns: further columns that must be there.

    Raises:
        ParameterError: with all faults at once.
    """
    required = ["sample_id", "seed", "y_true", *columns]
    missing = [f"column {name} is missing" for name in required if name not in predictions]
    classes = classes_of(predictions)
    if len(classes) < 2:
        missing.append(
            f"expected a column p_<class> for each of two classes or more, got {', '.join(classes) or 'none'}"
        )
    raise_if(missing, "Predictions break their contract")
    faults = [
        *_id_faults(predictions),
        *class_number_faults("y_true", predictions["y_true"].to_numpy(), len(classes)),
    ]
    faults += _proba_faults(predictions)
    faults += _several_seeds_faults(predictions) if several_seeds else _one_seed_faults(predictions)
    raise_if(faults, "Predictions break their contract")


def class_number_faults(name: str, values: npt.NDArray[Any], n_classes: int) -> list[str]:
    """Say what keeps `values` from being class numbers 0..n_classes-1; an empty list where nothing does."""
    if values.size == 0:
        return [f"{name}: expected at least one label, got none"]
    if values.ndim != 1 or not np.issubdtype(values.dtype, np.integer):
        return [f"{name}: expected a flat list of integers, got {values.dtype} of shape {values.shape}"]
    wrong = np.unique(values[(values < 0) | (values >= n_classes)])
    if wrong.size == 0:
        return []
    return [f"{name}: expected class numbers 0..{n_classes - 1}, got {', '.join(map(str, wrong[:5]))}"]


def raise_if(faults: Iterable[str], heading: str) -> None:
    """Raise one ParameterError that lists all `faults` under `heading`, if there are any."""
    faults = list(faults)
    if faults:
        raise ParameterError(f"{heading}:\n{fault_list(faults)}")


def _id_faults(predictions: pd.DataFrame) -> list[str]:
    ids = predictions["sample_id"].astype(str)
    names = ids.unique()
    malformed = [name for name in names if not _SAMPLE_ID.fullmatch(name)]
    faults = [f"sample_id: expected <dataset>/<subject>/<clip>, got {name!r}" for name in malformed]
    if any(name.startswith(f"{FULL}/") for name in names):
        faults.append(f"sample_id: {FULL!r} names all data sets together, so no data set can be called so")
    repeated = ids[predictions.duplicated(["sample_id", "seed"])].unique()
    if len(repeated):
        faults.append(
            f"expected one row a (sample, seed), got several for {named_few(repeated)}; "
            "choose one epoch and the role test first"
        )
    return faults


def _proba_faults(predictions: pd.DataFrame) -> list[str]:
    proba = probabilities(predictions).astype(np.float64)
    # The tolerance leaves room for the rounding of float32, not for logits.
    valid = np.isfinite(proba).all(axis=1) & (proba >= 0).all(axis=1) & (np.abs(proba.sum(axis=1) - 1) < 1e-3)
    if valid.all():
        return []
    broken = predictions["sample_id"].astype(str)[~valid].unique()
    return [f"expected probabilities that are not negative and sum to 1, got others for {named_few(broken)}"]


def _one_seed_faults(predictions: pd.DataFrame) -> list[str]:
    seeds = sorted(predictions["seed"].unique())
    if len(seeds) <= 1:
        return []
    return [f"expected one seed, got {', '.join(map(str, seeds))}; scores are per seed: use score_seeds"]


def _several_seeds_faults(predictions: pd.DataFrame) -> list[str]:
    by_sample = predictions.groupby("sample_id")
    incomplete = by_sample["seed"].nunique() < predictions["seed"].nunique()
    contradicted = by_sample["y_true"].nunique() > 1
    faults = []
    if incomplete.any():
        faults.append(f"expected the same samples for every seed, got some seeds without {named_few(incomplete)}")
    if contradicted.any():
        faults.append(f"expected one truth a sample, got several for {named_few(contradicted)}")
    return faults


def named_few(names: Any) -> str:
    """Name a few samples: those of an array, or those for which a boolean series is true."""
    chosen = sorted(names.index[names] if isinstance(names, pd.Series) else names)
    more = f" and {len(chosen) - 3} more" if len(chosen) > 3 else ""
    return ", ".join(chosen[:3]) + more
