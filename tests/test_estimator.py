"""The torch estimator: scikit-learn's contract, reproducible fits, inputs scaled by what was trained on."""

from __future__ import annotations

import pickle
import random
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from torch import nn

from mer_lib.errors import ParameterError, RunError
from mer_lib.models import build
from mer_lib.training.device import one_thread, resolve_device
from mer_lib.training.estimator import TorchClassifier
from mer_lib.training.scaling import ChannelScaler

DEFAULTS: dict[str, Any] = {"epochs": 3, "batch_size": 8, "learning_rate": 1e-3, "device": "cpu", "seed": 3}


class Linear(nn.Module):
    """The smallest network: one layer on the flattened input."""

    def __init__(self, outputs: int = 3, pixels: int = 12) -> None:
        super().__init__()
        self.fc = nn.Linear(pixels, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(x.flatten(1))


def data(n: int = 20, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 255, (n, 3, 28, 28)).astype("float32"), np.arange(n) % 3


def small_data(n: int = 20, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    X, y = data(n, seed)
    return X[:, :, :2, :2].copy(), y


def ststnet(**params: Any) -> TorchClassifier:
    return TorchClassifier(partial(build, "ststnet"), **{**DEFAULTS, **params})


def linear(**params: Any) -> TorchClassifier:
    return TorchClassifier(Linear, **{**DEFAULTS, **params})


# The contract of scikit-learn


def test_parameters_round_trip_through_get_set_and_clone() -> None:
    model = linear(class_weight="balanced", shuffle=False)
    params = model.get_params()
    assert params["class_weight"] == "balanced"
    assert params["shuffle"] is False
    assert linear().set_params(**params).get_params() == params
    assert clone(model).get_params() == params


def test_a_clone_of_a_fitted_model_is_unfitted_and_fits_alike() -> None:
    X, y = data()
    model = ststnet().fit(X, y)
    copy = clone(model)
    with pytest.raises(NotFittedError):
        copy.predict(X)
    np.testing.assert_array_equal(copy.fit(X, y).predict_proba(X), model.predict_proba(X))


def test_fitting_changes_no_parameter() -> None:
    model = ststnet()
    before = model.get_params()
    model.fit(*data())
    assert model.get_params() == before


def test_shapes_types_and_agreement_of_what_is_predicted() -> None:
    X, y = data()
    model = ststnet().fit(X, y, monitor={"test": X[:7], "none": X[:0]})
    proba = model.predict_proba(X)
    assert (proba.shape, proba.dtype) == ((20, 3), np.float32)
    np.testing.assert_allclose(proba.sum(1), 1, rtol=1e-5)
    np.testing.assert_array_equal(model.predict(X), proba.argmax(1))
    assert (model.monitored_["test"].shape, model.monitored_["test"].dtype) == ((3, 7, 3), np.float32)
    assert model.monitored_["none"].shape == (3, 0, 3)
    np.testing.assert_array_equal(model.monitored_["test"][-1], model.predict_proba(X[:7]))
    assert {name: len(values) for name, values in model.history_.items()} == {
        "loss": 3,
        "accuracy": 3,
        "learning_rate": 3,
    }


def test_monitored_probabilities_are_those_after_each_epoch() -> None:
    X, y = data()
    recorded = ststnet(epochs=3).fit(X, y, monitor={"test": X}).monitored_["test"]
    for epoch in (1, 2):
        np.testing.assert_array_equal(recorded[epoch - 1], ststnet(epochs=epoch).fit(X, y).predict_proba(X))
    assert np.abs(np.diff(recorded, axis=0)).max() > 0


def test_columns_follow_classes_in_whatever_order_they_are_given() -> None:
    X, y = small_data(60)
    X[np.arange(60), y, 0, 0] += 2000  # each class lights up a channel of its own
    settings: dict[str, Any] = {"epochs": 60, "learning_rate": 0.05, "scaling": "standard"}
    for classes in ((0, 1, 2), (2, 0, 1), None):
        model = linear(classes=classes, **settings).fit(X, y)
        assert model.classes_.tolist() == list(classes or (0, 1, 2))
        assert model.score(X, y) == 1.0
        np.testing.assert_array_equal(model.classes_[model.predict_proba(X).argmax(1)], y)


def test_labels_need_not_be_consecutive() -> None:
    X, y = small_data(60)
    X[np.arange(60), y, 0, 0] += 2000
    model = linear(epochs=60, learning_rate=0.05).fit(X, np.array([7, 3, 5])[y])
    assert model.classes_.tolist() == [3, 5, 7]
    assert model.score(X, np.array([7, 3, 5])[y]) == 1.0


def test_a_class_that_training_lacks_keeps_its_column() -> None:
    X, y = small_data()
    model = linear(classes=(0, 1, 2), class_weight="balanced").fit(X, y % 2)
    assert model.predict_proba(X).shape == (20, 3)


def test_a_fitted_model_survives_pickling() -> None:
    X, y = data()
    model = ststnet().fit(X, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), model.predict_proba(X))


# Reproducible


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    X, y = data()
    first, again, other = (ststnet(seed=seed).fit(X, y, monitor={"test": X}) for seed in (3, 3, 4))
    assert first.monitored_["test"].tobytes() == again.monitored_["test"].tobytes()
    assert first.history_ == again.history_
    assert first.monitored_["test"].tobytes() != other.monitored_["test"].tobytes()


def test_a_second_fit_of_one_object_starts_anew() -> None:
    X, y = data()
    model = ststnet().fit(X, y)
    first = model.predict_proba(X)
    assert model.fit(X, y).predict_proba(X).tobytes() == first.tobytes()


def test_the_result_does_not_hang_on_the_callers_random_state_nor_change_it() -> None:
    X, y = data()
    results, states = [], []
    for seed in (1, 2):
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
        results.append(ststnet().fit(X, y).predict_proba(X).tobytes())
        states.append((before, (torch.get_rng_state(), np.random.get_state()[1], random.getstate())))
    assert results[0] == results[1]
    for before, after in states:
        assert torch.equal(before[0], after[0])
        assert np.array_equal(before[1], after[1])
        assert before[2] == after[2]


def test_monitoring_never_changes_the_training() -> None:
    X, y = data()
    other = data(9, seed=5)[0] * 100
    plain, watched = ststnet().fit(X, y), ststnet().fit(X, y, monitor={"test": other, "inner": X[:3]})
    assert plain.history_ == watched.history_
    for name, tensor in plain.module_.state_dict().items():
        assert torch.equal(tensor, watched.module_.state_dict()[name]), name


def test_each_monitored_set_is_predicted_on_its_own() -> None:
    X, y = data()
    both = ststnet().fit(X, y, monitor={"a": X[:5], "b": X[5:]}).monitored_
    np.testing.assert_array_equal(both["a"], ststnet().fit(X, y, monitor={"x": X[:5]}).monitored_["x"])


def test_the_callers_arrays_are_left_alone() -> None:
    X, y = data()
    kept = X.copy(), y.copy()
    ststnet().fit(X, y, monitor={"test": X})
    np.testing.assert_array_equal(X, kept[0])
    np.testing.assert_array_equal(y, kept[1])


# What is trained on, in which order, with which weights


class Recorder(Linear):
    """Keeps the first pixel of every training sample it sees, batch by batch."""

    seen: list[list[float]]

    def __init__(self) -> None:
        super().__init__()
        self.seen = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.seen.append(x[:, 0, 0, 0].tolist())
        return super().forward(x)


def batches(**params: Any) -> list[list[float]]:
    X = np.zeros((10, 3, 2, 2), "float32")
    X[:, 0, 0, 0] = np.arange(10)
    settings = {**DEFAULTS, "epochs": 2, "batch_size": 4, "scaling": "none", **params}
    return TorchClassifier(Recorder, **settings).fit(X, np.arange(10) % 3).module_.seen


def test_without_shuffling_the_order_is_that_of_the_rows() -> None:
    assert batches(shuffle=False) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]] * 2


def test_with_shuffling_every_epoch_has_its_own_order_of_all_samples() -> None:
    seen = batches(shuffle=True)
    assert [len(batch) for batch in seen] == [4, 4, 2] * 2
    first, second = sum(seen[:3], []), sum(seen[3:], [])
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second
    assert first != list(range(10))
    assert batches(shuffle=True) == seen
    assert batches(shuffle=True, seed=4) != seen


def manual_fit(X: np.ndarray, y: np.ndarray, weight: torch.Tensor | None, decay: float, name: str) -> np.ndarray:
    """One network trained by a plain loop in the order of the rows."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = Linear()
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[name]
    optimiser = kind(network.parameters(), lr=1e-2, weight_decay=decay)
    mean = X.mean((0, 2, 3), keepdims=True, dtype="float64")
    scaled = torch.from_numpy(((X - mean) / X.std((0, 2, 3), keepdims=True, dtype="float64")).astype("float32"))
    for _ in range(4):
        for start in range(0, len(X), 8):
            loss = nn.functional.cross_entropy(
                network(scaled[start : start + 8]), torch.from_numpy(y[start : start + 8]), weight=weight
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return network(scaled).softmax(1).detach().numpy()


@pytest.mark.parametrize("optimiser", ["adam", "adamw"])
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_the_fit_equals_a_plain_loop(optimiser: str, decay: float, class_weight: str | None) -> None:
    X, _ = small_data(20)
    y = np.array([0] * 12 + [1] * 5 + [2] * 3)
    weight = torch.tensor([20 / 36, 20 / 15, 20 / 9]) if class_weight else None
    model = linear(
        epochs=4, learning_rate=1e-2, shuffle=False, optimiser=optimiser, weight_decay=decay, class_weight=class_weight
    )
    expected = manual_fit(X, y, weight, decay, optimiser)
    np.testing.assert_allclose(model.fit(X, y).predict_proba(X), expected, rtol=1e-4, atol=1e-6)


def test_the_history_holds_mean_loss_and_accuracy_of_the_training_batches() -> None:
    X, y = small_data(20)
    model = linear(epochs=1, batch_size=20, shuffle=False).fit(X, y)
    torch.manual_seed(3)
    logits = Linear()(torch.from_numpy(ChannelScaler().fit_transform(X)))
    assert model.history_["loss"] == pytest.approx([nn.functional.cross_entropy(logits, torch.from_numpy(y)).item()])
    assert model.history_["accuracy"] == pytest.approx([float((logits.argmax(1).numpy() == y).mean())])


# Scaling


def test_the_scaler_standardises_each_channel() -> None:
    X, _ = data()
    X[:, 1] = 7  # a constant channel
    scaler = ChannelScaler().fit(X)
    scaled = scaler.transform(X)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled.mean((0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std((0, 2, 3)), [1, 0, 1], atol=1e-5)
    np.testing.assert_array_equal(ChannelScaler("none").fit(X).transform(X), X)


def test_scaling_is_learned_from_the_training_samples_alone() -> None:
    X, y = data()
    outliers = np.full((5, 3, 28, 28), 1e6, "float32")
    model = ststnet().fit(X, y, monitor={"test": outliers, "inner": -outliers})
    np.testing.assert_allclose(model.scaler_.mean_.ravel(), X.mean((0, 2, 3)), rtol=1e-4)
    np.testing.assert_allclose(model.scaler_.scale_.ravel(), X.std((0, 2, 3)), rtol=1e-4)


@pytest.mark.parametrize("shape", [(4, 1, 28, 28), (4, 28, 28), (4, 28, 28, 3)])
def test_inputs_of_another_shape_than_in_fit_are_refused(shape: tuple[int, ...]) -> None:
    X, y = data()
    wrong = np.zeros(shape, "float32")
    with pytest.raises(ParameterError, match=r"expected \(N, 3, H, W\) as in fit"):
        ststnet().fit(X, y).predict_proba(wrong)
    with pytest.raises(ParameterError, match=r"expected \(N, 3, H, W\) as in fit"):
        ststnet().fit(X, y, monitor={"test": wrong})


# Errors


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"optimiser": "rmsprop"}, "optimiser: expected one of adam, adamw, sgd, got 'rmsprop'"),
        ({"class_weight": "even"}, "class_weight: expected None or 'balanced', got 'even'"),
        ({"epochs": 0}, "epochs >= 1"),
        ({"batch_size": 0}, "batch_size >= 1"),
        ({"learning_rate": -1.0}, "learning_rate > 0"),
        ({"scaling": "minmax"}, "scaling: expected one of standard, none, unit, imagenet, got 'minmax'"),
        ({"device": "tpu"}, "device: expected one of auto, cpu, cuda"),
        ({"device": "auto:1"}, "device: expected one of auto, cpu, cuda"),
        ({"device": "cuda:x"}, "device: expected one of auto, cpu, cuda"),
        ({"classes": (0, 1)}, r"y: expected labels among \[0, 1\], got also \[2\]"),
    ],
)
def test_wrong_parameters_are_named(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        ststnet(**params).fit(*data())


def test_all_faults_are_named_at_once() -> None:
    X, y = data()
    with pytest.raises(ParameterError, match="epochs >= 1.*optimiser.*X: expected") as error:
        ststnet(epochs=0, optimiser="rmsprop").fit(X[:, 0], y)
    assert "(20, 28, 28)" in str(error.value)


@pytest.mark.parametrize("n", [0, 19])
def test_as_many_labels_as_samples_are_expected(n: int) -> None:
    X, y = data()
    with pytest.raises(ParameterError, match=r"X: expected \(N, C, H, W\) with N = "):
        ststnet().fit(X[:n], y[: n and 20])


def test_a_network_that_does_not_fit_the_input_is_named() -> None:
    X, y = data()
    with pytest.raises(ParameterError, match=r"Linear does not accept inputs of shape \(N, 3, 28, 28\)"):
        linear().fit(X, y)


def test_a_network_with_too_few_outputs_is_named() -> None:
    with pytest.raises(ParameterError, match=r"expected 3 outputs, one for each of .* \[0, 1, 2\], got \(2,\)"):
        TorchClassifier(partial(Linear, 2), **DEFAULTS).fit(*small_data())


def test_a_diverged_training_says_so_and_what_to_do() -> None:
    X, y = small_data()
    with pytest.raises(RunError, match=r"diverged.*loss of epoch \d.*Lower the learning rate \(now 1e\+30\)"):
        linear(epochs=5, learning_rate=1e30, scaling="none").fit(X * 1e10, y)


def test_predictions_that_are_no_numbers_are_never_recorded() -> None:
    """A single step can ruin the weights after the last loss was computed."""
    X, y = small_data()
    with pytest.raises(RunError, match="diverged.*predictions of 'test' after epoch 1"):
        linear(epochs=1, batch_size=20, learning_rate=1e38, scaling="none").fit(X * 1e3, y, monitor={"test": X * 1e3})


# Devices


def test_auto_is_a_device_that_is_there() -> None:
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert resolve_device("auto").type == expected
    assert resolve_device("cpu") == torch.device("cpu")


def test_cuda_where_there_is_none_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ParameterError, match="sees no CUDA device; use device='cpu' or 'auto'"):
        ststnet(device="cuda").fit(*data())


def test_a_cuda_number_that_is_not_there_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(ParameterError, match="expected cuda:0 to cuda:1, got 'cuda:2'"):
        resolve_device("cuda:2")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_cuda_learns_what_the_cpu_learns() -> None:
    X, y = small_data()
    on_cpu, on_cuda = (linear(device=device).fit(X, y, monitor={"test": X}) for device in ("cpu", "cuda"))
    np.testing.assert_allclose(on_cuda.monitored_["test"], on_cpu.monitored_["test"], atol=1e-4)


def test_one_thread_is_given_back() -> None:
    torch.set_num_threads(2)
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
