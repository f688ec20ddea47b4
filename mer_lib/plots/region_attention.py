"""Inside MFEM and MFFM: where region attention looks, which channels it takes, which levels meet."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor
from torch.nn import functional

from mer_lib.manifest import Kind
from mer_lib.models.blocks_level_fusion import SCHEDULES
from mer_lib.models.mfem_mffm import MFEMMFFM
from mer_lib.plots.face_panels import bare
from mer_lib.plots.style import caption, panels, styled

HEAT = "RdBu_r"
COLOURS = {"taken": "#0072B2", "left over": "#999999", "taken of the rest": "#D55E00"}


@styled
def looks(network: MFEMMFFM, inputs: Tensor, faces: np.ndarray, *, kind: Kind = "real", text: str = "") -> Figure:
    """Draw where the spatial gate of each stage opens in the last frame of some sequences.

    Drawn is by how much the gate differs from its own mean over the face: red is more open, blue less.

    Args:
        network: with region attention.
        inputs: sequences (n, frames, channels, rows, columns) as it is fed them.
        faces: what to draw below, (n, rows, columns), grey 0 to 255.
        kind: of the data.
        text: for the caption.

    Raises:
        ParameterError: the network has no region attention.
    """
    gates = [_enlarged(stage["space"][:, -1], inputs) for stage in network.gates(inputs)]
    differences = [gate - gate.mean(axis=(1, 2), keepdims=True) for gate in gates]
    most = max(float(np.abs(np.stack(differences)).max()), 1e-6)
    norm = Normalize(-most, most)
    n = len(inputs)
    figure, axes = panels(n, 1 + len(gates), width=13.5, height=2.6 * n + 1.3)
    for row, line in enumerate(axes):
        for ax in line:
            ax.imshow(faces[row], cmap="gray", vmin=0, vmax=255)
            bare(ax)
        for ax, difference in zip(line[1:], differences, strict=True):
            ax.imshow(difference[row], cmap=HEAT, norm=norm, alpha=0.6)
    axes[0, 0].set_title("last frame")
    for number, (ax, stage) in enumerate(zip(axes[0, 1:], network.gates(inputs[:1]), strict=True), start=1):
        ax.set_title(f"stage {number}: {stage['space'].shape[-1]}x{stage['space'].shape[-1]}")
    figure.colorbar(ScalarMappable(norm, HEAT), ax=axes.ravel().tolist(), label="gate, less its mean", shrink=0.9)
    return caption(figure, text, kind=kind, watermark=False)


@styled
def channels(network: MFEMMFFM, inputs: Tensor, *, kind: Kind = "real", text: str = "") -> Figure:
    """Draw the channel gates of each stage, the mean over sequences and frames, channels ordered by the first gate.

    Args:
        network: with region attention.
        inputs: sequences (n, frames, channels, rows, columns) as it is fed them.
        kind: of the data.
        text: for the caption.

    Raises:
        ParameterError: the network has no region attention.
    """
    gates = network.gates(inputs)
    figure, axes = panels(1, len(gates), width=14.5, height=4.4, sharey=True)
    for number, (ax, stage) in enumerate(zip(axes[0], gates, strict=True), start=1):
        first, rest = (stage[name].mean(dim=(0, 1)).cpu().numpy() for name in ("channels", "rest"))
        order = np.argsort(-first)
        for name, values in zip(COLOURS, (first, 1 - first, rest), strict=True):
            ax.plot(values[order], color=COLOURS[name], label=name)
        ax.set_title(f"stage {number}")
        ax.set_xlabel("channel, by its gate")
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes[0, 0].set_ylim(0, 1)
    axes[0, 0].set_ylabel("gate")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return caption(figure, text, kind=kind, watermark=False)


@styled
def schedules() -> Figure:
    """Draw the three readings of which levels interact: a bow for each pair, the larger map on the left."""
    figure, axes = panels(1, len(SCHEDULES), width=14.5, height=4.8)
    titles = {"five_pairs": "five of six pairs", "neighbours_twice": "neighbours, twice", "all_pairs": "all six pairs"}
    for ax, (name, pairs) in zip(axes[0], SCHEDULES.items(), strict=True):
        places = _places(pairs)
        for number, (first, second) in enumerate(pairs, start=1):
            _bow(ax, places[first], places[second], number)
        for index, (x, y) in enumerate(places[: 4 if name != "neighbours_twice" else 7]):
            label, colour = (f"{index + 1}", "#DDDDDD") if index < 4 else (f"Y{index - 3}", "#FBE3C5")
            ax.text(x, y, label, ha="center", va="center", bbox={"boxstyle": "circle", "fc": colour, "ec": "#444444"})
        ax.set_title(titles[name])
        ax.set_xlim(-0.5, 3.5)
        ax.set_ylim(-0.6, 2.6)
        ax.axis("off")
    return caption(figure, "1 to 4: stages of ResNet34, from large and shallow to small and deep; Y: interactions")


def _places(pairs: tuple[tuple[int, int], ...]) -> list[tuple[float, float]]:
    """Return where stages and, above the middle of what they join, interactions stand."""
    places = [(float(stage), 0.0) for stage in range(4)]
    for first, second in pairs:
        (x1, y1), (x2, y2) = places[first], places[second]
        places.append(((x1 + x2) / 2, max(y1, y2) + (0.9 if second - first == 1 else 0.9 * (second - first))))
    return places


def _bow(ax: Axes, left: tuple[float, float], right: tuple[float, float], number: int) -> None:
    """Draw one interaction as an arch with its name on top."""
    angle = np.linspace(0, np.pi, 40)
    middle, half = (left[0] + right[0]) / 2, (right[0] - left[0]) / 2
    height = 0.75 * (right[0] - left[0])
    ax.plot(middle - half * np.cos(angle), left[1] + height * np.sin(angle), color=f"C{number}", zorder=0)
    ax.text(middle, left[1] + height + 0.08, f"Y{number}", ha="center", va="bottom", fontsize=12, color=f"C{number}")


def _enlarged(gates: Tensor, inputs: Tensor) -> np.ndarray:
    size = tuple(inputs.shape[-2:])
    with torch.no_grad():
        large = functional.interpolate(gates[:, None], size, mode="bilinear", align_corners=False)
    return large[:, 0].cpu().numpy()
