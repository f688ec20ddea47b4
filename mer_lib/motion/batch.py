"""Optical flow of many pairs of images, on several processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import takewhile

import cv2
import joblib
import numpy as np
from joblib.externals.loky.process_executor import TerminatedWorkerError

from mer_lib.errors import DataError, MerError, ParameterError, RunError
from mer_lib.motion.flow import RAFT, FlowMethod, flow_method, optical_flow
from mer_lib.motion.raft import VARIABLES, weights_file
from mer_lib.orphans import delayed

Listener = Callable[[int, int], None]


def flows(
    pairs: Iterable[tuple[np.ndarray, np.ndarray]],
    method: str | FlowMethod = "farneback",
    jobs: int = 1,
    listener: Listener | None = None,
) -> list[np.ndarray]:
    """Return the flow of each pair of images, in the order of the pairs.

    Each process computes on one thread. The flows are the same to the last bit for any number of processes.

    Args:
        pairs: first and second image as for :func:`mer_lib.motion.optical_flow`; pairs may differ in size. All are
            held in memory at once.
        method: as for :func:`mer_lib.motion.optical_flow`.
        jobs: number of processes; with 1, this process does the work.
        listener: called with the number of flows done and the number of all, after each.

    Returns:
        float32 (H, W, 2) px each.

    Raises:
        ParameterError: `jobs` is below 1, the method is unknown, or a pair cannot be compared; the message names the
            first such pair, counted from 0.
        DataError: the weights of a network are not here.
        RunError: a process was killed.
    """
    if jobs < 1:
        raise ParameterError(f"jobs: expected 1 process or more, got {jobs}")
    chosen, given = flow_method(method), list(pairs)
    tell = listener or (lambda done, total: None)
    failed: list[MerError] = []
    wanted = takewhile(lambda _: not failed, enumerate(given))
    named = _weights(chosen)
    calls = (delayed(_one)(number, pair, chosen, named) for number, pair in wanted)
    # Images are sent to the processes, not left for them in temporary files.
    workers = joblib.Parallel(n_jobs=min(jobs, max(len(given), 1)), return_as="generator", max_nbytes=None)
    try:
        return _gathered(workers(calls), len(given), tell, failed)
    except TerminatedWorkerError:
        raise RunError(
            "A process was killed, of lack of memory perhaps. Call again with fewer jobs, or fewer pairs at a time."
        ) from None


def _gathered(
    results: Iterable[np.ndarray | MerError], total: int, tell: Listener, failed: list[MerError]
) -> list[np.ndarray]:
    """Return flows; after the first failure no further pair is begun, and those begun end before it is raised."""
    found = []
    for result in results:
        if isinstance(result, MerError):
            failed.append(result)
        elif not failed:
            found.append(result)
            tell(len(found), total)
    if failed:
        raise failed[0]
    return found


def _weights(method: FlowMethod) -> dict[str, str]:
    """Return the environment variable that names a network's weights, found or fetched once for all processes."""
    if not isinstance(method, RAFT):
        return {}
    file = weights_file(method.size)
    return {VARIABLES[method.size]: str(file.absolute())}


def _one(
    number: int, pair: tuple[np.ndarray, np.ndarray], method: FlowMethod, named: dict[str, str]
) -> np.ndarray | MerError:
    """Return the flow of a pair, or why there is none: so the first error is the same for any number of processes."""
    try:
        first, second = pair
    except (TypeError, ValueError):
        return ParameterError(f"pair {number}: expected two images, got {type(pair).__name__}")
    try:
        with one_thread(method), _environment(named):
            return optical_flow(first, second, method)
    except (ParameterError, DataError) as error:
        return type(error)(f"pair {number}: {error}")


@contextmanager
def one_thread(method: FlowMethod | None) -> Iterator[None]:
    """Keep OpenCV, and torch where the method needs it, on one thread: processes are what runs side by side."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with _one_torch_thread() if isinstance(method, RAFT) else nullcontext():
            yield
    finally:
        cv2.setNumThreads(before)


@contextmanager
def _environment(named: dict[str, str]) -> Iterator[None]:
    """Set variables for a while: a process that has been waiting for work has the environment of its first day."""
    before = {name: os.environ.get(name) for name in named}
    os.environ.update(named)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
