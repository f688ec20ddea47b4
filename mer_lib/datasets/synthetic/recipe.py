"""What a clip is made of: a digest of its own numbers and of the code that draws it.

A clip whose recipe differs from the present one is stale. It is made anew and never stands beside fresh ones.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from mer_lib import motion
from mer_lib.datasets import maps
from mer_lib.datasets.synthetic.databases import Entry
from mer_lib.sources import normalised

# These say which clips there are and where they go; the numbers of a clip enter by themselves.
_NOT_DECIDING = ("databases.py", "index.py", "layout.py", "making.py", "opening.py", "recipe.py")
# What the map of a clip is measured with; the rest of that stage is not used for it.
_MEASURING = ("flow.py", "images.py", "small_map.py", "strain.py")


def recipe(entry: Entry) -> str:
    """Return 16 hexadecimal digits that change when the clip of `entry` may come out otherwise.

    They cover the numbers of `entry`, the code that draws and measures, and the versions of OpenCV and numpy. A changed
    number of one database leaves the recipes of the others as they were; a changed line of the drawing code changes
    all. Comments, docstrings and formatting do not count.
    """
    return hashlib.sha256(f"{_code()}\n{entry!r}".encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def _code() -> str:
    own = (file for file in Path(__file__).parent.iterdir() if file.suffix in (".py", ".csv"))
    files = sorted(file for file in own if file.name not in _NOT_DECIDING)
    files += [Path(motion.__file__).parent / name for name in _MEASURING]
    files.append(Path(maps.__file__))  # where on a map the face lies
    digest = hashlib.sha256(f"{cv2.__version__} {np.__version__}\n".encode())
    for file in files:
        text = file.read_text("utf-8")
        digest.update(f"{file.name}\n{normalised(text) if file.suffix == '.py' else text}\n".encode())
    return digest.hexdigest()
