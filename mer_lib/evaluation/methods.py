"""The methods that a variant can name: every network of the registry and the plain ones beside them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from sklearn.base import ClassifierMixin
from sklearn.pipeline import Pipeline

from mer_lib.datasets.class_view import class_names
from mer_lib.errors import ParameterError
from mer_lib.evaluation.variant import Variant
from mer_lib.handcrafted import REGISTRY as DESCRIPTORS
from mer_lib.models import REGISTRY, backbone, build, input_shape, weights
from mer_lib.training.baselines import dummy, linear_svm
from mer_lib.training.estimator import TorchClassifier
from mer_lib.training.views import OverViews

PLAIN: dict[str, Callable[..., Pipeline]] = {
    "dummy": dummy,
    "linear_svm": linear_svm,
    **{name: info.factory for name, info in DESCRIPTORS.items()},
}
METHODS = (*PLAIN, *REGISTRY)


def make_estimator(
    variant: Variant,
    *,
    seed: int,
    n_classes: int | None = None,
    device: str = "auto",
    checkpoint: Path | None = None,
) -> ClassifierMixin:
    """Return the unfitted estimator of `variant`.

    Args:
        variant: what is run.
        seed: of whatever the method draws.
        n_classes: how many classes are told apart; where None, those of the variant's labels.
        device: see :func:`mer_lib.training.device.resolve_device`.
        checkpoint: where a network keeps the state of its training.

    Raises:
        ParameterError: the method is unknown, or its number of classes is not that of the labels.
    """
    name, params = variant.model.name, variant.model.params
    if name in PLAIN:
        return _plain(variant, seed)
    if name not in REGISTRY:
        raise ParameterError(f"model: expected one of {', '.join(METHODS)}, got {name!r}")
    n_classes = n_classes or len(class_names(variant.labels))
    if params.get("n_classes", n_classes) != n_classes:
        raise ParameterError(
            f"n_classes: expected {n_classes}, as many classes as the labels {variant.labels!r} have, got "
            f"{params['n_classes']}; leave it away"
        )
    training = {key: value for key, value in variant.training if key != "permute_labels"}
    return TorchClassifier(
        partial(build, name, **{**params, "n_classes": n_classes}),
        classes=tuple(range(n_classes)),
        views=variant.features.view_rule,
        device=device,
        seed=seed,
        checkpoint=checkpoint,
        **training,
    )


def check_method(variant: Variant) -> None:
    """Find out before any work whether the method of `variant` can be made for its input; nothing is allocated.

    Raises:
        ParameterError: method or parameters are unknown, out of range, or made for an input of another shape; or the
            training asks for weights or views that there are not.
    """
    make_estimator(variant, seed=0)
    if not is_network(variant):
        return
    name, features = variant.model.name, variant.features
    params = {**variant.model.params, "n_classes": len(class_names(variant.labels))}
    expected, faults = input_shape(name, **params), []
    if expected != features.sample_shape:
        faults.append(
            f"{name}: with its parameters it expects inputs of shape {expected}, but the features "
            f"{features.recipe!r} have shape {features.sample_shape}"
        )
    if variant.training.sampling == "neighbours" and features.view_rule != "extra":
        faults.append(f"sampling 'neighbours': expected features with extra views, {features.recipe!r} has none")
    if variant.training.weights != "random" and backbone(name, **params) is None:
        faults.append(f"weights: expected 'random', {name} has no ImageNet front end")
    if faults:
        raise ParameterError("; ".join(faults))


def weights_stamp(variant: Variant) -> str:
    """Return what the address of a result says of the weights that training starts from; "random" for plain methods.

    Raises:
        ParameterError: the network has no front end that could take them.
    """
    if not is_network(variant) or variant.training.weights == "random":
        return "random"
    return weights.stamp(backbone(variant.model.name, **variant.model.params), variant.training.weights)


def _plain(variant: Variant, seed: int) -> ClassifierMixin:
    name, rule = variant.model.name, variant.features.view_rule
    try:
        method = PLAIN[name](**variant.model.params)
    except TypeError as error:
        raise ParameterError(f"parameters of {name!r}: {error}") from None
    # Whatever a plain method draws belongs to the fold, too; left at None it would be drawn anew in every run.
    seeded = method.set_params(**{key: seed for key in method.get_params() if key.endswith("random_state")})
    return seeded if rule == "none" else OverViews(seeded, rule)


def is_network(variant: Variant) -> bool:
    """Say whether the variant trains epoch by epoch."""
    return variant.model.name in REGISTRY
