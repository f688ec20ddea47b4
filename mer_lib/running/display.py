"""What somebody sees of a run: one live display in a terminal, timed lines elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

State = Literal["done", "failed"]
_BAR = 16  # columns: what is said beside it has room where there are 80
_CLIPS_BETWEEN_LINES = 20  # of a log without a terminal


@dataclass
class _Row:
    """Something under way: what it is, in parts of a line, how far it is, and since when."""

    cells: tuple[str, ...]
    since: float
    note: str = ""


class Board:
    """Shows what is under way and how long it will take; may be told from several threads.

    Use it as a context. In a terminal there is one display: a bar for all that is counted with :meth:`count`, and a row
    for everything between :meth:`begin` and :meth:`end`. Elsewhere each of them is a line with the seconds since the
    start in front of it.

    Args:
        console: where it is shown.
        clock: tells seconds.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._clock, self._started = console, clock, clock()
        self._rows: dict[str, _Row] = {}
        self._what, self._done, self._total = "", 0, 0
        self._left: Callable[[], str] = str
        self._lock = threading.RLock()
        self._live = Live(self, console=console, transient=True, refresh_per_second=4)

    def __enter__(self) -> Board:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def say(self, text: str, style: str = "") -> None:
        """Print a line that stays."""
        stamp = "" if self._console.is_terminal else f"[{self._clock() - self._started:7.1f} s] "
        self._console.print(Text(stamp + text, style=style), soft_wrap=True)

    def count(self, what: str, total: int, left: Callable[[], str] = str) -> None:
        """Begin to count `total` of `what`; `left` says what remains, in words, and nothing while it cannot."""
        with self._lock:
            self._what, self._done, self._total, self._left = what, 0, total, left

    def begin(self, key: str, *cells: str) -> None:
        """Show that something is under way."""
        with self._lock:
            self._rows[key] = _Row(cells, self._clock())

    def note(self, key: str, text: str) -> None:
        """Show how far something under way is."""
        with self._lock:
            if key in self._rows:
                self._rows[key].note = text

    def end(self, key: str, state: State = "done", counted: bool = True) -> float:
        """Show that something is done; returns its seconds. What was never begun took none."""
        with self._lock:
            row = self._rows.pop(key, _Row((key,), self._clock()))
            self._done += counted
            seconds = self._clock() - row.since
            if not self._console.is_terminal or state == "failed":
                self.say(self._line(row, state, seconds), "red" if state == "failed" else "")
        return seconds

    def clips(self, done: int, total: int, sample_id: str) -> None:
        """Show how far the features of clips are; of the shape that features tell their progress to."""
        if not self._console.is_terminal and done % _CLIPS_BETWEEN_LINES and done < total:
            return
        text = f"computing features: {done} of {total} clips ({sample_id})"
        if not self._console.is_terminal:
            self.say(text)
        elif done < total:
            self.begin("features", text) if "features" not in self._rows else self._change("features", text)
        else:
            self._rows.pop("features", None)

    def _change(self, key: str, text: str) -> None:
        with self._lock:
            self._rows[key].cells = (text,)

    def _line(self, row: _Row, state: State, seconds: float) -> str:
        place = f" ({self._done} of {self._total}{self._remaining()})" if self._total else ""
        return f"{state:6} {' · '.join(cell for cell in row.cells if cell)}: {seconds:.1f} s{place}"

    def _remaining(self) -> str:
        words = self._left() if self._done < self._total else ""
        return f", {words}" if words else ""

    def __rich__(self) -> RenderableType:
        """Return what is seen now."""
        with self._lock:
            return Group(*([self._overall()] if self._total else []), *self._lines())

    def _overall(self) -> RenderableType:
        line = Table.grid(padding=(0, 1))
        elapsed = duration(self._clock() - self._started)
        words = f"{self._done} of {self._total} {self._what} · {elapsed}{self._remaining()}"
        line.add_row(ProgressBar(total=self._total, completed=self._done, width=_BAR), Text(words, no_wrap=True))
        return line

    def _lines(self) -> Iterator[Text]:
        for row in self._rows.values():
            words = " · ".join(cell for cell in (*row.cells, row.note) if cell)
            seconds = f"{self._clock() - row.since:.0f} s"
            yield Text(f"{seconds:>7}  {words}", no_wrap=True, overflow="ellipsis")


def duration(seconds: float) -> str:
    """Return seconds for people.

    >>> [duration(seconds) for seconds in (0.4, 59, 61, 3599, 7300, 200000)]
    ['0 s', '59 s', '1 min', '60 min', '2 h 2 min', '2 d 8 h']
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes <= 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    hours = round(minutes / 60)
    return f"{hours // 24} d {hours % 24} h"
