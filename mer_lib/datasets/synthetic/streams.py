"""Random streams that depend on names alone, so that nothing depends on the order in which things are made."""

from __future__ import annotations

import hashlib

import numpy as np

#: Raised when the same names shall draw other faces and clips than before; part of every stream.
GENERATION = 1


def stream(*names: str | int) -> np.random.Generator:
    """Random numbers that belong to `names`, the same wherever and whenever they are asked for.

    Identity, texture, movement and noise have a stream each: a change of one leaves the others as they were.

    >>> bool(stream("syn_a", "s01", "identity").normal() == stream("syn_a", "s01", "identity").normal())
    True
    >>> bool(stream("syn_a", "s01", "identity").normal() == stream("syn_a", "s01", "texture").normal())
    False

    Args:
        names: a path of names, such as database, subject, clip, purpose.
    """
    text = "/".join(str(name) for name in (GENERATION, *names))
    return np.random.default_rng(np.frombuffer(hashlib.sha256(text.encode()).digest(), dtype=np.uint32))
