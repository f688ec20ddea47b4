"""How fast are landmarks found, do detectors take the synthetic people for people, and where do they see them?

Two detectors that know nothing of the drawings look at neutral frames: MediaPipe's face mesh (478 points) and MTCNN
(five points). Landmark errors are distances to the drawn mesh in per cent of the inter-ocular distance (IOD). A part of
them is the same for everybody, since the drawn mesh and the detector's idea of a landmark differ; the last row has that
mean offset of each landmark removed.

    python benchmarks/landmarks.py                     100 people
    python benchmarks/landmarks.py --identities 20     shorter
    python benchmarks/landmarks.py --missed FOLDER     also save the frames in which a detector finds no face
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from mer_lib.datasets.synthetic.identity import Gender
from mer_lib.datasets.synthetic.portrait import Portrait, draw_portrait, neutral
from mer_lib.faces import Detector, Face, detector, five_points

SIZE = 320
SHAPES = ((320, 320), (480, 640))  # height, width
FINDERS = ("mediapipe", "mtcnn")
SECONDS = 4.0  # of each measurement of speed


def people(count: int) -> list[tuple[str, Gender]]:
    """Return `count` names, women and men in turn."""
    return [(f"person {number:03d}", "female" if number % 2 else "male") for number in range(count)]


# -- speed ------------------------------------------------------------------------------------------------------------


def on_a_canvas(frame: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return a square frame scaled to the height of `shape`, with its border going on at both sides."""
    height, width = shape
    square = cv2.resize(frame, (height, height))
    left = (width - height) // 2
    return cv2.copyMakeBorder(square, 0, 0, left, width - height - left, cv2.BORDER_REPLICATE)


def frames_a_second(finder: Detector, frames: list[np.ndarray]) -> tuple[float, float]:
    """Return frames a second, and the share of frames with a face."""
    finder.detect(frames[0])
    done, found, start = 0, 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        found += finder.detect(frames[done % len(frames)]).found
        done += 1
    return done / (time.perf_counter() - start), found / done


def speeds() -> Table:
    """Return the table of speeds, with and without a face in the frame."""
    frames = [neutral(draw_portrait(name, gender, SIZE)) for name, gender in people(4)]
    table = Table("detector", "frame", "frames/s", "faces found", title="Landmarks, one process")
    for name in FINDERS:
        for shape in SHAPES:
            scenes = {
                "": [on_a_canvas(frame, shape) for frame in frames],
                ", no face": [np.zeros((*shape, 3), np.uint8)],
            }
            for words, shown in scenes.items():
                rate, share = frames_a_second(detector(name), shown)
                table.add_row(name, f"{shape[1]}x{shape[0]}{words}", f"{rate:.1f}", f"{share:.0%}")
    return table


# -- accuracy ---------------------------------------------------------------------------------------------------------


def truth_for(face: Face, portrait: Portrait) -> np.ndarray:
    """Return the drawn places, in px, of what was looked for."""
    return portrait.landmarks if len(face.points) == len(portrait.landmarks) else five_points(portrait.landmarks)


def in_percent(offsets: np.ndarray, iod: np.ndarray) -> np.ndarray:
    """Return lengths (people, points) in per cent of each person's IOD, of offsets (people, points, 2) in px."""
    return 100 * np.linalg.norm(offsets, axis=-1) / iod[:, None]


def accuracy(name: str, portraits: list[Portrait], faces: list[Face | None]) -> Table:
    """Return the table of one detector."""
    seen = [(face, portrait) for face, portrait in zip(faces, portraits, strict=True) if face is not None]
    table = Table("what", "value", title=f"{name} on drawn people")
    table.add_row("faces found", f"{len(seen)} of {len(faces)}")
    if not seen:
        return table
    confidence = [face.confidence for face, _ in seen if face.confidence is not None]
    if confidence:
        table.add_row("confidence: least, mean", f"{min(confidence):.4f}, {np.mean(confidence):.4f}")
    offset = np.stack([face.points - truth_for(face, portrait) for face, portrait in seen])
    iod = np.array([portrait.iod for _, portrait in seen])
    error, rest = in_percent(offset, iod), in_percent(offset - offset.mean(axis=0), iod)
    table.add_row("landmark error, % IOD: mean, median", f"{error.mean():.2f}, {np.median(error):.2f}")
    table.add_row("worst person's mean, % IOD", f"{error.mean(axis=1).max():.2f}")
    table.add_row("without the offset all share: mean, median", f"{rest.mean():.2f}, {np.median(rest):.2f}")
    return table


def looked_at(portrait: Portrait, missed: Path | None, console: Console) -> list[Face | None]:
    """Return what each detector finds in a portrait; say and save where it finds nothing."""
    frame = neutral(portrait)
    detections = [detector(name).detect(frame) for name in FINDERS]
    for detection in detections:
        if not detection.found:
            console.print(f"{portrait.name} ({portrait.gender}): no face for {detection.detector}")
            if missed:
                missed.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(missed / f"{portrait.name}.png"), frame[..., ::-1])
    return [detection.face if detection.found else None for detection in detections]


def main() -> None:
    """Measure the speed, draw the people, look for their faces, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--identities", type=int, default=100)
    parser.add_argument("--missed", type=Path, help="folder for the frames in which a detector finds no face")
    options = parser.parse_args()
    console = Console()
    console.print(speeds())
    portraits = [draw_portrait(name, gender, SIZE) for name, gender in people(options.identities)]
    found = [looked_at(portrait, options.missed, console) for portrait in portraits]
    for name, faces in zip(FINDERS, zip(*found, strict=True), strict=True):
        console.print(accuracy(name, portraits, list(faces)))


if __name__ == "__main__":
    main()
