"""Measurements whose predictions are drawn, with a known share of right ones: nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from mer_lib.datasets import FlowMapDataset
from mer_lib.datasets.class_view import with_labels
from mer_lib.evaluation.metrics import score
from mer_lib.evaluation.statistics import bootstrap_interval
from mer_lib.papers.entries import EntryResult, PaperResults, no_cells, no_claims
from mer_lib.papers.experiments import experiment
from mer_lib.papers.measurement import Measurement
from tests.helpers import toy

NOTHING = pd.DataFrame()


def drawn(dataset: FlowMapDataset, right: float, seeds: Sequence[int], stream: int) -> pd.DataFrame:
    """Predictions of every sample and seed; about a share `right` of them are true."""
    samples = dataset.samples.sort_values("sample_id")
    truth = dataset.labels(samples["sample_id"].tolist())
    frames = []
    for seed in seeds:
        generator = np.random.default_rng([stream, seed])
        guess = np.where(generator.random(len(truth)) < right, truth, generator.integers(0, 3, len(truth)))
        frame = pd.DataFrame({"sample_id": samples["sample_id"].tolist(), "fold": 0, "seed": seed, "epoch": 1})
        frame["y_true"] = truth
        frame[["p_negative", "p_positive", "p_surprise"]] = 0.1 + 0.7 * np.eye(3)[guess]
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def measurement(
    name: str,
    right: Mapping[str, float | tuple[float, float, float]],
    dataset: FlowMapDataset | None = None,
    seeds: Sequence[int] = (0,),
    profile: str = "smoke",
) -> Measurement:
    """The measurement of an experiment, of the variants in `right` alone: shares of right predictions.

    Three shares are those under ``fixed``, ``nested`` and ``published``; all of them are drawn alike otherwise.
    """
    entry, dataset = experiment(name), dataset or toy()
    variants = {label: entry.variant(label, profile) for label in right}
    predictions, rows = {}, []
    for stream, (label, share) in enumerate(right.items()):
        shares = share if isinstance(share, tuple) else (share,) * 3
        for protocol, value in zip(("fixed", "nested", "published"), shares, strict=True):
            number = sum(map(ord, name + label)) + stream
            frame = drawn(dataset, value, seeds, number)
            if variants[label].model.name == "dummy":
                frame[["p_negative", "p_positive", "p_surprise"]] = [0.8, 0.1, 0.1]
            predictions[label, protocol] = frame
            rows.append(_row(label, protocol, frame))
    epochs = {
        label: 1 if v.model.name in ("dummy", "linear_svm") else v.training.epochs for label, v in variants.items()
    }
    return Measurement(
        experiment=entry,
        profile=profile,
        dataset=dataset,
        seeds=tuple(seeds),
        variants=variants,
        scores=pd.DataFrame(rows),
        fold_means=NOTHING,
        confusion={},
        gaps=NOTHING,
        tests=NOTHING,
        curves=pd.DataFrame({"variant": list(epochs), "epoch": list(epochs.values())}),
        audits={},
        events=NOTHING,
        classes=dict.fromkeys(variants, with_labels(dataset, "three").classes),
        trivial=NOTHING,
        subject_means=NOTHING,
        predictions=predictions,
    )


def _row(label: str, protocol: str, frame: pd.DataFrame) -> dict[str, object]:
    values = [score(rows).uf1 for _, rows in frame.groupby("seed")]
    interval = bootstrap_interval(frame, n=50)
    return {
        "variant": label,
        "subset": "full",
        "protocol": protocol,
        "metric": "uf1",
        "value": np.mean(values),
        "sd": np.std(values, ddof=1) if len(values) > 1 else np.nan,
        "seeds": len(values),
        "n": frame["sample_id"].nunique(),
        "low": interval.low,
        "high": interval.high,
    }


def results(*measured: Measurement) -> PaperResults:
    """What `collect` would return of these."""
    entries = {
        one.experiment.id: EntryResult(None, one.experiment.id, no_cells(), no_claims(), one) for one in measured
    }
    return PaperResults(measured[0].profile, entries, ())
