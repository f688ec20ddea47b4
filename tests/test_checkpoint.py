"""An interrupted fit goes on where it was and ends as an undisturbed one, to the last bit."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mer_lib import atomic
from mer_lib.errors import ParameterError
from mer_lib.models import build
from mer_lib.training.augmentation import FaceAugmentation, FlowAugmentation
from mer_lib.training.checkpoint import Checkpoint
from mer_lib.training.device import one_thread
from mer_lib.training.estimator import TorchClassifier

REPOSITORY = Path(__file__).resolve().parents[1]
EPOCHS = 8
SETTINGS: dict[str, Any] = {"epochs": EPOCHS, "batch_size": 8, "learning_rate": 1e-3, "device": "cpu", "seed": 3}


def data() -> tuple[np.ndarray, np.ndarray]:
    X = np.random.default_rng(0).uniform(0, 255, (20, 3, 28, 28)).astype("float32")
    return X, np.arange(20) % 3


def model(path: Path | None = None, **params: Any) -> TorchClassifier:
    """STSTNet has dropout and batch statistics, so every random number and every buffer counts."""
    settings = {**SETTINGS, "checkpoint": path, "checkpoint_every_s": 0, **params}
    return TorchClassifier(partial(build, "ststnet"), **settings)


def state_of(fitted: TorchClassifier) -> dict[str, bytes]:
    tensors = {name: tensor.numpy().tobytes() for name, tensor in fitted.module_.state_dict().items()}
    return tensors | {"monitored": fitted.monitored_["test"].tobytes(), "history": repr(fitted.history_).encode()}


class Epochs:
    """Counts the epochs that are trained while it is in place, and stops before number `stop` (from 0)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stop: int | None = None) -> None:
        self.trained: list[int] = []
        original = TorchClassifier._epoch

        def epoch(fitted: TorchClassifier, *args: Any) -> dict[str, float]:
            if args[-1] == stop:
                raise KeyboardInterrupt
            self.trained.append(args[-1])
            return original(fitted, *args)

        monkeypatch.setattr(TorchClassifier, "_epoch", epoch)


def interrupt(path: Path, after: int, **params: Any) -> None:
    """Leave the checkpoint of a fit that was interrupted after `after` epochs."""
    X, y = data()
    with pytest.MonkeyPatch.context() as patch:
        Epochs(patch, stop=after)
        with pytest.raises(KeyboardInterrupt):
            model(path, **params).fit(X, y, monitor={"test": X[:6]})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "fold.checkpoint"


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, bytes]:
    X, y = data()
    with one_thread():
        return state_of(model().fit(X, y, monitor={"test": X[:6]}))


@pytest.mark.parametrize("after", [1, 5, EPOCHS - 1])
def test_an_interrupted_fit_goes_on_and_ends_with_the_same_bits(
    path: Path, undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    X, y = data()
    interrupt(path, after)
    assert path.exists()
    count = Epochs(monkeypatch)
    resumed = model(path).fit(X, y, monitor={"test": X[:6]})
    assert count.trained == list(range(after, EPOCHS))
    assert state_of(resumed) == undisturbed
    assert not path.exists()


def test_it_may_be_interrupted_again_and_again(path: Path, undisturbed: dict[str, bytes]) -> None:
    X, y = data()
    for after in (2, 3, 6):
        interrupt(path, after)
    assert state_of(model(path).fit(X, y, monitor={"test": X[:6]})) == undisturbed


OPTIONS: dict[str, dict[str, Any]] = {
    "sgd": {"optimiser": "sgd", "schedule": "cosine", "momentum": 0.9, "augmentation": FlowAugmentation(zero=127.5)},
    "balanced": {"optimiser": "adamw", "schedule": "exponential", "sampling": "balanced"},
    "faces": {"augmentation": FaceAugmentation(), "class_weight": "balanced"},
    "neighbours": {"sampling": "neighbours", "views": "extra", "augmentation": FlowAugmentation(rotation=9, shift=0.1)},
    "windows": {"views": "mean", "shuffle": False, "augmentation": FaceAugmentation(jitter=(0.1, 0.0, 0.0, 0.0))},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_whatever_is_drawn_and_remembered_goes_on_where_it_was(path: Path, options: dict[str, Any]) -> None:
    X, y = data()
    if "views" in options:
        X = np.stack([X, X + 1, X[::-1]], axis=1)
    with one_thread():
        whole = state_of(model(**options).fit(X, y, monitor={"test": X[:6]}))
        with pytest.MonkeyPatch.context() as patch:
            Epochs(patch, stop=3)
            with pytest.raises(KeyboardInterrupt):
                model(path, **options).fit(X, y, monitor={"test": X[:6]})
        torch.rand(7)  # whatever else has drawn meanwhile
        assert path.exists()
        assert state_of(model(path, **options).fit(X, y, monitor={"test": X[:6]})) == whole


KILLED = """
import time
from pathlib import Path
from tests.test_checkpoint import data, model
from mer_lib.training.device import one_thread
from mer_lib.training.estimator import TorchClassifier

original = TorchClassifier._epoch
def slow(fitted, *args):
    time.sleep(0.05 if args[-1] < 4 else 60)
    return original(fitted, *args)
TorchClassifier._epoch = slow
X, y = data()
with one_thread():
    model(Path({path!r})).fit(X, y, monitor={{"test": X[:6]}})
"""


def test_a_killed_process_is_resumed_by_another_one(
    path: Path, undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process must recognise the state as its own: nothing in its key may be an address in memory."""
    process = subprocess.Popen([sys.executable, "-c", KILLED.format(path=str(path))], cwd=REPOSITORY)
    deadline = time.monotonic() + 120
    while not path.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    X, y = data()
    count = Epochs(monkeypatch)
    resumed = model(path).fit(X, y, monitor={"test": X[:6]})
    assert 0 < len(count.trained) < EPOCHS
    assert state_of(resumed) == undisturbed


def test_how_often_it_is_written_does_not_change_the_result(path: Path, undisturbed: dict[str, bytes]) -> None:
    X, y = data()
    for every in (0, 1e9):
        fitted = model(path, checkpoint_every_s=every).fit(X, y, monitor={"test": X[:6]})
        assert state_of(fitted) == undisturbed
    assert list(path.parent.iterdir()) == []


def test_it_is_written_at_most_every_so_many_seconds(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = data()
    written: list[Path] = []
    monkeypatch.setattr(atomic, "write_bytes", lambda target, _: written.append(target))
    model(path, checkpoint_every_s=1e9).fit(X, y)
    assert written == []
    model(path).fit(X, y)
    assert written == [path] * EPOCHS


OTHER_DATA = data()[0] + 1


@pytest.mark.parametrize(
    ("params", "X", "y", "watched"),
    [
        ({"seed": 4}, None, None, None),
        ({"learning_rate": 2e-3}, None, None, None),
        ({"shuffle": False}, None, None, None),
        ({"epochs": EPOCHS + 1}, None, None, None),
        ({"module": partial(build, "ststnet", dropout=0.1)}, None, None, None),
        ({}, OTHER_DATA * 2, None, None),
        ({}, None, (np.arange(20) + 1) % 3, None),
        ({}, None, None, OTHER_DATA[:6]),
    ],
    ids=["seed", "learning rate", "order", "epochs", "network", "samples", "labels", "monitored samples"],
)
def test_a_state_of_other_parameters_or_data_is_ignored(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    params: dict[str, Any],
    X: np.ndarray | None,
    y: np.ndarray | None,
    watched: np.ndarray | None,
) -> None:
    interrupt(path, 4)
    given = data()
    X, y = given[0] if X is None else X, given[1] if y is None else y
    monitor = {"test": given[0][:6] if watched is None else watched}
    with monkeypatch.context() as patch:
        count = Epochs(patch)
        resumed = model(path).set_params(**params).fit(X, y, monitor=monitor)
    assert count.trained[0] == 0
    expected = model().set_params(**params).fit(X, y, monitor=monitor)
    assert state_of(resumed) == state_of(expected)


def damaged(data: bytes, how: str) -> bytes:
    if how in ("empty", "half"):
        return b"" if how == "empty" else data[: len(data) // 2]
    content = bytearray(data)
    content[int(float(how) * (len(data) - 1))] ^= 4
    return bytes(content)


@pytest.mark.parametrize("how", ["empty", "half", "0.0", "0.3", "0.5", "0.7", "1.0"])
def test_a_damaged_state_is_named_and_ignored(path: Path, undisturbed: dict[str, bytes], how: str) -> None:
    X, y = data()
    interrupt(path, 4)
    path.write_bytes(damaged(path.read_bytes(), how))
    with pytest.warns(UserWarning, match="fold.checkpoint: damaged checkpoint ignored"):
        fitted = model(path).fit(X, y, monitor={"test": X[:6]})
    assert state_of(fitted) == undisturbed
    assert not path.exists()


def test_every_flipped_bit_is_noticed(path: Path) -> None:
    checkpoint = Checkpoint(path, key="k")
    checkpoint.save({"tensor": torch.arange(4.0)})
    whole = path.read_bytes()
    for position in range(0, len(whole), 7):
        content = bytearray(whole)
        content[position] ^= 1
        path.write_bytes(bytes(content))
        with pytest.warns(UserWarning, match="damaged"):
            assert checkpoint.load() is None


def test_what_is_saved_is_loaded_under_its_own_key_alone(path: Path) -> None:
    assert Checkpoint(path, "k").load() is None
    Checkpoint(path, "k").save({"tensor": torch.arange(4.0), "history": {"loss": [0.1]}})
    state = Checkpoint(path, "k").load()
    assert state is not None
    assert torch.equal(state["tensor"], torch.arange(4.0))
    assert state["history"] == {"loss": [0.1]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Checkpoint(path, "other").load() is None
    Checkpoint(path, "k").remove()
    Checkpoint(path, "k").remove()
    assert not path.exists()


def test_a_full_disk_is_named_and_stops_no_training(
    path: Path, undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    X, y = data()
    monkeypatch.setattr(atomic, "write_bytes", full)
    with pytest.warns(UserWarning, match=r"checkpoint not written \(No space left on device\)"):
        fitted = model(path).fit(X, y, monitor={"test": X[:6]})
    assert state_of(fitted) == undisturbed


def test_a_network_without_a_lasting_name_cannot_have_a_checkpoint(path: Path) -> None:
    with pytest.raises(ParameterError, match=r"got .*<lambda>"):
        model(path).set_params(module=lambda: build("ststnet")).fit(*data())
