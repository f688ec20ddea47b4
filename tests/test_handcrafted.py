"""Handcrafted descriptors against naive loops, scikit-image, and what follows from their definitions."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from pydantic import TypeAdapter
from skimage.feature import local_binary_pattern
from sklearn.base import clone

from mer_lib.errors import ParameterError
from mer_lib.evaluation.methods import METHODS, make_estimator
from mer_lib.evaluation.variant import ModelSpec, Variant
from mer_lib.features import Recipe
from mer_lib.handcrafted import REGISTRY
from mer_lib.handcrafted.bi_woof import BiWOOF
from mer_lib.handcrafted.lbp_sip import LBPSIP
from mer_lib.handcrafted.lbp_top import LBPTOP
from mer_lib.handcrafted.mdmo import MDMO
from mer_lib.handcrafted.patterns import block_histograms, uniform_bins
from mer_lib.handcrafted.svm import OneScale

RECIPES = TypeAdapter(Recipe)


def volume(frames: int = 11, side: int = 13, levels: int = 4, seed: int = 0) -> np.ndarray:
    """Grey values of which many are equal."""
    return np.random.default_rng(seed).integers(0, levels, (frames, side, side + 2)).astype(np.float64)


def described(descriptor: object, grey: np.ndarray) -> np.ndarray:
    return descriptor.fit_transform(grey[None, :, None])[0]


# -- local binary patterns ---------------------------------------------------------------------------------------------


def interpolated(grey: np.ndarray, t: float, y: float, x: float) -> float:
    low = [int(np.floor(at)) for at in (t, y, x)]
    value = 0.0
    for up in product((0, 1), repeat=3):
        weight = 1.0
        for at, floor, bit in zip((t, y, x), low, up, strict=True):
            weight *= at - floor if bit else 1 - (at - floor)
        if weight > 1e-9:
            value += weight * grey[low[0] + up[0], low[1] + up[1], low[2] + up[2]]
    return value


def naive_lbp_top(
    grey: np.ndarray, blocks: int, planes: dict[str, tuple[float, float]], margin: tuple[int, int, int], count: int
) -> np.ndarray:
    """Pixel by pixel: planes are given by the radii along their two axes."""
    steps = {"XY": lambda a, b: (0, -b, a), "XT": lambda a, b: (-b, 0, a), "YT": lambda a, b: (-b, a, 0)}
    frames, rows, columns = grey.shape
    histogram = np.zeros((blocks, blocks, 3, 2**count))
    for plane, name in enumerate(("XY", "XT", "YT")):
        first, second = planes[name]
        for t in range(margin[0], frames - margin[0]):
            for y in range(margin[1], rows - margin[1]):
                for x in range(margin[2], columns - margin[2]):
                    code = 0
                    for p in range(count):
                        angle = 2 * np.pi * p / count
                        a, b = round(first * np.cos(angle), 5), round(second * np.sin(angle), 5)
                        dt, dy, dx = steps[name](a, b)
                        if interpolated(grey, t + dt, y + dy, x + dx) >= grey[t, y, x] - 1e-6:
                            code += 2**p
                    histogram[y * blocks // rows, x * blocks // columns, plane, code] += 1
    return (histogram / histogram.sum(axis=3, keepdims=True)).ravel()


@pytest.mark.parametrize(
    ("radii_of", "planes", "margin"),
    [
        ("axes", {"XY": (1, 2), "XT": (1, 3), "YT": (2, 3)}, (3, 2, 1)),
        ("planes", {"XY": (1, 1), "XT": (2, 2), "YT": (3, 3)}, (3, 3, 2)),
    ],
)
def test_lbp_top_is_what_a_naive_loop_counts(radii_of, planes, margin):
    grey = volume()
    got = described(LBPTOP(blocks=3, radii=(1, 2, 3), radii_of=radii_of), grey)
    np.testing.assert_allclose(got, naive_lbp_top(grey, 3, planes, margin, 4), atol=1e-6)


def test_neighbours_between_pixels_are_interpolated_in_all_planes():
    grey = np.random.default_rng(1).normal(size=(9, 8, 8))
    planes = {"XY": (1, 2), "XT": (1, 3), "YT": (2, 3)}
    got = described(LBPTOP(blocks=2, radii=(1, 2, 3), neighbours=8), grey)
    np.testing.assert_allclose(got, naive_lbp_top(grey, 2, planes, (3, 2, 1), 8), atol=1e-6)


@pytest.mark.parametrize("neighbours", [4, 8])
def test_the_pattern_in_the_image_is_that_of_scikit_image(neighbours):
    grey = np.random.default_rng(2).integers(0, 60_000, (3, 20, 22))
    found = LBPTOP(radii=(1, 1, 1), neighbours=neighbours).planes(grey)["XY"]
    expected = local_binary_pattern(grey[1], neighbours, 1, "default")[1:-1, 1:-1]
    np.testing.assert_array_equal(found[0], expected)


def test_uniform_patterns_are_those_of_scikit_image():
    grey = np.random.default_rng(3).integers(0, 60_000, (3, 60, 60))
    found = LBPTOP(radii=(1, 1, 1), neighbours=8).planes(grey)["XY"][0]
    ours = uniform_bins(8)[found]
    theirs = local_binary_pattern(grey[1], 8, 1, "nri_uniform")[1:-1, 1:-1]
    pairs = {(int(a), int(b)) for a, b in zip(ours.ravel(), theirs.ravel(), strict=True)}
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}) > 50
    assert described(LBPTOP(radii=(1, 1, 1), neighbours=8, coding="uniform", blocks=1), grey).shape == (3 * 59,)


def test_lbp_sip_is_what_a_naive_loop_counts():
    grey = volume()
    frames, rows, columns = grey.shape
    image, time = np.zeros((3, 3, 16)), np.zeros((3, 3, 4))
    for t in range(3, frames - 3):
        for y in range(2, rows - 2):
            for x in range(2, columns - 2):
                centre, block = grey[t, y, x], (y * 3 // rows, x * 3 // columns)
                around = (grey[t, y, x + 2], grey[t, y - 2, x], grey[t, y, x - 2], grey[t, y + 2, x])
                image[block][sum(2**p for p, value in enumerate(around) if value >= centre)] += 1
                time[block][(grey[t - 3, y, x] >= centre) + 2 * (grey[t + 3, y, x] >= centre)] += 1
    expected = np.concatenate([part / part.sum(axis=2, keepdims=True) for part in (image, time)], axis=2)
    np.testing.assert_allclose(described(LBPSIP(blocks=3, radius=2, radius_t=3), grey), expected.ravel(), atol=1e-6)


def test_lbp_sip_holds_what_lbp_top_tells_of_its_six_neighbours():
    grey = volume()
    planes = LBPTOP(radii=(1, 1, 4)).planes(grey)
    image, time = LBPSIP(radius=1, radius_t=4).patterns(grey)
    np.testing.assert_array_equal(image, planes["XY"])
    before_and_after = (planes["XT"] >> 1 & 1) + 2 * (planes["XT"] >> 3 & 1)
    np.testing.assert_array_equal(time, before_and_after)


@pytest.mark.parametrize("descriptor", [LBPTOP(blocks=2), LBPSIP(blocks=2)])
def test_patterns_do_not_see_light_that_grows_with_grey_values(descriptor):
    grey = volume()
    np.testing.assert_array_equal(described(descriptor, grey), described(descriptor, 3 * grey + 20))
    assert not np.array_equal(described(descriptor, grey), described(descriptor, 3 - grey))


def test_a_still_clip_has_no_pattern_in_time():
    still = np.repeat(volume(1), 10, axis=0)
    histograms = described(LBPSIP(blocks=2), still).reshape(4, 20)
    np.testing.assert_array_equal(histograms[:, 16:], [[0, 0, 0, 1]] * 4)


def test_light_that_changes_over_time_is_a_pattern_although_nothing_moves():
    still = np.repeat(20 * volume(1), 10, axis=0)
    brighter = still + 0.1 * np.arange(10)[:, None, None]
    histograms = described(LBPSIP(blocks=2), brighter).reshape(4, 20)
    np.testing.assert_array_equal(histograms[:, 16:], [[0, 0, 1, 0]] * 4)


def test_every_histogram_sums_to_one_and_a_block_without_codes_is_empty():
    assert described(LBPTOP(), volume(10, 20)).reshape(25, 3, 16).sum(axis=2) == pytest.approx(np.ones((25, 3)))
    # Rows 0 and 4 of five are margins, so their blocks have nothing to count.
    counted = block_histograms(np.zeros((1, 3, 3), np.int64), 2, 5, (1, 1)).reshape(5, 5, 2)
    np.testing.assert_array_equal(counted[..., 0], np.pad(np.ones((3, 3)), 1))


def test_published_sizes():
    faces = np.zeros((1, 10, 1, 30, 30))
    assert LBPTOP().fit_transform(faces).shape == (1, 5 * 5 * 3 * 16)
    assert LBPSIP().fit_transform(faces).shape == (1, 5 * 5 * 20)
    assert LBPTOP().planes(np.zeros((10, 30, 30)))["XT"].shape == (2, 28, 28)


# -- directions of flow ------------------------------------------------------------------------------------------------


def flow_map(seed: int = 0, rows: int = 12, columns: int = 17) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(size=(2, rows, columns)), rng.random((1, rows, columns))])


@pytest.mark.parametrize("local", ["magnitude", "strain", "none"])
@pytest.mark.parametrize("whole", ["magnitude", "strain", "none"])
def test_bi_woof_is_what_a_naive_loop_sums(local, whole):
    u, v, strain = flow_map()
    sums, weights, pixels = np.zeros((3, 3, 8)), np.zeros((3, 3)), np.zeros((3, 3))
    for y, x in product(range(12), range(17)):
        block = (y * 3 // 12, x * 3 // 17)
        angle = np.arctan2(-v[y, x], u[y, x]) % (2 * np.pi)
        values = {"magnitude": np.hypot(u[y, x], v[y, x]), "strain": strain[y, x], "none": 1.0}
        sums[block][int(angle // (np.pi / 4))] += values[local]
        weights[block] += values[whole]
        pixels[block] += 1
    relative = weights / pixels / (weights.sum() / pixels.sum())
    expected = sums / pixels[..., None] * relative[..., None]
    got = BiWOOF(blocks=3, local_weight=local, global_weight=whole).fit_transform(flow_map()[None])[0]
    np.testing.assert_allclose(got, expected.ravel(), rtol=1e-5)


def test_bi_woof_turns_with_the_flow_and_grows_with_it():
    u, v, strain = flow_map()
    plain, turned, doubled = BiWOOF(blocks=2).fit_transform(
        np.array([(u, v, strain), (v, -u, strain), (2 * u, 2 * v, 2 * strain)])
    )
    # Upwards is to the right, turned by two of eight sectors.
    np.testing.assert_allclose(np.roll(plain.reshape(4, 8), 2, axis=1), turned.reshape(4, 8), rtol=1e-5)
    np.testing.assert_allclose(doubled, 2 * plain, rtol=1e-5)


def test_bi_woof_of_a_still_face_is_empty():
    assert (BiWOOF().fit_transform(np.zeros((1, 3, 10, 10))) == 0).all()


def test_the_median_stands_for_the_zero_that_a_stretched_map_has_lost():
    """Two corners move, the rest is still; then each channel is shifted, as stretching to 0 to 255 does."""
    moved = np.zeros((1, 3, 10, 10))
    moved[0, :, :2, :2], moved[0, :, 8:, 8:] = 3.0, 1.0
    shifted = 40 * moved + np.array([100.0, 90.0, 10.0])[:, None, None]
    at_rest = BiWOOF(rest="median").fit_transform(shifted)
    np.testing.assert_allclose(at_rest, 40 * BiWOOF().fit_transform(moved), rtol=1e-5)
    assert (at_rest[0].reshape(25, 8)[1:24] == 0).all()
    assert (BiWOOF().fit_transform(shifted)[0].reshape(25, 8)[1:24].sum(axis=1) > 0).all()


def directions(*degrees: float, length: float = 1.0) -> np.ndarray:
    """One sample (1, 2, regions, 2): each region moves alike at both moments."""
    angle = np.radians(degrees)
    return np.stack([length * np.cos(angle), -length * np.sin(angle)])[None, :, :, None].repeat(2, axis=3)


def test_mdmo_takes_the_mean_over_time_of_u_and_of_v():
    sample = np.random.default_rng(0).normal(size=(1, 2, 42, 5))
    np.testing.assert_allclose(MDMO().fit_transform(sample)[0], sample[0].mean(axis=2).ravel(), atol=1e-6)


def test_published_mdmo_has_lengths_as_shares_and_weighted_angles():
    sample = np.concatenate([directions(90, length=2.0), directions(180, length=0.5)], axis=2)
    got = MDMO(coding="polar", beta=0.7).fit_transform(sample)[0]
    np.testing.assert_allclose(got, [0.7, 0.7 / 4, 0.3 * np.pi / 2, 0.3 * np.pi], atol=1e-6)
    stronger = MDMO(coding="polar", beta=0.7).fit_transform(10 * sample)[0]
    np.testing.assert_allclose(got, stronger, atol=1e-6)
    assert (MDMO(coding="polar").fit_transform(0 * sample) == 0).all()


def test_polar_coding_tears_neighbours_at_the_seam_apart():
    above, below = directions(2.0), directions(-2.0)
    near = np.ptp(MDMO(coding="vector").fit_transform(np.concatenate([above, below])), axis=0).max()
    far = np.ptp(MDMO(coding="polar", beta=0.0).fit_transform(np.concatenate([above, below])), axis=0).max()
    assert near < 0.08
    assert far > 6


# -- what all have in common -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("descriptor", "faults"),
    [
        (
            LBPTOP(blocks=0, radii=(1, 0, 4), radii_of="x", neighbours=6, coding="y"),
            ("blocks", "radii: expected a whole", "radii_of", "neighbours", "coding"),
        ),
        (LBPTOP(radii=(1, 1)), ("radii: expected three",)),
        (LBPSIP(blocks=True, radius=0, radius_t=1.5), ("blocks", "radius:", "radius_t")),
        (
            BiWOOF(blocks=0, bins=1, local_weight="u", global_weight="v", rest="mean"),
            ("blocks", "bins", "local_weight", "global_weight", "rest"),
        ),
        (MDMO(coding="circle", beta=2), ("coding", "beta")),
    ],
)
def test_all_wrong_parameters_are_said_at_once(descriptor, faults):
    with pytest.raises(ParameterError) as error:
        descriptor.fit(np.zeros(1))
    assert all(fault in str(error.value) for fault in faults)
    assert len(str(error.value).splitlines()) == len(faults) + 1


@pytest.mark.parametrize(
    ("descriptor", "shape"),
    [
        (LBPTOP(), (1, 8, 1, 20, 20)),  # a radius of 4 needs nine frames
        (LBPTOP(), (1, 10, 3, 20, 20)),
        (LBPSIP(), (1, 10, 20, 20)),
        (BiWOOF(), (1, 2, 20, 20)),
        (BiWOOF(blocks=5), (1, 3, 4, 20)),
        (MDMO(), (1, 3, 42, 4)),
    ],
)
def test_another_input_is_refused_with_its_shape(descriptor, shape):
    with pytest.raises(ParameterError, match=rf"{type(descriptor).__name__}: expected .*got float64 \({shape[0]}, "):
        descriptor.fit_transform(np.zeros(shape))


def small(name: str) -> dict:
    """The recipe of an entry, with inputs that are drawn in a moment."""
    sizes = {"face_sequence": {"size": 24}, "flow_map": {"size": 20}, "region_directions": {"frames": 2}}
    recipe = REGISTRY[name].recipe
    return {**recipe, **sizes[recipe["recipe"]]}


def inputs(name: str, classes: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Samples whose classes differ in texture and in movement."""
    rng = np.random.default_rng(seed)
    shape, y = RECIPES.validate_python(small(name)).shape, np.repeat(classes, 4)
    offset = np.linspace(0, 1, int(np.prod(shape))).reshape(shape)
    return np.stack([rng.normal(size=shape) + 40 * np.sin(9 * (label + 1) * offset) for label in y]), y


@pytest.mark.parametrize("name", REGISTRY)
def test_every_entry_is_a_method_that_learns(name):
    assert name in METHODS
    X, y = inputs(name, (0, 1, 2))
    variant = Variant(features=small(name), model=ModelSpec(name=name, params={"C": 100.0}))
    method = make_estimator(variant, seed=0).fit(X, y)
    proba = method.predict_proba(X)
    assert (method.predict(X) == y).all()
    np.testing.assert_array_equal(method.classes_[proba.argmax(axis=1)], y)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_array_equal(clone(method).fit(X, y).predict_proba(X), proba)
    np.testing.assert_array_equal(method.predict_proba(X[:1]), proba[:1])


@pytest.mark.parametrize("name", REGISTRY)
def test_a_class_may_be_missing(name):
    X, y = inputs(name, (0, 2))
    method = REGISTRY[name].factory().fit(X, y)
    assert method.predict_proba(X).shape == (8, 2)
    assert set(method.predict(X)) <= {0, 2}


@pytest.mark.parametrize("name", REGISTRY)
@pytest.mark.parametrize("params", [{"C": 0.0}, {"class_weight": "even"}, {"depth": 3}])
def test_wrong_parameters_of_a_method_are_found_before_any_work(name, params):
    variant = Variant(features=small(name), model=ModelSpec(name=name, params=params))
    with pytest.raises(ParameterError, match=next(iter(params))):
        make_estimator(variant, seed=0)


def test_one_scale_keeps_what_is_weighed_heavily():
    X = np.random.default_rng(0).normal(3.0, [1.0, 7.0], (50, 2))
    scaled = OneScale().fit(X).transform(X)
    np.testing.assert_allclose(scaled, (X - X.mean(axis=0)) / np.sqrt(X.var(axis=0).sum()))
    assert (OneScale().fit_transform(np.ones((3, 2))) == 0).all()
