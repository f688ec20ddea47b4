"""Which version of the library's code a result comes from: a digest of the code that decides it, and no more."""

from __future__ import annotations

import ast
import hashlib
from functools import lru_cache
from pathlib import Path

from mer_lib import handcrafted, models
from mer_lib.sources import normalised

PACKAGE = Path(__file__).resolve().parents[1]
# Whatever can change a prediction. Plots, reports, notebooks and metrics cannot: they are views of predictions. What
# makes features of frames counts where they are made: it enters the digest of the inputs.
DECIDING = (
    "datasets/flow_maps.py",
    "datasets/class_view.py",
    "datasets/maps.py",
    "datasets/samples.py",
    "datasets/synthetic/mesh.py",
    "evaluation/frames.py",
    "faces/alignment.py",
    "faces/detection.py",
    "faces/points.py",
    "faces/published.py",
    "faces/regions/region.py",
    "faces/regions/row_order.py",
    "faces/regions/windows.py",
    "features/compute.py",
    "features/descriptor_recipes.py",
    "features/maps.py",
    "features/recipes.py",
    "features/regions.py",
    "features/sequence_recipes.py",
    "handcrafted/linear_svm.py",
    "models/info.py",
    "motion/polar.py",
    "motion/strain.py",
    "training",
    "evaluation/splits.py",
    "evaluation/methods.py",
    "evaluation/variant.py",
    "evaluation/folds.py",
)


#: Packages whose files count for the methods alone that are written in them.
METHODS = ("models", "handcrafted")
_INFRASTRUCTURE = ("__init__.py", "info.py", "weights.py")  # which weights there were enters the address by itself


@lru_cache
def code_version(model: str) -> str:
    """Return 16 hexadecimal digits that change when code behind the results of `model` changes.

    Comments, docstrings and formatting do not count, and neither does the file of another method.
    """
    return _digest("\n".join(f"{name} {digest}" for name, digest in code_files(model).items()))


@lru_cache
def code_files(model: str) -> dict[str, str]:
    """Return the files behind the results of `model`, by their path in the package, each with the digest of its code.

    Read once in a process: it computes with the code that it imported, whatever is edited later.
    """
    files = [file for part in DECIDING for file in _files(PACKAGE / part)] + own_files(model)
    return {file.relative_to(PACKAGE).as_posix(): file_digest(file) for file in files}


@lru_cache
def file_digest(file: Path) -> str:
    """Return 16 hexadecimal digits that change with the code of a file, whatever its comments and formatting."""
    return _digest(normalised(file.read_text("utf-8")))


def own_files(model: str) -> list[Path]:
    """Return the file in which a method is written and those of its package that it builds on, in a fixed order."""
    package, name = next(
        ((package, names[model]) for package, names in _written_in().items() if model in names), ("", "")
    )
    found: set[Path] = set()
    waiting = [PACKAGE / package / f"{name}.py"] if name else []
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += _imported(file, package)
    return sorted(found)


def _written_in() -> dict[str, dict[str, str]]:
    return {"models": models.FILE_OF, "handcrafted": handcrafted.FILE_OF}


def _imported(file: Path, package: str) -> list[Path]:
    """Return the files of `package` that a file imports from, but those that hold no part of any method."""
    modules = {node.module for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)}
    start = f"mer_lib.{package}."
    named = (
        PACKAGE / package / f"{module.removeprefix(start)}.py"
        for module in modules
        if module and module.startswith(start)
    )
    return [path for path in named if path.name not in _INFRASTRUCTURE]


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
