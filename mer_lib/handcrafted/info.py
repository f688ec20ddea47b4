"""What the registry knows about a handcrafted descriptor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.pipeline import Pipeline


@dataclass(frozen=True)
class HandcraftedInfo:
    """One descriptor of the registry.

    Attributes:
        name: the name that experiments use.
        title: the name that people use.
        factory: function whose keyword arguments are the parameters; returns descriptor and classifier.
        paper: who, where and when.
        url: DOI or arXiv address of the paper.
        recipe: the features that it describes, as a recipe of `mer_lib.features`.
    """

    name: str
    title: str
    factory: Callable[..., Pipeline]
    paper: str
    url: str
    recipe: Mapping[str, Any]
