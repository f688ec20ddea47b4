"""From an entry to the bytes of its files: plan, render, measure the map, and write down the truth."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import cv2
import numpy as np

from mer_lib.datasets.maps import CONSTANT_POINTS, MAP_SIZE
from mer_lib.datasets.synthetic.camera import decode
from mer_lib.datasets.synthetic.databases import ClipEntry, Entry, VideoEntry
from mer_lib.datasets.synthetic.habits import draw_habits
from mer_lib.datasets.synthetic.long_videos import VideoPlan, plan_video
from mer_lib.datasets.synthetic.plan import ClipPlan, plan_clip
from mer_lib.datasets.synthetic.recipe import recipe
from mer_lib.datasets.synthetic.renderer import ClipRenderer
from mer_lib.datasets.synthetic.storage import Truth, face_of, pack_frames, truth_bytes
from mer_lib.motion import Box, cut, optical_flow, scaled_map

MAP_METHOD = "farneback"  # as the published maps of the field
MARGIN = 8  # a part of the frame's side: a face near the edge is cut out with repeated border pixels

# The mesh's landmarks whose mean is each of the points that every published map has in the same place.
_LANDMARKS_OF_POINT = {"left eye": (33, 133), "right eye": (362, 263), "left lip": (61,), "right lip": (291,)}


class Contents(NamedTuple):
    """The files of one clip; a long video has no map."""

    frames: bytes
    map: bytes | None
    truth: bytes


def plan_of(entry: Entry) -> ClipPlan | VideoPlan:
    """Return the plan of a clip or a long video; it takes milliseconds, and no face is drawn."""
    habits = draw_habits(entry.person, entry.style)
    if isinstance(entry, VideoEntry):
        return plan_video(
            entry.sample_id, habits, entry.style, entry.recording, entry.seconds, entry.n_micro, entry.n_macro
        )
    return plan_clip(entry.sample_id, entry.emotion, habits, entry.style, entry.recording)


def produce(entry: Entry) -> Contents:
    """Render a clip or a long video. The bytes depend on `entry` and the code alone."""
    plan = plan_of(entry)
    face = face_of(entry.person, entry.gender, entry.recording.size)
    renderer = ClipRenderer(face, plan)
    encoded = [renderer.encoded(index) for index in range(plan.n_frames)]
    landmarks = np.stack([renderer.landmarks(index) for index in range(plan.n_frames)])
    frames = pack_frames(encoded)
    image = None
    if isinstance(plan, ClipPlan):
        image = map_png(decode(encoded[plan.onset]), decode(encoded[plan.apex]), landmarks[plan.onset])
    truth = Truth(
        plan,
        landmarks,
        entry.person,
        entry.gender,
        entry.label3 if isinstance(entry, ClipEntry) else None,
        recipe(entry),
        hashlib.sha256(frames).hexdigest(),
        "" if image is None else hashlib.sha256(image).hexdigest(),
    )
    return Contents(frames, image, truth_bytes(truth))


def map_png(onset: np.ndarray, apex: np.ndarray, landmarks: np.ndarray) -> bytes:
    """Return the flow map from onset to apex as a PNG file: red u, green v, blue strain.

    Args:
        onset: frame, (H, W, 3) or (H, W) uint8.
        apex: frame of the same size.
        landmarks: (478, 2) of the onset frame, x then y in pixels.
    """
    image = scaled_map(optical_flow(cut_face(onset, landmarks), cut_face(apex, landmarks), MAP_METHOD), MAP_SIZE)
    done, content = cv2.imencode(".png", image[..., ::-1])
    if not done:
        raise RuntimeError("OpenCV cannot write a PNG image: its installation is damaged")
    return content.tobytes()


def cut_face(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Cut the face out of a frame, or out of anything on its grid; beyond the frame its border goes on.

    Args:
        image: (H, W, ...) of the frame that `landmarks` belong to, or of one that is to be cut alike.
        landmarks: (478, 2), x then y in pixels.
    """
    margin = len(image) // MARGIN
    wide = cv2.copyMakeBorder(image, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    return cut(wide, face_box(landmarks + margin))


def face_box(landmarks: np.ndarray) -> Box:
    """Return the rectangle that puts eyes and lip corners where the published maps have them, as nearly as it can.

    Sides are fitted by least squares, across and down on their own, as a detector's box is squeezed into a square.

    Args:
        landmarks: (478, 2), x then y in pixels.
    """
    found = np.array([landmarks[list(_LANDMARKS_OF_POINT[name])].mean(axis=0) for name in CONSTANT_POINTS])
    wanted = np.array(list(CONSTANT_POINTS.values()))
    sides = [_edges(wanted[:, axis], found[:, axis]) for axis in (0, 1)]
    (left, right), (top, bottom) = sides
    return Box(left, top, right, bottom)


def _edges(on_map: np.ndarray, in_frame: np.ndarray) -> tuple[int, int]:
    """First and last-but-one pixel of the side whose map pixel p lies at start + (p + 1/2) width / size - 1/2."""
    width, start = np.polyfit((on_map + 0.5) / MAP_SIZE, in_frame + 0.5, 1)
    return round(float(start)), round(float(start + width))
