"""What a layout's reader hands on: clips, and every fault it met on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from mer_lib.datasets.maps import decode_map
from mer_lib.errors import DataError
from mer_lib.manifest import Part

_LITTER = frozenset({"thumbs.db", "desktop.ini"})


class Clip(NamedTuple):
    """One sample as found on a disk; its class or its map is None where that is a fault.

    `facts` are further columns of the samples table, where a data set states them.
    """

    dataset: str
    subject: str
    clip: str
    label3: str | None
    pixels: np.ndarray | None
    facts: Mapping[str, object] = MappingProxyType({})


class Reading(NamedTuple):
    """All clips of a list of flow maps, and all faults, each one line for the user.

    `excluded` says, by sample id, why a clip has no map; `faults` is what is wrong with the list as a whole.
    """

    clips: list[Clip]
    faults: list[str]
    excluded: Mapping[str, str] = MappingProxyType({})


def read_map(path: Path, shown: str, faults: list[str]) -> np.ndarray | None:
    """Read one map, or note in `faults` why it cannot be read, calling the file `shown`."""
    try:
        return decode_map(path.read_bytes())
    except OSError as error:
        faults.append(f"{shown}: cannot be read ({error.strerror or error})")
    except DataError as error:
        faults.append(f"{shown}: {error}")
    return None


def owner_of(subject: str, parts: Mapping[str, Part]) -> str | None:
    """The sub-dataset that writes its subject ids as `subject` is written, if exactly one does."""
    owners = [name for name, part in parts.items() if part.owns(subject)]
    return owners[0] if len(owners) == 1 else None


def name_contradiction(part: Part, clip: str, label3: str | None) -> str | None:
    """Why the name of a clip and its class cannot both be right, or None where they can."""
    named = part.class_in_name(clip)
    if named is None or label3 is None or named == label3:
        return None
    return f"the label says {label3}, but the clip's name says {named}"


def visible_files(folder: Path) -> Iterator[Path]:
    """Files of a folder in the order of their names, without what operating systems leave behind."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and not is_litter(path.name):
            yield path


def is_litter(name: str) -> bool:
    """Whether a file or folder is hidden or was left behind by an operating system."""
    return name.startswith(".") or name.lower() in _LITTER
