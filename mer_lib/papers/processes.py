"""Calls side by side in processes, for what is read and computed rather than trained."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import joblib

from mer_lib.orphans import delayed


def side_by_side(function: Callable[[Any], Any], arguments: Iterable[Any], jobs: int) -> list[Any]:
    """Return what `function` makes of each of `arguments`, in their order, in at most `jobs` processes.

    >>> side_by_side(abs, [-1, 2], jobs=1)
    [1, 2]
    """
    given = list(arguments)
    workers = joblib.Parallel(n_jobs=max(1, min(jobs, len(given))))
    with warnings.catch_warnings():
        # A worker whose memory has grown is replaced between two calls; nothing is lost.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
        return workers(delayed(function)(argument) for argument in given)
