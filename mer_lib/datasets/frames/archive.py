"""Frames of a synthetic clip, which lie in one archive; see :mod:`mer_lib.datasets.synthetic.storage`."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from mer_lib.datasets.faults import Fault
from mer_lib.datasets.frames.source import checked_indices, checked_range, digest_of, printable
from mer_lib.datasets.synthetic.storage import frame_numbers, read_frames
from mer_lib.errors import DataError

_BLOCK = 16  # frames that are in memory together while a clip is streamed


class FrameArchive:
    """An archive as the frames of one clip; see :class:`mer_lib.datasets.frames.source.FrameSource`.

    Nothing is read before the first question.
    """

    def __init__(self, path: Path, sha256: str) -> None:
        """Take the archive at `path`, whose content has this digest according to the list of its data set."""
        self.path = path
        self.sha256 = sha256

    def __repr__(self) -> str:
        return f"<FrameArchive {self.place}>"

    @property
    def place(self) -> str:
        """The file."""
        return printable(self.path)

    @property
    def fps(self) -> float | None:
        """None: the list of the data set says it, not the archive."""
        return None

    def numbers(self) -> np.ndarray:
        """Return the number of each frame: int64 (T,), increasing.

        Raises:
            DataError: the file is missing or is no archive of frames.
        """
        return np.array(frame_numbers(self.path), dtype=np.int64)

    def read(self, indices: Sequence[int] | None = None) -> np.ndarray:
        """Read frames.

        Args:
            indices: from 0, in any order, repeats allowed; all frames where None.

        Returns:
            uint8 (T, H, W, 3) RGB; where the camera was grey, three equal channels.

        Raises:
            DataError: the file is missing or damaged, or an index lies outside.
        """
        if indices is not None:
            indices = checked_indices(indices, len(self.numbers()), self.place)
        frames = read_frames(self.path, indices)
        return frames if frames.ndim == 4 else np.repeat(frames[..., None], 3, axis=-1)

    def stream(self, start: int = 0, stop: int | None = None, step: int = 1) -> Iterator[np.ndarray]:
        """Yield the frames of range(start, stop, step) one by one, each uint8 (H, W, 3) RGB.

        Raises:
            ParameterError: `step` is below 1.
            DataError: as for :meth:`read`; of a damaged frame when its turn comes.
        """
        wanted = checked_range(start, stop, step, len(self.numbers()), self.place)
        blocks = (self.read(wanted[at : at + _BLOCK]) for at in range(0, len(wanted), _BLOCK))
        return (frame for block in blocks for frame in block)

    def check(self, sample_id: str, numbers: Sequence[int] | None = None) -> list[Fault]:
        """Decode frames and return what is wrong with them: at most one fault, which excludes the clip.

        Args:
            sample_id: of the clip, for the fault.
            numbers: frames to decode; all where None. Numbers without a frame are passed over.
        """
        try:
            present = self.numbers().tolist()
            wanted = [at for at, number in enumerate(present) if numbers is None or number in set(numbers)]
            for at in range(0, len(wanted), _BLOCK):
                self.read(wanted[at : at + _BLOCK])
        except DataError as error:
            return [Fault("excludes", "unreadable image", str(error), sample_id)]
        return []

    def stamp(self) -> str:
        """Return the digest of the archive as 64 hexadecimal digits, as the list of the data set has it."""
        return self.sha256

    def content(self, indices: Sequence[int] | None = None) -> str:
        """Return SHA-256 over the stored images of frames, as 64 hexadecimal digits; none is decoded.

        Raises:
            DataError: the file is missing or damaged, or an index lies outside.
        """
        numbers = self.numbers()
        chosen = checked_indices(indices, len(numbers), self.place)
        try:
            with zipfile.ZipFile(self.path) as archive:
                return digest_of(archive.read(name) for name in _members(archive, numbers[chosen]))
        # RuntimeError: a damaged entry asks for a compression or a password that there is not.
        except (OSError, KeyError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
            raise DataError(f"{self.place} is damaged ({error}): see `mer data check`") from None


def _members(archive: zipfile.ZipFile, numbers: Iterable[int]) -> list[str]:
    """Return the name of the image of each frame number."""
    by_stem = {Path(name).stem: name for name in archive.namelist()}
    return [by_stem[f"img{number}"] for number in numbers]
