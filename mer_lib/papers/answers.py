"""What one trained variant answered, clip by clip: the way from a score down to the clips that it got wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mer_lib.evaluation.frames import predicted_classes, probabilities
from mer_lib.papers.measurement import Measurement
from mer_lib.papers.schema import known


def chosen_predictions(measurement: Measurement, variant: str, seed: int | None = None) -> pd.DataFrame:
    """Return what a variant predicted of its test clips after the last epoch, one row a (clip, seed).

    Args:
        measurement: of its experiment.
        variant: its label.
        seed: one seed alone; all where None.

    Raises:
        ParameterError: the variant or the seed was not measured.
    """
    place = f"of {measurement.experiment.id}"
    frame = measurement.predictions[known(variant, measurement.variants, f"variant {place}"), "fixed"]
    if seed is None:
        return frame
    seeds = sorted(int(number) for number in frame["seed"].unique())
    known(str(seed), [str(number) for number in seeds], f"seed {place}")
    return frame[frame["seed"] == seed]


def answers(measurement: Measurement, variant: str, seed: int, fold: int | None = None) -> pd.DataFrame:
    """Return a variant's answers, one row a test clip: the surest mistakes first, the surest right answers last.

    Args:
        measurement: of its experiment.
        variant: its label.
        seed: of the training.
        fold: one fold alone; all where None.

    Returns:
        Columns `sample_id, fold, truth, predicted` (names of classes), `p_truth` and `p_predicted` (probabilities, 0
        to 1) and `wrong` (bool).

    Raises:
        ParameterError: the variant or the seed was not measured.
    """
    frame = chosen_predictions(measurement, variant, seed)
    if fold is not None:
        frame = frame[frame["fold"] == fold]
    names, rows = np.array(measurement.classes[variant]), np.arange(len(frame))
    truth, predicted, proba = frame["y_true"].to_numpy(), predicted_classes(frame), probabilities(frame)
    table = pd.DataFrame(
        {
            "sample_id": frame["sample_id"].to_numpy(),
            "fold": frame["fold"].to_numpy(),
            "truth": names[truth],
            "predicted": names[predicted],
            "p_truth": proba[rows, truth],
            "p_predicted": proba[rows, predicted],
            "wrong": predicted != truth,
        }
    )
    surest_mistakes_first = np.where(table["wrong"], -table["p_predicted"], table["p_predicted"])
    return table.iloc[np.argsort(surest_mistakes_first, kind="stable")].reset_index(drop=True)
