"""Who computes folds: this process, worker processes beside it, or a cluster.

Each executor takes calls and gives outcomes; none writes a store. So a worker needs no file of the caller's, and what
a store holds does not hang on who computed it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Protocol

from mer_lib.errors import ParameterError
from mer_lib.evaluation.folds import Inputs
from mer_lib.evaluation.work import FoldCall, FoldTask, Outcome, carry_out, fed
from mer_lib.evaluation.worker_process import CREW, Killed

#: Gives the inputs that calls name.
InputsOf = Callable[[str], Inputs]
#: Each call with its outcome, as they are finished.
Outcomes = Generator[tuple[FoldCall, Outcome], None, None]
#: Told of a fold when its computing begins.
Started = Callable[[FoldTask], None]

DIED = (
    "RunError: the process that computed this fold was killed twice, the second time with no other beside it ({how}). "
    "Most likely memory ran out: give the machine more, or the variant less to hold"
)


def make(n_jobs: int = 1, cluster: str | None = None) -> Executor:
    """Return who computes: a cluster where one is named, else `n_jobs` processes, else this process.

    Args:
        n_jobs: processes on this machine.
        cluster: see :class:`mer_lib.evaluation.cluster.DaskCluster`.

    Raises:
        ParameterError: `n_jobs` is below 1, or nothing is known of such a cluster.
    """
    if cluster is not None:
        from mer_lib.evaluation.cluster import DaskCluster  # what it needs is not installed everywhere

        return DaskCluster(cluster)
    return Serial() if n_jobs == 1 else Processes(n_jobs)


class Executor(Protocol):
    """Computes folds in any order."""

    @property
    def workers(self) -> int:
        """How many folds are computed at a time."""

    def run(self, calls: Sequence[FoldCall], inputs_of: InputsOf, started: Started) -> Outcomes:
        """Yield each call with its outcome, as they are finished; closing the generator stops the work."""

    def close(self) -> None:
        """Let go of processes and connections; the executor may not be used after that."""


class Serial:
    """Computes one fold after the other in this process."""

    workers = 1

    def run(self, calls: Sequence[FoldCall], inputs_of: InputsOf, started: Started) -> Outcomes:
        """See :class:`Executor`; the order is that of `calls`."""
        for call in calls:
            inputs = fed(call, inputs_of)
            if isinstance(inputs, Outcome):
                yield call, inputs
                continue
            started(call.task)
            yield call, carry_out(call, inputs)

    def close(self) -> None:
        """Do nothing."""


class Processes:
    """Computes `n` folds at a time in worker processes on this machine.

    A fold whose worker is killed is tried once more when all others are finished, with nothing beside it; killed
    again, it has failed. Workers end with the process that started them, however that ends.

    Args:
        n: number of processes, at least 1.
    """

    def __init__(self, n: int) -> None:
        if n < 1:
            raise ParameterError(f"jobs: expected at least 1 process, got {n}")
        self.workers = n

    def run(self, calls: Sequence[FoldCall], inputs_of: InputsOf, started: Started) -> Outcomes:
        """See :class:`Executor`."""
        killed = []
        for call, outcome in CREW.run(calls, self.workers, inputs_of, started):
            if isinstance(outcome, Killed):
                killed.append(call)
            else:
                yield call, outcome
        for call, outcome in CREW.run(killed, 1, inputs_of, started):
            yield call, Outcome(error=DIED.format(how=outcome)) if isinstance(outcome, Killed) else outcome

    def close(self) -> None:
        """End the workers."""
        CREW.end()
