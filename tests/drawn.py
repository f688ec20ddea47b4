"""Small synthetic data sets: a few clips of drawn people, made in seconds."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from mer_lib.datasets import ClipDataset
from mer_lib.datasets.synthetic import databases, index, making
from mer_lib.datasets.synthetic.databases import ClipEntry
from mer_lib.datasets.synthetic.opening import open_clips
from mer_lib.manifest import load_manifest

PROFILE = "smoke"


def short(entry: ClipEntry, fps: float = 60.0, size: int = 192) -> ClipEntry:
    """The same clip with fewer and smaller frames; detectors still find the face."""
    recording = dataclasses.replace(entry.recording, fps=fps, size=size, before_s=(0.05, 0.08), after_s=(0.05, 0.08))
    return dataclasses.replace(entry, recording=recording)


def entries(count: int = 2, **changes: float) -> list[ClipEntry]:
    """The first clips of the smallest profile, shortened."""
    return [short(entry, **changes) for entry in databases.clips(PROFILE)[:count]]


def clips_of(root: Path, chosen: Sequence[ClipEntry]) -> ClipDataset:
    """Make the clips below `root` and open them."""
    index.write(root, PROFILE, making.make_entries(tuple(chosen), root))
    return open_clips(load_manifest().entry("synthetic_smoke"), root)
