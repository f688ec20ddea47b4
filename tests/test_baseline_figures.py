"""Figures and tables about many methods at once, against counts and samples known beforehand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from mer_lib.errors import ParameterError
from mer_lib.models import build
from mer_lib.papers.experiments import experiment
from mer_lib.plots import baselines
from mer_lib.report.network_stages import stage_table


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for ax in figure.axes for text in ax.texts]


# -- where the parameters are ---------------------------------------------------------------------


def test_parameters_by_kind_by_hand() -> None:
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3, 4))
    assert baselines.parameters_by_kind(network) == {"convolution": 57, "dense": 16, "rest": 6}


def test_bars_are_shares_and_the_counts_are_written_beside_them() -> None:
    figure = baselines.where_parameters_are(["ststnet", "rcn"])
    (ax,) = figure.axes
    assert texts(figure) == ["1,683", "15,235"]
    widths = np.array([bar.get_width() for bar in ax.patches]).reshape(2, 3)
    np.testing.assert_allclose(widths.sum(axis=1), 100)
    np.testing.assert_allclose(widths[1, 0], 100 * 12_640 / 15_235)
    with pytest.raises(ParameterError, match="unknown model"):
        baselines.where_parameters_are(["rnc"])


def test_scores_stand_over_the_parameters_of_the_networks_as_run() -> None:
    settings = experiment("lab.flow_map_networks").settings("smoke")
    variants = {label: settings[label] for label in ("linear SVM", "STSTNet", "RCN")}
    rows = [
        {
            "variant": label,
            "metric": "uf1",
            "protocol": "fixed",
            "subset": "full",
            "value": v,
            "low": v - 0.1,
            "high": v,
        }
        for label, v in zip(variants, (0.3, 0.5, 0.7), strict=True)
    ]
    one: Any = SimpleNamespace(
        variants=variants, scores=pd.DataFrame(rows), caption="", dataset=SimpleNamespace(kind="real")
    )
    (ax,) = baselines.score_by_parameters(one).axes
    points = {bar.get_label(): bar.lines[0].get_xydata()[0].tolist() for bar in ax.containers}
    assert points == {"STSTNet": [1683, 0.5], "RCN": [787, 0.7]}
    (line,) = [line for line in ax.lines if str(line.get_label()).startswith("linear SVM")]
    assert set(line.get_ydata()) == {0.3}
    assert not [label for label in ax.get_xticklabels() if "$" in label.get_text()]  # no formula that nobody sets


# -- who is right ---------------------------------------------------------------------------------

CLASSES = ("negative", "positive")
TRUTH = {"a/1/x": 0, "a/1/y": 0, "a/2/z": 1}
NAMES = {"class prior": "dummy"}


def predictions(*seeds: dict[str, int]) -> pd.DataFrame:
    """Return a frame of the classes that each seed predicts."""
    rows = [
        {"sample_id": name, "seed": seed, "y_true": TRUTH[name], "p_negative": 1.0 - said, "p_positive": float(said)}
        for seed, one in enumerate(seeds)
        for name, said in one.items()
    ]
    return pd.DataFrame(rows)


def measurement(**frames: pd.DataFrame) -> Any:
    return SimpleNamespace(
        variants={label: SimpleNamespace(model=SimpleNamespace(name=NAMES.get(label, "rcn"))) for label in frames},
        predictions={(label, "fixed"): frame for label, frame in frames.items()},
        classes=dict.fromkeys(frames, CLASSES),
        caption="made for a test",
        dataset=SimpleNamespace(kind="toy"),
    )


def test_shares_of_seeds_that_are_right() -> None:
    always = predictions({"a/1/x": 0, "a/1/y": 0, "a/2/z": 1})
    shuffled = predictions({"a/2/z": 0, "a/1/y": 0, "a/1/x": 1}, {"a/1/x": 1, "a/1/y": 0, "a/2/z": 1})
    shares = baselines.right_shares(measurement(always=always, mixed=shuffled))
    assert list(shares.columns) == [("negative", "a/1/y"), ("negative", "a/1/x"), ("positive", "a/2/z")]
    assert shares.loc["always"].tolist() == [1, 1, 1]
    assert shares.loc["mixed"].tolist() == [1, 0, 0.5]


def test_a_guess_hides_no_sample_that_every_method_gets_wrong() -> None:
    wrong, guess = predictions(dict.fromkeys(TRUTH, 1)), predictions(dict.fromkeys(TRUTH, 0))
    shares = baselines.right_shares(measurement(**{"class prior": guess, "wrong": wrong}))
    assert list(shares.index) == ["wrong"]
    assert shares.loc["wrong", "negative"].tolist() == [0, 0]


def test_right_and_wrong_names_classes_and_methods() -> None:
    one = measurement(guess=predictions(dict.fromkeys(TRUTH, 0)))
    figure = baselines.right_and_wrong(one)
    assert {"negative", "positive"} <= set(texts(figure))
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), [[1, 1, 0]])
    one.classes["other"] = ("happiness",)
    with pytest.raises(ParameterError, match="same classes"):
        baselines.right_and_wrong(one)


# -- what they rest on ----------------------------------------------------------------------------


class Corner:
    """Says class 1 as surely as the upper left corner is bright."""

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        share = X[:, :, :7, :7].mean(axis=(1, 2, 3))
        return np.stack([1 - share, share], axis=1)


def test_a_method_rests_on_the_corner_that_it_reads() -> None:
    fitted: Any = SimpleNamespace(estimator=Corner(), X_test=np.zeros((3, 3, 28, 28), np.float32))
    fitted.X_test[:, :, :7, :7] = 1
    figure = baselines.rests_on({"corner": fitted}, "made for a test", "toy", size=7, stride=7)
    fall = np.asarray(figure.axes[0].images[0].get_array())
    assert fall[:7, :7].min() > 0.5
    assert abs(fall[7:, 7:]).max() < 1e-6


def test_attention_of_one_sample_a_class() -> None:
    network = build("rcn", width=4).eval()
    fitted: Any = SimpleNamespace(
        network=network,
        inputs_test=torch.randn(5, 3, 28, 28),
        y_test=np.array([2, 2, 0, 0, 2]),
        classes=("a", "b", "c"),
    )
    figure = baselines.attention_of_samples(fitted, "made for a test", "toy")
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles[:2] == ["true: a", "true: c"]
    assert "standard deviation" in titles[2]
    shown = np.asarray(figure.axes[0].images[0].get_array())
    assert shown.mean() == pytest.approx(1, abs=1e-4)  # an even share is 1


# -- stages ---------------------------------------------------------------------------------------


class Twice(nn.Module):
    """Uses one layer twice, and holds others in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.ends = nn.ModuleList([nn.Linear(4, 2), nn.Sequential(nn.Linear(2, 3), nn.ReLU())])
        self.again = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.again(self.again(x))
        for end in self.ends:
            x = end(x)
        return x


def test_stages_come_in_the_order_of_their_use_with_counts() -> None:
    network = Twice().train()
    table = stage_table(network, torch.zeros(5, 4))
    assert table.to_dict("list") == {
        "stage": ["again", "ends.0", "ends.1"],
        "kind": ["Linear", "Linear", "Sequential"],
        "output": ["4", "2", "3"],
        "parameters": [20, 10, 9],
        "used": [2, 1, 1],
    }
    assert stage_table(network, torch.zeros(5, 4), depth=2)["stage"].tolist() == [
        "again",
        "ends.0",
        "ends.1.0",
        "ends.1.1",
    ]
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())
    with pytest.raises(ParameterError, match="depth"):
        stage_table(network, torch.zeros(5, 4), depth=0)


def test_rcn_passes_its_recurrent_convolution_once_a_step() -> None:
    table = stage_table(build("rcn", width=4, steps=3), torch.zeros(1, 3, 28, 28), depth=3).set_index("stage")
    assert table.loc["recurrent.0.recurrent_conv", "used"] == 3
