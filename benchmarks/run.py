"""Measure the laboratory's speed against a straightforward loop, both in one run on this machine.

The straightforward loop is what the public scripts of the field do: a DataLoader over a TensorDataset, one fold after
the other, an evaluation after every epoch. Ours is `mer_lib.evaluation.crossval.run` with two workers, and it also
writes every fold's predictions to the store. Timings on a shared machine swing; read the ratios.

    make bench                      everything
    make bench ARGS="--epochs 5"    shorter
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from mer_lib import datasets
from mer_lib.datasets.flow_maps import FlowMapDataset
from mer_lib.evaluation.crossval import Job, run
from mer_lib.evaluation.splits import Split
from mer_lib.evaluation.store import PredictionStore
from mer_lib.evaluation.variant import ModelSpec, SplitSpec, TrainingSpec, Variant
from mer_lib.features import compute
from mer_lib.models import build

WORKERS = 2
MODELS: dict[str, tuple[dict, dict]] = {
    "ststnet": ({"recipe": "flow_map"}, {}),
    "htnet": ({"recipe": "four_region_mosaic", "block": 7}, {"patch_size": 7, "dim": 64}),
}


def variant_of(model: str, epochs: int) -> Variant:
    """Return the authors' training of `model`, shortened to `epochs`."""
    features, params = MODELS[model]
    return Variant(
        features=features,
        model=ModelSpec(name=model, params=params),
        training=TrainingSpec(scaling="none", epochs=epochs, batch_size=256, learning_rate=5e-5, shuffle=False),
        split=SplitSpec(kind="loso"),
    )


class PlainSTSTNet(nn.Module):
    """STSTNet written down stream by stream, as the public scripts have it."""

    def __init__(self) -> None:
        super().__init__()
        self.streams = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(3, filters, 3, padding=2),
                nn.ReLU(),
                nn.BatchNorm2d(filters),
                nn.MaxPool2d(3, stride=3, padding=1),
                nn.Dropout(0.5),
            )
            for filters in (3, 5, 8)
        )
        self.head = nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(16 * 5 * 5, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits (B, 3) of maps (B, 3, 28, 28)."""
        return self.head(torch.cat([stream(x) for stream in self.streams], dim=1))


def plain(job: Job) -> nn.Module:
    """Return the network of `job` as a straightforward script would write it."""
    return PlainSTSTNet() if job.variant.model.name == "ststnet" else build("htnet", **job.variant.model.params)


def straightforward(job: Job, splits: list[Split]) -> None:
    """Train and evaluate fold by fold, epoch by epoch, as the public scripts do."""
    for split in splits:
        loaders = [DataLoader(_tensors(job, ids), batch_size=256) for ids in (split.train, split.test)]
        module = plain(job)
        optimiser = torch.optim.Adam(module.parameters(), lr=5e-5)
        for _ in range(job.variant.training.epochs):
            _straightforward_epoch(module, optimiser, *loaders)


def _straightforward_epoch(
    module: nn.Module, optimiser: torch.optim.Optimizer, train: DataLoader, test: DataLoader
) -> None:
    loss_function = nn.CrossEntropyLoss()
    module.train()
    for x, y in train:
        optimiser.zero_grad()
        loss = loss_function(module(x), y)
        loss.backward()
        optimiser.step()
    module.eval()
    with torch.no_grad():
        for x, _ in test:
            module(x).argmax(1)


def _tensors(job: Job, ids: tuple[str, ...]) -> TensorDataset:
    X = compute(job.variant.features, job.dataset, list(ids))
    return TensorDataset(torch.from_numpy(X), torch.from_numpy(job.dataset.labels(list(ids))))


def ours(job: Job, store: Path) -> None:
    """Compute all folds with the library, two at a time, into an empty store."""
    run([job], PredictionStore(store), n_jobs=WORKERS, device="cpu")


def seconds(work: Callable[[], object]) -> float:
    """Return the wall-clock seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def compare(model: str, epochs: int, dataset: FlowMapDataset) -> list[str]:
    """Return one row of the table: seconds of the two ways per LOSO epoch, and their ratio."""
    job = Job(model, variant_of(model, epochs), dataset)
    with tempfile.TemporaryDirectory() as folder:
        warm_up = Job(model, variant_of(model, 1), dataset)
        ours(warm_up, Path(folder) / "warm")  # start the worker processes once, as one long run does
        fast = seconds(partial(ours, job, Path(folder) / "store"))
    slow = seconds(partial(straightforward, job, job.splits))
    name = f"{model}, whole LOSO, {len(job.splits)} folds x {epochs} epochs"
    return [name, f"{slow / epochs:.2f}", f"{fast / epochs:.2f}", f"{slow / fast:.2f}"]


def cached_runs(data: str) -> tuple[float, float]:
    """Return the seconds of a `mer run` whose folds are all stored: notebooks executed once more, and kept as they are.

    A first run, in a temporary store, fills it.
    """
    with tempfile.TemporaryDirectory() as folder:
        run_once = partial(_mer_run, data, {**os.environ, "MER_STORE": f"{folder}/store"})
        run_once()
        return seconds(partial(run_once, "--fresh")), seconds(run_once)


def _mer_run(data: str, environment: dict[str, str], *options: str) -> None:
    command = [sys.executable, "-c", "from mer_lib.cli import main; main()", "run", "--data", data, *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=20, help="epochs a fold for STSTNet (HTNet: a tenth)")
    parser.add_argument("--data", default=datasets.BEST)
    parser.add_argument("--skip-cached-run", action="store_true")
    options = parser.parse_args()
    console = Console()
    dataset = datasets.load(options.data)
    title = f"Seconds per LOSO epoch, {dataset.label}, {torch.get_num_threads()} threads against {WORKERS} workers"
    table = Table("what", "straightforward loop", "mer_lib", "ratio", title=title)
    table.add_row(*compare("ststnet", options.epochs, dataset))
    table.add_row(*compare("htnet", max(options.epochs // 10, 1), dataset))
    console.print(table)
    console.print(f"loading {dataset.label}: {seconds(lambda: datasets.load(options.data)):.2f} s")
    if not options.skip_cached_run:
        executed, kept = cached_runs(options.data)
        console.print(f"`mer run`, quick profile, all folds stored: {kept:.1f} s; with --fresh: {executed:.1f} s")


if __name__ == "__main__":
    main()
