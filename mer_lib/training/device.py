"""Which device a network is trained on, and how many threads it may take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits

from mer_lib.errors import ParameterError

DEVICES = ("auto", "cpu", "cuda")


def resolve_device(device: str) -> torch.device:
    """Turn ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:1"`` into a torch device.

    ``"auto"`` is the first CUDA device where one is present, else the CPU.

    Raises:
        ParameterError: the name is unknown, or CUDA is asked for and not there.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not re.fullmatch(r"cpu|cuda(:\d+)?", device):
        raise ParameterError(f"device: expected one of {', '.join(DEVICES)} (or cuda:N), got {device!r}")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ParameterError(
            f"device: {device!r} was asked for, but this torch ({torch.__version__}) sees no CUDA device; "
            "use device='cpu' or 'auto'"
        )
    resolved = torch.device(device)
    if resolved.type == "cuda" and (resolved.index or 0) >= torch.cuda.device_count():
        raise ParameterError(f"device: expected cuda:0 to cuda:{torch.cuda.device_count() - 1}, got {device!r}")
    return resolved


@contextmanager
def one_thread() -> Iterator[None]:
    """Give all numerical libraries one thread inside the block, and restore the old numbers after it.

    A sum's last bits depend on how many threads share it. With one thread a fold gives the same bytes
    whether it runs alone or beside others, and small networks are faster that way.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)
