"""Execute one notebook in a process of its own: ``python -m mer_lib.running.executing``, see :mod:`.side_by_side`.

A line of JSON on the standard input names `source`, `target`, `parameters`, and the file for the `answer`. The input
stays open for as long as somebody waits: where it ends, the one who asked is gone, and the kernel is ended, too.
Nothing of the library is imported here but this: a kernel imports it once more anyway.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

import papermill
from papermill.exceptions import PapermillExecutionError

_GRACE_S = 10.0  # for the kernel to end


def main() -> None:
    """Execute what the standard input names, and write what went wrong, an empty text or one line, as the answer."""
    asked = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with, args=(sys.stdin,), daemon=True).start()
    error = execute(Path(asked["source"]), Path(asked["target"]), asked["parameters"])
    Path(asked["answer"]).write_text(json.dumps(error), "utf-8")


def execute(source: Path, target: Path, parameters: dict[str, Any]) -> str:
    """Execute a notebook with papermill and keep the executed copy.

    Returns:
        An empty text, or the error of the cell that failed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        papermill.execute_notebook(
            str(source),
            str(target),
            parameters=parameters,
            kernel_name="python3",
            progress_bar=False,
            cwd=str(source.parent),
            extra_arguments=["--log-level=ERROR"],  # the kernel warns of its own transport at every start
        )
    except PapermillExecutionError as error:
        return f"{error.ename}: {error.evalue}"
    except (RuntimeError, TimeoutError, OSError) as error:  # the kernel died or never started; the disk is full
        return f"{type(error).__name__}: {error}"
    return ""


def _end_with(stream: TextIO) -> None:
    """End this process and its kernel when `stream` ends."""
    stream.read()
    os.kill(os.getpid(), signal.SIGTERM)  # the client of the kernel shuts it down on this signal
    time.sleep(_GRACE_S)
    os._exit(1)


if __name__ == "__main__":
    main()
