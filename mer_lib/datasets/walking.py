"""Looking for folders and files without reading a whole disk."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mer_lib.datasets.reading import is_litter

MOST_FOLDERS = 3000


class Level(NamedTuple):
    """One folder: how deep it lies below the first, its sub-folders and the names of its other entries, both sorted."""

    folder: Path
    depth: int
    folders: list[Path]
    files: list[str]


def list_folder(folder: Path) -> tuple[list[Path], list[str]]:
    """Return the sub-folders and the names of all other entries of a folder, sorted, without litter.

    What cannot be listed (missing, no folder, no permission, a loop of links) holds nothing: whoever needs something
    in it says that it is missing.
    """
    folders: list[str] = []
    files: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not is_litter(entry.name):
                    (folders if _is_folder(entry) else files).append(entry.name)
    except OSError:
        return [], []
    return [folder / name for name in sorted(folders)], sorted(files)


def subfolders(folder: Path) -> list[Path]:
    """Return the folders in a folder, see :func:`list_folder`."""
    return list_folder(folder)[0]


def walk(top: Path, depth: int, skip: re.Pattern[str] | None = None) -> Iterator[Level]:
    """Yield `top` and the folders below it, those higher up first; at most :data:`MOST_FOLDERS`.

    Args:
        top: where to start.
        depth: of the deepest folders to list; those in `top` have depth 1.
        skip: folders whose whole name matches are not entered.
    """
    waiting = deque([(top, 0)])
    seen = 0
    while waiting and seen < MOST_FOLDERS:
        folder, level = waiting.popleft()
        folders, files = list_folder(folder)
        seen += 1
        yield Level(folder, level, folders, files)
        if level < depth:
            waiting += [(child, level + 1) for child in folders if not (skip and skip.fullmatch(child.name))]


def is_locked(folder: Path) -> bool:
    """Whether a folder is there that nobody may look into: it has no permission."""
    return os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
