"""A run goes on where it stopped, what fails does not stop the rest, and everything that happens is told."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from rich.console import Console

from mer_lib import settings
from mer_lib.errors import ParameterError, RunError
from mer_lib.evaluation import folds, work
from mer_lib.evaluation.store import PredictionStore
from mer_lib.papers.experiments import experiments
from mer_lib.papers.measure import run_experiment
from mer_lib.papers.paper_set import paper_set
from mer_lib.running import events as events_module
from mer_lib.running import notebooks, runner, seals
from mer_lib.running.alone import alone_in
from mer_lib.running.display import Board
from mer_lib.running.dry import show_dry_run
from mer_lib.running.events import EventLog, read_events
from mer_lib.running.notebooks import NotebookRun
from mer_lib.running.pace import Pace
from mer_lib.running.plan import make_plan
from mer_lib.running.side_by_side import execute_all
from mer_lib.running.targets import chosen
from tests.helpers import toy

SMOKE = {"profile": "smoke", "data": "toy_flow", "seeds": None, "jobs": 1, "device": "cpu"}
REPOSITORY = Path(__file__).resolve().parent.parent
# Nine folds of milliseconds: the class prior and two linear machines, three folds each.
GRID = "name: machines\nof: lab.first_comparison\nvariant: linear SVM\nvary: {{model.params.C: [0.001, {}]}}\n"


# -- what was asked for -----------------------------------------------------------------------------------------------


def test_papers_are_the_published_experiments_and_only_narrows_them_down() -> None:
    assert chosen(["papers"]) == list(paper_set())
    assert chosen(["papers"], ["htnet.fig*", "*.table1"])[:4] == [
        "htnet.table1",
        "htnet.fig5",
        "htnet.fig6",
        "htnet.fig7",
    ]
    assert chosen(["lab.*", "htnet.table4"])[0] == "htnet.table4"  # papers come first
    assert set(experiments()) <= set(chosen([]))


@pytest.mark.parametrize(
    ("targets", "only", "words"),
    [
        (["paper"], [], "did you mean 'papers'"),
        (["htnet.table4", "x.*", "htnet.tabel5"], [], "'x.*', 'htnet.tabel5' (did you mean 'htnet.table5'?)"),
        (["lab.*"], ["htnet.*"], "none of them matches"),
    ],
)
def test_a_target_that_matches_nothing_is_named(targets, only, words) -> None:
    with pytest.raises(ParameterError, match="expected") as raised:
        chosen(targets, only)
    assert words in str(raised.value)


# -- a run ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    path = tmp_path / "machines.yaml"
    path.write_text(GRID.format(1.0))
    return path


@pytest.fixture
def go(tmp_path, grid, monkeypatch):
    """Run the grid; notebooks are copied instead of executed, and the report is a line."""
    written = []

    def execute(waiting, jobs, started, progress):
        for notebook in waiting:
            started(notebook)
            notebook.target.parent.mkdir(parents=True, exist_ok=True)
            notebook.target.write_bytes(notebook.source.read_bytes())
            yield notebook, ""

    def write(parameters, dataset, folder, records=()) -> None:
        written.append([record.name for record in records])
        (folder / "report.html").write_text(f"report {len(written)}")

    monkeypatch.setattr(runner, "execute_all", execute)
    monkeypatch.setattr(runner, "write_report", write)

    def call(**options) -> SimpleNamespace:
        console = Console(file=io.StringIO(), width=200)
        asked = runner.request(SMOKE, grid=grid, out=tmp_path / "out", **options)
        outcome = runner.run(asked, console)
        lines = console.file.getvalue().splitlines()
        return SimpleNamespace(outcome=outcome, lines=lines, log=_last_run(tmp_path / "out"), written=written)

    return call


def _last_run(folder: Path) -> list[dict]:
    events = list(read_events(folder / "events.jsonl"))
    last = max(number for number, event in enumerate(events) if event["event"] == "run started")
    return events[last:]


def documented(event: str) -> set[str]:
    """Return the entries that the module's table gives to an event; "the same" are those of a fold that started."""
    table = (events_module.__doc__ or "").split("=\n")[1]
    rows = re.findall(r"^(\w+ \w+) +(.*(?:\n  .*)*)", table, re.MULTILINE)
    told = {name: set(re.findall(r"\w+", re.sub(r"\(.*?\)|:.*", "", words, flags=re.DOTALL))) for name, words in rows}
    same = told["fold started"] if {"the", "same"} <= told[event] else set()
    return same | told[event] - {"the", "same", "and"}


def names(events: list[dict]) -> list[str]:
    return [event["event"] for event in events]


def test_folds_then_notebooks_then_the_report_and_everything_is_told(go, tmp_path) -> None:
    ran = go()
    assert (ran.outcome.trained.computed, ran.outcome.failed) == (9, [])
    assert names(ran.log) == [
        "run started",
        *["fold started", "fold finished"] * 9,
        *("notebook started", "notebook finished", "report written", "run ended"),
    ]
    for event in ran.log:
        assert set(event) - {"time", "event"} == documented(event["event"])
    fold = ran.log[2]
    assert (fold["experiment"], fold["variant"], fold["fold"], fold["seed"]) == ("own.machines", "class prior", 0, 0)
    assert PredictionStore(settings.store_root()).path(fold["address"], 0, 0).exists()
    assert ran.log[0]["data_digest"] == toy().digest
    assert ran.log[0]["command"] == sys.argv
    assert any("own.machines · C=1.0 · fold 3 · seed 0" in line and "(9 of 9)" in line for line in ran.lines)
    assert ran.written == [["05_train_and_evaluate.own.machines.ipynb"]]


def test_where_nothing_changed_nothing_is_done_again(go, tmp_path) -> None:
    go()
    again = go()
    assert names(again.log) == ["run started", "notebook kept", "report kept", "run ended"]
    assert (again.outcome.trained.found, again.outcome.trained.computed) == (9, 0)
    (tmp_path / "out/report.html").write_text("half a")
    assert names(go().log)[-2:] == ["report written", "run ended"]
    assert {"notebook finished", "report written"} <= set(names(go(fresh=True).log))


def test_a_changed_parameter_computes_that_variant_alone(go, grid) -> None:
    go()
    grid.write_text(GRID.format(2.0))
    ran = go()
    assert (ran.outcome.trained.found, ran.outcome.trained.computed) == (6, 3)
    assert {event["variant"] for event in ran.log if event["event"] == "fold finished"} == {"C=2.0"}


def test_a_dry_run_says_what_would_run_and_why_and_writes_nothing(go, grid, tmp_path) -> None:
    go()
    grid.write_text(GRID.format(1.0) + "changes: {training.permute_labels: true}\n")
    console, before = Console(file=io.StringIO(), width=200), snapshot(tmp_path)
    show_dry_run(runner.request(SMOKE, grid=grid, out=tmp_path / "out"), console)
    told = console.file.getvalue()
    assert snapshot(tmp_path) == before
    assert "folds to compute: 9, in the store: 0; notebooks: 1" in told
    assert told.count("parameter changed: training.permute_labels False → True") == 3


@pytest.mark.parametrize(("data", "profile"), [("synthetic_smoke", "smoke"), ("best", "demo")])
def test_without_data_a_dry_run_says_what_a_run_would_make_first(grid, tmp_path, monkeypatch, data, profile) -> None:
    monkeypatch.setenv("MER_DATA_ROOT", str(tmp_path / "nothing"))
    console = Console(file=io.StringIO(), width=200)
    asked = runner.request({**SMOKE, "data": data}, targets=("htnet.fig7",), grid=grid)
    before = snapshot(tmp_path)
    show_dry_run(asked, console)
    told = console.file.getvalue()
    assert f"Not planned: htnet.fig7, own.machines: it needs Synthetic A, B, C, profile {profile}" in told
    assert snapshot(tmp_path) == before


def test_a_grid_may_be_named_before_it_is_known(grid, tmp_path) -> None:
    assert runner.request(SMOKE, targets=("own.machines",), grid=grid).wanted() == ["own.machines"]


def test_code_is_noted_before_anything_is_computed(go, monkeypatch) -> None:
    """Else what a long run made would be taken for the work of a file that was edited meanwhile."""
    order, train = [], runner.train
    for name in ("scoring_version", "checking_version", "library_digest"):
        monkeypatch.setattr(runner, name, lambda name=name: order.append(name) or name)
    monkeypatch.setattr(runner, "train", lambda *given: order.append("train") or train(*given))
    go()
    assert order == ["scoring_version", "checking_version", "library_digest", "train"]


def test_best_data_are_those_that_were_found_when_the_run_began(go, monkeypatch) -> None:
    monkeypatch.setattr(runner, "load_data", lambda *given: toy())
    monkeypatch.setitem(SMOKE, "data", "best")
    seen = []
    plan_all = runner.plan_notebooks
    monkeypatch.setattr(runner, "plan_notebooks", lambda *given: seen.append(given[1].data) or plan_all(*given))
    go()
    assert seen == [toy().name]


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", "null", '{"metadata": null}', "\ud83d"])
def test_half_a_notebook_bears_no_seal(tmp_path, content) -> None:
    target = tmp_path / "copy.ipynb"
    target.write_bytes(content.encode("utf-8", errors="surrogatepass"))
    assert not seals.is_sealed(target, "seal")
    assert not seals.is_sealed(tmp_path / "none.ipynb", "seal")


def snapshot(folder: Path) -> dict[Path, tuple[int, int]]:
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def broken(monkeypatch):
    """One of the two machines cannot be trained."""
    real = work.compute_fold

    def fails(variant, *given, **options):
        if variant.model.params.get("C") == 1.0:
            raise ValueError("broken on purpose")
        return real(variant, *given, **options)

    monkeypatch.setattr(work, "compute_fold", fails)


def test_a_variant_that_fails_is_named_and_the_rest_is_finished(go, broken, tmp_path) -> None:
    ran = go()
    assert ran.outcome.failed == ["own.machines C=1.0"]
    assert ran.outcome.trained.computed == 6
    failed = [event for event in ran.log if event["event"] == "fold failed"]
    assert [event["fold"] for event in failed] == [0, 1, 2]
    assert "ValueError: broken on purpose" in failed[0]["traceback"]
    assert ran.log[-1]["failed"] == ["own.machines C=1.0"]
    assert "broken on purpose" in PredictionStore(settings.store_root()).failures(failed[0]["address"])[0]["traceback"]
    assert (tmp_path / "out/report.html").exists()


def test_the_last_line_names_what_failed_and_the_exit_code_is_one(
    go, broken, grid, tmp_path, monkeypatch, capsys
) -> None:
    from mer_lib import cli

    options = ["--profile", "smoke", "--data", "toy_flow", "--jobs", "1", "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", ["mer", "run", "--grid", str(grid), "--out", str(tmp_path / "out"), *options])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 1
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last == "1 failed, the rest is finished: own.machines C=1.0"


def test_what_a_notebook_computes_after_all_has_not_failed(go, broken, monkeypatch) -> None:
    execute = runner.execute_all

    def mended(waiting, *given):
        monkeypatch.setattr(work, "compute_fold", folds.compute_fold)
        experiment = experiments()["own.machines"]
        run_experiment(experiment, "smoke", toy(), PredictionStore(settings.store_root()), device="cpu")
        return execute(waiting, *given)

    monkeypatch.setattr(runner, "execute_all", mended)
    ran = go()
    assert names(ran.log).count("fold failed") == 3
    assert (ran.outcome.failed, ran.log[-1]["failed"]) == ([], [])
    assert any("own.machines C=1.0: failed at first" in line for line in ran.lines)


def test_a_dry_run_refuses_the_grid_that_a_run_would_refuse(grid) -> None:
    grid.write_text("name: patches\nof: htnet.fig5\nvary: {model.params.patch_size: [7, 9]}\n")
    with pytest.raises(ParameterError, match="patch_size=9"):
        show_dry_run(runner.request(SMOKE, grid=grid), Console(file=io.StringIO()))


def test_a_run_that_is_stopped_says_so_in_the_log_and_goes_on_later(go, tmp_path, monkeypatch) -> None:
    real, done = work.compute_fold, []

    def until_the_fifth(*given, **options):
        done.append(1)
        if len(done) == 5:
            raise KeyboardInterrupt
        return real(*given, **options)

    monkeypatch.setattr(work, "compute_fold", until_the_fifth)
    with pytest.raises(KeyboardInterrupt):
        go()
    assert names(_last_run(tmp_path / "out"))[-1] == "run stopped"
    monkeypatch.setattr(work, "compute_fold", real)
    ran = go()
    assert (ran.outcome.trained.found, ran.outcome.trained.computed) == (4, 5)


# -- the plan ---------------------------------------------------------------------------------------------------------


def test_shared_variants_are_computed_once_and_experiments_without_data_are_left_out() -> None:
    wanted = [experiments()[name] for name in ("htnet.table2", "htnet.fig7", "capsulenet.table2")]

    def data_of(experiment):
        if experiment.id.startswith("capsulenet"):
            raise ParameterError("no frames are here")
        return toy()

    parameters = runner.request(SMOKE).parameters
    plan = make_plan(wanted, parameters, data_of, empty_store())
    (shared,) = plan.experiments["htnet.fig7"].variants.values()
    assert shared.elsewhere == {0: "htnet.table2 HTNet"}
    assert (shared.to_compute, len(shared.missing)) == ([], 3)
    places = [(task.address, task.split.fold, task.seed) for task in plan.tasks]
    assert len(places) == len(set(places)) == 3 * len(experiments()["htnet.table2"].variants)
    assert plan.left_out == {"capsulenet.table2": "no frames are here"}
    assert not plan.complete(["htnet.fig7"])


def test_of_a_shared_variant_each_seed_is_computed_by_the_first_who_wants_it() -> None:
    first, second = (experiments()[name] for name in ("htnet.table2", "htnet.fig7"))
    profiles = {"smoke": second.profile("smoke").model_copy(update={"seeds": (0, 1)})}
    second = second.model_copy(update={"profiles": profiles})
    plan = make_plan([first, second], runner.request(SMOKE).parameters, lambda experiment: toy(), empty_store())
    (shared,) = plan.experiments["htnet.fig7"].variants.values()
    assert (shared.elsewhere, len(shared.missing)) == ({0: "htnet.table2 HTNet"}, 6)
    assert {task.seed for task in shared.to_compute} == {1}
    address = shared.jobs[0].address
    assert sorted(job.seed for job in plan.jobs if job.address == address) == [0, 1]
    assert len([task for task in plan.tasks if task.address == address]) == 6


def test_the_digest_of_a_plan_changes_with_a_fold_that_is_written_anew(go) -> None:
    go()
    store = PredictionStore(settings.store_root())
    plan = make_plan([experiments()["own.machines"]], runner.request(SMOKE).parameters, lambda each: toy(), store)
    before = plan.digest(store, plan.experiments)
    assert plan.digest(store, plan.experiments) == before
    fold = next(store.root.rglob("seed*.parquet"))
    fold.with_suffix(".weights").touch()  # kept for whoever explains the fold
    assert plan.digest(store, plan.experiments) == before
    os.utime(fold, (1, 1))
    assert plan.digest(store, plan.experiments) != before


def empty_store() -> PredictionStore:
    return PredictionStore(settings.store_root())


# -- side by side -----------------------------------------------------------------------------------------------------

WAITS = """import os, pathlib, time
here = pathlib.Path({folder!r})
(here / {mine!r}).touch()
while not (here / {other!r}).exists():
    time.sleep(0.05)
pathlib.Path(os.environ["MER_PROGRESS"]).write_text('{{"label": "%s"}}\\n' % {mine!r})
print("threads", os.environ["OMP_NUM_THREADS"])"""


def notebook(folder: Path, name: str, code: str) -> NotebookRun:
    content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    content.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(content, folder / f"{name}.ipynb")
    return NotebookRun(folder / f"{name}.ipynb", folder / "out" / f"{name}.ipynb", {})


def test_notebooks_run_at_once_on_one_thread_and_one_that_fails_is_kept_and_stops_no_other(tmp_path) -> None:
    """Two of them wait for each other: one after the other they would wait for ever."""
    waiting = [
        notebook(tmp_path, "10_a", WAITS.format(folder=str(tmp_path), mine="a", other="b")),
        notebook(tmp_path, "11_b", WAITS.format(folder=str(tmp_path), mine="b", other="a")),
        notebook(tmp_path, "12_c", "raise ValueError('broken on purpose')"),
        notebook(tmp_path, "13_d", "import os; os.kill(os.getpid(), 9)"),
    ]
    told = []
    ended = execute_all(waiting, 2, lambda one: None, lambda one, event: told.append((one.name, event["label"])))
    errors = {one.name: error for one, error in ended}
    assert (errors["10_a"], errors["11_b"]) == ("", "")
    assert sorted(told) == [("10_a", "a"), ("11_b", "b")]
    assert "threads 1" in (tmp_path / "out/10_a.ipynb").read_text()
    assert errors["12_c"] == "ValueError: broken on purpose"
    assert "broken on purpose" in (tmp_path / "out/12_c.ipynb").read_text()
    assert "DeadKernelError" in errors["13_d"]


RUN_ONE = """import sys
from pathlib import Path
from mer_lib.running.notebooks import NotebookRun
from mer_lib.running.side_by_side import execute_all
folder = Path(sys.argv[1])
run = NotebookRun(folder / "10_long.ipynb", folder / "out.ipynb", {})
list(execute_all([run], 1, lambda one: None, lambda *told: None))
"""


def test_where_the_run_is_killed_its_kernels_end(tmp_path) -> None:
    pid = tmp_path / "pid"
    code = f"import os, pathlib, time\npathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\ntime.sleep(600)"
    notebook(tmp_path, "10_long", code)
    process = subprocess.Popen([sys.executable, "-c", RUN_ONE, str(tmp_path)], cwd=REPOSITORY)
    assert until(lambda: pid.exists() and pid.read_text(), 120)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kernel = int(pid.read_text())
    assert until(lambda: not alive(kernel), 60)


def until(happened, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not happened() and time.monotonic() < end:
        time.sleep(0.1)
    return bool(happened())


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


# -- one at a time, events, display -----------------------------------------------------------------------------------

HOLD = """import sys, time
from pathlib import Path
from mer_lib.running.alone import alone_in
with alone_in(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_run_into_a_folder_is_refused_until_the_first_ends_however_it_ends(tmp_path) -> None:
    first = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], cwd=REPOSITORY, stdout=subprocess.PIPE)
    assert first.stdout.readline() == b"held\n"
    with pytest.raises(RunError, match="another run is writing"), alone_in(tmp_path):
        pass
    first.kill()
    first.communicate()
    with alone_in(tmp_path):
        assert tmp_path.is_dir()


def test_a_folder_that_cannot_be_written_is_said(tmp_path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="--out"), alone_in(tmp_path / "file" / "out"):
        pass


def test_a_line_that_was_cut_off_spoils_no_other(tmp_path) -> None:
    path = tmp_path / "events.jsonl"
    EventLog(path).write("run started", data="ä")
    path.write_bytes(path.read_bytes() + b'{"event": "fold fin')
    EventLog(path).write("run ended", seconds=1.5)
    assert [event["event"] for event in read_events(path)] == ["run started", "run ended"]
    assert [event.get("data") for event in read_events(path)] == ["ä", None]
    assert all(event["time"].endswith("Z") for event in read_events(path))


def test_a_log_that_cannot_be_written_is_a_clear_error(tmp_path) -> None:
    with pytest.raises(RunError, match="cannot be written"):
        EventLog(tmp_path / "missing" / "events.jsonl")
    if Path("/dev/full").exists():
        with pytest.raises(RunError, match="No space left"):
            EventLog(Path("/dev/full")).write("run started")


class Clock:
    """Tells what it is set to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_without_a_terminal_each_thing_is_a_timed_line() -> None:
    console, clock = Console(file=io.StringIO(), width=200), Clock()
    with Board(console, clock) as board:
        board.count("folds", 2, lambda: "about 2 min left")
        board.begin("a", "htnet.table2", "HTNet", "fold 1")
        clock.now = 12.5
        assert board.end("a") == 12.5
        for done in range(1, 41):
            board.clips(done, 40, f"sub/{done}")
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]
    assert lines[0] == "[   12.5 s] done   htnet.table2 · HTNet · fold 1: 12.5 s (1 of 2, about 2 min left)"
    assert [line.split("] ")[1] for line in lines[1:]] == [
        "computing features: 20 of 40 clips (sub/20)",
        "computing features: 40 of 40 clips (sub/40)",
    ]


def test_in_a_terminal_one_display_has_a_bar_and_a_row_for_all_that_is_under_way() -> None:
    seen, clock = Console(file=io.StringIO(), width=120, force_terminal=True), Clock()
    board = Board(Console(file=io.StringIO(), force_terminal=True), clock)
    board.count("folds", 8, lambda: "about 40 s left")
    board.begin("a", "htnet.table2", "HTNet", "fold 1")
    board.begin("b", "htnet.table2", "RCN", "fold 2")
    board.begin("n", "notebook", "10_htnet")
    board.note("n", "HTNet, fold 2 of 3")
    clock.now = 5.0
    board.end("a")
    seen.print(board)
    shown = seen.file.getvalue()
    assert "1 of 8 folds · 5 s, about 40 s left" in shown
    assert [word in shown for word in ("fold 1", "fold 2", "10_htnet", "HTNet, fold 2 of 3", "5 s")] == [False] + [
        True
    ] * 4


def test_eighty_columns_hold_a_line_for_each_and_names_are_no_markup() -> None:
    seen, clock = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None), Clock()
    board = Board(Console(file=io.StringIO(), force_terminal=True), clock)
    board.count("folds", 1820, lambda: "1 h 23 min + 360 untimed left")
    board.begin("a", "own.streams", "streams=[flow, strain], kernel=[/]", "fold 12", "seed 0")
    board.begin("n", "notebook", "13_da_crossvit.papers")
    for _ in range(1819):
        board.end("b")
    board.note("n", "own.streams streams=[flow, strain], kernel=[/], seed 0, fold 3 of 15")
    clock.now = 4000.0
    seen.print(board)
    overall, fold, notebook = seen.file.getvalue().splitlines()
    assert "1819 of 1820 folds · 1 h 7 min, 1 h 23 min + 360 untimed left" in overall
    assert fold.strip() == "4000 s  own.streams · streams=[flow, strain], kernel=[/] · fold 12 · seed 0"
    assert notebook.strip().startswith("4000 s  notebook · 13_da_crossvit.papers · own.streams streams=[flow")


def test_the_time_that_is_left_is_that_of_the_same_variant_else_of_the_same_method_else_unknown(tmp_path) -> None:
    def task(address: str, model: str) -> SimpleNamespace:
        return SimpleNamespace(address=address, variant=SimpleNamespace(model=SimpleNamespace(name=model)))

    tasks = [*[task("a", "htnet")] * 3, *[task("b", "htnet")] * 2, *[task("c", "dummy")] * 4]
    store = PredictionStore(tmp_path)
    pace = Pace(tasks, store, lambda: 2)
    assert (pace.left, pace.words) == ((0.0, 9), "")
    pace.finished(tasks[0], 10.0)
    # 2 of a and 2 of b at 10 s; nothing is known of c
    assert pace.left == (pytest.approx(40 / 2), 4)
    assert pace.words == "20 s + 4 untimed left"
    pace.finished(tasks[-1], 1.0)
    assert pace.left == (pytest.approx((4 * 10 + 3 * 1) / 2), 0)
    assert pace.words == "about 22 s left"
    pace.finished(tasks[-2], None)  # it has failed
    assert pace.left == (pytest.approx((4 * 10 + 2 * 1) / 2), 0)
    store.folder("b").mkdir()
    store.log("b", {"seconds": 30.0, "device": "cpu"})
    assert Pace(tasks, store, lambda: 1).left == (pytest.approx((3 + 2) * 30.0), 4)
    assert Pace(tasks, store, lambda: 1, "cuda").left == (0.0, 9)


def test_what_a_notebook_shows_is_in_its_metadata_and_a_grid_belongs_to_what_it_varies(grid) -> None:
    folder = notebooks.notebook_folder()
    own = runner.request(SMOKE, grid=grid).own()
    assert own is not None
    assert notebooks.shows(folder / "05_train_and_evaluate.ipynb", own)
    assert not notebooks.shows(folder / "10_htnet.ipynb", own)
    assert json.loads((folder / "10_htnet.ipynb").read_text())["metadata"]["mer"]["experiments"] == ["htnet.*"]
