"""Motion between two images: dense optical flow, optical strain, and the small map that networks are fed.

>>> import numpy as np
>>> from mer_lib.motion import strain
>>> strain(np.zeros((4, 5, 2), np.float32)).shape
(4, 5)
"""

from __future__ import annotations

from mer_lib.motion.batch import flows
from mer_lib.motion.flow import DIS, METHODS, NAMED, RAFT, TVL1, Farneback, FlowMethod, flow_method, optical_flow
from mer_lib.motion.head_motion import HeadMotion, fit_head_motion, without_head_motion
from mer_lib.motion.images import Box, cut, grey8, rgb8
from mer_lib.motion.magnification import band_passed, default_band, level_factors, magnify
from mer_lib.motion.polar import (
    RegionMotion,
    angle_grey,
    arithmetic_mean_angle,
    circular_mean,
    polar,
    region_motion,
    sector_grey,
    sectors,
)
from mer_lib.motion.small_map import scaled_map
from mer_lib.motion.strain import checked_flow, strain

__all__ = [
    "DIS",
    "METHODS",
    "NAMED",
    "RAFT",
    "TVL1",
    "Box",
    "Farneback",
    "FlowMethod",
    "HeadMotion",
    "RegionMotion",
    "angle_grey",
    "arithmetic_mean_angle",
    "band_passed",
    "checked_flow",
    "circular_mean",
    "cut",
    "default_band",
    "fit_head_motion",
    "flow_method",
    "flows",
    "grey8",
    "level_factors",
    "magnify",
    "optical_flow",
    "polar",
    "region_motion",
    "rgb8",
    "scaled_map",
    "sector_grey",
    "sectors",
    "strain",
    "without_head_motion",
]
