"""Keep a training's state on the disk, so that a stopped fit goes on where it was."""

from __future__ import annotations

import hashlib
import io
import time
import warnings
from pathlib import Path
from typing import Any

import torch

from mer_lib import atomic

_DIGEST_SIZE = hashlib.sha256().digest_size


class Checkpoint:
    """One file that holds a training's state, written whole at most every `every_s` seconds.

    How often it is written does not change the result: the state holds the network, the optimiser, the random
    generators and all that was recorded, so that a resumed fit ends with the bytes of an undisturbed one.

    Args:
        path: the file. Its folder is created where missing.
        key: what the state belongs to (parameters and data of the fit). A file with another key is ignored.
        every_s: least number of seconds between two writes; 0 writes after every epoch.
    """

    def __init__(self, path: Path, key: str, every_s: float = 60.0) -> None:
        self.path, self.key, self.every_s = path, key, every_s
        self._last = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """Return the stored state, or None where there is none of this key; a damaged file is named."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        digest, data = content[:_DIGEST_SIZE], content[_DIGEST_SIZE:]
        if hashlib.sha256(data).digest() != digest:
            warnings.warn(f"{self.path}: damaged checkpoint ignored, training starts anew", stacklevel=2)
            return None
        stored = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        return stored["state"] if stored["key"] == self.key else None

    def due(self) -> bool:
        """Say whether `every_s` seconds have passed since the last write."""
        return time.monotonic() - self._last >= self.every_s

    def save(self, state: dict[str, Any]) -> None:
        """Write `state` (tensors, numbers, strings, lists, dicts) atomically; a failing write is named, not raised."""
        buffer = io.BytesIO()
        torch.save({"key": self.key, "state": state}, buffer)
        data = buffer.getvalue()
        try:
            atomic.write_bytes(self.path, hashlib.sha256(data).digest() + data)
        except OSError as error:  # the training itself can go on
            warnings.warn(f"{self.path}: checkpoint not written ({error.strerror}); training goes on", stacklevel=2)
        self._last = time.monotonic()

    def remove(self) -> None:
        """Delete the file: the fit is complete."""
        self.path.unlink(missing_ok=True)
