"""FeatRef: features that all expressions share, refined by one branch for each expression."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from mer_lib.errors import ParameterError, fault_list
from mer_lib.models.blocks_streams import InceptionStreams, dense_faults, stream_faults
from mer_lib.models.info import ModelInfo

Fusion = Literal["sum", "concatenate"]


class ExpressionBranch(nn.Module):
    """One expression's branch: attention over the shared features, its own features, and "is it this one?"."""

    def __init__(self, hidden: int, specific: int, dropout: float) -> None:
        super().__init__()
        self.attention = nn.Sequential(nn.Linear(hidden, hidden), nn.Sigmoid())
        self.specific = nn.Sequential(nn.Linear(hidden, specific), nn.ReLU(), nn.Dropout(dropout))
        self.proposal = nn.Linear(specific, 1)

    def forward(self, shared: Tensor) -> tuple[Tensor, Tensor]:
        """Map (batch, hidden) to the expression's features (batch, specific) and its proposal (batch, 1), a logit."""
        features = self.specific(self.attention(shared) * shared)
        return features, self.proposal(features)


class FeatRef(nn.Module):
    """Two inception streams; a branch a class with attention factors; the branches' features fused and classified.

    The article adds a binary proposal loss of each branch to the loss of the classifier. Our trainer knows one loss of
    the logits, so the branches' proposals are added to the logits instead: each branch is so rewarded for saying yes
    to its own expression and no to the others. `proposal_weight` is their share; at 0 only the classifier speaks.

    >>> FeatRef(hidden=16, specific=8)(torch.zeros(2, 3, 28, 28)).shape
    torch.Size([2, 3])

    Args:
        n_classes: number of outputs (logits) and of branches.
        image_size: rows and columns of the map; each inception block halves them.
        channels: which channels of the map have a stream of their own: u and v of maps in the order u, v, strain.
        filters: of each of the four ways of the first and the second inception block.
        hidden: number of shared features.
        specific: number of features of one branch.
        fusion: how the branches' features become one vector.
        proposal_weight: factor of the proposals in the logits, at least 0.
        dropout: after shared and specific features, in [0, 1).

    Raises:
        ParameterError: parameters are out of range, all of them at once.

    Source: Zhou, Mao, Huang, Zhang, Zhang: Feature refinement: An expression-specific feature learning and fusion
    method for micro-expression recognition, Pattern Recognition 122 (2022) 108275, arXiv 2101.04838, section 3. The
    streams are those of the same group's Dual-Inception; sigmoid attention factors, one a shared feature, 256 features
    a branch and a sum for the fusion are our choices where we had no published size. That makes 10,384,334 parameters.
    """

    cam_layer = "maps"

    def __init__(
        self,
        n_classes: int = 3,
        image_size: int = 28,
        channels: tuple[int, ...] = (0, 1),
        filters: tuple[int, ...] = (6, 16),
        hidden: int = 1024,
        specific: int = 256,
        fusion: Fusion = "sum",
        proposal_weight: float = 1.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        faults = stream_faults(channels, filters, image_size) + dense_faults(n_classes, hidden, dropout)
        if faults := faults + _faults(specific, fusion, proposal_weight):
            raise ParameterError(f"FeatRef cannot be built:\n{fault_list(faults)}")
        self.input_shape = (3, image_size, image_size)
        self.fusion, self.proposal_weight = fusion, proposal_weight
        self.maps = InceptionStreams(channels, filters, image_size)
        self.shared = nn.Sequential(nn.Linear(self.maps.features, hidden), nn.ReLU(), nn.Dropout(dropout))
        self.branches = nn.ModuleList(ExpressionBranch(hidden, specific, dropout) for _ in range(n_classes))
        self.fc = nn.Linear(specific * (n_classes if fusion == "concatenate" else 1), n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (batch, n_classes) of maps (batch, 3, image_size, image_size)."""
        features, proposals = self._refine(x)
        fused = features.sum(dim=1) if self.fusion == "sum" else features.flatten(1)  # (b, 256) or (b, 768)
        return self.fc(fused) + self.proposal_weight * proposals  # (b, 3)

    @torch.no_grad()
    def proposals(self, x: Tensor) -> Tensor:
        """Return what each branch alone says: the probability (batch, n_classes) that `x` is its expression."""
        return self._refine(x)[1].sigmoid()

    def _refine(self, x: Tensor) -> tuple[Tensor, Tensor]:
        shared = self.shared(self.maps(x).flatten(1))  # (b, 6272), (b, 1024)
        pairs = [branch(shared) for branch in self.branches]
        features = torch.stack([features for features, _ in pairs], dim=1)  # (b, 3, 256)
        return features, torch.cat([proposal for _, proposal in pairs], dim=1)  # (b, 3)


def _faults(specific: int, fusion: str, proposal_weight: float) -> list[str]:
    faults = []
    if specific < 1:
        faults.append(f"specific: expected at least 1, got {specific}")
    if fusion not in ("sum", "concatenate"):
        faults.append(f"fusion: expected 'sum' or 'concatenate', got {fusion!r}")
    if not proposal_weight >= 0:
        faults.append(f"proposal_weight: expected at least 0, got {proposal_weight}")
    return faults


INFO = ModelInfo(
    name="featref",
    title="FeatRef",
    factory=FeatRef,
    paper="Zhou, Mao, Huang, Zhang, Zhang: Feature refinement: An expression-specific feature learning and fusion "
    "method for micro-expression recognition, Pattern Recognition 122 (2022) 108275",
    url="https://arxiv.org/abs/2101.04838",
    recipe={"recipe": "flow_map", "order": "uvs"},
    small={"filters": (3, 4), "hidden": 32, "specific": 16},
)
