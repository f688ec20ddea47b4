"""What notebook 11 shows: figures of capsules, and costs of networks."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from mer_lib.datasets.clips import ClipDataset
from mer_lib.evaluation.fitted import Fitted
from mer_lib.evaluation.splits import Split
from mer_lib.evaluation.variant import Variant
from mer_lib.models.capsulenet import INFO
from mer_lib.papers.experiments import experiments
from mer_lib.plots import capsules, face_pictures
from mer_lib.plots.style import pixels
from mer_lib.report.cost import cost_table
from mer_lib.training.augmentation import FaceAugmentation
from mer_lib.training.estimator import TorchClassifier
from tests.feature_clips import clips_of, renderer, with_rows

SHAPE = (1, 48, 48)


# -- figures ----------------------------------------------------------------------------------------------------------


def words(figure) -> str:
    texts = [text.get_text() for ax in figure.axes for text in (*ax.texts, ax.title, ax.xaxis.label, ax.yaxis.label)]
    return " | ".join([*texts, *(text.get_text() for text in figure.texts), figure.get_supxlabel()])


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(9, *SHAPE)).astype(np.float32) * 20
    y = np.arange(9) % 3
    features = {"recipe": "apex_face", "size": 48, "grey": True, "frame": "difference"}
    params = {**INFO.small, "channels": 1}
    variant = Variant.model_validate(
        {"features": features, "model": {"name": "capsulenet", "params": params}, "training": {"epochs": 1}}
    )
    module = lambda: INFO.factory(**params)  # noqa: E731
    estimator = TorchClassifier(module, classes=(0, 1, 2), epochs=1, loss="margin", device="cpu").fit(X, y)
    ids = tuple(f"drawn/s01/c{i}" for i in range(9))
    return Fitted(
        variant=variant,
        split=Split(0, "drawn/s01", (), ids, ()),
        estimator=estimator,
        classes=("negative", "positive", "surprise"),
        test_ids=ids,
        X_test=X,
        y_test=y,
        proba=estimator.predict_proba(X),
    )


def test_one_sample_is_shown_at_every_stage(fitted):
    figure = capsules.through_the_network(fitted, 4, kind="synthetic", text="drawn")
    said = words(figure)
    for part in ("layer1", "layer3", "convolution", "primary capsules", "4 types, 2×2 places", "true: positive"):
        assert part in said
    assert "drawn/s01/c4" in said
    assert "SYNTHETIC" in said
    bars = [bar.get_width() for bar in figure.axes[-1].patches]
    lengths = fitted.network(fitted.inputs_test[4:5])[0]
    assert bars == pytest.approx(lengths.tolist())


def test_votes_are_drawn_with_the_lengths_they_make(fitted):
    figure = capsules.votes(fitted, [0, 5])
    lengths = fitted.network(fitted.inputs_test[[0, 5]]).detach()
    for row, name in itertools.product(range(2), range(3)):
        assert f"{fitted.classes[name]}: {float(lengths[row, name]):.2f}" in words(figure)


def test_routing_quiets_the_strays():
    said = words(capsules.routing(iterations=3, astray=2))
    assert "shares 0.50 to 0.50" in said
    steps = [capsules._route(capsules._said(2), count) for count in (1, 3)]
    strays = [step.coupling[-1, 0, :2, 0].mean().item() for step in steps]
    agreeing = [step.coupling[-1, 0, 2:, 0].mean().item() for step in steps]
    assert strays[1] < strays[0] == pytest.approx(0.5) == agreeing[0] < agreeing[1]
    lengths = steps[1].capsules.norm(dim=-1)[0]
    assert lengths[0] > 0.9
    assert lengths[1] < 0.1


def test_a_softmax_of_a_softmax_has_a_floor():
    perfect = torch.tensor([[100.0, 0.0, 0.0]]).softmax(1).log_softmax(1)[0, 0].neg().item()
    assert f"never below {perfect:.2f}" in words(capsules.softmax_twice())
    assert pixels(capsules.squashing((0.99, 0.01))).std() > 0


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> ClipDataset:
    return clips_of(tmp_path_factory.mktemp("clips"), smile=renderer(), still=renderer({}, curve=np.zeros(9)))


def test_pictures_of_clips(clips, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("MER_CACHE", str(tmp_path))
    clips = with_rows(clips, label3=["positive", "negative"])
    ids = face_pictures.one_of_each_class(clips, 1)
    assert sorted(ids) == ["drawn/s01/smile", "drawn/s01/still"]
    figure = face_pictures.onset_apex_difference(clips, ids, size=48)
    change = {ids[i]: figure.axes[2 * len(ids) + i].images[0].get_array().data for i in range(2)}
    moved = {name: float(np.abs(values[8:32, 8:40]).mean()) for name, values in change.items()}
    assert moved["drawn/s01/smile"] > moved["drawn/s01/still"]
    assert [figure.axes[i].get_title() for i in range(2)] == ["negative", "positive"]
    ways = {"plain": FaceAugmentation(), "mirror": FaceAugmentation(mirror=1.0, rotation=0.0)}
    assert len(face_pictures.augmented(clips, ids[0], ways, count=3).axes) == 6


# -- costs ------------------------------------------------------------------------------------------------


def test_costs_are_those_of_the_layers():
    sizes = {"full": ("resnet18", {}), "capsules": ("capsulenet", {})}
    table = cost_table(sizes).set_index("network")
    assert table.loc["capsules", "parameters"] == 13_842_496
    # 20x20 places, 256 x 256 channels, 9x9: the convolution behind the front alone.
    assert table.loc["capsules", "multiplications"] > 20 * 20 * 256 * 256 * 81
    small = cost_table({"one": ("alexnet", {"image_size": 64, "width": 2})})
    assert small["multiplications"].item() == sum(
        (
            15**2 * 2 * 3 * 11**2,
            7**2 * 6 * 2 * 5**2,
            3**2 * 12 * 6 * 3**2,
            3**2 * 8 * 12 * 3**2,
            3**2 * 8 * 8 * 3**2,
            36 * 8 * 128 + 128 * 128 + 128 * 3,
        )
    )


# -- experiments ------------------------------------------------------------------------------------------------------


def test_the_control_differs_by_its_frame_alone():
    controls = experiments()["capsulenet.controls"]
    for profile in ("smoke", "quick", "paper"):
        onset, apex = (
            controls.variant(label, profile) for label in ("CapsuleNet, onset (control)", "CapsuleNet, apex")
        )
        assert onset.features.frame == "onset"
        assert onset == apex.model_copy(update={"features": apex.features.model_copy(update={"frame": "onset"})})


def test_the_paper_profile_is_the_published_setting():
    setting = experiments()["capsulenet.table2"].variant("CapsuleNet", "paper")
    assert setting == experiments()["capsulenet.controls"].variant("CapsuleNet, apex", "paper")
    assert setting.features.sample_shape == (3, 224, 224)
    assert (setting.features.neighbours, setting.training.sampling) == (4, "neighbours")
    training = setting.training
    assert (training.epochs, training.learning_rate, training.gamma) == (20, 1e-4, 0.9)
    assert (training.loss, training.margins) == ("margin", (0.9, 0.1))
    with torch.device("meta"):
        network = INFO.factory(**setting.model.params)
    frozen = [name for name, _ in network.named_parameters() if name.startswith(tuple(training.freeze))]
    assert frozen == [name for name, _ in network.named_parameters()][:15]
