"""Augmentation of pictures of faces: seen in a mirror, turned, moved, stretched, and in another light."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor
from torch.nn import functional

from mer_lib.errors import ParameterError

Share = Annotated[float, Field(ge=0, le=0.5)]
Factor = Annotated[float, Field(ge=1, le=2)]
#: Names of torchvision's functions, in the order in which they are applied.
_JITTERS = ("adjust_brightness_image", "adjust_contrast_image", "adjust_saturation_image", "adjust_hue_image")
_HUE = 3  # position of the one whose neutral value is 0; that of the others is 1


class FaceAugmentation(BaseModel):
    """Change pictures of faces at random, each for itself.

    >>> mirror = FaceAugmentation(mirror=1.0, rotation=0.0, shift=(0.0, 0.0), jitter=(0.0, 0.0, 0.0, 0.0))
    >>> mirror(torch.tensor([[[[0.0, 255.0]] * 2]]), torch.Generator())[0, 0, 0].tolist()
    [255.0, 0.0]

    Attributes:
        mirror: chance that left and right change places.
        rotation: up to how many degrees a picture is turned to either side.
        zoom: by how much rows and columns are stretched about the middle; unequal ones distort the face.
        shift: up to which share of its side a picture is moved up or down, and left or right. Where nothing is known,
            the border goes on.
        jitter: of brightness, contrast, saturation and hue, applied in this order: factors are drawn between 1 minus
            and 1 plus the number, hues between minus and plus that share of the colour circle. Saturation and hue of a
            grey picture stay, which marks a grey data set among coloured ones.
        difference: inputs are differences of pictures rather than pictures: the first jitter is a factor of their
            strength, nothing is cut off at 0 and 255, and the other three have no meaning.

    Source: the list is that of Quang, Chun, Tokuyama, CapsuleNet, FG 2019, the numbers are those of their code.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["faces"] = "faces"
    mirror: float = Field(default=0.5, ge=0, le=1)
    rotation: float = Field(default=8.0, ge=0, le=180)
    zoom: tuple[Factor, Factor] = (1.0, 1.0)
    shift: tuple[Share, Share] = (5 / 224, 8 / 224)
    jitter: tuple[Share, Share, Share, Share] = (0.2, 0.2, 0.2, 0.2)
    difference: bool = False

    @classmethod
    def published(cls) -> FaceAugmentation:
        """Return what the authors do: resize to 234 rows and 240 columns, turn, and cut 224x224 out at random.

        A face is then seen larger, and wider, in training than in a test without it.
        """
        return cls(zoom=(234 / 224, 240 / 224))

    @model_validator(mode="after")
    def _differences_have_no_colour(self) -> FaceAugmentation:
        if self.difference and any(self.jitter[1:]):
            raise ValueError(
                f"jitter: a difference of pictures has a strength alone, expected (number, 0, 0, 0), got {self.jitter}"
            )
        return self

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return a changed copy of `batch`.

        Args:
            batch: float (N, 1 or 3, H, W), 0 to 255, or -255 to 255 of differences.
            generator: on the CPU, of all that is drawn.

        Raises:
            ParameterError: the batch has another shape.
        """
        if batch.ndim != 4 or batch.shape[1] not in (1, 3):
            raise ParameterError(f"faces: expected pictures (N, 1 or 3, H, W), got {tuple(batch.shape)}")
        drawn = torch.rand(len(batch), 8, generator=generator)
        moved = self._moved(batch, drawn[:, :4])
        return self._lit(moved, 2 * drawn[:, 4:] - 1)

    def _moved(self, batch: Tensor, drawn: Tensor) -> Tensor:
        """Turn, move, stretch and mirror; `drawn` (N, 4) is from 0 to 1."""
        mirrored = 1 - 2 * (drawn[:, 0] < self.mirror).to(batch)
        turn, down, right = (2 * drawn[:, 1:] - 1).to(batch).unbind(1)
        angle = torch.deg2rad(turn * self.rotation)
        # Where each pixel of the result comes from, in coordinates from -1 to 1: sides have a length of 2.
        height, width = batch.shape[2:]
        cosine, sine = angle.cos(), angle.sin()
        across = torch.stack([mirrored * cosine, -sine * height / width, 2 * self.shift[1] * right], dim=1)
        along = torch.stack([mirrored * sine * width / height, cosine, 2 * self.shift[0] * down], dim=1)
        places = torch.stack([across / self.zoom[1], along / self.zoom[0]], dim=1)  # (N, 2, 3)
        grid = functional.affine_grid(places, list(batch.shape), align_corners=False)
        return functional.grid_sample(batch, grid, padding_mode="border", align_corners=False)

    def _lit(self, batch: Tensor, drawn: Tensor) -> Tensor:
        """Change strength or colours; `drawn` (N, 4) is from -1 to 1."""
        if self.difference:
            return batch * (1 + self.jitter[0] * drawn[:, 0]).to(batch)[:, None, None, None]
        amounts = drawn * torch.tensor(self.jitter)
        return 255 * torch.stack(
            [self._coloured(image / 255, each.tolist()) for image, each in zip(batch, amounts, strict=True)]
        )

    def _coloured(self, image: Tensor, amounts: list[float]) -> Tensor:
        """Change one picture (C, H, W), 0 to 1."""
        from torchvision.transforms.v2 import functional as colours  # takes a second to import: only where it is used

        for position, (change, amount) in enumerate(zip(_JITTERS, amounts, strict=True)):
            if self.jitter[position] and (len(image) == 3 or position < 2):
                image = getattr(colours, change)(image, amount if position == _HUE else 1 + amount)
        return image
