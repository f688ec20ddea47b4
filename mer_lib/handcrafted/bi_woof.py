"""Bi-WOOF: bi-weighted oriented optical flow."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Literal

import numpy as np

from mer_lib.handcrafted.descriptor import Descriptor, at_least, one_of
from mer_lib.handcrafted.info import HandcraftedInfo
from mer_lib.handcrafted.svm import with_svm
from mer_lib.motion.polar import polar, sectors

Weight = Literal["magnitude", "strain", "none"]
_WEIGHTS = ("magnitude", "strain", "none")


class BiWOOF(Descriptor):
    """In which directions each block of the face moves from onset to apex, weighted twice.

    A histogram counts the directions of a block's pixels, each by its own weight; then the histogram as a whole is
    multiplied by the weight of the block.

    >>> BiWOOF().fit_transform(np.ones((2, 3, 20, 20), np.float32)).shape                  # 25 blocks x 8 directions
    (2, 200)

    Args:
        blocks: rows and columns of blocks, which do not overlap.
        bins: of a histogram, the first beginning at angle 0, which is to the right.
        local_weight: of a pixel: "magnitude" of its flow, its "strain", or "none", 1.
        global_weight: of a block: the mean of "strain" or "magnitude" in it, divided by that in the whole face, or
            "none", 1.
        rest: what stands for no movement: "zero", as where flow is in pixels, or the "median" of each channel. Of maps
            that are stretched to 0 to 255 nobody knows their zero; most of a face is still, so the median is near to
            it. That u and v are stretched differently, which turns directions, it cannot repair.

    Raises:
        ParameterError: a parameter is out of range, or the input no map of u, v and strain.

    Source: Liong, See, Wong, Phan, Less is more: micro-expression recognition from video using apex frame, Signal
    Processing: Image Communication 62 (2018) 82-92. Histograms are means over a block's pixels; the division of the
    global weights is ours, so that a movement twice as strong makes numbers twice as large.
    """

    expects = "maps of u, v and strain, floating (N, 3, H, W) with at least one pixel a block"

    def __init__(
        self,
        blocks: int = 5,
        bins: int = 8,
        local_weight: Weight = "magnitude",
        global_weight: Weight = "strain",
        rest: Literal["zero", "median"] = "zero",
    ) -> None:
        self.blocks = blocks
        self.bins = bins
        self.local_weight = local_weight
        self.global_weight = global_weight
        self.rest = rest

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with the parameters."""
        yield from at_least("blocks", self.blocks, 1)
        yield from at_least("bins", self.bins, 2)
        yield from one_of("local_weight", self.local_weight, _WEIGHTS)
        yield from one_of("global_weight", self.global_weight, _WEIGHTS)
        yield from one_of("rest", self.rest, ("zero", "median"))

    def accepts(self, X: np.ndarray) -> bool:
        """Say whether `X` holds maps that are large enough."""
        return X.ndim == 4 and X.shape[1] == 3 and X.dtype.kind == "f" and min(X.shape[2:]) >= self.blocks

    def describe(self, sample: np.ndarray) -> np.ndarray:
        """Return the weighted histograms of one map (3, H, W), block by block."""
        return (self.local(sample) * self.block_weights(sample)[:, None]).ravel()

    def local(self, sample: np.ndarray) -> np.ndarray:
        """Return the histograms of a map (3, H, W) before blocks are weighted, (blocks * blocks, bins)."""
        magnitude, angle, strain = self._seen(sample)
        at = self._block_of(angle.shape) * self.bins + sectors(angle, self.bins)
        weights = _chosen(self.local_weight, magnitude, strain)
        sums = np.bincount(at.ravel(), weights.ravel(), minlength=self.blocks**2 * self.bins)
        return sums.reshape(-1, self.bins) / self._pixels(angle.shape)[:, None]

    def block_weights(self, sample: np.ndarray) -> np.ndarray:
        """Return the weight of each block of a map (3, H, W), (blocks * blocks,); all are 1 where nothing moves."""
        magnitude, angle, strain = self._seen(sample)
        pixels = _chosen(self.global_weight, magnitude, strain)
        if not pixels.mean() > 0:
            return np.ones(self.blocks**2)
        return (
            np.bincount(self._block_of(angle.shape).ravel(), pixels.ravel()) / self._pixels(angle.shape) / pixels.mean()
        )

    def _seen(self, sample: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return magnitude, angle and strain of a map, each (H, W), the first and the last not negative."""
        still = np.median(sample, axis=(1, 2), keepdims=True) if self.rest == "median" else 0.0
        u, v, strain = sample.astype(np.float64) - still
        magnitude, angle = polar(np.stack([u, v], axis=-1))
        return magnitude, angle, np.maximum(strain, 0)

    def _block_of(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return the number of the block of each pixel, (H, W), row by row of blocks."""
        down, across = (np.arange(size) * self.blocks // size for size in shape)
        return down[:, None] * self.blocks + across

    def _pixels(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.bincount(self._block_of(shape).ravel())


def _chosen(weight: Weight, magnitude: np.ndarray, strain: np.ndarray) -> np.ndarray:
    return {"magnitude": magnitude, "strain": strain, "none": np.ones_like(strain)}[weight]


INFO = HandcraftedInfo(
    name="bi_woof",
    title="Bi-WOOF",
    factory=partial(with_svm, BiWOOF),
    paper="Liong, See, Wong, Phan, Signal Processing: Image Communication 2018",
    url="https://doi.org/10.1016/j.image.2017.11.006",
    recipe={"recipe": "flow_map", "size": 224, "motion": {"align": "whole_face", "scaling": "pixels"}},
)
