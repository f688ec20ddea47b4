"""On what this page was built: versions and hardware."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

import torch

from mer_lib import __version__
from mer_lib.evaluation.provenance import device_name

PACKAGES = ("torch", "torchvision", "scikit-learn", "numpy", "pandas", "plotly")


def versions() -> dict[str, str]:
    """Return the versions of mer_lib, Python and the packages that numbers depend on."""
    found = {"mer_lib": __version__, "Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def hardware() -> dict[str, str]:
    """Return processor, cores, memory, accelerators and operating system of this machine."""
    return {
        "processor": device_name(torch.device("cpu")),
        "cores": str(os.cpu_count() or "unknown"),
        "memory": _memory(),
        "accelerators": ", ".join(_accelerators()) or "none",
        "system": platform.platform(terse=True),
    }


def _memory() -> str:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return "unknown"
    return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB"


def _accelerators() -> list[str]:
    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
