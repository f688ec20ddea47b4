"""What somebody asked for: ids of published experiments and of others, patterns, or all papers at once."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable, Sequence

from mer_lib.errors import ParameterError
from mer_lib.papers.experiments import experiments
from mer_lib.papers.paper_set import paper_set

PAPERS = "papers"  # stands for all published experiments


def everything() -> list[str]:
    """Return every id: the published experiments in their papers' order, then the laboratory's and the reader's own."""
    published = list(paper_set())
    return published + [name for name in experiments() if name not in published]


def chosen(targets: Sequence[str], only: Sequence[str] = (), besides: Sequence[str] = ()) -> list[str]:
    """Return the ids that are wanted, in the order of :func:`everything`.

    Args:
        targets: ids, patterns such as ``htnet.*``, or "papers"; all there is where empty.
        only: ids or patterns; of those above the ones that match any of these, all where empty.
        besides: ids that may be wanted besides, such as that of a grid which is run for the first time.

    Raises:
        ParameterError: something matches nothing; all such words are named, with suggestions.
    """
    names = list(dict.fromkeys([*everything(), *besides]))
    wanted = _matching(targets, names) if targets else set(names)
    left = wanted & _matching(only, names) if only else wanted
    if not left:
        raise ParameterError(f"--only {', '.join(only)}: expected some of {', '.join(targets)}, none of them matches")
    return [name for name in names if name in left]


def _matching(patterns: Iterable[str], names: Sequence[str]) -> set[str]:
    found, faults = set(), []
    for pattern in patterns:
        hits = list(paper_set()) if pattern == PAPERS else fnmatch.filter(names, pattern)
        found.update(hits)
        if not hits:
            near = difflib.get_close_matches(pattern, [PAPERS, *names], n=1)
            faults.append(f"{pattern!r}" + (f" (did you mean {near[0]!r}?)" if near else ""))
    if faults:
        raise ParameterError(
            f"experiment: expected {PAPERS!r}, ids or patterns among {', '.join(names)}, got {', '.join(faults)}"
        )
    return found
