"""Which weights of a transformer learn at all, and what a class token reads."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional

from mer_lib.manifest import Kind
from mer_lib.models.blocks_htnet import Attention
from mer_lib.models.da_crossvit import DACrossViT, DualAttention, FusionAttention
from mer_lib.models.htnet import HTNet, SingleTokenWarning
from mer_lib.plots.style import SPARE_COLOURS, caption, panels, styled

PARTS = ("query", "key", "value")
PART_COLOURS = ("#CC6677", "#DDCC77", "#332288")
#: What a class token reads in each direction, by the key of :meth:`DACrossViT.attention_maps`.
DIRECTIONS = {
    "into_la": "class token of La reads the patches of Sm",
    "into_sm": "class token of Sm reads the patches of La",
}


@styled
def query_key_gradients(dim: int = 16, patch_sizes: tuple[int, ...] = (7, 1)) -> Figure:
    """Draw the gradients of query, key and value weights at each level of HTNet, one panel a patch size.

    One backward pass of a fresh HTNet over random input, hidden size `dim`. With 7-pixel patches every block holds one
    token, the softmax over it is 1, and query and key get no gradient.
    """
    figure, axes = panels(1, len(patch_sizes), width=6.5 * len(patch_sizes), height=4.6, sharey=True)
    for ax, patch_size in zip(axes[0], patch_sizes, strict=True):
        norms, tokens = gradient_norms(dim, patch_size)
        _draw_norms(ax, norms, [f"level {level}" for level in range(len(norms))])
        ax.set_title(f"patch {patch_size}: {tokens} token{'s' * (tokens > 1)} a block", loc="left")
    _finish(figure, axes)
    return caption(figure, f"fresh HTNet, hidden size {dim}, random input, one backward pass")


@styled
def fusion_gradients(attentions: Sequence[FusionAttention] = ("printed", "dual")) -> Figure:
    """Draw the gradients of query, key and value weights in the fusions of a small DA-CrossViT, one panel a module.

    One backward pass of a fresh network over random input. With the equations to the letter the values are computed
    and go nowhere.
    """
    figure, axes = panels(1, len(attentions), width=6.5 * len(attentions), height=4.6, sharey=True)
    for ax, attention in zip(axes[0], attentions, strict=True):
        norms = fusion_norms(attention)
        directions = [f"encoder {i // 2}\n{('into La', 'into Sm')[i % 2]}" for i in range(len(norms))]
        _draw_norms(ax, norms, directions)
        ax.set_title(f"attention: {attention}", loc="left")
    _finish(figure, axes)
    return caption(figure, "fresh DA-CrossViT, 2 encoders, widths 24 and 12, random input, one backward pass")


@styled
def class_token_reads(network: DACrossViT, inputs: Tensor, *, kind: Kind = "real", text: str = "") -> Figure:
    """Draw with what weights the class tokens read in each encoder: means over heads, samples and fusions.

    Args:
        network: trained or fresh, in evaluation mode.
        inputs: as the network is fed them, (n, 3, side, side).
        kind: of the data.
        text: for the caption.
    """
    records = network.attention_maps(inputs)
    figure, axes = panels(1, 2, width=13, height=4.8, sharey=True)
    for ax, (key, title) in zip(axes[0], DIRECTIONS.items(), strict=True):
        weights = [torch.stack(record[key]).mean(dim=(0, 1, 2, 3)).cpu().numpy() for record in records]
        tokens = len(weights[0])
        for encoder, (each, colour) in enumerate(zip(weights, _colours(len(weights)), strict=True)):
            width = 0.8 / len(weights)
            places = np.arange(tokens) + (encoder - (len(weights) - 1) / 2) * width
            ax.bar(places, each, width=0.92 * width, color=colour, label=f"encoder {encoder}")
        ax.axhline(1 / tokens, color="#555555", linestyle="--", label="even share")
        ax.set_xticks(range(tokens), ["itself", *(_patch_name(i, tokens) for i in range(1, tokens))])
        ax.set_title(title, loc="left")
        ax.grid(axis="y")
    axes[0, 0].set(ylim=(0, 1), ylabel="attention (mean)")
    axes[0, 1].legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return caption(figure, text, kind=kind, watermark=False)


def _patch_name(number: int, tokens: int) -> str:
    return f"patch {number}" if tokens <= 5 else str(number)


def _colours(count: int) -> list[str]:
    return [(*PART_COLOURS, *SPARE_COLOURS)[i % (len(PART_COLOURS) + len(SPARE_COLOURS))] for i in range(count)]


def _draw_norms(ax: Axes, norms: np.ndarray, places: Sequence[str]) -> None:
    """Draw norms (places, 3) of query, key and value as bars."""
    for position, (part, colour) in enumerate(zip(PARTS, PART_COLOURS, strict=True)):
        middles = np.arange(len(norms)) + (position - 1) * 0.27
        ax.bar(middles, norms[:, position], width=0.25, color=colour, label=part)
        _mark_zeros(ax, middles, norms[:, position])
    ax.set_xticks(range(len(norms)), list(places))
    ax.grid(axis="y")


def _finish(figure: Figure, axes: np.ndarray) -> None:
    axes[0, 0].set(yscale="log", ylim=(1e-4, 10), ylabel="norm of the gradient (log scale)")
    axes[0, 0].yaxis.set_major_formatter(lambda value, _: f"{value:g}")  # figures have no formulas
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3)


def _mark_zeros(ax: Axes, places: np.ndarray, norms: np.ndarray) -> None:
    """Write a 0 where there is no bar: a logarithmic axis has no place for it."""
    for place, norm in zip(places, norms, strict=True):
        if norm == 0:
            ax.annotate("0", (place, 0.02), xycoords=("data", "axes fraction"), ha="center", fontsize=14)


def gradient_norms(dim: int, patch_size: int) -> tuple[np.ndarray, int]:
    """Return the gradient norms (levels, 3) of HTNet's query, key and value weights, and the tokens a block."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore", SingleTokenWarning)  # the figure shows what it warns of
        torch.manual_seed(0)
        model = HTNet(dim=dim, heads=2, patch_size=patch_size, layers=(1, 1, 1))
        _one_pass(model)
    attention = [module for module in model.modules() if isinstance(module, Attention)]
    norms = [[float(part.norm()) for part in _gradient(module.qkv.weight).chunk(3)] for module in attention]
    return np.array(norms), model.tokens_per_block


def fusion_norms(attention: FusionAttention) -> np.ndarray:
    """Return the gradient norms (fusions, 3) of DA-CrossViT's query, key and value weights, encoder by encoder."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = DACrossViT(la_dim=24, sm_dim=12, encoders=2, la_layers=1, attention=attention)
        _one_pass(model)
    modules = [module for module in model.modules() if isinstance(module, DualAttention)]
    return np.array([[float(_gradient(getattr(m, part).weight).norm()) for part in PARTS] for m in modules])


def _one_pass(model: HTNet | DACrossViT) -> None:
    inputs = torch.randn(8, *model.input_shape)
    functional.cross_entropy(model(inputs), torch.arange(8) % 3).backward()


def _gradient(weight: Tensor) -> Tensor:
    return torch.zeros_like(weight) if weight.grad is None else weight.grad
