"""Figure of what a descriptor finds alike: clips of one person, or clips of one class."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mer_lib.handcrafted.svm import OneScale
from mer_lib.manifest import Kind
from mer_lib.plots.style import caption, panels, styled

SAME_COLOURS = {"the same person": "#882255", "the same class": "#117733"}


@styled
def person_or_class(
    described: Mapping[str, np.ndarray], subjects: np.ndarray, labels: np.ndarray, text: str, kind: Kind = "real"
) -> Figure:
    """Draw how often the clip that a descriptor finds most alike shows the same person, or the same class.

    Args:
        described: by the name of a descriptor, the numbers of all clips (N, features).
        subjects: (N,) who is seen.
        labels: (N,) what is shown.
        text: caption: where the clips come from.
        kind: of the data.
    """
    shares = nearest_shares(described, subjects, labels)
    figure, axes = panels(1, 2, width=12, height=2.3 + 0.6 * len(shares), sharey=True)
    for ax, (what, colour) in zip(axes[0], SAME_COLOURS.items(), strict=True):
        bars = ax.barh(shares.index, 100 * shares[what], color=colour, height=0.6)
        ax.bar_label(bars, fmt="%.0f", padding=4)
        ax.axvline(100 * shares[f"{what}, by chance"].iloc[0], color="black", linestyle=":", label="by chance")
        ax.set(xlabel="clips (%)", xlim=(0, 105), title=what)
        ax.invert_yaxis()
    axes[0, 0].invert_yaxis()  # shared axes: once is enough
    axes[0, 1].legend(loc="lower right")
    figure.suptitle("The clip that is most alike shows …")
    return caption(figure, f"{text} · the nearest other clip of {len(labels)}", kind=kind, watermark=False)


def nearest_shares(described: Mapping[str, np.ndarray], subjects: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """Return, by descriptor, for which share of clips the nearest other clip shows the same person or class.

    Chance is that of any other clip, all being as likely.
    """
    rows = {}
    for name, numbers in described.items():
        scaled = OneScale().fit_transform(numbers)
        apart = ((scaled[:, None] - scaled[None]) ** 2).sum(axis=-1)
        np.fill_diagonal(apart, np.inf)
        rows[name] = _shares(apart.argmin(axis=1), subjects, labels)
    return pd.DataFrame(rows).T


def _shares(nearest: np.ndarray, subjects: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    found = {}
    for what, values in zip(SAME_COLOURS, (np.asarray(subjects), np.asarray(labels)), strict=True):
        found[what] = float((values[nearest] == values).mean())
        others = (values[:, None] == values[None]).sum() - len(values)
        found[f"{what}, by chance"] = float(others / (len(values) * (len(values) - 1)))
    return found
