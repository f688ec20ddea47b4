"""Explanations: what in an input a prediction rests on.

Three kinds, which need not agree: what covering a part changes (any method), where the score of a class is sensitive
(networks), and what a network says of itself (attention, votes of capsules).
"""

from mer_lib.explanations.gradients import grad_cam
from mer_lib.explanations.inside import attention_image, capsule_reading, capsule_votes
from mer_lib.explanations.occlusions import occlusion, region_weights, strips

__all__ = [
    "attention_image",
    "capsule_reading",
    "capsule_votes",
    "grad_cam",
    "occlusion",
    "region_weights",
    "strips",
]
