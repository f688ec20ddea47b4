"""Read the flow maps of a made profile, and say everything that is wrong with it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

from mer_lib.datasets.reading import Clip, Reading, read_map
from mer_lib.datasets.synthetic import index
from mer_lib.datasets.synthetic.databases import annotation_digest
from mer_lib.datasets.synthetic.index import Record
from mer_lib.datasets.synthetic.storage import files_of
from mer_lib.errors import DataError
from mer_lib.manifest import Entry

_TEXTS = ("emotion", "action_units", "gender")
_NUMBERS = ("fps", "n_frames", "onset", "apex", "offset")


def is_there(root: Path, entry: Entry) -> bool:
    """Whether the list of the profile lies in `root`; it is written when all clips are made."""
    return index.path_of(root, str(entry.profile)).is_file()


def read(root: Path, entry: Entry, thorough: bool = False) -> Reading:
    """Read the maps of a profile.

    Args:
        root: folder of the synthetic data.
        entry: says which profile, and the digest of its annotations.
        thorough: compare every byte of every file with what was written, frames and truth included.

    Returns:
        One clip a row, and all faults: files that are missing or damaged, clips of another version of the generator,
        annotations that are not those of the manifest.
    """
    profile = str(entry.profile)
    try:
        records = index.read(root, profile)
    except DataError as error:
        return Reading([], [f"{error}; {index.REMEDY.format(profile=profile)}"])
    faults = list(index.faults(root, profile, records, thorough))
    of_clips = [record for record in records if record.label3]
    if not faults and annotation_digest(map(asdict, of_clips)) != entry.annotations:
        faults.append(f"{profile}.csv: emotions or frame numbers are not those that the manifest expects")
    return Reading([_clip(root, record, faults) for record in of_clips], faults)


def facts(record: Record) -> dict[str, object]:
    """Return what a list says of a clip besides its id and class, as columns of the samples table."""
    texts = {name: getattr(record, name) for name in _TEXTS}
    return texts | {name: int(getattr(record, name)) for name in _NUMBERS}


def _clip(root: Path, record: Record, faults: list[str]) -> Clip:
    path = files_of(root, record.sample_id).map
    shown = path.relative_to(root).as_posix()
    of_map: list[str] = []
    pixels = read_map(path, shown, of_map)
    if not any(fault.startswith(shown) for fault in faults):
        faults += of_map
    dataset, subject, clip = record.sample_id.split("/")
    return Clip(dataset, subject, clip, record.label3, pixels, MappingProxyType(facts(record)))
