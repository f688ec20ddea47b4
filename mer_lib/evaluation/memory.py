"""How much memory a piece of work took at its peak."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from pathlib import Path

import torch

MIB = 2**20
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class PeakMemory:
    """Watches this process from now on; :meth:`peaks` says what it took at most since then.

    Linux counts anew from here. Elsewhere the peak is that of the whole life of the process.
    """

    def __init__(self) -> None:
        with suppress(OSError):  # no Linux, or a system that forbids it: the peak of the process so far counts, too
            _RESET.write_text("5")
        if torch.cuda.is_initialized():
            torch.cuda.reset_peak_memory_stats()

    def peaks(self, device: torch.device) -> dict[str, float]:
        """Return `peak_mib` of the process (resident), and `peak_device_mib` of tensors where `device` is a GPU."""
        peaks = {"peak_mib": round(_resident_mib(), 1)}
        if device.type == "cuda":
            peaks["peak_device_mib"] = round(torch.cuda.max_memory_allocated(device) / MIB, 1)
        return peaks


def _resident_mib() -> float:
    try:
        found = re.search(r"VmHWM:\s*(\d+) kB", _STATUS.read_text())
    except OSError:
        found = None
    return int(found[1]) / 1024 if found else _resource_mib()


def _resource_mib() -> float:
    try:
        import resource  # Unix alone has it
    except ImportError:
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / MIB if sys.platform == "darwin" else peak / 1024
