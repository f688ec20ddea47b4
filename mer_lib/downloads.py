"""Files that others publish: found in torch's cache, fetched where they are not there, and told by their SHA-256."""

from __future__ import annotations

import hashlib
import os
import urllib.request
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mer_lib import atomic

_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Published:
    """A file that does not change any more.

    Attributes:
        url: where it is published.
        sha256: its SHA-256 as hexadecimal digits, or the first 8 of them where no more is known.
    """

    url: str
    sha256: str

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.url.rpartition("/")[2]

    @property
    def cached(self) -> Path:
        """Where torch's hub keeps it: ``hub/checkpoints`` below ``TORCH_HOME``, else below the user's cache."""
        home = os.environ.get("TORCH_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "torch"
        return Path(home).expanduser() / "hub" / "checkpoints" / self.name

    def is_whole(self, file: Path) -> bool:
        """Whether `file` is there and holds the published bytes; it is read again only where it changed."""
        if not file.is_file():
            return False
        stamp = file.stat()
        return _sha256(file, stamp.st_size, stamp.st_mtime_ns).startswith(self.sha256)

    def fetch(self, file: Path | None = None) -> Path:
        """Fetch it to `file` (where torch keeps it, if not told otherwise), whole or not at all, and return that.

        Raises:
            OSError: there is no network, the disk cannot be written, or what came is not that file.
        """
        file = file or self.cached
        with urllib.request.urlopen(self.url, timeout=_TIMEOUT_S) as answer:
            content = answer.read()
        if not hashlib.sha256(content).hexdigest().startswith(self.sha256):
            raise OSError(f"what came ({len(content)} bytes) is not the file with SHA-256 {self.sha256}")
        atomic.write_bytes(file, content)
        return file


@lru_cache(maxsize=64)
def _sha256(file: Path, size: int, changed_ns: int) -> str:
    """Return the SHA-256 of a file; size and time are there so that a changed file is read again."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
