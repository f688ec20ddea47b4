"""A folder somewhere, named by its path: a licensed data set that lies elsewhere, or somebody's own recordings."""

from __future__ import annotations

import os
import re
from pathlib import Path

from mer_lib.datasets.recorded import opening
from mer_lib.errors import DataError
from mer_lib.manifest import Entry, Manifest, Part

FOLDER_LAYOUT = "folder"


def is_path(name: str) -> bool:
    """Whether `name` is meant as a path: it holds a slash, or is that of a folder.

    >>> is_path("casme2"), is_path("./clips"), is_path("~/clips")
    (False, True, True)
    """
    return "/" in name or os.sep in name or Path(name).expanduser().is_dir()


def folder_of(name: str) -> Path:
    """Return the folder that a path names.

    Raises:
        DataError: there is no such folder.
    """
    folder = Path(name).expanduser().absolute()
    if not folder.is_dir():
        what = "a file" if folder.exists() else "nothing"
        raise DataError(f"{folder}: expected a folder of clips or of a data set, got {what}")
    return folder


def entry_of(folder: Path, manifest: Manifest) -> Entry:
    """Return what a folder holds: the entry of a licensed data set, or one made for somebody's own clips.

    Raises:
        DataError: it holds neither an annotation nor images nor videos that are known.
    """
    licensed = [entry for entry in manifest.datasets if entry.is_recorded and not entry.of]
    for entry in licensed:
        if opening.is_there(folder, entry.layout):
            return entry
    if not opening.is_there(folder, FOLDER_LAYOUT):
        raise DataError(
            f"{folder}: expected videos, folders of images, or the annotation or images of one of "
            f"{', '.join(entry.name for entry in licensed)}; got none of them"
        )
    return _own_entry(folder, manifest)


def _own_entry(folder: Path, manifest: Manifest) -> Entry:
    slug = re.sub(r"[^a-z0-9]+", "_", folder.name.lower()).strip("_") or "clips"
    taken = {*manifest.names, *(part for entry in manifest.datasets for part in entry.parts)}
    name = f"own_{slug}" if slug in taken else slug
    return Entry(
        name=name,
        title=folder.name or str(folder),
        kind="real",
        layout="folder",
        label_set="own",
        citation="Somebody's own recordings.",
        licence="Ask those who are seen in them.",
        how_to_obtain=f"They lie in {folder}.",
        parts={name: Part(title=folder.name or name, apex_source="annotated", subject_pattern=".+")},
    )
