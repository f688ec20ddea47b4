"""Which weights of HTNet learn at all."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mer_lib.models.htnet import Attention, HTNet, SingleTokenWarning
from mer_lib.plots.style import caption, panels, styled

PARTS = ("query", "key", "value")
PART_COLOURS = ("#CC6677", "#DDCC77", "#332288")


@styled
def query_key_gradients(dim: int = 16, patch_sizes: tuple[int, ...] = (7, 1)) -> Figure:
    """Draw the gradients of query, key and value weights at each level, one panel a patch size.

    One backward pass of a fresh HTNet over random input, hidden size `dim`. With 7-pixel patches every block holds one
    token, the softmax over it is 1, and query and key get no gradient.
    """
    figure, axes = panels(1, len(patch_sizes), width=6.5 * len(patch_sizes), height=4.6, sharey=True)
    for ax, patch_size in zip(axes[0], patch_sizes, strict=True):
        norms, tokens = gradient_norms(dim, patch_size)
        for position, (part, colour) in enumerate(zip(PARTS, PART_COLOURS, strict=True)):
            places = np.arange(len(norms)) + (position - 1) * 0.27
            ax.bar(places, norms[:, position], width=0.25, color=colour, label=part)
            _mark_zeros(ax, places, norms[:, position])
        ax.set_xticks(range(len(norms)), [f"level {level}" for level in range(len(norms))])
        ax.set_title(f"patch {patch_size}: {tokens} token{'s' * (tokens > 1)} a block", loc="left")
        ax.grid(axis="y")
    axes[0, 0].set(yscale="log", ylim=(1e-4, 10), ylabel="norm of the gradient (log scale)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3)
    return caption(figure, f"fresh HTNet, hidden size {dim}, random input, one backward pass")


def _mark_zeros(ax: Axes, places: np.ndarray, norms: np.ndarray) -> None:
    """Write a 0 where there is no bar: a logarithmic axis has no place for it."""
    for place, norm in zip(places, norms, strict=True):
        if norm == 0:
            ax.annotate("0", (place, 0.02), xycoords=("data", "axes fraction"), ha="center", fontsize=14)


def gradient_norms(dim: int, patch_size: int) -> tuple[np.ndarray, int]:
    """Return the gradient norms (levels, 3) of query, key and value weights, and the tokens a block."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore", SingleTokenWarning)  # the figure shows what it warns of
        torch.manual_seed(0)
        model = HTNet(dim=dim, heads=2, patch_size=patch_size, layers=(1, 1, 1))
        inputs = torch.randn(8, *model.input_shape)
        torch.nn.functional.cross_entropy(model(inputs), torch.arange(8) % 3).backward()
    attention = [module for module in model.modules() if isinstance(module, Attention)]
    norms = [[float(part.norm()) for part in _gradient(module).chunk(3)] for module in attention]
    return np.array(norms), (28 // patch_size // 4) ** 2


def _gradient(module: Attention) -> torch.Tensor:
    gradient = module.qkv.weight.grad
    return torch.zeros_like(module.qkv.weight) if gradient is None else gradient
