"""Dense optical flow: three classical methods and a network behind one call, their parameters as data.

These are functions of arrays. They know no data set, so they stand below the data sets, which use them to make maps.

Axes: an image is (row = y, column = x). Flow is (H, W, 2) in pixels, ``u`` to the right and ``v`` downwards, on the
grid of the first image: what is seen at (y, x) of the first lies at (y + v, x + u) of the second.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal, Protocol

import cv2
import numpy as np

from mer_lib.errors import ParameterError
from mer_lib.motion.images import grey8, rgb8
from mer_lib.motion.raft import raft_flow

SMALLEST = 16  # rows and columns: below, the pyramids of the methods have nothing to stand on


class FlowMethod(Protocol):
    """A method with its parameters; equal parameters compare equal, so a method can be a key."""

    @property
    def colour(self) -> bool:
        """Whether it looks at RGB images, rather than grey ones."""

    def flow(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Return float32 (H, W, 2) of two 8-bit images of one size."""


@dataclass(frozen=True)
class Farneback:
    """Polynomial expansion (Farnebäck 2003): fast and smooth. Parameters as OpenCV names them.

    The values are those of the field's public scripts, HTNet's among them, which took them from OpenCV's tutorial.
    """

    pyr_scale: float = 0.5
    levels: int = 3
    winsize: int = 15
    iterations: int = 3
    poly_n: int = 5
    poly_sigma: float = 1.2
    colour: ClassVar[bool] = False

    def __post_init__(self) -> None:
        counts = dict.fromkeys(("levels", "winsize", "iterations", "poly_n"), 1)
        _check(self, counts, ("pyr_scale", "poly_sigma"))
        if self.pyr_scale >= 1:
            raise ParameterError(f"pyr_scale: expected a number below 1, got {self.pyr_scale!r}")

    def flow(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Return float32 (H, W, 2) of two grey images."""
        return cv2.calcOpticalFlowFarneback(
            before,
            after,
            _no_flow(before),
            pyr_scale=self.pyr_scale,
            levels=self.levels,
            winsize=self.winsize,
            iterations=self.iterations,
            poly_n=self.poly_n,
            poly_sigma=self.poly_sigma,
            flags=0,
        )


@dataclass(frozen=True)
class TVL1:
    """Total variation with an L1 data term (Zach, Pock, Bischof 2007): sharp edges, about a second a pair.

    Defaults are OpenCV's.
    """

    tau: float = 0.25
    lambda_: float = 0.15
    theta: float = 0.3
    scales: int = 5
    warps: int = 5
    epsilon: float = 0.01
    colour: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check(self, {"scales": 1, "warps": 1}, ("tau", "lambda_", "theta", "epsilon"))

    def flow(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Return float32 (H, W, 2) of two grey images."""
        method = cv2.optflow.DualTVL1OpticalFlow.create(
            tau=self.tau,
            lambda_=self.lambda_,
            theta=self.theta,
            nscales=self.scales,
            warps=self.warps,
            epsilon=self.epsilon,
        )
        return method.calc(before, after, _no_flow(before))


@dataclass(frozen=True)
class DIS:
    """Dense inverse search (Kroeger et al. 2016), by default down to full resolution: the most exact here.

    OpenCV's preset stops at half resolution (`finest_scale` 1), where a micro-movement is half a pixel.
    """

    preset: Literal["ultrafast", "fast", "medium"] = "medium"
    finest_scale: int = 0
    colour: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.preset not in _PRESETS:
            raise ParameterError(f"preset: expected one of {', '.join(_PRESETS)}, got {self.preset!r}")
        _check(self, {"finest_scale": 0})

    def flow(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Return float32 (H, W, 2) of two grey images."""
        search = cv2.DISOpticalFlow.create(_PRESETS[self.preset])
        search.setFinestScale(self.finest_scale)
        return search.calc(before, after, _no_flow(before))


@dataclass(frozen=True)
class RAFT:
    """Recurrent all-pairs field transforms (Teed and Deng 2020), torchvision's network with its published weights."""

    size: Literal["small", "large"] = "small"
    updates: int = 12
    colour: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.size not in ("small", "large"):
            raise ParameterError(f"size: expected small or large, got {self.size!r}")
        _check(self, {"updates": 1})

    def flow(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Return float32 (H, W, 2) of two RGB images.

        Raises:
            DataError: the weights are not here and cannot be fetched.
        """
        return raft_flow(before, after, self.size, self.updates)


_MOST = 1000  # of anything that is counted: more would take for ever


def _check(method: object, counts: Mapping[str, int], above_zero: tuple[str, ...] = ()) -> None:
    """Refuse parameters with which OpenCV returns nonsense in silence; `counts` has the least of each whole number."""
    values = {name: getattr(method, name) for name in (*counts, *above_zero)}
    faults = [
        f"{name}: expected a whole number from {least} to {_MOST}, got {values[name]!r}"
        for name, least in counts.items()
        if type(values[name]) is not int or not least <= values[name] <= _MOST
    ]
    faults += [
        f"{name}: expected a number above 0, got {values[name]!r}"
        for name in above_zero
        if type(values[name]) not in (int, float) or not 0 < values[name] < math.inf
    ]
    if faults:
        raise ParameterError(f"{type(method).__name__}: {'; '.join(faults)}")


_PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}

#: The methods that run anywhere; RAFT needs weights besides.
METHODS: tuple[str, ...] = ("farneback", "tvl1", "dis")

#: Methods by name: each with its defaults, then the parameter sets of the papers. The articles that take TV-L1 give no
#: parameters, so theirs are OpenCV's defaults; "published_maps" stands for the authors' unnamed TV-L1 program behind
#: the published composite maps.
NAMED: Mapping[str, FlowMethod] = MappingProxyType(
    {
        "farneback": Farneback(),
        "tvl1": TVL1(),
        "dis": DIS(),
        "raft": RAFT(),
        "htnet": Farneback(pyr_scale=0.5, levels=3, winsize=15, iterations=3, poly_n=5, poly_sigma=1.2),
        "published_maps": TVL1(),
        "da_crossvit": TVL1(),
        "mishin_yolo": TVL1(),
        "mfem_mffm": TVL1(),
    }
)


def optical_flow(first: np.ndarray, second: np.ndarray, method: str | FlowMethod = "farneback") -> np.ndarray:
    """Movement from `first` to `second` at every pixel of `first`.

    Args:
        first: (H, W) grey or (H, W, 3) RGB, uint8, or floating in 0..1; see :func:`mer_lib.motion.rgb8`.
        second: the same size.
        method: a name of :data:`NAMED`, or a method with parameters of one's own, such as ``Farneback(winsize=21)``.

    Returns:
        float32 (H, W, 2), u and v in pixels.

    Raises:
        ParameterError: the method is unknown or refuses its parameters, the sizes differ, or an image has another form.
        DataError: the weights of a network are not here.
    """
    chosen = flow_method(method)
    prepared = rgb8 if chosen.colour else grey8
    before, after = prepared(first, "first", SMALLEST), prepared(second, "second", SMALLEST)
    if before.shape != after.shape:
        raise ParameterError(f"images: expected two of one size, got {before.shape} and {after.shape}")
    try:
        flow = chosen.flow(before, after)
    except cv2.error as error:
        raise ParameterError(f"{chosen}: OpenCV refuses it: {error.err or error}") from None
    if not np.isfinite(flow).all():
        raise ParameterError(f"{chosen}: with these parameters it finds no finite flow; change them")
    return flow


def flow_method(method: str | FlowMethod) -> FlowMethod:
    """Return a method by its name, or itself.

    Raises:
        ParameterError: the name is unknown.
    """
    if isinstance(method, str) and method in NAMED:
        return NAMED[method]
    if isinstance(method, str) or not callable(getattr(method, "flow", None)):
        raise ParameterError(f"method: expected a method or one of {', '.join(NAMED)}, got {method!r}")
    return method


def _no_flow(image: np.ndarray) -> np.ndarray:
    """Where the methods begin."""
    return np.zeros((*image.shape, 2), np.float32)
