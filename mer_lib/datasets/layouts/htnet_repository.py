"""Layout of the public HTNet repository: one label list, one folder with one map a clip."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mer_lib.datasets.reading import Clip, Reading, name_contradiction, read_map, visible_files
from mer_lib.datasets.samples import sample_id
from mer_lib.manifest import Entry

LIST_NAME = "combined_3_class2_for_optical_flow.csv"
#: A clone has the maps below ``datasets``; a flat copy has them beside the list.
MAP_FOLDERS: tuple[str, ...] = ("STSNet_whole_norm_u_v_os", "datasets/STSNet_whole_norm_u_v_os")

_COLUMNS = ("dataset", "sub", "filename_o", "label")


def is_there(folder: Path) -> bool:
    """Whether `folder` holds the label list or the maps (both are needed, the reader says which lacks)."""
    return os.path.isfile(folder / LIST_NAME) or _map_folder(folder) is not None


def read(folder: Path, entry: Entry) -> Reading:
    """Read labels and maps; the map of a row is ``<sub>_<filename_o> .png``, its blank optional.

    Args:
        folder: holds the label list, and the maps in one of :data:`MAP_FOLDERS`.
        entry: supplies the label map and how each sub-dataset writes its subjects.

    Returns:
        One clip a usable row of the list, all faults (rows that repeat or contradict themselves, files without a
        row), and the clips whose file is missing or no 28x28 RGB image.
    """
    faults: list[str] = []
    table = _read_list(folder / LIST_NAME, faults)
    maps = _map_folder(folder)
    if maps is None:
        faults.append(f"folder of maps is missing: expected {' or '.join(MAP_FOLDERS)} below {folder}")
    clips, claimed = _clips_of(table, entry, faults)
    if maps is None or table is None:
        return Reading(list(clips.values()), faults)
    files = _files_by_stem(maps, faults)
    faults += [f"{files[stem].name}: file without a row in {LIST_NAME}" for stem in sorted(files.keys() - claimed)]
    excluded: dict[str, str] = {}
    complete = [_with_map(clip, stem, files, excluded) for stem, clip in clips.items()]
    return Reading(complete, faults, excluded)


def _map_folder(folder: Path) -> Path | None:
    return next((folder / name for name in MAP_FOLDERS if os.path.isdir(folder / name)), None)


def _read_list(path: Path, faults: list[str]) -> pd.DataFrame | None:
    try:
        # Text throughout: type guessing turns subject "006" into 6.
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        faults.append(f"label list {LIST_NAME} is missing in {path.parent}")
        return None
    except (OSError, ValueError) as error:
        faults.append(f"{LIST_NAME}: is not a readable CSV ({error})")
        return None
    missing = [column for column in _COLUMNS if column not in table]
    if missing:
        faults.append(f"{LIST_NAME}: columns missing: {', '.join(missing)} (got {', '.join(table.columns)})")
        return None
    return table[list(_COLUMNS)].apply(lambda column: column.str.strip())


def _clips_of(table: pd.DataFrame | None, entry: Entry, faults: list[str]) -> tuple[dict[str, Clip], set[str]]:
    """Clips by the stem of their file, and all stems that some row claims, faulty rows included."""
    clips: dict[str, Clip] = {}
    lines: dict[str, int] = {}
    # The header is line 1 of the file.
    for line, row in enumerate([] if table is None else table.itertuples(index=False), start=2):
        stem = f"{row.sub}_{row.filename_o}"
        row_faults = _row_faults(row.dataset, row.sub, row.filename_o, entry)
        if stem in lines:
            row_faults.append(f"{stem} is already in line {lines[stem]}")
        label3 = entry.label_map.get(row.label)
        if label3 is None:
            row_faults.append(f"label of {stem} is {row.label!r}, expected one of {', '.join(entry.label_map)}")
        elif row.dataset in entry.parts:
            contradiction = name_contradiction(entry.parts[row.dataset], row.filename_o, label3)
            row_faults += [f"{stem}: {contradiction}"] if contradiction else []
        faults += [f"{LIST_NAME} line {line}: {fault}" for fault in row_faults]
        if row.dataset in entry.parts and stem not in lines:
            clips[stem] = Clip(row.dataset, row.sub, row.filename_o, label3, None)
        lines.setdefault(stem, line)
    return clips, set(lines)


def _row_faults(dataset: str, subject: str, clip: str, entry: Entry) -> list[str]:
    if dataset not in entry.parts:
        return [f"dataset is {dataset!r}, expected one of {', '.join(entry.parts)}"]
    faults = []
    if not entry.parts[dataset].owns(subject):
        pattern = entry.parts[dataset].subject_pattern
        faults.append(
            f"subject of {dataset} is {subject!r}, expected the form {pattern} "
            "(a spreadsheet program may have dropped leading zeros)"
        )
    if not clip:
        faults.append(f"clip of {dataset}/{subject} has no name")
    return faults


def _files_by_stem(maps: Path, faults: list[str]) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in visible_files(maps):
        stem = path.stem.strip()
        if path.suffix.lower() != ".png":
            faults.append(f"{path.name}: extra file, expected only .png files among the maps")
        elif stem in files:
            faults.append(f"{path.name}: extra file, {files[stem].name!r} is the same clip")
        else:
            files[stem] = path
    return files


def _with_map(clip: Clip, stem: str, files: Mapping[str, Path], excluded: dict[str, str]) -> Clip:
    faults: list[str] = []
    if stem in files:
        clip = clip._replace(pixels=read_map(files[stem], files[stem].name, faults))
    else:
        faults.append(f"{stem} .png: file is missing, though {LIST_NAME} has a row for it")
    excluded |= {sample_id(clip.dataset, clip.subject, clip.clip): fault for fault in faults}
    return clip
