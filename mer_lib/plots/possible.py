"""Figures of the number checker: what a printed number leaves open."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mer_lib.claims.row import Row
from mer_lib.claims.scores import values
from mer_lib.claims.search import search
from mer_lib.errors import ParameterError
from mer_lib.plots.style import ALARM_COLOUR, CLASS_COLOURS, dataset_label, panels, styled

STATES = {"possible": "#009E73", "undecided": "#56B4E9", "impossible": ALARM_COLOUR}


@styled
def scores_of_all_tables(row: Row, dataset: str, samples: int = 200_000, seed: int = 0) -> Figure:
    """Draw UF1 and UAR of random tables of one data set, and the printed pair among them.

    Args:
        row: with uf1 and uar on the data set.
        dataset: which.
        samples: number of tables that are drawn.
        seed: of their drawing.

    Raises:
        ParameterError: the row does not have both numbers.
    """
    shares = {cell.metric: row.share(cell) for cell in row.printed if cell.dataset == dataset}
    if not {"uf1", "uar"} <= set(shares):
        raise ParameterError(f"{row.name}: expected uf1 and uar on {dataset}, got {', '.join(shares) or 'nothing'}")
    counts = np.array(row.counts[dataset].counts)
    rng = np.random.default_rng(seed)
    tp = rng.integers(0, counts + 1, (samples, len(counts)))
    fp = _random_false_alarms(counts - tp, rng)
    figure, axes = panels(width=9.0, height=6.5)
    ax = axes[0, 0]
    uar, uf1 = (values((name, None), counts.tolist(), tp, fp) for name in ("uar", "uf1"))
    ax.plot(uar, uf1, ",", color="#56B4E9", alpha=0.3, rasterized=True)
    ax.plot(shares["uar"], shares["uf1"], "o", ms=12, mfc="none", mec=ALARM_COLOUR, mew=2.5)
    ax.annotate(
        f"{row.name}\nUAR {shares['uar']:.4f}, UF1 {shares['uf1']:.4f}",
        (shares["uar"], shares["uf1"]), xytext=(12, -12), textcoords="offset points", va="top", color=ALARM_COLOUR,
    )  # fmt: skip
    ax.set(xlabel="UAR", ylabel="UF1", xlim=(0, 1), ylim=(0, 1))
    ax.set_title(f"{samples:,} random confusion matrices on {row.counts[dataset]} samples ({dataset_label(dataset)})")
    return figure


def _random_false_alarms(missed: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The column sums of matrices whose mistakes go to the other classes at random."""
    classes = missed.shape[1]
    fp = np.zeros_like(missed)
    for c in range(classes):
        others = [other for other in range(classes) if other != c]
        weights = rng.dirichlet(np.full(len(others), 0.7), len(missed))
        fp[:, others] += rng.multinomial(missed[:, c], weights)
    return fp


@styled
def verdicts_of_table(checked: pd.DataFrame, title: str) -> Figure:
    """Draw a published table as coloured cells: green where a number can be, red where it cannot, blue if undecided.

    Args:
        checked: columns method, variant, dataset, metric, printed and possible, as
            :func:`mer_lib.papers.checked.checked` has them.
        title: above the figure.

    Raises:
        ParameterError: no number of the table was checked.
    """
    shown = checked[checked["possible"] != ""]
    if shown.empty:
        raise ParameterError("expected numbers that were checked, there are none")
    labels = [_label(m, v, checked) for m, v in zip(shown["method"], shown["variant"], strict=True)]
    columns = [f"{dataset_label(d)}\n{m}" for d, m in zip(shown["dataset"], shown["metric"], strict=True)]
    rows, heads = list(dict.fromkeys(labels)), list(dict.fromkeys(columns))
    figure, axes = panels(width=2.5 + 1.35 * len(heads), height=1.8 + 0.42 * len(rows))
    ax = axes[0, 0]
    for label, head, text, state in zip(labels, columns, shown["printed"], shown["possible"], strict=True):
        x, y = heads.index(head), rows.index(label)
        ax.add_patch(_box(x, y, STATES[state]))
        ax.text(x, y, text, ha="center", va="center", fontsize=12, color="white")
    ax.set(xlim=(-0.5, len(heads) - 0.5), ylim=(len(rows) - 0.5, -0.5), title=title)
    ax.set_xticks(range(len(heads)), heads, fontsize=11)
    ax.set_yticks(range(len(rows)), rows, fontsize=12)
    ax.tick_params(length=0)
    return figure


def _label(method: str, variant: str, table: pd.DataFrame) -> str:
    return variant if variant and table["method"].nunique() == 1 else " ".join(filter(None, (method, variant)))


def _box(x: int, y: int, colour: str) -> Rectangle:
    return Rectangle((x - 0.47, y - 0.44), 0.94, 0.88, color=colour)


@styled
def what_one_class_may_have(row: Row, dataset: str) -> Figure:
    """Draw how many samples of each class all fitting tables get right: what the printed scores tell of recalls.

    Raises:
        ParameterError: no table fits.
    """
    found = search(row.problem(dataset))
    if not len(found):
        raise ParameterError(f"{row.name}: no table of {dataset} gives its numbers")
    of_set = row.counts[dataset]
    figure, axes = panels(columns=len(of_set.classes), width=4.0 * len(of_set.classes), height=3.6)
    colours: Mapping[str, str] = CLASS_COLOURS
    for c, (name, n) in enumerate(zip(of_set.classes, of_set.counts, strict=True)):
        ax = axes[0, c]
        right, amount = np.unique(found.tp[:, c], return_counts=True)
        ax.bar(right, amount, width=0.9, color=colours.get(name, "#777777"))
        ax.set(title=f"{name}: {n} samples", xlabel="recognised", ylabel="fitting tables" if c == 0 else "")
        ax.set_xlim(-0.5, n + 0.5)
    return figure
