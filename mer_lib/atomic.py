"""Write files whole or not at all."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

# No write takes this long: a temporary file that nobody touched for so long belongs to a process that was killed.
ABANDONED_AFTER_S = 3600.0


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader sees the old file or the new one, never half of it.

    The bytes go to a temporary file in the same folder (created where missing), reach the disk, and
    take the final name by one rename. Two processes may write the same path: the last rename wins.

    Raises:
        OSError: the folder cannot be written or the disk is full; the temporary file is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sweep(folder: Path) -> None:
    """Remove from `folder` the temporary files of :func:`write_bytes` that no process writes any more.

    A killed process cannot remove its own. Those younger than :data:`ABANDONED_AFTER_S` may be in use and stay until
    a later call. What cannot be removed (a read-only folder, a file that another process swept first) is left.
    """
    oldest = time.time() - ABANDONED_AFTER_S
    for file in folder.glob(".*.tmp"):
        with suppress(OSError):
            if file.stat().st_mtime < oldest:
                file.unlink()


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all (see :func:`write_bytes`)."""
    write_bytes(path, text.encode("utf-8"))
