"""A data set of flow maps held in memory: a samples table and the map of each sample, joined by id."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mer_lib.datasets.faults import Fault, exclusions
from mer_lib.datasets.maps import MAP_SHAPE
from mer_lib.datasets.reading import Clip
from mer_lib.datasets.samples import CLASSES, COLUMNS, check_samples, sample_id
from mer_lib.errors import DataError, fault_list
from mer_lib.manifest import Kind, Part

if TYPE_CHECKING:
    from mer_lib.datasets.clips import ClipDataset


@dataclass(frozen=True, eq=False, repr=False)
class FlowMapDataset:
    """Flow maps and their samples table.

    >>> from mer_lib.datasets import load
    >>> toy = load("toy_flow")
    >>> toy.maps().shape, toy.labels().shape
    ((48, 28, 28, 3), (48,))
    >>> toy.label
    'toy flow maps (generated, not faces)'

    Attributes:
        name: name in the data manifest.
        title: title in the data manifest.
        kind: "real", "synthetic" or "toy"; whatever is shown from the last two says so.
        samples: the checked samples table, sorted by sample_id.
        pixels: uint8 (n, 28, 28, 3), read-only, in the order the table had when it was made; use
            :meth:`maps`, which goes by id.
        faults: everything that was found wrong.
        open_clips: opens the clips that the maps were made of, by the same ids; None where there are none.
    """

    name: str
    title: str
    kind: Kind
    samples: pd.DataFrame
    pixels: np.ndarray
    faults: tuple[Fault, ...] = ()
    open_clips: Callable[[], ClipDataset] | None = None
    _position: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        expected = (len(self.samples), *MAP_SHAPE)
        if self.pixels.shape != expected or self.pixels.dtype != np.uint8:
            raise DataError(
                f"Flow maps of {self.name}: expected uint8 {expected}, one map a row of the samples table, "
                f"got {self.pixels.dtype} {self.pixels.shape}."
            )
        frozen = self.pixels.view()
        frozen.flags.writeable = False
        object.__setattr__(self, "pixels", frozen)
        # Remembered now, so that sorting `samples` later cannot part a map from its id.
        object.__setattr__(self, "_position", {key: i for i, key in enumerate(self.samples["sample_id"])})

    def __repr__(self) -> str:
        return f"<FlowMapDataset {self.name}: {self.label}>"

    def maps(self, sample_ids: Sequence[str] | None = None) -> np.ndarray:
        """Maps of `sample_ids` (all, in table order, where none are given).

        Returns:
            uint8 (n, 28, 28, 3): rows, columns, then channels u, v, strain; a copy.

        Raises:
            DataError: naming every id that the data set does not have.
        """
        return self.pixels[self._rows(sample_ids)]

    def labels(self, sample_ids: Sequence[str] | None = None) -> np.ndarray:
        """Labels of `sample_ids` (all, in table order, where none are given).

        Returns:
            int64 (n,), positions in :data:`mer_lib.datasets.CLASSES`.

        Raises:
            DataError: naming every id that is unknown, or has no three-class label.
        """
        return self._codes[self._rows(sample_ids)]

    @property
    def label(self) -> str:
        """What the data are, in the words to print beside every number and figure."""
        if self.kind == "toy":
            return "toy flow maps (generated, not faces)"
        if self.kind == "synthetic":
            return f"{len(self.samples)} synthetic flow maps (drawn faces, {self.title})"
        excluded = f", {len(self.exclusions)} excluded" if len(self.exclusions) else ""
        return f"{len(self.samples)} real flow maps ({self.title}){excluded}"

    @cached_property
    def exclusions(self) -> pd.DataFrame:
        """Samples that cannot be used, one row each: sample_id, and `reason` with all that is wrong with it."""
        return exclusions(self.faults)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over (sample_id, label, map) of all samples in the order of their ids.

        The order of rows does not matter; any change of an id, a label or one pixel does.
        """
        total = hashlib.sha256()
        for key in sorted(self._position):
            row = self._position[key]
            total.update(f"{len(key.encode())}:{key}={self._codes[row]};".encode())
            total.update(self.pixels[row].tobytes())
        return total.hexdigest()

    def _rows(self, sample_ids: Sequence[str] | None) -> np.ndarray:
        wanted = list(self.samples["sample_id"] if sample_ids is None else sample_ids)
        unknown = sorted({str(key) for key in wanted if key not in self._position})
        if unknown:
            raise DataError(f"{self.name} has no such samples, though they were asked for:\n{fault_list(unknown)}")
        return np.array([self._position[key] for key in wanted], dtype=np.int64)

    @cached_property
    def _codes(self) -> np.ndarray:
        by_id = self.samples.set_index("sample_id")["label3"].reindex(list(self._position))
        codes = by_id.map({name: code for code, name in enumerate(CLASSES)})
        if codes.isna().any():
            missing = by_id.index[codes.isna()]
            raise DataError(f"{self.name} has samples without a three-class label:\n{fault_list(missing)}")
        return codes.to_numpy(dtype=np.int64)


def from_clips(
    name: str,
    title: str,
    kind: Kind,
    clips: Iterable[Clip],
    parts: Mapping[str, Part],
    faults: tuple[Fault, ...] = (),
    open_clips: Callable[[], ClipDataset] | None = None,
) -> FlowMapDataset:
    """Make a data set of complete clips (each with its map), sorted by sample_id.

    Args:
        name: name in the data manifest.
        title: title in the data manifest.
        kind: "real", "synthetic" or "toy".
        clips: each with a class and a map.
        parts: what holds for all clips of a sub-dataset (frame rate, where the apex comes from).
        faults: everything that was found wrong, with the samples that are excluded.
        open_clips: opens the clips that the maps were made of; None where there are none.

    Raises:
        DataError: two clips share an id, or the samples table breaks its schema.
    """
    ordered = sorted(clips, key=lambda clip: sample_id(clip.dataset, clip.subject, clip.clip))
    pixels = np.stack([clip.pixels for clip in ordered if clip.pixels is not None])
    table = pd.DataFrame([_row(clip, parts[clip.dataset]) for clip in ordered], columns=list(COLUMNS))
    return FlowMapDataset(name, title, kind, check_samples(table), pixels, faults, open_clips)


def _row(clip: Clip, part: Part) -> dict[str, object]:
    """One row of the samples table; what a data set does not say stays missing."""
    return {
        **dict.fromkeys(COLUMNS, pd.NA),
        "sample_id": sample_id(clip.dataset, clip.subject, clip.clip),
        "dataset": clip.dataset,
        "subject": clip.subject,
        "clip": clip.clip,
        "fps": pd.NA if part.fps is None else part.fps,
        "apex_source": part.apex_source,
        "label3": clip.label3,
        **clip.facts,
    }
