"""Folds on a Dask cluster: a scheduler that runs, or one that a batch system such as Slurm starts workers for.

What a worker needs is the same version of mer_lib and its libraries; inputs are sent to it, bytes of predictions come
back, and no file is shared. Pretrained weights have to be at hand where it runs.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import tempfile
import time
import traceback
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from mer_lib.errors import ParameterError, RunError
from mer_lib.evaluation.executors import InputsOf, Outcomes, Started
from mer_lib.evaluation.folds import Inputs
from mer_lib.evaluation.work import FoldCall, Outcome, carry_out, fed

if TYPE_CHECKING:
    from distributed import Client, Future

_T = TypeVar("_T")

CONNECT_S = 20.0  # for a scheduler to answer
POLL_S = 1.0  # how often it is looked whether the scheduler still lives
TRIES = 3  # of a fold whose inputs were lost with the worker that held them
_EXTRA = (
    "--cluster needs Dask, which is not installed: pip install 'mer_lib[cluster]' (or dask distributed dask-jobqueue)"
)


class ClusterWarning(UserWarning):
    """Something that a user of a cluster should know while waiting for it."""


class DaskCluster:
    """Computes folds on the workers of a Dask cluster, one at a time on each.

    A worker that dies costs time alone: its fold is computed by another. A fold whose workers die again and again
    (Dask's ``distributed.scheduler.allowed-failures``) has failed.

    Args:
        where: address of a running scheduler (``tcp://host:8786``), or path of a YAML file whose keys are those of
            ``dask_jobqueue.SLURMCluster`` and `jobs`, the number of batch jobs that are asked for.

    Raises:
        ParameterError: it is neither, Dask is not installed, or a key is unknown.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        _demand_dask()
        self._spec = None if "://" in where else read_spec(Path(where))
        self._client: Client | None = None
        self._batch: Any = None
        self._run: _Run | None = None

    @property
    def workers(self) -> int:
        """See :class:`mer_lib.evaluation.executors.Executor`; as many as there were when folds were last sent."""
        return self._run.workers if self._run else 1

    def run(self, calls: Sequence[FoldCall], inputs_of: InputsOf, started: Started) -> Outcomes:
        """See :class:`mer_lib.evaluation.executors.Executor`.

        Raises:
            RunError: the scheduler does not answer, or is gone.
        """
        if calls:
            self._run = _Run(self._connected(), self.where)
            yield from self._run.outcomes(calls, inputs_of, started)

    def close(self) -> None:
        """Leave the cluster; batch jobs that were started for this run are ended."""
        for each in (self._client, self._batch):
            if each is not None:
                with suppress(OSError, TimeoutError):  # what is left may be gone already
                    each.close()
        self._client = self._batch = None

    def _connected(self) -> Client:
        if self._client is None or self._client.status != "running":
            self._client = self._connect()
        return self._client

    def _connect(self) -> Client:
        from distributed import Client

        # Of a scheduler that is lost it prints pages; what there is to say is said by RunError.
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        if self._spec is not None and self._batch is None:
            self._batch = batch_cluster(self._spec)
        try:
            client = Client(self._batch or self.where, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise RunError(
                f"--cluster {self.where}: no scheduler answers within {CONNECT_S:g} s ({error}). Start one with "
                "'dask scheduler' and workers with 'dask worker ADDRESS --nthreads 1', or correct the address"
            ) from error
        if not client.nthreads():
            warnings.warn(
                f"{self.where}: no worker has joined yet; waiting for the first", ClusterWarning, stacklevel=2
            )
        return client


class _Run:
    """One run on a connected cluster."""

    def __init__(self, client: Client, where: str) -> None:
        self._client, self._where = client, where
        self._done: queue.SimpleQueue[Future] = queue.SimpleQueue()
        self._flying: dict[Future, FoldCall] = {}
        self._sent: dict[str, Future] = {}  # inputs on the cluster, by their key
        self._lost: Counter[str] = Counter()  # how often the inputs of a fold were
        self.workers = 1

    def outcomes(self, calls: Sequence[FoldCall], inputs_of: InputsOf, started: Started) -> Outcomes:
        """Yield each call with its outcome; as many are under way as there are workers."""
        waiting = deque(calls)
        try:
            while waiting or self._flying:
                for call, lost in self._fill(waiting, inputs_of, started):
                    yield call, lost
                for future in self._finished():
                    call = self._flying.pop(future)
                    outcome = self._outcome(call, future)
                    if outcome is None:
                        waiting.appendleft(call)
                    else:
                        yield call, outcome
        finally:
            with suppress(OSError, TimeoutError, CancelledError):  # the scheduler may be gone
                self._client.cancel(list(self._flying), force=True)

    def _fill(
        self, waiting: deque[FoldCall], inputs_of: InputsOf, started: Started
    ) -> Iterator[tuple[FoldCall, Outcome]]:
        """Send as many calls as there are workers without one; yield those whose inputs are lost."""
        while waiting and len(self._flying) < self._count_workers():
            call = waiting.popleft()
            inputs = fed(call, inputs_of)
            if isinstance(inputs, Outcome):
                yield call, inputs
                continue
            held = self._held(call.inputs, inputs)
            future = self._ask(self._client.submit, compute, call, held, pure=False)
            self._flying[future] = call
            future.add_done_callback(self._done.put)
            started(call.task)

    def _held(self, key: str, inputs: Inputs) -> Future:
        """Return the inputs as something that workers fetch from each other; those of the folds before are let go."""
        while key not in self._sent:
            while not self._ask(self._client.nthreads):
                time.sleep(POLL_S)  # batch jobs may stand in a queue for hours
            held = self._ask(self._scattered, inputs)
            self._sent = {key: held} if held else {}
        return self._sent[key]

    def _scattered(self, inputs: Inputs) -> Future | None:
        """Send inputs to a worker; None where the last one has left meanwhile."""
        try:
            return self._client.scatter(inputs, hash=False)
        except (TimeoutError, asyncio.TimeoutError):
            return None

    def _count_workers(self) -> int:
        """Note how many workers there are, and return how many folds may be under way: one where nobody is there."""
        self.workers = max(1, len(self._ask(self._client.nthreads)))
        return self.workers

    def _finished(self) -> list[Future]:
        """Wait a while for the next future that is done."""
        try:
            return [self._done.get(timeout=POLL_S)]
        except queue.Empty:
            self._demand_scheduler()
            return []

    def _outcome(self, call: FoldCall, future: Future) -> Outcome | None:
        """Return what became of a fold; None where it has to be tried again."""
        from distributed import KilledWorker

        if future.status == "finished":
            return future.result()
        self._demand_scheduler()
        error = None if future.cancelled() else future.exception()
        if isinstance(error, KilledWorker):
            return Outcome(error=f"RunError: the workers that computed this fold died, most likely of memory: {error}")
        if error is not None:
            return Outcome(error="".join(traceback.format_exception(error)))
        self._sent = {}  # inputs that a dead worker alone held went with it
        fold = str(call.checkpoint)
        self._lost[fold] += 1
        if self._lost[fold] < TRIES:
            return None
        return Outcome(
            error=f"RunError: the inputs of this fold were lost {TRIES} times, each with the worker that had them"
        )

    def _demand_scheduler(self) -> None:
        """Raise RunError where the scheduler does not answer; a connection may look alive for long after that."""
        self._ask(self._client.run_on_scheduler, _nothing)

    def _ask(self, request: Callable[..., _T], *arguments: Any, **options: Any) -> _T:
        """Ask the scheduler for something.

        Raises:
            RunError: it is gone.
        """
        try:
            if self._client.status == "running":
                return request(*arguments, **options)
            cause: BaseException | None = None
        except (OSError, CancelledError, TimeoutError) as error:
            cause = error
        raise RunError(
            f"--cluster {self._where}: the scheduler is gone; finished folds are kept. Start it and its workers "
            "again, and run again to go on"
        ) from cause


def compute(call: FoldCall, inputs: Inputs) -> Outcome:
    """Compute one fold on a worker; its training's state lies in a folder of its own, which goes with it."""
    with tempfile.TemporaryDirectory(prefix="mer-") as folder:
        return carry_out(replace(call, checkpoint=Path(folder) / call.checkpoint.name), inputs)


def read_spec(path: Path) -> dict[str, Any]:
    """Return what a YAML file says of a batch cluster.

    Raises:
        ParameterError: there is no such file, or it is no table with a positive whole number of `jobs`.
    """
    try:
        spec = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ParameterError(
            f"--cluster {path}: expected the address of a Dask scheduler (tcp://host:8786) or a YAML file ({error})"
        ) from error
    jobs = spec.get("jobs") if isinstance(spec, Mapping) else None
    if not isinstance(jobs, int) or isinstance(jobs, bool) or jobs < 1:
        raise ParameterError(
            f"--cluster {path}: expected keys of dask_jobqueue.SLURMCluster (cores, memory, queue, walltime, …) and "
            f"jobs: a positive whole number, got {spec!r}"
        )
    return dict(spec)


def batch_cluster(spec: Mapping[str, Any]) -> Any:
    """Return a ``dask_jobqueue.SLURMCluster`` that has asked for its batch jobs.

    Args:
        spec: see :func:`read_spec`. Where it does not say otherwise, each job has one worker process a core, since a
            fold takes one thread.

    Raises:
        ParameterError: a key is unknown or missing.
    """
    given = {name: value for name, value in spec.items() if name != "jobs"}
    given.setdefault("processes", given.get("cores"))
    try:
        cluster = _slurm_cluster(given)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"--cluster: dask_jobqueue.SLURMCluster refuses {given}: {error}") from error
    cluster.scale(jobs=spec["jobs"])
    return cluster


def _slurm_cluster(given: Mapping[str, Any]) -> Any:
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError as error:
        raise ParameterError(_EXTRA) from error
    return SLURMCluster(**given)


def _demand_dask() -> None:
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise ParameterError(_EXTRA) from error


def _nothing() -> None:
    """Do nothing, where a scheduler does it."""
