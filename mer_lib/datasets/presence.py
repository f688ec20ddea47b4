"""Which data sets are here, and where: found without reading a map, a frame or a workbook."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

from mer_lib.datasets import own
from mer_lib.datasets.layouts import htnet_repository, ststnet_folds
from mer_lib.datasets.reading import Reading
from mer_lib.datasets.recorded import opening
from mer_lib.datasets.recorded.layouts import LAYOUTS
from mer_lib.datasets.synthetic import layout
from mer_lib.errors import DataError
from mer_lib.manifest import Entry, Kind, Manifest, load_manifest
from mer_lib.settings import data_root, synthetic_root

BEST = "best"
MAKE_COMMAND = "mer data make synthetic --profile demo"
#: What somebody wants of a data set: flow maps, frames, or frames with the exact truth.
Need = Literal["maps", "frames", "truth"]


class MapLayout(NamedTuple):
    """How a list of flow maps lies on a disk."""

    is_there: Callable[[Path], bool]
    read: Callable[[Path, Entry], Reading]


MAP_LAYOUTS: Mapping[str, MapLayout] = MappingProxyType(
    {
        "htnet_repository": MapLayout(htnet_repository.is_there, htnet_repository.read),
        "ststnet_folds": MapLayout(ststnet_folds.is_there, ststnet_folds.read),
    }
)


@dataclass(frozen=True)
class Presence:
    """Whether a data set is there, found without reading it.

    Attributes:
        path: its folder; None where it is absent, generated in memory, or lies in several folders.
        how_to_obtain: what to do to have it.
        offers: what can be had of it: flow maps, frames, truth; empty where only an annotation is there.
    """

    name: str
    title: str
    kind: Kind
    present: bool
    path: Path | None
    how_to_obtain: str
    offers: frozenset[Need]


class Found(NamedTuple):
    """A data set that somebody named: its entry, whether it is there, and the manifest that it stands in."""

    entry: Entry
    presence: Presence
    manifest: Manifest
    root: Path


def available(root: Path | None = None, manifest: Manifest | None = None) -> list[Presence]:
    """Every data set of the manifest, in its order, and whether it is there; no map, frame or workbook is read."""
    manifest, root = manifest or load_manifest(), root or data_root()
    return [_presence(entry, root, manifest) for entry in manifest.datasets]


def best(root: Path | None = None, manifest: Manifest | None = None, need: Need = "maps") -> Presence | None:
    """The data set that "best" stands for: the first of the manifest that is there, or None where none is.

    Data that are for tests alone (the toy, the smallest synthetic profile) are never taken.

    Args:
        root: folder above the data sets; :func:`mer_lib.settings.data_root` where none is given.
        manifest: the project's own where none is given.
        need: take only data sets that offer it.
    """
    manifest, root = manifest or load_manifest(), root or data_root()
    found = (_presence(entry, root, manifest) for entry in manifest.datasets if not entry.for_tests)
    return next((presence for presence in found if presence.present and need in presence.offers), None)


def find(name: str | Path, root: Path | None = None, manifest: Manifest | None = None, need: Need = "maps") -> Found:
    """Return the data set that somebody named.

    Args:
        name: a name of the manifest; "best"; or the path of a folder (it holds a slash), whose layout is recognised.
        root: folder above the data sets; :func:`mer_lib.settings.data_root` where none is given.
        manifest: the project's own where none is given.
        need: what "best" has to offer.

    Raises:
        ParameterError: the manifest has no such name.
        DataError: "best" was asked for, and nothing is there; or a folder holds nothing that is known.
    """
    manifest, root, name = manifest or load_manifest(), root or data_root(), str(name)
    if name != BEST and name not in manifest.names and own.is_path(name):
        folder = own.folder_of(name)
        entry = own.entry_of(folder, manifest)
        return Found(entry, _recorded_presence(entry, folder), manifest, root)
    if name != BEST:
        entry = manifest.entry(name)
        return Found(entry, _presence(entry, root, manifest), manifest, root)
    taken = best(root, manifest, need)
    if taken is None:
        raise DataError(
            f"No data with {need} are here: expected real ones below {root}, or synthetic ones in {synthetic_root()}. "
            f"Run `{MAKE_COMMAND}` to make some (`make run` does so by itself), or see `mer data check` for real ones."
        )
    return Found(manifest.entry(taken.name), taken, manifest, root)


def absent(found: Found) -> DataError:
    """Return the error that says what was looked for, where, and how to obtain it."""
    entry = found.entry
    remedy = f"How to obtain it: {entry.how_to_obtain}"
    if entry.kind == "synthetic":
        looked = f"expected {entry.profile}.csv in {synthetic_root()}"
    elif entry.of:
        lacking = [
            name for name in entry.of if not _presence(found.manifest.entry(name), found.root, found.manifest).present
        ]
        looked = f"expected {', '.join(entry.of)} below {found.root}, but there is no {' and no '.join(lacking)}"
    else:
        looked = f"expected one of the folders {', '.join(entry.paths)} below {found.root}, got none that holds it"
    return DataError(f"{entry.title} ({entry.name}) is absent: {looked}. {remedy}")


# -- where things lie -------------------------------------------------------------------------------------------------


def _presence(entry: Entry, root: Path, manifest: Manifest) -> Presence:
    if entry.of:
        parts = [_presence(manifest.entry(name), root, manifest) for name in entry.of]
        offers = frozenset.intersection(*(part.offers for part in parts))
        there = all(part.present for part in parts)
        return Presence(entry.name, entry.title, entry.kind, there, None, entry.how_to_obtain, offers)
    if entry.is_recorded:
        return _recorded_presence(entry, recorded_place(entry, root))
    if entry.layout == "synthetic":
        path = synthetic_root() if layout.is_there(synthetic_root(), entry) else None
        return _made_presence(entry, path, frozenset({"maps", "frames", "truth"}))
    folders = (root / path for path in entry.paths)
    known = MAP_LAYOUTS.get(entry.layout)
    path = next((folder for folder in folders if known and known.is_there(folder)), None)
    return _made_presence(entry, path, frozenset({"maps"}))


def _made_presence(entry: Entry, path: Path | None, offers: frozenset[Need]) -> Presence:
    there = path is not None or entry.layout == "generated"
    return Presence(entry.name, entry.title, entry.kind, there, path, entry.how_to_obtain, offers)


def _recorded_presence(entry: Entry, path: Path | None) -> Presence:
    offers: frozenset[Need] = frozenset({"frames"} if path and opening.has_images(path, entry.layout) else ())
    return Presence(entry.name, entry.title, entry.kind, path is not None, path, entry.how_to_obtain, offers)


def recorded_place(entry: Entry, root: Path) -> Path | None:
    """Return the folder of a licensed data set, the most complete one: with annotation and images, else either.

    Of equals the first is taken: those that the manifest names come before those around an annotation.
    """
    held = {folder: opening.completeness(folder, entry.layout) for folder in _candidates(entry, root)}
    return max((folder for folder in held if held[folder]), key=held.__getitem__, default=None)


def _candidates(entry: Entry, root: Path) -> Iterator[Path]:
    yield from (root / path for path in entry.paths)
    for file in LAYOUTS[entry.layout].annotation_files(root):
        inside = file.relative_to(root).parts
        yield root / inside[0] if len(inside) > 1 else root
