"""Make the clips of a profile: in parallel, whole or not at all, going on where it was stopped.

A clip's files are written one by one, its truth last. Whoever stops the making at any moment loses the clips that were
in the making, and no more: a second call finds what is whole and fresh by its digests, and makes the rest.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from mer_lib import atomic, settings
from mer_lib.datasets.synthetic import databases, index
from mer_lib.datasets.synthetic.databases import ClipEntry, Entry
from mer_lib.datasets.synthetic.index import Record, sha256
from mer_lib.datasets.synthetic.plan import ClipPlan
from mer_lib.datasets.synthetic.produce import Contents, plan_of, produce
from mer_lib.datasets.synthetic.recipe import recipe
from mer_lib.datasets.synthetic.storage import FIRST_NUMBER, ClipFiles, Truth, files_of, parse_truth
from mer_lib.errors import DataError, RunError
from mer_lib.orphans import delayed

# Measured on one core of a common processor; they only serve to say what to expect.
BYTES_A_PIXEL = {True: 0.21, False: 0.20}  # colour, grey
BYTES_OF_TRUTH = 1000  # a frame
PIXELS_A_SECOND = 8e6
SECONDS_A_FACE = 1.0
SPARE_BYTES = 50e6  # a disk is not filled to its end

# Clips of one subject that a process takes at a time. It keeps the face for the next ones, so that few are enough, and
# whoever waits hears of them often.
AT_A_TIME = 3

#: Called with (clips done, clips to make, the id of the clip made last, or of the first to come).
Listener = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Estimate:
    """What the making of some clips will take, as far as it can be told before."""

    n_clips: int
    n_frames: int
    n_bytes: float
    seconds: float

    def __str__(self) -> str:
        minutes = f"{self.seconds / 60:.0f} min" if self.seconds >= 90 else f"{self.seconds:.0f} s"
        return (
            f"{self.n_clips} clips and long videos, {self.n_frames} frames, about {self.n_bytes / 1e6:.0f} MB of disk "
            f"and {minutes}"
        )


@dataclass(frozen=True)
class Made:
    """What one call has done.

    Attributes:
        n_made: clips and long videos that were made.
        n_kept: those that were there already, whole and fresh.
        n_bytes: size of all of them.
        seconds: that the call took.
    """

    n_made: int
    n_kept: int
    n_bytes: int
    seconds: float

    def __str__(self) -> str:
        size = f"{self.n_bytes / 1e6:.0f} MB"
        if not self.n_made:
            return f"nothing to make: all {self.n_kept} clips are there, {size}"
        return f"{self.n_made} clips made, {self.n_kept} were there already; {size} in all, {self.seconds:.0f} s"


def make(
    profile: str,
    root: Path | None = None,
    jobs: int = 1,
    listener: Listener | None = None,
    announce: Callable[[str], None] | None = None,
) -> Made:
    """Make what a profile lacks, and write its list.

    Args:
        profile: "smoke", "demo" or "course"; they share the clips.
        root: folder of the synthetic data; :func:`mer_lib.settings.synthetic_root` where none is given.
        jobs: processes side by side; the files are the same for any number.
        listener: told after every clip, or every few clips where several processes work.
        announce: told once what the making will take, before it begins; not called where nothing is to be made.

    Raises:
        ParameterError: there is no such profile.
        DataError: the disk has too little room, or a file cannot be written.
        RunError: a process was killed; call again to go on.
    """
    root = root or settings.synthetic_root()
    started = time.monotonic()
    entries = databases.entries(profile)
    kept = find(entries, root)
    missing = [entry for entry in entries if entry.sample_id not in kept]
    if missing:
        expected = estimate(missing, jobs)
        _refuse_bad_place(expected, root)
        if announce:
            announce(f"{expected}, in {root}")
    made = make_entries(missing, root, jobs, listener)
    records = [*kept.values(), *made]
    try:
        index.write(root, profile, records)
    except OSError as error:
        raise _unwritable(error, root, f"all {len(records)} clips are made, but not their list") from None
    n_bytes = sum(record.n_bytes for record in records)
    return Made(len(made), len(kept), n_bytes, time.monotonic() - started)


def estimate(entries: Sequence[Entry], jobs: int = 1) -> Estimate:
    """Say what it will take to make `entries`; their plans are drawn, no frame is."""
    lengths = [plan_of(entry).n_frames for entry in entries]
    recordings = [entry.recording for entry in entries]
    pixels = [count * entry.size**2 for count, entry in zip(lengths, recordings, strict=True)]
    n_bytes = sum(n * BYTES_A_PIXEL[entry.colour] for n, entry in zip(pixels, recordings, strict=True))
    faces = len({entry.person for entry in entries})
    seconds = (sum(pixels) / PIXELS_A_SECOND + faces * SECONDS_A_FACE) / max(jobs, 1)
    return Estimate(len(entries), sum(lengths), n_bytes + sum(lengths) * BYTES_OF_TRUTH, seconds)


def annotated(entries: Sequence[ClipEntry]) -> str:
    """Return the digest of the annotations that `entries` will have, which `data_manifest.yaml` states."""
    rows = []
    for entry in entries:
        plan = plan_of(entry)
        marks = {name: getattr(plan, name) + FIRST_NUMBER for name in ("onset", "apex", "offset")}
        rows.append({"sample_id": entry.sample_id, "emotion": entry.emotion, "n_frames": plan.n_frames, **marks})
    return databases.annotation_digest(rows)


def find(entries: Sequence[Entry], root: Path) -> dict[str, Record]:
    """Return the records of those `entries` whose files are there, whole, and of the present recipe."""
    found = ((entry.sample_id, _found(entry, root)) for entry in entries)
    return {sample_id: record for sample_id, record in found if record}


def make_entries(entries: Sequence[Entry], root: Path, jobs: int = 1, listener: Listener | None = None) -> list[Record]:
    """Make those `entries` that are not there, in any order; see :func:`make` for the arguments and errors."""
    tell = listener or (lambda done, total, name: None)
    groups = list(_groups(entries, 1 if jobs == 1 else AT_A_TIME))
    for folder in sorted({files_of(root, entry.sample_id).truth.parent for entry in entries}):
        atomic.sweep(folder)
    workers = joblib.Parallel(n_jobs=min(jobs, max(len(groups), 1)), return_as="generator_unordered", batch_size=1)
    records: list[Record] = []
    if groups:
        tell(0, len(entries), groups[0][0].sample_id)
    try:
        for made in workers(delayed(_make_group)(group, root) for group in groups):
            records += made
            tell(len(records), len(entries), made[-1].sample_id)
    except OSError as error:
        raise _unwritable(error, root, f"{len(records)} of {len(entries)} clips are made") from None
    except TerminatedWorkerError:
        raise RunError(
            f"A process was killed, of lack of memory perhaps; {len(records)} of {len(entries)} clips are made. "
            "Call again to go on, with fewer jobs."
        ) from None
    return records


def _unwritable(error: OSError, root: Path, state: str) -> DataError:
    return DataError(
        f"{error.filename2 or error.filename or root}: cannot be written ({error.strerror or error}); {state}. "
        "Free some room or set MER_SYNTHETIC to another folder, and call again."
    )


def _groups(entries: Sequence[Entry], size: int) -> Iterator[list[Entry]]:
    """Split into groups of one person, long videos first: whoever begins with them does not end alone."""
    people: dict[tuple[bool, str], list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.sample_id):
        people.setdefault((isinstance(entry, databases.ClipEntry), entry.person), []).append(entry)
    for _, group in sorted(people.items()):
        yield from (group[start : start + size] for start in range(0, len(group), size))


def _make_group(entries: Sequence[Entry], root: Path) -> list[Record]:
    """Make clips one after the other on one thread: the processes share the cores."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        return [_make_one(entry, root) for entry in entries]
    finally:
        cv2.setNumThreads(before)


def _make_one(entry: Entry, root: Path) -> Record:
    found = _found(entry, root)
    if found:  # another maker was quicker
        return found
    contents, paths = produce(entry), files_of(root, entry.sample_id)
    for path, content in zip(paths, contents, strict=True):
        if content is not None:
            atomic.write_bytes(path, content)
    return _record(parse_truth(contents.truth, entry.sample_id), contents)


def _found(entry: Entry, root: Path) -> Record | None:
    paths = files_of(root, entry.sample_id)
    is_clip = isinstance(entry, databases.ClipEntry)
    try:
        image = paths.map.read_bytes() if is_clip else None
        contents = Contents(paths.frames.read_bytes(), image, paths.truth.read_bytes())
        truth = parse_truth(contents.truth, paths.truth.name)
    except (OSError, DataError):
        return None
    record = _record(truth, contents)
    whole = (truth.frames_sha256, truth.map_sha256) == (record.frames_sha256, record.map_sha256)
    return record if whole and truth.recipe == recipe(entry) else None


def _record(truth: Truth, contents: Contents) -> Record:
    """Return the row of the list that belongs to the files of a clip."""
    plan = truth.plan
    clip = plan if isinstance(plan, ClipPlan) else None
    marks = [str(mark + FIRST_NUMBER) for mark in (clip.onset, clip.apex, clip.offset)] if clip else [""] * 3
    files = {}
    for part in ClipFiles._fields:
        content = getattr(contents, part)
        files[f"{part}_bytes"] = "" if content is None else str(len(content))
        files[f"{part}_sha256"] = "" if content is None else sha256(content)
    return Record(
        sample_id=plan.sample_id,
        gender=truth.gender,
        emotion=clip.emotion if clip else "",
        label3=truth.label3 or "",
        action_units=clip.action_units if clip else "",
        fps=f"{plan.recording.fps:g}",
        n_frames=str(plan.n_frames),
        onset=marks[0],
        apex=marks[1],
        offset=marks[2],
        recipe=truth.recipe,
        **files,
    )


def _refuse_bad_place(expected: Estimate, root: Path) -> None:
    standing = next(folder for folder in (root, *root.absolute().parents) if folder.exists())
    if not standing.is_dir() or not os.access(standing, os.W_OK):
        what = "one that cannot" if standing.is_dir() else "a file"
        raise DataError(
            f"{standing}: expected a folder that can be written to, got {what}. Set MER_SYNTHETIC to another folder."
        )
    free = shutil.disk_usage(standing).free
    if free < expected.n_bytes + SPARE_BYTES:
        raise DataError(
            f"{root}: expected room for about {expected.n_bytes / 1e6:.0f} MB, got {free / 1e6:.0f} MB free. "
            "Free some room, or set MER_SYNTHETIC to a folder on another disk."
        )
