"""The methods that a variant can name: every network of the registry and the plain ones beside them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from sklearn.base import ClassifierMixin
from sklearn.pipeline import Pipeline

from mer_lib.datasets.samples import CLASSES
from mer_lib.errors import ParameterError
from mer_lib.evaluation.variant import Variant
from mer_lib.models import REGISTRY, build, input_shape
from mer_lib.training.baselines import dummy, linear_svm
from mer_lib.training.estimator import TorchClassifier

PLAIN: dict[str, Callable[..., Pipeline]] = {"dummy": dummy, "linear_svm": linear_svm}
METHODS = (*PLAIN, *REGISTRY)


def make_estimator(
    variant: Variant, *, seed: int, device: str = "auto", checkpoint: Path | None = None
) -> ClassifierMixin:
    """Return the unfitted estimator of `variant`.

    Raises:
        ParameterError: the method is unknown; what was expected is listed.
    """
    name, params = variant.model.name, variant.model.params
    if name in PLAIN:
        return _plain(name, params, seed)
    if name not in REGISTRY:
        raise ParameterError(f"model: expected one of {', '.join(METHODS)}, got {name!r}")
    return TorchClassifier(
        partial(build, name, **params),
        classes=tuple(range(len(CLASSES))),
        device=device,
        seed=seed,
        checkpoint=checkpoint,
        **variant.training.model_dump(),
    )


def check_method(variant: Variant) -> None:
    """Find out before any work whether the method of `variant` can be made for its input; nothing is allocated.

    Raises:
        ParameterError: method or parameters are unknown, out of range, or made for an input of another shape.
    """
    make_estimator(variant, seed=0)
    if not is_network(variant):
        return
    expected = input_shape(variant.model.name, **variant.model.params)
    if expected != variant.features.shape:
        raise ParameterError(
            f"{variant.model.name}: with its parameters it expects inputs of shape {expected}, but the features "
            f"{variant.features.recipe!r} have shape {variant.features.shape}"
        )


def _plain(name: str, params: dict[str, Any], seed: int) -> Pipeline:
    try:
        method = PLAIN[name](**params)
    except TypeError as error:
        raise ParameterError(f"parameters of {name!r}: {error}") from None
    # Whatever a plain method draws belongs to the fold, too; left at None it would be drawn anew in every run.
    return method.set_params(**{key: seed for key in method.get_params() if key.endswith("random_state")})


def is_network(variant: Variant) -> bool:
    """Say whether the variant trains epoch by epoch."""
    return variant.model.name in REGISTRY
