"""What a camera makes of a clean picture: light, vignette, grey, noise, 8 bits and a file."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mer_lib.datasets.synthetic.streams import stream
from mer_lib.errors import DataError

if TYPE_CHECKING:
    from mer_lib.datasets.synthetic.recording import Recording

# Shares of red, green and blue in grey (ITU-R BT.601, as JPEG and OpenCV use them).
_GREY = np.array([0.299, 0.587, 0.114], np.float32)


def expose(clean: np.ndarray, recording: Recording, gain: float, sample_id: str, index: int) -> np.ndarray:
    """The 8-bit picture that `recording`'s camera takes.

    Args:
        clean: (H, W, 3) RGB 0..1.
        recording: the camera.
        gain: factor on the light.
        sample_id, index: name the noise: the same names, the same noise.

    Returns:
        uint8 (H, W, 3) RGB, or (H, W) where the recording is grey.
    """
    light = clean if recording.colour else clean @ _GREY
    shade = np.float32(gain) * _vignette(clean.shape[0], float(recording.vignette))
    light = light * (shade[..., None] if recording.colour else shade)
    if recording.read_noise or recording.shot_noise:
        variance = np.clip(light, 0, 1)
        variance *= np.float32(recording.shot_noise**2)
        variance += np.float32(recording.read_noise**2)
        noise = stream(sample_id, "noise", index).standard_normal(light.shape, dtype=np.float32)
        noise *= np.sqrt(variance, out=variance)
        light += noise
    light *= 255
    np.rint(light, out=light)
    return np.clip(light, 0, 255, out=light).astype(np.uint8)


def encode(image: np.ndarray, jpeg_quality: int | None) -> bytes:
    """The file of a picture (uint8 RGB or grey): JPEG of a quality from 1 to 100, or PNG if that is None."""
    bgr = image[..., ::-1] if image.ndim == 3 else image
    if jpeg_quality is None:
        done, file = cv2.imencode(".png", bgr)
    else:
        done, file = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, int(jpeg_quality)])
    if not done:
        raise DataError(f"expected OpenCV to write a picture of shape {image.shape}, it did not")
    return file.tobytes()


def decode(file: bytes) -> np.ndarray:
    """The picture in a file of :func:`encode`: uint8 (H, W, 3) RGB, or (H, W) grey; ValueError where it is none."""
    image = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError("no image")
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


@lru_cache(maxsize=4)
def _vignette(size: int, depth: float) -> np.ndarray:
    """1 in the centre, 1 - depth in the corners."""
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    shade = 1 - np.float32(depth) * (axis**2 + axis[:, None] ** 2) / 2
    shade.setflags(write=False)
    return shade
