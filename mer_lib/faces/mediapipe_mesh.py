"""MediaPipe's face mesh: 478 landmarks with refined eyes and lips, each image on its own."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from mer_lib.datasets.synthetic.mesh import N_LANDMARKS
from mer_lib.errors import ParameterError, RunError
from mer_lib.faces.detection import Detection, Face, largest_first
from mer_lib.faces.resizing import between
from mer_lib.faces.tiles import distinct, tiles
from mer_lib.motion import cut, rgb8

MOST_FACES = 10
# Longer side, in pixels, of the smallest and of the largest image that is shown to the networks. Their own inputs have
# 128 (to find) and 256 (to mesh) pixels; enlarging first halves the error of the points of tiny faces.
_SHORTEST, _LONGEST = 256, 1920
# Longer side, in pixels, from which on a part of an image can show more than the whole.
_LOOK_CLOSER = 512

_silence = threading.Lock()  # standard error is one for all threads
_used_by: set[int] = set()  # processes that used MediaPipe, this one or its parents


class MediaPipeMesh:
    """Finds up to ten faces and the 478 landmarks of each; safe to call from several threads.

    A face is found when it is not smaller than about an eighth of the image's longer side; where there is none, parts
    of the image are looked at, which finds faces half as large. A head may be turned aside by about 70 degrees, but
    from 50 on the hidden half of the mesh is guessed; in a full profile no face is found. A face upside down is not
    recognised, and something else may be taken for one; a drawing may be, too. Points lie a third of a per cent of the
    face's width too far to the right, as the points of mirrored faces tell; that is left as it is.
    """

    name = "mediapipe"
    n_points = N_LANDMARKS

    def __init__(self) -> None:
        _check_process()
        self._lock = threading.Lock()
        self._talkative = True
        with _quiet():
            self._mesh = _face_mesh()
            self._mesh.process(np.zeros((_SHORTEST, _SHORTEST, 3), np.uint8))  # waits until the networks are there

    def detect(self, image: np.ndarray) -> Detection:
        """Find faces: see :meth:`mer_lib.faces.Detector.detect`. No confidence is told.

        Raises:
            RunError: the process was forked from one that used MediaPipe, whose native code does not survive that.
        """
        _check_process()
        array = rgb8(image)
        faces = self._faces(array)
        if not faces and max(array.shape[:2]) >= _LOOK_CLOSER:
            found = [
                _moved(face, tile[:2]) for tile in tiles(*array.shape[:2]) for face in self._faces(cut(array, tile))
            ]
            faces = distinct(found)
        return largest_first(self.name, array, faces)

    def _faces(self, image: np.ndarray) -> list[Face]:
        shown = between(image, _SHORTEST, _LONGEST)
        with self._lock:
            meshes = self._process(shown)
        size, scale = (np.array(array.shape[1::-1]) for array in (shown, image))
        return [_face((size * mesh + 0.5) * scale / size - 0.5) for mesh in meshes]

    def _process(self, image: np.ndarray) -> list[np.ndarray]:
        """Return the landmarks of each face as shares of the image's size."""
        with _quiet() if self._talkative else contextlib.nullcontext():
            faces = self._mesh.process(image).multi_face_landmarks or []
        self._talkative = self._talkative and not faces
        return [np.array([(point.x, point.y) for point in face.landmark]) for face in faces]


def _face_mesh() -> Any:
    try:
        from mediapipe.python.solutions.face_mesh import FaceMesh
    except ImportError as error:
        raise ParameterError("detector 'mediapipe' needs MediaPipe: pip install mediapipe==0.10.21") from error
    return FaceMesh(static_image_mode=True, refine_landmarks=True, max_num_faces=MOST_FACES)


def _face(points: np.ndarray) -> Face:
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return Face(points.astype(np.float32), (float(left), float(top), float(right), float(bottom)), None)


def _moved(face: Face, shift: tuple[int, int]) -> Face:
    return _face(face.points.astype(np.float64) + shift)


def _check_process() -> None:
    """Refuse to go on in a fork: the native code would end the process without a word."""
    if _used_by - {os.getpid()}:
        raise RunError(
            "MediaPipe was used before this process was forked and cannot be used in it: start workers afresh, as "
            "joblib does by itself and multiprocessing with the context 'spawn'"
        )
    _used_by.add(os.getpid())


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Drop what native code writes to standard error: MediaPipe greets there when it starts and sees its first face."""
    with _silence:
        kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)
