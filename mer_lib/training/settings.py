"""What settings of a training fit together: said once, for whoever writes an experiment or makes an estimator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from mer_lib.training.losses import LossName
from mer_lib.training.optimisers import OptimiserName, Schedule
from mer_lib.training.sampling import Sampling
from mer_lib.training.scaling import Scaling

_NAMES: dict[str, tuple[str, ...]] = {
    "optimiser": get_args(OptimiserName),
    "schedule": get_args(Schedule),
    "loss": get_args(LossName),
    "sampling": get_args(Sampling),
    "scaling": get_args(Scaling),
    "weights": ("random", "imagenet", "imagenet_if_at_hand"),
}


def setting_faults(settings: Mapping[str, Any]) -> list[str]:
    """Say what is wrong with `settings`, named as in :class:`TorchClassifier`; an empty list where nothing is."""
    return [*_sizes(settings), *_unknown(settings), *_ranges(settings), *_contradictions(settings)]


def _sizes(settings: Mapping[str, Any]) -> Iterator[str]:
    sizes = settings["epochs"], settings["batch_size"], settings["learning_rate"]
    if min(sizes[:2]) < 1 or sizes[2] <= 0:
        got = ", ".join(map(str, sizes))
        yield f"expected epochs >= 1, batch_size >= 1, learning_rate > 0, got {got}"


def _unknown(settings: Mapping[str, Any]) -> Iterator[str]:
    for name, allowed in _NAMES.items():
        if settings[name] not in allowed:
            yield f"{name}: expected one of {', '.join(allowed)}, got {settings[name]!r}"
    if settings["class_weight"] not in (None, "balanced"):
        yield f"class_weight: expected None or 'balanced', got {settings['class_weight']!r}"


def _ranges(settings: Mapping[str, Any]) -> Iterator[str]:
    upper, lower = settings["margins"]
    if not 0 <= lower < upper <= 1:
        yield f"margins: expected 1 >= upper > lower >= 0, got {settings['margins']}"
    if not all(0 <= beta < 1 for beta in settings["betas"]):
        yield f"betas: expected two numbers in [0, 1), got {settings['betas']}"
    if not 0 <= settings["momentum"] < 1:
        yield f"momentum: expected a number in [0, 1), got {settings['momentum']}"
    if not 0 < settings["gamma"] <= 1:
        yield f"gamma: expected a number in (0, 1], got {settings['gamma']}"


def _contradictions(settings: Mapping[str, Any]) -> Iterator[str]:
    if settings["sampling"] == "plain":
        return
    if settings["class_weight"] is not None:
        yield f"class_weight: expected None with sampling {settings['sampling']!r}, which makes classes even already"
    if not settings["shuffle"]:
        yield f"shuffle: expected True with sampling {settings['sampling']!r}, which draws its own order"
