"""Somebody's own recordings: any folder of videos or of folders of images, with or without a list.

::

    my_clips/clip1.mp4                  a video; also avi, mov, m4v, mkv
    my_clips/clip2/img1.jpg, ...        a folder of images, numbered by the last digits of their names
    my_clips/anna/clip3.mp4             in a folder for each subject
    my_clips/anna/clip4/img1.jpg, ...
    my_clips/list.csv                   clip, subject, onset, apex, offset, emotion, gender, fps, action_units

The list is the one CSV file with a column `clip`; its other columns are optional, in any order, separated by comma,
semicolon or tab. `clip` names a video or a folder of images, with or without ending and folder. Without a list each
clip is a row of which nothing more is known. A subject is who the list says, else the folder, else "unknown": clips of
people of whom nothing is known count as those of one, so that nobody is both trained and tested on.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from mer_lib.datasets.annotation.table import Annotation, typed
from mer_lib.datasets.faults import Fault
from mer_lib.datasets.frames.source import FrameSource, listed, printable
from mer_lib.datasets.frames.video import VIDEO_ENDINGS
from mer_lib.datasets.layouts.folder_clips import ClipFile, clip_files, comparable, id_part
from mer_lib.datasets.layouts.folder_list import ClipList, Line, read_list, same

UNKNOWN = "unknown"
LOW_FPS = 60  # a micro-expression lasts half a second at most, and has then fewer than 30 frames
_SAME_FPS = 0.01


class _Clip(NamedTuple):
    """A clip with its id: what lies on the disk, what the list says, or both."""

    subject: str
    clip: str
    file: ClipFile | None
    line: Line | None

    @property
    def key(self) -> str:
        return f"{self.subject}/{self.clip}"


def is_folder(folder: Path) -> bool:
    """Whether a folder holds a clip; none is opened."""
    return any(True for _ in clip_files(folder))


def annotate(folder: Path) -> Annotation:
    """Return a row for each clip of a folder, and for each line of its list that has none.

    Args:
        folder: the folder; of videos the head is read for the frame rate, of images nothing.

    Returns:
        Rows with the columns of ``ROW_COLUMNS`` and two more: `gender` (text or missing) and `fps` (frames a second,
        of a video what the file says, else what the list says). Its file is the list, or the folder where there is
        none.
    """
    faults: list[Fault] = []
    clip_list, clips = _read(folder, faults)
    rates = [_fps(clip, faults) for clip in clips]
    faults += _rate_faults(clips, rates)
    rows = typed(pd.DataFrame([_row(clip) for clip in clips]))
    said = [clip.line.said if clip.line else {} for clip in clips]
    rows["gender"] = pd.array([line.get("gender", pd.NA) for line in said], dtype="string")
    rows["fps"] = pd.array([pd.NA if rate is None else rate for rate in rates], dtype="Float64")
    return Annotation(rows, faults, clip_list.file or folder)


def sources(folder: Path, rows: pd.DataFrame) -> dict[str, FrameSource]:
    """Return the frames of clips by "<subject>/<clip>"; nothing of them is read yet.

    Args:
        folder: the folder.
        rows: of :func:`annotate`; those without frames are passed over.
    """
    wanted = set(rows["subject"] + "/" + rows["clip"])
    _, clips = _read(folder, [])
    return {clip.key: clip.file.source() for clip in clips if clip.file and clip.key in wanted}


def _read(folder: Path, faults: list[Fault]) -> tuple[ClipList, list[_Clip]]:
    left_out: list[str] = []
    files = list(clip_files(folder, left_out))
    if left_out:
        faults.append(Fault("noted", "file", f"{printable(folder)}: left out: {listed(left_out)}"))
    clip_list = read_list(folder, faults)
    lines, alone = _matched(files, clip_list.lines, faults)
    clips = [_identified(file, lines.get(file)) for file in files] + [_identified(None, line) for line in alone]
    if clip_list.lines:
        faults += _without_line([file for file in files if file not in lines], clip_list)
    return clip_list, _single(clips, faults)


# -- lines and files --------------------------------------------------------------------------------------------------


def _matched(
    files: Sequence[ClipFile], lines: Sequence[Line], faults: list[Fault]
) -> tuple[dict[ClipFile, Line], list[Line]]:
    """Return the line of each file that has one, and the lines without a file."""
    called: dict[str, list[ClipFile]] = defaultdict(list)
    for file in files:
        for name in file.called():
            called[name].append(file)
    found: dict[ClipFile, list[Line]] = defaultdict(list)
    alone = []
    for line in lines:
        meant = _meant(called.get(comparable(line.clip), []), line)
        if len(meant) == 1:
            found[meant[0]].append(line)
        elif meant:
            faults.append(_ambiguous(line, meant))
        else:
            faults.append(_missing(line, called))
            alone.append(line)
    kept = {file: doubles[0] for file, doubles in found.items() if same(doubles)}
    faults += [_doubled(file, doubles) for file, doubles in found.items() if len(doubles) > 1]
    return kept, alone


def _meant(files: Sequence[ClipFile], line: Line) -> Sequence[ClipFile]:
    """Return the files that a line can mean: where several are called alike, those in the folder of its subject."""
    subject = line.said.get("subject")
    of_subject = [file for file in files if subject and file.parent and id_part(file.parent) == id_part(str(subject))]
    return files if len(files) < 2 else of_subject or files


def _ambiguous(line: Line, files: Sequence[ClipFile]) -> Fault:
    names = listed([file.shown for file in files])
    return Fault("noted", "annotation", f"{line.place}: {line.clip!r} can mean {names}: write it so; it is left out")


def _missing(line: Line, called: Mapping[str, Sequence[ClipFile]]) -> Fault:
    near = difflib.get_close_matches(comparable(line.clip), list(called), n=1)
    hint = f"; is it {called[near[0]][0].shown!r}?" if near else ""
    return Fault("noted", "missing clip", f"{line.place}: there is no video or folder of images {line.clip!r}{hint}")


def _doubled(file: ClipFile, lines: Sequence[Line]) -> Fault:
    places = listed([line.place for line in lines])
    what = "they say the same" if same(lines) else "they differ, so none of them is taken: keep one line a clip"
    return Fault("noted", "duplicate key", f"{file.shown} has {len(lines)} lines ({places}); {what}")


def _without_line(files: Sequence[ClipFile], clip_list: ClipList) -> list[Fault]:
    if not files or clip_list.file is None:
        return []
    names = listed([file.shown for file in files])
    return [Fault("noted", "extra clip", f"{len(files)} clips have no line in {clip_list.file.name}: {names}")]


# -- ids --------------------------------------------------------------------------------------------------------------


def _identified(file: ClipFile | None, line: Line | None) -> _Clip:
    above, name = (file.parent, file.name) if file else _named(line)
    said = line.said.get("subject") if line else None
    return _Clip(id_part(str(said or above or UNKNOWN)), id_part(name), file, line)


def _named(line: Line | None) -> tuple[str | None, str]:
    above, _, name = (line.clip if line else "").replace("\\", "/").rpartition("/")
    return above or None, Path(name).stem if name.lower().endswith(VIDEO_ENDINGS) else name


def _single(clips: Sequence[_Clip], faults: list[Fault]) -> list[_Clip]:
    """Keep the first of clips with one id."""
    kept: dict[str, _Clip] = {}
    for clip in clips:
        first = kept.setdefault(clip.key, clip)
        if first is not clip:
            message = f"{_shown(clip)} is left out: {_shown(first)} has its id {clip.key} too; rename one of them"
            faults.append(Fault("noted", "duplicate key", message))
    return list(kept.values())


def _shown(clip: _Clip) -> str:
    if clip.file:
        return clip.file.shown
    return clip.line.place if clip.line else clip.key


# -- rows -------------------------------------------------------------------------------------------------------------


def _row(clip: _Clip) -> dict[str, object]:
    said = clip.line.said if clip.line else {}
    place = clip.line.place if clip.line else "no list"
    return {**said, "subject": clip.subject, "clip": clip.clip, "place": place}


def _fps(clip: _Clip, faults: list[Fault]) -> float | None:
    of_list = clip.line.said.get("fps") if clip.line else None
    of_file = clip.file.source().fps if clip.file else None
    if isinstance(of_file, float) and isinstance(of_list, float) and abs(of_list / of_file - 1) > _SAME_FPS:
        message = (
            f"{_shown(clip)}: the list says {of_list:g} frames a second, the video {of_file:g}: the latter is taken"
        )
        faults.append(Fault("noted", "odd frame rate", message))
    return of_file if of_file is not None else of_list  # type: ignore[return-value]


def _rate_faults(clips: Sequence[_Clip], rates: Sequence[float | None]) -> list[Fault]:
    known = [(_shown(clip), rate) for clip, rate in zip(clips, rates, strict=True) if clip.file]
    slow = [f"{name} ({rate:g})" for name, rate in known if rate is not None and rate < LOW_FPS]
    none = [name for name, rate in known if rate is None]
    faults = []
    if slow:
        message = (
            f"{len(slow)} clips have fewer than {LOW_FPS} frames a second, few for a micro-expression: {listed(slow)}"
        )
        faults.append(Fault("noted", "odd frame rate", message))
    if none:
        message = f"{len(none)} clips have no known frame rate, so nothing is known in ms: {listed(none)}"
        faults.append(Fault("noted", "odd frame rate", message))
    return faults
