"""Pictures that an image network is fed: a still face, what has changed in it, and what augmentation makes of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mer_lib.datasets.clips import ClipDataset
from mer_lib.features import ApexFace, compute
from mer_lib.plots.style import caption, panels, styled
from mer_lib.training.augmentation import FaceAugmentation

_ROWS = {"onset": "onset", "apex": "apex", "difference": "apex minus onset"}
_LOUD = 99.5  # percentile of the change that is drawn black or white


def one_of_each_class(clips: ClipDataset, count: int = 2) -> list[str]:
    """Return `count` clips of each class, in the order of the table, of different subjects where there are so many."""
    table = clips.samples.dropna(subset=["label3"])
    chosen: list[str] = []
    for _, group in table.groupby("label3", sort=True):
        ids = [*group.drop_duplicates(["dataset", "subject"])["sample_id"], *group["sample_id"]]
        chosen += list(dict.fromkeys(ids))[:count]
    return chosen


@styled
def onset_apex_difference(clips: ClipDataset, sample_ids: Sequence[str], size: int = 128) -> Figure:
    """Draw clips side by side: the onset, the apex, and what has changed between them.

    Of the change, grey is none; every clip has a scale of its own, so its strength cannot be compared.
    """
    ids = list(sample_ids)
    labels = clips.samples.set_index("sample_id")["label3"]
    figure, axes = panels(3, len(ids), width=2.3 * len(ids) + 1, height=8.0)
    for line, (frame, name) in zip(axes, _ROWS.items(), strict=True):
        images = compute(ApexFace(size=size, frame=frame, grey=frame == "difference"), clips, ids)  # type: ignore[arg-type]
        for ax, image in zip(line, images, strict=True):
            _draw(ax, image)
        line[0].set_ylabel(name)
    for ax, sample_id in zip(axes[0], ids, strict=True):
        ax.set_title(str(labels[sample_id]), fontsize=13)
    return caption(figure, f"{clips.label}, {size} pixels", kind=clips.kind, watermark=False)


@styled
def augmented(clips: ClipDataset, sample_id: str, ways: dict[str, FaceAugmentation], count: int = 6) -> Figure:
    """Draw one apex frame as each way of augmenting it shows it to a network, `count` times.

    Args:
        clips: hold it.
        sample_id: which clip.
        ways: by their names, one a row.
        count: columns.
    """
    picture = torch.from_numpy(compute(ApexFace(size=128), clips, [sample_id]))
    figure, axes = panels(len(ways), count, width=2.1 * count + 1.2, height=2.3 * len(ways) + 0.8)
    for line, (name, way) in zip(axes, ways.items(), strict=True):
        changed = way(picture.expand(count, -1, -1, -1), torch.Generator().manual_seed(0))
        for ax, image in zip(line, changed.numpy(), strict=True):
            _draw(ax, image)
        line[0].set_ylabel(name)
    return caption(figure, f"{clips.label}, {sample_id}", kind=clips.kind, watermark=False)


def _draw(ax: Axes, image: np.ndarray) -> None:
    if image.min() < 0:
        loud = max(float(np.percentile(np.abs(image), _LOUD)), 1e-6)
        ax.imshow(image.mean(axis=0), cmap="Greys_r", vmin=-loud, vmax=loud)
    elif len(image) == 1:
        ax.imshow(image[0], cmap="Greys_r", vmin=0, vmax=255)
    else:
        ax.imshow(np.moveaxis(image, 0, -1).clip(0, 255).astype(np.uint8))
    ax.set(xticks=[], yticks=[])
