"""The published flow map as a format: 28x28 pixels, three 8-bit channels, one face in a fixed place."""

from __future__ import annotations

from io import BytesIO
from types import MappingProxyType

import numpy as np
from PIL import Image

from mer_lib.errors import DataError

MAP_SIZE = 28
CHANNELS: tuple[str, ...] = ("u", "v", "strain")
MAP_SHAPE: tuple[int, int, int] = (MAP_SIZE, MAP_SIZE, len(CHANNELS))

#: Where the parts of the face lie on a map, (x, y) in pixels: the points that HTNet's authors fall back on
#: where their detector finds no face. Left and right are those of the image. Source: their training
#: script; the nose, which no crop uses, is left out.
CONSTANT_POINTS = MappingProxyType(
    {
        "left eye": (9.528073, 11.062551),
        "right eye": (21.396168, 10.919773),
        "left lip": (10.255435, 22.121233),
        "right lip": (20.583706, 22.25584),
    }
)

# Byte 24 of a PNG file, in its header chunk, is the bit depth; Pillow would cut 16 bits to 8 in silence.
_DEPTH_AT = 24


def decode_map(content: bytes) -> np.ndarray:
    """Decode the PNG file of a flow map.

    Args:
        content: the file, with red = u, green = v, blue = strain (OpenCV, which reads blue first, hands
            out strain, v, u).

    Returns:
        uint8 (28, 28, 3): rows, columns, then channels u, v, strain.

    Raises:
        DataError: the bytes are no PNG, are damaged, or are no 28x28 image with three 8-bit channels.
    """
    try:
        with Image.open(BytesIO(content), formats=["PNG"]) as image:
            # Compares the checksums, which decoding alone does not.
            image.verify()
        with Image.open(BytesIO(content), formats=["PNG"]) as image:
            pixels = np.array(image)
            mode = image.mode
    # Pillow answers damage with any of these, depending on where it lies.
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
        raise DataError("is not a readable PNG image, or is damaged") from None
    depth = content[_DEPTH_AT]
    if mode != "RGB" or depth != 8 or pixels.shape != MAP_SHAPE:
        expected = f"{MAP_SIZE}x{MAP_SIZE} pixels in RGB of 8 bits"
        raise DataError(f"expected {expected}, got {image.width}x{image.height} in {mode} of {depth} bits")
    return pixels
