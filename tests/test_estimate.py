"""What experiments will take, from one epoch of each distinct variant: extrapolated, shared once, nothing stored."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from mer_lib import settings
from mer_lib.evaluation.crossval import Job
from mer_lib.evaluation.feeding import key_of
from mer_lib.evaluation.folds import Inputs
from mer_lib.evaluation.store import PredictionStore
from mer_lib.papers.experiments import experiments
from mer_lib.running import estimate, runner
from mer_lib.running.estimate import Times, estimated, remembered
from mer_lib.running.listing import show_experiments
from mer_lib.running.plan import Plan, VariantPlan, make_plan
from tests.helpers import some, toy, variant

SMOKE = {"profile": "smoke", "data": "toy_flow", "seeds": None, "jobs": 1, "device": "cpu"}


class Clock:
    """Stands for the module `time`: a fit of one epoch takes as many seconds as the method's name has letters."""

    def __init__(self) -> None:
        self.now, self.fitted = 0.0, []

    def perf_counter(self) -> float:
        return self.now

    def fit(self, setting, split, inputs, **options):
        self.fitted.append((setting, split))
        self.now += len(setting.model.name)


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(estimate, "time", clock)
    monkeypatch.setattr(estimate, "fit", clock.fit)
    return clock


def plan_of(*wanted, seeds=None) -> Plan:
    parameters = runner.request({**SMOKE, "seeds": seeds}).parameters
    return make_plan(wanted, parameters, lambda experiment: toy(), PredictionStore(settings.store_root()))


def test_one_epoch_of_each_distinct_variant_is_extrapolated_to_epochs_folds_seeds_and_processes(clock) -> None:
    wanted = [some("htnet.table2", "class prior", "HTNet"), experiments()["htnet.fig7"]]
    plan = plan_of(*wanted, seeds=[0, 1])
    times = estimated(plan, 2, "cpu", lambda text: None)
    # "dummy" has no epochs; "htnet" has two under profile smoke, and is trained once more to warm up.
    assert [setting.model.name for setting, _ in clock.fitted] in (
        ["dummy", "htnet", "htnet"],
        ["htnet", "htnet", "dummy"],
    )
    assert {setting.training.epochs for setting, _ in clock.fitted if setting.model.name == "htnet"} == {1}
    both, shared = (list(plan.experiments[each.id].variants.values()) for each in wanted)
    folds, seeds, processes = 3, 2, 2
    assert times.of(both) == pytest.approx((5 + 5 * 2) * folds * seeds / processes)
    assert times.of(shared) == pytest.approx(5 * 2 * folds * seeds / processes)
    assert times.of(plan.variants) == times.of(both)  # what they share counts once
    assert times.of(plan.variants, missing=True) == times.of(both)


def test_what_is_stored_is_not_left() -> None:
    job = Job("toy ststnet", variant(), toy())
    planned = VariantPlan("toy", "ststnet", [job], {0: 6}, missing=[SimpleNamespace()] * 2)
    times = Times(2, {job.address: 3.0}, {key_of(job): 10.0})
    assert times.of([planned]) == (8 * 3.0 + 10.0) / 2
    assert times.of([planned], missing=True) == (2 * 3.0 + 10.0) / 2
    done = VariantPlan("toy", "ststnet", [job], {0: 8}, missing=[])
    assert times.of([done], missing=True) == 0.0
    assert Times().of([planned]) is None


def test_a_large_epoch_is_tried_on_fewer_samples_and_scaled_up(clock, monkeypatch) -> None:
    job = Job("toy ststnet", variant(epochs=7), toy())
    ids = sorted(toy().samples["sample_id"])
    inputs = Inputs(ids, toy().maps(), toy().labels(ids))
    whole = estimate.fold_seconds(job, inputs, "cpu")
    assert whole == len("ststnet") * 7
    train = len(clock.fitted[-1][1].train)
    monkeypatch.setattr(estimate, "MOST_NUMBERS", 10 * np.prod(inputs.X.shape[1:]))
    part = estimate.fold_seconds(job, inputs, "cpu")
    tried = len(clock.fitted[-1][1].train)
    assert tried <= 10
    assert part == pytest.approx(whole * train / tried)


def test_a_real_epoch_takes_time_and_nothing_is_stored() -> None:
    plan = plan_of(some("lab.first_comparison", "class prior", "STSTNet"))
    times = estimated(plan, 1, "cpu", lambda text: None)
    assert all(0 < seconds < 600 for seconds in times.fold.values())
    assert len(times.fold) == 2
    assert not settings.store_root().exists()


def test_remembered_times_are_the_mean_of_stored_folds_on_that_device() -> None:
    plan = plan_of(some("lab.first_comparison", "STSTNet"))
    (planned,) = plan.variants
    store, address = PredictionStore(settings.store_root()), planned.jobs[0].address
    assert remembered(plan, store, 1).of([planned]) is None
    store.folder(address).mkdir(parents=True)
    for seconds, device in ((1.0, "cpu"), (3.0, "cpu"), (100.0, "cuda")):
        store.log(address, {"seconds": seconds, "device": device})
    assert remembered(plan, store, 1, "cpu").of([planned]) == 3 * 2.0
    assert remembered(plan, store, 1, "cuda").of([planned]) == 3 * 100.0


def test_the_list_says_what_is_needed_what_is_here_and_how_long_it_takes(clock) -> None:
    console = Console(file=io.StringIO(), width=300)
    show_experiments(runner.request(SMOKE, targets=("htnet.fig7", "htnet.table1", "capsulenet.fig5")), True, console)
    told = " ".join(console.file.getvalue().split())
    assert experiments()["htnet.fig7"].question in told
    assert "0 of 3 │ 30 s │ 30 s" in told  # 5 letters, 2 epochs, 3 folds
    assert "here: toy_flow" in told
    assert "counted, not trained" in told
    assert "not planned: it needs Synthetic A, B, C, profile smoke, which a run makes first" in told
    assert "All together, shared variants once: 30 s, of which 30 s are left" in told
