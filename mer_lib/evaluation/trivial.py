"""Predictors that never look at the sample, beside any predictions and on the same samples.

The first three know what a method could know without looking: which classes its training side showed, and how often.

- ``class priors``: every sample gets the class shares of its fold's training samples as probabilities.
- ``majority``: every sample gets the most frequent of those classes, with certainty.
- ``shuffled``: the method's own predictions, dealt to other samples of the same fold. So it keeps what the method
  predicts how often, and loses what belongs to which sample.

- ``overall shares``: every sample gets the class shares of all samples that are tested.

Micro-averaged AUC rewards knowing the class shares, so they alone can pass a published method there; macro AUC compares
within a class. Where folds are pooled, class priors of training sides do worse than nothing: a fold that tests many
samples of a class has fewer of them in training, so their macro AUC falls below 0.5, and their micro AUC with it. That
is no merit of a method beside them. ``overall shares`` knows more than a method may and has no such fault (its macro
AUC is 0.5), so it is the bar that an AUC has to pass.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from mer_lib.datasets.class_view import Labelled
from mer_lib.evaluation.frames import check_predictions, classes_of, probability_columns, raise_if
from mer_lib.evaluation.metrics import score
from mer_lib.evaluation.store import FoldResult

TRIVIAL: tuple[str, ...] = ("class priors", "majority", "shuffled", "overall shares")
#: Those that say the same beside all methods that learned from, and are tested on, the same samples in the same folds.
BLIND: tuple[str, ...] = ("class priors", "majority", "overall shares")
METRICS: tuple[str, ...] = ("uf1", "uar", "accuracy", "auc_micro", "auc_macro")
#: By the number of a fold: the class numbers of the samples it was fitted on, (n,).
Trained = Mapping[int, npt.NDArray[np.int64]]


def training_labels(folds: Sequence[FoldResult], view: Labelled) -> dict[int, npt.NDArray[np.int64]]:
    """Return the class numbers of the samples that each stored fold was fitted on."""
    return {fold.metadata["fold"]: view.labels(fold.metadata["fitted_on"]) for fold in folds}


def trivial_predictions(
    predictions: pd.DataFrame, trained: Trained, seed: int = 0, names: Sequence[str] = TRIVIAL
) -> dict[str, pd.DataFrame]:
    """Return what :data:`TRIVIAL` say of the samples of `predictions`.

    Args:
        predictions: one seed's chosen predictions, with the column `fold`.
        trained: what each of these folds was fitted on, see :func:`training_labels`.
        seed: of the shuffling.
        names: some of :data:`TRIVIAL`.

    Returns:
        By name, frames like `predictions` with other probabilities.

    Raises:
        ParameterError: the frame breaks its contract, or nothing is said of what a fold was fitted on.
    """
    check_predictions(predictions, columns=["fold"])
    lacking = sorted(set(predictions["fold"]) - set(trained))
    raise_if([f"fold {fold}: expected the labels it was fitted on" for fold in lacking], "Nothing to guess from")
    columns = probability_columns(classes_of(predictions))
    overall = shares_of(predictions["y_true"].to_numpy(), len(columns))
    shares = {fold: shares_of(labels, len(columns)) for fold, labels in trained.items()}
    generator = np.random.default_rng(seed)
    rules: dict[str, Callable[[pd.DataFrame, npt.NDArray[np.float64]], npt.NDArray[np.float64]]] = {
        "class priors": lambda rows, share: np.tile(share, (len(rows), 1)),
        "majority": lambda rows, share: np.tile(np.eye(len(share))[share.argmax()], (len(rows), 1)),
        "shuffled": lambda rows, share: generator.permutation(rows[columns].to_numpy(np.float64)),
        "overall shares": lambda rows, share: np.tile(overall, (len(rows), 1)),
    }
    ordered = predictions.sort_values(["fold", "sample_id"], ignore_index=True)
    groups = list(ordered.groupby("fold", sort=True))
    return {
        name: ordered.assign(
            **dict(zip(columns, np.vstack([rules[name](rows, shares[fold]) for fold, rows in groups]).T, strict=True))
        )
        for name in names
    }


def overall_shares(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return a frame like `predictions`, of one or several seeds, that gives every sample the shares of all of them.

    Raises:
        ParameterError: the frame breaks its contract.
    """
    check_predictions(predictions, several_seeds=True)
    columns = probability_columns(classes_of(predictions))
    shares = shares_of(predictions["y_true"].to_numpy(), len(columns))
    return predictions.assign(**dict(zip(columns, shares, strict=True)))


def dealt_at_random(predictions: pd.DataFrame, draws: int = 12, seed: int = 0) -> pd.DataFrame:
    """Return what somebody says who deals the true classes out among the samples, without looking at any of them.

    A class prior, which says one class of everybody, is a low bar for scores that average over classes: for C classes
    its UF1 is below 1 / C, and that of dealing is about 1 / C.

    >>> ids, even = ["toya/1/a", "toya/2/b"], [0.5, 0.5]
    >>> frame = pd.DataFrame({"sample_id": ids, "seed": 0, "y_true": [0, 1], "p_x": even, "p_y": even})
    >>> dealt_at_random(frame, draws=3).shape
    (6, 5)

    Args:
        predictions: chosen predictions of one or several seeds, of which samples and truths count.
        draws: how often the classes are dealt; the seeds of the result.
        seed: of the dealing.

    Returns:
        A frame like `predictions`: one row a (sample, draw) with probability 1 for the class that was dealt.

    Raises:
        ParameterError: the frame breaks its contract.
    """
    check_predictions(predictions, several_seeds=True)
    columns = probability_columns(classes_of(predictions))
    rows = predictions.drop_duplicates("sample_id").sort_values("sample_id", ignore_index=True)
    generator, certain = np.random.default_rng(seed), np.eye(len(columns))
    frames = [rows.assign(seed=draw) for draw in range(draws)]
    for frame in frames:
        frame[columns] = certain[generator.permutation(frame["y_true"].to_numpy())]
    return pd.concat(frames, ignore_index=True)


def shares_of(labels: npt.NDArray[np.int64], n_classes: int) -> npt.NDArray[np.float64]:
    """Return the share of each class among class numbers (n,), float64 (C,)."""
    return np.bincount(labels, minlength=n_classes) / len(labels)


def trivial_table(
    predictions: pd.DataFrame, trained: Trained, seed: int = 0, known: dict[str, pd.DataFrame] | None = None
) -> pd.DataFrame:
    """Score predictions and, beside them, :data:`TRIVIAL` on the same samples.

    Args:
        predictions, trained, seed: as for :func:`trivial_predictions`.
        known: scores of :data:`BLIND` by :func:`fold_set`, looked up and added to, so that they are computed once for
            all methods on the same folds.

    Returns:
        One row a predictor (the index), ``"these predictions"`` first, with the columns :data:`METRICS`.

    Raises:
        ParameterError: as :func:`trivial_predictions`.
    """
    shuffled = trivial_predictions(predictions, trained, seed, ["shuffled"])
    known, folds = {} if known is None else known, fold_set(predictions, trained)
    if folds not in known:
        known[folds] = _scored(trivial_predictions(predictions, trained, seed, BLIND))
    table = pd.concat([_scored({"these predictions": predictions, **shuffled}), known[folds]])
    return table.loc[["these predictions", *TRIVIAL]].rename_axis("predictor")


def fold_set(predictions: pd.DataFrame, trained: Trained) -> str:
    """Return a text that two frames share if they hold the same samples, truths, classes and folds, equally trained."""
    rows = predictions[["sample_id", "fold", "y_true"]].sort_values("sample_id").to_numpy().tolist()
    learned = sorted((int(fold), np.bincount(labels).tolist()) for fold, labels in trained.items())
    return json.dumps([classes_of(predictions), rows, learned])


def _scored(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    scores = pd.DataFrame([score(frame).row() for frame in frames.values()], index=list(frames))
    return scores[list(METRICS)]
