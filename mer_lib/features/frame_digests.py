"""What stands for the frames of a clip, remembered: reading and hashing them takes longer than asking who changed.

::

    <cache>/frames/<digest of the path>.json

Of a clip in one file (an archive, a video), the digests that were asked for are kept beside what the file system says
of the file: its size, its number, and when it was written and changed, to the nanosecond. As soon as any of these is
another, or where nothing is kept, the frames are read. A folder of images is read each time.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mer_lib import atomic
from mer_lib.datasets.frames.source import FrameSource
from mer_lib.settings import cache_root

#: Nanoseconds: a file that changed so lately may change again without another time of change.
SETTLED_NS = 2_000_000_000
_kept: dict[Path, dict[str, Any]] = {}


def frames_digest(source: FrameSource, frames: Sequence[int]) -> str:
    """Return ``source.content(frames)``, read again only where the file is not the one that it was.

    Raises:
        DataError: a frame cannot be read.
    """
    path = getattr(source, "path", None)
    state = _state(path) if isinstance(path, Path) else None
    if path is None or state is None:
        return source.content(frames)
    memory = _memory(path, state)
    asked = hashlib.sha256(",".join(map(str, frames)).encode()).hexdigest()
    if asked not in memory["digests"]:
        memory["digests"][asked] = source.content(frames)
        if _state(path) == state and time.time_ns() - state[-1] > SETTLED_NS:
            _keep(path, memory)
    return str(memory["digests"][asked])


def _memory(path: Path, state: list[int]) -> dict[str, Any]:
    """Return what is known of a file in this state: what this process has, else what is kept, else nothing."""
    file = _file(path)
    for known in (_kept.get(file), _read(file)):
        if known is not None and known["state"] == state:
            _kept[file] = known
            return known
    return {"state": state, "digests": {}}


def _keep(path: Path, memory: dict[str, Any]) -> None:
    file = _file(path)
    _kept[file] = memory
    with suppress(OSError):  # a cache that cannot be written costs time only
        atomic.write_text(file, json.dumps(memory, sort_keys=True))


def _read(file: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(file.read_text("utf-8"))
        return {"state": list(content["state"]), "digests": dict(content["digests"])}
    except (OSError, ValueError, KeyError, TypeError):  # nothing is kept, or half of it
        return None


def _state(path: Path) -> list[int] | None:
    """Return what the file system says of a file, the time of its last change last; None where there is no file."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return [found.st_size, found.st_ino, found.st_dev, found.st_mtime_ns, found.st_ctime_ns]


def _file(path: Path) -> Path:
    name = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()
    return cache_root() / "frames" / f"{name[:32]}.json"
