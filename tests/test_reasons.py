"""What changed is computed again and nothing else, and it is said why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mer_lib.evaluation import code_version as code
from mer_lib.evaluation import jobs
from mer_lib.evaluation.crossval import Job, plan, run
from mer_lib.evaluation.reasons import NEVER, why
from mer_lib.evaluation.store import PredictionStore
from tests.helpers import N_SUBJECTS, copied_package, job, toy, variant, with_pixels


def forget() -> None:
    for known in (code.code_version, code.code_files, code.file_digest):
        known.cache_clear()


@pytest.fixture
def edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Alter a file of a copy of the package, and have this process see it as its own from now on."""
    root = copied_package(tmp_path)
    monkeypatch.setattr(code, "PACKAGE", root)

    def alter(file: str) -> None:
        with (root / file).open("a") as stream:
            stream.write("\nADDED = 1\n")
        forget()

    forget()
    yield alter
    forget()


@pytest.fixture
def store(tmp_path: Path) -> PredictionStore:
    return PredictionStore(tmp_path / "store")


def experiment(profile: str = "quick", data: object = None, epochs: int = 1, **params: object) -> list[Job]:
    """Three methods, as an experiment names them: the first has a parameter to change."""
    network = variant(epochs=epochs, split={"kind": "kfold", "folds": 2})
    svm = variant("linear_svm", split={"kind": "kfold", "folds": 2})
    svm = svm.model_copy(update={"model": svm.model.model_copy(update={"params": params})})
    prior = variant("dummy", split={"kind": "kfold", "folds": 2})
    named = {"STSTNet": network, "SVM": svm, "prior": prior}
    return [Job(f"toy.table1 {label}", each, data or toy(), 0, profile) for label, each in named.items()]


def reasons(asked: list[Job], store: PredictionStore) -> dict[str, str]:
    """What is said of each variant's first fold, those that are there left out."""
    described = store.descriptions()
    told = {each.label.split(" ", 1)[1]: why(each, store, 0, described) for each in asked}
    assert {name: why(each, store, 0) for name, each in zip(told, asked, strict=True)} == told
    return {name: words for name, words in told.items() if words}


def computed(asked: list[Job], store: PredictionStore) -> dict[str, int]:
    """How many folds of each variant a run would compute."""
    tasks, _ = plan(asked, store)
    labels = [task.job_label.split(" ", 1)[1] for task in tasks]
    return {label: labels.count(label) for label in dict.fromkeys(labels)}


def test_only_the_variant_whose_parameter_changed_is_computed_again(store: PredictionStore) -> None:
    first = experiment()
    assert reasons(first, store) == dict.fromkeys(("STSTNet", "SVM", "prior"), NEVER)
    run(first, store, device="cpu")
    assert reasons(first, store) == {}

    shorter = experiment(epochs=2)
    assert computed(shorter, store) == {"STSTNet": 2}
    assert reasons(shorter, store) == {"STSTNet": "parameter changed: training.epochs 1 → 2"}
    softer = experiment(C=0.5)
    assert computed(softer, store) == {"SVM": 2}
    assert reasons(softer, store) == {"SVM": "parameter changed: model.params.C — → 0.5"}

    run(shorter, store, device="cpu")
    assert reasons(experiment(epochs=3), store) == {"STSTNet": "parameter changed: training.epochs 2 → 3"}
    assert computed(first, store) == {}  # and back again costs nothing


def test_a_larger_profile_is_no_changed_parameter(store: PredictionStore) -> None:
    run(experiment(), store, device="cpu")
    assert reasons(experiment("paper", epochs=2), store) == {"STSTNet": NEVER}


def test_only_what_depends_on_a_changed_file_is_computed_again(
    store: PredictionStore, edit: Callable[[str], None]
) -> None:
    run(experiment(), store, device="cpu")
    edit("models/ststnet.py")
    assert computed(experiment(), store) == {"STSTNet": 2}
    assert reasons(experiment(), store) == {"STSTNet": "code changed: models/ststnet.py"}
    edit("handcrafted/linear_svm.py")
    edit("papers/measure.py")
    changed = experiment()
    assert computed(changed, store) == dict.fromkeys(("STSTNet", "SVM", "prior"), 2)
    assert reasons(changed, store) == {
        "STSTNet": "code changed: handcrafted/linear_svm.py, models/ststnet.py",
        "SVM": "code changed: handcrafted/linear_svm.py",
        "prior": "code changed: handcrafted/linear_svm.py",
    }


def other_pixels() -> np.ndarray:
    pixels = toy().maps()
    pixels[3, 2, 1, 0] ^= 1
    return pixels


def test_changed_data_are_told_from_other_data(store: PredictionStore) -> None:
    run(experiment(), store, device="cpu")
    changed = with_pixels(toy(), other_pixels())
    assert set(reasons(experiment(data=changed), store).values()) == {"data changed"}
    assert set(reasons(experiment(data=replace(changed, name="others")), store).values()) == {NEVER}


def test_weights_that_arrived_are_said(store: PredictionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = experiment()
    run(asked, store, device="cpu")
    monkeypatch.setattr(jobs, "weights_stamp", lambda variant: "imagenet:1234")
    monkeypatch.setattr("mer_lib.evaluation.description.weights_stamp", lambda variant: "imagenet:1234")
    assert set(reasons(experiment(), store).values()) == {"weights arrived"}


def test_what_failed_or_is_damaged_is_said_first(store: PredictionStore) -> None:
    asked = experiment()
    run(asked, store, device="cpu")
    network, svm, prior = asked
    store.path(network.address, 0, 0).write_bytes(b"half")
    store.path(svm.address, 0, 0).unlink()
    store.fail(svm.address, 0, 0, "Traceback (most recent call last):\n  …\nMemoryError: 3 GiB\n")
    result = store.read(prior.address, 0, 0)
    store.write(prior.address, 0, 0, replace(result, metadata={**result.metadata, "fitted_on": []}))
    assert reasons(asked, store) == {
        "STSTNet": "damaged",
        "SVM": "failed before: MemoryError: 3 GiB",
        "prior": "made with another split",
    }


def test_the_rest_of_a_run_that_was_stopped_has_the_reason_of_its_beginning(store: PredictionStore) -> None:
    run(experiment(), store, device="cpu")
    again = experiment(epochs=2)
    run(again, store, device="cpu")
    store.path(again[0].address, 1, 0).unlink()
    assert why(again[0], store, 0) == ""
    assert why(again[0], store, 1) == "parameter changed: training.epochs 1 → 2"


def test_many_differences_are_counted(store: PredictionStore) -> None:
    old = job("dummy")
    run([old], store)
    many = {"epochs": 7, "batch_size": 3, "learning_rate": 0.5, "momentum": 0.5, "weight_decay": 0.1, "shuffle": False}
    other = old.variant.model_copy(update={"training": old.variant.training.model_copy(update=many)})
    words = why(Job(old.label, other, toy()), store, N_SUBJECTS - 1)
    assert words.startswith("parameter changed: training.batch_size 256 → 3, training.epochs 100 → 7, ")
    assert words.endswith(" and 2 more")
