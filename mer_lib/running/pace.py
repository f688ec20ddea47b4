"""How long the folds that are left will take, from the folds that are behind."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from mer_lib.evaluation.crossval import FoldTask
from mer_lib.evaluation.store import PredictionStore


class Pace:
    """Seconds of folds: those of this run, and those that the store remembers of the same variants.

    Args:
        tasks: what has to be computed.
        store: its events tell how long folds of the same address took.
        workers: folds side by side.
    """

    def __init__(self, tasks: Iterable[FoldTask], store: PredictionStore, workers: int) -> None:
        tasks = list(tasks)
        self._left = Counter(task.address for task in tasks)
        self._model = {task.address: task.variant.model.name for task in tasks}
        self._seconds = {address: seconds_of(address, store) for address in self._left}
        self._workers = max(workers, 1)

    def finished(self, task: FoldTask, seconds: float) -> None:
        """Take note of a fold that is done, or has failed."""
        self._left[task.address] -= 1
        self._seconds.setdefault(task.address, []).append(seconds)

    @property
    def seconds_left(self) -> float | None:
        """Estimate for all folds that are left, in seconds of the clock; None while nothing is known of any.

        A variant of which no fold is known is taken for the mean of those with the same method, else of all.
        """
        if not any(self._seconds.values()):
            return None
        by_model: dict[str, list[float]] = defaultdict(list)
        for address, seconds in self._seconds.items():
            by_model[self._model[address]] += seconds
        every = [value for seconds in self._seconds.values() for value in seconds]
        known = {a: self._seconds[a] or by_model[self._model[a]] or every for a in self._left}
        return sum(count * _mean(known[address]) for address, count in self._left.items()) / self._workers


def seconds_of(address: str, store: PredictionStore, device: str | None = None) -> list[float]:
    """Return how long each stored fold of an address took, on one kind of device ("cpu", "cuda") or on any."""
    events = store.events(address)
    return [event["seconds"] for event in events if "seconds" in event and device in (None, event.get("device"))]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
