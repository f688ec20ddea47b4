"""Frames of a clip that lie in a folder, one image a frame, numbered by the last digits of their names.

::

    img46.jpg   006_05562.jpg   reg_image0001234.bmp   112.jpg      frames 46, 5562, 1234 and 112

Padding differs within the published data sets, so names are never made from numbers: the folder is listed once, and
the listing says which file is which frame.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mer_lib.datasets.annotation.cells import trailing_number
from mer_lib.datasets.faults import Effect, Fault, Kind
from mer_lib.datasets.frames.picture import files_stamp, image_bytes, probe_image, read_image
from mer_lib.datasets.frames.source import (
    checked_indices,
    checked_range,
    digest_of,
    listed,
    printable,
    stacked,
    uniform,
)
from mer_lib.datasets.reading import is_litter
from mer_lib.errors import DataError

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff")


class _Listing(NamedTuple):
    """File name of each frame by its number, in increasing order, and what was left out and why."""

    names: dict[int, str]
    left_out: list[str]


class ImageFolder:
    """A folder of images as the frames of one clip; see :class:`mer_lib.datasets.frames.source.FrameSource`.

    Nothing is read before the first question; the folder is listed once for each object.
    """

    def __init__(self, folder: Path, first: int | None = None, last: int | None = None) -> None:
        """Take the images of `folder` whose numbers lie from `first` to `last`, both included; None: no bound."""
        self.folder = folder
        self.first = first
        self.last = last

    def __repr__(self) -> str:
        return f"<ImageFolder {self.place}>"

    @property
    def place(self) -> str:
        """The folder."""
        return printable(self.folder)

    @property
    def fps(self) -> float | None:
        """None: images do not say it."""
        return None

    def numbers(self) -> np.ndarray:
        """Return the number of each frame: int64 (T,), increasing.

        Raises:
            DataError: the folder is missing, cannot be read, or holds no numbered image.
        """
        return np.array(list(self._names()), dtype=np.int64)

    def read(self, indices: Sequence[int] | None = None) -> np.ndarray:
        """Read frames.

        Args:
            indices: from 0, in any order, repeats allowed; all frames where None.

        Returns:
            uint8 (T, H, W, 3) RGB; a grey image has three equal channels.

        Raises:
            DataError: the folder holds no frame, an index lies outside, an image is unreadable or not of 8 bits a
                channel, or sizes differ.
        """
        chosen = checked_indices(indices, len(self._names()), self.place)
        if not chosen:
            return np.empty((0, *self.read([0]).shape[1:]), np.uint8)
        return stacked(self._frames(chosen), len(chosen), self.place)

    def stream(self, start: int = 0, stop: int | None = None, step: int = 1) -> Iterator[np.ndarray]:
        """Yield the frames of range(start, stop, step) one by one, each uint8 (H, W, 3) RGB.

        Raises:
            ParameterError: `step` is below 1.
            DataError: as for :meth:`read`; of a damaged frame when its turn comes.
        """
        return self._frames(checked_range(start, stop, step, len(self._names()), self.place))

    def check(self, sample_id: str, numbers: Sequence[int] | None = None) -> list[Fault]:
        """Decode images and return what is wrong with them; gaps in the numbers are not looked for.

        Args:
            sample_id: of the clip, for the faults.
            numbers: frames to decode; all where None. Numbers without an image are passed over.

        Returns:
            At most one fault for what was left out ("noted"), for unreadable images and for odd sizes (both
            "excludes": the clip cannot be read as one array). The size of most images counts as the right one.
        """
        try:
            names = self._names()
        except DataError as error:
            return [Fault("excludes", "missing frames", str(error), sample_id)]
        wanted = names.keys() if numbers is None else names.keys() & set(numbers)
        files = [name for number, name in names.items() if number in wanted]
        sizes, wrong = _probed(self.folder, files)
        left_out = self._listing.left_out
        told: list[tuple[Effect, Kind, str]] = [
            ("noted", "file", f"{len(left_out)} left out: {listed(left_out)}" if left_out else ""),
            (
                "excludes",
                "unreadable image",
                f"{len(wrong)} of {len(files)} images cannot be read: {listed(wrong, '; ')}" if wrong else "",
            ),
            ("excludes", "odd size", _odd_sizes(sizes)),
        ]
        return [Fault(effect, kind, f"{self.place}: {text}", sample_id) for effect, kind, text in told if text]

    def stamp(self) -> str:
        """Return SHA-256 over names and sizes of the images, as 64 hexadecimal digits; no image is decoded.

        Raises:
            DataError: the folder is missing, cannot be read, or holds no numbered image.
        """
        return files_stamp(self.folder / name for name in self._names().values())

    def content(self, indices: Sequence[int] | None = None) -> str:
        """Return SHA-256 over the files of frames, in their order, as 64 hexadecimal digits; none is decoded.

        Raises:
            DataError: the folder holds no frame, an image is missing, empty or unreadable, or an index lies outside.
        """
        names = list(self._names().values())
        chosen = checked_indices(indices, len(names), self.place)
        return digest_of(image_bytes(self.folder / names[index]) for index in chosen)

    @cached_property
    def _listing(self) -> _Listing:
        return _listed(self.folder, self.first, self.last)

    def _names(self) -> dict[int, str]:
        names, left_out = self._listing
        if not names:
            others = f" {len(left_out)} left out: {listed(left_out)}" if left_out else ""
            raise DataError(f"{self.place}: expected images named as img1.jpg{self._bounds()}, got none.{others}")
        return names

    def _bounds(self) -> str:
        low = "" if self.first is None else f" from number {self.first}"
        high = "" if self.last is None else f" to number {self.last}"
        return f"{low}{high}"

    def _frames(self, indices: Sequence[int]) -> Iterator[np.ndarray]:
        names = list(self._names().values())
        paths = (self.folder / names[index] for index in indices)
        return uniform((printable(path), read_image(path)) for path in paths)


# -- listing ----------------------------------------------------------------------------------------------------------


def _listed(folder: Path, first: int | None, last: int | None) -> _Listing:
    names: dict[int, str] = {}
    left_out: list[str] = []
    for entry in _images_in(folder):
        number = trailing_number(Path(entry.name).stem)
        if number is not None and ((first is not None and number < first) or (last is not None and number > last)):
            continue
        if reason := _reason_against(entry, number, names):
            left_out.append(f"{printable(entry.name)} ({reason})")
        elif number is not None:
            names[number] = entry.name
    return _Listing(dict(sorted(names.items())), left_out)


def _images_in(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if _is_image_name(entry.name)]
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise DataError(f"{printable(folder)}: expected a folder of images, got: {said}") from None
    return sorted(found, key=lambda entry: entry.name)


def _is_image_name(name: str) -> bool:
    return name.lower().endswith(IMAGE_ENDINGS) and not is_litter(name)


def _reason_against(entry: os.DirEntry[str], number: int | None, names: dict[int, str]) -> str:
    if number is None:
        return "its name ends with no number"
    if number in names:
        return f"has the same number as {printable(names[number])}"
    return "" if _is_regular(entry) else "no file, or a link to none"


def _is_regular(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link that goes in a circle
        return False


def _probed(folder: Path, names: Sequence[str]) -> tuple[dict[str, tuple[int, int]], list[str]]:
    """Decode images; return (width, height) of those that are readable by name, and what is wrong with the others."""
    sizes: dict[str, tuple[int, int]] = {}
    wrong: list[str] = []
    for name in names:
        try:
            sizes[name] = probe_image(folder / name)
        except DataError as error:
            wrong.append(f"{printable(name)}: {error}")
    return sizes, wrong


def _odd_sizes(sizes: Mapping[str, tuple[int, int]]) -> str:
    if len(set(sizes.values())) < 2:
        return ""
    usual = Counter(sizes.values()).most_common(1)[0][0]
    odd = [
        f"{printable(name)} is {width}x{height}" for name, (width, height) in sizes.items() if (width, height) != usual
    ]
    return f"images are {usual[0]}x{usual[1]}, but {listed(odd)}"
