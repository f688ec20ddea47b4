"""SMIC-HS: a workbook full of formulas, and frames raw, cropped, or as extended clips (HS-E).

::

    SMIC-HS-E_annotation.xlsx, sheet HS (its sheet VIS is about another camera)
    SMIC_all_raw/HS/s1/micro/negative/s1_ne_01/image025200.bmp
    SMIC_all_cropped/HS/s1/micro/negative/s1_ne_01/reg_image025200.bmp
    HS_long/SMIC_HS_E/s01/s1_ne_01/image025196.jpg

A clip is known by (number of the subject, ne / po / sur, index), written ``s01/s01_ne_01``. Numbers of frames are
absolute and have six to eight digits. Extended clips have neutral frames around the movement, from FirstF to LastF.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mer_lib.datasets.annotation.finding import find_files
from mer_lib.datasets.annotation.table import Annotation
from mer_lib.datasets.frames.images import ImageFolder
from mer_lib.datasets.frames.source import FrameSource
from mer_lib.datasets.layouts.places import all_clips, begins_with, holders, names_up, said_by_name
from mer_lib.datasets.layouts.smic_workbook import CLIP_NAME, clip_name, read_workbook
from mer_lib.datasets.walking import walk
from mer_lib.errors import DataError

VERSIONS = ("raw", "cropped", "extended")

_FILE_NAME = re.compile(r"smic.*(annot|cod|label)")
_OTHER_CAMERAS = re.compile(r"^(?!.*(?<![a-z])hs(?![a-z])).*(?<![a-z])(vis|nir)(?![a-z])")
_SUBJECT_FOLDER = re.compile(r"s\d{1,2}", re.IGNORECASE)
_NOT_ENTERED = re.compile(rf"non.*|{CLIP_NAME.pattern}", re.IGNORECASE)
_WORDS = {"crop": "cropped", "long": "extended", "hs_e": "extended", "hs-e": "extended", "raw": "raw"}
_DEPTH = 4


def annotation_files(folder: Path) -> list[Path]:
    """Return workbooks with the annotation of SMIC-HS, the newest first; not those of the other cameras."""
    return find_files(folder, _FILE_NAME, but=_OTHER_CAMERAS)


def image_folders(folder: Path) -> dict[str, Path]:
    """Return the folder that holds ``s1``, ``s2`` ... of each version that is there; VIS and NIR are passed over."""
    found: dict[str, Path] = {}
    for holder in holders(folder, _SUBJECT_FOLDER, _clips_of, _DEPTH):
        if not _other_camera(holder, folder):
            found.setdefault(said_by_name(holder, folder, _WORDS) or _by_files(holder), holder)
    return {version: found[version] for version in VERSIONS if version in found}


def annotate(file: Path) -> Annotation:
    """Read the sheet HS.

    Where the formula has no stored result, OffsetF is computed as OnsetF + TotalMF1 - 1. Second and third movements,
    and what is odd about the extended clip, are told in the column notes. The word of the column Emotion is handed on
    as it is, also where the name of the clip says another.
    """
    return read_workbook(file)


def sources(images: Path, version: str, rows: pd.DataFrame) -> dict[str, FrameSource]:
    """Return the frames of every clip in `images`, by "<subject>/<clip>".

    Args:
        images: holds the folders of the subjects.
        version: of two extended clips with the same frames only one may be there; it then serves the row of the other
            too, if it holds both onset and offset.
        rows: those that a folder is looked for.
    """
    found: dict[str, FrameSource] = {}
    for clips in all_clips(images, _SUBJECT_FOLDER, _clips_of).values():
        for clip, folder in clips.items():
            found.setdefault(f"{clip[:3]}/{clip}", ImageFolder(folder))
    return {**found, **_neighbours(found, rows)} if version == "extended" else found


def _clips_of(subject: Path) -> dict[str, Path]:
    """The clips of a subject at any of three levels: directly, below micro, or below micro/negative."""
    folders = (folder for level in walk(subject, 2, _NOT_ENTERED) for folder in level.folders)
    return {name: folder for folder in folders if (name := clip_name(folder.name))}


def _by_files(holder: Path) -> str:
    subjects = all_clips(holder, _SUBJECT_FOLDER, _clips_of).values()
    first = next(folder for clips in subjects for folder in clips.values())
    if _SUBJECT_FOLDER.fullmatch(first.parent.name):
        return "extended"
    return "cropped" if begins_with(first, "reg_") else "raw"


def _other_camera(holder: Path, top: Path) -> bool:
    return any(_OTHER_CAMERAS.search(name) for name in names_up(holder, top))


def _neighbours(found: Mapping[str, FrameSource], rows: pd.DataFrame) -> dict[str, FrameSource]:
    """Frames for rows without a folder: those of another clip of the subject that hold their onset and offset."""
    lonely = rows[~(rows["subject"] + "/" + rows["clip"]).isin(list(found))].dropna(subset=["onset", "offset"])
    more = {}
    for row in lonely.itertuples():
        for key, source in found.items():
            if key.startswith(f"{row.subject}/") and {row.onset, row.offset} <= _numbers(source):
                more[f"{row.subject}/{row.clip}"] = source
                break
    return more


def _numbers(source: FrameSource) -> set[int]:
    try:
        return set(source.numbers().tolist())
    except DataError:  # a folder without frames: whoever reads its own clip says so
        return set()
