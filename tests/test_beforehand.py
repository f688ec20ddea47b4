"""Before any work: an augmentation that does not know what it changes, and weights that cannot be had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mer_lib.errors import DataError, ParameterError
from mer_lib.evaluation.beforehand import augmentation_faults, fetch_weights
from mer_lib.evaluation.crossval import Job, run
from mer_lib.evaluation.methods import is_network
from mer_lib.evaluation.store import PredictionStore
from mer_lib.evaluation.variant import Variant
from mer_lib.models import weights
from mer_lib.papers.experiments import experiments
from tests.helpers import toy


def setting(features: dict[str, Any], augmentation: dict[str, Any] | None = None, **training: Any) -> Variant:
    return Variant.model_validate(
        {
            "features": features,
            "model": {"name": "ststnet"},
            "training": {"epochs": 1, "augmentation": augmentation, **training},
        }
    )


FLOW_MAP = {"recipe": "flow_map"}
IN_PIXELS = {"recipe": "flow_map", "motion": {"scaling": "pixels"}}


@pytest.mark.parametrize(
    ("features", "augmentation"),
    [
        (FLOW_MAP, None),
        (FLOW_MAP, {"kind": "flow", "zero": 127.5}),
        ({"recipe": "four_region_mosaic", "order": "svu"},
         {"kind": "flow", "zero": 127.5, "channels": ["strain", "v", "u"]}),
        (IN_PIXELS, {"kind": "flow"}),
        ({"recipe": "apex_face"}, {"kind": "faces"}),
        ({"recipe": "angle_image", "rows": "permuted"}, {"kind": "angles", "rows": "permuted"}),
        ({"recipe": "magnified_sequence"}, {"kind": "flow", "channels": ["grey", "u", "v"]}),
    ],
)  # fmt: skip
def test_what_fits_is_accepted(features: dict[str, Any], augmentation: dict[str, Any] | None) -> None:
    assert augmentation_faults(setting(features, augmentation)) == []


@pytest.mark.parametrize(
    ("features", "augmentation", "message"),
    [
        (FLOW_MAP, {"kind": "faces"}, "'faces' is not made for the features 'flow_map'"),
        ({"recipe": "apex_face"}, {"kind": "flow"}, "'flow' is not made for the features 'apex_face'"),
        ({"recipe": "apex_face"}, {"kind": "angles"}, "'angles' is not made for"),
        (FLOW_MAP, {"kind": "flow"}, "expected zero 127.5"),
        (IN_PIXELS, {"kind": "flow", "zero": 127.5}, "expected zero 0.0"),
        ({"recipe": "flow_map", "order": "svu"}, {"kind": "flow", "zero": 127.5}, r"channels \('strain', 'v', 'u'\)"),
        ({"recipe": "apex_face", "frame": "difference"}, {"kind": "faces"}, "expected difference True"),
        ({"recipe": "angle_image", "rows": "permuted"}, {"kind": "angles"}, "expected rows 'permuted'"),
        ({"recipe": "angle_image", "sectors": 8}, {"kind": "angles"}, "expected sectors 8"),
        ({"recipe": "magnified_sequence"}, {"kind": "flow"}, r"expected channels \('grey', 'u', 'v'\)"),
    ],
)  # fmt: skip
def test_an_augmentation_of_something_else_is_named(
    features: dict[str, Any], augmentation: dict[str, Any], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        raise ParameterError("; ".join(augmentation_faults(setting(features, augmentation))))


def test_it_is_refused_before_any_work(tmp_path: Path) -> None:
    store = PredictionStore(tmp_path / "store")
    with pytest.raises(ParameterError, match="(?s)1 of 1 jobs cannot be run, so nothing was.*faces"):
        run([Job("lit flow", setting(FLOW_MAP, {"kind": "faces"}), toy())], store)
    assert not store.root.exists()


def test_every_network_of_every_experiment_has_an_augmentation_of_its_own_input() -> None:
    wrong = {
        (name, profile, label): augmentation_faults(variant)
        for name, entry in experiments().items()
        for profile in ("smoke", "quick", "paper")
        for label, variant in entry.settings(profile).items()
        if is_network(variant) and augmentation_faults(variant)
    }
    assert wrong == {}


def demanding(model: str, how: str) -> Variant:
    variant = setting({"recipe": "apex_face", "size": 48}, weights=how)
    return variant.model_copy(update={"model": variant.model.model_copy(update={"name": model})})


def test_demanded_weights_are_fetched_once_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def absent(name: str) -> Path:
        asked.append(name)
        raise DataError(f"{name} cannot be fetched")

    monkeypatch.setattr(weights, "at_hand", lambda name: None)
    monkeypatch.setattr(weights, "fetch", absent)
    fetch_weights([demanding("resnet18", "random"), demanding("resnet18", "imagenet_if_at_hand")])
    assert asked == []
    with pytest.raises(DataError, match="resnet18 cannot be fetched"):
        fetch_weights([demanding("resnet18", "imagenet")] * 3)
    assert asked == ["resnet18"]


def test_a_run_without_demanded_weights_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(variants: object) -> None:
        assert list(variants)  # type: ignore[call-overload]
        raise DataError("no weights")

    monkeypatch.setattr("mer_lib.evaluation.crossval.fetch_weights", refused)
    store = PredictionStore(tmp_path / "store")
    with pytest.raises(DataError, match="no weights"):
        run([Job("x", setting(FLOW_MAP), toy())], store)
    assert not store.root.exists()


def test_weights_that_are_there_or_not_are_two_results(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def code(how: str) -> str:
        return Job("x", demanding("resnet18", how), toy()).code

    monkeypatch.setattr(weights, "at_hand", lambda name: None)
    absent = {how: code(how) for how in ("random", "imagenet_if_at_hand", "imagenet")}
    monkeypatch.setattr(weights, "at_hand", lambda name: tmp_path / name)
    there = {how: code(how) for how in ("random", "imagenet_if_at_hand", "imagenet")}
    assert absent["random"] == there["random"] == absent["imagenet_if_at_hand"]
    assert absent["imagenet"] == there["imagenet"] == there["imagenet_if_at_hand"] != there["random"]
