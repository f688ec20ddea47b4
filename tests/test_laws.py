"""The laws of the design, held over the whole chain: data, features, split, store, epoch, score."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

from mer_lib.datasets import CLASSES, FlowMapDataset, load
from mer_lib.evaluation import methods
from mer_lib.evaluation.audit import audit
from mer_lib.evaluation.crossval import Job, choose_folds, read_folds, run
from mer_lib.evaluation.frames import probability_columns
from mer_lib.evaluation.metrics import score_by_dataset
from mer_lib.evaluation.store import FoldResult, PredictionStore
from mer_lib.evaluation.variant import Variant, fold_seed
from mer_lib.features import compute
from tests.helpers import (
    N_SUBJECTS,
    Oracle,
    fold_bytes,
    job,
    oracle_probability,
    readable,
    shuffled,
    toy,
    variant,
    with_pixels,
)

SPLITS = [
    {"kind": "loso"},
    {"kind": "loso", "inner_fraction": 0.25},
    {"kind": "kfold", "folds": 3},
    {"kind": "kfold", "folds": 3, "inner_fraction": 0.25},
]


@pytest.fixture
def store(tmp_path: Path) -> PredictionStore:
    return PredictionStore(tmp_path / "store")


@pytest.fixture
def _oracle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(methods.PLAIN, "oracle", Oracle)


def numbers_of(dataset: FlowMapDataset) -> dict[str, int]:
    """The number that each sample's map carries in its corner."""
    ids = dataset.samples["sample_id"].tolist()
    return dict(zip(ids, dataset.maps(ids)[:, 0, 1, 0].tolist(), strict=True))


# Law 1: sample_id joins everything


@pytest.mark.usefixtures("_oracle")
@pytest.mark.parametrize("split", SPLITS, ids=str)
@pytest.mark.parametrize("order", [None, 1, 2], ids=["sorted", "shuffled", "shuffled otherwise"])
def test_a_perfect_oracle_scores_one(store: PredictionStore, split: dict[str, object], order: int | None) -> None:
    dataset = readable() if order is None else shuffled(readable(), order)
    perfect = job("oracle", dataset=dataset, split=split)
    run([perfect], store)
    folds = read_folds(perfect, store)
    assert audit("oracle", folds, dataset).passed
    for protocol in ("fixed", "nested", "published"):
        chosen = choose_folds(folds, protocol)
        scores = score_by_dataset(chosen)
        assert list(scores) == ["full", "toya", "toyb", "toyc"]
        for score in scores.values():
            assert (score.uf1, score.uar, score.accuracy, score.auc_micro) == (1, 1, 1, 1)
        assert (scores["full"].n, scores["full"].n_subjects) == (48, N_SUBJECTS)


@pytest.mark.usefixtures("_oracle")
def test_every_prediction_is_that_of_its_own_sample(store: PredictionStore) -> None:
    """Not merely of a sample of the same class: each one's probability is its own."""
    dataset = shuffled(readable())
    perfect = job("oracle", dataset=dataset, split={"kind": "loso", "inner_fraction": 0.25})
    run([perfect], store)
    number = numbers_of(readable())
    for fold in read_folds(perfect, store):
        rows = fold.predictions
        expected = oracle_probability(rows["sample_id"].map(number).to_numpy())
        proba = rows[probability_columns(CLASSES)].to_numpy()
        np.testing.assert_array_equal(proba[np.arange(len(rows)), rows["y_true"]], expected)
        truth = readable().labels(rows["sample_id"].tolist())
        np.testing.assert_array_equal(rows["y_true"], truth)


@pytest.mark.usefixtures("_oracle")
def test_subjects_whose_ids_collide_are_tested_apart(store: PredictionStore) -> None:
    ids = readable().samples.groupby("subject")["dataset"].nunique()
    assert ids["01"] == 3
    perfect = job("oracle", dataset=shuffled(readable()))
    run([perfect], store)
    folds = read_folds(perfect, store)
    assert len(folds) == N_SUBJECTS
    for fold in folds:
        tested = fold.predictions["sample_id"].str.rsplit("/", n=1).str[0].unique()
        assert tested.tolist() == [fold.metadata["name"]]


@pytest.mark.usefixtures("_oracle")
def test_a_perfect_oracle_scores_one_on_the_real_maps(store: PredictionStore, real_root: Path) -> None:
    real = load("megc2019_flow", real_root)
    pixels = real.maps()
    pixels[:, 0, 0, 0] = real.labels()
    pixels[:, 0, 1, 0] = np.arange(len(pixels)) % 256
    dataset = shuffled(with_pixels(real, pixels))
    perfect = job("oracle", dataset=dataset)
    run([perfect], store)
    folds = read_folds(perfect, store)
    assert len(folds) == 68
    assert audit("oracle", folds, real).passed
    scores = score_by_dataset(choose_folds(folds, "fixed"))
    assert {name: (score.n, score.uf1) for name, score in scores.items()} == {
        "full": (442, 1),
        "casme2": (145, 1),
        "samm": (133, 1),
        "smic": (164, 1),
    }


@pytest.mark.parametrize("model", ["ststnet", "linear_svm", "dummy"])
def test_the_order_of_rows_changes_no_byte(store: PredictionStore, tmp_path: Path, model: str) -> None:
    other = PredictionStore(tmp_path / "other")
    split = {"kind": "kfold", "folds": 3, "inner_fraction": 0.25}
    run([job(model, split=split)], store)
    run([job(model, split=split, dataset=shuffled(toy()))], other)
    assert fold_bytes(store) == fold_bytes(other)


def test_a_samples_table_that_is_sorted_later_does_not_part_maps_from_ids(store: PredictionStore) -> None:
    dataset = shuffled(toy())
    resorted = shuffled(toy())
    resorted.samples.sort_values("label3", inplace=True)
    first, second = (job("linear_svm", dataset=one) for one in (dataset, resorted))
    assert first.address == second.address
    run([first], store)
    before = fold_bytes(store)
    for file in store.root.rglob("*.parquet"):
        file.unlink()
    run([second], store)
    assert fold_bytes(store) == before


# Law 2: predictions are the truth, scores are views of them


def test_scores_follow_from_the_stored_files_alone(store: PredictionStore) -> None:
    svm = job("linear_svm")
    run([svm], store)
    rows = pd.concat([pd.read_parquet(file) for file in store.root.rglob("*.parquet")])
    guess = rows[["p_negative", "p_positive", "p_surprise"]].to_numpy().argmax(1)
    score = score_by_dataset(choose_folds(read_folds(svm, store), "fixed"))["full"]
    assert score.uf1 == pytest.approx(f1_score(rows["y_true"], guess, average="macro"))
    assert score.uar == pytest.approx(recall_score(rows["y_true"], guess, average="macro"))
    assert score.accuracy == pytest.approx(accuracy_score(rows["y_true"], guess))


def test_every_epoch_of_every_role_is_stored(store: PredictionStore) -> None:
    network = job(epochs=3, split={"kind": "loso", "inner_fraction": 0.25})
    run([network], store)
    for fold, split in zip(read_folds(network, store), network.splits, strict=True):
        rows = fold.predictions
        for epoch in (1, 2, 3):
            part = rows[rows["epoch"] == epoch]
            assert part.loc[part["role"] == "test", "sample_id"].tolist() == list(split.test)
            assert part.loc[part["role"] == "inner", "sample_id"].tolist() == list(split.inner)
        assert (rows["fold"].unique().tolist(), rows["seed"].unique().tolist()) == ([split.fold], [0])


def test_stored_probabilities_are_those_of_a_network_trained_that_long(store: PredictionStore) -> None:
    """Each row is that of its own sample and epoch, and no epoch count changes what came before."""
    network = job(epochs=3)
    object.__setattr__(network, "splits", network.splits[2:3])
    run([network], store)
    rows, split = store.read(network.address, 2, 0).predictions, network.splits[0]
    label = dict(zip(toy().samples["sample_id"], toy().labels(), strict=True))
    train = sorted(split.train, key=lambda name: (label[name], name))
    for epoch in (1, 2, 3):
        model = methods.make_estimator(network.variant, seed=fold_seed(network.variant, 2, 0), device="cpu")
        model.set_params(epochs=epoch).fit(compute(network.variant.features, toy(), train), toy().labels(train))
        part = rows[rows["epoch"] == epoch]
        expected = model.predict_proba(compute(network.variant.features, toy(), part["sample_id"].tolist()))
        np.testing.assert_array_equal(part[probability_columns(CLASSES)].to_numpy(), expected)


# Law 5: no leakage, three protocols out of one training


@lru_cache
def noisy_folds() -> list[FoldResult]:
    """A network on maps that say nothing of their class: whatever beats chance was chosen on the test subject."""
    pixels = np.random.default_rng(0).integers(0, 256, toy().pixels.shape, dtype=np.uint8)
    split = {"kind": "loso", "inner_fraction": 0.25}
    noisy = job(epochs=12, learning_rate=5e-3, split=split, dataset=with_pixels(toy(), pixels))
    with TemporaryDirectory() as folder:
        run([noisy], PredictionStore(Path(folder)))
        return read_folds(noisy, PredictionStore(Path(folder)))


def test_only_the_published_protocol_finds_something_where_nothing_is() -> None:
    folds = noisy_folds()
    uf1 = {name: score_by_dataset(choose_folds(folds, name))["full"].uf1 for name in ("fixed", "nested", "published")}
    assert uf1["fixed"] < 0.5
    assert uf1["nested"] < 0.5
    assert uf1["published"] > max(uf1["fixed"], uf1["nested"]) + 0.1


def test_honest_epochs_do_not_hang_on_the_test_subjects_labels() -> None:
    folds = noisy_folds()
    shifted = [
        replace(
            fold,
            predictions=fold.predictions.assign(
                y_true=fold.predictions["y_true"].where(
                    fold.predictions["role"] != "test", (fold.predictions["y_true"] + 1) % 3
                )
            ),
        )
        for fold in folds
    ]
    for protocol in ("fixed", "nested"):
        kept, moved = (choose_folds(each, protocol) for each in (folds, shifted))
        pd.testing.assert_frame_equal(kept.drop(columns="y_true"), moved.drop(columns="y_true"))
    kept, moved = (choose_folds(each, "published") for each in (folds, shifted))
    assert kept["epoch"].tolist() != moved["epoch"].tolist()


def test_the_test_subject_changes_nothing_of_what_is_learned(store: PredictionStore, tmp_path: Path) -> None:
    """The subject's maps are replaced and its labels exchanged: other subjects' predictions of that fold must stay."""
    subject = "toya/01"
    ids = toy().samples["sample_id"].tolist()
    own = np.array([name.startswith(subject + "/") for name in ids])
    pixels = toy().maps(ids)
    pixels[own] = 255 - pixels[own]
    labels = (
        toy()
        .samples["label3"]
        .where(
            ~own, toy().samples["label3"].map({"negative": "positive", "positive": "surprise", "surprise": "negative"})
        )
    )
    spoiled = replace(toy(), samples=toy().samples.assign(label3=labels), pixels=pixels)
    split = {"kind": "loso", "inner_fraction": 0.25}
    clean_job, spoiled_job = job(split=split), job(split=split, dataset=spoiled)
    assert clean_job.address != spoiled_job.address
    kept = []
    for one in (clean_job, spoiled_job):
        object.__setattr__(one, "splits", clean_job.splits[:1])
        run([one], store)
        fold = store.read(one.address, 0, 0)
        assert fold.metadata["name"] == subject
        kept.append((fold.predictions.query("role == 'inner'").reset_index(drop=True), fold.metadata["history"]))
    pd.testing.assert_frame_equal(kept[0][0], kept[1][0])
    assert kept[0][1] == kept[1][1]


# Law 3: an address is shared by whatever would give the same result, and by nothing else


def test_an_address_names_variant_data_and_code() -> None:
    base = job()
    assert base.address == Job("another name", variant(), shuffled(toy()), seed=5).address
    pixels = toy().maps()
    pixels[0, 27, 27, 2] ^= 1
    assert base.address != job(dataset=with_pixels(toy(), pixels)).address
    assert base.address != job(epochs=3).address
    relabelled = toy().samples.assign(label3=toy().samples["label3"].replace("surprise", "positive"))
    assert base.address != job(dataset=replace(toy(), samples=relabelled)).address


def test_a_variant_read_back_from_its_folder_has_the_same_address(store: PredictionStore) -> None:
    run([job("dummy")], store)
    content = json.loads((store.folder(job("dummy").address) / "variant.json").read_text())
    again = Job("again", Variant.model_validate(content["variant"]), toy())
    assert again.address == job("dummy").address
