"""Measure what the experiments of a profile cost: processor seconds of every distinct variant, and of its inputs.

Variants are distinct by the address of their results. Of each the first fold is trained for one epoch and for four;
from both follow an epoch and what is done once a fold, and from these all folds of all seeds. One thread, one process,
and time of the processor, not of the clock: on a machine that others use as well, the clock says little.

    .venv/bin/python benchmarks/paper_set.py                            profile quick
    .venv/bin/python benchmarks/paper_set.py --only 'htnet.*' --data megc2019_flow
"""

from __future__ import annotations

import argparse
import fnmatch
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial

from rich.console import Console
from rich.table import Table

from mer_lib.evaluation.feeding import Feeding, key_of
from mer_lib.evaluation.folds import fit
from mer_lib.evaluation.jobs import Job
from mer_lib.evaluation.methods import is_network
from mer_lib.features import compute, takes_maps
from mer_lib.features.loading import load
from mer_lib.papers.data_used import data_at_hand
from mer_lib.papers.experiments import experiments
from mer_lib.papers.measure import jobs_of
from mer_lib.papers.paper_set import paper_set
from mer_lib.training.device import one_thread

EPOCHS = 4


def processor_seconds(work: Callable[[], object]) -> float:
    """Return the processor seconds of one call."""
    started = time.process_time()
    work()
    return time.process_time() - started


def distinct(profile: str, data: str, patterns: list[str]) -> dict[str, list[Job]]:
    """Return the jobs of all seeds of every distinct variant by "experiment variant", the published ones first."""
    dataset, found, addresses = load(data), {}, set()
    published = list(paper_set())
    for name in sorted(experiments(), key=lambda name: name not in published):
        if not any(fnmatch.fnmatch(name, pattern) for pattern in patterns):
            continue
        experiment = experiments()[name]
        groups = jobs_of(experiment, profile, data_at_hand(experiment, profile, dataset))
        for label, jobs in groups.items():
            if jobs[0].address not in addresses:
                addresses.add(jobs[0].address)
                found[f"{name} {label}"] = jobs
    return found


def inputs_seconds(variants: dict[str, list[Job]]) -> Iterator[tuple[str, float]]:
    """Yield what is made of clips, made anew: the first variant that needs it, and processor seconds."""
    first = {key_of(jobs[0]): (name, jobs[0]) for name, jobs in reversed(variants.items())}
    for name, job in reversed(first.values()):
        seen, recipe = job.labelled, job.variant.features
        if not takes_maps(recipe):
            work = partial(compute, recipe, seen.dataset, sorted(seen.samples["sample_id"]), cache=False)
            yield f"{recipe.recipe}: {name}", processor_seconds(work)


def fold_seconds(job: Job, feeding: Feeding) -> tuple[float, float]:
    """Return processor seconds of one epoch (0 for a method without) and of one whole fold."""
    inputs, training = feeding.inputs(key_of(job)), job.variant.training

    def run(epochs: int) -> float:
        short = job.variant.model_copy(update={"training": training.model_copy(update={"epochs": epochs})})
        return processor_seconds(lambda: fit(short, job.splits[0], inputs, seed=job.seed, device="cpu"))

    if not is_network(job.variant):
        return 0.0, run(1)
    once, several = run(1), run(EPOCHS)
    epoch = max(several - once, 0.0) / (EPOCHS - 1)
    return epoch, once + epoch * (training.epochs - 1)


def cost_table(variants: dict[str, list[Job]], title: str) -> Table:
    """Return processor seconds of every variant, and their sums."""
    table = Table("variant", "epoch", "fold", "folds", "all", title=title)
    feeding = Feeding([jobs[0] for jobs in variants.values()])
    totals, published = {True: 0.0, False: 0.0}, paper_set()
    for name, jobs in variants.items():
        epoch, fold = fold_seconds(jobs[0], feeding)
        folds = len(jobs[0].splits) * len(jobs)
        totals[name.split()[0] in published] += fold * folds
        table.add_row(name, f"{epoch:.3f}", f"{fold:.2f}", str(folds), f"{fold * folds:.0f}")
    table.add_section()
    table.add_row("published experiments", "", "", "", f"{totals[True]:.0f}")
    table.add_row("others", "", "", "", f"{totals[False]:.0f}")
    return table


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="quick")
    parser.add_argument("--data", default="synthetic_demo")
    parser.add_argument("--only", action="append", help="pattern of ids; may be given several times")
    parser.add_argument("--inputs", action="store_true", help="also make all inputs anew, without the cache")
    options = parser.parse_args()
    console = Console()
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        variants = distinct(options.profile, options.data, options.only or ["*"])
        if options.inputs:
            for name, seconds in inputs_seconds(variants):
                console.print(f"{seconds:7.1f} s  {name}", highlight=False)
        console.print(cost_table(variants, f"Processor seconds, profile {options.profile}, {options.data}"))


if __name__ == "__main__":
    main()
