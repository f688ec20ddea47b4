"""The layouts of recorded clips under one signature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from mer_lib.datasets.annotation.table import Annotation
from mer_lib.datasets.clips import OWN
from mer_lib.datasets.frames.source import FrameSource
from mer_lib.datasets.layouts import casme2, casme3, folder, samm, smic


@dataclass(frozen=True)
class RecordedLayout:
    """How one kind of data set lies on a disk.

    Attributes:
        versions: of the images, the preferred one first.
        annotation_files: workbooks in a folder, the one to use first.
        image_folders: version of the images to the folder that holds them, of those that are there.
        annotate: read an annotation.
        sources: frames by "<subject>/<clip>".
        long_videos: frames of whole recordings by "<subject>/<video>", for the versions that have them.
        cut: versions whose folders hold just the frames from onset to offset.
        expected: what to look for, in words.
    """

    versions: tuple[str, ...]
    annotation_files: Callable[[Path], list[Path]]
    image_folders: Callable[[Path], dict[str, Path]]
    annotate: Callable[[Path], Annotation]
    sources: Callable[[Path, str, pd.DataFrame], Mapping[str, FrameSource]]
    expected: str
    long_videos: Callable[[Path, str], Mapping[str, FrameSource]] | None = None
    cut: frozenset[str] = frozenset()


def _own_files(top: Path) -> list[Path]:
    return [top] if folder.is_folder(top) else []


def _own_images(top: Path) -> dict[str, Path]:
    return {OWN: top} if folder.is_folder(top) else {}


def _own_sources(top: Path, version: str, rows: pd.DataFrame) -> Mapping[str, FrameSource]:
    return folder.sources(top, rows)


LAYOUTS: Mapping[str, RecordedLayout] = MappingProxyType(
    {
        "casme2": RecordedLayout(
            casme2.VERSIONS, casme2.annotation_files, casme2.image_folders, casme2.annotate, casme2.sources,
            "the annotation CASME2-coding-20140508.xlsx",
        ),
        "samm": RecordedLayout(
            samm.VERSIONS, samm.annotation_files, samm.image_folders, samm.annotate, samm.sources,
            "the annotation SAMM_Micro_FACS_Codes_v2.xlsx",
        ),
        "smic": RecordedLayout(
            smic.VERSIONS, smic.annotation_files, smic.image_folders, smic.annotate, smic.sources,
            "the annotation SMIC-HS-E_annotation.xlsx", cut=frozenset({"raw", "cropped"}),
        ),
        "casme3": RecordedLayout(
            casme3.VERSIONS, casme3.annotation_files, casme3.image_folders, casme3.annotate, casme3.sources,
            "the annotation cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx", casme3.long_videos,
        ),
        "folder": RecordedLayout(
            (OWN,), _own_files, _own_images, folder.annotate, _own_sources, "videos, or folders of images"
        ),
    }
)  # fmt: skip
