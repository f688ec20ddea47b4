"""The cache of features: one self-checking file a clip and recipe, at the address of everything that decides it.

::

    <cache>/features/<recipe>-<digest of the recipe>/<key>.feature

A file holds the SHA-256 of its key and its content, a line of JSON that says how the array came about, and the array as
``numpy.save`` writes it. Several processes may read and write one cache at once. Whatever is missing, cut off, altered
or put in the place of another is computed again, and a folder that cannot be written costs time only.
"""

from __future__ import annotations

import hashlib
import io
import json
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mer_lib import atomic

_LINE = b"\n"


class CacheWarning(UserWarning):
    """Features were computed and could not be kept."""


class Made(NamedTuple):
    """The input that was made of one clip.

    Attributes:
        array: as :func:`mer_lib.features.compute` gives it for one sample; of any type of number.
        facts: how it came about, as JSON holds it; see :class:`mer_lib.features.report.ClipsUsed`.
    """

    array: np.ndarray
    facts: dict[str, Any]


class FeatureCache:
    """Read and write files below a folder."""

    def __init__(self, root: Path) -> None:
        """Take the folder; it need not exist."""
        self.root = Path(root)
        self._warned = False

    def path(self, folder: str, key: str) -> Path:
        """Return the file of one clip.

        Args:
            folder: name for one recipe.
            key: digest of everything that decides the content.
        """
        return self.root / folder / f"{key}.feature"

    def read(self, folder: str, key: str) -> Made | None:
        """Return what is kept, or None where there is nothing that is whole."""
        try:
            return decode(self.path(folder, key).read_bytes(), key)
        except (OSError, ValueError):
            return None

    def write(self, folder: str, key: str, made: Made) -> None:
        """Keep what was made, whole or not at all; the first time this cannot be done, warn."""
        try:
            atomic.write_bytes(self.path(folder, key), encode(made, key))
        except OSError as error:
            if not self._warned:
                warnings.warn(
                    f"{self.root}: features cannot be kept here ({error.strerror or error}), so they are computed "
                    "again each time. Free space, or set MER_CACHE to a folder that can be written",
                    CacheWarning,
                    stacklevel=2,
                )
            self._warned = True

    def sweep(self, folder: str) -> None:
        """Remove what killed processes left behind."""
        atomic.sweep(self.root / folder)


def encode(made: Made, key: str) -> bytes:
    """Return the bytes of the file of a key: the same for the same content."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(made.array), allow_pickle=False)
    content = json.dumps(made.facts, sort_keys=True).encode() + _LINE + buffer.getvalue()
    return _seal(content, key) + _LINE + content


def decode(data: bytes, key: str) -> Made:
    """Return what :func:`encode` was given.

    Raises:
        ValueError: the bytes are not a whole, unaltered file, or that of another key.
    """
    seal, _, content = data.partition(_LINE)
    if _seal(content, key) != seal:
        raise ValueError(f"{len(data)} bytes that do not match their checksum")
    facts, _, array = content.partition(_LINE)
    return Made(np.lib.format.read_array(io.BytesIO(array), allow_pickle=False), json.loads(facts))


def _seal(content: bytes, key: str) -> bytes:
    return hashlib.sha256(key.encode() + _LINE + content).hexdigest().encode()
