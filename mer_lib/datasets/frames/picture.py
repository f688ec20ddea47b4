"""One image file: decoding it, or finding out that this is not possible, whatever the file holds."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from mer_lib.datasets.frames.source import printable
from mer_lib.errors import DataError

MAX_BYTES = 100_000_000
MAX_PIXELS = 50_000_000  # a frame of "8K" video has 33 million
_BLOCK = 1 << 20
_FORMATS = ("JPEG", "PNG", "BMP", "TIFF")  # whatever the ending says; Pillow's others are never tried
_EIGHT_BIT_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"})
_ORIENTATION = 0x0112  # tag of Exif
_TURNED = range(5, 9)  # these orientations exchange width and height


def read_image(path: Path) -> np.ndarray:
    """Decode an image file: uint8 (H, W, 3) RGB, turned upright where the file says how the camera was held.

    Grey becomes three equal channels, palettes become colours, transparency is dropped. Of several pages the first is
    taken.

    Raises:
        DataError: the file is missing, empty, larger than 100 MB, no JPEG, PNG, BMP or TIFF, damaged or cut short, or
            has more than 8 bits a channel (pictures of 10 or 12 bits stored as 16 would come out dark).
    """
    try:
        content = _content(path)
        image = _opened(content)
        return np.array(ImageOps.exif_transpose(image).convert("RGB"))
    except DataError as error:
        raise DataError(f"{printable(path)}: {error}") from None
    except Exception as error:  # a damaged file makes Pillow raise anything, from OSError to struct.error
        raise DataError(f"{printable(path)}: {_damage(error)}") from None


def probe_image(path: Path) -> tuple[int, int]:
    """Return (width, height) of the image that :func:`read_image` would give, faster.

    The file is read to its end, so that one cut short is found, but as coarsely as its format allows.

    Raises:
        DataError: as for :func:`read_image`, without the path.
    """
    content = _content(path)
    try:
        image = _opened(content)
        width, height = image.size
        image.draft(None, (1, 1))  # of a JPEG only an eighth of each side is then computed
        image.load()
        turned = image.getexif().get(_ORIENTATION) in _TURNED
        return (height, width) if turned else (width, height)
    except DataError:
        raise
    except Exception as error:  # as above
        raise DataError(_damage(error)) from None


def size_on_disk(path: Path) -> int:
    """Return the size of a regular file in bytes; its content is not read.

    Raises:
        DataError: there is none, or it is something else (a pipe would be waited for without end).
    """
    try:
        about = path.stat()
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read ({_said(error)})") from None
    if not stat.S_ISREG(about.st_mode):
        raise DataError("is no file")
    return about.st_size


def files_stamp(paths: Iterable[Path]) -> str:
    """Return SHA-256 over names and sizes of files, in their order, as 64 hexadecimal digits; nothing of them is read.

    Raises:
        DataError: one of them is missing or no regular file.
    """
    digest = hashlib.sha256()
    for path in paths:
        try:
            digest.update(os.fsencode(f"{path.name}|{size_on_disk(path)}\n"))
        except DataError as error:
            raise DataError(f"{printable(path)}: {error}") from None
    return digest.hexdigest()


def file_digest(path: Path) -> str:
    """Return SHA-256 over the bytes of a file, as 64 hexadecimal digits; remembered while size and time stay the same.

    Raises:
        DataError: the file is missing, no regular file, or cannot be read.
    """
    try:
        size_on_disk(path)
        about = path.stat()
        return _digest(path, about.st_size, about.st_mtime_ns)
    except DataError as error:
        raise DataError(f"{printable(path)}: {error}") from None
    except OSError as error:
        raise DataError(f"{printable(path)}: cannot be read ({_said(error)})") from None


@lru_cache(maxsize=4096)
def _digest(path: Path, size: int, changed_ns: int) -> str:
    total = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            total.update(block)
    return total.hexdigest()


def image_bytes(path: Path) -> bytes:
    """Return the bytes of an image file, as they are.

    Raises:
        DataError: the file is missing, empty, larger than 100 MB, or cannot be read.
    """
    try:
        return _content(path)
    except DataError as error:
        raise DataError(f"{printable(path)}: {error}") from None


def _content(path: Path) -> bytes:
    size = size_on_disk(path)
    if size == 0:
        raise DataError("is an empty file")
    if size > MAX_BYTES:
        raise DataError(f"expected an image of at most {MAX_BYTES // 10**6} MB, got {size / 10**6:.0f} MB")
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read ({_said(error)})") from None


def _opened(content: bytes) -> ImageFile.ImageFile:
    image = _identified(content)
    if image.format == "PNG":
        _identified(content).verify()  # checksums, which decoding alone passes over
    if image.width * image.height > MAX_PIXELS:
        raise DataError(f"expected at most {MAX_PIXELS // 10**6} million pixels, got {image.width}x{image.height}")
    if image.mode not in _EIGHT_BIT_MODES or _has_wide_channels(image):
        raise DataError("expected 8 bits a channel, got more: save it with 8")
    return image


def _identified(content: bytes) -> ImageFile.ImageFile:
    try:
        return Image.open(io.BytesIO(content), formats=_FORMATS)
    except UnidentifiedImageError:  # its own message names a buffer in memory
        raise DataError("no JPEG, PNG, BMP or TIFF image, or one cut short") from None


def _has_wide_channels(image: ImageFile.ImageFile) -> bool:
    # Pillow cuts colours of 16 bits down without a word; only how they are stored still tells.
    return any(";16" in str(tile[3]) for tile in image.tile)


def _damage(error: Exception) -> str:
    return f"a damaged image ({_said(error)})"


def _said(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0]
