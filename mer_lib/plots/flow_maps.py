"""Figures of flow maps: single maps, samples of each class, arrows, and the four windows that HTNet cuts.

A published map is stretched to 0-255 sample by sample, so the grey value of "no motion" differs from map to map. It is
estimated by the map's median, since most of a face is still, and drawn white.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from mer_lib.datasets import CHANNELS, CLASSES, FlowMapDataset
from mer_lib.errors import ParameterError
from mer_lib.features import FourRegionMosaic, compute, region_boxes
from mer_lib.plots.style import (
    CLASS_COLOURS,
    FLOW_COLOURS,
    STRAIN_COLOURS,
    caption,
    dataset_label,
    iterate,
    panels,
    styled,
)

CHANNEL_TITLES = {"u": "u: to the right", "v": "v: downwards", "strain": "strain: skin deformation"}
DIRECTIONS = {"u": "left ← no motion → right", "v": "up ← no motion → down", "strain": "less → more strain"}
REGION_COLOURS = {"left eye": "#0072B2", "right eye": "#D55E00", "left lip": "#009E73", "right lip": "#CC79A7"}
GREY_MAX = 255


def neutral_grey(channel: np.ndarray) -> float:
    """Return the grey value that stands for "no motion" in one flow channel: its median.

    >>> neutral_grey(np.array([[130, 130], [130, 255]]))
    130.0
    """
    return float(np.median(channel))


def flow_range(channel: np.ndarray) -> Normalize:
    """Return a colour range that is symmetric about the neutral grey, so that equal motions are equally strong."""
    middle = neutral_grey(channel)
    reach = max(middle, GREY_MAX - middle)
    return Normalize(middle - reach, middle + reach)


@styled
def channels(dataset: FlowMapDataset, sample_id: str) -> Figure:
    """Draw the three channels of one sample, with their colour bars."""
    image = dataset.maps([sample_id])[0]
    figure, axes = panels(1, len(CHANNELS), width=13, height=4.9)
    for ax, name in zip(iterate(axes), CHANNELS, strict=True):
        drawn = draw_channel(ax, image, name)
        ax.set_title(CHANNEL_TITLES[name])
        _pixel_axes(ax)
        _colour_bar(figure, ax, drawn, name, neutral_grey(image[..., CHANNELS.index(name)]))
    for ax in axes[0, 1:]:
        ax.set_ylabel("")
    figure.suptitle(_sample_title(dataset, sample_id))
    return _sign(figure, dataset, "white: the map's median, taken for no motion")


def _sign(figure: Figure, dataset: FlowMapDataset, remark: str) -> Figure:
    return caption(figure, f"{dataset.label} · {remark}", kind=dataset.kind)


def draw_channel(ax: Axes, image: np.ndarray, name: str) -> AxesImage:
    """Draw one channel of a map `image` (28, 28, 3) into `ax`: flow diverging about neutral, strain sequential."""
    channel = image[..., CHANNELS.index(name)]
    if name == "strain":
        return ax.imshow(channel, cmap=STRAIN_COLOURS, vmin=0, vmax=GREY_MAX, interpolation="nearest")
    return ax.imshow(channel, cmap=FLOW_COLOURS, norm=flow_range(channel), interpolation="nearest")


def _colour_bar(figure: Figure, ax: Axes, drawn: AxesImage, name: str, neutral: float) -> None:
    bar = figure.colorbar(drawn, ax=ax, shrink=0.82)
    bar.set_label("grey value" if name == "strain" else f"grey value (white: {neutral:.0f})")
    bar.ax.set_ylim(0, GREY_MAX)


def _pixel_axes(ax: Axes, ticks: Sequence[int] = (0, 9, 18, 27)) -> None:
    ax.set_xticks(ticks)
    ax.set_yticks(ticks)
    ax.set_xlabel("x (map pixels)")
    ax.set_ylabel("y (map pixels)")
    for spine in ax.spines.values():
        spine.set_visible(True)


def _sample_title(dataset: FlowMapDataset, sample_id: str) -> str:
    row = dataset.samples.set_index("sample_id").loc[sample_id]
    return f"{row['label3']}: {dataset_label(row['dataset'])}, subject {row['subject']}, clip {row['clip']}"


@styled
def samples_per_class(dataset: FlowMapDataset, channel: str = "v", per_class: int = 5, seed: int = 0) -> Figure:
    """Draw one channel of some samples of each class, one row a class, each named by its subject and clip.

    Args:
        dataset: where the maps come from.
        channel: ``"u"``, ``"v"`` or ``"strain"``.
        per_class: how many subjects of each class to draw, one sample each; fewer where there are fewer.
        seed: which ones.

    Raises:
        ParameterError: the channel is unknown.
    """
    if channel not in CHANNELS:
        raise ParameterError(f"channel: expected one of {', '.join(CHANNELS)}, got {channel!r}")
    figure, axes = panels(len(CLASSES), per_class, width=2.4 * per_class + 1.9, height=9, layout="compressed")
    for row, name in zip(axes, CLASSES, strict=True):
        _draw_row(row, dataset, pick(dataset.samples, name, per_class, seed), channel, name)
    figure.suptitle(f"{CHANNEL_TITLES[channel]}, some samples of each class")
    bar = figure.colorbar(_scale(channel), ax=axes, shrink=0.5, aspect=30, ticks=[])
    bar.set_label(DIRECTIONS[channel])
    return _sign(figure, dataset, "each map has its own scale, white is its median")


def pick(samples: pd.DataFrame, label3: str, count: int, seed: int = 0) -> list[str]:
    """Return up to `count` sample ids of a class, drawn from different subjects."""
    of_class = samples[samples["label3"] == label3].sample(frac=1, random_state=seed)
    one_each = of_class.drop_duplicates(["dataset", "subject"]).head(count)
    return sorted(one_each["sample_id"])


def _draw_row(row: np.ndarray, dataset: FlowMapDataset, sample_ids: list[str], channel: str, label3: str) -> None:
    for ax in row:
        ax.set_axis_off()
    images = dataset.maps(sample_ids)
    for ax, sample_id, image in zip(row, sample_ids, images, strict=False):
        ax.set_axis_on()
        draw_channel(ax, image, channel)
        ax.set(xticks=[], yticks=[])
        _frame(ax, CLASS_COLOURS[label3])
        name, subject, clip = sample_id.split("/")
        ax.set_title(f"{dataset_label(name)} {subject}\n{clip}", fontsize=10.5, weight="normal")
    row[0].set_ylabel(label3, color=CLASS_COLOURS[label3], weight="bold", fontsize=16)


def _frame(ax: Axes, colour: str) -> None:
    for spine in ax.spines.values():
        spine.set(visible=True, color=colour, linewidth=2.5)


def _scale(channel: str) -> ScalarMappable:
    return ScalarMappable(cmap=STRAIN_COLOURS if channel == "strain" else FLOW_COLOURS)


@styled
def class_means(dataset: FlowMapDataset) -> Figure:
    """Draw the mean map of each class, one row a class, one column a channel: what a linear classifier can see.

    Flow is taken relative to each map's neutral grey; all classes share the colour scale of a channel.
    """
    figure, axes = panels(len(CLASSES), len(CHANNELS), width=10, height=11, layout="compressed")
    for column, name in zip(axes.T, CHANNELS, strict=True):
        means = {label3: _mean_map(dataset, label3, name) for label3 in CLASSES}
        _draw_means(column, means, name)
        column[0].set_title(CHANNEL_TITLES[name].replace(": ", "\n"))
    for ax, label3 in zip(axes[:, 0], CLASSES, strict=True):
        count = int((dataset.samples["label3"] == label3).sum())
        ax.set_ylabel(f"{label3}\n{count} samples", color=CLASS_COLOURS[label3], weight="bold")
    figure.suptitle("Mean map of each class")
    return _sign(figure, dataset, "grey values relative to each map's median")


def _mean_map(dataset: FlowMapDataset, label3: str, name: str) -> np.ndarray:
    chosen = dataset.samples.loc[dataset.samples["label3"] == label3, "sample_id"].tolist()
    values = dataset.maps(chosen)[..., CHANNELS.index(name)].astype(float)
    if name != "strain":
        values -= np.median(values, axis=(1, 2), keepdims=True)
    return values.mean(axis=0)


def _draw_means(column: np.ndarray, means: dict[str, np.ndarray], name: str) -> None:
    reach = max(np.abs(mean).max() for mean in means.values())
    low, colours = (0, STRAIN_COLOURS) if name == "strain" else (-reach, FLOW_COLOURS)
    for ax, (label3, mean) in zip(column, means.items(), strict=True):
        drawn = ax.imshow(mean, cmap=colours, vmin=low, vmax=reach)
        ax.set(xticks=[], yticks=[])
        _frame(ax, CLASS_COLOURS[label3])
    column[0].figure.colorbar(drawn, ax=column, location="bottom", shrink=0.9, label="grey values")


@styled
def arrows(dataset: FlowMapDataset, sample_ids: Sequence[str], every: int = 2) -> Figure:
    """Draw the motion of some samples as arrows over their strain, relative to each map's neutral grey.

    Args:
        dataset: where the maps come from.
        sample_ids: which samples, one panel each.
        every: one arrow for so many pixels.
    """
    figure, axes = panels(1, len(sample_ids), width=4.6 * len(sample_ids), height=5.6)
    for ax, sample_id, image in zip(iterate(axes), sample_ids, dataset.maps(sample_ids), strict=True):
        _draw_arrows(ax, image.astype(float), every)
        ax.set_title(_sample_title(dataset, sample_id).replace(", subject", "\nsubject"), fontsize=13)
        _pixel_axes(ax)
    return _sign(figure, dataset, "arrows: motion against the map's median, scaled map by map; grey: strain")


def _draw_arrows(ax: Axes, image: np.ndarray, every: int) -> None:
    u, v = (image[..., i] - np.median(image[..., i]) for i in (0, 1))
    y, x = np.mgrid[every // 2 : image.shape[0] : every, every // 2 : image.shape[1] : every]
    length = np.hypot(u, v)[y, x].max() or 1.0
    ax.imshow(image[..., 2], cmap="Greys", vmin=0, vmax=1.6 * GREY_MAX)
    ax.quiver(
        x, y, u[y, x], v[y, x], angles="xy", scale_units="xy", scale=length / (2.2 * every), color="#B2182B",
        width=0.006, pivot="mid",
    )  # fmt: skip


@styled
def four_regions(dataset: FlowMapDataset, sample_id: str, recipe: FourRegionMosaic | None = None) -> Figure:
    """Draw the four windows of HTNet on a map, and beside it the mosaic that the network is fed.

    Args:
        dataset: where the map comes from.
        sample_id: which sample.
        recipe: size of the windows and their order; 7-pixel blocks by default.
    """
    recipe = recipe or FourRegionMosaic()
    image = dataset.maps([sample_id])[0]
    figure, (row,) = panels(1, 2, width=12, height=6.2)
    whole, mosaic = row
    norm = flow_range(image[..., 1])
    whole.imshow(image[..., 1], cmap=FLOW_COLOURS, norm=norm)
    channel = recipe.order.index("v")
    mosaic.imshow(compute(recipe, dataset, [sample_id])[0, channel], cmap=FLOW_COLOURS, norm=norm)
    boxes = region_boxes(recipe.block, recipe.legacy_swap)
    side = 2 * recipe.block
    for number, box in enumerate(boxes):
        _box(whole, box.name, box.x0, box.y0, side, inset=0.25 * number)
        _box(mosaic, box.name, side * (number % 2), side * (number // 2), side)
    whole.set_title("Four windows on the map (v)")
    mosaic.set_title(f"The mosaic, {2 * side} × {2 * side} pixels")
    _pixel_axes(whole)
    _pixel_axes(mosaic, ticks=(0, side - 1, 2 * side - 1))
    figure.suptitle(_sample_title(dataset, sample_id))
    return _sign(figure, dataset, f"{recipe.points_source} face points; white: the map's median")


def _box(ax: Axes, name: str, x: float, y: float, side: float, inset: float = 0.0) -> None:
    """Outline one window; `inset` keeps overlapping outlines apart."""
    colour, width = REGION_COLOURS[name], side - 2 * inset
    corner = (x - 0.5 + inset, y - 0.5 + inset)
    ax.add_patch(Rectangle(corner, width, width, fill=False, edgecolor=colour, linewidth=3))
    right, low = "right" in name, "lip" in name
    at = (x + side - 1.2 if right else x + 0.2, y + side - 1.4 if low else y + 0.4)
    box = {"facecolor": "white", "edgecolor": colour, "boxstyle": "round,pad=0.2", "alpha": 0.9}
    ax.text(*at, name, color="black", fontsize=12, ha="right" if right else "left", va="center", bbox=box)
