"""See to it that the data somebody asked for are there: synthetic ones are made where they are missing or stale."""

from __future__ import annotations

from collections.abc import Callable

from mer_lib.datasets.presence import BEST, Need, available, best, find
from mer_lib.datasets.synthetic import index
from mer_lib.manifest import Entry
from mer_lib.settings import synthetic_root

FALLBACK = "synthetic_demo"


def ensure(
    name: str,
    jobs: int = 1,
    listener: Callable[[int, int, str], None] | None = None,
    announce: Callable[[str], None] | None = None,
    need: Need = "maps",
) -> None:
    """Make synthetic data if `name` needs them and they are not there, or were made by another version of the code.

    Where "best" is asked for and nothing is there, that is :data:`FALLBACK`. Real data and data that are there and
    fresh are left alone, and so is whatever is damaged: loading it says so.

    Args:
        name: a name of the manifest, or "best".
        jobs: processes side by side.
        listener: told how far the making is, see :func:`mer_lib.datasets.synthetic.making.make`.
        announce: told once what will be made, how large it is and how long it takes.
        need: what "best" has to offer.

    Raises:
        ParameterError: the manifest has no such name.
        DataError, RunError: it cannot be made.
    """
    entry = to_make(name, need)
    if entry is None or entry.profile is None:
        return
    state = "Stale" if _is_there(entry) else "Not there yet"

    def tell(expected: str) -> None:
        if announce:
            announce(f"{state}: {entry.title}. Making {expected}.")

    from mer_lib.datasets.synthetic import making  # the drawing code is loaded by those who draw

    making.make(entry.profile, jobs=jobs, listener=listener, announce=tell)


def to_make(name: str, need: Need = "maps") -> Entry | None:
    """Return the synthetic data that :func:`ensure` would make; None where it would make none.

    Raises:
        ParameterError: the manifest has no such name.
    """
    entry = _wanted(name, need)
    return None if entry.profile is None or index.is_current(synthetic_root(), entry.profile) else entry


def _wanted(name: str, need: Need) -> Entry:
    if name == BEST and best(need=need) is None:
        name = FALLBACK
    return find(name, need=need).entry


def _is_there(entry: Entry) -> bool:
    return any(presence.present for presence in available() if presence.name == entry.name)
