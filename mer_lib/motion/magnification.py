"""Eulerian video magnification: small movements made large by amplifying how each pixel's brightness changes in time.

Source: Wu et al. 2012, "Eulerian video magnification for revealing subtle changes in the world". Where a picture f(x)
moves by d(t), brightness changes by about d(t) f'(x). Adding `factor` times the part of that change that lies in a band
of frequencies makes the movement in the band (1 + factor) d(t), as long as that is short beside the wavelengths that
the picture is made of: (1 + factor) d < wavelength / 8 (their equation 14). Detail finer than that comes out as noise
and halos; `cutoff_wavelength` spares it.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Literal

import cv2
import numpy as np
from scipy import signal

from mer_lib.errors import ParameterError

Filter = Literal["butterworth", "ideal"]

SMALLEST = 16  # rows and columns
FEWEST = 5  # frames

#: A micro-expression rises in 40 to 250 ms and is over within 500 ms. Of the height of such a rise and fall the band
#: lets 65 to 115 % through. Of the range of a head that sways it lets 2 to 4 % through at 0.15 Hz, half at 0.5 Hz and
#: all from 1 Hz on in clips of two seconds and more; in clips of half a second, whose ends say little, 14, 30 and 48 %
#: and all from 2 Hz on. The flicker of lamps, at 100 or 120 Hz, lies far above it, unless a slow camera takes it for
#: something slower.
MICRO_BAND = (0.5, 10.0)
#: The upper end for slow cameras, as a share of the frame rate; half of it is what a camera can see at all.
HIGHEST = 0.4

# Weights of red, green and blue in the luminance (Rec. 601).
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
# Level n of the pyramid holds wavelengths from about so many px times 2^n to twice that; level 0 shorter ones besides.
_SHORTEST = 4
# The pyramid ends before its smaller side falls below this.
_LAST_SIDE = 4


def default_band(fps: float) -> tuple[float, float]:
    """Return the band for a micro-expression, Hz: :data:`MICRO_BAND`, its upper end lower for slow cameras.

    >>> default_band(200), default_band(15)
    ((0.5, 10.0), (0.5, 6.0))
    """
    return MICRO_BAND[0], min(MICRO_BAND[1], HIGHEST * fps)


def magnify(
    frames: np.ndarray,
    fps: float,
    band: tuple[float, float] | None = None,
    factor: float = 10.0,
    *,
    levels: int | None = None,
    filter: Filter = "butterworth",
    order: int = 2,
    cutoff_wavelength: float | None = None,
) -> np.ndarray:
    """Return a clip in which movement in a band of frequencies is (1 + `factor`) times as large.

    Of colour frames the luminance is magnified; colours stay, but for values that would leave 0..1 and are clipped.

    Args:
        frames: (T, H, W) grey or (T, H, W, 3) RGB, uint8, or floating in 0..1; at least 5 frames of 16x16. Evenly
            spaced in time, at the full frame rate: sample afterwards. Meant for clips: time and memory grow with T^2.
        fps: frames a second.
        band: (low, high) Hz, inside 0..fps/2; :func:`default_band` where None.
        factor: 0 or more; what is added, as a multiple of the movement.
        levels: of the Laplacian pyramid. What its coarsest level leaves over, wavelengths above about
            4 * 2^levels px, is light that changes over the whole face rather than movement, and stays as it is (as in
            the authors' program). As many as leave 4 px over where None.
        filter: "butterworth": zero-phase, run forwards and backwards, so that nothing moves in time and half of the
            amplitude comes through at the ends of the band; the clip is continued at both ends by its point
            reflection, for one period of `low` at most. "ideal": every frequency of the clip's Fourier series inside
            the band, no other; the clip is taken for a period of something periodic, so its ends should resemble.
        order: of the Butterworth filter, each way.
        cutoff_wavelength: px; levels of shorter wavelengths are amplified by less, see :func:`level_factors`. All by
            `factor` where None.

    Returns:
        float32 in 0..1, of the shape of `frames`.

    Raises:
        ParameterError: frames have another shape or type, are too few, too small or not all in 0..1 (16 bits: scale
            them first), or a parameter is out of range.
    """
    clip = _in_unit_range(frames)
    added = band_passed(
        clip,
        fps,
        band,
        factor,
        levels=levels,
        filter=filter,
        order=order,
        cutoff_wavelength=cutoff_wavelength,
    )
    return np.clip(clip + (added[..., None] if clip.ndim == 4 else added), 0, 1)


def band_passed(
    frames: np.ndarray,
    fps: float,
    band: tuple[float, float] | None = None,
    factor: float = 10.0,
    *,
    levels: int | None = None,
    filter: Filter = "butterworth",
    order: int = 2,
    cutoff_wavelength: float | None = None,
) -> np.ndarray:
    """Return what :func:`magnify` adds to the luminance of each frame: float32 (T, H, W), of both signs.

    Arguments and errors are those of :func:`magnify`. With `factor` 1 it is the filtered clip.
    """
    clip = _in_unit_range(frames)
    luminance = clip @ _LUMINANCE if clip.ndim == 4 else clip
    factors = level_factors(_level_count(luminance.shape[1:], levels), factor, cutoff_wavelength)
    matrix = _time_matrix(len(clip), fps, band or default_band(fps), filter, order)
    # The filter lets nothing constant through, so that the first frame may go first, and a static clip is exactly 0.
    changes = np.tensordot(matrix, luminance - luminance[:1], axes=1)
    return np.stack([_by_level(change, factors) for change in changes])


def level_factors(levels: int, factor: float, cutoff_wavelength: float | None = None) -> list[float]:
    """Return by how much each level of the pyramid is amplified, the finest first.

    From the cut-off on it is `factor`. Below, it is the most that the bound of Wu et al. (equation 14) allows for a
    movement which the cut-off wavelength just bears: (1 + factor) wavelength / cutoff_wavelength - 1, and at least 0.
    The wavelength of a level is the shortest that it holds, 4 px for the finest, then 8, 16, ...

    >>> level_factors(4, 9.0, cutoff_wavelength=16)
    [1.5, 4.0, 9.0, 9.0]

    Raises:
        ParameterError: `factor` is negative or not finite, or the cut-off is not above 0.
    """
    if not 0 <= factor < math.inf:
        raise ParameterError(f"factor: expected 0 or more, got {factor}")
    if cutoff_wavelength is None:
        return [float(factor)] * levels
    if not 0 < cutoff_wavelength < math.inf:
        raise ParameterError(f"cutoff_wavelength: expected more than 0 px, got {cutoff_wavelength}")
    bounds = ((1 + factor) * _SHORTEST * 2**level / cutoff_wavelength - 1 for level in range(levels))
    return [float(min(max(bound, 0), factor)) for bound in bounds]


def _in_unit_range(frames: np.ndarray) -> np.ndarray:
    """Return frames as float32 in 0..1."""
    array = np.asarray(frames)
    shaped = array.ndim == 3 or (array.ndim == 4 and array.shape[3] == 3)
    if not shaped or min(array.shape[1:3]) < SMALLEST or len(array) < FEWEST:
        raise ParameterError(
            f"frames: expected (T, H, W) or (T, H, W, 3), {FEWEST} or more of {SMALLEST}x{SMALLEST} or more, "
            f"got {array.shape}"
        )
    if array.dtype == np.uint8:
        return array.astype(np.float32) / 255
    if array.dtype.kind != "f":
        raise ParameterError(f"frames: expected uint8, or floating in 0..1, got {array.dtype}: scale by its full scale")
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= 1):  # not a number is neither
        raise ParameterError(f"frames: expected uint8, or floating in 0..1, got values from {low:g} to {high:g}")
    return array.astype(np.float32)


# -- time -------------------------------------------------------------------------------------------------------------


def _time_matrix(count: int, fps: float, band: tuple[float, float], filter: Filter, order: int) -> np.ndarray:
    """Return the filter as a matrix float32 (T, T): it is linear, so that its answers to single frames say it all."""
    if not 0 < fps < math.inf:
        raise ParameterError(f"fps: expected more than 0 frames a second, got {fps}")
    low, high = band
    if not 0 < low < high < fps / 2:
        raise ParameterError(f"band: expected 0 < low < high < {fps / 2:g} Hz, half the frame rate, got {low}..{high}")
    if filter not in ("butterworth", "ideal"):
        raise ParameterError(f"filter: expected butterworth or ideal, got {filter!r}")
    apply = partial(_butterworth, order=order) if filter == "butterworth" else _ideal
    return apply(np.eye(count), fps, band).astype(np.float32)


def _butterworth(series: np.ndarray, fps: float, band: tuple[float, float], order: int) -> np.ndarray:
    if order < 1:
        raise ParameterError(f"order: expected 1 or more, got {order}")
    sections = signal.butter(order, band, "bandpass", fs=fps, output="sos")
    padding = min(len(series) - 1, round(fps / band[0]))
    return signal.sosfiltfilt(sections, series, axis=0, padtype="odd", padlen=padding)


def _ideal(series: np.ndarray, fps: float, band: tuple[float, float]) -> np.ndarray:
    frequencies = np.fft.rfftfreq(len(series), 1 / fps)
    inside = (frequencies >= band[0]) & (frequencies <= band[1])
    if not inside.any():
        raise ParameterError(
            f"band: {len(series)} frames have frequencies at multiples of {fps / len(series):g} Hz, none of them in "
            f"{band[0]}..{band[1]}: take a wider band, a longer clip or the Butterworth filter"
        )
    return np.fft.irfft(np.fft.rfft(series, axis=0) * inside[:, None], len(series), axis=0)


# -- space ------------------------------------------------------------------------------------------------------------


def _level_count(size: tuple[int, ...], levels: int | None) -> int:
    most = int(math.log2(min(size) / _LAST_SIDE))
    if levels is None:
        return most
    if not 1 <= levels <= most:
        raise ParameterError(f"levels: expected 1 to {most} for images of {size[1]}x{size[0]}, got {levels}")
    return levels


def _by_level(image: np.ndarray, factors: list[float]) -> np.ndarray:
    """Return the sum of an image's levels, each times its factor; what lies below the coarsest is left out."""
    shape = (image.shape[1], image.shape[0])
    smaller = cv2.pyrDown(image)
    level = factors[0] * (image - cv2.pyrUp(smaller, dstsize=shape))
    if len(factors) == 1:
        return level
    return level + cv2.pyrUp(_by_level(smaller, factors[1:]), dstsize=shape)
