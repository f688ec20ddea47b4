"""Which folder holds the subjects of a data set, however deep an archive was unpacked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mer_lib.datasets.walking import list_folder, subfolders, walk

#: "<clip as in sample ids>" to its folder, for one folder of a subject.
ClipFinder = Callable[[Path], Mapping[str, Path]]


def holders(folder: Path, subject: re.Pattern[str], clips_of: ClipFinder, depth: int) -> Iterator[Path]:
    """Yield the folders that hold folders of subjects with clips in them, those higher up first.

    Args:
        folder: the top folder of a data set, or a holder itself.
        subject: whole name of a subject's folder.
        clips_of: gives the clips of a subject.
        depth: how far below `folder` a holder may lie.
    """
    for level in walk(folder, depth, subject):
        if any(subject.fullmatch(child.name) and clips_of(child) for child in level.folders):
            yield level.folder


def names_up(folder: Path, top: Path) -> list[str]:
    """Return the lower-case names of a folder and of those above it up to `top`, the innermost first.

    >>> names_up(Path("data/SMIC/SMIC_all_raw/HS"), Path("data/SMIC"))
    ['hs', 'smic_all_raw', 'smic']
    """
    inner, outer = folder.absolute(), top.absolute()
    return [part.lower() for part in (*reversed(inner.relative_to(outer).parts), outer.name)]


def said_by_name(folder: Path, top: Path, words: Mapping[str, str]) -> str | None:
    """Return the version whose word is in the innermost name of :func:`names_up` that has one, or None.

    >>> words = {"crop": "cropped", "raw": "raw"}
    >>> said_by_name(Path("raw_data/Cropped"), Path("raw_data"), words)
    'cropped'
    """
    found = (version for name in names_up(folder, top) for word, version in words.items() if word in name)
    return next(found, None)


def begins_with(clip: Path, prefix: str) -> bool:
    """Whether the first file of a clip has a name that begins so, in any case."""
    files = list_folder(clip)[1]
    return bool(files) and files[0].lower().startswith(prefix)


def all_clips(images: Path, subject: re.Pattern[str], clips_of: ClipFinder) -> dict[str, dict[str, Path]]:
    """Return the clips of each subject's folder: name of the folder to clip to folder."""
    return {child.name: dict(clips_of(child)) for child in subfolders(images) if subject.fullmatch(child.name)}
