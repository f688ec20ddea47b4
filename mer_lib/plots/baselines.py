"""Figures about many methods at once: where their parameters are, what they score with them, who is wrong with whom."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import nn

from mer_lib.datasets.maps import CONSTANT_POINTS, MAP_SIZE
from mer_lib.errors import ParameterError
from mer_lib.evaluation.fitted import Fitted
from mer_lib.evaluation.frames import classes_of, predicted_classes
from mer_lib.evaluation.methods import is_network
from mer_lib.explanations import attention_image, occlusion
from mer_lib.manifest import Kind
from mer_lib.models import build, model_info, parameters_of
from mer_lib.papers.measure import Measurement
from mer_lib.plots.scores import scores_of
from mer_lib.plots.style import caption, metric_label, panels, sign, styled, variant_colours

#: Kinds of parameters, in the order of the bars.
KINDS = {"convolution": "#332288", "dense": "#DDCC77", "rest": "#999999"}


@styled
def where_parameters_are(names: Sequence[str]) -> Figure:
    """Draw for each network which share of its parameters is in convolutions, dense layers and the rest.

    Args:
        names: of the registry; networks are counted at their default sizes, without weights.

    Raises:
        ParameterError: a name is unknown.
    """
    networks = {model_info(name).title: _outline(name) for name in names}
    figure, ((ax,),) = panels(width=12, height=2.0 + 0.6 * len(networks))
    for row, network in enumerate(networks.values()):
        counts = parameters_by_kind(network)
        total, left = sum(counts.values()), 0.0
        for kind, colour in KINDS.items():
            share = 100 * counts[kind] / total
            ax.barh(row, share, left=left, color=colour, height=0.66, label=kind if row == 0 else None)
            left += share
        ax.annotate(f"{total:,}", (101, row), va="center", annotation_clip=False)
    ax.set_yticks(range(len(networks)), list(networks))
    ax.invert_yaxis()
    ax.set(xlim=(0, 100), xlabel="share of the network's parameters (%); at the right, how many there are")
    ax.set_title("Where the parameters are", loc="left")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower right", ncols=len(KINDS))
    return caption(figure, "networks at their published sizes; rest: normalisation, positions, class tokens")


def _outline(name: str) -> nn.Module:
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of attention: nothing is computed here
        return build(name)


def parameters_by_kind(network: nn.Module) -> dict[str, int]:
    """Return how many parameters are in convolutions, in dense layers and elsewhere, by the keys of :data:`KINDS`.

    >>> from mer_lib.models import build
    >>> parameters_by_kind(build("rcn"))
    {'convolution': 12640, 'dense': 2403, 'rest': 192}
    """
    convolution = _count(network, (nn.Conv1d, nn.Conv2d, nn.Conv3d))
    dense = _count(network, (nn.Linear,))
    total = sum(parameter.numel() for parameter in network.parameters())
    return {"convolution": convolution, "dense": dense, "rest": total - convolution - dense}


def _count(network: nn.Module, kinds: tuple[type[nn.Module], ...]) -> int:
    modules = (module for module in network.modules() if isinstance(module, kinds))
    return sum(parameter.numel() for module in modules for parameter in module.parameters(recurse=False))


@styled
def score_by_parameters(measurement: Measurement, metric: str = "uf1") -> Figure:
    """Draw each network's score over its number of parameters; methods that are no networks are lines.

    Args:
        measurement: of an experiment that compares methods.
        metric: "uf1" or "uar", which have intervals over subjects.
    """
    figure, ((ax,),) = panels(width=13, height=6.2)
    rows, colours = scores_of(measurement, metric), variant_colours(measurement.variants)
    markers = iter("osD^vP*Xp<>hd" * len(measurement.variants))
    for label, variant in measurement.variants.items():
        row = rows.loc[label]
        if is_network(variant):
            parameters = parameters_of(variant.model.name, **variant.model.params)
            _network(ax, label, parameters, row, colours[label], next(markers))
        else:
            ax.axhline(row["value"], color=colours[label], linestyle="--", label=f"{label}, no network")
            ax.axhspan(row["low"], row["high"], color=colours[label], alpha=0.1, linewidth=0)
    ax.set(xscale="log", xlabel="parameters of the network as run (log scale)", ylim=(0, 1))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.set_ylabel(f"{metric_label(metric)} (0 to 1), all data sets")
    ax.margins(x=0.12)
    ax.grid(axis="y")
    ax.set_title("Does a larger network score higher?", loc="left")
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0, title="line, band: 95 % interval")
    return sign(figure, measurement)


def _network(ax: Axes, label: str, parameters: int, row: Mapping[str, float], colour: str, marker: str) -> None:
    value = row["value"]
    # A percentile interval need not hold the score itself, and a bar of negative length cannot be drawn.
    reach = np.nan_to_num([[max(value - row["low"], 0)], [max(row["high"] - value, 0)]])
    ax.errorbar(parameters, value, yerr=reach, fmt=marker, color=colour, markersize=11, capsize=5, label=label)


@styled
def right_and_wrong(measurement: Measurement, protocol: str = "fixed") -> Figure:
    """Draw for each method and sample how often the prediction was right, over seeds: dark is always, white never.

    Samples stand class by class, within a class those first that more methods get right. The class prior is left out:
    it is right about the whole of one class without having looked.
    """
    shares = right_shares(measurement, protocol)
    truth = shares.columns.get_level_values("truth")
    figure, ((ax,),) = panels(width=14, height=2.4 + 0.5 * len(shares))
    image = ax.imshow(shares.to_numpy(), aspect="auto", cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
    starts = [int(np.flatnonzero(truth == name)[0]) for name in dict.fromkeys(truth)]
    for start, end in zip(starts, [*starts[1:], len(truth)], strict=True):
        ax.axvline(start - 0.5, color="#CC6677", linewidth=2)
        ax.annotate(
            truth[start], ((start + end - 1) / 2, 1.0), xytext=(0, 4), xycoords=("data", "axes fraction"),
            textcoords="offset points", ha="center", va="bottom",
        )  # fmt: skip
    ax.set_yticks(range(len(shares)), shares.index)
    ax.set_xlabel(f"{shares.shape[1]} test samples, class by class, those first that more methods get right")
    ax.set_title("Who is right about whom", loc="left", pad=26)
    figure.colorbar(image, ax=ax, label="share of seeds that are right", pad=0.01)
    return sign(figure, measurement)


def right_shares(measurement: Measurement, protocol: str = "fixed") -> pd.DataFrame:
    """Return how often each method was right about each sample, over seeds.

    Returns:
        Rows are variants but for the class prior; columns are (truth, sample_id), ordered as :func:`right_and_wrong`
        draws them; 0 to 1.

    Raises:
        ParameterError: the variants do not tell the same classes apart.
    """
    if len(set(measurement.classes.values())) > 1:
        raise ParameterError(f"expected variants with the same classes, got {measurement.classes}")
    rows = {}
    for label, variant in measurement.variants.items():
        if variant.model.name == "dummy":
            continue
        frame = measurement.predictions[label, protocol]
        classes = np.array(classes_of(frame))
        right = (predicted_classes(frame) == frame["y_true"]).to_numpy(float)
        rows[label] = pd.Series(right, [classes[frame["y_true"]], frame["sample_id"]]).groupby(level=[0, 1]).mean()
    table = pd.DataFrame(rows).T
    table.columns.names = ["truth", "sample_id"]
    order = {name: i for i, name in enumerate(next(iter(measurement.classes.values())))}
    keys = pd.DataFrame({"class": [order[name] for name, _ in table.columns], "right": -table.sum().to_numpy()})
    return table.iloc[:, keys.sort_values(["class", "right"], kind="stable").index]


@styled
def rests_on(fitted: Mapping[str, Fitted], caption_text: str, kind: Kind, size: int = 7, stride: int = 3) -> Figure:
    """Draw for each method how far the probability of its answer falls when a square of the map is covered.

    The mean over the test samples of one fold, whom the method was not trained on. Rings are eyes and corners of the
    lips where the published maps have them.

    Args:
        fitted: by label; all of them are fed flow maps of one size.
        caption_text: what the samples come from, such as ``session.caption``.
        kind: of the data.
        size: side of the square that is covered, in pixels.
        stride: how far it moves on.
    """
    falls = {
        label: occlusion(one.estimator.predict_proba, one.X_test, size=size, stride=stride).mean(axis=0)
        for label, one in fitted.items()
    }
    figure, axes = panels(1, len(falls), width=4.2 * len(falls) + 1.2, height=5.0)
    for ax, (label, fall) in zip(axes[0], falls.items(), strict=True):
        reach = max(float(np.abs(fall).max()), 1e-6)
        image = ax.imshow(fall, cmap="RdBu_r", vmin=-reach, vmax=reach)
        for x, y in CONSTANT_POINTS.values():
            ax.plot(x * fall.shape[1] / MAP_SIZE, y * fall.shape[0] / MAP_SIZE, "o", mfc="none", mec="black", ms=11)
        ax.set(xticks=[], yticks=[])
        ax.set_title(label, loc="left")
        bar = figure.colorbar(image, ax=ax, location="bottom", shrink=0.9, label="fall of the probability (-1 to 1)")
        bar.set_ticks([-reach, 0, reach], labels=[f"{-reach:.2g}", "0", f"{reach:.2g}"])
    return caption(figure, f"{caption_text} · fold 0, test people · {size}-pixel squares", kind=kind, watermark=False)


@styled
def attention_of_samples(fitted: Fitted, caption_text: str, kind: Kind) -> Figure:
    """Draw a network's own attention for one test sample of each class, and how much it differs between samples.

    Args:
        fitted: of a network with attention, such as RCN or HTNet.
        caption_text: what the samples come from, such as ``session.caption``.
        kind: of the data.

    Raises:
        ParameterError: the network has no attention.
    """
    images = attention_image(fitted.network, fitted.inputs_test)
    firsts = {name: np.flatnonzero(fitted.y_test == number) for number, name in enumerate(fitted.classes)}
    pictures = {f"true: {name}": images[rows[0]] for name, rows in firsts.items() if len(rows)}
    pictures["standard deviation\nover all test samples"] = images.std(axis=0)
    figure, axes = panels(1, len(pictures), width=3.7 * len(pictures), height=4.9)
    top = float(images.max())
    for ax, (title, picture) in zip(axes[0], pictures.items(), strict=True):
        shown = ax.imshow(picture, cmap="cividis", vmin=0, vmax=top)
        ax.set(xticks=[], yticks=[])
        ax.set_title(title, loc="left")
    figure.colorbar(shown, ax=axes[0].tolist(), label="attention; 1 is an even share", pad=0.01)
    return caption(figure, f"{caption_text} · fold 0, test people", kind=kind, watermark=False)
