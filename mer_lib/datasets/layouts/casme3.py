"""CAS(ME)^3 part A: a workbook or the edited list of the HTNet repository, and frames of clips or of long videos.

::

    cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx
    Part_A_ME_clip/frame/spNO.149_d_112/112.jpg      clips, named subject_letter_onset, beside depth and video
    part_A/data/part_A/spNO.149/d/color/112.jpg      long videos, thirteen a subject, beside depth

The letter of a video repeats for every subject, and a video holds several expressions: the key is (subject, letter,
onset as annotated). Numbers of frames are those of the long video in both versions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mer_lib.datasets.annotation.cells import padded, shown, text, whole_number
from mer_lib.datasets.annotation.clip_rows import Key, Reader
from mer_lib.datasets.annotation.finding import find_files
from mer_lib.datasets.annotation.table import Annotation
from mer_lib.datasets.annotation.workbook import read_rows
from mer_lib.datasets.faults import Fault
from mer_lib.datasets.frames.images import ImageFolder
from mer_lib.datasets.frames.source import FrameSource
from mer_lib.datasets.layouts.places import holders
from mer_lib.datasets.walking import subfolders
from mer_lib.errors import DataError

DATASET = "casme3a"
VERSIONS = ("clips", "long")

_WANTED = {
    "subject": ("Subject",),
    "clip": ("Filename", "File name"),
    "onset": ("Onset", "OnsetFrame"),
    "apex": ("Apex", "ApexFrame"),
    "offset": ("Offset", "OffsetFrame"),
    "action_units": ("AU", "Action Units"),
    "objective_class": ("Objective class", "Objective classes"),
    "emotion": ("emotion", "Estimated Emotion"),
}
_OPTIONAL = ("action_units", "objective_class")
_FILE_NAME = re.compile(r"(cas\W?me\W{0,2}(3|iii)|part.?a).*(label|annot|cod)")
_OTHER_PARTS = re.compile(r"mae|macro|part.?[bc]")
_SUBJECT_FOLDER = re.compile(r"sp[ _]?no[._ ]?0*(\d+)", re.IGNORECASE)
_CLIP_FOLDER = re.compile(r"sp[ _]?no[._ ]?0*(\d+)_([a-z])_0*(\d+)", re.IGNORECASE)
_LETTER = re.compile(r"[a-z]", re.IGNORECASE)
_BESIDE = frozenset({"depth", "video"})
_DEPTH = 4


def annotation_files(folder: Path) -> list[Path]:
    """Return workbooks and lists of the micro-expressions of part A, the newest workbook first."""
    return find_files(folder, _FILE_NAME, but=_OTHER_PARTS)


def image_folders(folder: Path) -> dict[str, Path]:
    """Return the folder that holds the clips, and the one that holds the subjects with their long videos."""
    found: dict[str, Path] = {}
    for holder in holders(folder, re.compile(f"{_CLIP_FOLDER.pattern}|{_SUBJECT_FOLDER.pattern}", re.I), _any, _DEPTH):
        if holder.name.lower() not in _BESIDE:
            is_cut = any(_CLIP_FOLDER.fullmatch(child.name) for child in subfolders(holder))
            found.setdefault("clips" if is_cut else "long", holder)
    return {version: found[version] for version in VERSIONS if version in found}


def annotate(file: Path) -> Annotation:
    """Read the labels; a row whose onset is no whole number has no id and is excluded."""
    faults: list[Fault] = []
    table = read_rows(file, _WANTED, faults, sheet="label", optional=_OPTIONAL)
    return Annotation(Reader(DATASET, _WANTED, _key).rows(table, faults), faults, file)


def sources(images: Path, version: str, rows: pd.DataFrame) -> dict[str, FrameSource]:
    """Return frames by "<subject>/<letter>_<onset>".

    Args:
        images: the folder of that version from :func:`image_folders`.
        version: "clips": everything found; "long": of every row whose video is there the frames from onset to offset.
        rows: their numbers of onset and offset say which frames of a long video are a clip.
    """
    return _clips(images) if version == "clips" else _cut_out(images, rows)


def long_videos(images: Path, version: str) -> dict[str, FrameSource]:
    """Return the frames of every long video by "<subject>/<letter>"; none where `version` is not "long"."""
    if version != "long":
        return {}
    return {name: ImageFolder(folder) for name, folder in _video_folders(images).items()}


def _key(row: Mapping[str, Any]) -> Key:
    subject, letter, onset = _subject(row["subject"]), text(row["clip"]) or "", whole_number(row["onset"])
    if subject is None:
        raise DataError(f"Subject is {shown(row['subject'])}: expected a name such as spNO.149")
    if not _LETTER.fullmatch(letter):
        raise DataError(f"Filename of {subject} is {shown(row['clip'])}: expected one letter")
    if onset is None:
        raise DataError(f"Onset of {subject} {letter} is {shown(row['onset'])}: expected a whole number, it is the key")
    return Key(subject, f"{letter.lower()}_{onset}")


def _subject(cell: object) -> str | None:
    named = _SUBJECT_FOLDER.fullmatch(text(cell) or "")
    number = named.group(1) if named else padded(cell, 1)
    return number and f"spNO.{number}"


def _any(folder: Path) -> dict[str, Path]:
    """What makes a folder that is named like a subject or a clip one of them: a clip has it in its name already."""
    if _CLIP_FOLDER.fullmatch(folder.name):
        return {folder.name: folder}
    return {child.name: child for child in subfolders(folder) if _LETTER.fullmatch(child.name)}


def _clips(images: Path) -> dict[str, FrameSource]:
    found: dict[str, FrameSource] = {}
    for folder in subfolders(images):
        match = _CLIP_FOLDER.fullmatch(folder.name)
        if match:
            subject, letter, onset = match.groups()
            found.setdefault(f"spNO.{subject}/{letter.lower()}_{onset}", ImageFolder(folder))
    return found


def _cut_out(images: Path, rows: pd.DataFrame) -> dict[str, FrameSource]:
    videos = _video_folders(images)
    found: dict[str, FrameSource] = {}
    for row in rows.dropna(subset=["onset", "offset"]).itertuples():
        video = videos.get(f"{row.subject}/{row.clip.partition('_')[0]}")
        if video:
            found[f"{row.subject}/{row.clip}"] = ImageFolder(video, int(row.onset), int(row.offset))
    return found


def _video_folders(images: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for subject in subfolders(images):
        name = _subject(subject.name) if _SUBJECT_FOLDER.fullmatch(subject.name) else None
        for video in subfolders(subject) if name else []:
            if _LETTER.fullmatch(video.name):
                colour = (child for child in subfolders(video) if child.name.lower() in ("color", "colour"))
                found.setdefault(f"{name}/{video.name.lower()}", next(colour, video))
    return found
