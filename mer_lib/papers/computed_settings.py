"""Numbers of the running texts that are settings or sizes: read off profile paper, or counted in a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mer_lib.evaluation.variant import Variant
from mer_lib.faces.mediapipe_mesh import N_LANDMARKS
from mer_lib.features import AngleImage
from mer_lib.models import REGISTRY
from mer_lib.papers.cells import without
from mer_lib.papers.experiments import experiment
from mer_lib.papers.network_size import parameter_count
from mer_lib.papers.verdicts import value_verdict
from mer_lib.training.losses import ABSENT

_SETTING = "a setting of profile paper"
_COUNTED = "counted in the network of profile paper"


def _variant(name: str, label: str) -> Variant:
    return experiment(name).variant(label, "paper")


def _htnet() -> Variant:
    return _variant("htnet.table2", "HTNet")


def _capsules() -> Variant:
    return _variant("capsulenet.table2", "CapsuleNet")


def _da_crossvit() -> Variant:
    return _variant("da_crossvit.table2", "DA-CrossViT")


def _yolo() -> Variant:
    return _variant("mishin_yolo.table1", "subjects=both, discretisation=on")


def _angles() -> AngleImage:
    features = _yolo().features
    return features if isinstance(features, AngleImage) else AngleImage.published()


def _default(model: str, name: str) -> Any:
    return REGISTRY[model].schema.model_fields[name].default


#: How a number is read, and what it is, by entry and metric.
SETTINGS: Mapping[str, Mapping[str, tuple[Callable[[], Any], str]]] = {
    "htnet.text": {
        "learning_rate": (lambda: _htnet().training.learning_rate, _SETTING),
        "max_epochs": (lambda: _htnet().training.epochs, _SETTING),
    },
    "capsulenet.text": {
        "learning_rate": (lambda: _capsules().training.learning_rate, _SETTING),
        "lr_decay": (lambda: _capsules().training.gamma, _SETTING),
        "epochs": (lambda: _capsules().training.epochs, _SETTING),
        "routing_iterations": (lambda: _default("capsulenet", "iterations"), _SETTING),
        "margin_plus": (lambda: _capsules().training.margins[0], _SETTING),
        "margin_minus": (lambda: _capsules().training.margins[1], _SETTING),
        "margin_lambda": (lambda: ABSENT, "what the margin loss gives an absent class"),
    },
    "da_crossvit.text": {
        "batch_size": (lambda: _da_crossvit().training.batch_size, _SETTING),
        "max_epochs": (lambda: _da_crossvit().training.epochs, _SETTING),
        "learning_rate": (lambda: _da_crossvit().training.learning_rate, _SETTING),
    },
    "mishin_yolo.text": {
        "face_landmarks": (lambda: N_LANDMARKS, "points of the face mesh"),
        "regions": (lambda: _angles().sample_shape[1], _SETTING),
        "window_frames": (lambda: _angles().frames, _SETTING),
        "angle_sectors": (lambda: _angles().sectors, _SETTING),
        "parameters": (lambda: parameter_count(_yolo()), _COUNTED),
    },
}


def setting(cell: Mapping[str, Any], tolerance: float) -> dict[str, Any] | None:
    """Fill a cell that holds a setting or a size; None where it holds neither.

    Args:
        cell: of an entry in :data:`SETTINGS`.
        tolerance: of the published number, by rounding.
    """
    found = SETTINGS.get(cell["experiment"], {}).get(cell["metric"])
    return computed(cell, found[0](), found[1], tolerance) if found else None


def parameters(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Fill a cell that holds the number of parameters of a row of HTNet's table 5."""
    count = parameter_count(_variant("htnet.table5", cell["variant"]))
    return without("this row has no network") if count is None else computed(cell, count, _COUNTED)


def computed(cell: Mapping[str, Any], value: Any, how: str, tolerance: float = 0.0) -> dict[str, Any]:
    """Return what is set in a cell whose number was computed, not measured; `how` says from what."""
    word, because = value_verdict(cell["published"], value, tolerance)
    return {
        "measured": value,
        "kind": "computed",
        "verdict": word,
        "because": f"{because}; {how}" if because else how,
    }
