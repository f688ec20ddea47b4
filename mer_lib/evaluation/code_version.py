"""Which version of the library's code a result comes from: a digest of the code that decides it, and no more."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from mer_lib.sources import normalised

PACKAGE = Path(__file__).resolve().parents[1]
# Whatever can change a prediction. Plots, reports, notebooks and metrics cannot: they are views of predictions. What
# makes features of frames counts where they are made: it enters the digest of the inputs.
DECIDING = (
    "datasets/flow_maps.py",
    "datasets/maps.py",
    "datasets/samples.py",
    "datasets/synthetic/mesh.py",
    "evaluation/frames.py",
    "faces/alignment.py",
    "faces/detection.py",
    "faces/points.py",
    "faces/published.py",
    "faces/regions/region.py",
    "faces/regions/windows.py",
    "features/compute.py",
    "features/maps.py",
    "features/recipes.py",
    "features/regions.py",
    "features/sequence_recipes.py",
    "models/info.py",
    "training",
    "evaluation/splits.py",
    "evaluation/methods.py",
    "evaluation/variant.py",
    "evaluation/folds.py",
)


@lru_cache
def code_version(model: str) -> str:
    """Return 16 hexadecimal digits that change when code behind the results of `model` changes.

    Comments, docstrings and formatting do not count, and neither does the file of another network.
    """
    files = [file for part in DECIDING for file in _files(PACKAGE / part)]
    network = PACKAGE / "models" / f"{model}.py"
    if network.exists():
        files.append(network)
    text = "\n".join(f"{file.relative_to(PACKAGE).as_posix()}\n{normalised(file.read_text('utf-8'))}" for file in files)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("*.py")) if path.is_dir() else [path]
