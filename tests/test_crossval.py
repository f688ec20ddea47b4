"""Runs: what is there is not computed again, and however a run is disturbed, it ends with the same bytes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from mer_lib import atomic
from mer_lib.errors import DataError, ParameterError, RunError, StoreError
from mer_lib.evaluation import crossval, feeding, jobs, methods
from mer_lib.evaluation.crossval import FoldEvent, FoldWarning, Job, choose_folds, plan, read_folds, run
from mer_lib.evaluation.executors import InputsOf, Outcomes, Serial, Started
from mer_lib.evaluation.fold_file import FoldResult
from mer_lib.evaluation.store import PredictionStore
from mer_lib.evaluation.work import FoldCall, Outcome
from mer_lib.features import Recipe, compute
from mer_lib.features.recipes import ApexFace, FourRegionMosaic
from mer_lib.training.baselines import dummy
from mer_lib.training.estimator import TorchClassifier
from tests.feature_clips import as_bitmaps, dataset_of, row
from tests.helpers import N_SUBJECTS, fold_bytes, job, leftovers, long_job, shuffled, toy, with_pixels
from tests.processes import PATIENCE_S, REPOSITORY, lives, wait_until, workers_of

OTHER_PROCESS = """
import signal, sys, time
from pathlib import Path
from mer_lib.evaluation.crossval import run
from mer_lib.evaluation.executors import InputsOf, Outcomes, Serial, Started
from mer_lib.evaluation.fold_file import FoldResult
from mer_lib.evaluation.store import PredictionStore
from mer_lib.evaluation.work import FoldCall, Outcome
from tests.helpers import long_job

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, where a shell put the tests in the background
root, n_jobs = Path(sys.argv[1]), int(sys.argv[2])
long_job().splits, long_job().address
Path(sys.argv[3]).touch()
while len(sys.argv) > 4 and not Path(sys.argv[4]).exists():
    time.sleep(0.005)
try:
    run([long_job()], PredictionStore(root), n_jobs=n_jobs, device="cpu")
except KeyboardInterrupt:
    print("stopped")
"""


@pytest.fixture
def store(tmp_path: Path) -> PredictionStore:
    return PredictionStore(tmp_path / "runs" / "store")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of one serial run of :func:`long_job` that nothing disturbed."""
    store = PredictionStore(tmp_path_factory.mktemp("undisturbed"))
    run([long_job()], store, device="cpu")
    return fold_bytes(store)


@pytest.fixture
def other_process(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a run in a process group of its own, which is killed at the end of the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(store: PredictionStore, n_jobs: int, ready: Path, *go: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", OTHER_PROCESS, str(store.root), str(n_jobs), str(ready), *map(str, go)]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        out = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        started.append(subprocess.Popen(command, cwd=tmp_path, env=environment, start_new_session=True, **out))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None or _group_lives(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def names(store: PredictionStore) -> list[str]:
    return sorted(fold_bytes(store))


class Fits:
    """Counts the fits of networks in this process while it is in place."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seeds: list[int] = []
        original = TorchClassifier.fit

        def fit(model: TorchClassifier, *args: object, **kwargs: object) -> TorchClassifier:
            self.seeds.append(model.seed)
            return original(model, *args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(TorchClassifier, "fit", fit)


# Killed, damaged, side by side: the same bytes


@pytest.mark.parametrize(
    ("n_jobs", "number"),
    [(1, signal.SIGKILL), (2, signal.SIGKILL), (2, signal.SIGINT)],
    ids=["serial, killed", "two workers, killed", "two workers, Ctrl-C"],
)
def test_a_stopped_run_goes_on_and_ends_with_the_bytes_of_an_undisturbed_one(
    store: PredictionStore,
    tmp_path: Path,
    undisturbed: dict[str, bytes],
    other_process: Callable[..., subprocess.Popen[bytes]],
    n_jobs: int,
    number: signal.Signals,
) -> None:
    process = other_process(store, n_jobs, tmp_path / "ready")
    wait_until(lambda: any(store.root.rglob("seed*.parquet")) or process.poll() is not None)
    os.killpg(process.pid, signal.SIGSTOP)  # a busy machine may take longer over the next lines than the run has left
    workers = workers_of(process.pid)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal sends it: to the workers, too
        os.killpg(process.pid, signal.SIGCONT)
        assert process.communicate(timeout=PATIENCE_S)[0] == b"stopped\n"  # and no traceback of anybody
    else:
        process.kill()
        os.killpg(process.pid, signal.SIGCONT)
        assert process.wait() == -signal.SIGKILL
    done = fold_bytes(store)
    assert 1 <= len(done) < N_SUBJECTS, "the run was not stopped in its middle"
    wait_until(lambda: not any(map(lives, workers)))
    assert fold_bytes(store) == done  # whoever outlives a killed run writes nothing

    summary = run([long_job()], store, device="cpu")
    assert (summary.found, summary.computed) == (len(done), N_SUBJECTS - len(done))
    assert summary.damaged == []
    assert fold_bytes(store) == undisturbed


def test_two_workers_end_with_the_bytes_of_a_serial_run(store: PredictionStore, undisturbed: dict[str, bytes]) -> None:
    summary = run([long_job()], store, n_jobs=2, device="cpu")
    assert (summary.computed, summary.found) == (N_SUBJECTS, 0)
    assert fold_bytes(store) == undisturbed


def test_two_processes_on_one_store_do_not_hurt_each_other(
    store: PredictionStore,
    tmp_path: Path,
    undisturbed: dict[str, bytes],
    other_process: Callable[..., subprocess.Popen[bytes]],
) -> None:
    process = other_process(store, 1, tmp_path / "ready", tmp_path / "go")
    wait_until((tmp_path / "ready").exists)
    (tmp_path / "go").touch()
    summary = run([long_job()], store, device="cpu")
    assert process.wait(PATIENCE_S) == 0
    assert summary.computed + summary.found == N_SUBJECTS
    assert fold_bytes(store) == undisturbed
    assert leftovers(store.root) == []


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "one byte short": lambda data: data[:-1],
    "first bit": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "middle bit": lambda data: data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 8]) + data[len(data) // 2 + 1 :],
    "late bit": lambda data: data[:-40] + bytes([data[-40] ^ 128]) + data[-39:],
    "another fold's": lambda data: data,  # replaced below
}


def test_damaged_files_are_named_and_computed_again_to_the_same_bytes(
    store: PredictionStore, undisturbed: dict[str, bytes]
) -> None:
    paths = [store.root / name for name in sorted(undisturbed)]
    for path, content in zip(paths, sorted(undisturbed.items()), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content[1])
    for path, damage in zip(paths, DAMAGES.values(), strict=False):
        path.write_bytes(damage(path.read_bytes()))
    paths[len(DAMAGES) - 1].write_bytes(undisturbed[sorted(undisturbed)[-1]])

    with pytest.raises(StoreError, match=f"{len(DAMAGES)} folds cannot be read"):
        read_folds(long_job(), store)
    with pytest.warns(FoldWarning, match="it will be computed again|it holds"):
        summary = run([long_job()], store, device="cpu")
    assert (summary.computed, summary.found) == (len(DAMAGES), N_SUBJECTS - len(DAMAGES))
    for path, fault in zip(paths, summary.damaged, strict=False):
        assert fault.startswith(str(path))
    assert f"{len(DAMAGES)} damaged files found" in str(summary)
    assert fold_bytes(store) == undisturbed


def test_leftover_files_do_no_harm_and_do_not_stay_forever(store: PredictionStore) -> None:
    small = job("dummy")
    folder = store.folder(small.address)
    folder.mkdir(parents=True)
    half, unfinished = folder / ".seed0-fold000.parquet.abc.tmp", folder / "seed0-fold001.checkpoint"
    half.write_bytes(b"PAR1 half")
    unfinished.write_bytes(b"of a fold that is computed below")
    run([small], store)
    assert len(fold_bytes(store)) == N_SUBJECTS
    run([small], store)
    assert leftovers(store.root) == [half.name]  # young enough to be in use
    os.utime(half, (0, 0))
    run([small], store)
    assert leftovers(store.root) == []


def test_an_interrupted_run_leaves_whole_files_alone(store: PredictionStore, undisturbed: dict[str, bytes]) -> None:
    def interrupt(event: FoldEvent, done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run([long_job()], store, device="cpu", listener=interrupt)
    assert fold_bytes(store) == {name: undisturbed[name] for name in sorted(undisturbed)[:2]}
    assert leftovers(store.root) == []


def test_an_interrupt_in_the_middle_of_a_write_leaves_whole_files_alone(
    store: PredictionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = job("dummy")
    plain, calls = os.fsync, []

    def fsync(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 4:  # the description, two folds, and then this one
            raise KeyboardInterrupt
        plain(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(KeyboardInterrupt):
        run([small], store)
    assert len(names(store)) == 2
    assert all(store.state(small.address, fold, 0) == "done" for fold in (0, 1))
    assert leftovers(store.root) == []


# The same address is computed once


def test_what_is_stored_is_not_computed_again(store: PredictionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    fits = Fits(monkeypatch)
    assert run([job()], store).computed == N_SUBJECTS
    assert len(fits.seeds) == N_SUBJECTS
    before = fold_bytes(store)
    summary = run([job()], store)
    assert (summary.computed, summary.found) == (0, N_SUBJECTS)
    assert len(fits.seeds) == N_SUBJECTS
    assert fold_bytes(store) == before
    assert str(summary) == f"0 folds computed, {N_SUBJECTS} found in the store"


def test_jobs_that_share_an_address_are_computed_once(store: PredictionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    fits = Fits(monkeypatch)
    renamed = Job("another name", job().variant, shuffled(toy()))
    summary = run([job(), renamed, job()], store)
    assert (summary.computed, summary.found) == (N_SUBJECTS, 0)
    assert len(fits.seeds) == N_SUBJECTS
    assert run([renamed], store).found == N_SUBJECTS


def changed_byte() -> np.ndarray:
    pixels = toy().maps()
    pixels[17, 3, 4, 1] ^= 1
    return pixels


@pytest.mark.parametrize(
    "other",
    [
        lambda: job(epochs=1),
        lambda: job(learning_rate=2e-3),
        lambda: job(split={"kind": "kfold", "folds": 8}),
        lambda: job(seed=1),
        lambda: job(dataset=with_pixels(toy(), changed_byte())),
    ],
    ids=["epochs", "learning rate", "split", "seed", "one byte of data"],
)
def test_whatever_changes_a_result_is_computed_anew(store: PredictionStore, other: Callable[[], Job]) -> None:
    run([job()], store)
    summary = run([other()], store)
    assert (summary.computed, summary.found) == (N_SUBJECTS, 0)


def test_changed_code_is_computed_anew(store: PredictionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run([job("dummy")], store)
    monkeypatch.setattr(jobs, "code_version", lambda model: "changed")
    assert run([job("dummy")], store).computed == N_SUBJECTS


def test_a_deleted_fold_alone_is_computed_again(store: PredictionStore) -> None:
    run([job()], store)
    before = fold_bytes(store)
    (store.root / names(store)[3]).unlink()
    summary = run([job()], store)
    assert (summary.computed, summary.found, summary.damaged) == (1, N_SUBJECTS - 1, [])
    assert fold_bytes(store) == before


def test_plan_names_each_missing_fold_once(store: PredictionStore) -> None:
    tasks, summary = plan([job(), job()], store)
    assert [task.split.name for task in tasks] == [split.name for split in job().splits]
    assert summary.found == 0


# Seeds


def test_folds_do_not_hang_on_the_order_in_which_they_run(
    store: PredictionStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run([job(), job(epochs=1)], store)
    other = PredictionStore(tmp_path / "other")

    def reversed_plan(*args: object) -> object:
        tasks, summary = plan(*args)  # type: ignore[arg-type]
        return tasks[::-1], summary

    monkeypatch.setattr(crossval, "plan", reversed_plan)
    run([job(epochs=1), job()], other)
    assert fold_bytes(other) == fold_bytes(store)


def test_every_fold_and_seed_has_a_seed_of_its_own(store: PredictionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    fits = Fits(monkeypatch)
    run([job(epochs=1), job(epochs=1, seed=1)], store)
    assert len(set(fits.seeds)) == 2 * N_SUBJECTS


def test_a_plain_method_that_draws_gets_the_seed_of_its_fold(store: PredictionStore, tmp_path: Path) -> None:
    other, guessing = PredictionStore(tmp_path / "other"), with_model("dummy", strategy="stratified")
    for number, each in enumerate((store, other)):
        np.random.seed(number)
        run([guessing], each)
    assert fold_bytes(store) == fold_bytes(other)
    seeds = {methods.make_estimator(guessing.variant, seed=seed)[-1].random_state for seed in (1, 2)}
    assert seeds == {1, 2}


def test_seeds_give_other_predictions_of_the_same_folds(store: PredictionStore) -> None:
    jobs = [job(seed=0), job(seed=1)]
    run(jobs, store)
    first, second = (choose_folds(read_folds(one, store), "fixed") for one in jobs)
    assert first[["sample_id", "fold", "y_true"]].equals(second[["sample_id", "fold", "y_true"]])
    assert np.abs(first["p_positive"] - second["p_positive"]).max() > 1e-4
    assert (first["seed"].unique().tolist(), second["seed"].unique().tolist()) == ([0], [1])


# Telling the caller


def test_the_listener_hears_of_every_fold(store: PredictionStore) -> None:
    heard: list[tuple[str, int, int, str]] = []

    def listener(event: FoldEvent, done: int, total: int) -> None:
        assert event.seconds >= 0
        heard.append((event.task.split.name, done, total, event.error))

    run([job("dummy")], store, listener=listener)
    expected = [split.name for split in job("dummy").splits]
    assert [name for name, *_ in heard] == expected
    assert [rest for _, *rest in heard] == [[i + 1, N_SUBJECTS, ""] for i in range(N_SUBJECTS)]


def test_events_say_when_and_on_what_each_fold_was_computed(store: PredictionStore) -> None:
    run([job("dummy")], store)
    events = store.events(job("dummy").address)
    assert sorted(event["fold"] for event in events) == list(range(N_SUBJECTS))
    assert all(event["seconds"] >= 0 and event["torch"] and event["device"] and event["mer_lib"] for event in events)


def test_what_every_fold_warns_of_is_said_once(store: PredictionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = TorchClassifier.fit

    def fit(model: TorchClassifier, *args: object, **kwargs: object) -> TorchClassifier:
        warnings.warn("mind the gap", RuntimeWarning, stacklevel=1)
        return plain(model, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(TorchClassifier, "fit", fit)
    with pytest.warns(FoldWarning, match="mind the gap") as caught:
        summary = run([job(epochs=1)], store)
    assert len(caught) == 1
    assert summary.warned == ["RuntimeWarning: mind the gap"]
    assert summary.computed == N_SUBJECTS


# What goes wrong


def fails_on(subject: str) -> Callable[..., object]:
    """A method whose fit fails in the fold that leaves `subject` out, told by the number of training samples."""

    def make(**params: object) -> object:
        pipeline = dummy()
        plain = pipeline.fit

        def fit(X: np.ndarray, y: np.ndarray) -> object:
            if len(X) == sum(not name.startswith(subject) for name in toy().samples["sample_id"]):
                raise ValueError("this fold cannot be fitted")
            return plain(X, y)

        pipeline.fit = fit
        return pipeline

    return make


def test_a_failing_fold_is_named_and_stops_no_other(store: PredictionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = toy().samples.groupby(["dataset", "subject"]).size()
    assert (sizes == sizes["toyc", "01"]).sum() == 1
    monkeypatch.setitem(methods.PLAIN, "fragile", fails_on("toyc/01/"))
    fragile = job("fragile")
    heard: list[FoldEvent] = []
    with pytest.raises(RunError) as error:
        run([fragile, job("dummy")], store, listener=lambda event, *_: heard.append(event))
    message = str(error.value)
    assert message.startswith("1 folds failed")
    assert "toy fragile, fold toyc/01, seed 0: ValueError: this fold cannot be fitted" in message
    assert len(heard) == 2 * N_SUBJECTS
    assert len(fold_bytes(store)) == 2 * N_SUBJECTS - 1
    [failure] = store.failures(fragile.address)
    assert failure["traceback"].rstrip().endswith("ValueError: this fold cannot be fitted")
    assert fragile.splits[failure["fold"]].name == "toyc/01"

    monkeypatch.setitem(methods.PLAIN, "fragile", dummy)
    assert run([fragile], store).computed == 1
    assert store.failures(fragile.address) == []


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="no limit of file sizes here")
def test_a_full_disk_stops_the_run_at_the_first_write_and_leaves_nothing_half(store: PredictionStore) -> None:
    """A limit of file sizes stands for the end of the disk: the system refuses a write in its middle, too."""
    import resource

    small = job("dummy")
    run([small], store)
    expected, sizes = fold_bytes(store), {name: len(data) for name, data in fold_bytes(store).items()}
    for name in list(expected)[2:]:
        (store.root / name).unlink()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    begun: list[object] = []
    resource.setrlimit(resource.RLIMIT_FSIZE, (min(sizes.values()) // 2, hard))
    try:
        with pytest.raises(StoreError, match=r"seed0-fold002.*cannot be written \(File too large\). Free space or set"):
            run([small], store, started=begun.append)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(begun) == 1
    assert fold_bytes(store) == dict(list(expected.items())[:2])
    assert leftovers(store.root) == []
    assert run([small], store).computed == N_SUBJECTS - 2
    assert fold_bytes(store) == expected


def test_a_disk_that_fills_up_in_between_keeps_what_was_written(
    store: PredictionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = atomic.write_bytes

    def full(path: Path, data: bytes) -> None:
        if path.suffix == ".parquet" and "fold002" in path.name:
            raise OSError(28, "No space left on device")
        plain(path, data)

    monkeypatch.setattr(atomic, "write_bytes", full)
    for keep_going in (False, True):
        with pytest.raises(StoreError, match=r"fold002.*cannot be written \(No space left on device\). Free space or"):
            run([job("dummy")], store, keep_going=keep_going)
        assert len(fold_bytes(store)) == 2
    monkeypatch.undo()
    assert run([job("dummy")], store).computed == N_SUBJECTS - 2


def test_a_store_that_can_only_be_read_serves_whoever_asks_for_what_it_has(
    store: PredictionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run([job("dummy")], store)

    def read_only(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(atomic, "write_bytes", read_only)
    assert run([Job("another name", job("dummy").variant, toy())], store).found == N_SUBJECTS


def test_a_store_that_cannot_be_written_at_all_stops_before_any_work(
    store: PredictionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(atomic, "write_bytes", read_only)
    fits = Fits(monkeypatch)
    with pytest.raises(StoreError, match=r"cannot be written \(Permission denied\).*set MER_STORE"):
        run([job()], store)
    assert fits.seeds == []


class Doomed:
    """An executor that loses one fold, as one whose worker was killed twice."""

    def run(self, calls: Sequence[FoldCall], inputs_of: InputsOf, started: Started) -> Outcomes:
        for call, outcome in Serial().run(calls, inputs_of, started):
            yield call, Outcome(error="RunError: killed twice") if call.task.split.fold == 3 else outcome

    def close(self) -> None:
        pass


def test_whoever_computes_may_lose_a_fold_and_the_others_are_kept(store: PredictionStore) -> None:
    with pytest.raises(RunError, match="(?s)1 folds failed.*seed 0: RunError: killed twice"):
        run([job("dummy")], store, executor=Doomed())
    assert len(fold_bytes(store)) == N_SUBJECTS - 1
    assert [entry["traceback"] for entry in store.failures(job("dummy").address)] == ["RunError: killed twice"]


# Going on where something cannot be run


def no_mosaic(recipe: Recipe, *args: object, **kwargs: object) -> np.ndarray:
    if recipe.recipe == "four_region_mosaic":
        raise DataError("no face was found")
    return compute(recipe, *args, **kwargs)  # type: ignore[arg-type]


def job_on_lost_frames(folder: Path) -> Job:
    """A job on clips of three people whose folder is gone."""
    names = [f"drawn/s0{number}/c01" for number in (1, 2, 3)]
    frames = [np.full((8, 8, 3), number, np.uint8) for number in range(3)]
    sources = {name: as_bitmaps(folder / "frames" / name, frames) for name in names}
    clips = dataset_of(sources, [row(name, onset=1, apex=2, offset=3, n_frames=3) for name in names])
    variant = job("dummy").variant.model_copy(update={"features": ApexFace()})
    assert Job("on frames", variant, clips).address
    shutil.rmtree(folder / "frames")
    return Job("on lost frames", variant, dataset_of(sources, clips.samples.to_dict("records")))


def test_who_keeps_going_hears_of_all_that_failed_and_gets_the_rest(
    store: PredictionStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(methods.PLAIN, "fragile", fails_on("toyc/01/"))
    whole, fragile, impossible = job("dummy"), job("fragile"), with_model("ststnet", dropuot=0.1)
    monkeypatch.setattr(feeding, "compute", no_mosaic)
    mosaic = job("dummy").variant.model_copy(update={"features": FourRegionMosaic(block=7)})
    faceless, lost = Job("faceless", mosaic, toy()), job_on_lost_frames(tmp_path)
    heard: list[tuple[str, int, int]] = []
    summary = run(
        [lost, impossible, fragile, faceless, whole],
        store,
        keep_going=True,
        listener=lambda event, done, total: heard.append((event.task.job_label, done, total)),
    )
    assert [done for _, done, _ in heard] == list(range(1, 4 * N_SUBJECTS + 1))
    assert {total for *_, total in heard} == {4 * N_SUBJECTS}
    assert summary.computed == 2 * N_SUBJECTS - 1
    assert len(summary.failures) == 2 * N_SUBJECTS + 1
    last_lines = {event.task.job_label: event.error.strip().splitlines()[-1] for event in summary.failures}
    assert list(summary.refused) == ["on lost frames"]
    assert "cannot be read" in summary.refused["on lost frames"]
    assert "1 jobs could not be begun" in str(summary)
    assert set(last_lines) == {"impossible", "toy fragile", "faceless"}
    assert "dropuot" in store.failures(impossible.address)[0]["traceback"]
    assert "DataError: no face was found" in store.failures(faceless.address)[-1]["traceback"]
    assert len(store.failures(faceless.address)) == len(store.failures(impossible.address)) == N_SUBJECTS
    assert len(store.failures(fragile.address)) == 1
    with pytest.raises(ParameterError, match="1 of 2 jobs cannot be run"):
        run([impossible, whole], store)


def with_model(name: str, **params: object) -> Job:
    setting = job().variant
    method = setting.model.model_copy(update={"name": name, "params": params})
    return Job("impossible", setting.model_copy(update={"model": method}), toy())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: job("ststnte"), "toy ststnte: .*expected one of .*ststnet.*got 'ststnte'"),
        (lambda: with_model("ststnet", dropuot=0.1), "dropuot.*did you mean 'dropout'"),
        (lambda: with_model("linear_svm", gamma=1), "parameters of 'linear_svm'.*gamma"),
        (lambda: with_model("htnet", image_size=20, patch_size=5), r"expects inputs of shape \(3, 20, 20\)"),
    ],
    ids=["model", "parameter of a network", "parameter of the svm", "input"],
)
def test_what_cannot_run_is_refused_before_any_work(
    store: PredictionStore, wrong: Callable[[], Job], message: str
) -> None:
    with pytest.raises(ParameterError, match="(?s)1 of 2 jobs cannot be run, so nothing was.*" + message):
        run([job("dummy"), wrong()], store)
    assert not store.root.exists()


def test_an_absent_device_is_refused_before_any_work(store: PredictionStore) -> None:
    with pytest.raises(ParameterError, match="device: expected one of"):
        run([job("dummy")], store, device="tpu")
    assert not store.root.exists()


def test_folds_that_were_never_computed_are_all_named(store: PredictionStore) -> None:
    with pytest.raises(StoreError, match=f"(?s)toy dummy, seed 0: {N_SUBJECTS} folds .*fold000.*fold007"):
        read_folds(job("dummy"), store)


def test_a_fold_stored_under_another_split_is_computed_again(store: PredictionStore) -> None:
    small = job("dummy")
    run([small], store)
    before = store.path(small.address, 0, 0).read_bytes()
    result = store.read(small.address, 0, 0)
    other = {**result.metadata, "fitted_on": result.metadata["fitted_on"][1:]}
    store.write(small.address, 0, 0, FoldResult(result.predictions, other))
    tasks, summary = plan([small], store)
    assert [task.split.fold for task in tasks] == [0]
    assert "another split" in summary.damaged[0]
    with pytest.warns(FoldWarning, match="another split"):
        run([small], store)
    assert store.path(small.address, 0, 0).read_bytes() == before


def test_a_fold_that_lacks_somebody_to_be_tested_is_computed_again(store: PredictionStore) -> None:
    """So it is where somebody's gender becomes known: neither samples nor labels have changed."""
    small = job("dummy")
    run([small], store)
    before = store.path(small.address, 0, 0).read_bytes()
    result = store.read(small.address, 0, 0)
    store.write(small.address, 0, 0, FoldResult(result.predictions.iloc[1:], result.metadata))
    with pytest.warns(FoldWarning, match="another split"):
        run([small], store)
    assert store.path(small.address, 0, 0).read_bytes() == before
