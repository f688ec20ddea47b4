"""A folder somewhere, named by its path: a licensed data set that lies elsewhere, or somebody's own recordings."""

from __future__ import annotations

import os
import re
import shlex
import unicodedata
from pathlib import Path

from mer_lib.datasets.frames.source import printable
from mer_lib.datasets.recorded import opening
from mer_lib.datasets.walking import is_locked
from mer_lib.errors import DataError
from mer_lib.manifest import Entry, Manifest, Part

FOLDER_LAYOUT = "folder"


def is_path(name: str) -> bool:
    """Whether `name` is meant as a path: it holds a slash, or is that of a folder; an empty one is none.

    >>> is_path("casme2"), is_path("./clips"), is_path("~/clips")
    (False, True, True)
    """
    return "/" in name or os.sep in name or os.path.isdir(os.path.expanduser(name))


def folder_of(name: str) -> Path:
    """Return the folder that a path names.

    Raises:
        DataError: there is no such folder, or nobody may look into it.
    """
    folder = Path(os.path.expanduser(name)).absolute()  # of an unknown person's home it is left as it is
    if not os.path.isdir(folder):
        what = "a file" if os.path.exists(folder) else "nothing"
        raise DataError(f"{folder}: expected a folder of clips or of a data set, got {what}")
    if is_locked(folder):
        raise DataError(f"{folder}: expected a folder that can be listed, got one without permission to do so")
    return folder


def entry_of(folder: Path, manifest: Manifest) -> Entry:
    """Return what a folder holds: the entry of a licensed data set, or one made for somebody's own clips.

    Raises:
        DataError: it holds neither an annotation nor images nor videos that are known; or several licensed data sets.
    """
    licensed = [entry for entry in manifest.datasets if entry.is_recorded and not entry.of]
    there = [entry for entry in licensed if opening.is_there(folder, entry.layout)]
    if len(there) > 1:
        raise DataError(
            f"{folder}: expected one data set, got {' and '.join(entry.name for entry in there)}: name the folder of "
            f"one, or make this the data root (MER_DATA_ROOT={shlex.quote(str(folder))}) and use their names"
        )
    if there:
        return there[0]
    if not opening.is_there(folder, FOLDER_LAYOUT):
        raise DataError(
            f"{folder}: expected videos, folders of images, or the annotation or images of one of "
            f"{', '.join(entry.name for entry in licensed)}; got none of them"
        )
    return _own_entry(folder, manifest)


def _own_entry(folder: Path, manifest: Manifest) -> Entry:
    title = printable(folder.name) or printable(folder)
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()  # é becomes e
    slug = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_") or "clips"
    taken = {*manifest.names, *(part for entry in manifest.datasets for part in entry.parts)}
    name = f"own_{slug}" if slug in taken else slug
    return Entry(
        name=name,
        title=title,
        kind="real",
        layout="folder",
        label_set="own",
        citation="Somebody's own recordings.",
        licence="Ask those who are seen in them.",
        how_to_obtain=f"Mend or replace what lies in {printable(folder)}.",
        parts={name: Part(title=title, apex_source="annotated", subject_pattern=".+")},
    )
