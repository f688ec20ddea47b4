"""Numbers that follow from other printed numbers: sums and scores of confusion matrices, trivial predictors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from mer_lib.evaluation.frames import FULL
from mer_lib.evaluation.metrics import METRICS, roc_auc
from mer_lib.evaluation.trivial import shares_of
from mer_lib.papers.cells import without
from mer_lib.papers.computed_settings import computed
from mer_lib.papers.data_tables import COMPOSITE
from mer_lib.papers.implied import derived
from mer_lib.papers.reported import reported

_LOG = "capsulenet.derived.log"
_CLASSES = ("negative", "positive", "surprise")
_TRIVIAL = "computed from the class counts alone"
#: Clips of CAS(ME)^3 with one of six emotions, a class each: in the edited list of HTNet's authors (687) and as the
#: annotation is usually quoted (773); see the title of mishin_yolo.derived.trivial.
_SIX = {"687": (247, 184, 83, 64, 55, 54), "773": (281, 201, 93, 70, 64, 64), "any": (1, 1, 1, 1, 1, 1)}
_ELSEWHERE = "it was computed from predictions that lie in the authors' repository, which are not at hand"


def from_numbers(cell: Mapping[str, Any], tolerance: float) -> dict[str, Any]:
    """Fill a cell of a derived table.

    Args:
        cell: of an entry whose id holds ".derived.".
        tolerance: of the published number, by rounding.
    """
    if cell["experiment"] == _LOG:
        return _log(cell, tolerance)
    if cell["experiment"] == "mishin_yolo.derived.trivial":
        return computed(cell, trivial_auc(cell["method"], _SIX[cell["variant"]]), _TRIVIAL, tolerance)
    if cell["experiment"] == "htnet.derived.repo_predictions":
        return without(_ELSEWHERE)
    return _from_checker(cell)


def trivial_auc(method: str, counts: Sequence[int]) -> float:
    """Return the micro AUC of a predictor that never looks at a sample.

    >>> round(trivial_auc("class priors as constant scores", (247, 184, 83, 64, 55, 54)), 4)
    0.6996

    Args:
        method: as in mishin_yolo.derived.trivial.
        counts: samples of each class.
    """
    truth = np.repeat(np.arange(len(counts)), counts)
    shares = shares_of(truth, len(counts))
    scores: Mapping[str, Callable[[], Any]] = {
        "class priors as constant scores": lambda: shares,
        "always the majority class (one-hot)": lambda: np.eye(len(counts))[shares.argmax()],
        "constant equal scores": lambda: np.full(len(counts), 1 / len(counts)),
    }
    return float(roc_auc(truth, np.tile(scores[method](), (len(truth), 1))))


def _log(cell: Mapping[str, Any], tolerance: float) -> dict[str, Any]:
    """Scores follow from the log's matrices, and the matrix of the composite from those of its parts."""
    matrices = log_matrices()
    if cell["metric"] in METRICS:
        value = float(METRICS[cell["metric"]](matrices[cell["dataset"]]))
        return computed(cell, value, "computed from the confusion matrix of the log", tolerance)
    if cell["dataset"] != FULL:
        return without(_ELSEWHERE)
    row, column = (_CLASSES.index(name) for name in cell["metric"].removeprefix("cm_").split("_as_"))
    value = int(sum(matrices[part][row, column] for part in COMPOSITE))
    return computed(cell, value, "the sum of the three data sets")


def log_matrices() -> dict[str, np.ndarray]:
    """Return the confusion matrices of CapsuleNet's published log, int64 (3, 3) each, rows are the truth."""
    table = reported(_LOG)
    counts = {(row["dataset"], row["metric"]): row["value"] for row in table.to_dict("records")}
    return {
        dataset: np.array([[counts[dataset, f"cm_{a}_as_{b}"] for b in _CLASSES] for a in _CLASSES], np.int64)
        for dataset in dict.fromkeys(table["dataset"])
    }


def _from_checker(cell: Mapping[str, Any]) -> dict[str, Any]:
    rows = _derived(cell["experiment"])
    for key in ("method", "variant", "dataset", "metric"):
        rows = rows[rows[key] == cell[key]]
    if rows.empty or pd.isna(rows["value"].iloc[0]):
        return without(rows["why"].iloc[0] if len(rows) else "the printed numbers do not determine it")
    return computed(cell, int(rows["value"].iloc[0]), str(rows["why"].iloc[0]))


@lru_cache
def _derived(experiment_id: str) -> pd.DataFrame:
    return derived(experiment_id)
