"""The event log of a run: what happened when, one JSON object a line, for programs that watch or look back.

Every line has `time` (UTC, ISO 8601 with milliseconds) and `event`; the other entries by event:

================= =====================================================================================================
run started       command, mer_lib, python, torch, machine, data, data_kind, data_digest, targets, only, cluster,
                  profile, seeds, jobs, device
experiment left   experiment, reason: it cannot be run on these data, the others are
fold started      experiment, variant, fold (counted from 0, as in the names of files), seed, address
fold finished     the same, and seconds, peak_mib (largest memory of the process that computed it, where it is known)
fold failed       the same, and traceback
notebook kept     name, path: its last copy is still true
notebook started  name, path
notebook finished name, path, seconds
notebook failed   name, path, seconds, error
report kept       path: nothing that it shows has changed
report written    path, seconds
run stopped       seconds: by somebody (Ctrl-C); whatever was finished is kept
run broken        seconds, error: the run could not go on
run ended         seconds, computed, found, failed (names of variants and notebooks)
================= =====================================================================================================

A file is only ever appended to: it holds all runs into its folder, one after the other. A line that was cut off by a
crash is ended by the next run, so that the others can still be read.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from mer_lib.errors import RunError

EVENTS_FILE = "events.jsonl"


class EventLog:
    """Appends events to a file, from any thread.

    Raises:
        RunError: the file cannot be written, at the start or later (a full disk).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._append("" if _ends_with_a_line(path) else "\n")

    def write(self, event: str, **entries: Any) -> None:
        """Append one event."""
        moment = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._append(json.dumps({"time": moment, "event": event, **entries}, ensure_ascii=False) + "\n")

    def _append(self, text: str) -> None:
        try:
            with self._lock, self.path.open("a", encoding="utf-8") as stream:
                stream.write(text)
        except OSError as error:
            raise RunError(
                f"{self.path}: cannot be written ({error.strerror}). Free space, or name a folder with --out that can "
                "be written; finished folds are kept"
            ) from error


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of a log, those of all runs; a line that was cut off is left out."""
    for line in path.read_text("utf-8").splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            continue


def _ends_with_a_line(path: Path) -> bool:
    try:
        return path.stat().st_size == 0 or path.read_bytes()[-1:] == b"\n"
    except FileNotFoundError:
        return True
    except OSError:  # writing says what is wrong
        return True
