"""Augmentation of movement: a mirrored, turned or enlarged face moves in mirrored, turned or enlarged directions."""

from __future__ import annotations

from math import radians
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, field_validator
from torch import Tensor
from torch.nn import functional

from mer_lib.errors import ParameterError

Channel = Literal["u", "v", "strain", "grey"]


class FlowAugmentation(BaseModel):
    """Mirror, turn, enlarge, shift and strengthen maps or sequences of movement, each sample by its own draw.

    All frames of a sequence change alike. Where the face is mirrored, movement to the right becomes movement to the
    left; where it is turned, so are the vectors; where it is enlarged, they become longer. Strain and grey only move.

    >>> augment = FlowAugmentation(mirror=1.0)
    >>> maps = torch.ones(2, 3, 4, 4)
    >>> augment(maps, torch.Generator())[0, :, 0, 0]
    tensor([-1.,  1.,  1.])

    Attributes:
        channels: what each channel holds, in order: "u" (to the right), "v" (downwards), "strain", "grey".
        mirror: chance that a sample is mirrored, 0 to 1.
        rotation: most degrees by which it is turned either way, 0 to 180.
        scale: most by which it is enlarged or shrunk, as a share; 0.1 draws factors from 0.9 to 1.1.
        shift: most by which it is moved in either direction, as a share of its side.
        strength: most by which movement becomes stronger or weaker, as a share; strain with it.
        zero: value of u and v that stands for no movement: 0 in pixels. Of maps that were stretched to 0 to 255 nobody
            knows it; with 127.5 mirroring is exact (it is 255 - u), turning and enlarging are not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["flow"] = "flow"
    channels: tuple[Channel, ...] = ("u", "v", "strain")
    mirror: float = Field(default=0.5, ge=0, le=1)
    rotation: float = Field(default=0.0, ge=0, le=180)
    scale: float = Field(default=0.0, ge=0, lt=1)
    shift: float = Field(default=0.0, ge=0, lt=1)
    strength: float = Field(default=0.0, ge=0, lt=1)
    zero: float = 0.0

    @field_validator("channels")
    @classmethod
    def _each_component_once(cls, channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
        if any(channels.count(name) > 1 for name in ("u", "v")):
            raise ValueError(f"expected u and v once at most, got {channels}")
        return channels

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return a changed copy of maps (n, c, h, w) or sequences (n, frames, c, h, w), as their recipe makes them.

        Raises:
            ParameterError: the batch has another number of channels, or vectors of one component are to be turned.
        """
        self._check(batch)
        n = len(batch)
        mirrored = torch.rand(n, generator=generator) < self.mirror
        angle, grown, right, down, stronger = (2 * torch.rand(5, n, generator=generator) - 1).to(batch)
        angle, factor = angle * radians(self.rotation), 1 + grown * self.scale
        changed = self._mirror(batch, mirrored.to(batch.device))
        if self.rotation or self.scale or self.shift:
            offset = torch.stack([right, down], dim=1) * self.shift
            changed = self._turn_vectors(_moved(changed, angle, factor, offset), angle, factor)
        return self._strengthen(changed, 1 + stronger * self.strength) if self.strength else changed

    def _check(self, batch: Tensor) -> None:
        if batch.ndim not in (4, 5) or batch.shape[-3] != len(self.channels):
            raise ParameterError(
                f"flow augmentation: expected (n, c, h, w) or (n, frames, c, h, w) with the channels "
                f"{', '.join(self.channels)}, got {tuple(batch.shape)}"
            )
        if self.rotation and ("u" in self.channels) != ("v" in self.channels):
            raise ParameterError(
                f"flow augmentation: vectors cannot be turned without both u and v, got the channels "
                f"{', '.join(self.channels)}; set rotation to 0"
            )

    def _mirror(self, batch: Tensor, mirrored: Tensor) -> Tensor:
        other = batch.flip(-1)
        if "u" in self.channels:
            u = self.channels.index("u")
            other[..., u, :, :] = 2 * self.zero - other[..., u, :, :]
        return torch.where(_per_sample(mirrored, batch), other, batch)

    def _turn_vectors(self, batch: Tensor, angle: Tensor, factor: Tensor) -> Tensor:
        """Multiply the vectors by the matrix that moved the picture; with y downwards, it turns clockwise."""
        parts = dict(zip(self.channels, batch.unbind(-3), strict=True))
        zeros = torch.zeros_like(batch[..., 0, :, :])
        u, v = (parts[name] - self.zero if name in parts else zeros for name in ("u", "v"))
        cos, sin = (_per_sample(factor * turn(angle), u) for turn in (torch.cos, torch.sin))
        parts |= {"u": cos * u - sin * v + self.zero, "v": sin * u + cos * v + self.zero}
        return torch.stack([parts[name] for name in self.channels], dim=-3)

    def _strengthen(self, batch: Tensor, factor: Tensor) -> Tensor:
        rest = {"u": self.zero, "v": self.zero, "strain": 0.0}
        changed = [
            values if name == "grey" else rest[name] + _per_sample(factor, values) * (values - rest[name])
            for name, values in zip(self.channels, batch.unbind(-3), strict=True)
        ]
        return torch.stack(changed, dim=-3)


def _per_sample(values: Tensor, like: Tensor) -> Tensor:
    """Give one value a sample the axes of `like`."""
    return values.view(-1, *(1,) * (like.ndim - 1))


def _moved(batch: Tensor, angle: Tensor, factor: Tensor, offset: Tensor) -> Tensor:
    """Turn and enlarge what is seen about the middle, then shift it; at the edges the outermost values go on."""
    height, width = batch.shape[-2:]
    cos, sin = angle.cos() / factor, angle.sin() / factor
    # Where each pixel comes from, in shares of half a side: the inverse of the movement.
    back = torch.stack(
        [torch.stack([cos, sin * height / width], dim=1), torch.stack([-sin * width / height, cos], dim=1)], dim=1
    )
    from_where = torch.cat([back, -back @ (2 * offset)[..., None]], dim=2)
    flat = batch.reshape(len(batch), -1, height, width)
    grid = functional.affine_grid(from_where, list(flat.shape), align_corners=False)
    return functional.grid_sample(flat, grid, padding_mode="border", align_corners=False).view(batch.shape)
