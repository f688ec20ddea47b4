"""Worker processes that end when the process that started them is gone, however it went."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import joblib

EVERY_S = 0.5  # how often a worker looks whether its parent still lives
_watched: set[int] = set()


def delayed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what :func:`joblib.delayed` does, for workers that end with this process.

    >>> joblib.Parallel(n_jobs=1)(delayed(abs)(number) for number in (-1, 2))
    [1, 2]
    """
    return partial(joblib.delayed(_call), os.getpid(), function)


def _call(parent: int, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    end_with(parent)
    return function(*args, **kwargs)


def end_with(parent: int) -> None:
    """End this process once process `parent` is not its parent any more, even in the middle of its work.

    Nobody would take what it makes. Nothing happens in process `parent` itself, and a second call changes nothing.
    """
    if parent != os.getpid() and parent not in _watched:
        _watched.add(parent)
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(EVERY_S)
    os._exit(1)
