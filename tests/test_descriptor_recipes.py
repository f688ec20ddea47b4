"""What handcrafted descriptors look at: temporal interpolation, main directions, and the recipes made of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from mer_lib.datasets.clips import ClipDataset
from mer_lib.datasets.frames.source import FrameSource
from mer_lib.errors import DataError, ParameterError
from mer_lib.faces.regions import muscle_pairs
from mer_lib.features import FaceSequence, Recipe, RegionDirections, compute, report
from mer_lib.features.builders import BUILDERS
from mer_lib.features.clip import Clip, annotation_of
from mer_lib.motion import grey8
from mer_lib.motion.main_direction import main_direction
from mer_lib.motion.time_interpolation import time_interpolated
from tests.feature_clips import SIZE, clips_of, drawn, renderer, shifting, with_rows

WHOLE = FaceSequence(frames=9, size=SIZE, align="frame")
DIRECTIONS = RegionDirections(frames=2, flow="dis", align="frame", side=SIZE, head_motion="kept")


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def shift(tmp_path_factory) -> ClipDataset:
    """A head that moves half a pixel to the right and a quarter up, each frame."""
    clips = clips_of(tmp_path_factory.mktemp("shift"), shift=shifting(0.5, -0.25))
    return with_rows(clips, onset=1, apex=5, offset=9)


# -- interpolation in time ---------------------------------------------------------------------------------------------


def by_embedding(frames: np.ndarray, count: int) -> np.ndarray:
    """As Zhou, Zhao and Pietikäinen write it down: centre, singular vectors, curve of the graph, and back."""
    n = len(frames)
    X = frames.reshape(n, -1).T
    mean = X.mean(axis=1, keepdims=True)
    U, S, Vt = np.linalg.svd(X - mean, full_matrices=False)
    U, Q = U[:, : n - 1], np.diag(S[: n - 1]) @ Vt[: n - 1]

    def curve(t: float) -> np.ndarray:
        return np.array([np.sin(np.pi * k * t + np.pi * (n - k) / (2 * n)) for k in range(1, n)])

    there = np.stack([curve((i + 1) / n) for i in range(n)], axis=1)
    W = np.linalg.lstsq(Q.T, there.T, rcond=None)[0]
    between = np.stack([curve(t) for t in np.linspace(1 / n, 1, count)], axis=1)
    return (U @ np.linalg.inv(W.T) @ between + mean).T.reshape(count, *frames.shape[1:])


@pytest.mark.parametrize(("frames", "count"), [(7, 10), (23, 10), (2, 5), (6, 6)])
def test_interpolation_is_that_of_the_embedded_curve(frames, count):
    clip = np.random.default_rng(frames).normal(size=(frames, 6, 7))
    np.testing.assert_allclose(time_interpolated(clip, count), by_embedding(clip, count), atol=1e-9)


def test_its_waves_are_the_eigenvectors_of_a_path():
    n = 9
    path = np.diag([1.0, *[2.0] * (n - 2), 1.0]) - np.eye(n, k=1) - np.eye(n, k=-1)
    waves = np.cos(np.pi * np.outer(np.arange(n) + 0.5, np.arange(n)) / n)
    values = np.linalg.eigvalsh(path)
    np.testing.assert_allclose(path @ waves, waves * values, atol=1e-12)
    # A wave of the path is a wave between its points, too.
    fine = time_interpolated(waves[:, 3], 4 * (n - 1) + 1)
    np.testing.assert_allclose(fine, np.cos(np.pi * (np.linspace(0, n - 1, len(fine)) + 0.5) * 3 / n), atol=1e-12)


def test_what_stays_stays_and_one_frame_is_enough():
    np.testing.assert_allclose(time_interpolated(np.full((5, 2), 7.0), 8), 7.0)
    np.testing.assert_allclose(time_interpolated(np.array([[3.0, 4.0]]), 3), [[3.0, 4.0]] * 3)
    with pytest.raises(ParameterError, match="at least 1"):
        time_interpolated(np.zeros((0, 2)), 3)
    with pytest.raises(ParameterError, match="at least 1"):
        time_interpolated(np.zeros((4, 2)), 0)


# -- main direction ----------------------------------------------------------------------------------------------------


def test_the_main_direction_is_the_mean_of_the_fullest_sector():
    rng = np.random.default_rng(0)
    vectors = np.concatenate([rng.normal((1.0, -0.5), 0.1, (30, 2)), rng.normal((-3.0, 2.0), 0.1, (20, 2))])
    angle = np.arctan2(-vectors[:, 1], vectors[:, 0]) % (2 * np.pi)
    counts, sums = np.zeros(8), np.zeros((8, 2))
    for vector, at in zip(vectors, (angle // (np.pi / 4)).astype(int), strict=True):
        counts[at] += 1
        sums[at] += vector
    np.testing.assert_allclose(main_direction(vectors), sums[counts.argmax()] / counts.max())
    assert np.abs(vectors.mean(axis=0) - main_direction(vectors)).max() > 1  # the strays pull the plain mean away


def test_no_vector_has_no_direction_and_other_shapes_are_refused():
    assert np.isnan(main_direction(np.zeros((0, 2)))).all()
    assert (main_direction(np.zeros((3, 2))) == 0).all()
    with pytest.raises(ParameterError, match=r"\(3,\)"):
        main_direction(np.zeros(3))


# -- recipes -----------------------------------------------------------------------------------------------------------


def test_as_many_frames_as_there_are_come_out_as_they_went_in(smile):
    grey = np.stack([grey8(frame) for frame in drawn(renderer())])
    annotation = annotation_of(smile, "drawn/s01/smile")
    assert (annotation.onset, annotation.offset) == (0, 8)
    for how in ("tim", "nearest"):
        got = compute(WHOLE.model_copy(update={"interpolation": how}), smile)
        np.testing.assert_array_equal(got[0, :, 0], grey)


def test_interpolated_frames_are_whole_grey_values_between_the_ends(smile):
    grey = np.stack([grey8(frame) for frame in drawn(renderer())])
    got = compute(WHOLE.model_copy(update={"frames": 12}), smile)[0, :, 0]
    np.testing.assert_array_equal(got[[0, -1]], grey[[0, -1]])
    np.testing.assert_array_equal(got, np.rint(got).clip(0, 255))
    assert np.abs(got - time_interpolated(grey, 12).clip(0, 255)).max() <= 0.5 + 1e-4
    assert "frames repeated" in str(report(WHOLE.model_copy(update={"frames": 12}), smile))


def test_a_sequence_may_end_at_the_apex(smile):
    to_apex = WHOLE.model_copy(update={"frames": 5, "until": "apex"})
    np.testing.assert_array_equal(compute(to_apex, smile)[0], compute(WHOLE, smile)[0, :5])


def test_the_face_fills_the_square_as_asked(smile):
    assert compute(FaceSequence(size=32), smile).shape == (1, 10, 1, 32, 32)
    assert report(FaceSequence(size=32), smile).detected == 1


def test_regions_of_a_shifted_head_all_move_with_it(shift):
    got = compute(DIRECTIONS, shift)[0]
    assert got.shape == (2, 42, 2)
    # At the fifth and at the ninth frame.
    np.testing.assert_allclose(np.median(got, axis=1), [[2.0, 4.0], [-1.0, -2.0]], atol=0.2)
    still = compute(DIRECTIONS.model_copy(update={"head_motion": "removed"}), shift)[0]
    assert np.abs(np.median(still, axis=1)).max() < 0.2


def test_the_end_may_be_the_apex(shift):
    to_apex = compute(DIRECTIONS.model_copy(update={"frames": 1, "until": "apex"}), shift)[0, :, :, 0]
    np.testing.assert_array_equal(to_apex, compute(DIRECTIONS, shift)[0, :, :, 0])


def test_other_sectors_keep_other_vectors(smile):
    eight, five = (compute(DIRECTIONS.model_copy(update={"sectors": count}), smile) for count in (8, 5))
    assert not np.array_equal(eight, five)


def test_a_smile_moves_both_corners_of_the_lips_up_and_outwards(smile):
    names = [f"{side} {pair.name}" for pair in muscle_pairs() for side in ("left", "right")]
    recipe = RegionDirections(frames=1, flow="dis", until="apex", align="frame", side=SIZE)
    u, v = compute(recipe, smile)[0, :, :, 0]
    strong = np.hypot(u, v) > 0.5 * np.hypot(u, v).max()
    left, right = (np.array([name.startswith(side) for name in names]) for side in ("left", "right"))
    assert strong.any()
    assert u[strong & left].mean() < 0 < u[strong & right].mean()
    assert v[strong].mean() < 0


def test_a_clip_without_a_face_has_no_regions(tmp_path):
    blank = clips_of(tmp_path, blank=[np.full((SIZE, SIZE, 3), 90, np.uint8)] * 3)
    with pytest.raises(DataError, match="drawn/s01/blank"):
        compute(RegionDirections(frames=1), blank)
    assert compute(FaceSequence(size=32, frames=3), blank).shape == (1, 3, 1, 32, 32)


@dataclasses.dataclass
class Watched:
    """A source that takes note of which frames are read."""

    source: FrameSource
    seen: set[int] = dataclasses.field(default_factory=set)

    def read(self, indices: Sequence[int]) -> object:
        self.seen |= set(indices)
        return self.source.read(indices)

    def stream(self, start: int, stop: int) -> object:
        self.seen |= set(range(start, stop))
        return self.source.stream(start, stop)


@pytest.mark.parametrize("apex", ["annotated", "middle", "cell_difference"])
@pytest.mark.parametrize("until", ["apex", "offset"])
@pytest.mark.parametrize("recipe", [FaceSequence(size=32), RegionDirections(frames=3, side=64)])
def test_every_frame_that_is_read_is_among_those_that_decide(shift, recipe, until, apex):
    recipe = recipe.model_copy(update={"until": until, "apex": apex})
    annotation = dataclasses.replace(annotation_of(shift, "drawn/s01/shift"), onset=1, offset=7)
    watched, builder = Watched(shift.sources["drawn/s01/shift"]), BUILDERS[recipe.recipe]
    builder.make(recipe, Clip("drawn/s01/shift", watched, annotation))
    assert watched.seen <= set(builder.frames(recipe, annotation))


@pytest.mark.parametrize(
    "fields",
    [
        {"recipe": "face_sequence", "frames": 2},
        {"recipe": "face_sequence", "interpolation": "spline"},
        {"recipe": "region_directions", "flow": "none"},
        {"recipe": "region_directions", "no_face": "published"},
        {"recipe": "region_directions", "sectors": 1},
    ],
)
def test_recipes_out_of_range_are_refused(fields):
    with pytest.raises(ValidationError, match=list(fields)[1]):
        TypeAdapter(Recipe).validate_python(fields)
