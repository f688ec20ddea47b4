"""Features: one recipe for each input that a paper feeds its model, computed once and kept."""

from __future__ import annotations

from mer_lib.features.cache import CacheWarning
from mer_lib.features.compute import PointsUsed, compute, inputs_digest, points_used, report, takes_maps
from mer_lib.features.descriptor_recipes import FaceSequence, RegionDirections
from mer_lib.features.recipes import ApexFace, FlowMap, FourRegionMosaic, Motion, RegionCrops, Window
from mer_lib.features.regions import Region, region_boxes
from mer_lib.features.report import ClipsUsed
from mer_lib.features.sequence_recipes import AngleImage, MagnifiedSequence, Recipe

__all__ = [
    "AngleImage",
    "ApexFace",
    "CacheWarning",
    "ClipsUsed",
    "FaceSequence",
    "FlowMap",
    "FourRegionMosaic",
    "MagnifiedSequence",
    "Motion",
    "PointsUsed",
    "Recipe",
    "Region",
    "RegionCrops",
    "RegionDirections",
    "Window",
    "compute",
    "inputs_digest",
    "points_used",
    "region_boxes",
    "report",
    "takes_maps",
]
