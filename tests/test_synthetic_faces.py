"""Synthetic people: their mesh, who they are, and their portraits in layers."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
import pytest

from mer_lib.datasets.synthetic import mesh
from mer_lib.datasets.synthetic.drawing import Canvas, over, spline
from mer_lib.datasets.synthetic.identity import HAIR_STYLES, draw_identity, shape
from mer_lib.datasets.synthetic.portrait import SCALE, Portrait, draw_portrait, neutral
from mer_lib.datasets.synthetic.streams import stream
from mer_lib.errors import ParameterError

SMALL = 128
PEOPLE = (("ada", "female"), ("bo", "male"), ("cleo", "female"), ("dan", "male"))
LAYERS = ("skin", "eyes", "lids", "landmarks", "depth", "head", "face")


@pytest.fixture(scope="module")
def portraits() -> list[Portrait]:
    return [draw_portrait(name, gender, SMALL) for name, gender in PEOPLE]


def digest(portrait: Portrait) -> str:
    return hashlib.sha256(b"".join(getattr(portrait, layer).tobytes() for layer in LAYERS)).hexdigest()


# --- the mesh


def test_the_mesh_is_symmetric():
    assert mesh.CANONICAL.shape == (mesh.N_LANDMARKS, 3)
    np.testing.assert_array_equal(mesh.MIRROR[mesh.MIRROR], np.arange(mesh.N_LANDMARKS))
    np.testing.assert_allclose(mesh.mirrored(mesh.CANONICAL), mesh.CANONICAL, atol=1e-3)


def test_the_mesh_is_in_inter_ocular_distances_with_closed_lips():
    points = mesh.CANONICAL
    right, left = (points[list(corners)].mean(axis=0) for corners in (mesh.RIGHT_EYE_CORNERS, mesh.LEFT_EYE_CORNERS))
    np.testing.assert_allclose((left - right)[:2], [1, 0], atol=1e-3)
    np.testing.assert_allclose((left + right)[:2], [0, 0], atol=1e-3)
    gap = points[list(mesh.LOWER_LIP_INNER), 1] - points[list(mesh.UPPER_LIP_INNER), 1]
    assert np.abs(gap).max() < 0.02


@pytest.mark.parametrize(
    ("right", "left"),
    [
        (mesh.RIGHT_EYE_UPPER, mesh.LEFT_EYE_UPPER),
        (mesh.RIGHT_EYE_LOWER, mesh.LEFT_EYE_LOWER),
        (mesh.RIGHT_EYE_CORNERS, mesh.LEFT_EYE_CORNERS),
        (mesh.RIGHT_BROW_UPPER, mesh.LEFT_BROW_UPPER),
        (mesh.RIGHT_BROW_LOWER, mesh.LEFT_BROW_LOWER),
        (mesh.UPPER_LIP_OUTER, mesh.UPPER_LIP_OUTER[::-1]),
        (mesh.LOWER_LIP_INNER, mesh.LOWER_LIP_INNER[::-1]),
        (mesh.FACE_OVAL[1:], mesh.FACE_OVAL[:0:-1]),
    ],
)
def test_groups_of_landmarks_mirror_each_other(right, left):
    assert tuple(mesh.MIRROR[list(right)]) == tuple(left)


def test_right_is_the_subjects_right():
    assert mesh.CANONICAL[list(mesh.RIGHT_EYE_UPPER), 0].max() < 0 < mesh.CANONICAL[list(mesh.LEFT_EYE_UPPER), 0].min()


# --- who it is


def test_an_identity_depends_on_the_name_alone():
    first = draw_identity("ada", "female")
    draw_identity("somebody else", "male")
    assert draw_identity("ada", "female") == first
    assert draw_identity("adb", "female") != first


def test_people_are_the_same_at_every_size(portraits):
    big = draw_portrait(*PEOPLE[0], size=192)
    assert big.identity == portraits[0].identity
    # The same points of the face, in frames of another size; a pixel's centre is half a pixel from its edge.
    np.testing.assert_allclose((big.landmarks + 0.5) / 192, (portraits[0].landmarks + 0.5) / SMALL, atol=1e-12)
    shrunk = cv2.resize(neutral(big), (SMALL, SMALL), interpolation=cv2.INTER_AREA).astype(float)
    same, other = (np.abs(shrunk - neutral(portrait)).mean() for portrait in portraits[:2])
    assert same < 6 < other


def test_women_and_men_differ_as_they_should():
    women, men = ([draw_identity(f"n{k}", gender) for k in range(200)] for gender in ("female", "male"))

    def higher_in_men(field: str) -> bool:
        return np.mean([getattr(man, field) for man in men]) > np.mean([getattr(woman, field) for woman in women])

    assert [name for name in ("jaw_width", "chin_length", "brow_density", "stubble") if not higher_in_men(name)] == []
    assert [name for name in ("eye_size", "brow_height", "lip_fullness", "lip_colour") if higher_in_men(name)] == []
    assert {woman.stubble for woman in women} == {0.0}
    assert {man.hair_style for man in men} == set(HAIR_STYLES["male"])
    assert {woman.hair_style for woman in women} == set(HAIR_STYLES["female"])


def test_skin_tones_are_spread_evenly():
    tones = [draw_identity(f"n{k}", gender).tone for k in range(200) for gender in ("female", "male")]
    counts, _ = np.histogram(tones, bins=4, range=(0, 1))
    assert counts.min() > 0.75 * counts.mean()


def test_faces_keep_their_order_of_features():
    for k in range(60):
        points = shape(draw_identity(f"n{k}", "male" if k % 2 else "female"))
        brow, eye, nose, upper, lower, chin = points[[105, 159, 2, 0, 17, 152], 1]
        assert brow < eye - 0.1 < nose < upper < lower < chin
        assert points[133, 0] < points[98, 0] + 0.15 < points[327, 0] < points[454, 0]


# --- the portrait


def test_layers_have_their_shapes_types_and_ranges(portraits):
    for portrait in portraits:
        side = SCALE * (portrait.size + 2 * portrait.margin)
        expected = {"skin": (side, side, 3), "eyes": (side, side, 3), "lids": (side, side)}
        expected |= dict.fromkeys(("depth", "head", "face"), (SMALL, SMALL))
        for layer, wanted in expected.items():
            values = getattr(portrait, layer)
            assert (values.shape, values.dtype) == (wanted, np.float32), layer
            if layer != "depth":
                assert values.min() >= 0, layer
                assert values.max() <= 1, layer
        assert (portrait.landmarks.shape, portrait.landmarks.dtype) == ((478, 2), np.float64)
        assert portrait.iod == pytest.approx(SMALL * 100 / 320)
        frame = neutral(portrait)
        assert (frame.shape, frame.dtype) == ((SMALL, SMALL, 3), np.uint8)


def test_the_same_portrait_has_the_same_bytes(portraits):
    draw_portrait("between", "male", SMALL)
    assert digest(draw_portrait(*PEOPLE[1], size=SMALL)) == digest(portraits[1])
    assert len({digest(portrait) for portrait in portraits}) == len(portraits)


def test_landmarks_lie_in_the_frame():
    canvas = Canvas(SMALL)
    for k in range(100):
        points = canvas.to_frame(shape(draw_identity(f"n{k}", "male" if k % 2 else "female")))
        assert points.min() > 0
        assert points.max() < SMALL - 1


def test_the_lids_open_around_the_eyes(portraits):
    for portrait in portraits:
        lids, landmarks = small(portrait, portrait.lids), portrait.landmarks
        inside = np.zeros((SMALL, SMALL), np.uint8)
        for upper, lower in (
            (mesh.RIGHT_EYE_UPPER, mesh.RIGHT_EYE_LOWER),
            (mesh.LEFT_EYE_UPPER, mesh.LEFT_EYE_LOWER),
        ):
            outline = np.vstack([spline(landmarks[list(upper)]), spline(landmarks[list(lower)])[::-1]])
            cv2.fillPoly(inside, [np.round(outline).astype(int)], 1)
        assert lids[cv2.dilate(inside, np.ones((3, 3))) == 0].max() < 0.05
        centres = np.round(landmarks[[mesh.RIGHT_IRIS[0], mesh.LEFT_IRIS[0]]]).astype(int)
        assert lids[centres[:, 1], centres[:, 0]].min() > 0.9


def test_skin_goes_on_behind_the_lids(portraits):
    # A blink shows the skin layer: no white and no iris may be in it.
    for portrait in portraits:
        behind = portrait.skin[portrait.lids > 0.9]
        around = portrait.skin[cv2.dilate(portrait.lids, np.ones((9, 9))) - portrait.lids > 0.5]
        assert np.abs(np.median(behind, axis=0) - np.median(around, axis=0)).max() < 0.25
        assert behind.std(axis=0).max() < 0.12


def test_landmarks_and_layers_share_their_axes(portraits):
    """The pupils, the darkest part of the eyeballs, lie at the irises' landmarks."""
    for portrait in portraits:
        eyes = small(portrait, portrait.eyes).mean(axis=-1)
        for centre in portrait.landmarks[[mesh.RIGHT_IRIS[0], mesh.LEFT_IRIS[0]]]:
            rows, columns = np.mgrid[0:SMALL, 0:SMALL]
            near = np.hypot(columns - centre[0], rows - centre[1]) < 0.07 * portrait.iod
            weight = (1 - eyes) ** 4 * near
            found = [(weight * axis).sum() / weight.sum() for axis in (columns, rows)]
            assert np.hypot(*(np.array(found) - centre)) < 0.03 * portrait.iod


def test_depth_is_smooth_and_clamped(portraits):
    for portrait in portraits:
        assert portrait.depth.max() <= 0.9
        assert portrait.depth.min() > -1
        nose, cheek = (np.round(portrait.landmarks[index]).astype(int)[::-1] for index in (4, 454))
        assert portrait.depth[tuple(nose)] < portrait.depth[tuple(cheek)] - 0.5
        # Turning by 5 degrees moves a pixel by sin(5 degrees) * depth: neighbours must not overtake each other.
        steepest = max(np.abs(np.diff(portrait.depth * portrait.iod, axis=axis)).max() for axis in (0, 1))
        assert np.sin(np.radians(5)) * steepest < 0.35


def test_the_head_fades_out_softly(portraits):
    for portrait in portraits:
        nose = np.round(portrait.landmarks[4]).astype(int)
        assert portrait.head[nose[1], nose[0]] > 0.99
        assert portrait.head[portrait.face > 0.9].min() > 0.9
        steepest = max(np.abs(np.diff(portrait.head, axis=axis)).max() for axis in (0, 1))
        assert steepest * portrait.iod < 2.5


def test_a_symmetric_portrait_has_a_symmetric_shape():
    portrait = draw_portrait("ada", "female", SMALL, symmetric=True)
    mirrored = portrait.landmarks[mesh.MIRROR] * [-1, 1] + [SMALL - 1, 0]
    np.testing.assert_allclose(mirrored, portrait.landmarks, atol=1e-3)
    np.testing.assert_allclose(portrait.lids[:, ::-1], portrait.lids, atol=0.06)
    crooked = draw_portrait("ada", "female", SMALL)
    assert np.abs(crooked.landmarks[mesh.MIRROR] * [-1, 1] + [SMALL - 1, 0] - crooked.landmarks).max() > 0.05


def test_skin_has_texture_for_optical_flow_to_follow():
    portrait = draw_portrait("ada", "female", 320)
    grey = neutral(portrait).astype(np.float32).mean(axis=-1)
    cheek = np.round(portrait.landmarks[[50, 280]]).astype(int)
    for x, y in cheek:
        patch = grey[y - 8 : y + 8, x - 8 : x + 8]
        assert 0.8 < (patch - cv2.GaussianBlur(patch, (0, 0), 4)).std() < 12


@pytest.mark.parametrize(("gender", "size"), [("robot", 128), ("female", 16), ("male", 100_000)])
def test_bad_parameters_are_named(gender, size):
    with pytest.raises(ParameterError, match="gender: expected" if gender == "robot" else "size: expected"):
        draw_portrait("ada", gender, size)


# --- tools


def test_noise_is_the_same_place_by_place_at_every_size():
    fine, coarse = (Canvas(size) for size in (320, 160))
    first, second = (canvas.noise(stream("test"), 0.2) for canvas in (fine, coarse))
    shrunk = cv2.resize(first, second.shape, interpolation=cv2.INTER_AREA)
    assert np.corrcoef(shrunk.ravel(), second.ravel())[0, 1] > 0.99


def test_over_lays_a_colour_and_leaves_the_rest():
    image = np.full((4, 4, 3), 0.5, np.float32)
    alpha = np.zeros((4, 4), np.float32)
    alpha[1, 2] = 0.25
    result = over(image, (1.0, 0.5, 0.0), alpha)
    np.testing.assert_allclose(result[1, 2], [0.625, 0.5, 0.375])
    assert (np.delete(result.reshape(16, 3), 6, axis=0) == 0.5).all()
    assert (image == 0.5).all()


# --- seen by a detector


def test_mediapipe_sees_faces_and_their_landmarks():
    face_mesh = pytest.importorskip("mediapipe.python.solutions.face_mesh")
    with face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True) as detector:
        for name, gender in PEOPLE:
            portrait = draw_portrait(name, gender, 256)
            faces = detector.process(neutral(portrait)).multi_face_landmarks
            assert faces, name
            found = np.array([(point.x, point.y) for point in faces[0].landmark]) * portrait.size - 0.5
            error = np.linalg.norm(found - portrait.landmarks, axis=1) / portrait.iod
            assert error.mean() < 0.06, name


def small(portrait: Portrait, layer: np.ndarray) -> np.ndarray:
    """A layer averaged down to the frame."""
    return Canvas(portrait.size).to_frame_size(layer)
