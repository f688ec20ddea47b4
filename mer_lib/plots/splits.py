"""Who is trained on, held out and tested in each fold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.datasets.samples import qualified_subjects
from mer_lib.evaluation.folds import subject_of
from mer_lib.evaluation.splits import Split
from mer_lib.plots.style import caption, dataset_label, panels, styled

SIDES = {"train": ("training", "#DDDDDD"), "inner": ("inner validation", "#DDAA33"), "test": ("tested", "#004488")}


@styled
def who_is_where(splits: Sequence[Split], dataset: FlowMapDataset) -> Figure:
    """Draw one row a fold and one column a subject, coloured by the side on which the subject stands.

    A subject on two sides of one fold would leak; :func:`mer_lib.evaluation.folds.refuse_leakage` stops such a fold.
    """
    subjects = sorted(qualified_subjects(dataset.samples).unique())
    image = np.zeros((len(splits), len(subjects)))
    for row, split in enumerate(splits):
        for code, side in enumerate(SIDES):
            for sample_id in getattr(split, side):
                image[row, subjects.index(subject_of(sample_id))] = code
    figure, ((ax,),) = panels(width=13, height=min(1.8 + 0.42 * len(splits), 9))
    colours = [colour for _, colour in SIDES.values()]
    ax.pcolormesh(image, cmap=ListedColormap(colours), vmin=-0.5, vmax=2.5, edgecolors="white", linewidth=0.8)
    ax.invert_yaxis()
    size = 13 if len(splits) < 15 else 6
    ax.set_yticks(np.arange(len(splits)) + 0.5, [split.name for split in splits], fontsize=size)
    _mark_datasets(ax, subjects)
    handles = [Patch(facecolor=colour, edgecolor="#888888", label=label) for label, colour in SIDES.values()]
    figure.legend(handles=handles, loc="outside upper right", ncols=len(SIDES))
    figure.suptitle("Folds and people", x=0.01, ha="left")
    return caption(figure, dataset.label, kind=dataset.kind)


def _mark_datasets(ax: Axes, subjects: Sequence[str]) -> None:
    """Name the data sets under their columns and part them by lines."""
    parts = [subject.split("/")[0] for subject in subjects]
    names = list(dict.fromkeys(parts))
    starts = [parts.index(name) for name in names] + [len(parts)]
    for edge in starts[1:-1]:
        ax.axvline(edge, color="black", linewidth=1.5)
    middles = [(a + b) / 2 for a, b in zip(starts, starts[1:], strict=False)]
    ax.set_xticks(middles, [f"{dataset_label(n)}: {parts.count(n)} people" for n in names])
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
