"""How many parameters a network of a variant has: counted from the network itself, without allocating it."""

from __future__ import annotations

import json
import warnings
from functools import lru_cache

import torch

from mer_lib.datasets.class_view import class_names
from mer_lib.evaluation.methods import is_network
from mer_lib.evaluation.variant import Variant
from mer_lib.models import build

BYTES_PER_PARAMETER = 4  # single precision
MIB = 2**20


def parameter_count(variant: Variant) -> int | None:
    """Return the number of trainable parameters of the variant's network, None for a method without a network."""
    if not is_network(variant):
        return None
    params = {**variant.model.params, "n_classes": len(class_names(variant.labels))}
    return _count(variant.model.name, json.dumps(params, sort_keys=True))


@lru_cache(maxsize=256)
def _count(name: str, params: str) -> int:
    # The meta device knows shapes alone, so a network of 160 million parameters costs no memory.
    with warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("ignore")  # about the network's design; training it has said so already
        network = build(name, **json.loads(params))
    return sum(tensor.numel() for tensor in network.parameters() if tensor.requires_grad)


def weights_mib(parameters: int) -> float:
    """Return the memory of so many single-precision weights in MiB.

    >>> round(weights_mib(114_429_446), 2)
    436.51
    """
    return parameters * BYTES_PER_PARAMETER / MIB
