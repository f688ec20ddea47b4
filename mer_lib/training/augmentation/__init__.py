"""Augmentation: training inputs changed at random, in ways that respect what their channels mean."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mer_lib.training.augmentation.angles import AngleAugmentation
from mer_lib.training.augmentation.faces import FaceAugmentation
from mer_lib.training.augmentation.flow import FlowAugmentation

#: What a variant can name; `kind` says which.
Augmentation = Annotated[FaceAugmentation | FlowAugmentation | AngleAugmentation, Field(discriminator="kind")]

__all__ = ["AngleAugmentation", "Augmentation", "FaceAugmentation", "FlowAugmentation"]
