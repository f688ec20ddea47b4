"""What is run, as data: one variant holds everything that decides a result, and has an address."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mer_lib.features import Recipe
from mer_lib.models.weights import How
from mer_lib.training.augmentation import Augmentation
from mer_lib.training.losses import LossName
from mer_lib.training.optimisers import OptimiserName, Schedule
from mer_lib.training.sampling import Sampling
from mer_lib.training.scaling import Scaling
from mer_lib.training.settings import setting_faults

Subjects = Literal["all", "male", "female", "like_male", "like_female"]


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSpec(_Spec):
    """A method by its name in :data:`mer_lib.evaluation.methods.METHODS`, and its parameters."""

    name: str
    params: dict[str, Any] = Field(default_factory=dict)


class TrainingSpec(_Spec):
    """How a network is trained; plain methods look at `permute_labels` alone. See :class:`TorchClassifier`.

    Attributes:
        momentum: of optimiser "sgd"; `betas`: of "adam" and "adamw".
        schedule: of the learning rate over epochs: "constant", "exponential" (times `gamma` after each), or "cosine"
            (down to 0 after the last).
        loss: "cross_entropy" of logits, or "margin" of capsule lengths with the two `margins`.
        scaling: of channels, see :class:`mer_lib.training.scaling.ChannelScaler`.
        sampling: "plain" shows every training sample once an epoch; "balanced" draws as many with equal chances for
            each class; "neighbours" evens the classes out with the frames beside the apex, as CapsuleNet's authors do.
        augmentation: how training inputs are changed at random, anew in each epoch; None leaves them.
        weights: "random", "imagenet" (an error where they are not at hand), or "imagenet_if_at_hand".
        freeze: names (or beginnings of names) of parameters that keep the weights that were loaded; nothing is frozen
            where training starts from random weights.
        permute_labels: a control: train on labels that were shuffled among the training samples.
    """

    scaling: Scaling = "standard"
    epochs: int = Field(default=100, ge=1, le=10_000)
    batch_size: int = Field(default=256, ge=1)
    learning_rate: float = Field(default=5e-5, gt=0, le=1)
    optimiser: OptimiserName = "adam"
    momentum: float = Field(default=0.9, ge=0, lt=1)
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = Field(default=0.0, ge=0)
    schedule: Schedule = "constant"
    gamma: float = Field(default=0.9, gt=0, le=1)
    loss: LossName = "cross_entropy"
    margins: tuple[float, float] = (0.9, 0.1)
    class_weight: Literal["balanced"] | None = None
    shuffle: bool = True
    sampling: Sampling = "plain"
    augmentation: Augmentation | None = None
    weights: How = "random"
    freeze: tuple[str, ...] = ()
    permute_labels: bool = False

    @model_validator(mode="after")
    def _fit_together(self) -> TrainingSpec:
        faults = setting_faults(dict(self))
        if faults:
            raise ValueError("; ".join(faults))
        return self


class SplitSpec(_Spec):
    """Who is tested in which fold.

    `inner_fraction` of the training subjects (about) are held out of training in every fold, so that the epoch
    can be chosen on them (protocol ``nested``); 0 trains on all of them and leaves no such choice.
    """

    kind: Literal["loso", "kfold"] = "loso"
    folds: int | None = Field(default=None, ge=2)
    inner_fraction: float = Field(default=0.0, ge=0, le=0.5)

    @model_validator(mode="after")
    def _folds_belong_to_kfold(self) -> SplitSpec:
        if (self.kind == "kfold") != (self.folds is not None):
            raise ValueError(f"expected a number of folds for kind 'kfold' alone, got {self.kind!r}, {self.folds}")
        return self


class Variant(_Spec):
    """One method on one input, trained one way, split one way. Equal variants share their results.

    Attributes:
        labels: which classes are told apart: "three" (negative, positive, surprise; the column `label3`), or the name
            of a label set of the data manifest, such as "casme3_six"; samples without a class there are left out.
        subjects: whose clips are used; "like_male" and "like_female" draw as many subjects as there are men or women,
            whatever their gender: the control of a comparison by gender.
    """

    features: Recipe = Field(discriminator="recipe")
    labels: str = "three"
    subjects: Subjects = "all"
    model: ModelSpec
    training: TrainingSpec = TrainingSpec()
    split: SplitSpec = SplitSpec()

    def canonical(self) -> str:
        """Return the one JSON text that stands for this variant, whatever the order it was written in."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))

    @property
    def key(self) -> str:
        """SHA-256 of :meth:`canonical`, 64 hexadecimal digits."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()


def fold_seed(variant: Variant, fold: int, seed: int) -> int:
    """Derive the seed of one fold from (variant, fold, seed), never from the order of execution. 0 <= seed < 2^31.

    Folds of one run so get unrelated random numbers, and a fold gets the same ones whenever it is run.
    """
    text = f"{variant.key}/{fold}/{seed}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big") >> 1
