"""The one hierarchy of errors. Each message says what was expected, what came, and what to do."""

from __future__ import annotations

from collections.abc import Iterable


class MerError(Exception):
    """Base of every error that mer_lib raises on purpose.

    The command line prints such an error as one line without a traceback (``--debug`` shows it).
    """


class ManifestError(MerError):
    """`data_manifest.yaml` is missing or does not follow its schema."""


class DataError(MerError):
    """Data on the disk are absent or are not what the manifest says."""


class ParameterError(MerError, ValueError):
    """A parameter of a notebook, an experiment, a model or a function is unknown or out of range."""


class LeakageError(MerError):
    """Something that is tested on would have been learned from."""


class StoreError(MerError):
    """The prediction store cannot be read or written as it should."""


class RunError(MerError):
    """Something failed while experiments or notebooks ran; the message names each failure."""


def fault_list(faults: Iterable[str], limit: int = 20) -> str:
    """Format many faults as one indented list, so that a user sees all of them at once.

    >>> print(fault_list(["a is missing", "b is empty"]))
      - a is missing
      - b is empty
    """
    faults = list(faults)
    lines = [f"  - {fault}" for fault in faults[:limit]]
    if len(faults) > limit:
        lines.append(f"  … and {len(faults) - limit} more")
    return "\n".join(lines)


def last_line(text: str) -> str:
    """Return the last line of a traceback: what went wrong, without where.

    >>> last_line("Traceback\\n  File ...\\nDataError: no frames\\n")
    'DataError: no frames'
    """
    return text.strip().rpartition("\n")[2]
