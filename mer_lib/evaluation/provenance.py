"""Where a fold was computed, with what, and how long it took: information beside a result, never part of it."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import torch

from mer_lib import __version__
from mer_lib.evaluation.store import utc_now

CPU_FILE = Path("/proc/cpuinfo")


def fold_event(fold: int, seed: int, seconds: float, device: torch.device) -> dict[str, Any]:
    """Return the entry that the store logs for one computed fold."""
    return {
        "fold": fold,
        "seed": seed,
        "seconds": round(seconds, 3),
        "finished": utc_now(),
        "device": device.type,
        "device_name": device_name(device),
        "torch": torch.__version__,
        "mer_lib": __version__,
    }


def device_name(device: torch.device) -> str:
    """Return the name of a GPU or processor as its maker gives it, else that of the processor's architecture."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    lines = CPU_FILE.read_text().splitlines() if CPU_FILE.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.processor() or platform.machine()
