"""Making the inputs of many clips: what is kept is read, the rest is made side by side and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.frames.source import FrameSource
from mer_lib.errors import DataError, MerError, ParameterError, RunError, fault_list
from mer_lib.features.address import flow_of, folder_of, key_of
from mer_lib.features.builders import make
from mer_lib.features.cache import FeatureCache, Made
from mer_lib.features.clip import Annotation, annotation_of
from mer_lib.features.report import Listener
from mer_lib.motion.batch import one_thread
from mer_lib.orphans import delayed
from mer_lib.settings import cache_root


class _Task(NamedTuple):
    """One clip whose input has to be made."""

    sample_id: str
    source: FrameSource
    annotation: Annotation
    key: str


def make_all(
    recipe: Any,
    clips: ClipDataset,
    sample_ids: Sequence[str],
    take: Callable[[str, Made], None],
    *,
    jobs: int = 1,
    listener: Listener | None = None,
    cache: bool = True,
) -> None:
    """Make the inputs of clips and hand each over, so that they need not all be held at once.

    Args:
        recipe: one that looks at clips.
        clips: holds them.
        sample_ids: which; each is made once.
        take: called with the id and the input of each clip, in any order.
        jobs: processes.
        listener: told after each clip that was made.
        cache: whether to read and write :func:`mer_lib.settings.cache_root`.

    Raises:
        DataError: naming every clip of which nothing can be made; the others are made and kept.
        ParameterError: `jobs` is below 1.
        RunError: a process was killed.
    """
    if jobs < 1:
        raise ParameterError(f"jobs: expected at least 1 process, got {jobs}")
    store = FeatureCache(cache_root() / "features") if cache else None
    tasks = _tasks(recipe, clips, sample_ids)
    missing = [task for task in tasks if not _taken(store, recipe, task, take)]
    if store and missing:
        store.sweep(folder_of(recipe))
    faults = {}
    for done, (task, outcome) in enumerate(_outcomes(recipe, missing, jobs), start=1):
        if isinstance(outcome, str):
            faults[task.sample_id] = outcome
        else:
            take(task.sample_id, outcome)
            if store:
                store.write(folder_of(recipe), task.key, outcome)
        if listener:
            listener(done, len(missing), task.sample_id)
    _refuse(faults, "{} of {} clips cannot be made into " + recipe.recipe, len(tasks))


def _taken(store: FeatureCache | None, recipe: Any, task: _Task, take: Callable[[str, Made], None]) -> bool:
    """Hand over what is kept of a clip; False where there is nothing."""
    kept = store.read(folder_of(recipe), task.key) if store else None
    if kept:
        take(task.sample_id, kept)
    return kept is not None


def keys_of(recipe: Any, clips: ClipDataset, sample_ids: Sequence[str]) -> dict[str, str]:
    """Return the key of every clip's input by its id; nothing is made.

    Raises:
        DataError: naming every clip whose frames cannot be read.
    """
    return {task.sample_id: task.key for task in _tasks(recipe, clips, sample_ids)}


def _tasks(recipe: Any, clips: ClipDataset, sample_ids: Sequence[str]) -> list[_Task]:
    tasks, faults = [], {}
    for sample_id in dict.fromkeys(sample_ids):
        try:
            annotation = annotation_of(clips, sample_id)
            source = clips.sources[sample_id]
            tasks.append(_Task(sample_id, source, annotation, key_of(recipe, source, annotation)))
        except DataError as error:
            faults[sample_id] = str(error)
    _refuse(faults, "{} of {} clips cannot be read", len(set(sample_ids)))
    return tasks


def _outcomes(recipe: Any, tasks: Sequence[_Task], jobs: int) -> Iterator[tuple[_Task, Made | str]]:
    """Yield what was made of each clip, or what is wrong with it, in the order in which they are finished."""
    if not tasks:
        return
    calls = (delayed(_outcome)(recipe, number, task) for number, task in enumerate(tasks))
    workers = joblib.Parallel(n_jobs=min(jobs, len(tasks)), return_as="generator_unordered")
    try:
        for number, outcome in workers(calls):
            yield tasks[number], outcome
    except TerminatedWorkerError as error:
        raise RunError(
            "a process was killed, probably because memory ran out; what was made is kept. Use fewer jobs to go on."
        ) from error


def _outcome(recipe: Any, number: int, task: _Task) -> tuple[int, Made | str]:
    try:
        with one_thread(flow_of(recipe)):
            return number, make(recipe, task.sample_id, task.source, task.annotation)
    except MerError as error:
        return number, str(error)


def _refuse(faults: Mapping[str, str], what: str, total: int) -> None:
    if not faults:
        return
    told = [text if text.startswith(name) else f"{name}: {text}" for name, text in sorted(faults.items())]
    raise DataError(f"{what.format(len(faults), total)}:\n{fault_list(told)}")
