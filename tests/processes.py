"""Other processes: waiting for them, whether they live, and what kills them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from mer_lib.evaluation.folds import Inputs

REPOSITORY = Path(__file__).resolve().parents[1]
PATIENCE_S = 120  # for another process to get somewhere; only a hang takes so long


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until `condition` holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "the other process got nowhere"
        time.sleep(0.005)


def lives(process: int) -> bool:
    """Whether there is such a process, and it is more than the remains of one."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def workers_of(process: int) -> set[int]:
    """The workers that a process started, without what watches over their resources. Linux alone."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            parent = int(status.read_text().rsplit(")", 1)[1].split()[1])
            command = (status.parent / "cmdline").read_bytes()
            if parent == process and b"loky" in command and b"resource_tracker" not in command:
                found.add(int(status.parent.name))
    return found


class Deadly(Inputs):
    """Inputs that kill the process which trains without some subject, as a system short of memory does.

    Args:
        inputs: what they are otherwise.
        without: beginning of the ids of that subject.
        killed: a folder that gets a file for each process that was killed, named by its id.
        times: how often they do so.
    """

    def __init__(self, inputs: Inputs, without: str, killed: Path, times: int) -> None:
        super().__init__(inputs.sample_ids, inputs.X, inputs.y, inputs.classes)
        self.without, self.killed, self.times = without, killed, times

    def take(self, sample_ids: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
        trains = len(sample_ids) > len(self.sample_ids) / 2
        if trains and not any(name.startswith(self.without) for name in sample_ids):
            self.killed.mkdir(exist_ok=True)
            if len(list(self.killed.iterdir())) < self.times:
                (self.killed / str(os.getpid())).touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return super().take(sample_ids)
