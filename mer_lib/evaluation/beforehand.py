"""What can be found out before any work: settings that do not fit together, and weights that cannot be had."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mer_lib.errors import ParameterError, fault_list
from mer_lib.evaluation.jobs import Job
from mer_lib.evaluation.methods import check_method, is_network
from mer_lib.evaluation.variant import Variant
from mer_lib.features import Recipe
from mer_lib.features.recipes import ApexFace, FlowMap, FourRegionMosaic, RegionCrops
from mer_lib.features.sequence_recipes import AngleImage, MagnifiedSequence
from mer_lib.models import backbone, weights
from mer_lib.training.augmentation import AngleAugmentation, Augmentation, FaceAugmentation, FlowAugmentation

_MIDDLE = 127.5  # of maps that are stretched to 0 to 255
_NAMES = {"u": "u", "v": "v", "s": "strain"}


def check_jobs(jobs: Sequence[Job]) -> None:
    """Check that each job can be run; nothing is allocated.

    Raises:
        ParameterError: a method, its parameters, its input or its augmentation do not fit; all jobs are named.
    """
    faults = {}
    for job in jobs:
        try:
            _check(job.variant)
        except ParameterError as error:
            faults[job.label] = str(error)
    if faults:
        listed = fault_list(f"{label}: {fault}" for label, fault in faults.items())
        raise ParameterError(f"{len(faults)} of {len(jobs)} jobs cannot be run, so nothing was:\n{listed}")


def fetch_weights(variants: Iterable[Variant]) -> None:
    """Fetch the weights that trainings demand to start from: once, rather than in every fold.

    Raises:
        DataError: they are neither at hand nor can be fetched.
    """
    demanding = [each for each in variants if is_network(each) and each.training.weights == "imagenet"]
    for name in sorted({str(backbone(each.model.name, **each.model.params)) for each in demanding}):
        weights.resolve(name, "imagenet")


def _check(variant: Variant) -> None:
    check_method(variant)
    faults = augmentation_faults(variant) if is_network(variant) else []
    if faults:
        raise ParameterError("; ".join(faults))


def augmentation_faults(variant: Variant) -> list[str]:
    """Say what in the augmentation of `variant` does not fit its features; an empty list where all does.

    Shapes alone do not tell: a face may be brightened and a flow may not, though both have three channels.
    """
    augmentation, features = variant.training.augmentation, variant.features
    if augmentation is None:
        return []
    expected = _expected(augmentation, features)
    if expected is None:
        return [f"augmentation {augmentation.kind!r} is not made for the features {features.recipe!r}"]
    return [
        f"augmentation {augmentation.kind!r}: expected {name} {value!r}, as the features {features.recipe!r} have it, "
        f"got {getattr(augmentation, name)!r}"
        for name, value in expected.items()
        if getattr(augmentation, name) != value
    ]


def _expected(augmentation: Augmentation, features: Recipe) -> dict[str, object] | None:
    """Return what the augmentation must say of its input; None where it is made for another one."""
    if isinstance(augmentation, FaceAugmentation) and isinstance(features, ApexFace):
        return {"difference": features.frame == "difference"}
    if isinstance(augmentation, AngleAugmentation) and isinstance(features, AngleImage):
        return {name: getattr(features, name) for name in ("rows", "sectors", "half_sector")}
    if isinstance(augmentation, FlowAugmentation) and isinstance(features, MagnifiedSequence):
        return {"channels": features.channels, "zero": 0.0}
    if isinstance(augmentation, FlowAugmentation) and isinstance(features, FlowMap | FourRegionMosaic | RegionCrops):
        in_pixels = features.motion is not None and features.motion.scaling == "pixels"
        channels = tuple(_NAMES[letter] for letter in features.order)
        return {"channels": channels, "zero": 0.0 if in_pixels else _MIDDLE}
    return None
