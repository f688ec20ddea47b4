"""From the manifest to data: what is present, whether it is as it should be, and loading it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd

from mer_lib.datasets import htnet_repository, ststnet_folds, toy
from mer_lib.datasets.clips import ClipDataset, open_clips
from mer_lib.datasets.flow_maps import FlowMapDataset, from_clips
from mer_lib.datasets.reading import Clip, Reading
from mer_lib.datasets.samples import CLASSES, qualified_subjects
from mer_lib.datasets.synthetic import layout
from mer_lib.errors import DataError, fault_list
from mer_lib.manifest import Entry, Expected, Kind, Manifest, PartCounts, load_manifest
from mer_lib.settings import data_root, synthetic_root

BEST = "best"
MAKE_COMMAND = "mer data make synthetic --profile demo"
Status = Literal["present", "absent", "mismatch"]


class _Layout(NamedTuple):
    is_there: Callable[[Path], bool]
    read: Callable[[Path, Entry], Reading]


_ON_DISK = {
    "htnet_repository": _Layout(htnet_repository.is_there, htnet_repository.read),
    "ststnet_folds": _Layout(ststnet_folds.is_there, ststnet_folds.read),
}


@dataclass(frozen=True)
class Presence:
    """Whether a data set is there, found without reading it.

    Attributes:
        path: its folder; None where it is absent, or generated in memory.
        how_to_obtain: what to do to have it.
    """

    name: str
    title: str
    kind: Kind
    present: bool
    path: Path | None
    how_to_obtain: str


@dataclass(frozen=True, eq=False)
class CheckReport:
    """A disk compared with the manifest.

    Attributes:
        status: "present" (all is as expected), "mismatch" (see `faults`) or "absent" (see `how_to_obtain`).
        faults: everything that is not as expected, one line each.
        how_to_obtain: what to do; None unless the data set is absent.
        counts: what was found: one row a sub-dataset and one for "all", columns subjects, one a class,
            samples.
    """

    name: str
    title: str
    kind: Kind
    status: Status
    path: Path | None
    faults: tuple[str, ...]
    how_to_obtain: str | None
    counts: pd.DataFrame


def available(root: Path | None = None, manifest: Manifest | None = None) -> list[Presence]:
    """Every data set of the manifest, in its order, and whether it is there; no map is read."""
    root = root or data_root()
    return [_presence(entry, root) for entry in (manifest or load_manifest()).datasets]


def best(root: Path | None = None, manifest: Manifest | None = None, frames: bool = False) -> Presence | None:
    """The data set that "best" stands for: the first of the manifest that is there, or None where none is.

    Data that are for tests alone (the toy, the smallest synthetic profile) are never taken.

    Args:
        root: folder above the data sets; :func:`mer_lib.settings.data_root` where none is given.
        manifest: the project's own where none is given.
        frames: take only data sets with frames, not those of flow maps alone.
    """
    entries = [entry for entry in (manifest or load_manifest()).datasets if not entry.for_tests]
    found = (_presence(entry, root or data_root()) for entry in entries if has_frames(entry) or not frames)
    return next((presence for presence in found if presence.present), None)


def has_frames(entry: Entry) -> bool:
    """Whether a data set has clips that :func:`load_clips` opens."""
    return entry.layout == "synthetic"


def check(name: str, root: Path | None = None, manifest: Manifest | None = None) -> CheckReport:
    """Read a data set and compare it with the manifest.

    Args:
        name: a name of the manifest, or "best" as for :func:`load`.
        root: folder above the data sets; :func:`mer_lib.settings.data_root` where none is given.
        manifest: the project's own where none is given.

    Raises:
        ParameterError: the manifest has no such name.
        DataError: "best" was asked for, and nothing is there.
    """
    entry, presence = _find(name, root, manifest)
    reading = _read(entry, presence, thorough=True) if presence.present else Reading([], [])
    faults = (*reading.faults, *_count_faults(reading.clips, entry.expected)) if presence.present else ()
    return CheckReport(
        name=entry.name,
        title=entry.title,
        kind=entry.kind,
        status=_status(presence.present, bool(faults)),
        path=presence.path,
        faults=faults,
        how_to_obtain=None if presence.present else entry.how_to_obtain,
        counts=_counts(reading.clips, entry.expected),
    )


def load(name: str, root: Path | None = None, manifest: Manifest | None = None) -> FlowMapDataset:
    """Load a data set that is exactly what the manifest says.

    Args:
        name: a name of the manifest, or "best": the first in the manifest's order that is there (real data before
            synthetic ones, the toy never). A "best" that is there but damaged is an error, never passed over.
        root: folder above the data sets; :func:`mer_lib.settings.data_root` where none is given.
        manifest: the project's own where none is given.

    Raises:
        ParameterError: the manifest has no such name.
        DataError: the data set is absent (with what to do), or is not as expected (all faults at once).
    """
    entry, presence = _find(name, root, manifest)
    if not presence.present:
        raise _absent(entry, root or data_root())
    reading = _read(entry, presence)
    _refuse_faults(entry, presence, reading)
    return from_clips(entry.name, entry.title, entry.kind, reading.clips, entry.parts)


def load_clips(name: str, root: Path | None = None, manifest: Manifest | None = None) -> ClipDataset:
    """Open the clips of a data set: their frames, and for synthetic ones the truth; no frame is read yet.

    Args:
        name: a name of the manifest, or "best": the first with frames that is there.
        root: folder above the data sets; :func:`mer_lib.settings.data_root` where none is given.
        manifest: the project's own where none is given.

    Raises:
        ParameterError: the manifest has no such name.
        DataError: the data set is absent or not as expected, or has flow maps alone.
    """
    entry, presence = _find(name, root, manifest, frames=True)
    if not has_frames(entry):
        raise DataError(
            f"{entry.title} ({entry.name}) has flow maps alone: expected a data set with frames, "
            f"such as synthetic_demo (make it with `{MAKE_COMMAND}`)"
        )
    if presence.path is None:
        raise _absent(entry, root or data_root())
    _refuse_faults(entry, presence, _read(entry, presence))
    return open_clips(entry, presence.path)


def _refuse_faults(entry: Entry, presence: Presence, reading: Reading) -> None:
    faults = [*reading.faults, *_count_faults(reading.clips, entry.expected)]
    if faults:
        raise DataError(
            f"{entry.title} at {presence.path} is not what the manifest expects, in {len(faults)} points:\n"
            f"{fault_list(faults)}\n"
            f"Obtain it afresh: {entry.how_to_obtain}"
        )


def _absent(entry: Entry, root: Path) -> DataError:
    if entry.kind == "synthetic":
        return DataError(
            f"{entry.title} ({entry.name}) is absent: expected {entry.profile}.csv in {synthetic_root()}. "
            f"How to obtain it: {entry.how_to_obtain}"
        )
    return DataError(
        f"{entry.title} ({entry.name}) is absent: expected one of the folders {', '.join(entry.paths)} below "
        f"{root}, got none that holds it. How to obtain it: {entry.how_to_obtain}"
    )


def _find(name: str, root: Path | None, manifest: Manifest | None, frames: bool = False) -> tuple[Entry, Presence]:
    root = root or data_root()
    manifest = manifest or load_manifest()
    if name != BEST:
        return manifest.entry(name), _presence(manifest.entry(name), root)
    found = best(root, manifest, frames)
    if found is None:
        raise DataError(
            f"No data are here: expected real ones below {root}, or synthetic ones in {synthetic_root()}. "
            f"Run `{MAKE_COMMAND}` to make some (`make run` does so by itself), or see `mer data check` for real ones."
        )
    return manifest.entry(found.name), found


def _presence(entry: Entry, root: Path) -> Presence:
    path = _locate(entry, root)
    present = path is not None or entry.layout == "generated"
    return Presence(entry.name, entry.title, entry.kind, present, path, entry.how_to_obtain)


def _locate(entry: Entry, root: Path) -> Path | None:
    if entry.layout == "synthetic":
        return synthetic_root() if layout.is_there(synthetic_root(), entry) else None
    known = _ON_DISK.get(entry.layout)
    folders = (root / path for path in entry.paths)
    return next((folder for folder in folders if known and known.is_there(folder)), None)


def _read(entry: Entry, presence: Presence, thorough: bool = False) -> Reading:
    if presence.path is None:
        return Reading(toy.clips(), [])
    if entry.layout == "synthetic":
        return layout.read(presence.path, entry, thorough)
    return _ON_DISK[entry.layout].read(presence.path, entry)


def _status(present: bool, faulty: bool) -> Status:
    if not present:
        return "absent"
    return "mismatch" if faulty else "present"


def _counts(clips: list[Clip], expected: Expected) -> pd.DataFrame:
    """Subjects, classes and samples found, a row a sub-dataset and a last row for all."""
    found = pd.DataFrame([clip[:4] for clip in clips], columns=["dataset", "subject", "clip", "label3"])
    groups = {name: found[found["dataset"] == name] for name in expected.parts} | {"all": found}
    rows = {name: _count_row(group) for name, group in groups.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["subjects", *CLASSES, "samples"])


def _count_row(group: pd.DataFrame) -> list[int]:
    classes = [int((group["label3"] == name).sum()) for name in CLASSES]
    return [qualified_subjects(group).nunique(), *classes, len(group)]


def _count_faults(clips: list[Clip], expected: Expected) -> Iterator[str]:
    found = _counts(clips, expected)
    for name, part in expected.parts.items():
        for column in ("subjects", *CLASSES):
            yield from _count_fault(name, column, part, int(found.at[name, column]))
    for column in ("subjects", "samples"):
        yield from _count_fault("all", column, expected, int(found.at["all", column]))


def _count_fault(name: str, column: str, expected: Expected | PartCounts, got: int) -> Iterator[str]:
    want = getattr(expected, column)
    if got != want:
        yield f"{name}: expected {want} {column}, got {got}"
