"""What is run, as data: one variant holds everything that decides a result, and has an address."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mer_lib.features import Recipe
from mer_lib.training.scaling import Scaling


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSpec(_Spec):
    """A method by its name in :data:`mer_lib.evaluation.methods.METHODS`, and its parameters."""

    name: str
    params: dict[str, Any] = Field(default_factory=dict)


class TrainingSpec(_Spec):
    """How a network is trained; the plain methods do not look at it. See :class:`TorchClassifier`."""

    scaling: Scaling = "standard"
    epochs: int = Field(default=100, ge=1, le=10_000)
    batch_size: int = Field(default=256, ge=1)
    learning_rate: float = Field(default=5e-5, gt=0, le=1)
    optimiser: Literal["adam", "adamw"] = "adam"
    weight_decay: float = Field(default=0.0, ge=0)
    class_weight: Literal["balanced"] | None = None
    shuffle: bool = True


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
    """One method on one input, trained one way, split one way. Equal variants share their results."""

    features: Recipe = Field(discriminator="recipe")
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
