"""One fold as a piece of work that any process can carry out: what goes in, and what comes back."""

from __future__ import annotations

import threading
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mer_lib.errors import RunError
from mer_lib.evaluation.fold_file import encode
from mer_lib.evaluation.folds import Inputs, compute_fold
from mer_lib.evaluation.jobs import code_of
from mer_lib.evaluation.memory import PeakMemory
from mer_lib.evaluation.provenance import fold_event
from mer_lib.evaluation.splits import Split
from mer_lib.evaluation.variant import Variant
from mer_lib.training.device import resolve_device

# Random generators, warnings and numbers of threads belong to a whole process: a worker of a cluster that has several
# threads carries out one fold at a time all the same.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class FoldTask:
    """One fold that has to be computed."""

    job_label: str
    variant: Variant
    split: Split
    seed: int
    address: str


@dataclass(frozen=True)
class FoldCall:
    """A fold, and what is needed to compute it anywhere.

    Attributes:
        task: the fold.
        inputs: names what the method is fed; several folds share it.
        device: see :func:`mer_lib.training.device.resolve_device`.
        checkpoint: file of the training's state while it runs; whoever computes elsewhere takes another.
        code: see :func:`mer_lib.evaluation.jobs.code_of`. Whoever computes with other code refuses.
    """

    task: FoldTask
    inputs: str
    device: str
    checkpoint: Path
    code: str


@dataclass(frozen=True)
class Outcome:
    """What became of a fold: the bytes of its file, or the traceback of what went wrong.

    Attributes:
        data: see :func:`mer_lib.evaluation.fold_file.encode`; empty where the fold failed.
        error: a traceback, empty where it did not.
        seconds: it took.
        warned: what it warned of, each text once.
        event: what the store logs of a computed fold.
    """

    data: bytes = b""
    error: str = ""
    seconds: float = 0.0
    warned: tuple[str, ...] = ()
    event: dict[str, Any] = field(default_factory=dict)


def fed(call: FoldCall, inputs_of: Callable[[str], Inputs]) -> Inputs | Outcome:
    """Return the inputs of a fold; where they are lost since the run began, that is what became of the fold."""
    try:
        return inputs_of(call.inputs)
    except Exception:  # such as frames on a drive that is gone: told under the fold's name
        return Outcome(error=traceback.format_exc())


def carry_out(call: FoldCall, inputs: Inputs) -> Outcome:
    """Compute one fold; whatever goes wrong becomes part of the outcome, and whatever is warned of."""
    with _ONE_AT_A_TIME, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        started, memory = time.perf_counter(), PeakMemory()
        data, error = b"", ""
        try:
            _refuse_other_code(call)
            data = _computed(call, inputs)
        except Exception:  # told by the caller under the fold's name; the other folds go on
            error = traceback.format_exc()
        seconds = time.perf_counter() - started
    warned = tuple(dict.fromkeys(f"{entry.category.__name__}: {entry.message}" for entry in caught))
    return Outcome(data, error, seconds, warned, {} if error else _event(call, seconds, memory))


def _computed(call: FoldCall, inputs: Inputs) -> bytes:
    task = call.task
    result = compute_fold(
        task.variant,
        task.split,
        inputs,
        seed=task.seed,
        address=task.address,
        device=call.device,
        checkpoint=call.checkpoint,
    )
    return encode(result)


def _event(call: FoldCall, seconds: float, memory: PeakMemory) -> dict[str, Any]:
    device = resolve_device(call.device)
    event = fold_event(call.task.split.fold, call.task.seed, seconds, device)
    return event | memory.peaks(device)


def _refuse_other_code(call: FoldCall) -> None:
    """Raise RunError where this process would compute something else than the caller's address says."""
    here = code_of(call.task.variant)
    if here != call.code:
        raise RunError(
            f"{call.task.variant.model.name}: expected the code and weights of whoever started this run ({call.code}), "
            f"this process has others ({here}). Files of mer_lib were edited since the run began, or a worker has "
            "another version or lacks weights: start run and workers again with the same"
        )
