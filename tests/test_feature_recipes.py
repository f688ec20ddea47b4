"""Inputs made of clips, against what was drawn."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from mer_lib.apex import spot
from mer_lib.datasets import load
from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.maps import MAP_SIZE
from mer_lib.errors import DataError, ParameterError
from mer_lib.faces.landmarks import detector
from mer_lib.faces.points import points_68
from mer_lib.faces.regions import dnc_rois, muscle_regions, ten_cells
from mer_lib.features import (
    AngleImage,
    ApexFace,
    FlowMap,
    FourRegionMosaic,
    MagnifiedSequence,
    Motion,
    Recipe,
    RegionCrops,
    Window,
    angle_image,
    compute,
    points_used,
    region_boxes,
    report,
    squares,
)
from mer_lib.motion import strain
from mer_lib.motion.polar import RegionMotion
from tests.feature_clips import SIZE, clips_of, face, renderer, shifting, with_rows

#: Flow on the whole frame, in pixels of the frame.
PLAIN = Motion(flow="dis", align="frame", side=SIZE, head_motion="kept", scaling="pixels")
BLACK = [np.zeros((64, 80, 3), np.uint8)] * 5
MIDDLE = 4  # apex of the drawn clips of 9 frames


@pytest.fixture(scope="module")
def faceless(tmp_path_factory) -> ClipDataset:
    return clips_of(tmp_path_factory.mktemp("faceless"), a=BLACK, b=BLACK)


@pytest.fixture
def _places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every flow says where each pixel lies: u its column, v its row."""

    def places(first: np.ndarray, second: np.ndarray, method: str) -> np.ndarray:
        rows, columns = np.mgrid[: first.shape[0], : first.shape[1]]
        return np.dstack([columns, rows]).astype(np.float32)

    monkeypatch.setattr(squares, "optical_flow", places)


def truth() -> np.ndarray:
    return renderer().flow(0, MIDDLE)


# -- flow maps --------------------------------------------------------------------------------------------------------


def test_flow_map_in_pixels_is_the_drawn_movement_and_its_strain(smile):
    u, v, third = compute(FlowMap(size=SIZE, motion=PLAIN), smile)[0]
    found, true, valid = np.dstack([u, v]), truth(), renderer().valid(0, MIDDLE)
    error = np.linalg.norm(found - true, axis=-1)[valid].mean()
    assert error < 0.3 * np.linalg.norm(true, axis=-1)[valid].mean()
    np.testing.assert_allclose(third, strain(found), atol=1e-6)


@pytest.mark.parametrize("size", [28, 64])
def test_a_smaller_map_is_the_mean_over_areas(smile, size):
    large = compute(FlowMap(size=SIZE, motion=PLAIN), smile)[0]
    small = compute(FlowMap(size=size, motion=PLAIN), smile)[0]
    expected = cv2.resize(large.transpose(1, 2, 0), (size, size), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(small, expected.transpose(2, 0, 1), atol=1e-5)


def test_stretched_maps_are_whole_numbers_from_0_to_255_in_each_channel(smile):
    got = compute(FlowMap(motion=Motion()), smile)
    assert got.shape == (1, 3, 28, 28)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, np.round(got))
    assert got[0].min(axis=(1, 2)).tolist() == [0, 0, 0]
    assert got[0].max(axis=(1, 2)).tolist() == [255, 255, 255]


def test_third_channel_is_what_the_recipe_says(smile):
    size = {"size": SIZE}
    u, v, energy = compute(FlowMap(**size, motion=PLAIN.model_copy(update={"third": "energy"})), smile)[0]
    magnitude = compute(FlowMap(**size, motion=PLAIN.model_copy(update={"third": "magnitude"})), smile)[0, 2]
    np.testing.assert_allclose(energy, u**2 + v**2, rtol=1e-5)
    np.testing.assert_allclose(magnitude, np.hypot(u, v), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("recipe", "printed"),
    [
        (Motion.published(), ("htnet", "box", "mtcnn", 28, "kept", "magnitude", "min_max")),
        (Motion.da_crossvit(), ("da_crossvit", "similarity", "mediapipe", 128, "kept", "energy", "min_max")),
    ],
)
def test_the_movement_of_the_papers_is_what_they_print(recipe, printed):
    told = ("flow", "align", "detector", "side", "head_motion", "third", "scaling")
    assert tuple(getattr(recipe, name) for name in told) == printed


def test_channels_are_reversed_for_svu(smile):
    uvs, svu = (compute(FlowMap(order=order, motion=PLAIN), smile) for order in ("uvs", "svu"))
    np.testing.assert_array_equal(uvs, svu[:, ::-1])


def test_removing_the_head_leaves_little_of_a_head_that_moves_as_a_whole(rightwards):
    kept, removed = (
        compute(FlowMap(motion=Motion(flow="dis", head_motion=head, scaling="pixels")), rightwards)[0, :2]
        for head in ("kept", "removed")
    )
    middle = np.s_[8:20, 8:20]  # of the face
    assert np.median(kept[0][middle]) > 1
    assert np.abs(removed[:, 8:20, 8:20]).mean() < 0.2 * np.abs(kept[:, 8:20, 8:20]).mean()


@pytest.mark.parametrize("side", [192, 384])
def test_flow_is_in_pixels_of_the_square(rightwards, side):
    """The apex is four frames after the onset, each half a pixel of the frame."""
    u = compute(FlowMap(motion=PLAIN.model_copy(update={"side": side})), rightwards)[0, 0]
    assert np.median(u[8:20, 8:20]) == pytest.approx(2 * side / SIZE, rel=0.1)


def test_a_clip_whose_apex_is_its_onset_holds_no_movement_and_is_reported(smile):
    still = with_rows(smile, apex=1)
    recipe = FlowMap(motion=PLAIN)
    assert np.abs(compute(recipe, still)[0, :2]).max() < 0.05
    assert "apex on the onset on 1" in str(report(recipe, still))


@pytest.mark.parametrize("head", ["kept", "removed"])
def test_between_equal_frames_nothing_moves_and_nothing_is_stretched(smile, head):
    """Farnebäck's method sees up to 0.2 px there, which stretching would make a map like any other."""
    recipe = FlowMap(motion=Motion(flow="farneback", head_motion=head))
    assert not compute(recipe, with_rows(smile, apex=1)).any()


# -- mosaic and crops -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_places")
@pytest.mark.parametrize("legacy", [False, True])
def test_the_mosaic_is_cut_around_the_clips_own_points(smile, legacy):
    motion = PLAIN.model_copy(update={"side": 192})
    column, row, _ = compute(FourRegionMosaic(block=5, legacy_swap=legacy, motion=motion), smile)[0]
    on_face = renderer().landmarks(0)
    eyes = [on_face[[33, 133]].mean(axis=0), on_face[[362, 263]].mean(axis=0)]
    points = {"left eye": eyes[0], "right eye": eyes[1], "left lip": on_face[61], "right lip": on_face[291]}
    order = ("left eye", "left lip", "right eye", "right lip") if legacy else tuple(points)
    pixel = SIZE / MAP_SIZE
    for place, name in enumerate(order):
        rows = slice(10 * (place // 2), 10 * (place // 2) + 10)
        columns = slice(10 * (place % 2), 10 * (place % 2) + 10)
        centre = column[rows, columns].mean(), row[rows, columns].mean()
        # Exchanged by the authors' code: rows and columns, and one eye and one lip corner with each other.
        exchanged = {"left lip": "right eye", "right eye": "left lip"}.get(name, name)
        point = points[exchanged][::-1] if legacy else points[name]
        # A window of ten begins at a whole pixel, so its middle lies 0.5 to 1.5 pixels of the map before the point, and
        # the detector errs by some.
        assert np.abs((point - np.array(centre)) / pixel - 1).max() < 0.9, name


@pytest.mark.usefixtures("_places")
def test_a_mosaic_from_a_clip_cuts_as_from_a_map(smile):
    """Same windows, same cells: whatever is at a place of the map is at the same place of the mosaic."""
    recipe = FourRegionMosaic(block=6, motion=PLAIN)
    whole = compute(FlowMap(motion=PLAIN), smile)[0]
    got = compute(recipe, smile)[0]
    points = (renderer().landmarks(0)[[33, 133]].mean(axis=0) + 0.5) * MAP_SIZE / SIZE - 0.5
    x, y = np.floor(points - 6).astype(int)
    near = [whole[:, y + dy : y + dy + 12, x + dx : x + dx + 12] for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    assert any(np.array_equal(got[:, :12, :12], window) for window in near)


@pytest.mark.usefixtures("_places")
@pytest.mark.parametrize(("scheme", "outlines"), [("ten_cells", ten_cells), ("dnc_rois", dnc_rois)])
def test_cells_lie_in_the_order_of_their_scheme_row_by_row(smile, scheme, outlines):
    recipe = RegionCrops(scheme=scheme, cell=12, motion=PLAIN)
    column, row, _ = compute(recipe, smile)[0]
    rows, columns = recipe.grid
    for place, region in enumerate(outlines(renderer().landmarks(0))):
        at = np.s_[12 * (place // columns) :, 12 * (place % columns) :]
        centre = column[at][:12, :12].mean(), row[at][:12, :12].mean()
        assert np.abs(np.array(centre) - region.centre).max() < 4
    assert rows * columns == place + 1


@pytest.mark.usefixtures("_places")
def test_own_window_is_given_in_shares_of_the_square(smile):
    window = Window(x=0.25, y=0.5, width=0.5, height=0.125)
    column, row, _ = compute(RegionCrops(scheme="window", window=window, cell=24, motion=PLAIN), smile)[0]
    # Columns 48 to 143 and rows 96 to 119 of 192, each cell of four columns and one row.
    np.testing.assert_allclose(column[0], np.arange(24) * 4 + 48 + 1.5, atol=0.01)
    np.testing.assert_allclose(row[:, 0], np.arange(24) + 96, atol=0.01)


@pytest.mark.usefixtures("_places")
def test_a_share_cuts_squares_of_that_size_and_moves_them_inside(smile):
    for share, side in ((0.25, 48), (1.0, 192)):
        recipe = RegionCrops(scheme="four_windows", window=share, cell=side, motion=PLAIN)
        column, row, _ = compute(recipe, smile)[0]
        left_eye = np.s_[:side, :side]
        assert np.ptp(column[left_eye]) == np.ptp(row[left_eye]) == side - 1
        assert column.min() >= 0
        assert row.max() <= SIZE - 1
    assert column[left_eye].min() == 0


def test_crops_are_stretched_as_one_map(smile):
    """Else a window where nothing moves would show noise as strong as a smile."""
    whole = compute(FlowMap(size=224, motion=RegionCrops().motion), smile)[0]
    crops = compute(RegionCrops(scheme="window", window=Window(x=0, y=0, width=1, height=1), cell=224), smile)[0]
    np.testing.assert_array_equal(crops, whole)
    corner = RegionCrops(scheme="window", window=Window(x=0, y=0, width=0.1, height=0.1))
    assert np.ptp(compute(corner, smile)[0, 0]) < 128


@pytest.mark.parametrize("scheme", ["four_windows", "ten_cells", "muscle_regions", "dnc_rois"])
def test_every_scheme_fills_its_grid(smile, scheme):
    recipe = RegionCrops(scheme=scheme, cell=8)
    assert compute(recipe, smile).shape == (1, *recipe.shape)


@pytest.mark.parametrize(
    "content",
    [
        {"scheme": "window"},
        {"scheme": "ten_cells", "window": {"x": 0, "y": 0, "width": 1, "height": 1}},
        {"scheme": "window", "window": {"x": 0.6, "y": 0, "width": 0.5, "height": 1}},
        {"scheme": "window", "window": 0.3},
        {"scheme": "ten_cells", "window": 1.5},
        {"scheme": "nine_cells"},
    ],
)
def test_a_window_that_does_not_belong_to_its_scheme_is_refused(content):
    with pytest.raises(ValidationError):
        RegionCrops.model_validate(content)


# -- the face ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def darkening(tmp_path_factory) -> ClipDataset:
    """Each frame is darker than the one before."""
    clip = renderer(gain=np.linspace(1.0, 0.6, 9))
    return clips_of(tmp_path_factory.mktemp("darkening"), dark=clip)


def test_apex_face_is_the_square_around_the_68_landmarks_of_the_apex(smile):
    got = compute(ApexFace(size=128, margin=0.1), smile)[0]
    landmarks = points_68(renderer().landmarks(MIDDLE))
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    half = 0.6 * (high - low).max()
    corner, scale = (low + high) / 2 - half, 128 / (2 * half)
    matrix = np.array([[scale, 0, -scale * corner[0] - 0.5], [0, scale, -scale * corner[1] - 0.5]])
    frame = smile.frames("drawn/s01/smile", [MIDDLE])[0]
    expected = cv2.warpAffine(frame, matrix, (128, 128), borderMode=cv2.BORDER_REPLICATE)
    # The detector is some pixels off the truth.
    assert np.corrcoef(got.ravel(), expected.transpose(2, 0, 1).ravel())[0, 1] > 0.85
    assert (got.min() >= 0, got.max() <= 255) == (True, True)


def test_which_frame_is_taken(darkening):
    onset, apex = (compute(ApexFace(size=64, align="frame", frame=frame), darkening)[0] for frame in ("onset", "apex"))
    assert apex.mean() / onset.mean() == pytest.approx(0.8, abs=0.03)
    last = compute(ApexFace(size=64, align="frame"), with_rows(darkening, apex=9))[0]
    assert last.mean() / onset.mean() == pytest.approx(0.6, abs=0.03)
    middle = compute(ApexFace(size=64, align="frame", apex="middle"), with_rows(darkening, apex=9))[0]
    np.testing.assert_array_equal(middle, apex)


def test_grey_is_the_luminance(smile):
    red, green, blue = compute(ApexFace(), smile)[0]
    grey = compute(ApexFace(grey=True), smile)[0]
    assert grey.shape == (1, 224, 224)
    np.testing.assert_allclose(grey[0], 0.299 * red + 0.587 * green + 0.114 * blue, atol=1)


def test_margin_shows_more_of_the_frame(smile):
    tight, wide = (compute(ApexFace(margin=margin), smile)[0] for margin in (0.0, 0.5))
    small = cv2.resize(tight.transpose(1, 2, 0), (112, 112), interpolation=cv2.INTER_AREA)
    inner = wide[:, 56:168, 56:168].transpose(1, 2, 0)
    assert np.corrcoef(small.ravel(), inner.ravel())[0, 1] > 0.98


# -- angle images -----------------------------------------------------------------------------------------------------

GREY = AngleImage(frames=8, mean="circular", coding="grey", sectors=8, head_motion="kept", flow="dis", since="previous")
RAW = {"head_motion": "kept", "flow": "dis", "threshold": 0.0}


def central(image: np.ndarray) -> np.ndarray:
    """Rows of regions in the middle of the face, where flow has texture and no background."""
    names = [region.name for region in muscle_regions(renderer().landmarks(0))]
    rows = [row for row, name in enumerate(names) if any(part in name for part in ("nose", "lid", "lip", "inner"))]
    assert len(rows) >= 10
    return image[:, rows]


@pytest.mark.parametrize(
    ("right", "down", "sector"),
    [(0.6, -0.3, 0), (0.3, -0.6, 1), (-0.3, -0.6, 2), (-0.6, -0.3, 3), (-0.6, 0.3, 4), (0.3, 0.6, 6), (0.6, 0.3, 7)],
)
def test_sectors_count_from_the_right_upwards(tmp_path, right, down, sector):
    clips = clips_of(tmp_path / "clips", shift=shifting(right, down))
    got = central(compute(GREY, clips)[0])
    assert (got == 255 * sector / 7).mean() > 0.9


def test_cosine_and_sine_say_the_direction_and_the_third_channel_how_far(rightwards):
    cosine, sine, far = central(
        compute(AngleImage(frames=8, side=192, align="frame", since="previous", **RAW), rightwards)[0]
    )
    assert np.median(cosine) > 0.98
    assert abs(np.median(sine)) < 0.15
    assert np.median(far) == pytest.approx(0.5, rel=0.15)


def test_since_the_onset_movement_adds_up(rightwards):
    recipe = AngleImage(frames=8, side=192, align="frame", since="onset", **RAW)
    far = np.median(central(compute(recipe, rightwards)[0])[2], axis=0)
    np.testing.assert_allclose(far, 0.5 * np.arange(1, 9), rtol=0.15, atol=0.05)


def test_the_arithmetic_mean_loses_a_movement_to_the_right(rightwards):
    """Its angles lie on both sides of 0; their mean is anywhere."""
    recipes = (
        AngleImage(frames=8, mean=mean, coding="cos_sin", since="previous", **RAW)
        for mean in ("circular", "arithmetic")
    )
    circular, arithmetic = (central(compute(recipe, rightwards)[0])[0] for recipe in recipes)
    assert circular.mean() > 0.95
    assert arithmetic.mean() < 0.6


def test_angles_of_a_smile_agree_with_the_drawn_flow(smile):
    recipe = AngleImage(frames=8, align="frame", side=192, since="onset", head_motion="kept", flow="dis", threshold=0.0)
    cosine, sine, _ = compute(recipe, smile)[0][:, :, 3]  # up to the apex
    flow, agreed = truth(), []
    for row, region in enumerate(muscle_regions(renderer().landmarks(0))):
        u, v = flow[region.mask(SIZE, SIZE)].mean(axis=0)
        if np.hypot(u, v) > 0.5:
            agreed.append((cosine[row] * u - sine[row] * v) / np.hypot(u, v))
    assert len(agreed) >= 8
    assert np.mean(agreed) > 0.95


def test_the_apex_is_in_the_middle_and_what_the_clip_lacks_says_no_motion(rightwards):
    recipe = AngleImage(frames=20, coding="grey", since="previous", **RAW)
    padded = with_rows(rightwards, apex=3)
    image = compute(recipe, padded)[0, 0]
    # Index 2 is the apex, up to which column 9 shows the movement; the clip's 8 pairs begin 1 before.
    there = (image != -1).any(axis=0)
    assert np.flatnonzero(there).tolist() == list(range(8, 16))
    assert report(recipe, padded).padded == pytest.approx(12 / 20)
    assert "60.0 % of columns padded" in str(report(recipe, padded))
    honest = compute(recipe.model_copy(update={"coding": "cos_sin"}), padded)[0]
    assert (honest[:, :, ~there] == 0).all()


def test_below_the_threshold_nothing_moved(rightwards):
    for coding, still in (("grey", -1), ("cos_sin", 0)):
        recipe = AngleImage(frames=8, coding=coding, head_motion="kept", threshold=50.0)
        assert (compute(recipe, rightwards) == still).all()


def test_coding_of_known_motions():
    angle = np.array([0.1, np.pi / 2 + 0.1, 2 * np.pi - 0.1, 1.0])
    length = np.array([1.0, 2.0, 3.0, 0.01])
    vector = np.stack([length * np.cos(angle), -length * np.sin(angle)], axis=1)
    moved = RegionMotion(length, angle, angle[::-1], vector, np.ones(4, int))

    def coded(**settings):
        return angle_image.coded(moved, AngleImage(threshold=0.1, **settings))

    np.testing.assert_allclose(coded(coding="grey")[0], [*(255 * angle[:3] / (2 * np.pi)), -1])
    np.testing.assert_allclose(coded(coding="grey", sectors=8)[0], [0, 255 * 2 / 7, 255, -1])
    np.testing.assert_allclose(coded(mean="arithmetic")[0], [*np.cos(angle[::-1][:3]), 0])
    np.testing.assert_allclose(coded()[2], [1, 2, 3, 0])
    np.testing.assert_allclose(coded(sectors=8)[:2, 1], [0, 1], atol=1e-12)


@pytest.mark.parametrize("equalise", ["frame", "clip"])
def test_equalisation_changes_what_flow_sees(smile, equalise):
    plain, changed = (compute(AngleImage(frames=4, equalise=how), smile) for how in ("none", equalise))
    assert not np.array_equal(plain, changed)


def test_one_mapping_for_the_clip_spreads_its_grey_values_evenly():
    face = np.random.default_rng(0).normal(100, 8, (64, 64)).round().clip(0, 255).astype(np.uint8)
    table = angle_image._flattening(face)
    assert (np.diff(table.astype(int)) >= 0).all()
    np.testing.assert_array_equal(table[face], cv2.equalizeHist(face))


# -- magnified sequences ----------------------------------------------------------------------------------------------

UNMAGNIFIED = MagnifiedSequence(frames=5, size=SIZE, factor=0, align="frame", head_motion="kept", flow="dis")


def test_a_sequence_goes_in_equal_steps_from_onset_to_apex(darkening):
    grey = compute(UNMAGNIFIED, darkening)[0, :, 0]
    np.testing.assert_allclose(grey.mean(axis=(1, 2)) / grey[0].mean(), 1 - 0.05 * np.arange(5), atol=0.02)
    repeated = compute(UNMAGNIFIED.model_copy(update={"frames": 9}), darkening)[0, :, 0].mean(axis=(1, 2))
    assert len(np.unique(repeated)) == 5
    assert "frames repeated on 1" in str(report(UNMAGNIFIED.model_copy(update={"frames": 9}), darkening))


def test_flow_of_a_sequence_is_that_from_the_onset(smile):
    got = compute(UNMAGNIFIED, smile)[0]
    assert (got[0, 1:] == 0).all()
    valid, error = renderer().valid(0, MIDDLE), []
    for step in (2, 4):
        true = renderer().flow(0, step)
        error.append(np.abs(np.moveaxis(got[step, 1:], 0, -1) - true)[valid].mean() / np.abs(true)[valid].mean())
    assert max(error) < 0.35


def test_a_sequence_begins_at_the_onset_and_not_at_the_first_frame_that_is_read(smile, tmp_path):
    frames = [renderer().frame(index) for index in (4, 3, 2, 1, *range(9))]
    late = with_rows(clips_of(tmp_path, late=frames), onset=5, apex=5 + MIDDLE, offset=13)
    plain, magnified = MagnifiedSequence(frames=3, size=64, factor=0.0), MagnifiedSequence(frames=3, size=64)
    np.testing.assert_allclose(compute(plain, late), compute(plain, smile), atol=1e-4)
    # Magnification looks at the frames before the onset, too.
    difference = np.abs(compute(magnified, late) - compute(magnified, smile)).max(axis=(0, 1, 3, 4))
    assert difference[0] > 1
    assert difference[1:].max() < 1e-4


def test_channels_come_in_the_order_asked_for(smile):
    whole = compute(UNMAGNIFIED, smile)
    some = compute(UNMAGNIFIED.model_copy(update={"channels": ("v", "grey")}), smile)
    np.testing.assert_array_equal(some, whole[:, :, [2, 0]])


def test_magnification_enlarges_the_movement_that_is_seen(tmp_path):
    """A face that sways by half a pixel at 10 Hz."""
    count = 41
    head = np.zeros((count, 6))
    head[:, 0] = 0.25 * np.sin(2 * np.pi * 10 * np.arange(count) / 100) / face().iod
    clips = clips_of(tmp_path / "clips", sway=renderer({}, curve=np.zeros(count), head=head))
    clips = with_rows(clips, onset=1, apex=count)
    recipe = MagnifiedSequence(frames=41, size=SIZE, align="frame", factor=5, band=(5.0, 20.0), channels=("grey",))
    swayed = []
    for factor in (0, 5):
        grey = compute(recipe.model_copy(update={"factor": factor}), clips)[0, :, 0]
        change = grey[8:33] - grey[8:33].mean(axis=0)
        swayed.append(np.sqrt((change**2).mean()))
    assert 4 < swayed[1] / swayed[0] < 8


def test_magnification_without_a_frame_rate_names_the_clip(smile):
    unknown = with_rows(smile, fps=np.nan)
    with pytest.raises(DataError, match=r"1 of 1 clips.*\n.*drawn/s01/smile: magnification needs the frame rate"):
        compute(MagnifiedSequence(), unknown)
    assert compute(MagnifiedSequence(factor=0, frames=2, size=32), unknown).shape == (1, 2, 3, 32, 32)


# -- what stands in for what is missing -------------------------------------------------------------------------------


def test_without_a_face_the_published_points_stand_in_and_are_counted(faceless):
    for recipe in (FlowMap(motion=Motion()), FourRegionMosaic(motion=Motion()), ApexFace(size=32), RegionCrops()):
        assert compute(recipe, faceless).shape == (2, *recipe.shape)
        used = report(recipe, faceless)
        assert (used.fallback, used.detected) == (2, 0)
        assert str(used).startswith("landmarks detected on 0 of 2 clips; published points on 2")
    points = points_used(FourRegionMosaic(motion=Motion()), faceless)
    assert (points.fallback, points.samples) == (2, 2)


@pytest.mark.usefixtures("_places")
def test_published_points_cut_the_windows_of_the_published_maps(faceless, tmp_path):
    levels = [np.full((112, 112, 3), level, np.uint8) for level in (0, 1, 2)]  # of equal frames no flow is computed
    square_frames = clips_of(tmp_path / "square", a=levels)
    motion = Motion(align="frame", side=112, head_motion="kept", scaling="pixels")
    column, row, _ = compute(FourRegionMosaic(block=7, motion=motion), square_frames)[0]
    for place, box in enumerate(region_boxes(7)):
        at = np.s_[14 * (place // 2) :, 14 * (place % 2) :]
        assert (column[at][0, 0], row[at][0, 0]) == pytest.approx((4 * box.x0 + 1.5, 4 * box.y0 + 1.5))


@pytest.mark.parametrize(
    "recipe",
    [
        FlowMap(motion=Motion(no_face="refuse")),
        ApexFace(no_face="refuse"),
        AngleImage(frames=4),
        RegionCrops(scheme="muscle_regions"),
    ],
    ids=lambda recipe: recipe.recipe,
)
def test_clips_without_a_face_are_refused_by_name_all_at_once(faceless, recipe):
    with pytest.raises(DataError, match="2 of 2 clips") as told:
        compute(recipe, faceless)
    assert "drawn/s01/a: " in str(told.value)
    assert "drawn/s01/b: " in str(told.value)
    assert "no face" in str(told.value)


def test_a_missing_apex_is_spotted_and_told(smile):
    unknown = with_rows(smile, apex=None)
    used = report(FlowMap(motion=Motion()), unknown)
    assert used.table["apex_by"].tolist() == ["cell_difference"]
    assert used.spotted == 1
    assert abs(used.table["apex"].iloc[0] - MIDDLE) <= 2
    assert report(ApexFace(apex="middle"), unknown).table["apex_by"].tolist() == ["middle"]


@pytest.mark.parametrize(
    ("choice", "held"), [("dnc_rois", "stable"), ("dnc_rois_published", "none"), ("cell_difference_published", "none")]
)
def test_the_apex_is_the_one_that_the_named_spotter_finds(smile, choice, held):
    """The published spotters register nothing."""
    name = smile.samples["sample_id"].iloc[0]
    used = report(FlowMap(motion=Motion(apex=choice)), smile, cache=False).table.iloc[0]
    onset, _, offset = smile.moments(name)
    points = detector("mediapipe").detect(smile.frames(name, [onset])[0]).face.points
    fps = float(smile.samples["fps"].iloc[0])
    judge = spot(smile.frames(name, range(onset, offset + 1)), points, choice, held, fps=fps)
    assert (used["apex"], used["apex_by"]) == (onset + judge.index, choice)


def test_a_spotted_apex_and_the_middle_are_counted_from_the_first_frame_of_the_clip(tmp_path):
    """Four still frames before the onset, which is annotated."""
    frames = [renderer().frame(index) for index in (0, 0, 0, 0, *range(9))]
    late = with_rows(clips_of(tmp_path, late=frames), onset=5, apex=None, offset=12)
    spotted = report(FlowMap(motion=Motion()), late).table.iloc[0]
    assert abs(spotted["apex"] - (4 + MIDDLE)) <= 1
    middle = report(FlowMap(motion=Motion(apex="middle")), late).table.iloc[0]
    assert middle["apex"] == 7  # of 4 to 11, the earlier of two
    judge = spot(np.stack(frames[4:12]), detector("mediapipe").detect(frames[4]).face.points, fps=100.0)
    assert spotted["apex"] == 4 + judge.index


def test_a_moment_between_two_numbered_frames_is_told(tmp_path):
    clips = clips_of(tmp_path, gap=[renderer().frame(index) for index in range(9)])
    (tmp_path / "gap" / "img5.bmp").unlink()
    with pytest.raises(DataError, match="no frame has these numbers:\n *- apex: frame 5"):
        compute(FlowMap(motion=PLAIN), with_rows(clips, apex=5, n_frames=8))


def test_noise_without_a_common_direction_is_below_the_threshold():
    """It has a mean length, and hardly a mean vector: which of them counts is that of the mean."""
    noise = RegionMotion(
        magnitude=np.array([1.0]),
        circular=np.array([0.7]),
        arithmetic=np.array([0.7]),
        vector=np.array([[0.01, 0.01]]),
        pixels=np.array([99]),
    )
    assert not angle_image.coded(noise, AngleImage(threshold=0.1)).any()
    assert angle_image.coded(noise, AngleImage(threshold=0.1, mean="arithmetic")).any()


def test_without_a_face_to_spot_on_the_middle_frame_is_taken(faceless):
    used = report(FlowMap(motion=Motion()), with_rows(faceless, apex=None))
    assert used.table["apex_by"].tolist() == ["middle", "middle"]
    assert used.table["apex"].tolist() == [2, 2]
    assert "apex taken as the middle on 2" in str(used)


def test_without_onset_and_offset_the_whole_clip_counts(smile):
    unknown = with_rows(smile, onset=None, apex=None, offset=None)
    used = report(FlowMap(motion=PLAIN.model_copy(update={"apex": "middle"})), unknown)
    assert used.table["assumed"].tolist() == ["onset, offset"]
    assert used.table["apex"].tolist() == [4]


def test_a_moment_without_a_frame_is_told(smile):
    with pytest.raises(DataError, match=r"drawn/s01/smile: no frame has these numbers:\n.*offset: frame 77"):
        compute(FlowMap(motion=Motion()), with_rows(smile, offset=77))


@pytest.mark.parametrize("recipe", [FlowMap(motion=PLAIN), AngleImage(frames=2), MagnifiedSequence(size=32)])
def test_frames_of_different_size_are_told(tmp_path, recipe):
    frames = [renderer().frame(0)] * 5
    odd = clips_of(tmp_path, odd=[*frames[:2], frames[2][:-8], *frames[3:]])
    with pytest.raises(DataError, match="odd: .*192x192.* 192x184"):
        compute(recipe, odd)


def test_one_text_is_no_list_of_ids(smile):
    with pytest.raises(ParameterError, match="expected a list of ids, got the text 'drawn/s01/smile'"):
        compute(FlowMap(motion=PLAIN), smile, "drawn/s01/smile")


def test_unknown_clips_are_named(smile):
    with pytest.raises(DataError, match="drawn/s09/none"):
        compute(ApexFace(), smile, ["drawn/s01/smile", "drawn/s09/none"])


# -- maps and clips ---------------------------------------------------------------------------------------------------


def test_a_recipe_on_maps_refuses_clips_and_says_what_to_do(smile):
    with pytest.raises(ParameterError, match="flow_map takes the maps of a data set.*set a motion"):
        compute(FlowMap(), smile)


def test_maps_without_clips_cannot_be_looked_at():
    with pytest.raises(DataError, match="apex_face looks at frames, and .* flow maps alone"):
        compute(ApexFace(), load("toy_flow"))


def test_a_report_needs_clips():
    with pytest.raises(ParameterError, match="made of maps"):
        report(FlowMap(), load("toy_flow"))


# -- recipes as data --------------------------------------------------------------------------------------------------

RECIPES = [
    FlowMap(motion=Motion(flow="dis", third="energy")),
    FlowMap(motion=Motion.published()),
    FlowMap(motion=Motion.da_crossvit()),
    FourRegionMosaic(motion=Motion(apex="dnc_rois")),
    RegionCrops(scheme="window", window=Window(x=0.1, y=0.2, width=0.3, height=0.4)),
    RegionCrops(scheme="ten_cells", window=0.2),
    ApexFace(grey=True),
    AngleImage.published(),
    AngleImage.honest(),
    MagnifiedSequence(band=(2.0, 8.0), channels=("u", "v")),
]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.recipe)
def test_recipes_survive_json_and_yaml_types(recipe):
    reader = TypeAdapter(Recipe)
    assert reader.validate_python(json.loads(recipe.model_dump_json())) == recipe
    assert hash(reader.validate_json(recipe.model_dump_json())) == hash(recipe)


@pytest.mark.parametrize(
    "content",
    [
        {"recipe": "flow_map", "motion": {"flow": "farnebak"}},
        {"recipe": "flow_map", "motion": {"side": 8}},
        {"recipe": "flow_map", "motion": {"apex": "best"}},
        {"recipe": "angle_image", "sectors": 7},
        {"recipe": "angle_image", "no_face": "published"},
        {"recipe": "magnified_sequence", "band": [5, 2]},
        {"recipe": "magnified_sequence", "channels": ["u", "u"]},
        {"recipe": "apex_face", "margin": -1},
    ],
)
def test_wrong_settings_are_refused(content):
    with pytest.raises(ValidationError):
        TypeAdapter(Recipe).validate_python(content)
