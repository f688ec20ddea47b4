"""Everything that is here, or what a notebook names, opened to be looked at."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from mer_lib import datasets
from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.collection import gather
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.lab.parameters import ExplorationParameters, check_parameters
from mer_lib.lab.progress import ensure

if TYPE_CHECKING:
    from mer_lib.plots.exploration.showing import Exploration


def explore(namespace: MutableMapping[str, Any]) -> Exploration:
    """Check a notebook's parameters and open the data to look at: everything that is here, or what `data` names.

    Where "best" is asked for, what is here and cannot be used is named and passed over; where nothing else is here,
    synthetic data are made first, with a line that says how far that is.

    Raises:
        ParameterError: see :func:`check_parameters`.
        DataError: the data are absent, or cannot be used.
    """
    from mer_lib.plots.exploration.showing import Exploration  # plotly is loaded by those who explore

    parameters = check_parameters(namespace, ExplorationParameters)
    unusable: list[str] = []
    found = _everything(unusable) if parameters.data == datasets.BEST else [_opened(parameters.data)]
    return Exploration(found, gather(found), unusable)


def _everything(unusable: list[str]) -> list[FlowMapDataset | ClipDataset]:
    found = datasets.present(unusable=unusable)
    if found:
        return found
    unusable.clear()
    ensure(datasets.BEST)
    return datasets.present(unusable=unusable) or datasets.present()


def _opened(name: str) -> FlowMapDataset | ClipDataset:
    """Open the clips of a data set, or its flow maps where it has nothing else."""
    ensure(name)
    maps_alone = any(entry.name == name and entry.offers == {"maps"} for entry in datasets.available())
    return datasets.load(name) if maps_alone else datasets.load_clips(name)
