"""Motion between two images: dense optical flow, optical strain, and the small map that networks are fed.

>>> import numpy as np
>>> from mer_lib.motion import strain
>>> strain(np.zeros((4, 5, 2), np.float32)).shape
(4, 5)
"""

from __future__ import annotations

from mer_lib.motion.flow import METHODS, Box, cut, optical_flow, scaled_map, strain

__all__ = ["METHODS", "Box", "cut", "optical_flow", "scaled_map", "strain"]
