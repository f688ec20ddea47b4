"""Progress bars of work that is no fold: making clips, computing maps and features."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from mer_lib.features.report import Listener as ClipListener

# Of every progress bar.
_COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
    TextColumn("left"),
    TimeRemainingColumn(),
)


def progress_bars(console: Console) -> Progress:
    """Return bars that vanish when they are done, and that are no bars where `console` is no terminal."""
    return Progress(*_COLUMNS, console=console, transient=True, disable=not console.is_terminal)


def clip_bar(progress: Progress, text: str) -> ClipListener:
    """Return a listener whose bar is seen once a first clip had to be made."""
    bar = progress.add_task(text, total=None, visible=False)

    def listener(done: int, total: int, sample_id: str) -> None:
        progress.update(bar, completed=done, total=total, visible=done < total)

    return listener


@contextmanager
def making_progress(console: Console) -> Iterator[tuple[Callable[[int, int, str], None], Callable[[str], None]]]:
    """Yield what :func:`mer_lib.datasets.synthetic.making.make` tells its progress to; a bar shows it."""
    with progress_bars(console) as progress:
        bar = progress.add_task("making clips", total=None, visible=False)

        def announce(text: str) -> None:
            console.print(text, highlight=False, soft_wrap=True)
            progress.update(bar, visible=True)

        def listener(done: int, total: int, name: str) -> None:
            progress.update(bar, completed=done, total=total, description=f"making {name}")

        yield listener, announce
