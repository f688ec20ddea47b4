"""Apex frames beside each other."""

from __future__ import annotations

from matplotlib.figure import Figure

from mer_lib.datasets.collection import Collection
from mer_lib.plots.exploration import content
from mer_lib.plots.exploration.look import montage_rows, sample_text
from mer_lib.plots.exploration.printed.frame import framed
from mer_lib.plots.style import panels, styled


@styled
def apex_frames(collection: Collection, by: str = "label3", columns: int = 6, seed: int = 0) -> Figure:
    """Draw apex frames of some samples of each class or emotion, each of another subject.

    Args:
        collection: where the samples come from.
        by: one row of pictures a value of this column: "label3" or "emotion".
        columns: so many pictures a row.
        seed: which ones.
    """
    shown = content.apex_frames(collection, by, columns, seed)
    groups = montage_rows(shown.table)
    wide = max(len(ids) for ids in groups.values())
    figure, axes = panels(len(groups), wide, width=13, height=2.2 * len(groups) * 6 / max(wide, 4) + 1.2)
    for row, (group, ids) in zip(axes, groups.items(), strict=True):
        for ax in row:
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        for ax, sample_id in zip(row, ids, strict=False):
            ax.imshow(shown.extra["pictures"][sample_id])
            ax.set_title(sample_text(sample_id), fontsize=10.5, weight="normal")
        row[0].set_ylabel(group, weight="bold")
    return framed(figure, shown, watermark=False)
