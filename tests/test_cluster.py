"""Folds on a Dask cluster of separate processes: the bytes of a serial run, whatever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mer_lib.errors import ParameterError, RunError
from mer_lib.evaluation import cluster, executors
from mer_lib.evaluation.cluster import ClusterWarning, DaskCluster, batch_cluster, read_spec
from mer_lib.evaluation.crossval import FoldEvent, run
from mer_lib.evaluation.store import PredictionStore
from tests.helpers import N_SUBJECTS, fold_bytes, job, leftovers
from tests.processes import REPOSITORY, wait_until

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a part of Dask as a process, which is killed at the end of the test."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(part: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{part}", "--no-dashboard", *options]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "MER_STORE": str(tmp_path / "nobody's")}
        with (tmp_path / f"{part}.log").open("ab") as log:
            started.append(subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


def at(number: int, act: Callable[[], None]) -> Callable[[FoldEvent, int, int], None]:
    """A listener that acts once, after so many folds."""
    return lambda event, done, total: act() if done == number else None


def test_a_cluster_gives_the_bytes_of_a_serial_run_whatever_is_killed(
    tmp_path: Path, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    serial, clustered, killed, cut_off = (PredictionStore(tmp_path / name / "store") for name in "abcd")
    asked = job(epochs=6)
    run([asked], serial, device="cpu")
    expected = fold_bytes(serial)

    file = tmp_path / "scheduler.json"
    scheduler = start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
    wait_until(file.exists)
    one_thread = ("--nthreads", "1", "--no-nanny", "--scheduler-file", str(file), "--local-directory", str(tmp_path))
    workers = [start("worker", *one_thread, "--name", name) for name in ("one", "two")]
    address = next(part for part in file.read_text().split('"') if part.startswith("tcp://"))

    executor = executors.make(1, address)
    begun: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ClusterWarning)
        summary = run(
            [asked],
            clustered,
            device="cpu",
            executor=executor,
            started=lambda task: begun.append(task.split.name),
        )
    assert (summary.computed, summary.found) == (N_SUBJECTS, 0)
    assert fold_bytes(clustered) == expected
    assert leftovers(clustered.root) == []
    assert sorted(begun) == sorted(split.name for split in asked.splits)
    assert not (tmp_path / "nobody's").exists()
    assert {event["peak_mib"] > 0 for event in clustered.events(asked.address)} == {True}

    summary = run([asked], killed, device="cpu", executor=executor, listener=at(2, workers[0].kill))
    assert workers[0].wait() == -signal.SIGKILL
    assert summary.computed == N_SUBJECTS
    assert fold_bytes(killed) == expected

    with pytest.raises(RunError, match=r"scheduler is gone; finished folds are kept.*run again to go on"):
        run([asked], cut_off, device="cpu", executor=executor, listener=at(2, scheduler.kill))
    executor.close()
    assert [record for record in caplog.records if record.exc_info] == []  # the error alone says it
    done = len(fold_bytes(cut_off))
    assert 2 <= done < N_SUBJECTS
    summary = run([asked], cut_off, device="cpu")
    assert (summary.found, summary.computed) == (done, N_SUBJECTS - done)
    assert fold_bytes(cut_off) == expected


def test_folds_wait_for_a_worker_however_late_it_comes(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_S", 3.0)
    file = tmp_path / "scheduler.json"
    start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
    wait_until(file.exists)
    address = next(part for part in file.read_text().split('"') if part.startswith("tcp://"))
    options = ("--nthreads", "1", "--no-nanny", "--scheduler-file", str(file), "--local-directory", str(tmp_path))
    late = threading.Timer(6.0, start, ("worker", *options))  # twice as late as a scheduler may answer
    late.start()
    executor = executors.make(1, address)
    try:
        with pytest.warns(ClusterWarning, match="no worker has joined yet"):
            summary = run([job("dummy")], PredictionStore(tmp_path / "store"), device="cpu", executor=executor)
    finally:
        late.join()
        executor.close()
    assert (summary.computed, executor.workers) == (N_SUBJECTS, 1)


def test_no_scheduler_is_said_with_what_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_S", 0.2)
    with pytest.raises(RunError, match=r"tcp://127.0.0.1:1: no scheduler answers within 0.2 s .*'dask worker"):
        run([job("dummy")], PredictionStore(tmp_path), device="cpu", executor=DaskCluster("tcp://127.0.0.1:1"))


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ParameterError, match=r"pip install 'mer_lib\[cluster\]'"):
        DaskCluster("tcp://127.0.0.1:1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "expected the address of a Dask scheduler .* or a YAML file"),
        ("cores: [1", "expected the address of a Dask scheduler"),
        ("- cores", "jobs: a positive whole number"),
        ("cores: 4", "jobs: a positive whole number"),
        ("jobs: 0", "jobs: a positive whole number"),
        ("jobs: true", "jobs: a positive whole number"),
    ],
)
def test_a_file_that_describes_no_cluster_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "slurm.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ParameterError, match=message):
        executors.make(1, str(path))


SLURM = """
cores: 4
memory: 8GB
queue: short
account: lab
walltime: "01:30:00"
job_extra_directives: ["--exclusive"]
jobs: 3
"""


def test_a_slurm_file_becomes_batch_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "slurm.yaml"
    path.write_text(SLURM)
    asked: list[int] = []
    from dask_jobqueue import SLURMCluster

    monkeypatch.setattr(SLURMCluster, "scale", lambda self, jobs: asked.append(jobs))
    with batch_cluster(read_spec(path)) as batch:
        script = batch.job_script()
    assert asked[0] == 3  # leaving it asks for none
    for line in ("-p short", "-A lab", "-t 01:30:00", "--exclusive", "-n 1", "--cpus-per-task=4"):
        assert f"#SBATCH {line}\n" in script
    worker = script.splitlines()[-1]
    for option in ("distributed.cli.dask_worker", "--nworkers 4", "--nthreads 1"):  # a process a core
        assert option in worker


def test_an_unknown_key_of_a_slurm_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"SLURMCluster refuses.*quue"):
        batch_cluster({"cores": 1, "memory": "1GB", "quue": "short", "jobs": 1})
