"""Worker processes: killed ones are replaced, none outlives the run that started it, and all see the same code."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mer_lib.errors import DataError, ParameterError, RunError
from mer_lib.evaluation import feeding as feeding_module
from mer_lib.evaluation import worker_process
from mer_lib.evaluation.crossval import Job, plan
from mer_lib.evaluation.executors import Processes, Serial, make
from mer_lib.evaluation.feeding import Feeding, key_of
from mer_lib.evaluation.fold_file import decode
from mer_lib.evaluation.folds import Inputs
from mer_lib.evaluation.jobs import code_of
from mer_lib.evaluation.memory import PeakMemory
from mer_lib.evaluation.store import PredictionStore
from mer_lib.evaluation.variant import Variant
from mer_lib.evaluation.work import FoldCall, FoldTask, Outcome, carry_out
from mer_lib.evaluation.worker_process import CREW
from mer_lib.features import Recipe
from mer_lib.features.recipes import FourRegionMosaic
from tests.helpers import N_SUBJECTS, job, toy
from tests.processes import REPOSITORY, Deadly, lives, wait_until, workers_of


@pytest.fixture
def store(tmp_path: Path) -> PredictionStore:
    return PredictionStore(tmp_path / "store")


@pytest.fixture(scope="module", autouse=True)
def _end_workers() -> Iterator[None]:
    """Workers are shared by the tests of this file, and gone after it."""
    yield
    CREW.end()


def calls_of(chosen: Job, store: PredictionStore) -> list[FoldCall]:
    tasks, _ = plan([chosen], store)
    return [
        FoldCall(task, key_of(chosen), "cpu", store.checkpoint(task.address, task.split.fold, 0), code_of(task.variant))
        for task in tasks
    ]


def test_who_computes_is_chosen_by_number() -> None:
    assert isinstance(make(), Serial)
    assert isinstance(make(3), Processes)
    with pytest.raises(ParameterError, match="at least 1 process, got 0"):
        make(0)


def test_serial_calls_come_in_their_order_each_begun_before_it_ends(store: PredictionStore) -> None:
    chosen, heard = job("dummy"), []
    calls = calls_of(chosen, store)
    executor = Serial()
    for call, outcome in executor.run(calls, Feeding([chosen]).inputs, lambda task: heard.append(("began", task))):
        assert decode(outcome.data).metadata["fold"] == call.task.split.fold
        heard.append(("ended", call.task))
    assert heard == [(what, call.task) for call in calls for what in ("began", "ended")]
    assert not store.root.exists()


def no_matter(task: FoldTask) -> None:
    pass


def kept(outcomes: Iterator[tuple[FoldCall, Outcome]]) -> dict[int, Outcome]:
    return {call.task.split.fold: outcome for call, outcome in outcomes}


@pytest.mark.parametrize("times", [1, 2])
def test_a_fold_whose_worker_is_killed_is_tried_again_alone_and_stops_no_other(
    store: PredictionStore, tmp_path: Path, times: int
) -> None:
    chosen = job("dummy")
    inputs = Feeding([chosen]).inputs(key_of(chosen))
    calls = [replace(call, inputs=f"{times} times deadly") for call in calls_of(chosen, store)]
    deadly = Deadly(inputs, "toya/03/", tmp_path / "killed", times)
    victim = next(call.task.split.fold for call in calls if call.task.split.name == "toya/03")
    begun: list[int] = []

    outcomes = kept(Processes(2).run(calls, lambda key: deadly, lambda task: begun.append(task.split.fold)))
    expected = kept(Serial().run(calls, lambda key: inputs, no_matter))
    assert len(list((tmp_path / "killed").iterdir())) == times
    assert begun == [*range(N_SUBJECTS), victim]  # when all others were finished
    for fold, outcome in outcomes.items():
        if fold != victim or times == 1:
            assert outcome.data == expected[fold].data
    if times == 2:
        assert outcomes[victim].data == b""
        assert "was killed twice" in outcomes[victim].error
        assert "signal 9, SIGKILL" in outcomes[victim].error
    assert len(outcomes) == N_SUBJECTS


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found through /proc")
def test_workers_are_kept_for_the_next_run_and_end_when_nobody_listens_or_when_told(store: PredictionStore) -> None:
    CREW.end()
    others = workers_of(os.getpid())  # of other pools, which other tests left
    inputs = Feeding([job("dummy")]).inputs
    short, endless = calls_of(job("dummy"), store), calls_of(job(epochs=10_000), store)
    assert len(kept(CREW.run(short[:2], 2, inputs, no_matter))) == 2
    mine = workers_of(os.getpid()) - others
    assert len(mine) == 2
    assert len(kept(CREW.run(short, 2, inputs, no_matter))) == N_SUBJECTS
    assert workers_of(os.getpid()) - others == mine

    outcomes = CREW.run([endless[0], short[0]], 2, inputs, no_matter)
    assert next(outcomes)[0] == short[0]
    outcomes.close()
    wait_until(lambda: len(workers_of(os.getpid()) & mine) == 1)
    CREW.end()
    wait_until(lambda: not any(map(lives, mine)))


def test_a_worker_that_cannot_even_begin_is_no_reason_to_try_for_ever(
    store: PredictionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "serve", sys.exit)  # it takes no two arguments
    with pytest.raises(RunError, match=r"ended before it could begin \(exit status 1\)"):
        list(worker_process.Crew().run(calls_of(job("dummy"), store), 1, Feeding([job("dummy")]).inputs, no_matter))


def test_other_code_than_that_of_the_address_is_refused(store: PredictionStore) -> None:
    chosen = job("dummy")
    call = replace(calls_of(chosen, store)[0], code="that of another version")
    outcome = carry_out(call, Feeding([chosen]).inputs(call.inputs))
    assert outcome.data == b""
    assert "RunError: dummy: expected the code and weights of whoever started this run (that of ano" in outcome.error


def test_inputs_that_are_lost_in_the_middle_fail_the_folds_that_need_them(store: PredictionStore) -> None:
    calls, feeding = calls_of(job("dummy"), store), Feeding([job("dummy")])

    def inputs_of(key: str) -> Inputs:
        if len(begun) == 3:
            raise DataError("frames are gone")
        return feeding.inputs(key)

    for executor in (Serial(), Processes(2)):
        begun: list[FoldTask] = []
        outcomes = kept(executor.run(calls, inputs_of, begun.append))
        assert len(outcomes) == N_SUBJECTS
        assert sorted(bool(outcome.error) for outcome in outcomes.values()) == [False] * 3 + [True] * 5
        assert "DataError: frames are gone" in outcomes[7].error


def test_where_no_fold_can_be_fed_a_run_ends(store: PredictionStore) -> None:
    def inputs_of(key: str) -> Inputs:
        raise DataError("frames are gone")

    for executor in (Serial(), Processes(2)):
        outcomes = kept(executor.run(calls_of(job("dummy"), store), inputs_of, lambda task: None))
        assert ["frames are gone" in outcome.error for outcome in outcomes.values()] == [True] * N_SUBJECTS


def test_a_worker_that_dies_in_the_middle_of_a_message_was_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = worker_process.Worker()
    assert worker.take() is None  # it can begin

    def cut_off() -> None:
        raise OSError("got end of file during message")

    monkeypatch.setattr(worker.connection, "recv", cut_off, raising=False)
    assert isinstance(worker.take(), worker_process.Killed)


WORKS_SIDE_BY_SIDE = """
import os, time
from joblib import Parallel
from mer_lib.orphans import delayed, end_with

end_with(os.getpid())  # of no consequence
Parallel(n_jobs=2)(delayed(time.sleep)(seconds) for seconds in [0.01] * 4 + [300] * 4)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found through /proc")
def test_processes_side_by_side_end_with_a_killed_run() -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen([sys.executable, "-c", WORKS_SIDE_BY_SIDE], env=environment)
    try:
        wait_until(lambda: len(workers_of(process.pid)) == 2 or process.poll() is not None)
        workers = workers_of(process.pid)
        wait_until(lambda: all(count_threads(worker) > 1 for worker in workers))
    finally:
        process.kill()
        process.wait()
    assert len(workers) == 2
    wait_until(lambda: not any(map(lives, workers)))


def count_threads(process: int) -> int:
    return len(list(Path(f"/proc/{process}/task").iterdir()))


# What folds are fed


def mosaic(block: int) -> Variant:
    return job("dummy").variant.model_copy(update={"features": FourRegionMosaic(block=block)})


def test_inputs_are_made_once_for_all_who_share_them_and_held_while_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []
    plain = feeding_module.compute

    def compute(recipe: Recipe, *args: object, **kwargs: object) -> np.ndarray:
        made.append(str(recipe.recipe))
        return plain(recipe, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(feeding_module, "compute", compute)
    blocks = [Job("mosaic", mosaic(block), toy()) for block in (7, 14)]
    feeding = Feeding([job("dummy"), job(), job(seed=1), *blocks])
    assert len(feeding.keys) == 3
    for key in [*feeding.keys, *feeding.keys]:
        feeding.inputs(key)
    assert made == ["flow_map", "four_region_mosaic", "four_region_mosaic"]

    monkeypatch.setattr(feeding_module, "HELD_BYTES", feeding.inputs(feeding.keys[0]).X.nbytes + 1)
    small = Feeding([job("dummy"), *blocks])
    for key in [*small.keys, small.keys[-1], small.keys[0]]:
        small.inputs(key)
    assert len(made) == 3 + 4


# What it takes


def pages(mebibytes: int) -> mmap.mmap:
    """Memory of its own, whatever the heap keeps, each page of it written to."""
    block = mmap.mmap(-1, mebibytes * 2**20)
    for start in range(0, len(block), mmap.PAGESIZE):
        block[start] = 1
    return block


def test_the_peak_of_memory_is_that_of_the_work_alone() -> None:
    with pages(60):  # let go before
        pass
    before = PeakMemory().peaks(torch.device("cpu"))["peak_mib"]
    watched = PeakMemory()
    with pages(40):
        peak = watched.peaks(torch.device("cpu"))["peak_mib"]
    assert 35 < peak - before < 55
