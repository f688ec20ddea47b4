"""One run at a time in a folder: two would write the same notebooks and the same report."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mer_lib.errors import RunError

LOCK_FILE = ".running"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold `folder`, which is made where it is missing, while the block runs.

    The system lets go of it when the process ends, however it ends: a killed run leaves nothing to clear away.

    Raises:
        RunError: another run holds it, or it cannot be written.
    """
    path = folder / LOCK_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = path.open("a")
    except OSError as error:
        raise RunError(
            f"{folder}: cannot be written ({error.strerror}). Name another folder with --out, or set MER_STORE"
        ) from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(
                f"{folder}: another run is writing into this folder. Wait for it, or name another folder with --out; "
                "runs in different folders may share one store"
            ) from None
        yield
