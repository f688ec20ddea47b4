"""Eulerian magnification of gratings whose movement is known exactly, and of what must not change."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import signal

from mer_lib.errors import ParameterError
from mer_lib.motion import band_passed, default_band, level_factors, magnify

FPS, FRAMES, SIDE = 100, 200, 128
BAND = (3.0, 8.0)
FACTOR = 4.0
TIMES = np.arange(FRAMES) / FPS
FILTERS = ("butterworth", "ideal")


def grating(displacement: np.ndarray, wavelength: float, across: bool = False) -> np.ndarray:
    """A clip (T, H, W) of a smooth grating that is displaced by some px in each frame."""
    x = np.arange(SIDE)
    rows = 0.5 + 0.25 * np.cos(2 * np.pi * (x - displacement[:, None]) / wavelength)
    clip = np.repeat(rows[:, None], SIDE, axis=1).astype(np.float32)
    return np.swapaxes(clip, 1, 2) if across else clip


def displacement_in(clip: np.ndarray, wavelength: float, across: bool = False) -> np.ndarray:
    """Where the grating lies in each frame, px, by the phase of its wave over whole periods in the middle."""
    line = (np.swapaxes(clip, 1, 2) if across else clip)[:, SIDE // 2]
    part = slice(16, 16 + int(96 // wavelength * wavelength))
    wave = np.exp(-2j * np.pi * np.arange(SIDE)[part] / wavelength)
    return -np.unwrap(np.angle(line[:, part] @ wave - line[:, part].mean(axis=1) * wave.sum())) * wavelength / 2 / np.pi


def swing(displacement: np.ndarray, frequency: float) -> float:
    """Amplitude at a frequency, by least squares over the middle half of the clip."""
    inner = slice(FRAMES // 4, 3 * FRAMES // 4)
    angle = 2 * np.pi * frequency * TIMES
    waves = np.column_stack([np.sin(angle), np.cos(angle), np.ones_like(angle)])[inner]
    return float(np.hypot(*np.linalg.lstsq(waves, displacement[inner], rcond=None)[0][:2]))


def sway(frequency: float, amplitude: float = 0.2) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * frequency * TIMES)


# -- what is magnified, and what is not -------------------------------------------------------------------------------


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("wavelength", [24, 32, 48])
@pytest.mark.parametrize("filter", FILTERS)
def test_a_movement_in_the_band_is_magnified_by_one_and_the_factor(filter, wavelength, across) -> None:
    clip = grating(sway(5), wavelength, across)
    assert swing(displacement_in(clip, wavelength, across), 5) == pytest.approx(0.2, rel=0.001)
    large = magnify(clip, FPS, BAND, FACTOR, filter=filter)
    assert swing(displacement_in(large, wavelength, across), 5) == pytest.approx((1 + FACTOR) * 0.2, rel=0.03)


@pytest.mark.parametrize("frequency", [1, 20])
@pytest.mark.parametrize("filter", FILTERS)
def test_a_movement_outside_of_the_band_is_not(filter, frequency) -> None:
    large = magnify(grating(sway(frequency), 32), FPS, BAND, FACTOR, filter=filter)
    assert swing(displacement_in(large, 32), frequency) == pytest.approx(0.2, rel=0.02)


@pytest.mark.parametrize("filter", FILTERS)
def test_of_two_movements_at_once_only_the_one_in_the_band_grows(filter) -> None:
    large = magnify(grating(sway(5, 0.1) + sway(1, 0.5), 32), FPS, BAND, FACTOR, filter=filter)
    found = displacement_in(large, 32)
    assert swing(found, 5) == pytest.approx(0.5, rel=0.05)
    assert swing(found, 1) == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize("edge", BAND)
def test_at_the_ends_of_the_band_half_comes_through_butterworths_filter(edge) -> None:
    large = magnify(grating(sway(edge), 32), FPS, BAND, FACTOR)
    assert swing(displacement_in(large, 32), edge) == pytest.approx((1 + FACTOR / 2) * 0.2, rel=0.03)


def test_nothing_is_delayed() -> None:
    small = sway(5)
    large = displacement_in(magnify(grating(small, 32), FPS, BAND, FACTOR), 32)
    inner = slice(50, 150)
    lags = {lag: np.dot(large[50 + lag : 150 + lag] - large[inner].mean(), small[inner]) for lag in range(-4, 5)}
    assert max(lags, key=lags.get) == 0


@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize("colour", [False, True])
def test_a_static_clip_stays_static_to_the_last_bit(filter, colour) -> None:
    shape = (40, 50, 3) if colour else (40, 50)
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    clip = np.repeat(image[None], 30, axis=0)
    assert not band_passed(clip, FPS, factor=50, filter=filter, band=(2, 20)).any()
    np.testing.assert_array_equal(magnify(clip, FPS, (2, 20), 50, filter=filter), clip.astype(np.float32) / 255)


def test_brightness_that_changes_everywhere_at_once_is_no_movement() -> None:
    flicker = (0.5 + 0.05 * np.sin(2 * np.pi * 5 * TIMES)).astype(np.float32)
    clip = np.repeat(np.repeat(flicker[:, None, None], 64, axis=1), 64, axis=2)
    assert np.abs(band_passed(clip, FPS, BAND, FACTOR)).max() < 1e-5


def test_a_bump_as_short_as_a_micro_expression_grows_by_most_of_the_factor() -> None:
    """The shares that the default band is said to let through."""
    shares = []
    for rise, fall, margin in ((0.06, 0.06, 0.0), (0.13, 0.18, 0.1), (0.22, 0.28, 0.5)):
        times = np.arange(int((2 * margin + rise + fall) * 200) + 1) / 200 - margin
        up, down = np.clip(times / rise, 0, 1), np.clip((times - rise) / fall, 0, 1)
        curve = up**3 * (up * (6 * up - 15) + 10) * (1 - down**3 * (down * (6 * down - 15) + 10))
        apex = curve.argmax()
        large = displacement_in(magnify(grating(0.2 * curve, 32), 200, factor=FACTOR), 32)
        shares.append(((large[apex] - large[0]) / 0.2 - 1) / FACTOR)
    assert min(shares) > 0.65
    assert max(shares) < 1.05


# -- how --------------------------------------------------------------------------------------------------------------


def noise(count: int = 40, size: tuple[int, ...] = (33, 47)) -> np.ndarray:
    return np.random.default_rng(1).uniform(0.3, 0.7, (count, *size)).astype(np.float32)


def without_the_coarsest(image: np.ndarray, levels: int) -> np.ndarray:
    """All levels of a Laplacian pyramid at once: the image but for its blurred, small copy."""
    sizes, small = [], image
    for _ in range(levels):
        sizes.append(small.shape[::-1])
        small = cv2.pyrDown(small)
    for size in reversed(sizes):
        small = cv2.pyrUp(small, dstsize=size)
    return image - small


def test_what_is_added_is_the_filtered_clip_without_its_coarsest_level() -> None:
    """Scipy's filter over each pixel's series, with the padding that the docstring states."""
    clip = noise()
    sections = signal.butter(2, (5, 20), "bandpass", fs=FPS, output="sos")
    filtered = signal.sosfiltfilt(sections, clip.astype(np.float64), axis=0, padtype="odd", padlen=FPS // 5)
    wanted = 3 * np.stack([without_the_coarsest(frame, 2) for frame in filtered])
    assert band_passed(clip, FPS, (5, 20), 3, levels=2) == pytest.approx(wanted, abs=1e-5)


def test_the_ideal_filter_keeps_the_frequencies_of_the_band_and_no_other() -> None:
    clip = noise(50)
    spectrum = np.fft.fft(clip.astype(np.float64), axis=0)
    frequencies = np.abs(np.fft.fftfreq(50, 1 / FPS))
    spectrum[(frequencies < 6) | (frequencies > 20)] = 0
    filtered = np.fft.ifft(spectrum, axis=0).real
    wanted = np.stack([without_the_coarsest(frame, 3) for frame in filtered])
    assert band_passed(clip, FPS, (6, 20), 1, filter="ideal") == pytest.approx(wanted, abs=1e-5)


def test_the_result_is_the_clip_and_what_is_added_within_0_and_1() -> None:
    clip = noise()
    added = band_passed(clip, FPS, (5, 20), 30)
    large = magnify(clip, FPS, (5, 20), 30)
    assert large == pytest.approx(np.clip(clip + added, 0, 1), abs=1e-6)
    assert (large.min(), large.max()) == (0, 1)
    assert large.dtype == added.dtype == np.float32


def test_bytes_and_shares_of_one_are_the_same_clip() -> None:
    clip = np.random.default_rng(2).integers(60, 200, (20, 20, 24), dtype=np.uint8)
    wanted = magnify(clip, FPS, (5, 20))
    for floating in (np.float32, np.float64):
        assert magnify(clip.astype(floating) / 255, FPS, (5, 20)) == pytest.approx(wanted, abs=1e-5)


def test_of_colour_the_luminance_is_magnified() -> None:
    clip = noise(size=(20, 24, 3))
    large = magnify(clip, FPS, (5, 20), 0.5)
    grey = clip @ np.array([0.299, 0.587, 0.114], np.float32)
    change = large - clip
    assert change == pytest.approx(np.repeat(band_passed(grey, FPS, (5, 20), 0.5)[..., None], 3, axis=-1), abs=1e-5)


def test_a_factor_of_zero_changes_nothing() -> None:
    np.testing.assert_array_equal(magnify(noise(), FPS, (5, 20), 0), noise())


def test_short_wavelengths_are_amplified_by_less_below_the_cutoff() -> None:
    amplitudes = {}
    for wavelength in (8, 48):
        large = magnify(grating(sway(5), wavelength), FPS, BAND, FACTOR, cutoff_wavelength=16)
        amplitudes[wavelength] = swing(displacement_in(large, wavelength), 5)
    assert amplitudes[48] > 0.9
    assert amplitudes[8] < 0.5


def test_the_levels_keep_to_the_bound() -> None:
    """Of a movement that the cut-off wavelength just bears, no level's share exceeds an eighth of its wavelength."""
    factor, cutoff = 20.0, 50.0
    movement = cutoff / 8 / (1 + factor)
    for level, value in enumerate(level_factors(6, factor, cutoff)):
        wavelength = 4 * 2**level
        assert (1 + value) * movement <= wavelength / 8 + 1e-12 or value == 0
        assert value == factor or wavelength < cutoff


@pytest.mark.parametrize(("fps", "wanted"), [(200, (0.5, 10)), (30, (0.5, 10)), (20, (0.5, 8)), (10, (0.5, 4))])
def test_the_default_band_fits_the_camera(fps, wanted) -> None:
    assert default_band(fps) == wanted
    np.testing.assert_array_equal(magnify(noise(), fps), magnify(noise(), fps, wanted, 10.0))


@pytest.mark.parametrize("count", [5, 6, 9])
def test_the_shortest_clips_have_an_answer(count) -> None:
    assert np.isfinite(magnify(noise(count), 200)).all()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"band": (0, 8)}, "0 < low < high < 50 Hz"),
        ({"band": (3, 50)}, "got 3..50"),
        ({"band": (8, 3)}, "got 8..3"),
        ({"band": (3, float("nan"))}, "got 3..nan"),
        ({"fps": 0}, "fps: expected more than 0"),
        ({"fps": float("nan")}, "got nan"),
        ({"frames": noise(4)}, r"5 or more .* got \(4, 33, 47\)"),
        ({"frames": noise(9, (1, 1))}, r"got \(9, 1, 1\)"),
        ({"frames": noise(9, (20, 20, 4))}, r"got \(9, 20, 20, 4\)"),
        ({"frames": noise()[0]}, r"got \(33, 47\)"),
        ({"frames": np.full((9, 20, 20), np.nan)}, "values from nan to nan"),
        ({"frames": noise() + 0.5}, "got values from"),
        ({"frames": np.zeros((9, 20, 20), np.uint16)}, "got uint16: scale"),
        ({"factor": -1}, "factor: expected 0 or more, got -1"),
        ({"factor": float("inf")}, "got inf"),
        ({"levels": 0}, "1 to 3 for images of 47x33, got 0"),
        ({"levels": 4}, "got 4"),
        ({"filter": "box"}, "butterworth or ideal, got 'box'"),
        ({"order": 0}, "order: expected 1 or more, got 0"),
        ({"cutoff_wavelength": 0}, "more than 0 px, got 0"),
        ({"frames": noise(6), "filter": "ideal"}, "multiples of 16.6667 Hz, none of them in 3.0..8.0"),
    ],
)
@pytest.mark.parametrize("function", [magnify, band_passed])
def test_what_cannot_be_magnified_is_refused(function, change, told) -> None:
    given = {"frames": noise(), "fps": FPS, "band": BAND}
    with pytest.raises(ParameterError, match=told):
        function(**given | change)
