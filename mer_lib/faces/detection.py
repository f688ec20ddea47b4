"""What is found in an image: faces with their landmarks, and the protocol of those who find them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mer_lib.errors import DataError


@dataclass(frozen=True, eq=False)
class Face:
    """One face that was found.

    Attributes:
        points: float32 (478, 2) or (5, 2), x then y in pixels, pixel centres at whole numbers; they may lie outside of
            the image.
        box: left, top, right and bottom edge in pixels; the left edge of the image itself is at -0.5.
        confidence: 0 to 1; None where the detector says none.
    """

    points: np.ndarray
    box: tuple[float, float, float, float]
    confidence: float | None

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)


@dataclass(frozen=True, eq=False)
class Detection:
    """What a detector found in one image.

    Attributes:
        detector: its name.
        height: of the image, in pixels.
        width: of the image, in pixels.
        faces: the largest first; empty where none was found.
    """

    detector: str
    height: int
    width: int
    faces: tuple[Face, ...]

    @property
    def found(self) -> bool:
        """Whether there is a face."""
        return bool(self.faces)

    @property
    def several(self) -> bool:
        """Whether there is more than one."""
        return len(self.faces) > 1

    @property
    def face(self) -> Face:
        """Return the largest face.

        Raises:
            DataError: there is none.
        """
        if not self.faces:
            raise DataError(f"{self.detector} found no face in an image of {self.width}x{self.height} pixels")
        return self.faces[0]


class Detector(Protocol):
    """Finds faces in images, one image at a time; the result does not depend on earlier images."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def n_points(self) -> int:
        """How many landmarks a face has."""

    def detect(self, image: np.ndarray) -> Detection:
        """Find the faces in an image.

        Args:
            image: (H, W) grey, (H, W, 3) RGB, or (H, W, 4) RGB with transparency, which is dropped; uint8, or floating
                in 0..1.

        Raises:
            ParameterError: it is no such image; one of 16 bits must be scaled first, see :func:`mer_lib.motion.rgb8`.
        """


def largest_first(name: str, image: np.ndarray, faces: list[Face]) -> Detection:
    """Return the detection of `faces`, in no order so far, in `image`."""
    height, width = image.shape[:2]
    return Detection(name, height, width, tuple(sorted(faces, key=lambda face: -face.area)))
