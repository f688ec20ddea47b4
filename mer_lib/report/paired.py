"""Two variants on the clips that both were tested on, such as those of men."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from mer_lib.errors import ParameterError
from mer_lib.evaluation.statistics import difference_interval, shared
from mer_lib.papers.experiments import known
from mer_lib.papers.measure import Measurement
from mer_lib.plots.style import metric_label
from mer_lib.report.formatting import NOTHING, difference

METRICS = ("auc_macro", "auc_micro", "uf1")


def paired_table(
    measurement: Measurement, pairs: Sequence[tuple[str, str]], metrics: Sequence[str] = METRICS
) -> pd.DataFrame:
    """Compare variants in pairs, each pair on the clips that both of them were tested on, by the last epoch.

    Args:
        measurement: of an experiment whose variants were tested on the same clips or on parts of them.
        pairs: labels of variants, (a, b).
        metrics: of :func:`mer_lib.evaluation.statistics.difference_interval`.

    Returns:
        One row a pair: a, b, clips, subjects; and for each metric a minus b with its 95 % interval over subjects.

    Raises:
        ParameterError: a variant is unknown, or the two of a pair share no clip.
    """
    return pd.DataFrame([_row(measurement, a, b, metrics) for a, b in pairs])


def _row(measurement: Measurement, a: str, b: str, metrics: Sequence[str]) -> dict[str, object]:
    frames = [
        measurement.predictions[known(label, measurement.variants, f"variant of {measurement.experiment.id}"), "fixed"]
        for label in (a, b)
    ]
    both = shared(*frames)
    if both is None:
        raise ParameterError(f"{a} and {b}: expected clips that both were tested on, got none")
    intervals = {metric: difference_interval(*both, metric=metric) for metric in metrics}
    cells = {
        metric_label(metric): f"{difference(each.point)} {_ends(each.low, each.high)}"
        for metric, each in intervals.items()
    }
    clips = both[0]["sample_id"].nunique()
    subjects = next(iter(intervals.values())).n_subjects
    return {"a": a, "b": b, "clips": clips, "subjects": subjects, **cells}


def _ends(low: float, high: float) -> str:
    return NOTHING if pd.isna(low) else f"[{difference(low)}, {difference(high)}]"
