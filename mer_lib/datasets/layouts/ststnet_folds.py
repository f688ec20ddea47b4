"""Layout of STSTNet's authors: one folder a subject, each with the whole data set split for its fold.

``<subject>/u_train|u_test/<class>/<subject of the clip>_<clip> .png``: of N subjects, each sample lies in
N folders. This reader collapses them to one row a sample and names whatever the copies disagree on.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mer_lib.datasets.reading import (
    Clip,
    Reading,
    is_litter,
    name_contradiction,
    owner_of,
    read_map,
    visible_files,
)
from mer_lib.datasets.walking import subfolders
from mer_lib.manifest import Entry

ROLES: tuple[str, ...] = ("u_train", "u_test")


class _Copy(NamedTuple):
    """One file: a sample inside one fold."""

    dataset: str
    subject: str
    clip: str
    label3: str
    fold: str
    role: str
    path: Path
    checksum: str


def is_there(folder: Path) -> bool:
    """Whether some folder below `folder` is a fold."""
    return any(_is_fold(child) for child in subfolders(folder))


def read(folder: Path, entry: Entry) -> Reading:
    """Read all folds and collapse them to one clip a sample.

    Args:
        folder: holds one folder a subject.
        entry: supplies the label map and how each sub-dataset writes its subjects.

    Returns:
        One clip a sample, and all faults: a sample in two classes, copies whose bytes differ, a sample
        tested in no fold, in several, or in another subject's; a subject trained on in its own fold;
        unknown folders and file names; files that are no 28x28 RGB image.
    """
    faults: list[str] = []
    samples: dict[tuple[str, str, str], list[_Copy]] = defaultdict(list)
    for fold in sorted(child for child in folder.iterdir() if child.is_dir() and not is_litter(child.name)):
        for copy in _copies_of(fold, entry, faults):
            samples[copy.dataset, copy.subject, copy.clip].append(copy)
    return Reading([_collapse(copies, folder, entry, faults) for copies in samples.values()], faults)


def _is_fold(folder: Path) -> bool:
    return any(os.path.isdir(folder / role) for role in ROLES)


def _copies_of(fold: Path, entry: Entry, faults: list[str]) -> Iterator[_Copy]:
    if owner_of(fold.name, entry.parts) is None:
        faults.append(f"{fold.name}: folder is no subject of {', '.join(entry.parts)}")
        return
    for role in ROLES:
        if not (fold / role).is_dir():
            faults.append(f"{fold.name}/{role}: folder is missing")
            continue
        for group in sorted((fold / role).iterdir()):
            if group.name in entry.label_map and group.is_dir():
                yield from _copies_in_class(group, fold.name, role, entry, faults)
            elif not is_litter(group.name):
                faults.append(f"{fold.name}/{role}/{group.name}: expected class folders {', '.join(entry.label_map)}")


def _copies_in_class(group: Path, fold: str, role: str, entry: Entry, faults: list[str]) -> Iterator[_Copy]:
    for path in visible_files(group):
        subject, _, clip = path.stem.strip().partition("_")
        dataset = owner_of(subject, entry.parts)
        if dataset is None or not clip:
            faults.append(f"{fold}/{role}/{group.name}/{path.name}: expected the name <subject>_<clip> .png")
            continue
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        yield _Copy(dataset, subject, clip, entry.label_map[group.name], fold, role, path, checksum)


def _collapse(copies: list[_Copy], root: Path, entry: Entry, faults: list[str]) -> Clip:
    first = copies[0]
    name = f"{first.subject}_{first.clip}"
    faults += [f"{name}: {fault}" for fault in _disagreements(copies)]
    labels = {copy.label3 for copy in copies}
    label3 = first.label3 if len(labels) == 1 else None
    contradiction = name_contradiction(entry.parts[first.dataset], first.clip, label3)
    if contradiction:
        faults.append(f"{name}: {contradiction}")
    pixels = read_map(first.path, first.path.relative_to(root).as_posix(), faults)
    return Clip(first.dataset, first.subject, first.clip, label3, pixels)


def _disagreements(copies: list[_Copy]) -> Iterator[str]:
    subject = copies[0].subject
    labels = sorted({copy.label3 for copy in copies})
    if len(labels) > 1:
        yield f"lies in {len(labels)} classes ({', '.join(labels)})"
    versions = len({copy.checksum for copy in copies})
    if versions > 1:
        yield f"its {len(copies)} copies differ ({versions} versions of its bytes)"
    yield from _fold_faults(
        subject,
        tested=sorted({copy.fold for copy in copies if copy.role == "u_test"}),
        trained=sorted({copy.fold for copy in copies if copy.role == "u_train"}),
    )


def _fold_faults(subject: str, tested: list[str], trained: list[str]) -> Iterator[str]:
    if not tested:
        yield "lies in no u_test, so no fold would test it"
    if len(tested) > 1:
        yield f"lies in the u_test of {len(tested)} folds ({', '.join(tested)})"
    for fold in tested:
        if fold != subject:
            yield f"lies in {fold}/u_test, which should hold subject {fold} only"
    if subject in trained:
        yield f"lies in {subject}/u_train, so its own fold would train on it"
