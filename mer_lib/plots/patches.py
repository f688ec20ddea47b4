"""How transformers cut a map up: the blocks and tokens of HTNet's levels, the patches of DA-CrossViT's two branches."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mer_lib.errors import ParameterError
from mer_lib.features import FlowMap, FourRegionMosaic
from mer_lib.manifest import Kind
from mer_lib.models.htnet import legal_patch_sizes
from mer_lib.plots.explained_inputs import draw_input
from mer_lib.plots.style import caption, panels, styled

BLOCK_COLOUR = "#CC6677"
TOKEN_COLOUR = "#332288"
LEVELS = 3


@styled
def blocks_and_tokens(
    mosaic: np.ndarray, patch_sizes: Sequence[int] = (7, 1), *, kind: Kind = "real", text: str = ""
) -> Figure:
    """Draw the blocks and the tokens of each level of HTNet over a mosaic, one row a patch size.

    Args:
        mosaic: one sample of recipe `four_region_mosaic`, (3, side, side).
        patch_sizes: sides of the patches in pixels, each legal for the mosaic.
        kind: of the data.
        text: for the caption.

    Raises:
        ParameterError: a patch size does not fit the mosaic.
    """
    side = mosaic.shape[-1]
    legal = legal_patch_sizes(side)
    if not set(patch_sizes) <= set(legal):
        raise ParameterError(f"patch_sizes: expected among {legal} for {side} pixels, got {list(patch_sizes)}")
    figure, axes = panels(len(patch_sizes), LEVELS, width=12, height=4.4 * len(patch_sizes) + 0.6)
    for line, patch in zip(axes, patch_sizes, strict=True):
        for level, ax in enumerate(line):
            blocks, tokens = 2 ** (LEVELS - 1 - level), side // patch // 2**level
            draw_input(ax, FourRegionMosaic(block=side // 4), mosaic)
            _grid(ax, side, blocks, BLOCK_COLOUR, 5.0)
            _grid(ax, side, tokens, TOKEN_COLOUR, 1.0)  # on top: where a token is a whole block, both are seen
            ax.set_title(f"level {level}: {_each(blocks, tokens)}", loc="left", fontsize=13)
        line[0].set_ylabel(f"patch {patch}")
    figure.suptitle("Red: blocks, inside of which attention stays. Blue: tokens.")
    return caption(figure, text, kind=kind, watermark=False)


def _each(blocks: int, tokens: int) -> str:
    per_block = (tokens // blocks) ** 2
    return f"{blocks**2} block{'s' * (blocks > 1)} of {per_block} token{'s' * (per_block > 1)}"


@styled
def branches(
    flow_map: np.ndarray,
    settings: Sequence[tuple[int, int]] = ((1, 1), (1, 4), (1, 16), (4, 4), (4, 16)),
    *,
    kind: Kind = "real",
    text: str = "",
) -> Figure:
    """Draw the patches of DA-CrossViT's coarse (La) and fine (Sm) branch over a map, one column a setting.

    Args:
        flow_map: one sample of recipe `flow_map`, (3, side, side).
        settings: patches of the coarse and of the fine branch, as the article's table 3 has them.
        kind: of the data.
        text: for the caption.
    """
    side = flow_map.shape[-1]
    figure, axes = panels(2, len(settings), width=2.7 * len(settings) + 0.8, height=6.8)
    for column, counts in enumerate(settings):
        for ax, name, patches in zip(axes[:, column], ("La", "Sm"), counts, strict=True):
            draw_input(ax, FlowMap(size=side), flow_map)
            _grid(ax, side, isqrt(patches), TOKEN_COLOUR, 2.0)
            ax.set_title(f"{name}={patches}: {1 + patches} tokens", fontsize=13)
    axes[0, 0].set_ylabel("coarse, wide tokens")
    axes[1, 0].set_ylabel("fine, narrow tokens")
    figure.suptitle("Patches of the two branches; a class token comes on top")
    return caption(figure, text, kind=kind, watermark=False)


def _grid(ax: Axes, side: int, cells: int, colour: str, width: float) -> None:
    """Draw lines between `cells` x `cells` cells, and around them."""
    edges = np.linspace(0, side, cells + 1) - 0.5
    ax.hlines(edges, -0.5, side - 0.5, colors=colour, linewidth=width, clip_on=False)
    ax.vlines(edges, -0.5, side - 0.5, colors=colour, linewidth=width, clip_on=False)
