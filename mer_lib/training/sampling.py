"""Which rows an epoch shows, in which order."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Sampling = Literal["plain", "balanced", "neighbours"]


def epoch_rows(sampling: Sampling, targets: Tensor, views: int, shuffle: bool, generator: torch.Generator) -> Tensor:
    """Return the rows of one epoch, int64, in the order in which they are trained on.

    Args:
        sampling: "plain": each row once; "balanced": as many rows, drawn so that each class is as likely as any other;
            "neighbours": see :func:`even_rows`.
        targets: class numbers (N,) of the samples, on the CPU.
        views: of each sample; row ``i * views + j`` is view j of sample i.
        shuffle: whether "plain" draws an order; the others always do.
        generator: of random numbers.
    """
    count = len(targets) * views
    if sampling == "balanced":
        chances = (1.0 / torch.bincount(targets).double())[targets].repeat_interleave(views)
        return torch.multinomial(chances, count, replacement=True, generator=generator)
    if sampling == "neighbours":
        rows = even_rows(targets, views, generator)
        return rows[torch.randperm(len(rows), generator=generator)]
    return torch.randperm(count, generator=generator) if shuffle else torch.arange(count)


def even_rows(targets: Tensor, views: int, generator: torch.Generator) -> Tensor:
    """Return rows that show all classes alike: first views, filled up with other views, drawn anew by each call.

    The rarest class shows all views of its n samples. Each other class shows the first view of every sample, and as
    many other views, drawn without replacement, as bring it to ``views * n`` rows; a class that has more samples than
    that shows these alone.

    >>> rows = even_rows(torch.tensor([0, 0, 0, 1]), views=5, generator=torch.Generator())
    >>> sorted(rows.tolist())[-5:], len(rows)
    ([15, 16, 17, 18, 19], 10)

    Source: the authors' code of Quang, Chun, Tokuyama, CapsuleNet for micro-expression recognition, FG 2019, where the
    rarest class is surprise and views are the apex frame and its four neighbours.
    """
    counts = torch.bincount(targets)
    wanted = views * int(counts[counts > 0].min())
    return torch.cat([_of_class((targets == k).nonzero()[:, 0], wanted, views, generator) for k in targets.unique()])


def _of_class(samples: Tensor, wanted: int, views: int, generator: torch.Generator) -> Tensor:
    first = samples * views
    others = (first[:, None] + torch.arange(1, views)).flatten()
    drawn = torch.randperm(len(others), generator=generator)[: max(wanted - len(first), 0)]
    return torch.cat([first, others[drawn]])
