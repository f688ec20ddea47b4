"""SAMM: a workbook with thirteen lines of preface, and grey frames.

::

    SAMM_Micro_FACS_Codes_v2.xlsx        SAMM/006/006_1_2/006_05562.jpg

Frame numbers are padded to four or five digits without a rule. Subjects are text with three digits, which many
programs turn into numbers. The column Duration is a formula and is not read: it follows from onset and offset.
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
from mer_lib.datasets.layouts.places import all_clips, holders
from mer_lib.datasets.walking import subfolders
from mer_lib.errors import DataError

DATASET = "samm"
VERSIONS = ("raw",)

_WANTED = {
    "subject": ("Subject",),
    "clip": ("Filename", "File name"),
    "onset": ("Onset Frame", "Onset"),
    "apex": ("Apex Frame", "Apex"),
    "offset": ("Offset Frame", "Offset"),
    "emotion": ("Estimated Emotion", "Emotion"),
    "action_units": ("Action Units", "AU"),
    "objective_class": ("Objective Classes", "Objective Class"),
    "notes": ("Notes", "Note"),
}
_OPTIONAL = ("action_units", "objective_class", "notes")
_FILE_NAME = re.compile(r"samm.*(facs|cod|annot)")
_LONG_VIDEOS = re.compile(r"long")
_SUBJECT_FOLDER = re.compile(r"\d{1,3}")
_CLIP_NAME = re.compile(r"0*(\d{1,3})_(\d+)_(\d+)")
_DEPTH = 3


def annotation_files(folder: Path) -> list[Path]:
    """Return workbooks with the codes of SAMM, the newest first; not those of SAMM's long videos."""
    return find_files(folder, _FILE_NAME, but=_LONG_VIDEOS)


def image_folders(folder: Path) -> dict[str, Path]:
    """Return the folder that holds ``006``, ``007`` ... as version "raw", where it is there."""
    found = next(holders(folder, _SUBJECT_FOLDER, _clips_of, _DEPTH), None)
    return {} if found is None else {"raw": found}


def annotate(file: Path) -> Annotation:
    """Read the codes; the notes of the annotators (most are about blinks and head movement) are kept."""
    faults: list[Fault] = []
    table = read_rows(file, _WANTED, faults, sheet="MICRO_ONLY", optional=_OPTIONAL)
    return Annotation(Reader(DATASET, _WANTED, _key).rows(table, faults), faults, file)


def sources(images: Path, version: str, rows: pd.DataFrame) -> dict[str, FrameSource]:
    """Return the frames of every clip in `images`, by "<subject>/<clip>"; `version` and `rows` change nothing."""
    found: dict[str, FrameSource] = {}
    for clips in all_clips(images, _SUBJECT_FOLDER, _clips_of).values():
        for clip, folder in clips.items():
            found.setdefault(f"{clip[:3]}/{clip}", ImageFolder(folder))
    return found


def _key(row: Mapping[str, Any]) -> Key:
    subject, name = padded(row["subject"], 3), _clip_name(text(row["clip"]) or "")
    if name is None:
        raise DataError(f"Filename is {shown(row['clip'])}: expected a name such as 006_1_2")
    if subject is None or not name.startswith(f"{subject}_"):
        # Who is seen decides which fold a clip belongs to; it must not be guessed.
        raise DataError(f"Subject is {shown(row['subject'])}, but Filename is {shown(row['clip'])}")
    return Key(subject, name)


def _clip_name(name: str) -> str | None:
    match = _CLIP_NAME.fullmatch(name)
    return f"{match.group(1).zfill(3)}_{match.group(2)}_{match.group(3)}" if match else None


def _clips_of(subject: Path) -> dict[str, Path]:
    return {name: folder for folder in subfolders(subject) if (name := _clip_name(folder.name.strip()))}
