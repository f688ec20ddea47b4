"""One variant on one data set: what it is fed, how it is split, and where its results stand."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache

from mer_lib.datasets.class_view import THREE, Labelled, with_labels
from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.evaluation.code_version import code_version
from mer_lib.evaluation.methods import weights_stamp
from mer_lib.evaluation.splits import Split, make_splits
from mer_lib.evaluation.store import result_address
from mer_lib.evaluation.variant import Variant
from mer_lib.features import Recipe, inputs_digest
from mer_lib.features.compute import takes_maps


@dataclass(frozen=True)
class Job:
    """One variant on one data set with one seed.

    Attributes:
        label: its name for people.
        profile: how large it is run, where that is known by a name. It tells an experiment that was made larger from
            one whose parameters were changed; it decides no result.
    """

    label: str
    variant: Variant
    dataset: FlowMapDataset | ClipDataset
    seed: int = 0
    profile: str = ""

    @cached_property
    def address(self) -> str:
        """The folder of this job's results in a store."""
        return result_address(self.variant, self.data_digest, self.code)

    @cached_property
    def code(self) -> str:
        """What stands for the code behind this job's results, and for the weights that training starts from."""
        return code_of(self.variant)

    @cached_property
    def labelled(self) -> Labelled:
        """The samples that have a class, and their classes.

        A recipe on frames with labels of its own sees the clips themselves: some of them have a class there that have
        none of three, and so no flow map.
        """
        on_frames = self.variant.labels != THREE and not takes_maps(self.variant.features)
        return with_labels(_source(self.dataset, on_frames), self.variant.labels)

    @cached_property
    def data_digest(self) -> str:
        """What stands for the data: ids, labels, and whatever the inputs are made of."""
        inputs = _inputs_digest(self.variant.features, self.labelled.dataset)
        if self.variant.labels == THREE:
            return inputs
        return hashlib.sha256(f"{inputs}\n{self.labelled.digest}".encode()).hexdigest()

    @cached_property
    def splits(self) -> list[Split]:
        """The job's folds."""
        return make_splits(self.variant, self.labelled.samples, self.seed)


def code_of(variant: Variant) -> str:
    """Return what stands for the code behind the results of `variant`, and for the weights that it starts from."""
    code, weights = code_version(variant.model.name), weights_stamp(variant)
    return code if weights == "random" else f"{code} {weights}"


@lru_cache(maxsize=16)  # opened once, however many variants look at the frames
def _source(dataset: FlowMapDataset | ClipDataset, on_frames: bool) -> FlowMapDataset | ClipDataset:
    if isinstance(dataset, ClipDataset) or dataset.open_clips is None or not on_frames:
        return dataset
    return dataset.open_clips()


@lru_cache(maxsize=64)  # the variants of an experiment share their features
def _inputs_digest(features: Recipe, dataset: FlowMapDataset | ClipDataset) -> str:
    return inputs_digest(features, dataset)
