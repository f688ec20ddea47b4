"""Clips opened to be watched: what the notebooks on landmarks, apex, flow and regions stand on."""

from __future__ import annotations

from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any

from mer_lib import datasets
from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.own import is_path
from mer_lib.errors import DataError
from mer_lib.features.clip_view import ClipView
from mer_lib.lab.parameters import ExplorationParameters, check_parameters
from mer_lib.lab.progress import ensure
from mer_lib.manifest import Kind
from mer_lib.papers.data_used import name_with_frames

_OPEN = 4  # clips that are held at a time


class Watch:
    """The clips of a data set, one of which is looked at.

    Attributes:
        parameters: of the notebook.
        clips: the data set, with frames.
    """

    def __init__(self, parameters: ExplorationParameters, clips: ClipDataset) -> None:
        self.parameters, self.clips = parameters, clips
        self.view = lru_cache(maxsize=_OPEN)(self._view)

    @property
    def caption(self) -> str:
        """What everything in this notebook comes from, to stand beside every number and figure."""
        return f"{self.clips.label} · profile {self.parameters.profile}"

    @property
    def kind(self) -> Kind:
        """Whether the clips were recorded ("real") or drawn ("synthetic")."""
        return self.clips.kind

    @property
    def origin(self) -> str:
        """What the data are called where they are to be found again: their name, or the path that was given."""
        return self.parameters.data if is_path(self.parameters.data) else self.clips.name

    @property
    def ids(self) -> list[str]:
        """Sample ids of the clips that have frames."""
        return [name for name in self.clips.samples["sample_id"] if name in self.clips.sources]

    def first(self, *wanted: str) -> str:
        """Return the clip to begin with: the first of those `wanted` that is here, else the first that shows a face.

        Raises:
            DataError: no clip shows a face.
        """
        here = [name for name in wanted if name in self.ids]
        with_face = (name for name in self.ids if self.view(name).detection.found)
        chosen = next(iter(here), None) or next(with_face, None)
        if chosen is None:
            raise DataError(f"{self.clips.title}: no face is found in the onset frame of any of {len(self.ids)} clips")
        return chosen

    def _view(self, sample_id: str) -> ClipView:
        """Open one clip; the last few stay open."""
        return ClipView(self.clips, sample_id)


def watch(namespace: MutableMapping[str, Any]) -> Watch:
    """Check a notebook's parameters and open the clips that it names, or the best that are here.

    Where what it names has no frames (flow maps alone), the best clips are taken; where none are here, synthetic ones
    are made first, with a line that says how far that is. Profile smoke makes do with the smallest.

    Raises:
        ParameterError: see :func:`check_parameters`.
        DataError: the clips are absent, damaged, or cannot be made, or none has frames.
    """
    parameters = check_parameters(namespace, ExplorationParameters)
    name = _with_frames(parameters)
    ensure(name, need="frames")
    clips = datasets.load_clips(name)
    if not clips.has_frames:
        raise DataError(f"{clips.title}: the annotation alone is here; this notebook needs images or videos")
    return Watch(parameters, clips)


def _with_frames(parameters: ExplorationParameters) -> str:
    offers = {entry.name: entry.offers for entry in datasets.available()}
    maps_alone = offers.get(parameters.data) == {"maps"}
    asks_for_best = maps_alone or parameters.data == datasets.BEST
    return name_with_frames(parameters.profile) if asks_for_best else parameters.data
