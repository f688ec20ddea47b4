"""Recipes: what a network is fed, said as checked data, so that a result can be addressed by it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from mer_lib.datasets import MAP_SIZE

#: "uvs" is ours; "svu" is what OpenCV reads from the published files, on which their authors trained.
ChannelOrder = Literal["uvs", "svu"]


class _Recipe(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FlowMap(_Recipe):
    """The whole flow map.

    >>> FlowMap().shape
    (3, 28, 28)

    Attributes:
        order: order of the channels u, v, strain.
        size: side in pixels; other than 28, the map is resampled bilinearly.
    """

    recipe: Literal["flow_map"] = "flow_map"
    version: Literal[1] = 1
    order: ChannelOrder = "uvs"
    size: int = Field(default=MAP_SIZE, ge=4, le=224)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns of one input."""
        return (3, self.size, self.size)


class FourRegionMosaic(_Recipe):
    """Four windows, around both eyes and both corners of the lips, laid together: the input of HTNet.

    >>> FourRegionMosaic(block=7).shape
    (3, 28, 28)

    Attributes:
        block: half the side of a window, in pixels; a window of 2 x block is cut from the same 28-pixel
            map, so a larger block also shows more of the face.
        order: order of the channels u, v, strain.
        legacy_swap: as HTNet's published training script does: points (x, y) taken for (row, column),
            and the mosaic transposed, [[left eye, left lip], [right eye, right lip]]; otherwise
            [[left eye, right eye], [left lip, right lip]].

    Source: Wang et al., HTNet, Neurocomputing 602 (2024) 128196; window size and the clamping of centres
    from its training script.
    """

    recipe: Literal["four_region_mosaic"] = "four_region_mosaic"
    version: Literal[1] = 1
    block: int = Field(default=7, ge=1, le=MAP_SIZE // 2)
    order: ChannelOrder = "uvs"
    legacy_swap: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns of one input."""
        return (3, 4 * self.block, 4 * self.block)

    @property
    def points_source(self) -> Literal["constant"]:
        """Where the four points come from: one constant set, for a published map carries no face."""
        return "constant"


Recipe = Annotated[FlowMap | FourRegionMosaic, Field(discriminator="recipe")]
