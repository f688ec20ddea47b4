"""MDMO: main directional mean optical flow."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from numbers import Real
from typing import Literal

import numpy as np

from mer_lib.handcrafted.descriptor import Descriptor, one_of
from mer_lib.handcrafted.info import HandcraftedInfo
from mer_lib.handcrafted.svm import with_svm
from mer_lib.motion.polar import polar


class MDMO(Descriptor):
    """How far and in which main direction each region of the face moves, in the mean over time.

    >>> MDMO().fit_transform(np.ones((2, 2, 42, 8), np.float32)).shape                       # 42 regions x 2 numbers
    (2, 84)

    Args:
        coding: "vector": u and v of the mean, in pixels; "polar": as published, its length as a share of the longest of
            the face, times `beta`, and its angle in [0, 2 pi), times 1 - `beta`. An angle has a seam: two movements
            just above and just below the right are as far apart as can be. And the share is blind to how strongly a
            face moves.
        beta: of "polar", how much lengths count, 0 to 1; of "vector" nothing.

    Raises:
        ParameterError: a parameter is out of range, or the input no array of vectors.

    Source: Liu et al., A main directional mean optical flow feature for spontaneous micro-expression recognition, IEEE
    Trans. Affective Computing 7 (2016) 299-310. The means over time are of vectors, the polar form is that of the mean.
    They classify by a polynomial kernel; the kernel here is linear, as for the other descriptors.
    """

    expects = "main directions, floating (N, 2, regions, moments), u and v first"

    def __init__(self, coding: Literal["vector", "polar"] = "vector", beta: float = 0.9) -> None:
        self.coding = coding
        self.beta = beta

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with the parameters."""
        yield from one_of("coding", self.coding, ("vector", "polar"))
        if isinstance(self.beta, bool) or not isinstance(self.beta, Real) or not 0 <= self.beta <= 1:
            yield f"beta: expected a number from 0 to 1, got {self.beta!r}"

    def accepts(self, X: np.ndarray) -> bool:
        """Say whether `X` holds vectors of regions."""
        return X.ndim == 4 and X.shape[1] == 2 and X.dtype.kind == "f" and X.size > 0

    def describe(self, sample: np.ndarray) -> np.ndarray:
        """Return the numbers of one sample (2, regions, moments): all u (or lengths), then all v (or angles)."""
        mean = sample.mean(axis=2, dtype=np.float64)
        if self.coding == "vector":
            return mean.ravel()
        length, angle = polar(mean.T[:, None])
        longest = length.max()
        share = length / longest if longest > 0 else length
        return np.concatenate([self.beta * share, (1 - self.beta) * angle]).ravel()


INFO = HandcraftedInfo(
    name="mdmo",
    title="MDMO",
    factory=partial(with_svm, MDMO),
    paper="Liu, Zhang, Yan, Wang, Zhao, Fu, IEEE Trans. Affective Computing 2016",
    url="https://doi.org/10.1109/TAFFC.2015.2485205",
    recipe={"recipe": "region_directions"},
)
