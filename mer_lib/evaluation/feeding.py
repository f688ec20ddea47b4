"""What the folds of a run are fed: made once before the first fold, and held while there is room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from mer_lib.evaluation.folds import Inputs
from mer_lib.evaluation.jobs import Job
from mer_lib.features import compute
from mer_lib.features.report import Listener

#: Inputs are held up to this many bytes together; those that were not used for longest are read anew when needed.
HELD_BYTES = 2**30


class Feeding:
    """The inputs of some jobs, by a key; jobs with equal data and features share them.

    Args:
        jobs: whose inputs.
        n_jobs: processes that make features.
        listener: told after every clip that was looked at.
    """

    def __init__(self, jobs: Iterable[Job], n_jobs: int = 1, listener: Listener | None = None) -> None:
        self._jobs: dict[str, Job] = {}
        for job in jobs:
            self._jobs.setdefault(key_of(job), job)
        self._n_jobs, self._listener = n_jobs, listener
        self._held: OrderedDict[str, Inputs] = OrderedDict()

    @property
    def keys(self) -> list[str]:
        """The keys, in the order of the jobs."""
        return list(self._jobs)

    def inputs(self, key: str) -> Inputs:
        """Return the inputs of one key; what is made of clips is kept in the features' cache, too.

        Raises:
            DataError, RunError: see :func:`mer_lib.features.compute`.
        """
        if key not in self._held:
            self._held[key] = inputs_of(self._jobs[key], self._n_jobs, self._listener)
        self._held.move_to_end(key)
        while len(self._held) > 1 and sum(each.X.nbytes for each in self._held.values()) > HELD_BYTES:
            self._held.popitem(last=False)
        return self._held[key]


def inputs_of(job: Job, n_jobs: int = 1, listener: Listener | None = None) -> Inputs:
    """Return what a job's method is fed: all samples that have a class, in the order of their ids.

    Raises:
        DataError, RunError: see :func:`mer_lib.features.compute`.
    """
    seen = job.labelled
    ids = sorted(seen.samples["sample_id"])
    X = compute(job.variant.features, seen.dataset, ids, jobs=n_jobs, listener=listener)
    return Inputs(ids, X, seen.labels(ids), seen.classes)


def key_of(job: Job) -> str:
    """Return the name of a job's inputs: equal for equal data and features."""
    return f"{job.data_digest} {job.variant.features.model_dump_json()}"
