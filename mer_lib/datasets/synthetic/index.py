"""The list of what a profile holds: one row a clip, with the digests of its files; written when all of them are whole.

It is a CSV file, one a profile, beside the folder of clips that all profiles share.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from mer_lib import atomic
from mer_lib.datasets.synthetic import databases
from mer_lib.datasets.synthetic.databases import ClipEntry, Entry
from mer_lib.datasets.synthetic.recipe import recipe
from mer_lib.datasets.synthetic.storage import ClipFiles, files_of
from mer_lib.errors import DataError

REMEDY = "run `mer data make synthetic --profile {profile}`: it makes what is missing, damaged or stale"


@dataclass(frozen=True)
class Record:
    """One clip or long video as it lies on the disk; every field is the text of a cell.

    Frame numbers count from 1. A long video has no emotion, class, onset, apex and offset of its own and no map: these
    cells are empty, and its truth lists its intervals.
    """

    sample_id: str
    gender: str
    emotion: str
    label3: str
    action_units: str
    fps: str
    n_frames: str
    onset: str
    apex: str
    offset: str
    recipe: str  #: see :func:`mer_lib.datasets.synthetic.recipe.recipe`
    frames_bytes: str
    frames_sha256: str
    map_bytes: str
    map_sha256: str
    truth_bytes: str
    truth_sha256: str

    @property
    def n_bytes(self) -> int:
        """Size of all files of the clip."""
        return sum(int(cell or 0) for cell in (self.frames_bytes, self.map_bytes, self.truth_bytes))


COLUMNS = tuple(field.name for field in fields(Record))


_DIGEST = re.compile(r"[0-9a-f]{64}")


def path_of(root: Path, profile: str) -> Path:
    """Return where the list of a profile lies."""
    return root / f"{profile}.csv"


def write(root: Path, profile: str, records: Iterable[Record]) -> bool:
    """Write the list of a profile, sorted by id, whole or not at all; False where it is there, byte for byte."""
    buffer = io.StringIO()
    table = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(asdict(record) for record in sorted(records, key=lambda record: record.sample_id))
    path = path_of(root, profile)
    if path.is_file() and path.read_text("utf-8") == buffer.getvalue():
        return False
    atomic.write_text(path, buffer.getvalue())
    return True


def read(root: Path, profile: str) -> list[Record]:
    """Read the list of a profile.

    Raises:
        DataError: it is missing or not as :func:`write` leaves it.
    """
    path = path_of(root, profile)
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            table = csv.DictReader(stream)
            if tuple(table.fieldnames or ()) != COLUMNS:
                raise DataError(f"{path.name}: expected the columns {', '.join(COLUMNS)}")
            rows = list(table)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path.name}: is not a readable list of clips ({error})") from None
    if any(None in row or None in row.values() for row in rows):
        raise DataError(f"{path.name}: a row has too many or too few cells")
    records = [Record(**row) for row in rows]
    damaged = [record.sample_id for record in records if not _is_sound(record)]
    if damaged:
        raise DataError(f"{path.name}: ids or numbers are damaged in {len(damaged)} rows ({', '.join(damaged[:3])})")
    return records


def _is_sound(record: Record) -> bool:
    """Whether the cells that are ids and numbers can be read as such; whether they are true is for :func:`faults`."""
    is_clip = bool(record.label3)
    numbers = [record.fps, record.n_frames, record.frames_bytes, record.truth_bytes]
    of_clips = [record.onset, record.apex, record.offset, record.map_bytes]
    digests = [record.frames_sha256, record.truth_sha256, *([record.map_sha256] if is_clip else [])]
    counts_are_sound = all(_is_count(cell) for cell in [*numbers, *(of_clips if is_clip else [])])
    digests_are_sound = all(_DIGEST.fullmatch(cell) for cell in digests)
    return counts_are_sound and digests_are_sound and len([*filter(None, record.sample_id.split("/"))]) == 3


def _is_count(cell: str) -> bool:
    return cell.isascii() and cell.isdigit()


def is_current(root: Path, profile: str) -> bool:
    """Whether the list of a profile is there and names what the present code would make; no clip is read."""
    try:
        records = read(root, profile)
    except DataError:
        return False
    return not list(_stale(records, profile))


def faults(root: Path, profile: str, records: Sequence[Record], thorough: bool) -> Iterator[str]:
    """Say what is wrong with a profile on the disk, one line a fault.

    Args:
        root: folder of the synthetic data.
        profile: which one.
        records: its list, see :func:`read`.
        thorough: read every file and compare its digest; else only see whether it is there in its full length.
    """
    yield from _stale(records, profile)
    for record in records:
        yield from _file_faults(root, record, profile, thorough)


def _stale(records: Sequence[Record], profile: str) -> Iterator[str]:
    entries = {entry.sample_id: entry for entry in databases.entries(profile)}
    wanted = {sample_id: recipe(entry) for sample_id, entry in entries.items()}
    listed = {record.sample_id: record.recipe for record in records}
    remedy = REMEDY.format(profile=profile)
    missing, extra = sorted(wanted.keys() - listed.keys()), sorted(listed.keys() - wanted.keys())
    if missing or extra or len(listed) < len(records):
        shown = ", ".join([*missing, *extra][:3])
        yield f"{profile}.csv: lists {len(extra)} clips too many and {len(missing)} too few ({shown}); {remedy}"
    stale = [name for name in wanted.keys() & listed.keys() if wanted[name] != listed[name]]
    if stale:
        yield f"{len(stale)} of {len(wanted)} clips were made by another version of the generator; {remedy}"
    wrong = [r.sample_id for r in records if r.sample_id in entries and not _is_of(r, entries[r.sample_id])]
    if wrong:
        shown = ", ".join(wrong[:3])
        what = "gender, emotion, class or frame rate"
        yield f"{profile}.csv: {what} of {len(wrong)} clips are not those drawn ({shown}); {remedy}"


def _is_of(record: Record, entry: Entry) -> bool:
    """Whether the list says of a clip what it was made to show."""
    shown = (entry.emotion, entry.label3) if isinstance(entry, ClipEntry) else ("", "")
    wanted = (entry.gender, *shown, f"{entry.recording.fps:g}")
    return (record.gender, record.emotion, record.label3, record.fps) == wanted


def _file_faults(root: Path, record: Record, profile: str, thorough: bool) -> Iterator[str]:
    paths = files_of(root, record.sample_id)
    for part in ClipFiles._fields:
        path, size, digest = getattr(paths, part), getattr(record, f"{part}_bytes"), getattr(record, f"{part}_sha256")
        if digest and (fault := _file_fault(path, int(size), digest, thorough)):
            yield f"{path.relative_to(root).as_posix()}: {fault}; {REMEDY.format(profile=profile)}"


def _file_fault(path: Path, size: int, digest: str, thorough: bool) -> str | None:
    if not path.is_file():
        return "file is missing"
    if path.stat().st_size != size:
        return f"is damaged: expected {size} bytes, got {path.stat().st_size}"
    if thorough and sha256(path.read_bytes()) != digest:
        return "is damaged: its content is not what was written"
    return None


def sha256(content: bytes) -> str:
    """Return the SHA-256 of some bytes as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
