"""From a folder on a disk to everything that is known of the clips in it: rows, frames, faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mer_lib.datasets import gender
from mer_lib.datasets.action_units import unit_faults
from mer_lib.datasets.annotation.table import Annotation, typed
from mer_lib.datasets.faults import Fault
from mer_lib.datasets.frames.source import FrameSource, printable
from mer_lib.datasets.recorded.corrections import corrected
from mer_lib.datasets.recorded.counting import count_faults
from mer_lib.datasets.recorded.frame_numbers import sensible
from mer_lib.datasets.recorded.frame_sizes import size_faults
from mer_lib.datasets.recorded.frames_of_rows import Looked, look
from mer_lib.datasets.recorded.labelling import labelled, without_meaning
from mer_lib.datasets.recorded.layouts import LAYOUTS, RecordedLayout
from mer_lib.datasets.recorded.rows import forgotten, identified, named_classes
from mer_lib.datasets.walking import is_locked, walk
from mer_lib.errors import DataError, ParameterError
from mer_lib.manifest import Entry, LabelSet

_DEPTH = 4  # so deep lie the folders of subjects, see the layouts; a clip says itself that it cannot be read


@dataclass(frozen=True, eq=False)
class Recorded:
    """What was found of one data set.

    Attributes:
        rows: every annotated clip, also those that faults exclude: the columns of the samples table, and those of the
            annotation besides (objective_class, notes, place).
        sources: frames by sample id; empty where no images are there.
        videos: frames of whole recordings by id.
        images: which version of the images; None where none are there.
        faults: everything that is wrong.
    """

    rows: pd.DataFrame
    sources: Mapping[str, FrameSource]
    videos: Mapping[str, FrameSource]
    images: str | None
    faults: tuple[Fault, ...]


def is_there(folder: Path, layout: str) -> bool:
    """Whether a folder holds an annotation or images of a layout."""
    return completeness(folder, layout) > 0


def completeness(folder: Path, layout: str) -> int:
    """How much a folder holds of a layout: 0 nothing, 1 images alone, 2 an annotation alone, 3 both."""
    known = LAYOUTS[layout]
    return 2 * bool(known.annotation_files(folder)) + bool(known.image_folders(folder))


def has_images(folder: Path, layout: str) -> bool:
    """Whether a folder holds images of a layout."""
    return bool(LAYOUTS[layout].image_folders(folder))


def read(
    folder: Path,
    entry: Entry,
    label_sets: Mapping[str, LabelSet],
    images: str | None = None,
    thorough: bool = False,
) -> Recorded:
    """Read one data set of recorded clips.

    Args:
        folder: holds the annotation, the images, or both.
        entry: of the data manifest, of one sub-dataset.
        label_sets: those of the manifest.
        images: version of the images, such as "cropped"; the preferred one that is there where None.
        thorough: decode every frame rather than onset, apex and offset.

    Raises:
        ParameterError: there is no such version of the images.
        DataError: that version is not there.
    """
    layout, (dataset, part) = LAYOUTS[entry.layout], next(iter(entry.parts.items()))
    annotation = _annotation(folder, layout)
    rows = identified(annotation.rows, dataset, part)
    version, place = _images(folder, entry, layout, images)
    sources = _by_id(layout.sources(place, version, annotation.rows), dataset) if version and place else {}
    told = {fault.sample_id for fault in annotation.faults if fault.effect == "excludes"}
    more, faults = forgotten(rows, sources.keys() - told, dataset, entry)
    faults = [*_annotation_faults(annotation, layout, bool(len(more))), *faults]
    rows = pd.concat([rows, more], ignore_index=True) if len(more) else rows
    for step in (
        lambda table: corrected(table, entry.corrections),
        lambda table: named_classes(table, part),
        sensible,
        lambda table: gender.fill(table, folder / gender.FILE_NAME),
    ):
        rows, found = step(rows)
        faults += found
    if version:
        rows, found = _with_frames(rows, sources, version in layout.cut, thorough)
        faults += found
        if thorough and version in entry.frame_sizes:
            faults += size_faults(sources, entry.frame_sizes[version])
    else:
        rows["n_frames"] = pd.array([pd.NA] * len(rows), dtype="Int64")
    rows, found = _with_labels(rows, label_sets[entry.label_set], strict=entry.layout != "folder")
    faults += [*found, *_unit_faults(rows), *count_faults(rows, entry, label_sets)]
    videos = layout.long_videos(place, version) if layout.long_videos and version and place else {}
    videos, found = _readable(_by_id(videos, dataset))
    return Recorded(rows, sources, videos, version, (*faults, *found, *(_locked_faults(folder) if thorough else ())))


def _locked_faults(folder: Path) -> Iterator[Fault]:
    for level in walk(folder, _DEPTH):
        if is_locked(level.folder):
            message = f"{printable(level.folder)}: what it holds is not seen, there is no permission to look into it"
            yield Fault("noted", "file", message)


def _unit_faults(rows: pd.DataFrame) -> Iterator[Fault]:
    for row in rows.dropna(subset="action_units").itertuples():
        yield from unit_faults(row.sample_id, row.action_units)


def _annotation(folder: Path, layout: RecordedLayout) -> Annotation:
    files = layout.annotation_files(folder)
    if not files:
        return Annotation(typed(pd.DataFrame()), [], None)
    annotation = layout.annotate(files[0])
    if files[1:]:
        first, *others = (printable(file.relative_to(folder)) for file in files)
        message = f"{first} is read; these are there besides: {', '.join(others)}"
        annotation.faults.append(Fault("noted", "annotation", message))
    return annotation


def _annotation_faults(annotation: Annotation, layout: RecordedLayout, named: bool) -> Iterator[Fault]:
    yield from annotation.faults
    if annotation.file is None:
        effect = "noted" if named else "unusable"
        yield Fault(effect, "annotation", f"it is missing: expected {layout.expected}")  # type: ignore[arg-type]


def _images(
    folder: Path, entry: Entry, layout: RecordedLayout, wanted: str | None
) -> tuple[str, Path] | tuple[None, None]:
    if wanted is not None and wanted not in layout.versions:
        raise ParameterError(f"images of {entry.name}: expected one of {', '.join(layout.versions)}, got {wanted!r}")
    there = layout.image_folders(folder)
    if wanted is not None and wanted not in there:
        raise DataError(f"{entry.title}: no {wanted} images in {folder}, got {', '.join(there) or 'none at all'}")
    version = wanted or next((name for name in layout.versions if name in there), None)
    return (version, there[version]) if version else (None, None)


def _by_id(sources: Mapping[str, FrameSource], dataset: str) -> dict[str, FrameSource]:
    return {f"{dataset}/{key}": source for key, source in sources.items()}


def _with_frames(
    rows: pd.DataFrame, sources: Mapping[str, FrameSource], cut: bool, thorough: bool
) -> tuple[pd.DataFrame, list[Fault]]:
    rows = rows.copy()
    looked = look(rows, sources, thorough)
    rows["n_frames"] = pd.array([len(looked[name].numbers) or pd.NA for name in rows["sample_id"]], dtype="Int64")
    faults = [fault for found in looked.values() for fault in found.faults]
    for at, name in rows["sample_id"].items():
        faults += _mend(rows, at, looked[name], cut)
    return rows, faults


def _mend(rows: pd.DataFrame, at: object, looked: Looked, cut: bool) -> Iterator[Fault]:
    """Write the frame numbers that follow from the frames: of clips that break off, and of those cut at both ends."""
    if looked.offset is not None:
        rows.at[at, "offset"] = looked.offset
    row = rows.loc[at]
    if cut and len(looked.numbers) > 1 and pd.isna(row["onset"]) and pd.isna(row["offset"]):
        first, last = int(looked.numbers[0]), int(looked.numbers[-1])
        rows.loc[at, ["onset", "offset"]] = first, last
        message = f"no onset and offset: the first and last frame of the clip are taken, {first} and {last}"
        yield Fault("noted", "frame numbers", message, row["sample_id"])


def _readable(videos: dict[str, FrameSource]) -> tuple[dict[str, FrameSource], list[Fault]]:
    good, faults = {}, []
    for name, source in videos.items():
        try:
            source.numbers()
            good[name] = source
        except DataError as error:
            faults.append(Fault("noted", "unreadable video", str(error), name))
    return good, faults


def _with_labels(rows: pd.DataFrame, label_set: LabelSet, strict: bool) -> tuple[pd.DataFrame, list[Fault]]:
    own = rows.assign(dataset=next(iter(label_set.parts))) if not strict else rows
    table = labelled(own, label_set)
    faults = [
        Fault("excludes", "unknown emotion", f"{row.reason}: expected one that the label rules know", row.sample_id)
        for row in table[without_meaning(table)].itertuples()
        if strict
    ]
    return rows.assign(label3=table["label"].array), faults
