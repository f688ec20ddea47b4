"""What several tests share: toy data that an oracle can read, and short jobs on them."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from mer_lib.datasets import FlowMapDataset, load
from mer_lib.evaluation import code_version
from mer_lib.evaluation.crossval import FoldWarning, Job
from mer_lib.evaluation.splits import Split
from mer_lib.evaluation.store import FoldResult, PredictionStore
from mer_lib.evaluation.variant import Variant
from mer_lib.papers.experiments import Experiment, experiment
from mer_lib.papers.measure import Measurement, measure, run_experiment

N_SUBJECTS = 8  # of the toy data, by qualified id; ids such as "01" recur in its sub-datasets


@lru_cache
def toy() -> FlowMapDataset:
    return load("toy_flow")


def shuffled(dataset: FlowMapDataset, seed: int = 1) -> FlowMapDataset:
    """The same samples with the rows of table and maps in another order."""
    order = np.random.default_rng(seed).permutation(len(dataset.samples))
    return replace(dataset, samples=dataset.samples.iloc[order], pixels=dataset.pixels[order])


def with_pixels(dataset: FlowMapDataset, pixels: np.ndarray) -> FlowMapDataset:
    return replace(dataset, pixels=pixels)


def readable() -> FlowMapDataset:
    """Toy data whose maps say in their corner which class and which sample they are: see :class:`Oracle`."""
    pixels = toy().maps()
    pixels[:, 0, 0, 0] = toy().labels()
    pixels[:, 0, 1, 0] = np.arange(len(pixels))
    return with_pixels(toy(), pixels)


def oracle_probability(number: np.ndarray) -> np.ndarray:
    """What :class:`Oracle` gives the true class of sample `number`: different for each sample, always the largest."""
    return (0.9 - np.asarray(number, dtype=np.float64) / 1000).astype(np.float32)


class Oracle(ClassifierMixin, BaseEstimator):
    """Reads the truth off the input of :func:`readable`, whatever it was fitted on."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Oracle:
        self.classes_ = np.arange(3)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        label, sure = X[:, 0, 0, 0].astype(int), oracle_probability(X[:, 0, 0, 1])
        proba = np.repeat(((1 - sure) / 2)[:, None], 3, axis=1)
        proba[np.arange(len(X)), label] = sure
        return proba


def variant(model: str = "ststnet", *, split: dict[str, Any] | None = None, **training: Any) -> Variant:
    """A setting on whole maps, leave-one-subject-out unless `split` says otherwise."""
    training = {"epochs": 2, "learning_rate": 1e-3, "batch_size": 16, **training}
    return Variant.model_validate(
        {
            "features": {"recipe": "flow_map"},
            "model": {"name": model},
            "training": training if model in ("ststnet", "htnet") else {},
            "split": split or {"kind": "loso"},
        }
    )


def job(model: str = "ststnet", *, dataset: FlowMapDataset | None = None, seed: int = 0, **settings: Any) -> Job:
    return Job(f"toy {model}", variant(model, **settings), dataset or toy(), seed)


def long_job() -> Job:
    """Eight folds of some tenths of a second: long enough to be killed in the middle."""
    return job(epochs=12)


def fold_bytes(store: PredictionStore) -> dict[str, bytes]:
    """Every fold file of `store` by its path below the root."""
    return {str(path.relative_to(store.root)): path.read_bytes() for path in sorted(store.root.rglob("*.parquet"))}


def leftovers(root: Path) -> list[str]:
    """Files of `root` that are neither results nor their description."""
    known = {".parquet", ".json", ".jsonl"}
    return sorted(path.name for path in root.rglob("*") if path.is_file() and path.suffix not in known)


def split_of(dataset: FlowMapDataset, tested: str, inner: str = "") -> Split:
    """The fold that tests subject `tested`, holds `inner` out and trains on all others."""
    ids = sorted(dataset.samples["sample_id"])
    side = {name: tuple(i for i in ids if name and i.startswith(name + "/")) for name in (tested, inner)}
    train = tuple(i for i in ids if i not in side[tested] and i not in side[inner])
    return Split(0, tested, train, side[tested], side[inner])


def altered(fold: FoldResult, *, metadata: dict[str, Any] | None = None, **columns: Any) -> FoldResult:
    """`fold` with other metadata or columns."""
    return FoldResult(fold.predictions.assign(**columns), {**fold.metadata, **(metadata or {})})


def some(name: str, *labels: str) -> Experiment:
    """Return an experiment with a few of its variants."""
    whole = experiment(name)
    return whole.model_copy(update={"variants": {label: whole.variants[label] for label in labels}})


def take(
    chosen: Experiment,
    root: Path,
    seeds: tuple[int, ...] = (0,),
    kind: str = "toy",
    dataset: FlowMapDataset | None = None,
) -> Measurement:
    """Train under profile smoke, by default on toy maps, which pass for real ones where `kind` says so."""
    dataset, store = dataset or replace(toy(), kind=kind), PredictionStore(root)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FoldWarning)  # HTNet with patch 7 holds no attention, as it says
        run_experiment(chosen, "smoke", dataset, store, seeds=seeds, device="cpu")
    return measure(chosen, "smoke", dataset, store, seeds=seeds)


def copied_package(folder: Path) -> Path:
    """Copy the library's sources into `folder`, where they may be altered, and return the copy."""
    root = folder / "mer_lib"
    for source in code_version.PACKAGE.rglob("*.py"):
        target = root / source.relative_to(code_version.PACKAGE)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    return root
