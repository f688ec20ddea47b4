"""McNemar's test of two methods, sample by sample: which of them alone is right, and how often."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from scipy.stats import binomtest

from mer_lib.evaluation.frames import check_predictions, predicted_classes
from mer_lib.evaluation.intervals import check_paired


@dataclass(frozen=True)
class McNemarResult:
    """Samples that exactly one of two methods gets right, and how easily such a split arises between equal methods.

    Attributes:
        only_first: number of samples that the first method alone gets right.
        only_second: number of samples that the second method alone gets right.
        p_value: two-sided exact binomial, above 0 and up to 1.
        n: number of samples.
    """

    only_first: int
    only_second: int
    p_value: float
    n: int


def mcnemar(predictions_a: pd.DataFrame, predictions_b: pd.DataFrame) -> McNemarResult:
    """Test whether two methods get equally many samples right, by McNemar's exact test.

    Where both methods are right or both wrong, a sample says nothing. Of the others, the share that the first method
    wins is compared with a fair coin. **It takes samples for independent**, which those of one person are not, so its
    p-values are too small; many papers give it. The test to believe is
    :func:`mer_lib.evaluation.statistics.permutation_test`.

    Args:
        predictions_a: one seed's chosen predictions of the first method.
        predictions_b: those of the second, of the same samples in any order.

    Raises:
        ParameterError: a frame breaks its contract, or the frames differ in their samples or in a sample's truth.

    Source: McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12, 153-157, 1947.
    """
    check_predictions(predictions_a)
    check_predictions(predictions_b)
    check_paired(predictions_a, predictions_b)
    first, second = (_right(frame) for frame in (predictions_a, predictions_b))
    second = second[first.index]
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    p_value = binomtest(only_first, only_first + only_second).pvalue if only_first + only_second else 1.0
    return McNemarResult(only_first, only_second, float(p_value), len(first))


def _right(predictions: pd.DataFrame) -> pd.Series:
    right = predicted_classes(predictions) == predictions["y_true"].to_numpy()
    return pd.Series(right, index=predictions["sample_id"].to_numpy())
