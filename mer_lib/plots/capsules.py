"""What capsules do: how lengths are squashed, how routing turns to agreement, and what a trained network says."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from mer_lib.evaluation.fitted import Fitted
from mer_lib.explanations import capsule_reading, capsule_votes
from mer_lib.manifest import Kind
from mer_lib.models.blocks_capsules import ClassCapsules, Routed, squash
from mer_lib.plots.explained import telling
from mer_lib.plots.explained_inputs import draw_faint, draw_input
from mer_lib.plots.style import CLASS_COLOURS, caption, panels, styled

VOTE_COLOURS = "RdBu_r"  # diverging: red for the class, blue against it
_AGREE, _ASTRAY = "#332288", "#CC6677"
_MOST = 3.0  # twice the length of what each lower capsule says


@styled
def squashing(margins: tuple[float, float] = (0.9, 0.1)) -> Figure:
    """Draw the length of a capsule behind the squashing over that before it, and the loss over the length."""
    lengths = torch.linspace(0, 5, 201)
    squashed = squash(torch.stack([lengths, torch.zeros_like(lengths)], dim=-1)).norm(dim=-1)
    figure, axes = panels(1, 2, width=13, height=4.6)
    left, right = axes[0]
    left.plot(lengths, squashed, color=_AGREE)
    left.set(xlabel="length before", ylabel="length behind", ylim=(0, 1), xlim=(0, 5), title="Squashing")
    for margin in margins:
        left.axhline(margin, color="#888888", linestyle=":", linewidth=1.5)
    left.annotate(
        "flat here: a short capsule\nhardly learns", (0.12, 0.02), (1.4, 0.16), arrowprops={"arrowstyle": "->"}
    )
    upper, lower = margins
    length = np.linspace(0, 1, 201)
    right.plot(length, np.maximum(0, upper - length) ** 2, color=_AGREE, label="the true class")
    right.plot(length, 0.5 * np.maximum(0, length - lower) ** 2, color=_ASTRAY, label="every other class")
    right.set(xlabel="length of the class capsule", ylabel="loss", xlim=(0, 1), ylim=(0, None), title="Margin loss")
    right.legend()
    for ax in axes[0]:
        ax.grid(axis="y")
    return caption(figure, f"margins {upper:g} and {lower:g}; no data")


@styled
def routing(iterations: int = 3, astray: int = 2) -> Figure:
    """Draw how routing settles eight lower capsules that agree on one class and contradict each other on the other.

    Each arrow is what one lower capsule says of a class, as wide as the share of it that goes there; the thick arrow is
    the class capsule, whose length is printed. A column is an iteration.

    Args:
        iterations: at least 1.
        astray: how many of the eight lower capsules contradict the others on the first class, too.
    """
    predictions = _said(astray)
    steps = [_route(predictions, count) for count in range(1, iterations + 1)]
    figure, axes = panels(2, iterations, width=4.1 * iterations, height=8.2)
    for column, step in zip(axes.T, steps, strict=True):
        for number, ax in enumerate(column):
            _draw_said(ax, predictions[:, number], step, number)
    for number, ax in enumerate(axes[0], start=1):
        ax.set_title(f"iteration {number}")
    axes[0, 0].set_ylabel("class A: they agree")
    axes[1, 0].set_ylabel("class B: they do not")
    return caption(figure, f"drawn by hand: 8 lower capsules, {astray} of which go astray on class A; no data")


def _said(astray: int) -> torch.Tensor:
    """Return what 8 lower capsules say of 2 classes, (8, 2, 2)."""
    spread = torch.linspace(-0.25, 0.25, 8)
    agreed = torch.where(torch.arange(8) < astray, torch.linspace(2.2, 4.4, 8), spread)
    scattered = torch.tensor([0, 4, 1, 5, 2, 6, 3, 7]) * (2 * torch.pi / 8) + 0.3
    angles = torch.stack([agreed, scattered], dim=1)
    return _MOST / 2 * torch.stack([angles.cos(), angles.sin()], dim=-1)


@torch.no_grad()
def _route(predictions: torch.Tensor, iterations: int) -> Routed:
    """Route capsules whose matrices are such that they say exactly `predictions`."""
    lower, upper, dim = predictions.shape
    layer = ClassCapsules(lower, upper, 1, dim, iterations, "last", 1.0)
    layer.weight.copy_(predictions[..., None])
    return layer(torch.ones(1, lower, 1))


def _draw_said(ax: Axes, said: torch.Tensor, step: Routed, number: int) -> None:
    coupling, capsule = step.coupling[-1, 0, :, number], step.capsules[0, number]
    for arrow, share in zip(said.tolist(), coupling.tolist(), strict=True):
        _arrow(ax, arrow, colour=_ASTRAY, width=0.5 + 7 * share, alpha=0.75)
    _arrow(ax, (_MOST / 2 * capsule).tolist(), colour=_AGREE, width=11, alpha=1.0)
    ax.set(xlim=(-1.9, 1.9), ylim=(-1.9, 1.9), xticks=[], yticks=[], aspect="equal")
    shares = f"shares {float(coupling.min()):.2f} to {float(coupling.max()):.2f}"
    ax.set_xlabel(f"length {float(capsule.norm()):.2f}; {shares}")


def _arrow(ax: Axes, end: Sequence[float], *, colour: str, width: float, alpha: float) -> None:
    style = {"arrowstyle": "-|>", "linewidth": width, "color": colour, "alpha": alpha, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (end[0], end[1]), (0, 0), arrowprops=style)


@styled
def through_the_network(fitted: Fitted, row: int | None = None, *, kind: Kind = "real", text: str = "") -> Figure:
    """Draw one test sample on its way: input, maps of the front, the grid of primary capsules, the class capsules.

    Of a layer with many channels the mean over them is drawn.

    Args:
        fitted: a CapsuleNet with the residual or the VGG front.
        row: which test sample; the one most surely right where None.
        kind: of the data.
        text: for the caption.
    """
    row = telling(fitted)[0] if row is None else row
    maps = _maps(fitted, row)
    reading = capsule_reading(fitted.network, fitted.inputs_test[row : row + 1])
    figure, axes = panels(1, len(maps) + 3, width=2.7 * (len(maps) + 3), height=4.2)
    draw_input(axes[0, 0], fitted.variant.features, fitted.X_test[row])
    axes[0, 0].set_title("input")
    for ax, (name, values) in zip(axes[0, 1:], maps.items(), strict=False):
        ax.imshow(values.mean(axis=0), cmap="viridis")
        ax.set(xticks=[], yticks=[], xlabel="×".join(map(str, values.shape)), title=name)
    _draw_primary(axes[0, -2], reading.primary[0].numpy())
    _draw_lengths(axes[0, -1], fitted, reading.lengths[0].numpy(), row)
    return caption(figure, f"{text} · {fitted.test_ids[row]}".removeprefix(" · "), kind=kind, watermark=False)


def _maps(fitted: Fitted, row: int) -> dict[str, np.ndarray]:
    """Return what the stages of the front and the convolution behind it put out for one sample, (C, H, W) each."""
    network, seen = fitted.network, {}
    children = dict(network.get_submodule("front").named_children())
    stages = {name: module for name, module in children.items() if name.startswith("layer")}
    if not stages:  # VGG: the poolings close its stages
        poolings = [module for module in children.values() if isinstance(module, torch.nn.MaxPool2d)]
        stages = {f"pooling {number}": module for number, module in enumerate(poolings, start=1)}
    hooks = [
        module.register_forward_hook(lambda _, __, out, name=name: seen.update({name: out[0].numpy()}))
        for name, module in {**stages, "convolution": network.get_submodule("relu")}.items()
    ]
    with torch.no_grad():
        network(fitted.inputs_test[row : row + 1])
    for hook in hooks:
        hook.remove()
    return seen


def _draw_primary(ax: Axes, lengths: np.ndarray) -> None:
    """Draw the lengths of primary capsules (types, rows, columns) type by type, in a square of grids."""
    types, rows, columns = lengths.shape
    across = int(np.ceil(np.sqrt(types)))
    sheet = np.full((-(-types // across) * (rows + 1) - 1, across * (columns + 1) - 1), np.nan)
    for number, grid in enumerate(lengths):
        top, left = number // across * (rows + 1), number % across * (columns + 1)
        sheet[top : top + rows, left : left + columns] = grid
    ax.imshow(sheet, cmap="viridis", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[], title="primary capsules", xlabel=f"{types} types, {rows}×{columns} places")


def _draw_lengths(ax: Axes, fitted: Fitted, lengths: np.ndarray, row: int) -> None:
    names = list(fitted.classes)
    colours = [CLASS_COLOURS.get(name, "#777777") for name in names]
    ax.barh(names, lengths, color=colours)
    ax.set(xlim=(0, 1), title="class capsules", xlabel=f"length (true: {names[fitted.y_test[row]]})")
    ax.invert_yaxis()


@styled
def votes(fitted: Fitted, which: Sequence[int] | None = None, *, kind: Kind = "real", text: str = "") -> Figure:
    """Draw for test samples what each place of the grid adds to each class capsule, and how long those are.

    Votes of all places sum to the length of a class capsule before it is squashed. Red adds, blue takes away; one scale
    for all classes of a sample.

    Args:
        fitted: a CapsuleNet.
        which: rows of test samples, those of :func:`mer_lib.plots.explained.telling` where None.
        kind: of the data.
        text: for the caption.
    """
    rows = telling(fitted, 4) if which is None else list(which)
    inputs = fitted.inputs_test[list(rows)]
    reading = capsule_reading(fitted.network, inputs)
    names = fitted.classes
    figure, axes = panels(len(rows), len(names) + 2, width=2.9 * (len(names) + 2), height=2.8 * len(rows) + 1.2)
    for line, row, at in zip(axes, rows, range(len(rows)), strict=True):
        draw_input(line[0], fitted.variant.features, fitted.X_test[row])
        line[0].set_ylabel(f"true: {names[fitted.y_test[row]]}")
        most = float(reading.votes[at].abs().max()) or 1.0
        for number, name in enumerate(names):
            share = float(reading.votes[at, number].abs().max()) / most
            large = share * capsule_votes(fitted.network, inputs[at : at + 1], number)[0]
            _draw_votes(line[1 + number], fitted, row, large)
            line[1 + number].set_title(f"{name}: {float(reading.lengths[at, number]):.2f}", fontsize=13)
        _draw_turning(line[-1], reading.routing[:, at].flatten(1, 3).numpy(), names)
    axes[0, 0].set_title("input")
    axes[0, -1].legend(loc="upper left", labelspacing=0.2)
    axes[-1, -1].set_xlabel("iteration")
    figure.colorbar(ScalarMappable(Normalize(-1, 1), VOTE_COLOURS), ax=axes[:, 1:-1], shrink=0.6, location="bottom",
                    label="vote, share of the strongest in the sample")  # fmt: skip
    return caption(figure, text, kind=kind, watermark=False)


def _draw_votes(ax: Axes, fitted: Fitted, row: int, values: np.ndarray) -> None:
    draw_faint(ax, fitted.variant.features, fitted.X_test[row])
    colours = mpl.colormaps[VOTE_COLOURS](Normalize(-1, 1)(values))
    colours[..., 3] = np.clip(np.abs(values), 0, 1) * 0.85
    ax.imshow(colours)


def _draw_turning(ax: Axes, coupling: np.ndarray, names: Sequence[str]) -> None:
    """Draw the mean share of each class over iterations, and the tenth to ninetieth percentile over the capsules."""
    steps = np.arange(1, len(coupling) + 1)
    for number, name in enumerate(names):
        colour = CLASS_COLOURS.get(name, "#777777")
        low, high = np.percentile(coupling[..., number], (10, 90), axis=1)
        ax.fill_between(steps, low, high, color=colour, alpha=0.2, linewidth=0)
        ax.plot(steps, coupling[..., number].mean(axis=1), color=colour, marker="o", label=name)
    ax.set(xticks=steps, ylim=(0, 1))
    ax.set_title("share of capsules", fontsize=13)


@styled
def softmax_twice(classes: int = 3) -> Figure:
    """Draw the cross-entropy of logits, and of what a softmax made of them, over the true class's lead.

    The loss of a softmax of a softmax cannot fall below ``log(1 + (classes - 1) / e)``, and its slope dies out where
    the network is wrong, not only where it is right.
    """
    lead = torch.linspace(-12, 12, 241, requires_grad=True)
    logits = torch.stack([lead, *[torch.zeros_like(lead)] * (classes - 1)], dim=1)
    once = -logits.log_softmax(1)[:, 0]
    twice = -logits.softmax(1).log_softmax(1)[:, 0]
    slopes = [torch.autograd.grad(loss.sum(), lead, retain_graph=True)[0] for loss in (once, twice)]
    figure, axes = panels(1, 2, width=13, height=4.6, sharex=True)
    floor = np.log1p((classes - 1) * np.exp(-1))
    for values, ax in (((once, twice), axes[0, 0]), (slopes, axes[0, 1])):
        for each, label, colour in zip(values, ("cross-entropy of logits", "of their softmax"), (_AGREE, _ASTRAY)):  # noqa: B905
            ax.plot(lead.detach(), each.detach(), color=colour, label=label)
        ax.set_xlabel("logit of the true class, the others being 0")
        ax.grid(axis="y")
    axes[0, 0].axhline(floor, color="#888888", linestyle=":", linewidth=1.5)
    axes[0, 0].annotate(f"never below {floor:.2f}", (6, floor + 0.3))
    axes[0, 0].set(ylabel="loss", ylim=(0, 5), title="What the loss says")
    axes[0, 1].set(ylabel="slope", title="What the network is told")
    axes[0, 0].legend(loc="upper right")
    return caption(figure, f"{classes} classes; no data")
