"""Which apex frames are shown, read from the disk and made small."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pandas as pd

from mer_lib.datasets.collection import Collection
from mer_lib.datasets.summaries import class_order, in_order
from mer_lib.errors import DataError, ParameterError

HEIGHT = 200  # pixels of a picture
_ORDERS = {"label3": class_order, "emotion": in_order}


def choose(collection: Collection, by: str, columns: int, seed: int) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Pick samples for a montage and read their apex frames.

    Args:
        collection: where the samples come from; those without an apex or without images are passed over.
        by: "label3" or "emotion": what the samples of a row have in common.
        columns: at most so many a row, each of another subject.
        seed: which ones.

    Returns:
        The chosen samples (sample_id, dataset, subject, group), and their pictures by id: uint8 (h, w, 3) RGB. A sample
        whose frame cannot be read is passed over.

    Raises:
        ParameterError: `by` is none of the two, or `columns` is below 1.
    """
    if by not in _ORDERS:
        raise ParameterError(f"by: expected one of {', '.join(_ORDERS)}, got {by!r}")
    if columns < 1:
        raise ParameterError(f"columns: expected at least 1, got {columns}")
    shown = _with_images(collection)
    rows, pictures = [], {}
    for group in _ORDERS[by](shown[by].dropna()):
        found = _pictures_of(collection, shown[shown[by] == group], columns, seed)
        pictures.update(found)
        rows += [(sample_id, *sample_id.split("/")[:2], group) for sample_id in found]
    return pd.DataFrame(rows, columns=["sample_id", "dataset", "subject", "group"]), pictures


def _with_images(collection: Collection) -> pd.DataFrame:
    parts = [part for part, source in collection.sources.items() if getattr(source, "has_frames", False)]
    samples = collection.samples
    return samples[samples["dataset"].isin(parts) & samples["apex"].notna()]


def _pictures_of(collection: Collection, samples: pd.DataFrame, columns: int, seed: int) -> dict[str, np.ndarray]:
    """Return pictures of different subjects, the data sets taking turns."""
    mixed = samples.sample(frac=1, random_state=seed).drop_duplicates(["dataset", "subject"])
    mixed = mixed.assign(turn=mixed.groupby("dataset").cumcount()).sort_values("turn", kind="stable")
    pictures: dict[str, np.ndarray] = {}
    for row in mixed.itertuples():
        if len(pictures) == columns:
            break
        picture = _picture(collection.sources[str(row.dataset)], str(row.sample_id), int(row.apex))
        if picture is not None:
            pictures[str(row.sample_id)] = picture
    return pictures


def _picture(source: Any, sample_id: str, apex: int) -> np.ndarray | None:
    try:
        # Not moments(): those need an onset and an offset too.
        index = np.flatnonzero(source.frame_numbers(sample_id) == apex)[:1]
        return _small(source.frames(sample_id, index.tolist())[0]) if len(index) else None
    except DataError:
        return None  # its fault is in the report of `mer data check`


def _small(frame: np.ndarray) -> np.ndarray:
    colour = frame if frame.ndim == 3 else np.repeat(frame[..., None], 3, axis=2)
    width = max(1, round(colour.shape[1] * HEIGHT / colour.shape[0]))
    return np.asarray(cv2.resize(colour, (width, HEIGHT), interpolation=cv2.INTER_AREA))
