"""Losses, optimisers, schedules, sampling, views, augmentation and loaded weights: each against a plain computation."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mer_lib.errors import DataError, ParameterError, RunError
from mer_lib.evaluation.folds import Inputs, _to_train, compute_fold
from mer_lib.evaluation.methods import check_method, make_estimator, weights_stamp
from mer_lib.evaluation.variant import TrainingSpec, Variant
from mer_lib.models import weights
from mer_lib.training.estimator import TorchClassifier
from mer_lib.training.losses import MarginLoss
from mer_lib.training.sampling import epoch_rows
from mer_lib.training.scaling import ChannelScaler
from tests.helpers import split_of, toy, variant

SETTINGS: dict[str, Any] = {"epochs": 3, "batch_size": 8, "learning_rate": 1e-2, "device": "cpu", "seed": 3}
LABELS = np.array([0] * 12 + [1] * 5 + [2] * 3)


class Linear(nn.Module):
    """One layer on the flattened input; it keeps what it is trained on."""

    def __init__(self, inputs: int = 12, outputs: int = 3) -> None:
        super().__init__()
        self.fc = nn.Linear(inputs, outputs)
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.seen.append(x.clone())
        return self.fc(x.flatten(1))


class Lengths(Linear):
    """Outputs between 0 and 1, as those of capsules."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).sigmoid()


def data(*shape: int, n: int = 20) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (n, *(shape or (3, 2, 2)))).astype("float32")


def model(network: Any = Linear, **params: Any) -> TorchClassifier:
    return TorchClassifier(network, **{**SETTINGS, **params})


def seeded(network: Any) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return network()


# Losses


def margin_by_hand(lengths: np.ndarray, target: int, upper: float, lower: float) -> float:
    terms = [max(0, upper - v) ** 2 if k == target else 0.5 * max(0, v - lower) ** 2 for k, v in enumerate(lengths)]
    return float(sum(terms))


@pytest.mark.parametrize("margins", [(0.9, 0.1), (0.99, 0.01)])
@pytest.mark.parametrize("weight", [None, (1.0, 4.0, 0.5)])
def test_the_margin_loss_is_that_of_its_formula(margins: tuple[float, float], weight: tuple[float, ...] | None) -> None:
    lengths = np.random.default_rng(1).uniform(0, 1, (30, 3))
    targets = np.arange(30) % 3
    each = [margin_by_hand(row, target, *margins) for row, target in zip(lengths, targets, strict=True)]
    shares = np.ones(30) if weight is None else np.array(weight)[targets]
    loss = MarginLoss(margins, None if weight is None else torch.tensor(weight, dtype=torch.float64))
    found = loss(torch.from_numpy(lengths), torch.from_numpy(targets))
    assert found.item() == pytest.approx(np.average(each, weights=shares))


def test_lengths_become_probabilities_by_their_sum() -> None:
    X = data()
    fitted = model(Lengths, loss="margin").fit(X, LABELS, monitor={"test": X[:4]})
    with torch.no_grad():
        lengths = fitted.module_(fitted.inputs(X)).numpy()
    np.testing.assert_allclose(fitted.predict_proba(X), lengths / lengths.sum(1, keepdims=True), rtol=1e-5)
    assert fitted.monitored_["test"].sum(-1) == pytest.approx(1)
    expected = [margin_by_hand(row, k, 0.9, 0.1) for row, k in zip(lengths_before(X), LABELS, strict=True)]
    one = model(Lengths, loss="margin", epochs=1, batch_size=20).fit(X, LABELS)
    assert one.history_["loss"] == pytest.approx([np.mean(expected)], rel=1e-5)


def lengths_before(X: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return seeded(Lengths)(torch.from_numpy(ChannelScaler().fit_transform(X))).numpy()


def test_logits_are_no_lengths() -> None:
    with pytest.raises(ParameterError, match="loss 'margin': expected a network that returns lengths, got Linear"):
        model(partial(Linear, outputs=3), loss="margin").fit(data() * -1, LABELS)


# Optimisers and schedules


def rate_by_hand(schedule: str, epoch: int) -> float:
    shares = {"constant": 1.0, "exponential": 0.7**epoch, "cosine": (1 + math.cos(math.pi * epoch / 3)) / 2}
    return 1e-2 * shares[schedule]


@pytest.mark.parametrize("optimiser", ["adam", "adamw", "sgd"])
@pytest.mark.parametrize("schedule", ["constant", "exponential", "cosine"])
def test_every_optimiser_and_schedule_equals_a_plain_loop(optimiser: str, schedule: str) -> None:
    X = data()
    params: dict[str, Any] = {"momentum": 0.5} if optimiser == "sgd" else {"betas": (0.8, 0.95)}
    fitted = model(optimiser=optimiser, schedule=schedule, gamma=0.7, weight_decay=0.1, shuffle=False, **params)
    fitted.fit(X, LABELS)
    network, scaled = seeded(Linear), torch.from_numpy(ChannelScaler().fit_transform(X))
    kinds: dict[str, Any] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
    steps = kinds[optimiser](network.parameters(), lr=1.0, weight_decay=0.1, **params)
    for epoch in range(3):
        steps.param_groups[0]["lr"] = rate_by_hand(schedule, epoch)
        for part in torch.arange(20).split(8):
            steps.zero_grad()
            nn.functional.cross_entropy(network(scaled[part]), torch.from_numpy(LABELS)[part]).backward()
            steps.step()
    with torch.no_grad():
        expected = network(scaled).softmax(1).numpy()
    np.testing.assert_allclose(fitted.predict_proba(X), expected, rtol=1e-4, atol=1e-6)
    assert fitted.history_["learning_rate"] == pytest.approx([rate_by_hand(schedule, epoch) for epoch in range(3)])


# Sampling


def drawn(sampling: str, targets: np.ndarray, views: int = 1, seed: int = 0) -> np.ndarray:
    generator = torch.Generator().manual_seed(seed)
    return epoch_rows(sampling, torch.from_numpy(targets), views, True, generator).numpy()  # type: ignore[arg-type]


def test_balanced_sampling_gives_every_class_the_same_chance() -> None:
    targets = np.repeat([0, 1, 2], [900, 90, 10])
    rows = drawn("balanced", targets)
    assert len(rows) == 1000
    shares = np.bincount(targets[rows]) / 1000
    assert np.abs(shares - 1 / 3).max() < 4 * math.sqrt(2 / 9 / 1000)  # four standard deviations of a fair draw
    assert not np.array_equal(rows, drawn("balanced", targets, seed=1))


def test_balanced_sampling_knows_which_views_belong_to_a_class() -> None:
    targets = np.repeat([0, 1, 2], [90, 9, 1])
    rows = drawn("balanced", targets, views=10)
    shares = np.bincount(targets[rows // 10]) / 1000
    assert np.abs(shares - 1 / 3).max() < 4 * math.sqrt(2 / 9 / 1000)


@pytest.mark.parametrize("absent", [0, 1, 2])
@pytest.mark.parametrize("sampling", ["plain", "balanced", "neighbours"])
@pytest.mark.parametrize("loss", ["cross_entropy", "margin"])
@pytest.mark.parametrize("weight", [None, "balanced"])
def test_a_class_that_training_does_not_show_stops_nothing(
    absent: int, sampling: str, loss: str, weight: str | None
) -> None:
    shown = absent != LABELS
    X = data(5, 3, 2, 2)
    fitted = model(
        Lengths, sampling=sampling, loss=loss, class_weight=weight if sampling == "plain" else None,
        views="extra", classes=(0, 1, 2),
    ).fit(X[shown], LABELS[shown], monitor={"test": X})  # fmt: skip
    proba = fitted.monitored_["test"]
    assert np.isfinite(proba).all()
    np.testing.assert_allclose(proba.sum(-1), 1, rtol=1e-5)
    assert sum(map(len, fitted.module_.seen)) >= 3 * min(np.bincount(LABELS)[np.unique(LABELS[shown])])


def test_neighbours_even_out_the_classes_that_are_there() -> None:
    rows = drawn("neighbours", np.repeat([0, 2], [12, 4]), views=5)
    np.testing.assert_array_equal(np.bincount(np.repeat([0, 2], [12, 4])[rows // 5]), [20, 0, 20])


def test_neighbours_even_out_the_classes_as_the_authors_do() -> None:
    """With n apex samples: surprise 5 n images; every other class its apex images, filled up at random to 5 n."""
    targets = np.repeat([0, 1, 2], [40, 12, 4])
    rows = drawn("neighbours", targets, views=5)
    sample, view = rows // 5, rows % 5
    assert len(set(rows.tolist())) == len(rows)
    np.testing.assert_array_equal(np.bincount(targets[sample]), [40, 20, 20])  # 40 > 5 * 4: those have apexes alone
    assert set(sample[view == 0]) == set(range(56))
    assert (view[targets[sample] == 0] == 0).all()
    assert sorted(rows[targets[sample] == 2]) == list(range(52 * 5, 56 * 5))
    again = drawn("neighbours", targets, views=5, seed=1)
    assert sorted(again[targets[again // 5] == 1]) != sorted(rows[targets[sample] == 1])
    assert (np.diff(targets[sample]) != 0).sum() > 10  # classes come mixed, not one after the other


def test_neighbours_are_drawn_anew_in_every_epoch_and_never_tested_on() -> None:
    X = np.zeros((20, 5, 3, 2, 2), "float32")
    X[..., 0, 0, 0] = np.arange(100).reshape(20, 5)
    fitted = model(views="extra", sampling="neighbours", scaling="none", epochs=2, batch_size=1000)
    fitted.fit(X, LABELS, monitor={"test": X})
    first, second = (set(batch[:, 0, 0, 0].int().tolist()) for batch in fitted.module_.seen)
    assert len(first) == len(second) == 12 + 3 + 15 + 15
    assert first != second
    np.testing.assert_array_equal(fitted.inputs(X)[:, 0, 0, 0], np.arange(20) * 5)
    np.testing.assert_array_equal(fitted.monitored_["test"][-1], fitted.predict_proba(X))
    with torch.no_grad():
        one_each = fitted.module_(torch.from_numpy(X[:, 0])).softmax(1).numpy()
    np.testing.assert_allclose(fitted.predict_proba(X), one_each, rtol=1e-5)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"sampling": "neighbours"}, "sampling 'neighbours': expected features with extra views, got views 'none'"),
        ({"sampling": "balanced", "class_weight": "balanced"}, "class_weight: expected None with sampling 'balanced'"),
        ({"sampling": "balanced", "shuffle": False}, "shuffle: expected True with sampling 'balanced'"),
        ({"margins": (0.1, 0.9)}, "margins: expected 1 >= upper > lower >= 0"),
        ({"betas": (0.9, 1.0)}, "betas: expected two numbers"),
        ({"gamma": 0.0}, "gamma: expected"),
        ({"momentum": 1.0}, "momentum: expected"),
        ({"schedule": "step"}, "schedule: expected one of constant, exponential, cosine, got 'step'"),
        ({"loss": "hinge"}, "loss: expected one of cross_entropy, margin, got 'hinge'"),
    ],
)
def test_settings_that_do_not_fit_together_are_named(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        model(**params).fit(data(), LABELS)


def test_an_experiment_with_contradictory_settings_is_refused_when_it_is_read() -> None:
    with pytest.raises(ValueError, match="class_weight: expected None with sampling"):
        TrainingSpec(sampling="balanced", class_weight="balanced")


# Views


def test_extra_views_are_left_alone_without_their_sampling() -> None:
    X = data(5, 3, 2, 2)
    views, one = model(views="extra").fit(X, LABELS), model().fit(X[:, 0], LABELS)
    np.testing.assert_array_equal(views.predict_proba(X), one.predict_proba(X[:, 0]))


@pytest.mark.parametrize("shape", [(3, 2, 2), (4, 3, 1, 1)], ids=["images", "sequences"])
def test_equal_views_are_all_trained_on_and_their_predictions_averaged(shape: tuple[int, ...]) -> None:
    X = data(5, *shape)
    fitted = model(views="mean").fit(X, LABELS, monitor={"test": X[:7], "none": X[:0]})
    flat = model().fit(X.reshape(100, *shape), np.repeat(LABELS, 5))
    expected = flat.predict_proba(X.reshape(100, *shape)).reshape(20, 5, 3).mean(1)
    np.testing.assert_allclose(fitted.predict_proba(X), expected, rtol=1e-5)
    np.testing.assert_allclose(fitted.monitored_["test"][-1], expected[:7], rtol=1e-5)
    assert fitted.monitored_["none"].shape == (3, 0, 3)


def test_sequences_are_scaled_channel_by_channel() -> None:
    X = data(4, 3, 2, 2)
    X[:, :, 1] *= 50
    scaled = ChannelScaler().fit_transform(X)
    np.testing.assert_allclose(scaled.mean((0, 1, 3, 4)), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std((0, 1, 3, 4)), 1, atol=1e-5)
    with pytest.raises(ParameterError, match=r"expected \(N, T, 3, H, W\) as in fit"):
        ChannelScaler().fit(X).transform(X[:, :, :2])


def test_fixed_scalings_are_those_of_pictures() -> None:
    X = data()
    np.testing.assert_allclose(ChannelScaler("unit").fit_transform(X), X / 255, rtol=1e-6)
    expected = (X / 255 - np.reshape([0.485, 0.456, 0.406], (3, 1, 1))) / np.reshape([0.229, 0.224, 0.225], (3, 1, 1))
    np.testing.assert_allclose(ChannelScaler("imagenet").fit_transform(X), expected, atol=1e-5)
    with pytest.raises(ParameterError, match="expected the channels red, green, blue, got 1"):
        ChannelScaler("imagenet").fit(X[:, :1])


# Augmentation


class Marked:
    """Adds a number of its own to every input, and keeps what it was given."""

    def __init__(self, drop: int = 0) -> None:
        self.drop, self.given, self.added = drop, [], []

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        self.given.append(batch.clone())
        self.added.append(torch.rand(1, generator=generator).item())
        return (batch + self.added[-1])[self.drop :]

    def __deepcopy__(self, _: object) -> Marked:
        return self


def augmented(drop: int = 0, **params: Any) -> tuple[TorchClassifier, Marked]:
    change: Any = Marked(drop)
    fitted = model(augmentation=change, shuffle=False, batch_size=20, **params)
    return fitted.fit(data(), LABELS, monitor={"test": data()}), change


def test_an_augmentation_sees_inputs_in_their_units_and_the_network_scaled_ones() -> None:
    fitted, change = augmented()
    X = data()
    assert len(change.given) == 3  # batches of training alone: what is predicted is never changed
    for given, added, seen in zip(change.given, change.added, fitted.module_.seen, strict=True):
        np.testing.assert_array_equal(given, X)
        np.testing.assert_allclose(seen, fitted.scaler_.transform(X + np.float32(added)), atol=1e-5)
    assert len(set(change.added)) == 3


def test_what_an_augmentation_draws_belongs_to_the_seed() -> None:
    (one, first), (again, second), (other, third) = augmented(), augmented(), augmented(seed=4)
    assert first.added == second.added != third.added
    np.testing.assert_array_equal(one.predict_proba(data()), again.predict_proba(data()))
    assert not np.array_equal(one.predict_proba(data()), other.predict_proba(data()))


def test_an_augmentation_that_changes_the_shape_is_named() -> None:
    with pytest.raises(RunError, match="augmentation: expected inputs of shape"):
        augmented(drop=1)


# Weights that training starts from


class Pretrained(Linear):
    """A network whose layer can be loaded."""

    state: ClassVar[dict[str, Tensor]] = {"fc.weight": torch.full((3, 12), 0.25)}

    def backbone(self) -> str:
        return "resnet18"

    def load_imagenet(self, state: Any) -> list[str]:
        self.fc.weight.data.copy_(state["fc.weight"])
        return ["fc.weight"]


class _AtHand:
    def load(self) -> dict[str, Tensor]:
        return Pretrained.state


@pytest.fixture
def at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "resolve", lambda name, how: _AtHand())
    monkeypatch.setattr(weights, "told", lambda name, how: f"{name} {how}")


@pytest.mark.usefixtures("at_hand")
def test_loaded_weights_are_trained_on_or_kept() -> None:
    trained = model(Pretrained, weights="imagenet").fit(data(), LABELS)
    kept = model(Pretrained, weights="imagenet", freeze=("fc.w",), weight_decay=0.1).fit(data(), LABELS)
    assert not torch.equal(trained.module_.fc.weight, Pretrained.state["fc.weight"])
    assert torch.equal(kept.module_.fc.weight, Pretrained.state["fc.weight"])
    assert not torch.equal(kept.module_.fc.bias, seeded(Pretrained).fc.bias)
    assert kept.weights_ == "resnet18 imagenet"


class WholePretrained(Pretrained):
    """All of its layer is loaded."""

    def load_imagenet(self, state: Any) -> list[str]:
        return [*super().load_imagenet(state), "fc.bias"]


@pytest.mark.usefixtures("at_hand")
def test_of_what_was_loaded_the_named_is_kept_and_the_rest_is_trained_on() -> None:
    kept = model(WholePretrained, weights="imagenet", freeze=("fc.w",)).fit(data(), LABELS)
    assert torch.equal(kept.module_.fc.weight, Pretrained.state["fc.weight"])
    assert not torch.equal(kept.module_.fc.bias, seeded(WholePretrained).fc.bias)


@pytest.mark.usefixtures("at_hand")
def test_a_name_to_freeze_that_nothing_loaded_has_is_named() -> None:
    with pytest.raises(ParameterError, match=r"such as fc.weight; none begins with fc.bias"):
        model(Pretrained, weights="imagenet", freeze=("fc.bias",)).fit(data(), LABELS)


def test_without_weights_nothing_is_frozen_and_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MER_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(weights, "at_hand", lambda name: None)
    fitted = model(Pretrained, weights="imagenet_if_at_hand", freeze=("fc",)).fit(data(), LABELS)
    plain = model(Pretrained).fit(data(), LABELS)
    np.testing.assert_array_equal(fitted.predict_proba(data()), plain.predict_proba(data()))
    assert "not at hand" in fitted.weights_
    assert plain.weights_ == "random weights"


def test_weights_that_are_demanded_and_cannot_be_had_stop_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Path:
        raise DataError("no weights")

    monkeypatch.setattr(weights, "at_hand", lambda name: None)
    monkeypatch.setattr(weights, "fetch", absent)
    with pytest.raises(DataError, match="no weights"):
        model(Pretrained, weights="imagenet").fit(data(), LABELS)
    with pytest.raises(ParameterError, match="expected 'random' for Linear, which has no ImageNet front end"):
        model(weights="imagenet").fit(data(), LABELS)


# Kept and restored


def test_an_estimator_comes_back_from_its_state() -> None:
    X = data(5, 3, 2, 2)
    fitted = model(views="mean", classes=(2, 0, 1)).fit(X, LABELS)
    again = model(views="mean", classes=(2, 0, 1)).restore(fitted.state())
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    assert not again.module_.training


# Variants


def fold(setting: Variant, classes: tuple[str, ...] = ("negative", "positive", "surprise")) -> Any:
    ids = sorted(toy().samples["sample_id"])
    X = np.moveaxis(toy().maps(ids), -1, 1).astype("float32")
    inputs = Inputs(ids, X, toy().labels(ids), classes)
    split = split_of(toy(), "toya/01")
    return compute_fold(setting, split, inputs, seed=0, address="a", device="cpu", checkpoint=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["ststnet", "linear_svm"])
def test_permuted_labels_are_a_control_for_every_method(name: str) -> None:
    setting = variant(name)
    training = setting.training.model_copy(update={"permute_labels": True})
    control = setting.model_copy(update={"training": training})
    columns = ["p_negative", "p_positive", "p_surprise"]
    true, false = fold(setting), fold(control)
    np.testing.assert_array_equal(true.predictions["y_true"], false.predictions["y_true"])
    assert not np.allclose(true.predictions[columns], false.predictions[columns])
    assert false.metadata["fitted_on"] == true.metadata["fitted_on"]


def test_permuted_labels_are_those_of_the_training_samples_in_another_order() -> None:
    setting = variant("ststnet")
    control = setting.model_copy(update={"training": setting.training.model_copy(update={"permute_labels": True})})
    ids = sorted(toy().samples["sample_id"])
    y = np.asarray(toy().labels(ids))
    inputs, split = Inputs(ids, np.arange(len(ids)), y), split_of(toy(), "toya/01")
    drawn_labels = {}
    for seed in range(20):
        X, labels = _to_train(control, split, inputs, seed)
        assert sorted(ids[row] for row in X) == sorted(split.train)
        np.testing.assert_array_equal(np.sort(labels), np.sort(y[X]))
        drawn_labels[labels.tobytes()] = True
    assert len(drawn_labels) == 20
    X, labels = _to_train(setting, split, inputs, 0)
    np.testing.assert_array_equal(labels, y[X])


def test_a_fold_says_what_training_started_from_and_how_fast_it_went() -> None:
    metadata = fold(variant("ststnet", schedule="exponential", gamma=0.5)).metadata
    assert metadata["weights"] == "random weights"
    assert metadata["history"]["learning_rate"] == pytest.approx([1e-3, 5e-4])


def test_networks_get_as_many_outputs_as_the_labels_have_classes() -> None:
    six = variant("ststnet").model_copy(update={"labels": "casme3_six"})
    estimator = make_estimator(six, seed=0)
    assert estimator.classes == tuple(range(6))
    assert estimator.module().fc.out_features == 6
    check_method(six)
    wrong = six.model_copy(update={"model": six.model.model_copy(update={"params": {"n_classes": 3}})})
    with pytest.raises(ParameterError, match="n_classes: expected 6, as many classes as the labels 'casme3_six' have"):
        check_method(wrong)
    with pytest.raises(ParameterError, match="labels: expected one of three, .*got 'seven'"):
        check_method(six.model_copy(update={"labels": "seven"}))


def test_more_classes_give_more_columns() -> None:
    six = variant("ststnet").model_copy(update={"labels": "casme3_six"})
    names = ("happiness", "sadness", "surprise", "anger", "disgust", "fear")
    result = fold(six, names)
    proba = result.predictions[[f"p_{name}" for name in names]]
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    assert result.metadata["classes"] == list(names)


def test_views_and_weights_that_there_are_not_are_named_before_any_work() -> None:
    both = variant("ststnet", sampling="neighbours", weights="imagenet")
    with pytest.raises(ParameterError, match="expected features with extra views.*ststnet has no ImageNet front end"):
        check_method(both)
    assert weights_stamp(variant("ststnet")) == "random"
    assert weights_stamp(variant("dummy")) == "random"


@pytest.mark.parametrize("rule", ["extra", "mean"])
def test_plain_methods_see_the_views_as_networks_do(rule: str) -> None:
    from mer_lib.training.baselines import linear_svm
    from mer_lib.training.views import OverViews

    X = data(5, 3, 2, 2)
    found = OverViews(linear_svm(), rule).fit(X, LABELS).predict_proba(X)  # type: ignore[arg-type]
    if rule == "extra":
        expected = linear_svm().fit(X[:, 0], LABELS).predict_proba(X[:, 0])
    else:
        flat = X.reshape(100, 3, 2, 2)
        expected = linear_svm().fit(flat, np.repeat(LABELS, 5)).predict_proba(flat).reshape(20, 5, 3).mean(1)
    np.testing.assert_allclose(found, expected)
