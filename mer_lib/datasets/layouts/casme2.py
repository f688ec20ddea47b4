"""CASME II: a workbook, and frames as the camera had them (raw) or as registered face crops (cropped).

::

    CASME2-coding-20140508.xlsx                      CASME2-ObjectiveClasses.xlsx
    CASME2_RAW_selected/sub01/EP02_01f/img46.jpg     Cropped/sub01/EP02_01f/reg_img46.jpg

Names of clips repeat across subjects: the key is (subject, clip). Later versions of the workbook have their rows and
columns elsewhere, so only headers count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mer_lib.datasets.annotation.cells import padded, shown, text
from mer_lib.datasets.annotation.clip_rows import Key, Reader
from mer_lib.datasets.annotation.finding import find_files
from mer_lib.datasets.annotation.table import Annotation
from mer_lib.datasets.annotation.workbook import read_rows
from mer_lib.datasets.faults import Fault
from mer_lib.datasets.frames.images import ImageFolder
from mer_lib.datasets.frames.source import FrameSource
from mer_lib.datasets.layouts.places import all_clips, begins_with, holders, said_by_name
from mer_lib.datasets.walking import subfolders
from mer_lib.errors import DataError

DATASET = "casme2"
VERSIONS = ("raw", "cropped")

_KEY = {"subject": ("Subject",), "clip": ("Filename", "File name")}
_WANTED = {
    **_KEY,
    "onset": ("OnsetFrame", "Onset"),
    "apex": ("ApexFrame", "Apex"),
    "offset": ("OffsetFrame", "Offset"),
    "emotion": ("Estimated Emotion", "Emotion"),
    "action_units": ("Action Units", "Action Unit", "AU"),
}
_OBJECTIVE = {**_KEY, "objective_class": ("Objective Class", "Objective Classes")}
_CODING_NAME = re.compile(r"casme[ _-]?(2|ii)(?!i).*cod")
_OBJECTIVE_NAME = re.compile(r"casme[ _-]?(2|ii)(?!i).*objective")
_SUBJECT_FOLDER = re.compile(r"sub[ _]?\d{1,3}", re.IGNORECASE)
_CLIP_FOLDER = re.compile(r"ep\d.*", re.IGNORECASE)
_DEPTH = 3


def annotation_files(folder: Path) -> list[Path]:
    """Return workbooks with the coding of CASME II, the newest first, see :func:`~.finding.find_files`."""
    return find_files(folder, _CODING_NAME)


def image_folders(folder: Path) -> dict[str, Path]:
    """Return the folder that holds ``sub01``, ``sub02`` ... of each version that is there.

    Of several with raw frames that with "selected" in its name is taken, else the one higher up. Somebody's own clips
    may lie in folders ``sub01`` too: one of CASME II holds a clip that is called ``EP`` and a number.
    """
    found: dict[str, Path] = {}
    for holder in holders(folder, _SUBJECT_FOLDER, _named_clips_of, _DEPTH):
        version = said_by_name(holder, folder, {"crop": "cropped", "raw": "raw"}) or _by_files(holder)
        better = "selected" in holder.name.lower() and "selected" not in found.get(version, holder).name.lower()
        if version not in found or better:
            found[version] = holder
    return {version: found[version] for version in VERSIONS if version in found}


def annotate(file: Path) -> Annotation:
    """Read the coding; ``CASME2-ObjectiveClasses.xlsx`` beside it, where it is there, adds the objective classes."""
    faults: list[Fault] = []
    reader = Reader(DATASET, _WANTED, _key)
    rows = reader.rows(read_rows(file, _WANTED, faults, sheet="Sheet1", optional=("action_units",)), faults)
    classes = find_files(file.parent, _OBJECTIVE_NAME)
    if classes and len(rows):
        rows["objective_class"] = _objective_classes(classes[0], rows, faults)
    return Annotation(rows, faults, file)


def sources(images: Path, version: str, rows: pd.DataFrame) -> dict[str, FrameSource]:
    """Return the frames of every clip in `images`, by "<subject>/<clip>".

    Args:
        images: holds the folders of the subjects.
        version: one of :data:`VERSIONS`; both have their frames in the same way.
        rows: give the spelling of clips whose folders differ from it in case alone.
    """
    spelt = {f"{row.subject}/{row.clip}".lower(): f"{row.subject}/{row.clip}" for row in rows.itertuples()}
    found: dict[str, FrameSource] = {}
    for subject, clips in all_clips(images, _SUBJECT_FOLDER, _clips_of).items():
        for clip, folder in clips.items():
            name = f"sub{padded(subject.replace('_', ''), 2)}/{clip}"
            found.setdefault(spelt.get(name.lower(), name), ImageFolder(folder))
    return found


def _key(row: Mapping[str, Any]) -> Key:
    number, clip = padded(row["subject"], 2), text(row["clip"])
    if number is None:
        raise DataError(f"Subject is {shown(row['subject'])}: expected a number such as 01")
    if clip is None:
        raise DataError(f"Filename of subject {number} is {shown(row['clip'])}: expected a name such as EP02_01f")
    return Key(f"sub{number}", clip)


def _clips_of(subject: Path) -> dict[str, Path]:
    return {folder.name.strip(): folder for folder in subfolders(subject)}


def _named_clips_of(subject: Path) -> dict[str, Path]:
    return {clip: folder for clip, folder in _clips_of(subject).items() if _CLIP_FOLDER.fullmatch(clip)}


def _by_files(holder: Path) -> str:
    first = next((clip for subject in subfolders(holder) for clip in subfolders(subject)), holder)
    return "cropped" if begins_with(first, "reg_") else "raw"


def _objective_classes(file: Path, rows: pd.DataFrame, faults: list[Fault]) -> pd.Series:
    found: list[Fault] = []
    table = Reader(DATASET, _OBJECTIVE, _key).rows(read_rows(file, _OBJECTIVE, found), found)
    # Without this list a data set is usable all the same.
    faults += [Fault("noted", fault.kind, f"{file.name}: {fault.message}", fault.sample_id) for fault in found]
    known = dict(zip(table["subject"] + "/" + table["clip"], table["objective_class"], strict=True))
    keys = rows["subject"] + "/" + rows["clip"]
    lonely = sorted(set(keys) ^ set(known))
    if lonely and len(table):
        message = f"{file.name} and the coding do not list the same clips: {', '.join(lonely[:5])}"
        faults.append(Fault("noted", "contradiction", message + (" ..." if len(lonely) > 5 else "")))
    return keys.map(known).astype("string")
