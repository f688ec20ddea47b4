"""Processes beside this one that compute folds, one at a time each, and end when this one does."""

from __future__ import annotations

import atexit
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import NamedTuple, NoReturn

# Of all ways to start a process, the one that needs neither a guarded main module nor a forked copy of threads.
from joblib.externals.loky.backend import get_context

from mer_lib.errors import RunError
from mer_lib.evaluation.folds import Inputs
from mer_lib.evaluation.work import FoldCall, FoldTask, Outcome, carry_out, fed
from mer_lib.orphans import end_with

IDLE_S = 300.0  # a worker without work ends after that
_GONE = (EOFError, OSError)  # of a pipe: the other side has ended, perhaps in the middle of a message


class Killed(str):
    """How a worker ended that should have computed a fold, in words."""


class _Order(NamedTuple):
    """What a worker is sent: a fold, and its inputs where the worker does not hold them from the fold before."""

    call: FoldCall
    inputs: Inputs | None


def serve(connection: Connection, parent: int) -> None:
    """Compute what comes in at `connection` until nothing has come for long, or process `parent` is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process: the parent decides
    end_with(parent)
    inputs = None
    with suppress(*_GONE):
        connection.send(None)  # whatever is imported is imported
        while connection.poll(IDLE_S):
            order: _Order = connection.recv()
            inputs = order.inputs or inputs
            assert inputs is not None
            connection.send(carry_out(order.call, inputs))


class Worker:
    """One such process."""

    def __init__(self) -> None:
        context = get_context("loky")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, os.getpid()), daemon=True)
        self._process.start()
        theirs.close()
        self.holds = ""  # the name of its inputs
        self._ready = False

    def begin(self, call: FoldCall, inputs: Inputs) -> bool:
        """Have the worker compute a fold; False where it lives no more."""
        try:
            self.connection.send(_Order(call, None if self.holds == call.inputs else inputs))
        except _GONE:
            if not self._ready:
                self._refuse_to_start()
            return False
        self.holds = call.inputs
        return True

    def take(self) -> Outcome | Killed | None:
        """Return what became of its fold; None where it only says that it can begin."""
        try:
            outcome = self.connection.recv()
        except _GONE:
            self.kill()
            if not self._ready:
                self._refuse_to_start()
            return Killed(self._end())
        self._ready = True
        return outcome

    def kill(self) -> None:
        """End the process at once."""
        self.connection.close()
        self._process.terminate()
        self._process.join()

    def leave(self) -> None:
        """Let the process end by itself: it has no fold to compute."""
        self.connection.close()

    def _refuse_to_start(self) -> NoReturn:
        self._process.join()
        raise RunError(
            f"a worker process ended before it could begin ({self._end()}); what is done is kept. "
            "See what it printed, and run again, with fewer jobs (--jobs 1) if memory is short"
        )

    def _end(self) -> str:
        code = self._process.exitcode or 0
        return f"signal {-code}, {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


class Crew:
    """Workers that are started when they are needed, and kept for the next run."""

    def __init__(self) -> None:
        self._idle: list[Worker] = []

    def run(
        self,
        calls: Sequence[FoldCall],
        n: int,
        inputs_of: Callable[[str], Inputs],
        started: Callable[[FoldTask], None],
    ) -> Generator[tuple[FoldCall, Outcome | Killed], None, None]:
        """Yield each call with its outcome, or how its worker was killed; `n` are computed at a time."""
        waiting = deque(calls)
        busy: dict[Worker, FoldCall] = {}
        self._idle += [Worker() for _ in range(min(n, len(calls)) - len(self._idle))]  # they import side by side
        try:
            while waiting or busy:
                while waiting and len(busy) < n:
                    call = waiting.popleft()
                    inputs = fed(call, inputs_of)
                    if isinstance(inputs, Outcome):
                        yield call, inputs
                        continue
                    busy[self._begin(call, inputs)] = call
                    started(call.task)
                for worker in _heard(busy) if busy else ():
                    outcome = worker.take()
                    if outcome is not None:
                        self._idle += [worker] if isinstance(outcome, Outcome) else []
                        yield busy.pop(worker), outcome
        finally:
            for worker in busy:
                worker.kill()

    def end(self) -> None:
        """Let every worker end."""
        while self._idle:
            self._idle.pop().leave()

    def _begin(self, call: FoldCall, inputs: Inputs) -> Worker:
        """Return a worker that computes `call`: one that holds its inputs, if there is one."""
        while True:
            self._idle.sort(key=lambda worker: worker.holds == call.inputs)
            worker = self._idle.pop() if self._idle else Worker()
            if worker.begin(call, inputs):
                return worker


def _heard(workers: Iterable[Worker]) -> list[Worker]:
    """Wait, and return the workers that have something to say, or are dead."""
    by_connection = {worker.connection: worker for worker in workers}
    return [by_connection[heard] for heard in wait(list(by_connection))]


#: The one of this process.
CREW = Crew()
atexit.register(CREW.end)
