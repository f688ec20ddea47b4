"""Training on features that somebody chose."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from mer_lib import settings
from mer_lib.evaluation.crossval import FoldEvent
from mer_lib.evaluation.store import PredictionStore
from mer_lib.features import report, takes_maps
from mer_lib.papers.choice import Choice, experiment_of
from mer_lib.papers.measure import Measurement, measure, run_experiment
from mer_lib.running.bars import clip_bar, progress_bars
from mer_lib.running.data import load_data


def train_choice(
    choice: Choice, profile: str, data: str | None, seeds: Sequence[int] | None, jobs: int, console: Console
) -> Measurement:
    """Train on chosen features what the store lacks, with progress bars, and return the measurement.

    How the features came about, such as on how many clips no face was found, is said on `console`.

    Args:
        choice: the features, and the data set that they were chosen on.
        profile: ``"smoke"``, ``"quick"`` or ``"paper"``.
        data: another data set than that.
        seeds: the profile's own where None.
        jobs: folds side by side.
        console: where the bars are shown.

    Raises:
        ParameterError, DataError, RunError: nothing can be trained, or something failed.
    """
    name, asked = data or choice.data, experiment_of(choice)
    dataset, store = load_data(name, jobs, console), PredictionStore(settings.store_root())
    with progress_bars(console) as progress:
        looked_at = clip_bar(progress, "computing features")
        bar = progress.add_task(f"computing {choice.name}", total=None)

        def listener(event: FoldEvent, done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total, description=event.task.job_label)

        run_experiment(
            asked, profile, dataset, store, seeds=seeds, n_jobs=jobs, listener=listener, clip_listener=looked_at
        )
    if not takes_maps(choice.features):
        used = report(choice.features, dataset, jobs=jobs)
        console.print(f"{choice.name}: {used}", highlight=False, markup=False, soft_wrap=True)
    return measure(asked, profile, dataset, store, seeds=seeds)
