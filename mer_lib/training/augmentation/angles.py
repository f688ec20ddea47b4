"""Augmentation of angle images: what neither mixes regions nor turns time round."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor

from mer_lib.errors import ParameterError
from mer_lib.faces.regions.row_order import RowOrder, mirrored_rows
from mer_lib.features.sequence_recipes import NO_MOTION

TURN = 2 * torch.pi
_GREY = 255.0  # of a whole turn, and of the last sector
_NEAR = 1e-3  # grey levels by which a sector may be off


class AngleAugmentation(BaseModel):
    """Shift an angle image in time, and exchange the sides of the face.

    A picture that is flipped left to right is a face whose expression runs backwards, one that is cropped and resized
    has other regions in its rows, and another brightness is another direction: what packages for photographs do by
    default is wrong here. A face seen in the mirror is a face: rows of the left and right side change places, and each
    angle becomes pi minus itself.

    >>> mirror = AngleAugmentation(mirror=1.0, shift=0)
    >>> image = torch.zeros(1, 3, 42, 64)
    >>> image[0, 0, 0] = 1.0  # the upper left forehead moves right
    >>> float(mirror(image, torch.Generator())[0, 0, 1, 0])  # the upper right forehead moves left
    -1.0

    Attributes:
        shift: up to how many columns an image is moved earlier or later, each number of columns alike; columns that
            come in show no motion.
        mirror: chance of the mirror.
        rows: as in the recipe, :class:`mer_lib.features.AngleImage`; `sectors` and `half_sector`, too. One channel is
            taken for its coding "grey", three for "cos_sin".

    Source: ours. Mishin's article says nothing of augmentation.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["angles"] = "angles"
    shift: int = Field(default=4, ge=0, le=64)
    mirror: float = Field(default=0.5, ge=0, le=1)
    rows: RowOrder = "top_to_bottom"
    sectors: Literal[8] | None = None
    half_sector: bool = False

    @model_validator(mode="after")
    def _half_of_a_sector(self) -> AngleAugmentation:
        if self.half_sector and self.sectors is None:
            raise ValueError("half_sector: expected sectors 8, which are what it shifts, got none")
        return self

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return a changed copy of `batch`, each image changed for itself.

        Args:
            batch: (N, 1 or 3, 42, T) as :class:`mer_lib.features.AngleImage` makes it, not scaled.
            generator: on the CPU, of all that is drawn.

        Raises:
            ParameterError: the batch has another shape, or grey levels that are no sectors.
        """
        self._check(batch)
        mirrored = (torch.rand(len(batch), generator=generator) < self.mirror).to(batch.device)
        by = torch.randint(-self.shift, self.shift + 1, (len(batch),), generator=generator).to(batch.device)
        return shifted(torch.where(mirrored[:, None, None, None], self.mirrored(batch), batch), by)

    def mirrored(self, batch: Tensor) -> Tensor:
        """Return `batch` as if each face were seen in a mirror."""
        swapped = batch[:, :, torch.from_numpy(mirrored_rows(self.rows)).to(batch.device)]
        return self._mirrored_grey(swapped) if batch.shape[1] == 1 else self._mirrored_vectors(swapped)

    @property
    def _edge(self) -> float:
        """Angle by which the mirror image of a sector's code is off: the code stands for where the sector begins."""
        return TURN / self.sectors if self.sectors and not self.half_sector else 0.0

    def _mirrored_vectors(self, batch: Tensor) -> Tensor:
        cosine, sine, length = batch.unbind(1)
        # Of pi - angle - edge: first the mirror, then the turn.
        edge = torch.tensor(self._edge)
        cosine, sine = -cosine * edge.cos() + sine * edge.sin(), sine * edge.cos() + cosine * edge.sin()
        return torch.stack([cosine, sine, length], dim=1)

    def _mirrored_grey(self, batch: Tensor) -> Tensor:
        if self.sectors is None:
            turned = torch.remainder(_GREY / 2 - batch, _GREY)
        else:
            code = batch * (self.sectors - 1) / _GREY
            first = self.sectors // 2 - (0 if self.half_sector else 1)
            turned = torch.remainder(first - code.round(), self.sectors) * _GREY / (self.sectors - 1)
        return torch.where(batch == NO_MOTION, batch, turned)

    def _check(self, batch: Tensor) -> None:
        if batch.ndim != 4 or batch.shape[1] not in (1, 3) or batch.shape[2] != len(mirrored_rows(self.rows)):
            raise ParameterError(f"angles: expected images (N, 1 or 3, 42, T), got {tuple(batch.shape)}")
        if batch.shape[1] == 1 and self.sectors is not None:
            code = batch[batch != NO_MOTION] * (self.sectors - 1) / _GREY
            if ((code - code.round()).abs() > _NEAR).any():
                raise ParameterError("angles: expected grey levels of 8 sectors, got others; leave out sectors")


def shifted(batch: Tensor, by: Tensor) -> Tensor:
    """Return images moved by so many columns each, later where positive; what comes in shows no motion.

    Args:
        batch: (N, 1 or 3, R, T).
        by: int64 (N,).
    """
    still = NO_MOTION if batch.shape[1] == 1 else 0.0
    source = torch.arange(batch.shape[3], device=batch.device) - by[:, None]  # (N, T)
    known = (source >= 0) & (source < batch.shape[3])
    index = source.clamp(0, batch.shape[3] - 1)[:, None, None].expand_as(batch)
    return torch.where(known[:, None, None], batch.gather(3, index), torch.full_like(batch[:1], still))
