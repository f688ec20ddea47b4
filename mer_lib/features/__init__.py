"""Features: one recipe for each input that a paper feeds its model."""

from __future__ import annotations

from mer_lib.features.compute import PointsUsed, compute, points_used
from mer_lib.features.recipes import FlowMap, FourRegionMosaic, Recipe
from mer_lib.features.regions import Region, region_boxes

__all__ = [
    "FlowMap",
    "FourRegionMosaic",
    "PointsUsed",
    "Recipe",
    "Region",
    "compute",
    "points_used",
    "region_boxes",
]
