"""Frames of another size than the data set was recorded in: a copy that somebody scaled or cropped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from mer_lib.datasets.faults import Fault
from mer_lib.datasets.frames.source import FrameSource, listed
from mer_lib.errors import DataError

_SHOWN = 3


def size_faults(sources: Mapping[str, FrameSource], expected: tuple[int, int]) -> Iterator[Fault]:
    """Compare the first frame of every clip with the size of the data set; one "noted" fault a size.

    Args:
        sources: frames by sample id; those that cannot be read are passed over, being told elsewhere.
        expected: width and height in pixels.
    """
    found: dict[tuple[int, int], list[str]] = defaultdict(list)
    for name, source in sources.items():
        try:
            height, width = source.read([0]).shape[1:3]
        except DataError:
            continue
        found[width, height].append(name)
    for (width, height), names in sorted(found.items()):
        if (width, height) != expected:
            message = (
                f"{len(names)} of {len(sources)} clips have {width}x{height} pixels, expected "
                f"{expected[0]}x{expected[1]}: {listed(names, most=_SHOWN)}"
            )
            yield Fault("noted", "odd size", message)
