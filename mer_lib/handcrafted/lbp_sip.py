"""LBP-SIP: local binary patterns with six intersection points."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from mer_lib.handcrafted.descriptor import Descriptor, at_least
from mer_lib.handcrafted.info import HandcraftedInfo
from mer_lib.handcrafted.patterns import Margin, block_histograms, circle, codes
from mer_lib.handcrafted.svm import C_OF_TEXTURE, with_svm


class LBPSIP(Descriptor):
    """LBP-TOP without what it counts twice: of its twelve neighbours, six are different.

    Four neighbours in the image make one pattern of 16, those before and after it in time one of 4; a histogram counts
    each in every block of the face.

    >>> LBPSIP().fit_transform(np.zeros((2, 10, 1, 20, 20), np.uint8)).shape              # 25 blocks x (16 + 4) codes
    (2, 500)

    Args:
        blocks: rows and columns of blocks, which do not overlap.
        radius: distance of the four neighbours, in pixels.
        radius_t: distance of the two neighbours in time, in frames.

    Raises:
        ParameterError: a parameter is out of range, or a sequence is too short or too small for the radii.

    Source: Wang, See, Phan, Oh, LBP with six intersection points, ACCV 2014, and Efficient spatio-temporal local binary
    patterns, PLOS ONE 10 (2015) e0124674. Their pyramid of sizes is left out. Blocks and radii are those of LBP-TOP
    here, so that the two differ in their patterns alone.
    """

    expects = "sequences (N, T, 1, H, W) that are longer than twice the radii"

    def __init__(self, blocks: int = 5, radius: int = 1, radius_t: int = 4) -> None:
        self.blocks = blocks
        self.radius = radius
        self.radius_t = radius_t

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with the parameters."""
        yield from at_least("blocks", self.blocks, 1)
        yield from at_least("radius", self.radius, 1)
        yield from at_least("radius_t", self.radius_t, 1)

    def accepts(self, X: np.ndarray) -> bool:
        """Say whether `X` holds grey sequences that are large enough."""
        return X.ndim == 5 and X.shape[2] == 1 and X.shape[1] > 2 * self.radius_t and min(X.shape[3:]) > 2 * self.radius

    def describe(self, sample: np.ndarray) -> np.ndarray:
        """Return the histograms of one sequence (T, 1, H, W): block by block, image before time."""
        counted = [
            block_histograms(found, bins, self.blocks, self.margin[1:])
            for found, bins in zip(self.patterns(sample[:, 0]), (16, 4), strict=True)
        ]
        return np.concatenate(counted, axis=1).ravel()

    def patterns(self, volume: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the codes of a volume (T, H, W) without the margins: of the image, 0 to 15, and of time, 0 to 3."""
        around = circle((2, self.radius), (1, self.radius), 4)
        in_time = [(float(step), 0.0, 0.0) for step in (-self.radius_t, self.radius_t)]
        return codes(volume, around, self.margin), codes(volume, in_time, self.margin)

    @property
    def margin(self) -> Margin:
        """Return the distance of the neighbours along time, rows and columns."""
        return self.radius_t, self.radius, self.radius


INFO = HandcraftedInfo(
    name="lbp_sip",
    title="LBP-SIP",
    factory=partial(with_svm, LBPSIP, C=C_OF_TEXTURE),
    paper="Wang, See, Phan, Oh, ACCV 2014",
    url="https://doi.org/10.1007/978-3-319-16865-4_34",
    recipe={"recipe": "face_sequence"},
)
