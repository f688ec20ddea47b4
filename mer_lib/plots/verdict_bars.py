"""What became of the published numbers and claims of every experiment, as one bar each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mer_lib.manifest import Kind
from mer_lib.papers import verdicts
from mer_lib.papers.entries import PaperResults
from mer_lib.plots.style import caption, panels, readable_on, styled

NO_VERDICT = "no verdict"
#: Dark for what was decided in the paper's favour, red against it, pale where nothing could be decided.
COLOURS: Mapping[str, str] = MappingProxyType(
    {
        verdicts.SUPPORTED: "#1B7837",
        verdicts.AGREES: "#7FBF7B",
        verdicts.NOISE: "#E69F00",
        verdicts.CONTRADICTED: "#B00020",
        verdicts.DIFFERS: "#E78AC3",
        verdicts.UNTESTABLE: "#D9D9D9",
        NO_VERDICT: "#F2F2F2",
    }
)
_ROW, _LEAST_SHOWN = 0.34, 0.06  # inches a bar; share of a bar that has room for a number


def verdict_counts(results: PaperResults) -> pd.DataFrame:
    """Return how many published numbers and claims of each entry were given each verdict.

    Args:
        results: of the paper set.

    Returns:
        One row an entry of the papers, in their order, one column a verdict of :data:`COLOURS`.
    """
    counted = {}
    for result in results.papers():
        words = pd.concat([pd.Series(table["verdict"], dtype=object) for table in (result.cells, result.claims)])
        counted[result.id] = words.where(words.isin(list(COLOURS)), NO_VERDICT).value_counts()
    return pd.DataFrame(counted).T.reindex(columns=list(COLOURS)).fillna(0).astype(int)


@styled
def verdict_bars(results: PaperResults, text: str, kind: Kind) -> Figure:
    """Draw for every published experiment which share of its numbers and claims was given which verdict.

    Args:
        results: of the paper set.
        text: for the caption, what was run on what.
        kind: of the data that were named.
    """
    counts = verdict_counts(results)
    shares = counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    figure, ((ax,),) = panels(width=13, height=2.2 + _ROW * len(counts))
    left, places = np.zeros(len(counts)), np.arange(len(counts))
    for word, colour in COLOURS.items():
        width = shares[word].to_numpy()
        if not width.any():
            continue
        ax.barh(places, width, left=left, color=colour, edgecolor="white", label=word)
        for place in np.flatnonzero(width >= _LEAST_SHOWN):
            ax.text(left[place] + width[place] / 2, place, f"{counts[word].iloc[place]}", ha="center", va="center",
                    fontsize=10, color=readable_on(colour))  # fmt: skip
        left += width
    ax.set_yticks(places, list(counts.index), fontsize=11)
    ax.set(xlim=(0, 1), xlabel="share of the published numbers and claims (numbers: how many)")
    ax.set_ylim(len(counts) - 0.4, -0.6)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, borderaxespad=0.4)
    return caption(figure, text, kind=kind, watermark=False)
