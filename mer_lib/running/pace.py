"""How long the folds that are left will take, from the folds that are behind."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from mer_lib.evaluation.crossval import FoldTask
from mer_lib.evaluation.store import PredictionStore
from mer_lib.running.display import duration


class Pace:
    """Seconds of folds: those of this run, and those that the store remembers of the same variants.

    Args:
        tasks: what has to be computed.
        store: its events tell how long folds of the same address took.
        workers: tells how many folds are computed side by side.
        device: kind of device whose remembered folds count ("cpu", "cuda"); any where None.
    """

    def __init__(
        self, tasks: Iterable[FoldTask], store: PredictionStore, workers: Callable[[], int], device: str | None = None
    ) -> None:
        tasks = list(tasks)
        self._left = Counter(task.address for task in tasks)
        self._model = {task.address: task.variant.model.name for task in tasks}
        self._seconds = {address: seconds_of(address, store, device) for address in self._left}
        self._workers = workers

    def finished(self, task: FoldTask, seconds: float | None) -> None:
        """Take note of a fold that is done; one that has failed took no time that tells anything."""
        self._left[task.address] -= 1
        if seconds is not None:
            self._seconds[task.address].append(seconds)

    @property
    def left(self) -> tuple[float, int]:
        """Seconds of the clock that are left, and how many folds they leave out, because nobody knows their method.

        A variant of which no fold is known is taken for the mean of those with the same method. Methods differ a
        hundredfold, so one of which no fold is known is not guessed at.
        """
        by_model: dict[str, list[float]] = defaultdict(list)
        for address, seconds in self._seconds.items():
            by_model[self._model[address]] += seconds
        known = {address: self._seconds[address] or by_model[self._model[address]] for address in self._left}
        timed = sum(count * _mean(known[address]) for address, count in self._left.items() if known[address])
        return timed / self._workers(), sum(count for address, count in self._left.items() if not known[address])

    @property
    def words(self) -> str:
        """What is left, to stand after a count of folds; empty while nothing is known."""
        seconds, untimed = self.left
        if not untimed:
            return f"about {duration(seconds)} left"
        return f"{duration(seconds)} + {untimed} untimed left" if any(self._seconds.values()) else ""


def seconds_of(address: str, store: PredictionStore, device: str | None = None) -> list[float]:
    """Return how long each stored fold of an address took, on one kind of device ("cpu", "cuda") or on any."""
    events = store.events(address)
    return [event["seconds"] for event in events if "seconds" in event and device in (None, event.get("device"))]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
