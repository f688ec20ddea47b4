"""Fits that can be repeated: random numbers of their own, and names that every process gives alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import nn

from mer_lib.errors import ParameterError


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch inside the block and leave the caller's random state as it was."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        # Not torch.manual_seed, which seeds every CUDA device, whether or not this fit uses it.
        torch.default_generator.manual_seed(seed)
        for used in devices:
            with torch.cuda.device(used):
                torch.cuda.manual_seed(seed)
        yield


def lasting_name(factory: Callable[[], nn.Module]) -> str:
    """Name a module factory the same way in every process: a function's own text would hold its memory address.

    Raises:
        ParameterError: the factory is neither of a module nor a partial of one that is.
    """
    if isinstance(factory, partial):
        return f"{lasting_name(factory.func)}{factory.args}{sorted(factory.keywords.items())}"
    name = getattr(factory, "__qualname__", "<instance>")
    if "<" in name:
        raise ParameterError(
            f"checkpoint: expected `module` to be a class or function of a module, or a functools.partial of one, so "
            f"that a checkpoint can tell whether it is its own; got {name}"
        )
    return f"{factory.__module__}.{name}"
