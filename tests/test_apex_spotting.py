"""Spotting on drawn clips whose apex is known, and curves against second implementations and exact flow."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mer_lib.apex import METHODS, NAMED, REGISTRATIONS, CellDifference, DncRois, RegionFlow, methods, spot
from mer_lib.errors import DataError, ParameterError
from mer_lib.faces.regions import dnc_rois, stable_mask, ten_cells
from mer_lib.motion import fit_head_motion
from tests.apex_clips import APEX, FPS, LENGTH, SIZE, drawn, drift

LOOKING = [name for name in METHODS if name != "middle"]
MIDDLE = (LENGTH - 1) // 2
CLEAR = LENGTH // 10  # frames: near enough


@pytest.fixture(scope="module")
def clip():
    return drawn()


@pytest.fixture(scope="module")
def hard():
    """Noise, a head that drifts, and light that drifts and flickers."""
    time = np.arange(LENGTH)
    gain = (1 + 0.04 * np.linspace(-1, 1, LENGTH)) * (1 + 0.03 * (-1.0) ** time)
    return drawn(noise=True, head=drift(), gain=gain)


def grey(frames: np.ndarray) -> np.ndarray:
    return np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames])


# -- the apex is found ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("registration", REGISTRATIONS)
@pytest.mark.parametrize("method", LOOKING)
def test_the_apex_of_a_clean_clip_is_found(clip, method, registration):
    spotted = spot(clip.frames, clip.points, method, registration, fps=FPS)
    if method == "dnc_rois":  # texture hardly says how far something moved: its curve is flat around the apex
        assert spotted.curve[APEX] > 0.8 * spotted.curve.max() > 3 * spotted.curve[[0, -1]].max()
    else:
        assert abs(spotted.index - APEX) <= CLEAR < abs(MIDDLE - APEX)
    assert spotted.curve.shape == (LENGTH,)
    assert (spotted.method, spotted.registration, spotted.search) == (method, registration, NAMED[method].search)


@pytest.mark.parametrize("method", ["cell_difference", "region_flow"])
def test_the_apex_is_found_though_head_and_light_drift(hard, method):
    spotted = spot(hard.frames, hard.points, method, "stable", fps=FPS)
    assert abs(spotted.index - APEX) <= CLEAR


def test_compared_with_the_first_frame_alone_drift_wins(hard):
    first, nearer = (
        spot(hard.frames, hard.points, CellDifference(reference), "none", "highest", FPS)
        for reference in ("first", "nearer")
    )
    assert abs(first.index - (LENGTH - 1)) <= 1
    assert abs(nearer.index - APEX) < abs(MIDDLE - APEX)
    assert nearer.confidence > first.confidence


def test_uneven_light_is_taken_for_movement_unless_it_is_evened():
    brighter = drawn(gain=1 + 0.06 * np.linspace(-1, 1, LENGTH))
    found = [
        spot(brighter.frames, brighter.points, CellDifference("first", even_light=even), "none", "highest", FPS).index
        for even in (False, True)
    ]
    assert found[0] == LENGTH - 1
    assert abs(found[1] - APEX) <= CLEAR


def test_head_motion_is_taken_out_of_the_flow():
    sway = np.zeros((LENGTH, 6))
    sway[:, 0] = 0.05 * np.sin(np.pi * np.arange(LENGTH) / (LENGTH - 1)) ** 8  # 2.5 px, greatest in the middle frame
    moving = drawn(head=sway)
    kept, removed = (
        spot(moving.frames, moving.points, RegionFlow(head=head, every_ms=40), "none", fps=FPS)
        for head in ("kept", "removed")
    )
    assert abs(kept.index - MIDDLE) <= 2
    assert abs(removed.index - APEX) <= CLEAR


@pytest.mark.parametrize("registration", ["ecc", "stable"])
def test_registration_takes_head_motion_out_of_differences(registration):
    sway = np.zeros((LENGTH, 6))
    sway[:, 0] = 0.05 * np.sin(np.pi * np.arange(LENGTH) / (LENGTH - 1)) ** 8
    moving = drawn(head=sway)
    found = [spot(moving.frames, moving.points, fps=FPS, registration=how).index for how in ("none", registration)]
    assert abs(found[0] - MIDDLE) <= 2
    assert abs(found[1] - APEX) <= CLEAR


def test_the_middle_frame_looks_at_nothing(clip):
    spotted = spot(clip.frames, clip.points, "middle")
    assert (spotted.index, spotted.confidence, spotted.registration) == (MIDDLE, 0.0, "none")
    assert np.allclose(spotted.curve, 1 - np.abs(np.arange(LENGTH) - MIDDLE) / MIDDLE)
    assert spot(np.zeros((6, 1, 1)), np.empty((0, 2)), "middle").index == 2


def test_confidence_tells_a_clear_clip_from_noise(clip):
    noise = np.random.default_rng(0).integers(90, 110, clip.frames.shape[:3]).astype(np.uint8)
    clear, nothing = (spot(frames, clip.points, fps=FPS).confidence for frames in (clip.frames, noise))
    assert clear > 0.8
    assert nothing < 0.3


# -- curves are what they are said to be ------------------------------------------------------------------------------


def pixelwise(frames: np.ndarray, points: np.ndarray, neighbour: int, offset: bool) -> np.ndarray:
    """The printed ratio, pixel by pixel, in loops."""
    frames, curve = frames.astype(float), np.zeros(len(frames))
    for index in range(len(frames)):
        if not 0 <= index + neighbour < len(frames):
            continue
        cells = []
        for region in ten_cells(points):
            mask = region.mask(SIZE, SIZE)
            here, beside = frames[index][mask], frames[index + neighbour][mask]
            ratio = (np.abs(here - frames[0][mask]) + 1) / (np.abs(here - beside) + 1)
            if offset:
                ratio = ratio + (np.abs(here - frames[-1][mask]) + 1) / (np.abs(here - beside) + 1)
            cells.append(ratio.mean())
        curve[index] = np.mean(cells)
    return curve


@pytest.mark.parametrize(("neighbour", "step"), [("previous", -1), ("next", 1)])
@pytest.mark.parametrize(("reference", "offset"), [("both", True), ("first", False)])
def test_the_published_cell_difference(clip, neighbour, step, reference, offset):
    frames = grey(clip.frames)
    method = CellDifference(reference, neighbour, None, False, 0.0, 0.0)
    expected = pixelwise(frames, clip.points, step, offset)
    assert np.allclose(method.curve(frames, clip.points, FPS), expected, rtol=1e-5)


def test_published_forms_are_the_papers():
    assert NAMED["cell_difference_published"] == CellDifference("both", "previous", None, False, 0.0, 0.0, "highest")
    assert NAMED["dnc_rois_published"] == DncRois("first", 0.0, 1, 0.0, "divide")


def uniform_patterns(image: np.ndarray) -> np.ndarray:
    """Histogram of uniform patterns, 8 neighbours at radius 1 read bilinearly, borders black: in loops."""
    rows, columns = image.shape
    padded, histogram = np.pad(image.astype(float), 2), np.zeros(10)
    angles = 2 * np.pi * np.arange(8) / 8
    offsets = [(round(-np.sin(angle), 5), round(np.cos(angle), 5)) for angle in angles]
    for row in range(rows):
        for column in range(columns):
            bits = []
            for down, right in offsets:
                y, x = row + 2 + down, column + 2 + right
                top, left = int(np.floor(y)), int(np.floor(x))
                a, b = y - top, x - left
                corner = padded[top : top + 2, left : left + 2]
                upper, lower = corner[0, 0] * (1 - b) + corner[0, 1] * b, corner[1, 0] * (1 - b) + corner[1, 1] * b
                bits.append(upper * (1 - a) + lower * a >= image[row, column])
            changes = sum(bits[i] != bits[i - 1] for i in range(8))
            histogram[sum(bits) if changes <= 2 else 9] += 1
    return histogram


def test_the_published_texture_difference(clip):
    frames = grey(clip.frames)[[0, APEX, -1]]
    histograms = []
    for frame in frames:
        boxes = [region.box for region in dnc_rois(clip.points)]
        histograms.append([uniform_patterns(frame[box.top : box.bottom, box.left : box.right]) for box in boxes])
    expected = [
        np.mean([1 - h @ g / np.sqrt((h @ h) * (g @ g)) for h, g in zip(first, later, strict=True)])
        for first, later in zip([histograms[0]] * 3, histograms, strict=True)
    ]
    curve = DncRois.published().curve(frames, clip.points, FPS)
    # Neighbours exactly as bright as the centre may fall on either side of it by rounding.
    assert np.allclose(curve, expected, atol=5e-5)
    assert curve[1] > 5e-4


def test_the_flow_curve_is_the_drawn_flow(clip):
    method = RegionFlow(reference="first", strongest=None, every_ms=20)
    curve = method.curve(grey(clip.frames), clip.points, FPS)
    truth = []
    for index in range(0, LENGTH, 4):
        flow = clip.renderer.flow(0, index, head=False)
        cells = [flow[region.mask(SIZE, SIZE)].mean(axis=0) for region in ten_cells(clip.points)]
        truth.append(np.linalg.norm(cells, axis=1).mean())
    assert np.corrcoef(curve[::4], truth)[0, 1] > 0.98
    assert curve[APEX] == pytest.approx(max(truth), rel=0.35)


# -- what does not matter does not matter -----------------------------------------------------------------------------


@pytest.mark.parametrize("method", LOOKING)
def test_colour_grey_and_floating_frames_agree(clip, method):
    short = clip.frames[::8]
    with_alpha = np.concatenate([short, np.full_like(short[..., :1], 7)], axis=-1)
    expected = spot(short, clip.points, method, fps=50).curve
    for same in (grey(short), with_alpha, short / 255.0, list(short)):
        assert np.allclose(spot(same, clip.points, method, fps=50).curve, expected, atol=1e-6)


def test_flicker_that_alternates_does_not_move_the_apex(clip):
    gain = 1 + 0.03 * (-1.0) ** np.arange(LENGTH)
    flickering = drawn(gain=gain)
    for method in (CellDifference(), RegionFlow(every_ms=40)):
        steady, unsteady = (spot(one.frames, one.points, method, fps=FPS).index for one in (clip, flickering))
        assert abs(steady - unsteady) <= 2


def test_large_faces_are_reduced_and_spotted_alike(clip):
    short, factor = clip.frames[::2], 4
    large = np.stack([cv2.resize(frame, None, fx=factor, fy=factor) for frame in short])
    points = (clip.points + 0.5) * factor - 0.5
    found = spot(large, points, fps=FPS / 2)
    assert abs(2 * found.index - APEX) <= CLEAR


def test_what_is_beside_the_face_does_not_count(clip):
    padded = np.pad(clip.frames, [(0, 0), (50, 30), (70, 20), (0, 0)])
    padded[::2, :20] = 255
    expected = spot(clip.frames, clip.points, fps=FPS)
    assert spot(padded, clip.points + (70, 50), fps=FPS).index == pytest.approx(expected.index, abs=1)


# -- the ends of what is defined --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", list(NAMED))
@pytest.mark.parametrize("registration", REGISTRATIONS)
@pytest.mark.parametrize("n_frames", [1, 2, 5])
def test_equal_frames_answer_the_middle_without_confidence(clip, method, registration, n_frames):
    for frame in (clip.frames[0], np.zeros_like(clip.frames[0])):
        spotted = spot([frame] * n_frames, clip.points, method, registration, fps=FPS)
        if method != "cell_difference_published" or n_frames == 1:  # whose first frame is 0 by definition
            assert spotted.index == (n_frames - 1) // 2
        assert spotted.confidence == 0
        assert spotted.curve.shape == (n_frames,)
        assert np.isfinite(spotted.curve).all()


def test_a_search_may_be_chosen(clip):
    spotted = spot(clip.frames, clip.points, "cell_difference", search="divide", fps=FPS)
    assert spotted.search == "divide"
    assert spot(clip.frames, clip.points, "dnc_rois", fps=FPS).search == "divide"


def test_a_method_of_ones_own_says_what_it_is(clip):
    spotted = spot(clip.frames, clip.points, CellDifference(neighbour="next"), fps=FPS)
    assert "neighbour='next'" in spotted.method
    assert spotted.curve[-1] < spotted.curve[APEX]


@pytest.mark.parametrize("method", LOOKING)
def test_faces_without_room_for_regions_are_refused(clip, method):
    one_pixel = np.full((3, 1, 1), 10, np.uint8)
    with pytest.raises(DataError, match="outside of the image of 1x1"):
        spot(one_pixel, (clip.points - clip.points.mean(axis=0)) / SIZE, method, "none")
    cut_off = clip.frames[:3, : int(clip.points[13, 1]) - 25]  # above the mouth
    with pytest.raises(DataError, match="(mouth|lip corner) lies outside of the image"):
        spot(cut_off, clip.points, method, "none")


@pytest.mark.parametrize(
    ("method", "settings", "message"),
    [
        (DncRois, {"blocks": 0}, "DncRois: blocks: expected a whole number from 1"),
        (DncRois, {"blocks": None}, "blocks: expected a whole number"),
        (DncRois, {"blur_px": -1.0}, "blur_px: expected a number from 0 to 100"),
        (DncRois, {"reference": "last"}, "reference: expected one of first, both, nearer"),
        (DncRois, {"search": "best"}, "search: expected one of highest, peak, divide"),
        (CellDifference, {"strongest": 0}, "strongest: expected a whole number from 1"),
        (CellDifference, {"neighbour": "far"}, "neighbour: expected one of None, previous, next"),
        (CellDifference, {"smoothing_ms": np.nan}, "smoothing_ms: expected a number from 0 to 1000"),
        (RegionFlow, {"every_ms": -1.0, "head": "lost"}, "head: .*every_ms: "),
        (RegionFlow, {"flow": "none"}, "method: expected a method or one of"),
    ],
)
def test_settings_that_make_no_sense_are_refused(method, settings, message):
    with pytest.raises(ParameterError, match=message):
        method(**settings)


def test_a_tiny_face_has_finite_curves(clip):
    """Of 8 px, so that a region has fewer pixels than it is divided into blocks."""
    tiny = np.stack([cv2.resize(frame, (8, 8), interpolation=cv2.INTER_AREA) for frame in clip.frames])
    curve = spot(tiny, clip.points * 8 / SIZE, "dnc_rois", "none", fps=FPS).curve
    assert np.isfinite(curve).all()
    assert curve.max() > 0


def test_the_head_is_fitted_on_stable_skin(clip, monkeypatch):
    seen = []

    def watched(flow, where):
        seen.append(where)
        return fit_head_motion(flow, where)

    monkeypatch.setattr(methods, "fit_head_motion", watched)
    RegionFlow().curve(grey(clip.frames[:2]), clip.points, FPS)
    columns, rows = seen[0].astype(int).T
    assert stable_mask(clip.points, SIZE, SIZE)[rows, columns].all()


def test_of_a_head_that_turns_no_movement_is_left(clip):
    turn = cv2.getRotationMatrix2D((SIZE / 3, SIZE / 2), 2, 1)
    first = grey(clip.frames[:1])[0]
    frames = np.stack([first, cv2.warpAffine(first, turn, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE)])
    kept, removed = (
        RegionFlow(head=how, reference="first", strongest=None).curve(frames, clip.points, FPS)[1]
        for how in ("kept", "removed")
    )
    assert kept > 0.8
    assert removed < 0.1 * kept


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "magic"}, "method: expected a method or one of dnc_rois, .*'magic'"),
        ({"registration": "sift"}, "registration: expected one of none, ecc, stable, got 'sift'"),
        ({"search": "best"}, "search: expected one of highest, peak, divide, or None, got 'best'"),
        ({"fps": 0.0}, "fps: expected"),
        ({"fps": np.nan}, "fps: expected"),
        ({"fps": "100"}, "fps: expected"),
        ({"fps": 1e9}, "fps: expected"),
        ({"method": None}, "method: expected a method or one of"),
        ({"method": CellDifference}, "method: expected a method or one of"),
        ({"method": "middle", "registration": "sift"}, "registration: expected one of"),
        ({"frames": iter([])}, "frames: expected an array or a list"),
        ({"frames": []}, "frames: expected at least one"),
        ({"frames": np.zeros((3, 20, 20), np.uint16)}, "frame 0: expected uint8.*scale it"),
        ({"frames": np.full((3, 20, 20), np.nan)}, "frame 0: expected uint8, or floating in 0..1"),
        ({"frames": [np.zeros((20, 20), np.uint8), np.zeros((20, 21), np.uint8)]}, "frames: expected one size"),
        ({"frames": np.zeros((3, 20), np.uint8)}, r"frame 0: expected \(H, W\)"),
        ({"points": np.zeros((5, 2))}, r"points: expected landmarks of shape \(478, 2\)"),
        ({"points": np.full((478, 2), np.nan)}, "points: expected finite landmarks"),
    ],
)
def test_wrong_arguments_are_named(clip, change, message):
    arguments = {"frames": clip.frames[:3], "points": clip.points, **change}
    with pytest.raises(ParameterError, match=message):
        spot(**arguments)


def test_landmarks_of_another_clip_are_refused(clip):
    with pytest.raises(DataError, match="outside of the frames of 160x160"):
        spot(clip.frames[:3], clip.points + 500)
