"""How long experiments take: from folds that the store remembers, or from one epoch of each variant, trained for it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.errors import DataError, MerError
from mer_lib.evaluation.feeding import inputs_of, key_of
from mer_lib.evaluation.folds import Inputs, fit
from mer_lib.evaluation.jobs import Job
from mer_lib.evaluation.methods import is_network
from mer_lib.evaluation.splits import Split
from mer_lib.evaluation.store import PredictionStore
from mer_lib.evaluation.variant import Variant
from mer_lib.features import compute, takes_maps
from mer_lib.features.address import folder_of
from mer_lib.features.cache import FeatureCache
from mer_lib.features.from_clips import keys_of
from mer_lib.running.pace import seconds_of
from mer_lib.running.plan import Plan, VariantPlan
from mer_lib.settings import cache_root
from mer_lib.training.device import resolve_device

#: An epoch is trained on fewer samples, and scaled up, where its input holds more numbers than this.
MOST_NUMBERS = 8_000_000
_TRIED_CLIPS = 2  # of which inputs are made to know how long a clip takes; one before them loads the detectors

Said = Callable[[str], None]


@dataclass
class Times:
    """Seconds of one process: of one fold by address, of the inputs that are not in the cache by their key.

    `jobs` is how many processes share the work.
    """

    jobs: int = 1
    fold: dict[str, float] = field(default_factory=dict)
    inputs: dict[str, float] = field(default_factory=dict)

    def of(self, variants: Iterable[VariantPlan], missing: bool = False) -> float | None:
        """Return the seconds of the clock for `variants`; what they share counts once, None where one is unknown.

        Args:
            variants: those of an experiment, or of all.
            missing: count only the folds that the store lacks, and the inputs that they need.
        """
        folds = {variant.jobs[0].address: variant for variant in variants if variant.jobs}
        counts = {address: len(variant.missing) for address, variant in folds.items()}
        if not missing:
            counts = {address: counts[address] + variant.found for address, variant in folds.items()}
        if any(address not in self.fold for address, count in counts.items() if count):
            return None
        needed = {key_of(folds[address].jobs[0]) for address, count in counts.items() if count}
        computing = sum(count * self.fold[address] for address, count in counts.items() if count)
        return (computing + sum(self.inputs.get(key, 0.0) for key in needed)) / self.jobs


def remembered(plan: Plan, store: PredictionStore, jobs: int, device: str | None = None) -> Times:
    """Return the mean seconds of the folds that `store` remembers, on one kind of device or on any."""
    times = Times(jobs)
    for address in {variant.jobs[0].address for variant in plan.variants if variant.jobs}:
        seconds = seconds_of(address, store, device)
        if seconds:
            times.fold[address] = float(np.mean(seconds))
    return times


def estimated(plan: Plan, jobs: int, device: str, said: Said) -> Times:
    """Train one epoch of every distinct variant on one fold, and return what folds would take; nothing is stored.

    A method without epochs is fitted once. Inputs that the cache lacks are made of a few clips alone, which are then
    repeated: how long an epoch takes does not depend on what is seen. The first network is trained twice, because a
    first training also loads libraries and starts the device.

    Args:
        plan: what there is to run.
        jobs: processes that will share the work; the estimate itself takes one.
        device: see :func:`mer_lib.training.device.resolve_device`.
        said: told what is tried next.
    """
    times, warm = Times(jobs), False
    held: tuple[str, Inputs] | None = None
    for variant in sorted(plan.variants, key=lambda each: key_of(each.jobs[0]) if each.jobs else ""):
        if not variant.jobs or variant.jobs[0].address in times.fold:
            continue
        job = variant.jobs[0]
        said(variant.name)
        with warnings.catch_warnings(), suppress(MerError):  # what cannot be trained has no time, and a run says why
            warnings.simplefilter("ignore")  # a run says what folds warn of
            if held is None or held[0] != key_of(job):
                held = key_of(job), _inputs(job, times)
            if is_network(job.variant) and not warm:
                fold_seconds(job, held[1], device)
                warm = True
            times.fold[job.address] = fold_seconds(job, held[1], device)
    return times


def fold_seconds(job: Job, inputs: Inputs, device: str) -> float:
    """Return the seconds of one fold of `job`, from one epoch of its first fold."""
    split = job.splits[0]
    part, scale = _fewer(split, inputs)
    started = time.perf_counter()
    fit(_one_epoch(job.variant), part, inputs, seed=job.seed, device=device)
    seconds = (time.perf_counter() - started) * scale
    return seconds * job.variant.training.epochs if is_network(job.variant) else seconds


def device_kind(device: str) -> str:
    """Return the kind of a device as the store's events name it: "cpu" or "cuda"."""
    return resolve_device(device).type


def _one_epoch(variant: Variant) -> Variant:
    return variant.model_copy(update={"training": variant.training.model_copy(update={"epochs": 1})})


def _fewer(split: Split, inputs: Inputs) -> tuple[Split, float]:
    """Return a split with as many training samples as are tried, the other sides cut alike, and what to scale by."""
    most = max(int(MOST_NUMBERS / np.prod(inputs.X.shape[1:])), 2 * len(inputs.classes))
    count = len(split.train)
    if count <= most:
        return split, 1.0
    step = int(np.ceil(count / most))
    part = Split(split.fold, split.name, split.train[::step], split.test[::step], split.inner[::step])
    return part, count / len(part.train)


def _inputs(job: Job, times: Times) -> Inputs:
    """Return inputs in the shape of a job's; what making the real ones would take is noted in `times`."""
    seen, recipe = job.labelled, job.variant.features
    if takes_maps(recipe):
        return inputs_of(job)
    ids = sorted(seen.samples["sample_id"])
    tried = ids[1 : 1 + _TRIED_CLIPS]
    compute(recipe, seen.dataset, ids[:1], cache=False)
    started = time.perf_counter()
    few = compute(recipe, seen.dataset, tried, cache=False)
    seconds = (time.perf_counter() - started) / len(tried)
    times.inputs[key_of(job)] = seconds * _not_kept(job, ids)
    return Inputs(ids, few[np.arange(len(ids)) % len(tried)], seen.labels(ids), seen.classes)


def _not_kept(job: Job, ids: list[str]) -> int:
    """Return how many of the inputs the cache lacks."""
    recipe, cache = job.variant.features, FeatureCache(cache_root() / "features")
    keys = keys_of(recipe, _clips(job.labelled.dataset), ids)
    return sum(not cache.path(folder_of(recipe), key).exists() for key in keys.values())


def _clips(dataset: FlowMapDataset | ClipDataset) -> ClipDataset:
    if isinstance(dataset, ClipDataset):
        return dataset
    if dataset.open_clips is None:
        raise DataError(f"{dataset.title} has flow maps alone: expected a data set with frames, such as synthetic_demo")
    return dataset.open_clips()
