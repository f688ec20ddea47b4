"""Predictions and measurements that are made, so that what has to come out of them is known beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from mer_lib.datasets import CLASSES
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.evaluation.metrics import score_by_dataset
from mer_lib.manifest import Kind
from mer_lib.papers.experiments import experiment
from mer_lib.papers.measurement import Measurement
from tests.helpers import toy


def frame(
    right: dict[str, int], n: int = 12, per_subject: int = 6, seed: int = 0, dataset: str = "toya"
) -> pd.DataFrame:
    """Predictions of `n` subjects with two samples of each class; the first `right[name]` of a class are right."""
    rows = []
    for subject in range(n):
        for sample in range(per_subject):
            truth = sample % 3
            name = f"{dataset}/{subject:02}/{sample}"
            hit = subject < right[CLASSES[truth]]
            proba = np.eye(3)[truth if hit else (truth + 1) % 3] * 0.8 + 0.2 / 3
            rows.append({"sample_id": name, "fold": 0, "seed": seed, "epoch": 1, "y_true": truth}
                        | {f"p_{c}": p for c, p in zip(CLASSES, proba, strict=True)})  # fmt: skip
    return pd.DataFrame(rows)


def seeds(*right: int, dataset: str = "casme2") -> pd.DataFrame:
    """Predictions of one seed a number, in which so many of twelve subjects are right."""
    return pd.concat(
        [frame(dict.fromkeys(CLASSES, n), seed=seed, dataset=dataset) for seed, n in enumerate(right)],
        ignore_index=True,
    )


def measurement(kind: Kind, frames: Mapping[str, pd.DataFrame]) -> Measurement:
    """As much of a measurement as a comparison looks at: UF1 and accuracy of each variant's predictions."""
    rows = [row for label, table in frames.items() for row in _rows(label, table)]
    empty: Any = {}
    none = pd.DataFrame()
    return Measurement(
        experiment=experiment("lab.first_comparison"),
        profile="quick",
        dataset=replace(toy(), kind=kind),
        seeds=(0, 1),
        variants=dict.fromkeys(frames),  # type: ignore[arg-type]
        scores=pd.DataFrame(rows),
        fold_means=none,
        confusion=empty,
        gaps=none,
        tests=none,
        curves=none,
        audits=empty,
        events=none,
        classes=empty,
        trivial=none,
        subject_means=none,
        predictions={(label, "fixed"): table for label, table in frames.items()},
    )


def _rows(label: str, table: pd.DataFrame) -> list[dict[str, Any]]:
    per_seed = [score_by_dataset(rows) for _, rows in table.groupby("seed")]
    found = []
    for subset in per_seed[0]:
        for metric in ("uf1", "accuracy"):
            values = [getattr(scores[subset], metric) for scores in per_seed]
            spread = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
            keys = {"variant": label, "subset": subset, "protocol": "fixed", "metric": metric}
            cell = {"value": float(np.mean(values)), "sd": spread, "seeds": len(values), "n": per_seed[0][subset].n}
            found.append(keys | cell | {"low": float("nan"), "high": float("nan")})
    return found


def fabricated() -> FlowMapDataset:
    """Toy maps under the names of the real sub-datasets, claiming to be real."""
    names = {"toya": "smic", "toyb": "casme2", "toyc": "samm"}
    samples = toy().samples.copy()
    samples["dataset"] = samples["dataset"].map(names)
    samples["sample_id"] = samples["dataset"] + "/" + samples["subject"] + "/" + samples["clip"]
    return replace(toy(), name="fabricated", title="fabricated", kind="real", samples=samples)
