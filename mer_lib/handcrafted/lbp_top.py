"""LBP-TOP: local binary patterns on three orthogonal planes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Literal

import numpy as np

from mer_lib.handcrafted.descriptor import Descriptor, at_least, one_of
from mer_lib.handcrafted.info import HandcraftedInfo
from mer_lib.handcrafted.patterns import Margin, Offset, block_histograms, circle, codes, uniform_bins
from mer_lib.handcrafted.svm import C_OF_TEXTURE, with_svm

#: The planes, each by its two axes of a volume (0 time, 1 down, 2 across).
PLANES = {"XY": (2, 1), "XT": (2, 0), "YT": (1, 0)}


class LBPTOP(Descriptor):
    """How grey values change around each pixel: in the image, and along both its axes in time.

    Patterns do not see by how much a neighbour is brighter, and so no light that grows with grey values. Over time they
    see the faintest change of light as well as they see movement.

    In each of the planes XY, XT and YT, every pixel is compared with `neighbours` around it; a histogram counts the
    patterns in each block of the face.

    >>> LBPTOP().fit_transform(np.zeros((2, 10, 1, 20, 20), np.uint8)).shape          # 25 blocks x 3 planes x 16 codes
    (2, 1200)

    Args:
        blocks: rows and columns of blocks, which do not overlap.
        radii: three of them, see `radii_of`.
        radii_of: "axes": radii along x, y and t, as the notation LBP-TOP(P, P, P, 1, 1, 4) has it; "planes": in XY, XT
            and YT, along both axes of each, as CapsuleNet's authors print it.
        neighbours: 4, all on pixels, or 8, with those between pixels interpolated.
        coding: "full": every pattern has a bin; "uniform": those with more than two changes share one.

    Raises:
        ParameterError: a parameter is out of range, or a sequence is too short or too small for the radii.

    Source: Zhao, Pietikainen, Dynamic texture recognition using local binary patterns, IEEE Trans. PAMI 29 (2007)
    915-928; blocks, radii and neighbours as for the baseline of Quang, Chun, Tokuyama, FG 2019. Their classifier is
    not described; a linear support vector machine stands in. Pixels nearer to a border than the largest radius along
    that axis have no code; of ten frames with a radius of 4 in time, two have.
    """

    expects = "sequences (N, T, 1, H, W) that are longer than twice the radii"

    def __init__(
        self,
        blocks: int = 5,
        radii: tuple[int, int, int] = (1, 1, 4),
        radii_of: Literal["axes", "planes"] = "axes",
        neighbours: Literal[4, 8] = 4,
        coding: Literal["full", "uniform"] = "full",
    ) -> None:
        self.blocks = blocks
        self.radii = radii
        self.radii_of = radii_of
        self.neighbours = neighbours
        self.coding = coding

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with the parameters."""
        yield from at_least("blocks", self.blocks, 1)
        yield from one_of("radii_of", self.radii_of, ("axes", "planes"))
        yield from one_of("neighbours", self.neighbours, (4, 8))
        yield from one_of("coding", self.coding, ("full", "uniform"))
        if not isinstance(self.radii, tuple | list) or len(self.radii) != 3:
            yield f"radii: expected three, got {self.radii!r}"
        else:
            yield from (fault for radius in self.radii for fault in at_least("radii", radius, 1))

    def accepts(self, X: np.ndarray) -> bool:
        """Say whether `X` holds grey sequences that are large enough."""
        return X.ndim == 5 and X.shape[2] == 1 and _larger((X.shape[1], *X.shape[3:]), self.margin)

    def describe(self, sample: np.ndarray) -> np.ndarray:
        """Return the histograms of one sequence (T, 1, H, W): block by block, plane by plane."""
        return np.stack([self.histograms(found) for found in self.planes(sample[:, 0]).values()], axis=1).ravel()

    def planes(self, volume: np.ndarray) -> dict[str, np.ndarray]:
        """Return the codes of a volume (T, H, W) by plane, each without the margins, 0 to 2^neighbours - 1."""
        return {plane: codes(volume, offsets, self.margin) for plane, offsets in self.offsets.items()}

    def histograms(self, found: np.ndarray) -> np.ndarray:
        """Return the histograms of codes as :meth:`planes` gives them, (blocks * blocks, bins)."""
        bins = 2**self.neighbours
        if self.coding == "uniform":
            table = uniform_bins(self.neighbours)
            found, bins = table[found], int(table.max()) + 1
        return block_histograms(found, bins, self.blocks, self.margin[1:])

    @property
    def offsets(self) -> dict[str, list[Offset]]:
        """Return where the neighbours lie in each plane."""
        around = {}
        for (plane, (first, second)), radius in zip(PLANES.items(), self.radii, strict=True):
            # Axes are counted t, y, x and radii x, y, t.
            both = (self.radii[2 - first], self.radii[2 - second]) if self.radii_of == "axes" else (radius, radius)
            around[plane] = circle((first, both[0]), (second, both[1]), self.neighbours)
        return around

    @property
    def margin(self) -> Margin:
        """Return the largest distance of a neighbour along time, rows and columns."""
        every = np.abs([offset for offsets in self.offsets.values() for offset in offsets])
        t, y, x = (int(np.ceil(most)) for most in every.max(axis=0))
        return t, y, x


def _larger(shape: tuple[int, ...], margin: Margin) -> bool:
    return all(size > 2 * edge for size, edge in zip(shape, margin, strict=True))


INFO = HandcraftedInfo(
    name="lbp_top",
    title="LBP-TOP",
    factory=partial(with_svm, LBPTOP, C=C_OF_TEXTURE),
    paper="Zhao, Pietikainen, IEEE Trans. PAMI 2007",
    url="https://doi.org/10.1109/TPAMI.2007.1110",
    recipe={"recipe": "face_sequence"},
)
