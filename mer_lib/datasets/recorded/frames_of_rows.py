"""Which rows of an annotation have their frames: missing clips, missing key frames, gaps, damaged images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pandas as pd

from mer_lib.datasets.annotation.table import FRAME_COLUMNS
from mer_lib.datasets.faults import Fault
from mer_lib.datasets.frames.source import FrameSource
from mer_lib.errors import DataError

# Decoding runs outside of Python's lock, and a network disk answers several questions at a time.
_THREADS = 4


class Looked(NamedTuple):
    """What a look at the frames of one clip told.

    Attributes:
        numbers: of its frames; none where they cannot be listed.
        offset: the last frame before the annotated offset, where that has no frame; None where nothing is wrong.
        faults: all of them.
    """

    numbers: np.ndarray
    offset: int | None
    faults: list[Fault]


def look(rows: pd.DataFrame, sources: Mapping[str, FrameSource], thorough: bool = False) -> dict[str, Looked]:
    """Look for the frames of every annotated clip.

    Onset, apex and offset (the first frame where none is annotated) are decoded: a clip that lacks onset or apex, or
    whose key frames are damaged, is excluded. Gaps elsewhere are noted; a clip that breaks off before its offset ends
    with its last frame.

    Args:
        rows: with the columns sample_id, onset, apex and offset.
        sources: frames by sample id.
        thorough: decode every frame; what is wrong with frames that are no key frames is noted.

    Returns:
        By sample id.
    """
    clips = [(row.sample_id, _key_numbers(row)) for row in rows.itertuples()]
    with ThreadPoolExecutor(_THREADS) as pool:
        found = pool.map(lambda clip: _look_at(clip[0], clip[1], sources.get(clip[0]), thorough), clips)
        return {sample_id: looked for (sample_id, _), looked in zip(clips, found, strict=True)}


def _key_numbers(row: object) -> dict[str, int]:
    values = {name: getattr(row, name) for name in FRAME_COLUMNS}
    return {name: int(value) for name, value in values.items() if pd.notna(value)}


def _look_at(sample_id: str, keys: dict[str, int], source: FrameSource | None, thorough: bool) -> Looked:
    if source is None:
        return _nothing(Fault("excludes", "missing clip", "no frames are there", sample_id))
    try:
        numbers = source.numbers()
    except DataError as error:
        return _nothing(Fault("excludes", "missing frames", str(error), sample_id))
    faults, offset = [], _last_frame(keys, numbers)
    if offset is not None:
        message = f"offset {keys['offset']} has no frame: the last one before it is taken, {offset}"
        faults.append(Fault("noted", "missing frames", message, sample_id))
        keys = keys | {"offset": offset}
    wanted = sorted(set(keys.values())) or numbers[:1].tolist()
    faults += [*_missing(sample_id, wanted, numbers), *source.check(sample_id, wanted)]
    if thorough:
        faults += _of_other_frames(sample_id, wanted, numbers, source, faults)
    return Looked(numbers, offset, faults)


def _nothing(fault: Fault) -> Looked:
    return Looked(np.array([], np.int64), None, [fault])


def _last_frame(keys: dict[str, int], numbers: np.ndarray) -> int | None:
    offset, start = keys.get("offset"), keys.get("onset")
    if offset is None or start is None or offset in numbers:
        return None
    before = numbers[(numbers < offset) & (numbers > start) & (numbers >= keys.get("apex", start))]
    return int(before[-1]) if len(before) else None


def _of_other_frames(
    sample_id: str, keys: Sequence[int], numbers: np.ndarray, source: FrameSource, known: Sequence[Fault]
) -> list[Fault]:
    others = sorted(set(numbers.tolist()) - set(keys))
    told = {fault.message for fault in known}
    return [fault._replace(effect="noted") for fault in source.check(sample_id, others) if fault.message not in told]


def _missing(sample_id: str, keys: Sequence[int], numbers: np.ndarray) -> Iterator[Fault]:
    there = set(numbers.tolist())
    lost = sorted(set(keys) - there)
    if lost:
        message = f"key frames are missing: {ranges(lost)} (the clip has {ranges(sorted(there))})"
        yield Fault("excludes", "missing frames", message, sample_id)
    between = range(keys[0], keys[-1] + 1) if len(keys) > 1 else range(int(numbers[0]), int(numbers[-1]) + 1)
    gaps = [number for number in between if number not in there and number not in lost]
    if gaps:
        yield Fault("noted", "missing frames", f"{len(gaps)} frames are missing: {ranges(gaps)}", sample_id)


def ranges(numbers: Sequence[int]) -> str:
    """Return increasing whole numbers as short text.

    >>> ranges([1, 2, 3, 7, 9, 10])
    '1-3, 7, 9-10'
    """
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(f"{low}" if low == high else f"{low}-{high}" for low, high in parts)
